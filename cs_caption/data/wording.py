"""What all sentences share: an order to begin with, articles, and slips of the pen."""

from collections.abc import Sequence
from itertools import pairwise

from cs_caption.data import lexicon
from cs_caption.data.draws import Draw
from cs_caption.data.records import SceneObject

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SLIPS = 130  # of ten thousand words of three letters or more: one percent of all words


def in_order(order: str, objects: Sequence[SceneObject]) -> list[int]:
    """Indices of the objects, beginning with the left, right, top, bottom, big or small one."""
    return sorted(range(len(objects)), key=lambda index: _rank(order, objects[index]))


def _rank(order: str, one: SceneObject) -> int:
    x0, y0, x1, y1 = one.box
    area = (x1 - x0) * (y1 - y0)
    return {
        "left": x0 + x1,
        "right": -x0 - x1,
        "top": y0 + y1,
        "bottom": -y0 - y1,
        "big": -area,
        "small": area,
    }[order]


def tidy(caption: str) -> str:
    """Single blanks, and "an" before a vowel."""
    words = caption.split()
    for index, (word, after) in enumerate(pairwise(words)):
        if word == "a" and after[0] in "aeiou":
            words[index] = "an"
    return " ".join(words)


def with_slips(caption: str, draw: Draw) -> str:
    """The caption with a typo in about one word of a hundred."""
    return " ".join(
        _slip(word, draw) if len(word) > 2 and draw.below(10_000) < SLIPS else word
        for word in caption.split()
    )


def _slip(word: str, draw: Draw) -> str:
    """Two letters swapped, one left out, doubled, or struck beside; never another known word."""
    at = draw.below(len(word) - 1)
    way = draw.below(4)
    beside = _neighbour(word[at], draw)
    slipped = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[:at] + beside + word[at + 1 :],
    )[way]
    known = (lexicon.COLOURS, lexicon.SHAPES, lexicon.PLURALS, lexicon.NUMBERS, lexicon.BREAKS)
    return word if any(slipped in words for words in known) else slipped


def _neighbour(letter: str, draw: Draw) -> str:
    row = next((keys for keys in KEYS if letter in keys), letter)
    at = row.index(letter)
    return draw.choice(row[max(at - 1, 0) : at] + row[at + 1 : at + 2] or letter)
