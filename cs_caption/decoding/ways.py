"""How hypotheses can go on, and which of them do."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cs_caption.decoding.places import Places, Taken
from cs_caption.decoding.required import Required


@dataclass(frozen=True)
class Ways:
    """W ways on from each of P hypotheses of N pictures. A gain of -inf is no way.

    A frozen hypothesis has one way on, which adds nothing: to stay as it is.
    """

    words: Tensor  # (N, P, W)
    gains: Tensor  # (N, P, W)
    met: Tensor  # (N, P, W, C) bool: which required entries are met then
    lengths: Tensor  # (N, P) of the hypothesis then
    frozen: Tensor  # (N, P) bool

    @property
    def bank_count(self) -> int:
        return self.met.shape[3] + 1

    @property
    def banks(self) -> Tensor:
        return self.met.sum(dim=3)

    @property
    def spoken(self) -> Tensor:
        """The words, -1 where nothing is said any more."""
        return self.words.masked_fill(self.frozen[:, :, None], -1)

    def of_places(self, places: slice) -> "Ways":
        return Ways(
            *(
                column[:, places]
                for column in (self.words, self.gains, self.met, self.lengths, self.frozen)
            )
        )

    def times_said(self, said: Tensor) -> Tensor:
        """How often each way's word is among `said` (N, E)."""
        return (self.spoken[..., None] == said.where(said >= 0, -2)[:, None, None]).sum(dim=3)

    def taken(self, chosen: Tensor) -> Taken:
        """Those chosen (N, P) of all P * W."""
        met = self.met.flatten(1, 2)
        return Taken(
            self.words.flatten(1).gather(1, chosen),
            self.gains.flatten(1).gather(1, chosen),
            met.gather(1, chosen[:, :, None].expand(*chosen.shape, met.shape[2])),
        )


def ways_on(
    places: Places, log_probs: Tensor, needs: Required, least: int, end: int, early: bool
) -> Ways:
    """The most probable ways on of each place, at least `least`, where there are as many.

    To say one of the words that an unmet entry asks for is always among them; to end is not while
    it is too `early` or an entry is unmet.
    """
    pictures, rows = places.total.shape
    needs.check_vocabulary(log_probs.shape[1])
    asked = needs.words.shape[1]
    most = least + asked + (early or asked > 0)  # of which some may be unfit
    best = log_probs.topk(min(most, log_probs.shape[1]), dim=1)
    words = best.indices.view(pictures, rows, -1)
    gains = best.values.view(pictures, rows, -1)
    met = places.met[:, :, None] | needs.met_by(words)
    unfit = (words == end) & (early | ~met.all(dim=3))
    if asked:
        # Asked-for words are looked up apart: the most probable ones may not hold them.
        before = places.met.sum(dim=2)[:, :, None]
        unfit |= met.sum(dim=3) > before
        more = needs.words[:, None].expand(pictures, rows, asked)
        more_met = places.met[:, :, None] | needs.met_by(more)
        more, needless = more.clamp(min=0), more_met.sum(dim=3) == before
        more_gains = log_probs.reshape(pictures, rows, -1).gather(2, more)
        words, gains = torch.cat([words, more], dim=2), torch.cat([gains, more_gains], dim=2)
        met, unfit = torch.cat([met, more_met], dim=2), torch.cat([unfit, needless], dim=2)
    return _freeze(places, words, gains.masked_fill(unfit, -math.inf), met, end)


def choose(ranks: Tensor, banks: Tensor, bank_count: int, width: int) -> tuple[Tensor, Tensor]:
    """The `width` best ways of each bank, and where there is none: (N, banks * width) both.

    ranks, banks: (N, P, W); what is chosen are places in P * W.
    """
    ranks, banks = ranks.flatten(1)[:, None], banks.flatten(1)[:, None]
    if bank_count > 1:
        bank = torch.arange(bank_count, device=banks.device)[:, None]
        ranks = ranks.masked_fill(banks != bank, -math.inf)
    best = ranks.topk(width, dim=2)
    return best.indices.flatten(1), best.values.flatten(1) == -math.inf


def _freeze(places: Places, words: Tensor, gains: Tensor, met: Tensor, end: int) -> Ways:
    frozen = places.ended[:, :, None]
    stay = gains.new_full(gains.shape[2:], -math.inf)
    stay[0] = 0.0
    return Ways(
        words.masked_fill(frozen, end),
        torch.where(frozen, stay, gains),
        met.where(~frozen[..., None], places.met[:, :, None]),
        places.lengths + ~places.ended,
        places.ended,
    )
