"""Grade submissions through nbgrader, one after the other; one that breaks stops no other."""

import argparse
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.course import ROOT, Course, autograde, feedback, release
from cs_caption.checks.table import text_table


@dataclass(frozen=True)
class Mark:
    """What one graded cell earned; `points` is None while it waits for a person."""

    exercise: str
    points: float | None
    max_points: float
    by_hand: bool


@dataclass(frozen=True)
class Graded:
    """One submission: its marks, or in `problem` why it has none."""

    student: str
    marks: tuple[Mark, ...] = ()
    problem: str = ""

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


def run(args: argparse.Namespace) -> int:
    """Grade, print a table for each assignment, and say what could not be graded."""
    if not args.submitted.is_dir():
        raise FileNotFoundError(
            f"no folder of submissions {args.submitted}: name it by --submitted"
        )
    course = Course(args.course, ROOT / "solutions", submitted=args.submitted)
    found = [args.assignment] if args.assignment else submitted_assignments(course)
    problems = 0
    for assignment in found:
        graded = grade(course, assignment, args.student, pages=args.feedback, report=print)
        print(f"\n{assignment}\n{grades_table(graded)}\n")
        problems += sum(bool(one.problem) for one in graded)
    if not found:
        raise FileNotFoundError(f"nothing submitted in {args.submitted}")
    print(f"Gradebook: {course.root / 'gradebook.db'}")
    return 1 if problems else 0


def grade(
    course: Course,
    assignment: str,
    students: Iterable[str] | None = None,
    *,
    pages: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> list[Graded]:
    """Grade the submissions of an assignment (again, where they were graded before).

    Raises: FileNotFoundError where nobody submitted it; RuntimeError where nbgrader does not take
    the assignment into the gradebook.
    """
    names = sorted(students or submitters(course, assignment))
    if not names:
        raise FileNotFoundError(f"no submission of {assignment} in {course.folder('submitted')}")
    _enter(course, assignment)
    graded = []
    for place, student in enumerate(names, 1):
        graded.append(_grade_one(course, assignment, student, pages))
        outcome = graded[-1].problem or f"{graded[-1].by_checks:g} points by the checks"
        report(f"[{place}/{len(names)}] {student}: {outcome}")
    return graded


def submitted_assignments(course: Course) -> list[str]:
    """The course's assignments that somebody handed in."""
    known = {path.parent.name for path in course.folder("source").glob("*/*.ipynb")}
    return sorted(name for name in known if submitters(course, name))


def submitters(course: Course, assignment: str) -> list[str]:
    """Who handed in a folder for `assignment`."""
    return sorted(path.parent.name for path in course.folder("submitted").glob(f"*/{assignment}"))


def grades_table(graded: Iterable[Graded]) -> str:
    """A row a student, a column an exercise; below it what could not be graded."""
    graded = list(graded)
    marked = [one for one in graded if not one.problem]
    lines = [f"{one.student}: NOT GRADED, {one.problem}" for one in graded if one.problem]
    if marked:
        header = ["student", *(mark.exercise for mark in marked[0].marks), "by the checks"]
        lines.insert(0, text_table(header, [_row(one) for one in marked]))
    return "\n".join(lines)


def _enter(course: Course, assignment: str) -> None:
    """Bring the gradebook's copy of the assignment up to date with the source."""
    source = course.folder("source") / assignment / f"{assignment}.ipynb"
    if not source.is_file():
        raise FileNotFoundError(f"no source notebook {source}: python -m autograder release")
    with tempfile.TemporaryDirectory() as scratch:  # the course's own release stays as it is
        release(replace(course, release=Path(scratch)), assignment)


def _grade_one(course: Course, assignment: str, student: str, pages: bool) -> Graded:
    notebook = course.folder("submitted") / student / assignment / f"{assignment}.ipynb"
    if not notebook.is_file():
        return Graded(student, problem=f"no file {notebook.name} in {notebook.parent}")
    try:
        autograde(course, assignment, student)
        if pages:
            feedback(course, assignment, student)
        return Graded(student, _marks(course, assignment, student))
    except RuntimeError as error:
        return Graded(student, problem=str(error))


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
        points=None if grade.needs_manual_grade else grade.score,
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
