"""The check of rnn_backward: the student's own rnn_forward goes first, and must be right."""

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
from cs_caption.checks.n02_hello_rnn import sequence_by_torch as by_torch
from cs_caption.checks.n02_hello_rnn.by_torch import step_lookalikes
from cs_caption.checks.n02_hello_rnn.rnn_forward import (
    RUN,
    draw_long,
    draw_run,
    one_step,
    require_h,
    require_states,
)
from cs_caption.checks.referee import referee
from cs_caption.checks.sequences import (
    RAGGED,
    REORDERED,
    SPARSE,
    ragged_back,
    reordered_back,
    sparse_back,
)
from cs_caption.checks.subject import Subject, Wrong

Random = np.random.RandomState

_STEP = 'already a single step is wrong (what does check("rnn_step_backward", ...) say?): '
_NAMES = ("dx", "dh0", "dWx", "dWh", "db")


def _run(activation: str = "tanh", **sizes: int) -> Draw:
    return lambda rng: (*draw_run(rng, activation, **sizes), activation)


def _long(rng: Random) -> tuple:
    return (*draw_long(rng), "tanh")


def _require_out(subject: Subject, args: tuple, out: Any) -> np.ndarray:
    *inputs, activation = args
    h = require_h(out, *inputs[0].shape[:2], inputs[1].shape[-1])
    require_states(one_step(subject), tuple(inputs), h, activation)
    return h


def _gradients(args: tuple, dh: np.ndarray) -> list[np.ndarray]:
    return by_torch.gradients(args[:-1], dh, args[-1]).whole


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    *inputs, activation = taken.args
    dh, h = taken.dout, taken.out
    found = by_torch.gradient_lookalikes(i, tuple(inputs), dh, h, activation)
    if dh.shape[1] > 1:
        return found
    x, *others = inputs
    one = step_lookalikes(i, (x[:, 0], *others), dh[:, 0], h[:, 0], activation)
    return found | {
        f"{_STEP}{words}": grad[:, None] if i == 0 else grad for words, grad in one.items()
    }


_SEQUENCES = Layer(
    RUN,
    inputs="x, h0, Wx, Wh, b",
    axes=("(N, T, D)", "(N, H)", "(D, H)", "(H, H)", "(H,)"),
    require_out=_require_out,
    gradients=_gradients,
    lookalikes=_lookalikes,
    counts=lambda args: {"N": args[0].shape[0], "T": args[0].shape[1]},
    out="h",
)


def _hinted(run: Run, activation: str = "tanh") -> Run:
    """Return the case; where a gradient is wrong, its words blame the step if that is wrong."""

    def hinted(subject: Subject, rng: Random) -> None:
        try:
            run(subject, rng)
        except Wrong as wrong:
            words = str(wrong)
            blames = " is wrong" in words and not words.startswith(f"first mend {RUN}")
            raise Wrong(
                (_of_one_step(subject, words, activation) if blames else "") or words
            ) from None

    return hinted


def _of_one_step(subject: Subject, words: str, activation: str) -> str:
    """Return what is wrong with a single step, if that can be told from a wrong loop; else ''."""
    try:
        backward(_SEQUENCES, _run(activation, steps=1))(subject, np.random.RandomState(0))
    except Wrong as wrong:
        if _STEP in str(wrong):
            return f"with T = 1 {wrong}"
        if _is_unnamed(words) and _is_unnamed(str(wrong)):
            return f"{_STEP}with T = 1 {wrong}"
    return ""


def _is_unnamed(words: str) -> bool:
    return " is wrong in " in words or " is wrong (" in words


def _case(title: str, weight: float, run: Run, activation: str = "tanh") -> Case:
    return Case(title, weight, _hinted(run, activation))


RNN_BACKWARD = Exercise(
    "rnn_backward",
    points=2,
    referee=referee,
    needs=(RUN,),
    banned=("torch",),
    cases=(
        *(_case(name, 2, backward(_SEQUENCES, _run(), name)) for name in _NAMES),
        _case("all five, a single step (T = 1)", 1, backward(_SEQUENCES, _run(steps=1))),
        _case("all five, many steps (T above 19)", 1, backward(_SEQUENCES, _long)),
        _case("all five, a batch of one (N = 1)", 1, backward(_SEQUENCES, _run(rows=1))),
        _case('all five, activation="relu"', 1, backward(_SEQUENCES, _run("relu")), "relu"),
        _case(f"all five, {RAGGED}", 2, ragged_back(_SEQUENCES, _run())),
        _case(f"all five, {SPARSE}", 3, sparse_back(_SEQUENCES, _run())),
        _case(f"all five, {REORDERED}", 1, reordered_back(_SEQUENCES, _run(), rows=2)),
        _case(f"all five, {TWICE}", 1, called_twice(_SEQUENCES, _run())),
        _case(f"all five, {IN_FLIGHT}", 1, in_flight(_SEQUENCES, _run())),
    ),
)
