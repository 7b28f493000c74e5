"""What each notebook costs: run the solutions top to bottom, on two cores, one after the other.

The figures go to cs_caption/measured/cost.json, which the notebooks quote, and from there into the
README, between its two marks.
"""

import argparse
import datetime
import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from autograder.build import assignments, chosen, kernel_client, source_notebook
from autograder.course import ROOT
from autograder.measure import RECORDS, machine
from cs_caption.budget import full_budget
from cs_caption.checks.table import text_table
from cs_caption.files import whole_file
from cs_caption.measured import LIMIT_MEGABYTES, LIMIT_SECONDS

CORES = 2
SECONDS_A_CELL = 3 * LIMIT_SECONDS  # long enough to say by how much a notebook is over
SECONDS_A_SAMPLE = 0.05
WITHIN = "within the limits"
BEGIN, END = "<!-- notebooks:begin -->", "<!-- notebooks:end -->"


@dataclass(frozen=True)
class Cost:
    """One run: its wall seconds, its peak memory, and the cells where most of each went."""

    seconds: float
    megabytes: float
    slowest: str
    largest: str

    @property
    def over(self) -> list[str]:
        """What is over its limit, in words."""
        said = []
        if self.seconds > LIMIT_SECONDS:
            said.append(f"over {LIMIT_SECONDS} s; the slowest is {self.slowest}")
        if self.megabytes > LIMIT_MEGABYTES:
            said.append(f"over {LIMIT_MEGABYTES} MB; the peak came in {self.largest}")
        return said


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("assignment", nargs="*", help="such as 02_hello_rnn (default: all)")


def run(args: argparse.Namespace) -> int:
    """Measure, keep the figures where they are quoted, and say what is over its limit."""
    return measure_all(chosen(args.assignment), ROOT, RECORDS / "cost.json")


def measure_all(names: list[str], root: Path, record: Path) -> int:
    """Run each notebook of the course in `root`; 1 where one fails or is over a limit.

    Raises: ValueError, before any work, where the README has no place for the figures.
    """
    with_figures((root / "README.md").read_text(encoding="utf-8"), {})
    rows = [_measure_one(name, root, record) for name in names]
    print(f"\n{text_table(('notebook', 'seconds', 'MB', 'verdict'), rows)}")
    print(f"\nThe limits: {LIMIT_SECONDS} s and {LIMIT_MEGABYTES} MB.")
    print(f"The figures: {record} and {root / 'README.md'}")
    return 0 if all(verdict == WITHIN for *_, verdict in rows) else 1


def cost_of(notebook: NotebookNode) -> Cost:
    """Run a notebook in a fresh kernel, in an empty folder, at full budget.

    Raises: RuntimeError with the cell and its error where one fails, takes SECONDS_A_CELL or kills
    the kernel.
    """
    spent, start = [], time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, full_budget(), _two_cores() as environment:
        client = kernel_client(notebook, folder, SECONDS_A_CELL)
        client.reset_execution_trackers()
        with client.setup_kernel(env=environment), metered(client.km.provisioner.pid) as meter:
            for index, cell in enumerate(notebook.cells):
                begun, before = time.perf_counter(), meter.sample()
                _execute(client, cell, index)
                rise = meter.sample() - before
                spent.append((_described(cell, index), time.perf_counter() - begun, rise))
            seconds = time.perf_counter() - start
    name, longest, _ = max(spent, key=lambda one: one[1])
    largest = max(spent, key=lambda one: one[2])[0]
    return Cost(seconds, meter.peak / 1e6, f"{name}: {longest:.1f} s", largest)


class Meter:
    """The most memory that a process and its children held at once, in bytes, so far.

    What a child shares with its parent counts twice: an upper bound where there are children.
    """

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.peak = 0

    def sample(self) -> int:
        """Look once more, and return the peak."""
        with suppress(psutil.NoSuchProcess):
            family = [self.process, *self.process.children(recursive=True)]
            self.peak = max(self.peak, sum(map(_held, family)), _high_water(self.process))
        return self.peak


@contextmanager
def metered(pid: int) -> Iterator[Meter]:
    """Watch a process, every 50 ms, until the block ends."""
    meter, done = Meter(pid), threading.Event()

    def watch() -> None:
        while not done.wait(SECONDS_A_SAMPLE):
            meter.sample()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield meter
    finally:
        done.set()
        watcher.join()


