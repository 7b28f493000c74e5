"""Word detectors: for each word, which cells of a picture show it, and whether any of them does.

    there = words_there(captions, words)               # (N, V): all that they are taught by
    detectors = train_detectors(grids, there, steps=600)
    p, logits = detectors.detect(grids)                # (N, V), (N, L, V): is it there, and where?

Nobody tells them where a word is. A picture's captions have it or not, and "at least one cell shows
it" (noisy-OR) leaves the detectors to find out which one does.

Source: Fang et al. 2015, From Captions to Visual Concepts and Back (arXiv:1411.4952), section 3.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

RATE, WARMUP = 0.02, 0.1
PART = 250  # pictures at once where no gradient is taken

Grids = Tensor | np.ndarray  # (N, L, C), of any kind of float, in memory or mapped from a file


class Detected(NamedTuple):
    """What detectors find, float32: p (N, V), the probability that a picture shows a word, and
    logits (N, L, V), whose sigmoid is the probability that a cell does. (Of the sigmoids of
    several cells that are sure, all may be rounded to 1, so that none is the strongest.)"""

    p: np.ndarray
    logits: np.ndarray


def noisy_or(logits: Tensor, mask: Tensor | None = None) -> Tensor:
    """The probability that at least one cell shows a word: p = 1 - prod_i (1 - sigmoid(logit_i)).

    Shapes: logits (N, L, V); mask (N, L) bool, False where there is no cell. Returns: (N, V).
    """
    missed = F.logsigmoid(-logits)
    if mask is not None:
        missed = missed.masked_fill(~mask.unsqueeze(2), 0.0)
    return 0.0 - torch.expm1(missed.sum(dim=1))  # a mere minus would make -0 of no cell


def noisy_or_loss(logits: Tensor, there: Tensor) -> Tensor:
    """What it costs to tell by `noisy_or` which words are there: the binary cross-entropy.

    It is finite and has a gradient even where p is 0 or 1 as far as the machine can tell.

    Shapes: logits (N, L, V); there (N, V), 1 where a picture has the word and 0 elsewhere.
    Returns: a scalar, nats a picture: the sum over the words, the mean over the pictures.
    """
    return _cost(_noisy_or_odds(logits), there)


class WordDetectors(nn.Module):
    """A linear detector for each of V words, used on every cell alike: (N, L, C) -> (N, L, V).

    `pool` says how the cells make up their mind on the picture: "noisy_or"; "max", the strongest
    speaks for all; "mean", the mean of their logits. The weights begin at zero, and the biases so
    that all cells together give each word the probability `share` (V,).

    Raises: ValueError for an unknown pool, or a share that is not between 0 and 1.
    """

    def __init__(self, width: int, cells: int, share: Tensor, pool: str = "noisy_or"):
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"no pool is called {pool!r}: choose one of {', '.join(POOLS)}")
        possible = (share > 0) & (share < 1)
        if not possible.all():
            wrong = share[~possible][0].item()
            raise ValueError(f"a word's share is {wrong:g}: expected a number between 0 and 1")
        self.pool = pool
        self.weight = nn.Parameter(torch.zeros(len(share), width))
        missed = torch.log1p(-share.double()) / (cells if pool == "noisy_or" else 1)
        self.bias = nn.Parameter(torch.expm1(-missed).log().float())  # one cell's log odds

    def forward(self, grids: Tensor) -> Tensor:
        return F.linear(grids, self.weight, self.bias)

    def log_odds(self, logits: Tensor) -> Tensor:
        """log p - log(1 - p) of each word for the picture as a whole: (N, L, V) -> (N, V)."""
        return POOLS[self.pool](logits)

    @torch.no_grad()
    def detect(self, grids: Grids) -> Detected:
        """Look at grids (N, L, C), a part of them at a time."""
        found = []
        for rows in np.array_split(np.arange(len(grids)), max(1, -(-len(grids) // PART))):
            logits = self(_floats(grids, rows))
            found.append((self.log_odds(logits).sigmoid(), logits))
        return Detected(*(torch.cat(parts).numpy() for parts in zip(*found, strict=True)))


def train_detectors(
    grids: Grids,
    there: Tensor,
    steps: int,
    *,
    pool: str = "noisy_or",
    batch: int = 64,
    rate: float = RATE,
    seed: int = 0,
) -> WordDetectors:
    """Train detectors from which words (N, V) the captions of pictures have, and from no place.

    A batch is drawn from the pictures, with replacement, by `seed` alone; torch's own random state
    is left as it was. Adam; the rate rises for a tenth of the steps, and then falls to zero.

    Shapes: grids (N, L, C), what a convnet sees of each picture; there (N, V), 1 or 0.
    Raises: ValueError where these are not of the same pictures, or `steps` or `batch` is below 1.
    """
    if len(grids) != len(there) or not len(grids):
        raise ValueError(f"{len(grids)} grids, words of {len(there)} pictures: give one for each")
    if min(steps, batch) < 1:
        raise ValueError(f"{steps} steps of {batch} pictures: expected 1 or more of each")
    share = (there.sum(dim=0) + 0.5) / (len(there) + 1)  # none is certain, none impossible
    detectors = WordDetectors(grids.shape[2], grids.shape[1], share, pool)
    optimizer = torch.optim.Adam(detectors.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=WARMUP)
    draws = np.random.RandomState(seed)
    for _ in range(steps):
        rows = draws.randint(len(grids), size=batch)
        loss = _cost(detectors.log_odds(detectors(_floats(grids, rows))), there[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return detectors


def words_there(captions: Sequence[Sequence[str]], words: Sequence[str]) -> Tensor:
    """Which of V words the captions of each of N pictures have: float32 (N, V), 1 or 0."""
    place = {word: v for v, word in enumerate(words)}
    there = torch.zeros(len(captions), len(words))
    for row, several in zip(there, captions, strict=True):
        said = {word for caption in several for word in caption.split()}
        row[[place[word] for word in said & place.keys()]] = 1.0
    return there


def _floats(grids: Grids, rows: np.ndarray) -> Tensor:
    return torch.as_tensor(grids[rows]).float()


def _cost(log_odds: Tensor, there: Tensor) -> Tensor:
    costs = F.binary_cross_entropy_with_logits(log_odds, there.to(log_odds), reduction="sum")
    return costs / len(there)


# How cells make up their mind: logits (N, L, V) -> log odds of the picture (N, V).


def _noisy_or_odds(logits: Tensor) -> Tensor:
    # p is the sum over the cells of the probability that cell i is the first to show the word, so
    # that log p needs nothing but logarithms, none of which is that of a rounded 0.
    missed = F.logsigmoid(-logits)
    before = F.pad(missed, (0, 0, 1, -1)).cumsum(dim=1)  # by all cells that come before
    return (before + F.logsigmoid(logits)).logsumexp(dim=1) - missed.sum(dim=1)


def _max_odds(logits: Tensor) -> Tensor:
    return logits.amax(dim=1)


def _mean_odds(logits: Tensor) -> Tensor:
    return logits.mean(dim=1)


POOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "noisy_or": _noisy_or_odds,
    "max": _max_odds,
    "mean": _mean_odds,
}
