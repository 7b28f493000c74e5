"""The check of fix_min_char_rnn: as far as the listing's faults part, each has a case of its own.

A chunk of one character does not care in which order the characters are read, a text of one symbol
not which chunk is read, biases of 0 not about their sign, and a learning rate of 0 not what learns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cs_caption.checks.chances import log_softmax
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.n02_hello_rnn import training_by_torch as by_torch
from cs_caption.checks.n02_hello_rnn.networks import Tables, centred
from cs_caption.checks.n02_hello_rnn.training_by_torch import EPS, LIMIT, Weights
from cs_caption.checks.referee import referee, torch_or_none
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    NUMERIC,
    TOLERANCE,
    UNTOUCHED,
    array,
    awkward,
    close,
    describe,
    eighths,
    entries,
    factors,
    fitting,
    number,
    same,
    unchanged,
)

Random = np.random.RandomState

_SURE = 10.0  # the lead of a symbol that is all but certain: gradients of about the root of EPS
_SCALE = EPS**-0.5
_STEP = 2e-5  # of numeric derivatives of losses that are all but 0
_PLAIN = "it is that of plain gradient descent: the memory starts from 0, then this square is added"
_BY_NORM = "the gradients are clipped by their norm: here each entry is, for itself"
_MEMORY_UNCLIPPED = "the gradient is clipped for the step, but remembered as it was"
_STEP_UNCLIPPED = "the gradient is clipped for the memory, but not for the step"
_BY_TURNED = (
    "by goes downhill for scores from which it is subtracted, but it is to be added to them: turn "
    "the sign in the scores, not in the gradient"
)
_HINTS = {
    "list assignment index out of range": "; an empty list has no place to put something at",
    "stopped with KeyError": "; it reads what is not made yet: in which order are they made?",
}


def _trained(outcome: Outcome, p: Weights, steps: int) -> tuple[Weights, list[float]]:
    """Return p and the losses, if all of their shapes are right."""
    new, losses = entries(outcome.value, "p, losses")
    if type(losses) is dict:
        raise Wrong("the results are in another order: p comes first, then losses")
    if type(new) is not dict or set(new) != set(p):
        found = f"has the names {sorted(map(str, new))}" if type(new) is dict else describe(new)
        raise Wrong(f"p is not what it should be ({found}): expected a dictionary, {', '.join(p)}")
    for name, weight in p.items():
        array(new[name], weight.shape, f"p[{name!r}]")
    if type(losses) is np.ndarray and losses.ndim == 1:
        losses = list(losses)
    if type(losses) not in (list, tuple):
        raise Wrong(f"losses is {describe(losses)}: expected a list, a number for each step")
    if len(losses) != steps:
        raise Wrong(f"losses has {len(losses)} numbers after {steps} steps")
    return new, [number(loss, "a loss") for loss in losses]


def _run(subject: Subject, *args: Any) -> tuple[Weights, list[float]]:
    return _runs(subject, [args])[0]


def _runs(subject: Subject, many: Sequence[tuple]) -> list[tuple[Weights, list[float]]]:
    """Call with (ids, p, steps, ...) each."""
    try:
        outcomes = subject.calls(many)
    except Wrong as wrong:
        hint = next((hint for words, hint in _HINTS.items() if words in str(wrong)), "")
        raise Wrong(f"{wrong}{hint}") from None
    return [_trained(o, args[1], args[2]) for o, args in zip(outcomes, many, strict=True)]


# ------------------------------------------------------------- losses, of networks made from tables


def _tables(rng: Random, V: int = 4, *, memory: bool = False, by: bool = False) -> Tables:
    now, before = (centred(rng.uniform(-2, 2, (V, V))) for _ in range(2))
    return Tables(now, before * memory, rng.uniform(-2, 2, V) * by)


def _starts(n: int, seq_length: int, steps: int, most: int | None = None) -> list[int]:
    """Return where each chunk starts; `most`: how many chunks before the text starts again."""
    most = (n - 1) // seq_length if most is None else most
    return [k % most * seq_length for k in range(steps)]


def _token_losses(tables: Tables, xs: Iterable, ys: Iterable, befores: Iterable) -> list[float]:
    return [
        -float(log_softmax(tables.scores(x, before))[y])
        for x, y, before in zip(xs, ys, befores, strict=True)
    ]


def _losses(
    tables: Tables,
    ids: np.ndarray,
    seq_length: int,
    starts: Sequence[int],
    *,
    fresh: Callable[[int], bool] | None = None,
    unseen: bool = False,
    shift: int = 1,
) -> list[float]:
    """Return the loss of each chunk while nothing learns.

    fresh:  whether the state is zero before chunk k (default: where the chunk starts the text)
    unseen: no step sees the one before it in its chunk
    shift:  how far the targets lie behind the inputs
    """
    fresh = fresh or (lambda k: starts[k] == 0)
    losses, before = [], None
    for k, start in enumerate(starts):
        xs = ids[start : start + seq_length].tolist()
        ys = ids[start + shift : start + shift + seq_length].tolist()
        first = None if fresh(k) else before
        befores = [first, *([None] * (seq_length - 1) if unseen else xs[:-1])]
        losses.append(sum(_token_losses(tables, xs, ys, befores)))
        before = xs[-1]
    return losses


def _require_losses(
    found: list[float], expected: list[float], lookalikes: Mapping[str, list[float]]
) -> None:
    if close(found, expected):
        return
    total = np.array(expected)
    general = {
        "it is a logarithm to base 2": total / np.log(2),
        "its sign is wrong": -total,
    }
    fits = fitting(np.array(found), {**lookalikes, **general})
    at = next(k for k, pair in enumerate(zip(found, expected, strict=True)) if not close(*pair))
    where = f"the loss of chunk {at} (from 0)" if len(found) > 1 else "the loss"
    raise Wrong(f"{where} is wrong{': ' if fits else ''}{fits[0] if fits else ''}")


def _one_character(subject: Subject, rng: Random) -> None:
    tables = _tables(rng)
    ids = rng.permutation(tables.V)
    _, found = _run(subject, ids, tables.p, 1, 1, 0.125)
    others = {"the targets are the inputs themselves": _losses(tables, ids, 1, [0], shift=0)}
    _require_losses(found, _losses(tables, ids, 1, [0]), others)


def _left_to_right(subject: Subject, rng: Random) -> None:
    tables, length = _tables(rng, memory=True), 5
    ids = rng.permutation(np.arange(8) % tables.V)
    _, found = _run(subject, ids, tables.p, 1, length, 0.125)
    (right,) = _losses(tables, ids, length, [0])
    xs, ys = ids[:length].tolist(), ids[1 : length + 1].tolist()
    each = _token_losses(tables, xs, ys, [None, *xs[:-1]])
    others = {
        "no step sees the state that the step before it made: in which order are they made?": (
            _losses(tables, ids, length, [0], unseen=True)
        ),
        "each step sees the state that the step after it made": [
            sum(_token_losses(tables, xs, ys, [*xs[1:], None]))
        ],
        "it is the mean over the chunk, not the sum": [right / length],
        "it is the loss of the last character alone": each[-1:],
        "it is the loss of the first character alone": each[:1],
        "the targets are the inputs themselves": _losses(tables, ids, length, [0], shift=0),
    }
    _require_losses(found, [right], others)


def _sign_of_by(subject: Subject, rng: Random) -> None:
    tables = _tables(rng, by=True)
    ids = rng.permutation(tables.V)
    _, found = _run(subject, ids, tables.p, 1, 1, 0.125)

    def with_by(factor: float) -> list[float]:
        return _losses(Tables(tables.now, tables.before, factor * tables.by), ids, 1, [0])

    others = {
        "by is subtracted from the scores": with_by(-1),
        "by is not added to the scores": with_by(0),
        "by is added twice": with_by(2),
    }
    _require_losses(found, with_by(1), others)


def _chunks_of_three(subject: Subject, rng: Random) -> None:
    """No memory, and nothing learns: how far it goes on from chunk to chunk."""
    tables, length, steps = _tables(rng), 3, 7
    ids = rng.randint(0, tables.V, 3 * length + 1)
    found = _unlearned(subject, ids, tables, steps, length)
    _require_losses(
        found,
        _losses(tables, ids, length, _starts(len(ids), length, steps)),
        _other_chunks(tables, ids, length, steps),
    )


def _other_chunks(
    tables: Tables, ids: np.ndarray, length: int, steps: int
) -> dict[str, list[float]]:
    def going_on_by(stride: int) -> list[float]:
        fit = 1 + (len(ids) - length - 1) // stride
        return _losses(tables, ids, length, [k % fit * stride for k in range(steps)])

    return {
        "each step reads the first chunk again": _losses(tables, ids, length, [0] * steps),
        "the next chunk starts one character further on, not seq_length": going_on_by(1),
        "a character is left out between two chunks": going_on_by(length + 1),
        "the last character of a chunk is the first of the next one": going_on_by(length - 1),
    }


def _unlearned(
    subject: Subject, ids: np.ndarray, tables: Tables, steps: int, seq_length: int
) -> list[float]:
    """Return the losses with a learning rate of 0."""
    new, losses = _run(subject, ids, tables.p, steps, seq_length, 0.0)
    if any(not close(new[name], weight) for name, weight in tables.p.items()):
        raise Wrong("with a learning_rate of 0 the weights change: is learning_rate used?")
    return losses


def _own_chunks(subject: Subject, rng: Random) -> None:
    """No memory, and nothing learns: only what is read differs from chunk to chunk."""
    tables, steps = _tables(rng), 6
    ids = np.append(rng.permutation(tables.V), rng.permutation(tables.V))
    found = _unlearned(subject, ids, tables, steps, 1)
    starts = _starts(len(ids), 1, steps)
    others = {
        "each step reads the first chunk again": _losses(tables, ids, 1, [0] * steps),
        "the second chunk is read first": _losses(tables, ids, 1, [s + 1 for s in starts]),
        "every second chunk is left out": _losses(tables, ids, 1, [0, 2, 4, 6, 0, 2]),
    }
    _require_losses(found, _losses(tables, ids, 1, starts), others)


def _carried(steps: int, chunks: int) -> Run:
    """Return a case: a text of one symbol, where only the state differs from chunk to chunk."""

    def run(subject: Subject, rng: Random) -> None:
        tables = _tables(rng, memory=True)
        ids = np.full(chunks + 1, rng.randint(tables.V))
        found = _unlearned(subject, ids, tables, steps, 1)

        def losses(starts: list[int], fresh: Callable | None = None) -> list[float]:
            return _losses(tables, ids, 1, starts, fresh=fresh)

        starts = _starts(len(ids), 1, steps)
        others = {
            "the state is not carried from chunk to chunk": losses(starts, lambda k: True),
            "the state must be zero again where the text starts again": losses(
                starts, lambda k: k == 0
            ),
            "the text starts again too early, or the state is zero too early": losses(
                _starts(len(ids), 1, steps, chunks - 1)
            ),
            "the text, or the state, starts again too late": losses(
                starts, lambda k: k % (chunks + 1) == 0
            ),
        }
        _require_losses(found, losses(starts), others)

    return run


# ------------------------------------------------------------- gradients, read off a first step


def _read_off(p: Weights, new: Weights, name: str, learning_rate: float) -> np.ndarray:
    """Return the gradient that explains a first step, in units of the root of EPS.

    A step is g / sqrt(g g + EPS) long: where g is about as small as that root, g can be told.
    """
    step = (p[name] - new[name]) / learning_rate
    if not step.any():
        raise Wrong(f"{name} does not learn: it is after a step what it was before")
    if np.any(np.abs(step) >= 1 - 1e-9):
        raise Wrong(
            f"the step of {name} is too long where its gradient is tiny: what is added under the "
            "root keeps it shorter than learning_rate"
        )
    return step / np.sqrt(1 - step**2)


def _by_learns(subject: Subject, rng: Random) -> None:
    V, rate = 4, 0.5
    x, y = (int(n) for n in rng.permutation(V)[:2])
    now = rng.uniform(-1, 1, (V, V))
    now[x, y] += _SURE
    tables = Tables(centred(now), np.zeros((V, V)), np.zeros(V))
    new, _ = _run(subject, np.array([x, y]), tables.p, 1, 1, rate)
    gradient = np.exp(log_softmax(tables.scores(x))) - np.eye(V)[y]
    try:
        _require_first(new["by"] - tables.p["by"], gradient, rate, "by")
    except Wrong as error:
        raised, lowered = (tables.p | {"by": sign * np.eye(V)[y]} for sign in (1, -1))
        ids = np.array([x, y])
        (_, (up,)), (_, (down,)) = _runs(subject, [(ids, p, 1, 1, rate) for p in (raised, lowered)])
        moved = (new["by"] - tables.p["by"])[y]
        raise (Wrong(_BY_TURNED) if up > down and moved < 0 else error) from None


def _sure_network(rng: Random) -> tuple[Weights, np.ndarray]:
    """Draw weights and a text that they all but know: the symbols in turn.

    Four units code the symbol that was read, three others are not saturated: there is a gradient.
    """
    V, free = 4, 3
    turn = np.roll(np.eye(V), 1, axis=1)
    coded = Tables(centred(_SURE * turn), np.zeros((V, V)), np.zeros(V)).p
    from_codes, from_free = eighths(rng, (V, free)) / 4, 2 * eighths(rng, (free, free))
    p = {
        "Wx": np.hstack([coded["Wx"][:, :V], 2 * eighths(rng, (V, free))]),
        "Wh": np.hstack([np.zeros((V + free, V)), np.vstack([from_codes, from_free])]),
        "b": np.append(coded["b"][:V], eighths(rng, (free,))),
        "Wy": np.vstack([coded["Wy"][:V], eighths(rng, (free, V))]),
        "by": np.zeros(V),
    }
    return p, (np.arange(9) + rng.randint(V)) % V


def _through_time(subject: Subject, rng: Random) -> None:
    (p, ids), length, rate = _sure_network(rng), 6, 0.5
    new, (loss,) = _run(subject, ids, p, 1, length, rate)
    truths, asked = None, True
    inputs, targets = ids[:length], ids[1 : length + 1]
    if torch_or_none() is not None:
        right, truths, _ = by_torch.chunk(p, inputs, targets, np.zeros(len(p["b"])))
        asked = close(_SCALE * loss, _SCALE * right)  # a wrong loss has its own case
    for name in ("Wy", "b", "Wx", "Wh"):
        truth = None if truths is None else _SCALE * truths[name]
        try:
            found = _read_off(p, new, name, rate)
        except Wrong:
            if asked:
                raise
            raise Wrong("the loss of this chunk is wrong, and so are the gradients") from None
        require_gradient(
            f"the gradient of {name}, read off its step,",
            found,
            truth,
            _slopes(subject, (ids, p, 1, length, rate), name) if asked else None,
            lambda right: factors(right, {"seq_length": length}),
            lambda name=name, truth=truth: (
                {} if truth is None else _scaled_lookalikes(name, p, inputs, targets)
            ),
        )


def _scaled_lookalikes(
    name: str, p: Weights, inputs: np.ndarray, targets: np.ndarray
) -> dict[str, np.ndarray]:
    found = by_torch.gradient_lookalikes(name, p, inputs, targets)
    return {words: _SCALE * other for words, other in found.items()}


def _slopes(
    subject: Subject, args: tuple, name: str, scale: float = _SCALE, step: float = _STEP
) -> Callable[[list[np.ndarray]], np.ndarray]:
    """Return what differentiates the student's own first loss by a weight, along directions."""
    ids, p, *rest = args

    def slopes(along: list[np.ndarray]) -> np.ndarray:
        moved = [
            (ids, p | {name: p[name] + sign * step * direction}, *rest)
            for direction in along
            for sign in (1, -1)
        ]
        losses = np.array([losses[0] for _, losses in _runs(subject, moved)])
        return scale * (losses[::2] - losses[1::2]) / (2 * step)

    return slopes


