"""Run a notebook's `measurements(seed)` over many seeds and record what it finds."""

import argparse
import datetime
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np

from autograder.build import source_notebook
from autograder.course import ROOT
from cs_caption.budget import full_budget
from cs_caption.files import whole_file

RECORDS = ROOT / "cs_caption" / "measured"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", help="such as 02_hello_rnn")
    parser.add_argument("--seeds", type=int, default=100, help="seeds 0 to N - 1 (default 100)")


def run(args: argparse.Namespace) -> int:
    """Measure, write the record that the notebook shows, and say where it is."""
    if args.seeds < 1:
        raise ValueError(f"--seeds {args.seeds}: at least one is needed")
    text = ROOT / "solutions" / args.assignment / f"{args.assignment}.py"
    command = f"python -m autograder measure {args.assignment} --seeds {args.seeds}"
    with full_budget():
        record = {"command": command, **recorded(measurements_of(text), args.seeds)}
    path = RECORDS / f"{args.assignment}.json"
    with whole_file(path) as file:
        file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"{args.seeds} seeds, written to {path}")
    return 0


def measurements_of(text: Path) -> Callable[[int], dict[str, float]]:
    """The function `measurements` of a solution; its tests and demonstrations are not run."""
    space: dict = {"__name__": text.stem}
    for cell in source_notebook(text.read_text(encoding="utf-8")).cells:
        if cell.cell_type == "code" and not _left_out(cell):
            exec(compile(cell.source, f"{text.name}:{cell.id}", "exec"), space)
    return space["measurements"]


def recorded(measure: Callable[[int], dict[str, float]], seeds: int) -> dict:
    """Lowest, median and highest of each measurement and of the seconds it took."""
    found, seconds = [], []
    for seed in range(seeds):
        start = time.perf_counter()
        found.append(measure(seed))
        seconds.append(round(time.perf_counter() - start, 3))
        print(f"seed {seed}: {seconds[-1]:.1f} s", flush=True)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "seeds": seeds,
        "seconds": _range(seconds),
        "found": {what: _range([float(row[what]) for row in found]) for what in found[0]},
    }


def machine(used: int | None = None) -> str:
    """What the numbers were measured on, in words; `used` cores where that is not all of them."""
    cores = os.cpu_count()
    return (
        f"{platform.system()} {platform.machine()}, "
        f"{f'{used} of {cores}' if used and used != cores else cores} cores, "
        f"Python {platform.python_version()}, NumPy {np.__version__}"
    )


def _range(values: list[float]) -> list[float]:
    return [min(values), statistics.median(values), max(values)]


def _left_out(cell: nbformat.NotebookNode) -> bool:
    return "demo" in cell.metadata.get("tags", []) or cell.metadata.get("nbgrader", {}).get("grade")
