"""What a kind of submission is: how it is made, what it earns, and what its page says."""

import json
import os
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

ASSIGNMENT = "02_hello_rnn"
EXERCISES = ("one_hot", "rnn_step_forward", "rnn_step_backward", "temporal_softmax_loss")
POINTS = dict(zip(EXERCISES, (1.0, 2.0, 3.0, 3.0), strict=True))
NOTHING = dict.fromkeys(EXERCISES, 0.0)
# What an attacker's one honest answer earns, and his three wrong ones do not.
ONE = NOTHING | {"one_hot": 1.0}
REVIEW = None
# An attack that got through says so; written apart, so that no source of it holds the word.
GOT_OUT = "secret" + "-got-out"
# What a process that outlives its cell has in its command line.
STRAY = "86399.25"

# Of the right shape, with a value that nothing is near to: they earn nothing at all.
WRONG = {
    "one_hot": "def one_hot(x, V):\n    return np.full((*np.shape(x), V), 7.0)",
    "rnn_step_forward": """
def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
    return np.full(prev_h.shape, 7.0), (x, prev_h, Wx, Wh, b)
""",
    "rnn_step_backward": """
def rnn_step_backward(dnext_h, cache):
    return tuple(np.full(a.shape, 7.0) for a in cache)
""",
    "temporal_softmax_loss": """
def temporal_softmax_loss(x, y, mask):
    return 7.0, np.full(x.shape, 7.0)
""",
}


@dataclass(frozen=True)
class Submission:
    """A folder as it is handed in; `notebook` None means that there is no such file.

    `links` are names and what they point to; `holes` are files of zeros that take no room on the
    disk, by size; `instead` is what the folder itself is a link to.
    """

    notebook: NotebookNode | bytes | None
    name: str = f"{ASSIGNMENT}.ipynb"
    files: Mapping[str, bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    fifos: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    holes: Mapping[str, int] = field(default_factory=dict)
    instead: str = ""


@dataclass(frozen=True)
class Material:
    """What kinds are made of: the release, the answers, and where an attacker would look."""

    release: NotebookNode
    answers: Mapping[str, str]
    root: Path
    course: Path  # the class's own folder, with submissions, gradebook and salt
    listener: int  # a port on which somebody listens outside

    def notebook(self, *honest: str, top: str = "", **own: str) -> NotebookNode:
        """The release with the solution's answers to `honest`, and with `own` answers.

        `top` is the source of a cell added below the imports.
        """
        notebook = nbformat.from_dict(self.release)
        given = {name: self.answers[name] for name in honest}
        for name, source in own.items():
            given[name] = f"# exercise: {name}\n{textwrap.dedent(source).strip()}"
        for name, source in given.items():
            labelled(notebook, name).source = source
        if top:
            insert(notebook, below_imports(notebook), top)
        return notebook

    def solved(self, top: str = "", **own: str) -> NotebookNode:
        """All answers right, but for `own`."""
        return self.notebook(*EXERCISES, top=top, **own)

    def attack(self, top: str = "", **own: str) -> NotebookNode:
        """One answer right and three wrong, but for `own`."""
        return self.notebook(
            "one_hot", top=top, **({**WRONG, **own, "one_hot": self._one_hot(own)})
        )

    def first(self, exercise: str, top: str) -> str:
        """The right answer to `exercise`, below `top` in the same cell."""
        return f"{textwrap.dedent(top).strip()}\n{self.answers[exercise]}"

    def _one_hot(self, own: Mapping[str, str]) -> str:
        return own.get("one_hot", self.answers["one_hot"])


@dataclass(frozen=True)
class Kind:
    """A kind of submission, and what grading must make of it.

    expected:  points by exercise, or None: it goes to the review list
    why:       why that is what it earns
    says:      what its page says (of a review: its problem), a regular expression
    repairs:   what its repairs say, a regular expression
    measured:  whether it is one of the 56 with which stock nbgrader was measured
    stock:     what stock nbgrader gave it there, of 12 points: 0 where all was lost, None where it
               was not noted
    full:      it takes long, and runs in make test-all alone
    student:   the name of its folder, where that is what is odd
    """

    name: str
    family: str
    build: Callable[[Material], Submission]
    expected: Mapping[str, float] | None
    why: str
    says: str = ""
    repairs: str = ""
    measured: bool = False
    stock: float | None = None
    full: bool = False
    student: str = ""

    @property
    def folder(self) -> str:
        return self.student or self.name


KINDS: list[Kind] = []


def kind(family: str, expected: Mapping[str, float] | None = POINTS, **more) -> Callable:
    """Enter a function of the material as a kind: its name, and in its docstring why."""

    def enter(build: Callable) -> Callable:
        why = " ".join(build.__doc__.split())
        KINDS.append(Kind(build.__name__, family, _whole(build), expected, why, **more))
        return build

    return enter


def without(*lost: str) -> dict[str, float]:
    """All points but those of the exercises `lost`."""
    return POINTS | dict.fromkeys(lost, 0.0)


def labelled(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """The cell with this grade id."""
    return notebook.cells[place(notebook, grade_id)]


def place(notebook: NotebookNode, grade_id: str) -> int:
    """Where the cell with this grade id stands."""
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    return ids.index(grade_id)


def below_imports(notebook: NotebookNode) -> int:
    """The place below the first code cell."""
    return [cell.cell_type for cell in notebook.cells].index("code") + 1


def insert(notebook: NotebookNode, at: int, source: str) -> NotebookNode:
    """Add a code cell at a place."""
    notebook.cells.insert(at, new_code_cell(textwrap.dedent(source).strip()))
    return notebook


def write(submission: Submission, folder: Path) -> None:
    """Put a submission where a student would have put it."""
    if submission.instead:
        folder.parent.mkdir(parents=True)
        folder.symlink_to(submission.instead)
        return
    folder.mkdir(parents=True)
    if submission.notebook is not None:
        (folder / submission.name).write_bytes(_bytes(submission.notebook))
    for name in submission.folders:
        (folder / name).mkdir()
    for name, contents in submission.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(contents)
    for name, target in submission.links.items():
        (folder / name).symlink_to(target)
    for name in submission.fifos:
        os.mkfifo(folder / name)
    for name, size in submission.holes.items():
        with open(folder / name, "wb") as file:
            file.truncate(size)


def _whole(build: Callable) -> Callable[[Material], Submission]:
    def whole(material: Material) -> Submission:
        made = build(material)
        return made if isinstance(made, Submission) else Submission(made)

    return whole


def _bytes(notebook: NotebookNode | bytes) -> bytes:
    if isinstance(notebook, bytes):
        return notebook
    # not by nbformat, which would mend what is to stay broken
    return json.dumps(notebook, indent=1).encode()
