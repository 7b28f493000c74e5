"""What is kept of a graded submission, and the two secrets of a course: where, and in which form.

    judged/ASSIGNMENT/STUDENT.json   a record each, written whole: verdicts, repairs, notes, outputs
    judged/ASSIGNMENT/STUDENT.log    the same for a reader, without the outputs
    .grading_salt                    from which the hidden cases' numbers are drawn; never tracked

A record has the fingerprint of everything that its verdicts follow from: the submission, the
source notebook, the code of checks and grader, the salt and the limits. Where nothing of that has
changed, nothing is graded again.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from nbformat import NotebookNode

import cs_caption
from autograder.progress import plain
from cs_caption.files import whole_file

VERSION = 1
SALT = ".grading_salt"
JUDGING = (
    "enter",
    "far_package",
    "intake",
    "judge",
    "kernel",
    "mending",
    "plan",
    "sandbox",
    "session",
    "shown",
    "unit",
)
_LONGEST_NAME = 200


def new_record(student: str, assignment: str, **found: object) -> dict:
    """A record with what was found; its form is the same whether it could be graded or not."""
    empty = {
        "version": VERSION,
        "student": student,
        "assignment": assignment,
        "fingerprint": "",
        "problem": "",
        "repairs": [],
        "notes": [],
        "seconds": 0.0,
        "kernels": 0,
        "graded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "verdicts": [],
        "cells": [],
        "cells_digest": "",
        "handed_in": "",
        "entered": False,
    }
    unknown = set(found) - set(empty)
    if unknown:
        raise ValueError(f"a record has no {', '.join(sorted(unknown))}")
    return empty | found


def write_record(root: Path, record: Mapping) -> Path:
    """Keep a record, in place of an earlier one of the same submission."""
    path = _path(root, record["assignment"], record["student"])
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(record, ensure_ascii=True), encoding="utf-8")
    with whole_file(path.with_suffix(".log")) as temporary:
        temporary.write_text(as_log(record), encoding="utf-8", errors="backslashreplace")
    return path


def as_log(record: Mapping) -> str:
    """What was done with a submission, line by line; no control character of a student's in it."""
    lines = [
        f"{record['graded_at']} {record['assignment']} of {record['student']}",
        f"{record['seconds']:.1f} s, {record['kernels']} kernel(s), entered: {record['entered']}",
        *(f"mended: {one['where']}: {one['what']}" for one in record["repairs"]),
        *(f"note: {note}" for note in record["notes"]),
    ]
    for verdict in record["verdicts"]:
        earned = f"{verdict['points']:g} of {verdict['max_points']:g} points"
        lines.append(f"{verdict['exercise']}: {earned} ({verdict['seconds']:.2f} s)")
        lines += [f"    {verdict['words']}"] if verdict["words"] else []
        failed = (case for case in verdict["cases"] if not case["passed"])
        for case in failed:
            hidden = " (hidden numbers)" if case["hidden"] else ""
            lines.append(f"    failed: {case['title']}{hidden}: {case['message']}")
    lines += [f"NOT GRADED: {record['problem']}"] if record["problem"] else []
    return "".join(f"{plain(line)}\n" for line in lines)


def read_record(root: Path, assignment: str, student: str) -> dict | None:
    """The record of a submission; None where there is none of this version."""
    return _read(_path(root, assignment, student))


def records(root: Path, assignment: str) -> Iterator[dict]:
    """All records of an assignment, by student."""
    folder = root / "judged" / assignment
    found = (_read(path) for path in folder.glob("*.json"))
    yield from sorted((record for record in found if record), key=lambda r: r["student"])


def salt_of(root: Path) -> str:
    """The course's salt; made, for the owner's eyes alone, where there is none yet."""
    path = root / SALT
    # Made under another name and linked: of two graders that start at once, one wins and no
    # reader finds it half written. An existing one is never replaced: regrades are alike.
    if not path.exists():
        fresh = root / f"{SALT}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(16))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    salt = path.read_text(encoding="ascii").strip()
    if len(salt) < 16:
        raise ValueError(f"{path} holds {len(salt)} characters: at least 16 are needed; delete it")
    return salt


def digest_of(notebook: NotebookNode) -> str:
    """A digest of what would be run and judged: the code cells' sources and grade ids."""
    said = [
        [cell.source, cell.metadata.get("nbgrader", {}).get("grade_id", "")]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    return _digest(json.dumps(said).encode())


def fingerprint(*said: object) -> str:
    """A digest of what a grading follows from: bytes, strings and the like, and our own code."""
    parts = [part if isinstance(part, bytes) else repr(part).encode() for part in said]
    return _digest(code_digest().encode(), *parts)


@cache
def code_digest() -> str:
    """A digest of the sources that a verdict follows from: the package's, and the judging modules'.

    The pages and exports made from verdicts may change without anything being graded again.
    """
    own, package = Path(__file__).parent, Path(cs_caption.__file__).parent
    files = [*(own / f"{name}.py" for name in JUDGING), *sorted(package.rglob("*.py"))]
    named = ((str(path.relative_to(path.parents[1])).encode(), path.read_bytes()) for path in files)
    return _digest(*(part for pair in named for part in pair))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def _read(path: Path) -> dict | None:
    with suppress(FileNotFoundError, ValueError):
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record, dict) and record.get("version") == VERSION:
            return record
    return None


def _path(root: Path, assignment: str, student: str) -> Path:
    name = quote(student, safe="", errors="surrogatepass")
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}-{_digest(name.encode())[:16]}"
    return root / "judged" / assignment / f"{name}.json"
