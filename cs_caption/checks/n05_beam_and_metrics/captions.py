"""Captions to score, drawn so that mistakes show, and what is said of a wrong score.

    many = telling(rng, draw, right, others)       # no look-alike gives what is right
    found = scores(subject, many)
    require(found, right(many), others(many), "bleu")

`many` is a list of tuples of arguments, one for each call; they cross in one message. A look-alike
names a mistake only where it gives all that came back: of a single caption too many do by chance.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np

from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import close, number

Random = np.random.RandomState
Many = list[tuple]
Corpus = tuple[list[str], list[list[str]]]
Others = Mapping[str, np.ndarray]

_COMMON = ("a", "the", "on", "with")
_WORDS = (
    "black bright cat child dog field frisbee grass green guitar hat horse jumps man near plays "
    "red rides rock runs sits sleeps snow street tall throws tree two under wave white woman young"
)


def draw_words(rng: Random, count: int) -> list[str]:
    """Draw `count` different words, the common ones ("a", "the", "on", "with") among them."""
    return [*_COMMON, *rng.permutation(_WORDS.split()).tolist()][:count]


def draw_item(
    rng: Random, references: int = 3, known: int = 9, sizes: tuple[int, int] = (6, 10)
) -> tuple[str, list[str]]:
    """Draw a caption and its references: all are one sentence of 6 to 9 words, changed a little.

    They share runs of up to four words and more; a run comes twice in some; a few words are not
    shared. known: of how many different words the sentence is made; sizes: from how many words on,
    and fewer than how many.
    """
    words = draw_words(rng, known)
    base = [str(rng.choice(words)) for _ in range(rng.randint(*sizes))]
    candidate, *others = (_changed(rng, base, words) for _ in range(references + 1))
    return " ".join(candidate), [" ".join(other) for other in others]


def draw_corpus(rng: Random, references: Sequence[int] = (3, 1, 4, 2), known: int = 9) -> Corpus:
    """Draw captions, as `draw_item`, with as many references as said, in another order."""
    drawn = [draw_item(rng, int(count), known) for count in rng.permutation(references)]
    return [candidate for candidate, _ in drawn], [several for _, several in drawn]


def reordered(rng: Random, corpus: Corpus) -> Corpus:
    """Return the same captions and references in another order, those of each caption too."""
    candidates, references = corpus
    order = (1 + np.arange(len(candidates))) % len(candidates)
    if len(candidates) > 2:
        order = rng.permutation(order)
    return (
        [candidates[i] for i in order],
        [[references[i][j] for j in rng.permutation(len(references[i]))] for i in order],
    )


def telling(
    rng: Random,
    draw: Callable[[Random], Many],
    right: Callable[[Many], np.ndarray],
    others: Callable[[Many], Others],
) -> Many:
    """Draw arguments until no look-alike gives all that is right."""
    while True:
        many = draw(rng)
        expected = right(many)
        if not any(_alike(other, expected) for other in others(many).values()):
            return many


def scores(subject: Subject, many: Many, name: str, hint: str = "") -> np.ndarray:
    """Return what each call gives, (K,), if each is one finite number; `hint` is for NaN."""
    return np.array([number(outcome.value, name, hint) for outcome in subject.calls(many)])


def require(
    found: np.ndarray,
    expected: np.ndarray,
    others: Callable[[], Others],
    name: str,
    likely: Collection[str] = (),
) -> None:
    """Fail where one of the numbers is wrong, with the words of the look-alike that gives all.

    Those in `likely` come before the rest. Where two do, both are said; where more do, none is.
    """
    if _alike(found, expected):
        return
    fits = [words for words, other in others().items() if _alike(found, other)]
    fits = [words for words in fits if words in likely] or fits
    why = f": {'; or: '.join(fits)}" if 0 < len(fits) < 3 else where(found, expected)
    raise Wrong(f"{name} is wrong{why}")


def named(
    found: np.ndarray, expected: np.ndarray, others: Others, about: Sequence[str] = ()
) -> str:
    """Return words for numbers that are wrong: the first three look-alikes that give all of them.

    Else which are wrong; `about` has words for each call.
    """
    fits = [words for words, other in others.items() if _alike(found, other)]
    if fits:
        return f": {'; or: '.join(fits[:3])}"
    off = [at for at, pair in enumerate(zip(found, expected, strict=True)) if not close(*pair)]
    if about and len(off) < 3:
        return "; and".join(dict.fromkeys(about[at] for at in off))
    return where(found, expected)


def values(many: Iterable[tuple], of: Callable[..., object]) -> np.ndarray:
    """Return what a function gives for each tuple of arguments, (K, ...)."""
    return np.array([of(*args) for args in many], dtype=np.float64)


def _alike(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.shape == np.shape(expected) and close(found, expected)


def where(found: np.ndarray, expected: np.ndarray) -> str:
    """Say how many numbers are wrong, and whether all of those are too high or too low."""
    off = [not close(a, b) for a, b in zip(found, expected, strict=True)]
    times = f" in {sum(off)} of {len(off)} calls" if len(off) > 1 else ""
    high, low = np.any(found > expected), np.any(found < expected)
    if sum(off) == 1 or (high and low):
        return times
    return f"{times}: too {'high' if high else 'low'} each time" if times else ""


def _changed(rng: Random, base: Sequence[str], known: Sequence[str]) -> list[str]:
    """A sentence after one to three changes: a word other, more or less, or a run said again."""
    words = list(base)
    for _ in range(rng.randint(1, 4)):
        at, new = int(rng.randint(len(words))), str(rng.choice(known))
        kind = rng.randint(4)
        if kind == 0:
            words[at] = new
        elif kind == 1:
            words.insert(at, new)
        elif kind == 2 and len(words) > 4:
            del words[at]
        else:
            run = words[at : at + 2]
            to = int(rng.randint(len(words) + 1))
            words[to:to] = run
    return words
