"""What an LSTM must come to where torch is not installed: the student's own gates, put together.

A gate is read off next_h where a large b pins the others; its sum must be that of its columns.
"""

from collections.abc import Callable, Sequence

import numpy as np

from cs_caption.checks.n03_lstm_gates.by_torch import ORDER
from cs_caption.checks.subject import Wrong
from cs_caption.checks.values import same

# of step inputs (x, prev_h, prev_c, Wx, Wh, b), each next_h
Steps = Callable[[Sequence[tuple]], list[np.ndarray]]

_PINNED = 64.0
_OTHERS = {  # next_h is then tanh(i), tanh(f) with prev_c = 1, o tanh(1), tanh(g)
    "i": {"f": -1, "o": 1, "g": 1},
    "f": {"i": -1, "o": 1, "g": 1},
    "o": {"i": 1, "f": -1, "g": 1},
    "g": {"i": 1, "f": -1, "o": 1},
}


def run(steps: Steps, inputs: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return h and c (N, T, H) of inputs (x, h0, c0, Wx, Wh, b), made of the student's gates.

    Raises: Wrong where a gate is not that of its sum.
    """
    x, h, c, *weights = inputs
    hs, cs = [], []
    for t in range(x.shape[1]):
        gates = read(steps, (x[:, t], h, c, *weights))
        c = gates["f"] * c + gates["i"] * gates["g"]
        h = gates["o"] * np.tanh(c)
        hs.append(h)
        cs.append(c)
    return np.stack(hs, axis=1), np.stack(cs, axis=1)


def read(steps: Steps, inputs: tuple) -> dict[str, np.ndarray]:
    """Return the gates of one step.

    Raises: Wrong where one is not that of its sum.
    """
    seen = dict(zip(ORDER, steps([_alone(inputs, gate) for gate in ORDER]), strict=True))
    found = {gate: np.arctanh(seen[gate]) for gate in "ifg"} | {"o": seen["o"] / np.tanh(1)}
    x, prev_h, _, *weights = inputs
    for k, gate in enumerate(ORDER):
        Wx, Wh, b = (np.split(each, 4, axis=-1)[k] for each in weights)
        _require_gate(gate, found[gate], x @ Wx, prev_h @ Wh, b)
    return found


def _require_gate(
    gate: str, value: np.ndarray, by_x: np.ndarray, by_h: np.ndarray, b: np.ndarray
) -> None:
    low = -1 if gate == "g" else 0
    if not (np.all(value > low) and np.all(value < 1)):
        raise Wrong(
            f"h is wrong: {gate} leaves ({low}, 1) where the sums of the other gates are "
            f"{_PINNED:g} or -{_PINNED:g}; or is it not the tanh of c that o lets out?"
        )
    total = np.arctanh(value) if gate == "g" else np.log(value / (1 - value))
    same(total, by_x + by_h + b, f"the sum that goes into {gate}", lambda: {
        "b is not added": by_x + by_h,
        "x is ignored": by_h + b,
        "the state before is ignored": by_x + b,
    })  # fmt: skip


def _alone(inputs: tuple, gate: str) -> tuple:
    """The inputs with the sums of the other gates far from 0; for f with a memory of 1."""
    x, prev_h, prev_c, *weights = inputs
    Wx, Wh, b = (np.array(each) for each in weights)
    H = len(Wh)
    for k, other in enumerate(ORDER):
        if other != gate:
            at = slice(k * H, (k + 1) * H)
            Wx[:, at], Wh[:, at], b[at] = 0, 0, _PINNED * _OTHERS[gate][other]
    return x, prev_h, np.ones_like(prev_c) if gate == "f" else prev_c, Wx, Wh, b
