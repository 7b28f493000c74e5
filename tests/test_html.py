import base64
import io

import numpy as np
import pytest
from PIL import Image

from cs_caption.viz.html import Ids, escaped, page, picture, png_uri, scroll_box, table, tag


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_a_png_address_holds_the_very_pixels(shape):
    pixels = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    head, data = png_uri(pixels).split(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), pixels
    )


def test_pixels_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="expected uint8"):
        png_uri(np.zeros((2, 2)))
    for shape in ((4,), (4, 4, 2)):
        with pytest.raises(ValueError, match="expected"):
            png_uri(np.zeros(shape, np.uint8))


def test_text_is_escaped_for_content_and_for_attributes():
    assert escaped("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"
    assert tag("p", class_='x"y') == '<p class="x&quot;y"></p>'


def test_a_tag_writes_what_it_is_given_and_leaves_out_what_it_is_not():
    made = tag("div", "<i>in</i>", aria_label="a", hidden=True, id=None, title=False)
    assert made == '<div aria-label="a" hidden><i>in</i></div>'


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_picture_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt is empty"):
        picture("data:,", alt, 1, 1)


def test_ids_are_given_once():
    ids = Ids()
    assert [ids("a"), ids("b"), ids("a"), ids("a")] == ["a", "b", "a-2", "a-3"]


def test_a_table_says_what_its_cells_are_about():
    made = table("T < U", ("", "x"), [("row", "1")])
    assert "<caption>T &lt; U</caption>" in made
    assert '<th scope="row">row</th><td>1</td>' in made
    assert 'tabindex="0"' in scroll_box(made, "scrolls")


def test_a_page_names_its_language_and_title():
    made = page("a < b", "p {}", "<p>x</p>")
    assert made.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>a &lt; b</title>" in made
