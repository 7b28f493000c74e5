"""The check of cider_d: the package's own CIDEr-D decides."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.captions import named
from cs_caption.checks.n05_beam_and_metrics.cider import (
    EMPTY,
    draw_frequencies,
    draw_words,
    grams,
)
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import close, fitting, number, unchanged
from cs_caption.metrics import DocumentFrequency
from cs_caption.metrics import cider_d as of_the_package

Random = np.random.RandomState
Drawn = Callable[[Random], list["Given"]]

_ARGUMENTS = "candidate, references, df, pictures, sigma"
_OWN = "read df by df.get(gram, 1), and work on lists of your own"
_SIGMA = 6.0  # the default, and the package's
_NAN = (
    ": 0 over 0, where a caption has no n-gram of an order, or only those of weight 0? "
    "There the similarity is 0"
)


@dataclass(frozen=True)
class Given:
    """What cider_d is called with; sigma is left out where it is None."""

    candidate: str
    references: tuple[str, ...]
    df: dict[str, int] = field(repr=False)
    pictures: int
    sigma: float | None = None

    @property
    def args(self) -> tuple:
        """In the order of the call, list and dict new ones."""
        given = () if self.sigma is None else (self.sigma,)
        return self.candidate, list(self.references), dict(self.df), self.pictures, *given


def right_score(given: Given) -> float:
    """The score, made of the package's scores with each reference by itself.

    The package's sigma is fixed: its penalty is taken back, and that of the sigma given put there.
    """
    df = DocumentFrequency(given.pictures, given.df)
    found = []
    for reference in given.references:
        squared = _difference(given.candidate, reference) ** 2
        change = squared / (2 * _SIGMA**2) - squared / (2 * _sigma(given) ** 2)
        found.append(
            of_the_package([given.candidate], [[reference]], df=df).corpus * np.exp(change)
        )
    return float(np.mean(found))


def _sigma(given: Given) -> float:
    return _SIGMA if given.sigma is None else given.sigma


def _difference(candidate: str, reference: str) -> int:
    return len(candidate.split()) - len(reference.split())


# ------------------------------------------------------------------------------ look-alikes


@dataclass(frozen=True)
class Pair:
    """The vectors of one order of the candidate and a reference, over the n-grams of both."""

    g: np.ndarray
    h: np.ndarray
    counts: np.ndarray  # (2, number of n-grams)
    sizes: np.ndarray  # (2,): n-grams of each, all of them
    df: np.ndarray  # of each n-gram, 0 where it is not known
    pictures: int

    @property
    def norms(self) -> float:
        return float(np.linalg.norm(self.g) * np.linalg.norm(self.h))


def _clipped(pair: Pair) -> float:
    return float(np.minimum(pair.g, pair.h) @ pair.h)


def _over(pair: Pair, dot: float, norms: float | None = None) -> float:
    divisor = pair.norms if norms is None else norms
    return dot / divisor if divisor > 0 else 0.0


def _similar(pair: Pair) -> float:
    return _over(pair, _clipped(pair))


def _with_vectors(pair: Pair, g: np.ndarray, h: np.ndarray) -> float:
    return _similar(replace(pair, g=g, h=h))


def _norm_of(pair: Pair, where: np.ndarray) -> float:
    return float(np.linalg.norm(pair.g[where]) * np.linalg.norm(pair.h[where]))


_SIMILARITIES: dict[str, Callable[[Pair], float]] = {
    "nothing is clipped: take min(g, h) h, not g h (that is plain CIDEr)": (
        lambda p: _over(p, float(p.g @ p.h))
    ),
    "min(g, h) is multiplied by g: multiply it by h": (
        lambda p: _over(p, float(np.minimum(p.g, p.h) @ p.g))
    ),
    "min(g, h) is squared: multiply it by h": (
        lambda p: _over(p, float(np.sum(np.minimum(p.g, p.h) ** 2)))
    ),
    "min(g, h) is not multiplied by h": (lambda p: _over(p, float(np.sum(np.minimum(p.g, p.h))))),
    "the larger of g and h is taken, not the smaller": (
        lambda p: _over(p, float(np.maximum(p.g, p.h)[p.g > 0] @ p.h[p.g > 0]))
    ),
    "it is not divided by the lengths of the vectors": _clipped,
    "it is divided by the candidate's length alone": (
        lambda p: _over(p, _clipped(p), float(np.linalg.norm(p.g)))
    ),
    "it is divided by the reference's length alone": (
        lambda p: _over(p, _clipped(p), float(np.linalg.norm(p.h)))
    ),
    "the lengths lack their roots": lambda p: _over(p, _clipped(p), p.norms**2),
    "the length of g lacks its root": (
        lambda p: _over(p, _clipped(p), p.norms * float(np.linalg.norm(p.g)))
    ),
    "the length of h lacks its root": (
        lambda p: _over(p, _clipped(p), p.norms * float(np.linalg.norm(p.h)))
    ),
    "the root of the product of the lengths is taken": (
        lambda p: _over(p, _clipped(p), p.norms**0.5)
    ),
    "it is divided by the sum of the two lengths: by their product": (
        lambda p: _over(p, _clipped(p), float(np.linalg.norm(p.g) + np.linalg.norm(p.h)))
    ),
    "it is divided by the sums of the weights: the length of a vector is the root of the sum of "
    "their squares": lambda p: _over(p, _clipped(p), float(p.g.sum() * p.h.sum())),
    "it is divided by the numbers of n-grams, not by the lengths of the vectors": (
        lambda p: _over(p, _clipped(p), float(np.prod(p.sizes)))
    ),
    "the lengths are those of the shared n-grams alone: all of a caption's count": (
        lambda p: _over(p, _clipped(p), _norm_of(p, (p.g > 0) & (p.h > 0)))
    ),
    "the length of g is that of the clipped weights": (
        lambda p: _over(
            p, _clipped(p), float(np.linalg.norm(np.minimum(p.g, p.h)) * np.linalg.norm(p.h))
        )
    ),
    "n-grams are counted, not weighed by df": lambda p: _with_vectors(p, *p.counts),
    "how often a caption has an n-gram plays no part": (
        lambda p: _with_vectors(
            p, *(v / np.maximum(c, 1) for v, c in zip((p.g, p.h), p.counts, strict=True))
        )
    ),
    "the vectors are divided by their lengths before they are clipped: clip first": (
        lambda p: _with_vectors(p, *(v / (np.linalg.norm(v) or 1) for v in (p.g, p.h)))
    ),
}

_DIVIDED = {
    "the counts are divided by the caption's length before they are clipped: take them as they "
    "are": (
        lambda p: _with_vectors(
            p, *(v / max(size, 1) for v, size in zip((p.g, p.h), p.sizes, strict=True))
        )
    ),
}


def _weighed(weigh: Callable[[Pair], np.ndarray]) -> Callable[[Pair], float]:
    return lambda p: _with_vectors(p, *(p.counts * weigh(p)))


# Of those cider_vectors of the student's own that the score may rest on.
_VECTORS: dict[str, Callable[[Pair], float]] = {
    "what is not in df has no weight: it counts as 1 there (in cider_vectors?)": (
        _weighed(lambda p: np.log(p.pictures / np.maximum(p.df, 1)) * (p.df > 0))
    ),
    "1 is added inside the logarithm (in cider_vectors?)": (
        _weighed(lambda p: np.log1p(p.pictures / np.maximum(p.df, 1)))
    ),
    "1 is added to the logarithm (in cider_vectors?)": (
        _weighed(lambda p: np.log(p.pictures / np.maximum(p.df, 1)) + 1)
    ),
    "1 is added to each df (in cider_vectors?)": (
        _weighed(lambda p: np.log(p.pictures / (np.maximum(p.df, 1) + 1)))
    ),
    "the logarithm is missing (in cider_vectors?)": (
        _weighed(lambda p: p.pictures / np.maximum(p.df, 1))
    ),
}

Penalty = Callable[[float, float], float]  # of d and sigma

_PENALTIES: dict[str, Penalty] = {
    "captions of other lengths are not penalised": lambda d, s: 1.0,
    "sigma is not squared": lambda d, s: np.exp(-(d**2) / (2 * s)),
    "the 2 under d^2 is missing": lambda d, s: np.exp(-(d**2) / s**2),
    "2 sigma is squared: it is 2 sigma^2": lambda d, s: np.exp(-(d**2) / (2 * s) ** 2),
    "it is multiplied by sigma^2 / 2 where it is to be divided by 2 sigma^2": (
        lambda d, s: np.exp(-(d**2) / 2 * s**2)
    ),
    "sigma plays no part (or is 1 where none is given)": lambda d, s: np.exp(-(d**2) / 2),
    "the difference d is not squared": lambda d, s: np.exp(-abs(d) / (2 * s**2)),
    "the difference d is not squared, so longer and shorter captions differ": (
        lambda d, s: np.exp(-d / (2 * s**2))
    ),
    "the default sigma is used, not the one that is given": (
        lambda d, s: np.exp(-(d**2) / (2 * _SIGMA**2))
    ),
    "only captions that are too short are penalised": (
        lambda d, s: np.exp(-(min(d, 0) ** 2) / (2 * s**2))
    ),
    "only captions that are too long are penalised": (
        lambda d, s: np.exp(-(max(d, 0) ** 2) / (2 * s**2))
    ),
    "the penalty is that of BLEU": lambda d, s: np.exp(min(d, 0)),
    "the exponent lacks its minus": lambda d, s: np.exp(d**2 / (2 * s**2)),
    "the score is divided by the penalty": lambda d, s: np.exp(d**2 / (2 * s**2)),
    "the penalty is the density of a normal distribution: leave out what stands before exp": (
        lambda d, s: np.exp(-(d**2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))
    ),
}


def _gaussian(d: float, sigma: float) -> float:
    return np.exp(-(d**2) / (2 * sigma**2))


Rows = list[list[Pair]]  # by reference and order


def _table(
    given: Given,
    rows: Rows,
    similar: Callable[[Pair], float] = _similar,
    penalty: Penalty = _gaussian,
    length: Callable[[str], float] = lambda caption: len(caption.split()),
) -> np.ndarray:
    """Similarities by reference and order, the penalty in them: (references, 4)."""
    table = []
    for reference, pairs in zip(given.references, rows, strict=True):
        factor = penalty(length(given.candidate) - length(reference), _sigma(given))
        table.append([factor * similar(pair) for pair in pairs])
    return np.array(table)


def _rows(given: Given) -> Rows:
    return [list(_pairs(given, reference)) for reference in given.references]


def _pairs(given: Given, reference: str) -> Iterator[Pair]:
    for n in (1, 2, 3, 4):
        both = [grams(caption, n) for caption in (given.candidate, reference)]
        kinds = sorted({*both[0], *both[1]})
        counts = np.array([[said.count(gram) for gram in kinds] for said in both], float)
        df = np.array([given.df.get(gram, 0) for gram in kinds], float)
        g, h = counts * np.log(given.pictures / np.maximum(df, 1))
        yield Pair(g, h, counts, np.array([len(said) for said in both]), df, given.pictures)


_MEANS: dict[str, Callable[[np.ndarray], float]] = {
    "the first reference alone counts": lambda t: t[0].mean(),
    "the last reference alone counts": lambda t: t[-1].mean(),
    "the best reference alone counts: take the mean over all": lambda t: t.mean(axis=1).max(),
    "the worst reference alone counts: take the mean over all": lambda t: t.mean(axis=1).min(),
    "it is the sum over the references, not the mean": lambda t: t.mean(axis=1).sum(),
    "it is neither divided by the orders nor by the references": lambda t: t.sum(),
    "in each order the best reference counts: take the mean over all": lambda t: t.max(
        axis=0
    ).mean(),
}

_ORDERS: dict[str, Callable[[np.ndarray], float]] = {
    "the 10 is missing": lambda t: t.mean() / 10,
    "it is 100 times the mean": lambda t: 10 * t.mean(),
    "it is the sum over the four orders, not the mean": lambda t: 4 * t.mean(),
    "words alone count (n = 1)": lambda t: t[:, 0].mean(),
    "n = 4 alone counts": lambda t: t[:, 3].mean(),
    "n = 4 is missing": lambda t: t[:, :3].mean(),
    "n = 4 is missing, and yet it is divided by 4": lambda t: t[:, :3].mean() * 3 / 4,
    "n = 1 is missing": lambda t: t[:, 1:].mean(),
    "the orders are multiplied: take their mean": lambda t: t.prod(axis=1).mean(),
    "it is the geometric mean of the orders": lambda t: (
        np.maximum(t, 0).prod(axis=1) ** 0.25
    ).mean(),
    "the score is rounded": lambda t: round(10 * t.mean(), 2) / 10,
}


def _lookalikes(given: Given) -> dict[str, float]:
    """What likely mistakes make of a score."""
    rows = _rows(given)
    table = _table(given, rows)
    there = sum(pair.norms > 0 for pairs in rows for pair in pairs)
    similar = _SIMILARITIES | _DIVIDED | _VECTORS
    tables = {w: _table(given, rows, similar=f) for w, f in similar.items()}
    tables |= {w: _table(given, rows, penalty=f) for w, f in _PENALTIES.items()}
    tables |= {
        "the difference is one of letters: d counts words": _table(given, rows, length=len),
        "words that a caption has twice count once for its length": _table(
            given, rows, length=lambda caption: len(set(caption.split()))
        ),
    }
    exist = {
        "orders of which a caption has no n-gram are left out of the mean: they count as 0": (
            10 * float(table.sum()) / max(there, 1)
        )
    }
    return (
        exist
        | {words: 10 * float(f(table)) for words, f in (_ORDERS | _MEANS).items()}
        | {words: 10 * float(other.mean()) for words, other in tables.items()}
        | {
            "a reference that comes twice counts once (a set?): take the mean over all": (
                10 * float(table[_firsts(given)].mean())
            ),
            _JOINED: _joined(given),
            _MEAN_LENGTH: _mean_length(given, rows),
        }
        | _all_in_one(given, rows, table)
        | _where_nothing(given, table)
    )


def _all_in_one(given: Given, rows: Rows, table: np.ndarray) -> dict[str, float]:
    """What comes of taking orders together, or references, before they are compared."""
    plain = _table(given, rows, penalty=lambda d, s: 1.0)
    factors = [
        _gaussian(_difference(given.candidate, reference), _sigma(given))
        for reference in given.references
    ]
    of_words = np.where(np.arange(4) == 0, table, plain)
    cosines = [_similar(_of_all_orders(pairs)) for pairs in rows]
    means = np.array([_similar(pair) for pair in _of_mean_references(given)])
    mean = float(np.mean([len(reference.split()) for reference in given.references]))
    of_mean = _gaussian(len(given.candidate.split()) - mean, _sigma(given))
    return {
        _OF_WORDS: 10 * float(of_words.mean()),
        _ONE_COSINE: 10 * float(np.mean(np.multiply(cosines, factors))),
        _MEAN_VECTOR: 10 * float(means.mean() * np.mean(factors)),
        f"{_MEAN_VECTOR}, as are their numbers of words": 10 * float(means.mean() * of_mean),
    }


def _of_all_orders(pairs: Sequence[Pair]) -> Pair:
    g, h, df = (
        np.concatenate([getattr(pair, name) for pair in pairs]) for name in ("g", "h", "df")
    )
    counts = np.concatenate([pair.counts for pair in pairs], axis=1)
    return Pair(g, h, counts, sum(pair.sizes for pair in pairs), df, pairs[0].pictures)


def _of_mean_references(given: Given) -> list[Pair]:
    """A pair of each order, h the mean of the references' vectors."""
    found = []
    for n in (1, 2, 3, 4):
        several = [grams(caption, n) for caption in (given.candidate, *given.references)]
        kinds = sorted({gram for said in several for gram in said})
        counts = np.array([[said.count(gram) for gram in kinds] for said in several], float)
        df = np.array([given.df.get(gram, 0) for gram in kinds], float)
        g, *others = counts * np.log(given.pictures / np.maximum(df, 1))
        both = np.array([counts[0], counts[1:].mean(axis=0)])
        pair = Pair(g, np.mean(others, axis=0), both, both.sum(axis=1), df, given.pictures)
        found.append(pair)
    return found


