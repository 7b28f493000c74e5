"""Two systems on the same pictures: which is better, and how sure that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from cs_caption.checks.table import html_table, text_table
from cs_caption.metrics.bleu import bleu_from_rows, bleu_rows
from cs_caption.metrics.cider import cider, cider_d
from cs_caption.metrics.meteor import meteor_from_rows, meteor_rows
from cs_caption.metrics.prepared import References, prepare
from cs_caption.metrics.rouge import rouge_l
from cs_caption.metrics.statistics import (
    bootstrap_values,
    mean_from_sums,
    quantiles,
    with_ones,
)

LEVEL = 0.95


@dataclass(frozen=True)
class Compared:
    """One figure of two systems.

    a and b are the figures, difference is a - b and interval its bounds when pictures are drawn
    anew; a_interval and b_interval are those of each figure by itself; a_leads is the share of
    draws in which a is the higher, ties counted half.
    """

    metric: str
    a: float
    b: float
    difference: float
    interval: tuple[float, float]
    a_interval: tuple[float, float]
    b_interval: tuple[float, float]
    a_leads: float


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` found: `comparison["bleu_4"]`, or a line for each metric in `lines`."""

    lines: tuple[Compared, ...]
    names: tuple[str, str]
    pictures: int
    draws: int
    seed: int

    def __getitem__(self, metric: str) -> Compared:
        for line in self.lines:
            if line.metric == metric:
                return line
        raise KeyError(f"{metric!r} was not compared: {', '.join(x.metric for x in self.lines)}")

    def __repr__(self) -> str:
        return f"{text_table(*self._table())}\n{self._below()}"

    def _repr_html_(self) -> str:
        title = f"{self.names[0]} and {self.names[1]} on the same pictures"
        return html_table(title, *self._table()) + f"<p>{escape(self._below())}</p>"

    def _table(self) -> tuple[list[str], list[list[str]]]:
        a, b = self.names
        header = ["metric", a, b, "difference", f"{LEVEL:.0%} interval of it", f"{a} leads in"]
        return header, [
            [
                _METRICS[line.metric].title,
                f"{line.a:.3f}",
                f"{line.b:.3f}",
                f"{line.difference:+.3f}",
                "{:+.3f} to {:+.3f}".format(*line.interval),
                f"{line.a_leads:.1%} of draws",
            ]
            for line in self.lines
        ]

    def _below(self) -> str:
        return (
            f"{self.pictures} pictures, drawn anew {self.draws} times with replacement, the same "
            f"ones for both (seed {self.seed}). An interval that holds 0 leaves open which of the "
            "two is better."
        )


def compare(
    candidates_a: Sequence[str],
    candidates_b: Sequence[str],
    references: Sequence[Sequence[str]] | References,
    metrics: Sequence[str] = ("bleu_4", "meteor", "rouge_l", "cider_d"),
    draws: int = 1000,
    seed: int = 0,
    names: tuple[str, str] = ("A", "B"),
) -> Comparison:
    """Compare the captions of two systems (N each) for the same N pictures by a paired bootstrap.

    metrics are of "bleu_1" to "bleu_4", "meteor" (METEOR-ES), "rouge_l", "cider", "cider_d". In
    each draw N pictures are taken with replacement, and both systems are scored on them: corpus
    figures from the sums of what was counted, the others as means. CIDEr keeps the document
    frequencies of all references, or of those they were prepared with.

    Raises: TypeError or ValueError, naming the item, as `prepared.pair`; ValueError for an unknown
    metric, names that are no two different texts, or draws less than 1.
    Source: Efron and Tibshirani 1993, chapter 13; Koehn 2004, section 4.
    """
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    _check(metrics, names)
    references = prepare(references)
    lines = [
        _compared(name, candidates_a, candidates_b, references, draws, seed) for name in metrics
    ]
    return Comparison(tuple(lines), tuple(names), len(references), draws, seed)


def _compared(
    name: str,
    candidates_a: Sequence[str],
    candidates_b: Sequence[str],
    references: References,
    draws: int,
    seed: int,
) -> Compared:
    metric = _METRICS[name]
    rows = [metric.rows(candidates, references) for candidates in (candidates_a, candidates_b)]
    a, b = (float(metric.figure(one.sum(0))) for one in rows)
    drawn_a, drawn_b = (bootstrap_values(one, metric.figure, draws, seed) for one in rows)
    return Compared(
        metric=name,
        a=a,
        b=b,
        difference=a - b,
        interval=quantiles(drawn_a - drawn_b, LEVEL),
        a_interval=quantiles(drawn_a, LEVEL),
        b_interval=quantiles(drawn_b, LEVEL),
        a_leads=float(np.mean((np.sign(drawn_a - drawn_b) + 1) / 2)),
    )


def _check(metrics: list[str], names: tuple[str, str]) -> None:
    if not metrics:
        raise ValueError("metrics is empty; expected at least one")
    for name in metrics:
        if name not in _METRICS:
            raise ValueError(f"metric {name!r} is unknown; expected some of {', '.join(_METRICS)}")
    if len(names) != 2 or names[0] == names[1] or not all(isinstance(one, str) for one in names):
        raise ValueError(f'names is {names!r}; expected two different, ("greedy", "beam 5") say')


# The metrics.


@dataclass(frozen=True)
class _Metric:
    """A figure made of sums: rows(candidates, references) (N, K), figure of sums (..., K)."""

    title: str
    rows: Callable[[Sequence[str], References], np.ndarray]
    figure: Callable[[np.ndarray], np.ndarray]


def _bleu(order: int) -> _Metric:
    return _Metric(
        f"BLEU-{order}",
        lambda candidates, references: bleu_rows(candidates, references, order),
        lambda sums: bleu_from_rows(sums)[..., -1],
    )


def _mean(title: str, score: Callable) -> _Metric:
    return _Metric(
        title,
        lambda candidates, references: with_ones(score(candidates, references).per_item),
        mean_from_sums,
    )


_METRICS = {
    **{f"bleu_{order}": _bleu(order) for order in (1, 2, 3, 4)},
    "meteor": _Metric("METEOR-ES", meteor_rows, meteor_from_rows),
    "rouge_l": _mean("ROUGE-L", rouge_l),
    "cider": _mean("CIDEr", cider),
    "cider_d": _mean("CIDEr-D", cider_d),
}
