"""Windows that slide over a picture: how many there are, what each one holds, and pictures to try.

A mistake in the arithmetic of windows is found here, by where the numbers come from.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Run
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import array

Random = np.random.RandomState

_MANY, _FEW = 216, 120  # numbers in the output: a check with slow loops takes less than a second
_DRAWN = 4  # windows that are looked at one by one, beside those in the corners
_ASTRAY = (  # what is said of a number before the right one, and after it, on each axis of x
    ("is of another picture",) * 2,
    ("is of another channel",) * 2,
    ("lies too far up in x", "lies too far down in x"),
    ("lies too far to the left in x", "lies too far to the right in x"),
)
MISCOUNTED = "the windows are miscounted"
FIRST_ONLY = "only the first picture is done: is `return` inside the loop?"


@dataclass(frozen=True)
class Windows:
    """Windows of HH x WW over pictures (N, C, H, W), and how many filters look at each (or 0)."""

    N: int
    C: int
    H: int
    W: int
    HH: int
    WW: int
    stride: int = 1
    pad: int = 0
    F: int = 1

    @property
    def picture(self) -> tuple[int, ...]:
        """The shape of x."""
        return self.N, self.C, self.H, self.W

    @property
    def filters(self) -> tuple[int, ...]:
        """The shape of w."""
        return self.F, self.C, self.HH, self.WW

    @property
    def places(self) -> tuple[int, int]:
        """How many windows fit, down and across: OH and OW."""
        down, across = ((room // self.stride) for room in self._room)
        return 1 + down, 1 + across

    @property
    def left_over(self) -> tuple[int, int]:
        """Rows and columns, padding included, that no window reaches."""
        down, across = ((room % self.stride) for room in self._room)
        return down, across

    @property
    def _room(self) -> tuple[int, int]:
        """How far the first window can move."""
        return self.H + 2 * self.pad - self.HH, self.W + 2 * self.pad - self.WW


Wanted = Callable[[Random], Windows]


def drawn(
    stride: int,
    pad: int,
    *,
    window: tuple[int, int],
    left_over: tuple[int, int] = (0, 0),
    clash: bool = False,
) -> Wanted:
    """Return what draws windows with no two sizes equal.

    window:    the smallest and the largest of its sides
    left_over: the fewest and the most rows, and columns, at the end that no window reaches
    clash:     whether sizes may be equal that are never those of one array; the output is smaller
    """

    def draw(rng: Random) -> Windows:
        while True:
            HH, WW = rng.permutation(np.arange(window[0], window[1] + 1))[:2]
            OH, OW = rng.permutation(np.arange(2, 6))[:2]
            rest = rng.randint(left_over[0], left_over[1] + 1, 2) if any(left_over) else (0, 0)
            H = HH + stride * (OH - 1) - 2 * pad + rest[0]
            W = WW + stride * (OW - 1) - 2 * pad + rest[1]
            N, C, F = rng.permutation(np.arange(2, 7))[:3]
            found = Windows(*map(int, (N, C, H, W, HH, WW)), stride, pad, int(F))
            if _different(found, clash) and _size(found) <= (_FEW if clash else _MANY):
                return found

    return draw


def one_by_one(rng: Random) -> Windows:
    """Return windows of a single pixel."""
    while True:
        found = CLOSE(rng)
        H, W = found.places
        if {H, W}.isdisjoint((found.N, found.C)):
            return replace(found, H=H, W=W, HH=1, WW=1)


def whole_picture(rng: Random) -> Windows:
    """Return one window that is as large as the picture."""
    found = CLOSE(rng)
    return replace(found, HH=found.H, WW=found.W)


def one_picture(wanted: Wanted) -> Wanted:
    """Return what draws the same for a batch of one."""
    return lambda rng: replace(wanted(rng), N=1)


def one_slice(wanted: Wanted) -> Wanted:
    """Return what draws the same for pictures of one depth slice, which may have more padding."""
    return lambda rng: replace(wanted(rng), C=1)


OVERLAPPING = drawn(2, 1, window=(3, 5))
CLOSE = drawn(1, 0, window=(2, 4), clash=True)
LEAVING_SOME = drawn(3, 0, window=(4, 5), left_over=(1, 2), clash=True)
# One row or column of padding more would make room for another window.
LEAVING_MOST = drawn(3, 1, window=(4, 5), left_over=(2, 2), clash=True)
APART = drawn(5, 2, window=(3, 4), clash=True)


def numbered(rng: Random, windows: Windows) -> np.ndarray:
    """Return a picture (N, C, H, W) with the numbers from 1 on, each once, in any order."""
    return 1.0 + rng.permutation(int(np.prod(windows.picture))).reshape(windows.picture)


def some_places(windows: Windows) -> list[tuple[int, int]]:
    """Return rows and columns of the output: the four corners, and a few that are drawn."""
    OH, OW = windows.places
    drawn = np.random.RandomState(11).randint(0, windows.places, (_DRAWN, 2))
    corners = [(0, 0), (0, OW - 1), (OH - 1, 0), (OH - 1, OW - 1)]
    return list(dict.fromkeys([*corners, *((int(i), int(j)) for i, j in drawn)]))


def astray(found: np.ndarray, x: np.ndarray, windows: Windows) -> tuple[int, ...] | None:
    """Return the first entry of found that is not the number of x that belongs there; or None.

    Where torch is installed every window is compared with it, and some are cut out in any case.
    Shapes: found (N, C, HH, WW, OH, OW), x (N, C, H, W)
    """
    wrong = _against_torch(found, x, windows)
    p, s = windows.pad, windows.stride
    x_pad = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    for i, j in some_places(windows):
        cut = x_pad[:, :, i * s : i * s + windows.HH, j * s : j * s + windows.WW]
        wrong += [(*map(int, at), i, j) for at in np.argwhere(found[..., i, j] != cut)]
    return min(wrong, default=None)


def reading(found: np.ndarray, x: np.ndarray, windows: Windows, at: tuple[int, ...]) -> str:
    """Say which way the wrong number `at` lies, where x is `numbered`; see `astray`."""
    n, c, u, v, i, j = at
    wanted = (n, c, i * windows.stride + u - windows.pad, j * windows.stride + v - windows.pad)
    place = f"in output row {i}, column {j} there is"
    mine = np.argwhere(x == found[at])
    if found[at] == 0:
        return f"{place} a 0 where a number of x belongs"
    if len(mine) == 0:
        return f"{place} something that is no number of x"
    if not (0 <= wanted[2] < windows.H and 0 <= wanted[3] < windows.W):
        return f"{place} a number of x where the padding belongs: it is all zeros"
    axis = int(np.argmax(mine[0] != wanted))
    return f"{place} a number that {_ASTRAY[axis][int(mine[0, axis] > wanted[axis])]}"


def judges(definition: str, function: str) -> Callable[[], str]:
    """Return what says who decided: some windows cut out of x, and torch where it is installed."""

    def words() -> str:
        torch = torch_or_none()
        if torch is not None:
            return f"torch {torch.__version__} ({function}), and the definition: {definition}"
        return (
            f"the definition: {definition} (torch is not installed; with it, {function} is asked "
            "about all windows)"
        )

    return words


def hinted(run: Run, hint: Callable[[str], str]) -> Run:
    """Return the case with a hint at the end of its words, where `hint` has one for them."""

    def with_hint(subject: Subject, rng: Random) -> None:
        try:
            run(subject, rng)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{hint(str(wrong))}") from None

    return with_hint


def require_places(value: Any, windows: Windows, slices: int, axes: str) -> np.ndarray:
    """Return out if it is an array (N, slices, OH, OW) of finite numbers.

    Raises: Wrong, with the probable mistake where the number of windows is wrong.
    """
    shape = (windows.N, slices, *windows.places)
    if type(value) is np.ndarray and value.ndim == 4 and value.shape[:2] == shape[:2]:
        words = miscounted(value.shape[2:], windows)
        if words:
            down, across = value.shape[2:]
            raise Wrong(f"{words}: the output is {down}x{across}, expected {shape[2]}x{shape[3]}")
    return array(value, shape, "out", axes, _only_the_first(value))


def miscounted(found: tuple[int, ...], windows: Windows) -> str:
    """Name the mistakes that make OH and OW what is found, three at most; '' where it is right."""
    if tuple(found) == windows.places:
        return ""
    words = [words for words, sizes in _miscounts(windows).items() if sizes == found]
    return ", or ".join(words[:3]) or MISCOUNTED


def _only_the_first(value: Any) -> str:
    """What may be said of numbers that are not finite in all pictures but the first."""
    if type(value) is not np.ndarray or value.ndim != 4 or value.dtype.kind != "f":
        return ""
    finite = np.isfinite(value)
    return f": {FIRST_ONLY}" if finite[:1].all() and not finite[1:].any() else ""


def _different(w: Windows, clash: bool) -> bool:
    groups = [w.picture, w.filters, (w.N, w.F, *w.places)]
    if not clash:
        groups.append((w.N, w.C, w.F, w.HH, w.WW, w.H, w.W))
    return all(len(set(sizes)) == len(sizes) for sizes in groups)


def _size(w: Windows) -> int:
    return w.N * w.F * int(np.prod(w.places))


def _against_torch(found: np.ndarray, x: np.ndarray, w: Windows) -> list[tuple[int, ...]]:
    torch = torch_or_none()
    if torch is None:
        return []
    pictures = torch.tensor(np.array(x, np.float64))
    columns = torch.nn.functional.unfold(pictures, (w.HH, w.WW), padding=w.pad, stride=w.stride)
    wrong = np.argwhere(found != columns.numpy().reshape(found.shape))
    return [tuple(map(int, at)) for at in wrong]


def _miscounts(w: Windows) -> dict[str, tuple[int, int]]:
    """OH and OW as likely mistakes have them."""
    (OH, OW), (rows, columns) = w.places, w.left_over
    every = replace(w, stride=1).places
    return {
        "your H and W are swapped": (OW, OH),
        "a window must fit in whole, so round down": (OH + (rows > 0), OW + (columns > 0)),
        "the stride is ignored": every,
        "the stride is used only down": (OH, every[1]),
        "the stride is used only across": (every[0], OW),
        "the 1 + is missing": (OH - 1, OW - 1),
        **(_miscounts_of_pad(w) if w.F else {}),
        "the window is taken for a square of HH x HH": replace(w, WW=w.HH).places,
        "the window is taken for a square of WW x WW": replace(w, HH=w.WW).places,
        "the window's height and width are swapped": replace(w, HH=w.WW, WW=w.HH).places,
        "H and W of x are swapped (x.shape is N, C, H, W)": replace(w, H=w.W, W=w.H).places,
        "the picture is taken for a square of H x H": replace(w, W=w.H).places,
        "the picture is taken for a square of W x W": replace(w, H=w.W).places,
        "the stride is taken to be the window's size": (
            replace(w, stride=w.HH).places[0],
            replace(w, stride=w.WW).places[1],
        ),
        "the stride is 2, whatever it should be": replace(w, stride=2).places,
        "the sides are divided by the stride, not what the window leaves of them": (
            w.H // w.stride,
            w.W // w.stride,
        ),
    }


def _miscounts_of_pad(w: Windows) -> dict[str, tuple[int, int]]:
    once, thrice = (
        (1 + (w.H + n * w.pad - w.HH) // w.stride, 1 + (w.W + n * w.pad - w.WW) // w.stride)
        for n in (1, 3)
    )
    return {
        "the pad is ignored": replace(w, pad=0).places,
        "the pad counts once, but it lies on both sides": once,
        "the pad counts three times, but it lies on two sides": thrice,
        "the pad counts too often: it lies on two sides": replace(w, pad=2 * w.pad).places,
        "the pad is 1, whatever it should be": replace(w, pad=1).places,
    }
