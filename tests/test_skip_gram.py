"""Word vectors learnt from captions alone."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from cs_caption import skip_gram as module
from cs_caption.data import Vocabulary
from cs_caption.skip_gram import skip_gram

COLOURS, SHAPES = ("red", "green", "blue"), ("circle", "square", "star")


def captions(n=600):
    """Any colour before any shape, which comes after 'the' and before 'stands' in equal parts."""
    rng = np.random.RandomState(0)
    return [f"there stands the {rng.choice(COLOURS)} {rng.choice(SHAPES)} alone" for _ in range(n)]


CAPTIONS = captions()
VOCABULARY = Vocabulary.build(CAPTIONS)
SMALL = {"dim": 8, "window": 2, "negatives": 5, "report": None}


def cosine(matrix, one, other):
    a, b = (matrix[VOCABULARY.words.index(word)] for word in (one, other))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_words_that_stand_among_the_same_words_get_vectors_that_point_the_same_way():
    matrix = skip_gram(CAPTIONS, VOCABULARY, epochs=40, **SMALL)
    alike = [cosine(matrix, a, b) for kind in (COLOURS, SHAPES) for a in kind for b in kind]
    apart = [cosine(matrix, a, b) for a in COLOURS for b in SHAPES]
    assert min(alike) > max(apart) + 0.2


def test_the_scores_are_what_the_theory_says_the_best_ones_are():
    """ln P(context | word) / P(context), less ln k: Levy and Goldberg 2014, equation 11.

    Its sources of noise are those of Mikolov et al.: each word by its count to the power 3/4.
    """
    text = ["a b", "a b", "a c", "d c", "d c", "d b"] * 60
    vocabulary = Vocabulary.build(text)
    inner, outer = trained_tables(text, vocabulary, negatives=3, epochs=60)
    index = {word: vocabulary.words.index(word) for word in "abcd"}
    noise = np.zeros(len(vocabulary))
    noise[4:] = vocabulary.counts[4:] ** 0.75
    noise /= noise.sum()
    for word, context, share in (("a", "b", 2 / 3), ("a", "c", 1 / 3), ("d", "c", 2 / 3)):
        best = np.log(share / noise[index[context]]) - np.log(3)
        assert inner[index[word]] @ outer[index[context]] == pytest.approx(best, abs=0.25)


def trained_tables(text, vocabulary, **options):
    """The vectors of words as centres and as neighbours."""
    tables, beginning = [], module._beginning

    def kept(*args):
        tables[:] = beginning(*args)
        return tables

    module._beginning = kept
    try:
        skip_gram(text, vocabulary, dim=6, window=1, report=None, **options)
    finally:
        module._beginning = beginning
    return [table.detach().numpy() for table in tables]


def test_rows_of_words_that_do_not_occur_are_zero_and_the_special_ones_too():
    vocabulary = Vocabulary.build([*CAPTIONS, "an unseen word"])
    matrix = skip_gram(CAPTIONS, vocabulary, epochs=1, **SMALL)
    assert (matrix.shape, matrix.dtype) == ((len(vocabulary), 8), np.float32)
    learnt = {word for word, row in zip(vocabulary.words, matrix, strict=True) if row.any()}
    assert learnt == {word for caption in CAPTIONS for word in caption.split()}


def test_the_same_seed_gives_the_same_bits_another_one_does_not_and_torchs_own_state_stays():
    before = torch.get_rng_state()
    one, again, other = (
        skip_gram(CAPTIONS[:50], VOCABULARY, epochs=1, seed=seed, **SMALL) for seed in (3, 3, 4)
    )
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_captions_may_be_grouped_by_picture():
    grouped = [CAPTIONS[:20], CAPTIONS[20:50]]
    np.testing.assert_array_equal(
        skip_gram(grouped, VOCABULARY, epochs=1, **SMALL),
        skip_gram(CAPTIONS[:50], VOCABULARY, epochs=1, **SMALL),
    )


def test_pairs_are_the_neighbours_in_the_window_and_padding_has_none():
    rows = torch.tensor([[5, 6, 7, 0], [8, 9, 0, 0]])
    seen = set()
    for seed in range(40):
        centres, contexts = module._pairs(rows, 2, torch.Generator().manual_seed(seed))
        words = rows.flatten()[centres]
        seen |= set(zip(words.tolist(), contexts.tolist(), strict=True))
    near = {(5, 6), (6, 5), (6, 7), (7, 6), (8, 9), (9, 8)}
    assert seen == near | {(5, 7), (7, 5)}
    for seed in range(3):
        centres, contexts = module._pairs(rows, 1, torch.Generator().manual_seed(seed))
        found = zip(rows.flatten()[centres].tolist(), contexts.tolist(), strict=True)
        assert sorted(found) == sorted(near)


def test_it_says_how_far_it_is_and_ends_with_all_captions():
    lines = []
    skip_gram(CAPTIONS[:300], VOCABULARY, epochs=2, **SMALL | {"report": lines.append})
    assert "600 of 600 captions" in lines[-1]


@pytest.mark.parametrize("name", ["dim", "window", "negatives", "epochs"])
def test_settings_below_one_are_refused_by_name(name):
    with pytest.raises(ValueError, match=f"{name} is 0: expected a whole number of 1 or more"):
        skip_gram(CAPTIONS, VOCABULARY, **{name: 0})


def test_captions_without_pairs_and_one_string_for_all_are_refused():
    with pytest.raises(ValueError, match="two known words next to each other"):
        skip_gram(["circle", "something else"], VOCABULARY)
    with pytest.raises(TypeError, match="a list of strings"):
        skip_gram("red circle", VOCABULARY)
