import json
import traceback

import numpy as np
import pytest

from autograder.zoo import SOLUTIONS
from cs_caption.from_notebook import from_notebook

NOTEBOOK, STEP, RUN = "03_lstm_gates", "lstm_step_forward", "lstm_forward"
WRITTEN = f"def {STEP}(x):\n    return x + 1\n"
STUB = f'def {STEP}(x):\n    """Make a step."""\n    raise NotImplementedError\n'


def cell(source, grade_id="", *, tags=(), points=None):
    label = {"grade_id": grade_id, "solution": points is None, "grade": points is not None}
    metadata = {"tags": list(tags)} | ({"nbgrader": label} if grade_id else {})
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": []}


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Write notebook 03 beside the folder that is the working one."""
    here, there = tmp_path / "04_captioning", tmp_path / NOTEBOOK
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)

    def write(*cells, folder=there):
        text = json.dumps({"cells": list(cells), "nbformat": 4, "nbformat_minor": 5})
        (folder / f"{NOTEBOOK}.ipynb").write_text(text, encoding="utf-8")

    return write


def test_a_function_is_found_by_its_cell_and_it_is_said_whose_it_is(beside, capsys):
    beside(cell(WRITTEN, STEP))
    assert from_notebook(NOTEBOOK, STEP)(2) == 3
    assert capsys.readouterr().out == f"{STEP}: yours, out of ../{NOTEBOOK}/{NOTEBOOK}.ipynb\n"


def test_the_same_folder_will_do(beside, tmp_path, capsys):
    beside(cell(WRITTEN, STEP), folder=tmp_path / "04_captioning")
    assert from_notebook(NOTEBOOK, STEP)(2) == 3
    assert f"yours, out of {NOTEBOOK}.ipynb" in capsys.readouterr().out


def test_what_it_calls_comes_with_it_whatever_it_is_bound_by(beside):
    beside(
        cell("%matplotlib inline\nimport numpy as np\nfrom math import pi as half_turn"),
        cell("try:\n    ONE = 1\nexcept NameError:\n    ONE = 2"),
        cell("def twice(f):\n    return lambda *args: 2 * f(*args)\n"),
        cell(WRITTEN.replace("x + 1", "np.cos(half_turn) * x + ONE"), STEP),
        cell(f"@twice\ndef {RUN}(x):\n    return [{STEP}(each) for each in x]\n", RUN),
    )
    assert from_notebook(NOTEBOOK, RUN)([1, 5]) == [0, -4, 0, -4]


def test_nothing_is_run_that_it_does_not_need(beside, capsys):
    beside(
        cell("print('loud')\nraise SystemExit"),
        cell("import nothing_that_exists\nx = 1 / 0"),
        cell("y = train(", tags=["demo"]),
        cell(WRITTEN + "print('in its own cell')", STEP),
        cell(f"check('{STEP}', {STEP})", f"test_{STEP}", points=2),
    )
    assert from_notebook(NOTEBOOK, STEP)(2) == 3
    assert "loud" not in (out := capsys.readouterr().out)
    assert "own cell" not in out


def test_a_name_of_its_own_is_not_looked_for_in_the_notebook(beside):
    own = f"def {STEP}(x):\n    W = [w for w in range(x)]\n    return len(W)\n"
    beside(cell("W = x = w = 1 / 0"), cell(own, STEP))
    assert from_notebook(NOTEBOOK, STEP)(3) == 3


def test_of_several_definitions_the_one_in_the_labelled_cell_counts(beside):
    draft = WRITTEN.replace("+ 1", "- 1")
    beside(cell(draft), cell(WRITTEN, STEP), cell(draft))
    assert from_notebook(NOTEBOOK, STEP)(2) == 3


def test_of_several_values_of_a_name_the_last_counts(beside):
    beside(cell("ONE = 7"), cell(WRITTEN.replace("1", "ONE"), STEP), cell("ONE = 1"))
    assert from_notebook(NOTEBOOK, STEP)(2) == 3


def test_a_cell_that_lost_its_label_is_known_by_its_first_line(beside):
    beside(cell(f"# exercise: {STEP}\n{WRITTEN}"))
    assert from_notebook(NOTEBOOK, STEP)(2) == 3


NOT_THERE = {
    "a stub": ([cell(STUB, STEP)], "it is not written yet"),
    "a stub with words": (
        [cell(STUB.replace("Error", "Error('later')"), STEP)],
        "it is not written yet",
    ),
    "the stub that it calls": (
        [cell(STUB, STEP), cell(f"def {RUN}(x):\n    return {STEP}(x)\n", RUN)],
        f"{STEP}, which it needs, is not written yet",
    ),
    "another name": ([cell(WRITTEN.replace("step", "stop"), STEP)], "no cell defines it"),
    "a name that nobody defines": (
        [cell(WRITTEN.replace("1", "ONE"), STEP)],
        "it needs ONE, which no cell defines",
    ),
    "a name out of a demonstration": (
        [cell("ONE = 1", tags=["demo"]), cell(WRITTEN.replace("1", "ONE"), STEP)],
        "it needs ONE, which no cell defines",
    ),
    "a name out of a test": (
        [
            cell("ONE = 1", f"test_{STEP}", points=2),
            cell(WRITTEN.replace("1", "ONE"), STEP),
        ],
        "it needs ONE, which no cell defines",
    ),
    "no Python": ([cell("def f(:\n", STEP)], "its cell (cell 1, line 1) is not Python"),
    "a value that cannot be made": (
        [cell("ONE = 1 / 0"), cell(WRITTEN.replace("1", "ONE"), STEP)],
        "cell 1 stopped with ZeroDivisionError",
    ),
    "no cells": ([], "no cell defines it"),
}


@pytest.mark.parametrize("what", NOT_THERE)
def test_where_there_is_none_it_is_none_and_the_reason_is_said(what, beside, capsys):
    cells, words = NOT_THERE[what]
    beside(*cells)
    exercise = RUN if "which it needs" in words else STEP
    assert from_notebook(NOTEBOOK, exercise) is None
    assert f"{exercise}: none of yours; " in (out := capsys.readouterr().out)
    assert words in out


def test_a_function_that_refuses_its_arguments_first_is_no_stub(beside):
    refusing = f"def {STEP}(x):\n    raise ValueError(x)\n"
    beside(cell(refusing, STEP))
    with pytest.raises(ValueError, match="7"):
        from_notebook(NOTEBOOK, STEP)(7)


def test_where_there_is_no_notebook_both_places_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert from_notebook(NOTEBOOK, STEP) is None
    assert f"neither ../{NOTEBOOK}/{NOTEBOOK}.ipynb nor {NOTEBOOK}.ipynb" in capsys.readouterr().out


def test_a_damaged_notebook_is_named(beside, tmp_path, capsys):
    (tmp_path / NOTEBOOK / f"{NOTEBOOK}.ipynb").write_text("{", encoding="utf-8")
    assert from_notebook(NOTEBOOK, STEP) is None
    assert "not JSON" in capsys.readouterr().out


def test_an_unknown_notebook_or_exercise_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="there are 00_start_here"):
        from_notebook("no_such", STEP)
    with pytest.raises(ValueError, match="it has gradient_norms"):
        from_notebook(NOTEBOOK, f"test_{STEP}")


def test_a_traceback_shows_the_line_of_the_other_notebook(beside):
    beside(cell("import numpy as np"), cell(WRITTEN.replace("x + 1", "x / 0"), STEP))
    step = from_notebook(NOTEBOOK, STEP)
    with pytest.raises(ZeroDivisionError) as caught:
        step(1)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno, last.line) == (f"<{NOTEBOOK}, cell 2>", 2, "return x / 0")


def test_the_solutions_lstm_runs_outside_of_its_notebook(monkeypatch):
    monkeypatch.chdir(SOLUTIONS / "04_captioning")
    rng = np.random.default_rng(0)
    shapes = ((2, 3, 4), (2, 5), (2, 5), (4, 20), (5, 20), (20,))
    x, h0, c0, *weights = (rng.standard_normal(shape) for shape in shapes)
    h, c, _ = from_notebook(NOTEBOOK, RUN)(x, h0, c0, *weights)
    first_h, first_c, _ = from_notebook(NOTEBOOK, STEP)(x[:, 0], h0, c0, *weights)
    assert np.array_equal(h[:, 0], first_h)
    assert np.array_equal(c[:, 0], first_c)


def test_the_released_notebook_has_stubs_only(monkeypatch, capsys):
    notebooks = SOLUTIONS.parent / "notebooks"
    monkeypatch.chdir(notebooks / NOTEBOOK)
    assert from_notebook(NOTEBOOK, STEP) is None
    assert "not written yet" in capsys.readouterr().out
