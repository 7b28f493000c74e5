"""The built-in scenes: the same bits everywhere, with a truth that fits the pixels."""

import hashlib
import pickle

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.data.colours import distance, naming
from cs_caption.data.draws import Draw
from cs_caption.data.layout import SIMPLE_UNSEEN
from cs_caption.data.raster import OUTLINES, full_mask, visible
from cs_caption.data.rich_layout import RICH_COLOURS, RICH_UNSEEN, SHOWN, rich_layout
from cs_caption.data.scenes import LEVELS, SPLITS

UNSEEN = {"simple": SIMPLE_UNSEEN, "rich": RICH_UNSEEN}
BOTH = pytest.mark.parametrize("level", LEVELS)


@pytest.fixture(scope="module")
def some():
    return {level: list(Scenes("val", n=150, level=level)) for level in LEVELS}


def _fingerprint(scenes) -> str:
    digest = hashlib.sha256()
    for scene in scenes:
        digest.update(scene.image.tobytes())
        digest.update("\n".join(scene.captions).encode())
        for one in scene.objects:
            digest.update(np.packbits(one.mask).tobytes())
            digest.update(repr((one.kind, one.size, one.fine, one.box)).encode())
        digest.update(repr(scene.relations).encode())
    return digest.hexdigest()[:16]


FINGERPRINTS = {
    ("simple", "train"): "8c08e3531effb6e0",
    ("simple", "val"): "2490ab3c8d7a0944",
    ("simple", "test"): "8ee548ee32c72185",
    ("simple", "compositional"): "624a529525a10202",
    ("simple", "large"): "d4d1cbc00a30f644",
    ("rich", "train"): "98e5799f32304598",
    ("rich", "val"): "abdb7e5dcf233613",
    ("rich", "test"): "34ec21ea69626a03",
    ("rich", "compositional"): "ad8ed609b54edf91",
    ("rich", "large"): "841a9343f10cd7ae",
}


@BOTH
@pytest.mark.parametrize("split", SPLITS)
def test_the_bits_are_those_that_were_written_down(level, split):
    assert _fingerprint(Scenes(split, n=24, level=level)) == FINGERPRINTS[level, split]


@BOTH
def test_a_picture_does_not_depend_on_how_many_are_asked_for(level):
    few, many = Scenes("test", n=3, level=level), Scenes("test", n=9, level=level)
    assert (many.images[:3] == few.images).all()
    assert many.captions[:3] == few.captions
    assert many.ids[:3] == few.ids


@BOTH
def test_one_scene_is_the_same_as_in_the_whole(level):
    scenes = Scenes("test", n=6, level=level)
    assert (scenes[4].image == scenes.images[4]).all()
    assert list(scenes[4].captions) == scenes.captions[4]
    assert scenes[4].id == scenes.ids[4] == f"{level}-test-0-000004"
    assert (scenes[-2].image == scenes[np.int64(4)].image).all()
    assert [scene.id for scene in scenes] == scenes.ids


def test_splits_seeds_and_levels_share_no_picture():
    seen = set()
    asked = [(split, 0) for split in SPLITS] + [("train", 1)]
    for level in LEVELS:
        for split, seed in asked:
            scenes = Scenes(split, n=40, level=level, seed=seed)
            seen |= {image.tobytes() for image in scenes.images}
    assert len(seen) == 2 * 6 * 40


def test_sizes_are_those_of_the_syllabus():
    assert {split: len(Scenes(split)) for split in SPLITS} == {
        **{"train": 8000, "val": 1000, "test": 1000, "compositional": 1000},
        "large": 100_000,
    }


def test_one_picture_of_the_large_split_is_made_alone():
    scenes = Scenes("large")
    assert scenes[99_999].id == "simple-large-0-099999"
    assert "_all" not in vars(scenes)


@BOTH
def test_images_are_bytes_and_kept(level):
    scenes = Scenes("train", n=5, level=level)
    assert scenes.images.shape == (5, 64, 64, 3)
    assert scenes.images.dtype == np.uint8
    assert scenes.images is scenes.images


def test_scenes_can_be_sent_to_another_process():
    scenes = pickle.loads(pickle.dumps(Scenes("test", n=2, level="rich")))
    assert (scenes.images == Scenes("test", n=2, level="rich").images).all()


@BOTH
def test_held_out_pairs_are_seen_in_the_compositional_split_only(level):
    for split in SPLITS:
        for scene in Scenes(split, n=60, level=level):
            kinds = {one.kind for one in scene.objects}
            assert bool(kinds & UNSEEN[level]) == (split == "compositional")


@BOTH
def test_every_shape_and_colour_of_a_held_out_pair_is_trained_in_other_pairs(level):
    seen = [one.kind for scene in Scenes("train", n=600, level=level) for one in scene.objects]
    colours, shapes = (set(column) for column in zip(*seen, strict=True))
    assert {colour for colour, _ in UNSEEN[level]} <= colours
    assert {shape for _, shape in UNSEEN[level]} <= shapes


def test_levels_show_what_the_syllabus_says(some):
    simple, rich = some["simple"], some["rich"]
    assert {len(scene.objects) for scene in simple} == {1, 2}
    assert {len(scene.objects) for scene in rich} == {1, 2, 3, 4}
    assert {scene.background.pattern for scene in simple} == {"plain"}
    patterns = {"plain", "stripes", "checks", "dots"}
    assert {one.pattern for scene in rich for one in scene.objects} == patterns
    assert {scene.background.pattern for scene in rich} == {*patterns, "shaded", "halves"}
    assert {one.shape for scene in rich for one in scene.objects} == set(OUTLINES)
    assert {one.colour for scene in rich for one in scene.objects} == set(RICH_COLOURS)
    names = {relation.name for scene in rich for relation in scene.relations}
    assert names == {
        *("left of", "right of", "above", "below"),
        *("touching", "on", "behind", "in front of"),
    }


