"""`python -m cs_caption evaluate`: measure a trained captioner on held-out scenes."""

import argparse
import json
from pathlib import Path

from cs_caption.checkpoint import load_captioner
from cs_caption.commands.arguments import add_device, add_model, add_number
from cs_caption.commands.figures import format_evaluation
from cs_caption.data import Scenes
from cs_caption.data.scenes import LEVELS, SPLITS
from cs_caption.evaluation import evaluate
from cs_caption.files import whole_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    level = "level of the scenes (default: the one it was trained on)"
    add_model(parser)
    parser.add_argument("--level", choices=LEVELS, default=None, help=level)
    parser.add_argument("--split", choices=tuple(SPLITS), default="test", help="(default: test)")
    add_number(parser, "--pictures", None, "how many pictures (default: the whole split)")
    add_number(parser, "--beam", 5, "width of the beam; 1 is greedy")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    trained = load_captioner(args.model, args.device)
    level = args.level or trained.info.get("level", "simple")
    scenes = Scenes(args.split, n=args.pictures, level=level)
    evaluation = evaluate(trained, scenes, beam=args.beam)
    print()
    print(format_evaluation(evaluation, repr(scenes)))
    if args.out:
        with whole_file(args.out) as temporary:
            temporary.write_text(json.dumps(evaluation.to_json(), indent=2) + "\n")
        print(f"written: {args.out}")
    return 0
