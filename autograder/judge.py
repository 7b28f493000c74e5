"""A submission's cells are run, its tests are judged: what runs where, in which order.

The student's cells run in a sandboxed kernel (autograder/session.py), top to bottom. A test cell is
never run: the source notebook says, by its grade id, what it checks; the kernel serves the
functions of that name, and the check runs here, with the hidden cases drawn from the salt. Cells
that only demonstrate are left out. Where a kernel dies, a new one runs the finished cells again,
all but the one that killed it, and grading goes on from there.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape

import nbformat
from nbformat import NotebookNode

from autograder.mending import NOTE
from autograder.plan import Plan, Test, is_test
from autograder.sandbox import Limits
from autograder.session import CellRun, Kernel, KernelError
from cs_caption.checks import CaseReport, CheckReport, exercises, run_check
from cs_caption.checks.exercise import HIDDEN
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import Subject

MOST_REPLAYS = 3


@dataclass(frozen=True)
class Settings:
    """What a submission may take, in seconds and bytes, and how it is confined.

    `own_tests`: tests that are no check(...) line are run in the student's own kernel, where a
    student who means to can forge their result.
    """

    sandbox: str = "bubblewrap"
    limits: Limits = field(default_factory=Limits)
    cell_seconds: float = 60
    call_seconds: float = 10
    check_seconds: float = 60
    notebook_seconds: float = 900
    own_tests: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a test cell earned; `words` say why where no check could be run."""

    grade_id: str
    exercise: str
    points: float
    max_points: float
    bonus: bool
    seconds: float = 0.0
    words: str = ""
    cases: tuple[dict, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A run notebook: for each cell its outputs (None: not a code cell), verdicts and notes."""

    outputs: tuple[list[NotebookNode] | None, ...]
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...]
    kernels: int
    seconds: float

    def as_record(self) -> dict:
        """The same as plain JSON."""
        return {
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "notes": list(self.notes),
            "kernels": self.kernels,
            "seconds": round(self.seconds, 3),
            "cells": [outputs for outputs in self.outputs if outputs is not None],
        }


def judge(
    notebook: NotebookNode,
    plan: Plan,
    settings: Settings,
    *,
    salt: str,
    files: Mapping[str, bytes] | None = None,
) -> Judged:
    """Run the cells of a repaired notebook and judge its tests.

    Raises: KernelError where no kernel starts, or the checks' referee is missing; SandboxMissing
    where the sandbox is not there.
    """
    if torch_or_none() is None:
        raise KernelError("torch is not installed where it is graded: it referees the gradients")
    run = _Run(plan, settings, salt, files or {})
    first = 0 if notebook.cells and notebook.cells[0].get("id") == NOTE else 1
    try:
        outputs = tuple(run.outputs_of(i, cell) for i, cell in enumerate(notebook.cells, first))
    finally:
        run.close()
    return Judged(outputs, tuple(run.verdicts), tuple(run.notes), run.kernels, run.spent())


class _Run:
    """One submission on its way: its kernel, and what a new one would have to run again."""

    def __init__(
        self, plan: Plan, settings: Settings, salt: str, files: Mapping[str, bytes]
    ) -> None:
        self.plan, self.settings, self.salt, self.files = plan, settings, salt, files
        self.verdicts: list[Verdict] = []
        self.notes: list[str] = []
        self.kernels = 0
        self._kernel: Kernel | None = None
        self._finished: dict[int, str] = {}
        self._given_up = ""
        self._started = time.monotonic()

    def outputs_of(self, place: int, cell: NotebookNode) -> list[NotebookNode] | None:
        """Run or judge the cell at a place, counted from 1; what it shows."""
        if cell.cell_type != "code":
            return None
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if is_test(cell):
            if grade_id in self.plan.tests:
                return self._judged(self.plan.tests[grade_id])
            if not self.settings.own_tests:
                return [_error("NoCheck", _NO_CHECK)]
        elif not grade_id and cell.source.strip() in self.plan.demos:
            return []
        return self._ran(place, cell.source)

    def spent(self) -> float:
        """Seconds since the first cell."""
        return time.monotonic() - self._started

    def close(self) -> None:
        if self._kernel is not None:
            self._kernel.close()

    def _ran(self, place: int, source: str) -> list[NotebookNode]:
        if not self._ready():
            return [_error("NotRun", f"This cell was not run: {self._given_up}.")]
        run = self._kernel.run(source, self._seconds(self.settings.cell_seconds))
        if self._kernel.alive:
            self._finished[place] = source
        return self._told(place, run)

    def _told(self, place: int, run: CellRun) -> list[NotebookNode]:
        """The cell's outputs, and where it was stopped the words that say why."""
        if run.ended in ("ok", "error"):
            return run.outputs
        self.notes.append(f"cell {place}: {run.words}")
        return [*run.outputs, _error("Stopped", f"This cell was stopped: {run.words}.")]

    def _judged(self, test: Test) -> list[NotebookNode]:
        started = time.monotonic()
        if not self._ready():
            verdict = _nothing(test, f"it was not judged: {self._given_up}")
            self.verdicts.append(verdict)
            return [_result(0.0, f"<p>{escape(test.exercise)}: {escape(verdict.words)}.</p>")]
        report = _discreet(self._report(test))
        if not self._kernel.alive:
            self.notes.append(f"the check of {test.exercise} ended the process")
        points = _scaled(report, test)
        cases = tuple(_case(case) for case in report.cases)
        seconds = round(time.monotonic() - started, 3)
        self.verdicts.append(
            Verdict(
                test.grade_id, test.exercise, points, test.points, test.bonus, seconds, cases=cases
            )
        )
        return [_result(points, report._repr_mimebundle_()["text/html"])]

    def _report(self, test: Test) -> CheckReport:
        exercise = exercises()[test.exercise]
        names = dict(zip((exercise.name, *exercise.needs), test.functions, strict=True))
        with self._kernel.serving(
            names,
            call_seconds=self.settings.call_seconds,
            check_seconds=self._seconds(self.settings.check_seconds),
        ) as link:
            return run_check(exercise.name, Subject(exercise.name, link), salt=self.salt)

    def _seconds(self, most: float) -> float:
        return max(1.0, min(most, self.settings.notebook_seconds - self.spent()))

    def _ready(self) -> bool:
        """Whether there is a kernel that has run what was finished; makes one where needed."""
        while not self._given_up and (self._kernel is None or not self._kernel.alive):
            if self.kernels > MOST_REPLAYS:
                self._given_up = f"the process that runs it has ended {self.kernels} times before"
            else:
                self._start()
        if not self._given_up and self.spent() > self.settings.notebook_seconds:
            self._given_up = (
                f"the time for a whole notebook, {self.settings.notebook_seconds:g} s, is over"
            )
        if self._given_up and self._given_up not in self.notes:
            self.notes.append(self._given_up)
        return not self._given_up

    def _start(self) -> None:
        """A new kernel; the finished cells are run again, but for one that now ends it."""
        self.close()
        self._kernel = Kernel(
            self.settings.sandbox,
            self.settings.limits,
            absent=self.plan.absent,
            files=self.files,
        )
        self.kernels += 1
        if self.kernels > 1:
            self.notes.append(f"a new process ran {len(self._finished)} finished cells again")
        for place, source in list(self._finished.items()):
            if self.spent() > self.settings.notebook_seconds:
                return
            self._kernel.run(source, self._seconds(self.settings.cell_seconds))
            if not self._kernel.alive:
                del self._finished[place]
                self.notes.append(f"cell {place} ended the process when it was run again")
                return


_NO_CHECK = (
    "This test is not a check(...) line, so it could be judged only inside the process that runs "
    "the student's code: c.JudgedExecution.own_tests = True allows that."
)
_HIDDEN_TOO = "fails with other numbers too"
_HIDDEN_ONLY = (
    "right with the numbers of the notebook's check, wrong with others: try them by "
    'check("{name}", ..., seed=1), and seed=2, 3, ...'
)


def _discreet(report: CheckReport) -> CheckReport:
    """The report without the hidden cases' own words, in which a hidden input could be quoted."""
    failed = {case.title for case in report.cases if not case.passed}
    cases = []
    for case in report.cases:
        if not case.passed and case.title.endswith(HIDDEN):
            too = case.title.removesuffix(HIDDEN) in failed
            words = _HIDDEN_TOO if too else _HIDDEN_ONLY.format(name=report.exercise)
            case = CaseReport(case.title, case.weight, False, words)
        cases.append(case)
    return CheckReport(
        report.exercise, report.max_points, tuple(cases), report.referee, report.notes
    )


def _scaled(report: CheckReport, test: Test) -> float:
    """The check owns how its cases weigh, the notebook how many points the cell has."""
    share = min(max(report.points / report.max_points, 0.0), 1.0)
    return round(share * test.points, 2)


def _nothing(test: Test, words: str) -> Verdict:
    return Verdict(test.grade_id, test.exercise, 0.0, test.points, test.bonus, words=words)


def _case(case: CaseReport) -> dict:
    hidden = case.title.endswith(HIDDEN)
    return {
        "title": case.title.removesuffix(HIDDEN),
        "passed": case.passed,
        "message": case.message,
        "hidden": hidden,
    }


def _result(points: float, html: str) -> NotebookNode:
    data = {"text/plain": f"{points:g}", "text/html": html}
    return nbformat.v4.new_output("execute_result", data=data, execution_count=None)


def _error(name: str, words: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=name, evalue=words, traceback=[words])


__all__ = ["Judged", "KernelError", "Settings", "Verdict", "judge"]
