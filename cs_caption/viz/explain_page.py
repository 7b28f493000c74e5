"""One page on some pictures: what a captioner says of each, and where it looked word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cs_caption.files import whole_file
from cs_caption.viz.explorer import show_attention
from cs_caption.viz.gallery_style import STYLE
from cs_caption.viz.html import escaped, page, scroll_box, table, tag
from cs_caption.viz.matrix import number

if TYPE_CHECKING:
    from cs_caption.evaluation import Sentence

TITLE = "What the captioner says, and where it looks"


@dataclass(frozen=True, eq=False)
class Explained:
    """A picture, the sentences found for it, best first, and where the model looked for the best.

    Shapes: image uint8 (H, H, 3); attention (T, L), a row a word of sentences[0]. note is said
    above the sentences; empty where there is nothing to warn of.
    """

    name: str
    image: np.ndarray
    sentences: Sequence[Sentence]
    attention: np.ndarray
    note: str = ""


def write_explanations(path: str | Path, explained: Sequence[Explained], about: str) -> Path:
    """Write the page, whole or not at all, and return its path; about is a line of plain text.

    One file: no script, nothing fetched.

    Raises: OSError where it cannot be written.
    """
    path = Path(path)
    with whole_file(path) as temporary:
        temporary.write_text(explain_html(explained, about), encoding="utf-8")
    return path


def explain_html(explained: Sequence[Explained], about: str) -> str:
    """The page as text."""
    cards = (_card(place, len(explained), one) for place, one in enumerate(explained, start=1))
    body = (
        tag("header", tag("h1", TITLE), tag("p", escaped(about)))
        + tag("main", *cards)
        + tag("footer", tag("p", _HOW_TO_READ))
    )
    return page(TITLE, STYLE, body)


_HOW_TO_READ = (
    "Log-probabilities are natural logarithms: 0 is certain, −0.7 an even chance, −2.3 one in ten; "
    "a sentence has the sum of its words. The weights say what the model took in as it said a "
    "word; they do not prove that it said the word for that reason."
)


def _card(place: int, of: int, one: Explained) -> str:
    best = one.sentences[0]
    title = f"picture-{place}"
    words = best.text.split()
    explorer = show_attention(
        one.image,
        words,
        one.attention,
        alt=f"Picture {place} of {of}, {one.name}. The model says: {_said(best)}",
        log_probs=best.log_probs,
    )
    return tag(
        "section",
        tag("h2", escaped(_said(best)), id=title, style="margin-top:0"),
        tag("p", escaped(one.name), class_="label", style="overflow-wrap:anywhere"),
        tag("p", tag("strong", "Note: "), escaped(one.note)) if one.note else "",
        explorer.html,
        _n_best(one.sentences),
        class_="card",
        aria_labelledby=title,
    )


def _n_best(sentences: Sequence[Sentence]) -> str:
    rows = (
        (*map(_log, (sentence.log_prob, sentence.per_word)), escaped(_said(sentence)))
        for sentence in sentences
    )
    several = (
        "The sentence" if len(sentences) == 1 else f"The {len(sentences)} sentences, best first"
    )
    listed = table(several, ("log-probability", "its mean a word", "sentence"), rows, "beams")
    return scroll_box(listed, several)


def _said(sentence: Sentence) -> str:
    return sentence.text or "(no word)"


def _log(value: float) -> str:
    return number(round(value, 2))
