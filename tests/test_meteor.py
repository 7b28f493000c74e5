import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_cases import CORPORA, HUNDRED
from reference_java import jar_meteor

from cs_caption.data import Scenes
from cs_caption.metrics import meteor, prepare
from cs_caption.metrics.meteor import meteor_from_rows, meteor_rows
from cs_caption.metrics.meteor_align import Pair, align, count_chunks
from cs_caption.metrics.meteor_words import FUNCTION_WORDS, normalise

_STORED = json.loads(
    (Path(__file__).parent / "data" / "meteor_cases.json").read_text(encoding="utf-8")
)
CASES = {f"{case['name']} {'+'.join(case['stages'])}": case for case in _STORED["cases"]}
GOES = [["goes", "went"]]
EMPTY = pytest.mark.parametrize(
    ("candidate", "reference"), [("", "a dog"), ("a dog", ""), ("", ""), (" \u2028\r", "a dog")]
)


def stored_score(case):
    stages = tuple(case["stages"])
    table = _STORED["synonyms"] if "synonym" in stages else None
    return meteor(case["candidates"], case["references"], stages, table)


@pytest.mark.parametrize("name", CASES)
def test_every_item_and_the_corpus_equal_the_jar(name):
    case, score = CASES[name], stored_score(CASES[name])
    np.testing.assert_allclose(score.per_item, case["per_item"], rtol=0, atol=1e-6)
    assert score.corpus == pytest.approx(case["corpus"], rel=0, abs=1e-6)


def test_the_jar_of_this_machine_agrees_on_captions_of_the_scenes():
    captions = [scene.captions for scene in Scenes("val", 60, level="rich")]
    candidates, others = [own[0] for own in captions], captions[1:] + captions[:1]
    references = [[*own[1:3], other[0]] for own, other in zip(captions, others, strict=True)]
    corpus, per_item = jar_meteor(candidates, references, ("exact", "stem"))
    score = meteor(candidates, references)
    np.testing.assert_allclose(score.per_item, per_item, rtol=0, atol=1e-6)
    assert score.corpus == pytest.approx(corpus, rel=0, abs=1e-6)


def test_the_figures_of_jim_and_joe_by_hand():
    # "home" is a content word matched; "goes" and "went" are no function words.
    joe, jim = ["joe goes home"], [["jim went home"]]
    one_of_three = 1 / 3 * (1 - 0.6)
    assert meteor(joe, jim).corpus == pytest.approx(one_of_three)
    weight = (1 + 0.8) / 3  # precision and recall are equal, and so is their mean
    two_in_one_chunk = weight * (1 - 0.6 * (1 / 2) ** 0.2)
    with_table = meteor(joe, jim, ("exact", "stem", "synonym"), GOES)
    assert with_table.corpus == pytest.approx(two_in_one_chunk)


def test_a_stem_is_worth_less_than_the_word_and_more_than_nothing():
    references = [["two horses stand"]]
    word, stem, other = (
        meteor([f"two {noun} stand"], references).corpus for noun in ("horses", "horse", "dogs")
    )
    assert 1.0 == word > stem > other > 0


def test_a_function_word_weighs_a_third_of_another():
    assert len(FUNCTION_WORDS) == 93
    (row,) = meteor_rows(["the dog"], [["the dog runs"]])
    assert row.tolist() == [1.0, 1.0, 1.0, 1.75, 2, 1]


def test_the_corpus_figure_comes_from_sums_in_which_a_perfect_caption_has_no_chunk():
    candidates, references = ["a dog runs", "cat a sits"], [["a dog runs"], ["a cat sits"]]
    rows = meteor_rows(candidates, references)
    assert rows[:, 5].tolist() == [0, 3]
    score = meteor(candidates, references)
    assert score.corpus == pytest.approx(float(meteor_from_rows(rows.sum(0))))
    assert score.corpus != pytest.approx(score.per_item.mean(), abs=1e-3)


@EMPTY
def test_without_a_word_on_either_side_the_score_is_nothing(candidate, reference):
    score = meteor([candidate, "a cat"], [[reference], ["a cat"]])
    assert score.per_item.tolist() == [0.0, 1.0]
    assert np.isfinite(score.corpus)
    assert meteor([candidate], [[reference]]).corpus == 0


def test_the_best_reference_counts_and_their_order_does_not():
    references = ["a cat", "a dog runs on a beach", "two dogs"]
    candidate = ["a dog runs on the beach"]
    best = max(meteor(candidate, [[one]]).corpus for one in references)
    assert meteor(candidate, [references]).corpus == best
    assert meteor(candidate, [references[::-1]]).corpus == best


@given(CORPORA)
@HUNDRED
def test_permuting_the_pictures_permutes_the_items_and_keeps_the_corpus(corpus):
    candidates, references = corpus
    score, turned = meteor(*corpus), meteor(candidates[::-1], references[::-1])
    np.testing.assert_allclose(turned.per_item, score.per_item[::-1])
    assert turned.corpus == pytest.approx(score.corpus)