def _where_nothing(given: Given, table: np.ndarray) -> dict[str, float]:
    """What comes of an order in which nothing weighs, and of a caption without words."""
    there = np.array([[pair.norms > 0 for pair in pairs] for pairs in _rows(given)])
    before = np.logical_and.accumulate(there, axis=1)
    words = "\0"  # is in no caption, but in two that are empty
    filled = replace(
        given,
        candidate=given.candidate or words,
        references=tuple(reference or words for reference in given.references),
    )
    return {
        "an order in which nothing weighs ends it: go on with the next order (`continue`, not "
        "`break`)": 10 * float((table * before).mean()),
        "it is 0 as soon as nothing weighs in one order: there the similarity of that order is 0": (
            10 * float((table * there.all(axis=1, keepdims=True)).mean())
        ),
        EMPTY: 10 * float(_table(filled, _rows(filled)).mean()),
    }


def _firsts(given: Given) -> list[int]:
    return sorted({given.references.index(reference) for reference in given.references})


def _joined(given: Given) -> float:
    given = replace(given, references=(" ".join(given.references),))
    return 10 * float(_table(given, _rows(given)).mean())


def _mean_length(given: Given, rows: Rows) -> float:
    mean = np.mean([len(reference.split()) for reference in given.references])
    factor = _gaussian(len(given.candidate.split()) - float(mean), _sigma(given))
    return 10 * float(_table(given, rows, penalty=lambda d, s: factor).mean())


