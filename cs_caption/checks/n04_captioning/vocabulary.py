"""The check of build_vocabulary: counting decides, and the package's own Vocabulary counts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import describe, entries, unchanged
from cs_caption.data.vocabulary import SPECIALS, Vocabulary

Random = np.random.RandomState
Found = Mapping[str, list]

_NAMES = "words, counts"
_WORDS = (
    "a and bat black cat dog frisbee grass guitar hat holding in is man near of on plays red "
    "shirt sits standing straw suitcase tennis the top tree two wave white with woman young"
)
_TIMES = (9, 7, 5, 5, 5, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1, 1)
_AS_THEY_STAND = ("Hat", "hat", "T-shirt", ".", "hat.", "don't", "café", "2", "straw-hat")
_CAPITAL, _SMALL = ("Zebra", "Yes", "Wood", "Sun"), ("apple", "ball", "cat", "dog")
_COPY = "work on a list of your own: sorted(captions) makes one, captions.sort() changes this one"
_HAND = ("on a cat", "a straw hat", "a man in a hat")  # a 4 times, hat twice

_UNK = "<UNK> is to be predicted once for each word left out, as often as that stands there"


def _by_hand(subject: Subject, rng: Random) -> None:
    words, _ = _results(subject, _HAND, 1)
    right = [*SPECIALS, "a", "hat", "cat", "in", "man", "on", "straw"]
    _require_words(words, right, _HAND, 1)


def _words(min_count: int = 1) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        captions = draw_captions(rng, min_count)
        right = _right(captions, min_count)[0]
        words, _ = _results(subject, captions, *([min_count] if min_count > 1 else []))
        if min_count == 1 and words != right == _results(subject, captions, 1)[0]:
            raise Wrong(
                "with min_count=1 words is right, where none is given it is not: 1 is the default"
            )
        _require_words(words, right, captions, min_count)

    return run


def _all_of(*runs: Run) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for each in runs:
            each(subject, rng)

    return run


def _as_they_stand(subject: Subject, rng: Random) -> None:
    """No two are seen equally often, so no order of letters is asked for."""
    order = rng.permutation(_AS_THEY_STAND).tolist()
    bag = [word for n, word in enumerate(order, start=2) for _ in range(n)]
    captions = _captions_of(rng, bag)
    words, _ = _results(subject, captions, 1)
    _require_words(words, _right(captions, 1)[0], captions, 1)


def _capitals(subject: Subject, rng: Random) -> None:
    """All are seen equally often, so that the order of the letters decides."""
    often = int(rng.randint(1, 4))
    bag = [word for word in rng.permutation(_CAPITAL + _SMALL).tolist() for _ in range(often)]
    captions = _captions_of(rng, bag)
    words, _ = _results(subject, captions, 1)
    _require_words(words, _right(captions, 1)[0], captions, 1)


def _counts(first: int, last: int | None, min_count: int = 1) -> Run:
    """Return a case: the counts from one place to another, whatever the others are."""

    def run(subject: Subject, rng: Random) -> None:
        captions = draw_captions(rng, min_count)
        _require_counts(_results(subject, captions, min_count), captions, min_count, first, last)

    return run


def _extremes(subject: Subject, rng: Random) -> None:
    """A single caption, a single word, and so high a min_count that no word is left."""
    captions = draw_captions(rng, 1)
    for some, min_count in ((captions[:1], 1), ([captions[0].split()[0]], 1), (captions, 99)):
        results = _results(subject, some, min_count)
        _require_words(results[0], _right(some, min_count)[0], some, min_count)
        _require_counts(results, some, min_count, 0, None)


def _reordered(subject: Subject, rng: Random) -> None:
    captions = draw_captions(rng, 2)
    both = [_results(subject, some, 2) for some in (captions, captions[::-1])]
    if both[0] != both[1]:
        raise Wrong(
            "the same captions in another order give another vocabulary: sort, so that the order "
            "in which words come first plays no part"
        )
    _require_words(both[0][0], _right(captions, 2)[0], captions, 2)


def _left_alone(subject: Subject, rng: Random) -> None:
    first, second = draw_captions(rng, 2), draw_captions(rng, 1)
    for captions, min_count in ((first, 2), (second, 1), (first, 2)):
        outcome = subject.call((captions, min_count))
        unchanged(outcome, "captions", _COPY)
        results = _lists(outcome.value)
        _require_words(results[0], _right(captions, min_count)[0], captions, min_count)
        _require_counts(results, captions, min_count, 0, None)


def draw_captions(rng: Random, min_count: int) -> list[str]:
    """Draw captions: words seen equally often, twice in one, a caption that comes twice.

    No mistake that `_other_orders` knows is without a trace.
    """
    while True:
        words = rng.permutation(_WORDS.split())[: len(_TIMES)].tolist()
        bag = [word for word, n in zip(words, _TIMES, strict=True) for _ in range(n)]
        captions = _captions_of(rng, bag)
        captions.insert(rng.randint(len(captions)), captions[rng.randint(len(captions))])
        right = _right(captions, min_count)[0][4:]
        others = _other_orders(captions, min_count)
        if right not in others.values():
            return captions


def _captions_of(rng: Random, bag: list[str]) -> list[str]:
    bag, captions = rng.permutation(bag).tolist(), []
    while bag:
        size = int(rng.randint(2, 8))
        captions.append(" ".join(bag[:size]))
        del bag[:size]
    return captions


def _results(subject: Subject, captions: Sequence[str], *min_count: int) -> tuple[list, list]:
    return _lists(subject.call((list(captions), *min_count)).value)


def _lists(value: Any) -> tuple[list, list]:
    words, counts = (_as_list(each) for each in entries(value, _NAMES))
    for name, each in (("words", words), ("counts", counts)):
        if type(each) is not list:
            raise Wrong(f"{name} is {describe(each)}: expected a list")
    if any(map(_is_whole, words)) and all(type(n) is str for n in counts):
        raise Wrong(f"the results are in another order: it is {_NAMES}")
    _require_kinds("words", words, lambda word: type(word) is str, "of strings")
    _require_kinds("counts", counts, _is_whole, "of whole numbers")
    return words, [int(n) for n in counts]


def _as_list(value: Any) -> Any:
    """A tuple, or an array of whole numbers with one axis, serves as well as a list."""
    if type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind in "iu":
        return list(value)
    return list(value) if type(value) is tuple else value


def _is_whole(value: Any) -> bool:
    return type(value) is int or isinstance(value, np.integer)


def _require_kinds(name: str, values: list, right: Callable[[Any], bool], what: str) -> None:
    for i, value in enumerate(values):
        if not right(value):
            raise Wrong(f"{name}[{i}] is {describe(value)}: expected a list {what}")


def _right(captions: Sequence[str], min_count: int) -> tuple[list[str], list[int]]:
    vocabulary = Vocabulary.build(captions, min_count)
    return vocabulary.words, vocabulary.counts.tolist()


# -------------------------------------------------------------------------------- the words


def _require_words(
    words: list[str], expected: list[str], captions: Sequence[str], min_count: int
) -> None:
    if words == expected:
        return
    if tuple(words[:4]) != SPECIALS:
        raise Wrong(_specials(words, expected[4:]))
    found, right = words[4:], expected[4:]
    for said, other in _other_orders(captions, min_count).items():
        if found == other:
            raise Wrong(f"words is wrong: {said}")
    raise Wrong(f"words is wrong: {_unlike(found, right)}")


def _specials(words: list[str], right: list[str]) -> str:
    begin = f"words must begin with {', '.join(SPECIALS)}"
    if not set(SPECIALS) & set(words):
        same = ", the others are right" if words == right else ""
        return f"{begin}: the special ones are not there{same}"
    if set(words[:4]) == set(SPECIALS):
        return f"{begin}, in this order"
    if tuple(words[-4:]) == SPECIALS:
        return f"{begin}: they are at the end"
    return begin


def _unlike(found: list[str], right: list[str]) -> str:
    twice = [word for word, n in Counter(found).items() if n > 1]
    extra, lost = (sorted(set(a) - set(b)) for a, b in ((found, right), (right, found)))
    if set(found) & set(SPECIALS):
        return "a special word stands among the others a second time"
    if twice:
        return f"{len(twice)} of them stand there more than once"
    if found and all(len(word) == 1 for word in found):
        return "they are letters: split each caption at its blanks"
    if any(" " in word for word in found):
        return "whole captions stand among them: split each at its blanks"
    if extra or lost:
        parts = (
            [f"{_some(extra)} beside the special ones that do not belong there"] if extra else []
        )
        parts += [f"{_some(lost)} missing"] if lost else []
        return f"there are {' and '.join(parts)}"
    place = next(i for i, pair in enumerate(zip(found, right, strict=True)) if pair[0] != pair[1])
    return f"the right ones, in another order, from place {place + 4} on"


def _some(words: list[str]) -> str:
    return f"{len(words)} ({words[0]!r})" if len(words) == 1 else f"{len(words)} (as {words[0]!r})"


def _other_orders(captions: Sequence[str], min_count: int) -> Found:
    """What likely mistakes make of the words after the special ones."""
    said = [word for caption in captions for word in caption.split()]
    often, first = Counter(said), list(dict.fromkeys(said))
    in_captions = Counter(word for caption in captions for word in set(caption.split()))
    kept = [word for word in first if often[word] >= min_count]
    orders = {
        "words are to be counted as often as they stand there, not once a caption": sorted(
            (word for word in first if in_captions[word] >= min_count),
            key=lambda w: (-in_captions[w], w),
        ),
        "they are in the order in which they come first: the most frequent comes first": kept,
        "they are in the order of their letters: that is for words seen equally often": sorted(
            kept
        ),
        "the least frequent comes first": sorted(kept, key=lambda w: (often[w], w)),
        "words seen equally often are in the order in which they come first, not by letters": (
            sorted(kept, key=lambda w: -often[w])
        ),
        "words seen equally often are in the reverse order of their letters": sorted(
            kept, key=lambda w: (often[w], w), reverse=True
        ),
        "words seen exactly min_count times are left out": _right(captions, min_count + 1)[0][4:],
        "the last word of a caption and the first of the next are joined: split each caption": (
            _right(["".join(captions)], min_count)[0][4:]
        ),
    }
    different = list(dict.fromkeys(captions))
    if len(different) < len(captions):
        words = "a caption that comes twice is counted once (a set?): all captions count"
        orders[words] = _right(different, min_count)[0][4:]
    if any("A" <= letter <= "Z" for word in first for letter in word):
        orders |= _changed(captions)
    for lower in range(1, min_count):
        words = "min_count is ignored" if lower == 1 else "words seen less often are kept"
        orders[words] = _right(captions, lower)[0][4:]
    return orders


def _changed(captions: Sequence[str]) -> Found:
    """What comes of words that are not taken as they stand."""

    def of(change: Callable[[str], str]) -> list[str]:
        cleaned = [" ".join(filter(None, map(change, c.split()))) for c in captions]
        return _right(cleaned, 1)[0][4:]

    stand, said = (
        "take each word as it stands",
        [w for caption in captions for w in caption.split()],
    )
    often = Counter(said)
    return {
        "of words seen equally often capitals come before small letters, as sorted() has them: "
        "here they are compared as if all were small": sorted(
            dict.fromkeys(said), key=lambda word: (-often[word], word.lower())
        ),
        f"capitals are made small: {stand}": of(str.lower),
        f"points at the ends of words are cut off: {stand}": of(lambda word: word.strip(".,;:!?")),
        f"words with other signs than letters are left out: {stand}": of(
            lambda word: word if word.isalpha() else ""
        ),
        f"other signs than letters and digits are cut out of the words: {stand}": of(
            lambda word: "".join(filter(str.isalnum, word))
        ),
    }


# -------------------------------------------------------------------------------- the counts


def _require_counts(
    results: tuple[list, list],
    captions: Sequence[str],
    min_count: int,
    first: int,
    last: int | None,
) -> None:
    """Judge the counts of the student's own words, as long as they are the right ones."""
    words, counts = results
    right_words, right_counts = _right(captions, min_count)
    if sorted(words) != sorted(right_words):
        raise Wrong("first mend words: they are not those that belong there")
    _require_length(counts, len(words))
    known = dict(zip(right_words, right_counts, strict=True))
    for word, count in [*zip(words, counts, strict=True)][first:last]:
        if count != known[word]:
            raise Wrong(_miscounted(word, count, results, captions, min_count))


