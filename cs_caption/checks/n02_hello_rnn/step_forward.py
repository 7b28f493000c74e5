"""The check of rnn_step_forward."""

from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn import by_torch
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    close,
    eighths,
    entries,
    opaque,
    same,
    sizes,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "rnn_step_forward"

_WITH_RELU = 'with activation="relu"'
_CAPPED = f"{_WITH_RELU} large values are capped: max(0, .) has no upper limit"


def _forward(activation: str, rows: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        inputs = step_inputs(rng, rows)
        extra = () if activation == "tanh" else (activation,)  # tanh is the default
        outcome = subject.call((*inputs, *extra), keep=(1,))
        require_step(subject, inputs, activation, next_h_of(outcome, inputs))

    return run


def _relu(subject: Subject, rng: Random) -> None:
    _forward("relu")(subject, rng)
    inputs = step_inputs(rng)
    x, prev_h, Wx, Wh, b = inputs
    large = b + 1024 * _signs(b)
    outcome = subject.call((x, prev_h, Wx, Wh, large, "relu"), keep=(1,))
    next_h = next_h_of(outcome, inputs)
    expected = np.clip(x @ Wx + prev_h @ Wh + large, 0, None)
    if np.max(next_h) < 512 < np.max(expected):
        raise Wrong(_CAPPED)
    same(next_h, expected, "next_h near 1000")


def _left_alone(subject: Subject, rng: Random) -> None:
    inputs = step_inputs(rng)
    for given in (inputs, tuple(map(awkward, inputs))):
        outcome = subject.call(given, keep=(1,))
        unchanged(outcome, "x, prev_h, Wx, Wh, b")
        require_step(subject, inputs, "tanh", next_h_of(outcome, inputs))


def _terms(subject: Subject, rng: Random) -> None:
    _require_terms(subject, step_inputs(rng), "tanh")


def _saturated(subject: Subject, rng: Random) -> None:
    inputs = step_inputs(rng)
    sign = _signs(inputs[4])
    outcome = subject.call((*inputs[:4], 1000 * sign), keep=(1,))
    next_h = next_h_of(outcome, inputs, ": large numbers must not overflow; use np.tanh")
    same(next_h, np.broadcast_to(sign, next_h.shape), "next_h")


def _signs(b: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(b)) % 2, 1.0, -1.0)


def step_inputs(rng: Random, rows: int | None = None) -> tuple[np.ndarray, ...]:
    """Draw x, prev_h, Wx, Wh, b.

    Eighths, and b between them: no sum is nearer than 1/128 to ReLU's kink.
    """
    N, D, H = sizes(rng, 3, 3, 8)
    N = rows or N
    x, prev_h, Wx, b = (eighths(rng, shape) for shape in ((N, D), (N, H), (D, H), (H,)))
    Wh = eighths(rng, (H, H))
    while np.array_equal(Wh, Wh.T):
        Wh = eighths(rng, (H, H))
    return x, prev_h, Wx, Wh, b + 1 / 128


def next_h_of(outcome: Outcome, inputs: tuple, hint: str = "") -> np.ndarray:
    """Return next_h of a call that kept its cache, if it is an array of the right shape."""
    next_h, cache = entries(outcome.value, "next_h, cache")
    opaque(cache)
    return require_next_h(next_h, inputs, hint)


def require_next_h(next_h: Any, inputs: tuple, hint: str = "") -> np.ndarray:
    """Return next_h if it is an array of the right shape."""
    return array(next_h, inputs[1].shape, "next_h", "(N, H)", hint)


def require_step(subject: Subject, inputs: tuple, activation: str, next_h: np.ndarray) -> None:
    """Fail where next_h is not the step of these inputs, with words on what was left out."""
    if torch_or_none() is None:
        expected = _require_terms(subject, inputs, activation)
    else:
        expected = by_torch.step(inputs, activation)
        if not close(next_h, expected):
            _require_terms(subject, inputs, activation)
    same(next_h, expected, "next_h")


