"""The checks of caption_rnn_forward and caption_rnn_backward."""

from functools import partial
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
    step,
)
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn.rnn_forward import require_h
from cs_caption.checks.n03_lstm_gates.lasting import LASTING, lasting
from cs_caption.checks.n04_captioning import by_torch
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import (
    RAGGED,
    REORDERED,
    SPARSE,
    ragged_back,
    reorder,
    reordered_back,
    require_rows_follow,
    sequence_sizes,
    sparse_back,
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
    same,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "caption_rnn_forward"

_ARGUMENTS = "x, v, Wx, Wh, Wih, b"
_AT_STEP_0 = "every_step=False"
_LEAVES = "h leaves [-1, 1]: is the tanh missing, or not taken of the whole sum?"
_TIMES = 2.0**20  # a power of two, so that nothing is rounded
_CLIPPED = (
    "right where dh is as large as elsewhere, but not where it is a million times as {}, though "
    "all six gradients are proportional to dh: {}? Here nothing is"
)
_INVERTED = 1e-6  # of sums that are read back through the tanh


# --------------------------------------------------------------------------------- forward


def _forward(every_step: bool = True, gaps: bool = False, **sizes: int) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        inputs = draw_inputs(rng, **sizes)
        if gaps:
            inputs = (with_gaps(rng, inputs[0]), *inputs[1:])
        extra = () if every_step else (False,)  # True is the default
        outcome = subject.call((*inputs, *extra), keep=(1,))
        _require(inputs, _h(outcome, inputs), every_step)

    return run


def _small(**sizes: int) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for every_step in (True, False):
            _forward(every_step, **sizes)(subject, rng)

    return run


def _terms(subject: Subject, rng: Random) -> None:
    """Read each term off alone: a one-hot x picks a row of Wx, a one-hot v a row of Wih."""
    _, _, Wx, Wh, Wih, b = draw_inputs(rng)
    (D, H), C = Wx.shape, len(Wih)
    no_v, no_b = np.zeros((1, C)), np.zeros(H)

    def sums(x: np.ndarray, v: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs = (x, v, Wx, Wh, Wih, b)
        h = _h(subject.call(inputs, keep=(1,)), inputs)
        if np.any(np.abs(h) >= 1):
            raise Wrong(_LEAVES)
        return np.arctanh(h), h

    bias = sums(np.zeros((1, 1, D)), no_v, b)[0][0, 0]
    from_x = sums(np.eye(D)[:, None], np.repeat(no_v, D, 0), no_b)[0][:, 0]
    from_v = sums(np.zeros((C, 1, D)), np.eye(C), no_b)[0][:, 0]
    if not (bias.any() or from_x.any() or from_v.any()):
        raise Wrong("with a single step (T = 1) h is 0: is that step left out?")
    others = {
        "b is not added": 0 * b,
        "b is subtracted": -b,
        "it is max(0, .) where tanh belongs": np.arctanh(np.clip(b, 0, None)),
    }
    _term(bias, b, "b", others)
    _term(from_x, Wx, "x Wx", {"x is ignored": 0 * Wx})
    others = {
        "v is ignored": 0 * Wih,
        "all captions get the first row of v: each has its own": Wih[[0] * C],
        "it goes through Wh, as if it were the state before step 0": Wih @ Wh,
        "tanh(v Wih) goes through Wh, as if it were the state before step 0": np.tanh(Wih) @ Wh,
        "it goes through Wh too, as if it were the state before step 0 as well": Wih + Wih @ Wh,
        "it is added after the tanh": np.arctanh(Wih),
    }
    _term(from_v, Wih, "v Wih", others)
    x = np.concatenate([eighths(rng, (D, 1, D)), np.zeros((D, 1, D))], axis=1)
    both, h = sums(x, np.repeat(no_v, D, 0), no_b)
    before = h[:, 0]
    others = {
        "it is ignored": 0 * before,
        "it multiplies by Wh transposed": before @ Wh.T,
        "the state is added as it is, without Wh": before,
        "the sum of step 0 is handed on, before the tanh": np.arctanh(before) @ Wh,
        "step 1 reads x of step 0 once more": before @ Wh + x[:, 0] @ Wx,
    }
    _term(both[:, 1], before @ Wh, "h_(t-1) Wh at step 1", others)


def _term(found: np.ndarray, expected: np.ndarray, name: str, others: dict) -> None:
    words = f"alone, the term {name}"
    same(found, expected, words, lambda: others | {"it is added twice": 2 * expected})


def _saturated(subject: Subject, rng: Random) -> None:
    x, v, Wx, Wh, Wih, b = draw_inputs(rng)
    sign = np.where(np.arange(len(b)) % 2, 1.0, -1.0)
    inputs = (x, v, Wx, Wh, Wih, 1000 * sign)
    h = _h(subject.call(inputs, keep=(1,)), inputs, ": large sums must not overflow; use np.tanh")
    same(h, np.broadcast_to(sign, h.shape), "h where the sums are near 1000 and -1000,")


def _scaled(subject: Subject, rng: Random) -> None:
    """Large inputs and small weights, and the other way round: the sums are what they were."""
    x, v, Wx, Wh, Wih, b = inputs = draw_inputs(rng)
    h = _h(subject.call(inputs, keep=(1,)), inputs)
    _require(inputs, h, True)
    for words, times in (("large", 64), ("small", 1 / 1024)):
        for name, moved in {
            "v": (x, v * times, Wx, Wh, Wih / times, b),
            "x": (x * times, v, Wx / times, Wh, Wih, b),
        }.items():
            if not close(_h(subject.call(moved, keep=(1,)), inputs), h):
                raise Wrong(
                    f"h is wrong where {name} is {words}, though W{'ih' if name == 'v' else 'x'} "
                    "makes up for it, so that the sums are what they were: is something clipped? "
                    "Here nothing is"
                )


def _reordered(subject: Subject, rng: Random) -> None:
    x, v, *weights = inputs = draw_inputs(rng)
    order = reorder(rng, len(x))
    for every_step in (True, False):
        both = [(x, v, *weights, every_step), (x[order], v[order], *weights, every_step)]
        plain, moved = (_h(outcome, inputs) for outcome in subject.calls(both, keep=(1,)))
        _require(inputs, plain, every_step)
        require_rows_follow({"h": plain}, {"h": moved}, order, {"h": 0})


def _lasting(subject: Subject, rng: Random) -> None:
    x, v, *weights = inputs = draw_inputs(rng)
    (h,) = lasting(subject, inputs, (-x, -v, *weights), "h, cache")
    _require(inputs, _require_h(h, inputs), True)


def _left_alone(subject: Subject, rng: Random) -> None:
    inputs = draw_inputs(rng)
    for given in (inputs, tuple(map(awkward, inputs))):
        for every_step in (True, False):
            outcome = subject.call((*given, every_step), keep=(1,))
            unchanged(outcome, _ARGUMENTS)
            _require(inputs, _h(outcome, inputs), every_step)


def draw_inputs(
    rng: Random, *, rows: int | None = None, steps: int | None = None
) -> tuple[np.ndarray, ...]:
    """Draw x, v, Wx, Wh, Wih, b: no two of N, T, D, C, H are alike, but where 1 is asked for."""
    N, T, D, H = sequence_sizes(rng, rows=rows, steps=steps)
    C = int(rng.choice([n for n in range(2, 9) if n not in (N, T, D, H)]))
    x, v, Wx, Wih, b = (eighths(rng, s) for s in ((N, T, D), (N, C), (D, H), (C, H), (H,)))
    Wh = eighths(rng, (H, H))
    while np.array_equal(Wh, Wh.T):
        Wh = eighths(rng, (H, H))
    return x, v, Wx, Wh, Wih, b


def _h(outcome: Outcome, inputs: tuple, hint: str = "") -> np.ndarray:
    h, cache = entries(outcome.value, "h, cache")
    opaque(cache)
    return _require_h(h, inputs, hint)


def _require_h(h: Any, inputs: tuple, hint: str = "") -> np.ndarray:
    (N, T, _), H = inputs[0].shape, len(inputs[3])
    if type(h) is np.ndarray and h.shape == (N, T + 1, H):
        raise Wrong(
            f"h has shape {h.shape}, expected {(N, T, H)} = (N, T, H): a state for each word; "
            "neither the one before the first nor a step of the picture's own is among them"
        )
    if type(h) is np.ndarray and h.dtype == np.float64 and not np.all(np.isfinite(h)):
        raise Wrong(f"h is {describe(h)} with entries that are NaN or infinite{hint}")
    return require_h(h, N, T, H)


def _require(inputs: tuple, h: np.ndarray, every_step: bool) -> None:
    """Fail where h are not the states, with words on what they are instead."""
    if torch_or_none() is None:
        _require_each_step(inputs, h, every_step)
        return
    truth = by_torch.states(inputs, every_step)
    if close(h, truth):
        return
    if fits := fitting(h, by_torch.state_lookalikes(inputs, h=truth, every_step=every_step)):
        raise Wrong(f"h is wrong: {fits[0]}")
    _require_each_step(inputs, h, every_step)
    raise Wrong(f"h is wrong{differing(h, truth)}")


def _require_each_step(inputs: tuple, h: np.ndarray, every_step: bool) -> None:
    """Judge by the equation alone: read back through the tanh, each state is its three terms."""
    x, _, Wx, Wh, Wih, b = inputs
    if np.any(np.abs(h) > 1):
        raise Wrong(_LEAVES)
    before = np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], axis=1)
    pictures = by_torch.seen(inputs, every_step) @ Wih
    total, found = x @ Wx + before @ Wh + pictures + b, np.arctanh(h)
    for t in range(x.shape[1]):
        if not close(found[:, t], total[:, t], _INVERTED):
            state = "h_(-1) = 0" if t == 0 else f"h[:, {t - 1}]"
            made = f"x[:, {t}], {state} and {'v' if every_step or t == 0 else 'no picture'}"
            off, handed_on = found[:, t] - total[:, t], None
            if t > 0:
                handed_on = (found[:, t - 1] - h[:, t - 1]) @ Wh
            instead = _instead(off, pictures[:, t], handed_on, inputs)
            raise Wrong(f"h[:, {t}] is not what step {t} makes of {made}{instead}")


