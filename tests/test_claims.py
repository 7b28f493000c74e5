"""What sentences claim, read by the annotators' grammar."""

import pytest

from cs_caption.data.scenes import Scenes
from cs_caption.metrics.claims import Claims, Ground, Link, Thing, Total, claims


def only(sentence: str) -> Thing:
    (thing,) = claims(sentence).things
    return thing


def test_a_mention_tells_number_size_pattern_second_colour_shade_and_shape():
    assert only("two large yellow banded scarlet plus signs") == Thing(
        6, "cross", 2, "red", "scarlet", "big", "stripes", second="yellow"
    )


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a striped red star", {"pattern": "stripes", "colour": "red"}),
        ("a red striped star", {"pattern": "stripes", "colour": "red"}),
        ("a white striped red star", {"pattern": "stripes", "colour": "red", "second": "white"}),
        ("a vertically striped star", {"pattern": "stripes", "slant": "vertical"}),
        ("a star with slanted white lines", {"slant": "diagonal", "second": "white"}),
        ("a star with polka dots", {"pattern": "dots", "second": ""}),
        ("a red and white checked star", {"colour": "red", "second": "white", "mixed": True}),
        ("a solid star", {"pattern": "plain"}),
        ("an arrow pointing left", {"pointing": "left"}),
        ("a half moon", {"shape": "moon"}),
        ("a deep sky blue ball", {"colour": "blue", "shade": "deep sky blue"}),
        ("a violet ball", {"colour": "purple", "shade": ""}),
        ("a trio of stars", {"count": 3}),
        ("stars", {"count": 2}),
        ("7 stars", {"count": 7}),
        ("a single star", {"count": 1}),
        ("the star", {"count": 1}),
        ("a red thing", {"shape": "", "colour": "red"}),
        ("three red shapes", {"shape": "", "count": 3}),
        ("a star in the bottom left corner", {"place": (0, 2)}),
        ("in the middle is a star", {"place": (1, 1)}),
        ("a polka-dot star", {"pattern": "dots"}),
    ],
)
def test_each_kind_of_claim_about_a_thing_is_read(sentence, expected):
    thing = only(sentence)
    assert {name: getattr(thing, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("sentence", "link"),
    [
        ("a star above a heart", Link(0, ("above",), 1)),
        ("a star is on the left side of a heart", Link(0, ("left of",), 1)),
        ("a star with a heart partly hidden by it", Link(1, ("behind",), 0)),
        ("two stars with a heart over them", Link(1, ("above",), 0)),
        ("a star next to a heart", Link(0, ("touching", "near"), 1)),
        ("a star on a heart", Link(0, ("on",), 1)),
        ("a star on a red background above a heart", Link(0, ("above",), 1)),
        ("a star against a heart", Link(0, ("touching",), 1)),
        ("below a star is a heart", Link(1, ("below",), 0)),
        ("a star and under it a heart", Link(1, ("below",), 0)),
        ("a star and a heart touching each other", Link(0, ("touching",), 1)),
        ("two stars touching each other", Link(0, ("touching",), 0)),
        (
            "a star a heart side by side",
            Link(0, ("left of", "right of"), 1, ("above", "below")),
        ),
    ],
)
def test_each_kind_of_relation_is_read(sentence, link):
    assert claims(sentence).links == (link,)


@pytest.mark.parametrize(
    ("sentence", "ground"),
    [
        ("a star on a navy backdrop", Ground("blue", "navy")),
        ("a star on red", Ground("red")),
        ("on red there is a star", Ground("red")),
        ("a star over a dotted canvas", Ground(pattern="dots")),
        ("a star on a fading red wall", Ground("red", pattern="shaded")),
        ("a star on a red and blue striped wall", Ground("red", "", "stripes", "", "blue")),
        (
            "a star on a red wall with upright blue bands",
            Ground("red", "", "stripes", "vertical", "blue"),
        ),
        ("a star on a red and blue wall", Ground("red", "", "halves", "", "blue")),
        ("a star on a half red half blue wall", Ground("red", "", "halves", "", "blue")),
        ("a star against blue ground under a red sky", Ground("red", "", "halves", "", "blue")),
    ],
)
def test_each_way_to_tell_the_background_is_read_and_is_no_relation(sentence, ground):
    found = claims(sentence)
    assert (found.ground, found.links, len(found.things)) == (ground, (), 1)


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("three shapes", Total(3, 3)),
        ("two shapes including a star", Total(2, 2)),
        ("several colorful things", Total(3, 99, varied=True)),
        ("some symbols one of them a star", Total(2, 99)),
    ],
)
def test_how_many_there_are_in_all_is_read(sentence, total):
    assert claims(sentence).total == total


def test_places_are_told_of_the_thing_before_and_after_and_of_the_one_behind():
    found = claims("a star at the top and on the left a heart")
    assert [thing.place for thing in found.things] == [(1, 0), (0, 1)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a red sqaure", "a red square"),
        ("a lagre rde star", "a large red star"),
        ("a rred squae", "a red square"),
        ("a star betweenn a heart", "a star betweenn a heart"),
    ],
)
def test_a_slip_of_the_pen_is_read_as_the_one_word_that_was_meant(typed, meant):
    assert claims(typed).things == claims(meant).things


def test_a_short_word_is_not_taken_for_another_one():
    assert only("a black cat").unread
    assert claims("a black cat").unread == ("cat",)
    assert not claims("a bat above a car").links[0].subject
    assert all(thing.unread for thing in claims("a bat above a car").things)


def test_opinions_are_read_past_and_other_unknown_words_are_told():
    found = claims("a wooden star and a cheerful heart")
    assert (len(found.things), found.unread) == (2, ("wooden",))


@pytest.mark.parametrize("sentence", ["", "zebra", "images of me scuba diving next to turtle"])
def test_a_sentence_without_a_known_thing_claims_nothing(sentence):
    assert not claims(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        *("it", "them above it", "with stripes", "pointing up", "touching each other", "and and"),
        *("on", "under a sky", "at the top", "a a a", "half half", "red", "three", "red and"),
        pytest.param("9" * 5000 + " stars", id="very many stars"),
    ],
)
def test_odd_sentences_are_read_without_an_error(sentence):
    assert isinstance(claims(sentence), Claims)


def test_no_word_of_the_annotators_is_unknown():
    unread = [
        word
        for level in ("simple", "rich")
        for scene in Scenes("val", 60, level)
        for caption in scene.captions
        for word in claims(caption).unread
    ]
    assert unread == []
