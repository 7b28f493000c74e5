"""A submission's cells put in order, so that what its author wrote is graded whatever else befell.

    cells, repairs = repaired(notebook["cells"], releases()["02_hello_rnn"])

Afterwards each graded cell of the release stands in the notebook exactly once, with its kind, label
and tags, and its text where that is locked; answers are as written. Nothing is run or parsed: text
is told apart by its first line, by what it defines, and by what the release says.
"""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cs_caption.submission.cells import cell_name
from cs_caption.submission.findings import KINDS
from cs_caption.submission.pairs import named

MARK = re.compile(r"# exercise: (\w+)[ \t\r]*(?:\n|\Z)")
DEFINED = re.compile(r"^(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)
# A statement after which something is there that later cells may lean on.
BINDS = re.compile(
    r"^[ \t]*(?:(?:async|class|def|for|from|import|with)\b|[%!]|\w[\w.,:\[\] ]*[-+*/@]?=(?!=))",
    re.MULTILINE,
)
OWN = "now a cell like any other, and runs where it stands"
LOST = "the label by which the grader knows the cell was gone (some editors drop it); put back"


@dataclass(frozen=True)
class Repair:
    """What was put right, and where."""

    where: str
    what: str


@dataclass(eq=False)
class _Piece:
    """A cell of the submission; `place` counts from 1, 0 for one that was put in.

    `is_it` is the grade id of the cell of the release that it turned out to be.
    """

    place: int
    kind: str
    text: str
    label: object = None
    name: str = ""
    metadata: dict = field(default_factory=dict)
    rest: dict = field(default_factory=dict)
    is_it: str = ""

    def become(self, text: str) -> None:
        self.text = text
        for known in ("stripped", "marked", "_defined"):
            self.__dict__.pop(known, None)

    @property
    def grade_id(self) -> str:
        """What its label says it is, or ''."""
        grade_id = self.label.get("grade_id") if isinstance(self.label, dict) else None
        return grade_id if isinstance(grade_id, str) else ""

    @property
    def tags(self) -> list[str]:
        tags = self.metadata.get("tags")
        return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []

    @property
    def defines(self) -> frozenset[str]:
        return self._defined if self.kind == "code" else frozenset()

    @cached_property
    def stripped(self) -> str:
        return self.text.strip()

    @cached_property
    def marked(self) -> str:
        """The exercise that its first line names, or ''."""
        mark = MARK.match(self.text)
        return mark.group(1) if mark else ""

    @cached_property
    def _defined(self) -> frozenset[str]:
        return frozenset(DEFINED.findall(self.text))


def label_of(wanted: Mapping) -> dict:
    """nbgrader's metadata of a graded cell of the release, but for what nbgrader computes."""
    locked, points = wanted["locked"], wanted["points"]
    label = {
        "schema_version": 3,
        "grade_id": wanted["grade_id"],
        "grade": points is not None,
        "solution": not locked,
        "locked": locked,
        "task": False,
    }
    return label if points is None else {**label, "points": points}


def repaired(cells: Sequence[object], wanted: Sequence[Mapping]) -> tuple[list[dict], list[Repair]]:
    """Cells in which each graded cell of the release, `wanted`, stands once, and what was done.

    `cells` may be anything that JSON can hold. Of several cells that could be an answer the last
    that holds one counts; the others stay and run as cells of their own, unless they say the same.
    """
    work = _Work(cells, wanted)
    work.unmask()
    for one in wanted:
        if one["locked"]:
            work.find_locked(one)
    for one in wanted:
        if not one["locked"] and one["cell_type"] == "code":
            work.find_answer(one)
    for one in wanted:
        if not one["locked"] and one["cell_type"] != "code":
            work.find_question(one)
    work.put_in()
    work.move_tests()
    work.clean_the_rest()
    return work.cells(), work.told


class _Work:
    """The pieces while they are put in order, and what there is to tell."""

    def __init__(self, cells: Sequence[object], wanted: Sequence[Mapping]):
        self.by_id = {one["grade_id"]: one for one in wanted}
        self.by_name = {one.get("id", grade_id): grade_id for grade_id, one in self.by_id.items()}
        self.pieces = [_piece(i, cell) for i, cell in enumerate(cells, 1) if isinstance(cell, dict)]
        self.told = [
            Repair(f"cell {i}", "it was not a cell at all; left out")
            for i, cell in enumerate(cells, 1)
            if not isinstance(cell, dict)
        ]
        self.found: dict[str, _Piece] = {}
        self.misled: set[_Piece] = set()  # whose labels are those of other cells
        self.locked: dict[str, set[str]] = {}
        for one in wanted:
            if one["locked"]:
                self.locked.setdefault(one["source"].strip(), set()).add(one["grade_id"])
        sides = [one.get(side) for one in wanted for side in ("before", "after")]
        texts = {s["source"].strip() for s in sides if s and s["id"] not in self.by_id}
        self.ordinary = texts - {""}  # what cells say that are beside graded ones in the release

    def tell(self, wanted: Mapping, what: str) -> None:
        self.told.append(Repair(named(wanted), what))

    # Which piece is which

    def unmask(self) -> None:
        """Find the labels that stand on the wrong cell, as after two were swapped.

        A label is believed unless its cell says that it is another one, which would be missing, or
        is a text where some other cell is the code, or the cell that has it by rights is misled;
        by the ids, two cells have exchanged theirs where neither says anything.
        """
        says = {piece: self._says(piece) for piece in self.pieces}
        said = set().union(*says.values())
        sure = {piece.grade_id for piece in self.pieces if piece.grade_id in says[piece]}
        doubted = [p for p in self.pieces if p.grade_id in self.by_id and p.grade_id not in says[p]]
        given_up = {self.by_name[p.name] for p in self.pieces if self._named_otherwise(p)}
        for piece in doubted:
            is_code = piece.marked in self.by_id or piece.stripped in self.locked
            wanted = self.by_id[piece.grade_id]
            unlike = wanted["locked"] or is_code or piece.grade_id in said
            retyped = piece.kind != wanted["cell_type"] and unlike
            exchanged = self._named_otherwise(piece) and piece.grade_id in given_up
            if retyped or exchanged or says[piece] - sure or piece.stripped in self.ordinary:
                self.misled.add(piece)
        by_rights = set().union(*(says[piece] for piece in self.misled))
        self.misled |= {piece for piece in doubted if piece.grade_id in by_rights}

    def _says(self, piece: _Piece) -> set[str]:
        """Which graded cells it could be, by its text alone."""
        found = {piece.marked, *piece.defines, *self.locked.get(piece.stripped, ())}
        return found & self.by_id.keys()

    def _named_otherwise(self, piece: _Piece) -> bool:
        """Whether its id is that of one graded cell, and its label that of another."""
        by_name = self.by_name.get(piece.name)
        return by_name is not None and piece.grade_id in self.by_id.keys() - {by_name}

    def _labelled(self, piece: _Piece, wanted: Mapping) -> bool:
        return piece.grade_id == wanted["grade_id"] and piece not in self.misled

    def _is_free(self, piece: _Piece, wanted: Mapping) -> bool:
        """Whether it may be this cell: it is no other one yet, and has no other's label."""
        other = piece.grade_id in self.by_id and piece not in self.misled
        return not piece.is_it and (not other or self._labelled(piece, wanted))

    def _is_named(self, piece: _Piece, wanted: Mapping) -> bool:
        """Whether it has the id of the released cell, and a text that does not say otherwise."""
        if piece.name != wanted.get("id", wanted["grade_id"]) or piece.stripped in self.ordinary:
            return False
        says = self._says(piece)
        return not says or wanted["grade_id"] in says

    def find_locked(self, wanted: Mapping) -> None:
        """Find a test; what its author wrote there for later cells to use becomes a cell."""
        released = wanted["source"].strip()

        def rank(piece: _Piece) -> tuple:
            labelled, known = self._labelled(piece, wanted), self._is_named(piece, wanted)
            signs = (labelled, piece.stripped == released, known)
            return signs if any(signs) else ()

        best, others = self._choose(wanted, rank)
        for piece in others:
            if self._labelled(piece, wanted):
                self._demote(piece, wanted, drop=piece.stripped in ("", released))
        if best and best.stripped != released:
            self._restore(best, wanted)
        elif best:  # space around it is no edit
            best.become(wanted["source"])

    def _restore(self, piece: _Piece, wanted: Mapping) -> None:
        rest = ""
        if wanted["cell_type"] == piece.kind == "code" and BINDS.search(piece.text):
            own = _Piece(piece.place, "code", piece.text)
            self.pieces.insert(self.pieces.index(piece), own)
            rest = ", and what it said runs in a cell of its own above it"
        piece.become(wanted["source"])
        self.tell(wanted, f"it was edited; put back as released{rest}")

    def find_answer(self, wanted: Mapping) -> None:
        """Find the answer to an exercise: a cell that holds more than the stub, if there is one."""
        grade_id, stub = wanted["grade_id"], wanted["stub"].strip()

        def rank(piece: _Piece) -> tuple:
            labelled, known = self._labelled(piece, wanted), self._is_named(piece, wanted)
            signs = (labelled, grade_id in piece.defines, piece.marked == grade_id, known)
            return (_holds(piece, stub), *signs) if any(signs) else ()

        best, others = self._choose(wanted, rank)
        for piece in others:
            if piece.stripped == stub or self._labelled(piece, wanted):
                self._demote(piece, wanted, drop=piece.stripped in ("", stub, best.stripped))

    def find_question(self, wanted: Mapping) -> None:
        """Find the answer to a question, by its neighbours where nothing else tells."""
        stub, between = wanted["stub"].strip(), self._between(wanted)

        def rank(piece: _Piece) -> tuple:
            labelled, known = self._labelled(piece, wanted), self._is_named(piece, wanted)
            signs = (labelled, known, piece in between)
            return (piece.stripped not in ("", stub), *signs) if any(signs) else ()

        def rank_by_stub(piece: _Piece) -> tuple:
            edge = piece.stripped.startswith(stub) or piece.stripped.endswith(stub)
            return (True,) if stub and edge and piece.kind != "code" else ()

        best, others = self._choose(wanted, rank)
        if best is None:
            self._choose(wanted, rank_by_stub)
        for piece in others:
            if self._labelled(piece, wanted):
                piece.kind = wanted["cell_type"]
                self._demote(piece, wanted, drop=piece.stripped in ("", stub, best.stripped))

    def _between(self, wanted: Mapping) -> set[_Piece]:
        """The texts of the student's own between the two cells that the question stands between."""
        before, after = (self._neighbour(wanted.get(side)) for side in ("before", "after"))
        if before is None or after is None:
            return set()
        first, last = self.pieces.index(before) + 1, self.pieces.index(after)
        texts = [p for p in self.pieces[first:last] if p.kind != "code" and p.stripped]
        return {p for p in texts if p.stripped not in self.ordinary and not self._says(p)}

    def _neighbour(self, told: Mapping | None) -> _Piece | None:
        """The cell that stands beside a graded one in the release."""
        if told is None or told["id"] in self.by_id:
            return self.found.get(told["id"]) if told else None
        text = told["source"].strip()
        free = [piece for piece in self.pieces if not piece.is_it]
        by_text = (piece for piece in free if text and piece.stripped == text)
        by_name = (piece for piece in free if told["id"] and piece.name == told["id"])
        return next(by_text, None) or next(by_name, None)

    def _choose(
        self, wanted: Mapping, rank: Callable[[_Piece], tuple]
    ) -> tuple[_Piece | None, list[_Piece]]:
        """The last of the cells that rank highest, or the first that says the same; the others."""
        ranks = {piece: rank(piece) for piece in self.pieces if self._is_free(piece, wanted)}
        likely = [piece for piece in ranks if ranks[piece]]
        if not likely:
            return None, []
        highest = max(ranks[piece] for piece in likely)
        equal = [piece for piece in likely if ranks[piece] == highest]
        same = itertools.takewhile(lambda p: p.stripped == equal[-1].stripped, reversed(equal))
        best = list(same)[-1]
        others = [piece for piece in likely if piece is not best]
        self._take(best, wanted, any(self._labelled(piece, wanted) for piece in others))
        return best, others

    def _take(self, piece: _Piece, wanted: Mapping, elsewhere: bool) -> None:
        """Say which one a piece is; `elsewhere`: another cell carries its label."""
        piece.is_it = wanted["grade_id"]
        self.found[piece.is_it] = piece
        if piece.kind != wanted["cell_type"]:
            was, is_now = (KINDS.get(k, "strange") for k in (piece.kind, wanted["cell_type"]))
            self.tell(wanted, f"it had been turned into a {was} cell; it is a {is_now} cell again")
            piece.kind = wanted["cell_type"]
        if not self._labelled(piece, wanted):
            other = f"the cell with its label holds no answer; cell {piece.place} was taken for it"
            wrong = f"cell {piece.place} carried the label {_short(piece.grade_id)}; put right"
            self.tell(wanted, wrong if piece.grade_id else other if elsewhere else LOST)
            return
        meant = label_of(wanted)
        changed = [key for key in meant if {"task": False, **piece.label}.get(key) != meant[key]]
        if changed:
            self.tell(wanted, f"its label was changed ({', '.join(changed)}); put back")
        if set(piece.tags) != set(wanted["tags"]):
            tags = ", ".join(map(_short, piece.tags[:5])) or "removed"
            self.tell(wanted, f"its tags were changed ({tags}); put back")

    def _demote(self, piece: _Piece, wanted: Mapping, *, drop: bool) -> None:
        """Make an ordinary cell of another copy of a graded cell, or leave it out."""
        piece.label, piece.metadata = None, {}
        if drop:
            self.pieces.remove(piece)
        stub = wanted.get("stub", "").strip()
        which = f"{'the stub in ' if stub and piece.stripped == stub else ''}cell {piece.place}"
        self.tell(wanted, f"it stood more than once; {which} is {'left out' if drop else OWN}")

    # What is not there, and what stands in the wrong place

    def put_in(self) -> None:
        """Put in what is missing: answers with their stub, then tests."""
        for wanted in sorted(self.by_id.values(), key=lambda one: one["locked"]):
            grade_id = wanted["grade_id"]
            code = not wanted["locked"] and wanted["cell_type"] == "code"
            elsewhere = self._defining(grade_id) if code else []
            piece = self.found.get(grade_id)
            if piece is None:
                self._put(wanted, elsewhere)
            elif elsewhere and piece.stripped == wanted["stub"].strip():
                piece.become(_pointer(wanted))
                words = f"it is written in cell {elsewhere[-1].place}; the stub was taken out"
                self.tell(wanted, f"{words}, so that it counts")

    def _put(self, wanted: Mapping, elsewhere: list[_Piece]) -> None:
        text = wanted["source"] if wanted["locked"] else wanted["stub"]
        words = "it was deleted; put back" if wanted["locked"] else "its cell was missing; put in"
        after = elsewhere[-1] if elsewhere else None
        if elsewhere:
            text = _pointer(wanted)
            words = f"its cell was missing, and cell {after.place} defines it: that one counts"
        elif wanted["locked"]:
            after = self._last_needed(wanted)
        place = self.pieces.index(after) + 1 if after else self._place(wanted)
        piece = _Piece(0, wanted["cell_type"], text, is_it=wanted["grade_id"])
        self.pieces.insert(place, piece)
        self.found[piece.is_it] = piece
        self.tell(wanted, words)

    def _place(self, wanted: Mapping) -> int:
        """Where a missing cell belongs: beside its neighbours, or among the graded cells."""
        order = list(self.by_id)
        i = order.index(wanted["grade_id"])
        above = [self.found[g] for g in order[:i] if g in self.found]
        below = [self.found[g] for g in order[i + 1 :] if g in self.found]
        before, after = (self._neighbour(wanted.get(side)) for side in ("before", "after"))
        if before or (above and not after):
            return self.pieces.index(before or above[-1]) + 1
        if after or below:
            return self.pieces.index(after or below[0])
        return len(self.pieces)

    def move_tests(self) -> None:
        """Move each test below the answers that it uses, as running from the top needs it."""
        moved: set[_Piece] = set()
        for wanted in self.by_id.values():
            test = self.found[wanted["grade_id"]]
            last = self._last_needed(wanted) if wanted["locked"] else None
            if last is None or self.pieces.index(last) < self.pieces.index(test):
                continue
            self.pieces.remove(test)
            place = self.pieces.index(last) + 1
            while place < len(self.pieces) and self.pieces[place] in moved:
                place += 1
            self.pieces.insert(place, test)
            moved.add(test)
            self.tell(wanted, "it stood above an answer that it uses; moved below it")

    def _last_needed(self, wanted: Mapping) -> _Piece | None:
        """The last of the cells that hold the answers which a test uses."""
        needed = []
        for grade_id in set(re.findall(r"\w+", wanted["source"])) & self.found.keys():
            answer = self.found[grade_id]
            if not self.by_id[grade_id]["locked"]:
                elsewhere = [] if grade_id in answer.defines else self._defining(grade_id)
                needed.append(elsewhere[-1] if elsewhere else answer)
        return max(needed, key=self.pieces.index, default=None)

    def _defining(self, name: str) -> list[_Piece]:
        """The cells that define a function, but for the one that is meant to."""
        meant = self.found.get(name)
        return [p for p in self.pieces if name in p.defines and p is not meant]

    def clean_the_rest(self) -> None:
        """Tell of labels on cells that are none of the release's; they are left out."""
        for piece in self.pieces:
            if not piece.is_it and piece.label not in (None, {}):
                carried = _short(piece.grade_id) if piece.grade_id else "of a strange form"
                words = f"it carried a label of the grader's, {carried}, and is no graded cell"
                self.told.append(Repair(f"cell {piece.place}", f"{words}; label removed"))
                piece.metadata = {}

    def cells(self) -> list[dict]:
        """The pieces as cells of a notebook, each with an id of its own."""
        taken = {one.get("id", grade_id) for grade_id, one in self.by_id.items()}
        done = []
        for piece in self.pieces:
            wanted = self.by_id.get(piece.is_it)
            own = wanted and wanted.get("id", piece.is_it)
            name = own or cell_name(piece.name, piece.text, taken)
            taken.add(name)
            done.append(_cell(piece, name, wanted))
        return done


def _piece(place: int, cell: Mapping) -> _Piece:
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    kind, source, name = (cell.get(key) for key in ("cell_type", "source", "id"))
    lines = source if isinstance(source, list) else [source]
    return _Piece(
        place,
        kind=kind if isinstance(kind, str) else "",
        text="".join(line for line in lines if isinstance(line, str)),
        label=metadata.get("nbgrader"),
        name=name if isinstance(name, str) else "",
        metadata=metadata,
        rest={k: cell.get(k) for k in ("attachments", "execution_count", "outputs")},
    )


def _cell(piece: _Piece, name: str, wanted: Mapping | None) -> dict:
    """The cell as nbformat 4.5 has it; its metadata as released where it is a graded one."""
    kind = piece.kind if piece.kind in KINDS else "raw"
    metadata = {k: v for k, v in piece.metadata.items() if k not in ("nbgrader", "tags")}
    if wanted:
        metadata = {"deletable": False, "nbgrader": label_of(wanted)}
        metadata |= {"editable": False} if wanted["locked"] else {}
        metadata |= {"tags": list(wanted["tags"])} if wanted["tags"] else {}
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": piece.text}
    if kind == "code":
        count, outputs = piece.rest.get("execution_count"), piece.rest.get("outputs")
        outputs = outputs if isinstance(outputs, list) else []
        cell["execution_count"] = count if type(count) is int else None
        cell["outputs"] = [output for output in outputs if isinstance(output, dict)]
    elif isinstance(piece.rest.get("attachments"), dict):
        cell["attachments"] = piece.rest["attachments"]
    return cell


def _holds(piece: _Piece, stub: str) -> bool:
    """Whether it holds more than the stub and comments."""
    lines = (line.strip() for line in piece.text.splitlines())
    return piece.stripped != stub and any(line and not line.startswith("#") for line in lines)


def _pointer(wanted: Mapping) -> str:
    """What stands in the cell of an answer that another cell holds: it must not undo it."""
    return f"# exercise: {wanted['grade_id']}\n# (It is written in another cell of this notebook.)"


def _short(words: str) -> str:
    return repr(words if len(words) <= 40 else f"{words[:37]}...")
