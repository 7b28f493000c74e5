import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics.detection import average_precision, detector_pointing
from cs_caption.metrics.pointing import cells_on

SCENES = {level: list(Scenes("val", n=60, level=level)) for level in ("simple", "rich")}


def test_average_precision_of_an_example_by_hand():
    """Found first and third: precision 1 and 2/3 where recall rises."""
    found = average_precision([0.6, 0.9, 0.7, 0.8], [0, 1, 1, 0])
    assert found == pytest.approx((1 + 2 / 3) / 2)


def test_average_precision_is_the_area_under_precision_against_recall():
    state = np.random.RandomState(0)
    for n in (1, 2, 7, 40):
        scores, there = state.randint(5, size=n) / 4, state.rand(n) < 0.5
        there[0] = True
        area = recall = 0.0
        for threshold in sorted(set(scores), reverse=True):
            taken = scores >= threshold
            now = there[taken].sum() / there.sum()
            area += (now - recall) * there[taken].mean()
            recall = now
        assert average_precision(scores, there) == pytest.approx(area)


def test_right_and_wrong_orders_are_told_apart_and_none_is_the_share():
    there = np.arange(100) < 30
    assert average_precision(-np.arange(100), there) == 1.0
    assert average_precision(np.arange(100), there) < 0.2
    assert average_precision(np.zeros(100), there) == pytest.approx(0.3)


def test_of_a_word_that_is_nowhere_there_is_no_precision():
    assert average_precision([0.2, 0.4], [0, 0]) is None


@pytest.mark.parametrize(
    ("scores", "there", "words"),
    [([1.0, 2.0], [1], "same length"), ([[1.0]], [[1]], "same length"), ([np.nan], [1], "NaN")],
)
def test_scores_that_do_not_fit_are_refused(scores, there, words):
    with pytest.raises(ValueError, match=words):
        average_precision(scores, there)


# Where detectors fire.


def words_of(scenes, trait):
    return sorted({getattr(one, trait) for scene in scenes for one in scene.objects})


def maps_on(scenes, words, trait, aim):
    """Logits that are highest on the object that `aim(objects, k)` chooses for the k-th."""
    maps = np.full((len(scenes), 64, len(words)), -9.0)
    for cells, scene in zip(maps, scenes, strict=True):
        on = cells_on(np.stack([one.mask for one in scene.objects]), 64)
        for k, one in enumerate(scene.objects):
            best = on[aim(scene.objects, k)].argmax()
            cells[best, words.index(getattr(one, trait))] = -1.0
    return maps


def the_object(objects, k):
    return k


def the_next_one(objects, k):
    return (k + 1) % len(objects)


@pytest.mark.parametrize("trait", ["shape", "colour"])
@pytest.mark.parametrize("level", ["simple", "rich"])
def test_each_object_that_is_the_only_one_of_its_trait_counts(level, trait):
    scenes = SCENES[level]
    words = words_of(scenes, trait)
    alone = 0
    for scene in scenes:
        traits = [getattr(one, trait) for one in scene.objects]
        alone += len(traits) > 1 and sum(traits.count(one) == 1 for one in traits)
    score = detector_pointing(
        maps_on(scenes, words, trait, the_object), words, [s.objects for s in scenes], trait
    )
    assert score.counted == alone > 20
    assert score.skipped == 0
    assert score.accuracy == 1.0
    for record in score.records:
        noun = scenes[record.item].objects[record.object]
        map_of_it = maps_on(scenes, words, trait, the_object)[record.item]
        assert record.cell == map_of_it[:, words.index(getattr(noun, trait))].argmax()


def test_cells_on_another_object_are_no_hits():
    scenes = SCENES["simple"]
    words = words_of(scenes, "shape")
    elsewhere = maps_on(scenes, words, "shape", the_next_one)
    score = detector_pointing(elsewhere, words, [s.objects for s in scenes])
    assert score.counted > 20
    assert score.accuracy < 0.1


def test_objects_without_a_detector_do_not_count():
    scenes = SCENES["simple"]
    objects = [scene.objects for scene in scenes]
    words = words_of(scenes, "shape")
    maps = maps_on(scenes, words, "shape", the_object)
    circles = words.index("circle")
    score = detector_pointing(maps[:, :, [circles]], ["circle"], objects)
    told = [objects[record.item][record.object].shape for record in score.records]
    assert set(told) == {"circle"}
    assert detector_pointing(maps[:, :, :0], [], objects).accuracy is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"maps": np.zeros((2, 64, 1))}, r"maps of shape \(2, 64, 1\), 1 words, objects of 1"),
        ({"maps": np.zeros((1, 64, 2))}, "1 words"),
        ({"maps": np.zeros((1, 64))}, r"\(N, L, V\)"),
        ({"trait": "size"}, "no trait is called 'size'"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    given = {
        "maps": np.zeros((1, 64, 1)),
        "words": ["star"],
        "objects": [SCENES["simple"][0].objects],
    }
    with pytest.raises(ValueError, match=words):
        detector_pointing(**given | change)
