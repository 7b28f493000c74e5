"""The check of cider_vectors: counting decides. What is drawn here, cider_d is checked with too."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import close, describe, fitting, number, unchanged
from cs_caption.checks.wire import Foreign

Random = np.random.RandomState
Vector = dict[str, float]

_ARGUMENTS = "caption, df, pictures"
_OWN = "read it by df.get(gram, 1), which adds nothing to it"
EMPTY = (
    "an empty caption has no words: ''.split() is an empty list, but ''.split(' ') holds one "
    "empty word"
)
_ORDERS = (1, 2, 3, 4)
_WORDS = (
    "a the on in of with and dog cat man woman hat bench grass red two sits runs eats picnic "
    "basket park child ball under tree white holding"
)
_AS_THEY_STAND = ("Dog", "dog", "dog.", ".", "T-shirt", "café", "2", "don't", "dogs")
_BY_HAND = ("a cat on a mat", {"a": 8, "mat": 2, "on": 4, "a mat": 2, "on a": 4}, 8)


@dataclass(frozen=True)
class Given:
    """What cider_vectors is called with."""

    caption: str
    df: dict[str, int]
    pictures: int

    @property
    def args(self) -> tuple:
        """In the order of the call, the dict a new one."""
        return self.caption, dict(self.df), self.pictures


# ------------------------------------------------------------------------------------ drawing


def grams(caption: str, n: int) -> list[str]:
    """The n-grams of a caption, from left to right."""
    words = caption.split()
    return [" ".join(several) for several in zip(*(words[k:] for k in range(n)), strict=False)]


def document_frequency(corpus: Sequence[Sequence[str]]) -> dict[str, int]:
    """In how many pictures of a corpus, lists of captions, each n-gram occurs."""
    here = ({g for c in captions for n in _ORDERS for g in grams(c, n)} for captions in corpus)
    return dict(sorted(Counter(gram for each in here for gram in each).items()))


def draw_words(rng: Random, count: int) -> list[str]:
    """Draw different words."""
    return rng.permutation(_WORDS.split())[:count].tolist()


def draw_frequencies(rng: Random, captions: Sequence[str]) -> tuple[dict[str, int], int]:
    """Draw df and pictures of a corpus: one picture has these captions, others pieces of them."""
    corpus = [list(captions)]
    for _ in range(int(rng.randint(8, 14))):
        words = captions[rng.randint(len(captions))].split()
        first = int(rng.randint(max(1, len(words) - 2)))
        piece = words[first : first + int(rng.randint(1, 6))]
        corpus.append([" ".join(piece + draw_words(rng, int(rng.randint(1, 4))))])
    return document_frequency(corpus), len(corpus) + int(rng.randint(1, 9))


def draw(rng: Random) -> Given:
    """Draw a caption with words and a phrase that it has twice, and n-grams that df has not.

    No mistake that `_others` knows is without a trace in one of the three kinds of n-grams.
    """
    while True:
        words = draw_words(rng, 9)
        phrase = words[:3]
        caption = " ".join([*phrase, *words[3:5], *phrase, words[5], words[0], *words[6:]])
        df, pictures = draw_frequencies(rng, [caption, " ".join(words[::2])])
        # the last word and what it ends is nowhere in the corpus; 1 is not what df has of all
        df = {gram: count for gram, count in df.items() if words[8] not in gram.split()}
        given = Given(caption, df, pictures)
        right = _flat(given, right_vectors(given), _all)
        if len(set(df.values())) > 3 and not fitting(right, _others(given, _all)):
            return given


def draw_in_a_row(rng: Random) -> Given:
    """Draw a caption in which words, and pairs of words, come several times in a row."""
    w = draw_words(rng, 6)
    caption = " ".join([w[0]] * 3 + [w[3]] + w[1:3] * 3 + [w[1], *w[4:], w[5]])
    df, pictures = draw_frequencies(rng, [caption, " ".join(w)])
    return Given(caption, {**df, w[0]: 2, f"{w[0]} {w[0]}": 3}, pictures)


# ------------------------------------------------------------------------------ what is right


def right_vectors(given: Given) -> list[Vector]:
    """The four vectors."""
    return [
        dict(zip(kinds, (counts * np.log(given.pictures / seen)).tolist(), strict=True))
        for kinds, counts, seen in (_counted(given, n) for n in _ORDERS)
    ]


def _counted(given: Given, n: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The n-grams of one order, how often each stands there, and its df, at least 1."""
    kinds = list(dict.fromkeys(said := grams(given.caption, n)))
    seen = [max(1, given.df.get(gram, 0)) for gram in kinds]
    return kinds, np.array([said.count(gram) for gram in kinds], float), np.array(seen, float)


