"""The checks of adagrad and rmsprop: their two lines decide, and torch takes the same steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn import training_by_torch as by_torch
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.updates import (
    DEFAULT,
    Arrays,
    Rule,
    any_axes,
    drawn_eighths,
    in_a_row,
    left_alone,
    results,
)
from cs_caption.checks.values import UNTOUCHED, close, eighths, fitting, same

Random = np.random.RandomState
Found = Mapping[str, np.ndarray]

_TINY = 2.0**-13  # a gradient of about 1e-4: its square is about the default eps
_MEMORY = "memory"
_CUT = "clipped to 1: what it is given is to be used as it is"
_ZERO = "; where dw and memory are 0, eps keeps the divisor from being 0"


@dataclass(frozen=True)
class _Kind:
    """One of the two rules: what its memory becomes, and the defaults of its rates.

    remembers:  (dw, memory, *decay) -> next_memory, for which `lookalikes` has the mistakes
    decay:      the default; nothing where all of the memory is kept
    path:       (w, gradients, learning_rate, *decay) -> the weights after each step, with eps 0
    """

    name: str
    remembers: Callable[..., np.ndarray]
    lookalikes: Callable[..., Found]
    learning_rate: float
    decay: tuple[float, ...]
    path: Callable[..., list[np.ndarray]]

    @property
    def defaults(self) -> tuple[float, ...]:
        """What follows w, dw, memory where nothing is given."""
        return (self.learning_rate, *self.decay, 1e-8)


def _draw(rng: Random, axes: int) -> Arrays:
    """Draw w, dw and a memory that is above 0 and larger or smaller than dw squared."""
    w, dw, memory = drawn_eighths(rng, axes)
    memory = memory * np.maximum(1, np.round(np.abs(dw)))
    return w, dw, memory * memory * rng.choice([0.5, 3.0], size=memory.shape)


def _rates(kind: _Kind, rng: Random) -> tuple[float, ...]:
    """A learning rate, a decay and an eps that are no defaults; eps is large enough to be seen."""
    rate, decay, eps = (
        float(rng.choice(choice))
        for choice in ([0.25, 0.375, 0.4375], [0.3125, 0.625, 0.75], [0.03125, 0.0625])
    )
    return (rate, *([decay] if kind.decay else ()), eps)


# ---------------------------------------------------------------------------------- the memory


def _memory(kind: _Kind) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        args = (*_draw(rng, 2), *_rates(kind, rng))
        _, next_memory = results(subject.call(args), args[0], _MEMORY)
        _require_memory(kind, args, next_memory)

    return run


def _require_memory(kind: _Kind, args: tuple, next_memory: np.ndarray) -> None:
    _, dw, memory, rate, *decay, eps = args
    expected = kind.remembers(dw, memory, *decay)
    others = {
        "it is memory, unchanged": memory,
        "eps is in it: that is added under the root alone, and not remembered": expected + eps,
        "the root is taken: it is remembered as it is before": np.sqrt(expected),
        "learning_rate multiplies it": rate * expected,
        f"dw is {_CUT}": kind.remembers(np.clip(dw, -1, 1), memory, *decay),
        "its sign is wrong": -expected,
        "it is w or its step: the order is next_w, next_memory": _moved(args, expected),
    }
    same(
        next_memory,
        expected,
        "next_memory",
        lambda: {**kind.lookalikes(dw, memory, rate, *decay), **others},
    )


def _adagrad_memories(dw: np.ndarray, memory: np.ndarray, rate: float) -> Found:
    square = dw * dw
    return {
        "memory is ignored: it is what this step adds": square,
        "dw is not squared": memory + dw,
        "the sizes of dw are added, not their squares": memory + np.abs(dw),
        "what dw adds is subtracted": memory - square,
        "it is multiplied by memory, not added to it": memory * square,
        "memory is squared as well": memory**2 + square,
        "dw is added, and then the sum squared": (memory + dw) ** 2,
        "learning_rate is in it: dw alone is squared": memory + (rate * dw) ** 2,
        "learning_rate multiplies what is added": memory + rate * square,
        "memory fades (as RMSprop's): here all of it is kept": 0.95 * memory + 0.05 * square,
        "it is the mean of the two (as RMSprop's): here they are added": (memory + square) / 2,
        "the square is added twice": memory + 2 * square,
    }


def _rmsprop_memories(dw: np.ndarray, memory: np.ndarray, rate: float, decay: float) -> Found:
    square = dw * dw
    return {
        "memory is ignored": (1 - decay) * square,
        "decay and 1 - decay are swapped": (1 - decay) * memory + decay * square,
        "nothing fades: that is Adagrad's": memory + square,
        "the new square is not multiplied by 1 - decay": decay * memory + square,
        "memory is not multiplied by decay": memory + (1 - decay) * square,
        "decay multiplies both": decay * (memory + square),
        "dw is not squared": decay * memory + (1 - decay) * dw,
        "the sizes of dw are taken, not their squares": decay * memory + (1 - decay) * np.abs(dw),
        "1 - decay is squared with dw": decay * memory + ((1 - decay) * dw) ** 2,
        "the new square is subtracted": decay * memory - (1 - decay) * square,
        "memory is squared as well": decay * memory**2 + (1 - decay) * square,
        "learning_rate is in it: dw alone is squared": (
            decay * memory + (1 - decay) * (rate * dw) ** 2
        ),
        "the default decay is used, not the one that is given": 0.95 * memory + 0.05 * square,
        "dw is ignored": decay * memory,
    }


# ---------------------------------------------------------------------------------- the step


def _weights(kind: _Kind) -> Run:
    """Whatever the memory is: the weights move by dw and its root."""

    def run(subject: Subject, rng: Random) -> None:
        args = (*_draw(rng, 2), *_rates(kind, rng))
        next_w, next_memory = results(subject.call(args), args[0], _MEMORY)
        _require_moved(kind, args, next_w, next_memory)

    return run


def _moved(args: tuple, next_memory: np.ndarray) -> np.ndarray:
    w, dw, _, rate, *_, eps = args
    return w - rate * dw * (next_memory + eps) ** -0.5


def _require_moved(kind: _Kind, args: tuple, next_w: np.ndarray, next_memory: np.ndarray) -> None:
    """Judge the step by the memory that came with it."""
    w, dw, memory, rate, *decay, eps = args
    if np.any(next_memory + eps <= 0):
        raise Wrong("next_memory is not above 0 everywhere, so no root can be taken of it")
    move = next_w - w
    root, old = np.sqrt(next_memory + eps), np.sqrt(np.clip(memory, 0, None) + eps)
    right = -rate * dw / root
    if close(move, right):
        return
    with np.errstate(all="ignore"):
        others = {
            "it is w, unchanged": 0 * w,
            "it moves uphill: go against the gradient": -right,
            "it divides by the root of the old memory: take next_memory": -rate * dw / old,
            "eps is added outside the root: it stands under it": (
                -rate * dw / (np.sqrt(next_memory) + eps)
            ),
            "eps is left out": -rate * dw / np.sqrt(next_memory),
            "the default eps is used, not the one that is given": (
                -rate * dw / np.sqrt(next_memory + 1e-8)
            ),
            "the root is missing": -rate * dw / (next_memory + eps),
            "it multiplies by the root: divide": -rate * dw * root,
            "the memory is not used: that is plain gradient descent": -rate * dw,
            "learning_rate is ignored": -dw / root,
            "the default learning_rate is used, not the one that is given": (
                -kind.learning_rate * dw / root
            ),
            "learning_rate stands under the root": -dw * np.sqrt(rate) / root,
            "dw is squared: it stands above the line as it is": -rate * dw * dw / root,
            "dw is ignored": -rate / root,
            f"dw is {_CUT}": -rate * np.clip(dw, -1, 1) / root,
            "only the sign of dw counts": -rate * np.sign(dw),
            "memory stands above the line in the place of dw": -rate * next_memory / root,
            "it is the step alone: add it to w": right - w,
            "the step is taken twice": 2 * right,
            "learning_rate is multiplied by 1 - decay": -rate * (1 - sum(decay)) * dw / root,
            "the root of next_memory is taken twice": -rate * dw / np.sqrt(root),
            "next_memory is divided by 1 - decay (as Adam corrects it)": (
                -rate * dw / np.sqrt(next_memory / (1 - sum(decay)) + eps)
            ),
        }
    named = fitting(move, others)
    if not named and close(next_memory, _moved(args, kind.remembers(dw, memory, *decay))):
        named = ["the results are in another order: next_w comes first, then next_memory"]
    raise Wrong(f"next_w is wrong{': ' if named else ''}{named[0] if named else ''}")


def _require_step(kind: _Kind, args: tuple, next_w: np.ndarray, next_memory: np.ndarray) -> None:
    _require_memory(kind, args, next_memory)
    _require_moved(kind, args, next_w, next_memory)


def _tiny(kind: _Kind) -> Run:
    """Gradients as small as the root of eps, from an empty memory; and one that is exactly 0."""

    def run(subject: Subject, rng: Random) -> None:
        w, _, _ = _draw(rng, 2)
        dw = eighths(rng, w.shape) * _TINY
        dw[0, :2] = 0
        w, rate = 0 * dw, float(rng.choice([0.25, 0.375]))
        args = (w, dw, 0 * dw, rate, *kind.defaults[1:])
        try:
            next_w, next_memory = results(subject.call(args), w, _MEMORY)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{_ZERO if 'NaN' in str(wrong) else ''}") from None
        if next_w[0, :2].any():
            raise Wrong("where dw is 0 and nothing is remembered, w must stay as it is")
        _require_memory(kind, (w, dw / _TINY, 0 * dw, *args[3:]), next_memory / _TINY**2)
        _require_moved(kind, args, next_w, next_memory)

    return run


def _defaults(kind: _Kind) -> Run:
    names = ("learning_rate", *(["decay"] if kind.decay else []), "eps")

    def run(subject: Subject, rng: Random) -> None:
        w, dw, memory = _draw(rng, 2)
        tiny = eighths(rng, w.shape) * _TINY
        pairs = ((dw, memory), (tiny, 0 * memory))  # eps is seen where dw is tiny
        spelt_out = [(0 * w, *pair, *kind.defaults) for pair in pairs]
        expected = [results(outcome, w, _MEMORY) for outcome in subject.calls(spelt_out)]
        for args, found in zip(spelt_out, expected, strict=True):
            _require_step(kind, args, *found)  # else it is not the defaults' fault
        for count, name in reversed([*enumerate(names)]):
            for args, right in zip(spelt_out, expected, strict=True):
                found = results(subject.call(args[: 3 + count]), w, _MEMORY)
                if not all(map(close, found, right)):
                    raise Wrong(DEFAULT.format(name))

    return run


# ---------------------------------------------------------------------------------- in a row


def _adagrad_path(
    w: np.ndarray, gradients: list[np.ndarray], learning_rate: float, eps: float
) -> list[np.ndarray]:
    """The weights after each step, from an empty memory; eps is 0."""
    if torch_or_none() is not None:
        return by_torch.adagrad_path(w, gradients, learning_rate)
    squares = np.cumsum(np.square(gradients), axis=0)
    return list(w - learning_rate * np.cumsum(gradients / squares**0.5, axis=0))


def _rmsprop_path(
    w: np.ndarray, gradients: list[np.ndarray], learning_rate: float, decay: float, eps: float
) -> list[np.ndarray]:
    if torch_or_none() is not None:
        return by_torch.rmsprop_path(w, gradients, learning_rate, decay)
    age = np.subtract.outer(np.arange(len(gradients)), np.arange(len(gradients)))
    shares = np.where(age < 0, 0, (1 - decay) * decay ** np.abs(age))  # of gradient k in step i
    squares = np.tensordot(shares, np.square(gradients), axes=1)
    return list(w - learning_rate * np.cumsum(gradients / squares**0.5, axis=0))


def _exercise(kind: _Kind) -> Exercise:
    rule = Rule(
        memory=_MEMORY,
        draw=_draw,
        rates=lambda rng: _rates(kind, rng),
        require_step=lambda *step: _require_step(kind, *step),
        in_a_row=lambda rng: (*_rates(kind, rng)[:-1], 0.0),
        path=kind.path,
    )
    given = "learning_rate, decay and eps" if kind.decay else "learning_rate and eps"
    return Exercise(
        kind.name,
        points=1,
        referee=lambda: _referee(kind),
        banned=("torch",),
        cases=(
            Case("the memory: next_memory", 3, _memory(kind)),
            Case("the weights move by dw over the root of next_memory and eps", 3, _weights(kind)),
            Case("tiny gradients, and a gradient of 0, from an empty memory", 1, _tiny(kind)),
            Case(f"the default {given}", 1, _defaults(kind)),
            Case("steps in a row, of two sets of weights in turn; eps 0", 2, in_a_row(rule)),
            Case("one axis, three and four", 1, any_axes(rule)),
            Case(UNTOUCHED, 1, left_alone(rule)),
        ),
    )


def _referee(kind: _Kind) -> str:
    torch = torch_or_none()
    lines = "the two lines of the definition"
    if torch is None:
        return f"{lines} (torch is not installed; with it, its steps are asked as well)"
    return f"{lines}, and the steps of torch {torch.__version__}'s {kind.name} in float64"


ADAGRAD = _exercise(
    _Kind(
        "adagrad",
        remembers=lambda dw, memory: memory + np.square(dw),
        lookalikes=_adagrad_memories,
        learning_rate=0.1,
        decay=(),
        path=_adagrad_path,
    )
)

RMSPROP = _exercise(
    _Kind(
        "rmsprop",
        remembers=lambda dw, memory, decay: np.square(dw) + decay * (memory - np.square(dw)),
        lookalikes=_rmsprop_memories,
        learning_rate=0.002,
        decay=(0.95,),
        path=_rmsprop_path,
    )
)

EXERCISES = (ADAGRAD, RMSPROP)
