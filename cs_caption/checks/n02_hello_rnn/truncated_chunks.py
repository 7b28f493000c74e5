"""The check of truncated_chunks: whole backpropagation through time, but for the cuts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.n02_hello_rnn import sequence_by_torch as by_torch
from cs_caption.checks.n02_hello_rnn.rnn_forward import (
    OneStep,
    draw_run,
    require_h,
    require_states,
)
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import cut_off, few_losses, ragged, require_nothing_beyond
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    eighths,
    entries,
    factors,
    same,
    unchanged,
)

Random = np.random.RandomState
Arrays = Mapping[str, np.ndarray]

_CHUNKS = "truncated_chunks"
_RESULTS = "h, dx, dh0, dWx, dWh, db"
_GRADIENTS = ("dx", "dh0", "dWx", "dWh", "db")
_ARGUMENT = (0, 2, 3, 4, 5)  # of the function, for each gradient
_AXES = ("(N, T, D)", "(N, H)", "(D, H)", "(H, H)", "(H,)")
# T and size: the last chunk is shorter, and there are never as many chunks as steps in one
# (nor has np.array_split chunks of these lengths)
_UNEVEN = ((9, 4), (10, 4), (11, 5), (13, 5))
_EVEN = ((6, 2), (8, 2), (8, 4), (12, 3))


_CARRIED = "the state is carried on from chunk to chunk"
_SHORT = "a chunk shorter than `size` counts as well"


@dataclass(frozen=True)
class _Task:
    """What runs in chunks of `size` steps: x, h0, Wx, Wh, b, and a loss for each state."""

    inputs: tuple[np.ndarray, ...]
    dh: np.ndarray
    size: int

    @property
    def given(self) -> tuple:
        x, *others = self.inputs
        return (x, self.dh, *others, self.size)

    @property
    def starts(self) -> range:
        return range(0, self.dh.shape[1], self.size)

    def chunks(self, h: np.ndarray) -> list["_Task"]:
        """Each chunk as a task of its own, from the state that the one before it ended in."""
        x, h0, *weights = self.inputs
        parts = [slice(start, start + self.size) for start in self.starts]
        befores = [h0, *(h[:, part.start - 1] for part in parts[1:])]
        return [
            _Task((x[:, part], before, *weights), self.dh[:, part], self.size)
            for part, before in zip(parts, befores, strict=True)
        ]


def _draw(rng: Random, kind: tuple = _UNEVEN, rows: int | None = None) -> _Task:
    T, size = kind[rng.randint(len(kind))]
    inputs = draw_run(rng, rows=rows, steps=T)
    N, H = inputs[1].shape
    return _Task(inputs, eighths(rng, (N, T, H)), size)


def _case(*names: str, kind: tuple = _UNEVEN, rows: int | None = None) -> Run:
    """Return a case: the results of these names (default: all)."""

    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, kind, rows)
        _require(subject, task, subject.call(task.given), names)

    return run


def _whole(subject: Subject, rng: Random) -> None:
    """With a chunk of T steps or more nothing is cut."""
    task = _draw(rng)
    T = task.dh.shape[1]
    for size in (T, T + int(rng.randint(1, 4))):
        long = _Task(task.inputs, task.dh, size)
        _require(subject, long, subject.call(long.given))


def _ragged(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    lengths = ragged(rng, *task.dh.shape[:2])
    task = _Task(task.inputs, cut_off(task.dh, lengths), task.size)
    outcome = subject.call(task.given)
    require_nothing_beyond(_results(outcome, task)["dx"], lengths)
    _require(subject, task, outcome)


def _sparse(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    *_, dh = few_losses(rng, task.dh).values()
    task = _Task(task.inputs, dh, task.size)
    _require(subject, task, subject.call(task.given))


def _left_alone(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    for given in (task.given, (*map(awkward, task.given[:-1]), task.size)):
        outcome = subject.call(given)
        unchanged(outcome, "x, dh, h0, Wx, Wh, b")
        _require(subject, task, outcome)


def _require(subject: Subject, task: _Task, outcome: Outcome, names: tuple[str, ...] = ()) -> None:
    found = _results(outcome, task)
    one = _one_step(subject)
    require_states(one, task.inputs, found["h"], lookalikes=lambda h: _other_states(task, h))
    wanted = [i for i, name in enumerate(_GRADIENTS) if not names or name in names]
    if torch_or_none() is not None:
        truths = by_torch.gradients(task.inputs, task.dh, cuts=task.starts).whole
        for i in wanted:
            _require_gradient(subject, task, found, i, truths[i])
    elif wanted and len(task.starts) > 1:
        _require_sum_of_chunks(subject, task, found, wanted)
    else:
        for i in wanted:
            _require_gradient(subject, task, found, i)


def _results(outcome: Outcome, task: _Task) -> dict[str, np.ndarray]:
    h, *grads = entries(outcome.value, _RESULTS)
    (N, T, H), size = task.dh.shape, task.size
    full = T - T % size
    if type(h) is np.ndarray and full and h.shape == (N, full, H) != (N, T, H):
        raise Wrong(f"h has {full} steps, not {T}: the last chunk is left out; {_SHORT}")
    if type(h) is np.ndarray and h.ndim == 3 and h.shape[0] == N and h.shape[1] < T:
        raise Wrong(f"h has {h.shape[1]} steps, not {T}: join the states of all chunks")
    found = {"h": require_h(h, N, T, H)}
    for name, grad, argument, axes in zip(_GRADIENTS, grads, task.inputs, _AXES, strict=True):
        found[name] = array(grad, argument.shape, name, axes)
    return found


def _one_step(subject: Subject) -> OneStep:
    def given(x: np.ndarray, h: np.ndarray, *others: Any) -> tuple:
        return (x[:, None], np.zeros_like(h)[:, None], h, *others[:3], 1)

    def state(value: Any, N: int, H: int) -> np.ndarray:
        return require_h(entries(value, _RESULTS)[0], N, 1, H)[:, 0]

    return OneStep(subject, _CHUNKS, given, state, leave=range(1, 6))


def _other_states(task: _Task, h: np.ndarray) -> dict[str, np.ndarray]:
    _, h0, *weights = task.inputs

    def fresh(first: np.ndarray, others: np.ndarray) -> np.ndarray:
        xs = [chunk.inputs[0] for chunk in task.chunks(h)]
        starts = [first, *[others] * len(xs)]
        runs = [by_torch.states((x, s, *weights)) for x, s in zip(xs, starts, strict=False)]
        return np.concatenate(runs, axis=1)

    whole = np.arange(h.shape[1]) < h.shape[1] // task.size * task.size
    return {
        f"each chunk starts from zeros: {_CARRIED}": fresh(0 * h0, 0 * h0),
        f"each chunk but the first starts from zeros: {_CARRIED}": fresh(h0, 0 * h0),
        f"each chunk starts from h0: {_CARRIED}": fresh(h0, h0),
        f"it is 0 in the last chunk: {_SHORT}": h * whole[:, None],
    }


def _require_gradient(
    subject: Subject, task: _Task, found: Arrays, i: int, truth: np.ndarray | None = None
) -> None:
    (N, T, _), chunks = task.dh.shape, len(task.starts)

    def slopes(along: list[np.ndarray]) -> np.ndarray:
        moves = [(_ARGUMENT[i], direction) for direction in along]
        return subject.vjp(task.given, task.dh, moves, result=0, leave=range(1, 6))

    require_gradient(
        _GRADIENTS[i],
        found[_GRADIENTS[i]],
        truth,
        slopes if chunks == 1 else None,  # of what is cut, no difference knows
        lambda right: factors(right, {"N": N, "T": T, "the number of chunks": chunks}),
        lambda: {} if truth is None else _other_gradients(task, i),
    )


def _require_sum_of_chunks(subject: Subject, task: _Task, found: Arrays, wanted: list[int]) -> None:
    """Judge without torch: each chunk alone gives its part; of two, numeric derivatives decide."""
    chunks = task.chunks(found["h"])
    outcomes = subject.calls([chunk.given for chunk in chunks])
    alone = [_results(o, chunk) for o, chunk in zip(outcomes, chunks, strict=True)]
    for i in wanted:
        for end in (0, -1):
            _require_gradient(subject, chunks[end], alone[end], i)
        name = _GRADIENTS[i]
        each = [results[name] for results in alone]
        expected = np.concatenate(each, axis=1) if i == 0 else each[0] if i == 1 else sum(each)
        words = f"{name}, of which each chunk alone, from the state before it, gives a part,"
        same(found[name], expected, words)


def _other_gradients(task: _Task, i: int) -> dict[str, np.ndarray]:
    T, size, starts = task.dh.shape[1], task.size, task.starts

    def of(cuts: Collection[int], dh: np.ndarray = task.dh) -> np.ndarray:
        return by_torch.gradients(task.inputs, dh, cuts=cuts).whole[i]

    steps = np.arange(T)
    counted = np.cumsum([len(part) for part in np.array_split(steps, size)])
    ends = np.isin(steps + 1, [*starts, T])[:, None]
    found = {
        "the gradient is not cut: none passes from a chunk to the one before it": of(()),
        "the gradient is cut at every step, not only between chunks": of(range(T)),
        "size is taken for the number of chunks: it is the steps of each": of(counted),
        "the chunks are about equally long (np.array_split?): each but the last has size steps": of(
            [part[0] for part in np.array_split(steps, len(starts))]
        ),
        "the shorter chunk comes first: it is the last one": of(range(T % size, T, size)),
        "the shorter last chunk is joined to the one before it": of(starts[: T // size]),
        "the chunks have size + 1 steps": of(range(0, T, size + 1)),
        "the cut comes a step late": of([n + 1 for n in starts[1:]]),
        "the cut comes a step early": of([n - 1 for n in starts[1:]]),
        "only the last state of each chunk has a loss: add dh[:, t] at every step": (
            of(starts, task.dh * ends)
        ),
        "each chunk has dh of the first": of(starts, task.dh[:, steps % size]),
    }
    right = by_torch.gradients(task.inputs, task.dh, cuts=starts)
    return found | _of_one_chunk(task, i, right)


def _of_one_chunk(task: _Task, i: int, right: by_torch.Gradients) -> dict[str, np.ndarray]:
    starts, size, truth = task.starts, task.size, right.whole[i]
    last = starts[-1]
    if i == 0:
        parts = [truth[:, n : n + size] for n in starts]
        in_last = np.arange(truth.shape[1]) >= last
        return {
            "its chunks are joined in the reverse order": np.concatenate(parts[::-1], axis=1),
            "only the last chunk has a gradient": truth * in_last[:, None],
            f"it is 0 in the last chunk: {_SHORT}": truth * ~in_last[:, None],
        }
    if i == 1:
        summed = right.before[starts].sum(0)
        return {
            "it is what the last chunk hands back: h0 goes into the first": right.before[last],
            "it is a sum over the chunks: h0 goes into the first alone": summed,
        }
    steps = right.weights[i - 2]
    return {
        "only the last chunk counts: add up over the chunks": steps[last:].sum(0),
        "only the first chunk counts: add up over the chunks": steps[:size].sum(0),
        f"the last chunk is left out: {_SHORT}": steps[:last].sum(0),
        "the first chunk is left out": steps[size:].sum(0),
        "it is the mean over the chunks: add up": truth / len(starts),
    }


TRUNCATED_CHUNKS = Exercise(
    _CHUNKS,
    points=1,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("h: the state is carried on", 2, _case("h")),
        Case("dx and dh0: the gradient is cut", 2, _case("dx", "dh0")),
        Case("dWx, dWh, db: summed over the chunks", 2, _case("dWx", "dWh", "db")),
        Case("all six, chunks of the same length", 1, _case(kind=_EVEN)),
        Case("all six, a chunk for each step (size 1)", 1, _case(kind=((4, 1), (5, 1)))),
        Case("all six, nothing to cut (size T and more)", 1, _whole),
        Case("all six, a batch of one (N = 1)", 1, _case(rows=1)),
        Case("all six, dh exactly 0 from some step on, another for each row", 1, _ragged),
        Case("all six, a loss at few of the states (dh is 0 at the others)", 1, _sparse),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
