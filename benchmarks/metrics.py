"""Scoring captions, beside pycocoevalcap 1.2, and scoring many candidates of a few pictures.

BLEU-1..4 with CIDEr-D, and ROUGE-L, of 5,000 captions with 5 references each, reading the
references included; `prepare` reads them once for both. Then what self-critical training asks for
at each step: 250 candidates of 50 of the pictures, whose references were prepared before. Each
time is the best of three, the two sides taking turns in one process.
"""

import contextlib
import io
import time
from collections.abc import Callable

import numpy as np
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from benchmarks.record import record
from cs_caption.data import Scenes
from cs_caption.metrics import Score, bleu, cider_d, prepare, rouge_l

ITEMS, REPEATS = 5_000, 3
CANDIDATES, PICTURES = 250, 50

Corpus = tuple[list[str], list[list[str]]]


def corpus(items: int = ITEMS) -> Corpus:
    """One caption of a rich scene as candidate; five of the next scene as references."""
    captions = Scenes("train", n=items + 1, level="rich").captions
    return [item[0] for item in captions[:-1]], [list(item) for item in captions[1:]]


def ours(candidates: list[str], references: list[list[str]]) -> list[Score]:
    prepared = prepare(references)
    return [*bleu(candidates, prepared).by_order, cider_d(candidates, prepared)]


def ours_apart(candidates: list[str], references: list[list[str]]) -> list[Score]:
    return [*bleu(candidates, references).by_order, cider_d(candidates, references)]


def our_rouge(candidates: list[str], references: list[list[str]]) -> list[Score]:
    return [rouge_l(candidates, references)]


def theirs(candidates: list[str], references: list[list[str]]) -> list[Score]:
    bleus = _reference_code(Bleu(4), candidates, references)
    cider = _reference_code(Cider(), candidates, references)
    return [*map(_score, *bleus), _score(*cider)]


def their_rouge(candidates: list[str], references: list[list[str]]) -> list[Score]:
    return [_score(*_reference_code(Rouge(), candidates, references))]


def _reference_code(scorer, candidates: list[str], references: list[list[str]]) -> tuple:
    results = {i: [caption] for i, caption in enumerate(candidates)}
    with contextlib.redirect_stdout(io.StringIO()):
        return scorer.compute_score(dict(enumerate(references)), results)


def _score(corpus: float, per_item: list[float]) -> Score:
    return Score(float(corpus), np.asarray(per_item))


def best_of(*ways: Callable[[], object]) -> tuple[list[float], list]:
    """The quickest of REPEATS calls of each way, in seconds, in turns, and what each returned."""
    times, values = [], []
    for _ in range(REPEATS):
        times.append([])
        values = []
        for way in ways:
            started = time.perf_counter()
            values.append(way())
            times[-1].append(time.perf_counter() - started)
    return np.min(times, axis=0).tolist(), values


def apart(one: list[Score], other: list[Score]) -> float:
    """The largest difference between the scores of two ways, corpus and per item alike."""
    return max(
        max(abs(a.corpus - b.corpus), float(np.abs(a.per_item - b.per_item).max()))
        for a, b in zip(one, other, strict=True)
    )


def compare(candidates: list[str], references: list[list[str]]) -> dict[str, object]:
    """Seconds of both sides, and how far apart their scores are."""
    ways = (ours, ours_apart, theirs, our_rouge, their_rouge)
    times, scores = best_of(*(lambda way=way: way(candidates, references) for way in ways))
    both, both_apart, reference, rouge, reference_rouge = times
    return {
        "captions": len(candidates),
        "references each": len(references[0]),
        "BLEU-1..4 and CIDEr-D, cs_caption, seconds": round(both, 3),
        "BLEU-1..4 and CIDEr-D, pycocoevalcap 1.2, seconds": round(reference, 3),
        "BLEU-1..4 and CIDEr-D, ratio": round(reference / both, 1),
        "the same without prepare, seconds": round(both_apart, 3),
        "the same without prepare, ratio": round(reference / both_apart, 1),
        "ROUGE-L, cs_caption, seconds": round(rouge, 3),
        "ROUGE-L, pycocoevalcap 1.2, seconds": round(reference_rouge, 3),
        "ROUGE-L, ratio": round(reference_rouge / rouge, 1),
        "largest difference of any score": max(
            apart(scores[0], scores[2]), apart(scores[3], scores[4])
        ),
    }


def reuse(candidates: list[str], references: list[list[str]]) -> dict[str, object]:
    """Milliseconds for candidates of a few pictures against references prepared before."""
    prepared = prepare(references)
    items = np.repeat(np.arange(PICTURES) * (len(references) // PICTURES), CANDIDATES // PICTURES)
    said = candidates[:CANDIDATES]
    ways = {"CIDEr-D": cider_d, "BLEU-1..4": bleu, "ROUGE-L": rouge_l}
    calls = [lambda way=way: way(said, prepared, items=items) for way in ways.values()]
    best_of(*calls)  # the first call counts the references
    times, _ = best_of(*calls)
    return {"candidates": CANDIDATES, "pictures of the candidates": PICTURES} | {
        f"{name} of the candidates, milliseconds": round(1000 * seconds, 1)
        for name, seconds in zip(ways, times, strict=True)
    }


def main() -> None:
    candidates, references = corpus()
    figures = compare(candidates, references) | reuse(candidates, references)
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print("written:", record("metrics", figures, f"best of {REPEATS} in turns, one process"))


if __name__ == "__main__":
    main()
