"""Write an assignment's grades for another system."""

import argparse
import logging
import sys
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from autograder.course import ROOT, Course
from autograder.exports import FORMATS
from autograder.late import settle_penalties


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, choices=tuple(FORMATS), help="the other system")
    parser.add_argument("--assignment", required=True, help="such as 02_hello_rnn")
    parser.add_argument(
        "--out", type=Path, help="the file to write, for gradescope the folder (default: by system)"
    )
    parser.add_argument("--student", action="append", help="only this one; may be repeated")
    parser.add_argument(
        "--course",
        type=Path,
        default=ROOT,
        help="where gradebook and records are (default: the course itself)",
    )
    parser.add_argument(
        "--submitted", type=Path, help="where the submissions are (default: the course's own)"
    )


def run(args: argparse.Namespace, source: Path = ROOT / "solutions") -> int:
    """Settle the late penalties, export, and say who has no grade; 1 where somebody has none."""
    submitted = args.submitted or args.course / "submitted"
    course = Course(args.course.resolve(), source=source, submitted=submitted)
    warned = export(course, args.assignment, args.to, args.out, args.student or [])
    for line in warned:
        print(line, file=sys.stderr)
    print(f"Written: {args.out or FORMATS[args.to].default_to}")
    return 1 if warned else 0


def export(
    course: Course, assignment: str, to: str, out: Path | None = None, students: list[str] = ()
) -> list[str]:
    """Export the grades of an assignment in the format `to`; return what was warned of.

    Raises: FileNotFoundError where the course has no gradebook; ValueError for an assignment or a
    student that is not known; OSError where the file cannot be written.
    """
    gradebook = course.gradebook or course.root / "gradebook.db"
    if not gradebook.is_file():
        raise FileNotFoundError(f"no gradebook {gradebook}: python -m autograder grade makes it")
    config = course.config()
    settle_penalties(config, course.db_url, assignment)
    plugin = FORMATS[to](config=config, assignment=[assignment], student=list(students))
    plugin.to = str(out or "")
    warned = _Told()
    plugin.log = logging.Logger("export")
    plugin.log.addHandler(warned)
    with Gradebook(course.db_url) as opened:
        try:
            plugin.export(opened)
        except MissingEntry as error:
            raise ValueError(
                f"no assignment {assignment} in {gradebook}: grade it first, or check the name"
            ) from error
    return warned.lines


class _Told(logging.Handler):
    """Keeps what a plugin warns of."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
