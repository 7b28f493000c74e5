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


def _batch_of_ids(subject: Subject, rng: Random) -> None:
    N, T, V = sizes(rng, 3, 2, 12)
    # the two largest ids do not occur: V is no property of the data
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


def _require_one_hot(value: Any, x: np.ndarray, V: int) -> None:
    by_data = (*x.shape, int(x.max(initial=0)) + 1)
    if type(value) is np.ndarray and value.shape == by_data != (*x.shape, V):
        raise Wrong("the last axis is as long as the largest id plus one: it should be V long")
    out = array(value, (*x.shape, V), "out", "the axes of x, then V")
    if not np.all((out == 0) | (out == 1)):
        raise Wrong("out has entries other than 0 and 1")
    ones = np.sum(out, axis=-1)
    if np.any(ones != 1):
        bad = np.count_nonzero(ones != 1)
        raise Wrong(
            f"{bad} of {ones.size} ids have a row with {ones[ones != 1][0]:g} ones, not one"
        )
    hit = np.take_along_axis(out, x[..., None].astype(int), -1)
    if not np.all(hit == 1):
        raise Wrong(f"the 1 is in the wrong place for {np.count_nonzero(hit == 0)} of {x.size} ids")


ONE_HOT = Exercise(
    "one_hot",
    points=1,
    referee=lambda: "the definition: one 1 in each row, at the id, and zeros",
    banned=("torch",),
    cases=(
        Case('the letters of "hello"', 2, _hello, drawn=False),
        Case("a batch (N, T), and ids that do not occur", 2, _batch_of_ids),
        Case("one id alone, three axes, no id at all", 1, _other_axes),
        Case("other integers, also read-only with gaps; left as they were", 1, _other_integers),
    ),
)
