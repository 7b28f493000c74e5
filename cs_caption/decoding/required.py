"""Words that must stand in a sentence."""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cs_caption.decoding.hypothesis import Hypothesis

Entry = int | tuple[int, ...]


@dataclass(frozen=True)
class Required:
    """What N pictures ask for: at most C entries each, and at most M words that serve them.

    A picture with fewer words has -1 in their places; one with fewer entries lacks the first ones.
    """

    entries: tuple[tuple[tuple[int, ...], ...], ...]
    words: Tensor  # (N, M)
    serves: Tensor  # (N, M, C) bool: whether a word meets an entry
    lacking: Tensor  # (N, C) bool

    def to(self, device: torch.device) -> "Required":
        columns = (column.to(device) for column in (self.words, self.serves, self.lacking))
        return Required(self.entries, *columns)

    def met_by(self, words: Tensor) -> Tensor:
        """Which entries each of words (N, P, W) meets by itself: (N, P, W, C)."""
        same = words[..., None] == self.words[:, None, None]  # (N, P, W, M)
        return (same.float() @ self.serves[:, None].float()) > 0

    def check_vocabulary(self, vocab: int) -> None:
        """Raise ValueError where a word is not one of the step's `vocab`."""
        most = max((word for some in self.entries for entry in some for word in entry), default=0)
        if most >= vocab:
            raise ValueError(f"required has word {most}, outside the step's vocabulary of {vocab}")


def read_required(required: Sequence | None, pictures: int, max_len: int, end: int) -> Required:
    """What the user requires, checked.

    Raises: ValueError, TypeError for what is not words, or is too much for max_len.
    """
    entries = _by_picture([] if required is None else required, pictures)
    for picture, some in enumerate(entries):
        _check_entries(picture, some, max_len, end)
    words = [sorted({word for entry in some for word in entry}) for some in entries]
    C, M = (max(map(len, rows), default=0) for rows in (entries, words))
    found = Required(
        entries=entries,
        words=torch.full((pictures, M), -1),
        serves=torch.zeros(pictures, M, C, dtype=torch.bool),
        lacking=torch.zeros(pictures, C, dtype=torch.bool),
    )
    for picture, (some, own) in enumerate(zip(entries, words, strict=True)):
        first = C - len(some)
        found.lacking[picture, :first] = True
        found.words[picture, : len(own)] = torch.tensor(own, dtype=torch.int64)
        for place, entry in enumerate(some):
            for word in entry:
                found.serves[picture, own.index(word), first + place] = True
    return found


def check_required_reached(found: list[list[Hypothesis]], needs: Required) -> None:
    """Raise ValueError where nothing was found for a picture."""
    for picture, n_best in enumerate(found):
        if not n_best:
            raise ValueError(
                f"no sentence of picture {picture} holds all of {_listed(needs.entries[picture])}: "
                "the step gives one of them -inf (as <UNK> may have), or max_len is too small"
            )


def _by_picture(required: Sequence, pictures: int) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """A tuple of words for each entry of each picture."""
    if isinstance(required, (str, bytes)) or not isinstance(required, Sequence):
        raise TypeError(f"required is {required!r}: expected a list of word ids")
    lists = [isinstance(some, list) for some in required]
    if not any(lists):
        return (tuple(map(_entry, required)),) * pictures
    if not all(lists):
        raise TypeError(
            "required mixes lists with words: give one list for all pictures or a list of lists, "
            "one a picture; words of which one is enough stand in a tuple"
        )
    if len(required) != pictures:
        raise ValueError(f"required has {len(required)} lists for {pictures} pictures")
    return tuple(tuple(map(_entry, some)) for some in required)


def _entry(given: Entry) -> tuple[int, ...]:
    several = given if isinstance(given, tuple) else (given,)
    try:
        return tuple(sorted({operator.index(word) for word in several}))
    except TypeError:
        raise TypeError(
            f"required has {given!r}: expected the id of a word, or a tuple of ids"
        ) from None


def _check_entries(
    picture: int, entries: tuple[tuple[int, ...], ...], max_len: int, end: int
) -> None:
    for entry in entries:
        if not entry:
            raise ValueError("required has an empty tuple: no word can meet it")
        if min(entry) < 0 or end in entry:
            raise ValueError(
                f"required has {_listed([entry])}: expected ids of words, and not `end`, which "
                "every sentence ends with"
            )
        if entries.count(entry) > 1:
            raise ValueError(
                f"required has {_listed([entry])} twice: said once, it meets both; name it once"
            )
    words = [word for entry in entries for word in entry]
    at_once = max(map(words.count, words), default=1)
    if math.ceil(len(entries) / at_once) > max_len:
        raise ValueError(
            f"max_len is {max_len}, too small for the {len(entries)} required words of picture "
            f"{picture}"
        )


def _listed(entries: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(" or ".join(map(str, entry)) for entry in entries)
