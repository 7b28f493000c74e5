"""The check of sample_caption: tables in the model's place, whose captions are known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.checks.built import table_step
from cs_caption.checks.chances import NATS, NATS_GROWING, likely, log_softmax
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import floats, is_tensor, torch_here, unchanged, whole
from cs_caption.checks.values import describe

Random = np.random.RandomState

NULL, START, END, UNK = range(4)
_MOST = 20  # the default of max_len
_DRAWS = 400
_CAPTIONS, _FEWER_CAPTIONS = 160, 110
_ALMOST_ALL, _MANY_DRAWS = 0.9905, 2000  # that many draws without another word: exp(-19)
_NATS_ONCE = 18.0  # of a case without hidden numbers
_STEP_APART = 1.3  # between scores: one is about four times as likely as the next

_Hint = tuple[str, str]  # the errors that it is for (a pattern), and what to say of them
_NO_HINT = ("(?!)", "")
_NOTHING_DIVIDED = (
    "NaN|nan|[Zz]ero|inf|sum of probabilities",
    "; at temperature 0 nothing is divided, the most probable word wins",
)
_OUT_OF_RANGE = (
    "NaN|nan|inf|sum of probabilities",
    "; e to the power of a large number overflows, and of a very negative one it is 0: let softmax "
    "do it",
)
_IMPOSSIBLE = (
    "it says words that are impossible: their log_prob is -inf (are other numbers than "
    "log_probs / temperature given to softmax?)"
)


@dataclass(frozen=True)
class _Model:
    """What is probable after each word in each state, and which state comes next.

    Shapes: log_probs (S, V, V), following (S, V).
    """

    log_probs: np.ndarray
    following: np.ndarray

    @property
    def V(self) -> int:
        """The number of words."""
        return self.following.shape[1]

    def step(self, dtype: str = "float32", watched: str = "rows") -> Any:
        """The recipe of the step function."""
        return table_step(floats(self.log_probs, dtype), whole(self.following), watched=watched)


def _state(number: int) -> Any:
    return whole(np.array([number]))


def _said(outcome: Outcome, V: int, max_len: int, *, null: bool = False) -> list[int]:
    """Return the words, if they are at most max_len whole numbers, each of a word.

    That they are in a list, and not an array, is a case of its own. null: <NULL> may be said.
    """
    value = outcome.value.numpy() if is_tensor(outcome.value) else outcome.value
    if (
        type(value) is np.ndarray
        and value.ndim == 1
        and (value.dtype.kind in "iu" or not len(value))
    ):
        value = value.tolist()
    if type(value) not in (list, tuple):
        raise Wrong(f"what it returns is {describe(value)}: expected a list of whole numbers")
    odd = [item for item in value if not (type(item) is int or isinstance(item, np.integer))]
    if odd:
        raise Wrong(f"in the list there is {describe(odd[0])}: expected whole numbers, int(word)")
    words = [int(item) for item in value]
    if not all(0 <= word < V for word in words):
        raise Wrong(f"it returns words that are not among 0 to V - 1 = {V - 1}")
    if END in words:
        raise Wrong("<END> is in the list: it ends the caption, and is none of its words")
    if words[:1] == [START]:
        raise Wrong("<START> is in the list: it is read first, but the model never says it")
    if START in words or (NULL in words and not null):
        raise Wrong(_IMPOSSIBLE)
    if len(words) > max_len:
        raise Wrong(f"it returns {len(words)} words where max_len is {max_len}")
    return words


def _calls(
    subject: Subject, many: Sequence[tuple], V: int, hint: _Hint = _NO_HINT, *, null: bool = False
) -> list[list[int]]:
    """Call with (step, state, ...) each; a call that stops is told the hint."""
    try:
        outcomes = subject.calls(many)
    except Wrong as wrong:
        of, words = hint
        fits = " stopped with " in str(wrong) and re.search(of, str(wrong))
        raise Wrong(f"{wrong}{words if fits else ''}") from None
    return [
        _said(outcome, V, args[2] if len(args) > 2 else _MOST, null=null)
        for outcome, args in zip(outcomes, many, strict=True)
    ]


# ---------------------------------------------------------------------------------- greedy


def _walk(
    model: _Model,
    state: int,
    max_len: int,
    *,
    first: Sequence[int] = (START,),
    lowest: bool = False,
    carried: bool = True,
    read: bool = True,
    stops: Sequence[int] = (END,),
) -> list[int]:
    """Return what is said where the most probable word wins.

    first:   what is read before the first word is said
    lowest:  the least probable word wins
    carried: the state goes on from step to step
    read:    each word is read back in
    stops:   where it ends; <END> is passed over if it is not among them
    """
    for word in first[:-1]:
        state = int(model.following[state, word])
    word, said = first[-1], []
    for _ in range(max_len):
        row = model.log_probs[state, word]
        state = int(model.following[state, word]) if carried else state
        best = int(np.argmin(np.where(np.isfinite(row), row, 1)) if lowest else np.argmax(row))
        word = best if read else word
        if best in stops:
            break
        if best != END:
            said.append(best)
    return said


def _mistaken_walks(model: _Model, state: int, max_len: int) -> dict[str, list[int]]:
    """What likely mistakes say, each under the words that name it."""
    right = _walk(model, state, max_len)
    named = {
        "each word must be read back in to make the next": {"read": False},
        "the state is not carried on from word to word": {"carried": False},
        "the least probable word wins": {"lowest": True},
        "it goes on after <END>": {"stops": ()},
        "it stops at <NULL>: <END> alone ends a caption": {"stops": (NULL, END)},
        "the first word that is read is <NULL>, not <START>": {"first": (NULL,)},
        "the first word that is read is <END>, not <START>": {"first": (END,)},
        "<START> is read twice": {"first": (START, START)},
    }
    walks = {words: _walk(model, state, max_len, **option) for words, option in named.items()}
    return walks | {
        "<NULL> is left out: where the model says it, it is a word": [
            w for w in right if w != NULL
        ],
        "the first word is missing": right[1:],
        "the words are in the reverse order": right[::-1],
    }


def _greedy(*, states: int) -> Run:
    """Return a case: at temperature 0 a known caption, that ends before max_len."""

    def run(subject: Subject, rng: Random) -> None:
        model, state = _known_caption(rng, states)
        many = [(model.step(), _state(state), 15, 0, seed) for seed in (0, 1)]
        found, other = _calls(subject, many, model.V, _NOTHING_DIVIDED)
        if found != other:
            raise Wrong("at temperature 0 nothing is left to chance, but another seed changes it")
        _require_walk(model, state, 15, found)

    return run


def _require_walk(model: _Model, state: int, max_len: int, found: list[int]) -> None:
    right = _walk(model, state, max_len)
    if found == right:
        return
    others = _mistaken_walks(model, state, max_len)
    words = ", or ".join(words for words, other in others.items() if other == found)
    if not words and found[: len(right)] == right:
        words = "it goes on after <END>"
    if not words and right[: len(found)] == found:
        words = "it stops too early"
    raise Wrong(f"at temperature 0 the words are wrong{': ' if words else ''}{words}")


def _null(subject: Subject, rng: Random) -> None:
    """<NULL> is among the words that are said, and not the last."""
    model, state = _known_caption(rng, 3, null=True)
    many = [(model.step(), _state(state), 15, 0)]
    (found,) = _calls(subject, many, model.V, _NOTHING_DIVIDED, null=True)
    _require_walk(model, state, 15, found)


def _known_caption(rng: Random, states: int, *, null: bool = False) -> tuple[_Model, int]:
    """Draw a model and a state from which it says 4 to 9 words, and no mistake the same ones.

    null: <NULL> is one of the words; else it is impossible
    """
    while True:
        V = int(rng.randint(8, 11))
        model = _drawn(rng, 2 * rng.standard_normal((states, V, V)), null=null)
        state = int(rng.randint(states))
        walk = _walk(model, state, 15)
        mistaken = list(_mistaken_walks(model, state, 15).values())
        # of a single state nothing can be lost, and without <NULL> nothing ends there
        harmless = 2 * (states == 1) + 2 * (not null)
        if 4 <= len(walk) <= 9 and mistaken.count(walk) <= harmless and null == (NULL in walk):
            return model, state


def _drawn(rng: Random, scores: np.ndarray, *, ends: bool = True, null: bool = False) -> _Model:
    """Return the model of these scores: <START> is impossible, <NULL> and <END> unless allowed.

    The next state is drawn for each state and word. Shapes: scores (S, V, V).
    """
    states, V, _ = scores.shape
    scores = scores.copy()
    scores[..., [START, *[NULL] * (not null), *[END] * (not ends)]] = -np.inf
    scores -= np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    return _Model(scores, rng.randint(0, states, (states, V)))


def _at_most(subject: Subject, rng: Random) -> None:
    """Captions that never end, and one that ends at once."""
    V, states = int(rng.randint(7, 10)), 3
    scores = 2 * rng.standard_normal((states, V, V))
    model, state = _drawn(rng, scores, ends=False), int(rng.randint(states))
    start = (model.step(), _state(state))
    lengths = (1, 6, 33)
    many = [(*start, n, T) for n in lengths for T in (0, 1.0)] + [start]
    for n, found in zip((1, 1, 6, 6, 33, 33, _MOST), _calls(subject, many, V), strict=True):
        if len(found) != n:
            short = ": max_len counts words, <START> is none" if len(found) == n - 1 else ""
            raise Wrong(
                f"it returns {len(found)} words, and the model never says <END>: expected "
                f"max_len = {n}{short}"
            )
    scores[..., END] = 60
    model = _drawn(rng, scores)
    many = [(model.step(), _state(state), 6, T) for T in (0, 1.0)]
    for found in _calls(subject, many, V):
        if found:
            raise Wrong("the model says <END> at once: expected an empty list")


# ---------------------------------------------------------------------------------- sampling


def _ladder(rng: Random, count: int) -> np.ndarray:
    return _STEP_APART * rng.permutation(count)


def _alike(rng: Random, scores: np.ndarray) -> _Model:
    """A model that says <UNK> and the words after it with these scores, whatever it reads."""
    V = len(scores) + UNK
    rows = np.zeros((1, V, V))
    rows[..., UNK:] = scores
    return _drawn(rng, rows, ends=False)


def _frequencies(*temperatures: float) -> Run:
    """Return a case: how often each word comes."""

    def run(subject: Subject, rng: Random) -> None:
        scores = _ladder(rng, 4)
        start = (_alike(rng, scores).step(), _state(0), _DRAWS)
        many = [(*start, T, int(rng.randint(10**6))) for T in temperatures]
        for T, found in zip(temperatures, _calls(subject, many, 4 + UNK), strict=True):
            _require_frequencies(found, scores, T)

    return run


def _require_frequencies(found: list[int], scores: np.ndarray, T: float) -> None:
    counts = _counted(found, _DRAWS, len(scores))
    if likely(counts, log_softmax(scores / T)):
        return
    others = {
        "the temperature multiplies log_probs: it divides them": scores * T,
        "the temperature is ignored, at least after the first word": scores,
        "all words are equally probable, whatever log_probs says": 0 * scores,
        "the most probable word is the one with the lowest log_prob": -scores / T,
        "the softmax is taken of probabilities: log_probs are logarithms, divide those": np.exp(
            log_softmax(scores)
        )
        / T,
    }
    words = next((w for w, s in others.items() if likely(counts, log_softmax(s))), "")
    hotter = T * np.geomspace(1.2, 1e6, 100)
    if T < _LOW and any(likely(counts, log_softmax(scores / hot)) for hot in hotter):
        words = _HOTTER  # many mistakes look alike at so low a temperature
    if np.max(counts) == len(found):
        best = found[0] - UNK == int(np.argmax(scores))
        words = "the most probable word comes every time" if best else _SAME
    said = "1/1000" if T == 1e-3 else f"{T:g}"
    raise Wrong(
        f"at temperature {said} the words do not come as often as the softmax says"
        + (f": {words}" if words else "")
    )


_LOW = 0.2
_HOTTER = (
    "they come as at a higher temperature. Is something added to it, is it kept from being small, "
    "does it multiply, or is it ignored?"
)
_SAME = "one word comes every time: is the generator made anew for each?"


def _counted(found: list[int], n: int, words: int) -> np.ndarray:
    if len(found) != n:
        raise Wrong(
            f"it returns {len(found)} words, and the model never says <END>: expected max_len = {n}"
        )
    return np.bincount(np.array(found) - UNK, minlength=words)


def _ends(subject: Subject, rng: Random) -> None:
    """How many words there are before <END>, whose chance is the same at every step."""
    share = float(rng.choice([0.2, 0.25, 0.3]))  # never the most probable: 0.6 of the rest is
    chances = np.array([share, *((1 - share) * rng.permutation([0.6, 0.2, 0.1, 0.1]))])
    words = "captions do not end as often as <END> is probable: draw it as any other word"
    _require_ends(subject, rng, chances, 1.0, _CAPTIONS, words)


def _ends_tempered(subject: Subject, rng: Random) -> None:
    """Of two words, one is <END>: rare, and at temperature 3 not so rare."""
    words = (
        "at temperature 3 captions do not end as often as the softmax of log_probs / 3 says: "
        "<END> is drawn as any other word, by the same softmax"
    )
    _require_ends(subject, rng, np.array([0.1, 0.9]), 3.0, _FEWER_CAPTIONS, words)


def _require_ends(
    subject: Subject, rng: Random, chances: np.ndarray, T: float, n: int, words: str
) -> None:
    """Judge how often n captions end after 0, 1, 2 or more words; chances: of <END>, <UNK>, ..."""
    V = END + len(chances)
    scores = np.zeros((1, V, V))
    scores[..., END:] = np.log(chances)
    step, share = _drawn(rng, scores).step(), np.exp(log_softmax(np.log(chances) / T)[0])
    many = [(step, _state(0), 30, T, int(seed)) for seed in rng.permutation(10**5)[:n]]
    found = _calls(subject, many, V)
    lengths = np.bincount([min(len(said), 3) for said in found], minlength=4)
    log_chances = np.arange(4) * np.log(1 - share) + np.log([share, share, share, 1])
    if not likely(lengths, log_chances):
        raise Wrong(words)


def _rare(subject: Subject, rng: Random) -> None:
    """Many words of about the same probability."""
    _require_all(subject, rng, 0.05 * rng.permutation(24), _DRAWS, NATS)


def _almost_sure(subject: Subject, rng: Random) -> None:
    """One word has all but a hundredth of the probability."""
    odds = _ALMOST_ALL / (1 - _ALMOST_ALL)
    scores = np.where(np.arange(9) == rng.randint(9), np.log(8 * odds), 0.0)
    _require_all(subject, rng, scores, _MANY_DRAWS, _NATS_ONCE)


def _require_all(subject: Subject, rng: Random, scores: np.ndarray, n: int, nats: float) -> None:
    """Judge how often all words come that are rarer than another, whichever that is."""
    start = (_alike(rng, scores).step(), _state(0), n, 1.0, int(rng.randint(10**6)))
    (found,) = _calls(subject, [start], UNK + len(scores))
    counts, log_chances = _counted(found, n, len(scores)), log_softmax(scores)
    order = np.argsort(log_chances, kind="stable")
    for place in range(1, len(order)):
        seen = np.array([counts[order[:place]].sum(), counts[order[place:]].sum()])
        rarer, others = log_chances[order[:place]], log_chances[order[place:]]
        shares = np.array([np.logaddexp.reduce(rarer), np.logaddexp.reduce(others)])
        if not likely(seen, shares, nats):
            raise Wrong(
                "the less probable words do not come as often as the softmax says"
                + ("" if seen[0] else ": they never come. Draw from all words, not from the best")
            )


def _transitions(subject: Subject, rng: Random) -> None:
    """What comes after each word in each of two states."""
    V, states, real = 7, 2, slice(UNK, None)
    scores = np.zeros((states, V, V))
    scores[..., real] = [[_ladder(rng, V - UNK) for _ in range(V)] for _ in range(states)]
    model = _drawn(rng, scores, ends=False)
    model.following[:, real] = [[0, 1, 0, 1], [1, 0, 1, 0]]
    state = int(rng.randint(states))
    many = [(model.step(), _state(state), 2 * _DRAWS, 1.0, int(rng.randint(10**6)))]
    (found,) = _calls(subject, many, V)
    _counted(found, 2 * _DRAWS, V - UNK)
    if _follows(model, state, [START, *found[:-1]], found):
        return
    greedy = [START, *_walk(model, state, len(found) - 1)]
    others = {
        "each word must be read back in": ([START] * len(found), True),
        "the state is not carried on from word to word": ([START, *found[:-1]], False),
        "a word is drawn, but the most probable one is read back in": (greedy, True),
    }
    fits = [
        words
        for words, (read, carried) in others.items()
        if _follows(model, state, read, found, carried=carried)
    ]
    raise Wrong(
        "what comes after a word does not come as often as the softmax of its log_probs says"
        + (f": {fits[0]}" if fits else "")
    )


def _follows(
    model: _Model, state: int, read: list[int], found: list[int], *, carried: bool = True
) -> bool:
    """Say whether what is said after each word, in each state, comes as often as it should."""
    after: dict[tuple[int, int], list[int]] = {}
    for word, said in zip(read, found, strict=True):
        after.setdefault((state, word), []).append(said)
        state = int(model.following[state, word]) if carried else state
    return all(
        likely(
            np.bincount(np.array(said) - UNK, minlength=model.V - UNK),
            model.log_probs[at][UNK:],
            NATS_GROWING,
        )
        for at, said in after.items()
    )


def _seeds(subject: Subject, rng: Random) -> None:
    model = _alike(rng, 0.1 * rng.standard_normal(9))
    one = int(rng.randint(1, 1000))
    start = (model.step(), _state(0), 40)
    seeds = (one, one + 1, one, 0, torch_here().Generator().initial_seed())
    many = [start, *((*start, 1.0, seed) for seed in seeds)]
    plain, found, others, again, spelt_out, unset = _calls(subject, many, model.V)
    if any(len(set(words)) == 1 for words in (found, others, spelt_out)):
        raise Wrong(_SAME)
    if found != again:
        raise Wrong(
            "the same seed gives other words when called again: make a torch.Generator from `seed` "
            "inside the function, and draw with it"
        )
    if found == others:
        raise Wrong("another seed gives the same words: is `seed` used?")
    if found[1:] == others[:-1] or found[:-1] == others[1:]:
        raise Wrong(
            "the next seed gives the same words, a place further on: is the generator made anew "
            "for each word? Make one before the first word, and go on drawing with it"
        )
    if plain != spelt_out:
        raise Wrong(
            "without temperature and seed it does not take the ones in the stub's first line: were "
            "they changed?"
        )
    if spelt_out == unset:
        raise Wrong("with seed 0 the generator is as one that was given no seed: 0 is a seed too")


def _global(subject: Subject, rng: Random) -> None:
    """torch's own random numbers stay where they are, for whoever draws from them."""
    step = _alike(rng, _ladder(rng, 4)).step(watched="random")
    outcome = subject.call((step, _state(0), 12, 1.0, int(rng.randint(1, 1000))))
    if 0 in outcome.mutated:
        raise Wrong(
            "it seeds torch's own random numbers, or draws from them, and other cells draw from "
            "them too: make a torch.Generator() of its own, and give it to multinomial"
        )
    _counted(_said(outcome, 4 + UNK, 12), 12, 4)


