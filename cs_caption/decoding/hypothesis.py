"""What is decoded, and what decodes it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


@dataclass(frozen=True)
class Hypothesis:
    """One decoded sentence.

    `tokens` lacks <START> and holds <END> where it was reached (`finished`); `log_probs` is the
    model's log-probability of each of the tokens, `log_prob` their sum, and `score` what the search
    ranked by: `log_prob / len(tokens) ** length_penalty`. `group` is the group of a diverse search
    that found it.
    """

    tokens: tuple[int, ...]
    log_probs: tuple[float, ...]
    log_prob: float
    score: float
    finished: bool
    group: int = 0


def hypothesis_of(
    tokens: list[int],
    gains: list[float],
    length: int,
    ended: bool,
    length_penalty: float = 0.0,
    group: int = 0,
) -> Hypothesis:
    """The first `length` of tokens, with what they cost."""
    log_prob = math.fsum(gains[:length])
    score = log_prob / length**length_penalty
    return Hypothesis(tuple(tokens[:length]), tuple(gains[:length]), log_prob, score, ended, group)
