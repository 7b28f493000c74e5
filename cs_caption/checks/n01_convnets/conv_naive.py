"""The checks of conv_forward_naive and conv_backward_naive, and the cases of their fast twins."""

import re
from dataclasses import replace
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
from cs_caption.checks.n01_convnets import conv_by_torch as by_torch
from cs_caption.checks.n01_convnets.windows import (
    APART,
    CLOSE,
    LEAVING_MOST,
    LEAVING_SOME,
    OVERLAPPING,
    Wanted,
    Windows,
    astray,
    hinted,
    numbered,
    one_by_one,
    one_picture,
    one_slice,
    reading,
    require_places,
    whole_picture,
)
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    awkward,
    entries,
    fitting,
    opaque,
    same,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "conv_forward_naive"

_AXES = "(N, F, OH, OW)"
_SHAPES = re.compile(r"broadcast together with shapes \(([\d,]+)\) \(([\d,]+)\)")
_EMPTY = re.compile(r"dx has shape \(\d+, \d+, 0, ")


def forward_cases() -> tuple[Case, ...]:
    """Return the cases of a forward convolution, naive or fast."""
    cases = (
        Case("a slice of 3x3 and a filter of 2x2, by hand", 1, _by_hand, drawn=False),
        Case("filters with a single 1: out is x, moved", 2, _moved),
        Case("filters of zeros: the bias is left", 1, _bias),
        Case("no two sizes equal; stride 2, pad 1", 3, _forward(OVERLAPPING)),
        Case(
            "the stride does not divide: what is left over is dropped",
            2,
            _forward(LEAVING_SOME, LEAVING_MOST),
        ),
        Case("windows that leave out rows and columns; pad 2", 1, _forward(APART)),
        Case("filters of 1x1; filters as large as x", 1, _forward(one_by_one, whole_picture)),
        Case("a batch of one (N = 1), stride and pad not given", 1, _defaults),
        Case(UNTOUCHED, 1, _left_alone),
    )
    return tuple(replace(case, run=hinted(case.run, _pad_hint)) for case in cases)


def backward_cases(layer: Layer) -> tuple[Case, ...]:
    """Return the cases of a backward convolution, naive or fast."""
    main = drawing(OVERLAPPING)
    small = drawing(CLOSE)
    cases = (
        Case(
            "dx and dw of a row of 4 and a filter of 2, by hand",
            1,
            _back_by_hand(layer),
            drawn=False,
        ),
        *(
            Case(f"{name}, no two sizes equal; stride 2, pad 1", 2, backward(layer, main, name))
            for name in layer.names.split(", ")
        ),
        Case("all three, stride 1 and pad 0", 1, backward(layer, small)),
        Case("all three, the stride does not divide", 1, backward(layer, drawing(LEAVING_SOME))),
        Case(
            "all three, windows apart; pad 2, one depth slice (C = 1)",
            1,
            backward(layer, drawing(one_slice(APART))),
        ),
        Case("all three, filters of 1x1 and as large as x", 1, _back_from_extremes(layer)),
        Case(
            "all three, a batch of one (N = 1)",
            1,
            backward(layer, drawing(one_picture(OVERLAPPING))),
        ),
        Case(f"all three, {TWICE}", 1, called_twice(layer, small)),
        Case(f"all three, {IN_FLIGHT}", 1, in_flight(layer, small)),
    )
    return tuple(replace(case, run=hinted(case.run, _cut_hint)) for case in cases)


def conv_layer(forward: str) -> Layer:
    """Return the convolution whose forward has this name."""
    return Layer(
        forward,
        inputs="x, w, b",
        axes=(
            "(N, C, H, W), without the padding, which may be 0",
            "(F, C, HH, WW)",
            "(F,), summed over the pictures and their places",
        ),
        require_out=lambda subject, args, out: require_out(subject, args, out, forward),
        gradients=lambda args, dout: by_torch.conv_gradients(args[:3], dout, windows_of(*args)),
        lookalikes=_gradient_lookalikes,
        counts=_counts,
    )


