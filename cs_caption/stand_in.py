"""torch in the place of extension exercises that were skipped: convolution and GRU.

So that the rest of a notebook runs for everybody. It is not there where the notebook is graded.
"""

from collections.abc import Callable

import numpy as np


def written_or_torch(conv_forward: Callable, conv_backward: Callable) -> tuple[Callable, Callable]:
    """Return the two functions, or torch's pair where either is not written yet; say which.

    Both have notebook 01's signatures. torch is imported when its pair is called, not before.
    """
    inputs = np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 3, 3)), np.zeros(1), 1, 1
    written = conv_forward, conv_backward
    return _pair(written, (torch_conv_forward, torch_conv_backward), inputs)


def gru_written_or_torch(
    gru_step_forward: Callable, gru_step_backward: Callable
) -> tuple[Callable, Callable]:
    """Return the two functions, or torch's pair where either is not written yet; say which.

    Both have notebook 03's signatures. torch is imported when its pair is called, not before.
    """
    inputs = tuple(np.zeros(shape) for shape in ((1, 2), (1, 1), (2, 3), (1, 3), (3,)))
    written = gru_step_forward, gru_step_backward
    return _pair(written, (torch_gru_step_forward, torch_gru_step_backward), inputs)


def _pair(
    written: tuple[Callable, Callable], torch_pair: tuple[Callable, Callable], inputs: tuple
) -> tuple[Callable, Callable]:
    """`written` where both functions run on `inputs` without NotImplementedError."""
    names = [each.__name__.removeprefix("torch_") for each in torch_pair]
    lacks, both = _missing(written, inputs), " and ".join(names)
    missing = [name for name, lack in zip(names, lacks, strict=True) if lack]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        print(f"{both}: torch's for both, since {' and '.join(missing)} {verb} not written yet")
        return torch_pair
    print(f"{both}: yours")
    return written


def _missing(written: tuple[Callable, Callable], inputs: tuple) -> tuple[bool, bool]:
    """Say of forward and of backward whether it is not written yet."""
    forward, backward = written
    try:
        out, cache = forward(*inputs)
    except NotImplementedError:
        return True, _is_stub(backward)
    try:
        backward(out, cache)
    except NotImplementedError:
        return False, True
    return False, False


def _is_stub(backward: Callable) -> bool:
    """Without forward there is no cache: one that is written stumbles over that."""
    try:
        backward(np.zeros((1, 1)), None)
    except NotImplementedError:
        return True
    except Exception:
        return False
    return False


def torch_conv_forward(x, w, b, stride=1, pad=0):
    """Convolve as notebook 01's conv_forward does, by `torch.nn.functional.conv2d`.

    Raises: ImportError where torch is not installed.
    """
    from torch.nn.functional import conv2d

    out = conv2d(*_tensors(x, w, b), stride=stride, padding=pad)
    return out.numpy(), (x, w, stride, pad)


def torch_conv_backward(dout, cache):
    """Take the gradient back as notebook 01's conv_backward does, by `torch.nn.grad`."""
    from torch.nn.grad import conv2d_input, conv2d_weight

    x, w, stride, pad = cache
    inputs, filters, arrived = _tensors(x, w, dout)
    dx = conv2d_input(x.shape, filters, arrived, stride=stride, padding=pad)
    dw = conv2d_weight(inputs, w.shape, arrived, stride=stride, padding=pad)
    return dx.numpy(), dw.numpy(), dout.sum(axis=(0, 2, 3))


def torch_gru_step_forward(x, prev_h, Wx, Wh, b):
    """Make the new state as notebook 03's gru_step_forward does: the reset before the product.

    torch's own GRU resets after the product, so this is written in torch's tensors; the cache
    holds what autograd needs.
    Raises: ImportError where torch is not installed.
    """
    import torch

    leaves = [tensor.requires_grad_() for tensor in _tensors(x, prev_h, Wx, Wh, b)]
    with torch.enable_grad():
        next_h = _gru_step(*leaves)
    return next_h.detach().numpy(), (leaves, next_h)


def torch_gru_step_backward(dnext_h, cache):
    """Take the gradient back as notebook 03's gru_step_backward does, by autograd."""
    import torch

    leaves, next_h = cache
    arrived = torch.tensor(np.asarray(dnext_h), dtype=next_h.dtype)
    # Of a sum: given the gradient that arrives, torch would import sympy, most of a second. The
    # graph is kept, so that a cache can be used more than once.
    with torch.enable_grad():
        grads = torch.autograd.grad((next_h * arrived).sum(), leaves, retain_graph=True)
    return tuple(grad.numpy() for grad in grads)


def _gru_step(x, prev_h, Wx, Wh, b):
    """A GRU's step in tensors. Source: Cho et al. 2014 (arXiv:1406.1078), equations 5 to 8."""
    import torch

    H = prev_h.shape[1]
    ax = torch.addmm(b, x, Wx)
    r, z = torch.addmm(ax[:, : 2 * H], prev_h, Wh[:, : 2 * H]).sigmoid().chunk(2, dim=1)
    g = torch.addmm(ax[:, 2 * H :], r * prev_h, Wh[:, 2 * H :]).tanh()
    return g.lerp(prev_h, z)


def _tensors(*values: np.ndarray) -> list:
    """Tensors of the one dtype that NumPy would calculate in: torch does not mix them."""
    import torch

    common = np.result_type(*values)
    return [torch.from_numpy(np.ascontiguousarray(value, common)) for value in values]
