"""The output layer's first bias: log word frequency, or nothing."""

from cs_caption.studies import material
from cs_caption.studies.record import Figure
from cs_caption.studies.study import Budget, Found, Study

FREQUENCY, ZERO = "log frequency", "zero"
CURVE = "loss"


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    vocabulary = material.vocabulary_of(budget.pictures, budget.level)
    model = material.seeing(vocabulary, seed)
    bias = "frequency" if setting == FREQUENCY else "zero"
    history, _ = material.train_on(
        *(material.learning_from(budget), model, vocabulary, budget, seed),
        output_bias=bias,
        log_every=1,
    )
    losses = [row["loss"] for row in history]
    return {
        "loss of step 1": losses[0],
        "of step 10": losses[min(9, len(losses) - 1)],
        "of the last step": losses[-1],
        "mean of all": sum(losses) / len(losses),
        CURVE: losses,
    }


STUDY = Study(
    name="bias",
    question=(
        "What does it save to begin with the log frequency of the words as the output layer's "
        "bias? The loss of each of the first hundred training batches"
    ),
    settings=(FREQUENCY, ZERO),
    figures=tuple(
        Figure(name, "lower")
        for name in ("loss of step 1", "of step 10", "of the last step", "mean of all")
    ),
    budget=Budget(steps=100, pictures=1000, held_out=100),
    tiny=Budget(steps=3, pictures=96, held_out=16, batch=16),
    measure=_measure,
)
