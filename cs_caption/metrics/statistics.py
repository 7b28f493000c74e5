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
    return quantiles(bootstrap_values(rows, figure, draws, seed), level)


def bootstrap_values(
    rows: np.ndarray,
    figure: Callable[[np.ndarray], np.ndarray],
    draws: int = 1000,
    seed: int = 0,
) -> np.ndarray:
    """The values (draws,) that `figure` takes when pictures are drawn anew, with replacement.

    rows and figure are as for `bootstrap_interval`. With equal N, draws and seed the same pictures
    are drawn each time, so that the values of two systems are pairs.

    Raises: ValueError where rows is not (N, K) with N at least 1, or draws less than 1.
    """
    rows = np.asarray(rows, float)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"rows has shape {rows.shape}; expected (N, K) with N at least 1")
    if draws < 1:
        raise ValueError(f"draws is {draws!r}; expected 1 or more, 1000 for instance")
    n = len(rows)
    times = np.random.RandomState(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        return figure(times @ rows)


def quantiles(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Between which bounds the middle share `level` of values (M,) lies, NaN left out.

    Raises: ValueError where level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; expected a share between 0 and 1, such as 0.95")
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return float(low), float(high)


def interval(
    values: np.ndarray, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Between which bounds the mean of values (N,) lies when pictures are drawn anew.

    `interval(cider_d(candidates, references).per_item)`. A figure that is no mean, BLEU say, needs
    `bootstrap_interval` and its rows.

    Raises: ValueError where values is not (N,) with N at least 1, or level or draws make no sense.
    """
    return bootstrap_interval(with_ones(values), mean_from_sums, level, draws, seed)


def with_ones(values: np.ndarray) -> np.ndarray:
    """Rows (N, 2) whose sums make a mean: values (N,) and ones."""
    values = np.asarray(values, float)
    if values.ndim != 1:
        raise ValueError(f"values has shape {values.shape}; expected (N,), one for each picture")
    return np.stack([values, np.ones(len(values))], axis=1)


def mean_from_sums(sums: np.ndarray) -> np.ndarray:
    """Means (...) from sums (..., 2) of rows that `with_ones` made."""
    return sums[..., 0] / sums[..., 1]


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
