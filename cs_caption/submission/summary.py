"""What was found in a submission, as data, as text and as a view in a notebook."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from cs_caption.checks.table import html_table, text_table
from cs_caption.submission.cells import read_cells
from cs_caption.submission.findings import (
    FRESH,
    Finding,
    of_the_cell,
    of_the_file,
    of_the_labels,
)
from cs_caption.submission.pairs import Pair, assignment_of, paired, releases
from cs_caption.viz.figure import View

HEADER = ("exercise", "as last run", "")
CORE, BONUS, BY_HAND = "", "bonus", "graded by hand"


@dataclass(frozen=True)
class Score:
    """What the last run shows for an exercise; `points` is None where it shows nothing."""

    exercise: str
    points: float | None
    max_points: float
    kind: str


@dataclass(frozen=True)
class Submission:
    """A notebook that was examined: which one it is, what its checks show, and what was found."""

    path: Path
    assignment: str
    saved: datetime
    scores: tuple[Score, ...]
    findings: tuple[Finding, ...]

    @property
    def to_mend(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.mend]

    @property
    def notes(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.mend]

    @property
    def total(self) -> str:
        """As "As last run: 14 of 20 points, bonus 3 of 6, and a question graded by hand (4)."."""
        core, bonus, by_hand = (
            [score for score in self.scores if score.kind == kind]
            for kind in (CORE, BONUS, BY_HAND)
        )
        words = [f"{_sum(core)} points"]
        if bonus:
            words.append(f"bonus {_sum(bonus)}")
        if by_hand:
            questions = "a question" if len(by_hand) == 1 else f"{len(by_hand)} questions"
            words.append(f"and {questions} graded by hand ({_worth(by_hand)})")
        unknown = sum(score.points is None for score in core + bonus)
        checks = "a check shows" if unknown == 1 else f"{unknown} checks show"
        return f"As last run: {', '.join(words)}" + (f"; {checks} no points." if unknown else ".")


def examine(path: str | Path) -> Submission:
    """Hold a notebook against its release.

    Raises: FileNotFoundError where there is no such file; ValueError where it is no notebook, or
    none of this course.
    """
    path = Path(path)
    cells = read_cells(path)
    assignment = assignment_of(cells, path.name)
    if assignment is None:
        raise ValueError(
            f"{path} has no graded cell of {', '.join(releases())}: is it another notebook? If it "
            f"is one of these, {FRESH}"
        )
    pairs = paired(releases()[assignment], cells)
    findings = [*of_the_file(path.name, assignment), *of_the_labels(pairs, cells)]
    for pair in pairs:
        findings += of_the_cell(pair, pairs, cells)
    return Submission(
        path,
        assignment,
        saved=datetime.fromtimestamp(path.stat().st_mtime),
        scores=tuple(_score(pair) for pair in pairs if pair.max_points is not None),
        findings=tuple(findings),
    )


def report(path: str | Path) -> View:
    """What `examine` finds, to look at in a notebook; where it cannot read the file, it says so."""
    try:
        submission = examine(path)
    except (OSError, ValueError) as error:
        return View(f"<p>{escape(str(error))}</p>", str(error))
    return View(as_html(submission), as_text(submission))


def as_text(submission: Submission) -> str:
    """What was found, for a terminal."""
    rows = [_row(score) for score in submission.scores]
    table = text_table(HEADER, rows)
    lines = [submission.path.name, "", table, "", _saved(submission), submission.total]
    for heading, findings in _lists(submission):
        lines += ["", heading]
        for where, found, remedy in _merged(findings):
            lines += [f"- {', '.join(where)}:", f"    {found}", f"    -> {remedy}"]
    return "\n".join([*lines, "", _verdict(submission)])


def as_html(submission: Submission) -> str:
    """What was found, for a notebook."""
    rows = [_row(score) for score in submission.scores]
    parts = [html_table(submission.path.name, HEADER, rows)]
    parts.append(f"<p>{escape(_saved(submission))}<br>{escape(submission.total)}</p>")
    for heading, findings in _lists(submission):
        items = "".join(
            f"<li>{escape(', '.join(where))}: {escape(found)}<br>&rarr; {escape(remedy)}</li>"
            for where, found, remedy in _merged(findings)
        )
        parts.append(f"<p><strong>{escape(heading)}</strong></p><ul>{items}</ul>")
    return "".join([*parts, f"<p>{escape(_verdict(submission))}</p>"])


def _score(pair: Pair) -> Score:
    if pair.by_hand:
        return Score(pair.exercise, None, pair.max_points, BY_HAND)
    return Score(pair.exercise, _points(pair), pair.max_points, BONUS if pair.bonus else CORE)


def _points(pair: Pair) -> float | None:
    """The points that a check shows; None where it is not as released, or shows none."""
    cell = pair.cell
    if cell is None or cell.kind != "code" or cell.source != pair.source:
        return None
    if cell.error:
        return 0.0
    try:
        points = float(cell.result)
    except ValueError:
        return None
    return points if 0 <= points <= pair.max_points else None


def _saved(submission: Submission) -> str:
    saved = f"{submission.saved:%Y-%m-%d at %H:%M}"
    return f"This is the file as last saved, on {saved}: what you wrote since is not in it."


def _row(score: Score) -> tuple[str, str, str]:
    if score.kind == BY_HAND:
        return score.exercise, f"{score.max_points:g}", BY_HAND
    shown = "?" if score.points is None else f"{score.points:g}"
    return score.exercise, f"{shown} of {score.max_points:g}", score.kind


def _sum(scores: Iterable[Score]) -> str:
    scores = list(scores)
    earned = round(sum(score.points or 0 for score in scores), 2)
    return f"{earned:g} of {_worth(scores)}"


def _worth(scores: Iterable[Score]) -> str:
    return f"{sum(score.max_points for score in scores):g}"


def _lists(submission: Submission) -> Iterator[tuple[str, list[Finding]]]:
    if submission.to_mend:
        yield "To mend before you send it:", submission.to_mend
    if submission.notes:
        yield "Good to know:", submission.notes


def _merged(findings: Iterable[Finding]) -> list[tuple[list[str], str, str]]:
    """One entry for what was found in several places with the same words."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in findings:
        places.setdefault((one.found, one.remedy), []).append(one.where)
    return [(where, found, remedy) for (found, remedy), where in places.items()]


def _verdict(submission: Submission) -> str:
    if submission.to_mend:
        return (
            "Cells are counted from the top, with text. When all is mended, save and check again."
        )
    return (
        "Nothing to mend. Did you edit an answer since you last ran it? Then run it and its check "
        "again, and save. If not, it can be sent as it is."
    )
