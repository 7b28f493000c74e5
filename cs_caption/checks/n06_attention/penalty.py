"""The check of doubly_stochastic_penalty: sums over words and regions, a mean over captions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n06_attention.shared import BANNED
from cs_caption.checks.sequences import is_beyond, ragged, reorder
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    is_tensor,
    referee,
    scalar,
    tensor,
    truths,
    unchanged,
)
from cs_caption.checks.values import TOLERANCE, close, differing, factors, fitting, sizes

Random = np.random.RandomState

_PENALTY = "the penalty"
_INFINITE = (
    ": 0 times infinity is NaN; take the padding out with masked_fill or torch.where, not by a "
    "product"
)
_OTHER_TYPE = "; is every tensor that you make of the type of alpha?"
_BY_HAND = [[0.5, 0.5, 0.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0, 0.0], [0.5, 0.0, 0.0, 0.25, 0.25]]


@dataclass(frozen=True)
class _Task:
    """The weights (N, T, L) of N captions, and which of their places are words (N, T)."""

    alpha: np.ndarray
    real: np.ndarray

    @property
    def given(self) -> tuple:
        return floats(self.alpha), truths(self.real)


def _by_hand(subject: Subject, rng: Random) -> None:
    """Three words over five regions, of which one is looked at more than once."""
    task = _Task(np.array([_BY_HAND]), np.ones((1, 3), bool))
    _require(task, subject.call(task.given))


def _value(rows: int | None = None, steps: int | None = None, *, padded: bool = False) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, rows, steps, padded=padded)
        _require(task, subject.call(task.given))

    return run


def _small(subject: Subject, rng: Random) -> None:
    """One word, one region, and one of each."""
    shapes = ((4, 1, 3), (3, 4, 1), (1, 1, 1))
    _require_all(subject, [_draw(rng, *shape) for shape in shapes])


def _once_each(subject: Subject, rng: Random) -> None:
    """Each word looks at a region of its own: nothing to pay. Then some look at one: there is."""
    N, L = sizes(rng, 2, 3, 7)
    orders = np.stack([rng.permutation(L) for _ in range(N)])
    looks = (orders[:, :, None] == np.arange(L)).astype(float)
    free, real = _padded(rng, looks, L + 2), np.broadcast_to(np.arange(L + 2) < L, (N, L + 2))
    twice = free.copy()
    twice[:, 0] = (free[:, 0] + free[:, 1]) / 2
    twice[:, 2] = free[:, 1]
    _require_all(subject, [_Task(alpha, real) for alpha in (free, twice)])


def _gradient(subject: Subject, rng: Random) -> None:
    task = _draw(rng, padded=True)
    one = floats(np.array(1.0))
    (outcome,) = subject.gradients([(task.given, one)], (0,))
    value, (gradient,) = outcome.value
    _judge(task, _penalty(value))
    if gradient is None:
        raise Wrong(
            "no gradient comes back through the penalty: is something in NumPy, detached, under "
            "torch.no_grad(), or a new tensor made of numbers?"
        )
    name = "the gradient of alpha"
    _require_gradient(task, tensor(gradient, task.alpha.shape, name, dtype=EITHER))


def _infinite(subject: Subject, rng: Random) -> None:
    """Infinity and NaN in the padding, and numbers so large that the rest would drown in them."""
    task = _draw(rng, padded=True)
    for worse in (1e30, -np.inf, np.nan):
        alpha = np.where(task.real[..., None], task.alpha, worse)
        penalty = _penalty(subject.call(replace(task, alpha=alpha).given).value, _INFINITE)
        if not close(penalty, _of(task), TOLERANCE_32):
            named = fitting(np.asarray(penalty), _repaired_late(task), TOLERANCE_32)
            if named:
                raise Wrong(f"the penalty is wrong: {named[0]}")
        _judge(task, penalty)


def _nan_stays(subject: Subject, rng: Random) -> None:
    """One weight of a real word is NaN: that is no padding."""
    task = _draw(rng, padded=True)
    alpha = task.alpha.copy()
    alpha[rng.randint(len(alpha)), 0, rng.randint(alpha.shape[2])] = np.nan
    plain, spoilt = subject.calls([task.given, replace(task, alpha=alpha).given])
    _require(task, plain)
    if not is_tensor(spoilt.value) or not bool(spoilt.value.isnan().all()):
        raise Wrong(
            "a weight of a real word is NaN, and the penalty is a number: only the padding is left "
            "out (nan_to_num and nansum hide what went wrong elsewhere)"
        )


def _reordered(subject: Subject, rng: Random) -> None:
    """Captions and regions change places; of captions without padding the words as well."""
    task, unpadded = _draw(rng, padded=True), _draw(rng)
    sizes_here = *task.alpha.shape[::2], unpadded.alpha.shape[1]
    rows, regions, steps = (reorder(rng, n) for n in sizes_here)
    many = {
        "with the captions of the batch in another order": _Task(task.alpha[rows], task.real[rows]),
        "with the regions in another order": replace(task, alpha=task.alpha[..., regions]),
        "with the words in another order": replace(unpadded, alpha=unpadded.alpha[:, steps]),
    }
    plain, plain_unpadded, *others = subject.calls(
        [each.given for each in (task, unpadded, *many.values())]
    )
    _require(task, plain)
    _require(unpadded, plain_unpadded)
    for (words, other), outcome in zip(many.items(), others, strict=True):
        if not close(_penalty(outcome.value), _of(other), TOLERANCE_32):
            raise Wrong(f"the penalty is right, but {words} it is not the same")


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng, padded=True)
    for dtype, tolerance in (("float32", TOLERANCE_32), ("float64", TOLERANCE)):
        given = floats(task.alpha, dtype), truths(task.real)
        try:
            found = scalar(subject.call(given).value, _PENALTY, dtype=dtype)
        except Wrong as wrong:
            told = "float" in str(wrong) or "dtype" in str(wrong)
            raise Wrong(f"{wrong}{_OTHER_TYPE if told else ''}") from None
        _judge(task, found, tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng, padded=True), _draw(rng, padded=True)
    many = [task.given, tuple(map(gaps, other.given)), task.given]
    for each, outcome in zip((task, other, task), subject.calls(many), strict=True):
        unchanged(outcome.mutated, "alpha, real")
        _require(each, outcome)


def _draw(
    rng: Random,
    rows: int | None = None,
    steps: int | None = None,
    regions: int | None = None,
    *,
    padded: bool = False,
) -> _Task:
    """Draw weights that add up to 1 for each word; in the padding, numbers of any size and sign."""
    N, T, L = sizes(rng, 3, 3, 8)
    N, T, L = rows or N, steps or T, regions or L
    scores = np.exp(1.5 * rng.standard_normal((N, T, L)))
    alpha = scores / scores.sum(-1, keepdims=True)
    if not padded:
        return _Task(alpha, np.ones((N, T), bool))
    real = ~is_beyond(ragged(rng, N, T), T)
    return _Task(np.where(real[..., None], alpha, 3 * rng.standard_normal((N, T, L))), real)


def _padded(rng: Random, alpha: np.ndarray, steps: int) -> np.ndarray:
    N, T, L = alpha.shape
    return np.concatenate([alpha, rng.standard_normal((N, steps - T, L))], axis=1)


# ------------------------------------------------------------------------------- what comes back


def _require(task: _Task, outcome: Outcome) -> None:
    _judge(task, _penalty(outcome.value))


def _penalty(value: Any, hint: str = "") -> float:
    """Return the number. What type it has is a case of its own."""
    return scalar(value, _PENALTY, dtype=EITHER, hint=hint)


def _require_all(subject: Subject, tasks: Sequence[_Task]) -> None:
    """Judge several calls: a look-alike is named that agrees with each of them."""
    outcomes = subject.calls([task.given for task in tasks])
    _judge_all(tasks, [_penalty(outcome.value) for outcome in outcomes])


def _judge(task: _Task, penalty: float, tolerance: float = TOLERANCE_32) -> None:
    _judge_all([task], [penalty], tolerance)


def _judge_all(
    tasks: Sequence[_Task], penalties: Sequence[float], tolerance: float = TOLERANCE_32
) -> None:
    if all(close(p, _of(task), tolerance) for p, task in zip(penalties, tasks, strict=True)):
        return
    several = [_lookalikes(task) for task in tasks]
    others = {words: np.array([each[words] for each in several]) for words in several[0]}
    raise Wrong(f"the penalty is wrong{_said(fitting(np.array(penalties), others, tolerance))}")


def _said(named: Sequence[str]) -> str:
    """The look-alikes that fit, as words to add: of one kind, or of two, and of more none."""
    kinds: dict[str, str] = {}
    for words in named:
        kinds.setdefault(words.split(" (and ")[0], words)
    return f": {'; or '.join(kinds.values())}" if len(kinds) in (1, 2) else ""


def _looked(task: _Task) -> np.ndarray:
    """How much the words of a caption look at each region (N, L)."""
    return np.where(task.real[..., None], task.alpha, 0.0).sum(1)


def _of(task: _Task) -> float:
    return float(np.square(1 - _looked(task)).sum(1).mean())


def _repaired_late(task: _Task) -> dict[str, float]:
    """The penalty where NaN, from all of the padding, is made a number in what it has spoilt."""
    whole, looked = task.real.all(1), _looked(task)
    paid = np.square(1 - looked).sum(1)
    late = "NaN is replaced too late, when it has spoilt a sum: take the padding out before the sum"
    return {
        late: np.square(1 - np.where(whole[:, None], looked, 0.0)).sum(1).mean(),
        f"{late} (here in the penalties of captions)": np.where(whole, paid, 0.0).mean(),
        f"{late} (here at the very end)": 0.0,
        f"{late} (here captions with padding are left out)": paid[whole].sum()
        / max(whole.sum(), 1),
    }


def _lookalikes(task: _Task) -> dict[str, float]:
    """What likely mistakes make of the penalty, each under the words that name it."""
    looked, missing = _looked(task), 1 - _looked(task)
    return {
        **_of_other_words(task),
        **_of_other_sums(task),
        "the square is missing": missing.sum(1).mean(),
        "it is a sum of sizes, not of squares": np.abs(missing).sum(1).mean(),
        "a root is taken: the penalty is the sum of the squares itself": (
            np.sqrt(np.square(missing).sum(1)).mean()
        ),
        "what is squared is how much is looked at, where its distance from 1 is asked for": (
            np.square(looked).sum(1).mean()
        ),
        "only regions that are looked at too little are charged for: those looked at too much "
        "cost as well": np.square(np.maximum(missing, 0)).sum(1).mean(),
        "only regions that are looked at too much are charged for: those looked at too little cost "
        "as well": np.square(np.minimum(missing, 0)).sum(1).mean(),
        "only regions that are looked at are charged for: the others cost 1 each": (
            np.where(looked > 0, np.square(missing), 0.0).sum(1).mean()
        ),
        **_of_other_squares(task),
        "its sign is wrong": -_of(task),
        "it is half of it": _of(task) / 2,
    }


def _of_other_squares(task: _Task) -> dict[str, float]:
    """The penalty where something else is squared."""
    of_weights = _looked(replace(task, alpha=np.square(task.alpha)))
    early = "the weights are squared before they are added up: what is missing to 1 is squared"
    return {
        early: (1 - of_weights).sum(1).mean(),
        f"{early} (and it is squared as well)": np.square(1 - of_weights).sum(1).mean(),
        "only the sum of the weights is squared: what is missing to 1 is": (
            (1 - np.square(_looked(task))).sum(1).mean()
        ),
    }


def _of_other_words(task: _Task) -> dict[str, float]:
    """The penalty where other words count than should, or with other weights."""
    T, L = task.alpha.shape[1:]
    looked, real, words = _looked(task), task.real[..., None], task.real.sum(1, keepdims=True)
    by_word = np.where(real, np.square(1 - task.alpha), 0.0)
    over_regions = np.square(1 - task.alpha.sum(2))
    average = "the weights of a caption's words are averaged: they are added up"
    apart = "each word is charged for by itself: first add up the weights of a caption's words"
    flat = "alpha is added up over the regions, where that over the words is asked for"
    wish = "each region should be looked at once, not as often as words and regions allow"

    def gap(many: np.ndarray) -> float:
        return np.square(1 - many).sum(1).mean()

    return {
        "the padding counts as well": gap(task.alpha.sum(1)),
        "the mask is upside down: True is a real word": gap(np.where(real, 0, task.alpha).sum(1)),
        average: gap(looked / np.maximum(words, 1)),
        f"{average} (and divided by T)": gap(looked / T),
        f"{average} (and the padding counts)": gap(task.alpha.mean(1)),
        "the first word is left out": gap(_looked(_Task(task.alpha[:, 1:], task.real[:, 1:]))),
        "the last place is left out": gap(_looked(_Task(task.alpha[:, :-1], task.real[:, :-1]))),
        apart: by_word.sum((1, 2)).mean(),
        f"{apart} (and the padding counts)": np.square(1 - task.alpha).sum((1, 2)).mean(),
        flat: np.where(task.real, over_regions, 0.0).sum(1).mean(),
        f"{flat} (and the padding counts)": over_regions.sum(1).mean(),
        wish: np.square(words / L - looked).sum(1).mean(),
        f"{wish} (and the padding counts)": np.square(T / L - looked).sum(1).mean(),
    }


def _of_other_sums(task: _Task) -> dict[str, float]:
    """The penalty where sums and means are others."""
    T = task.alpha.shape[1]
    squares, looked = np.square(1 - _looked(task)), _looked(task)
    sum_of_regions = "it is a mean over the regions, and so L times too small: the penalty is a sum"
    by_words = "a penalty is divided by its number of words: only the sum is asked for"
    return {
        sum_of_regions: squares.mean(),
        f"{sum_of_regions} (and over the captions it is a sum, not a mean)": squares.mean(1).sum(),
        "it is the sum of the captions' penalties: take their mean": squares.sum(),
        by_words: (squares.sum(1) / np.maximum(task.real.sum(1), 1)).mean(),
        f"{by_words} (and the captions are taken together)": squares.sum() / task.real.sum(),
        f"{by_words} (and the padding counts as words)": squares.sum(1).mean() / T,
        "what all regions lack is added up first, and squared last: a square for each region": (
            np.square((1 - looked).sum(1)).mean()
        ),
        "what all regions are looked at is added up first: a square for each region": (
            np.square(1 - looked.sum(1)).mean()
        ),
        "the captions are added up before the square: each caption has its own": (
            np.square(1 - looked.sum(0)).sum()
        ),
        "the captions are averaged before the square: each caption has its own": (
            np.square(1 - looked.mean(0)).sum()
        ),
    }


def _require_gradient(task: _Task, gradient: np.ndarray) -> None:
    bad = np.any(gradient != 0, axis=-1) & ~task.real
    if bad.any():
        raise Wrong(
            f"{bad.sum()} of {np.sum(~task.real)} places in the padding have a gradient: it must "
            "be exactly 0"
        )
    each = -2 / len(task.alpha) * (1 - _looked(task))[:, None]
    truth = np.where(task.real[..., None], each, 0.0)
    if close(gradient, truth, TOLERANCE_32):
        return
    counts = dict(zip("NTL", task.alpha.shape, strict=True))
    named = fitting(gradient, factors(truth, counts), TOLERANCE_32)
    where = f": {named[0]}" if named else differing(gradient, truth, TOLERANCE_32)
    raise Wrong(f"the penalty is right, but its gradient is not{where}")


DOUBLY_STOCHASTIC_PENALTY = Exercise(
    "doubly_stochastic_penalty",
    points=2,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("three words over five regions, by hand", 1, _by_hand, drawn=False),
        Case("one caption (N = 1): the sum over the regions", 2, _value(rows=1)),
        Case("several captions: the mean of their penalties", 2, _value()),
        Case("different lengths: the padding counts for nothing", 2, _value(padded=True)),
        Case("one word (T = 1), one region (L = 1)", 1, _small),
        Case("each region looked at once: nothing to pay", 1, _once_each),
        Case("autograd: the gradient of alpha", 5, _gradient),
        Case("infinity and NaN in the padding", 1, _infinite),
        Case("NaN at a real word stays NaN", 1, _nan_stays),
        Case("captions, words and regions in another order", 1, _reordered),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
