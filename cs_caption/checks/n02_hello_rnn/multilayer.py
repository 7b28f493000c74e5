"""The check of multilayer_rnn_forward: each layer is an RNN over the states of the one below."""

import re
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn import sequence_by_torch as by_torch
from cs_caption.checks.n02_hello_rnn.rnn_forward import OneStep, require_states
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import (
    CHUNKED,
    REORDERED,
    in_chunks,
    reorder,
    require_no_seam,
    require_rows_follow,
    sequence_sizes,
)
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import UNTOUCHED, array, awkward, close, eighths, fitting, unchanged

Random = np.random.RandomState

_STACK = "multilayer_rnn_forward"
_TURNED = "the rows of W are the other way round: those of what comes from below are above"
_SPLIT = (
    "; if that is where W is split: the upper rows belong to what comes from below, as many as "
    "that is wide (D in the lowest layer)"
)
_FIRST = (
    "already one layer and one step is wrong (the rows of W from below are Wx, the others Wh, the "
    "old state is prev_h): "
)


def _draw(
    rng: Random, L: int = 2, *, rows: int | None = None, steps: int | None = None, wide: bool = True
) -> tuple:
    """Draw x, h0, W, b; the states are as wide as x where not `wide`."""
    N, T, D, H = sequence_sizes(rng, rows=rows, steps=steps)
    D = D if wide else H
    widths = [D] + [H] * (L - 1)
    x, h0, b = (eighths(rng, shape) for shape in ((N, T, D), (L, N, H), (L, H)))
    return x, h0, [eighths(rng, (below + H, H)) for below in widths], b


def _case(L: int, **how: Any) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        given = _draw(rng, L, **how)
        try:
            value = subject.call(given).value
        except Wrong as wrong:
            hint = _SPLIT if re.search("matmul|not aligned|broadcast", str(wrong)) else ""
            raise Wrong(f"{wrong}{hint}") from None
        _require(subject, given, value)

    return run


