"""The checks of max_pool_forward and max_pool_backward."""

from dataclasses import replace
from functools import partial
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
from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.n01_convnets import conv_by_torch as by_torch
from cs_caption.checks.n01_convnets.single import SINGLE, backward_in_single, forward_in_single
from cs_caption.checks.n01_convnets.windows import (
    Wanted,
    Windows,
    drawn,
    hinted,
    judges,
    one_by_one,
    one_picture,
    require_places,
    some_places,
    whole_picture,
)
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    differing,
    entries,
    factors,
    fitting,
    opaque,
    same,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "max_pool_forward"

_AXES = "(N, C, OH, OW)"
_GRID = np.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])[None, None]
_OVERLAPPING = drawn(2, 0, window=(3, 5))
_LEAVING_SOME = drawn(3, 0, window=(4, 5), left_over=(1, 2), clash=True)
_APART = drawn(4, 0, window=(2, 3), clash=True)
_SMALL = drawn(2, 0, window=(3, 4), clash=True)
_NEARLY = "where the numbers of x differ by 1e-8 only: "


def _forward(*wanted: Wanted) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for windows in wanted:
            _require_call(subject, _drawing(windows)(rng))

    return run


def _lecture(subject: Subject, rng: Random) -> None:
    _require_call(subject, (_GRID,))


def _negative(subject: Subject, rng: Random) -> None:
    for windows in (_OVERLAPPING, _LEAVING_SOME):
        x, *sizes = _drawing(windows)(rng)
        below = x - x.max() - 1
        for negative in (below, below * 1e12):
            _require_call(subject, (negative, *sizes))


def _left_alone(subject: Subject, rng: Random) -> None:
    args = _drawing(_OVERLAPPING)(rng)
    for given in (args, (awkward(args[0]), *args[1:])):
        outcome = subject.call(given, keep=(1,))
        unchanged(outcome, "x")
        _require(args, _out_of(outcome))


