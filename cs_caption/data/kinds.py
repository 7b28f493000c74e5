"""Which dataset a folder holds."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cs_caption.data import coco, flickr, folder, karpathy
from cs_caption.data.listing import Listing

EXPECTED = """\
expected one of
  annotations/captions_train2017.json (or 2014, val) and the pictures in train2017/, val2017/
  dataset_coco.json, dataset_flickr8k.json or dataset_flickr30k.json (Karpathy's splits)
  Flickr8k.token.txt and the pictures in Flicker8k_Dataset/
  results_20130124.token and the pictures in flickr30k-images/
  captions.csv with the columns file, caption and, if you like, split"""


def read_listing(where: str | Path, kind: str | None = None) -> Listing:
    """What the folder's own list says, its kind recognised where none is given.

    Where there are Karpathy's splits they are taken: they say which part of another list is for
    what. With COCO of both 2014 and 2017 you choose, as most of val2014 is in train2017.

    Raises: FileNotFoundError or NotADirectoryError where there is no such folder; ValueError where
    it holds no such dataset, or several.
    """
    where = Path(where)
    if not where.exists():
        raise FileNotFoundError(f"there is no folder {where}: check the name")
    if not where.is_dir():
        raise NotADirectoryError(f"{where} is a file: give the folder that it lies in")
    there = _readers(where)
    if kind is not None:
        listing = _of_kind(where, kind, there)()
    elif "karpathy" in there or len(there) == 1:
        listing = there.get("karpathy") or next(iter(there.values()))
        listing = listing()
    elif there:
        names = " and ".join(there)
        raise ValueError(f"{where} holds {names}: say which, by kind=... or --kind")
    else:
        raise ValueError(f"{where} holds no captions that can be read: {EXPECTED}")
    others = [name for name in there if name != listing.kind]
    if others:
        listing.notes.append(f"there is {' and '.join(others)} too: ask for it by its kind")
    return listing


def _readers(where: Path) -> dict[str, Callable[[], Listing]]:
    """How each dataset that is there is read, by its kind."""
    found: dict[str, Callable[[], Listing]] = {}
    if karpathy.files(where):
        found["karpathy"] = partial(karpathy.read_karpathy, where)
    for year in coco.years(where):
        found[f"coco{year}"] = partial(coco.read_coco, where, year)
    if flickr.token_file(where, flickr.FLICKR8K):
        found["flickr8k"] = partial(flickr.read_flickr8k, where)
    if flickr.token_file(where, flickr.FLICKR30K):
        found["flickr30k"] = partial(flickr.read_flickr30k, where)
    if folder.table(where):
        found["folder"] = partial(folder.read_folder, where)
    return found


def _of_kind(where: Path, kind: str, there: dict[str, Callable]) -> Callable[[], Listing]:
    if kind in there:
        return there[kind]
    if kind == "coco" and len(years := coco.years(where)) == 1:
        return there[f"coco{years[0]}"]
    names = ", ".join(there) or "none"
    raise ValueError(f"{where} holds no captions of kind {kind!r}; there: {names}. {EXPECTED}")
