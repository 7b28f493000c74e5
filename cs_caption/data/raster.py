"""An integer rasteriser: flat shapes on a 64 x 64 picture, the same bits on every machine.

Units: a pixel is 16 units wide; x runs right and y runs down from the top left corner of the
picture. Each pixel has 4 x 4 samples, whose centres lie at 4 j + 2 units. Outlines are tables in
1024ths of a radius. Nothing here is a float.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SIZE = 64  # pixels along each side of a picture
UNIT = 16  # units a pixel
GRID = 4  # samples along each side of a pixel
REACH = 1140  # no outline reaches farther than so many 1024ths of its radius
FULL = GRID * GRID  # the coverage of a pixel that lies wholly inside


class Stencil(NamedTuple):
    """Where a shape lies: `samples` bool (4 h, 4 w), its corner at pixel (`left`, `top`).

    `cover` counts the samples of each pixel: uint8 (h, w), 0 to 16.
    """

    left: int
    top: int
    samples: np.ndarray
    cover: np.ndarray

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that the stencil spans."""
        height, width = self.cover.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def stencil(shape: str, x: int, y: int, radius: int, degrees: int = 0) -> Stencil:
    """Sample a shape of `OUTLINES`, centred on (x, y), turned clockwise by a multiple of 5 degrees.

    Units: x, y and radius in 1/16 pixel. What lies outside the picture is cut off.
    Raises: ValueError for an unknown shape, a radius below one unit or another angle.
    """
    _check(shape, radius, degrees)
    parts = [_placed(part, x, y, radius, degrees) for part in OUTLINES[shape]]
    left, right = _span([box[0::2] for _, box, _ in parts])
    top, bottom = _span([box[1::2] for _, box, _ in parts])
    xs, ys = _centres(left, right), _centres(top, bottom)
    inside = np.zeros((ys.size, xs.size), dtype=bool)
    for adds, _, sample in parts:
        if adds:
            inside |= sample(xs, ys)
        else:
            inside &= ~sample(xs, ys)
    return Stencil(left, top, inside, coverage(inside))


def coverage(samples: np.ndarray) -> np.ndarray:
    """Count the samples of each pixel.

    Shapes: samples bool (4 h, 4 w) -> uint8 (h, w), 0 to 16.
    """
    rows = samples.view(np.uint8)
    rows = rows[0::4] + rows[1::4] + rows[2::4] + rows[3::4]
    return rows[:, 0::4] + rows[:, 1::4] + rows[:, 2::4] + rows[:, 3::4]


def blend(canvas: np.ndarray, window: tuple[slice, slice], layers) -> None:
    """Mix colours into a window of the canvas, in place, rounded.

    `layers` are pairs (cover, rgb): so many sixteenths of that colour in each pixel, together at
    most sixteen; what is left shows the canvas.

    Shapes: canvas uint8 (64, 64, 3); cover uint8 (h, w); rgb three integers.
    """
    mixed, under = FULL // 2, FULL
    for cover, rgb in layers:
        share = cover[:, :, None].astype(np.int64)
        mixed = mixed + share * np.array(rgb, dtype=np.int64)
        under = under - share
    canvas[window] = (canvas[window] * under + mixed) // FULL


def whole_picture() -> Stencil:
    """The stencil that covers all."""
    samples = np.ones((SIZE * GRID, SIZE * GRID), dtype=bool)
    return Stencil(0, 0, samples, coverage(samples))


