"""The check of masked_cross_entropy: scores are made from probabilities that are known."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.losses import (
    CHANCES,
    LECTURE,
    NOT_V,
    OTHER_AXES,
    TINY,
    masked_lookalikes,
    ragged_mask,
    require_lecture,
    require_loss,
    softmax_along,
)
from cs_caption.checks.sequences import reorder
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    referee,
    scalar,
    tensor,
    torch_here,
    truths,
    unchanged,
    whole,
)
from cs_caption.checks.values import TOLERANCE, close, differing, factors, fitting, sizes

Random = np.random.RandomState

_LOSS = "the loss"
_LARGE = ": large scores overflow; log_softmax takes the largest of a token away first"
_REAL = (
    ": there is one word here, and its mask is True. Is the first or the last word of each caption "
    "left out, or word 0 taken for padding?"
)
_NO_WORD = (
    ": 0/0? A caption, or a step, may have no real word; take one mean over all that are real"
)
_OTHER_TYPE = "; is every tensor that you make of the type of logits?"
_SHIFT = 1e3
_SHIFTED = 1e-3  # of a loss whose scores have _SHIFT added, in float32
_INFINITE = ": 0 times infinity is NaN; take the real words out before the sum, not by a product"


@dataclass(frozen=True)
class _Task:
    """Scores (N, T, V), right words and a mask (N, T), and the loss of each word."""

    x: np.ndarray
    y: np.ndarray
    mask: np.ndarray
    losses: np.ndarray

    @property
    def given(self) -> tuple:
        return floats(self.x, "float32"), whole(self.y), truths(self.mask)


def _lecture(subject: Subject, rng: Random) -> None:
    """The lecture's probabilities as scores, with a number added to all of them."""
    x = np.log(CHANCES)[None, None] + 0.7
    real = np.ones((1, 1), bool)
    tasks = [_Task(x, np.array([[y]]), real, real) for y in range(len(CHANCES))]
    for y, outcome in enumerate(subject.calls([task.given for task in tasks])):
        require_lecture(_loss(outcome.value, _REAL), y, x[0, 0], TOLERANCE_32)


def _mean(rows: int | None = None, steps: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, rows, steps)
        _require(task, subject.call(task.given))

    return run


def _small(subject: Subject, rng: Random) -> None:
    _mean(steps=1)(subject, rng)
    _mean(rows=1)(subject, rng)


