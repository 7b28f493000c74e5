"""Float32 in, float32 out: cases for layers that train in half the memory and half the time."""

from typing import Any

import numpy as np

from cs_caption.checks.backward import Draw, Layer, require_gradients, step
from cs_caption.checks.exercise import Run
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import close, describe, entries, opaque

Random = np.random.RandomState

SINGLE = "float32 stays float32"

_TOLERANCE = 1e-4  # of sums of float32, relative to the largest entry


def forward_in_single(layer: Layer, draw: Draw) -> Run:
    """Return a case: out is float32, and otherwise what it is for float64."""

    def run(subject: Subject, rng: Random) -> None:
        single, double = _both(draw(rng))
        found = subject.calls([single, double], keep=(1,), function=layer.forward)
        (out, cache), (exact, _) = (entries(each.value, f"{layer.out}, cache") for each in found)
        opaque(cache)
        exact = layer.require_out(subject, double, exact)
        _require(out, exact, layer.out, layer.inputs)

    return run


def backward_in_single(layer: Layer, draw: Draw) -> Run:
    """Return a case: the gradients are float32, and otherwise what they are for float64."""

    def run(subject: Subject, rng: Random) -> None:
        single, double = _both(draw(rng))
        taken = step(subject, rng, layer, double)
        exact = subject.call((taken.dout, taken.cache)).value
        require_gradients(subject, layer, taken, exact)
        outcome = subject.call(single, keep=(0, 1), function=layer.forward)
        _, cache = entries(outcome.value, f"{layer.out}, cache")
        found = subject.call((taken.dout.astype(np.float32), opaque(cache))).value
        names = layer.names.split(", ")
        if len(names) == 1:
            found, exact = (found,), (exact,)
        given = f"{layer.inputs}, d{layer.out}"
        for name, mine, right in zip(names, entries(found, layer.names), exact, strict=True):
            _require(mine, right, name, given)

    return run


def require_single(value: Any, name: str, given: str) -> np.ndarray:
    """Return a float32 array as float64; fail with words where it is something else."""
    if type(value) is np.ndarray and value.dtype == np.float32:
        return value.astype(np.float64)
    first, _, last = given.rpartition(", ")
    inputs = f"{first} and {last} are" if first else f"{last} is"
    raise Wrong(
        f"{inputs} float32 and {name} is {describe(value)}: float32 takes half the memory and half "
        "the time, so keep it (np.zeros makes float64 unless told otherwise)"
    )


def _require(value: Any, exact: np.ndarray, name: str, given: str) -> None:
    mine = require_single(value, name, given)
    if mine.shape != exact.shape or not close(mine, exact, _TOLERANCE):
        raise Wrong(f"{name} is not the same for float32 as for float64")


def _both(args: tuple) -> tuple[tuple, tuple]:
    """The arguments with their arrays in float32, and the same numbers in float64."""
    single = tuple(a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in args)
    return single, tuple(a.astype(np.float64) if isinstance(a, np.ndarray) else a for a in single)
