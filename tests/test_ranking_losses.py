"""What wrong pairs of a picture and a sentence are charged."""

import pytest

torch = pytest.importorskip("torch")

from cs_caption.losses import matching_loss, ranking_loss  # noqa: E402


def brute(S, of, margin, hardest):
    """The definition, pair by pair."""
    total = 0.0
    for m, own in enumerate(of):
        right = float(S[own, m])
        others = [float(S[own, other]) for other, its in enumerate(of) if its != own]
        wrong = [float(S[k, m]) for k in range(len(S)) if k != own]
        for scores in (others, wrong):
            charges = [max(0.0, score - right + margin) for score in scores] or [0.0]
            total += max(charges) if hardest else sum(charges)
    return total / len(of)


@pytest.mark.parametrize("hardest", [False, True])
@pytest.mark.parametrize("of", [[0, 1, 2], [0, 0, 1, 2, 2, 2], [2, 0, 1, 1], [0]])
def test_every_wrong_pair_within_the_margin_is_charged_in_both_directions(of, hardest):
    torch.manual_seed(len(of))
    S = torch.randn(max(of) + 1, len(of), dtype=torch.float64)
    for margin in (0.3, 1.0, 5.0):
        found = ranking_loss(S, torch.tensor(of), margin, hardest=hardest)
        assert float(found) == pytest.approx(brute(S, of, margin, hardest))


def test_right_pairs_that_are_far_ahead_cost_nothing_and_get_no_gradient():
    S = (3 * torch.eye(4)).requires_grad_()
    loss = ranking_loss(S, torch.arange(4), 1.0)
    loss.backward()
    assert loss.item() == 0
    assert not S.grad.any()


def test_telling_by_softmax_is_two_cross_entropies():
    torch.manual_seed(0)
    S = torch.randn(5, 5, dtype=torch.float64)
    here = torch.arange(5)
    cross_entropy = torch.nn.functional.cross_entropy
    expected = cross_entropy(S, here) + cross_entropy(S.T, here)
    assert torch.allclose(matching_loss(S, here), expected)


def test_another_sentence_of_the_same_picture_is_not_told_apart():
    S = torch.tensor([[2.0, 50.0, -1.0], [0.5, 0.0, 1.0]], dtype=torch.float64)
    of = torch.tensor([0, 0, 1])
    told = [torch.tensor(row).softmax(0)[0].log() for row in ([2.0, -1.0], [50.0, -1.0])]
    told.append(torch.tensor([1.0, 0.5, 0.0]).softmax(0)[0].log())
    shown = [S[:, m].softmax(0)[of[m]].log() for m in range(3)]
    expected = -(sum(told) + sum(shown)) / 3
    assert float(matching_loss(S, of)) == pytest.approx(float(expected), rel=1e-6)