# ------------------------------------------------------------- Adagrad and the limit of 5


def _second_step(*names: str) -> Run:
    """Return a case: two steps on the same chunk, from a state of zeros each.

    One symbol is all but certain, and wrong: so the gradient of the scores does not change with by.
    Of the three units that are not saturated, the gradients are far above 5, above it, and below.
    """

    def run(subject: Subject, rng: Random) -> None:
        p, ids, rate = *_mistaken_network(rng), 0.5
        (first, _), (second, _) = _runs(subject, [(ids, p, steps, 1, rate) for steps in (1, 2)])
        for name in names:
            g, other = (_gradient(subject, ids, weights, name) for weights in (p, first))
            _require_first(first[name] - p[name], g, rate, name)
            _require_second(second[name] - first[name], g, other, rate, name)

    return run


def _mistaken_network(rng: Random) -> tuple[Weights, np.ndarray]:
    V, H = 3, 4
    x, y, winner = (int(n) for n in rng.permutation(V))
    lead = np.eye(V)[winner] - np.eye(V)[y]
    sizes = rng.choice([-1, 1], 3) * rng.permutation([10.0, 4.5, 1.0]) * rng.uniform(0.9, 1.1, 3)
    Wx = np.hstack([np.zeros((V, 1)), eighths(rng, (V, H - 1)) / 2])
    p = {
        "Wx": Wx,
        "Wh": np.zeros((H, H)),  # what state it starts from has cases of its own
        "b": np.append(24.0, eighths(rng, (H - 1,)) / 2 + 1 / 64),
        "Wy": np.append(40.0, sizes)[:, None] * lead + eighths(rng, (H, V)) / 8,
        "by": np.zeros(V),
    }
    return p, np.array([x, y])


