"""The check of image_sentence_score: NumPy decides, sentence by sentence in float64.

Which of equal regions a word chooses is not asked, and gradients are taken where none are equal.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n06_attention.shared import (
    TYPES,
    called,
    hinted,
    require_gradients,
    result,
    some_seen,
)
from cs_caption.checks.n07_ranking.shared import BANNED, DIGITS_LOST
from cs_caption.checks.sequences import is_beyond, ragged, reorder
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    is_tensor,
    tensor,
    truths,
    unchanged,
)
from cs_caption.checks.values import TOLERANCE, close, differing, entries, fitting, sizes
from cs_caption.checks.wire import Foreign

Random = np.random.RandomState
Array = np.ndarray

_NAMES = "scores, real, seen"
_PADDED = -1
_FAR = 2.0**34  # eighths beside it are exact in float64; and -1e9 is not below -_FAR
_LARGE = 1e30
_NUMBERS = ("float64", "float32", "float16", "bool", "int32", "int16", "int8", "uint8")
_OTHER_AXES = (
    "; scores is (N, M, L, T), real (M, T) and seen (N, L): each needs axes of length 1 where "
    "scores has others, as seen[:, None, :, None]"
)
_NOT_LOW_ENOUGH = (
    ": here all scores are far below 0, and what stands for a region that is not seen is above "
    "them. No number is far enough below all scores; -infinity is"
)
_INDICES = (
    "; max still needs its indices on the way back, as gather does: use masked_fill, which makes a "
    "new tensor"
)
_TOO_HIGH = (
    ": here the scores of regions that are not seen are huge. No number that is taken away is "
    "large enough; put -infinity in their place"
)
_TOGETHER = (
    ": here what stands in the padding is huge. Leave it out of the sum; if it is added and taken "
    "away again, the digits of the other words are lost"
)
_NO_WORDS = (
    ": a sentence without words has nothing to add up, which is 0; is something divided by 0 "
    "words, or the largest of nothing?"
)
_INFINITE = (
    ": is a score of -infinity added up, or multiplied by 0? Of each real word a region that is "
    "seen counts (where seen is True), and its score is finite; the padding counts 0"
)
# Each word's score with its best region, as the lecture prints them: 3.97, 2.65, 9.10 and 3.50.
LECTURE = (
    (1.31, 0.31, 0.45, -0.02, 0.25, 1.62, -0.10, -0.07, 0.22),
    (0.26, 0.31, 1.51, -0.07, -0.08, 0.42, 0.30),
    (1.12, -0.28, 1.23, 1.45, 0.06, -0.13, 3.58, 1.81, 0.0, 0.05, 0.14, 0.30, -0.09, -0.14),
    (0.96, 0.57, -0.35, 0.17, 0.59, 1.56),
)


@dataclass(frozen=True)
class _Task:
    """Scores (N, M, L, T), which words are real (M, T), which regions are seen (N, L)."""

    scores: Array
    real: Array
    seen: Array

    @property
    def given(self) -> tuple:
        return self.of("float32")

    def of(self, dtype: str) -> tuple:
        return floats(self.scores, dtype), truths(self.real), truths(self.seen)

    @property
    def words(self) -> Array:
        """Which words are real, for every picture: (N, M, T)."""
        return np.broadcast_to(self.real, (len(self.scores), *self.real.shape))

    @property
    def regions(self) -> Array:
        """Which regions are seen, for every sentence and word: (N, M, L, T)."""
        return np.broadcast_to(self.seen[:, None, :, None], self.scores.shape)


@dataclass(frozen=True)
class _Found:
    """What came back, not judged yet."""

    S: Any
    best: Any


_MIXED = "the pictures' seen are mixed, as by seen.any(0): each has its own row of seen"

Judge = Callable[[Sequence[_Task], Sequence[_Found]], None]


# ------------------------------------------------------------------------------- the cases


def _of_the_lecture(subject: Subject, rng: Random) -> None:
    """Four sentences about a picture; of its three regions one is the best for each word."""
    T, rows = max(map(len, LECTURE)), np.arange(3)[:, None]
    printed = np.array([words + (0.0,) * (T - len(words)) for words in LECTURE])
    real = np.array([np.arange(T) < len(words) for words in LECTURE])
    below = np.where(rows == np.arange(T) * 5 % 3, 0.0, 0.5 + rows)
    task = _Task((printed[:, None] - below)[None], real, np.ones((1, 3), bool))
    _judge(subject, [task], (_require_S,))


def _drawn(
    *judges: Judge, padded: bool = False, masked: bool = False, change: Callable | None = None
) -> Run:
    """Return a case: two draws, perhaps with padding and regions not seen, perhaps changed."""

    def run(subject: Subject, rng: Random) -> None:
        tasks = [_draw(rng, padded=padded, masked=masked) for _ in range(2)]
        if masked:
            tasks[1] = _unseen_by_all(rng, tasks[1])
        _judge(subject, [change(rng, task) for task in tasks] if change else tasks, judges)

    return run


def _fill_padding(rng: Random, task: _Task) -> _Task:
    """Padding of large scores, above all others and below."""
    shape = task.scores.shape
    noise = rng.uniform(20, 100, shape) * rng.choice([-1, 1], shape)
    return replace(task, scores=np.where(task.words[:, :, None], task.scores, noise))


def _hide_words(rng: Random, task: _Task) -> _Task:
    """Padding, in front too, and a word hidden inside a sentence: large scores stand at all."""
    real = task.real.copy()
    real[::2] = real[::2, ::-1]
    real[real.sum(1).argmax(), real.shape[1] // 2] = False
    return _fill_padding(rng, replace(task, real=real))


def _unseen_by_all(rng: Random, task: _Task) -> _Task:
    """One of the regions is in no picture."""
    seen, L = task.seen.copy(), _L(task)
    gone = rng.randint(L)
    seen[:, gone] = False
    seen[~seen.any(1), (gone + 1) % L] = True
    return replace(task, seen=seen)


def _raise_unseen(rng: Random, task: _Task) -> _Task:
    """Regions that are not seen have the largest scores for most words, and else the smallest.

    In the last picture they are just below 0 and all others lower, so that a 0 in their place would
    win.
    """
    high = np.where(rng.rand(*task.real.shape)[:, None] < 0.7, rng.uniform(5, 30), -9.0)
    scores = np.where(task.regions, task.scores, high + rng.rand(*task.scores.shape))
    scores[-1] = np.where(task.regions[-1], task.scores[-1] - 3, -0.05 * rng.uniform(0.5, 1))
    return replace(task, scores=scores)


def _lower(rng: Random, task: _Task) -> _Task:
    """All scores are below 0, those of padding too."""
    return replace(task, scores=task.scores - 3)


def _equal(rng: Random, task: _Task) -> _Task:
    """Few different scores: most words have several best regions, and some that are not seen."""
    scores = rng.choice([-1.5, -0.5, 0.25], task.scores.shape)
    scores[..., 0] = -0.5
    return replace(task, scores=scores)


def _empty(rng: Random, task: _Task) -> _Task:
    """One of the sentences has no word."""
    real = task.real.copy()
    real[rng.randint(len(real))] = False
    return _fill_padding(rng, replace(task, real=real))


def _small(subject: Subject, rng: Random) -> None:
    """An axis of length 1 at a time, and all at once: what squeezes, or broadcasts by chance."""
    tasks = [_draw(rng, padded=axis != "T", masked=axis != "L", **{axis: 1}) for axis in "NMLT"]
    _judge(subject, [*tasks, _draw(rng, N=1, M=1, L=1, T=1)], _BOTH)


def _far(subject: Subject, rng: Random) -> None:
    """Scores far below 0; padding, and regions that are not seen, far above the others."""
    plain, padding = (_draw(rng, padded=True, masked=True) for _ in range(2))
    tasks = {
        "": plain,
        _NOT_LOW_ENOUGH: replace(plain, scores=np.round(8 * plain.scores) / 8 - _FAR),
        _TOO_HIGH: replace(plain, scores=np.where(plain.regions, plain.scores, _LARGE)),
        _TOGETHER: replace(
            padding, scores=np.where(padding.words[:, :, None], padding.scores, _LARGE)
        ),
    }
    outcomes = called(subject, [task.of("float64") for task in tasks.values()])
    for (hint, task), outcome in zip(tasks.items(), outcomes, strict=True):
        try:
            _judge_all([task], [outcome], _BOTH)
        except Wrong as wrong:
            lost = hint == _NOT_LOW_ENOUGH and _is_single(task, outcome)
            hint = DIGITS_LOST if lost else hint
            raise Wrong(f"{str(wrong).split(': ')[0]}{hint}" if hint else str(wrong)) from None


def _is_single(task: _Task, outcome: Outcome) -> bool:
    """Say whether all would be right, were the scores no more than float32 holds of them."""
    rounded = replace(task, scores=np.float32(task.scores).astype(float))
    try:
        _judge_all([rounded], [outcome], _BOTH)
    except Wrong:
        return False
    return True


def _moved(subject: Subject, rng: Random) -> None:
    """Pictures, sentences, regions and words (of sentences of equal length) change places."""
    task = _draw(rng, masked=True)
    N, M, L, T = (reorder(rng, n) for n in task.scores.shape)
    several = {
        "pictures": _Task(task.scores[N], task.real, task.seen[N]),
        "sentences": _Task(task.scores[:, M], task.real, task.seen),
        "regions": _Task(task.scores[:, :, L], task.real, task.seen[:, L]),
        "words": _Task(task.scores[..., T], task.real, task.seen),
    }
    plain, *others = called(subject, [each.given for each in (task, *several.values())])
    _judge_all([task], [plain], _BOTH)
    for (things, moved), outcome in zip(several.items(), others, strict=True):
        try:
            _judge_all([moved], [outcome], _BOTH)
        except Wrong:
            raise Wrong(
                f"right, but with the {things} in another order S or best does not follow: does "
                "it depend on a place?"
            ) from None


def _gradient(subject: Subject, rng: Random) -> None:
    """Through S a gradient goes to the score that each real word chose, and to no other."""
    task = _fill_padding(rng, _draw(rng, padded=True, masked=True))
    dout = rng.standard_normal(task.scores.shape[:2])
    try:
        with hinted():
            (outcome,) = subject.gradients([(task.of("float64"), floats(dout))], (0,), result=0)
    except Wrong as wrong:
        hint = _INDICES if "LongTensor" in str(wrong) and "inplace" in str(wrong) else ""
        raise Wrong(f"{wrong}{hint}") from None
    value, (gradient,) = outcome.value
    _judge_all([task], [replace(outcome, value=value)], (_require_S,))
    chosen = np.arange(_L(task))[:, None] == best_of(task)[:, :, None]
    truth = np.where(chosen, dout[:, :, None, None], 0.0)
    if gradient is not None:
        slope = tensor(gradient, truth.shape, "the gradient of scores", dtype=EITHER)
        if np.any(abs(slope[~chosen]) > TOLERANCE_32):
            raise Wrong(
                "through S a gradient comes to scores that no word chose: of each real word the "
                "best region alone has a part in S"
            )
    require_gradients({"scores": gradient}, {"scores": truth}, "S")


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng, padded=True, masked=True)
    for dtype, tolerance in (("float32", TOLERANCE_32), ("float64", TOLERANCE)):
        (outcome,) = called(subject, [task.of(dtype)])
        found = _found(task, outcome)
        try:
            S = _sums(task, found, dtype)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{TYPES if 'it must be' in str(wrong) else ''}") from None
        _judge_sums([task], [S], tolerance)
        _regions(task, found, exact=True)
        _require_best([task], [found])


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = (_draw(rng, padded=True, masked=True) for _ in range(2))
    outcomes = called(subject, [task.given, tuple(map(gaps, other.given)), task.given])
    for outcome in outcomes:
        unchanged(outcome.mutated, _NAMES)
    _judge_all([task, other, task], outcomes, _BOTH)


def _draw(rng: Random, *, padded: bool = False, masked: bool = False, **axes: int) -> _Task:
    """Draw sizes, no two alike but those that `axes` fixes, and scores of which no two are equal.

    Some sentences are padded if `padded`, some regions are not seen if `masked`. Then in the second
    picture all are, and all scores are below 0: who cuts at 0 is not taken for who fills with 0.
    """
    drawn = dict(zip("NMLT", sizes(rng, 4, 3, 7), strict=True)) | axes
    N, M, L, T = (drawn[axis] for axis in "NMLT")
    steps = rng.permutation(N * M * L * T) - 0.55 * N * M * L * T
    scores = (steps * 4 / len(steps)).reshape(N, M, L, T)
    real = ~is_beyond(ragged(rng, M, T), T) if padded else np.ones((M, T), bool)
    seen = some_seen(rng, N, L) if masked else np.ones((N, L), bool)
    if masked:
        seen[1:2], scores[1:2] = True, scores[1:2] - 3
    return _Task(scores, real, seen)


# ------------------------------------------------------------------------------- what is right


def sums_of(task: _Task) -> Array:
    """Return S (N, M)."""
    return _added(task, _low(task).max(2))


def best_of(task: _Task) -> Array:
    """Return the first of the best regions of each word (N, M, T), and -1 for padding."""
    return np.where(task.words, _low(task).argmax(2), _PADDED)


def _low(task: _Task) -> Array:
    """The scores, -infinity where a region is not seen."""
    return np.where(task.regions, task.scores, -np.inf)


def _added(task: _Task, values: Array) -> Array:
    """The sum over the real words of their values (N, M, T)."""
    return np.where(task.words, values, 0.0).sum(2)


# ------------------------------------------------------------------------------- what comes back


def _judge(subject: Subject, tasks: Sequence[_Task], judges: Sequence[Judge]) -> None:
    try:
        outcomes = called(subject, [task.given for task in tasks])
    except Wrong as wrong:
        hint = _OTHER_AXES if "shape of the mask" in str(wrong) else ""
        raise Wrong(f"{wrong}{hint}") from None
    _judge_all(tasks, outcomes, judges)


def _judge_all(
    tasks: Sequence[_Task], outcomes: Sequence[Outcome], judges: Sequence[Judge]
) -> None:
    founds = [_found(task, outcome) for task, outcome in zip(tasks, outcomes, strict=True)]
    for judge in judges:
        judge(tasks, founds)


def _found(task: _Task, outcome: Outcome) -> _Found:
    S, best = entries(outcome.value, "S, best")
    if _is_whole(S) and is_tensor(best) and best.is_floating_point():
        raise Wrong("best comes first and S second: return S, best")
    return _Found(S, best)


def _is_whole(value: Any) -> bool:
    return is_tensor(value) and not value.is_floating_point()


def _sums(task: _Task, found: _Found, dtype: str = EITHER) -> Array:
    """S, if it is numbers of the right shape."""
    N, M, L, T = task.scores.shape
    shape = tuple(getattr(found.S, "shape", ()))
    left = {(N, M, T): "words", (N, M, L): "regions", (N, M, L, T): "regions and words"}
    if shape in left and L != T:
        raise Wrong(
            f"S has shape {shape}, expected {(N, M)} = (N, M): the {left[shape]} are still there; "
            "the best region of each word counts, and all words together"
        )
    return result(found.S, (N, M), "S", "(N, M)", dtype=dtype, hint=_nan_hint(task, found.S))


def _nan_hint(task: _Task, S: Any) -> str:
    """What makes S NaN or infinite, where it can be told."""
    if not is_tensor(S) or tuple(S.shape) != task.scores.shape[:2]:
        return ""
    empty, bad = ~task.real.any(1), ~np.isfinite(np.asarray(S.double().numpy()))
    return _NO_WORDS if bad.any() and not bad[:, ~empty].any() else _INFINITE


def _kind(value: Any) -> str:
    """The type of a tensor's numbers, also of one that does not cross."""
    kind = value.kind if type(value) is Foreign else str(getattr(value, "dtype", ""))
    return kind.removeprefix("torch.").removeprefix("Tensor of ")


