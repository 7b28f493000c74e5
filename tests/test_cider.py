import json
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from metric_cases import CASES, CORPORA, reference_scores

from cs_caption.metrics import DocumentFrequency, cider_d

SCORED = [case for case in CASES if "CIDEr_coco" in case["corpus"]]
EMPTY = [case for case in CASES if "CIDEr_coco" not in case["corpus"]]
MANY = next(case for case in CASES if case["name"] == "corpus_50_synthetic")


@pytest.mark.parametrize("case", SCORED, ids=lambda case: case["name"])
def test_stored_cases_come_out_as_pycocoevalcap_has_them(case):
    score = cider_d(case["candidates"], case["references"])
    assert score.corpus == pytest.approx(case["corpus"]["CIDEr_coco"], rel=0, abs=1e-9)
    np.testing.assert_allclose(score.per_item, case["per_item"]["CIDEr_coco"], rtol=0, atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(CORPORA)
def test_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    score = cider_d(*corpus)
    if not any(caption.split() for caption in chain.from_iterable(corpus[1])):
        assert not score.per_item.any()  # there the reference code fails
        return
    figure, per_item = reference_scores("cider.cider", "Cider", *corpus)
    assert score.corpus == pytest.approx(figure, rel=0, abs=1e-9)
    np.testing.assert_allclose(score.per_item, per_item, rtol=0, atol=1e-9)


@pytest.mark.parametrize("case", EMPTY, ids=lambda case: case["name"])
def test_references_without_a_word_score_zero_where_the_reference_code_fails(case):
    score = cider_d(case["candidates"], case["references"])
    assert score.corpus == 0
    np.testing.assert_array_equal(score.per_item, [0])


def test_one_picture_by_itself_scores_zero():
    assert cider_d(["a dog runs"], [["a dog runs"]]).corpus == 0


def test_prepared_frequencies_score_each_picture_as_its_whole_corpus_does():
    df = DocumentFrequency.of(MANY["references"])
    assert df.pictures == 50
    expected = cider_d(MANY["candidates"], MANY["references"]).per_item
    for i in (0, 7, 49):
        alone = cider_d(MANY["candidates"][i : i + 1], MANY["references"][i : i + 1], df)
        assert alone.corpus == pytest.approx(expected[i], rel=0, abs=1e-12)
    assert expected[[0, 7, 49]].min() > 0.1


def test_a_frequency_counts_pictures_and_not_captions():
    df = DocumentFrequency.of([["a dog", "a dog a dog"], ["a cat"]])
    assert df.counts["a"] == 2
    assert df.counts["a dog"] == df.counts["a dog a dog"] == 1
    assert "dog a dog a" not in df.counts


def test_frequencies_come_back_from_a_file_as_they_were(tmp_path):
    df = DocumentFrequency.of([["a café", "cafe\u0301 a"], ["a 北京 dog"]])
    df.save(tmp_path / "df.json")
    again = DocumentFrequency.load(tmp_path / "df.json")
    assert (again.pictures, again.counts) == (df.pictures, df.counts)
    assert repr(again) == "DocumentFrequency(10 n-grams of 2 pictures)"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "no json",
        lambda text: "[]",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("document", "other"),
        lambda text: json.dumps(json.loads(text) | {"pictures": 0}),
        lambda text: json.dumps(json.loads(text) | {"counts": {"a": 3}}),
        lambda text: json.dumps(json.loads(text) | {"counts": {"a": 1.5}}),
        lambda text: json.dumps(json.loads(text) | {"counts": ["a"]}),
    ],
)
def test_a_file_that_holds_no_frequencies_is_refused(tmp_path, damage):
    path = tmp_path / "df.json"
    DocumentFrequency.of([["a dog"], ["a"]]).save(path)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match=r"df\.json holds no document frequencies"):
        DocumentFrequency.load(path)


def test_frequencies_of_nothing_and_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="no corpus"):
        DocumentFrequency.of([])
    with pytest.raises(ValueError, match=r"references\[0\] is empty"):
        DocumentFrequency.of([[]])
    with pytest.raises(TypeError, match="df is"):
        cider_d(["a"], [["a"]], df={"a": 1})
