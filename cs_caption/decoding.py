"""Sentences from a `step`: greedy, sampled, and by batched beam search.

A `step(tokens, state) -> (log_probs, state)` knows how to go one word further on many rows at once:

    tokens     (R,) int64: the last token of each row; `start` at first
    state      any nested dict, list or tuple of tensors whose first axis is the row; what is not a
               tensor is handed on as it is. A state without a tensor stands for one row.
    log_probs  (R, V): log-probability of every token as the next one; -inf forbids a token

To keep <NULL>, <START> or <UNK> out of sentences is the step's business: give them -inf. The
functions here treat `end` alone as special. They loop over time, never over the vocabulary.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


@dataclass(frozen=True)
class Hypothesis:
    """One decoded sentence.

    `tokens` lacks <START> and holds <END> where it was reached (`finished`); `log_probs` is the
    model's log-probability of each of the tokens, `log_prob` their sum, and `score` what the search
    ranked by: `log_prob / len(tokens) ** length_penalty`.
    """

    tokens: tuple[int, ...]
    log_probs: tuple[float, ...]
    log_prob: float
    score: float
    finished: bool


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


@torch.no_grad()
def beam_search(
    step: Step,
    state: Any,
    *,
    beam: int,
    max_len: int,
    start: int = 1,
    end: int = 2,
    length_penalty: float = 0.0,
) -> list[list[Hypothesis]]:
    """The `beam` best sentences of each row of `state` that a search of that width finds.

    `step` is called with N * beam rows, row n * beam + k being hypothesis k of picture n. A
    hypothesis that has said `end` is frozen: it is never extended, keeps its score and its place,
    and competes with the others until they overtake it or end too. What has not ended after
    `max_len` tokens is returned too, `finished=False`. Nothing is shared between pictures, so a
    batch gives what its pictures give one by one.

    Returns: a list a picture, best `score` first, of at most `beam` hypotheses (fewer where fewer
    sentences are possible). A `length_penalty` of 0 ranks by log-probability; 1 by its mean a word.

    Raises: ValueError as `greedy`, and for beam < 1 or a length_penalty that is negative.
    """
    _check_at_least("beam", beam, 1)
    _check_at_least("max_len", max_len, 1)
    if not 0.0 <= length_penalty < math.inf:
        raise ValueError(f"length_penalty is {length_penalty}: expected 0 or more")
    pictures, device = _rows(state)
    state = _map(state, lambda leaf: leaf.repeat_interleave(beam, dim=0))
    beams = _first_beams(pictures, beam, start, device)
    for _ in range(max_len):
        log_probs, state = step(beams.last.flatten(), state)
        _check_step(log_probs, pictures * beam, end)
        parents, beams = _extend(beams, log_probs, end, length_penalty)
        _check_alive(beams.total.amax(dim=1) > -math.inf)
        if beams.settled.all():
            break
        state = _map(state, lambda leaf, rows=parents: leaf.index_select(0, rows))
    return _read_beams(beams, length_penalty)


# One path a row: greedy and sampling.


def _walk(
    choose: Callable[[Tensor], Tensor], step: Step, state: Any, max_len: int, start: int, end: int
) -> list[Hypothesis]:
    _check_at_least("max_len", max_len, 1)
    rows, device = _rows(state)
    last = torch.full((rows,), start, dtype=torch.int64, device=device)
    ended = torch.zeros(rows, dtype=torch.bool, device=device)
    tokens, gains, lengths = [], [], torch.zeros(rows, dtype=torch.int64, device=device)
    for _ in range(max_len):
        log_probs, state = step(last, state)
        _check_step(log_probs, rows, end)
        last = choose(log_probs).masked_fill(ended, end)
        gain = _at_least_float32(log_probs).gather(1, last[:, None])[:, 0]
        _check_alive(ended | (gain > -math.inf))
        tokens.append(last)
        gains.append(gain)
        lengths += ~ended
        ended = ended | (last == end)
        if ended.all():
            break
    columns = (torch.stack(tokens, 1), torch.stack(gains, 1), lengths, ended)
    return [_hypothesis(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _hypothesis(tokens, gains, length, ended, length_penalty=0.0) -> Hypothesis:
    log_prob = math.fsum(gains[:length])
    score = log_prob / length**length_penalty
    return Hypothesis(tuple(tokens[:length]), tuple(gains[:length]), log_prob, score, ended)


def _draw(
    log_probs: Tensor,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator,
) -> Tensor:
    """Inverse transform sampling from the sorted, cut distribution: (R, V) -> (R,)."""
    scores = _at_least_float32(log_probs)
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


# Many paths a picture: the beam.


@dataclass(frozen=True)
class _Beams:
    """N pictures, K hypotheses each, t tokens so far. `total` -inf marks an empty place."""

    tokens: Tensor  # (N, K, t)
    gains: Tensor  # (N, K, t) log-probability of each token, 0 after the end
    total: Tensor  # (N, K) sum of the gains
    lengths: Tensor  # (N, K)
    ended: Tensor  # (N, K) bool
    last: Tensor  # (N, K)

    @property
    def settled(self) -> Tensor:
        return self.ended | (self.total == -math.inf)


def _first_beams(pictures: int, beam: int, start: int, device: torch.device) -> _Beams:
    """One hypothesis without a word in the first place, the other places empty."""
    shape = (pictures, beam)
    total = torch.full(shape, -math.inf, device=device)
    total[:, 0] = 0.0
    return _Beams(
        tokens=torch.zeros((*shape, 0), dtype=torch.int64, device=device),
        gains=torch.zeros((*shape, 0), device=device),
        total=total,
        lengths=torch.zeros(shape, dtype=torch.int64, device=device),
        ended=torch.zeros(shape, dtype=torch.bool, device=device),
        last=torch.full(shape, start, dtype=torch.int64, device=device),
    )


def _extend(
    beams: _Beams, log_probs: Tensor, end: int, length_penalty: float
) -> tuple[Tensor, _Beams]:
    """The K best of all K * V ways on, with the row (N * K,) of `step` that each one came from."""
    pictures, beam = beams.total.shape
    gains, words, lengths = _candidates(beams, log_probs, end)
    totals = beams.total[:, :, None] + gains
    ranks = totals / lengths[:, :, None] ** length_penalty
    chosen = ranks.flatten(1).topk(beam, dim=1).indices
    parent = chosen // words.shape[2]
    rows = (parent + beam * torch.arange(pictures, device=parent.device)[:, None]).flatten()
    word, gain = words.flatten(1).gather(1, chosen), gains.flatten(1).gather(1, chosen)
    behind = parent[:, :, None].expand_as(beams.tokens)
    return rows, _Beams(
        tokens=torch.cat([beams.tokens.gather(1, behind), word[:, :, None]], dim=2),
        gains=torch.cat([beams.gains.gather(1, behind), gain[:, :, None]], dim=2),
        total=totals.flatten(1).gather(1, chosen),
        lengths=lengths.gather(1, parent),
        ended=beams.ended.gather(1, parent) | (word == end),
        last=word,
    )


def _candidates(beams: _Beams, log_probs: Tensor, end: int) -> tuple[Tensor, Tensor, Tensor]:
    """Gains and words of the ways on, (N, K, min(K, V)), and each hypothesis's length after it.

    A frozen hypothesis has one way on, which adds nothing: to stay as it is. No more than K ways on
    from one hypothesis can be among the K best of its picture.
    """
    pictures, beam = beams.total.shape
    ways = min(beam, log_probs.shape[1])
    best = _at_least_float32(log_probs).topk(ways, dim=1)
    gains = best.values.view(pictures, beam, ways)
    words = best.indices.view(pictures, beam, ways)
    stay = gains.new_full((ways,), -math.inf)
    stay[0] = 0.0
    frozen = beams.ended[:, :, None]
    return (
        torch.where(frozen, stay, gains),
        words.masked_fill(frozen, end),
        beams.lengths + ~beams.ended,
    )


def _read_beams(beams: _Beams, length_penalty: float) -> list[list[Hypothesis]]:
    columns = (beams.tokens, beams.gains, beams.lengths, beams.ended, beams.total)
    return [
        sorted(
            (
                _hypothesis(*place, length_penalty)
                for *place, total in zip(*picture, strict=True)
                if total > -math.inf
            ),
            key=lambda hypothesis: -hypothesis.score,
        )
        for picture in zip(*(column.tolist() for column in columns), strict=True)
    ]


# States, and what is refused.


def _map(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, dict):
        return {key: _map(value, change) for key, value in state.items()}
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(_map(value, change) for value in state))
    if isinstance(state, (list, tuple)):
        return type(state)(_map(value, change) for value in state)
    return state


def _rows(state: Any) -> tuple[int, torch.device]:
    leaves: list[Tensor] = []
    _map(state, lambda leaf: leaves.append(leaf) or leaf)
    if any(leaf.dim() == 0 for leaf in leaves):
        raise ValueError("a tensor in state has no axis: the first axis of each must be the row")
    counts = {len(leaf) for leaf in leaves}
    if len(counts) > 1:
        raise ValueError(
            f"the tensors in state differ in their first axis: {sorted(counts)}; it must be the "
            "row in all of them (put what all rows share into the step itself)"
        )
    return (leaves[0].shape[0], leaves[0].device) if leaves else (1, torch.device("cpu"))


def _at_least_float32(log_probs: Tensor) -> Tensor:
    return log_probs if log_probs.dtype == torch.float64 else log_probs.float()


def _check_at_least(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}: expected a whole number of {least} or more")


def _check_sampling(temperature, top_k, top_p, seed, generator) -> None:
    if not 0.0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature}: expected more than 0 (0 means `greedy`)")
    if top_k is not None:
        _check_at_least("top_k", top_k, 1)
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise ValueError(f"top_p is {top_p}: expected more than 0 and at most 1")
    if seed is not None and generator is not None:
        raise ValueError("seed and generator are both given: choose one")


def _check_step(log_probs: Tensor, rows: int, end: int) -> None:
    if not isinstance(log_probs, Tensor) or log_probs.dim() != 2 or len(log_probs) != rows:
        found = tuple(log_probs.shape) if isinstance(log_probs, Tensor) else type(log_probs)
        raise ValueError(f"step returned log_probs of {found}: expected a tensor ({rows}, V)")
    if not 0 <= end < log_probs.shape[1]:
        raise ValueError(f"end is {end}, outside the step's vocabulary of {log_probs.shape[1]}")
    if log_probs.isnan().any():
        row = int(log_probs.isnan().any(dim=1).nonzero()[0])
        raise ValueError(f"step returned NaN in row {row}: look for 0/0 or inf-inf in the step")


def _check_alive(alive: Tensor) -> None:
    if not alive.all():
        row = int((~alive).nonzero()[0])
        raise ValueError(
            f"no next token is possible in row {row}: the step gave -inf to every token; leave "
            "at least `end` possible"
        )
