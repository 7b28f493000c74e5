import warnings
from math import log

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.data import Scenes  # noqa: E402
from cs_caption.metrics.detection import average_precision, detector_pointing  # noqa: E402
from cs_caption.models.detectors import (  # noqa: E402
    POOLS,
    WordDetectors,
    noisy_or,
    noisy_or_loss,
    train_detectors,
    words_there,
)
from cs_caption.models.encoder import Encoder  # noqa: E402
from cs_caption.models.weights import load_encoder_weights  # noqa: E402

SHAPES = ("circle", "square", "triangle", "star", "heart", "cross")
WORDS = (*SHAPES, "red", "green", "blue", "two")


def drawn(*shape, seed=0, scale=1.0, dtype=torch.float64):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def said(N=5, V=4):
    return (drawn(N, V, seed=9) > 0).double()


# Noisy-OR.


def test_a_word_is_there_unless_every_cell_misses_it():
    logits = drawn(5, 3, 4)
    missed = torch.ones(5, 4).double()
    for i in range(3):
        missed = missed * (1 - 1 / (1 + torch.exp(-logits[:, i])))
    assert torch.allclose(noisy_or(logits), 1 - missed, rtol=1e-12)


def test_the_order_of_the_cells_does_not_matter():
    logits, order = drawn(5, 6, 4), torch.tensor([3, 0, 5, 1, 4, 2])
    assert torch.allclose(noisy_or(logits[:, order]), noisy_or(logits))
    costs = [noisy_or_loss(some, said()).item() for some in (logits, logits[:, order])]
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tiny_probability_keeps_its_digits(dtype):
    p = noisy_or(torch.full((1, 3, 1), -40.0, dtype=dtype))
    assert p.dtype == dtype
    assert p.item() == pytest.approx(3 * np.exp(-40), rel=1e-5)


def test_cells_that_are_not_there_have_no_part_whatever_stands_in_them():
    logits = drawn(5, 3, 4)
    mask = torch.tensor([[True, True, True]] * 4 + [[False, True, False]])
    filled = logits.masked_fill(~mask[:, :, None], 500.0).requires_grad_()
    p = noisy_or(filled, mask)
    assert torch.allclose(p[:4], noisy_or(logits[:4]))
    assert torch.allclose(p[4], logits[4, 1].sigmoid())
    p.sum().backward()
    assert not filled.grad[~mask].any()
    assert filled.grad[mask].all()


def test_where_there_is_no_cell_nothing_is_shown():
    p = noisy_or(torch.ones(1, 3, 2), torch.zeros(1, 3, dtype=torch.bool))
    assert p.tolist() == [[0.0, 0.0]]
    assert not torch.signbit(p).any()


# Its cost.


def test_the_cost_is_the_cross_entropy_of_the_noisy_or():
    logits, there = drawn(5, 3, 4, scale=3), said()
    p = noisy_or(logits)
    nats = -(there * p.log() + (1 - there) * (1 - p).log())
    assert noisy_or_loss(logits, there).item() == pytest.approx(nats.sum().item() / 5, rel=1e-10)


def test_the_costs_gradient_is_that_of_finite_differences():
    logits = drawn(5, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda some: noisy_or_loss(some, said()), logits)


def test_cells_share_the_blame_by_what_each_one_says():
    """dloss/dlogit is sigmoid where the word is not there, -(1-p)/p sigmoid where it is."""
    logits, there = drawn(5, 3, 4, scale=2).requires_grad_(), said()
    noisy_or_loss(logits, there).backward()
    p, each = noisy_or(logits).detach()[:, None], logits.detach().sigmoid()
    expected = torch.where(there[:, None] > 0, -(1 - p) / p, 1.0) * each / 5
    assert torch.allclose(logits.grad, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("size", "there", "cost", "slope"),
    [
        (-200.0, 1.0, 200 - log(64), -1.0),  # p is 0 in float32, and the word is there
        (-200.0, 0.0, 0.0, 0.0),
        (200.0, 0.0, 64 * 200.0, 64.0),  # p is 1, and it is not
        (200.0, 1.0, 0.0, 0.0),
        (-2e4, 1.0, 2e4 - log(64), -1.0),
        (2e4, 0.0, 64 * 2e4, 64.0),
    ],
)
def test_the_cost_and_its_gradient_are_right_where_p_is_0_or_1(size, there, cost, slope):
    logits = torch.full((1, 64, 1), size, requires_grad=True)
    loss = noisy_or_loss(logits, torch.tensor([[there]]))
    loss.backward()
    assert loss.item() == pytest.approx(cost, rel=1e-5, abs=1e-5)
    assert logits.grad.sum().item() == pytest.approx(slope, rel=2e-3, abs=1e-4)


