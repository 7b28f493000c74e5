"""The check of rnn_forward, and what it shares with others that run a vanilla RNN."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn import sequence_by_torch as by_torch
from cs_caption.checks.n02_hello_rnn.step_forward import next_h_of, require_step
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import (
    CHUNKED,
    REORDERED,
    in_chunks,
    reorder,
    require_no_seam,
    require_rows_follow,
    sequence_sizes,
    with_gaps,
)
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    close,
    describe,
    differing,
    eighths,
    entries,
    fitting,
    opaque,
    unchanged,
)
from cs_caption.checks.wire import Handle

Random = np.random.RandomState

RUN = "rnn_forward"

_FIRST = "already the first step is wrong (what does rnn_step_forward give?): "
_STACK = "stack the states along axis 1"
_ORDER = "the order of the results is h, cache"
_LEFT_OUT = "the first step is left out: step 0 makes h[:, 0] of x[:, 0] and h0"


@dataclass(frozen=True)
class OneStep:
    """Stands in for a Subject: a function over sequences, called as if it were rnn_step_forward.

    given: the arguments of rnn_step_forward -> those of the function, with T = 1
    state: what the function returns, and N and H -> the state (N, H), or Wrong
    leave: positions of its results that are not needed
    words: what to say first where that step is wrong
    """

    subject: Subject
    function: str
    given: Callable[..., tuple]
    state: Callable[[Any, int, int], np.ndarray]
    leave: Sequence[int]
    words: str = _FIRST

    def calls(self, many: Sequence[Sequence], **_: Any) -> list[Outcome]:
        """Call the function once for each step's arguments; its state comes back, and no cache."""
        calls = [self.given(*args) for args in many]
        outcomes = self.subject.calls(calls, leave=self.leave, function=self.function)
        return [
            replace(outcome, value=(self.state(outcome.value, *args[1].shape), Handle(0)))
            for outcome, args in zip(outcomes, many, strict=True)
        ]


def require_states(
    one: OneStep,
    inputs: tuple,
    h: np.ndarray,
    activation: str = "tanh",
    lookalikes: Callable[[np.ndarray], Mapping[str, np.ndarray]] = lambda truth: {},
    name: str = "h",
) -> None:
    """Fail where h (N, T, H) are not the states of an RNN with these x, h0, Wx, Wh, b.

    lookalikes: what mistakes of the function's own make of the right states
    """
    if torch_or_none() is None:
        _require_each_step(one, inputs, h, activation, name)
        return
    truth = by_torch.states(inputs, activation)
    if close(h, truth):
        return
    others = lookalikes(truth) | by_torch.state_lookalikes(inputs, truth, activation)
    if fits := fitting(h, others):
        raise Wrong(f"{name} is wrong: {fits[0]}")
    _require_first_step(one, inputs, activation)
    raise Wrong(f"{name} is wrong{differing(h, truth)}")


def _require_first_step(one: OneStep, inputs: tuple, activation: str) -> np.ndarray:
    x, h0, *weights = inputs
    first = (x[:, 0], h0, *weights)
    try:
        (outcome,) = one.calls([(*first, activation)])
        next_h = next_h_of(outcome, first)
        _require_own_step(one, first, activation, next_h)
    except Wrong as wrong:
        raise Wrong(f"{one.words}{wrong}") from None
    return next_h


def _require_own_step(one: OneStep, first: tuple, activation: str, next_h: np.ndarray) -> None:
    try:
        require_step(one, first, activation, next_h)
    except Wrong:
        if not next_h.any() or np.array_equal(next_h, first[1]):
            raise Wrong(_LEFT_OUT) from None
        raise


def _require_each_step(
    one: OneStep, inputs: tuple, h: np.ndarray, activation: str, name: str
) -> None:
    """Judge without torch: a single step is right, and each state comes of the one before it."""
    x, _, *weights = inputs
    first = _require_first_step(one, inputs, activation)
    if not close(h[:, 0], first):
        raise Wrong(f"{name}[:, 0] is not what one step makes of x[:, 0] and h0")
    T = x.shape[1]
    steps = [(x[:, t], h[:, t - 1], *weights, activation) for t in range(1, T)]
    for t, outcome in enumerate(one.calls(steps), start=1):
        if not close(h[:, t], outcome.value[0]):
            raise Wrong(
                f"{name}[:, {t}] is not what one step makes of x[:, {t}] and {name}[:, {t - 1}]"
            )


def require_h(value: Any, N: int, T: int, H: int) -> np.ndarray:
    """Return the states if they are an array (N, T, H)."""
    if type(value) is not np.ndarray:
        listed = type(value) is list and all(type(each) is np.ndarray for each in value)
        remedy = "np.stack(states, axis=1) makes it of a list of T states" if listed else _ORDER
        raise Wrong(f"h is {describe(value)}: expected an array (N, T, H); {remedy}")
    if value.shape != (N, T, H):
        wrong = f"h has shape {value.shape}, expected {(N, T, H)} = (N, T, H): "
        if value.shape == (N, H):
            raise Wrong(f"{wrong}the state after each of the T steps is wanted, not of one alone")
        if value.shape == (N, T + 1, H):
            raise Wrong(f"{wrong}h0 is not among them")
        if value.shape == (N, T - 1, H):
            raise Wrong(f"{wrong}a step is left out (the first, or the last?)")
        if value.shape in ((T, N, H), (N, H, T)):
            raise Wrong(f"{wrong}{_STACK}")
        if value.shape in ((T * N, H), (N, T * H)):
            raise Wrong(f"{wrong}{_STACK} (they are joined)")
    return array(value, (N, T, H), "h", "(N, T, H)")


