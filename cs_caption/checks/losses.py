"""What the checks of softmax losses share: the lecture's example, and judging loss and dx."""

from collections.abc import Callable, Mapping

import numpy as np

from cs_caption.checks.gradients import Lookalikes, require_gradient
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import TOLERANCE, array, close, entries, number

CHANCES = np.array([0.2, 0.4, 0.09, 0.01, 0.3])  # cat, dog, chair, bagel, banana
LECTURE = "cat, dog, chair, bagel, banana: the lecture's example"
TINY = ": do not take the logarithm of a probability, it may be 0; take that of the sum"
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
        if close(loss, other):
            raise Wrong(f"the loss is wrong: {words}")
    if close(loss, expected, _NEARLY):
        off = abs(loss - expected) / max(1.0, abs(expected))
        raise Wrong(
            f"the loss is a little off (by {off:.0e} of its size): was something small added to "
            "the divisor, or inside the logarithm?"
        )
    raise Wrong("the loss is wrong")


def require_lecture(loss: float, y: int, scores: np.ndarray) -> None:
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
    require_loss(loss, -np.log(chance), others, _EXACT)


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
