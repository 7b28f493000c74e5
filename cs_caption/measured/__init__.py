"""What a notebook measures, beside the range that a recorded run over many seeds found.

The records (NAME.json, here) are written by `python -m autograder measure NAME`.
"""

import json
import time
from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files

from cs_caption.checks.table import html_table, text_table
from cs_caption.viz.figure import View

HEADER = ("what", "yours", "lowest", "median", "highest", "verdict")


def beside(name: str, measure: Callable[[int], Mapping[str, float]], seed: int) -> View:
    """Run `measure(seed)` and show each number beside its recorded range.

    Raises: FileNotFoundError where there is no record of `name`; ValueError where the record holds
    other measurements.
    """
    record = load(name)
    start = time.perf_counter()
    yours = measure(seed)
    seconds = time.perf_counter() - start
    if yours.keys() != record["found"].keys():
        raise ValueError(f"the record of {name} is of other measurements: {record['command']}")
    rows = [_row(what, yours[what], record["found"][what]) for what in yours]
    rows.append(("time", _seconds(seconds), *map(_seconds, record["seconds"]), ""))
    caption = f"Yours with seed {seed}, beside the range over {record['seeds']} seeds"
    source = f"Recorded on {record['machine']}, {record['date']}, by `{record['command']}`."
    return View(
        f"{html_table(caption, HEADER, rows)}<p>{escape(source)}</p>",
        f"{caption}\n{text_table(HEADER, rows)}\n{source}",
    )


def load(name: str) -> dict:
    """The record of a notebook: command, date, machine, seeds, and for each number its range."""
    path = files(__name__) / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no record {path}: python -m autograder measure {name} makes it")
    return json.loads(path.read_text(encoding="utf-8"))


def _row(what: str, value: float, found: list[float]) -> tuple[str, ...]:
    lowest, _, highest = found
    # A hair of room: another version of NumPy may round the last digits otherwise.
    room = 1e-6 * max(abs(lowest), abs(highest))
    inside = lowest - room <= value <= highest + room
    return what, *(f"{x:.4g}" for x in (value, *found)), "inside" if inside else "OUTSIDE"


def _seconds(seconds: float) -> str:
    return "under 1 s" if seconds < 1 else f"{seconds:.0f} s"