def _require_terms(subject: Subject, inputs: tuple, activation: str) -> np.ndarray:
    """Read each term off alone; return what next_h must be if the terms add up.

    A one-hot x picks a row of Wx, a one-hot prev_h a row of Wh. The sum is read back through the
    activation: tanh is inverted, ReLU is fed far to the right of its kink.
    """
    x, prev_h, Wx, Wh, b = inputs
    far = 0.0 if activation == "tanh" else 64.0
    probes = _probes(inputs, far)
    calls = [(*probe, activation) for probe in probes]
    outcomes = subject.calls(calls, leave=(1,), function=FORWARD)
    outs = [next_h_of(o, probe) for o, probe in zip(outcomes, probes, strict=True)]
    if activation == "tanh":
        _require_tanh(outs)
    else:
        _require_relu(subject, inputs, outs)
    nothing, bias, from_x, from_h, total = (
        np.arctanh(out) if activation == "tanh" else out - far for out in outs[:5]
    )
    _term(nothing, np.zeros_like(nothing), f"next_h for x = 0, prev_h = 0, b = {far:g}", {})
    _term(bias[0], b, "the term b", {"b is not added": 0 * b, "b is subtracted": -b})
    _term(from_x, Wx, "the term x Wx", {"x is ignored": 0 * Wx})
    _term(from_h, Wh, "the term prev_h Wh", _recurrent_lookalikes(Wh))
    same(total, x @ from_x + prev_h @ from_h + bias, "the sum of the three terms")
    return outs[5] if activation == "tanh" else np.clip(total, 0, None)


def _probes(inputs: tuple, far: float) -> list[tuple]:
    x, prev_h, Wx, Wh, b = inputs
    D, H = Wx.shape
    no_x, no_h, no_b = np.zeros((1, D)), np.zeros((1, H)), np.full(H, far)
    return [
        (no_x, no_h, Wx, Wh, no_b),
        (no_x, no_h, Wx, Wh, b + far),
        (np.eye(D), np.zeros((D, H)), Wx, Wh, no_b),
        (np.zeros((H, D)), np.eye(H), Wx, Wh, no_b),
        (x, prev_h, Wx, Wh, b + far),
        inputs,
    ]


def _term(found: np.ndarray, expected: np.ndarray, name: str, others: dict) -> None:
    same(found, expected, name, lambda: others | {"it is added twice": 2 * expected})


def _recurrent_lookalikes(Wh: np.ndarray) -> dict[str, Any]:
    return {
        "prev_h is ignored": 0 * Wh,
        "it multiplies by Wh transposed": Wh.T,
        "prev_h is added as it is, without Wh": np.eye(len(Wh)),
    }


def _require_tanh(outs: list[np.ndarray]) -> None:
    if close(outs[0], 0.5):
        raise Wrong("x = 0, prev_h = 0, b = 0 give 0.5: that is the sigmoid, not tanh")
    if any(np.any(np.abs(out) >= 1) for out in outs):
        raise Wrong("next_h leaves (-1, 1): is the tanh missing, or not taken of the whole sum?")


def _require_relu(subject: Subject, inputs: tuple, outs: list[np.ndarray]) -> None:
    far, plain = outs[0], outs[5]  # of a sum of 64, and of the usual sizes
    if np.all(plain >= 0) and np.all(far >= 32):
        return
    (outcome,) = subject.calls([(*inputs, "tanh")], leave=(1,), function=FORWARD)
    if close(plain, next_h_of(outcome, inputs)):
        raise Wrong('activation="relu" changes nothing: the same comes out as with "tanh"')
    if np.any(plain < 0) and np.all(plain <= 0):
        raise Wrong(f"{_WITH_RELU} no positive values come out: the wrong half is kept")
    if np.any(plain < 0):
        raise Wrong(
            f"{_WITH_RELU} negative values come out: is max(0, .) missing, or not taken of the "
            "whole sum?"
        )
    if np.all(far == 0):
        raise Wrong(f"{_WITH_RELU} a large b leaves no trace: is b added?")
    if close(far, 1) and np.all((plain == 0) | (plain == 1)):
        raise Wrong(f"{_WITH_RELU} only 0 and 1 come out: that is whether the sum is positive")
    if close(far, 1):
        raise Wrong(f"{_WITH_RELU} no value is above 1: is tanh taken as well?")
    raise Wrong(_CAPPED)


RNN_STEP_FORWARD = Exercise(
    FORWARD,
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("each term alone: x Wx, prev_h Wh, b", 2, _terms),
        Case("a batch, tanh", 3, _forward("tanh")),
        Case("a batch of one (N = 1)", 1, _forward("tanh", rows=1)),
        Case(UNTOUCHED, 1, _left_alone),
        Case("inputs of tanh near 1000", 1, _saturated),
        Case('activation="relu", large values too', 2, _relu),
    ),
)
