"""Many paths a picture: batched beam search."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cs_caption.decoding.hypothesis import Hypothesis, Step
from cs_caption.decoding.places import Places, first_places, read_places
from cs_caption.decoding.required import Entry, Required, check_required_reached, read_required
from cs_caption.decoding.states import (
    at_least_float32,
    check_alive,
    check_at_least,
    check_step,
    count_rows,
    map_rows,
)
from cs_caption.decoding.ways import Ways, choose, ways_on


@torch.no_grad()
def beam_search(
    step: Step,
    state: Any,
    *,
    beam: int,
    max_len: int,
    start: int = 1,
    end: int = 2,
    length_penalty: float = 0.0,
    min_len: int = 0,
    groups: int = 1,
    diversity: float = 0.5,
    required: list[Entry] | list[list[Entry]] | None = None,
) -> list[list[Hypothesis]]:
    """The `beam` best sentences of each row of `state` that a search of that width finds.

    `step` is called with N * beam rows, row n * beam + k being hypothesis k of picture n. A
    hypothesis that has said `end` is frozen: it is never extended, keeps its score and its place,
    and competes with the others until they overtake it or end too. What has not ended after
    `max_len` tokens is returned too, `finished=False`. Nothing is shared between pictures, so a
    batch gives what its pictures give one by one.

    min_len    no sentence ends with fewer tokens (`end` is counted, as in `max_len`)
    groups     the beam is parted into so many groups, which search one after the other at each
               step: a word costs a later group `diversity` nats for each hypothesis of an earlier
               group that has just said it. A group ranks by that; what is returned is the model's.
    required   words that must stand in the sentence, in any order: a list of entries, each a word
               or a tuple of words of which one is enough; or a list of such lists, one a picture.
               As many hypotheses are kept for each number of entries met, so that `step` gets
               1 + entries times as many rows, and only sentences with all of them are returned.

    Returns: a list a picture, best `score` first, of at most `beam` hypotheses, no two alike (fewer
    where fewer sentences are possible). A `length_penalty` of 0 ranks by log-probability; 1 by its
    mean a word.

    Raises: ValueError as `greedy`; for beam < 1, a length_penalty or diversity that is negative,
    min_len above max_len, groups that do not divide the beam; and where the required words cannot
    all be said. TypeError where required is no list of words.
    Source: groups, Vijayakumar et al. 2016 (Diverse Beam Search, arXiv:1610.02424), algorithm 1
    with the Hamming diversity of section 4; required words, Hokamp and Liu 2017 (Grid Beam Search),
    section 3, and, for tuples, Anderson et al. 2017 (Guided Open Vocabulary Image Captioning).
    """
    _check_widths(beam, max_len, min_len, groups)
    _check_weight("length_penalty", length_penalty)
    _check_weight("diversity", diversity)
    pictures, device = count_rows(state)
    needs = read_required(required, pictures, max_len, end).to(device)
    if pictures == 0:
        return []
    search = _Search(end, max_len, min_len, length_penalty, groups, diversity, beam // groups)
    places = first_places(needs, groups, search.width, start)
    rows = places.total.shape[1]
    state = map_rows(state, lambda leaf: leaf.repeat_interleave(rows, dim=0))
    for _ in range(max_len):
        log_probs, state = step(places.last.flatten(), state)
        check_step(log_probs, pictures * rows, end)
        parents, places = search.extend(places, at_least_float32(log_probs), needs)
        check_alive(places.total.amax(dim=1) > -math.inf)
        if search.is_over(places):
            break
        state = map_rows(state, lambda leaf, parents=parents: leaf.index_select(0, parents))
    found = read_places(places, groups, search.width, length_penalty)
    check_required_reached(found, needs)
    return found


@dataclass(frozen=True)
class _Search:
    """What does not change while the search goes on; `width` hypotheses a group and bank."""

    end: int
    max_len: int
    min_len: int
    length_penalty: float
    groups: int
    diversity: float
    width: int

    def extend(self, places: Places, log_probs: Tensor, needs: Required) -> tuple[Tensor, Places]:
        """The places after one more word, and the row (N * P,) of `step` each one came from."""
        pictures, rows = places.total.shape
        spare = rows - rows // self.groups  # an earlier group's words may all be too dear
        early = places.tokens.shape[2] + 1 < self.min_len
        ways = ways_on(places, log_probs, needs, self.width + spare, self.end, early)
        chosen, paid, dead = self._choose(places, ways)
        parents = chosen // ways.words.shape[2]
        first = rows * torch.arange(pictures, device=chosen.device)[:, None]
        places = places.moved(parents, ways.taken(chosen), paid, dead, self.end)
        return (parents + first).flatten(), places

    def _choose(self, places: Places, ways: Ways) -> tuple[Tensor, Tensor, Tensor]:
        """The way (of P * W) that each place takes, what it has paid, and whether there is none.

        All are (N, P). The groups choose one after the other.
        """
        size = ways.words.shape[1] // self.groups
        said = ways.words.new_zeros(len(ways.words), 0)
        found = []
        for group in range(self.groups):
            own = slice(group * size, (group + 1) * size)
            mine = ways.of_places(own)
            paid = places.paid[:, own, None] + self.diversity * mine.times_said(said)
            ranks = (places.total[:, own, None] + mine.gains - paid) / (
                mine.lengths[:, :, None] ** self.length_penalty
            )
            chosen, dead = choose(ranks, mine.banks, ways.bank_count, self.width)
            new = mine.spoken.flatten(1).gather(1, chosen).masked_fill(dead, -1)
            said = torch.cat([said, new], dim=1)
            first = group * size * ways.words.shape[2]
            found.append((chosen + first, paid.flatten(1).gather(1, chosen), dead))
        return tuple(torch.cat(columns, dim=1) for columns in zip(*found, strict=True))

    def is_over(self, places: Places) -> bool:
        """Whether nothing that goes on can still push out what has ended.

        A sentence only loses by every further word, so that its beginning bounds it.
        """
        shape = (len(places.total), self.groups, -1)
        ranks = places.total - places.paid
        live = ranks.masked_fill(places.ended, -math.inf)
        hope = (live / self.max_len**self.length_penalty).view(shape).amax(dim=2)
        ended = (ranks / places.lengths.clamp(min=1) ** self.length_penalty).masked_fill(
            ~places.ended, -math.inf
        )
        floor = ended.view(shape)[:, :, -self.width :].amin(dim=2)
        return bool(((hope < floor) | (hope == -math.inf)).all())


def _check_widths(beam: int, max_len: int, min_len: int, groups: int) -> None:
    for name, value, least in (
        ("beam", beam, 1),
        ("max_len", max_len, 1),
        ("min_len", min_len, 0),
        ("groups", groups, 1),
    ):
        check_at_least(name, value, least)
    if min_len > max_len:
        raise ValueError(f"min_len is {min_len} and max_len {max_len}: nothing is long enough")
    if beam % groups:
        raise ValueError(
            f"a beam of {beam} cannot be parted into {groups} groups of the same width: choose a "
            f"multiple of {groups}"
        )


def _check_weight(name: str, value: float) -> None:
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} is {value}: expected 0 or more")
