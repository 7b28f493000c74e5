"""What the checks of softmax losses share: the lecture's example, and judging loss and dx."""

from collections.abc import Callable, Mapping

import numpy as np

from cs_caption.checks.gradients import Lookalikes, require_gradient
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import TOLERANCE, array, close, entries, number

CHANCES = np.array([0.2, 0.4, 0.09, 0.01, 0.3])  # cat, dog, chair, bagel, banana
LECTURE = "cat, dog, chair, bagel, banana: the lecture's example"
TINY = ": do not take the logarithm of a probability, it may be 0; take that of the sum"
OTHER_AXES = {  # of a softmax that does not run over the scores of each token
    "the softmax runs over the time steps": 1,
    "the softmax runs over the sentences of the batch": 0,
    "the softmax runs over all scores at once": None,
}
NOT_V = ": it must run over the V scores of each token"
_EXACT = 1e-10  # of a loss that is one logarithm
_NEARLY = 1e-4


def loss_and_dx(
    outcome: Outcome, shape: tuple[int, ...], axes: str, hint: str = ""
) -> tuple[float, np.ndarray]:
    """Return the two results if they are a number and an array of this shape."""
    loss, dx = entries(outcome.value, "loss, dx")
    if type(loss) is np.ndarray and loss.shape == shape and type(dx) in (float, int, np.float64):
        raise Wrong("the results are in another order: the loss comes first, then dx")
    return number(loss, "the loss", hint), array(dx, shape, "dx", axes, hint)


def require_loss(
    loss: float, expected: float, others: Mapping[str, float], tolerance: float = TOLERANCE
) -> None:
    """Fail where the loss is another number, with the words of the first look-alike that fits."""
    if close(loss, expected, tolerance):
        return
    for words, other in others.items():
        if close(loss, other, max(TOLERANCE, tolerance)):
            raise Wrong(f"the loss is wrong: {words}")
    if close(loss, expected, _NEARLY):
        off = abs(loss - expected) / max(1.0, abs(expected))
        raise Wrong(
            f"the loss is a little off (by {off:.0e} of its size): was something small added to "
            "the divisor, or inside the logarithm?"
        )
    raise Wrong("the loss is wrong")


def ragged_mask(rng: np.random.RandomState, N: int, T: int) -> np.ndarray:
    """Different lengths, and a hole; the number of real tokens is no other size of the task."""
    if N == 1 or T == 1:
        return np.arange(N * T).reshape(N, T) % 3 != 1
    while True:
        lengths = rng.randint(1, T + 1, N)
        lengths[0] = T
        mask = np.arange(T) < lengths[:, None]
        mask[0, 1] = False
        if mask.sum() not in (N, T, N * T) and len(set(mask.sum(1))) > 1:
            return mask


def softmax_along(
    x: np.ndarray, y: np.ndarray, mask: np.ndarray, axis: int | None
) -> tuple[float, np.ndarray]:
    """The masked loss of scores (N, T, V) and its gradient, with a softmax along another axis."""
    x = np.exp(x - x.max())
    chances = x / x.sum(axis, keepdims=True)
    right = np.arange(x.shape[-1]) == y[..., None]
    real = mask[..., None]
    return -np.log(chances[right & real]).mean(), (chances - right) * real / mask.sum()


def masked_lookalikes(losses: np.ndarray, mask: np.ndarray, ids: np.ndarray) -> dict[str, float]:
    """What other means make of the losses (N, T) of tokens `ids`, of which `mask` are real."""
    (N, T), total, mean = mask.shape, losses[mask].sum(), losses[mask].mean()
    means = [row[real].mean() for row, real in zip(losses, mask, strict=True) if real.any()]
    lengths = np.arange(T) < mask.sum(1, keepdims=True)
    return {
        "it is the sum over the real tokens: divide by their number": total,
        "it is divided by N (as CS231n does): divide by the number of real tokens": total / N,
        "it is divided by T: divide by the number of real tokens": total / T,
        "it is divided by N T, masked positions included": total / (N * T),
        "masked positions count as well": losses.mean(),
        "masked positions count as well, and it is a sum": losses.sum(),
        "masked positions count as well, and it is divided by N": losses.sum() / N,
        "masked positions are in the sum, not in the number": losses.sum() / mask.sum(),
        "the mask is upside down: True is a real token": _mean_of(losses, ~mask),
        "the mask is made from the tokens: take the one that is given": _mean_of(losses, ids != 0),
        "the mask is taken for lengths: it may have holes": _mean_of(losses, lengths),
        "short sentences weigh too much: take one mean over all tokens": float(np.mean(means)),
        "its sign is wrong": -mean,
        "it is a logarithm to base 2": mean / np.log(2),
    }


def _mean_of(losses: np.ndarray, mask: np.ndarray) -> float:
    return losses[mask].mean() if mask.any() else np.inf


def require_lecture(loss: float, y: int, scores: np.ndarray, tolerance: float = _EXACT) -> None:
    """Judge the loss of the lecture's five scores where class y is right."""
    chance = CHANCES[y]
    others = {
        "it is a logarithm to base 2": -np.log2(chance),
        "its sign is wrong": np.log(chance),
        "it is the probability, not minus its logarithm": chance,
        "it is 0 as if p were 1: does the softmax run over the wrong axis?": 0.0,
        "it is divided by the number of classes": -np.log(chance) / len(CHANCES),
        "scores are no logarithms of probabilities: normalise them": -scores[y],
    }
    require_loss(loss, -np.log(chance), others, tolerance)


def require_far_apart(losses: tuple[float, float], rows: np.ndarray, best: int, other: int) -> None:
    """Judge two rows, one whose class `best` is 1e4 above the rest: it is right, then `other` is.

    losses: with a distance of 1 in the place of 1e4, and with 1e4; rows: the gradient of the latter
    A factor that is wrong anyway has its own case: here the distance alone is judged.
    """
    near_loss, loss = losses
    factor = near_loss / (np.log(np.e + rows.shape[-1] - 1) - 1 / 2)
    if factor == 0 or not close(loss / factor, 1e4 / 2):
        right = close(factor, 1)
        raise Wrong(f"the loss is wrong{TINY if right else ', also where no score is large'}")
    row = rows[1]
    if not (row[best] * row[other] < 0 and close(row.sum(), 0) and close(rows[0], 0)):
        raise Wrong("dx is wrong where one score is 1e4 above the others")


def require_dx(
    subject: Subject,
    given: tuple,
    dx: np.ndarray,
    truth: np.ndarray | None,
    require_right_loss: Callable[[], None],
    by_factor: Callable[[np.ndarray], Lookalikes],
) -> None:
    """Judge the gradient of the scores, the first of the arguments `given`; see `require_gradient`.

    A wrong loss has its own case, and its numeric derivative says nothing: then torch alone judges.
    """

    def slopes(along: list[np.ndarray]) -> np.ndarray:
        moves = [(0, direction) for direction in along]
        return subject.vjp(given, np.array(1.0), moves, result=0, leave=(1,))

    numeric = slopes
    try:
        require_right_loss()
    except Wrong as wrong:
        if truth is None:
            raise Wrong(f"first mend the loss: {wrong}") from None
        numeric = None
    require_gradient("dx", dx, truth, numeric, by_factor)
