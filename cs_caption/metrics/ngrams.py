"""Words and n-grams as integers, so that counting them is one sort for each order."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np

_LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Words:
    """All words of S captions in one row: ids (M,), names of the ids, lengths (S,)."""

    ids: np.ndarray
    names: list[str]
    lengths: np.ndarray


@dataclass(frozen=True, eq=False)
class GramCounts:
    """The n-grams of one order, counted.

    A row stands for one n-gram in one caption; rows are sorted by n-gram, then caption. A group is
    the rows of one n-gram in the captions of one item. Shapes: caption, count, group (R,);
    first (P,), the first row of each group; gram (P,), the n-gram of each group; where (G,), the
    place of one occurrence of each n-gram among all words.
    """

    order: int
    caption: np.ndarray
    count: np.ndarray
    group: np.ndarray
    first: np.ndarray
    gram: np.ndarray
    where: np.ndarray

    def items_with(self) -> np.ndarray:
        """In how many items each n-gram occurs: (G,)."""
        return np.bincount(self.gram, minlength=len(self.where))

    def texts(self, words: Words) -> list[str]:
        """Each n-gram written out, its words joined with blanks."""
        ids = words.ids[self.where[:, None] + np.arange(self.order)].tolist()
        return [" ".join([words.names[i] for i in row]) for row in ids]


def read_words(captions: Sequence[str]) -> Words:
    """Split captions (S) at white space and number their words."""
    split = [caption.split() for caption in captions]
    lengths = np.fromiter(map(len, split), np.int64, len(split))
    number: dict[str, int] = defaultdict(count().__next__)
    ids = map(number.__getitem__, chain.from_iterable(split))
    return Words(np.fromiter(ids, np.int64, lengths.sum()), list(number), lengths)


def count_grams(words: Words, item: np.ndarray, max_n: int) -> Iterator[GramCounts]:
    """Count the n-grams of orders 1..max_n in turn; item (S,), ascending, owns each caption."""
    caption = np.repeat(np.arange(len(words.lengths)), words.lengths)
    room = np.repeat(np.cumsum(words.lengths), words.lengths) - np.arange(len(words.ids))
    shorter = np.zeros_like(words.ids)
    for order in range(1, max_n + 1):
        start = np.flatnonzero(room >= order)
        # An n-gram is the (n-1)-gram that starts here and one word more.
        code = shorter[start] * len(words.names) + words.ids[start + order - 1]
        place = np.argsort(_with_caption(code, caption[start], len(words.lengths)))
        start, code = start[place], code[place]
        yield (counts := _count(order, code, caption[start], item, start))
        shorter[start] = np.repeat(counts.gram[counts.group], counts.count)


def _with_caption(code: np.ndarray, caption: np.ndarray, captions: int) -> np.ndarray:
    if code.size and int(code.max() + 1) * captions > _LARGEST:
        code = np.unique(code, return_inverse=True)[1]
    return code * captions + caption


def _count(
    order: int, code: np.ndarray, caption: np.ndarray, item: np.ndarray, start: np.ndarray
) -> GramCounts:
    """Count runs in n-grams (M,) that are sorted by code, then caption."""
    new_gram = _changes(code)
    new_group = new_gram | _changes(item[caption])
    row = np.flatnonzero(new_group | _changes(caption))
    times = np.diff(row, append=len(code))
    first_row = new_group[row]
    gram = np.cumsum(new_gram[row])[first_row] - 1
    group = np.cumsum(first_row) - 1
    first = np.flatnonzero(first_row)
    return GramCounts(order, caption[row], times, group, first, gram, start[new_gram])


def _changes(values: np.ndarray) -> np.ndarray:
    changed = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed


@dataclass(frozen=True, eq=False)
class Joined:
    """Candidates (N) and references put in one row, each candidate just before its references.

    Shapes: item (S,), the item of each caption; candidate (N,), where the candidates stand;
    is_candidate (S,).
    """

    words: Words
    item: np.ndarray
    candidate: np.ndarray
    is_candidate: np.ndarray

    def grams(self, max_n: int) -> Iterator[GramCounts]:
        """The n-grams counted, a candidate's row being the first of its group."""
        return count_grams(self.words, self.item, max_n)

    def candidate_count(self, grams: GramCounts) -> np.ndarray:
        """How often the candidate has the n-gram of each group: (P,)."""
        return np.where(self.is_candidate[grams.caption[grams.first]], grams.count[grams.first], 0)


def join(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> Joined:
    """Put candidates (N) and their references (N lists) in one row and read their words."""
    pairs = zip(candidates, references, strict=True)
    words = read_words([caption for c, r in pairs for caption in (c, *r)])
    sizes = np.array([1 + len(captions) for captions in references])
    candidate = np.cumsum(sizes) - sizes
    is_candidate = np.zeros(len(words.lengths), bool)
    is_candidate[candidate] = True
    return Joined(words, np.repeat(np.arange(len(sizes)), sizes), candidate, is_candidate)