def test_one_sure_cell_among_others_that_see_nothing_costs_nothing():
    logits = torch.full((1, 64, 1), -300.0)
    logits[0, 40] = 300.0
    logits.requires_grad_()
    loss = noisy_or_loss(logits, torch.ones(1, 1))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert logits.grad.isfinite().all()
    assert logits.grad.abs().max() < 1e-6


# The detectors.


@pytest.mark.parametrize("pool", POOLS)
def test_untrained_detectors_give_each_word_its_share_whatever_they_see(pool):
    share = torch.tensor([0.001, 0.3, 0.97])
    detectors = WordDetectors(5, 64, share, pool)
    p, logits = detectors.detect(drawn(2, 64, 5))
    assert p == pytest.approx(np.tile(share, (2, 1)), rel=1e-4)
    assert logits.shape == (2, 64, 3)
    if pool == "noisy_or":
        assert torch.allclose(noisy_or(detectors(torch.ones(1, 64, 5))), share, rtol=1e-4)


@pytest.mark.parametrize(
    ("pool", "p"), [("max", 1 / (1 + np.exp(-3))), ("mean", 0.5), ("noisy_or", 0.9695)]
)
def test_the_pool_says_how_cells_make_up_their_mind(pool, p):
    detectors = WordDetectors(1, 3, torch.tensor([0.5]), pool)
    with torch.no_grad():
        detectors.weight.fill_(1.0)
        detectors.bias.zero_()
    cells = torch.tensor([3.0, -1.0, -2.0])[None, :, None]
    assert detectors.detect(cells).p.item() == pytest.approx(p, abs=1e-3)


def test_what_a_picture_shows_is_told_alike_in_parts_and_at_once():
    detectors = WordDetectors(3, 4, torch.tensor([0.2, 0.6]))
    with torch.no_grad():
        detectors.weight.copy_(drawn(2, 3))
    grids = drawn(520, 4, 3, dtype=torch.float32)
    p, logits = detectors.detect(grids)
    assert torch.equal(torch.from_numpy(logits), detectors(grids).detach())
    assert p == pytest.approx(noisy_or(torch.from_numpy(logits)).numpy(), rel=1e-5)
    assert detectors.detect(grids[:0]).p.shape == (0, 2)


def hidden_words(N=300, L=9, seed=0):
    """Grids in which word v is there if one cell, drawn anew for each picture, has feature v."""
    state = np.random.RandomState(seed)
    there = state.rand(N, 3) < 0.4
    cells = state.randint(L, size=(N, 3))
    grids = 0.1 * state.randn(N, L, 5)
    for v in range(3):
        grids[np.arange(N), cells[:, v], v] += there[:, v]
    return torch.from_numpy(grids).float(), torch.from_numpy(there).float(), cells


def test_taught_whether_detectors_learn_where():
    grids, there, _ = hidden_words()
    detectors = train_detectors(grids, there, steps=200, rate=0.1)
    others, truth, cells = hidden_words(seed=1)
    p, logits = detectors.detect(others)
    assert ((p > 0.5) == truth.numpy().astype(bool)).mean() > 0.97
    found = logits.argmax(axis=1) == cells
    assert found[truth.numpy() > 0].mean() > 0.97


