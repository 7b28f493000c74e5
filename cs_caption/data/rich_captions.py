"""Sentences about crowded pictures, in the four manners of the annotators.

"relate" tells where one thing is as seen from another, and what else there is; "list" names
things one after the other; "place" says in which part of the picture each one is; "sum" counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from cs_caption.data import colours, lexicon
from cs_caption.data.draws import Draw
from cs_caption.data.people import Annotator
from cs_caption.data.records import Background, Relation, SceneObject
from cs_caption.data.relations import CONTACT, SIDEWAYS, UPRIGHT
from cs_caption.data.wording import in_order

LOOKED_FOR = {
    "across": (*SIDEWAYS, *UPRIGHT),
    "upright": ("on", *UPRIGHT, *SIDEWAYS),
    "near": ("touching", "near", "far", *SIDEWAYS, *UPRIGHT),
    "sides": (*SIDEWAYS, *UPRIGHT),
    "contact": (*CONTACT[::-1], *UPRIGHT, *SIDEWAYS),
    "none": (*CONTACT, *SIDEWAYS, *UPRIGHT),
}
OPPOSITE = {
    **{"left of": "right of", "right of": "left of", "above": "below", "below": "above"},
    **{"behind": "in front of", "in front of": "behind", "touching": "touching"},
    **{"near": "near", "far": "far"},
}
NEAR, FAR = 9, 15  # pixels between two boxes, at most and at least
MANY = ("a pair", "a couple", "a trio", "a few", "some", "several", *lexicon.NUMBER_WORDS[2:])
OPINION = 3  # percent of mentions that tell what the person thinks of the thing
Group = list[int]  # indices of objects that are told of together


@dataclass(frozen=True)
class _Teller:
    """A person in front of a picture; `names` has the relations of each (subject, object)."""

    person: Annotator
    objects: Sequence[SceneObject]
    names: dict[tuple[int, int], set[str]]
    background: Background
    draw: Draw
    bare: bool  # leaves out "a", as on a label

    def word(self, words: Sequence[str]) -> str:
        """Their usual word, or another one."""
        return self.draw.early(words) if self.draw.chance(self.person.variety) else words[0]


def rich_caption(
    person: Annotator,
    objects: Sequence[SceneObject],
    names: dict[tuple[int, int], set[str]],
    background: Background,
    draw: Draw,
) -> str:
    """What this person says about the picture; blanks and articles are still rough.

    `names` is what `relation_names` finds.
    """
    opening = draw.early(person.openings)
    bare = not opening and draw.chance(20)
    tell = _Teller(person, objects, names, background, draw, bare)
    manner = person.manner if draw.chance(75) else draw.choice(("relate", "list", "place"))
    groups = _groups(tell, manner)
    body = MANNERS[manner](tell, groups)
    plural = body.startswith(MANY)
    return _sentence(tell, opening, body, plural)


def relation_names(
    objects: Sequence[SceneObject], relations: Sequence[Relation]
) -> dict[tuple[int, int], set[str]]:
    """All that can be said of each (subject, object): relations that hold, "near" and "far"."""
    names: dict[tuple[int, int], set[str]] = {
        pair: set() for pair in product(range(len(objects)), repeat=2)
    }
    for relation in relations:
        names[relation.subject, relation.object].add(relation.name)
    for (a, b), some in names.items():
        gap = _gap(objects[a].box, objects[b].box)
        if a != b and gap <= NEAR and not some & set(CONTACT):
            some.add("near")
        if gap >= FAR:
            some.add("far")
    return names


def _gap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> int:
    """Pixels between two boxes, along the side where there are more."""
    return max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])


# ---- which things, and in which order


def _groups(tell: _Teller, manner: str) -> list[Group]:
    """What is told of together, in the person's order, as many as they bother to name."""
    order = in_order(tell.person.order, tell.objects)
    groups: dict[object, Group] = {}
    for index in order:
        one = tell.objects[index]
        alike = one.shape if manner == "sum" else one.look
        groups.setdefault(alike if tell.person.counts else index, []).append(index)
    limit = tell.person.limit - tell.draw.chance(15)
    return list(groups.values())[: max(limit, 1)]


