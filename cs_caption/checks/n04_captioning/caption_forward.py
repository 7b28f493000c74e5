"""The check of lstm_caption_forward: torch's whole-sequence nn.LSTM decides, and autograd."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.built import make, module
from cs_caption.checks.chances import likely
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.sequences import REORDERED, reorder
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    referee,
    tensor,
    torch_here,
    unchanged,
    whole,
)
from cs_caption.checks.values import TOLERANCE, close, differing, fitting, sizes
from cs_caption.checks.wire import Recipe

Random = np.random.RandomState

_ARGUMENTS = "model, features, tokens"
_AXES = "(N, T, V)"
_MODE = "leave it in the mode it is given in, and its weights and their .grad alone"
_TYPES = "; is every tensor that you make of the type of the others?"
_NULL, _START, _END = range(3)
_SHARE = 0.25  # of the features that is dropped: 1 / p, 1 / (1 - p) and its square are far apart


@dataclass(frozen=True)
class _Task:
    """The parts of a model, pictures' features (N, C) and tokens (N, T)."""

    parts: Mapping[str, tuple]
    features: Any
    tokens: Any
    training: bool = False

    @property
    def given(self) -> tuple[Recipe, Any, Any]:
        return module(self.parts, training=self.training), self.features, self.tokens

    @property
    def shape(self) -> tuple[int, int, int]:
        return (*self.tokens.shape, len(self.parts["output"][2]))


def _all(rows: int | None = None, steps: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, rows, steps)
        first, again = (_logits(task, outcome) for outcome in _calls(subject, task, task))
        if not close(first, again, TOLERANCE_32):
            raise Wrong(
                "two calls with the same model, in eval mode, and the same arguments give "
                "different logits: is something dropped there, or kept from call to call?"
            )
        _require(task, first)

    return run


def _padded(subject: Subject, rng: Random) -> None:
    """Every caption has ended before the last step."""
    task = _draw(rng, steps=9)
    tokens = task.tokens.clone()
    tokens[tokens < 3] += 3
    tokens[:, 5], tokens[:, 6:], tokens[0, 3:5] = _END, _NULL, whole(np.array([_END, _NULL]))
    task = replace(task, tokens=tokens)
    outcome = _call(subject, task)
    shape = tuple(getattr(outcome.value, "shape", ()))
    if len(shape) == 3 and shape[1] in (5, 6, 7):
        raise Wrong(
            f"the result has {shape[1]} steps, expected T = 9: where all captions have ended it "
            "goes on, and scores what follows <NULL>"
        )
    _require(task, _logits(task, outcome))


def _dropped(subject: Subject, rng: Random) -> None:
    """With p = 1 what is dropped is 0, and nothing is left to chance."""
    task = _draw(rng)
    parts = {**task.parts, "dropout": ("Dropout", 1.0)}
    for training in (True, False):
        one = replace(task, parts=parts, training=training)
        outcome = _call(subject, one)
        _require_same_model(outcome)
        found = _logits(one, outcome)
        right = _reference(one, _Ways(features=lambda f, on=training: f * (not on)))
        if close(found, right, TOLERANCE_32):
            continue
        _require(task, _logits(task, _call(subject, task)))
        fits = fitting(found, _other_drops(one), TOLERANCE_32)
        words = fits[0] if fits else "is it done to the features, and to nothing else?"
        raise Wrong(f"the dropout is wrong in {'train' if training else 'eval'} mode: {words}")


def _kept(subject: Subject, rng: Random) -> None:
    """A model whose first logits show each feature, in train mode: twice."""
    task = _showing(rng)
    shown = []
    for outcome in _calls(subject, task, task):
        _require_same_model(outcome)
        half_tanh = 2 * _logits(task, outcome)[:, 0, : task.features.shape[1]]
        if np.max(np.abs(half_tanh)) >= 1:
            raise Wrong(f"the dropout is wrong in train mode: {_MODELS_OWN}")
        shown.append(2 * np.arctanh(half_tanh) / task.features.numpy())
    for factors in shown:
        _require_factors(factors)
    if np.array_equal(*(factors > 0.5 for factors in shown)):
        raise Wrong(
            "two calls in train mode drop the same features: is something seeded in the function, "
            "or kept?"
        )