def marks(kind: str, slant: str, one: Stencil, x: int, y: int, width: int) -> np.ndarray:
    """Sample the stripes, checks or dots of a pattern inside a stencil.

    Units: the pattern starts at (x, y) and is `width` wide, in 1/16 pixel. Stripes run
    "horizontal", "vertical" or "diagonal" and cover two fifths, checks half, dots about a third.
    Shapes: bool (4 h, 4 w), as the stencil's samples.
    """
    height, length = one.cover.shape
    xs = _centres(one.left, one.left + length)[None, :] - x
    ys = _centres(one.top, one.top + height)[:, None] - y
    if kind == "stripes":
        along = {"horizontal": ys, "vertical": xs, "diagonal": xs + ys}[slant]
        period = width * 7 // 2 if slant == "diagonal" else width * 5 // 2
        return one.samples & (along % period < period * 2 // 5)
    if kind == "checks":
        return one.samples & ((xs // width % 2) != (ys // width % 2))
    across, down = xs % (2 * width) - width, ys % (2 * width) - width
    return one.samples & (100 * across**2 <= 42 * width**2 - 100 * down**2)


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The mask and what lies up to so many pixels left, right, above or below it.

    Shapes: bool (64, 64) -> bool (64, 64).
    """
    out = mask.copy()
    for step in range(1, pixels + 1):
        out[step:] |= mask[:-step]
        out[:-step] |= mask[step:]
        out[:, step:] |= mask[:, :-step]
        out[:, :-step] |= mask[:, step:]
    return out


def full_mask(one: Stencil) -> np.ndarray:
    """The pixels, bool (64, 64), that a shape covers at least half."""
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[one.window] = one.cover >= FULL // 2
    return mask


def visible(stencils: Sequence[Stencil]) -> list[np.ndarray]:
    """Tell which pixels belong to each shape when later ones lie in front of earlier ones.

    Shapes: a list of bool (64, 64), disjoint. A pixel belongs to a shape that covers half of it.
    """
    masks = []
    hidden = np.zeros((SIZE, SIZE), dtype=bool)
    for one in reversed(stencils):
        mask = full_mask(one)
        masks.append(mask & ~hidden)
        hidden |= mask
    return masks[::-1]


def _check(shape: str, radius: int, degrees: int) -> None:
    if shape not in OUTLINES:
        raise ValueError(f"no outline is called {shape!r}: choose one of {', '.join(OUTLINES)}")
    if radius < 1:
        raise ValueError(f"radius {radius} is below one unit (a sixteenth of a pixel)")
    if degrees % 5:
        raise ValueError(f"angle {degrees} is not a multiple of 5 degrees")


def _placed(part, x: int, y: int, radius: int, degrees: int):
    """(adds, box in units, function of sample centres) of one part of an outline, put in place."""
    adds, kind, *numbers = part
    sin, cos = sine(degrees), sine(degrees + 90)
    if kind == "ellipse":
        across, down, wide, high = (n * radius >> 10 for n in numbers)
        centre = (
            x + (cos * across - sin * down >> 14),
            y + (sin * across + cos * down >> 14),
        )
        wide, high = max(wide, 1), max(high, 1)
        reach = max(wide, high)
        box = (centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)
        return adds, box, lambda xs, ys: _in_ellipse(xs, ys, centre, wide, high, sin, cos)
    points = [
        (
            x + ((cos * px - sin * py) * radius >> 24),
            y + ((sin * px + cos * py) * radius >> 24),
        )
        for px, py in numbers[0]
    ]
    columns, rows = zip(*points, strict=True)
    box = (min(columns), min(rows), max(columns), max(rows))
    return adds, box, lambda xs, ys: _in_polygon(xs, ys, points)


def _span(sides) -> tuple[int, int]:
    """First pixel and the one after the last that the parts reach, inside the picture."""
    first = min(low for low, _ in sides) // UNIT
    last = -(-max(high for _, high in sides) // UNIT)
    first = min(max(first, 0), SIZE - 1)
    return first, max(min(last, SIZE), first + 1)


def _centres(first: int, last: int) -> np.ndarray:
    step = UNIT // GRID
    return np.arange(first * UNIT + step // 2, last * UNIT, step, dtype=np.int64)


def _in_ellipse(xs, ys, centre, wide, high, sin, cos) -> np.ndarray:
    across, down = xs[None, :] - centre[0], ys[:, None] - centre[1]
    if wide != high:  # a circle looks the same from every side
        across, down = cos * across + sin * down >> 14, cos * down - sin * across >> 14
    return (across * high) ** 2 + (down * wide) ** 2 <= (wide * high) ** 2


def _in_polygon(xs, ys, points) -> np.ndarray:
    """Even-odd rule: walk along each row of samples and flip at each edge that crosses it."""
    start = np.array(points, dtype=np.int64)
    end = np.array(points[1:] + points[:1], dtype=np.int64)
    low = np.where(start[:, 1:] <= end[:, 1:], start, end)[:, :, None]
    high = np.where(start[:, 1:] <= end[:, 1:], end, start)[:, :, None]
    rise = np.maximum(high[:, 1] - low[:, 1], 1)  # level edges cross no row: any number will do
    crossed = (low[:, 1] <= ys) & (ys < high[:, 1])
    # the first sample to the right of the crossing: low + (ys - low) * run / rise
    reach = rise * (low[:, 0] - xs[0]) + (ys - low[:, 1]) * (high[:, 0] - low[:, 0])
    column = np.clip(reach // (rise * (UNIT // GRID)) + 1, 0, xs.size)
    flat = (np.arange(ys.size) * (xs.size + 1) + column)[crossed]
    flips = np.bincount(flat, minlength=ys.size * (xs.size + 1)).reshape(ys.size, -1)
    return np.bitwise_xor.accumulate((flips & 1).astype(bool), axis=1)[:, :-1]


def sine(degrees: int) -> int:
    """Sine of a multiple of 5 degrees, in 1/16384."""
    degrees %= 360
    if degrees >= 180:
        return -sine(degrees - 180)
    return QUARTER[min(degrees, 180 - degrees) // 5]


QUARTER = (
    *(0, 1428, 2845, 4240, 5604, 6924, 8192, 9397, 10531, 11585),
    *(12551, 13421, 14189, 14849, 15396, 15826, 16135, 16322, 16384),
)


def _polygon(*numbers: int):
    return (True, "polygon", tuple(zip(numbers[0::2], numbers[1::2], strict=True)))


def _ellipse(x: int, y: int, wide: int, high: int, adds: bool = True):
    return (adds, "ellipse", x, y, wide, high)


# fmt: off
OUTLINES = {
    "circle": (_ellipse(0, 0, 940, 940),),
    "square": (_polygon(-800, -800, 800, -800, 800, 800, -800, 800),),
    "triangle": (_polygon(0, -1130, 979, 565, -979, 565),),
    "star": (_polygon(0, -1120, 276, -380, 1065, -346, 447, 145, 658, 906,
                      0, 470, -658, 906, -447, 145, -1065, -346, -276, -380),),
    "heart": (_polygon(0, -434, 56, -602, 170, -744, 351, -844, 570, -856, 782, -766, 936, -593,
                       992, -372, 936, -140, 782, 80, 570, 283, 351, 472, 170, 645, 56, 792,
                       0, 930, -56, 792, -170, 645, -351, 472, -570, 283, -782, 80, -936, -140,
                       -992, -372, -936, -593, -782, -766, -570, -856, -351, -844, -170, -744,
                       -56, -602),),
    "cross": (_polygon(-310, -950, 310, -950, 310, -310, 950, -310, 950, 310, 310, 310,
                       310, 950, -310, 950, -310, 310, -950, 310, -950, -310, -310, -310),),
    "diamond": (_polygon(0, -1120, 720, 0, 0, 1120, -720, 0),),
    "ring": (_ellipse(0, 0, 1000, 1000), _ellipse(0, 0, 560, 560, adds=False)),
    "moon": (_ellipse(0, 0, 1020, 1020), _ellipse(480, -120, 860, 860, adds=False)),
    "arrow": (_polygon(-1060, -290, 120, -290, 120, -760, 1080, 0, 120, 760, 120, 290,
                       -1060, 290),),
    "oval": (_ellipse(0, 0, 1120, 690),),
    "rectangle": (_polygon(-1010, -520, 1010, -520, 1010, 520, -1010, 520),),
    "hexagon": (_polygon(1000, 0, 500, 866, -500, 866, -1000, 0, -500, -866, 500, -866),),
    "flower": (_ellipse(640, 0, 400, 400), _ellipse(320, 554, 400, 400),
               _ellipse(-320, 554, 400, 400), _ellipse(-640, 0, 400, 400),
               _ellipse(-320, -554, 400, 400), _ellipse(320, -554, 400, 400),
               _ellipse(0, 0, 480, 480)),
    "cloud": (_ellipse(-560, 200, 480, 480), _ellipse(-120, -180, 600, 600),
              _ellipse(500, 80, 560, 560), _polygon(-560, 200, 500, 200, 500, 680, -560, 680)),
    "house": (_polygon(0, -1020, 1000, -180, 740, -180, 740, 860, -740, 860, -740, -180,
                       -1000, -180),),
    "bolt": (_polygon(140, -1110, -620, 200, -60, 200, -280, 1090, 640, -240, 60, -240,
                      410, -1060),),
    "drop": (_ellipse(0, 320, 720, 720), _polygon(0, -1120, 624, -40, -624, -40)),
}
# fmt: on
