"""The check of sgd_momentum: its two lines decide, and torch takes the same steps."""

import numpy as np

from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.n01_convnets import dense_by_torch as by_torch
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.updates import (
    DEFAULT,
    Rule,
    any_axes,
    drawn_eighths,
    in_a_row,
    left_alone,
    results,
)
from cs_caption.checks.values import UNTOUCHED, close, fitting, same

Random = np.random.RandomState


def _velocity(subject: Subject, rng: Random) -> None:
    w, dw, v = drawn_eighths(rng, 2)
    learning_rate, momentum = _rates(rng)
    outcome = subject.call((w, dw, v, learning_rate, momentum))
    _, next_v = results(outcome, w, "v")
    _require_velocity(next_v, (w, dw, v, learning_rate, momentum))


def _weights(subject: Subject, rng: Random) -> None:
    """Whatever the velocity is: the weights move by it."""
    args = (*drawn_eighths(rng, 2), *_rates(rng))
    next_w, next_v = results(subject.call(args), args[0], "v")
    if not next_v.any():
        raise Wrong("next_v is 0 everywhere: so the weights cannot move")
    _require_moved(args, next_w, next_v)


def _plain(subject: Subject, rng: Random) -> None:
    args = (*drawn_eighths(rng, 2), _rates(rng)[0], 0.0)
    next_w, next_v = results(subject.call(args), args[0], "v")
    _require_step(args, next_w, next_v)


def _defaults(subject: Subject, rng: Random) -> None:
    w, dw, v = drawn_eighths(rng, 2)
    nothing = np.zeros_like(w)
    given = [(w, dw, nothing, 0.01, 0.9), (w, nothing, v, 0.01, 0.9)]
    for args, outcome in zip(given, subject.calls(given), strict=True):
        _require_velocity(results(outcome, w, "v")[1], args)  # else it is not the defaults' fault
    calls = [(w, dw, nothing), (w, nothing, v), (w, dw, v, 0.25), (w, dw, v)]
    rate, momentum, one, both = (results(o, w, "v")[1] for o in subject.calls(calls))
    if not close(rate, -0.01 * dw):
        raise Wrong(DEFAULT.format("learning_rate"))
    if not close(momentum, 0.9 * v):
        raise Wrong(DEFAULT.format("momentum"))
    if not close(one, -0.25 * dw + momentum):
        raise Wrong("a learning_rate that is given, beside the default momentum, is not used")
    same(both, rate + momentum, "next_v without learning_rate and momentum")


def _rates(rng: Random) -> tuple[float, float]:
    """A learning rate and a momentum that are no default, nor 1 together."""
    return float(rng.choice([0.125, 0.1875, 0.3125])), float(rng.choice([0.375, 0.4375, 0.75]))


def _require_step(args: tuple, next_w: np.ndarray, next_v: np.ndarray) -> None:
    _require_velocity(next_v, args)
    _require_moved(args, next_w, next_v)


def _path(
    w: np.ndarray, gradients: list[np.ndarray], learning_rate: float, momentum: float
) -> list[np.ndarray]:
    """The weights after each step, from v = 0."""
    if torch_or_none() is not None:
        return by_torch.sgd_path(w, gradients, learning_rate, momentum)
    weights = [  # what gradient k still adds in step i
        [momentum ** (i - k) for k in range(i + 1)] for i in range(len(gradients))
    ]
    moves = [
        -learning_rate * sum(m * g for m, g in zip(row, gradients, strict=False)) for row in weights
    ]
    return [w + sum(moves[: i + 1]) for i in range(len(moves))]


def _require_velocity(next_v: np.ndarray, args: tuple) -> None:
    w, dw, v, rate, mu = args
    expected = mu * v - rate * dw
    same(next_v, expected, "next_v", lambda: _velocities(w, dw, v, rate, mu))


