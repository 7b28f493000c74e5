import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_cases import CASES, CORPORA, HUNDRED

from cs_caption.metrics import (
    DocumentFrequency,
    References,
    bleu,
    cider,
    cider_d,
    prepare,
    prepared,
    rouge_l,
)
from cs_caption.metrics.bleu import bleu_rows
from cs_caption.metrics.prepared import ranges

METRICS = pytest.mark.parametrize("metric", [bleu, rouge_l, cider, cider_d])
CANDIDATES = ["a red dog runs", "a zebra a zebra", "two cats", ""]
REFERENCES = [["a dog runs", "a red dog"], ["two cats sit on a mat"], ["a bird", "", "red"]]
ITEMS = [0, 2, 1, 0]


def assert_same(score, expected):
    assert score.corpus == expected.corpus
    np.testing.assert_array_equal(score.per_item, expected.per_item)


@METRICS
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_prepared_references_score_as_their_lists_do(metric, case):
    ready = prepare(case["references"])
    expected = metric(case["candidates"], case["references"])
    assert_same(metric(case["candidates"], ready), expected)
    metric(case["candidates"][::-1], ready)
    assert_same(metric(case["candidates"], ready), expected)


@HUNDRED
@given(CORPORA, st.data())
def test_items_say_whose_references_a_candidate_has(corpus, data):
    candidates, references = corpus
    items = data.draw(
        st.lists(
            st.integers(0, len(references) - 1),
            min_size=len(candidates),
            max_size=len(candidates),
        )
    )
    ready, theirs = prepare(references), [references[item] for item in items]
    assert_same(bleu(candidates, ready, items=items), bleu(candidates, theirs))
    assert_same(rouge_l(candidates, ready, items=items), rouge_l(candidates, theirs))
    df = DocumentFrequency.of(references)
    for metric in (cider, cider_d):
        score = metric(candidates, ready, items=items)
        expected = metric(candidates, theirs, df)
        np.testing.assert_allclose(score.per_item, expected.per_item, rtol=0, atol=1e-12)
        assert score.corpus == pytest.approx(expected.corpus, abs=1e-12)


@METRICS
def test_items_may_be_an_array_of_any_whole_numbers_and_go_with_lists_too(metric):
    expected = metric(CANDIDATES, prepare(REFERENCES), items=ITEMS)
    assert len(expected.per_item) == 4
    for items in (np.array(ITEMS, np.uint8), np.array(ITEMS, np.int32), tuple(ITEMS)):
        assert_same(metric(CANDIDATES, REFERENCES, items=items), expected)


def test_rows_of_bleu_follow_the_items():
    rows = bleu_rows(CANDIDATES, prepare(REFERENCES), items=ITEMS)
    alone = [
        bleu_rows([c], [REFERENCES[item]])[0] for c, item in zip(CANDIDATES, ITEMS, strict=True)
    ]
    np.testing.assert_array_equal(rows, alone)


@pytest.mark.parametrize("metric", [cider, cider_d])
def test_pictures_that_no_candidate_is_of_still_count_in_the_weights(metric):
    all_of_them = metric(REFERENCES[0], prepare(REFERENCES), items=[0, 0])
    assert all_of_them.per_item.min() > 0
    assert metric(REFERENCES[0], prepare(REFERENCES[:1]), items=[0, 0]).corpus == 0


@pytest.mark.parametrize("metric", [cider, cider_d])
def test_a_document_frequency_given_to_prepare_is_the_one_given_to_the_metric(metric):
    df = DocumentFrequency.of([["a dog runs"], ["a zebra"], ["a zebra a bird"], ["two mats"]])
    candidates = CANDIDATES[:3]
    score = metric(candidates, prepare(REFERENCES, df))
    assert_same(score, metric(candidates, REFERENCES, df))
    assert (score.per_item != metric(candidates, REFERENCES).per_item).any()
    # "zebra" is in no reference here, but common in df: saying it costs less than "quagga" does.
    rare = metric(["a dog quagga", *candidates[1:]], prepare(REFERENCES, df)).per_item[0]
    assert metric(["a dog zebra", *candidates[1:]], prepare(REFERENCES, df)).per_item[0] > rare


def test_references_are_read_once(monkeypatch):
    read = []
    original = prepared.read_words
    monkeypatch.setattr(
        prepared, "read_words", lambda captions: [read.extend(captions), original(captions)][1]
    )
    ready = prepare(REFERENCES)
    for metric in (bleu, cider_d, cider, bleu):
        metric(CANDIDATES[:3], ready)
    assert sum(caption == "a dog runs" for caption in read) == 1
    assert sum(caption == "two cats" for caption in read) == 4


def test_what_is_prepared_is_a_copy_that_says_what_it_holds():
    references = [["a dog"], ["a cat", "the cat"]]
    ready = prepare(references)
    references[0].append("more")
    assert repr(ready) == "References(3 captions of 2 pictures)"
    assert (len(ready), ready.captions) == (2, [["a dog"], ["a cat", "the cat"]])
    assert isinstance(ready, References)
    assert prepare(ready) is ready


WRONG_ITEMS = {
    "fractions": ([0.0, 1.0], TypeError, "items is .*whole number"),
    "truth values": ([True, False], TypeError, "items is .*whole number"),
    "too few": ([0], ValueError, r"items has shape \(1,\); expected \(2,\)"),
    "a table": ([[0], [1]], ValueError, r"items has shape \(2, 1\)"),
    "a negative number": ([0, -1], ValueError, r"items\[1\] is -1; expected 0 to 2"),
    "a picture that is not there": ([3, 0], ValueError, r"items\[0\] is 3; .*3 pictures"),
}


@METRICS
@pytest.mark.parametrize("case", WRONG_ITEMS)
def test_items_that_name_no_picture_for_each_candidate_are_refused(metric, case):
    items, error, words = WRONG_ITEMS[case]
    with pytest.raises(error, match=words):
        metric(CANDIDATES[:2], prepare(REFERENCES), items=items)


@METRICS
def test_more_candidates_than_pictures_need_items(metric):
    with pytest.raises(ValueError, match=r"4 candidates.*3 items.*say how with items"):
        metric(CANDIDATES, prepare(REFERENCES))


def test_what_cannot_be_prepared_is_refused_in_words():
    with pytest.raises(ValueError, match="references is empty"):
        prepare([])
    with pytest.raises(ValueError, match=r"references\[1\] is empty"):
        prepare([["a"], []])
    with pytest.raises(TypeError, match="references is a bare string"):
        prepare("a dog")
    with pytest.raises(TypeError, match="df is"):
        prepare([["a"]], df={"a": 1})
    with pytest.raises(ValueError, match="df comes too late"):
        cider_d(["a"], prepare([["a"]]), DocumentFrequency.of([["a"]]))


def test_ranges_are_counted_one_after_the_other():
    np.testing.assert_array_equal(
        ranges(np.array([5, 0, 9]), np.array([2, 0, 3])), [5, 6, 9, 10, 11]
    )
    assert ranges(np.zeros(0, int), np.zeros(0, int)).shape == (0,)
