"""Grades for other systems: every student once, core and bonus apart, nothing silently zero."""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.export import add_arguments, export, run
from autograder.exports import FORMATS, CanvasExport, _folder_name, harmless
from autograder.records import new_record, write_record

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
ROOT = Path(__file__).resolve().parent.parent
STUDENTS = {
    "ann": {"first_name": 'Ann "Annie", jr.', "last_name": "O'Brien, née X", "lms_user_id": "17"},
    "bob": {"first_name": "=cmd|'/C calc'!A0", "last_name": "@SUM(A1)", "email": "+1@x.org"},
    "dan": {"first_name": "Dan", "last_name": "Two\nLines", "email": "dan@x.org"},
    "eva": {"first_name": "\u202bעברית", "last_name": "🦊", "lms_user_id": "n/a"},
    "joe": {},
    "-2+3": {"first_name": "Minus"},
}
CASES = [
    {"title": "by hand", "passed": True, "message": "", "hidden": False},
    {"title": "ragged", "passed": False, "message": "the mask is ignored", "hidden": False},
    {"title": "ragged", "passed": False, "message": "SECRET 0.125", "hidden": True},
]


def cell(grade_id, tags=(), **about):
    metadata = {"nbgrader": {"grade_id": grade_id, **about}, "tags": list(tags)}
    return new_code_cell("pass", metadata=metadata)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course: ann graded and late, eva partly by hand, bob and zoe to be looked at, joe not yet.

    zoe is in no gradebook; dan and -2+3 handed in nothing.
    """
    course = Course(tmp_path_factory.mktemp("course"))
    course.config()  # puts the programs that nbgrader calls on the path
    source = course.root / "solutions" / "hw" / "hw.ipynb"
    source.parent.mkdir(parents=True)
    cells = [cell("test_f"), cell("test_g", ["ext"]), new_markdown_cell("why")]
    nbformat.write(new_notebook(cells=cells), source)
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_assignment("hw")
        gradebook.add_notebook("hw", "hw")
        for place, name in enumerate(("test_f", "test_g", "why")):
            kind = "markdown" if name == "why" else "code"
            gradebook.add_source_cell(name, "hw", "hw", cell_type=kind, source=str(place))
            gradebook.add_grade_cell(name, "hw", "hw", max_score=4, cell_type=kind)
        gradebook.add_solution_cell("why", "hw", "hw")
        for student, about in STUDENTS.items():
            gradebook.add_student(student, **about)
        enter(gradebook, "ann", {"test_f": 2.5, "test_g": 3, "why": 4}, late=1.25)
        enter(gradebook, "eva", {"test_f": 4, "test_g": 0})
        enter(gradebook, "bob", {"test_f": 4, "test_g": 4, "why": 4})
        comment = gradebook.find_comment("why", "hw", "hw", "ann")
        comment.manual_comment = "=nice"
        gradebook.db.commit()
    verdict = {
        "grade_id": "test_f",
        "exercise": "f",
        "points": 2.5,
        "max_points": 3.0,
        "bonus": False,
        "seconds": 0.2,
        "words": "",
        "cases": CASES,
    }
    repairs = [{"where": "the check of f", "what": "it was deleted; put back"}]
    found = {"verdicts": [verdict], "seconds": 1.6, "repairs": repairs}
    write_record(course.root, new_record("ann", "hw", **found))
    write_record(course.root, new_record("bob", "hw", problem="not a notebook"))
    write_record(course.root, new_record("zoe/..", "hw", problem="empty file"))
    (course.root / "submitted" / "joe" / "hw").mkdir(parents=True)
    return course


def enter(gradebook, student, points, late=None):
    submission = gradebook.add_submission("hw", student)
    for name, score in points.items():
        grade = gradebook.find_grade(name, "hw", "hw", student)
        grade.auto_score, grade.needs_manual_grade = score, False
    submission.notebooks[0].late_submission_penalty = late
    gradebook.db.commit()


@pytest.fixture
def course(made, tmp_path, monkeypatch):
    """That course, in a folder of its own; penalties as they are, and not settled anew."""
    shutil.copytree(made.root, tmp_path / "course")
    monkeypatch.setattr("autograder.export.settle_penalties", lambda *about: [])
    monkeypatch.chdir(tmp_path)
    return Course(tmp_path / "course")


def table(path, key):
    with open(path, encoding="utf-8", newline="") as lines:
        return {row[key]: row for row in csv.DictReader(lines)}


def test_the_csv_has_every_student_once_with_core_and_bonus_apart(course, tmp_path):
    warned = export(course, "hw", "csv", tmp_path / "out.csv")
    rows = table("out.csv", "student_id")
    assert list(rows) == ["'-2+3", "ann", "bob", "dan", "eva", "joe", "zoe/.."]
    ann = rows["ann"]
    assert (ann["core_points"], ann["core_max"]) == ("6.5", "8")
    assert (ann["bonus_points (add to the core)"], ann["bonus_max"]) == ("3", "4")
    assert (ann["late_penalty"], ann["grade (core + bonus - penalty)"]) == ("1.25", "8.25")
    assert ann["first_name"] == 'Ann "Annie", jr.'
    assert rows["dan"]["last_name"] == "Two\nLines"
    assert (rows["eva"]["first_name"], rows["eva"]["last_name"]) == ("\u202bעברית", "🦊")
    assert rows["eva"]["answers_to_grade_by_hand"] == "1"
    assert len(warned) == 4


@pytest.mark.parametrize("to", ["csv", "canvas", "moodle"])
def test_who_is_not_graded_has_an_empty_cell_and_a_warning(course, to):
    keys = {
        "csv": ("student_id", "grade (core + bonus - penalty)"),
        "canvas": ("SIS Login ID", "hw"),
        "moodle": ("Username", "hw (of 8, bonus added)"),
    }
    warned = "\n".join(export(course, "hw", to))
    student, grade = keys[to]
    rows = table(FORMATS[to].default_to, student)
    graded = {who: row[grade] for who, row in rows.items() if who}
    assert graded.pop("ann") == "8.25"
    assert graded.pop("eva") == "4"
    # bob's earlier 12 points are no grade of what he handed in now
    assert set(graded.values()) <= {"", "8"}
    assert graded["bob"] == graded["zoe/.."] == graded["joe"] == graded["dan"] == ""
    assert "2 to be looked at, without a grade: bob, zoe/.." in warned
    assert "1 not graded yet, without a grade: joe" in warned
    assert "2 no submission, without a grade: -2+3, dan" in warned
    assert "1 grades exported without the points of 1 answers" in warned


def test_a_cell_that_a_spreadsheet_would_run_is_made_text(course):
    export(course, "hw", "csv", Path("out.csv"))
    bob = table("out.csv", "student_id")["bob"]
    assert bob["first_name"] == "'=cmd|'/C calc'!A0"
    assert bob["last_name"] == "'@SUM(A1)"
    assert bob["email"] == "'+1@x.org"


@pytest.mark.parametrize(
    "cell", ["=1", "+a", "-2+3", "@a", "\tx", "\r=1", "\n=1", "＝1", " =1", "-"]
)
def test_what_starts_like_a_formula_gets_an_apostrophe(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize(
    ("cell", "text"),
    [("a;=1", "a;'=1"), ("a\t @x", "a\t '@x"), ('a;"=1', "a;\"'=1"), ("a; b", "a; b")],
)
def test_a_formula_behind_another_separator_gets_one_too(cell, text):
    assert harmless(cell) == text


def test_a_long_id_is_still_the_name_of_one_folder():
    names = {_folder_name("学" * 80), _folder_name("学" * 79 + "x")}
    assert len(names) == 2
    assert max(map(len, names)) < 255


@pytest.mark.parametrize("cell", ["-5", "+49", "1e-3", "-0.5", "ann", "a=b", "", "'=1"])
def test_numbers_and_words_stay(cell):
    assert harmless(cell) == cell
    assert harmless(-0.5) == "-0.5"
    assert harmless(1 / 3) == "0.3333"


def test_canvas_gets_its_columns_and_the_maximum_of_the_core(course):
    plugin = CanvasExport(
        config=course.config(), assignment=["hw"], assignment_ids={"hw": 4711}, section="A1"
    )
    plugin.to = "canvas.csv"
    with Gradebook(course.db_url) as gradebook:
        plugin.export(gradebook)
    with open("canvas.csv", encoding="utf-8", newline="") as lines:
        head, most, *rows = csv.reader(lines)
    student = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert head == [*student, "hw (4711)"]
    assert (most[0].strip(), most[-1]) == ("Points Possible", "8")
    by_login = {row[3]: row for row in rows}
    assert by_login["ann"][:2] == ['O\'Brien, née X, Ann "Annie", jr.', "17"]
    assert by_login["eva"][1] == ""  # Canvas reads a number here, and n/a is none
    assert {row[4] for row in rows} == {"A1"}


def test_moodle_gets_the_comments_and_the_bonus_apart(course):
    export(course, "hw", "moodle", Path("moodle.csv"))
    ann = table("moodle.csv", "Username")["ann"]
    assert (ann["ID number"], ann["hw core (of 8)"], ann["hw bonus (of 4, adds)"]) == (
        "17",
        "6.5",
        "3",
    )
    told = ann["hw feedback comments"]
    assert told.startswith(
        "f 2.5/4 (the mask is ignored); g 3/4, bonus; why 4/4; late: 1.25 points"
    )
    assert "why: =nice" in told
    assert "it was deleted; put back" in told
    assert "SECRET" not in told


def test_gradescope_gets_a_file_for_each_graded_student(course):
    export(course, "hw", "gradescope", Path("gs"))
    found = sorted(path.parent.name for path in Path("gs/hw").glob("*/results.json"))
    assert found == ["ann", "eva"]
    text = Path("gs/hw/ann/results.json").read_text(encoding="utf-8")
    ann = json.loads(text)
    assert (ann["score"], ann["stdout_visibility"], ann["execution_time"]) == (8.25, "hidden", 2)
    f, g, why = ann["tests"]
    assert (f["name"], f["score"], f["max_score"], f["status"]) == ("f", 2.5, 4, "failed")
    assert (g["name"], g["score"], g["max_score"]) == ("g (bonus)", 3, 0)
    assert (why["name"], why["score"], why["max_score"]) == ("why", 4, 4)
    assert sum(test["max_score"] for test in ann["tests"]) == 8
    assert f["output"].splitlines() == [
        "by hand: passed",
        "ragged: failed: the mask is ignored",
        "ragged (hidden numbers): failed with other numbers than the notebook's",
    ]
    assert "SECRET" not in text
    assert "late: 1.25 points taken off" in ann["output"]
    assert "graded by hand: 1" in json.loads(Path("gs/hw/eva/results.json").read_text())["output"]


def test_an_unfinished_grade_is_left_out_where_it_is_asked_for(course):
    config = course.config()
    config.CourseExport.unfinished = False
    config.CourseExport.no_submission = 0.0
    plugin = FORMATS["csv"](config=config)
    with Gradebook(course.db_url) as gradebook:
        plugin.export(gradebook)
    rows = table("grades.csv", "student_id")
    grades = {who: row["grade (core + bonus - penalty)"] for who, row in rows.items()}
    assert (grades["eva"], grades["dan"], grades["bob"]) == ("", "0", "")


def test_a_late_penalty_leaves_no_less_than_nothing(course):
    with Gradebook(course.db_url) as gradebook:
        notebook = gradebook.find_submission_notebook("hw", "hw", "ann")
        notebook.late_submission_penalty = 99
        gradebook.db.commit()
    export(course, "hw", "csv", Path("out.csv"))
    assert table("out.csv", "student_id")["ann"]["grade (core + bonus - penalty)"] == "0"


def test_only_the_students_asked_for_are_exported(course):
    assert export(course, "hw", "csv", Path("out.csv"), ["ann"]) == []
    assert list(table("out.csv", "student_id")) == ["ann"]
    with pytest.raises(ValueError, match="no student ghost"):
        export(course, "hw", "csv", Path("out.csv"), ["ghost"])


def test_what_cannot_be_exported_is_said_and_nothing_is_written(course, tmp_path):
    with pytest.raises(ValueError, match="no assignment other"):
        export(course, "other", "csv", Path("out.csv"))
    with pytest.raises(FileNotFoundError, match="autograder grade makes it"):
        export(Course(tmp_path / "empty"), "hw", "csv", Path("out.csv"))
    shutil.rmtree(course.root / "solutions")
    with pytest.raises(FileNotFoundError, match="which tests are bonus"):
        export(course, "hw", "csv", Path("out.csv"))
    assert not Path("out.csv").exists()


def test_nbgraders_own_command_takes_the_plugin_by_name(course):
    (course.root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.source_directory = 'solutions'\n"
        "c.CanvasExport.assignment_ids = {'hw': 12}\n"
    )
    command = [Path(sys.executable).parent / "nbgrader", "export", "--to", "c.csv"]
    done = subprocess.run(
        [*command, "--exporter=autograder.exports.CanvasExport", "--assignment=['hw']"],
        cwd=course.root,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = table(course.root / "c.csv", "SIS Login ID")
    assert rows["ann"]["hw (12)"] == "8.25"
    assert "2 to be looked at, without a grade: bob, zoe/.." in done.stderr


def test_the_command_says_where_it_wrote_and_that_somebody_has_no_grade(course, capsys):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    about = ["--to", "csv", "--assignment", "hw", "--course", str(course.root), "--out", "g.csv"]
    assert run(parser.parse_args([*about, "--student", "ann"]), source=course.folder("source")) == 0
    assert run(parser.parse_args(about), source=course.folder("source")) == 1
    printed = capsys.readouterr()
    assert "Written: g.csv" in printed.out
    assert "bob, zoe/.." in printed.err
