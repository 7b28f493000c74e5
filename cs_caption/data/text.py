"""Text for a character model: source code that is on every machine, or a file of your own."""

import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
SHORTEST = 10_000  # characters: a tenth of fewer is too little to measure on

# Long-standing modules in plain Python, the same names from Python 3.11 to 3.13.
_TRAINED_ON = (
    "argparse", "ast", "bdb", "calendar", "configparser", "contextlib", "csv", "difflib", "dis",
    "doctest", "enum", "fractions", "ftplib", "functools", "gettext", "gzip", "imaplib", "inspect",
    "ipaddress", "mailbox", "mimetypes", "optparse", "pdb", "pickle", "pickletools", "platform",
    "plistlib", "pprint", "pydoc", "random", "selectors", "shutil", "smtplib", "socket",
    "socketserver", "ssl", "statistics", "subprocess", "tarfile", "tempfile",
)  # fmt: skip
_HELD_OUT = (
    "textwrap", "shlex", "heapq", "cmd", "queue", "string", "poplib", "fileinput", "shelve",
    "tokenize", "timeit", "uuid", "weakref", "warnings", "threading", "traceback",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Text:
    """A text as numbers, in a part to train on and a part held out.

    alphabet: the V characters known; character i has number i. The last of them is the
    replacement for all others, those that are rare in the part to train on among them.
    Shapes: train (n,), held_out (m,), int32 from 0 to V - 1.
    """

    name: str
    alphabet: str
    train: np.ndarray
    held_out: np.ndarray

    def __len__(self) -> int:
        """How many characters both parts have."""
        return len(self.train) + len(self.held_out)

    def __repr__(self) -> str:
        return (
            f"Text {self.name!r}: {len(self.train):,} characters to train on, "
            f"{len(self.held_out):,} held out, {len(self.alphabet)} different ones"
        )

    def encode(self, characters: str) -> np.ndarray:
        """The characters' numbers; one that is not known has that of the replacement."""
        return _numbers(_codes(characters), self.alphabet)

    def decode(self, ids: Iterable[int]) -> str:
        """The characters that the numbers stand for. Takes a list, or an array of one axis.

        Raises: ValueError for a number that stands for no character.
        """
        numbers = ids if isinstance(ids, np.ndarray) else np.array(list(ids), np.intp)
        if numbers.ndim != 1:
            raise ValueError(
                f"ids of shape {numbers.shape}: expected one axis, so decode row by row"
            )
        if numbers.size and (numbers.min() < 0 or numbers.max() >= len(self.alphabet)):
            raise ValueError(
                f"ids from {numbers.min()} to {numbers.max()}: the characters have numbers from 0 "
                f"to {len(self.alphabet) - 1}"
            )
        return "".join(map(self.alphabet.__getitem__, numbers.tolist()))


def standard_library(characters: int = 1_000_000, min_count: int = 5) -> Text:
    """Source code of Python's own standard library: a text that is on every machine.

    The last tenth is held out: other modules than those trained on, by other authors in part.
    A module's text changes a little from one version of Python to the next, and so do the numbers
    measured on it. A character seen fewer than `min_count` times in training becomes the
    replacement.

    Raises: FileNotFoundError where Python has no source beside it; ValueError where fewer
    characters are asked for than a text needs, or more than the modules have.
    """
    if characters < SHORTEST:
        raise _too_few(characters)
    held_out = characters // 10
    parts = _beginning(_TRAINED_ON, characters - held_out), _beginning(_HELD_OUT, held_out)
    return _text("Python's standard library", *parts, min_count)


def text_file(path: str | Path, characters: int | None = None, min_count: int = 5) -> Text:
    """Any text in UTF-8, or its first `characters`; the last tenth is held out.

    A character seen fewer than `min_count` times in training becomes the replacement.

    Raises: FileNotFoundError where there is no file; ValueError where it is no text in UTF-8, or
    where it has or is asked for fewer than 10,000 characters.
    """
    if characters is not None and characters < SHORTEST:
        raise _too_few(characters)
    whole = _read(Path(path))[:characters]
    if len(whole) < SHORTEST:
        raise ValueError(
            f"{path} has {len(whole):,} characters: a model needs {SHORTEST:,} or more to learn "
            "from, so take a longer text"
        )
    cut = len(whole) - len(whole) // 10
    return _text(Path(path).name, whole[:cut], whole[cut:], min_count)


def _too_few(characters: int) -> ValueError:
    return ValueError(f"characters is {characters}: ask for {SHORTEST:,} or more")


def _beginning(modules: Sequence[str], length: int) -> str:
    """The first `length` characters of the modules' source, one module after the other."""
    folder, parts, missing = Path(sysconfig.get_path("stdlib")), [], length
    for module in modules:
        file = folder / f"{module}.py"
        if missing > 0 and file.is_file():
            parts.append(file.read_text(encoding="utf-8")[:missing])
            missing -= len(parts[-1])
    if not parts:
        raise FileNotFoundError(
            f"there is no source of Python's standard library in {folder}: this Python was built "
            "without it. Give a text of your own, text_file('my.txt')"
        )
    if missing > 0:
        raise ValueError(
            f"{length:,} characters asked for in one part of the text, but the modules there have "
            f"{length - missing:,}: ask for fewer in all, or give a longer text by text_file"
        )
    return "".join(parts)


def _read(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check the name and the folder")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give one text file")
    try:
        whole = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: save it as UTF-8 first ({error})") from error
    if "\0" in whole:
        raise ValueError(f"{path} holds null characters, so it is no text: give a text file")
    return whole


def _text(name: str, train: str, held_out: str, min_count: int) -> Text:
    codes = _codes(train)
    counts = np.bincount(codes)
    known = np.flatnonzero((counts >= min_count) & (counts > 0))
    kept = "".join(map(chr, known)).replace(REPLACEMENT, "")
    alphabet = kept + REPLACEMENT
    return Text(name, alphabet, _numbers(codes, alphabet), _numbers(_codes(held_out), alphabet))


def _codes(characters: str) -> np.ndarray:
    """The characters' code points."""
    return np.frombuffer(characters.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.intp)


def _numbers(codes: np.ndarray, alphabet: str) -> np.ndarray:
    places = np.full(0x110000, len(alphabet) - 1, np.int32)
    places[_codes(alphabet)] = np.arange(len(alphabet))
    return places[codes]
