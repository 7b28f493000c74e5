"""What the checks of recall_at_k and median_rank share: queries, and ranks gone wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Run
from cs_caption.checks.n05_beam_and_metrics.captions import where
from cs_caption.checks.sequences import reorder
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.tensors import TOLERANCE_32, floats, gaps, is_tensor, unchanged
from cs_caption.checks.values import close, describe, number
from cs_caption.metrics.retrieval import ranks

Random = np.random.RandomState
Array = np.ndarray


@dataclass(frozen=True)
class Task:
    """Scores (Q, I), the right items of each query, and how many items are looked at."""

    scores: Array
    truth: list[list[int]]
    k: int = 1
    dtype: str = "float64"

    @property
    def tensor(self) -> Any:
        return floats(self.scores, self.dtype)

    @property
    def has_ties(self) -> bool:
        return any(len(np.unique(row)) < len(row) for row in self.scores)

    @property
    def ranks(self) -> Array:
        return ranks(self.scores, self.truth)


Tasks = list[Task]
Draw = Callable[[Random], Tasks]
Others = Mapping[str, Callable[[Task], float]]
RankOf = Callable[[Array, list[int]], float]


@dataclass(frozen=True, eq=False)
class Figure:
    """What an exercise returns: its name in words, arguments, what is right and what is not.

    others: what likely mistakes return, by the words that name them; `odd`: most tasks have an odd
    number of queries, so that few cases hang on what is in the middle of an even one.
    """

    name: str
    given: Callable[[Task], tuple]
    right: Callable[[Task], float]
    others: Others
    odd: bool


# ------------------------------------------------------------------------- ranks gone wrong


def _wrong(row: Array, right: list[int]) -> Array:
    return np.delete(row, right)


def _first_in(order: Array, right: list[int]) -> int:
    return 1 + int(np.isin(order, right).argmax())


def _with_zeros(row: Array, right: list[int]) -> float:
    """Wrong items, and 0 in the places of the right ones."""
    others = row.copy()
    others[right] = 0
    return 1 + (others >= row[right].max()).sum()


def _best_from_zero(row: Array, right: list[int]) -> float:
    """The best of the right items' scores and of 0 in all other places."""
    kept = np.zeros_like(row)
    kept[right] = row[right]
    return 1 + (_wrong(row, right) >= kept.max()).sum()


def _lowered(row: Array, right: list[int]) -> Array:
    lowered = row.astype(np.float64)
    lowered[right] -= 1e-12
    return lowered


_FOR_US = "a wrong item with the same score as the right one stands behind it: it stands before it"
_IN_ORDER = "equal items stand in the order of their numbers: wrong ones stand before right ones"
_TURNED = (
    "equal items stand in the order of their numbers, turned round: wrong ones stand before right "
    "ones"
)
_OF_TIES = (
    "equal scores are taken in the right item's favour, or in the order of the items: wrong ones "
    "stand before right ones"
)
_TIES: Mapping[str, RankOf] = {
    _FOR_US: (lambda row, right: 1 + (_wrong(row, right) > row[right].max()).sum()),
    "of the wrong items with the same score half stand before: all of them do": (
        lambda row, right: (
            1
            + (_wrong(row, right) > row[right].max()).sum()
            + (_wrong(row, right) == row[right].max()).sum() / 2
        )
    ),
    _IN_ORDER: (lambda row, right: _first_in(np.argsort(-row, kind="stable"), right)),
    _TURNED: lambda row, right: _first_in(np.argsort(row, kind="stable")[::-1], right),
    "a small number is taken from the right items' scores: large scores stay as they are": (
        lambda row, right: _first_in(np.argsort(-_lowered(row, right), kind="stable"), right)
    ),
}
_ALIKE: Mapping[str, RankOf] = {
    "right items with the same score count as wrong: none of them stands before another": (
        lambda row, right: (row >= row[right].max()).sum()
    ),
}
_RIGHT: Mapping[str, RankOf] = {
    "all right items are waited for: the first of them is enough": (
        lambda row, right: (row >= row[right].min()).sum()
    ),
    "the wrong items before the last right one are counted: the first right one is enough": (
        lambda row, right: 1 + (_wrong(row, right) >= row[right].min()).sum()
    ),
    "right items below the best one are subtracted, and were not counted": (
        lambda row, right: (row >= row[right].max()).sum() - len(right) + 1
    ),
    "the ranks of a query's right items are averaged: the first counts": (
        lambda row, right: np.mean([(row >= row[item]).sum() for item in right])
    ),
    "the right items' scores are averaged: the best of them counts": (
        lambda row, right: 1 + (_wrong(row, right) >= row[right].mean()).sum()
    ),
    "only the first number in each list of truth counts: each of them is right": (
        lambda row, right: 1 + (_wrong(row, right) >= row[right[0]]).sum()
    ),
    "only the first number in each list of truth is taken for right": (
        lambda row, right: (row >= row[right[0]]).sum()
    ),
    "only the last number in each list of truth counts: each of them is right": (
        lambda row, right: 1 + (_wrong(row, right) >= row[right[-1]]).sum()
    ),
    "only the last number in each list of truth is taken for right": (
        lambda row, right: (row >= row[right[-1]]).sum()
    ),
}
_ORDER: Mapping[str, RankOf] = {
    "the items are sorted the wrong way round: the highest score comes first": (
        lambda row, right: 1 + (_wrong(row, right) <= row[right].min()).sum()
    ),
    "only wrong items with exactly the same score count": (
        lambda row, right: 1 + (_wrong(row, right) == row[right].max()).sum()
    ),
    "argsort says which item is at a place, not at which place an item is": (
        lambda row, right: 1 + np.argsort(-row, kind="stable")[right].min()
    ),
    "where the right items were taken out there is a 0, which may be above all scores": _with_zeros,
    "the best right score is taken with the 0 in the other places: scores may be below 0": (
        _best_from_zero
    ),
    "the scores' signs are lost: the highest is first, not the largest without its sign": (
        lambda row, right: 1 + (abs(_wrong(row, right)) >= abs(row[right]).max()).sum()
    ),
}
RANKS: Mapping[str, RankOf] = {**_ALIKE, **_RIGHT, **_TIES, **_ORDER}


