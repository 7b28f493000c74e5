"""Captioned pictures from anywhere."""

import numpy as np
import pytest

from cs_caption.data import CaptionedImages

IMAGES = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
CAPTIONS = [["a cat"], ["a dog", "a hound"]]


def test_a_picture_comes_with_its_captions_and_id():
    data = CaptionedImages(IMAGES, CAPTIONS, ["x", "y"])
    assert len(data) == 2
    assert (data[1].image == IMAGES[1]).all()
    assert data[-1].captions == ("a dog", "a hound")
    assert data[np.int64(0)].id == "x"


def test_ids_default_to_numbers():
    assert CaptionedImages(IMAGES, CAPTIONS).ids == ["0", "1"]


def test_one_can_walk_through_the_pictures():
    assert [one.id for one in CaptionedImages(IMAGES, CAPTIONS)] == ["0", "1"]


@pytest.mark.parametrize("index", [2, -3])
def test_a_picture_that_is_not_there_is_refused(index):
    with pytest.raises(IndexError, match=f"picture {index} of 2"):
        CaptionedImages(IMAGES, CAPTIONS)[index]


@pytest.mark.parametrize(
    ("images", "captions", "ids", "error", "words"),
    [
        (IMAGES.astype(np.float32), CAPTIONS, None, TypeError, "uint8.*float32"),
        ([1, 2], CAPTIONS, None, TypeError, "uint8.*list"),
        (IMAGES[0], CAPTIONS, None, ValueError, r"\(N, H, W, 3\)"),
        (IMAGES[..., :2], CAPTIONS, None, ValueError, r"\(N, H, W, 3\)"),
        (IMAGES, CAPTIONS[:1], None, ValueError, "2 images but 1 captions"),
        (IMAGES, CAPTIONS, ["x"], ValueError, "2 images but 1 ids"),
        (IMAGES, ["a cat", "a dog"], None, TypeError, r"captions\[0\] is one string"),
        (IMAGES, [["a cat"], []], None, ValueError, r"captions\[1\] is empty"),
        (IMAGES, [["a cat"], [3]], None, TypeError, r"captions\[1\] holds 3"),
        (IMAGES, CAPTIONS, ["x", "x"], ValueError, "'x' is given to two"),
        (IMAGES, CAPTIONS, ["x", 2], TypeError, "strings, got 2"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_words(images, captions, ids, error, words):
    with pytest.raises(error, match=words):
        CaptionedImages(images, captions, ids)
