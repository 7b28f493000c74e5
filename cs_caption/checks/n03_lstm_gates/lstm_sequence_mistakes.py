"""What likely mistakes make of an LSTM over whole sequences, by torch; each step is right.

As in `lstm_mistakes`, each has the words that name it.
"""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from cs_caption.checks.n03_lstm_gates.by_torch import (
    ORDER,
    Cell,
    gradient,
    gradients,
    results,
    right_cell,
    tensor,
    through_time,
)
from cs_caption.checks.n03_lstm_gates.lstm_mistakes import in_order, stale_cell, with_slope_of


def sequence_lookalikes(inputs: tuple) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what likely mistakes make of h and c."""
    x, h0, c0, *weights = inputs
    found = {words: results(_carried(carry), inputs) for words, carry in _carries().items()}
    others = {
        "h0 is ignored: it starts from 0": (x, 0 * h0, c0),
        "c0 is ignored: it starts from 0": (x, h0, 0 * c0),
        "h0 and c0 are ignored: it starts from 0": (x, 0 * h0, 0 * c0),
        "h0 and c0 are swapped": (x, c0, h0),
        "h0 is used for both": (x, h0, h0),
        "c0 is used for both": (x, c0, c0),
        "each step takes the first input": (np.repeat(x[:, :1], x.shape[1], 1), h0, c0),
        "each step takes the last input": (np.repeat(x[:, -1:], x.shape[1], 1), h0, c0),
    }
    for words, starts in others.items():
        found[words] = results(_carried(None), (*starts, *weights))
    h, c = results(_carried(None), inputs)
    first_made = results(_carried(None), (x[:, ::-1], h0, c0, *weights))
    return {
        **found,
        "it walks from the last step to the first": tuple(each[:, ::-1] for each in first_made),
        "it walks from the last step to the first, and leaves the results in that order": (
            first_made
        ),
        "its last step is 0: does the loop stop before it?": tuple(map(_without_last, (h, c))),
        "it is in reversed order": (h[:, ::-1], c[:, ::-1]),
        "it has the values before each step, not those after it": tuple(
            np.concatenate([start[:, None], each[:, :-1]], 1) for start, each in ((h0, h), (c0, c))
        ),
        "every step has the values of the last one (is the same array stored each time?)": tuple(
            np.repeat(each[:, -1:], x.shape[1], 1) for each in (h, c)
        ),
        "it is the other of the two": (c, h),
    }


def sequence_gradient_lookalikes(i: int, inputs: tuple, dh: np.ndarray) -> dict[str, np.ndarray]:
    """Return what likely mistakes make of gradient i of whole sequences."""
    right = _carried(None)
    plain, inputs = inputs, tuple(map(tensor, inputs))
    truths = gradients(right, inputs, dh)
    last, ends = np.zeros_like(dh), np.zeros_like(dh)
    last[:, -1], ends[:, -1] = dh[:, -1], 1
    found = {words: gradient(i, _carried(carry), inputs, dh) for words, carry in _cuts().items()}
    douts = {
        "only the last step's dh counts: each step has a loss of its own": (last,),
        "the gradient of the memory does not start at 0 behind the last step": (dh, ends),
        "the gradient of the memory starts from the last dh: behind the last step it is 0": (
            dh,
            last,
        ),
        "dh is taken for the gradient of c as well": (dh, dh),
        "dh is taken from the wrong end": (dh[:, ::-1],),
    }
    found |= {words: gradient(i, right, inputs, *dout) for words, dout in douts.items()}
    for words, cell in _stale_caches(plain).items():
        found[words] = gradient(i, cell, inputs, dh)
    walked = _first_to_last(plain, dh)
    found["the steps are walked from the first to the last: go back from the last"] = walked[i]
    if i == 0:
        found["its steps are in reversed order"] = truths[0][:, ::-1]
    if i in (1, 2):
        other = "dc0" if i == 1 else "dh0"
        found[f"it is {other}: the order is dx, dh0, dc0, dWx, dWh, db"] = truths[3 - i]
        found["it is the gradient after the first step: go back through that one too"] = (
            _behind_the_first(i, plain, dh)
        )
    if i == 1:
        found["it is the first step's dh"] = dh[:, 0]
        found["the first step's dh is in it: that is the gradient of the state after it"] = (
            truths[1] + dh[:, 0]
        )
    if i > 2:
        for order in permutations(ORDER):
            parts = dict(zip(ORDER, np.split(truths[i], 4, -1), strict=True))
            found[f"the four blocks are put together as {in_order(order)}"] = np.concatenate(
                [parts[gate] for gate in order], -1
            )
        T = dh.shape[1]
        for t, words in ((0, "first"), (T - 1, "last")):
            only = _carried(None, only=t)
            found[f"only the {words} step counts: the steps add up (= for +=?)"] = gradient(
                i, only, inputs, dh
            )
    return found


def _without_last(value: np.ndarray) -> np.ndarray:
    return np.concatenate([value[:, :-1], 0 * value[:, -1:]], 1)


def _carried(carry: Callable | None, only: int | None = None) -> Cell:
    """torch's own cell through time; `only`: the weights get the gradient of that step alone."""
    if only is None:
        return through_time(right_cell, carry)

    def sequence(x: Any, h0: Any, c0: Any, *weights: Any) -> tuple[Any, Any]:
        count = iter(range(x.shape[1]))

        def cell(x: Any, h: Any, c: Any, *weights: Any) -> tuple[Any, Any]:
            here = next(count) == only
            return right_cell(x, h, c, *(w if here else w.detach() for w in weights))

        return through_time(cell)(x, h0, c0, *weights)

    return sequence


