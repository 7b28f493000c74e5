"""How a backward function is checked: the student's own forward goes first, and must be right.

    LAYER = Layer("affine_forward", inputs="x, w, b", ...)
    Case("dx", 2, backward(LAYER, draw, "dx"))
    Case(f"all three, {TWICE}", 1, called_twice(LAYER, draw))

A case draws the arguments of forward, keeps what it returns on the far side, hands the cache back
with a gradient of random numbers, and compares each gradient with both referees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Run
from cs_caption.checks.farside import READ
from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import IN_PLACE, Outcome, Subject, Wrong
from cs_caption.checks.values import array, awkward, eighths, entries, factors, opaque, unchanged

Random = np.random.RandomState
Draw = Callable[[Random], tuple]

TWICE = "called twice; nothing is written over"
IN_FLIGHT = "two steps forward before the first comes back"
_AWKWARD = "with a {} that may not be written to and is not contiguous in memory: "
_GLOBAL = "; take everything from this call's cache (a global holds what the last step left there)"


@dataclass(frozen=True)
class Layer:
    """A forward function, and what the gradients of its first arguments are compared with.

    inputs:      the names of the arguments that have a gradient, in the order of the gradients
    axes:        the axes of each, for the words
    require_out: (subject, args, out) -> out, or Wrong where it is not forward's
    gradients:   (args, dout) -> the gradients by torch autograd; asked only where torch is there
    lookalikes:  (i, taken) -> what likely mistakes make of gradient i; asked only with torch
    counts:      args -> sizes by which a gradient may be too large or too small
    """

    forward: str
    inputs: str
    axes: tuple[str, ...]
    require_out: Callable[[Subject, tuple, Any], np.ndarray]
    gradients: Callable[[tuple, np.ndarray], list[np.ndarray]]
    lookalikes: Callable[[int, "Taken"], Mapping[str, np.ndarray]]
    counts: Callable[[tuple], Mapping[str, int]]
    out: str = "out"

    @property
    def names(self) -> str:
        """The gradients, as the words have them: "dx, dw, db"."""
        return ", ".join(f"d{name}" for name in self.inputs.split(", "))


@dataclass(frozen=True)
class Taken:
    """A step that the student's forward has taken, and the gradient that arrives at its end."""

    args: tuple
    out: np.ndarray
    kept: Any  # out where it lies on the far side: the cache may hold the same array
    cache: Any
    dout: np.ndarray
    given: tuple = ()  # args where they lie on the far side: the cache may hold the same arrays


def backward(layer: Layer, draw: Draw, which: str | None = None, *, untouched: bool = False) -> Run:
    """Return a case: the gradients `which` (default: all) of what `draw` draws.

    With `untouched` it fails as well where dout, or out in the cache, is written over.
    """

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, layer, draw(rng))
        if untouched:
            found = _call(subject, layer, taken, taken.dout)
            require_gradients(subject, layer, taken, found, which)
        else:
            _go_back(subject, layer, taken, which)

    return run


def called_twice(layer: Layer, draw: Draw) -> Run:
    """Return a case: the same step back twice, and with an awkward dout; nothing is changed."""
    dout = f"d{layer.out}"
    again = (
        f"right the first time, but when called again with the same {dout} and this cache (does "
        "the first call change something in it?): "
    )

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, layer, draw(rng), view=True)
        for when in ("", again, _AWKWARD.format(dout)):
            given = taken.dout if when in ("", again) else awkward(taken.dout)
            found = _call(subject, layer, taken, given, when)
            require_gradients(subject, layer, taken, found, when=when)

    return run


def in_flight(layer: Layer, draw: Draw) -> Run:
    """Return a case: two steps forward, then back from the first."""

    def run(subject: Subject, rng: Random) -> None:
        first, _ = (step(subject, rng, layer, draw(rng)) for _ in range(2))
        try:
            _go_back(subject, layer, first)
        except Wrong as wrong:
            alone = backward(layer, draw)
            hint = _GLOBAL if _passes(alone, subject, rng) else ""
            raise Wrong(f"after two steps forward, back from the first: {wrong}{hint}") from None

    return run


def _passes(run: Run, subject: Subject, rng: Random) -> bool:
    try:
        run(subject, rng)
    except Wrong:
        return False
    return True


def _go_back(subject: Subject, layer: Layer, taken: Taken, which: str | None = None) -> None:
    """Call backward; where a gradient is wrong, say whether dout was written into."""
    outcome = subject.call((taken.dout, taken.cache))
    try:
        require_gradients(subject, layer, taken, outcome.value, which)
    except Wrong as wrong:
        raise Wrong(f"{_written(outcome, layer)}{wrong}") from None