def _velocities(w: np.ndarray, dw: np.ndarray, v: np.ndarray, rate: float, mu: float) -> dict:
    right = mu * v - rate * dw
    return {
        "the gradient is added: go downhill, against it": mu * v + rate * dw,
        "v is ignored": -rate * dw,
        "dw is ignored": mu * v,
        "momentum is ignored: all of v is kept": v - rate * dw,
        "learning_rate is ignored": mu * v - dw,
        "the learning rate comes in with the weights (as in torch): here it is part of v": (
            mu * v + dw
        ),
        "the gradient is multiplied by 1 - momentum (as in Adam): only v is multiplied": (
            mu * v - (1 - mu) * rate * dw
        ),
        "the gradient is multiplied by 1 - momentum, not by learning_rate": mu * v - (1 - mu) * dw,
        "momentum multiplies the gradient as well: it multiplies v only": mu * (v - rate * dw),
        "learning_rate multiplies v as well: it multiplies dw only": rate * (mu * v - dw),
        "learning_rate and momentum are swapped": rate * v - mu * dw,
        "its sign is wrong": -right,
        "v is multiplied by 1 - momentum": (1 - mu) * v - rate * dw,
        "a step is taken twice (as Nesterov's looks ahead)": mu * right - rate * dw,
        "it is v, unchanged": v,
        "the weights are returned in its place: the order is next_w, next_v": w + right,
        "momentum multiplies the weights, not the velocity": mu * w - rate * dw,
        "the default learning_rate is used, not the one that is given": mu * v - 0.01 * dw,
        "the default momentum is used, not the one that is given": 0.9 * v - rate * dw,
        "the defaults are used, not what is given": 0.9 * v - 0.01 * dw,
    }


def _require_moved(args: tuple, next_w: np.ndarray, next_v: np.ndarray) -> None:
    w, dw, v, rate, mu = args
    move = next_w - w
    if close(move, next_v):
        return
    if close(next_v - w, next_w):
        raise Wrong("the results are in another order: next_w comes first, then next_v")
    named = fitting(move, {
        "it is w, unchanged": 0 * v,
        "it moves by the old v: move by next_v": v,
        "next_v is subtracted: it points downhill already, so add it": -next_v,
        "the velocity is not used: it moves by -learning_rate dw": -rate * dw,
        "it moves uphill": rate * dw,
        "it moves by learning_rate times next_v: the learning rate is in next_v already": (
            rate * next_v
        ),
        "it moves by -learning_rate times next_v, as in torch: here next_v has the learning rate "
        "and the sign in it": -rate * next_v,
        "the gradient is subtracted a second time, from what next_v did already": (
            next_v - rate * dw
        ),
        "it looks ahead (Nesterov's momentum): move by next_v itself": mu * next_v - rate * dw,
        "it moves by momentum times next_v: move by next_v itself": mu * next_v,
        "it moves by next_v twice": 2 * next_v,
        "it moves by v as well": next_v + v,
        "it is next_v alone: add it to w": next_v - w,
    })  # fmt: skip
    raise Wrong(f"next_w is wrong: {named[0]}" if named else "next_w is not w + next_v")


def _referee() -> str:
    torch = torch_or_none()
    lines = "the two lines of the definition"
    if torch is None:
        return f"{lines} (torch is not installed; with it, its SGD is asked as well)"
    return f"{lines}, and the steps of torch {torch.__version__}'s SGD in float64"


_RULE = Rule("v", drawn_eighths, _rates, _require_step, in_a_row=_rates, path=_path)

SGD_MOMENTUM = Exercise(
    "sgd_momentum",
    points=1,
    referee=_referee,
    banned=("torch",),
    cases=(
        Case("the velocity: next_v", 3, _velocity),
        Case("the weights move by next_v", 3, _weights),
        Case("momentum 0: plain gradient descent", 1, _plain),
        Case("the default learning_rate and momentum", 1, _defaults),
        Case("steps in a row, of two sets of weights in turn", 2, in_a_row(_RULE)),
        Case("one axis, three and four", 1, any_axes(_RULE)),
        Case(UNTOUCHED, 2, left_alone(_RULE)),
    ),
)

EXERCISES = (SGD_MOMENTUM,)
