"""Words and n-grams as integers, so that counting them is one sort for each order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np


@dataclass(frozen=True, eq=False)
class Words:
    """All words of S captions in one row: ids (M,), the id of each word, lengths (S,)."""

    ids: np.ndarray
    number: dict[str, int]
    lengths: np.ndarray


@dataclass(frozen=True, eq=False)
class Order:
    """The n-grams of one order in S captions, numbered from 0 and counted.

    A row stands for one n-gram in one caption; rows are sorted by n-gram, then caption. Shapes:
    gram, caption, count (R,); code (G,), ascending, says which (n-1)-gram an n-gram begins with
    and which word it ends in; where (G,), the place of one occurrence among all words.
    """

    n: int
    gram: np.ndarray
    caption: np.ndarray
    count: np.ndarray
    code: np.ndarray
    words: int
    where: np.ndarray

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The (n-1)-gram that each n-gram begins with and the word that it ends in: (G,), (G,)."""
        return np.divmod(self.code, self.words)

    def find(self, shorter: np.ndarray, last: np.ndarray) -> np.ndarray:
        """The n-gram of these two parts (K,), (K,); -1 where there is none or a part is -1."""
        code = np.where((shorter < 0) | (last < 0), -1, shorter * self.words + last)
        return places(self.code, code)


@dataclass(frozen=True, eq=False)
class Groups:
    """The rows of an order, those of one n-gram in the captions of one item together.

    Shapes: gram (P,); key (P,), ascending, gram * items + item; first (P + 1,), the first row of
    each group and the end; most (P,), the largest count in a group.
    """

    gram: np.ndarray
    key: np.ndarray
    first: np.ndarray
    most: np.ndarray
    items: int

    def find(self, gram: np.ndarray, item: np.ndarray) -> np.ndarray:
        """The group of each n-gram and item (K,), (K,); -1 where there is none or gram is -1."""
        return places(self.key, np.where(gram < 0, -1, gram * self.items + item))


class GramCounts:
    """The n-grams of captions, counted for each order when it is asked for first."""

    def __init__(self, words: Words):
        self.words = words
        self._orders: list[Order] = []
        self._caption = np.repeat(np.arange(len(words.lengths)), words.lengths)
        self._room = np.repeat(np.cumsum(words.lengths), words.lengths) - np.arange(len(words.ids))
        self._gram = np.zeros_like(words.ids)

    def order(self, n: int) -> Order:
        """The n-grams of n words."""
        while len(self._orders) < n:
            self._orders.append(self._count(len(self._orders) + 1))
        return self._orders[n - 1]

    def texts(self, n: int, grams: np.ndarray) -> list[str]:
        """Some n-grams (K,) written out, their words joined with blanks."""
        names = list(self.words.number)
        ids = self.words.ids[self.order(n).where[grams, None] + np.arange(n)].tolist()
        return [" ".join([names[i] for i in row]) for row in ids]

    def _count(self, n: int) -> Order:
        start = np.flatnonzero(self._room >= n)
        words = len(self.words.number)
        # An n-gram is the (n-1)-gram that starts here and one word more.
        code = self._gram[start] * words + self.words.ids[start + n - 1]
        code, place = in_order(code)
        start = start[place]
        caption, new = self._caption[start], changes(code)
        gram = np.cumsum(new) - 1
        self._gram[start] = gram
        row = np.flatnonzero(new | changes(caption))
        times = np.diff(row, append=len(code))
        return Order(n, gram[row], caption[row], times, code[new], words, start[new])


def read_words(captions: Sequence[str]) -> Words:
    """Split captions (S) at white space and number their words."""
    split = [caption.split() for caption in captions]
    lengths = np.fromiter(map(len, split), np.int64, len(split))
    number: dict[str, int] = defaultdict(count().__next__)
    ids = map(number.__getitem__, chain.from_iterable(split))
    return Words(np.fromiter(ids, np.int64, lengths.sum()), dict(number), lengths)


def group(order: Order, sizes: Sequence[int]) -> Groups:
    """Gather the rows of an order by n-gram and item; sizes: how many captions each item has."""
    item = np.repeat(np.arange(len(sizes)), sizes)
    key = order.gram * len(sizes) + item[order.caption]
    first = np.flatnonzero(changes(key))
    most = np.maximum.reduceat(order.count, first) if first.size else order.count
    return Groups(order.gram[first], key[first], np.append(first, len(key)), most, len(sizes))


def in_order(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes (M,), none of them negative, in ascending order, and where each stood: (M,), (M,).

    Equal codes stay in the order in which they stood.
    """
    bits = len(code).bit_length()
    if code.size and int(code.max()).bit_length() + bits > 63:
        place = np.argsort(code, kind="stable")
        return code[place], place
    # Sorting numbers that carry their place is several times as fast as sorting places.
    both = np.sort(code << bits | np.arange(len(code)))
    return both >> bits, both & ((1 << bits) - 1)


def places(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each of wanted (K,) stands in ascending values, -1 where it does not."""
    if not len(values):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[place] == wanted, place, -1)


def changes(values: np.ndarray) -> np.ndarray:
    """Where a value differs from the one before it, and the first place: (M,) bool."""
    changed = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed
