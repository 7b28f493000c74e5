"""Soft additive attention over the cells of a picture."""

import torch
from torch import Tensor, nn

CACHED = 2**19  # numbers: 2 MB of float32, which stay in a processor's cache


class AdditiveAttention(nn.Module):
    """Where to look: z = sum_i alpha_i a_i, alpha = softmax_i(v . tanh(Wa a_i + b + Wq q)).

    `keys(values)` is Wa a_i + b, which does not change from word to word: once a picture.

    Source: Bahdanau et al. 2015, appendix A.1.2; Xu et al. 2015 (Show, Attend and Tell), 3.1.2.
    """

    def __init__(self, value_dim: int, query_dim: int, attention_dim: int):
        super().__init__()
        self.keys = nn.Linear(value_dim, attention_dim)
        self.query = nn.Linear(query_dim, attention_dim, bias=False)
        self.score = nn.Linear(attention_dim, 1, bias=False)

    def forward(self, query: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """query (R, Q), keys (N, L, A), values (N, L, C) -> z (R, C), alpha (R, L).

        R is N, or K times N where the first K queries look at the first picture, and so on.
        """
        N, _, A = keys.shape
        several = self.query(query).view(N, len(query) // max(N, 1), 1, A)
        pictures = _pictures_at_once(several, keys)
        parts = zip(keys.split(pictures), several.split(pictures), strict=True)
        scores = [self.score((some[:, None] + asked).tanh_()).squeeze(3) for some, asked in parts]
        alpha = torch.cat(scores).softmax(dim=2)  # (N, K, L)
        return (alpha @ values).flatten(0, 1), alpha.flatten(0, 1)


def _pictures_at_once(several: Tensor, keys: Tensor) -> int:
    """How many pictures' sums of keys and queries (N, K, L, A) to hold at once; a GPU takes all.

    On a CPU, sums that fall out of the cache before their tanh is taken take twice the time.
    """
    if keys.device.type != "cpu" or not len(keys):
        return max(1, len(keys))
    return max(1, CACHED // (several.shape[1] * keys[0].numel()))