def _gradient(subject: Subject, ids: np.ndarray, p: Weights, name: str) -> np.ndarray:
    """Return the gradient of the only chunk: torch's, or else of the student's own loss."""
    if torch_or_none() is not None:
        return by_torch.chunk(p, ids[:1], ids[1:], np.zeros(len(p["b"])))[1][name]
    shape = p[name].shape
    along = [each.reshape(shape) for each in np.eye(p[name].size)]
    slopes = _slopes(subject, (ids, p, 1, 1, 0.0), name, 1.0, NUMERIC)
    return slopes(along).reshape(shape)


def _cut(g: np.ndarray) -> np.ndarray:
    return np.where(np.abs(g) > LIMIT, LIMIT * np.sign(g), g)


def _tolerance() -> float:
    return TOLERANCE if torch_or_none() is not None else NUMERIC


def _require_first(move: np.ndarray, g: np.ndarray, rate: float, name: str) -> None:
    """Judge the first step of a weight, of gradient g."""
    c = _cut(g)
    expected = -rate * c / np.sqrt(c**2 + EPS)
    others = {
        f"{name} does not learn": 0 * c,
        "it moves uphill": -expected,
        _PLAIN: -rate * c,
        f"{_PLAIN}, and not clipped": -rate * g,
        "learning_rate is not used": expected / rate,
        "the default learning_rate is used, not the one that is given": expected * 0.1 / rate,
        "the root is missing": -rate * c / (c**2 + EPS),
        "what is added to the memory stands outside the root": -rate * c / (np.abs(c) + EPS),
        "what is added to the memory is missing": -rate * np.sign(c),
        "the memory starts from 1, not from 0": -rate * c / np.sqrt(1 + c**2 + EPS),
        _MEMORY_UNCLIPPED: -rate * c / np.sqrt(g**2 + EPS),
        _STEP_UNCLIPPED: -rate * g / np.sqrt(c**2 + EPS),
        _BY_NORM: -rate * _short(g) / np.sqrt(_short(g) ** 2 + EPS),
    }
    same(move, expected, f"the first step of {name}", lambda: others, _tolerance())


