"""The ranking model that comes with the package: `python -m cs_caption.ready_ranker` makes it anew.

    trained = ready_ranker("rich")      # .model .vocabulary, as `load_ranker` returns them

It began with the eyes of the ready-made captioner, and they went on learning, from scenes of the
split "large": of the 8,000 of "train" it learns the sentences by heart. The weights are kept
in half precision; what the model is worth was measured with these very weights: see `.info`.
"""

import argparse
import datetime
import shlex
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cs_caption import models
from cs_caption.checkpoint import Trained, load_ranker, save_captioner
from cs_caption.data import Scenes
from cs_caption.device import machine
from cs_caption.pipeline import HELD_OUT, Material, train_ranker
from cs_caption.ranking import grounding, measure, regions_of
from cs_caption.ready_made import MIN_COUNT, ready_made
from cs_caption.training import TrainConfig, say

FOLDER = Path(models.__file__).parent / "pretrained"
NAMES = ("rich",)
WIDTH = 96


@lru_cache
def ready_ranker(name: str = "rich") -> Trained:
    """The ranking model of the rich scenes.

    It is on the CPU, in eval mode, and the same one at each call: change a copy.

    Raises: ValueError where no ranking model of that name comes with the package.
    """
    if name not in NAMES:
        raise ValueError(f"no ranking model {name!r} comes with the package: there is {NAMES[0]!r}")
    return load_ranker(folder_of(name), "cpu")


def folder_of(name: str) -> Path:
    return FOLDER / f"{name}_ranker"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, round, measure and write; a run that was interrupted goes on."""
    given = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(given)
    config = TrainConfig(
        steps=args.steps,
        captions=2,
        warmup=min(100, args.steps // 2),
        encoder_lr=1e-3,
        contrast="softmax",
        device="cpu",
    )
    seen = Scenes("large", n=args.pictures, level="rich")
    watched = Scenes("val", n=HELD_OUT, level="rich")
    material = Material(seen, watched, f"{args.pictures:,} rich scenes (split large)", "rich")
    eyes = ready_made("rich").model.encoder
    trained = train_ranker(
        args.runs, material, config, min_count=MIN_COUNT, weights=eyes, hidden=WIDTH, joint=WIDTH
    )
    trained.model.half().float()
    held_out = Scenes("val", n=args.held_out, level="rich")
    found = measure(trained, held_out)
    info = trained.info | {
        "command": shlex.join(["python", "-m", "cs_caption.ready_ranker", *given]),
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "held_out": {"pictures": args.held_out} | found.to_json() | _pointing(trained, held_out),
    }
    save_captioner(args.out, trained.model.half(), trained.vocabulary, info, replace=True)
    say(f"R@10 {found.to_image.r10:.3f} among {args.held_out:,} held-out pictures: {args.out}")
    return 0


def _pointing(trained: Trained, held_out: Scenes) -> dict:
    v = regions_of(trained, held_out.images)
    told = [captions[0] for captions in held_out.captions]
    return {"pointing": grounding(trained, v, told, [s.objects for s in held_out]).accuracy}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cs_caption.ready_ranker",
        description="Train the ranking model of the rich scenes that comes with the package.",
    )
    numbers = {"pictures": 24_000, "held-out": 1000, "steps": 2200}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help="(default: %(default)s)")
    folder = Path("runs/ready_ranker/rich")
    parser.add_argument("--runs", type=Path, default=folder, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=folder_of("rich"), help="in the package")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
