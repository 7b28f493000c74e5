"""A small table as plain text and as accessible HTML."""

from collections.abc import Sequence
from html import escape

_STYLE = "text-align:left;vertical-align:top;padding:.2em .8em .2em 0;white-space:pre-wrap"


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, wrap: int = 72) -> str:
    """Return the rows under their header, columns lined up; the last column wraps at `wrap`."""
    cells = [list(header)] + [list(row) for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header) - 1)]
    lines = []
    for row in cells:
        left = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        first, *more = _wrapped(row[-1], wrap) or [""]
        lines.append(f"{left}  {first}".rstrip())
        lines.extend(" " * (len(left) + 2) + line for line in more)
    lines.insert(1, "-" * min(100, max(map(len, lines))))
    return "\n".join(lines)


def html_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that a screen reader can follow: a caption, column heads and row heads."""
    head = "".join(f'<th scope="col" style="{_STYLE}">{escape(cell)}</th>' for cell in header)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in rows)
    return (
        f'<table style="border-collapse:collapse"><caption style="{_STYLE};font-weight:bold">'
        f"{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(row: Sequence[str]) -> str:
    first = f'<th scope="row" style="{_STYLE};font-weight:normal">{escape(row[0])}</th>'
    return first + "".join(f'<td style="{_STYLE}">{escape(cell)}</td>' for cell in row[1:])


def _wrapped(text: str, width: int) -> list[str]:
    # textwrap is no help here: it would join the lines that the text has on purpose
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return lines
