"""Crowded pictures: one to four objects with patterns, in contact or in front of each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cs_caption.data import colours
from cs_caption.data.draws import Draw
from cs_caption.data.layout import Layout, Sketch
from cs_caption.data.raster import (
    OUTLINES,
    REACH,
    SIZE,
    UNIT,
    Stencil,
    full_mask,
    grown,
    marks,
    sine,
    stencil,
    visible,
    whole_picture,
)
from cs_caption.data.records import Background

RICH_SHAPES = tuple(OUTLINES)
RICH_COLOURS = tuple(colours.SHADES)
RICH_RADII = {"small": (96, 122), "medium": (140, 170), "big": (194, 244)}
RICH_UNSEEN = frozenset(
    (RICH_COLOURS[(5 * k + step) % len(RICH_COLOURS)], shape)
    for k, shape in enumerate(RICH_SHAPES)
    for step in (2, 9)
)
TURNS = {"moon": 40, "star": 35, "oval": 60, "flower": 30, "square": 10, "rectangle": 10}
UPRIGHT = ("circle", "ring", "house", "cloud", "arrow")
SLANTS = ("horizontal", "vertical", "diagonal")
POINTING = {0: "right", 90: "down", 180: "left", 270: "up"}

OFTEN = tuple(name for name in RICH_COLOURS if name not in ("black", "white")) * 2 + (
    *("black", "white"),  # they stand out everywhere, and would soon be everywhere
)
CONTRAST = 36_000  # least squared distance of colours that have to be told apart (`colours`)
SHOWN = 65  # least percent of an object that is seen
LEAST = 30  # pixels of it that are seen
OVERLAP = 8  # pixels hidden before one object counts as behind another


@dataclass(frozen=True)
class _Look:
    """What an object is, wherever it stands."""

    shape: str
    colour: str
    fine: str
    rgb: colours.Rgb
    pattern: str = "plain"
    slant: str = ""
    second: str = ""
    second_rgb: colours.Rgb | None = None


@dataclass(frozen=True, eq=False)
class _Stand:
    """Where an object stands: centre, radius and turn, and what it covers."""

    x: int
    y: int
    radius: int
    degrees: int
    stencil: Stencil
    mask: np.ndarray


def rich_layout(draw: Draw, unseen: bool) -> Layout:
    """One to four objects that can be told from the background and from what they touch.

    With `unseen`, at least one object's (colour, shape) is in RICH_UNSEEN; without, none is.
    """
    while True:
        background, ground = _background(draw)
        looks = _looks(draw, background, unseen)
        sizes = _sizes(draw, looks)
        stands = _stands(draw, looks, sizes)
        if stands is not None:
            sketches = [
                _sketch(draw, look, size, stand)
                for look, size, stand in zip(looks, sizes, stands, strict=True)
            ]
            return Layout(tuple(sketches), background, ground)


def hidden_by(full: Sequence[np.ndarray]) -> frozenset[tuple[int, int]]:
    """Pairs (back, front) of which the front one hides a part of the back one."""
    return frozenset(
        (back, front)
        for front in range(len(full))
        for back in range(front)
        if (full[back] & full[front]).sum() >= OVERLAP
    )


def _background(draw: Draw) -> tuple[Background, np.ndarray | None]:
    basic, fine, rgb = _shade(draw, draw.choice(RICH_COLOURS))
    pattern = draw.choice(
        ("plain",) * 8 + ("shaded",) * 4 + ("stripes",) * 3 + ("checks", "dots", "halves") * 2
    )
    if pattern == "plain":
        return Background(pattern, basic, fine, rgb), None
    if pattern == "shaded":
        return Background(pattern, basic, fine, rgb, "", basic, _toned(draw, rgb)), None
    if pattern == "halves" or draw.chance(50):
        second, second_rgb = _second(draw, basic, rgb)
    else:
        second, second_rgb = basic, _toned(draw, rgb)
    slant = draw.choice(SLANTS) if pattern == "stripes" else ""
    ground = Background(pattern, basic, fine, rgb, slant, second, second_rgb)
    return ground, _ground_marks(draw, pattern, slant)


def _ground_marks(draw: Draw, pattern: str, slant: str) -> np.ndarray:
    """Samples (256, 256) of the background's second colour."""
    whole = whole_picture()
    if pattern == "halves":
        lower = np.zeros_like(whole.samples)
        lower[4 * draw.between(30, 44) :] = True
        return lower
    width = draw.between(56, 104)
    return marks(pattern, slant, whole, draw.below(width), draw.below(width), width)


