"""Whether what students get gives anything away: solutions, hidden cases, outputs, zoo, salt.

    leaks(root / "solutions", root / "notebooks") -> [] or what was found, a line each

It knows nothing of how a release is made: it reads the authored texts, and every file of a folder.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autograder.mutants import mutants
from autograder.records import SALT

_BEGIN = re.compile(r"#{3}\s*BEGIN\s+(SOLUTION|HIDDEN\s+TESTS)")
_END = re.compile(r"#{3}\s*END\s+(SOLUTION|HIDDEN\s+TESTS)")
_MARKS = re.compile(r"(BEGIN|END)\s+SOLUTION|HIDDEN\s+TESTS")
_COMMENT = re.compile(r"\s+#\s.*")
_NOTEBOOK_KEYS = {"kernelspec", "language_info"}
_CELL_KEYS = {"nbgrader", "tags", "editable", "deletable"}
_LONG = 10  # letters and signs; a shorter line tells nothing


def leaks(source: Path, released: Path) -> list[str]:
    """Return what the files below `released` give away of `source`, the folder of the texts.

    A line of a solution that students are shown elsewhere in the texts gives nothing away.
    Raises: FileNotFoundError where there are no texts, or nothing was released.
    """
    secrets, files = _secrets(source), sorted(p for p in released.rglob("*") if not p.is_dir())
    if not files:
        raise FileNotFoundError(f"{released} holds no file: make the release first")
    found = [f"{path}: {what}" for path in files for what in _in_file(path, secrets)]
    return found + [f"{path}: a file beside a notebook" for path in _beside(files)]


def _secrets(source: Path) -> dict[str, str]:
    """What no released text may hold, squeezed, and what it is."""
    texts = sorted(source.glob("*/*.py"))
    if not texts:
        raise FileNotFoundError(f"{source} holds no NN_topic/NN_topic.py: nothing to compare with")
    inside, outside = {}, []
    for path in texts:
        for line, hidden in _lines(path.read_text(encoding="utf-8")):
            code = _COMMENT.sub("", line)
            if hidden:
                inside[_squeezed(code)] = f"a line between marks of {path.stem}, `{code.strip()}`"
            else:
                outside.append(line)
    shown = _squeezed("\n".join(outside))
    secrets = {k: what for k, what in inside.items() if len(k) > _LONG and k not in shown}
    return secrets | _zoo() | _salt(source.parent / SALT)


def _zoo() -> dict[str, str]:
    names = {mutant.name: f"the wrong answer {mutant.name}" for mutant in mutants()}
    mistakes = {_squeezed(m.mistake): f"what is wrong with {m.name}" for m in mutants()}
    return names | mistakes


def _salt(path: Path) -> dict[str, str]:
    """The salt, where a class has been graded here."""
    return {_squeezed(path.read_text(encoding="ascii")): "the salt"} if path.is_file() else {}


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a text without the marks, and whether each stands between two."""
    hidden = False
    for line in text.splitlines():
        if _BEGIN.search(line) or _END.search(line):
            hidden = bool(_BEGIN.search(line))
        else:
            yield line, hidden


def _squeezed(text: str) -> str:
    """The text without blanks and the signs of comments, and with one kind of quotes."""
    lines = (line.strip().lstrip("#") for line in text.splitlines())
    return "".join("".join(lines).split()).replace("'", '"')


def _in_file(path: Path, secrets: dict[str, str]) -> Iterator[str]:
    if path.is_symlink():
        yield "a link, which may lead anywhere"
        return
    if path.name.startswith(SALT):
        yield "the salt's own file"
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix not in (".ipynb", ".json"):
        yield from _in_text(text, secrets)
        return
    try:
        value = json.loads(text)
    except ValueError as error:
        yield f"cannot be read as JSON: {error}"
        return
    if path.suffix == ".json":
        yield from _in_text("\n".join(_strings(value)), secrets)
    else:
        yield from _in_notebook(value, secrets)


def _in_notebook(notebook: dict, secrets: dict[str, str]) -> Iterator[str]:
    if not {"metadata", "cells"} <= set(notebook):
        yield "is no notebook of format 4"
        return
    for key in sorted(set(notebook["metadata"]) - _NOTEBOOK_KEYS):
        yield f"metadata {key}"
    for number, cell in enumerate(notebook["cells"], 1):
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        where = f"cell {number} ({name})" if name else f"cell {number}"
        yield from (f"{where}: {what}" for what in _in_cell(cell, secrets))


def _in_cell(cell: dict, secrets: dict[str, str]) -> Iterator[str]:
    if cell.get("outputs"):
        yield "an output"
    if cell.get("execution_count") is not None:
        yield "an execution count"
    for key in sorted(set(cell["metadata"]) - _CELL_KEYS):
        yield f"metadata {key}"
    yield from _in_text("\n".join(_strings(cell)), secrets)


def _in_text(text: str, secrets: dict[str, str]) -> Iterator[str]:
    yield from (f"the mark {mark.group()}" for mark in _MARKS.finditer(text))
    squeezed = _squeezed(text)
    yield from (what for secret, what in secrets.items() if secret in squeezed)


def _strings(value: Any) -> Iterator[str]:
    """Every string of a JSON value; a list of nothing else is one text, cut into its lines."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *_strings(item))
    elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        yield "".join(value)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _beside(files: Iterable[Path]) -> list[Path]:
    """The files in a notebook's folder, and below it, that are not the first notebook there."""
    files = list(files)
    homes = {path.parent: path for path in reversed(files) if path.suffix == ".ipynb"}
    return [
        path
        for path in files
        if any(home in path.parents and path != homes[home] for home in homes)
    ]
