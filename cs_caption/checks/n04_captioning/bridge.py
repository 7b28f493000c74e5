"""The check of lstm_to_torch: block by block, and by what torch's LSTM makes of the weights."""

from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.tensors import referee, tensor, torch_here, unchanged
from cs_caption.checks.values import (
    TOLERANCE,
    close,
    describe,
    differing,
    fitting,
    sizes,
    turned,
)

Random = np.random.RandomState
Weights = tuple[np.ndarray, np.ndarray, np.ndarray]

_OURS, _TORCHS = "ifog", "ifgo"
_MADE_OF = {"weight_ih": "Wx", "weight_hh": "Wh"}
_AXES = {"weight_ih": "(4H, D)", "weight_hh": "(4H, H)", "bias_ih": "(4H,)", "bias_hh": "(4H,)"}
_NEARLY_32 = 1e-6
_ROUNDED = (
    ": it is rounded to float32 on the way (torch.Tensor(...) makes float32 of every array, "
    "torch.tensor(...) keeps the type)"
)
_TWICE = "nn.LSTMCell adds bias_ih and bias_hh"


def _names(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    _found(subject.call(given).value, given)


def _weights(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    found = _found(subject.call(given).value, given)
    for name in _MADE_OF:
        _require_weight(name, found, given)


def _bias(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    _require_bias(_found(subject.call(given).value, given), given[2])


def _as_wide(subject: Subject, rng: Random) -> None:
    """Sizes that no wrong shape gives away: D = 4H, one unit, one input."""
    H, other = sizes(rng, 2, 2, 5)
    many = [_draw(rng, *both) for both in ((4 * H, H), (4, 1), (other, 1), (1, other))]
    for given, outcome in zip(many, subject.calls(many), strict=True):
        _require(_found(outcome.value, given), given)


def _same_lstm(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    found = _found(subject.call(given).value, given)
    N, T = 2, 3
    x, h, c = (rng.uniform(-1, 1, s) for s in ((N, T, len(given[0])), *[(N, len(given[1]))] * 2))
    if not close(_by_torch(x, h, c, found), _by_gates(x, h, c, *given)):
        _require(found, given)
        raise Wrong("with these weights nn.LSTMCell does not say what your LSTM of 03 says")


def _single(subject: Subject, rng: Random) -> None:
    double = _draw(rng)
    given = tuple(w.astype(np.float32) for w in double)
    found = _found(subject.call(given).value, given, "float32")
    _require(found, given, _NEARLY_32)


def _left_alone(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    many = (given, tuple(_write_protected(-each) for each in given))
    for each, outcome in zip(many, subject.calls(many), strict=True):
        unchanged(outcome.mutated, "Wx, Wh, b")
        _require(_found(outcome.value, each), each)


def _draw(rng: Random, D: int | None = None, H: int | None = None) -> Weights:
    """Draw Wx, Wh, b: no two entries alike, so that each is known by its value.

    Where no sizes are given D < H, so that blocks of D are told from those of H.
    """
    if D is None:
        D, H = sorted(sizes(rng, 2, 2, 7))
    shapes = ((D, 4 * H), (H, 4 * H), (4 * H,))
    return tuple(rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape) for shape in shapes)


def _write_protected(value: np.ndarray) -> np.ndarray:
    wide = np.repeat(turned(value), 2, axis=-1)[..., ::2]
    wide.flags.writeable = False
    return wide


def _found(value: Any, given: Weights, dtype: str = "float64") -> dict[str, np.ndarray]:
    """Return the four tensors' numbers by name, if each has the right shape and type."""
    torch_here()
    if type(value) is not dict:
        raise Wrong(f"what it returns is {describe(value)}: expected a dict of four tensors")
    missing = [name for name in _AXES if name not in value]
    if missing:
        raise Wrong(f"the dict lacks {' and '.join(missing)}")
    others = [str(name) for name in value if name not in _AXES]
    if others:
        raise Wrong(f"load_state_dict takes no {' and '.join(others)}: the names are {_listed()}")
    Wx, Wh, b = given
    if getattr(value["weight_ih"], "shape", None) == Wh.T.shape != Wx.T.shape:
        raise Wrong("weight_ih has the shape that Wh gives, transposed: are Wx and Wh swapped?")
    shapes = (Wx.T.shape, Wh.T.shape, b.shape, b.shape)
    return {
        name: tensor(value[name], shape, name, axes, dtype=dtype)
        for (name, axes), shape in zip(_AXES.items(), shapes, strict=True)
    }


def _listed() -> str:
    *names, last = _AXES
    return f"{', '.join(names)} and {last}"


def _require(found: dict[str, np.ndarray], given: Weights, tolerance: float = TOLERANCE) -> None:
    for name in _MADE_OF:
        _require_weight(name, found, given, tolerance)
    _require_bias(found, given[2], tolerance)


def _require_weight(
    name: str, found: dict[str, np.ndarray], given: Weights, tolerance: float = TOLERANCE
) -> None:
    own, other = given[:2] if name == "weight_ih" else given[1::-1]
    value, right = found[name], _in_order(own, _TORCHS).T
    if close(value, right, tolerance):
        return
    if close(value, right, _NEARLY_32):
        raise Wrong(f"{name} is wrong{_ROUNDED}")
    words = _order_of(value.T, own) or _other_layout(value, own, other, tolerance)
    words = words or _cut_at_d(value.T, own, len(given[0]))
    raise Wrong(f"{name} is wrong{words or differing(value, right, tolerance)}")


def _order_of(value: np.ndarray, own: np.ndarray) -> str:
    """Say which gates stand there, where each block is one of them."""
    gates = dict(zip(_OURS, np.split(own, 4, axis=-1), strict=True))
    found = ""
    for block in np.split(value, 4, axis=-1):
        found += next((gate for gate, each in gates.items() if close(block, each)), "")
    if len(found) < 4:
        return ""
    listed = ", ".join(found)
    if lost := [gate for gate in _OURS if gate not in found]:
        return (
            f": its gates are {listed}, and {' and '.join(lost)} is lost: a slice of an array is a "
            "view, what is written into the array changes it (copy the slice before)"
        )
    same = ", as in Wx, Wh and b" if found == _OURS else ""
    return f": its gates are in the order {listed}{same}"


def _cut_at_d(value: np.ndarray, own: np.ndarray, D: int) -> str:
    """Say whether it is cut into blocks of D, the last from 3 D to the end."""
    wide = own.shape[-1]
    order = [*range(min(2 * D, wide)), *range(3 * D, wide), *range(2 * D, min(3 * D, wide))]
    if not close(value, own[..., order]):
        return ""
    return ": it is cut at multiples of D (Wx.shape[0]): a gate has H columns"


def _other_layout(value: np.ndarray, own: np.ndarray, other: np.ndarray, tolerance: float) -> str:
    H, right = own.shape[1] // 4, _in_order(own, _TORCHS)
    layouts = {
        "it is reshaped, not transposed: .T swaps the axes, reshape does not": (
            right.reshape(own.shape[::-1])
        ),
        "its gates are in the order i, f, o, g, and it is reshaped where .T belongs": (
            own.reshape(own.shape[::-1])
        ),
        "it is not transposed": right,
        "it is not transposed, and its gates are in the order i, f, o, g": own,
        "Wx and Wh are swapped": _in_order(other, _TORCHS).T,
        "the four numbers of a unit stand side by side: each gate is a block of H rows": (
            right.reshape(-1, 4, H).swapaxes(1, 2).reshape(own.shape).T
        ),
        "its sign is wrong": -right.T,
        "it is 0 everywhere": 0 * right.T,
    }
    named = fitting(value, layouts, tolerance)
    return f": {named[0]}" if named else ""


def _require_bias(
    found: dict[str, np.ndarray], b: np.ndarray, tolerance: float = TOLERANCE
) -> None:
    total, right = found["bias_ih"] + found["bias_hh"], _in_order(b, _TORCHS)
    if close(total, right, tolerance):
        return
    if close(total, right, _NEARLY_32):
        raise Wrong(f"bias_ih and bias_hh together are wrong{_ROUNDED}")
    others = {
        f"the bias counts twice: {_TWICE}": 2 * right,
        f"the bias counts twice, and its gates are in the order i, f, o, g: {_TWICE}": 2 * b,
        f"one of them is right, and the gates of the other in the order i, f, o, g; {_TWICE}": (
            right + b
        ),
        "the bias is 0 everywhere: where does b go?": 0 * right,
    }
    named = fitting(total, others, tolerance)
    named += _order_of(total, b), _cut_at_d(total, b, found["weight_ih"].shape[1])
    named = [
        words.removeprefix(": ").replace("its gates", "the gates of the bias")
        for words in named
        if words
    ]
    where = f": {named[0]}" if named else differing(total, right, tolerance)
    raise Wrong(f"bias_ih and bias_hh together are wrong{where}")


def _in_order(weights: np.ndarray, order: str) -> np.ndarray:
    """Return the weights, whose blocks are i, f, o, g, with their blocks in another order."""
    blocks = dict(zip(_OURS, np.split(weights, 4, axis=-1), strict=True))
    return np.concatenate([blocks[gate] for gate in order], axis=-1)


def _by_torch(x: np.ndarray, h: np.ndarray, c: np.ndarray, weights: dict) -> np.ndarray:
    """The states (N, T, H) of torch's own cell."""
    torch = torch_here()
    x, *state = map(torch.tensor, (x, h, c))
    states = []
    for step in x.unbind(1):
        state = torch.lstm_cell(step, state, *(torch.tensor(weights[name]) for name in _AXES))
        states.append(state[0].numpy())
    return np.stack(states, 1)


def _by_gates(
    x: np.ndarray, h: np.ndarray, c: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray
) -> np.ndarray:
    """The states (N, T, H) by the lecture's equations."""
    states = []
    for t in range(x.shape[1]):
        *gates, g = np.split(x[:, t] @ Wx + h @ Wh + b, 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in gates)
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        states.append(h)
    return np.stack(states, 1)


LSTM_TO_TORCH = Exercise(
    "lstm_to_torch",
    points=2,
    referee=referee,
    cases=(
        Case("four tensors, by the names and with the shapes that nn.LSTMCell has", 1, _names),
        Case("weight_ih and weight_hh", 2, _weights),
        Case("bias_ih and bias_hh together", 2, _bias),
        Case("nn.LSTMCell says what your LSTM of 03 says, over three steps", 1, _same_lstm),
        Case("D = 4H, a single unit, a single input", 1, _as_wide),
        Case("float32 stays float32", 1, _single),
        Case("Wx, Wh, b unchanged, also when write-protected and not contiguous", 1, _left_alone),
    ),
)
