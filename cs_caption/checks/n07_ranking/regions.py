"""The check of region_word_scores: torch's layers in float64 decide, and autograd."""

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n06_attention.shared import (
    TYPES,
    called,
    hinted,
    require_gradients,
    result,
    slopes,
)
from cs_caption.checks.n07_ranking.shared import BANNED, DIGITS_LOST
from cs_caption.checks.sequences import reorder
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    is_tensor,
    referee,
    torch_here,
    unchanged,
)
from cs_caption.checks.values import TOLERANCE, close, differing, fitting, sizes

Random = np.random.RandomState
Named = dict[str, np.ndarray]

_NAMES = "a, s, Wv, bv"
_AXES = "(N, M, L, T)"
_PAIRS = (
    "; pictures and sentences are two axes of the result: every picture meets every sentence, not "
    "only the one of its own number"
)
_PROJECTED = (
    "; a region a[n, l] has C numbers and Wv is (C, D): a @ Wv makes D of them. Only then are "
    "regions as long as words"
)


@dataclass(frozen=True)
class _Task:
    """Regions (N, L, C), words (M, T, D), and what makes the ones as long as the others."""

    a: np.ndarray
    s: np.ndarray
    Wv: np.ndarray
    bv: np.ndarray

    @property
    def given(self) -> tuple:
        return self.of("float32")

    def of(self, dtype: str) -> tuple:
        return tuple(floats(each, dtype) for each in (self.a, self.s, self.Wv, self.bv))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        (N, L, _), (M, T, _) = self.a.shape, self.s.shape
        return N, M, L, T


def _by_hand(subject: Subject, rng: Random) -> None:
    """Two regions and four words, in whole numbers."""
    a = np.array([[[1.0, 0.0, 2.0], [0.0, 3.0, -1.0]]])
    s = np.array([[[1, 2, 0, 0, 1], [-2, 0, 1, 0, 0], [0, -1, 0, 3, 1], [1, 1, -1, 0, 2.0]]])
    Wv = np.array([[2, 1, 0, 1, -1], [1, -1, 2, 0, 0], [0, 3, 0, -2, 1.0]])
    _judge(subject, [_Task(a, s, Wv, np.array([1.0, -2.0, 0.0, 3.0, -1.0]))])


def _all(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng), _draw(rng)
    _judge(subject, [task, other, task])


def _biased(subject: Subject, rng: Random) -> None:
    """A bias that outweighs the rest, and regions of which nothing but the bias is left."""
    task = _draw(rng)
    heavy = replace(task, bv=10 * task.bv)
    _judge(subject, [heavy, replace(heavy, a=0 * task.a)])


def _below_0(subject: Subject, rng: Random) -> None:
    """Each number of a region and of a word have other signs, not the same for all numbers."""
    task = _draw(rng)
    a, s, Wv, bv = (abs(each) for each in (task.a, task.s, task.Wv, task.bv))
    signs = np.where(np.arange(len(bv)) % 2, 1, -1)
    _judge(subject, [_Task(a, -s * signs, Wv * signs, bv * signs)])


def _longer(subject: Subject, rng: Random) -> None:
    """Longer words, then longer regions: no score is divided by a length, or squashed."""
    task = _draw(rng)
    far = replace(task, s=100 * task.s), replace(task, Wv=100 * task.Wv, bv=100 * task.bv)
    outcomes = called(subject, [each.given for each in (task, *far)])
    plain, *others = (_scores(t, o) for t, o in zip((task, *far), outcomes, strict=True))
    for things, found in zip(("words", "regions"), others, strict=True):
        if close(plain, _right(task), TOLERANCE_32) and not close(found, 100 * plain, TOLERANCE_32):
            raise Wrong(
                f"with {things} a hundred times as long, the scores are not a hundred times as "
                "large: is something divided by a length, or squashed?"
            )
    for each, found in zip((task, *far), (plain, *others), strict=True):
        _require(each, found)


def _small(subject: Subject, rng: Random) -> None:
    """An axis of length 1 at a time, and all at once: what squeezes, or broadcasts by chance."""
    several = [_draw(rng, **{axis: 1}) for axis in "NMLTCD"]
    _judge(subject, [*several, _draw(rng, **dict.fromkeys("NMLTCD", 1))])


def _moved(*moves: tuple[str, int, str]) -> Run:
    """Return a case: along an axis of an argument, things change places; their scores follow."""

    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng)
        _judge(subject, [task])
        for name, axis, things in moves:
            order = reorder(rng, getattr(task, name).shape[axis])
            moved = replace(task, **{name: np.take(getattr(task, name), order, axis)})
            (outcome,) = called(subject, [moved.given])
            if not close(_scores(moved, outcome), _right(moved), TOLERANCE_32):
                raise Wrong(
                    f"with the {things} in another order, each does not keep its own scores: do "
                    "they depend on its place, or on another's?"
                )

    return run


