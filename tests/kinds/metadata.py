"""What other editors, and students, make of a notebook's metadata."""

from functools import partial

import nbformat

from kinds.kind import EXERCISES, ONE, Material, Submission, kind, labelled

altered = partial(kind, "metadata")


def _with(notebook, grade_id: str, **label):
    labelled(notebook, grade_id).metadata.nbgrader.update(label)
    return notebook


@altered(measured=True, stock=0.0, repairs="label|metadata", full=True)
def check_no_longer_graded(m: Material):
    """grade: false on a check: it is graded, as the source says."""
    return _with(m.solved(), "test_one_hot", grade=False)


@altered(measured=True, stock=0.0, repairs="label|metadata", full=True)
def check_labelled_as_an_answer(m: Material):
    """solution: true on a check: it is a check, as the source says."""
    return _with(m.solved(), "test_one_hot", solution=True, locked=False)


@altered(measured=True, stock=0.0, repairs="label|metadata", full=True)
def grade_id_removed(m: Material):
    """A label without a name: the cell is known by what it says."""
    notebook = m.solved()
    del labelled(notebook, "test_rnn_step_forward").metadata.nbgrader["grade_id"]
    return notebook


@altered(measured=True, stock=0.0, repairs="label|metadata")
def all_labels_stripped(m: Material):
    """Every cell's metadata is gone: cells are known by what they say."""
    notebook = m.solved()
    for cell in notebook.cells:
        cell.metadata.clear()
    return notebook


@altered(ONE, measured=True)
def points_edited(m: Material):
    """A hundred points for each check, and nothing to earn them with."""
    notebook = m.attack()
    for name in EXERCISES:
        _with(notebook, f"test_{name}", points=100)
    return notebook


@altered(full=True)
def points_that_are_no_number(m: Material):
    """What a cell is worth is read from the source alone."""
    notebook = m.solved()
    for name, points in zip(EXERCISES, ("many", -5, None, float("nan")), strict=True):
        _with(notebook, f"test_{name}", points=points)
    return notebook


@altered(repairs="label|metadata", full=True)
def colab_copy(m: Material):
    """As Colab saves it: no labels, ids of its own, its own metadata, no outputs."""
    notebook = m.solved()
    notebook.metadata = nbformat.from_dict(
        {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    for i, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({"id": f"Xq{i}", "colab": {"base_uri": "https://x"}})
        cell.id = f"Xq{i:04}"
    return notebook


@altered(repairs="label|metadata", full=True)
def copied_without_marks(m: Material):
    """No labels, no ids, no `# exercise:` lines: an answer is known by what it defines."""
    notebook = m.solved()
    for i, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = nbformat.from_dict({}), f"c{i}"
        lines = cell.source.splitlines()
        cell.source = "\n".join(line for line in lines if not line.startswith("# exercise:"))
    return notebook


@altered(full=True)
def visual_studio_code_copy(m: Material):
    """As VS Code saves it: labels kept, its own added, the kernel's name that of a folder."""
    notebook = m.solved()
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"name": "python3", "display_name": ".venv (3.12.1)"}, "orig_nbformat": 4}
    )
    for cell in notebook.cells:
        cell.metadata["vscode"] = {"languageId": "python"}
    return notebook


@altered(full=True)
def another_kernel(m: Material):
    """Whatever kernel the notebook asks for, it is graded in ours."""
    notebook = m.solved()
    spec = {"name": "../../evil", "display_name": "Julia", "language": "julia"}
    notebook.metadata = nbformat.from_dict({"kernelspec": spec, "language_info": {"name": "julia"}})
    return notebook


@altered(full=True)
def old_schemas(m: Material):
    """Labels of nbgrader 0.3 and of one that does not exist yet."""
    notebook = m.solved()
    for name, version in zip(EXERCISES, (0, 1, 2, 99), strict=True):
        _with(notebook, name, schema_version=version)
        _with(notebook, f"test_{name}", schema_version=version)
    return notebook


@altered(full=True)
def labels_of_another_kind(m: Material):
    """Labels that are lists, strings and numbers: cells are known by what they say."""
    notebook = m.solved()
    answers = [labelled(notebook, name) for name in EXERCISES]
    for cell, odd in zip(answers, ([], "mine", 3, None), strict=True):
        cell.metadata["nbgrader"] = odd
    return notebook


@altered(full=True)
def labels_exchanged(m: Material):
    """Two answers carry each other's label: a name is no answer, what it defines is."""
    notebook = m.solved()
    one, two = (labelled(notebook, name) for name in ("one_hot", "rnn_step_forward"))
    one.metadata, two.metadata = two.metadata, one.metadata
    return notebook


@altered(full=True)
def ids_that_are_not_unique(m: Material):
    """All cells have one id."""
    notebook = m.solved()
    for cell in notebook.cells:
        cell.id = "same"
    return notebook


@altered(full=True)
def ids_that_are_not_allowed(m: Material):
    """Ids with spaces, dots and slashes, and one that is a number."""
    made = nbformat.writes(m.solved()).replace('"id": "one_hot"', '"id": "../../one hot!"')
    return Submission(made.replace('"id": "test_one_hot"', '"id": 7').encode())


@altered(measured=True, stock=0.0)
def nbformat_3(m: Material):
    """The format of before 2015, whose labels nbgrader does not read: converted, and matched."""
    old = nbformat.convert(m.solved(), 3)
    return Submission(nbformat.writes(old, version=3).encode())


@altered(full=True)
def nbformat_of_tomorrow(m: Material):
    """A minor version that we do not know yet, with a key that nobody has heard of."""
    notebook = m.solved()
    notebook.nbformat_minor = 99
    notebook.cells[1]["mood"] = "good"
    return notebook


@altered(full=True)
def sources_as_lists_and_attachments(m: Material):
    """Lists of lines, attachments and widgets: as valid as anything."""
    notebook = m.solved()
    notebook.cells[0]["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo="}}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return notebook
