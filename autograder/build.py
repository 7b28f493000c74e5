"""From the authored text to the executed source notebook and the student release.

    solutions/NN_topic/NN_topic.py     authored
    solutions/NN_topic/NN_topic.ipynb  made from it, executed: nbgrader's source
    notebooks/NN_topic/NN_topic.ipynb  made from that by nbgrader: its release
    cs_caption/releases/NN_topic.json  its graded cells, by which students check a submission

The text is a jupytext py:percent script. Its `# %%` lines carry of nbgrader's metadata what differs
from cell to cell; the rest follows:

    # %% nbgrader={"grade_id": "one_hot", "solution": true}      the student writes here
    # %% nbgrader={"grade_id": "test_one_hot", "points": 1}      a test, locked
    # %% tags=["ext"] nbgrader={...}                             a test that gives bonus points
    # %% [markdown] nbgrader={"grade_id": "why", "points": 4, "solution": true}    graded by hand
    # %% tags=["demo"]                                           only shows: not run when graded
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from autograder.course import ROOT, Course, release
from autograder.leaks import leaks
from cs_caption.budget import full_budget
from cs_caption.files import whole_file

# The same on every machine: the executing kernel would write its own versions here.
KERNEL = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
SECONDS_A_CELL = 240
RELEASED = ("notebooks", "cs_caption/releases")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="*", help="such as 02_hello_rnn (default: all)")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit with 1 where a notebook is not what its text would make",
    )


def run(args: argparse.Namespace) -> int:
    """Make the notebooks, or with --check compare what is there (sources and metadata)."""
    names = chosen(args.assignment)
    return _check(names) if args.check else _make_all(names)


def assignments(root: Path = ROOT) -> list[str]:
    """The names of all notebooks, in the order of the course."""
    return sorted(p.stem for p in (root / "solutions").glob("*/*.py") if p.stem == p.parent.name)


def chosen(names: list[str]) -> list[str]:
    """The notebooks that a command was asked for, or all.

    Raises: ValueError where there is no such notebook.
    """
    unknown = sorted(set(names) - set(assignments()))
    if unknown:
        raise ValueError(f"no notebook {', '.join(unknown)}: there are {', '.join(assignments())}")
    return names or assignments()


def make(assignment: str, root: Path = ROOT, *, execute: bool = True) -> list[Path]:
    """Make the source notebook of `assignment` and its release; return the files written.

    `execute=False` leaves the outputs out, which is enough to compare sources and metadata.

    Raises: FileNotFoundError where there is no such text; ValueError where the text cannot be a
    notebook; RuntimeError where a cell of the solution fails, or nbgrader makes no release of it.
    """
    folder = root / "solutions" / assignment
    notebook = source_notebook((folder / f"{assignment}.py").read_text(encoding="utf-8"))
    if execute:
        notebook = executed(notebook)
    source = folder / f"{assignment}.ipynb"
    _write(notebook, source)
    released = root / "notebooks" / assignment / f"{assignment}.ipynb"
    _write(_released(source), released)
    graded = root / "cs_caption" / "releases" / f"{assignment}.json"
    _replace(graded, json.dumps(graded_cells(released), indent=1, ensure_ascii=False))
    return [source, released, graded]


def differences(assignment: str, root: Path = ROOT) -> list[str]:
    """A diff from the committed notebooks to what would be made of the text, outputs aside."""
    text = f"solutions/{assignment}/{assignment}.py"
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / text
        copy.parent.mkdir(parents=True)
        copy.write_bytes((root / text).read_bytes())
        made = make(assignment, Path(scratch), execute=False)
        return [
            line for path in made for line in _compare(root / path.relative_to(scratch), path, root)
        ]


def source_notebook(text: str) -> NotebookNode:
    """The instructor's notebook that `text` describes, without outputs.

    Raises: ValueError where two cells have one grade id, or one heading stands twice.
    """
    cells = jupytext.reads(text, fmt="py:percent").cells
    for cell, name in zip(cells, _names(cells), strict=True):
        cell.id = name
        cell.metadata = _metadata(cell)
    return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)


def graded_cells(released: Path) -> list[dict]:
    """What a submission's graded cells are held against, in the order of the release."""
    cells = nbformat.read(released, as_version=4).cells
    return [graded_cell(cell) for cell in cells if "nbgrader" in cell.metadata]


