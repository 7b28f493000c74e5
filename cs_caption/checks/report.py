"""What a check found: points, and a table of cases."""

import itertools
from dataclasses import dataclass
from html import escape
from typing import Any

from cs_caption.checks.table import html_table, text_table


@dataclass(frozen=True)
class CaseReport:
    """One case: its weight among the others, and in words what is probably wrong ('' if passed)."""

    title: str
    weight: float
    passed: bool
    message: str = ""


@dataclass(frozen=True)
class CheckReport:
    """The result of `check`. As the last line of a cell it shows its points and its table.

    Its plain form (`repr`, text/plain) is one number, the points: that is what nbgrader reads as
    the grade. `print(report)` shows the table where there is no notebook around it.
    """

    exercise: str
    max_points: float
    cases: tuple[CaseReport, ...]
    referee: str
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return all(case.passed for case in self.cases)

    @property
    def points(self) -> float:
        """The points earned, from 0 to max_points: the sum of what the passed cases are worth."""
        hundredths = zip(self.cases, self._hundredths(), strict=True)
        return sum(worth for case, worth in hundredths if case.passed) / 100

    def __repr__(self) -> str:
        return f"{self.points:g}"

    def __str__(self) -> str:
        lines = [self._caption(), text_table(_HEADER, self._rows()), *self._below()]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        below = "".join(f"<p>{escape(line)}</p>" for line in self._below())
        table = html_table(self._caption(), _HEADER, self._rows())
        return {"text/plain": repr(self), "text/html": table + below}

    def _caption(self) -> str:
        return f"{self.exercise}: {self.points:g} of {self.max_points:g} points"

    def _rows(self) -> list[list[str]]:
        return [
            [case.title, "passed" if case.passed else "failed", f"{worth / 100:.2f}", case.message]
            for case, worth in zip(self.cases, self._hundredths(), strict=True)
        ]

    def _hundredths(self) -> list[int]:
        """What each case is worth, in whole hundredths that add up to max_points."""
        total = sum(case.weight for case in self.cases)
        up_to = itertools.accumulate((case.weight for case in self.cases), initial=0)
        # the running sum is rounded, not each worth: so no hundredth is lost on the way
        edges = [round(100 * self.max_points * weight / total) for weight in up_to]
        return [after - before for before, after in itertools.pairwise(edges)]

    def _below(self) -> list[str]:
        return [f"Judged by: {self.referee}.", *self.notes]


_HEADER = ("case", "result", "worth", "what is probably wrong")
