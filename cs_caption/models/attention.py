"""Additive attention over the cells of a picture: soft, a blend of all, and hard, one of them.

alpha = attention.weights(query, keys)        # (R, L), where to look
z = blend(alpha, values)                      # softly: sum_i alpha_i a_i
cells = sample_cells(alpha)                   # hard: one cell a row, drawn
z = blend(one_hot(cells, alpha), values)
"""

import torch
from torch import Tensor, nn

CACHED = 2**19  # numbers: 2 MB of float32, which stay in a processor's cache


class AdditiveAttention(nn.Module):
    """Where to look: alpha = softmax_i(v . tanh(Wa a_i + b + Wq q)), z = sum_i alpha_i a_i.

    `keys(values)` is Wa a_i + b, which does not change from word to word: once a picture.

    Source: Bahdanau et al. 2015, appendix A.1.2; Xu et al. 2015 (Show, Attend and Tell), 3.1.2.
    """

    def __init__(self, value_dim: int, query_dim: int, attention_dim: int):
        super().__init__()
        self.keys = nn.Linear(value_dim, attention_dim)
        self.query = nn.Linear(query_dim, attention_dim, bias=False)
        self.score = nn.Linear(attention_dim, 1, bias=False)

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """query (R, Q), keys (N, L, A), values (N, L, C) -> z (R, C), alpha (R, L), softly.

        R is N, or K times N where the first K queries look at the first picture, and so on.
        mask (N, L) is False for the cells that get a weight of exactly 0; no row may be all False.
        """
        alpha = self.weights(query, keys, mask)
        return blend(alpha, values), alpha

    def weights(self, query: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
        """alpha (R, L); the rest as in `forward`."""
        N, _, A = keys.shape
        several = self.query(query).view(N, len(query) // max(N, 1), 1, A)
        pictures = _pictures_at_once(several, keys)
        parts = zip(keys.split(pictures), several.split(pictures), strict=True)
        scores = [self.score((some[:, None] + asked).tanh_()).squeeze(3) for some, asked in parts]
        scores = torch.cat(scores)  # (N, K, L)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], -torch.inf)
        return scores.softmax(dim=2).flatten(0, 1)


def blend(alpha: Tensor, values: Tensor) -> Tensor:
    """z = sum_i alpha_i a_i: alpha (R, L), values (N, L, C) -> (R, C); R as in `forward` above."""
    N, L, _ = values.shape
    return (alpha.view(N, len(alpha) // max(N, 1), L) @ values).flatten(0, 1)


def one_hot(cells: Tensor, alpha: Tensor) -> Tensor:
    """Weights like alpha (R, L) that are 1 at each row's cell (R,) and 0 elsewhere."""
    return torch.zeros_like(alpha).scatter_(1, cells[:, None], 1.0)


def sample_cells(alpha: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw a cell (R,) int64 from each row of alpha (R, L); never one whose weight is 0."""
    weights = alpha.detach().float()  # half precision has too few steps to draw from
    return torch.multinomial(weights, 1, generator=generator).squeeze(1)


def log_prob_of(alpha: Tensor, cells: Tensor) -> Tensor:
    """The logarithm of each row's weight at its cell: alpha (R, L), cells (R,) -> (R,)."""
    return alpha.gather(1, cells[:, None]).squeeze(1).log()


def entropy_of(alpha: Tensor) -> Tensor:
    """The entropy of weights (.., L) in nats (..); cells of weight 0 have no part in it."""
    certain = alpha.masked_fill(alpha == 0, 1.0)
    return -(alpha * certain.log()).sum(dim=-1)


def _pictures_at_once(several: Tensor, keys: Tensor) -> int:
    """How many pictures' sums of keys and queries (N, K, L, A) to hold at once; a GPU takes all.

    On a CPU, sums that fall out of the cache before their tanh is taken take twice the time.
    """
    if keys.device.type != "cpu" or not len(keys):
        return max(1, len(keys))
    return max(1, CACHED // (several.shape[1] * keys[0].numel()))
