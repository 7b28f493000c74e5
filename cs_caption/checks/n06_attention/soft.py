"""The check of soft_attention: weights that are known, torch's softmax of each row, autograd."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n06_attention.shared import (
    BANNED,
    TYPES,
    Gradients,
    Random,
    called,
    hinted,
    require_gradients,
    result,
    slopes,
    some_seen,
)
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
    truths,
    unchanged,
)
from cs_caption.checks.values import (
    TOLERANCE,
    close,
    differing,
    eighths,
    entries,
    fitting,
    sizes,
)

_NAMES = "scores, a, mask"
_LARGE = (
    ": e to the power of a large number is infinite, and of one far below 0 it is 0; softmax takes "
    "the largest score of a row away first"
)
_ABOVE = (
    ": here masked scores are far above the others. Take them out before the softmax: the largest "
    "score that it takes away must be one that counts"
)
_TIMES_INFINITY = (
    ": 0 times infinity is NaN; set masked scores with masked_fill or torch.where, not by a product"
)
_ALL_NAN = (
    ": the mask is True everywhere here; is it upside down, or is something multiplied by "
    "infinity (0 times infinity is NaN)?"
)
_INFINITE = (
    ": here masked scores are far above the others; e to the power of them is infinite, and "
    "infinity times 0 is NaN. Take them out before the exponentials"
)
_LOWERED = (
    ": here masked scores are far above the others, and masked regions get weight. No number that "
    "is taken away is large enough; -infinity in their place is"
)
_NOTHING_LEFT = (
    ": then masked regions get all the weight in the softmax, and the mask after it leaves too "
    "little. No number is far enough below all scores, whatever they are; -infinity is"
)
_ADDED = (
    ": all of them are too small by the same factor. Is a small number added to the sum that they "
    "are divided by? It is never 0, as one region may be looked at"
)
_EXACT = 1e-12  # how close to 1 float64 comes, with room for rounding
_PAST = 720.0  # e to the power of it is infinite in float64, of -_PAST it is not yet 0
_FAR = 2.0**34  # with eighths it adds up exactly in float64; and -1e9 is not below -_FAR
_HIGH = 1e4  # a masked score; e to the power of it is infinite


@dataclass(frozen=True)
class _Task:
    """Scores (N, L), regions (N, L, C) and a mask (N, L) or none."""

    scores: np.ndarray
    a: np.ndarray
    mask: np.ndarray | None

    @property
    def given(self) -> tuple:
        return self.of("float32")

    def of(self, dtype: str) -> tuple:
        mask = None if self.mask is None else truths(self.mask)
        return floats(self.scores, dtype), floats(self.a, dtype), mask

    @property
    def out(self) -> np.ndarray:
        """True where a region may not be looked at."""
        return np.zeros(self.scores.shape, bool) if self.mask is None else ~self.mask


def _by_hand(subject: Subject, rng: Random) -> None:
    """Three regions that share 1 as 1 : 2 : 5 and as 1 : 1 : 2, all and but the middle one."""
    scores = np.log([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]]) + 0.7
    a = np.array([[[8.0, 0.0], [0.0, 8.0], [8.0, 16.0]], [[4.0, 0.0], [0.0, 4.0], [4.0, 8.0]]])
    for mask in (None, np.array([[True, False, True]] * 2)):
        task = _Task(scores, a, mask)
        _require(task, *_results(task, called(subject, [task.given])[0]))


def _alpha(subject: Subject, rng: Random) -> None:
    """With no mask, with None, and with a mask that is True everywhere."""
    task = _draw(rng, masked=False)
    everywhere = replace(task, mask=~task.out)
    calls = called(subject, [task.given[:2], task.given, everywhere.given, task.given])
    for each, outcome in zip((task, task, everywhere, task), calls, strict=True):
        _require_alpha(each, _results(each, outcome)[1])


def _summed(subject: Subject, rng: Random) -> None:
    """In each picture the weights sum to 1, and none is below 0."""
    for masked in (False, True):
        task = _draw(rng, masked=masked)
        for outcome in called(subject, [task.given, task.of("float64")]):
            _, alpha = _results(task, outcome)
            exact = "float64" in str(outcome.value[1].dtype)
            _require_shares(task, alpha, _EXACT if exact else TOLERANCE_32)


def _z(subject: Subject, rng: Random) -> None:
    for masked in (False, True):
        task = _draw(rng, masked=masked)
        _require(task, *_results(task, called(subject, [task.given])[0]))


def _masked(subject: Subject, rng: Random) -> None:
    """Exactly 0 where the mask is False; a row that has but one region gives it all."""
    task = _draw(rng)
    mask = task.mask.copy()
    mask[0] = np.arange(mask.shape[1]) == rng.randint(mask.shape[1])
    task = replace(task, mask=mask)
    for outcome in called(subject, [task.given, task.of("float64")]):
        _, alpha = _results(task, outcome)
        _require_zeros(task, alpha)
        _require_alpha(task, alpha)


def _high(subject: Subject, rng: Random) -> None:
    """What stands where the mask is False: other scores, and scores far above the others."""
    task = _draw(rng)
    other = replace(
        task,
        scores=np.where(task.out, 4 * rng.standard_normal(task.scores.shape), task.scores),
        a=np.where(task.out[..., None], 100 * rng.standard_normal(task.a.shape), task.a),
    )
    high = replace(other, scores=np.where(task.out, _HIGH, task.scores))
    first, second, third = called(subject, [task.given, other.given, high.given])
    for one in (first, second):
        _require(task, *_results(task, one))
    _require_high(subject, high, third)


def _require_high(subject: Subject, task: _Task, outcome: Outcome) -> None:
    """Judge what becomes of masked scores far above the others, where others are no trouble."""
    alpha = outcome.value[1] if type(outcome.value) in (tuple, list) else None
    if is_tensor(alpha) and bool(alpha.isnan().any()):
        top = task.scores[~task.out].max() + _PAST
        past = replace(task, scores=np.where(task.out, top, task.scores))
        (again,) = called(subject, [past.of("float64")])
        infinite = is_tensor(again.value[1]) and bool(again.value[1].isnan().any())
        _results(task, outcome, _INFINITE if infinite else _ABOVE)
    z, alpha = _results(task, outcome, _ABOVE)
    if not close(alpha, _reference(task)[1], TOLERANCE_32):
        raise Wrong(f"alpha is wrong{_LOWERED if np.any(alpha[task.out]) else _ABOVE}")
    _require(task, z, alpha)


def _shifted(subject: Subject, rng: Random) -> None:
    """A constant is added to all scores of a row, be it small or very large."""
    task = _draw(rng)
    mixed = rng.choice([-_FAR, _FAR, 800.0, -800.0], size=(len(task.scores), 1))
    shifts = (0.0, 1.0, 800.0, -800.0, _FAR, -_FAR, mixed)
    calls = [replace(task, scores=task.scores + by) for by in shifts]
    plain, *others = called(subject, [each.of("float64") for each in calls])
    _require(task, *_results(task, plain))
    right = _reference(task)
    for each, outcome in zip(calls[1:], others, strict=True):
        for found, truth in zip(_results(task, outcome, _LARGE), right, strict=True):
            if not close(found, truth, TOLERANCE_32):
                raise Wrong(
                    "the result changes when a constant is added to all scores of a picture"
                    f"{_shift_hint(each, outcome)}"
                )


def _shift_hint(task: _Task, outcome: Outcome) -> str:
    if "float32" in str(outcome.value[1].dtype):
        return ": what is given is float64 here; is it rounded to float32?"
    if np.any(_results(task, outcome)[1][task.out] != 0):
        return (
            ": then a masked region gets weight. No number is far enough below all scores, whatever"
            " they are; -infinity is"
        )
    return _NOTHING_LEFT if _masked_twice(task, outcome) else _LARGE


def _masked_twice(task: _Task, outcome: Outcome) -> bool:
    """Say whether a low number takes the place of masked scores, and the mask is applied again."""
    _, alpha = _results(task, outcome)
    scores, _, mask = task.of("float64")
    lows = [-(10.0**power) for power in range(3, 10)]
    many = [(scores.masked_fill(~mask, low).softmax(1) * mask).numpy() for low in lows]
    return any(close(alpha, other, TOLERANCE_32) for other in many)


def _moved(axis: int) -> Run:
    """Return a case: pictures (axis 0) or regions (axis 1) come in another order."""

    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng)
        order = reorder(rng, task.scores.shape[axis])
        moved = _Task(*(np.take(v, order, axis) for v in (task.scores, task.a, task.mask)))
        calls = called(subject, [task.given, moved.given])
        (z, alpha), (other_z, other_alpha) = (_results(task, one) for one in calls)
        if not close(other_alpha, np.take(alpha, order, axis), TOLERANCE_32):
            raise Wrong(f"the weights do not follow when the {_THINGS[axis]} change places")
        if not close(other_z, z if axis else z[order], TOLERANCE_32):
            stays = "changes" if axis else "does not follow"
            raise Wrong(f"z {stays} when the {_THINGS[axis]} change places")
        _require(task, z, alpha)

    return run


_THINGS = ("pictures", "regions")


def _small(subject: Subject, rng: Random) -> None:
    """An axis of length 1 at a time, and all at once: what squeezes, or broadcasts by chance."""
    for axes in ({"N": 1}, {"L": 1}, {"C": 1}, {"N": 1, "L": 1, "C": 1}):
        task = _draw(rng, **axes)
        calls = called(subject, [task.given, replace(task, mask=None).given])
        for each, outcome in zip((task, replace(task, mask=None)), calls, strict=True):
            _require(each, *_results(each, outcome))


def _gradients(at: int, out: str) -> Run:
    """Return a case: back through z or alpha, without a mask and with one."""

    def run(subject: Subject, rng: Random) -> None:
        for masked in (False, True):
            task = _draw(rng, masked=masked)
            N, _, C = task.a.shape
            dout = floats(rng.standard_normal(task.scores.shape if at else (N, C)))
            with hinted():
                (outcome,) = subject.gradients([(task.given, dout)], (0, 1), result=at)
            value, gradients = outcome.value
            _require(task, *_results(task, replace(outcome, value=value)))
            found = dict(zip(("scores", "a"), gradients, strict=True))
            require_gradients(found, _reference_gradients(task, dout, at), out)

    return run


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    for dtype, tolerance in (("float32", TOLERANCE_32), ("float64", TOLERANCE)):
        (outcome,) = called(subject, [task.of(dtype)])
        try:
            z, alpha = _results(task, outcome, dtype=dtype)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{TYPES if 'it must be' in str(wrong) else ''}") from None
        _require(task, z, alpha, tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = _draw(rng), _draw(rng)
    many = [task.given, tuple(map(gaps, other.given))]
    for each, outcome in zip((task, other), called(subject, many), strict=True):
        unchanged(outcome.mutated, _NAMES)
        _require(each, *_results(each, outcome))


def _draw(rng: Random, *, masked: bool = True, **axes: int) -> _Task:
    """Draw sizes, no two alike but those that `axes` fixes, and numbers that float32 holds."""
    N, L, C = sizes(rng, 3, 3, 8)
    N, L, C = (axes.get(name, size) for name, size in (("N", N), ("L", L), ("C", C)))
    scores = eighths(rng, (N, L)) * rng.choice([1, 2, 4], size=(N, L))
    return _Task(scores, eighths(rng, (N, L, C)), some_seen(rng, N, L) if masked else None)


# ------------------------------------------------------------------------------- what comes back


def _results(
    task: _Task, outcome: Outcome, hint: str = "", dtype: str = EITHER
) -> tuple[np.ndarray, np.ndarray]:
    """Return z (N, C) and alpha (N, L)."""
    N, L, C = task.a.shape
    z, alpha = entries(outcome.value, "z, alpha")
    shapes = [tuple(getattr(each, "shape", ())) for each in (z, alpha)]
    if shapes == [(N, L), (N, C)] and L != C:
        raise Wrong("alpha comes first and z second: return z, alpha")
    if shapes[0] == (N, L, C) != (N, C):
        raise Wrong(
            f"z has shape {(N, L, C)}, expected {(N, C)}: the regions, times their weights, are "
            "still to be summed up"
        )
    if N > 1 and shapes == [(N, N, C), (N, L)] and _every_pair(task, z, alpha):
        raise Wrong(
            f"z has shape {(N, N, C)}, expected {(N, C)}: each picture's weights meet every "
            "picture's regions. For @ a picture's weights are a matrix of one row, (1, L)"
        )
    hint = hint or _nan_hint(task, alpha)
    return (
        result(z, (N, C), "z", "(N, C)", dtype=dtype, hint=hint),
        result(alpha, (N, L), "alpha", "(N, L)", dtype=dtype, hint=hint),
    )


def _every_pair(task: _Task, z: Any, alpha: Any) -> bool:
    if not (is_tensor(z) and is_tensor(alpha)):
        return False
    return close(z.double(), np.matmul(alpha.double().numpy(), task.a), TOLERANCE_32)


def _nan_hint(task: _Task, alpha: Any) -> str:
    """What makes each of the weights NaN, if each is, as a mask as a factor of infinity does."""
    if task.mask is None or not is_tensor(alpha) or not bool(alpha.isnan().all()):
        return ""
    return _TIMES_INFINITY if task.out.any(1).all() else "" if task.out.any() else _ALL_NAN


def _require(
    task: _Task,
    z: np.ndarray,
    alpha: np.ndarray,
    tolerance: float = TOLERANCE_32,
    hint: str = "",
) -> None:
    _require_alpha(task, alpha, tolerance, hint)
    right, weights = _reference(task)
    if not close(z, right, tolerance):
        named = fitting(z, _other_z(task, weights), tolerance)
        where = f": {named[0]}" if named else hint or differing(z, right, tolerance)
        raise Wrong(f"alpha is right, but z is wrong{where}")


def _require_alpha(
    task: _Task, alpha: np.ndarray, tolerance: float = TOLERANCE_32, hint: str = ""
) -> None:
    right = _reference(task)[1]
    if close(alpha, right, tolerance):
        return
    named = fitting(alpha, _other_alpha(task), tolerance)
    where = f": {named[0]}" if named else hint or differing(alpha, right, tolerance)
    raise Wrong(f"alpha is wrong{where}")


def _require_zeros(task: _Task, alpha: np.ndarray) -> None:
    bad = np.count_nonzero(alpha[task.out])
    if bad:
        named = fitting(alpha, _other_alpha(task), TOLERANCE_32)
        raise Wrong(
            f"{bad} of {np.count_nonzero(task.out)} regions where the mask is False have a weight: "
            f"it must be exactly 0{': ' + named[0] if named else ''}"
        )


def _require_shares(task: _Task, alpha: np.ndarray, tolerance: float) -> None:
    sums = alpha.sum(axis=1)
    if close(sums, np.ones(len(sums)), tolerance) and alpha.min() >= 0:
        return
    named = fitting(alpha, _other_alpha(task), TOLERANCE_32)
    words = ": " + named[0] if named else ""
    if alpha.min() < 0:
        raise Wrong(f"a weight is below 0{words}")
    masked = "" if task.mask is None else ", where some regions are masked,"
    if not words and close(alpha, sums[:, None] * _reference(task)[1], _EXACT) and sums.max() < 1:
        words = _ADDED
    raise Wrong(f"the weights of a picture{masked} do not sum to 1{words}")


# ------------------------------------------------------------------------------- what torch says


def _reference(task: _Task) -> tuple[np.ndarray, np.ndarray]:
    scores, a, _ = task.of("float64")
    z, alpha = _blended(scores, a, ~task.out)
    return z.numpy(), alpha.numpy()


def _blended(scores: Any, a: Any, seen: np.ndarray) -> tuple[Any, Any]:
    """z and alpha, picture by picture, of the regions that are seen alone."""
    torch = torch_here()
    zs, alphas = [], []
    for own, regions, at in zip(scores, a, truths(seen), strict=True):
        share = own[at].softmax(0)
        zs.append(share @ regions[at])
        alphas.append(torch.zeros_like(own).masked_scatter(at, share))
    return torch.stack(zs), torch.stack(alphas)


def _reference_gradients(task: _Task, dout: Any, at: int) -> Gradients:
    torch = torch_here()
    scores, a = (each.requires_grad_() for each in task.of("float64")[:2])
    with torch.enable_grad():
        total = (_blended(scores, a, ~task.out)[at] * dout).sum()
    return slopes(total, {"scores": scores, "a": a})


def _other_alpha(task: _Task) -> dict[str, np.ndarray]:
    """What likely mistakes make of alpha, each under the words that name it."""
    scores, _, mask = task.of("float64")
    low = scores if mask is None else scores.masked_fill(~mask, -np.inf)
    found = _of_scores(low) | ({} if mask is None else _of_masks(scores, mask, low))
    return {words: np.nan_to_num(other.numpy()) for words, other in found.items()}


def _of_scores(low: Any) -> dict[str, Any]:
    """Something else than a softmax over the regions; masked scores are -infinity in `low`."""
    N, L = low.shape
    alpha, known = low.softmax(1), low.isfinite()
    plain = low.masked_fill(~known, 0.0)
    return {
        "the softmax runs over the pictures: it runs over the regions of each": low.softmax(0),
        "the softmax runs over all regions of all pictures: each picture has its own": (
            low.flatten().softmax(0).reshape(N, L)
        ),
        "they are the scores themselves: where is the softmax?": plain,
        "the scores are divided by their sum: where are the exponentials?": (
            plain / plain.sum(1, keepdim=True)
        ),
        "they are not divided by their sum": low.exp(),
        "they are sigmoids, each by itself: a picture's regions share 1": low.sigmoid(),
        "the softmax is taken twice": alpha.softmax(1),
        "the softmax is taken twice, the second time of what is left": (
            alpha.masked_fill(~known, -np.inf).softmax(1)
        ),
        "they are logarithms of the weights": low.log_softmax(1).masked_fill(~known, 0.0),
        "all of it goes to the strongest region: here all regions share": (
            (alpha == alpha.amax(1, keepdim=True)).double()
        ),
        "all regions weigh the same": known / known.sum(1, keepdim=True),
        "the largest score gets the smallest weight: is there a sign too many?": (
            (-plain).masked_fill(~known, -np.inf).softmax(1)
        ),
        "the scores are divided by the root of L: here nothing divides them": (
            (low / L**0.5).softmax(1)
        ),
    }


def _of_masks(scores: Any, mask: Any, low: Any) -> dict[str, Any]:
    """Another use of the mask."""
    after = scores.softmax(1) * mask
    return {
        "the mask has no part in it": scores.softmax(1),
        "the mask is upside down: it is True where a region may be looked at": (
            scores.masked_fill(mask, -np.inf).softmax(1)
        ),
        "the mask comes after the softmax: what is left does not sum to 1": after,
        "a masked score counts as 0, and a score of 0 gets a share like any other": (
            (scores * mask).softmax(1)
        ),
        "every picture has the mask of the first: each has its own": (
            scores.masked_fill(~mask[:1], -np.inf).softmax(1)
        ),
        "masked scores are lowered, but not by enough": (scores - 1.0 * ~mask).softmax(1),
        "the mask is applied twice, the second time upside down": low.softmax(1) * ~mask,
    }


def _other_z(task: _Task, alpha: np.ndarray) -> dict[str, np.ndarray]:
    """What likely mistakes make of z where alpha is right."""
    a, seen = task.a, ~task.out
    N, L, _ = a.shape
    right, order = np.einsum("nl,nlc->nc", alpha, a), np.argmax(alpha, axis=1)
    unmasked = floats(task.scores).softmax(1).numpy()
    return {
        "the regions are averaged after they are weighed: a sum is enough": right / L,
        "the sum has no weights": a.sum(1),
        "it is the mean of the regions, whatever their weights": a.mean(1),
        "it is the mean of the regions that are seen, whatever their weights": (
            np.einsum("nl,nlc->nc", seen / seen.sum(1, keepdims=True), a)
        ),
        "it is the strongest region alone": a[np.arange(N), order],
        "it is the largest of the weighed regions, number by number": (
            (alpha[..., None] * a).max(1)
        ),
        "it is made with the scores, not with their softmax": (
            np.einsum("nl,nlc->nc", task.scores, a)
        ),
        "it is made with weights in which the mask has no part": (
            np.einsum("nl,nlc->nc", unmasked, a)
        ),
        "every picture is blended of the first picture's regions": alpha @ a[0],
        "every picture is blended with the first picture's weights": (
            np.einsum("l,nlc->nc", alpha[0], a)
        ),
        "it is summed over the pictures as well": 0 * right + right.sum(0),
        "regions and numbers are mixed: reshape and view do not swap axes": (
            np.einsum("nl,ncl->nc", alpha, a.reshape(N, a.shape[2], L))
        ),
    }


SOFT_ATTENTION = Exercise(
    "soft_attention",
    points=3,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("three regions by hand, with and without a mask", 1, _by_hand, drawn=False),
        Case("the weights of a picture sum to one, and none is below 0", 1, _summed),
        Case("alpha: the softmax over the regions, where there is no mask", 2, _alpha),
        Case("z: the regions, by their weights", 2, _z),
        Case("masked regions get exactly zero weight, and the others all of it", 2, _masked),
        Case("what stands where the mask is False counts for nothing", 2, _high),
        Case("a constant added to all scores changes nothing, be it large", 1, _shifted),
        Case("regions in another order: the weights follow, z stays", 1, _moved(1)),
        Case("pictures in another order: both follow", 1, _moved(0)),
        Case("one picture (N = 1), one region (L = 1), one number a region (C = 1)", 1, _small),
        Case("autograd through z: to scores and a", 4, _gradients(0, "z")),
        Case("autograd through alpha: to scores", 2, _gradients(1, "alpha")),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
