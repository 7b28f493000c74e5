"""The check of brevity_penalty: the lengths that the package's own bleu finds decide."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.captions import (
    Many,
    Others,
    draw_words,
    reordered,
    require,
    scores,
    telling,
    values,
)
from cs_caption.checks.n05_beam_and_metrics.precision import COPY
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import unchanged
from cs_caption.metrics.bleu import bleu_rows

Random = np.random.RandomState
Draw = Callable[[Random], Many]
Choose = Callable[[int, list[int]], float]

_NAME = "the penalty"
_LONG_WORDS = [
    "crocodiles",
    "elephants",
    "firefighters",
    "grandmother",
    "television",
    "watermelons",
]
_SHORT_WORDS = ["a", "at", "by", "in", "is", "no", "of", "on", "to", "up"]
QUIZNOS = (
    ["Quiznos worker wearing sign ."],
    [
        [
            "Latino man holding sign on the sidewalk outside promoting Quiznos-Subs .",
            "A man is holding an advertisement for Quiznos Subs .",
            "A man is holding a Quiznos sign next to a street .",
            "A man is holding a Quiznos Sub sign .",
        ]
    ],
)


# ------------------------------------------------------------------------- what is right, and not


def lengths(candidates: list[str], references: list[list[str]]) -> tuple[float, float]:
    """Return c and r: the words of the candidates, and of their closest references."""
    return tuple(bleu_rows(candidates, references, 1).sum(0)[-2:].tolist())


def penalty(c: float, r: float) -> float:
    """Return the factor that c and r make."""
    return 0.0 if c == 0 else float(np.exp(min(0.0, 1 - r / c)))


def _right(many: Many) -> np.ndarray:
    return values(many, lambda *corpus: penalty(*lengths(*corpus)))


def _closest(c: int, several: list[int]) -> int:
    return sorted(several, key=lambda r: 2 * abs(r - c) + (r > c))[0]


def _tie_first(c: int, several: list[int]) -> int:
    return sorted(several, key=lambda r: abs(r - c))[0]


def _by(
    choose: Choose = _closest,
    make: Callable[[float, float], float] = penalty,
    size: Callable[[str], int] = lambda caption: len(caption.split()),
) -> Callable[..., float]:
    """Return a function that does what brevity_penalty does, but for what is given."""

    def of(candidates: list[str], references: list[list[str]]) -> float:
        c = list(map(size, candidates))
        pairs = zip(c, references, strict=True)
        return make(sum(c), sum(choose(n, list(map(size, several))) for n, several in pairs))

    return of


def _each(join: Callable[[list[float]], float]) -> Callable[..., float]:
    """The penalties of single captions, joined."""

    def of(candidates: list[str], references: list[list[str]]) -> float:
        alone = [
            penalty(*lengths([c], [several]))
            for c, several in zip(candidates, references, strict=True)
        ]
        return float(join(alone))

    return of


def _at_most(candidates: list[str], references: list[list[str]]) -> float:
    """A caption that is longer than its reference makes up for no other."""
    rows = bleu_rows(candidates, references, 1)[:, -2:]
    return penalty(rows[:, 0].sum(), np.maximum(rows[:, 1], rows[:, 0]).sum())


def _by_letters(
    candidates: list[str], references: list[list[str]], key: Callable[[str, str], object]
) -> float:
    """The penalty where a key of the candidate and a reference says which is the closest."""
    pairs = zip(candidates, references, strict=True)
    closest = [min(several, key=partial(key, candidate)) for candidate, several in pairs]
    return penalty(*(sum(len(each.split()) for each in side) for side in (candidates, closest)))


def _safe(make: Callable[[float, float], float]) -> Callable[[float, float], float]:
    return lambda c, r: make(c, r) if c and r else 0.0


_CHOOSING = {
    "r is the shortest reference: it is the closest": _by(lambda c, several: min(several)),
    "r is the longest reference: it is the closest": _by(lambda c, several: max(several)),
    "r is the mean of the references: it is the closest": _by(
        lambda c, several: float(np.mean(several))
    ),
    "r is the first reference: it is the closest": _by(lambda c, several: several[0]),
    "r is the last reference: it is the closest": _by(lambda c, several: several[-1]),
    "r is the sum of the references of a caption: it is the closest of them": _by(
        lambda c, several: sum(several)
    ),
    "r is the median of the references: it is the closest": _by(
        lambda c, several: float(np.median(several))
    ),
    "r is the reference that is furthest off: it is the closest": _by(
        lambda c, several: sorted(several, key=lambda r: -abs(r - c))[0]
    ),
    "r is the reference that is closest in letters: it is the closest in words": (
        lambda c, r: _by_letters(c, r, lambda one, other: abs(len(one) - len(other)))
    ),
}
_TIES = {
    "of two references that are equally close the longer one is taken": _by(
        lambda c, several: sorted(several, key=lambda r: 2 * abs(r - c) - (r > c))[0]
    ),
    "of two references that are equally close the one that stands first is taken": _by(_tie_first),
    "of two references that are equally close the one that stands last is taken": _by(
        lambda c, several: _tie_first(c, several[::-1])
    ),
    "of two references that are equally close the one of fewer letters is taken: it is the one of "
    "fewer words": lambda c, r: _by_letters(
        c, r, lambda one, other: (abs(len(one.split()) - len(other.split())), len(other))
    ),
}
_MAKING = {
    "c and r are swapped in the power": _by(
        make=_safe(lambda c, r: np.exp(1 - c / r) if c < r else 1.0)
    ),
    "it is c / r, not a power of e": _by(make=_safe(lambda c, r: min(1, c / r))),
    "the 1 in the power is missing": _by(make=_safe(lambda c, r: np.exp(-r / c))),
    "its sign in the power is wrong": _by(make=_safe(lambda c, r: np.exp(r / c - 1))),
    "it is the power itself, without e": _by(make=_safe(lambda c, r: 1 - r / c)),
    "the difference of r and c is not divided by c": _by(make=_safe(lambda c, r: np.exp(c - r))),
    "the difference of r and c is divided by r": _by(make=_safe(lambda c, r: np.exp(c / r - 1))),
    "it is a power of 10, not of e": _by(make=_safe(lambda c, r: 10 ** (1 - r / c))),
    "it is 1 although c is less than r": _by(make=lambda c, r: float(c > 0)),
    "letters are counted: c and r count words": _by(size=len),
    "blanks are counted: of words there is one more": _by(size=lambda each: each.count(" ")),
}
_LONG = {
    "where c is more than r it is above 1": _by(make=_safe(lambda c, r: np.exp(1 - r / c))),
    "it is less than 1 where c is more than r, the other way round": _by(
        make=_safe(lambda c, r: np.exp(1 - r / c) if c <= r else np.exp(1 - c / r))
    ),
    "it is 0 where c is at least r": _by(make=lambda c, r: penalty(c, r) if c < r else 0.0),
    "it is 0 where c equals r": _by(make=lambda c, r: penalty(c, r) if c != r else 0.0),
}
_SUMMING = {
    "it is the mean of the penalties of single captions: sum c and r first": _each(np.mean),
    "it is the product of the penalties of single captions: sum c and r first": _each(np.prod),
    "it is the least of the penalties of single captions: sum c and r first": _each(min),
    "a caption longer than its reference does not make up for another: it does": _at_most,
    "only the last caption counts: `+=`, not `=`": lambda c, r: penalty(*lengths(c[-1:], r[-1:])),
    "only the first caption counts: is the `return` within the loop?": (
        lambda c, r: penalty(*lengths(c[:1], r[:1]))
    ),
    "r is the closest of the references of all captions: each has its own": (
        lambda c, r: penalty(*lengths(c, [[each for several in r for each in several]] * len(c)))
    ),
    "the closest reference is the closest to c so far: it is that to the caption's own length": (
        lambda c, r: penalty(*_to_the_sum(c, r))
    ),
}
_NOTHING = {
    "it is 1 where there is no word at all": _by(make=lambda c, r: penalty(c, r) if c else 1.0),
    "''.split(' ') makes one word of an empty caption: it has none": _by(
        size=lambda caption: len(caption.split(" "))
    ),
    "captions without a word are left out: their references count": (
        lambda c, r: penalty(*_without_empty(c, r))
    ),
    "it is 0 as soon as one caption has no word: sum the words first": (
        lambda c, r: 0.0 if "" in c else penalty(*lengths(c, r))
    ),
}


def _to_the_sum(candidates: list[str], references: list[list[str]]) -> tuple[int, int]:
    c = r = 0
    for candidate, several in zip(candidates, references, strict=True):
        c += len(candidate.split())
        r += _closest(c, [len(reference.split()) for reference in several])
    return c, r


def _without_empty(candidates: list[str], references: list[list[str]]) -> tuple[float, float]:
    kept = [pair for pair in zip(candidates, references, strict=True) if pair[0]]
    return lengths(*map(list, zip(*kept, strict=True))) if kept else (0.0, 0.0)


def _others(which: Mapping[str, Callable]) -> Callable[[Many], Others]:
    return lambda many: {words: values(many, of) for words, of in which.items()}


# ------------------------------------------------------------------------------- what is asked


def _judge(subject: Subject, many: Many, first: Mapping[str, Callable]) -> np.ndarray:
    """Fail where a penalty is wrong, with the words of a look-alike, of `first` rather."""
    found = scores(subject, many, _NAME)
    which = first | _CHOOSING | _TIES | _MAKING | _LONG | _SUMMING | _NOTHING
    require(found, _right(many), lambda: _others(which)(many), _NAME, first)
    return found


def _by_hand(subject: Subject, rng: Random) -> None:
    both = [*QUIZNOS[0], "A man is holding a sign ."]
    _judge(subject, [QUIZNOS, (both, [QUIZNOS[1][0], [QUIZNOS[1][0][1]]])], {})


def _drawn(draw: Draw, telltale: Mapping[str, Callable]) -> Run:
    """Return a case: corpora in which none of these look-alikes is right."""

    def run(subject: Subject, rng: Random) -> None:
        _judge(subject, telling(rng, draw, _right, _others(telltale)), telltale)

    return run


def _corpus(rng: Random, c: Sequence[int], r: Sequence[Sequence[int]]) -> tuple:
    """Draw captions of c words, and references of r words each, in any order."""
    known = draw_words(rng, 20)

    def caption(count: int) -> str:
        return " ".join(rng.choice(known, count).tolist())

    order = rng.permutation(len(c)).tolist()
    references = [[caption(n) for n in rng.permutation(r[i]).tolist()] for i in order]
    return [caption(c[i]) for i in order], references


def _one_reference(rng: Random) -> Many:
    """Captions that are too short, each with one reference."""
    short = rng.randint(2, 8, 4)
    return [_corpus(rng, [int(c)], [[int(c + rng.randint(1, 5))]]) for c in short]


def _several(rng: Random, count: int = 4) -> Many:
    """A caption that is too short by 1 or 2 words, and references further off."""
    many = []
    for _ in range(count):
        c, off = int(rng.randint(4, 9)), int(rng.randint(1, 3))
        further = [c + off + 1 + int(rng.randint(0, 4)), c - off - 1, c + off + 6]
        many.append(_corpus(rng, [c], [[c + off, *further[: rng.randint(2, 4)]]]))
    return many


def _equally_close(rng: Random) -> Many:
    """The shorter of two equally close ones is too short for a penalty: another caption has one."""
    many = []
    for _ in range(4):
        c, off, other = int(rng.randint(5, 9)), int(rng.randint(1, 4)), int(rng.randint(3, 7))
        ties = [c - off, c + off, *([c + off + 3] if rng.rand() < 0.5 else [])]
        many.append(_corpus(rng, [c, other], [ties, [other + 4 + off]]))
    return [*map(partial(_spelt, rng), many[:2]), *many[2:]]


def _spelt(rng: Random, corpus: tuple) -> tuple:
    """The same numbers of words, long ones where a caption has fewest: so letters mislead."""
    candidates, references = corpus
    spelt = []
    for several in references:
        counts = [len(reference.split()) for reference in several]
        pools = [_LONG_WORDS if n == min(counts) else _SHORT_WORDS for n in counts]
        spelt.append(
            [" ".join(rng.choice(p, n).tolist()) for p, n in zip(pools, counts, strict=True)]
        )
    return candidates, spelt


def _corpora(rng: Random) -> Many:
    """Some captions are too short, some are longer than their references; c is less than r."""
    many = []
    for size in (3, 4, 2):
        c = [3 + 2 * i + int(rng.randint(2)) for i in range(size)]
        far = [[n + 5 + int(rng.randint(3)), n + 14] for n in c[:-1]]
        many.append(_corpus(rng, c, [*far, [c[-1] - 1, c[-1] - 3, c[-1] + 5]]))
    return many


def _long_enough(rng: Random) -> Many:
    """c equals r, and is more: of one caption, and of two of which one is too short."""
    c, off = (int(n) for n in rng.randint([5, 1], [9, 4]))
    return [
        _corpus(rng, [c], [[c, c + 2, c - 3]]),
        _corpus(rng, [c], [[c - off]]),
        _corpus(rng, [c, c + 2], [[c + off], [c + 2 - off]]),
        _corpus(rng, [c, c + 2], [[c + off], [c + 1 - off]]),
    ]


def _empty(rng: Random) -> Many:
    """The last has words: so a mistake of another kind is not taken for one of this kind."""
    c = int(rng.randint(4, 9))
    return [
        _corpus(rng, [0], [[c, c + 2]]),
        _corpus(rng, [0, c], [[c - 1, c + 1], [c]]),
        _corpus(rng, [0, 0], [[c], [c + 2, 1]]),
        _corpus(rng, [1, 0, c], [[2], [3, 1], [c - 1]]),
        _corpus(rng, [c], [[c + 2, c + 4]]),
    ]


def _reordered(subject: Subject, rng: Random) -> None:
    many = [pair for corpus in _corpora(rng) for pair in (corpus, reordered(rng, corpus))]
    ties = [pair for corpus in _equally_close(rng) for pair in (corpus, reordered(rng, corpus))]
    found = scores(subject, many + ties, _NAME)
    if not np.allclose(found[::2], found[1::2], rtol=0, atol=1e-12):
        raise Wrong("the same captions and references in another order give another penalty")
    _judge(subject, many, {})


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second, *_ = _corpora(rng)
    many = [first, second, first]
    for outcome in subject.calls(many):
        unchanged(outcome, "candidates, references", COPY)
    found = scores(subject, many, _NAME)
    if found[0] != found[2]:
        raise Wrong("the same captions give another penalty the second time: start from 0")
    _judge(subject, many, {})


BREVITY_PENALTY = Exercise(
    "brevity_penalty",
    points=2,
    referee=lambda: "the lengths that cs_caption.metrics.bleu finds",
    banned=("cs_caption.metrics", "cs_caption.decoding"),
    cases=(
        Case("the lecture's Quiznos worker", 1, _by_hand, drawn=False),
        Case("captions that are too short, one reference", 2, _drawn(_one_reference, _MAKING)),
        Case("several references: the closest one", 2, _drawn(_several, _CHOOSING | _MAKING)),
        Case("two references equally close: the shorter one", 2, _drawn(_equally_close, _TIES)),
        Case("several captions: c and r are sums", 2, _drawn(_corpora, _SUMMING)),
        Case("captions that are long enough", 1, _drawn(_long_enough, _LONG)),
        Case("captions without a word", 1, _drawn(_empty, _NOTHING)),
        Case("captions and references in another order: the same penalty", 1, _reordered),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