def by_ranks(figure: Callable[[Task, Array], float]) -> dict[str, Callable[[Task], float]]:
    """Return what a figure of a task and its ranks becomes with each of the wrong ranks."""

    def of(rank: RankOf) -> Callable[[Task], float]:
        return lambda task: figure(task, _each(task, rank))

    return {words: of(rank) for words, rank in RANKS.items()}


def of_pairs(task: Task) -> Array:
    """A rank for each pair of a query and a right item; other right items left out."""
    return _of_all(
        task, lambda row, right: [1 + (_wrong(row, right) >= row[i]).sum() for i in right]
    )


def of_pairs_among_all(task: Task) -> Array:
    """A rank for each pair of a query and a right item; other right items count."""
    return _of_all(task, lambda row, right: [(row >= row[i]).sum() for i in right])


def of_the_diagonal(task: Task) -> Array:
    """The ranks (Q,) where item q is right for query q, whatever truth says."""
    Q, items = task.scores.shape
    return ranks(task.scores, np.arange(Q) % items)


def _of_all(task: Task, rank: Callable[[Array, list[int]], list]) -> Array:
    return np.concatenate([rank(*one) for one in zip(task.scores, task.truth, strict=True)])


def _each(task: Task, rank: RankOf) -> Array:
    return np.array([rank(*one) for one in zip(task.scores, task.truth, strict=True)], float)


# ------------------------------------------------------------------------------- what is drawn


def sized(figure: Figure, rng: Random, count: int = 5) -> list[tuple[int, int]]:
    """Draw numbers of queries and of items, never the same two in a task."""
    queries = [3, 5, 7, 9] if figure.odd else [3, 4, 5, 6, 7, 8]
    pairs = [(int(rng.choice(queries)), int(rng.randint(5, 13))) for _ in range(count)]
    return [(Q, items + (items == Q)) for Q, items in pairs]


def some(rng: Random, Q: int, items: int, most: int = 1) -> Task:
    """Draw scores of which no two are equal, with one to `most` right items a query."""
    places = rng.permutation(Q * items).reshape(Q, items) - Q * items // 2
    scores = (places + rng.uniform(0.25, 0.75)) / 16
    truth = [_items(rng, items, int(rng.randint(1, min(most, items) + 1))) for _ in range(Q)]
    return looked_at(rng, Task(scores, truth))


def tied(rng: Random, Q: int, items: int, most: int = 1) -> Task:
    """Draw scores of four levels, below 0 and above, so that most are equal to others."""
    task = some(rng, Q, items, most)
    return looked_at(rng, replace(task, scores=rng.choice([-3, -1, 1, 2], (Q, items)) / 4))


