"""Where a course keeps its folders, and nbgrader's stages run on them."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Course:
    """The folders of one course. What grading makes lies under `root`; the rest may lie elsewhere.

    A field left None is the ordinary folder of nbgrader's configuration, under `root`.
    """

    root: Path = ROOT
    source: Path | None = None
    release: Path | None = None
    submitted: Path | None = None
    gradebook: Path | None = None

    @property
    def db_url(self) -> str:
        path = (self.gradebook or self.root / "gradebook.db").absolute()
        return f"sqlite:///{path}?timeout=60"

    def folder(self, step: str) -> Path:
        """The folder of one of nbgrader's steps: source, release, submitted, autograded..."""
        config = self.config().CourseDirectory
        return self.root / config.get(f"{step}_directory", step)

    def config(self) -> Config:
        """nbgrader's configuration for these folders."""
        config = PyFileConfigLoader("nbgrader_config.py", str(ROOT)).load_config()
        if self.root != ROOT and (self.root / "nbgrader_config.py").is_file():
            config.merge(PyFileConfigLoader("nbgrader_config.py", str(self.root)).load_config())
        directory = config.CourseDirectory
        directory.root = str(self.root.absolute())
        directory.db_url = self.db_url
        for step in ("source", "release", "submitted"):
            given = getattr(self, step)
            if given is not None:
                directory[f"{step}_directory"] = str(given.absolute())
        return config


def release(course: Course, assignment: str, *, enter: bool = True) -> None:
    """Make the release of `assignment` and, unless told not to, enter it in the gradebook.

    Raises: RuntimeError with nbgrader's own words where it cannot.
    """
    config = course.config()
    if not enter:  # what `nbgrader generate_assignment --no-db` sets
        config.GenerateAssignment.no_database = True
        config.SaveCells.enabled = False
    _must(_run(GenerateAssignment, config, assignment, "."), f"no release of {assignment}")


def autograde(course: Course, assignment: str, student: str, record: dict | None = None) -> None:
    """Grade one submission and enter it in the gradebook, from a record where there is one.

    Raises: RuntimeError with nbgrader's own words where it cannot be graded.
    """
    config = course.config()
    config.JudgedExecution.record = record
    _must(_run(Autograde, config, assignment, student), "nbgrader stopped")


def feedback(course: Course, assignment: str, student: str) -> Path:
    """Write the page that a student gets back, and say where it is.

    Raises: RuntimeError with nbgrader's own words where it cannot be written.
    """
    _must(
        _run(GenerateFeedback, course.config(), assignment, student), f"no feedback for {student}"
    )
    return course.folder("feedback") / student / assignment / f"{assignment}.html"


def _run(stage: type[BaseConverter], config: Config, assignment: str, student: str) -> dict:
    directory = CourseDirectory(config=config, assignment_id=assignment, student_id=student)
    converter = stage(coursedir=directory, config=config)
    converter.force = True
    converter.log.propagate = False
    with warnings.catch_warnings():
        # nbgrader asks its own session before it has added the new submission: harmless, and loud.
        warnings.simplefilter("ignore", SAWarning)
        return capture_log(converter)


def _must(result: dict, what: str) -> None:
    if not result["success"]:
        if result["error"].strip().endswith("KeyboardInterrupt"):  # which capture_log swallows
            raise KeyboardInterrupt
        raise RuntimeError(f"{what}: {_reason(result)}")


def _reason(result: dict) -> str:
    """The last error that nbgrader's log names, without the trace that leads to it."""
    log = result.get("log", "") + result["error"]
    named = re.findall(r"^\s*(?:\w+\.)*(\w+(?:Error|Exception|Entry)\b.*)", log, flags=re.MULTILINE)
    inner = [line for line in named if not line.startswith(("NbGraderException", "SystemExit"))]
    return (inner or named or log.splitlines())[-1].strip()
