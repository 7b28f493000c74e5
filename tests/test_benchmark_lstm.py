"""The ways of a training step that the benchmark times do the same thing."""

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import lstm

N, V, D, H = 6, 40, 5, 7
SMALL = lstm.draw_batch(np.random.default_rng(3), np.float64, N, V, D)


def weights(dtype=np.float64):
    p = lstm.draw_weights(np.random.default_rng(0), dtype, V, D, H)
    # Without large weights the gates are alike, and an exchanged pair would not show.
    return {name: (20 * value).astype(dtype) for name, value in p.items()}


def torch_gradients(batch):
    """The gradients that torch keeps, in the notebooks' shapes and order."""
    captioner = lstm.TorchCaptioner(weights())
    loss = captioner.gradients(batch)
    cell, out = captioner.lstm, captioner.out
    # Blocks i, f, g, o: exchanging the last two is its own inverse.
    grads = {
        "Wx": lstm.in_torchs_order(cell.weight_ih_l0.grad.numpy().T),
        "Wh": lstm.in_torchs_order(cell.weight_hh_l0.grad.numpy().T),
        "b": lstm.in_torchs_order(cell.bias_ih_l0.grad.numpy()),
        "words": captioner.words.grad.numpy(),
        "Wout": out.weight.grad.numpy().T,
        "bout": out.bias.grad.numpy(),
    }
    return loss, grads


@pytest.mark.parametrize(
    "other", [lambda batch: lstm.sentence_gradients(weights(), batch), torch_gradients]
)
def test_all_ways_give_the_same_loss_and_the_same_gradients(other):
    loss, grads = lstm.batched_gradients(weights(), SMALL)
    other_loss, other_grads = other(SMALL)
    assert loss == pytest.approx(other_loss, rel=1e-12)
    assert grads.keys() == other_grads.keys() == weights().keys()
    for name, grad in grads.items():
        assert np.abs(grad).max() > 1e-3
        np.testing.assert_allclose(grad, other_grads[name], atol=1e-12, err_msg=name)


def test_captions_are_ragged_and_as_long_as_real_ones():
    batch = lstm.draw_batch(np.random.default_rng(0), np.float32, 1000, V, D)
    lengths = batch.real.sum(axis=1) - 1  # without <END>
    assert 10 < lengths.mean() < 12
    assert lengths.min() < 6 < 17 < lengths.max()
    assert batch.tokens == (lengths + 1).sum()


def test_each_word_is_to_be_said_before_it_is_read_and_every_caption_ends():
    assert (SMALL.words[:, 0] == 0).all()
    for words, right, real in zip(SMALL.words, SMALL.right, SMALL.real, strict=True):
        np.testing.assert_array_equal(words[real][1:], right[real][:-1])
        assert right[real][-1] == 0
        assert (right[real][:-1] > 0).all()
        assert (words[~real] == 0).all()


def test_every_way_trains():
    batches = {np.float64: [SMALL]}
    for name, (step, _) in lstm.ways(batches, V, D, H).items():
        losses = [step(SMALL) for _ in range(30)]
        assert losses[-1] < losses[0], name


def test_a_step_by_sentences_leaves_the_weights_that_a_step_by_batches_leaves():
    (slow, _), (fast, _), _ = lstm.ways({np.float64: [SMALL]}, V, D, H).values()
    assert [slow(SMALL) for _ in range(3)] == pytest.approx([fast(SMALL) for _ in range(3)])


def test_speeds_are_compared_round_by_round_with_float64_and_with_the_same_dtype():
    speeds = {
        "one sentence at a time, float64": [1.0, 2.0, 4.0],
        "one sentence at a time, float32": [2.0, 2.0, 2.0],
        "batched, float64": [10.0, 10.0, 10.0],
        "batched, float32": [20.0, 20.0, 20.0],
    }
    found = lstm.compared(speeds)
    assert found == {
        "batched, float64 / one sentence at a time, float64": 5.0,
        "batched, float64 / one sentence at a time, float64, least and most": [2.5, 10.0],
        "batched, float32 / one sentence at a time, float64": 10.0,
        "batched, float32 / one sentence at a time, float64, least and most": [5.0, 20.0],
        "batched, float32 / one sentence at a time, float32": 10.0,
        "batched, float32 / one sentence at a time, float32, least and most": [10.0, 10.0],
    }
