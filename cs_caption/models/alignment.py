"""Which region belongs to which word of a sentence: each for itself, or neighbours together."""

import numpy as np


def best_regions(scores: np.ndarray) -> np.ndarray:
    """Each word's best region, of equal ones the first. Shapes: scores (L, T) -> int64 (T,)."""
    return scores.argmax(axis=0)


def smooth_alignment(scores: np.ndarray, beta: float) -> np.ndarray:
    """The regions a_1 ... a_T with the greatest sum of scores, and of beta for each a_t = a_{t+1}.

    Exact, in time L * T: a word's best predecessor is its own region, or the best of all.

    Shapes: scores (L, T). Returns: int64 (T,).
    Raises: ValueError where beta is below 0, or there is no region or no word.
    Source: Karpathy and Fei-Fei 2015, section 3.1.4, which finds it by dynamic programming.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or not scores.size:
        raise ValueError(f"scores of {scores.shape}: expected (regions, words), at least one")
    if not 0 <= beta < np.inf:
        raise ValueError(f"beta is {beta}: expected a number of 0 or more")
    own = np.arange(len(scores))
    total, came_from = scores[:, 0], []
    for t in range(1, scores.shape[1]):
        other = int(total.argmax())
        stays = total + beta >= total[other]
        came_from.append(np.where(stays, own, other))
        total = np.where(stays, total + beta, total[other]) + scores[:, t]
    regions = [int(total.argmax())]
    for before in reversed(came_from):
        regions.append(int(before[regions[-1]]))
    return np.array(regions[::-1], dtype=np.int64)
