"""BLEU-1..4 and CIDEr-D of 5,000 captions with 5 references, beside pycocoevalcap."""

import contextlib
import io
import time
from collections.abc import Callable

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from benchmarks.record import record
from cs_caption.data import Scenes
from cs_caption.metrics import bleu, cider_d

ITEMS, REPEATS = 5_000, 3


def corpus() -> tuple[list[str], list[list[str]]]:
    """One caption of a rich scene as candidate; five of the next scene as references."""
    captions = Scenes("train", n=ITEMS + 1, level="rich").captions
    return [item[0] for item in captions[:-1]], [list(item) for item in captions[1:]]


def ours(candidates: list[str], references: list[list[str]]) -> tuple[float, float]:
    return bleu(candidates, references).corpus, cider_d(candidates, references).corpus


def theirs(candidates: list[str], references: list[list[str]]) -> tuple[float, float]:
    results = {i: [c] for i, c in enumerate(candidates)}
    truth = dict(enumerate(references))
    with contextlib.redirect_stdout(io.StringIO()):
        return (
            Bleu(4).compute_score(truth, results)[0][3],
            float(Cider().compute_score(truth, results)[0]),
        )


def best_of(function: Callable[..., object], *arguments: object) -> tuple[float, object]:
    """The quickest of REPEATS calls, in seconds, and what the last one returned."""
    times, value = [], None
    for _ in range(REPEATS):
        started = time.perf_counter()
        value = function(*arguments)
        times.append(time.perf_counter() - started)
    return min(times), value


def main() -> None:
    candidates, references = corpus()
    our_time, our_scores = best_of(ours, candidates, references)
    their_time, their_scores = best_of(theirs, candidates, references)
    apart = max(abs(a - b) for a, b in zip(our_scores, their_scores, strict=True))
    figures = {
        "captions": ITEMS,
        "references each": 5,
        "cs_caption, seconds": round(our_time, 3),
        "pycocoevalcap 1.2, seconds": round(their_time, 3),
        "ratio": round(their_time / our_time, 1),
        "largest difference of BLEU-4 and CIDEr-D": apart,
    }
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print("written:", record("metrics", figures, f"best of {REPEATS}, one process"))


if __name__ == "__main__":
    main()
