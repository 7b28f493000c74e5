"""Tables in a model's place, for the checks of sequence_log_prob and beam_search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cs_caption.checks.built import table_step
from cs_caption.checks.wire import Recipe

Random = np.random.RandomState
State = tuple[int, ...]

START, END = 1, 2


@dataclass(frozen=True)
class Table:
    """How probable each word is after each word in each state, and which state comes next.

    Shapes: log_probs (S1, .., Sk, V, V) and following (S1, .., Sk, V, k), of a state with k >= 2
    columns: so that state[rows, :] and np.vstack do with it what they do with a network's.
    """

    log_probs: np.ndarray
    following: np.ndarray

    @property
    def V(self) -> int:
        """The number of words."""
        return self.log_probs.shape[-1]

    def step(self) -> Recipe:
        """The recipe of the step function."""
        return table_step(self.log_probs, self.following)

    def read(self, state: State, word: int) -> tuple[np.ndarray, State]:
        """Return the log-probabilities after a word that is read in a state, and the next state."""
        after = self.following[(*state, word)]
        return self.log_probs[(*state, word)], tuple(after.tolist())

    def row(self, state: State) -> np.ndarray:
        """The state as step takes it, (1, k)."""
        return np.array([state])


def draw_table(
    rng: Random,
    V: int,
    states: Sequence[int] = (1, 1),
    *,
    start: int = START,
    spread: float = 1.2,
    never: Sequence[int] = (),
) -> Table:
    """Draw a table in which every word but `start` and those in `never` is possible.

    states: how many there are, S1, .., Sk, of each column
    spread: of the scores, that is, how far probabilities lie apart
    """
    scores = spread * rng.standard_normal((*states, V, V))
    scores[..., [start, *never]] = -np.inf
    following = np.stack([rng.randint(0, S, (*states, V)) for S in states], axis=-1)
    return Table(normalised(scores), following)


def normalised(scores: np.ndarray) -> np.ndarray:
    """Return the logarithms of the probabilities that scores stand for, along the last axis."""
    return scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)


def likelier(table: Table, word: int, nats: float) -> Table:
    """Return the table with a word that is so much more probable (or less) than it was."""
    scores = table.log_probs.copy()
    scores[..., word] += nats
    return Table(normalised(scores), table.following)
