"""Real photographs with their captions: COCO, Flickr8k, Flickr30k, Karpathy's splits, a folder."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from cs_caption.data.captioned import CaptionedImages
from cs_caption.data.checker import (
    DataReport,
    Report,
    list_faults,
    notes_of,
    picture_faults,
    read_no_more,
    read_whole,
    same_pictures,
    sizes,
)
from cs_caption.data.kinds import read_listing
from cs_caption.data.listing import SPLITS, Fault, Listing
from cs_caption.data.photos import PictureFiles
from cs_caption.data.pictures import SIZE, read_picture

IN_MEMORY = 512 * 2**20  # bytes: up to so much is read at once and kept


class NoSuchSplit(ValueError):
    """A folder that holds captioned pictures, but none in the split that was asked for."""


def open_captions(
    folder: str | Path,
    split: str = "train",
    *,
    size: int = SIZE,
    kind: str | None = None,
    skip_broken: bool = False,
    lazy: bool | None = None,
    report: Report | None = print,
) -> CaptionedImages:
    """A split of a folder of captioned pictures, cut to squares of `size` pixels a side.

    The kind of folder is recognised: "karpathy", "coco2014", "coco2017", "flickr8k", "flickr30k"
    or "folder" (captions.csv). Pictures that fit in half a gibibyte are read at once. More of
    them, or with `lazy`, are read each time they are used (`PictureFiles`), and only their headers
    here: `check_captions` reads them whole, and so does `skip_broken`, as it must know them all.

    Raises: ValueError, listing what is wrong with the split; with `skip_broken` that is said to
    `report` and left out. FileNotFoundError and ValueError as `read_listing`, and where there is
    no such split or nothing whole in it.
    """
    report = report or (lambda line: None)
    listing = read_listing(folder, kind)
    count = _count(listing, split)
    held = not (count * size * size * 3 > IN_MEMORY if lazy is None else lazy)
    rows = {place: row for row, place in enumerate(_places(listing, split))}
    images = np.empty((count, size, size, 3), np.uint8) if held else None
    look = _keeper(images, rows) if held else read_whole if skip_broken else read_no_more
    faults = _faults(listing, split, picture_faults(listing, look, [split], report))
    if faults:
        found = _report(listing, split, faults, look is not read_no_more)
        _refuse_or_say(found, skip_broken, report)
    elif listing.notes:
        report("\n".join(f"note: {note}" for note in listing.notes))
    kept = _unbroken(listing, faults, split)
    if not kept:
        raise ValueError(f"{folder} has no unbroken picture with a caption in its {split} split")
    entries = [listing.entries[place] for place, _ in kept]
    if not held:
        images = PictureFiles([entry.file for entry in entries], size)
    elif len(kept) < count:
        images = images[[rows[place] for place, _ in kept]]
    return CaptionedImages(images, [said for _, said in kept], [entry.id for entry in entries])


def _count(listing: Listing, split: str) -> int:
    if split not in SPLITS:
        raise ValueError(f"no split is called {split!r}: choose one of {', '.join(SPLITS)}")
    if split not in listing.splits:
        there = ", ".join(listing.splits) or "none"
        raise NoSuchSplit(
            f"{listing.folder} ({listing.kind}) has no split {split!r}; there: {there}"
        )
    return listing.splits[split]


def _places(listing: Listing, split: str) -> list[int]:
    return [place for place, entry in enumerate(listing.entries) if entry.split == split]


def _faults(listing: Listing, split: str, seen: list[Fault]) -> list[Fault]:
    """All that is wrong with this split, and with the list as a whole."""
    found = listing.faults + list_faults(listing) + seen + same_pictures(listing)[1]
    return [fault for fault in found if fault.split in (split, "")]


def _report(listing: Listing, split: str, faults: list[Fault], whole: bool) -> DataReport:
    here = {split: sizes(listing)[split]}
    notes = (*listing.notes, *notes_of(listing))
    return DataReport(listing.kind, listing.folder, here, tuple(faults), notes, whole)


def _refuse_or_say(found: DataReport, skip_broken: bool, report: Report) -> None:
    if skip_broken:
        report(f"{found}\nleft out: what is wrong; all else is taken")
        return
    raise ValueError(
        f"{found}\nmend this, or go on without what is broken: skip_broken=True or --skip-broken"
    )


def _unbroken(
    listing: Listing, faults: Iterable[Fault], split: str
) -> list[tuple[int, tuple[str, ...]]]:
    """The places of the split's unbroken pictures, with their unbroken captions."""
    entries = {fault.entry for fault in faults if fault.caption is None}
    captions = {(fault.entry, fault.caption) for fault in faults}
    return [
        (place, tuple(c for i, c in enumerate(e.captions) if (place, i) not in captions))
        for place, e in enumerate(listing.entries)
        if e.split == split and place not in entries
    ]


def _keeper(images: np.ndarray, rows: dict[int, int]) -> Callable[[int, Path], None]:
    """A `look` for `picture_faults` that keeps what it reads: picture `place` in its row."""

    def look(place: int, file: Path) -> None:
        images[rows[place]] = read_picture(file, images.shape[1])

    return look
