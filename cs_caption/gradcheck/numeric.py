"""Every entry of a numeric gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cs_caption.gradcheck.difference import Differences
from cs_caption.gradcheck.structure import is_tensor, leaves, rebuild


def numerical_gradient(f: Callable, x: Any, dout: Any = None) -> Any:
    """Return d f / d x by central differences, or d sum(dout * f) / d x where `dout` is given.

    Shapes: the result is nested as `x`, each leaf with the shape of its input (tensors for
    tensors, floats for floats). Two calls of f an entry.
    Raises: TypeError for integers, float32 and other things than float64; ValueError for NaN and
    infinities, for an f that changes its inputs (they are put back), that is not deterministic, or
    whose result is not one number (without `dout`) or not of the shape of `dout`.
    """
    with Differences(f, x, dout) as differences:
        found = [_gradient(differences, i) for i in range(len(differences.live))]
    pairs = zip(found, leaves(x), strict=True)
    return rebuild(x, (_as_given(gradient, leaf) for gradient, (_, leaf) in pairs))


def _gradient(differences: Differences, i: int) -> np.ndarray:
    gradient = np.empty(differences.start[i].shape)
    for where in np.ndindex(gradient.shape):
        gradient[where] = differences.slopes(i, where).central
    differences.check_unchanged()
    return gradient


def _as_given(gradient: np.ndarray, leaf: Any) -> Any:
    if is_tensor(leaf):
        import torch

        return torch.as_tensor(gradient, dtype=leaf.dtype, device=leaf.device)
    return gradient if isinstance(leaf, np.ndarray) else float(gradient)
