"""How a backward function is checked: the student's own forward goes first, and must be right.

    LAYER = Layer("affine_forward", inputs="x, w, b", ...)
    Case("dx", 2, backward(LAYER, draw, "dx"))
    Case(f"all three, {TWICE}", 1, called_twice(LAYER, draw))

A case draws the arguments of forward, keeps what it returns on the far side, hands the cache back
with a gradient of random numbers, and compares each gradient with both referees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Run
from cs_caption.checks.farside import READ
from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import IN_PLACE, Outcome, Subject, Wrong
from cs_caption.checks.values import (
    array,
    awkward,
    differing,
    eighths,
    entries,
    factors,
    opaque,
    unchanged,
)

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
    out:         the results of forward before the cache; where there are several, "next_h, next_c",
                 require_out is given each, and `Taken` has tuples of them
    arriving:    how many of them, the first ones, have a gradient that arrives: backward and
                 `gradients` are given each; None: all
    where:       (i, gradient, truth) -> words where no look-alike of gradient i fits
    """

    forward: str
    inputs: str
    axes: tuple[str, ...]
    require_out: Callable[[Subject, tuple, Any], np.ndarray]
    gradients: Callable[[tuple, np.ndarray], list[np.ndarray]]
    lookalikes: Callable[[int, "Taken"], Mapping[str, np.ndarray]]
    counts: Callable[[tuple], Mapping[str, int]]
    out: str = "out"
    arriving: int | None = None
    where: Callable[[int, np.ndarray, np.ndarray], str] = lambda i, *both: differing(*both)

    @property
    def names(self) -> str:
        """The gradients, as the words have them: "dx, dw, db"."""
        return ", ".join(f"d{name}" for name in self.inputs.split(", "))

    @property
    def dout(self) -> str:
        """The gradients that arrive, as the words have them: "dnext_h, dnext_c"."""
        return ", ".join(f"d{name}" for name in self.out.split(", ")[: self.arriving])


@dataclass(frozen=True)
class Taken:
    """A step that the student's forward has taken, and the gradient that arrives at its end.

    Of several results, or gradients that arrive, there are tuples.
    """

    args: tuple
    out: Any
    kept: Any  # out where it lies on the far side: the cache may hold the same array
    cache: Any
    dout: Any
    given: tuple = ()  # args where they lie on the far side: the cache may hold the same arrays
    # what forward gave where argument i was moved a little: the same whatever arrives
    moved: dict[int, list[Outcome]] = field(default_factory=dict, compare=False)


def backward(layer: Layer, draw: Draw, which: str | None = None, *, untouched: bool = False) -> Run:
    """Return a case: the gradients `which` (default: all) of what `draw` draws.

    With `untouched` it fails as well where dout, or out in the cache, is written over.
    """

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, layer, draw(rng))
        if untouched:
            found = _call(subject, layer, taken, several(taken.dout))
            require_gradients(subject, layer, taken, found, which)
        else:
            _go_back(subject, layer, taken, which)

    return run


def called_twice(layer: Layer, draw: Draw) -> Run:
    """Return a case: the same step back twice, and with an awkward dout; nothing is changed."""
    again = (
        f"right the first time, but when called again with the same {layer.dout} and this cache "
        "(does the first call change something in it?): "
    )

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, layer, draw(rng), view=True)
        for when in ("", again, _AWKWARD.format(layer.dout)):
            given = several(taken.dout)
            given = given if when in ("", again) else tuple(map(awkward, given))
            found = _call(subject, layer, taken, given, when)
            require_gradients(subject, layer, taken, found, when=when)

    return run


def in_flight(layer: Layer, draw: Draw, second: Draw | None = None) -> Run:
    """Return a case: two steps forward, the second of what `second` draws; back from the first."""

    def run(subject: Subject, rng: Random) -> None:
        first, _ = (step(subject, rng, layer, each(rng)) for each in (draw, second or draw))
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
    outcome = subject.call((*several(taken.dout), taken.cache))
    try:
        require_gradients(subject, layer, taken, outcome.value, which)
    except Wrong as wrong:
        raise Wrong(f"{_written(outcome, layer)}{wrong}") from None


def _written(outcome: Outcome, layer: Layer) -> str:
    names = [dout for i, dout in enumerate(layer.dout.split(", ")) if i in outcome.mutated]
    verb = "is" if len(names) == 1 else "are"
    return f"{' and '.join(names)} {verb} changed on the way ({IN_PLACE}): " if names else ""


def step(subject: Subject, rng: Random, layer: Layer, args: tuple, *, view: bool = False) -> Taken:
    """Take the student's forward step; with `view`, on read-only views with gaps."""
    given = tuple(awkward(a) if view and isinstance(a, np.ndarray) else a for a in args)
    given = subject.call((given,), keep=range(len(given)), function=READ).value
    results = range(len(layer.out.split(", ")) + 1)
    outcome = subject.call(given, keep=results, function=layer.forward)
    try:
        *kept, cache = map(opaque, entries(outcome.value, f"{layer.out}, cache"))
        out = layer.require_out(subject, args, *map(subject.read, kept))
    except Wrong as wrong:
        raise Wrong(f"first mend {layer.forward}: {wrong}") from None
    dout = [eighths(rng, each.shape) for each in several(out)[: layer.arriving]]
    return Taken(args, out, _one(kept), cache, _one(dout), given)


def several(value: Any) -> tuple:
    """Return what `Taken` has of one result, or of several, as a tuple."""
    return value if isinstance(value, tuple) else (value,)


def _one(values: list) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


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
        truths = None
        if torch_or_none():
            truths = layer.gradients(taken.args, *several(taken.dout))
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
        douts, count = several(taken.dout), len(several(taken.out))
        return subject.vjp(
            taken.args,
            douts,
            moves,
            result=range(len(douts)),
            leave=range(len(douts), count + 1),
            function=layer.forward,
            seen=taken.moved.setdefault(i, []),
        )

    require_gradient(
        name,
        gradient,
        None if truths is None else truths[i],
        slopes,
        lambda truth: factors(truth, layer.counts(taken.args)),
        lambda: {} if truths is None else layer.lookalikes(i, taken),
        lambda *both: layer.where(i, *both),
    )


def _require_order(layer: Layer, i: int, grads: tuple, args: tuple) -> None:
    shapes = [grad.shape if type(grad) is np.ndarray else None for grad in grads]
    expected = [arg.shape for arg in args[: len(grads)]]
    if shapes[i] != expected[i] and sorted(map(str, shapes)) == sorted(map(str, expected)):
        name = layer.names.split(", ")[i]
        raise Wrong(f"{name} is in another place: the order is {layer.names}")


def _call(subject: Subject, layer: Layer, taken: Taken, douts: tuple, when: str = "") -> Any:
    """Call backward, and fail where it changes dout or out; `when` starts the words."""
    try:
        outcome = subject.call((*douts, taken.cache))
    except Wrong as wrong:
        raise Wrong(f"{when}{wrong}") from None
    unchanged(outcome, layer.dout)
    for name, kept, out in zip(
        layer.out.split(", "), several(taken.kept), several(taken.out), strict=True
    ):
        if not _is_still(subject.read(kept), out):
            raise Wrong(f"it changes what lies in the cache ({name}): {IN_PLACE}")
    return outcome.value
