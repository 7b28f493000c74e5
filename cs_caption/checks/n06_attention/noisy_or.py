"""The check of noisy_or: by logarithms, where tiny probabilities and large logits lose nothing."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n06_attention.shared import BANNED
from cs_caption.checks.sequences import reorder
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    tensor,
    truths,
    unchanged,
)
from cs_caption.checks.values import TOLERANCE, close, differing, fitting, sizes

Random = np.random.RandomState
Array = np.ndarray
# Two regions each that make numbers of the lecture's lists: hydrant .96, black .84, people .79,
# white .82, and of another picture snow .91, people .85, riding .75, standing .62.
_REGIONS = np.array(
    [
        [[0.8, 0.6, 0.3, 0.7], [0.8, 0.6, 0.7, 0.4]],
        [[0.7, 0.5, 0.5, 0.05], [0.7, 0.7, 0.5, 0.6]],
    ]
)
_BY_HAND = "two regions worked by hand: 0.8 and 0.8 make 0.96"

_RELATIVE = 1e-4  # of a tiny probability
_LOST = (
    ": two numbers are subtracted that are nearly equal, such as 1 and what is missed, and no "
    "digits are left; stay with logarithms to the end, logsigmoid of each region, and let one "
    "function take the exponential and the 1 together"
)
_NAN = (
    ": where a region is all but sure, 1 minus its probability is 0 and has no logarithm, and e to "
    "the power of its logit may be infinite; nn.functional.logsigmoid goes from a logit to a "
    "logarithm directly"
)
_PADDED = ": what stands where mask is False may be large; it must have no part in p"
_OTHER_TYPE = "; is every tensor that you make of the type of logits?"


@dataclass(frozen=True)
class _Task:
    """Logits (N, L, V), and a mask (N, L) or None."""

    logits: Array
    mask: Array | None = None

    @property
    def given(self) -> tuple:
        return self.of("float64")

    def of(self, dtype: str) -> tuple:
        """The arguments, as tensors; without a mask there is only one."""
        logits = floats(self.logits, dtype)
        return (logits,) if self.mask is None else (logits, truths(self.mask))

    @property
    def there(self) -> Array:
        return np.ones(self.logits.shape[:2], bool) if self.mask is None else self.mask


# ------------------------------------------------------------------------------- what is right


def probability(task: _Task) -> Array:
    """Return p (N, V)."""
    return -np.expm1(_missed(task))


def _missed(task: _Task) -> Array:
    """The logarithm of the probability that no region shows the word, (N, V)."""
    return np.where(task.there[..., None], -np.logaddexp(0, task.logits), 0.0).sum(1)


def slopes(task: _Task, dp: Array) -> Array:
    """Return the gradient (N, L, V) of sum(dp * p): of 1 - p by each logit, a product."""
    shown = np.exp(-np.logaddexp(0, -task.logits))
    return np.where(task.there[..., None], (dp * np.exp(_missed(task)))[:, None] * shown, 0.0)


# -------------------------------------------------------------------------- what it looks like


def _shown(task: _Task) -> Array:
    """The probability (N, L, V) that a region shows a word; 0 where there is no region."""
    return np.where(task.there[..., None], np.exp(-np.logaddexp(0, -task.logits)), 0.0)


def _softmax(logits: Array, axis: int) -> Array:
    return np.exp(logits - np.logaddexp.reduce(logits, axis=axis, keepdims=True))


def _count(task: _Task) -> Array:
    return np.maximum(1, task.there.sum(1))[:, None]


def _or(shown: Array) -> Array:
    return 1 - np.prod(1 - shown, axis=1)


def _otherwise(task: _Task) -> dict[str, Array]:
    """What stands in for the product, or for the sigmoid."""
    shown, there = _shown(task), task.there[..., None]
    missed, right = np.where(there, 1 - shown, 1.0), probability(task)
    closed = np.where(there, task.logits, -np.inf)
    best = closed.max(1)
    return {
        "it is the probability that no region shows the word": 1 - right,
        "its sign is wrong: no probability is below 0": -right,
        "it is that no region shows the word, with a wrong sign": right - 1,
        "it is the logarithm that no region shows the word": np.log(np.maximum(1 - right, 1e-300)),
        "it is the logarithm of p": np.log(np.maximum(right, 1e-300)),
        "it is the probability that all regions show the word: one is enough": (
            np.where(there, shown, 1.0).prod(1)
        ),
        "it is 1 minus the product of the sigmoids: 1 is subtracted of each as well": (
            1 - np.where(there, shown, 1.0).prod(1)
        ),
        "it is the largest of the regions' probabilities: the others count too": shown.max(1),
        "it is the mean of the regions' probabilities: one region is enough": (
            shown.sum(1) / _count(task)
        ),
        "it is the sum of the regions' probabilities: two regions may show the same": shown.sum(1),
        "it is the sum of the regions' probabilities, cut at 1: two regions may show the same": (
            np.minimum(1, shown.sum(1))
        ),
        "it is the sigmoid of the sum of the logits": _sigmoid(np.where(there, closed, 0).sum(1)),
        "it is the sigmoid of the mean of the logits": (
            _sigmoid(np.where(there, closed, 0).sum(1) / _count(task))
        ),
        "it is the sigmoid of logsumexp of the logits: nearly a largest, not a product": (
            _sigmoid(np.logaddexp.reduce(closed, axis=1))
        ),
        "it is the largest logit: where is its sigmoid, and where are the other regions?": best,
        "the mean of the logarithms is taken: a product is e to the power of their sum": (
            1 - np.exp(np.log(missed).sum(1) / _count(task))
        ),
        "the mean of what is missed is taken: it is a product": (
            1 - np.where(there, missed, 0).sum(1) / _count(task)
        ),
    }


def _by_softmax(task: _Task) -> dict[str, Array]:
    there, x = task.there[..., None], task.logits
    names = {0: "pictures", 1: "regions", 2: "words"}
    return {
        f"a softmax over the {name} is taken: each region and word has a sigmoid of its own": (
            _or(np.where(there, _softmax(x, axis), 0.0))
        )
        for axis, name in names.items()
    } | {
        "the sigmoid is taken twice": _or(np.where(there, _sigmoid(_shown(task)), 0.0)),
        "the logits are taken for probabilities: where is the sigmoid?": _or(np.where(there, x, 0)),
        "a tanh is taken, not the sigmoid": _or(np.where(there, np.tanh(x), 0)),
        "the sign of the logits is wrong": _or(np.where(there, _sigmoid(-x), 0)),
        "e to the power of the logit is taken, without the 1 + below": (
            _or(np.where(there, np.exp(np.minimum(x, 100)), 0))
        ),
    }


def _by_mask(task: _Task) -> dict[str, Array]:
    """What becomes of p where the mask is used in another way."""
    if task.mask is None:
        return {}
    everywhere, there = _Task(task.logits), task.mask[..., None]
    upside_down = _Task(task.logits, ~task.mask)
    at_zero = np.where(there, task.logits, 0.0)
    pictures = task.mask.any(1)[:, None]
    first = task.mask[:1].repeat(len(task.mask), 0)
    kept = task.mask.sum(1)[:, None] > np.arange(task.mask.shape[1])
    return {
        "the mask is ignored": probability(everywhere),
        "the mask is upside down: True is where there is a region": probability(upside_down),
        "a logit of 0 does not leave a region out: its sigmoid is 0.5": probability(_Task(at_zero)),
        "where mask is False a region counts as sure: it counts as not there": (
            np.where(task.mask.all(1)[:, None], probability(everywhere), 1.0)
        ),
        "all pictures get the first row of mask": probability(_Task(task.logits, first)),
        "the mask is turned into a length: it may have holes": probability(
            _Task(task.logits, kept)
        ),
        "only whole pictures are left out: mask says so of regions": (
            np.where(pictures, probability(everywhere), 0.0)
        ),
        "p is set to 0 where any region is missing": (
            np.where(task.mask.all(1)[:, None], probability(everywhere), 0.0)
        ),
    }


def _of_others(task: _Task) -> dict[str, Array]:
    """Regions left out, and probabilities over more than a picture's own regions."""
    missed = _missed(task)
    return {
        "the first region is left out": probability(_Task(task.logits[:, 1:], task.there[:, 1:])),
        "the last region is left out": probability(_Task(task.logits[:, :-1], task.there[:, :-1])),
        "the regions of all pictures are taken together: each picture has its own": (
            0 * missed - np.expm1(missed.sum(0))
        ),
        "all words are taken together: each has a probability of its own": (
            0 * missed - np.expm1(missed.sum(1, keepdims=True))
        ),
    }


