"""What a caption costs: its words, where a model looks for them, and the pair with its picture.

The words: softmax over all of them, or over the true one and a few that are drawn. Looking: a
charge for what nobody looks at, and the loss that teaches looks which were drawn. The pair: it
should score above every wrong one.
"""

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


def word_nats(logits: Tensor, targets: Tensor) -> Tensor:
    """-log p of each of targets (M, T), 0 in the padding. Shapes: logits (M, T, V) -> (M, T)."""
    nats = F.cross_entropy(
        logits.flatten(0, 1).float(),
        targets.flatten(),
        ignore_index=Vocabulary.NULL,
        reduction="none",
    )
    return nats.view(targets.shape)


def doubly_stochastic(alpha: Tensor, real: Tensor) -> Tensor:
    """Charge for cells that the words of a caption together do not look at once.

    The sum over cells of (1 - sum over words of alpha) squared, and the mean over captions. With
    fewer words than cells it cannot become 0: the T weights that there are can but be spread.

    Shapes: alpha (M, T, L), real (M, T), False in the padding. Returns: a scalar.
    Source: Xu et al. 2015, section 4.2.1, equation 14. Its sum over cells is sometimes written as a
    mean, which divides the charge by L.
    """
    looked = alpha.masked_fill(~real[:, :, None], 0.0).sum(dim=1)  # (M, L)
    return (1 - looked).square().sum(dim=1).mean()


def reinforce(
    nats: Tensor,
    log_probs: Tensor,
    real: Tensor,
    baseline: float | Tensor = 0.0,
    *,
    onward: bool = False,
) -> tuple[Tensor, Tensor]:
    """The loss whose gradient is REINFORCE's estimate: how to look so that captions cost less.

    The reward of a look is what the caption's words were worth with it, -sum of nats, less the
    baseline; it is a number, through which no gradient flows. With `onward` only the words from
    the look's own on count, as no look changes a word before it. The gradient's mean is the same
    either way, and with any baseline; only how far single draws stray from it is not.

    Shapes: nats (M, T), -log p of each word given the looks; log_probs (M, T), of each look that
    was drawn; real (M, T), False in the padding; baseline a number or (T,).
    Returns: a scalar, the mean over captions of -sum_t reward_t log_probs_t; and the mean reward, a
    scalar, or with `onward` (T,), of each word's place over the captions that reach it.
    Source: Xu et al. 2015, section 4.1, equation 12 (without its entropy); Williams 1992.
    """
    worth = -nats.detach().masked_fill(~real, 0.0)
    onwards = worth.flip(1).cumsum(1).flip(1)  # (M, T)
    rewards = onwards if onward else onwards[:, :1]  # of a whole caption one number
    looked = log_probs.masked_fill(~real, 0.0)
    loss = -((rewards - baseline) * looked).sum(dim=1).mean()
    if not onward:
        return loss, rewards.mean()
    return loss, (rewards * real).sum(dim=0) / real.sum(dim=0).clamp_min(1)


def ranking_loss(S: Tensor, of: Tensor, margin: float = 1.0, *, hardest: bool = False) -> Tensor:
    """Charge for every wrong pair of a picture and a sentence within a margin of the right one.

    Of each sentence's picture with the sentences of others, and of each sentence with the other
    pictures.

    With `hardest` only the largest charge of each of the two counts, not their sum.

    Shapes: S (N, M), of (M,): sentence m describes picture of[m], and no other. Returns: a scalar,
    the mean over the sentences.
    Source: Karpathy and Fei-Fei 2015, equation 9; the hardest: Faghri et al. 2018, VSE++
    (arXiv:1707.05612), equation 6.
    """
    right = S[of, torch.arange(len(of), device=S.device)]
    same_picture, own = _right_pairs(S, of)
    sentences = (S[of] - right[:, None] + margin).clamp(min=0).masked_fill(same_picture, 0.0)
    pictures = (S - right + margin).clamp(min=0).masked_fill(own, 0.0)
    if hardest:
        return (sentences.amax(dim=1) + pictures.amax(dim=0)).mean()
    return (sentences.sum(dim=1) + pictures.sum(dim=0)).mean()


def matching_loss(S: Tensor, of: Tensor) -> Tensor:
    """What it costs to tell a sentence's picture among all, and a picture's sentence, by softmax.

    Shapes: S (N, M), of (M,) as in `ranking_loss`; a picture's other sentences are left out.
    Returns: a scalar, nats a sentence, of both directions together.
    Source: Radford et al. 2021, CLIP (arXiv:2103.00020), section 2.3, with no temperature.
    """
    here = torch.arange(len(of), device=S.device)
    same_picture, _ = _right_pairs(S, of)
    others = same_picture & (here[:, None] != here)
    told = F.cross_entropy(S[of].masked_fill(others, -torch.inf), here)
    return told + F.cross_entropy(S.T, of)


def _right_pairs(S: Tensor, of: Tensor) -> tuple[Tensor, Tensor]:
    """Which sentences (M, M) share a picture, and which pictures (N, M) are a sentence's own."""
    return of[:, None] == of, torch.arange(len(S), device=S.device)[:, None] == of


def draw_words(share: Tensor, draws: int) -> tuple[Tensor, Tensor]:
    """The different words (S,) among `draws` from share (V,), and the log expected count of each.

    A word of share q is among them with probability 1 - (1 - q) ** draws.
    """
    if draws >= len(share):
        return torch.arange(len(share), device=share.device), torch.zeros_like(share)
    drawn = torch.multinomial(share, draws, replacement=True).unique()
    expected = -torch.expm1(draws * torch.log1p(-share))
    return drawn, expected.clamp_min(torch.finfo(share.dtype).tiny).log()
