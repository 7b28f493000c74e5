"""Do metrics know the truth? How a caption's score goes with the objects that it names."""

from collections.abc import Callable, Sequence

import numpy as np

from cs_caption.metrics import bleu, cider, cider_d, meteor, rouge_l
from cs_caption.metrics.statistics import correlation
from cs_caption.studies.paradox import BUDGET, TINY
from cs_caption.studies.record import Figure
from cs_caption.studies.speakers import SPEAKERS, captions_of, objects_named, references_of
from cs_caption.studies.study import Budget, Found, Study

ONE, PEOPLE = "greedy", "annotator"
MACHINES = tuple(name for name in SPEAKERS if not name.startswith("annotator"))

References = Sequence[Sequence[str]]


def _lengths(captions: Sequence[str], references: References) -> np.ndarray:
    return np.array([len(caption.split()) for caption in captions], float)


METRICS: dict[str, Callable[[Sequence[str], References], np.ndarray]] = {
    "BLEU-1": lambda c, r: bleu(c, r, max_n=1).per_item,
    "BLEU-4": lambda c, r: bleu(c, r).per_item,
    "METEOR-ES": lambda c, r: meteor(c, r).per_item,
    "ROUGE-L": lambda c, r: rouge_l(c, r).per_item,
    "CIDEr": lambda c, r: cider(c, r).per_item,
    "CIDEr-D": lambda c, r: cider_d(c, r).per_item,
    "words": _lengths,
}


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    def scored(speaker: str) -> np.ndarray:
        captions = captions_of(speaker, budget, seed)
        return METRICS[setting](captions, references_of(budget, seed))

    def truth(speaker: str) -> np.ndarray:
        captions = captions_of(speaker, budget, seed)
        return objects_named(captions, budget, seed).rows

    everybody = np.concatenate([scored(name) for name in MACHINES])
    rows = np.concatenate([truth(name) for name in MACHINES])
    wins = _wins(scored(PEOPLE), scored(ONE))
    errs = _false_share(truth(ONE)) > 0
    return {
        "object F1, all machines": _rank_correlation(everybody, _f1(rows)),
        "object F1, one model": _rank_correlation(scored(ONE), _f1(truth(ONE))),
        "not there, one model": _rank_correlation(scored(ONE), _false_share(truth(ONE))),
        "people preferred": float(wins.mean()),
        "where the model errs": float(wins[errs].mean()) if errs.any() else 0.5,
    }


def _rank_correlation(scores: np.ndarray, truth: np.ndarray) -> float:
    """Spearman's; 0 where either is the same for all pictures, and so tells nothing."""
    return correlation(scores, truth, ranks=True) or 0.0


def _f1(rows: np.ndarray) -> np.ndarray:
    right, named, there = rows.T
    return 2 * right / np.maximum(named + there, 1)


def _false_share(rows: np.ndarray) -> np.ndarray:
    """Of the named objects the share that is not there; 0 where none is named."""
    right, named, _ = rows.T
    return 1 - np.where(named > 0, right / np.maximum(named, 1), 1)


def _wins(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 where one scores higher, a half where both are equal."""
    return (one > other) + (one == other) / 2


STUDY = Study(
    name="agreement",
    question=(
        "Does a caption's score tell whether it is true? Rank correlation over pictures with the "
        "objects rightly named and with the share of named objects that are not there; and how "
        "often an annotator's caption scores above the greedy model's"
    ),
    settings=tuple(METRICS),
    figures=(
        Figure("object F1, all machines", "higher"),
        Figure("object F1, one model", "higher"),
        Figure("not there, one model", "lower"),
        Figure("people preferred", "higher"),
        Figure("where the model errs", "higher", drawn=False),
    ),
    budget=BUDGET,
    tiny=TINY,
    measure=_measure,
)
