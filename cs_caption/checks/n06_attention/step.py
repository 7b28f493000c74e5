"""The check of attention_lstm_step: torch's layers in float64, region by region; autograd."""

from collections.abc import Callable, Mapping, Sequence
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
    some_seen,
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
    truths,
    unchanged,
    whole,
)
from cs_caption.checks.values import TOLERANCE, close, differing, entries, fitting, sizes

_NAMES = "model, word, prev_h, prev_c, a, keys, mask"
_RESULTS = ("next_h", "next_c", "z", "alpha")
_INPUTS = ("word", "prev_h", "prev_c", "a", "keys")
_WIDE_OPEN = 1000.0  # what a gate is asked to be: its sigmoid is exactly 1, of the negative 0
_HIGH = 100.0

Results = dict[str, np.ndarray]
Way = Callable[..., Any]


@dataclass(frozen=True)
class _Task:
    """The parts of a model, what it reads, its state, and the regions of each picture."""

    parts: Parts
    word: Any
    prev_h: Any
    prev_c: Any
    a: Any
    keys: Any
    mask: Any = None
    training: bool = False

    @property
    def given(self) -> tuple:
        inputs = (getattr(self, name) for name in _INPUTS)
        model = module(self.parts, training=self.training)
        return (model, *inputs, *(() if self.mask is None else (self.mask,)))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        (N, L, C), H = self.a.shape, self.prev_h.shape[1]
        return {"next_h": (N, H), "next_c": (N, H), "z": (N, C), "alpha": (N, L)}

    @property
    def inputs(self) -> dict[str, Any]:
        """What is read of each picture, in float64: all but the mask."""
        return {name: getattr(self, name).double() for name in _INPUTS}

    def with_each(self, change: Callable[[Any], Any]) -> "_Task":
        """The same task with each of the inputs changed."""
        return replace(self, **{name: change(getattr(self, name)) for name in _INPUTS})


def _judged(*names: str) -> Run:
    """Return a case: these of the results, where no mask is given, and where it is None."""

    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng)
        first, again = (
            _results(task, outcome)
            for outcome in called(subject, [task.given, (*task.given, None)])
        )
        if not all(close(first[name], again[name], TOLERANCE_32) for name in names):
            raise Wrong(
                "two calls with the same arguments give different results: is something drawn at "
                "random, or kept from call to call?"
            )
        _require(task, first, names)

    return run


def _masked(subject: Subject, rng: Random) -> None:
    """Masked regions have a weight of exactly 0, and what stands there counts for nothing."""
    task = _draw(rng, masked=True)
    out = ~task.mask[:, :, None]
    other = replace(
        task,
        a=torch_here().where(out, _HIGH * task.a, task.a),
        keys=torch_here().where(out, _HIGH * task.keys, task.keys),
    )
    for outcome in called(subject, [task.given, other.given]):
        found = _results(task, outcome)
        bad = np.count_nonzero(found["alpha"][out[:, :, 0].numpy()])
        if bad:
            raise Wrong(
                f"{bad} of {int(out.sum())} regions where the mask is False have a weight: it must "
                "be exactly 0. Is mask handed on?"
            )
        _require(task, found)


def _gate(subject: Subject, rng: Random) -> None:
    """A gate that is wide open, and one that is shut, whatever the state is."""
    task = _draw(rng)
    H = task.prev_h.shape[1]
    for bias, said in ((_WIDE_OPEN, "wide open (beta is 1)"), (-_WIDE_OPEN, "shut (beta is 0)")):
        gate = ("Linear", floats(np.zeros((1, H)), "float32"), floats(np.array([bias]), "float32"))
        one = replace(task, parts={**task.parts, "gate": gate})
        (outcome,) = called(subject, [one.given])
        _require(one, _results(one, outcome), said=f"where the gate is {said}, ")


def _small(subject: Subject, rng: Random) -> None:
    """An axis of length 1 at a time, and all at once: what squeezes, or broadcasts by chance."""
    for axes in ("N", "L", "C", "NLCHWA"):
        task = _draw(rng, **dict.fromkeys(axes, 1))
        (outcome,) = called(subject, [task.given])
        _require(task, _results(task, outcome))


def _more_parts(subject: Subject, rng: Random) -> None:
    """The parts of a whole captioner, in any order."""
    task = _draw(rng)
    H, C = task.prev_h.shape[1], task.a.shape[2]
    order = ("score", "cell", "query", "gate")
    more = {"output": linear(rng, H + 1, H), "project": linear(rng, H, C)}
    several = {**more, **{name: task.parts[name] for name in order}}
    (outcome,) = called(subject, [replace(task, parts=several).given])
    _require(task, _results(task, outcome))


