"""The check of beam_search: tables in a model's place, searched in the same way, or wholly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.searches import (
    Pair,
    Rules,
    Task,
    alike,
    everything,
    log_prob_of,
    search,
)
from cs_caption.checks.n05_beam_and_metrics.tables import (
    END,
    START,
    Random,
    Table,
    draw_table,
    likelier,
    normalised,
)
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import UNTOUCHED, awkward, describe, unchanged

_APART = 1e-6  # at least, between scores of which one is kept: rounding must not decide

_IMPROBABLE = (-60.0, -13.0)  # log-probabilities of words that are possible
_FITS = 2  # at most so many mistakes are named that explain the same

_Mistake = Callable[[Task], list[Pair]]


def _by(**rules: Any) -> _Mistake:
    return lambda task: search(task, Rules(**rules))


def _otherwise(change: Callable[[Task], Mapping[str, Any]]) -> _Mistake:
    """A search that is right, of something else than what was asked for."""
    return lambda task: search(replace(task, **change(task)))


def _then(change: Callable[[Task, tuple[int, ...], float], Pair | None], **rules: Any) -> _Mistake:
    """A search after which each pair is changed, or left out."""

    def mistake(task: Task) -> list[Pair]:
        changed = [change(task, *pair) for pair in search(task, Rules(**rules))]
        return [pair for pair in changed if pair is not None]

    return mistake


def _cut(task: Task, tokens: tuple[int, ...]) -> tuple[int, ...]:
    return tokens[: tokens.index(task.end) + 1] if task.end in tokens else tokens


def _score(task: Task, tokens: tuple[int, ...], log_prob: float) -> float:
    return log_prob / len(tokens) ** task.alpha


def _by_log_prob(task: Task) -> list[Pair]:
    return sorted(search(task), key=lambda pair: -pair[1])


_UNFROZEN = "a beginning that has said <END> is a sentence: it is not extended any more"
_PAYS = "a sentence that has ended keeps its log_prob: nothing is added for it at later steps"
_LOST = "sentences that have ended are lost"
_PLACE = (
    "sentences that have ended are put aside: they keep their places among the `beam` best, and "
    "lose them where enough others are better"
)
_BEST_ENDED = "it stops when the best has ended: others have not, and may yet overtake it"
_ANY_ENDED = "it stops when the first has ended: others have not, and may yet overtake it"
_NOT_CARRIED = "the state is not carried on from word to word"
_NOT_MOVED = "each beginning needs the state of the one that it extends: state[rows]"
_ONE_WAY = "only the best word goes on from each beginning: two of the best may have the same start"
_ONE_PARENT = "only the best beginning is extended: all are"
_ALIKE = "at the first step there is one beginning, not `beam` of them that are alike"
_ONE_WAY_LATER = (
    "after the first step only the best word goes on from each beginning: two of the best may have "
    "the same start"
)
_FEW_WAYS = "too few words go on from each beginning: all of the best may have the same start"
_UNCUT = "it cuts at the end only: at each step only the `beam` best are kept"
_WU = "length is made (5 + length) / 6, as in translation: here it is length alone"
_TIMES = "log_prob is multiplied by a power of the length: it is divided"
_ONE_MORE = "one more than `beam` is kept at each step"
_LEAST = "words that are very improbable are left out: only -inf makes a word impossible"
_GREEDY = "`beam` is not used: it finds what one beginning finds"
_NOT_READ = "the last word of each beginning must be read to make the next"
_AT_LAST = "the scores rank the sentences at the end only: they decide at every step what is kept"
_NO_ALPHA = "alpha is not used: log_prob ranks"
_NO_ALPHA_AT_LAST = "the list is sorted by log_prob, not by the score"
_CUMULATIVE = "what is added up is divided at each step anew: divide only to compare"
_DROPPED = "only sentences that have ended are returned: the others come back as they are"
_OWN_LENGTH = (
    "the score of a sentence that has ended is made with the number of the step, not with the "
    "length of the sentence"
)

_MISTAKES: dict[str, _Mistake] = {
    _GREEDY: _otherwise(lambda task: {"beam": 1}),
    "it returns the best sentence only, not the list of the best": lambda task: search(task)[:1],
    "the worst comes first": lambda task: search(task)[::-1],
    _NOT_CARRIED: _by(carried=False),
    _NOT_MOVED: _by(moved=False),
    _NOT_READ: _by(reads=False),
    _ONE_WAY: _by(ways=1),
    _ONE_WAY_LATER: _by(later=1),
    _UNCUT: lambda task: everything(task)[: task.beam],
    _ONE_PARENT: _by(parents=1),
    _ALIKE: _by(alike=True),
    "it adds probabilities: add their logarithms, as step returns them": _by(sums=False),
    "the least probable words win": _by(lowest=True),
    _UNFROZEN: _by(ended="goes on", stops="never"),
    _UNFROZEN + " ": _by(ended="goes on"),
    _UNFROZEN + " (cut off afterwards, its log_prob is another's)": _then(
        lambda task, tokens, log_prob: (_cut(task, tokens), log_prob),
        ended="goes on",
        stops="never",
    ),
    _UNFROZEN + " (that it is cut off afterwards is too late)": _then(
        lambda task, tokens, log_prob: (_cut(task, tokens), log_prob_of(task, _cut(task, tokens))),
        ended="goes on",
        stops="never",
    ),
    _PAYS: _by(ended="pays"),
    _LOST: _by(ended="lost"),
    _PLACE: _by(ended="apart"),
    _PLACE + " ": _by(ended="shrinks"),
    _BEST_ENDED: _by(stops="best"),
    _ANY_ENDED: _by(stops="any"),
    _ANY_ENDED + " ": _by(stops="any", ended="apart"),
    _NO_ALPHA: _by(ranks="log_prob"),
    _WU: _by(length="translation"),
    _AT_LAST: _by(ranks="last"),
    _NO_ALPHA_AT_LAST: _by_log_prob,
    _OWN_LENGTH: _by(length="step"),
    "<END> is one of the words: it counts in the length": _by(length="without end"),
    "<START> is none of the words: it does not count in the length": _by(length="with start"),
    _TIMES: _by(divides=False),
    _CUMULATIVE: _by(cumulative=True),
    "the score is returned in the place of log_prob": _then(
        lambda task, tokens, log_prob: (tokens, _score(task, tokens, log_prob))
    ),
    _DROPPED: _then(
        lambda task, tokens, log_prob: (tokens, log_prob) if task.end in tokens else None
    ),
    "<END> is missing from the sentences that have ended": _then(
        lambda task, tokens, log_prob: (tuple(w for w in tokens if w != task.end), log_prob)
    ),
    "<START> is in the lists: it is read first, and is none of the words": _then(
        lambda task, tokens, log_prob: ((task.start, *tokens), log_prob)
    ),
    "<END> is left out of log_prob: it is one of the words": _then(
        lambda task, tokens, log_prob: (
            tokens,
            log_prob_of(task, tokens, len(tokens) - (tokens[-1] == task.end)),
        )
    ),
    "log_prob is a probability, not its logarithm": _then(
        lambda task, tokens, log_prob: (tokens, float(np.exp(log_prob)))
    ),
    "the sign of log_prob is wrong": _then(lambda task, tokens, log_prob: (tokens, -log_prob)),
    "the words are in the reverse order": _then(
        lambda task, tokens, log_prob: (tokens[::-1], log_prob)
    ),
    "the sentences have a word more than max_len": _otherwise(
        lambda task: {"max_len": task.max_len + 1}
    ),
    "the sentences have a word less than max_len: <START> is none of them": _otherwise(
        lambda task: {"max_len": max(1, task.max_len - 1)}
    ),
    "word 1 is read first, not `start`": _otherwise(lambda task: {"start": START}),
    "word 0 is read first, not `start`": _otherwise(lambda task: {"start": 0}),
    "sentences end with word 2, not with `end`": _otherwise(lambda task: {"end": END}),
    "word 0 is never said: only -inf makes a word impossible": _by(never=(0,)),
    "word 3 is never said: only -inf makes a word impossible": _by(never=(3,)),
    "words 0 and 3 are never said: only -inf makes a word impossible": _by(never=(0, 3)),
    _ONE_MORE: lambda task: search(replace(task, beam=task.beam + 1))[: task.beam],
}
_MISTAKES |= {_FEW_WAYS + " " * n: _by(ways=n) for n in range(2, 8)}
_MISTAKES |= {_FEW_WAYS + " " * (n + 8): _by(later=n) for n in range(2, 8)}
_MISTAKES[_FEW_WAYS + " " * 16] = lambda task: search(task, Rules(ways=(task.beam + 1) // 2))
_MISTAKES |= {_LEAST + " " * n: _by(least=-float(n)) for n in range(5, -int(_IMPROBABLE[0]))}


# ---------------------------------------------------------------------------------- what is found


def _found(outcome: Outcome, task: Task) -> list[Pair]:
    """Return the pairs if they are pairs of words and a number, in whatever kind of list."""
    value = outcome.value
    if type(value) not in (list, tuple):
        raise Wrong(
            f"what it returns is {describe(value)}: expected a list of pairs (tokens, log_prob)"
        )
    return [_pair(item, task.table.V) for item in value]


def _pair(item: Any, V: int) -> Pair:
    if type(item) not in (list, tuple) or len(item) != 2:
        raise Wrong(f"an item of the list is {describe(item)}: expected pairs (tokens, log_prob)")
    tokens, log_prob = item
    if type(log_prob) in (list, tuple):
        raise Wrong("in the pairs log_prob comes first: expected (tokens, log_prob)")
    if type(tokens) is np.ndarray and tokens.ndim == 1:
        tokens = tokens.tolist()
    if type(tokens) not in (list, tuple):
        raise Wrong(f"the tokens of a pair are {describe(tokens)}: expected a list")
    odd = [word for word in tokens if not (type(word) is int or isinstance(word, np.integer))]
    if odd:
        raise Wrong(f"one of the tokens is {describe(odd[0])}: expected whole numbers")
    if not all(0 <= word < V for word in tokens):
        raise Wrong(f"there are words that are not among 0 to V - 1 = {V - 1}")
    if type(log_prob) is np.ndarray and log_prob.size == 1:
        log_prob = log_prob.reshape(())[()]
    if type(log_prob) not in (float, int, np.float64):
        raise Wrong(f"the log_prob of a pair is {describe(log_prob)}: expected a float")
    return tuple(int(word) for word in tokens), float(log_prob)


def _judge(
    subject: Subject, tasks: Sequence[Task], expected: Sequence[list[Pair]] | None = None
) -> None:
    try:
        outcomes = subject.calls([task.args() for task in tasks])
    except Wrong as stopped:
        raise Wrong(f"{stopped}{_when_all_have_ended(str(stopped))}") from None
    found = [_found(o, task) for o, task in zip(outcomes, tasks, strict=True)]
    _require(tasks, found, expected or [search(task) for task in tasks])


def _when_all_have_ended(stopped: str) -> str:
    """A hint where it stops as it does if it moves the states of nothing."""
    signs = (
        "arrays used as indices must be of integer",
        "only integers, slices",
        "need at least one array to",
        "tokens of shape (0,)",
    )
    if not any(sign in stopped for sign in signs):
        return ""
    return (
        ". Is it a step at which all have ended? Then there is no row to take or to step, and "
        "np.array([]) is of floats: stop before"
    )


def _require(
    tasks: Sequence[Task], found: Sequence[list[Pair]], expected: Sequence[list[Pair]]
) -> None:
    right = [alike(a, b) for a, b in zip(found, expected, strict=True)]
    if all(right):
        return
    fitting = (words.strip() for words in _MISTAKES if _fits(words, tasks, found))
    fits = list(dict.fromkeys(islice(fitting, _FITS)))
    if fits:  # a beam that is a little wider explains much, and is seldom what happened
        raise Wrong(". Or: ".join([words for words in fits if words != _ONE_MORE] or fits))
    at = right.index(False)
    raise Wrong(_what_is_odd(tasks[at], found[at], expected[at]))


def _fits(words: str, tasks: Sequence[Task], found: Sequence[list[Pair]]) -> bool:
    mistake = _MISTAKES[words]
    return all(alike(pairs, mistake(task)) for task, pairs in zip(tasks, found, strict=True))


def _what_is_odd(task: Task, found: list[Pair], expected: list[Pair]) -> str:
    """Say what cannot be, whatever was searched; or else which of the sentences is another."""
    said = [tokens for tokens, _ in found]
    if not found:
        return (
            "it returns an empty list. What has ended must not get lost, and what has not ended "
            "after max_len words is returned as it is"
        )
    if len(set(said)) < len(set(found)):
        return (
            "the same words come twice, with different log_probs. May it be that beginnings share "
            "one list? `append` and += change it for all of them: [*tokens, word] makes a new one"
        )
    said_of = {
        "the list holds an impossible sentence: log_prob is -inf or NaN": any(
            not np.isfinite(log_prob) for _, log_prob in found
        ),
        f"it returns {len(found)} sentences where beam is {task.beam}": len(found) > task.beam,
        "<START> is in the lists: it is read first, and is none of the words": any(
            task.start in tokens for tokens in said
        ),
        "there is a sentence without a word": () in said,
        f"there are sentences of more than max_len = {task.max_len} words": any(
            len(tokens) > task.max_len for tokens in said
        ),
        "it goes on after <END>: " + _UNFROZEN: any(task.end in tokens[:-1] for tokens in said),
        "the same sentence comes twice: " + _ALIKE: len(set(said)) < len(said),
        "there are sentences that have not ended, and have fewer than max_len words": any(
            tokens and tokens[-1] != task.end and len(tokens) < task.max_len for tokens in said
        ),
    }
    for words, holds in said_of.items():
        if holds:
            return words
    for tokens, log_prob in found:
        if not alike([(tokens, log_prob)], [(tokens, log_prob_of(task, tokens))]):
            return (
                "log_prob is not what its words add up to: each word's log-probability, in the "
                "state of its own beginning, <END>'s too"
            )
    return _which_is_another(task, found, expected)


def _which_is_another(task: Task, found: list[Pair], expected: list[Pair]) -> str:
    scores = [_score(task, *pair) for pair in found]
    if scores != sorted(scores, reverse=True):
        return "the sentences are not in the order of their scores, best first"
    if len(found) < len(expected):
        return f"it returns {len(found)} sentences; there are more to be found, at most `beam`"
    if len(found) > len(expected):
        return "it returns sentences that a search of this width does not find"
    pairs = zip(found, expected, strict=True)
    at = next(i for i, (a, b) in enumerate(pairs) if a[0] != b[0])
    place = "the best sentence" if at == 0 else f"the best is right, but sentence {at} (from 0)"
    return (
        f"{place} is another than what the `beam` best beginnings of each step lead to (beam is "
        f"{task.beam})"
    )


# ---------------------------------------------------------------------------------- the cases


def _drawn(rng: Random, tasks: Callable[[Random], list[Task]], aimed: Sequence[str]) -> list[Task]:
    """Draw tasks until each of the mistakes is seen and told apart, and rounding decides nothing.

    Two that are aimed at never explain the same.
    """
    while True:
        found = tasks(rng)
        gaps: list[float] = []
        right = [search(task, gaps=gaps) for task in found]
        if min(gaps, default=1) <= _APART:
            continue
        answers = [right]
        for words in aimed:
            answer = [_MISTAKES[words](task) for task in found]
            if any(all(map(alike, answer, other)) for other in answers):
                break
            answers.append(answer)
        else:
            if _UNCUT not in aimed or not any(map(_has_ties, found)):
                return found


def _has_ties(task: Task) -> bool:
    """Whether of all sentences the best are so near to each other that rounding ranks them."""
    scores = [_score(task, *pair) for pair in everything(task)[: task.beam + 1]]
    return any(a - b <= _APART for a, b in pairwise(scores))


def _case(tasks: Callable[[Random], list[Task]], *aimed: str) -> Run:
    """Return a case: tasks that are drawn, and what they are for."""

    def run(subject: Subject, rng: Random) -> None:
        _judge(subject, _drawn(rng, tasks, aimed))

    return run


def _task(
    rng: Random,
    beam: int,
    max_len: int,
    states: Sequence[int] = (1, 1),
    *,
    start: int = START,
    end: int = END,
    alpha: float = 0.0,
    ends: float = 0.0,
    spread: float = 1.2,
    V: int = 7,
) -> Task:
    """Draw a task in which what follows <END> is almost certain: it tempts to go on.

    ends: by how many nats <END> is likelier than other words
    """
    table = likelier(draw_table(rng, V, states, start=start, spread=spread), end, ends)
    log_probs = table.log_probs.copy()
    others = [word for word in range(V) if word not in (start, end)]
    log_probs[..., end, int(rng.choice(others))] = np.max(log_probs[..., end, :], axis=-1) + 4
    state = tuple(int(rng.randint(S)) for S in states)
    table = Table(normalised(log_probs), table.following)
    return Task(table, state, beam, max_len, start, end, alpha)


def _greedy(rng: Random) -> list[Task]:
    return [_task(rng, 1, 6, (2, 2), ends=ends, V=5) for ends in (-1.0, 0.5)]


def _one_step(rng: Random) -> list[Task]:
    few = [_task(rng, beam, 1, (3, 2), ends=1.0) for beam in (1, 3, 4)]
    return [*few, _task(rng, 8, 1, (3, 2), ends=1.0, V=12)]


def _several(rng: Random) -> list[Task]:
    return [_task(rng, beam, 4, ends=-np.inf, V=6) for beam in (2, 3, 4)]


def _with_states(rng: Random) -> list[Task]:
    return [_task(rng, beam, 4, (3, 2), ends=-np.inf, V=6) for beam in (2, 3, 4)]


def _frozen(rng: Random) -> list[Task]:
    return [_task(rng, beam, 6, (3, 2), ends=1.0, spread=2.0, V=5) for beam in (2, 3, 3, 4)]


def _until_all(rng: Random) -> list[Task]:
    return [
        _task(rng, beam, 8, (3, 2), ends=ends, V=4) for beam, ends in ((2, 1.0), (3, 1.5), (4, 1.5))
    ]


def _endless(rng: Random) -> list[Task]:
    return [_task(rng, beam, 5, (3, 2), ends=-np.inf, V=5) for beam in (1, 2, 4)]


def _normalised(rng: Random) -> list[Task]:
    return [
        _task(rng, beam, 5, (3, 2), alpha=alpha, ends=ends, V=5)
        for beam, alpha, ends in ((2, 1.0, 0.5), (3, 0.6, 0.5), (4, 1.0, 1.0), (3, 1.5, 0.5))
    ]


def _overtaken(rng: Random) -> list[Task]:
    return [
        _task(rng, beam, 7, (3, 2), alpha=alpha, ends=1.5, V=4)
        for beam, alpha in ((2, 1.0), (3, 1.5), (4, 1.0))
    ]


def _elsewhere(rng: Random) -> list[Task]:
    return [
        _task(rng, 3, 4, (3, 2), start=start, end=end, ends=1.0)
        for start, end in ((5, 0), (0, 6), (4, 1))
    ]


def _few(subject: Subject, rng: Random) -> None:
    """Fewer sentences are possible than `beam`: most words have log-probability -inf."""
    _find_all(subject, lambda: _with_few_ways(_task(rng, 9, 4, (3, 2), ends=0.5), rng))


def _find_all(subject: Subject, draw: Callable[[], Task]) -> None:
    """Judge two tasks whose beam has room for every sentence."""
    tasks: list[Task] = []
    while len(tasks) < 2:
        task, gaps = draw(), []
        search(task, gaps=gaps)
        tasks += [task] if min(gaps) > _APART else []
    _judge(subject, tasks, [everything(task) for task in tasks])


def _with_few_ways(task: Task, rng: Random) -> Task:
    """Leave one word beside <END> in each place: of each length one sentence ends.

    Here <END> is the probable one of the two, there it is all but impossible.
    """
    table = task.table
    scores = np.full_like(table.log_probs, -np.inf)
    others = [word for word in range(table.V) if word not in (task.start, task.end)]
    for at in np.ndindex(scores.shape[:-1]):
        both = [int(rng.choice(others)), task.end]
        scores[(*at, both)] = table.log_probs[(*at, both)]
        scores[(*at, both[rng.randint(2)])] += rng.uniform(*_IMPROBABLE)
    return replace(task, table=Table(normalised(scores), table.following))


def _whole(subject: Subject, rng: Random) -> None:
    _find_all(subject, lambda: _task(rng, 40, 4, (3, 2), ends=0.5, V=4))


def _left_alone(subject: Subject, rng: Random) -> None:
    """Lists and floats; a state that is write-protected; the same again."""
    (task,) = _drawn(rng, lambda rng: [_task(rng, 3, 6, (3, 2), ends=0.5, V=5)], ())
    step, state, *rest = task.args()
    outcomes = subject.calls([(step, awkward(state), *rest), (step, state, *rest)])
    for outcome in outcomes:
        if 1 in outcome.mutated:
            unchanged(replace(outcome, mutated=(1,)), "step, state")
    found = [_found(outcome, task) for outcome in outcomes]
    _require([task] * 2, found, [search(task)] * 2)
    for outcome in outcomes:
        _require_types(outcome.value)


def _require_types(value: Any) -> None:
    if type(value) is not list:
        raise Wrong(f"what it returns is {describe(value)}: expected a list")
    for tokens, log_prob in value:
        if type(tokens) is not list:
            raise Wrong(f"the tokens of a pair are {describe(tokens)}: expected a list")
        if type(log_prob) not in (float, np.float64):
            raise Wrong(f"the log_prob of a pair is {describe(log_prob)}: expected a float")


BEAM_SEARCH = Exercise(
    "beam_search",
    points=5,
    referee=lambda: (
        "tables in a model's place: searched in the same way, or wholly where they are small"
    ),
    cases=(
        Case(
            "a beam of 1: the most probable word, read back in",
            1,
            _case(_greedy, _NOT_CARRIED, _NOT_READ, _UNFROZEN),
        ),
        Case("sentences of one word (max_len is 1)", 1, _case(_one_step)),
        Case(
            "beams of 2, 3 and 4 (nothing ends)",
            2,
            _case(
                _several,
                *(_GREEDY, _ONE_WAY_LATER, _ONE_PARENT, _ALIKE, _NOT_READ, _UNCUT),
            ),
        ),
        Case(
            "each beginning has its own state (nothing ends)",
            2,
            _case(_with_states, _NOT_CARRIED, _NOT_MOVED, _ONE_WAY_LATER, _UNCUT),
        ),
        Case(
            "sentences that have ended stay as they are, and compete",
            3,
            _case(_frozen, _PLACE, _PLACE + " ", _LOST, _PAYS, _UNFROZEN, _UNCUT),
        ),
        Case(
            "the search goes on until all have ended",
            2,
            _case(_until_all, _BEST_ENDED, _ANY_ENDED),
        ),
        Case("nothing ever ends", 1, _case(_endless, _UNCUT)),
        Case(
            "alpha: scores rank at every step",
            3,
            _case(
                _normalised,
                *(_NO_ALPHA, _TIMES, _WU, _NO_ALPHA_AT_LAST, _AT_LAST, _CUMULATIVE, _UNCUT),
            ),
        ),
        Case(
            "alpha: a sentence that has ended is overtaken",
            2,
            _case(_overtaken, _BEST_ENDED, _ANY_ENDED, _NO_ALPHA, _WU),
        ),
        Case("impossible words, and very improbable ones: fewer sentences than `beam`", 1, _few),
        Case("room for every sentence: the search finds them all", 1, _whole),
        Case(
            "another start, another end",
            1,
            _case(
                _elsewhere,
                "word 1 is read first, not `start`",
                "sentences end with word 2, not with `end`",
            ),
        ),
        Case(f"lists and floats; {UNTOUCHED}", 1, _left_alone),
    ),
    banned=("cs_caption.metrics", "cs_caption.decoding"),
)
