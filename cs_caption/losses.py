"""What a caption costs: softmax over all words, or over the true one and a few that are drawn."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cs_caption.data.vocabulary import Vocabulary


def caption_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over the real tokens of targets (M, T); <NULL>, the padding, has no part.

    Shapes: logits (M, T, V). Returns: a scalar, nats a token.
    """
    return F.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten(), ignore_index=Vocabulary.NULL
    )


def sampled_caption_loss(
    hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, share: Tensor, draws: int
) -> Tensor:
    """`caption_loss` over the true words and those that come up in `draws` draws from `share`.

    What is saved is the product with the words that were not drawn. With `draws` of V or more
    every word is taken, and the loss is the full one. The draws come from torch's own generator.

    Shapes: hidden (M, T, H), weight (V, H), bias (V,), targets (M, T), share (V,), which sums to 1.
    Returns: a scalar, nats a token; only with every word drawn is it comparable with others.
    Source: Jean et al. 2015 (arXiv:1412.2007), section 3; the correction by the expected count is
    that of Bengio and Senecal 2008.
    """
    real = targets != Vocabulary.NULL
    h, true = hidden[real], targets[real]  # (R, H), (R,)
    drawn, log_expected = draw_words(share, draws)
    bias = bias - log_expected
    own = (h * weight[true]).sum(dim=1) + bias[true]
    others = F.linear(h, weight[drawn], bias[drawn]).float()  # (R, S)
    others = others.masked_fill(drawn == true[:, None], -torch.inf)
    own = own.float()
    return (torch.cat([own[:, None], others], dim=1).logsumexp(dim=1) - own).mean()


def draw_words(share: Tensor, draws: int) -> tuple[Tensor, Tensor]:
    """The different words (S,) among `draws` from share (V,), and the log expected count of each.

    A word of share q is among them with probability 1 - (1 - q) ** draws.
    """
    if draws >= len(share):
        return torch.arange(len(share), device=share.device), torch.zeros_like(share)
    drawn = torch.multinomial(share, draws, replacement=True).unique()
    expected = -torch.expm1(draws * torch.log1p(-share))
    return drawn, expected.clamp_min(torch.finfo(share.dtype).tiny).log()
