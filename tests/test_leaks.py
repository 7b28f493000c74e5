import json
import shutil

import pytest

from autograder import build
from autograder.__main__ import main
from autograder.course import ROOT
from autograder.leaks import leaks

TEXT = """\
# %% [markdown]
# # Title: write `total = shown_to_everybody(1)`

# %% nbgrader={"grade_id": "answer", "solution": true}
# exercise: answer
def answer(x):
    ### BEGIN SOLUTION
    secret = x.sum(axis=0) + 41  # the best part
    total = shown_to_everybody(1)
    y = 1
    return secret
    ### END SOLUTION

# %% nbgrader={"grade_id": "test_answer", "points": 2}
### BEGIN HIDDEN TESTS
assert answer(7) == 48
### END HIDDEN TESTS
answer(1)
"""


def cell(source="", **more):
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


@pytest.fixture
def course(tmp_path):
    """A course's root, its release clean; `put` writes another file into the release."""
    source, released = tmp_path / "solutions" / "01_small", tmp_path / "notebooks" / "01_small"
    source.mkdir(parents=True)
    released.mkdir(parents=True)
    (source / "01_small.py").write_text(TEXT)
    hand_out(tmp_path, cell("answer(1)", execution_count=None))
    return tmp_path


def hand_out(course, *cells, metadata=None):
    notebook = {"cells": cells, "metadata": metadata or {}}
    (course / "notebooks/01_small/01_small.ipynb").write_text(json.dumps(notebook))


def found(course):
    return leaks(course / "solutions", course / "notebooks")


def one(course):
    (line,) = found(course)
    return line


# --------------------------------------------------------------------------------- this course


@pytest.mark.parametrize("folder", build.RELEASED)
def test_nothing_that_is_handed_out_gives_anything_away(folder):
    assert leaks(ROOT / "solutions", ROOT / folder) == []


@pytest.mark.parametrize("name", build.assignments())
def test_each_source_notebook_would_be_found_out(name):
    said = leaks(ROOT / "solutions", ROOT / "solutions" / name)
    for what in ("a line between marks", "BEGIN SOLUTION", "an output", "an execution count"):
        assert any(what in line for line in said)


def test_the_command_says_that_nothing_leaks(monkeypatch, capsys):
    monkeypatch.setattr(build, "differences", lambda name: [])
    assert main(["release", "--check", "00_start_here"]) == 0
    assert "leaks: none" in capsys.readouterr().out


def test_the_command_fails_where_something_does(monkeypatch, capsys):
    monkeypatch.setattr(build, "differences", lambda name: [])
    monkeypatch.setattr(build, "leaks", lambda source, released: [f"{released}: the salt"])
    assert main(["release", "--check", "00_start_here"]) == 1
    assert "leaks: 2" in capsys.readouterr().out


# ------------------------------------------------------------------------------- what is found


def test_a_clean_release_has_no_findings(course):
    assert found(course) == []


@pytest.mark.parametrize(
    "source",
    [
        "secret = x.sum(axis=0) + 41",
        "    secret=x.sum( axis = 0 )+41",
        "# before: secret = x.sum(axis=0) + 41, and after",
        "secret = x.sum(\n    axis=0\n) + 41",
        ["secret = x.sum(\n", "axis=0) + 41"],
    ],
)
def test_a_line_of_a_solution_is_found_however_it_is_written(course, source):
    hand_out(course, cell(), cell(source, metadata={"nbgrader": {"grade_id": "answer"}}))
    assert "cell 2 (answer): a line between marks of 01_small, `secret =" in one(course)


def test_short_lines_and_lines_that_are_shown_anyway_give_nothing_away(course):
    hand_out(
        course,
        cell("y = 1"),
        cell("total  = shown_to_everybody(1)"),
        cell("def answer(x):\n    return 0"),
    )
    assert found(course) == []


def test_a_hidden_test_is_found(course):
    hand_out(course, cell("assert answer(7) == 48"))
    assert "assert answer(7) == 48" in one(course)


@pytest.mark.parametrize(
    "mark",
    ["### BEGIN SOLUTION", "###  END SOLUTION", "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"],
)
def test_a_mark_is_found(course, mark):
    hand_out(course, cell(f"x = 1\n{mark}"))
    assert "the mark" in one(course)


def test_outputs_counts_and_foreign_metadata_are_found(course):
    shown = {"output_type": "stream", "name": "stdout", "text": ["1"]}
    hand_out(course, cell(outputs=[shown]), cell(execution_count=3))
    assert [line.partition(": ")[2] for line in found(course)] == [
        "cell 1: an output",
        "cell 2: an execution count",
    ]
    hand_out(course, cell(metadata={"execution": {}}), metadata={"jupytext": {}})
    assert [line.partition(": ")[2] for line in found(course)] == [
        "metadata jupytext",
        "cell 1: metadata execution",
    ]


def test_a_solution_in_an_output_or_in_metadata_is_found(course):
    hand_out(course, cell(metadata={"tags": ["x", "secret = x.sum(axis=0) + 41"]}))
    assert "a line between marks" in one(course)


def test_a_file_beside_the_notebook_is_found_also_in_a_folder_below(course):
    folder = course / "notebooks" / "01_small"
    (folder / ".ipynb_checkpoints").mkdir()
    shutil.copy(folder / "01_small.ipynb", folder / ".ipynb_checkpoints" / "01_small.ipynb")
    (folder / "notes.txt").write_text("nothing")
    assert [line.partition("01_small/")[2] for line in found(course)] == [
        ".ipynb_checkpoints/01_small.ipynb: a file beside a notebook",
        "notes.txt: a file beside a notebook",
    ]


def test_any_text_and_any_json_is_read(course):
    other = course / "notebooks" / "kept"
    other.mkdir()
    (other / "cells.json").write_text(json.dumps([{"stub": "secret = x.sum(axis=0) + 41"}]))
    (other / "notes.md").write_text("`secret = x.sum(axis=0) + 41`")
    (other / "torn.json").write_text("{")
    assert len(found(course)) == 3
    assert "cannot be read as JSON" in found(course)[-1]


def test_a_link_is_found_and_not_followed(course):
    (course / "notebooks" / "more").symlink_to(course / "nowhere")
    assert "a link" in one(course)


def test_an_old_notebook_is_no_hiding_place(course):
    (course / "notebooks/01_small/01_small.ipynb").write_text('{"worksheets": []}')
    assert "no notebook of format 4" in one(course)


def test_the_zoo_is_found_by_a_name_and_by_a_mistake(course):
    hand_out(
        course,
        cell("def one_hot_thermometer(x, V): ..."),
        cell("# The filter is flipped, as in mathematics."),
    )
    assert "the wrong answer one_hot_thermometer" in found(course)[0]
    assert "what is wrong with conv_flipped" in found(course)[1]


def test_the_salt_is_found_by_its_file_and_by_its_value(course):
    (course / ".grading_salt").write_text("0123456789abcdef0123\n")
    hand_out(course, cell("salt = '0123456789abcdef0123'"))
    assert one(course).endswith("cell 1: the salt")
    hand_out(course, cell())
    (course / "notebooks" / ".grading_salt").write_text("another one, of old")
    assert one(course).endswith(".grading_salt: the salt's own file")


def test_nothing_to_compare_with_is_an_error_and_no_clean_bill(course):
    with pytest.raises(FileNotFoundError, match="nothing to compare with"):
        leaks(course / "notebooks", course / "notebooks")
    with pytest.raises(FileNotFoundError, match="make the release first"):
        leaks(course / "solutions", course / "elsewhere")
