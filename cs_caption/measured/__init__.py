"""What a notebook measures, beside the range that a recorded run over many seeds found.

The records here are written by two commands: NAME.json by `python -m autograder measure NAME`, and
cost.json, what each whole notebook takes, by `python -m autograder cost`.
"""

import json
import time
from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files

from cs_caption.checks.table import html_table, text_table
from cs_caption.viz.figure import View

# What a notebook may take, solved and on two cores: a free Binder gives 2 GB.
LIMIT_SECONDS = 240
LIMIT_MEGABYTES = 1500
HEADER = ("what", "yours", "lowest", "median", "highest", "verdict")


def beside(
    name: str,
    measure: Callable[[int], Mapping[str, float]],
    seed: int,
    seconds: float | None = None,
) -> View:
    """Run `measure(seed)` and show each number beside its recorded range.

    `seconds` is how long the measuring took, where `measure(seed)` only hands out what was found
    before.
    Raises: FileNotFoundError where there is no record of `name`; ValueError where the record holds
    other measurements.
    """
    record = load(name)
    start = time.perf_counter()
    yours = measure(seed)
    if seconds is None:
        seconds = time.perf_counter() - start
    if yours.keys() != record["found"].keys():
        raise ValueError(f"the record of {name} is of other measurements: {record['command']}")
    rows = [_row(what, yours[what], record["found"][what]) for what in yours]
    rows.append(("time", _seconds(seconds), *map(_seconds, record["seconds"]), ""))
    caption = f"Yours with seed {seed}, beside the range over {record['seeds']} seeds"
    below = [f"Recorded on {record['machine']}, {record['date']}, by `{record['command']}`."]
    below += _cost_line(cost(name))
    return View(
        html_table(caption, HEADER, rows) + "".join(f"<p>{escape(line)}</p>" for line in below),
        "\n".join([caption, text_table(HEADER, rows), *below]),
    )


def load(name: str) -> dict:
    """The record of a notebook: command, date, machine, seeds, and for each number its range."""
    path = files(__name__) / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no record {path}: python -m autograder measure {name} makes it")
    return json.loads(path.read_text(encoding="utf-8"))


def cost(name: str) -> dict | None:
    """What the whole notebook took: seconds, megabytes, date, machine; None where not measured."""
    path = files(__name__) / "cost.json"
    return json.loads(path.read_text(encoding="utf-8")).get(name) if path.is_file() else None


def _cost_line(took: dict | None) -> list[str]:
    if took is None:
        return []
    return [
        f"The whole notebook, solved, ran in {_seconds(took['seconds'])} and took "
        f"{took['megabytes'] / 1000:.1f} GB at its peak (limits: {LIMIT_SECONDS / 60:g} min, "
        f"{LIMIT_MEGABYTES / 1000:g} GB), on {took['machine']}, {took['date']}."
    ]


def _row(what: str, value: float, found: list[float]) -> tuple[str, ...]:
    lowest, _, highest = found
    # A hair of room: another version of NumPy may round the last digits otherwise.
    room = 1e-6 * max(abs(lowest), abs(highest))
    inside = lowest - room <= value <= highest + room
    return what, *(f"{x:.4g}" for x in (value, *found)), "inside" if inside else "OUTSIDE"


def _seconds(seconds: float) -> str:
    return "under 1 s" if seconds < 1 else f"{seconds:.0f} s"
