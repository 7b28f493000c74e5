"""A page for the instructor on one assignment of a class, and its short form in the terminal."""

import argparse
import webbrowser
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from autograder.course import ROOT, Course
from autograder.late import settle_penalties
from autograder.plan import read_plan
from autograder.similarity import class_answers, similarity
from autograder.standing import REVIEW, class_standing
from autograder.summary import Summary, summary_html, summary_text
from cs_caption.files import whole_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--assignment", required=True, help="such as 02_hello_rnn")
    parser.add_argument("--out", type=Path, help="default: reports/ASSIGNMENT.html in the course")
    parser.add_argument(
        "--course",
        type=Path,
        default=ROOT,
        help="where gradebook and records are (default: the course itself)",
    )
    parser.add_argument(
        "--submitted", type=Path, help="where the submissions are (default: the course's own)"
    )
    parser.add_argument(
        "--no-similarity", action="store_true", help="do not compare the students' answers"
    )
    parser.add_argument("--open", action="store_true", help="also open the page in a browser")


def run(args: argparse.Namespace) -> int:
    """Write the page, print its short form; 1 where a submission must be looked at."""
    submitted = args.submitted or args.course / "submitted"
    course = Course(args.course.resolve(), source=ROOT / "solutions", submitted=submitted)
    summary = class_summary(course, args.assignment, compare=not args.no_similarity)
    path = write_report(course, summary, args.out)
    print(f"{summary_text(summary)}\nPage: {path}")
    if args.open:
        webbrowser.open(path.resolve().as_uri())
    return 1 if summary.of(REVIEW) else 0


def class_summary(course: Course, assignment: str, *, compare: bool = True) -> Summary:
    """Gather what is known of a class in an assignment; late penalties are settled first.

    Raises: FileNotFoundError where there is no gradebook or no source notebook; ValueError where
    the gradebook does not know the assignment.
    """
    gradebook = course.gradebook or course.root / "gradebook.db"
    if not gradebook.is_file():
        raise FileNotFoundError(f"no gradebook {gradebook}: python -m autograder grade makes it")
    settle_penalties(course.config(), course.db_url, assignment)
    folders = {step: course.folder(step) for step in ("source", "submitted")}
    with Gradebook(course.db_url) as opened:
        try:
            found = class_standing(opened, assignment, root=course.root, **folders)
        except MissingEntry as error:
            raise ValueError(
                f"no assignment {assignment} in {gradebook}: grade it first, or check the name"
            ) from error
    if not compare:
        return Summary(found, no_similarity="Answers were not compared: --no-similarity.")
    try:
        answers = class_answers(course.folder("autograded"), assignment)
        return Summary(found, similarity(answers, _stubs(course, assignment)))
    except ImportError as error:
        words = f"Answers were not compared ({error}): pip install copydetect."
        return Summary(found, no_similarity=words)


def write_report(course: Course, summary: Summary, out: Path | None = None) -> Path:
    """Write the page, whole or not at all, and say where."""
    path = out or course.root / "reports" / f"{summary.standing.assignment}.html"
    with whole_file(path) as file:
        file.write_text(summary_html(summary), encoding="utf-8", errors="replace")
    return path


def _stubs(course: Course, assignment: str) -> dict[str, str]:
    """What the release hands out in the cells that students fill in."""
    plan = read_plan(course.folder("source") / assignment / f"{assignment}.ipynb")
    return {cell["grade_id"]: cell["stub"] for cell in plan.cells if "stub" in cell}
