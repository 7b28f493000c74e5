"""Which cell of a submission is which graded cell of the release.

The graded cells are in releases/NN_topic.json, which `python -m autograder release` writes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from cs_caption.submission.cells import Cell


@dataclass(frozen=True)
class Pair:
    """A graded cell of the release, and the cells of the submission that carry its label.

    `lost` is the cell that seems to be it where none carries the label.
    """

    wanted: Mapping
    labelled: tuple[Cell, ...]
    lost: Cell | None

    @property
    def cell(self) -> Cell | None:
        # Of several, the last: the one that nbgrader keeps.
        return self.labelled[-1] if self.labelled else self.lost

    @property
    def grade_id(self) -> str:
        return self.wanted["grade_id"]

    @property
    def exercise(self) -> str:
        return self.grade_id.removeprefix("test_")

    @property
    def source(self) -> str:
        """What the release has in the cell: the test itself, or the stub."""
        return self.wanted["source" if self.is_test else "stub"].strip()

    @property
    def max_points(self) -> float | None:
        return self.wanted["points"]

    @property
    def is_test(self) -> bool:
        return self.wanted["locked"]

    @property
    def by_hand(self) -> bool:
        return not self.is_test and self.max_points is not None

    @property
    def bonus(self) -> bool:
        """Whether its points are bonus; tests alone are tagged so."""
        return "ext" in self.wanted["tags"]

    @property
    def where(self) -> str:
        what = named(self.wanted)
        return f"{what} (cell {self.cell.place})" if self.cell else what


def named(wanted: Mapping) -> str:
    """A graded cell of the release, as a student knows it."""
    grade_id = wanted["grade_id"]
    return f"the check of {grade_id.removeprefix('test_')}" if wanted["locked"] else grade_id


def releases() -> dict[str, list[dict]]:
    """The graded cells of every notebook, by its name."""
    folder = files("cs_caption") / "releases"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return {
        one.name.removesuffix(".json"): json.loads(one.read_text(encoding="utf-8")) for one in found
    }


def assignment_of(cells: Sequence[Cell], file_name: str) -> str | None:
    """The notebook that most of the graded cells belong to; None where none is there."""
    here = {
        name: sum(pair.cell is not None for pair in paired(release, cells))
        for name, release in releases().items()
    }
    best = max(here, key=lambda name: (here[name], name in file_name))
    return best if here[best] else None


def paired(release: Sequence[Mapping], cells: Sequence[Cell]) -> list[Pair]:
    """A pair for each graded cell of the release."""
    pairs = []
    for wanted in release:
        labelled = tuple(c for c in cells if c.label.get("grade_id") == wanted["grade_id"])
        seeming = (c for c in cells if not c.label and _seems(c, wanted))
        pairs.append(Pair(wanted, labelled, None if labelled else next(seeming, None)))
    return pairs


def _seems(cell: Cell, wanted: Mapping) -> bool:
    said = wanted["source"] if wanted["locked"] else wanted["stub"]
    marked = cell.source.startswith(f"# exercise: {wanted['grade_id']}\n")
    return marked or cell.source == said.strip() or cell.name == wanted["grade_id"]