def _regions(task: _Task, found: _Found, *, exact: bool = False) -> Array:
    """Return best, if it is numbers of the right shape; unless `exact`, they may be floats."""
    N, M, L, T = task.scores.shape
    best, kind = found.best, _kind(found.best)
    if kind in _NUMBERS and (exact or not kind.startswith("float")):
        raise Wrong(f"best is {kind}: the numbers of regions are int64")
    if is_tensor(best) and tuple(best.shape) == (N, M, L) and L != T:
        raise Wrong(
            f"best has shape {(N, M, L)}, expected {(N, M, T)} = (N, M, T): it has a word for each "
            "region, and should have a region for each word"
        )
    return result(best, (N, M, T), "best", "(N, M, T)", dtype="int64 or float64 or float32")


def _require_S(tasks: Sequence[_Task], founds: Sequence[_Found]) -> None:
    _judge_sums(tasks, [_sums(t, f) for t, f in zip(tasks, founds, strict=True)], TOLERANCE_32)


def _judge_sums(tasks: Sequence[_Task], sums: Sequence[Array], tolerance: float) -> None:
    rights = [sums_of(task) for task in tasks]
    if all(close(S, right, tolerance) for S, right in zip(sums, rights, strict=True)):
        return
    if all(close(S, right, TOLERANCE_32) for S, right in zip(sums, rights, strict=True)):
        raise Wrong(f"S is right but for its last digits{DIGITS_LOST}")
    others = _joined([_lookalikes(task) for task in tasks], rights)
    named = fitting(_flat(sums), others, tolerance)
    first = next(i for i, S in enumerate(sums) if not close(S, rights[i], tolerance))
    where = differing(sums[first], rights[first], tolerance)
    raise Wrong(f"S is wrong{_said(named) if named else where}")


