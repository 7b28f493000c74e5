"""METEOR 1.5 for English without its paraphrase table."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

import numpy as np

from cs_caption.metrics.meteor_align import Way, align, count_chunks
from cs_caption.metrics.meteor_words import FUNCTION_WORDS, normalise
from cs_caption.metrics.prepared import References, pair
from cs_caption.metrics.score import Score

# Denkowski and Lavie 2014, table 1 (English, tuned for ranking).
_ALPHA, _BETA, _GAMMA, _DELTA = 0.85, 0.2, 0.6, 0.75
_WEIGHTS = {"exact": 1.0, "stem": 0.6, "synonym": 0.8}
_STAGES = (
    ("exact",),
    ("exact", "stem"),
    ("exact", "synonym"),
    ("exact", "stem", "synonym"),
)

Synonyms = Sequence[Sequence[str]]


def meteor(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    stages: Sequence[str] = ("exact", "stem"),
    synonyms: Synonyms | None = None,
    items: Sequence[int] | None = None,
) -> Score:
    """METEOR of candidates (N) against references (N lists), already tokenised; from 0 to 1.

    What COCO prints as METEOR pairs words in four stages: equal words, equal stems, synonyms of
    WordNet, paraphrases. Here are the first two, so the score is called METEOR-ES, for exact and
    stem; it is lower than COCO's. The stage "synonym" needs a table: `synonyms`, groups of words
    that mean the same, by which went and goes may pair. Stems are snowballstemmer's: those of its
    version 2.2 are the reference code's, a later one has others for a few words ("added").

    per_item (N,) is the best score over an item's references; the corpus figure comes from the
    sums of what was counted, not from the mean. An empty caption scores 0. As in the reference code
    words are read in lower case, and signs and hyphens part them. References may be prepared
    (`prepare`); items (N,) says whose they are where candidate i is not of picture i.

    Raises: TypeError or ValueError, naming the item, as `prepared.pair`; ValueError for stages
    other than "exact" and after it "stem", "synonym" or both in this order, and for synonyms
    without their stage; TypeError where they are no groups of words; ModuleNotFoundError where
    snowballstemmer is missing.
    Source: Denkowski and Lavie 2014; meteor-1.5.jar with -l en -norm -m "exact stem".
    """
    rows = meteor_rows(candidates, references, stages, synonyms, items)
    corpus, per_item = meteor_from_rows(rows.sum(0)), meteor_from_rows(rows)
    return Score(float(corpus), per_item, name=_name(stages))


def meteor_rows(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    stages: Sequence[str] = ("exact", "stem"),
    synonyms: Synonyms | None = None,
    items: Sequence[int] | None = None,
) -> np.ndarray:
    """What METEOR is made of, (N, 6), from each item's best reference; may be summed over items.

    Columns: weight of the matched words and of all words, of the candidate; the same of the
    reference; matched words; chunks, 0 where one chunk covers both captions.
    """
    keys = _stage_keys(stages, synonyms)
    pairs = pair(candidates, references, items)
    weights = [_WEIGHTS[stage] for stage in stages]
    words = cache(normalise)

    def best(candidate: str, several: list[str]) -> np.ndarray:
        rows = [_row(words(candidate), words(one), keys, weights) for one in several]
        return rows[int(np.argmax(meteor_from_rows(np.array(rows))))]

    captions = pairs.references.captions
    both = zip(pairs.captions, pairs.item.tolist(), strict=True)
    return np.array([best(caption, captions[item]) for caption, item in both])


def meteor_from_rows(rows: np.ndarray) -> np.ndarray:
    """METEOR (...) from rows of counts or sums of them (..., 6)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = rows[..., 0] / rows[..., 1], rows[..., 2] / rows[..., 3]
        mean = 1 / ((1 - _ALPHA) / precision + _ALPHA / recall)
        penalty = _GAMMA * (rows[..., 5] / rows[..., 4]) ** _BETA
    return np.nan_to_num(mean * (1 - penalty), nan=0.0)


def _name(stages: Sequence[str]) -> str:
    letters = "E" + "S" * ("stem" in stages)
    return f"METEOR-{letters}" + "+synonyms" * ("synonym" in stages)


# The stages.

Keys = Callable[[str], frozenset]


def _stage_keys(stages: Sequence[str], synonyms: Synonyms | None) -> list[Keys]:
    """For each stage after "exact" a function from a word to keys; words that share one may pair.

    Raises: as `meteor`.
    """
    if tuple(stages) not in _STAGES:
        raise ValueError(f"stages is {stages!r}; expected one of {', '.join(map(str, _STAGES))}")
    if ("synonym" in stages) != (synonyms is not None):
        raise ValueError(
            'the stage "synonym" and the table `synonyms` go together: stages=("exact", "stem", '
            '"synonym"), synonyms=[["goes", "went"], ["bike", "bicycle"]]'
        )
    makers = {"stem": _stems, "synonym": lambda: _groups(synonyms)}
    return [makers[stage]() for stage in stages[1:]]


@cache
def _stems() -> Keys:
    try:
        import snowballstemmer
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'METEOR\'s stage "stem" needs snowballstemmer: pip install snowballstemmer, or leave '
            'the stage out, stages=("exact",)',
            name=error.name,
        ) from error

    @lru_cache(maxsize=1 << 16)
    def stem(word: str) -> frozenset:
        # A stemmer keeps the word that it is at: each call its own, or threads would mix them up.
        return frozenset((snowballstemmer.stemmer("english").stemWord(word),))

    return stem


def _groups(synonyms: Synonyms) -> Keys:
    groups: dict[str, list[int]] = {}
    for number, group in enumerate(synonyms):
        if isinstance(group, str) or not all(isinstance(word, str) for word in group):
            raise TypeError(
                f"synonyms[{number}] is {group!r:.60}; expected a list of words that mean the same"
            )
        for word in group:
            groups.setdefault(word.lower(), []).append(number)
    return lambda word: frozenset(groups.get(word, ()))


# One pair of captions.


def _row(said: list[str], words: list[str], keys: list[Keys], weights: list[float]) -> list[float]:
    pairs = align(_ways(said, words, keys), weights)
    chunks = count_chunks(pairs)
    if chunks == 1 and len(pairs) == len(said) == len(words):
        chunks = 0
    return [
        sum(weights[pair.stage] * _importance(said[pair.candidate]) for pair in pairs),
        sum(map(_importance, said)),
        sum(weights[pair.stage] * _importance(words[pair.reference]) for pair in pairs),
        sum(map(_importance, words)),
        len(pairs),
        chunks,
    ]


def _importance(word: str) -> float:
    return 1 - _DELTA if word in FUNCTION_WORDS else _DELTA


def _ways(said: list[str], words: list[str], keys: list[Keys]) -> list[list[Way]]:
    """For each word of the reference the stages and words of the candidate that fit it."""
    # As in the jar, captions that are equal need the first stage only.
    keys = [] if said == words else keys
    ways = [[(0, i) for i, other in enumerate(said) if other == word] for word in words]
    for stage, key in enumerate(keys, start=1):
        theirs = list(map(key, said))
        for here, word in zip(ways, words, strict=True):
            mine = key(word)
            here += [
                (stage, i)
                for i, other in enumerate(said)
                if other != word and not mine.isdisjoint(theirs[i])
            ]
    return ways
