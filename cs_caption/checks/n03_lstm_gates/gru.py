"""The checks of gru_step_forward and gru_step_backward.

Forward is taken apart: a gate pinned open or shut by a large b leaves the others to be read.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from cs_caption.checks.backward import (
    IN_FLIGHT,
    TWICE,
    Layer,
    Taken,
    backward,
    called_twice,
    in_flight,
    require_gradients,
    step,
)
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.n03_lstm_gates import gru_by_torch as by_torch
from cs_caption.checks.n03_lstm_gates.lasting import LASTING, lasting
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    close,
    differing,
    eighths,
    entries,
    factors,
    opaque,
    same,
    sizes,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "gru_step_forward"
GATES = "rzg"  # in the order of their blocks of columns

_FAR = 3  # times as far from 0: some states of step_inputs lie beyond 1 then, none at 1
_LARGE = 1000  # times as large
_PINNED = 100.0  # of a gate's sum: its sigmoid, or tanh, is 1 and cannot be told from it
_NAMES = ("dx", "dprev_h", "dWx", "dWh", "db")
_ORDER = "the blocks of columns are r, z, g, in this order"
_NO_G = "nothing of g arrives; (1 - z) * g is all of g then"
_NO_TANH = "z is a sigmoid, not a tanh"
_OVERFLOW = ": large numbers must not overflow; use the notebook's sigmoid, and np.tanh"
_RESET = "the reset comes {}, as in torch's GRUCell: here r * prev_h is multiplied by Wh"


def _one(subject: Subject, rng: Random) -> None:
    inputs = step_inputs(rng, rows=1)
    require_step(subject, inputs, _next_h_of(subject.call(inputs, keep=(1,)), inputs))


def _batch(subject: Subject, rng: Random) -> None:
    """States beyond 1, and one sequence without an input."""
    x, prev_h, *weights = step_inputs(rng)
    x[0] = 0
    inputs = (x, _FAR * prev_h, *weights)
    require_step(subject, inputs, _next_h_of(subject.call(inputs, keep=(1,)), inputs))


def _keep(subject: Subject, rng: Random) -> None:
    x, prev_h, *weights = step_inputs(rng)
    _require_z(subject, (x, _FAR * prev_h, *weights))


def _candidate(subject: Subject, rng: Random) -> None:
    """r and g, also where z and 1 - z are swapped: that costs the other cases."""
    inputs = step_inputs(rng)
    (kept,) = _pinned(subject, inputs, {"z": -1})
    _require_g(subject, inputs, 1 if close(kept, inputs[1]) else -1)


def _left_alone(subject: Subject, rng: Random) -> None:
    inputs = step_inputs(rng)
    for given in (inputs, tuple(map(awkward, inputs))):
        outcome = subject.call(given, keep=(1,))
        unchanged(outcome, "x, prev_h, Wx, Wh, b")
        require_step(subject, inputs, _next_h_of(outcome, inputs))


def _lasting(subject: Subject, rng: Random) -> None:
    inputs = step_inputs(rng)
    (next_h,) = lasting(subject, inputs, _negative(inputs), "next_h, cache")
    require_step(subject, inputs, array(next_h, inputs[1].shape, "next_h", "(N, H)"))


def _negative(inputs: tuple) -> tuple:
    """Other inputs, of the same sizes."""
    return tuple(-each for each in inputs)


def _saturated(subject: Subject, rng: Random) -> None:
    """Every gate far open or far shut: of each number of next_h one can see where it comes from."""
    inputs = step_inputs(rng)
    x, prev_h, Wx, Wh, b = inputs
    signs = rng.permutation(np.where(np.arange(len(b)) % 2, 1.0, -1.0))
    outcome = subject.call((x, prev_h, Wx, Wh, 1000 * signs), keep=(1,))
    next_h = _next_h_of(outcome, inputs, _OVERFLOW)
    _, z, g = np.split(signs, 3)
    same(next_h, np.where(z > 0, prev_h, g), "next_h", lambda: {
        "z and 1 - z are swapped: where z is 1, prev_h is kept": np.where(z < 0, prev_h, g)
    })  # fmt: skip


def step_inputs(rng: Random, rows: int | None = None) -> tuple[np.ndarray, ...]:
    """Draw x, prev_h, Wx, Wh, b."""
    N, D, H = sizes(rng, 3, 3, 7)
    shapes = ((rows or N, D), (rows or N, H), (D, 3 * H), (H, 3 * H), (3 * H,))
    x, prev_h, Wx, Wh, b = (eighths(rng, shape) for shape in shapes)
    return x, prev_h, Wx, Wh, b


def _next_h_of(outcome: Outcome, inputs: tuple, hint: str = "") -> np.ndarray:
    next_h, cache = entries(outcome.value, "next_h, cache")
    opaque(cache)
    return array(next_h, inputs[1].shape, "next_h", "(N, H)", hint)


def require_step(subject: Subject, inputs: tuple, next_h: np.ndarray) -> None:
    """Fail where next_h is not the step of these inputs, with words on which gate is wrong."""
    if torch_or_none() is not None:
        expected = by_torch.step(inputs)
        if not close(next_h, expected):
            _require_parts(subject, inputs)
    else:
        expected = _require_parts(subject, inputs)
    same(next_h, expected, "next_h")


def _require_parts(subject: Subject, inputs: tuple) -> np.ndarray:
    """Read z, r and g off, each alone; return what next_h must be if they are put together."""
    _, prev_h, *_ = inputs
    z, g = _require_z(subject, inputs), _require_g(subject, inputs, -1)
    return z * prev_h + (1 - z) * g


def _pinned(subject: Subject, inputs: tuple, *pins: Mapping[str, int]) -> list[np.ndarray]:
    """The student's next_h with gates pinned: {"z": -1} is a z that is 0, {"g": -1} a g of -1."""
    probes = []
    for signs in pins:
        probe = inputs
        for gate, sign in signs.items():
            probe = _with_block(probe, gate, b=sign * _PINNED)
        probes.append(probe)
    outcomes = subject.calls(probes, leave=(1,), function=FORWARD)
    return [_next_h_of(outcome, inputs) for outcome in outcomes]