def _said(named: Sequence[str]) -> str:
    """The first of the mistakes that fit; a mixed `seen` may do what none at all does."""
    mixed = [_MIXED] if _MIXED in named[1:] else []
    return f": {'; or '.join([named[0], *mixed])}"


def _require_best(tasks: Sequence[_Task], founds: Sequence[_Found]) -> None:
    bests = [_regions(task, found) for task, found in zip(tasks, founds, strict=True)]
    wrong = [_is_wrong(task, best) for task, best in zip(tasks, bests, strict=True)]
    if not any(bad.any() for bad in wrong):
        return
    others = _joined([_other_bests(task) for task in tasks], [best_of(task) for task in tasks])
    named = fitting(_flat(bests), others, tolerance=0)
    bad, words = _flat(wrong), _flat(task.words for task in tasks)
    where = f" in {bad.sum()} of {bad.size} entries"
    if not (bad & words).any():
        where = f" in {bad.sum()} of {np.sum(~words)} places of padding: there it is -1"
    elif _leaves_the_picture(tasks, bests):
        where = f"{where}: some are no regions at all"
    raise Wrong(f"best is wrong{_said(named) if named else where}")


def _leaves_the_picture(tasks: Sequence[_Task], bests: Sequence[Array]) -> bool:
    """Whether some word has a number that is none of a region."""
    pairs = zip(tasks, bests, strict=True)
    return any(np.any(task.words & ((b < 0) | (b >= _L(task)))) for task, b in pairs)


