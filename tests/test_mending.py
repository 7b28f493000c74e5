"""A submission mended, and told so: on the release of a notebook, damaged."""

from pathlib import Path

import nbformat
import pytest

from autograder.mending import HEADING, mended, repairs_told, tell
from autograder.plan import read_plan
from autograder.records import new_record

ROOT = Path(__file__).resolve().parent.parent
NAME = "02_hello_rnn"


@pytest.fixture(scope="module")
def plan():
    return read_plan(ROOT / "solutions" / NAME / f"{NAME}.ipynb")


@pytest.fixture
def release():
    return nbformat.read(ROOT / "notebooks" / NAME / f"{NAME}.ipynb", as_version=4)


def test_an_untouched_notebook_is_told_nothing(plan, release):
    notebook, repairs = mended(release, plan)
    assert repairs == []
    assert len(notebook.cells) == len(release.cells)
    nbformat.validate(notebook)


def test_what_was_mended_stands_on_top_once(plan, release):
    release.cells = [cell for cell in release.cells if not cell.source.startswith("check(")]
    notebook, repairs = mended(release, plan)
    assert len(repairs) == len(plan.tests)
    assert notebook.cells[0].source.startswith(HEADING)
    assert repairs_told(notebook) == repairs
    nbformat.validate(notebook)
    tell(notebook, repairs)
    assert sum(cell.source.startswith(HEADING) for cell in notebook.cells) == 1


def test_a_mended_notebook_needs_no_mending(plan, release):
    release.cells = release.cells[::-1]
    once, _ = mended(release, plan)
    again, repairs = mended(once, plan)
    assert repairs == []
    assert [cell.source for cell in again.cells] == [cell.source for cell in once.cells[1:]]


def test_a_students_own_note_of_repairs_is_dropped(plan, release):
    tell(release, [{"where": "me", "what": "I was right all along"}])
    notebook, repairs = mended(release, plan)
    assert repairs == []
    assert repairs_told(notebook) == []


def test_what_was_earned_stands_on_top_with_the_first_thing_to_look_at(release):
    case = {"title": "a <b>", "passed": False, "message": "*sign* <script>", "hidden": False}
    verdict = {
        "grade_id": "test_one_hot",
        "exercise": "one_hot",
        "points": 0.5,
        "max_points": 1.0,
        "bonus": False,
        "seconds": 0.1,
        "words": "",
        "cases": [case | {"passed": True, "title": "fine"}, case],
    }
    tell(release, [], new_record("ann", NAME, verdicts=[verdict], notes=["cell 7: it died <i>"]))
    top = release.cells[0].source
    assert "By the checks: 0.5 of 1 points" in top
    assert "a &lt;b&gt;: *sign* &lt;script&gt;" in top
    assert "fine" not in top
    assert "<li>cell 7: it died &lt;i&gt;</li>" in top
    assert HEADING not in top
