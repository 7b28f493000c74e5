"""How likely one of the twelve annotators is to say something of a scene: their habits."""

from collections.abc import Iterator
from functools import cache, reduce
from math import log

import numpy as np

from cs_caption.data import lexicon
from cs_caption.data.people import POOL, Annotator
from cs_caption.data.rich_captions import LOOKED_FOR
from cs_caption.data.rich_layout import RICH_RADII
from cs_caption.metrics.claims import Claims
from cs_caption.metrics.truth import Reading

OUT_OF_TURN = 3.0  # nats for each thing that is not told of when it is its turn, up to three
NEVER = 0.01  # how likely is what no annotator does
UNLIKELY = 4.0  # nats below the likeliest annotator, from which on one is left out
OWN, OTHER = 0.75 + 0.25 / 3, 0.25 / 3  # how often they take their usual manner, and another one
FIRST = 0.7  # how often they tell the first relation that they look for
GROUNDS = {"plain": 0.8, "shaded": 0.5}  # how often a background of that pattern is told without it


def surprise(reading: Reading) -> np.ndarray:
    """How unlikely it is that a person says this of a scene and no more, in nats: (n, P)."""
    each = [
        weight + _order(reading, person) + _unsaid(reading, person) + _relation(reading, person)
        for person, weight in speakers(reading.said)
    ]
    return _plain_ground(reading) - reduce(np.logaddexp, each)


# ---- who may have said it


def speakers(said: Claims) -> list[tuple[Annotator, float]]:
    """The annotators who may have said it, with the logarithm of how likely each is."""
    usual = _opened(said)
    weights = {who: log(share) + _manner_of(POOL[who], said) for who, share in usual.items()}
    top = max(weights.values())
    return [(POOL[who], w - top) for who, w in weights.items() if w > top - UNLIKELY]


def _opened(said: Claims) -> dict[int, float]:
    """Who begins so, and how often; all alike where nobody does or a clause hides it."""
    text = " ".join(said.words)
    begun = [start for start in _starts() if start and f"{text} ".startswith(f"{start} ")]
    start = max(begun, key=len, default="")
    if text.startswith(tuple(f"{link} " for link in lexicon.GROUND_LINKS)):
        start = "ground"
    if not start and (" is " in text or " are " in text):
        return dict.fromkeys(range(len(POOL)), 1.0)
    return _starts()[start]


@cache
def _starts() -> dict[str, dict[int, float]]:
    """Each way to begin a sentence: who does so, and how often."""
    starts: dict[str, dict[int, float]] = {}
    for who, person in enumerate(POOL):
        weights = 1 / np.arange(1, len(person.openings) + 1)
        for opening, share in zip(person.openings, weights / weights.sum(), strict=True):
            forms = [opening]
            if opening in ("there is", "here is"):
                forms.append(opening.replace("is", "are"))
            for form in forms:
                some = starts.setdefault(form, {})
                some[who] = some.get(who, 0.0) + float(share)
    return starts


def _manner_of(person: Annotator, said: Claims) -> float:
    """How likely they say such things at all, whatever the scene."""
    likely = log(_share(person.background, bool(said.ground)))
    for thing in said.things:
        likely += log(_share(person.colours, bool(thing.colour)))
        likely += log(_share(person.fine, bool(thing.shade))) if thing.colour else 0
        likely += log(_share(person.sizes, True)) if thing.size else 0
        likely += log(_share(person.patterns, True)) if thing.pattern else 0
        likely += log(NEVER) if thing.count > 1 and not person.counts else 0
    likely += log(NEVER) if len(said.things) > person.limit else 0
    related = OWN if person.manner == "relate" else OTHER
    if _relations(said):
        likely += log(related)
    elif len(said.things) > 1:
        likely += log(1 - related)
    return likely + (log(OWN if person.manner == "sum" else NEVER) if said.total else 0)


def _share(percent: int, said: bool) -> float:
    return max((percent if said else 100 - percent) / 100, NEVER)


