"""What students hand in: the notebook is found or it is said why not, and nothing is trusted."""

import json
import os
import re
import shutil
import socket
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert import HTMLExporter

from autograder import intake
from autograder.intake import parsed, take
from autograder.plan import read_plan
from cs_caption.submission.repair import repaired

ROOT = Path(__file__).resolve().parent.parent
NAME = "02_hello_rnn"
FILE = f"{NAME}.ipynb"
RELEASED = (ROOT / "notebooks" / NAME / FILE).read_bytes()
SOLVED = (ROOT / "solutions" / NAME / FILE).read_bytes()
OTHER = (ROOT / "notebooks/01_convnets/01_convnets.ipynb").read_bytes()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "ann" / NAME
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def submission(folder):
    (folder / FILE).write_bytes(SOLVED)
    return folder


def taken(folder):
    """What is taken; what holds for every submission is looked at here."""
    found = take(folder, "ann", NAME)
    assert (found.student, found.assignment) == ("ann", NAME)
    assert bool(found.problem) == (not found.notebook)
    words = [found.problem, *found.notes]
    assert all(line.isprintable() and len(line) < 1500 for line in words)
    assert found == take(folder, "ann", NAME)
    return found


# Which notebook it is


def test_the_notebook_of_the_right_name_is_taken_as_it_is(submission):
    found = taken(submission)
    assert (found.notebook, found.files, found.notes) == (SOLVED, {}, ())


@pytest.mark.parametrize(
    "name",
    [
        "Copy of 02_hello_rnn.ipynb",
        "02_hello_rnn (1).ipynb",
        "02_HELLO_RNN.IPYNB",
        "-rf.ipynb",
        "a\nb.ipynb",
        "*[?].ipynb",
        "x" * 240 + ".ipynb",
        b"\xff\xfe.ipynb",
        "inner/02_hello_rnn.ipynb",
        "02_hello_rnn.ipynb/02_hello_rnn.ipynb",
        "a/b/c/my homework.ipynb",
    ],
)
def test_under_another_name_it_is_taken_and_noted(folder, name):
    path = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SOLVED)
    found = taken(folder)
    assert found.notebook == SOLVED
    assert len(found.notes) == 1
    assert f"taken for {FILE}" in found.notes[0]


def test_the_right_name_wins_over_others(submission):
    (submission / "02_hello_rnn (1).ipynb").write_bytes(RELEASED)
    found = taken(submission)
    assert found.notebook == SOLVED
    assert found.notes == ("left out: 02_hello_rnn (1).ipynb (another notebook)",)


def test_of_several_under_other_names_none_is_guessed(folder):
    (folder / "a.ipynb").write_bytes(SOLVED)
    (folder / "b.ipynb").write_bytes(RELEASED)
    assert taken(folder).problem == f"which one counts? None is called {FILE}: a.ipynb, b.ipynb"


def test_copies_of_one_content_are_one(folder):
    for name in ("a.ipynb", "b.ipynb"):
        (folder / name).write_bytes(SOLVED)
    assert taken(folder).notebook == SOLVED


def test_a_notebook_of_another_assignment_beside_it_is_no_candidate(folder):
    (folder / "a.ipynb").write_bytes(OTHER)
    (folder / "b.ipynb").write_bytes(SOLVED)
    (folder / "broken.ipynb").write_bytes(b"{")
    assert taken(folder).notebook == SOLVED


def test_where_the_right_name_is_a_link_another_is_taken(folder, tmp_path):
    (tmp_path / "elsewhere.ipynb").write_bytes(RELEASED)
    (folder / FILE).symlink_to(tmp_path / "elsewhere.ipynb")
    (folder / "copy.ipynb").write_bytes(SOLVED)
    found = taken(folder)
    assert found.notebook == SOLVED
    assert "which is a link, not a file" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"{ this is no notebook", "it is not JSON"),
        (OTHER, "holds no graded cell of 02_hello_rnn: it is 01_convnets"),
        (b'{"cells": [{"cell_type": "code", "source": "1"}]}', "all its cells are gone"),
        (b'{"cells": []}', "it has no cells"),
    ],
)
@pytest.mark.parametrize("name", [FILE, "other.ipynb"])
def test_a_file_that_holds_no_such_notebook_is_a_problem(folder, name, content, words):
    (folder / name).write_bytes(content)
    problem = taken(folder).problem
    assert words in problem
    assert name in problem