def _with_block(inputs: tuple, gate: str, **values: Any) -> tuple:
    """The inputs with the gate's block of Wx, Wh or b set to a value."""
    x, prev_h, *weights = inputs
    weights = [np.array(each) for each in weights]
    for name, weight in zip(("Wx", "Wh", "b"), weights, strict=True):
        if name in values:
            _block(weight, gate)[...] = values[name]
    return x, prev_h, *weights


def _block(weight: np.ndarray, gate: str) -> np.ndarray:
    """The gate's columns, a view."""
    return np.split(weight, 3, axis=-1)[GATES.index(gate)]


def _require_z(subject: Subject, inputs: tuple) -> np.ndarray:
    """Return z, read off where g is 1: next_h is then 1 - z (1 - prev_h)."""
    prev_h = inputs[1]
    pins = {"z": {"z": 1}, "1 - z": {"z": -1}, "r": {"r": 1}, "g": {"g": 1}}
    pins |= {"new": {"z": -1, "g": 1}, "new by r": {"z": -1, "r": 1}}
    found = dict(zip(pins, _pinned(subject, inputs, *pins.values()), strict=True))
    if not close(found["z"], prev_h):
        raise Wrong(f"where z is 1, next_h is not prev_h{_why_lost(prev_h, found)}")
    if not close(found["new"], 1):
        raise Wrong(f"where z is 0 and g is 1, next_h is not 1{_why_old(prev_h, found)}")
    z = (1 - found["g"]) / (1 - prev_h)
    if np.any(z <= 0) or np.any(z >= 1):
        raise Wrong("z leaves (0, 1): is it the sigmoid of its sum, and 1 - z what multiplies g?")
    _require_sum("z", np.log(z / (1 - z)), inputs, prev_h)
    return z


def _why_lost(prev_h: np.ndarray, found: Mapping[str, np.ndarray]) -> str:
    if close(found["z"], found["1 - z"]):
        return f", and b = {_PINNED:g} for z makes no difference: is b added?"
    if close(found["z"], np.clip(prev_h, -1, 1)):
        return ", where prev_h leaves (-1, 1): nothing is clipped here"
    if close(found["1 - z"], prev_h):
        return ", but where z is 0 it is: z and 1 - z are swapped"
    for gate in "rg":
        if close(found[gate], prev_h):
            return f", but where the block of {gate} is large it is: {_ORDER}"
    return ": the term z * prev_h has it whole then, and (1 - z) * g has nothing of g"


def _why_old(prev_h: np.ndarray, found: Mapping[str, np.ndarray]) -> str:
    new = found["new"]
    if close(new, 0):
        return f": {_NO_G}"
    if close(new, 2 - prev_h):
        return f": z falls to -1; {_NO_TANH}"
    if close(new, found["1 - z"]):
        return f": b = {_PINNED:g} for g makes no difference: is b added?"
    if np.all(new > 2):
        return ", but far above: is the tanh of g missing?"
    if close(found["new by r"], 1):
        return f", but where the block of r is large it is: {_ORDER}"
    return ": prev_h is kept whole, also where z is 0" if close(new, 1 + prev_h) else ""