def _far(subject: Subject, rng: Random) -> None:
    """Words that are impossible, and temperatures from 1/1000 to a million."""
    scores = np.concatenate([_ladder(rng, 4), [-np.inf, -np.inf]])
    scores = scores[rng.permutation(6)]
    step = _alike(rng, scores).step()
    seed, best = int(rng.randint(10**6)), UNK + int(np.argmax(scores))
    temperatures = (1e-3, 1.0, 1e6)
    many = [(step, _state(0), n, T, seed) for n, T in zip((20, 40, 300), temperatures, strict=True)]
    cold, warm, hot = _calls(subject, many, 6 + UNK, _OUT_OF_RANGE)
    never = {UNK + int(at) for at in np.flatnonzero(~np.isfinite(scores))}
    if never & {*cold, *warm, *hot}:
        raise Wrong(_IMPOSSIBLE)
    if cold != [best] * 20:
        raise Wrong("at a temperature of 1/1000 another word comes than the most probable")
    counts = _counted_of(hot, scores)
    if not likely(counts, np.full(4, -np.log(4))):
        raise Wrong("at a temperature of a million all possible words should be equally probable")


def _counted_of(found: list[int], scores: np.ndarray) -> np.ndarray:
    """How often each of the possible words came."""
    counts = np.bincount(np.array(found, dtype=int) - UNK, minlength=len(scores))
    return counts[np.isfinite(scores)]