def _holding(tell: _Teller, first: Group, second: Group) -> set[str]:
    """Relations that hold from every one of the first to every one of the second."""
    return set.intersection(*(tell.names[a, b] for a in first for b in second))


# ---- one thing, or several alike


def _phrases(tell: _Teller, groups: Sequence[Group]) -> list[str]:
    """A phrase for each group; what is like one before is "another"."""
    told: set[tuple[str, str]] = set()
    phrases = []
    for group in groups:
        kind = tell.objects[group[0]].kind
        phrases.append(_phrase(tell, group, "another" if kind in told else "a"))
        told.add(kind)
    return phrases


def _phrase(tell: _Teller, group: Group, article: str = "a") -> str:
    ones = [tell.objects[index] for index in group]
    one = ones[0]
    noun = tell.word(lexicon.NOUNS[one.shape])
    if len(group) > 1:
        noun = lexicon.plural(noun)
    colour = _colour(tell, one) if len({o.colour for o in ones}) == 1 else ""
    before, middle, after = (
        _pattern(tell, one, colour) if len({o.look for o in ones}) == 1 else ("",) * 3
    )
    if one.pointing and len({o.pointing for o in ones}) == 1 and tell.draw.chance(35):
        after += f" pointing {one.pointing}"
    number = _number(tell, len(group), article)
    opinion = tell.draw.early(lexicon.OPINIONS) if tell.draw.chance(OPINION) else ""
    return f"{number} {opinion} {_size(tell, ones)} {before} {colour} {middle} {noun} {after}"


