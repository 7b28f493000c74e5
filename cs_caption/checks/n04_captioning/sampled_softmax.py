"""The check of sampled_softmax_loss: a small softmax a row, and at its limit the whole one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.losses import require_loss
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import (
    EITHER,
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    referee,
    scalar,
    tensor,
    torch_here,
    unchanged,
    whole,
)
from cs_caption.checks.values import TOLERANCE, close, differing, factors, fitting, sizes

Random = np.random.RandomState

_LOSS = "the loss"
_LARGE = ": large scores overflow; let logsumexp or cross_entropy take the exponentials"
_TINY = (
    ": do not take the logarithm of a probability, which may be 0, nor e to the power of a score, "
    "which may be infinite; let logsumexp or cross_entropy do both"
)
_SHIFT = 1e3
_SHIFTED = 1e-3  # of a loss whose scores have _SHIFT added, in float32
_OTHER_TYPE = "; is every tensor that you make of the type of h?"
_NAMES = "h, W, b, targets, sampled, log_expected"
_WHOLE = (
    ": W, b and log_expected are NaN where a word is neither true nor drawn. Was the whole "
    "vocabulary scored? Take the rows that are needed first"
)


@dataclass(frozen=True)
class _Task:
    """States (M, H), an output layer (V, H) and (V,), true words (M,) and drawn ones (S,)."""

    h: np.ndarray
    W: np.ndarray
    b: np.ndarray
    targets: np.ndarray
    sampled: np.ndarray
    log_expected: np.ndarray

    @property
    def given(self) -> tuple:
        """The arguments, as tensors of float32."""
        return self.of("float32")

    def of(self, dtype: str) -> tuple:
        """The arguments, as tensors."""
        h, W, b, log_expected = (
            floats(each, dtype) for each in (self.h, self.W, self.b, self.log_expected)
        )
        return h, W, b, whole(self.targets), whole(self.sampled), log_expected


def _value(*, hits: bool = False, corrected: bool = True) -> Run:
    """Return a case: the loss; `hits`: true words are among the drawn."""

    def run(subject: Subject, rng: Random) -> None:
        task = _draw(rng, hits=hits, corrected=corrected)
        _require(task, subject.call(task.given))

    return run


def _everything(subject: Subject, rng: Random) -> None:
    """Every word is drawn, and each as often: what is left is the softmax over the vocabulary."""
    task = _draw(rng)
    V = len(task.b)
    task = replace(task, sampled=rng.permutation(V), log_expected=np.full(V, np.log(3 / 4)))
    torch = torch_here()
    h, W, b, targets, *_ = task.of("float64")
    loss = _loss(subject.call(task.given).value)
    whole_loss = float(torch.nn.functional.cross_entropy(h @ W.T + b, targets))
    if not close(loss, whole_loss, TOLERANCE_32):
        _judge(task, loss)


def _small(subject: Subject, rng: Random) -> None:
    """One state, one drawn word, one number a state; and a drawn word that is the only true one."""
    for M, S, H in ((1, 4, 3), (4, 1, 3), (4, 3, 1)):
        task = _draw(rng, (M, S, H), hits=S > 1)
        _require(task, subject.call(task.given))
    task = _draw(rng, (1, 1, 3))
    outcome = subject.call(replace(task, sampled=task.targets).given)
    if abs(_loss(outcome.value)) > TOLERANCE_32:
        raise Wrong(
            "where the only drawn word is the true one, it has all of the share and the loss is 0: "
            "a drawn word that is the true one counts once"
        )


def _far(subject: Subject, rng: Random) -> None:
    """Scores of 1000, with a number added to all; and a true word that is all but impossible."""
    task = _draw(rng, hits=True)
    shifted = [replace(task, b=task.b + shift) for shift in (0.0, _SHIFT, -_SHIFT)]
    plain, *others = subject.calls([each.given for each in shifted])
    _require(task, plain)
    for outcome in others:
        if not close(_loss(outcome.value, _LARGE), _mean(task), _SHIFTED):
            raise Wrong("the loss changes when a number is added to the scores of all words")
    distant = replace(task, b=task.b - 1e4 * np.isin(np.arange(len(task.b)), task.targets))
    outcome = subject.call(distant.given)
    if not close(_loss(outcome.value, _TINY), _mean(distant), TOLERANCE_32):
        raise Wrong(f"the loss is wrong{_TINY}")


def _gradients(subject: Subject, rng: Random) -> None:
    """The gradients of h, W and b by autograd: those of W and b are 0 but for a few words."""
    task = _draw(rng, hits=True)
    loss, found = _back(subject, task)
    _judge(task, loss)
    for (name, truth), gradient in zip(_slopes(task).items(), found, strict=True):
        _require_gradient(task, name, gradient, truth)


def _unseen(subject: Subject, rng: Random) -> None:
    """Words that are neither true nor drawn have no numbers at all."""
    task = _draw(rng, hits=True)
    far = ~np.isin(np.arange(len(task.b)), [*task.targets, *task.sampled])
    W, b, log_expected = (
        np.where(far if a.ndim == 1 else far[:, None], np.nan, a)
        for a in (task.W, task.b, task.log_expected)
    )
    nowhere = replace(task, W=W, b=b, log_expected=log_expected)
    loss, (dh, *_) = _back(subject, nowhere, _WHOLE)
    _judge(task, loss)
    _require_gradient(task, "h", dh, _slopes(task)["h"], _WHOLE)


def _reordered(subject: Subject, rng: Random) -> None:
    """Rows, and drawn words, in another order; and the words of the vocabulary."""
    task = _draw(rng, hits=True)
    rows, words = rng.permutation(len(task.h)), rng.permutation(len(task.b))
    place = np.argsort(words)
    many = {
        "with the rows of h and targets in another order": replace(
            task, h=task.h[rows], targets=task.targets[rows]
        ),
        "with the drawn words in another order": replace(task, sampled=task.sampled[::-1].copy()),
        "with the words of the vocabulary in another order": replace(
            task,
            W=task.W[words],
            b=task.b[words],
            log_expected=task.log_expected[words],
            targets=place[task.targets],
            sampled=place[task.sampled],
        ),
    }
    plain, *others = subject.calls([each.given for each in (task, *many.values())])
    _require(task, plain)
    for when, outcome in zip(many, others, strict=True):
        if not close(_loss(outcome.value), _mean(task), TOLERANCE_32):
            raise Wrong(f"the loss is right, but {when} it is not the same")


def _types(subject: Subject, rng: Random) -> None:
    task = _draw(rng, hits=True)
    for dtype, tolerance in (("float32", TOLERANCE_32), ("float64", TOLERANCE)):
        try:
            loss = scalar(subject.call(task.of(dtype)).value, _LOSS, dtype=dtype)
        except Wrong as wrong:
            told = "float" in str(wrong) or "dtype" in str(wrong)
            raise Wrong(f"{wrong}{_OTHER_TYPE if told else ''}") from None
        _judge(task, loss, tolerance)


def _left_alone(subject: Subject, rng: Random) -> None:
    task = _draw(rng, hits=True)
    many = [task.given, tuple(map(gaps, task.given)), task.given]
    for outcome in subject.calls(many):
        unchanged(outcome.mutated, _NAMES)
        _require(task, outcome)


def _draw(
    rng: Random,
    shape: tuple[int, int, int] | None = None,
    *,
    hits: bool = False,
    corrected: bool = True,
) -> _Task:
    """Draw a task; of three rows and more, two have the same true word.

    hits: two of the true words are drawn (of a single row its own), among others; else none is.
    """
    M, S, H = shape or sizes(rng, 3, 4, 7)
    V = M + S + int(rng.randint(4, 8))
    words = rng.permutation(V)
    targets, sampled = words[:M], words[M : M + S]
    if M > 2:
        targets[1] = targets[0]
    if hits:
        sampled[-1], sampled[0] = targets[-1], targets[0]
        sampled = rng.permutation(np.unique(sampled))
    expected = np.log(rng.uniform(0.05, 0.9, V)) if corrected else np.zeros(V)
    weights = (rng.standard_normal(size) for size in ((M, H), (V, H), (V,)))
    return _Task(*weights, rng.permutation(targets), sampled, expected)


# ------------------------------------------------------------------------------- what comes back


def _require(task: _Task, outcome: Outcome) -> None:
    _judge(task, _loss(outcome.value))


def _judge(task: _Task, loss: float, tolerance: float = TOLERANCE_32) -> None:
    require_loss(loss, *_expected(task), tolerance)


def _loss(value: Any, hint: str = "") -> float:
    """Return the number. What type it has is a case of its own."""
    return scalar(value, _LOSS, dtype=EITHER, hint=hint)


def _by_torch(given: tuple, *, detached: Sequence[int] = ()) -> Any:
    """The definition, row by row: torch's cross entropy over the true word and the drawn others.

    detached: the places among these through whose scores no gradient comes
    """
    torch = torch_here()
    h, W, b, targets, sampled, log_expected = given
    losses = []
    for state, true in zip(h, targets.tolist(), strict=True):
        words = [true, *(word for word in sampled.tolist() if word != true)]
        scores = W[words] @ state + b[words] - log_expected[words]
        cut = torch.tensor([place in detached for place in range(len(words))])
        scores = torch.where(cut, scores.detach(), scores)
        losses.append(torch.nn.functional.cross_entropy(scores, torch.tensor(0)))
    return torch.stack(losses).mean()


def _mean(task: _Task) -> float:
    return float(_by_torch(task.of("float64")))


def _slopes(task: _Task, detached: Sequence[int] = ()) -> dict[str, np.ndarray]:
    """The gradients of h, W and b."""
    torch = torch_here()
    given = task.of("float64")
    leaves = [each.requires_grad_() for each in given[:3]]
    loss = _by_torch((*leaves, *given[3:]), detached=detached)
    return {n: s.numpy() for n, s in zip("hWb", torch.autograd.grad(loss, leaves), strict=True)}


def _expected(task: _Task) -> tuple[float, dict[str, float]]:
    """The loss as torch has it, and as likely mistakes have it."""
    return _mean(task), {
        **_of_hits(task),
        **_of_correction(task),
        **_of_other_rows(task),
        **_of_the_rest(task),
    }


@dataclass(frozen=True)
class _Scores:
    """The scores of the true words (M,) and of the drawn (M, S), corrected, and which are hits."""

    true: np.ndarray
    drawn: np.ndarray
    hits: np.ndarray


def _scores(
    task: _Task,
    of_true: np.ndarray | None = None,
    of_drawn: np.ndarray | None = None,
    *,
    b: np.ndarray | None = None,
) -> _Scores:
    """What is subtracted may be another thing than log_expected, and b another."""
    every = task.h @ task.W.T + (task.b if b is None else b)  # (M, V)
    of_true, of_drawn = (task.log_expected if of is None else of for of in (of_true, of_drawn))
    rows = np.arange(len(task.targets))
    return _Scores(
        (every - of_true)[rows, task.targets],
        (every - of_drawn)[:, task.sampled],
        task.sampled == task.targets[:, None],
    )


def _losses(scores: _Scores) -> np.ndarray:
    """The loss of each row, hits left out."""
    drawn = np.where(scores.hits, -np.inf, scores.drawn)
    return np.logaddexp(scores.true, np.logaddexp.reduce(drawn, axis=1)) - scores.true


def _of_hits(task: _Task) -> dict[str, float]:
    """Mistakes about drawn words that are the true one."""
    right, once = _scores(task), "a drawn word that is the true one counts once"
    nowhere = np.zeros_like(right.hits)
    of_any = np.broadcast_to(np.isin(task.sampled, task.targets), nowhere.shape)
    at_zero = np.where(right.hits, 0.0, right.drawn)
    without = np.where(right.hits, -np.inf, right.drawn)
    return {
        f"{once}, not twice": _losses(replace(right, hits=nowhere)).mean(),
        "a drawn word that is the true one of another row counts in this row": _losses(
            replace(right, hits=of_any)
        ).mean(),
        f"{once}: a score of 0 does not leave it out, e to the power 0 is 1": _losses(
            _Scores(right.true, at_zero, nowhere)
        ).mean(),
        "the true word is missing among those that share": np.mean(
            np.logaddexp.reduce(without, axis=1) - right.true
        ),
        "the true word is missing among those that share, unless it is drawn": np.mean(
            np.logaddexp.reduce(right.drawn, axis=1) - right.true
        ),
    }


def _of_correction(task: _Task) -> dict[str, float]:
    """Mistakes about log_expected."""
    log_expected, none = task.log_expected, np.zeros_like(task.log_expected)
    others = {
        "log_expected is not subtracted": (none, none),
        "log_expected is added: it is subtracted": (-log_expected, -log_expected),
        "log_expected is subtracted from the drawn words only, not from the true one": (none, None),
        "log_expected is subtracted from the true word only, not from the drawn": (None, none),
        "it is already a logarithm: log_expected is subtracted as it is": (np.exp(log_expected),)
        * 2,
        "log_expected is subtracted twice": (2 * log_expected,) * 2,
    }
    found = {words: _losses(_scores(task, *of)).mean() for words, of in others.items()}
    M, S, at = len(task.targets), len(task.sampled), "the first entries of log_expected are taken"
    right = _scores(task)
    drawn = right.drawn + log_expected[task.sampled] - log_expected[:S]
    true = right.true + log_expected[task.targets] - log_expected[:M]
    return found | {
        f"{at}: those of the drawn words are wanted": _losses(replace(right, drawn=drawn)).mean(),
        f"{at}: those of the true words are wanted": _losses(replace(right, true=true)).mean(),
        f"{at}: those of the words in targets and sampled are wanted": _losses(
            replace(right, true=true, drawn=drawn)
        ).mean(),
    }


def _of_other_rows(task: _Task) -> dict[str, float]:
    """Other rows' true words share as if they had been drawn: all, some, or each once."""
    scores, M = _scores(task), len(task.targets)
    every = task.h @ task.W.T + task.b - task.log_expected
    both, once = np.append(task.targets, task.sampled), np.union1d(task.targets, task.sampled)
    own = np.hstack([np.eye(M, dtype=bool), scores.hits])
    joined = "the true words of all rows share in each row: a row has one true word"
    hits = {
        joined: (both, own),
        f"{joined}, and shares with what was drawn": (both, both == task.targets[:, None]),
        f"{joined}, and shares with those that were drawn": (once, once == task.targets[:, None]),
    }
    return {
        words: _losses(_Scores(scores.true, every[:, drawn], hit)).mean()
        for words, (drawn, hit) in hits.items()
    }