# ---------------------------------------------------------------------------- what comes back


def _called(subject: Subject, many: Sequence[Given]) -> list[Outcome]:
    return subject.calls([given.args for given in many])


def _score(outcome: Outcome) -> float:
    return number(outcome.value, "the score", _NAN)


def _require(outcomes: Sequence[Outcome], many: Sequence[Given], about: Sequence[str] = ()) -> None:
    """Fail where a score is wrong; `about` has words for each, to say of which."""
    value = np.array([_score(outcome) for outcome in outcomes])
    expected = np.array([right_score(given) for given in many])
    if close(value, expected):
        return
    raise Wrong(f"the score is wrong{named(value, expected, _together(many), about)}")


def _together(many: Sequence[Given]) -> Mapping[str, Any]:
    found = [_lookalikes(given) for given in many]
    return {words: np.array([each[words] for each in found]) for words in found[0]}


# ---------------------------------------------------------------------------------- the cases


def _with_frequencies(rng: Random, candidate: str, *references: str) -> Given:
    return Given(candidate, references, *draw_frequencies(rng, references))


def _changed(rng: Random, words: list[str], strangers: Sequence[str]) -> list[str]:
    """The same words but for one near either end, so that n-grams of all orders stay."""
    said = list(words)
    said[int(rng.choice([0, 1, len(said) - 2, len(said) - 1]))] = strangers[0]
    return said


