"""The check of meteor_score: all ways to pair two words, sorted by the rule, decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.captions import named
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import close, number, unchanged

Random = np.random.RandomState
Way = tuple[int, int, int]  # stage, place in the candidate, place in the reference
Pairs = list[tuple[int, int]]  # places in the candidate and in the reference
Fits = Callable[["Given", str, str], bool]
Drawn = Callable[[Random], list["Given"]]

_ARGUMENTS = "candidate, reference, stems, synonyms"
_OWN = "look things up in stems and synonyms, and work on lists of your own"
_NAN = ": 0 over 0? Where no word is paired the score is 0"
_FAMILIES = (
    ("walk", "walks", "walked", "walking"),
    ("play", "plays", "played", "playing"),
    ("jump", "jumps", "jumped", "jumping"),
    ("dog", "dogs"),
    ("chair", "chairs"),
    ("hat", "hats"),
    ("guy", "guys"),
    ("sofa", "sofas"),
)
_GROUPS = (
    ("go", "went", "goes"),
    ("man", "guy", "fellow"),
    ("couch", "sofa"),
    ("small", "little", "tiny"),
    ("child", "kid"),
)
_PLAIN = (
    "a",
    "the",
    "on",
    "in",
    "of",
    "with",
    "red",
    "blue",
    "park",
    "tree",
    "two",
    "by",
    "near",
    "at",
)
_ALL_GROUPS = (
    *_GROUPS,
    *(
        ("fellow", "kid"),
        ("walks", "goes"),
        ("little", "child"),
        ("walking", "went"),
        ("tiny", "man"),
    ),
)
_VISIBLE = 1e-5
_AT_LEAST = 5  # captions of a case: with fewer, one mistake looks like another
_JIM = "Jim went home", "Joe goes home"
_WALKS = "Jim walks home", "Joe goes home"
_OF_JIM = {"goes": "go", "walks": "walk"}


@dataclass(frozen=True)
class Given:
    """What meteor_score is called with."""

    candidate: str
    reference: str
    stems: Mapping[str, str]
    synonyms: tuple[tuple[str, ...], ...]

    @property
    def args(self) -> tuple:
        """In the order of the call, dict and lists new ones."""
        groups = [list(group) for group in self.synonyms]
        return self.candidate, self.reference, dict(self.stems), groups

    @property
    def words(self) -> tuple[list[str], list[str]]:
        """Those of the candidate, and those of the reference."""
        return self.candidate.split(), self.reference.split()


# ------------------------------------------------------------------------------ what is right


def _equal(given: Given, a: str, b: str) -> bool:
    return a == b


def _same_stem(given: Given, a: str, b: str) -> bool:
    return given.stems.get(a, a) == given.stems.get(b, b)


def _synonyms(given: Given, a: str, b: str) -> bool:
    return any({a, b} <= set(group) for group in given.synonyms)


_STAGES: tuple[Fits, ...] = (_equal, _same_stem, _synonyms)


def _ways(given: Given, stages: Sequence[Fits] = _STAGES) -> list[Way]:
    """All ways to pair a word of the candidate with one of the reference, in no order."""
    said, words = given.words
    return [
        (stage, i, j)
        for (stage, fits), (i, a), (j, b) in product(
            enumerate(stages), enumerate(said), enumerate(words)
        )
        if fits(given, a, b)
    ]


def _taken(ways: Sequence[Way], free: tuple[bool, bool] = (True, True)) -> Pairs:
    """The ways that are gone, first come first served; `free`: whose words must still be free."""
    pairs: Pairs = []
    for _, i, j in ways:
        used = any((free[0] and i == a) or (free[1] and j == b) for a, b in pairs)
        if not used and (i, j) not in pairs:
            pairs.append((i, j))
    return pairs


def right_pairs(given: Given) -> Pairs:
    """The pairs: stage by stage, from left to right, each with the first word that is free."""
    return _taken(sorted(_ways(given)))


def _chunks(pairs: Pairs) -> int:
    return len(pairs) - sum((i + 1, j + 1) in pairs for i, j in pairs)


def _mean(P: float, R: float) -> float:
    return 10 * P * R / (R + 9 * P)


def _penalty(chunks: float, m: int) -> float:
    return 0.5 * (chunks / m) ** 3


def right_score(given: Given) -> float:
    """The score."""
    return _score(given)


def _score(
    given: Given,
    pairs: Pairs | None = None,
    *,
    chunks: Callable[[Pairs], float] = _chunks,
    mean: Callable[[float, float], float] = _mean,
    penalty: Callable[[float, int], float] = _penalty,
) -> float:
    pairs = right_pairs(given) if pairs is None else pairs
    if not pairs:
        return 0.0
    m, (said, words) = len(pairs), given.words
    return mean(m / len(said), m / len(words)) * (1 - penalty(chunks(pairs), m))


# ------------------------------------------------------------------------------ look-alikes


def _by(*stages: Fits, key: Callable[[Way], tuple] | None = None) -> Callable[[Given], Pairs]:
    return lambda given: _taken(sorted(_ways(given, stages or _STAGES), key=key))


def _stem_of_one(side: int) -> Fits:
    def fits(given: Given, *pair: str) -> bool:
        return given.stems.get(pair[side], pair[side]) == pair[1 - side]

    return fits


def _groups(given: Given) -> list[set[str]]:
    """The groups of synonyms, those that share a word put together."""
    joined: list[set[str]] = []
    for group in map(set, given.synonyms):
        apart = [other for other in joined if not other & group]
        joined = [*apart, group.union(*(other for other in joined if other & group))]
    return joined


def _joined(given: Given, a: str, b: str) -> bool:
    return any({a, b} <= group for group in _groups(given))


def _any_synonyms(given: Given, a: str, b: str) -> bool:
    return {a, b} <= {word for group in given.synonyms for word in group}


def _synonyms_of_stems(given: Given, a: str, b: str) -> bool:
    return _synonyms(given, a, b) or _synonyms(given, given.stems.get(a, a), given.stems.get(b, b))


def _synonyms_of_stems_alone(given: Given, a: str, b: str) -> bool:
    return _synonyms(given, given.stems.get(a, a), given.stems.get(b, b))


def _stem_or_synonym(given: Given, a: str, b: str) -> bool:
    return _same_stem(given, a, b) or _synonyms(given, a, b)


def _equal_or_synonym(given: Given, a: str, b: str) -> bool:
    return a == b or _synonyms(given, a, b)


def _with_the_first(given: Given, a: str, b: str) -> bool:
    return any({a, b} <= set(group) and group[0] in (a, b) for group in given.synonyms)


def _last_group(given: Given, a: str, b: str) -> bool:
    found = {word: k for k, group in enumerate(given.synonyms) for word in group}
    return a in found and found[a] == found.get(b)


def _of_one_start(given: Given, a: str, b: str) -> bool:
    return a[:4] == b[:4]


def _small(given: Given, a: str, b: str) -> bool:
    return a.lower() == b.lower()


def _known_stem(given: Given, a: str, b: str) -> bool:
    return a in given.stems and b in given.stems and given.stems[a] == given.stems[b]


def _no_stem(given: Given, a: str, b: str) -> bool:
    return given.stems.get(a) == given.stems.get(b)


_STEMS: dict[str, Callable[[Given], Pairs]] = {
    "equal stems are not paired": _by(_equal, _synonyms),
    "only a word of the candidate has a stem: take the reference's as well": (
        _by(_equal, _stem_of_one(0), _synonyms)
    ),
    "only a word of the reference has a stem: take the candidate's as well": (
        _by(_equal, _stem_of_one(1), _synonyms)
    ),
    "a word that is not in stems is left out of that stage: it is its own stem": (
        _by(_equal, _known_stem, _synonyms)
    ),
    "words that are not in stems are paired with each other: each is its own stem": (
        _by(_equal, _no_stem, _synonyms)
    ),
}

_SYNONYMS: dict[str, Callable[[Given], Pairs]] = {
    "synonyms are not paired": _by(_equal, _same_stem),
    "two words that stand in some list each are paired: it must be the same list": (
        _by(_equal, _same_stem, _any_synonyms)
    ),
    "lists that share a word are put together: each stands for itself": (
        _by(_equal, _same_stem, _joined)
    ),
    "the stems are looked up among the synonyms: look up the words": (
        _by(_equal, _same_stem, _synonyms_of_stems)
    ),
    "only the first word of a list is paired with the others": (
        _by(_equal, _same_stem, _with_the_first)
    ),
    "of a word that stands in two lists, the last alone counts": (
        _by(_equal, _same_stem, _last_group)
    ),
    "only equal words are paired: stems and synonyms are missing": _by(_equal),
}

_TURNS: dict[str, Callable[[Given], Pairs]] = {
    "the stages are not kept apart: all equal words are paired before the first equal stem, and "
    "stems before synonyms": _by(key=lambda way: way[1:]),
    "each word goes through all the stages before the next word: all words go through a stage "
    "before the next stage": _by(key=lambda way: (way[1], way[0], way[2])),
    "equal stems are paired before equal words": _by(_same_stem, _equal, _synonyms),
    "stems and synonyms are one stage: all words go through that of the stems first": (
        _by(_equal, _stem_or_synonym)
    ),
    "equal words and synonyms are one stage: all words go through that of equal words first": (
        _by(_equal_or_synonym, _same_stem)
    ),
    "the words are replaced by their stems at once: equal words and synonyms are words as they "
    "stand": _by(_same_stem, _synonyms_of_stems_alone),
    "synonyms are paired before stems": _by(_equal, _synonyms, _same_stem),
    "synonyms are paired before equal words": _by(_synonyms, _equal, _same_stem),
}

_PLACES: dict[str, Callable[[Given], Pairs]] = {
    "a word takes the last of the reference that is free: it takes the first": (
        _by(key=lambda way: (way[0], way[1], -way[2]))
    ),
    "the candidate is walked through from right to left": (
        _by(key=lambda way: (way[0], -way[1], way[2]))
    ),
    "a word takes the nearest place of the reference: it takes the first that is free": (
        _by(key=lambda way: (way[0], way[1], abs(way[1] - way[2]), way[2]))
    ),
}

_TWICE: dict[str, Callable[[Given], Pairs]] = {
    "a word of the reference is paired more than once": (
        lambda given: _taken(sorted(_ways(given)), (True, False))
    ),
    "a word of the candidate is paired more than once": (
        lambda given: _taken(sorted(_ways(given)), (False, True))
    ),
    "each stage begins anew: a word that has a partner is paired again in the next": (
        lambda given: _anew(given)
    ),
    "a word that the candidate has several times is paired only once: each place counts": (
        lambda given: _once(given)
    ),
    "a word that the reference has several times is paired only once: each place counts": (
        lambda given: _first_place(given)
    ),
}

_OTHER_WORDS: dict[str, Callable[[Given], Pairs]] = {
    "capitals are made small: take each word as it stands": _by(_small, _same_stem, _synonyms),
    "words that begin alike are taken for equal stems: look in stems": (
        _by(_equal, _of_one_start, _synonyms)
    ),
}


def _anew(given: Given) -> Pairs:
    """The pairs of each stage by itself, one after the other, whatever was paired before."""
    return [
        pair
        for stage in range(3)
        for pair in _taken(sorted(way for way in _ways(given) if way[0] == stage))
    ]


def _once(given: Given) -> Pairs:
    said, _ = given.words
    return [(i, j) for i, j in right_pairs(given) if said.index(said[i]) == i]


def _first_place(given: Given) -> Pairs:
    """Each word meets only the first place of each word of the reference."""
    _, words = given.words
    return _taken(sorted(way for way in _ways(given) if words.index(words[way[2]]) == way[2]))


def _runs(follows: Callable[[tuple[int, int], tuple[int, int]], bool]) -> Callable[[Pairs], int]:
    """Count chunks along the candidate; `follows` says when a pair belongs to that before it."""

    def count(pairs: Pairs) -> int:
        inner = sorted(pairs)
        return len(inner) - sum(follows(a, b) for a, b in pairwise(inner))

    return count


_CHUNKS: dict[str, Callable[[Pairs], float]] = {
    "pairs form a chunk where they are neighbours in the candidate alone: in both": (
        _runs(lambda a, b: b[0] == a[0] + 1)
    ),
    "pairs form a chunk where they are neighbours in the reference alone: in both": (
        _runs(lambda a, b: b[1] == a[1] + 1)
    ),
    "neighbours in the reverse order are taken for a chunk: the order must be the same": (
        _runs(lambda a, b: b[0] == a[0] + 1 and abs(b[1] - a[1]) == 1)
    ),
    "pairs in the same order are taken for a chunk though words stand between them": (
        _runs(lambda a, b: b[1] > a[1])
    ),
    "pairs that follow in the candidate are a chunk though the reference has words between": (
        _runs(lambda a, b: b[0] == a[0] + 1 and b[1] > a[1])
    ),
    "each pair is counted as a chunk of its own": len,
    "it counts the places where a chunk ends, one less than chunks": lambda p: _chunks(p) - 1,
    "it counts one chunk too many": lambda p: _chunks(p) + 1,
    "there is always one chunk": lambda p: 1,
}

_AS_FOUND: dict[str, Callable[[Pairs], float]] = {
    "pairs are counted in the order in which they were found: sort them by the candidate's words": (
        lambda p: len(p) - sum(b == (a[0] + 1, a[1] + 1) for a, b in pairwise(p))
    ),
}

_MEANS: dict[str, Callable[[float, float], float]] = {
    "P and R are swapped: P is divided by the candidate's length, and weighs least": (
        lambda P, R: 10 * P * R / (P + 9 * R)
    ),
    "F is the harmonic mean of P and R: here R counts nine times": lambda P, R: 2 * P * R / (P + R),
    "F is the mean of P and R": lambda P, R: (P + R) / 2,
    "F is P": lambda P, R: P,
    "F is R": lambda P, R: R,
    "F is the product of P and R": lambda P, R: P * R,
    "the 10 in F is missing": lambda P, R: P * R / (R + 9 * P),
    "the 9 in F is missing": lambda P, R: 10 * P * R / (R + P),
    "F is that of METEOR 1.5, not the one that is given": lambda P, R: (
        P * R / (0.85 * P + 0.15 * R)
    ),
}

_PENALTIES: dict[str, Callable[[float, int], float]] = {
    "the factor for the chunks is missing": lambda c, m: 0,
    "the 0.5 is missing": lambda c, m: (c / m) ** 3,
    "the 0.5 is raised to the power of 3 as well": lambda c, m: (0.5 * c / m) ** 3,
    "chunks / m is not raised to the power of 3": lambda c, m: 0.5 * c / m,
    "chunks / m is squared: raise it to the power of 3": lambda c, m: 0.5 * (c / m) ** 2,
    "it is m / chunks: take chunks / m": lambda c, m: 0.5 * (m / max(c, 1)) ** 3,
    "chunks is not divided by m": lambda c, m: 0.5 * c**3,
    "F is multiplied by the penalty: multiply it by 1 - the penalty": (
        lambda c, m: 1 - 0.5 * (c / m) ** 3
    ),
    "the penalty is added": lambda c, m: -0.5 * (c / m) ** 3,
    "the penalty is that of METEOR 1.5, not the one that is given": (
        lambda c, m: 0.6 * (c / m) ** 0.2
    ),
    "`//` leaves no fraction of chunks / m": lambda c, m: 0.5 * (c // m) ** 3,
}


_POWERS: dict[str, Callable[[float, int], float]] = {
    "chunks alone is raised to the power of 3": lambda c, m: 0.5 * c**3 / m,
    "m alone is raised to the power of 3": lambda c, m: 0.5 * c / m**3,
}


Scored = Callable[[Given], float]


def _all_scores() -> dict[str, Scored]:
    pairings = _STEMS | _SYNONYMS | _TURNS | _PLACES | _TWICE | _OTHER_WORDS
    found: dict[str, Scored] = {}
    for word, options in (
        ("chunks", _AS_FOUND),
        ("mean", _MEANS),
        ("penalty", _PENALTIES | _POWERS),
        ("chunks", _CHUNKS),
    ):
        for text, option in options.items():
            found[text] = lambda given, word=word, option=option: _score(given, **{word: option})
    for text, pair in pairings.items():
        found[text] = lambda given, pair=pair: _score(given, pair(given))
    for side, text in enumerate(("candidate", "reference")):
        found[f"chunks is divided by the {text}'s length: by the number of pairs"] = (
            lambda given, side=side: _score(
                given, penalty=lambda c, m: _penalty(c, len(given.words[side]))
            )
        )
    return found


_SCORES = _all_scores()  # what likely mistakes make of a score


# ---------------------------------------------------------------------------- what comes back


def _called(subject: Subject, many: Sequence[Given]) -> list[Outcome]:
    return subject.calls([given.args for given in many])


def _require(outcomes: Sequence[Outcome], many: Sequence[Given], about: Sequence[str] = ()) -> None:
    """Fail where a score is wrong; `about` has words for each, to say of which."""
    value = np.array([number(outcome.value, "the score", _NAN) for outcome in outcomes])
    expected = np.array([right_score(given) for given in many])
    if close(value, expected):
        return
    others = {w: np.array([f(given) for given in many]) for w, f in _SCORES.items()}
    raise Wrong(f"the score is wrong{named(value, expected, others, about)}")


# ------------------------------------------------------------------------------------ drawing


def _some(rng: Random, words: Sequence[str], count: int) -> list[str]:
    return rng.permutation(words)[:count].tolist()


def _of_words(candidate: Sequence[str], reference: Sequence[str]) -> Given:
    return Given(" ".join(candidate), " ".join(reference), {}, ())


def draw_runs(rng: Random) -> Given:
    """Draw captions of other lengths that share a run of words, in one piece."""
    words, shared = _some(rng, _PLAIN, 14), int(rng.randint(2, 5))
    both = [
        [*words[:shared], words[13]],
        [*words[4:8], *words[:shared], *words[8 : 9 + int(rng.randint(3))]],
    ]
    return _of_words(*(both[side] for side in rng.permutation(2)))


def draw_moved(rng: Random) -> Given:
    """Draw captions whose shared words are in pieces: moved, parted on one side, or reversed."""
    w = _some(rng, _PLAIN, 14)
    both = [
        (w[5:9] + w[:5], w[:9] + w[12:]),
        (w[:3] + w[9:10] + w[3:6], w[:6]),
        (w[:3] + w[4:7], w[:7] + w[9:10]),
        ([*w[:2], w[10], *w[4:1:-1], *w[6:8]], w[:8] + w[12:]),
    ]
    return _of_words(*both[rng.randint(len(both))])


def draw_repeated(rng: Random) -> Given:
    """Draw captions of four words each of which may come several times."""
    words = _some(rng, _PLAIN, 4)
    return _of_words(*(rng.choice(words, size).tolist() for size in rng.permutation([5, 6, 8])[:2]))


def draw_stems(rng: Random) -> Given:
    """Draw captions of words of few families."""
    return replace(
        _of_pools(rng, [_FAMILIES[k] for k in _some(rng, range(len(_FAMILIES)), 3)]), synonyms=()
    )


def draw_synonyms(rng: Random) -> Given:
    """Draw captions of words of few groups, some of them in two."""
    return _of_pools(
        rng, [_GROUPS[k] for k in _some(rng, range(len(_GROUPS)), 3)] + [("guys", "sofas")]
    )


def draw_stages(rng: Random) -> Given:
    """Draw captions of words that are equal to one, of the stem of another, and synonyms."""
    return _of_pools(rng, (_FAMILIES[0], *_GROUPS[:2]))


def _of_pools(rng: Random, pools: Sequence[Sequence[str]]) -> Given:
    """Draw captions of words of these pools; lists of synonyms share words."""
    words = [word for pool in pools for word in pool] + _some(rng, _PLAIN, 1)
    sizes = rng.permutation([5, 6, 7, 8])[:2]
    captions = (" ".join(rng.choice(words, size).tolist()) for size in sizes)
    stems = {word: family[0] for family in _FAMILIES for word in family if word != family[0]}
    order = rng.permutation(len(_ALL_GROUPS))
    # a stemmer's table may say of a word that it is its own stem
    return Given(*captions, {**stems, "hat": "hat"}, tuple(_ALL_GROUPS[k] for k in order))


def telling(draw: Callable[[Random], Given], *groups: Mapping[str, Any]) -> Drawn:
    """Return what draws until each mistake in these groups has left a trace in one at least."""
    mistakes = {words: _SCORES[words] for group in groups for words in group}

    def until(rng: Random) -> list[Given]:
        many, left = [], mistakes
        while left or len(many) < _AT_LEAST:
            given = draw(rng)
            right = right_score(given)
            hidden = {w: f for w, f in left.items() if abs(f(given) - right) < _VISIBLE}
            if len(hidden) < len(left) or not left:
                many.append(given)
            left = hidden
        return many

    return until


# ---------------------------------------------------------------------------------- the cases


def _jim_and_joe(subject: Subject, rng: Random) -> None:
    """The lecture's: stems match neither verb, synonyms match one of them."""
    several = {
        ", of Jim and Joe with neither stems nor synonyms": Given(*_JIM, {}, ()),
        ", of `Jim went home` with stems alone": Given(*_JIM, _OF_JIM, ()),
        ", of `Jim went home` with synonyms": Given(*_JIM, _OF_JIM, (("goes", "went"),)),
        ", of `Jim walks home`": Given(*_WALKS, _OF_JIM, (("goes", "went"),)),
    }
    many = list(several.values())
    _require(_called(subject, many), many, list(several))