def _is_wrong(task: _Task, best: Array) -> Array:
    """Where (N, M, T) a word has not one of its best regions, or padding has one."""
    low = _low(task)
    inside = (best >= 0) & (best < _L(task)) & (best == np.round(best))
    at = np.where(inside, best, 0).astype(int)[:, :, None]
    chosen = np.take_along_axis(low, at, axis=2)[:, :, 0]
    return np.where(task.words, ~inside | (chosen != low.max(2)), best != _PADDED)


def _L(task: _Task) -> int:
    return task.scores.shape[2]


def _joined(several: Sequence[dict[str, Array]], rights: Sequence[Array]) -> dict[str, Array]:
    """Return the look-alikes of several tasks as one; where a task has not all, it is right."""
    pairs = list(zip(several, rights, strict=True))
    every = dict.fromkeys(words for each in several for words in each)
    return {words: _flat(each.get(words, right) for each, right in pairs) for words in every}


def _flat(arrays: Iterable[Array]) -> Array:
    return np.concatenate([np.ravel(each) for each in arrays])


# ------------------------------------------------------------------------------- look-alikes


def _lookalikes(task: _Task) -> dict[str, Array]:
    """What likely mistakes make of S, each under the words that name it."""
    found = {
        **({} if task.real.all() else _of_padding(task)),
        **({} if task.seen.all() else _of_unseen(task)),
        **_of_other_regions(task),
        **_of_other_sums(task),
    }
    return {words: np.nan_to_num(other, neginf=np.inf) for words, other in found.items()}


