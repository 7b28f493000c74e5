"""What the gates of a network do over a sentence: an explorer without JavaScript.

It stands on <details>, which open by mouse and keyboard even where a front end takes styles away.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np
from PIL import Image

from cs_caption.viz.figure import View, require_alt
from cs_caption.viz.html import escaped, picture, tag
from cs_caption.viz.matrix import NEGATIVE, POSITIVE, number

VISIBLE = {" ": "\N{OPEN BOX}", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d", "\f": "\u240c"}
MOST_LETTERS = 2_000  # coloured ones: as many units are shown as fit
MOST_UNITS = 6
TALL = 320  # pixels of a heat map, about
SHADES = 32  # from white to the deepest colour: no eye tells more, and pictures stay small

_PANEL = "border:1px solid #888;border-radius:6px;padding:.3em .7em;margin:.3em 0"
_SUMMARY = "cursor:pointer;padding:.2em 0"
_SYMBOLS = "font-family:monospace;white-space:nowrap;line-height:1.5"
_ROW = "font-family:monospace;line-height:1.7;letter-spacing:.2em;overflow-wrap:anywhere;color:#000"
_CELL = "display:inline-block;text-align:center;overflow:hidden;text-overflow:ellipsis"


def show_gates(
    symbols: Sequence[str],
    values: Mapping[str, np.ndarray],
    *,
    alt: str,
    units: Sequence[int] | None = None,
) -> View:
    """Gates, memories or states over a sentence: by gate, all units; by unit, all gates.

    symbols: the T characters or words that were read
    values:  by name, (T, H) arrays; one that lies within 0 and 1 has white for 0 and blue for 1,
             any other has orange below 0
    units:   which are shown symbol by symbol; None takes those that change most

    Raises: ValueError where the shapes do not fit, a value is not finite, a unit is not there, or
    `alt` is empty.
    """
    require_alt(alt)
    arrays = {name: np.asarray(value, np.float64) for name, value in values.items()}
    _require_fit(len(symbols), arrays)
    shown = [_visible(symbol) for symbol in symbols]
    chosen = _telling(arrays) if units is None else _known(units, arrays)
    gates = [_gate_panel(name, value, shown) for name, value in arrays.items()]
    rows = [_unit_panel(unit, arrays, shown) for unit in chosen]
    # of the content: two explorers on a page must not close each other's panels
    group = sha256(repr((alt, gates, rows)).encode()).hexdigest()[:12]
    html = (
        _panels("Choose a gate: all its units", gates, f"gates-{group}")
        + _panels("Choose a unit: all its gates", rows, f"units-{group}")
        + _legend()
    )
    box = tag("div", html, role="group", aria_label=alt, style="max-width:100%;margin:.5em 0")
    lines = [f"- {name}: {_in_words(value)}" for name, value in arrays.items()]
    return View(box, "\n".join([alt, *lines]))


def _require_fit(T: int, arrays: Mapping[str, np.ndarray]) -> None:
    if not arrays or not T:
        raise ValueError("nothing to show: give at least one symbol and one named array (T, H)")
    shapes = {value.shape for value in arrays.values()}
    first = next(iter(arrays.values())).shape
    if len(shapes) > 1 or len(first) != 2 or first[0] != T or not first[1]:
        told = ", ".join(f"{name!r} {value.shape}" for name, value in arrays.items())
        raise ValueError(f"{told}: expected (T, H), with T = {T}, the number of symbols, in all")
    for name, value in arrays.items():
        if not np.isfinite(value).all():
            raise ValueError(
                f"{name!r} has values that are not finite: there is no colour for them"
            )


def _known(units: Sequence[int], arrays: Mapping[str, np.ndarray]) -> list[int]:
    H = next(iter(arrays.values())).shape[1]
    for unit in units:
        if not 0 <= unit < H:
            raise ValueError(f"no unit {unit}: they run from 0 to {H - 1}")
    return list(dict.fromkeys(map(int, units)))


def _telling(arrays: Mapping[str, np.ndarray]) -> list[int]:
    """The units that change most over the sentence, each array's changes in shares of its scale."""
    stacked = np.stack([value / _span(value) for value in arrays.values()])
    order = np.argsort(-stacked.std(axis=1).mean(axis=0), kind="stable")
    fit = MOST_LETTERS // (stacked.shape[0] * stacked.shape[1])
    return order[: min(max(fit, 1), MOST_UNITS)].tolist()


# What is drawn.


def _panels(title: str, panels: Sequence[tuple[str, str]], group: str) -> str:
    """Panels of which one is open at a time; the first is open from the start."""
    parts = (
        tag(
            "details",
            tag("summary", summary, style=_SUMMARY),
            content,
            name_=group,
            open=place == 0,
            style=_PANEL,
        )
        for place, (summary, content) in enumerate(panels)
    )
    return tag("p", tag("b", title), style="margin:.6em 0 .2em") + "".join(parts)


