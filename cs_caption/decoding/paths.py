"""One path a row: greedy decoding and sampling."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cs_caption.decoding.hypothesis import Hypothesis, Step, hypothesis_of
from cs_caption.decoding.states import (
    at_least_float32,
    check_alive,
    check_at_least,
    check_step,
    count_rows,
)


@torch.no_grad()
def greedy(
    step: Step, state: Any, *, max_len: int, start: int = 1, end: int = 2
) -> list[Hypothesis]:
    """The most probable next word, again and again: one Hypothesis a row of `state`.

    A row that has not ended after `max_len` tokens is returned as it is, `finished=False`.

    Raises: ValueError for sizes out of range, for a NaN in log_probs, and where a row that has not
    ended has no possible next token.
    """

    def choose(log_probs: Tensor) -> Tensor:
        return log_probs.topk(1).indices[:, 0]

    return _walk(choose, step, state, max_len, start, end)


@torch.no_grad()
def sample(
    step: Step,
    state: Any,
    *,
    max_len: int,
    start: int = 1,
    end: int = 2,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
    generator: torch.Generator | None = None,
) -> list[Hypothesis]:
    """Draw each next word from the model's distribution: one Hypothesis a row of `state`.

    The distribution is sharpened or flattened first (`log_probs / temperature`), then cut to the
    `top_k` most probable words, then to the fewest words that hold at least `top_p` of what is
    left (the nucleus). `log_probs` of the result are the model's own, as in `greedy`.
    The same `seed` draws the same sentences; `generator` (on the CPU) is used in its stead.

    Raises: ValueError as `greedy`, and for temperature <= 0, top_k < 1, top_p outside (0, 1].
    Source: nucleus sampling, Holtzman et al. 2020, section 3.1.
    """
    _check_sampling(temperature, top_k, top_p, seed, generator)
    if generator is None:
        generator = torch.Generator()
        generator.manual_seed(seed) if seed is not None else generator.seed()

    def choose(log_probs: Tensor) -> Tensor:
        return _draw(log_probs, temperature, top_k, top_p, generator)

    return _walk(choose, step, state, max_len, start, end)


def _walk(
    choose: Callable[[Tensor], Tensor], step: Step, state: Any, max_len: int, start: int, end: int
) -> list[Hypothesis]:
    check_at_least("max_len", max_len, 1)
    rows, device = count_rows(state)
    last = torch.full((rows,), start, dtype=torch.int64, device=device)
    ended = torch.zeros(rows, dtype=torch.bool, device=device)
    tokens, gains, lengths = [], [], torch.zeros(rows, dtype=torch.int64, device=device)
    for _ in range(max_len):
        log_probs, state = step(last, state)
        check_step(log_probs, rows, end)
        last = choose(log_probs).masked_fill(ended, end)
        gain = at_least_float32(log_probs).gather(1, last[:, None])[:, 0]
        check_alive(ended | (gain > -math.inf))
        tokens.append(last)
        gains.append(gain)
        lengths += ~ended
        ended = ended | (last == end)
        if ended.all():
            break
    columns = (torch.stack(tokens, 1), torch.stack(gains, 1), lengths, ended)
    return [hypothesis_of(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _draw(
    log_probs: Tensor,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator,
) -> Tensor:
    """Inverse transform sampling from the sorted, cut distribution: (R, V) -> (R,)."""
    scores = at_least_float32(log_probs)
    scores = (scores - scores.amax(dim=1, keepdim=True)) / temperature
    scores, order = scores.sort(dim=1, descending=True)
    probs = scores[:, :top_k].softmax(dim=1)
    if top_p is not None:
        before = probs.cumsum(dim=1) - probs
        probs = probs.masked_fill(before >= top_p, 0.0)
    cumulative = probs.cumsum(dim=1)
    draw = torch.rand(len(probs), 1, generator=generator).to(probs.device) * cumulative[:, -1:]
    place = torch.searchsorted(cumulative, draw, right=True)
    possible = (probs > 0).sum(dim=1, keepdim=True)  # rounding may land past the last of these
    return order.gather(1, place.minimum((possible - 1).clamp(min=0)))[:, 0]


def _check_sampling(temperature, top_k, top_p, seed, generator) -> None:
    if not 0.0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature}: expected more than 0 (0 means `greedy`)")
    if top_k is not None:
        check_at_least("top_k", top_k, 1)
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise ValueError(f"top_p is {top_p}: expected more than 0 and at most 1")
    if seed is not None and generator is not None:
        raise ValueError("seed and generator are both given: choose one")
