"""Small matrices as coloured tables: numbers that can be read, also by a screen reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from cs_caption.viz.figure import View, require_alt

POSITIVE, NEGATIVE = (0, 90, 160), (190, 80, 0)  # blue and orange: distinct to every kind of eye
CELL = "padding:.35em .6em;text-align:center;min-width:2.2em;font-variant-numeric:tabular-nums"


@dataclass(frozen=True)
class Matrix:
    """A matrix with a title and the names of its rows and columns."""

    title: str
    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]


def show_matrices(*matrices: Matrix, alt: str) -> View:
    """Matrices side by side in one scale of colours; an exact zero is shown as a bare 0.

    Raises: ValueError where names and values do not fit, or `alt` is empty.
    """
    require_alt(alt)
    for matrix in matrices:
        _require_names(matrix)
    values = np.concatenate([np.ravel(matrix.values) for matrix in matrices])
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    tables = "".join(_table(matrix, largest or 1.0) for matrix in matrices)
    style = "display:flex;flex-wrap:wrap;align-items:flex-start;gap:2em;margin:.5em 0"
    html = f'<figure role="group" aria-label="{escape(alt)}" style="{style}">{tables}</figure>'
    return View(html, alt + "\n" + "\n".join(_plain(matrix) for matrix in matrices))


def _require_names(matrix: Matrix) -> None:
    expected = (len(matrix.rows), len(matrix.columns))
    if np.shape(matrix.values) != expected:
        raise ValueError(
            f"{matrix.title!r}: values of shape {np.shape(matrix.values)}, but "
            f"{expected[0]} names of rows and {expected[1]} of columns"
        )


def _table(matrix: Matrix, largest: float) -> str:
    head = "".join(f'<th scope="col" style="{CELL}">{escape(c)}</th>' for c in matrix.columns)
    body = "".join(
        f'<tr><th scope="row" style="{CELL}">{escape(name)}</th>'
        + "".join(_cell(value, largest) for value in row)
        + "</tr>"
        for name, row in zip(matrix.rows, matrix.values, strict=True)
    )
    title = f'<caption style="caption-side:top;text-align:left">{escape(matrix.title)}</caption>'
    return (
        f'<table style="border-collapse:collapse">{title}'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(value: float, largest: float) -> str:
    share = abs(float(value)) / largest if np.isfinite(value) else 0.0
    strongest = POSITIVE if value > 0 else NEGATIVE
    colour = [round(255 + (part - 255) * share) for part in strongest]
    background = f"rgb({','.join(map(str, colour))})"
    ink = _ink(colour) if value else "#666"
    return f'<td style="{CELL};background:{background};color:{ink}">{number(value)}</td>'


def _ink(colour: list[int]) -> str:
    """Black or white, whichever stands out more (relative luminance as WCAG 2 defines it)."""
    linear = [(part / 255) ** 2.2 for part in colour]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000" if luminance > 0.18 else "#fff"


def number(value: float) -> str:
    """A whole number as such, others with two decimals and a true minus sign."""
    if not np.isfinite(value):
        return str(value)
    text = f"{value:.0f}" if value == int(value) else f"{value:.2f}"
    return text.replace("-", "\N{MINUS SIGN}") if value else "0"


def _plain(matrix: Matrix) -> str:
    body = [[number(value) for value in row] for row in matrix.values]
    columns = zip(matrix.columns, *body, strict=True)
    widths = [max(7, 1 + max(map(len, column))) for column in columns]  # a blank between columns
    first = max(4, *map(len, matrix.rows))

    def line(name: str, texts: Sequence[str]) -> str:
        return f"{name:>{first}}" + "".join(f"{t:>{w}}" for t, w in zip(texts, widths, strict=True))

    lines = [line(name, row) for name, row in zip(matrix.rows, body, strict=True)]
    return "\n".join([f"{matrix.title}:", line("", matrix.columns), *lines])