def _require_second(
    move: np.ndarray, g: np.ndarray, other: np.ndarray, rate: float, name: str
) -> None:
    """Judge the second step, of the gradient `other` after g."""
    c, d = _cut(g), _cut(other)

    def step(above: np.ndarray, *remembered: np.ndarray) -> np.ndarray:
        return -rate * above / np.sqrt(sum(each**2 for each in remembered) + EPS)

    others = {
        "the gradients are not clipped": step(other, g, other),
        _BY_NORM: step(_short(other), _short(g), _short(other)),
        _MEMORY_UNCLIPPED: step(d, g, other),
        _STEP_UNCLIPPED: step(other, c, d),
        "what was remembered before is lost: the memory adds up": step(d, d),
        "the step does not look at its own gradient's square": step(d, c),
        "only the lower limit holds": step(
            np.maximum(other, -LIMIT), np.maximum(g, -LIMIT), np.maximum(other, -LIMIT)
        ),
        "only the upper limit holds": step(
            np.minimum(other, LIMIT), np.minimum(g, LIMIT), np.minimum(other, LIMIT)
        ),
        "the clipped gradients of 1, not 5, are used": step(
            np.clip(other, -1, 1), np.clip(g, -1, 1), np.clip(other, -1, 1)
        ),
        "it is plain gradient descent, not Adagrad": -rate * d,
        "the square is missing in the memory": -rate * d / np.sqrt(np.abs(c) + np.abs(d) + EPS),
        "the second gradient is that of the first step: p must be used as it is now": step(c, c, c),
    }
    same(move, step(d, c, d), f"the second step of {name}", lambda: others, _tolerance())


