"""How well queries find what is right for them: recall at k and the median rank."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, Literal

import numpy as np

Truth = Sequence[int] | Sequence[Collection[int]]
Ties = Literal["against", "even"]

_ENTRIES = 1 << 22  # how many scores are compared at a time


@dataclass(frozen=True, eq=False, repr=False)
class RetrievalScore:
    """Recall among the first 1, 5 and 10 items, the median rank, and the rank of each query (Q,).

    Recalls are shares of the queries, from 0 to 1. Ranks count from 1.
    """

    r1: float
    r5: float
    r10: float
    median: float
    ranks: np.ndarray

    def __repr__(self) -> str:
        return (
            f"RetrievalScore(R@1={self.r1:.4f}, R@5={self.r5:.4f}, R@10={self.r10:.4f}, "
            f"median={self.median:g}, {len(self.ranks)} queries)"
        )


def retrieval_score(
    scores: np.ndarray | Any, truth: Truth, *, ties: Ties = "against"
) -> RetrievalScore:
    """Recall at 1, 5 and 10, median rank and all ranks, of scores that are read once.

    Shapes, Raises: as `ranks`.
    """
    found = _stand(scores, truth, ties)
    recalls = (_recall(found, k, ties) for k in (1, 5, 10))
    ranked = _ranks(found, ties)
    return RetrievalScore(*recalls, float(np.median(ranked)), ranked)


def recall_at_k(scores: np.ndarray | Any, truth: Truth, k: int, *, ties: Ties = "against") -> float:
    """The share of queries that find something right among the first k items.

    With ties="even" equal items come in any order alike, and it is what is found on average.

    Shapes: as `ranks`; k may be more than there are items.
    Raises: as `ranks`; TypeError or ValueError where k is no whole number from 1.
    """
    _check_k(k)
    return _recall(_stand(scores, truth, ties), k, ties)


def median_rank(scores: np.ndarray | Any, truth: Truth, *, ties: Ties = "against") -> float:
    """The median over the queries of `ranks`; of an even number the mean of the two middle ones.

    Shapes, Raises: as `ranks`.
    """
    return float(np.median(ranks(scores, truth, ties=ties)))


def ranks(scores: np.ndarray | Any, truth: Truth, *, ties: Ties = "against") -> np.ndarray:
    """The rank of each query's first right item: 1 plus how many wrong items stand before it.

    Ties count against whoever made the scores: a wrong item with the same score as the best right
    one stands before it, so that scores that are all alike find nothing. ties="even" has the mean
    over all orders of equal items, which shows what ties cost.

    Shapes: scores (Q, I), an array or a tensor, of Q queries with I items, the higher the further
    ahead; truth Q numbers of items, or Q collections of them, all right for that query; the result
    (Q,) int64, or float64 with ties="even".

    Raises: ValueError where a score is NaN, a query has no right item or one that does not exist,
    lengths differ, or ties is neither; TypeError where something is of another kind.
    """
    return _ranks(_stand(scores, truth, ties), ties)


@dataclass(frozen=True, eq=False)
class _Standing:
    """What stands with each query's best right items, and before them; all (Q,) int64.

    before: wrong items with a higher score; wrong, right: items with the same score.
    """

    before: np.ndarray
    wrong: np.ndarray
    right: np.ndarray


def _ranks(found: _Standing, ties: Ties) -> np.ndarray:
    if ties == "against":
        return 1 + found.before + found.wrong
    # Each wrong one is ahead of all `right` others in 1 of right + 1 orders.
    return 1 + found.before + found.wrong / (found.right + 1)


def _recall(found: _Standing, k: int, ties: Ties) -> float:
    if ties == "against":
        return float(np.mean(_ranks(found, ties) <= k))
    return float(np.mean(1 - _missed(found, k)))


def _missed(found: _Standing, k: int) -> np.ndarray:
    """The chance (Q,) that wrong items fill the first k places, equal ones shuffled.

    Of `places` drawn from the equal items all are wrong: C(wrong, places) / C(wrong + right,
    places), written as a product of `right` factors.
    """
    places = np.maximum(k - found.before, 0)
    chance = np.ones(len(places))
    for j in range(1, int(found.right.max()) + 1):
        factor = np.maximum(found.wrong - places + j, 0) / (found.wrong + j)
        chance *= np.where(j <= found.right, factor, 1)
    return np.where(places > found.wrong, 0.0, chance)


def _stand(scores: Any, truth: Truth, ties: Ties) -> _Standing:
    if ties not in ("against", "even"):
        raise ValueError(f'ties is {ties!r:.60}; expected "against" or "even"')
    scores = _read(scores)
    query, item = _read_truth(truth, *scores.shape)
    first = np.searchsorted(query, np.arange(len(scores)))
    before, level, best = (np.empty(len(scores), d) for d in (np.int64, np.int64, scores.dtype))
    for rows in _blocks(*scores.shape):
        here = scores[rows]
        _check_numbers(here, rows.start)
        mine = slice(first[rows.start], np.searchsorted(query, rows.stop))
        own = here[query[mine] - rows.start, item[mine]]
        best[rows] = np.maximum.reduceat(own, first[rows] - mine.start)
        before[rows] = np.count_nonzero(here > best[rows, None], axis=1)
        level[rows] = np.count_nonzero(here == best[rows, None], axis=1)
    right = np.bincount(query, scores[query, item] == best[query]).astype(np.int64)
    return _Standing(before, level - right, right)


def _blocks(queries: int, items: int) -> Iterator[slice]:
    step = max(1, _ENTRIES // items)
    for start in range(0, queries, step):
        yield slice(start, min(start + step, queries))


def _read(scores: Any) -> np.ndarray:
    if hasattr(scores, "detach"):
        scores = scores.detach().cpu()
    scores = np.asarray(scores)
    if scores.dtype.kind not in "fiu":
        raise TypeError(
            f"scores are of type {scores.dtype}; expected numbers, float32 for instance"
        )
    if scores.ndim != 2 or not scores.size:
        raise ValueError(
            f"scores have shape {scores.shape}; expected (Q, I), a row a query and a column an "
            "item, one or more of each"
        )
    return scores


def _check_numbers(scores: np.ndarray, start: int) -> None:
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        query, item = np.argwhere(np.isnan(scores))[0]
        raise ValueError(
            f"scores[{start + query}, {item}] is NaN; expected numbers: nothing is greater than "
            "NaN, so that it would stand in the first place"
        )


def _read_truth(truth: Truth, queries: int, items: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a query and an item that is right for it, in order and each once."""
    if hasattr(truth, "detach"):
        truth = truth.detach().cpu().numpy()
    if not isinstance(truth, Sequence | np.ndarray):
        raise TypeError(f"truth is {truth!r:.60}; expected a list with an entry for each query")
    if len(truth) != queries:
        raise ValueError(
            f"truth has {len(truth)} entries and scores have {queries} rows; expected one for each "
            "query: are the scores transposed?"
        )
    right = [_items(query, one, items) for query, one in enumerate(truth)]
    sizes = [len(one) for one in right]
    return np.repeat(np.arange(queries), sizes), np.concatenate(right).astype(np.int64)


def _items(query: int, one: Any, items: int) -> list[int]:
    """The numbers of the items that are right for a query, in order and each once."""
    single = not isinstance(one, Collection) or getattr(one, "ndim", 1) == 0
    try:
        found = sorted({_whole(item) for item in ([one] if single else one)})
    except TypeError:
        raise TypeError(
            f"truth[{query}] is {one!r:.60}; expected the number of an item, or several numbers"
        ) from None
    if not found:
        raise ValueError(
            f"truth[{query}] is empty: no item is right for this query; leave it out of both"
        )
    if found[0] < 0 or found[-1] >= items:
        wrong = found[0] if found[0] < 0 else found[-1]
        raise ValueError(f"truth[{query}] has item {wrong}; expected 0 to {items - 1}")
    return found


def _whole(item: Any) -> int:
    if isinstance(item, bool):
        raise TypeError
    return index(item)


def _check_k(k: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise TypeError(f"k is {k!r:.60}; expected a whole number, 10 for instance")
    if k < 1:
        raise ValueError(f"k is {k}; expected 1 or more: the first item is at rank 1")
