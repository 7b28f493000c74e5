import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.decoding import beam_search, greedy  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.models.attention import AdditiveAttention  # noqa: E402

V, L = 11, 16
SMALL = {"image_size": 32, "channels": (3, 4, 5), "word_dim": 6, "hidden": 7, "attention_dim": 8}
CELLS, INJECTIONS = ("lstm", "rnn", "gru"), ("init", "pre", "par", "merge")
PLAIN = {
    f"{cell}-{inject}": {"attention": False, "cell": cell, "inject": inject}
    for cell in CELLS
    for inject in INJECTIONS
}
BLIND = {f"blind-{cell}": {"image": False, "cell": cell} for cell in CELLS}
KINDS = {"attention": {}, "attention-gru": {"cell": "gru"}, **PLAIN, **BLIND}


def small(seed=0, **changes) -> Captioner:
    torch.manual_seed(seed)
    model = Captioner(CaptionerConfig(V, **{**SMALL, **changes})).eval()
    with torch.no_grad():  # an untrained model hardly minds what it sees; this one does
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


def pictures(n=3, seed=0, size=32):
    return np.random.RandomState(seed).randint(0, 256, (n, size, size, 3)).astype(np.uint8)


TOKENS = torch.tensor([[1, 4, 5, 6, 7], [1, 8, 9, 0, 0], [1, 10, 4, 4, 0]])


@pytest.mark.parametrize("kind", KINDS)
def test_logits_have_a_row_for_each_word_said(kind):
    assert small(**KINDS[kind])(pictures(), TOKENS).shape == (3, 5, V)


def test_the_grid_has_a_cell_for_every_8_by_8_pixels():
    assert small().encode(pictures()).shape == (3, L, 5)
    assert small(image_size=64).encode(pictures(size=64)).shape == (3, 64, 5)


def test_a_cell_sees_the_pixels_around_its_own_place():
    """Cell (r, c), in reading order, depends on pixels within 14 of its 8x8, and on no other."""
    model = small(image_size=64)
    plain, spotted = pictures(1, size=64), pictures(1, size=64)
    spotted[0, 34, 20] ^= 255  # in cell (4, 2)
    differs = (model.encode(plain) != model.encode(spotted)).any(dim=2).view(8, 8)
    rows, columns = differs.nonzero(as_tuple=True)
    assert differs[4, 2]
    assert set(rows.tolist()) <= {2, 3, 4, 5, 6}
    assert set(columns.tolist()) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("kind", KINDS)
