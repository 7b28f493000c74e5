"""What a check expects of a value, the words for what it is instead, and inputs to check with."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cs_caption.checks.subject import IN_PLACE, Outcome, Wrong
from cs_caption.checks.wire import Foreign, Handle

TOLERANCE = 1e-8  # of exact formulas in float64, relative to the largest entry
NUMERIC = 1e-6  # of numeric derivatives

UNTOUCHED = "inputs unchanged, also when write-protected and not contiguous in memory"


def describe(value: Any) -> str:
    """Name what a value is: 'None', 'a list', 'a float32 array (or tensor) of shape (3, 4)'."""
    if value is None:
        return "None (is the `return` line missing?)"
    if type(value) is np.ndarray:
        return f"a {value.dtype} array of shape {value.shape}"
    if isinstance(value, np.generic):
        return f"a single {value.dtype}"
    if type(value).__name__ == "Tensor":  # what crosses is what its type says
        dtype = str(value.dtype).removeprefix("torch.")
        return f"a {dtype} tensor of shape {tuple(value.shape)}"
    if type(value) is Foreign:
        return f"of type {value.kind}"
    if type(value) in (tuple, list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"of type {type(value).__name__}"


def entries(value: Any, names: str) -> tuple:
    """Return the entries of a tuple (or list) with as many entries as `names` has words."""
    count = len(names.split(", "))
    if type(value) not in (tuple, list) or len(value) != count:
        raise Wrong(f"it returns {describe(value)}: expected the {count} results ({names})")
    return tuple(value)


def array(
    value: Any, shape: tuple[int, ...], name: str, axes: str = "", hint: str = ""
) -> np.ndarray:
    """Return the value if it is a finite float64 array of this shape.

    `axes` names its axes; `hint` says what to do about NaN and infinities.
    """
    if type(value) is not np.ndarray:
        remedy = ": wrap it in np.array(...)" if type(value) is list else ""
        raise Wrong(f"{name} is {describe(value)}: expected a NumPy array{remedy}")
    if value.shape != shape:
        named = f" = {axes}" if axes else ""
        raise Wrong(
            f"{name} has shape {value.shape}, expected {shape}{named}"
            f"{shape_hint(value.shape, shape)}"
        )
    if value.dtype != np.float64:
        raise Wrong(f"{name} is {value.dtype}: it must be float64")
    if not np.all(np.isfinite(value)):
        bad = np.count_nonzero(~np.isfinite(value))
        raise Wrong(f"{name} has {bad} entries that are NaN or infinite{hint}")
    return value


def number(value: Any, name: str, hint: str = "") -> float:
    """Return the value if it is one finite number; `hint` is for NaN and infinities."""
    if type(value) is np.ndarray and value.shape != ():
        raise Wrong(f"{name} is {describe(value)}: expected one number, so reduce it")
    if type(value) not in (float, int, np.float64, np.ndarray):
        raise Wrong(f"{name} is {describe(value)}: expected a float")
    if type(value) is np.ndarray and value.dtype != np.float64:
        raise Wrong(f"{name} is {value.dtype}: expected a float")
    if not np.isfinite(value):
        raise Wrong(f"{name} is {float(value)}{hint}")
    return float(value)


def same(
    value: np.ndarray,
    expected: np.ndarray,
    name: str,
    lookalikes: Callable[[], Mapping[str, Any]] = dict,
    tolerance: float = TOLERANCE,
) -> None:
    """Fail where the arrays differ: with the words of the first look-alike that fits, or where."""
    if close(value, expected, tolerance):
        return
    fits = fitting(value, lookalikes(), tolerance)
    words = f": {fits[0]}" if fits else differing(value, expected, tolerance)
    raise Wrong(f"{name} is wrong{words}")


def fitting(
    value: np.ndarray, lookalikes: Mapping[str, Any], tolerance: float = TOLERANCE
) -> list[str]:
    """Return the words of all look-alikes that agree with the value."""
    return [
        words
        for words, other in lookalikes.items()
        if np.shape(other) == value.shape and close(value, other, tolerance)
    ]


def differing(value: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE) -> str:
    """Say in how many entries two arrays differ, and where first."""
    scale = tolerance * max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    wrong = np.abs(value - expected) > scale
    if wrong.ndim == 0 or not wrong.any():
        return ""
    at = tuple(int(n) for n in np.argwhere(wrong)[0])
    return f" in {np.count_nonzero(wrong)} of {wrong.size} entries, the first at {at}"


def close(value: Any, expected: Any, tolerance: float = TOLERANCE) -> bool:
    """Say whether two arrays agree, relative to the largest entry (or to 1, if that is smaller)."""
    value, expected = np.asarray(value), np.asarray(expected)
    if not np.all(np.isfinite(expected)):  # then the scale would forgive everything
        return False
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    return bool(np.all(np.abs(value - expected) <= tolerance * scale))


def unchanged(outcome: Outcome, names: str, remedy: str = IN_PLACE) -> None:
    """Fail where the call changed one of its arguments; `names` are those of the arguments."""
    changed = [name for i, name in enumerate(names.split(", ")) if i in outcome.mutated]
    if changed:
        raise Wrong(f"it changes its input {' and '.join(changed)}: {remedy}")


def directions(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return two random directions, in which every entry counts, and two single entries."""
    rng = np.random.RandomState(7)
    along = [rng.standard_normal(shape) for _ in range(2)]
    for at in rng.randint(0, along[0].size, 2):
        single = np.zeros(shape)
        single.flat[at] = 1.0
        along.append(single)
    return along


