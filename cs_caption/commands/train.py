"""`python -m cs_caption train`: train a captioner on the built-in scenes."""

import argparse
from pathlib import Path

from cs_caption.commands.arguments import add_device, add_number
from cs_caption.data.scenes import LEVELS, SPLITS, Scenes
from cs_caption.pipeline import DEFAULT_MIN_COUNT, train_on_scenes
from cs_caption.training import OPTIMIZERS, PRECISIONS, TrainConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    recipe = TrainConfig()
    folder = "folder for checkpoints and the model (default: %(default)s); a run that was "
    once = "show the picture to the LSTM once, as its first state"
    rare = "words said less often become <UNK> (default: 1 for simple, 5 for rich)"
    out = Path("runs/train")
    parser.add_argument("--out", type=Path, default=out, help=folder + "interrupted there goes on")
    parser.add_argument("--level", choices=LEVELS, default="simple", help="(default: %(default)s)")
    add_number(parser, "--pictures", SPLITS["train"], "pictures to train on")
    add_number(parser, "--min-count", None, rare)
    add_number(parser, "--steps", recipe.steps, "steps of the optimiser")
    add_number(parser, "--batch", recipe.batch, "pictures a step")
    add_number(parser, "--captions", recipe.captions, "captions of each picture a step")
    add_number(parser, "--seed", recipe.seed, "seed of weights, order and dropout")
    highest = "highest learning rate (default: %(default)s)"
    parser.add_argument("--lr", type=float, default=recipe.lr, help=highest)
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default=recipe.optimizer)
    parser.add_argument("--precision", choices=PRECISIONS, default=recipe.precision)
    parser.add_argument("--no-attention", action="store_true", help=once)
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    config = TrainConfig(
        steps=args.steps,
        batch=args.batch,
        captions=args.captions,
        optimizer=args.optimizer,
        lr=args.lr,
        warmup=min(TrainConfig().warmup, args.steps // 2),
        seed=args.seed,
        precision=args.precision,
        device=args.device,
    )
    train_on_scenes(
        args.out,
        Scenes("train", n=args.pictures, level=args.level),
        config,
        min_count=args.min_count or DEFAULT_MIN_COUNT[args.level],
        attention=not args.no_attention,
    )
    print(f"Done. The model: {args.out / 'model'}")
    print(f"Try it: python -m cs_caption caption PICTURE --model {args.out}")
    return 0
