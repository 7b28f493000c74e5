"""The check of bleu: what it makes of the counts of the package's own bleu decides."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.brevity import QUIZNOS, penalty
from cs_caption.checks.n05_beam_and_metrics.captions import (
    Corpus,
    Many,
    Others,
    draw_corpus,
    draw_words,
    reordered,
    require,
    scores,
    telling,
    values,
)
from cs_caption.checks.n05_beam_and_metrics.precision import COPY, unclipped
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import unchanged
from cs_caption.metrics.bleu import bleu_rows

Random = np.random.RandomState
Draw = Callable[[Random], Many]
Counts = tuple[np.ndarray, np.ndarray, float, float]

_NAME = "the score"
_NAN = ": a logarithm of 0, or 0 / 0? Ask first whether an order has a match, and an n-gram"


# ------------------------------------------------------------------------- what is right, and not


def _counts(corpus: Corpus, max_n: int) -> Counts:
    """Matched and guessed of each order, (max_n,) each; c and r."""
    rows = _rows(tuple(corpus[0]), tuple(map(tuple, corpus[1])), max_n).sum(0)
    return rows[:max_n], rows[max_n:-2], float(rows[-2]), float(rows[-1])


@lru_cache(maxsize=64)  # a case asks the same of many look-alikes
def _rows(candidates: tuple[str, ...], references: tuple[tuple, ...], max_n: int) -> np.ndarray:
    return bleu_rows(candidates, references, max_n)


def _halved(zeros: np.ndarray, guessed: np.ndarray) -> np.ndarray:
    return 1 / (2 ** np.cumsum(zeros) * guessed)


def _precisions(
    matched: np.ndarray,
    guessed: np.ndarray,
    smooth: bool,
    instead: Callable[[np.ndarray, np.ndarray], np.ndarray] = _halved,
) -> np.ndarray:
    """The precision of each order; `instead` is what stands for those without a match."""
    there = np.maximum(guessed, 1)
    if not smooth:
        return matched / there
    return np.where(matched == 0, instead(matched == 0, there), matched / there)


def _root(precisions: np.ndarray) -> float:
    return float(np.prod(precisions) ** (1 / len(precisions)))


def _score(
    corpus: Corpus,
    max_n: int = 4,
    smooth: bool = False,
    *,
    mean: Callable[[np.ndarray], float] = _root,
    factor: Callable[[float, float], float] = penalty,
    **options: Callable,
) -> float:
    """BLEU, but for what is given."""
    matched, guessed, c, r = _counts(corpus, max_n)
    if not guessed.all():
        return 0.0
    return factor(c, r) * mean(_precisions(matched, guessed, smooth, **options))


def _by(**options: Callable) -> Callable[..., float]:
    def of(candidates: list[str], references: list[list[str]], *rest: object) -> float:
        return _score((candidates, references), *rest, **options)

    return of


_bleu = _by()


def _right(many: Many) -> np.ndarray:
    return values(many, _bleu)


def _alone(candidates: list[str], references: list[list[str]], *rest: object) -> list[float]:
    pairs = zip(candidates, references, strict=True)
    return [_bleu([candidate], [several], *rest) for candidate, several in pairs]


def _macro(
    candidates: list[str], references: list[list[str]], max_n: int = 4, smooth: bool = False
) -> float:
    """The precisions of single captions, averaged."""
    *_, c, r = _counts((candidates, references), max_n)
    rows = _rows(tuple(candidates), tuple(map(tuple, references)), max_n)
    each = [_precisions(row[:max_n], row[max_n:-2], smooth) for row in rows]
    return penalty(c, r) * _root(np.mean(each, axis=0))


def _mean_penalty(candidates: list[str], references: list[list[str]], *rest: object) -> float:
    lengths = bleu_rows(candidates, references, 1)[:, -2:].tolist()
    factor = float(np.mean([penalty(c, r) for c, r in lengths]))
    return _score((candidates, references), *rest, factor=lambda c, r: factor)


def _not_clipped(
    candidates: list[str], references: list[list[str]], max_n: int = 4, smooth: bool = False
) -> float:
    *_, c, r = _counts((candidates, references), max_n)
    pairs = [unclipped(candidates, references, n) for n in range(1, max_n + 1)]
    matched, guessed = (np.array(counts) for counts in zip(*pairs, strict=True))
    return penalty(c, r) * _root(_precisions(matched, guessed, smooth)) if all(guessed) else 0.0


def _orders(change: Callable[[int], int]) -> Callable[..., float]:
    """Other orders than 1 .. max_n."""

    def of(
        candidates: list[str], references: list[list[str]], max_n: int = 4, smooth: bool = False
    ) -> float:
        orders = change(max_n)
        return _bleu(candidates, references, orders, smooth) if orders > 0 else 0.0

    return of


_JOINING = {
    "the mean of the precisions is the arithmetic one: it is the geometric one": _by(mean=np.mean),
    "the mean of the precisions is the harmonic one: it is the geometric one": _by(
        mean=lambda p: len(p) / np.sum(1 / np.maximum(p, 1e-300))
    ),
    "it is the precision of the last order alone": _by(mean=lambda p: p[-1]),
    "it is the product of the precisions: of max_n factors take the root": _by(mean=np.prod),
    "the root is the fourth whatever max_n is (weights of 1/4?)": _by(
        mean=lambda p: np.prod(p) ** 0.25
    ),
    "the root is the second whatever max_n is": _by(mean=lambda p: np.prod(p) ** 0.5),
    "max_n is ignored: four orders are taken": _orders(lambda n: 4),
    "the last order is left out: range(1, max_n) ends before max_n": _by(
        mean=lambda p: np.prod(p[:-1]) ** (1 / len(p))
    ),
    "the last order is left out": _orders(lambda n: n - 1),
    "there is one order too many": _orders(lambda n: n + 1),
}
_SHORTENING = {
    "the brevity penalty is missing": _by(factor=lambda c, r: 1.0),
    "the root is taken of the brevity penalty too": lambda c, r, n=4, s=False: _score(
        (c, r), n, s, factor=lambda *lengths: penalty(*lengths) ** (1 / n)
    ),
    "it is divided by the brevity penalty": _by(factor=lambda c, r: 1 / max(penalty(c, r), 1e-300)),
    "the brevity penalty is counted twice": _by(factor=lambda c, r: penalty(c, r) ** 2),
}
_CLIPPING = {
    "the precisions are not clipped: is clipped_precision called?": _not_clipped,
}
_SUMMING = {
    "it is the mean of the scores of single captions: sum the counts first": (
        lambda *args: float(np.mean(_alone(*args)))
    ),
    "the precisions of single captions are averaged: sum the counts first": _macro,
    "the brevity penalties of single captions are averaged: sum c and r first": _mean_penalty,
    "only the last caption counts": lambda c, r, *rest: _bleu(c[-1:], r[-1:], *rest),
    "only the first caption counts: is the `return` within the loop?": (
        lambda c, r, *rest: _bleu(c[:1], r[:1], *rest)
    ),
}
_SMOOTHING = {
    "smooth is ignored": lambda c, r, n=4, smooth=False: _bleu(c, r, n, False),
    "every order without a match is halved once: the k-th of them k times": _by(
        instead=lambda zeros, guessed: 1 / (2 * guessed)
    ),
    "the power of 2 is the order n: it is how many orders without a match there were so far": _by(
        instead=lambda zeros, guessed: 1 / (2.0 ** np.arange(1, 1 + len(guessed)) * guessed)
    ),
    "k begins at 0: the first order without a match has k = 1": _by(
        instead=lambda zeros, guessed: 2 * _halved(zeros, guessed)
    ),
    "k begins at 2: the first order without a match has k = 1": _by(
        instead=lambda zeros, guessed: _halved(zeros, guessed) / 2
    ),
    "it is not divided by guessed where there is no match": _by(
        instead=lambda zeros, guessed: _halved(zeros, np.ones_like(guessed))
    ),
    "an order without a match counts as 1 / (2 k guessed): 2 to the power of k": _by(
        instead=lambda zeros, guessed: 1 / (2 * np.cumsum(zeros) * guessed)
    ),
    "an order without a match is left out: it counts as said": lambda c, r, n=4, s=False: _score(
        (c, r), n, s, mean=lambda p: np.prod(p) ** (1 / n), instead=lambda z, g: np.ones(len(g))
    ),
    "an order without a match is left out of the mean: it counts as said": _by(
        mean=lambda p: _root(p[p > 0]) if any(p) else 0.0, instead=lambda z, g: np.zeros(len(g))
    ),
    "an order without a match counts as 1e-9, or so": _by(
        instead=lambda zeros, guessed: np.full(len(guessed), 1e-9)
    ),
}


def _plus_one(first: int) -> Callable[..., float]:
    """1 is added to both counts, from an order on, as Lin and Och 2004 do."""

    def of(
        candidates: list[str], references: list[list[str]], max_n: int = 4, smooth: bool = False
    ) -> float:
        matched, guessed, c, r = _counts((candidates, references), max_n)
        more = smooth * (np.arange(1, max_n + 1) >= first)
        return penalty(c, r) * _root((matched + more) / np.maximum(guessed + more, 1))

    return of


_ADDING = {
    "with smooth, 1 is added to the counts: it changes only orders without a match": _plus_one(1),
    "with smooth, 1 is added to the counts from n = 2 on: it changes only orders without a match": (
        _plus_one(2)
    ),
}


def _with_no_gram(value: Callable[[np.ndarray], float]) -> Callable[..., float]:
    """What comes of an order without n-grams if nobody asks for it."""

    def of(
        candidates: list[str], references: list[list[str]], max_n: int = 4, smooth: bool = False
    ) -> float:
        matched, guessed, c, r = _counts((candidates, references), max_n)
        precisions = np.where(guessed > 0, _precisions(matched, guessed, smooth), np.nan)
        return penalty(c, r) * float(value(precisions))

    return of


def _forgiving(instead: float) -> Callable[..., float]:
    """What comes of an order without a match that does not make the score 0; NaN is left out."""

    def of(
        candidates: list[str], references: list[list[str]], max_n: int = 4, smooth: bool = False
    ) -> float:
        matched, guessed, c, r = _counts((candidates, references), max_n)
        precisions = _precisions(matched, guessed, smooth)
        precisions = np.where(precisions > 0, precisions, instead)
        kept = precisions[np.isfinite(precisions)]
        return penalty(c, r) * _root(kept) if len(kept) else 0.0

    return of


_DEFAULTS = {
    "with max_n=4 it is right, where none is given it is not: 4 is the default": (
        lambda c, r, n=3, s=False: _bleu(c, r, n, s)
    ),
    "smooth is True where it is not given: False is the default": (
        lambda c, r, n=4, s=True: _bleu(c, r, n, s)
    ),
    "it is in percent: it is from 0 to 1": lambda *args: 100 * _bleu(*args),
}
_MISSING = {
    "an order without n-grams is left out: the score is 0 then": _with_no_gram(
        lambda p: np.nanprod(p) ** (1 / max(1, np.sum(np.isfinite(p))))
    ),
    "an order without n-grams counts as precision 1: the score is 0 then": _with_no_gram(
        lambda p: np.nanprod(p) ** (1 / len(p))
    ),
    "an order without n-grams is smoothed as if it had one: the score is 0 then": (
        lambda c, r, n=4, s=False: _as_if_one(c, r, n, s)
    ),
    "without smooth too, an order without a match is smoothed": lambda c, r, n=4, s=False: _bleu(
        c, r, n, True
    ),
    "without smooth an order without a match is left out: the score is 0 then": _forgiving(np.nan),
    "without smooth an order without a match counts as a tiny number: the score is 0 then": (
        _forgiving(1e-9)
    ),
}


def _as_if_one(
    candidates: list[str], references: list[list[str]], max_n: int, smooth: bool
) -> float:
    matched, guessed, c, r = _counts((candidates, references), max_n)
    return penalty(c, r) * _root(_precisions(matched, guessed, smooth))


def _others(which: Mapping[str, Callable]) -> Callable[[Many], Others]:
    return lambda many: {words: values(many, of) for words, of in which.items()}


# ------------------------------------------------------------------------------- what is asked


def _judge(subject: Subject, many: Many, first: Mapping[str, Callable]) -> np.ndarray:
    """Fail where a score is wrong, with the words of a look-alike, of `first` rather."""
    found = scores(subject, many, _NAME, _NAN)
    which = first | _JOINING | _SHORTENING | _CLIPPING | _SUMMING | _SMOOTHING | _ADDING | _MISSING
    which |= _DEFAULTS
    require(found, _right(many), lambda: _others(which)(many), _NAME, first)
    return found


def _by_hand(subject: Subject, rng: Random) -> None:
    _judge(subject, [(*QUIZNOS, 4, True), (*QUIZNOS, 4, False), (*QUIZNOS, 2)], _SMOOTHING)


def _drawn(draw: Draw, telltale: Mapping[str, Callable], named: str = "") -> Run:
    """Return a case: corpora in which none of these look-alikes is right."""

    def run(subject: Subject, rng: Random) -> None:
        try:
            _judge(subject, telling(rng, draw, _right, _others(telltale)), telltale)
        except Wrong as wrong:
            raise Wrong(f"{named}{wrong}") from None

    return run


def _matching(rng: Random, references: Sequence[int], max_n: int, short: bool = True) -> Corpus:
    """Draw captions that have matches of every order, and a penalty if `short`."""
    while True:
        corpus = draw_corpus(rng, references)
        matched, _, c, r = _counts(corpus, max_n)
        if matched.all() and (c < r) == short:
            return corpus


def _lacking(rng: Random, orders: int, references: Sequence[int] = (3,)) -> Corpus:
    """Draw captions without a match of as many of the four orders, too short all in all.

    They are runs of 4 - orders words of a reference, with other words between.
    """
    run = 4 - orders
    while True:
        _, several = draw_corpus(rng, references, known=9)
        others = draw_words(rng, 20)[9:]
        candidates = [_runs(rng, each[0].split(), run, others) for each in several]
        matched, _, c, r = _counts((candidates, several), 4)
        if (matched == 0).sum() == orders and c < r:
            return candidates, several


def _runs(rng: Random, words: Sequence[str], run: int, others: Sequence[str]) -> str:
    said = []
    while len(said) < 4:
        at = rng.randint(len(words) - run + 1)
        said += [*words[at : at + run], str(rng.choice(others))]
    return " ".join(said)


def _nothing(subject: Subject, rng: Random) -> None:
    many = telling(rng, _zero, _right, _others(_MISSING))
    found = _judge(subject, many, _MISSING)
    if np.any(found[_right(many) == 0] != 0):
        raise Wrong(
            "the score is tiny, not 0, where an order has no match or no n-gram: return 0.0 there "
            "(is a tiny number put in place of 0?)"
        )


def _reordered(subject: Subject, rng: Random) -> None:
    corpora = [_matching(rng, sizes, 4) for sizes in ((3, 1, 4, 2), (2, 5))]
    many = [each for corpus in corpora for each in (corpus, reordered(rng, corpus))]
    found = scores(subject, many, _NAME, _NAN)
    if not np.allclose(found[::2], found[1::2], rtol=0, atol=1e-12):
        raise Wrong("the same captions and references in another order give another score")
    _judge(subject, many, {})


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second = _matching(rng, (2, 3), 3), _lacking(rng, 1, (1, 4))
    many = [(*first, 3), (*second, 4, True), (*first, 3)]
    for outcome in subject.calls(many):
        unchanged(outcome, "candidates, references", COPY)
    found = scores(subject, many, _NAME, _NAN)
    if found[0] != found[2]:
        raise Wrong("the same captions give another score the second time")
    _judge(subject, many, {})


def _one_order(rng: Random) -> Many:
    """The last says a word that no reference has: unclipped, it still is not all that counts."""
    *many, (candidates, references) = (_matching(rng, (n,), 1, n != 3) for n in (2, 3, 4))
    return [*((*corpus, 1) for corpus in many), ([f"{candidates[0]} zebra"], references, 1)]


def _two_or_three(rng: Random) -> Many:
    return [(*_matching(rng, (count,), n), n) for n in (3, 2) for count in (4, 2)]


def _four(rng: Random) -> Many:
    """max_n given, and not; too short, and long enough."""
    corpora = [_matching(rng, (3,), 4, short) for short in (True, False, True)]
    return [(*corpora[0], 4), (*corpora[1], 4, False), corpora[2], (*corpora[2], 5, True)]


def _corpora(rng: Random) -> Many:
    return [(*_matching(rng, sizes, n), n) for sizes, n in (((3, 1, 4, 2), 4), ((2, 5, 1), 2))]


def _one_lacks(rng: Random) -> Many:
    return [(*_lacking(rng, 1, sizes), 4, True) for sizes in ((3,), (4,), (1, 3))]


def _several_lack(rng: Random) -> Many:
    lacking = [(*_lacking(rng, orders), 4, True) for orders in (2, 3, 4)]
    return [*lacking, (*_lacking(rng, 3), 3, True)]


def _none_lacks(rng: Random) -> Many:
    return [(*_matching(rng, sizes, 4), 4, True) for sizes in ((3,), (2, 4, 1))]


def _zero(rng: Random) -> Many:
    """No match of an order without smooth; no n-gram of an order, with and without."""
    lacking, none = _lacking(rng, 1, (2, 3)), _lacking(rng, 4)
    several = draw_corpus(rng, (3,))[1]
    short = " ".join(several[0][0].split()[:2])
    empty = [(*_matching(rng, (2,), 2), 2), (*_lacking(rng, 2), 2)]
    many = [(*lacking, 4), (*none, 1), (*none, 1, False)]
    many += [([short], several, 4, True), ([short], several, 3), ([""], several, 1, True)]
    return [*many, ([short], several, 2), *empty]


_ORDERS = {
    words: of for words, of in _JOINING.items() if "fourth" not in words and "four" not in words
}
_SECOND = "the root is the second whatever max_n is"

BLEU = Exercise(
    "bleu",
    points=2,
    referee=lambda: "the counts of cs_caption.metrics.bleu",
    banned=("cs_caption.metrics", "cs_caption.decoding"),
    cases=(
        Case("the lecture's Quiznos worker, smoothed and not", 2, _by_hand, drawn=False),
        Case("single words (max_n = 1): precision times penalty", 1, _drawn(_one_order, _CLIPPING)),
        Case("max_n = 2 and 3", 2, _drawn(_two_or_three, _JOINING | _SHORTENING)),
        Case("max_n = 4, which is also the default", 2, _drawn(_four, _ORDERS)),
        Case("several captions: counts are summed", 2, _drawn(_corpora, _SUMMING | _CLIPPING)),
        Case("0 where an order has no match, or no n-gram", 2, _nothing),
        Case("smooth: one order without a match", 1, _drawn(_one_lacks, _ADDING)),
        Case("smooth: several orders without a match", 2, _drawn(_several_lack, _SMOOTHING)),
        Case("smooth: no order without a match", 1, _drawn(_none_lacks, _ADDING)),
        Case("captions and references in another order: the same score", 1, _reordered),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
