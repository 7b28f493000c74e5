"""The check of sequence_log_prob: sentences whose probability a table knows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.tables import (
    END,
    START,
    Random,
    State,
    Table,
    normalised,
)
from cs_caption.checks.n05_beam_and_metrics.tables import draw_table as drawn
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import TOLERANCE, UNTOUCHED, awkward, describe, unchanged

_V = 7
_LONG = 900  # words: the product of their probabilities is below every float
_START_ELSEWHERE = 5
_IMPROBABLE = (-14.0, -58.0)  # log-probabilities of words that are possible
_FLOORS = tuple(10.0**-n for n in range(5, 21))
_FITS = 2  # at most so many mistakes are named that explain the same


@dataclass(frozen=True)
class _Sentence:
    table: Table
    state: State
    tokens: list[int]
    start: int = START

    def args(self) -> tuple:
        given = (self.table.step(), self.table.row(self.state), self.tokens)
        return given if self.start == START else (*given, self.start)

    def gains(
        self, *, read: Sequence[int] | None = None, carried: bool = True, state: State | None = None
    ) -> np.ndarray:
        """The log-probability of each word. read: what is read before each, if not the sentence."""
        read = [self.start, *self.tokens][: len(self.tokens)] if read is None else read
        now, found = self.state if state is None else state, []
        for word, token in zip(read, self.tokens, strict=True):
            row, after = self.table.read(now, word)
            found.append(row[token])
            now = after if carried else now
        return np.array(found)

    def greedy(self, *, adds_it: bool = False) -> float:
        """What the words (or what is read) add up to if the most probable word is read back."""
        now, word, total = self.state, self.start, 0.0
        for token in self.tokens:
            row, now = self.table.read(now, word)
            word = int(row.argmax())
            total += float(row.max() if adds_it else row[token])
        return total

    def rows(self) -> list[np.ndarray]:
        """The log-probabilities of all words at each place."""
        now, found = self.state, []
        for word in [self.start, *self.tokens[:-1]]:
            row, now = self.table.read(now, word)
            found.append(row)
        return found


def _mistaken(sentence: _Sentence) -> dict[str, float]:
    """What likely mistakes make of a sentence, under words that name them."""
    s, T = sentence, len(sentence.tokens)
    right = s.gains()
    _, warmed = s.table.read(s.state, s.start)
    others = {
        "the probabilities are multiplied: it is their product, not its logarithm": np.exp(
            right.sum()
        ),
        "probabilities are added: add their logarithms, as step returns them": np.exp(right).sum(),
        "the logarithm is taken of a log-probability, or of a sum of probabilities": np.log(
            np.exp(right).sum()
        ),
        "it is divided by the number of words: their sum is asked for": right.mean(),
        "its sign is wrong": -right.sum(),
        "the logarithms are to base 2": right.sum() / np.log(2),
        "the logarithms are to base 10": right.sum() / np.log(10),
        "the last word is left out of the sum": right[:-1].sum(),
        "the first word is left out of the sum: <START> is read, and the first word comes after "
        "it": right[1:].sum(),
        "the last word counts twice": right.sum() + right[-1],
        "the state is not carried on from word to word": s.gains(carried=False).sum(),
        "each word must be read to make the next": s.gains(read=[s.start] * T).sum(),
        "the first word is read in the place of `start`": s.gains(
            read=[s.tokens[0], *s.tokens[: T - 1]]
        ).sum(),
        "a word's log-probability is looked up after it was read, not before": s.gains(
            read=s.tokens
        ).sum(),
        "`start` is read twice": s.gains(state=warmed).sum(),
        "word 0 is read first, not `start`": s.gains(read=[0, *s.tokens[: T - 1]]).sum(),
        "the words are read from the last to the first": _Sentence(
            s.table, s.state, s.tokens[::-1], s.start
        )
        .gains()
        .sum(),
        "the most probable word of each step is added up, not the sentence's": sum(
            row.max() for row in s.rows()
        ),
        "what is read is the most probable word, not the sentence's own": s.greedy(),
        "the most probable word of each step is read and added up, not the sentence's": s.greedy(
            adds_it=True
        ),
        "only the last word counts": right[-1],
        "only the first word counts": right[0],
    }
    others |= _at_special_words(s, right)
    if s.start != START:
        others["word 1 is read first, not `start`"] = s.gains(
            read=[START, *s.tokens[: T - 1]]
        ).sum()
    return {words: float(value) for words, value in others.items()}


def _at_special_words(s: _Sentence, right: np.ndarray) -> dict[str, float]:
    """What mistakes make of a sentence with word 2 or 0 in it, or without <END>."""
    tokens = np.array(s.tokens)
    found = {"<END> is left out of the sum": right[tokens != END].sum()}
    if 0 in s.tokens:
        found["word 0 is left out of the sum: here it is a word"] = right[tokens != 0].sum()
        found["it stops at word 0: here it is a word"] = right[: s.tokens.index(0)].sum()
    if END in s.tokens[:-1]:
        like_others = "with another `start` it may be a word like others"
        kept = [word for word in s.tokens if word != END]
        left = replace(s, tokens=kept).gains().sum()
        found[f"it stops at word 2: {like_others}"] = right[: s.tokens.index(END) + 1].sum()
        found[f"word 2 is left out of the sentence: {like_others}"] = left
    if s.tokens[-1] != END:
        ended = _Sentence(s.table, s.state, [*s.tokens, END], s.start).gains().sum()
        found["<END> is added to a sentence that has not ended"] = ended
    return found


def _value(outcome: Outcome) -> float:
    """Return the number, whatever kind of float it is."""
    value = outcome.value
    if type(value) is np.ndarray and value.shape == ():
        value = value[()]
    if type(value) is np.ndarray:
        raise Wrong(
            f"what it returns is {describe(value)}: expected a float. log_probs has a row for each "
            "of the R rows, here one: log_probs[0, token]"
        )
    if type(value) not in (float, int, np.float64):
        raise Wrong(f"what it returns is {describe(value)}: expected a float")
    return float(value)


def _require(sentences: Sequence[_Sentence], found: Sequence[float]) -> None:
    expected = [float(s.gains().sum()) for s in sentences]
    if all(map(_alike, found, expected)):
        return
    if any(np.isnan(found)):
        raise Wrong("it returns NaN")
    _require_no_memory(sentences, found, expected)
    mistaken = [_mistaken(s) for s in sentences]
    fits = [
        words
        for words in dict.fromkeys(words for each in mistaken for words in each)
        if all(
            _alike(value, each.get(words, right))  # a mistake that shows in some sentences only
            for value, each, right in zip(found, mistaken, expected, strict=True)
        )
    ]
    if fits:
        raise Wrong("the log-probability is wrong: " + ". Or: ".join(fits[:_FITS]))
    at = next(i for i, pair in enumerate(zip(found, expected, strict=True)) if not _alike(*pair))
    T = len(sentences[at].tokens)
    raise Wrong(
        f"the log-probability of a sentence of {T} word{'s' * (T != 1)} is wrong: it is too "
        + ("high" if found[at] > expected[at] else "low")
    )


def _require_no_memory(
    sentences: Sequence[_Sentence], found: Sequence[float], expected: Sequence[float]
) -> None:
    """Fail where the same words get of another model what they got of the first."""
    for (a, first, right), (b, value, other) in combinations(
        zip(sentences, found, expected, strict=True), 2
    ):
        again = a.tokens == b.tokens and _alike(first, right) and _alike(value, right)
        if again and not _alike(right, other):
            raise Wrong(
                "the same words from another model get the same log-probability: nothing may be "
                "remembered from call to call"
            )


def _alike(value: float, expected: float) -> bool:
    if not np.isfinite(expected):
        return value == expected
    return abs(value - expected) <= TOLERANCE * max(1.0, abs(expected))


def _draw(
    rng: Random,
    T: int,
    states: Sequence[int] = (1, 1),
    *,
    start: int = START,
    ends: bool = True,
    middle: int | None = None,
) -> _Sentence:
    """Draw a table and a sentence of T words in which no word comes twice running.

    ends: <END> is its last word; else it is no word of it
    middle: a word that stands in its middle, 0 or <END>, which come nowhere else
    """
    table = drawn(rng, _V, states, start=start)
    usual = [w for w in range(_V) if w not in (0, END, start)]
    tokens: list[int] = []
    while len(tokens) < T - ends:
        word = int(rng.choice(usual))
        tokens += [word] if word not in tokens[-1:] else []
    if middle is not None:
        tokens[(T - 1) // 2] = middle
    state = tuple(int(rng.randint(S)) for S in states)
    return _Sentence(table, state, tokens + [END] * ends, start)


def _telling(rng: Random, many: Callable[[], list[_Sentence]]) -> list[_Sentence]:
    """Draw sentences until no likely mistake gives what is right for all of them."""
    while True:
        sentences = many()
        right = [float(s.gains().sum()) for s in sentences]
        mistaken = [_mistaken(s) for s in sentences]
        named = {words for each in mistaken for words in each}
        if not any(_same_for_all(words, mistaken, right) for words in named):
            return sentences


def _same_for_all(words: str, mistaken: list[dict[str, float]], right: list[float]) -> bool:
    return all(
        _alike(each.get(words, value), value) for each, value in zip(mistaken, right, strict=True)
    )


def _sentences(*, carried: bool) -> Run:
    """Return a case: sentences of 2 and 6 words that have ended, and one of 5 that has not.

    At last the first again, as another model has it.
    """
    states = (2, 2) if carried else (1, 1)

    def run(subject: Subject, rng: Random) -> None:
        def many() -> list[_Sentence]:
            return [
                _draw(rng, 6, states),
                _draw(rng, 2, states),
                _draw(rng, 5, states, ends=False, middle=0),
            ]

        sentences = _telling(rng, many) if carried else many()
        twin = _draw(rng, 6, states)
        _judge(subject, [*sentences, replace(twin, tokens=sentences[0].tokens)])

    return run


def _judge(subject: Subject, sentences: Sequence[_Sentence]) -> None:
    outcomes = subject.calls([s.args() for s in sentences])
    _require(sentences, [_value(outcome) for outcome in outcomes])


def _one_word(subject: Subject, rng: Random) -> None:
    """<END> at once, and one word that does not end."""
    _judge(subject, [_draw(rng, 1, (3, 2)), _draw(rng, 1, (3, 2), ends=False)])


def _nothing(subject: Subject, rng: Random) -> None:
    sentence = _draw(rng, 0, (3, 2), ends=False)
    (outcome,) = subject.calls([sentence.args()])
    value = _value(outcome)
    if value != 0:
        raise Wrong(
            "of a sentence without words it returns "
            + ("NaN" if np.isnan(value) else "something else than 0.0: nothing is added up")
        )


def _other_start(subject: Subject, rng: Random) -> None:
    def many() -> list[_Sentence]:
        return [
            _draw(rng, T, (3, 2), start=start, middle=END)
            for T, start in ((5, _START_ELSEWHERE), (4, 0))
        ]

    _judge(subject, _telling(rng, many))


def _impossible(subject: Subject, rng: Random) -> None:
    """A word of log-probability -inf; and words that are very improbable, but possible."""
    possible, other = _draw(rng, 5, (3, 2)), _draw(rng, 5, (3, 2))
    log_probs = other.table.log_probs.copy()
    log_probs[..., other.tokens[2]] = -np.inf
    impossible = _Sentence(Table(log_probs, other.table.following), other.state, other.tokens)
    scores = possible.table.log_probs.copy()
    for at, nats in zip((1, 3), _IMPROBABLE, strict=True):
        scores[..., possible.tokens[at]] = nats
    improbable = replace(possible, table=Table(normalised(scores), possible.table.following))
    many = [possible, impossible, improbable]
    outcomes = subject.calls([sentence.args() for sentence in many])
    fine, value, low = (_value(outcome) for outcome in outcomes)
    _require([possible], [fine])
    if value != -np.inf:
        raise Wrong(
            f"a word of the sentence is impossible, and so is the sentence: it returns "
            f"{'NaN' if np.isnan(value) else 'another number'}, expected -inf"
        )
    _require_improbable(improbable, low)


def _require_improbable(sentence: _Sentence, value: float) -> None:
    gains = sentence.gains()
    if value == -np.inf:
        raise Wrong("of words that are very improbable, but possible, it returns -inf")
    raised = [np.log(np.exp(gains) + small).sum() for small in _FLOORS]
    raised += [np.maximum(gains, np.log(small)).sum() for small in _FLOORS]
    raised += [np.maximum(gains, -whole).sum() for whole in range(10, 58)]
    if not _alike(value, float(gains.sum())) and any(_alike(value, other) for other in raised):
        raise Wrong(
            "words that are very improbable are made more probable than they are: nothing is added "
            "to a probability, and none is cut"
        )
    _require([sentence], [value])


def _long(subject: Subject, rng: Random) -> None:
    """So many words that the product of their probabilities is 0."""
    sentence = _draw(rng, _LONG, (3, 2))
    (outcome,) = subject.calls([sentence.args()])
    value = _value(outcome)
    if value == -np.inf or np.isnan(value):
        raise Wrong(
            f"of a sentence of {_LONG} words it returns {'NaN' if np.isnan(value) else '-inf'}: "
            "the product of so many probabilities is too small for a float. Add logarithms instead"
        )
    _require([sentence], [value])


def _left_alone(subject: Subject, rng: Random) -> None:
    """A float; a state that is write-protected; tokens stay; the same again."""
    sentence = _draw(rng, 6, (3, 2), middle=0)
    step, state, tokens = sentence.args()
    outcomes = subject.calls([(step, awkward(state), tokens), (step, state, tokens)])
    for outcome in outcomes:
        unchanged(outcome, "step, state, tokens")
        if type(outcome.value) not in (float, np.float64):
            raise Wrong(f"what it returns is {describe(outcome.value)}: expected a float")
    _require([sentence, sentence], [_value(outcome) for outcome in outcomes])


SEQUENCE_LOG_PROB = Exercise(
    "sequence_log_prob",
    points=2,
    referee=lambda: "tables in a model's place: what each word adds can be looked up",
    cases=(
        Case("sentences of one word", 1, _one_word),
        Case("sentences of 2, 5 and 6 words, ended and not", 2, _sentences(carried=False)),
        Case("the state is carried on", 2, _sentences(carried=True)),
        Case("no word at all", 1, _nothing),
        Case("another start (and word 2 is a word like others)", 1, _other_start),
        Case("words that are very improbable, or impossible", 1, _impossible),
        Case(f"a sentence of {_LONG} words", 1, _long),
        Case(f"a float; {UNTOUCHED}", 1, _left_alone),
    ),
    banned=("cs_caption.metrics", "cs_caption.decoding"),
)
