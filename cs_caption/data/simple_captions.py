"""Sentences about simple pictures: every object is named, with its colour and its number."""

from collections.abc import Sequence
from dataclasses import dataclass

from cs_caption.data import lexicon
from cs_caption.data.draws import Draw
from cs_caption.data.people import Annotator
from cs_caption.data.records import Background, Relation, SceneObject
from cs_caption.data.wording import in_order

SIDES = {"left of": ("left", "right"), "right of": ("right", "left")}
LEVELS = {"above": ("top", "bottom"), "below": ("bottom", "top")}
LOOKED_FOR = {
    "across": (*SIDES, *LEVELS),
    "contact": (*SIDES, *LEVELS),
    "upright": (*LEVELS, *SIDES),
    "near": ("near",),
}


def simple_caption(
    person: Annotator,
    objects: Sequence[SceneObject],
    relations: Sequence[Relation],
    background: Background,
    draw: Draw,
) -> str:
    """All that is there, in one sentence; blanks and articles are still rough."""
    order = in_order(person.order, objects)
    things = [_Thing.of(objects[index], person, draw) for index in order]
    ground = _ground(background, person, draw)
    alike = len(things) == 2 and objects[0].kind == objects[1].kind
    if alike and person.counts:
        return _sentence(person, _together(things), "are", "", ground)
    if len(things) == 1:
        return _sentence(person, things[0].phrase("a"), "is", "", ground)
    names = {r.name for r in relations if [r.subject, r.object] == order}
    second = things[1].phrase("another" if alike else "a")
    first, rest = _linked(person, things[0].phrase("a"), second, names, draw)
    return _sentence(person, first, "is", rest, ground)


@dataclass(frozen=True)
class _Thing:
    size: str
    colour: str
    noun: str
    plural: str

    @classmethod
    def of(cls, one: SceneObject, person: Annotator, draw: Draw) -> "_Thing":
        noun, plural = _word(lexicon.SIMPLE_NOUNS[one.shape], person, draw)
        colour = _colour(one.colour, person, draw)
        size = _word(lexicon.SIMPLE_SIZE_WORDS[one.size], person, draw)
        return cls(size if draw.chance(person.sizes) else "", colour, noun, plural)

    def phrase(self, number: str) -> str:
        return f"{number} {self.size} {self.colour} {self.noun}"


def _word(words: Sequence, person: Annotator, draw: Draw):
    return words[-1] if draw.chance(person.synonyms) else words[0]


def _colour(name: str, person: Annotator, draw: Draw) -> str:
    return _word(lexicon.SIMPLE_COLOUR_WORDS.get(name, (name,)), person, draw)


def _together(things: Sequence[_Thing]) -> str:
    one, other = things
    size = one.size if one.size == other.size else ""
    return f"two {size} {one.colour} {one.plural}"


def _linked(person: Annotator, first: str, second: str, names: set[str], draw: Draw):
    """The first thing, and where it is as seen from the second."""
    if person.relation == "sides":
        name = next(name for name in (*SIDES, *LEVELS) if name in names)
        here, there = {**SIDES, **LEVELS}[name]
        place = "on the" if name in SIDES else "at the"
        return f"{first} {place} {here}", f"and {second} {place} {there}"
    for name in LOOKED_FOR.get(person.relation, ()):
        if name in names or name == "near":
            link = _word(lexicon.SIMPLE_RELATION_WORDS[name], person, draw)
            return first, f"{link} {second}"
    return first, f"and {second}"


def _ground(background: Background, person: Annotator, draw: Draw) -> str:
    if not draw.chance(person.background):
        return ""
    return f"on a {_colour(background.colour, person, draw)} background"


def _sentence(person: Annotator, first: str, verb: str, rest: str, ground: str) -> str:
    if person.opening == "ground":
        return f"{ground} there {verb} {first} {rest}"
    if person.opening == "is" and rest and not rest.startswith("and "):
        return f"{first} {verb} {rest} {ground}"
    if person.opening in ("is", "there is"):
        return f"there {verb} {first} {rest} {ground}"
    return f"{person.opening} {first} {rest} {ground}"
