"""What is wrong with a folder of captioned pictures, before a model learns from it."""

import hashlib
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from cs_caption.data.kinds import read_listing
from cs_caption.data.listing import FAULTS, LONGEST, SPLITS, Entry, Fault, Listing, shorten
from cs_caption.data.photos import in_threads
from cs_caption.data.pictures import SIZE, read_picture

SMALLEST = 16  # pixels a side
CHUNK = 1000  # pictures between two lines of progress
ENDS = 4096  # bytes: what tells most files of equal length apart
OFFICIAL = {
    "coco2014": {"train": 82_783, "val": 40_504},
    "coco2017": {"train": 118_287, "val": 5_000},
    "flickr8k": {"train": 6_000, "val": 1_000, "test": 1_000},
    "flickr30k": {"train": 29_783, "val": 1_000, "test": 1_000},
    "dataset_coco": {"train": 113_287, "val": 5_000, "test": 5_000},
    "dataset_flickr8k": {"train": 6_000, "val": 1_000, "test": 1_000},
    "dataset_flickr30k": {"train": 29_000, "val": 1_014, "test": 1_000},
}
WITHOUT_RESTVAL = 82_783

Report = Callable[[str], Any]


@dataclass(frozen=True)
class DataReport:
    """What there is, by split (pictures, captions), what is wrong, and what is worth knowing.

    `whole` says whether every picture was read to its last byte.
    """

    kind: str
    folder: Path
    splits: dict[str, tuple[int, int]]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    whole: bool

    @property
    def ok(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        lines = [f"{self.folder}: {self.kind}"]
        for split, (pictures, captions) in self.splits.items():
            lines.append(f"  {split:5s} {pictures:9,} pictures {captions:9,} captions")
        lines += [f"note: {note}" for note in self.notes]
        lines += fault_lines(self.faults)
        if self.ok:
            read = "every picture was read" if self.whole else "no picture was read to its end"
            lines.append(f"nothing is wrong ({read})")
        return "\n".join(lines)


def check_captions(
    folder: str | Path,
    *,
    kind: str | None = None,
    whole: bool = True,
    report: Report | None = None,
) -> DataReport:
    """Examine a folder of captioned pictures, all its splits.

    With `whole` every picture is decoded to its end; else only its header is read. Two files are
    the same picture where their bytes are the same.

    Raises: as `open_captions`, but for what is merely wrong with some of its pictures.
    """
    listing = read_listing(folder, kind)
    look = read_whole if whole else read_no_more
    faults = listing.faults + list_faults(listing)
    faults += picture_faults(listing, look, [e for e in SPLITS if e in listing.splits], report)
    again, leaks = same_pictures(listing)
    return DataReport(
        listing.kind,
        listing.folder,
        sizes(listing),
        tuple(faults + leaks),
        (*listing.notes, *again, *notes_of(listing)),
        whole,
    )


def sizes(listing: Listing) -> dict[str, tuple[int, int]]:
    """Pictures and captions of each split."""
    captions = Counter()
    for entry in listing.entries:
        captions[entry.split] += len(entry.captions)
    return {split: (count, captions[split]) for split, count in listing.splits.items()}


def fault_lines(faults: Iterable[Fault]) -> list[str]:
    """A line a kind of fault, with how often it occurs and the first few."""
    kinds: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        kinds[fault.kind].append(fault)
    return [
        f"wrong: {len(kinds[kind]):,} {name}: {shorten([_one(f) for f in kinds[kind]])}"
        for kind, name in FAULTS.items()
        if kind in kinds
    ]


def _one(fault: Fault) -> str:
    return f"{fault.what} ({fault.why})" if fault.why else fault.what


# What the list alone shows.


def list_faults(listing: Listing) -> list[Fault]:
    """Pictures without captions or listed twice, ids in two splits, empty and endless captions."""
    faults: list[Fault] = []
    for place, entry in enumerate(listing.entries):
        if entry.split:
            faults += _caption_faults(place, entry)
    return faults + _listed_twice(listing)


def _caption_faults(place: int, entry: Entry) -> list[Fault]:
    faults = []
    for which, caption in enumerate(entry.captions):
        words = len(caption.split())
        if not 0 < words <= LONGEST:
            kind, why = ("long", f"{words} words") if words else ("empty", "")
            what = f"{entry.name}, caption {which + 1}"
            faults.append(Fault(kind, entry.split, what, why, place, which))
    if len(faults) == len(entry.captions):
        faults.append(Fault("silent", entry.split, entry.name, "", place))
    return faults


def _listed_twice(listing: Listing) -> list[Fault]:
    """The same id, or the same file, a second time; between splits that is a leak."""
    faults = []
    for name in ("id", "file"):
        places = _grouped(
            lambda place, name=name: (
                listing.entries[place].split and getattr(listing.entries[place], name)
            ),
            range(len(listing.entries)),
        )
        for group in places:
            faults += _again(listing, group, f"the same {name} as ")
    # A file is told of once, whether its id or its name or both are there again.
    return list({fault.entry: fault for fault in reversed(faults)}.values())[::-1]


def _again(listing: Listing, group: Sequence[int], why: str) -> list[Fault]:
    """All but one of a group: the one that stays is held out the longest, the first of these."""
    rank = {split: -place for place, split in enumerate(SPLITS)}
    stays, *others = sorted(group, key=lambda place: rank[listing.entries[place].split])
    kept, faults = listing.entries[stays], []
    for place in others:
        entry = listing.entries[place]
        kind = "twice" if entry.split == kept.split else "leak"
        what = f"{entry.name} in {entry.split}"
        other = f"{why}{kept.name} in {kept.split}"
        faults.append(Fault(kind, entry.split, what, other, place))
    return faults


# What the files show.


def picture_faults(
    listing: Listing,
    look: Callable[[int, Path], object],
    splits: Sequence[str],
    report: Report | None = None,
) -> list[Fault]:
    """Pictures that are missing, too small, or that `look(place, file)` finds unreadable."""
    chosen = [place for place, entry in enumerate(listing.entries) if entry.split in splits]
    faults = []
    for first in range(0, len(chosen), CHUNK):
        some = chosen[first : first + CHUNK]
        found = in_threads(lambda place: _picture_fault(listing, place, look), some)
        faults += [fault for fault in found if fault]
        if report and len(chosen) > CHUNK:
            report(f"looked at {first + len(some):,} of {len(chosen):,} pictures")
    return faults


def _picture_fault(listing: Listing, place: int, look: Callable) -> Fault | None:
    entry = listing.entries[place]
    if entry.file is None:
        return Fault("missing", entry.split, entry.name, "", place)
    try:
        width, height = _measured(entry.file)
        look(place, entry.file)
    except (OSError, ValueError) as error:
        why = str(error).removeprefix(f"{entry.file}").lstrip(": ")
        return Fault("unreadable", entry.split, entry.name, why, place)
    if min(width, height) < SMALLEST:
        return Fault("small", entry.split, entry.name, f"{width}x{height} pixels", place)
    return None


def _measured(file: Path) -> tuple[int, int]:
    """Width and height as the header says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file) as picture:
            return picture.size


def read_whole(place: int, file: Path) -> None:
    """A `look` that decodes the picture to its end."""
    read_picture(file, SIZE)


def read_no_more(place: int, file: Path) -> None:
    """A `look` that leaves it at the header."""


def same_pictures(listing: Listing) -> tuple[list[str], list[Fault]]:
    """A note on files that are the same within a split, and a fault for each in two splits."""
    places: dict[Path, int] = {}
    for place, entry in enumerate(listing.entries):
        if entry.split and entry.file is not None:
            places.setdefault(entry.file, place)
    groups = [[places[file] for file in group] for group in _same_files(list(places))]
    found = [fault for group in groups for fault in _again(listing, group, "the same picture as ")]
    twice = [fault.what for fault in found if fault.kind == "twice"]
    notes = [f"{len(twice):,} pictures are there again under other names: {shorten(twice)}"]
    return notes if twice else [], [fault for fault in found if fault.kind == "leak"]


def _same_files(files: Sequence[Path]) -> list[list[Path]]:
    """Groups of files with the same bytes; few files have to be read to their end."""
    groups = [list(files)]
    for key in (_length, _ends, _digest):
        groups = [some for group in groups for some in _grouped(key, group)]
    return groups


def _grouped(key: Callable[[Any], Hashable], things: Iterable) -> list[list]:
    """The things that share a key with another; those whose key is empty are left out."""
    groups = defaultdict(list)
    for thing in things:
        groups[key(thing)].append(thing)
    return [group for value, group in groups.items() if value and len(group) > 1]


def _length(file: Path) -> int:
    return _or_none(lambda: file.stat().st_size) or 0


def _ends(file: Path) -> bytes | None:
    def read() -> bytes:
        with file.open("rb") as handle:
            first = handle.read(ENDS)
            handle.seek(max(0, file.stat().st_size - ENDS))
            return hashlib.sha256(first + handle.read(ENDS)).digest()

    return _or_none(read)


def _digest(file: Path) -> bytes | None:
    def read() -> bytes:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").digest()

    return _or_none(read)


def _or_none(read: Callable[[], Any]) -> Any:
    """None for a file that cannot be read: that is told elsewhere."""
    try:
        return read()
    except OSError:
        return None


# What is worth knowing.


def notes_of(listing: Listing) -> list[str]:
    """Pictures that no line names, listed ones that no split has, and unusual sizes of splits."""
    notes = []
    if listing.idle:
        names = [str(file.relative_to(listing.folder)) for file in listing.idle]
        notes.append(f"{len(names):,} pictures without a caption lie there: {shorten(names)}")
    spare = sum(not entry.split for entry in listing.entries)
    if spare:
        notes.append(f"{spare:,} captioned pictures are in no split, and so in no use")
    return notes + size_notes(listing.source or listing.kind, listing.splits)


def size_notes(source: str, splits: dict[str, int]) -> list[str]:
    """Whether the splits have the sizes that others report results on."""
    official = OFFICIAL.get(source)
    if official is None or splits == official:
        return []
    if source == "dataset_coco" and splits.get("train") == WITHOUT_RESTVAL:
        return [
            "train has 82,783 pictures: restval is missing, with which Karpathy's split has "
            "113,287, and results on the two are not comparable"
        ]
    usual, here = (
        ", ".join(f"{count:,} {split}" for split, count in some.items())
        for some in (official, splits)
    )
    return [f"the whole of it has {usual}; this has {here}"]