def _close_together(subject: Subject, rng: Random) -> None:
    """Temperatures of 1/10 and 1/1000 at which the most probable word is not the only one."""
    scores = _ladder(rng, 4)
    for T in (0.1, 1e-3):
        start = (_alike(rng, T * scores).step(), _state(0), _DRAWS)
        (found,) = _calls(subject, [(*start, T, int(rng.randint(10**6)))], 4 + UNK, _OUT_OF_RANGE)
        _require_frequencies(found, T * scores, T)


def _never_again(model: _Model, state: int) -> tuple[_Model, int]:
    """The same model, begun in a state of its own that it never comes back to."""
    tables = (np.concatenate([t, t[[state]]]) for t in (model.log_probs, model.following))
    return _Model(*tables), len(model.log_probs)


def _left_alone(subject: Subject, rng: Random) -> None:
    """A list; float64 log_probs; and nothing is written over."""
    model, state = _never_again(*_known_caption(rng, 3))
    for temperature in (0, 0.5):
        outcome = subject.call((model.step("float64"), _state(state), 15, temperature))
        unchanged(outcome.mutated, "the log_probs that step returned, state")
        found = _said(outcome, model.V, 15)
        if type(outcome.value) is not list:
            raise Wrong(f"what it returns is {describe(outcome.value)}: expected a list")
    found = _calls(subject, [(model.step("float64"), _state(state), 15, 0)] * 2, model.V)
    for each in found:
        _require_walk(model, state, 15, each)


