"""A table of looks: what is drawn is where the weight lies, and each picture says so in words."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cs_caption.data import Scenes
from cs_caption.metrics.pointing import cells_on
from cs_caption.viz.looks import show_looks

SCENE = next(s for s in Scenes("val", n=30) if len({one.shape for one in s.objects}) == 2)
WORDS = ["a", "<END>"]
ALT = 'A scene of "two" objects.'


def on_object(k, weight=0.9):
    """Weights whose strongest cell lies on the scene's k-th object."""
    weights = np.full(64, (1 - weight) / 63)
    weights[cells_on(SCENE.objects[k].mask[None], 64)[0].argmax()] = weight
    return weights


MAPS = {"soft": np.stack([on_object(0), on_object(1)]), "hard & fast": np.eye(64)[[0, 63, 5]]}


def shown(maps=MAPS, words=WORDS, image=SCENE.image, alt=ALT, objects=SCENE.objects, **options):
    return show_looks(image, words, maps, objects=objects, alt=alt, **options)


def pictures(view):
    data = re.findall(r"base64,([^\"]+)", view.html)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in data]


def test_there_is_a_row_a_model_and_a_column_a_word():
    html = shown().html
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)<', html) == ["a", "&lt;END&gt;"]
    assert re.findall(r'<th scope="row"[^>]*>([^<]*)<', html) == ["soft", "hard &amp; fast"]
    assert [row.count("<img") for row in html.split("<tr")[2:]] == [2, 2]


def test_each_picture_is_bright_and_framed_where_its_weight_is():
    drawn = pictures(shown(size=160))
    upper_left, lower_right = drawn[2], drawn[3]
    side = len(upper_left)
    assert side == 320
    cell = side // 8
    assert np.array_equal(upper_left[cell // 2, cell // 2], SCENE.image[4, 4])
    assert upper_left[0, 0].tolist() == [0, 0, 0]
    assert upper_left[3, 3].tolist() == [255, 255, 255]
    assert lower_right[-4, -4].tolist() == [255, 255, 255]
    assert lower_right[cell // 2, cell // 2].mean() < SCENE.image[4, 4].mean() / 2


def test_each_picture_says_in_words_where_the_weight_lies():
    alts = re.findall(r'alt="([^"]*)"', shown().html)
    first, second = (f"the {one.colour} {one.shape}" for one in SCENE.objects)
    assert len(alts) == 4
    assert f"of the weight on {first}; strongest cell" in alts[0]
    assert f"of the weight on {second}; strongest cell" in alts[1]
    assert alts[1].startswith("At “&lt;END&gt;”: 9")
    assert alts[2].endswith("strongest cell upper left.")


def test_the_weight_of_the_strongest_cell_stands_below_each_picture():
    html = shown().html
    assert re.findall(r">(\d+%)<", html) == ["90%", "90%", "100%", "100%"]
    assert "the weight of its strongest cell" in html


def test_without_pictures_it_is_told_in_text():
    first, second = (f"the {one.colour} {one.shape}" for one in SCENE.objects)
    alt, soft, hard = repr(shown()).splitlines()
    assert alt == ALT
    assert re.fullmatch(rf"soft: a \(9\d% on {first}\), <END> \(9\d% on {second}\)", soft)
    assert hard.startswith("hard & fast: a (")


def test_where_no_truth_is_known_places_are_told():
    view = shown(objects=None)
    assert "<END> (100% on the lower right)" in repr(view)
    assert "100% of the weight on the upper left" in view.html


def test_a_wide_table_scrolls_by_keyboard_and_has_a_name():
    opening = shown().html.split(">")[0]
    for part in ('role="region"', 'tabindex="0"', "overflow-x:auto", "&quot;two&quot;"):
        assert part in opening


def test_it_needs_no_script_no_style_sheet_and_no_colour_of_its_own():
    html = shown().html
    assert not re.search(r"<script|<style|[^-]color:|background", html)


def test_rows_of_weights_are_shown_as_shares():
    doubled = {name: 2 * maps for name, maps in MAPS.items()}
    assert shown(doubled).html == shown().html


def test_what_was_given_is_left_as_it_was():
    maps = MAPS["soft"].copy()
    shown({"soft": maps})
    assert np.array_equal(maps, MAPS["soft"])


def test_pictures_are_as_wide_as_asked_for_but_never_too_small_for_the_frame():
    for size, wide in ((80, "80"), (160, "160"), (8, "80")):
        assert set(re.findall(r'<img[^>]* width="(\d+)"', shown(size=size).html)) == {wide}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"alt": " "}, ValueError, "alt is empty"),
        ({"words": []}, ValueError, "0 words of 2 models"),
        ({"maps": {}}, ValueError, "2 words of 0 models"),
        ({"words": "a cat"}, TypeError, "give a list"),
        ({"words": ["a"] * 3}, ValueError, r"'soft' of shape \(2, 64\)"),
        ({"maps": {"odd": np.ones((2, 60))}}, ValueError, "'odd' of shape"),
        ({"maps": {"flat": np.ones(64)}}, ValueError, "'flat' of shape"),
        ({"maps": {"dark": np.zeros((2, 64))}}, ValueError, r"'dark'\[0\] is no look"),
        ({"maps": {"nan": np.full((2, 64), np.nan)}}, ValueError, r"'nan'\[0\] is no look"),
        ({"maps": {"odd": np.tile([2.0, -1.0, 1, 1], (2, 1))}}, ValueError, "none negative"),
        ({"image": SCENE.image[:40]}, ValueError, r"shape \(40, 64, 3\)"),
        ({"image": SCENE.image / 255}, TypeError, "float64"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, error, words):
    with pytest.raises(error, match=words):
        shown(**change)