def _instead(
    off: np.ndarray, picture: np.ndarray, handed_on: np.ndarray | None, inputs: tuple
) -> str:
    """Say which term of a step is missing, or is there twice."""
    v, Wih, b = inputs[1], inputs[4], inputs[5]
    others = {
        "v Wih is not let in": -picture if picture.any() else None,
        "v Wih is let in here too": None if picture.any() else v @ Wih,
        "v Wih is let in twice": v @ Wih,
        "b is not added": -np.broadcast_to(b, off.shape),
        by_torch.SUMS_HANDED_ON: handed_on,
    }
    named = {words: other for words, other in others.items() if other is not None}
    fits = fitting(off, named, _INVERTED)
    return f": {fits[0]}" if fits else ""


CAPTION_RNN_FORWARD = Exercise(
    FORWARD,
    points=3,
    referee=referee,
    cases=(
        Case("each term alone: b, x Wx, v Wih, and from step 1 on h_(t-1) Wh", 2, _terms),
        Case("a batch of captions, the picture at every step", 3, _forward()),
        Case(f"a batch of captions, {_AT_STEP_0}", 3, _forward(every_step=False)),
        Case("a single step (T = 1)", 1, _small(steps=1)),
        Case("a batch of one (N = 1)", 1, _small(rows=1)),
        Case("many steps (T = 24)", 1, _small(rows=2, steps=24)),
        Case("steps without a word (x is 0): they change the state too", 1, _small(gaps=True)),
        Case("sums near 1000 and -1000", 1, _saturated),
        Case("large and small inputs, with weights that make up for it", 1, _scaled),
        Case(REORDERED, 1, _reordered),
        Case(LASTING, 1, _lasting),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)


# --------------------------------------------------------------------------------- backward


def _drawn(every_step: bool = True, **sizes: int) -> Draw:
    return lambda rng: (*draw_inputs(rng, **sizes), every_step)


def _require_out(subject: Subject, args: tuple, out: Any) -> np.ndarray:
    *inputs, every_step = args
    h = _require_h(out, tuple(inputs))
    _require(tuple(inputs), h, every_step)
    return h


def _gradients(args: tuple, dh: np.ndarray) -> list[np.ndarray]:
    return by_torch.gradients(args[:-1], dh, args[-1])


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    *inputs, every_step = taken.args
    return by_torch.gradient_lookalikes(i, tuple(inputs), taken.dout, taken.out, every_step)


_LAYER = Layer(
    FORWARD,
    inputs=_ARGUMENTS,
    axes=("(N, T, D)", "(N, C)", "(D, H)", "(H, H)", "(C, H)", "(H,)"),
    require_out=_require_out,
    gradients=_gradients,
    lookalikes=_lookalikes,
    counts=lambda args: {"N": args[0].shape[0], "T": args[0].shape[1]},
    out="h",
)


def _both(of: partial, title: str, weight: float) -> tuple[Case, Case]:
    """Two cases, with the picture at every step and at step 0 alone."""
    return (
        Case(f"all six, {title}", weight, of(draw=_drawn())),
        Case(f"all six, {_AT_STEP_0}, {title}", weight, of(draw=_drawn(every_step=False))),
    )


def _proportional(subject: Subject, rng: Random) -> None:
    """A dh of a million times, and of a millionth."""
    taken = step(subject, rng, _LAYER, _drawn()(rng))
    plain = subject.call((taken.dout, taken.cache)).value
    require_gradients(subject, _LAYER, taken, plain)
    names = _LAYER.names.split(", ")
    for words, guess, times in (
        ("large", "is something clipped", _TIMES),
        ("small", "are small entries made 0", 1 / _TIMES),
    ):
        found = subject.call((times * taken.dout, taken.cache)).value
        for name, one, other in zip(names, plain, entries(found, _LAYER.names), strict=True):
            if close(array(other, one.shape, name) / times, one):
                continue
            again = entries(subject.call((taken.dout, taken.cache)).value, _LAYER.names)
            if not np.array_equal(again[names.index(name)], one):
                raise Wrong(
                    f"{name} is right the first time, but not when called again with this cache: "
                    "does the first call change something in it?"
                )
            raise Wrong(f"{name} is {_CLIPPED.format(words, guess)}")


CAPTION_RNN_BACKWARD = Exercise(
    "caption_rnn_backward",
    points=4,
    referee=referee,
    needs=(FORWARD,),
    cases=(
        *(Case(name, 2, backward(_LAYER, _drawn(), name)) for name in _LAYER.names.split(", ")),
        Case(f"dv and dWih, {_AT_STEP_0}", 2, backward(_LAYER, _drawn(False), "dv, dWih")),
        Case(
            f"dx, dWx, dWh and db, {_AT_STEP_0}",
            1,
            backward(_LAYER, _drawn(False), "dx, dWx, dWh, db"),
        ),
        Case("all six, a single step (T = 1)", 1, backward(_LAYER, _drawn(steps=1))),
        Case("all six, a batch of one (N = 1)", 1, backward(_LAYER, _drawn(rows=1))),
        Case("all six, many steps (T = 24)", 1, backward(_LAYER, _drawn(rows=2, steps=24))),
        Case(f"all six, {TWICE}", 1, called_twice(_LAYER, _drawn())),
        Case(
            f"all six, {IN_FLIGHT}, the second with {_AT_STEP_0}",
            1,
            in_flight(_LAYER, _drawn(), _drawn(every_step=False)),
        ),
        Case("all six, with a very large and a very small dh", 1, _proportional),
        Case(f"all six, {RAGGED}", 1, ragged_back(_LAYER, _drawn())),
        *_both(partial(sparse_back, _LAYER), SPARSE, 1),
        Case(f"all six, {REORDERED}", 1, reordered_back(_LAYER, _drawn(), rows=2)),
    ),
)
