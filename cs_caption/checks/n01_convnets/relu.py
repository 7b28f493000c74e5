"""The checks of relu_forward and relu_backward."""

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
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n01_convnets import dense_by_torch as by_torch
from cs_caption.checks.referee import referee
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    close,
    eighths,
    entries,
    fitting,
    opaque,
    sizes,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "relu_forward"


def _forward(*axes: int) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for count in axes:
            _require_call(subject, _draw(rng, count))

    return run


def _by_hand(subject: Subject, rng: Random) -> None:
    _require_call(subject, np.array([-2.0, -0.5, 0.0, 0.5, 3.0]))


def _large_and_small(subject: Subject, rng: Random) -> None:
    x = _draw(rng, 2)
    for scale in ("1e4", "1e-4", "1e-9"):
        try:
            _require_call(subject, x * float(scale))
        except Wrong as wrong:
            raise Wrong(f"with numbers near {scale}: {wrong}") from None


def _one_input(subject: Subject, rng: Random) -> None:
    for axes in (2, 4):
        _require_call(subject, _draw(rng, axes)[:1])


def _left_alone(subject: Subject, rng: Random) -> None:
    x = _draw(rng, 3)
    for given in (x, awkward(x)):
        outcome = subject.call((given,), keep=(1,))
        unchanged(outcome, "x")
        _require(x, _out_of(outcome, x))


def _draw(rng: Random, axes: int) -> np.ndarray:
    """Draw numbers of both signs, above 1 and below, none of them 0."""
    shape = sizes(rng, axes, 3, 7)
    x = eighths(rng, shape) * rng.choice([1.0, 3.0, 7.0], size=shape)
    x.flat[:3] = rng.permutation([-1.5, 0.25, 2.75])
    return x


def _require_call(subject: Subject, x: np.ndarray) -> None:
    _require(x, _out_of(subject.call((x,), keep=(1,)), x))


def _out_of(outcome: Outcome, x: np.ndarray) -> np.ndarray:
    out, cache = entries(outcome.value, "out, cache")
    opaque(cache)
    return array(out, x.shape, "out", "the shape of x")


def _require(x: np.ndarray, out: np.ndarray) -> None:
    """Nothing below 0, nothing below x, and each number either 0 or x: only max(0, x) is so."""
    if np.all(out >= 0) and np.all(out >= x) and np.all((out == 0) | (out == x)):
        return
    largest = np.max(np.abs(x))  # small numbers are all close to each other
    named = fitting(out / largest, {w: other / largest for w, other in _lookalikes(x).items()})
    if named:
        raise Wrong(named[0])
    if np.any(out < 0):
        raise Wrong(
            f"{np.count_nonzero(out < 0)} of {out.size} numbers in out are negative: max(0, x) "
            "has none"
        )
    lost, added, changed = (out < x) & (x > 0), (out > 0) & (x <= 0), (out != x) & (x > 0)
    if added.any():
        raise Wrong(f"{added.sum()} numbers that are 0 or less in x are positive in out")
    what = "smaller than" if lost.any() else "not"
    raise Wrong(f"{changed.sum()} positive numbers are {what} what they are in x: they stay as is")


def _lookalikes(x: np.ndarray) -> dict[str, np.ndarray]:
    kept = np.clip(x, 0, None)
    return {
        "out is x itself: the numbers below 0 must become 0": x,
        "it is 0 everywhere: positive numbers stay as they are": 0 * x,
        "negative numbers lose their sign: they must become 0": np.abs(x),
        "the wrong half is kept: positive numbers stay, negative ones become 0": x - kept,
        "the wrong half is kept, with its sign changed": kept - x,
        "its sign is wrong": -kept,
        "only 0 and 1 come out: that is whether x is positive, not its value": (x > 0) * 1.0,
        "large numbers are capped: max(0, x) has no upper limit": np.clip(x, 0, 6),
        "numbers above 1 are capped: max(0, x) has no upper limit": np.clip(x, 0, 1),
        "the threshold is at 1: it is at 0": x * (x > 1),
    }


