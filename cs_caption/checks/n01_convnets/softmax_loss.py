"""The check of softmax_loss: scores are made from probabilities that are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.losses import (
    CHANCES,
    LECTURE,
    TINY,
    loss_and_dx,
    require_dx,
    require_far_apart,
    require_lecture,
    require_loss,
)
from cs_caption.checks.n01_convnets import dense_by_torch as by_torch
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    NUMERIC,
    UNTOUCHED,
    awkward,
    close,
    factors,
    fitting,
    same,
    sizes,
    unchanged,
)

Random = np.random.RandomState

_OVERFLOW = ": large scores overflow; subtract each row's largest score first"
_AXES = {  # of a softmax that does not run over the scores of each row
    "the softmax runs over the N pictures": 0,
    "the softmax runs over all scores at once": None,
}
_NOT_C = ": it must run over the C scores of each row"
_PAIRS = "[:, y] is every right class in all rows, [np.arange(N), y] one in each"
_ASK = "is 1 taken off at the right class?"
_SAME_ARRAY = (
    ": was 1 taken off p before the logarithm was taken? After `dx = p` both are the same array"
)


@dataclass(frozen=True)
class _Task:
    """Scores (N, C), right classes (N,), and the loss of each row."""

    x: np.ndarray
    y: np.ndarray
    losses: np.ndarray

    @property
    def given(self) -> tuple[np.ndarray, np.ndarray]:
        return self.x, self.y


def _lecture(subject: Subject, rng: Random) -> None:
    """The lecture's probabilities as scores, with a number added to all of them."""
    x = np.log(CHANCES)[None] + 0.7
    calls = [(x, np.array([y])) for y in range(len(CHANCES))]
    for y, outcome in enumerate(subject.calls(calls)):
        require_lecture(_results(outcome, x)[0], y, x[0])