def _of_padding(task: _Task) -> dict[str, Array]:
    """S where other words count than the real ones."""
    top, first = _low(task).max(2), np.broadcast_to(task.real[:1], task.real.shape)
    return {
        "the padding counts as well: only where real is True there is a word": top.sum(2),
        "real is upside down: where it is True there is a word": _added(
            replace(task, real=~task.real), top
        ),
        "every sentence has the length of the first: each has its own row of real": _added(
            replace(task, real=first), top
        ),
    } | {words: _added(replace(task, real=real), top) for words, real in _of_lengths(task).items()}


def _of_lengths(task: _Task) -> dict[str, Array]:
    """What `real` is taken for (M, T) by those who believe that words come first."""
    return {
        "real is taken for a length: words may be hidden inside a sentence": (
            np.arange(task.real.shape[1]) < task.real.sum(1, keepdims=True)
        ),
        "a sentence ends where real is False for the first time: words may be hidden inside it": (
            np.logical_and.accumulate(task.real, axis=1)
        ),
    }


def _of_unseen(task: _Task) -> dict[str, Array]:
    """S where other regions may be chosen than those that are seen."""
    scores, regions = task.scores, task.regions
    first = np.broadcast_to(regions[:1], regions.shape)
    there = np.take_along_axis(regions, scores.argmax(2)[:, :, None], axis=2)[:, :, 0]
    tops = {
        "seen has no part in it: no word may choose a region that is not seen": scores.max(2),
        "seen is upside down: where it is True there is a region": (
            np.where(regions, -np.inf, scores).max(2)
        ),
        "every picture has the regions of the first: each has its own row of seen": (
            np.where(first, scores, -np.inf).max(2)
        ),
        _MIXED: np.where(task.seen.any(0)[:, None], scores, -np.inf).max(2),
        "a region that is not seen counts as 0, and 0 is above scores below 0": (
            (scores * regions).max(2)
        ),
        "a region that is not seen counts as -1, and -1 is above scores below it": (
            np.where(regions, scores, -1).max(2)
        ),
        "seen comes after the choice: a word that chose what is not seen has lost its region": (
            np.where(there, scores.max(2), 0.0)
        ),
    }
    return {words: _added(task, top) for words, top in tops.items()}


