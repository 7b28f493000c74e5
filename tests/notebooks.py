"""What several tests of the notebooks ask of them."""

import re
from functools import cache
from pathlib import Path

import nbformat

SOLUTIONS = Path(__file__).resolve().parent.parent / "solutions"


def text_of(name):
    """The file that the notebook is made of."""
    return SOLUTIONS / name / f"{name}.py"


@cache
def executed(name):
    """The cells of the solved notebook, with their outputs."""
    return nbformat.read(SOLUTIONS / name / f"{name}.ipynb", as_version=4).cells


def points_of(name):
    """Points by exercise, from the metadata of the test cells."""
    graded = [cell.metadata.get("nbgrader", {}) for cell in executed(name)]
    return {
        about["grade_id"].removeprefix("test_"): about["points"]
        for about in graded
        if about.get("grade") and not about["solution"]
    }


def html_of(name):
    """All that the cells show."""
    outputs = [output for cell in executed(name) for output in cell.get("outputs", [])]
    return "\n".join(output.data["text/html"] for output in outputs if "text/html" in str(output))


def printed_by(name, part):
    """What the one cell whose source holds `part` prints or returns, as plain text."""
    (cell,) = (c for c in executed(name) if c.cell_type == "code" and part in c.source)
    return "".join(out.get("text") or out.data["text/plain"] for out in cell.outputs)


def words_of(name):
    """All sources on one line, so that what is said can be found across line ends."""
    return " ".join("\n".join(cell.source for cell in executed(name)).split())


def headings_of(name):
    """The level of each heading, from the top."""
    text = "\n".join(c.source for c in executed(name) if c.cell_type == "markdown")
    text = re.sub(r"### (BEGIN|END) SOLUTION|^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [len(mark) for mark in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