def _stale_caches(inputs: tuple) -> dict[str, Cell]:
    """Runs whose cache has views of arrays that later steps write into."""
    h, c = (each[:, -1] for each in results(_carried(None), inputs))
    found = {}
    for names, last in {
        "prev_h and prev_c are": (h, c), "prev_h is": (h, None), "prev_c is": (None, c),
    }.items():  # fmt: skip
        for first_alone in (True, False):
            which = "the first step" if first_alone else "each step"
            words = (
                f"lstm_forward writes over what is in its cache (for {which}, {names} that of the "
                "last step in the end): put copies into the cache, not views"
            )
            found[words] = _stale(*last, first_alone=first_alone)
    return found


def _stale(state: np.ndarray | None, memory: np.ndarray | None, *, first_alone: bool) -> Cell:
    def sequence(x: Any, *others: Any) -> tuple[Any, Any]:
        count, stale = iter(range(x.shape[1])), stale_cell(state, memory)

        def cell(*step: Any) -> tuple[Any, Any]:
            return right_cell(*step) if next(count) and first_alone else stale(*step)

        return through_time(cell)(x, *others)

    return sequence


def _carries() -> dict[str, Callable]:
    return {
        "c is not carried: each step starts from c0": lambda t, h, c, h0, c0: (h, c0),
        "h is not carried: each step starts from h0": lambda t, h, c, h0, c0: (h0, c),
        "nothing is carried: each step starts from h0 and c0": lambda t, h, c, h0, c0: (h0, c0),
        "c is not carried: each step starts from a memory of 0": lambda t, h, c, h0, c0: (h, 0 * c),
        "h is not carried: each step starts from a state of 0": lambda t, h, c, h0, c0: (0 * h, c),
        "h and c are swapped from step to step": lambda t, h, c, h0, c0: (c, h),
        "h is carried in the place of c": lambda t, h, c, h0, c0: (h, h),
        "c is carried in the place of h": lambda t, h, c, h0, c0: (c, c),
        "the tanh of c is carried: carry c as it is": lambda t, h, c, h0, c0: (h, c.tanh()),
    }


def _cuts() -> dict[str, Callable]:
    return {
        "no gradient goes from a memory to the one before it (the gradient of c is lost from step "
        "to step)": lambda t, h, c, h0, c0: (h, c.detach()),
        "no gradient goes from a state to the one before it (dprev_h is lost from step to step)": (
            lambda t, h, c, h0, c0: (h.detach(), c)
        ),
        "no gradient goes from a step to the one before it": (
            lambda t, h, c, h0, c0: (h.detach(), c.detach())
        ),
        "the gradients of h and c are swapped from step to step": (
            lambda t, h, c, h0, c0: (with_slope_of(h, c), with_slope_of(c, h))
        ),
        "the gradient of c is added to that of h from step to step": (
            lambda t, h, c, h0, c0: (h, with_slope_of(c, h))
        ),
        "the gradient of h is taken for that of c from step to step": (
            lambda t, h, c, h0, c0: (with_slope_of(h, h + c), c.detach())
        ),
    }


def _first_to_last(inputs: tuple, dh: np.ndarray) -> list[np.ndarray]:
    """The gradients where the loop over the steps is not reversed."""
    x, h0, c0, *weights = inputs
    h, c = results(_carried(None), inputs)
    back, arriving, total = [], (0 * h0, 0 * c0), [0.0, 0.0, 0.0]
    for t in range(x.shape[1]):
        start = (h[:, t - 1], c[:, t - 1]) if t else (h0, c0)
        dx, *arrives, dWx, dWh, db = gradients(
            right_cell, (x[:, t], *start, *weights), dh[:, t] + arriving[0], arriving[1]
        )
        back.append(dx)
        arriving = arrives
        total = [a + b for a, b in zip(total, (dWx, dWh, db), strict=True)]
    return [np.stack(back, 1), *arriving, *total]


def _behind_the_first(i: int, inputs: tuple, dh: np.ndarray) -> np.ndarray:
    """The whole gradient of h (i = 1) or c (i = 2) behind the first step."""
    x, _, _, *weights = inputs
    if x.shape[1] == 1:
        return dh[:, 0] if i == 1 else 0 * dh[:, 0]
    h, c = results(_carried(None), inputs)
    rest = (x[:, 1:], h[:, 0], c[:, 0], *weights)
    return gradient(i, _carried(None), rest, dh[:, 1:])
