"""What torch says, in float64: of looking up words, of Adagrad and RMSprop, of a character RNN."""

from collections.abc import Iterable
from typing import Any

import numpy as np

Weights = dict[str, np.ndarray]

EPS = 1e-8  # of Adagrad, under the root
LIMIT = 5.0  # of each entry of a gradient


def embedding_gradients(args: tuple, dout: np.ndarray) -> list[np.ndarray]:
    """Return the gradient of W by `torch.nn.functional.embedding`; args are W, x."""
    import torch

    W, x = _tensor(args[0]).requires_grad_(), torch.tensor(np.array(args[1], np.int64))
    out = torch.nn.functional.embedding(x, W)
    return [_back(out, [W], _tensor(dout))[0].numpy()]


def adagrad_path(
    w: np.ndarray, gradients: Iterable[np.ndarray], learning_rate: float
) -> list[np.ndarray]:
    """Return the weights after each step of `torch.optim.adagrad`, from an empty memory, eps 0.

    Where eps is added it has another convention: outside the root.
    """
    import torch
    from torch.optim.adagrad import adagrad

    at, memory, count, path = _tensor(w), _tensor(0 * w), torch.tensor(0.0), []
    off = {"weight_decay": 0, "lr_decay": 0, "eps": 0, "maximize": False}
    for gradient in map(_tensor, gradients):
        adagrad([at], [gradient], [memory], [count], foreach=False, lr=learning_rate, **off)
        path.append(at.numpy().copy())
    return path


def rmsprop_path(
    w: np.ndarray, gradients: Iterable[np.ndarray], learning_rate: float, decay: float
) -> list[np.ndarray]:
    """Return the weights after each step of `torch.optim.rmsprop`, as `adagrad_path` does."""
    import torch
    from torch.optim.rmsprop import rmsprop

    at, memory, count, path = _tensor(w), _tensor(0 * w), torch.tensor(0.0), []
    off = {"weight_decay": 0, "momentum": 0, "centered": False, "eps": 0}
    rates = {"lr": learning_rate, "alpha": decay}
    for gradient in map(_tensor, gradients):
        rmsprop([at], [gradient], [memory], [], [], [count], foreach=False, **rates, **off)
        path.append(at.numpy().copy())
    return path


def chunk(
    p: Weights,
    inputs: np.ndarray,
    targets: np.ndarray,
    before: np.ndarray,
    mistake: str = "",
    instead: np.ndarray | float = 0.0,
) -> tuple[float, Weights, np.ndarray]:
    """Return the summed loss of a chunk, its gradients by autograd, and its last state.

    before: (H,) state before its first step, which gets no gradient
    mistake: "cut", "last", "slope" or "turned": what `gradient_lookalikes` is made of
    instead: (H,) what the gradient of Wh takes `before` for, less `before`
    """
    import torch

    weights = {name: _tensor(weight).requires_grad_() for name, weight in p.items()}
    h, losses = _tensor(before), []
    only_Wh = _tensor(np.zeros_like(before) + instead)
    for x, y in zip(inputs.tolist(), targets.tolist(), strict=True):
        h = _state(weights, h, x, mistake, only_Wh)
        only_Wh = 0 * only_Wh
        scores = h @ weights["Wy"] + weights["by"]
        losses.append(torch.logsumexp(scores, 0) - scores[y])
    loss = losses[-1] if mistake == "last" else torch.stack(losses).sum()
    found = torch.autograd.grad(loss, list(weights.values()))
    grads = {name: grad.numpy() for name, grad in zip(weights, found, strict=True)}
    return float(loss.detach()), grads, h.detach().numpy()


def gradient_lookalikes(
    name: str, p: Weights, inputs: np.ndarray, targets: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what likely mistakes make of the gradient of a weight, each under its words."""
    mistakes = {
        "what comes back from the later steps is missing": "cut",
        "only the last step counts: add up": "last",
        "the derivative of tanh is missing": "slope",
        "Wh must be transposed on the way back": "turned",
    }
    before = np.zeros(len(p["b"]))
    found = {
        words: chunk(p, inputs, targets, before, mistake)[1][name]
        for words, mistake in mistakes.items()
    }
    last = chunk(p, inputs, targets, before)[2]
    wrapped = chunk(p, inputs, targets, before, instead=last - before)[1][name]
    return found | {
        "at the first step it takes the last state for the one before the chunk: what is hs[-1] "
        "there?": wrapped
    }


def train(
    ids: np.ndarray, p: Weights, starts: Iterable[int], seq_length: int, learning_rate: float
) -> tuple[Weights, list[float]]:
    """Return the weights after a step of Adagrad on each chunk, and the loss before each.

    starts: where the chunks start; the state is zero wherever that is 0
    """
    p = {name: weight.copy() for name, weight in p.items()}
    memory, losses, h = {name: 0 * weight for name, weight in p.items()}, [], 0 * p["b"]
    for start in starts:
        inputs, targets = (ids[start + i : start + i + seq_length] for i in (0, 1))
        loss, grads, h = chunk(p, inputs, targets, h if start else 0 * h)
        losses.append(loss)
        for name, grad in grads.items():
            grad = np.minimum(np.maximum(grad, -LIMIT), LIMIT)
            memory[name] = memory[name] + grad * grad
            p[name] = p[name] - learning_rate * grad * (memory[name] + EPS) ** -0.5
    return p, losses


def _state(weights: dict[str, Any], h: Any, x: int, mistake: str, only_Wh: Any) -> Any:
    import torch

    if mistake == "cut":
        h = h.detach()
    recurrent = h @ weights["Wh"]
    if mistake == "turned":
        back = h @ weights["Wh"].detach().T
        recurrent = h.detach() @ weights["Wh"] + back - back.detach()
    slipped = only_Wh @ weights["Wh"]  # of its value nothing is left, of its gradient all
    a = weights["Wx"][x] + recurrent + slipped - slipped.detach() + weights["b"]
    return a + (torch.tanh(a) - a).detach() if mistake == "slope" else torch.tanh(a)


def _back(out: Any, arguments: list, dout: Any) -> tuple:
    import torch

    # of a sum: with grad_outputs torch would import sympy, most of a second
    return torch.autograd.grad((out * dout).sum(), arguments)


def _tensor(value: np.ndarray) -> Any:
    import torch

    return torch.tensor(np.array(value))
