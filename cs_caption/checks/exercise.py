"""An exercise and its cases: how a check is run and counted.

A case is a function of (subject, rng). It returns when the subject did well and raises `Wrong` with
words when it did not. The words name the mistake, never the answer.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from cs_caption.checks.farside import quiet
from cs_caption.checks.report import CaseReport, CheckReport
from cs_caption.checks.subject import Subject, Wrong

Run = Callable[[Subject, np.random.RandomState], None]

PUBLIC = "public"
HIDDEN = " (hidden numbers)"


@dataclass(frozen=True)
class Case:
    """One thing to try. `drawn`: its numbers come from rng, so there are hidden ones as well."""

    title: str
    weight: float
    run: Run
    drawn: bool = True


@dataclass(frozen=True)
class Exercise:
    """A graded function: its name, points, the functions it needs and its cases.

    `banned` names the modules that are absent where it is graded; `referee` says who decided.
    """

    name: str
    points: float
    cases: tuple[Case, ...]
    referee: Callable[[], str]
    needs: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()


def run_exercise(
    exercise: Exercise,
    subject: Subject,
    *,
    salt: str | None = None,
    seed: int | None = None,
    notes: Iterable[str] = (),
) -> CheckReport:
    """Run the public cases, and with a `salt` the hidden ones: the same with other numbers."""
    public = PUBLIC if seed is None else f"seed {seed}"
    found = [_run(exercise, case, subject, public) for case in exercise.cases]
    if salt is not None:
        drawn = [case for case in exercise.cases if case.drawn]
        found += [_run(exercise, case, subject, f"salt {salt}", HIDDEN) for case in drawn]
    return CheckReport(
        exercise.name, exercise.points, tuple(found), exercise.referee(), tuple(notes)
    )


def _run(
    exercise: Exercise, case: Case, subject: Subject, source: str, suffix: str = ""
) -> CaseReport:
    title = case.title + suffix
    try:
        with quiet():
            case.run(subject, random_numbers(source, exercise.name, case.title))
    except Wrong as wrong:
        return CaseReport(title, case.weight, False, str(wrong))
    except Exception as error:  # a check that stumbles over a strange answer must not end the cell
        words = f"the check could not judge what came back ({type(error).__name__})"
        return CaseReport(title, case.weight, False, words)
    return CaseReport(title, case.weight, True)


def random_numbers(*source: str) -> np.random.RandomState:
    """Return a generator whose numbers follow from these words, alike on every machine."""
    digest = hashlib.sha256("\n".join(source).encode()).digest()
    return np.random.RandomState(np.frombuffer(digest, dtype="<u4").astype(np.uint32))
