"""REINFORCE's estimates against the gradient that going through all looks gives."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption import losses, studies  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.studies import material, reinforce  # noqa: E402
from cs_caption.studies.reinforce import (  # noqa: E402
    WAYS,
    Captions,
    Told,
    Way,
    estimates,
    exact_gradient,
    strayed,
)

CELLS, CHANNELS, VOCAB = 4, 5, 8
RIGHT_ON_AVERAGE = [name for name, way in WAYS.items() if not way.softly]
TINY = reinforce.STUDY.tiny


class Fine(Told):
    """In float64, so that differences of what it finds can be taken."""

    def encode(self, images):
        return super().encode(images).double()


@cache
def small(learns="attention", seed=5, captions=3, words=3):
    """A captioner that looks at four cells, not evenly, and captions to read."""
    config = CaptionerConfig(
        *(VOCAB, 16, (4, 4, CHANNELS)),
        word_dim=3,
        hidden=4,
        attention_dim=3,
        dropout=0.0,
        frozen=True,
        looking="hard",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Fine(config).double()
        with torch.no_grad():
            for weights in model.parameters():
                weights.mul_(2.0)
        grids = torch.randn(captions, CELLS, CHANNELS)
        said = torch.randint(4, VOCAB, (captions, words + 1))
    model.requires_grad_(False)
    parts = [model.attention] if learns == "attention" else [model.attention, *decoder(model)]
    for part in parts:
        part.requires_grad_(True)
    return model, Captions(grids, said[:, :-1], said[:, 1:])


def decoder(model):
    return model.words, model.cell, model.glance, model.first_state, model.combine, model.output


def weights_of(model):
    return [weights for weights in model.parameters() if weights.requires_grad]


def cost(model, captions):
    """What a caption costs on average, word by word, each cell after the other: no paths."""

    def rest(grid, said, targets, h, c):
        if not len(said):
            return 0.0
        word = model.words(said[:1])
        asked = model.attention.query(torch.cat([h, word], dim=1))
        keys = model.attention.keys(grid)
        scores = model.attention.score(torch.tanh(keys + asked)).flatten()
        total = 0.0
        for alpha, z in zip(scores.exp() / scores.exp().sum(), grid, strict=True):
            h_k, c_k = model.cell(torch.cat([word, z[None]], dim=1), (h, c))
            combined = torch.tanh(model.combine(torch.cat([h_k, z[None]], dim=1)))
            nats = -model.output(combined).log_softmax(dim=1)[0, targets[0]]
            total = total + alpha * (nats + rest(grid, said[1:], targets[1:], h_k, c_k))
        return total

    total = 0.0
    for grid, said, targets in zip(captions.grids.double(), *captions[1:], strict=True):
        glance = model.glance(grid).relu().mean(dim=0, keepdim=True)
        h, c = model.first_state(glance).tanh().chunk(2, dim=1)
        total = total + rest(grid, said, targets, h, c)
    return total / len(captions.grids)


# The exact gradient.


@pytest.mark.parametrize("learns", ["attention", "everything"])
def test_the_exact_gradient_is_that_of_the_cost_summed_word_by_word(learns):
    model, captions = small(learns)
    found = torch.autograd.grad(cost(model, captions), weights_of(model), materialize_grads=True)
    expected = torch.cat([gradient.flatten() for gradient in found])
    assert expected.norm() > 0.01
    torch.testing.assert_close(exact_gradient(model, captions), expected, rtol=2e-5, atol=2e-6)


def test_the_exact_gradient_is_what_differences_of_the_cost_give():
    model, captions = small()
    gradient, way = exact_gradient(model, captions), torch.Generator().manual_seed(0)
    for _ in range(3):
        direction = torch.randn(len(gradient), generator=way, dtype=torch.float64)
        up, down = (float(cost(moved(model, direction * by), captions)) for by in (1e-4, -1e-4))
        assert float(gradient @ direction) == pytest.approx((up - down) / 2e-4, rel=1e-4)


def moved(model, change):
    other, begin = Fine(model.config).double(), 0
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        for weights in other.attention.parameters():
            part = change[begin : begin + weights.numel()]
            weights.add_(part.view_as(weights))
            begin += weights.numel()
    return other.requires_grad_(False)


def test_a_caption_more_changes_the_mean_and_not_the_others():
    model, captions = small()
    alone = [
        exact_gradient(model, Captions(*(part[m : m + 1] for part in captions))) for m in (0, 1)
    ]
    both = exact_gradient(model, Captions(*(part[:2] for part in captions)))
    torch.testing.assert_close(both, (alone[0] + alone[1]) / 2)


# The estimates.


def drawn(way, learns):
    """Estimates that draw each caption's looks 32 times at once, and so stray less."""
    model, captions = small(learns)
    often = Captions(*(part.repeat_interleave(32, dim=0) for part in captions))
    return estimates(model, often, way, 150, seed=1)


