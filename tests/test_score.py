import numpy as np
import pytest

from cs_caption.metrics import Score, bleu, cider, cider_d, meteor, rouge_l
from cs_caption.metrics.score import check_captions, check_references

METRICS = pytest.mark.parametrize("metric", [bleu, rouge_l, meteor, cider, cider_d])

WRONG = {
    "a bare string for the candidates": ("a dog", [["a dog"]], TypeError, "candidates is a bare"),
    "a bare string for the references": (["a"], "a dog", TypeError, "references is a bare"),
    "a bare string for one item": (["a"] * 2, [["a"], "b"], TypeError, r"references\[1\] is a ba"),
    "None for the candidates": (None, [["a"]], TypeError, "candidates is None"),
    "None for one item": (["a"], [None], TypeError, r"references\[0\] is None"),
    "a candidate of words": (["a", ["a", "dog"]], [["a"]] * 2, TypeError, r"candidates\[1\].*list"),
    "a candidate of bytes": ([b"a"], [["a"]], TypeError, r"candidates\[0\].*bytes"),
    "a reference that is a number": (["a"], [["a", 7]], TypeError, r"references\[0\]\[1\].*int"),
    "an item without a reference": (["a"] * 2, [["a"], []], ValueError, r"references\[1\] is emp"),
    "fewer references than candidates": (["a", "b"], [["a"]], ValueError, "2 candidates.*1 items"),
    "nothing to score": ([], [], ValueError, "candidates is empty"),
}  # fmt: skip


@METRICS
@pytest.mark.parametrize("case", WRONG)
def test_input_that_cannot_be_meant_is_refused_in_words(metric, case):
    candidates, references, error, words = WRONG[case]
    with pytest.raises(error, match=words):
        metric(candidates, references)


@METRICS
def test_tuples_arrays_and_generators_are_as_good_as_lists(metric):
    candidates, references = ["a red dog runs", "two cats"], [["a dog runs"], ["two cats sit"]]
    expected = metric(candidates, references).per_item
    same = metric(np.array(candidates), tuple(tuple(captions) for captions in references))
    np.testing.assert_array_equal(same.per_item, expected)
    lazy = metric((c for c in candidates), [(r for r in captions) for captions in references])
    np.testing.assert_array_equal(lazy.per_item, expected)


@METRICS
def test_scoring_leaves_its_arguments_alone(metric):
    candidates, references = ["a dog"], [["a dog", "the dog"]]
    metric(candidates, references)
    assert (candidates, references) == (["a dog"], [["a dog", "the dog"]])


def test_checked_references_are_copies():
    references = [["a dog"]]
    check_references(references)[0].append("more")
    assert check_captions(["x"], references)[1] == [["a dog"]]


def test_a_score_shows_its_figure_and_not_a_thousand_numbers():
    assert repr(Score(0.25, np.zeros(1000))) == "Score(corpus=0.2500, 1000 items)"
