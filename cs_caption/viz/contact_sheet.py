"""Many pictures with their captions on one sheet, to be looked at.

python -m cs_caption.viz.contact_sheet --level rich --split test --out sheet.png
"""

import argparse
import textwrap
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cs_caption.data.scenes import LEVELS, SPLITS, Scenes
from cs_caption.files import whole_file

ZOOM = 4
CELL = 64 * ZOOM
MARGIN = 12
LINE = 14
CHARACTERS = 42  # a line of text under a picture


def contact_sheet(
    scenes: Sequence, path: str | Path, n: int = 48, columns: int = 8, captions: int = 2
) -> None:
    """Write a PNG of the first `n` pictures, enlarged, each above some of its captions.

    Takes `Scenes`, `CaptionedImages` or any sequence of records with `image` and `captions`.
    Raises: ValueError where there is nothing to draw; OSError where `path` cannot be written.
    """
    if min(n, columns, captions, len(scenes)) < 1:
        raise ValueError("a sheet needs at least one picture, one column and one caption")
    shown = list(islice((scenes[index] for index in range(len(scenes))), n))
    texts = [[_wrapped(caption) for caption in one.captions[:captions]] for one in shown]
    columns = min(columns, len(shown))
    heights = [
        max(sum(len(lines) for lines in text) for text in texts[first : first + columns]) * LINE
        for first in range(0, len(shown), columns)
    ]
    height = sum(CELL + tall + 2 * MARGIN for tall in heights) + MARGIN
    sheet = Image.new("RGB", (columns * (CELL + MARGIN) + MARGIN, height), (255, 255, 255))
    for index, (one, text) in enumerate(zip(shown, texts, strict=True)):
        row, column = divmod(index, columns)
        top = MARGIN + sum(CELL + tall + 2 * MARGIN for tall in heights[:row])
        _cell(sheet, one.image, text, MARGIN + column * (CELL + MARGIN), top)
    with whole_file(path) as file:
        sheet.save(file, format="PNG", optimize=True)


def _wrapped(caption: str) -> list[str]:
    return textwrap.wrap(caption, CHARACTERS, initial_indent="- ", subsequent_indent="  ") or [""]


def _cell(sheet: Image.Image, image: np.ndarray, text: list, left: int, top: int) -> None:
    picture = Image.fromarray(image).resize((CELL, CELL), Image.Resampling.NEAREST)
    sheet.paste(picture, (left, top))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((left - 1, top - 1, left + CELL, top + CELL), outline=(120, 120, 120))
    font = ImageFont.load_default()
    for number, line in enumerate(line for lines in text for line in lines):
        place = (left, top + CELL + 4 + number * LINE)
        pen.text(place, line, fill=(20, 20, 20), font=font)


def main(arguments: list[str] | None = None) -> None:
    """Draw the sheet that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m cs_caption.viz.contact_sheet")
    parser.add_argument("--level", choices=LEVELS, default="simple")
    parser.add_argument("--split", choices=list(SPLITS), default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n", type=int, default=48, help="pictures on the sheet (48)")
    parser.add_argument("--columns", type=int, default=8, help="pictures side by side (8)")
    parser.add_argument("--captions", type=int, default=2, help="captions under each (2)")
    parser.add_argument("--out", type=Path, default=Path("contact_sheet.png"), metavar="FILE")
    chosen = parser.parse_args(arguments)
    scenes = Scenes(chosen.split, level=chosen.level, seed=chosen.seed)
    contact_sheet(scenes, chosen.out, chosen.n, chosen.columns, chosen.captions)
    print(f"{min(chosen.n, len(scenes))} pictures of {scenes} are in {chosen.out}")


if __name__ == "__main__":
    main()