def _drawing(wanted: Wanted) -> Draw:
    """Return what draws x, HH, WW, stride.

    No two numbers of x are nearer than 1/8: a small step does not change which is the largest.
    """

    def draw(rng: Random) -> tuple:
        windows = wanted(rng)
        size = int(np.prod(windows.picture))
        x = (rng.permutation(size).reshape(windows.picture) - size // 2) / 8
        return x + 1 / 16, windows.HH, windows.WW, windows.stride

    return draw


def _windows_of(x: np.ndarray, HH: int = 2, WW: int = 2, stride: int = 2) -> Windows:
    return Windows(*x.shape, HH, WW, stride, F=0)


def _out_of(outcome: Outcome) -> Any:
    out, cache = entries(outcome.value, "out, cache")
    opaque(cache)
    return out


def _require_call(subject: Subject, args: tuple) -> None:
    _require(args, _out_of(subject.call(args, keep=(1,))))


def _require(args: tuple, value: Any) -> np.ndarray:
    """Return out if each number is one of its window, and none there is larger."""
    x, windows = args[0], _windows_of(*args)
    out = require_places(value, windows, windows.C, _AXES)
    wrong = _started_too_high(out, x) or _named_by_torch(out, x, windows)
    wrong = wrong or _against_definition(out, x, windows)
    if wrong:
        raise Wrong(wrong)
    return out


def _started_too_high(out: np.ndarray, x: np.ndarray) -> str:
    start = out.flat[0]
    if out.size == 1 or np.any(out != start) or start <= x.max():
        return ""
    return (
        f"out is {start:g} everywhere, although all of x is smaller: does the largest so far start "
        "there? Start at minus infinity"
    )


def _named_by_torch(out: np.ndarray, x: np.ndarray, windows: Windows) -> str:
    """Say what is wrong where torch is installed and says otherwise; else ''."""
    if torch_or_none() is None:
        return ""
    right = by_torch.pool(x, windows)
    if np.array_equal(out, right):
        return ""
    named = fitting(out, by_torch.pool_lookalikes(x, windows))
    wrong = _against_definition(out, x, windows) or f"out is wrong{differing(out, right)}"
    return f"out is wrong: {named[0]}" if named else wrong


def _against_definition(out: np.ndarray, x: np.ndarray, windows: Windows) -> str:
    """Say what is wrong with the numbers of some windows; '' where nothing is."""
    for i, j in some_places(windows):
        top, left = i * windows.stride, j * windows.stride
        seen = x[:, :, top : top + windows.HH, left : left + windows.WW]
        mine = out[:, :, i, j, None, None]
        if not np.all(np.any(seen == mine, axis=(2, 3))):
            return f"in output row {i}, column {j} there is a number that its window does not hold"
        if np.any(seen > mine):
            return f"for output row {i}, column {j} the window has a larger number"
    return ""


def _lecture_back(subject: Subject, rng: Random) -> None:
    taken = step(subject, rng, _POOL, (_GRID, 2, 2, 2))
    dout = np.array([[10.0, 20.0], [30.0, 40.0]])[None, None]
    taken = replace(taken, dout=dout)
    require_gradients(subject, _POOL, taken, subject.call((dout, taken.cache)).value)


def _extremes_back(subject: Subject, rng: Random) -> None:
    for wanted in (one_by_one, whole_picture):
        backward(_POOL, _drawing(wanted))(subject, rng)


def _negative_back(subject: Subject, rng: Random) -> None:
    def draw(rng: Random) -> tuple:
        x, *sizes = _drawing(_SMALL)(rng)
        return x - x.max() - 1, *sizes

    backward(_POOL, draw)(subject, rng)


def _ties(subject: Subject, rng: Random) -> None:
    """Equal entries: the first gets it all. Nearly equal ones: the largest does, all the same."""
    for wanted in (_SMALL, _APART):
        x, *sizes = _drawing(wanted)(rng)
        _require_first(subject, rng, (rng.randint(-2, 2, x.shape) / 2, *sizes))
        _require_first(subject, rng, (x * 1e-7, *sizes), _NEARLY)


def _require_first(subject: Subject, rng: Random, args: tuple, when: str = "") -> None:
    """Compare dx with torch's, or with that of other numbers in the same order, none of them equal.

    Numeric differentiation cannot be asked: at a tie it finds the mean of two slopes.
    """
    taken = step(subject, rng, _POOL, args)
    dx = subject.call((taken.dout, taken.cache)).value
    dx = array(dx, args[0].shape, "dx", _POOL.axes[0])
    try:
        if torch_or_none() is None:
            same(dx, _dx_in_order(subject, rng, taken), "dx")
        else:
            (truth,) = _gradients(args, taken.dout)
            by_factor = partial(factors, counts=_counts(args))
            others = partial(_gradient_lookalikes, 0, taken)
            require_gradient("dx", dx, truth, None, by_factor, others)
    except Wrong as wrong:
        raise Wrong(f"{when}{wrong}") from None


def _dx_in_order(subject: Subject, rng: Random, taken: Taken) -> np.ndarray:
    """dx where x has the places of its numbers in their order, the first of equal ones highest."""
    x, *sizes = taken.args
    place = np.arange(x.size)
    rank = np.empty(x.size)
    rank[np.lexsort((-place, x.ravel()))] = place / 8
    apart = step(subject, rng, _POOL, (rank.reshape(x.shape), *sizes))
    apart = replace(apart, dout=taken.dout)
    dx = subject.call((apart.dout, apart.cache)).value
    require_gradients(subject, _POOL, apart, dx)
    return dx


def _place_hint(words: str) -> str:
    """What else to say where an index leaves the window."""
    if "stopped with IndexError" not in words:
        return ""
    return "; place k of a window is in row k // WW, column k % WW"


def _hinted(*cases: Case) -> tuple[Case, ...]:
    return tuple(replace(case, run=hinted(case.run, _place_hint)) for case in cases)


def _gradients(args: tuple, dout: np.ndarray) -> list[np.ndarray]:
    return [by_torch.pool_gradient(args[0], dout, _windows_of(*args))]


def _gradient_lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    windows = _windows_of(*taken.args)
    return by_torch.pool_gradient_lookalikes(taken.args[0], taken.dout, windows)


def _counts(args: tuple) -> dict[str, int]:
    windows = _windows_of(*args)
    return {"N": windows.N, "C": windows.C, "HH WW": windows.HH * windows.WW}


_POOL = Layer(
    FORWARD,
    inputs="x",
    axes=("(N, C, H, W)",),
    require_out=lambda subject, args, out: _require(args, out),
    gradients=_gradients,
    lookalikes=_gradient_lookalikes,
    counts=_counts,
)

MAX_POOL_FORWARD = Exercise(
    FORWARD,
    points=1,
    referee=judges(
        "each number is one of its window, and none there is larger",
        "torch.nn.functional.max_pool2d",
    ),
    banned=("torch",),
    cases=(
        Case("the lecture's grid, windows of 2x2, stride 2", 1, _lecture, drawn=False),
        Case("no two sizes equal; windows that overlap", 3, _forward(_OVERLAPPING)),
        Case(
            "the stride does not divide: what is left over is dropped", 2, _forward(_LEAVING_SOME)
        ),
        Case("windows that leave out rows and columns", 1, _forward(_APART)),
        Case("negative numbers only, from near 0 to below -1e12", 1, _negative),
        Case("windows of 1x1; a window as large as x", 1, _forward(one_by_one, whole_picture)),
        Case("a batch of one (N = 1)", 1, _forward(one_picture(_OVERLAPPING))),
        Case(SINGLE, 1, forward_in_single(_POOL, _drawing(_OVERLAPPING))),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)

MAX_POOL_BACKWARD = Exercise(
    "max_pool_backward",
    points=2,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=_hinted(
        Case("the lecture's grid, windows of 2x2, stride 2", 1, _lecture_back, drawn=False),
        Case(
            "no two sizes equal; windows that overlap", 3, backward(_POOL, _drawing(_OVERLAPPING))
        ),
        Case("the stride does not divide", 1, backward(_POOL, _drawing(_LEAVING_SOME))),
        Case("windows that leave out rows and columns", 2, backward(_POOL, _drawing(_APART))),
        Case("equal entries: the first, row by row, gets the gradient", 2, _ties),
        Case("negative numbers only", 1, _negative_back),
        Case("windows of 1x1; a window as large as x", 1, _extremes_back),
        Case("a batch of one (N = 1)", 1, backward(_POOL, _drawing(one_picture(_OVERLAPPING)))),
        Case(SINGLE, 1, backward_in_single(_POOL, _drawing(_OVERLAPPING))),
        Case(TWICE, 1, called_twice(_POOL, _drawing(_SMALL))),
        Case(IN_FLIGHT, 1, in_flight(_POOL, _drawing(_SMALL))),
    ),
)

EXERCISES = (MAX_POOL_FORWARD, MAX_POOL_BACKWARD)