def _written(outcome: Outcome, layer: Layer) -> str:
    dout = f"d{layer.out}"
    return f"{dout} is changed on the way ({IN_PLACE}): " if 0 in outcome.mutated else ""


def step(subject: Subject, rng: Random, layer: Layer, args: tuple, *, view: bool = False) -> Taken:
    """Take the student's forward step; with `view`, on read-only views with gaps."""
    given = tuple(awkward(a) if view and isinstance(a, np.ndarray) else a for a in args)
    given = subject.call((given,), keep=range(len(given)), function=READ).value
    outcome = subject.call(given, keep=(0, 1), function=layer.forward)
    try:
        kept, cache = map(opaque, entries(outcome.value, f"{layer.out}, cache"))
        out = layer.require_out(subject, args, subject.read(kept))
    except Wrong as wrong:
        raise Wrong(f"first mend {layer.forward}: {wrong}") from None
    return Taken(args, out, kept, cache, eighths(rng, out.shape), given)


def require_gradients(
    subject: Subject,
    layer: Layer,
    taken: Taken,
    found: Any,
    which: str | None = None,
    when: str = "",
) -> None:
    """Fail where one of the gradients `which` (default: all) is wrong; `when` starts the words."""
    names = layer.names.split(", ")
    try:
        grads = entries(found, layer.names) if len(names) > 1 else (found,)
        truths = layer.gradients(taken.args, taken.dout) if torch_or_none() else None
        for name in (which or layer.names).split(", "):
            _require(subject, layer, taken, names.index(name), grads, truths)
    except Wrong as wrong:
        raise Wrong(f"{when}{_overwritten(subject, layer, taken)}{wrong}") from None


def _overwritten(subject: Subject, layer: Layer, taken: Taken) -> str:
    """Say which arguments of forward are no longer what they were."""
    names = layer.inputs.split(", ")
    kept = zip(names, taken.args, taken.given, strict=False)
    lost = [name for name, arg, handle in kept if not _is_still(subject.read(handle), arg)]
    if not lost:
        return ""
    same_array = " and ".join(f"`d{name} = {name}` is the same array, not a copy" for name in lost)
    return (
        f"{' and '.join(lost)} was written over after it went into {layer.forward} ({same_array}: "
        f"start from np.zeros({lost[0]}.shape)): "
    )


def _is_still(value: Any, before: np.ndarray) -> bool:
    return type(value) is np.ndarray and np.array_equal(value, before)


def _require(
    subject: Subject,
    layer: Layer,
    taken: Taken,
    i: int,
    grads: tuple,
    truths: list[np.ndarray] | None,
) -> None:
    name = layer.names.split(", ")[i]
    _require_order(layer, i, grads, taken.args)
    gradient = array(grads[i], taken.args[i].shape, name, layer.axes[i])

    def slopes(along: list[np.ndarray]) -> np.ndarray:
        moves = [(i, direction) for direction in along]
        return subject.vjp(
            taken.args, taken.dout, moves, result=0, leave=(1,), function=layer.forward
        )

    require_gradient(
        name,
        gradient,
        None if truths is None else truths[i],
        slopes,
        lambda truth: factors(truth, layer.counts(taken.args)),
        lambda: {} if truths is None else layer.lookalikes(i, taken),
    )


def _require_order(layer: Layer, i: int, grads: tuple, args: tuple) -> None:
    shapes = [grad.shape if type(grad) is np.ndarray else None for grad in grads]
    expected = [arg.shape for arg in args[: len(grads)]]
    if shapes[i] != expected[i] and sorted(map(str, shapes)) == sorted(map(str, expected)):
        name = layer.names.split(", ")[i]
        raise Wrong(f"{name} is in another place: the order is {layer.names}")


def _call(subject: Subject, layer: Layer, taken: Taken, dout: np.ndarray, when: str = "") -> Any:
    """Call backward, and fail where it changes dout or out; `when` starts the words."""
    try:
        outcome = subject.call((dout, taken.cache))
    except Wrong as wrong:
        raise Wrong(f"{when}{wrong}") from None
    unchanged(outcome, f"d{layer.out}")
    if not _is_still(subject.read(taken.kept), taken.out):
        raise Wrong(f"it changes what lies in the cache ({layer.out}): {IN_PLACE}")
    return outcome.value
