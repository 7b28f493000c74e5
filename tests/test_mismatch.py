from dataclasses import dataclass

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics import pointing_score
from cs_caption.metrics.mismatch import looks_and_words


@dataclass
class Thing:
    colour: str
    shape: str
    mask: np.ndarray


def thing(colour, shape, rows, columns):
    mask = np.zeros((64, 64), bool)
    mask[rows, columns] = True
    return Thing(colour, shape, mask)


def looking_at(*cells):
    """Maps (T, 64) that look at one (row, column) each."""
    maps = np.full((len(cells), 64), 1e-3)
    for line, (row, column) in zip(maps, cells, strict=True):
        line[8 * row + column] = 1
    return maps


SQUARE = thing("red", "square", slice(0, 16), slice(0, 16))
CIRCLE = thing("blue", "circle", slice(48, 64), slice(40, 56))
NOWHERE, ON_SQUARE, ON_CIRCLE = (3, 3), (0, 1), (7, 6)


def one(caption, *cells, objects=(SQUARE, CIRCLE)):
    """A caption whose nouns are said while looking at these cells, the other words nowhere."""
    words, nouns = caption.split(), iter(cells)
    shapes = ("square", "circle", "star", "squares", "ball", "sphere")
    at = [next(nouns, NOWHERE) if word in shapes else NOWHERE for word in words]
    return looks_and_words([caption], [looking_at(*at)], [objects])


def only(found):
    (record,) = found.records
    return record


@pytest.mark.parametrize(
    ("caption", "cell", "right_word", "right_place", "looked_at"),
    [
        ("a red square", ON_SQUARE, True, True, 0),
        ("a red square", ON_CIRCLE, True, False, 1),
        ("a red square", NOWHERE, True, False, None),
        ("a blue square", ON_SQUARE, False, True, 0),
        ("a blue square", ON_CIRCLE, False, True, 1),
        ("a blue square", NOWHERE, False, False, None),
    ],
)
def test_a_noun_is_one_of_four_kinds(caption, cell, right_word, right_place, looked_at):
    found = one(caption, cell)
    record = only(found)
    assert (record.right_word, record.right_place, record.object) == (
        right_word,
        right_place,
        looked_at,
    )
    assert (record.item, record.word, record.cell) == (0, 2, 8 * cell[0] + cell[1])
    assert found.share(right_word=right_word, right_place=right_place) == 1
    assert found.share(right_word=not right_word, right_place=right_place) == 0


def test_a_wrong_word_means_an_object_that_the_caption_names_nowhere():
    caption = "a red square and a pink star"
    at_the_circle = one(caption, ON_SQUARE, ON_CIRCLE).records[1]
    at_the_named_square = one(caption, ON_SQUARE, ON_SQUARE).records[1]
    assert (at_the_circle.right_word, at_the_circle.right_place) == (False, True)
    assert (at_the_named_square.right_place, at_the_named_square.object) == (False, 0)


def test_an_object_named_in_a_plural_or_twice_is_named():
    for caption in ("two red squares and a pink star", "a red square a red square a pink star"):
        found = one(caption, *[ON_SQUARE] * 3)
        assert not only(found).right_place
        assert only(found).object == 0


def test_where_all_objects_are_named_a_wrong_word_has_no_right_place():
    caption = "a red square and a blue circle and a pink star"
    for cell in (ON_SQUARE, ON_CIRCLE, NOWHERE):
        found = one(caption, ON_SQUARE, ON_CIRCLE, cell)
        assert (found.right_word_right_place, found.wrong_word_wrong_place) == (2, 1)


def test_of_several_objects_the_one_that_is_meant_comes_first_then_the_one_with_most_pixels():
    """Cell (0, 1) has its centre at (4, 12): all three reach it."""
    thin = thing("green", "star", slice(4, 5), slice(10, 12))
    objects = (CIRCLE, thin, SQUARE)
    assert only(one("a green star", ON_SQUARE, objects=objects)).object == 1
    assert only(one("a red square", ON_SQUARE, objects=objects)).object == 2
    assert only(one("a blue circle", ON_SQUARE, objects=objects)).object == 2
    assert only(one("a pink star", ON_SQUARE, objects=objects)).object == 2
    found = one("a red square and a pink star", ON_SQUARE, ON_SQUARE, objects=objects)
    assert [record.object for record in found.records] == [2, 1]
    same = (CIRCLE, thin, thing("pink", "square", slice(4, 5), slice(10, 12)))
    assert only(one("a red square", ON_SQUARE, objects=same)).object == 1