def _counts_a_little(task: _Task, found: Array) -> bool:
    """Say whether each region that is not there has the same small part in p."""
    away = np.sum(~task.there, axis=1)[:, None]
    if not away.any():
        return close(found, probability(task))
    if np.any(found >= 1):
        return False
    more = (np.log1p(-found) - _missed(task)) / np.maximum(away, 1)
    part = more[away[:, 0].argmax(), 0]
    return part < 0 and close(found, -np.expm1(_missed(task) + part * away))


def _sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0, -x))


def _lookalikes(task: _Task) -> dict[str, Array]:
    with np.errstate(all="ignore"):
        return {**_by_mask(task), **_otherwise(task), **_by_softmax(task), **_of_others(task)}


def _named(tasks: list[_Task], found: list[Array]) -> list[str]:
    """The words of what fits all that came back, the most likely first."""
    many = [(_lookalikes(task), probability(task)) for task in tasks]
    words = dict.fromkeys(words for each, _ in many for words in each)
    for (each, right), value in zip(many, found, strict=True):
        words = fitting(value, {name: each.get(name, right) for name in words}, TOLERANCE_32)
    if not words and all(map(_counts_a_little, tasks, found)):
        return ["a region that is not there counts a little: it has no part at all"]
    return list(words)


# ------------------------------------------------------------------------------- what is asked