def _gate_panel(name: str, value: np.ndarray, shown: Sequence[str]) -> tuple[str, str]:
    T, H = value.shape
    wide = min(max(14, 8 * max(map(len, shown)) + 6), 90)
    tall = int(np.clip(TALL // H, 2, 12))
    cells = "".join(
        tag("span", escaped(symbol), style=f"{_CELL};width:{wide}px") for symbol in shown
    )
    above = tag("div", cells, aria_hidden="true", style=f"{_SYMBOLS};width:{wide * T}px")
    alt = f"{name}, units 0 to {H - 1} down, {T} symbols across: {_in_words(value)}. "
    # Drawn as large as it is shown: front ends have their own mind on how to scale a picture.
    enlarged = _shades(value, value).T.repeat(tall, axis=0).repeat(wide, axis=1)
    words = alt + _extremes(value.mean(axis=1), shown)
    drawn = picture(_png_uri(enlarged), words, wide * T, tall * H)
    fixed = tag("div", above, drawn, style=f"width:{wide * T}px")
    axis = f"Down: units 0 to {H - 1}. Across: the symbols, left to right."
    scroll = tag(
        "div", fixed, tabindex=0, role="region", aria_label=f"Heat map: {name}",
        style="overflow-x:auto;padding:.2em 0",
    )  # fmt: skip
    summary = f"<b>{escaped(name)}</b>: {escaped(_in_words(value))}"
    return summary, scroll + tag("div", axis, style="font-size:85%")


def _unit_panel(
    unit: int, arrays: Mapping[str, np.ndarray], shown: Sequence[str]
) -> tuple[str, str]:
    rows = "".join(_letters(name, value[:, unit], shown) for name, value in arrays.items())
    widest = max(arrays, key=lambda name: np.ptp(arrays[name][:, unit]) / _span(arrays[name]))
    low, high = arrays[widest][:, unit].min(), arrays[widest][:, unit].max()
    summary = (
        f"<b>unit {unit}</b>: {escaped(widest)} changes most, from {number(low)} to {number(high)}"
    )
    return summary, rows


def _letters(name: str, row: np.ndarray, shown: Sequence[str]) -> str:
    """One unit of one gate: the sentence, each symbol on the colour of its value."""
    cells = (
        f'<span title="{number(each)}" style="{_paint(shade)}">{escaped(symbol)}</span>'
        for each, shade, symbol in zip(row, _shades(row, row), shown, strict=True)
    )
    between = " " if max(map(len, shown)) > 1 else ""
    told = f"{name}: from {number(row.min())} to {number(row.max())}. {_extremes(row, shown)}"
    label = tag("div", escaped(name), style="font-size:85%;margin-top:.4em")
    return label + tag("div", between.join(cells), style=_ROW, role="img", aria_label=told)


def _legend() -> str:
    words = ("lowest, below 0", "0", "highest: 1, or the largest there is")
    chip = "color:#000;border:1px solid #888;padding:0 .5em"
    chips = " ".join(
        f'<span style="{chip};{_paint(shade)}">{word}</span>'
        for shade, word in zip((0, SHADES, 2 * SHADES), words, strict=True)
    )
    return tag("div", chips, style="font-size:85%;margin:.5em 0")


def _palette() -> np.ndarray:
    """The colours, uint8 (2 * SHADES + 1, 3): deepest orange, white in the middle, deepest blue."""
    share = np.linspace(-1, 1, 2 * SHADES + 1)[:, None]
    deepest = np.where(share > 0, POSITIVE, NEGATIVE)
    return np.rint(255 + (deepest - 255) * np.abs(share)).astype(np.uint8)


PALETTE = _palette()
# Relative luminance as WCAG 2 defines it: below this, white stands out more than black.
NEEDS_WHITE = (PALETTE / 255) ** 2.2 @ (0.2126, 0.7152, 0.0722) < 0.18


def _shades(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The place of each value in the palette, as the largest of `scale` has the deepest colour."""
    return np.rint(SHADES * (1 + values / _largest(scale))).astype(np.uint8)


def _paint(shade: int) -> str:
    colour = bytes(PALETTE[shade]).hex()
    return f"background-color:#{colour}" + (";color:#fff" if NEEDS_WHITE[shade] else "")


def _png_uri(shades: np.ndarray) -> str:
    """A PNG with a palette: half the size of one without."""
    image, buffer = Image.fromarray(shades), io.BytesIO()
    image.putpalette(PALETTE.tobytes())
    image.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _largest(values: np.ndarray) -> float:
    """The value of the deepest colour: 1, which gates and states keep to, or more for a memory."""
    return max(1.0, float(np.abs(values).max()))


def _span(values: np.ndarray) -> float:
    """From the lowest colour used to the highest: a gate has only the half above 0."""
    return _largest(values) * (1 if values.min() >= 0 else 2)


# What is said.


def _visible(symbol: str) -> str:
    """The symbol with its blanks made visible."""
    return "".join(VISIBLE.get(c, c if c.isprintable() else "\N{MIDDLE DOT}") for c in symbol)


def _in_words(value: np.ndarray) -> str:
    if value.min() < 0 or value.max() > 1:
        return f"from {number(value.min())} to {number(value.max())}, mean {number(value.mean())}"
    high, low = (value > 0.9).mean(), (value < 0.1).mean()
    return f"mean {number(value.mean())}; {high:.0%} above 0.9 and {low:.0%} below 0.1"


def _extremes(row: np.ndarray, shown: Sequence[str]) -> str:
    """Where a row (T,) is highest and lowest."""
    high, low = int(row.argmax()), int(row.argmin())
    return f"Highest at symbol {high + 1}, {shown[high]}; lowest at symbol {low + 1}, {shown[low]}."
