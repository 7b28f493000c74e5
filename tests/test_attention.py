"""Attention in the models: soft and hard, masked, gated, and how it is taught."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.decoding import beam_search  # noqa: E402
from cs_caption.losses import doubly_stochastic, reinforce, word_nats  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.models.attention import (  # noqa: E402
    AdditiveAttention,
    blend,
    entropy_of,
    log_prob_of,
    one_hot,
    sample_cells,
)

V, N, L, C, Q = 11, 3, 6, 4, 5
SMALL = {"image_size": 32, "channels": (3, 4, 5), "word_dim": 6, "hidden": 7, "attention_dim": 8}
TOKENS = torch.tensor([[1, 4, 5, 6, 7], [1, 8, 9, 0, 0], [1, 10, 4, 4, 0]])
PICTURES = np.random.RandomState(0).randint(0, 256, (N, 32, 32, 3)).astype(np.uint8)


def small(seed=0, **changes) -> Captioner:
    torch.manual_seed(seed)
    model = Captioner(CaptionerConfig(V, **{**SMALL, "dropout": 0.0, **changes})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def additive(seed=0):
    """Attention in float64, with queries, keys and values."""
    torch.manual_seed(seed)
    attention = AdditiveAttention(C, Q, 8).double()
    values = torch.randn(N, L, C, dtype=torch.float64)
    return attention, torch.randn(N, Q, dtype=torch.float64), attention.keys(values), values


# Where to look.


def test_masked_cells_get_exactly_nothing_and_the_rest_sums_to_one():
    attention, query, keys, values = additive()
    mask = torch.tensor([[1, 0, 1, 1, 0, 1], [0, 0, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1]]).bool()
    values = values.masked_fill(~mask[:, :, None], 1e6)
    seen, alpha = attention(query, keys, values, mask)
    assert (alpha[~mask] == 0).all()
    assert torch.allclose(alpha.sum(dim=1), torch.ones(N, dtype=torch.float64))
    assert torch.equal(alpha[1], mask[1].double())
    assert seen.abs().max() < 100


def test_several_queries_a_picture_each_mind_its_mask():
    attention, query, keys, values = additive()
    mask = torch.rand(N, L) > 0.4
    mask[:, 0] = True
    twice = query.repeat_interleave(2, dim=0)
    assert torch.allclose(
        attention(twice, keys, values, mask)[1],
        attention(query, keys, values, mask)[1].repeat_interleave(2, dim=0),
    )


def test_a_mask_is_as_if_the_other_cells_were_not_there():
    attention, query, keys, values = additive()
    mask = torch.tensor([True, True, False, True, False, True]).expand(N, L)
    some = mask[0]
    seen, alpha = attention(query, keys, values, mask)
    fewer, those = attention(query, keys[:, some], values[:, some])
    assert torch.allclose(seen, fewer)
    assert torch.allclose(alpha[:, some], those)


def test_permuted_cells_permute_the_weights_and_what_is_seen_stays():
    attention, query, keys, values = additive()
    order = torch.randperm(L)
    seen, alpha = attention(query, keys, values)
    turned, those = attention(query, keys[:, order], values[:, order])
    assert torch.allclose(those, alpha[:, order])
    assert torch.allclose(turned, seen)


def test_a_constant_added_to_all_scores_changes_nothing():
    attention, query, keys, _ = additive()
    before = attention.weights(query, keys)
    attention.score = torch.nn.Linear(8, 1).double().requires_grad_(False)
    fresh = attention.weights(query, keys)
    attention.score.bias += 300.0
    assert torch.allclose(attention.weights(query, keys), fresh)
    assert not torch.allclose(before, fresh)


def test_a_hard_look_sees_one_cell_as_it_is():
    _, _, _, values = additive()
    cells = torch.tensor([4, 0, 5])
    alpha = torch.rand(N, L, dtype=torch.float64)
    assert torch.equal(blend(one_hot(cells, alpha), values), values[range(N), cells])


def test_cells_are_drawn_as_often_as_their_weight_says_and_never_without_one():
    alpha = torch.tensor([[0.5, 0.0, 0.2, 0.3]]).repeat(20_000, 1)
    drawn = sample_cells(alpha, torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn, minlength=4)
    assert counts[1] == 0
    # four standard deviations of a share of half are 0.014
    assert torch.allclose(counts / len(alpha), alpha[0], atol=0.014)


def test_entropy_and_its_gradient_are_finite_where_a_weight_is_zero():
    scores = torch.tensor([[0.0, 1.0, -torch.inf, 0.5]], requires_grad=True)
    alpha = scores.softmax(dim=1)
    entropy_of(alpha).sum().backward()
    assert torch.isfinite(scores.grad).all()
    uniform = entropy_of(torch.full((2, 8), 1 / 8))
    assert torch.allclose(uniform, torch.full((2,), float(np.log(8))))
    assert entropy_of(torch.eye(3)).tolist() == [0, 0, 0]


# In a captioner.


def test_a_hard_model_looks_at_the_strongest_cell_when_it_speaks():
    soft, hard = small(), small(looking="hard")
    state = hard.start(PICTURES)
    alpha = hard.attention.weights(
        torch.cat([state["h"], hard.words(TOKENS[:, 0])], dim=1), state["keys"]
    )
    only = {**state, "grid": torch.zeros_like(state["grid"])}
    best = alpha.argmax(dim=1)
    only["grid"][range(N), best] = state["grid"][range(N), best]
    assert torch.equal(hard.step(TOKENS[:, 0], state)[0], hard.step(TOKENS[:, 0], only)[0])
    assert not torch.allclose(soft(PICTURES, TOKENS), hard(PICTURES, TOKENS), atol=1e-3)


def test_a_hard_model_read_softly_is_the_soft_one():
    soft, hard = small(), small(looking="hard", semi_sampling=1.0)
    reading = hard.train().read(PICTURES, TOKENS)
    soft.train()
    assert reading.softly.all()
    assert (reading.log_probs == 0).all()
    assert torch.allclose(soft.output(soft.hidden(PICTURES, TOKENS)), hard.output(reading.hidden))


def test_in_training_a_hard_model_draws_and_says_how_probable_the_draw_was():
    hard = small(looking="hard", semi_sampling=0.0).train()
    first, second = hard.read(PICTURES, TOKENS), hard.read(PICTURES, TOKENS)
    real = TOKENS != 0
    assert not first.softly.any()
    assert not torch.equal(first.hidden, second.hidden)
    assert (first.log_probs[~real] == 0).all()
    distance = (first.log_probs[:, :, None] - first.alpha.clamp_min(1e-30).log()).abs()
    assert (distance.amin(dim=2)[real] < 1e-5).all()  # each is one of its cells'
    assert first.log_probs.requires_grad


def test_half_of_the_captions_are_read_softly_and_only_those():
    hard = small(looking="hard").train()
    rows = TOKENS[:1].repeat(400, 1)
    reading = hard.read(PICTURES[:1], rows, of=torch.zeros(400, dtype=torch.long))
    assert 0.4 < reading.softly.float().mean() < 0.6
    drawn = (reading.log_probs != 0).all(dim=1)
    assert torch.equal(drawn, ~reading.softly)
    same = reading.hidden[reading.softly]
    assert torch.allclose(same, same[:1].expand_as(same), atol=1e-6)


def test_a_closed_gate_hides_the_picture_from_the_words():
    model = small(gated=True)
    with torch.no_grad():
        model.gate.weight.zero_()
        model.gate.bias.fill_(-1e4)
    state = model.start(PICTURES)
    other = {**state, "grid": state["grid"].flip(0), "keys": state["keys"].flip(0)}
    found = [model.step(TOKENS[:, 0], each)[0] for each in (state, other)]
    assert torch.equal(*found)
    with torch.no_grad():
        model.gate.bias.fill_(1e4)
    plain = small()
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if "gate" not in k})
    assert torch.allclose(plain(PICTURES, TOKENS), model(PICTURES, TOKENS))


@pytest.mark.parametrize("kind", [{"looking": "hard"}, {"gated": True}])
def test_batched_search_finds_the_same_as_one_by_one(kind):
    model = small(**kind)
    with torch.no_grad():
        together = beam_search(*model.speaker(PICTURES), beam=3, max_len=6, start=1, end=2)
        alone = [
            beam_search(*model.speaker(PICTURES[i : i + 1]), beam=3, max_len=6, start=1, end=2)[0]
            for i in range(N)
        ]
    assert [[h.tokens for h in some] for some in together] == [
        [h.tokens for h in some] for some in alone
    ]


@pytest.mark.parametrize(
    ("field", "value"), [("looking", "both"), ("semi_sampling", 1.5), ("looking", "hard")]
)
def test_attention_that_no_model_can_have_is_refused_by_name(field, value):
    without = {"attention": False} if value == "hard" else {}
    with pytest.raises(ValueError, match=f"{field} is "):
        CaptionerConfig(V, **{**SMALL, field: value, **without})
    with pytest.raises(ValueError, match="gated is True"):
        CaptionerConfig(V, **SMALL, gated=True, image=False)


# What teaches it.


def test_the_charge_is_the_papers_sum_over_cells():
    torch.manual_seed(0)
    alpha = torch.rand(2, 4, 5).softmax(dim=2)
    real = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
    expected = 0.0
    for n in range(2):
        for i in range(5):
            looked = sum(float(alpha[n, t, i]) for t in range(4) if real[n, t])
            expected += (1 - looked) ** 2 / 2
    assert doubly_stochastic(alpha, real).item() == pytest.approx(expected, rel=1e-5)
    wild = alpha.masked_fill(~real[:, :, None], 7.0)
    assert torch.equal(doubly_stochastic(alpha, real), doubly_stochastic(wild, real))


def test_with_fewer_words_than_cells_the_charge_is_least_where_looks_are_spread():
    T, cells = 10, 64
    real = torch.ones(1, T, dtype=torch.bool)
    spread = torch.full((1, T, cells), 1 / cells)
    pointed = torch.eye(cells)[None, :T]
    least = cells * (1 - T / cells) ** 2
    assert doubly_stochastic(spread, real).item() == pytest.approx(least, rel=1e-5)
    assert doubly_stochastic(pointed, real).item() == pytest.approx(cells - T)
    assert least < cells - T


def test_word_nats_are_zero_in_the_padding():
    torch.manual_seed(0)
    logits, targets = torch.randn(2, 3, V), torch.tensor([[4, 2, 0], [5, 6, 2]])
    nats = word_nats(logits, targets)
    assert nats[0, 2] == 0
    assert nats[1, 1].item() == pytest.approx(-logits[1, 1].log_softmax(0)[6].item())


class Tiny:
    """Two looks over three cells, the second not minding the first: all nine can be added up."""

    def __init__(self):
        torch.manual_seed(1)
        self.scores = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
        self.nats = torch.rand(2, 3, 3, dtype=torch.float64) * 4  # by word, look 1, look 2
        self.nats[0] = self.nats[0, :, :1]  # the first word cannot know the second look

    def exact(self):
        """The gradient of the mean nats of a caption."""
        alpha = self.scores.softmax(dim=1)
        mean = (alpha[0][:, None] * alpha[1][None] * self.nats.sum(dim=0)).sum()
        return torch.autograd.grad(mean, self.scores)[0]

    def estimated(self, baseline, onward):
        """The mean of the estimate over the nine pairs of looks, each as often as it is drawn."""
        total = 0
        for i in range(3):
            for j in range(3):
                alpha = self.scores.softmax(dim=1)
                log_probs = log_prob_of(alpha, torch.tensor([i, j]))
                often = (alpha[0, i] * alpha[1, j]).detach()
                loss, _ = reinforce(
                    self.nats[:, i, j][None],
                    log_probs[None],
                    torch.ones(1, 2, dtype=torch.bool),
                    baseline,
                    onward=onward,
                )
                total = total + often * torch.autograd.grad(loss, self.scores)[0]
        return total


@pytest.mark.parametrize("onward", [False, True])
@pytest.mark.parametrize("baseline", [0.0, -3.7])
def test_the_mean_of_reinforces_gradient_is_the_exact_one(baseline, onward):
    tiny = Tiny()
    assert torch.allclose(tiny.estimated(baseline, onward), tiny.exact())


def test_a_baseline_of_each_words_own_leaves_the_mean_alone_too():
    tiny = Tiny()
    baseline = torch.tensor([-5.0, 2.0], dtype=torch.float64)
    assert torch.allclose(tiny.estimated(baseline, onward=True), tiny.exact())


def test_no_gradient_flows_through_the_reward():
    nats = torch.rand(2, 3, requires_grad=True)
    log_probs = torch.rand(2, 3, requires_grad=True)
    loss, _ = reinforce(nats, log_probs, torch.ones(2, 3, dtype=torch.bool))
    loss.backward()
    assert nats.grad is None
    assert log_probs.grad is not None


def test_the_mean_reward_is_of_captions_or_onward_of_each_words_place():
    nats = torch.tensor([[1.0, 2.0, 4.0], [8.0, 16.0, 99.0]])
    real = torch.tensor([[True, True, True], [True, True, False]])
    log_probs = torch.zeros(2, 3)
    assert reinforce(nats, log_probs, real)[1].item() == -(7 + 24) / 2
    onward = reinforce(nats, log_probs, real, onward=True)[1]
    assert onward.tolist() == [-(7 + 24) / 2, -(6 + 16) / 2, -4]
