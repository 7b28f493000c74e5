"""The check of hard_attention_sample: u says which region it is, so nothing is left to chance.

Where a draw falls on the edge of a region, the weights are multiples of 1/64: in whatever order
they are added up, their running sums are exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.n06_attention.shared import BANNED
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
    tensor,
    unchanged,
)
from cs_caption.checks.values import close, differing, entries, factors, fitting, sizes
from cs_caption.checks.wire import Foreign

Random = np.random.RandomState

_RESULTS = "z, k, log_prob"
_PARTS = 64
_LITTLE = 0.03  # smaller alpha are those that somebody may leave out
_EVEN = 400  # random numbers spread evenly from 0 to 1
_SHORT = {"float32": 2.0**-22, "float64": 2.0**-50}  # what rounding leaves missing in a sum
_OTHER_TYPE = "; is every tensor that you make of the type of alpha, or of a?"
_OF_0 = (
    ": some alpha are 0, and of 0 there is no logarithm. Take out the weight that was drawn, and "
    "the logarithm of that alone"
)
_OF_1 = (
    "; where rounding leaves the whole running sum at u or below, it is the last region whose "
    "alpha is above 0"
)
_PAIRS = ": a[:, k] takes every k of each picture; picture n has its own, k[n]"
_MET = (
    ": every picture meets every other, as where something of shape (N, 1) stands beside something "
    "of shape (N,), or where [:, k] takes every k of each picture"
)
_WHOLE = ("Tensor of int32", "Tensor of int16", "Tensor of int8")


@dataclass(frozen=True)
class _Task:
    """Weights (N, L), vectors (N, L, C), a random number each (N,), and the region it draws."""

    alpha: np.ndarray
    a: np.ndarray
    u: np.ndarray
    k: np.ndarray

    @property
    def given(self) -> tuple:
        """The arguments, as tensors of float64."""
        return self.of("float64")

    def of(self, dtype: str) -> tuple:
        """The arguments, as tensors of this type."""
        return tuple(floats(each, dtype) for each in (self.alpha, self.a, self.u))

    def rows(self, order: np.ndarray) -> "_Task":
        """The same pictures in another order."""
        return _Task(self.alpha[order], self.a[order], self.u[order], self.k[order])


def _by_hand(subject: Subject, rng: Random) -> None:
    """Four regions, one of which is never looked at, and random numbers far from any edge."""
    alpha = np.tile([0.125, 0.5, 0.0, 0.375], (5, 1))
    u = np.array([0.0625, 0.5625, 0.875, 0.25, 0.6875])
    a = 10 * np.arange(5)[:, None, None] + np.arange(4)[:, None] + np.array([0.0, 0.5, 100])
    task = _Task(alpha, a, u, np.array([0, 1, 3, 1, 3]))
    _require(task, _twice(subject, task))


def _regions(subject: Subject, rng: Random) -> None:
    task = _draw(rng, rows=30)
    _judge_regions(task, _found(task, _twice(subject, task)).k)


def _vectors(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    _judge_vectors(task, _found(task, subject.call(task.given)))


def _log_probs(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    _judge_log_probs(task, _found(task, subject.call(task.given)))


def _often(subject: Subject, rng: Random) -> None:
    """Random numbers spread evenly from 0 to 1: each region comes as often as its weight says."""
    L, C = sizes(rng, 2, 3, 8)
    alpha = np.tile(_weights(rng, (1, L)), (_EVEN, 1))
    u = rng.permutation((np.arange(_EVEN) + 0.5) / _EVEN)
    at_edge = np.abs(u[:, None] - alpha.cumsum(1)).min(1) < 1e-5
    u = u + 1e-4 * at_edge
    task = _Task(alpha, rng.standard_normal((_EVEN, L, C)), u, _drawn(alpha, u))
    _judge_regions(task, _found(task, _twice(subject, task)).k)


def _on_an_edge(subject: Subject, rng: Random) -> None:
    """u is a running sum, in every second picture one after which a weight of 0 comes."""
    task = _dyadic(rng)
    sums, nothing = task.alpha.cumsum(1), (task.alpha == 0).argmax(1)
    inner = [rng.choice(row[(row > 0) & (row < 1)]) for row in sums]
    before = sums[np.arange(len(sums)), nothing - 1]
    u = np.where(np.arange(len(sums)) % 2, before, inner)
    task = replace(task, u=u, k=_drawn(task.alpha, u))
    _require_after_others(subject, rng, [task])


def _at_0(subject: Subject, rng: Random) -> None:
    """u is 0, and the first regions have a weight of 0, or not."""
    nobody, somebody = _dyadic(rng, first=2), _dyadic(rng)
    tasks = [replace(t, u=0 * t.u, k=_drawn(t.alpha, 0 * t.u)) for t in (nobody, somebody)]
    _require_after_others(subject, rng, tasks)


def _small_weights(subject: Subject, rng: Random) -> None:
    """Weights down to 2e-7, the smallest first: their running sums are as small as they are."""
    _require_after_others(subject, rng, [_tiny(rng)])


def _rounded(subject: Subject, rng: Random) -> None:
    """The weights add up to a little less than 1, and u is the largest number below 1.

    So it is in most pictures of the batch, whose last regions are not the same.
    """
    for (dtype, short), ends in product(_SHORT.items(), ((2, 1), (0, 1, 2))):
        plain = _dyadic(rng, ends=ends)
        below = np.nextafter(np.array(1, dtype), np.array(0, dtype))
        rows, last = np.arange(len(plain.k)), _last(plain.alpha)
        beyond, alpha = rows != rng.randint(len(rows)), plain.alpha.copy()
        alpha[rows, last] -= short
        u, k = np.where(beyond, float(below), plain.u), np.where(beyond, last, plain.k)
        task = _Task(alpha, plain.a, u, k)
        _require(plain, subject.call(plain.of(dtype)))
        try:
            _require(task, subject.call(task.of(dtype)), dtype)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{_OF_1}") from None


def _gradient(subject: Subject, rng: Random) -> None:
    """The gradient of the logarithm, where some of the weights are exactly 0."""
    task = _dyadic(rng)
    dout = rng.standard_normal(len(task.u))
    (outcome,) = subject.gradients([(task.given, floats(dout))], (0,), result=2)
    value, (gradient,) = outcome.value
    found = _found(task, Outcome(value))
    _judge_log_probs(task, found)
    if gradient is None:
        raise Wrong(
            "log_prob is right, but no gradient comes back through it to alpha: is something in "
            "NumPy, detached, under torch.no_grad(), or a new tensor made of numbers?"
        )
    name = "the gradient that log_prob brings to alpha"
    gradient = tensor(gradient, task.alpha.shape, name, dtype=EITHER, hint=_OF_0)
    picked = found.k[:, None] == np.arange(task.alpha.shape[1])
    truth = dout[:, None] * (picked - task.alpha)
    gradient = to_scores(task.alpha, gradient)
    if close(gradient, truth, TOLERANCE_32):
        return
    others = factors(truth, {"N": len(task.u)}) | {
        "it is that of the probability itself, not of its logarithm": (
            to_scores(task.alpha, dout[:, None] * picked)
        ),
    }
    named = fitting(gradient, others, TOLERANCE_32)
    where = f": {named[0]}" if named else ""
    raise Wrong(f"log_prob is right, but {name} is not{where}")


def _gradient_of_vectors(subject: Subject, rng: Random) -> None:
    """z is the vector itself: a gradient goes to it, and none to the weights."""
    task = _draw(rng)
    dout = rng.standard_normal((len(task.u), task.a.shape[2]))
    (outcome,) = subject.gradients([(task.given, floats(dout))], (0, 1), result=0)
    value, (to_alpha, to_a) = outcome.value
    found = _found(task, Outcome(value))
    _judge_vectors(task, found)
    if to_alpha is not None and np.any(tensor(to_alpha, task.alpha.shape, "it", dtype=EITHER) != 0):
        raise Wrong(
            "z is right, but a gradient comes back through it to alpha: a region that was drawn is "
            "one vector of a, whatever its alpha; only log_prob reaches alpha"
        )
    if to_a is None:
        raise Wrong("z is right, but no gradient comes back through it to a: is it detached?")
    truth = np.zeros(task.a.shape)
    truth[np.arange(len(dout)), found.k] = dout
    to_a = tensor(to_a, truth.shape, "the gradient of a", dtype=EITHER)
    if not close(to_a, truth, TOLERANCE_32):
        raise Wrong(
            f"z is right, but the gradient of a is not{differing(to_a, truth, TOLERANCE_32)}"
        )


def _small(subject: Subject, rng: Random) -> None:
    """One picture, one region, one number a region."""
    tasks = [_draw(rng, *shape) for shape in ((1, 4, 3), (4, 1, 3), (3, 4, 1), (1, 1, 1))]
    for task, outcome in zip(tasks, subject.calls([t.given for t in tasks]), strict=True):
        _require(task, outcome)


def _reordered(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    moved = task.rows(reorder(rng, len(task.u)))
    plain, other = subject.calls([task.given, moved.given])
    _require(task, plain)
    try:
        _require(moved, other)
    except Wrong as wrong:
        words = "right, but not with the pictures of the batch in another order"
        raise Wrong(f"{words}: {wrong}") from None


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    for dtype in ("float32", "float64"):
        found = _found(task, subject.call(task.of(dtype)), exact=True)
        for name, value in (("z", found.z), ("log_prob", found.log_prob)):
            kind = str(getattr(value, "dtype", dtype)).removeprefix("torch.")
            if kind != dtype:
                raise Wrong(f"{name} is {kind}: it must be {dtype}, as what is given{_OTHER_TYPE}")
        _judge_vectors(task, found)
        _judge_log_probs(task, found)


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng), _draw(rng)
    many = [task.given, tuple(map(gaps, other.given)), task.given]
    for each, outcome in zip((task, other, task), subject.calls(many), strict=True):
        unchanged(outcome.mutated, "alpha, a, u")
        _require(each, outcome)


def _draw(
    rng: Random, rows: int | None = None, regions: int | None = None, width: int | None = None
) -> _Task:
    """Draw a task in which each region is as likely to be drawn, far from its edges."""
    N, L, C = sizes(rng, 3, 3, 8)
    N, L, C = rows or N, regions or L, width or C
    alpha, k = _weights(rng, (N, L)), rng.randint(0, L, N)
    own = alpha[np.arange(N), k]
    u = alpha.cumsum(1)[np.arange(N), k] - rng.uniform(0.2, 0.8, N) * own
    return _Task(alpha, rng.standard_normal((N, L, C)), u, k)


def _dyadic(rng: Random, first: int = 0, ends: tuple[int, ...] = (0,)) -> _Task:
    """Draw weights that are multiples of 1/64, some of them 0: one inside, and the first ones.

    ends: and how many last ones, picture by picture in turn. u is in the middle of the region that
    it draws.
    """
    N, L, C = sizes(rng, 3, 5, 9)
    counts = np.zeros((N, L), int)
    for row, last in zip(counts, np.resize(ends, N), strict=True):
        some = np.arange(first, L - last)
        some = np.delete(some, rng.randint(1, len(some) - 1))
        row[some] = 1 + rng.multinomial(_PARTS - len(some), np.full(len(some), 1 / len(some)))
    k = np.array([rng.choice(np.flatnonzero(row)) for row in counts])
    u = (counts.cumsum(1)[np.arange(N), k] - counts[np.arange(N), k] / 2) / _PARTS
    return _Task(counts / _PARTS, rng.standard_normal((N, L, C)), u, k)


def _tiny(rng: Random) -> _Task:
    """Draw weights each of which is some ten times the one before it, a 0 among them."""
    N, L, C = sizes(rng, 3, 7, 10)
    alpha = 2e-7 * 10.0 ** (np.arange(L) * 6.2 / (L - 1)) * rng.uniform(1, 1.5, (N, L))
    alpha[np.arange(N), rng.randint(1, L - 1, N)] = 0
    alpha[:, -1] += 1 - alpha.sum(1)
    k = np.array([rng.choice(np.flatnonzero(row[:-1])) for row in alpha])
    k[:2] = 0
    rows = np.arange(N)
    u = alpha.cumsum(1)[rows, k] - rng.uniform(0.3, 0.7, N) * alpha[rows, k]
    return _Task(alpha, rng.standard_normal((N, L, C)), u, k)


def _weights(rng: Random, shape: tuple[int, int]) -> np.ndarray:
    scores = np.exp(rng.uniform(-1.2, 1.2, shape))
    return scores / scores.sum(1, keepdims=True)


def _drawn(alpha: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The regions (N,) that u draws."""
    return np.minimum((alpha.cumsum(1) <= u[:, None]).sum(1), _last(alpha))


