"""What can be amiss with a submission, each in words and with what to do."""

import ast
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cs_caption.submission.cells import Cell
from cs_caption.submission.pairs import Pair

FRESH = (
    "open a fresh copy of the notebook, put your answers into its cells, run it and send that one"
)
AGAIN = "restart the kernel, run the notebook from the top, and save it"
STUB = re.compile(r"^\s*raise NotImplementedError\s*(#.*)?$", re.MULTILINE)
KINDS = {"code": "code", "markdown": "text", "raw": "raw text"}
KEYS = {"code": "Y", "markdown": "M"}


@dataclass(frozen=True)
class Finding:
    """One thing about a submission and what to do; a note (`mend` False) costs no points."""

    where: str
    found: str
    remedy: str
    mend: bool = True


def of_the_file(name: str, assignment: str) -> Iterator[Finding]:
    """Yield what is amiss with the file's name."""
    if name != f"{assignment}.ipynb":
        yield Finding(
            "the file",
            f"it is called {name}, and the grader looks for {assignment}.ipynb",
            f"rename it to {assignment}.ipynb",
        )


def of_the_labels(pairs: Sequence[Pair], cells: Iterable[Cell]) -> Iterator[Finding]:
    """Yield what is amiss with the labels by which the grader knows a cell."""
    for pair in pairs:
        if pair.lost:
            words = "the label by which the grader knows the cell is gone: some editors drop it"
            yield Finding(pair.where, words, FRESH)
    known = {pair.grade_id for pair in pairs}
    for cell in cells:
        if cell.label and cell.label.get("grade_id") not in known:
            yield Finding(
                f"cell {cell.place}",
                f"it carries the label {cell.label.get('grade_id')!r}, which this notebook has not",
                "delete the cell; if you need its text, copy that into a cell of your own",
            )


def of_the_cell(pair: Pair, pairs: Sequence[Pair], cells: Sequence[Cell]) -> Iterator[Finding]:
    """Yield what is amiss with a graded cell."""
    if pair.cell is None:
        yield Finding(pair.where, "its cell is missing", FRESH)
        return
    yield from _copies(pair)
    yield from _relabelled(pair)
    if pair.cell.kind != pair.wanted["cell_type"]:
        yield _retyped(pair)
    elif pair.is_test:
        yield from _edited(pair)
        yield from _last_run(pair, [p for p in pairs if p.cell and _is_used(p, pair.cell)])
    elif pair.by_hand:
        yield from _unanswered(pair)
    else:
        bonus = any(p.bonus for p in pairs if p.is_test and p.exercise == pair.exercise)
        yield from _unwritten(pair, bonus, cells)


def _copies(pair: Pair) -> Iterator[Finding]:
    if len(pair.labelled) > 1:
        places = " and ".join(str(cell.place) for cell in pair.labelled)
        yield Finding(
            pair.where,
            f"it stands {len(pair.labelled)} times (cells {places}), each with the same label, and "
            "the grader takes only one",
            "keep the one that you mean and delete the others",
        )


def _relabelled(pair: Pair) -> Iterator[Finding]:
    label, locked, graded = pair.cell.label, pair.wanted["locked"], pair.max_points is not None
    meant = {"grade": graded, "solution": not locked, "locked": locked, "points": pair.max_points}
    changed = [key for key in meant if label and label.get(key) != meant[key]]
    if changed:
        words = f"the label by which the grader knows it was changed ({', '.join(changed)})"
        yield Finding(pair.where, words, FRESH)


def _retyped(pair: Pair) -> Finding:
    wanted, kind = pair.wanted["cell_type"], pair.cell.kind
    return Finding(
        pair.where,
        f"it was turned from a {KINDS[wanted]} cell into a {KINDS.get(kind, kind)} cell",
        f"click to the left of it and press {KEYS[wanted]}",
    )


def _edited(pair: Pair) -> Iterator[Finding]:
    if pair.cell.source != pair.source:
        yield Finding(
            pair.where,
            "it was edited; the grader runs its own, and what this one shows does not count",
            f"put back: {pair.source}",
        )


def _last_run(pair: Pair, answers: Sequence[Pair]) -> Iterator[Finding]:
    """The last run of a check, and whether it comes after the answers that it uses."""
    check = pair.cell
    below = [p.exercise for p in answers if p.cell.place > check.place]
    if below:
        words = f"it stands above {' and '.join(below)}, so that it fails when run from the top"
        yield Finding(pair.where, words, "move it below")
    if check.error:
        yield Finding(pair.where, f"when last run it stopped with {check.error}", AGAIN, mend=False)
    elif not check.outputs:
        if not any(p.cell.source == p.source for p in answers):  # else there is nothing to run
            words = "it shows no points: it was not run, or its output was cleared"
            yield Finding(pair.where, words, AGAIN, mend=False)
    elif check.count is not None:
        later = [p.exercise for p in answers if (p.cell.count or math.inf) > check.count]
        if later:
            words = f"{' and '.join(later)} was not run, or after it: its points may be old"
            yield Finding(pair.where, words, AGAIN, mend=False)


def _unanswered(pair: Pair) -> Iterator[Finding]:
    if pair.cell.source in ("", pair.source):
        yield Finding(
            pair.where,
            "the question is not answered yet",
            "double-click the cell and write your answer in place of its line",
        )
    elif pair.source in pair.cell.source:
        words = "beside your answer the line that it replaces still stands"
        yield Finding(pair.where, words, f"delete the line {pair.source}", mend=False)


def _unwritten(pair: Pair, bonus: bool, cells: Iterable[Cell]) -> Iterator[Finding]:
    source, name = pair.cell.source, pair.grade_id
    broken = _syntax_error(source)
    if source == pair.source:
        words = "not written yet" + (" (a bonus: it may stay so)" if bonus else "")
        write = "write it in place of `raise NotImplementedError`, then run the cell and its check"
        yield Finding(pair.where, words, write, mend=not bonus)
    elif broken:
        yield Finding(pair.where, broken, "mend that line: until then the cell defines nothing")
    elif STUB.search(source):
        yield Finding(
            pair.where,
            "it still holds the line `raise NotImplementedError`",
            "delete that line, then run the cell and its check",
        )
    elif not any(_defines(name, cell) for cell in cells):
        words = f"no cell defines {name}"
        yield Finding(pair.where, words, "define it here, by that name, and run the cell")


def _syntax_error(source: str) -> str:
    if re.search(r"^\s*[%!]", source, re.MULTILINE):  # IPython's own commands are no Python
        return ""
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno} of it is not Python ({error.msg})"
    except ValueError as error:
        return f"it is not Python ({error})"
    return ""


def _defines(name: str, cell: Cell) -> bool:
    binds = rf"^\s*(def {name}\b|{name}\s*=|(from|import)\b.*\b{name}\b)"
    return cell.kind == "code" and bool(re.search(binds, cell.source, re.MULTILINE))


def _is_used(answer: Pair, check: Cell) -> bool:
    return not answer.is_test and bool(re.search(rf"\b{answer.grade_id}\b", check.source))