def factors(truth: np.ndarray, counts: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return what a gradient looks like that is right but for one factor."""
    found = {"it is 0 everywhere": 0 * truth, "its sign is wrong": -truth}
    for name, count in counts.items():
        found[f"it is {name} times too large"] = truth * count
        found[f"it is {name} times too small"] = truth / count
    return found | {"it is twice what it should be": 2 * truth, "it is half of it": truth / 2}


def opaque(value: Any) -> Any:
    """Return what was kept on the far side."""
    if type(value) is not Handle:
        raise Wrong("the cache was not returned")
    return value


def shape_hint(found: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Say what makes the one shape of the other, as words to add, or ""."""
    if len(found) > 1 and found == expected[::-1]:
        return ": it is transposed"
    if len(found) > len(expected) and tuple(n for n in found if n != 1) == expected:
        return ": it has an axis of length 1 too many (from keepdims=True?)"
    if len(found) > len(expected) and found[len(found) - len(expected) :] == expected:
        return ": what was broadcast on the way forward is summed on the way back"
    if len(found) == len(expected) > 1 and sorted(found) == sorted(expected):
        return ": two axes are swapped"
    if len(found) < len(expected) and np.prod(found) == np.prod(expected):
        return ": keep the axes apart (flattened?)"
    return ""


def sizes(rng: np.random.RandomState, count: int, low: int = 2, high: int = 8) -> list[int]:
    """Draw different sizes, so that no axis can be taken for another."""
    return [int(n) for n in rng.permutation(np.arange(low, high + 1))[:count]]


def eighths(rng: np.random.RandomState, shape: tuple[int, ...]) -> np.ndarray:
    """Draw multiples of 1/8 other than 0, up to 5/8."""
    return rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5], size=shape) / 8


def awkward(value: np.ndarray) -> np.ndarray:
    """Return the same numbers as a read-only view with gaps and its last axis backwards."""
    wide = np.zeros((*value.shape[:-1], 2 * value.shape[-1]), value.dtype)
    view = wide[..., ::-2]
    view[...] = value
    view.flags.writeable = False
    return view


def turned(value: np.ndarray) -> np.ndarray:
    """Return the same numbers as a view whose axes lie the other way round in memory."""
    return np.ascontiguousarray(value.T).T
