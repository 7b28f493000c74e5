"""Notebook 01's convolution in NumPy, beside its own loops and beside torch, all on one thread.

The sizes are those of CS231n's timing cell: x 100x3x31x31, w 25x3x3x3, stride 2, pad 1.
"""

import os

# Before NumPy is imported: it reads the number of threads then.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import conv2d

from autograder.zoo import SOLUTIONS, functions_of
from benchmarks.record import record

ROUNDS, STRIDE, PAD = 40, 2, 1
Calls = dict[str, Callable[[], object]]


def inputs(dtype: type) -> tuple[np.ndarray, ...]:
    """x, w, b and the gradient that arrives, the same numbers in each dtype."""
    rng = np.random.default_rng(0)
    shapes = ((100, 3, 31, 31), (25, 3, 3, 3), (25,), (100, 25, 16, 16))
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in shapes)


def calls(dtype: type) -> tuple[Calls, Calls]:
    """Forward and backward of the product and of torch, ready to be called."""
    ours = functions_of(SOLUTIONS / "01_convnets" / "01_convnets.py")
    x, w, b, dout = inputs(dtype)
    _, cache = ours["conv_forward"](x, w, b, STRIDE, PAD)
    tensors = [torch.tensor(value, requires_grad=True) for value in (x, w, b)]
    plain = [tensor.detach() for tensor in tensors]
    arrived, out = torch.tensor(dout), conv2d(*tensors, stride=STRIDE, padding=PAD)
    forward = {
        "product": lambda: ours["conv_forward"](x, w, b, STRIDE, PAD)[0],
        "torch": lambda: conv2d(*plain, stride=STRIDE, padding=PAD).numpy(),
    }
    backward = {
        "product": lambda: ours["conv_backward"](dout, cache)[1],
        "torch": lambda: torch.autograd.grad(out, tensors, arrived, retain_graph=True)[1].numpy(),
    }
    return forward, backward


def loops() -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Seconds and results of the loops, in float64, called once each."""
    ours = functions_of(SOLUTIONS / "01_convnets" / "01_convnets.py")
    x, w, b, dout = inputs(np.float64)
    start = time.perf_counter()
    out, cache = ours["conv_forward_naive"](x, w, b, STRIDE, PAD)
    middle = time.perf_counter()
    _, dw, _ = ours["conv_backward_naive"](dout, cache)
    seconds = {"forward": middle - start, "backward": time.perf_counter() - middle}
    return seconds, {"forward": out, "backward": dw}


def medians(ways: Calls) -> dict[str, float]:
    """Seconds of each way, called in turn so that a busy moment meets all of them."""
    taken = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, call in ways.items():
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> None:
    torch.set_num_threads(1)
    slow, results = loops()
    figures: dict[str, object] = {}
    for dtype in (np.float64, np.float32):
        for name, ways in zip(("forward", "backward"), calls(dtype), strict=True):
            found, title = medians(ways), f"{name}, {dtype.__name__}"
            figures[f"{title}: product, ms"] = round(1000 * found["product"], 2)
            figures[f"{title}: torch, ms"] = round(1000 * found["torch"], 2)
            figures[f"{title}: product / torch"] = round(found["product"] / found["torch"], 2)
            if dtype is np.float64:
                figures[f"{title}: loops, s"] = round(slow[name], 2)
                figures[f"{title}: loops / product"] = round(slow[name] / found["product"])
                apart = max(float(np.abs(call() - results[name]).max()) for call in ways.values())
                figures[f"{title}: largest difference from the loops"] = apart
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print("written:", record("convolution", figures, f"medians of {ROUNDS}, one thread"))


if __name__ == "__main__":
    main()
