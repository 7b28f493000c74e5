"""The check of one_hot: the definition decides, no referee is needed."""

from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import array, awkward, sizes, unchanged

Random = np.random.RandomState


def _hello(subject: Subject, rng: Random) -> None:
    vocabulary = "helo"
    x = np.array([vocabulary.index(letter) for letter in "hello"])
    _require_one_hot(subject.call((x, len(vocabulary))).value, x, len(vocabulary))


def _batch(subject: Subject, rng: Random) -> None:
    N, T, V = sizes(rng, 3, 2, 12)
    # the two largest numbers do not occur: V is no property of the data
    x = rng.randint(0, V, (N, T))
    _require_one_hot(subject.call((x, V + 2)).value, x, V + 2)


def _other_axes(subject: Subject, rng: Random) -> None:
    *shape, V = sizes(rng, 4, 2, 9)
    for x in (np.array(rng.randint(V)), rng.randint(0, V, shape), np.zeros((0,), int)):
        _require_one_hot(subject.call((x, V)).value, x, V)


def _other_integers(subject: Subject, rng: Random) -> None:
    N, T = sizes(rng, 2, 2, 6)
    V = int(rng.randint(150, 250))  # beyond the 127 of a signed byte
    for dtype in (np.int32, np.uint8):
        plain = rng.randint(128, V, (N, T)).astype(dtype)
        for x in (plain, awkward(plain)):
            outcome = subject.call((x, V))
            unchanged(outcome, "x")
            _require_one_hot(outcome.value, x, V)


def _number_and_lists(subject: Subject, rng: Random) -> None:
    T, V = sizes(rng, 2, 2, 9)
    lists = (rng.randint(0, V, T).tolist(), rng.randint(0, V, (2, T)).tolist())
    for x, kind in zip(
        (int(rng.randint(V)), *lists), ("number", "list", "nested list"), strict=True
    ):
        _require_one_hot(subject.call((np.array(x), V)).value, np.array(x), V)
        try:
            outcome = subject.call((x, V))
            unchanged(outcome, "x")
            _require_one_hot(outcome.value, np.array(x), V)
        except Wrong as wrong:
            raise Wrong(
                f"for a {kind} in the place of an array: {wrong}\nnp.asarray(x) first: it makes "
                "an array of a number or a list, and leaves an array as it is"
            ) from None


def _require_one_hot(value: Any, x: np.ndarray, V: int) -> None:
    _require_axes(value, x, V)
    out = array(value, (*x.shape, V), "out", "the axes of x, then V")
    if not np.all((out == 0) | (out == 1)):
        raise Wrong("out has entries other than 0 and 1")
    ones = np.sum(out, axis=-1)
    if np.any(ones != 1):
        bad = np.count_nonzero(ones != 1)
        raise Wrong(
            f"{bad} of {ones.size} numbers have a row with {ones[ones != 1][0]:g} ones, not one"
        )
    hit = np.take_along_axis(out, x[..., None].astype(int), -1)
    if not np.all(hit == 1):
        missed = np.count_nonzero(hit == 0)
        raise Wrong(f"the 1 is in the wrong place for {missed} of {x.size} numbers")


def _require_axes(value: Any, x: np.ndarray, V: int) -> None:
    """Fail with words of our own where the axes are those of a likely mistake."""
    expected, by_data = (*x.shape, V), (*x.shape, int(x.max(initial=0)) + 1)
    if type(value) is not np.ndarray or value.shape == expected:
        return
    if value.shape == by_data:
        raise Wrong("the last axis is as long as the largest number plus one: it should be V long")
    if value.shape == (x.size, V):
        how = "was x flattened?" if x.ndim else "a single number has no axis of its own"
        raise Wrong(
            f"out has shape {value.shape}, expected {expected} = the axes of x, then V: {how}"
        )


ONE_HOT = Exercise(
    "one_hot",
    points=1,
    referee=lambda: "the definition: one 1 in each row, at the number's place, and zeros",
    banned=("torch",),
    cases=(
        Case('the letters of "hello"', 3, _hello, drawn=False),
        Case("a batch (N, T), and numbers that do not occur", 3, _batch),
        Case("arrays without an axis, with three axes, and empty", 2, _other_axes),
        Case("int32 and uint8; write-protected, not contiguous in memory", 1, _other_integers),
        Case("no array: a number, a list, a list of lists", 1, _number_and_lists),
    ),
)