_MODELS_OWN = 'is it model["dropout"], called once with all features?'


def _require_factors(factors: np.ndarray) -> None:
    """Judge what each feature (N, C) was multiplied by: 0, or 1 / (1 - p) as nn.Dropout does."""
    kept, dropped = factors[np.abs(factors) > 1e-3], np.abs(factors) <= 1e-3
    scale = 1 / (1 - _SHARE)
    others = {
        "what is kept is not scaled: 1 / (1 - p) keeps the sum what it was": 1.0,
        "what is kept is divided by p: by 1 - p, the share that is kept": 1 / _SHARE,
        "the features are dropped twice": scale**2,
        "what is kept is multiplied by 1 - p: it is divided by it": 1 - _SHARE,
    }
    if not len(kept):
        raise Wrong("the dropout is wrong in train mode: all features are dropped")
    if not close(kept, scale + 0 * kept, 1e-3):
        named = [words for words, other in others.items() if close(kept, other + 0 * kept, 1e-3)]
        raise Wrong(f"the dropout is wrong in train mode: {named[0] if named else _MODELS_OWN}")
    if (dropped == dropped[:1]).all():
        words = "it does nothing: is it used?" if not dropped.any() else _ALIKE
    elif (dropped == dropped[:, :1]).all():
        words = "all features of a picture are dropped, or none: each is dropped by itself"
    elif not likely(_counts(dropped), np.log([_SHARE, 1 - _SHARE])):
        words = f"not a share of p is dropped: {_MODELS_OWN}"
    else:
        return
    raise Wrong(f"the dropout is wrong in train mode: {words}")


_ALIKE = "the same features are dropped of every picture: each picture has its own"


def _counts(dropped: np.ndarray) -> np.ndarray:
    return np.array([np.count_nonzero(dropped), np.count_nonzero(~dropped)])


def _showing(rng: Random) -> _Task:
    """A model without weights but for ones, which copy each feature: logits tanh(feature / 2) / 2.

    In a cell of zeros the gates are half open and nothing is written: c = c / 2, h = tanh(c) / 2.
    """
    N, T, C, W = 12, 2, 40, 3
    H, V = C + 1, C + 2
    parts = {
        "dropout": ("Dropout", _SHARE),
        "project": ("Linear", np.eye(H, C), np.zeros(H)),
        "words": ("Embedding", np.zeros((V, W))),
        "cell": ("LSTMCell", *(np.zeros(s) for s in ((4 * H, W), (4 * H, H), 4 * H, 4 * H))),
        "output": ("Linear", np.eye(V, H), np.zeros(V)),
    }
    sent = {
        name: (kind, *(w if name == "dropout" else floats(w, "float32") for w in weights))
        for name, (kind, *weights) in parts.items()
    }
    features = floats(rng.choice([-4, -3, -2, 2, 3, 4], size=(N, C)) / 8, "float32")
    return _Task(sent, features, whole(rng.randint(0, V, (N, T))), training=True)


def _gradients(subject: Subject, rng: Random) -> None:
    """Of a random direction through the logits, to the features and every parameter."""
    task = _draw(rng)
    dout = floats(rng.standard_normal(task.shape))
    (outcome,) = subject.gradients([(task.given, dout)], (0, 1))
    value, (by_name, dfeatures) = outcome.value
    _require(task, _logits(task, replace(outcome, value=value)))
    found = {"features": dfeatures, **by_name}
    right = _reference_gradients(task, dout)
    _require_reached(found)
    for name, truth in right.items():
        said = f"the gradient of {_said(name)}"
        grad = tensor(found[name], truth.shape, said, dtype=EITHER)
        if not close(grad, truth, TOLERANCE_32):
            raise Wrong(
                f"the logits are right, but the gradient of {_said(name)} is not"
                f"{differing(grad, truth, TOLERANCE_32)}: does something come back by a part of "
                "the way only, because it was detached?"
            )


