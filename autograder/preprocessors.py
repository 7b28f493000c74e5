"""The stages of grading that this course adds to nbgrader's own lists.

    sanitize:   Repair, then nbgrader's own
    autograde:  JudgedExecution in place of nbgrader's Execute, OnlyANumberCounts, nbgrader's own

So `nbgrader autograde` and formgrader's button mend and judge as `python -m autograder grade` does.
"""

import math
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Any, Bool, Enum, Float

from autograder.intake import take
from autograder.judge import Settings, judge
from autograder.mending import mended, repairs_told, tell
from autograder.plan import Plan, is_test, read_plan
from autograder.records import digest_of, new_record, salt_of, write_record
from autograder.sandbox import KINDS, Limits, probe

_GIB = 2**30
_SECONDS = ("cell_seconds", "call_seconds", "check_seconds", "notebook_seconds")


class Repair(NbGraderPreprocessor):
    """Put back what a submission lost of its graded cells, and say so on top of it.

    Raises: ValueError where the submitted file is a link: what it points at is not the student's.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        about, course = resources["nbgrader"], _course(self)
        submitted = _folder(course, course.submitted_directory, about)
        for path in (submitted, submitted / f"{about['notebook']}.ipynb"):
            if path.is_symlink():
                raise ValueError(f"{path} is a link: hand in the notebook itself")
        _leave_links(submitted, _folder(course, course.autograded_directory, about))
        nb, repairs = mended(nb, _plan(course, about))
        for repair in repairs:
            self.log.warning("Repaired: %s: %s", repair["where"], repair["what"])
        return nb, resources


class JudgedExecution(NbGraderPreprocessor):
    """Run the student's cells in the sandbox, and judge the tests outside it.

    A `record` of this very notebook, as `python -m autograder grade` makes it, is shown as it is.
    """

    sandbox = Enum(KINDS, "bubblewrap", help="how student code is confined").tag(config=True)
    memory_gib = Float(3, help="memory of a student's process").tag(config=True)
    cell_seconds = Float(60, help="the longest that a cell may run").tag(config=True)
    call_seconds = Float(10, help="the longest that a checked function may run").tag(config=True)
    check_seconds = Float(60, help="the longest that a whole check may run").tag(config=True)
    notebook_seconds = Float(900, help="the longest that a notebook may run").tag(config=True)
    own_tests = Bool(
        False, help="run tests that are no check(...) line in the student's own process: weaker"
    ).tag(config=True)
    record = Any(None, allow_none=True, help="set by the grader itself").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        about = resources["nbgrader"]
        known = bool(self.record) and self.record["cells_digest"] == digest_of(nb)
        show(nb, self.record if known else self._judged(nb, about))
        return nb, resources

    def settings(self) -> Settings:
        """The limits as this stage is configured."""
        seconds = {name: getattr(self, name) for name in _SECONDS}
        limits = Limits(memory=int(self.memory_gib * _GIB))
        return Settings(self.sandbox, limits, own_tests=self.own_tests, **seconds)

    def _judged(self, nb: NotebookNode, about: dict) -> dict:
        probe(self.sandbox)
        course, root = _course(self), Path(_course(self).root)
        # nbgrader copies the instructor's files there, and of the student's not those it ignores
        steps = (course.submitted_directory, course.autograded_directory)
        taken = [
            take(_folder(course, step, about), about["student"], about["assignment"])
            for step in steps
        ]
        files = taken[0].files | taken[1].files
        found = judge(nb, _plan(course, about), self.settings(), salt=salt_of(root), files=files)
        for note in found.notes:
            self.log.warning("%s", note)
        record = new_record(
            about["student"],
            about["assignment"],
            repairs=repairs_told(nb),
            cells_digest=digest_of(nb),
            entered=True,
            **found.as_record(),
        )
        write_record(root, record)
        return record


class OnlyANumberCounts(NbGraderPreprocessor):
    """Give a test cell the points that its result says, and none where it says none.

    nbgrader gives full marks to a test cell that left no output, or `2/3`, `nan` or `-1`; it gives
    nothing where a warning went to stderr, and loses the submission where the number is above the
    cell's points.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict, index: int
    ) -> tuple[NotebookNode, dict]:
        if is_test(cell):
            cell.outputs = judged(cell.outputs, float(cell.metadata.nbgrader["points"]))
        return cell, resources


def show(nb: NotebookNode, record: dict) -> None:
    """Write what a record says into the notebook that it was made from."""
    tell(nb, record["repairs"], record)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    for number, (cell, outputs) in enumerate(zip(code, record["cells"], strict=True), 1):
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
        cell.execution_count = number if outputs else None
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def judged(outputs: list[NotebookNode], points: float) -> list[NotebookNode]:
    """The outputs of a test cell, such that nbgrader reads from them what the test found."""
    outputs = [_aloud(output) for output in outputs]
    results = [output for output in outputs if output.output_type == "execute_result"]
    others = [output for output in outputs if output.output_type != "execute_result"]
    if any(output.output_type == "error" for output in others):
        return others
    if len(results) == 1 and 0 <= _number(results[0]) <= points:
        return outputs
    return [*others, _refusal(results, points)]


def _course(stage: NbGraderPreprocessor) -> CourseDirectory:
    return stage.parent.parent.coursedir  # our exporter's converter


def _folder(course: CourseDirectory, step: str, about: dict) -> Path:
    return Path(course.format_path(step, about["student"], about["assignment"]))


def _plan(course: CourseDirectory, about: dict) -> Plan:
    folder = Path(course.format_path(course.source_directory, ".", about["assignment"]))
    path = folder / f"{about['notebook']}.ipynb"
    return _read_plan(path, path.stat().st_mtime_ns)


@cache
def _read_plan(path: Path, changed: int) -> Plan:
    return read_plan(path)


def _leave_links(submitted: Path, graded: Path) -> None:
    """Remove what nbgrader copied through links: not the student's, and feedback would copy it."""
    for path in submitted.rglob("*"):
        if path.is_symlink():
            (graded / path.relative_to(submitted)).unlink(missing_ok=True)


def _refusal(results: list[NotebookNode], points: float) -> NotebookNode:
    shown = ", ".join(str(r.data.get("text/plain"))[:40] for r in results) or "nothing"
    words = f"expected one number from 0 to {points:g} as the result of this test, got {shown}"
    return nbformat.v4.new_output(
        "error", ename="NoScore", evalue=words, traceback=[f"NoScore: {words}"]
    )


def _number(result: NotebookNode) -> float:
    try:
        return float(result.data["text/plain"])
    except (KeyError, TypeError, ValueError):
        return math.nan


def _aloud(output: NotebookNode) -> NotebookNode:
    """A warning shown among what was printed: it has no say in the points."""
    if output.output_type == "stream" and output.name == "stderr":
        return nbformat.v4.new_output("stream", name="stdout", text=output.text)
    return output
