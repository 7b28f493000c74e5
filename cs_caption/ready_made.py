"""Captioners that come with the package: `python -m cs_caption.ready_made` makes them anew.

    trained = ready_made("rich")        # .model .vocabulary, as `load_captioner` returns them

What is about decoding and judging need not wait for training. The weights are kept in half
precision; what the captioner is worth was measured with these very weights, and stands in `.info`.
"""

import argparse
import datetime
import shlex
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cs_caption import models
from cs_caption.checkpoint import Trained, load_captioner, save_captioner
from cs_caption.data import Scenes
from cs_caption.device import machine
from cs_caption.evaluation import evaluate
from cs_caption.pipeline import scenes_material, train_captioner
from cs_caption.training import TrainConfig, say

FOLDER = Path(models.__file__).parent / "pretrained"
NAMES = ("rich",)
MIN_COUNT = 5
KEPT = ("bleu", "cider_d", "nats_per_token", "object_f1", "exact_set", "hallucination")


@lru_cache
def ready_made(name: str = "rich") -> Trained:
    """The captioner of the rich scenes: attention, an LSTM, words seen five times or more.

    It is on the CPU, in eval mode, and the same one at each call: change a copy.

    Raises: ValueError where no captioner of that name comes with the package.
    """
    if name not in NAMES:
        raise ValueError(f"no captioner {name!r} comes with the package: there is {NAMES[0]!r}")
    return load_captioner(folder_of(name), "cpu")


def folder_of(name: str) -> Path:
    return FOLDER / f"{name}_captioner"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, round, measure and write; a run that was interrupted goes on."""
    given = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(given)
    config = TrainConfig(steps=args.steps, warmup=min(100, args.steps // 2), device="cpu")
    trained = train_captioner(
        args.runs,
        scenes_material("rich", args.pictures),
        config,
        min_count=MIN_COUNT,
        weights="scenes",
    )
    trained.model.half().float()
    found = evaluate(trained, Scenes("val", n=args.held_out, level="rich")).to_json()
    info = trained.info | {
        "command": shlex.join(["python", "-m", "cs_caption.ready_made", *given]),
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "held_out": {"pictures": args.held_out} | {name: found[name] for name in KEPT},
    }
    save_captioner(args.out, trained.model.half(), trained.vocabulary, info, replace=True)
    say(f"object F1 {found['object_f1']:.3f} on {args.held_out:,} held-out pictures: {args.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cs_caption.ready_made",
        description="Train the captioner of the rich scenes that comes with the package.",
    )
    numbers = {"pictures": 8000, "held-out": 1000, "steps": 2400}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help="(default: %(default)s)")
    folder = Path("runs/ready_made/rich")
    parser.add_argument("--runs", type=Path, default=folder, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=folder_of("rich"), help="in the package")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
