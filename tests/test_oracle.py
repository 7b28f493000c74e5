"""Sentences held against the truth of scenes."""

from dataclasses import replace

import numpy as np
import pytest
from shape_scenes import shape_scene, thing

from cs_caption.data.colours import shades
from cs_caption.data.records import Background
from cs_caption.data.scenes import Scenes
from cs_caption.metrics.oracle import fits, truth_scores
from cs_caption.metrics.retrieval import retrieval_score

STAR = thing("red", "star", (24, 4, 40, 20))
SQUARE = thing("blue", "square", (24, 40, 40, 56), "big", pattern="dots", second="white")
TWO = shape_scene(STAR, SQUARE)  # the star above the square, 20 pixels apart
ARROW = thing("green", "arrow", (2, 26, 14, 38), "small", pointing="left")
BANDED = thing(
    "pink", "heart", (2, 44, 14, 56), pattern="stripes", slant="vertical", second="black"
)
STRIPED = Background("stripes", "teal", "teal", (2, 147, 134), "diagonal", "grey", (146, 149, 145))
FOUR = shape_scene(ARROW, STAR, STAR, BANDED, ground=STRIPED)


@pytest.mark.parametrize(
    "sentence",
    [
        *("a red star above a blue square", "a blue square below a red star"),
        *("a star", "one red star", "the star", "a star and a square", "two shapes", "a shape"),
        *("a big blue square", "a dotted square", "a white dotted blue square", "a red thing"),
        *("a square with white spots", "a blue and white dotted square", "a plain star"),
        *("a star at the top", "a star at the top and a square at the bottom"),
        *("a star one above the other with a square", "a square with a star over it"),
        *("a star on a white background", "a star far from a square", "some shapes"),
        *("different colored shapes", "two assorted objects including a star", "A red star."),
        *("a square and above it a star", "a red satr", "a sweet red star"),
    ],
)
def test_what_is_true_of_two_things_fits(sentence):
    assert fits(sentence, TWO) is True


@pytest.mark.parametrize(
    "sentence",
    [
        *("a blue square above a red star", "a red star below a blue square"),
        *("two red stars", "a star and another star", "a green star", "a blue star", "a circle"),
        *("three shapes", "one star above two squares", "stars", "five squares", "99 stars"),
        *("a small blue square", "a striped square", "a red dotted blue square", "a plain square"),
        *("a star with white dots", "a star on the left", "a square in the middle"),
        *("a star at the bottom and a square at the top", "a star and a square side by side"),
        *("a star on a red background", "a star on a white striped background", "a few shapes"),
        *("a star touching a square", "a star next to a square", "a star on a square"),
        *("a star left of a square", "a square with a star under it", "three colorful shapes"),
        *("a zebra above a circle", "a star a square and a heart"),
    ],
)
def test_what_is_false_of_two_things_does_not_fit(sentence):
    assert fits(sentence, TWO) is False


@pytest.mark.parametrize(
    ("sentence", "true"),
    [
        ("two red stars", True),
        ("three red stars", False),
        ("an arrow pointing left", True),
        ("an arrow pointing right", False),
        ("a vertically striped heart", True),
        ("a horizontally striped heart", False),
        ("a heart with upright black stripes", True),
        ("a heart with upright white stripes", False),
        ("a green arrow on a teal and gray striped wall", True),
        ("a green arrow on a wall with diagonal grey bands", True),
        ("a green arrow on a wall with level grey bands", False),
        ("a green arrow on a teal and gray wall", False),
        ("a green arrow close to a pink heart", True),
        ("a green arrow touching a pink heart", False),
        ("four shapes", True),
        ("four different coloured shapes", False),
    ],
)
def test_counts_pointing_slants_and_grounds_are_judged(sentence, true):
    assert fits(sentence, FOUR) is true


@pytest.mark.parametrize(
    ("sentence", "true"),
    [
        ("a star behind a square", True),
        ("a star in front of a square", False),
        ("a square overlapping a star", True),
        ("a square touching a star", False),
    ],
)
def test_what_hides_a_part_of_another_is_in_front_of_it(sentence, true):
    back, front = replace(STAR, box=(20, 20, 40, 40)), replace(SQUARE, box=(34, 22, 54, 42))
    assert fits(sentence, shape_scene(back, front, overlaps=[(0, 1)])) is true


def test_a_relation_has_to_hold_for_all_that_are_named_together():
    beside = replace(SQUARE, box=(2, 4, 12, 14))
    scene = shape_scene(STAR, SQUARE, beside)
    assert fits("a star above a square", scene)
    assert fits("a star above two squares", scene) is False


def test_each_thing_named_takes_an_object_of_its_own():
    assert fits("a star and a red shape", TWO) is False
    assert fits("a star and a red shape", FOUR) is True


