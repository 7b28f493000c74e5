"""References that are read and counted once, and candidates beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cs_caption.metrics.frequency import DocumentFrequency
from cs_caption.metrics.ngrams import GramCounts, Groups, Order, group, read_words
from cs_caption.metrics.score import check_candidates, check_references


class References:
    """References of N pictures, prepared for scoring many candidates: see `prepare`.

    captions holds them as they were given, N lists; first (N + 1,) says where each picture's
    captions stand in the row of all S captions, and where they end. What a metric counts in them
    is counted when it is needed first, and kept.
    """

    def __init__(self, captions: list[list[str]], df: DocumentFrequency | None = None):
        self.captions, self.df = captions, df
        self.first = np.cumsum([0, *map(len, captions)])
        self._groups: dict[int, Groups] = {}
        self._weights: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.captions)

    def __repr__(self) -> str:
        return f"References({self.first[-1]} captions of {len(self)} pictures)"

    @cached_property
    def grams(self) -> GramCounts:
        return GramCounts(read_words([one for captions in self.captions for one in captions]))

    def groups(self, n: int) -> Groups:
        """The n-grams of order n, gathered by picture."""
        if n not in self._groups:
            self._groups[n] = group(self.grams.order(n), np.diff(self.first))
        return self._groups[n]

    def weights(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """CIDEr's weight of each n-gram (G,) and the length of each caption's vector (S,)."""
        if n not in self._weights:
            order = self.grams.order(n)
            if self.df is None:
                weight = np.log(len(self)) - np.log(np.bincount(self.groups(n).gram))
            else:
                weight = self.df.weights(self.grams.texts(n, np.arange(len(order.code))))
            squares = (order.count * weight[order.gram]) ** 2
            norm = np.sqrt(np.bincount(order.caption, squares, self.first[-1]))
            self._weights[n] = weight, norm
        return self._weights[n]

    def unseen_weights(self, grams: GramCounts, n: int, which: np.ndarray) -> np.ndarray:
        """CIDEr's weight of n-grams (K,) of other captions that stand in none of these: (K,)."""
        if self.df is None:
            return np.full(len(which), np.log(len(self)))
        return self.df.weights(grams.texts(n, which))


def prepare(
    references: Sequence[Sequence[str]] | References, df: DocumentFrequency | None = None
) -> References:
    """Read references (N lists), already tokenised, once, for scoring candidates many times.

    `bleu`, `rouge_l`, `meteor`, `cider` and `cider_d` take the result in place of the lists.
    CIDEr's weights come from df, else from all references given here, whichever pictures are scored
    later.

    Raises: TypeError or ValueError, naming the item, as `score.check_references`; ValueError where
    there is no item or df is given for what was prepared already; TypeError where df is no
    DocumentFrequency.
    """
    if df is not None and not isinstance(df, DocumentFrequency):
        raise TypeError(
            f"df is {df!r:.60}; expected None or a DocumentFrequency: make one with "
            "DocumentFrequency.of(references)"
        )
    if isinstance(references, References):
        if df is not None:
            raise ValueError("df comes too late: these references are prepared; give it to prepare")
        return references
    references = check_references(references)
    if not references:
        raise ValueError("references is empty: there is nothing to compare a caption with")
    return References(references, df)


@dataclass(frozen=True, eq=False)
class Found:
    """The n-grams of one order in the candidates, and where their references have them.

    Shapes: gram (G,), the references' number of each n-gram or -1; group (R,), the group of the
    references for each row of `order`, or -1 where no reference of that picture has the n-gram.
    """

    order: Order
    gram: np.ndarray
    group: np.ndarray


class Pairs:
    """Each of K candidates beside each reference of its picture, P pairs in all.

    Shapes: item (K,), the picture of each candidate; first (K + 1,), the first pair of each
    candidate and the end; candidate, reference (P,), the two captions of each pair.
    """

    def __init__(self, candidates: list[str], references: References, item: np.ndarray):
        self.captions, self.references, self.item = candidates, references, item
        sizes = np.diff(references.first)[item]
        self.first = np.append(0, np.cumsum(sizes))
        self.candidate = np.repeat(np.arange(len(item)), sizes)
        self.reference = ranges(references.first[item], sizes)

    @cached_property
    def grams(self) -> GramCounts:
        return GramCounts(read_words(self.captions))

    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Words of the candidate and of the reference of each pair: (P,), (P,)."""
        own, theirs = self.grams.words.lengths, self.references.grams.words.lengths
        return own[self.candidate], theirs[self.reference]

    def found(self, max_n: int) -> list[Found]:
        """The n-grams of orders 1..max_n, looked up in the references."""
        number = self.references.grams.words.number
        known = np.array([number.get(word, -1) for word in self.grams.words.number], int)
        gram, result = np.zeros(1, int), []
        for n in range(1, max_n + 1):
            order = self.grams.order(n)
            shorter, last = order.parts()
            gram = self.references.grams.order(n).find(gram[shorter], known[last])
            items = self.item[order.caption]
            at = self.references.groups(n).find(gram[order.gram], items)
            result.append(Found(order, gram, at))
        return result


def pair(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    items: Sequence[int] | None = None,
    df: DocumentFrequency | None = None,
) -> Pairs:
    """Put candidates (K) beside the references of their pictures; items (K,) says which.

    Without items candidate i belongs to picture i, and there are as many.

    Raises: as `score.check_candidates` and `prepare`; ValueError or TypeError where items does not
    name a picture for each candidate, or is missing and needed.
    """
    candidates = check_candidates(candidates)
    references = prepare(references, df)
    if items is not None:
        return Pairs(candidates, references, _check_items(items, len(candidates), len(references)))
    if len(candidates) != len(references):
        raise ValueError(
            f"{len(candidates)} candidates but references for {len(references)} items: "
            "candidates[i] is scored against references[i], so the two need equal lengths; where "
            "they belong together otherwise, say how with items"
        )
    return Pairs(candidates, references, np.arange(len(candidates)))


def ranges(first: np.ndarray, times: np.ndarray) -> np.ndarray:
    """first[0], first[0] + 1, ... (times[0] of them), then first[1], ...: (sum of times,)."""
    end = np.cumsum(times)
    return np.repeat(first - end + times, times) + np.arange(end[-1] if end.size else 0)


def _check_items(items: Sequence[int], candidates: int, pictures: int) -> np.ndarray:
    item = np.asarray(items)
    if item.dtype.kind not in "iu":
        raise TypeError(f"items is {items!r:.60}; expected a whole number for each candidate")
    if item.shape != (candidates,):
        raise ValueError(
            f"items has shape {item.shape}; expected ({candidates},), the picture of each candidate"
        )
    wrong = np.flatnonzero((item < 0) | (item >= pictures))
    if wrong.size:
        raise ValueError(
            f"items[{wrong[0]}] is {item[wrong[0]]}; expected 0 to {pictures - 1}: there are "
            f"references for {pictures} pictures"
        )
    return item.astype(np.int64)
