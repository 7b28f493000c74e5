from types import SimpleNamespace

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics.pointing import cells_on
from cs_caption.viz.attention import (
    describe_objects,
    shares,
    strongest_place,
    tell_look,
    veil,
    veiled,
    where_looked,
)

SCENES = Scenes("val", n=30)


def test_where_attention_lies_is_told_by_the_truth():
    scene = next(scene for scene in SCENES if len({o.shape for o in scene.objects}) == 2)
    for k, one in enumerate(scene.objects):
        weights = np.full(64, 0.1 / 63)
        weights[cells_on(one.mask[None], 64)[0].argmax()] = 0.9
        share, target = where_looked(weights, scene.objects)
        assert target == f"the {one.colour} {one.shape}"
        assert 0.9 <= share <= 1
        assert scene.objects[k] is one


def test_where_nothing_is_known_the_place_is_told():
    weights = np.zeros(64)
    weights[[0, 1, 63]] = 0.6, 0.3, 0.1
    assert where_looked(weights, None) == (pytest.approx(0.9), "the upper left")


def test_the_veil_is_thin_where_the_weight_is_and_frames_the_strongest_cell():
    weights = np.full(64, 0.001)
    weights[10] = 0.9
    pixels = veil(weights, scale=22)
    assert pixels.shape == (176, 176, 4)
    row, column = 22, 44
    assert pixels[row + 11, column + 11, 3] == 0
    assert pixels[row + 3, column + 3].tolist() == [255, 255, 255, 255]
    assert pixels[row, column].tolist() == [0, 0, 0, 255]
    assert pixels[100, 100, 3] > 180


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (0, "upper left"),
        (4, "upper middle"),
        (35, "middle"),
        (39, "middle right"),
        (56, "lower left"),
    ],
)
def test_places_are_told_by_thirds(cell, words):
    assert strongest_place(np.eye(64)[cell]) == words


def test_objects_are_described_with_size_and_place():
    scene = next(scene for scene in SCENES if len(scene.objects) == 2)
    first, second = describe_objects(scene.objects).split(", a ")
    one = scene.objects[0]
    assert first.startswith(f"a {one.size} {one.colour} {one.shape}, ")
    assert scene.objects[1].shape in second


def test_two_alike_are_told_apart_by_their_places():
    scene = next(s for s in SCENES if len(s.objects) == 2 and len({o.shape for o in s.objects}) == 1
                 and len({o.colour for o in s.objects}) == 1)  # fmt: skip
    on = cells_on(np.stack([one.mask for one in scene.objects]), 64).argmax(1)
    names = {where_looked(np.eye(64)[cell], scene.objects)[1] for cell in on}
    assert len(names) == 2


def blocks(**sides):
    """Objects whose masks fill columns of a picture of 64x64 pixels, from and up to."""
    objects = []
    for colour, (left, right) in sides.items():
        mask = np.zeros((64, 64), bool)
        mask[16:48, left:right] = True
        objects.append(SimpleNamespace(size="big", colour=colour, shape="square", mask=mask))
    return objects


def test_each_object_has_the_weight_of_the_cells_that_lie_on_it():
    objects = blocks(red=(8, 24), blue=(40, 56))
    weights = np.zeros((8, 8))
    weights[3, 1], weights[4, 6], weights[0, 0] = 0.5, 0.3, 0.2
    found = shares(weights.ravel(), objects)
    assert found == [(0.5, "the red square"), (0.3, "the blue square")]
    assert where_looked(weights.ravel(), objects) == found[0]


def test_a_cell_between_two_objects_counts_for_both():
    objects = blocks(red=(8, 36), blue=(36, 56))  # both reach into the fifth column of cells
    for column, both in ((2, False), (4, True), (6, False)):
        found = {name: share for share, name in shares(np.eye(64)[24 + column], objects)}
        assert sum(found.values()) == (2 if both else 1)
        assert found["the red square"] == (column < 6)


def test_no_object_has_more_than_all_of_the_weight():
    weights = np.full(64, np.float32(1 / 49))  # rounding in float32, of more than all
    everywhere = SimpleNamespace(
        size="big", colour="red", shape="square", mask=np.ones((64, 64), bool)
    )
    assert shares(weights, [everywhere]) == [(1.0, "the red square")]


def test_a_look_is_told_in_one_sentence():
    weights = np.full((8, 8), 0.0)
    weights[3, 1], weights[4, 6] = 0.25, 0.75
    told = "At “blue”: 75% of the weight on the blue square; strongest cell middle right."
    assert tell_look("blue", weights.ravel(), blocks(red=(8, 24), blue=(40, 56))) == told
    told = "At “blue”: 75% of the weight on the middle right; strongest cell middle right."
    assert tell_look("blue", weights.ravel(), None) == told


@pytest.mark.parametrize("scale", [16, 22, 37])
def test_a_picture_beneath_the_veil_keeps_its_colour_where_the_weight_is_alone(scale):
    image = np.full((64, 64, 3), (200, 100, 50), np.uint8)
    pixels = veiled(image, np.eye(64)[10], scale)
    assert pixels.shape == (8 * scale, 8 * scale, 3)
    assert pixels.dtype == np.uint8
    row, column = scale, 2 * scale
    assert (pixels[row + 6 : row + scale - 6, column + 6 : column + scale - 6] == image[0, 0]).all()
    assert pixels[row + 3, column + 3].tolist() == [255, 255, 255]
    assert pixels[row, column].tolist() == [0, 0, 0]
    dark = np.rint((24, 26, 34) + (np.array([200, 100, 50]) - (24, 26, 34)) * (40 / 255))
    assert pixels[-1, -1].tolist() == dark.tolist()


def test_more_weight_lets_more_light_through():
    white = np.full((64, 64, 3), 255, np.uint8)
    weights = np.zeros((8, 8))
    weights[0, :5] = 16, 9, 4, 1, 0
    light = veiled(white, weights.ravel(), 32)[16, 16 : 16 + 5 * 32 : 32, 0].astype(int)
    assert light[0] == 255
    assert np.all(np.diff(light) < -20)
    steps = (light - light[4]) / (light[0] - light[4])
    np.testing.assert_allclose(steps, [1, 0.75, 0.5, 0.25, 0], atol=0.01)


def test_a_small_picture_keeps_its_pixels_and_a_large_one_is_averaged():
    even = np.ones(49)
    for side, colours in ((32, {0, 255}), (224, {0, 255}), (448, {128})):
        image = np.zeros((side, side, 3), np.uint8)
        image[:, ::2] = 255
        pixels = veiled(image, even, 32)
        assert pixels.shape == (224, 224, 3)
        assert set(pixels[32:].ravel().tolist()) == colours  # below the framed cell
