"""The check of lstm_init: its docstring decides, and what all honest uniform numbers meet."""

from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n03_lstm_gates.lstm_mistakes import NAMES, ORDER
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import array, close, differing, entries, sizes

Random = np.random.RandomState

_NAMES = ("Wx", "Wh")
_ALL = "Wx, Wh, b"
# Of n honest uniform numbers the distribution is farther off than 3.3 / sqrt(n) once in 10^9 times,
# and of the tens of thousands that are drawn here none lies in the outermost 1% hardly ever.
_FARTHEST = 3.3
_NEARLY = 0.99
_DISTINCT = 0.95  # a generator of float32 repeats a few of so many numbers
_FAR = (1, 2, 10, 42, 100, 1000)  # seed + 1, 10 * seed + 1: where a second generator is made
_LARGE_SEED = 2**40
_DEFAULT = "called without {}, it does not use the one in the stub's first line: was that changed?"


def _bias(subject: Subject, rng: Random) -> None:
    for value in _biases(rng):
        D, H = sizes(rng, 2, 3, 9)
        args = (D, H, value, _seed(rng))
        _require_bias(_biases_of(subject.call(args).value, D, H), H, value)


def _forget_biases(subject: Subject, rng: Random) -> None:
    D, H = sizes(rng, 2, 3, 9)
    given, zero = _biases(rng)[0], 0.0
    outcomes = subject.calls([(D, H, given), (D, H, zero), (D, H)])
    *founds, default = [_biases_of(outcome.value, D, H) for outcome in outcomes]
    for b, value in zip(founds, (given, zero), strict=True):
        _require_bias(b, H, value)
    if not np.all(default[H : 2 * H] == 1):
        raise Wrong(_DEFAULT.format("forget_bias"))
    _require_bias(default, H, 1.0)


def _spread(name: str) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        D, H = int(rng.randint(50, 60)), int(rng.randint(80, 90))
        found = _weights(subject.call((D, H, 1.0, _seed(rng))).value, D, H, name)
        _require_uniform(found[0], name, D, H)

    return run


def _apart(subject: Subject, rng: Random) -> None:
    """No number stands twice: rows, columns, gates, and the two arrays are all different."""
    D, H = int(rng.randint(20, 30)), int(rng.randint(30, 40))
    Wx, Wh = _weights(subject.call((D, H, 1.0, _seed(rng))).value, D, H)
    for name, w in zip(_NAMES, (Wx, Wh), strict=True):
        if not _many(w):
            raise Wrong(f"{name} holds the same numbers again and again{_repeated(w)}")
    if not _many(np.concatenate([Wx.ravel(), Wh.ravel()])):
        raise Wrong(
            "Wx and Wh share their numbers: draw one after the other from the same generator"
        )
    _require_seeds_apart(subject, D, H, _seed(rng))


def _require_seeds_apart(subject: Subject, D: int, H: int, seed: int) -> None:
    """Fail where the Wh of one seed has numbers of the Wx of another that is near it."""
    seeds = [seed, *(seed + far for far in _FAR), *(seed * far for far in _FAR[1:])]
    outcomes = subject.calls([(D, H, 1.0, each) for each in seeds])
    (_, Wh), *others = [_weights(outcome.value, D, H) for outcome in outcomes]
    for other, (Wx, _) in zip(seeds[1:], others, strict=True):
        if len(np.intersect1d(Wh, Wx)) > (1 - _DISTINCT) * Wh.size:
            raise Wrong(
                f"Wh of seed {seed} has the numbers that Wx of seed {other} has: draw both, one "
                "after the other, from one generator"
            )


def _seeds(subject: Subject, rng: Random) -> None:
    D, H = sizes(rng, 2, 3, 9)
    one, other = (int(n) for n in rng.choice(np.arange(1, 1000), 2, replace=False))
    calls = [(D, H, 1.0, one), (H, D, 1.0, one), (D, H, 1.0, other), (D, H, 0.5, one)]
    outcomes = subject.calls([*calls, calls[0], (D, H), (D, H, 1.0, 0)])
    at = [(H, D) if k == 1 else (D, H) for k in range(len(outcomes))]
    first, _, second, biased, again, plain, zero = (
        _weights(outcome.value, *of) for outcome, of in zip(outcomes, at, strict=True)
    )
    if not _alike(first, again):
        raise Wrong(
            "the same seed gives other weights the second time: draw from a generator that is "
            "made of the seed in each call"
        )
    if _alike(first, second):
        raise Wrong("two seeds give the same weights: is the seed used?")
    if not _alike(first, biased):
        raise Wrong("another forget_bias changes Wx or Wh: it is a matter of b alone")
    if not _alike(plain, zero):
        raise Wrong(_DEFAULT.format("seed"))
    try:
        subject.call((D, H, 1.0, _LARGE_SEED + one))
    except Wrong as wrong:
        raise Wrong(
            f"with a seed above 2**32, which np.random.default_rng takes, {wrong}"
        ) from None


