"""How much the annotators of the built-in scenes disagree, against the aims of the syllabus.

    python -m benchmarks.annotators

Each of the five captions of each test picture is judged against the four others, with
pycocoevalcap 1.2 where it is installed and with `cs_caption.metrics`; words are counted in the
train split. Writes benchmarks/results/annotators.json and, for people, annotators.md. Takes about
three minutes.
"""

import argparse
import contextlib
import io
import json
from collections import Counter

import numpy as np

from benchmarks.record import record
from cs_caption.data import Scenes, wording
from cs_caption.data.annotators import CAPTIONS, POOL
from cs_caption.data.scenes import LEVELS
from cs_caption.files import whole_file
from cs_caption.metrics import bleu, cider_d

RARE = 5  # the usual minimum count of a vocabulary
AIMS = {  # of the rich level: (least, most)
    "cider_d": (0.8, 1.5),
    "bleu_4": (0.0, 0.5),
    "words": (400, None),
    "rare_share": (0.30, None),
    "clean_words": (400, None),
}

NOTE = (
    "Mean, and range over seeds. One caption against the other four of its picture, five times, "
    "averaged. rare_share: word types seen fewer than five times; clean_: without typos; coco_: "
    "pycocoevalcap instead of cs_caption.metrics. COCO's people: CIDEr-D 0.88, BLEU-4 0.197."
)


def measure(level: str, seed: int, pictures: int, train: int) -> dict:
    """All figures of one level and seed."""
    test = Scenes("test", pictures, level, seed)
    rounds = [_judged(*_one_against_four(test.captions, place)) for place in range(CAPTIONS)]
    lengths = [len(caption.split()) for some in test.captions for caption in some]
    figures = {name: float(np.mean([row[name] for row in rounds])) for name in rounds[0]}
    return {
        **figures,
        "length": float(np.mean(lengths)),
        **_words(Scenes("train", train, level, seed).captions, ""),
        **_words(_without_slips(train, level, seed), "clean_"),
        "cider_d_by_annotator": _by_annotator(test),
    }


def _one_against_four(captions: list[list[str]], place: int) -> tuple[list, list]:
    return [some[place] for some in captions], [
        some[:place] + some[place + 1 :] for some in captions
    ]


def _judged(candidates: list[str], references: list[list[str]]) -> dict[str, float]:
    figures = {
        "cider_d": cider_d(candidates, references).corpus,
        "bleu_4": bleu(candidates, references).corpus,
    }
    try:
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
    except ImportError:
        return figures
    truth = dict(enumerate(references))
    said = {key: [caption] for key, caption in enumerate(candidates)}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints lengths
        figures["coco_cider_d"] = float(Cider().compute_score(truth, said)[0])
        figures["coco_bleu_4"] = float(Bleu(4).compute_score(truth, said)[0][3])
    return figures


def _words(captions: list[list[str]], name: str) -> dict[str, float]:
    counts = Counter(word for some in captions for caption in some for word in caption.split())
    rare = sum(count < RARE for count in counts.values())
    return {f"{name}words": len(counts), f"{name}rare_share": rare / len(counts)}


def _without_slips(train: int, level: str, seed: int) -> list[list[str]]:
    usual = wording.SLIPS
    wording.SLIPS = 0
    try:
        return Scenes("train", train, level, seed).captions
    finally:
        wording.SLIPS = usual


def _by_annotator(scenes: Scenes) -> list[float]:
    scores: list[list[float]] = [[] for _ in POOL]
    people = [scene.annotators for scene in scenes]
    for place in range(CAPTIONS):
        score = cider_d(*_one_against_four(scenes.captions, place))
        for who, value in zip(people, score.per_item, strict=True):
            scores[who[place]].append(float(value))
    return [float(np.mean(some)) for some in scores]


def table(entry: dict) -> str:
    """A written record as Markdown: mean and range over seeds."""
    levels = entry["figures"]["levels"]
    lines = ["# Do the annotators disagree as people do?", "", _heading(entry), ""]
    lines += ["| figure | simple | rich | aim on rich |", "|---|---|---|---|"]
    names = [name for name in levels["rich"][0] if name != "cider_d_by_annotator"]
    for name in names:
        cells = [_span([row[name] for row in levels[level]]) for level in LEVELS]
        lines.append(f"| {name} | {' | '.join(cells)} | {_aim(name)} |")
    by = np.mean([row["cider_d_by_annotator"] for row in levels["rich"]], axis=0)
    lines += ["", "CIDEr-D of each of the twelve on rich: " + ", ".join(f"{x:.2f}" for x in by)]
    return "\n".join(lines) + "\n"


def _heading(entry: dict) -> str:
    asked = entry["figures"]
    return (
        f"`{entry['command']}`: {asked['pictures']} test pictures, {asked['train']} train "
        f"pictures, seeds {asked['seeds']}, {entry['date']}, {entry['machine']}. {entry['note']}"
    )


def _span(values: list[float]) -> str:
    form = "{:.0f}" if min(values) > 40 else "{:.3f}" if max(values) < 5 else "{:.1f}"
    mean, low, high = (form.format(x) for x in (np.mean(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low} to {high})"


def _aim(name: str) -> str:
    least, most = AIMS.get(name, (None, None))
    if least is None:
        return ""
    return f"at least {least}" if most is None else f"{least} to {most}"


def missed(asked: dict) -> list[str]:
    """The figures of the rich level that miss their aim for some seed, in words."""
    found = []
    for seed, row in zip(asked["seeds"], asked["levels"]["rich"], strict=True):
        for name, (least, most) in AIMS.items():
            if row[name] < least or (most is not None and row[name] > most):
                found.append(f"{name} is {row[name]:.3f} with seed {seed}: aim {_aim(name)}")
    return found


def main() -> int:
    """Measure, write, print; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000, help="test pictures (1000)")
    parser.add_argument("--train", type=int, default=8000, help="train pictures (8000)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    chosen = parser.parse_args()
    levels = {
        level: [measure(level, seed, chosen.pictures, chosen.train) for seed in chosen.seeds]
        for level in LEVELS
    }
    path = record("annotators", {**vars(chosen), "levels": levels}, NOTE)
    text = table(json.loads(path.read_text()))
    with whole_file(path.with_suffix(".md")) as file:
        file.write_text(text, encoding="utf-8")
    print(text)
    wrong = missed({**vars(chosen), "levels": levels})
    print("\n".join(wrong) or "every aim of the rich level is met")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
