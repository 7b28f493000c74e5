"""Where a captioner looks as it says each word: an explorer without JavaScript.

It stands on <details>, which open by mouse and keyboard even where a front end takes styles away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import exp, isqrt

import numpy as np
from PIL import Image

from cs_caption.viz.attention import (
    describe_objects,
    require_looks,
    require_square,
    shares,
    strongest_place,
    tell_look,
    veiled,
    where_looked,
)
from cs_caption.viz.figure import View, require_alt
from cs_caption.viz.html import escaped, picture, png_uri, tag
from cs_caption.viz.matrix import number

SIDE = 256  # pixels that the picture takes, about, unless told otherwise
ROUNDING = 1e-3  # by which the logarithm of a probability near 1 may be above 0

_BOX = "position:relative;max-width:44em;margin:.5em 0;image-rendering:pixelated"
_WORD = "display:inline-block;margin:0 .35em .4em 0"
_SUMMARY = "cursor:pointer;padding:.05em .45em;border:1px solid #888;border-radius:4px"
# Light on dark in every front end, as its own colours are not known here.
_STAGE = (
    "display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start;box-sizing:border-box;"
    "padding:.6em;border-radius:6px;background-color:#181a22;color:#f2f2f2"
)
# A word's panel lies over the stage below the sentence. Both have the same parts of the same
# sizes, so that one covers the other whether or not the text wraps below the picture.
_PANEL = f"position:absolute;left:0;right:0;bottom:0;{_STAGE}"
_TOLD = "flex:1 1 14em;height:11em;overflow:auto;line-height:1.5"


def show_attention(
    image: np.ndarray,
    words: Sequence[str],
    maps: np.ndarray,
    *,
    objects: Sequence | None = None,
    alt: str,
    log_probs: Sequence[float] | None = None,
    chosen: int | None = None,
    enlarge: float | None = None,
) -> View:
    """A caption whose words can be chosen: the picture is bright where the model looked for each.

    The strongest cell is framed, and words beside the picture, which are its alt text as well, say
    where the weight lies.

    image:     uint8 (H, H, 3)
    words:     T of them
    maps:      (T, L) weights of the cells of a square grid in reading order, a row a word; they
               are shown in relation to the strongest. Rows after the last word are not looked at
    objects:   the scene's, with .size, .colour, .shape and .mask; None where the truth is unknown
    alt:       what the picture shows, in a sentence, and whose words these are
    log_probs: of each word, or None; those after the last word are not looked at
    chosen:    which word is open from the start, from 0; None: the one with the sharpest look
    enlarge:   how many times as large as it is the picture is drawn; None: about 256 pixels

    Raises: ValueError where the shapes do not fit, weights are negative, not finite or all 0,
    log_probs are none, there is no word `chosen`, or `alt` is empty; TypeError for words in one
    string, or a picture of other than uint8.
    """
    require_alt(alt)
    if isinstance(words, str):
        raise TypeError(f"words is the string {words!r:.60}: give a list, as from .split()")
    image, weights = require_square(image), require_looks(maps, len(words))
    costs = _require_log_probs(log_probs, len(words))
    scale = _cell_pixels(len(image), weights.shape[1], enlarge)
    looks = [
        _Look(word, row, log_prob, objects)
        for word, row, log_prob in zip(words, weights, costs, strict=True)
    ]
    lines = [f"- {look.line()}" for look in looks]
    opened = _require_word(chosen, weights)
    return View(_html(image, looks, opened, scale, objects, alt), "\n".join([alt, *lines]))


@dataclass(frozen=True, eq=False)
class _Look:
    """One word, where the model looked for it, weights (L,), and what is said about that."""

    word: str
    weights: np.ndarray
    log_prob: float | None
    objects: Sequence | None

    def alt(self) -> str:
        return tell_look(self.word, self.weights, self.objects)

    def line(self) -> str:
        """All of it in a line of text."""
        share, target = where_looked(self.weights, self.objects)
        sure = "" if self.log_prob is None else f" (probability {_percent(self.log_prob)})"
        return f"{self.word}{sure}: {share:.0%} on {target}; {self._strongest()}"

    def told(self) -> list[str]:
        """The same in paragraphs of markup, beside the picture."""
        strongest = self._strongest()
        return [
            tag("b", f"“{escaped(self.word)}”") + escaped(self._sure()),
            escaped(self._where()),
            escaped(f"{strongest[0].upper()}{strongest[1:]} of the weight; framed"),
        ]

    def _sure(self) -> str:
        if self.log_prob is None:
            return ""
        exact = number(round(self.log_prob, 2))
        return f", probability {_percent(self.log_prob)} (log-probability {exact})"

    def _where(self) -> str:
        """How much of the weight lies on the object, or on each of several."""
        if not self.objects or len(self.objects) < 2:
            share, target = where_looked(self.weights, self.objects)
            return f"{share:.0%} of the weight on {target}"
        found = shares(self.weights, self.objects)
        listed = ", ".join(f"{name}: {share:.0%}" for share, name in found)
        twice = " (where they meet, for both)" if sum(share for share, _ in found) > 1.005 else ""
        return f"Weight on {listed}{twice}"

    def _strongest(self) -> str:
        return f"strongest cell {strongest_place(self.weights)}, {self.weights.max():.0%}"


# What is taken.


def _require_log_probs(log_probs: Sequence[float] | None, T: int) -> list[float | None]:
    if log_probs is None:
        return [None] * T
    if len(log_probs) < T:
        raise ValueError(f"{len(log_probs)} log_probs for {T} words: give one for each")
    taken = [float(log_prob) for log_prob in log_probs[:T]]
    for log_prob in taken:
        if not log_prob <= ROUNDING:
            raise ValueError(
                f"log_probs has {log_prob:g}: expected the natural logarithm of a probability, 0 "
                "or less"
            )
    return taken


def _require_word(chosen: int | None, weights: np.ndarray) -> int | None:
    """The word that is open from the start; none where there is no word."""
    if chosen is None:
        return int(weights.max(axis=1).argmax()) if len(weights) else None
    if not 0 <= chosen < len(weights):
        raise ValueError(f"chosen is {chosen}: the {len(weights)} words are numbered from 0")
    return chosen


def _cell_pixels(height: int, cells: int, enlarge: float | None) -> int:
    """How many pixels a cell is drawn wide."""
    wide = SIDE if enlarge is None else enlarge * height
    return max(1, round(wide / isqrt(cells)))


# What is drawn.


def _html(
    image: np.ndarray,
    looks: Sequence[_Look],
    opened: int | None,
    scale: int,
    objects: Sequence | None,
    alt: str,
) -> str:
    panels = [_panel(image, look, scale) for look in looks]
    # of the content: two explorers on a page must not close each other's panels
    group = f"looks-{sha256(repr((alt, panels)).encode()).hexdigest()[:12]}"
    sentence = "".join(
        tag(
            "details", tag("summary", escaped(look.word), style=_SUMMARY), panel,
            name_=group, open=t == opened, style=_WORD,
        )
        for t, (look, panel) in enumerate(zip(looks, panels, strict=True))
    )  # fmt: skip
    size = scale * isqrt(looks[0].weights.size) if looks else SIDE
    return tag(
        "div",
        tag("p", _hint(looks), style="font-size:85%;margin:0 0 .5em"),
        tag("div", sentence, role="group", aria_label="The words of the caption"),
        _stage(image, objects, alt, size),
        role="group",
        aria_label=alt,
        style=_BOX,
    )


def _hint(looks: Sequence[_Look]) -> str:
    if not looks:
        return "No word was said, so there is none to choose."
    return (
        "Choose a word, by mouse or with Tab and Enter: the picture is bright where the model "
        "looked as it said it."
    )


def _panel(image: np.ndarray, look: _Look, scale: int) -> str:
    pixels = veiled(image, look.weights, scale)
    drawn = picture(png_uri(pixels), look.alt(), len(pixels), len(pixels))
    told = "".join(tag("div", part) for part in look.told())
    return tag("div", drawn, tag("div", told, style=_TOLD), style=_PANEL)


def _stage(image: np.ndarray, objects: Sequence | None, alt: str, size: int) -> str:
    """The picture as it is, seen where no word is open."""
    words = describe_objects(objects) if objects else alt
    large = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST))
    drawn = picture(png_uri(large), f"The picture as it is: {words}", size, size)
    told = tag("div", escaped(f"The picture as it is: {words}"), style=_TOLD)
    return tag("div", drawn, told, style=_STAGE)


def _percent(log_prob: float) -> str:
    chance = exp(log_prob)
    return f"{chance:.0%}" if chance >= 0.01 else "<1%"
