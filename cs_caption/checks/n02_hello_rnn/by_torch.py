"""What torch says, in float64: the step, its gradients and those of likely mistakes, the loss."""

from typing import Any

import numpy as np

_FAR = 1024.0  # to the right of ReLU's kink, where it is the identity
_NO_SLOPE = {
    "tanh": "the derivative of the activation is missing",
    "relu": "the derivative of the activation is missing, or is 1 everywhere (next_h is never "
    "negative, so next_h >= 0 is always true: compare with > 0)",
}


def step(inputs: tuple, activation: str) -> np.ndarray:
    """Return next_h of `torch.nn.RNNCell` with these weights."""
    return _step(inputs, activation)[0].detach().numpy()


def step_gradients(inputs: tuple, dnext_h: np.ndarray, activation: str) -> list[np.ndarray]:
    """Return the gradients of sum(dnext_h * next_h) by autograd, in the order of the inputs."""
    out, arguments = _step(inputs, activation)
    return [_back(out, argument, _tensor(dnext_h)).numpy() for argument in arguments]


def step_lookalikes(
    i: int, inputs: tuple, dnext_h: np.ndarray, next_h: np.ndarray, activation: str
) -> dict[str, np.ndarray]:
    """Return what likely mistakes make of gradient `i`, each under the words that name it."""
    x, prev_h, Wx, Wh, b = inputs
    dout, out = _tensor(dnext_h), _tensor(next_h)
    total = _sum(inputs)[0].detach()
    da = _through(activation, total, dout)
    wrong_slopes = {
        _NO_SLOPE[activation]: dout,
        "the derivative of tanh takes tanh's output, not its input": dout * (1 - total**2),
        "tanh is applied to next_h a second time": _through(activation, out, dout),
        "the square in the derivative of tanh is missing": dout * (1 - out),
        "dnext_h is ignored": da / dout,
        "the derivative is tanh's, though the activation is relu": dout * (1 - out**2),
    }
    found = {words: _through_sum(i, inputs, slope) for words, slope in wrong_slopes.items()}
    next_state, turned = (x, next_h, Wx, Wh, b), (x, prev_h, Wx, Wh.T.copy(), b)
    found["next_h is used where prev_h belongs"] = _through_sum(i, next_state, da)
    found["Wh must be transposed on the way back"] = _through_sum(i, turned, da)
    truth = _through_sum(i, inputs, da)
    for row, words in ((0, "first"), (-1, "last")):
        only = da * 0
        only[row] = da[row]
        found[f"only the {words} of the N sequences counts"] = _through_sum(i, inputs, only)
        if i < 2:
            copies = truth[[row] * len(truth)]
            found[f"all N sequences get the gradient of the {words}"] = copies
    if i == 1:
        found["dnext_h is added: it reaches prev_h only through Wh"] = truth + dnext_h
    if i == 3:
        found["it is transposed"] = truth.T
    return found


def loss_and_gradient(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> tuple[float, np.ndarray]:
    """Return `torch.nn.functional.cross_entropy` over the real tokens, and its gradient."""
    import torch

    scores = _tensor(x).requires_grad_()
    ids = torch.tensor(np.where(mask, y, -100)).flatten()
    loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), ids, ignore_index=-100)
    return float(loss.detach()), torch.autograd.grad(loss, scores)[0].numpy()


def _step(inputs: tuple, activation: str) -> tuple[Any, list]:
    import torch

    arguments = [_tensor(a).requires_grad_() for a in inputs]
    x, prev_h, Wx, Wh, b = arguments
    # on "meta" the cell draws no numbers of its own: the notebook's random stream is not touched
    cell = torch.nn.RNNCell(*Wx.shape, nonlinearity=activation, dtype=x.dtype, device="meta")
    weights = {"weight_ih": Wx.T, "weight_hh": Wh.T, "bias_ih": b, "bias_hh": torch.zeros_like(b)}
    return torch.func.functional_call(cell, weights, (x, prev_h)), arguments


def _sum(inputs: tuple) -> tuple[Any, list]:
    """What goes into the activation, read off a ReLU far to the right of its kink."""
    out, arguments = _step((*inputs[:4], inputs[4] + _FAR), "relu")
    return out - _FAR, arguments


def _through_sum(i: int, inputs: tuple, da: Any) -> np.ndarray:
    total, arguments = _sum(inputs)
    return _back(total, arguments[i], da).numpy()


def _through(activation: str, at: Any, dout: Any) -> Any:
    import torch

    a = at.clone().requires_grad_()
    return _back(getattr(torch, activation)(a), a, dout)


def _back(out: Any, argument: Any, dout: Any) -> Any:
    import torch

    # of a sum: with grad_outputs torch would import sympy, most of a second
    return torch.autograd.grad((out * dout).sum(), argument, retain_graph=True)[0]


def _tensor(value: np.ndarray) -> Any:
    import torch

    return torch.tensor(np.array(value))
