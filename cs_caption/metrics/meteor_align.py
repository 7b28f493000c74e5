"""Which word of a caption stands for which word of a reference: METEOR 1.5's search."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

BEAM = 40

# A way to pair: the stage that found it, and the word of the candidate.
Way = tuple[int, int]


class Pair(NamedTuple):
    """A word of the candidate paired with a word of the reference by a stage."""

    stage: int
    candidate: int
    reference: int


class _Beginning(NamedTuple):
    """Pairs of the first words of the reference; the smallest is the best, as the jar ranks them.

    matched is negative; only pairs of full weight are in it. chunks are those that have ended;
    end is where the running one would go on in the candidate, -1 where none runs.
    """

    matched: int
    chunks: int
    distance: int
    end: int
    used: int
    pairs: tuple[Pair, ...]


def align(ways: Sequence[Sequence[Way]], weights: Sequence[float]) -> tuple[Pair, ...]:
    """Choose pairs, each word at most once.

    ways[j] lists how word j of the reference may be paired, stage by stage, and weights (stages)
    are the stages' weights. A beam of 40 beginnings goes through the reference; the most pairs of
    the exact stage win, then the fewest chunks, then the least sum of distances, then the one
    found first. Words that can be paired in one way only are paired beforehand.

    Source: Denkowski and Lavie 2011, section 2.1; edu.cmu.meteor.aligner.Aligner of METEOR 1.5,
    whose ranking counts matches as whole numbers, so that a pair of weight 0.6 adds none, and adds
    the distance of a pair to the beginnings that do without it.
    """
    only = _only_ways(ways)
    used = sum(1 << way[1] for way in only if way)
    beam = [_Beginning(0, 0, 0, -1, used, ())]
    for j, (here, sure) in enumerate(zip(ways, only, strict=True)):
        if len(beam) > 1:
            beam = sorted(beam, key=_rank)[:BEAM]
        if sure:
            pair, far = Pair(*sure, j), abs(j - sure[1])
            beam = [_paired(one, pair, weights, one.distance + far, one.used) for one in beam]
        else:
            beam = [after for one in beam for after in _branches(one, j, here, weights)]
    ended = (_left_out(one, one.distance) for one in sorted(beam, key=_rank)[:BEAM])
    return min(ended, key=_rank).pairs


def count_chunks(pairs: Sequence[Pair]) -> int:
    """In how many runs, without a gap and in the same order on both sides, the pairs stand."""
    steps = ((b.candidate - a.candidate, b.reference - a.reference) for a, b in pairwise(pairs))
    return bool(pairs) + sum(step != (1, 1) for step in steps)


def _rank(one: _Beginning) -> tuple[int, int, int]:
    return one[:3]


def _only_ways(ways: Sequence[Sequence[Way]]) -> list[Way | None]:
    """For each word of the reference the way that competes with no other, or None."""
    wanted: dict[int, int] = {}
    for here in ways:
        for _, i in here:
            wanted[i] = wanted.get(i, 0) + 1
    return [here[0] if len(here) == 1 and wanted[here[0][1]] == 1 else None for here in ways]


def _branches(one: _Beginning, j: int, here: Sequence[Way], weights: Sequence[float]):
    """Every way to go on at word j of the reference, the last being to leave it out."""
    distance = one.distance
    for stage, i in here:
        if not one.used >> i & 1:
            yield _paired(one, Pair(stage, i, j), weights, distance, one.used | 1 << i)
            distance += abs(j - i)
    yield _left_out(one, distance)


def _paired(
    one: _Beginning, pair: Pair, weights: Sequence[float], distance: int, used: int
) -> _Beginning:
    i = pair.candidate
    chunks = one.chunks + (one.end not in (-1, i))
    matched = one.matched - int(weights[pair.stage])
    return _Beginning(matched, chunks, distance, i + 1, used, (*one.pairs, pair))


def _left_out(one: _Beginning, distance: int) -> _Beginning:
    chunks = one.chunks + (one.end != -1)
    return _Beginning(one.matched, chunks, distance, -1, one.used, one.pairs)
