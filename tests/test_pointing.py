from dataclasses import dataclass

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics import pointing_score
from cs_caption.metrics.pointing import cells_on, rows_by_picture


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
    return maps / maps.sum(1, keepdims=True)


SQUARE = thing("red", "square", slice(0, 16), slice(0, 16))
CIRCLE = thing("blue", "circle", slice(48, 64), slice(40, 56))
ANYWHERE = (3, 3)


def one(caption, cells, objects=(SQUARE, CIRCLE)):
    return pointing_score([caption], [looking_at(*cells)], [objects])


def test_a_hit_is_the_strongest_cell_on_the_object_as_its_noun_is_said():
    caption = "a red square and a blue circle"
    cells = [ANYWHERE] * 2 + [(0, 1)] + [ANYWHERE] * 3 + [(7, 6)]
    score = one(caption, cells)
    assert (score.accuracy, score.counted, score.skipped) == (1.0, 2, 0)
    assert [(r.word, r.object, r.cell) for r in score.records] == [(2, 0, 1), (6, 1, 62)]
    assert all(record.weight > 0.9 for record in score.records)


def test_looking_at_the_other_object_or_a_word_too_early_is_a_miss():
    caption = "a red square and a blue circle"
    at_other = [ANYWHERE] * 2 + [(7, 6)] + [ANYWHERE] * 3 + [(0, 1)]
    too_early = [ANYWHERE, (0, 1), *[ANYWHERE] * 3, (7, 6), ANYWHERE]
    assert one(caption, at_other).accuracy == 0
    assert one(caption, too_early).accuracy == 0


@pytest.mark.parametrize(
    ("pixel", "cells"),
    [
        ((3, 3), {(0, 0)}),
        ((3, 7), {(0, 0)}),  # 3.54 pixels from the first centre, 4.53 from the second
        ((3, 8), {(0, 1)}),
        ((0, 0), set()),  # 4.95 pixels from the only centre near it: a disc, not a square
        ((1, 1), {(0, 0)}),  # 3.54
        ((7, 7), set()),
        ((63, 60), {(7, 7)}),
    ],
)
def test_a_mask_is_grown_by_a_disc_of_half_a_cell(pixel, cells):
    mask = np.zeros((1, 64, 64), bool)
    mask[0][pixel] = True
    on = cells_on(mask, 64).reshape(8, 8)
    assert {tuple(map(int, cell)) for cell in np.argwhere(on)} == cells


def test_cells_on_a_mask_are_those_with_a_visible_pixel_near_their_centre():
    masks = np.random.RandomState(0).rand(3, 64, 64) < 0.01
    found = cells_on(masks, 64)
    for mask, row in zip(masks, found, strict=True):
        pixels = np.argwhere(mask) + 0.5
        for cell, times in enumerate(row):
            centre = (cell // 8 * 8 + 4, cell % 8 * 8 + 4)
            assert times == (np.hypot(*(pixels - centre).T) <= 4).sum()


def test_other_grids_and_picture_sizes_scale():
    mask = np.zeros((1, 32, 48), bool)
    mask[0, 16:, 24:] = True
    assert np.argwhere(cells_on(mask, 4)[0]).ravel().tolist() == [3]


NOT_COUNTED = {
    "no other object in the picture": ("a red square", (SQUARE,), 0),
    "an object that is not there": ("a pink star", (SQUARE, CIRCLE), 1),
    "two objects that match": (
        "a red square",
        (SQUARE, thing("red", "square", slice(40, 50), slice(2, 9)), CIRCLE),
        1,
    ),
    "a plural": ("two red squares", (SQUARE, CIRCLE), 1),
    "one kind named twice": ("a red square and another red square", (SQUARE, CIRCLE), 2),
    "a noun without a colour": ("a square", (SQUARE, CIRCLE), 0),
}


@pytest.mark.parametrize("case", NOT_COUNTED)
def test_words_that_leave_a_doubt_are_not_counted(case):
    caption, objects, skipped = NOT_COUNTED[case]
    score = one(caption, [(0, 0)] * len(caption.split()), objects)
    assert (score.counted, score.skipped) == (0, skipped)
    assert score.accuracy is score.centre is score.uniform is score.random_object is None


def test_baselines_are_expectations_over_the_counted_words():
    big = thing("red", "square", slice(0, 32), slice(0, 32))  # 16 cells, one of the middle four
    score = one("a red square", [ANYWHERE] * 3, (big, CIRCLE))
    assert score.uniform == pytest.approx(16 / 64)
    assert score.centre == pytest.approx(1 / 4)
    assert score.random_object == pytest.approx(1 / 2)


def test_on_real_scenes_a_perfect_pointer_has_all_and_a_random_object_half():
    scenes = [scene for scene in Scenes("val", n=60) if len(scene.objects) == 2]
    captions = [scene.captions[0] for scene in scenes]
    perfect = []
    for scene, caption in zip(scenes, captions, strict=True):
        kinds = [(one.colour, one.shape) for one in scene.objects]
        on = cells_on(np.stack([one.mask for one in scene.objects]), 64).argmax(1)
        nouns = {"box": "square", "disc": "circle"}
        maps = np.zeros((len(caption.split()), 64))
        for t, word in enumerate(caption.split()):
            here = [k for k, (_, shape) in enumerate(kinds) if shape == nouns.get(word, word)]
            maps[t, on[here[0]] if len(here) == 1 else 0] = 1
        perfect.append(maps)
    keep = [k for k, scene in enumerate(scenes) if len({o.shape for o in scene.objects}) == 2]
    score = pointing_score(
        [captions[k] for k in keep], [perfect[k] for k in keep], [scenes[k].objects for k in keep]
    )
    assert score.counted > 30
    assert score.accuracy == 1.0
    assert score.random_object == pytest.approx(0.5)
    assert 0.05 < score.uniform < score.random_object


def test_rows_by_picture_hold_hits_and_words():
    maps = [looking_at((0, 0), (0, 0), (0, 0))] * 3
    captions = ["a red square", "a blue circle", "a pink star"]
    score = pointing_score(captions, maps, [(SQUARE, CIRCLE)] * 3)
    np.testing.assert_array_equal(rows_by_picture(score, 3), [[1, 1], [0, 1], [0, 0]])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="as many of each"):
        pointing_score(["a"], [], [])
    with pytest.raises(ValueError, match=r"maps\[0\] has shape \(2, 64\)"):
        one("a red square", [(0, 0)] * 2)
    with pytest.raises(ValueError, match="60 cells"):
        pointing_score(["a red square"], [np.ones((3, 60))], [(SQUARE, CIRCLE)])
