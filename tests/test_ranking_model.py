"""The ranking model: regions and words in one space."""

from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.models import Ranker, RankerConfig  # noqa: E402
from cs_caption.models.alignment import best_regions, smooth_alignment  # noqa: E402
from cs_caption.models.ranking import (  # noqa: E402
    pair_scores,
    scores_in_blocks,
    windows,
    word_scores,
)

SMALL = {
    "image_size": 16,
    "channels": (4, 4, 6),
    "word_dim": 5,
    "hidden": 7,
    "joint": 3,
}


def new(**changes) -> Ranker:
    torch.manual_seed(0)
    return Ranker(RankerConfig(20, **{**SMALL, **changes})).eval()


def some(n=3, size=16):
    return np.random.RandomState(0).randint(0, 256, (n, size, size, 3), dtype=np.uint8)


def drawn(N=4, L=5, M=6, T=7, D=3, dtype=torch.float64):
    """Regions, words and which words are real; one sentence has none."""
    torch.manual_seed(1)
    v, s = torch.randn(N, L, D, dtype=dtype), torch.randn(M, T, D, dtype=dtype)
    return v, s, torch.arange(T) < torch.tensor([7, 1, 3, 0, 6, 2])[:M, None]


def by_definition(v, s, real):
    return (torch.einsum("nld,mtd->nmlt", v, s).amax(dim=2) * real).sum(dim=2)


def test_a_score_is_the_sum_over_the_words_of_the_best_region():
    v, s, real = drawn()
    assert torch.allclose(pair_scores(v, s, real), by_definition(v, s, real))


def test_gradients_are_those_of_the_definition():
    inputs = [tensor.requires_grad_() for tensor in drawn()[:2]]
    real, weight = drawn()[2], torch.randn(4, 6, dtype=torch.float64)
    ours, theirs = (
        torch.autograd.grad((scores(*inputs, real) * weight).sum(), inputs)
        for scores in (pair_scores, by_definition)
    )
    for found, expected in zip(ours, theirs, strict=True):
        assert torch.allclose(found, expected)


@pytest.mark.parametrize("megabytes", [0.0001, 4])
def test_blocks_of_any_size_give_the_same_scores(megabytes):
    v, s, real = drawn(dtype=torch.float32)
    found = scores_in_blocks(v, s, real, megabytes=megabytes)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_definition(v, s, real), rtol=1e-5, atol=1e-6)


def test_blocks_put_every_sentence_back_in_its_place():
    torch.manual_seed(2)
    v, s = torch.randn(3, 4, 2), torch.randn(150, 9, 2)
    real = torch.arange(9) < torch.randint(1, 10, (150, 1))
    np.testing.assert_allclose(
        scores_in_blocks(v, s, real), by_definition(v, s, real), rtol=1e-5, atol=1e-5
    )


def test_word_scores_are_those_that_are_summed():
    v, s, real = drawn()
    found = word_scores(v[1], s[2, :3])
    assert found.shape == (5, 3)
    assert found.max(axis=0).sum() == pytest.approx(float(pair_scores(v, s, real)[1, 2]), rel=1e-6)


def test_a_word_s_vector_depends_on_what_comes_before_and_after_it():
    model, tokens = new(), torch.tensor([[4, 5, 6, 7]])
    s = model.words(tokens)
    for changed in (0, 3):
        other = tokens.clone()
        other[0, changed] = 9
        assert not torch.allclose(s[0, 1:3], model.words(other)[0, 1:3])
    alone = new(context="none")
    other = tokens.clone()
    other[0, 0] = 9
    assert torch.equal(alone.words(tokens)[0, 1:], alone.words(other)[0, 1:])


def test_padding_changes_no_word_and_is_zeros():
    model = new()
    short = model.words(torch.tensor([[4, 5, 6]]))
    padded = model.words(torch.tensor([[4, 5, 6, 0, 0], [7, 8, 9, 4, 5], [0, 0, 0, 0, 0]]))
    assert torch.allclose(short[0], padded[0, :3], atol=1e-6)
    assert not padded[0, 3:].any()
    assert not padded[2].any()


