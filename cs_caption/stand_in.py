"""torch's convolution in the place of an extension exercise that was skipped.

So that the rest of notebook 01 runs for everybody. It is not there where the notebook is graded.
"""

from collections.abc import Callable

import numpy as np


def written_or_torch(conv_forward: Callable, conv_backward: Callable) -> tuple[Callable, Callable]:
    """Return the two functions, or torch's pair where either is not written yet; say which.

    Both have notebook 01's signatures. torch is imported when its pair is called, not before.
    """
    x, w, b = np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 3, 3)), np.zeros(1)
    try:
        out, cache = conv_forward(x, w, b, 1, 1)
        conv_backward(out, cache)
    except NotImplementedError:
        print("conv_forward and conv_backward: torch's, since yours are not written yet")
        return torch_conv_forward, torch_conv_backward
    print("conv_forward and conv_backward: yours")
    return conv_forward, conv_backward


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


def _tensors(*values: np.ndarray) -> list:
    """Tensors of the one dtype that NumPy would calculate in: torch does not mix them."""
    import torch

    common = np.result_type(*values)
    return [torch.from_numpy(np.ascontiguousarray(value, common)) for value in values]
