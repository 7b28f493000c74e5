"""The plan says of a source notebook what grading has to know, and refuses what it cannot judge."""

import json
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from autograder.build import assignments, graded_cells, source_notebook
from autograder.plan import read_plan
from cs_caption.checks import exercises

ROOT = Path(__file__).resolve().parent.parent
NAME = "02_hello_rnn"
ANSWER = """\
# %% nbgrader={"grade_id": "one_hot", "solution": true}
# exercise: one_hot
def one_hot(x, V):
    ### BEGIN SOLUTION
    return 42
    ### END SOLUTION

"""


def plan_of(name=NAME):
    return read_plan(ROOT / "solutions" / name / f"{name}.ipynb")


def plan_from(folder, text):
    path = folder / "09_small.ipynb"
    nbformat.write(source_notebook(text), path)
    return read_plan(path)


def with_test(line, *, tags="", points=2):
    about = f'nbgrader={{"grade_id": "test_one_hot", "points": {points}}}'
    return f"{ANSWER}# %% {tags} {about}\n{line}\n"


@pytest.mark.parametrize("name", assignments())
def test_the_graded_cells_are_those_of_the_release(name):
    of_release = graded_cells(ROOT / "notebooks" / name / f"{name}.ipynb")
    keys = of_release[0].keys() | {"source"}
    cells = plan_of(name).cells
    assert [{k: v for k, v in c.items() if k in keys} for c in cells] == of_release
    assert json.loads(json.dumps(cells)) == list(cells)


@pytest.mark.parametrize("name", assignments())
def test_each_exercise_is_tested_by_one_check_with_the_functions_that_it_needs(name):
    plan = plan_of(name)
    assert plan.own_tests == ()
    for grade_id, test in plan.tests.items():
        exercise = exercises()[test.exercise]
        assert grade_id == test.grade_id == f"test_{test.exercise}"
        assert test.functions == (test.exercise, *exercise.needs)
        assert test.points > 0
    assert list(plan.tests) == [c["grade_id"] for c in plan.cells if c["locked"]]


def test_torch_is_absent_where_the_answers_are_numpy():
    assert "torch" in plan_of().absent
    assert list(plan_of("01_convnets").absent) == sorted(plan_of("01_convnets").absent)


def test_demos_are_the_cells_tagged_so():
    source = nbformat.read(ROOT / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    tagged = {c.source.strip() for c in source.cells if "demo" in c.metadata.get("tags", [])}
    assert plan_of().demos == tagged
    assert tagged


def test_no_line_of_a_solution_is_in_the_plan():
    for cell in plan_of().cells:
        assert "BEGIN SOLUTION" not in json.dumps(cell)
        if not cell["locked"] and cell["cell_type"] == "code":
            assert cell["stub"].endswith("raise NotImplementedError")


def test_a_cell_knows_its_neighbours_in_the_release():
    one_hot, test = plan_of().cells[:2]
    assert one_hot["after"] == {"id": "test_one_hot", "source": test["source"]}
    assert test["before"] == {"id": "one_hot", "source": one_hot["stub"]}
    assert one_hot["before"]["source"].startswith("##")


def test_the_digest_changes_with_anything_that_touches_grading():
    plan = plan_of()
    assert plan.digest == plan_of().digest
    changed = [
        replace(plan, demos=frozenset()),
        replace(plan, cells=plan.cells[1:]),
        replace(plan, absent=()),
        replace(plan, tests={}),
    ]
    assert len({plan.digest, *(one.digest for one in changed)}) == 5


@pytest.mark.parametrize(
    "line",
    [
        'check("one_hot", one_hot)',
        '# first a word\n\ncheck("one_hot", one_hot)  # and one more',
        "check('one_hot', one_hot,)",
        'check(\n    "one_hot",\n    my_one_hot,\n)',
    ],
)
def test_a_check_and_comments_are_a_test(tmp_path, line):
    plan = plan_from(tmp_path, with_test(line, tags='tags=["ext"]', points=0.5))
    test = plan.tests["test_one_hot"]
    assert test.exercise == "one_hot"
    assert test.functions[0].endswith("one_hot")
    assert (test.points, test.bonus) == (0.5, True)


@pytest.mark.parametrize(
    "line",
    [
        'check("one_hot", one_hot, seed=3)',
        'report = check("one_hot", one_hot)',
        'check("one_hot", one_hot)\nassert True',
        '### BEGIN HIDDEN TESTS\nimport os\n### END HIDDEN TESTS\ncheck("one_hot", one_hot)',
        'check("one_hot", lambda x, V: 1)',
        'check("one_hot", *functions)',
        'check("one_hot")',
        "check(name, one_hot)",
        'checks.check("one_hot", one_hot)',
        "assert one_hot(1, 3)[1] == 1",
        "%time 1",
    ],
)
def test_anything_else_is_a_test_of_its_own(tmp_path, line):
    plan = plan_from(tmp_path, with_test(line))
    assert plan.tests == {}
    assert plan.own_tests == ("test_one_hot",)
    assert "HIDDEN" not in plan.cells[1]["source"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('check("onehot", one_hot)', "test_one_hot checks 'onehot'"),
        ('check("one_hot", one_hot, other)', r'test_one_hot .* write check\("one_hot", one_hot\)'),
        ('check("rnn_step_backward", one_hot)', "rnn_step_backward, rnn_step_forward"),
    ],
)
def test_a_check_that_cannot_be_run_is_refused(tmp_path, line, words):
    with pytest.raises(ValueError, match=words):
        plan_from(tmp_path, with_test(line))


def test_a_label_that_could_not_be_made_anew_is_refused(tmp_path):
    task = '# %% [markdown] nbgrader={"grade_id": "draw", "points": 3, "task": true}\n# Draw.\n'
    with pytest.raises(ValueError, match="the graded cell draw says task=True"):
        plan_from(tmp_path, task)


def test_no_source_notebook_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no source notebook"):
        read_plan(tmp_path / "none.ipynb")