def _gradient(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    loss, gradient = _back(subject, task)
    _judge(task, loss)
    _require_gradient(task, gradient)


def _masked(subject: Subject, rng: Random) -> None:
    """Other scores and words where the mask is False, in value and in gradient."""
    task = _draw(rng)
    out = ~task.mask
    x, y = task.x.copy(), task.y.copy()
    x[out] = 1e4 * rng.standard_normal(x[out].shape)
    y[out] = (y[out] + 1) % x.shape[-1]
    other = replace(task, x=x, y=y)
    loss, gradient = _back(subject, task)
    other_loss, other_gradient = _back(subject, other, _LARGE)
    if not close(loss, other_loss, TOLERANCE_32):
        raise Wrong("the loss depends on the logits or the targets where mask is False")
    _judge(task, loss)
    for found in (gradient, other_gradient):
        _require_gradient(task, found)


def _infinite(subject: Subject, rng: Random) -> None:
    """Impossible words, and worse, where the mask is False."""
    task = _draw(rng)
    x = task.x.copy()
    x[~task.mask, task.y[~task.mask]] = -np.inf
    impossible = replace(task, x=x)
    loss, gradient = _back(subject, impossible, _INFINITE)
    _judge(task, loss)
    _require_gradient(task, gradient)
    for worse in (np.inf, np.nan):
        x = x.copy()
        x[~task.mask] = worse
        _require(task, subject.call(replace(task, x=x).given), _INFINITE)


def _shifted(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    mixed = rng.choice([-_SHIFT, _SHIFT], size=(*task.y.shape, 1))
    calls = [replace(task, x=task.x + shift).given for shift in (0.0, _SHIFT, -_SHIFT, mixed)]
    plain, *shifted = subject.calls(calls)
    _require(task, plain)
    for outcome in shifted:
        loss = _loss(outcome.value, _LARGE)
        if not close(loss, task.losses[task.mask].mean(), _SHIFTED):
            raise Wrong("the loss changes when a number is added to all scores of a word")


def _far_apart(subject: Subject, rng: Random) -> None:
    """The right word has a score 1e4 below the best: its probability is 0."""
    task = _draw(rng)
    x = np.zeros_like(task.x)
    np.put_along_axis(x, ((task.y + 1) % x.shape[-1])[..., None], 1e4, -1)
    loss = _loss(subject.call(replace(task, x=x).given).value, TINY)
    if not close(loss, 1e4, TOLERANCE_32):
        _require(task, subject.call(task.given))
        raise Wrong(f"the loss is wrong{TINY}")


def _reordered(subject: Subject, rng: Random) -> None:
    """Rows, steps and words change places, and the loss stays what it is."""
    task = _draw(rng)
    N, T, V = task.x.shape
    rows, steps, words = (reorder(rng, n) for n in (N, T, V))
    many = {
        "with the captions of the batch in another order": replace(
            task, x=task.x[rows], y=task.y[rows], mask=task.mask[rows]
        ),
        "with the steps in another order": replace(
            task, x=task.x[:, steps], y=task.y[:, steps], mask=task.mask[:, steps]
        ),
        "with the words of the vocabulary in another order": replace(
            task, x=task.x[..., words], y=np.argsort(words)[task.y]
        ),
    }
    plain, *others = subject.calls([each.given for each in (task, *many.values())])
    _require(task, plain)
    for words, outcome in zip(many, others, strict=True):
        if not close(_loss(outcome.value), task.losses[task.mask].mean(), TOLERANCE_32):
            raise Wrong(f"the loss is right, but {words} it is not the same")


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    for dtype, tolerance in (("float32", TOLERANCE_32), ("float64", TOLERANCE)):
        given = floats(task.x, dtype), *task.given[1:]
        try:
            found = scalar(subject.call(given).value, _LOSS, dtype=dtype)
        except Wrong as wrong:
            told = "float" in str(wrong) or "dtype" in str(wrong)
            raise Wrong(f"{wrong}{_OTHER_TYPE if told else ''}") from None
        _judge(task, found, tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng), _draw(rng)
    many = [task.given, tuple(map(gaps, other.given))]
    for each, outcome in zip((task, other), subject.calls(many), strict=True):
        unchanged(outcome.mutated, "logits, targets, mask")
        _require(each, outcome)


def _draw(rng: Random, rows: int | None = None, steps: int | None = None) -> _Task:
    N, T, V = sizes(rng, 3, 4, 8)
    N, T = rows or N, steps or T
    weights = rng.uniform(0.2, 1.0, (N, T, V))
    x = np.log(weights) + 2 * rng.standard_normal((N, T, 1))
    y = rng.randint(0, V, (N, T))
    y[0, 0] = 0  # a word like any other: the mask alone says what counts
    chances = weights / weights.sum(-1, keepdims=True)
    picked = np.take_along_axis(chances, y[..., None], -1)[..., 0]
    return _Task(x, y, ragged_mask(rng, N, T), -np.log(picked))


# ------------------------------------------------------------------------------- what comes back


def _require(task: _Task, outcome: Outcome, hint: str = "") -> None:
    empty = not (task.mask.any(0).all() and task.mask.any(1).all())
    _judge(task, _loss(outcome.value, hint or (_NO_WORD if empty else "")))


def _judge(task: _Task, loss: float, tolerance: float = TOLERANCE_32) -> None:
    require_loss(loss, *_expected(task), tolerance)


def _loss(value: Any, hint: str = "") -> float:
    """Return the number. What type it has is a case of its own."""
    return scalar(value, _LOSS, dtype=EITHER, hint=hint)


def _expected(task: _Task) -> tuple[float, dict[str, float]]:
    """The loss as torch has it, and as likely mistakes have it."""
    torch = torch_here()
    logits, targets, mask = floats(task.x), *task.given[1:]
    right = float(torch.nn.functional.cross_entropy(logits[mask], targets[mask]))
    others = masked_lookalikes(task.losses, task.mask, task.y)
    others |= {
        words + NOT_V: softmax_along(task.x, task.y, task.mask, axis)[0]
        for words, axis in OTHER_AXES.items()
    }
    chances = [torch.softmax(logits, 2), torch.softmax(logits * mask[..., None], 2)]
    mixed, turned, shifted = _mixed(task)
    return right, others | _left_out(task) | _smoothed(task, right) | {
        "captions and steps are mixed: flatten, reshape and view do not swap axes": mixed,
        "words and steps are mixed: reshape and view do not swap axes, transpose does": turned,
        "each word is scored against the target of the next step": shifted,
        "the mask is multiplied into the logits: what is masked still costs something": (
            _picked(chances[1], targets).mean()
        ),
        "it is a perplexity: the mean itself, not its exponential": float(np.exp(right)),
        "it is a mean of probabilities, not of their logarithms": (
            np.exp(-task.losses[task.mask]).mean()
        ),
        "the softmax is taken twice: cross_entropy takes scores, not probabilities": (
            _picked(chances[0].softmax(2), targets)[task.mask].mean()
        ),
    }


def _left_out(task: _Task) -> dict[str, float]:
    """The loss without some of the words, or with other means."""
    losses, mask, x, y = task.losses, task.mask, task.x, task.y
    late = _picked(floats(x[:, :-1]).softmax(2), whole(y[:, 1:]))
    steps = [
        column[real].mean() for column, real in zip(losses.T, mask.T, strict=True) if any(real)
    ]
    again = "each word is scored against the target of the next step: targets is shifted already"
    return {
        "the first word of each caption is left out": _mean_of(losses[:, 1:], mask[:, 1:]),
        "the last word of each caption is left out": _mean_of(losses[:, :-1], mask[:, :-1]),
        again: _mean_of(late, mask[:, 1:]),
        f"{again}, and so is mask": _mean_of(late, mask[:, :-1]),
        "late words weigh too much: not a mean of each step's mean, but one over all words": (
            float(np.mean(steps))
        ),
    }


def _mean_of(losses: np.ndarray, mask: np.ndarray) -> float:
    return float(losses[mask].mean()) if mask.any() else np.inf


def _smoothed(task: _Task, right: float) -> dict[str, float]:
    """The loss where a little of each target goes to all words."""
    flat = -floats(task.x).log_softmax(2).mean(2).numpy()[task.mask].mean()
    return {
        f"a share of {share} of each target goes to all words: leave label_smoothing away": (
            (1 - share) * right + share * flat
        )
        for share in (0.1, 0.2)
    }


def _mixed(task: _Task) -> list[float]:
    """The loss where the scores of one word meet the target of another."""
    N, T, V = task.x.shape
    turned = floats(task.x.reshape(N, V, T)).transpose(1, 2)
    pairs = [
        (floats(task.x.swapaxes(0, 1).reshape(N, T, V)), task.y),
        (turned, task.y),
        (floats(task.x), np.roll(task.y, -1, axis=1)),
    ]
    return [_picked(x.softmax(2), whole(y))[task.mask].mean() for x, y in pairs]


def _picked(chances: Any, targets: Any) -> np.ndarray:
    """The nats (N, T) of the targets."""
    return -chances.log().gather(2, targets[..., None])[..., 0].numpy()


def _back(subject: Subject, task: _Task, hint: str = "") -> tuple[float, np.ndarray]:
    """The loss, and the gradient of it that autograd brings to the logits."""
    one = floats(np.array(1.0))
    (outcome,) = subject.gradients([(task.given, one)], (0,))
    value, (gradient,) = outcome.value
    loss = _loss(value, hint)
    if gradient is None:
        raise Wrong(
            "no gradient comes back through the loss: is something in NumPy, detached, under "
            "torch.no_grad(), or a new tensor made of numbers?"
        )
    name = "the gradient of the logits"
    return loss, tensor(gradient, task.x.shape, name, dtype=EITHER, hint=hint)


def _require_gradient(task: _Task, gradient: np.ndarray) -> None:
    bad = np.any(gradient != 0, axis=-1) & ~task.mask
    if bad.any():
        raise Wrong(
            f"{bad.sum()} of {np.sum(~task.mask)} places where mask is False have a gradient: it "
            "must be exactly 0"
        )
    truth = softmax_along(task.x, task.y, task.mask, -1)[1]
    if close(gradient, truth, TOLERANCE_32):
        return
    named = fitting(gradient, _gradient_lookalikes(task, truth), TOLERANCE_32)
    where = f": {named[0]}" if named else differing(gradient, truth, TOLERANCE_32)
    raise Wrong(f"the loss is right, but its gradient is not{where}")


def _gradient_lookalikes(task: _Task, truth: np.ndarray) -> dict[str, np.ndarray]:
    right = np.arange(task.x.shape[-1]) == task.y[..., None]
    own = np.where(right & task.mask[..., None], -1 / task.mask.sum(), 0.0)
    return {
        "only the true word's score gets one: is the sum over the vocabulary detached?": own,
        **factors(truth, dict(zip("NT", task.mask.shape, strict=True))),
    }


MASKED_CROSS_ENTROPY = Exercise(
    "masked_cross_entropy",
    points=1,
    referee=referee,
    cases=(
        Case(LECTURE, 1, _lecture, drawn=False),
        Case("the mean over the real words", 3, _mean()),
        Case("one word (T = 1), one caption (N = 1)", 1, _small),
        Case("autograd: the gradient of the logits", 4, _gradient),
        Case("what stands where mask is False counts for nothing", 1, _masked),
        Case("infinity and NaN where mask is False", 1, _infinite),
        Case("scores near 1000 and -1000", 1, _shifted),
        Case("a word that is all but impossible", 1, _far_apart),
        Case("captions, steps and words in another order", 1, _reordered),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
