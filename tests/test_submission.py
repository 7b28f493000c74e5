"""A submission is held against its release; each thing that can be amiss is found, in words."""

import json
from pathlib import Path

import pytest

from cs_caption.__main__ import main
from cs_caption.submission import examine, pairs, report
from notebooks import points_of

ROOT = Path(__file__).resolve().parent.parent
NAME = "02_hello_rnn"
EXERCISES = [*points_of(NAME)]
BONUS = ["rmsprop", "multilayer_rnn_forward"]
RELEASED = ROOT / "notebooks" / NAME / f"{NAME}.ipynb"
SOLUTION = ROOT / "solutions" / NAME / f"{NAME}.ipynb"


class Notebook:
    """The release, solved and run; to be spoilt in a test and then saved."""

    def __init__(self, folder):
        self.path = folder / f"{NAME}.ipynb"
        self.content = json.loads(RELEASED.read_text())
        solved = {cell["id"]: cell for cell in json.loads(SOLUTION.read_text())["cells"]}
        for cell in self.cells:
            source = solved[cell["id"]]["source"]
            cell["source"] = [line for line in source if "SOLUTION" not in line]
            for key in {"outputs", "execution_count"} & cell.keys():
                cell[key] = solved[cell["id"]][key]

    @property
    def cells(self):
        return self.content["cells"]

    def __getitem__(self, grade_id):
        """The cell of this id."""
        return next(cell for cell in self.cells if cell.get("id") == grade_id)

    def drop_labels(self, *grade_ids, ids=True):
        for grade_id in grade_ids:
            cell = self[grade_id]
            del cell["metadata"]["nbgrader"]
            if not ids:
                del cell["id"]

    def save(self):
        self.path.write_text(json.dumps(self.content))
        return self.path

    def found(self):
        """All that is found, as (where, found, remedy, mend)."""
        return [tuple(vars(one).values()) for one in examine(self.save()).findings]

    def only(self):
        """The one thing that is found."""
        (found,) = examine(self.save()).findings
        return found

    def points(self, exercise):
        scores = {score.exercise: score.points for score in examine(self.save()).scores}
        return scores[exercise]


@pytest.fixture
def notebook(tmp_path):
    return Notebook(tmp_path)


def wanted_stub(grade_id):
    return next(one for one in pairs.releases()[NAME] if one["grade_id"] == grade_id)["stub"]