# --------------------------------------------------------------------------- what comes back


def _called(subject: Subject, many: Sequence[Given]) -> list[Outcome]:
    return subject.calls([given.args for given in many])


def _vectors(outcome: Outcome) -> list[Vector]:
    """Return the four dicts, their weights plain floats."""
    value = outcome.value
    if type(value) is dict:
        raise Wrong("it returns one dict: expected a list of four, one for each of n = 1 .. 4")
    if type(value) not in (list, tuple):
        raise Wrong(f"it returns {describe(value)}: expected a list of four dicts")
    if len(value) != len(_ORDERS):
        raise Wrong(f"it returns {describe(value)}: expected four dicts, for n = 1 .. 4")
    return [_vector(each, n) for n, each in enumerate(value, start=1)]


def _vector(value: Any, n: int) -> Vector:
    name = f"the vector of n = {n}"
    if type(value) is Foreign and value.kind in ("Counter", "defaultdict"):
        raise Wrong(f"{name} is of type {value.kind}: make a plain dict of it, by dict(...)")
    if type(value) is not dict:
        raise Wrong(f"{name} is {describe(value)}: expected a dict")
    for key in value:
        if type(key) is tuple:
            raise Wrong(f"the keys of {name} are tuples: join their words by single blanks")
        if type(key) is not str:
            raise Wrong(f"a key of {name} is {describe(key)}: expected a string, an n-gram")
    return {key: number(weight, f"a weight in {name}") for key, weight in value.items()}


# ------------------------------------------------------------------------------ the n-grams


def _require_grams(found: list[Vector], given: Given) -> None:
    """Fail where an n-gram is missing, one of weight 0 apart, or where one does not belong."""
    for n, (vector, right) in enumerate(zip(found, right_vectors(given), strict=True), start=1):
        lost = [gram for gram, weight in right.items() if weight and gram not in vector]
        extra = [gram for gram in vector if gram not in right]
        if lost or extra:
            raise Wrong(_unlike(n, vector, list(right), lost, extra, given))


def _unlike(
    n: int, vector: Vector, right: list[str], lost: list[str], extra: list[str], given: Given
) -> str:
    """Say what the keys of one vector are instead."""
    where, keys, said = f"the n-grams of n = {n} are wrong", set(vector), grams(given.caption, n)
    others = {
        "there are none": [],
        f"they have {n - 1} words each": grams(given.caption, n - 1) if n > 1 else [""],
        f"they have {n + 1} words each": grams(given.caption, n + 1),
        "they are letters: split the caption at its blanks": list(given.caption),
        "they are strings of letters: split the caption at its blanks first": (
            _letters(given.caption, n)
        ),
        "those that are not in df are missing: each counts as 1 there": (
            [gram for gram in right if gram in given.df]
        ),
        "the last of the caption is missing": said[:-1],
        "the first of the caption is missing": said[1:],
        "capitals are made small: take each word as it stands": grams(given.caption.lower(), n),
        "they do not overlap: one begins at each word": said[::n],
        "their words are in another order": [" ".join(g.split()[::-1]) for g in said],
    }
    if not given.caption:
        return f"{where}: {EMPTY}"
    for words, other in others.items():
        if keys == set(other) != set(right):
            return f"{where}: {words}"
    return f"{where}: {_stranger(n, lost, extra, given)}"


def _stranger(n: int, lost: list[str], extra: list[str], given: Given) -> str:
    if lost and {"".join(filter(str.isalnum, g)) for g in extra} == (
        {"".join(filter(str.isalnum, g)) for g in lost}
    ):
        return "they are not written as in the caption and in df: words joined by single blanks"
    if any(len(gram.split()) < n for gram in extra):
        return "some have fewer words, as at the end of the caption: the last begins n words before"
    if extra and all(gram in given.df for gram in extra):
        return "there are some of df that the caption does not have"
    parts = [f"{len(extra)} that the caption does not have"] if extra else []
    parts += [f"{len(lost)} missing"] if lost else []
    return f"there are {' and '.join(parts)}"


def _letters(caption: str, n: int) -> list[str]:
    return [caption[i : i + n] for i in range(len(caption) - n + 1)]


# ------------------------------------------------------------------------------- the weights

Which = Callable[[float, bool], bool]  # (how often the caption has it, whether df has it)


def _all(count: float, known: bool) -> bool:
    return True


def _once(count: float, known: bool) -> bool:
    return known and count == 1


def _several(count: float, known: bool) -> bool:
    return known and count > 1


def _unknown(count: float, known: bool) -> bool:
    return not known


