"""The check of clipped_precision: the counts that the package's own bleu is made of decide."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import starmap
from types import MappingProxyType
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.captions import (
    Many,
    Others,
    draw_corpus,
    reordered,
    require,
    telling,
    values,
)
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import describe, entries, unchanged
from cs_caption.metrics.bleu import bleu_rows

Random = np.random.RandomState
Cut = Callable[[Sequence[str], int], list]
Judge = Callable[[np.ndarray, Many], None]

NAMES = "matched, guessed"
MATCHED, GUESSED = 0, 1
COPY = "work on lists of your own"
_CATS = ["the cat is on the mat", "there is a cat on the mat"]
_STOPS = ["the cat is on the mat .", "there is a cat on the mat ."]
# Said together the two words are one, but no n-gram of one stands in the other.
_JOINTS = (("be", "gone", "beg", "one"), ("now", "here", "no", "where"))
NEARLY = (
    *(("pin", "spin"), ("art", "part"), ("low", "yellow")),
    *(("bus", "Bus"), ("boat", "boat."), ("shirt", "T-shirt")),
)


# ----------------------------------------------------------------------------- what is counted


def counted(candidates: list[str], references: list[list[str]], n: int) -> tuple[int, int]:
    """Return how many n-grams count, and how many there are."""
    rows = bleu_rows(candidates, references, n).sum(0)
    return int(rows[n - 1]), int(rows[2 * n - 1])


def _right(many: Many) -> np.ndarray:
    return values(many, counted)


def _windows(words: Sequence[str], n: int) -> list[tuple]:
    return [*zip(*(words[first:] for first in range(n)), strict=False)]


def _most(several: list[Counter]) -> Counter:
    return Counter({gram: max(c[gram] for c in several) for c in several for gram in c})


def _tally(
    cut: Cut = _windows,
    allow: Callable[[list[Counter]], Mapping] = _most,
    split: Callable[[str], Sequence[str]] = str.split,
    once: bool = False,
) -> Callable[..., tuple[float, float]]:
    """Return a function that counts as clipped_precision does, but for what is given."""

    def count(candidates: list[str], references: list[list[str]], n: int) -> tuple[float, float]:
        matched = guessed = 0
        for candidate, several in zip(candidates, references, strict=True):
            said = Counter(cut(split(candidate), n))
            if once:
                said = Counter(dict.fromkeys(said, 1))
            most = allow([Counter(cut(split(reference), n)) for reference in several])
            matched += sum(min(times, most.get(gram, 0)) for gram, times in said.items())
            guessed += sum(said.values())
        return matched, guessed

    return count


def _best_sum(candidates: list[str], references: list[list[str]], n: int) -> tuple[int, int]:
    """Of each caption the matches with the one reference that has the most of them."""
    pairs = [
        max(counted([candidate], [[reference]], n) for reference in several)
        for candidate, several in zip(candidates, references, strict=True)
    ]
    return sum(matched for matched, _ in pairs), sum(guessed for _, guessed in pairs)


def _up_to(candidates: list[str], references: list[list[str]], n: int) -> tuple[int, int]:
    pairs = [counted(candidates, references, order) for order in range(1, n + 1)]
    return sum(matched for matched, _ in pairs), sum(guessed for _, guessed in pairs)


unclipped = _tally(allow=lambda several: {gram: 10**6 for c in several for gram in c})

_CLIPPING = {
    "an n-gram counts each time that the caption has it, if a reference has it at all (not "
    "clipped)": unclipped,
    "what the references have is added up: the one that has the n-gram most often decides": (
        _tally(allow=lambda several: sum(several, Counter()))
    ),
    "only the first reference is looked at": _tally(allow=lambda several: several[0]),
    "only the last reference is looked at": _tally(allow=lambda several: several[-1]),
    "the reference that has the n-gram least often decides: it is the one that has it most "
    "often": _tally(allow=lambda several: {g: min(c[g] for c in several) for g in several[0]}),
    "an n-gram counts at most once: it counts as often as a reference has it": _tally(
        allow=lambda several: {gram: 1 for c in several for gram in c}
    ),
    "the one reference with the most matches in all decides: look for the largest count of each "
    "n-gram by itself": _best_sum,
}
_CUTTING = {
    "the last n-gram of each caption is missing": _tally(lambda w, n: _windows(w, n)[:-1]),
    "the first n-gram of each caption is missing": _tally(lambda w, n: _windows(w, n)[1:]),
    "what is left at the end of a caption, fewer than n words, counts too": _tally(
        lambda w, n: [tuple(w[i : i + n]) for i in range(len(w))]
    ),
    "it is that of n + 1": _tally(lambda w, n: _windows(w, n + 1)),
    "n-grams of letters are counted: split each caption at its blanks": _tally(split=list),
}
_LONGER = {
    "the n-grams of all orders up to n are summed: only those of n words count": _up_to,
    "it is that of n - 1": _tally(lambda w, n: _windows(w, n - 1)),
    "n is ignored: single words are counted": _tally(lambda w, n: _windows(w, 1)),
    "n-grams overlap: the next one begins one word later, not n": _tally(
        lambda w, n: _windows(w, n)[::n]
    ),
}
_ORDERLESS = {
    "the order of the words within an n-gram counts too": _tally(
        lambda w, n: [tuple(sorted(gram)) for gram in _windows(w, n)]
    ),
}
_ONCE = {
    "an n-gram that the caption has several times counts once (a set?)": _tally(once=True),
}


def _together(candidates: list[str], references: list[list[str]], n: int) -> tuple[int, int]:
    """All captions thrown together before anything is clipped."""
    said, most = Counter(), Counter()
    for candidate, several in zip(candidates, references, strict=True):
        said.update(_windows(candidate.split(), n))
        most.update(_most([Counter(_windows(r.split(), n)) for r in several]))
    return sum(min(times, most[gram]) for gram, times in said.items()), said.total()


def _of_all(candidates: list[str], references: list[list[str]], n: int) -> tuple[int, int]:
    """Each caption against the references of all."""
    everything = [reference for several in references for reference in several]
    return counted(candidates, [everything] * len(candidates), n)


def _joined(candidates: list[str], references: list[list[str]], n: int) -> tuple[int, int]:
    guessed = len(_windows(" ".join(candidates).split(), n))
    return counted(candidates, references, n)[0], guessed


_SUMMING = {
    "only the last caption counts: `+=`, not `=`": lambda c, r, n: counted(c[-1:], r[-1:], n),
    "only the first caption counts: is the `return` within the loop?": (
        lambda c, r, n: counted(c[:1], r[:1], n)
    ),
    "it is the mean of the captions: it is their sum": (
        lambda c, r, n: tuple(np.array(counted(c, r, n)) / len(c))
    ),
}
_SUMMING_MATCHED = {
    "an n-gram counts if a reference of any caption has it: each caption has its own": _of_all,
    "all captions are thrown together: clip those of each caption by themselves": _together,
}
_SUMMING_GUESSED = {
    "the end of one caption and the beginning of the next make n-grams too: take each caption by "
    "itself": _joined,
}
_ONE_LESS = {
    "T words have T - n + 1 n-grams: here it is one less, that of each caption's last or first "
    "words is missing": _tally(lambda w, n: _windows(w, n)[1:]),
}
_GUESSED = {
    "n-grams of letters are counted: split each caption at its blanks": _tally(split=list),
    **_ONE_LESS,
    **_ONCE,
    "it is the number of n-grams in the references: it is that in the candidates": (
        lambda c, r, n: (0, sum(len(_windows(x.split(), n)) for several in r for x in several))
    ),
    "it is the number of n-grams that count": lambda c, r, n: (0, counted(c, r, n)[0]),
    "it is the number of different n-grams of all captions": (
        lambda c, r, n: (0, len({g for each in c for g in _windows(each.split(), n)}))
    ),
}
_GUESSED_LONGER = {
    **{words: of for words, of in _LONGER.items() if "ignored" not in words},
    "it is the number of words: of n-grams there are fewer": (
        lambda c, r, n: (0, sum(len(each.split()) for each in c))
    ),
}
_NEGATIVE = {
    "a caption of fewer than n words has no n-gram: T - n + 1 is negative there": (
        lambda c, r, n: (0, sum(len(each.split()) - n + 1 for each in c))
    ),
    "''.split(' ') makes one word of an empty caption: it has none": _tally(
        split=lambda caption: caption.split(" ")
    ),
}
_NEARLY_EQUAL = {
    "capitals are made small: take each word as it stands": _tally(
        split=lambda c: c.lower().split()
    ),
    "points and hyphens are taken away: take each word as it stands": _tally(
        split=lambda caption: re.findall(r"\w+", caption)
    ),
    "points at the ends of words are cut off: take each word as it stands": _tally(
        split=lambda caption: [word.strip(".") for word in caption.split()]
    ),
    "n-grams are searched for in the text of a reference: they are found within other words too": (
        lambda c, r, n: (sum(starmap(partial(_in_text, n), zip(c, r, strict=True))), 0)
    ),
    "words that are joined without a blank can be the same as others": _tally(
        lambda w, n: ["".join(gram) for gram in _windows(w, n)]
    ),
}


def _in_text(n: int, candidate: str, several: list[str]) -> int:
    said = Counter(map(" ".join, _windows(candidate.split(), n)))
    return sum(min(k, max(text.count(gram) for text in several)) for gram, k in said.items())


def _others(which: Mapping[str, Callable], column: int) -> Callable[[Many], Others]:
    return lambda many: {words: values(many, of)[:, column] for words, of in which.items()}


# ------------------------------------------------------------------------------- what is asked


def _asked(subject: Subject, many: Many) -> np.ndarray:
    """Return (K, 2), matched and guessed of each call."""
    found = np.array([_pair(outcome.value) for outcome in subject.calls(many)], dtype=np.float64)
    right = _right(many)
    if not np.array_equal(found, right) and np.array_equal(found[:, ::-1], right):
        raise Wrong(f"the results are in another order: it is {NAMES}")
    return found


def _pair(value: Any) -> tuple[int, int]:
    pair = entries(value, NAMES)
    for name, count in zip(NAMES.split(", "), pair, strict=True):
        if type(count) is not int and not isinstance(count, np.integer):
            what = "a float" if type(count) in (float, np.float64) else describe(count)
            raise Wrong(f"{name} is {what}: expected a whole number, a count")
    return pair


def _judge_matched(
    found: np.ndarray, many: Many, first: Mapping[str, Callable] = MappingProxyType({})
) -> None:
    which = _CLIPPING | _CUTTING | _LONGER | _ORDERLESS | _SUMMING | _SUMMING_MATCHED
    _judge(found, many, MATCHED, which, first)


def _judge_guessed(
    found: np.ndarray, many: Many, first: Mapping[str, Callable] = MappingProxyType({})
) -> None:
    which = _GUESSED | _GUESSED_LONGER | _NEGATIVE | _SUMMING | _SUMMING_GUESSED
    _judge(found, many, GUESSED, which, first)


def _judge(
    found: np.ndarray,
    many: Many,
    column: int,
    which: Mapping[str, Callable],
    first: Mapping[str, Callable],
) -> None:
    """Fail where a count is wrong, with the words of a look-alike, of `first` rather."""
    which = {**first, **which, "it is 0 everywhere": lambda c, r, n: (0, 0)}
    name, others = NAMES.split(", ")[column], _others(which, column)
    require(found[:, column], _right(many)[:, column], lambda: others(many), name, first)


def _both(found: np.ndarray, many: Many) -> None:
    _judge_matched(found, many)
    _judge_guessed(found, many)


def _by_hand(subject: Subject, rng: Random) -> None:
    many = [
        (["the the the the the the the"], [_CATS], 1),
        (["the the the the the the"], [_CATS], 1),
        (["the the the the the the ."], [_STOPS], 1),
    ]
    found = _asked(subject, many)
    _judge(found, many, MATCHED, {words: _CLIPPING[words] for words in [*_CLIPPING][:2]}, {})
    _judge(found, many, GUESSED, _ONCE | _ONE_LESS, {})


def _drawn(
    judge: Judge,
    column: int,
    telltale: Mapping[str, Callable],
    orders: Sequence[int],
    sizes: Sequence[Sequence[int]],
) -> Run:
    """Return a case: of each order, corpora with these numbers of references."""

    def draw(rng: Random) -> Many:
        return [(*draw_corpus(rng, each), n) for n in orders for each in sizes]

    def run(subject: Subject, rng: Random) -> None:
        others = _others(telltale, column)
        many = telling(rng, draw, lambda many: _right(many)[:, column], others)
        judge(_asked(subject, many), many)

    return run


def _short(subject: Subject, rng: Random) -> None:
    """Captions of fewer than n words, and of none."""
    (long,), (several,) = draw_corpus(rng, (3,))
    words = long.split()
    candidates = [" ".join(words[:count]) for count in (2, 0, len(words), 1)]
    references = [[long, several[0]], several, [several[0], " ".join(words[:3])], [words[0]]]
    many = [(candidates, references, n) for n in (1, 2, 3, 4)]
    many += [([""], [several], 1), ([words[0]], [several], 2), ([""], [several], 3)]
    _both(_asked(subject, many), many)


def _as_they_stand(subject: Subject, rng: Random) -> None:
    """Words that are nearly others: capitals, points, hyphens, parts, and the same when joined."""
    (candidate,), (several,) = draw_corpus(rng, (2,))
    many = []
    for one, other in rng.permutation(NEARLY).tolist():
        many.append(([f"{candidate} {one}"], [[f"{other} {each}" for each in several]], 1))
    for pair in rng.permutation(_JOINTS).tolist():
        said, there = " ".join(pair[:2]), " ".join(pair[2:])
        many.append(([f"{said} {candidate}"], [[f"{each} {there}" for each in several]], 2))
    found = _asked(subject, many)
    _judge_matched(found, many, _NEARLY_EQUAL)
    _judge_guessed(found, many)


def _reordered(subject: Subject, rng: Random) -> None:
    corpus = draw_corpus(rng)
    many = [(*each, n) for n in (1, 2) for each in (corpus, reordered(rng, corpus))]
    found = _asked(subject, many)
    if not np.array_equal(found[::2], found[1::2]):
        raise Wrong(
            "the same captions, and the same references, in another order give other counts"
        )
    _both(found, many)


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second = draw_corpus(rng), draw_corpus(rng, (2, 5))
    many = [(*first, 2), (*second, 1), (*first, 2)]
    for outcome in subject.calls(many):
        unchanged(outcome, "candidates, references", COPY)
    found = _asked(subject, many)
    if not np.array_equal(found[0], found[2]):
        raise Wrong("the same captions give other counts the second time: start from 0 each time")
    _both(found, many)


_ALL = _CLIPPING | _CUTTING | _ONCE | _SUMMING | _SUMMING_MATCHED
_SIZES = ((3, 1, 4, 2), (2, 5, 1))

CLIPPED_PRECISION = Exercise(
    "clipped_precision",
    points=2,
    referee=lambda: "the counts of cs_caption.metrics.bleu",
    banned=("cs_caption.metrics", "cs_caption.decoding"),
    cases=(
        Case('the lecture\'s "the the the": seven, six, six and a point', 2, _by_hand, drawn=False),
        Case(
            "matched: single words, one caption",
            2,
            _drawn(_judge_matched, MATCHED, _CLIPPING, (1,), ((3,), (4,), (2,), (5,))),
        ),
        Case(
            "matched: n = 2, 3 and 4, one caption",
            2,
            _drawn(
                _judge_matched, MATCHED, _CLIPPING | _CUTTING | _LONGER, (2, 3, 4), ((3,), (4,))
            ),
        ),
        Case(
            "guessed: n = 1 to 4, one caption",
            2,
            _drawn(_judge_guessed, GUESSED, _GUESSED | _GUESSED_LONGER, (2, 1, 3, 4), ((3,),)),
        ),
        Case(
            "several captions, with different numbers of references",
            2,
            _drawn(_both, MATCHED, _ALL, (1, 2, 3), _SIZES),
        ),
        Case("captions of fewer than n words, and of none", 1, _short),
        Case("words as they stand: capitals, points, parts of others", 1, _as_they_stand),
        Case("captions and references in another order: the same counts", 1, _reordered),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
