"""Rows of small pictures, each row with a label: crops, activation maps, patches."""

from collections.abc import Mapping, Sequence

import numpy as np

from cs_caption.viz.figure import View, show_figure
from cs_caption.viz.matrix import NEGATIVE, POSITIVE

TILE, GAP = 64, 4  # pixels
LABEL, HEAD = 1.9, 0.2  # inches


def show_grid(
    rows: Mapping[str, Sequence[np.ndarray]],
    columns: Sequence[str] = (),
    *,
    alt: str,
    tile: float = 0.62,
) -> View:
    """Draw rows of pictures in one figure; `columns` stand above the first row.

    Shapes: a row is a sequence of uint8 (h, w, 3), or of float maps (h, w), which are drawn in
    shades: white is 0, blue positive, orange negative, the deepest colour the row's largest.
    `tile` is the width of a picture in inches.
    Raises: ValueError where there is no picture, a picture has another shape or `alt` is empty.
    """
    from matplotlib.figure import Figure

    strips = {label: _strip(label, pictures) for label, pictures in rows.items()}
    if not strips:
        raise ValueError("no rows: give at least one label with its pictures")
    widest = max(strip.shape[1] for strip in strips.values())
    head = HEAD if columns else 0.0
    width, height = LABEL + tile * widest / TILE, tile * len(strips) + head
    figure = Figure(figsize=(width, height))
    for row, (label, strip) in enumerate(strips.items()):
        top = 1 - (head + tile * row) / height
        box = (LABEL / width, top - 0.94 * tile / height, 1 - LABEL / width, 0.94 * tile / height)
        axes = figure.add_axes(box)
        axes.imshow(strip, interpolation="nearest", aspect="equal")
        axes.set(xlim=(-0.5, widest - 0.5), anchor="W")
        axes.axis("off")
        figure.text(box[0] - 0.06 / width, box[1] + box[3] / 2, label, ha="right", va="center")
    for place, name in enumerate(columns):
        middle = place * (TILE + GAP) + TILE / 2
        figure.axes[0].text(middle, -GAP, name, ha="center", va="bottom", fontsize=8)
    return show_figure(figure, alt)


def shades(maps: np.ndarray) -> np.ndarray:
    """Return maps (..., h, w) in shades, uint8 (..., h, w, 3): white is 0, blue positive, orange
    negative, the deepest colour the largest of all."""
    largest = float(np.max(np.abs(maps), initial=0.0)) or 1.0
    share = (np.abs(maps) / largest)[..., None]
    deepest = np.where((maps > 0)[..., None], POSITIVE, NEGATIVE)
    return (255 + (deepest - 255) * share).round().astype(np.uint8)


def _strip(label: str, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """One row as a single picture: tiles of one height with white between them."""
    if not len(pictures):
        raise ValueError(f"row {label!r} has no pictures")
    if any(picture.ndim not in (2, 3) for picture in pictures):
        shapes = {picture.shape for picture in pictures}
        raise ValueError(f"row {label!r}: pictures of shape {shapes}, expected (h, w) or (h, w, 3)")
    if pictures[0].ndim == 2:
        pictures = shades(np.stack(pictures))
    tiles = [_enlarged(picture) for picture in pictures]
    gap = np.full((TILE, GAP, 3), 255, np.uint8)
    return np.concatenate([part for tile in tiles for part in (tile, gap)][:-1], axis=1)


def _enlarged(picture: np.ndarray) -> np.ndarray:
    rows, columns = (np.arange(TILE) * side // TILE for side in picture.shape[:2])
    return picture[rows][:, columns]