def draw_plain(rng: Random) -> list[Given]:
    """Draw a candidate and a reference of the same length, no word twice in one."""
    many = []
    for T in (7, 10):
        words = draw_words(rng, T + 1)
        candidate = " ".join(_changed(rng, words[:T], words[T:]))
        many.append(_with_frequencies(rng, candidate, " ".join(words[:T])))
    return many


def draw_repeating(rng: Random) -> list[Given]:
    """Draw captions of the same length of which one says a phrase twice, and then the other."""
    words = draw_words(rng, 10)
    twice, once = words[:4] + words[:4] + words[4:6], words
    says = [" ".join(twice), " ".join(once)]
    mixed = " ".join(words[:2] + words[:2] + words[2:4] + words[4:8])
    return [
        _with_frequencies(rng, candidate, reference)
        for candidate, reference in ((says[0], says[1]), (says[1], says[0]), (says[0], mixed))
    ]


def draw_lengths(*sigmas: float | None) -> Drawn:
    """Return what draws candidates that are longer or shorter than their one reference."""

    def drawn(rng: Random) -> list[Given]:
        words, many = draw_words(rng, 14), []
        for sigma in sigmas:
            T, d = int(rng.randint(8, 11)), int(rng.randint(2, 5))
            long, short = " ".join(words[: T + d]), " ".join(words[: T - d])
            pairs = ((long, " ".join(words[:T])), (short, " ".join(words[:T])))
            many += [replace(_with_frequencies(rng, *pair), sigma=sigma) for pair in pairs]
        return many

    return drawn


