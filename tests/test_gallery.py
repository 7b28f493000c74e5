import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.metrics import pointing_score
from cs_caption.viz.gallery import (
    GalleryItem,
    GallerySummary,
    describe,
    gallery_html,
    gallery_items,
    write_gallery,
)
from cs_caption.viz.gallery_style import STYLE

NASTY = "<script>alert(\"x\")</script> & 'quoted' </style><img src=http://x.y>"
VOID = {"meta", "img", "br", "hr", "rect", "line", "link"}


# Stand-ins with the fields of `cs_caption.evaluation`'s records, so that no torch is needed here.


@dataclass(frozen=True)
class Sentence:
    text: str
    words: tuple
    log_probs: tuple

    @property
    def log_prob(self):
        return sum(self.log_probs)


@dataclass(frozen=True)
class Line:
    name: str
    references: int = 5
    bleu: tuple = (0.8, 0.7, 0.6, 0.5)
    cider_d: float = 2.5
    nats_per_token: float | None = None
    object_f1: float | None = None
    exact_set: float | None = None
    hallucination: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    least: float
    interval: tuple | None = None

    @property
    def met(self):
        return self.value >= self.least


@dataclass(frozen=True)
class Calibration:
    total: float | None = 0.83
    as_many_objects: float | None = 0.87
    per_word: float | None = 0.71
    least_word: float | None = 0.66


@dataclass(frozen=True)
class Result:
    id: str
    sentences: tuple
    attention: np.ndarray | None
    bin: str | None


@dataclass(frozen=True)
class Evaluated:
    results: tuple
    pointing: object = None


def sentence(text, cost=-0.1):
    words = (*text.split(), "<END>")
    return Sentence(text, words, (cost,) * len(words))


SCENES = Scenes("val", n=30)
RANDOM = np.random.RandomState(0)
CAPTIONS = [scene.captions[0] for scene in SCENES]
MAPS = [RANDOM.dirichlet(np.full(64, 0.1), len(caption.split())) for caption in CAPTIONS]
POINTING = pointing_score(CAPTIONS, MAPS, [scene.objects for scene in SCENES])
RESULTS = tuple(
    Result(
        id=scene.id,
        sentences=tuple(sentence(text, -0.004 * (i % 7 + 1)) for text in scene.captions),
        attention=MAPS[i].astype(np.float16),
        bin=("all", "all", "some", "none")[i % 4],
    )
    for i, scene in enumerate(SCENES)
)
ITEMS = gallery_items(SCENES, Evaluated(RESULTS, POINTING), per_bin=4)
SUMMARY = GallerySummary(
    title=f"Title {NASTY}",
    about=f"About {NASTY}",
    lines=[Line("model", nats_per_token=0.4, object_f1=0.97), Line(NASTY, note=NASTY)],
    scores=np.array([result.sentences[0].log_prob for result in RESULTS]),
    bins=[result.bin for result in RESULTS],
    bars=[Bar("object F1", 0.97, 0.95, (0.96, 0.98)), Bar(NASTY, 0.5, 0.9)],
    pointing=POINTING,
    calibration=Calibration(),
)