def _by_hand(subject: Subject, rng: Random) -> None:
    """Probabilities of the lecture's size, the regions' and the picture's, and one region alone."""
    task = _Task(np.log(_REGIONS / (1 - _REGIONS)))
    _judge(subject, [task, _Task(task.logits, np.array([[True, False], [True, True]]))])


def _drawn(masked: bool) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        _judge(subject, [_draw(rng, masked=masked), _draw(rng, masked=masked)])

    return run


def _either(subject: Subject, rng: Random) -> None:
    """No mask, None, and a mask that is True everywhere are the same, after a call with another."""
    masked = _draw(rng, masked=True)
    task = _Task(masked.logits)
    everywhere = _Task(task.logits, np.ones_like(masked.mask))
    many = [masked.given, task.given, (*task.given, None), everywhere.given]
    first, *others = subject.calls(many)
    before, *found = (_found(masked, outcome.value) for outcome in (first, *others))
    if close(before, probability(masked), TOLERANCE_32):
        for each in found:
            if close(each, probability(masked), TOLERANCE_32):
                raise Wrong("p is wrong: without a mask, that of the call before counts again")
    _agree([masked, task, task, everywhere], [before, *found])


def _small(subject: Subject, rng: Random) -> None:
    """One region, one picture, one word; and a picture of which no region is there."""
    N, L, V = sizes(rng, 3, 3, 7)
    shapes = [(N, 1, V), (1, L, V), (N, L, 1), (1, 1, 1)]
    _judge(subject, [_draw(rng, shape) for shape in shapes])
    task = _draw(rng, masked=True)
    task = replace(task, mask=task.mask & (np.arange(len(task.mask)) > 0)[:, None])
    found = _found(task, subject.call(task.given).value)
    if not close(found[0], 0 * found[0], TOLERANCE_32):
        raise Wrong(
            "where mask is False in all of a picture's regions nothing shows a word: p is 0"
        )
    _agree([task], [found])


def _tiny(subject: Subject, rng: Random) -> None:
    """Probabilities down to 1e-34, all regions alike, or one far above the others."""
    N, L, V = sizes(rng, 3, 3, 7)
    alike = _Task(-rng.uniform(20, 75, (N, 1, V)) + rng.uniform(-1, 1, (N, L, V)))
    lower = alike.logits - 3 * (np.arange(L) > rng.randint(L))[:, None]
    mask = rng.rand(N, L) < 0.7
    mask[:, rng.randint(L)] = True
    usual, tiny = _usual(rng), [alike, _Task(lower, mask)]
    outcomes = subject.calls([task.given for task in (*usual, *tiny)])
    _agree(usual, [_found(t, o.value) for t, o in zip(usual, outcomes, strict=False)])
    for task, outcome in zip(tiny, outcomes[len(usual) :], strict=True):
        _require_tiny(task, _found(task, outcome.value))


def _usual(rng: Random) -> list[_Task]:
    """What is asked first where numbers are large or tiny: who is wrong here has other trouble."""
    return [_draw(rng), _draw(rng, masked=True)]


