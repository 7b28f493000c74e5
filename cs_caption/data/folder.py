"""A plain folder of pictures with a captions.csv: what anybody can make of photographs."""

import csv
import io
from pathlib import Path

from cs_caption.data.listing import (
    SPLIT_NOTE,
    SPLITS,
    Entry,
    Fault,
    Listing,
    Shelf,
    read_text,
    split_by_name,
)
from cs_caption.data.tokens import tokenise

# captions.txt, "image,caption", pictures in Images/: Flickr8k as Kaggle has it.
NAMES = ("captions.csv", "captions.txt")
PLACES = (".", "images", "Images")
_COLUMNS = {"file": "file", "filename": "file", "image": "file", "caption": "caption"}
_SPLITS = {**{split: split for split in SPLITS}, "valid": "val", "validation": "val", "dev": "val"}


def table(folder: Path) -> Path | None:
    """The file with the captions, None where there is none."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def read_folder(folder: Path) -> Listing:
    """A row a caption; columns file, caption and, if you like, split (train, val or test).

    Several captions of a picture are several rows. Commas, semicolons or tabs part the columns.
    A picture's id is its file's name, relative to the folder.

    Raises: ValueError where the columns are not these.
    """
    path, listing, shelf = table(folder), Listing("folder", folder), Shelf(folder)
    captions, splits = _rows(listing, path)
    if splits is None:
        splits = {name: [split] for name, split in split_by_name(captions).items()}
        listing.notes.append(SPLIT_NOTE)
    for name, said in captions.items():
        file = shelf.find(*(f"{place}/{name}" for place in PLACES))
        # A picture with two splits is listed in both: the checker calls it a leak.
        for split in splits[name]:
            listing.entries.append(Entry(name, name, file, split, tuple(said)))
    listing.idle = shelf.idle()
    return listing


def _rows(listing: Listing, path: Path) -> tuple[dict[str, list[str]], dict[str, list[str]] | None]:
    """The captions and the splits of each file; None for splits where there is no such column."""
    text = read_text(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    columns = [_COLUMNS.get(cell.strip().lower(), cell.strip().lower()) for cell in next(rows, [])]
    if not {"file", "caption"} <= set(columns):
        raise ValueError(
            f"{path} begins with the columns {', '.join(columns) or 'none'}: its first line should "
            "be file,caption or file,caption,split"
        )
    captions, splits = {}, {}
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                _take(listing, f"{path.name}, line {rows.line_num}", columns, row, captions, splits)
    except csv.Error as error:
        raise ValueError(f"{path}, line {rows.line_num}: {error}; mend the quotes there") from error
    return captions, splits if "split" in columns else None


def _take(
    listing: Listing, where: str, columns: list[str], row: list[str], captions: dict, splits: dict
) -> None:
    if columns[-1] == "caption":  # commas in a caption that nobody put quotes around
        row = [*row[: len(columns) - 1], " ".join(row[len(columns) - 1 :])]
    if len(row) != len(columns):
        why = f"{len(row)} cells where the first line has {len(columns)}; put captions in quotes"
        listing.faults.append(Fault("line", "", where, why))
        return
    cells = dict(zip(columns, (cell.strip() for cell in row), strict=True))
    name, split = cells["file"].replace("\\", "/").removeprefix("./"), cells.get("split", "train")
    if not name or split.lower() not in _SPLITS:
        why = f"the split is {split!r}, not {', '.join(SPLITS)}" if name else "no file is named"
        listing.faults.append(Fault("line", "", where, why))
        return
    captions.setdefault(name, []).append(tokenise(cells["caption"]))
    known = splits.setdefault(name, [])
    if _SPLITS[split.lower()] not in known:
        known.append(_SPLITS[split.lower()])


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)
