"""Notebook 02: the solution is right, what the text states is true, and everybody can read it."""

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest

from autograder.build import source_notebook
from autograder.measure import measurements_of
from cs_caption import check, measured

NAME = "02_hello_rnn"
FOLDER = Path(__file__).resolve().parent.parent / "solutions" / NAME
TEXT = FOLDER / f"{NAME}.py"
NEEDS = {"rnn_step_backward": ["rnn_step_forward"]}


@pytest.fixture(scope="module")
def space():
    """All that the text defines, run as the script that it is."""
    names = {"__name__": NAME}
    exec(compile(TEXT.read_text(), TEXT, "exec"), names)
    return names


@pytest.fixture(scope="module")
def executed():
    return nbformat.read(FOLDER / f"{NAME}.ipynb", as_version=4).cells


def points_of(cells):
    """Points by exercise, from the metadata of the test cells."""
    graded = [cell.metadata.get("nbgrader", {}) for cell in cells]
    return {
        about["grade_id"].removeprefix("test_"): about["points"]
        for about in graded
        if about.get("grade") and not about["solution"]
    }


def html_of(cells):
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(output.data["text/html"] for output in outputs if "text/html" in str(output))


@pytest.mark.parametrize("exercise", points_of(source_notebook(TEXT.read_text()).cells))
def test_the_solution_gets_the_points_that_the_notebook_states(space, executed, exercise):
    needs = [space[name] for name in NEEDS.get(exercise, [])]
    report = check(exercise, space[exercise], *needs)
    assert report.passed, report
    assert report.max_points == points_of(executed)[exercise]


@pytest.mark.parametrize("exercise", points_of(source_notebook(TEXT.read_text()).cells))
def test_the_plan_and_the_exercise_state_the_same_points_and_minutes(executed, exercise):
    points = points_of(executed)[exercise]
    text = " ".join("\n".join(cell.source for cell in executed).split())
    plan = re.search(rf"\| `{exercise}` \| [^|]* \| (\d+) \| (\d+) \|", text)
    said = re.search(rf"\((\d+) points?, about (\d+) minutes\)\. Write `{exercise}`", text)
    assert plan.groups() == said.groups()
    assert plan[1] == str(points)


def test_the_executed_notebook_shows_full_marks(executed):
    shown = {
        cell.metadata.nbgrader.grade_id: cell.outputs[-1].data["text/plain"]
        for cell in executed
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert shown == {f"test_{name}": str(points) for name, points in points_of(executed).items()}


@pytest.mark.parametrize("seed", range(3))
def test_the_network_says_hello_and_without_memory_it_cannot(space, seed):
    network, losses = space["train"](seed)
    forgetful, losses_without = space["train"](seed, memory=False)
    assert space["speak"](network) == "hello"
    assert space["speak"](forgetful) != "hello"
    assert losses[0] == pytest.approx(np.log(4), abs=1e-3)
    assert losses_without[-1] == pytest.approx(np.log(2) / 2, abs=0.01)


def test_the_numbers_worked_by_hand_are_right(space):
    forward, backward = space["rnn_step_forward"], space["rnn_step_backward"]
    one = np.ones((1, 1))
    _, cache = forward(one, 0.4 * one, 0.6 * one, -0.5 * one, np.array([0.2]))
    found = [float(np.squeeze(grad)) for grad in backward(one, cache)]
    assert np.round(found, 2).tolist() == [0.43, -0.36, 0.71, 0.28, 0.71]
    assert np.round(space["state_h"], 2).tolist() == [[0.46, -0.76]]
    assert np.round(space["state_he"], 2).tolist() == [[0.23, 0.43]]
    assert round(25 * np.log(4), 2) == 34.66
    assert round(np.log(10_001), 2) == 9.21


def test_the_record_is_of_these_measurements_and_holds_them(space):
    text = repr(measured.beside(NAME, space["measurements"], seed=0))
    assert text.count(" inside") == len(measured.load(NAME)["found"])
    assert "OUTSIDE" not in text


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_lingers_where_the_text_says(space, seed):
    _, losses = space["train"](seed, steps=40)
    slowest = int(np.argmin(-np.diff(losses)))
    assert 12 <= slowest <= 25
    assert losses[slowest] == pytest.approx(1.1, abs=0.05)


def test_the_lead_of_l_that_the_text_states_is_the_recorded_one(executed):
    text = " ".join("\n".join(cell.source for cell in executed).split())
    said = re.search(r"with each of (\d+) seeds \*l\* is ahead, by ([\d.]+) to ([\d.]+)", text)
    record = measured.load(NAME)
    lowest, _, highest = record["found"]["probability of l minus that of o after l, without memory"]
    assert said.groups() == (str(record["seeds"]), f"{lowest:.4f}", f"{highest:.4f}")


@pytest.mark.parametrize("after_e", "lo")
def test_without_memory_the_letter_that_also_follows_e_is_ahead_after_l(
    space, monkeypatch, after_e
):
    answers = [space["number"][letter] for letter in f"e{after_e}lo"]
    monkeypatch.setitem(space, "y_ids", np.array([answers]))
    forgetful, _ = space["train"](seed=0, memory=False)
    assert (space["lead_of_l"](forgetful) > 0) == (after_e == "l")


def test_measuring_runs_no_test_and_no_demonstration():
    measure = measurements_of(TEXT)
    assert "network" not in measure.__globals__  # the demonstrations train one
    assert measure(1)["letters spoken right, of 4"] == 4


def test_headings_go_down_by_one_level_from_a_single_title(executed):
    text = "\n".join(c.source for c in executed if c.cell_type == "markdown")
    text = text.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
    levels = [len(mark) for mark in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_picture_says_in_words_what_it_shows(executed):
    html = html_of(executed)
    pictures = re.findall(r"<img [^>]*>", html)
    assert pictures
    assert all(re.search(r'alt="[^"]{20,}"', picture) for picture in pictures)
    assert not any("image/png" in o.get("data", {}) for c in executed for o in c.get("outputs", []))
    assert "http" not in html.replace("http://www.w3.org", "")


def test_no_cell_waits_for_the_network_or_a_gpu():
    assert not re.search(r"https?://|cuda|requests|urllib|%pip|!pip", TEXT.read_text())
