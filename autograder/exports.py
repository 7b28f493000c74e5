"""Grades for other systems, as export plugins of nbgrader.

    nbgrader export --exporter=autograder.exports.CanvasExport --assignment '["02_hello_rnn"]'
    python -m autograder export --to canvas --assignment 02_hello_rnn

A grade is the core's points plus the bonus, less the late penalty; the maximum is the core's alone,
so that the bonus adds. Who has no grade has an empty cell, never a zero, and is named in a warning.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Dict, Float, Unicode

from autograder.standing import (
    GRADED,
    NONE,
    NOT_YET,
    REVIEW,
    ClassStanding,
    Part,
    Standing,
    class_standing,
)
from cs_caption.files import whole_file

Row = Sequence[str | float | None]
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LONGEST_NAME = 200
# A spreadsheet that separates by ; or tab, as many do by their language, cuts a cell apart there.
_LATER_FORMULA = re.compile(r"(?<=.)([;\t]\s*\"?\s*)(?=[=+\-@＝＋－＠])")
_BY_OTHER_NUMBERS = "failed with other numbers than the notebook's"


class CourseExport(ExportPlugin):
    """What the formats share: who is exported, and what is told of the others."""

    no_submission = Float(
        None, allow_none=True, help="the grade of who handed in nothing; None: an empty cell"
    ).tag(config=True)
    unfinished = Bool(
        True, help="also export a grade to which answers graded by hand will still add"
    ).tag(config=True)

    default_to = "grades.csv"

    def export(self, gradebook: Gradebook) -> None:
        """Write the assignments asked for (default: all) to `to`, and warn of who has no grade.

        Raises: OSError where it cannot be written; ValueError for an assignment or a student that
        the gradebook does not know.
        """
        names = [str(name) for name in self.assignment] or sorted(
            one.name for one in gradebook.assignments
        )
        classes = [self._of_interest(self._standing(gradebook, name)) for name in names]
        for one in classes:
            for line in warnings_of(one, unfinished=self.unfinished):
                self.log.warning(line)
        self.write(classes, Path(self.to or self.default_to))

    def write(self, classes: Sequence[ClassStanding], to: Path) -> None:
        """Write the file, or the folder, of this format."""
        with whole_file(to) as file, file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines, quoting=csv.QUOTE_MINIMAL)
            writer.writerows([harmless(cell) for cell in row] for row in self.rows(classes))

    def rows(self, classes: Sequence[ClassStanding]) -> Iterator[Row]:
        """The lines of this format, the head first."""
        raise NotImplementedError

    def grade(self, one: Standing) -> float | None:
        """The number to export; None for an empty cell."""
        if one.state == NONE:
            return self.no_submission
        return None if one.to_do and not self.unfinished else one.total

    def _standing(self, gradebook: Gradebook, assignment: str) -> ClassStanding:
        course = getattr(self.parent, "coursedir", None) or CourseDirectory(config=self.config)
        root = Path(course.root)
        return class_standing(
            gradebook,
            assignment,
            root=root,
            source=root / course.source_directory,
            submitted=root / course.submitted_directory,
        )

    def _of_interest(self, found: ClassStanding) -> ClassStanding:
        if not self.student:
            return found
        wanted = {str(student) for student in self.student}
        unknown = sorted(wanted - {one.student for one in found.standings})
        if unknown:
            raise ValueError(f"no student {', '.join(unknown)} in the gradebook or the submissions")
        chosen = tuple(one for one in found.standings if one.student in wanted)
        return ClassStanding(found.assignment, chosen, found.parts)


class CsvExport(CourseExport):
    """A line a student and assignment, everything apart; numbers are plain, text is quoted."""

    def rows(self, classes: Sequence[ClassStanding]) -> Iterator[Row]:
        yield (
            "assignment",
            "student_id",
            "last_name",
            "first_name",
            "email",
            "lms_user_id",
            "state",
            "core_points",
            "core_max",
            "bonus_points (add to the core)",
            "bonus_max",
            "late_penalty",
            "grade (core + bonus - penalty)",
            "answers_to_grade_by_hand",
            "problem",
        )
        for found in classes:
            for one in found.standings:
                is_graded = one.state == GRADED
                yield (
                    found.assignment,
                    one.student,
                    one.last_name,
                    one.first_name,
                    one.email,
                    one.lms_user_id,
                    one.state,
                    one.core if is_graded else None,
                    found.core_max,
                    one.bonus if is_graded else None,
                    found.bonus_max,
                    one.penalty if is_graded else None,
                    self.grade(one),
                    one.to_do,
                    one.problem,
                )


class CanvasExport(CourseExport):
    """What Canvas's gradebook imports: a column an assignment, the bonus in it, no other column.

    Canvas finds a student by ID (`lms_user_id`), else by SIS Login ID (the student's id), and an
    assignment by the number in brackets; any further column would become a new assignment.

    Source: lib/gradebook_importer.rb of canvas-lms.
    """

    assignment_ids = Dict(
        help="Canvas's numbers of the assignments, such as {'02_hello_rnn': 4711}; without one "
        "Canvas goes by the name and asks before it makes a new assignment"
    ).tag(config=True)
    section = Unicode("", help="the section of all students").tag(config=True)

    default_to = "canvas.csv"

    def rows(self, classes: Sequence[ClassStanding]) -> Iterator[Row]:
        head = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
        yield (*head, *(self._column(found.assignment) for found in classes))
        yield ("    Points Possible", "", "", "", "", *(found.core_max for found in classes))
        for student, about, found in _by_student(classes):
            name = ", ".join(filter(None, (about.last_name, about.first_name))) or student
            number = about.lms_user_id if about.lms_user_id.isdecimal() else ""
            yield (name, number, "", student, self.section, *(self.grade(one) for one in found))

    def _column(self, assignment: str) -> str:
        number = self.assignment_ids.get(assignment)
        return f"{assignment} ({number})" if number else assignment


class MoodleExport(CourseExport):
    """What Moodle's gradebook imports (Grades, Import, CSV file): columns to be mapped there.

    Identify users by email, username or ID number; map the grade column to a grade item whose
    maximum is the core's, and the comments to its feedback. Moodle cuts a grade above the item's
    maximum unless the site allows unlimited grades: the bonus stands apart as well.

    Source: grade/import/csv/classes/load_data.php of moodle.
    """

    default_to = "moodle.csv"

    def rows(self, classes: Sequence[ClassStanding]) -> Iterator[Row]:
        columns = []
        for found in classes:
            of = found.assignment
            columns += [
                f"{of} (of {found.core_max:g}, bonus added)",
                f"{of} core (of {found.core_max:g})",
                f"{of} bonus (of {found.bonus_max:g}, adds)",
                f"{of} feedback comments",
            ]
        yield ("ID number", "Username", "Email address", "Full name", *columns)
        for student, about, found in _by_student(classes):
            cells = [cell for one in found for cell in self._cells(one)]
            yield (about.lms_user_id, student, about.email, about.name, *cells)

    def _cells(self, one: Standing) -> tuple[str | float | None, ...]:
        grade = self.grade(one)
        if one.state != GRADED or grade is None:
            return grade, None, None, ""
        return grade, one.core, one.bonus, "; ".join(_comments(one))


class GradescopeExport(CourseExport):
    """Gradescope's results.json, one for each graded student, in TO/ASSIGNMENT/STUDENT/.

    An entry an exercise, with the words of its cases; a bonus has max_score 0, so that it adds. The
    top-level score, with the late penalty taken off, is what Gradescope goes by.

    Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/
    """

    visibility = Unicode(
        "after_published",
        help="when students see it: visible, after_due_date, after_published or hidden",
    ).tag(config=True)

    default_to = "gradescope"

    def write(self, classes: Sequence[ClassStanding], to: Path) -> None:
        for found in classes:
            for one in found.standings:
                if one.state == GRADED and self.grade(one) is not None:
                    path = to / found.assignment / _folder_name(one.student) / "results.json"
                    with whole_file(path) as file:
                        file.write_text(json.dumps(self.results(one), indent=1), encoding="utf-8")

    def results(self, one: Standing) -> dict:
        """The content of one student's results.json."""
        return {
            "score": self.grade(one),
            "execution_time": round((one.record or {}).get("seconds", 0)),
            "output": "\n".join(_remarks(one)),
            "output_format": "text",
            "test_output_format": "text",
            "test_name_format": "text",
            "visibility": self.visibility,
            "stdout_visibility": "hidden",
            "tests": [self._test(part, one) for part in one.parts if part.points is not None],
        }

    def _test(self, part: Part, one: Standing) -> dict:
        most = 0.0 if part.bonus else part.max_points
        lost = part.points < part.max_points
        return {
            "name": f"{part.name} (bonus)" if part.bonus else part.name,
            "score": part.points,
            "max_score": most,
            "status": "failed" if lost and not (part.bonus or part.by_hand) else "passed",
            "output": "\n".join(_words(_verdict(part, one))),
            "visibility": self.visibility,
        }


FORMATS = {
    "csv": CsvExport,
    "canvas": CanvasExport,
    "moodle": MoodleExport,
    "gradescope": GradescopeExport,
}


def _by_student(
    classes: Sequence[ClassStanding],
) -> Iterator[tuple[str, Standing, list[Standing]]]:
    """Each student: the id, one standing that tells the name, and all, an assignment each."""
    known = [{one.student: one for one in found.standings} for found in classes]
    for student in sorted(set().union(*known)):
        about = next(standings[student] for standings in known if student in standings)
        yield student, about, [one.get(student, Standing(student, NONE)) for one in known]


def harmless(cell: str | float | None) -> str | float | None:
    """A cell that no spreadsheet takes for a formula: where text starts like one, after a '.

    Numbers stay, also those that are text.
    """
    if isinstance(cell, float):
        return f"{round(cell, 4):g}" if abs(cell) < 1e5 else round(cell, 4)
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    cell = _LATER_FORMULA.sub(r"\1'", cell)
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith("=") else cell


def warnings_of(found: ClassStanding, *, unfinished: bool = True) -> list[str]:
    """In words, whose grade is missing or will change, and why."""
    lines = []
    for state in (REVIEW, NOT_YET, NONE):
        who = [one.student for one in found.standings if one.state == state]
        if who:
            lines.append(f"{found.assignment}: {len(who)} {state}, without a grade: {_few(who)}")
    waiting = [one for one in found.standings if one.to_do]
    if waiting:
        answers = sum(one.to_do for one in waiting)
        how = "exported without the points of" if unfinished else "left empty because of"
        lines.append(
            f"{found.assignment}: {len(waiting)} grades {how} {answers} answers that are still to "
            f"be graded by hand: {_few([one.student for one in waiting])}"
        )
    return lines


def _few(students: Sequence[str], most: int = 10) -> str:
    more = f" and {len(students) - most} more" if len(students) > most else ""
    return ", ".join(students[:most]) + more


def _comments(one: Standing) -> Iterator[str]:
    """A student's result in a line: the points of each part, what to look at, a person's words."""
    for part in one.parts:
        points = "to be graded" if part.points is None else f"{part.points:g}"
        words = _first_words(_verdict(part, one))
        bonus = ", bonus" if part.bonus else ""
        yield f"{part.name} {points}/{part.max_points:g}{bonus}" + (f" ({words})" if words else "")
    yield from _remarks(one)


def _remarks(one: Standing) -> Iterator[str]:
    if one.penalty:
        yield f"late: {one.penalty:g} points taken off"
    if one.to_do:
        yield f"still to be graded by hand: {one.to_do}"
    for repair in (one.record or {}).get("repairs", ()):
        yield f"mended before grading: {repair['where']}: {repair['what']}"
    yield from one.comments


def _verdict(part: Part, one: Standing) -> dict:
    verdicts = (one.record or {}).get("verdicts", ())
    return next((v for v in verdicts if v["grade_id"].removeprefix("test_") == part.name), {})


def _words(verdict: dict) -> Iterator[str]:
    """The cases of an exercise, a line each; of hidden ones no words that could hold an input."""
    if verdict.get("words"):
        yield verdict["words"]
    for case in verdict.get("cases", ()):
        if case["passed"]:
            told = "passed"
        else:
            told = _BY_OTHER_NUMBERS if case["hidden"] else f"failed: {case['message']}"
        yield f"{case['title']}{' (hidden numbers)' if case['hidden'] else ''}: {told}"


def _first_words(verdict: dict) -> str:
    """What is probably wrong, in short."""
    failed = [case for case in verdict.get("cases", ()) if not case["passed"]]
    public = next((case["message"] for case in failed if not case["hidden"]), "")
    return verdict.get("words") or public or (_BY_OTHER_NUMBERS if failed else "")


def _folder_name(student: str) -> str:
    """A student's id as the name of one folder, on every system."""
    name = quote(student, safe="", errors="surrogatepass")
    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        name = f"{name[:_LONGEST_NAME]}-{digest}"
    return name.replace(".", "%2E") if not name.strip(".") else name
