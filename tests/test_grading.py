"""Submissions, graded by plain nbgrader and by our command: what is earned, and what is not."""

import html
import inspect
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade

from autograder.__main__ import main
from autograder.build import assignments
from autograder.course import Course, autograde, release
from autograder.demo import ASSIGNMENT, MARK, filled_in, hand_in, renewed
from autograder.grade import Graded, Mark, grade, grades_table
from autograder.mutants import mutants
from autograder.preprocessors import judged
from autograder.records import read_record, salt_of, write_record
from cs_caption.checks import exercises
from notebooks import points_of

pytestmark = pytest.mark.xdist_group("grading")  # where tests are spread, one process grades
ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
FULL = points_of(ASSIGNMENT)
EXERCISES = tuple(FULL)


@pytest.fixture(scope="session")
def notebooks():
    return SimpleNamespace(
        solved=nbformat.read(ROOT / "solutions" / NOTEBOOK, as_version=4),
        untouched=nbformat.read(ROOT / "notebooks" / NOTEBOOK, as_version=4),
    )


@pytest.fixture(scope="session")
def graded(notebooks, tmp_path_factory, bubblewrap):
    """A class graded in one go: by student, what `grade` found."""
    course = Course(tmp_path_factory.mktemp("class"), source=ROOT / "solutions")
    solution = filled_in(notebooks.untouched, notebooks.solved, [*EXERCISES, "why_added"])
    hand_in(course, "solved", solution)
    hand_in(course, "half", filled_in(notebooks.untouched, notebooks.solved, EXERCISES[:2]))
    hand_in(course, "mutants", with_mutants(solution))
    hand_in(course, "skips", with_tags(notebooks.untouched))
    hand_in(course, "silences", silenced(notebooks.untouched))
    hand_in(course, "zoë o'neil", without_tests(solution))
    hand_in(course, "b[1]", notebooks.untouched)
    broken = course.folder("submitted") / "broken" / NOTEBOOK
    broken.parent.mkdir(parents=True)
    broken.write_text("{ this is no notebook")
    (course.folder("submitted") / "empty" / ASSIGNMENT).mkdir(parents=True)
    before = os.getcwd()
    result = {one.student: one for one in grade(course, ASSIGNMENT, pages=True, workers=2)}
    assert os.getcwd() == before
    return SimpleNamespace(course=course, by=result)


