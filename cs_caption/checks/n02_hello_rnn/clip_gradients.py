"""The check of clip_gradients: one factor for all, and a norm that is known."""

import re
from collections.abc import Mapping

import numpy as np

from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    TOLERANCE,
    UNTOUCHED,
    array,
    awkward,
    close,
    describe,
    eighths,
    entries,
    number,
    sizes,
    unchanged,
)

Random = np.random.RandomState
Grads = dict[str, np.ndarray]

_NAMES = ("Wx", "Wh", "b", "Wy", "by")
_NEARLY = 1e-3
_ALL_BUT = 1e-4  # in all cases but one: what is added to a divisor costs that one alone
_ADDED = "was something small added to the divisor?"
_ROOT = (
    "the square root is missing: what is compared and divided by is the sum of the squares, the "
    "norm times itself"
)
_LEFT = f"{_ROOT}. What is left then has the norm max_norm / norm, not max_norm"


def _norm(subject: Subject, rng: Random) -> None:
    three_and_four = {"b": np.array([3.0]), "Wx": np.array([[0.0], [-4.0]])}
    for grads in (_drawn(rng), three_and_four):
        for max_norm in (0.5, 1e6):
            _, norm = _results(subject.call((grads, max_norm)), grads)
            _require_norm(norm, grads, max_norm)


def _large(subject: Subject, rng: Random) -> None:
    for share in (0.01, 0.5):
        grads = _drawn(rng)
        max_norm = share * _true_norm(grads)
        clipped, _ = _results(subject.call((grads, max_norm)), grads)
        _require_clipped(clipped, grads, max_norm)


def _none_alone(subject: Subject, rng: Random) -> None:
    """Each array alone is below max_norm, all together are not."""
    grads = _drawn(rng)
    grads = {name: rng.uniform(1, 2) * grad / np.linalg.norm(grad) for name, grad in grads.items()}
    most = max(float(np.linalg.norm(grad)) for grad in grads.values())
    for max_norm in ((most + _true_norm(grads)) / 2, 1.0625 * most):
        clipped, _ = _results(subject.call((grads, max_norm)), grads)
        _require_clipped(clipped, grads, max_norm)


def _nothing_added(subject: Subject, rng: Random) -> None:
    """Norms so short that anything added to them is seen, and one that is max_norm."""
    grads = _drawn(rng)
    norm = _true_norm(grads)
    grads = {name: 1e-3 / norm * grad for name, grad in grads.items()}
    clipped, _ = _results(subject.call((grads, 0.25e-3)), grads)
    _require_clipped(clipped, grads, 0.25e-3, TOLERANCE)
    exact = {"b": np.array([3.0]), "Wx": np.array([[0.0], [-4.0]])}
    clipped, _ = _results(subject.call((exact, 5.0)), exact)
    _require_same(clipped, exact, 5.0, TOLERANCE / 1e4)


def _short(subject: Subject, rng: Random) -> None:
    """Norms below 1: there the sum of the squares is the smaller of the two."""
    grads = {name: grad / 64 for name, grad in _drawn(rng).items()}
    scale = 0.5 / _true_norm(grads)
    grads = {name: scale * grad for name, grad in grads.items()}
    clipped, norm = _results(subject.call((grads, 0.375)), grads)
    _require_clipped(clipped, grads, 0.375)
    _require_norm(norm, grads, 0.375)


def _small(subject: Subject, rng: Random) -> None:
    """Below max_norm, and exactly at it: nothing changes."""
    grads = _drawn(rng)
    norm = _true_norm(grads)
    exact = {"b": np.array([3.0]), "Wx": np.array([[0.0], [-4.0]])}
    for given, max_norm in ((grads, 1.0625 * norm), (grads, 1e6), (exact, 5.0), (exact, 5)):
        clipped, _ = _results(subject.call((given, max_norm)), given)
        _require_same(clipped, given, max_norm)


def _zero(subject: Subject, rng: Random) -> None:
    grads = {name: 0 * grad for name, grad in _drawn(rng).items()}
    try:
        clipped, norm = _results(subject.call((grads, 1.5)), grads)
    except Wrong as wrong:
        divided = re.search("NaN|zero|divide", str(wrong))
        hint = ": where all gradients are 0, so is the norm; do not divide" if divided else ""
        raise Wrong(f"{wrong}{hint}") from None
    if norm != 0 or any(grad.any() for grad in clipped.values()):
        raise Wrong("all gradients are 0, but what is returned is not")


