"""The softmax over all words, against one over the true word and a few that are drawn."""

from copy import deepcopy
from dataclasses import replace

from cs_caption.studies import material
from cs_caption.studies.record import Figure
from cs_caption.studies.study import Budget, Found, Study

FULL = "all words"
DRAWS = {FULL: 0, "256 draws": 256, "64 draws": 64}


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    vocabulary = material.vocabulary_of(budget.pictures, budget.level)
    model = material.seeing(vocabulary, seed)
    data = material.learning_from(budget)
    draws, few = DRAWS[setting], replace(budget, steps=2)
    # The first steps of a process are slow: they are not to be timed.
    material.train_on(data, deepcopy(model), vocabulary, few, seed, sampled=draws)
    _, seconds = material.train_on(data, model, vocabulary, budget, seed, sampled=draws)
    held_out = material.held_out(budget)
    return {
        "perplexity": material.perplexity_on(model, vocabulary, held_out),
        "milliseconds a step": 1000 * seconds / budget.steps,
    }


STUDY = Study(
    name="softmax",
    question=(
        "What does it cost to score only a few drawn words in a training step, and what does it "
        "save? Every word that was seen once is kept, the perplexity is over all of them"
    ),
    settings=tuple(DRAWS),
    figures=(material.PERPLEXITY, Figure("milliseconds a step", "lower")),
    budget=Budget(steps=150, pictures=2000, held_out=300, level="rich"),
    tiny=Budget(steps=3, pictures=48, held_out=8, level="rich", batch=16),
    measure=_measure,
)
