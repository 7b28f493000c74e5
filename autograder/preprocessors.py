"""Two stages that grading adds to nbgrader's own, one before and one after execution."""

import math
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

SKIP = "skip-execution"


class LeaveOutDemos(NbGraderPreprocessor):
    """Leave out the cells that only demonstrate, as the source notebook tags them.

    A cell is left out where it says word for word what a cell with the tag `demo` says in the
    source: one that a student has changed may define what a later cell needs. The submission's own
    tags are dropped, because the executor obeys some of them: `skip-execution` on a test cell would
    give full marks.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        demos = self._demos(resources["nbgrader"])
        for cell in nb.cells:
            ungraded = cell.cell_type == "code" and "nbgrader" not in cell.metadata
            cell.metadata["tags"] = [SKIP] if ungraded and cell.source.strip() in demos else []
        return nb, resources

    def _demos(self, about: dict) -> set[str]:
        course = self.parent.parent.coursedir  # our exporter's converter
        folder = course.format_path(course.source_directory, ".", about["assignment"])
        source = Path(folder) / f"{about['notebook']}.ipynb"
        cells = nbformat.read(source, as_version=4).cells
        return {c.source.strip() for c in cells if "demo" in c.metadata.get("tags", [])}


class OnlyANumberCounts(NbGraderPreprocessor):
    """Give a test cell the points that its result says, and none where it says none.

    nbgrader gives full marks to a test cell that left no output, or `2/3`, `nan` or `-1`; it gives
    nothing where a warning went to stderr, and loses the submission where the number is above the
    cell's points.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict, index: int
    ) -> tuple[NotebookNode, dict]:
        if cell.cell_type == "code" and is_grade(cell) and not is_solution(cell):
            cell.outputs = judged(cell.outputs, float(cell.metadata.nbgrader["points"]))
        return cell, resources


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