def test_of_equal_weights_the_first_cell_is_the_strongest():
    found = looks_and_words(["a red square"], [np.ones((3, 64))], [(SQUARE, CIRCLE)])
    assert (only(found).cell, only(found).object, only(found).right_place) == (0, 0, True)


SKIPPED = {
    "two objects that match": (
        "a red square",
        (SQUARE, thing("red", "square", slice(40, 50), slice(2, 9)), CIRCLE),
        1,
    ),
    "a plural": ("two red squares", (SQUARE, CIRCLE), 1),
    "one kind named twice": ("a red square and another red square", (SQUARE, CIRCLE), 2),
    "a kind that is not there, named twice": ("a pink star and a pink star", (SQUARE, CIRCLE), 2),
    "no other object in the picture": ("a red square", (SQUARE,), 0),
    "a noun without a colour": ("a square", (SQUARE, CIRCLE), 0),
}


@pytest.mark.parametrize("case", SKIPPED)
def test_words_that_leave_a_doubt_are_skipped(case):
    caption, objects, skipped = SKIPPED[case]
    found = one(caption, (0, 0), (0, 0), objects=objects)
    assert (found.counted, found.skipped) == (0, skipped)
    assert found.share(right_word=True, right_place=True) is None
    assert found.pointing(right_word=True) is found.pointing(right_word=False) is None


def test_the_counts_add_up_and_shares_are_of_all_nouns_or_of_those_with_such_a_word():
    captions = ["a red square and a blue circle", "a pink star and a blue circle", "a red circle"]
    cells = [(ON_SQUARE, NOWHERE), (ON_SQUARE, ON_CIRCLE), (NOWHERE,)]
    maps = []
    for caption, here in zip(captions, cells, strict=True):
        at = [NOWHERE] * len(caption.split())
        at[2::4] = here
        maps.append(looking_at(*at))
    found = looks_and_words(captions, maps, [(SQUARE, CIRCLE)] * 3)
    assert (found.right_word_right_place, found.right_word_wrong_place) == (2, 1)
    assert (found.wrong_word_right_place, found.wrong_word_wrong_place) == (1, 1)
    assert [record.item for record in found.records] == [0, 0, 1, 1, 2]
    assert found.counted == 5
    shares = [
        found.share(right_word=word, right_place=place)
        for word in (True, False)
        for place in (True, False)
    ]
    assert shares == pytest.approx([0.4, 0.2, 0.2, 0.2])
    assert found.pointing(right_word=True) == pytest.approx(2 / 3)
    assert found.pointing(right_word=False) == pytest.approx(1 / 2)
    assert repr(found) == (
        "LooksAndWords(right word: 2 right place, 1 wrong; wrong word: 1 right place, 1 wrong; "
        "0 skipped)"
    )


@pytest.mark.parametrize("level", ["simple", "rich"])
def test_on_real_scenes_right_words_point_as_pointing_score_has_it(level):
    """Each picture's captions beside the next picture's objects: right words, and wrong ones."""
    scenes = list(Scenes("val", n=80, level=level))
    captions = [scene.captions[i % 5] for i, scene in enumerate(scenes)]
    rng = np.random.RandomState(0)
    for shift in (0, 1):
        truth = [scenes[(i + shift) % len(scenes)].objects for i in range(len(scenes))]
        maps = [rng.rand(len(caption.split()), 64) for caption in captions]
        found, score = (f(captions, maps, truth) for f in (looks_and_words, pointing_score))
        right = [record for record in found.records if record.right_word]
        assert found.pointing(right_word=True) == pytest.approx(score.accuracy)
        assert [(r.item, r.word, r.cell, r.right_place) for r in right] == [
            (r.item, r.word, r.cell, r.hit) for r in score.records
        ]
        assert found.counted + found.skipped == score.counted + score.skipped
        assert all(record.object is not None for record in found.records if record.right_place)
        wrong = found.wrong_word_right_place + found.wrong_word_wrong_place
        assert (wrong > 30) == (shift == 1)


def test_synonyms_of_rich_captions_name_the_same_object():
    cell = (0, 1)
    ball = (thing("red", "circle", slice(0, 16), slice(0, 16)), CIRCLE)
    for caption in ("a crimson ball", "one shiny scarlet sphere"):
        record = only(one(caption, cell, objects=ball))
        assert (record.right_word, record.right_place) == (True, True)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="as many of each"):
        looks_and_words(["a"], [], [])
    with pytest.raises(ValueError, match=r"maps\[0\] has shape \(2, 64\)"):
        looks_and_words(["a red square"], [np.ones((2, 64))], [(SQUARE, CIRCLE)])
    with pytest.raises(ValueError, match="60 cells"):
        looks_and_words(["a red square"], [np.ones((3, 60))], [(SQUARE, CIRCLE)])
