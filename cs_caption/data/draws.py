"""Whole numbers drawn from NumPy's frozen stream, the same on every machine."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
BLOCK = 64  # words fetched at a time


class Draw:
    """A stream of whole numbers that a key of integers decides.

    Keys have one length: (1,) and (1, 0) would give the same stream. `RandomState`'s raw 32-bit
    words are scaled by integer multiplication, so that the numbers do not depend on a platform's
    integer width or on how NumPy bounds them. Seeding anew the `state` that is passed is ten
    times faster than making one; it must not be shared by threads.
    """

    def __init__(self, *key: int, state: np.random.RandomState | None = None):
        self._state = np.random.RandomState(0) if state is None else state
        self._state.seed(list(key))
        self._words: list[int] = []

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        if not self._words:
            block = self._state.randint(0, 1 << 32, size=BLOCK, dtype=np.uint32)
            self._words = block.tolist()
        return self._words.pop() * bound >> 32

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in `percent` of a hundred draws."""
        return self.below(100) < percent

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely."""
        return items[self.below(len(items))]

    def early(self, items: Sequence[Item]) -> Item:
        """One of the items, the k-th with weight 1/k (Zipf's law, as words in a language)."""
        weights = [5040 // rank for rank in range(1, len(items) + 1)]
        left = self.below(sum(weights))
        rank = 0
        while left >= weights[rank]:
            left -= weights[rank]
            rank += 1
        return items[rank]

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        """`count` different items in random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]
