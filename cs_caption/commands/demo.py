"""`python -m cs_caption demo`: train on simple scenes, measure beside baselines, write a page."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from cs_caption.baselines import compare
from cs_caption.checkpoint import Trained
from cs_caption.commands.arguments import add_device, add_number
from cs_caption.commands.figures import format_bars, format_bins, format_lines, format_pointing
from cs_caption.data import Scenes
from cs_caption.data.scenes import SPLITS
from cs_caption.evaluation import Bar, Evaluation, Measures, evaluate
from cs_caption.files import whole_file
from cs_caption.pipeline import new_captioner, scenes_material, train_captioner
from cs_caption.training import TrainConfig, train
from cs_caption.viz.gallery import gallery_items, summarise, write_gallery

MINUTES = 4  # what the training may take on two quiet cores
BLIND_STEPS = 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    folder = "folder for all that is made (default: %(default)s); an interrupted demo goes on there"
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help=folder)
    add_number(parser, "--steps", TrainConfig().steps, "training steps; fewer is only a rehearsal")
    add_number(parser, "--pictures", SPLITS["train"], "training pictures")
    add_number(parser, "--held-out", SPLITS["test"], "held-out pictures to measure on")
    add_number(parser, "--seed", 0, "seed of the training")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    if args.held_out < 2:
        raise ValueError(f"--held-out {args.held_out}: give 2 or more, to be shuffled")
    started = time.monotonic()
    config = demo_config(args.steps, args.seed, args.device)
    heading("1. Train a captioner with attention on scenes drawn now")
    material = scenes_material("simple", args.pictures)
    trained = train_captioner(args.out, material, config)
    seconds = time.monotonic() - started
    heading("2. Train a language model that never sees a picture, to compare with")
    blind = train_blind(args, trained, material.train)
    heading(f"3. Measure on {args.held_out:,} pictures that neither has seen")
    scenes = Scenes("test", n=args.held_out)
    evaluation = evaluate(trained, scenes)
    lines = compare(trained, scenes, evaluation, train=material.train, blind=blind)
    bars = demo_bars(evaluation, lines)
    heading("4. What came out")
    print_figures(evaluation, lines, bars, trained.info["history"][-1]["seconds"])
    write_results(args.out / "results.json", args, evaluation, lines, bars, seconds)
    about = (
        f"{len(scenes):,} pictures that the captioner has not seen; it was trained for "
        f"{args.steps:,} steps on {args.pictures:,} others, drawn from another seed."
    )
    summary = summarise(evaluation, lines, bars, about=about)
    write_gallery(args.out / "index.html", gallery_items(scenes, evaluation), summary)
    print(f"\nThe page to look at: {args.out / 'index.html'}")
    print(f"The figures:         {args.out / 'results.json'}")
    print(f"The model:           {args.out / 'model'}")
    return 0 if all(bar.met for bar in bars) else 1


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def demo_config(steps: int, seed: int, device: str) -> TrainConfig:
    warmup = min(TrainConfig().warmup, steps // 2)
    return TrainConfig(steps=steps, warmup=warmup, seed=seed, device=device)


def train_blind(args: argparse.Namespace, trained: Trained, scenes: Scenes) -> Trained:
    config = demo_config(min(args.steps, BLIND_STEPS), args.seed, args.device)
    model = new_captioner(trained.vocabulary, args.seed, image=False)
    train(model, trained.vocabulary, scenes, config, folder=args.out / "blind")
    return Trained(model, trained.vocabulary)


def demo_bars(evaluation: Evaluation, lines: Sequence[Measures]) -> list[Bar]:
    """The bars of the demo; the last asks that wrong pictures are worse than none."""
    named = {line.name: line for line in lines}
    reached = evaluation.to_json()
    pointing = evaluation.pointing and evaluation.pointing.accuracy
    blind, wrong = (
        named[name].nats_per_token for name in ("image-blind model", "shuffled pictures")
    )
    bars = [
        ("object F1", reached["object_f1"], 0.95, "object_f1"),
        ("exact set of (colour, shape, count)", reached["exact_set"], 0.90, "exact_set"),
        ("attention pointing", pointing, 0.80, "pointing"),
        ("nats/token lost to wrong pictures against none", wrong - blind, 0.0, ""),
    ]
    return [
        Bar(name, value, least, evaluation.intervals.get(key)) for name, value, least, key in bars
    ]


def print_figures(
    evaluation: Evaluation, lines: Sequence[Measures], bars: Sequence[Bar], seconds: float
) -> None:
    print(format_lines(lines))
    print()
    print(format_pointing(evaluation.pointing))
    print(format_bins(evaluation))
    print()
    print(format_bars(bars))
    print(f"\nThe training loop took {seconds / 60:.1f} minutes (aim: {MINUTES} on two cores).")


def write_results(
    path: Path,
    args: argparse.Namespace,
    evaluation: Evaluation,
    lines: Sequence[Measures],
    bars: Sequence[Bar],
    seconds: float,
) -> None:
    results = {
        "command": "python -m cs_caption demo",
        "steps": args.steps,
        "pictures": args.pictures,
        "seed": args.seed,
        "seconds to a trained model": round(seconds, 1),
        "evaluation": evaluation.to_json(),
        "lines": [line.__dict__ for line in lines],
        "bars": [bar.__dict__ | {"met": bar.met} for bar in bars],
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
