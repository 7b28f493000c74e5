"""The check of median_rank: the middle of the ranks, of odd and even numbers of queries."""

from collections.abc import Callable

import numpy as np

from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.n07_ranking.queries import (
    Array,
    Figure,
    Random,
    Task,
    Tasks,
    by_ranks,
    cases,
    draw_telling,
    judge,
    left_alone,
    of_pairs,
    of_pairs_among_all,
    of_the_diagonal,
    some,
)
from cs_caption.checks.n07_ranking.shared import BANNED
from cs_caption.checks.subject import Subject
from cs_caption.checks.tensors import UNTOUCHED
from cs_caption.metrics.retrieval import median_rank

# ------------------------------------------------------------------------------- what it looks like


def _middle(task: Task, ranks: Array) -> float:
    return float(np.median(ranks))


def _of_ranks(middle: Callable[[Array], float]) -> Callable[[Task], float]:
    return lambda task: float(middle(task.ranks))


def _unsorted(ranks: Array) -> float:
    half = len(ranks) // 2
    return (ranks[half] + ranks[-1 - half]) / 2


def _too_far(ranks: Array) -> float:
    """Of an even number the ones after those in the middle."""
    half, last = len(ranks) // 2, len(ranks) - 1
    at = [half] if len(ranks) % 2 else [half, min(half + 1, last)]
    return np.sort(ranks)[at].mean()


def _one_for_two(ranks: Array) -> float:
    """Of an odd number the mean of two, of an even number one."""
    half = len(ranks) // 2
    return np.sort(ranks)[max(half - len(ranks) % 2, 0) : half + 1].mean()


_MIDDLES = {
    "of an even number of queries it is the lower of the two in the middle (as torch.median has "
    "it): take their mean": _of_ranks(lambda ranks: np.sort(ranks)[(len(ranks) - 1) // 2]),
    "of an even number of queries it is the upper of the two in the middle: take their mean": (
        _of_ranks(lambda ranks: np.sort(ranks)[len(ranks) // 2])
    ),
    "it is rounded down (// for /?): of an even number of queries it may end in .5": _of_ranks(
        lambda ranks: np.floor(np.median(ranks))
    ),
    "it is rounded: of an even number of queries it may end in .5": _of_ranks(
        lambda ranks: np.round(np.median(ranks))
    ),
    "it is rounded up: of an even number of queries it may end in .5": _of_ranks(
        lambda ranks: np.ceil(np.median(ranks))
    ),
    "of an even number of queries two ranks after the middle are taken: the first has number 0": (
        _of_ranks(_too_far)
    ),
    "two ranks are averaged where one is in the middle: with an odd number it is one": _of_ranks(
        _one_for_two
    ),
    "it is the mean of the ranks: the median is in their middle": _of_ranks(np.mean),
    "the ranks are not sorted: the middle one of the list is taken": _of_ranks(_unsorted),
    "the ranks are not sorted: the first in the second half of the list is taken": _of_ranks(
        lambda ranks: ranks[len(ranks) // 2]
    ),
    "the ranks count from 0: the first item has rank 1": _of_ranks(
        lambda ranks: np.median(ranks) - 1
    ),
    "the ranks count from 2: the first item has rank 1": _of_ranks(
        lambda ranks: np.median(ranks) + 1
    ),
    "it is the best rank of all queries": _of_ranks(np.min),
    "it is the worst rank of all queries": _of_ranks(np.max),
    "it is the middle between the best and the worst rank": _of_ranks(
        lambda ranks: (ranks.min() + ranks.max()) / 2
    ),
    "it is the mean of 1 / rank": _of_ranks(lambda ranks: np.mean(1 / ranks)),
    "it is the median of 1 / rank": _of_ranks(lambda ranks: np.median(1 / ranks)),
    "equal ranks count once: each query has one": _of_ranks(
        lambda ranks: np.median(np.unique(ranks))
    ),
    "it is divided by the number of items: it is a rank, not a share": lambda task: float(
        np.median(task.ranks) / task.scores.shape[1]
    ),
    "truth has no part in it: the item with the query's number is taken for right": (
        lambda task: float(np.median(of_the_diagonal(task)))
    ),
    "every right item has a rank of its own: of each query the first counts": (
        lambda task: float(np.median(of_pairs(task)))
    ),
    "every right item has a rank of its own, and the other right ones count as wrong: of each "
    "query the first counts": lambda task: float(np.median(of_pairs_among_all(task))),
}

_FIGURE = Figure(
    name="the median",
    given=lambda task: (task.tensor, [list(right) for right in task.truth]),
    right=lambda task: median_rank(task.scores, task.truth),
    others={**by_ranks(_middle), **_MIDDLES},
    odd=True,
)


# ------------------------------------------------------------------------------- what is asked


def _by_hand(subject: Subject, rng: Random) -> None:
    """Right items at ranks 1, 4 and 2, the last because of a tie."""
    scores = np.array([[2.0, 0.5, 1.0, -1.0], [3.0, 1.0, 2.0, 0.0], [0.5, 0.5, 0.25, -2.0]])
    judge(subject, _FIGURE, [Task(scores, [[0], [3], [0]])])


def _even(rng: Random) -> Tasks:
    """The two ranks in the middle are often apart, by an even and by an odd number."""
    return [some(rng, Q, items) for Q, items in ((2, 9), (4, 11), (6, 13), (8, 12), (2, 7))]


def _odd(rng: Random) -> Tasks:
    """Ranks that are far from even on both sides of the middle, and equal ones."""
    return [some(rng, Q, items) for Q, items in ((3, 14), (5, 12), (7, 10), (9, 6), (11, 5))]


def _middles(draw: Callable[[Random], Tasks], telling: list[str]) -> Callable:
    def run(subject: Subject, rng: Random) -> None:
        judge(subject, _FIGURE, draw_telling(rng, draw, _FIGURE, telling))

    return run


# Of an odd number of queries these are right.
_ONLY_EVEN = [words for words in _MIDDLES if "even number" in words]
_ALWAYS = [words for words in _MIDDLES if words not in _ONLY_EVEN and "right item has" not in words]
_BOTH = cases(_FIGURE)
_WORTH = dict.fromkeys(_BOTH, 1) | {
    "one right item a query, no two scores equal": 2,
    "several right items: one of them is enough": 3,
    "a wrong item with the same score stands before": 3,
    "right items with the same score as one another": 2,
}

MEDIAN_RANK = Exercise(
    "median_rank",
    points=3,
    referee=lambda: "cs_caption.metrics.retrieval",
    banned=BANNED,
    cases=(
        Case("three queries with four items: by hand", 1, _by_hand, drawn=False),
        *(Case(title, _WORTH[title], run) for title, run in _BOTH.items()),
        Case("an odd number of queries: the rank in the middle", 2, _middles(_odd, _ALWAYS)),
        Case("an even number: the mean of the two in the middle", 3, _middles(_even, _ONLY_EVEN)),
        Case(UNTOUCHED, 1, left_alone(_FIGURE, "scores, truth")),
    ),
)
