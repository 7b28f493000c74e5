"""What a check expects of a torch tensor, and tensors to check with: as `values` has it for arrays.

    logits = tensor(outcome.value, (N, T, V), "logits", "(N, T, V)")     -> its numbers, float64
    loss = scalar(outcome.value, "the loss")                             -> a float

What comes back are NumPy arrays and floats, so that `values.close`, `same` and `fitting` judge
them. torch is imported when a tensor is made, not with this module.
"""

from types import ModuleType
from typing import Any

import numpy as np

from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import Wrong
from cs_caption.checks.values import describe, shape_hint
from cs_caption.checks.wire import Foreign

TOLERANCE_32 = 1e-5  # of a result in float32, relative to the largest entry
EITHER = "float32 or float64"
UNTOUCHED = "inputs unchanged, also when not contiguous in memory"
IN_PLACE = "write `a = a * 2`, not `a *= 2`; of torch's methods, those whose names end in _ change"


def tensor(
    value: Any,
    shape: tuple[int, ...],
    name: str,
    axes: str = "",
    *,
    dtype: str = "float64",
    hint: str = "",
) -> np.ndarray:
    """Return the numbers, in float64, if the value is a finite tensor of this shape and type.

    `axes` names its axes; `dtype` may be EITHER; `hint` says what to do about NaN and infinities.
    """
    _require_tensor(value, name)
    if tuple(value.shape) != shape:
        named = f" = {axes}" if axes else ""
        found = tuple(value.shape)
        raise Wrong(f"{name} has shape {found}, expected {shape}{named}{shape_hint(found, shape)}")
    return _finite(_of_type(value, name, dtype), name, hint)


def scalar(value: Any, name: str, *, dtype: str = "float64", hint: str = "") -> float:
    """Return the number, if the value is a finite tensor without axes; the rest as in `tensor`."""
    if type(value) in (float, int, np.float64):
        raise Wrong(
            f"{name} is {describe(value)}: return the tensor itself, not .item() or float() of it: "
            "no gradient goes through a plain number"
        )
    _require_tensor(value, name)
    if value.ndim:
        raise Wrong(f"{name} is {describe(value)}: expected one without axes, so reduce it")
    return float(_finite(_of_type(value, name, dtype), name, hint))


def unchanged(mutated: tuple[int, ...], names: str) -> None:
    """Fail where the call changed one of its arguments; `names` are those of the arguments."""
    changed = [name for i, name in enumerate(names.split(", ")) if i in mutated]
    if changed:
        raise Wrong(f"it changes its input {' and '.join(changed)}: {IN_PLACE}")


def floats(value: np.ndarray, dtype: str = "float64") -> Any:
    """Return the numbers as a tensor of this type."""
    torch = torch_here()
    return torch.tensor(np.array(value, order="C"), dtype=getattr(torch, dtype))


def whole(value: np.ndarray) -> Any:
    """Return the numbers as an int64 tensor."""
    return floats(value, "int64")


def truths(value: np.ndarray) -> Any:
    """Return the truth values as a bool tensor."""
    return floats(value, "bool")


def gaps(value: Any) -> Any:
    """Return the same numbers as a view with gaps, its axes the other way round in memory."""
    turned = value.permute(*reversed(range(value.ndim)))
    wide = value.new_zeros((*turned.shape, 2))
    wide[..., 0] = turned
    return wide[..., 0].permute(*reversed(range(value.ndim)))


def torch_here() -> ModuleType:
    """Return torch. Raises: Wrong where it is not installed."""
    torch = torch_or_none()
    if torch is None:
        raise Wrong(
            "torch is not installed here: this exercise is written in it (pip install torch)"
        )
    return torch


def _require_tensor(value: Any, name: str) -> None:
    if is_tensor(value):
        return
    known = type(value) is Foreign and "Tensor" in value.kind
    what = f"a {value.kind}" if known else describe(value)
    remedy = ": wrap it in torch.tensor(...)" if type(value) in (list, tuple) else ""
    raise Wrong(f"{name} is {what}: expected a torch tensor{remedy}")


def referee() -> str:
    """Say who decides, for the report of an exercise in torch."""
    torch = torch_or_none()
    version = "which is not installed" if torch is None else torch.__version__
    return f"torch ({version}): its own modules in float64, and autograd"


def is_tensor(value: Any) -> bool:
    """Say whether a value that crossed is a tensor."""
    return type(value).__module__ == "torch" and type(value).__name__ == "Tensor"


def _of_type(value: Any, name: str, dtype: str) -> np.ndarray:
    found = str(value.dtype).removeprefix("torch.")
    if found not in dtype.split(" or "):
        raise Wrong(f"{name} is {found}: it must be {dtype}, as what it is made of")
    return np.asarray(value.numpy(), dtype=np.float64)


def _finite(value: np.ndarray, name: str, hint: str) -> np.ndarray:
    if not np.all(np.isfinite(value)):
        bad = np.count_nonzero(~np.isfinite(value))
        words = f"has {bad} entries that are NaN or infinite" if value.ndim else f"is {value}"
        raise Wrong(f"{name} {words}{hint}")
    return value
