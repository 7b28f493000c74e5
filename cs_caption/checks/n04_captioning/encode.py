"""The check of encode_captions: the definition decides, and the package's own Vocabulary."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.sequences import reorder
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import describe, entries, unchanged
from cs_caption.data.vocabulary import SPECIALS, Vocabulary

Random = np.random.RandomState
Given = tuple[list[str], list[str], int]  # captions, words, max_words
Rows = list[list[int]]

NULL, START, END, UNK = range(4)
_MOST = 16  # the default of max_words
_ENDS = ".,;:!?"
_TWICE = "a caption that comes twice has two rows"
_COPY = "work on lists of your own: sorted(captions) makes one, captions.sort() changes this one"
_CUT = "of a longer caption the first max_words words are kept, and <END> follows them"


def _by_hand(subject: Subject, rng: Random) -> None:
    words = [*SPECIALS, "a", "hat", "straw"]
    captions = ["a straw hat", "hat"]
    tokens = [[START, 4, 6, 5, END], [START, 5, END, NULL, NULL]]
    found = _tokens(*_call(subject, (captions, words, _MOST), default=True))
    if found.tolist() != tokens:
        _require_tokens(found, (captions, words, _MOST))
        raise Wrong("tokens is wrong")


def _case(judge: Callable[..., None], draw: Callable[[Random], Given], **options: bool) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        given = draw(rng)
        judge(*_call(subject, given, **options), given)

    return run


def _judge_tokens(tokens: Any, mask: Any, given: Given) -> None:
    _require_tokens(_tokens(tokens, mask), given)


def _judge_mask(tokens: Any, mask: Any, given: Given) -> None:
    _require_mask(mask, given)


def _judge_both(tokens: Any, mask: Any, given: Given) -> None:
    _judge_tokens(tokens, mask, given)
    _judge_mask(tokens, mask, given)


def _cut(subject: Subject, rng: Random) -> None:
    """Longer than max_words, just as long, and longer than the default; some cut, and all."""
    words = _vocabulary(rng, 60)
    for max_words, sizes in ((5, (9, 5, 6, 2)), (4, (7, 5)), (_MOST, (20, 3, 17))):
        given = ([_caption(rng, words, n) for n in sizes], words, max_words)
        _judge_both(*_call(subject, given), given)
    try:
        _judge_both(*_call(subject, given, default=True), given)
    except Wrong:
        raise Wrong(
            f"right with max_words={_MOST}, but not where none is given: {_MOST} is the default"
        ) from None


def _none_cut(subject: Subject, rng: Random) -> None:
    """max_words is far above, just as, or one above what the longest caption has."""
    words = _vocabulary(rng, 60)
    for max_words in (40, 6, 7):
        given = ([_caption(rng, words, n) for n in (2, 6, 3)], words, max_words)
        _judge_both(*_call(subject, given), given)


def _reordered(subject: Subject, rng: Random) -> None:
    captions, words, max_words = given = draw_ragged(rng)
    order = reorder(rng, len(captions))
    moved = ([captions[i] for i in order], words, max_words)
    _judge_both(*_call(subject, given), given)
    try:
        _judge_both(*_call(subject, moved), moved)
    except Wrong as wrong:
        raise Wrong(f"with the captions in another order: {wrong}") from None


def _left_alone(subject: Subject, rng: Random) -> None:
    """The second call has longer captions and other words than the first and the third."""
    first, second = draw_ragged(rng), _draw_long(rng)
    for given in (first, second, first):
        outcome = subject.call(given)
        unchanged(outcome, "captions, words, max_words", _COPY)
        _judge_both(*_pair(outcome.value), given)


def draw_ragged(rng: Random) -> Given:
    """Draw captions of different lengths, words with numbers beyond 255, all of them known."""
    words = _vocabulary(rng, 290 + int(rng.randint(0, 30)))
    sizes = rng.permutation([1, 3, 4, 6, 8])
    captions = [_caption(rng, words, n) for n in sizes]
    longest = int(sizes.argmax())
    # the largest number of all is among them
    captions[longest] = " ".join([words[-1], *captions[longest].split()[1:]])
    return captions, words, _MOST


def _draw_unknown(rng: Random) -> Given:
    """Draw captions in which known words stand beside unknown ones, at every place, and alone."""
    words = _vocabulary(rng, 40)
    captions = [_caption(rng, words, n).split() for n in (5, 2, 7, 4)]
    for row, at in ((0, 0), (0, 3), (1, 1), (2, 2), (2, 6)):
        captions[row][at] = _invented(rng, 11)
    captions[3] = [_invented(rng, 12) for _ in captions[3]]
    order = rng.permutation(len(captions))
    return [" ".join(captions[i]) for i in order], words, _MOST


def _draw_twice(rng: Random) -> Given:
    """Draw captions of which two come again, one of them at once."""
    words = _vocabulary(rng, 40)
    first, second, third = (_caption(rng, words, n) for n in rng.permutation([2, 5, 7]).tolist())
    return [first, second, second, third, first], words, _MOST


def _draw_resembling(rng: Random) -> Given:
    """Draw captions with words that are unknown, and all but the same as known ones."""
    plain = rng.permutation(
        [w for w in _vocabulary(rng, 60)[4:] if len(w) > 2 and w[-1] != "s"]
    ).tolist()
    known = [*plain, plain[0].capitalize(), f"{plain[1]}.", f"{plain[2]}-{plain[3]}", "."]
    unknown = [
        *(plain[4].capitalize(), plain[5].upper(), f"{plain[6]}.", f"{plain[7]},"),
        *(f"{plain[8]}-{plain[9]}", f"{plain[10]}s", plain[11][:-1], f"{plain[12]}{plain[13]}"),
    ]
    said = rng.permutation(known[-4:] + [w for w in unknown if w not in known] + plain[:3]).tolist()
    captions = [" ".join(said[:6]), " ".join(said[6:9]), " ".join(said[9:])]
    return captions, [*SPECIALS, *rng.permutation(known).tolist()], _MOST


def _draw_one(rng: Random) -> Given:
    words = _vocabulary(rng, 40)
    return [_caption(rng, words, int(rng.randint(3, 9)))], words, _MOST


def _draw_long(rng: Random) -> Given:
    words = _vocabulary(rng, 40)
    return [_caption(rng, words, int(n)) for n in rng.permutation([9, 12, 2])], words, 10


def _draw_alike(rng: Random) -> Given:
    """Draw captions that are all of one length: nothing is padded."""
    words, size = _vocabulary(rng, 40), int(rng.randint(3, 7))
    return [_caption(rng, words, size) for _ in range(4)], words, _MOST


def _vocabulary(rng: Random, count: int) -> list[str]:
    """Draw a vocabulary: its words are in no order, and of 1 to 8 letters."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[_invented(rng, int(rng.randint(1, 9)))] = None
    return [*SPECIALS, *found]


