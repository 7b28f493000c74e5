from collections import Counter

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics import named_objects, object_score, scene_objects
from cs_caption.metrics.objects import BINS, f1_from_rows, mentions, truth_bin

RED, BLUE = ("red", "square"), ("blue", "circle")

READ = {
    "a red square": {RED: 1},
    "there is a big red square and a small blue circle": {RED: 1, BLUE: 1},
    "two large red squares on a white background": {RED: 2},
    "a pair of red squares": {RED: 2},
    "a red square to the left of another red square": {RED: 2},
    "on a black background there is a blue disc": {BLUE: 1},
    "a violet box": {("purple", "square"): 1},
    "a red big square": {RED: 1},
    "three blue circles above one red square": {BLUE: 3, RED: 1},
    "": {},
    "a square": {},
    "a red": {},
    "red square": {},
    "a red background with square": {},
    "a white background and blue circle": {},
    "a a a red square square": {RED: 1},
    "a blue red square": {RED: 1},
    "<UNK> xyz a red square": {RED: 1},
}


@pytest.mark.parametrize("caption", READ)
def test_a_caption_names_what_its_grammar_says(caption):
    assert named_objects(caption) == Counter(READ[caption])


def test_every_annotator_of_simple_scenes_names_exactly_what_is_there():
    for split in ("val", "compositional"):
        for scene in Scenes(split, n=40):
            for caption in scene.captions:
                assert named_objects(caption) == scene_objects(scene.objects), caption


def test_a_mention_stands_where_its_noun_stands():
    found = mentions("there is a big red square and two blue circles")
    assert [(m.word, m.count, m.kind) for m in found] == [(5, 1, RED), (9, 2, BLUE)]


TRUTH = Counter({RED: 1, BLUE: 1})

BINNED = {
    "a red square and a blue circle": "all",
    "a blue circle and a red square": "all",
    "a red square": "some",
    "a red square and a pink star": "some",
    "a red square and a blue circle and a pink star": "some",
    "two red squares and a blue circle": "some",
    "a blue square and a red circle": "none",
    "": "none",
}


@pytest.mark.parametrize("caption", BINNED)
def test_bins_by_truth(caption):
    assert truth_bin(named_objects(caption), TRUTH) == BINNED[caption]


def test_figures_count_objects_over_all_pictures_together():
    captions = ["a red square and a pink star", "two red squares", "a blue circle", "nothing"]
    truths = [TRUTH, Counter({RED: 1}), Counter({BLUE: 1}), Counter({BLUE: 2})]
    score = object_score(captions, truths)
    np.testing.assert_array_equal(score.rows, [[1, 2, 2], [1, 2, 1], [1, 1, 1], [0, 0, 2]])
    assert score.precision == pytest.approx(3 / 5)
    assert score.recall == pytest.approx(3 / 6)
    assert score.f1 == pytest.approx(6 / 11)
    assert score.exact == pytest.approx(1 / 4)
    assert score.hallucination == pytest.approx(2 / 5)
    assert score.bins == ("some", "some", "all", "none")
    assert set(score.bins) == set(BINS)
    assert repr(score) == "ObjectScore(f1=0.5455, exact=0.2500, 4 items)"


def test_saying_nothing_is_worth_nothing_and_is_no_hallucination():
    score = object_score(["", "hello"], [TRUTH, TRUTH])
    assert (score.f1, score.precision, score.recall, score.hallucination) == (0, 0, 0, 0)


def test_an_empty_picture_called_empty_is_right():
    assert f1_from_rows(np.array([[0, 0, 0], [0, 1, 0]])).tolist() == [1, 0]
    assert object_score([""], [Counter()]).bins == ("all",)


@pytest.mark.parametrize(("captions", "truths"), [(["a"], []), ([], [])])
def test_captions_without_pictures_are_refused(captions, truths):
    with pytest.raises(ValueError, match="expected one for each"):
        object_score(captions, truths)