def _shade(draw: Draw, basic: str) -> tuple[str, str, colours.Rgb]:
    """(basic, closest shade, rgb): a colour between two shades of a basic one, named anew."""
    some = colours.shades(basic)
    while True:
        (_, one), (_, other) = draw.early(some), draw.choice(some)
        share = draw.below(129)
        rgb = tuple(
            min(max((p * share + q * (128 - share)) // 128 + draw.between(-6, 6), 0), 255)
            for p, q in zip(one, other, strict=True)
        )
        found, names = colours.naming(rgb)
        if found == basic:
            return basic, names[0], rgb


def _toned(draw: Draw, rgb: colours.Rgb) -> colours.Rgb:
    """The colour moved towards black or white, whichever is farther."""
    aim = 0 if sum(rgb) > 382 else 255
    share = draw.between(20, 40)
    return tuple((value * (128 - share) + aim * share) // 128 for value in rgb)


def _unlike(draw: Draw, others: Sequence[colours.Rgb]) -> tuple[str, str, colours.Rgb]:
    """A shade, as `_shade`, that can be told from the others."""
    while True:
        basic = draw.choice(OFTEN)
        for _ in range(8):
            shade = _shade(draw, basic)
            if all(colours.distance(shade[2], other) >= CONTRAST for other in others):
                return shade


def _second(draw: Draw, basic: str, rgb: colours.Rgb) -> tuple[str, colours.Rgb]:
    """A colour of another name beside that one, in a pattern."""
    while True:
        name, _, second = _unlike(draw, [rgb])
        if name != basic:
            return name, second


def _looks(draw: Draw, background: Background, unseen: bool) -> list[_Look]:
    """Looks from back to front; some of them are repeated, to be counted."""
    count = draw.choice((1,) * 3 + (2,) * 8 + (3,) * 8 + (4,) * 6)
    behind = [background.rgb, *([background.second_rgb] if background.second_rgb else [])]
    looks = [_look(draw, behind, unseen)]
    while len(looks) < count:
        again = draw.chance(25)
        looks.append(
            draw.choice(looks) if again else _look(draw, behind, unseen and draw.chance(30))
        )
    return draw.some(looks, count)


def _look(draw: Draw, behind: Sequence[colours.Rgb], unseen: bool) -> _Look:
    while True:
        colour, fine, rgb = _unlike(draw, behind)
        shape = draw.choice(RICH_SHAPES)
        if ((colour, shape) in RICH_UNSEEN) == unseen:
            break
    look = _Look(shape, colour, fine, rgb)
    if draw.chance(60):
        return look
    pattern = draw.choice(("stripes", "stripes", "checks", "dots"))
    slant = draw.choice(SLANTS) if pattern == "stripes" else ""
    second, second_rgb = _second(draw, colour, rgb)
    while any(colours.distance(second_rgb, other) < CONTRAST // 3 for other in behind):
        second, second_rgb = _second(draw, colour, rgb)  # else the marks look like holes
    return replace(look, pattern=pattern, slant=slant, second=second, second_rgb=second_rgb)


def _sizes(draw: Draw, looks: Sequence[_Look]) -> list[str]:
    """Fewer big ones where there are many, and no patterns on small ones."""
    chances = ("small", "medium", "medium", "big") if len(looks) > 2 else tuple(RICH_RADII)
    sizes = [draw.choice(chances) for _ in looks]
    return [
        "medium" if size == "small" and look.pattern != "plain" else size
        for size, look in zip(sizes, looks, strict=True)
    ]


def _stands(draw: Draw, looks: Sequence[_Look], sizes: Sequence[str]) -> list[_Stand] | None:
    """Places for all, or None where one does not fit."""
    stands: list[_Stand] = []
    for look, size in zip(looks, sizes, strict=True):
        radius = draw.between(*RICH_RADII[size])
        degrees = _turn(draw, look.shape)
        for _ in range(30):
            stand = _tried(draw, look, radius, degrees, looks, stands)
            if stand is not None:
                stands.append(stand)
                break
        else:
            return None
    masks = visible([stand.stencil for stand in stands])  # two may stand in front of a third
    return stands if all(map(_shown, stands, masks)) else None


def _shown(stand: _Stand, mask: np.ndarray) -> bool:
    return mask.sum() >= LEAST and 100 * mask.sum() >= SHOWN * stand.mask.sum()


def _turn(draw: Draw, shape: str) -> int:
    if shape == "arrow":
        return draw.choice(tuple(POINTING))
    if shape in UPRIGHT:
        return 0
    most = TURNS.get(shape, 15) // 5
    quarter = 90 if shape == "rectangle" and draw.chance(40) else 0
    return quarter + 5 * draw.between(-most, most)


def _tried(draw: Draw, look: _Look, radius: int, degrees: int, looks, stands) -> _Stand | None:
    """One try: apart from all others, or in contact with one that looks different enough."""
    partners = [k for k in range(len(stands)) if _differ(look, looks[k])]
    contact = draw.choice((None, None, None, "top", "side", "front", "front"))
    if contact is None or not partners:
        return _apart(draw, look.shape, radius, degrees, stands)
    partner = draw.choice(partners)
    others = [stand for k, stand in enumerate(stands) if k != partner]
    if contact == "front":
        return _in_front(draw, look.shape, radius, degrees, stands[partner], others)
    return _against(draw, look.shape, radius, degrees, stands[partner], others, contact)


def _differ(one: _Look, other: _Look) -> bool:
    if one.shape == other.shape and one.colour == other.colour:
        return False
    mine = [one.rgb, *([one.second_rgb] if one.second_rgb else [])]
    theirs = [other.rgb, *([other.second_rgb] if other.second_rgb else [])]
    return all(colours.distance(a, b) >= CONTRAST for a in mine for b in theirs)


def _stand(shape: str, x: int, y: int, radius: int, degrees: int) -> _Stand | None:
    """The object at that place, unless it sticks out of the picture."""
    margin = _reach(radius) // 2
    if not (margin < x < SIZE * UNIT - margin and margin < y < SIZE * UNIT - margin):
        return None  # far out: spared the work of drawing it
    one = stencil(shape, x, y, radius, degrees)
    mask = full_mask(one)
    edge = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
    return None if edge or mask.sum() < LEAST else _Stand(x, y, radius, degrees, one, mask)


def _reach(radius: int) -> int:
    return radius * REACH >> 10


def _apart(draw: Draw, shape: str, radius: int, degrees: int, stands) -> _Stand | None:
    reach = _reach(radius)
    x, y = (draw.between(reach, SIZE * UNIT - reach) for _ in "xy")
    for other in stands:
        clear = reach + _reach(other.radius) + UNIT // 2
        if (x - other.x) ** 2 + (y - other.y) ** 2 < clear**2:
            return None
    return _stand(shape, x, y, radius, degrees)


def _in_front(draw: Draw, shape: str, radius: int, degrees: int, back: _Stand, others):
    way = 5 * draw.below(72)
    far = (radius + back.radius) * draw.between(55, 85) // 100
    x, y = back.x + (sine(way + 90) * far >> 14), back.y + (sine(way) * far >> 14)
    stand = _stand(shape, x, y, radius, degrees)
    if stand is None or _meets(stand, others):
        return None
    hides = (back.mask & stand.mask).sum() >= OVERLAP
    return stand if hides and _shown(back, back.mask & ~stand.mask) else None


def _against(draw: Draw, shape: str, radius: int, degrees: int, one: _Stand, others, contact: str):
    """Start at a distance, above it or at a side, and slide until the two touch."""
    far = _reach(radius) + _reach(one.radius)
    off = draw.between(-min(radius, one.radius) // 3, min(radius, one.radius) // 3)
    way = (0, -1) if contact == "top" else draw.choice(((-1, 0), (1, 0)))
    x, y = one.x + way[0] * far + way[1] * off, one.y + way[1] * far + way[0] * off
    stand = _stand(shape, x, y, radius, degrees)
    gap = None if stand is None else _gap(one.mask, stand.mask, way)
    if gap is None:
        return None
    x, y = x - way[0] * gap * UNIT, y - way[1] * gap * UNIT
    stand = _stand(shape, x, y, radius, degrees)
    return None if stand is None or _meets(stand, others) else stand


def _gap(still: np.ndarray, moving: np.ndarray, way: tuple[int, int]) -> int | None:
    """Pixels between two masks of which the second lies in the direction `way`."""
    if way[1]:
        still, moving = still.T, moving.T
    if sum(way) < 0:
        still, moving = still[:, ::-1], moving[:, ::-1]
    rows = still.any(axis=1) & moving.any(axis=1)
    if not rows.any():
        return None
    last = SIZE - 1 - still[rows, ::-1].argmax(axis=1)
    return int((moving[rows].argmax(axis=1) - last).min()) - 1


def _meets(stand: _Stand, others: Sequence[_Stand]) -> bool:
    """It comes within two pixels of one that it is not meant to touch."""
    around = grown(stand.mask, 2)
    return any((around & other.mask).any() for other in others)


def _sketch(draw: Draw, look: _Look, size: str, stand: _Stand) -> Sketch:
    one, pattern = stand.stencil, None
    if look.pattern != "plain":
        width = {"stripes": 40, "checks": 56, "dots": 48}[look.pattern]
        x, y = stand.x - draw.below(width), stand.y - draw.below(width)
        pattern = marks(look.pattern, look.slant, one, x, y, width)
    return Sketch(
        *(one, look.shape, look.colour, size, look.fine, look.rgb),
        *(look.pattern, look.slant, look.second, look.second_rgb, pattern),
        pointing=POINTING[stand.degrees] if look.shape == "arrow" else "",
    )
