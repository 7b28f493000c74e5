"""The check of smooth_alignment: regions are judged by the sum that they reach, not one by one.

Several ways to choose may reach the greatest sum, and each of them is right. What is wrong is held
against what likely mistakes choose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.n07_ranking.alignment_mistakes import (
    MISTAKES,
    OF_SCORES,
    TIES_MIXED,
    Choose,
    best_way,
    sum_of,
)
from cs_caption.checks.n07_ranking.shared import BANNED
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    is_tensor,
    unchanged,
)
from cs_caption.checks.values import describe, sizes
from cs_caption.checks.wire import Foreign

Random = np.random.RandomState

_NAME = "the result"
_EXPECTED = "expected an int64 tensor of T regions"
_SHORT, _LONG = 4, 8  # words of two sentences: a search of all ways takes 3 ** 4 times as long
_FEW_TIMES = 30  # T * T of the longer one is 4 times that of the shorter
_KINDS = ("int64", "float32", "float64")  # of others the numbers do not cross


@dataclass(frozen=True)
class _Task:
    """Scores (L, T), and what neighbours add that share a region."""

    scores: np.ndarray
    beta: float

    @property
    def given(self) -> tuple:
        return self.of("float64")

    def of(self, dtype: str) -> tuple:
        return floats(self.scores, dtype), self.beta

    def misses(self, regions: np.ndarray) -> bool:
        """Whether other regions reach a greater sum."""
        best = sum_of(best_way(self.scores, self.beta), self.scores, self.beta)
        scale = max(1.0, float(np.abs(self.scores).max()))
        return sum_of(regions, self.scores, self.beta) < best - TOLERANCE_32 * scale


def _by_hand(subject: Subject, rng: Random) -> None:
    """Three words and two regions: the word in the middle moves over as beta grows."""
    scores = np.array([[3.0, 1.0, 2.5], [1.0, 2.5, 1.0]])
    _judge(subject, [_Task(scores, beta) for beta in (0.0, 0.5, 1.0, 5.0)])


def _without(subject: Subject, rng: Random) -> None:
    """beta = 0: each word has its best region. Neighbours share one here and there all the same."""
    _judge(subject, [_unbound(rng, *shape) for shape in ((3, 7), (8, 5), (4, 6))])


def _one_for_all(subject: Subject, rng: Random) -> None:
    """beta larger than all scores together: one region, and that is the best for the sentence."""
    tasks = []
    for L, T in ((3, 6), (7, 4), (5, 8)):
        scores = _scores(rng, L, T)
        first, last, best = rng.permutation(L)[:3]
        scores[first, 0], scores[last, -1] = 4, 4.25
        scores[best] += max(scores.sum(1)) / T - scores[best].mean() + 0.5
        tasks.append(_Task(scores, float(rng.uniform(60, 90))))
    _judge(subject, tasks)


def _between(subject: Subject, rng: Random) -> None:
    _judge(subject, [_draw(rng) for _ in range(6)])


def _dearly(subject: Subject, rng: Random) -> None:
    """What is best so far, from either end, is left for another; and words move together."""
    tasks = [_looked_ahead(rng) for _ in range(2)]
    _judge(subject, tasks + [_Task(task.scores[:, ::-1], task.beta) for task in tasks])
    _judge(subject, [_held_together(rng) for _ in range(3)])
    _judge(subject, [_compromise(rng) for _ in range(3)])


def _small(subject: Subject, rng: Random) -> None:
    """One word, one region, one of each, and two words."""
    shapes = ((4, 1), (1, 5), (1, 1), (3, 2))
    tasks = [_Task(_scores(rng, L, T), 0.75) for L, T in shapes]
    _judge(subject, [*tasks, _Task(-5 - abs(tasks[0].scores), 0.75)])


def _below(subject: Subject, rng: Random) -> None:
    """No score is above 0; and scores of millions, of both signs, and as large a beta."""
    task, other = _draw(rng), _draw(rng)
    below = _Task(task.scores - task.scores.max() - 1000, task.beta)
    _judge(subject, [below, _Task(other.scores * 1e7, other.beta * 1e7)])


def _ties(subject: Subject, rng: Random) -> None:
    """Whole scores and a whole beta, or all scores alike: many ways reach the same."""
    tasks = []
    for beta in (0, 1, 2):
        L, T = sizes(rng, 2, 3, 7)
        tasks.append(_Task(rng.randint(-1, 2, (L, T)).astype(float), beta))
        tasks.append(_Task(np.full((T, L), 0.5), beta))
    _judge(subject, tasks)
    _judge(subject, [_easily_mixed(rng, each) for each in TIES_MIXED for _ in range(2)])


def _long(subject: Subject, rng: Random) -> None:
    """64 regions and 16 words. Who looks at all ways is found out where there are not many."""
    _require_quick(subject, rng)
    _judge(subject, [_draw(rng, 64, 16), _draw(rng, 40, 13)])


def _require_quick(subject: Subject, rng: Random) -> None:
    short, long = (_Task(_scores(rng, 3, T), 0.75) for T in (_SHORT, _LONG))
    lines = [subject.lines(task.given) for task in (short, long)]
    if lines[1] > _FEW_TIMES * max(1, lines[0]):
        raise Wrong(
            "a sentence with a few more words takes many times as long: it tries all ways to "
            "choose, L to the power of T; of all ways that end in a region, only the best so far "
            "has to be kept"
        )


def _types(subject: Subject, rng: Random) -> None:
    """The form alone: where beta is 0 nothing else can be wrong."""
    tasks = [_unbound(rng, 4, 6), _unbound(rng, 7, 5)]
    for dtype in ("float32", "float64"):
        many = [task.of(dtype) for task in tasks]
        _require(subject, tasks, _found(tasks, subject.calls(many), exact=True))


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng), _draw(rng)
    many = [task.given, (gaps(other.given[0]), other.beta), task.given]
    outcomes = subject.calls(many)
    for outcome in outcomes:
        unchanged(outcome.mutated, "scores, beta")
    tasks = [task, other, task]
    _require(subject, tasks, _found(tasks, outcomes))


# ------------------------------------------------------------------------------- what is drawn


def _scores(rng: Random, L: int, T: int) -> np.ndarray:
    return rng.standard_normal((L, T))


def _unbound(rng: Random, L: int, T: int) -> _Task:
    scores = _scores(rng, L, T)
    scores[rng.randint(L), :2] += 4
    return _Task(scores, 0.0)


def _draw(rng: Random, L: int | None = None, T: int | None = None) -> _Task:
    """Draw a task for which the best way changes its region, shares it, and gives up something."""
    while True:
        drawn = sizes(rng, 2, 3, 8)
        task = _Task(_scores(rng, L or drawn[0], T or drawn[1]), float(rng.uniform(0.3, 1.6)))
        way = best_way(task.scores, task.beta)
        if 0 < np.mean(way[1:] == way[:-1]) < 1 and (way != task.scores.argmax(0)).any():
            return task


def _looked_ahead(rng: Random) -> _Task:
    """Draw a task for which the best region of a beginning is none of the best way's."""
    L, T = (int(n) for n in rng.permutation([5, 6, 7])[:2])
    scores = rng.uniform(-0.1, 0.1, (L, T))
    first, later = rng.permutation(L)[:2]
    turn = rng.randint(2, T - 1)
    scores[first, :turn] += 1.5
    scores[later, :turn] += 1.0
    scores[later, turn:] += 3
    return _Task(scores, float(turn * 0.5 + rng.uniform(1.5, 2)))


