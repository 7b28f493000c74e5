"""Wrong answers against the checks: which are rejected, by which cases, and what they are told."""

import argparse
import ast
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from autograder.mutants import Mutant, mutants
from cs_caption.checks import CheckReport, built, exercises, run_check, wire
from cs_caption.checks.exercise import HIDDEN
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import LocalSubject
from cs_caption.checks.table import text_table

SOLUTIONS = Path(__file__).resolve().parent.parent / "solutions"
_SALT = "the zoo's own salt: no class is graded with it"
_LEANT_ON = {"collections", "math", "numpy", "torch"}  # by functions of the solutions


@dataclass(frozen=True)
class KillRow:
    """One wrong answer: its points with the public cases and with the hidden ones too."""

    exercise: str
    name: str
    mistake: str
    hidden_only: bool
    public: float
    hidden: float
    max_points: float
    told: str

    @property
    def killed(self) -> bool:
        """Whether it loses points where it must: on the public cases, or on the hidden ones."""
        return (self.hidden if self.hidden_only else self.public) < self.max_points


def kill_rows(names: Iterable[str] | None = None) -> list[KillRow]:
    """Check the wrong answers to the exercises `names` (default: all), a row each.

    Beside the zoo's there is, for each exercise, an answer that knows the public cases by heart.
    """
    wanted = list(exercises() if names is None else names)
    found = [mutant for mutant in mutants() if mutant.exercise in wanted]
    found += [remembering(name) for name in wanted]
    return [row_of(mutant, checked(mutant, _SALT)) for mutant in found]


def row_of(mutant: Mutant, report: CheckReport) -> KillRow:
    """Return the row of a mutant that was checked with hidden cases."""
    public = tuple(case for case in report.cases if not case.title.endswith(HIDDEN))
    return KillRow(
        exercise=mutant.exercise,
        name=mutant.name,
        mistake=mutant.mistake,
        hidden_only=mutant.hidden_only,
        public=replace(report, cases=public).points,
        hidden=report.points,
        max_points=report.max_points,
        told=next((case.message for case in report.cases if not case.passed), ""),
    )


def format_kill_rows(rows: Iterable[KillRow]) -> str:
    """Return the rows as a table, with the kill rate of each exercise and of all below it."""
    rows = list(rows)
    header = ("exercise", "wrong answer", "public", "hidden", "killed", "what it is told first")
    table = text_table(header, [_cells(row) for row in rows])
    names = list(dict.fromkeys(row.exercise for row in rows))
    rates = [_rate(name, [row for row in rows if row.exercise == name]) for name in names]
    return "\n".join([table, "", *rates, _rate("all", rows)])


def remembering(exercise: str) -> Mutant:
    """Return an answer that knows the public cases by heart and nothing else."""
    solution = solution_functions(exercise)
    known: set[bytes] = set()

    def asked(args):
        return wire.dumps([built.plain(arg) for arg in args])

    def remember(*args):
        known.add(asked(args))
        return solution[exercise](*args)

    def remembered(*args):
        """It knows the answers to the public cases by heart."""
        return solution[exercise](*args) if asked(args) in known else None

    run_check(exercise, LocalSubject(exercise, {**solution, exercise: remember}))
    remembered.__name__ = f"{exercise}_by_heart"
    return Mutant(exercise, remembered, hidden_only=True)


def solution_functions(exercise: str) -> dict[str, Callable]:
    """Return the solution of an exercise and the functions it needs, by name.

    Raises: FileNotFoundError where no solution notebook defines it.
    """
    found = functions_of(solution_file(exercise))
    return {name: found[name] for name in (exercise, *exercises()[exercise].needs)}


def solution_file(exercise: str) -> Path:
    """Return the text of the notebook whose exercise it is.

    Raises: FileNotFoundError where there is none.
    """
    for path in sorted(SOLUTIONS.glob("*/*.py")):
        if exercise in functions_of(path):
            return path
    raise FileNotFoundError(f"no file {SOLUTIONS}/*/*.py defines {exercise}")


