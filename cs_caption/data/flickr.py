"""Flickr8k and Flickr30k as they are given away: token files, lists of names, a folder of JPEGs."""

from collections.abc import Callable
from pathlib import Path

from cs_caption.data.karpathy import PLACES
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

FLICKR8K, FLICKR30K = "Flickr8k.token.txt", "results_20130124.token"
_LISTS_8K = {
    "train": "Flickr_8k.trainImages.txt",
    "val": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}
_LISTS_30K = {split: f"{split}.txt" for split in SPLITS}  # as Flickr30k Entities has them


def token_file(folder: Path, name: str) -> Path | None:
    """Where the captions are: in the folder itself, or as they lie in the archive."""
    places = (folder, folder / "Flickr8k_text", folder / "flickr30k")
    return next((place / name for place in places if (place / name).is_file()), None)


def read_flickr8k(folder: Path) -> Listing:
    """Flickr8k; its lists name 6,000, 1,000 and 1,000 of the 8,091 pictures, dev being "val"."""
    return _read(folder, "flickr8k", FLICKR8K, _LISTS_8K, lambda name: name)


def read_flickr30k(folder: Path) -> Listing:
    """Flickr30k; train.txt, val.txt and test.txt of Flickr30k Entities give numbers, not names."""
    return _read(folder, "flickr30k", FLICKR30K, _LISTS_30K, _jpeg)


def _jpeg(name: str) -> str:
    return name if name.endswith(".jpg") else f"{name}.jpg"


def _read(
    folder: Path, kind: str, name: str, lists: dict[str, str], full: Callable[[str], str]
) -> Listing:
    listing, shelf, tokens = Listing(kind, folder), Shelf(folder), token_file(folder, name)
    captions = _captions(listing, tokens)
    places = dict.fromkeys((tokens.parent, folder))
    found = {
        split: path
        for split, name in lists.items()
        if (path := next((p / name for p in places if (p / name).is_file()), None))
    }
    if found:
        rows = [(full(one), split) for split, path in found.items() for one in _names(path)]
        rest = captions.keys() - {one for one, _ in rows}
        rows += [(one, "") for one in captions if one in rest]
    else:
        splits = split_by_name(captions)
        rows = [(one, splits[one]) for one in captions]
        listing.notes.append(SPLIT_NOTE)
    for one, split in rows:
        file = shelf.find(*(f"{place}/{one}" for place in PLACES))
        listing.entries.append(Entry(one, one, file, split, tuple(captions.get(one, ()))))
    listing.idle = shelf.idle()
    return listing


def _captions(listing: Listing, path: Path) -> dict[str, list[str]]:
    """Lines of name#number, a tab, a caption."""
    captions: dict[str, list[str]] = {}
    # Not splitlines: a caption may hold U+2028 or the like, which shifts all that follow.
    for number, line in enumerate(read_text(path).replace("\r\n", "\n").split("\n"), 1):
        if not line.strip():
            continue
        key, tab, caption = line.partition("\t")
        name, mark, index = key.rpartition("#")
        if not (tab and mark and index.strip().isdecimal()):
            why = "expected name#number, a tab, a caption"
            listing.faults.append(Fault("line", "", f"{path.name}, line {number}", why))
            continue
        captions.setdefault(name.strip(), []).append(tokenise(caption))
    return captions


def _names(path: Path) -> list[str]:
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]