def test_a_notebook_too_large_is_a_problem_and_not_read(folder, monkeypatch):
    with open(folder / FILE, "wb") as file:
        file.truncate(50 * 10**6 + 1)
    monkeypatch.setattr(intake, "_read", lambda *args: pytest.fail("it was read"))
    assert "is larger than 50 MB" in taken(folder).problem


def special(kind, path):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
        os.chdir(here)
    elif kind == "device":
        try:
            os.mknod(path, 0o020666, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("only root makes devices")


SPECIAL = ["pipe", "link", "folder", "socket", "device"]


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_never_opened(folder, kind, monkeypatch):
    special(kind, folder / FILE)
    opened = []
    really = os.open
    monkeypatch.setattr(os, "open", lambda p, *a, **k: opened.append(p) or really(p, *a, **k))
    assert f"{FILE} is a {kind}, not a file" in taken(folder).problem
    assert kind == "folder" or FILE not in opened


@pytest.mark.parametrize("kind", ["pipe", "link", "file", "linked folder", "nothing"])
def test_what_is_no_folder_is_a_problem(tmp_path, kind):
    path = tmp_path / NAME
    if kind == "linked folder":
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / FILE).write_bytes(SOLVED)
        path.symlink_to(tmp_path / "real")
    elif kind == "file":
        path.write_bytes(SOLVED)
    elif kind != "nothing":
        special(kind, path)
    words = "nothing was handed in" if kind == "nothing" else f"is a {kind.split()[0][:4]}"
    assert words in taken(path).problem


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_folder_that_cannot_be_is_a_problem(tmp_path, name):
    assert taken(tmp_path / name).problem


def test_an_empty_folder_is_said(folder):
    (folder / ".DS_Store").write_bytes(b"x")
    assert taken(folder).problem == f"the folder is empty: there is no {FILE}"


@pytest.mark.parametrize("suffix", ["zip", "pdf", "html", "py", "csv"])
def test_an_export_instead_of_the_notebook_is_named(folder, suffix):
    (folder / f"02_hello_rnn.{suffix}").write_bytes(b"x")
    words = f"there is no notebook, only 02_hello_rnn.{suffix}: send the .ipynb itself"
    assert taken(folder).problem == words


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("path", [FILE, "."])
def test_what_may_not_be_read_is_a_problem(submission, path):
    mode = (submission / path).stat().st_mode
    (submission / path).chmod(0)
    try:
        assert "cannot be read" in taken(submission).problem
    finally:
        (submission / path).chmod(mode)


