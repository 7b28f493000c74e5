import itertools

import pytest
from hypothesis import given
from metric_cases import CASES, CORPORA, HUNDRED, THOUSAND, agrees, reference_scores

from cs_caption.metrics import rouge_l


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_stored_cases_come_out_as_pycocoevalcap_has_them(case):
    score = rouge_l(case["candidates"], case["references"])
    agrees(score, case["corpus"]["ROUGE_L"], case["per_item"]["ROUGE_L"])


def agrees_with_pycocoevalcap(corpus):
    agrees(rouge_l(*corpus), *reference_scores("rouge.rouge", "Rouge", *corpus))


@HUNDRED
@given(CORPORA)
def test_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    agrees_with_pycocoevalcap(corpus)


@pytest.mark.full
@THOUSAND
@given(CORPORA)
def test_a_thousand_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    agrees_with_pycocoevalcap(corpus)


def f_measure(precision: float, recall: float) -> float:
    return (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


def test_the_longest_common_subsequence_is_the_longest_of_all_subsequences():
    candidate, reference = "a b c a b d a", "b d c a a b a c"
    words = candidate.split()
    subsequences = {
        part for n in range(len(words) + 1) for part in itertools.combinations(words, n)
    }
    theirs = reference.split()
    common = max(
        len(part) for part in subsequences if part in set(itertools.combinations(theirs, len(part)))
    )
    assert rouge_l([candidate], [[reference]]).corpus == pytest.approx(
        f_measure(common / 7, common / 8), abs=1e-12
    )


def test_precision_and_recall_may_come_from_different_references():
    assert rouge_l(["a b c"], [["a b c d e f g h i j", "a"]]).corpus == pytest.approx(1)


def test_a_caption_of_hundreds_of_words_is_scored_as_a_short_one_is():
    long = " ".join(f"w{i}" for i in range(300))
    assert rouge_l([long], [[f"x {long} y"]]).corpus == pytest.approx(f_measure(1, 300 / 302))


def test_an_empty_word_stands_between_two_blanks():
    assert rouge_l(["a  dog"], [["a dog"]]).corpus == pytest.approx(f_measure(2 / 3, 1))


def test_captions_without_a_word_are_one_empty_word_each():
    assert rouge_l([""], [["a dog"]]).corpus == 0
    assert rouge_l(["a dog"], [[""]]).corpus == 0
    assert rouge_l([""], [[""]]).corpus == 1


def test_a_line_separator_or_carriage_return_is_a_part_of_its_word_and_shifts_nothing():
    for strange in ("\u2028", "\r", "\n"):
        score = rouge_l([f"a{strange}red dog", "two cats"], [["a red dog"], ["two cats"]])
        assert score.per_item[0] == pytest.approx(f_measure(1 / 2, 1 / 3))
        assert score.per_item[1] == 1


def test_uneven_numbers_of_references_are_scored_item_by_item():
    score = rouge_l(["a dog runs", "two cats"], [["a dog"], ["cats", "two cats", "two"]])
    assert score.per_item[0] == pytest.approx(f_measure(2 / 3, 1))
    assert score.per_item[1] == 1
    assert score.corpus == pytest.approx(score.per_item.mean())
