"""Where a captioner looks: over the picture for those who see it, in words for all."""

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from PIL import Image

_VEIL = (24, 26, 34)


def where_looked(weights: np.ndarray, objects: Sequence | None) -> tuple[float, str]:
    """How much of the weights (L,) lies on what, in words.

    On the object that has the most of it; where no object is known, on the strongest cell and its
    neighbours.
    """
    if not objects:
        side = isqrt(len(weights))
        row, column = divmod(int(weights.argmax()), side)
        grid = weights.reshape(side, side)
        near = grid[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        return float(near.sum()), f"the {strongest_place(weights)}"
    return max(shares(weights, objects), key=lambda share: share[0])


def shares(weights: np.ndarray, objects: Sequence) -> list[tuple[float, str]]:
    """How much of the weights (L,) lies on each object, and what it is called.

    Of two that touch or overlap, cells may count for both.
    """
    # Where notebook 06 is graded there are no metrics, and its first cell imports the figures.
    from cs_caption.metrics.pointing import cells_on

    on = cells_on(np.stack([one.mask for one in objects]), len(weights)) > 0
    return [
        (float(min(share, 1.0)), _name(one, objects))
        for share, one in zip(on @ weights, objects, strict=True)
    ]


def tell_look(word: str, weights: np.ndarray, objects: Sequence | None) -> str:
    """In a sentence, where the weights (L,) lie as a word is said."""
    share, target = where_looked(weights, objects)
    strongest = strongest_place(weights)
    return f"At “{word}”: {share:.0%} of the weight on {target}; strongest cell {strongest}."


def veil(weights: np.ndarray, scale: int = 22) -> np.ndarray:
    """What lies over the picture: dark where the weights (L,) are low, the strongest cell framed.

    Shapes: uint8 (side * scale, side * scale, 4), red, green, blue and opacity.
    """
    side = isqrt(len(weights))
    light = np.sqrt(weights / weights.max()).reshape(side, side)
    pixels = np.zeros((side * scale, side * scale, 4), np.uint8)
    pixels[..., :3] = _VEIL
    pixels[..., 3] = np.kron(215 * (1 - light), np.ones((scale, scale))).astype(np.uint8)
    row, column = (scale * i for i in divmod(int(weights.argmax()), side))
    cell = pixels[row : row + scale, column : column + scale]
    inner = cell[6:-6, 6:-6].copy()
    cell[...] = (0, 0, 0, 255)
    cell[2:-2, 2:-2] = (255, 255, 255, 255)
    cell[5:-5, 5:-5] = (0, 0, 0, 255)
    cell[6:-6, 6:-6] = inner
    return pixels


def veiled(image: np.ndarray, weights: np.ndarray, scale: int) -> np.ndarray:
    """A picture (H, H, 3) beneath the veil of weights (L,), uint8 (side * scale, side * scale, 3),
    where side is that of the grid, in cells, and scale that of a cell, in pixels."""
    over = veil(weights, scale)
    size = len(over)
    method = Image.Resampling.NEAREST if size >= len(image) else Image.Resampling.BOX
    below = np.asarray(Image.fromarray(image).resize((size, size), method), np.float32)
    opacity = over[..., 3:] / np.float32(255)
    return np.rint(below + (over[..., :3] - below) * opacity).astype(np.uint8)


def strongest_place(weights: np.ndarray) -> str:
    """Where the strongest cell of the weights (L,) lies, in words."""
    side = isqrt(len(weights))
    row, column = divmod(int(weights.argmax()), side)
    return _where((row + 0.5) / side, (column + 0.5) / side)


def require_square(image: np.ndarray) -> np.ndarray:
    """The picture as an array. Raises: ValueError, TypeError where it is not uint8 (H, H, 3)."""
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.shape[0] != pixels.shape[1]:
        raise ValueError(f"image of shape {pixels.shape}: expected (H, H, 3), a square in colour")
    if pixels.dtype != np.uint8:
        raise TypeError(f"image of {pixels.dtype}: expected uint8, 0 to 255")
    return np.ascontiguousarray(pixels)


def require_looks(maps: np.ndarray, T: int, name: str = "maps") -> np.ndarray:
    """The first T rows of weights, each as shares of 1: (T, L) float64.

    Raises: ValueError, naming `name`, where the grid is no square, there are fewer rows, or a row
    has weights that are negative, not finite or all 0.
    """
    maps = np.asarray(maps, np.float64)
    L = maps.shape[1] if maps.ndim == 2 else 0
    if len(maps) < T or not L or isqrt(L) ** 2 != L:
        raise ValueError(
            f"{name} of shape {maps.shape}: expected (T, L), a row for each of the {T} words and "
            "L cells of a square grid, such as 64 for 8x8"
        )
    maps = maps[:T]
    sums = maps.sum(axis=1, keepdims=True)
    wrong = ~(np.isfinite(sums) & (sums > 0)) | (maps < 0).any(axis=1, keepdims=True)
    if wrong.any():
        raise ValueError(
            f"{name}[{int(wrong.argmax())}] is no look: expected finite weights, none negative, "
            "not all 0"
        )
    return maps / sums


def describe_objects(objects: Sequence) -> str:
    """A scene's objects and where each one is."""
    return ", ".join(
        f"a {one.size} {one.colour} {one.shape}, {_where(*_centre(one.mask))}" for one in objects
    )


def _name(one: Any, objects: Sequence) -> str:
    alike = sum(other.colour == one.colour and other.shape == one.shape for other in objects) > 1
    place = f"{_where(*_centre(one.mask))} " if alike else ""
    return f"the {place}{one.colour} {one.shape}"


def _centre(mask: np.ndarray) -> tuple[float, float]:
    """Where a mask's middle lies, down and across, from 0 to 1."""
    return tuple(
        float((places.mean() + 0.5) / size)
        for places, size in zip(mask.nonzero(), mask.shape, strict=True)
    )


def _where(down: float, across: float) -> str:
    """A place in the picture in words, by thirds."""
    row = ("upper", "middle", "lower")[min(int(3 * down), 2)]
    column = ("left", "middle", "right")[min(int(3 * across), 2)]
    return "middle" if row == column == "middle" else f"{row} {column}"
