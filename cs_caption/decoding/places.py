"""The hypotheses that a beam search keeps."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cs_caption.decoding.hypothesis import Hypothesis, hypothesis_of
from cs_caption.decoding.required import Required


@dataclass(frozen=True)
class Taken:
    """What each place has taken: (N, P), and the required entries met then, (N, P, C)."""

    words: Tensor
    gains: Tensor
    met: Tensor


@dataclass(frozen=True)
class Places:
    """N pictures, P hypotheses each, t tokens so far. `total` -inf marks an empty place.

    The places of a picture are groups x banks x width: bank b of a group keeps those that have b of
    the required entries, so that the last bank's alone are whole.
    """

    tokens: Tensor  # (N, P, t)
    gains: Tensor  # (N, P, t) log-probability of each token, 0 after the end
    total: Tensor  # (N, P) sum of the gains
    paid: Tensor  # (N, P) for words of earlier groups
    met: Tensor  # (N, P, C) bool: which required entries the words so far hold
    lengths: Tensor  # (N, P)
    ended: Tensor  # (N, P) bool
    last: Tensor  # (N, P)

    def moved(
        self, parents: Tensor, taken: Taken, paid: Tensor, dead: Tensor, end: int
    ) -> "Places":
        """The places after each has gone on from one of `parents` (N, P) by what it has taken."""
        behind = parents[:, :, None].expand_as(self.tokens)
        total = self.total.gather(1, parents) + taken.gains
        return Places(
            tokens=torch.cat([self.tokens.gather(1, behind), taken.words[:, :, None]], dim=2),
            gains=torch.cat([self.gains.gather(1, behind), taken.gains[:, :, None]], dim=2),
            total=total.masked_fill(dead, -math.inf),
            paid=paid,
            met=taken.met,
            lengths=self.lengths.gather(1, parents) + ~self.ended.gather(1, parents),
            ended=taken.words == end,
            last=taken.words,
        )


def first_places(needs: Required, groups: int, width: int, start: int) -> Places:
    """One hypothesis without a word a group and picture, the other places empty.

    Where a picture has fewer entries than others, those that it lacks count as met.
    """
    pictures, entries = needs.lacking.shape
    shape, device = (pictures, groups * (entries + 1) * width), needs.lacking.device
    total = torch.full(shape, -math.inf, device=device)
    total[:, :: (entries + 1) * width] = 0.0
    return Places(
        tokens=torch.zeros((*shape, 0), dtype=torch.int64, device=device),
        gains=torch.zeros((*shape, 0), device=device),
        total=total,
        paid=torch.zeros(shape, device=device),
        met=needs.lacking[:, None].expand(*shape, entries),
        lengths=torch.zeros(shape, dtype=torch.int64, device=device),
        ended=torch.zeros(shape, dtype=torch.bool, device=device),
        last=torch.full(shape, start, dtype=torch.int64, device=device),
    )


def read_places(
    places: Places, groups: int, width: int, length_penalty: float
) -> list[list[Hypothesis]]:
    """The sentences in the last bank of every group, best first; of those alike the first."""
    pictures = len(places.total)
    columns = (places.tokens, places.gains, places.lengths, places.ended, places.total)
    whole = [
        column.view(pictures, groups, -1, *column.shape[2:])[:, :, -width:].flatten(1, 2).tolist()
        for column in columns
    ]
    return [_n_best(picture, width, length_penalty) for picture in zip(*whole, strict=True)]


def _n_best(picture: tuple[list, ...], width: int, length_penalty: float) -> list[Hypothesis]:
    found: dict[tuple[int, ...], Hypothesis] = {}
    for place, (*columns, total) in enumerate(zip(*picture, strict=True)):
        if total > -math.inf:
            hypothesis = hypothesis_of(*columns, length_penalty, place // width)
            found.setdefault(hypothesis.tokens, hypothesis)
    return sorted(found.values(), key=lambda hypothesis: -hypothesis.score)
