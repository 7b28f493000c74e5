"""The checks of im2col, and of conv_forward and conv_backward: what their naive twins return."""

from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n01_convnets.conv_naive import (
    backward_cases,
    conv_layer,
    drawing,
    forward_cases,
)
from cs_caption.checks.n01_convnets.no_loop import (
    NO_LOOP,
    backward_without_loop,
    forward_without_loop,
)
from cs_caption.checks.n01_convnets.single import (
    SINGLE,
    backward_in_single,
    forward_in_single,
    require_single,
)
from cs_caption.checks.n01_convnets.windows import (
    APART,
    CLOSE,
    LEAVING_MOST,
    LEAVING_SOME,
    MISCOUNTED,
    OVERLAPPING,
    Wanted,
    Windows,
    astray,
    judges,
    miscounted,
    numbered,
    one_by_one,
    one_picture,
    reading,
    whole_picture,
)
from cs_caption.checks.referee import referee
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "conv_forward"

_AXES = "(N, C HH WW, OH OW)"
_FIRST = "transpose first, to C, HH, WW, OH, OW"


def _columns(*wanted: Wanted) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for draw in wanted:
            windows = draw(rng)
            _require_call(subject, numbered(rng, windows), windows)

    return run


def _by_hand(subject: Subject, rng: Random) -> None:
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    _require_call(subject, x, Windows(*x.shape, 2, 2), given=2)


def _defaults(subject: Subject, rng: Random) -> None:
    windows = one_picture(CLOSE)(rng)
    _require_call(subject, numbered(rng, windows), windows, given=2)


def _columns_in_single(subject: Subject, rng: Random) -> None:
    windows = OVERLAPPING(rng)
    x = numbered(rng, windows).astype(np.float32)
    cols = subject.call((x, *_sizes(windows))).value
    _require(require_single(cols, "cols", "x"), x, windows)


def _columns_left_alone(subject: Subject, rng: Random) -> None:
    for wanted in (OVERLAPPING, CLOSE):  # without padding no copy need be made
        windows = wanted(rng)
        x = numbered(rng, windows)
        for given in (x, awkward(x)):
            outcome = subject.call((given, *_sizes(windows)))
            unchanged(outcome, "x")
            _require(outcome.value, x, windows)


def _sizes(windows: Windows) -> tuple[int, ...]:
    return windows.HH, windows.WW, windows.stride, windows.pad


def _require_call(subject: Subject, x: np.ndarray, windows: Windows, given: int = 4) -> None:
    _require(subject.call((x, *_sizes(windows)[:given])).value, x, windows)


def _require(value: Any, x: np.ndarray, windows: Windows) -> None:
    """Fail where cols are not the windows of x, which is `numbered`."""
    N, (OH, OW) = windows.N, windows.places
    size = windows.C * windows.HH * windows.WW
    if type(value) is np.ndarray:
        _require_axes(value.shape, (N, size, OH * OW), windows)
    cols = array(value, (N, size, OH * OW), "cols", _AXES)
    by_entry = cols.reshape(N, *windows.filters[1:], OH, OW)
    at = astray(by_entry, x, windows)
    if at:
        named = _named(by_entry, x, windows) or reading(by_entry, x, windows, at)
        raise Wrong(f"cols is wrong: {named}")


def _require_axes(found: tuple, expected: tuple, windows: Windows) -> None:
    """Fail with words of our own where the axes are those of a likely mistake."""
    N, size, places = expected
    shape = f"cols has shape {found}, expected {expected} = {_AXES}"
    if found == (N, places, size) != expected:
        raise Wrong(f"{shape}: the windows are rows here, they should be columns")
    if found in ((size, N * places), (N * places, size)):
        raise Wrong(f"{shape}: the pictures are side by side, each has columns of its own")
    if len(found) == 6:
        raise Wrong(f"{shape}: reshape it to three axes")
    if len(found) == 3 and found[:2] == (N, size) and found[2] != places:
        raise Wrong(f"{_count_words(found[2], windows)}: {found[2]} columns, expected {places}")


