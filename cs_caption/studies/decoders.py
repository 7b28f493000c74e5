"""Which recurrent cell, and where the picture should enter."""

from itertools import product

from cs_caption.models.config import INJECTIONS
from cs_caption.studies import material
from cs_caption.studies.study import Budget, Found, Study
from cs_caption.training import held_out_loss

CELLS = ("rnn", "lstm", "gru")


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    cell, inject = setting.lower().split(", ")
    vocabulary = material.vocabulary_of(budget.pictures, budget.level)
    held_out = material.held_out(budget)
    model = material.seeing(vocabulary, seed, cell=cell, inject=inject)
    _, seconds = material.train_on(material.learning_from(budget), model, vocabulary, budget, seed)
    right, wrong = (
        held_out_loss(model, vocabulary, data) for data in (held_out, material.shuffled(held_out))
    )
    return {
        **material.judged(model, vocabulary, held_out),
        material.SHUFFLED.name: wrong - right,
        material.SECONDS.name: seconds,
    }


STUDY = Study(
    name="decoders",
    question=(
        "Which recurrent network should speak, and where should the picture enter it? A frozen, "
        "pretrained convnet; greedy captions"
    ),
    settings=tuple(f"{cell.upper()}, {inject}" for cell, inject in product(CELLS, INJECTIONS)),
    figures=(material.PERPLEXITY, *material.SENTENCES, material.SHUFFLED, material.SECONDS),
    budget=Budget(steps=600, pictures=4000, held_out=500, batch=32),
    tiny=Budget(steps=3, pictures=96, held_out=16, batch=16),
    measure=_measure,
)
