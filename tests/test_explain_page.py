"""The page that `caption --explain` writes."""

from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.viz.explain_page import Explained, explain_html, write_explanations

NASTY = '<script>alert("x")</script> & </style><img src=http://x.y>'
IMAGES = [scene.image for scene in Scenes("val", n=3)]


@dataclass(frozen=True)
class Sentence:
    """With the fields of `cs_caption.evaluation`'s, so that no torch is needed here."""

    text: str
    log_probs: tuple

    @property
    def log_prob(self):
        return sum(self.log_probs)

    @property
    def per_word(self):
        return self.log_prob / len(self.log_probs)


def explained(text, name="one.png", others=(), note="", image=IMAGES[0]):
    words = text.split()
    looks = np.random.RandomState(0).dirichlet(np.ones(64), size=len(words))
    sentences = (Sentence(text, (-0.25,) * len(words) + (-0.001,)), *others)
    return Explained(name, image, sentences, looks, note)


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, name, attributes):
        self.seen.append((name, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def named(self, name: str) -> list[dict]:
        return [attributes for found, attributes in self.seen if found == name]


TWO = [
    explained("a red star", others=[Sentence("a star", (-1.0, -0.5, -0.0001))]),
    explained("a blue cloud", "two.png", image=IMAGES[1]),
]


def test_each_picture_has_its_caption_its_explorer_and_its_sentences():
    page = Page(explain_html(TWO, "By a captioner."))
    assert "By a captioner." in page.text
    assert len(page.named("section")) == 2
    assert len(page.named("summary")) == 6
    assert len(page.named("img")) == 8  # a picture a word, and each as it is
    for words in ("a red star", "one.png", "The 2 sentences, best first", "−1.50", "−0.50", "78%"):
        assert words in page.text
    assert "−0.00" not in page.text


def test_the_page_opens_from_a_file_alone():
    page = Page(explain_html(TWO, "x"))
    assert not page.named("script") + page.named("link")
    assert all(image["src"].startswith("data:image/png") for image in page.named("img"))
    assert all(image["alt"].strip() for image in page.named("img"))
    assert page.named("html") == [{"lang": "en"}]


def test_headings_ids_and_landmarks_are_in_order():
    page = Page(explain_html(TWO, "x"))
    assert [name for name, _ in page.seen if name in ("h1", "h2", "h3")] == ["h1", "h2", "h2"]
    ids = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
    assert ids == [section["aria-labelledby"] for section in page.named("section")]
    assert len(set(ids)) == 2
    assert all(len(page.named(name)) == 1 for name in ("title", "main", "header", "footer"))


def test_the_same_picture_twice_has_explorers_that_leave_each_other_alone():
    page = Page(explain_html([TWO[0], TWO[0]], "x"))
    groups = [panel["name"] for panel in page.named("details")]
    assert groups == [groups[0]] * 3 + [groups[3]] * 3
    assert groups[0] != groups[3]


def test_names_sentences_and_notes_with_markup_are_shown_and_not_obeyed():
    page = Page(explain_html([explained(NASTY, NASTY, note=NASTY)], NASTY))
    assert not page.named("script")
    assert all(image["src"].startswith("data:") for image in page.named("img"))
    assert page.text.count(NASTY) >= 4


def test_a_note_is_shown_where_there_is_one():
    assert "Note:" not in Page(explain_html(TWO, "x")).text
    assert (
        "Note: mind the gap" in Page(explain_html([explained("a", note="mind the gap")], "")).text
    )


def test_an_empty_caption_has_a_heading_all_the_same():
    assert Page(explain_html([explained("")], "x")).text.count("(no word)") >= 2


def test_the_file_is_written_whole_or_not_at_all(tmp_path):
    path = write_explanations(tmp_path / "deep" / "page.html", TWO, "x")
    assert path.read_text(encoding="utf-8") == explain_html(TWO, "x")
    before = path.read_bytes()
    wrong = explained("a red star")
    with pytest.raises(ValueError, match="a row for each"):
        write_explanations(
            path, [Explained("x", wrong.image, wrong.sentences, wrong.attention[:1])], "x"
        )
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["page.html"]
