"""Soft additive attention over the cells of a picture."""

from torch import Tensor, nn


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
        scores = self.score((keys[:, None] + several).tanh_()).squeeze(3)
        alpha = scores.softmax(dim=2)  # (N, K, L)
        return (alpha @ values).flatten(0, 1), alpha.flatten(0, 1)
