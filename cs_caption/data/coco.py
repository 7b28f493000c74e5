"""COCO captions: annotations/captions_train2017.json and its like, pictures in train2017/, ..."""

import re
from collections import Counter, defaultdict
from pathlib import Path

from cs_caption.data.listing import SPLITS, Entry, Fault, Listing, Shelf, read_json
from cs_caption.data.tokens import tokenise

_NAME = re.compile(rf"captions_({'|'.join(SPLITS)})(\w*)\.json")


def years(folder: Path) -> list[str]:
    """The releases whose captions are there: "2014", "2017", or "" for a name without a year."""
    return sorted({year for _, year in _files(folder)})


def read_coco(folder: Path, year: str) -> Listing:
    """The official captions of one release; a picture's id is COCO's number.

    Raises: ValueError where a file is not of this format.
    """
    listing, shelf = Listing(f"coco{year}", folder), Shelf(folder)
    for split in SPLITS:
        if (split, year) in (files := _files(folder)):
            _read_split(listing, shelf, files[split, year], split, year)
    listing.idle = shelf.idle()
    return listing


def _files(folder: Path) -> dict[tuple[str, str], Path]:
    places = (folder, folder / "annotations")
    found = [path for place in places if place.is_dir() for path in sorted(place.iterdir())]
    named = [(match, path) for path in found if (match := _NAME.fullmatch(path.name))]
    return {(match[1], match[2]): path for match, path in named}


def _read_split(listing: Listing, shelf: Shelf, path: Path, split: str, year: str) -> None:
    content = read_json(path, "images", "annotations")
    captions = _captions(listing, path, split, content["annotations"])
    listed = Counter()
    for record in content["images"]:
        number, name = record.get("id"), record.get("file_name")
        if number is None or not isinstance(name, str) or not name:
            listing.faults.append(
                Fault("line", split, f"{path.name}: {record!r:.60}", "no picture")
            )
            continue
        listed[str(number)] += 1
        places = (f"{split}{year}", f"images/{split}{year}", "images", ".")
        file = shelf.find(*(f"{place}/{name}" for place in places))
        name = f"{split}{year}/{name}"
        said = tuple(captions.get(str(number), ()))
        listing.entries.append(Entry(str(number), name, file, split, said))
    for number, said in captions.items():
        if number not in listed:
            what = f"{path.name}: image_id {number}"
            listing.faults.append(Fault("orphan", split, what, f"{len(said)} captions"))


def _captions(listing: Listing, path: Path, split: str, records: list) -> dict[str, list[str]]:
    """What is said of each picture, by its number, in the order of the file."""
    captions: dict[str, list[str]] = defaultdict(list)
    for record in records:
        number, caption = record.get("image_id"), record.get("caption")
        if number is None or not isinstance(caption, str):
            listing.faults.append(
                Fault("line", split, f"{path.name}: {record!r:.60}", "no caption")
            )
        else:
            captions[str(number)].append(tokenise(caption))
    return captions
