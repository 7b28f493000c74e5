"""What a late submission costs: a policy for nbgrader, off until it is asked for.

    c.LatePolicy.grace_minutes = 10
    c.LatePolicy.percent_a_day = 10
    c.LatePolicy.most_percent = 50
    c.LatePolicy.zero_after_hours = 72
    c.LatePolicy.extensions = "extensions.csv"

nbgrader sets a penalty when it grades a submission, from the points and the due date of that
moment, and at no other time. `settle_penalties` works all of them out again: after an extension, a
moved due date, or answers that were graded by hand since.
"""

import csv
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dateutil import parser, tz
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float, Unicode
from traitlets.config import Config

DAY = 24 * 3600
_COLUMNS = ("student", "assignment", "hours")
_ZONE = re.compile(r"[A-Za-z][\w+-]*(/[A-Za-z][\w+-]*)*", re.ASCII)


class LatePolicy(LateSubmissionPlugin):
    """Points off for each day begun after the deadline, none left after a cut-off, or both.

    The deadline is the due date, later by the student's extension and by the grace that all have.
    Of an extension in nbgrader's gradebook and one in the file, the longer counts.
    """

    grace_minutes = Float(0, min=0, help="how late is not yet late, in minutes").tag(config=True)
    percent_a_day = Float(
        0, min=0, max=100, help="what each day begun after the deadline costs, in % of the points"
    ).tag(config=True)
    most_percent = Float(
        100, min=0, max=100, help="what the days cost together at most, in % of the points"
    ).tag(config=True)
    zero_after_hours = Float(
        None, allow_none=True, min=0, help="how late earns nothing, in hours; None: there is no end"
    ).tag(config=True)
    extensions = Unicode(
        "",
        help="a CSV file with the columns student,assignment,hours; a relative path starts at the "
        "course's folder",
    ).tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """The points to take off `score`; None where nothing is.

        Raises: OSError or ValueError where the file of extensions cannot be read.
        """
        late = total_seconds_late - 60 * self.grace_minutes - self._longer_by(student_id)
        share = self._share(late)
        return share * max(0.0, score) if share else None

    def _share(self, seconds: float) -> float:
        """The part of the points, 0 to 1, that so many seconds after the deadline cost."""
        if seconds <= 0:
            return 0.0
        if self.penalty_method == "zero":  # nbgrader's own setting means what it always meant
            return 1.0
        if self.zero_after_hours is not None and seconds > 3600 * self.zero_after_hours:
            return 1.0
        return min(self.percent_a_day * math.ceil(seconds / DAY), self.most_percent) / 100

    def _longer_by(self, student: str) -> float:
        """Seconds by which the file's extension outlasts the gradebook's, which nbgrader counts."""
        if not self.extensions:
            return 0.0
        stage = self.parent
        path = _course_folder(stage.config) / self.extensions
        ours = 3600 * read_extensions(path).get((student, stage.assignment_id), 0.0)
        given = stage.gradebook.find_submission(stage.assignment_id, student).extension
        return max(0.0, ours - (given.total_seconds() if given else 0.0))


@dataclass(frozen=True)
class Settled:
    """A penalty that is another than before, in points."""

    student: str
    before: float
    after: float


def settle_penalties(config: Config, db_url: str, assignment: str) -> list[Settled]:
    """Work out the late penalties of an assignment anew, as nbgrader would if it graded now.

    `config` is nbgrader's, and so is the rule: its own stage, with the plugin it is told to use.

    Raises: OSError or ValueError where the file of extensions cannot be read.
    """
    before = _penalties(db_url, assignment)
    for student, notebook in _timed(db_url, assignment):
        stage = AssignLatePenalties(config=config)
        stage.log.disabled = True  # it warns of each late submission, as if there were news
        about = {"notebook": notebook, "assignment": assignment, "student": student}
        stage.preprocess(NotebookNode(cells=[]), {"nbgrader": {**about, "db_url": db_url}})
    after = _penalties(db_url, assignment)
    return [Settled(who, old, after[who]) for who, old in before.items() if after[who] != old]


