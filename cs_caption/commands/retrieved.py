"""What a ranking model finds, pictures for sentences and the reverse, and how rightly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cs_caption.checkpoint import Trained
from cs_caption.commands.album import Album, Seen
from cs_caption.metrics.oracle import fits
from cs_caption.ranking import (
    Match,
    Sentences,
    all_scores,
    encode_sentences,
    match,
    search_encoded,
    tell,
    words_of,
)
from cs_caption.viz.attention import describe_objects
from cs_caption.viz.retrieval_page import Hit, Query, Telling


@dataclass(frozen=True, eq=False)
class Found:
    """What was found for a sentence; the words of it that the model does not know; how many of
    all pictures fit it, None where nobody knows."""

    query: Query
    unknown: tuple[str, ...]
    fitting: int | None


def find(
    ranking: Trained,
    album: Album,
    sentences: Sentences,
    *,
    top: int,
    beta: float = 0.0,
    own: Sequence[int] | None = None,
) -> list[Found]:
    """The top pictures of each sentence; own tells which picture each was written for."""
    best = search_encoded(ranking, album.regions, sentences, top, beta)
    lost = [None] * len(best) if own is None else _lost(ranking, album, sentences, best, own, beta)
    found = []
    for m, (matches, missed) in enumerate(zip(best, lost, strict=True)):
        sentence, owner = " ".join(sentences.words[m]), None if own is None else own[m]
        fit = [_fits(sentence, seen) for seen in album.pictures]
        hits = [_hit(album, one, _mark(fit[one.item], one.item == owner)) for one in matches]
        query = Query(sentence, hits, missed and _hit(album, missed, "own"))
        unknown = tuple(dict.fromkeys(sentences.unknown[m]))
        found.append(Found(query, unknown, None if None in fit else sum(fit)))
    return found


def examples(ranking: Trained, album: Album, count: int) -> tuple[Sentences, list[int]]:
    """A sentence of each of `count` scenes, spread evenly over all, and which scenes these are."""
    own = [k * len(album) // count for k in range(count)]
    said = [album.pictures[place].scene.captions for place in own]
    texts = [some[k % len(some)] for k, some in enumerate(said)]
    return encode_sentences(ranking.vocabulary, texts), own


def tellings(ranking: Trained, album: Album, places: Sequence[int], *, top: int) -> list[Telling]:
    """The top sentences of some scenes, among all that people wrote of all the scenes."""
    said = [seen.scene.captions for seen in album.pictures]
    texts = [text for some in said for text in some]
    owners = np.repeat(np.arange(len(said)), [len(some) for some in said])
    encoded = encode_sentences(ranking.vocabulary, texts)
    scores = all_scores(ranking, album.regions[list(places)], encoded)
    return [
        _telling(album.pictures[place], texts, row, order, owners == place, top)
        for place, row, order in zip(places, scores, tell(scores, top=len(texts)), strict=True)
    ]


def _telling(
    seen: Seen,
    texts: Sequence[str],
    scores: np.ndarray,
    order: np.ndarray,
    own: np.ndarray,
    top: int,
) -> Telling:
    """What is best for one scene: scores, order and own (M,) are of the texts."""
    best = [(texts[m], float(scores[m]), _mark(_fits(texts[m], seen), own[m])) for m in order[:top]]
    missed = None
    if own.any() and not own[order[:top]].any():
        rank = int(own[order].argmax())
        missed = texts[order[rank]], float(scores[order[rank]]), rank + 1
    return Telling(seen.name, seen.image, best, missed, _shows(seen))


def _lost(
    ranking: Trained,
    album: Album,
    sentences: Sentences,
    best: Sequence[Sequence[Match]],
    own: Sequence[int],
    beta: float,
) -> Iterator[Match | None]:
    """Each sentence's own picture, where it is not among the best."""
    v, s = album.regions, words_of(ranking, sentences)
    scores = all_scores(ranking, v, sentences)
    for m, (matches, owner) in enumerate(zip(best, own, strict=True)):
        if any(one.item == owner for one in matches):
            yield None
            continue
        order = np.argsort(-scores[:, m], kind="stable").tolist()
        yield match(v, s, sentences, m, owner, order.index(owner) + 1, scores, beta)


def _hit(album: Album, one: Match, mark: str) -> Hit:
    """A match as the page shows it."""
    seen, cells = album.pictures[one.item], album.regions.shape[1]
    found = one.rank, one.score, one.words, one.word_scores, one.regions
    return Hit(seen.name, seen.image, *found, cells, mark, _shows(seen), album.window)


def _mark(fit: bool | None, own: bool) -> str:
    return "own" if own else {True: "fits", False: "wrong", None: ""}[fit]


def _fits(sentence: str, seen: Seen) -> bool | None:
    """Whether a picture shows what a sentence says; None where nobody can tell."""
    return None if seen.scene is None else fits(sentence, seen.scene)


def _shows(seen: Seen) -> str:
    return "" if seen.scene is None else describe_objects(seen.scene.objects)
