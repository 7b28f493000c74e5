"""What a student handed in: the notebook's bytes and small files beside it, or why there are none.

Nothing here trusts the folder: links are not followed, only ordinary files are opened, and sizes
and numbers are bounded before anything is read.
"""

import json
import math
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode

from cs_caption.submission.cells import as_cells, cell_name
from cs_caption.submission.pairs import assignment_of, paired, releases

NOTEBOOK_BYTES = 50 * 10**6
FILES_BYTES = 16 * 10**6
FILES = 200
ENTRIES = 5000
DEPTH = 8
CANDIDATES = 12
CELLS = 5000
VALUES = 4 * 10**6  # of the JSON: a million empty lists, 3 MB, take 60 MB of memory
CODE = 10**6  # characters of all code cells together
SANE = re.compile(r"\w[\w .,+=@()&~#-]{0,99}")
# What the far side needs beside Python's own modules: a file of such a name would hide it.
TAKEN = {
    *("autograder", "cs_caption", "matplotlib", "numpy", "PIL", "sitecustomize", "torch"),
    *("torchvision", "usercustomize"),
    # IPython and what it leans on
    *("IPython", "asttokens", "decorator", "executing", "jedi", "matplotlib_inline", "parso"),
    *("pexpect", "prompt_toolkit", "psutil", "ptyprocess", "pure_eval", "pygments", "stack_data"),
    *("traitlets", "typing_extensions", "wcwidth"),
}
NOISE = {"timestamp.txt", "__pycache__", "__MACOSX"}
EXPORTS = {".zip", ".pdf", ".html", ".htm", ".py", ".tar", ".gz", ".7z", ".rar", ".docx", ".txt"}
SEND = "send the .ipynb itself"


@dataclass(frozen=True)
class Intake:
    """A submission as it was found; `problem` is "" if it can be graded.

    `files` are by their path beside the notebook; `notes` say what was renamed or left out.
    """

    student: str
    assignment: str
    notebook: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class _Entry:
    """Something in the folder: its path below it and what `lstat` says."""

    path: PurePosixPath
    mode: int
    size: int

    @property
    def is_notebook(self) -> bool:
        return self.path.suffix.lower() == ".ipynb"

    @property
    def refusal(self) -> str:
        """Why it cannot be the notebook, or ''."""
        if not stat.S_ISREG(self.mode):
            return f"is {_kind(self.mode)}, not a file"
        if self.size == 0:
            return "is empty"
        return "" if self.size <= NOTEBOOK_BYTES else f"is larger than {_mb(NOTEBOOK_BYTES)}"


class _Refused(Exception):
    """Why a submission cannot be graded, in words."""


def take(folder: Path, student: str, assignment: str) -> Intake:
    """Find the notebook in what a student handed in for an assignment, and the files beside it."""
    notes: list[str] = []
    try:
        root = _opened(folder)
        try:
            entries = list(islice(_walk(root, PurePosixPath()), ENTRIES + 1))
            if len(entries) > ENTRIES:
                notes.append(f"more than {ENTRIES} files and folders: not all were looked at")
            chosen = _chosen(root, entries, assignment, notes)
            files = _beside(root, chosen.path, entries, notes)
            return Intake(student, assignment, _read(root, chosen), files, tuple(notes))
        finally:
            os.close(root)
    except _Refused as refused:
        problem = str(refused)
    except OSError as error:
        problem = f"the submission cannot be read ({error.strerror or type(error).__name__})"
    return Intake(student, assignment, notes=tuple(notes), problem=problem)


