"""What a scene is made of: the truth that captions, metrics and tests are held against."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SceneObject:
    """One thing in a picture.

    Shapes: `mask` bool (64, 64), the pixels where it can be seen; `box` (x0, y0, x1, y1), the
    pixels x0 <= x < x1 and y0 <= y < y1 that hold the mask.

    `colour` is a basic colour's name, `fine` the closest of its shades, `rgb` what was painted.
    `pattern` is "plain", or "stripes", "checks" or "dots" in a second colour; stripes have a
    `slant`. `pointing` tells which way an arrow goes.
    """

    shape: str
    colour: str
    size: str
    box: tuple[int, int, int, int]
    mask: np.ndarray
    fine: str
    rgb: tuple[int, int, int]
    pattern: str = "plain"
    slant: str = ""
    second: str = ""
    pointing: str = ""

    @property
    def kind(self) -> tuple[str, str]:
        """(colour, shape)."""
        return self.colour, self.shape

    @property
    def look(self) -> tuple[str, ...]:
        """Colour, shape and pattern: what objects share that one tells of together."""
        return (*self.kind, self.pattern, self.slant, self.second)


@dataclass(frozen=True)
class Relation:
    """`objects[subject]` is `name` `objects[object]`, seen from in front of the picture."""

    subject: int
    name: str
    object: int


@dataclass(frozen=True)
class Background:
    """What lies behind the objects.

    `pattern` is "plain", "stripes", "checks" or "dots", "halves" (`second` below) or "shaded"
    (the colour runs to `second_rgb` at the bottom).
    """

    pattern: str
    colour: str
    fine: str
    rgb: tuple[int, int, int]
    slant: str = ""
    second: str = ""
    second_rgb: tuple[int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, what is in it, and what five people said about it.

    Shapes: `image` uint8 (64, 64, 3). `objects` run from the back to the front. `annotators` are
    the indices, in the pool of twelve, of the five who wrote `captions`, in the same order.
    """

    id: str
    image: np.ndarray
    captions: tuple[str, ...]
    objects: tuple[SceneObject, ...]
    relations: tuple[Relation, ...]
    background: Background
    annotators: tuple[int, ...]