def _compare(drawn: Drawn) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        many = drawn(rng)
        _require(_called(subject, many), many)

    return run


def _extremes(subject: Subject, rng: Random) -> None:
    """Nothing in common, no words, one word; and a caption with itself."""
    w = _some(rng, _PLAIN, 9)
    several = {
        ", where no word is shared": _of_words(w[:4], w[4:]),
        ", of a candidate without a word": _of_words([], w[:4]),
        ", of a reference without a word": _of_words(w[:4], []),
        ", where neither has a word": _of_words([], []),
        ", of one word with itself": _of_words(w[:1], w[:1]),
        ", of a caption with itself": _of_words(w, w),
    }
    many = list(several.values())
    _require(_called(subject, many), many, list(several))


def _as_they_stand(subject: Subject, rng: Random) -> None:
    words = ["Dog", "dog", "dog.", ".", "T-shirt", "shirt", "café", "cafe", "2", "walk", "walkman"]
    words = rng.permutation(words).tolist()
    table, groups = {"dogs": "dog", "walks": "walk"}, (("Dog", "Hound"), ("T", "shirt"))
    many = [
        Given(" ".join(words[:6]), " ".join(words[5:]), table, groups),
        Given(" ".join(["hound", *words[3:9]]), " ".join(["Dog", *words[:7]]), table, groups),
        Given("Dogs walk in the dog park", "dogs Walk in The park", table, groups),
    ]
    _require(_called(subject, many), many)


