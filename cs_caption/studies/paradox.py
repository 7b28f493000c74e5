"""The human paradox: people, who say what is there, ranked by metrics against a model."""

from cs_caption.metrics import bleu, cider_d, meteor, rouge_l
from cs_caption.studies.record import Figure
from cs_caption.studies.speakers import (
    SPEAKERS,
    captions_of,
    objects_named,
    references_of,
)
from cs_caption.studies.study import Budget, Found, Study

BUDGET = Budget(steps=800, pictures=4000, held_out=500, level="rich", batch=32, captions=4)
TINY = Budget(steps=3, pictures=96, held_out=16, level="rich", batch=16)


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    captions, references = captions_of(setting, budget, seed), references_of(budget, seed)
    objects = objects_named(captions, budget, seed)
    orders = bleu(captions, references).by_order
    return {
        "CIDEr-D": cider_d(captions, references).corpus,
        "BLEU-4": orders[3].corpus,
        "object F1": objects.f1,
        "named but not there": objects.hallucination,
        "METEOR-ES": meteor(captions, references).corpus,
        "ROUGE-L": rouge_l(captions, references).corpus,
        "BLEU-1": orders[0].corpus,
        "words": sum(len(caption.split()) for caption in captions) / len(captions),
    }


STUDY = Study(
    name="paradox",
    question=(
        "Who describes rich scenes best, by metrics and by the truth? Everybody is judged by the "
        "same four annotators; one more annotator is among the judged"
    ),
    settings=tuple(SPEAKERS),
    figures=(
        Figure("CIDEr-D", "higher"),
        Figure("BLEU-4", "higher"),
        Figure("object F1", "higher"),
        Figure("named but not there", "lower"),
        Figure("METEOR-ES", "higher", drawn=False),
        Figure("ROUGE-L", "higher", drawn=False),
        Figure("BLEU-1", "higher", drawn=False),
        Figure("words", drawn=False),
    ),
    budget=BUDGET,
    tiny=TINY,
    measure=_measure,
)
