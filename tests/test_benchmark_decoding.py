"""The benchmark of decoders: both ways find the same sentences."""

import pytest

torch = pytest.importorskip("torch")

from benchmarks import decoding  # noqa: E402

SMALL = decoding.Sizes(vocab=60, word_dim=8, hidden=12, attention_dim=10, channels=6, side=16)


@pytest.mark.parametrize("kind", decoding.SLOW)
def test_a_batch_and_the_tutorials_way_find_the_same_sentences(kind):
    model = decoding.random_captioner(kind, SMALL)
    features = decoding.draw_features(model, 4)
    found = decoding.batched(model, features)
    decoding.assert_same(found, decoding.SLOW[kind](model, features))
    assert {len(tokens) for tokens, _ in found} == {decoding.WORDS}
    assert len({tuple(tokens) for tokens, _ in found}) > 1  # the picture has a say


@pytest.mark.parametrize("change", [([5, 6], -1.0), ([5, 7], -1.1)])
def test_other_sentences_are_noticed(change):
    with pytest.raises(AssertionError):
        decoding.assert_same([([5, 7], -1.0)], [change])


def test_a_way_with_attention_keeps_nothing_of_the_picture_from_word_to_word():
    model = decoding.random_captioner("attention", SMALL)
    seen = []
    model.attention.keys.register_forward_hook(lambda module, args, out: seen.append(len(out)))
    decoding.picture_by_picture(model, decoding.draw_features(model, 1))
    assert seen == [1, 1] + [decoding.BEAM] * (decoding.WORDS - 1)
    seen.clear()
    decoding.batched(model, decoding.draw_features(model, 3))
    assert seen == [3]


def test_the_figures_name_both_ways_and_their_ratio():
    figures = decoding.compared("LSTM", SMALL, pictures=3, fewer=2)
    assert list(figures) == [
        "LSTM, 3 pictures at once: pictures/s",
        "LSTM, lists: pictures/s",
        "LSTM, ratio",
    ]
    assert all(figure > 0 for figure in figures.values())