found_by = cache(drawn)


@pytest.mark.parametrize("learns", ["attention", "everything"])
@pytest.mark.parametrize("name", RIGHT_ON_AVERAGE)
def test_the_mean_of_the_estimates_is_the_exact_gradient_within_its_error(name, learns):
    errors = strayed(found_by(WAYS[name], learns), exact_gradient(*small(learns))).errors
    assert 0.1 < errors < 2.2


def opposite(nats, log_probs, real, baseline, onward):
    loss, reward = losses.reinforce(nats, log_probs, real, baseline)
    return -loss, reward


def halved(nats, log_probs, real, baseline, onward):
    return losses.reinforce(nats, log_probs / 2, real, baseline)


def only_the_first_look(nats, log_probs, real, baseline, onward):
    first = torch.arange(log_probs.shape[1]) < 1
    return losses.reinforce(nats, log_probs * first, real, baseline)


def only_the_words_after_its_own(nats, log_probs, real, baseline, onward):
    late = torch.nn.functional.pad(nats[:, 1:], (0, 1))
    loss, reward = losses.reinforce(late, log_probs, real, baseline, onward=True)
    return loss, reward.mean()


def own_reward_as_baseline(nats, log_probs, real, baseline, onward):
    own = -nats.detach().sum(dim=1, keepdim=True)
    return losses.reinforce(nats, log_probs, real, own)


def a_reward_with_a_gradient(nats, log_probs, real, baseline, onward):
    _, reward = losses.reinforce(nats, log_probs, real)
    return ((nats.sum(dim=1) + baseline) * log_probs.sum(dim=1)).mean(), reward