def drawing(wanted: Wanted) -> Draw:
    """Return what draws x, w, b, stride, pad."""

    def draw(rng: Random) -> tuple:
        windows = wanted(rng)
        shapes = (windows.picture, windows.filters, (windows.F,))
        return (*(rng.standard_normal(shape) for shape in shapes), windows.stride, windows.pad)

    return draw


def windows_of(x: np.ndarray, w: np.ndarray, b: Any, stride: int = 1, pad: int = 0) -> Windows:
    """Return the windows of a convolution with these arguments."""
    F, _, HH, WW = w.shape
    return Windows(*x.shape, HH, WW, stride, pad, F)


def out_of(outcome: Outcome) -> Any:
    """Return out, not yet looked at, of a call that kept its cache."""
    out, cache = entries(outcome.value, "out, cache")
    opaque(cache)
    return out


def require_out(subject: Subject, args: tuple, value: Any, function: str) -> np.ndarray:
    """Return out where it is the convolution's; fail with words on what is wrong."""
    inputs, windows = args[:3], windows_of(*args)
    out = require_places(value, windows, windows.F, _AXES)
    if torch_or_none() is None:
        same(out, _by_pieces(subject, args, function), "out")
    else:
        expected = by_torch.conv(inputs, windows)
        same(out, expected, "out", lambda: by_torch.conv_lookalikes(inputs, windows))
    return out


def _forward(*wanted: Wanted) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for windows in wanted:
            _require_call(subject, drawing(windows)(rng))

    return run


def _by_hand(subject: Subject, rng: Random) -> None:
    x = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])
    w = np.array([[1.0, 2.0], [3.0, -1.0]])
    _require_call(subject, (x[None, None], w[None, None], np.ones(1)))


def _moved(subject: Subject, rng: Random) -> None:
    """Filter k has its only 1 at entry k: so out[:, k] is made of single numbers of x."""
    windows = OVERLAPPING(rng)
    _require_moved(subject, numbered(rng, windows), windows, subject.function)


def _bias(subject: Subject, rng: Random) -> None:
    x, w, b, stride, pad = drawing(OVERLAPPING)(rng)
    args = (x, 0 * w, b, stride, pad)
    _require_bias(subject.call(args, keep=(1,)), args)


def _defaults(subject: Subject, rng: Random) -> None:
    _require_call(subject, drawing(one_picture(CLOSE))(rng)[:3])


def _left_alone(subject: Subject, rng: Random) -> None:
    for wanted in (OVERLAPPING, CLOSE):  # without padding no copy need be made
        args = drawing(wanted)(rng)
        for given in (args, (*map(awkward, args[:3]), *args[3:])):
            outcome = subject.call(given, keep=(1,))
            unchanged(outcome, "x, w, b")
            require_out(subject, args, out_of(outcome), subject.function)


def _require_call(subject: Subject, args: tuple) -> None:
    out = out_of(subject.call(args, keep=(1,)))
    require_out(subject, args, out, subject.function)


def _by_pieces(subject: Subject, args: tuple, function: str) -> np.ndarray:
    """Return what out must be: a filter is a sum of filters with a single 1, and out of theirs."""
    (x, w, b), windows = args[:3], windows_of(*args)
    moved = _require_moved(subject, x, windows, function)
    nothing = (x, 0 * w, b, windows.stride, windows.pad)
    _require_bias(subject.call(nothing, keep=(1,), function=function), nothing)
    return np.einsum("nkij,fk->nfij", moved, w.reshape(windows.F, -1)) + b[:, None, None]


