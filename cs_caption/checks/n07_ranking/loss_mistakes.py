"""Ranking losses with one thing wrong, in torch: what they do is held against a student's.

Each is a function (S (N, N), margin, hardest) -> a tensor without axes, as ranking_loss itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

Loss = Callable[[Any, float, bool], Any]


def right_loss(S: Any, margin: float, hardest: bool) -> Any:
    """The loss as it should be."""
    return _loss(S, margin, hardest)


def _hinge(wrong: Any, right: Any, margin: float) -> Any:
    return (wrong - right + margin).clamp(min=0)


def _collected(of_pictures: Any, of_sentences: Any, hardest: bool) -> Any:
    """The charges (N, N), of pictures along rows and of sentences along columns, as one number."""
    if hardest:
        return (of_pictures.amax(1) + of_sentences.amax(0)).mean()
    return (of_pictures + of_sentences).sum() / len(of_pictures)


def _loss(
    S: Any,
    margin: float,
    hardest: bool,
    charge: Callable[[Any, Any, float], Any] = _hinge,
    collect: Callable[[Any, Any, bool], Any] = _collected,
    right: Callable[[Any], Any] = lambda S: S.diagonal(),
    apart: bool = True,
) -> Any:
    """A loss made of parts: `apart` says whether the right pairs are left out of the charges."""
    own = right(S)
    charges = [charge(S, own[:, None], margin), charge(S, own, margin)]
    if apart:
        same = (S.new_ones(len(S)).diag()).bool()
        charges = [each.masked_fill(same, 0) for each in charges]
    return collect(*charges, hardest)


def _by(**parts: Any) -> Loss:
    return partial(_loss, **parts)


def _times(factor: Callable[[int], float]) -> Loss:
    """The loss times a number that depends on N."""
    return lambda S, margin, hardest: _loss(S, margin, hardest) * factor(len(S))


def _only_hardest(many: Callable[[Any, Any], Any]) -> Loss:
    """A mistake in what the hardest are; otherwise the loss is right."""
    return _by(collect=lambda p, s, hardest: many(p, s) if hardest else _collected(p, s, False))


def _zeroed(S: Any, margin: float, hardest: bool) -> Any:
    """The right pairs' scores are set to 0 where they are compared."""
    own, off = S.diagonal(), 1 - S.new_ones(len(S)).diag()
    return _collected(_hinge(S * off, own[:, None], margin), _hinge(S * off, own, margin), hardest)


def _by_value(S: Any, margin: float, hardest: bool) -> Any:
    """Pairs that score as the right one does are left out with it."""
    own = S.diagonal()
    charges = [_hinge(S, right, margin) * (right != S) for right in (own[:, None], own)]
    return _collected(*charges, hardest)


def _at_largest_scores(S: Any, margin: float, hardest: bool) -> Any:
    """The hardest are where the scores are largest, be it the right pair, which is charged 0."""

    def of_largest(p: Any, s: Any, hardest: bool) -> Any:
        if not hardest:
            return _collected(p, s, False)
        return (p.gather(1, S.argmax(1)[:, None])[:, 0] + s.gather(0, S.argmax(0)[None])[0]).mean()

    return _loss(S, margin, hardest, collect=of_largest)


def _all_largest(charges: Any, axis: int) -> Any:
    return (charges * (charges == charges.amax(axis, keepdim=True))).sum(axis)


_RIGHT_PAIRS: dict[str, Loss] = {
    "the right pairs are charged as well: each adds the margin, in both directions": _by(
        apart=False
    ),
    "the right pairs are charged as well, and 0 stands in the place of their scores": _zeroed,
    "the right pairs are told by what they score, and wrong ones that score the same go free: take "
    "them out by their place": _by_value,
    "the right pairs are not on the main diagonal of S that is taken for them": _by(
        right=lambda S: S.flip(1).diagonal()
    ),
    "the largest score of a picture is taken for its right one: that is on the diagonal": _by(
        right=lambda S: S.amax(1)
    ),
    "the first score is taken for the right one: that is on the diagonal": _by(
        right=lambda S: S[:, 0]
    ),
}