def shows(value):
    data = {"text/plain": [str(value)]}
    return [{"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}]


def test_a_solved_notebook_has_nothing_to_mend_and_full_points(notebook):
    done = examine(notebook.save())
    assert done.findings == ()
    assert done.assignment == NAME
    assert done.total == (
        "As last run: 20 of 20 points, bonus 3 of 3, and a question graded by hand (4)."
    )


def test_the_solution_itself_passes_as_complete(capsys):
    assert main(["check", str(SOLUTION)]) == 0
    said = capsys.readouterr().out
    assert "20 of 20 points, bonus 3 of 3" in said
    assert "Nothing to mend" in said


def test_the_untouched_release_reports_every_stub(capsys):
    assert main(["check", str(RELEASED)]) == 1
    done = examine(RELEASED)
    unwritten = [one.where.split()[0] for one in done.to_mend if one.found == "not written yet"]
    assert unwritten == [name for name in EXERCISES if name not in BONUS]
    assert [one.found for one in done.to_mend if one.where.startswith("why_added")] == [
        "the question is not answered yet"
    ]
    assert len(done.findings) == len(EXERCISES) + 1
    assert "As last run: 0 of 20 points" in capsys.readouterr().out


# What cannot be examined


def test_a_missing_file_is_said_with_what_is_there(notebook, tmp_path, capsys):
    notebook.save()
    assert main(["check", str(tmp_path / "02_helo_rnn.ipynb")]) == 2
    said = capsys.readouterr().err
    assert "there is no file" in said
    assert "there are 02_hello_rnn.ipynb" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("print(1)", "not JSON"),
        ("", "not JSON"),
        ("[1]", "no cells"),
        ("{}", "no cells"),
        ('{"cells": [1]}', "broken"),
        ('{"cells": [{"cell_type": "code", "source": null}]}', "broken"),
        ('{"cells": [{"cell_type": "code", "metadata": []}]}', "broken"),
        ('{"nbformat": 3, "worksheets": []}', "before 2015"),
    ],
)
def test_what_is_not_a_notebook_is_refused_in_words(tmp_path, capsys, text, words):
    path = tmp_path / f"{NAME}.ipynb"
    path.write_text(text)
    assert main(["check", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_bytes_that_are_no_text_are_refused_in_words(tmp_path, capsys):
    path = tmp_path / f"{NAME}.ipynb"
    path.write_bytes(b"\xff\xfe\x00")
    assert main(["check", str(path)]) == 2
    assert "not JSON" in capsys.readouterr().err


def test_a_notebook_of_something_else_is_refused(notebook, capsys):
    notebook.content["cells"] = [{"cell_type": "code", "metadata": {}, "source": "1 + 1"}]
    assert main(["check", str(notebook.save())]) == 2
    assert f"no graded cell of {', '.join(pairs.releases())}" in capsys.readouterr().err


# What there is to mend


def test_another_name_is_found_and_the_notebook_known_all_the_same(notebook, tmp_path):
    notebook.path = tmp_path / "Copy of hello.ipynb"
    found = notebook.only()
    assert found.mend
    assert "called Copy of hello.ipynb" in found.found
    assert found.remedy == "rename it to 02_hello_rnn.ipynb"


@pytest.mark.parametrize("grade_id", ["rnn_step_forward", "test_rnn_step_forward", "why_added"])
def test_a_missing_cell_is_found(notebook, grade_id):
    notebook.cells.remove(notebook[grade_id])
    found = notebook.only()
    assert found.mend
    assert found.found == "its cell is missing"
    assert grade_id.removeprefix("test_") in found.where


@pytest.mark.parametrize("grade_id", ["rnn_step_forward", "test_rnn_step_forward", "why_added"])
def test_a_cell_that_stands_twice_is_found(notebook, grade_id):
    place = notebook.cells.index(notebook[grade_id])
    notebook.cells.insert(place, dict(notebook[grade_id], id="copy"))
    found = notebook.only()
    assert found.mend
    assert f"2 times (cells {place + 1} and {place + 2})" in found.found


def test_of_two_copies_the_last_counts_as_in_the_grader(notebook):
    place = notebook.cells.index(notebook["test_one_hot"])
    copy = dict(notebook["test_one_hot"], id="copy", outputs=shows(0.5))
    notebook.cells.insert(place + 1, copy)
    assert notebook.points("one_hot") == 0.5


@pytest.mark.parametrize(
    ("grade_id", "kind", "words", "key"),
    [
        ("one_hot", "markdown", "from a code cell into a text cell", "press Y"),
        ("test_one_hot", "raw", "from a code cell into a raw text cell", "press Y"),
        ("why_added", "code", "from a text cell into a code cell", "press M"),
    ],
)
def test_a_cell_of_another_kind_is_found(notebook, grade_id, kind, words, key):
    notebook[grade_id]["cell_type"] = kind
    found = notebook.only()
    assert found.mend
    assert words in found.found
    assert key in found.remedy


def test_an_edited_check_is_found_and_its_points_are_not_believed(notebook):
    notebook["test_one_hot"]["source"] = ['check("one_hot", one_hot, seed=3)']
    found = notebook.only()
    assert found.mend
    assert "edited" in found.found
    assert found.remedy == 'put back: check("one_hot", one_hot)'
    assert notebook.points("one_hot") is None
    assert examine(notebook.save()).total == (
        "As last run: 19 of 20 points, bonus 3 of 3, and a question graded by hand (4); a check "
        "shows no points."
    )


def test_space_around_a_check_is_no_edit(notebook):
    notebook["test_one_hot"]["source"] += ["\n", "\n"]
    assert notebook.found() == []


@pytest.mark.parametrize("ids", [True, False])
def test_labels_that_another_editor_dropped_are_found(notebook, ids):
    everything = [*EXERCISES, *(f"test_{name}" for name in EXERCISES)]
    notebook.drop_labels(*everything, ids=ids)
    done = examine(notebook.save())
    assert len(done.to_mend) == len(done.findings) == len(everything)
    assert {one.found for one in done.findings} == {
        "the label by which the grader knows the cell is gone: some editors drop it"
    }
    assert "20 of 20" in done.total
    assert repr(report(notebook.path)).count("label") == 1  # the same words are said once


def test_a_question_that_lost_its_label_is_known_by_the_cell_s_id(notebook):
    notebook.drop_labels("why_added")
    assert "label" in notebook.only().found


def test_an_answer_copied_into_a_new_cell_is_known_by_its_first_line(notebook):
    notebook.drop_labels("one_hot", ids=False)
    notebook["test_one_hot"]["metadata"] = {}
    assert ["label" in found for _, found, _, _ in notebook.found()] == [True, True]


@pytest.mark.parametrize(
    ("key", "value"), [("points", 100), ("grade", False), ("solution", True), ("locked", False)]
)
def test_a_changed_label_is_found(notebook, key, value):
    notebook["test_one_hot"]["metadata"]["nbgrader"][key] = value
    found = notebook.only()
    assert found.mend
    assert f"was changed ({key})" in found.found


def test_a_graded_cell_of_another_notebook_is_found(notebook):
    label = {"grade_id": "lstm_forward", "solution": True, "grade": False, "locked": False}
    cell = {"cell_type": "code", "source": "", "metadata": {"nbgrader": label}}
    notebook.cells.append(cell)
    assert notebook.only().mend
    assert "'lstm_forward'" in notebook.only().found


def test_a_stub_that_was_left_is_found(notebook):
    notebook["one_hot"]["source"] = wanted_stub("one_hot").splitlines(keepends=True)
    found = notebook.only()
    place = notebook.cells.index(notebook["one_hot"]) + 1
    assert found.where == f"one_hot (cell {place})"
    assert (found.found, found.mend) == ("not written yet", True)


def test_the_stub_s_line_below_an_answer_is_found(notebook):
    notebook["one_hot"]["source"] += ["\n", "    raise NotImplementedError  # mine is above"]
    found = notebook.only()
    assert found.mend
    assert "still holds the line" in found.found


@pytest.mark.parametrize(
    "line", ["    # raise NotImplementedError", '    raise NotImplementedError("no such thing")']
)
def test_other_lines_that_name_the_error_are_no_stub(notebook, line):
    notebook["one_hot"]["source"] += ["\n", line]
    assert notebook.found() == []


def test_an_answer_that_is_not_python_is_found_with_its_line(notebook):
    notebook["one_hot"]["source"] = ["# mine\n", "def one_hot(x, V)\n", "    return x\n"]
    found = notebook.only()
    assert found.mend
    assert found.found.startswith("line 2 of it is not Python (")


def test_ipython_s_own_commands_are_no_mistake(notebook):
    notebook["one_hot"]["source"].insert(0, "%load_ext autoreload\n")
    assert notebook.found() == []


@pytest.mark.parametrize("source", [[], ["def onehot(x, V):\n", "    return x\n"]])
def test_an_answer_under_another_name_is_found(notebook, source):
    notebook["one_hot"]["source"] = source
    assert notebook.only().mend
    assert notebook.only().found == "no cell defines one_hot"


def test_an_answer_that_stands_in_another_cell_will_do(notebook):
    own = {"cell_type": "code", "source": notebook["one_hot"]["source"], "metadata": {}}
    notebook["one_hot"]["source"] = ["# see above"]
    notebook.cells.insert(2, own)
    assert notebook.found() == []


@pytest.mark.parametrize("answer", [[], ["*Your answer, in place of this line.*\n"]])
def test_a_question_without_an_answer_is_found(notebook, answer):
    notebook["why_added"]["source"] = answer
    assert notebook.only().mend
    assert "not answered" in notebook.only().found


def test_a_placeholder_beside_an_answer_is_only_a_note(notebook):
    notebook["why_added"]["source"].insert(0, "*Your answer, in place of this line.*\n\n")
    assert not notebook.only().mend
    assert "still stands" in notebook.only().found


def test_a_check_above_its_answer_is_found(notebook):
    check = notebook["test_rnn_step_backward"]
    notebook.cells.remove(check)
    notebook.cells.insert(3, check)
    assert notebook.only().mend
    assert "above rnn_step_forward and rnn_step_backward" in notebook.only().found


# The last run


def test_a_check_that_was_not_run_is_only_a_note(notebook):
    notebook["test_one_hot"].update(outputs=[], execution_count=None)
    assert not notebook.only().mend
    assert "shows no points" in notebook.only().found
    assert notebook.points("one_hot") is None


@pytest.mark.parametrize("count", [None, 999])
def test_an_answer_run_after_its_check_is_only_a_note(notebook, count):
    notebook["rnn_step_forward"]["execution_count"] = count
    found = notebook.found()
    assert [where.split(" (")[0] for where, *_ in found] == [
        "the check of rnn_step_forward",
        "the check of rnn_step_backward",  # which uses it as well
    ]
    assert {mend for *_, mend in found} == {False}
    assert all("rnn_step_forward was not run, or after it" in words for _, words, *_ in found)
    assert notebook.points("rnn_step_forward") == 2


def test_a_check_that_stopped_shows_no_points_and_why(notebook):
    error = {"output_type": "error", "ename": "NameError", "evalue": "no one_hot", "traceback": []}
    notebook["test_one_hot"]["outputs"] = [*shows(1), error]
    assert not notebook.only().mend
    assert "stopped with NameError: no one_hot" in notebook.only().found
    assert notebook.points("one_hot") == 0


@pytest.mark.parametrize(
    ("shown", "points"),
    [(0, 0), (0.25, 0.25), (1, 1), ("2/3", None), ("nan", None), (-1, None), (1.5, None)],
)
def test_only_a_number_between_nothing_and_the_points_is_believed(notebook, shown, points):
    notebook["test_one_hot"]["outputs"] = shows(shown)
    assert notebook.points("one_hot") == points


def test_points_lost_by_cases_are_shown_and_are_nothing_to_mend(notebook, capsys):
    notebook["test_rnn_step_backward"]["outputs"] = shows(1.75)
    assert main(["check", str(notebook.save())]) == 0
    said = capsys.readouterr().out
    assert "1.75 of 3" in said
    assert "As last run: 18.75 of 20 points" in said


def test_bonus_points_are_counted_apart(notebook):
    notebook["test_rmsprop"]["outputs"] = shows(0.5)
    assert examine(notebook.save()).total == (
        "As last run: 20 of 20 points, bonus 2.5 of 3, and a question graded by hand (4)."
    )


def test_a_bonus_left_out_is_only_a_note(notebook):
    notebook["rmsprop"]["source"] = [wanted_stub("rmsprop")]
    assert not notebook.only().mend
    assert "a bonus: it may stay so" in notebook.only().found


# What is shown


def test_the_report_shows_table_total_and_findings_in_a_notebook(notebook):
    notebook["test_one_hot"]["source"] = ["check('<b>')"]
    view = report(notebook.save())
    assert '<th scope="row"' in view.html
    assert "As last run: 19 of 20 points" in view.html
    assert "&rarr; put back: check(&quot;one_hot&quot;, one_hot)" in view.html
    assert "put back" in repr(view)
    assert "<b>" not in view.html


def test_the_report_says_when_the_file_was_saved(notebook):
    saved = examine(notebook.save()).saved
    words = f"the file as last saved, on {saved:%Y-%m-%d at %H:%M}: what you wrote since is not in"
    assert words in repr(report(notebook.path))
    assert words in report(notebook.path).html


def test_the_title_is_the_file_s_name_alone(notebook):
    notebook.save()
    assert f">{NAME}.ipynb</caption>" in report(notebook.path).html
    assert repr(report(notebook.path)).startswith(f"{NAME}.ipynb\n")


def test_what_is_complete_is_as_of_its_last_run(notebook):
    notebook.save()
    assert "Did you edit an answer since you last ran it?" in repr(report(notebook.path))
    notebook["one_hot"]["source"] = wanted_stub("one_hot")
    notebook.save()
    assert "Did you edit" not in repr(report(notebook.path))


def test_the_report_of_a_file_that_cannot_be_read_says_so(tmp_path):
    view = report(tmp_path / "none.ipynb")
    assert "there is no file" in view.html
    assert "there is no file" in repr(view)