def _require_tiny(task: _Task, found: Array) -> None:
    truth = probability(task)
    if np.all(np.abs(found - truth) <= _RELATIVE * truth):
        return
    if np.all(found >= truth * (1 - _RELATIVE)):
        raise Wrong(f"where p is tiny it is too large{_raised(task, found)}")
    raise Wrong(f"where p is tiny it is {'not precise' if np.any(found) else 0}{_LOST}")


def _raised(task: _Task, found: Array) -> str:
    """Say what raises tiny probabilities; how much it would be is read off what came back."""
    count, truth = _count(task), probability(task)
    floor, added = (found / count).min(), ((found - truth) / count).min()
    cut = {"p": np.maximum(truth, found.min())}
    if 0 < floor < 1:
        closed = np.maximum(task.logits, np.log(floor / (1 - floor)))
        cut["a region"] = probability(replace(task, logits=closed))
    more = (truth + added * count, truth + (found - truth).min())
    if any(_nearly(found, each) for each in cut.values()):
        return ": it is cut off below; what is too small to be seen beside 1 may still count"
    if added > 0 and any(_nearly(found, each) for each in more):
        return ": something small is added"
    return ""


def _nearly(found: Array, other: Array) -> bool:
    return bool(np.all(np.abs(found - other) <= 1e-3 * np.abs(other)))


def _large(subject: Subject, rng: Random) -> None:
    """Regions that are all but sure, or all but impossible: p and its gradient are finite."""
    task = _draw(rng, masked=True)
    size = rng.choice([30.0, 90.0, 800.0, 1e4], task.logits.shape)
    far = _Task(rng.choice([-1, 1], size.shape) * size, task.mask)
    sure = _Task(np.abs(far.logits))
    _judge(subject, _usual(rng))
    for each in (far, sure):
        _back(subject, each, rng, _NAN)


def _gradients(subject: Subject, rng: Random) -> None:
    for masked in (False, True):
        _back(subject, _draw(rng, masked=masked), rng)


def _padded(subject: Subject, rng: Random) -> None:
    """Large numbers where there is no region, in value and in gradient."""
    task = _draw(rng, masked=True)
    far = 1e4 * rng.choice([-1.0, 1.0], task.logits.shape)
    large = np.where(task.mask[..., None], task.logits, far)
    high = np.where(task.mask[..., None], task.logits, 1e4)
    _judge(subject, [task, *_usual(rng)])
    for each in (replace(task, logits=large), replace(task, logits=high)):
        _back(subject, each, rng, _PADDED, _PADDED)


def _reordered(subject: Subject, rng: Random) -> None:
    """Pictures and words change places and p with them; regions do, and p stays what it is."""
    task = _draw(rng, masked=True)
    rows, regions, words = (reorder(rng, n) for n in task.logits.shape)
    many = [
        task,
        _Task(task.logits[rows], task.mask[rows]),
        _Task(task.logits[:, regions], task.mask[:, regions]),
        _Task(task.logits[..., words], task.mask),
    ]
    plain, *others = (
        _found(each, outcome.value)
        for each, outcome in zip(many, subject.calls([m.given for m in many]), strict=True)
    )
    _agree([task], [plain])
    expected = {"pictures": plain[rows], "regions": plain, "words": plain[:, words]}
    for (name, moved), found in zip(expected.items(), others, strict=True):
        if not close(found, moved, TOLERANCE_32):
            raise Wrong(f"p is right, but with the {name} in another order it is not the same")


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng, masked=True)
    for dtype, tolerance in (("float32", TOLERANCE_32), ("float64", TOLERANCE)):
        try:
            found = _found(task, subject.call(task.of(dtype)).value, dtype=dtype)
        except Wrong as wrong:
            told = "float" in str(wrong) or "dtype" in str(wrong)
            raise Wrong(f"{wrong}{_OTHER_TYPE if told else ''}") from None
        _agree([task], [found], tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng, masked=True), _draw(rng, masked=True)
    tasks = [task, other, task]
    outcomes = subject.calls([task.given, tuple(map(gaps, other.given)), task.given])
    for outcome in outcomes:
        unchanged(outcome.mutated, "logits, mask")
    _agree(tasks, [_found(t, o.value) for t, o in zip(tasks, outcomes, strict=True)])


