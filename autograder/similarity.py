"""Which answers of a class are alike: pairs to read side by side, never a proof.

Answers are compared by copydetect: names, comments, strings and blanks are dropped, and what is
left is cut into overlapping pieces of 12 characters. What the release hands out does not count, and
neither does a piece that more than 10 answers share: that is how the exercise is naturally solved.
An answer with little left of its own says nothing by itself, as most short functions do; what a
student's answers have left together is compared as well.

Source of the second rule: MOSS, whose option -m (default 10) does the same. Winnowing: Schleimer,
Wilkerson and Aiken, SIGMOD 2003.
"""

import io
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

if TYPE_CHECKING:
    from copydetect import CodeFingerprint

    Answers = Mapping[str, CodeFingerprint]  # of one student, by exercise

PIECE = 12  # characters, once names are one letter each: about half a statement
COMMON = 10  # answers; what more of them share is nobody's own
OWN = 90  # characters of one's own that are needed; below that honest answers coincide
ALIKE = 0.8  # the part of the shorter answer that the other holds too
LONGEST = 20_000  # characters of an answer that are looked at


@dataclass(frozen=True)
class Pair:
    """Two students, and how alike they are, 0 to 1: by exercise where alike, and over all."""

    students: tuple[str, str]
    alike: dict[str, float]
    overall: float


@dataclass(frozen=True)
class Compared:
    """How many answers to an exercise there were, and how many had enough of their own."""

    exercise: str
    answers: int
    compared: int


@dataclass(frozen=True)
class Similarity:
    """What was found, the most exercises alike first; and what could be compared at all."""

    pairs: tuple[Pair, ...]
    exercises: tuple[Compared, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Exercises of which no two answers could be compared."""
        return tuple(one.exercise for one in self.exercises if one.compared < 2)


def answers_of(notebook: NotebookNode) -> dict[str, str]:
    """The code that a student wrote, by the grade id of its cell."""
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
    }


def class_answers(folder: Path, assignment: str) -> dict[str, dict[str, str]]:
    """The answers in `folder`/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb by student; unread ones left out.

    Meant for nbgrader's autograded step, where cells have their labels again.
    """
    found = {}
    for path in sorted(folder.glob(f"*/{assignment}/{assignment}.ipynb")):
        try:
            found[path.parent.parent.name] = answers_of(nbformat.read(path, as_version=4))
        except (OSError, ValueError, nbformat.ValidationError):
            continue
    return found


def similarity(
    answers: Mapping[str, Mapping[str, str]], stubs: Mapping[str, str] | None = None
) -> Similarity:
    """Compare answers {student: {exercise: code}}; `stubs` is what the release hands out.

    Raises: ImportError where copydetect is not installed.
    """
    known = _pieces_of(stubs or {})
    names = list(dict.fromkeys(name for given in answers.values() for name in given))
    alike: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    pool: dict[str, dict[str, CodeFingerprint]] = defaultdict(dict)
    compared = []
    for name in names:
        made = _cut_down({who: one[name] for who, one in answers.items() if name in one}, known)
        enough = {who: one for who, one in made.items() if one.token_coverage >= OWN}
        compared.append(Compared(name, len(made), len(enough)))
        for who in made if len(made) > COMMON else enough:  # few answers show no common way
            pool[who][name] = made[who]
        for pair, found in _likenesses({who: {name: one} for who, one in enough.items()}).items():
            alike[pair][name] = found
    overall = _likenesses({who: one for who, one in pool.items() if _size(one) >= OWN})
    pairs = [
        Pair((one, other), alike.get((one, other), {}), _likeness(pool[one], pool[other]))
        for one, other in {**alike, **overall}
    ]
    pairs.sort(key=lambda pair: (-len(pair.alike), -pair.overall, pair.students))
    return Similarity(tuple(pairs), tuple(compared))


def _pieces_of(stubs: Mapping[str, str]) -> frozenset[int]:
    return frozenset(itertools.chain.from_iterable(_fingerprint(s).hashes for s in stubs.values()))


def _fingerprint(code: str) -> "CodeFingerprint":
    from copydetect import CodeFingerprint  # here: it brings matplotlib

    # A window of 1 keeps every piece: functions are short, so nothing need be sampled.
    return CodeFingerprint("", PIECE, 1, fp=io.StringIO(code[:LONGEST]), language="python")


def _cut_down(given: Mapping[str, str], known: frozenset[int]) -> dict[str, "CodeFingerprint"]:
    """The answers to an exercise, without what was handed out and what many share."""
    made = {who: _fingerprint(code) for who, code in given.items()}
    holders = Counter(itertools.chain.from_iterable(one.hashes for one in made.values()))
    common = {piece for piece, answers in holders.items() if answers > COMMON}
    for one in made.values():
        _drop(one, known | common)
    return made


def _drop(fingerprint: "CodeFingerprint", pieces: set[int] | frozenset[int]) -> None:
    """Forget pieces. copydetect's own way loses those that one answer has twice."""
    from copydetect.utils import get_token_coverage

    kept = {k: v for k, v in fingerprint.hash_idx.items() if k not in pieces}
    fingerprint.hashes, fingerprint.hash_idx = set(kept), kept
    fingerprint.token_coverage = int(
        get_token_coverage(kept, PIECE, len(fingerprint.filtered_code))
    )


def _likenesses(answers: Mapping[str, "Answers"]) -> dict[tuple[str, str], float]:
    """The pairs that are alike, with how much."""
    found = {
        (one, other): _likeness(answers[one], answers[other]) for one, other in _candidates(answers)
    }
    return {pair: likeness for pair, likeness in found.items() if likeness >= ALIKE}


def _candidates(answers: Mapping[str, "Answers"]) -> list[tuple[str, str]]:
    """Pairs that share half of the pieces of one: found by the pieces, not by trying all pairs."""
    holders, size = defaultdict(list), Counter()
    for who in sorted(answers):
        for name, one in answers[who].items():
            size[who] += len(one.hashes)
            for piece in one.hashes:
                holders[name, piece].append(who)
    shared = Counter(itertools.chain.from_iterable(map(_pairs, holders.values())))
    return [pair for pair, n in shared.items() if 2 * n >= min(size[who] for who in pair)]


def _pairs(students: list[str]) -> Iterator[tuple[str, str]]:
    return itertools.combinations(students, 2)


def _likeness(one: "Answers", other: "Answers") -> float:
    """The part of the shorter student's code that the other holds too, exercise by exercise."""
    from copydetect import compare_files

    shared = [0.0, 0.0]
    for name in set(one) & set(other):
        _, parts, _ = compare_files(one[name], other[name])
        shared[0] += float(parts[0]) * one[name].token_coverage
        shared[1] += float(parts[1]) * other[name].token_coverage
    return min(1.0, max(shared[0] / _size(one), shared[1] / _size(other)))


def _size(answers: "Answers") -> int:
    return sum(one.token_coverage for one in answers.values())
