"""Compare a gradient with the numeric one, and say where and how they differ."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.table import html_table, text_table
from cs_caption.gradcheck.difference import Differences, Slopes, require_float64
from cs_caption.gradcheck.structure import leaves, matching, to_numpy

_SMALLER = 1 / 64  # the second step, for telling a kink from a mistake
_DIRECTIONS = 2
_ALONG = "along a random direction"


@dataclass(frozen=True)
class GradientRow:
    """What was found for one leaf; `analytic` and `numeric` are the two values at `worst`."""

    leaf: str
    shape: tuple[int, ...]
    checked: int
    max_error: float
    worst: tuple[int, ...] | str | None
    analytic: float
    numeric: float
    kinks: int
    verdict: str
    passed: bool


@dataclass(frozen=True)
class GradientReport:
    """One row a leaf. `str()` is a table; in a notebook the table is HTML."""

    rows: tuple[GradientRow, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether no leaf differs from its numeric gradient."""
        return all(row.passed for row in self.rows)

    def __str__(self) -> str:
        return f"{self._caption()}\n{text_table(_HEADER, self._cells())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self._caption(), _HEADER, self._cells())

    def _caption(self) -> str:
        bad = [row.leaf for row in self.rows if not row.passed]
        found = f"differs in {', '.join(bad)}" if bad else "agrees"
        return f"Gradient check: {found} (relative error allowed: {self.tolerance:.0e})"

    def _cells(self) -> list[list[str]]:
        return [_cells(row) for row in self.rows]


@dataclass(frozen=True)
class _Entry:
    where: tuple[int, ...] | str
    analytic: float
    numeric: float
    error: float
    kink: bool
    lost: bool


def check_gradients(
    f: Callable,
    inputs: Any,
    grads: Any,
    dout: Any = None,
    *,
    tolerance: float = 1e-6,
    max_entries: int = 100,
    seed: int = 0,
) -> GradientReport:
    """Compare `grads` with the numeric gradient of f (of sum(dout * f) where `dout` is given).

    Shapes: `grads` is nested as `inputs`, leaf by leaf of the same shape, float64.
    Of a leaf with more than `max_entries` entries a sample drawn from `seed` is checked: half at
    random, half where `grads` is largest, and two random directions through all of it.
    An entry agrees where |analytic - numeric| <= tolerance * max(|analytic|, |numeric|), or where
    the difference is below what float64 resolves (an entry so small beside f itself that even one
    per cent is not resolved is said to be so). At a kink (ReLU at 0), found with a second,
    smaller step, a value between the slopes on both sides is reported and not called wrong.
    Raises: TypeError, ValueError as `numerical_gradient`, and for grads with missing or extra
    entries, other shapes, other dtypes, NaN or infinities.
    """
    analytic = _checked_grads(inputs, grads)
    rng = np.random.RandomState(seed)
    with Differences(f, inputs, dout) as differences:
        rows = tuple(
            _row(differences, i, gradient, tolerance, max_entries, rng)
            for i, gradient in enumerate(analytic)
        )
    return GradientReport(rows, tolerance)


def _checked_grads(inputs: Any, grads: Any) -> list[np.ndarray]:
    found = []
    pairs = zip(leaves(inputs), matching(grads, inputs, "grads"), strict=True)
    for (path, value), gradient in pairs:
        name = f"grads {path}".strip()
        expected = to_numpy(require_float64(value, f"inputs {path}".strip())).shape
        gradient = to_numpy(require_float64(gradient, name)).copy()
        if gradient.shape != expected:
            raise ValueError(
                f"{name} has shape {gradient.shape}, expected {expected}, the shape of its input"
                f"{_shape_hint(gradient.shape, expected)}"
            )
        found.append(gradient)
    if not found:
        raise ValueError("there are no inputs: nothing to differentiate")
    return found