def _of_other_regions(task: _Task) -> dict[str, Array]:
    """S where something else is taken of the regions that are seen than the best."""
    scores, regions = task.scores, task.regions
    large = np.where(regions, abs(scores), -np.inf).argmax(2)[:, :, None]
    whole, several = np.where(regions, scores, 0.0).sum(2), regions.sum(2)
    soft, blended = _soft(task)
    tops = {
        "words whose best region scores below 0 count 0: they count as they are": (
            np.maximum(_low(task).max(2), 0)
        ),
        "the lowest region of each word counts, not the best": (
            np.where(regions, scores, np.inf).min(2)
        ),
        "each word has the region of the largest score in size, be it below 0": (
            np.take_along_axis(scores, large, axis=2)[:, :, 0]
        ),
        "the scores of all regions are added up: of each word the best counts": whole,
        "the regions are averaged: of each word the best counts": whole / several,
        "all regions have a part in it, as in logsumexp: of each word the best counts": soft,
        "all regions have a part in it, by a softmax: of each word the best counts": blended,
    }
    return {words: _added(task, top) for words, top in tops.items()}


def _soft(task: _Task) -> tuple[Array, Array]:
    """The soft maximum of each word (N, M, T), and the mean by a softmax."""
    low = _low(task)
    top = low.max(2)
    powers = np.exp(low - top[:, :, None])
    total = powers.sum(2)
    return top + np.log(total), (powers * np.where(task.regions, task.scores, 0)).sum(2) / total


def _of_other_sums(task: _Task) -> dict[str, Array]:
    """S where something else is added up, or the sum is divided."""
    low, S, top = _low(task), sums_of(task), _low(task).max(2)
    N, M, L, T = low.shape
    words, several = task.words[:, :, None], np.maximum(task.real.sum(1), 1)
    of_regions = np.where(words, low, -np.inf).max(3)  # the best word of each
    last = np.arange(T) == T - 1 - task.real[:, ::-1].argmax(1)[:, None]
    return {
        "it is the mean of the words: it is their sum": S / several,
        "it is divided by T: it is the sum of the words": S / T,
        "it is divided by the root of the number of words: it is their sum": S / several**0.5,
        "it is divided by L: it is the sum of the words": S / L,
        "the first word is left out": S - _added(task, np.where(np.arange(T) == 0, top, 0)),
        "the last word is left out": S - _added(task, np.where(last, top, 0)),
        "the last place is left out": S - _added(task, np.where(np.arange(T) == T - 1, top, 0)),
        "one region is chosen for the whole sentence: each word has its own best": (
            np.where(words, low, 0.0).sum(3).max(2)
        ),
        "the best word of each region is taken, and regions are added up: it is the best region "
        "of each word, and the sum over the words": (
            np.where(task.seen[:, None], of_regions, 0.0).sum(2)
        ),
        "only the best word counts: all of them do": of_regions.max(2),
        "its sign is wrong": -S,
        "pictures and sentences are mixed: reshape and view do not swap axes": S.T.reshape(N, M),
    }


