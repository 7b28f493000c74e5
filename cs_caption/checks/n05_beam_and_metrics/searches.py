"""Beam search over a table, right and as likely mistakes do it; and search through everything.

found = search(task)
found = search(task, Rules(ended="goes on"))       what a beam gives that is not frozen
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from cs_caption.checks.n05_beam_and_metrics.tables import END, START, State, Table

Pair = tuple[tuple[int, ...], float]


@dataclass(frozen=True)
class Task:
    """What beam_search is given."""

    table: Table
    state: State
    beam: int
    max_len: int
    start: int = START
    end: int = END
    alpha: float = 0.0

    def args(self) -> tuple:
        """The arguments; of those that have a default, none where it is the default."""
        given = (self.table.step(), self.table.row(self.state), self.beam, self.max_len)
        more = (self.start, self.end, self.alpha)
        return given if more == (START, END, 0.0) else (*given, *more)


@dataclass(frozen=True)
class Rules:
    """How a search goes about it; the defaults are right.

    ended:  what becomes of a sentence that has ended. It "stays" in its place; "goes on"; "pays"
            for <END> again and again; is "lost"; is put "apart" and competes at the end only, the
            beam being as wide as before, or with one place less ("shrinks")
    stops:  when "all" have ended, the "best" has, "any" has, or "never"
    moved:  each state goes with its beginning
    ranks:  "score" at every step, at the "last" only, or "log_prob" always
    length: "own", of each sentence, <END> counted; "without end"; "with start"; the "step"; or
            as in "translation", (5 + own) / 6
    divides: the score; or else it is multiplied
    sums:   log-probabilities; or else probabilities
    ways:   how many words from each beginning, if not `beam`
    later:  how many after the first step, if not so many
    least:  log-probabilities that are not above it are taken for impossible
    never:  words that are taken for impossible
    alike:  at first there are `beam` beginnings, all without a word
    """

    ended: str = "stays"
    stops: str = "all"
    carried: bool = True
    moved: bool = True
    reads: bool = True
    ranks: str = "score"
    length: str = "own"
    divides: bool = True
    sums: bool = True
    ways: int | None = None
    later: int | None = None
    least: float = -np.inf
    never: tuple[int, ...] = ()
    parents: int | None = None
    alike: bool = False
    lowest: bool = False
    cumulative: bool = False


RIGHT = Rules()


@dataclass(frozen=True)
class _Way:
    """A beginning or a sentence: its words, what they add up to, and the state that it is in."""

    tokens: tuple[int, ...]
    log_prob: float
    state: State
    ended: bool = False
    parent: int = 0


def search(task: Task, rules: Rules = RIGHT, gaps: list[float] | None = None) -> list[Pair]:
    """Return what is found: pairs of tokens and log_prob, best first.

    gaps: is given how far apart the scores are of what was kept, and of the best that was not.
    """
    found = [_Way((), 0.0, task.state)] * (task.beam if rules.alike else 1)
    apart: list[_Way] = []
    for step in range(task.max_len):
        ways = [way for at, old in enumerate(found) for way in _onwards(task, rules, old, at)]
        room = task.beam - len(apart) * (rules.ended == "shrinks")
        kept = _best(task, rules, ways, step + 1, room, gaps)
        kept = _with_states(task, rules, found, kept)
        if rules.ended in ("lost", "apart", "shrinks"):
            gone = [way for way in kept if way.ended]
            apart += gone if rules.ended != "lost" else []
            kept = [way for way in kept if not way.ended]
        if not kept:
            found = []
            break
        found = kept
        if _is_over(rules, found, apart):
            break
    final = replace(rules, ranks="score") if rules.ranks == "last" else rules
    best = _best(task, final, [*apart, *found], task.max_len, task.beam, gaps)
    return [(way.tokens, way.log_prob) for way in best]


def _onwards(task: Task, rules: Rules, old: _Way, at: int) -> Iterator[_Way]:
    """The ways on from one: its most probable words, or, where it has ended, itself."""
    if old.ended and rules.ended != "goes on":
        row, state = task.table.read(old.state, task.end)
        pays = float(row[task.end]) if rules.ended == "pays" else 0.0
        yield replace(old, log_prob=old.log_prob + pays, parent=at)
        return
    if rules.parents is not None and at >= rules.parents:
        return
    last = old.tokens[-1] if old.tokens and rules.reads else task.start
    row, state = task.table.read(old.state, last)
    gain = row if rules.sums else np.exp(row)
    order = np.argsort(np.where(np.isfinite(row), row, np.inf) if rules.lowest else -row)
    said = [word for word in order.tolist() if _is_possible(rules, row, word)]
    ways = (rules.later if old.tokens else None) or rules.ways or task.beam
    for word in said[:ways]:
        total = old.log_prob + float(gain[word])
        if rules.cumulative:
            total /= (len(old.tokens) + 1) ** task.alpha
        after = state if rules.carried else old.state
        yield _Way((*old.tokens, word), total, after, word == task.end, at)


def _is_possible(rules: Rules, row: np.ndarray, word: int) -> bool:
    return np.isfinite(row[word]) and row[word] > rules.least and word not in rules.never


def _best(
    task: Task, rules: Rules, ways: list[_Way], step: int, room: int, gaps: list[float] | None
) -> list[_Way]:
    scores = [_score(task, rules, way, step) for way in ways]
    order = sorted(range(len(ways)), key=lambda at: -scores[at])
    if gaps is not None:
        gaps += [scores[a] - scores[b] for a, b in pairwise(order[: room + 1])]
    return [ways[at] for at in (order[::-1] if rules.lowest else order)[:room]]


def _score(task: Task, rules: Rules, way: _Way, step: int) -> float:
    length = {
        "own": len(way.tokens),
        "without end": max(1, len(way.tokens) - way.ended),
        "with start": len(way.tokens) + 1,
        "step": step,
        "translation": (5 + len(way.tokens)) / 6,
    }[rules.length]
    power = task.alpha if rules.ranks == "score" and not rules.cumulative else 0.0
    return way.log_prob / length**power if rules.divides else way.log_prob * length**power


def _with_states(task: Task, rules: Rules, found: list[_Way], kept: list[_Way]) -> list[_Way]:
    """Where states do not move with their beginnings, give each the state of its place."""
    if rules.moved:
        return kept
    lasts = [old.tokens[-1] if old.tokens else task.start for old in found]
    pairs = zip(found, lasts, strict=True)
    rows = [task.table.read(old.state, last)[1] for old, last in pairs]
    return [replace(way, state=rows[min(at, len(rows) - 1)]) for at, way in enumerate(kept)]


def _is_over(rules: Rules, found: list[_Way], apart: list[_Way]) -> bool:
    ended = [way.ended for way in found]
    if rules.stops == "never":
        return False
    over = {"all": all(ended), "best": ended[0], "any": any(ended) or bool(apart)}
    return over[rules.stops]


def everything(task: Task) -> list[Pair]:
    """Return every sentence of at most max_len words, ended or of that many words, best first."""
    open_ways, closed = [_Way((), 0.0, task.state)], []
    for _ in range(task.max_len):
        onwards = [
            way
            for at, old in enumerate(open_ways)
            for way in _onwards(task, replace(RIGHT, ways=task.table.V), old, at)
        ]
        closed += [way for way in onwards if way.ended]
        open_ways = [way for way in onwards if not way.ended]
    ways = closed + open_ways
    best = _best(task, RIGHT, ways, task.max_len, len(ways), None)
    return [(way.tokens, way.log_prob) for way in best]


def log_prob_of(task: Task, tokens: tuple[int, ...], upto: int | None = None) -> float:
    """Return the log-probability of a sentence's words (the first `upto` of them)."""
    state, total, last = task.state, 0.0, task.start
    for word in tokens[:upto]:
        row, state = task.table.read(state, last)
        total += float(row[word])
        last = word
    return total


def alike(found: Any, expected: list[Pair], tolerance: float = 1e-8) -> bool:
    """Say whether two lists of pairs agree."""
    return len(found) == len(expected) and all(
        a == b and abs(x - y) <= tolerance * max(1.0, abs(y))
        for (a, x), (b, y) in zip(found, expected, strict=True)
    )
