"""One page on a captioner: its figures, whether it knows when it errs, and where it looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cs_caption.files import whole_file
from cs_caption.metrics.objects import BINS
from cs_caption.metrics.pointing import Pointing, PointingScore
from cs_caption.viz.attention import describe_objects, tell_look, veil, where_looked
from cs_caption.viz.gallery_style import STYLE
from cs_caption.viz.html import Ids, escaped, page, picture, png_uri, scroll_box, table, tag

if TYPE_CHECKING:
    from cs_caption.evaluation import Bar, Calibration, Evaluation, Measures, Sentence

MARKS = {
    "all": ("●", "every object right"),
    "some": ("◐", "some objects right"),
    "none": ("○", "no object right"),
}
_UNKNOWN = ("·", "truth not known")
_SHOWN_BEAMS = 5


@dataclass(frozen=True, eq=False)
class GalleryItem:
    """A picture, what people and the model say of it, and where the model looked.

    Shapes: image uint8 (H, W, 3); attention (T, L), a row a word, or None. objects and bin are
    None where the truth is not known; points holds the words that pointing counts, by word.
    """

    id: str
    image: np.ndarray
    references: Sequence[str]
    sentences: Sequence[Sentence]
    attention: np.ndarray | None = None
    objects: Sequence | None = None
    bin: str | None = None
    points: dict[int, Pointing] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class GallerySummary:
    """The figures at the top of the page; about is a paragraph of plain text.

    scores (N,) and bins (N) are the log-probability and the bin of every caption evaluated.
    """

    title: str
    about: str
    lines: Sequence[Measures]
    scores: np.ndarray
    bins: Sequence[str | None]
    bars: Sequence[Bar] = ()
    pointing: PointingScore | None = None
    calibration: Calibration | None = None


def gallery_items(data: Any, evaluation: Evaluation, per_bin: int = 8) -> list[GalleryItem]:
    """Up to per_bin pictures of each bin: where all is right, from the surest caption to the least
    sure in even steps; of the other bins, the most confident mistakes first."""
    points: dict[int, dict[int, Pointing]] = {}
    for record in evaluation.pointing.records if evaluation.pointing else ():
        points.setdefault(record.item, {})[record.word] = record
    chosen = _chosen(evaluation.results, per_bin)
    return [_item(data[i], evaluation.results[i], points.get(i, {})) for i in chosen]


def summarise(
    evaluation: Evaluation,
    lines: Sequence[Measures] = (),
    bars: Sequence[Bar] = (),
    *,
    title: str = "What the captioner says, and where it looks",
    about: str = "",
) -> GallerySummary:
    """The page's figures from an evaluation; lines are those of `cs_caption.baselines.compare`."""
    return GallerySummary(
        title=title,
        about=about,
        lines=list(lines) or [evaluation.measures],
        scores=np.array([result.sentences[0].log_prob for result in evaluation.results]),
        bins=[result.bin for result in evaluation.results],
        bars=bars,
        pointing=evaluation.pointing,
        calibration=evaluation.calibration,
    )


def write_gallery(path: str | Path, items: Sequence[GalleryItem], summary: GallerySummary) -> Path:
    """Write the page, whole or not at all, and return its path.

    One file: no script, nothing fetched; every picture has words beside it.

    Raises: OSError where it cannot be written.
    """
    path = Path(path)
    with whole_file(path) as temporary:
        temporary.write_text(gallery_html(items, summary), encoding="utf-8")
    return path


def gallery_html(items: Sequence[GalleryItem], summary: GallerySummary) -> str:
    """The page as text."""
    ids = Ids()
    style = STYLE + "".join(
        f'.p{k} {{ background-image: url("{png_uri(item.image)}"); }}\n'
        for k, item in enumerate(items)
    )
    sections = [_figures(summary)]
    if summary.calibration:
        sections.append(_sureness(summary))
    sections.append(_pictures(items, summary, ids))
    body = (
        tag("a", "Skip to the pictures", class_="skip", href="#pictures")
        + tag("header", _header(summary))
        + tag("main", *sections)
        + tag("footer", tag("p", escaped(_HOW_TO_READ)))
    )
    return page(summary.title, style, body)


