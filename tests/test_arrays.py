"""The captioner's step on arrays: what it says is what the captioner says."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.data import Scenes, Vocabulary  # noqa: E402
from cs_caption.decoding import beam_search  # noqa: E402
from cs_caption.models.arrays import array_step  # noqa: E402
from cs_caption.pipeline import new_captioner  # noqa: E402

SHAPES = [
    {"attention": True},
    {"attention": False},
    {"attention": False, "cell": "gru", "inject": "par"},
    {"attention": False, "cell": "rnn", "inject": "pre"},
]


@pytest.fixture(scope="module")
def scenes():
    return Scenes("val", n=4)


def a_captioner(scenes, **shape):
    return new_captioner(Vocabulary.build(scenes.captions), seed=1, **shape).eval()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape.values())))
def test_a_walk_with_arrays_gives_the_captioners_own_log_probabilities(scenes, shape):
    model = a_captioner(scenes, **shape)
    ((best, *_),) = beam_search(model.step, model.start(scenes.images[:1]), beam=3, max_len=7)
    step, state = array_step(model, scenes.images[0])
    last, gains = 1, []
    for token in best.tokens:
        log_probs, state = step(np.array([last]), state)
        gains.append(log_probs[0, token])
        last = token
    assert gains == pytest.approx(best.log_probs, abs=1e-5)
    assert log_probs.dtype == state.dtype == np.float64


def test_rows_are_taken_and_repeated_like_those_of_any_array(scenes):
    model = a_captioner(scenes)
    step, state = array_step(model, scenes.images[0])
    one, after = step(np.array([5]), state)
    three, afters = step(np.array([5, 6, 5]), state[[0, 0, 0]])
    np.testing.assert_allclose(three[[0, 2]], one[[0, 0]], rtol=1e-5)
    assert np.abs(three[1, 4:] - three[0, 4:]).max() > 1e-3
    again, _ = step(np.array([7]), after)
    moved, _ = step(np.array([7]), afters[[2]])
    np.testing.assert_allclose(moved, again, rtol=1e-5)


def test_a_state_is_not_changed_and_may_be_read_only(scenes):
    step, state = array_step(a_captioner(scenes), scenes.images[0])
    before = state.copy()
    state.flags.writeable = False
    step(np.array([1]), state)
    np.testing.assert_array_equal(state, before)


def test_words_that_are_never_said_are_impossible(scenes):
    step, state = array_step(a_captioner(scenes), scenes.images[0])
    log_probs, _ = step(np.array([1]), state)
    assert np.isneginf(log_probs[0, [0, 1, 3]]).all()
    assert np.exp(log_probs[0, 2:]).sum() == pytest.approx(1, abs=0.2)


def test_what_is_no_picture_or_no_state_is_refused_in_words(scenes):
    model = a_captioner(scenes)
    with pytest.raises(ValueError, match="one picture"):
        array_step(model, scenes.images)
    step, state = array_step(model, scenes.images[0])
    with pytest.raises(ValueError, match="as many rows"):
        step(np.array([1, 1]), state)
    with pytest.raises(ValueError, match="expected"):
        step(np.array([1]), state[:, :3])