def _back(axes: int, rows: int | None = None) -> Run:
    return backward(_RELU, _drawing(axes, rows))


def _drawing(axes: int, rows: int | None = None) -> Draw:
    return lambda rng: (_draw(rng, axes)[:rows],)


def _other_axes(subject: Subject, rng: Random) -> None:
    for axes in (4, 1):
        _back(axes)(subject, rng)


_SMALL = (1e-4, -1e-4, 1e-9, -1e-9)  # four fit into the smallest x


def _at_the_kink(subject: Subject, rng: Random) -> None:
    """No referee is asked: a numeric derivative at the kink is half of the slope."""
    x = _draw(rng, 2)
    third = rng.permutation(np.arange(x.size) % 3).reshape(x.shape)
    zero, small = third == 0, third == 1
    x[zero] = 0.0
    x[small] = rng.permutation(np.resize(_SMALL, small.sum()))
    for args in ((x,), (np.where(zero, -0.0, x),)):
        taken = step(subject, rng, _RELU, args)
        dx = array(subject.call((taken.dout, taken.cache)).value, x.shape, "dx", "the shape of x")
        if np.any(dx[zero]):
            raise Wrong("no gradient passes where x is exactly 0: compare with > 0")
        if not close(dx[small], np.where(x > 0, taken.dout, 0)[small]):
            raise Wrong(
                "dx is wrong where x is close to 0: however small x is, its sign alone decides"
            )
        if not close(dx[x < 0], 0) or not close(dx[x > 0], taken.dout[x > 0]):
            raise Wrong("dx is wrong where x is not 0: see the other cases")


def _require_out(subject: Subject, args: tuple, out: Any) -> np.ndarray:
    out = array(out, args[0].shape, "out", "the shape of x")
    _require(args[0], out)
    return out


def _gradient_lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    (x,), out, dout = taken.args, taken.out, taken.dout
    open_ = (out > 0) * 1.0
    return {
        "all of dout passes: it passes only where x is positive (is out >= 0 compared? out is "
        "never negative)": dout,
        "dout is ignored": open_,
        "it passes where x is negative: the other way round": dout * (1 - open_),
        "dout goes through max(0, .) itself: what counts is whether x is positive": (
            dout * (dout > 0)
        ),
        "where x is positive, a negative gradient passes as well": dout * open_ * (dout > 0),
        "dout is multiplied by out: multiply by whether x is positive": dout * out,
        "dout is multiplied by x: multiply by whether x is positive": dout * x,
        "it is out, not a gradient": out,
    }


_RELU = Layer(
    FORWARD,
    inputs="x",
    axes=("the shape of x",),
    require_out=_require_out,
    gradients=by_torch.relu_gradients,
    lookalikes=_gradient_lookalikes,
    counts=lambda args: {"N": len(args[0])},
)

RELU_FORWARD = Exercise(
    FORWARD,
    points=1,
    referee=lambda: "the definition: nothing below 0 or below x, and each number 0 or its own x",
    banned=("torch",),
    cases=(
        Case("a row of five, with a 0", 2, _by_hand, drawn=False),
        Case("two axes (N, D)", 2, _forward(2)),
        Case("volumes (N, C, H, W), and one axis", 2, _forward(4, 1)),
        Case("numbers near 1e4, near 1e-4 and near 1e-9", 1, _large_and_small),
        Case("a batch of one (N = 1)", 1, _one_input),
        Case(UNTOUCHED, 2, _left_alone),
    ),
)

RELU_BACKWARD = Exercise(
    "relu_backward",
    points=1,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        Case("two axes (N, D)", 2, _back(2)),
        Case("volumes (N, C, H, W), and one axis", 2, _other_axes),
        Case("numbers that are exactly 0, or close to it", 2, _at_the_kink),
        Case("a batch of one (N = 1)", 1, _back(3, rows=1)),
        Case(TWICE, 2, called_twice(_RELU, _drawing(3))),
        Case(IN_FLIGHT, 1, in_flight(_RELU, _drawing(2))),
    ),
)

EXERCISES = (RELU_FORWARD, RELU_BACKWARD)
