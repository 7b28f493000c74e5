"""Cells that were deleted, copied, edited, turned, moved or merged."""

from functools import partial

import nbformat
from nbformat.v4 import new_markdown_cell

from kinds.kind import EXERCISES, ONE, Material, insert, kind, labelled, place

changed = partial(kind, "cells")

TESTS = tuple(f"test_{name}" for name in EXERCISES)


def _copy(notebook, grade_id: str):
    copy = nbformat.from_dict(labelled(notebook, grade_id))
    copy.id = f"{grade_id}-copy"
    return copy


@changed(measured=True, repairs="deleted|missing|put back")
def deleted_check(m: Material):
    """A check that was deleted is put back."""
    notebook = m.solved()
    del notebook.cells[place(notebook, "test_rnn_step_backward")]
    return notebook


@changed(measured=True, stock=0.0, repairs="deleted|missing|put back", full=True)
def all_checks_deleted(m: Material):
    """All checks are put back, each below its answer."""
    notebook = m.solved()
    for test in TESTS:
        del notebook.cells[place(notebook, test)]
    return notebook


@changed(ONE, measured=True, repairs="edited|changed")
def edited_check(m: Material):
    """Every check shows full marks by itself: the source's own check is the one that counts."""
    notebook = m.attack()
    for test in TESTS:
        labelled(notebook, test).source = "3.0"
    return notebook


@changed(measured=True, stock=0.0, repairs="more than once", full=True)
def duplicated_check(m: Material):
    """A copied check counts once; nobody after this student is left out."""
    notebook = m.solved()
    notebook.cells.insert(place(notebook, "test_one_hot"), _copy(notebook, "test_one_hot"))
    return notebook


@changed(measured=True, stock=0.0, repairs="more than once")
def duplicated_answer(m: Material):
    """A copied answer, the same both times, counts once."""
    notebook = m.solved()
    notebook.cells.insert(place(notebook, "one_hot"), _copy(notebook, "one_hot"))
    return notebook


@changed(repairs="more than once", full=True)
def answer_beside_its_stub(m: Material):
    """The answer was written above a copy of the stub: the one that is written counts."""
    notebook = m.solved()
    stub = nbformat.from_dict(labelled(m.release, "rnn_step_forward"))
    stub.id = "stub"
    notebook.cells.insert(place(notebook, "rnn_step_forward") + 1, stub)
    return notebook


@changed(measured=True, stock=12.0, repairs="markdown|text|type|code", full=True)
def check_turned_to_text(m: Material):
    """A check that was turned to text is a check again."""
    notebook = m.solved()
    cell = labelled(notebook, "test_one_hot")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]
    return notebook


@changed(repairs="markdown|text|type|code")
def answer_turned_to_text(m: Material):
    """An answer that was turned to text (one key in Jupyter) is code again."""
    notebook = m.solved()
    cell = labelled(notebook, "rnn_step_forward")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]
    return notebook


@changed(repairs="raw|type|code", full=True)
def check_turned_to_raw_text(m: Material):
    """A check that was turned to raw text is a check again."""
    notebook = m.solved()
    cell = labelled(notebook, "test_one_hot")
    cell.cell_type = "raw"
    del cell["outputs"], cell["execution_count"]
    return notebook


@changed(repairs="one_hot", full=True)
def answer_in_a_cell_of_their_own(m: Material):
    """The graded cell was deleted, and the answer stands in a cell without a label."""
    notebook = m.solved()
    at = place(notebook, "one_hot")
    source = notebook.cells.pop(at).source.removeprefix("# exercise: one_hot\n")
    return insert(notebook, at, source)


@changed(repairs="test_one_hot|check of one_hot", full=True)
def check_merged_into_its_answer(m: Material):
    """Answer and check in one cell: the check is put back below it."""
    notebook = m.solved()
    test = notebook.cells.pop(place(notebook, "test_one_hot"))
    labelled(notebook, "one_hot").source += f"\n\n{test.source}"
    return notebook


@changed(full=True)
def answer_split_in_two(m: Material):
    """The end of an answer stands in a cell of its own, below the graded one."""
    notebook = m.solved()
    at = place(notebook, "one_hot")
    notebook.cells[at].source += "\nshape_of = np.shape"
    return insert(notebook, at + 1, "plain = one_hot\ndef one_hot(x, V):\n    return plain(x, V)")


@changed(full=True)
def checks_at_the_end(m: Material):
    """Each check still stands below its answer."""
    notebook = m.solved()
    for test in TESTS:
        notebook.cells.append(notebook.cells.pop(place(notebook, test)))
    return notebook


@changed(full=True)
def foreign_graded_cell(m: Material):
    """A graded cell that this notebook has not, worth a hundred points: it is none."""
    notebook = m.solved()
    cell = _copy(notebook, "test_one_hot")
    cell.metadata.nbgrader.update(grade_id="test_charm", points=100)
    cell.source = "100.0"
    notebook.cells.append(cell)
    return notebook


@changed(ONE, measured=True, stock=12.0)
def tagged_to_be_left_out(m: Material):
    """nbclient leaves such cells out, and nbgrader gives full marks to a check not run."""
    notebook = m.attack()
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]
    return notebook


@changed(full=True)
def answers_tagged_as_demonstrations(m: Material):
    """Only the source notebook says what is left out when grading."""
    notebook = m.solved()
    for name in EXERCISES:
        labelled(notebook, name).metadata["tags"] = ["demo", "skip-execution", "raises-exception"]
    return notebook


@changed(full=True)
def text_in_every_place(m: Material):
    """Notes between all cells change nothing."""
    notebook = m.solved()
    notebook.cells = [
        one
        for i, cell in enumerate(notebook.cells)
        for one in (new_markdown_cell(f"Note {i}"), cell)
    ]
    return notebook


@changed(repairs="deleted|missing|put back", full=True)
def graded_cells_alone(m: Material):
    """Somebody sent the imports and the answers, and nothing else."""
    notebook = m.solved()
    keep = [place(notebook, name) for name in EXERCISES]
    imports = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells = [notebook.cells[i] for i in (imports, *keep)]
    return notebook
