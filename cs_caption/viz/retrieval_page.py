"""Pictures found for sentences, and sentences for pictures, each word with its region."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cs_caption.files import whole_file
from cs_caption.viz.figure import View
from cs_caption.viz.gallery_style import STYLE
from cs_caption.viz.grounding import (
    Alignment,
    align,
    grounding_html,
    require_picture,
    signed,
    strongest_words,
)
from cs_caption.viz.html import escaped, page, picture, png_uri, scroll_box, table, tag

TITLE = "Pictures for sentences, sentences for pictures"
THUMB = 144  # pixels that a picture in a row takes


class Mark(NamedTuple):
    """How a hit is told from others: by its border's style, by a sign and in words."""

    sign: str
    of_picture: str
    of_sentence: str
    border: str


MARKS = {
    "own": Mark("✓", "the sentence’s own picture", "written for this picture", "solid #009e73"),
    "fits": Mark("≈", "fits the words", "true of it, too", "double #0079c2"),
    "wrong": Mark("✗", "does not fit the words", "not true of it", "dashed #d55e00"),
    "": Mark("", "", "", "solid #8a8f96"),
}
MISSED = Mark("◯", "its own picture, missed", "its own, missed", "dotted #a5780a")


@dataclass(frozen=True, eq=False)
class Hit:
    """A picture that was found for a sentence, and where each word found its region.

    rank 1 is the best; words, word_scores and regions have one entry a word; regions are among
    `cells` cells of a square grid in reading order. mark is "own" (the picture that the sentence
    was written for), "fits" (another that shows all that it says), "wrong", or "" (not known).
    A region is `window` cells wide, around its own.
    shows says in words what is in the picture; empty where nobody knows.

    Shapes: image uint8 (H, W, 3), word_scores (T,), regions (T,) int.
    """

    name: str
    image: np.ndarray
    rank: int
    score: float
    words: Sequence[str]
    word_scores: np.ndarray
    regions: np.ndarray
    cells: int
    mark: str = ""
    shows: str = ""
    window: int = 1


@dataclass(frozen=True, eq=False)
class Query:
    """A sentence, its top pictures, best first, and its own where that is not among them."""

    sentence: str
    hits: Sequence[Hit]
    missed: Hit | None = None


@dataclass(frozen=True, eq=False)
class Telling:
    """A picture uint8 (H, W, 3), and its top sentences, best first: (sentence, score, mark) each.

    mark is "own" (written for this picture), "fits" (true of it), "wrong" or "". missed is the best
    of its own sentences where none is among them: (sentence, score, rank).
    """

    name: str
    image: np.ndarray
    sentences: Sequence[tuple[str, float, str]]
    missed: tuple[str, float, int] | None = None
    shows: str = ""


def write_retrieval(
    path: str | Path, queries: Sequence[Query], tellings: Sequence[Telling], about: str
) -> Path:
    """Write the page, whole or not at all, and return its path; about is a line of plain text.

    One file: no script, nothing fetched.

    Raises: ValueError for an unknown mark, or where there is nothing to show; OSError where it
    cannot be written.
    """
    path = Path(path)
    with whole_file(path) as temporary:
        temporary.write_text(retrieval_html(queries, tellings, about), encoding="utf-8")
    return path


def retrieval_html(queries: Sequence[Query], tellings: Sequence[Telling], about: str) -> str:
    """The page as text. Raises: ValueError as write_retrieval."""
    if not queries and not tellings:
        raise ValueError("no queries and no tellings: there is nothing to show")
    parts = [_queries(queries)] if queries else []
    parts += [_tellings(tellings)] if tellings else []
    header = tag("h1", TITLE) + tag("p", escaped(about)) + _legend(queries)
    body = tag("header", header) + tag("main", *parts) + tag("footer", tag("p", _HOW_TO_READ))
    return page(TITLE, STYLE + _STYLE, body)


def show_retrieval(queries: Sequence[Query]) -> View:
    """Sentences and their top pictures in a notebook; a picture opens on a click or on Enter.

    Raises: ValueError for an unknown mark, or where there is nothing to show.
    """
    if not queries:
        raise ValueError("no queries: there is nothing to show")
    parts = [
        tag("p", tag("b", f"“{escaped(query.sentence)}”"), style="margin:.8em 0 .3em")
        + tag("p", escaped(_outcome(query)), style="margin:0 0 .4em")
        + _row(query, _FLEX)
        for query in queries
    ]
    box = tag("div", *parts, role="group", aria_label="Sentences and the pictures found for them")
    return View(box, "\n".join(line for query in queries for line in _lines(query)))


