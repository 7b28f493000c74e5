"""What a folder of captioned pictures says it holds, in whatever format it says so."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

SPLITS = ("train", "val", "test")  # from trained on to held out the longest
LONGEST = 100  # words: the longest caption of Flickr30k has fewer
# Where a list has no splits, a tenth each is held out, and never more than this.
MOST_HELD_OUT = 1000

FAULTS = {
    "line": "lines that cannot be understood",
    "missing": "pictures that are named but are not there",
    "unreadable": "pictures that cannot be read",
    "small": "pictures too small to show anything",
    "orphan": "captions of a picture that is not listed",
    "silent": "pictures without a caption",
    "empty": "captions without a word",
    "long": f"captions of more than {LONGEST} words",
    "twice": "ids or files that are listed twice",
    "leak": "pictures that are in two splits",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: its `kind` of FAULTS, the `split` it harms ("" for none or all).

    `entry` is the place in the listing of the picture that is broken, `caption` that of the one
    caption of it that is; both None where nothing listed has to be left out.
    """

    kind: str
    split: str
    what: str
    why: str = ""
    entry: int | None = None
    caption: int | None = None


@dataclass(frozen=True)
class Entry:
    """A listed picture: its file (None: not there), its split ("": in none), its captions."""

    id: str
    name: str
    file: Path | None
    split: str
    captions: tuple[str, ...]


@dataclass
class Listing:
    """The pictures of a folder in the order of the list, and what was found amiss in reading it.

    `source` is the list's own name, where a kind has several; `idle` are pictures that lie there
    and that no line of the list names.
    """

    kind: str
    folder: Path
    source: str = ""
    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    idle: list[Path] = field(default_factory=list)

    @property
    def splits(self) -> dict[str, int]:
        """How many pictures each split has; splits without any are left out."""
        counts = {split: sum(e.split == split for e in self.entries) for split in SPLITS}
        return {split: count for split, count in counts.items() if count}


class Shelf:
    """The picture files under a folder, each directory read once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._names: dict[Path, set[str]] = {}
        self._used: dict[Path, set[str]] = {}

    def find(self, *candidates: str) -> Path | None:
        """The first of the candidates, paths relative to the folder, that is there."""
        for candidate in candidates:
            path = self.folder / candidate
            if path.name in self._in(path.parent):
                self._used.setdefault(path.parent, set()).add(path.name)
                return path
        return None

    def idle(self) -> list[Path]:
        """Pictures that were not asked for, in the directories where some were found."""
        return [
            parent / name
            for parent, used in self._used.items()
            for name in sorted(self._in(parent) - used)
            if is_picture_name(name)
        ]

    def _in(self, parent: Path) -> set[str]:
        if parent not in self._names:
            try:
                with os.scandir(parent) as found:
                    self._names[parent] = {one.name for one in found if not one.is_dir()}
            except (FileNotFoundError, NotADirectoryError):
                self._names[parent] = set()
        return self._names[parent]


def is_picture_name(name: str) -> bool:
    """Whether a file of this name should be a picture that Pillow can read."""
    suffix = os.path.splitext(name)[1].lower()
    return Image.registered_extensions().get(suffix) in Image.OPEN


def read_text(path: Path) -> str:
    """A text in UTF-8, with or without a byte order mark, its line ends as they are.

    Raises: ValueError, naming the file, where it is none; OSError as `open`.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: save it as UTF-8 first ({error})") from error


def read_json(path: Path, *lists: str) -> dict[str, Any]:
    """A JSON object that holds these lists of objects.

    Raises: ValueError, naming the file and what it lacks.
    """
    try:
        content = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON file, or was not copied whole: {error}") from error
    for name in lists:
        rows = content.get(name) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError(f"{path} has no list {name!r} of objects, so it is of another format")
    return content


def split_by_name(names: Iterable[str]) -> dict[str, str]:
    """A split for each name, the same on every machine and whatever the order of the names.

    Names are sorted by their SHA-256; the first tenth, at most 1,000, is "test", as many again
    "val", the rest "train".
    """
    order = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
    held = min(MOST_HELD_OUT, max(len(order) // 10, int(len(order) > 2)))
    return {
        name: "test" if i < held else "val" if i < 2 * held else "train"
        for i, name in enumerate(order)
    }


SPLIT_NOTE = (
    "the list has no splits: a tenth of the pictures (at most 1,000) is test and as many val, "
    "chosen by the SHA-256 of the file's name"
)


def shorten(things: Sequence[str], most: int = 3) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(things) - most:,} more" if len(things) > most else ""
    return ", ".join(things[:most]) + more
