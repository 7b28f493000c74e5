"""Pieces of a page that opens from a file: no script, nothing fetched, every picture described."""

import base64
import io
from collections.abc import Iterable
from html import escape

import numpy as np
from PIL import Image


def png_uri(pixels: np.ndarray) -> str:
    """Pixels uint8 (H, W), (H, W, 3) or (H, W, 4) as a data: address of a PNG.

    Raises: TypeError for other than uint8, ValueError for another shape.
    """
    if pixels.dtype != np.uint8:
        raise TypeError(f"pixels of {pixels.dtype}: expected uint8, 0 to 255")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise ValueError(f"pixels of shape {pixels.shape}: expected (H, W), (H, W, 3) or (H, W, 4)")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def tag(name: str, *content: str, **attributes: object) -> str:
    """An element. Content is markup and stands as it is; attribute values are escaped.

    An attribute's trailing underscore is dropped and others become hyphens (class_, aria_label);
    True gives a bare attribute, None or False none.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escaped(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return f"<{name}{written}>{''.join(content)}</{name}>"


def escaped(value: object) -> str:
    """Text for content or for an attribute: captions may hold <, & or quotes."""
    return escape(str(value), quote=True)


def picture(uri: str, alt: str, width: int, height: int, class_: str | None = None) -> str:
    """An image. Raises: ValueError where it is not described."""
    if not alt.strip():
        raise ValueError("alt is empty: say in words what the picture shows")
    kind = f' class="{escaped(class_)}"' if class_ else ""
    size = f' width="{width}" height="{height}"'
    return f'<img src="{escaped(uri)}" alt="{escaped(alt)}"{size}{kind}>'


def table(
    caption: str, head: Iterable[str], rows: Iterable[Iterable[str]], class_: str | None = None
) -> str:
    """A table; caption is text, cells are markup, the first cell of each row is its head."""
    columns = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    body = (
        tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))
        for first, *rest in rows
    )
    title = tag("caption", escaped(caption))
    return tag("table", title, tag("thead", columns), tag("tbody", *body), class_=class_)


def scroll_box(content: str, label: str) -> str:
    """A box that scrolls sideways by itself, by keyboard too, so that the page never does."""
    return tag("div", content, class_="scroll", tabindex=0, role="region", aria_label=label)


class Ids:
    """Hands out ids, each once on a page."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        times = self._given[name] = self._given.get(name, 0) + 1
        return name if times == 1 else f"{name}-{times}"


def page(title: str, style: str, body: str, lang: str = "en") -> str:
    """A whole document; body is markup."""
    return (
        f'<!DOCTYPE html>\n<html lang="{escaped(lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{style}\n</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )
