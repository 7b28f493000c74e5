"""What likely mistakes make of reinforce_loss, in torch: of its value, and so of each gradient."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Words:
    """The arguments as tensors; of what is summed over words only the real ones count."""

    nats: Any
    log_probs: Any
    alpha: Any
    real: Any
    baseline: float
    decay: float
    weight: float

    def total(self, each: Any) -> Any:
        """The sum (N,) over the real words."""
        return each.masked_fill(~self.real, 0.0).sum(1)

    @cached_property
    def words(self) -> Any:
        """The number of words (N,)."""
        return self.real.sum(1).clamp(min=1)

    @cached_property
    def logs(self) -> Any:
        """The logarithms of alpha, 0 where it is 0 or nothing at all."""
        return self.alpha.masked_fill(self.alpha <= 0, 1.0).log()

    @cached_property
    def cost(self) -> Any:
        """The sum (N,) of nats."""
        return self.total(self.nats)

    @cached_property
    def looked(self) -> Any:
        """The sum (N,) of log_probs."""
        return self.total(self.log_probs)

    @cached_property
    def unsure(self) -> Any:
        """The sum (N,) of the entropies."""
        return self.total(-(self.alpha * self.logs).sum(2))

    @cached_property
    def reward(self) -> Any:
        """R (N,)."""
        return -self.cost.detach()

    def loss(self, reward: Any = None, **other: Any) -> Any:
        """The loss of each caption (N,), with another `reward`, cost, looked or unsure."""
        reward = self.reward - self.baseline if reward is None else reward
        cost, looked, unsure = (
            other.get(name, getattr(self, name)) for name in ("cost", "looked", "unsure")
        )
        return cost - reward * looked - self.weight * unsure


Loss = Callable[[Words], Any]


def right_loss(w: Words) -> Any:
    """The loss as it should be."""
    return w.loss().mean()


def _onward(w: Words) -> Any:
    """R of each word (N, T): only of the words from it on."""
    return -w.nats.detach().masked_fill(~w.real, 0.0).flip(1).cumsum(1).flip(1)


def _padded(*names: str, upside_down: bool = False) -> Loss:
    """The losses where other words of these parts count: all, or those of the padding alone."""

    def losses(w: Words) -> Any:
        other = replace(w, real=~w.real if upside_down else w.real | True)
        parts = {name: getattr(other, name) for name in names}
        reward = other.reward if "cost" in parts else w.reward
        return w.loss(reward - w.baseline, **parts)

    return losses


def _averaged(w: Words, *names: str) -> dict[str, Any]:
    return {name: getattr(w, name) / w.words for name in names}


_R = "R is the sum over a caption's words"
_EACH = "a word has no reward of its own: R is that of its whole caption"
_MEAN = "the sum over a caption's words is asked for"
_MEANS = "nats, log_probs and entropies are averaged"
# Each gives the losses (N,) of the captions, of which the mean is taken.
_REWARDS: dict[str, Loss] = {
    "the sign of (R - baseline) * sum log_probs is wrong": lambda w: w.loss(w.baseline - w.reward),
    "R is minus the sum of nats: its sign is wrong": lambda w: w.loss(-w.reward - w.baseline),
    "the baseline is added to R: it is subtracted": lambda w: w.loss(w.reward + w.baseline),
    "the baseline has no part in it": lambda w: w.loss(w.reward),
    "the next baseline is subtracted from R: it is the one that is given": lambda w: w.loss(
        w.reward - w.decay * w.baseline - (1 - w.decay) * w.reward.mean()
    ),
    "the mean reward of this batch is subtracted from R: it is the baseline that is given": (
        lambda w: w.loss(w.reward - w.reward.mean())
    ),
    "the mean reward of all captions is taken for that of each": lambda w: w.loss(
        w.reward.mean() - w.baseline
    ),
    "the sum of the rewards of all captions is taken for that of each": lambda w: w.loss(
        w.reward.sum() - w.baseline
    ),
    f"{_R}, not their mean": lambda w: w.loss(w.reward / w.words - w.baseline),
    f"{_EACH} (and the baseline is subtracted from each word's)": lambda w: w.loss(
        1, looked=w.total((-w.nats.detach() - w.baseline) * w.log_probs)
    ),
    f"{_EACH} (and the baseline is subtracted once a caption)": lambda w: w.loss(
        1, looked=w.total(-w.nats.detach() * w.log_probs) - w.baseline
    ),
    _EACH: lambda w: w.loss(1, looked=w.total(-w.nats.detach() * w.log_probs)),
    "the baseline counts once a word: it is the reward to expect of a whole caption": (
        lambda w: w.loss(w.reward - w.baseline * w.words)
    ),
    "R counts only the words from the look on: that of the whole caption is asked for": (
        lambda w: w.loss(1, looked=w.total((_onward(w) - w.baseline) * w.log_probs))
    ),
}
_SUMS: dict[str, Loss] = {
    f"log_probs are averaged: {_MEAN}": lambda w: w.loss(**_averaged(w, "looked")),
    f"nats are averaged: {_MEAN}": lambda w: w.loss(**_averaged(w, "cost")),
    f"nats are averaged, for R as well: {_MEAN}": lambda w: w.loss(
        w.reward / w.words - w.baseline, **_averaged(w, "cost")
    ),
    f"{_MEANS}: {_MEAN}": lambda w: w.loss(
        w.reward / w.words - w.baseline, **_averaged(w, "cost", "looked", "unsure")
    ),
    "log_probs of all captions are added up: each caption has a sum of its own": (
        lambda w: w.loss(looked=w.looked.sum())
    ),
    "nats of all captions are added up: each caption has a sum of its own": (
        lambda w: w.loss(w.reward.sum() - w.baseline, cost=w.cost.sum())
    ),
    "the nats are missing: they teach what to say": lambda w: w.loss(cost=0),
    "log_probs are missing: they teach where to look": lambda w: w.loss(looked=0),
    "R - baseline does not weigh log_probs": lambda w: w.loss(1),
    "log_probs are turned into probabilities: the logarithms are wanted": lambda w: w.loss(
        looked=w.total(w.log_probs.exp())
    ),
    "each caption's loss is divided by its number of words: only the sum is asked for": (
        lambda w: w.loss() / w.words
    ),
    "it is divided by N and by T": lambda w: w.loss() / w.nats.shape[1],
    "its sign is wrong": lambda w: -w.loss(),
}
_ENTROPIES: dict[str, Loss] = {
    "the entropy is missing": lambda w: w.loss(unsure=0),
    "the sign of the entropy's term is wrong: looks that are unsure lower the loss": (
        lambda w: w.loss(unsure=-w.unsure)
    ),
    f"the entropies are averaged: {_MEAN}": lambda w: w.loss(**_averaged(w, "unsure")),
    "the entropies of all captions are added up: each caption has a sum of its own": (
        lambda w: w.loss(unsure=w.unsure.sum())
    ),
    "the entropy of a word is a sum over the regions, not a mean": lambda w: w.loss(
        unsure=w.unsure / w.alpha.shape[2]
    ),
    "the entropy is a logarithm to base 2": lambda w: w.loss(unsure=w.unsure / float(np.log(2))),
    "the entropy is that of alpha, not made of log_probs": lambda w: w.loss(
        unsure=-w.total(w.log_probs.exp() * w.log_probs)
    ),
    "-log_probs stand for the entropy: it is that of alpha, over all its regions": (
        lambda w: w.loss(unsure=-w.looked)
    ),
    "in the entropy each logarithm is weighed by its alpha: that is missing": lambda w: w.loss(
        unsure=w.total(-w.logs.sum(2))
    ),
    "entropy_weight has no part: what it is where it is left out is taken always": (
        lambda w: replace(w, weight=0.01).loss()
    ),
    "entropy_weight does not weigh the entropy": lambda w: replace(w, weight=1.0).loss(),
}
_PADDING: dict[str, Loss] = {
    "the padding counts as well": _padded("cost", "looked", "unsure"),
    "the padding of nats counts as well": _padded("cost"),
    "the padding of log_probs counts as well": _padded("looked"),
    "the padding of alpha counts as well": _padded("unsure"),
    "the padding of log_probs and alpha counts as well": _padded("looked", "unsure"),
    "the mask is upside down: True is a real word": _padded(
        "cost", "looked", "unsure", upside_down=True
    ),
}


def _mean(losses: Loss) -> Loss:
    return lambda w: losses(w).mean()


# What a mistake makes of the loss, under the words that name it.
MISTAKES: dict[str, Loss] = {
    words: _mean(losses) for words, losses in (_REWARDS | _SUMS | _ENTROPIES | _PADDING).items()
} | {
    "it is the sum of the captions' losses: take their mean": lambda w: w.loss().sum(),
    "it is divided by the number of words: take the mean over the captions": (
        lambda w: w.loss().sum() / w.words.sum()
    ),
}
# Mistakes that only the gradient shows.
UNSEEN: dict[str, Loss] = {
    "it flows through R: R is a plain number, so detach it": _mean(
        lambda w: w.loss(-w.cost - w.baseline)
    ),
    "it flows through R, which is a plain number, and not through nats themselves": _mean(
        lambda w: w.loss(-w.cost - w.baseline, cost=w.cost.detach())
    ),
}


def _with_logs(w: Words, logs: Any, alpha: Any = None) -> Any:
    alpha = w.alpha if alpha is None else alpha
    return w.loss(unsure=w.total(-(alpha * logs).sum(2))).mean()


# What is done to small alpha, of this size, in the entropy.
OF_SMALL: tuple[Callable[[Words, float], Any], ...] = (
    lambda w, size: _with_logs(w, (w.alpha.clamp(min=0) + size).log()),
    lambda w, size: _with_logs(w, w.alpha.clamp(min=size).log()),
    lambda w, size: _with_logs(w, w.alpha.clamp(min=size).log(), w.alpha.clamp(min=size)),
    lambda w, size: _with_logs(w, w.logs, w.alpha.masked_fill(w.alpha <= size, 0.0)),
)
