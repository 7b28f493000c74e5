"""The check of stacked_lstm_forward: each layer is an LSTM, and the wires between them count."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n03_lstm_gates import by_torch, lstm_by_gates
from cs_caption.checks.n03_lstm_gates.lasting import LASTING, lasting
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import (
    CHUNKED,
    REORDERED,
    in_chunks,
    reorder,
    require_no_seam,
    require_rows_follow,
    rows_in,
    sequence_sizes,
)
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    close,
    differing,
    eighths,
    entries,
    fitting,
    unchanged,
)

Random = np.random.RandomState
Layers = Callable[[tuple], tuple[np.ndarray, np.ndarray]]  # one LSTM: inputs -> h, c (N, T, H)

_L = 3
_AXES = "(L, N, T, H)"
_HEIGHT = ("the lowest", "the second", "the third", "the fourth")


def _one(subject: Subject, rng: Random) -> None:
    given = _draw(rng, 1)
    _require(subject, given, _call(subject, given), "hc")


def _lowest(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    h, c = _call(subject, given)
    expected = _wired(_lstm(subject), given[0], given[1][:1], given[2][:1], given[3][:1])
    for name, found, right in zip("hc", (h[:1], c[:1]), expected, strict=True):
        if not close(found, right):
            raise Wrong(f"{name} of the lowest layer is wrong{_why(subject, given, (h, c), name)}")


def _all(which: str, rows: int | None = None, steps: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        given = _draw(rng, rows=rows, steps=steps)
        _require(subject, given, _call(subject, given), which)

    return run


def _small(subject: Subject, rng: Random) -> None:
    _all("hc", rows=1)(subject, rng)
    _all("hc", steps=1)(subject, rng)


def _long(subject: Subject, rng: Random) -> None:
    """Large memories, and steps at which one sequence, or all, have no input."""
    x, h0, c0, layers = _draw(rng, len(_HEIGHT), steps=12)
    x[:, 3], x[0, 5:8] = 0, 0
    given = (x, h0, 12 * c0, layers)
    _require(subject, given, _call(subject, given), "hc")


def _lasting(subject: Subject, rng: Random) -> None:
    x, h0, c0, layers = given = _draw(rng)
    found = lasting(subject, given, (-x, -h0, -c0, layers), "h, c")
    _require(subject, given, _both(tuple(found), given), "hc")


def _chunks(subject: Subject, rng: Random) -> None:
    x, h0, c0, layers = given = _draw(rng, steps=5)

    def run(chunk: np.ndarray, state: tuple) -> tuple:
        h, c = _call(subject, (chunk, *state, layers))
        return {"h": h, "c": c}, (h[:, :, -1], c[:, :, -1])

    whole = _call(subject, given)
    chunked = in_chunks(run, x, (h0, c0), (1, 3), axis=2)
    require_no_seam(chunked, dict(zip("hc", whole, strict=True)))
    _require(subject, given, whole, "hc")


def _reordered(subject: Subject, rng: Random) -> None:
    x, h0, c0, layers = given = _draw(rng)
    order = reorder(rng, len(x))
    moved = rows_in(order, {"x": x, "h0": h0, "c0": c0}, {"x": 0, "h0": 1, "c0": 1})
    found = [
        dict(zip("hc", _call(subject, each), strict=True))
        for each in (given, (*moved.values(), layers))
    ]
    require_rows_follow(*found, order, {"h": 1, "c": 1})
    _require(subject, given, tuple(found[0].values()), "hc")


def _left_alone(subject: Subject, rng: Random) -> None:
    x, h0, c0, layers = given = _draw(rng)
    views = [tuple(map(awkward, weights)) for weights in layers]
    for each in (given, (*map(awkward, (x, h0, c0)), views)):
        outcome = subject.call(each)
        unchanged(outcome, "x, h0, c0, layers")
        _require(subject, given, _both(outcome.value, given), "hc")


def _draw(
    rng: Random, L: int = _L, *, rows: int | None = None, steps: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list]:
    """Draw x, h0, c0 and the layers: D is not H, and no two layers are alike."""
    N, T, D, H = sequence_sizes(rng, rows=rows, steps=steps)
    layers = [
        tuple(eighths(rng, shape) for shape in ((width, 4 * H), (H, 4 * H), (4 * H,)))
        for width in (D, *[H] * (L - 1))
    ]
    h0, c0 = eighths(rng, (L, N, H)), 2 * eighths(rng, (L, N, H))
    return eighths(rng, (N, T, D)), h0, c0, layers


def _call(subject: Subject, given: tuple) -> tuple[np.ndarray, np.ndarray]:
    try:
        outcome = subject.call(given)
    except Wrong as wrong:
        raise Wrong(f"{wrong}{_mixed(subject, given) if 'matmul' in str(wrong) else ''}") from None
    return _both(outcome.value, given)


def _mixed(subject: Subject, given: tuple) -> str:
    """Say what goes into which layer where D is H, so that every product fits."""
    x, h0, c0, layers = given
    lowest, *others = layers
    Wx, Wh, b = lowest
    x, Wx = np.resize(x, (*x.shape[:2], len(Wh))), np.resize(Wx, Wh.shape)
    square = (x, h0, c0, [(Wx, Wh, b), *others])
    try:
        found = _both(subject.call(square).value, square)
    except Wrong:
        return ""
    wired = partial(_wired, _lstm(subject))
    orders = {
        "x goes into every layer: each must get the h of the layer below": (
            wired(*square, lambda below, h, c, start: below)
        ),
        "the weights are taken from the last layer to the first: the lowest is first": (
            wired(x, h0, c0, square[3][::-1])
        ),
        "the weights of the lowest layer are used in all": wired(
            x, h0, c0, square[3][:1] * len(h0)
        ),
        "the layers are run from the top to the lowest: the lowest is first": tuple(
            each[::-1] for each in wired(x, h0[::-1], c0[::-1], square[3][::-1])
        ),
        "all are taken from the last layer to the first: the lowest is first": (
            wired(x, h0[::-1], c0[::-1], square[3][::-1])
        ),
    }
    for words, (h, c) in orders.items():
        if close(found[0], h) and close(found[1], c):
            return f"; {words}"
    return ""


def _both(value: Any, given: tuple) -> tuple[np.ndarray, np.ndarray]:
    x, h0, *_ = given
    L, N, H = h0.shape
    h, c = entries(value, "h, c")
    shape = (L, N, x.shape[1], H)
    _require_layers(h, shape)
    return array(h, shape, "h", _AXES), array(c, shape, "c", _AXES)


def _require_layers(h: Any, shape: tuple[int, ...]) -> None:
    """Fail with words of our own where only one layer, or the last step, comes back."""
    found = h.shape if type(h) is np.ndarray else None
    if found == shape[1:]:
        raise Wrong(f"h has shape {found}: that is one layer; expected {shape} = {_AXES}")
    if found == (shape[0], shape[1], shape[3]):
        raise Wrong(f"h has shape {found}: that is one step; expected {shape} = {_AXES}")


def _lstm(subject: Subject) -> Layers:
    """One LSTM over whole sequences: torch's; without torch, one of the student's own gates."""
    if torch_or_none() is not None:
        cell = by_torch.through_time(by_torch.right_cell)
        return partial(by_torch.results, cell)

    def steps(many: list[tuple]) -> list[np.ndarray]:
        calls = [(x[:, None], h[None], c[None], [tuple(w)]) for x, h, c, *w in many]
        outcomes = subject.calls(calls)
        found = [_both(o.value, call)[0] for o, call in zip(outcomes, calls, strict=True)]
        return [h[0, :, 0] for h in found]

    return partial(lstm_by_gates.run, steps)


def _wired(
    lstm: Layers,
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    layers: list,
    up: Callable[..., np.ndarray] = lambda below, h, c, start: h,
) -> tuple[np.ndarray, np.ndarray]:
    """h and c of all layers; `up`: what a layer hands to the one above it."""
    below, hs, cs = x, [], []
    for start, memory, weights in zip(h0, c0, layers, strict=True):
        h, c = lstm((below, start, memory, *weights))
        below = up(below, h, c, start)
        hs.append(h)
        cs.append(c)
    return np.stack(hs), np.stack(cs)


def _require(subject: Subject, given: tuple, found: tuple, which: str) -> None:
    expected = _wired(_lstm(subject), *given)
    for name, value, right in zip("hc", found, expected, strict=True):
        if name in which and not close(value, right):
            why = _why(subject, given, found, name) or _from_layer(value, right)
            raise Wrong(f"{name} is wrong{why}")


def _from_layer(value: np.ndarray, right: np.ndarray) -> str:
    wrong = [k for k in range(len(right)) if not close(value[k], right[k])]
    if wrong[0] == 0:
        return differing(value, right)
    lower = " and ".join(_HEIGHT[: wrong[0]])
    return f" in {_HEIGHT[wrong[0]]} layer, and right in {lower}"


def _why(subject: Subject, given: tuple, found: tuple, name: str) -> str:
    at = "hc".index(name)
    others = {words: both[at] for words, both in _lookalikes(subject, given).items()}
    value = found[at]
    named = fitting(value, others)
    return f": {named[0]}" if named else ""


def _lookalikes(subject: Subject, given: tuple) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What other wirings make of h and c, each under the words that name it."""
    x, h0, c0, layers = given
    wired = partial(_wired, _lstm(subject))
    right = wired(*given)
    found = {
        "h and c are swapped: h comes first": right[::-1],
        "the layers come in reversed order: the lowest is first": tuple(e[::-1] for e in right),
    }
    starts = {
        "h0 is ignored": (0 * h0, c0),
        "c0 is ignored": (h0, 0 * c0),
        "h0 and c0 are ignored": (0 * h0, 0 * c0),
        "h0 and c0 are swapped": (c0, h0),
        "h0 of the lowest layer is used in all": (h0[[0] * len(h0)], c0),
        "c0 of the lowest layer is used in all": (h0, c0[[0] * len(c0)]),
        "h0 and c0 of the lowest layer are used in all": (h0[[0] * len(h0)], c0[[0] * len(c0)]),
        "h0 and c0 are taken from the last to the first: the lowest is first": (h0[::-1], c0[::-1]),
    }  # fmt: skip
    found |= {words: wired(x, *start, layers) for words, start in starts.items()}
    ups = {
        "c goes up to the next layer, and h must": lambda below, h, c, start: c,
        "the layer above reads the state of the step before, not of the same step": (
            lambda below, h, c, start: np.concatenate([start[:, None], h[:, :-1]], axis=1)
        ),
        "the layer above reads the last state of the layer below at every step": (
            lambda below, h, c, start: np.repeat(h[:, -1:], h.shape[1], axis=1)
        ),
        "the layer above reads the states in reversed order of time": (
            lambda below, h, c, start: h[:, ::-1]
        ),
        "the input of a layer is added to what goes up (from the second layer on)": (
            lambda below, h, c, start: below + h if below.shape == h.shape and below is not x else h
        ),
    }
    found |= {words: wired(*given, up) for words, up in ups.items()}
    if len(layers) > 1:
        found |= _other_weights(wired, given)
    return found | {"the start of a layer is the end of the one below": _relayed(subject, given)}