def parsed(notebook: bytes) -> NotebookNode:
    """The notebook in nbformat 4.5, without outputs, such that nbgrader and nbconvert take it.

    Of its metadata stay the kernel, the language, and of each cell nbgrader's label and the tags.
    The same bytes always give the same notebook, ids included.

    Raises: ValueError in words where it is no notebook.
    """
    content = _loaded(notebook)
    taken: set[str] = set()
    cells = []
    for cell in _raw_cells(content):
        cells.append(_cell(cell, taken))
        taken.add(cells[-1]["id"])
    if sum(len(cell["source"]) for cell in cells if cell["cell_type"] == "code") > CODE:
        raise ValueError(f"its code is longer than {CODE} characters: load data from a file")
    metadata = {"kernelspec": ("name", "display_name"), "language_info": ("name",)}
    given = _dict(content.get("metadata"))
    kept = {
        key: {name: _text(value) for name, value in given[key].items() if isinstance(value, str)}
        for key, needed in metadata.items()
        if all(isinstance(_dict(given.get(key)).get(name), str) for name in needed)
    }
    whole = {"cells": cells, "metadata": kept, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(whole)


# The folder


def _opened(folder: Path) -> int:
    """A handle of the folder, which is neither a link nor anything else."""
    try:
        mode = os.lstat(folder).st_mode
    except FileNotFoundError:
        raise _Refused("nothing was handed in: there is no such folder") from None
    except ValueError as error:
        raise _Refused(f"the folder's name cannot be one ({error})") from None
    if not stat.S_ISDIR(mode):
        raise _Refused(f"what was handed in is {_kind(mode)}, not a folder with the notebook in it")
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _walk(handle: int, above: PurePosixPath) -> Iterator[_Entry]:
    """All that is in a folder and below, in the order of the names; hidden things are passed."""
    with os.scandir(handle) as found:
        listed = sorted((one.name for one in islice(found, ENTRIES + 1)), key=os.fsencode)
    for name in listed:
        if not name.startswith(".") and name not in NOISE:
            about = os.lstat(name, dir_fd=handle)
            yield _Entry(above / name, about.st_mode, about.st_size)
            if stat.S_ISDIR(about.st_mode) and len(above.parts) < DEPTH:
                yield from _below(handle, above / name)


def _below(handle: int, path: PurePosixPath) -> Iterator[_Entry]:
    with suppress(PermissionError):  # what is in there is not handed in
        inner = os.open(path.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
        try:
            yield from _walk(inner, path)
        finally:
            os.close(inner)


def _read(root: int, entry: _Entry) -> bytes:
    """The bytes of an ordinary file below the folder."""
    handles = [root]
    try:
        for part in entry.path.parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            handles.append(os.open(part, flags, dir_fd=handles[-1]))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        with os.fdopen(os.open(entry.path.name, flags, dir_fd=handles[-1]), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _Refused(f"{_shown(entry.path)} is not a file")
            return file.read(entry.size)
    except OSError as error:
        words = f"{_shown(entry.path)} cannot be read ({error.strerror})"
        raise _Refused(words) from None
    finally:
        for handle in handles[1:]:
            os.close(handle)


# Which notebook it is


def _chosen(root: int, entries: list[_Entry], assignment: str, notes: list[str]) -> _Entry:
    """The notebook: by its name, or else the only one that holds the assignment's cells."""
    wanted = f"{assignment}.ipynb"
    right = [entry for entry in entries if entry.path == PurePosixPath(wanted)]
    likely = [e for e in entries if e.is_notebook and not e.refusal]
    refused = [e for e in entries if e.is_notebook and e.refusal and not stat.S_ISDIR(e.mode)]
    if right and right[0] in likely:
        _must_be(root, right[0], assignment)
        return right[0]
    if not likely:
        raise _Refused(_why_none(entries, right or refused, wanted))
    if len(likely) > CANDIDATES:
        raise _Refused(f"there are {len(likely)} notebooks, and none is called {wanted}")
    fitting, reasons = _fitting(root, likely, assignment)
    named = [entry for entry in fitting if entry.path.name == wanted]
    best = named if len(named) == 1 else fitting
    if len(best) == 1:
        instead = f"which {right[0].refusal}" if right else "which is not there"
        notes.append(f"{_shown(best[0].path)} was taken for {wanted}, {instead}")
        return best[0]
    if best:
        raise _Refused(f"which one counts? None is called {wanted}: {_list(best)}")
    raise _Refused(f"there is no {wanted}; {'; '.join(reasons)}")


def _fitting(root: int, likely: list[_Entry], assignment: str) -> tuple[list[_Entry], list[str]]:
    """The notebooks that hold the assignment's cells, each content once; of others, why not."""
    fitting: dict[bytes, _Entry] = {}
    reasons = []
    for entry in sorted(likely, key=lambda e: e.path.name != f"{assignment}.ipynb"):
        try:
            fitting.setdefault(_must_be(root, entry, assignment), entry)
        except _Refused as refused:
            reasons.append(str(refused))
    return list(fitting.values()), reasons


def _must_be(root: int, entry: _Entry, assignment: str) -> bytes:
    """The bytes of a notebook that holds cells of the assignment."""
    notebook = _read(root, entry)
    try:
        cells = as_cells(parsed(notebook).cells)
    except ValueError as error:
        raise _Refused(f"{_shown(entry.path)}: {error}") from None
    known = releases()
    if assignment in known and not any(pair.cell for pair in paired(known[assignment], cells)):
        other = assignment_of(cells, entry.path.name)
        words = f"it is {other}" if other else "it is another notebook, or all its cells are gone"
        raise _Refused(f"{_shown(entry.path)} holds no graded cell of {assignment}: {words}")
    return notebook


def _why_none(entries: list[_Entry], refused: list[_Entry], wanted: str) -> str:
    if not entries:
        return f"the folder is empty: there is no {wanted}"
    if refused:
        return f"{_shown(refused[0].path)} {refused[0].refusal}: {SEND}"
    exports = [e for e in entries if e.path.suffix.lower() in EXPORTS]
    return f"there is no notebook, only {_list(exports or entries)}: {SEND}"


# What lies beside it


def _beside(
    root: int, notebook: PurePosixPath, entries: list[_Entry], notes: list[str]
) -> dict[str, bytes]:
    """The ordinary files beside the notebook and below; what is left out is noted."""
    files: dict[str, bytes] = {}
    left: dict[str, list[_Entry]] = {}
    room = FILES_BYTES
    for entry in entries:
        if entry.path == notebook or stat.S_ISDIR(entry.mode):
            continue
        reason = _left_out(entry, notebook.parent)
        if not reason and (len(files) == FILES or entry.size > room):
            reason = f"at most {FILES} files and {_mb(FILES_BYTES)} come along"
        try:
            content = b"" if reason else _read(root, entry)
        except _Refused:
            reason = "it cannot be read"
        if reason:
            left.setdefault(reason, []).append(entry)
        else:
            files[str(entry.path.relative_to(notebook.parent))] = content
            room -= len(content)
    notes += [f"left out: {_list(some)} ({reason})" for reason, some in left.items()]
    return files


def _left_out(entry: _Entry, folder: PurePosixPath) -> str:
    """Why a file does not come along, or ''."""
    if not stat.S_ISREG(entry.mode):
        return f"it is {_kind(entry.mode)}"
    if entry.is_notebook:
        return "another notebook"
    if not entry.path.is_relative_to(folder):
        return "it is not beside the notebook"
    beside = entry.path.relative_to(folder)
    if len(str(beside)) > 200 or not all(SANE.fullmatch(part) for part in beside.parts):
        return "its name is too long or has strange signs in it"
    package = beside.suffix in (".py", ".pyc", ".so") or "__init__.py" in beside.name
    if package and beside.parts[0].split(".")[0] in TAKEN | sys.stdlib_module_names:
        return "it would hide the module of that name"
    return ""


# The notebook's bytes


def _loaded(notebook: bytes) -> dict:
    if len(notebook) > NOTEBOOK_BYTES:
        raise ValueError(f"it is larger than {_mb(NOTEBOOK_BYTES)}: clear its outputs and save it")
    if sum(map(notebook.count, (b",", b"[", b"{"))) > VALUES:
        raise ValueError(f"it holds more than {VALUES} values: clear its outputs and save it")
    if not notebook.strip():
        raise ValueError(f"it is empty: {SEND}, whole")
    try:
        text = notebook.decode(json.detect_encoding(notebook)).removeprefix("\ufeff")
        content = json.loads(text, parse_constant=lambda name: None, parse_int=float)
    except RecursionError:
        raise ValueError("it is nested too deeply to be a notebook") from None
    except ValueError:
        words = f"it is not JSON: {SEND}, whole, not an export or a link"
        raise ValueError(words) from None
    if not isinstance(content, dict):
        raise ValueError(f"it is not a notebook: {SEND}, not an export or a link")
    major = content.get("nbformat", 4.0)
    if not isinstance(major, float) or major >= 5:
        raise ValueError(
            f"it has the form {str(major)[:10]} of notebooks, and 4 is the newest that can be read"
        )
    return content


def _raw_cells(content: dict) -> list[dict]:
    """The cells; those of the form of before 2015 are made such as they are now."""
    cells = content.get("cells")
    if not isinstance(cells, list):
        sheets = content.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        cells = [c for sheet in sheets for c in _list_of(_dict(sheet).get("cells"))]
        cells = [_of_today(cell) for cell in cells if isinstance(cell, dict)]
    cells = [cell for cell in cells if isinstance(cell, dict)]
    if not cells:
        raise ValueError(f"it has no cells: {SEND}, not an export or a link")
    if len(cells) > CELLS:
        raise ValueError(f"it has {len(cells)} cells, and {CELLS} are the most that can be graded")
    return cells


def _of_today(cell: dict) -> dict:
    kind, source = cell.get("cell_type"), cell.get("source")
    if kind == "heading":
        level = cell.get("level")
        level = int(level) if isinstance(level, float) and 1 <= level <= 6 else 1
        return {**cell, "cell_type": "markdown", "source": f"{'#' * level} {_source(source)}"}
    if kind == "html":
        return {**cell, "cell_type": "markdown"}
    return {**cell, "source": cell.get("input", source)} if kind == "code" else cell


def _cell(cell: dict, taken: set[str]) -> dict:
    given, source = _dict(cell.get("metadata")), _source(cell.get("source"))
    metadata = {"nbgrader": _flat(given["nbgrader"])} if "nbgrader" in given else {}
    tags = [_text(tag) for tag in _list_of(given.get("tags")) if isinstance(tag, str)]
    metadata |= {"tags": list(dict.fromkeys(tags))} if tags else {}
    kind = cell.get("cell_type")
    kind = kind if kind in ("code", "markdown", "raw") else "raw"
    name = cell_name(cell.get("id"), source, taken)
    made = {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
    if kind == "code":
        return {**made, "execution_count": None, "outputs": []}
    pictures = _pictures(_dict(cell.get("attachments")))
    return {**made, "attachments": pictures} if pictures else made


def _pictures(attachments: dict) -> dict:
    """The pictures pasted into a text, by name and kind: an answer may be a drawing."""
    return {
        _text(name): {
            kind: _text(data)
            for kind, data in bundle.items()
            if kind.startswith("image/") and isinstance(data, str)
        }
        for name, bundle in attachments.items()
        if isinstance(bundle, dict)
    }


def _flat(label: object) -> object:
    """A label with plain values alone, numbers as they were written."""
    if isinstance(label, dict):
        nested = (dict, list)
        return {_text(k): None if isinstance(v, nested) else _flat(v) for k, v in label.items()}
    if isinstance(label, list):
        return []
    if isinstance(label, float):
        whole = label.is_integer() and abs(label) < 1e9
        return int(label) if whole else label if math.isfinite(label) else None
    return _text(label) if isinstance(label, str) else label


def _source(source: object) -> str:
    lines = source if isinstance(source, list) else [source]
    return _text("".join(line for line in lines if isinstance(line, str)))


def _text(words: str) -> str:
    """The words as utf-8 can hold them: half a pair of surrogates is replaced."""
    return words.encode(errors="replace").decode()


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _list_of(value: object) -> list:
    return value if isinstance(value, list) else []


# Words


def _kind(mode: int) -> str:
    kinds = {
        stat.S_ISLNK: "a link",
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
        stat.S_ISREG: "a file",
    }
    return next((words for is_so, words in kinds.items() if is_so(mode)), "a device")


def _shown(path: PurePosixPath) -> str:
    """A path that can stand on a line, whatever a student called it."""
    name = str(path)
    name = name if name.isprintable() else ascii(name)
    return name if len(name) <= 80 else f"{name[:50]}...{name[-25:]}"


def _list(entries: list[_Entry]) -> str:
    names = ", ".join(_shown(entry.path) for entry in entries[:5])
    return names + (f" and {len(entries) - 5} more" if len(entries) > 5 else "")


def _mb(size: int) -> str:
    return f"{size / 10**6:g} MB"