def _smallest(subject: Subject, rng: Random) -> None:
    D, H = sizes(rng, 2, 3, 9)
    for args in ((1, H), (D, 1), (1, 1)):
        value = subject.call((*args, 2.0, _seed(rng))).value
        _require_bias(_biases_of(value, *args), args[1], 2.0)
        for name, w in zip(_NAMES, _weights(value, *args), strict=True):
            if np.max(np.abs(w)) > _bound(args[1]):
                raise Wrong(
                    f"{name} has entries beyond 1/sqrt(H), where D is {args[0]}, H {args[1]}"
                )


def _weights(value: Any, D: int, H: int, names: str = "Wx, Wh") -> list[np.ndarray]:
    """Return the weights of these names, each judged alone: what b is costs no points here."""
    Wx, Wh, _ = _in_order(value, D, H)
    arrays = {"Wx": (Wx, (D, 4 * H), "Wx", "(D, 4H)"), "Wh": (Wh, (H, 4 * H), "Wh", "(H, 4H)")}
    return [array(*arrays[name]) for name in names.split(", ")]


def _biases_of(value: Any, D: int, H: int) -> np.ndarray:
    return array(_in_order(value, D, H)[2], (4 * H,), "b", "(4H,)")


def _in_order(value: Any, D: int, H: int) -> tuple:
    Wx, Wh, b = entries(value, _ALL)
    shapes = [each.shape if type(each) is np.ndarray else None for each in (Wx, Wh, b)]
    expected = [(D, 4 * H), (H, 4 * H), (4 * H,)]
    if shapes != expected and sorted(map(str, shapes)) == sorted(map(str, expected)):
        raise Wrong(f"the results are in another order: it is {_ALL}")
    return Wx, Wh, b


def _require_bias(b: np.ndarray, H: int, value: float) -> None:
    """Fail where b is not exactly 0 but for the forget gate's block."""
    expected = np.repeat([0.0, value, 0.0, 0.0], H)
    if np.array_equal(b, expected):
        return
    parts = np.split(b, 4)
    full = "".join(gate for gate, part in zip(ORDER, parts, strict=True) if np.all(part == value))
    empty = "".join(gate for gate, part in zip(ORDER, parts, strict=True) if not np.any(part))
    if value and not np.any(b):
        raise Wrong("b is 0 everywhere: the forget gate's block is forget_bias")
    if value and full == ORDER:
        raise Wrong("all of b is forget_bias: only the forget gate's block is, the others are 0")
    if value and len(full) == 1 and len(empty) == 3:
        raise Wrong(
            f"forget_bias stands in the block of {NAMES[full]}: the blocks are {', '.join(ORDER)}"
        )
    if np.count_nonzero(b) == 1 < H:
        raise Wrong("forget_bias stands in one entry of b: each of the H forget gates has its own")
    if value and np.array_equal(b, np.tile([0.0, value, 0.0, 0.0], H)):
        raise Wrong("every fourth entry of b is forget_bias: a gate has a block of H entries")
    if np.all(parts[1] == value):
        raise Wrong("b is not exactly 0 outside of the forget gate's block")
    if value and np.all(parts[1] == 1):
        raise Wrong("the forget gate's block of b is 1, whatever forget_bias is")
    raise Wrong(f"b is wrong{differing(b, expected, 0.0)}")


def _require_uniform(w: np.ndarray, name: str, D: int, H: int) -> None:
    if not np.any(w):
        raise Wrong(f"{name} is 0 everywhere: so all units of a gate would stay alike")
    if np.ptp(w) == 0:
        raise Wrong(f"all entries of {name} are the same number")
    if np.all(w >= 0) or np.all(w <= 0):
        sign = "negative" if np.all(w >= 0) else "positive"
        raise Wrong(f"{name} has no {sign} entries: draw between -1/sqrt(H) and 1/sqrt(H)")
    if not _many(w):
        raise Wrong(f"{name} holds the same numbers again and again{_repeated(w)}")
    reach = np.max(np.abs(w))
    if not _is_uniform(w, reach) and not _is_uniform(w, 1 / np.sqrt(H)):
        raise Wrong(f"{name} is not uniform{_shape_words(w)}")
    if reach > _bound(H):
        raise Wrong(f"{name} has entries beyond 1/sqrt(H){_reach_words(reach, D, H)}")
    if reach < _NEARLY / np.sqrt(H):
        raise Wrong(f"{name} does not reach up to 1/sqrt(H){_reach_words(reach, D, H)}")
    if not _is_uniform(w, 1 / np.sqrt(H)):
        raise Wrong(f"{name} is not uniform between -1/sqrt(H) and 1/sqrt(H)")