def _regions_moved(subject: Subject, rng: Random) -> None:
    """Regions in another order, with their keys."""
    task = _draw(rng)
    order = reorder(rng, task.a.shape[1])
    at = whole(order)
    moved = replace(task, a=task.a[:, at], keys=task.keys[:, at])
    calls = called(subject, [task.given, moved.given])
    plain, other = (_results(task, outcome) for outcome in calls)
    if not close(other["alpha"], plain["alpha"][:, order], TOLERANCE_32):
        raise Wrong("the weights do not follow when the regions change places")
    for name in _RESULTS[:3]:
        if not close(other[name], plain[name], TOLERANCE_32):
            raise Wrong(f"{name} changes when the regions change places")
    _require(task, plain)


def _pictures_moved(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    order = reorder(rng, len(task.a))
    moved = task.with_each(lambda value: value[whole(order)])
    calls = called(subject, [task.given, moved.given])
    plain, other = (_results(task, outcome) for outcome in calls)
    for name in _RESULTS:
        if not close(other[name], plain[name][order], TOLERANCE_32):
            raise Wrong(
                f"with the pictures in another order, {name} does not follow: does one read what "
                "belongs to another?"
            )
    _require(task, plain)


def _gradients(*names: str, masked: bool) -> Run:
    """Return a case: back through these results to every input and every parameter."""

    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, masked=masked)
        for name in names:
            at, dout = _RESULTS.index(name), floats(rng.standard_normal(task.shapes[name]))
            with hinted():
                (outcome,) = subject.gradients([(task.given, dout)], tuple(range(6)), result=at)
            value, (by_name, *of_inputs) = outcome.value
            _require(task, _results(task, replace(outcome, value=value)), (name,))
            found = {**dict(zip(_INPUTS, of_inputs, strict=True)), **by_name}
            require_gradients(found, _reference_gradients(task, dout, name), name)

    return run


