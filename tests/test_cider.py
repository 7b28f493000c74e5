import json
import math
from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from metric_cases import CASES, CORPORA, HUNDRED, THOUSAND, agrees, reference_scores

from cs_caption.metrics import DocumentFrequency, cider, cider_d

SCORED = [case for case in CASES if "CIDEr_coco" in case["corpus"]]
EMPTY = [case for case in CASES if "CIDEr_coco" not in case["corpus"]]
MANY = next(case for case in CASES if case["name"] == "corpus_50_synthetic")


@pytest.mark.parametrize("case", SCORED, ids=lambda case: case["name"])
def test_stored_cases_come_out_as_pycocoevalcap_has_them(case):
    score = cider_d(case["candidates"], case["references"])
    agrees(score, case["corpus"]["CIDEr_coco"], case["per_item"]["CIDEr_coco"])


@pytest.mark.parametrize("case", SCORED, ids=lambda case: case["name"])
def test_plain_cider_comes_out_as_its_first_code_has_it(case):
    score = cider(case["candidates"], case["references"])
    agrees(score, case["corpus"]["CIDEr_vrama91"], case["per_item"]["CIDEr_vrama91"])


def agrees_with_pycocoevalcap(corpus):
    score = cider_d(*corpus)
    if not any(caption.split() for caption in chain.from_iterable(corpus[1])):
        assert not score.per_item.any()  # there the reference code fails
        return
    agrees(score, *reference_scores("cider.cider", "Cider", *corpus))


@HUNDRED
@given(CORPORA)
def test_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    agrees_with_pycocoevalcap(corpus)


@pytest.mark.full
@THOUSAND
@given(CORPORA)
def test_a_thousand_random_corpora_come_out_as_pycocoevalcap_has_them(corpus):
    agrees_with_pycocoevalcap(corpus)


def counts_of(caption: str) -> Counter:
    words = caption.split()
    starts = ((i, n) for n in (1, 2, 3, 4) for i in range(len(words) - n + 1))
    return Counter(tuple(words[i : i + n]) for i, n in starts)


def plain_by_the_paper(candidates, references) -> list[float]:
    """Equations 1-3 of Vedantam et al. 2015, caption by caption."""
    pictures = Counter()
    for captions in references:
        pictures.update(set().union(*map(counts_of, captions)))

    def vector(caption: str, n: int) -> dict:
        counts = {gram: c for gram, c in counts_of(caption).items() if len(gram) == n}
        return {g: c * math.log(len(references) / max(1, pictures[g])) for g, c in counts.items()}

    def cosine(a: dict, b: dict) -> float:
        lengths = math.hypot(*a.values()) * math.hypot(*b.values())
        return sum(a[gram] * b[gram] for gram in a.keys() & b.keys()) / lengths if lengths else 0

    return [
        10 * np.mean([cosine(vector(c, n), vector(r, n)) for r in captions for n in (1, 2, 3, 4)])
        for c, captions in zip(candidates, references, strict=True)
    ]


@HUNDRED
@given(CORPORA)
def test_plain_cider_of_random_corpora_is_what_the_paper_writes(corpus):
    per_item = plain_by_the_paper(*corpus)
    agrees(cider(*corpus), np.mean(per_item), per_item)


def test_repeating_words_pays_in_plain_cider_and_not_in_cider_d():
    references = [["a red dog runs"], ["two cats sit"], ["a bird"]]
    said, gamed = (["red dog", "x", "x"], ["red dog red dog red dog red dog red dog", "x", "x"])
    lost = [metric(said, references).corpus - metric(gamed, references).corpus
            for metric in (cider, cider_d)]  # fmt: skip
    assert lost[1] > 3 * lost[0]


@pytest.mark.parametrize("case", EMPTY, ids=lambda case: case["name"])
@pytest.mark.parametrize("metric", [cider, cider_d])
def test_references_without_a_word_score_zero_where_the_reference_code_fails(metric, case):
    score = metric(case["candidates"], case["references"])
    assert score.corpus == 0
    np.testing.assert_array_equal(score.per_item, [0])


@pytest.mark.parametrize("metric", [cider, cider_d])
def test_an_empty_candidate_and_an_empty_reference_score_nothing(metric):
    candidates, references = ["", "two cats", "a bird"], [["a dog"], [""], ["a bird", ""]]
    score = metric(candidates, references)
    np.testing.assert_array_equal(score.per_item[:2], [0, 0])
    full = metric(candidates, [["a dog"], [""], ["a bird"]])
    assert full.per_item[2] > 0
    assert score.per_item[2] == pytest.approx(full.per_item[2] / 2)


@pytest.mark.parametrize("metric", [cider, cider_d])
def test_captions_too_short_for_an_order_score_nothing_in_it(metric):
    score = metric(["dog", "two cats"], [["dog"], ["two cats"]])
    np.testing.assert_allclose(score.per_item, [10 / 4, 20 / 4])


@pytest.mark.parametrize("metric", [cider, cider_d])
def test_uneven_numbers_of_references_are_averaged_picture_by_picture(metric):
    df = DocumentFrequency.of(MANY["references"])
    several = MANY["references"][0]
    candidate = MANY["candidates"][0]
    alone = [metric([candidate], [[one]], df).corpus for one in several]
    score = metric([candidate] * 2, [several, several[:1]], df)
    np.testing.assert_allclose(score.per_item, [np.mean(alone), alone[0]])


@pytest.mark.parametrize("metric", [cider, cider_d])
def test_any_white_space_parts_words_and_a_line_separator_shifts_nothing(metric):
    plain = (["a red dog", "two cats sit"], [["a dog", "a red dog"], ["two cats"]])
    expected = metric(*plain).per_item
    assert expected.min() > 0
    for blank in ("\u2028", "\x85", "\r", "\r\n", "\n", "\t"):
        strange = (
            [f"a{blank}red dog", f" two{blank}cats sit{blank}"],
            [[f"a dog{blank}", f"a {blank}red dog"], ["two cats"]],
        )
        np.testing.assert_array_equal(metric(*strange).per_item, expected)


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
