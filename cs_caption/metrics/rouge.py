"""ROUGE-L, as pycocoevalcap 1.2 computes it."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from cs_caption.metrics.prepared import References, pair
from cs_caption.metrics.score import Score

_BETA = 1.2


def rouge_l(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    items: Sequence[int] | None = None,
) -> Score:
    """ROUGE-L of candidates (N) against references (N lists), already tokenised; from 0 to 1.

    Precision is the largest over the references, and so is recall, each on its own; the corpus
    figure is the mean of per_item (N,). As in the reference code only a single blank parts words:
    two blanks have an empty word between them, and so a caption without a word is one empty word.
    References may be prepared (`prepare`); items (N,) says whose they are where candidate i is not
    of picture i.

    Raises: TypeError or ValueError, naming the item, as `prepared.pair`.
    Source: Lin 2004, section 3, with beta 1.2; pycocoevalcap 1.2.
    """
    pairs = pair(candidates, references, items)
    captions = pairs.references.captions
    both = zip(pairs.captions, pairs.item.tolist(), strict=True)
    per_item = np.array([_f_measure(caption, captions[item]) for caption, item in both])
    return Score(float(per_item.mean()), per_item)


def _f_measure(candidate: str, references: list[str]) -> float:
    said, precision, recall = candidate.split(" "), 0.0, 0.0
    places: dict[str, int] = defaultdict(int)
    for i, word in enumerate(said):
        places[word] |= 1 << i
    for reference in references:
        words = reference.split(" ")
        common = _common(words, places, len(said))
        precision = max(precision, common / len(said))
        recall = max(recall, common / len(words))
    if precision == 0:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _common(words: list[str], places: dict[str, int], length: int) -> int:
    """Length of the longest common subsequence of words and a caption of `length` words.

    places has a bit set wherever the caption has the word. One whole number stands for a row of
    the usual table: a bit is 0 where the row grows by one.

    Source: Hyyro 2004, "Bit-parallel LCS-length computation revisited".
    """
    all_ones = row = (1 << length) - 1
    for word in words:
        matches = row & places.get(word, 0)
        row = (row + matches) | (row - matches)
    return length - (row & all_ones).bit_count()