def _reordered(subject: Subject, rng: Random) -> None:
    """The order of lists and of words in a list plays no part, nor do words nobody says."""
    given = draw_synonyms(rng)
    groups = given.synonyms
    many = [
        given,
        replace(given, synonyms=groups[::-1]),
        replace(given, synonyms=tuple(group[::-1] for group in groups)),
        replace(
            given, synonyms=(*groups, ("zebra", "quagga")), stems={**given.stems, "sat": "sit"}
        ),
    ]
    _require(_called(subject, many), many)


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second = draw_stages(rng), draw_synonyms(rng)
    order = [first, second, first]
    outcomes = _called(subject, order)
    for outcome in outcomes:
        unchanged(outcome, _ARGUMENTS, _OWN)
    _require(outcomes, order)


METEOR_SCORE = Exercise(
    "meteor_score",
    points=3,
    referee=lambda: "the definition, by all ways to pair two words",
    banned=("cs_caption.metrics", "cs_caption.decoding"),
    cases=(
        Case("Jim and Joe", 2, _jim_and_joe, drawn=False),
        Case(
            "equal words in one piece, captions of other lengths",
            2,
            _compare(telling(draw_runs, _MEANS, _PENALTIES)),
        ),
        Case(
            "equal words in several pieces",
            2,
            _compare(telling(draw_moved, _CHUNKS, _PENALTIES, _POWERS)),
        ),
        Case("words that come several times", 2, _compare(telling(draw_repeated, _PLACES, _TWICE))),
        Case("equal stems", 2, _compare(telling(draw_stems, _STEMS))),
        Case("synonyms", 2, _compare(telling(draw_synonyms, _SYNONYMS))),
        Case(
            "words that one stage takes from another",
            2,
            _compare(telling(draw_stages, _TURNS, _PLACES, _AS_FOUND)),
        ),
        Case("nothing shared, no words, one word, a caption with itself", 2, _extremes),
        Case("capitals, hyphens, points: each word as it stands", 1, _as_they_stand),
        Case("synonyms in another order, words that nobody says", 1, _reordered),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
