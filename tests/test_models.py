import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.decoding import beam_search, greedy  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.models.attention import AdditiveAttention  # noqa: E402

V, L = 11, 16
SMALL = {"image_size": 32, "channels": (3, 4, 5), "word_dim": 6, "hidden": 7, "attention_dim": 8}
KINDS = {"attention": {}, "glance": {"attention": False}, "blind": {"image": False}}


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
def test_only_the_blind_model_does_not_mind_the_picture(kind):
    model = small(**KINDS[kind])
    same = torch.allclose(model(pictures(), TOKENS), model(pictures(seed=1), TOKENS), atol=1e-4)
    assert same == (kind == "blind")


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
    for kind in ("glance", "blind"):
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
    ],
)
def test_a_shape_that_no_model_can_have_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field} is "):
        CaptionerConfig(**{"vocab_size": V, **SMALL, field: value})


def test_a_config_survives_json():
    config = CaptionerConfig(V, **SMALL)
    assert CaptionerConfig(**config.to_json()) == config
