"""Small pictures side by side: what is drawn is what was given, and each is named in words."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cs_caption.viz.pictures import show_pictures

PIXELS = np.random.RandomState(0).randint(0, 256, (2, 3, 4, 3)).astype(np.uint8)


def shown(images=PIXELS, captions=("a", "b < c"), alt="two pictures", **options):
    return show_pictures(images, captions, alt=alt, **options)


def drawn(view):
    data = re.findall(r"base64,([^\"]+)", view.html)
    return np.stack([np.array(Image.open(io.BytesIO(base64.b64decode(one)))) for one in data])


def test_the_pixels_that_were_given_are_drawn_each_as_a_square():
    assert np.array_equal(drawn(shown()), PIXELS)
    assert "image-rendering:pixelated" in shown().html
    assert re.findall(r'width="(\d+)" height="(\d+)"', shown(size=60).html) == [("80", "60")] * 2


def test_pixels_that_lie_anywhere_in_memory_are_drawn_too():
    assert np.array_equal(drawn(shown(PIXELS[:, ::-1, ::2])), PIXELS[:, ::-1, ::2])


def test_floats_are_grey_from_black_to_white():
    grey = np.array([[[0.0, 0.5, 1.0]], [[1.0, 1.0, 0.2]]])
    assert drawn(shown(grey)).tolist() == [[[0, 128, 255]], [[255, 255, 51]]]


def test_each_picture_has_its_caption_below_and_as_its_words():
    html = shown().html
    assert re.findall(r'alt="([^"]+)"', html) == ["Picture 1 of 2: a", "Picture 2 of 2: b &lt; c"]
    assert re.findall(r"<figcaption[^>]*>([^<]*)<", html) == ["a", "b &lt; c"]
    assert 'aria-label="two pictures"' in html
    assert repr(shown()) == "two pictures\n- a\n- b < c"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"images": PIXELS[0]}, ValueError, r"2 captions for 3 pictures"),
        ({"images": PIXELS[0, 0]}, ValueError, r"shape \(4, 3\): expected \(n, H, W, 3\)"),
        ({"images": PIXELS[..., :2]}, ValueError, r"shape \(2, 3, 4, 2\)"),
        ({"images": PIXELS / 255}, TypeError, "images of float64: expected uint8"),
        ({"images": PIXELS[..., 0].astype(int)}, TypeError, "images of int64"),
        ({"images": PIXELS[..., 0] / 100}, ValueError, "from 0 .black. to 1 .white."),
        ({"images": np.full((2, 3, 3), np.nan)}, ValueError, "from 0"),
        ({"captions": ["a"]}, ValueError, "1 captions for 2 pictures"),
        ({"alt": " "}, ValueError, "alt is empty"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(change, error, words):
    with pytest.raises(error, match=words):
        shown(**change)
