"""What torch says of whole sequences, in float64: states, gradients, those of likely mistakes."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

Found = dict[str, np.ndarray]

_OVERWRITTEN = "what rnn_forward has put into the cache may have been written over by later steps"
_OTHER = {  # the other activation, and the words for it
    "tanh": ("relu", "it is max(0, .) where tanh belongs"),
    "relu": ("tanh", 'it is the same as with activation="tanh": is the activation handed on?'),
}


def states(inputs: tuple, activation: str = "tanh") -> np.ndarray:
    """Return the states (N, T, H) of torch's own RNN with these x, h0, Wx, Wh, b."""
    import torch

    x, h0, Wx, Wh, b = map(_tensor, inputs)
    run = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[activation]
    weights = [Wx.T, Wh.T, b, torch.zeros_like(b)]
    return run(x, h0[None], weights, True, 1, 0.0, False, False, True)[0].numpy()


_FIRST = "the first step is left out (there are T steps, from 0 on):"
_NO_STEP = "the only step is left out: h[:, 0] is 0"


@dataclass(frozen=True)
class Gradients:
    """The gradients of a run: of the inputs whole, of states and weights for each step apart."""

    dx: np.ndarray  # (N, T, D)
    before: np.ndarray  # (T, N, H): of the state before each step, by way of that step
    weights: tuple[np.ndarray, ...]  # (T, D, H), (T, H, H), (T, H)

    @property
    def whole(self) -> list[np.ndarray]:
        """Return dx, dh0, dWx, dWh, db."""
        return [self.dx, self.before[0], *(steps.sum(0) for steps in self.weights)]


def gradients(
    inputs: tuple, dh: np.ndarray, activation: str = "tanh", cuts: Collection[int] = ()
) -> Gradients:
    """Return the gradients of sum(dh * h) by autograd, none of it passing the start of a cut.

    cuts: steps that start from the value of the state before them alone
    """
    import torch

    x, h, *weights = map(_tensor, inputs)
    x.requires_grad_()
    cell = {"tanh": torch.rnn_tanh_cell, "relu": torch.rnn_relu_cell}[activation]
    before, copies, loss = [], [], torch.zeros((), dtype=x.dtype)
    for t in range(x.shape[1]):
        cut = t == 0 or t in cuts
        before.append(h.detach().requires_grad_() if cut else h.clone())
        copies.append([w.clone().requires_grad_() for w in weights])
        Wx, Wh, b = copies[-1]
        h = cell(x[:, t], before[-1], Wx.T, Wh.T, b, torch.zeros_like(b))
        loss = loss + (h * _tensor(dh[:, t])).sum()
    flat = [x, *before, *(w for step in copies for w in step)]
    dx, *found = (grad.numpy() for grad in torch.autograd.grad(loss, flat))
    T = len(before)
    return Gradients(dx, np.stack(found[:T]), tuple(np.stack(found[T + k :: 3]) for k in range(3)))


