"""Numbered boxes for the regions that words chose, and the same in words."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from cs_caption.data import Scenes
from cs_caption.metrics.pointing import cells_on
from cs_caption.viz.grounding import place_of, show_alignments, show_grounding, signed

SCENE = next(s for s in Scenes("val", n=30) if len({one.shape for one in s.objects}) == 2)
FIRST, SECOND = SCENE.objects
ON_FIRST, ON_SECOND = (int(cells_on(one.mask[None], 64)[0].argmax()) for one in (FIRST, SECOND))
WORDS = ["woman", "in", "white", "dress", "with", "tennis", "racket"]
SCORES = [1.12, -0.28, 1.23, 1.45, -0.13, 3.58, 1.81]
REGIONS = [7, 0, 7, 7, 63, 20, 20]
ALT = 'A scene, and a "sentence" on it.'


def shown(words=WORDS, scores=SCORES, regions=REGIONS, image=SCENE.image, cells=64, **options):
    return show_grounding(image, words, scores, regions, cells=cells, **{"alt": ALT} | options)


class Structure(HTMLParser):
    """The elements of some markup, refusing what is not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.seen.append((name, dict(attributes)))
        if name != "img":
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        self.text += data

    def all(self, name):
        return [attributes for found, attributes in self.seen if found == name]


def pixels(view, which=0):
    data = re.findall(r"base64,([^\"]+)", view.html)[which]
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def plain(markup):
    return re.sub(r"<[^>]*>", "", markup)


def rows(view):
    """The cells of each row of the table's body, as text."""
    body = re.search(r"<tbody>(.*?)</tbody>", view.html)[1]
    return [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body)
    ]


def test_boxes_are_numbered_as_a_reader_comes_upon_them_and_shared_by_neighbours():
    assert rows(shown()) == [
        ["woman", "1.12", "1", "upper right"],
        ["in", "−0.28", "2", "upper left"],
        ["white", "1.23", "1", "upper right"],
        ["dress", "1.45"],
        ["with", "−0.13", "3", "lower right"],
        ["tennis", "3.58", "4", "upper middle"],
        ["racket", "1.81"],
    ]
    assert re.findall(r'rowspan="(\d)"', shown().html) == list("1111221122")


def test_the_sentence_stands_in_runs_each_with_the_number_of_its_box():
    runs = re.findall(r"<span[^>]*>(.*?)</span>", shown().html)
    expected = ["woman [1]", "in [2]", "white dress [1]", "with [3]", "tennis racket [4]"]
    assert [plain(run) for run in runs] == expected


def test_words_with_at_least_half_of_the_highest_score_are_bold():
    html = shown().html
    assert re.findall(r"<th [^>]*scope=\"row\"[^>]*><b>(\w+)", html) == ["tennis", "racket"]
    assert "<b>3.58</b>" in html
    assert "<b>1.45</b>" not in html


def test_where_no_word_scores_above_nothing_none_is_bold():
    view = shown(scores=[-1.0] * 6 + [0.0])
    assert "<b>" not in re.search(r"<tbody>.*</tbody>", view.html)[0]
    assert "No word scores above 0." in Structure(view.html).all("img")[0]["alt"]


def test_the_sum_of_the_words_stands_below_them():
    foot = re.search(r"<tfoot>(.*)</tfoot>", shown().html)[1]
    assert plain(foot) == "sum8.78"
    assert repr(shown()).endswith("\nsum 8.78")


def test_the_alt_text_says_where_each_strong_word_lies():
    alt = Structure(shown().html).all("img")[0]["alt"]
    assert alt == (
        f"{ALT} Strongest words: “tennis” upper middle (box 4); “racket” upper middle (box 4)."
    )


def test_where_the_objects_are_known_it_says_on_which_a_region_lies():
    far = max(range(64), key=lambda cell: _distance(cell))
    view = shown(["a", "b", "c"], [1, 1, 1], [ON_FIRST, ON_SECOND, far], objects=SCENE.objects)
    places = [row[3] for row in rows(view)]
    assert places[0].endswith(f"on the {FIRST.colour} {FIRST.shape}")
    assert places[1].endswith(f"on the {SECOND.colour} {SECOND.shape}")
    assert places[2].endswith(", on the background")