def _other_weights(wired: Callable, given: tuple) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    x, h0, c0, layers = given
    lowest, second, *_ = layers
    return {
        "the second layer's weights are used in all layers above it": (
            wired(x, h0, c0, [lowest, *[second] * (len(layers) - 1)])
        ),
        "the top layer's weights are used in all layers but the lowest": (
            wired(x, h0, c0, [lowest, *[layers[-1]] * (len(layers) - 1)])
        ),
        "Wh and b of the lowest layer are used in all": (
            wired(x, h0, c0, [(Wx, *lowest[1:]) for Wx, *_ in layers])
        ),
    }


def _relayed(subject: Subject, given: tuple) -> tuple[np.ndarray, np.ndarray]:
    below, h0, c0, layers = given
    lstm, start, memory, found = _lstm(subject), h0[0], c0[0], []
    for weights in layers:
        found.append(lstm((below, start, memory, *weights)))
        below, start, memory = found[-1][0], found[-1][0][:, -1], found[-1][1][:, -1]
    hs, cs = zip(*found, strict=True)
    return np.stack(hs), np.stack(cs)


STACKED_LSTM_FORWARD = Exercise(
    "stacked_lstm_forward",
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("one layer (L = 1)", 1, _one),
        Case("three layers: the lowest", 1, _lowest),
        Case("three layers: h of all", 3, _all("h")),
        Case("three layers: c of all", 2, _all("c")),
        Case("one sequence (N = 1), one step (T = 1)", 1, _small),
        Case("four layers, twelve steps, some without an input (x = 0), large memories", 1, _long),
        Case(LASTING, 1, _lasting),
        Case(CHUNKED, 1, _chunks),
        Case(REORDERED, 1, _reordered),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
