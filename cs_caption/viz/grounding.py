"""Which region of a picture each word of a sentence chose: numbered boxes, and a table.

Nothing but inline styles, so that it can be read even where a front end takes them away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cs_caption.viz.attention import shares, strongest_place
from cs_caption.viz.figure import View, require_alt
from cs_caption.viz.html import escaped, picture, png_uri, tag

SIZE = 320  # pixels that the picture takes, about
LEAST = 20  # pixels of a cell, or there is no room for its number

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_THICK = (_BLACK, _BLACK, _WHITE, _WHITE, _BLACK, _BLACK)
_THIN = (_BLACK, _WHITE)
_BOX = "display:flex;flex-wrap:wrap;gap:1.2em;align-items:flex-start;margin:.5em 0"
_TOLD = "flex:1 1 17em;min-width:0;max-width:32em"
_IMAGE = "flex:0 1 auto;min-width:0;image-rendering:pixelated"
_RUN = (
    "display:inline-block;border:1px solid;border-radius:4px;padding:0 .4em;margin:0 .3em .35em 0"
)
_CELL = (
    "text-align:left;padding:.12em .7em .12em 0;vertical-align:top;font-weight:normal;"
    "white-space:normal;overflow-wrap:break-word"
)
_NUMBER = f"{_CELL};text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"
_TABLE = "border-collapse:collapse;width:auto;margin:.4em 0 0"
_FIRST = "border-top:1px solid rgba(128,128,128,.45)"
_NOTE = "caption-side:bottom;text-align:left;font-size:85%;padding-top:.3em"


def show_grounding(
    image: np.ndarray,
    words: Sequence[str],
    word_scores: Sequence[float],
    regions: Sequence[int],
    *,
    cells: int,
    alt: str,
    objects: Sequence | None = None,
    window: int = 1,
) -> View:
    """A picture with a numbered box for each region that a word chose, and a table of the words.

    Neighbouring words that chose the same region stand together. The strongest words, which have
    at least half of the highest score, are bold, and their boxes thick.

    image:       uint8 (H, W, 3)
    words:       T of them
    word_scores: of each word with its region; those after the last word are not looked at
    regions:     of each word a cell of a square grid in reading order, from 0; likewise
    cells:       how many the grid has, such as 64 for 8x8
    alt:         what the picture shows, and whose sentence these words are, in a sentence
    objects:     the scene's, with .size, .colour, .shape and .mask; None where the truth is unknown
    window:      how many cells a region is wide, around its own; where that is more than one, weak
                 words have a number without a box

    Raises: ValueError where there is no word, the numbers do not fit or `alt` is empty; TypeError
    for words in one string, or a picture of other than uint8.
    """
    require_alt(alt)
    one = align(words, word_scores, regions, cells, objects, window)
    return View(grounding_html(image, one, alt), "\n".join([alt, *_lines(one)]))


def show_alignments(
    image: np.ndarray,
    words: Sequence[str],
    alignments: Mapping[str, tuple[Sequence[float], Sequence[int]]],
    *,
    cells: int,
    alt: str,
    objects: Sequence | None = None,
    window: int = 1,
) -> View:
    """Several ways to align one sentence with a picture, side by side, as show_grounding draws one.

    alignments: name, such as "smoothed" -> (word_scores, regions)

    Raises: as show_grounding; ValueError where there is no alignment.
    """
    require_alt(alt)
    if not alignments:
        raise ValueError("alignments is empty: give a name and (word_scores, regions) at least")
    figures, lines = [], [alt]
    for name, (word_scores, regions) in alignments.items():
        one = align(words, word_scores, regions, cells, objects, window)
        head = f"{name}: {_count(len(one.runs()), 'run')} of words, {_count(len(one.boxes), 'box')}"
        drawn = grounding_html(image, one, f"{alt} Alignment: {name}.")
        figures.append(tag("div", tag("p", tag("b", escaped(head))), drawn, style="flex:1 1 20em"))
        lines += [f"{head}:", *_lines(one)]
    return View(
        tag("div", *figures, role="group", aria_label=alt, style=_BOX),
        "\n".join(lines),
    )


def place_of(region: int, cells: int) -> str:
    """Where a cell of a square grid lies in the picture, in words: "upper left"."""
    return "the whole picture" if cells == 1 else strongest_place(_only(region, cells))


@dataclass(frozen=True, eq=False)
class Alignment:
    """The words of a sentence, what each scores with its region, and the regions.

    Shapes: word_scores (T,) float64, regions (T,) int64 among the cells of a square grid.
    """

    words: tuple[str, ...]
    word_scores: np.ndarray
    regions: np.ndarray
    cells: int
    objects: Sequence | None
    window: int = 1

    @property
    def boxes(self) -> dict[int, int]:
        """Region -> the number of its box, from 1, as a reader comes upon them."""
        distinct = dict.fromkeys(self.regions.tolist())
        return {region: number for number, region in enumerate(distinct, start=1)}

    def runs(self) -> list[list[int]]:
        """The words in order, together where neighbours chose the same region."""
        return [list(run) for _, run in groupby(range(len(self.words)), key=self.regions.item)]

    def strong(self) -> np.ndarray:
        """Whether each word has at least half of the highest score: bool (T,)."""
        return (self.word_scores > 0) & (self.word_scores >= self.word_scores.max() / 2)

    def place(self, region: int) -> str:
        """Where a region lies, in words, and on which of the objects, where they are known."""
        where = place_of(region, self.cells)
        if self.objects is None:
            return where
        on = [name for share, name in shares(_only(region, self.cells), self.objects) if share > 0]
        return f"{where}, on {' and '.join(on) or 'the background'}"


def align(
    words: Sequence[str],
    word_scores: Sequence[float],
    regions: Sequence[int],
    cells: int,
    objects: Sequence | None = None,
    window: int = 1,
) -> Alignment:
    """What show_grounding takes, looked through. Raises: as there."""
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r:.60}: give a list, as from .split()")
    if cells < 1 or isqrt(cells) ** 2 != cells:
        raise ValueError(f"cells is {cells}: expected those of a square grid, such as 64 for 8x8")
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window is {window}: expected an odd number of cells, as 1 or 3")
    T = len(words)
    found = _first(word_scores, T, "word_scores").astype(np.float64)
    if not np.isfinite(found).all():
        raise ValueError(f"word_scores has {found[~np.isfinite(found)][0]}: expected finite ones")
    chosen = _first(regions, T, "regions")
    if chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < cells)).all():
        raise ValueError(f"regions is {chosen.tolist()}: expected whole numbers, 0 to {cells - 1}")
    return Alignment(tuple(words), found, chosen.astype(np.int64), cells, objects, window)


def grounding_html(image: np.ndarray, one: Alignment, alt: str) -> str:
    """The picture with its boxes, and the words beside it."""
    drawn = boxed(image, one)
    told = f"{alt} {strongest_words(one)}"
    shown = picture(png_uri(drawn), told, drawn.shape[1], drawn.shape[0])
    return tag(
        "div",
        tag("div", shown, style=_IMAGE),
        tag("div", _sentence(one), _table(one), style=_TOLD),
        role="group",
        aria_label=alt,
        style=_BOX,
    )


def strongest_words(one: Alignment) -> str:
    """In a sentence, where the strongest words found their regions."""
    boxes = one.boxes
    told = [
        f"“{one.words[t]}” {one.place(r)} (box {boxes[r]})"
        for t, r in ((t, int(one.regions[t])) for t in np.flatnonzero(one.strong()))
    ]
    return f"Strongest words: {'; '.join(told)}." if told else "No word scores above 0."


def signed(value: float) -> str:
    """A score with two decimals and a true minus sign."""
    return f"{round(float(value), 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")


def _first(values: Sequence, T: int, name: str) -> np.ndarray:
    taken = np.asarray(values)
    if not T or taken.ndim != 1 or len(taken) < T:
        raise ValueError(
            f"{name} of shape {taken.shape} for {T} words: expected one for each, and at least one"
        )
    return taken[:T]


def _only(region: int, cells: int) -> np.ndarray:
    """Weights (L,) that are all on one cell."""
    return np.eye(1, cells, region)[0]


# What is drawn.


def boxed(image: np.ndarray, one: Alignment) -> np.ndarray:
    """The picture, enlarged, with a numbered box around each region: uint8 (H', W', 3)."""
    image, side = require_picture(image), isqrt(one.cells)
    cell = max(LEAST, round(SIZE / side))
    height, width, _ = image.shape
    across, down = (round(side * cell * n / max(height, width)) for n in (width, height))
    method = Image.Resampling.NEAREST if across >= width else Image.Resampling.LANCZOS
    canvas = Image.fromarray(image).resize((max(across, 1), max(down, 1)), method)
    strong = set(one.regions[one.strong()].tolist())
    for region, number in sorted(one.boxes.items(), key=lambda box: box[0] in strong):
        _draw_box(canvas, region, side, number, region in strong, one.window)
    return np.asarray(canvas)


def require_picture(image: np.ndarray) -> np.ndarray:
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        raise TypeError(f"image of {pixels.dtype}: expected uint8, 0 to 255")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"image of shape {pixels.shape}: expected (H, W, 3), in colour")
    return np.ascontiguousarray(pixels)


def _draw_box(
    canvas: Image.Image, region: int, side: int, number: int, strong: bool, window: int
) -> None:
    """Black and white lines, to be seen on any ground; the number in the region's own cell."""
    pen, frame = ImageDraw.Draw(canvas), _THICK if strong else _THIN
    if strong or window == 1:
        x, y, right, bottom = _box(region, side, *canvas.size, window // 2)
        for inset, colour in enumerate(frame):
            if 2 * inset <= min(right - x, bottom - y):
                pen.rectangle((x + inset, y + inset, right - inset, bottom - inset), outline=colour)
    x, y, right, _ = _box(region, side, *canvas.size, 0)
    inset = len(frame) if window == 1 else 0
    font = ImageFont.load_default(size=min(max((right - x) * 0.4, 11), 20))
    corner = (x + inset + 2, y + inset)
    wide, tall = pen.textbbox(corner, str(number), font=font)[2:]
    pen.rectangle((x + inset, y + inset, wide + 2, tall + 2), fill=_BLACK)
    pen.text(corner, str(number), fill=_WHITE, font=font)


def _box(region: int, side: int, width: int, height: int, around: int) -> tuple[int, int, int, int]:
    """The first and the last pixels, across and down, of a cell with those `around` it."""
    row, column = divmod(region, side)
    low = [max(0, place - around) for place in (column, row)]
    high = [min(side, place + around + 1) for place in (column, row)]
    return (
        round(low[0] * width / side),
        round(low[1] * height / side),
        round(high[0] * width / side) - 1,
        round(high[1] * height / side) - 1,
    )


def _sentence(one: Alignment) -> str:
    """The sentence, its runs framed, each with the number of its box."""
    return tag("p", *(tag("span", run, style=_RUN) + " " for run in _runs(one)), style="margin:0")


def _runs(one: Alignment) -> list[str]:
    boxes, strong = one.boxes, one.strong()
    return [
        " ".join(_word(one.words[t], strong[t]) for t in run)
        + f" [{boxes[int(one.regions[run[0]])]}]"
        for run in one.runs()
    ]


def _word(word: str, strong: bool) -> str:
    return tag("b", escaped(word)) if strong else escaped(word)


def _table(one: Alignment) -> str:
    names = (("word", _CELL), ("score", _NUMBER), ("box", _NUMBER), ("where", _CELL))
    head = "".join(tag("th", name, scope="col", style=style) for name, style in names)
    rows = "".join(_row(one, t, run) for run in one.runs() for t in run)
    total = tag("th", "sum", scope="row", style=_CELL)
    total += tag("td", tag("b", signed(one.word_scores.sum())), style=_NUMBER)
    note = "Bold: at least half of the highest score; their boxes are thick."
    return tag(
        "table",
        tag("caption", note, style=_NOTE),
        tag("thead", tag("tr", head)),
        tag("tbody", rows),
        tag("tfoot", tag("tr", total, tag("td", colspan=2))),
        style=_TABLE,
    )


def _row(one: Alignment, t: int, run: list[int]) -> str:
    """A word's row; the first of a run has the box of all."""
    strong, region = one.strong()[t], int(one.regions[t])
    cells = tag("th", _word(one.words[t], strong), scope="row", style=_CELL)
    cells += tag("td", _word(signed(one.word_scores[t]), strong), style=_NUMBER)
    if t != run[0]:
        return tag("tr", cells)
    cells += tag("td", str(one.boxes[region]), rowspan=len(run), style=_NUMBER)
    cells += tag("td", escaped(one.place(region)), rowspan=len(run), style=_CELL)
    return tag("tr", cells, style=_FIRST)


def _lines(one: Alignment) -> list[str]:
    """The same in lines of text, one a run."""
    lines = []
    for run in one.runs():
        region = int(one.regions[run[0]])
        told = ", ".join(f"{one.words[t]} {signed(one.word_scores[t])}" for t in run)
        lines.append(f"- [{one.boxes[region]}] {one.place(region)}: {told}")
    return [*lines, f"sum {signed(one.word_scores.sum())}"]


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}{'e' * name.endswith('x')}s"
