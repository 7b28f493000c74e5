"""The page of pictures found for sentences, and its view in a notebook."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cs_caption.data import Scenes
from cs_caption.viz.retrieval_page import (
    MARKS,
    MISSED,
    Hit,
    Query,
    Telling,
    retrieval_html,
    show_retrieval,
    write_retrieval,
)

IMAGES = [scene.image for scene in Scenes("val", n=4)]
NASTY = '<script>alert("x")</script> & </style><img src=http://x.y>'
WORDS = ("a", "red", "star")


def hit(rank, mark="", name=None, image=IMAGES[0], scores=(0.25, 1.0, 2.0), **changes):
    return Hit(
        name=name or f"picture {rank}",
        image=image,
        rank=rank,
        score=float(np.sum(scores)),
        words=changes.pop("words", WORDS),
        word_scores=np.array(scores),
        regions=changes.pop("regions", np.array([63, 9, 9])),
        cells=64,
        mark=mark,
        **changes,
    )


FOUND = Query("a red star", [hit(1, "wrong"), hit(2, "own", image=IMAGES[1]), hit(3, "fits")])
LOST = Query("a blue star", [hit(1, "fits"), hit(2, "wrong")], hit(37, "own", "its own"))
FREE = Query("a red star above a blue square", [hit(1, "fits"), hit(2, "fits"), hit(3, "wrong")])
UNKNOWN = Query("a cat", [hit(1), hit(2)])
TOLD = Telling(
    "scene 7",
    IMAGES[2],
    [("a star", 2.5, "own"), ("a thing", 1.25, "fits"), ("a cat", -0.5, "wrong"), ("so", -1, "")],
)
MUTE = Telling("scene 8", IMAGES[3], [("a cat", 1.0, "wrong")], ("a moon", 0.125, 17), "A moon.")


class Page(HTMLParser):
    """The elements of some markup, refusing what is not closed in order."""

    VOID = ("img", "meta")

    def __init__(self, html):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.seen.append((name, dict(attributes)))
        if name not in self.VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        self.text += data

    def named(self, name):
        return [attributes for found, attributes in self.seen if found == name]


def whole(queries=(FOUND, LOST, FREE, UNKNOWN), tellings=(TOLD, MUTE), about="By a ranker."):
    return retrieval_html(queries, tellings, about)


def plain(markup):
    return re.sub(r"<[^>]*>", "", markup)


def summaries(query):
    return re.findall(r"<summary.*?</summary>", retrieval_html([query], [], ""))


def test_each_picture_of_a_sentence_can_be_opened_and_has_its_score_at_the_top_left():
    html = retrieval_html([LOST], [], "")
    assert html.count("<details") == html.count("<summary") == 3
    for summary, rank in zip(summaries(LOST), (1, 2, 37), strict=True):
        assert f"rank {rank}" in plain(summary)
        assert re.search(r">3\.25</span>", summary)
        assert "position:absolute;left:0;top:0" in summary


def test_marks_differ_in_border_style_in_sign_and_in_words():
    marks = [*MARKS.values(), MISSED]
    known = [mark for mark in marks if mark.sign]
    for parts in (
        [mark.border.split()[0] for mark in known],
        [mark.sign for mark in known],
        [mark.of_picture for mark in known],
        [mark.of_sentence for mark in known],
    ):
        assert len(set(parts)) == len(parts) == 4


def test_each_picture_has_the_border_the_sign_and_the_words_of_its_mark():
    for query in (FOUND, LOST):
        marks = [MARKS[one.mark] for one in query.hits] + [MISSED] * bool(query.missed)
        for summary, mark in zip(summaries(query), marks, strict=True):
            assert f"border:5px {mark.border}" in summary
            assert f"{mark.sign} {mark.of_picture}" in plain(summary)


def test_where_nothing_is_known_no_mark_is_made():
    html = retrieval_html([UNKNOWN], [], "")
    text = Page(html).text
    assert not [sign for sign in "✓≈✗◯" if sign in text]
    assert 'class="legend"' not in html


def test_the_legend_tells_of_the_marks_that_are_there():
    def legend(query):
        return plain(re.search(r'<ul class="legend".*?</ul>', retrieval_html([query], [], ""))[0])

    assert [sign for sign in "✓≈✗◯" if sign in legend(FOUND)] == ["✓", "≈", "✗"]
    assert [sign for sign in "✓≈✗◯" if sign in legend(LOST)] == ["≈", "✗", "◯"]


def test_a_line_says_how_it_went():
    text = Page(whole()).text
    assert "✓ Its own picture stands at rank 2. ≈ Pictures here that also fit the words: 1." in text
    assert "◯ Its own picture is not among the top 2: it stands at rank 37. ≈" in text
    assert "≈ Pictures here that fit the words: 2." in text
    assert text.count("fit the words: ") == 3


def test_what_opens_has_a_row_a_word_with_its_score_and_its_region():
    panel = re.search(r"</summary>(.*?)</details>", retrieval_html([FOUND], [], ""))[1]
    body = re.search(r"<tbody>(.*)</tbody>", panel)[1]
    cells = [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", body)]
    assert "|".join(cells) == "a|0.25|1|lower right|red|1.00|2|upper left|star|2.00"
    assert "<b>star</b>" in body
    assert "<b>a</b>" not in body


def test_the_alt_texts_say_what_is_shown_and_where_the_strong_words_lie():
    query = Query("a red star", [hit(1, name="scene 5", shows="A star on grey.")])
    thumb, large = (image["alt"] for image in Page(retrieval_html([query], [], "")).named("img"))
    assert thumb == "scene 5, score 3.25: A star on grey."
    assert large.startswith("scene 5, rank 1 for “a red star”. A star on grey. Strongest words: ")
    assert large.endswith("“red” upper left (box 2); “star” upper left (box 2).")


def test_one_picture_of_a_row_is_open_at_a_time_and_rows_leave_each_other_alone():
    groups = [panel["name"] for panel in Page(whole()).named("details")]
    assert [groups.count(group) for group in dict.fromkeys(groups)] == [3, 3, 3, 2]
    both = [panel["name"] for panel in Page(show_retrieval([FOUND, FREE]).html).named("details")]
    assert len(set(both)) == 2
    assert "<details open" not in whole()


def test_the_top_sentences_of_a_picture_stand_with_score_and_mark():
    html = retrieval_html([], [TOLD], "")
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", re.search(r"<tbody>(.*?)</tbody>", html)[1])
    assert [plain(cell) for cell in cells] == [
        "2.50", "a star✓ written for this picture", "1.25", "a thing≈ true of it, too",
        "−0.50", "a cat✗ not true of it", "−1.00", "so",
    ]  # fmt: skip
    assert Page(html).named("img")[0]["alt"] == "scene 7"


def test_a_missed_sentence_of_a_picture_stands_last_with_its_rank():
    html = retrieval_html([], [MUTE], "")
    assert "0.12</th><td>a moon<small>◯ its own, missed: rank 17</small>" in html
    assert Page(html).named("img")[0]["alt"] == "scene 8: A moon."


def test_the_page_opens_from_a_file_alone():
    page = Page(whole())
    assert not page.named("script") + page.named("link")
    assert all(image["src"].startswith("data:image/png") for image in page.named("img"))
    assert all(image["alt"].strip() for image in page.named("img"))
    assert page.named("html") == [{"lang": "en"}]
    assert "url(" not in whole()


def test_headings_ids_and_landmarks_are_in_order():
    page = Page(whole())
    levels = [name for name, _ in page.seen if re.fullmatch(r"h\d", name)]
    assert levels == ["h1", "h2", *["h3"] * 4, "h2", "h3", "h3"]
    ids = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
    assert ids == [article["aria-labelledby"] for article in page.named("article")]
    assert len(set(ids)) == 6
    assert all(len(page.named(name)) == 1 for name in ("title", "main", "header", "footer"))


def test_names_and_sentences_with_markup_are_shown_and_not_obeyed():
    nasty = hit(1, "wrong", NASTY, words=[NASTY] * 3, shows=NASTY)
    tellings = [Telling(NASTY, IMAGES[0], [(NASTY, 1.0, "own")], (NASTY, 1.0, 7), NASTY)]
    for html in (
        retrieval_html([Query(NASTY, [nasty])], tellings, NASTY),
        show_retrieval([Query(NASTY, [nasty])]).html,
    ):
        page = Page(html)
        assert not page.named("script")
        assert all(image["src"].startswith("data:") for image in page.named("img"))
        assert page.text.count(NASTY) >= 4


def test_pictures_of_any_shape_are_shown_in_their_proportions_and_large_ones_made_smaller():
    tall = np.random.RandomState(0).randint(0, 256, (600, 300, 3)).astype(np.uint8)
    html = retrieval_html([], [Telling("tall", tall, [])], "")
    image = Page(html).named("img")[0]
    assert (image["width"], image["height"]) == ("72", "144")
    assert len(image["src"]) < tall.size / 2


def test_a_page_may_have_sentences_alone_or_pictures_alone_but_not_nothing():
    assert "Sentences for each picture" not in whole(tellings=())
    assert "Pictures for each sentence" not in whole(queries=())
    for nothing in (lambda: whole((), ()), lambda: show_retrieval([])):
        with pytest.raises(ValueError, match="nothing to show"):
            nothing()


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        (Query("a", []), ValueError, "no hits for 'a'"),
        (Query("a", [hit(1, "right")]), ValueError, "mark 'right': expected one of"),
        (Query("a", [hit(1, "missed")]), ValueError, "mark 'missed'"),
        (Query("a", [hit(1, regions=np.array([0, 1]))]), ValueError, r"regions of shape \(2,\)"),
        (Query("a", [hit(1, image=IMAGES[0] / 255)]), TypeError, "float64"),
    ],
)
def test_what_cannot_be_shown_is_refused(query, error, words):
    with pytest.raises(error, match=words):
        retrieval_html([query], [], "")
    with pytest.raises(error, match=words):
        show_retrieval([query])


def test_an_unknown_mark_of_a_sentence_is_refused():
    with pytest.raises(ValueError, match="mark 'right'"):
        retrieval_html([], [Telling("x", IMAGES[0], [("a", 1.0, "right")])], "")


def test_in_a_notebook_it_needs_no_script_and_no_style_sheet():
    html = show_retrieval([FOUND, LOST, UNKNOWN]).html
    page = Page(html)
    assert not re.search(r"<script|<style", html)
    assert len(page.named("summary")) == 8
    assert not [attributes["id"] for _, attributes in page.seen if "id" in attributes]


def test_in_a_notebook_without_pictures_it_is_told_in_text():
    lines = repr(show_retrieval([LOST, UNKNOWN])).splitlines()
    assert lines[0].startswith("“a blue star” ◯ Its own picture is not among the top 2")
    assert lines[1] == (
        "  1. ≈ picture 1, score 3.25, fits the words. Strongest words: “red” upper "
        "left (box 2); “star” upper left (box 2)."
    )
    assert lines[3].startswith("  37. ◯ its own, score 3.25, its own picture, missed. ")
    assert lines[4] == "“a cat”"
    assert lines[5].startswith("  1. picture 1, score 3.25. Strongest words: ")


def test_the_file_is_written_whole_or_not_at_all(tmp_path):
    path = write_retrieval(tmp_path / "deep" / "page.html", [FOUND], [TOLD], "x")
    assert path.read_text(encoding="utf-8") == retrieval_html([FOUND], [TOLD], "x")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="no hits"):
        write_retrieval(path, [Query("a", [])], [], "x")
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["page.html"]