def _last(alpha: np.ndarray) -> np.ndarray:
    """The last region of each picture whose weight is above 0."""
    return alpha.shape[1] - 1 - (alpha[:, ::-1] > 0).argmax(1)


def to_scores(alpha: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return what a gradient of weights (.., L) becomes on its way to the scores they come from.

    Weights add up to 1: what a gradient says of moves that leave that sum has no effect, nor what
    it says of a weight of 0. So answers that divide by the sum, or keep a logarithm from 0 by a
    bound, are as right as others.
    """
    moved = alpha * gradient
    return moved - alpha * moved.sum(-1, keepdims=True)


# ------------------------------------------------------------------------------- what comes back


@dataclass(frozen=True)
class _Found:
    """What came back; k is checked to be regions, z and log_prob only to be."""

    z: Any
    k: np.ndarray
    log_prob: Any


def _require(task: _Task, outcome: Outcome, dtype: str = "float64") -> None:
    found = _found(task, outcome)
    _judge_regions(task, found.k, dtype)
    _judge_vectors(task, found)
    _judge_log_probs(task, found)


def _twice(subject: Subject, task: _Task) -> Outcome:
    """Call it twice; what has drawn the regions, if not u, draws others."""
    outcomes = subject.calls([task.given, task.given])
    once, again = (_found(task, outcome).k for outcome in outcomes)
    if np.any(once != again):
        raise Wrong("called again with the same u it draws other regions: u alone decides")
    return outcomes[0]


def _found(task: _Task, outcome: Outcome, *, exact: bool = False) -> _Found:
    """What came back; unless `exact`, k may be of other whole numbers, or of shape (N, 1)."""
    z, k, log_prob = entries(outcome.value, _RESULTS)
    if is_tensor(z) and str(z.dtype) == "torch.int64" and is_tensor(k) and k.is_floating_point():
        raise Wrong("the results are in another order: z comes first, then k, then log_prob")
    return _Found(z, _whole(task, k if exact else _eased(task, z, k)), log_prob)


def _require_after_others(subject: Subject, rng: Random, tasks: list[_Task]) -> None:
    """First what is not far from usual: who is wrong there has no trouble with edges."""
    tasks = [_draw(rng, 12), *tasks]
    for task, outcome in zip(tasks, subject.calls([t.given for t in tasks]), strict=True):
        _require(task, outcome)


def _eased(task: _Task, z: Any, k: Any) -> Any:
    """k as int64 of shape (N,), where it is not far from it: that costs a case of its own.

    Numbers of other types do not cross: the regions are those whose vectors z has.
    """
    N, _, C = task.a.shape
    if is_tensor(k) and tuple(k.shape) == (N, 1):
        return k[:, 0]
    if type(k) is not Foreign or k.kind not in _WHOLE:
        return k
    if not is_tensor(z) or tuple(z.shape) != (N, C):
        return k
    alike = np.abs(np.asarray(z.numpy(), float)[:, None] - task.a) <= TOLERANCE_32
    alike = alike.all(2)
    return floats(alike.argmax(1), "int64") if np.all(alike.sum(1) == 1) else k


def _forward(value: Any, shape: tuple[int, ...], name: str, axes: str) -> None:
    """Fail where there is an axis too many, in words for what is made on the way forward."""
    found = tuple(value.shape) if is_tensor(value) else ()
    if len(found) != len(shape) + 1:
        return
    hint = ""
    if any(n == 1 and found[:i] + found[i + 1 :] == shape for i, n in enumerate(found)):
        hint = ": it has an axis of length 1 too many (from keepdim=True, or [:, None]?)"
    elif found[:2] == 2 * shape[:1]:
        hint = _PAIRS if name == "z" else _MET
    raise Wrong(f"{name} has shape {found}, expected {shape} = {axes}{hint}")


def _whole(task: _Task, value: Any) -> np.ndarray:
    """The regions, if they are some."""
    kind = value.kind if type(value) is Foreign else str(getattr(value, "dtype", ""))
    if (is_tensor(value) and kind != "torch.int64") or kind.startswith("Tensor of int"):
        kind = kind.removeprefix("torch.").removeprefix("Tensor of ")
        raise Wrong(f"k is {kind}: the numbers of regions are int64")
    _forward(value, task.u.shape, "k", "(N,)")
    k = tensor(value, task.u.shape, "k", "(N,)", dtype="int64").astype(int)
    L = task.alpha.shape[1]
    if np.any((k < 0) | (k >= L)):
        raise Wrong(f"k is not a region in {np.sum((k < 0) | (k >= L))} of {k.size} pictures")
    return k


def _judge_regions(task: _Task, k: np.ndarray, dtype: str = "float64") -> None:
    if np.array_equal(k, task.k):
        return
    for words, other in _at_edges(task, dtype).items():
        if np.array_equal(k, other):
            raise Wrong(f"k is wrong: {words}")
    named = [words for words, other in _other_regions(task).items() if np.array_equal(k, other)]
    if len({words.split(" (")[0] for words in named}) == 1:
        raise Wrong(f"k is wrong: {named[0]}")
    if _is_without_small(task, k):
        raise Wrong(
            "k is wrong: regions whose alpha is small are never drawn: they are, if not often"
        )
    nowhere = np.sum(_of_drawn(task.alpha, k) == 0)
    if nowhere:
        raise Wrong(
            f"k is wrong: in {nowhere} of {k.size} pictures it is a region whose alpha is 0"
        )
    raise Wrong(f"k is wrong in {np.sum(k != task.k)} of {k.size} pictures")


def _at_edges(task: _Task, dtype: str) -> dict[str, np.ndarray]:
    """The regions that likely mistakes draw where u is a running sum, or none is greater."""
    alpha, last = task.alpha, _last(task.alpha)
    sums = alpha.astype(dtype).cumsum(1, dtype=dtype)
    beyond = ~(sums > task.u[:, None].astype(dtype)).any(1)
    if not beyond.any():
        words = "it is the first region at which the running sum reaches u: it is to be greater"
        return {words: (sums >= task.u[:, None]).argmax(1)}
    taken = {
        "region 0 is taken": 0,
        "the last region is taken, though its alpha is 0": alpha.shape[1] - 1,
        "the last region of the first picture is taken: each picture has its own": last[0],
        "the last region of the last picture is taken: each picture has its own": last[-1],
        "one region is taken for all pictures: each has its own": last[beyond].max(),
        "one region is taken for all pictures: each has its own last one": last.max(),
        "the last region that all pictures look at is taken": (
            np.flatnonzero((alpha > 0).all(0)).max(initial=0)
        ),
        "the regions whose alpha is above 0 are counted: before the last of them some are 0": (
            (alpha > 0).sum(1) - 1
        ),
        "the region with the largest alpha is taken": alpha.argmax(1),
        "the region with the smallest alpha is taken": (
            np.where(alpha > 0, alpha, np.inf).argmin(1)
        ),
        "the first region whose alpha is above 0 is taken": (alpha > 0).argmax(1),
    }
    when = "where no running sum is greater than u, "
    return {when + words: np.where(beyond, k, task.k) for words, k in taken.items()} | {
        "where in one picture no running sum is greater than u, all get their last region": last
    }


def _is_without_small(task: _Task, k: np.ndarray) -> bool:
    """Say whether these regions are drawn where weights below some size are taken for 0."""
    tried = (size for size in np.unique(task.alpha) if size < _LITTLE)
    drawn = (_drawn(np.where(task.alpha <= size, 0.0, task.alpha), task.u) for size in tried)
    return any(np.array_equal(k, each) for each in drawn)


def _other_regions(task: _Task) -> dict[str, np.ndarray]:
    """The regions that likely mistakes draw, each under the words that name it."""
    alpha, u, (N, L) = task.alpha, task.u, task.alpha.shape
    order = np.argsort(-alpha, axis=1, kind="stable")
    by_size = _drawn(np.take_along_axis(alpha, order, 1), u)

    def first(passed: np.ndarray) -> np.ndarray:
        return np.where(passed.any(1), passed.argmax(1), L - 1)

    early = alpha.cumsum(0) <= u[:, None]
    over_pictures = "the running sum goes over the pictures, not over the regions"
    itself = "alpha itself is compared with u, not its running sum"
    sorted_first = "the regions are sorted by alpha before the running sum: they stay in order"
    return {
        "it is the region with the largest alpha, whatever u is": alpha.argmax(1),
        "it is the region with the smallest alpha, whatever u is": alpha.argmin(1),
        "alpha is added up from the last region on, or u is taken for 1 - u": (
            L - 1 - _drawn(alpha[:, ::-1], u)
        ),
        "every picture is drawn with the first u": _drawn(alpha, 0 * u + u[0]),
        "every picture is drawn with the first row of alpha": _drawn(0 * alpha + alpha[0], u),
        over_pictures: first(~early),
        f"{over_pictures} (it grows)": np.minimum(early.sum(1), _last(alpha)),
        "the running sum goes on from picture to picture: each starts from 0": (
            first(alpha.ravel().cumsum().reshape(N, L) > u[:, None])
        ),
        itself: first(alpha > u[:, None]),
        f"{itself} (and where none is greater, region 0 is taken)": (
            np.argmax(alpha > u[:, None], axis=1)
        ),
        "every region is as probable as any other: alpha has no part": (
            np.minimum(np.floor(u * L), L - 1)
        ),
        sorted_first: np.take_along_axis(order, by_size[:, None], 1)[:, 0],
        f"{sorted_first}, and k says where they stood": by_size,
        "it is one region too early": np.maximum(task.k - 1, 0),
        "it is one region too late": np.minimum(task.k + 1, L - 1),
        "it is the last region, always": _last(alpha),
        "it is the first region, always": 0 * task.k,
    }


def _judge_vectors(task: _Task, found: _Found) -> None:
    """z is judged by the region that was drawn, be it the right one or not."""
    (N, _, C), rows = task.a.shape, np.arange(len(found.k))
    _forward(found.z, (N, C), "z", "(N, C)")
    z = tensor(found.z, (N, C), "z", "(N, C)", dtype=EITHER)
    right = task.a[rows, found.k]
    if close(z, right, TOLERANCE_32):
        return
    own, L = _of_drawn(task.alpha, found.k)[:, None], task.alpha.shape[1]
    others = {
        "it is the sum over all regions, as of soft attention: take the one that was drawn": (
            np.einsum("nl,nlc->nc", task.alpha, task.a)
        ),
        "it is scaled by its alpha: take the vector as it is": own * right,
        "it is divided by its alpha: take the vector as it is": right / np.maximum(own, 1e-9),
        "every picture gets a region of the first one": task.a[0, found.k],
        "it is the mean of all regions": task.a.mean(1),
        "it is the region before": task.a[rows, (found.k - 1) % L],
        "it is the region after": task.a[rows, (found.k + 1) % L],
        "every picture gets the region that the first one draws": task.a[:, found.k[0]],
    }
    _say("z", z, right, others)


def _judge_log_probs(task: _Task, found: _Found) -> None:
    """The same of log_prob."""
    own, rows = _of_drawn(task.alpha, found.k), np.arange(len(found.k))
    hint = "" if np.all(own > 0) else ": a region was drawn whose alpha is 0"
    _forward(found.log_prob, own.shape, "log_prob", "(N,)")
    log_prob = tensor(found.log_prob, own.shape, "log_prob", "(N,)", dtype=EITHER, hint=hint)
    right = np.log(np.maximum(own, np.finfo(float).tiny))
    if close(log_prob, right, TOLERANCE_32):
        return
    logs = np.log(np.maximum(task.alpha, np.finfo(float).tiny))
    others = {
        "it is the probability, not its logarithm": own,
        "its sign is wrong: the logarithm of a probability is 0 or below": -right,
        "it is a logarithm to base 2": np.log2(own),
        "it is a logarithm to base 10": np.log10(own),
        "it is that of the largest alpha, not of the region that was drawn": logs.max(1),
        "it is that of the first picture's alpha": logs[0, found.k],
        "it is the logarithm of the running sum": np.log(task.alpha.cumsum(1)[rows, found.k]),
        "it is the mean of the logarithm over all regions, not the one that was drawn": (
            (task.alpha * logs).sum(1)
        ),
        "a softmax is taken of alpha, which is one already": (
            task.alpha[rows, found.k] - np.log(np.exp(task.alpha).sum(1))
        ),
        "it is the logarithm of u": np.log(np.maximum(task.u, np.finfo(float).tiny)),
    } | _near_0(log_prob, own)
    _say("log_prob", log_prob, right, others)


def _near_0(log_prob: np.ndarray, own: np.ndarray) -> dict[str, np.ndarray]:
    """The logarithms of weights to which something is added, or that are cut off below.

    How much it would be is read off what came back.
    """
    with np.errstate(over="ignore"):
        found = np.exp(log_prob)
    added, floor = found[own.argmin()] - own.min(), found.min()
    if not 0 < added < 0.1:
        return {}
    return {
        "something is added to alpha before the logarithm is taken": np.log(own + added),
        "where alpha is small, something larger takes its place before the logarithm": (
            np.log(np.maximum(own, floor))
        ),
    }


def _say(name: str, value: np.ndarray, right: np.ndarray, others: Mapping[str, np.ndarray]) -> None:
    named = fitting(value, others, TOLERANCE_32)
    where = f": {named[0]}" if named else differing(value, right, TOLERANCE_32)
    raise Wrong(f"{name} is wrong{where}")


def _of_drawn(values: np.ndarray, k: np.ndarray) -> np.ndarray:
    return values[np.arange(len(k)), k]


HARD_ATTENTION_SAMPLE = Exercise(
    "hard_attention_sample",
    points=3,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("four regions, by hand", 1, _by_hand, drawn=False),
        Case("k: the first region at which the running sum is greater than u", 3, _regions),
        Case("k: each region comes as often as its alpha says", 1, _often),
        Case("k: u is a running sum, and some alpha are 0", 2, _on_an_edge),
        Case("k: u is 0, and the first alpha are 0", 1, _at_0),
        Case("k: rounding leaves the whole sum at u or below", 1, _rounded),
        Case("small alpha: these regions are drawn too, by the same rule", 2, _small_weights),
        Case("z: the vector of the region that was drawn", 1, _vectors),
        Case("log_prob: the logarithm of its alpha", 1, _log_probs),
        Case("autograd: log_prob reaches alpha, also where some are 0", 5, _gradient),
        Case("autograd: z reaches a, and not alpha", 1, _gradient_of_vectors),
        Case("one picture (N = 1), one region (L = 1), one number a region (C = 1)", 1, _small),
        Case("pictures in another order", 1, _reordered),
        Case("float32 stays float32, and float64 float64; k is int64, of shape (N,)", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
