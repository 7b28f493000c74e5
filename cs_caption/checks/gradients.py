"""A gradient of the student's between its two referees: numeric differentiation, and torch."""

from collections.abc import Callable, Mapping

import numpy as np

from cs_caption.checks.subject import Wrong
from cs_caption.checks.values import NUMERIC, close, differing, directions, fitting

Lookalikes = Mapping[str, np.ndarray]


def require_gradient(
    name: str,
    gradient: np.ndarray,
    truth: np.ndarray | None,
    slopes: Callable[[list[np.ndarray]], np.ndarray] | None,
    by_factor: Callable[[np.ndarray], Lookalikes],
    lookalikes: Callable[[], Lookalikes] = dict,
    differ: Callable[[np.ndarray, np.ndarray], str] = differing,
) -> None:
    """Fail where a referee disagrees; the words say which, and what is probably wrong.

    truth:      torch's gradient, of the same shape; None where torch is not installed
    slopes:     gives the numeric derivative along each of some directions; None: it is not asked
    by_factor:  what the truth looks like where only a factor is wrong (see `values.factors`)
    lookalikes: what other likely mistakes make of the gradient, under the words that name them
    differ:     (gradient, truth) -> words on where they differ, if nothing else can be said
    """
    agrees, named, where = {}, [], ""
    if slopes is not None:
        along = directions(gradient.shape)
        mine = np.array([np.sum(gradient * direction) for direction in along])
        numeric = slopes(along)
        agrees["numeric differentiation"] = close(mine, numeric, NUMERIC)
        named = fitting(mine, by_factor(numeric), NUMERIC)
    if truth is not None:
        agrees["torch autograd"] = close(gradient, truth)
    if truth is not None and not agrees["torch autograd"]:
        named, where = fitting(gradient, by_factor(truth)), differ(gradient, truth)
    if all(agrees.values()):
        return
    named = fitting(gradient, lookalikes()) + named
    words = f": {named[0]}" if named else where
    raise Wrong(f"{name} is wrong{words} ({_verdict(agrees)})")


def _verdict(agrees: Mapping[str, bool]) -> str:
    against = [who for who, does in agrees.items() if not does]
    others = [who for who, does in agrees.items() if does]
    words = f"{' and '.join(against)} {'both say' if len(against) > 1 else 'says'} otherwise"
    return words + "".join(f", {who} does not" for who in others)
