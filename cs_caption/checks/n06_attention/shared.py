"""What the checks of notebook 06 share: small models, calls, and gradients by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    floats,
    gaps,
    is_tensor,
    tensor,
)
from cs_caption.checks.values import close, differing

# The package's own captioner, metrics and losses: the student's functions are written without.
BANNED = ("cs_caption.models", "cs_caption.metrics", "cs_caption.losses")

Random = np.random.RandomState
Parts = Mapping[str, tuple]
Gradients = Mapping[str, np.ndarray | None]

TYPES = "; is every tensor that you make of the type of the others?"
_MATCHED = (
    "; sizes are matched from the last axis on: has each thing an axis of length 1 where what it "
    "meets has another axis?"
)
_KEYS = "; keys come as they are: they are made once a picture, and given"
_PARTS = "; the docstring names the parts that every model has"
_BACK = ": what was broadcast on the way forward is summed on the way back"
_AXIS = (
    ": is an axis still there that was added to broadcast, or does each picture meet all others?"
)
_SAME = "leave its weights, their .grad and its mode alone"


def linear(rng: Random, out: int, into: int, dtype: str = "float32") -> tuple:
    """Draw an nn.Linear, from `into` to `out` numbers."""
    return ("Linear", *(drawn(rng, shape, dtype) for shape in ((out, into), (out,))))


def lstm_cell(rng: Random, H: int, D: int, dtype: str = "float32") -> tuple:
    """Draw an nn.LSTMCell that reads D numbers."""
    shapes = ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))
    return ("LSTMCell", *(drawn(rng, shape, dtype) for shape in shapes))


def drawn(rng: Random, shape: Sequence[int], dtype: str = "float32") -> Any:
    """Draw a tensor of numbers between -1 and 1."""
    return floats(rng.uniform(-1, 1, tuple(shape)), dtype)


def some_seen(rng: Random, N: int, L: int) -> np.ndarray:
    """Draw a mask (N, L): each row keeps a region or more, and loses one or more if it can."""
    mask, kept = rng.rand(N, L) < 0.6, rng.randint(0, L, N)
    mask[np.arange(N), (kept + 1) % L] = False
    mask[np.arange(N), kept] = True
    return mask


def of_type(parts: Parts, change: Callable[[Any], Any]) -> dict[str, tuple]:
    """Return the parts with each weight changed, as by `gaps` or to another type."""
    return {name: (kind, *map(change, weights)) for name, (kind, *weights) in parts.items()}


def with_gaps(parts: Parts) -> dict[str, tuple]:
    """Return the parts with weights that are not contiguous in memory."""
    return of_type(parts, gaps)


def called(subject: Subject, many: Sequence[Sequence]) -> list[Outcome]:
    """Call once for each tuple of arguments; what it stops with gets a hint."""
    with hinted():
        return subject.calls(many)


@contextmanager
def hinted() -> Iterator[None]:
    """Add a hint to errors of types, of shapes and of parts that no model has."""
    try:
        yield
    except Wrong as wrong:
        raise Wrong(f"{wrong}{_hint(str(wrong))}") from None


def _hint(words: str) -> str:
    if "KeyError" in words:
        return _KEYS if "KeyError: 'key" in words else _PARTS
    if "dtype" in words:
        return TYPES
    return _MATCHED if "must match the size of tensor" in words else ""


def result(value: Any, shape: tuple[int, ...], name: str, axes: str = "", **how: str) -> np.ndarray:
    """Return the numbers of what a function returns, as `tensor` does; nothing goes back here."""
    if type(value) in (list, tuple) and value and all(map(is_tensor, value)):
        raise Wrong(
            f"{name} is a {type(value).__name__} of {len(value)} tensors: torch.stack makes one of "
            "them"
        )
    try:
        return tensor(value, shape, name, axes, **how)
    except Wrong as wrong:
        raise Wrong(str(wrong).replace(_BACK, _AXIS)) from None


def require_same_model(outcome: Outcome) -> None:
    """Fail where the call changed the model, the first of its arguments."""
    if 0 in outcome.mutated:
        raise Wrong(f"it changes the model: {_SAME}")


def require_gradients(found: Mapping[str, Any], right: Gradients, out: str) -> None:
    """Fail where the gradients through the result `out` are not right, or do not come.

    found, right: by the names of the arguments, and of the model's parameters; what `out` does not
    depend on is None there, and may have gradients of 0.
    """
    needed = [name for name, truth in right.items() if truth is not None and np.any(truth)]
    missing = [name for name in needed if found[name] is None]
    if missing and len(missing) == len(needed):
        raise Wrong(
            f"no gradient comes back through {out}: is something in NumPy, detached, under "
            "torch.no_grad(), or a new tensor made of numbers?"
        )
    if missing:
        said = " and ".join(dict.fromkeys(map(_said, missing)))
        raise Wrong(
            f"no gradient reaches {said} through {out}: is something detached, or taken out by "
            ".data or .item()?"
        )
    for name, truth in right.items():
        if found[name] is not None:
            _require_gradient(name, found[name], truth, out)


def _require_gradient(name: str, found: Any, truth: np.ndarray | None, out: str) -> None:
    truth = np.zeros(tuple(found.shape)) if truth is None else truth
    gradient = tensor(found, truth.shape, f"the gradient of {_said(name)}", dtype=EITHER)
    if not close(gradient, truth, TOLERANCE_32):
        raise Wrong(
            f"the gradient of {_said(name)} through {out} is wrong"
            f"{differing(gradient, truth, TOLERANCE_32)}: does something come back by a part of "
            "the way only, because it was detached, or by a way of its own?"
        )


def _said(name: str) -> str:
    """The name of a parameter's part, as the notebook's model has it."""
    return f'model["{name.split(".")[0]}"]' if "." in name else name


def slopes(total: Any, leaves: Mapping[str, Any]) -> dict[str, np.ndarray | None]:
    """Return the gradient of `total` for each leaf; None where autograd does not reach.

    Below 1e-12 it is rounding: score's bias adds the same to all scores, and changes no weight.
    """
    import torch

    with torch.enable_grad():
        found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    pairs = zip(leaves, found, strict=True)
    return {n: None if s is None else np.where(abs(s) < 1e-12, 0.0, s) for n, s in pairs}