def executed(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its outputs, run top to bottom in an empty folder, at full budget.

    Raises: RuntimeError with the cell and its error where one fails.
    """
    with tempfile.TemporaryDirectory() as folder, full_budget():
        try:
            notebook = kernel_client(notebook, folder, SECONDS_A_CELL).execute()
        except CellExecutionError as error:
            raise RuntimeError(f"the solution does not run: {error}") from None
    notebook.metadata = nbformat.from_dict(KERNEL)
    return notebook


def kernel_client(notebook: NotebookNode, folder: str, seconds_a_cell: int) -> NotebookClient:
    """What runs the notebook's cells, in a kernel of its own that stands in `folder`."""
    return NotebookClient(
        notebook,
        timeout=seconds_a_cell,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )


def _make_all(names: list[str]) -> int:
    for name in names:
        print(f"{name}: running the solution ...", flush=True)
        for path in make(name):
            print(f"  {path.relative_to(ROOT)}")
    return 0


def _check(names: list[str]) -> int:
    stale = False
    for name in names:
        diff = differences(name)
        stale = stale or bool(diff)
        print("\n".join(diff) if diff else f"{name}: the notebooks are what their text makes")
    if stale:
        print("\nThe notebooks are not what their texts make. Edit solutions/NN_topic/NN_topic.py,")
        print("never an .ipynb; then run `make notebooks` and commit what it made.")
    found = [leak for folder in RELEASED for leak in leaks(ROOT / "solutions", ROOT / folder)]
    print("\n".join([*found, f"leaks: {len(found) or 'none'}"]))
    return 1 if stale or found else 0


def graded_cell(cell: NotebookNode) -> dict:
    about = cell.metadata.nbgrader
    return {
        "grade_id": about.grade_id,
        "cell_type": cell.cell_type,
        "points": about.get("points"),
        "locked": about.locked,
        "source" if about.locked else "stub": cell.source,
        "tags": cell.metadata.get("tags", []),
    }


def _metadata(cell: NotebookNode) -> dict:
    metadata = {k: cell.metadata[k] for k in ("nbgrader", "tags") if k in cell.metadata}
    if "nbgrader" in metadata:
        given = metadata["nbgrader"]
        solution = given.get("solution", False)
        usual = {"grade": "points" in given, "locked": not solution, "solution": solution}
        metadata["nbgrader"] = {"schema_version": 3, "task": False, **usual, **given}
    return metadata


def _names(cells: list[NotebookNode]) -> list[str]:
    """An id for each cell: its grade id, or its section and its place there.

    So that a new cell renames no cell outside its own section.
    """
    section, place, names = "", 0, []
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            section, place = cell.source.splitlines()[0], 0
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        names.append(grade_id or hashlib.sha256(f"{section}/{place}".encode()).hexdigest()[:8])
        place += 1
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"cells share the ids {', '.join(twice)}: give each graded cell its own grade_id and "
            "each section its own heading"
        )
    return names


def _released(source: Path) -> NotebookNode:
    """What nbgrader makes of a source notebook for the students."""
    name = source.stem
    with tempfile.TemporaryDirectory() as scratch:
        course = Course(root=Path(scratch), source=source.parent.parent)
        release(course, name, enter=False)
        made = course.folder("release") / name
        return nbformat.read(made / f"{name}.ipynb", as_version=4)


def _write(notebook: NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    _replace(path, nbformat.writes(notebook))


def _replace(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _compare(committed: Path, made: Path, root: Path) -> Iterator[str]:
    name = str(committed.relative_to(root))
    if not committed.exists():
        return iter([f"{name} is missing"])
    old, new = (_lines(path) for path in (committed, made))
    return unified_diff(old, new, f"{name} (committed)", f"{name} (would be made)", lineterm="")


def _lines(path: Path) -> list[str]:
    """What the file says, a notebook without its outputs."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8").splitlines()
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