def looked_at(rng: Random, task: Task) -> Task:
    """Draw a k near one of the ranks."""
    return replace(task, k=max(1, int(rng.choice(task.ranks)) - int(rng.randint(2))))


def _items(rng: Random, items: int, count: int) -> list[int]:
    return [int(item) for item in rng.permutation(items)[:count]]


def _one_right(figure: Figure) -> Draw:
    return lambda rng: [some(rng, Q, items) for Q, items in sized(figure, rng)]


def _several_right(figure: Figure) -> Draw:
    return lambda rng: [some(rng, Q, items, 4) for Q, items in sized(figure, rng)]


def _with_ties(figure: Figure) -> Draw:
    def draw(rng: Random) -> Tasks:
        small = [
            tied(rng, Q, items, most)
            for (Q, items), most in zip(sized(figure, rng, 6), (1, 1, 1, 1, 3, 3), strict=True)
        ]
        return small + [_large(rng, figure, *how) for how in _LARGE]

    return draw


_LARGE = ((22, "float64"), (44, "float64"), (26, "float32"))


def _large(rng: Random, figure: Figure, power: int, dtype: str) -> Task:
    """Draw scores of millions and more, of two levels, so that the order of equal ones tells."""

    def draw(rng: Random) -> Tasks:
        ((Q, items),) = sized(figure, rng, 1)
        scores = rng.choice([-1, 3], (Q, items)) * 2.0**power
        return [looked_at(rng, replace(some(rng, Q, items, 2), scores=scores, dtype=dtype))]

    (task,) = draw_telling(rng, draw, figure, [_FOR_US, _IN_ORDER, _TURNED])
    return task


def _all_alike(figure: Figure) -> Draw:
    """Models that give each pair the same score: 0, below 0, above."""

    def draw(rng: Random) -> Tasks:
        tasks = [
            some(rng, Q, items, most)
            for (Q, items), most in zip(sized(figure, rng, 4), (1, 1, 2, 3), strict=True)
        ]
        levels = rng.permutation([0.0, 0.0, -0.5, 2.0])
        return [
            replace(task, scores=0 * task.scores + level, k=int(rng.randint(1, 5)))
            for task, level in zip(tasks, levels, strict=True)
        ]

    return draw


def _right_ones_alike(figure: Figure) -> Draw:
    """All right items of a query have the same score, which a wrong one may have too."""

    def draw(rng: Random) -> Tasks:
        return [_levelled(rng, some(rng, Q, items, 4)) for Q, items in sized(figure, rng)]

    return draw


def _levelled(rng: Random, task: Task) -> Task:
    scores = task.scores.copy()
    for row, right in zip(scores, task.truth, strict=True):
        row[right] = row.max() if rng.rand() < 0.3 else row[right[0]]
    return looked_at(rng, replace(task, scores=scores))


def _far_from_zero(figure: Figure) -> Draw:
    """Scores all below 0, all above, all near a large number, and thousands apart."""

    def draw(rng: Random) -> Tasks:
        tasks = [some(rng, Q, items, 3) for Q, items in sized(figure, rng, 6)]
        changes = ((1, -1), (1, -1), (1, 1), (1, -1000), (40000, -1), (40000, 0))
        return [
            replace(task, scores=by * (task.scores + offset * (1 + abs(task.scores).max())))
            for task, (by, offset) in zip(tasks, changes, strict=True)
        ]

    return draw


def in_the_notebook(rng: Random) -> Tasks:
    """Pictures with five sentences each: sentences are the queries, and then the pictures."""
    tasks = []
    for pictures in (5, 7):
        scores = some(rng, pictures, 5 * pictures).scores
        own = np.arange(5 * pictures) // 5
        scores[own, np.arange(len(own))] += rng.uniform(0, 3, len(own))
        by_sentence = Task(scores.T.copy(), [[int(one)] for one in own])
        by_picture = Task(scores, [_items_of(rng, own, one) for one in range(pictures)])
        tasks += [looked_at(rng, by_sentence), looked_at(rng, by_picture)]
    return tasks


def _items_of(rng: Random, own: Array, picture: int) -> list[int]:
    return [int(item) for item in rng.permutation(np.flatnonzero(own == picture))]


# ------------------------------------------------------------------------------- the cases


