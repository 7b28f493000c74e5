"""The words and phrases of the annotators, and what each stands for."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache, lru_cache

from cs_caption.data import lexicon
from cs_caption.data.people import POOL
from cs_caption.data.wording import KEYS

LONGEST = 5  # words of a phrase
MOST = 99  # of objects: as many as there may be


def phrases(words: list[str]) -> Iterator[tuple[int, str, object]]:
    """(position of the last word, kind, value) of the longest phrases from the left.

    "strange" is the kind of a word that is none; `claims` tells what it does with each kind.
    """
    at = 0
    before = None
    while at < len(words):
        taken, (kind, value) = _longest(words, at)
        at += taken
        if kind == "also" and before == "colour" and at < len(words):
            kind = "joint" if _longest(words, at)[1][0] == "colour" else kind
        yield at - 1, kind, value
        before = kind


def _longest(words: list[str], at: int) -> tuple[int, tuple[str, object]]:
    for length in range(min(LONGEST, len(words) - at), 0, -1):
        entry = _table().get(" ".join(words[at : at + length]))
        if entry:
            return length, entry
    word = words[at]
    if word.isdecimal():
        return 1, ("number", int(word) if len(word) < 3 else MOST)
    return 1, ("strange", word)


@cache
def _table() -> dict[str, tuple[str, object]]:
    """Each phrase's kind and value; where two lists have one, the later holds."""
    table: dict[str, tuple[str, object]] = {}
    for kind, some in (
        ("opinion", dict.fromkeys((*lexicon.OPINIONS, "colored", "coloured", "shaped", "sized"))),
        ("past", dict.fromkeys(PAST)),
        ("number", NUMBERS),
        ("size", _by_word(lexicon.SIZE_WORDS)),
        ("slant", _slants()),
        (
            "pattern",
            _by_word(lexicon.PATTERN_WORDS) | dict.fromkeys(lexicon.SHADED_WORDS, "shaded"),
        ),
        ("marks", _by_word(lexicon.PATTERN_NOUNS)),
        ("colour", _colours()),
        ("singular", lexicon.SHAPES | _by_word(lexicon.NOUNS)),
        ("plural", _plurals()),
        ("singular", dict.fromkeys((word[:-1] for word in lexicon.GENERIC), "")),
        ("generic", dict.fromkeys(lexicon.GENERIC)),
        ("varied", dict.fromkeys(VARIED)),
        ("ground", dict.fromkeys(lexicon.GROUND_NOUNS)),
        ("relation", _relations()),
        ("position", _by_word(lexicon.PLACE_WORDS)),
        ("lying", LYING),
        ("pointing", POINTING),
        ("lower", {"ground": None}),
        ("upper", {"sky": None}),
        ("half", {"half": None}),
        ("also", {"and": None}),
        ("it", dict.fromkeys(("it", "them"))),
    ):
        table.update({phrase: (kind, value) for phrase, value in some.items()})
    return table


def _by_word(words: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: name for name, some in words.items() for word in some}


def _slants() -> dict[str, str]:
    slants = _by_word(lexicon.SLANT_WORDS)
    return slants | {f"{name}ly": name for name in lexicon.SLANT_WORDS}


def _colours() -> dict[str, tuple[str, str]]:
    """(basic, shade); the shade is empty where any object of the colour is called so."""
    plain = {
        word: name for name in lexicon.SHADES for word in lexicon.COLOUR_WORDS.get(name, (name,))
    }
    colours = {name: (basic, name) for name, basic in lexicon.COLOURS.items()}
    return colours | {word: (name, "") for word, name in plain.items()}


def _plurals() -> dict[str, str]:
    words = {lexicon.plural(word): shape for word, shape in _by_word(lexicon.NOUNS).items()}
    return lexicon.PLURALS | words


def _relations() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for name, words in lexicon.RELATION_WORDS.items():
        for word in words:
            names[word] = tuple(dict.fromkeys((*names[word], name, *CLOSER.get(name, ()))))
    return {**names, **RELATIONS}


# fmt: off
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "another": 1, "a single": 1, "single": 1, "the": 0,
    "two": 2, "a pair of": 2, "a couple of": 2, "both": 2, "some": -2, "a few": -3, "several": -3,
    "three": 3, "a trio of": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10,
}
VARIED = ("different colored", "different coloured", "colorful", "colourful", "assorted")
PAST = (
    *(word for person in POOL for opening in person.openings for word in opening.split()),
    "images", "pictures", "photos", "drawings", "me", "show", "find", "please", "very", "really",
    "are", "with", "at", "to", "as", "well", "also", "too", "along", "together", "including",
    "among them", "one of them", "one is", "photo", "photograph", "painting", "that", "which",
)
RELATIONS = {  # what people who ask may say as well
    "on the top of": ("on",), "upon": ("on",), "to the left side of": ("left of",),
    "to the right side of": ("right of",),
}
CLOSER = {"near": ("touching",)}  # what is true as well of what is so
SIDE_BY_SIDE = (("left of", "right of"), ("above", "below"))
LYING = {
    "touching each other": (("touching",), ()),
    **dict.fromkeys(("side by side", "next to each other", "beside each other"), SIDE_BY_SIDE),
    **dict.fromkeys(("one above the other", "one over the other"), SIDE_BY_SIDE[::-1]),
}
POINTING = {
    f"{verb} {way}": way
    for verb in ("pointing", "facing", "pointing to the", "facing to the")
    for way in ("left", "right", "up", "down")
}
# fmt: on


def readable(word: str) -> bool:
    """Whether a word is known, or a slip of one that is."""
    return word in _known() or word in _slips()


@cache
def _known() -> frozenset[str]:
    return frozenset(word for phrase in _table() for word in phrase.split())


@lru_cache(maxsize=16_384)
def mended(word: str) -> str:
    """The word, or the only known one of which it is a slip of the pen.

    Of three letters, only two that are swapped are mended: "bat" need not be a "bar".
    """
    meant = () if word in _known() else _slips().get(word, ())
    sure = len(meant) == 1 and (len(word) > 3 or sorted(word) == sorted(meant[0]))
    return meant[0] if sure else word


@cache
def _slips() -> dict[str, tuple[str, ...]]:
    """Slips as `cs_caption.data.wording` has them, and the words that were meant."""
    meant: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for word in sorted(_known()):
        for slip in _slips_of(word) if len(word) > 2 else ():
            meant[slip] += (word,)
    return meant


def _slips_of(word: str) -> set[str]:
    """Two letters swapped, one doubled, left out, or struck beside; the last one never is."""
    cuts = [(word[:at], word[at], word[at + 1 :]) for at in range(len(word) - 1)]
    swapped = {a + b[0] + one + b[1:] for a, one, b in cuts}
    doubled = {a + one + one + b for a, one, b in cuts}
    beside = {a + other + b for a, one, b in cuts for other in _beside(one)}
    return swapped | doubled | beside | {a + b for a, _, b in cuts}


def _beside(letter: str) -> str:
    row = next((keys for keys in KEYS if letter in keys), letter)
    at = row.index(letter)
    return row[max(at - 1, 0) : at] + row[at + 1 : at + 2]