def _gradients(subject: Subject, rng: Random) -> None:
    """Of a random direction through the scores, to all four."""
    task = _draw(rng)
    dout = floats(rng.standard_normal(task.shape))
    with hinted():
        (outcome,) = subject.gradients([(task.of("float64"), dout)], (0, 1, 2, 3))
    value, gradients = outcome.value
    _require(task, _scores(task, replace(outcome, value=value)))
    found = dict(zip(_NAMES.split(", "), gradients, strict=True))
    leaves = {
        name: each.requires_grad_()
        for name, each in zip(_NAMES.split(", "), task.of("float64"), strict=True)
    }
    with torch_here().enable_grad():
        total = (_made(*leaves.values()) * dout).sum()
    require_gradients(found, slopes(total, leaves), "the scores")


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    for dtype, tolerance in (("float32", TOLERANCE_32), ("float64", TOLERANCE)):
        (outcome,) = called(subject, [task.of(dtype)])
        try:
            found = _scores(task, outcome, dtype)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{TYPES if 'it must be' in str(wrong) else ''}") from None
        _require(task, found, tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng), _draw(rng)
    calls = called(subject, [task.given, tuple(map(gaps, other.given)), task.given])
    for each, outcome in zip((task, other, task), calls, strict=True):
        unchanged(outcome.mutated, _NAMES)
        _require(each, _scores(each, outcome))


def _draw(rng: Random, **axes: int) -> _Task:
    """Draw sizes, no two alike but those that `axes` fixes, and numbers that float32 holds."""
    drawn = dict(zip("NMLTCD", sizes(rng, 6, 2, 8), strict=True)) | axes
    shapes = ("NLC", "MTD", "CD", "D")
    numbers = (rng.uniform(-1, 1, [drawn[axis] for axis in shape]) for shape in shapes)
    return _Task(*(np.float32(each).astype(float) for each in numbers))


# ------------------------------------------------------------------------------- what comes back


def _judge(subject: Subject, tasks: list[_Task]) -> None:
    """Call once for each task; what it stops with gets a hint."""
    try:
        outcomes = called(subject, [task.given for task in tasks])
    except Wrong as wrong:
        raise Wrong(f"{wrong}{_hint(str(wrong))}") from None
    for task, outcome in zip(tasks, outcomes, strict=True):
        _require(task, _scores(task, outcome))


def _hint(words: str) -> str:
    if "batch2" in words:
        return _PAIRS
    return _PROJECTED if "shapes cannot be multiplied" in words else ""


def _scores(task: _Task, outcome: Outcome, dtype: str = EITHER) -> np.ndarray:
    value, shape = outcome.value, task.shape
    if is_tensor(value) and tuple(value.shape) != shape:
        words = _of_shape(task, tuple(value.shape))
        if words:
            found = tuple(value.shape)
            raise Wrong(f"the result has shape {found}, expected {shape} = {_AXES}: {words}")
    return result(value, shape, "the result", _AXES, dtype=dtype)


def _of_shape(task: _Task, found: tuple[int, ...]) -> str:
    """What makes a result of this shape, if no other thing could."""
    N, M, L, T = task.shape
    if sorted(found) == sorted(task.shape) and len({*found}) == 4:
        letters = dict(zip(task.shape, "NMLT", strict=True))
        return f"its axes are ({', '.join(letters[n] for n in found)}), in another order"
    best = "image_sentence_score chooses and adds up; here each score is returned"
    several = {
        (N, M, L, T, task.s.shape[2]): "products are still to be added up: a dot product is a sum",
        (N, L, T): "picture n meets sentence n alone: every picture meets every sentence",
        (N, M, T): f"the regions are gone: {best}",
        (N, M, L): f"the words are gone: {best}",
        (N, M): f"regions and words are gone: {best}",
    }
    return several.get(found, "") if len(several) == 5 else ""


def _require(task: _Task, found: np.ndarray, tolerance: float = TOLERANCE_32) -> None:
    right = _right(task)
    if close(found, right, tolerance):
        return
    if close(found, right, TOLERANCE_32):
        raise Wrong(f"the scores are right but for their last digits{DIGITS_LOST}")
    named = fitting(found, _lookalikes(task, right), tolerance)
    if not named and _is_mixed(found, right):
        named = ["its axes are mixed: reshape and view do not swap axes"]
    where = f": {named[0]}" if named else differing(found, right, tolerance)
    raise Wrong(f"the scores are wrong{where}")


def _is_mixed(found: np.ndarray, right: np.ndarray) -> bool:
    """Say whether axes in another order were given the right lengths by a reshape."""
    turned = (right.transpose(order).reshape(right.shape) for order in permutations(range(4)))
    return any(close(found, other, TOLERANCE_32) for other in turned)


# ------------------------------------------------------------------------------- what torch says


def _made(a: Any, s: Any, Wv: Any, bv: Any) -> Any:
    """The scores, word by word."""
    torch = torch_here()
    v = torch.nn.functional.linear(a, Wv.T, bv)
    rows = [torch.stack([v @ word for word in words], dim=2) for words in s]
    return torch.stack(rows, dim=1)


def _right(task: _Task) -> np.ndarray:
    with torch_here().no_grad():
        return _made(*task.of("float64")).numpy()