def cases(figure: Figure) -> dict[str, Run]:
    """Return what is tried for both exercises, by title."""
    drawn: dict[str, tuple[Draw, Mapping]] = {
        "one right item a query, no two scores equal": (_one_right(figure), _ORDER),
        "several right items: one of them is enough": (_several_right(figure), _RIGHT),
        "a wrong item with the same score stands before": (_with_ties(figure), _TIES),
        "all scores alike": (_all_alike(figure), {}),
        "right items with the same score as one another": (_right_ones_alike(figure), _ALIKE),
        "scores all below 0, near large numbers, thousands apart": (_far_from_zero(figure), _ORDER),
        "pictures with five sentences each, in both directions": (in_the_notebook, {}),
    }
    found = {title: _drawn(figure, *how) for title, how in drawn.items()}
    found["every item is right, one query, one item"] = _extremes(figure)
    found["queries in another order; other scores, the same order of items"] = _reordered(figure)
    found["float32 and float64 as they are, and a float comes back"] = _types(figure)
    return found


def _drawn(figure: Figure, draw: Draw, telling: Mapping) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        judge(subject, figure, draw_telling(rng, draw, figure, list(telling)))

    return run


def draw_telling(rng: Random, draw: Draw, figure: Figure, words: Sequence[str]) -> Tasks:
    """Draw tasks until no look-alike of these words has all that is right."""
    while True:
        tasks = draw(rng)
        right = _values(tasks, figure.right)
        if not any(close(_values(tasks, figure.others[each]), right) for each in words):
            return tasks


def _extremes(figure: Figure) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        tasks = [
            some(rng, *size, most)
            for *size, most in ((1, 6, 1), (1, 9, 2), (1, 8, 1), (3, 1, 1), (1, 1, 1))
        ]
        full = [some(rng, Q, items) for Q, items in ((1, 4), (3, 5))]
        full = [
            replace(t, truth=[_items(rng, t.scores.shape[1], 99) for _ in t.truth]) for t in full
        ]
        try:
            judge(subject, figure, tasks + full)
        except Wrong as wrong:
            hint = ": where every item is right, no wrong one is left"
            raise Wrong(f"{wrong}{hint if ' stopped with ' in str(wrong) else ''}") from None

    return run


def _reordered(figure: Figure) -> Run:
    """Exact powers of 2 and a shift leave the order as it is, ties too."""

    def run(subject: Subject, rng: Random) -> None:
        task = tied(rng, 7, 10, 3)
        order = reorder(rng, 7)
        turned = replace(task, scores=task.scores[order], truth=[task.truth[i] for i in order])
        stretched = replace(task, scores=8 * task.scores - 16 * np.arange(7)[:, None])
        plain, *others = _found(subject, figure, [task, turned, stretched])
        _require(subject, figure, np.array([plain]), [task])
        for when, found in zip(("queries in another order", "other scores"), others, strict=True):
            if not close(found, plain, TOLERANCE_32):
                raise Wrong(
                    f"{figure.name} is not the same with {when}: each query has its rank by the "
                    "order of its own items"
                )

    return run


def _types(figure: Figure) -> Run:
    """In float64 some scores differ by less than float32 can hold."""

    def run(subject: Subject, rng: Random) -> None:
        fine = [_nearly_tied(rng, Q, items) for Q, items in sized(figure, rng, 4)]
        single = [replace(tied(rng, *size, 3), dtype="float32") for size in sized(figure, rng, 3)]
        for tasks in (single, fine):
            outcomes = subject.calls([figure.given(task) for task in tasks])
            found = np.array([_number(figure, outcome.value, exact=True) for outcome in outcomes])
            _require_digits(figure, found, tasks)
            _require(subject, figure, found, tasks)

    return run


def _require_digits(figure: Figure, found: Array, tasks: Tasks) -> None:
    """Fail where a number would be right of scores in float32, and is not of these."""
    coarse = [replace(task, scores=task.scores.astype(np.float32)) for task in tasks]
    right, rounded = (_values(many, figure.right) for many in (tasks, coarse))
    if close(found, rounded) and not close(found, right):
        raise Wrong(
            f"{figure.name} is wrong: scores that differ by a little count as equal; is something "
            "in float32, or compared by isclose?"
        )


def _nearly_tied(rng: Random, Q: int, items: int) -> Task:
    """Few levels, each with items that are 1e-9 apart."""
    task = tied(rng, Q, items, 2)
    return looked_at(rng, replace(task, scores=task.scores + 1e-9 * some(rng, Q, items).scores))


