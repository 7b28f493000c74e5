"""Scores of captions: against references, and against the truth of the built-in scenes."""

from cs_caption.metrics.bleu import bleu
from cs_caption.metrics.cider import DocumentFrequency, cider_d
from cs_caption.metrics.objects import ObjectScore, named_objects, object_score, scene_objects
from cs_caption.metrics.pointing import PointingScore, pointing_score
from cs_caption.metrics.score import Score

__all__ = [
    "DocumentFrequency",
    "ObjectScore",
    "PointingScore",
    "Score",
    "bleu",
    "cider_d",
    "named_objects",
    "object_score",
    "pointing_score",
    "scene_objects",
]
