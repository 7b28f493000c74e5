"""The losses: what a caption costs."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.losses import caption_loss, draw_words, sampled_caption_loss  # noqa: E402


def test_padding_is_never_in_the_loss():
    logits, targets = torch.randn(2, 4, 7), torch.tensor([[4, 5, 2, 0], [6, 2, 0, 0]])
    loss = caption_loss(logits, targets)
    wild = logits.clone()
    wild[targets == 0] = 1e4
    assert torch.equal(loss, caption_loss(wild, targets))
    longer = torch.cat([logits, torch.randn(2, 3, 7)], dim=1)
    assert torch.allclose(loss, caption_loss(longer, torch.nn.functional.pad(targets, (0, 3))))


def test_the_loss_is_the_mean_over_real_tokens_and_end_is_one_of_them():
    logits, targets = torch.randn(2, 4, 7), torch.tensor([[4, 5, 2, 0], [6, 2, 0, 0]])
    gains = [
        logits[i, t].log_softmax(0)[targets[i, t]]
        for i, t in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))
    ]
    assert caption_loss(logits, targets).item() == pytest.approx(-sum(gains).item() / 5)


def sampled(share, draws, seed=0):
    """Hidden states, an output layer, targets with padding, and their sampled loss."""
    torch.manual_seed(seed)
    V, H = len(share), 5
    hidden, weight, bias = torch.randn(3, 4, H), torch.randn(V, H), torch.randn(V)
    targets = torch.randint(1, V, (3, 4))
    targets[1, 2:] = 0
    loss = sampled_caption_loss(hidden, weight, bias, targets, share, draws)
    return loss, caption_loss(hidden @ weight.T + bias, targets)


def skewed(V=40):
    share = torch.arange(V, 0, -1).float()
    return share / share.sum()


def test_with_every_word_drawn_the_sampled_loss_is_the_full_one():
    loss, full = sampled(skewed(), 40)
    assert torch.allclose(loss, full, atol=1e-6)


def test_the_sampled_loss_nears_the_full_one_as_more_words_are_drawn():
    apart = []
    for draws in (4, 16, 64, 256):
        pairs = [sampled(skewed(), draws, seed) for seed in range(30)]
        apart.append(float(np.mean([abs(loss - full) for loss, full in pairs])))
    assert apart[-1] < 0.25 * apart[0]


def test_a_word_is_drawn_as_often_as_it_is_said_to_be():
    share, draws = skewed(12), 5
    torch.manual_seed(0)
    seen = torch.zeros(12)
    for _ in range(4000):
        words, log_expected = draw_words(share, draws)
        assert len(words.unique()) == len(words) <= draws
        seen[words] += 1
    assert (seen / 4000).tolist() == pytest.approx(log_expected.exp().tolist(), abs=0.03)


def test_the_gradient_of_the_sampled_loss_reaches_only_true_and_drawn_words():
    torch.manual_seed(0)
    weight = torch.randn(1000, 5, requires_grad=True)
    targets = torch.tensor([[7, 9, 0]])
    share = torch.full((1000,), 1e-3)
    loss = sampled_caption_loss(torch.randn(1, 3, 5), weight, torch.zeros(1000), targets, share, 20)
    loss.backward()
    touched = set(weight.grad.abs().sum(dim=1).nonzero()[:, 0].tolist())
    assert {7, 9} <= touched
    assert len(touched) <= 22