def _types(subject: Subject, rng: Random) -> None:
    double = _draw(rng, dtype="float64")
    parts = of_type(double.parts, lambda weight: weight.float())
    single = replace(double.with_each(lambda value: value.float()), parts=parts)
    several = {"float32": (single, TOLERANCE_32), "float64": (double, TOLERANCE)}
    for dtype, (task, tolerance) in several.items():
        (outcome,) = called(subject, [task.given])
        try:
            found = _results(task, outcome, dtype=dtype)
        except Wrong as wrong:
            raise Wrong(f"{wrong}{TYPES if 'it must be' in str(wrong) else ''}") from None
        _require(task, found, tolerance=tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    """In eval mode, and in train mode; the second time nothing is contiguous."""
    task, other = _draw(rng, masked=True), _draw(rng, masked=True)
    parts, mask = with_gaps(other.parts), gaps(other.mask)
    other = replace(other.with_each(gaps), parts=parts, mask=mask, training=True)
    calls = called(subject, [task.given, other.given])
    for each, outcome in zip((task, other), calls, strict=True):
        require_same_model(outcome)
        unchanged(outcome.mutated, _NAMES)
        _require(each, _results(each, outcome))


def _draw(rng: Random, *, masked: bool = False, dtype: str = "float32", **axes: int) -> _Task:
    """Draw a small model, a state and pictures, no two sizes alike but those that `axes` fixes."""
    named = dict(zip("NLCHWA", sizes(rng, 6, 3, 8), strict=True)) | axes
    N, L, C, H, W, A = (named[name] for name in "NLCHWA")
    parts = {
        "query": linear(rng, A, H + W, dtype),
        "score": linear(rng, 1, A, dtype),
        "gate": linear(rng, 1, H, dtype),
        "cell": lstm_cell(rng, H, W + C, dtype),
    }
    shapes = ((N, W), (N, H), (N, H), (N, L, C), (N, L, A))
    mask = truths(some_seen(rng, N, L)) if masked else None
    return _Task(parts, *(drawn(rng, shape, dtype) for shape in shapes), mask)


# ------------------------------------------------------------------------------- what comes back


def _results(task: _Task, outcome: Outcome, dtype: str = EITHER) -> Results:
    several = entries(outcome.value, ", ".join(_RESULTS))
    (N, L, C), found = task.a.shape, [tuple(getattr(each, "shape", ())) for each in several]
    if found[2:] == [(N, L), (N, C)] and L != C:
        raise Wrong("z and alpha are swapped: return next_h, next_c, z, alpha")
    pairs = zip(task.shapes.items(), several, strict=True)
    return {name: result(value, shape, name, dtype=dtype) for (name, shape), value in pairs}


def _require(
    task: _Task,
    found: Results,
    names: Sequence[str] = ("alpha", "z", "next_h", "next_c"),
    tolerance: float = TOLERANCE_32,
    said: str = "",
) -> None:
    """Judge these results, in this order; the words tell which of the others are right."""
    right = _reference(task)
    wrong = [name for name in names if not close(found[name], right[name], tolerance)]
    if not wrong:
        return
    name = wrong[0]
    named = _returned(task, found, right, name, tolerance) or _named(task, found, name, tolerance)
    where = f": {named}" if named else differing(found[name], right[name], tolerance)
    hint = _OWN_CHECKS if name == "alpha" and not named else ""
    raise Wrong(f"{said}{name} is wrong{where}{_before(found, right, name, tolerance)}{hint}")


_TURNED = (("next_h", "next_c"), ("next_c", "next_h"))
_SWAPPED = "next_h and next_c are swapped: nn.LSTMCell returns (h, c)"
_OWN_CHECKS = "; attention_scores and soft_attention have checks of their own: do they pass?"
_MADE_OF = {"alpha": (), "z": ("alpha",), "next_h": ("alpha", "z"), "next_c": ("alpha", "z")}


def _named(task: _Task, found: Results, name: str, tolerance: float) -> str:
    """The words of the look-alike that fits; of several, of that which fits most results."""
    others = _lookalikes(task)
    fits = fitting(found[name], {w: o[name] for w, o in others.items()}, tolerance)

    def agreeing(words: str) -> int:
        return sum(close(found[n], others[words][n], tolerance) for n in _RESULTS)

    return max(fits, key=agreeing, default="")


def _returned(task: _Task, found: Results, right: Results, name: str, tolerance: float) -> str:
    """What is returned in the place of a state, if it is another of the states."""
    if name not in ("next_h", "next_c"):
        return ""
    if all(close(found[mine], right[its], tolerance) for mine, its in _TURNED):
        return _SWAPPED
    states = {
        "prev_h": task.prev_h.double().numpy(),
        "prev_c": task.prev_c.double().numpy(),
        **{other: right[other] for other, _ in _TURNED if other != name},
    }
    named = fitting(found[name], states, tolerance)
    return f"{named[0]} is returned in its place" if named else ""


def _before(found: Results, right: Results, name: str, tolerance: float) -> str:
    """Say where to look: at the first of what it is made of that is wrong, or at what is right."""
    parts = _MADE_OF[name]
    bad = [part for part in parts if not close(found[part], right[part], tolerance)]
    if bad:
        return f". {bad[0]}, which it is made of, is wrong too: begin there"
    if not parts:
        return ""
    return f" ({' and '.join(parts)} {'is' if len(parts) == 1 else 'are'} right)"


# ------------------------------------------------------------------------------- what torch says


@dataclass(frozen=True)
class _Ways:
    """Where a wrong answer leaves the right way; each is the right way by default.

    h, c and w are the state, the memory and the word that are given.
    """

    query: Way = lambda h, c, w: (h, w)  # what is joined
    beta: Way = lambda gate, h, c: gate(h).sigmoid()
    scores: Way = lambda beta, scores: scores
    seen: Way = lambda beta, z: beta * z  # what the cell reads, and what is returned
    shown: Way | None = None  # what is returned as z, of beta, z and what the cell has read
    weights: Way = lambda beta, alpha: alpha  # what is returned as alpha
    reads: Way = lambda w, z: (w, z)
    state: Way = lambda h, c: (h, c)  # what the cell goes on from
    masked: bool = True
    again: bool = False  # the picture is looked at once more, from the new state
    blend: Way = lambda alpha, a: (alpha[:, :, None] * a).sum(1)


def _reference(task: _Task, ways: _Ways | None = None) -> Results:
    torch = torch_here()
    with torch.no_grad():
        model = make(module(task.parts)).double()
        found = _run(model, *task.inputs.values(), task.mask, ways or _Ways())
    return {name: value.numpy() for name, value in found.items()}


def _reference_gradients(task: _Task, dout: Any, name: str) -> Gradients:
    torch = torch_here()
    model = make(module(task.parts)).double()
    inputs = {name: value.requires_grad_() for name, value in task.inputs.items()}
    with torch.enable_grad():
        found = _run(model, *inputs.values(), task.mask, _Ways())
        total = (found[name] * dout).sum()
    return slopes(total, {**inputs, **dict(model.named_parameters())})


def _run(
    model: Any, w: Any, h: Any, c: Any, a: Any, keys: Any, mask: Any, ways: _Ways
) -> dict[str, Any]:
    mask = mask if ways.masked else None
    beta = ways.beta(model["gate"], h, c)
    scores = ways.scores(beta, _scores(model, ways.query(h, c, w), keys))
    alpha = _weights(scores, mask)
    blended = ways.blend(alpha, a)
    read = ways.seen(beta, blended)
    state = ways.state(h, c)
    next_h, next_c = model["cell"](torch_here().cat(ways.reads(w, read), 1), state)
    if ways.again:
        alpha = _weights(_scores(model, (next_h, w), keys), mask)
        read = ways.seen(ways.beta(model["gate"], next_h, c), ways.blend(alpha, a))
    z = read if ways.shown is None else ways.shown(beta, blended, read)
    return {"next_h": next_h, "next_c": next_c, "z": z, "alpha": ways.weights(beta, alpha)}


def _scores(model: Any, joined: tuple, keys: Any) -> Any:
    torch = torch_here()
    asked = model["query"](torch.cat(joined, 1))
    return torch.cat([model["score"]((key + asked).tanh()) for key in keys.unbind(1)], 1)


def _weights(scores: Any, mask: Any) -> Any:
    torch = torch_here()
    if mask is not None:
        scores = torch.where(mask, scores, torch.full_like(scores, -torch.inf))
    return scores.softmax(1)


def _lookalikes(task: _Task) -> Mapping[str, Results]:
    """What likely mistakes make of all four, each under the words that name it."""
    many = _of_queries() | _of_new_states(task) | _of_gates() | _of_cells(task)
    return {words: _reference(task, ways) for words, ways in many.items()}


def _of_queries() -> dict[str, _Ways]:
    asked = "the query is [prev_h, word], in this order"
    return {
        f"{asked}; here word comes first": _Ways(query=lambda h, c, w: (w, h)),
        f"{asked}; here prev_c stands in prev_h's place": _Ways(query=lambda h, c, w: (c, w)),
        f"{asked}; here the state has no part in it": _Ways(query=lambda h, c, w: (0 * h, w)),
        f"{asked}; here word has no part in it": _Ways(query=lambda h, c, w: (h, 0 * w)),
        f"{asked}; here there is a tanh around it": _Ways(
            query=lambda h, c, w: (h.tanh(), w.tanh())
        ),
        "the mask has no part in it: hand it on": _Ways(masked=False),
        "the picture is looked at from next_h: it is looked at from prev_h, before the cell runs": (
            _Ways(again=True)
        ),
        "alpha is scaled by the gate: only what is seen is": _Ways(
            weights=lambda beta, alpha: beta * alpha
        ),
        "every picture is blended of the first picture's regions": _Ways(
            blend=lambda alpha, a: alpha @ a[0]
        ),
        "the regions are averaged, whatever alpha is": _Ways(blend=lambda alpha, a: a.mean(1)),
        "the regions are averaged after they are weighed: a sum is enough": _Ways(
            blend=lambda alpha, a: (alpha[:, :, None] * a).mean(1)
        ),
    }


def _of_new_states(task: _Task) -> dict[str, _Ways]:
    """A query of the state after a run of the cell, on what it may have been given to read."""
    late = "the query is made of next_h: it is made of prev_h, before the cell runs"
    runs = {
        f"{late} (the cell ran on zeros)": _Ways(seen=lambda beta, z: 0 * z),
        f"{late} (the cell ran on the mean of the regions)": _Ways(
            blend=lambda alpha, a: a.mean(1), seen=lambda beta, z: z
        ),
        f"{late} (the cell ran on the mean of the regions, gated)": _Ways(
            blend=lambda alpha, a: a.mean(1)
        ),
        f"{late} (the cell ran on a first look, without the gate)": _Ways(seen=lambda beta, z: z),
        f"{late} (the cell ran on a first look)": _Ways(),
    }
    states = {words: floats(_reference(task, ways)["next_h"]) for words, ways in runs.items()}
    return {
        words: _Ways(query=lambda h, c, w, state=state: (state, w))
        for words, state in states.items()
    }


def _of_gates() -> dict[str, _Ways]:
    return {
        "the gate has no part in it": _Ways(seen=lambda beta, z: z),
        "the gate scales what the cell reads; z, as it is returned, is scaled as well": _Ways(
            shown=lambda beta, z, read: z
        ),
        "the gate scales z, and the cell reads the z that is scaled": _Ways(
            seen=lambda beta, z: z, shown=lambda beta, z, read: beta * z
        ),
        "the gate is not squashed: beta is a sigmoid": _Ways(beta=lambda gate, h, c: gate(h)),
        "the gate is squashed by a tanh: beta is a sigmoid": _Ways(
            beta=lambda gate, h, c: gate(h).tanh()
        ),
        "the gate is squashed twice": _Ways(beta=lambda gate, h, c: gate(h).sigmoid().sigmoid()),
        "the gate is asked of prev_c: it is asked of prev_h": _Ways(
            beta=lambda gate, h, c: gate(c).sigmoid()
        ),
        "the gate is asked of tanh(prev_h): it is asked of prev_h": _Ways(
            beta=lambda gate, h, c: gate(h.tanh()).sigmoid()
        ),
        "the gate is upside down: 1 - beta": _Ways(seen=lambda beta, z: (1 - beta) * z),
        "the gate is applied twice": _Ways(seen=lambda beta, z: beta**2 * z),
        "the gate is averaged over the pictures: each has its own": _Ways(
            seen=lambda beta, z: beta.mean() * z
        ),
        "the gate scales the scores: it scales what is seen": _Ways(
            scores=lambda beta, scores: beta * scores, seen=lambda beta, z: z
        ),
        "the gate scales the scores as well: it scales what is seen": _Ways(
            scores=lambda beta, scores: beta * scores
        ),
        "the gate is added: it scales": _Ways(seen=lambda beta, z: beta + z),
        "the gate of the first picture scales all: each has its own": _Ways(
            seen=lambda beta, z: beta[:1] * z
        ),
        'the bias of model["gate"] has no part in it: call the layer': _Ways(
            beta=lambda gate, h, c: (gate(h) - gate.bias).sigmoid()
        ),
    }


def _of_cells(task: _Task) -> dict[str, _Ways]:
    read = "the cell reads [word, z], in this order"
    goes_on = "the cell goes on from (prev_h, prev_c)"
    ungated = floats(_reference(task, _Ways(seen=lambda beta, z: z))["next_h"])

    def late(gate: Any, h: Any, c: Any) -> Any:
        return gate(ungated).sigmoid()

    return {
        f"{read}; here z comes first": _Ways(reads=lambda w, z: (z, w)),
        f"{read}; here z has no part in it": _Ways(reads=lambda w, z: (w, 0 * z)),
        f"{read}; here word has no part in it": _Ways(reads=lambda w, z: (0 * w, z)),
        f"{goes_on}; here prev_c is 0": _Ways(state=lambda h, c: (h, 0 * c)),
        f"{goes_on}; here prev_h is 0": _Ways(state=lambda h, c: (0 * h, c)),
        f"{goes_on}; here both are 0": _Ways(state=lambda h, c: (0 * h, 0 * c)),
        f"{goes_on}; here they are swapped": _Ways(state=lambda h, c: (c, h)),
        f"{goes_on}; here prev_h stands in both places": _Ways(state=lambda h, c: (h, h)),
        "the gate scales the word as well: it scales what is seen": _Ways(
            reads=lambda w, z: (_gated_words(task), z)
        ),
        "the gate is asked of next_h: it is asked of prev_h, before the cell runs": _Ways(
            seen=lambda beta, z: z, beta=late, shown=lambda beta, z, read: beta * z
        ),
        "the gate is asked of the next_h of a first run: it is asked of prev_h": _Ways(beta=late),
    }


def _gated_words(task: _Task) -> Any:
    gate, inputs = make(module(task.parts)).double()["gate"], task.inputs
    return gate(inputs["prev_h"]).sigmoid() * inputs["word"]


ATTENTION_LSTM_STEP = Exercise(
    "attention_lstm_step",
    points=4,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("alpha: where it looks", 3, _judged("alpha")),
        Case("z: what it sees there, scaled by the gate", 3, _judged("z")),
        Case("next_h and next_c: what the cell makes of it", 3, _judged("next_h", "next_c")),
        Case("a gate that is wide open, and one that is shut", 1, _gate),
        Case("masked regions get exactly zero weight, and count for nothing", 2, _masked),
        Case("one picture (N = 1), one region (L = 1), every size 1", 1, _small),
        Case("a model that has other parts as well", 1, _more_parts),
        Case("regions in another order: alpha follows, the rest stays", 1, _regions_moved),
        Case("pictures in another order: all four follow", 1, _pictures_moved),
        Case(
            "autograd through next_h and next_c: to every input and parameter",
            5,
            _gradients("next_h", "next_c", masked=False),
        ),
        Case("autograd through z and alpha, masked", 2, _gradients("z", "alpha", masked=True)),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(f"{UNTOUCHED}, and the model as it was", 1, _left_alone),
    ),
)