def _of_the_rest(task: _Task) -> dict[str, float]:
    right, rows = _losses(_scores(task)), np.arange(len(task.targets))
    scores, every = _scores(task), task.h @ task.W.T + task.b
    whole_softmax = np.logaddexp.reduce(every, axis=1) - every[rows, task.targets]
    apart = np.where(scores.hits, 0.0, np.logaddexp(0, scores.drawn)).sum(axis=1)
    return {
        "it is a sum over the rows: take the mean": right.sum(),
        "it is a sum over the rows and a mean over the drawn words: the mean over the rows is "
        "asked for": right.sum() / len(task.sampled),
        "it is divided by the number of drawn words too": right.mean() / len(task.sampled),
        "its sign is wrong": -right.mean(),
        "it is a logarithm to base 2": right.mean() / np.log(2),
        "it is the mean share, not minus its logarithm": np.exp(-right).mean(),
        "b is not added": _losses(_scores(task, b=0 * task.b)).mean(),
        "b is not added to the scores of the drawn words": _losses(
            replace(scores, drawn=scores.drawn - task.b[task.sampled])
        ).mean(),
        "b is not added to the score of the true word": _losses(
            replace(scores, true=scores.true - task.b[task.targets])
        ).mean(),
        "it is the softmax over the whole vocabulary: only the true word and the drawn share": (
            whole_softmax.mean()
        ),
        "each word is judged alone, by a sigmoid: they share, by a softmax": np.mean(
            np.logaddexp(0, -scores.true) + apart
        ),
    }


