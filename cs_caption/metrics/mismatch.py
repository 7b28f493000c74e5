"""Where attention is right and the word is wrong, and the reverse: the failures of notebook 06."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cs_caption.metrics.objects import Kind, Mention, mentions
from cs_caption.metrics.pointing import cells_on, check_lengths, check_map


@dataclass(frozen=True)
class Look:
    """One word that names a shape, and what the attention was strongest on as it was said.

    word is the noun's place in caption `item`, cell the strongest cell, object the place in the
    scene of the object that it lies on, None where it lies on none.
    """

    item: int
    word: int
    cell: int
    object: int | None
    right_word: bool
    right_place: bool


@dataclass(frozen=True, eq=False, repr=False)
class LooksAndWords:
    """Nouns by whether the word is right and by whether the place is: four counts.

    skipped: mentions of which it cannot be told, as `looks_and_words` has it. records: the nouns
    that are counted, in the order of the captions.
    """

    right_word_right_place: int
    right_word_wrong_place: int
    wrong_word_right_place: int
    wrong_word_wrong_place: int
    skipped: int
    records: tuple[Look, ...]

    @property
    def counted(self) -> int:
        return len(self.records)

    def share(self, *, right_word: bool, right_place: bool) -> float | None:
        """The share of the counted nouns that are of this kind; None where none is counted."""
        return _share(self._count(right_word, right_place), self.counted)

    def pointing(self, *, right_word: bool) -> float | None:
        """The share of right places among the nouns that are right, or wrong; None without any.

        Of right words it is the accuracy of `pointing_score`.
        """
        right, wrong = (self._count(right_word, place) for place in (True, False))
        return _share(right, right + wrong)

    def _count(self, right_word: bool, right_place: bool) -> int:
        word, place = ("right" if right else "wrong" for right in (right_word, right_place))
        return getattr(self, f"{word}_word_{place}_place")

    def __repr__(self) -> str:
        return (
            f"LooksAndWords(right word: {self.right_word_right_place} right place, "
            f"{self.right_word_wrong_place} wrong; wrong word: {self.wrong_word_right_place} right "
            f"place, {self.wrong_word_wrong_place} wrong; {self.skipped} skipped)"
        )


def looks_and_words(
    captions: Sequence[str], maps: Sequence[np.ndarray], objects: Sequence[Sequence]
) -> LooksAndWords:
    """Sort the nouns of captions by whether they are right and by where the model looked.

    captions, maps and objects are those of `pointing_score`, and so are the cells that lie on an
    object: with a visible pixel at most half a cell's side from their centre.

    A noun is counted if it belongs to a mention of one object, "a red square", in a picture of at
    least two objects, if the caption names that kind once, and if at most one object there has that
    colour and shape; the others are skipped. The word is right if such an object is there.

    The place is right if the strongest cell lies on the object that is meant: for a right word the
    one that it names; for a wrong one, of which nobody can tell, any object whose colour and shape
    the caption names nowhere. (So a wrong word has no right place where all objects are named.)

    A record's object is the one that the strongest cell lies on; of several one that is meant comes
    first, then the one with most visible pixels that near, then the first of the scene. Of equal
    weights the first cell in reading order is the strongest.

    Raises: ValueError where lengths differ, a map has too few rows, or L is no square number.
    """
    check_lengths(captions, maps, objects)
    records, skipped = [], 0
    for item, (caption, weights, here) in enumerate(zip(captions, maps, objects, strict=True)):
        if len(here) < 2:
            continue
        named = mentions(caption)
        kinds = [(one.colour, one.shape) for one in here]
        counted = list(_counted(named, kinds))
        skipped += len(named) - len(counted)
        if counted:
            check_map(item, caption, weights)
            on = cells_on(np.stack([one.mask for one in here]), weights.shape[1])
            unnamed = _unnamed(named, kinds)
            records += [_look(item, one, weights[one.word], on, kinds, unnamed) for one in counted]
    return _sorted(tuple(records), skipped)


def _counted(named: list[Mention], kinds: list[Kind]) -> Iterator[Mention]:
    """The mentions that leave no doubt about which object they would name, if it were there."""
    said = Counter(mention.kind for mention in named)
    for mention in named:
        if mention.count == 1 and said[mention.kind] == 1 and kinds.count(mention.kind) <= 1:
            yield mention


def _unnamed(named: list[Mention], kinds: list[Kind]) -> np.ndarray:
    """Which objects the caption names nowhere (M,)."""
    said = {mention.kind for mention in named}
    return np.array([kind not in said for kind in kinds])


def _look(
    item: int,
    mention: Mention,
    weights: np.ndarray,
    on: np.ndarray,
    kinds: list[Kind],
    unnamed: np.ndarray,
) -> Look:
    right_word = mention.kind in kinds
    meant = np.array([kind == mention.kind for kind in kinds]) if right_word else unnamed
    cell = int(weights.argmax())
    near = on[:, cell]
    right_place = bool(np.any(near[meant]))
    candidates = np.where(meant, near, 0) if right_place else near
    looked_at = int(candidates.argmax()) if near.any() else None
    return Look(item, mention.word, cell, looked_at, right_word, right_place)


def _sorted(records: tuple[Look, ...], skipped: int) -> LooksAndWords:
    count = Counter((one.right_word, one.right_place) for one in records)
    pairs = ((True, True), (True, False), (False, True), (False, False))
    return LooksAndWords(*(count[pair] for pair in pairs), skipped, records)


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