_HOW_TO_READ = (
    "A picture’s score is the sum over the words of each word’s best region. Scores have no unit, "
    "and may be below 0; they rank the pictures for one sentence, and the sentences for one "
    "picture."
)

# A picture that is open takes a row of its own, and the others close up above it.
_STYLE = """
.card { --hue: var(--line); }
.hits { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.75rem, 1fr)); }
.hits { gap: 1rem; grid-auto-flow: dense; align-items: start; }
.hits details[open] { grid-column: 1 / -1; border-top: 1px solid var(--line); padding-top: .8rem; }
.card img { max-width: 100%; height: auto; }
.hits summary { font-size: .88rem; line-height: 1.35; }
.hits summary:hover { text-decoration: underline; }
.legend { display: flex; flex-wrap: wrap; gap: .5rem 1.4rem; padding: 0; margin: 1rem 0 0; }
.legend li { list-style: none; display: flex; gap: .5rem; align-items: center; }
.legend i { width: 1.9rem; height: 1.5rem; font-style: normal; text-align: center; }
.legend i { line-height: .95rem; font-weight: 700; }
.told { display: grid; grid-template-columns: 152px minmax(0, 1fr); gap: 1.5rem; }
.told td, .told thead th:not(:first-child) { text-align: left; }
.told td { white-space: normal; }
.told small { display: block; color: var(--soft); }
.told tbody th { font-variant-numeric: tabular-nums; }
.outcome { color: var(--soft); }
@supports selector(::details-content) {
  @media (min-width: 60rem) {
    .hits details[open] { display: grid; grid-template-columns: 154px minmax(0, 1fr); gap: 2rem; }
  }
}
@media (max-width: 40rem) { .told { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 30rem) { .hits { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media print { .hits { break-inside: avoid; } .hits details[open] { break-inside: avoid; } }
"""

_FLEX = "display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start"
_SUMMARY = f"cursor:pointer;display:block;width:{THUMB + 10}px;max-width:100%"
_FRAME = "position:relative;display:inline-block;max-width:100%;line-height:0;border:5px"
_THUMB = "image-rendering:pixelated"
# The lecture's, yellow at the top left; light on dark in every front end.
_SCORE = (
    "position:absolute;left:0;top:0;padding:.1em .4em;line-height:1.4;background-color:#101218;"
    "color:#ffe45c;font-weight:bold;font-variant-numeric:tabular-nums;print-color-adjust:exact"
)


# What all of them have.


def _mark(name: str) -> Mark:
    if name not in MARKS:
        raise ValueError(f"mark {name!r}: expected one of {list(MARKS)}")
    return MARKS[name]


def _said(*parts: str) -> str:
    """Parts of a line of text, without the empty ones."""
    return " ".join(part for part in parts if part)


def _shown(query: Query) -> list[tuple[Hit, Mark]]:
    """The pictures of a row with their marks; a missed one is the last."""
    missed = [(query.missed, MISSED)] if query.missed else []
    return [*((hit, _mark(hit.mark)) for hit in query.hits), *missed]


def _legend(queries: Iterable[Query]) -> str:
    """What the borders and signs mean, of those that are on the page."""
    there = {mark for query in queries for _, mark in _shown(query)}
    entries = "".join(
        tag("li", tag("i", mark.sign, style=f"border:4px {mark.border}", aria_hidden="true"), words)
        for mark in (*MARKS.values(), MISSED)
        if mark in there and (words := mark.of_picture)
    )
    return tag("ul", entries, class_="legend", aria_label="Marks") if entries else ""


# A sentence and its pictures.


def _queries(queries: Sequence[Query]) -> str:
    cards = "".join(_query(number, query) for number, query in enumerate(queries, start=1))
    how = (
        "The best pictures for each sentence, the best first, each with its score. Choose one, by "
        "mouse or with Tab and Enter, to see which region each word chose."
    )
    return tag("section", tag("h2", "Pictures for each sentence"), tag("p", how), cards)


def _query(number: int, query: Query) -> str:
    title = f"query-{number}"
    return tag(
        "article",
        tag("h3", f"“{escaped(query.sentence)}”", id=title, style="margin-top:0"),
        tag("p", escaped(_outcome(query)), class_="outcome"),
        _row(query),
        class_="card",
        aria_labelledby=title,
    )