def keep(name: str, cost: Cost, root: Path, record: Path) -> None:
    """Write the figures to the record and the README; those of other notebooks stay."""
    known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    known[name] = {
        "seconds": round(cost.seconds, 1),
        "megabytes": round(cost.megabytes),
        "date": datetime.date.today().isoformat(),
        "machine": machine(_cores()),
        "command": f"python -m autograder cost {name}",
    }
    known = {name: known[name] for name in assignments(root) if name in known}
    _replace(record, json.dumps(known, indent=1) + "\n")
    readme = root / "README.md"
    _replace(readme, with_figures(readme.read_text(encoding="utf-8"), known))


def with_figures(readme: str, record: Mapping[str, dict]) -> str:
    """The README with the table of `record` between its marks, and nothing else changed.

    Raises: ValueError where a mark is missing, stands twice or comes in the wrong order.
    """
    if re.findall(f"{BEGIN}|{END}", readme) != [BEGIN, END]:
        raise ValueError(
            f"README.md has no place for the figures: the line {BEGIN} and, below it, the line "
            f"{END} must each stand there once"
        )
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{readme_table(record)}\n{END}{rest.split(END)[1]}"


def readme_table(record: Mapping[str, dict]) -> str:
    """The figures in Markdown, with what they were measured on."""
    rows = [
        f"| {name} | {_minutes(one['seconds'])} | {one['megabytes'] / 1000:.1f} GB |"
        for name, one in record.items()
    ]
    table = ["| notebook, solved | minutes to run | peak memory |", "|:--|--:|--:|", *rows]
    runs = sorted({f"{one['machine']}, {one['date']}" for one in record.values()})
    limits = f"{LIMIT_SECONDS / 60:g} minutes and {LIMIT_MEGABYTES / 1000:g} GB"
    source = f"Measured by `python -m autograder cost` on {'; '.join(runs)}. The limits: {limits}."
    return "\n".join([*table, "", source])


def _measure_one(name: str, root: Path, record: Path) -> tuple[str, str, str, str]:
    print(f"{name}: running the solution on {_cores()} cores ...", flush=True)
    text = (root / "solutions" / name / f"{name}.py").read_text(encoding="utf-8")
    try:
        cost = cost_of(source_notebook(text))
    except RuntimeError as error:
        print(f"  FAILED in {error}")
        return name, "", "", f"FAILED in {error}"
    keep(name, cost, root, record)
    print(f"  {cost.seconds:.1f} s, at most {cost.megabytes:.0f} MB; slowest: {cost.slowest}")
    return name, f"{cost.seconds:.1f}", f"{cost.megabytes:.0f}", "; ".join(cost.over) or WITHIN


def _execute(client, cell: NotebookNode, index: int) -> None:
    try:
        client.execute_cell(cell, index)
    except CellExecutionError as error:
        said = f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        said = f"not done after {SECONDS_A_CELL} s"
    except DeadKernelError:
        said = "the kernel died; where memory ran out the system has killed it"
    else:
        return
    raise RuntimeError(f"{_described(cell, index)}: {said}")


def _described(cell: NotebookNode, index: int) -> str:
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    return f"cell {index + 1} ({first[:50]})"


@contextmanager
def _two_cores() -> Iterator[dict[str, str]]:
    """An environment of two threads and no GPU; where the system can, also two cores and no more.

    A process started in the block inherits its cores.
    """
    threads = str(_cores())
    environment = os.environ | {"OMP_NUM_THREADS": threads, "CUDA_VISIBLE_DEVICES": "-1"}
    if not hasattr(os, "sched_setaffinity"):
        yield environment
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:CORES])
    try:
        yield environment
    finally:
        os.sched_setaffinity(0, allowed)


def _cores() -> int:
    return min(CORES, os.cpu_count() or 1)


def _held(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return process.memory_info().rss
    return 0


def _high_water(process: psutil.Process) -> int:
    """The system's own record of the process's peak, which no sample can miss; 0 without one."""
    status = Path(f"/proc/{process.pid}/status")
    with suppress(OSError, TypeError):
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024
    return getattr(process.memory_info(), "peak_wset", 0)


def _minutes(seconds: float) -> str:
    return "under 0.1" if seconds < 6 else f"{seconds / 60:.1f}"


def _replace(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write_text(text, encoding="utf-8")