def _count_words(found: int, windows: Windows) -> str:
    """Name the mistake that makes so many windows."""
    tried = ((down, found // down) for down in range(1, found + 1) if found % down == 0)
    words = [miscounted(sizes, windows) for sizes in tried]
    return next((text for text in words if text not in ("", MISCOUNTED)), MISCOUNTED)


def _named(found: np.ndarray, x: np.ndarray, windows: Windows) -> str:
    """Name the mistake without which cols would be the windows of x; '' where none is known."""
    if not found.any():
        return "it is 0 everywhere"
    for words, mended in _mended(found, windows).items():
        if astray(mended, x, windows) is None:
            return words
    for axis, words in enumerate(("all pictures are the first", "all channels are the first")):
        first = np.repeat(x.take([0], axis), x.shape[axis], axis)
        if astray(found, first, windows) is None:
            return words
    return ""


def _mended(found: np.ndarray, windows: Windows) -> dict[str, np.ndarray]:
    """What cols would hold, had a mistake in the order of its numbers not been made."""
    N, C, HH, WW, OH, OW = found.shape
    order = "the entries of a column run over C, then HH, then WW: here they run over"

    def read(sizes: tuple[int, ...], *axes: int) -> np.ndarray:
        return found.reshape(N, *sizes).transpose(0, *axes)

    return {
        f"{order} HH, WW, C": read((HH, WW, C, OH, OW), 3, 1, 2, 4, 5),
        f"{order} C, WW, HH": read((C, WW, HH, OH, OW), 1, 3, 2, 4, 5),
        f"{order} WW, HH, C": read((WW, HH, C, OH, OW), 3, 2, 1, 4, 5),
        "the columns run along each row of the output: here they run down": read(
            (C, HH, WW, OW, OH), 1, 2, 3, 5, 4
        ),
        f"the axes are C, OH, OW, HH, WW when it is reshaped: {_FIRST}": read(
            (C, OH, OW, HH, WW), 1, 4, 5, 2, 3
        ),
        f"the axes are OH, OW, C, HH, WW when it is reshaped: {_FIRST}": read(
            (OH, OW, C, HH, WW), 3, 4, 5, 1, 2
        ),
        "each window is flipped": found[:, :, ::-1, ::-1],
    }


_LAYER = conv_layer(FORWARD)

IM2COL = Exercise(
    "im2col",
    points=1,
    referee=judges("single windows, cut out of x", "torch.nn.functional.unfold"),
    banned=("torch",),
    cases=(
        Case("a slice of 3x3, windows of 2x2, by hand", 1, _by_hand, drawn=False),
        Case("no two sizes equal; stride 2, pad 1", 3, _columns(OVERLAPPING)),
        Case(
            "the stride does not divide: what is left over is dropped",
            2,
            _columns(LEAVING_SOME, LEAVING_MOST),
        ),
        Case("windows that leave out rows and columns; pad 2", 1, _columns(APART)),
        Case("windows of 1x1; a window as large as x", 1, _columns(one_by_one, whole_picture)),
        Case("a batch of one (N = 1), stride and pad not given", 1, _defaults),
        Case(SINGLE, 1, _columns_in_single),
        Case(UNTOUCHED, 1, _columns_left_alone),
    ),
)

CONV_FORWARD = Exercise(
    FORWARD,
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        *forward_cases(),
        Case(NO_LOOP, 4, forward_without_loop(_LAYER)),
        Case(SINGLE, 1, forward_in_single(_LAYER, drawing(OVERLAPPING))),
    ),
)

CONV_BACKWARD = Exercise(
    "conv_backward",
    points=3,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        *backward_cases(_LAYER),
        Case(f"all three, {NO_LOOP}", 5, backward_without_loop(_LAYER)),
        Case(f"all three, {SINGLE}", 1, backward_in_single(_LAYER, drawing(OVERLAPPING))),
    ),
)

EXERCISES = (IM2COL, CONV_FORWARD, CONV_BACKWARD)
