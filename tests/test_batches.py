from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from cs_caption.batches import batches_in_order, encode_examples, training_batches
from cs_caption.data import CaptionedImages, Vocabulary

N = 12


def captioned(n=N) -> CaptionedImages:
    """Pictures that carry their own number, each with two or three captions that do too."""
    images = np.tile(np.arange(n, dtype=np.uint8)[:, None, None, None], (1, 8, 8, 3))
    captions = [[f"it is {i}", f"{i}", f"all of {i} here"][: 2 + i % 2] for i in range(n)]
    return CaptionedImages(images, captions)


DATA = captioned()
WORDS = Vocabulary.build(DATA.captions)
EXAMPLES = encode_examples(DATA, WORDS)
SETTINGS = {"batch": 5, "captions": 2, "seed": 3}


def numbers(batch) -> list[int]:
    return batch.images[:, 0, 0, 0].tolist()


def same(one, other) -> bool:
    return all(np.array_equal(here, there) for here, there in zip(one, other, strict=True))


def test_an_epoch_shows_every_picture_once_and_the_next_in_another_order():
    stream = training_batches(EXAMPLES, batch=4, captions=1, seed=0)
    shown = [number for batch in islice(stream, 6) for number in numbers(batch)]
    assert sorted(shown[:N]) == sorted(shown[N:]) == list(range(N))
    assert shown[:N] != shown[N:]


@pytest.mark.parametrize("batch", [5, 12, 30])
def test_what_a_step_holds_depends_on_seed_and_step_alone(batch):
    settings = {**SETTINGS, "batch": batch}
    steps = list(islice(training_batches(EXAMPLES, **settings), 7))
    for step in (6, 1, 4):
        assert same(next(training_batches(EXAMPLES, **settings, step=step)), steps[step])
    assert not same(next(training_batches(EXAMPLES, **{**settings, "seed": 4})), steps[0])
    assert all(len(step.images) == batch for step in steps)


def test_epochs_run_on_across_the_border_of_a_batch():
    shown = [
        n for batch in islice(training_batches(EXAMPLES, **SETTINGS), 12) for n in numbers(batch)
    ]
    for epoch in range(5):
        assert sorted(shown[epoch * N : (epoch + 1) * N]) == list(range(N))


def test_each_caption_goes_with_its_own_picture():
    for batch in islice(training_batches(EXAMPLES, **SETTINGS), 20):
        for row, place in zip(batch.tokens, batch.of, strict=True):
            assert WORDS.decode(row) in DATA.captions[numbers(batch)[place]]


def test_a_picture_brings_as_many_different_captions_as_asked_or_all_that_it_has():
    batch = next(training_batches(EXAMPLES, batch=N, captions=3, seed=0))
    for place, number in enumerate(numbers(batch)):
        said = [WORDS.decode(row) for row in batch.tokens[batch.of == place]]
        assert sorted(said) == sorted(DATA.captions[number])
    batch = next(training_batches(EXAMPLES, batch=N, captions=2, seed=0))
    assert batch.of.tolist() == [place for place in range(N) for _ in range(2)]
    assert len({WORDS.decode(row) for row in batch.tokens}) == 2 * N


def test_every_caption_has_its_turn():
    stream = training_batches(EXAMPLES, batch=N, captions=1, seed=0)
    said = {WORDS.decode(row) for batch in islice(stream, 40) for row in batch.tokens}
    assert said == {caption for captions in DATA.captions for caption in captions}


def test_in_order_every_picture_comes_once_with_all_its_captions():
    batches = list(batches_in_order(EXAMPLES, 5))
    assert [number for batch in batches for number in numbers(batch)] == list(range(N))
    said = [WORDS.decode(row) for batch in batches for row in batch.tokens]
    assert said == [caption for captions in DATA.captions for caption in captions]
    owners = [numbers(batch)[place] for batch in batches for place in batch.of]
    assert owners == [i for i, captions in enumerate(DATA.captions) for _ in captions]


def test_batches_are_cut_to_their_longest_caption():
    data = CaptionedImages(DATA.images[:2], [["all"], ["it is all of 7"]])
    first, second = batches_in_order(encode_examples(data, WORDS), 1)
    assert first.tokens.shape == (1, 3)
    assert second.tokens.shape == (1, 7)


def test_pictures_stay_bytes_and_are_not_copied_when_encoded():
    assert EXAMPLES.images is DATA.images
    assert next(batches_in_order(EXAMPLES, 5)).images.dtype == np.uint8


def test_the_fingerprint_knows_other_captions_and_other_pictures():
    prints = {EXAMPLES.fingerprint(), encode_examples(captioned(), WORDS).fingerprint()}
    assert len(prints) == 1
    prints.add(replace(EXAMPLES, images=EXAMPLES.images + 1).fingerprint())
    prints.add(replace(EXAMPLES, tokens=EXAMPLES.tokens[::-1]).fingerprint())
    assert len(prints) == 3


def test_data_without_pictures_or_captions_or_with_an_endless_one_is_refused():
    with pytest.raises(ValueError, match="there are no pictures: data is empty"):
        encode_examples(CaptionedImages(DATA.images[:0], []), WORDS)
    data = CaptionedImages(DATA.images[:2], [["it"], ["is"]], ["a.png", "b.png"])
    object.__setattr__(data, "captions", [["it"], []])
    with pytest.raises(ValueError, match=r"picture 'b.png' has no caption"):
        encode_examples(data, WORDS)
    data = CaptionedImages(DATA.images[:2], [["it"], ["all of " * 5]])
    with pytest.raises(ValueError, match=r"has 12 tokens .* more than max_len=11.*'all of all of"):
        encode_examples(data, WORDS, max_len=11)
    assert encode_examples(data, WORDS, max_len=12).tokens.shape == (2, 12)
