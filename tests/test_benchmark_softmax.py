"""The ways to a huge vocabulary's loss that the benchmark times are what they are called."""

import pytest

pytest.importorskip("torch")

import torch

from benchmarks import softmax

V, H, M = 40, 32, 50
LAYER = softmax.draw_layer(V, H, M)


def test_with_every_word_drawn_the_sampled_softmax_is_the_whole_one_gradients_included():
    timed = softmax.ways(LAYER, draws=(V,))
    (whole, leaves), (sampled, _) = timed[softmax.FULL], timed[softmax.name_of(V)]
    assert sampled().item() == pytest.approx(whole().item(), rel=1e-6)
    both = softmax.there_and_back(whole, leaves), softmax.there_and_back(sampled, leaves)
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(one, other)
        assert one.abs().max() > 1e-3


def test_the_sampled_gradients_are_right_on_average_where_many_words_are_drawn():
    torch.manual_seed(0)
    timed = softmax.ways(LAYER, draws=(30,))
    (whole, leaves), (sampled, _) = timed[softmax.FULL], timed[softmax.name_of(30)]
    right = softmax.there_and_back(whole, leaves[:1])[0].flatten()
    several = [softmax.there_and_back(sampled, leaves[:1])[0].flatten() for _ in range(200)]
    mean = torch.stack(several).mean(dim=0)
    assert torch.cosine_similarity(mean, right, dim=0) > 0.98


def test_every_way_has_gradients_of_the_states_and_of_whole_weights():
    for name, (loss, leaves) in softmax.ways(LAYER, draws=(10,)).items():
        grads = softmax.there_and_back(loss, leaves)
        assert [grad.shape for grad in grads] == [leaf.shape for leaf in leaves], name
        assert grads[0].shape == (1, M, H)
        assert all(grad.abs().sum() > 0 for grad in grads[:2]), name


def test_the_adaptive_softmax_has_all_words_in_its_clusters():
    module = softmax.adaptive(1000, H)
    assert torch.allclose(module.log_prob(torch.zeros(1, H)).exp().sum(), torch.tensor(1.0))
    assert module.log_prob(torch.zeros(1, H)).shape == (1, 1000)


def test_words_come_as_zipfs_law_has_it_and_padding_never():
    layer = softmax.draw_layer(100, H, 20_000)
    counts = torch.bincount(layer.targets.flatten(), minlength=100)
    assert counts[0] == 0
    assert 1.8 < counts[1] / counts[2] < 2.2
    assert float(layer.share.sum()) == pytest.approx(1)
    assert softmax.different(layer, 50) < 50


def test_times_are_compared_round_by_round_with_the_whole_softmax():
    found = softmax.compared({softmax.FULL: [10.0, 20.0, 30.0], "other": [1.0, 10.0, 5.0]}, 7)
    assert found == {
        "7 words, the whole softmax: ms": 20.0,
        "7 words, the whole softmax: ms, least and most": [10.0, 30.0],
        "7 words, other: ms": 5.0,
        "7 words, other: ms, least and most": [1.0, 10.0],
        "7 words, the whole softmax / other": 6.0,
        "7 words, the whole softmax / other, least and most": [2.0, 10.0],
    }