def test_in_training_some_words_are_left_out_but_never_all_of_a_sentence():
    tokens = torch.full((200, 6), 4)
    tokens[:, 4:] = 0
    model = new(word_dropout=0.75).train()
    counted = model.counted(tokens)
    assert not counted[:, 4:].any()
    assert counted.any(dim=1).all()
    assert 0.2 < counted[:, :4].float().mean() < 0.6
    assert torch.equal(model.eval().counted(tokens), tokens != 0)


def test_a_region_is_the_mean_of_the_cells_around_a_cell():
    torch.manual_seed(0)
    grid = torch.randn(2, 16, 3)
    square, found = grid.view(2, 4, 4, 3), windows(grid, 3).view(2, 4, 4, 3)
    for row, column in product(range(4), repeat=2):
        part = square[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        assert torch.allclose(found[:, row, column], part.mean(dim=(1, 2)), atol=1e-6)
    assert torch.equal(windows(grid, 1), grid)


def test_windows_of_a_grid_that_is_no_square_are_refused():
    with pytest.raises(ValueError, match="6 cells are no square"):
        windows(torch.zeros(1, 6, 2), 3)


def test_a_frozen_encoder_takes_features_stays_still_and_gets_no_gradient():
    model = new(frozen=True).train()
    assert not model.encoder.training
    features = model.encode(some()).half()
    v = model.regions(features)
    assert torch.allclose(v, model.regions(some()), atol=1e-2)
    v.sum().backward()
    assert all(weight.grad is None for weight in model.encoder.parameters())
    assert model.region.weight.grad.any()


def test_a_whole_picture_is_one_region():
    assert new(features="pooled").regions(some()).shape == (3, 1, 3)
    assert new().regions(some()).shape == (3, 4, 3)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("context", "left", "context is 'left': expected one of both, none"),
        ("window", 2, "window is 2: expected an odd number"),
        ("window", 0, "window is 0"),
        ("joint", 0, "joint is 0"),
        ("joint", True, "joint is True"),
        ("word_dropout", -0.1, "word_dropout is -0.1"),
        ("image_size", 20, "image_size is 20: expected a multiple of 8"),
        ("encoder", "vgg", "encoder is 'vgg'"),
        ("features", "cells", "features is 'cells'"),
    ],
)
def test_a_shape_that_no_model_can_have_is_refused_by_name(field, value, words):
    with pytest.raises(ValueError, match=words):
        RankerConfig(20, **{**SMALL, field: value})


# ---- alignment


def worth(scores, regions, beta):
    regions = np.asarray(regions)
    chosen = scores[regions, np.arange(len(regions))].sum()
    return chosen + beta * (regions[1:] == regions[:-1]).sum()


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.5, 50.0])
def test_no_other_way_to_choose_regions_is_worth_more(beta):
    rng = np.random.RandomState(0)
    for _ in range(30):
        L, T = rng.randint(1, 5, 2)
        scores = rng.randn(L, T)
        best = max(worth(scores, way, beta) for way in product(range(L), repeat=T))
        found = smooth_alignment(scores, beta)
        assert found.shape == (T,)
        assert found.dtype == np.int64
        assert worth(scores, found, beta) == pytest.approx(best)


def test_without_smoothing_every_word_has_its_best_region_and_with_much_all_have_one():
    scores = np.random.RandomState(1).randn(6, 9)
    assert (smooth_alignment(scores, 0) == best_regions(scores)).all()
    assert (smooth_alignment(scores, 100) == scores.sum(axis=1).argmax()).all()


@pytest.mark.parametrize(
    ("scores", "beta", "words"),
    [
        (np.zeros((2, 3)), -1, "beta is -1"),
        (np.zeros((2, 3)), np.nan, "beta is nan"),
        (np.zeros((0, 3)), 1, "scores of"),
        (np.zeros(3), 1, "scores of"),
    ],
)
def test_what_cannot_be_aligned_is_refused(scores, beta, words):
    with pytest.raises(ValueError, match=words):
        smooth_alignment(scores, beta)
