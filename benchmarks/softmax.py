"""The last layer of a captioner with a huge vocabulary: forward and backward, three ways.

The softmax over all words; the package's sampled softmax, which scores the true words and those
that come up in some draws; and what torch has for this, nn.AdaptiveLogSoftmaxWithLoss, which keeps
rare words in clusters with fewer numbers (Grave et al. 2017, arXiv:1609.04309): here from a tenth
and from half of the words on, each with a quarter of the numbers of the one before, as is its
default.

States of H = 512 as in Show and Tell (Vinyals et al. 2015), 10,000 words as MS COCO has that come
five times or more, and 100,000; words come as Zipf's law has it, and 1,024 of them are said at
once: a batch of about 100 captions. The gradients of the states and of all weights are whole
tensors, as an optimizer wants them. Times are the processor's, on one thread.
"""

import os

if __name__ == "__main__":  # and not where a test imports it
    # Before torch is imported: it reads the number of threads then.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.record import record
from cs_caption.losses import caption_loss, draw_words, sampled_caption_loss

H, M, ROUNDS = 512, 1024, 7
VOCABULARIES = (10_000, 100_000)
DRAWS = (1_000, 4_000)
FULL, ADAPTIVE = "the whole softmax", "torch's adaptive softmax"


Way = tuple[Callable[[], Tensor], Sequence[Tensor]]


@dataclass(frozen=True)
class Layer:
    """The states before some words, the words, and the layer that scores all words.

    Shapes: hidden (1, M, H), targets (1, M) without word 0, which is padding; weight (V, H), bias
    (V,); share (V,), how often each word comes, which sums to 1.
    """

    hidden: Tensor
    targets: Tensor
    weight: Tensor
    bias: Tensor
    share: Tensor


def draw_layer(words: int, width: int, said: int, seed: int = 0) -> Layer:
    """Draw a layer whose frequent words have small numbers."""
    generator = torch.Generator().manual_seed(seed)
    share = 1 / torch.arange(words, dtype=torch.float32).clamp_min(1)
    share[0] = 0.0
    share /= share.sum()
    targets = torch.multinomial(share, said, replacement=True, generator=generator)[None]
    hidden = torch.randn(1, said, width, generator=generator)
    weight = torch.randn(words, width, generator=generator) / width**0.5
    bias = torch.zeros(words)
    hidden, weight, bias = (leaf.requires_grad_() for leaf in (hidden, weight, bias))
    return Layer(hidden, targets, weight, bias, share)


def whole(layer: Layer) -> Tensor:
    """The loss by the scores of all words."""
    return caption_loss(F.linear(layer.hidden, layer.weight, layer.bias), layer.targets)


def sampled(layer: Layer, draws: int) -> Tensor:
    """The loss by the scores of the true words and of those drawn."""
    return sampled_caption_loss(
        layer.hidden, layer.weight, layer.bias, layer.targets, layer.share, draws
    )


def adaptive(words: int, width: int) -> torch.nn.AdaptiveLogSoftmaxWithLoss:
    """torch's own layer for many words, with weights of its own."""
    cutoffs = [words // 10, words // 2]
    return torch.nn.AdaptiveLogSoftmaxWithLoss(width, words, cutoffs, div_value=4.0)


def adapted(module: torch.nn.AdaptiveLogSoftmaxWithLoss, layer: Layer) -> Tensor:
    """The loss by clusters."""
    return module(layer.hidden[0], layer.targets[0]).loss


def ways(layer: Layer, draws: Sequence[int] = DRAWS) -> dict[str, Way]:
    """Each way to the loss, by name, and what it has gradients of."""
    module = adaptive(len(layer.bias), layer.hidden.shape[2])
    leaves = [layer.hidden, layer.weight, layer.bias]
    several = {name_of(number): (partial(sampled, layer, number), leaves) for number in draws}
    by_clusters = partial(adapted, module, layer), [layer.hidden, *module.parameters()]
    return {FULL: (partial(whole, layer), leaves), **several, ADAPTIVE: by_clusters}


def name_of(draws: int) -> str:
    """The name of the sampled softmax with that many draws."""
    return f"sampled softmax, {draws:,} draws"


def there_and_back(loss: Callable[[], Tensor], leaves: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The gradients of the loss."""
    return torch.autograd.grad(loss(), leaves)


def milliseconds(timed: dict[str, Way]) -> dict[str, list[float]]:
    """How long each way takes, round by round, the ways in turn so that a busy moment meets all of
    them; the first round warms up and does not count."""
    found = {name: [] for name in timed}
    for _ in range(ROUNDS + 1):
        for name, way in timed.items():
            start = time.process_time()
            there_and_back(*way)
            found[name].append(1000 * (time.process_time() - start))
    return {name: times[1:] for name, times in found.items()}


def compared(times: dict[str, list[float]], words: int) -> dict[str, object]:
    """The medians, and how many times as fast as the whole softmax each way is, round by round."""
    found: dict[str, object] = {}
    for name, some in times.items():
        found[f"{words:,} words, {name}: ms"] = round(statistics.median(some), 1)
        found[f"{words:,} words, {name}: ms, least and most"] = _ends(some)
        if name != FULL:
            ratios = [slow / fast for slow, fast in zip(times[FULL], some, strict=True)]
            found[f"{words:,} words, {FULL} / {name}"] = round(statistics.median(ratios), 1)
            found[f"{words:,} words, {FULL} / {name}, least and most"] = _ends(ratios)
    return found


def _ends(values: list[float]) -> list[float]:
    return [round(min(values), 1), round(max(values), 1)]


def different(layer: Layer, draws: int) -> int:
    """How many words are scored beside the true ones: the mean over a few times."""
    return round(statistics.mean(len(draw_words(layer.share, draws)[0]) for _ in range(ROUNDS)))


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    figures: dict[str, object] = {}
    for words in VOCABULARIES:
        layer = draw_layer(words, H, M)
        figures |= compared(milliseconds(ways(layer)), words)
        for draws in DRAWS:
            figures[f"{words:,} words, different ones in {draws:,} draws"] = different(layer, draws)
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    note = (
        f"forward and backward of {M:,} words said, H = {H}, float32; medians of {ROUNDS} rounds, "
        "processor time, one thread"
    )
    print("written:", record("softmax", figures, note))


if __name__ == "__main__":
    main()
