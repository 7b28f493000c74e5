"""What the checks of whole sequences share: sizes, ragged ends, rows in another order, chunks.

    N, T, D, H = sequence_sizes(rng, steps=1)
    lengths = ragged(rng, N, T)
    dh = cut_off(dh, lengths)                      # then require_nothing_beyond(dx, lengths)
    order = reorder(rng, N)                        # then require_rows_follow(plain, moved, order)
    found = in_chunks(run, x, h0, cuts)            # then require_no_seam(found, whole)

Results are handed over by name, {"h": h, "c": c}, each judged by `values.array` before; so the same
words serve every model. Of the way back there are whole cases:

    Case(f"all five, {RAGGED}", 1, ragged_back(LAYER, draw))
    Case(f"all five, {SPARSE}", 1, sparse_back(LAYER, draw))
    Case(f"all five, {REORDERED}", 1, reordered_back(LAYER, draw, rows=2))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cs_caption.checks.backward import Draw, Layer, Taken, require_gradients, step
from cs_caption.checks.exercise import Run
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import array, differing, entries, same, sizes

Random = np.random.RandomState
Named = Mapping[str, np.ndarray]

RAGGED = "sentences of different lengths: dx beyond the end of each is exactly 0"
SPARSE = "a loss at few of the states (dh is 0 at the others), and some inputs of 0"
REORDERED = "the sequences of the batch in another order: each keeps its own results"
CHUNKED = "in chunks, each from the state that the one before ended in: the same as in one piece"

_BEYOND = (
    "no loss comes after the end of a sentence (there dh is 0), so no gradient reaches its inputs "
    "there"
)
_AGAIN = (
    "right the first time, but when called again with this cache, and other losses (does the first "
    "call change something in it?): "
)
_MIXED = "does one sequence read what belongs to another?"
_SEAM = "does a call start from the state that it is given, whatever was called before it?"


def sequence_sizes(
    rng: Random, *, rows: int | None = None, steps: int | None = None
) -> tuple[int, int, int, int]:
    """Draw N, T, D, H, no two alike, none below 3 but where `rows` or `steps` fix N or T.

    Raises: ValueError where both are fixed to the same number.
    """
    if rows is not None and rows == steps:
        raise ValueError(f"rows and steps are both {rows}: no two sizes may be alike")
    while True:
        N, T, D, H = sizes(rng, 4, 3, 7)
        found = (rows or N, steps or T, D, H)
        if len(set(found)) == len(found):
            return found


def ragged(rng: Random, N: int, T: int) -> np.ndarray:
    """Draw the lengths (N,) of the sentences: from 1 to T, one of them T, as different as can be.

    Of a single sentence the length is below T, where T allows.
    """
    longest, *others = T, *rng.permutation(np.arange(1, T))
    lengths = [*others, longest] if N == 1 else [longest, *others]
    return rng.permutation(np.resize(lengths, N))


def is_beyond(lengths: np.ndarray, T: int) -> np.ndarray:
    """Return (N, T) booleans: True where a sentence has ended."""
    return np.arange(T) >= lengths[:, None]


def cut_off(dh: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return a copy of dh (N, T, H), exactly 0 beyond the end of each sentence."""
    return np.where(is_beyond(lengths, dh.shape[1])[..., None], 0.0, dh)


def with_gaps(rng: Random, x: np.ndarray) -> np.ndarray:
    """Return a copy of x (N, T, ...), exactly 0 at one step of all rows and at one of each row."""
    N, T = x.shape[:2]
    empty = np.arange(T) == rng.randint(0, T, (N, 1))
    empty[:, rng.randint(1, T)] = True
    return np.where(empty[..., None], 0.0, x)


def few_losses(rng: Random, dh: np.ndarray) -> dict[str, np.ndarray]:
    """Return copies of dh (N, T, H) in which most is 0, each under the words for what is left."""
    T = dh.shape[1]
    at, some = np.arange(T)[:, None], rng.rand(*dh.shape) < 0.3
    some[:, -1] |= ~some[:, -1].any(axis=1, keepdims=True)
    return {
        "with a loss at the last step only": dh * (at == T - 1),
        "with a loss at one step in the middle only": dh * (at == rng.randint(1, T - 1)),
        "with losses at some entries of some states only": dh * some,
    }


def require_nothing_beyond(dx: np.ndarray, lengths: np.ndarray, name: str = "dx") -> None:
    """Fail where dx (N, T, ...) is not exactly 0 beyond the end of a sentence."""
    beyond = is_beyond(lengths, dx.shape[1])
    bad = beyond & np.any(dx != 0, axis=tuple(range(2, dx.ndim)))
    if bad.any():
        raise Wrong(
            f"{name} is not exactly 0 at {bad.sum()} of {beyond.sum()} steps beyond the end of "
            f"their sentences: {_BEYOND}"
        )


def reorder(rng: Random, N: int) -> np.ndarray:
    """Draw an order of N rows in which none stays in its place (where N allows)."""
    ring = rng.permutation(N)
    order = np.empty(N, int)
    order[ring] = np.roll(ring, 1)
    return order


