"""The check of ranking_loss: its value, and where its gradient goes.

Likely mistakes are run in torch, and so one list names what they do to the loss and to gradients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n07_ranking.loss_mistakes import MISTAKES, UNSEEN, Loss, right_loss
from cs_caption.checks.n07_ranking.shared import BANNED, DIGITS_LOST
from cs_caption.checks.sequences import reorder
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    is_tensor,
    referee,
    scalar,
    tensor,
    torch_here,
    unchanged,
)
from cs_caption.checks.values import TOLERANCE, close, differing

Random = np.random.RandomState

_LOSS = "the loss"
_MOST = 7  # pairs of a batch
_FINE = 1024  # of fractions of 1/8: no two scores are equal, and no charge is where a hinge bends
_HUGE = 2.0**20
_INFINITE = (
    ": infinity minus infinity, 0 times infinity and 0/0 are NaN, and one pair alone has no wrong "
    "one to look for; masked_fill takes the right pairs out when the charges are made"
)
_PLAIN_ZERO = (
    "the loss is a plain number where nothing is charged: begin with S.new_zeros(()), and add to it"
)
_OTHER_TYPE = "; is every tensor that you make of the type of S?"


@dataclass(frozen=True)
class _Task:
    """Scores (N, N), a margin, and whether only the largest charges count."""

    S: np.ndarray
    margin: float
    hardest: bool = False

    @property
    def given(self) -> tuple:
        return floats(self.S), self.margin, self.hardest


def _by_hand(subject: Subject, rng: Random) -> None:
    """Three pairs: one is far enough above the others, one in one direction, one in neither."""
    S = np.array([[5.0, 1.0, 1.5], [2.0, 3.0, 3.5], [0.5, 2.75, 2.0]])
    _judge(subject, [_Task(S, 1.0)])


def _of_pictures(subject: Subject, rng: Random) -> None:
    _judge(subject, [_one_sided(rng), _one_sided(rng)])


def _of_sentences(subject: Subject, rng: Random) -> None:
    """Pictures whose right sentence is far above the others; of sentences it is not so."""
    tasks = [_one_sided(rng), _one_sided(rng)]
    _judge(subject, [replace(task, S=task.S.T) for task in tasks])


def _both(subject: Subject, rng: Random) -> None:
    _judge(subject, _of_three_sizes(rng))


def _hardest(subject: Subject, rng: Random) -> None:
    """Scores around 0, then all far below it and far above it, and then equal ones."""
    tasks = _of_three_sizes(rng, hardest=True)
    _judge(subject, tasks)
    _judge(subject, [_shifted(tasks[0], -512.0), _shifted(tasks[1], 512.0)])
    _judge(subject, [_hard(task) for task in _equal(rng)])


def _ties(subject: Subject, rng: Random) -> None:
    """Where only the hardest count, equal scores are in the case of these."""
    _judge(subject, _equal(rng))


def _of_three_sizes(rng: Random, *, hardest: bool = False) -> list[_Task]:
    sizes = rng.permutation(np.arange(3, _MOST + 1))[:3]
    return [_draw(rng, int(N), hardest=hardest) for N in sizes]


def _left_out(subject: Subject, rng: Random) -> None:
    task = _draw(rng)
    found = _found(subject.calls([task.given[:2], task.given]))
    _require([task, task], found)


def _free(subject: Subject, rng: Random) -> None:
    """Every right pair is far enough ahead; then one wrong pair comes too close to one of them."""
    task = _draw(rng)
    right = np.diag(task.S)
    above = np.minimum(right[:, None], right) - task.margin
    S = above - rng.randint(1, 9, above.shape) / 8
    np.fill_diagonal(S, right)
    low, high = np.argsort(right)[[0, -1]]
    near = S.copy()
    near[low, high] = above[low, high] + rng.randint(1, 5) / 8
    free = replace(task, S=S)
    _judge(subject, [free, replace(task, S=near), replace(task, S=near.T), _hard(free)])


def _margins(subject: Subject, rng: Random) -> None:
    """None, a whole number, a fraction, and one that charges nearly every pair."""
    _judge(subject, [replace(_draw(rng), margin=margin) for margin in (0.0, 1, 0.1875, 4.5625)])
    _judge(subject, [replace(_draw(rng), margin=2)])


def _few(subject: Subject, rng: Random) -> None:
    """One pair alone, which is charged nothing, and two, of which each has one charge at most."""
    one, two = (_Task(_scores(rng, N), 0.5625) for N in (1, 2))
    two.S[0, 0] = two.S[0, 1] - 0.25
    _judge(subject, [one, _hard(one), replace(one, S=-9 + one.S), two, _hard(two)])


def _gradient(*, hardest: bool) -> Run:
    """A case of the gradient alone: a loss that is wrong by a constant has other cases."""

    def run(subject: Subject, rng: Random) -> None:
        tasks = [_draw(rng, N, hardest=hardest) for N in (4, 6)]
        one = floats(np.array(1.0))
        outcomes = subject.gradients([(task.given, one) for task in tasks], (0,))
        losses = _found([Outcome(outcome.value[0]) for outcome in outcomes])
        _require_gradients(tasks, losses, [outcome.value[1][0] for outcome in outcomes])

    return run


def _far(subject: Subject, rng: Random) -> None:
    """All scores far below 0, far above it, and far from one another."""
    task = _draw(rng)
    wide = replace(task, S=task.S * _HUGE - 2 * _HUGE, margin=task.margin * _HUGE)
    _judge(subject, [_shifted(task, -512.0), _shifted(task, 512.0), wide])


def _reordered(subject: Subject, rng: Random) -> None:
    """Pairs in another order; and sentences in the pictures' place."""
    task = _draw(rng)
    order = reorder(rng, len(task.S))
    moved = {
        "with the pairs in another order": task.S[order][:, order],
        "where pictures and sentences change places (S.T)": task.S.T,
    }
    others = [replace(task, S=S) for S in moved.values()]
    plain, *found = _found(subject.calls([each.given for each in (task, *others)]))
    _require([task], [plain])
    for words, loss in zip(moved, found, strict=True):
        if not close(loss, plain, TOLERANCE_32):
            raise Wrong(f"the loss is right, but {words} it is not the same")


