"""The checks of word_embedding_forward and word_embedding_backward."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cs_caption.checks.backward import (
    IN_FLIGHT,
    TWICE,
    Draw,
    Layer,
    Taken,
    backward,
    called_twice,
    in_flight,
)
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn import training_by_torch as by_torch
from cs_caption.checks.referee import referee
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    entries,
    opaque,
    sizes,
    unchanged,
)

Random = np.random.RandomState

FORWARD = "word_embedding_forward"

_OF_INTEGERS = "int32 and uint8; words beyond 127 and beyond 255"


def _forward(draw: Draw) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        W, x = draw(rng)
        try:
            outcome = subject.call((x, W), keep=(1,))
        except Wrong as wrong:
            hint = ": the words choose rows of W, its first axis"
            raise Wrong(f"{wrong}{hint if 'IndexError' in str(wrong) else ''}") from None
        _require(W, x, _out_of(outcome))

    return run


def _small(subject: Subject, rng: Random) -> None:
    for draw in _SMALL:
        _forward(draw)(subject, rng)


def _other_integers(subject: Subject, rng: Random) -> None:
    for draw in _MANY_WORDS:
        _forward(draw)(subject, rng)


def _left_alone(subject: Subject, rng: Random) -> None:
    W, x = _repeated(rng)
    for given in ((x, W), (awkward(x), awkward(W))):
        outcome = subject.call(given, keep=(1,))
        unchanged(outcome, "x, W")
        _require(W, x, _out_of(outcome))


def _out_of(outcome: Outcome) -> Any:
    out, cache = entries(outcome.value, "out, cache")
    opaque(cache)
    return out


def _require(W: np.ndarray, x: np.ndarray, out: Any) -> np.ndarray:
    """Return out if each of its vectors is the row of its word: all numbers of W differ."""
    out = array(out, (*x.shape, W.shape[1]), "out", "(N, T, D)")
    rows = np.all(out[..., None, :] == W, axis=-1)  # (N, T, V): which row of W it is
    own = np.take_along_axis(rows, x[..., None].astype(int), -1)[..., 0]
    if own.all():
        return out
    n, t = (int(i) for i in np.argwhere(~own)[0])
    where = f"{np.count_nonzero(~own)} of {own.size} words have a wrong vector"
    raise Wrong(f"{where}{_instead(out, x, rows, own) or f', the first at {(n, t)}'}")


def _instead(out: np.ndarray, x: np.ndarray, rows: np.ndarray, own: np.ndarray) -> str:
    """Say what stands in the place of the rows, where that is known; else ''."""
    if not rows[~own].any():
        zero = not out[~own].any()
        of_zero = ": that of word 0 is made 0, but it is a word like any other"
        return of_zero if zero and not x[~own].any() else ": its numbers are those of no row of W"
    off = rows.argmax(-1) - x
    if rows.any(-1).all() and np.all(np.isin(off, (1, 1 - rows.shape[-1]))):
        return ": it is the row after the word's own"
    if rows.any(-1).all() and np.all(np.isin(off, (-1, rows.shape[-1] - 1))):
        return ": it is the row before the word's own (words count from 0)"
    if np.all(rows == rows[:1]):
        return ": all sentences get the words of the first"
    return ": it is the row of another word"


def _absent(subject: Subject, rng: Random) -> None:
    """Words that do not occur, among them the last ones: no property of the data gives V."""
    for draw in (_repeated, _different):
        W, x = draw(rng)
        outcome = subject.call((x, W), keep=(0, 1), function=FORWARD)
        out, cache = entries(outcome.value, "out, cache")
        _mended(W, x, subject.read(opaque(out)))
        dW = subject.call((rng.standard_normal((*x.shape, W.shape[1])), opaque(cache))).value
        dW = array(dW, W.shape, "dW", "(V, D)")
        absent = np.setdiff1d(np.arange(len(W)), x)
        bad = np.count_nonzero(dW[absent].any(axis=-1))
        if bad:
            raise Wrong(
                f"{bad} of {len(absent)} words that do not occur have a row that is not 0: it must "
                "be exactly 0"
            )
        if not dW.any():
            raise Wrong("dW is 0 everywhere, also for words that do occur")


def _mended(W: np.ndarray, x: np.ndarray, out: Any) -> None:
    try:
        _require(W, x, out)
    except Wrong as wrong:
        raise Wrong(f"first mend {FORWARD}: {wrong}") from None


def _small_back(subject: Subject, rng: Random) -> None:
    for draw in _SMALL:
        _dW(draw)(subject, rng)


def _other_integers_back(subject: Subject, rng: Random) -> None:
    for draw in _MANY_WORDS:
        _dW(draw)(subject, rng)


class _WeightsFirst(Subject):
    """The subject, with a forward function that takes (W, x).

    `cs_caption.checks.backward` expects the arguments that have a gradient before all others.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def calls(
        self, many: Sequence[Sequence], *, function: str | None = None, **kept: Sequence[int]
    ) -> list[Outcome]:
        """Call as the subject does, forward's two arguments turned round."""
        turned = [args[::-1] for args in many] if function == FORWARD else many
        return self._subject.calls(turned, function=function, **kept)