def draw_several(rng: Random) -> list[Given]:
    """Draw five references of other lengths, and three; words come twice in some."""
    many = []
    for count in (5, 3):
        words = draw_words(rng, 16)
        references = []
        for k in range(count):
            base = words[k % 2 : 9 + k]
            said = _changed(rng, base, words[12 + k % 4 :])
            references.append(" ".join(said + (said[2:4] if k == 1 else [])))
        candidate = " ".join(_changed(rng, words[:9], words[15:]) + words[2:5])
        many.append(_with_frequencies(rng, candidate, *rng.permutation(references).tolist()))
    return many


def _telling(drawn: Drawn, *groups: Iterable[str]) -> Drawn:
    """Return what draws until none of the mistakes in these groups is without a trace."""
    words = {words for group in groups for words in group}

    def until(rng: Random) -> list[Given]:
        while True:
            many = drawn(rng)
            right = np.array([right_score(given) for given in many])
            if not words & set(fitting(right, _together(many))):
                return many

    return until


def _compare(drawn: Drawn) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        many = drawn(rng)
        _require(_called(subject, many), many)

    return run


def _itself(subject: Subject, rng: Random) -> None:
    """A caption against itself: 10, or less where it is too short to have all four orders."""
    words, lengths = draw_words(rng, 8), (8, 4, 3, 1)
    df, pictures = draw_frequencies(rng, [" ".join(words)])
    df = {gram: min(count, pictures - 1) for gram, count in df.items()}
    captions = [" ".join(words[:T]) for T in lengths]
    many = [Given(caption, (caption,), df, pictures) for caption in captions]
    about = [f", of a caption with itself as its one reference, T = {T}" for T in lengths]
    _require(_called(subject, many), many, about)