def _many_shapes(subject: Subject, rng: Random) -> None:
    """One weight alone, and weights with one to four axes."""
    many = {f"W{axes}": eighths(rng, tuple(sizes(rng, axes, 1, 5))) for axes in (3, 1, 4, 2)}
    for grads in (many, {"only": eighths(rng, (3,))}):
        max_norm = 0.25 * _true_norm(grads)
        clipped, norm = _results(subject.call((grads, max_norm)), grads)
        _require_clipped(clipped, grads, max_norm)
        _require_norm(norm, grads, max_norm)


def _left_alone(subject: Subject, rng: Random) -> None:
    grads = _drawn(rng)
    guarded = {name: awkward(grad) for name, grad in grads.items()}
    for given in (grads, guarded):
        for share in (0.5, 2.0):
            max_norm = share * _true_norm(grads)
            outcome = subject.call((given, max_norm))
            unchanged(outcome, "grads")
            clipped, _ = _results(outcome, grads)
            judge = _require_clipped if share < 1 else _require_same
            judge(clipped, grads, max_norm)


def _drawn(rng: Random) -> Grads:
    """Draw gradients of a character RNN: one large, one tiny, norms all different."""
    V, H = sizes(rng, 2, 3, 7)
    shapes = ((V, H), (H, H), (H,), (H, V), (V,))
    scales = rng.permutation([8.0, 2.0, 1.0, 0.5, 0.125])
    return {
        name: scale * eighths(rng, shape)
        for name, shape, scale in zip(_NAMES, shapes, scales, strict=True)
    }


def _results(outcome: Outcome, grads: Grads) -> tuple[Grads, float]:
    clipped, norm = entries(outcome.value, "clipped, norm")
    if type(norm) is dict:
        raise Wrong("the results are in another order: clipped comes first, then norm")
    if type(clipped) is not dict:
        raise Wrong(f"clipped is {describe(clipped)}: expected a dictionary")
    missing, more = set(grads) - set(clipped), set(clipped) - set(grads)
    if missing or more:
        what = f"lacks {', '.join(sorted(missing))}" if missing else "has other names than grads"
        raise Wrong(f"clipped {what}: expected the same names")
    for name, grad in grads.items():
        array(clipped[name], grad.shape, f"clipped[{name!r}]")
    return clipped, number(norm, "norm")


def _flat(grads: Grads) -> np.ndarray:
    return np.concatenate([grads[name].ravel() for name in sorted(grads)])


def _true_norm(grads: Grads) -> float:
    return float(np.linalg.norm(_flat(grads)))


def _require_norm(norm: float, grads: Grads, max_norm: float) -> None:
    flat, right = _flat(grads), _true_norm(grads)
    if close(norm, right):
        return
    each = [float(np.linalg.norm(grad)) for grad in grads.values()]
    others = {
        _ROOT: right**2,
        "it is the norm after, not the one before": min(right, max_norm),
        "the norms of the arrays are added: take one norm over all entries together": sum(each),
        "it is the largest of the arrays' norms: take one norm over all entries": max(each),
        "it is the norm of the last array alone": each[-1],
        "it is the norm of the first array alone": each[0],
        "it is the largest entry": np.max(np.abs(flat)),
        "the sizes of the entries are added, not their squares": np.sum(np.abs(flat)),
        "it is the mean, not the sum, of the squares under the root": right / flat.size**0.5,
        "it is the factor, not the norm": min(1.0, max_norm / right),
    }
    if all(grad.ndim < 3 for grad in grads.values()):
        spectral = np.linalg.norm([np.linalg.norm(grad, 2) for grad in grads.values()])
        others["that of a matrix is its largest singular value: take all entries"] = spectral
    words = next((words for words, other in others.items() if close(norm, other)), "")
    if not words and close(norm, right, _NEARLY):
        words = "it is a little off: was something small added?"
    raise Wrong(f"norm is wrong{': ' if words else ''}{words}")


def _require_same(
    clipped: Grads, grads: Grads, max_norm: float, tolerance: float = _ALL_BUT
) -> None:
    flat, right = _flat(clipped), _true_norm(grads)
    if close(flat / right, _flat(grads) / right, tolerance):
        return
    if close(flat / right, _flat(grads) / right, _NEARLY):
        raise Wrong(f"gradients whose norm is max_norm are changed a little: {_ADDED}")
    if close(flat * right**2, max_norm * _flat(grads)):
        raise Wrong(f"gradients with a norm below max_norm are changed: {_ROOT}")
    others = {
        "they are scaled up to max_norm: only what is above it is scaled": max_norm / right,
        "they become 0": 0.0,
    }
    fits = [words for words, f in others.items() if close(flat, f * _flat(grads))]
    raise Wrong(
        "gradients whose norm is not above max_norm must come back as they are"
        + (f": {fits[0]}" if fits else "")
    )


