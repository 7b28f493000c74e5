"""A notebook's cells as they stand in its file; what nbformat would refuse is said in words."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True)
class Cell:
    """A cell; `place` counts from 1, `label` is nbgrader's metadata, {} where there is none."""

    place: int
    kind: str
    source: str
    name: str
    label: dict
    outputs: list[dict]
    count: int | None
    tags: tuple[str, ...] = ()

    @property
    def error(self) -> str:
        """The error that it stopped with when last run, or ''."""
        errors = [o for o in self.outputs if o.get("output_type") == "error"]
        return f"{errors[0].get('ename')}: {errors[0].get('evalue')}" if errors else ""

    @property
    def result(self) -> str:
        """What its last result says as text, or ''."""
        results = [o for o in self.outputs if o.get("output_type") == "execute_result"]
        return "".join(results[-1].get("data", {}).get("text/plain", "")) if results else ""


def read_cells(path: Path) -> list[Cell]:
    """Read a notebook.

    Raises: FileNotFoundError where there is no such file; ValueError where it is no notebook.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}{_others(path)}")
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(notebook, dict) and "worksheets" in notebook:
            raise ValueError("it has the form of before 2015; open it in Jupyter and save it")
        if not (isinstance(notebook, dict) and isinstance(notebook.get("cells"), list)):
            raise ValueError("it has no cells; send the .ipynb itself, not an export or a link")
        return as_cells(notebook["cells"])
    except (json.JSONDecodeError, UnicodeDecodeError):
        words = "it is not JSON; send the .ipynb itself, whole, not an export or a link"
    except (AttributeError, TypeError):
        words = "a cell in it is broken; put your answers into a fresh copy of the notebook"
    except ValueError as error:
        words = str(error)
    raise ValueError(f"{path} is not a notebook that can be graded: {words}")


def as_cells(cells: Iterable[dict]) -> list[Cell]:
    """The cells of a notebook's JSON.

    Raises: AttributeError or TypeError where one is not of the form that nbformat asks for.
    """
    return [_cell(place, cell) for place, cell in enumerate(cells, 1)]


def cell_name(name: object, text: str, taken: set[str]) -> str:
    """An id that no other cell has: its own where that will do, or one made of its text."""
    tries, said = len(taken), b""
    while not isinstance(name, str) or name in taken or not NAME.fullmatch(name):
        # once: a text may be long, and names may be made such that many tries are needed
        said = said or hashlib.sha256(text.encode(errors="replace")).digest()
        seed = f"{tries}/".encode() + said
        name, tries = hashlib.sha256(seed).hexdigest()[:8], tries + 1
    return name


def _others(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    there = sorted(p.name for p in folder.glob("*.ipynb")) if folder.is_dir() else []
    return f"; in {folder} there are {', '.join(there)}" if there else ""


def _cell(place: int, cell: dict) -> Cell:
    metadata = cell.get("metadata", {})
    label, tags = metadata.get("nbgrader"), metadata.get("tags")
    count = cell.get("execution_count")
    return Cell(
        place,
        kind=str(cell.get("cell_type")),
        source="".join(cell.get("source", "")).strip(),
        name=str(cell.get("id", "")),
        label=label if isinstance(label, dict) else {},
        outputs=[output for output in cell.get("outputs", []) if isinstance(output, dict)],
        count=count if isinstance(count, int) else None,
        tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
    )