def _draw(rng: Random, shape: tuple[int, int, int] | None = None, *, masked: bool = False) -> _Task:
    """Draw logits of which few regions show a word, and a mask with holes, no two rows alike."""
    N, L, V = shape or sizes(rng, 3, 3, 7)
    logits = rng.normal(-1.0, 1.5, (N, L, V))
    if not masked:
        return _Task(logits)
    mask = rng.rand(N, L) < 0.6
    order = rng.permutation(L)
    mask[:, order[0]], mask[:, order[1]] = True, False
    mask[0, order[2]], mask[1:, order[2]] = True, rng.rand(N - 1) < 0.3
    return _Task(logits, mask)


# ------------------------------------------------------------------------------- what comes back


def _judge(subject: Subject, tasks: list[_Task]) -> None:
    outcomes = subject.calls([each.given for each in tasks])
    _agree(tasks, [_found(t, o.value) for t, o in zip(tasks, outcomes, strict=True)])


def _found(task: _Task, value: Any, hint: str = "", dtype: str = EITHER) -> Array:
    """Return the numbers. What type they have is a case of its own."""
    N, _, V = task.logits.shape
    return tensor(value, (N, V), "p", "(N, V)", dtype=dtype, hint=hint)


def _agree(tasks: list[_Task], found: list[Array], tolerance: float = TOLERANCE_32) -> None:
    """Fail where p is wrong, in words for what fits all of them."""
    pairs = [(value, probability(task)) for task, value in zip(tasks, found, strict=True)]
    wrong = [(value, right) for value, right in pairs if not close(value, right, tolerance)]
    if wrong:
        named = _named(tasks, found)
        where = f": {named[0]}" if named else differing(*wrong[0], tolerance)
        raise Wrong(f"p is wrong{where}")


def _back(subject: Subject, task: _Task, rng: Random, nan: str = "", hint: str = "") -> None:
    """Fail where p or the gradient of the logits is wrong.

    nan, hint: what to say of NaN, and of p that is wrong where usual numbers have come out right.
    """
    N, L, V = task.logits.shape
    dp = rng.uniform(0.5, 2.0, (N, V)) * rng.choice([-1, 1], (N, V))
    (outcome,) = subject.gradients([(task.given, floats(dp))], (0,))
    value, (gradient,) = outcome.value
    found = _found(task, value, nan)
    if hint and not close(found, probability(task), TOLERANCE_32):
        raise Wrong(f"p is wrong{hint}")
    _agree([task], [found])
    if gradient is None:
        raise Wrong(
            "no gradient comes back through p: is something in NumPy, detached, under "
            "torch.no_grad(), or a new tensor made of numbers?"
        )
    name = "the gradient of the logits"
    gradient = tensor(gradient, (N, L, V), name, dtype=EITHER, hint=nan)
    _require_gradient(task, dp, gradient)


def _require_gradient(task: _Task, dp: Array, gradient: Array) -> None:
    if np.any(gradient[~task.there] != 0):
        raise Wrong("regions that are not there have a gradient: it must be exactly 0")
    truth = slopes(task, dp)
    if close(gradient, truth, TOLERANCE_32):
        return
    shown = _shown(task)
    own = np.where(shown == shown.max(1, keepdims=True), truth, 0.0)
    others = {"it is 0 everywhere": 0 * truth, "only the surest region has one: all have": own}
    named = fitting(gradient, others, TOLERANCE_32)
    where = f": {named[0]}" if named else differing(gradient, truth, TOLERANCE_32)
    raise Wrong(f"p is right, but its gradient is not{where}")


NOISY_OR = Exercise(
    "noisy_or",
    points=3,
    referee=lambda: "the definition, in logarithms and in float64, and its derivative",
    banned=BANNED,
    cases=(
        Case(_BY_HAND, 1, _by_hand, drawn=False),
        Case("at least one region: no mask", 3, _drawn(masked=False)),
        Case("a mask with holes: regions that are not there", 3, _drawn(masked=True)),
        Case("no mask, None, and a mask that is True everywhere", 1, _either),
        Case("one region (L = 1), one picture, one word; no region at all", 1, _small),
        Case("tiny probabilities stay precise", 2, _tiny),
        Case("logits up to 10000: p and its gradient stay finite", 2, _large),
        Case("autograd: the gradient of the logits", 2, _gradients),
        Case("large numbers where mask is False", 1, _padded),
        Case("pictures, regions and words in another order", 1, _reordered),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