_HINGES: dict[str, Loss] = {
    "the margin has no part": _by(charge=lambda w, r, m: (w - r).clamp(min=0)),
    "the margin is on the wrong side: the right pair should be above by it": _by(
        charge=lambda w, r, m: (w - r - m).clamp(min=0)
    ),
    "the margin is taken for 1, whatever is given": _by(charge=lambda w, r, m: _hinge(w, r, 1)),
    "the margin is made a whole number": _by(charge=lambda w, r, m: _hinge(w, r, int(m))),
    "the margin is added behind max(0, .): it belongs into it": _by(
        charge=lambda w, r, m: (w - r).clamp(min=0) + m
    ),
    "the margin is added where a wrong pair is above the right one: it is added always": _by(
        charge=lambda w, r, m: (w - r + m) * (w > r)
    ),
    "wrong and right are exchanged: a wrong pair is charged for being above": _by(
        charge=lambda w, r, m: _hinge(r, w, m)
    ),
    "charges below 0 count as well: max(0, .) is missing": _by(charge=lambda w, r, m: w - r + m),
    "the charges are squared": _by(charge=lambda w, r, m: _hinge(w, r, m) ** 2),
    "the charges bend softly (softplus), where max(0, .) is asked for": _by(
        charge=lambda w, r, m: (w - r + m).exp().log1p()
    ),
    "sizes are charged (abs), where max(0, .) is asked for": _by(
        charge=lambda w, r, m: (w - r + m).abs()
    ),
    "the charged pairs are counted: their charges are added up": _by(
        charge=lambda w, r, m: (w - r + m > 0).to(w.dtype)
    ),
    "charges above 1 are cut off": _by(charge=lambda w, r, m: _hinge(w, r, m).clamp(max=1)),
}

_DIRECTIONS: dict[str, Loss] = {
    "only the pictures are charged: sentences are as well": _by(
        collect=lambda p, s, hardest: _collected(p, 0 * s, hardest)
    ),
    "only the sentences are charged: pictures are as well": _by(
        collect=lambda p, s, hardest: _collected(0 * p, s, hardest)
    ),
    "the pictures' charges are counted twice, the sentences' not at all": _by(
        collect=lambda p, s, hardest: _collected(p, p.T, hardest)
    ),
    "the sentences' charges are counted twice, the pictures' not at all": _by(
        collect=lambda p, s, hardest: _collected(s.T, s, hardest)
    ),
    "the sentences' charges are subtracted: they are added": _by(
        collect=lambda p, s, hardest: _collected(p, -s, hardest)
    ),
}

_SUMS: dict[str, Loss] = {
    "it is not divided by N": _times(lambda N: N),
    "it is a mean over all places of S: charges are added up, and divided by N": _times(
        lambda N: 1 / N
    ),
    "it is a mean over the wrong pairs: charges are added up, and divided by N": _times(
        lambda N: 1 / max(1, N - 1)
    ),
    "it is a mean over the charges that are above 0: they are added up, and divided by N": _by(
        collect=lambda p, s, hardest: (p + s).sum() / ((p > 0).sum() + (s > 0).sum()).clamp(min=1)
    ),
    "it is divided by 2 N: the two directions are added up": _times(lambda N: 1 / 2),
    "its sign is wrong": _times(lambda N: -1),
    "it is twice what it should be": _times(lambda N: 2),
    "the charges of the batch are added up before max(0, .): each is cut off by itself": (
        lambda S, margin, hardest: _loss(
            S, margin, hardest, charge=lambda w, r, m: w - r + m
        ).clamp(min=0)
    ),
}

