"""The check of fix_lstm: for each fault of the listing a case that the other four do not touch.

Those cases ask for one result, of inputs at which the other faults change nothing: a memory that
starts at 0, one step, no way through Wh. So each fault that is mended earns points. The words name
the result, the gate and the step; the fault itself is left to be found.
"""

from functools import partial
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.n03_lstm_gates import by_torch, lstm_by_gates
from cs_caption.checks.n03_lstm_gates.by_torch import ORDER
from cs_caption.checks.n03_lstm_gates.lasting import LASTING, lasting
from cs_caption.checks.n03_lstm_gates.lstm_sequence import sequence_inputs
from cs_caption.checks.n03_lstm_gates.lstm_step import differing_gates
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import (
    RAGGED,
    REORDERED,
    cut_off,
    ragged,
    reorder,
    require_nothing_beyond,
    require_rows_follow,
    rows_in,
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
    factors,
    unchanged,
)

Random = np.random.RandomState
Results = dict[str, np.ndarray]

_ARGUMENTS = ("x", "h0", "c0", "Wx", "Wh", "b", "dh")
_GRADIENTS = ("dx", "dh0", "dc0", "dWx", "dWh", "db")
_AXES = ("(N, T, D)", "(N, H)", "(N, H)", "(D, 4H)", "(H, 4H)", "(4H,)")
_MANY = 20  # steps: more than any H that is drawn
_WITH_ROWS = dict.fromkeys(("x", "h0", "c0", "dh", "h", "dx", "dh0", "dc0"), 0)


def _states(**fixed: float) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        given = _draw(rng, **fixed)
        _require_h(subject, given, _call(subject, given)["h"])

    return run


def _gradients(*names: str) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        given = _draw(rng)
        _require(subject, given, _call(subject, given), names)

    return run


def _long(subject: Subject, rng: Random) -> None:
    """One sequence, large gradients and memories, steps without a loss, and without an input."""
    x, h0, c0, *weights, dh = _draw(rng, rows=1, steps=_MANY)
    x[:, 2:4], dh[:, 3::4], dh[:, 10:12] = 0, 0, 0
    given = (x, h0, 16 * c0, *weights, 100 * dh)
    found = _call(subject, given)
    _require_h(subject, given, found["h"])
    _require(subject, given, found)


