"""The check of init_output_bias: the definition, in float64."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.subject import Outcome, Subject, Wrong
from cs_caption.checks.tensors import TOLERANCE_32, is_tensor, tensor, torch_here
from cs_caption.checks.values import same

Random = np.random.RandomState

_OF_ZERO = ": the logarithm of 0? Count each word once more than it was seen"
_FLOORED = ": the logarithm of 0, of words that were seen? `//` leaves whole numbers: divide by `/`"
_ALL_OF_ZERO = (
    ": the logarithm of 0? Each word counts once more than it was seen, and what is divided by "
    "`//` has no fractions"
)
_NO_ROOM = ": the logarithm of a negative number? Has the sum of the counts room in its integers?"


def _called(subject: Subject, many: Sequence[list[int]]) -> list[Outcome]:
    torch_here()
    return subject.calls([(counts,) for counts in many])


def _bias(outcome: Outcome, counts: list[int]) -> np.ndarray:
    """Return the numbers. What type they have is a case of its own."""
    value = outcome.value
    found = str(value.dtype).removeprefix("torch.") if is_tensor(value) else ""
    dtype = "float64" if found == "float64" else "float32"
    hint = _hint(value, counts) if found else ""
    return tensor(value, (len(counts),), "the bias", "(V,)", dtype=dtype, hint=hint)


def _hint(value: Any, counts: list[int]) -> str:
    """What makes NaN or infinities of these counts."""
    if bool(value.isnan().any()) and sum(counts) > 2**31:
        return _NO_ROOM
    seen = torch_here().tensor(counts) > 0
    if bool(value.isneginf().all()):
        return _ALL_OF_ZERO
    floored = value.shape == seen.shape and bool(value[seen].isneginf().any())
    return _FLOORED if floored else _OF_ZERO


def _log_frequencies(counts: list[int]) -> np.ndarray:
    seen = np.array(counts, dtype=np.float64) + 1
    return np.log(seen / seen.sum())


def _lookalikes(counts: list[int]) -> dict[str, np.ndarray]:
    """What likely mistakes make of it; what is not finite fits nothing."""
    right, seen = _log_frequencies(counts), np.array(counts, dtype=np.float64)
    raised, sums = np.maximum(seen, 1), np.sort(right)
    added = (
        "1 is added to the frequencies (log1p): it is added to the counts, before they are divided"
    )
    return {
        "the 1 is not added to the counts": np.log(seen / seen.sum()),
        "the 1 is added to each count, but not to those in their sum": np.log(
            (seen + 1) / seen.sum()
        ),
        "the 1 is added to the sum once, but each word is counted once more": np.log(
            (seen + 1) / (seen.sum() + 1)
        ),
        "only counts of 0 are raised: each word is counted once more than it was seen": np.log(
            raised / raised.sum()
        ),
        "it is the logarithm of the counts: divide by their sum": np.log(seen + 1),
        "it is divided by the largest count, not by the sum": right - right.max(),
        "it is divided by the number of words, not by the sum": np.log((seen + 1) / len(seen)),
        "e to the power of the counts is divided, as by a softmax: divide the counts": (
            seen - np.logaddexp.reduce(seen)
        ),
        added: np.log1p(seen / max(seen.sum(), 1)),
        f"{added}, and there only": np.log1p(np.exp(right)),
        "it is a logarithm to base 2": right / np.log(2),
        "it is a logarithm to base 10": right / np.log(10),
        "its sign is wrong": -right,
        "it is the frequency itself: the logarithm is missing": np.exp(right),
        "all words are equally likely": np.full(len(seen), -np.log(len(seen))),
        "it is 0 everywhere": 0 * right,
        "it is sorted: keep the order of counts": sums,
        "it is sorted, the most frequent first: keep the order of counts": sums[::-1],
        "its mean is subtracted: it should be a frequency's logarithm": right - right.mean(),
    }


def _require(outcome: Outcome, counts: list[int]) -> None:
    bias = _bias(outcome, counts)
    expected = _log_frequencies(counts)
    same(bias, expected, "the bias", lambda: _lookalikes(counts), TOLERANCE_32)


def _drawn(*settings: tuple[int, int]) -> Run:
    """Return a case: counts of about `times` and more, and how many of 0 beside them."""

    def run(subject: Subject, rng: Random) -> None:
        _judge(subject, [_counts(rng, times, never) for times, never in settings])

    return run


def _edges(subject: Subject, rng: Random) -> None:
    _judge(subject, [[0] * int(rng.randint(4, 9)), [int(rng.randint(1, 9))]])


def _judge(subject: Subject, many: list[list[int]]) -> None:
    for outcome, counts in zip(_called(subject, many), many, strict=True):
        _require(outcome, counts)


def _kind(subject: Subject, rng: Random) -> None:
    counts = _counts(rng, 1, 1)
    for outcome in _called(subject, (counts, counts)):
        if outcome.mutated:
            raise Wrong("it changes its input counts: make a new list or tensor of it")
        _require(outcome, counts)
        if str(outcome.value.dtype) != "torch.float32":
            raise Wrong("the bias is float64: it must be float32, as a model's parameters are")


def _counts(rng: Random, times: int, never: int) -> list[int]:
    """Draw counts in no order, no two of them alike but those of words that were never seen."""
    V = int(rng.randint(6, 12))
    found = np.concatenate([np.zeros(never, int), rng.permutation(np.arange(1, 40))[:V]])
    spread = times * found + rng.randint(0, times, len(found)) * (found > 0)
    return [int(n) for n in rng.permutation(spread)]


INIT_OUTPUT_BIAS = Exercise(
    "init_output_bias",
    points=1,
    referee=lambda: "the definition, in float64",
    cases=(
        Case("words that were all seen", 2, _drawn((1, 0), (1, 0))),
        Case("words that were never seen: a count of 0", 2, _drawn((1, 2), (1, 5))),
        Case("nothing was seen at all; a single word (V = 1)", 1, _edges),
        Case("counts of millions and billions", 1, _drawn((10**5, 2), (10**9, 1), (10**11, 3))),
        Case("float32; counts unchanged", 1, _kind),
    ),
)