_OF_ROWS = "the largest are looked for along the other axis: those of a picture are in a row of S"
_TOGETHER = "the larger of a pair's two counts: a picture has its largest, and a sentence too"
_HARDEST: dict[str, Loss] = {
    "`hardest` has no part: all charges are added up": lambda S, margin, hardest: _loss(
        S, margin, False
    ),
    "only the hardest count, also where `hardest` is False": lambda S, margin, hardest: _loss(
        S, margin, True
    ),
    "`hardest` is upside down": lambda S, margin, hardest: _loss(S, margin, not hardest),
    _OF_ROWS: _only_hardest(lambda p, s: (p.amax(0) + s.amax(1)).mean()),
    "both largest are looked for along a row: those of a sentence are in a column of S": (
        _only_hardest(lambda p, s: (p.amax(1) + s.amax(1)).mean())
    ),
    "both largest are looked for along a column: those of a picture are in a row of S": (
        _only_hardest(lambda p, s: (p.amax(0) + s.amax(0)).mean())
    ),
    _TOGETHER: _only_hardest(lambda p, s: p.amax(1).maximum(s.amax(0)).mean()),
    "a pair's charges are added up before the largest is looked for": _only_hardest(
        lambda p, s: (p + s).amax(1).mean()
    ),
    "a pair's charges are added up before the largest is looked for ": _only_hardest(
        lambda p, s: (p + s).amax(0).mean()
    ),
    "one largest of the whole batch counts: each picture has one, and each sentence": (
        _only_hardest(lambda p, s: p.amax() + s.amax())
    ),
    "one largest of the whole batch counts: each picture has one, and each sentence ": (
        _only_hardest(lambda p, s: (p.amax() + s.amax()) / len(p))
    ),
    "one largest of the whole batch counts: each picture has one, and each sentence  ": (
        _only_hardest(lambda p, s: p.amax().maximum(s.amax()))
    ),
    "the largest are added up, and not divided by N": _only_hardest(
        lambda p, s: (p.amax(1) + s.amax(0)).sum()
    ),
    "of pictures the largest count, of sentences all": _only_hardest(
        lambda p, s: (p.amax(1) + s.sum(0)).mean()
    ),
    "of sentences the largest count, of pictures all": _only_hardest(
        lambda p, s: (p.sum(1) + s.amax(0)).mean()
    ),
    "a mean of each picture's and sentence's charges is taken, not the largest": _only_hardest(
        lambda p, s: (p.sum() + s.sum()) / len(p) / max(1, len(p) - 1)
    ),
    "a mean of each picture's and sentence's charges is taken, not the largest ": _only_hardest(
        lambda p, s: (p.sum() + s.sum()) / len(p) ** 2
    ),
    "of charges that are equally large several count: the largest is one": _only_hardest(
        lambda p, s: (_all_largest(p, 1) + _all_largest(s, 0)).mean()
    ),
    "the largest score is looked for with the right pair among the others: take it out before": (
        _at_largest_scores
    ),
    "the two largest of each count, not one": _only_hardest(
        lambda p, s: (
            (p.topk(min(2, len(p)), 1)[0].sum() + s.topk(min(2, len(p)), 0)[0].sum()) / len(p)
        )
    ),
}

# What a mistake makes of the loss, under the words that name it.
MISTAKES: dict[str, Loss] = _RIGHT_PAIRS | _HINGES | _DIRECTIONS | _SUMS | _HARDEST

# Mistakes that only the gradient shows.
UNSEEN: dict[str, Loss] = {
    "the right pairs' scores are detached: the loss should raise them": _by(
        right=lambda S: S.detach().diagonal()
    ),
    "the wrong pairs' scores are detached: the loss should lower them": _by(
        charge=lambda w, r, m: _hinge(w.detach(), r, m)
    ),
    "the pictures' charges are detached": _by(
        collect=lambda p, s, hardest: _collected(p.detach(), s, hardest)
    ),
    "the sentences' charges are detached": _by(
        collect=lambda p, s, hardest: _collected(p, s.detach(), hardest)
    ),
}
