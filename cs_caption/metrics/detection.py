"""What word detectors are worth: which pictures they find, and where in a picture they fire."""

from collections.abc import Sequence

import numpy as np

from cs_caption.metrics.pointing import PointingScore, pointing_score

TRAITS = ("shape", "colour")


def average_precision(scores: np.ndarray, there: np.ndarray) -> float | None:
    """The area under precision against recall as pictures are taken by falling score.

    scores (N,), there (N,), 1 or True in the pictures that should come first. Pictures of equal
    score are taken together. Where scores say nothing it is about the share that is there; None
    where that is 0.

    Raises: ValueError where the shapes differ or a score is NaN.
    Source: Manning, Raghavan and Schuetze 2008, 8.4; no interpolation.
    """
    scores, there = np.asarray(scores, float), np.asarray(there, bool)
    if scores.ndim != 1 or scores.shape != there.shape:
        raise ValueError(
            f"scores of shape {scores.shape}, there of shape {there.shape}: expected two of the "
            "same length (N,)"
        )
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: leave its picture out of both")
    if not there.any():
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # of the pictures of equal score
    found = there[order].cumsum()[last]
    precision = found / (np.flatnonzero(last) + 1)
    return float(np.diff(found, prepend=0) @ precision / found[-1])


def detector_pointing(
    maps: np.ndarray, words: Sequence[str], objects: Sequence[Sequence], trait: str = "shape"
) -> PointingScore:
    """Does a word's strongest cell lie on what it names? By the rule of `pointing_score`.

    maps (N, L, V) holds how strongly each cell of N pictures shows each of `words`, as logits or
    as anything that grows with them; objects[i] the i-th scene's objects.

    An object counts, by the word that is its `trait`, "shape" or "colour", in a picture of at
    least two objects where it is the only one of that trait: a detector of "square" cannot tell
    two squares apart. Objects whose word is not among `words` do not count.

    Raises: ValueError where lengths differ, L is no square number, or for another trait.
    """
    if trait not in TRAITS:
        raise ValueError(f"no trait is called {trait!r}: choose one of {', '.join(TRAITS)}")
    if not len(maps) == len(objects) or maps.ndim != 3 or maps.shape[2] != len(words):
        raise ValueError(
            f"maps of shape {maps.shape}, {len(words)} words, objects of {len(objects)} pictures: "
            "expected maps (N, L, V) of as many"
        )
    place = {word: v for v, word in enumerate(words)}
    captions, rows = [], []
    for here, cells in zip(objects, maps, strict=True):
        told = [getattr(one, trait) for one in here]
        alone = [one for one, word in zip(here, told, strict=True) if told.count(word) == 1]
        alone = [one for one in alone if getattr(one, trait) in place]
        # "a red square": all three words said with the map of the one that is asked about.
        captions.append(" ".join(f"a {one.colour} {one.shape}" for one in alone))
        said = [place[getattr(one, trait)] for one in alone]
        rows.append(cells.T[np.repeat(np.array(said, int), 3)])
    return pointing_score(captions, rows, objects)
