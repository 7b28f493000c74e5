"""The check of gradient_norms: a run is drawn, and the gradient of each of its states is measured.

The referees look at the run itself: each state is moved a little, or torch goes back through it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.sequences import cut_off, ragged, sequence_sizes
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import (
    NUMERIC,
    TOLERANCE,
    UNTOUCHED,
    array,
    awkward,
    eighths,
    same,
    unchanged,
)

Random = np.random.RandomState

_STEP = 2.0**-17
_FROM_KINK = 1 / 512
_MANY = 20  # steps
_AT_H_T = "on the way from h_t to h_{t-1} the derivative is that at h_t"


@dataclass(frozen=True)
class _Flow:
    """A run of a vanilla RNN, and the gradient that the loss of each step has.

    fed (N, T, H): what goes into each state beside the state before it, x Wx + b
    """

    fed: np.ndarray
    h0: np.ndarray
    h: np.ndarray
    dh: np.ndarray
    Wh: np.ndarray
    activation: str

    @property
    def given(self) -> tuple:
        return self.dh, self.h, self.Wh, self.activation


def _at_the_end(activation: str) -> Run:
    return _case(activation, lambda rng, dh: cut_before(dh, dh.shape[1] - 1))


def _everywhere(activation: str, rows: int | None = None, steps: int | None = None) -> Run:
    return _case(activation, lambda rng, dh: dh, rows, steps)


def _case(activation: str, losses: Callable, rows: int | None = None, steps: int | None = None):
    def run(subject: Subject, rng: Random) -> None:
        flow = _draw(rng, activation, losses, rows, steps)
        given = flow.given[:3] if activation == "tanh" else flow.given  # tanh is the default
        _require(flow, subject.call(given).value)

    return run


def cut_before(dh: np.ndarray, t: int) -> np.ndarray:
    """Return a copy of dh (N, T, H), 0 at all steps before t."""
    return np.where((np.arange(dh.shape[1]) < t)[:, None], 0.0, dh)


def _small(subject: Subject, rng: Random) -> None:
    for sizes in ({"rows": 1}, {"steps": 1}):
        _everywhere("tanh", **sizes)(subject, rng)


def _ragged(subject: Subject, rng: Random) -> None:
    for activation in ("tanh", "relu"):
        _case(activation, lambda rng, dh: cut_off(dh, ragged(rng, *dh.shape[:2])))(subject, rng)


def _long(subject: Subject, rng: Random) -> None:
    """Large gradients, and losses at about half of the steps of each sequence."""

    def losses(rng: Random, dh: np.ndarray) -> np.ndarray:
        here = rng.rand(*dh.shape[:2]) < 0.5
        here[:, -1] = True
        return 100 * dh * here[..., None]

    _case("tanh", losses, rows=2, steps=_MANY)(subject, rng)


def _orthogonal(subject: Subject, rng: Random) -> None:
    """Wh is c times an orthogonal matrix and nothing bends: each step back multiplies by c."""
    N, T, _, H = sequence_sizes(rng)
    for c in (0.5, 1.0, 2.0):
        turn = np.linalg.qr(rng.standard_normal((H, H)))[0]
        dh = cut_before(eighths(rng, (N, T, H)), T - 1)
        given = (dh, eighths(rng, (N, T, H)), c * turn, "linear")
        norms = array(subject.call(given).value, (N, T), "norms", "(N, T)")
        last = np.linalg.norm(dh[:, -1], axis=-1)
        expected = last[:, None] * c ** np.arange(T)[::-1]
        words = f'norms for activation "linear" and Wh = {c:g} times an orthogonal matrix'
        same(norms, expected, words, partial(_series, norms, last, c))


def _series(norms: np.ndarray, last: np.ndarray, c: float) -> dict[str, np.ndarray]:
    back, last = np.arange(norms.shape[1])[::-1], last[:, None]
    return {
        "it is the square of the length: take the root": (last * c**back) ** 2,
        "the steps come in reversed order": last * c ** back[::-1],
        "nothing arrives from the later steps": last * (back == 0),
        "it is taken one step too late, of what arrives at h_{t-1}": last * c ** (back + 1),
    }


def _left_alone(subject: Subject, rng: Random) -> None:
    flow = _draw(rng, "tanh", lambda rng, dh: dh)
    for given in (flow.given, (*map(awkward, flow.given[:3]), "tanh")):
        outcome = subject.call(given)
        unchanged(outcome, "dh, h, Wh")
        _require(flow, outcome.value)


def _draw(
    rng: Random,
    activation: str,
    losses: Callable[[Random, np.ndarray], np.ndarray],
    rows: int | None = None,
    steps: int | None = None,
) -> _Flow:
    """Draw a run, no sum of it near ReLU's kink; `losses` says which steps have one."""
    N, T, _, H = sequence_sizes(rng, rows=rows, steps=steps)
    while True:
        Wh, h0 = eighths(rng, (H, H)), eighths(rng, (N, H))
        fed = eighths(rng, (N, T, H)) + 1 / 128
        h = np.stack(list(_states(fed, h0, Wh, activation)), axis=1)
        before = np.concatenate([h0[:, None], h[:, :-1]], axis=1)
        if np.abs(fed + before @ Wh).min() > _FROM_KINK and not np.array_equal(Wh, Wh.T):
            return _Flow(fed, h0, h, losses(rng, eighths(rng, h.shape)), Wh, activation)