def with_mutants(notebook):
    """The solution with each function replaced by one of the zoo's wrong answers to it."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("solution") and about["grade_id"] in EXERCISES:
            cell.source += "\n" + mutated(about["grade_id"])
    return notebook


def mutated(exercise):
    chosen = next(m for m in mutants() if m.exercise == exercise and not m.hidden_only)
    zoo = inspect.getsource(inspect.getmodule(chosen.function))
    zoo = zoo.replace(
        "from autograder.mutants import mutant", "def mutant(*a, **k): return lambda f: f"
    )
    new = {exercise: chosen.name} | {name: f.__name__ for name, f in chosen.needs.items()}
    return zoo + "\n" + "\n".join(f"{name} = {function}" for name, function in new.items())


def with_tags(notebook):
    """Every cell asks the executor to leave it out: nbgrader gives full marks to a test not run."""
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]
    return notebook


def without_tests(notebook):
    """Every test was deleted: nbgrader alone would wait for a person for ever."""
    notebook = nbformat.from_dict(notebook)
    notebook.cells = [c for c in notebook.cells if not c.source.startswith("check(")]
    return notebook


def silenced(notebook):
    """Results are swallowed before they are shown: nbgrader alone would give full marks."""
    notebook = nbformat.from_dict(notebook)
    silence = "type(get_ipython().displayhook).quiet = lambda hook: True"
    notebook.cells.insert(1, nbformat.v4.new_code_cell(silence))
    return notebook


def points(one):
    return {mark.exercise: mark.points for mark in one.marks if not mark.by_hand}


@pytest.mark.parametrize("name", [name for name in assignments() if name != ASSIGNMENT])
def test_every_solution_earns_every_point_without_its_demos_and_what_it_may_not_use(
    name, tmp_path, bubblewrap
):
    solved, untouched = (
        nbformat.read(ROOT / folder / name / f"{name}.ipynb", as_version=4)
        for folder in ("solutions", "notebooks")
    )
    written = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in solved.cells]
    notebook = filled_in(untouched, solved, written)
    notebook.cells.append(nbformat.v4.new_code_cell("import torch"))
    course = Course(tmp_path / "class", source=ROOT / "solutions")
    file = course.folder("submitted") / "solved" / name / f"{name}.ipynb"
    file.parent.mkdir(parents=True)
    nbformat.write(notebook, file)
    (found,) = grade(course, name, workers=1)
    assert not found.problem
    assert points(found) == points_of(name)
    made = nbformat.read(course.folder("autograded") / "solved" / name / f"{name}.ipynb", 4)
    absent = any("torch" in exercises()[exercise].banned for exercise in points_of(name))
    assert [out.ename for out in made.cells[-1].outputs] == ["ModuleNotFoundError"] * absent


def test_the_solution_without_its_demos_earns_every_point(graded):
    assert points(graded.by["solved"]) == FULL
    notebook = nbformat.read(graded.course.folder("autograded") / "solved" / NOTEBOOK, 4)
    drawn = [cell for cell in notebook.cells if cell.source.startswith("show_")]
    assert len(drawn) > 1
    assert all(cell.execution_count is None and not cell.outputs for cell in drawn)


def test_partly_solved_earns_its_part_and_the_open_question_waits_for_a_person(graded):
    assert points(graded.by["half"]) == FULL | dict.fromkeys(EXERCISES[2:], 0)
    (by_hand,) = [mark for mark in graded.by["solved"].marks if mark.by_hand]
    assert by_hand == Mark("why_added", None, 4.0, by_hand=True)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_wrong_answer_of_the_zoo_loses_points_in_a_notebook(graded, exercise):
    assert points(graded.by["mutants"])[exercise] < FULL[exercise]


@pytest.mark.parametrize("student", ["skips", "silences"])
def test_a_test_that_shows_no_score_earns_nothing(graded, student):
    assert points(graded.by[student]) == dict.fromkeys(EXERCISES, 0)


def test_a_broken_submission_is_listed_and_stops_no_other(graded):
    assert "JSON" in graded.by["broken"].problem
    assert graded.by["empty"].problem
    assert "rename it" in graded.by["b[1]"].problem
    assert len(graded.by) == 9
    table = grades_table(graded.by.values())
    assert "broken: NOT GRADED" in table
    assert "empty: NOT GRADED" in table


def test_deleted_tests_are_put_back_and_that_is_told_to_both(graded):
    mended = graded.by["zoë o'neil"]
    assert points(mended) == FULL
    assert all(name in "".join(mended.repairs) for name in EXERCISES)
    page = graded.course.folder("feedback") / "zoë o'neil" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    assert "Mended before grading" in page.read_text()


def test_feedback_says_why_points_were_lost(graded):
    page = graded.course.folder("feedback") / "mutants" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    text = page.read_text()
    record = read_record(graded.course.root, ASSIGNMENT, "mutants")
    messages = [c["message"] for v in record["verdicts"] for c in v["cases"] if not c["passed"]]
    assert messages
    assert sum(html.escape(message) in text for message in messages) >= len(messages) / 2
    assert "Traceback (most recent" not in text
    assert str(ROOT) not in text


def test_the_salt_is_for_the_instructors_eyes_and_stays(graded):
    path = graded.course.root / ".grading_salt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert salt_of(graded.course.root) == salt_of(graded.course.root) == path.read_text()
    written = [p for p in graded.course.root.rglob("*") if p.is_file() and p != path]
    assert not [p for p in written if path.read_bytes() in p.read_bytes()]


def test_only_what_changed_is_graded_again(graded, notebooks, monkeypatch):
    lines = []
    hand_in(graded.course, "half", filled_in(notebooks.untouched, notebooks.solved, EXERCISES[:1]))
    try:
        again = grade(graded.course, ASSIGNMENT, workers=1, report=lines.append)
    finally:
        solution = filled_in(notebooks.untouched, notebooks.solved, EXERCISES[:2])
        hand_in(graded.course, "half", solution)
    before = [line for line in lines if "as before" in line]
    assert len(before) == 5
    assert len([line for line in lines if line.startswith("[")]) == 9
    assert points({one.student: one for one in again}["half"])["rnn_step_forward"] == 0
    assert points(grade(graded.course, ASSIGNMENT, ["half"], workers=1)[0]) == points(
        graded.by["half"]
    )


def test_what_was_judged_but_not_entered_is_entered_without_being_judged_again(graded):
    root = graded.course.root
    record = read_record(root, ASSIGNMENT, "half")
    write_record(root, record | {"entered": False, "notes": ["from the record"]})
    (found,) = grade(graded.course, ASSIGNMENT, ["half"], workers=1)
    assert found.notes == ("from the record",)
    write_record(root, record)


def test_a_submission_that_cannot_be_read_any_more_says_what_the_gradebook_still_has(
    graded, notebooks
):
    file = graded.course.folder("submitted") / "half" / NOTEBOOK
    good = file.read_bytes()
    file.write_text("")
    try:
        (found,) = grade(graded.course, ASSIGNMENT, ["half"], workers=1)
    finally:
        file.write_bytes(good)
    assert "still has the 3 points of an earlier submission" in found.problem
    grade(graded.course, ASSIGNMENT, ["half"], workers=1)


@pytest.mark.full
def test_a_grader_that_is_killed_goes_on_where_it_was(notebooks, tmp_path, bubblewrap):
    course = Course(tmp_path / "class", source=ROOT / "solutions")
    for number in range(6):
        hand_in(course, f"s{number}", filled_in(notebooks.untouched, notebooks.solved, EXERCISES))
    command = [sys.executable, "-m", "autograder", "grade", "--assignment", ASSIGNMENT]
    command += ["--course", str(course.root), "--submitted", str(course.folder("submitted"))]
    for _ in range(4):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if line.startswith("[") and "as before" not in line:
                break
        process.kill()
        process.wait()
        process.stdout.close()
    lines = []
    found = grade(course, ASSIGNMENT, report=lines.append, workers=2)
    assert [one.by_checks for one in found] == [sum(FULL.values())] * 6
    assert sum("as before" in line for line in lines) >= 3
    assert len(found) == 6


def test_the_command_grades_again_and_its_exit_code_says_whether_all_were_graded(graded, capsys):
    course = [
        "--course",
        str(graded.course.root),
        "--submitted",
        str(graded.course.root / "submitted"),
    ]
    assert main(["grade", "--assignment", ASSIGNMENT, "--student", "half", *course]) == 0
    assert "half     1/1" in capsys.readouterr().out
    assert main(["grade", "--assignment", ASSIGNMENT, "--student", "empty", *course]) == 1
    assert "empty: NOT GRADED" in capsys.readouterr().out


def test_only_the_notebook_reaches_the_folder_where_student_code_runs(graded):
    folder = graded.course.folder("autograded") / "solved" / ASSIGNMENT
    assert [path.name for path in folder.iterdir()] == [f"{ASSIGNMENT}.ipynb"]


def test_plain_nbgrader_grades_from_the_root_and_makes_the_same_release(
    notebooks, tmp_path, bubblewrap
):
    for name in ("nbgrader_config.py", "autograder", "solutions", "notebooks"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    course = Course(tmp_path)
    half = filled_in(notebooks.untouched, notebooks.solved, EXERCISES[:2])
    hand_in(course, "half", silenced(without_tests(half)))
    for step in ("generate_assignment", "autograde"):
        nbgrader(tmp_path, step, ASSIGNMENT)
    released = tmp_path / "notebooks" / NOTEBOOK
    assert released.read_bytes() == (ROOT / "notebooks" / NOTEBOOK).read_bytes()
    assert [path.name for path in released.parent.iterdir()] == [f"{ASSIGNMENT}.ipynb"]
    with Gradebook(course.db_url) as gradebook:
        assert gradebook.find_submission(ASSIGNMENT, "half").score == 3.0
    record = read_record(tmp_path, ASSIGNMENT, "half")
    assert sum(verdict["points"] for verdict in record["verdicts"]) == 3.0
    assert record["repairs"]


def test_formgraders_button_judges_as_the_command_does(notebooks, tmp_path, bubblewrap):
    course = Course(tmp_path / "class", source=ROOT / "solutions")
    hand_in(course, "cheat", silenced(notebooks.untouched))
    hand_in(course, "half", filled_in(notebooks.untouched, notebooks.solved, EXERCISES[:2]))
    release(course, ASSIGNMENT)
    button = NbGraderAPI(CourseDirectory(config=course.config()), config=course.config())
    for student, score in {"cheat": 0, "half": 3}.items():
        done = button.autograde(ASSIGNMENT, student, force=True, create=True)
        assert done["success"], done["log"]
        with Gradebook(course.db_url) as gradebook:
            assert gradebook.find_submission(ASSIGNMENT, student).score == score


def test_plain_nbgrader_takes_no_link_for_a_notebook_and_copies_no_linked_file(
    notebooks, tmp_path, bubblewrap
):
    course = Course(tmp_path / "class", source=ROOT / "solutions")
    hand_in(course, "thief", notebooks.untouched)
    hand_in(course, "reader", notebooks.untouched)
    release(course, ASSIGNMENT)
    folder = course.folder("submitted")
    (folder / "thief" / NOTEBOOK).unlink()
    (folder / "thief" / NOTEBOOK).symlink_to(ROOT / "solutions" / NOTEBOOK)
    (folder / "reader" / ASSIGNMENT / "notes.txt").symlink_to("/etc/passwd")
    with pytest.raises(RuntimeError, match="is a link"):
        autograde(course, ASSIGNMENT, "thief")
    autograde(course, ASSIGNMENT, "reader")
    kept = course.folder("autograded") / "reader" / ASSIGNMENT
    assert [path.name for path in kept.iterdir()] == [f"{ASSIGNMENT}.ipynb"]


def nbgrader(folder, *arguments):
    """As in a shell without the environment activated: its programs are not on PATH."""
    program = Path(sys.executable).parent / "nbgrader"
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    variables["PATH"] = os.defpath
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_demo_grades_three_submissions_and_says_where_all_is(tmp_path, capsys):
    out = tmp_path / "grading"
    assert main(["demo", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    total = f"/{sum(FULL.values()):g}"
    rows = {line.split()[0]: line.split()[-1] for line in printed.splitlines() if total in line}
    assert rows == {"solved": f"{total[1:]}{total}", "half": f"3{total}", "untouched": f"0{total}"}
    page = out / "feedback/half" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    assert "rnn_step_forward: 2 of 2 points" in page.read_text()


def test_the_demo_clears_no_folder_that_it_did_not_make(tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(FileExistsError, match="did not make"):
        renewed(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_the_demo_clears_a_folder_that_it_made(tmp_path):
    renewed(tmp_path / "grading")
    (tmp_path / "grading" / "autograded").mkdir()
    renewed(tmp_path / "grading")
    assert [path.name for path in (tmp_path / "grading").iterdir()] == [MARK]


def test_grading_nothing_is_an_error_that_says_where_it_looked(tmp_path, capsys):
    assert main(["grade", "--submitted", str(tmp_path / "none")]) == 2
    assert "--submitted" in capsys.readouterr().err
    assert main(["grade", "--submitted", str(tmp_path), "--course", str(tmp_path)]) == 2
    assert "nothing submitted" in capsys.readouterr().err


def test_the_exercises_of_the_checks_are_those_of_the_notebook():
    assert {n: e.points for n, e in exercises().items() if n in EXERCISES} == FULL


def test_a_table_row_shows_each_exercise_and_what_waits():
    marks = (Mark("a", 1.5, 2.0, False), Mark("why", None, 4.0, True))
    table = grades_table([Graded("ann", marks)])
    assert table.splitlines()[-1].split() == ["ann", "1.5/2", "to", "do/4", "1.5/2"]


def result(text):
    return new_output("execute_result", {"text/plain": text})


@pytest.mark.parametrize(
    ("outputs", "score"),
    [
        ([result("1.5")], 1.5),
        ([result("0")], 0),
        ([new_output("stream", name="stderr", text="RuntimeWarning: overflow"), result("2")], 2),
        ([], 0),
        ([new_output("stream", name="stdout", text="2")], 0),
        ([result("2/3 points")], 0),
        ([result("nan")], 0),
        ([result("-1")], 0),
        ([result("3.5")], 0),
        ([result("2"), result("1")], 0),
        ([new_output("execute_result", {"text/html": "2"})], 0),
        ([result("2"), new_output("error", ename="E", evalue="", traceback=[])], 0),
    ],
)
def test_a_test_cell_earns_the_one_number_it_shows_and_nothing_else(outputs, score):
    cell = nbformat.v4.new_code_cell(outputs=judged(outputs, 3.0))
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "points": 3}
    assert determine_grade(cell) == (score, 3.0)


@pytest.mark.parametrize(
    ("stamp", "seconds_late", "note"),
    [
        ("2026-11-21 14:00:00 +0200", 0, ""),
        ("2026-11-21 13:00:00 UTC", 3600, ""),
        ("last Tuesday", 0, "counts as handed in on time"),
    ],
)
def test_the_time_of_handing_in_is_read_with_its_zone(graded, stamp, seconds_late, note):
    file = graded.course.folder("submitted") / "half" / ASSIGNMENT / "timestamp.txt"
    file.write_text(stamp)
    with Gradebook(graded.course.db_url) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2026-11-21 12:00:00 UTC")
    lines = []
    (found,) = grade(graded.course, ASSIGNMENT, ["half"], workers=1, report=lines.append)
    grade(graded.course, ASSIGNMENT, ["half"], workers=1, report=lines.append)
    done = [line for line in lines if line.startswith("[")]
    assert ["as before" in line for line in done] == [False, True]
    with Gradebook(graded.course.db_url) as gradebook:
        late = gradebook.find_submission(ASSIGNMENT, "half").total_seconds_late
        gradebook.update_or_create_submission(ASSIGNMENT, "half", timestamp=None)
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=None)
    file.unlink()
    assert late == seconds_late
    assert note in "".join(found.notes)
    assert bool(note) == bool(found.notes)