SAMPLE_CAPTION = Exercise(
    "sample_caption",
    points=2,
    referee=lambda: "tables in a model's place: the caption is known, or how often each word comes",
    cases=(
        Case(
            "temperature 0: the most probable word, read back in, until <END>", 2, _greedy(states=1)
        ),
        Case("temperature 0: the state is carried on", 2, _greedy(states=4)),
        Case(
            "captions that never end (max_len of 1, 6, 33, none given), and one at once",
            2,
            _at_most,
        ),
        Case("temperature 1: how often each word comes", 2, _frequencies(1.0)),
        Case("temperatures 1/2 and 2", 2, _frequencies(0.5, 2.0)),
        Case(
            "temperatures of 1/10 and 1/1000, of words that are almost equally probable",
            1,
            _close_together,
        ),
        Case("temperature 1: rare words come too", 1, _rare),
        Case("temperature 1: words beside an almost certain one", 1, _almost_sure, drawn=False),
        Case("temperature 1: how often captions end", 1, _ends),
        Case("temperature 3: how often captions end", 1, _ends_tempered),
        Case("temperature 1: what comes after each word, in each state", 2, _transitions),
        Case("a caption in which <NULL> is one of the words", 1, _null),
        Case("seeds: the same again, the next, 0, none", 2, _seeds),
        Case("torch's own random numbers are left alone", 1, _global),
        Case("impossible words; temperatures of 1/1000 and a million", 1, _far),
        Case("a list; log_probs in float64; log_probs and state unchanged", 1, _left_alone),
    ),
)