def _short(g: np.ndarray) -> np.ndarray:
    return g * min(1.0, LIMIT / np.linalg.norm(g))


# ------------------------------------------------------------- all of it


def _left_alone(subject: Subject, rng: Random) -> None:
    tables = _tables(rng, memory=True, by=True)
    p, ids = tables.p, rng.permutation(tables.V)
    guarded = {name: awkward(weight) for name, weight in p.items()}
    found = []
    for given in ((ids, p), (awkward(ids), guarded)):
        (outcome,) = subject.calls([(*given, 2, 1, 0.125)])
        unchanged(outcome, "ids, p")
        found.append(_trained(outcome, p, 2))
    (new, losses), (other, other_losses) = found
    if all(np.array_equal(new[name], p[name]) for name in p):
        raise Wrong("p is the same after two steps as before: nothing is learned")
    if not close(losses, other_losses) or not all(close(new[name], other[name]) for name in p):
        raise Wrong("with write-protected inputs the results are others")


def _together(subject: Subject, rng: Random) -> None:
    """Chunks that fit and that just do not; seq_length and learning_rate given and not given."""
    _which_chunks(subject, rng)
    _large_scores(subject, rng)
    V, H = 5, 7
    shapes = {"Wx": (V, H), "Wh": (H, H), "b": (H,), "Wy": (H, V), "by": (V,)}
    p = {name: eighths(rng, shape) for name, shape in shapes.items()}
    for n, steps, given in ((70, 4, ()), (12, 5, (4, 0.05)), (30, 3, ())):
        ids = rng.randint(0, V, n)
        found = _run(subject, ids, p, steps, *given)
        if torch_or_none() is not None:
            _require_training(found, ids, p, *(given or (25, 0.1)))
        elif n - 1 < 2 * (given or (25,))[0]:
            _require_consistent(subject, found, (ids, p, steps, *(given or (25, 0.1))))


