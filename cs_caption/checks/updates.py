"""What the checks of update rules share: (w, dw, memory, rates) -> next_w, next_memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cs_caption.checks.exercise import Run
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    array,
    awkward,
    close,
    eighths,
    entries,
    sizes,
    unchanged,
)

Random = np.random.RandomState
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]

DEFAULT = "called without {}, it does not use the one in the stub's first line: was that changed?"

_STEPS = 5


@dataclass(frozen=True)
class Rule:
    """An update rule, and how its steps are judged.

    memory:       the name of what is carried from step to step
    draw:         (rng, axes) -> w, dw, memory of one shape
    rates:        rng -> the numbers that follow them
    require_step: (args, next_w, next_memory) -> None, or Wrong
    in_a_row:     rng -> the rates of steps in a row, which `path` is given as well
    path:         (w, gradients, *rates) -> the weights after each step from an empty memory
    """

    memory: str
    draw: Callable[[Random, int], Arrays]
    rates: Callable[[Random], tuple[float, ...]]
    require_step: Callable[[tuple, np.ndarray, np.ndarray], None]
    in_a_row: Callable[[Random], tuple[float, ...]]
    path: Callable[..., list[np.ndarray]]


def results(outcome: Outcome, w: np.ndarray, memory: str) -> tuple[np.ndarray, np.ndarray]:
    """Return next_w and the next memory if both are arrays of w's shape."""
    next_w, next_memory = entries(outcome.value, f"next_w, next_{memory}")
    return (
        array(next_w, w.shape, "next_w", "the shape of w"),
        array(next_memory, w.shape, f"next_{memory}", f"the shape of {memory}"),
    )


def in_a_row(rule: Rule) -> Run:
    """Return a case: two sets of weights in turn; what is remembered lies in the memory."""

    def run(subject: Subject, rng: Random) -> None:
        rates = rule.in_a_row(rng)
        starts = [rule.draw(rng, axes)[0] for axes in (2, 3)]
        gradients = [[_gradient(rng, w.shape) for _ in range(_STEPS)] for w in starts]
        now = [(w, np.zeros_like(w)) for w in starts]
        found: list[list[np.ndarray]] = [[], []]
        for i in range(_STEPS):
            for k, (w, memory) in enumerate(now):
                args = (w, gradients[k][i], memory, *rates)
                now[k] = results(subject.call(args), w, rule.memory)
                found[k].append(now[k][0])
        for w, dws, path in zip(starts, gradients, found, strict=True):
            _require_path(rule, path, rule.path(w, dws, *rates))

    return run


def _require_path(rule: Rule, found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for i, right in enumerate(expected):
        if not close(found[i], right):
            raise Wrong(
                f"after {i + 1} of {_STEPS} steps in a row, each with the last one's next_w "
                f"and next_{rule.memory}, the weights are wrong"
                + (f": the first step from {rule.memory} = 0 is right" if i else "")
            )


def any_axes(rule: Rule) -> Run:
    """Return a case: weights with one axis, three and four."""

    def run(subject: Subject, rng: Random) -> None:
        for axes in (1, 3, 4):
            args = (*rule.draw(rng, axes), *rule.rates(rng))
            rule.require_step(args, *results(subject.call(args), args[0], rule.memory))

    return run


def left_alone(rule: Rule) -> Run:
    """Return a case: nothing is written into the arguments, also where that is forbidden."""

    def run(subject: Subject, rng: Random) -> None:
        arrays, rates = rule.draw(rng, 2), rule.rates(rng)
        for given in (arrays, tuple(map(awkward, arrays))):
            outcome = subject.call((*given, *rates))
            unchanged(outcome, f"w, dw, {rule.memory}")
            rule.require_step((*arrays, *rates), *results(outcome, arrays[0], rule.memory))

    return run


def drawn_eighths(rng: Random, axes: int) -> Arrays:
    """Draw w, dw, memory: multiples of 1/8 other than 0, of one shape whose axes all differ.

    In dw there are entries below 1, above it, and far above.
    """
    shape = tuple(sizes(rng, axes, 2, 6))
    w, memory = (eighths(rng, shape) for _ in range(2))
    return w, _gradient(rng, shape), memory


def _gradient(rng: Random, shape: tuple[int, ...]) -> np.ndarray:
    scales = np.resize(rng.permutation([1.0, 16.0, 200.0]), int(np.prod(shape)))
    return eighths(rng, shape) * rng.permutation(scales).reshape(shape)