class Page(HTMLParser):
    """Elements, ids and text of a page; complains of tags that are not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements, self.styles, self.text = [], [], "", ""
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, name, attributes):
        assert len(attributes) == len(dict(attributes)), f"an attribute twice in {name}"
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_endtag(self, name):
        assert self.open, f"</{name}> closes nothing"
        assert self.open.pop() == name

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.styles += data
        else:
            self.text += data + " "

    def named(self, *names):
        return [attributes for name, attributes in self.elements if name in names]


@pytest.fixture(scope="module")
def html():
    return gallery_html(ITEMS, SUMMARY)


@pytest.fixture(scope="module")
def parsed(html):
    return Page(html)


def test_there_is_no_script(parsed):
    assert not parsed.named("script", "iframe", "object", "embed", "link", "form")
    for _, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on")]
        assert not (attributes.get("href") or "").lower().startswith("javascript")


def test_nothing_is_fetched(parsed):
    for _, attributes in parsed.elements:
        for name in ("src", "href", "srcset", "poster", "action", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    addresses = re.findall(r"url\(([^)]*)\)", parsed.styles)
    assert addresses
    assert all(address.startswith('"data:image/png;base64,') for address in addresses)
    assert "@import" not in parsed.styles


def test_every_picture_is_described(parsed):
    pictures = parsed.named("img")
    assert len(pictures) > len(ITEMS) * 3
    assert all(attributes["alt"].strip() for attributes in pictures)
    drawings = [a for a in parsed.named("svg") if a.get("aria-hidden") != "true"]
    assert len(drawings) == 3
    assert all(a["role"] == "img" and a["aria-label"].strip() for a in drawings)


def test_no_id_is_given_twice_and_every_reference_has_its_target(parsed):
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in parsed.elements:
        if "href" in attributes:
            assert attributes["href"][1:] in ids
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_headings_stand_in_order_under_one_title(parsed):
    levels = [int(name[1]) for name, _ in parsed.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_page_names_its_language_and_has_its_landmarks(parsed):
    assert parsed.named("html") == [{"lang": "en"}]
    assert all(len(parsed.named(name)) == 1 for name in ("title", "main", "header", "footer"))
    assert "width=device-width" in str(parsed.named("meta"))


def test_captions_with_markup_in_them_are_shown_and_not_obeyed():
    item = replace(
        ITEMS[0], id=NASTY, references=(NASTY,), sentences=(sentence(NASTY),), objects=None
    )
    parsed = Page(gallery_html([item], SUMMARY))
    assert not parsed.named("script")
    assert all(a["src"].startswith("data:") for a in parsed.named("img"))
    assert parsed.text.count(NASTY) >= 5


def test_the_three_bins_are_shown_with_counts_marks_and_words(parsed):
    text = " ".join(parsed.text.split())
    assert "16 of 30 captions; 4 shown" in text
    assert "7 of 30 captions; 4 shown" in text
    for mark, words in (("●", "Every"), ("◐", "Some"), ("○", "No")):
        assert f"{mark} {words} object" in text
    for figure in ("83%", "87%", "71%", "66%"):
        assert figure in text


def test_bars_say_in_words_whether_they_are_reached(parsed):
    assert "✓ reached: 0.95 asked" in parsed.text
    assert "✗ missed: 0.90 asked" in parsed.text
    assert "95% between 0.960 and 0.980" in parsed.text


def test_each_beam_is_there_with_its_total_and_the_cost_of_its_words(parsed):
    best = ITEMS[0].sentences[0]
    text = " ".join(parsed.text.split())
    assert f"{best.log_prob:.2f}".replace("-", "−") in text
    assert len(parsed.named("ruby")) == sum(len(s.words) for i in ITEMS for s in i.sentences)
    assert " 0.00 " in text
    assert "−0.00" not in text


def test_every_word_of_the_best_caption_has_its_map(parsed):
    maps = [a for a in parsed.named("img") if a["alt"].startswith("At “")]
    assert len(maps) == sum(len(item.attention) for item in ITEMS)
    pattern = r"At “\w+”: \d+% of the weight on the .*; strongest cell .*\."
    assert all(re.fullmatch(pattern, attributes["alt"]) for attributes in maps)
    words = sum(len(item.points) for item in ITEMS)
    assert words == parsed.text.count("✓ points at it") + parsed.text.count("✗ points elsewhere")


def test_pictures_are_chosen_from_sure_to_unsure_and_mistakes_by_confidence():
    costs = {name: [] for name in ("all", "some", "none")}
    for result in RESULTS:
        costs[result.bin].append(result.sentences[0].log_prob)
    chosen = {
        name: [item.sentences[0].log_prob for item in ITEMS if item.bin == name] for name in costs
    }
    assert [item.bin for item in ITEMS] == ["all"] * 4 + ["some"] * 4 + ["none"] * 4
    assert chosen["all"] == sorted(chosen["all"], reverse=True)
    assert (chosen["all"][0], chosen["all"][-1]) == (max(costs["all"]), min(costs["all"]))
    for name in ("some", "none"):
        assert chosen[name] == sorted(costs[name], reverse=True)[:4]
    few = gallery_items(SCENES, Evaluated(RESULTS[:3]), per_bin=8)
    assert [item.bin for item in few] == ["all", "all", "some"]


def test_a_picture_is_described_by_its_objects_or_else_by_people():
    for item in ITEMS:
        text = describe(item)
        assert all(f"{one.colour} {one.shape}" in text for one in item.objects)
    assert describe(replace(ITEMS[0], objects=None)) == ITEMS[0].references[0]


def test_a_page_of_pictures_without_truth_or_attention_is_whole():
    results = [replace(result, bin=None, attention=None) for result in RESULTS]
    items = [
        GalleryItem(r.id, SCENES[i].image, ("a b",), r.sentences) for i, r in enumerate(results[:3])
    ]
    summary = replace(
        SUMMARY, bins=[None] * 30, calibration=None, pointing=None, bars=(), lines=[Line("model")]
    )
    parsed = Page(gallery_html(items, summary))
    assert "30 of 30" not in parsed.text.replace("30 of 30 captions; 3 shown", "")
    assert len(parsed.named("article")) == 3
    assert not [a for a in parsed.named("img") if a["alt"].startswith("At “")]


def test_one_bin_alone_has_nothing_to_tell_apart():
    nothing = Calibration(None, None, None, None)
    summary = replace(SUMMARY, bins=["all"] * 30, calibration=nothing)
    text = Page(gallery_html(ITEMS[:2], summary)).text
    assert "nothing that their log-probability could tell apart" in text
    assert "0 captions" in text


def test_an_empty_caption_has_a_heading_all_the_same():
    silent = replace(ITEMS[0], sentences=(sentence(""),), attention=np.zeros((0, 64)), points={})
    assert "(no word)" in Page(gallery_html([silent], SUMMARY)).text


def test_the_file_is_small_whole_and_the_same_each_time(tmp_path, html):
    path = write_gallery(tmp_path / "deep" / "index.html", ITEMS, SUMMARY)
    assert path.read_text(encoding="utf-8") == html == gallery_html(ITEMS, SUMMARY)
    assert path.stat().st_size / len(ITEMS) < 40_000  # 24 pictures in less than a megabyte
    assert [p.name for p in path.parent.iterdir()] == ["index.html"]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_it_stands_on(scheme):
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", blocks[scheme == "dark"]))
    for ground in ("page", "card"):
        for ink in ("ink", "soft", "link", "all", "some", "none"):
            pair = sorted((luminance(colours[ink]), luminance(colours[ground])))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ink, ground)
    assert "prefers-color-scheme: dark" in STYLE
