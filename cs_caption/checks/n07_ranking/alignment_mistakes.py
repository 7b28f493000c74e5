"""The best way to choose regions for words, and what likely mistakes choose.

Each is a function (scores (L, T), beta) -> regions (T,).
"""

from collections.abc import Callable

import numpy as np

Way = np.ndarray
Choose = Callable[[np.ndarray, float], Way]


def best_way(scores: np.ndarray, beta: float) -> Way:
    """Regions with the greatest sum."""
    return _ways(scores, beta * np.eye(len(scores)))


def sum_of(way: Way, scores: np.ndarray, beta: float) -> float:
    """The sum of the chosen scores, and of beta for each pair of neighbours that share a region."""
    chosen = scores[way, np.arange(len(way))].sum()
    return float(chosen + beta * np.count_nonzero(way[1:] == way[:-1]))


def _ways(scores: np.ndarray, pairs: np.ndarray, *, back: str = "of the next region") -> Way:
    """The best way where neighbours in regions (a, b) add pairs[a, b]."""
    total, came_from, bests = scores[:, 0], [], [scores[:, 0].argmax()]
    for column in scores.T[1:]:
        reached = total[:, None] + pairs
        came_from.append(reached.argmax(0))
        total = reached.max(0) + column
        bests.append(total.argmax())
    if back == "none":
        return np.array(bests)
    way = [int((scores[:, -1] if back == "from the last score" else total).argmax())]
    for before in reversed(came_from):
        way.append(int(before[way[0] if back == "of the last region" else way[-1]]))
    return np.array(way[::-1])


def _potts(factor: float) -> Choose:
    return lambda scores, beta: best_way(scores, factor * beta)


def _near(bonus: Callable[[np.ndarray], np.ndarray]) -> Choose:
    """Neighbouring words whose regions' numbers differ by a few add something."""

    def choose(scores: np.ndarray, beta: float) -> Way:
        numbers = np.arange(len(scores))
        return _ways(scores, beta * bonus(abs(numbers[:, None] - numbers)).astype(float))

    return choose


def _always_stays(scores: np.ndarray, beta: float) -> Way:
    """The maximum over the next region, not over the one before."""
    total, came_from = scores[:, 0], []
    for column in scores.T[1:]:
        reached = total[:, None] + beta * np.eye(len(scores))
        came_from.append(reached.argmax(1))
        total = reached.max(1) + column
    way = [int(total.argmax())]
    for before in reversed(came_from):
        way.append(int(before[way[-1]]))
    return np.array(way[::-1])


def _of_the_few(count: int) -> Choose:
    """The best way through regions that are among some word's best."""

    def choose(scores: np.ndarray, beta: float) -> Way:
        kept = np.unique(np.argsort(-scores, axis=0, kind="stable")[:count])
        return kept[best_way(scores[kept], beta)]

    return choose


def _mixed(scores: np.ndarray, beta: float) -> Way:
    """Of each word the region with the greatest sum through it: tied ways are mixed."""
    ahead, behind = _reached(scores, beta), _reached(scores[:, ::-1], beta)[:, ::-1]
    return (ahead + behind - scores).argmax(0)


def _mixed_from_the_end(scores: np.ndarray, beta: float) -> Way:
    return len(scores) - 1 - _mixed(scores[::-1], beta)


def _reached(scores: np.ndarray, beta: float) -> np.ndarray:
    """The greatest sums (L, T) of beginnings that end in a region."""
    totals = [scores[:, 0]]
    for column in scores.T[1:]:
        totals.append(column + np.maximum(totals[-1] + beta, totals[-1].max()))
    return np.stack(totals, axis=1)


def _greedy(scores: np.ndarray, beta: float) -> Way:
    """Word by word, each after the region that was chosen last."""
    way = [int(scores[:, 0].argmax())]
    for column in scores.T[1:]:
        way.append(int((column + beta * (np.arange(len(scores)) == way[-1])).argmax()))
    return np.array(way)


def _turned(choose: Choose) -> Choose:
    return lambda scores, beta: choose(scores[:, ::-1], beta)[::-1]


def _one_by_one(scores: np.ndarray, beta: float) -> Way:
    """From each word's best region on, a word at a time moves while that helps."""
    way, before = scores.argmax(0), None
    while before is None or (way != before).any():
        before = way.copy()
        for t in range(len(way)):
            add = np.zeros(len(scores))
            for beside in (t - 1, t + 1):
                if 0 <= beside < len(way):
                    add[way[beside]] += beta
            way[t] = (scores[:, t] + add).argmax()
    return way


def _smoothed_once(scores: np.ndarray, beta: float) -> Way:
    """Each word between its neighbours' best regions."""
    best, added = scores.argmax(0), scores.copy()
    for t in range(len(best)):
        for beside in (t - 1, t + 1):
            if 0 <= beside < len(best):
                added[best[beside], t] += beta
    return added.argmax(0)


def _back_late(scores: np.ndarray, beta: float) -> Way:
    """The way comes back a word late, and the last region twice."""
    way = best_way(scores, beta)
    return np.array([*way[1:], way[-1]])