_HOW_TO_READ = (
    "Log-probabilities are natural logarithms: 0 is certain, -0.7 an even chance, -2.3 one in ten. "
    "<END> is the model's word for having finished."
)


# Which pictures.


def _chosen(results: Sequence, per_bin: int) -> list[int]:
    chosen = []
    for name in (*BINS, None):
        here = [i for i, result in enumerate(results) if result.bin == name]
        here.sort(key=lambda i: -results[i].sentences[0].log_prob)
        if name in ("all", None) and here:
            steps = np.linspace(0, len(here) - 1, min(per_bin, len(here))).round().astype(int)
            here = [here[step] for step in steps]
        chosen += here[:per_bin]
    return chosen


def _item(shown: Any, result: Any, points: dict[int, Pointing]) -> GalleryItem:
    return GalleryItem(
        id=result.id,
        image=shown.image,
        references=tuple(shown.captions),
        sentences=result.sentences,
        attention=result.attention,
        objects=getattr(shown, "objects", None),
        bin=result.bin,
        points=points,
    )


# The figures.


def _header(summary: GallerySummary) -> str:
    links = [("#figures", "Figures")]
    links += [("#sureness", "Does it know when it is right?")] if summary.calibration else []
    links += [(f"#bin-{name}", MARKS[name][1].capitalize()) for name in BINS if name in
              summary.bins] or [("#pictures", "Pictures")]  # fmt: skip
    entries = "".join(tag("li", tag("a", escaped(text), href=to)) for to, text in links)
    return (
        tag("h1", escaped(summary.title))
        + (tag("p", escaped(summary.about)) if summary.about else "")
        + tag("nav", tag("ul", entries), aria_label="On this page")
    )


def _figures(summary: GallerySummary) -> str:
    bars = "".join(map(_bar, summary.bars))
    return tag(
        "section",
        tag("h2", "Figures"),
        tag("ul", bars, class_="bars") if bars else "",
        _lines(summary.lines),
        _pointing(summary.pointing) if summary.pointing and summary.pointing.counted else "",
        id="figures",
    )


def _bar(bar: Bar) -> str:
    verdict = "✓ reached" if bar.met else "✗ missed"
    bounds = f"95% between {bar.interval[0]:.3f} and {bar.interval[1]:.3f}" if bar.interval else ""
    return tag(
        "li",
        tag("small", escaped(bar.name)),
        tag("span", _number(bar.value), class_="value number"),
        tag("span", f"{verdict}: {bar.least:.2f} asked", class_="verdict"),
        tag("small", bounds),
        class_="met" if bar.met else "missed",
    )


def _lines(lines: Sequence[Measures]) -> str:
    head = (
        *("", "object F1", "exact set", "named but not there", "BLEU-4", "CIDEr-D"),
        *("nats a word", "references"),
    )
    rows = (
        (
            escaped(line.name) + tag("small", escaped(line.note)),
            *map(_number, (line.object_f1, line.exact_set, line.hallucination, line.bleu[-1])),
            *(_number(line.cider_d, 2), _number(line.nats_per_token), str(line.references)),
        )
        for line in lines
    )
    caption = (
        "Beside the baselines. F1, exact set, BLEU-4: from 0 to 1, more is better; CIDEr-D: from "
        "0 to 10; nats a word: the cost of the people's captions, less is better."
    )
    return scroll_box(table(caption, head, rows, class_="lines"), "Figures beside the baselines")


def _pointing(score: PointingScore) -> str:
    rows = (
        ("attention", score.accuracy),
        ("a random object", score.random_object),
        ("the centre", score.centre),
        ("any cell", score.uniform),
    )
    cells = ((escaped(name), _number(value), _gauge(value)) for name, value in rows)
    caption = (
        f"Pointing: how often the strongest cell lies on the object that is being named. "
        f"{score.counted:,} words counted, each in a picture with another object beside it."
    )
    return table(caption, ("pointed at by", "share", ""), cells, class_="gauges")