def _invented(rng: Random, letters: int) -> str:
    return "".join(rng.choice(list("abcdehinorstuy"), letters).tolist())


def _caption(rng: Random, words: Sequence[str], size: int) -> str:
    return " ".join(words[i] for i in rng.randint(4, len(words), size))


def _call(subject: Subject, given: Given, *, default: bool = False) -> tuple[Any, Any]:
    captions, words, max_words = given
    extra = () if default else (max_words,)
    return _pair(subject.call((list(captions), list(words), *extra)).value)


def _pair(value: Any) -> tuple[Any, Any]:
    tokens, mask = entries(value, "tokens, mask")
    kinds = [each.dtype.kind if type(each) is np.ndarray else "" for each in (tokens, mask)]
    if kinds[0] == "b" != kinds[1]:
        raise Wrong("the results are in another order: it is tokens, mask")
    return tokens, mask


# --------------------------------------------------------------------------------- the tokens


def _right(given: Given, rows: Rows | None = None) -> np.ndarray:
    """The tokens of the captions, or of `rows` of numbers with <START> and <END> put round them."""
    captions, words, max_words = given
    vocabulary = Vocabulary(words, [0] * len(words))
    if rows is None:
        return vocabulary.encode_batch([" ".join(c.split()[:max_words]) for c in captions])
    return _rectangle([[START, *row, END] for row in rows])


