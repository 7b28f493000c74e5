"""Scores of captions: against references, and against the truth of the built-in scenes."""

from cs_caption.metrics.bleu import bleu
from cs_caption.metrics.cider import cider, cider_d
from cs_caption.metrics.compare import Comparison, compare
from cs_caption.metrics.frequency import DocumentFrequency
from cs_caption.metrics.meteor import meteor
from cs_caption.metrics.objects import ObjectScore, named_objects, object_score, scene_objects
from cs_caption.metrics.pointing import PointingScore, pointing_score
from cs_caption.metrics.prepared import References, prepare
from cs_caption.metrics.ptb import ptb_tokenise
from cs_caption.metrics.retrieval import (
    RetrievalScore,
    median_rank,
    ranks,
    recall_at_k,
    retrieval_score,
)
from cs_caption.metrics.rouge import rouge_l
from cs_caption.metrics.score import Score
from cs_caption.metrics.statistics import interval

__all__ = [
    "Comparison",
    "DocumentFrequency",
    "ObjectScore",
    "PointingScore",
    "References",
    "RetrievalScore",
    "Score",
    "bleu",
    "cider",
    "cider_d",
    "compare",
    "interval",
    "median_rank",
    "meteor",
    "named_objects",
    "object_score",
    "pointing_score",
    "prepare",
    "ptb_tokenise",
    "ranks",
    "recall_at_k",
    "retrieval_score",
    "rouge_l",
    "scene_objects",
]