def state_lookalikes(inputs: tuple, h: np.ndarray, activation: str = "tanh") -> Found:
    """Return what likely mistakes make of the states `h`, each under the words that name it."""
    x, h0, *weights = inputs
    N, T = x.shape[:2]

    def run(x: np.ndarray, h0: np.ndarray, activation: str = activation) -> np.ndarray:
        return states((x, h0, *weights), activation)

    def alone(h0: np.ndarray) -> np.ndarray:
        return np.concatenate([run(x[:, t : t + 1], h0) for t in range(T)], axis=1)

    def handed_on() -> np.ndarray:
        rows, start = [], h0[:1]
        for n in range(N):
            rows.append(run(x[n : n + 1], start))
            start = rows[-1][:, -1]
        return np.concatenate(rows)

    def without_first(h0: np.ndarray, start: np.ndarray) -> np.ndarray | None:
        return np.concatenate([start[:, None], run(x[:, 1:], h0)], axis=1) if T > 1 else None

    def frozen() -> np.ndarray:
        found = [h0]
        for t in range(T):
            moved = run(x[:, t : t + 1], found[-1])[:, 0]
            found.append(np.where(x[:, t].any(axis=1, keepdims=True), moved, found[-1]))
        return np.stack(found[1:], axis=1)

    back = run(x[:, ::-1], h0)
    other, words = _OTHER[activation]
    shifted = np.concatenate([h0[:, None], h[:, :-1]], axis=1)
    return {
        **({_NO_STEP: 0 * h} if T == 1 else {}),
        "h0 is ignored": run(x, 0 * h0),
        f"{_FIRST} h[:, 0] is 0": without_first(0 * h0, 0 * h0),
        f"{_FIRST} h[:, 0] is 0, though the others are made of h0": without_first(h0, 0 * h0),
        f"{_FIRST} h[:, 0] is h0": without_first(h0, h0),
        "the state stays as it is where x is 0: a step without an input changes it too": frozen(),
        "the states are in the wrong places: reshape does not swap axes (stack along axis 1)": (
            h.transpose(1, 0, 2).reshape(h.shape)
        ),
        "it starts with h0: h[:, 0] is the state after the first step": shifted,
        "each step starts from h0: hand the state on from step to step": alone(h0),
        "each step starts from zeros: hand the state on from step to step": alone(0 * h0),
        "every step reads the first input: step t reads x[:, t]": run(x[:, [0] * T], h0),
        "every step reads the last input: step t reads x[:, t]": run(x[:, [-1] * T], h0),
        "it is run from the last step to the first": back[:, ::-1],
        "it is run from the last step to the first, and stacked in that order": back,
        "the steps are stacked in the reverse order": h[:, ::-1],
        "all steps have the last state (one array, written over at each step?)": h[:, [-1] * T],
        "each sequence starts from the end of the one before: each has its own row of h0": (
            handed_on()
        ),
        "all sequences start from the first row of h0": run(x, h0[[0] * N]),
        "all sequences have the states of the first": h[[0] * N],
        **{words: _but_for(h, *out) for words, out in _left_out(N, T).items()},
        words: run(x, h0, other),
    }


def gradient_lookalikes(
    i: int, inputs: tuple, dh: np.ndarray, h: np.ndarray, activation: str = "tanh"
) -> Found:
    """Return what likely mistakes make of gradient `i`, each under the words that name it."""
    T = dh.shape[1]
    right = gradients(inputs, dh, activation)
    after = np.zeros_like(dh)  # what the last step is given as if there were one after it
    after[:, -1] = 1

    def of(dh: np.ndarray, cuts: Collection[int] = ()) -> np.ndarray:
        return gradients(inputs, dh, activation, cuts).whole[i]

    found = {
        "no gradient passes from step to step: what a step hands back for the state before it is "
        "added to dh of that state": of(dh, range(1, T)),
        "only the last step has a loss: add dh[:, t] at every step": of(dh * after),
        "dh of the last step is added at every step: add dh[:, t]": of(dh[:, [-1] * T]),
        "dh of the last step counts twice": of(dh * (1 + after)),
        "the way back starts with ones": of(dh + after),
        "dh is read in the reverse order": of(dh[:, ::-1]),
        "dh of the first step is left out": of(_but_for(dh, 0)),
        **{words: of(_but_for(dh, *out)) for words, out in _left_out(len(dh), T).items()},
        **_out_of_order(i, inputs, dh, h, activation),
    }
    return found | _OWN[min(i, 2)](i, inputs, dh, h, activation, right)


def _out_of_order(i: int, inputs: tuple, dh: np.ndarray, h: np.ndarray, activation: str) -> Found:
    """What comes of a way back that takes dh, or the caches, of other steps than its own."""
    T = dh.shape[1]
    steps = [*range(T)]
    late = [steps[t - 1] for t in steps]

    def visit(dhs: list[int], caches: list[int]) -> np.ndarray:
        return _visited(inputs, dh[:, dhs], h, activation, caches)[i]

    forward = visit(steps[::-1], steps[::-1])
    words = "the loop runs forward in time: on the way back the last step comes first"
    return {
        words: forward[:, ::-1] if i == 0 else forward,
        f"{words} (and dx is turned round)": forward,
        "the caches are those of the step before: step t goes back with its own": visit(
            steps, late
        ),
        "dh is that of the step before: to step t belongs dh[:, t]": visit(late, steps),
    }


