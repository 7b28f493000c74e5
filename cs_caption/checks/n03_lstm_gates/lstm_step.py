"""The checks of lstm_step_forward and lstm_step_backward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cs_caption.checks.backward import (
    IN_FLIGHT,
    TWICE,
    Draw,
    Layer,
    Taken,
    backward,
    called_twice,
    in_flight,
    require_gradients,
    several,
    step,
)
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n03_lstm_gates import by_torch, lstm_mistakes
from cs_caption.checks.n03_lstm_gates.by_torch import ORDER
from cs_caption.checks.n03_lstm_gates.lstm_mistakes import NAMES
from cs_caption.checks.referee import referee, torch_or_none
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
    opaque,
    same,
    sizes,
    unchanged,
)

Random = np.random.RandomState
Steps = Callable[[Sequence[tuple]], list[tuple[np.ndarray, np.ndarray]]]

FORWARD = "lstm_step_forward"
ARGUMENTS = "x, prev_h, prev_c, Wx, Wh, b"

RESULTS = ("next_h", "next_c")

_ALL = "next_h, next_c, cache"
_LARGE = 1000.0
_OVERFLOW = (
    ": sums near 1000 and -1000 must not overflow (the notebook's sigmoid and np.tanh do not)"
)
# A gate shows in the results where the others are wide open (1) or shut (-1).
_ALONE = {
    "i": {"f": -1, "o": 1, "g": 1},
    "f": {"i": -1, "o": 1, "g": 1},
    "o": {"i": -1, "f": 1, "g": 1},
    "g": {"i": 1, "f": -1, "o": 1},
}
_WIDE = 64.0
_LITTLE = 2.0**-40
_PEEPHOLES = (
    "the gates are right where prev_c is 0, and wrong elsewhere: a gate sees x and prev_h, and not "
    "prev_c or next_c (peepholes?)"
)
LARGE = "gradients of thousands arrive: they go back whole, nothing is clipped"
_TIMES = 4096.0
_CLIPPED = (
    "where gradients {:g} times as large arrive, {} (is something clipped on the way? That is done "
    "later, when a training step has all its gradients)"
)


# ---------------------------------------------------------------------------------------- forward


def _gates(subject: Subject, rng: Random) -> None:
    steps, inputs = _steps(subject), step_inputs(rng)
    try:
        _read_gates(steps, inputs)
    except Wrong:
        require_step(steps, inputs, *steps([inputs])[0])  # of a whole step there is more to say
        raise


def _batch(*which: str, rows: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        inputs = step_inputs(rng, rows)
        outcome = subject.call(inputs, keep=(2,))
        require_step(_steps(subject), inputs, *_results(outcome.value, inputs), which)

    return run


def _left_alone(subject: Subject, rng: Random) -> None:
    inputs, others = step_inputs(rng), step_inputs(rng)
    for given, plain in (
        (inputs, inputs),
        (others, others),
        (tuple(map(awkward, inputs)), inputs),
    ):
        outcome = subject.call(given, keep=(2,))
        unchanged(outcome, ARGUMENTS)
        require_step(_steps(subject), plain, *_results(outcome.value, plain))
    require_kept(subject, RESULTS, inputs, (inputs[0] + 1, *inputs[1:]))


def require_kept(subject: Subject, names: Sequence[str], inputs: tuple, others: tuple) -> None:
    """Fail where a second call, with other inputs, writes over what the first one returned."""
    first = subject.call(inputs, keep=range(len(names) + 1)).value
    before = [subject.read(kept) for kept in first[: len(names)]]
    subject.call(others, keep=range(len(names) + 1))
    for name, kept, value in zip(names, first, before, strict=False):
        if not np.array_equal(subject.read(kept), value):
            raise Wrong(
                f"the next call writes over the {name} that this one returned: make new arrays in "
                "each call"
            )


def _saturated(subject: Subject, rng: Random) -> None:
    inputs = _large_inputs(rng)
    found = _results(subject.call(inputs, keep=(2,)).value, inputs, _OVERFLOW)
    require_step(_steps(subject), inputs, *found)


def step_inputs(rng: Random, rows: int | None = None) -> tuple[np.ndarray, ...]:
    """Draw x, prev_h, prev_c, Wx, Wh, b; no two of N, D, H are equal."""
    N, D, H = sizes(rng, 3, 3, 7)
    return eighths(rng, (rows or N, D)), *starts_and_weights(rng, rows or N, D, H)


def starts_and_weights(rng: Random, N: int, D: int, H: int) -> tuple[np.ndarray, ...]:
    """Draw prev_h, prev_c, Wx, Wh, b: no gate is near 0 or 1, and no memory is small."""
    shapes = ((N, H), (N, H), (D, 4 * H), (H, 4 * H), (4 * H,))
    prev_h, prev_c, Wx, Wh, b = (eighths(rng, shape) for shape in shapes)
    return prev_h, 2 * prev_c, Wx, Wh, b


def _large_inputs(rng: Random) -> tuple[np.ndarray, ...]:
    """Inputs whose b is 1000 or -1000: each gate has both, and no two gates are alike.

    Every other unit has a large memory: there is no bound to it.
    """
    x, prev_h, prev_c, *weights, b = step_inputs(rng)
    H = len(b) // 4
    inputs = (x, prev_h, prev_c * np.where(np.arange(H) % 2, 1, 32), *weights)
    while True:
        signs = rng.choice([-1.0, 1.0], (4, H))
        if len(np.unique(signs, axis=0)) == 4 and not np.any(np.abs(signs.sum(1)) == H):
            return (*inputs, _LARGE * signs.ravel())


def _steps(subject: Subject) -> Steps:
    def steps(many: Sequence[tuple]) -> list[tuple[np.ndarray, np.ndarray]]:
        outcomes = subject.calls(many, leave=(2,), function=FORWARD)
        return [_results(each.value, inputs) for each, inputs in zip(outcomes, many, strict=True)]

    return steps


def _results(value: Any, inputs: tuple, hint: str = "") -> tuple[np.ndarray, np.ndarray]:
    next_h, next_c, cache = entries(value, _ALL)
    opaque(cache)
    return _both(next_h, next_c, inputs, hint)


def _both(next_h: Any, next_c: Any, inputs: tuple, hint: str = "") -> tuple[np.ndarray, np.ndarray]:
    shape = inputs[1].shape
    return (
        array(next_h, shape, "next_h", "(N, H)", hint),
        array(next_c, shape, "next_c", "(N, H)", hint),
    )


def require_step(
    steps: Steps,
    inputs: tuple,
    next_h: np.ndarray,
    next_c: np.ndarray,
    which: Sequence[str] = RESULTS,
) -> None:
    """Fail where one of the results `which` is not that of a step, with words on what went wrong.

    steps: takes such steps, on whatever inputs; so the words (and, without torch, the judgement)
    can be of one gate at a time
    """
    expected = expected_step(steps, inputs)
    if close(next_h, expected[1]) and close(next_c, expected[0]):
        raise Wrong(f"the results are in another order: it is {_ALL}")
    for k, name in reversed(list(enumerate(RESULTS))):
        if name in which and not close((next_h, next_c)[k], expected[k]):
            words = _words(steps, inputs, (next_h, next_c), expected, k)
            raise Wrong(f"{name} is wrong{words}")


def _words(steps: Steps, inputs: tuple, found: tuple, expected: tuple, k: int) -> str:
    """What is probably wrong with result k: the words of a mistake that makes both, or this one."""
    if torch_or_none() is not None:
        if named := words_of_mistake(lstm_mistakes.step_lookalikes(inputs), found, k):
            return named
        _read_gates(steps, inputs)
    if k == 0 and not close(found[1], expected[1]):
        return ", as next_c is: mend that first"
    return cut_off_words(found[k], expected[k]) or differing(found[k], expected[k])


def words_of_mistake(others: Mapping[str, tuple], found: tuple, k: int) -> str:
    """The words of a look-alike of both results, else of one of result k alone; "" if none fits."""
    pairs = {words: np.stack(both) for words, both in others.items()}
    singles = {words: both[k] for words, both in others.items()}
    named = fitting(np.stack(found), pairs) + fitting(found[k], singles)
    return f": {named[0]}" if named else ""


def cut_off_words(value: np.ndarray, truth: np.ndarray) -> str:
    """Say so where the value is right but for a bound on it, or too small by one factor."""
    reach = float(np.max(np.abs(value)))
    if reach and close(value, np.clip(truth, -reach, reach)):
        return ": it is right but for the largest entries, which are cut off: take the clip away"
    if reach and close(value, truth * (reach / np.max(np.abs(truth)))):
        return ": all of it is too small by the same factor: take the clip away"
    return ""


def expected_step(steps: Steps, inputs: tuple) -> tuple[np.ndarray, np.ndarray]:
    """What torch says; without it, what the gates, read off one by one, must come to."""
    if torch_or_none() is not None:
        return by_torch.results(by_torch.right_cell, inputs)
    s = _read_gates(steps, inputs)
    next_c = s["f"] * inputs[2] + s["i"] * s["g"]
    return s["o"] * np.tanh(next_c), next_c


def _read_gates(steps: Steps, inputs: tuple) -> dict[str, np.ndarray]:
    """Read off each gate with the others open or shut; fail where it is not that of its sum."""
    try:
        return _gates_of(steps, inputs)
    except Wrong as wrong:
        try:
            _gates_of(steps, (*inputs[:2], 0 * inputs[2], *inputs[3:]), _LITTLE)
        except Wrong:
            raise wrong from None
    raise Wrong(_PEEPHOLES)


def _gates_of(steps: Steps, inputs: tuple, memory: float = 1.0) -> dict[str, np.ndarray]:
    """The gates; f and o are read off how much they let through of this memory."""
    x, prev_h, _, Wx, Wh, b = inputs
    probes = [_with_others(inputs, gate, others, memory) for gate, others in _ALONE.items()]
    openly = [_with_others(inputs, gate, _ALONE[gate], memory, openly=True) for gate in "io"]
    i, f, (let_out, _), g, (_, open_c), (open_h, _) = steps([*probes, *openly])
    if not (np.all(open_h) and np.all(open_c)):
        raise Wrong(
            f"a result is 0 where the sums of the gates that it goes through are {_WIDE:g}: are "
            f"the blocks of columns taken for {', '.join(ORDER)}?"
        )
    # relative to what comes through open gates, so that no gate takes the blame for another
    found = {"i": i[1] / open_c, "g": g[1] / open_c, "f": f[1] / memory, "o": let_out / open_h}
    totals = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
    for gate, value in found.items():
        k = ORDER.index(gate)
        columns = slice(k * len(Wh), (k + 1) * len(Wh))
        alone = (x, prev_h, Wx[:, columns], Wh[:, columns], b[columns])
        _require_gate(gate, value, totals[k], alone)
    same(open_c, np.ones_like(open_c), "next_c where i and g are wide open, f shut,")
    return found


def _with_others(
    inputs: tuple,
    gate: str,
    others: Mapping[str, int],
    memory: float,
    *,
    openly: bool = False,
) -> tuple[np.ndarray, ...]:
    """The inputs with the sums of the other gates (and, `openly`, of this one) far from 0."""
    x, prev_h, prev_c, Wx, Wh, b = inputs
    Wx, Wh, b, H = Wx.copy(), Wh.copy(), b.copy(), len(Wh)
    for k, other in enumerate(ORDER):
        if other != gate or openly:
            at = slice(k * H, (k + 1) * H)
            Wx[:, at], Wh[:, at], b[at] = 0, 0, _WIDE * others.get(other, 1)
    prev_c = np.full_like(prev_c, memory) if gate in "fo" else prev_c
    return x, prev_h, prev_c, Wx, Wh, b


def _require_gate(gate: str, value: np.ndarray, total: np.ndarray, alone: tuple) -> None:
    x, prev_h, Wx, Wh, b = alone
    squash, other = (np.tanh, _sigmoid) if gate == "g" else (_sigmoid, np.tanh)
    wide = [f"{name} {'open' if way > 0 else 'shut'}" for name, way in _ALONE[gate].items()]
    same(value, squash(total), f"{NAMES[gate]}, read off with {', '.join(wide)},", lambda: {
        "it is a sigmoid, not tanh" if gate == "g" else "it is tanh, not a sigmoid": other(total),
        "it is 0": 0 * total,
        "it is 1": 0 * total + 1,
        "it is its sum, without sigmoid or tanh": total / (_WIDE if gate in "ig" else 1),
        "it is a ReLU": np.maximum(total, 0) / (_WIDE if gate in "ig" else 1),
        "tanh and sigmoid are taken one after the other": np.tanh(_sigmoid(total)) / np.tanh(1),
        "b is not added": squash(total - b),
        "b is added twice": squash(total + b),
        "b is subtracted": squash(total - 2 * b),
        "x is ignored": squash(total - x @ Wx),
        "prev_h is ignored": squash(total - prev_h @ Wh),
    })  # fmt: skip


def _sigmoid(a: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * a))


# ------------------------------------------------------------------------------------------- back


def _one_arrives(position: int) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, _STEP, step_inputs(rng))
        douts = [dout if k == position else 0 * dout for k, dout in enumerate(taken.dout)]
        taken = replace(taken, dout=tuple(douts))
        require_gradients(subject, _STEP, taken, subject.call((*douts, taken.cache)).value)

    return run


def large_back(layer: Layer, draw: Draw) -> Run:
    """Return a case: what arrives is thousands of times as large as elsewhere."""

    def run(subject: Subject, rng: Random) -> None:
        taken = step(subject, rng, layer, draw(rng))
        large = replace(taken, dout=_scaled(taken.dout))
        found = subject.call((*several(large.dout), large.cache)).value
        try:
            require_gradients(subject, replace(layer, lookalikes=_none, where=_cut), large, found)
        except Wrong as wrong:
            found = subject.call((*several(taken.dout), taken.cache)).value
            require_gradients(subject, layer, taken, found)
            raise Wrong(_CLIPPED.format(_TIMES, wrong)) from None

    return run


def _scaled(dout: Any) -> Any:
    return tuple(_TIMES * each for each in dout) if isinstance(dout, tuple) else _TIMES * dout


def _none(i: int, taken: Taken) -> dict[str, np.ndarray]:
    return {}


def _cut(i: int, gradient: np.ndarray, truth: np.ndarray) -> str:
    return cut_off_words(gradient, truth) or differing(gradient, truth)


def _rows(rows: int | None = None) -> Draw:
    return lambda rng: step_inputs(rng, rows)


def _require_out(subject: Subject, args: tuple, next_h: Any, next_c: Any) -> tuple:
    found = _both(next_h, next_c, args)
    require_step(_steps(subject), args, *found)
    return found


def _gradients(args: tuple, dnext_h: np.ndarray, dnext_c: np.ndarray) -> list[np.ndarray]:
    return by_torch.gradients(by_torch.right_cell, args, dnext_h, dnext_c)


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    return lstm_mistakes.step_gradient_lookalikes(i, taken.args, taken.out[0], *taken.dout)


def differing_gates(i: int, gradient: np.ndarray, truth: np.ndarray) -> str:
    """Say which gates' blocks of columns are wrong, if it is a gradient of weights (i > 2)."""
    if i < 3:
        return differing(gradient, truth)
    pairs = zip(ORDER, np.split(gradient, 4, -1), np.split(truth, 4, -1), strict=True)
    wrong = "".join(gate for gate, mine, right in pairs if not close(mine, right))
    if wrong in ("", ORDER):
        return differing(gradient, truth)
    blocks = "block" if len(wrong) == 1 else "blocks"
    verb = "is" if len(wrong) == 1 else "are"
    return f": the {blocks} of {lstm_mistakes.in_words(wrong)} {verb} wrong, the others are right"


