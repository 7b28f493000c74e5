"""The retrieval page in a browser, where there is one: from a file, by keyboard, at any width."""

import shutil

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.viz.retrieval_page import Hit, Query, Telling, show_retrieval, write_retrieval

SCENES = Scenes("val", n=6, level="rich")
MARKS = ("wrong", "own", "fits", "wrong", "")
WORDS = ["a", "red", "star", "above", "a", "checkered", "square"]


def hit(k, rank, mark, words=WORDS):
    draw = np.random.RandomState(k)
    scores, regions = draw.normal(0.5, 1, len(words)), draw.randint(0, 64, len(words))
    scene = SCENES[k]
    return Hit(scene.id, scene.image, rank, float(scores.sum()), words, scores, regions, 64, mark)


QUERIES = [
    Query("a red star", [hit(k, k + 1, mark) for k, mark in enumerate(MARKS)]),
    Query("a moon", [hit(k, k + 1, "wrong") for k in range(5)], hit(5, 37, "own")),
]
TELLINGS = [
    Telling(scene.id, scene.image, [(text, 1.5, "own") for text in scene.captions], ("a", 0.5, 9))
    for scene in list(SCENES)[:2]
]


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


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page from its file, and refuses what a console would complain of."""
    path = write_retrieval(tmp_path / "page.html", QUERIES, TELLINGS, "By a ranker.")
    complaints, asked, pages = [], [], []

    def open_(width=1000, scheme="light", file=path):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        return page

    yield open_
    for page in pages:
        page.close()
    assert complaints == []
    assert {address[:5] for address in asked} <= {"file:", "data:"}


FOCUSED = "[...document.querySelectorAll('summary')].indexOf(document.activeElement)"
OPEN = """[...document.querySelectorAll('details')].map((one, k) => one.open ? k : -1)
    .filter(k => k >= 0)"""
SHOWN = """[...document.querySelectorAll('details')].map((one, k) =>
    one.querySelector('table').checkVisibility({contentVisibilityAuto: true}) &&
    one.querySelector('table').getBoundingClientRect().height > 50 ? k : -1).filter(k => k >= 0)"""


def test_it_opens_from_a_file_without_a_word_on_the_console_or_a_request(opened):
    page = opened()
    assert page.title() == "Pictures for sentences, sentences for pictures"
    assert page.locator("summary").count() == 11
    loaded = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
    assert page.evaluate(loaded)
    assert page.evaluate(SHOWN) == []


def test_tab_reaches_every_picture_in_order_and_enter_opens_and_closes_it(opened):
    page = opened()
    for k in range(11):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED) == k
        page.keyboard.press("Enter")
        row = [one for one in page.evaluate(OPEN) if (one < 5) == (k < 5)]
        assert row == [k]  # the others of its row have closed
        assert k in page.evaluate(SHOWN)
    page.keyboard.press("Enter")
    assert page.evaluate(OPEN) == [4]


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (768, "light"), (1280, "dark")])
def test_nothing_sticks_out_sideways_whatever_is_open(opened, width, scheme):
    page = opened(width, scheme)
    for k in (0, 7):
        page.locator("summary").nth(k).press("Enter")
    assert page.evaluate(OPEN) == [0, 7]
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    scrolled, there = page.evaluate(widths)
    assert scrolled <= there
    cut = """[...document.querySelectorAll('details[open] img, details[open] table')]
        .filter(one => one.getBoundingClientRect().right > innerWidth).length"""
    assert page.evaluate(cut) == 0


def test_the_score_lies_on_the_upper_left_of_its_picture(opened):
    page = opened()
    offsets = page.evaluate("""[...document.querySelectorAll('summary')].map(one => {
        const [a, b] = [one.querySelector('img'), one.querySelector('[aria-hidden]')]
            .map(part => part.getBoundingClientRect())
        return [b.x - a.x, b.y - a.y, a.right - b.right, a.bottom - b.bottom]
    })""")
    for across, down, right, below in offsets:
        assert abs(across) < 1
        assert abs(down) < 1
        assert right > 20
        assert below > 80


def test_borders_differ_in_style_not_in_colour_alone(opened):
    page = opened()
    styles = page.evaluate("""[...document.querySelectorAll('summary')].map(one =>
        getComputedStyle(one.firstElementChild).borderTopStyle)""")
    assert styles[:5] == ["dashed", "solid", "double", "dashed", "solid"]
    assert styles[5:] == ["dashed"] * 5 + ["dotted"]


def test_it_can_be_printed(opened):
    page = opened()
    page.emulate_media(media="print")
    assert page.evaluate("document.images[0].getBoundingClientRect().height") > 50
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("styled", [True, False])
def test_in_a_notebook_pictures_open_by_keyboard_even_without_styles(opened, tmp_path, styled):
    html = show_retrieval(QUERIES).html
    if not styled:
        html = html.replace(" style=", " data-style=")
    path = tmp_path / "view.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>t</title>{html}", "utf-8")
    page = opened(file=path)
    for k in (0, 1):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate(OPEN) == page.evaluate(SHOWN) == [k]
