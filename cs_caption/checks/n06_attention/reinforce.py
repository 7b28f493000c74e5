"""The check of reinforce_loss: its value, where its gradient goes, and the baseline that moves on.

Likely mistakes are run in torch, and so one list names what they do to the loss and to gradients.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n06_attention.hard import to_scores
from cs_caption.checks.n06_attention.reinforce_mistakes import (
    MISTAKES,
    OF_SMALL,
    UNSEEN,
    Loss,
    Words,
    right_loss,
)
from cs_caption.checks.n06_attention.shared import BANNED
from cs_caption.checks.sequences import is_beyond, ragged, reorder
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    is_tensor,
    referee,
    scalar,
    tensor,
    torch_here,
    truths,
    unchanged,
)
from cs_caption.checks.values import close, differing, entries, factors, fitting, number, sizes

Random = np.random.RandomState

_FINE = 2e-6  # of many terms, which float32 still adds up well enough
_LOSS, _NEXT = "the loss", "the next baseline"
_NAMES = "nats, log_probs, alpha, real, baseline, decay, entropy_weight"
_LEAVES = ("nats", "log_probs", "alpha")
_OTHER_TYPE = "; is every tensor that you make of the type of nats?"
_ZERO = (
    ": where alpha is 0 its logarithm is infinite, 0 times that is NaN, and so is its gradient, "
    "also through torch.where, torch.xlogy and torch.special.entr, which know the value alone; "
    "keep what goes into the logarithm away from 0"
)
_BY_SMALL = (
    "in the entropy small alpha lose their part: what is added to alpha, or taken in its place, "
    "must be far smaller than any alpha that counts, and none above 0 may be left out"
)
_PADDING = (
    ": in the padding alpha may be a number that has no logarithm, and 0 times NaN is NaN; take "
    "the padding out with masked_fill or torch.where, not by a product"
)


@dataclass(frozen=True)
class _Task:
    """The arguments: (N, T), (N, T), (N, T, L), (N, T) and three numbers."""

    nats: np.ndarray
    log_probs: np.ndarray
    alpha: np.ndarray
    real: np.ndarray
    baseline: float
    decay: float = 0.9
    entropy_weight: float = 0.01

    @property
    def given(self) -> tuple:
        """The arguments, as tensors of float64 and numbers."""
        return self.of("float64")

    def of(self, dtype: str) -> tuple:
        """The arguments, as tensors of this type and numbers."""
        tensors = (floats(getattr(self, name), dtype) for name in _LEAVES)
        return *tensors, truths(self.real), self.baseline, self.decay, self.entropy_weight


def _by_hand(subject: Subject, rng: Random) -> None:
    """One caption of two words over three regions."""
    task = _Task(
        np.array([[0.5, 1.5]]),
        np.log([[0.5, 0.25]]),
        np.array([[[0.5, 0.25, 0.25], [0.625, 0.25, 0.125]]]),
        np.ones((1, 2), bool),
        -1.25,
        0.75,
        0.5,
    )
    _require(task, subject.call(task.given))


def _value(entropy_weight: float | None = None, *, padded: bool = False) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, padded=padded)
        if entropy_weight is not None:
            task = replace(task, entropy_weight=entropy_weight)
        _judge(task, _loss(subject.call(task.given)))

    return run


def _many_weights(subject: Subject, rng: Random) -> None:
    """64 regions, the least of them with weights of 1e-6, and nothing but the entropy."""
    plain = replace(_draw(rng), entropy_weight=1.0)
    N, T = plain.nats.shape
    scores = rng.uniform(-11, 0, (N, T, 64))
    alpha = np.exp(scores) / np.exp(scores).sum(2, keepdims=True)
    task = _Task(0 * plain.nats, 0 * plain.nats, alpha, plain.real, -1.0, 0.75, 1.0)
    usual, outcome = subject.calls([plain.given, task.given])
    _judge(plain, _loss(usual))
    _judge(task, _loss(outcome), _FINE)


def _any_number(subject: Subject, rng: Random) -> None:
    """Far larger numbers in the padding, of both signs: alpha is no probability there."""
    task = _draw(rng, padded=True)
    padding = ~task.real
    for size in (1.0, 1e6):
        found = {}
        for name in _LEAVES:
            value = getattr(task, name)
            there = padding if value.ndim == 2 else padding[..., None]
            found[name] = np.where(there, size * rng.standard_normal(value.shape), value)
        other = replace(task, **found)
        loss, baseline = _results(subject.call(other.given))
        _judge(task, scalar(loss, _LOSS, dtype=EITHER, hint=_PADDING))
        _judge_next(task, _number(baseline))


def _moves_on(subject: Subject, rng: Random) -> None:
    """The next baseline, of batches with padding and without, and with other decays."""
    tasks = [_draw(rng), _draw(rng, padded=True), _draw(rng, padded=True)]
    tasks[2] = replace(tasks[2], decay=0.95)
    for task, outcome in zip(tasks, subject.calls([t.given for t in tasks]), strict=True):
        _judge_next(task, _number(_results(outcome)[1]))


def _defaults(subject: Subject, rng: Random) -> None:
    task = replace(_draw(rng), decay=0.9, entropy_weight=0.01)
    given, left_out = subject.calls([task.given, task.given[:5]])
    _require(task, given)
    try:
        _require(task, left_out)
    except Wrong as wrong:
        raise Wrong(
            f"right where both are given, but not where they are left out: {wrong}"
        ) from None


def _to_words_and_looks(subject: Subject, rng: Random) -> None:
    task = _sure(_draw(rng, padded=True))
    loss, found = _back(subject, task)
    _judge(task, loss)
    for name in ("nats", "log_probs"):
        _require_gradient(task, name, found[name])


def _to_weights(subject: Subject, rng: Random) -> None:
    task = _draw(rng, padded=True)
    loss, found = _back(subject, task)
    _judge(task, loss)
    _require_gradient(task, "alpha", found["alpha"])


def _certain(subject: Subject, rng: Random) -> None:
    """Words that look at some regions not at all, and the first words at one region alone."""
    task = _draw(rng)
    kept = rng.rand(*task.alpha.shape) < 0.6
    kept[:, 0] = False
    kept[..., rng.randint(kept.shape[2])] = True
    alpha = np.where(kept, task.alpha, 0)
    alpha /= alpha.sum(-1, keepdims=True)
    task = replace(task, alpha=alpha, log_probs=_looks(rng, alpha))
    loss, found = _back(subject, task, _ZERO)
    _judge(task, loss)
    _require_gradient(task, "alpha", found["alpha"], _ZERO)


def _small(subject: Subject, rng: Random) -> None:
    """One caption, one word, one region, and one of each."""
    shapes = ((1, 4, 3), (4, 1, 3), (3, 4, 1), (1, 1, 1))
    tasks = [_sure(_draw(rng, shape)) for shape in shapes]
    for task, outcome in zip(tasks, subject.calls([t.given for t in tasks]), strict=True):
        _require(task, outcome)


def _reordered(subject: Subject, rng: Random) -> None:
    """Captions and regions change places; of captions without padding the words as well."""
    task, unpadded = _sure(_draw(rng, padded=True)), _sure(_draw(rng))
    rows, regions = (reorder(rng, n) for n in task.alpha.shape[::2])
    words = reorder(rng, unpadded.alpha.shape[1])
    many = {
        "with the captions of the batch in another order": (task, _turned(task, rows)),
        "with the regions in another order": (
            task,
            replace(task, alpha=task.alpha[..., regions]),
        ),
        "with the words in another order": (
            unpadded,
            _turned(unpadded, (slice(None), words)),
        ),
    }
    plain, plain_unpadded, *others = subject.calls(
        [each.given for each in (task, unpadded, *(other for _, other in many.values()))]
    )
    _require(task, plain)
    _require(unpadded, plain_unpadded)
    for (words, (before, _)), outcome in zip(many.items(), others, strict=True):
        if not close(_loss(outcome), _right(before), TOLERANCE_32):
            raise Wrong(f"the loss is right, but {words} it is not the same")


def _types(subject: Subject, rng: Random) -> None:
    task = _sure(_draw(rng, padded=True))
    for dtype in ("float32", "float64"):
        loss, baseline = _results(subject.call(task.of(dtype)))
        try:
            loss = scalar(loss, _LOSS, dtype=dtype)
        except Wrong as wrong:
            told = "float" in str(wrong) or "dtype" in str(wrong)
            raise Wrong(f"{wrong}{_OTHER_TYPE if told else ''}") from None
        _judge(task, loss)
        _judge_next(task, _number(baseline))


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _sure(_draw(rng, padded=True)), _sure(_draw(rng, padded=True))
    gapped = tuple(gaps(each) if is_tensor(each) else each for each in other.given)
    many = [task.given, gapped, task.given]
    for each, outcome in zip((task, other, task), subject.calls(many), strict=True):
        unchanged(outcome.mutated, _NAMES)
        _require(each, outcome)


def _draw(rng: Random, shape: tuple[int, int, int] | None = None, *, padded: bool = False) -> _Task:
    """Draw captions that look at regions drawn from alpha; other numbers stand in the padding."""
    N, T, L = shape or sizes(rng, 3, 3, 8)
    scores = np.exp(rng.uniform(-1.5, 1.5, (N, T, L)))
    alpha = scores / scores.sum(-1, keepdims=True)
    log_probs = _looks(rng, alpha)
    nats = rng.uniform(0.1, 2.5, (N, T))
    numbers = rng.uniform(-6, -2), rng.uniform(0.55, 0.85), rng.uniform(0.2, 0.8)
    numbers = tuple(map(float, numbers))
    if not padded:
        return _Task(nats, log_probs, alpha, np.ones((N, T), bool), *numbers)
    real = ~is_beyond(ragged(rng, N, T), T)
    garbage = rng.uniform(2, 9, (3, N, T))
    return _Task(
        np.where(real, nats, garbage[0]),
        np.where(real, log_probs, garbage[1]),
        np.where(real[..., None], alpha, garbage[2][..., None]),
        real,
        *numbers,
    )


def _sure(task: _Task) -> _Task:
    """The same where entropies do not count: a slip in them costs the cases that ask for them."""
    return replace(task, entropy_weight=0.0)


def _looks(rng: Random, alpha: np.ndarray) -> np.ndarray:
    """The logarithms (N, T) of the weights of regions, all as probable whose weight is above 0."""
    k = (rng.rand(*alpha.shape) * (alpha > 0)).argmax(2)
    return np.log(np.take_along_axis(alpha, k[..., None], 2)[..., 0])


def _turned(task: _Task, order: Any) -> _Task:
    """The same captions or words in another order."""
    names = (*_LEAVES, "real")
    return replace(task, **{name: getattr(task, name)[order] for name in names})


# ------------------------------------------------------------------------------- what comes back


def _require(task: _Task, outcome: Outcome) -> None:
    _judge(task, _loss(outcome))
    _judge_next(task, _number(_results(outcome)[1]))


def _results(outcome: Outcome) -> tuple[Any, Any]:
    loss, baseline = entries(outcome.value, f"{_LOSS}, {_NEXT}")
    if type(loss) in (float, np.float64) and is_tensor(baseline):
        raise Wrong("the results are in another order: the loss comes first, then the baseline")
    return loss, baseline


def _loss(outcome: Outcome) -> float:
    """Return the number. What type it has is a case of its own."""
    return scalar(_results(outcome)[0], _LOSS, dtype=EITHER)


def _number(value: Any) -> float:
    if is_tensor(value):
        raise Wrong(
            f"{_NEXT} is a tensor: expected a float, from .item(), or the next batch's loss hangs "
            "on all that came before"
        )
    return number(value, _NEXT)


def _judge(task: _Task, loss: float, tolerance: float = TOLERANCE_32) -> None:
    right = _right(task)
    if close(loss, right, tolerance):
        return
    named = fitting(np.asarray(loss), _mistaken(task), tolerance)
    named += [_BY_SMALL] if _is_of_small(task, loss, tolerance) else []
    raise Wrong(f"the loss is wrong{': ' + named[0] if named else ''}")


def _judge_next(task: _Task, baseline: float) -> None:
    reward = -_sums(task.nats, task.real)
    right = task.decay * task.baseline + (1 - task.decay) * reward.mean()
    if close(baseline, right, TOLERANCE_32):
        return
    named = fitting(np.asarray(baseline), _other_baselines(task), TOLERANCE_32)
    raise Wrong(f"{_NEXT} is wrong{': ' + named[0] if named else ''}")


def _sums(values: np.ndarray, real: np.ndarray) -> np.ndarray:
    return np.where(real, values, 0.0).sum(1)


def _other_baselines(task: _Task) -> dict[str, float]:
    """What likely mistakes make of the next baseline."""
    old, decay, reward = task.baseline, task.decay, -_sums(task.nats, task.real)
    words = np.maximum(task.real.sum(1), 1)
    rewards = {
        "R is minus the sum of nats: here its sign is wrong": -reward.mean(),
        "the rewards of the captions are added up: take their mean": reward.sum(),
        "R is the sum over a caption's words, not their mean": (reward / words).mean(),
        "R is the sum over a caption's words, not the mean over all words": (
            reward.sum() / words.sum()
        ),
        "the padding counts as well": -task.nats.sum(1).mean(),
        "the mask is upside down: True is a real word": -_sums(task.nats, ~task.real).mean(),
        "the mean of R - baseline is taken, where that of R is asked for": reward.mean() - old,
        "the loss is taken for the reward": _right(task),
        "the loss is taken for the reward, its sign turned": -_right(task),
        "it is made of the first caption's reward alone": reward[0],
        "it is made of the last caption's reward alone": reward[-1],
    }
    mixed = {words: decay * old + (1 - decay) * reward for words, reward in rewards.items()}
    mean = float(reward.mean())
    return {
        "decay belongs to the old baseline, 1 - decay to the mean reward": (
            (1 - decay) * old + decay * mean
        ),
        "it is the old one": old,
        "it is the mean reward alone: the old one has a part in it": mean,
        "the mean reward is not multiplied by 1 - decay": decay * old + mean,
        "the old baseline is not multiplied by decay": old + (1 - decay) * mean,
        "decay is taken for 0.9, whatever is given": 0.9 * old + (1 - 0.9) * mean,
        "its sign is wrong": -(decay * old + (1 - decay) * mean),
        **mixed,
    }


def _back(subject: Subject, task: _Task, hint: str = "") -> tuple[float, dict[str, Any]]:
    """The loss, and what autograd brings to nats, log_probs and alpha."""
    one = floats(np.array(1.0))
    (outcome,) = subject.gradients([(task.given, one)], (0, 1, 2), result=0)
    value, found = outcome.value
    loss = scalar(_results(Outcome(value))[0], _LOSS, dtype=EITHER, hint=hint)
    return loss, dict(zip(_LEAVES, found, strict=True))


def _require_gradient(task: _Task, name: str, gradient: Any, hint: str = "") -> None:
    if gradient is None:
        raise Wrong(
            f"the loss is right, but no gradient comes back to {name}: is something in NumPy, "
            "detached, under torch.no_grad(), or a new tensor made of numbers?"
        )
    shape = getattr(task, name).shape
    found = tensor(gradient, shape, f"the gradient of {name}", dtype=EITHER, hint=hint)
    bad = np.any(found.reshape(*task.real.shape, -1) != 0, axis=2) & ~task.real
    if bad.any():
        raise Wrong(
            f"the loss is right, but {bad.sum()} of {np.sum(~task.real)} places in the padding of "
            f"{name} have a gradient: it must be exactly 0"
        )
    found, truth = (_felt(task, name, each) for each in (found, _slopes(task, right_loss)[name]))
    if close(found, truth, TOLERANCE_32):
        return
    counts = {"N": len(task.nats)}
    others = {
        words: _felt(task, name, _slopes(task, mistake)[name])
        for words, mistake in (UNSEEN | MISTAKES).items()
    }
    named = fitting(found, others | factors(truth, counts), TOLERANCE_32)
    where = f": {named[0]}" if named else differing(found, truth, TOLERANCE_32)
    raise Wrong(f"the loss is right, but the gradient of {name} is not{where}")


def _felt(task: _Task, name: str, gradient: np.ndarray) -> np.ndarray:
    """The gradient, of alpha what of it reaches the scores that alpha is made from."""
    if name != "alpha":
        return gradient
    return np.where(task.real[..., None], to_scores(task.alpha, gradient), 0.0)


# ------------------------------------------------------------------------------- what torch says


def _words(task: _Task) -> Words:
    given = task.given
    leaves = [each.requires_grad_() for each in given[:3]]
    return Words(*leaves, *given[3:])


def _right(task: _Task) -> float:
    return float(right_loss(_words(task)).detach())


def _mistaken(task: _Task) -> dict[str, float]:
    """What likely mistakes make of the loss."""
    w = _words(task)
    return {words: float(mistake(w).detach()) for words, mistake in MISTAKES.items()}


def _is_of_small(task: _Task, loss: float, tolerance: float) -> bool:
    """Say whether something small is added to alpha, or it is cut off below or left out."""
    w = _words(task)
    return any(
        close(loss, float(mistake(w, size).detach()), tolerance)
        for size in 10.0 ** -np.arange(1, 10)
        for mistake in OF_SMALL
    )


def _slopes(task: _Task, loss: Loss) -> dict[str, np.ndarray]:
    """The gradients of a loss by nats, log_probs and alpha."""
    torch, w = torch_here(), _words(task)
    leaves = [getattr(w, name) for name in _LEAVES]
    with torch.enable_grad():
        slopes = torch.autograd.grad(loss(w), leaves, allow_unused=True)
    found = (
        0 * leaf if slope is None else slope for leaf, slope in zip(leaves, slopes, strict=True)
    )
    return {name: each.detach().numpy() for name, each in zip(_LEAVES, found, strict=True)}


REINFORCE_LOSS = Exercise(
    "reinforce_loss",
    points=3,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("one caption of two words, by hand", 1, _by_hand, drawn=False),
        Case("words and looks: nats and (R - baseline) * log_probs", 3, _value(0.0)),
        Case("the entropy of alpha", 2, _value()),
        Case("the entropy of alpha over 64 regions, most of them small", 1, _many_weights),
        Case("different lengths: the padding counts for nothing", 2, _value(0.0, padded=True)),
        Case("the next baseline", 2, _moves_on),
        Case("autograd: nats and log_probs; R is a plain number", 7, _to_words_and_looks),
        Case("autograd: alpha, through the entropy", 1, _to_weights),
        Case("some alpha are exactly 0: in value and in gradient", 2, _certain),
        Case("decay and entropy_weight left out: 0.9 and 0.01", 1, _defaults),
        Case("large numbers in the padding, and alpha below 0 there", 1, _any_number),
        Case("one caption (N = 1), one word (T = 1), one region (L = 1)", 1, _small),
        Case("captions, words and regions in another order", 1, _reordered),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
