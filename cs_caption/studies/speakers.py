"""Who describes the held-out rich scenes in the studies of metrics: models, people, and worse."""

from collections import Counter
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch

from cs_caption.baselines import nearest_pictures
from cs_caption.checkpoint import Trained
from cs_caption.data import Scenes, Vocabulary
from cs_caption.decoding import sample
from cs_caption.evaluation import decode
from cs_caption.features import Featured
from cs_caption.metrics import object_score, scene_objects
from cs_caption.metrics.objects import ObjectScore
from cs_caption.models import Captioner
from cs_caption.models.encoder import Encoder
from cs_caption.pipeline import new_captioner
from cs_caption.ready_made import MIN_COUNT, ready_made
from cs_caption.studies import material
from cs_caption.studies.study import Budget

MOST_WORDS = 30
EARLY = 10  # the part of the steps that an early model has had: a tenth


@lru_cache(maxsize=16)
def captions_of(speaker: str, budget: Budget, seed: int) -> list[str]:
    """What a speaker of SPEAKERS says of each held-out picture of `seed`."""
    return SPEAKERS[speaker](budget, seed)


def references_of(budget: Budget, seed: int) -> list[list[str]]:
    """The captions of four of each picture's five annotators; the first is a speaker himself."""
    return [captions[1:] for captions in _pictures(budget, seed).captions]


def objects_named(captions: list[str], budget: Budget, seed: int) -> ObjectScore:
    """The truth about captions of the held-out pictures."""
    return object_score(captions, _truth(budget, seed))


# The pictures, and what a convnet sees in them.


@lru_cache(maxsize=1)
def _pictures(budget: Budget, seed: int) -> Scenes:
    return Scenes("val", n=budget.held_out, level=budget.level, seed=seed)


@lru_cache(maxsize=1)
def _truth(budget: Budget, seed: int) -> list[Counter]:
    return [scene_objects(scene.objects) for scene in _pictures(budget, seed)]


@lru_cache(maxsize=1)
def _lessons(budget: Budget) -> Featured:
    return material.seen_by(_eyes(), material.scenes("train", budget.pictures, budget.level))


@lru_cache(maxsize=1)
def _held_out(budget: Budget, seed: int) -> Featured:
    return material.seen_by(_eyes(), _pictures(budget, seed))


def _eyes() -> Encoder:
    return ready_made("rich").model.encoder


def _cuts(n: int) -> range:
    return range(material.BATCH, n, material.BATCH)


# Models whose language is learnt from a seed; all see with the ready-made captioner's convnet.


@lru_cache(maxsize=2)
def _own(budget: Budget, seed: int, steps: int) -> Trained:
    vocabulary = material.vocabulary_of(budget.pictures, budget.level, MIN_COUNT)
    model = _with_eyes(vocabulary, seed)
    data = _lessons(budget)
    material.train_on(
        data, model, vocabulary, budget, seed, steps=steps, warmup=min(budget.warmup, steps // 2)
    )
    return Trained(model.eval(), vocabulary)


def _with_eyes(vocabulary: Vocabulary, seed: int) -> Captioner:
    model = new_captioner(vocabulary, seed, frozen=True)
    model.encoder.load_state_dict(_eyes().state_dict())
    return model


def _searched(trained: Trained, data: Featured | Scenes, beam: int) -> list[str]:
    return [n_best[0].text for n_best in decode(trained, data.images, beam=beam)]


def _drawn(trained: Trained, data: Featured, seed: int) -> list[str]:
    found = []
    for images in np.split(data.images, _cuts(len(data))):
        with torch.inference_mode():
            state = trained.model.start(images)
            drawn = sample(trained.model.step, state, max_len=MOST_WORDS, seed=seed)
        found += [trained.vocabulary.decode(one.tokens) for one in drawn]
    return found


def _nearest(budget: Budget, seed: int) -> list[str]:
    lessons, asked = _lessons(budget), _held_out(budget, seed)
    model = _with_eyes(material.vocabulary_of(budget.pictures, budget.level, MIN_COUNT), seed)
    nearest = nearest_pictures(model, lessons.images, asked.images)
    return [lessons.captions[i][0] for i in nearest]


def _annotators(budget: Budget, seed: int) -> list[str]:
    return [captions[0] for captions in _pictures(budget, seed).captions]


def _elsewhere(budget: Budget, seed: int) -> list[str]:
    """Of each picture what an annotator said of the one before."""
    captions = _annotators(budget, seed)
    return [captions[-1], *captions[:-1]]


def _model(beam: int, part: int = 1) -> Callable[[Budget, int], list[str]]:
    def say(budget: Budget, seed: int) -> list[str]:
        trained = _own(budget, seed, max(1, budget.steps // part))
        return _searched(trained, _held_out(budget, seed), beam)

    return say


def _sampling(budget: Budget, seed: int) -> list[str]:
    return _drawn(_own(budget, seed, budget.steps), _held_out(budget, seed), seed)


def _ready_made(budget: Budget, seed: int) -> list[str]:
    return _searched(ready_made("rich"), _pictures(budget, seed), beam=5)


SPEAKERS: dict[str, Callable[[Budget, int], list[str]]] = {
    "annotator": _annotators,
    "ready-made, beam 5": _ready_made,
    "beam 5": _model(5),
    "greedy": _model(1),
    "sampled": _sampling,
    "early, beam 5": _model(5, EARLY),
    "nearest picture": _nearest,
    "annotator, next door": _elsewhere,
}
