"""The checks of lstm_forward and lstm_backward."""

from collections.abc import Sequence
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
)
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n03_lstm_gates import by_torch, lstm_sequence_mistakes
from cs_caption.checks.n03_lstm_gates.lstm_step import (
    LARGE,
    Steps,
    cut_off_words,
    differing_gates,
    expected_step,
    large_back,
    require_kept,
    require_step,
    starts_and_weights,
    words_of_mistake,
)
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import (
    CHUNKED,
    RAGGED,
    REORDERED,
    SPARSE,
    in_chunks,
    ragged_back,
    reorder,
    reordered_back,
    require_no_seam,
    require_rows_follow,
    sparse_back,
    with_gaps,
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
    opaque,
    sizes,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "lstm_forward"
ARGUMENTS = "x, h0, c0, Wx, Wh, b"

_RESULTS = ("h", "c")
_ALL = "h, c, cache"
_EMPTY = (
    "where x is 0: such a step changes the state and the memory as well (prev_h, prev_c and b are "
    "there)"
)
_BACK = "dx, dh0, dc0"
_LONG = "a long sequence (T near 20)"
_FIRST = "already the first step is wrong (what does lstm_step_forward give?): "


# ---------------------------------------------------------------------------------------- forward


def _batch(*which: str, rows: int | None = None, steps: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        inputs = sequence_inputs(rng, rows, steps)
        outcome = subject.call(inputs, keep=(2,))
        _require(subject, inputs, *_results(outcome.value, inputs), which)

    return run


def _long(subject: Subject, rng: Random) -> None:
    inputs = _long_inputs(rng, memories=64.0)
    found = _results(subject.call(inputs, keep=(2,)).value, inputs)
    expected = _expected(subject, inputs)
    for t in range(inputs[0].shape[1]):
        here = [(mine[:, t], truth[:, t]) for mine, truth in zip(found, expected, strict=True)]
        if not all(close(mine, truth) for mine, truth in here):
            raise Wrong(_long_words(subject, inputs, here, t))


def _long_words(subject: Subject, inputs: tuple, here: list, t: int) -> str:
    """What is probably wrong with h and c after step t, `here`; before it all is well."""
    _require_first_step(subject, inputs)
    x, T = inputs[0][:, t], inputs[0].shape[1]
    off = np.zeros(len(x), bool)
    for mine, truth in here:
        off |= np.array([not close(*rows) for rows in zip(mine, truth, strict=True)])
    if np.array_equal(off, ~x.any(axis=1)):
        return f"it is wrong {_EMPTY}"
    (h, right_h), (c, right_c) = here
    start = f"h and c are right in the first {t} of {T} steps, and then "
    if not (h.any() or c.any()):
        return f"{start}0: does the loop end there?"
    if words := cut_off_words(c, right_c):
        return f"{start}c is wrong{words}"
    large = np.arange(c.shape[1]) % 2 == 0
    if close(c[:, ~large], right_c[:, ~large]) and not close(c, right_c):
        return f"{start}c is wrong where it was large: it is carried as it is, however large"
    return f"{start}wrong{differing(h, right_h)}"


def _left_alone(subject: Subject, rng: Random) -> None:
    inputs = sequence_inputs(rng)
    for given in (inputs, tuple(map(awkward, inputs))):
        outcome = subject.call(given, keep=(2,))
        unchanged(outcome, ARGUMENTS)
        _require(subject, inputs, *_results(outcome.value, inputs))
    require_kept(subject, _RESULTS, inputs, (inputs[0] + 1, *inputs[1:]))


def _reordered(subject: Subject, rng: Random) -> None:
    inputs = sequence_inputs(rng)
    order = reorder(rng, len(inputs[0]))
    turned = (*(each[order] for each in inputs[:3]), *inputs[3:])
    outcomes = subject.calls([inputs, turned], leave=(2,))
    plain, moved = (dict(zip(_RESULTS, _results(o.value, inputs), strict=True)) for o in outcomes)
    _require(subject, inputs, **plain)
    require_rows_follow(plain, moved, order, {"h": 0, "c": 0})


def _chunked(subject: Subject, rng: Random) -> None:
    x, h0, c0, *weights = inputs = sequence_inputs(rng)
    T = x.shape[1]

    def run(chunk: np.ndarray, state: tuple) -> tuple[dict[str, np.ndarray], tuple]:
        given = (chunk, *state, *weights)
        h, c = _results(subject.call(given, keep=(2,)).value, given)
        return {"h": h, "c": c}, (h[:, -1], c[:, -1])

    whole, _ = run(x, (h0, c0))
    _require(subject, inputs, **whole)
    cuts = sorted({1, int(rng.randint(1, T)), T - 1})
    require_no_seam(in_chunks(run, x, (h0, c0), cuts), whole)


def sequence_inputs(
    rng: Random, rows: int | None = None, steps: int | None = None
) -> tuple[np.ndarray, ...]:
    """Draw x (N, T, D), h0, c0, Wx, Wh, b: no two sizes are equal, and T is the smallest.

    A numeric derivative costs by the step.
    """
    N, D, H = sizes(rng, 3, 5, 8)
    N, T = rows or N, steps or int(rng.randint(3, 5))
    return eighths(rng, (N, T, D)), *starts_and_weights(rng, N, D, H)


def _long_inputs(rng: Random, memories: float = 1.0) -> tuple[np.ndarray, ...]:
    """Draw a long sequence with gaps, as `sequence_inputs`: its forget gates are nearly open.

    memories: how large every other memory is at the start
    """
    (N, D, H), T = sizes(rng, 3, 2, 4), int(rng.randint(18, 23))
    h0, c0, Wx, Wh, b = starts_and_weights(rng, N, D, H)
    c0 = c0 * np.where(np.arange(H) % 2, 1, memories)
    b = b + np.repeat([0.0, 2.0, 0.0, 0.0], H)
    return with_gaps(rng, eighths(rng, (N, T, D))), h0, c0, Wx, Wh, b


def _results(value: Any, inputs: tuple) -> tuple[np.ndarray, np.ndarray]:
    h, c, cache = entries(value, _ALL)
    opaque(cache)
    return _both(h, c, inputs)


def _both(h: Any, c: Any, inputs: tuple) -> tuple[np.ndarray, np.ndarray]:
    x, h0, *_ = inputs
    N, T, H = *x.shape[:2], h0.shape[1]
    return _array(h, "h", N, T, H), _array(c, "c", N, T, H)


def _array(value: Any, name: str, N: int, T: int, H: int) -> np.ndarray:
    hints = {
        (T, N, H): "stack the steps along axis 1",
        (N, H): "those after each step are wanted, not of one alone",
        (N, T + 1, H): f"{name}0 is not among them",
    }
    shape = value.shape if type(value) is np.ndarray else None
    if shape != (N, T, H) and shape in hints:
        words = f"{name} has shape {shape}, expected {(N, T, H)} = (N, T, H)"
        raise Wrong(f"{words}: {hints[shape]}")
    return array(value, (N, T, H), name, "(N, T, H)")


def _require(
    subject: Subject,
    inputs: tuple,
    h: np.ndarray,
    c: np.ndarray,
    which: Sequence[str] = _RESULTS,
) -> None:
    """Fail where one of the results `which` is wrong, with words on what went wrong."""
    expected = _expected(subject, inputs)
    if close(h, expected[1]) and close(c, expected[0]):
        raise Wrong(f"the results are in another order: it is {_ALL}")
    for k, name in enumerate(_RESULTS):
        if name in which and not close((h, c)[k], expected[k]):
            raise Wrong(f"{name} is wrong{_words(subject, inputs, (h, c), expected, k)}")


def _words(subject: Subject, inputs: tuple, found: tuple, expected: tuple, k: int) -> str:
    """What is probably wrong with result k: the words of a mistake that makes both, or this one."""
    if torch_or_none() is not None:
        others = lstm_sequence_mistakes.sequence_lookalikes(inputs)
        if named := words_of_mistake(others, found, k):
            return named
        _require_first_step(subject, inputs)
    return differing(found[k], expected[k])


def _expected(subject: Subject, inputs: tuple) -> tuple[np.ndarray, np.ndarray]:
    """What torch says; without it, step by step, what the gates, read off, must come to."""
    if torch_or_none() is not None:
        return by_torch.results(by_torch.through_time(by_torch.right_cell), inputs)
    _require_first_step(subject, inputs)
    x, h, c, *weights = inputs
    hs, cs = [], []
    for t in range(x.shape[1]):
        h, c = expected_step(_one_step(subject), (x[:, t], h, c, *weights))
        hs.append(h)
        cs.append(c)
    return np.stack(hs, 1), np.stack(cs, 1)


def _require_first_step(subject: Subject, inputs: tuple) -> None:
    x, *others = inputs
    first, steps = (x[:, 0], *others), _one_step(subject)
    try:
        require_step(steps, first, *steps([first])[0])
    except Wrong as wrong:
        raise Wrong(f"{_FIRST}{wrong}") from None


def _one_step(subject: Subject) -> Steps:
    """lstm_forward with T = 1, as if it were the step."""

    def steps(many: Sequence[tuple]) -> list[tuple[np.ndarray, np.ndarray]]:
        given = [(x[:, None], *others) for x, *others in many]
        outcomes = subject.calls(given, leave=(2,), function=FORWARD)
        found = (_results(o.value, inputs) for o, inputs in zip(outcomes, given, strict=True))
        return [(h[:, 0], c[:, 0]) for h, c in found]

    return steps


# ------------------------------------------------------------------------------------------- back


def _inputs(rows: int | None = None, steps: int | None = None) -> Draw:
    return lambda rng: sequence_inputs(rng, rows, steps)


def _require_out(subject: Subject, args: tuple, h: Any, c: Any) -> tuple:
    found = _both(h, c, args)
    _require(subject, args, *found)
    return found


def _gradients(args: tuple, dh: np.ndarray) -> list[np.ndarray]:
    return by_torch.gradients(by_torch.through_time(by_torch.right_cell), args, dh)


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    return lstm_sequence_mistakes.sequence_gradient_lookalikes(i, taken.args, taken.dout)


_SEQUENCES = Layer(
    FORWARD,
    inputs=ARGUMENTS,
    axes=("(N, T, D)", "(N, H)", "(N, H)", "(D, 4H)", "(H, 4H)", "(4H,)"),
    require_out=_require_out,
    gradients=_gradients,
    lookalikes=_lookalikes,
    counts=lambda args: dict(zip("NT", args[0].shape, strict=False)),
    out="h, c",
    arriving=1,
    where=differing_gates,
)


def _long_where(i: int, gradient: np.ndarray, truth: np.ndarray) -> str:
    """Say so where the gradient of x is right in the last steps alone."""
    if i == 0:
        steps = (each.swapaxes(0, 1) for each in (gradient, truth))
        right = [close(mine, true) for mine, true in zip(*steps, strict=True)]
        last = [*right[::-1], False].index(False)
        if last and not np.any(gradient[:, : len(right) - last]):
            return (
                f": it is right in the last {last} of {len(right)} steps, and 0 before: does "
                "the loop go back to the first?"
            )
    return differing_gates(i, gradient, truth)


_LONG_SEQUENCES = replace(_SEQUENCES, lookalikes=lambda i, taken: {}, where=_long_where)

LSTM_FORWARD = Exercise(
    FORWARD,
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("a batch of sequences: the states h", 3, _batch("h")),
        Case("a batch of sequences: the memories c", 2, _batch("c")),
        Case("both, a single step (T = 1)", 1, _batch(*_RESULTS, steps=1)),
        Case("both, a batch of one (N = 1)", 1, _batch(*_RESULTS, rows=1)),
        Case(f"both, {CHUNKED}", 1, _chunked),
        Case(f"both, {REORDERED}", 1, _reordered),
        Case(f"both, {_LONG}; some steps have an x of 0, some memories are large", 2, _long),
        Case(f"{UNTOUCHED}; nothing is written over", 1, _left_alone),
    ),
)

LSTM_BACKWARD = Exercise(
    "lstm_backward",
    points=3,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        *(Case(name, 2, backward(_SEQUENCES, _inputs(), name))
          for name in _SEQUENCES.names.split(", ")),
        Case("all six, a single step (T = 1)", 1, backward(_SEQUENCES, _inputs(steps=1))),
        Case("all six, a batch of one (N = 1)", 1, backward(_SEQUENCES, _inputs(rows=1))),
        Case(f"all six, {RAGGED}", 2, ragged_back(_SEQUENCES, _inputs())),
        Case(f"all six, {SPARSE}", 2, sparse_back(_SEQUENCES, _inputs(steps=3))),
        Case(f"all six, {LARGE}", 1, large_back(_SEQUENCES, _inputs(steps=3))),
        Case(f"dx, dh0 and dc0, {_LONG}", 1, backward(_LONG_SEQUENCES, _long_inputs, _BACK)),
        Case(f"all six, {REORDERED}", 1, reordered_back(_SEQUENCES, _inputs(), rows=3)),
        Case(f"all six, {TWICE}", 1, called_twice(_SEQUENCES, _inputs())),
        Case(f"all six, {IN_FLIGHT}", 1, in_flight(_SEQUENCES, _inputs())),
    ),
)  # fmt: skip