@pytest.mark.parametrize(
    "sentence",
    [
        *("", "a zebra", "me scuba diving next to turtle", "hello", "a wooden star"),
        *("a red star inside", "no red stars"),
        *("a star without a circle", "a star or a circle", "a star and a zebra", "0 circles"),
    ],
)
def test_what_cannot_be_judged_is_neither_true_nor_false(sentence):
    assert fits(sentence, TWO) is None


@pytest.mark.parametrize("level", ["simple", "rich"])
def test_what_people_say_of_a_scene_fits_it(level):
    scenes = Scenes("train", 100, level)
    found = [fits(caption, scene) for scene in scenes for caption in scene.captions]
    assert found.count(False) <= 2 * (level == "rich")
    assert found.count(True) >= 0.99 * len(found)


def test_most_sentences_are_false_of_other_scenes():
    scenes = list(Scenes("train", 40, "rich"))
    found = [
        fits(caption, other)
        for scene in scenes
        for caption in scene.captions[:1]
        for other in scenes
        if other is not scene
    ]
    assert found.count(False) > 0.97 * len(found)


CHANGED = {
    "colour": lambda one: {"colour": "black" if one.colour != "black" else "red"},
    "shape": lambda one: {"shape": "heart" if one.shape != "heart" else "moon"},
}


@pytest.mark.parametrize("name", CHANGED)
def test_another_colour_or_shape_of_all_objects_makes_what_named_them_false(name):
    scenes = [scene for scene in Scenes("train", 80, "simple") if len(scene.objects) == 2]
    for scene in scenes:
        objects = tuple(replace(one, **CHANGED[name](one)) for one in scene.objects)
        found = [fits(caption, replace(scene, objects=objects)) for caption in scene.captions]
        assert found == [False] * 5


def scores(sentence: str, *scenes, **kwargs) -> list[float]:
    return truth_scores([sentence], scenes, **kwargs)[0].tolist()


def test_fewer_false_claims_score_higher():
    sentence = "a big blue square below a red star"
    small = shape_scene(STAR, replace(SQUARE, size="small"))
    none = shape_scene(replace(STAR, shape="oval"), replace(SQUARE, shape="moon"))
    found = scores(sentence, TWO, small, none)
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 3


@pytest.mark.parametrize("habits", [True, False])
def test_a_closer_shade_scores_higher(habits):
    values = dict(shades("blue"))
    near, far = (
        shape_scene(replace(SQUARE, rgb=values[name])) for name in ("navy blue", "sky blue")
    )
    found = scores("a navy square", near, far, habits=habits)
    assert found[0] > found[1] + 2


def test_what_nobody_would_have_left_out_counts_against_a_scene():
    sentence = "there is a blue square"
    assert scores(sentence, shape_scene(SQUARE))[0] > scores(sentence, TWO)[0]
    assert scores(sentence, shape_scene(SQUARE), habits=False) == scores(
        sentence, TWO, habits=False
    )


def test_no_habit_weighs_as_much_as_a_false_claim():
    crowded = shape_scene(*[replace(STAR, size="big", pattern="dots", second="black")] * 4)
    single = shape_scene(replace(STAR, colour="pink"))
    sentence = "i see a red star"
    assert scores(sentence, crowded)[0] > scores(sentence, single)[0]


def test_the_score_of_a_pair_does_not_depend_on_the_others():
    scenes = list(Scenes("train", 12, "rich"))
    sentences = [scene.captions[0] for scene in scenes]
    whole = truth_scores(sentences, scenes)
    single = np.vstack([truth_scores([one], scenes) for one in sentences])
    apart = np.hstack([truth_scores(sentences, [scene]) for scene in scenes])
    np.testing.assert_allclose(single, whole, rtol=0, atol=1e-9)
    np.testing.assert_allclose(apart, whole, rtol=0, atol=1e-9)


def test_nothing_said_and_no_scenes_have_scores_too():
    assert truth_scores([], [TWO]).shape == (0, 1)
    assert truth_scores(["a star"], []).shape == (1, 0)
    assert truth_scores(["", "9 stars", "zebra"], [TWO, FOUR]).shape == (3, 2)


def test_own_pictures_are_found_and_habits_help_to_find_them():
    scenes = list(Scenes("train", 40, "rich"))
    sentences = [caption for scene in scenes for caption in scene.captions]
    own = np.repeat(np.arange(len(scenes)), 5)
    plain, full = (truth_scores(sentences, scenes, habits=habits) for habits in (False, True))
    assert retrieval_score(full, own).r1 > retrieval_score(plain, own).r1 > 0.85
    assert retrieval_score(full, own).r1 > 0.95
    theirs = [range(5 * at, 5 * at + 5) for at in range(len(scenes))]
    assert retrieval_score(full.T, theirs).r1 > 0.98
