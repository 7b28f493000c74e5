import numpy as np
import pytest
from hypothesis import given
from metric_cases import CASES, CORPORA, HUNDRED, THOUSAND, agrees, reference_scores

from cs_caption.metrics import bleu
from cs_caption.metrics.bleu import bleu_from_rows, bleu_rows

NAMES = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_stored_cases_come_out_as_pycocoevalcap_has_them(case):
    score = bleu(case["candidates"], case["references"])
    for name, order in zip(NAMES, score.by_order, strict=True):
        agrees(order, case["corpus"][name], case["per_item"][name])


def agrees_with_pycocoevalcap(corpus):
    figures, items = reference_scores("bleu.bleu", "Bleu", *corpus)
    for order, figure, per_item in zip(bleu(*corpus).by_order, figures, items, strict=True):
        agrees(order, figure, per_item)


@HUNDRED
@given(CORPORA)
def test_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    agrees_with_pycocoevalcap(corpus)


@pytest.mark.full
@THOUSAND
@given(CORPORA)
def test_a_thousand_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    agrees_with_pycocoevalcap(corpus)


def test_seven_times_the_matches_two_of_seven():
    references = [["the cat is on the mat", "there is a cat on the mat"]]
    assert bleu(["the " * 7], references, max_n=1).corpus == pytest.approx(2 / 7, abs=1e-9)


def test_a_tie_of_lengths_goes_to_the_shorter_reference_whatever_their_order():
    for references in (["a b c d", "a b c d e f g h"], ["a b c d e f g h", "a b c d"]):
        assert bleu_rows(["a b c d e f"], [references])[0, -1] == 4


def test_max_n_chooses_the_order_that_is_returned():
    corpus = (["a dog runs fast", "two cats"], [["a dog runs"], ["two cats sit", "cats"]])
    full = bleu(*corpus)
    for n in (1, 2, 3, 4):
        score = bleu(*corpus, max_n=n)
        assert len(score.by_order) == n
        assert score.corpus == score.by_order[-1].corpus == full.by_order[n - 1].corpus
    assert len(bleu(*corpus, max_n=6).by_order) == 6


@pytest.mark.parametrize("max_n", [0, -1, 2.0, "4", None, True])
def test_a_max_n_that_is_no_order_is_refused(max_n):
    with pytest.raises(ValueError, match="max_n is"):
        bleu(["a"], [["a"]], max_n=max_n)


def test_any_white_space_parts_words_and_a_line_separator_shifts_nothing():
    plain = (["a red dog", "two cats sit"], [["a dog", "a red dog"], ["two cats"]])
    for blank in ("\u2028", "\u2029", "\x85", "\r", "\r\n", "\n", "\t", "\u3000"):
        strange = (
            [f"a{blank}red dog", f" two{blank}cats sit{blank}"],
            [[f"a dog{blank}", f"a {blank}red dog"], ["two cats"]],
        )
        np.testing.assert_array_equal(bleu(*plain).per_item, bleu(*strange).per_item)


def test_an_empty_candidate_scores_nothing_and_shortens_the_corpus():
    score = bleu(["", "a red dog runs"], [["a dog"], ["a red dog runs"]])
    np.testing.assert_allclose(score.per_item, [0, 1], atol=1e-5)
    assert score.corpus == pytest.approx(np.exp(1 - 6 / 4), abs=1e-5)


def test_an_empty_reference_is_the_closest_one_of_an_empty_candidate_only():
    assert bleu_rows([""], [["a dog", ""]])[0, -1] == 0
    assert bleu_rows(["a dog runs"], [["", "a dog"]])[0, -1] == 2


def test_uneven_numbers_of_references_are_scored_item_by_item():
    candidates = ["a dog runs", "two cats sit"]
    references = [["a dog"], ["two cats", "cats sit", "two sit", "sit"]]
    alone = [bleu_rows([c], [r])[0] for c, r in zip(candidates, references, strict=True)]
    np.testing.assert_array_equal(bleu_rows(candidates, references), alone)


def test_captions_too_short_for_an_order_score_next_to_nothing_in_it():
    score = bleu(["a dog", "cats"], [["a dog"], ["cats"]])
    assert score.by_order[1].corpus == pytest.approx(1, abs=1e-6)
    assert 0 < score.by_order[2].corpus < 1e-1
    assert bleu_rows(["a dog", "cats"], [["a dog"], ["cats"]])[:, 2:4].sum() == 0


def test_rows_of_counts_may_be_summed_into_the_figure_of_the_corpus():
    corpus = (["a dog", "a cat sat on a mat"], [["a dog runs"], ["the cat sat on the mat"]])
    assert bleu_from_rows(bleu_rows(*corpus).sum(0))[-1] == bleu(*corpus).corpus
