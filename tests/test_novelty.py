import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.data import Scenes, Vocabulary  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.models.novelty import Novelty  # noqa: E402


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    words = Vocabulary.build(["a red square"])
    return Captioner(CaptionerConfig(len(words), attention=False)).eval()


@pytest.fixture(scope="module")
def novelty(model):
    return Novelty.fit(model, Scenes("train", n=1500).images, Scenes("val", n=300).images)


def noise():
    return np.random.RandomState(0).randint(0, 256, (64, 64, 3)).astype(np.uint8)


def slope():
    ramp = np.linspace(0, 255, 64)
    planes = np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64)), np.full((64, 64), 128)
    return np.stack(planes, axis=2).astype(np.uint8)


@pytest.mark.parametrize("picture", [noise(), slope()], ids=["noise", "slope"])
def test_what_is_no_scene_is_unlike(novelty, picture):
    assert novelty.is_unlike(picture[None])[0]


@pytest.mark.parametrize("grey", [20, 170, 255])
def test_an_empty_picture_is_farther_than_nearly_all_scenes(novelty, grey):
    empty = np.full((1, 64, 64, 3), grey, np.uint8)
    scenes = novelty.score(Scenes("test", n=300).images)
    assert novelty.score(empty)[0] > np.quantile(scenes, 0.95)


def test_few_held_out_scenes_are_unlike(novelty):
    assert novelty.is_unlike(Scenes("test", n=300).images).mean() < 0.03


def test_most_rich_scenes_are_unlike_simple_ones(novelty):
    assert novelty.is_unlike(Scenes("test", n=100, level="rich").images).mean() > 0.5


def test_what_is_saved_answers_the_same(model, novelty):
    images = Scenes("test", n=20).images
    again = Novelty.from_tensors(model, {**novelty.tensors(), "other": torch.zeros(1)})
    assert np.array_equal(again.score(images), novelty.score(images))


def test_a_model_saved_without_it_cannot_tell(model):
    assert Novelty.from_tensors(model, {}) is None


def test_a_picture_gets_its_score_whatever_is_beside_it(novelty):
    images = Scenes("test", n=20).images
    alone = np.concatenate([novelty.score(image[None]) for image in images])
    assert np.allclose(alone, novelty.score(images), rtol=1e-4)


def test_too_few_pictures_and_a_share_that_is_none_are_refused(model):
    images = Scenes("test", n=3).images
    with pytest.raises(ValueError, match="1 and 3 pictures"):
        Novelty.fit(model, images[:1], images)
    with pytest.raises(ValueError, match=r"quantile is 1\.5"):
        Novelty.fit(model, images, images, quantile=1.5)