def _rectangle(rows: Rows, *, width: int = 0, filler: int = NULL, left: bool = False) -> np.ndarray:
    width = max([width, *map(len, rows)])
    fill = [[filler] * (width - len(row)) for row in rows]
    padded = [gap + row if left else row + gap for row, gap in zip(rows, fill, strict=True)]
    return np.array(padded, np.int64)


def _tokens(tokens: Any, mask: Any) -> np.ndarray:
    if type(tokens) is not np.ndarray or tokens.ndim != 2:
        rows = ": make one array of the rows" if type(tokens) is list else ""
        raise Wrong(f"tokens is {describe(tokens)}: expected an int64 array (N, T){rows}")
    return tokens


def _require_tokens(tokens: np.ndarray, given: Given) -> None:
    right = _right(given)
    if tokens.shape == right.shape and np.array_equal(tokens, right):
        if tokens.dtype != np.int64:
            raise Wrong(f"tokens is {tokens.dtype}: it must be int64")
        return
    for words, other in _lookalikes(given).items():
        if tokens.shape == other.shape and np.array_equal(tokens, other):
            raise Wrong(f"tokens is wrong: {words}")
    if tokens.shape != right.shape:
        raise Wrong(
            f"tokens has shape {tokens.shape}, expected {right.shape} = (N, T), T being the length "
            "of the longest caption after the cut, with its <START> and <END>"
        )
    raise Wrong(f"tokens is wrong{_where(tokens, right)}")


def _where(tokens: np.ndarray, right: np.ndarray) -> str:
    """Say which sort of token stands wrong, and where first."""
    if not np.all(tokens[:, 0] == START):
        return ": not every row begins with <START>"
    wrong = tokens != right
    sorts = {
        "<END>": right == END,
        "the padding, <NULL>": right == NULL,
        "an unknown word": right == UNK,
        "a word": right > UNK,
    }
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    sort = next(name for name, where in sorts.items() if where[at])
    return f" in {wrong.sum()} of {wrong.size} places, the first at {at}, where {sort} belongs"