@given(CORPORA)
@HUNDRED
def test_each_item_is_what_it_is_by_itself_and_lies_between_0_and_1(corpus):
    score = meteor(*corpus)
    alone = [meteor([c], [r]).corpus for c, r in zip(*corpus, strict=True)]
    np.testing.assert_allclose(score.per_item, alone)
    assert ((score.per_item >= 0) & (score.per_item <= 1)).all()


def test_prepared_references_and_items_give_the_same():
    references = [["a dog runs"], ["a cat sits", "the cat sat"]]
    candidates, items = ["the cat sits", "a dog", "cats"], [1, 0, 1]
    score = meteor(candidates, prepare(references), items=items)
    again = meteor(candidates, [references[i] for i in items])
    np.testing.assert_array_equal(score.per_item, again.per_item)
    assert score.corpus == again.corpus


def test_the_score_says_what_was_computed():
    names = {
        ("exact",): "METEOR-E(",
        ("exact", "stem"): "METEOR-ES(",
        ("exact", "stem", "synonym"): "METEOR-ES+synonyms(",
    }
    for stages, name in names.items():
        table = GOES if "synonym" in stages else None
        assert repr(meteor(["a"], [["a"]], stages, table)).startswith(name)


@pytest.mark.parametrize("stages", [(), "exact", ("stem",), ("stem", "exact"), ("exact",) * 2, "x"])
def test_stages_that_are_none_are_refused(stages):
    with pytest.raises(ValueError, match=r"stages is .*expected one of \('exact',\)"):
        meteor(["a"], [["a"]], stages)


@pytest.mark.parametrize(("stages", "table"), [(("exact", "synonym"), None), (("exact",), GOES)])
def test_synonyms_and_their_stage_go_together(stages, table):
    with pytest.raises(ValueError, match="go together"):
        meteor(["a"], [["a"]], stages, table)


@pytest.mark.parametrize("table", [["goes", "went"], [["goes", 7]]])
def test_a_table_that_is_no_groups_of_words_is_refused(table):
    with pytest.raises(TypeError, match=r"synonyms\[0\] is"):
        meteor(["a"], [["a"]], ("exact", "synonym"), table)


def test_the_stemmer_is_imported_only_by_its_stage_and_missed_in_words():
    code = (
        "import sys; sys.modules['snowballstemmer'] = None\n"
        "from cs_caption.metrics import meteor\n"
        "print(meteor(['a dog'], [['a dog']], ('exact',)).corpus)\n"
        "meteor(['a dog'], [['a dog']])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout == "1.0\n"
    assert "pip install snowballstemmer" in said.stderr


# The normaliser and the aligner.


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A Dog runs", "a dog runs"),
        ("the dog 's ball is n't red", "the dog ' s ball is n 't red"),
        ("dog's", "dog 's"),
        ("a t-shirt -lrb- red -rrb-", "a t shirt -lrb- red -rrb-"),
        ("a-b-c rock'n'roll", "a b-c rock 'n'roll"),
        ("u.s. at 9:30 , 1,000 cats .", "us at 9 : 30 , 1,000 cats ."),
        ("a mat. and a dog.", "a mat. and a dog ."),
        ("Mr. X. No. 5 No. Y", "mr. x. no. 5 no . y"),
        ("wait ... 1990's café", "wait ... 1990 's café"),
        ("\u2028a\r b\n", "a b"),
        ("", ""),
    ],
)
def test_words_are_what_the_jar_makes_of_a_caption(caption, words):
    assert " ".join(normalise(caption)) == words


def test_a_word_that_can_be_paired_in_one_way_only_is():
    # The stem of word 0 is its only way: it is taken although that breaks the one chunk in two.
    ways = [[(1, 3)], [(0, 0)], [(0, 1)]]
    assert align(ways, (1.0, 0.6)) == (Pair(1, 3, 0), Pair(0, 0, 1), Pair(0, 1, 2))


def test_of_two_equal_words_the_one_is_taken_that_makes_fewer_chunks():
    # candidate "the cat the dog", reference "the dog"
    ways = [[(0, 0), (0, 2)], [(0, 3)]]
    assert align(ways, (1.0,)) == (Pair(0, 2, 0), Pair(0, 3, 1))


@given(st.lists(st.integers(0, 2), max_size=6), st.lists(st.integers(0, 2), max_size=6))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_exact_pairs_are_the_most_there_can_be_in_the_fewest_chunks(said, words):
    ways = [[(0, i) for i, other in enumerate(said) if other == word] for word in words]
    pairs = align(ways, (1.0,))
    most = sum(min(said.count(word), words.count(word)) for word in set(words))
    assert len(pairs) == most == len({pair.candidate for pair in pairs})
    assert count_chunks(pairs) == _fewest_chunks(said, words, most)


def _fewest_chunks(said, words, most):
    """Over every way to pair `most` equal words."""
    found = []

    def grow(j, pairs):
        if len(pairs) + len(words) - j < most:
            return
        if j == len(words):
            found.append(count_chunks(pairs))
            return
        grow(j + 1, pairs)
        for i, word in enumerate(said):
            if word == words[j] and all(pair.candidate != i for pair in pairs):
                grow(j + 1, (*pairs, Pair(0, i, j)))

    grow(0, ())
    return min(found)