def _states(
    fed: np.ndarray, state: np.ndarray, Wh: np.ndarray, activation: str
) -> Iterator[np.ndarray]:
    bend = {"tanh": np.tanh, "relu": lambda a: np.clip(a, 0, None), "linear": np.asarray}
    for t in range(fed.shape[1]):
        state = bend[activation](fed[:, t] + state @ Wh)
        yield state


def _array(flow: _Flow, value: Any) -> np.ndarray:
    return array(value, flow.h.shape[:2], "norms", "(N, T): one for each sequence and step")


def _require(flow: _Flow, value: Any) -> None:
    norms = _array(flow, value)
    if np.any(norms < 0):
        raise Wrong("norms has entries below 0: a length is never negative")
    _require_nothing_after(flow.dh, norms)
    if torch_or_none() is not None:
        whole = _by_torch(flow)
        same(norms, _length(whole), "norms", partial(_lookalikes, flow, whole), TOLERANCE)
    same(norms, _length(_by_moving(flow)), "norms", tolerance=NUMERIC)


def _require_nothing_after(dh: np.ndarray, norms: np.ndarray) -> None:
    losses_left = np.cumsum(np.any(dh, axis=-1)[:, ::-1], axis=1)[:, ::-1]
    bad = np.count_nonzero(norms[losses_left == 0])
    if bad:
        raise Wrong(
            f"norms is not exactly 0 at {bad} of {np.count_nonzero(losses_left == 0)} steps after "
            "the last loss of their sequence: nothing flows back to them"
        )


def _length(whole: np.ndarray) -> np.ndarray:
    return np.linalg.norm(whole, axis=-1)


def _by_moving(flow: _Flow) -> np.ndarray:
    """The gradient of each state by central differences: it is moved, the later ones follow."""
    whole = np.zeros(flow.h.shape)
    for t in range(flow.h.shape[1]):
        later = flow.fed[:, t + 1 :]
        for j in range(len(flow.Wh)):
            up, down = (_loss(flow, later, t, j, sign * _STEP) for sign in (1, -1))
            whole[:, t, j] = (up - down) / (2 * _STEP)
    return whole


def _loss(flow: _Flow, later: np.ndarray, t: int, j: int, by: float) -> np.ndarray:
    """What each sequence's losses add up to from step t on, entry j of h_t moved `by` so much."""
    moved = flow.h[:, t].copy()
    moved[:, j] += by
    states = np.stack([moved, *_states(later, moved, flow.Wh, flow.activation)], axis=1)
    return np.sum(flow.dh[:, t:] * states, axis=(1, 2))


def _by_torch(flow: _Flow) -> np.ndarray:
    """The gradient of each state by autograd."""
    import torch

    fed, state, Wh, dh = map(_tensor, (flow.fed, flow.h0, flow.Wh, flow.dh))
    bend, states = _bend(flow.activation), []
    for t in range(fed.shape[1]):
        state = bend(fed[:, t] + state @ Wh).requires_grad_()
        states.append(state)
    loss = (dh * torch.stack(states, dim=1)).sum()
    return torch.stack(torch.autograd.grad(loss, states), dim=1).numpy()