def _nothing(subject: Subject, rng: Random) -> None:
    """Nothing in common, captions of no words, n-grams that weigh nothing."""
    words = draw_words(rng, 12)
    first, second = " ".join(words[:6]), " ".join(words[6:])
    other = _with_frequencies(rng, second, first)
    single = Given(first, (first, second), dict.fromkeys(other.df, 1), 1)
    # 0 over 0 in vectors that are not empty: a word of all pictures weighs nothing
    everywhere = Given(words[0], (words[0],), {words[0]: 9}, 9)
    everything = [gram for n in (1, 2, 3, 4) for gram in grams(first, n)]
    three = " ".join(words[:3])
    small = dict(zip(everything, rng.randint(900, 1000, len(everything)).tolist(), strict=True))
    nearly = Given(" ".join(words[:5]), (first,), small, 1000)
    several = {
        ", of captions that share no word": other,
        ", of a candidate without a word": replace(other, candidate=""),
        ", where a reference is empty": replace(other, references=(second, "")),
        ", where neither caption has a word": replace(other, candidate="", references=("",)),
        ", where there is one picture, so that nothing has a weight": single,
        ", of a word of all pictures, whose weight is 0": everywhere,
        ", where single words weigh nothing but pairs of words do": replace(
            other, candidate=three, references=(three,), df=dict.fromkeys(words[:3], 5), pictures=5
        ),
        ", of n-grams of nearly all pictures, whose weights are small": nearly,
    }
    many = list(several.values())
    _require(_called(subject, many), many, list(several))


