"""What a sentence about a picture of shapes claims: things, their number, looks and relations."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from cs_caption.data.tokens import tokenise
from cs_caption.metrics.phrases import MOST, mended, phrases, readable

Cell = tuple[int, int]  # (column, row), 0 to 2, of a picture's nine parts


@dataclass(frozen=True)
class Thing:
    """Objects alike that a sentence names together; what it does not say is empty.

    `count` of them at least. `shape` is empty for "a red thing", and where the noun cannot be read
    (`unread`). `shade` is the colour as it was said, "" for a basic colour's own name.
    `mixed`: "red and white", whichever of the two is the marks'.
    """

    word: int
    shape: str
    count: int = 1
    colour: str = ""
    shade: str = ""
    size: str = ""
    pattern: str = ""
    slant: str = ""
    second: str = ""
    pointing: str = ""
    place: Cell | None = None
    mixed: bool = False
    unread: bool = False


@dataclass(frozen=True)
class Link:
    """Each object of one thing is in one of the relations `names` to each of another.

    subject and object are positions in `Claims.things`, the same for "two stars side by side";
    `only` holds what may not be true as well.
    """

    subject: int
    names: tuple[str, ...]
    object: int
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ground:
    """What a sentence says of the background; `pattern` "halves" has `second` below."""

    colour: str = ""
    shade: str = ""
    pattern: str = ""
    slant: str = ""
    second: str = ""


@dataclass(frozen=True)
class Total:
    """How many objects there are in all, from `least` to `most`, and whether no two share a
    colour."""

    least: int
    most: int
    varied: bool = False


@dataclass(frozen=True)
class Claims:
    """All that could be read of a sentence.

    `words` are the sentence's with typos mended, `unread` those that stand for nothing known and
    are no slip of the pen either.
    """

    words: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    links: tuple[Link, ...] = ()
    ground: Ground | None = None
    total: Total | None = None
    unread: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        read = any(not thing.unread for thing in self.things)
        return bool(read or self.ground or self.total)


@lru_cache(maxsize=16_384)
def claims(caption: str) -> Claims:
    """Read a sentence by the annotators' grammar (`cs_caption.data.rich_captions`).

    Words that stand for nothing there are read past. A typo counts as the one known word that is a
    single slip away, where there is one only.
    """
    words = [mended(word) for word in tokenise(caption.replace("-", " ")).split()]
    reader = _Reader()
    for place, kind, value in phrases(words):
        getattr(reader, kind)(place, value)
    reader.flush()
    return Claims(
        *(tuple(words), tuple(reader.things), tuple(reader.links)),
        *(reader.background, reader.total, tuple(reader.unread)),
    )


@dataclass
class _Phrase:
    """The beginning of a mention, which has not met its noun yet."""

    count: int | None = None
    vague: bool = False
    colours: list[tuple[str, str]] = field(default_factory=list)
    joined: bool = False  # "red and white", "half red half white"
    looks: dict[str, str] = field(default_factory=dict)
    strange: bool = False

    def said(self) -> dict[str, str]:
        """What of colours and pattern it tells; of two colours the nearer one is the thing's."""
        colours = self.colours if self.joined else self.colours[::-1]
        (colour, shade), (second, _) = (*colours, ("", ""), ("", ""))[:2]
        return {**self.looks, "colour": colour, "shade": shade, "second": second}


