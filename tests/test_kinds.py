"""Every kind of submission, graded in one batch: what it earns, what it is told, what is left."""

import html
import re
import shutil
import socket
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import psutil
import pytest
from kinds import ASSIGNMENT, EXERCISES, GOT_OUT, KINDS, STRAY, Material, write
from nbgrader.api import Gradebook

from autograder.build import make
from autograder.course import Course
from autograder.demo import filled_in
from autograder.grade import grade
from autograder.judge import Settings
from autograder.records import read_record, salt_of
from autograder.sandbox import Limits
from autograder.zoo import solution_functions
from cs_caption.checks import run_check
from cs_caption.checks.subject import LocalSubject

pytestmark = [
    pytest.mark.xdist_group("kinds"),
    pytest.mark.usefixtures("bubblewrap"),
]
ROOT = Path(__file__).resolve().parent.parent
SETTINGS = Settings(
    limits=Limits(memory=2 * 2**30, processes=64),
    cell_seconds=3,
    call_seconds=1.5,
    check_seconds=6,
    notebook_seconds=60,
)
LARGEST_PAGE = 3 * 2**20

some = [pytest.param(k, id=k.name, marks=[pytest.mark.full] if k.full else []) for k in KINDS]
batches = [
    pytest.param("quick_batch", id="quick"),
    pytest.param("full_batch", id="full", marks=pytest.mark.full),
]


@pytest.fixture(scope="session")
def small_course(tmp_path_factory):
    """Solutions and release of a small edition of notebook 02: quick to grade many times."""
    root = tmp_path_factory.mktemp("small_course")
    folder = root / "solutions" / ASSIGNMENT
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "small_course" / f"{ASSIGNMENT}.py", folder)
    make(ASSIGNMENT, root, execute=False)
    return root