@BOTH
def test_objects_of_one_kind_are_there_to_be_counted(some, level):
    alike = [len({o.kind for o in s.objects}) < len(s.objects) for s in some[level]]
    assert 0.1 < np.mean(alike) < 0.5


@BOTH
def test_masks_are_disjoint_and_boxes_hold_them_tightly(some, level):
    for scene in some[level]:
        assert sum(one.mask.astype(int) for one in scene.objects).max() == 1
        for one in scene.objects:
            x0, y0, x1, y1 = one.box
            assert one.mask.sum() == one.mask[y0:y1, x0:x1].sum() >= 30
            for side in (one.mask[y0], one.mask[y1 - 1], one.mask[:, x0], one.mask[:, x1 - 1]):
                assert side.any()


@BOTH
def test_no_object_reaches_the_edge(some, level):
    for scene in some[level]:
        for one in scene.objects:
            x0, y0, x1, y1 = one.box
            assert min(x0, y0) >= 1
            assert max(x1, y1) <= 63


@BOTH
def test_the_pixels_of_a_plain_object_have_its_colour(some, level):
    for scene in some[level]:
        for one in scene.objects:
            if one.pattern == "plain":
                right = (scene.image[one.mask] == one.rgb).all(axis=1)
                assert right.mean() > 0.35  # the rest lies on an edge, blended


def test_the_pixels_of_a_patterned_object_have_two_colours(some):
    for scene in some["rich"]:
        for one in scene.objects:
            if one.pattern != "plain":
                mine = (scene.image[one.mask] == one.rgb).all(axis=1)
                assert 0.02 < mine.mean() < 0.8
                assert one.second not in ("", one.colour)


def test_pixels_outside_all_objects_show_the_background(some):
    for scene in some["simple"]:
        outside = scene.image[~np.any([one.mask for one in scene.objects], axis=0)]
        assert (outside == scene.background.rgb).all(axis=1).mean() > 0.9


def test_colours_are_named_by_what_they_look_like(some):
    for scene in some["rich"]:
        for one in scene.objects:
            assert naming(one.rgb) == (one.colour, (one.fine, *naming(one.rgb)[1][1:]))


@BOTH
def test_every_object_can_be_told_from_a_plain_background(some, level):
    for scene in some[level]:
        if scene.background.pattern == "plain":
            for one in scene.objects:
                assert distance(one.rgb, scene.background.rgb) > 15_000


def test_sizes_are_what_they_are_called(some):
    spans = {}
    for scene in some["simple"]:
        for one in scene.objects:
            x0, y0, x1, y1 = one.box
            spans.setdefault(one.size, []).append(max(x1 - x0, y1 - y0))
    assert 11 <= min(spans["small"]) <= max(spans["small"]) < min(spans["big"])


def test_what_is_partly_hidden_is_still_seen_well():
    for index in range(150):
        layout = rich_layout(Draw(9, index), unseen=False)
        stencils = [sketch.stencil for sketch in layout.sketches]
        for mask, one in zip(visible(stencils), stencils, strict=True):
            assert mask.sum() >= SHOWN / 100 * full_mask(one).sum()


@BOTH
def test_relations_hold_between_the_masks(some, level):
    opposite = {"left of": "right of", "above": "below", "behind": "in front of"}
    for scene in some[level]:
        centres = [np.argwhere(one.mask).mean(axis=0) for one in scene.objects]
        facts = {(r.subject, r.name, r.object) for r in scene.relations}
        for a, name, b in facts:
            assert a != b
            (ya, xa), (yb, xb) = centres[a], centres[b]
            if name in opposite:
                assert (b, opposite[name], a) in facts
            assert name != "left of" or xa < xb
            assert name != "above" or ya < yb
            assert name != "behind" or a < b
            assert name != "on" or ya < yb


def test_objects_that_touch_are_no_more_than_a_pixel_apart(some):
    for scene in some["rich"]:
        for relation in scene.relations:
            if relation.name in ("touching", "on", "behind"):
                one, other = (
                    np.argwhere(scene.objects[k].mask) for k in (relation.subject, relation.object)
                )
                gaps = np.abs(one[:, None] - other[None]).sum(axis=2)
                assert gaps.min() <= 2


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("trian",), ValueError, "no split is called 'trian': choose one of train, val"),
        (("train", None, "easy"), ValueError, "no level is called 'easy': choose one of simple"),
        (("train", 0), ValueError, "n is 0"),
        (("train", -5), ValueError, "n is -5"),
        (("train", 2.5), TypeError, "float"),
        (("train", 1, "rich", -1), ValueError, "seed is -1"),
        (("train", 1, "rich", 2**32), ValueError, "seed is 4294967296"),
    ],
)
def test_what_is_not_there_is_refused_in_words(arguments, error, words):
    with pytest.raises(error, match=words):
        Scenes(*arguments)


@pytest.mark.parametrize("index", [3, -4, 10**9])
def test_a_picture_that_is_not_there_is_refused(index):
    with pytest.raises(IndexError, match=f"picture {index} of 3: ask for 0 to 2"):
        Scenes("train", n=3)[index]
