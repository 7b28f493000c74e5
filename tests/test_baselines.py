import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: no captioner to compare with")

from test_evaluation import BLIND, SCENES, TINY

from cs_caption.baselines import (
    against_others,
    annotators,
    compare,
    image_blind,
    nearest_neighbour,
    nearest_pictures,
    shuffled,
)
from cs_caption.data import CaptionedImages, Scenes
from cs_caption.evaluation import evaluate, measure, reference_costs
from cs_caption.metrics import bleu, object_score, scene_objects

TRUTH = [scene_objects(scene.objects) for scene in SCENES]


def judge(captions):
    return object_score(captions, TRUTH)


def test_each_annotator_is_held_against_the_others_and_never_against_themselves():
    references = [["a b c d", "e f g h", "a b c d"], ["i j k l", "m n o p", "q r s t"]]
    line = annotators(references, lambda captions: None)
    assert line.references == 2
    turns = [
        bleu([them[k] for them in references], [them[:k] + them[k + 1 :] for them in references])
        for k in range(3)
    ]
    assert line.bleu[0] == pytest.approx(np.mean([turn.by_order[0].corpus for turn in turns]))
    assert 0 < line.bleu[3] < 0.7


def test_annotators_of_simple_scenes_name_every_object():
    line = annotators(SCENES.captions, judge)
    assert (line.object_f1, line.exact_set, line.hallucination) == (1, 1, 0)


def test_the_model_is_held_against_as_many_references_as_an_annotator():
    captions = [captions[0] for captions in SCENES.captions]
    line = against_others(captions, SCENES.captions)
    assert line.references == 4
    assert line.bleu[3] < measure("", captions, SCENES.captions).bleu[3]


def test_the_nearest_picture_to_one_among_them_is_itself():
    wanted = np.array([7, 3, 30])
    found = nearest_pictures(TINY.model, SCENES.images, SCENES.images[wanted])
    np.testing.assert_array_equal(found, wanted)


def test_a_nearest_neighbour_that_is_the_picture_itself_names_every_object():
    line = nearest_neighbour(TINY, SCENES, SCENES, judge)
    assert line.object_f1 == 1


def test_shuffling_leaves_no_picture_in_its_place():
    captions = [captions[0] for captions in SCENES.captions]
    numbered = CaptionedImages(SCENES.images, [[f"picture {i}"] for i in range(len(SCENES))])
    said = [f"picture {i}" for i in range(len(SCENES))]
    for seed in range(3):
        line = shuffled(TINY, numbered, said, lambda captions: None, seed)
        assert line.bleu[0] == pytest.approx(0.5, abs=1e-6)  # "picture" fits, no number does
    right = measure("", captions, SCENES.captions, objects=judge(captions)).object_f1
    assert shuffled(TINY, SCENES, captions, judge).object_f1 < 0.5 < right


def test_shuffled_costs_are_those_of_the_wrong_pictures():
    captions = [""] * 2
    two = Scenes("val", n=2)
    line = shuffled(TINY, two, captions, lambda captions: None)
    costs = reference_costs(TINY, two.images[[1, 0]], two.captions)
    right = reference_costs(TINY, two.images, two.captions)
    assert abs(costs - right).max() > 0.001
    assert line.nats_per_token == pytest.approx(costs[:, 0].sum() / costs[:, 1].sum())


def test_the_blind_model_says_the_same_of_every_picture_and_sees_none():
    line = image_blind(BLIND, SCENES, judge)
    other = CaptionedImages(np.zeros_like(SCENES.images), SCENES.captions)
    assert line == image_blind(BLIND, other, judge)


def test_compare_makes_every_line_that_what_is_given_allows():
    evaluation = evaluate(TINY, SCENES, beam=1, max_len=6, report=None)
    told = []
    lines = compare(TINY, SCENES, evaluation, train=SCENES, blind=BLIND, report=told.append)
    assert [line.name for line in lines] == [
        "model",
        "model, 4 references",
        "annotator",
        "nearest neighbour",
        "shuffled pictures",
        "image-blind model",
    ]
    assert len(told) == 4
    assert lines[0] == evaluation.measures
    assert [line.name for line in compare(TINY, SCENES, evaluation, report=None)] == [
        "model",
        "model, 4 references",
        "annotator",
        "shuffled pictures",
    ]


def test_compare_of_one_captioned_picture_has_the_model_alone():
    one = CaptionedImages(SCENES.images[:1], [["a red square"]])
    evaluation = evaluate(TINY, one, beam=1, max_len=6, report=None)
    assert compare(TINY, one, evaluation, report=None) == [evaluation.measures]


def test_a_blind_models_own_comparison_has_no_neighbour_to_find():
    evaluation = evaluate(BLIND, SCENES, beam=1, max_len=6, report=None)
    lines = compare(BLIND, SCENES, evaluation, train=SCENES, report=None)
    assert "nearest neighbour" not in [line.name for line in lines]
