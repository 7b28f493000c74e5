"""BLEU-1 to BLEU-n, as pycocoevalcap 1.2 computes it."""

from collections.abc import Sequence

import numpy as np

from cs_caption.metrics.prepared import Found, Pairs, References, pair
from cs_caption.metrics.score import Score

# pycocoevalcap adds these instead of testing for zero; every score carries their trace.
_TINY, _SMALL = 1e-15, 1e-9


def bleu(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    max_n: int = 4,
    items: Sequence[int] | None = None,
) -> Score:
    """BLEU of candidates (N) against references (N lists), already tokenised; from 0 to 1.

    The corpus figure sums matches and lengths over all items first; per_item (N,) is BLEU of each
    caption by itself. The reference length is the closest one, the shorter in a tie. Nothing is
    smoothed beyond the reference code's 1e-15 and 1e-9, so one missing order gives nearly 0. The
    result is BLEU-max_n; `.by_order[k - 1]` is BLEU-k. References may be prepared (`prepare`);
    items (N,) says whose they are where candidate i is not of picture i.

    Raises: TypeError or ValueError, naming the item, as `prepared.pair`; ValueError where max_n is
    not a positive integer.
    Source: Papineni et al. 2002, sections 2.1-2.3; pycocoevalcap 1.2, option "closest".
    """
    rows = bleu_rows(candidates, references, max_n, items)
    corpus, per_item = bleu_from_rows(rows.sum(0)), bleu_from_rows(rows)
    orders = tuple(Score(float(c), p) for c, p in zip(corpus, per_item.T, strict=True))
    return Score(orders[-1].corpus, orders[-1].per_item, orders)


def bleu_rows(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    max_n: int = 4,
    items: Sequence[int] | None = None,
) -> np.ndarray:
    """The counts that BLEU is made of, (N, 2 * max_n + 2), which may be summed over items.

    Columns: n-grams matched for each order, n-grams present for each order, length of the
    candidate, length of its closest reference.
    """
    if not isinstance(max_n, int | np.integer) or isinstance(max_n, bool) or max_n < 1:
        raise ValueError(f"max_n is {max_n!r}; expected a whole number, 1 or more")
    pairs = pair(candidates, references, items)
    length, closest = _lengths(pairs)
    matched = [_matched(found, pairs) for found in pairs.found(max_n)]
    present = [np.maximum(length - order, 0) for order in range(max_n)]
    return np.stack([*matched, *present, length, closest], axis=1)


def bleu_from_rows(rows: np.ndarray) -> np.ndarray:
    """BLEU-1..max_n (..., max_n) from rows of counts or sums of them (..., 2 * max_n + 2)."""
    max_n = rows.shape[-1] // 2 - 1
    matched, present = rows[..., :max_n], rows[..., max_n : 2 * max_n]
    precision = np.cumprod((matched + _TINY) / (present + _SMALL), axis=-1)
    ratio = (rows[..., -2:-1] + _TINY) / (rows[..., -1:] + _SMALL)
    brevity = np.where(ratio < 1, np.exp(1 - 1 / np.minimum(ratio, 1)), 1)
    return precision ** (1 / np.arange(1, max_n + 1)) * brevity


def _matched(found: Found, pairs: Pairs) -> np.ndarray:
    row = np.flatnonzero(found.group >= 0)
    most = pairs.references.groups(found.order.n).most[found.group[row]]
    clipped = np.minimum(found.order.count[row], most)
    matched = np.bincount(found.order.caption[row], clipped, len(pairs.item))
    return matched.astype(np.int64)


def _lengths(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Length of each candidate and of its closest reference: (N,), (N,)."""
    own, theirs = pairs.lengths()
    above = theirs.max() + 1
    # Distance first, then length: a tie goes to the shorter reference.
    rank = np.abs(theirs - own) * above + theirs
    return own[pairs.first[:-1]], np.minimum.reduceat(rank, pairs.first[:-1]) % above
