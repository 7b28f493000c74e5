"""Grading shown on three made-up submissions: one solved, one half solved, one untouched."""

import argparse
import shutil
import time
from dataclasses import replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.course import ROOT, Course, release
from autograder.grade import grade, grades_table, settings_of
from autograder.plan import read_plan
from autograder.sandbox import SandboxMissing, probe
from cs_caption.files import whole_file

ASSIGNMENT = "02_hello_rnn"
MARK = ".made-by-autograder-demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "runs" / "demo" / "grading",
        help="folder to make, or to make anew (default: runs/demo/grading)",
    )


def run(args: argparse.Namespace) -> int:
    """Release, hand in three submissions and grade them; 1 where a grade is not as expected."""
    start = time.monotonic()
    course = renewed(args.out)
    print("Making the student release ...")
    release(course, ASSIGNMENT)
    solved = nbformat.read(course.folder("source") / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", 4)
    untouched = nbformat.read(course.folder("release") / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", 4)
    exercises = [cell.metadata.nbgrader.grade_id for cell in solved.cells if _is_written(cell)]
    for student, count in {"solved": len(exercises), "half": 2, "untouched": 0}.items():
        hand_in(course, student, filled_in(untouched, solved, exercises[:count]))
    settings = replace(settings_of(course), sandbox=_sandbox())
    graded = grade(course, ASSIGNMENT, pages=True, report=print, settings=settings)
    print(f"\nGrades of {ASSIGNMENT} (to do: waits for a person)\n{grades_table(graded)}\n")
    _say_where(course, time.monotonic() - start)
    found = {one.student: one.by_checks for one in graded if not one.problem}
    plan = read_plan(course.folder("source") / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    points = {test.exercise: test.points for test in plan.tests.values()}
    half = sum(points[name] for name in exercises[:2])
    return 0 if found == {"solved": sum(points.values()), "half": half, "untouched": 0.0} else 1


def renewed(folder: Path) -> Course:
    """An empty course in `folder`.

    Raises: FileExistsError where the folder holds what the demo did not make.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise FileExistsError(
            f"{folder} holds files that this demo did not make: choose another folder by --out"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    return Course(folder.resolve(), source=ROOT / "solutions")


def filled_in(untouched: NotebookNode, solved: NotebookNode, exercises: list[str]) -> NotebookNode:
    """The release with the answers to some exercises copied from the solution."""
    answers = {c.metadata.nbgrader.grade_id: c.source for c in solved.cells if _is_written(c)}
    notebook = nbformat.from_dict(untouched)
    for cell in notebook.cells:
        if _is_written(cell) and cell.metadata.nbgrader.grade_id in exercises:
            cell.source = _unmarked(answers[cell.metadata.nbgrader.grade_id])
    return notebook


def hand_in(course: Course, student: str, notebook: NotebookNode) -> None:
    """Put a notebook where nbgrader looks for the student's submission."""
    path = course.folder("submitted") / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    with whole_file(path) as file:
        nbformat.write(notebook, file)


def _sandbox() -> str:
    """The full sandbox, or a weaker one where it is missing: these submissions are our own."""
    try:
        probe("bubblewrap")
        return "bubblewrap"
    except SandboxMissing:
        print("No bubblewrap here: these three submissions are ours, and are graded without it.")
        return "limits"


def _is_written(cell: NotebookNode) -> bool:
    return cell.metadata.get("nbgrader", {}).get("solution", False)


def _unmarked(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.strip().startswith("### "))


def _say_where(course: Course, seconds: float) -> None:
    print(f"Graded in {seconds:.0f} s. What was made:")
    print(f"  student release    {course.folder('release')}")
    print(f"  submissions        {course.folder('submitted')}")
    print(f"  graded notebooks   {course.folder('autograded')}")
    print(
        f"  feedback to read   {course.folder('feedback')}/STUDENT/{ASSIGNMENT}/{ASSIGNMENT}.html"
    )
    print(f"  nbgrader gradebook {course.root / 'gradebook.db'}")