def _left_alone(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    x, h0, W, b = given
    for view in (given, (awkward(x), awkward(h0), [awkward(w) for w in W], awkward(b))):
        outcome = subject.call(view)
        unchanged(outcome, "x, h0, W, b")
        _require(subject, given, outcome.value)


def _reordered(subject: Subject, rng: Random) -> None:
    x, h0, *weights = given = _draw(rng)
    order = reorder(rng, len(x))
    moved = (x[order], h0[:, order], *weights)
    plain, after = (_h(o.value, given) for o in subject.calls([given, moved]))
    require_rows_follow({"h": plain}, {"h": after}, order, {"h": 1})
    _require(subject, moved, after)


def _chunked(subject: Subject, rng: Random) -> None:
    x, h0, *weights = given = _draw(rng)
    cuts = [1, x.shape[1] - 1]

    def run(chunk: np.ndarray, start: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        part = (chunk, start, *weights)
        h = _h(subject.call(part).value, part)
        return {"h": h}, h[:, :, -1]

    whole = run(x, h0)[0]
    _require(subject, given, whole["h"])
    require_no_seam(in_chunks(run, x, h0, cuts, axis=2), whole)


def _require(subject: Subject, given: tuple, value: Any) -> None:
    x, h0, W, b = given
    h = _h(value, given)
    if torch_or_none() is not None:
        truth = _states(x, h0, W, b)
        if close(h, truth):
            return
        if fits := fitting(h, _lookalikes(given, truth)):
            raise Wrong(f"h is wrong: {fits[0]}")
    one = _one_step(subject)
    for layer, below in enumerate((x, *h[:-1])):
        inputs = _layer(below, h0[layer], W[layer], b[layer])
        require_states(one, inputs, h[layer], name=f"h[{layer}]")


def _h(value: Any, given: tuple) -> np.ndarray:
    """Return the states of all layers if they are an array (L, N, T, H)."""
    (N, T, _), (L, _, H) = given[0].shape, given[1].shape
    if type(value) is tuple and len(value) == 2:
        raise Wrong("it returns a tuple of 2: expected h alone, without a cache")
    if type(value) is np.ndarray and value.shape == (N, T, H):
        raise Wrong("h has the states of one layer: return those of all L, stacked on a first axis")
    if type(value) is np.ndarray and value.shape == (L, N, H):
        raise Wrong("h has the states of one step: return those of all T")
    return array(value, (L, N, T, H), "h", "(L, N, T, H)")


def _one_step(subject: Subject) -> OneStep:
    """Return a stack of one layer as if it were the step."""

    def given(x: Any, h: Any, Wx: Any, Wh: Any, b: Any, *activation: str) -> tuple:
        return x[:, None], h[None], [np.concatenate([Wx, Wh])], b[None]

    def state(value: Any, N: int, H: int) -> np.ndarray:
        return array(value, (1, N, 1, H), "h", "(L, N, T, H)")[0, :, 0]

    return OneStep(subject, _STACK, given, state, leave=(), words=_FIRST)


def _layer(below: np.ndarray, h0: np.ndarray, W: np.ndarray, b: np.ndarray) -> tuple:
    """Return what rnn_forward would be given for this layer."""
    width = below.shape[-1]
    return below, h0, W[:width], W[width:], b


def _states(x: np.ndarray, h0: Any, W: Any, b: Any) -> np.ndarray:
    """Return the states (L, N, T, H) of torch's RNNs, one upon the other."""
    layers = [x]
    for parts in zip(h0, W, b, strict=True):
        layers.append(by_torch.states(_layer(layers[-1], *parts)))
    return np.stack(layers[1:])


def _late(given: tuple) -> np.ndarray:
    """The states where a layer reads what the one below had made a step before."""
    below, *others = given
    layers = []
    for start, *parts in zip(*others, strict=True):
        layers.append(by_torch.states(_layer(below, start, *parts)))
        below = np.concatenate([start[:, None], layers[-1][:, :-1]], axis=1)
    return np.stack(layers)


def _lookalikes(given: tuple, truth: np.ndarray) -> dict[str, np.ndarray]:
    x, h0, W, b = given
    L, _, H = h0.shape
    turned = [np.concatenate([w[H:], w[:H]]) for w in W]
    alike = [W[0], *W[1:2] * (L - 1)]
    found = {
        _TURNED: _states(x, h0, turned, b),
        f"in the upper layers {_TURNED}": _states(x, h0, [W[0], *turned[1:]], b),
        "h0 is ignored": _states(x, 0 * h0, W, b),
        "every layer starts from the first layer's h0": _states(x, h0[[0] * L], W, b),
        "only the first layer starts from its h0": _states(x, [h0[0], *(0 * h0[1:])], W, b),
        "h0 is read from the top layer down": _states(x, h0[::-1], W, b),
        "b is not added": _states(x, h0, W, 0 * b),
        "every layer has the first layer's b": _states(x, h0, W, b[[0] * L]),
        "the upper layers all have the same W": _states(x, h0, alike, b),
        "the layers are stacked in the reverse order: the lowest is the first": truth[::-1],
        "a layer reads the step before of the layer below: it reads the same step": _late(given),
    }
    if len({w.shape for w in W}) == 1:
        alone = [_states(x, *([part] for part in layer))[0] for layer in zip(h0, W, b, strict=True)]
        found["every layer reads x: a layer reads the states of the one below"] = np.stack(alone)
        found["W is read from the top layer down"] = _states(x, h0, W[::-1], b)
    return found


MULTILAYER_RNN_FORWARD = Exercise(
    _STACK,
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("one layer (L = 1): an RNN", 2, _case(1)),
        Case("two layers", 3, _case(2)),
        Case("three layers", 2, _case(3)),
        Case("two layers, x as wide as the states (D = H)", 1, _case(2, wide=False)),
        Case("two layers, a single step (T = 1)", 1, _case(2, steps=1)),
        Case("two layers, a batch of one (N = 1)", 1, _case(2, rows=1)),
        Case(f"two layers, {CHUNKED}", 1, _chunked),
        Case(f"two layers, {REORDERED}", 1, _reordered),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