def _lookalikes(task: _Task, right: np.ndarray) -> Named:
    """What likely mistakes make of the scores, each under the words that name it."""
    bare = task.a @ task.Wv
    v, s = bare + task.bv, task.s
    pairs = _other_regions(task, bare, v) | {
        "there is a ReLU on the words: here they come as they are": (v, np.maximum(s, 0)),
        "regions and words are made 1 long, so these are cosines: here lengths count": (
            _unit(v),
            _unit(s),
        ),
        "the words are made 1 long: here lengths count": (v, _unit(s)),
        "every picture meets the words of the first sentence: each sentence has its own": (
            v,
            s[:1] + 0 * s,
        ),
        "the words of a sentence meet their regions as one, their mean: each has a score": (
            v,
            s.mean(1, keepdims=True) + 0 * s,
        ),
        "the numbers of the words are mixed: reshape and view do not swap axes": (
            v,
            s.reshape(s.shape[0], s.shape[2], s.shape[1]).swapaxes(1, 2),
        ),
        "the numbers of all sentences' words are mixed: reshape and view do not swap axes": (
            v,
            s.reshape(s.shape[2], -1).T.reshape(s.shape),
        ),
    }
    products = {words: np.einsum("nld,mtd->nmlt", *pair) for words, pair in pairs.items()}
    return products | _other_sums(task, v, right)


def _other_regions(task: _Task, bare: np.ndarray, v: np.ndarray) -> dict[str, tuple]:
    """Something else in the regions' place, each with the words as they are."""
    first = (np.arange(v.shape[1]) == 0)[:, None]
    found = {
        "bv has no part in them": bare,
        "bv is added twice": v + task.bv,
        "bv is taken away: it is added": bare - task.bv,
        "only the first region of a picture gets bv: every region does": bare + first * task.bv,
        "there is a ReLU on the regions: v = a Wv + bv is all": np.maximum(v, 0),
        "there is a tanh on the regions: v = a Wv + bv is all": np.tanh(v),
        "there is a sigmoid on the regions: v = a Wv + bv is all": 1 / (1 + np.exp(-v)),
        "the regions are made 1 long: here lengths count": _unit(v),
        "the mean of a picture's regions is taken away: each comes as it is": (
            v - v.mean(1, keepdims=True)
        ),
        "every region is the mean of its picture's: each has its own scores": (
            v.mean(1, keepdims=True) + 0 * v
        ),
        "the regions are those of the first picture: each picture has its own": v[:1] + 0 * v,
    }
    if task.Wv.shape[0] == task.Wv.shape[1]:
        found["Wv is transposed: its rows are the numbers of a region"] = task.a @ task.Wv.T
    return {words: (regions, task.s) for words, regions in found.items()}


def _other_sums(task: _Task, v: np.ndarray, right: np.ndarray) -> Named:
    """Something else than a dot product, or something after it."""
    D = v.shape[2]
    apart = v[:, None, :, None] - task.s[None, :, None]
    far = np.square(apart).sum(-1)
    below = np.exp(right - right.max())
    return {
        "scores below 0 are made 0: they stay below": np.maximum(right, 0),
        "they are made positive: scores below 0 stay below": abs(right),
        "they are divided by the root of D: here nothing divides them": right / D**0.5,
        "it is the mean of the products: a dot product is their sum": right / D,
        "they are squashed by a tanh: here they come as they are": np.tanh(right),
        "they are squashed by a sigmoid: here they come as they are": 1 / (1 + np.exp(-right)),
        "e to the power of the scores is returned: here they come as they are": np.exp(right),
        "there is a softmax over the regions: here scores come as they are": (
            below / below.sum(2, keepdims=True)
        ),
        "there is a softmax over the words: here scores come as they are": (
            below / below.sum(3, keepdims=True)
        ),
        "they are distances, not dot products": np.sqrt(far),
        "they are squared distances, not dot products": far,
        "they are distances below 0, not dot products": -np.sqrt(far),
        "they are squared distances below 0, not dot products": -far,
        "their sign is wrong": -right,
        "the sum of bv is added to the scores: bv is added to the regions": (
            right - _of_bias(task) + task.bv.sum()
        ),
    }


def _of_bias(task: _Task) -> np.ndarray:
    """What bv adds to the scores of each word: (M, 1, T)."""
    return (task.s @ task.bv)[:, None]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(1e-12)


REGION_WORD_SCORES = Exercise(
    "region_word_scores",
    points=4,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("two regions and four words, in whole numbers", 1, _by_hand, drawn=False),
        Case("every region of every picture, with every word of every sentence", 3, _all),
        Case("bv belongs to every region", 2, _biased),
        Case("scores below 0 stay below", 1, _below_0),
        Case("longer words and longer regions: larger scores", 1, _longer),
        Case("one picture, sentence, region or word; one number in a region or a word", 1, _small),
        Case(
            "pictures and sentences in another order: each keeps its own scores",
            1,
            _moved(("a", 0, "pictures"), ("s", 0, "sentences")),
        ),
        Case(
            "regions and words in another order: each keeps its own scores",
            1,
            _moved(("a", 1, "regions"), ("s", 1, "words")),
        ),
        Case("autograd reaches a, s, Wv and bv", 4, _gradients),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
