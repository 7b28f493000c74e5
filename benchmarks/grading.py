"""Submissions graded a minute: stock nbgrader, a bare pool of processes over it, and this grader.

    python -m benchmarks.grading [--students 200] [--stock 200] [--few 12] [--only NAME]

A simulated class: each student has, for each exercise, the solution, a wrong answer of the zoo or
the stub. All three sides run identical cells on the same machine in one run, two at a time where
they can: cells that only demonstrate carry the tag that nbclient leaves out, so stock nbgrader
skips them too. Stock runs the checks in the student's kernel, which imports torch for them when a
check asks for it; ours runs them outside, with sandbox, repair and hidden cases on.
`--few` students are taken for the notebooks that `--students` are not tried on, and for the second
stock row, in which torch is hidden from the kernels: what is left then is the checks' numeric half.
"""

import argparse
import inspect
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.build import assignments
from autograder.course import ROOT, Course, autograde, release
from autograder.demo import filled_in
from autograder.grade import grade, submitters
from autograder.mutants import mutants
from autograder.plan import read_plan
from benchmarks.record import RESULTS, record

CLASS = "02_hello_rnn"
WORKERS = 2
SKIP = "skip-execution"


def main() -> None:
    args = _arguments()
    figures = _kept() if args.only else {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in [args.only] if args.only else assignments():
            count = args.students if name == CLASS else args.few
            folder = Path(scratch) / name
            simulate(folder / "submitted", name, count)
            figures[name] = _measured(folder, name, min(args.stock, count), args.few)
            print(f"{name}: {figures[name]}", flush=True)
    note = f"submissions a minute, {WORKERS} workers, demos skipped on all sides"
    print("written:", record("grading", figures, note))


def simulate(folder: Path, assignment: str, count: int) -> None:
    """Write `count` submissions: for each exercise the solution, a wrong answer, or the stub."""
    solved, untouched = (
        nbformat.read(ROOT / where / assignment / f"{assignment}.ipynb", as_version=4)
        for where in ("solutions", "notebooks")
    )
    demos = read_plan(ROOT / "solutions" / assignment / f"{assignment}.ipynb").demos
    chance = random.Random(0)
    for number in range(count):
        notebook = _answered(solved, untouched, chance)
        for cell in notebook.cells:
            if "nbgrader" not in cell.metadata and cell.source.strip() in demos:
                cell.metadata["tags"] = [SKIP]
        path = folder / f"student{number:03}" / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)


def _kept() -> dict[str, object]:
    """The figures of the other notebooks, where one alone is measured again."""
    path = RESULTS / "grading.json"
    return json.loads(path.read_text())["figures"] if path.is_file() else {}


def _measured(folder: Path, name: str, stock: int, few: int) -> dict[str, object]:
    """Rates of all sides: ours on everybody, stock and the last two on the first of them."""
    everybody = folder / "submitted"
    count = len(list(everybody.iterdir()))
    most, some = _first(everybody, stock), _first(everybody, few)
    rates = {
        "submissions": count,
        "of them stock": stock,
        "ours": _rate(count, _course(folder, "ours", name, everybody), name, _ours),
        "stock": _rate(stock, _course(folder, "stock", name, most), name, _stock),
        "pool": _rate(few, _course(folder, "pool", name, some), name, _pool),
    }
    os.environ["PYTHONPATH"] = str(_no_torch(folder))
    rates["stock, torch hidden"] = _rate(few, _course(folder, "h", name, some), name, _stock)
    del os.environ["PYTHONPATH"]
    ratios = {f"ours / {k}": round(rates["ours"] / rates[k], 2) for k in _OTHERS}
    return rates | ratios


def _first(everybody: Path, count: int) -> Path:
    folder = everybody.with_name(f"first-{count}")
    folder.mkdir(exist_ok=True)
    for student in sorted(everybody.iterdir())[:count]:
        with suppress(FileExistsError):
            (folder / student.name).symlink_to(student)
    return folder


_OTHERS = ("stock", "pool", "stock, torch hidden")


