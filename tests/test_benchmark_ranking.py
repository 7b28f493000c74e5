"""The ways that are timed against each other compute the same."""

import pytest

torch = pytest.importorskip("torch")

from benchmarks import ranking  # noqa: E402


def test_every_way_gives_the_same_scores_and_gradients():
    v, s, real = ranking.draw(3, 5)
    found = []
    for way in ranking.WAYS.values():
        leaves = [leaf.clone().requires_grad_() for leaf in (v, s)]
        scores = way(*leaves, real)
        weight = torch.arange(15.0).view(3, 5)
        found.append((scores, *torch.autograd.grad((scores * weight).sum(), leaves)))
    for other in found[1:]:
        for mine, theirs in zip(found[0], other, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_what_is_timed_is_all_of_it():
    found = ranking.whole(4, 70)
    assert found["blocks"] > 0
    assert found["megabytes"] > 10
    assert {len(seconds) for seconds in ranking.steps(rounds=2).values()} == {2}