def draw_run(
    rng: Random, activation: str = "tanh", *, rows: int | None = None, steps: int | None = None
) -> tuple[np.ndarray, ...]:
    """Draw x (N, T, D), h0, Wx, Wh, b.

    With ReLU the steps are few, for states that grow, and no sum of any step is nearer than 1/128
    to the kink: Wh is even, so x Wx + h Wh is a multiple of 2/128, and b an odd one of 1/128.
    """
    N, T, D, H = sequence_sizes(rng, rows=rows, steps=steps)
    if activation == "relu":
        T, N, D, H = sorted((N, T, D, H))
    shapes = ((N, T, D), (N, H), (D, H), (H,))
    x, h0, Wx, b = (eighths(rng, shape) for shape in shapes)
    Wh = np.eye(H)
    while np.array_equal(Wh, Wh.T):
        Wh = _even(rng, H) if activation == "relu" else eighths(rng, (H, H))
    return x, h0, Wx, Wh, b + 1 / 128


def draw_gaps(rng: Random, activation: str = "tanh") -> tuple[np.ndarray, ...]:
    """Draw as `draw_run`; at some steps of some sequences, and at one of all, x is 0."""
    x, *others = draw_run(rng, activation)
    return with_gaps(rng, x), *others


def draw_long(rng: Random, activation: str = "tanh") -> tuple[np.ndarray, ...]:
    """Draw as `draw_run`, two sequences of 20 to 25 steps."""
    return draw_run(rng, activation, rows=2, steps=int(rng.randint(20, 26)))


def _even(rng: Random, H: int) -> np.ndarray:
    """Draw 2, -2 and more zeros, no column without one of the first two."""
    Wh = rng.choice([-2.0, 0.0, 0.0, 0.0, 2.0], (H, H))
    Wh[rng.randint(0, H, H), np.arange(H)] = rng.choice([-2.0, 2.0], H)
    return Wh


def _forward(activation: str = "tanh", draw: Callable[..., tuple] = draw_run, **sizes: int) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        inputs = draw(rng, activation, **sizes)
        extra = () if activation == "tanh" else (activation,)  # tanh is the default
        outcome = subject.call((*inputs, *extra), keep=(1,))
        _require(subject, inputs, outcome, activation)

    return run


def _left_alone(subject: Subject, rng: Random) -> None:
    inputs = draw_run(rng)
    for given in (inputs, tuple(map(awkward, inputs))):
        outcome = subject.call(given, keep=(1,))
        unchanged(outcome, "x, h0, Wx, Wh, b")
        _require(subject, inputs, outcome)


def _reordered(subject: Subject, rng: Random) -> None:
    x, h0, *weights = draw_run(rng)
    order = reorder(rng, len(x))
    both = [(x, h0, *weights), (x[order], h0[order], *weights)]
    plain, moved = (_h(o, x, h0) for o in subject.calls(both, keep=(1,)))
    require_states(one_step(subject), both[0], plain)
    require_rows_follow({"h": plain}, {"h": moved}, order, {"h": 0})


def _chunked(subject: Subject, rng: Random) -> None:
    x, h0, *weights = inputs = draw_run(rng)
    T = x.shape[1]
    cuts = sorted({1, int(rng.randint(1, T)), T - 1})

    def run(chunk: np.ndarray, start: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        h = _h(subject.call((chunk, start, *weights), keep=(1,)), chunk, h0)
        return {"h": h}, h[:, -1]

    whole = run(x, h0)[0]
    require_states(one_step(subject), inputs, whole["h"])
    require_no_seam(in_chunks(run, x, h0, cuts), whole)


def one_step(subject: Subject) -> OneStep:
    """Return rnn_forward as if it were the step."""
    return OneStep(
        subject,
        RUN,
        lambda x, h, *others: (x[:, None], h, *others),
        lambda value, N, H: require_h(entries(value, "h, cache")[0], N, 1, H)[:, 0],
        leave=(1,),
    )


def _require(subject: Subject, inputs: tuple, outcome: Outcome, activation: str = "tanh") -> None:
    h = _h(outcome, inputs[0], inputs[1])
    require_states(one_step(subject), inputs, h, activation)


def _h(outcome: Outcome, x: np.ndarray, h0: np.ndarray) -> np.ndarray:
    h, cache = entries(outcome.value, "h, cache")
    opaque(cache)
    return require_h(h, *x.shape[:2], h0.shape[-1])


RNN_FORWARD = Exercise(
    RUN,
    points=1,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("a batch of sequences, tanh", 3, _forward()),
        Case("a single step (T = 1)", 1, _forward(steps=1)),
        Case("a batch of one (N = 1)", 1, _forward(rows=1)),
        Case("many steps (T above 19)", 1, _forward(draw=draw_long)),
        Case(
            "steps without an input (x is 0): they change the state too",
            1,
            _forward(draw=draw_gaps),
        ),
        Case('activation="relu"', 1, _forward("relu")),
        Case(CHUNKED, 1, _chunked),
        Case(REORDERED, 1, _reordered),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
