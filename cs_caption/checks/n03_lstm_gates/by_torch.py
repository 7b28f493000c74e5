"""What torch says, in float64, of an LSTM: one step of it, whole sequences, and their gradients.

A cell is a function of six tensors: (x, prev_h, prev_c, Wx, Wh, b) -> (next_h, next_c). That of
`right_cell` is torch's own, `lstm_mistakes` has wrong ones; `through_time` runs one over sequences.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Cell = Callable[..., tuple[Any, Any]]
Carry = Callable[..., tuple[Any, Any]]

ORDER = "ifog"  # of the blocks of columns; torch has i, f, g, o
_IN_TORCH = [ORDER.index(gate) for gate in "ifgo"]


def right_cell(x: Any, prev_h: Any, prev_c: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, Any]:
    """Return what torch's own LSTM cell makes of these weights."""
    import torch

    w, wh, bias = (blocks(each, _IN_TORCH) for each in (Wx, Wh, b))
    return torch.lstm_cell(x, (prev_h, prev_c), w.T, wh.T, bias, torch.zeros_like(bias))


def through_time(cell: Cell, carry: Carry | None = None) -> Cell:
    """Return the cell that runs over x (N, T, D) and returns h (N, T, H), c (N, T, H).

    carry: (t, h, c, h0, c0) -> what the step after t starts from; by default h and c
    """

    def sequence(x: Any, h0: Any, c0: Any, *weights: Any) -> tuple[Any, Any]:
        import torch

        h, c, hs, cs = h0, c0, [], []
        for t in range(x.shape[1]):
            h, c = cell(x[:, t], h, c, *weights)
            hs.append(h)
            cs.append(c)
            h, c = carry(t, h, c, h0, c0) if carry else (h, c)
        return torch.stack(hs, 1), torch.stack(cs, 1)

    return sequence


def results(cell: Cell, inputs: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return the two results of a cell."""
    h, c = cell(*map(tensor, inputs))
    return h.numpy(), c.numpy()


def gradients(cell: Cell, inputs: tuple, *douts: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of sum(dh * h), and of sum(dc * c) where it is given, by autograd."""
    arguments = [tensor(a).detach().requires_grad_() for a in inputs]
    return _gradients(cell, arguments, arguments, douts)


def gradient(i: int, cell: Cell, inputs: tuple, *douts: np.ndarray) -> np.ndarray:
    """Return gradient i alone: a third of the time."""
    arguments = [tensor(a) for a in inputs]
    arguments[i] = arguments[i].detach().requires_grad_()
    return _gradients(cell, arguments, arguments[i : i + 1], douts)[0]


def _gradients(cell: Cell, arguments: list, of: list, douts: tuple) -> list[np.ndarray]:
    import torch

    outs = cell(*arguments)
    # of a sum: with grad_outputs torch would import sympy, most of a second
    total = sum((out * tensor(dout)).sum() for out, dout in zip(outs, douts, strict=False))
    found = torch.autograd.grad(total, of, allow_unused=True) if total.requires_grad else of
    pairs = zip(found, of, strict=True)
    return [(0 * a.detach() if g is None or g is a else g).numpy() for g, a in pairs]


def blocks(value: Any, order: Sequence[int]) -> Any:
    """Return a tensor with its four blocks of columns in another order."""
    import torch

    parts = value.chunk(4, -1)
    return torch.cat([parts[k] for k in order], -1)


def tensor(value: Any) -> Any:
    """Return a copy of an array as a tensor; a tensor as it is."""
    import torch

    return value if isinstance(value, torch.Tensor) else torch.tensor(np.array(value))