def _types(subject: Subject, rng: Random) -> None:
    """Also where only the hardest count, and of one pair; their losses have cases of their own.

    The scores of float64 have digits that float32 would round away.
    """
    task = _draw(rng)
    fine = _shifted(replace(task, S=task.S + np.eye(len(task.S)) / 2**17), 512.0)
    for dtype, each, tolerance in (
        ("float32", task, TOLERANCE_32),
        ("float64", fine, TOLERANCE),
    ):
        S, margin = floats(each.S, dtype), each.margin
        *outcomes, one = subject.calls(
            [(S, margin, False), (S, margin, True), (S[:1, :1], margin, False)]
        )
        try:
            found, _ = (scalar(outcome.value, _LOSS, dtype=dtype) for outcome in outcomes)
        except Wrong as wrong:
            told = "float32" in str(wrong) or "dtype" in str(wrong)
            raise Wrong(f"{wrong}{_OTHER_TYPE if told else ''}") from None
        _require_digits(each, found, tolerance)
        kind = str(getattr(one.value, "dtype", dtype)).removeprefix("torch.")
        if kind != dtype:
            raise Wrong(f"the loss of one pair is {kind}: it must be {dtype}{_OTHER_TYPE}")


def _require_digits(task: _Task, loss: float, tolerance: float) -> None:
    """Fail where a loss is wrong, and say so where float32 made it."""
    right = _value(task, right_loss)
    if not close(loss, right, tolerance) and close(loss, right, 10 * TOLERANCE_32):
        raise Wrong(f"the loss is right but for its last digits{DIGITS_LOST}")
    _require([task], [loss], tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    """Also where only the hardest count; what the loss is there has cases of its own."""
    task = _draw(rng)
    gapped = gaps(floats(task.S)), task.margin
    outcomes = subject.calls([_hard(task).given, gapped, (*gapped, True), task.given])
    for outcome in outcomes:
        unchanged(outcome.mutated, "S, margin, hardest")
    _, second, _, last = _found(outcomes)
    _require([task, task], [second, last])


# ------------------------------------------------------------------------------- what is drawn


def _draw(rng: Random, N: int | None = None, *, hardest: bool = False) -> _Task:
    """Draw scores: a picture and a sentence are charged more than once, one of each not at all."""
    N = N or int(rng.randint(3, _MOST + 1))
    while True:
        S, margin = _scores(rng, N), float(rng.choice(np.arange(5, 18, 2)) / 16)
        S[(best := rng.randint(N)), best] += 5
        charged = [S - right + margin > 0 for right in (np.diag(S)[:, None], np.diag(S))]
        if all((many.sum(axis) > 2).any() for axis, many in zip((1, 0), charged, strict=True)):
            return _Task(S, margin, hardest)


def _scores(rng: Random, N: int) -> np.ndarray:
    """Draw eighths between -2 and 2, and a little more: all are different."""
    little = rng.permutation(N * N).reshape(N, N) / _FINE
    return rng.randint(-16, 17, (N, N)) / 8 + little


def _equal(rng: Random) -> list[_Task]:
    """Draw batches of equal scores: all alike; and all of one picture, and all of one sentence."""
    N, margin = int(rng.randint(4, _MOST + 1)), float(rng.choice([0.5625, 0.8125]))
    S = rng.choice([-0.5, 0.25, 1.0], (N, N))
    picture, sentence = rng.permutation(N)[:2]
    S[picture] = S[:, sentence] = 0.25
    return [_Task(np.full((N - 1, N - 1), 0.375), margin), _Task(S, margin)]


def _one_sided(rng: Random) -> _Task:
    """Draw scores for which some pictures are charged, and no sentence is."""
    N = int(rng.randint(4, _MOST + 1))
    margin, right = float(rng.choice([0.5625, 0.8125])), 2.0 * rng.permutation(N)
    below = rng.choice([*np.arange(2, 15) / 8, 30.0], (N, N)) + rng.permutation(N * N).reshape(
        N, N
    ) / (2 * _FINE)
    S = right - margin - below
    np.fill_diagonal(S, right)
    return _Task(S, margin)


def _shifted(task: _Task, shift: float) -> _Task:
    return replace(task, S=task.S + shift)


def _hard(task: _Task) -> _Task:
    return replace(task, hardest=True)


# ------------------------------------------------------------------------------- what comes back


def _judge(subject: Subject, tasks: Sequence[_Task]) -> None:
    _require(tasks, _found(subject.calls([task.given for task in tasks])))


def _found(outcomes: Sequence[Outcome]) -> list[float]:
    """The losses. What type they have is a case of its own."""
    values = [each.value for each in outcomes]
    if any(map(is_tensor, values)) and any(type(v) in (int, float) and v == 0 for v in values):
        raise Wrong(_PLAIN_ZERO)
    return [scalar(each.value, _LOSS, dtype=EITHER, hint=_INFINITE) for each in outcomes]


def _require(
    tasks: Sequence[_Task], losses: Sequence[float], tolerance: float = TOLERANCE_32
) -> None:
    """Fail where a loss is wrong; a mistake is named that explains all, or all of one `hardest`."""
    pairs = list(zip(tasks, losses, strict=True))
    wrong = [
        task.hardest for task, loss in pairs if not close(loss, _value(task, right_loss), tolerance)
    ]
    if not wrong:
        return
    alike = [pair for pair in pairs if pair[0].hardest is wrong[0]]
    named = _named(pairs, tolerance) or _named(alike, tolerance)
    raise Wrong(f"the loss is wrong{' where `hardest` is True' if all(wrong) else ''}{named}")


def _named(pairs: Sequence[tuple[_Task, float]], tolerance: float) -> str:
    """The words of the mistakes that make these losses; most are told by the first one."""

    def fits(mistake: Loss) -> bool:
        return all(close(loss, _value(task, mistake), tolerance) for task, loss in pairs)

    return _said([words for words, mistake in MISTAKES.items() if fits(mistake)])


def _said(named: Sequence[str]) -> str:
    """The mistakes that fit, as words to add: of one kind, or of two, and of more none."""
    kinds = list(dict.fromkeys(words.strip() for words in named))
    return f": {'; or '.join(kinds)}" if len(kinds) in (1, 2) else ""


def _value(task: _Task, of: Loss) -> float:
    return float(of(*task.given))


def _require_gradients(
    tasks: Sequence[_Task], losses: Sequence[float], gradients: Sequence[Any]
) -> None:
    """Fail where a gradient is wrong; where the loss is wrong too, its own words are said."""
    if any(gradient is None for gradient in gradients):
        raise Wrong(
            "no gradient comes back through the loss: is something in NumPy, detached, under "
            "torch.no_grad(), or a new tensor made of numbers?"
        )
    found = [
        tensor(gradient, task.S.shape, "the gradient of S", dtype=EITHER)
        for gradient, task in zip(gradients, tasks, strict=True)
    ]
    truths = [_slope(task, right_loss) for task in tasks]
    pairs = list(zip(found, truths, strict=True))
    missed = [pair for pair in pairs if not close(*pair, TOLERANCE_32)]
    if not missed:
        return
    _require(tasks, losses)
    where = _taught(tasks, found) or differing(*missed[0], TOLERANCE_32)
    raise Wrong(f"the loss is right, but its gradient is not{where}")


def _taught(tasks: Sequence[_Task], found: Sequence[np.ndarray]) -> str:
    """The words of the first mistake that has these gradients, as words to add."""
    for words, mistake in (UNSEEN | MISTAKES).items():
        pairs = zip(found, tasks, strict=True)
        if all(close(slope, _slope(task, mistake), TOLERANCE_32) for slope, task in pairs):
            return f": {words.strip()}"
    return ""


def _slope(task: _Task, of: Loss) -> np.ndarray:
    """The gradient of S; 0 where autograd does not reach."""
    torch = torch_here()
    with torch.enable_grad():
        S = floats(task.S).requires_grad_()
        loss = of(S, task.margin, task.hardest)
        if not loss.requires_grad:
            return np.zeros(task.S.shape)
        (found,) = torch.autograd.grad(loss, S)
    return found.numpy()


RANKING_LOSS = Exercise(
    "ranking_loss",
    points=5,
    referee=referee,
    banned=BANNED,
    cases=(
        Case("three pictures and their sentences, by hand", 1, _by_hand, drawn=False),
        Case("only pictures are charged", 2, _of_pictures),
        Case("only sentences are charged", 2, _of_sentences),
        Case("both are charged, in batches of three sizes", 2, _both),
        Case("equal scores: a wrong pair that ties with the right one is charged", 1, _ties),
        Case("`hardest` left out: it is False", 1, _left_out),
        Case("nothing to charge, and then one pair", 1, _free),
        Case("other margins: 0, 1, fractions, a large one", 2, _margins),
        Case("hardest: the largest charge of each picture and sentence", 3, _hardest),
        Case("one pair (N = 1), two pairs", 1, _few),
        Case("autograd: the gradient of S", 4, _gradient(hardest=False)),
        Case(
            "autograd: the gradient of S where only the hardest count", 2, _gradient(hardest=True)
        ),
        Case("scores far below 0, far above it, and very large ones", 1, _far),
        Case("pairs in another order, pictures and sentences exchanged", 1, _reordered),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
