"""The checks of affine_forward and affine_backward."""

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
    require_gradients,
    step,
)
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n01_convnets import dense_by_torch as by_torch
from cs_caption.checks.referee import referee, torch_or_none
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
    same,
    sizes,
    turned,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "affine_forward"


def _forward(axes: int, rows: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        args = _draw(rng, axes, rows)
        _require(subject, args, _out_of(subject.call(args, keep=(1,)), args))

    return run


def _volumes(subject: Subject, rng: Random) -> None:
    for axes in (4, 3):
        _forward(axes)(subject, rng)


def _one_input(subject: Subject, rng: Random) -> None:
    for axes in (2, 4):
        _forward(axes, rows=1)(subject, rng)


def _terms(subject: Subject, rng: Random) -> None:
    _require_terms(subject, _draw(rng, 2))


def _left_alone(subject: Subject, rng: Random) -> None:
    args = _draw(rng, 3)
    for given in (args, tuple(map(awkward, args))):
        outcome = subject.call(given, keep=(1,))
        unchanged(outcome, "x, w, b")
        _require(subject, args, _out_of(outcome, args))
    _require_turned(subject, args)


def _require_turned(subject: Subject, args: tuple) -> None:
    """What transpose returns is a view: its numbers lie in memory in another order."""
    x, w, b = args
    try:
        out = _out_of(subject.call((turned(x), w, b), keep=(1,)), args)
        _require(subject, args, out)
    except Wrong as wrong:
        raise Wrong(f"{_TURNED}{wrong}") from None


def _draw(rng: Random, axes: int, rows: int | None = None) -> tuple[np.ndarray, ...]:
    """Draw x, w, b: no two of N, the axes of x and M are equal, nor is D any of them."""
    while True:
        N, M, *rest = sizes(rng, axes + 1, 2, 7)
        D = int(np.prod(rest))
        if axes == 2 or D not in (N, M):
            break
    return tuple(eighths(rng, shape) for shape in ((rows or N, *rest), (D, M), (M,)))


def _out_of(outcome: Outcome, args: tuple) -> np.ndarray:
    out, cache = entries(outcome.value, "out, cache")
    opaque(cache)
    return _array(out, args)


def _array(out: Any, args: tuple) -> np.ndarray:
    x, w, _ = args
    return array(out, (len(x), w.shape[1]), "out", "(N, M)")


def _require(subject: Subject, args: tuple, out: np.ndarray) -> None:
    """Fail where out is not the layer's, with words on what was left out."""
    expected = _require_terms(subject, args) if torch_or_none() is None else by_torch.affine(*args)
    if close(out, expected):
        return
    rearranged = fitting(out, _rearranged(args, expected))
    if not rearranged:
        _require_terms(subject, args)
    same(out, expected, "out", lambda: _rearranged(args, expected))


def _require_terms(subject: Subject, args: tuple) -> np.ndarray:
    """Read the terms off: a one-hot x picks a row of w. Return what out must be if they add up."""
    x, w, b = args
    D = len(w)
    ones = np.eye(D).reshape(D, *x.shape[1:])
    probes = [(ones[:2] * 0, w, b), (ones, w, b * 0), (ones, w, b)]
    outcomes = subject.calls(probes, leave=(1,), function=FORWARD)
    biases, product, total = (_out_of(o, p) for o, p in zip(outcomes, probes, strict=True))
    bias = biases[0]
    if np.any(b < 0) and close(bias, np.clip(b, 0, None)):
        raise Wrong(_THRESHOLD)
    same(bias, b, "the term b", lambda: {
        "b is not added": 0 * b, "b is subtracted": -b, "it is added twice": 2 * b,
    })  # fmt: skip
    same(product, w, "the term x w", lambda: {
        "x is ignored": 0 * w,
        "its sign is wrong": -w,
        "w is reshaped: use it as it is": w.reshape(w.T.shape).T,
        "w is transposed and reshaped: use it as it is": w.T.reshape(w.shape),
        "only the first of the N inputs is looked at": np.tile(w[:1], (D, 1)),
        "it is divided by D": w / D,
    })  # fmt: skip
    same(total, product + bias, "the sum of the two terms")
    # each input is a sum of one-hot ones: so is its row of out
    flat = np.array([one.ravel() for one in x])
    return np.einsum("nd,dm->nm", flat, product) + bias


_TURNED = (
    "with an x that comes from a transpose (x.reshape(N, -1) reads along its axes; "
    "order='K' or 'A' reads its memory instead): "
)

_THRESHOLD = (
    "negative numbers become 0: a threshold at zero is taken, but this layer ends before it "
    "(relu_forward is a layer of its own)"
)


def _rearranged(args: tuple, expected: np.ndarray) -> dict[str, np.ndarray]:
    """What comes out where x is not flattened as it should be, or not all of it counts."""
    x, w, b = args
    N = len(x)
    order = "x is not flattened in the order that x.reshape(N, -1) has"
    flat = {
        f"{order}: its axes are walked through from the first to the last": x.reshape(
            N, -1, order="F"
        ),
        f"{order}: do not move its axes before": np.moveaxis(x, 1, -1).reshape(N, -1),
        "each row must hold the numbers of one input: is x reshaped across the N inputs?": (
            x.reshape(-1, N).T
        ),
        "all N inputs are taken for the first": np.tile(x[:1].reshape(1, -1), (N, 1)),
    }
    others = {words: np.einsum("nd,dm->nm", rows, w) + b for words, rows in flat.items()}
    return {_THRESHOLD: np.clip(expected, 0, None), **others}


def _require_out(subject: Subject, args: tuple, out: Any) -> np.ndarray:
    out = _array(out, args)
    _require(subject, args, out)
    return out


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    return by_torch.affine_lookalikes(i, taken.args, taken.dout, taken.out)


def _counts(args: tuple) -> dict[str, int]:
    x, w, _ = args
    return {"N": len(x), "D": len(w), "M": w.shape[1]}


def _drawing(axes: int, rows: int | None = None) -> Draw:
    return lambda rng: _draw(rng, axes, rows)


def _back_to_volumes(subject: Subject, rng: Random) -> None:
    for axes in (4, 3):
        backward(_AFFINE, _drawing(axes))(subject, rng)
    x, w, b = _draw(rng, 3)
    taken = step(subject, rng, _AFFINE, (turned(x), w, b))
    found = subject.call((taken.dout, taken.cache)).value
    require_gradients(subject, _AFFINE, taken, found, when=_TURNED)


_AFFINE = Layer(
    FORWARD,
    inputs="x, w, b",
    axes=("the shape of x", "(D, M)", "(M,)"),
    require_out=_require_out,
    gradients=by_torch.affine_gradients,
    lookalikes=_lookalikes,
    counts=_counts,
)

AFFINE_FORWARD = Exercise(
    FORWARD,
    points=1,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("each term alone: x w, and b", 2, _terms),
        Case("a batch of vectors (N, D)", 2, _forward(2)),
        Case("a batch of volumes: x with four axes, and with three", 3, _volumes),
        Case("a batch of one (N = 1)", 1, _one_input),
        Case(UNTOUCHED, 2, _left_alone),
    ),
)

AFFINE_BACKWARD = Exercise(
    "affine_backward",
    points=2,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        *(Case(f"{name}, x (N, D)", 2, backward(_AFFINE, _drawing(2), name))
          for name in _AFFINE.names.split(", ")),
        Case("all three, of volumes: dx has the axes of x", 2, _back_to_volumes),
        Case("all three, a batch of one (N = 1)", 1, backward(_AFFINE, _drawing(4, rows=1))),
        Case(f"all three, {TWICE}", 1, called_twice(_AFFINE, _drawing(3))),
        Case(f"all three, {IN_FLIGHT}", 1, in_flight(_AFFINE, _drawing(2))),
    ),
)  # fmt: skip

EXERCISES = (AFFINE_FORWARD, AFFINE_BACKWARD)