def rows_in(order: np.ndarray, named: Named, axes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return the arrays with their rows in this order; `axes`: where each has its N, if it has."""
    return {
        name: np.take(value, order, axes[name]) if name in axes else value
        for name, value in named.items()
    }


def require_rows_follow(
    plain: Named, moved: Named, order: np.ndarray, axes: Mapping[str, int]
) -> None:
    """Fail where the results `moved`, of inputs in this order, are not those of `plain` in it.

    `axes` says where each result has its N; one that it does not name must stay as it is.
    """
    for name, expected in rows_in(order, plain, axes).items():
        words = f"{name}, with the sequences of the batch in another order,"
        hint = _MIXED if name in axes else "it is a sum over the batch: no order matters to it"
        _alike(moved[name], expected, words, hint)


def in_chunks(
    run: Callable[[np.ndarray, Any], tuple[Named, Any]],
    x: np.ndarray,
    state: Any,
    cuts: Sequence[int],
    axis: int = 1,
) -> dict[str, np.ndarray]:
    """Run x (N, T, D), cut before the steps `cuts`, a chunk at a time; return the results joined.

    run:  (chunk of x, state) -> the results by name, the state that the next chunk starts from
    axis: where the results have their T
    """
    parts = []
    for chunk in np.split(x, cuts, axis=1):
        named, state = run(chunk, state)
        parts.append(named)
    return {name: np.concatenate([part[name] for part in parts], axis) for name in parts[0]}


def require_no_seam(chunked: Named, whole: Named) -> None:
    """Fail where the results of chunks, joined, are not those of the whole."""
    for name, expected in whole.items():
        _alike(chunked[name], expected, f"{name}, run in chunks and joined,", _SEAM)


def ragged_back(layer: Layer, draw: Draw) -> Run:
    """Return a case: the loss ends with each sentence; what comes after gets no gradient.

    Of forward's arguments x (N, T, ...) is the first; one gradient arrives, dh (N, T, H).
    """

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, layer, draw(rng))
        lengths = ragged(rng, *taken.args[0].shape[:2])
        taken = replace(taken, dout=cut_off(taken.dout, lengths))
        found = subject.call((taken.dout, taken.cache)).value
        require_nothing_beyond(_named(layer, taken, found)["dx"], lengths)
        require_gradients(subject, layer, taken, found)

    return run


def sparse_back(layer: Layer, draw: Draw) -> Run:
    """Return a case: few states have a loss of their own, some steps no input.

    The gradient passes all the same. Arguments as in `ragged_back`; T is at least 3.
    """

    def run(subject: Subject, rng: Random) -> None:
        x, *others = draw(rng)
        taken = step(subject, rng, layer, (with_gaps(rng, x), *others))
        losses = {"": taken.dout} | few_losses(rng, taken.dout)
        for words, dh in losses.items():
            one = replace(taken, dout=dh)
            found = subject.call((dh, one.cache)).value
            try:
                require_gradients(subject, layer, one, found)
            except Wrong as wrong:
                again = words and _right_afresh(subject, rng, layer, one)
                when = _AGAIN if again else f"right with a loss at every step, but {words}: "
                raise Wrong(f"{when if words else ''}{wrong}") from None

    return run


def _right_afresh(subject: Subject, rng: Random, layer: Layer, taken: Taken) -> bool:
    """Whether the gradients are right after another forward with the same arguments."""
    afresh = step(subject, rng, layer, taken.args)
    found = subject.call((taken.dout, afresh.cache)).value
    try:
        require_gradients(subject, layer, replace(afresh, dout=taken.dout), found)
    except Wrong:
        return False
    return True


def reordered_back(layer: Layer, draw: Draw, rows: int) -> Run:
    """Return a case: with the batch in another order, so are the gradients that have its rows.

    rows: how many of forward's arguments, the first ones, have a row for each sequence
    """

    def run(subject: Subject, rng: Random) -> None:
        plain = step(subject, rng, layer, draw(rng))
        order = reorder(rng, len(plain.args[0]))
        turned = (a[order] for a in plain.args[:rows])
        before = subject.call((plain.dout, plain.cache)).value
        moved = step(subject, rng, layer, (*turned, *plain.args[rows:]))
        moved = replace(moved, dout=plain.dout[order])
        after = subject.call((moved.dout, moved.cache)).value
        require_rows_follow(
            _named(layer, plain, before),
            _named(layer, moved, after),
            order,
            dict.fromkeys(layer.names.split(", ")[:rows], 0),
        )
        require_gradients(subject, layer, moved, after)

    return run


def _named(layer: Layer, taken: Taken, found: Any) -> dict[str, np.ndarray]:
    """Return the gradients by name, if each has the shape of its argument."""
    names = layer.names.split(", ")
    grads = zip(names, entries(found, layer.names), taken.args, layer.axes, strict=False)
    return {name: array(grad, arg.shape, name, axes) for name, grad, arg, axes in grads}


def _alike(value: np.ndarray, expected: np.ndarray, words: str, hint: str) -> None:
    try:
        same(value, expected, words)
    except Wrong:
        raise Wrong(f"{words} is not the same{differing(value, expected)}: {hint}") from None