def _relations(said: Claims) -> list:
    """Links between two things, other than "side by side"."""
    return [link for link in said.links if link.subject != link.object and not link.only]


# ---- what they would say of such a scene


def _order(reading: Reading, person: Annotator) -> np.ndarray:
    """Whether the things are the first ones in the person's order, and as many as they name."""
    things = reading.said.things
    if not things:
        return np.zeros((1, 1))
    position, number, length = reading.truth.told(person.order, _alike(person))
    turns = [_out_of_turn(reading, order, position) for order in _orders(reading.said)]
    odd = reduce(np.minimum, turns)
    if reading.said.total:  # "three shapes, one is a star" tells of one of a group
        return -OUT_OF_TURN * np.minimum(odd, 3)
    for which, thing in enumerate(things):
        for slot in reading.places(which)[:1]:
            odd = odd + (reading.of(number, slot) != thing.count)
    usual = np.minimum(length, person.limit)[reading.rows] == len(things)
    less = np.minimum(length, max(person.limit - 1, 1))[reading.rows] == len(things)
    many = np.log(0.85 * usual + 0.15 * less + 2 * NEVER)
    return many[:, None] - OUT_OF_TURN * np.minimum(odd, 3)


def _alike(person: Annotator) -> str:
    """What the things share that the person tells of together."""
    return ("shape" if person.manner == "sum" else "look") if person.counts else ""


def _orders(said: Claims) -> Iterator[list[int]]:
    """The orders in which the things may have been looked at: "... with a star above it" hides
    which of the two came first."""
    order = list(range(len(said.things)))
    yield order
    if any((link.subject, link.object) == (1, 0) for link in said.links):
        yield [1, 0, *order[2:]]


def _out_of_turn(reading: Reading, order: list[int], position: np.ndarray) -> np.ndarray:
    return sum(
        reading.of(position, slot, -1) != order[which] for slot, which in enumerate(reading.slots)
    )


def _unsaid(reading: Reading, person: Annotator) -> np.ndarray:
    """How likely sizes and patterns that are not told were left out: (n, P)."""
    likely = np.zeros((1, 1))
    for which, thing in enumerate(reading.said.things):
        if not thing.size:
            likely = likely + _no_size(reading, which, person.sizes / 100)
        if not thing.pattern:
            plain = reading.every(reading.truth.object("pattern", "plain"), which)
            likely = likely + np.where(plain, 0, log(_share(person.patterns, False)))
    return likely


def _no_size(reading: Reading, which: int, told: float) -> np.ndarray:
    same = {size: reading.every(reading.truth.object("size", size), which) for size in RICH_RADII}
    one_size = reduce(np.logical_or, same.values())
    likely = np.where(one_size, max(1 - told, NEVER), 1.0)
    return np.log(np.where(same["medium"], 1 - told / 4, likely))


def _relation(reading: Reading, person: Annotator) -> np.ndarray:
    """How likely they tell this relation of the first two things, of all that hold: (n, P)."""
    links = _relations(reading.said)[:1]
    if not links:
        return np.zeros((1, 1))
    held = {name: reading.holds(name, links[0]) for name in LOOKED_FOR[person.relation]}
    count = np.maximum(sum(some.astype(float) for some in held.values()), 1)
    likely, earlier = np.full(count.shape, NEVER), np.zeros(count.shape, dtype=bool)
    for name, here in held.items():
        if name in links[0].names:
            likely += FIRST * (here & ~earlier) + (1 - FIRST) * here / count
        earlier |= here
    return np.log(likely)


def _plain_ground(reading: Reading) -> np.ndarray:
    """A background that is told without a pattern has none, or none that strikes the eye."""
    ground = reading.said.ground
    if not ground or ground.pattern:
        return np.zeros((1, 1))
    told = reading.truth.scene(
        "told plainly", lambda scene: -log(GROUNDS.get(scene.background.pattern, NEVER))
    )
    return told[reading.rows, None]