@pytest.fixture(scope="session")
def material(listener, small_course):
    """The release, the answers, and where an attacker would look."""
    untouched, solved = (
        nbformat.read(small_course / folder / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
        for folder in ("notebooks", "solutions")
    )
    written = {c.get("id"): c.source for c in filled_in(untouched, solved, [*EXERCISES]).cells}
    answers = {name: written[name] for name in EXERCISES}
    return Material(untouched, answers, ROOT, ROOT, listener.port)


@pytest.fixture(scope="session")
def listener():
    """Somebody who listens outside every sandbox, and counts who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as other:
        port = server.getsockname()[1]
        other.bind(f"\0caption-kinds-{port}")
        other.listen()
        came = []
        for ear in (server, other):
            threading.Thread(target=_listen, args=(ear, came), daemon=True).start()
        yield SimpleNamespace(port=port, came=came)


def _listen(ear, came):
    while True:
        try:
            came.append(ear.accept())
        except OSError:
            return


@pytest.fixture(scope="session")
def quick_batch(material, small_course, tmp_path_factory):
    kinds = [k for k in KINDS if not k.full]
    return graded(kinds, material, small_course, tmp_path_factory.mktemp("quick"))


@pytest.fixture(scope="session")
def full_batch(material, small_course, tmp_path_factory):
    kinds = [k for k in KINDS if k.full or k.name == "clean"]
    return graded(kinds, material, small_course, tmp_path_factory.mktemp("full"))


def graded(kinds, material, small_course, folder):
    """One class, a student for each kind, graded in one go."""
    course = Course(folder, source=small_course / "solutions")
    for one in kinds:
        write(
            one.build(replace(material, course=folder)),
            course.folder("submitted") / one.folder / ASSIGNMENT,
        )
    looked_at = (small_course, ROOT / "solutions", ROOT / "cs_caption", folder / "submitted")
    before = {place: state_of(place) for place in looked_at}
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAPTION_KINDS", GOT_OUT)
        found = grade(course, ASSIGNMENT, pages=True, settings=SETTINGS, report=lines.append)
    return SimpleNamespace(
        course=course,
        kinds=kinds,
        by={one.student: one for one in found},
        lines=lines,
        changed=[path for place in looked_at for path in changes(before[place], state_of(place))],
    )


def state_of(place):
    """What lies in a folder, by name, size and time, links as links."""
    found = {}
    for path in sorted(place.rglob("*")):
        if "__pycache__" not in path.parts:
            about = path.lstat()
            when = None if path.is_dir() else about.st_mtime_ns
            found[str(path)] = (about.st_mode, None if path.is_dir() else about.st_size, when)
    return found


def changes(before, after):
    return sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))


@pytest.fixture
def batch(request):
    return request.getfixturevalue(request.param)


def batch_of(kind, request):
    return request.getfixturevalue("full_batch" if kind.full else "quick_batch")


def record_of(batch, kind):
    return read_record(batch.course.root, ASSIGNMENT, kind.folder)


def page_of(batch, kind):
    folder = batch.course.folder("feedback") / kind.folder / ASSIGNMENT
    return (folder / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")


def with_a_page(batch):
    return [kind for kind in batch.kinds if not batch.by[kind.folder].problem]


def words_to(record):
    """What the student, or whoever reviews, is told: not a word of the notebook itself."""
    yield record["problem"]
    yield from record["notes"]
    for verdict in record["verdicts"]:
        yield verdict["words"]
        yield from (case["message"] for case in verdict["cases"])
    for outputs in record["cells"]:
        errors = [output for output in outputs if output["output_type"] == "error"]
        yield from (f"{one['ename']}: {one['evalue']}" for one in errors)
        yield from (one["evalue"] for one in errors)


def told(record):
    return "\n".join(words_to(record))


def text_of(page):
    """What a page says, without markup."""
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", page)).split())


# ------------------------------------------------------------------------------- the kinds as data


def test_there_are_the_measured_kinds_and_at_least_forty_more():
    assert sum(kind.measured for kind in KINDS) == 56
    assert sum(not kind.measured for kind in KINDS) >= 40
    assert len({kind.name for kind in KINDS}) == len({kind.folder for kind in KINDS}) == len(KINDS)


def test_every_family_has_a_quick_kind_and_every_kind_a_reason():
    families = {kind.family for kind in KINDS}
    assert families == {kind.family for kind in KINDS if not kind.full}
    assert all(len(kind.why.split()) > 2 and kind.why.endswith(".") for kind in KINDS)


# ----------------------------------------------------------------------------------------- a kind


@pytest.mark.parametrize("kind", some)
def test_a_kind_earns_what_its_honest_part_earns(kind, request):
    one = batch_of(kind, request).by[kind.folder]
    if kind.expected is None:
        assert one.problem
        assert not one.marks
        return
    assert not one.problem
    found = {mark.exercise: mark.points for mark in one.marks if not mark.by_hand}
    assert found == pytest.approx(kind.expected), told(record_of(batch_of(kind, request), kind))


@pytest.mark.parametrize("kind", [p for p in some if p.values[0].says])
def test_a_student_or_a_reviewer_is_told_why(kind, request):
    batch = batch_of(kind, request)
    record = record_of(batch, kind)
    said = re.search(kind.says, told(record))
    assert said, told(record)
    if kind.expected is not None:
        page = text_of(page_of(batch, kind))
        assert any(
            re.search(kind.says, w) and " ".join(w.split())[:60] in page for w in words_to(record)
        )


@pytest.mark.parametrize("kind", [p for p in some if p.values[0].repairs])
def test_what_was_mended_is_told(kind, request):
    batch = batch_of(kind, request)
    repairs = [f"{one['where']}: {one['what']}" for one in record_of(batch, kind)["repairs"]]
    assert re.search(kind.repairs, "\n".join(repairs)), repairs


# ------------------------------------------------------------------------------------ a whole batch


@pytest.mark.parametrize("batch", batches, indirect=True)
def test_every_submission_is_accounted_for(batch):
    folders = {kind.folder for kind in batch.kinds}
    assert set(batch.by) == folders
    assert {kind.folder for kind in batch.kinds if record_of(batch, kind)} == folders
    assert all(
        any(name in line for line in batch.lines) for name in ("clean", *sorted(folders)[:3])
    )


@pytest.mark.parametrize("batch", batches, indirect=True)
def test_no_process_is_left_over(batch):
    left = [p.info for p in psutil.process_iter(["pid", "cmdline"]) if is_stray(p.info["cmdline"])]
    assert not left
    ours = psutil.Process().children(recursive=True)
    assert not [p for p in ours if {"bwrap", "enter.py"} & {Path(w).name for w in p.cmdline()}]


def is_stray(command):
    return bool(command) and any(STRAY in word for word in command)


@pytest.mark.parametrize("batch", batches, indirect=True)
def test_nothing_outside_was_changed_and_nobody_was_called(batch, listener):
    assert not batch.changed
    assert not listener.came
    strays = [p for p in ROOT.glob("*/kinds-*") if p.is_file()]
    assert not strays


@pytest.mark.parametrize("batch", batches, indirect=True)
def test_the_gradebook_holds_what_was_judged_and_nothing_else(batch):
    with Gradebook(batch.course.db_url) as gradebook:
        entered = {s.student.id: s for s in gradebook.assignment_submissions(ASSIGNMENT)}
        for kind in with_a_page(batch):
            verdicts = {v["grade_id"]: v["points"] for v in record_of(batch, kind)["verdicts"]}
            grades = [g for n in entered[kind.folder].notebooks for g in n.grades]
            assert all(grade.manual_score is None for grade in grades)
            assert {g.name: g.auto_score for g in grades if g.name in verdicts} == pytest.approx(
                verdicts
            )


@pytest.mark.parametrize("batch", batches, indirect=True)
def test_no_page_shows_a_secret_or_a_foreign_script_or_is_too_long(batch):
    salt, hidden = salt_of(batch.course.root), hidden_inputs(salt_of(batch.course.root))
    assert len(hidden) > 100
    for kind in with_a_page(batch):
        page = page_of(batch, kind)
        assert len(page) < LARGEST_PAGE, kind.name
        assert GOT_OUT not in page, kind.name
        assert salt not in page, kind.name
        assert "<script>alert(1)" not in page, kind.name
        assert not [text for text in hidden if text in page], kind.name


def hidden_inputs(salt):
    """The arrays that the hidden cases alone hand over, as a student would print them."""
    return sorted(inputs(salt) - inputs(None))


def inputs(salt):
    found = set()
    for name in EXERCISES:

        def noted(*args, function):
            arrays = [a for a in args if isinstance(a, np.ndarray) and a.size > 5]
            found.update(text for a in arrays for text in (str(a.tolist()), str(a.tolist()[0])))
            return function(*args)

        functions = {
            n: (lambda *args, f=f: noted(*args, function=f))
            for n, f in solution_functions(name).items()
        }
        run_check(name, LocalSubject(name, functions), salt=salt)
    return {text for text in found if len(text) > 20 and len(set(text)) > 6}
