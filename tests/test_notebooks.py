"""Every notebook: the solution earns what is stated, and everybody can read it."""

import re
from itertools import pairwise

import pytest

from autograder.build import assignments
from autograder.zoo import functions_of
from cs_caption import check
from cs_caption.checks import exercises
from notebooks import executed, headings_of, html_of, points_of, text_of, words_of

NAMES = assignments()
EXERCISES = [(name, exercise) for name in NAMES for exercise in points_of(name)]


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_the_solution_gets_the_points_that_the_notebook_states(name, exercise):
    functions = functions_of(text_of(name))
    report = check(exercise, *(functions[f] for f in (exercise, *exercises()[exercise].needs)))
    assert report.passed, report
    assert report.max_points == points_of(name)[exercise]


@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_the_plan_and_the_exercise_state_the_same_points_and_minutes(name, exercise):
    text = words_of(name)
    plan = re.search(rf"\| `{exercise}`[^|]* \| [^|]* \| (\d+)[^|]* \| (\d+) \|", text)
    said = re.search(rf"\((\d+) points?, about (\d+) minutes\)\. Write `{exercise}`", text)
    assert plan.groups() == said.groups()
    assert plan[1] == str(points_of(name)[exercise])


@pytest.mark.parametrize("name", NAMES)
def test_the_executed_notebook_shows_full_marks(name):
    shown = {
        cell.metadata.nbgrader.grade_id: cell.outputs[-1].data["text/plain"]
        for cell in executed(name)
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert shown == {f"test_{name}": str(points) for name, points in points_of(name).items()}


@pytest.mark.parametrize("name", NAMES)
def test_headings_go_down_by_one_level_from_a_single_title(name):
    levels = headings_of(name)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_says_in_words_what_it_shows(name):
    pictures = re.findall(r"<img [^>]*>", html_of(name))
    assert pictures
    assert all(re.search(r'alt="[^"]{20,}"', picture) for picture in pictures)
    outputs = [o for cell in executed(name) for o in cell.get("outputs", [])]
    assert not any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_shown_is_fetched(name):
    assert "http" not in html_of(name).replace("http://www.w3.org", "")


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_waits_for_the_network_or_a_gpu(name):
    code = "\n".join(cell.source for cell in executed(name) if cell.cell_type == "code")
    assert not re.search(r"https?://|cuda|requests|urllib|%pip|!pip", code)