def _hinted(run: Run) -> Run:
    """Return the case on (W, x), with words on a dW whose size is taken from the data."""

    def hinted(subject: Subject, rng: Random) -> None:
        try:
            run(_WeightsFirst(subject), rng)
        except Wrong as wrong:
            sized = "dW has shape" in str(wrong) and "= (V, D)" in str(wrong)
            hint = ": V is the number of rows of W, whatever words occur" if sized else ""
            raise Wrong(f"{wrong}{hint}") from None

    return hinted


def _dW(draw: Draw) -> Run:
    return _hinted(backward(_EMBEDDING, draw))


def _different(rng: Random, *, short: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Draw W and x: no word occurs twice, the last two words of W never.

    short: which of N, T, D are 1
    """
    shape = sizes(rng, 3, 2, 5)
    N, T, D = (1 if i in short else n for i, n in enumerate(shape))
    V = N * T + int(rng.randint(6, 9))
    x = rng.permutation(V - 2)[: N * T].reshape(N, T)
    x[0, 0] = 0 if 0 not in x else x[0, 0]
    return _table(rng, V, D), x


def _repeated(rng: Random, *, short: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Draw as `_different`; words occur twice in a sentence, and in more than one."""
    W, x = _different(rng, short=short)
    N, T = x.shape
    x = np.sort(x.ravel())[rng.permutation(N * T) // 3].reshape(N, T)
    if T > 1:
        x[0, :2] = x[-1, -1]
    else:
        x[:2, 0] = x[-1, -1]
    return W, x


def _many_words(kind: type, beyond: int) -> Draw:
    """What draws words beyond the largest number that a smaller kind of integer has room for."""

    def draw(rng: Random) -> tuple[np.ndarray, np.ndarray]:
        N, T, D = sizes(rng, 3, 2, 5)
        V = beyond + int(rng.randint(72, 120))
        x = rng.randint(beyond + 1, V - 2, (N, T)).astype(kind)
        x[0, :2] = beyond + 22
        return _table(rng, V, D), x

    return draw


_MANY_WORDS = (_many_words(np.uint8, 127), _many_words(np.int32, 255))


def _table(rng: Random, V: int, D: int) -> np.ndarray:
    """Return W (V, D): no two numbers are equal, none is 0."""
    return (rng.permutation(V * D) - V * D // 2).reshape(V, D) / 8 + 1 / 16


def _shortened(*short: int) -> Draw:
    return lambda rng: _repeated(rng, short=short)


_SMALL = tuple(map(_shortened, (0, 1, 2)))


def _lookalikes(i: int, taken: Taken) -> dict[str, np.ndarray]:
    """What likely mistakes make of dW, given the gradient that torch finds."""
    W, x = taken.args
    (truth,) = by_torch.embedding_gradients(taken.args, taken.dout)
    often = np.maximum(np.bincount(x.ravel(), minlength=len(W)), 1)[:, None]
    occurs = np.isin(np.arange(len(W)), x)[:, None]
    return {
        "where a word occurs more than once, only its last occurrence counts (`dW[x] = dout` and "
        "`dW[x] += dout` write each row once)": _last(W, x, taken.dout),
        **_left_out(taken, truth),
        "where a word occurs twice in one sentence, only one of the two counts": sum(
            _last(W, x[n], taken.dout[n]) for n in range(len(x))
        ),
        "where a word stands at the same place of two sentences, only one of the two counts": sum(
            _last(W, x[:, t], taken.dout[:, t]) for t in range(x.shape[1])
        ),
        "where a word occurs in several sentences, only one of them counts": _by_sentence(
            W, x, taken.dout
        ),
        "it is averaged over a word's occurrences: they add up": truth / often,
        "dout is ignored: it counts how often a word occurs": np.broadcast_to(
            often * occurs, W.shape
        ),
        "each row stands one place too low": np.roll(truth, 1, axis=0),
        "each row stands one place too high": np.roll(truth, -1, axis=0),
        "W is added to it: a gradient starts from zeros": truth + W,
        "only the first of the N sentences counts": _only(taken, (slice(1), slice(None))),
        "only the first of the T words counts": _only(taken, (slice(None), slice(1))),
        "only the last of the T words counts": _only(taken, (slice(None), slice(-1, None))),
    }


def _only(taken: Taken, part: tuple[slice, ...]) -> np.ndarray:
    dout = np.zeros_like(taken.dout)
    dout[part] = taken.dout[part]
    return by_torch.embedding_gradients(taken.args, dout)[0]


def _left_out(taken: Taken, truth: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient without some tokens; those that are the same here share their words."""
    W, x = taken.args
    rows = np.arange(len(W))[:, None]
    but_for_last = taken.dout.copy()
    but_for_last[-1, -1] = 0
    found = {
        "where a word occurs more than once, only its first occurrence counts": _last(
            W, x[::-1, ::-1], taken.dout[::-1, ::-1]
        ),
        "the last token is left out": by_torch.embedding_gradients(taken.args, but_for_last)[0],
        "the last word of each sentence is left out": _only(taken, (slice(None), slice(-1))),
        "the last sentence is left out": _only(taken, (slice(-1), slice(None))),
        "word 0 gets no gradient: it is a word like any other": truth * (rows != 0),
        "the largest word that occurs gets no gradient": truth * (rows != x.max()),
    }
    united: dict[bytes, list[str]] = {}
    for words, grad in found.items():
        if grad.any():
            united.setdefault((grad + 0.0).tobytes(), []).append(words)
    return {"; or: ".join(w): found[w[0]] for w in united.values()}


def _last(W: np.ndarray, x: np.ndarray, dout: np.ndarray) -> np.ndarray:
    dW = np.zeros_like(W)
    for word, row in zip(x.ravel(), dout.reshape(-1, W.shape[1]), strict=True):
        dW[word] = row
    return dW


def _by_sentence(W: np.ndarray, x: np.ndarray, dout: np.ndarray) -> np.ndarray:
    """What is left where each sentence writes over what the ones before it had added up."""
    dW = np.zeros_like(W)
    for words, rows in zip(x, dout, strict=True):
        for word in set(words.tolist()):
            dW[word] = rows[words == word].sum(axis=0)
    return dW


def _require_out(subject: Subject, args: tuple, out: Any) -> np.ndarray:
    return _require(*args, out)


def _counts(N: int, T: int) -> dict[str, int]:
    """The sizes that a gradient may be wrong by; one of 2 would hide that it is twice as large."""
    return {name: n for name, n in {"N": N, "T": T, "N T": N * T}.items() if n > 2}


_EMBEDDING = Layer(
    FORWARD,
    inputs="W",
    axes=("(V, D)",),
    require_out=_require_out,
    gradients=by_torch.embedding_gradients,
    lookalikes=_lookalikes,
    counts=lambda args: _counts(*args[1].shape),
)

WORD_EMBEDDING_FORWARD = Exercise(
    FORWARD,
    points=1,
    referee=lambda: "the definition: each vector is its word's row of W",
    banned=("torch",),
    cases=(
        Case("each word its own row; words that do not occur", 3, _forward(_different)),
        Case("words that repeat", 2, _forward(_repeated)),
        Case("one sentence (N = 1); one word (T = 1); one number a word (D = 1)", 2, _small),
        Case(_OF_INTEGERS, 1, _other_integers),
        Case(UNTOUCHED, 2, _left_alone),
    ),
)

WORD_EMBEDDING_BACKWARD = Exercise(
    "word_embedding_backward",
    points=1,
    referee=referee,
    needs=(FORWARD,),
    banned=("torch",),
    cases=(
        Case("words that all differ", 2, _dW(_different)),
        Case("words that repeat, in a sentence and across sentences", 4, _dW(_repeated)),
        Case("words that do not occur: exactly zero", 1, _absent),
        Case("one sentence (N = 1); one word (T = 1); one number a word (D = 1)", 1, _small_back),
        Case(_OF_INTEGERS, 1, _other_integers_back),
        Case(TWICE, 1, _hinted(called_twice(_EMBEDDING, _repeated))),
        Case(IN_FLIGHT, 1, _hinted(in_flight(_EMBEDDING, _repeated))),
    ),
)

EXERCISES = (WORD_EMBEDDING_FORWARD, WORD_EMBEDDING_BACKWARD)
