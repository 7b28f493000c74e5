"""What a source notebook says about grading: its graded cells, and what each test checks.

It is read from the executed source notebook alone, without a gradebook. The stubs are those that
nbgrader's own stages leave, with the course's configuration.
"""

import ast
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

from autograder.build import graded_cell
from autograder.course import Course
from cs_caption.checks import exercises
from cs_caption.submission.repair import label_of

BONUS = "ext"


@dataclass(frozen=True)
class Test:
    """A test cell that is one check: its exercise, and the functions handed to it by name.

    `functions` are names in the student's namespace, the checked one first.
    """

    grade_id: str
    exercise: str
    functions: tuple[str, ...]
    points: float
    bonus: bool


@dataclass(frozen=True)
class Plan:
    """What the source notebook says.

    `cells` are the graded cells as released, each with its `id` and the cells that stand `before`
    and `after` it (id and source, or None); `demos` are the sources of the cells that only show;
    `own_tests` are the test cells that are something else than one check; `absent` are the modules
    that no exercise of the notebook may lean on.
    """

    assignment: str
    cells: tuple[dict, ...]
    demos: frozenset[str]
    tests: dict[str, Test]
    own_tests: tuple[str, ...]
    absent: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """sha256 of all that; any change in the source that touches grading changes it."""
        content = {**asdict(self), "demos": sorted(self.demos)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_plan(source: Path) -> Plan:
    """Read the plan of the source notebook `solutions/NN_topic/NN_topic.ipynb`.

    Raises: FileNotFoundError where there is none; ValueError, naming the cell, for a check of no
    known exercise or with other functions than it needs, and for a cell that cannot be repaired.
    """
    if not source.is_file():
        raise FileNotFoundError(f"no source notebook {source}: python -m autograder release")
    solved = nbformat.read(source, as_version=4)
    demos = [c.source.strip() for c in solved.cells if "demo" in c.metadata.get("tags", [])]
    tests = [_checked(cell) for cell in solved.cells if is_test(cell)]
    own = [c.metadata.nbgrader.grade_id for c in solved.cells if is_test(c)]
    known = {test.grade_id: test for test in tests if test}
    return Plan(
        assignment=source.stem,
        cells=tuple(_wanted(_released(solved).cells)),
        demos=frozenset(demos),
        tests=known,
        own_tests=tuple(grade_id for grade_id in own if grade_id not in known),
        absent=tuple(sorted({m for t in known.values() for m in exercises()[t.exercise].banned})),
    )


def is_test(cell: NotebookNode) -> bool:
    """Whether the cell is a test: graded, and not by what a student writes in it."""
    about = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and about.get("grade", False) and not about.get("solution")


def _checked(cell: NotebookNode) -> Test | None:
    """What the test cell checks, or None where it is not one check and nothing else."""
    about = cell.metadata.nbgrader
    call = _only_call(cell.source)
    if call is None:
        return None
    name, functions = call
    exercise = exercises().get(name)
    if exercise is None:
        raise ValueError(f"{about.grade_id} checks {name!r}, and there is no such exercise")
    if len(functions) != 1 + len(exercise.needs):
        wanted = ", ".join((name, *exercise.needs))
        raise ValueError(
            f'{about.grade_id} hands over {", ".join(functions)}: write check("{name}", {wanted})'
        )
    bonus = BONUS in cell.metadata.get("tags", [])
    return Test(about.grade_id, name, functions, float(about.points), bonus)


def _only_call(source: str) -> tuple[str, tuple[str, ...]] | None:
    """The exercise and the names in `check("exercise", name, ...)`, if that is all there is."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):  # not Python alone: a magic, say
        return None
    match body:
        case [ast.Expr(ast.Call(ast.Name("check"), [ast.Constant(str(name)), *given], []))]:
            names = tuple(arg.id for arg in given if isinstance(arg, ast.Name))
            return (name, names) if names and len(names) == len(given) else None
    return None


def _released(solved: NotebookNode) -> NotebookNode:
    """The notebook as nbgrader releases it, by the stages of its own that change a source."""
    notebook, resources = nbformat.from_dict(solved), {}
    config = Course().config()
    for stage in (ClearSolutions, ClearHiddenTests, ClearMarkScheme):
        notebook, resources = stage(config=config).preprocess(notebook, resources)
    return notebook


def _wanted(cells: Sequence[NotebookNode]) -> Iterator[dict]:
    for place, cell in enumerate(cells):
        if "nbgrader" not in cell.metadata:
            continue
        wanted = graded_cell(cell)
        _must_follow(wanted, cell)
        before = _neighbour(cells[place - 1]) if place else None
        after = _neighbour(cells[place + 1]) if place + 1 < len(cells) else None
        yield {**wanted, "id": cell.get("id", ""), "before": before, "after": after}


def _neighbour(cell: NotebookNode) -> dict:
    return {"id": cell.get("id", ""), "source": cell.source}


def _must_follow(wanted: dict, cell: NotebookNode) -> None:
    """A lost label is made anew from the points and the lock alone: that must give this one."""
    about = {"task": False, **cell.metadata.nbgrader}
    meant = label_of(wanted)
    other = [key for key in meant if about.get(key) != meant[key]]
    if other:
        raise ValueError(
            f"the graded cell {wanted['grade_id']} says {other[0]}={about.get(other[0])!r}; a cell "
            f"{'with' if wanted['locked'] else 'without'} a lock and with points "
            f"{wanted['points']} has {meant[other[0]]!r} (there are no tasks in this course)"
        )