def _flat(given: Given, vectors: Sequence[Mapping[str, float]], which: Which) -> np.ndarray:
    """The weights of all orders in a row, of those n-grams alone; 0 of one that is missing."""
    row = []
    for n, vector in zip(_ORDERS, vectors, strict=True):
        kinds, counts, _ = _counted(given, n)
        row += [
            vector.get(gram, 0.0)
            for gram, count in zip(kinds, counts, strict=True)
            if which(count, gram in given.df)
        ]
    return np.array(row)


def _require_weights(found: list[Vector], given: Given, which: Which = _all) -> None:
    right = right_vectors(given)
    for n, (vector, other) in enumerate(zip(found, right, strict=True), start=1):
        counts = Counter(grams(given.caption, n))
        for gram, weight in other.items():
            if weight and which(counts[gram], gram in given.df) and gram not in vector:
                raise Wrong(f"an n-gram of the caption is missing, of n = {n}{_why(gram, given)}")
    value, expected = _flat(given, found, which), _flat(given, right, which)
    if close(value, expected):
        return
    fits = fitting(value, _others(given, which))
    raise Wrong(f"the weights are wrong{f': {fits[0]}' if fits else _signs(value, expected)}")


def _signs(value: np.ndarray, expected: np.ndarray) -> str:
    """Say how many of the weights are wrong, and whether they are all too high or too low."""
    wrong = np.abs(value - expected) > 1e-8
    high, low = np.any(value[wrong] > expected[wrong]), np.any(value[wrong] < expected[wrong])
    side = "" if high and low else f", too {'high' if high else 'low'}"
    return f", {np.count_nonzero(wrong)} of {len(value)}{side}"


def _why(gram: str, given: Given) -> str:
    return "" if gram in given.df else ": what is not in df counts as 1"


def _others(given: Given, which: Which) -> dict[str, np.ndarray]:
    """What likely mistakes make of the weights."""
    rows = [_counted(given, n) for n in _ORDERS]
    counts = np.concatenate([counts for _, counts, _ in rows])
    df = np.concatenate([seen for _, _, seen in rows])
    known = np.array([gram in given.df for kinds, _, _ in rows for gram in kinds], bool)
    chosen = np.array([which(*pair) for pair in zip(counts, known, strict=True)], bool)
    of_order = np.concatenate([np.full(len(c), c.sum()) for _, c, _ in rows])
    squares = [(c * np.log(given.pictures / d)) ** 2 for _, c, d in rows]
    lengths = np.concatenate([np.full(len(s), max(s.sum(), 1e-300) ** 0.5) for s in squares])
    found = _mistakes(counts, df, given, known)
    found |= _searched(given, counts, df)
    found["they are divided by the length of their vector: that is done later"] = (
        found.pop("") / lengths
    )
    for words, divisor in (("n-grams", of_order), ("words", len(given.caption.split()) or 1)):
        found[f"the count is divided by the caption's number of {words}: take it as it is"] = (
            counts / divisor * np.log(given.pictures / df)
        )
    return {words: np.asarray(row)[chosen] for words, row in found.items()}


def _searched(given: Given, counts: np.ndarray, df: np.ndarray) -> dict[str, np.ndarray]:
    """What comes of counting by str.count, where that is not right by chance."""
    kinds = [gram for n in _ORDERS for gram in _counted(given, n)[0]]
    text = f" {' '.join(given.caption.split())} "
    ways = {
        "they are counted in the text, by str.count, which goes on behind what it has found: of "
        "n-grams in a row it misses some (a list or a Counter of n-grams has all)": (
            [text.count(f" {gram} ") for gram in kinds]
        ),
        "they are counted in the text, by str.count, which finds them within other words too": (
            [text.count(gram) for gram in kinds]
        ),
    }
    idf = np.log(given.pictures / df)
    return {words: np.array(n) * idf for words, n in ways.items() if np.any(n != counts)}