def _gauge(share: float) -> str:
    return tag("span", f'<i style="width:{100 * share:.1f}%"></i>', class_="gauge")


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return tag("span", "–", aria_label="not measured", role="img")
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


# Does it know when it is right?


def _sureness(summary: GallerySummary) -> str:
    return tag(
        "section",
        tag("h2", "Does it know when it is right?"),
        tag("p", escaped(_sureness_text(summary.calibration))),
        _distributions(np.asarray(summary.scores), list(summary.bins)),
        id="sureness",
    )


def _sureness_text(calibration: Calibration) -> str:
    if calibration.total is None:
        return (
            "All captions fall on one side, so there is nothing that their log-probability could "
            "tell apart."
        )
    equals = calibration.as_many_objects
    return (
        "Take one caption that names every object rightly and one that does not: the right one has "
        f"the higher log-probability in {calibration.total:.0%} of such pairs (the AUC; guessing "
        "gives 50%). "
        + (f"Of two pictures with as many objects, in {equals:.0%}. " if equals is not None else "")
        + f"By the mean of its words it is {calibration.per_word:.0%}, by its least probable word "
        f"{calibration.least_word:.0%}."
    )


def _distributions(scores: np.ndarray, bins: list[str | None]) -> str:
    ticks = _ticks(scores)
    edges = np.linspace(ticks[0], ticks[-1], 41)
    rows = "".join(_distribution(name, scores[[b == name for b in bins]], edges) for name in BINS)
    words = (
        "Log-probability of the best caption, by bin; each row fills its own height, the upright "
        "line is the median. A longer sentence costs more, right or wrong."
    )
    labels = "".join(tag("span", _number(tick, 0)) for tick in ticks)
    axis = tag("div", labels, class_="axis", aria_hidden="true")
    return tag("figure", rows, axis, tag("figcaption", words))


