"""Scenes made by hand: boxes with attributes, no picture."""

import numpy as np

from cs_caption.data.colours import naming, shades
from cs_caption.data.records import Background, Scene, SceneObject
from cs_caption.data.relations import relations


def thing(colour: str, shape: str, box: tuple[int, int, int, int], size="medium", **looks):
    """An object that fills its box, in the colour's most usual shade."""
    mask = np.zeros((64, 64), dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    rgb = looks.pop("rgb", shades(colour)[0][1])
    return SceneObject(shape, colour, size, box, mask, naming(rgb)[1][0], rgb, **looks)


def shape_scene(*things: SceneObject, ground: Background | None = None, overlaps=()) -> Scene:
    """`overlaps` holds (back, front) pairs."""
    rgb = shades("white")[0][1]
    facts = relations([o.box for o in things], [o.mask for o in things], frozenset(overlaps))
    ground = ground or Background("plain", "white", "white", rgb)
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    return Scene("by hand", image, (), things, facts, ground, ())
