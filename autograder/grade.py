"""Grade a class: in parallel, sandboxed, resumable; one that breaks stops no other."""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.batch import Batch
from autograder.course import ROOT, Course, release
from autograder.engines import run_all
from autograder.judge import Settings
from autograder.late import settle_penalties
from autograder.mending import in_lines
from autograder.plan import read_plan
from autograder.preprocessors import JudgedExecution
from autograder.progress import Progress, plain
from autograder.records import read_record, salt_of
from autograder.sandbox import KINDS, probe
from autograder.unit import graded
from cs_caption.checks.table import text_table

SLACK = 60  # seconds for what is not the student's: starting, mending, judging
WARM = ("torch", "cs_caption.checks")  # the referees' imports, paid once


@dataclass(frozen=True)
class Mark:
    """What one graded cell earned; `points` is None while it waits for a person."""

    exercise: str
    points: float | None
    max_points: float
    by_hand: bool


@dataclass(frozen=True)
class Graded:
    """One submission: its marks, or in `problem` why a person must look; what was mended."""

    student: str
    marks: tuple[Mark, ...] = ()
    problem: str = ""
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def by_checks(self) -> float:
        """Points that the checks gave."""
        return sum(mark.points or 0.0 for mark in self.marks if not mark.by_hand)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--assignment", help="such as 02_hello_rnn (default: all with submissions)")
    parser.add_argument("--student", action="append", help="only this one; may be repeated")
    parser.add_argument(
        "--submitted",
        type=Path,
        default=ROOT / "submitted",
        help="holds STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb (default: submitted)",
    )
    parser.add_argument(
        "--course",
        type=Path,
        default=ROOT,
        help="where the gradebook and the graded notebooks go (default: the course itself)",
    )
    parser.add_argument("--feedback", action="store_true", help="also write each student's page")
    parser.add_argument(
        "--again", action="store_true", help="grade also what has not changed since it was graded"
    )
    parser.add_argument(
        "--workers", type=int, help="submissions at a time (default: one for each core)"
    )
    parser.add_argument(
        "--dask", default="", metavar="tcp://HOST:8786", help="work on this Dask cluster instead"
    )
    parser.add_argument(
        "--sandbox",
        choices=KINDS,
        help="how student code is confined (default: bubblewrap; the others are weaker)",
    )


def run(args: argparse.Namespace) -> int:
    """Grade, print a table for each assignment, and say what a person must look at."""
    for folder, words in _FOLDERS.items():
        if not getattr(args, folder).is_dir():
            raise FileNotFoundError(f"no folder {getattr(args, folder)}: {words} --{folder}")
    course = Course(args.course.resolve(), source=ROOT / "solutions", submitted=args.submitted)
    found = [args.assignment] if args.assignment else submitted_assignments(course)
    if not found:
        raise FileNotFoundError(f"nothing submitted in {args.submitted}")
    settings = settings_of(course)
    if args.sandbox:
        settings = replace(settings, sandbox=args.sandbox)
    problems = 0
    for assignment in found:
        graded = grade(
            course,
            assignment,
            args.student,
            pages=args.feedback,
            report=print,
            settings=settings,
            workers=args.workers,
            dask=args.dask,
            again=args.again,
        )
        print(f"\n{assignment}\n{grades_table(graded)}\n")
        problems += sum(bool(one.problem) for one in graded)
    print(f"Gradebook: {course.root / 'gradebook.db'}")
    if problems:
        print(f"A person must look at {problems} of them: they are listed above as NOT GRADED.")
    return 1 if problems else 0


_FOLDERS = {
    "submitted": "put submissions there, or name theirs by",
    "course": "make it, or name another by",
}


def settings_of(course: Course) -> Settings:
    """The limits of nbgrader's configuration, `c.JudgedExecution`."""
    return JudgedExecution(config=course.config()).settings()


def grade(
    course: Course,
    assignment: str,
    students: Iterable[str] | None = None,
    *,
    pages: bool = False,
    report: Callable[[str], None] = lambda line: None,
    settings: Settings | None = None,
    workers: int | None = None,
    dask: str = "",
    again: bool = False,
) -> list[Graded]:
    """Grade the submissions of an assignment; those that nothing changed about, only if `again`.

    Every submission's record is written as it is done: a run that is killed goes on where it was.

    Raises: FileNotFoundError where nobody submitted it; SandboxMissing where the sandbox is not
    there; RuntimeError where nbgrader does not take the assignment into the gradebook.
    """
    settings = settings or settings_of(course)
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: give 1 or more")
    _known_assignment(course, assignment)
    names = _names(course, assignment, students)
    probe(settings.sandbox)
    report(f"{assignment}: {len(names)} submissions; starting ...")
    _enter_assignment(course, assignment)
    plan, salt = read_plan(_source(course, assignment)), salt_of(course.root)
    progress = Progress(len(names), write=report)
    batch = Batch(course, plan, settings, salt, pages, again, progress)
    done = run_all(
        batch.units(names),
        graded,
        workers=workers or os.cpu_count() or 1,
        dask=dask,
        seconds=settings.notebook_seconds + SLACK,
        modules=WARM,
        report=report,
        name=lambda unit: unit.intake.student,
    )
    for unit, found in done:
        batch.settle(unit.intake, batch.record(unit, found))
    settle_penalties(course.config(), course.db_url, assignment)
    return [_found(course, assignment, student) for student in names]


