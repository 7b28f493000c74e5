import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.data.crops import COLOURS, SHAPES, object_crops


def test_each_object_gives_one_crop_with_its_shape_and_colour():
    scenes = Scenes("val", n=20)
    crops = object_crops(scenes)
    objects = [one for scene in scenes for one in scene.objects]
    assert crops.images.shape == (len(objects), 32, 32, 3)
    assert crops.images.dtype == np.uint8
    assert [SHAPES[n] for n in crops.shapes] == [one.shape for one in objects]
    assert [COLOURS[n] for n in crops.colours] == [one.colour for one in objects]


def test_the_whole_object_is_inside_its_crop():
    scenes = Scenes("val", n=50)
    crops = iter(object_crops(scenes).images)
    for scene in scenes:
        for one in scene.objects:
            crop, inside = next(crops), one.mask.sum()
            places = [
                (y, x)
                for y in range(33)
                for x in range(33)
                if np.array_equal(scene.image[y : y + 32, x : x + 32], crop)
            ]
            assert any(one.mask[y : y + 32, x : x + 32].sum() == inside for y, x in places)


def test_a_crop_as_large_as_the_scene_is_the_scene():
    scenes = Scenes("val", n=2)
    assert np.array_equal(object_crops(scenes, size=64).images[0], scenes[0].image)


@pytest.mark.parametrize("size", [0, 65])
def test_a_size_that_does_not_fit_is_named(size):
    with pytest.raises(ValueError, match=f"size {size}.*64"):
        object_crops(Scenes("val", n=1), size=size)


def test_no_scene_at_all_is_an_error():
    with pytest.raises(ValueError, match="no objects"):
        object_crops([])
