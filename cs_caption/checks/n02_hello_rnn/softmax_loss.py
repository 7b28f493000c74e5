"""The check of temporal_softmax_loss: scores are made from probabilities that are known."""

from dataclasses import dataclass

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.losses import (
    CHANCES,
    LECTURE,
    NOT_V,
    OTHER_AXES,
    TINY,
    loss_and_dx,
    masked_lookalikes,
    ragged_mask,
    require_dx,
    require_far_apart,
    require_lecture,
    require_loss,
    softmax_along,
)
from cs_caption.checks.n02_hello_rnn import by_torch
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    NUMERIC,
    UNTOUCHED,
    awkward,
    close,
    factors,
    same,
    sizes,
    unchanged,
)

Random = np.random.RandomState

_OVERFLOW = ": large scores overflow; subtract each token's largest score first"


@dataclass(frozen=True)
class _Task:
    """Scores (N, T, V), right symbols and a mask (N, T), and the loss of each token."""

    x: np.ndarray
    y: np.ndarray
    mask: np.ndarray
    losses: np.ndarray

    @property
    def given(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.x, self.y, self.mask

    @property
    def count(self) -> int:
        return int(self.mask.sum())


def _lecture(subject: Subject, rng: Random) -> None:
    """The lecture's probabilities as scores, with a number added to all of them."""
    x = np.log(CHANCES)[None, None] + 0.7
    calls = [(x, np.array([[y]]), np.ones((1, 1), bool)) for y in range(len(CHANCES))]
    for y, outcome in enumerate(subject.calls(calls)):
        require_lecture(_results(outcome, x.shape)[0], y, x[0, 0])


def _mean(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    _require_loss(task, _results(subject.call(task.given), task.x.shape)[0])


def _gradient(rows: int | None = None, steps: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, rows, steps)
        loss, dx = _results(subject.call(task.given), task.x.shape)
        _require_gradient(subject, task, loss, dx)

    return run


def _left_alone(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    for given in (task.given, tuple(map(awkward, task.given))):
        outcome = subject.call(given)
        unchanged(outcome, "x, y, mask")
        loss, dx = _results(outcome, task.x.shape)
        _require_loss(task, loss)
        _require_gradient(subject, task, loss, dx)


def _masked(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    out = ~task.mask
    x, y = task.x.copy(), task.y.copy()
    x[out] = 50 * rng.standard_normal(x[out].shape)
    y[out] = (y[out] + 1) % x.shape[-1]
    outcomes = subject.calls([task.given, (x, y, task.mask)])
    (loss, dx), (other_loss, other_dx) = (_results(outcome, x.shape) for outcome in outcomes)
    _require_masked(dx, task.mask)
    _require_masked(other_dx, task.mask)
    if not close(loss, other_loss):
        raise Wrong("the loss depends on x or y at masked positions")
    same(dx, other_dx, "dx, after a change at masked positions,")
    _require_gradient(subject, task, loss, dx)


def _shifted(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    mixed = rng.choice([-1e4, 1e4], size=(*task.y.shape, 1))
    calls = [(task.x + shift, task.y, task.mask) for shift in (0.0, 1e4, -1e4, mixed)]
    plain, *shifted = (_results(o, task.x.shape, _OVERFLOW) for o in subject.calls(calls))
    _require_loss(task, plain[0])
    for loss, dx in shifted:
        if not close(loss, plain[0]):
            raise Wrong("the loss changes when a number is added to all scores of a token")
        same(dx, plain[1], "dx, after a number is added to all scores of a token,")


def _far_apart(subject: Subject, rng: Random) -> None:
    V = sizes(rng, 1, 3, 8)[0]
    best, other = (int(n) for n in rng.permutation(V)[:2])
    near, far = np.zeros((2, 1, 2, V))
    near[..., best], far[..., best] = 1.0, 1e4
    y, mask = np.array([[best, other]]), np.ones((1, 2), bool)
    outcomes = subject.calls([(x, y, mask) for x in (near, far)])
    near_loss, _ = _results(outcomes[0], near.shape)
    loss, dx = _results(outcomes[1], far.shape, TINY)
    require_far_apart((near_loss, loss), dx[0], best, other)


def _no_token(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    nothing, one = np.zeros_like(task.mask), np.zeros_like(task.mask)
    one[1, 0] = True
    hint = ": with no real token the loss is 0 and dx is all zero; do not divide by 0"
    outcomes = subject.calls([(task.x, task.y, mask) for mask in (nothing, one)])
    (loss, dx), (loss_of_one, _) = (_results(o, task.x.shape, hint) for o in outcomes)
    if loss != 0 or np.any(dx != 0):
        raise Wrong(f"the loss or dx is not 0{hint}")
    if loss_of_one == 0:
        raise Wrong("the loss is 0 although a token is real")


def _draw(rng: Random, rows: int | None = None, steps: int | None = None) -> _Task:
    N, T, V = sizes(rng, 3, 4, 8)
    N, T = rows or N, steps or T
    weights = rng.uniform(0.2, 1.0, (N, T, V))
    x = np.log(weights) + 2 * rng.standard_normal((N, T, 1))
    y = rng.randint(0, V, (N, T))
    chances = weights / weights.sum(-1, keepdims=True)
    picked = np.take_along_axis(chances, y[..., None], -1)[..., 0]
    return _Task(x, y, ragged_mask(rng, N, T), -np.log(picked))


def _results(outcome: Outcome, shape: tuple[int, ...], hint: str = "") -> tuple[float, np.ndarray]:
    return loss_and_dx(outcome, shape, "(N, T, V)", hint)


def _require_loss(task: _Task, loss: float) -> None:
    expected = task.losses[task.mask].mean()
    if torch_or_none() is not None:
        expected = by_torch.loss_and_gradient(*task.given)[0]
    require_loss(loss, expected, _loss_lookalikes(task))


def _loss_lookalikes(task: _Task) -> dict[str, float]:
    along = {
        words + NOT_V: softmax_along(*task.given, axis)[0] for words, axis in OTHER_AXES.items()
    }
    return masked_lookalikes(task.losses, task.mask, task.y) | along


def _require_masked(dx: np.ndarray, mask: np.ndarray) -> None:
    bad = np.any(dx != 0, axis=-1) & ~mask
    if bad.any():
        raise Wrong(
            f"{bad.sum()} of {np.sum(~mask)} masked positions have a gradient: it must be exactly 0"
        )


def _require_gradient(subject: Subject, task: _Task, loss: float, dx: np.ndarray) -> None:
    _require_masked(dx, task.mask)
    sums = dx.sum(-1)
    if not close(sums, 0):
        for words, axis in OTHER_AXES.items():
            if close(dx, softmax_along(*task.given, axis)[1]):
                raise Wrong(f"dx is wrong: {words}{NOT_V}")
        raise Wrong(
            "a number added to all scores of a token changes nothing, so each row of dx sums to 0: "
            f"{np.count_nonzero(np.abs(sums) > NUMERIC)} rows do not"
        )
    truth = by_torch.loss_and_gradient(*task.given)[1] if torch_or_none() else None
    require_dx(
        subject,
        task.given,
        dx,
        truth,
        lambda: _require_loss(task, loss),
        lambda right: _gradient_lookalikes(right, task),
    )


def _gradient_lookalikes(truth: np.ndarray, task: _Task) -> dict[str, np.ndarray]:
    (N, T), count = task.mask.shape, task.count
    return {
        "it is not divided by the number of real tokens": truth * count,
        "it is divided by N, not by the number of real tokens": truth * count / N,
        "it is divided by T, not by the number of real tokens": truth * count / T,
        "it is divided by N T, not by the number of real tokens": truth * count / (N * T),
        "it is divided by the number of real tokens twice": truth / count,
        "it is that of a logarithm to base 2": truth / np.log(2),
        **factors(truth, {"N": N, "T": T}),
    }


TEMPORAL_SOFTMAX_LOSS = Exercise(
    "temporal_softmax_loss",
    points=3,
    referee=referee,
    banned=("torch",),
    cases=(
        Case(LECTURE, 1, _lecture, drawn=False),
        Case("the mean over the real tokens", 3, _mean),
        Case("the gradient", 3, _gradient()),
        Case("masked positions count for nothing", 2, _masked),
        Case("one step (T = 1)", 1, _gradient(steps=1)),
        Case("one sentence (N = 1)", 1, _gradient(rows=1)),
        Case("scores near 1e4 and -1e4", 1, _shifted),
        Case("one score 1e4 above the others", 1, _far_apart),
        Case("no real token at all", 1, _no_token),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
