"""The check of length_normalized_score."""

from collections.abc import Sequence

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.tables import Random
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    awkward,
    close,
    describe,
    sizes,
    unchanged,
)


def _score(log_prob: np.ndarray, length: np.ndarray, alpha: float) -> np.ndarray:
    return np.asarray(log_prob) / np.asarray(length, dtype=float) ** alpha


def _mistaken(log_prob: np.ndarray, length: np.ndarray, alpha: float) -> dict[str, np.ndarray]:
    log_prob, length = np.asarray(log_prob), np.asarray(length, dtype=float)
    return {
        "alpha is not used: it is the power of length": log_prob / length,
        "nothing is divided": log_prob + 0 * length,
        "alpha is cut to a whole number": _score(log_prob, length, int(alpha)),
        "alpha is rounded to a whole number": _score(log_prob, length, round(alpha)),
        "alpha is cut at 1: it may be larger": _score(log_prob, length, min(alpha, 1)),
        "log_prob is multiplied: the penalty divides": log_prob * length**alpha,
        "alpha multiplies length: it is its power": log_prob / (alpha * length),
        "length is the power of alpha: turn them round": log_prob / alpha**length,
        "<END> is counted in length already: add nothing to it": log_prob / (length + 1) ** alpha,
        "<END> is one of the words: take nothing from length": log_prob / (length - 1) ** alpha,
        "the whole quotient is raised to alpha": -((-log_prob / length) ** alpha),
        "the penalty is ((5 + length) / 6) to the power of alpha: here it is length alone": log_prob
        / ((5 + length) / 6) ** alpha,
        "something is added for each word: length divides": log_prob + alpha * length,
        "something is subtracted for each word: length divides": log_prob - alpha * length,
        "its sign is wrong": -_score(log_prob, length, alpha),
        "log_prob is made a probability: it stays a logarithm": np.exp(log_prob) / length**alpha,
        "it is made a probability at the end: the score stays a logarithm": np.exp(
            _score(log_prob, length, alpha)
        ),
        "it is divided by a logarithm of length": log_prob / np.log(length + 1) ** alpha,
        "all are divided by the longest of the lengths": log_prob / np.max(length) ** alpha,
        "all are divided by the mean of the lengths": log_prob / np.mean(length) ** alpha,
        "all are divided by the number of sentences": log_prob / length.size**alpha + 0 * length,
        "they are sorted: keep the order": np.sort(np.atleast_1d(_score(log_prob, length, alpha)))[
            ..., ::-1
        ],
        "decimals are cut off: divide by /, not by //": np.floor(_score(log_prob, length, alpha)),
    }


def _found(outcome: Outcome, args: tuple) -> np.ndarray:
    """Return the scores if they are numbers in the right shape."""
    log_prob, length, alpha = (*args, 1.0)[:3]
    expected, value = _score(log_prob, length, alpha), outcome.value
    if type(value) in (float, int, np.float64):
        value = np.array(float(value))
    if type(value) is not np.ndarray or value.dtype != np.float64:
        wanted = "a float64 array" if expected.ndim else "a float"
        is_complex = "complex" in describe(outcome.value)
        hint = f" ({_QUOTIENT})" if is_complex and alpha != int(alpha) else ""
        raise Wrong(f"what it returns is {describe(outcome.value)}: expected {wanted}{hint}")
    if value.shape != expected.shape:
        raise Wrong(
            f"it returns {describe(outcome.value)}, expected the shape {expected.shape} that "
            f"log_prob and length make together{_outer(value, log_prob, length, alpha)}"
        )
    if np.isnan(value).any():
        with np.errstate(invalid="ignore"):
            roots = (np.asarray(log_prob) / length) ** alpha
        fits = np.array_equal(np.isnan(value), np.isnan(roots))
        raise Wrong("it returns NaN" + (f" ({_QUOTIENT})" if fits else ""))
    if np.isfinite(value[~np.isfinite(expected)]).any():
        raise Wrong("-inf stays -inf, however long the sentence is: here it becomes another number")
    return value


_QUOTIENT = "of a negative number only whole powers are real: it is length that is raised to alpha"


def _outer(value: np.ndarray, log_prob: np.ndarray, length: np.ndarray, alpha: float) -> str:
    """The words for a table of every log_prob over every length, where that is what came."""
    table = _score(np.ravel(log_prob)[:, None], np.ravel(length), alpha)
    if any(value.shape == other.shape and _alike(value, other) for other in (table, table.T)):
        return ": each log_prob is divided by each length, not by its own"
    return ""