def _distance(cell):
    """From a cell's centre to the nearest pixel of any object."""
    y, x = (8 * k + 4 for k in divmod(cell, 8))
    down, across = np.nonzero(FIRST.mask | SECOND.mask)
    return np.hypot(down - y, across - x).min()


def test_each_box_is_drawn_around_its_own_cell_and_no_other_pixel_is_changed():
    grey = np.full((64, 64, 3), 130, np.uint8)
    drawn = pixels(shown(["a", "b"], [2.0, 0.1], [10, 51], grey))
    assert drawn.shape == (320, 320, 3)
    changed = (drawn != 130).any(axis=2).reshape(8, 40, 8, 40).any(axis=(1, 3))
    assert np.argwhere(changed).tolist() == [[1, 2], [6, 3]]
    for row, column in ((1, 2), (6, 3)):
        cell = drawn[40 * row : 40 * row + 40, 40 * column : 40 * column + 40]
        assert cell[0].max() == cell[-1].max() == cell[:, 0].max() == cell[:, -1].max() == 0


def test_boxes_of_strong_words_are_thicker():
    grey = np.full((64, 64, 3), 130, np.uint8)
    drawn = pixels(shown(["a", "b"], [2.0, 0.1], [10, 51], grey))
    strong, weak = drawn[40:80, 110, 0], drawn[240:280, 150, 0]
    assert strong[:8].tolist() == [0, 0, 255, 255, 0, 0, 130, 130]
    assert weak[:4].tolist() == [0, 255, 130, 130]


def test_two_boxes_have_different_numbers_in_the_picture():
    grey = np.full((64, 64, 3), 130, np.uint8)
    drawn = pixels(shown(["a", "b"], [1.0, 1.0], [10, 51], grey))
    assert not np.array_equal(drawn[40:80, 80:120], drawn[240:280, 120:160])


@pytest.mark.parametrize(
    ("shape", "cells", "expected"),
    [
        ((64, 64, 3), 196, (322, 322)),
        ((64, 64, 3), 1, (320, 320)),
        ((64, 64, 3), 1024, (640, 640)),
        ((48, 96, 3), 64, (160, 320)),
        ((500, 400, 3), 64, (320, 256)),
        ((1, 300, 3), 4, (1, 320)),
    ],
)
def test_pictures_and_grids_of_any_size_can_be_drawn(shape, cells, expected):
    view = shown(["a"], [1.0], [cells - 1], np.full(shape, 77, np.uint8), cells)
    assert pixels(view).shape[:2] == expected


def test_places_are_told_by_thirds_and_the_whole_picture_as_such():
    told = [place_of(region, 64) for region in (0, 7, 27, 56, 31)]
    assert told == ["upper left", "upper right", "middle", "lower left", "middle right"]
    assert place_of(0, 1) == "the whole picture"


def test_scores_have_two_decimals_a_true_minus_sign_and_no_negative_nothing():
    assert [signed(x) for x in (1, -0.284, -0.001, np.float32(2.25))] == [
        "1.00", "−0.28", "0.00", "2.25",
    ]  # fmt: skip


def test_without_pictures_it_is_told_in_text():
    lines = repr(shown()).splitlines()
    assert lines[0] == ALT
    assert lines[3] == "- [1] upper right: white 1.23, dress 1.45"
    assert len(lines) == 7


def test_what_stands_after_the_last_word_is_not_looked_at():
    padded = shown(scores=[*SCORES, np.nan], regions=[*REGIONS, -1])
    assert padded.html == shown().html


def test_it_needs_no_script_no_style_sheet_and_no_colour_of_its_own():
    html = shown().html
    Structure(html)
    assert not re.search(r"<script|<style|[^-]color:|background-color", html)


def test_words_with_markup_are_shown_and_not_obeyed():
    view = shown(["<script>", "&"], [1, 1], [0, 1], alt='<img src="http://x.y">')
    structure = Structure(view.html)
    assert not structure.all("script")
    assert [image["src"][:5] for image in structure.all("img")] == ["data:"]
    assert "<script> [1]" in structure.text