def _shape_hint(found: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if tuple(n for n in found if n != 1) == expected:
        return ": sum without keepdims=True"
    if found == expected[::-1]:
        return ": it is transposed"
    if found[-len(expected) :] == expected or not expected:
        return ": what is broadcast in the forward pass is summed in the backward pass"
    return ""


def _row(
    differences: Differences,
    i: int,
    gradient: np.ndarray,
    tolerance: float,
    max_entries: int,
    rng: np.random.RandomState,
) -> GradientRow:
    chosen = _coordinates(gradient, max_entries, rng)
    entries = [
        _entry(differences, i, where, float(gradient[where]), 1.0, tolerance) for where in chosen
    ]
    if len(chosen) < gradient.size:
        entries += list(_along_directions(differences, i, gradient, tolerance, rng))
    differences.check_unchanged()
    name = differences.paths[i] or "input"
    if not entries:
        return GradientRow(name, gradient.shape, 0, 0.0, None, 0.0, 0.0, 0, "empty", True)
    return _summed_up(name, gradient.shape, len(chosen), entries, tolerance)


def _summed_up(
    name: str, shape: tuple[int, ...], checked: int, entries: list[_Entry], tolerance: float
) -> GradientRow:
    def is_wrong(entry: _Entry) -> bool:
        return entry.error > tolerance and not entry.kink

    wrong = sum(map(is_wrong, entries))
    # an entry says more than a direction, and kinks come last
    worst = max(entries, key=lambda e: (is_wrong(e), not e.kink, e.where is not _ALONG, e.error))
    kinks = sum(entry.kink for entry in entries)
    return GradientRow(
        leaf=name,
        shape=shape,
        checked=checked,
        max_error=worst.error,
        worst=worst.where,
        analytic=worst.analytic,
        numeric=worst.numeric,
        kinks=kinks,
        verdict=_verdict(entries, wrong, math.prod(shape) - checked),
        passed=not wrong,
    )


def _coordinates(
    gradient: np.ndarray, most: int, rng: np.random.RandomState
) -> list[tuple[int, ...]]:
    if gradient.size <= most:
        return list(np.ndindex(gradient.shape))
    # most of a word table's gradient is zero: look at random entries and at the largest
    largest = np.argsort(-np.abs(gradient), axis=None, kind="stable")[: most // 2]
    others = np.setdiff1d(np.arange(gradient.size), largest)
    numbers = np.sort(np.r_[largest, rng.choice(others, most - len(largest), replace=False)])
    return [tuple(int(n) for n in np.unravel_index(k, gradient.shape)) for k in numbers]


def _along_directions(
    differences: Differences,
    i: int,
    gradient: np.ndarray,
    tolerance: float,
    rng: np.random.RandomState,
) -> Iterator[_Entry]:
    for _ in range(_DIRECTIONS):
        direction = rng.standard_normal(gradient.shape)
        direction /= np.linalg.norm(direction)
        analytic = float(np.sum(gradient * direction))
        yield _entry(differences, i, ..., analytic, direction, tolerance)


def _entry(
    differences: Differences,
    i: int,
    where: Any,
    analytic: float,
    direction: Any,
    tolerance: float,
) -> _Entry:
    wide = differences.slopes(i, where, direction)
    best, kink = wide, False
    if _error(analytic, wide, tolerance) > tolerance:
        straight = _straightened(wide, differences.slopes(i, where, direction, shrink=1 / 2))
        best = min(wide, straight, key=lambda slopes: _error(analytic, slopes, tolerance))
        close = differences.slopes(i, where, direction, shrink=_SMALLER)
        kink = _error(analytic, best, tolerance) > tolerance
        kink = kink and _is_kink(analytic, wide, close, tolerance)
    return _Entry(
        where=_ALONG if where is ... else where,
        analytic=analytic,
        numeric=best.central,
        error=_error(analytic, best, tolerance),
        kink=kink,
        lost=best.resolution > 0.01 * max(abs(analytic), abs(best.central)) > 0,
    )


def _error(analytic: float, slopes: Slopes, tolerance: float) -> float:
    """The relative error; what is smaller than the resolution never exceeds the tolerance."""
    scale = max(abs(analytic), abs(slopes.central), slopes.resolution / tolerance)
    return abs(analytic - slopes.central) / scale if scale else 0.0


def _straightened(whole: Slopes, half: Slopes) -> Slopes:
    """The slopes without the error that falls with the square of the step (Richardson)."""
    central = (4 * half.central - whole.central) / 3
    return replace(whole, central=central, resolution=2 * half.resolution)


def _is_kink(analytic: float, wide: Slopes, close: Slopes, tolerance: float) -> bool:
    """Say whether f bends at x, so that a value between the slopes on both sides is as good.

    At a smooth point the slopes to the left and right approach each other as the step shrinks.
    """
    slack = close.resolution + tolerance * max(abs(analytic), abs(close.central))
    bend_beside = abs(wide.central - close.central) > slack
    if bend_beside and abs(analytic - close.central) <= slack:
        return True
    jump, jump_before = abs(close.right - close.left), abs(wide.right - wide.left)
    bend_here = jump > max(slack, jump_before / 2)
    low, high = min(close.left, close.right), max(close.left, close.right)
    return bend_here and low - slack <= analytic <= high + slack


def _verdict(entries: list[_Entry], wrong: int, left_out: int) -> str:
    parts = [f"{wrong} of {len(entries)} differ{_pattern(entries)}" if wrong else "agrees"]
    kinks, lost = sum(entry.kink for entry in entries), sum(entry.lost for entry in entries)
    if kinks:
        parts.append(f"{kinks} at a kink, where either side's slope is right")
    if lost:
        parts.append(f"{lost} too small beside f to be seen in float64")
    if left_out:
        parts.append(f"a sample, {left_out} entries not looked at one by one")
    return "; ".join(parts)


def _pattern(entries: list[_Entry]) -> str:
    """Name the simple mistakes: zero everywhere, or one factor everywhere."""
    analytic = np.array([e.analytic for e in entries])
    numeric = np.array([e.numeric for e in entries])
    if not analytic.any():
        return ": yours is 0 everywhere"
    factor = float(analytic @ numeric) / max(float(numeric @ numeric), 1e-300)
    if np.allclose(analytic, factor * numeric, rtol=1e-5, atol=1e-7 * np.abs(analytic).max()):
        return f": yours is {factor:.6g} times the numeric one everywhere"
    return ""


_HEADER = ("array", "shape", "checked", "max error", "worst at", "yours", "numeric", "verdict")


def _cells(row: GradientRow) -> list[str]:
    if row.worst is None:
        return [row.leaf, str(row.shape), "0", "", "", "", "", row.verdict]
    worst = row.worst if isinstance(row.worst, str) else str(row.worst)
    numbers = [f"{row.analytic:.9g}", f"{row.numeric:.9g}"]
    shape, error = str(row.shape), f"{row.max_error:.1e}"
    return [row.leaf, shape, str(row.checked), error, worst, *numbers, row.verdict]
