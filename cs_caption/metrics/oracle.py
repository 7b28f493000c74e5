"""Sentences held against the truth of the built-in scenes: an oracle that never sees a picture."""

from collections.abc import Sequence

import numpy as np

from cs_caption.data.records import Scene
from cs_caption.metrics.claims import Claims, claims
from cs_caption.metrics.habits import surprise
from cs_caption.metrics.truth import Reading, Truth

__all__ = ["Claims", "claims", "fits", "truth_scores"]

FALSE = 20.0  # what a false claim costs: more than all that is only unlikely
MOST = 19.0  # what all that is unlikely costs together
OFF = 5.0  # "on the left" of what lies at the top left; "side by side" of what is above it as well
# What a true claim is worth, about the logarithm of how many it excludes.
WORTH = {
    **{"shape": 2.2, "colour": 2.0, "shade": 1.5, "size": 1.1, "pattern": 1.5, "second": 1.0},
    **{"slant": 1.0, "pointing": 0.7, "place": 1.3},
}
DENIED = {"no", "not", "without", "zero", "0", "or", "nor", "except", "but", "neither", "either"}
ONE_MORE, RELATION, TOTAL = 2.5, 0.9, 1.1


def fits(caption: str, scene: Scene) -> bool | None:
    """Whether all that a sentence claims is true of a scene.

    Claimed are things with their number ("two" are at least two, "two shapes" all that there are),
    looks, places and relations, and the background. "On the left" means the left third at whatever
    height. Typos of the annotators' kind are mended, or read past as opinions are.

    None where nothing is claimed that can be judged, where something is denied or left open ("no",
    "or"), and where the rest is true but a word is not known ("a zebra", "between"), so that more
    may be claimed than was read.
    """
    said = claims(caption)
    if not said or DENIED & set(said.words):
        return None
    if Reading(said, Truth([scene])).broken().min():
        return False
    return None if said.unread or any(thing.unread for thing in said.things) else True


def truth_scores(
    sentences: Sequence[str], scenes: Sequence[Scene], *, habits: bool = True
) -> np.ndarray:
    """How well each sentence fits each true scene, the higher the better: float64 (M, N).

    What a sentence claims is worth something where it is true; one false claim weighs more than
    all that is only unlikely: a shade that the object is not usually called by and, with `habits`,
    what one of the annotators would hardly have said so, or have left unsaid, of such a scene
    (which thing they begin with, how many they name, what they look for first).

    A pair's score does not depend on what else is given.
    """
    truth = Truth(scenes)
    found = {one: _scores(claims(one), truth, habits) for one in dict.fromkeys(sentences)}
    return np.array([found[one] for one in sentences]).reshape(len(sentences), len(scenes))


def _scores(said: Claims, truth: Truth, habits: bool) -> np.ndarray:
    """One sentence's scores (N,); the best way to take its things for objects counts."""
    reading = Reading(said, truth)
    wrong = reading.broken()
    cost = FALSE * wrong.min(axis=1) + MOST
    close = np.flatnonzero(wrong.min(axis=1) < 2)  # the rest need no finer judgement
    if len(close):
        some = reading.among(close)
        unlikely = _inexact(some) + (surprise(some) if habits else 0)
        cost[close] = (FALSE * wrong[close] + np.minimum(unlikely, MOST)).min(axis=1)
    return _worth(said) - cost


def _inexact(reading: Reading) -> np.ndarray:
    """What is true, though people would hardly put it so: (n, P)."""
    truth, said = reading.truth, reading.said
    cost = np.zeros((len(reading.rows), len(reading.ways)))
    if said.ground and said.ground.shade:
        cost += truth.ground_shade(said.ground.shade)[reading.rows, None]
    for which, thing in enumerate(said.things):
        for slot in reading.places(which)[:1] if thing.shade else ():
            cost += reading.of(truth.shade(thing.shade), slot, MOST)
        if thing.place:
            there = [truth.object(*one) for one in zip(("column", "row"), thing.place, strict=True)]
            cost += OFF * ~reading.every(there[0] & there[1], which)
    for link in said.links:
        for name in link.only:
            cost += OFF * reading.holds(name, link)
    return cost


def _worth(said: Claims) -> float:
    """What a sentence excludes, by what it claims."""
    worth = sum(
        value for thing in said.things for name, value in WORTH.items() if getattr(thing, name)
    )
    if said.ground:
        worth += sum(WORTH[name] for name in vars(said.ground) if getattr(said.ground, name))
    worth += ONE_MORE * sum(thing.count - 1 for thing in said.things) + RELATION * len(said.links)
    return worth + (TOTAL * (1 + said.total.varied) if said.total else 0)
