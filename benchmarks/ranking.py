"""Scores of pictures with sentences: the sum over the words of the best region's, three ways.

The package's; the textbook's, which makes all scores of regions and words at once (N x M x L x T);
and a loop over the sentences, as the code that people take for ranking has it (SCAN's
xattn_score_i2t, Lee et al. 2018), here with the best region in the place of attention.

A training step, forward and backward: 64 pictures of 64 regions, 64 sentences, D = 64. And the
scores of 1,000 pictures with 5,000 sentences, which the textbook's way would keep in some 80 GB;
the loop and the package do it whole. Sentences have 3 to 24 words. Times are the processor's, on
one thread; memory is the most that the process ever held.
"""

import os

if __name__ == "__main__":  # and not where a test imports it
    # Before torch is imported: it reads the number of threads then.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import resource
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.record import record
from cs_caption.losses import ranking_loss
from cs_caption.models.ranking import pair_scores, scores_in_blocks

REGIONS, D, ROUNDS = 64, 64, 7
BATCH = 64
PICTURES, SENTENCES = 1_000, 5_000
SHORTEST, LONGEST = 3, 24

Way = Callable[[Tensor, Tensor, Tensor], Tensor]


def draw(pictures: int, sentences: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors of regions (N, L, D) and words (M, T, D), and which words are real (M, T)."""
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(pictures, REGIONS, D, generator=generator)
    s = torch.randn(sentences, LONGEST, D, generator=generator)
    lengths = torch.randint(SHORTEST, LONGEST + 1, (sentences, 1), generator=generator)
    return v, s, torch.arange(LONGEST) < lengths


def textbook(v: Tensor, s: Tensor, real: Tensor) -> Tensor:
    """All scores of regions and words at once."""
    return (torch.einsum("nld,mtd->nmlt", v, s).amax(dim=2) * real).sum(dim=2)


def one_by_one(v: Tensor, s: Tensor, real: Tensor) -> Tensor:
    """A sentence at a time, without its padding."""
    columns = [
        (v @ words[there].T).amax(dim=1).sum(dim=1) for words, there in zip(s, real, strict=True)
    ]
    return torch.stack(columns, dim=1)


WAYS: dict[str, Way] = {
    "the package": pair_scores,
    "all at once": textbook,
    "a loop over sentences": one_by_one,
}


def step(way: Way, v: Tensor, s: Tensor, real: Tensor) -> float:
    """Processor seconds of scores, loss and gradients."""
    v, s = (leaf.detach().requires_grad_() for leaf in (v, s))
    start = time.process_time()
    loss = ranking_loss(way(v, s, real), torch.arange(len(v)))
    torch.autograd.grad(loss, (v, s))
    return time.process_time() - start


def steps(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of a training step each way, in turns."""
    given = draw(BATCH, BATCH)
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds + 1):
        for name, way in WAYS.items():
            found[name].append(step(way, *given))
    return {name: seconds[1:] for name, seconds in found.items()}  # the first is for warming up


def whole(pictures: int, sentences: int) -> dict[str, float]:
    """Seconds for all scores in blocks and by the loop, and the most memory the blocks took."""
    given = draw(pictures, sentences)
    start = time.process_time()
    in_blocks = scores_in_blocks(*given)
    blocks = time.process_time() - start
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    with torch.no_grad():
        looped = one_by_one(*given)
    loop = time.process_time() - start
    torch.testing.assert_close(torch.from_numpy(in_blocks), looped, rtol=1e-4, atol=1e-3)
    return {"blocks": blocks, "loop": loop, "megabytes": megabytes}


def main() -> None:
    torch.set_num_threads(1)
    all_pairs = whole(PICTURES, SENTENCES)
    figures: dict[str, object] = {
        "all pairs, in blocks: s": round(all_pairs["blocks"], 1),
        "all pairs, in blocks: MB at most": round(all_pairs["megabytes"]),
        "all pairs, a loop over sentences: s": round(all_pairs["loop"], 1),
        "all pairs, loop / blocks": round(all_pairs["loop"] / all_pairs["blocks"], 1),
    }
    found = steps()
    ours = found["the package"]
    for name, seconds in found.items():
        figures[f"step, {name}: ms"] = round(statistics.median(seconds) * 1e3, 1)
        ratios = [other / mine for other, mine in zip(seconds, ours, strict=True)]
        figures[f"step, {name} / the package"] = round(statistics.median(ratios), 1)
        figures[f"step, {name} / the package, least and most"] = [
            round(min(ratios), 1),
            round(max(ratios), 1),
        ]
    note = (
        f"a step: {BATCH} x {BATCH} pairs, forward and backward, medians of {ROUNDS} rounds; all "
        f"pairs: {PICTURES:,} x {SENTENCES:,}; L = {REGIONS}, D = {D}, float32, processor time, "
        "one thread"
    )
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print(record("ranking", figures, note))


if __name__ == "__main__":
    main()
