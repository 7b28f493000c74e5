"""Nested structures of arrays: their leaves, by name, and the same structure of other leaves."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


def is_tensor(value: Any) -> bool:
    """Say whether this is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def leaves(structure: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, leaf) in order: `Wx`, `layers[0].b`, `[1]`; a lone leaf has the path ''."""
    if isinstance(structure, dict):
        for key, value in structure.items():
            dotted = f"{path}.{key}" if path else str(key)
            yield from leaves(value, dotted if isinstance(key, str) else f"{path}[{key!r}]")
    elif isinstance(structure, (list, tuple)):
        for i, value in enumerate(structure):
            yield from leaves(value, f"{path}[{i}]")
    else:
        yield path, structure


def rebuild(structure: Any, values: Iterator[Any]) -> Any:
    """Return the same nesting with the leaves replaced, in order, by `values`."""
    if isinstance(structure, dict):
        return {key: rebuild(value, values) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        items = [rebuild(value, values) for value in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*items)
        return tuple(items) if isinstance(structure, tuple) else items
    return next(values)


def matching(found: Any, expected: Any, what: str) -> list[Any]:
    """Return the leaves of `found` in the order in which `leaves` goes through `expected`.

    Raises: ValueError where keys or lengths differ, naming the missing and the extra entries.
    """
    return list(_matching(found, expected, what))


def _matching(found: Any, expected: Any, here: str) -> Iterator[Any]:
    if isinstance(expected, dict):
        _same_keys(found, expected, here)
        for key, value in expected.items():
            yield from _matching(found[key], value, f"{here} {key}")
    elif isinstance(expected, (list, tuple)):
        _same_length(found, expected, here)
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from _matching(one, other, f"{here}[{i}]")
    elif isinstance(found, (dict, list, tuple)):
        raise ValueError(
            f"{here} is {kind(found)} where one array is expected ({kind(expected)}): "
            "give the array itself"
        )
    else:
        yield found


def kind(value: Any) -> str:
    """Name what a value is, for messages: 'a float64 array of shape (2, 3)', 'a tuple of 2'."""
    if isinstance(value, (np.ndarray, np.generic)):
        return f"a {value.dtype} array of shape {value.shape}"
    if is_tensor(value):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    if isinstance(value, (dict, list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"{type(value).__name__} {value!r:.60}"


def to_numpy(value: Any) -> np.ndarray:
    """Return the numbers of an array, a tensor (any device) or a number as a NumPy array."""
    return value.detach().cpu().numpy() if is_tensor(value) else np.asarray(value)


def _same_keys(found: Any, expected: dict, here: str) -> None:
    if not isinstance(found, dict):
        raise ValueError(f"{here} is {kind(found)}: expected a dict with the keys {[*expected]}")
    missing = [key for key in expected if key not in found]
    extra = [key for key in found if key not in expected]
    if missing or extra:
        raise ValueError(
            f"the keys of {here} do not match: missing {missing}, extra {extra}; "
            f"expected {[*expected]}"
        )


def _same_length(found: Any, expected: list | tuple, here: str) -> None:
    if not isinstance(found, (list, tuple)):
        raise ValueError(f"{here} is {kind(found)}: expected {kind(expected)}")
    if len(found) != len(expected):
        raise ValueError(f"{here} has {len(found)} entries, expected {len(expected)}")