def _number(tell: _Teller, count: int, article: str) -> str:
    if count == 1:
        usual = "" if tell.bare and article == "a" else article
        return tell.draw.choice(("one", "a single")) if tell.draw.chance(2) else usual
    if count < 4 and tell.draw.chance(tell.person.variety // 3):
        return tell.draw.choice(("a pair of", "a couple of")) if count == 2 else "a trio of"
    return lexicon.NUMBER_WORDS[count]


def _size(tell: _Teller, ones: Sequence[SceneObject]) -> str:
    sizes = {one.size for one in ones}
    if len(sizes) > 1 or not tell.draw.chance(tell.person.sizes):
        return ""
    size = sizes.pop()
    return "" if size == "medium" and tell.draw.chance(75) else tell.word(lexicon.SIZE_WORDS[size])


def _colour(tell: _Teller, one: SceneObject) -> str:
    if not tell.draw.chance(tell.person.colours):
        return ""
    return _shade(tell, one.colour, one.rgb)


def _shade(tell: _Teller, basic: str, rgb: colours.Rgb) -> str:
    if tell.draw.chance(tell.person.fine):
        return tell.draw.early(colours.naming(rgb)[1])
    return tell.word(lexicon.COLOUR_WORDS.get(basic, (basic,)))


def _pattern(tell: _Teller, one: SceneObject, colour: str) -> tuple[str, str, str]:
    """Words before the colour, between colour and noun, and after the noun."""
    if one.pattern == "plain":
        return (tell.word(lexicon.PATTERN_WORDS["plain"]) if tell.draw.chance(3) else ""), "", ""
    if not tell.draw.chance(tell.person.patterns):
        return "", "", ""
    way = tell.draw.below(4 if colour else 2)
    if way == 3:
        return "", "", f"with {_marks(tell, one.pattern, one.slant, one.second)}"
    word = tell.word(lexicon.PATTERN_WORDS[one.pattern])
    if one.slant and tell.draw.chance(15):
        word = f"{one.slant}ly {word}"
    second = tell.word(lexicon.COLOUR_WORDS.get(one.second, (one.second,)))
    return ((word, "", ""), ("", word, ""), (f"{second} {word}", "", ""))[way]


def _marks(tell: _Teller, pattern: str, slant: str, second: str) -> str:
    slanted = tell.word(lexicon.SLANT_WORDS[slant]) if slant and tell.draw.chance(20) else ""
    colour = tell.word(lexicon.COLOUR_WORDS.get(second, (second,)))
    return f"{slanted} {colour} {tell.word(lexicon.PATTERN_NOUNS[pattern])}"


def _place(tell: _Teller, group: Group) -> str:
    """In which of nine parts of the picture they are, if they are in the same."""
    cells = set()
    for index in group:
        x0, y0, x1, y1 = tell.objects[index].box
        cells.add(
            tuple(0 if twice < 46 else 2 if twice > 82 else 1 for twice in (x0 + x1, y0 + y1))
        )
    return tell.word(lexicon.PLACE_WORDS[cells.pop()]) if len(cells) == 1 else ""


# ---- the four manners


def _relate(tell: _Teller, groups: list[Group]) -> str:
    if len(groups) == 1:
        return _alone(tell, groups[0])
    first, second, *rest = groups
    holding = _holding(tell, first, second)
    looked_for = [name for name in LOOKED_FOR[tell.person.relation] if name in holding]
    if not looked_for:
        return _list(tell, groups)
    name = looked_for[0] if tell.draw.chance(70) else tell.draw.choice(looked_for)
    body = _related(tell, first, name, second)
    return " ".join([body, *(_besides(tell, group) for group in rest[:1])])


def _related(tell: _Teller, first: Group, name: str, second: Group) -> str:
    link = tell.word(lexicon.RELATION_WORDS[name])
    way = tell.draw.below(10)
    if 2 <= way < 4:
        other, one = _phrases(tell, [second, first])
        return f"{other} with {one} {link} {'them' if len(second) > 1 else 'it'}"
    one, other = _phrases(tell, [first, second])
    if way < 2 and name in OPPOSITE:
        back = tell.word(lexicon.RELATION_WORDS[OPPOSITE[name]])
        return f"{one} with {other} {back} {'them' if len(first) > 1 else 'it'}"
    if way < 7 and not tell.bare:
        return f"{one} {'are' if len(first) > 1 else 'is'} {link} {other}"
    return f"{one} {link} {other}"


def _besides(tell: _Teller, group: Group) -> str:
    one = _phrase(tell, group)
    return tell.word(
        (
            f"and {one} {_place(tell, group)}",
            f"as well as {one}",
            f"and also {one}",
            f"and {one} too",
            f"with {one} {_place(tell, group)}",
        )
    )


def _alone(tell: _Teller, group: Group) -> str:
    if len(group) == 2 and tell.draw.chance(40):
        return f"{_phrase(tell, group)} {_lying(tell, [group[:1], group[1:]])}"
    return f"{_phrase(tell, group)} {_place(tell, group) if tell.draw.chance(40) else ''}"


def _lying(tell: _Teller, groups: Sequence[Group]) -> str:
    """How two groups lie, when it is plain to see."""
    holding = _holding(tell, *groups)
    if "touching" in holding:
        return "touching each other"
    if holding & set(SIDEWAYS) and not holding & set(UPRIGHT):
        return tell.word(("side by side", "next to each other", "beside each other"))
    if holding & set(UPRIGHT) and not holding & set(SIDEWAYS):
        return tell.word(("one above the other", "one over the other"))
    return ""


def _list(tell: _Teller, groups: list[Group]) -> str:
    *some, last = _phrases(tell, groups)
    if not some:
        return _alone(tell, groups[0])
    link = tell.word(("and", "with", "as well as", "along with", "together with"))
    lying = _lying(tell, groups) if len(groups) == 2 and tell.draw.chance(20) else ""
    return f"{' '.join(some)} {link} {last} {lying}"


def _places(tell: _Teller, groups: list[Group]) -> str:
    told = zip(_phrases(tell, groups), groups, strict=True)
    *some, last = [f"{phrase} {_place(tell, group)}" for phrase, group in told]
    return f"{' '.join(some)} and {last}" if some else last


def _sum(tell: _Teller, groups: list[Group]) -> str:
    count = len(tell.objects)
    if count == 1 or tell.draw.chance(60):
        return _list(tell, groups)
    vague = ("some", "a few", "several") if count > 2 else ("some",)
    number = tell.draw.choice(vague) if tell.draw.chance(25) else lexicon.NUMBER_WORDS[count]
    shades = len({one.colour for one in tell.objects})
    kind = ""
    if shades == count:
        kind = tell.word(("", "different colored", "colorful", "colourful", "assorted"))
    generic = f"{number} {kind} {tell.word(lexicon.GENERIC)}"
    way = tell.draw.below(100)
    if way < 40:
        return generic
    if way < 60:
        link = tell.word(("including", "among them", "one of them", "one is"))
        return f"{generic} {link} {_phrase(tell, groups[0][:1])}"
    return f"{generic} {_list(tell, groups)}" if len(groups) > 1 else generic


MANNERS = {"relate": _relate, "list": _list, "place": _places, "sum": _sum}


# ---- the whole sentence


def _sentence(tell: _Teller, opening: str, body: str, plural: bool) -> str:
    verb = "are" if plural else "is"
    ground = _ground(tell) if tell.draw.chance(tell.person.background) else ""
    clause = " is " in body or " are " in body
    if opening == "ground":
        return f"{body} {ground}" if clause or not ground else f"{ground} there {verb} {body}"
    if clause:
        return f"{opening if opening == 'in this picture' else ''} {body} {ground}"
    opening = {
        "there is": f"there {verb}",
        "here is": f"here {verb}",
        "in this picture": f"in this picture there {verb}",
        "it is": "" if plural else "it is",
    }.get(opening, opening)
    return f"{opening} {body} {ground}"


def _ground(tell: _Teller) -> str:
    link = tell.word(lexicon.GROUND_LINKS)
    if tell.background.pattern == "halves" and tell.draw.chance(40):
        return f"{link} {_halves(tell, tell.background)}"
    colour = _shade(tell, tell.background.colour, tell.background.rgb)
    noun = tell.word(lexicon.GROUND_NOUNS)
    if tell.draw.chance(8) and tell.background.pattern == "plain":
        return f"on {colour}"
    return f"{link} a {_described(tell, tell.background, colour, noun)}"


def _described(tell: _Teller, ground: Background, colour: str, noun: str) -> str:
    """A background's colour, pattern and noun, or as much of it as the person cares to say."""
    if ground.pattern == "plain":
        return f"{'plain' if tell.draw.chance(20) else ''} {colour} {noun}"
    if ground.pattern == "shaded":
        return f"{tell.word(lexicon.SHADED_WORDS) if tell.draw.chance(50) else ''} {colour} {noun}"
    second = tell.word(lexicon.COLOUR_WORDS.get(ground.second, (ground.second,)))
    if ground.pattern == "halves":
        return tell.word((f"{colour} and {second} {noun}", f"half {colour} half {second} {noun}"))
    word = tell.word(lexicon.PATTERN_WORDS[ground.pattern])
    ways = [f"{word} {colour} {noun}", f"{word} {noun}", f"{colour} {word} {noun}"]
    if ground.second != ground.colour:
        marks = _marks(tell, ground.pattern, ground.slant, ground.second)
        ways += [f"{colour} and {second} {word} {noun}", f"{colour} {noun} with {marks}"]
    return tell.draw.choice(ways)


def _halves(tell: _Teller, ground: Background) -> str:
    return f"{ground.second} ground under a {ground.colour} sky"
