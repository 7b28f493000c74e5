"""The check of attention_scores: torch's layers in float64 decide, and autograd."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.built import make, module
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n06_attention.shared import (
    BANNED,
    TYPES,
    Gradients,
    Parts,
    Random,
    called,
    drawn,
    hinted,
    linear,
    lstm_cell,
    of_type,
    require_gradients,
    require_same_model,
    result,
    slopes,
    with_gaps,
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
    torch_here,
    unchanged,
    whole,
)
from cs_caption.checks.values import TOLERANCE, close, differing, fitting, sizes

_OVERFLOWS = ": e to the power of a large number is infinite; torch.tanh is 1 there"
_FAR = 1000


@dataclass(frozen=True)
class _Task:
    """The parts of a model, queries (N, Q) and keys (N, L, A)."""

    parts: Parts
    query: Any
    keys: Any
    training: bool = False

    @property
    def given(self) -> tuple:
        return module(self.parts, training=self.training), self.query, self.keys

    @property
    def shape(self) -> tuple[int, int]:
        return tuple(self.keys.shape[:2])


def _all(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    first, again = (_scores(task, outcome) for outcome in called(subject, [task.given] * 2))
    if not close(first, again, TOLERANCE_32):
        raise Wrong(
            "two calls with the same arguments give different scores: is something drawn at "
            "random, or kept from call to call?"
        )
    _require(task, first)


def _small(subject: Subject, rng: Random) -> None:
    """An axis of length 1 at a time, and all at once: what squeezes, or broadcasts by chance."""
    for axes in ({"N": 1}, {"L": 1}, {"A": 1}, {"N": 1, "L": 1, "A": 1}):
        task = _draw(rng, **axes)
        (outcome,) = called(subject, [task.given])
        _require(task, _scores(task, outcome))


def _more_parts(subject: Subject, rng: Random) -> None:
    """The parts of a whole captioner, in any order."""
    task = _draw(rng)
    Q, A = task.query.shape[1], task.keys.shape[2]
    several = {
        "gate": linear(rng, 1, Q),
        "score": task.parts["score"],
        "cell": lstm_cell(rng, Q, A),
        "project": linear(rng, A, Q),
        "query": task.parts["query"],
        "output": linear(rng, Q + 1, Q),
    }
    (outcome,) = called(subject, [replace(task, parts=several).given])
    _require(task, _scores(task, outcome))


def _far(subject: Subject, rng: Random) -> None:
    """Keys at which tanh is 1 or -1, whatever is asked."""
    task = _draw(rng)
    signs = rng.choice([-1, 1], task.keys.shape)
    task = replace(task, keys=floats(signs * rng.uniform(_FAR / 5, _FAR, signs.shape), "float32"))
    (outcome,) = called(subject, [task.given])
    _require(task, _scores(task, outcome, _OVERFLOWS))


def _moved(axis: int, things: str) -> Run:
    """Return a case: pictures (axis 0) or regions (axis 1) come in another order."""

    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng)
        order = whole(reorder(rng, task.shape[axis]))
        query = task.query[order] if axis == 0 else task.query
        moved = replace(task, query=query, keys=task.keys.index_select(axis, order))
        calls = called(subject, [task.given, moved.given])
        plain, other = (_scores(t, o) for t, o in zip((task, moved), calls, strict=True))
        if not close(other, np.take(plain, order.numpy(), axis), TOLERANCE_32):
            raise Wrong(
                f"with the {things} in another order, each does not keep its own score: does it "
                "depend on its place, or on another?"
            )
        _require(task, plain)

    return run


def _gradients(subject: Subject, rng: Random) -> None:
    """Of a random direction through the scores, to query, keys and every parameter."""
    task = _draw(rng)
    dout = floats(rng.standard_normal(task.shape))
    with hinted():
        (outcome,) = subject.gradients([(task.given, dout)], (0, 1, 2))
    value, (by_name, query, keys) = outcome.value
    _require(task, _scores(task, replace(outcome, value=value)))
    found = {"query": query, "keys": keys, **by_name}
    require_gradients(found, _reference_gradients(task, dout), "the scores")


def _types(subject: Subject, rng: Random) -> None:
    double = _draw(rng, dtype="float64")
    parts = of_type(double.parts, lambda weight: weight.float())
    single = _Task(parts, double.query.float(), double.keys.float())
    several = {"float32": (single, TOLERANCE_32), "float64": (double, TOLERANCE)}
    for dtype, (task, tolerance) in several.items():
        (outcome,) = called(subject, [task.given])
        try:
            found = result(outcome.value, task.shape, "the result", "(N, L)", dtype=dtype)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{TYPES if 'it must be' in str(wrong) else ''}") from None
        _require(task, found, tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    """In eval mode, and in train mode; the second time nothing is contiguous."""
    task = _draw(rng)
    other = _Task(with_gaps(task.parts), gaps(-task.query), gaps(task.keys.flip(0)), training=True)
    calls = called(subject, [task.given, other.given])
    for each, outcome in zip((task, other), calls, strict=True):
        require_same_model(outcome)
        unchanged(outcome.mutated, "model, query, keys")
        _require(each, _scores(each, outcome))


def _draw(rng: Random, dtype: str = "float32", **axes: int) -> _Task:
    """Draw a small model and what it is asked, no two sizes alike but those that `axes` fixes."""
    N, L, Q, A = sizes(rng, 4, 3, 8)
    N, L, A = (axes.get(name, size) for name, size in (("N", N), ("L", L), ("A", A)))
    parts = {"query": linear(rng, A, Q, dtype), "score": linear(rng, 1, A, dtype)}
    return _Task(parts, drawn(rng, (N, Q), dtype), drawn(rng, (N, L, A), dtype))


# ------------------------------------------------------------------------------- what comes back


def _scores(task: _Task, outcome: Outcome, hint: str = "") -> np.ndarray:
    return result(outcome.value, task.shape, "the result", "(N, L)", dtype=EITHER, hint=hint)


def _require(task: _Task, found: np.ndarray, tolerance: float = TOLERANCE_32) -> None:
    right = _reference(task)
    if close(found, right, tolerance):
        return
    named = fitting(found, _lookalikes(task, right), tolerance)
    where = f": {named[0]}" if named else differing(found, right, tolerance)
    raise Wrong(f"the scores are wrong{where}")


# ------------------------------------------------------------------------------- what torch says


def _reference(task: _Task) -> np.ndarray:
    torch = torch_here()
    with torch.no_grad():
        model = make(module(task.parts)).double()
        return _run(model, task.query.double(), task.keys.double()).numpy()


def _reference_gradients(task: _Task, dout: Any) -> Gradients:
    torch = torch_here()
    model = make(module(task.parts)).double()
    query, keys = (each.double().requires_grad_() for each in (task.query, task.keys))
    with torch.enable_grad():
        total = (_run(model, query, keys) * dout).sum()
    return slopes(total, {"query": query, "keys": keys, **dict(model.named_parameters())})


def _run(model: Any, query: Any, keys: Any) -> Any:
    """The scores, region by region."""
    asked = model["query"](query)
    regions = [model["score"]((key + asked).tanh())[:, 0] for key in keys.unbind(1)]
    return torch_here().stack(regions, dim=1)


def _lookalikes(task: _Task, right: np.ndarray) -> Mapping[str, np.ndarray]:
    """What likely mistakes make of the scores, each under the words that name it."""
    torch = torch_here()
    with torch.no_grad():
        model = make(module(task.parts)).double()
        K, q = task.keys.double(), model["query"](task.query.double())[:, None] + 0 * task.keys
        bare = q - model["query"].bias
        known = model["score"].weight[0], model["score"].bias
        found = _inside(K, q, bare, known) | _outside(K, q, known, torch.tensor(right))
    return {words: other.numpy() for words, other in found.items()}


def _inside(K: Any, q: Any, bare: Any, known: tuple) -> dict[str, Any]:
    """Mistakes in what is scored; K, q and `bare`, q without its bias, are all (N, L, A)."""
    wrong = {
        'there is no tanh between the sum and model["score"]': K + q,
        "there is a ReLU where the tanh belongs": (K + q).relu(),
        "there is a sigmoid where the tanh belongs": (K + q).sigmoid(),
        "the tanh is on the keys alone: it is taken of their sum with the query": K.tanh() + q,
        "the tanh is on the query alone: it is taken of its sum with the keys": K + q.tanh(),
        "tanh is taken of keys and query apart: it is taken of their sum": K.tanh() + q.tanh(),
        "the tanh is taken twice": (K + q).tanh().tanh(),
        "a tanh of the query is added to the keys: it is added as it is, and one tanh follows": (
            K + q.tanh()
        ).tanh(),
        "the query is added to a tanh of the keys: they are added as they are, and one tanh "
        "follows": (K.tanh() + q).tanh(),
        "every picture gets the mean of all queries: each has its own": (
            K + q.mean(0, keepdim=True)
        ).tanh(),
        "the query has no part in them": K.tanh(),
        "the keys have no part in them": q.tanh(),
        "every picture gets the query of the first": (K + q[:1]).tanh(),
        "the queries go along the regions: each belongs to all regions of its picture": (
            K + _along(q)
        ).tanh(),
        "the regions of a picture meet the queries of other pictures: repeat_interleave keeps "
        "those of one together, repeat does not": (K + _repeated(q)).tanh(),
        "every picture has the keys of the first": (K[:1] + q).tanh(),
        "keys and query are multiplied: they are added": (K * q).tanh(),
        "keys and query are multiplied, and there is no tanh": K * q,
        "the query is taken away from the keys: it is added": (K - q).tanh(),
        "the keys are taken away from the query: they are added": (q - K).tanh(),
        'the bias of model["query"] has no part in them: call the layer': (K + bare).tanh(),
    }
    weight, bias = known
    return {words: inner @ weight + bias for words, inner in wrong.items()}


def _along(q: Any) -> Any:
    """Region i is asked what picture i is asked."""
    rows = torch_here().arange(q.shape[1]) % len(q)
    return q[rows, 0] + 0 * q


def _repeated(q: Any) -> Any:
    """The queries of all pictures, one after the other, as often as there are regions."""
    N, L, A = q.shape
    return q[:, 0].repeat(L, 1).reshape(N, L, A)


def _outside(K: Any, q: Any, known: tuple, right: Any) -> dict[str, Any]:
    """Mistakes after the tanh."""
    (weight, bias), inner, A = known, (K + q).tanh(), K.shape[2]
    N, L = right.shape
    return {
        'the tanh comes after model["score"]: it comes before': ((K + q) @ weight + bias).tanh(),
        'there is another tanh after model["score"]': right.tanh(),
        'the bias of model["score"] has no part in them: call the layer': right - bias,
        'the tanh is summed up: that is for model["score"] to do': inner.sum(2),
        'the tanh is averaged: it is for model["score"] to make one number of it': inner.mean(2),
        'they are dot products of keys and query: here model["score"] is asked': (K * q).sum(2),
        "they are divided by the root of A: here nothing divides them": right / A**0.5,
        "they are weights already: return the scores before the softmax": right.softmax(1),
        "they are weights already, and shared by the pictures: return the scores before any "
        "softmax": right.softmax(0),
        "they are logarithms of weights: return the scores as they are": right.log_softmax(1),
        "their sign is wrong": -right,
        "pictures and regions are mixed: reshape and view do not swap axes": (
            right.T.reshape(N, L)
        ),
    }


ATTENTION_SCORES = Exercise(
    "attention_scores",
    points=3,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("every region of every picture", 3, _all),
        Case("one picture (N = 1), one region (L = 1), one number a key (A = 1)", 1, _small),
        Case("regions in another order: each keeps its own score", 1, _moved(1, "regions")),
        Case("pictures in another order: each keeps its own scores", 1, _moved(0, "pictures")),
        Case("a model that has other parts as well", 1, _more_parts),
        Case("keys far from 0", 1, _far),
        Case("autograd reaches query, keys and every parameter", 4, _gradients),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(f"{UNTOUCHED}, and the model as it was", 1, _left_alone),
    ),
)