def _lasting(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    second = tuple(-each for each in given)
    found = lasting(subject, given, second, ", ".join(("h", *_GRADIENTS)))
    _require(subject, given, _results(tuple(found), given))


def _one_step(name: str) -> Run:
    """Return a case: a gradient of a single step from any memory."""

    def run(subject: Subject, rng: Random) -> None:
        given = _draw(rng, steps=1)
        _require(subject, given, _call(subject, given), (name,))

    return run


def _columns(gates: str) -> Run:
    """Return a case: the gates' columns of dWx, dWh, db after one step from a memory of 0."""

    def run(subject: Subject, rng: Random) -> None:
        given = _draw(rng, steps=1, c0=0)
        found = _call(subject, given)
        for gate in gates:
            _require(subject, given, found, _GRADIENTS[3:], gate)

    return run


def _memory_alone(subject: Subject, rng: Random) -> None:
    """Wh is 0, so what comes back from the last step comes by the memory alone.

    A c0 that is lost on the way forward is no matter here, but a numeric derivative would see it.
    """
    x, h0, c0, Wx, Wh, b, dh = _draw(rng, c0=0, Wh=0)
    dh[:, :-1] = 0
    given = (x, h0, c0, Wx, Wh, b, dh)
    _require(subject, given, _call(subject, given), ("dc0",), numeric=torch_or_none() is None)


def _ragged(subject: Subject, rng: Random) -> None:
    *inputs, dh = _draw(rng)
    lengths = ragged(rng, *dh.shape[:2])
    given = (*inputs, cut_off(dh, lengths))
    found = _call(subject, given)
    require_nothing_beyond(found["dx"], lengths)
    _require(subject, given, found)


def _reordered(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    order = reorder(rng, len(given[0]))
    moved = rows_in(order, dict(zip(_ARGUMENTS, given, strict=True)), _WITH_ROWS)
    plain, turned = (_call(subject, each) for each in (given, tuple(moved.values())))
    require_rows_follow(plain, turned, order, _WITH_ROWS)
    _require(subject, given, plain)


def _left_alone(subject: Subject, rng: Random) -> None:
    given = _draw(rng)
    for each in (given, tuple(map(awkward, given))):
        outcome = subject.call(each)
        unchanged(outcome, ", ".join(_ARGUMENTS))
        _require(subject, given, _results(outcome.value, given))


def _draw(rng: Random, rows: int | None = None, steps: int | None = None, **fixed: float) -> tuple:
    """Draw the seven arguments; `fixed` sets some to a number."""
    named = dict(zip(_ARGUMENTS, sequence_inputs(rng, rows, steps), strict=False))
    for name, value in fixed.items():
        named[name] = np.full(named[name].shape, float(value))
    N, T, _ = named["x"].shape
    return *named.values(), eighths(rng, (N, T, named["h0"].shape[1]))


def _call(subject: Subject, given: tuple) -> Results:
    return _results(subject.call(given).value, given)


def _results(value: Any, given: tuple) -> Results:
    names = ("h", *_GRADIENTS)
    shapes = (given[-1].shape, *(each.shape for each in given[:-1]))
    parts = zip(entries(value, ", ".join(names)), shapes, names, ("(N, T, H)", *_AXES), strict=True)
    return {name: array(each, shape, name, axes) for each, shape, name, axes in parts}


def _expected_h(subject: Subject, given: tuple) -> np.ndarray:
    """What torch says; without it, what the student's own gates must come to."""
    if torch_or_none() is not None:
        return by_torch.results(by_torch.through_time(by_torch.right_cell), given[:-1])[0]

    def steps(many: list[tuple]) -> list[np.ndarray]:
        calls = [(x[:, None], *rest, np.ones((*rest[0].shape[:1], 1, rest[0].shape[1])))
                 for x, *rest in many]  # fmt: skip
        outcomes = subject.calls(calls, leave=range(1, 7))
        shapes = (call[-1].shape for call in calls)
        return [
            array(entries(o.value, ", ".join(("h", *_GRADIENTS)))[0], shape, "h", "(N, T, H)")[:, 0]
            for o, shape in zip(outcomes, shapes, strict=True)
        ]

    return lstm_by_gates.run(steps, given[:-1])[0]


def _require_h(subject: Subject, given: tuple, h: np.ndarray) -> None:
    expected = _expected_h(subject, given)
    if not close(h, expected):
        wrong = [t for t in range(h.shape[1]) if not close(h[:, t], expected[:, t])]
        since = "the first step" if wrong[0] == 0 else f"step {wrong[0] + 1}"
        raise Wrong(f"h is wrong from {since} on")


def _require(
    subject: Subject,
    given: tuple,
    found: Results,
    names: tuple[str, ...] = _GRADIENTS,
    gate: str = "",
    *,
    numeric: bool = True,
) -> None:
    """Fail where one of the gradients is wrong; with `gate`, in the gate's columns.

    Where h is wrong its numeric derivative says nothing: then torch alone judges, as it does
    without `numeric`.
    """
    truths = None
    if torch_or_none() is not None:
        lstm = by_torch.through_time(by_torch.right_cell)
        truths = dict(zip(_GRADIENTS, by_torch.gradients(lstm, *_halves(given)), strict=True))
    try:
        _require_h(subject, given, found["h"])
    except Wrong as wrong:
        if truths is None:
            raise Wrong(f"first mend h: {wrong}") from None
        numeric = False
    for name in names:
        i = _GRADIENTS.index(name)
        require_gradient(
            f"{name}, in the columns of {gate}," if gate else name,
            _block(found[name], gate),
            None if truths is None else _block(truths[name], gate),
            partial(_slopes, subject, given, i, gate) if numeric else None,
            partial(factors, counts=dict(zip("NT", given[0].shape, strict=False))),
            lambda name=name: _misplaced(name, truths),
            differ=partial(differing_gates, i) if not gate else differing,
        )


def _misplaced(name: str, truths: Results | None) -> Results:
    other = {"dh0": "dc0", "dc0": "dh0"}.get(name)
    if truths is None or other is None or not truths[other].any():
        return {}
    return {f"it is {other}: the order is h, {', '.join(_GRADIENTS)}": truths[other]}


def _halves(given: tuple) -> tuple[tuple, np.ndarray]:
    *inputs, dh = given
    return tuple(inputs), dh


def _block(value: np.ndarray, gate: str) -> np.ndarray:
    """The gate's columns, a view; without a gate the whole."""
    return np.split(value, 4, axis=-1)[ORDER.index(gate)] if gate else value


def _slopes(
    subject: Subject, given: tuple, i: int, gate: str, along: list[np.ndarray]
) -> np.ndarray:
    moves = []
    for direction in along:
        whole = np.zeros(given[i].shape)
        _block(whole, gate)[...] = direction
        moves.append((i, whole))
    return subject.vjp(given, given[-1], moves, result=0, leave=range(1, 7))


FIX_LSTM = Exercise(
    "fix_lstm",
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("h, a first run", 2, _states(c0=0)),
        Case("h, a second run", 1, _states()),
        Case("one step (T = 1): dc0", 2, _one_step("dc0")),
        Case("one step (T = 1): dWx, dWh, db, some of the columns", 2, _columns("fo")),
        Case("one step (T = 1): dWx, dWh, db, others of the columns", 2, _columns("go")),
        Case("several steps: dc0", 2, _memory_alone),
        Case("dx, dh0, dc0", 2, _gradients("dx", "dh0", "dc0")),
        Case("dWx, dWh, db", 2, _gradients("dWx", "dWh", "db")),
        Case("all seven, one sequence (N = 1), twenty steps, large gradients", 1, _long),
        Case(f"all six, {LASTING}", 1, _lasting),
        Case(f"all six, {RAGGED}", 1, _ragged),
        Case(f"all six, {REORDERED}", 1, _reordered),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
