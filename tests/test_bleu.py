import numpy as np
import pytest
from hypothesis import given, settings
from metric_cases import CASES, CORPORA, reference_scores

from cs_caption.metrics import bleu, ngrams
from cs_caption.metrics.bleu import bleu_from_rows, bleu_rows

NAMES = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_stored_cases_come_out_as_pycocoevalcap_has_them(case):
    score = bleu(case["candidates"], case["references"])
    for name, order in zip(NAMES, score.by_order, strict=True):
        assert order.corpus == pytest.approx(case["corpus"][name], rel=0, abs=1e-9)
        np.testing.assert_allclose(order.per_item, case["per_item"][name], rtol=0, atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(CORPORA)
def test_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    score = bleu(*corpus)
    figures, items = reference_scores("bleu.bleu", "Bleu", *corpus)
    for order, figure, per_item in zip(score.by_order, figures, items, strict=True):
        assert order.corpus == pytest.approx(figure, rel=0, abs=1e-9)
        np.testing.assert_allclose(order.per_item, per_item, rtol=0, atol=1e-9)


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
    strange = (
        ["a\u2028red dog", " two\rcats\tsit "],
        [["a dog\u2028", "a  red dog"], ["two cats"]],
    )
    np.testing.assert_array_equal(bleu(*plain).per_item, bleu(*strange).per_item)


def test_rows_of_counts_may_be_summed_into_the_figure_of_the_corpus():
    corpus = (["a dog", "a cat sat on a mat"], [["a dog runs"], ["the cat sat on the mat"]])
    assert bleu_from_rows(bleu_rows(*corpus).sum(0))[-1] == bleu(*corpus).corpus


def test_n_grams_that_outgrow_an_integer_are_numbered_anew(monkeypatch):
    code, caption = np.array([2**61, 7, 2**61 + 1, 7]), np.array([0, 1, 2, 3])
    key = ngrams._with_caption(code, caption, captions=4)
    np.testing.assert_array_equal(np.argsort(key), np.lexsort((caption, code)))
    case = next(case for case in CASES if case["name"] == "corpus_50_synthetic")
    expected = bleu(case["candidates"], case["references"])
    monkeypatch.setattr(ngrams, "_LARGEST", 1000)
    again = bleu(case["candidates"], case["references"])
    np.testing.assert_array_equal(again.per_item, expected.per_item)