WRONG = {
    one.__name__: one
    for one in (
        *(opposite, halved, only_the_first_look, only_the_words_after_its_own),
        *(own_reward_as_baseline, a_reward_with_a_gradient),
    )
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_estimator_is_found_out(mistake, monkeypatch):
    learns = "everything" if mistake == "a_reward_with_a_gradient" else "attention"
    exact = exact_gradient(*small(learns))

    monkeypatch.setattr(reinforce, "reinforce", WRONG[mistake])
    assert strayed(drawn(Way(baseline=True), learns), exact).errors > 5


def test_reading_half_of_the_captions_softly_is_right_about_another_gradient():
    way = WAYS["baseline, half softly"]
    soft, hard = (estimates(*small(), replace(way, softly=share), 2, 0) for share in (1.0, 0.0))
    assert torch.equal(soft[0], soft[1])  # nothing is drawn
    assert not torch.equal(hard[0], hard[1])
    exact = exact_gradient(*small())
    assert strayed(found_by(way, "attention"), exact).errors > 5
    assert strayed(found_by(way, "attention"), (exact + soft[0]) / 2).errors < 2.2


@pytest.mark.parametrize("onward", [False, True])
def test_a_baseline_makes_estimates_stray_less(onward):
    exact = exact_gradient(*small())
    without, with_it = (
        strayed(found_by(Way(b, onward), "attention"), exact) for b in (False, True)
    )
    assert with_it.variance < 0.8 * without.variance
    assert with_it.cosine > without.cosine


@pytest.mark.parametrize("baseline", [False, True])
def test_looks_that_are_paid_only_for_words_to_come_stray_less(baseline):
    exact = exact_gradient(*small())
    whole, onward = (strayed(found_by(Way(baseline, o), "attention"), exact) for o in (False, True))
    assert onward.variance < 0.9 * whole.variance


def test_ways_get_the_same_draws_from_one_seed_and_others_from_another():
    baseline = torch.tensor([2.0, -1.0, 0.5])
    draws = []

    def seen(nats, log_probs, real, *rest, **how):
        draws.append(log_probs.detach())
        return losses.reinforce(nats, log_probs, real, baseline, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reinforce, "reinforce", seen)
        for way, seed in ((Way(), 3), (Way(True, True), 3), (Way(), 4)):
            estimates(*small(), way, 4, seed)
    first, again, other = (torch.stack(draws[at : at + 5]) for at in (0, 5, 10))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_first_draw_makes_the_baseline_and_is_not_counted(monkeypatch):
    baselines, rewards = [], []

    def seen(nats, log_probs, real, baseline, **how):
        loss, reward = losses.reinforce(nats, log_probs, real, baseline, **how)
        baselines.append(baseline), rewards.append(reward)
        return loss, reward

    monkeypatch.setattr(reinforce, "reinforce", seen)
    assert len(estimates(*small(), Way(baseline=True), 2, 0)) == 2
    assert baselines[:2] == [0.0, rewards[0]]
    assert float(baselines[2]) == pytest.approx(float(0.9 * rewards[0] + 0.1 * rewards[1]))


def test_estimating_changes_neither_the_model_nor_anybody_elses_random_numbers():
    model, captions = small()
    before = {name: leaf.clone() for name, leaf in model.state_dict().items()}, model.config
    state = torch.random.get_rng_state()
    estimates(model, captions, Way(softly=0.5), 2, 0)
    assert model.config is before[1]
    assert all(torch.equal(leaf, before[0][name]) for name, leaf in model.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_strayed_by_hand():
    found, exact = torch.tensor([[3.0, 0.0], [1.0, 4.0]]), torch.tensor([2.0, 0.0])
    measured = strayed(found, exact)
    assert measured.variance == pytest.approx((1 + 17) / 2 / 4)
    assert measured.cosine == pytest.approx((1 + 1 / 17**0.5) / 2)
    assert measured.errors == pytest.approx(2 / ((2 + 8) / 2) ** 0.5)


# The captioner that is told where to look.


def test_a_told_captioner_looks_where_it_is_told_and_knows_how_probable_that_was():
    model, captions = small()
    paths = torch.tensor([[0, 3, 1], [2, 2, 0]])
    of = torch.tensor([1, 0])
    reading = model.read_along(paths, captions, of)
    expected = reading.alpha.gather(2, paths[:, :, None]).squeeze(2).log()
    torch.testing.assert_close(reading.log_probs, expected)
    swapped = model.read_along(paths.flip(0), captions, of.flip(0))
    torch.testing.assert_close(swapped.hidden.flip(0), reading.hidden)
    other = model.read_along(torch.tensor([[0, 3, 2], [2, 2, 0]]), captions, of)
    assert torch.equal(other.hidden[:, :2], reading.hidden[:, :2])
    assert not torch.equal(other.hidden[0, 2], reading.hidden[0, 2])


@pytest.mark.parametrize("softly", [0.0, 0.5])
def test_who_is_not_told_reads_as_any_captioner_does(softly):
    config = CaptionerConfig(
        *(VOCAB, 16, (4, 4, CHANNELS)), frozen=True, looking="hard", semi_sampling=softly
    )
    models, found = (Told(config), Captioner(config)), []
    models[1].load_state_dict(models[0].state_dict())
    _, captions = small()
    models[0].read_along(torch.zeros(2, 3, dtype=torch.long), captions, torch.tensor([0, 1]))
    for model in models:
        torch.manual_seed(2)
        found.append(model.read(captions.grids, captions.said))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


# What the study is about.


def test_short_captions_name_two_objects_from_left_to_right():
    data = reinforce._short("val", 12, "simple")
    truths = [scene for scene in material.scenes("val", 12, "simple") if len(scene.objects) == 2]
    assert len(data) == len(truths) < 12
    for (caption,), scene in zip(data.captions, truths, strict=True):
        one, other = sorted(scene.objects, key=lambda thing: thing.box[0])
        assert caption == f"{one.colour} {one.shape} {other.colour} {other.shape}"


def test_few_cells_are_means_over_the_cells_that_they_cover():
    images = np.arange(2 * 36 * 5, dtype=np.float16).reshape(2, 36, 5)
    few = reinforce._few_cells(images)
    assert (few.shape, few.dtype) == ((2, 9, 5), np.float16)
    grid = images.astype(np.float32).reshape(2, 6, 6, 5)
    np.testing.assert_allclose(few[:, 5], grid[:, 2:4, 4:6].mean((1, 2)))


def test_held_out_captions_are_read_from_the_start_and_end_with_their_last_word():
    captions, words = reinforce._held_out(TINY), reinforce.WORDS
    vocabulary = reinforce.Vocabulary.build(reinforce._short("train", 48, "simple").captions, 1)
    data = reinforce._short("val", TINY.held_out, "simple")
    assert captions.grids.shape == (len(data), 9, 96)
    assert (captions.said[:, 0] == vocabulary.START).all()
    assert torch.equal(captions.said[:, 1:], captions.targets[:, :-1])
    assert captions.targets.shape == (len(data), words)
    assert vocabulary.decode(captions.targets[0].tolist()) == data.captions[0][0]


def test_the_record_says_that_estimates_are_right_on_average_and_what_makes_them_stray_less():
    record = studies.load("reinforce")
    for name in RIGHT_ON_AVERAGE:
        assert all(0.2 < errors < 2.5 for errors in record.of(name, "errors of the mean"))
    assert min(record.of("baseline, half softly", "errors of the mean")) > 2.5
    for figure in ("variance", "variance before training"):
        plain, baseline, onward, both = (record.of(name, figure) for name in RIGHT_ON_AVERAGE)
        assert all(b < 0.5 * p for p, b in zip(plain, baseline, strict=True))
        assert all(o < 0.7 * p for p, o in zip(plain, onward, strict=True))
        assert all(x < min(b, o) for x, b, o in zip(both, baseline, onward, strict=True))
