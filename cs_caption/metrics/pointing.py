"""Does attention lie on what is being named? The strict rule of notebook 06."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt

import numpy as np

from cs_caption.metrics.objects import mentions


@dataclass(frozen=True)
class Pointing:
    """One word that names a shape, and where the attention was strongest as it was said.

    word is the noun's place in caption `item`, object the named object's place in the scene, cell
    the strongest cell, hit whether that lies on the object, weight the attention on all cells
    that do. The last three are what the baselines would score on this word.
    """

    item: int
    word: int
    object: int
    cell: int
    hit: bool
    weight: float
    centre: float
    uniform: float
    random_object: float


@dataclass(frozen=True, eq=False, repr=False)
class PointingScore:
    """Share of counted words whose strongest cell lies on the named object, beside baselines.

    centre points at the middle of the picture (at each of the four middle cells alike where the
    grid is even), uniform at any cell, random_object at the best cell of one of the picture's
    objects; all three are expectations, no dice. counted words, and skipped ones that name
    an object which is not there or cannot be told from another. None where no word was counted.
    """

    accuracy: float | None
    centre: float | None
    uniform: float | None
    random_object: float | None
    counted: int
    skipped: int
    records: tuple[Pointing, ...]

    def __repr__(self) -> str:
        shown = "none" if self.accuracy is None else f"{self.accuracy:.4f}"
        return f"PointingScore(accuracy={shown}, {self.counted} words counted)"


def pointing_score(
    captions: Sequence[str], maps: Sequence[np.ndarray], objects: Sequence[Sequence]
) -> PointingScore:
    """Score attention maps against what captions name.

    maps[i] (T, L) holds the weights with which the T words of captions[i] were said, L cells of a
    square grid in reading order (rows after the last word are not looked at); objects[i] the
    scene's objects with .colour, .shape and .mask (H, W), their visible pixels.

    A word counts if it is the noun of a mention of one object, "a red square", in a picture of at
    least two objects, of which exactly one has that colour and shape, and the caption names that
    kind once. It is a hit if the strongest cell is one of `cells_on` that object's mask. Of equal
    weights the first in reading order is the strongest.

    Raises: ValueError where lengths differ, a map has too few rows, or L is no square number.
    """
    check_lengths(captions, maps, objects)
    records, skipped = [], 0
    for item, (caption, weights, here) in enumerate(zip(captions, maps, objects, strict=True)):
        if len(here) < 2:
            continue
        named = mentions(caption)
        counted = _counted(named, here)
        skipped += len(named) - len(counted)
        if counted:
            check_map(item, caption, weights)
            on = cells_on(np.stack([one.mask for one in here]), weights.shape[1])
            records += [_point(item, word, which, weights[word], on) for word, which in counted]
    return _score(tuple(records), skipped)


def cells_on(masks: np.ndarray, cells: int) -> np.ndarray:
    """How many pixels of each mask (M, H, W) each of `cells` grid cells lies on: (M, cells) int.

    A cell lies on a mask where its centre is inside the mask grown by a disc of half a cell's
    side, which is where a visible pixel's centre is at most that far away (4 pixels for an 8x8
    grid over 64x64 pixels); the number says how many such pixels there are.
    """
    m, h, w = masks.shape
    near = _near(h, w, _side(cells))
    return np.rint(masks.reshape(m, h * w).astype(np.float32) @ near).astype(np.int64)


def check_lengths(captions: Sequence, maps: Sequence, objects: Sequence) -> None:
    """Raises: ValueError where there are not as many captions as maps and pictures."""
    if not len(captions) == len(maps) == len(objects):
        raise ValueError(
            f"{len(captions)} captions, {len(maps)} maps, objects of {len(objects)} pictures: "
            "expected as many of each"
        )


def check_map(item: int, caption: str, weights: np.ndarray) -> None:
    """Raises: ValueError where a map is not (T, L) with a row for each word of its caption."""
    words = len(caption.split())
    if weights.ndim != 2 or len(weights) < words:
        raise ValueError(
            f"maps[{item}] has shape {weights.shape}; expected (T, L) with a row for each of the "
            f"{words} words of {caption!r:.60}"
        )


def rows_by_picture(score: PointingScore, pictures: int) -> np.ndarray:
    """Hits and counted words of each picture: (pictures, 2)."""
    rows = np.zeros((pictures, 2))
    for record in score.records:
        rows[record.item] += record.hit, 1
    return rows


@lru_cache(maxsize=8)
def _near(h: int, w: int, side: int) -> np.ndarray:
    """Which pixels (H * W) lie within half a cell of which cell's centre: (H * W, side * side)."""
    rows, columns = np.mgrid[:side, :side].reshape(2, 1, -1) + 0.5
    y, x = np.mgrid[:h, :w].reshape(2, -1, 1) + 0.5
    # In units of cells, so that cells need not be square.
    distance = (y * side / h - rows) ** 2 + (x * side / w - columns) ** 2
    return (distance <= 0.25).astype(np.float32)


def _side(cells: int) -> int:
    side = isqrt(cells)
    if side * side != cells or not cells:
        raise ValueError(f"a map has {cells} cells; expected a square grid, such as 64 for 8x8")
    return side


def _counted(named: list, objects: Sequence) -> list[tuple[int, int]]:
    """(word, object) of the mentions that leave no doubt about which object is meant."""
    there = [(one.colour, one.shape) for one in objects]
    said = Counter(mention.kind for mention in named)
    return [
        (mention.word, there.index(mention.kind))
        for mention in named
        if mention.count == 1 and said[mention.kind] == 1 and there.count(mention.kind) == 1
    ]


def _point(item: int, word: int, which: int, weights: np.ndarray, on: np.ndarray) -> Pointing:
    hits = on[which] > 0
    best = on.argmax(axis=1)
    cell = int(weights.argmax())
    return Pointing(
        item=item,
        word=word,
        object=which,
        cell=cell,
        hit=bool(hits[cell]),
        weight=float(weights[hits].sum()),
        centre=float(hits[_middle(len(hits))].mean()),
        uniform=float(hits.mean()),
        random_object=float(hits[best].mean()),
    )


def _middle(cells: int) -> np.ndarray:
    side = isqrt(cells)
    middle = np.arange((side - 1) // 2, side // 2 + 1)
    return (middle[:, None] * side + middle).ravel()


def _score(records: tuple[Pointing, ...], skipped: int) -> PointingScore:
    def mean(name: str) -> float | None:
        values = [getattr(record, name) for record in records]
        return float(np.mean(values)) if values else None

    names = ("hit", "centre", "uniform", "random_object")
    return PointingScore(*map(mean, names), len(records), skipped, records)
