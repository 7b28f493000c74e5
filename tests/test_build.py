"""The notebooks that are committed are the ones that their texts make."""

import ast
import json
import shutil
from pathlib import Path

import nbformat
import pytest

from autograder import build
from autograder.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
TEXT = """\
# %% [markdown]
# # Title

# %% nbgrader={"grade_id": "answer", "solution": true}
# exercise: answer
def answer():
    ### BEGIN SOLUTION
    return 42
    ### END SOLUTION

# %% tags=["ext"] nbgrader={"grade_id": "test_answer", "points": 2}
answer()

# %% tags=["demo"]
print("shown")
"""


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def released(name):
    return ROOT / "notebooks" / name / f"{name}.ipynb"


@pytest.fixture
def small_course(tmp_path):
    folder = tmp_path / "solutions" / "01_small"
    folder.mkdir(parents=True)
    (folder / "01_small.py").write_text(TEXT)
    return tmp_path


@pytest.mark.parametrize("name", build.assignments())
def test_committed_notebooks_are_what_their_text_makes(name):
    assert build.differences(name) == []


@pytest.mark.parametrize("name", build.assignments())
def test_the_source_holds_nothing_but_the_text_and_the_notebook(name):
    assert {p.name for p in (ROOT / "solutions" / name).iterdir() if p.name != "__pycache__"} == {
        f"{name}.py",
        f"{name}.ipynb",
    }


@pytest.mark.parametrize("name", build.assignments())
def test_the_release_has_stubs_that_only_raise(name):
    for cell in cells_of(released(name)):
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution"):
            assert cell.source.startswith(f"# exercise: {cell.metadata.nbgrader.grade_id}\n")
            (function,) = ast.parse(cell.source).body
            docstring, stub = function.body
            assert isinstance(docstring.value, ast.Constant)
            assert ast.unparse(stub) == "raise NotImplementedError"


@pytest.mark.parametrize("name", build.assignments())
def test_the_committed_source_notebook_has_run_without_an_error(name):
    path = ROOT / "solutions" / name / f"{name}.ipynb"
    code = [cell for cell in cells_of(path) if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert "execution" not in cell.metadata
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


def test_a_change_of_the_text_is_told(small_course):
    build.make("01_small", small_course, execute=False)
    assert build.differences("01_small", small_course) == []
    text = small_course / "solutions/01_small/01_small.py"
    text.write_text(TEXT.replace("# # Title", "# # Another title"))
    diff = build.differences("01_small", small_course)
    assert "--- solutions/01_small/01_small.ipynb (committed)" in diff
    assert "--- notebooks/01_small/01_small.ipynb (committed)" in diff
    assert any(line.startswith("+") and "Another title" in line for line in diff)


def test_a_missing_notebook_is_told(small_course):
    build.make("01_small", small_course, execute=False)
    shutil.rmtree(small_course / "notebooks")
    assert build.differences("01_small", small_course) == [
        "notebooks/01_small/01_small.ipynb is missing"
    ]


def test_making_twice_gives_the_same_bytes_and_leaves_no_gradebook(small_course):
    first = [path.read_bytes() for path in build.make("01_small", small_course)]
    assert [path.read_bytes() for path in build.make("01_small", small_course)] == first
    made = sorted(p.name for p in small_course.iterdir())
    assert made == ["cs_caption", "notebooks", "solutions"]


def test_the_graded_cells_are_kept_for_students_to_check_by(small_course):
    build.make("01_small", small_course, execute=False)
    kept = json.loads((small_course / "cs_caption/releases/01_small.json").read_text())
    stub = "# exercise: answer\ndef answer():\n    raise NotImplementedError"
    common = {"cell_type": "code"}
    assert kept == [
        common | {"grade_id": "answer", "points": None, "locked": False, "stub": stub, "tags": []},
        common
        | {
            "grade_id": "test_answer",
            "points": 2,
            "locked": True,
            "source": "answer()",
            "tags": ["ext"],
        },
    ]


def test_graded_cells_that_are_out_of_date_are_told(small_course):
    build.make("01_small", small_course, execute=False)
    kept = small_course / "cs_caption/releases/01_small.json"
    kept.write_text(kept.read_text().replace('"points": 2', '"points": 3'))
    diff = build.differences("01_small", small_course)
    assert "--- cs_caption/releases/01_small.json (committed)" in diff
    assert '+  "points": 2,' in diff
    kept.unlink()
    assert build.differences("01_small", small_course) == [
        "cs_caption/releases/01_small.json is missing"
    ]


def test_the_kept_cells_are_those_of_the_notebooks_there_are():
    kept = sorted(p.stem for p in (ROOT / "cs_caption" / "releases").iterdir())
    assert kept == build.assignments()


def test_a_solution_runs_at_full_budget(monkeypatch):
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    text = "# %%\nfrom cs_caption.budget import budget\nbudget('all', 'little')\n"
    (cell,) = build.executed(build.source_notebook(text)).cells
    assert cell.outputs[0].data["text/plain"] == "'all'"


def test_metadata_that_every_cell_has_need_not_be_written():
    _, answer, test, _ = build.source_notebook(TEXT).cells
    common = {"schema_version": 3, "task": False}
    assert answer.metadata.nbgrader == {
        **common, "grade_id": "answer", "solution": True, "grade": False, "locked": False,
    }  # fmt: skip
    assert test.metadata.nbgrader == {
        **common, "grade_id": "test_answer", "points": 2, "solution": False, "grade": True,
        "locked": True,
    }  # fmt: skip


def test_a_new_cell_renames_no_cell_of_another_section():
    other = "\n# %% [markdown]\n# ## Next\n\n# %%\n1 + 1\n"
    before = [cell.id for cell in build.source_notebook(TEXT + other).cells]
    after = [cell.id for cell in build.source_notebook(TEXT + "\n# %%\n3\n" + other).cells]
    assert after[:4] + after[5:] == before


def test_two_cells_of_one_name_are_refused():
    with pytest.raises(ValueError, match="share the ids answer"):
        build.source_notebook(TEXT + TEXT.replace("# # Title", "# # Other"))


def test_a_solution_that_fails_is_not_released(small_course):
    text = small_course / "solutions/01_small/01_small.py"
    text.write_text(TEXT.replace("return 42", "return 1 / 0"))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        build.make("01_small", small_course)
    assert not (small_course / "notebooks").exists()


def test_the_command_refuses_an_unknown_notebook(capsys):
    assert main(["release", "--check", "99_none"]) == 2
    assert "no notebook 99_none" in capsys.readouterr().err


def test_the_command_says_when_all_is_as_made(capsys):
    assert main(["release", "--check"]) == 0
    assert "02_hello_rnn: the notebooks are what their text makes" in capsys.readouterr().out
