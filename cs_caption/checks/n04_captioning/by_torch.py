"""What torch says of an RNN that sees a picture: states, gradients, those of likely mistakes.

To torch's own RNN a picture is a further part of the input: [x_t, v] beside [Wx; Wih]. Where it is
let in at step 0 alone, zeros stand in its place at the others.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cs_caption.checks.n02_hello_rnn import sequence_by_torch as rnn

Found = dict[str, np.ndarray]
Inputs = tuple[np.ndarray, ...]  # x, v, Wx, Wh, Wih, b

SUMS_HANDED_ON = "the sum is handed on before the tanh: h_(t-1) is the state that step t - 1 made"


def states(inputs: Inputs, every_step: bool = True) -> np.ndarray:
    """Return h (N, T, H)."""
    return _states(inputs, seen(inputs, every_step))


def gradients(inputs: Inputs, dh: np.ndarray, every_step: bool = True) -> list[np.ndarray]:
    """Return the gradients of sum(dh * h) by autograd, in the order of the inputs."""
    found = rnn.gradients(_joined(inputs, seen(inputs, every_step)), dh).whole
    return [_part(i, found[_WHOLE[i]], inputs, every_step) for i in range(len(_WHOLE))]


def seen(inputs: Inputs, every_step: bool) -> np.ndarray:
    """Return what of the picture is let in at each step (N, T, C): v, or zeros."""
    x, v = inputs[:2]
    return v[:, None] * _steps(x.shape[1], every_step)[:, None]


def _steps(T: int, every_step: bool) -> np.ndarray:
    """1 at the steps at which the picture is let in, 0 at the others."""
    return np.array([1.0 if every_step or t == 0 else 0.0 for t in range(T)])


def _joined(inputs: Inputs, pictures: np.ndarray, start: np.ndarray | None = None) -> tuple:
    """The arguments of a plain RNN that reads [x_t, pictures_t] and starts from `start`."""
    x, _, Wx, Wh, Wih, b = inputs
    h0 = np.zeros((len(x), len(Wh))) if start is None else start
    return np.concatenate([x, pictures], axis=2), h0, np.concatenate([Wx, Wih]), Wh, b


def _states(inputs: Inputs, pictures: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    return rnn.states(_joined(inputs, pictures, start))


# ---------------------------------------------------------------------------------- the states


def state_lookalikes(inputs: Inputs, h: np.ndarray, every_step: bool) -> Found:
    """Return what likely mistakes make of the states `h`, each under the words that name it."""
    T, right = inputs[0].shape[1], seen(inputs, every_step)
    plain = rnn.state_lookalikes(_joined(inputs, right), h)
    return {
        **_other_pictures(inputs, every_step),
        **_picture_elsewhere(inputs, right),
        **({} if T == 1 else {SUMS_HANDED_ON: _sums_handed_on(inputs, right)}),
        **({} if T == 1 else {_renamed(words): found for words, found in plain.items()}),
    }


def _other_pictures(inputs: Inputs, every_step: bool) -> Found:
    """The picture let in at other steps than it should be, or another picture."""
    (N, T), right = inputs[0].shape[:2], seen(inputs, every_step)
    always, first = seen(inputs, True), seen(inputs, False)
    last = first[:, ::-1]
    found = {
        "v is ignored": _states(inputs, 0 * right),
        "all captions get the first row of v: each has its own": _states(inputs, right[[0] * N]),
    }
    if T == 1:
        return found
    if every_step:
        found["v Wih is let in at step 0 alone, though every_step is True"] = _states(inputs, first)
    else:
        found["v Wih is let in at every step, though every_step is False"] = _states(inputs, always)
    return found | {
        "v Wih is let in at every step but the first": _states(inputs, always - first),
        "v Wih is let in at the last step alone": _states(inputs, last),
    }


def _picture_elsewhere(inputs: Inputs, right: np.ndarray) -> Found:
    """v Wih in the place of the state before the first step, or outside of the tanh."""
    start = inputs[1] @ inputs[4]
    inside = "v Wih stands inside the tanh of a step, and the state before step 0 is 0"
    return {
        f"v Wih is the state before step 0: {inside}": _states(inputs, 0 * right, start),
        f"tanh(v Wih) is the state before step 0: {inside}": _states(
            inputs, 0 * right, np.tanh(start)
        ),
        f"v Wih is the state before step 0 as well: {inside}": _states(inputs, right, start),
        f"tanh(v Wih) is the state before step 0 as well: {inside}": _states(
            inputs, right, np.tanh(start)
        ),
        f"v Wih is added after the tanh: {inside}": _added_after(inputs, right, carried=True),
        f"v Wih is added to the states at the end: {inside}": _added_after(
            inputs, right, carried=False
        ),
        "tanh is taken of the words' part and of v Wih apart: it is taken of their sum": (
            _added_after(inputs, right, carried=True, squash=np.tanh)
        ),
    }


def _added_after(
    inputs: Inputs, right: np.ndarray, *, carried: bool, squash: Callable = lambda a: a
) -> np.ndarray:
    x, *_, Wih, _ = inputs
    state, found = None, []
    for t in range(x.shape[1]):
        one = (x[:, t : t + 1], *inputs[1:])
        bare = _states(one, 0 * right[:, :1], state)[:, 0]
        found.append(bare + squash(right[:, t] @ Wih))
        state = found[-1] if carried else bare
    return np.stack(found, axis=1)


def _sums_handed_on(inputs: Inputs, right: np.ndarray) -> np.ndarray:
    x, _, Wx, Wh, Wih, b = inputs
    sums = x @ Wx + right @ Wih + b
    for t in range(1, x.shape[1]):
        sums[:, t] += sums[:, t - 1] @ Wh
    return np.tanh(sums)


def _renamed(words: str) -> str:
    """The words of notebook 02 for an RNN that always starts from zeros."""
    return words.replace("rnn_forward", "caption_rnn_forward").replace("h0", "h_(-1)")


# ------------------------------------------------------------------------------- the gradients

_ALL_THE_LAST = (
    "all states in the cache are the last: what caption_rnn_forward has put there may have been "
    "written over by later steps (a new array at each step, or copies)"
)

# Which gradient of the plain RNN (dx, dh0, dWx, dWh, db) holds that of x, v, Wx, Wh, Wih, b.
_WHOLE = (0, 0, 2, 3, 2, 4)


def _part(i: int, gradient: np.ndarray, inputs: Inputs, every_step: bool) -> np.ndarray:
    """Of a gradient of the plain RNN the part that is gradient i."""
    T, D = inputs[0].shape[1:]
    if i == 1:
        return np.einsum("ntc,t->nc", gradient[:, :, D:], _steps(T, every_step))
    return {0: gradient[..., :D], 2: gradient[:D], 4: gradient[D:]}.get(i, gradient)


def gradient_lookalikes(
    i: int, inputs: Inputs, dh: np.ndarray, h: np.ndarray, every_step: bool
) -> Found:
    """Return what likely mistakes make of gradient `i`, each under the words that name it."""
    joined = _joined(inputs, seen(inputs, every_step))
    found = _of_pictures(i, inputs, dh, every_step) if i in (1, 4) else {}
    plain = rnn.gradient_lookalikes(_WHOLE[i], joined, dh, h)
    found |= {_renamed(w): _part(i, g, inputs, every_step) for w, g in plain.items()}
    found |= _of_written_over(i, inputs, dh, h, every_step)
    return (
        found | _of_carried(i, inputs, dh, h, every_step) | _of_one_step(i, inputs, dh, every_step)
    )


def _of_pictures(i: int, inputs: Inputs, dh: np.ndarray, every_step: bool) -> Found:
    """What becomes of dv and dWih where the wrong steps count."""
    D, C = inputs[0].shape[2], inputs[1].shape[1]
    if i == 1:
        steps = rnn.gradients(_joined(inputs, seen(inputs, every_step)), dh).dx[:, :, D:]
        each = steps.transpose(1, 0, 2)
    else:
        each = _of_more_weights(inputs, seen(inputs, True), dh, every_step)[:, -C:]
    whole = each.sum(0) if every_step else each[0]
    found = {}
    if i == 1:
        found["it is summed over the batch: each picture has a gradient of its own"] = (
            0 * whole + whole.sum(0)
        )
    if not every_step:
        return found | {
            "every step counts: with every_step=False v goes into step 0 alone": each.sum(0),
            "only the last step counts: with every_step=False v goes into step 0": each[-1],
        }
    return found | {
        "only step 0 counts, as with every_step=False, or by `=` where `+=` belongs": each[0],
        "only the last step counts: v goes into each": each[-1],
        "the steps but the first count: v goes into each": each[1:].sum(0),
    }


def _of_more_weights(
    inputs: Inputs, more: np.ndarray, dh: np.ndarray, every_step: bool
) -> np.ndarray:
    """The gradients (T, D + C + .., H), last of weights, all zero, of further inputs `more`."""
    both, h0, weights, *others = _joined(inputs, seen(inputs, every_step))
    nothing = np.zeros((more.shape[2], weights.shape[1]))
    wide = (np.concatenate([both, more], 2), h0, np.concatenate([weights, nothing]), *others)
    return rnn.gradients(wide, dh).weights[0]


def _of_written_over(
    i: int, inputs: Inputs, dh: np.ndarray, h: np.ndarray, every_step: bool
) -> Found:
    """What the way back makes of a cache in which all states are the last: one array for all."""
    T = h.shape[1]
    if T == 1:
        return {}
    last = h[:, [-1] * T]
    sums = _sums_back(inputs, dh, 1 - last**2)
    before = np.concatenate([0 * h[:, :1], last[:, 1:]], axis=1)
    return {
        f"{_ALL_THE_LAST}": _of_sums(sums, inputs, before, every_step)[i],
        f"{_ALL_THE_LAST} (the one before step 0 is it too)": (
            _of_sums(sums, inputs, last, every_step)[i]
        ),
    }


def _of_carried(i: int, inputs: Inputs, dh: np.ndarray, h: np.ndarray, every_step: bool) -> Found:
    """What comes of handing back more than what went through Wh, and of sums over too much."""
    before = np.concatenate([0 * h[:, :1], h[:, :-1]], axis=1)
    found = {
        words: _of_sums(_sums_back(inputs, dh, 1 - h**2, more), inputs, before, every_step)[i]
        for words, more in {
            "what the steps after it have handed back comes along once more: `=`, not `+=`, for "
            "what goes back from a step": lambda arrived, own: arrived,
            "dh of a step goes back to the step before it as well: only what passed tanh and Wh "
            "does": lambda arrived, own: own,
            "all that arrives at a step goes back to the step before it as well: only what passed "
            "tanh and Wh does": lambda arrived, own: arrived + own,
        }.items()
    }
    if i == 5:
        right = _of_sums(_sums_back(inputs, dh, 1 - h**2), inputs, before, every_step)[i]
        found[
            "it is one number, the sum over all units: each unit has its own, sum over axis 0"
        ] = 0 * right + right.sum()
    return found


def _sums_back(
    inputs: Inputs,
    dh: np.ndarray,
    slopes: np.ndarray,
    more: Callable[[np.ndarray, np.ndarray], Any] = lambda arrived, own: 0.0,
) -> np.ndarray:
    """The gradients (N, T, H) of the sums inside the tanh.

    more: (what arrived from the step after, dh of the step) -> what goes back beside the right
    """
    found, arrived = np.zeros_like(dh), np.zeros_like(dh[:, 0])
    for t in range(dh.shape[1] - 1, -1, -1):
        np.multiply(arrived + dh[:, t], slopes[:, t], out=found[:, t])
        arrived = np.einsum("nj,ij->ni", found[:, t], inputs[3]) + more(arrived, dh[:, t])
    return found


def _of_sums(
    sums: np.ndarray, inputs: Inputs, before: np.ndarray, every_step: bool
) -> list[np.ndarray]:
    """The six gradients, where those of the sums and the states before the steps are these."""
    x, v, Wx, _, Wih, _ = inputs
    shown = np.einsum("ntj,t->nj", sums, _steps(sums.shape[1], every_step))
    return [
        np.einsum("ntj,ij->nti", sums, Wx),
        np.einsum("nj,ij->ni", shown, Wih),
        *(np.einsum("nti,ntj->ij", each, sums) for each in (x, before)),
        np.einsum("ni,nj->ij", v, shown),
        np.einsum("ntj->j", sums),
    ]


def _of_one_step(i: int, inputs: Inputs, dh: np.ndarray, every_step: bool) -> Found:
    """What a step that goes back by another slope, or by another matrix, makes of gradient i."""
    slopes = {
        "the derivative of tanh is missing": lambda a, h: 1 + 0 * h,
        "the derivative of tanh takes tanh's output h, not its input": lambda a, h: 1 - a**2,
        "the square in the derivative of tanh is missing": lambda a, h: 1 - h,
        "tanh is applied to h a second time": lambda a, h: 1 - h.tanh() ** 2,
        "its derivative is that of the sigmoid, h (1 - h)": lambda a, h: h * (1 - h),
        "its derivative has the wrong sign, h ** 2 - 1": lambda a, h: h**2 - 1,
    }
    found = {
        words: _back(inputs, dh, every_step, slope=slope)[i] for words, slope in slopes.items()
    }
    turned = "Wh must be transposed on the way back"
    return found | {
        turned: _back(inputs, dh, every_step, back=lambda Wh: Wh.T)[i],
        "what a step hands back skips Wh": _back(
            inputs, dh, every_step, back=lambda Wh: Wh.new_ones(len(Wh)).diag()
        )[i],
        "what a step hands back is not multiplied by the derivative of tanh": _back(
            inputs, dh, every_step, late=True
        )[i],
    }


def _back(
    inputs: Inputs,
    dh: np.ndarray,
    every_step: bool,
    *,
    slope: Callable[[Any, Any], Any] = lambda a, h: 1 - h**2,
    back: Callable[[Any], Any] = lambda Wh: Wh,
    late: bool = False,
) -> list[np.ndarray]:
    """The gradients where each step goes back by `slope` and `back`, the states being right.

    late: what comes from the next step goes round the slope
    """
    import torch

    x, v, Wx, Wh, Wih, b = leaves = [torch.tensor(np.array(a)).requires_grad_() for a in inputs]
    steps = torch.tensor(_steps(x.shape[1], every_step))
    h, loss, arriving = torch.zeros(len(x), len(Wh), dtype=x.dtype), 0.0, torch.tensor(dh)
    for t, step in enumerate(steps):
        right = h.detach() @ Wh + (h - h.detach()) @ back(Wh.detach())
        a = x[:, t] @ Wx + right + step * (v @ Wih) + b
        value = a.detach().tanh()
        moved = a - a.detach()
        h = value + slope(a.detach(), value) * moved
        loss = loss + (h * arriving[:, t]).sum()
        h = value + moved if late else h
    return [g.numpy() for g in torch.autograd.grad(loss, leaves, allow_unused=True)]
