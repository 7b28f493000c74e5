"""The explorer of attention: a word chosen, where the model looked, without a script."""

import base64
import io
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from cs_caption.data import Scenes
from cs_caption.metrics.pointing import cells_on
from cs_caption.viz.explorer import show_attention

SCENE = next(
    scene
    for scene in Scenes("val", n=30)
    if len(scene.objects) == 2 and len({(one.colour, one.shape) for one in scene.objects}) == 2
)
FIRST, SECOND = SCENE.objects
NAMES = [f"{one.colour} {one.shape}" for one in SCENE.objects]
WORDS = ["a", FIRST.colour, FIRST.shape]


def looks_at(one, weight=0.9):
    """Weights with so much on one cell of an object, and the rest spread evenly."""
    weights = np.full(64, (1 - weight) / 63)
    weights[cells_on(one.mask[None], 64)[0].argmax()] = weight
    return weights


MAPS = np.stack([looks_at(SECOND, 0.4), looks_at(FIRST, 0.6), looks_at(FIRST)])


def shown(words=WORDS, maps=MAPS, **options):
    options = {"objects": SCENE.objects, "alt": "A scene, and what is said of it."} | options
    return show_attention(SCENE.image, words, maps, **options)


class Structure(HTMLParser):
    """The elements of a page, refusing what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.text = ""
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

    def all(self, name: str) -> list[dict]:
        return [attributes for found, attributes in self.seen if found == name]


def pixels_of(image: dict) -> np.ndarray:
    data = image["src"].removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_each_word_is_a_summary_that_opens_its_own_picture():
    html = shown().html
    assert re.findall(r"<summary[^>]*>(\w+)</summary>", html) == WORDS
    for part in re.findall(r"<details.*?</details>", html):
        assert part.count("<img") == 1


def test_the_alt_text_says_in_words_where_the_weight_lies_and_how_much():
    alts = [image["alt"] for image in Structure(shown().html).all("img")]
    for word, alt, name, share in zip(
        WORDS, alts, (NAMES[1], NAMES[0], NAMES[0]), (0.4, 0.6, 0.9), strict=False
    ):
        found = re.fullmatch(rf"At “{word}”: (\d+)% of the weight on the {name}; (.*)\.", alt)
        assert 100 * share <= int(found[1]) < 100 * share + 15
        assert found[2].startswith("strongest cell ")
    assert alts[-1].startswith("The picture as it is: a ")
    assert all(name in alts[-1] for name in NAMES)


def test_what_stands_beside_a_picture_names_each_object_and_its_weight():
    html = shown().html
    last = re.findall(r"<details.*?</details>", html)[-1]
    told = Structure(last).text
    assert re.search(rf"Weight on the {NAMES[0]}: \d\d%, the {NAMES[1]}: \d%", told)
    assert re.search(r"Strongest cell \w+( \w+)?, 90% of the weight; framed", told)


def test_where_the_truth_is_unknown_the_place_is_told():
    corner = np.zeros((1, 64))
    corner[0, 7] = 2.0
    view = show_attention(SCENE.image, ["star"], corner, alt="A photograph.")
    assert view.text.splitlines() == [
        "A photograph.",
        "- star: 100% on the upper right; strongest cell upper right, 100%",
    ]
    assert Structure(view.html).all("img")[-1]["alt"] == "The picture as it is: A photograph."


def test_cells_where_objects_meet_are_said_to_count_for_both():
    both = [FIRST, FIRST]
    told = shown(objects=both).html
    assert "(where they meet, for both)" in told
    assert "(where they meet, for both)" not in shown().html


def test_the_picture_is_bright_at_the_strongest_cell_which_is_framed_and_dark_elsewhere():
    weights = np.full((1, 64), 0.001)
    weights[0, 10] = 1.0
    white = np.full((64, 64, 3), 255, np.uint8)
    page = Structure(show_attention(white, ["x"], weights, alt="White.").html)
    drawn, plain = map(pixels_of, page.all("img"))
    assert drawn.shape == plain.shape == (256, 256, 3)
    assert (plain == 255).all()
    assert (drawn[48, 80] == 255).all()  # the middle of row 1, column 2
    assert (drawn[32, 64] == 0).all()
    assert drawn[200, 200].max() < 80


@pytest.mark.parametrize(("enlarge", "side"), [(None, 256), (2, 128), (0.5, 32), (5.3, 336)])
def test_a_picture_is_drawn_as_large_as_asked_for_in_whole_cells(enlarge, side):
    images = Structure(shown(enlarge=enlarge).html).all("img")
    assert {(image["width"], image["height"]) for image in images} == {(str(side), str(side))}
    assert {pixels_of(image).shape for image in images} == {(side, side, 3)}


def test_a_grid_that_does_not_divide_the_picture_is_drawn_all_the_same():
    view = shown(maps=np.full((3, 49), 1 / 49), objects=None)
    assert pixels_of(Structure(view.html).all("img")[0]).shape == (259, 259, 3)


def test_the_probability_of_each_word_is_told_where_it_is_known():
    view = shown(log_probs=[0.0, np.log(0.5), -7.0, -0.1])  # the last is that of <END>
    assert [line.split(":")[0] for line in view.text.splitlines()[1:]] == [
        "- a (probability 100%)",
        f"- {WORDS[1]} (probability 50%)",
        f"- {WORDS[2]} (probability <1%)",
    ]
    told = Structure(view.html).text
    for words in ("100% (log-probability 0)", "50% (log-probability −0.69)", "<1% (log-pro"):
        assert words in told
    assert "probability" not in shown().html


def opened(view) -> list[bool]:
    return ["open" in panel for panel in Structure(view.html).all("details")]


def test_the_sharpest_look_is_open_from_the_start_or_the_word_that_is_chosen():
    assert opened(shown()) == [False, False, True]
    assert opened(shown(chosen=0)) == [True, False, False]
    for wrong in (3, -1):
        with pytest.raises(ValueError, match="numbered from 0"):
            shown(chosen=wrong)


def test_one_word_is_open_at_a_time_and_explorers_leave_each_other_alone():
    views = shown(), shown(), shown(alt="Another."), shown(maps=MAPS[::-1])
    groups = [{each["name"] for each in Structure(view.html).all("details")} for view in views]
    assert all(len(group) == 1 for group in groups)
    assert groups[0] == groups[1]
    assert len(set.union(*groups)) == 3


def test_nothing_is_fetched_and_nothing_runs():
    html = shown().html
    page = Structure(html)
    assert {name for name, _ in page.seen} <= {"div", "p", "details", "summary", "img", "b"}
    assert all(image["src"].startswith("data:image/png") for image in page.all("img"))
    assert not any(key.startswith("on") for _, attributes in page.seen for key in attributes)
    assert "url(" not in html


def test_words_with_markup_are_shown_and_not_obeyed():
    nasty = ["<script>", 'x" onload="y', "&lt;"]
    page = Structure(shown(words=nasty, alt="<b>'\"").html)
    assert not page.all("script")
    assert all(f"“{word}”" in page.text for word in nasty)
    assert page.all("div")[0]["aria-label"] == "<b>'\""


def test_a_caption_without_a_word_shows_the_picture_alone():
    view = shown(words=[], maps=np.zeros((0, 64)), log_probs=[-0.2])
    page = Structure(view.html)
    assert len(page.all("img")) == 1
    assert page.all("details") == []
    assert "No word was said" in page.text


def test_rows_after_the_last_word_are_not_looked_at():
    more = np.concatenate([MAPS, np.zeros((2, 64))])
    assert shown(maps=more).html == shown().html


def test_looks_are_the_same_in_any_unit_and_nothing_is_changed():
    maps, image = MAPS * 7, SCENE.image.copy()
    maps.setflags(write=False)
    assert shown(maps=maps).text == shown().text
    np.testing.assert_array_equal(SCENE.image, image)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"maps": MAPS[:2]}, "a row for each of the 3 words"),
        ({"maps": MAPS[:, :60]}, "cells of a square grid"),
        ({"maps": MAPS[0]}, r"expected \(T, L\)"),
        ({"maps": np.zeros((3, 0))}, "cells of a square grid"),
        ({"maps": np.stack([MAPS[0], MAPS[1], -MAPS[2]])}, r"maps\[2\] is no look"),
        ({"maps": MAPS * np.array([[1], [0], [1]])}, r"maps\[1\] is no look"),
        ({"maps": MAPS * np.array([[np.nan], [1], [1]])}, r"maps\[0\] is no look"),
        ({"log_probs": [-1.0]}, "1 log_probs for 3 words"),
        ({"log_probs": [-1.0, 0.7, -1.0]}, "log_probs has 0.7"),
        ({"log_probs": [-1.0, np.nan, -1.0]}, "log_probs has nan"),
        ({"alt": " "}, "alt is empty"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(wrong, words):
    with pytest.raises(ValueError, match=words):
        shown(**wrong)


def test_a_negative_weight_beside_a_positive_sum_is_refused():
    maps = MAPS.copy()
    maps[1, 5] = -0.1
    with pytest.raises(ValueError, match=r"maps\[1\] is no look"):
        shown(maps=maps)


def test_a_sentence_in_one_string_or_floats_for_a_picture_are_refused():
    with pytest.raises(TypeError, match=r"from \.split\(\)"):
        shown(words="a red square")
    with pytest.raises(TypeError, match="expected uint8"):
        show_attention(SCENE.image / 255, WORDS, MAPS, alt="x")
    with pytest.raises(ValueError, match="a square in colour"):
        show_attention(SCENE.image[:50], WORDS, MAPS, alt="x")


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_text_brings_its_own_ground_so_that_it_reads_in_dark_mode_too():
    divs = Structure(shown().html).all("div")
    styles = [style for style in (one.get("style", "") for one in divs) if "color:" in style]
    assert len(styles) == 4  # the stage and three panels
    for style in styles:
        ground, ink = re.search(r"background-color:(#\w{6});color:(#\w{6})", style).groups()
        assert (luminance(ink) + 0.05) / (luminance(ground) + 0.05) >= 7


def test_it_is_imported_where_the_metrics_are_absent():
    lines = "import sys; sys.modules['cs_caption.metrics'] = None; import cs_caption.viz.explorer"
    subprocess.run([sys.executable, "-c", lines], check=True)


# Where there is a browser to try it in.

COVERED = """[...document.querySelectorAll('details[open]')].map(word => {
    const stage = word.parentElement.parentElement.lastElementChild
    const [a, b] = [word.children[1], stage].map(one => one.getBoundingClientRect())
    const [c, d] = [word, stage].map(one => one.querySelector('img').getBoundingClientRect())
    return [a.x - b.x, a.y - b.y, a.height - b.height, c.x - d.x, c.y - d.y, c.width - d.width]
})"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser to drive")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"{chromium} does not start: {error}")
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [380, 900])
def test_in_a_browser_a_word_opens_by_keyboard_and_its_panel_covers_the_stage(
    browser, tmp_path, width
):
    path = tmp_path / "page.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>t</title>{shown().html}", "utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark")
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    now_open = "[...document.querySelectorAll('details[open] > summary')].map(s => s.textContent)"
    assert page.evaluate(now_open) == WORDS[2:]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(now_open) == WORDS[:1]
    assert page.evaluate(COVERED) == [[0, 0, 0, 0, 0, 0]]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Enter")
    assert page.evaluate(now_open) == []
    assert said == []
    page.close()
