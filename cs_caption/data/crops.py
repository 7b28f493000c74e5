"""Small pictures of one object each, cut out of scenes: what notebook 01 classifies."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cs_caption.data.lexicon import SIMPLE_COLOURS, SIMPLE_NOUNS
from cs_caption.data.records import Scene

SHAPES = tuple(SIMPLE_NOUNS)
COLOURS = tuple(SIMPLE_COLOURS)


@dataclass(frozen=True)
class Crops:
    """Crops of n objects: uint8 (n, size, size, 3), and for each the number of its shape in
    SHAPES and of its colour in COLOURS, int64 (n,)."""

    images: np.ndarray
    shapes: np.ndarray
    colours: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


def object_crops(scenes: Iterable[Scene], size: int = 32) -> Crops:
    """Cut a square of `size` pixels around the middle of each object, whole within its picture.

    Nothing is scaled. A neighbour of the object may be seen at the edge, as in the scene.
    Raises: ValueError where a scene has no object, or is smaller than the square.
    """
    found = [(_cut(scene, one.box, size), one) for scene in scenes for one in scene.objects]
    if not found:
        raise ValueError("no objects: give scenes that show at least one")
    images, objects = zip(*found, strict=True)
    return Crops(
        np.stack(images),
        np.array([SHAPES.index(one.shape) for one in objects]),
        np.array([COLOURS.index(one.colour) for one in objects]),
    )


def _cut(scene: Scene, box: tuple[int, int, int, int], size: int) -> np.ndarray:
    height, width = scene.image.shape[:2]
    if not 1 <= size <= min(height, width):
        raise ValueError(f"size {size}: the scenes are {height}x{width}; give 1 to {height}")
    left, top, right, bottom = box
    x = min(max((left + right - size) // 2, 0), width - size)
    y = min(max((top + bottom - size) // 2, 0), height - size)
    return scene.image[y : y + size, x : x + size]
