"""Scenes as arrays, and which claims fail there."""

import numpy as np
import pytest
from shape_scenes import shape_scene, thing

from cs_caption.data import colours
from cs_caption.data.lexicon import PLACE_WORDS
from cs_caption.data.rich_captions import _place
from cs_caption.data.scenes import Scenes
from cs_caption.metrics.claims import claims
from cs_caption.metrics.truth import FAR_OFF, Reading, Truth, grouped, ninth, unlike

STAR = thing("red", "star", (4, 24, 20, 40))
SQUARE = thing("blue", "square", (44, 24, 60, 40))
LONE, BOTH = shape_scene(STAR), shape_scene(STAR, SQUARE)


def failing(sentence: str, *scenes) -> list[int]:
    return Reading(claims(sentence), Truth(scenes)).broken().min(axis=1).tolist()


def test_attributes_are_told_by_scene_and_object():
    truth = Truth([LONE, BOTH])
    assert truth.object("shape", "square").tolist() == [[False, False], [False, True]]
    assert truth.object("there", True).tolist() == [[True, False], [True, True]]
    assert truth.ground("colour", "white").tolist() == [True, True]


def test_relations_are_told_from_the_first_object_to_the_second():
    assert Truth([BOTH]).relation("left of").tolist() == [[[False, True], [False, False]]]


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("a red star", [0, 0]),
        ("a blue star", [1, 1]),
        ("a red star and a blue square", [3, 0]),
        ("a red star right of a blue square", [4, 1]),
        ("two red stars on a black background", [4, 3]),
    ],
)
def test_each_claim_that_fails_counts(sentence, wrong):
    assert failing(sentence, LONE, BOTH) == wrong


def test_the_ways_to_take_things_for_objects_use_each_object_once():
    reading = Reading(claims("two stars and a square"), Truth([BOTH]))
    assert reading.slots.tolist() == [0, 0, 1]
    assert sorted(map(tuple, reading.ways.tolist())) == sorted(set(map(tuple, reading.ways)))
    assert all(len(set(way)) == 3 for way in reading.ways.tolist())


def test_a_shade_is_likelier_the_closer_its_name_and_never_beyond_the_end():
    rgb = dict(colours.shades("blue"))["navy"]
    names = colours.naming(rgb)[1]
    likely = [unlike(name, rgb) for name in names]
    assert likely == sorted(likely)
    np.testing.assert_allclose(np.exp(-np.array(likely)).sum(), 1)
    assert likely[-1] < unlike("sky blue", rgb) <= FAR_OFF
    assert unlike("off white", rgb) == FAR_OFF


def test_groups_are_in_order_and_hold_what_is_alike():
    again = thing("red", "star", (30, 50, 40, 60))
    assert grouped((SQUARE, STAR, again), "left", "look") == [[1, 2], [0]]
    assert grouped((SQUARE, STAR, again), "left", "") == [[1], [2], [0]]


def test_the_nine_parts_are_those_of_the_annotators():
    class Talker:
        def __init__(self, objects):
            self.objects = objects

        def word(self, words):
            return words

    for scene in Scenes("train", 40, "rich"):
        for index, one in enumerate(scene.objects):
            assert _place(Talker(scene.objects), [index]) == PLACE_WORDS[ninth(one.box)]