def _require_moved(subject: Subject, x: np.ndarray, windows: Windows, function: str) -> np.ndarray:
    """Return what comes out for filters with a single 1 each, where it is x, moved."""
    size = windows.C * windows.HH * windows.WW
    single = np.eye(size).reshape(size, *windows.filters[1:])
    args = (x, single, np.zeros(size), windows.stride, windows.pad)
    out = out_of(subject.call(args, keep=(1,), function=function))
    moved = require_places(out, windows_of(*args), size, _AXES)
    by_entry = moved.reshape(windows.N, *windows.filters[1:], *windows.places)
    at = astray(by_entry, x, windows)
    if at:
        named = _moved_words(moved, args) or reading(by_entry, x, windows, at)
        raise Wrong(f"out is not x, moved: {named}")
    return moved


def _moved_words(moved: np.ndarray, args: tuple) -> str:
    windows = windows_of(*args)
    if torch_or_none() is not None:
        named = fitting(moved, by_torch.conv_lookalikes(args[:3], windows))
        if named:
            return named[0]
    return ""


def _require_bias(outcome: Outcome, args: tuple) -> None:
    _, w, b = args[:3]
    windows = windows_of(*args)
    out = require_places(out_of(outcome), windows, windows.F, _AXES)
    C, HH, WW = w.shape[1:]
    factors = {
        "b is not added": 0,
        "b is subtracted": -1,
        "b is added once for each channel": C,
        "b is added once for each number of the window": C * HH * WW,
        "b is added once for each row of the window": HH,
    }
    expected = np.zeros_like(out) + b[:, None, None]
    lookalikes = {words: times * expected for words, times in factors.items()}
    lookalikes["all filters have the bias of the first"] = np.full_like(out, b[0])
    same(out, expected, "out for w = 0", lambda: lookalikes)


def _back_by_hand(layer: Layer) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        x, w = np.array([2.0, 1.0, 0.0, 3.0]), np.array([3.0, 2.0])
        args = (x.reshape(1, 1, 1, 4), w.reshape(1, 1, 1, 2), np.zeros(1), 1, 0)
        taken = step(subject, rng, layer, args)
        dout = np.array([1.0, 10.0, 100.0]).reshape(1, 1, 1, 3)
        taken = Taken(args, taken.out, taken.kept, taken.cache, dout)
        found = subject.call((dout, taken.cache)).value
        require_gradients(subject, layer, taken, found, "dx, dw")

    return run


def _back_from_extremes(layer: Layer) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for wanted in (one_by_one, whole_picture):
            backward(layer, drawing(wanted))(subject, rng)

    return run


def _gradient_lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    return by_torch.conv_gradient_lookalikes(i, taken.args[:3], taken.dout, windows_of(*taken.args))


def _pad_hint(words: str) -> str:
    """What else to say where windows and filters do not fit."""
    found = _SHAPES.search(words)
    if found is None:
        return ""
    window, filters = (tuple(map(int, shape.strip(",").split(","))) for shape in found.groups())
    if len(window) < 3 or len(filters) < 3 or window[-2:] != filters[-2:]:
        return ""
    more = window[-3] - filters[-3]
    return "; does the pad go on N and C too?" if more > 0 and more % 2 == 0 else ""


def _cut_hint(words: str) -> str:
    """What else to say where dx is empty."""
    return ": with pad 0, `0:-0` is empty: write pad : pad + H" if _EMPTY.search(words) else ""


def _counts(args: tuple) -> dict[str, int]:
    windows = windows_of(*args)
    OH, OW = windows.places
    names = {"N": windows.N, "F": windows.F, "OH OW": OH * OW, "N OH OW": windows.N * OH * OW}
    return names | {"C": windows.C, "HH WW": windows.HH * windows.WW}


CONV_FORWARD_NAIVE = Exercise(
    FORWARD,
    points=3,
    referee=referee,
    banned=("torch",),
    cases=forward_cases(),
)

CONV_BACKWARD_NAIVE = Exercise(
    "conv_backward_naive",
    points=4,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=backward_cases(conv_layer(FORWARD)),
)

EXERCISES = (CONV_FORWARD_NAIVE, CONV_BACKWARD_NAIVE)