def _require_g(subject: Subject, inputs: tuple, fresh: int) -> np.ndarray:
    """Return g, read off where z lets nothing but g through: z pinned with the sign `fresh`."""
    prev_h, pin = inputs[1], {"z": fresh}
    g, least, by_r = _pinned(subject, inputs, pin, pin | {"g": -1}, pin | {"r": -1})
    if close(least, -2 - prev_h):
        raise Wrong(f"z falls to -1 where its sum is far below 0: {_NO_TANH}")
    if close(least, 0) and close(g, 0):
        raise Wrong(f"where z is 0, next_h is 0: {_NO_G}")
    _require_tanh(least, by_r)
    if np.any(np.abs(g) >= 1):
        raise Wrong("g leaves (-1, 1): is it the tanh of the whole sum?")
    r = _require_r(subject, inputs, pin)
    _require_sum("g", np.arctanh(g), inputs, r * prev_h, _resets(inputs, r))
    return g


def _require_tanh(least: np.ndarray, by_r: np.ndarray) -> None:
    """Judge next_h where it is a g of a sum far below 0, or would be if r were its block."""
    if close(least, -1):
        return
    if close(least, 0):
        raise Wrong("g is 0 where its sum is far below 0: that is a sigmoid, and g is a tanh")
    if np.all(least < -1):
        raise Wrong("g falls far below -1: its tanh is missing")
    if close(by_r, -1):
        raise Wrong(f"g is read from the block of r: {_ORDER}")
    raise Wrong("where z is 0 and g is -1, next_h is not -1")


def _require_r(subject: Subject, inputs: tuple, pin: Mapping[str, int]) -> np.ndarray:
    """Return r, read off where g is the tanh of r * prev_h."""
    prev_h = inputs[1]
    bare = _with_block(inputs, "g", Wx=0, Wh=np.eye(prev_h.shape[1]), b=0)
    (g,) = _pinned(subject, bare, pin)
    if close(g, np.tanh(prev_h)):
        raise Wrong("the reset gate r is not used: prev_h goes into g whole")
    r = np.arctanh(g) / prev_h
    if not (np.all(r > 0) and np.all(r < 1)):
        raise Wrong("r leaves (0, 1): is it the sigmoid of its sum, and r * prev_h what g sees?")
    _require_sum("r", np.log(r / (1 - r)), inputs, prev_h)
    return r


def _require_sum(
    gate: str, found: np.ndarray, inputs: tuple, h: np.ndarray, others: Mapping | None = None
) -> None:
    """Judge the sum that went into a gate, read back from it; h is what Wh must have met."""
    x, _, *weights = inputs
    Wx, Wh, b = (_block(weight, gate) for weight in weights)
    by_x, by_h = x @ Wx, h @ Wh
    same(found, by_x + by_h + b, f"the sum that goes into {gate}", lambda: {
        "b is not added": by_x + by_h,
        "b is subtracted": by_x + by_h - b,
        "b is added twice": by_x + by_h + 2 * b,
        "x is ignored": by_h + b,
        "prev_h is ignored": by_x + b,
        "prev_h is added as it is, without Wh": by_x + h + b,
        "the block of Wh is transposed": by_x + h @ Wh.T + b,
        f"its sign is turned: that is 1 - {gate} in the place of {gate}": -(by_x + by_h + b),
        **{f"it is made from the columns of {other}: {_ORDER}": _sum(inputs, other, h)
           for other in GATES if other != gate},
        **(others or {}),
    })  # fmt: skip


def _sum(inputs: tuple, gate: str, h: np.ndarray) -> np.ndarray:
    x, _, *weights = inputs
    Wx, Wh, b = (_block(weight, gate) for weight in weights)
    return x @ Wx + h @ Wh + b


def _resets(inputs: tuple, r: np.ndarray) -> dict[str, np.ndarray]:
    """What likely mistakes with r make of the sum that goes into g."""
    x, prev_h, *weights = inputs
    Wx, Wh, b = (_block(weight, "g") for weight in weights)
    by_x, by_h = x @ Wx, prev_h @ Wh
    return {
        _RESET.format("after the product"): by_x + r * by_h + b,
        _RESET.format("after the product and b"): by_x + r * (by_h + b),
        "the reset gate r is not used": by_x + by_h + b,
        "1 - r is used in the place of r": by_x + ((1 - r) * prev_h) @ Wh + b,
        "r multiplies the whole sum: only prev_h is reset": r * (by_x + by_h + b),
        "r multiplies x Wx as well: only prev_h is reset": r * (by_x + by_h) + b,
    }


def _gradients(args: tuple, dnext_h: np.ndarray) -> list[np.ndarray]:
    return by_torch.step_gradients(args, dnext_h)


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    return by_torch.step_lookalikes(i, taken.args, taken.dout)


