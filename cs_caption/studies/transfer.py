"""A convnet that has learnt to see before, against one that learns it from captions alone."""

from cs_caption.pipeline import new_captioner
from cs_caption.studies import material
from cs_caption.studies.study import Budget, Found, Study

FROZEN, TUNED, SCRATCH = "pretrained, frozen", "pretrained, fine-tuned", "from scratch"
SLOWER = 0.1  # the rate of a pretrained encoder, as a part of the others'


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    vocabulary = material.vocabulary_of(budget.pictures, budget.level)
    data = material.scenes("train", budget.pictures, budget.level)
    held_out = material.scenes("val", budget.held_out, budget.level)
    how = {}
    if setting == FROZEN:
        data, held_out = material.learning_from(budget), material.held_out(budget)
        model = material.seeing(vocabulary, seed)
    elif setting == TUNED:
        model = material.seeing(vocabulary, seed, frozen=False)
        how = {"encoder_lr": SLOWER * budget.lr}
    else:
        model = new_captioner(vocabulary, seed, attention=False)
    _, seconds = material.train_on(data, model, vocabulary, budget, seed, **how)
    return {
        **material.judged(model, vocabulary, held_out),
        material.SECONDS.name: seconds,
    }


STUDY = Study(
    name="transfer",
    question=(
        "What is a convnet worth that has learnt to see before? The same LSTM and the same number "
        "of steps; the fine-tuned convnet learns at a tenth of the LSTM's rate"
    ),
    settings=(FROZEN, TUNED, SCRATCH),
    figures=(material.PERPLEXITY, *material.SENTENCES, material.SECONDS),
    budget=Budget(steps=400, pictures=2000, held_out=500, batch=32),
    tiny=Budget(steps=3, pictures=96, held_out=16, batch=16),
    measure=_measure,
)