def _lookalikes(given: Given) -> Mapping[str, np.ndarray]:
    """What likely mistakes make of the tokens, each under the words that name it."""
    captions, words, max_words = given
    whole = [_numbers(caption, words) for caption in captions]
    rows = [row[:max_words] for row in whole]
    known = [[n for n in row if n != UNK] for row in whole]
    right = _right(given)
    width = right.shape[1]
    whole_lines = [[START, *row, END] for row in whole]
    found = {
        "<START> is missing": _rectangle([[*row, END] for row in rows]),
        "<START> is missing, and the row is as long as with it": _rectangle(
            [[*row, END] for row in rows], width=width
        ),
        "<END> is missing": _rectangle([[START, *row] for row in rows]),
        "<END> is missing, and <NULL> stands in its place": _rectangle(
            [[START, *row] for row in rows], width=width
        ),
        "<START> and <END> are missing": _rectangle([row or [NULL] for row in rows]),
        "<END> stands at the end of the row, behind the padding: it follows the last word": (
            _rectangle([[*row, END] for row in _rectangle([[START, *r] for r in rows]).tolist()])
        ),
        "longer captions are not cut": _right(given, whole),
        "longer captions are not cut, though the others are padded to the cut": _rectangle(
            whole_lines
        ),
        f"<END> is cut off with the words: {_CUT}": _rectangle(
            [line[: max_words + 1] for line in whole_lines]
        ),
        f"<END> is cut off with the words, and <NULL> stands in its place: {_CUT}": _rectangle(
            [line[: max_words + 1] for line in whole_lines], width=width
        ),
        f"<START> and <END> are counted in max_words: {_CUT}": _right(
            given, [row[: max(0, max_words - 2)] for row in whole]
        ),
        f"<START> is counted in max_words: {_CUT}": _right(
            given, [row[: max_words - 1] for row in whole]
        ),
        f"the whole row is cut to max_words, <START> and <END> with it: {_CUT}": _rectangle(
            [line[:max_words] for line in whole_lines]
        ),
        f"the last max_words words are kept: {_CUT}": _right(
            given, [row[-max_words:] for row in whole]
        ),
        f"longer captions are cut by letters: {_CUT}": _right(
            given, [_numbers(caption[:max_words], words) for caption in captions]
        ),
        "T is max_words and two whatever the captions: it is the longest one's": _rectangle(
            [[START, *row, END] for row in rows], width=max_words + 2
        ),
        "T is that of the longest caption before the cut": _rectangle(
            [[START, *row, END] for row in rows], width=max(map(len, whole_lines))
        ),
        "an unknown word is left out: <UNK> stands for it": _right(
            given, [row[:max_words] for row in known]
        ),
        "unknown words are left out, though <UNK> stands for them: T is right all the same": (
            _rectangle([[START, *row[:max_words], END] for row in known], width=width)
        ),
        "the padding stands in front: it comes after <END>": _rectangle(
            [[START, *row, END] for row in rows], left=True
        ),
        "the rows are transposed": right.T,
        "the words count from 0: the special ones have the first four numbers": np.where(
            right > UNK, right - 4, right
        ),
        "the words of each caption are in the reverse order": _right(
            given, [row[::-1] for row in rows]
        ),
        "the captions come in another order": right[np.argsort([-len(r) for r in rows])],
        "the captions come in the reverse order": right[::-1],
        "<START> and <END> are swapped": np.array([NULL, END, START, *range(3, len(words))])[right],
        "<START> stands in the place of <END> as well": np.where(right == END, START, right),
    }
    found |= _of_repeated(captions, rows) | _of_changed(given)
    for token, name in ((UNK, "<UNK>"), (END, "<END>"), (START, "<START>"), (-1, "-1")):
        line = [[START, *row, END] for row in rows]
        found[f"the padding is {name}: it is <NULL>"] = _rectangle(line, filler=token)
    for token, name in ((NULL, "<NULL>"), (START, "<START>"), (END, "<END>"), (-1, "-1")):
        found[f"an unknown word becomes {name}: <UNK> stands for it"] = np.where(
            right == UNK, token, right
        )
    return found


def _of_repeated(captions: Sequence[str], rows: Rows) -> Mapping[str, np.ndarray]:
    """What becomes of captions that come twice where each is looked up by what it says."""
    lines = [[START, *row, END] for row in rows]
    first = [captions.index(caption) for caption in captions]
    again = [n != i for i, n in enumerate(first)]
    if not any(again):
        return {}
    kept = [line for line, twice in zip(lines, again, strict=True) if not twice]
    empty = _rectangle(lines)
    empty[again] = NULL
    begun = empty.copy()
    begun[again, 0] = START
    found = {"here it has one, the first (a dict by caption, or a set?)": _rectangle(kept)}
    words = "here only the first is filled (captions.index(caption) finds the first)"
    found |= {words: empty, f"{words}, but for <START>": begun}
    return {f"{_TWICE}; {words}": other for words, other in found.items()}


def _of_changed(given: Given) -> Mapping[str, np.ndarray]:
    """What comes of words that are not taken as they stand."""
    captions, words, max_words = given
    changes = {
        "capitals are made small": str.lower,
        "points at the ends of words are cut off": lambda c: " ".join(
            word.strip(_ENDS) for word in c.split()
        ),
        "words are split at hyphens": lambda c: c.replace("-", " "),
        "an s at the end of a word is cut off": lambda c: " ".join(
            word.rstrip("s") for word in c.split()
        ),
        "an s at the end of an unknown word is cut off": lambda c: " ".join(
            word if word in words else word.rstrip("s") for word in c.split()
        ),
        "an unknown word becomes a word that begins with it": lambda c: " ".join(
            next((w for w in words if w.startswith(word)), word) if word not in words else word
            for word in c.split()
        ),
        "a word becomes the first that begins with it": lambda c: " ".join(
            next((w for w in words if w.startswith(word)), word) for word in c.split()
        ),
    }
    return {
        f"{what}: take each word as it stands": _right(
            given, [_numbers(change(caption), words)[:max_words] for caption in captions]
        )
        for what, change in changes.items()
    }