def _require_clipped(
    clipped: Grads, grads: Grads, max_norm: float, tolerance: float = _ALL_BUT
) -> None:
    """Fail where clipped is not what is left of the gradients at max_norm."""
    found, flat, right = _flat(clipped) / max_norm, _flat(grads), _true_norm(grads)
    if close(found, flat / right, tolerance):
        return
    factor = float(found @ flat / (flat @ flat)) * max_norm
    if not close(found, factor * flat / max_norm):
        raise Wrong(f"clipped is wrong: {_uneven(found * max_norm, grads, max_norm)}")
    others = {
        _LEFT: max_norm / right**2,
        f"nothing is scaled, though the norm is above max_norm{_unscaled(grads, max_norm)}": 1.0,
        "it is divided by its norm, and max_norm left out": 1 / right,
        "it is scaled by max_norm, and not divided by the norm": max_norm,
        "it is divided by max_norm": 1 / max_norm,
        "it is scaled by norm / max_norm: the wrong way round": right / max_norm,
        "its sign is turned": -max_norm / right,
        "it is 0": 0.0,
        "it is scaled by the square root of the right factor": (max_norm / right) ** 0.5,
    }
    words = next((w for w, f in others.items() if close(factor * right, f * right)), "")
    left = abs(factor) * right
    if not words and close(left / max_norm, 1.0, _NEARLY):
        words = f"its norm is a little off max_norm: {_ADDED}"
    large = "its norm is still above max_norm" if left > max_norm else "its norm is below max_norm"
    raise Wrong(f"clipped is wrong: {words or large}")


def _unscaled(grads: Grads, max_norm: float) -> str:
    """Say what may have been compared with max_norm in the place of the norm."""
    if _true_norm(grads) ** 2 <= max_norm:
        return (
            ": neither the sum of the squares is to be compared (then the square root is missing) "
            "nor the largest entry"
        )
    if all(np.linalg.norm(grad) <= max_norm for grad in grads.values()):
        return ": that of each array alone is not, but all of them together are one gradient"
    return ""


def _uneven(found: np.ndarray, grads: Grads, max_norm: float) -> str:
    """Say what was done where not all entries were scaled by one factor."""
    flat = _flat(grads)
    norms = {name: float(np.linalg.norm(grad)) for name, grad in grads.items()}

    def by_array(factor: Mapping[str, float]) -> np.ndarray:
        return _flat({name: factor[name] * grad for name, grad in grads.items()})

    others = {
        "each entry is cut off at max_norm, which turns the direction": _cut(flat, max_norm),
        "each array is clipped by its own norm: take one norm over all, and one factor": by_array(
            {name: min(1.0, max_norm / norm) for name, norm in norms.items()}
        ),
        "each array is scaled to max_norm by its own norm": by_array(
            {name: max_norm / norm for name, norm in norms.items()}
        ),
        f"each array is clipped for itself, and {_ROOT}": by_array(
            {n: max_norm / norm**2 if norm**2 > max_norm else 1.0 for n, norm in norms.items()}
        ),
    }
    fits = [words for words, other in others.items() if close(found, other, TOLERANCE)]
    return (
        fits[0] if fits else "all entries of all arrays must be scaled by one and the same factor"
    )


def _cut(flat: np.ndarray, most: float) -> np.ndarray:
    return np.where(np.abs(flat) > most, most * np.sign(flat), flat)


CLIP_GRADIENTS = Exercise(
    "clip_gradients",
    points=1,
    referee=lambda: "the definition: one factor for all entries, and the norm that is left",
    banned=("torch",),
    cases=(
        Case("norm: of all entries together, before", 2, _norm),
        Case("a norm above max_norm: what is left has the norm max_norm", 3, _large),
        Case("each array alone below max_norm, all together above", 2, _none_alone),
        Case("norms below 1", 1, _short),
        Case("nothing is added to the norm", 1, _nothing_added),
        Case("a norm below max_norm, or exactly max_norm: nothing changes", 2, _small),
        Case("all gradients 0", 1, _zero),
        Case("one array alone; one to four axes", 1, _many_shapes),
        Case(UNTOUCHED, 2, _left_alone),
    ),
)

EXERCISES = (CLIP_GRADIENTS,)
