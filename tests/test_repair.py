"""Whatever befell a submission's cells: afterwards each graded cell stands there once, as released,
and what the student wrote is what counts."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.nbgraderformat import MetadataValidator

from autograder.build import assignments
from autograder.plan import read_plan
from cs_caption.submission.pairs import releases
from cs_caption.submission.repair import OWN, label_of, repaired
from notebooks import points_of

ROOT = Path(__file__).resolve().parent.parent
NAME = "02_hello_rnn"
EXERCISES = tuple(points_of(NAME))
PLANS = {n: read_plan(ROOT / "solutions" / n / f"{n}.ipynb") for n in assignments()}
WANTED = PLANS[NAME].cells
IDS = [one["grade_id"] for one in WANTED]
SOME = [*IDS[:4], "test_rmsprop", "fix_min_char_rnn", "why_added"]
LOST = "the label by which the grader knows the cell was gone (some editors drop it); put back"


def released(name=NAME):
    return json.loads((ROOT / "notebooks" / name / f"{name}.ipynb").read_text())["cells"]


def solved(name=NAME):
    """The release with the solutions filled in, as JSON."""
    source = json.loads((ROOT / "solutions" / name / f"{name}.ipynb").read_text())["cells"]
    answers = {cell["id"]: cell["source"] for cell in source}
    cells = released(name)
    for cell in cells:
        lines = answers[cell["id"]]
        cell["source"] = [line for line in lines if not line.strip().startswith("### ")]
    return cells


def text(cell):
    return "".join(cell["source"])


def at(cells, grade_id):
    """Where the cell of this id stands."""
    return next(i for i, cell in enumerate(cells) if cell.get("id") == grade_id)


def labelled(cells, grade_id):
    """The one cell with the label."""
    (cell,) = (c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)
    return cell


def order(cells):
    return [c["metadata"]["nbgrader"]["grade_id"] for c in cells if "nbgrader" in c["metadata"]]


def wanted(grade_id):
    return next(one for one in WANTED if one["grade_id"] == grade_id)


def is_as_released(cells, plan=WANTED):
    """Each graded cell stands there once, and only they carry labels and tags."""
    assert sorted(order(cells)) == sorted(one["grade_id"] for one in plan)
    for one in plan:
        cell = labelled(cells, one["grade_id"])
        assert cell["cell_type"] == one["cell_type"]
        assert cell["metadata"]["nbgrader"] == label_of(one)
        assert cell["metadata"].get("tags", []) == one["tags"]
        assert cell["id"] == one.get("id", one["grade_id"])
        if one["locked"]:
            assert cell["source"] == one["source"]
    assert not any("tags" in c["metadata"] for c in cells if "nbgrader" not in c["metadata"])
    names = [cell["id"] for cell in cells]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)


def is_valid(cells):
    """Both nbformat and nbgrader take it."""
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook = nbformat.from_dict(whole)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)


def in_force(cells, exercise):
    """The text that defines the function where its check runs, from the top."""
    check = cells.index(labelled(cells, f"test_{exercise}"))
    code = [c["source"] for c in cells[:check] if c["cell_type"] == "code"]
    found = [source for source in code if re.search(rf"^def {exercise}\b", source, re.MULTILINE)]
    return found[-1] if found else ""


def put_right(cells, plan=WANTED):
    """The repaired cells and what was told; what holds for every submission is looked at here."""
    before = json.dumps(cells)
    done, told = repaired(cells, plan)
    assert json.dumps(cells) == before, "what was given has been changed"
    is_as_released(done, plan)
    assert repaired(done, plan) == (done, []), "a second repair finds something"
    return done, [(one.where, one.what) for one in told]


def counts_in_full(cells):
    """Every answer of the solution is the one that is graded."""
    answers = {cell["id"]: text(cell) for cell in solved()}
    for exercise in EXERCISES:
        assert in_force(cells, exercise) == answers[exercise], exercise
    assert labelled(cells, "why_added")["source"] == answers["why_added"]


# What is as it should be


@pytest.mark.parametrize("name", assignments())
@pytest.mark.parametrize("make", [released, solved])
def test_an_untouched_submission_gives_no_repair(name, make):
    cells = make(name)
    done, told = put_right(cells, PLANS[name].cells)
    is_valid(done)
    assert told == []
    assert [c["source"] for c in done] == [text(c) for c in cells]
    assert [c["id"] for c in done] == [c["id"] for c in cells]


@pytest.mark.parametrize("name", assignments())
def test_what_students_have_of_the_release_is_enough_to_repair_by(name):
    cells = solved(name)
    del cells[at(cells, PLANS[name].cells[1]["grade_id"])]
    of_students, told = repaired(cells, releases()[name])
    assert (of_students, told) == repaired(cells, PLANS[name].cells)
    assert len(told) == 1


# What is missing


@pytest.mark.parametrize("grade_id", [f"test_{name}" for name in EXERCISES[:4]])
def test_a_deleted_check_is_put_back_where_it_was(grade_id):
    cells = solved()
    place = at(cells, grade_id)
    del cells[place]
    done, told = put_right(cells)
    assert told == [(f"the check of {grade_id[5:]}", "it was deleted; put back")]
    assert at(done, grade_id) == place


@pytest.mark.parametrize("grade_id", [*EXERCISES[:4], "why_added"])
def test_a_deleted_answer_leaves_its_stub_where_it_was(grade_id):
    cells = solved()
    place = at(cells, grade_id)
    del cells[place]
    done, told = put_right(cells)
    assert told == [(grade_id, "its cell was missing; put in")]
    assert done[place]["source"] == wanted(grade_id)["stub"]
    assert at(done, grade_id) == place


def test_from_an_empty_notebook_all_graded_cells_are_made_in_order():
    done, told = put_right([])
    is_valid(done)
    assert order(done) == IDS
    assert len(told) == len(IDS)


# What stands there twice


@pytest.mark.parametrize("grade_id", SOME)
@pytest.mark.parametrize("where", ["beside", "end"])
def test_a_copy_that_says_the_same_is_left_out(grade_id, where):
    cells = solved()
    place = at(cells, grade_id)
    cells.insert(place if where == "beside" else len(cells), dict(cells[place], id="copy"))
    done, told = put_right(cells)
    assert len(told) == 1
    assert "it stood more than once" in told[0][1]
    assert len(done) == len(cells) - 1
    counts_in_full(done)
    assert at(done, grade_id) == place


def test_of_two_answers_the_last_counts_and_the_other_runs_before_it():
    cells = solved()
    place = at(cells, "one_hot")
    cells.insert(place, dict(cells[place], source="def one_hot(x, V):\n    return helper", id="a"))
    done, told = put_right(cells)
    counts_in_full(done)
    assert told == [("one_hot", f"it stood more than once; cell {place + 1} is {OWN}")]
    assert done[place]["source"].endswith("return helper")


@pytest.mark.parametrize("after", [0, 1, 30])
@pytest.mark.parametrize("label", [True, False])
def test_a_stub_beside_an_answer_never_undoes_it(after, label):
    cells = solved()
    stub = {"cell_type": "code", "source": wanted("one_hot")["stub"], "metadata": {}}
    if label:
        stub["metadata"] = cells[at(cells, "one_hot")]["metadata"]
    cells.insert(at(cells, "one_hot") + after, stub)
    done, told = put_right(cells)
    counts_in_full(done)
    assert len(told) == 1
    assert not any(c["source"] == stub["source"] for c in done)


@pytest.mark.parametrize("answer", [[], ["*Your answer, in place of this line.*"]])
def test_an_answer_written_into_a_text_of_its_own_is_found(answer):
    cells = solved()
    place = at(cells, "why_added")
    own = {"cell_type": "markdown", "metadata": {}, "source": cells[place]["source"], "id": "own"}
    cells[place]["source"] = answer
    cells.insert(place + 1, own)
    done, told = put_right(cells)
    counts_in_full(done)
    assert f"cell {place + 2} was taken for it" in told[0][1]


def test_the_answer_in_another_cell_counts_where_the_stub_was_left():
    cells = solved()
    place = at(cells, "one_hot")
    own = {"cell_type": "code", "metadata": {}, "source": cells[place]["source"], "id": "own"}
    cells[place]["source"] = wanted("one_hot")["stub"]
    cells.insert(2, own)  # above: run from the top, the stub would undo it
    done, _ = put_right(cells)
    counts_in_full(done)


# What was changed


@pytest.mark.parametrize(
    "edit",
    ['check("one_hot", one_hot, seed=3)', "# gone", "1.0", "", "print(", "x" * 10**6, " " * 10**6],
)
def test_an_edited_check_is_put_back(edit):
    cells = solved()
    place = at(cells, "test_one_hot")
    cells[place]["source"] = edit
    done, told = put_right(cells)
    counts_in_full(done)
    assert told == [("the check of one_hot", "it was edited; put back as released")]
    assert len(done) == len(cells)


@pytest.mark.parametrize("line", ["import math", "def helper():\n    pass", "%pylab", "x = 1"])
def test_what_later_cells_may_need_of_an_edited_check_still_runs(line):
    cells = solved()
    place = at(cells, "test_one_hot")
    cells[place]["source"] = f"{text(cells[place])}\n{line}"
    done, told = put_right(cells)
    counts_in_full(done)
    assert done[place]["source"].endswith(line)
    assert "runs in a cell of its own above it" in told[0][1]


@pytest.mark.parametrize(
    ("grade_id", "kind"),
    [("one_hot", "markdown"), ("test_one_hot", "raw"), ("why_added", "code"), ("one_hot", "odd")],
)
@pytest.mark.parametrize("label", [True, False])
def test_a_cell_of_another_kind_is_turned_back(grade_id, kind, label):
    cells = solved()
    cells[at(cells, grade_id)]["cell_type"] = kind
    if not label:
        cells[at(cells, grade_id)]["metadata"] = {}
    done, told = put_right(cells)
    counts_in_full(done)
    assert "had been turned into" in told[0][1]
    assert len(told) == 2 - label


@pytest.mark.parametrize(
    "change",
    [
        {"points": 100},
        {"grade": False},
        {"solution": True},
        {"locked": False},
        {"schema_version": 1},
        {"schema_version": "3"},
        {"schema_version": 99},
        {"task": True},
        {"grade": [], "points": {}, "locked": None},
    ],
)
def test_a_changed_label_is_put_back(change):
    cells = solved()
    cells[at(cells, "test_one_hot")]["metadata"]["nbgrader"].update(change)
    done, told = put_right(cells)
    counts_in_full(done)
    ((where, what),) = told
    assert where == "the check of one_hot"
    assert all(key in what for key in change)


@pytest.mark.parametrize("grade_id", SOME)
@pytest.mark.parametrize("label", ["gone", None, [], "x", {}, 3, {"grade_id": ["a"]}])
@pytest.mark.parametrize("ids", [True, False])
def test_a_lost_label_is_put_back(grade_id, label, ids):
    cells = solved()
    cell = cells[at(cells, grade_id)]
    cell["metadata"] = {} if label == "gone" else {"nbgrader": label}
    if not ids:
        del cell["id"]
    done, told = put_right(cells)
    counts_in_full(done)
    assert [what for _, what in told] == [LOST]


@pytest.mark.parametrize("first_line", [True, False])
def test_when_all_labels_and_ids_are_lost_each_cell_is_known_by_what_it_says(first_line):
    cells = [{k: c[k] for k in ("cell_type", "source")} for c in solved()]
    if not first_line:
        for cell in cells:
            cell["source"] = [s for s in cell["source"] if not s.startswith("# exercise")]
    done, told = put_right(cells)
    assert [text(c) for c in done] == [text(c) for c in cells]
    assert sorted(where for where, _ in told) == sorted(
        [*EXERCISES, *(f"the check of {name}" for name in EXERCISES), "why_added"]
    )
    assert {what for _, what in told} == {LOST}
    assert order(done) == IDS


@pytest.mark.parametrize("tags", [["skip-execution"], ["ext"], "skip-execution", [[]]])
def test_tags_are_those_of_the_release(tags):
    cells = solved()
    for cell in cells:
        cell["metadata"]["tags"] = tags
    done, told = put_right(cells)
    counts_in_full(done)
    understood = tags if tags in (["skip-execution"], ["ext"]) else []
    assert len(told) == len([one for one in WANTED if one["tags"] != understood])


def test_a_bonus_keeps_its_tag():
    plan = PLANS["01_convnets"].cells
    cells = solved("01_convnets")
    del cells[at(cells, "test_im2col")]["metadata"]["tags"]
    done, told = put_right(cells, plan)
    assert labelled(done, "test_im2col")["metadata"]["tags"] == ["ext"]
    assert told == [("the check of im2col", "its tags were changed (removed); put back")]


@pytest.mark.parametrize("one", SOME)
@pytest.mark.parametrize("other", SOME)
def test_swapped_labels_are_put_right(one, other):
    cells = solved()
    a, b = cells[at(cells, one)], cells[at(cells, other)]
    a["metadata"], b["metadata"] = b["metadata"], a["metadata"]
    done, told = put_right(cells)
    counts_in_full(done)
    assert len(told) == (2 if one != other else 0)
    assert order(done) == IDS


def test_a_label_that_moved_to_a_text_of_the_release_is_moved_back():
    cells = solved()
    place = at(cells, "why_added")
    cells[place - 1]["metadata"] = cells[place]["metadata"]
    cells[place]["metadata"] = {}
    done, _ = put_right(cells)
    counts_in_full(done)


def test_a_label_of_another_notebook_is_taken_off_an_ordinary_cell():
    cells = solved()
    label = {"grade_id": "lstm_forward", "solution": True, "grade": False, "schema_version": 3}
    cells[2]["metadata"] = {"nbgrader": label}
    done, told = put_right(cells)
    assert told == [
        (
            "cell 3",
            "it carried a label of the grader's, 'lstm_forward', and is no graded cell; "
            "label removed",
        )
    ]
    assert done[2]["source"] == text(cells[2])


# What stands elsewhere


@pytest.mark.parametrize("keep", ["one_hot", "rnn_step_forward"])
@pytest.mark.parametrize("label", [True, False])
def test_two_answers_merged_into_one_cell_both_count(keep, label):
    cells = solved()
    gone = "rnn_step_forward" if keep == "one_hot" else "one_hot"
    both = "\n\n".join(text(cells[at(cells, name)]) for name in ("one_hot", "rnn_step_forward"))
    cells[at(cells, keep)]["source"] = both
    if not label:
        cells[at(cells, keep)]["metadata"] = {}
    del cells[at(cells, gone)]
    done, told = put_right(cells)
    assert in_force(done, "one_hot") == in_force(done, "rnn_step_forward") == both
    assert any("defines it: that one counts" in what for _, what in told)


def test_two_answers_in_one_cell_count_where_the_other_s_stub_was_left():
    cells = solved()
    both = "\n\n".join(text(cells[at(cells, name)]) for name in ("one_hot", "rnn_step_forward"))
    cells[at(cells, "one_hot")]["source"] = both
    cells[at(cells, "rnn_step_forward")]["source"] = wanted("rnn_step_forward")["stub"]
    done, told = put_right(cells)
    assert in_force(done, "rnn_step_forward") == both
    assert [where for where, _ in told] == ["rnn_step_forward"]


def test_an_answer_merged_with_its_check_counts():
    cells = solved()
    place = at(cells, "one_hot")
    cells[place]["source"] = f"{text(cells[place])}\n\n{text(cells[place + 1])}"
    del cells[place + 1]
    done, told = put_right(cells)
    assert in_force(done, "one_hot") == cells[place]["source"]
    assert told == [("the check of one_hot", "it was deleted; put back")]


def test_an_answer_merged_into_its_check_counts():
    cells = solved()
    place = at(cells, "one_hot")
    cells[place + 1]["source"] = f"{text(cells[place])}\n\n{text(cells[place + 1])}"
    del cells[place]
    done, _ = put_right(cells)
    assert in_force(done, "one_hot") == cells[place]["source"]


def test_of_a_split_answer_both_parts_stay():
    cells = solved()
    place = at(cells, "one_hot")
    source = text(cells[place])
    cells[place]["source"] = "# exercise: one_hot\nimport numpy as np"
    cells.insert(place + 1, {"cell_type": "code", "metadata": {}, "source": source})
    done, told = put_right(cells)
    counts_in_full(done)
    assert told == []


@pytest.mark.parametrize("label", [True, False])
def test_a_check_above_its_answers_is_moved_below_the_last(label):
    cells = solved()
    check = cells.pop(at(cells, "test_rnn_step_backward"))
    if not label:
        check["metadata"] = {}
    cells.insert(1, check)
    done, told = put_right(cells)
    counts_in_full(done)
    assert done[at(done, "rnn_step_backward") + 1]["id"] == "test_rnn_step_backward"
    assert told[-1] == (
        "the check of rnn_step_backward",
        "it stood above an answer that it uses; moved below it",
    )


def test_answers_in_another_order_stay_so_and_checks_follow_them():
    cells = solved()
    cells.append(cells.pop(at(cells, "one_hot")))
    done, _ = put_right(cells)
    counts_in_full(done)
    assert order(done)[-2:] == ["one_hot", "test_one_hot"]


# Anything at all

ANSWERS = {cell["id"]: text(cell) for cell in solved() if cell["id"] in IDS}


def damages():
    """What may befall a notebook without an answer of its being lost: functions of (cells, rng)."""

    def graded(cells, rng):
        return rng.choice([c for c in cells if c.get("source") and c.get("was")])

    def label(cells, rng):
        cell = graded(cells, rng)
        cell["metadata"] = rng.choice([{}, {"nbgrader": []}, {"nbgrader": {"grade_id": "other"}}])

    def all_labels(cells, rng):
        for cell in cells:
            cell["metadata"] = {}

    def ids(cells, rng):
        for cell in cells:
            cell["id"] = rng.choice(["", "same", "a b", 3])

    def change(cells, rng):
        about = graded(cells, rng)["metadata"].get("nbgrader")
        if isinstance(about, dict):
            key = rng.choice(["points", "grade", "solution", "locked", "schema_version", "task"])
            about[key] = rng.choice([None, True, False, 0, 99, "3", []])

    def swap(cells, rng):
        a, b = (graded(cells, rng) for _ in range(2))
        a["metadata"], b["metadata"] = b["metadata"], a["metadata"]

    def retype(cells, rng):
        cell = graded(cells, rng)
        if cell["was"] != "why_added" and text(cell).startswith(("# exercise", "check(")):
            cell["cell_type"] = rng.choice(["markdown", "raw", "code", "odd"])

    def copy(cells, rng):
        cell = graded(cells, rng)
        if cell["was"] != "why_added":
            cells.insert(rng.randrange(len(cells)), json.loads(json.dumps(cell)))

    def stub(cells, rng):
        cell = json.loads(json.dumps(graded(cells, rng)))
        if "stub" in wanted(cell["was"]) and cell["was"] != "why_added":
            cell["source"] = wanted(cell["was"])["stub"]
            cells.insert(rng.randrange(len(cells)), cell)

    def edit(cells, rng):
        cell = graded(cells, rng)
        if cell["was"].startswith("test_"):
            cell["source"] = text(cell) + rng.choice(["\n", "# x", "\nx = 1", "\nassert True"])

    def delete_or_move_a_check(cells, rng):
        checks = [c for c in cells if c.get("was", "").startswith("test_")]
        if checks:
            check = rng.choice(checks)
            cells.remove(check)
            if rng.random() < 0.5:
                cells.insert(rng.randrange(len(cells)), check)

    def forms(cells, rng):
        cell = rng.choice(cells)
        cell["source"] = text(cell).splitlines(keepends=True)
        cell.pop(rng.choice(["outputs", "execution_count", "attachments"]), None)

    simple = [label, all_labels, ids, change, swap, retype]
    return [*simple, copy, stub, edit, delete_or_move_a_check, forms]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(damages()), max_size=8), st.randoms(use_true_random=False))
def test_after_random_damage_every_answer_counts(chosen, rng):
    cells = solved()
    for cell in cells:
        if cell["id"] in IDS:
            cell["was"] = cell["id"]
    for one in chosen:
        one(cells, rng)
    done, _ = put_right(cells)
    counts_in_full(done)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
TEXTS = [
    "",
    "x = 1",
    "# exercise: one_hot",
    "# exercise: one_hot\n\nimport numpy",
    "def one_hot(x, V):\n    return x",
    "def one_hot(x, V):\n    return x\ndef rnn_step_forward():\n    pass",
    "# exercise: rnn_step_forward\ndef one_hot(x, V):\n    return x",
    *(one["source"] for one in WANTED if one["locked"]),
    *(one["stub"] for one in WANTED if not one["locked"]),
    *ANSWERS.values(),
    *{one[side]["source"] for one in WANTED for side in ("before", "after")},
    f"{ANSWERS['test_one_hot']}\ny = 2",
]
LABELS = [label_of(one) for one in WANTED] + [{"grade_id": "lstm"}, {}, None, [], "x"]
CELLS = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "code", "markdown", "raw", "odd"]) | JSON,
        "source": st.sampled_from(TEXTS) | JSON,
        "id": st.sampled_from([*IDS, "", "other"]) | JSON,
        "metadata": st.fixed_dictionaries({"nbgrader": st.sampled_from(LABELS) | JSON})
        | st.just({})
        | JSON,
        "outputs": JSON,
        "execution_count": JSON,
        "attachments": JSON,
    },
)


@settings(max_examples=400, deadline=None)
@given(st.lists(CELLS | JSON, max_size=12))
def test_anything_at_all_comes_out_with_each_graded_cell_once(cells):
    put_right(cells)


def test_many_equal_cells_without_ids_take_no_time_to_name():
    cells = [{"cell_type": "code", "source": "", "metadata": {}}] * 5000
    done, _ = repaired(cells, WANTED)
    assert len({cell["id"] for cell in done}) == 5000 + len(WANTED)