def _reordered(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    order = whole(reorder(rng, len(task.features)))
    moved = replace(task, features=task.features[order], tokens=task.tokens[order])
    calls = subject.calls([task.given, moved.given])
    plain, other = (_logits(t, o) for t, o in zip((task, moved), calls, strict=True))
    if not close(other, plain[order.numpy()], TOLERANCE_32):
        raise Wrong(
            "with the captions of the batch in another order, each does not keep its own logits: "
            "does one caption read what belongs to another?"
        )
    _require(task, plain)


def _left_alone(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    parts = {name: (kind, *map(_gaps, rest)) for name, (kind, *rest) in task.parts.items()}
    other = _Task(parts, gaps(-task.features), gaps(task.tokens.flip(0)))
    for each, outcome in zip((task, other), _calls(subject, task, other), strict=True):
        _require_same_model(outcome)
        unchanged(outcome.mutated, _ARGUMENTS)
        _require(each, _logits(each, outcome))


def _types(subject: Subject, rng: Random) -> None:
    double = _draw(rng, dtype="float64")
    parts = {name: (kind, *map(_single_of, rest)) for name, (kind, *rest) in double.parts.items()}
    single = _Task(parts, double.features.float(), double.tokens)
    several = {"float32": (single, TOLERANCE_32), "float64": (double, TOLERANCE)}
    for dtype, (task, tolerance) in several.items():
        try:
            value = _call(subject, task).value
            found = tensor(value, task.shape, "the result", _AXES, dtype=dtype)
        except Wrong as wrong:
            told = "it must be" in str(wrong)
            raise Wrong(f"{wrong}{_TYPES if told else ''}") from None
        _require(task, found, tolerance)


def _draw(
    rng: Random, rows: int | None = None, steps: int | None = None, *, dtype: str = "float32"
) -> _Task:
    """Draw a small model, no two sizes alike, and captions in which words come more than once."""
    N, T, C, W, H = sizes(rng, 5, 3, 8)
    N, T, V = rows or N, steps or T, 10
    many = {
        "project": ("Linear", (H, C), (H,)),
        "words": ("Embedding", (V, W)),
        "cell": ("LSTMCell", (4 * H, W), (4 * H, H), (4 * H,), (4 * H,)),
        "output": ("Linear", (V, H), (V,)),
    }
    drawn = {
        name: (kind, *(floats(rng.uniform(-1, 1, shape), dtype) for shape in shapes))
        for name, (kind, *shapes) in many.items()
    }
    parts = {"dropout": ("Dropout", 0.5), **drawn}
    tokens = whole(rng.randint(0, V, (N, T)))
    return _Task(parts, floats(rng.uniform(-1, 1, (N, C)), dtype), tokens)


def _gaps(value: Any) -> Any:
    return value if isinstance(value, float) else gaps(value)


def _single_of(value: Any) -> Any:
    return value if isinstance(value, float) else value.float()


# ------------------------------------------------------------------------------- what comes back


def _call(subject: Subject, task: _Task) -> Outcome:
    return _calls(subject, task)[0]


def _calls(subject: Subject, *tasks: _Task) -> list[Outcome]:
    try:
        return subject.calls([task.given for task in tasks])
    except Wrong as wrong:
        raise Wrong(f"{wrong}{_TYPES if 'dtype' in str(wrong) else ''}") from None


def _logits(task: _Task, outcome: Outcome) -> np.ndarray:
    N, T, V = task.shape
    shape = getattr(outcome.value, "shape", None)
    if shape == (N, V):
        raise Wrong(f"the result has shape {(N, V)}: that is one step; expected {task.shape}")
    if shape == (N, T - 1, V):
        raise Wrong(
            f"the result has shape {(N, T - 1, V)}, expected {task.shape} = {_AXES}: a step is "
            "missing; each of the tokens that are given is read, and scored after it is read"
        )
    return tensor(outcome.value, task.shape, "the result", _AXES, dtype=EITHER)


def _require(task: _Task, found: np.ndarray, tolerance: float = TOLERANCE_32) -> None:
    right = _reference(task)
    if close(found, right, tolerance):
        return
    named = fitting(found, _lookalikes(task, right), tolerance)
    steps = [t for t in range(right.shape[1]) if close(found[:, t], right[:, t], tolerance)]
    where = differing(found, right, tolerance)
    if steps == [0] and right.shape[1] > 1:
        where += "; those of the first step are right, those of the later steps are not"
    raise Wrong(f"the logits are wrong{': ' + named[0] if named else where}")


def _require_same_model(outcome: Outcome) -> None:
    if 0 in outcome.mutated:
        raise Wrong(f"it changes the model: {_MODE}")


def _require_reached(found: Mapping[str, Any]) -> None:
    """Fail where autograd brings no gradient, with what it does not reach."""
    missing = [name for name, grad in found.items() if grad is None]
    if len(missing) == len(found):
        raise Wrong(
            "the logits are right, but no gradient comes back through them: is something in NumPy, "
            "detached, or under torch.no_grad()?"
        )
    if missing:
        parts = list(dict.fromkeys(map(_said, missing)))
        raise Wrong(
            f"the logits are right, but no gradient reaches {' and '.join(parts)}: is something "
            "detached, or taken out by .data or .item()?"
        )


def _said(name: str) -> str:
    """The name of a parameter's part, as the notebook's model has it."""
    return name if name == "features" else f'model["{name.split(".")[0]}"]'


# ------------------------------------------------------------------------------- what torch says


@dataclass(frozen=True)
class _Ways:
    """Where a wrong answer leaves the right way; each is the right way by default."""

    features: Callable[[Any], Any] = lambda features: features
    words: Callable[[Any], Any] = lambda words: words
    tokens: Callable[[Any], Any] = lambda tokens: tokens
    warm: Callable[[Any], Any] | None = None  # of words (N, T, W): one that is read before them
    holds: bool = False  # the state where <NULL> is read
    greedy: bool = False  # the most probable word is read, not the next of the caption
    start: Callable[[Any], tuple[Any, Any]] = lambda seen: (0 * seen, seen)  # h, c
    carry: Callable[..., tuple[Any, Any]] = lambda h, c, seen: (h, c)
    said: Callable[[Any, Any], Any] = lambda hs, cs: hs  # what is scored, of states (N, T, H)


def _reference(task: _Task, ways: _Ways | None = None) -> np.ndarray:
    """The logits: by torch's nn.LSTM over whole sequences; step by step where a way is wrong."""
    torch = torch_here()
    model = make(module(task.parts)).double()
    with torch.no_grad():
        return _run(model, task.features.double(), task.tokens, ways).numpy()


def _reference_gradients(task: _Task, dout: Any) -> dict[str, np.ndarray]:
    torch = torch_here()
    model = make(module(task.parts)).double()
    features = task.features.double().requires_grad_()
    with torch.enable_grad():
        total = (_run(model, features, task.tokens) * dout).sum()
    leaves = {"features": features, **dict(model.named_parameters())}
    slopes = torch.autograd.grad(total, list(leaves.values()))
    return {name: slope.numpy() for name, slope in zip(leaves, slopes, strict=True)}


def _run(model: Any, features: Any, tokens: Any, ways: _Ways | None = None) -> Any:
    if ways is None:
        seen, words = model["project"](features), model["words"](tokens)
        states = _sequence(model["cell"], words, seen)
        return model["output"](states)
    torch = torch_here()
    tokens = ways.tokens(tokens)
    seen, words = model["project"](ways.features(features)), ways.words(model["words"](tokens))
    (h, c), hs, cs = ways.start(seen), [], []
    if ways.warm:
        h, c = model["cell"](ways.warm(words), (h, c))
    for word, null in zip(words.unbind(1), (tokens == _NULL).unbind(1), strict=True):
        if ways.greedy and hs:
            word = model["words"](model["output"](h).argmax(1))
        after = model["cell"](word, (h, c))
        still = ways.holds & null[:, None]
        h, c = (torch.where(still, *pair) for pair in zip((h, c), after, strict=True))
        hs.append(h)
        cs.append(c)
        h, c = ways.carry(h, c, seen)
    return model["output"](ways.said(torch.stack(hs, 1), torch.stack(cs, 1)))


def _sequence(cell: Any, words: Any, memory: Any) -> Any:
    """The states (N, T, H) of what nn.LSTM calls, with the cell's weights."""
    torch = torch_here()
    state = (torch.zeros_like(memory)[None], memory[None])
    weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
    layers, dropout, train, both_ways, batch_first = 1, 0.0, False, False, True
    plan = (True, layers, dropout, train, both_ways, batch_first)
    return torch.lstm(words, state, weights, *plan)[0]


def _lookalikes(task: _Task, right: np.ndarray) -> dict[str, np.ndarray]:
    """What likely mistakes make of the logits, each under the words that name it."""
    torch = torch_here()
    starts = {
        "the picture is the first state h: it is the first memory c": lambda v: (v, 0 * v),
        "the picture is the first state h as well: that is 0": lambda v: (v, v),
        "the picture has no part in them": lambda v: (0 * v, 0 * v),
        "there is a tanh on the picture's way into the memory": lambda v: (0 * v, v.tanh()),
        "there is a ReLU on the picture's way into the memory": lambda v: (0 * v, v.relu()),
        "tanh of the picture's memory is the first state h: that is 0": lambda v: (v.tanh(), v),
        "every caption has the memory of the first picture": lambda v: (0 * v, 0 * v + v[:1]),
    }
    found = {words: _reference(task, _Ways(start=start)) for words, start in starts.items()}
    carries = {
        "the picture is put into the memory at every step: it is the first memory": (
            lambda h, c, v: (h, v)
        ),
        "every word is read from the first state and memory: carry both on": (
            lambda h, c, v: (0 * h, v)
        ),
        "h is not carried from word to word": lambda h, c, v: (0 * h, c),
        "c is not carried from word to word": lambda h, c, v: (h, 0 * c),
        "the picture is added to the memory at every step": lambda h, c, v: (h, c + v),
        "h and c are swapped from word to word": lambda h, c, v: (c, h),
    }
    found |= {words: _reference(task, _Ways(carry=carry)) for words, carry in carries.items()}
    N, T = task.tokens.shape
    scored = {
        "the memories c are scored, not the states h": lambda hs, cs: cs,
        "each is one step behind: a word is scored after tokens[:, t] is read, not before": (
            lambda hs, cs: torch.cat([0 * hs[:, :1], hs[:, :-1]], dim=1)
        ),
        "the last state is scored at every step": lambda hs, cs: 0 * hs + hs[:, -1:],
        "captions and steps are mixed: reshape and view do not swap axes": (
            lambda hs, cs: hs.transpose(0, 1).reshape(N, T, -1)
        ),
        "there is a tanh between the state and the output layer": lambda hs, cs: hs.tanh(),
        "there is a ReLU between the state and the output layer": lambda hs, cs: hs.relu(),
        "the steps come in reversed order": lambda hs, cs: hs.flip(1),
    }
    found |= {words: _reference(task, _Ways(said=said)) for words, said in scored.items()}
    real = (task.tokens > 0)[..., None]
    words = {
        "word 0 is read as if its vector were 0": lambda x: x * real,
        "the words are read in reversed order": lambda x: x.flip(1),
        "every step reads the first word": lambda x: 0 * x + x[:, :1],
        "each step reads the word after its own": lambda x: x.roll(-1, dims=1),
        "each step reads the word before its own": lambda x: x.roll(1, dims=1),
        "the words have no part in them": lambda x: 0 * x,
        "every caption reads the words of the first": lambda x: 0 * x + x[:1],
    }
    found |= {name: _reference(task, _Ways(words=way)) for name, way in words.items()}
    found |= {name: _reference(task, ways) for name, ways in _more_ways(task).items()}
    scores, bias = torch.tensor(right), task.parts["output"][2].double().numpy()
    return found | {
        "they are logarithms of probabilities: return the scores as they are": (
            scores.log_softmax(2).numpy()
        ),
        "they are probabilities: return the scores as they are": scores.softmax(2).numpy(),
        "the bias of the output layer has no part in them: call the layer": right - bias,
    }


def _more_ways(task: _Task) -> dict[str, _Ways]:
    """Mistakes of more than one place, or in what is read."""
    torch = torch_here()
    bias = task.parts["project"][2].double()

    def behind(first: int) -> Callable[[Any], Any]:
        return lambda tokens: torch.cat([0 * tokens[:, :1] + first, tokens[:, :-1]], dim=1)

    def ahead(last: int) -> Callable[[Any], Any]:
        return lambda tokens: torch.cat([tokens[:, 1:], 0 * tokens[:, :1] + last], dim=1)

    before, after = (
        "each step reads the word before its own",
        "each step reads the word after its own",
    )
    extra = "something is read before the first of tokens: <START> is among them"
    vectors = task.parts["words"][1].double()
    return {
        "h and c are swapped: nn.LSTMCell takes and returns (h, c)": _Ways(
            start=lambda v: (v, 0 * v), carry=lambda h, c, v: (c, h)
        ),
        "the bias of project has no part in them: call the layer": _Ways(
            start=lambda v: (0 * v, v - bias)
        ),
        "the picture is added to the memory at every step, the first included": _Ways(
            start=lambda v: (0 * v, 2 * v), carry=lambda h, c, v: (h, c + v)
        ),
        "the most probable word is read, not the next of tokens": _Ways(greedy=True),
        "the state stays what it was where <NULL> is read: read it as any word": _Ways(holds=True),
        f"{before}, <START> twice": _Ways(tokens=behind(_START)),
        f"{before}, <NULL> first": _Ways(tokens=behind(_NULL)),
        f"{before}, the first twice": _Ways(tokens=lambda t: torch.cat([t[:, :1], t[:, :-1]], 1)),
        f"{before}, 0 first": _Ways(words=lambda x: torch.cat([0 * x[:, :1], x[:, :-1]], 1)),
        f"{after}, the last twice": _Ways(tokens=lambda t: torch.cat([t[:, 1:], t[:, -1:]], 1)),
        f"{after}, <NULL> last": _Ways(tokens=ahead(_NULL)),
        f"{after}, <END> last": _Ways(tokens=ahead(_END)),
        f"{extra} (a vector of 0)": _Ways(warm=lambda x: 0 * x[:, 0]),
        f"{extra} (<START>)": _Ways(warm=lambda x: 0 * x[:, 0] + vectors[_START]),
        f"{extra} (<NULL>)": _Ways(warm=lambda x: 0 * x[:, 0] + vectors[_NULL]),
        f"{extra} (the first of them)": _Ways(warm=lambda x: x[:, 0]),
    }


def _other_drops(task: _Task) -> dict[str, np.ndarray]:
    """What a dropout with p = 1 does elsewhere."""
    bias = make(module(task.parts)).double()["output"].bias.detach().numpy()
    nothing = _Ways(features=lambda f: 0 * f)
    found = {
        "it is done to the projected features: drop first, then project": _reference(
            task, _Ways(start=lambda v: (0 * v, 0 * v))
        ),
        "it is done to the words as well": _reference(
            task, replace(nothing, words=lambda words: 0 * words)
        ),
        "it is done to the words, and not to the features": _reference(
            task, _Ways(words=lambda words: 0 * words)
        ),
        "it is done to the states as well or instead": np.broadcast_to(bias, task.shape),
    }
    if task.training:
        return found | {"it does nothing: is it used?": _reference(task)}
    always = "it drops in eval mode too: use model's own, which knows the mode"
    return {always: _reference(task, nothing)} | found


LSTM_CAPTION_FORWARD = Exercise(
    "lstm_caption_forward",
    points=3,
    referee=referee,
    cases=(
        Case("one word (T = 1): the picture is the memory that it meets", 2, _all(steps=1)),
        Case("whole captions", 3, _all()),
        Case("one caption (N = 1)", 1, _all(rows=1)),
        Case("captions that have all ended before the last step", 1, _padded),
        Case("the dropout: on the features, in train mode only", 1, _dropped),
        Case("the dropout: how much, of which pictures, and what is kept", 1, _kept),
        Case("autograd reaches the features and every parameter", 2, _gradients),
        Case(
            REORDERED.replace("sequences", "captions").replace("results", "logits"), 1, _reordered
        ),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(f"{UNTOUCHED}, and the model as it was", 1, _left_alone),
    ),
)
