import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cs_caption.viz.grid import shades, show_grid
from cs_caption.viz.matrix import NEGATIVE, POSITIVE

ALT = "A red tile and a green one."
RED, GREEN = (np.full((5, 7, 3), rgb, np.uint8) for rgb in ((255, 0, 0), (0, 255, 0)))


def drawn(view):
    data = re.search(r"base64,([^\"]+)", view.html)[1]
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def share_of(pixels, rgb):
    return float((pixels == rgb).all(axis=-1).mean())


def test_every_picture_is_drawn_and_as_large_as_the_others():
    pixels = drawn(show_grid({"one": [RED, GREEN], "two": [GREEN]}, alt=ALT))
    red, green = share_of(pixels, (255, 0, 0)), share_of(pixels, (0, 255, 0))
    assert red > 0.05
    assert green == pytest.approx(2 * red, rel=0.05)


def test_what_it_shows_is_said_in_words():
    view = show_grid({"one": [RED]}, ["first"], alt=ALT)
    assert f'alt="{ALT}"' in view.html
    assert repr(view) == ALT


def test_shades_are_white_at_zero_blue_above_and_orange_below():
    found = shades(np.array([[0.0, 2.0], [-2.0, 1.0]]))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[0, 1].tolist() == list(POSITIVE)
    assert found[1, 0].tolist() == list(NEGATIVE)
    assert POSITIVE[0] < found[1, 1, 0] < 255


def test_maps_of_nothing_but_zeros_are_white():
    assert (shades(np.zeros((2, 3, 3))) == 255).all()


def test_a_row_of_maps_has_one_scale():
    weak, strong = np.full((2, 2), 0.1), np.full((2, 2), 1.0)
    pixels = drawn(show_grid({"maps": [weak, strong]}, alt=ALT))
    assert share_of(pixels, POSITIVE) == pytest.approx(
        share_of(pixels, shades(np.array([[0.1, 1.0]]))[0, 0]), rel=0.1
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [({}, "no rows"), ({"one": []}, "'one' has no pictures"), ({"one": [np.zeros(3)]}, "(3,)")],
)
def test_what_cannot_be_drawn_is_named(rows, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        show_grid(rows, alt=ALT)


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="alt"):
        show_grid({"one": [RED]}, alt=" ")
