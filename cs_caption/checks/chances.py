"""How often something drawn at random should come, and whether it came as often.

counts = np.bincount(found, minlength=V)
likely(counts, log_softmax(scores / temperature))
"""

import numpy as np

# Of each symbol n KL(found | expected) is held against these. By Chernoff's bound chance goes above
# with a probability of 2 exp(-nats), and of a count that grows, 900 times that: with 130 symbols
# in all, hidden cases included, an honest answer fails less than once in 1e9 checks.
NATS, NATS_GROWING = 28.0, 36.0


def likely(counts: np.ndarray, log_chances: np.ndarray, nats: float = NATS) -> bool:
    """Say whether counts as these come with these probabilities without a miracle."""
    n = counts.sum()
    return all(
        divergence(count, n, log_chance) <= nats
        for count, log_chance in zip(counts, log_chances, strict=True)
    )


def divergence(count: int, n: int, log_chance: float) -> float:
    """n KL between how often a symbol came and how often it should: nats against chance."""
    rest = np.log(max(-np.expm1(min(log_chance, 0.0)), 1e-300))
    seen = count * (np.log(count / n) - log_chance) if count else 0.0
    unseen = (n - count) * (np.log(1 - count / n) - rest) if count < n else 0.0
    return float(seen + unseen)


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Return the logarithms of the probabilities that V scores stand for."""
    return scores - np.logaddexp.reduce(scores)