def _outcome(query: Query) -> str:
    """How it went, in a line; empty where nothing is known."""
    marks = [hit.mark for hit in query.hits]
    top, fits = len(marks), marks.count("fits")
    if "own" in marks:
        own = f"✓ Its own picture stands at rank {query.hits[marks.index('own')].rank}."
    elif query.missed:
        own = (
            f"◯ Its own picture is not among the top {top}: it stands at rank {query.missed.rank}."
        )
    else:
        own = ""
    also = f"≈ Pictures here that {'also ' * bool(own)}fit the words: {fits}."
    return _said(own, also if any(marks) else "")


def _row(query: Query, style: str | None = None) -> str:
    shown = _shown(query)
    if not shown:
        raise ValueError(f"no hits for {query.sentence!r}: there is nothing to show")
    hits = [(_summary(hit, mark), _grounding(query, hit)) for hit, mark in shown]
    # of the content: two rows on a page must not close each other's pictures
    group = f"hits-{sha256(repr((query.sentence, hits)).encode()).hexdigest()[:12]}"
    details = (tag("details", summary, panel, name_=group) for summary, panel in hits)
    return tag("div", *details, class_="hits", style=style)


def _summary(hit: Hit, mark: Mark) -> str:
    """The picture in the row."""
    alt = f"{hit.name}, score {signed(hit.score)}{': ' * bool(hit.shows)}{hit.shows}"
    thumb = tag(
        "span",
        _thumb(hit.image, alt),
        tag("span", signed(hit.score), aria_hidden="true", style=_SCORE),
        style=f"{_FRAME} {mark.border}",
    )
    told = tag("b", f"rank {hit.rank}") + f" {mark.sign} {mark.of_picture}".rstrip()
    named = tag("small", escaped(hit.name), style="display:block;overflow-wrap:anywhere")
    return tag("summary", thumb, tag("span", told, style="display:block"), named, style=_SUMMARY)


def _grounding(query: Query, hit: Hit) -> str:
    """What opens: the picture with a box for each region, and the words with their scores."""
    told = _said(f"{hit.name}, rank {hit.rank} for “{query.sentence}”.", hit.shows)
    return grounding_html(hit.image, _aligned(hit), told)


def _aligned(hit: Hit) -> Alignment:
    return align(hit.words, hit.word_scores, hit.regions, hit.cells, window=hit.window)


def _thumb(image: np.ndarray, alt: str) -> str:
    """A picture as large as it is, or smaller, shown THUMB pixels high."""
    image = require_picture(image)
    height, width, _ = image.shape
    wide = max(round(THUMB * width / height), 1)
    if height > 2 * THUMB:
        smaller = Image.fromarray(image).resize((2 * wide, 2 * THUMB), Image.Resampling.LANCZOS)
        image = np.asarray(smaller)
    shown = picture(png_uri(image), alt, wide, THUMB)
    return tag("span", shown, style=_THUMB)


def _lines(query: Query) -> list[str]:
    """A row in lines of text."""
    lines = [_said(f"“{query.sentence}”", _outcome(query))]
    for hit, mark in _shown(query):
        told = _said(f"{hit.rank}.", mark.sign, f"{hit.name}, score {signed(hit.score)}")
        told += f", {mark.of_picture}" if mark.of_picture else ""
        lines.append(f"  {told}. {strongest_words(_aligned(hit))}")
    return lines


# A picture and its sentences.


def _tellings(tellings: Sequence[Telling]) -> str:
    cards = "".join(_telling(number, one) for number, one in enumerate(tellings, start=1))
    how = "The other way round: the best of all sentences for a picture, the best first."
    return tag("section", tag("h2", "Sentences for each picture"), tag("p", how), cards)


def _telling(number: int, one: Telling) -> str:
    title = f"picture-{number}"
    rows = [
        (signed(score), _judged(sentence, _mark(mark))) for sentence, score, mark in one.sentences
    ]
    if one.missed:
        sentence, score, rank = one.missed
        rows.append((signed(score), _judged(sentence, MISSED, f": rank {rank}")))
    named = f"Top sentences for {one.name}"
    listed = scroll_box(table(named, ("score", "sentence"), rows), named)
    shown = _thumb(one.image, f"{one.name}{': ' * bool(one.shows)}{one.shows}")
    return tag(
        "article",
        tag("h3", escaped(one.name), id=title, style="margin-top:0;overflow-wrap:anywhere"),
        tag("div", shown, listed, class_="told"),
        class_="card",
        aria_labelledby=title,
    )


def _judged(sentence: str, mark: Mark, more: str = "") -> str:
    told = f"{mark.sign} {mark.of_sentence}{more}".strip()
    return escaped(sentence) + (tag("small", told) if told else "")
