"""The check of rouge_l: the definition, by another way to the longest common subsequence."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.captions import (
    Many,
    Others,
    draw_item,
    draw_words,
    require,
    scores,
    telling,
    values,
)
from cs_caption.checks.n05_beam_and_metrics.precision import COPY, NEARLY
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import unchanged

Random = np.random.RandomState
Draw = Callable[[Random], Many]
Words = Sequence[str]
Length = Callable[[Words, Words], float]

_NAME = "the score"
_NAN = ": 0 / 0? Ask first whether a word is common"
_POLICE = "police killed the gunman"  # Lin 2004, section 3.1
_SHORT = 8  # words
_HAND = ("the gunman kill police", "police kill the gunman")


# ------------------------------------------------------------------------- what is right, and not


def longest_common(said: Words, words: Words) -> int:
    """Return how many words the longest common subsequence has.

    Source: Hunt and Szymanski 1977. ends[k] is where, in words, the earliest end of one of k + 1
    words is.
    """
    places: dict[str, list[int]] = {}
    for at in range(len(words) - 1, -1, -1):
        places.setdefault(words[at], []).append(at)
    ends: list[int] = []
    for word in said:
        for at in places.get(word, ()):
            k = bisect_left(ends, at)
            ends[k : k + 1] = [at]
    return len(ends)


def _joined(P: float, R: float, beta: float) -> float:
    return (1 + beta**2) * P * R / (R + beta**2 * P) if P * R > 0 else 0.0


def _largest(P: np.ndarray, R: np.ndarray, beta: float) -> float:
    return _joined(P.max(), R.max(), beta)


def _by(
    common: Length = longest_common,
    join: Callable[[np.ndarray, np.ndarray, float], float] = _largest,
    beta_of: Callable[[float], float] = float,
    split: Callable[[str], Words] = str.split,
) -> Callable[..., float]:
    """Return a function that scores as rouge_l does, but for what is given.

    join: of P and R, one of each for every reference (M,), and beta.
    """

    def of(candidate: str, references: list[str], beta: float = 1.2) -> float:
        said = split(candidate)
        pairs = []
        for words in map(split, references):
            L = common(said, words)
            pairs.append((L / max(len(said), 1), L / max(len(words), 1)))
        P, R = np.array(pairs).T
        return float(join(P, R, beta_of(beta)))

    return of


rouge = _by()


def _right(many: Many) -> np.ndarray:
    return values(many, rouge)


def _run(said: Words, words: Words) -> int:
    """The longest run of words without a gap that both have."""
    best, before = 0, [0] * (len(words) + 1)
    for one in said:
        now = [0, *(before[j] + 1 if one == other else 0 for j, other in enumerate(words))]
        best, before = max(best, *now), now
    return best


def _greedy(said: Words, words: Words) -> int:
    """Each word, from the left, takes the first place that is left."""
    found = at = 0
    for word in said:
        if word in words[at:]:
            at = [*words].index(word, at) + 1
            found += 1
    return found


def _prefix(said: Words, words: Words) -> int:
    same = [a == b for a, b in zip(said, words, strict=False)]
    return (*same, False).index(False)


def _at_the_same_place(said: Words, words: Words) -> int:
    return sum(a == b for a, b in zip(said, words, strict=False))


def _repeating(said: Words, words: Words) -> int:
    """A word of the reference may be used again: table[i, j - 1] + 1."""
    before = [0] * (len(words) + 1)
    for one in said:
        now = [0]
        for j, other in enumerate(words):
            now.append(now[j] + 1 if one == other else max(before[j + 1], now[j]))
        before = now
    return before[-1]


def _waiting(said: Words, words: Words) -> int:
    found = 0
    for word in words:
        found += found < len(said) and said[found] == word
    return found


def _one_sided(said: Words, words: Words) -> int:
    """Where two words differ only a word of `said` is left out: table[i - 1, j]."""
    row = [0] * (len(words) + 1)
    for one in said:
        same = [row[j] + 1 if one == other else row[j + 1] for j, other in enumerate(words)]
        row = [0, *same]
    return row[-1]


def _diagonal(said: Words, words: Words) -> int:
    """Where two words differ one of each is left out: table[i - 1, j - 1]."""
    row = [0] * (len(words) + 1)
    for one in said:
        row = [0, *(row[j] + (one == other) for j, other in enumerate(words))]
    return row[-1]


def _wrapping(said: Words, words: Words) -> int:
    """No row and no column of zeros come first: index -1 is the last."""
    if not said or not words:
        return 0
    table = np.zeros((len(said), len(words)), int)
    for i, one in enumerate(said):
        for j, other in enumerate(words):
            same = table[i - 1, j - 1] + 1
            table[i, j] = same if one == other else max(table[i - 1, j], table[i, j - 1])
    return int(table[-1, -1])


def _each(pick: Callable[[np.ndarray], float]) -> Callable[..., float]:
    """Of the scores of single references, one."""
    return lambda P, R, beta: float(
        pick(np.array([_joined(p, r, beta) for p, r in zip(P, R, strict=True)]))
    )


_JOINING = {
    "P and R are swapped: P is L over the candidate's length": _by(
        join=lambda P, R, beta: _joined(R.max(), P.max(), beta)
    ),
    "beta is to be squared": _by(beta_of=lambda beta: beta**0.5),
    "beta is squared twice": _by(beta_of=lambda beta: beta**2),
    "beta is ignored: P and R count alike": _by(beta_of=lambda beta: 1.0),
    "beta stands with R in the lower line: it stands with P": _by(
        join=lambda P, R, beta: _share((1 + beta**2) * P.max() * R.max(), P, R, beta**2, 1)
    ),
    "beta is squared in the upper line alone": _by(
        join=lambda P, R, beta: _share((1 + beta**2) * P.max() * R.max(), P, R, 1, beta)
    ),
    "1 + beta^2 in the upper line is missing": _by(
        join=lambda P, R, beta: _joined(P.max(), R.max(), beta) / (1 + beta**2)
    ),
    "it is P alone": _by(join=lambda P, R, beta: P.max()),
    "it is R alone": _by(join=lambda P, R, beta: R.max()),
    "it is the mean of P and R": _by(join=lambda P, R, beta: (P.max() + R.max()) / 2),
    "it is the product of P and R": _by(join=lambda P, R, beta: P.max() * R.max()),
}
_DEFAULTS = {
    "beta is 1.2 whatever is given": _by(beta_of=lambda beta: 1.2),
    "with beta=1.2 it is right, where none is given it is not: 1.2 is the default": (
        lambda candidate, references, beta=1.0: rouge(candidate, references, beta)
    ),
}
_COMMON = {
    "gaps are allowed: here L is the longest run without one": _by(_run),
    "the order of words counts: here L is how many words are common": _by(
        lambda said, words: (Counter(said) & Counter(words)).total()
    ),
    "the order of words counts: here L is how many different words are common (a set?)": _by(
        lambda said, words: len({*said} & {*words})
    ),
    "the order of words counts: here L is how many words of the candidate are in the reference": (
        _by(lambda said, words: sum(word in words for word in said))
    ),
    "each word of the candidate takes the first place that is left: another may leave room for "
    "more": _by(_greedy),
    "each word of the reference takes the first place that is left: another may leave room for "
    "more": _by(lambda said, words: _greedy(words, said)),
    "a word of the reference is used twice: after a common word go on with the next of both": _by(
        _repeating
    ),
    "a word of the candidate is used twice: after a common word go on with the next of both": _by(
        lambda said, words: _repeating(words, said)
    ),
    "it stops at the first word that differs": _by(_prefix),
    "it waits for one word of the candidate until that comes: it may never come": _by(_waiting),
    "it waits for one word of the reference until that comes: it may never come": _by(
        lambda said, words: _waiting(words, said)
    ),
    "words of the candidate are left out, those of the reference are not: both have gaps": _by(
        _one_sided
    ),
    "words of the reference are left out, those of the candidate are not: both have gaps": _by(
        lambda said, words: _one_sided(words, said)
    ),
    "only words at the same place are compared": _by(_at_the_same_place),
    "where two words differ, one of both is left out: only one of either, whichever leaves more "
    "(the larger of table[i - 1, j] and table[i, j - 1])": _by(_diagonal),
    "table[i - 1, j - 1] of the first words, at index -1, is the last of the table: let it begin "
    "with a row and a column of zeros": _by(_wrapping),
    "the last word of both is left out": _by(lambda a, b: longest_common(a[:-1], b[:-1])),
    "the first word of both is left out": _by(lambda a, b: longest_common(a[1:], b[1:])),
    "letters are compared: split the captions at their blanks": _by(split=list),
}
_MANY = {
    "P and R are of the one reference with the best score: each is the largest on its own": _by(
        join=_each(np.max)
    ),
    "it is the mean of the scores of single references": _by(join=_each(np.mean)),
    "P and R are means over the references: they are the largest": _by(
        join=lambda P, R, beta: _joined(P.mean(), R.mean(), beta)
    ),
    "P and R are the smallest of the references: they are the largest": _by(
        join=lambda P, R, beta: _joined(P.min(), R.min(), beta)
    ),
    "only the first reference is looked at": _by(join=lambda P, R, beta: _joined(P[0], R[0], beta)),
    "only the last reference is looked at": _by(
        join=lambda P, R, beta: _joined(P[-1], R[-1], beta)
    ),
    "R is that of the reference with the largest P: each is the largest on its own": _by(
        join=lambda P, R, beta: _joined(P.max(), R[P.argmax()], beta)
    ),
    "P is that of the reference with the largest R: each is the largest on its own": _by(
        join=lambda P, R, beta: _joined(P[R.argmax()], R.max(), beta)
    ),
    "the references are joined to one text: take each by itself": (
        lambda candidate, references, beta=1.2: rouge(candidate, [" ".join(references)], beta)
    ),
}


def _share(upper: float, P: np.ndarray, R: np.ndarray, of_r: float, of_p: float) -> float:
    lower = of_r * R.max() + of_p * P.max()
    return upper / lower if lower else 0.0


def _blanks(candidate: str, references: list[str], beta: float = 1.2) -> float:
    """Empty captions have one word, an empty one."""
    return _by(split=lambda caption: caption.split(" "))(candidate, references, beta)


_NOTHING = {
    "''.split(' ') makes one word of an empty caption: it has none": _blanks,
    "it is 1 where no word is common": lambda *args: rouge(*args) or 1.0,
}


def _others(which: Mapping[str, Callable]) -> Callable[[Many], Others]:
    return lambda many: {words: values(many, of) for words, of in which.items()}


# ------------------------------------------------------------------------------- what is asked


def _judge(subject: Subject, many: Many, first: Mapping[str, Callable]) -> None:
    """Fail where a score is wrong, with the words of a look-alike, of `first` rather."""
    found = scores(subject, many, _NAME, _NAN)
    which = first | _JOINING | _COMMON | _MANY | _DEFAULTS | _NOTHING
    require(found, _right(many), lambda: _others(which)(many), _NAME, first)


def _by_hand(subject: Subject, rng: Random) -> None:
    """Of the same length, so that P equals R and beta does not count."""
    _judge(subject, [(candidate, [_POLICE]) for candidate in _HAND], _COMMON)


def _drawn(draw: Draw, telltale: Mapping[str, Callable]) -> Run:
    """Return a case: captions for which none of these look-alikes is right."""

    def run(subject: Subject, rng: Random) -> None:
        _judge(subject, telling(rng, draw, _right, _others(telltale)), telltale)

    return run


def _of_lengths(rng: Random, said: int, words: int) -> tuple[str, list[str]]:
    """A caption and a reference of so many words, cut out of the same longer sentence."""
    sentence = rng.choice(draw_words(rng, 12), max(said, words) + 2).tolist()
    cut = [
        " ".join(sentence[i] for i in sorted(rng.permutation(len(sentence))[:count]))
        for count in (said, words)
    ]
    return cut[0], cut[1:]


def _one_reference(rng: Random) -> Many:
    """The candidate is shorter, and longer; beta is the default."""
    sizes = [(4, 7), (8, 5), (3, 9), (9, 4)]
    return [_of_lengths(rng, *sizes[i]) for i in rng.permutation(4)]


def _weighed(rng: Random) -> Many:
    """Other beta, a whole number too."""
    betas = [0.5, 2, float(rng.uniform(1.5, 4)), 1.2, 8.0]
    many = [(*_of_lengths(rng, 4 + i, 9 - i), beta) for i, beta in enumerate(betas)]
    return [*many, many[0][:2]]


def _subsequences(rng: Random) -> Many:
    """Words that come several times, in another order, with gaps; P and R count alike."""
    many = []
    for size in (6, 8, 9, 7):
        words = draw_words(rng, 9)[: 4 + int(rng.randint(2))]
        candidate, reference = (
            " ".join(rng.choice(words, count).tolist()) for count in (size, size + rng.randint(3))
        )
        many.append((candidate, [reference], 1.0))
    return many


def _short_item(rng: Random, references: int) -> tuple[str, list[str]]:
    """So short that a search through all ways, without a table, comes to an end."""
    while True:
        candidate, several = draw_item(rng, references, sizes=(5, 7))
        if max(len(caption.split()) for caption in (candidate, *several)) <= _SHORT:
            return candidate, several


def _several(rng: Random) -> Many:
    """A short reference for R, a long one for P."""
    many = []
    for count in (2, 3, 4):
        candidate, references = _short_item(rng, count)
        said = candidate.split()
        references[0] = " ".join(said[1:3])
        references[-1] += " " + " ".join(draw_words(rng, 30)[-3:])
        many.append((candidate, rng.permutation(references).tolist()))
    return many


def _nothing(rng: Random) -> Many:
    """No common word; no word in the candidate, in one of the references, in all."""
    words = draw_words(rng, 16)
    here, there = " ".join(words[:6]), " ".join(words[8:13])
    many = [(here, [there]), (here, [there, " ".join(words[13:])], 2.0), ("", [here, there])]
    return [*many, (here, ["", " ".join(words[2:9])]), ("", [""]), (here, [""]), (words[0], [here])]


def _long(rng: Random) -> Many:
    """A single word each, the same or another; and thirty words against a few.

    Of two long captions a search without a table would not come to an end.
    """
    words = draw_words(rng, 12)
    one, other = words[4:6]
    long = [" ".join(rng.choice(words, count).tolist()) for count in (31, 27, 35)]
    said = long[0].split()
    short = [f"{said[3]} {said[20]}", f"{said[1]} {said[9]} zebra {said[25]}"]  # for R, and for P
    many = [(one, [one]), (one, [other, f"{other} {one}"]), (one, long)]
    return [*many, (long[0], short), (short[0], long[1:])]


def _as_they_stand(rng: Random) -> Many:
    """Words that are nearly others: capitals, points, hyphens, parts."""
    candidate, references = _short_item(rng, 2)
    return [
        (f"{one} {candidate}", [f"{other} {each}" for each in references])
        for one, other in rng.permutation(NEARLY).tolist()
    ]


_STAND = {
    "capitals are made small: take each word as it stands": _by(
        split=lambda caption: caption.lower().split()
    ),
    "points and hyphens are taken away: take each word as it stands": _by(
        split=lambda caption: re.findall(r"\w+", caption)
    ),
    "points at the ends of words are cut off: take each word as it stands": _by(
        split=lambda caption: [word.strip(".") for word in caption.split()]
    ),
    "a word that stands within another is taken for it": _by(
        lambda said, words: _within(said, words)
    ),
}


def _within(said: Words, words: Words) -> int:
    """Words count as equal where one is a part of the other."""
    before = [0] * (len(words) + 1)
    for one in said:
        now = [0]
        for j, other in enumerate(words):
            same = one in other or other in one
            now.append(before[j] + 1 if same else max(before[j + 1], now[j]))
        before = now
    return before[-1]


def _reordered(subject: Subject, rng: Random) -> None:
    many = _several(rng)
    turned = [(candidate, several[1:] + several[:1]) for candidate, several in many]
    found = scores(subject, many + turned, _NAME, _NAN)
    if not np.allclose(found[: len(many)], found[len(many) :], rtol=0, atol=1e-12):
        raise Wrong("the same references in another order give another score")
    _judge(subject, many, {})


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second, *_ = _several(rng)
    many = [first, second, first]
    for outcome in subject.calls(many):
        unchanged(outcome, "candidate, references", COPY)
    found = scores(subject, many, _NAME, _NAN)
    if found[0] != found[2]:
        raise Wrong("the same captions give another score the second time: start afresh")
    _judge(subject, many, {})


_GAPS = {words: _COMMON[words] for words in _COMMON if not words.startswith("letters")}

ROUGE_L = Exercise(
    "rouge_l",
    points=2,
    referee=lambda: "the definition, by another way to the longest common subsequence",
    banned=("cs_caption.metrics", "cs_caption.decoding"),
    cases=(
        Case('"police killed the gunman", kept in order and not', 1, _by_hand, drawn=False),
        Case("L: gaps, another order, words that come twice", 3, _drawn(_subsequences, _GAPS)),
        Case("one reference, shorter or longer", 2, _drawn(_one_reference, _JOINING)),
        Case("other beta, and none given", 1, _drawn(_weighed, _JOINING | _DEFAULTS)),
        Case("several references: P and R from different ones", 3, _drawn(_several, _MANY)),
        Case("no common word, no word at all", 1, _drawn(_nothing, _NOTHING)),
        Case("one word, and thirty", 1, _drawn(_long, _MANY)),
        Case("words as they stand: capitals, points, parts", 1, _drawn(_as_they_stand, _STAND)),
        Case("references in another order: the same score", 1, _reordered),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
