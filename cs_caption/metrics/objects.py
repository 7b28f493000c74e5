"""Captions of the built-in scenes held against the truth: which objects they name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cs_caption.data import lexicon

BINS = ("all", "some", "none")

_LONGEST_COLOUR = 3
Kind = tuple[str, str]  # (basic colour, shape)


@dataclass(frozen=True)
class Mention:
    """Objects that a caption names: how many of which kind, and at which word the noun stands."""

    word: int
    count: int
    colour: str
    shape: str

    @property
    def kind(self) -> Kind:
        return self.colour, self.shape


@dataclass(frozen=True, eq=False, repr=False)
class ObjectScore:
    """How well captions name the objects of their pictures; an object is a (colour, shape).

    f1, precision and recall count objects over all pictures together, two of a kind being two
    objects; exact is the share of captions that name exactly the set of (colour, shape, count);
    hallucination the share of named objects that are not there, 1 - precision.
    rows (N, 3) holds objects named rightly, named, and there; bins (N strings) is "all" where the
    named objects are exactly those there, "none" where no named object is there, else "some".
    """

    f1: float
    precision: float
    recall: float
    exact: float
    hallucination: float
    rows: np.ndarray
    bins: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ObjectScore(f1={self.f1:.4f}, exact={self.exact:.4f}, {len(self.bins)} items)"


def object_score(captions: Sequence[str], truths: Sequence[Counter[Kind]]) -> ObjectScore:
    """Score captions (N) against the objects there (N Counters of (colour, shape)).

    Raises: ValueError where the lengths differ or nothing is there to score.
    """
    if len(captions) != len(truths) or not len(captions):
        raise ValueError(
            f"{len(captions)} captions for {len(truths)} pictures: expected one for each, and at "
            "least one"
        )
    named = [named_objects(caption) for caption in captions]
    rows = np.array([_row(n, t) for n, t in zip(named, truths, strict=True)])
    right, said, there = rows.sum(0)
    bins = tuple(truth_bin(n, t) for n, t in zip(named, truths, strict=True))
    return ObjectScore(
        f1=float(f1_from_rows(rows.sum(0))),
        precision=float(right / said) if said else 0.0,
        recall=float(right / there) if there else 0.0,
        exact=bins.count("all") / len(bins),
        hallucination=float(1 - right / said) if said else 0.0,
        rows=rows,
        bins=bins,
    )


def f1_from_rows(rows: np.ndarray) -> np.ndarray:
    """F1 (...) from objects (named rightly, named, there) or sums of them (..., 3)."""
    either = rows[..., 1] + rows[..., 2]
    return np.where(either > 0, 2 * rows[..., 0] / np.maximum(either, 1), 1.0)


def truth_bin(named: Counter[Kind], truth: Counter[Kind]) -> str:
    """ "all": exactly the objects there; "none": not one of them; "some": whatever lies between.

    A caption that names every object and one more is in "some".
    """
    if named == truth:
        return "all"
    return "some" if named & truth else "none"


def scene_objects(objects: Iterable) -> Counter[Kind]:
    """The truth: how many objects of each (colour, shape) a scene holds."""
    return Counter((one.colour, one.shape) for one in objects)


def named_objects(caption: str) -> Counter[Kind]:
    """The objects that a caption names: how many of each (colour, shape)."""
    named: Counter[Kind] = Counter()
    for mention in mentions(caption):
        named[mention.kind] += mention.count
    return named


def mentions(caption: str) -> list[Mention]:
    """Read a caption by the grammar of `cs_caption.data.lexicon`.

    A number, a colour and a noun in this order are a mention; a noun that lacks one of them is
    none. Of two colours before a noun the second is meant.
    """
    words, found = caption.split(), []
    count = colour = None
    i = 0
    while i < len(words):
        word, taken = words[i], 1
        shape = lexicon.SHAPES.get(word) or lexicon.PLURALS.get(word)
        if shape:
            if colour:
                found.append(Mention(i, count, colour, shape))
            count = colour = None
        elif word in lexicon.NUMBERS:
            count, colour = lexicon.NUMBERS[word], None
        elif word in lexicon.BREAKS:
            count = colour = None
        elif count:
            name, taken = _colour(words, i)
            colour = name or colour
        i += taken
    return found


def _colour(words: list[str], i: int) -> tuple[str | None, int]:
    """The basic colour whose name begins at word i, and how many words it takes."""
    for length in range(_LONGEST_COLOUR, 0, -1):
        name = lexicon.COLOURS.get(" ".join(words[i : i + length]))
        if name:
            return name, min(length, len(words) - i)
    return None, 1


def _row(named: Counter[Kind], truth: Counter[Kind]) -> tuple[int, int, int]:
    return (named & truth).total(), named.total(), truth.total()