def _require_length(counts: list, V: int) -> None:
    if len(counts) == V - 4:
        raise Wrong(f"counts has {V - 4} entries, words has {V}: the special ones have theirs too")
    if len(counts) != V:
        raise Wrong(f"counts has {len(counts)} entries, words has {V}: each word has its own")


def _miscounted(
    word: str, count: int, results: tuple[list, list], captions: Sequence[str], min_count: int
) -> str:
    """Say what is wrong with the count of one word."""
    said = [w for caption in captions for w in caption.split()]
    often, kept = Counter(said), set(results[0])
    left_out = [w for w in said if w not in kept]
    once = [w for caption in dict.fromkeys(captions) for w in caption.split() if w not in kept]
    of_special = {
        "<NULL>": ("it is never to be predicted: padding is no word", {}),
        "<START>": ("it is never to be predicted: it is given", {}),
        "<END>": (
            "each caption ends once",
            {
                0: "it is to be predicted as well: each caption ends once",
                len(said): "it counts the words, not the captions",
                len(set(captions)): "each caption ends once, also one that comes twice",
            },
        ),
        "<UNK>": (
            _UNK,
            {
                0: f"{_UNK}; here it is 0",
                len(set(left_out)): f"{_UNK}; each is counted once, however often it stands there",
                len(once): f"{_UNK}; here a caption that comes twice is counted once (a set?)",
                len(said): f"{_UNK}; here all words are counted",
                len(said) - len(left_out): f"{_UNK}; here those that are kept are counted",
            },
        ),
    }
    if word in of_special:
        plain, named = of_special[word]
        return f"the count of {word} is wrong: {named.get(count, plain)}"
    return f"the count of a word is wrong: {_why(results, often, captions)}"