def _mistakes(
    counts: np.ndarray, df: np.ndarray, given: Given, known: np.ndarray
) -> dict[str, np.ndarray]:
    """Mistakes of the formula, by the counts and the df of all n-grams; under "" what is right."""
    N, values = given.pictures, list(given.df.values()) or [1]
    idf = np.log(N / df)
    with np.errstate(divide="ignore"):
        whole = np.log(N // df)
    return {
        "": counts * idf,
        "the logarithm is missing": counts * N / df,
        "it is a logarithm to base 10": counts * np.log10(N / df),
        "it is a logarithm to base 2": counts * np.log2(N / df),
        "1 is added inside the logarithm: take log(pictures / df)": counts * np.log1p(N / df),
        "1 is added to the logarithm": counts * (idf + 1),
        "1 is added to each df": counts * np.log(N / (df + 1)),
        "1 is added to each df that is known: only what is not in df counts as 1": (
            counts * np.log(N / (df + known))
        ),
        "1 is added to pictures and to df": counts * np.log((N + 1) / (df + 1)),
        "1 is added to pictures and to df, and to the logarithm": (
            counts * (np.log((N + 1) / (df + 1)) + 1)
        ),
        "pictures and df are swapped in the logarithm": -counts * idf,
        "how often the caption has an n-gram plays no part: multiply by it": idf,
        "the logarithm of the count is taken: multiply by the count": np.log1p(counts) * idf,
        "1 and the logarithm of the count are taken: multiply by the count": (
            (1 + np.log(counts)) * idf
        ),
        "the count stands inside the logarithm: multiply the logarithm by it": (
            np.log(counts * N / df)
        ),
        "the count is squared": counts**2 * idf,
        "the logarithm is squared": counts * idf**2,
        "they are the counts alone": counts,
        "the df plays no part": counts * np.log(N),
        "pictures plays no part": -counts * np.log(df),
        "it is the logarithm of df": counts * np.log(df),
        "the number of n-grams in df is taken for pictures": counts * np.log(len(values) / df),
        "the sum of df is taken for pictures": counts * np.log(sum(values) / df),
        "the largest df is taken for pictures": counts * np.log(max(values) / df),
        "`//` leaves no fractions: divide by `/`": counts * whole,
        "what is not in df has weight 0: it counts as 1 there": counts * idf * known,
        "what is not in df counts as a half there: it counts as 1": (
            counts * (idf + np.log(2) * ~known)
        ),
        "each is 10 times too large": 10 * counts * idf,
    }


# ---------------------------------------------------------------------------------- the cases


def _by_hand(subject: Subject, rng: Random) -> None:
    _require_all(subject, [Given(*_BY_HAND)])


def _require_all(subject: Subject, many: Sequence[Given]) -> None:
    for outcome, given in zip(_called(subject, many), many, strict=True):
        found = _vectors(outcome)
        _require_grams(found, given)
        _require_weights(found, given)


def _which_grams(subject: Subject, rng: Random) -> None:
    given = draw(rng)
    _require_grams(_vectors(_called(subject, [given])[0]), given)


def _weights_of(which: Which) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        given = draw(rng)
        _require_weights(_vectors(_called(subject, [given])[0]), given, which)

    return run


def _in_a_row(subject: Subject, rng: Random) -> None:
    _require_all(subject, [draw_in_a_row(rng)])


def _everywhere(subject: Subject, rng: Random) -> None:
    """A word of all pictures has weight 0; with one picture all that it has weigh nothing."""
    given = draw(rng)
    common = replace(given, df={**given.df, given.caption.split()[0]: given.pictures})
    single = replace(given, df=dict.fromkeys(given.df, 1), pictures=1)
    nothing = replace(given, df={}, pictures=int(rng.randint(40_000, 50_000)))
    _require_all(subject, [common, single, nothing])


def _short(subject: Subject, rng: Random) -> None:
    """As many words as orders, fewer, one and none."""
    given = draw(rng)
    words = given.caption.split()[2:]
    _require_all(subject, [replace(given, caption=" ".join(words[:T])) for T in (4, 3, 2, 1, 0)])


def _as_they_stand(subject: Subject, rng: Random) -> None:
    words = rng.permutation(_AS_THEY_STAND).tolist()
    caption = " ".join([*words, *words[:2]])
    df, pictures = draw_frequencies(rng, [caption, " ".join(words[::-1])])
    _require_all(subject, [Given(caption, df, pictures)])


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second = draw(rng), draw(rng)
    order = (first, second, first)
    for outcome, given in zip(_called(subject, order), order, strict=True):
        unchanged(outcome, _ARGUMENTS, _OWN)
        found = _vectors(outcome)
        _require_grams(found, given)
        _require_weights(found, given)


CIDER_VECTORS = Exercise(
    "cider_vectors",
    points=2,
    referee=lambda: "counting, and the definition",
    banned=("cs_caption.metrics", "cs_caption.decoding"),
    cases=(
        Case("a cat on a mat", 2, _by_hand, drawn=False),
        Case("which n-grams there are, for n = 1 .. 4", 3, _which_grams),
        Case("weights of n-grams that the caption has once", 2, _weights_of(_once)),
        Case("weights of n-grams that it has several times", 2, _weights_of(_several)),
        Case("words, and pairs of words, several times in a row", 2, _in_a_row),
        Case("weights of n-grams that are not in df", 2, _weights_of(_unknown)),
        Case("n-grams of all pictures; a single picture; an empty df", 2, _everywhere),
        Case("captions of four words, of three, two, one and none", 2, _short),
        Case("capitals, hyphens, points: each word as it stands", 1, _as_they_stand),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