def _numbers(caption: str, words: Sequence[str]) -> list[int]:
    known = {word: i for i, word in enumerate(words)}
    return [known.get(word, UNK) for word in caption.split()]


# ----------------------------------------------------------------------------------- the mask


def _require_mask(mask: Any, given: Given) -> None:
    tokens = _right(given)
    real = tokens != NULL
    if type(mask) is not np.ndarray or mask.ndim != 2:
        raise Wrong(f"mask is {describe(mask)}: expected a bool array (N, T)")
    if mask.dtype != bool and mask.shape == real.shape and np.array_equal(mask, real):
        raise Wrong(f"mask is {mask.dtype}: it must be bool, True and False")
    if mask.dtype != bool:
        raise Wrong(f"mask is {mask.dtype}: expected a bool array (N, T)")
    if mask.shape == real.T.shape != real.shape:
        raise Wrong(f"mask has shape {mask.shape}, expected {real.shape} = (N, T): transposed?")
    if mask.shape != real.shape:
        raise Wrong(f"mask has shape {mask.shape}, expected {real.shape} = (N, T), as tokens")
    if np.array_equal(mask, real):
        return
    for words, other in _other_masks(tokens).items():
        if np.array_equal(mask, other):
            raise Wrong(f"mask is wrong: {words}")
    at = tuple(int(i) for i in np.argwhere(mask != real)[0])
    raise Wrong(f"mask is wrong in {np.sum(mask != real)} of {mask.size} places, the first at {at}")


def _other_masks(tokens: np.ndarray) -> Mapping[str, np.ndarray]:
    real = tokens != NULL
    after_end = np.cumsum(tokens == END, axis=1) > 0
    belongs = "it is True on all but the padding"
    return {
        "it is True on the padding and False on the rest: the other way round": ~real,
        "it is True everywhere: the padding is False": np.ones_like(real),
        "it is False everywhere": np.zeros_like(real),
        f"<END> is False: it is a word to be predicted, {belongs}": real & (tokens != END),
        f"<START> is False: {belongs}": real & (tokens != START),
        f"<START> and <END> are False: {belongs}": real & (tokens > END),
        f"<UNK> is False: {belongs}": real & (tokens != UNK),
        f"only the known words are True: {belongs}": tokens > UNK,
        "the first place of the padding is True": np.roll(real, 1, axis=1) | real,
        f"the place before <END> is False: {belongs}": ~np.roll(after_end, -1, axis=1),
    }


ENCODE_CAPTIONS = Exercise(
    "encode_captions",
    points=2,
    referee=lambda: "the definition, and cs_caption.data.Vocabulary",
    cases=(
        Case('two captions, "a straw hat" and "hat": the tokens', 2, _by_hand, drawn=False),
        Case("captions of different lengths: the tokens", 3, _case(_judge_tokens, draw_ragged)),
        Case("captions of different lengths: the mask", 3, _case(_judge_mask, draw_ragged)),
        Case("unknown words: the tokens", 2, _case(_judge_tokens, _draw_unknown)),
        Case("unknown words: the mask", 1, _case(_judge_mask, _draw_unknown)),
        Case(
            "words that are nearly known ones (capitals, points, hyphens, endings): the tokens",
            2,
            _case(_judge_tokens, _draw_resembling),
        ),
        Case("captions that come twice: a row each", 1, _case(_judge_both, _draw_twice)),
        Case("one caption (N = 1)", 1, _case(_judge_both, _draw_one)),
        Case("captions of one length: no padding", 1, _case(_judge_both, _draw_alike)),
        Case("captions longer than max_words, and than 16 where none is given", 3, _cut),
        Case("a max_words that no caption reaches, or just one does", 1, _none_cut),
        Case("the captions in another order: the rows follow", 1, _reordered),
        Case("inputs unchanged; nothing is left over from other calls", 1, _left_alone),
    ),
)