def _require(found: Sequence[np.ndarray], many: Sequence[tuple]) -> None:
    """Fail where a score is wrong, with the first mistake that explains all of them."""
    given = [(*args, 1.0)[:3] for args in many]
    if all(_alike(value, _score(*args)) for value, args in zip(found, given, strict=True)):
        return
    with np.errstate(all="ignore"):
        mistaken = [_mistaken(*args) for args in given]
    fits = [
        words
        for words in mistaken[0]
        if all(
            np.shape(each[words]) == value.shape and _alike(value, each[words])
            for value, each in zip(found, mistaken, strict=True)
        )
    ]
    raise Wrong("the score is wrong" + (f": {fits[0]}" if fits else ""))


def _alike(value: np.ndarray, expected: np.ndarray) -> bool:
    finite = np.isfinite(expected)
    return np.array_equal(value[~finite], expected[~finite]) and close(
        value[finite], expected[finite]
    )


def _judge(subject: Subject, many: list[tuple]) -> None:
    outcomes = subject.calls(many)
    _require([_found(o, args) for o, args in zip(outcomes, many, strict=True)], many)


def _log_prob(rng: Random, shape: tuple[int, ...] = ()) -> np.ndarray:
    return -rng.uniform(2, 30, shape)


def _numbers(alphas: tuple[float, ...]) -> Run:
    """Return a case: one sentence, scored with each of these."""

    def run(subject: Subject, rng: Random) -> None:
        lengths = sizes(rng, len(alphas), 3, 20)
        many = [(float(_log_prob(rng)), n, alpha) for n, alpha in zip(lengths, alphas, strict=True)]
        _judge(subject, many)

    return run


def _default(subject: Subject, rng: Random) -> None:
    """Without alpha, the mean of a word; of a sentence of one word, log_prob itself."""
    pairs = [(float(_log_prob(rng)), n) for n in (int(rng.randint(3, 20)), 1)]
    given = subject.calls([(*pair, 1.0) for pair in pairs])
    unset = subject.calls(pairs)
    _require([_found(o, pair) for o, pair in zip(given, pairs, strict=True)], pairs)
    if any(a.value != b.value for a, b in zip(given, unset, strict=True)):
        raise Wrong(
            "without alpha it does not take the one in the stub's first line: was it changed?"
        )


def _arrays(subject: Subject, rng: Random) -> None:
    N = int(rng.randint(4, 9))
    lengths = rng.permutation(20)[:N] + 1
    _judge(subject, [(_log_prob(rng, (N,)), lengths, alpha) for alpha in (1.0, 0.7)])


def _together(subject: Subject, rng: Random) -> None:
    """One length for all, one log_prob for all, and a table of both."""
    N, T = sizes(rng, 2, 3, 8)
    several = rng.permutation(20)[:T] + 1
    _judge(
        subject,
        [
            (_log_prob(rng, (N,)), int(rng.randint(3, 20)), 0.5),
            (float(_log_prob(rng)), several, 1.5),
            (_log_prob(rng, (N, 1)), several, 0.8),
            (_log_prob(rng, (N, T)), several, 1.0),
        ],
    )


def _impossible(subject: Subject, rng: Random) -> None:
    log_prob = _log_prob(rng, (5,))
    log_prob[[1, 3]] = -np.inf
    _judge(
        subject,
        [(log_prob, rng.permutation(9)[:5] + 1, alpha) for alpha in (0.0, 0.7, 1.0)]
        + [(-np.inf, int(rng.randint(2, 9)), 1.0)],
    )


def _left_alone(subject: Subject, rng: Random) -> None:
    """Write-protected; whole numbers for alpha."""
    N = int(rng.randint(4, 9))
    log_prob, length = _log_prob(rng, (N,)), rng.permutation(20)[:N] + 1
    many = [(log_prob, length, 2), (awkward(log_prob), awkward(length), 1), (log_prob, length, 0)]
    outcomes = subject.calls(many)
    for outcome in outcomes:
        unchanged(outcome, "log_prob, length")
    _require([_found(o, args) for o, args in zip(outcomes, many, strict=True)], many)


LENGTH_NORMALIZED_SCORE = Exercise(
    "length_normalized_score",
    points=1,
    referee=lambda: "the formula, written out",
    cases=(
        Case("one sentence, alpha 1 and 0", 1, _numbers((1.0, 0.0))),
        Case("one sentence, other alphas", 2, _numbers((0.7, 0.5, 2.0))),
        Case("alpha not given; a sentence of one word", 1, _default),
        Case("an array of sentences", 2, _arrays),
        Case("a number and an array; a table of both", 1, _together),
        Case("sentences of log-probability -inf", 1, _impossible),
        Case(f"whole numbers for alpha; {UNTOUCHED}", 1, _left_alone),
    ),
    banned=("cs_caption.metrics", "cs_caption.decoding"),
)
