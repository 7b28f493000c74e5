"""Character networks that follow tables: what they say, and how likely, is known beforehand.

Half of the state is a code of the symbol that was read, half of the one before it: +1 at the
symbol's place and -1 elsewhere. tanh is saturated there, so the codes are exact; from a state of
zeros there is no symbol before.
"""

from dataclasses import dataclass

import numpy as np

Random = np.random.RandomState
Weights = dict[str, np.ndarray]

_SATURATED = 24.0  # where tanh is 1 in float64


@dataclass(frozen=True)
class Tables:
    """The score of each next symbol: now[x] + before[the symbol read before x] + by.

    The columns of both tables have mean 0, so that the codes' -1 cancel.
    """

    now: np.ndarray  # (V, V)
    before: np.ndarray  # (V, V)
    by: np.ndarray  # (V,)

    @property
    def V(self) -> int:
        """The number of symbols."""
        return len(self.by)

    @property
    def p(self) -> Weights:
        """The network's weights: H = 2V."""
        V, nothing = self.V, np.zeros((self.V, self.V))
        return {
            "Wx": 2 * _SATURATED * np.eye(V, 2 * V),
            "Wh": np.block([[nothing, _SATURATED * np.eye(V)], [nothing, nothing]]),
            "b": np.repeat([-_SATURATED, 0.0], V),
            "Wy": np.vstack([self.now, self.before]) / 2,
            "by": self.by,
        }

    def scores(self, x: int, previous: int | None = None) -> np.ndarray:
        """Return the V scores after reading x, and before it `previous` or nothing."""
        return self.now[x] + (0 if previous is None else self.before[previous]) + self.by

    def state(self, x: int, previous: int) -> np.ndarray:
        """Return the state (1, H) after reading `previous`, then x."""
        return (2 * np.eye(self.V)[[x, previous]] - 1).reshape(1, -1)


def centred(table: np.ndarray) -> np.ndarray:
    """Return the table with columns of mean 0."""
    return table - table.mean(axis=0)
