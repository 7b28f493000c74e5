"""Where a captioner looks: over the picture for those who see it, in words for all."""

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np

from cs_caption.metrics.pointing import cells_on

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
    on = cells_on(np.stack([one.mask for one in objects]), len(weights)) > 0
    shares = on @ weights
    best = int(shares.argmax())
    return float(min(shares[best], 1.0)), _name(objects[best], objects)


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


def strongest_place(weights: np.ndarray) -> str:
    """Where the strongest cell of the weights (L,) lies, in words."""
    side = isqrt(len(weights))
    row, column = divmod(int(weights.argmax()), side)
    return _where((row + 0.5) / side, (column + 0.5) / side)


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