def _bound(H: int) -> float:
    return (1 + 1e-9) / np.sqrt(H)


def _is_uniform(w: np.ndarray, reach: float) -> bool:
    """Whether n numbers are as near to uniform as so many honest ones are (Kolmogorov-Smirnov)."""
    ranks = (np.arange(w.size) + 0.5) / w.size
    off = np.abs((np.sort(w, axis=None) / reach + 1) / 2 - ranks)
    return bool(np.max(off) < _FARTHEST / np.sqrt(w.size))


def _shape_words(w: np.ndarray) -> str:
    """A normal distribution has a fourth moment of 3, a uniform one of 1.8."""
    kurtosis = np.mean((w - w.mean()) ** 4) / np.var(w) ** 2
    if 2.6 < kurtosis < 3.4:
        return ": it looks normal (rng.normal?), take rng.uniform"
    if not close(w.mean(), 0, 0.1 * np.std(w)):
        return " about 0: its mean is something else"
    return ": small and large numbers must be equally frequent"


def _reach_words(reach: float, D: int, H: int) -> str:
    candidates = {
        "1/sqrt(D): both arrays have H in it": 1 / np.sqrt(D),
        "1/H: the root is missing": 1 / H,
        "1/D": 1 / D,
        "1: the factor is missing": 1.0,
        "1/sqrt(4H): the number of units is H": 1 / np.sqrt(4 * H),
        "sqrt(H): divide by it": np.sqrt(H),
        "1/sqrt(D + H)": 1 / np.sqrt(D + H),
        "sqrt(3/H)": np.sqrt(3 / H),
        "Xavier's sqrt(6/(D + 4H))": np.sqrt(6 / (D + 4 * H)),
        "Xavier's sqrt(6/(D + H))": np.sqrt(6 / (D + H)),
        "Xavier's sqrt(6/5H)": np.sqrt(6 / (5 * H)),
        "a hundredth": 1 / 100,
        "half of it": 0.5 / np.sqrt(H),
    }
    fits = [words for words, other in candidates.items() if _NEARLY * other <= reach <= other]
    return f": it looks like {fits[0]}" if fits else ""


def _many(w: np.ndarray) -> bool:
    return len(np.unique(w)) > _DISTINCT * w.size


def _repeated(w: np.ndarray) -> str:
    if np.ptp(w) == 0:
        return ""
    if np.all(w == w[:1]):
        return ": all rows are alike"
    if np.all(w == w[:, :1]):
        return ": all columns are alike"
    blocks = np.split(w, 4, axis=1)
    if all(np.array_equal(block, blocks[0]) for block in blocks):
        return ": the four gates have the same weights"
    return ""


def _alike(one: tuple, other: tuple) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _biases(rng: Random) -> list[float]:
    """Three values that are neither the default nor 0."""
    return [float(value) for value in rng.permutation([-1.5, 0.5, 2.0, 3.5])[:3]]


def _seed(rng: Random) -> int:
    return int(rng.randint(1, 10_000))


LSTM_INIT = Exercise(
    "lstm_init",
    points=1,
    referee=lambda: "its docstring, and how far off so many honest uniform numbers can be",
    cases=(
        Case("b: forget_bias in the forget gate's block, exactly 0 elsewhere", 3, _bias),
        Case("forget_bias: the default 1, then 0, then another", 1, _forget_biases),
        Case("Wx: uniform between -1/sqrt(H) and 1/sqrt(H)", 2, _spread("Wx")),
        Case("Wh: uniform between -1/sqrt(H) and 1/sqrt(H)", 2, _spread("Wh")),
        Case("rows, columns, gates and the two arrays are all different", 1, _apart),
        Case("the same seed gives the same weights, another seed others", 2, _seeds),
        Case("one input (D = 1), one unit (H = 1)", 1, _smallest),
    ),
)
