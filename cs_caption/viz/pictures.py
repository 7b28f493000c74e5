"""Small pictures side by side, each with its words below it."""

from collections.abc import Sequence

import numpy as np

from cs_caption.viz.figure import View, require_alt
from cs_caption.viz.html import escaped, picture, png_uri, tag

# Boxes that wrap; image-rendering is inherited, so that each pixel stays a square.
ROW = "display:flex;flex-wrap:wrap;gap:1em;margin:.5em 0;image-rendering:pixelated"


def show_pictures(
    images: np.ndarray, captions: Sequence[str], *, alt: str, size: int = 128
) -> View:
    """Pictures `size` pixels high, in a row that wraps, each above its caption.

    Shapes: images uint8 (n, H, W, 3) or (n, H, W), or float (n, H, W) from 0 (black) to 1 (white).
    `alt` says what all of them show; each picture's own words are its caption and its place.
    Raises: ValueError for another shape, for floats beyond 0 and 1, for other than n captions,
    or where `alt` is empty; TypeError for other numbers.
    """
    require_alt(alt)
    pixels = _bytes(np.asarray(images))
    if len(captions) != len(pixels):
        raise ValueError(f"{len(captions)} captions for {len(pixels)} pictures: give one for each")
    boxes = "".join(
        _box(one, caption, f"Picture {i} of {len(pixels)}: {caption}", size)
        for i, (one, caption) in enumerate(zip(pixels, captions, strict=True), start=1)
    )
    html = tag("div", boxes, role="group", aria_label=alt, style=ROW)
    return View(html, "\n".join([alt, *(f"- {caption}" for caption in captions)]))


def _bytes(images: np.ndarray) -> np.ndarray:
    grey, coloured = images.ndim == 3, images.ndim == 4 and images.shape[3] == 3
    if not (grey or coloured):
        raise ValueError(f"images of shape {images.shape}: expected (n, H, W, 3) or (n, H, W)")
    if images.dtype == np.uint8:
        return images
    if coloured or not np.issubdtype(images.dtype, np.floating):
        raise TypeError(f"images of {images.dtype}: expected uint8, or floats (n, H, W) for grey")
    if not np.all((images >= 0) & (images <= 1)):
        raise ValueError("grey floats run from 0 (black) to 1 (white): scale yours to that range")
    return np.rint(255 * images).astype(np.uint8)


def _box(pixels: np.ndarray, caption: str, alt: str, size: int) -> str:
    height, width = pixels.shape[:2]
    shown = round(size * width / height)
    drawn = picture(png_uri(np.ascontiguousarray(pixels)), alt, shown, size)
    words = tag("figcaption", escaped(caption), style="white-space:pre-wrap;font-size:90%")
    return tag("figure", drawn, words, style=f"margin:0;width:{max(shown, 128)}px")
