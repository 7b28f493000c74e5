import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics.pointing import cells_on
from cs_caption.viz.attention import describe_objects, strongest_place, veil, where_looked

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