def _back(subject: Subject, task: _Task, hint: str = "") -> tuple[float, tuple]:
    """The loss, and what autograd brings to h, W and b."""
    one = floats(np.array(1.0))
    (outcome,) = subject.gradients([(task.given, one)], (0, 1, 2))
    value, found = outcome.value
    return _loss(value, hint), tuple(found)


def _require_gradient(
    task: _Task, name: str, gradient: Any, truth: np.ndarray, hint: str = ""
) -> None:
    if gradient is None:
        raise Wrong(
            f"no gradient comes back to {name}: is something in NumPy, detached, under "
            "torch.no_grad(), or a new tensor made of numbers?"
        )
    said = f"the gradient of {name}"
    gradient = tensor(gradient, truth.shape, said, dtype=EITHER, hint=hint)
    if close(gradient, truth, TOLERANCE_32):
        return
    named = fitting(gradient, _gradient_lookalikes(task, name, truth), TOLERANCE_32)
    where = f": {named[0]}" if named else differing(gradient, truth, TOLERANCE_32)
    raise Wrong(f"the loss is right, but the gradient of {name} is not{where}")


def _gradient_lookalikes(task: _Task, name: str, truth: np.ndarray) -> dict[str, np.ndarray]:
    """What it looks like where autograd goes through one part of the loss alone."""
    drawn = range(1, len(task.sampled) + 1)
    return {
        "nothing comes through the scores of the drawn words (detached?)": _slopes(task, drawn)[
            name
        ],
        "nothing comes through the score of the true word (detached?)": _slopes(task, (0,))[name],
        **factors(truth, {"M": len(task.h)}),
    }


SAMPLED_SOFTMAX_LOSS = Exercise(
    "sampled_softmax_loss",
    points=3,
    referee=referee,
    cases=(
        Case("no true word is drawn; log_expected 0", 2, _value(corrected=False)),
        Case("log_expected is subtracted", 2, _value()),
        Case("true words that are drawn as well", 3, _value(hits=True)),
        Case("every word is drawn: the softmax over the whole vocabulary", 1, _everything),
        Case("one row (M = 1), one drawn word (S = 1), one number a state (H = 1)", 1, _small),
        Case("autograd: the gradients of h, W and b", 2, _gradients),
        Case("words that are neither true nor drawn are not even looked at", 1, _unseen),
        Case("scores near 1000; true words that are all but impossible", 1, _far),
        Case("rows, drawn words and the vocabulary in another order", 1, _reordered),
        Case("float32 stays float32, and float64 float64", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