def test_what_was_given_is_left_as_it_was():
    image, scores, regions = SCENE.image.copy(), np.array(SCORES), np.array(REGIONS)
    shown(scores=scores, regions=regions, image=image)
    assert np.array_equal(image, SCENE.image)
    assert scores.tolist() == SCORES
    assert regions.tolist() == REGIONS


def test_tensors_do_as_well_as_arrays():
    torch = pytest.importorskip("torch")
    view = shown(scores=torch.tensor(SCORES, dtype=torch.float64), regions=torch.tensor(REGIONS))
    assert view.html == shown().html


def test_alignments_stand_side_by_side_each_with_its_runs_and_boxes_counted():
    ways = {"plain": (SCORES, REGIONS), "smoothed & all": (SCORES, [20] * 7)}
    view = show_alignments(SCENE.image, WORDS, ways, cells=64, alt=ALT)
    structure = Structure(view.html)
    assert len(structure.all("img")) == len(structure.all("table")) == 2
    assert "plain: 5 runs of words, 4 boxes" in structure.text
    assert "smoothed & all: 1 run of words, 1 box" in structure.text
    assert "woman in white dress with tennis racket [1]" in structure.text
    assert structure.all("img")[1]["alt"].startswith(f"{ALT} Alignment: smoothed & all. Strongest")
    assert "plain: 5 runs of words, 4 boxes:\n- [1] upper right: woman 1.12\n" in repr(view)
    assert pixels(view, 0).tolist() != pixels(view, 1).tolist()


def test_no_alignment_is_refused():
    with pytest.raises(ValueError, match="alignments is empty"):
        show_alignments(SCENE.image, WORDS, {}, cells=64, alt=ALT)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"alt": " "}, ValueError, "alt is empty"),
        ({"words": []}, ValueError, "0 words"),
        ({"words": "a cat"}, TypeError, "give a list"),
        ({"scores": SCORES[:6]}, ValueError, r"word_scores of shape \(6,\) for 7 words"),
        ({"scores": [np.nan] * 7}, ValueError, "word_scores has nan"),
        ({"scores": np.ones((7, 2))}, ValueError, r"shape \(7, 2\)"),
        ({"regions": REGIONS[:6]}, ValueError, r"regions of shape \(6,\)"),
        ({"regions": [64] * 7}, ValueError, "whole numbers, 0 to 63"),
        ({"regions": [-1] * 7}, ValueError, "whole numbers, 0 to 63"),
        ({"regions": np.array(REGIONS, float)}, ValueError, "whole numbers"),
        ({"cells": 60}, ValueError, "cells is 60"),
        ({"cells": 0}, ValueError, "cells is 0"),
        ({"image": SCENE.image[..., :2]}, ValueError, r"shape \(64, 64, 2\)"),
        ({"image": SCENE.image / 255}, TypeError, "float64"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, error, words):
    with pytest.raises(error, match=words):
        shown(**change)


def test_a_region_of_several_cells_is_boxed_whole_as_far_as_the_picture_goes():
    plain_image = np.full((64, 64, 3), 90, np.uint8)
    for region, rows, columns in ((27, (2, 5), (2, 5)), (0, (0, 2), (0, 2)), (63, (6, 8), (6, 8))):
        drawn = pixels(shown(["star"], [2.0], [region], plain_image, window=3))
        touched = np.argwhere((drawn != 90).any(axis=2))
        cell = drawn.shape[0] // 8
        assert touched.min(axis=0).tolist() == [rows[0] * cell, columns[0] * cell]
        assert touched.max(axis=0).tolist() == [rows[1] * cell - 1, columns[1] * cell - 1]


def test_among_regions_of_several_cells_weak_words_have_a_number_alone():
    plain_image = np.full((64, 64, 3), 90, np.uint8)
    strong = pixels(shown(["star"], [2.0], [9], plain_image, window=3))
    both = pixels(shown(["star", "a"], [2.0, 0.1], [9, 54], plain_image, window=3))
    added = np.argwhere((strong != both).any(axis=2))
    cell = both.shape[0] // 8
    assert len(added) > 0
    assert (added >= 6 * cell).all()
    assert (added < 7 * cell).all()


@pytest.mark.parametrize("window", [0, 2])
def test_a_window_without_a_middle_is_refused(window):
    with pytest.raises(ValueError, match=f"window is {window}: expected an odd number"):
        shown(window=window)
