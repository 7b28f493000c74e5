"""Where things stand in a picture: what is drawn before it is painted."""

from dataclasses import dataclass

import numpy as np

from cs_caption.data import lexicon
from cs_caption.data.draws import Draw
from cs_caption.data.raster import REACH, SIZE, UNIT, Stencil, stencil
from cs_caption.data.records import Background


@dataclass(frozen=True, eq=False)
class Sketch:
    """An object before it is painted: the samples it covers, and those of its second colour."""

    stencil: Stencil
    shape: str
    colour: str
    size: str
    fine: str
    rgb: tuple[int, int, int]
    pattern: str = "plain"
    slant: str = ""
    second: str = ""
    second_rgb: tuple[int, int, int] | None = None
    marks: np.ndarray | None = None
    pointing: str = ""


@dataclass(frozen=True, eq=False)
class Layout:
    """A picture to be painted: the objects from back to front, what lies behind, its marks."""

    sketches: tuple[Sketch, ...]
    background: Background
    marks: np.ndarray | None = None


SIMPLE_SHAPES = tuple(lexicon.SIMPLE_NOUNS)
SIMPLE_COLOURS = tuple(lexicon.SIMPLE_COLOURS)
SIMPLE_RADII = {"small": (124, 150), "big": (190, 228)}  # 7.75 to 9.4, and 11.9 to 14.25 pixels
SIMPLE_TURNS = {"circle": 0, "square": 10, "triangle": 10, "star": 10, "heart": 10, "cross": 10}
SIMPLE_UNSEEN = frozenset(
    (SIMPLE_COLOURS[(3 * k + 1) % len(SIMPLE_COLOURS)], shape)
    for k, shape in enumerate(SIMPLE_SHAPES)
)


def simple_layout(draw: Draw, unseen: bool) -> Layout:
    """One or two objects of plain colours, apart from each other, on a plain background.

    With `unseen`, one of the first object's kind is a pair of SIMPLE_UNSEEN; without, none is.
    """
    kinds = [_simple_kind(draw, unseen)]
    if draw.chance(65):
        kinds.append(
            kinds[0] if draw.chance(22) else _simple_kind(draw, unseen and draw.chance(50))
        )
    name = draw.choice(tuple(lexicon.SIMPLE_BACKGROUNDS))
    background = Background("plain", name, name, _grey(draw, lexicon.SIMPLE_BACKGROUNDS[name]))
    sizes = [draw.choice(tuple(SIMPLE_RADII)) for _ in kinds]
    radii = [draw.between(*SIMPLE_RADII[size]) for size in sizes]
    places = _apart(draw, radii)
    sketches = [
        _simple_sketch(draw, kind, size, radius, place)
        for kind, size, radius, place in zip(kinds, sizes, radii, places, strict=True)
    ]
    return Layout(tuple(sketches), background)


def _simple_kind(draw: Draw, unseen: bool) -> tuple[str, str]:
    if unseen:
        return draw.choice(sorted(SIMPLE_UNSEEN))
    while True:
        kind = draw.choice(SIMPLE_COLOURS), draw.choice(SIMPLE_SHAPES)
        if kind not in SIMPLE_UNSEEN:
            return kind


def _simple_sketch(draw: Draw, kind, size: str, radius: int, place: tuple[int, int]) -> Sketch:
    colour, shape = kind
    turn = SIMPLE_TURNS[shape] // 5
    degrees = 5 * draw.between(-turn, turn)
    rgb = _shade(draw, lexicon.SIMPLE_COLOURS[colour])
    return Sketch(stencil(shape, *place, radius, degrees), shape, colour, size, colour, rgb)


def _shade(draw: Draw, rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """The colour, a little off, so that no colour is always the same."""
    return tuple(min(max(value + draw.between(-7, 7), 0), 255) for value in rgb)


def _grey(draw: Draw, rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """A little darker or lighter, never tinted."""
    shift = draw.between(-7, 7)
    return tuple(min(max(value + shift, 0), 255) for value in rgb)


def _apart(draw: Draw, radii: list[int]) -> list[tuple[int, int]]:
    """Centres for circles (with their corners) that keep clear of each other and of the edge."""
    reach = [(radius * REACH >> 10) + UNIT for radius in radii]
    while True:
        places = [tuple(draw.between(r, SIZE * UNIT - r) for _ in "xy") for r in reach]
        if len(places) == 1:
            return places
        (x0, y0), (x1, y1) = places
        if (x0 - x1) ** 2 + (y0 - y1) ** 2 >= sum(reach) ** 2:
            return places