def _why(results: tuple[list, list], often: Counter, captions: Sequence[str]) -> str:
    """Say what the counts of the words after the special ones are instead."""
    words, counts = results
    pairs = [(w, n) for w, n in zip(words, counts, strict=True) if w not in SPECIALS]
    found, truth = [n for _, n in pairs], [often[w] for w, _ in pairs]
    in_captions = Counter(word for caption in captions for word in set(caption.split()))
    if found == [in_captions[w] for w, _ in pairs]:
        return "each caption counts once; a word may stand in it twice"
    once = Counter(word for caption in dict.fromkeys(captions) for word in caption.split())
    if found == [once[w] for w, _ in pairs]:
        return "a caption that comes twice is counted once (a set?): all captions count"
    if found == [n + 1 for n in truth]:
        return "all are one too high"
    if not any(found):
        return "all are 0"
    if sorted(found) == sorted(truth):
        return "the right counts stand beside other words: counts[k] is that of words[k]"
    wrong = sum(a != b for a, b in zip(found, truth, strict=True))
    return f"{wrong} of {len(truth)} are not as often as the word stands in the captions"


BUILD_VOCABULARY = Exercise(
    "build_vocabulary",
    points=2,
    referee=lambda: "counting, and cs_caption.data.Vocabulary",
    cases=(
        Case("three captions with a straw hat: the words", 2, _by_hand, drawn=False),
        Case("the words, the most frequent first, equal counts by letters", 3, _words()),
        Case("the words with a min_count of 2, of 3", 2, _all_of(_words(2), _words(3))),
        Case("capitals, hyphens, points: each word as it stands", 1, _as_they_stand),
        Case("equal counts: capitals before small letters, as sorted() has them", 1, _capitals),
        Case("counts of the words", 2, _counts(4, None)),
        Case("counts of <NULL>, <START> and <END>", 2, _counts(0, 3)),
        Case(
            "count of <UNK>: with a min_count of 1, of 3",
            2,
            _all_of(_counts(3, 4), _counts(3, 4, 3)),
        ),
        Case("one caption, one word, and no word that comes often enough", 1, _extremes),
        Case("the captions in another order: the same vocabulary", 1, _reordered),
        Case("captions unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
