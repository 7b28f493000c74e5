"""One run over the submissions of an assignment: what has to be judged, and where results go.

Records are written by one process, and so is the gradebook; a record is written before anything is
done with it, so that a run that is killed costs no judging.
"""

import glob
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.utils import find_all_files

from autograder.course import Course, autograde, feedback
from autograder.intake import Intake, parsed, take
from autograder.judge import Settings
from autograder.late import as_utc
from autograder.plan import Plan
from autograder.progress import Progress
from autograder.records import new_record, read_record, write_record
from autograder.unit import Unit
from autograder.workers import Failure

_NO_PAGE = "no feedback page was written"
STAMP, LONGEST_STAMP = "timestamp.txt", 100


@dataclass(frozen=True)
class Batch:
    """One run over an assignment: what has to be done, and where its results go."""

    course: Course
    plan: Plan
    settings: Settings
    salt: str
    pages: bool
    again: bool
    progress: Progress

    def units(self, names: Iterable[str]) -> Iterator[Unit]:
        """Yield what has to be judged, one at a time; settle at once what has not."""
        supplied = _supplied(self.course, self.plan.assignment)
        for student in names:
            folder = self.course.folder("submitted") / student / self.plan.assignment
            taken = take(folder, student, self.plan.assignment)
            problem = _unnameable(student) or taken.problem
            if problem:
                self.settle(taken, self._record(taken, problem))
                continue
            files = taken.files | supplied
            unit = Unit(replace(taken, files=files), self.plan, self.settings, self.salt)
            record = None if self.again else self._known(unit)
            if record is None:
                yield unit
            elif self._is_whole(taken, record):
                self._page(taken, record)  # a person may have graded by hand since
                self.progress.skipped(student, _outcome(record))
            else:
                self.settle(taken, record)

    def record(self, unit: Unit, found: dict | Failure) -> dict:
        """What was found, as a record in either case."""
        if isinstance(found, Failure):
            return self._record(unit.intake, found.words)
        return found

    def settle(self, taken: Intake, record: dict) -> None:
        """Keep a record, and enter it in the gradebook: the one writer is this process."""
        root = self.course.root
        write_record(root, record)  # before all else: a kill from here on costs no judging
        if not record["problem"]:
            moment, trouble = _handed_in(self.course, taken)
            notes = [note for note in record["notes"] if not note.startswith(STAMP)]
            notes += [trouble] if trouble else []
            record = record | {"notes": notes, "handed_in": moment or trouble}
            try:
                with _staged(self.course, taken) as course:
                    autograde(course, taken.assignment, taken.student, record)
                record = self._page(taken, record | {"entered": True})
            except Exception as error:  # one that breaks stops no other
                record = record | {"problem": f"nbgrader did not take it: {_words(error)}"}
        if record["problem"]:
            earlier = _earlier_points(self.course, taken)
            record = record | {"problem": record["problem"] + earlier}
        write_record(root, record)
        self.progress.finished(taken.student, _outcome(record), record["seconds"])

    def _record(self, taken: Intake, problem: str) -> dict:
        told = [{"where": "the folder", "what": note} for note in taken.notes]
        return new_record(taken.student, taken.assignment, problem=problem, repairs=told)

    def _known(self, unit: Unit) -> dict | None:
        """What was found before, where nothing that it follows from has changed."""
        record = read_record(self.course.root, self.plan.assignment, unit.intake.student)
        same = record and not record["problem"] and record["fingerprint"] == unit.fingerprint
        return record if same else None

    def _is_whole(self, taken: Intake, record: dict) -> bool:
        """Whether the record is in the gradebook as it should be, and all its files are there."""
        moment, trouble = _handed_in(self.course, taken)
        if not record["entered"] or record["handed_in"] != (moment or trouble):
            return False
        folder = self.course.folder("autograded") / record["student"]
        return (folder / self.plan.assignment).is_dir()

    def _page(self, taken: Intake, record: dict) -> dict:
        """Write the student's page, if pages are asked for; a page that fails costs no grade."""
        notes = [note for note in record["notes"] if not note.startswith(_NO_PAGE)]
        if self.pages:
            try:
                feedback(self.course, taken.assignment, taken.student)
            except RuntimeError as error:
                notes.append(f"{_NO_PAGE}: {error}")
        return record | {"notes": notes}


@contextmanager
def _staged(course: Course, taken: Intake) -> Iterator[Course]:
    """The course with one submission in it, as nbgrader needs it: named right, and no links."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / taken.student / taken.assignment
        for name, content in taken.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(parsed(taken.notebook), folder / f"{taken.assignment}.ipynb")
        moment, _ = _handed_in(course, taken)
        if moment:
            (folder / STAMP).write_text(f"{moment} UTC")
        yield replace(course, submitted=Path(scratch))


def _supplied(course: Course, assignment: str) -> dict[str, bytes]:
    """The instructor's own files beside the source notebook, as nbgrader would copy them."""
    folder = course.folder("source") / assignment
    ignored = [*course.config().CourseDirectory.ignore, "*.ipynb"]
    found = (Path(path) for path in find_all_files(str(folder), ignored))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def _unnameable(student: str) -> str:
    """Why nbgrader, which looks for folders with glob, could not find this student's."""
    if glob.has_magic(student) or not student.isprintable():
        return f"the folder's name {student!r} holds *, ?, [ or a control character: rename it"
    return ""


def _handed_in(course: Course, taken: Intake) -> tuple[str, str]:
    """When it was handed in, in UTC, by its timestamp.txt; or why that cannot be read."""
    path = course.folder("submitted") / taken.student / taken.assignment / STAMP
    if not path.is_file() or path.is_symlink():
        return "", ""
    try:
        with path.open("rb") as file:
            stamp = file.read(LONGEST_STAMP).decode("utf-8")
        return str(as_utc(stamp.strip())), ""
    except (ValueError, OSError) as error:
        return "", f"{STAMP} cannot be read, so it counts as handed in on time: {error}"


def _words(error: Exception) -> str:
    kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
    return f"{kind}{error}"[:500]


def _outcome(record: dict) -> str:
    if record["problem"]:
        return f"NOT GRADED, {record['problem']}"
    points = sum(verdict["points"] for verdict in record["verdicts"])
    most = sum(verdict["max_points"] for verdict in record["verdicts"])
    mended = f", {len(record['repairs'])} mended" if record["repairs"] else ""
    return f"{points:g} of {most:g} points by the checks{mended}"


def _earlier_points(course: Course, taken: Intake) -> str:
    """What the gradebook still says of this student, where it says something."""
    if _unnameable(taken.student):  # it was never entered, and may be no text at all
        return ""
    with Gradebook(course.db_url) as gradebook:
        try:
            score = gradebook.find_submission(taken.assignment, taken.student).score
        except MissingEntry:
            return ""
    return f"; the gradebook still has the {score:g} points of an earlier submission"
