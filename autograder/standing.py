"""Where each student of a class stands in one assignment: points, what is to do, and why none.

Core and bonus are apart. nbgrader counts the points of bonus tests (tagged `ext` in the source
notebook) into the maximum of the assignment; here the maximum is the core's, and the bonus adds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import BaseCell, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import and_

from autograder.plan import BONUS
from autograder.records import records

GRADED = "graded"
REVIEW = "to be looked at"
NOT_YET = "not graded yet"
NONE = "no submission"


@dataclass(frozen=True)
class Part:
    """One graded cell; `points` is None while it waits for a person."""

    name: str
    points: float | None
    max_points: float
    bonus: bool
    by_hand: bool


@dataclass(frozen=True)
class Standing:
    """One student in one assignment; `parts` is empty where there is no grade.

    `record` is what was kept of the grading, `comments` what a person wrote to the answers.
    """

    student: str
    state: str = GRADED
    problem: str = ""
    parts: tuple[Part, ...] = ()
    penalty: float = 0.0
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""
    comments: tuple[str, ...] = ()
    record: Mapping | None = None

    @property
    def core(self) -> float:
        """Points that are no bonus."""
        return sum(part.points or 0.0 for part in self.parts if not part.bonus)

    @property
    def bonus(self) -> float:
        """Points of the bonus tests."""
        return sum(part.points or 0.0 for part in self.parts if part.bonus)

    @property
    def to_do(self) -> int:
        """How many answers wait for a person."""
        return sum(part.points is None for part in self.parts)

    @property
    def total(self) -> float | None:
        """Core and bonus less the late penalty, not below zero; None where there is no grade."""
        if self.state != GRADED:
            return None
        return max(0.0, round(self.core + self.bonus - self.penalty, 4))

    @property
    def name(self) -> str:
        """The student's name, or id where there is none."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.student


@dataclass(frozen=True)
class ClassStanding:
    """All students of a class, by id, and what the assignment has to give."""

    assignment: str
    standings: tuple[Standing, ...]
    parts: tuple[Part, ...]

    @property
    def core_max(self) -> float:
        """Points to be had without the bonus."""
        return sum(part.max_points for part in self.parts if not part.bonus)

    @property
    def bonus_max(self) -> float:
        """Points that the bonus tests add at most."""
        return sum(part.max_points for part in self.parts if part.bonus)


def class_standing(
    gradebook: Gradebook, assignment: str, *, root: Path, source: Path, submitted: Path
) -> ClassStanding:
    """Read gradebook, records and folders; nobody is left out who is in any of them.

    `root` holds judged/, `source` and `submitted` are nbgrader's folders of these names.

    Raises: nbgrader.api.MissingEntry where the gradebook does not know the assignment;
    FileNotFoundError where its source notebook is not there.
    """
    entered = {one.student_id: one for one in gradebook.find_assignment(assignment).submissions}
    cells = _cells(gradebook, assignment, bonus_cells(source / assignment))
    known = {student.id: student for student in gradebook.students}
    kept = {record["student"]: record for record in records(root, assignment)}
    there = {path.parent.name for path in submitted.glob(f"*/{assignment}")}
    grades, comments = _grades(gradebook, assignment), _comments(entered.values())
    standings = []
    for student in sorted({*known, *kept, *there}):
        parts = _parts(cells, grades.get(student, {}))
        state, problem = _state(kept.get(student), parts, student in there)
        is_graded = state == GRADED
        submission = entered.get(student)
        standings.append(
            Standing(
                student,
                state,
                problem,
                parts if is_graded else (),
                (submission.late_submission_penalty or 0.0) if is_graded and submission else 0.0,
                **_about(known.get(student)),
                comments=tuple(comments.get(student, ())) if is_graded else (),
                record=kept.get(student),
            )
        )
    return ClassStanding(assignment, tuple(standings), _parts(cells, {}))


def bonus_cells(folder: Path) -> set[str]:
    """The grade ids of the bonus tests in the source notebooks of a folder.

    Raises: FileNotFoundError where there is no source notebook.
    """
    sources = sorted(folder.glob("*.ipynb"))
    if not sources:
        raise FileNotFoundError(
            f"no source notebook in {folder}: it says which tests are bonus; "
            "python -m autograder release"
        )
    return {
        cell.metadata.nbgrader.grade_id
        for path in sources
        for cell in nbformat.read(path, as_version=4).cells
        if BONUS in cell.metadata.get("tags", []) and "nbgrader" in cell.metadata
    }


def _cells(gradebook: Gradebook, assignment: str, bonus: set[str]) -> list[Part]:
    """The graded cells of an assignment, in the order of its notebooks."""
    found = []
    for notebook in gradebook.find_assignment(assignment).notebooks:
        order = {cell.name: place for place, cell in enumerate(notebook.source_cells)}
        cells = [*notebook.grade_cells, *notebook.task_cells]
        for cell in sorted(cells, key=lambda cell: order.get(cell.name, len(order))):
            by_hand = cell.cell_type == "markdown"
            found.append(Part(cell.name, None, cell.max_score, cell.name in bonus, by_hand))
    return found


def _parts(cells: Iterable[Part], points: Mapping[str, float | None]) -> tuple[Part, ...]:
    return tuple(
        Part(
            cell.name.removeprefix("test_"),
            points.get(cell.name),
            cell.max_points,
            cell.bonus,
            cell.by_hand,
        )
        for cell in cells
    )


def _grades(gradebook: Gradebook, assignment: str) -> dict[str, dict[str, float | None]]:
    """{student: {grade id: points}}; None for what waits for a person or was never graded."""
    rows = (
        gradebook.db.query(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.score,
            # nbgrader asks again after each grading; what a person gave stays until they change it
            and_(Grade.needs_manual_grade, Grade.manual_score.is_(None)),
        )
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(SubmittedAssignment.assignment_id == gradebook.find_assignment(assignment).id)
    )
    found: dict[str, dict[str, float | None]] = defaultdict(dict)
    for student, cell, score, waits in rows:
        found[student][cell] = None if waits else score
    return found


def _comments(submissions: Iterable[SubmittedAssignment]) -> dict[str, list[str]]:
    """What persons wrote in formgrader, by student."""
    found: dict[str, list[str]] = defaultdict(list)
    for submission in submissions:
        for notebook in submission.notebooks:
            for comment in notebook.comments:
                if comment.manual_comment:
                    found[submission.student_id].append(f"{comment.name}: {comment.manual_comment}")
    return found


def _state(record: Mapping | None, parts: Iterable[Part], handed_in: bool) -> tuple[str, str]:
    """How far a submission is, and why no further."""
    if record and record["problem"]:
        return REVIEW, record["problem"]
    if any(part.points is not None for part in parts):
        return GRADED, ""
    return (NOT_YET, "") if handed_in or record else (NONE, "")


def _about(student: Student | None) -> dict[str, str]:
    fields = ("first_name", "last_name", "email", "lms_user_id")
    return {name: getattr(student, name, None) or "" for name in fields}
