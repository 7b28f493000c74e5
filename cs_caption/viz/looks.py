"""Where several models look as they say the same words: a row a model, a column a word."""

from collections.abc import Mapping, Sequence
from math import isqrt

import numpy as np

from cs_caption.viz.attention import (
    require_looks,
    require_square,
    tell_look,
    veiled,
    where_looked,
)
from cs_caption.viz.figure import View, require_alt
from cs_caption.viz.html import escaped, picture, png_uri, tag

SIZE = 80  # pixels that a picture takes, about, unless told otherwise
FINE = 2  # drawn so many times larger, so that the frame is thin and sharp screens have their due
LEAST = 10  # pixels of a cell, or its frame would hide what is in it

_BOX = "overflow-x:auto;margin:.5em 0"  # wide sentences scroll, the page does not
_CELL = "padding:.15em;text-align:center;vertical-align:top;font-weight:normal"
_NOTE = "caption-side:bottom;text-align:left;font-size:85%;padding-top:.3em"


def show_looks(
    image: np.ndarray,
    words: Sequence[str],
    maps: Mapping[str, np.ndarray],
    *,
    objects: Sequence | None = None,
    alt: str,
    size: int = SIZE,
) -> View:
    """A table of pictures, bright where a model looked for a word, the strongest cell framed.

    image:   uint8 (H, H, 3)
    words:   T of them
    maps:    a model's name -> (T, L) weights of the cells of a square grid in reading order, a row
             a word; they are shown in relation to the strongest. Rows after the last word are not
             looked at
    objects: the scene's, with .size, .colour, .shape and .mask; None where the truth is unknown
    alt:     what the picture shows, in a sentence; where the weight lies each picture says itself
    size:    how many pixels wide a picture is shown, about

    Raises: ValueError where the shapes do not fit, weights are negative, not finite or all 0, or
    `alt` is empty; TypeError for words in one string, or a picture of other than uint8.
    """
    require_alt(alt)
    image = require_square(image)
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r:.60}: give a list, as from .split()")
    if not words or not maps:
        raise ValueError(f"{len(words)} words of {len(maps)} models: give at least one of each")
    looks = {
        name: require_looks(some, len(words), f"maps of {name!r}") for name, some in maps.items()
    }
    rows = "".join(_row(name, some, image, words, objects, size) for name, some in looks.items())
    html = tag("table", _note(), _head(words), tag("tbody", rows), style="border-collapse:collapse")
    box = tag("div", html, role="region", aria_label=alt, tabindex=0, style=_BOX)
    lines = (f"{name}: {_told(words, some, objects)}" for name, some in looks.items())
    return View(box, "\n".join([alt, *lines]))


def _note() -> str:
    return tag("caption", "Below each picture: the weight of its strongest cell.", style=_NOTE)


def _head(words: Sequence[str]) -> str:
    cells = "".join(tag("th", escaped(word), scope="col", style=_CELL) for word in words)
    return tag("thead", tag("tr", tag("td"), cells))


def _row(
    name: str,
    maps: np.ndarray,
    image: np.ndarray,
    words: Sequence[str],
    objects: Sequence | None,
    size: int,
) -> str:
    side = isqrt(maps.shape[1])
    scale = max(LEAST, round(size / side))
    tiles = "".join(
        tag("td", _tile(image, word, weights, objects, scale), style=_CELL)
        for word, weights in zip(words, maps, strict=True)
    )
    return tag(
        "tr", tag("th", escaped(name), scope="row", style=f"{_CELL};text-align:right"), tiles
    )


def _tile(
    image: np.ndarray, word: str, weights: np.ndarray, objects: Sequence | None, scale: int
) -> str:
    drawn = png_uri(veiled(image, weights, FINE * scale))
    wide = scale * isqrt(len(weights))
    shown = picture(drawn, tell_look(word, weights, objects), wide, wide)
    # Front ends narrow pictures to their columns, and those to their words: not below this.
    fixed = tag("div", shown, style=f"width:{wide}px")
    return fixed + tag("div", f"{weights.max():.0%}", style="font-size:85%")


def _told(words: Sequence[str], maps: np.ndarray, objects: Sequence | None) -> str:
    """A row in a line of text."""
    parts = []
    for word, weights in zip(words, maps, strict=True):
        share, target = where_looked(weights, objects)
        parts.append(f"{word} ({share:.0%} on {target})")
    return ", ".join(parts)