def _where(i: int, gradient: np.ndarray, truth: np.ndarray) -> str:
    """Name the gates whose columns of dWx, dWh or db are wrong, where others are right."""
    if i < 2:
        return differing(gradient, truth)
    wrong = [gate for gate in GATES if not close(_block(gradient, gate), _block(truth, gate))]
    if len(wrong) in (0, len(GATES)):
        return differing(gradient, truth)
    right = [gate for gate in GATES if gate not in wrong]
    return f" in the columns of {' and '.join(wrong)}, right in those of {' and '.join(right)}"


def _require_out(subject: Subject, args: tuple, out: Any) -> np.ndarray:
    next_h = array(out, args[1].shape, "next_h", "(N, H)")
    require_step(subject, args, next_h)
    return next_h


def _large(subject: Subject, rng: Random) -> None:
    taken = step(subject, rng, _STEP, step_inputs(rng))
    large = replace(taken, dout=_LARGE * taken.dout)
    small_found, found = (subject.call((each.dout, taken.cache)).value for each in (taken, large))
    try:
        require_gradients(subject, _STEP, large, found)
    except Wrong as wrong:
        require_gradients(subject, _STEP, taken, small_found)
        raise Wrong(
            f"right where dnext_h is small, but where it is {_LARGE} times as large {wrong}; is "
            "something clipped? Here nothing is"
        ) from None


def _back_lasting(subject: Subject, rng: Random) -> None:
    """Two steps of the same sizes are taken before the first comes back."""
    inputs = step_inputs(rng)
    first, second = (step(subject, rng, _STEP, each) for each in (inputs, _negative(inputs)))
    pairs = ((taken.dout, taken.cache) for taken in (first, second))
    require_gradients(subject, _STEP, first, tuple(lasting(subject, *pairs, _STEP.names)))


def _columns(gate: str) -> Run:
    """Return a case: the gate's columns of dWx, dWh and db, whatever the others are."""

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, _STEP, step_inputs(rng))
        found = entries(subject.call((taken.dout, taken.cache)).value, _STEP.names)
        truths = _gradients(taken.args, taken.dout) if torch_or_none() else None
        for i in (2, 3, 4):
            mine = array(found[i], taken.args[i].shape, _NAMES[i], _STEP.axes[i])
            require_gradient(
                f"{_NAMES[i]}, in the columns of {gate},",
                _block(mine, gate),
                None if truths is None else _block(truths[i], gate),
                partial(_slopes, subject, taken, i, gate),
                partial(factors, counts=_STEP.counts(taken.args)),
                partial(_block_lookalikes, i, gate, taken),
            )

    return run


def _slopes(
    subject: Subject, taken: Taken, i: int, gate: str, along: list[np.ndarray]
) -> np.ndarray:
    moves = []
    for direction in along:
        whole = np.zeros(taken.args[i].shape)
        _block(whole, gate)[...] = direction
        moves.append((i, whole))
    return subject.vjp(taken.args, taken.dout, moves, result=0, leave=(1,), function=FORWARD)


def _block_lookalikes(i: int, gate: str, taken: Taken) -> dict[str, np.ndarray]:
    if torch_or_none() is None:
        return {}
    return {words: _block(each, gate) for words, each in _lookalikes(i, taken).items()}


_STEP = Layer(
    FORWARD,
    inputs="x, prev_h, Wx, Wh, b",
    axes=("(N, D)", "(N, H)", "(D, 3H)", "(H, 3H)", "(3H,)"),
    require_out=_require_out,
    gradients=_gradients,
    lookalikes=_lookalikes,
    counts=lambda args: {"N": len(args[0])},
    out="next_h",
    where=_where,
)

GRU_STEP_FORWARD = Exercise(
    FORWARD,
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("z alone: how much of prev_h is kept", 2, _keep),
        Case("g alone, and the reset gate r in it", 2, _candidate),
        Case("a batch, states beyond 1, one sequence without an input (x = 0)", 3, _batch),
        Case("a batch of one (N = 1)", 1, _one),
        Case("sums near 1000: all gates far open or far shut", 1, _saturated),
        Case(LASTING, 1, _lasting),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)

GRU_STEP_BACKWARD = Exercise(
    "gru_step_backward",
    points=3,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        *(Case(f"dWx, dWh, db: the columns of {gate}", 1, _columns(gate)) for gate in GATES),
        *(Case(name, 2 if name != "dprev_h" else 3, backward(_STEP, step_inputs, name))
          for name in _NAMES),
        Case("all five, a batch of one (N = 1)", 1, backward(_STEP, partial(step_inputs, rows=1))),
        Case(f"all five, {TWICE}", 1, called_twice(_STEP, step_inputs)),
        Case(f"all five, {IN_FLIGHT}", 1, in_flight(_STEP, step_inputs)),
        Case("all five, of a large dnext_h", 1, _large),
        Case(f"all five, {LASTING}", 1, _back_lasting),
    ),
)  # fmt: skip