def _lookalikes(flow: _Flow, whole: np.ndarray) -> dict[str, np.ndarray]:
    """What likely mistakes make of the norms, each under the words that name it."""
    slopes, (H, _) = _slopes(flow), flow.Wh.shape
    other = flow.h > 0 if flow.activation == "tanh" else 1 - flow.h**2
    others = "relu" if flow.activation == "tanh" else "tanh"
    last = cut_before(flow.dh, flow.h.shape[1] - 1)
    found = {
        "nothing arrives from the later steps": flow.dh,
        "only what arrives from the later steps counts: the loss of the step itself is missing": (
            whole - flow.dh
        ),
        "only the loss of the last step counts: there is one at every step": (
            _along(flow, slopes, dh=last)
        ),
        "Wh must be transposed on the way back": _along(flow, slopes, Wh=flow.Wh.T),
        "Wh is missing": _along(flow, slopes, Wh=np.eye(H)),
        _without_slope(flow.activation): _along(flow, np.ones_like(slopes)),
        "it is the gradient of what goes into the activation, not of h_t": whole * slopes,
        "it is taken one step too late, of what arrives at h_{t-1}": (
            np.einsum("nth,kh->ntk", whole * slopes, flow.Wh)
        ),
        f"{_AT_H_T}, not at h_{{t-1}}": _along(flow, np.roll(slopes, 1, axis=1)),
        f"{_AT_H_T}, not at h_{{t+1}}": _along(flow, np.roll(slopes, -1, axis=1)),
        f"{_AT_H_T}, and comes before Wh": _along(flow, slopes, early=True),
        "the derivative comes before Wh": (_along(flow, np.roll(slopes, -1, axis=1), early=True)),
        f"the derivative is {others}'s, though the activation is {flow.activation}": (
            _along(flow, other)
        ),
        "the derivative of tanh takes h itself, the output of tanh": (
            _along(flow, _slope("tanh", flow.h))
        ),
        "the square in the derivative of tanh is missing": _along(flow, 1 - flow.h),
    }
    truth = _length(whole)
    return {words: _length(each) for words, each in found.items()} | {
        "it is the square of the length: take the root": truth**2,
        "the steps come in reversed order": truth[:, ::-1],
        "it is the largest entry, not the length": np.abs(whole).max(axis=-1),
        "it is the sum of the absolute values, not the length": np.abs(whole).sum(axis=-1),
        "it is divided by the root of H: a length is no mean": truth / np.sqrt(H),
        "it is the length over the whole batch: each sequence has its own": (
            np.sqrt(np.sum(truth**2, axis=0)) + 0 * truth
        ),
        "it is a mean over the batch: each sequence has its own": truth.mean(axis=0) + 0 * truth,
    }


def _without_slope(activation: str) -> str:
    words = "the derivative of the activation is missing"
    if activation != "relu":
        return words
    return f"{words}, or not 0 where h is 0 (is it h >= 0? That is true of every state of a ReLU)"


def _slopes(flow: _Flow) -> np.ndarray:
    """The derivative of the activation at every state of the run."""
    before = np.concatenate([flow.h0[:, None], flow.h[:, :-1]], axis=1)
    return _slope(flow.activation, flow.fed + before @ flow.Wh)


def _slope(activation: str, at: np.ndarray) -> np.ndarray:
    import torch

    a = _tensor(at).requires_grad_()
    return torch.autograd.grad(_bend(activation)(a).sum(), a)[0].numpy()


def _bend(activation: str) -> Callable[[Any], Any]:
    import torch

    return {"tanh": torch.tanh, "relu": torch.relu, "linear": torch.clone}[activation]


def _along(
    flow: _Flow,
    slopes: np.ndarray,
    *,
    Wh: np.ndarray | None = None,
    dh: np.ndarray | None = None,
    early: bool = False,
) -> np.ndarray:
    """The gradient of each state in a linear run that has these factors (N, T, H) on its way.

    early: a state meets its factor on the way out, before Wh, not on the way in.
    """
    import torch

    Wh = _tensor(flow.Wh if Wh is None else Wh)
    dh = _tensor(flow.dh if dh is None else dh)
    slope, moved = _tensor(slopes), torch.zeros_like(dh).requires_grad_()
    state, loss = torch.zeros_like(dh[:, 0]), 0.0
    for t in range(dh.shape[1]):
        state = (state * slope[:, t - 1]) @ Wh if early else (state @ Wh) * slope[:, t]
        state = state + moved[:, t]
        loss = loss + (dh[:, t] * state).sum()
    return torch.autograd.grad(loss, moved)[0].numpy()


def _tensor(value: np.ndarray) -> Any:
    import torch

    return torch.tensor(np.array(value))


GRADIENT_NORMS = Exercise(
    "gradient_norms",
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("a loss at the last step only, tanh", 2, _at_the_end("tanh")),
        Case("a loss at every step, tanh", 3, _everywhere("tanh")),
        Case('a loss at every step, activation="relu"', 2, _everywhere("relu")),
        Case('a loss at every step, activation="linear"', 1, _everywhere("linear")),
        Case("Wh = c times an orthogonal matrix: times c at every step back", 1, _orthogonal),
        Case("sequences of different lengths: exactly 0 after the last loss", 2, _ragged),
        Case("twenty steps, large gradients, and some steps without a loss", 1, _long),
        Case("one sequence (N = 1), one step (T = 1)", 1, _small),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