def _large_scores(subject: Subject, rng: Random) -> None:
    """One score is 1,000 above the others; that symbol is all that comes."""
    tables = _tables(rng)
    always = int(rng.randint(tables.V))
    sure = tables.p | {"by": 1000.0 * np.eye(tables.V)[always]}
    try:
        _, found = _run(subject, np.full(4, always), sure, 1, 3, 0.0)
    except Wrong as wrong:
        words = "; of large scores: is the highest one subtracted before the powers are taken?"
        fits = any(odd in str(wrong) for odd in ("is nan", "is inf"))
        raise Wrong(f"{wrong}{words if fits else ''}") from None
    if not close(found, [0.0]):
        raise Wrong("where one score is 1,000 above the others, the loss of its symbol is not 0")


def _which_chunks(subject: Subject, rng: Random) -> None:
    tables, length, steps = _tables(rng, memory=True, by=True), 3, 7
    for n in (9, 10, 11, 4):
        ids = rng.randint(0, tables.V, n)
        found = _unlearned(subject, ids, tables, steps, length)
        starts = _starts(n, length, steps)
        others = _other_chunks(tables, ids, length, steps) | {
            "the state is not carried from chunk to chunk": _losses(
                tables, ids, length, starts, fresh=lambda k: True
            ),
            "no step sees the state that the step before it made": _losses(
                tables, ids, length, starts, unseen=True
            ),
        }
        try:
            _require_losses(found, _losses(tables, ids, length, starts), others)
        except Wrong as wrong:
            raise Wrong(f"with {n} characters in chunks of {length}: {wrong}") from None