def test_a_file_that_cannot_be_read_is_a_problem(submission, monkeypatch):
    really = os.open

    def refuse(path, *args, **options):
        if path == FILE:
            raise PermissionError(13, "Permission denied")
        return really(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    assert taken(submission).problem == f"{FILE} cannot be read (Permission denied)"


def test_no_handle_is_left_open(submission):
    (submission / "data").mkdir()
    (submission / "data" / "a.txt").write_text("x")
    before = os.listdir("/proc/self/fd")
    taken(submission)
    assert len(os.listdir("/proc/self/fd")) == len(before)


# What lies beside it


def test_a_student_s_helper_and_data_come_along(submission):
    (submission / "data").mkdir()
    (submission / "data" / "words, mine.txt").write_text("hello")
    (submission / "helper.py").write_text("x = 1")
    (submission / "schön.csv").write_text("1")
    found = taken(submission)
    expected = {"data/words, mine.txt": b"hello", "helper.py": b"x = 1", "schön.csv": b"1"}
    assert (found.files, found.notes) == (expected, ())


def test_noise_is_passed_over(submission):
    for name in ("timestamp.txt", ".hidden", ".ipynb_checkpoints/x.ipynb", "__pycache__/x.pyc"):
        (submission / name).parent.mkdir(exist_ok=True)
        (submission / name).write_text("x")
    found = taken(submission)
    assert (found.files, found.notes) == ({}, ())


@pytest.mark.parametrize(
    "name",
    ["-rf", "a\nb", "*.txt", "a\\b", "$(x).py", " x", b"\xff.txt", "x" * 150, "a;b", "\u202etxt"],
)
def test_odd_names_are_left_out(submission, name):
    Path(os.fsdecode(os.path.join(os.fsencode(submission), os.fsencode(name)))).write_text("x")
    found = taken(submission)
    assert found.files == {}
    assert "its name is too long or has strange signs" in found.notes[0]


@pytest.mark.parametrize("kind", [kind for kind in SPECIAL if kind != "folder"])
def test_what_is_no_file_is_left_out(submission, kind):
    special(kind, submission / "thing")
    found = taken(submission)
    assert found.files == {}
    assert found.notes == (f"left out: thing (it is a {kind})",)


def test_a_linked_folder_is_not_entered(submission, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "secret.txt").write_text("x")
    (submission / "data").symlink_to(tmp_path / "real")
    assert taken(submission).files == {}


@pytest.mark.parametrize("name", ["numpy.py", "random.py", "torch/__init__.py", "json.so"])
def test_a_file_that_hides_a_module_is_left_out(submission, name):
    (submission / name).parent.mkdir(exist_ok=True)
    (submission / name).write_text("x")
    found = taken(submission)
    assert found.files == {}
    assert "would hide the module" in found.notes[0]


def test_only_so_much_comes_along(submission):
    for i in range(intake.FILES + 3):
        (submission / f"f{i:03}").write_text("x")
    found = taken(submission)
    assert len(found.files) == intake.FILES
    assert found.notes == ("left out: f200, f201, f202 (at most 200 files and 16 MB come along)",)


def test_a_file_too_large_is_left_out_and_the_next_comes_along(submission):
    with open(submission / "large", "wb") as file:
        file.truncate(intake.FILES_BYTES + 1)
    (submission / "small").write_text("x")
    found = taken(submission)
    assert found.files == {"small": b"x"}
    assert "large" in found.notes[0]


def test_a_folder_with_no_end_of_things_is_cut_short(submission, monkeypatch):
    monkeypatch.setattr(intake, "ENTRIES", 10)
    for i in range(20):
        (submission / f"0{i}").mkdir()
    assert any("more than 10 files and folders" in note for note in taken(submission).notes)


def test_folders_in_one_another_without_end_are_cut_short(submission):
    deep = submission
    for _ in range(30):
        deep = deep / "d"
        deep.mkdir()
    (deep / "x.txt").write_text("x")
    assert taken(submission).files == {}
    shutil.rmtree(submission)


# The notebook's bytes


class Refused(Exception):
    """It was said in words that something is no notebook."""


def notebook(**changes):
    return {**json.loads(SOLVED), **changes}


def read(content):
    """The notebook; what holds for every one that can be read is looked at here."""
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        found = parsed(content)
    except ValueError as error:
        raise (Refused if str(error).startswith("it ") else AssertionError)(str(error)) from error
    nbformat.validate(found)
    assert found == parsed(content)
    nbformat.writes(found).encode()
    return found


def answers(found):
    plan = read_plan(ROOT / "solutions" / NAME / FILE)
    cells, _ = repaired(json.loads(nbformat.writes(found))["cells"], plan.cells)
    labels = {
        c["metadata"]["nbgrader"]["grade_id"]: c for c in cells if "nbgrader" in c["metadata"]
    }
    return {one["grade_id"]: labels[one["grade_id"]]["source"] for one in plan.cells}


def test_our_own_notebook_is_read_without_outputs():
    found, given = read(SOLVED), nbformat.reads(SOLVED, as_version=4)
    assert [(c.id, c.cell_type, c.source) for c in found.cells] == [
        (c.id, c.cell_type, c.source) for c in given.cells
    ]
    assert [c.metadata for c in found.cells] == [
        {k: v for k, v in c.metadata.items() if k in ("nbgrader", "tags")} for c in given.cells
    ]
    assert all(c.outputs == [] and c.execution_count is None for c in found.cells if "outputs" in c)
    assert found.metadata.kernelspec == given.metadata.kernelspec


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_read(encoding):
    assert read(SOLVED.decode().encode(encoding)) == read(SOLVED)


def test_a_notebook_of_before_2015_keeps_its_answers():
    cells = json.loads(SOLVED)["cells"]
    for cell in cells:
        cell["language"] = "python"
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    cells.insert(0, {"cell_type": "heading", "level": 2, "source": "Mine", "metadata": {}})
    cells.insert(1, {"cell_type": "html", "source": "<b>x</b>", "metadata": {}})
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    found = read(old)
    assert answers(found) == answers(read(SOLVED))
    assert [c.source for c in found.cells[:2]] == ["## Mine", "<b>x</b>"]


def test_what_nbformat_makes_of_it_in_its_form_3_keeps_its_answers():
    old = nbformat.v3.nbbase.from_dict(json.loads(SOLVED))
    old = nbformat.convert(nbformat.reads(SOLVED, as_version=4), 3)
    assert answers(read(json.dumps(old).encode())) == answers(read(SOLVED))


@pytest.mark.parametrize("minor", [0, 2, 4, 5, 99, None, "x"])
def test_every_form_4_is_read(minor):
    content = notebook(nbformat_minor=minor)
    for cell in content["cells"]:
        del cell["id"]
    assert answers(read(content)) == answers(read(SOLVED))


def test_ids_are_made_valid_and_unique():
    content = notebook()
    for cell, name in zip(
        content["cells"], ["", "a b", "x" * 65, 3, None, "one", "one"], strict=False
    ):
        cell["id"] = name
    names = [cell.id for cell in read(content).cells]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name in names)


