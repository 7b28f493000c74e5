"""Soft attention, hard attention, none: what is said, and whether it is said of the right place.

"pointing" is of the nouns in a model's own captions; "given words" of those in the references, each
word told the true ones before it, so that all models are asked about the same nouns. A model
without attention has no map: it counts as looking at any cell alike.

The convnet is frozen: of simple scenes the pretrained one, which has read no caption; of rich ones,
which that one does not know, the ready-made captioner's, which learnt with soft attention.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cs_caption.checkpoint import Trained
from cs_caption.evaluation import Evaluation, attention_of, evaluate
from cs_caption.features import Featured
from cs_caption.metrics import pointing_score
from cs_caption.pipeline import new_captioner
from cs_caption.studies import material
from cs_caption.studies.record import Figure
from cs_caption.studies.study import Budget, Found, Study

SETTINGS: Mapping[str, tuple[dict, dict]] = {  # of the model, of its training
    "none": ({"attention": False}, {}),
    "soft": ({}, {}),
    "soft, gated": ({"gated": True}, {}),
    "soft, penalty, mean": ({}, {"doubly_stochastic": 1 / 64}),  # over the 8 x 8 cells
    "soft, penalty, sum": ({}, {"doubly_stochastic": 1.0}),
    "hard": ({"looking": "hard"}, {}),
    "hard, all drawn": ({"looking": "hard", "semi_sampling": 0.0}, {}),
}


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    shape, how = SETTINGS[setting]
    vocabulary = material.usual_words(budget)
    model = new_captioner(vocabulary, seed, frozen=True, **shape)
    model.encoder.load_state_dict(material.eyes(budget.level).state_dict())
    lessons = material.seen("train", budget.pictures, budget.level)
    held_out = material.seen("val", budget.held_out, budget.level)
    _, seconds = material.train_on(lessons, model, vocabulary, budget, seed, **how)
    trained = Trained(model, vocabulary)
    found = evaluate(trained, held_out, beam=1, report=None)
    return {**_of_looks(trained, held_out, found), **_of_words(found), "seconds": seconds}


def _of_looks(trained: Trained, held_out: Featured, found: Evaluation) -> dict[str, float]:
    truth = [scene.objects for scene in held_out.data]
    captions = [result.caption for result in found.results]
    told = [references[0] for references in held_out.captions]
    own, given = _maps(trained, held_out, captions), _maps(trained, held_out, told)
    pointing = pointing_score(captions, own, truth)
    asked = pointing_score(told, given, truth)
    looks = trained.model.looks
    return {
        "perplexity": float(np.exp(found.measures.nats_per_token)),
        "pointing": _or_zero(pointing.accuracy if looks else pointing.uniform),
        "given words": _or_zero(asked.accuracy if looks else asked.uniform),
        "random object": _or_zero(asked.random_object),
        "centre": _or_zero(asked.centre),
        "uniform": _or_zero(asked.uniform),
    }


def _of_words(found: Evaluation) -> dict[str, float]:
    measures = found.measures
    return {
        "object F1": measures.object_f1,
        "exact set": measures.exact_set,
        "BLEU-4": measures.bleu[-1],
        "CIDEr-D": measures.cider_d,
    }


def _maps(trained: Trained, held_out: Featured, captions: Sequence[str]) -> list[np.ndarray]:
    """Where each word of the captions is looked for; every cell alike without attention."""
    cells = held_out.images.shape[1]
    known = attention_of(trained, held_out.images, captions)
    return known or [np.full((len(each.split()), cells), 1 / cells) for each in captions]


def _or_zero(share: float | None) -> float:
    """0 where no noun could be counted, as with a model that has learnt nothing."""
    return 0.0 if share is None else share


FIGURES = (
    material.PERPLEXITY,
    Figure("pointing", "higher"),
    Figure("given words", "higher"),
    Figure("random object", drawn=False),
    Figure("centre", drawn=False),
    Figure("uniform", drawn=False),
    Figure("object F1", "higher"),
    Figure("exact set", "higher", drawn=False),
    Figure("BLEU-4", "higher", drawn=False),
    Figure("CIDEr-D", "higher", drawn=False),
    Figure("seconds", drawn=False),
)
QUESTION = "Where does a captioner look as it names an object, and does looking help to name it?"
CONVNETS = {"simple": "A frozen, pretrained convnet", "rich": "A frozen convnet"}


def study(name: str, settings: Sequence[str], level: str) -> Study:
    """Some of SETTINGS, on scenes of a level."""
    return Study(
        name=name,
        question=f"{QUESTION} {CONVNETS[level]}; greedy captions",
        settings=tuple(settings),
        figures=FIGURES,
        budget=Budget(steps=1200, pictures=4000, held_out=500, level=level, batch=32),
        tiny=Budget(steps=3, pictures=96, held_out=16, level=level, batch=16),
        measure=_measure,
    )


STUDY = study("attention", tuple(SETTINGS), "simple")