def _require_training(
    found: tuple[Weights, list[float]],
    ids: np.ndarray,
    p: Weights,
    seq_length: int,
    learning_rate: float,
) -> None:
    new, losses = found
    starts = _starts(len(ids), seq_length, len(losses))
    right, right_losses = by_torch.train(ids, p, starts, seq_length, learning_rate)
    _require_losses(losses, right_losses, {})
    for name in p:
        same(new[name], right[name], f"p[{name!r}] after {len(losses)} steps", tolerance=NUMERIC)


def _require_consistent(subject: Subject, found: tuple[Weights, list[float]], args: tuple) -> None:
    """Of a text of one chunk: the loss before each step is that of the weights so far."""
    ids, p, steps, *rest = args
    so_far = _runs(subject, [(ids, p, k, *rest) for k in range(1, steps + 1)])
    again = _runs(subject, [(ids, new, 1, *rest) for new, _ in so_far[:-1]])
    losses = [so_far[0][1][0], *(losses[0] for _, losses in again)]
    _require_losses(found[1], losses, {})
    for name in p:
        same(found[0][name], so_far[-1][0][name], f"p[{name!r}] after {steps} steps")


FIX_MIN_CHAR_RNN = Exercise(
    "fix_min_char_rnn",
    points=2,
    referee=referee,
    banned=("torch",),
    cases=(
        Case("it runs: one chunk of one character", 3, _one_character),
        Case("the loss of a chunk, by = 0", 2, _left_to_right),
        Case("a chunk of one character, by other than 0", 2, _sign_of_by),
        Case("one chunk after the other, of one character each", 2, _own_chunks),
        Case("one chunk after the other, of three characters each", 2, _chunks_of_three),
        Case("by after a step", 2, _by_learns),
        Case("the state from chunk to chunk", 1, _carried(4, 5)),
        Case("after the last chunk", 1, _carried(7, 3)),
        Case("the gradients of Wx, Wh, b, Wy through a chunk", 1, _through_time),
        Case("Adagrad: a second step", 1, _second_step("Wy")),
        Case("Adagrad: a second step, gradients beyond 5", 1, _second_step("b", "Wx")),
        Case(UNTOUCHED, 1, _left_alone),
        Case("all together", 1, _together),
    ),
)

EXERCISES = (FIX_MIN_CHAR_RNN,)
