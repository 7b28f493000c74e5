"""What torch says, in float64, of the layers without windows, and of likely mistakes in them."""

from collections.abc import Callable
from typing import Any

import numpy as np

_COLUMNS = (  # of dx and dw, where x is walked through from the first axis to the last
    "its numbers are put back in another order than x.reshape(N, -1) took them",
    "x is not flattened in the order that x.reshape(N, -1) has",
)


def affine(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return `torch.nn.functional.linear` of the flattened inputs."""
    return _affine(*map(_tensor, (x, w, b))).numpy()


def affine_gradients(args: tuple, dout: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of sum(dout * out) by autograd: dx, dw, db."""
    return _gradients(_affine, args, _tensor(dout))


def affine_lookalikes(
    i: int, args: tuple, dout: np.ndarray, out: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what likely mistakes make of gradient `i`, each under the words that name it."""
    x, w, b = args
    d, truth = _tensor(dout), _gradients(_affine, args, _tensor(dout))[i]
    other_douts = {
        "dout is ignored": d * 0 + 1,
        "dout is cut where out is negative, but affine_forward has no threshold": d * (out > 0),
    }
    for row, words in ((0, "first"), (-1, "last")):
        other_douts[f"only the {words} of the N inputs counts"] = _only(d, row)
    found = {words: _gradients(_affine, args, other)[i] for words, other in other_douts.items()}
    if i == 0:
        turned = (x, w.reshape(w.T.shape).T, b)
        found["w is reshaped to (M, D): transpose it"] = _gradients(_affine, turned, d)[0]
        for row, words in ((0, "first"), (-1, "last")):
            copies = truth[[row] * len(truth)]
            found[f"all N inputs get the gradient of the {words}"] = copies
    if i < 2 and x.ndim > 2:
        found[_COLUMNS[i]] = _gradients(_affine_by_columns, args, d)[i]
    return found


def relu_gradients(args: tuple, dout: np.ndarray) -> list[np.ndarray]:
    """Return the gradient of sum(dout * relu(x)) by autograd."""
    import torch

    return _gradients(torch.relu, args, _tensor(dout))


def cross_entropy(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return `torch.nn.functional.cross_entropy`, a mean over N, and its gradient."""
    import torch

    scores = _tensor(x).requires_grad_()
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y.astype(np.int64)))
    return float(loss.detach()), torch.autograd.grad(loss, scores)[0].numpy()


def sgd_path(
    w: np.ndarray, gradients: list[np.ndarray], learning_rate: float, momentum: float
) -> list[np.ndarray]:
    """Return the weights after each step of `torch.optim.sgd`, which starts without velocity.

    Its own velocity is another number (it leaves the learning rate out), its steps are the same.
    """
    from torch.optim.sgd import sgd  # the function under optim.SGD, which would load the compiler

    at, velocity, path = _tensor(w), [None], []
    off = {"weight_decay": 0, "dampening": 0, "nesterov": False, "maximize": False}
    for gradient in map(_tensor, gradients):
        sgd([at], [gradient], velocity, lr=learning_rate, momentum=momentum, foreach=False, **off)
        path.append(at.numpy().copy())
    return path


def parameters(kind: str, *sizes: int) -> int:
    """Count the parameters of torch's own layer "Conv2d" (3x3) or "Linear", which takes no memory.

    sizes: channels (or numbers) in, and out
    """
    import torch

    layer = getattr(torch.nn, kind)
    made = layer(*sizes, *((3,) if kind == "Conv2d" else ()), device="meta")
    return sum(parameter.numel() for parameter in made.parameters())


def _affine(x: Any, w: Any, b: Any) -> Any:
    import torch

    return torch.nn.functional.linear(x.flatten(1), w.T, b)


def _affine_by_columns(x: Any, w: Any, b: Any) -> Any:
    return _affine(x.permute(0, *range(x.ndim - 1, 0, -1)), w, b)


def _only(dout: Any, row: int) -> Any:
    only = dout * 0
    only[row] = dout[row]
    return only


def _gradients(function: Callable, args: tuple, dout: Any) -> list[np.ndarray]:
    import torch

    tensors = [_tensor(arg).requires_grad_() for arg in args]
    # of a sum: with grad_outputs torch would import sympy, most of a second
    grads = torch.autograd.grad((function(*tensors) * dout).sum(), tensors)
    return [grad.numpy() for grad in grads]


def _tensor(value: Any) -> Any:
    import torch

    return torch.tensor(np.array(value))
