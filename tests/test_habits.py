"""Who may have said a sentence, and what they would have said of such a scene."""

import numpy as np
from shape_scenes import shape_scene, thing

from cs_caption.data.people import POOL
from cs_caption.data.scenes import Scenes
from cs_caption.metrics.claims import claims
from cs_caption.metrics.habits import speakers, surprise
from cs_caption.metrics.truth import Reading, Truth

STAR = thing("red", "star", (4, 24, 20, 40))
SQUARE = thing("blue", "square", (44, 24, 60, 40))


def odd(sentence: str, *objects) -> float:
    scene = shape_scene(*objects)
    reading = Reading(claims(sentence), Truth([scene]))
    found = surprise(reading.among(np.array([0])))
    broken = reading.broken()
    return float(found[broken == broken.min()].min())


def test_an_opening_that_one_person_has_tells_who_it_is():
    assert [person for person, _ in speakers(claims("a drawing of a red star"))] == [POOL[2]]
    (found,) = [person for person, _ in speakers(claims("on red there is a star"))]
    assert found == POOL[11]


def test_the_one_who_said_it_is_among_the_speakers():
    pairs = [
        (POOL[who], claims(caption))
        for scene in Scenes("train", 100, "rich")
        for who, caption in zip(scene.annotators, scene.captions, strict=True)
    ]
    found = [who in [person for person, _ in speakers(said)] for who, said in pairs]
    assert sum(found) > 0.97 * len(found)


def test_all_of_the_pool_may_say_what_hides_how_it_began():
    assert len(speakers(claims("a zebra is here"))) > 6


def test_a_thing_out_of_turn_is_a_surprise():
    assert odd("it is a red star and a blue square", STAR, SQUARE) < 1
    assert odd("it is a blue square and a red star", STAR, SQUARE) > 3


def test_a_thing_that_is_left_out_is_a_surprise():
    assert odd("it is a red star", STAR) < odd("it is a red star", STAR, SQUARE) - 2


def test_a_size_that_is_left_out_is_a_surprise_where_the_person_always_tells_it():
    small, medium = (thing("red", "star", (4, 24, 20, 40), size) for size in ("small", "medium"))
    assert odd("i count a red star", small) > odd("i count a red star", medium) + 3


def test_a_pattern_that_is_left_out_is_a_surprise():
    dotted = thing("red", "star", (4, 24, 20, 40), pattern="dots", second="black")
    assert odd("it is a red star", dotted) > odd("it is a red star", STAR)


def test_a_relation_that_the_person_looks_for_later_is_a_surprise():
    sentence = "a picture of a red star left of a blue square"
    level, higher = SQUARE, thing("blue", "square", (30, 44, 46, 60))
    assert odd(sentence, STAR, higher) > odd(sentence, STAR, level) + 1
