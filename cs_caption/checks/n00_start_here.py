"""The check of notebook 00: one rehearsal exercise, whose answer is exact."""

from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import (
    UNTOUCHED,
    array,
    awkward,
    close,
    fitting,
    same,
    sizes,
    unchanged,
)

Random = np.random.RandomState

_NAME = "the result"
_AXES_01 = "the mean was taken over axes 0 and 1: rows and columns are axes 1 and 2"
_AXES_02 = "the mean was taken over axes 0 and 2: rows and columns are axes 1 and 2"
# The text's: two black pictures of 5 rows and 4 columns, in each of them two pixels of a colour.
# The sizes differ, or one mistake would look like another; no sum is beyond 255, where bytes end.
_BY_HAND = np.zeros((2, 5, 4, 3), np.uint8)
_BY_HAND[:, 0, 0] = [[200, 100, 40], [40, 0, 200]]
_BY_HAND[:, 2, 2] = [[20, 100, 20], [15, 0, 50]]


def _by_hand(subject: Subject, rng: Random) -> None:
    _require_means(subject.call((_BY_HAND,)).value, _BY_HAND)


def _drawn(pictures: int | None = None, side: int | None = None) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        N, H, W = sizes(rng, 3, 4, 9)  # none is 3, the number of colours
        images = _pictures(rng, (pictures or N, side or H, side or W))
        _require_means(subject.call((images,)).value, images)

    return run


def _bright(subject: Subject, rng: Random) -> None:
    images = _pictures(rng, (2, 41, 37), darkest=200)  # sums beyond 65535, where 16 bits end
    _require_means(subject.call((images,)).value, images)


def _left_alone(subject: Subject, rng: Random) -> None:
    images = _pictures(rng, tuple(sizes(rng, 3, 4, 9)))
    for given in (images, awkward(images)):
        outcome = subject.call((given,))
        unchanged(outcome, "images")
        _require_means(outcome.value, images)


def _pictures(rng: Random, shape: tuple[int, ...], darkest: int = 0) -> np.ndarray:
    """Draw pictures (N, H, W, 3); each colour of each picture has a range of its own."""
    low = rng.randint(darkest, 226, (shape[0], 1, 1, 3))
    return (low + rng.randint(0, 30, (*shape, 3))).astype(np.uint8)


def _require_means(value: Any, images: np.ndarray) -> None:
    N, H, W, _ = images.shape
    _require_axes(value, images)
    truth = images.sum(axis=(1, 2), dtype=np.int64) / (H * W)
    _require_no_whole_numbers(value, images, truth)
    found = array(value, (N, 3), _NAME, "(N, 3)")
    same(found, truth, _NAME, lambda: _lookalikes(images, truth))


def _require_axes(value: Any, images: np.ndarray) -> None:
    """Fail with words of our own where the axes are those of one likely mistake and no other."""
    N, H, W, _ = images.shape
    if type(value) in (float, np.float64):
        raise Wrong("one number came out: the mean was taken over everything")
    if type(value) is not np.ndarray or value.shape == (N, 3):
        return
    words = [
        ((N,), "one grey number came out for each picture: keep the three colours apart"),
        ((3,), "the pictures' own axis is gone: each picture has a mean of its own"),
        ((1, 3), "only one picture has a mean: each of them has one of its own"),
        ((N, H, W), "the mean was taken over the colours: go over rows and columns"),
        ((H, W), "axes 0 and 3 are gone, pictures and colours: rows and columns are axes 1 and 2"),
        ((H, W, 3), "the mean was taken over the pictures: axis 0 stays"),
        ((W, 3), _AXES_01),
        ((H, 3), _AXES_02),
        ((N, W, 3), "only the rows (axis 1) are gone: the columns (axis 2) go as well"),
        ((N, H, 3), "only the columns (axis 2) are gone: the rows (axis 1) go as well"),
        ((N, W), "the mean was taken over axes 1 and 3: the last axis, the colours, stays"),
        ((N, H), "the mean was taken over axes 2 and 3: the last axis, the colours, stays"),
        ((N, 1, 1, 3), "two axes of length 1 are left over (from keepdims=True?)"),
        ((3, N), "it is transposed"),
    ]
    fits = [said for shape, said in words if shape == value.shape]
    if fits:
        hint = f": {fits[0]}" if len(fits) == 1 else ""
        raise Wrong(f"{_NAME} has shape {value.shape}, expected {(N, 3)} = (N, 3){hint}")


def _require_no_whole_numbers(value: Any, images: np.ndarray, truth: np.ndarray) -> None:
    """Fail with the mistake that whole numbers come from: their type alone would not tell it."""
    whole = type(value) is np.ndarray and value.dtype.kind in "iu" and value.shape == truth.shape
    if whole and not close(value, truth):
        for said in fitting(value, _lookalikes(images, truth))[:1]:
            raise Wrong(f"{_NAME} is {value.dtype} and must be float64; {said}")


def _lookalikes(images: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    N, H, W, _ = images.shape
    sums = truth * (H * W)
    return {
        "it is 0 everywhere": 0 * truth,
        "each picture gets the mean of the first": np.broadcast_to(truth[:1], truth.shape),
        "each picture gets the mean of all of them": np.broadcast_to(truth.mean(0), truth.shape),
        "red and blue have changed places": truth[:, ::-1],
        _AXES_01: images.mean(axis=(0, 1)),
        _AXES_02: images.mean(axis=(0, 2)),
        "the three colours are mixed into one grey": np.repeat(truth.mean(1)[:, None], 3, 1),
        "it is divided by 255: the colours run from 0 to 255": truth / 255,
        "it is a sum: divide by the number of pixels": sums,
        "it is divided by 64 x 64: take H and W from images.shape": sums / 64**2,
        "it is divided by H only, not by H W": sums / H,
        "it is divided by W only, not by H W": sums / W,
        "it is divided by the number of pictures, not by that of pixels": sums / N,
        "it is divided by images.size, which counts pictures and colours too": sums / images.size,
        "it is divided by the number of pictures as well": truth / N,
        "it is divided by the three colours as well": truth / 3,
        "it is rounded: keep the fraction": np.rint(truth),
        "it is rounded down: keep the fraction (was it // or a type of whole numbers?)": np.floor(
            truth
        ),
        "the sum ran over in uint8, where 255 + 1 is 0: add up in float64": sums % 256 / (H * W),
        "the sum ran over in 16 bits: add up in float64": sums % 65536 / (H * W),
        "a few digits are lost: calculate in float64, not in float32": truth.astype(np.float32),
        "it is the median, not the mean": np.median(images, axis=(1, 2)),
        "it is the colour of the first pixel": images[:, 0, 0],
        "it is the colour of the pixel in the middle": images[:, H // 2, W // 2],
        "it is the smallest number, not the mean": images.min(axis=(1, 2)),
        "it is the largest number, not the mean": images.max(axis=(1, 2)),
    }


MEAN_COLOUR = Exercise(
    "mean_colour",
    points=2,
    referee=lambda: "the definition: sums of whole numbers, which are exact, and one division",
    banned=("torch",),
    cases=(
        Case("the two pictures worked by hand", 2, _by_hand, drawn=False),
        Case("a batch of pictures", 3, _drawn()),
        Case("one picture (N = 1)", 1, _drawn(pictures=1)),
        Case("pictures of one pixel (H = W = 1)", 1, _drawn(side=1)),
        Case("larger and bright pictures: the sums grow", 2, _bright),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
EXERCISES = (MEAN_COLOUR,)
