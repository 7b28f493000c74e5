"""The check of recall_at_k: shares of queries whose first right item is near the top."""

from collections.abc import Callable
from dataclasses import replace

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
    sized,
    some,
)
from cs_caption.checks.n07_ranking.shared import BANNED
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.tensors import UNTOUCHED
from cs_caption.metrics.retrieval import recall_at_k

# ------------------------------------------------------------------------------- what it looks like


def _within(task: Task, ranks: Array) -> float:
    return float(np.mean(ranks <= task.k))


def _of_ranks(share: Callable[[Task, Array], float]) -> Callable[[Task], float]:
    return lambda task: float(share(task, task.ranks))


def _found(task: Task) -> Array:
    """Of each query, how many right items are among the first k, wrong ones first where equal."""
    hits = []
    for row, right in zip(task.scores, task.truth, strict=True):
        behind = np.isin(np.arange(len(row)), right)
        first = np.lexsort((behind, -row))[: task.k]
        hits.append(np.isin(first, right).sum())
    return np.array(hits)


def _counts(task: Task) -> Array:
    return np.array([len(right) for right in task.truth])


_SHARES = {
    "it looks at one item too few: the item at rank k counts": _of_ranks(
        lambda task, ranks: np.mean(ranks < task.k)
    ),
    "it looks at one item too many: ranks count from 1": _of_ranks(
        lambda task, ranks: np.mean(ranks <= task.k + 1)
    ),
    "k has no part in it: only the first item is looked at": _of_ranks(
        lambda task, ranks: np.mean(ranks <= 1)
    ),
    "k has no part in it: 5 items are looked at": _of_ranks(
        lambda task, ranks: np.mean(ranks <= 5)
    ),
    "k has no part in it: 10 items are looked at": _of_ranks(
        lambda task, ranks: np.mean(ranks <= 10)
    ),
    "only the item at place k is looked at: those before it count as well": _of_ranks(
        lambda task, ranks: np.mean(ranks == task.k)
    ),
    "it is the share of queries that find nothing": _of_ranks(
        lambda task, ranks: np.mean(ranks > task.k)
    ),
    "it is a percentage: a share is at most 1": _of_ranks(
        lambda task, ranks: 100 * np.mean(ranks <= task.k)
    ),
    "it is the number of queries: divide by how many there are": _of_ranks(
        lambda task, ranks: np.sum(ranks <= task.k)
    ),
    "the queries are divided by the number of items: divide by the number of queries": _of_ranks(
        lambda task, ranks: np.sum(ranks <= task.k) / task.scores.shape[1]
    ),
    "the queries are divided by k: divide by the number of queries": _of_ranks(
        lambda task, ranks: np.sum(ranks <= task.k) / task.k
    ),
    "it is rounded: return it as it is": _of_ranks(
        lambda task, ranks: np.round(np.mean(ranks <= task.k), 2)
    ),
    "every right item counts for itself: a query that finds one of them counts once": (
        lambda task: float(np.mean(of_pairs(task) <= task.k))
    ),
    "every right item counts for itself, and the other right ones as wrong: a query that finds one "
    "of them counts once": lambda task: float(np.mean(of_pairs_among_all(task) <= task.k)),
    "truth has no part in it: the item with the query's number is taken for right": (
        lambda task: float(np.mean(of_the_diagonal(task) <= task.k))
    ),
    "it is the share of a query's right items that are found: one of them is enough": lambda task: (
        float(np.mean(_found(task) / _counts(task)))
    ),
    "it is the share of all right items that are found: it is one of queries": lambda task: float(
        _found(task).sum() / _counts(task).sum()
    ),
    "it is the share of the k items that are right (precision)": lambda task: float(
        np.mean(_found(task) / task.k)
    ),
    "right items that are found are counted, several in a query: a query counts once": (
        lambda task: float(np.mean(_found(task)))
    ),
    "all of a query's right items must be found: one of them is enough": lambda task: float(
        np.mean(_found(task) == _counts(task))
    ),
}

_FIGURE = Figure(
    name="the share",
    given=lambda task: (task.tensor, [list(right) for right in task.truth], task.k),
    right=lambda task: recall_at_k(task.scores, task.truth, task.k),
    others={**by_ranks(_within), **_SHARES},
    odd=False,
)


# ------------------------------------------------------------------------------- what is asked


def _by_hand(subject: Subject, rng: Random) -> None:
    """Right items at ranks 1, 3 and 2, the last because of a tie."""
    scores = np.array([[2.0, 0.5, 1.0, -1.0], [3.0, 1.0, 2.0, 0.0], [0.5, 0.5, 0.25, -2.0]])
    judge(subject, _FIGURE, [Task(scores, [[0], [1], [0]], k) for k in (1, 2, 3)])


def _many_k(rng: Random) -> Tasks:
    """The same scores with k from 1 to the number of items."""
    tasks = []
    for Q, items in sized(_FIGURE, rng, 2):
        task = some(rng, Q, items, 2)
        tasks += [replace(task, k=int(k)) for k in rng.permutation(items) + 1]
    return tasks


def _places(subject: Subject, rng: Random) -> None:
    telling = [words for words in _SHARES if words.startswith(("it looks", "k has", "only"))]
    judge(subject, _FIGURE, draw_telling(rng, _many_k, _FIGURE, telling))


def _too_many(subject: Subject, rng: Random) -> None:
    """k is the number of items, and more than that; and 1."""
    tasks = [some(rng, Q, items, 2) for Q, items in sized(_FIGURE, rng, 4)]
    more = (0, 1, 7, 100)
    tasks = [replace(t, k=t.scores.shape[1] + n) for t, n in zip(tasks, more, strict=True)]
    tasks += [replace(some(rng, 7, 9), k=1)]
    try:
        judge(subject, _FIGURE, tasks)
    except Wrong as wrong:
        hint = ": k may be more than there are items"
        raise Wrong(f"{wrong}{hint if ' stopped with ' in str(wrong) else ''}") from None


_BOTH = cases(_FIGURE)
_WORTH = dict.fromkeys(_BOTH, 1) | {
    "one right item a query, no two scores equal": 3,
    "several right items: one of them is enough": 3,
    "a wrong item with the same score stands before": 3,
    "right items with the same score as one another": 2,
}

RECALL_AT_K = Exercise(
    "recall_at_k",
    points=4,
    referee=lambda: "cs_caption.metrics.retrieval",
    banned=BANNED,
    cases=(
        Case("three queries with four items: by hand", 1, _by_hand, drawn=False),
        *(Case(title, _WORTH[title], run) for title, run in _BOTH.items()),
        Case("every k from 1 to the number of items", 2, _places),
        Case("k of 1, of as many as there are items, and of more", 2, _too_many),
        Case(UNTOUCHED, 1, left_alone(_FIGURE, "scores, truth, k")),
    ),
)