def _other_bests(task: _Task) -> dict[str, Array]:
    """What likely mistakes make of best, each under the words that name it."""
    low, top = _low(task), _low(task).argmax(2)
    sentence = np.where(task.words[:, :, None], low, 0.0).sum(3).argmax(2)[:, :, None]
    high = np.where(task.regions, task.scores, np.inf)
    unpadded = {} if task.seen.all() else _of_unseen_chosen(task, top)
    unpadded |= {
        "it is the region with the lowest score": high.argmin(2),
        "it is one region for the whole sentence: each word has its own": sentence + 0 * top,
        "regions are counted from 1: they are counted from 0": top + 1,
    }
    others = {words: np.where(task.words, best, _PADDED) for words, best in unpadded.items()}
    others |= {words: np.where(real, top, _PADDED) for words, real in _of_lengths(task).items()}
    return others | {
        "at padding it has a region: there it is -1": top,
        "at padding it is 0, which is a region: there it is -1": np.where(task.words, top, 0),
        "at padding it is L: there it is -1": np.where(task.words, top, _L(task)),
        "padding and words are turned: at padding it is -1": np.where(task.words, _PADDED, top),
    }


def _of_unseen_chosen(task: _Task, top: Array) -> dict[str, Array]:
    """The regions that words choose where they may choose others than those that are seen."""
    pictures = np.arange(len(task.seen))[:, None, None]
    return {
        "words choose regions that are not seen": task.scores.argmax(2),
        _MIXED: np.where(task.seen.any(0)[:, None], task.scores, -np.inf).argmax(2),
        "seen is upside down: where it is True there is a region": (
            np.where(task.regions, -np.inf, task.scores).argmax(2)
        ),
        "a region that is not seen counts as 0, and 0 is above scores below 0": (
            (task.scores * task.regions).argmax(2)
        ),
        "its numbers count the regions that are seen: they count all of them": (
            task.seen.cumsum(1)[pictures, top] - 1
        ),
    }


_BOTH: Sequence[Judge] = (_require_S, _require_best)

IMAGE_SENTENCE_SCORE = Exercise(
    "image_sentence_score",
    points=4,
    referee=lambda: "the definition, word by word, in float64",
    banned=BANNED,
    cases=(
        Case("four sentences of the lecture: the sums that it prints", 1, _of_the_lecture, False),
        Case("S: the sum over the words of the best region's score", 3, _drawn(_require_S)),
        Case("best: the region of each word", 2, _drawn(_require_best)),
        Case(
            "S: padding and hidden words count nothing, whatever stands there",
            2,
            _drawn(_require_S, padded=True, change=_hide_words),
        ),
        Case(
            "best: -1 for padding and hidden words, whatever stands there",
            1,
            _drawn(_require_best, padded=True, change=_hide_words),
        ),
        Case(
            "S: no word chooses a region that is not seen",
            2,
            _drawn(_require_S, masked=True, change=_raise_unseen),
        ),
        Case(
            "best: a region that is seen",
            1,
            _drawn(_require_best, masked=True, change=_raise_unseen),
        ),
        Case(
            "scores below 0 are added up as they are",
            1,
            _drawn(_require_S, padded=True, change=_lower),
        ),
        Case(
            "equal scores: any of the best regions",
            1,
            _drawn(*_BOTH, padded=True, masked=True, change=_equal),
        ),
        Case(
            "a sentence without words: 0, and -1 everywhere",
            1,
            _drawn(*_BOTH, padded=True, masked=True, change=_empty),
        ),
        Case("pictures, sentences, regions and words in another order", 1, _moved),
        Case("one picture, one sentence, one region, one word", 1, _small),
        Case("scores far from 0", 1, _far),
        Case("autograd through S: to the chosen scores alone", 4, _gradient),
        Case("float32 stays float32, float64 float64, and best is int64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