def _reordered(subject: Subject, rng: Random) -> None:
    """The order of the references plays no part, nor does it matter that one comes twice."""
    (given, *_) = draw_several(rng)
    several = given.references
    many = [
        given,
        replace(given, references=several[::-1]),
        replace(given, references=several + several),
        replace(given, references=(several[1], *several)),
    ]
    outcomes = _called(subject, many)
    scores = [_score(outcome) for outcome in outcomes]
    if not close(scores[1], scores[0]):
        raise Wrong("the same references in another order give another score")
    if not close(scores[2], scores[0]):
        raise Wrong("all references given twice give another score: take the mean over them")
    _require(outcomes, many, ["", "", "", ", where one reference comes twice"])


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second = draw_several(rng)
    order = [first, replace(second, sigma=float(rng.choice([2.0, 3.0]))), first]
    outcomes = _called(subject, order)
    for outcome in outcomes:
        unchanged(outcome, _ARGUMENTS, _OWN)
    _require(outcomes, order)


_JOINED = "the references are joined to one text"
_MEAN_LENGTH = "the penalty is that of the references' mean length: each has its own"
_OF_WORDS = "the penalty counts for n = 1 alone: it counts for each order"
_ONE_COSINE = (
    "all orders are in one vector: take the similarity of each order by itself, and then their mean"
)
_MEAN_VECTOR = (
    "the references' vectors are averaged: take the similarity to each, and then their mean"
)
_OTHER_SIGMAS = ("the default sigma is used, not the one that is given",)
_ALL_PENALTIES = {w: f for w, f in _PENALTIES.items() if w not in _OTHER_SIGMAS}

_TOGETHER = (_OF_WORDS, _ONE_COSINE, _MEAN_VECTOR)

CIDER_D = Exercise(
    "cider_d",
    points=2,
    referee=lambda: "cs_caption.metrics.cider_d",
    banned=("cs_caption.metrics", "cs_caption.decoding"),
    cases=(
        Case("a caption against itself, down to a single word", 2, _itself),
        Case("one reference as long as the candidate, no word twice", 3, _compare(draw_plain)),
        Case(
            "a phrase that one of the two captions has twice",
            2,
            _compare(_telling(draw_repeating, _SIMILARITIES)),
        ),
        Case(
            "a candidate longer or shorter than its reference",
            2,
            _compare(_telling(draw_lengths(None, None), _ALL_PENALTIES, (_OF_WORDS,))),
        ),
        Case("sigma", 1, _compare(_telling(draw_lengths(2.0, 3.5), _PENALTIES))),
        Case(
            "five references, and three",
            2,
            _compare(_telling(draw_several, _MEANS, _DIVIDED, _TOGETHER)),
        ),
        Case("nothing in common, no words, n-grams without weight", 2, _nothing),
        Case("references in another order, or twice", 1, _reordered),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
