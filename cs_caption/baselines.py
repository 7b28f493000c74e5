"""What a captioner must beat, and what nobody can: honest baselines for the same pictures."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cs_caption.evaluation import (
    Evaluation,
    Measures,
    Report,
    decode,
    measure,
    pooled_features,
    reference_costs,
    truth_of,
)
from cs_caption.metrics import ObjectScore, object_score, scene_objects
from cs_caption.metrics.score import check_references


def compare(
    trained: Any,
    data: Any,
    evaluation: Evaluation,
    *,
    train: Any = None,
    blind: Any = None,
    seed: int = 0,
    report: Report | None = print,
) -> list[Measures]:
    """The evaluated model's line, and a line for each baseline that can be made of what is given.

    train (captioned pictures) gives the nearest neighbour; blind (a trained image-blind Captioner
    with its vocabulary) the language model. The annotator's line needs two captions for every
    picture, the shuffled one two pictures.
    """
    report = report or (lambda line: None)
    references = check_references(data.captions)
    judge = _judge(data)
    captions = [result.caption for result in evaluation.results]
    lines = [evaluation.measures]
    if min(map(len, references)) > 1:
        report("comparing with the annotators")
        lines += [against_others(captions, references), annotators(references, judge)]
    if train is not None and trained.model.config.image:
        report(f"looking for the nearest of {len(train):,} training pictures")
        lines.append(nearest_neighbour(trained, train, data, judge))
    if len(data) > 1:
        report("shuffling the pictures")
        lines.append(shuffled(trained, data, captions, judge, seed))
    if blind is not None:
        report("asking the image-blind language model")
        lines.append(image_blind(blind, data, judge))
    return lines


Judge = Callable[[Sequence[str]], ObjectScore | None]


def against_others(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Measures:
    """The model against all but one of the references, each being left out in turn: the mean."""
    turns = [measure("", captions, _without(references, k)) for k in _turns(references)]
    name = f"model, {turns[0].references} references"
    return _mean(name, turns, "what to hold the annotator's line against")


def annotators(references: Sequence[Sequence[str]], judge: Judge) -> Measures:
    """Each annotator's caption against the others' of the same picture: the mean over them."""
    turns = []
    for k in _turns(references):
        captions = [them[k] for them in references]
        turns.append(measure("", captions, _without(references, k), objects=judge(captions)))
    return _mean("annotator", turns, "one person against the other people")


def nearest_neighbour(trained: Any, train: Any, data: Any, judge: Judge) -> Measures:
    """The first caption of the training picture that the model's encoder finds most alike."""
    nearest = nearest_pictures(trained.model, train.images, data.images)
    captions = [train.captions[i][0] for i in nearest]
    note = f"a caption of the most similar of {len(train):,} training pictures"
    references = check_references(data.captions)
    return measure("nearest neighbour", captions, references, objects=judge(captions), note=note)


def shuffled(
    trained: Any, data: Any, captions: Sequence[str], judge: Judge, seed: int = 0
) -> Measures:
    """The model shown another picture than the one its words are held against."""
    order = np.random.RandomState(seed).permutation(len(data))
    other = np.empty_like(order)
    other[order] = np.roll(order, 1)  # one cycle through all pictures: none stays in its place
    references = check_references(data.captions)
    costs = reference_costs(trained, data.images[other], references)
    captions = [captions[i] for i in other]
    note = "the model shown the wrong pictures"
    return measure(
        "shuffled pictures", captions, references, objects=judge(captions), costs=costs, note=note
    )


def image_blind(blind: Any, data: Any, judge: Judge) -> Measures:
    """A language model that never saw a picture: its cost, and its one best caption for all."""
    references = check_references(data.captions)
    best = decode(blind, data.images[:1])[0][0].text
    captions = [best] * len(data)
    costs = reference_costs(blind, data.images, references)
    note = "a language model without eyes"
    return measure(
        "image-blind model", captions, references, objects=judge(captions), costs=costs, note=note
    )


def nearest_pictures(model: Any, among: np.ndarray, images: np.ndarray) -> np.ndarray:
    """For each of images (N, H, W, 3) the most similar of `among` (M, H, W, 3): indices (N,).

    Compared by Euclidean distance are the encoder's features, their mean and their maximum over
    the grid: on the built-in scenes a much stronger baseline than thumbnails of the pixels.
    """
    known, wanted = (pooled_features(model, pictures) for pictures in (among, images))
    lengths = (known**2).sum(1)
    parts = np.array_split(wanted, -(-len(wanted) // 256))
    return np.concatenate([(lengths - 2 * part @ known.T).argmin(1) for part in parts])


def _judge(data: Any) -> Judge:
    """Scores captions against the objects of `data`; None where these are not known."""
    truth = truth_of(data)
    if truth is None:
        return lambda captions: None
    there = [scene_objects(here) for here in truth]
    return lambda captions: object_score(captions, there)


def _turns(references: Sequence[Sequence[str]]) -> range:
    return range(min(map(len, references)))


def _without(references: Sequence[Sequence[str]], k: int) -> list[list[str]]:
    return [[*captions[:k], *captions[k + 1 :]] for captions in references]


def _mean(name: str, turns: Sequence[Measures], note: str) -> Measures:
    def mean(field: str) -> float | None:
        values = [getattr(turn, field) for turn in turns]
        return None if values[0] is None else float(np.mean(values))

    return replace(
        turns[0],
        name=name,
        note=note,
        bleu=tuple(np.mean([turn.bleu for turn in turns], axis=0).tolist()),
        **{field: mean(field) for field in ("cider_d", "object_f1", "exact_set", "hallucination")},
    )