def _back_early(scores: np.ndarray, beta: float) -> Way:
    """The way comes back a word early, and the first region twice."""
    way = best_way(scores, beta)
    return np.array([way[0], *way[:-1]])


def _changed(change: Callable[[np.ndarray], np.ndarray]) -> Choose:
    return lambda scores, beta: best_way(change(scores), beta)


def _softmax(scores: np.ndarray, axis: int | None) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _without(t: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(scores: np.ndarray) -> np.ndarray:
        changed = scores.copy()
        changed[:, t] = 0
        return changed

    return change


_FEWER = "the {} word's scores have no part: only the others' are added up"

_ONE = (
    "one region is chosen for all words, whatever beta is (or the largest sums are taken along the "
    "wrong axis: each region then comes from itself)"
)
_LEFT_OUT = (
    "only regions that are among some word's best few can be chosen: one that is nobody's best may "
    "suit all words"
)
_MIXED = (
    "where several ways reach the same sum they are mixed: each word's region is looked up by "
    "itself, and those of one way belong together"
)

# What a mistake chooses, under the words that name it.
MISTAKES: dict[str, Choose] = {
    "beta has no part: each word has its best region": lambda scores, beta: scores.argmax(0),
    _ONE: lambda scores, beta: np.full(scores.shape[1], scores.sum(1).argmax()),
    _ONE + " ": _always_stays,
    _LEFT_OUT: _of_the_few(2),
    _LEFT_OUT + " ": _of_the_few(3),
    _MIXED: _mixed,
    _MIXED + " ": _mixed_from_the_end,
    "words are taken from left to right, each after what was chosen last: a later word may be a "
    "reason to choose another": _greedy,
    "words are taken from right to left, each after what was chosen last: an earlier word may be a "
    "reason to choose another": _turned(_greedy),
    "each word moves by itself until nothing helps: several words may have to move together": (
        _one_by_one
    ),
    "each word is drawn to its neighbours' best regions: those may be left as well": _smoothed_once,
    "the best region so far is noted for each word: follow back where each sum came from, beta "
    "included": (lambda scores, beta: _ways(scores, beta * np.eye(len(scores)), back="none")),
    "on the way back each word's region tells the one before it; it is looked up for the last "
    "word's region every time": lambda scores, beta: _ways(
        scores, beta * np.eye(len(scores)), back="of the last region"
    ),
    "the way back begins with the last word's best score: begin where the sum is greatest": (
        lambda scores, beta: _ways(scores, beta * np.eye(len(scores)), back="from the last score")
    ),
    "on the way back it is a word late": _back_late,
    "on the way back it is a word early": _back_early,
    "the regions are in reverse order: those found on the way back begin with the last word": (
        lambda scores, beta: best_way(scores, beta)[::-1]
    ),
    "beta is added where neighbours have different regions (or subtracted where they share one)": (
        _potts(-1)
    ),
    "beta is counted twice for each pair": _potts(2),
    "half of beta is counted for each pair": _potts(0.5),
    "beta is taken for 1, whatever is given": lambda scores, beta: best_way(scores, 1.0),
    "beta is squared": lambda scores, beta: best_way(scores, beta**2),
    "beta is added where the regions' numbers differ by 1: they should be the same": _near(
        lambda apart: apart == 1
    ),
    "beta is added where the regions' numbers differ by 1 as well: they should be the same": _near(
        lambda apart: apart <= 1
    ),
    "the difference of the regions' numbers is charged for: any two different ones are alike": (
        _near(lambda apart: -apart)
    ),
    "the square of the regions' difference is charged for: any two different ones are alike": (
        _near(lambda apart: -(apart**2))
    ),
    "the smallest sum is looked for": _changed(lambda scores: -scores),
    "the smallest sum is looked for ": lambda scores, beta: best_way(-scores, -beta),
    "the scores are turned into probabilities of regions first: they are added up as they are": (
        _changed(lambda scores: _softmax(scores, 0))
    ),
    "the scores are turned into probabilities of words first: they are added up as they are": (
        _changed(lambda scores: _softmax(scores, 1))
    ),
    "scores below 0 are made 0: they count as they are": _changed(lambda s: np.maximum(s, 0)),
    "sizes of scores are added up: those below 0 count as they are": _changed(abs),
    _FEWER.format("first"): _changed(_without(0)),
    _FEWER.format("last"): _changed(_without(-1)),
}

TIES_MIXED = (_mixed, _mixed_from_the_end)

# Scores for which what is chosen would be best, where many ways are.
OF_SCORES: dict[str, Callable[[np.ndarray, float], tuple[np.ndarray, float]]] = {
    _FEWER.format("first"): lambda scores, beta: (_without(0)(scores), beta),
    _FEWER.format("last"): lambda scores, beta: (_without(-1)(scores), beta),
    "scores below 0 are made 0: they count as they are": lambda s, beta: (np.maximum(s, 0), beta),
}
