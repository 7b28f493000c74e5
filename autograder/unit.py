"""One submission as a unit of work: plain data in, a record out, no gradebook and no course folder.

So that it can be done by any process, on this machine or another.
"""

from dataclasses import dataclass

from autograder.intake import Intake, parsed
from autograder.judge import KernelError, Settings, judge
from autograder.mending import mended
from autograder.plan import Plan
from autograder.records import digest_of, fingerprint, new_record


@dataclass(frozen=True)
class Unit:
    """A submission with all that its grading follows from."""

    intake: Intake
    plan: Plan
    settings: Settings
    salt: str

    @property
    def fingerprint(self) -> str:
        """A digest of all that, and of our own code."""
        taken, files = self.intake, sorted(self.intake.files.items())
        said = (taken.notebook, files, self.plan.digest, self.settings, self.salt)
        return fingerprint(taken.assignment, *said)


def graded(unit: Unit) -> dict:
    """Mend, run and judge a submission; its record says what was found, or why nothing could be."""
    taken = unit.intake
    record = new_record(taken.student, taken.assignment, fingerprint=unit.fingerprint)
    told = [{"where": "the folder", "what": note} for note in taken.notes]
    try:
        notebook, repairs = mended(parsed(taken.notebook), unit.plan)
    except ValueError as error:
        return record | {"problem": str(error), "repairs": told}
    record |= {"repairs": told + repairs, "cells_digest": digest_of(notebook)}
    try:
        judged = judge(notebook, unit.plan, unit.settings, salt=unit.salt, files=taken.files)
    except KernelError as error:
        return record | {"problem": f"the student's process did not start: {error}"}
    return record | judged.as_record()
