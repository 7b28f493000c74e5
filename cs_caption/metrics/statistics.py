"""How two things agree, and how sure a figure is: AUC, correlation, bootstrap intervals."""

from collections.abc import Callable

import numpy as np


def auc(scores: np.ndarray, positive: np.ndarray, among: np.ndarray | None = None) -> float | None:
    """The chance that a positive (N, bool) has a higher score (N) than a negative, ties half.

    With `among` (N) only pairs of the same value there are compared. None where there is no pair.

    Raises: ValueError where the shapes differ or a score is NaN.
    Source: Hanley and McNeil 1982 (the Mann-Whitney statistic).
    """
    scores, positive = _pair(scores, np.asarray(positive, bool))
    groups = np.zeros(len(scores), int) if among is None else np.asarray(among)
    wins = pairs = 0.0
    for value in np.unique(groups):
        here = groups == value
        n, total = int(positive[here].sum()), int(here.sum())
        wins += _ranks(scores[here])[positive[here]].sum() - n * (n + 1) / 2
        pairs += n * (total - n)
    return float(wins / pairs) if pairs else None


def correlation(x: np.ndarray, y: np.ndarray, ranks: bool = False) -> float | None:
    """Pearson's correlation of x and y (N,), or Spearman's with `ranks`; None if one is constant.

    Raises: ValueError where the shapes differ or a value is NaN.
    """
    x, y = _pair(x, np.asarray(y, float))
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(*((_ranks(x), _ranks(y)) if ranks else (x, y)))[0, 1])


def bootstrap_interval(
    rows: np.ndarray,
    figure: Callable[[np.ndarray], np.ndarray],
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Between which bounds `figure` lies when pictures are drawn anew, with replacement.

    rows (N, K) holds what each picture adds; figure maps sums of rows (draws, K) to values
    (draws,), so that no draw needs the captions again. Draws without a value (NaN) are left out.

    Raises: ValueError where rows is not (N, K) with N at least 1.
    Source: Efron 1979; the percentile interval.
    """
    rows = np.asarray(rows, float)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"rows has shape {rows.shape}; expected (N, K) with N at least 1")
    n = len(rows)
    times = np.random.RandomState(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = figure(times @ rows)
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return float(low), float(high)


def _pair(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(x, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"shapes {x.shape} and {y.shape}: expected two of the same length (N,)")
    if np.isnan(x).any() or (y.dtype == float and np.isnan(y).any()):
        raise ValueError("a value is NaN: leave its item out of both")
    return x, y


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, those of equal values averaged."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(times) - (times - 1) / 2)[place]