def left_alone(figure: Figure, names: str) -> Run:
    """Return a case: the inputs stay as they were, and need not be contiguous."""

    def run(subject: Subject, rng: Random) -> None:
        task, other = (tied(rng, Q, items, 3) for Q, items in sized(figure, rng, 2))
        _, *others = figure.given(other)
        many = [figure.given(task), (gaps(other.tensor), *others), figure.given(task)]
        outcomes = subject.calls(many)
        for outcome in outcomes:
            unchanged(outcome.mutated, names)
        found = np.array([_number(figure, outcome.value) for outcome in outcomes])
        _require(subject, figure, found, [task, other, task])

    return run


# ------------------------------------------------------------------------------- what comes back


def judge(subject: Subject, figure: Figure, tasks: Tasks) -> None:
    """Fail where a number is wrong or none, in words."""
    _require(subject, figure, _found(subject, figure, tasks), tasks)


def _found(subject: Subject, figure: Figure, tasks: Tasks) -> Array:
    outcomes = subject.calls([figure.given(task) for task in tasks])
    return np.array([_number(figure, outcome.value) for outcome in outcomes])


def _number(figure: Figure, value: Any, *, exact: bool = False) -> float:
    """Return the number; unless `exact` it may be of another type, or a tensor without axes."""
    if is_tensor(value):
        if exact or value.ndim:
            raise Wrong(f"{figure.name} is {describe(value)}: expected a float, so .item() of it")
        value = value.item()
    if isinstance(value, np.integer | np.float32):
        value = float(value)
    return number(value, figure.name, ": is it a mean of nothing, or 0/0?")


def _require(subject: Subject, figure: Figure, found: Array, tasks: Tasks) -> None:
    """Fail where a number is wrong, with the words of what fits here and elsewhere."""
    right = _values(tasks, figure.right)
    if close(found, right, TOLERANCE_32):
        return
    fit = _fitting(subject, figure, found, tasks)
    raise Wrong(f"{figure.name} is wrong{': ' + fit if fit else where(found, right)}")


def _fitting(subject: Subject, figure: Figure, found: Array, tasks: Tasks) -> str:
    """The words of the first mistake that agrees here and on other numbers too, or ""."""
    likely = (words for words, of in figure.others.items() if _agree(found, tasks, of))
    first, loosely = next(likely, ""), _loosely(figure, found, tasks)
    if not first and not loosely:
        return ""
    try:
        more = _found(subject, figure, _elsewhere())
    except Wrong:
        return ""
    both = (words for words in (first, *likely) if words)
    strictly = (words for words in both if _agree(more, _elsewhere(), figure.others[words]))
    also = _loosely(figure, more, _elsewhere())
    return next(strictly, next((words for words in loosely if words in also), ""))


def _loosely(figure: Figure, found: Array, tasks: Tasks) -> list[str]:
    """The words of what agrees wherever no two scores are equal, ties first."""
    untied = [i for i, task in enumerate(tasks) if not task.has_ties]
    apart, these = found[untied], [tasks[i] for i in untied]
    fit = [words for words, of in figure.others.items() if these and _agree(apart, these, of)]
    right = close(apart, _values(these, figure.right), TOLERANCE_32)
    return [_OF_TIES] if right and _between(figure, found, tasks) else fit


def _between(figure: Figure, found: Array, tasks: Tasks) -> bool:
    """Whether each number is what some order of equal items would give."""
    ends = np.array([_values(tasks, of) for of in (figure.right, figure.others[_FOR_US])])
    return bool(((ends.min(0) - 1e-6 <= found) & (found <= ends.max(0) + 1e-6)).all())


def _agree(found: Array, tasks: Tasks, of: Callable[[Task], float]) -> bool:
    return all(close(one, of(task), TOLERANCE_32) for one, task in zip(found, tasks, strict=True))


@cache
def _elsewhere() -> Tasks:
    rng = np.random.RandomState(7)
    sizes = ((1, 5), (4, 7), (5, 9), (6, 11), (7, 6), (8, 10))
    return [draw(rng, *size, most) for size in sizes for draw in (some, tied) for most in (1, 4)]


def _values(tasks: Tasks, of: Callable[[Task], float]) -> Array:
    return np.array([of(task) for task in tasks], dtype=np.float64)
