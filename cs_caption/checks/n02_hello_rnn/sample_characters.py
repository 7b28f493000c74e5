"""The check of sample_characters: networks whose next symbol, and its probability, is known."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cs_caption.checks.chances import NATS_GROWING, likely, log_softmax
from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n02_hello_rnn.networks import Tables, centred
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.values import awkward, describe, sizes, unchanged

Random = np.random.RandomState

_V = 6
_STEPS = 18
_DRAWS = 1000
_TRANSITIONS = 900
_STEP_APART = 1.3  # between scores: one is about four times as likely as the next
_LARGE_SEED = 2**40

_Hint = tuple[str, str]  # the errors that it is for (a pattern), and what to say of them
_NO_HINT = ("(?!)", "")
_NOTHING_DIVIDED = (
    "NaN|nan|[Zz]ero|sum to 1|non-negative",
    "; at temperature 0 nothing is divided, the highest score wins",
)
_OVERFLOW = (
    "NaN|nan|overflow|too large|sum to 1",
    "; large scores overflow: subtract the largest one first",
)
_GENERATOR = ("[Ss]eed", "; a seed of np.random.default_rng may be as large as this")


def _written(outcome: Outcome, n: int, V: int) -> list[int]:
    """Return the symbols if there are n of them, each a whole number below V."""
    value = outcome.value
    if type(value) is np.ndarray and value.ndim == 1 and (value.dtype.kind in "iu" or not n):
        value = value.tolist()
    if type(value) not in (list, tuple):
        raise Wrong(f"what it returns is {describe(value)}: expected a list of n whole numbers")
    odd = [item for item in value if not (type(item) is int or isinstance(item, np.integer))]
    if odd:
        raise Wrong(f"in the list there is {describe(odd[0])}: expected whole numbers")
    if len(value) != n:
        hint = {n + 1: ": is `first` among them?", n - 1: ": one is missing"}
        raise Wrong(f"it returns {len(value)} symbols, expected n = {n}{hint.get(len(value), '')}")
    if not all(0 <= item < V for item in value):
        raise Wrong(f"it returns symbols that are not among 0 to V - 1 = {V - 1}")
    return [int(item) for item in value]


def _calls(subject: Subject, many: Sequence[tuple], hint: _Hint = _NO_HINT) -> list[list[int]]:
    """Call with (p, h0, first, n, ...) each; a call that stops is told the hint."""
    try:
        outcomes = subject.calls(many)
    except Wrong as wrong:
        of, words = hint
        fits = " stopped with " in str(wrong) and re.search(of, str(wrong))
        raise Wrong(f"{wrong}{words if fits else ''}") from None
    return [
        _written(o, args[3], len(args[0]["by"])) for o, args in zip(outcomes, many, strict=True)
    ]


# ---------------------------------------------------------------------------------- greedy


def _walk(
    tables: Tables,
    first: int,
    n: int,
    previous: int | None = None,
    pick: Callable[[np.ndarray], np.intp] = np.argmax,
) -> list[int]:
    """Return the best symbol after each, read back in. previous: what the state says was before."""
    found, x = [], first
    for _ in range(n):
        found.append(int(pick(tables.scores(x, previous))))
        previous, x = x, found[-1]
    return found


def _mistaken_walks(
    tables: Tables, first: int, n: int, previous: int | None
) -> dict[str, list[int]]:
    """Return what likely mistakes write, each under the words that name it."""
    walk = _walk(tables, first, n, previous)
    unread = [first] * n
    befores = [previous, *unread[1:]]
    kept, twice = [], []
    for found, before in ((kept, lambda x: previous), (twice, lambda x: x)):
        for _ in range(n):
            x = found[-1] if found else first
            found.append(int(np.argmax(tables.scores(x, before(x)))))
    best = [int(np.argmax(tables.scores(x, q))) for x, q in zip(unread, befores, strict=True)]
    return {
        "each symbol must be read back in to make the next": best,
        "the state is not carried on from symbol to symbol": kept,
        "the state goes two steps for each symbol": twice,
        "h0 is ignored": _walk(tables, first, n),
        "the scores come of the state before it reads": _unread(tables, first, n, previous),
        "the scores come of h0, and `first` is never read": _never_read(tables, n, previous),
        "by is not added": _walk(replace(tables, by=0 * tables.by), first, n, previous),
        "by is subtracted": _walk(replace(tables, by=-tables.by), first, n, previous),
        "the lowest score wins": _walk(tables, first, n, previous, np.argmin),
        "`first` is in the list, in the place of the first symbol written": [first, *walk[:-1]],
        "the symbols are in the reverse order": walk[::-1],
        "b is not added in the step": _walk(_tables(tables, 1 / 2, 1 / 2), first, n, previous),
        "max(0, .) stands where tanh belongs": _walk(_tables(tables, 12, 288), first, n, previous),
        "the tanh is missing": _walk(_tables(tables, 24, 576), first, n, previous),
    }


def _tables(tables: Tables, now: float, before: float) -> Tables:
    """Return what a step that is not saturated makes of them: not what is read, but how much."""
    return replace(tables, now=now * tables.now, before=before * tables.before)


def _unread(tables: Tables, first: int, n: int, previous: int | None) -> list[int]:
    """Score, then read the symbol of the step before."""
    found, x = [_best_at_once(tables, previous)], first
    while len(found) < n:
        found.append(int(np.argmax(tables.scores(x, previous))))
        previous, x = x, found[-2]
    return found[:n]


def _never_read(tables: Tables, n: int, previous: int | None) -> list[int]:
    best = _best_at_once(tables, previous)
    return [best, *_walk(tables, best, n - 1, previous)][:n]


def _best_at_once(tables: Tables, previous: int | None) -> int:
    scores = tables.by if previous is None else tables.scores(previous, previous)
    return int(np.argmax(scores))


def _greedy(*, memory: bool = False, by: bool = False) -> Run:
    """Return a case: at temperature 0 a known walk; `memory` needs Wh and h0, `by` needs by."""

    def run(subject: Subject, rng: Random) -> None:
        tables, first, previous = _drawn_walk(rng, memory, by)
        h0 = tables.state(previous, previous) if memory else np.zeros((1, 2 * _V))
        many = [(tables.p, h0, first, _STEPS, 0, seed) for seed in (0, 1)]
        found, other = _calls(subject, many, _NOTHING_DIVIDED)
        if found != other:
            raise Wrong("at temperature 0 nothing is left to chance, but another seed changes it")
        _require_walk(tables, first, previous if memory else None, found)

    return run


def _require_walk(tables: Tables, first: int, previous: int | None, found: list[int]) -> None:
    right = _walk(tables, first, len(found), previous)
    if found == right:
        return
    others = _mistaken_walks(tables, first, len(found), previous)
    words = ", or ".join(words for words, other in others.items() if other == found)
    at = next(i for i, (a, b) in enumerate(zip(found, right, strict=True)) if a != b)
    raise Wrong(
        "at temperature 0 the symbols are wrong: "
        + (words or f"the first that has not the highest score is number {at} (from 0)")
    )


def _drawn_walk(rng: Random, memory: bool, by: bool) -> tuple[Tables, int, int]:
    """Draw tables, `first` and the symbol before it.

    No two scores are nearer than 1/20, the walk has more than two symbols, and no mistake that
    this case is for leads along it.
    """
    nothing = np.zeros((_V, _V))
    while True:
        now = centred(2 * rng.standard_normal((_V, _V)))
        before = centred(2 * rng.standard_normal((_V, _V))) if memory else nothing
        tables = Tables(now, before, 2 * rng.standard_normal(_V) * by)
        first, previous = (1 + int(n) for n in rng.permutation(_V - 1)[:2])  # 0: best of no scores
        start = previous if memory else None
        walk = _walk(tables, first, _STEPS, start)
        mistaken = list(_mistaken_walks(tables, first, _STEPS, start).values())
        # of those only a state or by tells apart; without both, nor how much the codes count
        harmless = (not memory) * 3 + (not by) * 3 + (not memory and not by) * 2
        if len(set(walk)) > 2 and _apart(tables) and mistaken.count(walk) <= harmless:
            return tables, first, previous


def _apart(tables: Tables) -> bool:
    pairs = [tables.scores(x, q) for x in range(_V) for q in (*range(_V), None)]
    tops = np.sort(np.array(pairs), axis=1)
    return bool(np.min(tops[:, -1] - tops[:, -2]) > 1 / 20)


# ---------------------------------------------------------------------------------- sampling


def _alone(rng: Random, scores: np.ndarray) -> dict[str, np.ndarray]:
    """Return weights that give the same scores whatever is read: Wx and Wh are 0."""
    V, H = len(scores), int(rng.choice([n for n in range(2, 6) if n != len(scores)]))
    b, Wy = rng.uniform(-2, 2, H), rng.standard_normal((H, V))
    by = scores - np.tanh(b) @ Wy
    return {"Wx": np.zeros((V, H)), "Wh": np.zeros((H, H)), "b": b, "Wy": Wy, "by": by}


def _ladder(rng: Random, V: int) -> np.ndarray:
    return _STEP_APART * rng.permutation(V)


def _frequencies(*temperatures: float, apart: float = 1.0) -> Run:
    """Return a case: how often each symbol comes, of scores that lie this much apart."""

    def run(subject: Subject, rng: Random) -> None:
        scores = apart * _ladder(rng, 4)
        p = _alone(rng, scores)
        h0, first = np.zeros((1, len(p["b"]))), int(rng.randint(4))
        seeds = [int(n) for n in rng.randint(0, 10**6, len(temperatures))]
        many = [
            (p, h0, first, _DRAWS, T, seed) for T, seed in zip(temperatures, seeds, strict=True)
        ]
        for T, found in zip(temperatures, _calls(subject, many), strict=True):
            _require_frequencies(found, scores, T, p)

    return run


def _require_frequencies(found: list[int], scores: np.ndarray, T: float, p: Mapping) -> None:
    counts = np.bincount(found, minlength=len(scores))
    if likely(counts, log_softmax(scores / T)):
        return
    by = p["by"]
    others = {
        "2**, not e**, is taken of the scores": scores * np.log(2) / T,
        "the temperature multiplies the scores: it divides them": scores * T,
        "the temperature is ignored": scores,
        "by is not added": (scores - by) / T,
        "by is subtracted": (scores - 2 * by) / T,
        "only by counts: is b missing in the step, or the state ignored?": by / T,
        "max(0, .) stands where tanh belongs": (np.maximum(p["b"], 0) @ p["Wy"] + by) / T,
        "the tanh is missing": (p["b"] @ p["Wy"] + by) / T,
        "all symbols are equally likely, whatever their scores": 0 * scores,
        "the likeliest symbol is the one with the lowest score": -scores / T,
    }
    words = next((w for w, s in others.items() if likely(counts, log_softmax(s))), "")
    if np.max(counts) == len(found):
        best = found[0] == int(np.argmax(scores))
        words = "the symbol with the highest score comes every time" if best else _ALIKE
    raise Wrong(
        f"at temperature {T:g} the symbols do not come as often as the softmax says"
        + (f": {words}" if words else "")
    )


_ALIKE = "one symbol comes every time: is the generator made anew for each?"


def _transitions(subject: Subject, rng: Random) -> None:
    """What comes after each symbol: rows of the table that differ widely."""
    rows = np.array([_ladder(rng, 4) for _ in range(4)])
    while len({int(row.argmax()) for row in rows}) < 3:
        rows = np.array([_ladder(rng, 4) for _ in range(4)])
    tables = Tables(centred(rows), np.zeros((4, 4)), rows.mean(axis=0))
    first, seed = int(rng.randint(4)), int(rng.randint(10**6))
    (found,) = _calls(subject, [(tables.p, np.zeros((1, 8)), first, _TRANSITIONS, 1.0, seed)])
    if _follows(tables, [first, *found[:-1]], found):
        return
    if _follows(tables, [first] * len(found), found):
        raise Wrong("each symbol must be read back in: what follows depends on `first` alone")
    best = [int(np.argmax(tables.scores(x))) for x in [first, *found[:-1]]]
    if best == found:
        raise Wrong("after each symbol the likeliest one comes every time: draw at temperature 1")
    if _follows(tables, [first, *_walk(tables, first, len(found) - 1)], found):
        raise Wrong(_LIKELIEST_READ)
    raise Wrong(
        "what comes after a symbol does not come as often as the softmax of its scores says"
    )


_LIKELIEST_READ = (
    "a symbol is drawn and written, but not read back in: read is the one with the highest score"
)


def _memory(subject: Subject, rng: Random) -> None:
    """What comes after each two symbols: the state knows the one before."""
    V = 3
    while True:
        now, before = centred(rng.uniform(-1, 1, (V, V))), centred(rng.uniform(-3, 3, (V, V)))
        tables = Tables(now, before, np.zeros(V))
        if _depends_on_the_past(tables):
            break
    first, previous = (int(n) for n in rng.permutation(V)[:2])
    h0, seed = tables.state(previous, previous), int(rng.randint(10**6))
    (found,) = _calls(subject, [(tables.p, h0, first, _TRANSITIONS, 1.0, seed)])
    read = [first, *found[:-1]]
    if _follows(tables, read, found, [previous, *read[:-1]]):
        return
    greedy = [first, *_walk(tables, first, len(found) - 1, previous)]
    others = {
        "the state is not carried on from symbol to symbol": (read, [previous] * len(read)),
        "the state is ignored, or made anew for each symbol": (read, [None] * len(read)),
        "each symbol must be read back in": ([first] * len(read), [previous, *read[:-1]]),
        _LIKELIEST_READ: (greedy, [previous, *greedy[:-1]]),
    }
    fits = [words for words, (xs, qs) in others.items() if _follows(tables, xs, found, qs)]
    raise Wrong(
        "what comes after two symbols does not come as often as the softmax of its scores says"
        + (f": {fits[0]}" if fits else "")
    )


def _depends_on_the_past(tables: Tables) -> bool:
    """Say whether after each symbol another one is likeliest, depending on the one before it."""
    pasts = (*range(tables.V), None)
    shares = np.exp([[log_softmax(tables.scores(x, q)) for q in pasts] for x in range(tables.V)])
    best = shares[:, :-1].argmax(axis=-1)
    return bool(np.all(best != np.roll(best, 1, axis=1)) and shares.min() > 0.02)


def _follows(
    tables: Tables, read: list[int], found: list[int], before: Sequence[int | None] = ()
) -> bool:
    """Say whether what follows each symbol read, and the one before it, comes as it should."""
    after: dict[tuple[int, int | None], list[int]] = {}
    for x, q, s in zip(read, before or [None] * len(read), found, strict=True):
        after.setdefault((x, q), []).append(s)
    return all(
        likely(np.bincount(s, minlength=tables.V), log_softmax(tables.scores(*xq)), NATS_GROWING)
        for xq, s in after.items()
    )


def _seeds(subject: Subject, rng: Random) -> None:
    V, n = 9, 40
    p = _alone(rng, 0.1 * rng.standard_normal(V))
    h0, first = np.zeros((1, len(p["b"]))), int(rng.randint(V))
    one, other = (int(s) for s in rng.permutation(np.arange(1, 1000))[:2])
    start = (p, h0, first, n)
    many = [(*start, 1.0, one), (*start, 1.0, other), (*start, 1.0, one), start, (*start, 1.0, 0)]
    found, others, again, plain, spelt_out = _calls(subject, many)
    if len(set(found)) == 1:
        raise Wrong(_ALIKE)
    if found != again:
        raise Wrong(
            "the same seed gives other symbols when called again: make the generator from `seed` "
            "inside the function"
        )
    if found == others:
        raise Wrong("another seed gives the same symbols: is `seed` used?")
    if plain != spelt_out:
        raise Wrong(
            "without temperature and seed it does not take the ones in the stub's first line: were "
            "they changed?"
        )
    _calls(subject, [(*start, 1.0, _LARGE_SEED + one)], _GENERATOR)


def _far(subject: Subject, rng: Random) -> None:
    """Scores near 1e4 and temperatures from 1e-3 to 1e6."""
    scores, seed = _ladder(rng, 4), int(rng.randint(10**6))
    p = _alone(rng, scores)
    h0, first, best = np.zeros((1, len(p["b"]))), int(rng.randint(4)), int(np.argmax(scores))
    shifted = [p | {"by": p["by"] + shift} for shift in (0.0, 1e4, -1e4)]
    many = [(each, h0, first, 40, 1.0, seed) for each in shifted]
    near, *far = _calls(subject, many, _OVERFLOW)
    if any(found != near for found in far):
        raise Wrong("the symbols change when a number is added to all scores")
    many = [(each, h0, first, 20, 1e-3, seed) for each in shifted]
    for found in _calls(subject, many, _OVERFLOW):
        if found != [best] * 20:
            raise Wrong("at a temperature of 1/1000 another symbol comes than the likeliest")
    (found,) = _calls(subject, [(p, h0, first, _DRAWS // 2, 1e6, seed)])
    if not likely(np.bincount(found, minlength=4), np.full(4, -np.log(4))):
        raise Wrong("at a temperature of a million all symbols should be equally likely")


def _left_alone(subject: Subject, rng: Random) -> None:
    """n = 0, 1 and more, as they are and write-protected; greedy, so that the walk is known."""
    V = sizes(rng, 1, 3, 6)[0]
    now = centred(2 * rng.standard_normal((V, V)))
    tables = Tables(now, np.zeros((V, V)), rng.standard_normal(V))
    first, h0 = int(rng.randint(V)), np.zeros((1, 2 * V))
    guarded = {name: awkward(weight) for name, weight in tables.p.items()}
    for p, state in ((tables.p, h0), (guarded, awkward(h0))):
        for n in (0, 1, 5):
            for temperature in (0.5, 0):
                outcome = subject.call((p, state, first, n, temperature))
                unchanged(outcome, "p, h0")
                found = _written(outcome, n, V)
            _require_walk(tables, first, None, found)


def _referee() -> str:
    return "networks made from tables: the walk is known, and how often each symbol comes"


SAMPLE_CHARACTERS = Exercise(
    "sample_characters",
    points=1,
    referee=_referee,
    banned=("torch",),
    cases=(
        Case("temperature 0: the highest score, read back in", 2, _greedy()),
        Case("temperature 0: the state is carried on, from h0", 2, _greedy(memory=True)),
        Case("temperature 0: by counts", 1, _greedy(by=True)),
        Case("temperature 1: how often each symbol comes", 2, _frequencies(1.0)),
        Case("temperatures 1/2 and 2", 2, _frequencies(0.5, 2.0)),
        Case("a temperature of 1/10, of scores close together", 1, _frequencies(0.1, apart=0.1)),
        Case("temperature 1: what comes after each symbol", 2, _transitions),
        Case("temperature 1: the state is carried on, from h0", 2, _memory),
        Case("seeds: the same again, others, a large one, none", 1, _seeds),
        Case("scores near 10,000; temperatures of 1/1000 and a million", 1, _far),
        Case("n = 0 and 1; inputs unchanged, also when write-protected", 1, _left_alone),
    ),
)

EXERCISES = (SAMPLE_CHARACTERS,)