class _Reader:
    """Takes a sentence's phrases in order; each kind of phrase is a method (position, value)."""

    def __init__(self):
        self.things: list[Thing] = []
        self.links: list[Link] = []
        self.background: Ground | None = None
        self.total: Total | None = None
        self.unread: list[str] = []
        self.phrase = _Phrase()
        self.link: tuple[int, tuple[str, ...]] | None = None  # (subject, names), object to come
        self.awaited: tuple[tuple[str, ...], int] | None = None  # (names, object), subject to come
        self.place: Cell | None = None  # of the thing to come
        self.anew = True  # nothing has been named since the beginning, or since "and"
        self.on_ground = False  # the last noun was the background's

    # words before a noun

    def number(self, place: int, value: int) -> None:
        self.flush()
        self.phrase = _Phrase(abs(value) or None, vague=value < 0)

    def colour(self, place: int, value: tuple[str, str]) -> None:
        self.phrase.colours.append(value)

    def size(self, place: int, value: str) -> None:
        self.phrase.looks["size"] = value

    def slant(self, place: int, value: str) -> None:
        self.phrase.looks["slant"] = value

    def pattern(self, place: int, value: str) -> None:
        self.phrase.looks["pattern"] = value

    def varied(self, place: int, value: None) -> None:
        self.phrase.looks["varied"] = "yes"

    def opinion(self, place: int, value: None) -> None:
        """Never false."""

    def strange(self, place: int, value: str) -> None:
        self.phrase.strange = True
        if not readable(value):
            self.unread.append(value)

    def half(self, place: int, value: None) -> None:
        self.phrase.joined = True

    def joint(self, place: int, value: None) -> None:
        """The "and" between two colours."""
        self.phrase.joined = True

    # nouns

    def singular(self, place: int, shape: str) -> None:
        self._name(Thing(place, shape, self.phrase.count or 1, **self._looks()))

    def plural(self, place: int, shape: str) -> None:
        self._name(Thing(place, shape, self.phrase.count or 2, **self._looks()))

    def generic(self, place: int, value: None) -> None:
        """ "three shapes" are all that there are, "three red shapes" are not."""
        varied = bool(self.phrase.looks.pop("varied", ""))
        if self.phrase.colours or self.phrase.looks:
            return self.plural(place, "")
        count, exact = self.phrase.count or 2, self.phrase.count and not self.phrase.vague
        self.total = Total(count, count if exact else MOST, varied)
        self.phrase = _Phrase()
        return None

    def ground(self, place: int, value: None) -> None:
        said = self.phrase.said()
        said.pop("size", None), said.pop("varied", None)
        if said["second"]:
            said.setdefault("pattern", "halves")
        self._lay(**said)

    def lower(self, place: int, value: None) -> None:
        self._lay(second=self.phrase.said()["colour"], pattern="halves")

    def upper(self, place: int, value: None) -> None:
        said = self.phrase.said()
        self._lay(colour=said["colour"], shade=said["shade"])

    def _looks(self) -> dict:
        said = self.phrase.said()
        said.pop("varied", None)
        return {**said, "mixed": self.phrase.joined}

    def _lay(self, **said: str) -> None:
        self.background = replace(self.background or Ground(), **said)
        self.phrase, self.link, self.on_ground = _Phrase(), None, True

    def _name(self, thing: Thing) -> None:
        here = len(self.things)
        self.things.append(replace(thing, place=self.place))
        if self.link and self.link[0] >= 0:
            self.links.append(Link(*self.link, here))
        elif self.link:
            self.awaited = self.link[1], here
        elif self.awaited:
            self.links.append(Link(here, *self.awaited))
            self.awaited = None
        self.phrase, self.link, self.place = _Phrase(), None, None
        self.anew = self.on_ground = False

    # words after a noun

    def marks(self, place: int, pattern: str) -> None:
        """ "... with vertical red stripes"."""
        said = {"pattern": pattern, "second": self.phrase.said()["colour"]}
        said["slant"] = self.phrase.looks.get("slant", "")
        self.phrase = _Phrase()
        if self.on_ground:
            self.background = replace(self.background, **said)
        elif self.things:
            self.things[-1] = replace(self.things[-1], **said)

    def pointing(self, place: int, way: str) -> None:
        if self.things:
            self.things[-1] = replace(self.things[-1], pointing=way)

    def position(self, place: int, cell: Cell) -> None:
        self.flush()
        if self.anew:
            self.place = cell
        else:
            self.things[-1] = replace(self.things[-1], place=cell)

    def lying(self, place: int, value: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
        self.flush()
        last = len(self.things) - 1
        if last > 0 or (last == 0 and self.things[0].count > 1):
            self.links.append(Link(max(last - 1, 0), value[0], last, value[1]))

    # words between

    def relation(self, place: int, names: tuple[str, ...]) -> None:
        self.flush()
        self.link = (-1 if self.anew else len(self.things) - 1), names

    def it(self, place: int, value: None) -> None:
        """ "a star with a heart above it", "a star and above it a heart"."""
        last = len(self.things) - 1
        if self.link and self.anew and last >= 0:
            self.awaited = self.link[1], last
        elif self.link and last > 0:
            self.links.append(Link(*self.link, last - 1))
        self.link = None

    def also(self, place: int, value: None) -> None:
        """ "and": a new beginning."""
        self.flush()
        self.link, self.anew = None, True

    def past(self, place: int, value: str) -> None:
        self.flush()

    def flush(self) -> None:
        """A mention ends without a noun: one that cannot be read, or "on red"."""
        phrase, self.phrase = self.phrase, _Phrase()
        if phrase.strange and (phrase.count or phrase.colours):
            self.phrase = phrase
            self._name(Thing(-1, "", phrase.count or 1, unread=True, **self._looks()))
        elif phrase.colours and self.link:
            self.phrase = phrase
            self.ground(-1, None)