def test_strange_cells_are_made_ordinary():
    pictures = {"a.png": {"image/png": "aGk=", "text/html": "<script>", "image/gif": 3}, "b": 1}
    found = read(
        {
            "cells": [
                None,
                {},
                {"cell_type": "odd", "source": 3, "metadata": [], "id": []},
                {"cell_type": "code", "source": ["a\n", "b", 3], "outputs": "x"},
                {"cell_type": "markdown", "source": "\ud800 x", "attachments": pictures},
                {"cell_type": "code", "metadata": {"tags": [3, "a", "a"], "nbgrader": {"x": [1]}}},
            ],
            "metadata": {"kernelspec": 3, "language_info": {"name": "python", "x": {}}, "y": 1},
        }
    )
    assert [(c.cell_type, c.source) for c in found.cells] == [
        ("raw", ""),
        ("raw", ""),
        ("code", "a\nb"),
        ("markdown", "? x"),
        ("code", ""),
    ]
    assert found.cells[3].attachments == {"a.png": {"image/png": "aGk="}}
    assert found.cells[4].metadata == {"tags": ["a"], "nbgrader": {"x": None}}
    assert found.metadata == {"language_info": {"name": "python"}}
    HTMLExporter().from_notebook_node(found)


def test_labels_keep_their_numbers():
    content = notebook()
    points = [
        c.metadata.nbgrader.get("points") for c in read(content).cells if "nbgrader" in c.metadata
    ]
    given = [c["metadata"]["nbgrader"] for c in content["cells"] if "nbgrader" in c["metadata"]]
    assert [repr(p) for p in points] == [repr(one.get("points")) for one in given]
    assert {"1", "4", "None"} <= {repr(p) for p in points}
    content["cells"][0]["metadata"] = {"nbgrader": {"points": 0.5, "a": float("inf")}}
    assert read(content).cells[0].metadata.nbgrader == {"points": 0.5, "a": None}


@pytest.mark.parametrize(
    "text",
    [
        '{"cells": [{"cell_type": "code", "source": "1", "execution_count": NaN}]}',
        '{"cells": [{"cell_type": "code", "source": "1", "execution_count": %s}]}' % ("9" * 5000),
        '{"cells": [], "cells": [{"cell_type": "code", "source": "1"}]}',
        '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "1", "x": 1e999}]}',
    ],
)
def test_strange_json_is_read(text):
    assert read(text.encode()).cells[0].source == "1"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"PK\x03\x04\x80zip", "it is not JSON"),
        (b"<html></html>", "it is not JSON"),
        (b"[" * 10**6, "it is nested too deeply"),
        (b'{"cells": ' * 10**5, "it is nested too deeply"),
        (b"[1]", "it is not a notebook"),
        (b"null", "it is not a notebook"),
        (b"{}", "it has no cells"),
        (b'{"cells": []}', "it has no cells"),
        (b'{"cells": {"a": 1}}', "it has no cells"),
        (b'{"cells": [1, null]}', "it has no cells"),
        (b'{"worksheets": [[], {"cells": 3}, null]}', "it has no cells"),
        (b'{"nbformat": 5, "cells": [{}]}', "it has the form 5"),
        (b'{"nbformat": "4", "cells": [{}]}', "it has the form 4"),
        (b'{"cells": [' + b"{}," * 5000 + b"{}]}", "it has 5001 cells"),
        (b" " * (50 * 10**6 + 1), "it is larger than 50 MB"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words(content, words):
    with pytest.raises(ValueError, match=words):
        parsed(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "heading", "html"]) | JSON,
        **dict.fromkeys(("source", "input", "level", "id", "metadata", "attachments"), JSON),
    },
)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "nbformat": st.sampled_from([3, 4]) | JSON,
            "metadata": JSON,
            "cells": st.lists(CELL | JSON) | JSON,
            "worksheets": st.lists(st.fixed_dictionaries({"cells": st.lists(CELL)})) | JSON,
        },
    )
    | JSON
)
def test_any_json_is_read_or_refused_in_words(content):
    with suppress(Refused):
        read(content)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(content):
    with pytest.raises(ValueError, match=r"\Ait "):
        parsed(content)