def submitted_assignments(course: Course) -> list[str]:
    """The course's assignments that somebody handed in."""
    known = {path.parent.name for path in course.folder("source").glob("*/*.ipynb")}
    return sorted(name for name in known if submitters(course, name))


def submitters(course: Course, assignment: str) -> list[str]:
    """Who handed in a folder for `assignment`."""
    folder = course.folder("submitted")
    return sorted(one.name for one in folder.iterdir() if os.path.lexists(one / assignment))


def grades_table(graded: Iterable[Graded]) -> str:
    """A row a student, a column an exercise; below it what was mended and what needs a person."""
    graded = list(graded)
    marked = [one for one in graded if not one.problem]
    lines = [f"{one.student}: mended: {line}" for one in graded for line in one.repairs]
    lines += [f"{one.student}: {note}" for one in graded for note in one.notes]
    lines += [f"{one.student}: NOT GRADED, {one.problem}" for one in graded if one.problem]
    if marked:
        header = ["student", *(mark.exercise for mark in marked[0].marks), "by the checks"]
        rows = [[plain(cell) for cell in _row(one)] for one in marked]
        return "\n".join([text_table(header, rows), *map(plain, lines)])
    return "\n".join(map(plain, lines))


def _source(course: Course, assignment: str) -> Path:
    return course.folder("source") / assignment / f"{assignment}.ipynb"


def _known_assignment(course: Course, assignment: str) -> None:
    known = sorted(path.stem for path in course.folder("source").glob("*/*.ipynb"))
    if assignment not in known:
        raise FileNotFoundError(
            f"no source notebook of {assignment} in {course.folder('source')}: there are "
            f"{', '.join(known) or 'none; python -m autograder release makes them'}"
        )


def _names(course: Course, assignment: str, students: Iterable[str] | None) -> list[str]:
    folder = course.folder("submitted")
    there = submitters(course, assignment) if folder.is_dir() else []
    if not there:
        raise FileNotFoundError(f"no submission of {assignment} in {folder}")
    missing = sorted(set(students or there) - set(there))
    if missing:
        raise FileNotFoundError(
            f"no submission of {assignment} by {', '.join(missing)} in {folder}: is the name "
            "written as the folder's?"
        )
    return sorted(set(students or there))


def _enter_assignment(course: Course, assignment: str) -> None:
    """Bring the gradebook's copy of the assignment up to date with the source."""
    with tempfile.TemporaryDirectory() as scratch:  # the course's own release stays as it is
        release(replace(course, release=Path(scratch)), assignment)


def _found(course: Course, assignment: str, student: str) -> Graded:
    record = read_record(course.root, assignment, student)
    repairs = tuple(in_lines(record["repairs"]))
    marks = () if record["problem"] else _marks(course, assignment, student)
    return Graded(student, marks, record["problem"], repairs, tuple(record["notes"]))


def _marks(course: Course, assignment: str, student: str) -> tuple[Mark, ...]:
    with Gradebook(course.db_url) as gradebook:
        order = {c.name: i for i, c in enumerate(_cells(gradebook, assignment))}
        grades = gradebook.find_submission_notebook(assignment, assignment, student).grades
        return tuple(_mark(grade) for grade in sorted(grades, key=lambda g: order[g.name]))


def _cells(gradebook: Gradebook, assignment: str) -> list:
    return gradebook.find_notebook(assignment, assignment).source_cells


def _mark(grade) -> Mark:
    return Mark(
        exercise=grade.name.removeprefix("test_"),
        # nbgrader asks again after each grading; what a person gave stays until they change it
        points=None if grade.needs_manual_grade and grade.manual_score is None else grade.score,
        max_points=grade.max_score,
        by_hand=grade.cell.cell_type == "markdown",
    )


def _row(one: Graded) -> list[str]:
    best = sum(mark.max_points for mark in one.marks if not mark.by_hand)
    cells = [
        f"to do/{mark.max_points:g}"
        if mark.points is None
        else f"{mark.points:g}/{mark.max_points:g}"
        for mark in one.marks
    ]
    return [one.student, *cells, f"{one.by_checks:g}/{best:g}"]
