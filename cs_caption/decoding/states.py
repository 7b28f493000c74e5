"""States of any shape, what a step may return, and what is refused."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def map_rows(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The state with every tensor in it changed."""
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, dict):
        return {key: map_rows(value, change) for key, value in state.items()}
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(map_rows(value, change) for value in state))
    if isinstance(state, (list, tuple)):
        return type(state)(map_rows(value, change) for value in state)
    return state


def count_rows(state: Any) -> tuple[int, torch.device]:
    """How many rows all tensors of the state have, and where they are.

    Raises: ValueError where they differ.
    """
    leaves: list[Tensor] = []
    map_rows(state, lambda leaf: leaves.append(leaf) or leaf)
    if any(leaf.dim() == 0 for leaf in leaves):
        raise ValueError("a tensor in state has no axis: the first axis of each must be the row")
    counts = {len(leaf) for leaf in leaves}
    if len(counts) > 1:
        raise ValueError(
            f"the tensors in state differ in their first axis: {sorted(counts)}; it must be the "
            "row in all of them (put what all rows share into the step itself)"
        )
    return (leaves[0].shape[0], leaves[0].device) if leaves else (1, torch.device("cpu"))


def at_least_float32(log_probs: Tensor) -> Tensor:
    """float64 as it is, all else as float32."""
    return log_probs if log_probs.dtype == torch.float64 else log_probs.float()


def check_at_least(name: str, value: int, least: int) -> None:
    """Raise ValueError for what is no whole number, or too small."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}: expected a whole number of {least} or more")


def check_step(log_probs: Tensor, rows: int, end: int) -> None:
    """Raise ValueError for what cannot be log-probabilities (rows, V)."""
    if not isinstance(log_probs, Tensor) or log_probs.dim() != 2 or len(log_probs) != rows:
        found = tuple(log_probs.shape) if isinstance(log_probs, Tensor) else type(log_probs)
        raise ValueError(f"step returned log_probs of {found}: expected a tensor ({rows}, V)")
    if not 0 <= end < log_probs.shape[1]:
        raise ValueError(f"end is {end}, outside the step's vocabulary of {log_probs.shape[1]}")
    broken = log_probs.amax(dim=1).isnan()  # a NaN is the greatest of its row
    if broken.any():
        row = int(broken.nonzero()[0])
        raise ValueError(f"step returned NaN in row {row}: look for 0/0 or inf-inf in the step")


def check_alive(alive: Tensor) -> None:
    """Raise ValueError naming the first row that is not alive."""
    if not alive.all():
        row = int((~alive).nonzero()[0])
        raise ValueError(
            f"no next token is possible in row {row}: the step gave -inf to every token (or to "
            "all but `end` before min_len); leave at least one possible"
        )
