"""CIDEr-D, as pycocoevalcap 1.2 computes what it prints as "CIDEr", and plain CIDEr."""

from collections.abc import Sequence

import numpy as np

from cs_caption.metrics.frequency import MAX_N, DocumentFrequency
from cs_caption.metrics.prepared import Found, Pairs, References, pair, ranges
from cs_caption.metrics.score import Score

_SIGMA = 6.0


def cider_d(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    df: DocumentFrequency | None = None,
    items: Sequence[int] | None = None,
) -> Score:
    """CIDEr-D of candidates (N) against references (N lists), already tokenised; from 0 to 10.

    Papers print it times 100 or times 10: 0.88 in a paper is 0.88 here, which is 88 elsewhere. The
    corpus figure is the mean of per_item (N,). An n-gram's weight is its count times
    log(N / pictures whose references have it), with N and the pictures taken from the references
    given, or from `df`. One picture by itself therefore scores 0: give it a `df`. Where all
    references are empty the reference code fails; here every score is 0. References may be
    prepared (`prepare`); items (N,) says whose they are where candidate i is not of picture i.

    Raises: TypeError or ValueError, naming the item, as `prepared.pair`; TypeError where df is no
    DocumentFrequency.
    Source: Vedantam et al. 2015, section 5.1 and equations 1-3 with the clipping and length
    penalty of CIDEr-D (there in appendix); pycocoevalcap 1.2.
    """
    pairs = pair(candidates, references, items, df)
    own, theirs = pairs.lengths()
    # The reference code counts bigrams, one less than words on both sides: the same difference,
    # but for empty captions, which score 0 anyway.
    penalty = np.exp(-((own - theirs) ** 2) / (2 * _SIGMA**2))
    return _score(pairs, _similarity(pairs, clip=True) * penalty)


def cider(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    df: DocumentFrequency | None = None,
    items: Sequence[int] | None = None,
) -> Score:
    """CIDEr as first published: CIDEr-D without its clipping and its length penalty.

    What COCO prints as "CIDEr" is `cider_d`. Arguments, range and what is raised are the same.

    Source: Vedantam et al. 2015, equations 1-3; github.com/vrama91/cider, its `cider`.
    """
    pairs = pair(candidates, references, items, df)
    return _score(pairs, _similarity(pairs, clip=False))


def _score(pairs: Pairs, similarity: np.ndarray) -> Score:
    per_item = 10 * np.bincount(pairs.candidate, similarity) / np.diff(pairs.first)
    return Score(float(per_item.mean()), per_item)


def _similarity(pairs: Pairs, clip: bool) -> np.ndarray:
    """Cosine of the two captions of each pair, the mean of all orders: (P,)."""
    return sum(_cosine(found, pairs, clip) for found in pairs.found(MAX_N)) / MAX_N


def _cosine(found: Found, pairs: Pairs, clip: bool) -> np.ndarray:
    references, order = pairs.references, found.order
    idf, norm = references.weights(order.n)
    own_idf = _own_idf(found, pairs, idf)[order.gram]
    weight = order.count * own_idf
    own_norm = np.sqrt(np.bincount(order.caption, weight * weight, len(pairs.item)))

    # Each row of a candidate meets the rows that its references have of the same n-gram.
    met = np.flatnonzero(found.group >= 0)
    first = references.groups(order.n).first
    start = first[found.group[met]]
    times = first[found.group[met] + 1] - start
    row, met = ranges(start, times), np.repeat(met, times)
    theirs = references.grams.order(order.n)
    own, other = weight[met], theirs.count[row] * own_idf[met]
    caption = order.caption[met]
    which = pairs.first[caption] + theirs.caption[row] - references.first[pairs.item[caption]]
    dot = np.bincount(which, (np.minimum(own, other) if clip else own) * other, pairs.first[-1])
    norms = own_norm[pairs.candidate] * norm[pairs.reference]
    return np.divide(dot, norms, out=np.zeros(len(dot)), where=norms > 0)


def _own_idf(found: Found, pairs: Pairs, idf: np.ndarray) -> np.ndarray:
    """The weight of each n-gram of the candidates: (G,)."""
    unseen = np.flatnonzero(found.gram < 0)
    result = np.zeros(len(found.gram))
    result[found.gram >= 0] = idf[found.gram[found.gram >= 0]]
    result[unseen] = pairs.references.unseen_weights(pairs.grams, found.order.n, unseen)
    return result
