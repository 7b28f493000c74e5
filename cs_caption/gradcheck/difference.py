"""A function between two nearby points: evaluated with care, its inputs always put back."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.gradcheck.structure import (
    is_tensor,
    kind,
    leaves,
    matching,
    rebuild,
    to_numpy,
)

STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # balances rounding against curvature
_ROUNDING = 10 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Slopes:
    """The slope of f at a point from the left, from the right, and what rounding leaves of it."""

    left: float
    right: float
    central: float
    resolution: float


class Differences:
    """f at `inputs` and beside them; a context manager that puts the inputs back in the end.

    Writable arrays are moved in place, so that an f which reads them from its surroundings
    (`lambda _: model.loss(x)`) is differentiated too; read-only and overlapping ones are copied.

    Raises: TypeError, ValueError for anything that would make the difference meaningless.
    """

    def __init__(self, f: Callable, inputs: Any, dout: Any = None) -> None:
        named = list(leaves(inputs))
        self.paths = [path for path, _ in named]
        values = [require_float64(value, f"inputs {path}".strip()) for path, value in named]
        self.live = [
            _movable(value, values[:i] + values[i + 1 :]) for i, value in enumerate(values)
        ]
        self.start = [to_numpy(value).copy() for value in self.live]
        self._call = _caller(f, inputs)
        self._arguments = rebuild(inputs, iter(self.live))
        self._dout = dout
        self._weights = _weights(dout)

    def __enter__(self) -> "Differences":
        try:
            self._base = self._outputs()
            self.check_unchanged()
            self._refuse_chance(self._outputs())
            self.check_unchanged()
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def slopes(self, i: int, where: Any, direction: Any = 1.0, shrink: float = 1.0) -> Slopes:
        """Return the slopes of leaf `i` at index `where`, or along `direction` with `where` `...`.

        The step is `STEP * max(1, |x|) * shrink`, made smaller where f is not finite beside x.
        """
        x = self.start[i][where]
        step = STEP * shrink * max(1.0, float(np.max(np.abs(x))))
        found = self._slopes_at(i, where, x, direction, step)
        for _ in range(5):
            if np.isfinite(found.central):
                return found
            step *= 1e-2
            if np.isfinite(self._slopes_at(i, where, x, direction, step).central):
                step *= 1e-3  # where f ends nearby it is steep as well
                found = self._slopes_at(i, where, x, direction, step)
        raise ValueError(
            f"f is finite at the inputs but not within {step:.0e} of {self._at(i, where)}: "
            "it has no derivative there; choose inputs away from the edge"
        )

    def check_unchanged(self) -> None:
        """Refuse f where a leaf is no longer as it was put."""
        for path, live, start in zip(self.paths, self.live, self.start, strict=True):
            if not np.array_equal(to_numpy(live), start):
                raise _mutated(path)

    def _slopes_at(self, i: int, where: Any, x: Any, direction: Any, step: float) -> Slopes:
        above, below = x + step * direction, x - step * direction
        up, down = self._moved(i, where, above), self._moved(i, where, below)
        # x + step is rounded: divide by the distance that was really walked
        walked_up = step if np.ndim(direction) else float(above - x)
        walked_down = step if np.ndim(direction) else float(x - below)
        return Slopes(
            left=self._dot(self._base, down) / walked_down,
            right=self._dot(up, self._base) / walked_up,
            central=self._dot(up, down) / (walked_up + walked_down),
            resolution=_ROUNDING * self._magnitude(up, down) / step,
        )

    def _moved(self, i: int, where: Any, value: Any) -> list[np.ndarray]:
        _put(self.live[i], where, value)
        try:
            with np.errstate(all="ignore"):
                return self._outputs(finite=False)
        finally:
            _put(self.live[i], where, self.start[i][where])

    def _outputs(self, finite: bool = True) -> list[np.ndarray]:
        result = self._call(self._arguments)
        if self._weights is None:
            return [_one_number(result, finite)]
        paths = [path for path, _ in leaves(self._dout)]
        values = matching(result, self._dout, "the result of f")
        found = [_result(v, path, finite) for v, path in zip(values, paths, strict=True)]
        for out, weight, path in zip(found, self._weights, paths, strict=True):
            if out.shape != weight.shape:
                raise ValueError(
                    f"f returned shape {out.shape} where dout {path} has {weight.shape}: "
                    "dout must have the shape of f's result"
                )
        return found

    def _dot(self, up: list[np.ndarray], down: list[np.ndarray]) -> float:
        # subtract first, sum afterwards: large terms that do not change leave no rounding error
        weights = self._weights or [np.ones(())]
        with np.errstate(all="ignore"):
            terms = (np.sum(w * (u - d)) for w, u, d in zip(weights, up, down, strict=True))
            return float(sum(terms))

    def _magnitude(self, up: list[np.ndarray], down: list[np.ndarray]) -> float:
        """The size of the results that changed: of these a 1e-16 or so is rounding."""
        weights = self._weights or [np.ones(())]
        sizes = [np.abs(w * b) for w, b in zip(weights, self._base, strict=True)]
        changed = [u != d for u, d in zip(up, down, strict=True)]
        if any(np.any(c) for c in changed):
            sizes = [size * c for size, c in zip(sizes, changed, strict=True)]
        return float(sum(map(np.sum, sizes)))

    def _refuse_chance(self, again: list[np.ndarray]) -> None:
        for first, second in zip(self._base, again, strict=True):
            scale = np.max(np.abs(first), initial=0.0)
            if not np.allclose(first, second, rtol=0, atol=1e-12 * scale):
                raise ValueError(
                    "f is not deterministic: two calls with the same inputs differ by "
                    f"{np.max(np.abs(first - second)):.3g}. Draw its random numbers (dropout, "
                    "noise) once, before the check, and keep no state between calls"
                )

    def _restore(self) -> None:
        for live, start in zip(self.live, self.start, strict=True):
            _put(live, ..., start)

    def _at(self, i: int, where: Any) -> str:
        index = "" if where is ... else str([int(n) for n in where])
        return f"{self.paths[i] or 'the input'}{index}"


def require_float64(value: Any, name: str) -> Any:
    """Return the leaf (a plain float as a 0-d array) if it can be differentiated.

    Raises: TypeError for anything but float64 numbers, ValueError for NaN and infinities.
    """
    if type(value) is float:
        value = np.array(value)
    if isinstance(value, np.float64):
        value = np.array(value)
    if not isinstance(value, np.ndarray) and not is_tensor(value):
        raise TypeError(f"{name} is {kind(value)}: expected float64 arrays or tensors")
    _require_dtype(str(value.dtype).removeprefix("torch."), kind(value), name)
    numbers = to_numpy(value)
    if not np.all(np.isfinite(numbers)):
        bad = tuple(int(n) for n in np.argwhere(~np.isfinite(numbers))[0])
        raise ValueError(
            f"{name} holds {numbers[bad]} at index {bad}: every entry must be finite; "
            "look for a division by 0, a logarithm of 0 or an overflowing exponential"
        )
    return value


def _require_dtype(dtype: str, found: str, name: str) -> None:
    if dtype == "float64" or dtype in (">f8", "<f8"):
        return
    if dtype.startswith(("int", "uint", "bool")):
        raise TypeError(
            f"{name} is {found}: a step of {STEP:.0e} is lost in whole numbers, and the numeric "
            "derivative with it; make it float64, for instance x.astype(np.float64)"
        )
    if "float" in dtype:
        raise TypeError(
            f"{name} is {found}: the difference of two nearby values needs more digits than "
            "float32 has (errors of 1e-2 for a correct gradient); use float64 for the check"
        )
    raise TypeError(f"{name} is {found}: expected float64")


def _movable(value: Any, others: list[Any]) -> Any:
    if is_tensor(value):
        storage = value.untyped_storage().data_ptr()
        shared = any(is_tensor(o) and o.untyped_storage().data_ptr() == storage for o in others)
        return value.detach().clone() if shared or _overlaps(value.stride(), value.shape) else value
    shared = any(isinstance(o, np.ndarray) and np.may_share_memory(value, o) for o in others)
    in_place = value.flags.writeable and not shared and not _overlaps(value.strides, value.shape)
    return value if in_place else np.array(value)


def _overlaps(strides: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return any(stride == 0 and size > 1 for stride, size in zip(strides, shape, strict=True))


def _put(leaf: Any, where: Any, value: Any) -> None:
    if not is_tensor(leaf):
        leaf[where] = value
        return
    import torch

    with torch.no_grad():
        leaf[where] = torch.as_tensor(value, dtype=leaf.dtype, device=leaf.device)


def _caller(f: Callable, inputs: Any) -> Callable[[Any], Any]:
    """A tuple is a list of arguments where f takes that many; anything else is one argument."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # some built-in functions have none
        return (lambda args: f(*args)) if isinstance(inputs, tuple) else f

    def takes(*args: Any, **named: Any) -> bool:
        try:
            signature.bind(*args, **named)
        except TypeError:
            return False
        return True

    if isinstance(inputs, tuple) and takes(*inputs):
        return lambda args: f(*args)
    if takes(inputs):
        return f
    if isinstance(inputs, dict) and all(isinstance(k, str) for k in inputs) and takes(**inputs):
        return lambda args: f(**args)
    raise TypeError(
        f"f{signature} can be called neither with the inputs as one argument nor with one argument "
        f"for each of {kind(inputs)}; wrap it: lambda inputs: ..."
    )


def _weights(dout: Any) -> list[np.ndarray] | None:
    if dout is None:
        return None
    named = leaves(dout)
    return [to_numpy(require_float64(v, f"dout {path}".strip())).copy() for path, v in named]


def _one_number(result: Any, finite: bool) -> np.ndarray:
    size = result.numel() if is_tensor(result) else np.size(result)
    if isinstance(result, (dict, list, tuple)) or size != 1:
        raise ValueError(
            f"f returned {kind(result)}; without dout it must return one number: "
            "return the loss alone, or give dout, the gradient that arrives from above"
        )
    return _result(result, "", finite).reshape(())


def _result(value: Any, path: str, finite: bool) -> np.ndarray:
    name = f"the result of f {path}".strip()
    if value is None:
        raise TypeError(f"{name} is None: is its `return` line missing?")
    if finite:
        value = require_float64(value, name)
    return to_numpy(value).copy()  # f may hand back its input, which is about to move


def _mutated(path: str) -> ValueError:
    return ValueError(
        f"f changed its input {path or 'array'} (it has been put back): a gradient check calls f "
        "many times with the same arrays; write `x = x + 1`, not `x += 1`, or copy first"
    )