def _ticks(scores: np.ndarray) -> np.ndarray:
    """Whole numbers in even steps, at most seven, from below the scores to above them."""
    low, high = int(np.floor(scores.min())), int(np.ceil(scores.max()))
    step = max(-(-(high - low) // 6), 1)
    return np.arange(low, max(high, low + 1) + step, step)


def _distribution(name: str, scores: np.ndarray, edges: np.ndarray) -> str:
    mark, words = MARKS[name]
    count = tag("small", f"{len(scores):,} caption{'s' * (len(scores) != 1)}")
    label = tag("span", tag("strong", _mark(mark), words), count)
    return tag("div", label, _histogram(words, scores, edges), class_=f"bin {name}")


def _histogram(words: str, scores: np.ndarray, edges: np.ndarray) -> str:
    heights = np.histogram(scores, edges)[0]
    tallest = max(heights.max(), 1)
    rectangles = "".join(
        f'<rect x="{k}" y="{30 - 28 * height / tallest:.2f}" width="0.9" '
        f'height="{28 * height / tallest:.2f}"/>'
        for k, height in enumerate(heights)
        if height
    )
    told, median = f"{words}: no caption", ""
    if len(scores):
        middle = float(np.median(scores))
        x = (middle - edges[0]) / (edges[1] - edges[0])
        median = f'<line x1="{x:.2f}" x2="{x:.2f}" y1="0" y2="30"/>'
        told = (
            f"{words}: log-probability from {scores.min():.1f} to {scores.max():.1f}, "
            f"median {middle:.1f}"
        )
    return (
        f'<svg viewBox="0 0 {len(heights)} 30" preserveAspectRatio="none" role="img" '
        f'aria-label="{escaped(told)}">{rectangles}{median}</svg>'
    )


# The pictures.


def _pictures(items: Sequence[GalleryItem], summary: GallerySummary, ids: Ids) -> str:
    cards = list(enumerate(items))
    parts = [tag("h2", "Pictures"), tag("p", escaped(_PICTURES_TEXT))]
    for name in (*BINS, None):
        here = [(k, item) for k, item in cards if item.bin == name]
        if here:
            parts += _bin_heading(name, len(here), summary)
            parts += [_card(k, item, ids) for k, item in here]
    return tag("section", *parts, id="pictures")


_PICTURES_TEXT = (
    "Beneath each word of the beams stands its log-probability. Below them, the picture once for "
    "each word of the best caption: bright where the model looked as it said the word, the "
    "strongest cell framed."
)


def _bin_heading(name: str | None, shown: int, summary: GallerySummary) -> Iterable[str]:
    there = list(summary.bins).count(name)
    mark, words = MARKS.get(name, _UNKNOWN)
    order = {
        "all": "from the surest caption to the least sure, in even steps",
        "some": "the most confident mistakes first",
        "none": "the most confident mistakes first",
    }.get(name, "from the surest caption to the least sure, in even steps")
    yield tag("h3", _mark(mark), words.capitalize(), id=f"bin-{name or 'unknown'}", class_=name)
    yield tag(
        "p",
        f"{there:,} of {len(summary.bins):,} captions; {shown} shown, {order}.",
        class_="soft",
    )


def _mark(mark: str) -> str:
    return tag("span", mark, class_="mark", aria_hidden="true") + " "


def _card(k: int, item: GalleryItem, ids: Ids) -> str:
    mark, _ = MARKS.get(item.bin, _UNKNOWN)
    title, uri = ids("caption"), png_uri(item.image)
    heading = tag(
        "h4", _mark(mark), tag("span", escaped(item.sentences[0].text or "(no word)")), id=title
    )
    refs = "".join(tag("li", escaped(caption)) for caption in item.references)
    right = (
        tag("p", "People say", class_="label")
        + tag("ul", refs, class_="refs")
        + _beams(item.sentences[:_SHOWN_BEAMS])
    )
    shown = picture(uri, f"Picture {item.id}: {describe(item)}", 192, 192, "picture")
    return tag(
        "article",
        heading,
        tag("div", tag("div", shown), tag("div", right), class_="top"),
        _words(k, item) if item.attention is not None else "",
        class_=f"card {item.bin or ''}".strip(),
        aria_labelledby=title,
    )


def _beams(sentences: Sequence[Sentence]) -> str:
    rows = (
        (_number(sentence.log_prob, 2), " ".join(map(_ruby, sentence.words, sentence.log_probs)))
        for sentence in sentences
    )
    caption = f"The model says: {len(sentences)} best of the beam"
    return table(caption, ("log-prob.", "words"), rows, class_="beams")


def _ruby(word: str, log_prob: float) -> str:
    return tag("ruby", escaped(word), "<rp>(</rp>", tag("rt", _number(log_prob, 2)), "<rp>)</rp>")


def describe(item: GalleryItem) -> str:
    """The picture in words: its objects and where they are, else its first reference."""
    return describe_objects(item.objects) if item.objects else item.references[0]


# Attention, word by word.


def _words(k: int, item: GalleryItem) -> str:
    sentence = item.sentences[0]
    tiles = "".join(
        _tile(k, item, place, word)
        for place, word in enumerate(sentence.words[: len(item.attention)])
    )
    return tag("p", "Where it looks as it says", class_="label") + tag("ol", tiles, class_="words")


def _tile(k: int, item: GalleryItem, place: int, word: str) -> str:
    weights = np.asarray(item.attention[place], float)
    share, target = where_looked(weights, item.objects)
    alt = tell_look(word, weights, item.objects)
    point = item.points.get(place)
    verdict = ""
    if point is not None:
        sign = "✓ points at it" if point.hit else "✗ points elsewhere"
        verdict = tag("small", sign, class_="on" if point.hit else "off")
    return tag(
        "li",
        tag("span", picture(png_uri(veil(weights)), alt, 88, 88), class_=f"look p{k}"),
        tag("b", escaped(word)),
        tag("small", escaped(f"{share:.0%} on {target}")),
        verdict,
    )