def read_extensions(path: Path) -> dict[tuple[str, str], float]:
    """The hours of each (student, assignment) in a CSV file; the last line counts.

    Raises: FileNotFoundError where there is no file; ValueError, naming the line, where one does
    not hold a student, an assignment and hours from 0 on.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"no file {path}: c.LatePolicy.extensions names it; make it, with the first line "
            f"{','.join(_COLUMNS)}"
        )
    with path.open(encoding="utf-8-sig", newline="") as file:  # a spreadsheet writes a mark first
        lines = csv.DictReader(file, skipinitialspace=True)
        if not set(_COLUMNS) <= set(lines.fieldnames or ()):
            raise ValueError(f"{path}: the first line must be {','.join(_COLUMNS)}")
        return dict(_extension(path, lines.line_num, line) for line in lines)


def as_utc(stamp: str) -> datetime:
    """The moment that a timestamp.txt names, in UTC and without a zone, as the gradebook keeps it.

    A stamp that names no zone is UTC. nbgrader reads "12:00:00 +0200" as 200 seconds, drops
    "+02:00" after a blank and a zone that it does not know; here the first two mean what they say.

    Raises: ValueError, with the stamp, where it names no moment or a zone that is not known.
    """
    words = stamp.split()
    zone = words.pop() if len(words) == 3 else ""
    try:
        moment = parser.parse(" ".join(words) + (zone if zone[:1] in ("+", "-") else ""))
        if zone and moment.tzinfo is None:
            moment = moment.replace(tzinfo=_zone(stamp, zone))
        if moment.tzinfo is not None:
            moment = moment.astimezone(tz.UTC).replace(tzinfo=None)
    except _NoZone:
        raise
    except Exception as error:  # whatever a library says to whatever a student wrote
        raise ValueError(f"{stamp!r} is no moment: write 2026-11-21 14:00:00 UTC") from error
    return moment


class _NoZone(ValueError):
    """A zone that is not known."""


def _zone(stamp: str, name: str) -> tz.tzfile:
    # gettz would open a file of any path
    found = tz.gettz(name) if _ZONE.fullmatch(name) else None
    if found is None:
        raise _NoZone(
            f"{stamp!r}: no time zone {name!r}; write UTC, +0200 or a name like Europe/Berlin"
        )
    return found


def _extension(path: Path, number: int, line: dict) -> tuple[tuple[str, str], float]:
    student, assignment, hours = ((line[name] or "").strip() for name in _COLUMNS)
    try:
        long = float(hours)
    except ValueError:
        long = math.nan
    if not (student and assignment and 0 <= long < math.inf):
        raise ValueError(
            f"{path}, line {number}: {student},{assignment},{hours} is not a student, an "
            "assignment and hours from 0 on"
        )
    return (student, assignment), long


def _course_folder(config: Config) -> Path:
    return Path(CourseDirectory(config=config).root)


@contextmanager
def _open(db_url: str, assignment: str) -> Iterator[list]:
    """The submissions of an assignment; none where the gradebook does not know it."""
    with Gradebook(db_url) as gradebook:
        try:
            yield gradebook.find_assignment(assignment).submissions
        except MissingEntry:
            yield []


def _penalties(db_url: str, assignment: str) -> dict[str, float]:
    with _open(db_url, assignment) as submissions:
        return {one.student.id: one.late_submission_penalty for one in submissions}


def _timed(db_url: str, assignment: str) -> list[tuple[str, str]]:
    """(student, notebook) of all that can be late, or that once were and have a penalty still."""
    with _open(db_url, assignment) as submissions:
        return [
            (one.student.id, notebook.name)
            for one in submissions
            # Without a due date an extension of nbgrader's makes it stumble (None + timedelta).
            if one.assignment.duedate is not None or one.extension is None
            for notebook in one.notebooks
            if notebook.late_submission_penalty or _is_late(one)
        ]


def _is_late(submission) -> bool:
    return submission.total_seconds_late > 0