def _held_together(rng: Random) -> _Task:
    """Draw a task whose words give up their best regions together; none would by itself."""
    L, T = (int(n) for n in rng.permutation([5, 6, 7])[:2])
    scores = rng.uniform(-0.04, 0.04, (L, T))
    one, two, shared = rng.permutation(L)[:3]
    scores[one, : T // 2] += 2
    scores[two, T // 2 :] += 2
    scores[shared] += 1.9
    return _Task(scores, float(rng.uniform(2.5, 3)))


def _compromise(rng: Random) -> _Task:
    """Draw a task whose best region is none of any word's best four; neighbours share no other."""
    L, T = int(rng.randint(10, 13)), int(rng.randint(4, 8))
    scores = rng.uniform(-0.1, 0.1, (L, T))
    shared, *others = rng.permutation(L)
    for t in range(T):
        scores[others[t % 2 :: 2], t] += 2
    scores[shared] += 1.7
    return _Task(scores, float(rng.uniform(2.5, 6)))


def _easily_mixed(rng: Random, mixed: Choose) -> _Task:
    """Draw a task with several best ways that give less where each word takes one of them."""
    while True:
        L, T = sizes(rng, 2, 2, 6)
        task = _Task(rng.randint(-4, 3, (L, T)) / 2, float(rng.choice([0.5, 1, 1.5])))
        if task.misses(mixed(task.scores, task.beta)):
            return task


# ------------------------------------------------------------------------------- what comes back


def _judge(subject: Subject, tasks: Sequence[_Task]) -> None:
    _require(subject, tasks, _ask(subject, tasks))


def _ask(subject: Subject, tasks: Sequence[_Task]) -> list[np.ndarray]:
    return _found(tasks, subject.calls([task.given for task in tasks]))


def _found(
    tasks: Sequence[_Task], outcomes: Sequence[Outcome], *, exact: bool = False
) -> list[np.ndarray]:
    pairs = zip(outcomes, tasks, strict=True)
    return [_regions(outcome.value, task.scores.shape, exact=exact) for outcome, task in pairs]


def _regions(value: Any, shape: tuple[int, int], *, exact: bool = False) -> np.ndarray:
    """Return the regions (T,); unless `exact`, they may be of another type, or a list."""
    L, T = shape
    if exact or is_tensor(value) or not _is_list(value):
        _require_tensor(value, exact)
    found = np.asarray(value)
    if found.shape != (T,):
        hint = ""
        if L != T and found.shape == (L,):
            hint = ": there is one region for each word, not a word for each region"
        raise Wrong(f"{_NAME} has shape {found.shape}, expected {(T,)} = (T,){hint}")
    if np.any(found != np.floor(found)) or found.min() < 0 or found.max() >= L:
        raise Wrong(f"{_NAME} holds something that is not the number of a region, 0 to L - 1")
    return found.astype(np.int64)


def _is_list(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(type(each) in (int, np.int64) for each in value)
    return type(value) is np.ndarray and value.dtype.kind == "i"


def _require_tensor(value: Any, exact: bool) -> None:
    foreign = type(value) is Foreign and "Tensor" in value.kind
    if not is_tensor(value) and not foreign:
        remedy = "wrap it in torch.tensor(...)" if _is_list(value) else _EXPECTED
        raise Wrong(f"{_NAME} is {describe(value)}: {remedy}")
    kind = "" if foreign else str(value.dtype).removeprefix("torch.")
    if kind not in _KINDS[: 1 if exact else None]:
        what = f"a {value.kind}" if foreign else describe(value)
        raise Wrong(f"{_NAME} is {what}: {_EXPECTED}; .long() makes whole numbers one")


def _require(subject: Subject, tasks: Sequence[_Task], found: Sequence[np.ndarray]) -> None:
    """Fail where regions reach too little; a mistake is named that chooses all, elsewhere too."""
    missed = [task.misses(regions) for task, regions in zip(tasks, found, strict=True)]
    if not any(missed):
        return
    likely = _explaining(tasks, found)
    if likely:
        likely = _also_elsewhere(subject, likely)
    kinds = list(dict.fromkeys(words.strip() for words in likely))
    words = f": {'; or '.join(kinds)}" if len(kinds) in (1, 2) else ""
    raise Wrong(f"other regions reach a greater sum, for {sum(missed)} of {len(tasks)}{words}")


def _explaining(tasks: Sequence[_Task], found: Sequence[np.ndarray]) -> list[str]:
    """The words of all mistakes that choose what was found."""

    likely = [words for words in MISTAKES if _chosen_by(words, tasks, found)]
    return likely or _of_scores(tasks, found)


def _chosen_by(words: str, tasks: Sequence[_Task], found: Sequence[np.ndarray]) -> bool:
    return all(
        np.array_equal(MISTAKES[words](task.scores, task.beta), regions)
        for task, regions in zip(tasks, found, strict=True)
    )


def _also_elsewhere(subject: Subject, likely: list[str]) -> list[str]:
    """Those of the words that say what is chosen for other scores as well."""
    tasks = _elsewhere()
    try:
        found = _ask(subject, tasks)
    except Wrong:
        return []
    of_scores = _of_scores(tasks, found)
    return [
        words
        for words in likely
        if words in of_scores or (words in MISTAKES and _chosen_by(words, tasks, found))
    ]


@cache
def _elsewhere() -> list[_Task]:
    rng = np.random.RandomState(7)
    tasks = [draw(rng) for draw in (_draw, _draw, _looked_ahead, _held_together, _draw)]
    return [*tasks, *(_Task(task.scores[:, ::-1], task.beta) for task in tasks)]


def _of_scores(tasks: Sequence[_Task], found: Sequence[np.ndarray]) -> list[str]:
    """The words of changed scores for which what was found is best."""
    named = []
    for words, changed in OF_SCORES.items():
        others = [_Task(*changed(task.scores, task.beta)) for task in tasks]
        if not any(task.misses(way) for task, way in zip(others, found, strict=True)):
            named.append(words)
    return named


SMOOTH_ALIGNMENT = Exercise(
    "smooth_alignment",
    points=4,
    referee=lambda: "the best of all ways, by dynamic programming in float64",
    banned=BANNED,
    cases=(
        Case("three words and two regions, by hand", 1, _by_hand, drawn=False),
        Case("beta = 0: each word's best region", 2, _without),
        Case("a huge beta: one region for all", 2, _one_for_all),
        Case("beta in between: the greatest sum", 4, _between),
        Case("later words decide on earlier ones", 3, _dearly),
        Case("one word (T = 1), one region (L = 1)", 1, _small),
        Case("scores below 0, and millions", 1, _below),
        Case("many ways that reach the same sum: any of them", 1, _ties),
        Case("int64 comes back, for float32 and float64 alike", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
        Case("64 regions and 16 words: not all ways one by one", 2, _long),
    ),
)