def functions_of(path: Path) -> Mapping[str, Callable]:
    """Return the plain functions that a notebook's text defines; nothing else of it is run.

    They see what `plain_part` keeps: torch too, where it is installed.
    """
    return _functions_of(path, torch_or_none() is not None)


@cache
def _functions_of(path: Path, torch_is_there: bool) -> Mapping[str, Callable]:
    tree = plain_part(path)
    if not torch_is_there:
        tree.body = [node for node in tree.body if "torch" not in _imported(node)]
    names: dict[str, Callable] = {"np": np}
    exec(compile(tree, str(path), "exec"), names)
    return {node.name: names[node.name] for node in tree.body if isinstance(node, ast.FunctionDef)}


def plain_part(path: Path) -> ast.Module:
    """Return what a notebook's text says without running anything that takes long.

    Its functions, those of its imports that they lean on, and its constants: names in capitals
    for numbers and text.
    """
    tree = ast.parse(path.read_text("utf-8"), str(path))
    tree.body = [node for node in tree.body if _is_plain(node)]
    return tree


def _is_plain(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        return not node.decorator_list
    if isinstance(node, ast.Assign):
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        return {n.id for n in names} <= bound | {"range"} and all(map(str.isupper, bound))
    return bool(_imported(node) & _LEANT_ON)


def _imported(node: ast.stmt) -> set[str]:
    """The packages that an import takes something from."""
    match node:
        case ast.Import(names=names):
            return {name.name.split(".")[0] for name in names}
        case ast.ImportFrom(module=str(module)):
            return {module.split(".")[0]}
    return set()


def checked(mutant: Mutant, salt: str | None = None) -> CheckReport:
    """Check a mutant beside the solution's other functions, without or with hidden cases."""
    name = mutant.exercise
    functions = {**solution_functions(name), **mutant.needs, name: mutant.function}
    return run_check(name, LocalSubject(name, functions), salt=salt)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument(
        "exercise", nargs="*", help="only the wrong answers to these exercises (default: all)"
    )
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--zoo", action="store_true", help="only the zoo: mistakes written by hand")
    one.add_argument("--generic", action="store_true", help="only small changes made by rule")
    parser.add_argument(
        "--survivors",
        action="store_true",
        help="list the changes by rule that the checks let pass, and those that change nothing",
    )


def run(args: argparse.Namespace) -> int:
    """Print the zoo's table and the generic mutants'; 1 where too many were not rejected."""
    unknown = [name for name in args.exercise if name not in exercises()]
    if unknown:
        raise ValueError(f"no exercise {', '.join(unknown)}; there are {', '.join(exercises())}")
    names = args.exercise or list(exercises())
    zoo_holds = args.generic or _show_zoo(names)
    return 0 if (args.zoo or _show_generic(names, args.survivors)) and zoo_holds else 1


def _show_zoo(names: list[str]) -> bool:
    rows = kill_rows(names)
    print(format_kill_rows(rows))
    return all(row.killed for row in rows)


def _show_generic(names: list[str], survivors: bool) -> bool:
    from autograder import generic  # which is made of what stands here

    verdicts = []
    for found in generic.survey(names, os.cpu_count() or 1):
        verdicts += found
        print(f"{found[0].mutant.exercise}: {len(found)} changes judged", file=sys.stderr)
    print(generic.format_verdicts(verdicts))
    if survivors:
        print(generic.format_left(verdicts))
    return generic.rate(verdicts) >= generic.BAR


def _cells(row: KillRow) -> list[str]:
    points = [f"{points:g}/{row.max_points:g}" for points in (row.public, row.hidden)]
    verdict = ("hidden" if row.hidden_only else "public") if row.killed else "NO"
    return [row.exercise, row.name, *points, verdict, row.told]


def _rate(name: str, rows: list[KillRow]) -> str:
    killed = sum(row.killed for row in rows)
    return f"{name}: {killed} of {len(rows)} wrong answers rejected ({killed / len(rows):.0%})"