_STEP = Layer(
    FORWARD,
    inputs=ARGUMENTS,
    axes=("(N, D)", "(N, H)", "(N, H)", "(D, 4H)", "(H, 4H)", "(4H,)"),
    require_out=_require_out,
    gradients=_gradients,
    lookalikes=_lookalikes,
    counts=lambda args: {"N": len(args[0])},
    out="next_h, next_c",
    where=differing_gates,
)

LSTM_STEP_FORWARD = Exercise(
    FORWARD,
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("each gate alone, with the others wide open or shut", 2, _gates),
        Case("a batch: the memory, next_c", 3, _batch("next_c")),
        Case("a batch: the state, next_h", 3, _batch("next_h")),
        Case("both, a batch of one (N = 1)", 1, _batch(*RESULTS, rows=1)),
        Case("sums near 1000 and -1000, large memories", 1, _saturated),
        Case(f"{UNTOUCHED}; nothing is left over from other calls", 1, _left_alone),
    ),
)

LSTM_STEP_BACKWARD = Exercise(
    "lstm_step_backward",
    points=4,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        *(Case(name, 2, backward(_STEP, _rows(), name)) for name in _STEP.names.split(", ")),
        Case("all six, where only dnext_h arrives (dnext_c is 0)", 2, _one_arrives(0)),
        Case("all six, where only dnext_c arrives (dnext_h is 0)", 2, _one_arrives(1)),
        Case("all six, a batch of one (N = 1)", 1, backward(_STEP, _rows(1))),
        Case("all six, sums near 1000 and -1000", 1, backward(_STEP, _large_inputs)),
        Case(f"all six, {LARGE}", 1, large_back(_STEP, _rows())),
        Case(f"all six, {TWICE}", 1, called_twice(_STEP, _rows())),
        Case(f"all six, {IN_FLIGHT}", 1, in_flight(_STEP, _rows())),
    ),
)
