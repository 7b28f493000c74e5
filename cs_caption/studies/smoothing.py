"""Does it help that neighbouring words like to share a region?

"nouns" are judged by the strict rule of notebook 06, "what describes them" by the same rule: the
words between the number and the noun of a mention, as colours and sizes. Each setting is a beta;
all betas of a seed are tried on one model, which was trained once.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from cs_caption.checkpoint import Trained
from cs_caption.data import lexicon
from cs_caption.metrics.pointing import PointingScore, cells_on
from cs_caption.ranking import alignments, grounding, regions_of
from cs_caption.studies import material
from cs_caption.studies.ranking import taught
from cs_caption.studies.record import Figure
from cs_caption.studies.study import Budget, Found, Study

BETAS = {"beta 0": 0.0, "beta 0.1": 0.1, "beta 0.3": 0.3, "beta 1": 1.0, "beta 3": 3.0}


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    trained, beta = _model(budget, seed), BETAS[setting]
    held_out = material.scenes("val", budget.held_out, budget.level)
    v = regions_of(trained, material.seen("val", budget.held_out, budget.level).images)
    captions = [some[0] for some in held_out.captions]
    objects = [scene.objects for scene in held_out]
    nouns = grounding(trained, v, captions, objects, beta)
    chosen = alignments(trained, v, captions, beta)
    return {
        "words together": float(np.mean([_stays(regions) for regions in chosen])),
        "nouns": nouns.accuracy or 0.0,
        "what describes them": _described(nouns, chosen, captions, objects, v.shape[1]),
        "random object": nouns.random_object or 0.0,
    }


@lru_cache(maxsize=1)
def _model(budget: Budget, seed: int) -> Trained:
    return taught(budget, seed)[0]


def _described(
    nouns: PointingScore,
    chosen: Sequence[np.ndarray],
    captions: Sequence[str],
    objects: Sequence,
    cells: int,
) -> float:
    """The share of words before the nouns that count whose region lies on what the noun names."""
    hits = []
    for one in nouns.records:
        words, mask = captions[one.item].split(), objects[one.item][one.object].mask
        on = cells_on(mask[None], cells)[0] > 0
        for t in range(one.word - 1, -1, -1):
            if words[t] in lexicon.NUMBERS or words[t] in lexicon.BREAKS:
                break
            hits.append(on[chosen[one.item][t]])
    return float(np.mean(hits)) if hits else 0.0


def _stays(regions: np.ndarray) -> float:
    """The share of neighbouring words that have one region."""
    return float(np.mean(regions[1:] == regions[:-1])) if len(regions) > 1 else 0.0


FIGURES = (
    Figure("words together"),
    Figure("nouns", "higher"),
    Figure("what describes them", "higher"),
    Figure("random object", drawn=False),
)


def study(name: str, level: str) -> Study:
    """The same question of scenes of one level."""
    return Study(
        name=name,
        question="Does a word choose a better region where neighbouring words like to share one? "
        f"A ranking model with a frozen convnet, of {level} scenes",
        settings=tuple(BETAS),
        figures=FIGURES,
        budget=Budget(
            400, pictures=4000, held_out=1000, level=level, batch=64, captions=1, lr=6e-3, warmup=40
        ),
        tiny=Budget(steps=3, pictures=64, held_out=24, level=level, batch=16, captions=1),
        measure=_measure,
    )


STUDY = study("smoothing", "simple")
