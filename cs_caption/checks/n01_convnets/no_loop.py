"""No loop over pixels: the lines of Python that a call runs must not grow with the picture."""

import numpy as np

from cs_caption.checks.backward import Layer, require_gradients, step
from cs_caption.checks.exercise import Run
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import eighths, entries, opaque

Random = np.random.RandomState

NO_LOOP = "no loop over pixels"

# The output has 24 x 23 = 552 places. A loop over them runs more lines; one over the pictures, the
# places of a filter, or both, runs fewer.
_PICTURES, _FILTERS, _MOST_LINES = (2, 2, 24, 23), (3, 2, 3, 3), 500


def forward_without_loop(layer: Layer) -> Run:
    """Return a case: out is right, and was not made pixel by pixel."""

    def run(subject: Subject, rng: Random) -> None:
        args = _draw(rng)
        out, cache = entries(subject.call(args, keep=(1,)).value, f"{layer.out}, cache")
        opaque(cache)
        layer.require_out(subject, args, out)
        _require_few(subject.lines(args))

    return run


def backward_without_loop(layer: Layer) -> Run:
    """Return a case: the gradients are right, and were not made pixel by pixel."""

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, layer, _draw(rng))
        found = subject.call((taken.dout, taken.cache)).value
        require_gradients(subject, layer, taken, found)
        _require_few(subject.lines((taken.dout, taken.cache)))

    return run


def _draw(rng: Random) -> tuple:
    x, w, b = (eighths(rng, shape) for shape in (_PICTURES, _FILTERS, _FILTERS[:1]))
    return x, w, b, 1, 1


def _require_few(lines: int) -> None:
    if type(lines) is not int or lines > _MOST_LINES:
        raise Wrong(
            f"right, but one call runs {lines:,} lines of Python for two pictures of 24x23: a loop "
            "over pixels is left, in it or in a function that it calls"
        )