def _course(folder: Path, side: str, name: str, submitted: Path) -> Course:
    """A course of its own for one side, with the assignment entered in its gradebook."""
    course = Course(folder / side, ROOT / "solutions")
    course.root.mkdir()
    (course.root / "submitted").symlink_to(submitted)
    release(replace(course, release=folder / f"{side}-release"), name)
    return course


def _ours(course: Course, assignment: str) -> None:
    found = grade(course, assignment, workers=WORKERS)
    lost = [one.problem for one in found if one.problem]
    if lost:
        raise RuntimeError(f"{len(lost)} were not graded: {lost[0]}")


def _rate(count: int, course: Course, assignment: str, work: Callable) -> float:
    """Submissions a minute."""
    start = time.monotonic()
    work(course, assignment)
    return round(60 * count / (time.monotonic() - start), 1)


def _stock(course: Course, assignment: str) -> None:
    """`nbgrader autograde`, one process, its own lists of stages."""
    config = course.root / "nbgrader_config.py"
    words = {"root": str(course.root), "db": course.db_url, "source": str(ROOT / "solutions")}
    config.write_text(_STOCK.format(**words))
    program = Path(sys.executable).parent / "nbgrader"
    command = [program, "autograde", assignment, "--create"]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True)
    graded = len(list((course.root / "autograded").glob(f"*/{assignment}/*.ipynb")))
    if graded != len(list((course.root / "submitted").iterdir())):
        raise RuntimeError(f"stock nbgrader graded {graded}: {done.stderr[-2000:]}")


def _pool(course: Course, assignment: str) -> None:
    """The same stages in a pool of processes, as an instructor's own script would."""
    students = submitters(course, assignment)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(_stock_one, [(course, assignment, student) for student in students]))


def _stock_one(task: tuple[Course, str, str]) -> None:
    course, assignment, student = task
    autograde(_StockCourse(**vars(course)), assignment, student)


class _StockCourse(Course):
    def config(self):
        config = super().config()
        del config.Autograde
        del config.OverwriteCells
        config.Execute.extra_arguments = ["--log-level=ERROR"]
        return config


_STOCK = """
c = get_config()
c.CourseDirectory.root = {root!r}
c.CourseDirectory.source_directory = {source!r}
c.CourseDirectory.db_url = {db!r}
c.CourseDirectory.ignore = ["*.py", ".*", "__pycache__"]
c.Execute.extra_arguments = ["--log-level=ERROR"]
"""


def _answered(solved: NotebookNode, untouched: NotebookNode, chance: random.Random) -> NotebookNode:
    zoo = _zoo()
    written = [
        cell.metadata.nbgrader.grade_id
        for cell in untouched.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    ]
    kinds = {name: chance.choices(("right", "wrong", "stub"), (7, 2, 1))[0] for name in written}
    notebook = filled_in(untouched, solved, [n for n in written if kinds[n] != "stub"])
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if kinds.get(name) == "wrong" and name in zoo:
            cell.source += "\n\n" + chance.choice(zoo[name])
    return notebook


@cache
def _zoo() -> dict[str, list[str]]:
    """For each exercise the wrong answers whose text stands alone, as cells of their own."""
    found: dict[str, list[str]] = {}
    for mutant in mutants():
        free = set(inspect.getclosurevars(mutant.function).globals) - {"np"}
        if not free and not mutant.needs and inspect.isfunction(mutant.function):
            text = inspect.getsource(mutant.function).split("\n", 1)
            body = text[1] if text[0].startswith("@mutant") else ""
            if body.startswith("def "):
                found.setdefault(mutant.exercise, []).append(
                    f"{body}\n{mutant.exercise} = {mutant.name}"
                )
    return found


def _no_torch(folder: Path) -> Path:
    absent = folder / "absent"
    absent.mkdir()
    (absent / "torch.py").write_text("raise ModuleNotFoundError('none here', name='torch')")
    return absent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=200, help=f"of {CLASS} (default: 200)")
    parser.add_argument("--stock", type=int, default=200, help="on how many of them stock is tried")
    parser.add_argument("--only", choices=assignments(), help="this notebook; others' figures stay")
    parser.add_argument("--few", type=int, default=12, help="of the others (default: 12)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