def test_word_by_word_gives_what_the_whole_sentence_gives(kind):
    model = small(**KINDS[kind])
    images, tokens = pictures(), TOKENS[[0, 0, 0]].clone()
    tokens[1, 2], tokens[2, 3] = 9, 8
    whole, state = model(images, tokens).log_softmax(dim=2), model.start(images)
    for t in range(tokens.shape[1]):
        log_probs, state = model.step(tokens[:, t], state)
        sayable = [2, *range(4, V)]
        assert torch.allclose(log_probs[:, sayable], whole[:, t, sayable], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_and_neighbours_do_not_change_a_sentence(kind):
    model = small(**KINDS[kind])
    together = model(pictures(), TOKENS)
    for row, length in enumerate((5, 3, 4)):
        alone = model(pictures()[row : row + 1], TOKENS[row : row + 1, :length])
        assert torch.allclose(together[row, :length], alone[0], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_another_order_of_the_batch_gives_the_same_in_that_order(kind):
    model, order = small(**KINDS[kind]), torch.tensor([2, 0, 1])
    images = pictures()
    there = model(images[order.numpy()], TOKENS[order])
    assert torch.allclose(there, model(images, TOKENS)[order], atol=1e-6)


def test_several_sentences_share_one_pictures_encoding():
    model, images = small(), pictures()
    of = torch.tensor([2, 0, 2, 1])
    tokens = torch.cat([TOKENS, TOKENS[:1]])
    calls = []
    model.encoder.register_forward_hook(lambda module, args, out: calls.append(len(out)))
    shared = model(images, tokens, of)
    assert calls == [3]
    assert torch.allclose(shared, model(images[of.numpy()], tokens), atol=1e-6)


def test_a_word_does_not_know_the_words_after_it():
    model, later = small(), TOKENS.clone()
    later[:, 3] = 10
    before, after = model(pictures(), TOKENS), model(pictures(), later)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[0, 3:], after[0, 3:])


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_blind_model_does_not_mind_the_picture(kind):
    model = small(**KINDS[kind])
    same = torch.allclose(model(pictures(), TOKENS), model(pictures(seed=1), TOKENS), atol=1e-4)
    assert same == kind.startswith("blind")


def test_a_blind_model_needs_no_pictures_and_has_no_encoder():
    model = small(image=False)
    assert model(None, TOKENS).shape == (3, 5, V)
    assert len(model.start(np.empty((4, 0)))["h"]) == 4
    assert not any(name.startswith(("encoder", "attention")) for name in model.state_dict())
    with pytest.raises(ValueError, match="image-blind"):
        model.encode(pictures())


def test_attention_weights_sum_to_one_where_a_word_was_said():
    maps = small().attention_maps(pictures(), TOKENS)
    assert maps.shape == (3, 5, L)
    assert (maps >= 0).all()
    assert torch.allclose(maps.sum(dim=2), (TOKENS != 0).float())


def test_attention_maps_are_the_weights_that_the_next_word_was_said_with():
    """A change in one cell changes a word's logits by as much as its map gives to that cell."""
    model = small()
    state = model.start(pictures())
    maps = model.attention_maps(pictures(), TOKENS[:, :1])[:, 0]  # (N, L)
    moved = {**state, "grid": state["grid"].clone()}
    cell = int(maps[0].argmin())
    moved["grid"][0, cell] += 1.0
    spoken, other = (model._tell(model.words(TOKENS[:, 0]), s)[0] for s in (state, moved))
    shift = (other - spoken)[0, model.config.hidden :]
    assert torch.allclose(shift, maps[0, cell].expand_as(shift), atol=1e-5)


def test_where_to_look_depends_on_the_word_just_said():
    model, other = small(), TOKENS.clone()
    other[:, 1] = 6
    before, after = (model.attention_maps(pictures(), t)[:, 1] for t in (TOKENS, other))
    assert not torch.allclose(before, after, atol=1e-3)


def test_additive_attention_is_the_lectures_formula():
    torch.manual_seed(0)
    attention = AdditiveAttention(4, 3, 5)
    queries, values = torch.randn(2, 3), torch.randn(2, 6, 4)
    seen, alpha = attention(queries, attention.keys(values), values)
    for n in range(2):
        scores = torch.stack(
            [
                attention.score.weight[0]
                @ torch.tanh(attention.keys(a) + attention.query.weight @ queries[n])
                for a in values[n]
            ]
        )
        expected = scores.exp() / scores.exp().sum()
        assert torch.allclose(alpha[n], expected, atol=1e-6)
        assert torch.allclose(seen[n], (expected[:, None] * values[n]).sum(dim=0), atol=1e-6)


def test_maps_of_a_model_without_attention_are_refused():
    for kind in ("lstm-init", "blind-lstm"):
        with pytest.raises(ValueError, match="no attention"):
            small(**KINDS[kind]).attention_maps(pictures(), TOKENS)


def test_the_encoder_is_called_once_a_picture_in_beam_search():
    model, seen = small(), []
    model.encoder.register_forward_hook(lambda module, args, out: seen.append(len(out)))
    beam_search(model.step, model.start(pictures()), beam=4, max_len=6)
    assert seen == [3]


@pytest.mark.parametrize("kind", KINDS)
def test_beam_search_over_a_batch_of_pictures_gives_what_each_gives_alone(kind):
    model, images = small(**KINDS[kind]), pictures()
    together = beam_search(model.step, model.start(images), beam=3, max_len=6)
    for i, n_best in enumerate(together):
        (alone,) = beam_search(model.step, model.start(images[i : i + 1]), beam=3, max_len=6)
        assert [h.tokens for h in alone] == [h.tokens for h in n_best]
        for one, other in zip(alone, n_best, strict=True):
            assert one.log_probs == pytest.approx(other.log_probs, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_speaker_says_what_step_and_start_say_and_carries_no_pictures(kind):
    model, images = small(**KINDS[kind]), pictures()
    step, state = model.speaker(images)
    assert not {"grid", "keys"} & set(state)
    for settings in ({"beam": 1}, {"beam": 4}, {"beam": 4, "groups": 2, "required": [5]}):
        expected = beam_search(model.step, model.start(images), max_len=6, **settings)
        found = beam_search(step, state, max_len=6, **settings)
        for n_best, others in zip(found, expected, strict=True):
            assert [h.tokens for h in n_best] == [h.tokens for h in others]
            for one, other in zip(n_best, others, strict=True):
                assert one.log_probs == pytest.approx(other.log_probs, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_special_words_are_never_said(kind):
    model = small(**KINDS[kind])
    with torch.no_grad():
        model.output.bias[[0, 1, 3]] += 20.0
    for found in greedy(model.step, model.start(pictures()), max_len=8):
        assert not {0, 1, 3} & set(found.tokens)


def test_a_words_log_probability_is_the_models_own():
    model = small()
    images = pictures()
    for i, found in enumerate(greedy(model.step, model.start(images), max_len=6)):
        tokens = torch.tensor([[1, *found.tokens]])
        expected = model(images[i : i + 1], tokens[:, :-1]).log_softmax(dim=2)[0]
        gains = expected.gather(1, tokens[0, 1:, None])[:, 0].tolist()
        assert found.log_probs == pytest.approx(gains, abs=1e-5)


def test_the_output_bias_starts_at_the_log_frequency_of_each_word():
    model, counts = small(), np.arange(V) * 10
    model.init_output_bias(counts)
    expected = np.log((counts + 1) / (counts + 1).sum())
    assert model.output.bias.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    with pytest.raises(ValueError, match="10 counts for 11 words"):
        model.init_output_bias(counts[1:])


def test_dropout_acts_in_training_only():
    model = small(dropout=0.5)
    images = pictures()
    assert torch.equal(model(images, TOKENS), model(images, TOKENS))
    model.train()
    assert not torch.equal(model(images, TOKENS), model(images, TOKENS))


def test_read_only_pictures_are_taken_without_a_warning(recwarn):
    images = pictures()
    images.flags.writeable = False
    small().encode(images)
    assert not recwarn.list


def test_pictures_that_are_no_bytes_or_of_another_size_are_refused():
    model = small()
    with pytest.raises(TypeError, match="pictures of float32: expected uint8"):
        model.encode(pictures().astype(np.float32))
    for wrong in (pictures(size=40), pictures()[0], pictures()[..., :1]):
        with pytest.raises(ValueError, match=r"expected \(N, 32, 32, 3\)"):
            model.encode(wrong)


def test_as_many_sentences_as_pictures_or_a_word_on_whose_they_are():
    with pytest.raises(ValueError, match="3 sentences for 2 pictures: say in `of`"):
        small()(pictures(2), TOKENS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocab_size", 4),
        ("vocab_size", 10.0),
        ("hidden", 0),
        ("word_dim", True),
        ("attention_dim", -1),
        ("image_size", 60),
        ("channels", (3, 4)),
        ("channels", (3, 0, 4)),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("cell", "LSTM"),
        ("inject", "post"),
        ("encoder", "resnet19"),
        ("features", "mean"),
    ],
)
def test_a_shape_that_no_model_can_have_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field} is "):
        CaptionerConfig(**{"vocab_size": V, **SMALL, field: value})


def test_a_config_survives_json():
    config = CaptionerConfig(V, **SMALL)
    assert CaptionerConfig(**config.to_json()) == config


def test_a_picture_that_is_looked_at_for_each_word_enters_in_one_way():
    with pytest.raises(ValueError, match="inject is 'par' with attention"):
        CaptionerConfig(V, **SMALL, inject="par")
    assert CaptionerConfig(V, **SMALL, inject="par", image=False).inject == "par"


# Cells and injections.


TORCH = {"lstm": torch.nn.LSTM, "rnn": torch.nn.RNN, "gru": torch.nn.GRU}


def torchs_own(model: Captioner) -> torch.nn.Module:
    """torch's recurrent network with the weights of the model's cell."""
    network = TORCH[model.config.cell](model.cell.input_size, model.cell.hidden_size)
    weights = {f"{name}_l0": value for name, value in model.cell.state_dict().items()}
    network.load_state_dict(weights)
    return network


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("inject", INJECTIONS)
def test_a_sentence_is_what_torchs_own_network_makes_of_it(cell, inject):
    model = small(**PLAIN[f"{cell}-{inject}"])
    tokens = torch.tensor([[1, 4, 5, 6], [1, 8, 9, 10], [1, 4, 4, 7]])
    v = model.glance_norm(model.glance(model.encode(pictures())).relu().mean(dim=1))
    x = model.words(tokens).transpose(0, 1)  # (T, N, W)
    first, steps = None, x
    if inject == "init":
        parts = model.first_state(v).tanh()[None].split(7, dim=2)
        first = tuple(map(torch.Tensor.contiguous, parts)) if cell == "lstm" else parts[0]
    elif inject == "pre":
        steps = torch.cat([model.as_word(v)[None], x])
    elif inject == "par":
        steps = torch.cat([x, v.expand(4, -1, -1)], dim=2)
    states = torchs_own(model)(steps, first)[0][-4:].transpose(0, 1)
    if inject == "merge":
        states = model.combine(torch.cat([states, v[:, None].expand(-1, 4, -1)], dim=2)).tanh()
    assert torch.allclose(model(pictures(), tokens), model.output(states), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_merging_model_keeps_its_recurrent_network_to_the_words(cell):
    model = small(**PLAIN[f"{cell}-merge"])
    _, one = model.step(torch.ones(3, dtype=torch.int64), model.start(pictures()))
    _, other = model.step(torch.ones(3, dtype=torch.int64), model.start(pictures(seed=1)))
    assert torch.equal(one["h"], other["h"])
    assert not torch.equal(one["v"], other["v"])


@pytest.mark.parametrize("kind", PLAIN)
def test_what_pictures_share_is_no_part_of_the_glance(kind):
    model = small(**PLAIN[kind]).train()
    v = model._glance(model.encode(pictures(8)))
    shift = model.glance_norm.bias
    assert torch.allclose(v.mean(dim=0), shift, atol=1e-5)
    assert not torch.allclose(model.glance_norm.running_mean, torch.zeros(7))


def test_one_picture_alone_can_be_trained_on():
    model = small(attention=False).train()
    assert model(pictures(1), TOKENS[:1]).isfinite().all()


@pytest.mark.parametrize(("cell", "keeps"), [("lstm", 1), ("gru", 1)])
def test_a_model_that_sees_once_begins_by_keeping_what_it_holds(cell, keeps):
    model = Captioner(CaptionerConfig(V, **SMALL, attention=False, cell=cell))
    assert (model.cell.bias_hh.view(-1, 7)[1] == keeps).all()


# A frozen encoder, and features that it made before.


def batch_norms(model):
    keys = ("running_mean", "running_var", "num_batches_tracked")
    return [v.clone() for name, v in model.state_dict().items() if name.endswith(keys)]


@pytest.mark.parametrize("frozen", [True, False])
def test_only_an_encoder_that_learns_moves_its_batch_norm_statistics(frozen):
    model = small(frozen=frozen).train()
    before = batch_norms(model)
    model(pictures(), TOKENS).sum().backward()
    same = all(map(torch.equal, before, batch_norms(model)))
    gradients = [p.grad is not None for p in model.encoder.parameters()]
    assert same == frozen
    assert not any(gradients) if frozen else all(gradients)
    assert model.dropout.training
    assert model.glance.weight.grad is not None


@pytest.mark.parametrize("kind", {"attention": {}, **PLAIN})
def test_features_in_the_place_of_pictures_give_the_same(kind):
    model, images = small(frozen=True, **KINDS[kind]), pictures()
    features = model.encode(images).numpy()
    assert torch.allclose(model(features, TOKENS), model(images, TOKENS), atol=1e-5)
    half = model.start(features.astype(np.float16))
    assert half["h"].dtype == torch.float32


def test_features_are_refused_where_they_may_be_stale_or_of_another_encoder():
    features = small().encode(pictures()).detach().numpy()
    with pytest.raises(ValueError, match="still learning"):
        small().encode(features)
    with pytest.raises(ValueError, match=r"features of \(3, 15, 5\): .* makes \(N, 16, 5\)"):
        small(frozen=True).encode(features[:, 1:])


def test_pooled_features_are_the_mean_of_the_grids():
    grid = small().encode(pictures())
    pooled = small(features="pooled").encode(pictures())
    assert pooled.shape == (3, 1, 5)
    assert torch.allclose(pooled[:, 0], grid.mean(dim=1), atol=1e-6)


# Word vectors that come from elsewhere.


def test_word_vectors_that_were_found_are_taken_over_in_the_models_own_size():
    model = small()
    before, size = model.words.weight.clone(), model.words.weight.square().mean().sqrt()
    matrix, found = np.random.RandomState(0).randn(V, 6) * 9, np.arange(V) % 3 == 0
    model.init_words(matrix, found)
    after = model.words.weight.detach()
    assert torch.equal(after[~found], before[~found])
    ratio = after[found].numpy() / matrix[found]
    assert ratio == pytest.approx(ratio[0, 0], rel=1e-5)
    assert after[found].square().mean().sqrt().item() == pytest.approx(size.item(), rel=1e-5)
    with pytest.raises(ValueError, match=r"11 words of word_dim 6"):
        model.init_words(matrix[:, :5], found)