def _visited(
    inputs: tuple, dh: np.ndarray, h: np.ndarray, activation: str, steps: list[int]
) -> list[np.ndarray]:
    """The gradients where these steps stand in the places of the right ones, each as it was.

    A step keeps its input and the value of the state before it; its gradient goes to whichever
    step stands before it in the list.
    """
    import torch

    x, h0, *weights = map(_tensor, inputs)
    before = torch.cat([h0[:, None], _tensor(h[:, :-1])], dim=1)
    cell = {"tanh": torch.rnn_tanh_cell, "relu": torch.rnn_relu_cell}[activation]
    leaves = [x[:, steps].requires_grad_(), h0.requires_grad_(), *weights]
    Wx, Wh, b = (weight.requires_grad_() for weight in weights)
    state, loss = h0, torch.zeros((), dtype=x.dtype)
    for place, t in enumerate(steps):
        start = before[:, t].detach() + (state - state.detach())
        state = cell(leaves[0][:, place], start, Wx.T, Wh.T, b, torch.zeros_like(b))
        loss = loss + (state * _tensor(dh[:, place])).sum()
    return [grad.numpy() for grad in torch.autograd.grad(loss, leaves)]


def _of_inputs(i: int, inputs: tuple, dh: np.ndarray, h: Any, a: str, right: Gradients) -> Found:
    dx = right.dx
    return {
        "its steps are in the reverse order: the first step that goes back is the last of x": (
            dx[:, ::-1]
        ),
        "the first step is left out": _but_for(dx, 0),
        "the last step is left out": _but_for(dx, dx.shape[1] - 1),
        "all steps have the gradient of the first": dx[:, [0] * dx.shape[1]],
    }


def _of_start(i: int, inputs: tuple, dh: np.ndarray, h: Any, a: str, right: Gradients) -> Found:
    return {
        "dh[:, 0] is added: that is the gradient of the state after the first step, not of h0": (
            right.before[0] + dh[:, 0]
        ),
        "it is what the last step hands back: h0 goes into the first": right.before[-1],
        "it is what the second step hands back: h0 goes into the first": right.before[
            min(1, len(right.before) - 1)
        ],
        "it is a sum over the steps: h0 goes into the first alone": right.before.sum(0),
    }


def _of_weights(i: int, inputs: tuple, dh: np.ndarray, h: Any, a: str, right: Gradients) -> Found:
    steps = right.weights[i - 2]
    found = {
        "only the first step counts: the weights are used at each (`=` where `+=` belongs?)": (
            steps[0]
        ),
        "only the last step counts: the weights are used at each": steps[-1],
        "the first step is left out": steps[1:].sum(0),
        "the last step is left out": steps[:-1].sum(0),
    }
    if i == 3:
        found["it is transposed"] = steps.sum(0).T
        for words, states in _other_states(inputs[1], h).items():
            found[words] = _of_second_wh(inputs, dh, states, a)
    return found


def _other_states(h0: np.ndarray, h: np.ndarray) -> Found:
    """States (N, T, H) that dWh may have in the place of those before the steps."""
    T = h.shape[1]
    zeros_first = np.concatenate([0 * h0[:, None], h[:, :-1]], axis=1)
    late = "the state after each step is taken where the one before it belongs"
    return {
        f"{late}; or {_OVERWRITTEN}" if T == 1 else late: h,
        "h0 is left out: the first step has zeros in its place": zeros_first,
        "the first step has the last state in the place of h0: is it h[:, t - 1] at t = 0? Or "
        f"{_OVERWRITTEN}": np.roll(h, 1, axis=1),
        f"each step has the last state in the place of the one before it: {_OVERWRITTEN}": (
            h[:, [-1] * T]
        ),
    }


_OWN = (_of_inputs, _of_start, _of_weights)


def _of_second_wh(inputs: tuple, dh: np.ndarray, states: np.ndarray, activation: str) -> np.ndarray:
    """The gradient of a second Wh, all zero, that is multiplied with these states (N, T, H)."""
    x, h0, Wx, Wh, b = inputs
    both = (np.concatenate([x, states], 2), h0, np.concatenate([Wx, 0 * Wh]), Wh, b)
    return gradients(both, dh, activation).whole[2][Wx.shape[0] :]


def _left_out(N: int, T: int) -> dict[str, range]:
    """The last steps that a loop may leave out, under the words for it."""
    last, first = (
        "the last step is left out (of T, it is T - 1)",
        "only the first N steps are taken",
    )
    if N == T - 1:
        return {f"{last}, or {first}": range(N, T)}
    return {last: range(T - 1, T), f"{first}: there are T": range(N, T)}


def _but_for(steps: np.ndarray, *zero: int) -> np.ndarray:
    """A copy of an array (N, T, ...), 0 at these steps."""
    kept = steps.copy()
    kept[:, zero] = 0
    return kept


def _tensor(value: np.ndarray) -> Any:
    import torch

    return torch.tensor(np.array(value))