def test_the_seed_alone_decides_and_torchs_own_numbers_go_on():
    grids, there, _ = hidden_words(N=40)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (train_detectors(grids, there, 3, seed=seed).weight for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_grids_may_lie_in_a_file_as_half_floats(tmp_path):
    grids, there, _ = hidden_words(N=40)
    np.save(tmp_path / "grids.npy", grids.half().numpy())
    mapped = np.load(tmp_path / "grids.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of arrays that it could not write to
        from_file = train_detectors(mapped, there, 5)
        p = from_file.detect(mapped).p
    assert torch.equal(from_file.weight, train_detectors(grids.half(), there, 5).weight)
    assert p.dtype == np.float32


def test_words_that_all_captions_or_none_have_can_be_learnt():
    grids, there, _ = hidden_words(N=40)
    there[:, 0], there[:, 1] = 1.0, 0.0
    p = train_detectors(grids, there, 100).detect(grids).p
    assert (p[:, 0] > 0.9).all()
    assert (p[:, 1] < 0.1).all()


def test_each_word_of_any_caption_of_a_picture_is_there():
    captions = [["a red square", "the square is red"], ["nothing"], ["a a blue squares"]]
    there = words_there(captions, ["square", "a", "blue", "two"])
    assert there.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WordDetectors(3, 4, torch.tensor([0.5]), "sum"), "no pool is called 'sum'"),
        (lambda: WordDetectors(3, 4, torch.tensor([0.5, 1.0])), "a word's share is 1"),
        (lambda: WordDetectors(3, 4, torch.tensor([0.5, torch.nan])), "a word's share is nan"),
        (lambda: train_detectors(torch.ones(2, 4, 3), torch.ones(3, 2), 1), "2 grids, words of 3"),
        (lambda: train_detectors(torch.ones(0, 4, 3), torch.ones(0, 2), 1), "0 grids"),
        (lambda: train_detectors(torch.ones(2, 4, 3), torch.ones(2, 2), 0), "0 steps of 64"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# On scenes, by the pretrained convnet.


@pytest.fixture(scope="module")
def seen():
    """Grids and scenes: 500 to learn from, 200 held out."""
    encoder = Encoder(64, (32, 64, 96)).eval()
    load_encoder_weights(encoder, "scenes")

    @torch.no_grad()
    def of(scenes):
        images = torch.from_numpy(scenes.images)
        return torch.cat([encoder(part).half() for part in images.split(100)]), scenes

    return *of(Scenes("train", n=500)), *of(Scenes("val", n=200))


@pytest.fixture(scope="module")
def detected(seen):
    """By pool: average precision of each word, and the score of its pointing."""
    grids, scenes, others, held_out = seen
    there, truth = words_there(scenes.captions, WORDS), words_there(held_out.captions, WORDS)
    objects = [scene.objects for scene in held_out]

    def judged(pool):
        p, logits = train_detectors(grids, there, steps=250, pool=pool).detect(others)
        columns = zip(WORDS, p.T, truth.numpy().T, strict=True)
        precision = {word: average_precision(column, y) for word, column, y in columns}
        return precision, detector_pointing(logits, WORDS, objects)

    return {pool: judged(pool) for pool in POOLS}


def mean_of_shapes(precision):
    return np.mean([precision[word] for word in SHAPES])


def test_detectors_name_the_objects_of_pictures_they_never_saw(detected):
    precision, _ = detected["noisy_or"]
    assert mean_of_shapes(precision) > 0.9
    assert min(precision[word] for word in ("red", "green", "blue")) > 0.97


def test_detectors_cannot_count(detected, seen):
    precision, _ = detected["noisy_or"]
    share = words_there(seen[3].captions, ["two"]).mean().item()
    assert precision["two"] < share + 0.3 < precision["square"] - 0.2


def test_the_mean_of_the_cells_names_shapes_less_well(detected):
    assert mean_of_shapes(detected["mean"][0]) < mean_of_shapes(detected["noisy_or"][0]) - 0.03


def test_a_detector_fires_where_the_object_is(detected):
    _, points = detected["noisy_or"]
    assert points.counted > 100
    assert points.random_object == pytest.approx(0.5, abs=0.02)
    assert points.accuracy > 0.95