def _mean(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    _require_loss(task, _results(subject.call(task.given), task.x)[0])


def _gradient(rows: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        _require_both(subject, _draw(rng, rows))

    return run


def _one_class(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    x, y = task.x[:, :1], 0 * task.y
    loss, dx = _results(subject.call((x, y)), x)
    if not close(loss, 0) or not close(dx, 0):
        ask = f" ({_ASK})" if close(loss, 0) else ""
        raise Wrong(f"with one class its probability is 1: the loss and dx must be 0{ask}")
    _require_both(subject, _draw(rng, classes=2))


def _left_alone(subject: Subject, rng: Random) -> None:
    for dtype in (np.int64, np.int32):
        task = _draw(rng)
        x, y = task.x, task.y.astype(dtype)
        for given in ((x, y), (awkward(x), awkward(y))):
            outcome = subject.call(given)
            unchanged(outcome, "x, y")
            loss, dx = _results(outcome, x)
            _require_loss(task, loss)
            _require_gradient(subject, task, loss, dx)


def _shifted(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    mixed = rng.permutation(np.where(np.arange(len(task.y)) % 2, 1e4, -1e4))[:, None]
    calls = [(task.x + shift, task.y) for shift in (0.0, 1e4, -1e4, mixed)]
    outcomes = subject.calls(calls)
    plain = _results(outcomes[0], task.x)
    shifted = [_results(o, task.x, _OVERFLOW) for o in outcomes[1:]]
    for loss, dx in shifted:
        if not close(loss, plain[0]):
            raise Wrong("the loss changes when a number is added to all scores of a row")
        same(dx, plain[1], "dx, after a number is added to all scores of a row,")
    _require_loss(task, plain[0])
    _require_gradient(subject, task, *plain)


def _far_apart(subject: Subject, rng: Random) -> None:
    C = sizes(rng, 1, 3, 8)[0]
    best, other = (int(n) for n in rng.permutation(C)[:2])
    near, far = np.zeros((2, 2, C))
    near[:, best], far[:, best] = 1.0, 1e4
    y = np.array([best, other])
    outcomes = subject.calls([(near, y), (far, y)])
    near_loss, _ = _results(outcomes[0], near)
    loss, dx = _results(outcomes[1], far, TINY)
    require_far_apart((near_loss, loss), dx, best, other)


def _draw(rng: Random, rows: int | None = None, classes: int | None = None) -> _Task:
    N, C = sizes(rng, 2, 4, 8)
    N, C = rows or N, classes or C
    weights = rng.uniform(0.2, 1.0, (N, C))
    x = np.log(weights) + 2 * rng.standard_normal((N, 1))
    y = rng.randint(0, C, N)
    picked = weights[np.arange(N), y] / weights.sum(1)
    return _Task(x, y, -np.log(picked))


def _results(outcome: Outcome, x: np.ndarray, hint: str = "") -> tuple[float, np.ndarray]:
    return loss_and_dx(outcome, x.shape, "(N, C)", hint or _hint(outcome.value))


def _hint(value: Any) -> str:
    """Words for a loss that is no number beside a dx from which 1 was taken off."""
    dx = value[-1] if type(value) in (tuple, list) and value else None
    if type(dx) is not np.ndarray or dx.ndim != 2 or dx.dtype != np.float64:
        return ""
    return _SAME_ARRAY if np.all(np.isfinite(dx)) and np.all(dx.min(1, initial=0) < 1e-12) else ""


def _require_both(subject: Subject, task: _Task) -> None:
    loss, dx = _results(subject.call(task.given), task.x)
    _require_gradient(subject, task, loss, dx)


def _require_loss(task: _Task, loss: float) -> None:
    expected = task.losses.mean()
    if torch_or_none() is not None:
        expected = by_torch.cross_entropy(*task.given)[0]
    require_loss(loss, expected, _loss_lookalikes(task))


def _loss_lookalikes(task: _Task) -> dict[str, float]:
    losses, (N, C) = task.losses, task.x.shape
    all_rows = -np.log(_softmax(task.x, 1))[:, task.y]
    picked = task.x[np.arange(N), task.y]
    margins = np.clip(task.x - picked[:, None] + 1, 0, None).sum(1) - 1
    return {
        "it is the sum over the N pictures: divide by N": losses.sum(),
        "it is divided by C: divide by N": losses.sum() / C,
        "it is divided by N C: divide by N": losses.sum() / (N * C),
        "it is divided by N twice": losses.mean() / N,
        "only the first picture counts": losses[0],
        "only the last picture counts": losses[-1],
        "it is the largest of the N losses: take their mean": losses.max(),
        "its sign is wrong": -losses.mean(),
        "it is a logarithm to base 2": losses.mean() / np.log(2),
        "it is a logarithm to base 10": losses.mean() / np.log(10),
        "it is a mean of probabilities, not of minus their logarithms": np.exp(-losses).mean(),
        "the logarithm is taken of the mean probability: take the mean of the logarithms": (
            -np.log(np.exp(-losses).mean())
        ),
        "scores are no logarithms of probabilities: normalise them": -picked.mean(),
        "it is a hinge loss (of margins), not the softmax's": margins.mean(),
        "the scores of all classes count: pick that of the right one": _of_all_classes(task.x),
        f"too many logarithms count: {_PAIRS}": all_rows.mean(),
        f"too many logarithms count, and their sum is divided by N: {_PAIRS}": all_rows.sum() / N,
        **{words + _NOT_C: _along(task, axis)[0] for words, axis in _AXES.items()},
    }


def _of_all_classes(x: np.ndarray) -> float:
    return -np.log(_softmax(x, 1)).sum() / len(x)


def _softmax(x: np.ndarray, axis: int | None) -> np.ndarray:
    powers = np.exp(x - x.max())
    return powers / powers.sum(axis, keepdims=True)


def _along(task: _Task, axis: int | None) -> tuple[float, np.ndarray]:
    """The loss and its gradient with a softmax along another axis."""
    chances = _softmax(task.x, axis)
    right = np.arange(task.x.shape[1]) == task.y[:, None]
    return -np.log(chances[right]).mean(), (chances - right) / len(task.y)


def _require_gradient(subject: Subject, task: _Task, loss: float, dx: np.ndarray) -> None:
    sums = dx.sum(1)
    if not close(sums, 0):
        for words, axis in _AXES.items():
            if close(dx, _along(task, axis)[1]):
                raise Wrong(f"dx is wrong: {words}{_NOT_C}")
        for named in fitting(dx, _one_misplaced(task)):
            raise Wrong(f"dx is wrong: {named}")
        raise Wrong(
            "a number added to all scores of a row changes nothing, so each row of dx sums to 0: "
            f"{np.count_nonzero(np.abs(sums) > NUMERIC)} rows do not ({_ASK})"
        )
    truth = by_torch.cross_entropy(*task.given)[1] if torch_or_none() else None
    require_dx(
        subject,
        task.given,
        dx,
        truth,
        lambda: _require_loss(task, loss),
        lambda right: _gradient_lookalikes(right, task),
    )


def _one_misplaced(task: _Task) -> dict[str, np.ndarray]:
    """What dx looks like where the softmax is right and the 1 is not, divided by N or not."""
    p, N = _softmax(task.x, 1), len(task.y)
    classes = np.arange(task.x.shape[1])
    right, columns = classes == task.y[:, None], np.isin(classes, task.y)
    undivided = {
        f"it is the softmax alone: {_ASK}": p,
        f"1 is added: {_ASK}": p + right,
        f"1 is taken off in all rows: {_PAIRS}": p - columns,
    }
    return {
        "1 is taken off after the division by N: take it off before": p / N - right,
        **{words: dx / N for words, dx in undivided.items()},
        **{f"{words} (nor is it divided by N)": dx for words, dx in undivided.items()},
    }


def _gradient_lookalikes(truth: np.ndarray, task: _Task) -> dict[str, np.ndarray]:
    N, C = task.x.shape
    return {
        "it is not divided by N": truth * N,
        "it is divided by C, not by N": truth * N / C,
        "it is divided by N C, not by N": truth / C,
        "it is divided by N twice": truth / N,
        "it is that of a logarithm to base 2": truth / np.log(2),
        **factors(truth, {"N": N, "C": C}),
    }


SOFTMAX_LOSS = Exercise(
    "softmax_loss",
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case(LECTURE, 1, _lecture, drawn=False),
        Case("the mean over N", 3, _mean),
        Case("the gradient", 3, _gradient()),
        Case("one picture (N = 1)", 1, _gradient(rows=1)),
        Case("one class (C = 1), and two", 1, _one_class),
        Case("scores near 1e4 and -1e4", 1, _shifted),
        Case("one score 1e4 above the others", 1, _far_apart),
        Case(f"{UNTOUCHED}; y int32", 1, _left_alone),
    ),
)

EXERCISES = (SOFTMAX_LOSS,)
