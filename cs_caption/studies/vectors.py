"""Word vectors learnt from captions alone, against random ones."""

from dataclasses import replace
from functools import lru_cache
from itertools import product

import numpy as np

from cs_caption.data import Vocabulary
from cs_caption.skip_gram import skip_gram
from cs_caption.studies import material
from cs_caption.studies.study import Budget, Found, Study

FEW, MANY = "few pictures", "many pictures"
SHARE = 20  # few are one in so many
RANDOM, LEARNT = "random vectors", "skip-gram vectors"
SPLIT, MIN_COUNT, DIM = "large", 5, 64  # the split that the vectors' captions are from


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    pictures, vectors = setting.split(", ")
    vocabulary = _vocabulary(budget.pictures, budget.level)
    model = material.seeing(vocabulary, seed, word_dim=DIM)
    if vectors == LEARNT:
        model.init_words(*_learnt(budget.pictures, budget.level, seed))
    learnt = replace(budget, pictures=budget.pictures // (SHARE if pictures == FEW else 1))
    material.train_on(material.learning_from(learnt), model, vocabulary, budget, seed)
    held_out = material.held_out(budget)
    return {"perplexity": material.perplexity_on(model, vocabulary, held_out)}


@lru_cache(maxsize=1)
def _vocabulary(n: int, level: str) -> Vocabulary:
    return Vocabulary.build(material.scenes(SPLIT, n, level).captions, MIN_COUNT)


@lru_cache(maxsize=1)
def _learnt(n: int, level: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The vectors, and which words have one."""
    captions, vocabulary = material.scenes(SPLIT, n, level).captions, _vocabulary(n, level)
    matrix = skip_gram(captions, vocabulary, dim=DIM, seed=seed, report=None)
    return matrix, matrix.any(axis=1)


STUDY = Study(
    name="vectors",
    question=(
        "Do word vectors help that were learnt from text? Skip-gram vectors, from the captions of "
        "as many other pictures, against random ones; few pictures are one in "
        f"{SHARE}. The words are the same in all"
    ),
    settings=tuple(map(", ".join, product((FEW, MANY), (RANDOM, LEARNT)))),
    figures=(material.PERPLEXITY,),
    budget=Budget(steps=150, pictures=2000, held_out=300, level="rich"),
    tiny=Budget(steps=3, pictures=48, held_out=8, level="rich", batch=16),
    measure=_measure,
)
