"""Which pictures and sentences find each other, and what a ranking model owes to its parts.

A thousand held-out rich scenes with five sentences each; of sentences that come twice, or fit
several pictures, nobody can tell which picture is meant: the oracle, which knows every scene and
reads the sentences, shows how far anybody could come. Ties count against whoever makes them;
"ties even" says what it would be with equal ones in a random order.

The convnet is frozen: the ready-made captioner's, which learnt with soft attention to say what is
in rich scenes. But for "chance" and "oracle", each setting is a ranking model trained alike.
"""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from cs_caption.checkpoint import Trained
from cs_caption.data import Scenes
from cs_caption.features import Featured
from cs_caption.metrics.oracle import truth_scores
from cs_caption.pipeline import new_ranker
from cs_caption.ranking import Ranked, all_scores, encode_sentences, grounding, ranked, regions_of
from cs_caption.studies import material
from cs_caption.studies.record import Figure
from cs_caption.studies.study import Budget, Found, Study

SETTINGS: Mapping[str, tuple[dict, dict]] = {  # of the model, of its training
    "whole picture, bag of words": ({"features": "pooled", "context": "none"}, {}),
    "regions, bag of words": ({"context": "none"}, {}),
    "regions, words in context": ({}, {}),
    "the same, of 3 x 3 cells": ({"window": 3}, {}),
    "the same, all words count": ({"word_dropout": 0.0}, {}),
    "the same, hardest pairs": ({}, {"contrast": "hardest"}),
    "the same, softmax": ({}, {"contrast": "softmax"}),
}
CHANCE, ORACLE = "chance", "oracle"


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    held_out = material.scenes("val", budget.held_out, budget.level)
    captions, of = told(held_out)
    pointing, seconds = 0.0, 0.0
    if setting == CHANCE:
        scores = np.random.RandomState(seed).rand(len(held_out), len(captions))
    elif setting == ORACLE:
        scores = truth_scores(captions, list(held_out)).T
    else:
        trained, seconds = taught(budget, seed, *SETTINGS[setting])
        v = regions_of(trained, shown(trained, "val", budget.held_out, budget.level).images)
        scores = all_scores(trained, v, encode_sentences(trained.vocabulary, captions))
        pointing = _pointing(trained, v, held_out)
    against, even = ranked(scores, of), ranked(scores, of, ties="even")
    return {**_figures(against), **_even(even), "pointing": pointing, "seconds": seconds}


def _pointing(trained: Trained, v: Tensor, held_out: Scenes) -> float:
    """By the first caption of each scene; a picture taken whole has no place: any cell alike."""
    first = [some[0] for some in held_out.captions]
    cells = v.expand(-1, 64, -1) if v.shape[1] == 1 else v
    found = grounding(trained, cells, first, [scene.objects for scene in held_out])
    return (found.uniform if v.shape[1] == 1 else found.accuracy) or 0.0


def told(scenes: Scenes) -> tuple[list[str], list[int]]:
    """All captions of scenes, one after the other, and the picture of each."""
    captions = [caption for some in scenes.captions for caption in some]
    return captions, [picture for picture, some in enumerate(scenes.captions) for _ in some]


def taught(
    budget: Budget, seed: int, shape: dict | None = None, how: dict | None = None
) -> tuple[Trained, float]:
    """A ranking model with frozen eyes, trained within the budget, and the CPU seconds it took."""
    vocabulary = material.usual_words(budget)
    eyes = material.eyes(budget.level)
    model = new_ranker(vocabulary, seed, eyes, frozen=True, **(shape or {}))
    trained = Trained(model, vocabulary)
    lessons = shown(trained, "train", budget.pictures, budget.level)
    _, seconds = material.train_on(lessons, model, vocabulary, budget, seed, **(how or {}))
    return trained, seconds


def shown(trained: Trained, split: str, n: int, level: str) -> Featured:
    """What the frozen eyes saw of scenes; for who takes a picture as a whole, the mean of it."""
    seen = material.seen(split, n, level)
    if trained.model.config.features == "grid":
        return seen
    return Featured(seen.images.mean(axis=1, keepdims=True, dtype=np.float32), seen.data)


def _figures(found: Ranked) -> dict[str, float]:
    return {
        f"{name}, {figure}": value
        for name, score in (("picture", found.to_image), ("sentence", found.to_sentence))
        for figure, value in (
            ("R@10", score.r10),
            ("R@5", score.r5),
            ("R@1", score.r1),
            ("median", score.median),
        )
    }


def _even(found: Ranked) -> dict[str, float]:
    return {
        "picture, R@10, ties even": found.to_image.r10,
        "sentence, R@10, ties even": found.to_sentence.r10,
    }


FIGURES = (
    Figure("picture, R@10", "higher"),
    Figure("picture, R@5", "higher", drawn=False),
    Figure("picture, R@1", "higher"),
    Figure("picture, median", "lower", log=True),
    Figure("sentence, R@10", "higher"),
    Figure("sentence, R@5", "higher", drawn=False),
    Figure("sentence, R@1", "higher", drawn=False),
    Figure("sentence, median", "lower", drawn=False),
    Figure("picture, R@10, ties even", "higher", drawn=False),
    Figure("sentence, R@10, ties even", "higher", drawn=False),
    Figure("pointing", "higher", drawn=False),
    Figure("seconds", drawn=False),
)
STUDY = Study(
    name="ranking",
    question="How often is a sentence's own picture among the first that are found for it, and a "
    "picture's own sentence? A frozen convnet; ties count against the model",
    settings=(*SETTINGS, CHANCE, ORACLE),
    figures=FIGURES,
    budget=Budget(
        steps=500,
        pictures=4000,
        held_out=1000,
        level="rich",
        batch=64,
        captions=1,
        lr=6e-3,
        warmup=50,
    ),
    tiny=Budget(steps=3, pictures=64, held_out=24, level="rich", batch=16, captions=1),
    measure=_measure,
)
