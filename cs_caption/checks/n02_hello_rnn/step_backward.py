"""The check of rnn_step_backward: the student's own forward goes first, and must be right."""

from typing import Any

import numpy as np

from cs_caption.checks.backward import (
    IN_FLIGHT,
    TWICE,
    Draw,
    Layer,
    Taken,
    backward,
    called_twice,
    in_flight,
    step,
)
from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.n02_hello_rnn import by_torch
from cs_caption.checks.n02_hello_rnn.step_forward import (
    FORWARD,
    require_next_h,
    require_step,
    step_inputs,
)
from cs_caption.checks.referee import referee
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import array, entries

Random = np.random.RandomState

_NAMES = ("dx", "dprev_h", "dWx", "dWh", "db")


def _inputs(activation: str, rows: int | None = None) -> Draw:
    return lambda rng: (*step_inputs(rng, rows), activation)


def _relu(subject: Subject, rng: Random) -> None:
    backward(_STEP, _inputs("relu"), untouched=True)(subject, rng)
    x, prev_h, Wx, Wh, b = step_inputs(rng)
    nothing = (0 * x, 0 * prev_h, Wx, Wh, 0 * b, "relu")
    taken = step(subject, rng, _STEP, nothing)
    found = entries(subject.call((taken.dout, taken.cache)).value, _STEP.names)
    for value, argument, name in zip(found, nothing, _NAMES, strict=False):
        if np.any(array(value, argument.shape, name)):
            raise Wrong("no gradient passes where the input of ReLU is exactly 0: compare with > 0")


def _require_out(subject: Subject, args: tuple, out: Any) -> np.ndarray:
    *inputs, activation = args
    next_h = require_next_h(out, inputs)
    require_step(subject, tuple(inputs), activation, next_h)
    return next_h


def _gradients(args: tuple, dnext_h: np.ndarray) -> list[np.ndarray]:
    return by_torch.step_gradients(args[:-1], dnext_h, args[-1])


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    *inputs, activation = taken.args
    return by_torch.step_lookalikes(i, tuple(inputs), taken.dout, taken.out, activation)


_STEP = Layer(
    FORWARD,
    inputs="x, prev_h, Wx, Wh, b",
    axes=("(N, D)", "(N, H)", "(D, H)", "(H, H)", "(H,)"),
    require_out=_require_out,
    gradients=_gradients,
    lookalikes=_lookalikes,
    counts=lambda args: {"N": len(args[0])},
    out="next_h",
)

RNN_STEP_BACKWARD = Exercise(
    "rnn_step_backward",
    points=3,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        *(Case(name, 2, backward(_STEP, _inputs("tanh"), name)) for name in _NAMES),
        Case("all five, a batch of one (N = 1)", 1, backward(_STEP, _inputs("tanh", rows=1))),
        Case('all five, activation="relu"', 2, _relu),
        Case(f"all five, {TWICE}", 1, called_twice(_STEP, _inputs("tanh"))),
        Case(f"all five, {IN_FLIGHT}", 1, in_flight(_STEP, _inputs("tanh"))),
    ),
)
