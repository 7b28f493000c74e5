"""The check of rnn_step_backward: the student's own forward goes first, and must be right."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn import by_torch
from cs_caption.checks.n02_hello_rnn.step_forward import (
    FORWARD,
    eighths,
    require_next_h,
    require_step,
    step_inputs,
)
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import IN_PLACE, Subject, Wrong
from cs_caption.checks.values import (
    NUMERIC,
    array,
    awkward,
    close,
    directions,
    entries,
    factors,
    opaque,
    same,
    unchanged,
)

Random = np.random.RandomState

_GRADIENTS = "dx, dprev_h, dWx, dWh, db"
_NAMES = _GRADIENTS.split(", ")
_AGAIN = (
    "right the first time, but when called again with the same dnext_h and this cache (does the "
    "first call change something in it?): "
)
_AWKWARD = "with a dnext_h that may not be written to and is not contiguous in memory: "
_AXES = ("(N, D)", "(N, H)", "(D, H)", "(H, H)", "(H,)")


@dataclass(frozen=True)
class _Step:
    """A step that the student's forward has taken, and the gradient that arrives at its end."""

    inputs: tuple[np.ndarray, ...]
    activation: str
    next_h: np.ndarray
    kept: Any  # next_h where it lies on the far side: the cache may hold the same array
    cache: Any
    dnext_h: np.ndarray


def _backward(which: str, activation: str, rows: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        step = _stepped(subject, rng, step_inputs(rng, rows), activation)
        found = subject.call((step.dnext_h, step.cache)).value
        _require_gradients(subject, step, found, which)

    return run


def _relu(subject: Subject, rng: Random) -> None:
    step = _stepped(subject, rng, step_inputs(rng), "relu")
    _require_gradients(subject, step, _call(subject, step, step.dnext_h), _GRADIENTS)
    x, prev_h, Wx, Wh, b = step_inputs(rng)
    step = _stepped(subject, rng, (0 * x, 0 * prev_h, Wx, Wh, 0 * b), "relu")
    found = entries(subject.call((step.dnext_h, step.cache)).value, _GRADIENTS)
    for value, argument, name in zip(found, step.inputs, _NAMES, strict=True):
        if np.any(array(value, argument.shape, name)):
            raise Wrong("no gradient passes where the input of ReLU is exactly 0: compare with > 0")


def _called_twice(subject: Subject, rng: Random) -> None:
    step = _stepped(subject, rng, step_inputs(rng), "tanh", view=True)
    for when in ("", _AGAIN, _AWKWARD):
        dnext_h = awkward(step.dnext_h) if when == _AWKWARD else step.dnext_h
        found = _call(subject, step, dnext_h, when)
        _require_gradients(subject, step, found, _GRADIENTS, when)


def _call(subject: Subject, step: _Step, dnext_h: np.ndarray, when: str = "") -> Any:
    """Call backward, and fail where it changes dnext_h or next_h; `when` starts the words."""
    try:
        outcome = subject.call((dnext_h, step.cache))
    except Wrong as wrong:
        raise Wrong(f"{when}{wrong}") from None
    unchanged(outcome, "dnext_h")
    after = subject.read(step.kept)
    if type(after) is not np.ndarray or not np.array_equal(after, step.next_h):
        raise Wrong(f"it changes what lies in the cache (next_h): {IN_PLACE}")
    return outcome.value


def _two_in_flight(subject: Subject, rng: Random) -> None:
    steps = [_stepped(subject, rng, step_inputs(rng), "tanh") for _ in range(2)]
    words = "after two steps forward, back from the first: "
    try:
        found = subject.call((steps[0].dnext_h, steps[0].cache)).value
    except Wrong as wrong:
        raise Wrong(f"{words}{wrong}") from None
    _require_gradients(subject, steps[0], found, _GRADIENTS, words)


def _stepped(
    subject: Subject, rng: Random, inputs: tuple, activation: str, view: bool = False
) -> _Step:
    given = tuple(map(awkward, inputs)) if view else inputs
    outcome = subject.call((*given, activation), keep=(0, 1), function=FORWARD)
    try:
        kept, cache = map(opaque, entries(outcome.value, "next_h, cache"))
        next_h = require_next_h(subject.read(kept), inputs)
        require_step(subject, inputs, activation, next_h)
    except Wrong as wrong:
        raise Wrong(f"first mend {FORWARD}: {wrong}") from None
    return _Step(inputs, activation, next_h, kept, cache, eighths(rng, next_h.shape))


def _require_gradients(
    subject: Subject, step: _Step, found: Any, which: str, when: str = ""
) -> None:
    """Fail where one of the gradients `which` is not right; `when` starts the words."""
    try:
        grads = entries(found, _GRADIENTS)
        truths = _truths(step)
        for name in which.split(", "):
            _require_gradient(subject, step, _NAMES.index(name), grads, truths)
    except Wrong as wrong:
        raise Wrong(f"{when}{wrong}") from None


def _require_order(i: int, grads: tuple, inputs: tuple) -> None:
    shapes = [grad.shape if type(grad) is np.ndarray else None for grad in grads]
    expected = [argument.shape for argument in inputs]
    if shapes[i] != expected[i] and sorted(map(str, shapes)) == sorted(map(str, expected)):
        raise Wrong(f"{_NAMES[i]} is in another place: the order is {_GRADIENTS}")


def _truths(step: _Step) -> list[np.ndarray] | None:
    if torch_or_none() is None:
        return None
    return by_torch.step_gradients(step.inputs, step.dnext_h, step.activation)


def _require_gradient(
    subject: Subject, step: _Step, i: int, grads: tuple, truths: list[np.ndarray] | None
) -> None:
    name = _NAMES[i]
    _require_order(i, grads, step.inputs)
    gradient = array(grads[i], step.inputs[i].shape, name, _AXES[i])
    if truths is not None:
        truth = truths[i]
        same(gradient, truth, name, lambda: _lookalikes(step, i) | _by_factor(truth, step))
    along = directions(gradient.shape)
    slopes = subject.vjp(
        (*step.inputs, step.activation),
        step.dnext_h,
        [(i, direction) for direction in along],
        result=0,
        leave=(1,),
        function=FORWARD,
    )
    mine = np.array([np.sum(gradient * direction) for direction in along])
    if not close(mine, slopes, NUMERIC):
        same(mine, slopes, name, lambda: _by_factor(slopes, step), NUMERIC, places=False)


def _lookalikes(step: _Step, i: int) -> dict[str, np.ndarray]:
    return by_torch.step_lookalikes(i, step.inputs, step.dnext_h, step.next_h, step.activation)


def _by_factor(truth: np.ndarray, step: _Step) -> dict[str, np.ndarray]:
    return factors(truth, {"N": len(step.dnext_h)})


RNN_STEP_BACKWARD = Exercise(
    "rnn_step_backward",
    points=3,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        *(Case(name, 2, _backward(name, "tanh")) for name in _NAMES),
        Case("all five, a batch of one (N = 1)", 1, _backward(_GRADIENTS, "tanh", rows=1)),
        Case('all five, activation="relu"', 2, _relu),
        Case("all five, called twice; nothing is written over", 1, _called_twice),
        Case("all five, two steps forward before the first comes back", 1, _two_in_flight),
    ),
)
