"""`python -m cs_caption evaluate`: measure a captioner or a ranker on held-out pictures."""

import argparse
import json
from pathlib import Path

from cs_caption.checkpoint import Trained, kind_of, load_ranker
from cs_caption.commands.arguments import (
    add_cache,
    add_data,
    add_device,
    add_model,
    add_number,
    check_data,
    load_model,
    open_split,
)
from cs_caption.commands.figures import format_evaluation, format_ranked
from cs_caption.data import CaptionedImages, Scenes
from cs_caption.data.opening import NoSuchSplit
from cs_caption.data.scenes import LEVELS, SPLITS
from cs_caption.evaluation import evaluate
from cs_caption.features import cache_features
from cs_caption.files import whole_file
from cs_caption.pipeline import part
from cs_caption.ranking import grounding, measure, regions_of
from cs_caption.training import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    level = "level of the scenes (default: the one it was trained on)"
    split = "(default: test; of a folder that has none, val)"
    add_model(parser)
    parser.add_argument("--level", choices=LEVELS, default=None, help=level)
    add_data(parser)
    parser.add_argument("--split", choices=tuple(SPLITS), help=split)
    add_number(parser, "--pictures", None, "how many pictures (default: the whole split)")
    add_number(parser, "--beam", 5, "width of the beam; 1 is greedy")
    add_cache(parser)
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    check_data(args)
    if args.model.exists() and kind_of(args.model) == "ranker":
        return run_ranker(args)
    trained = load_model(args)
    data, about = scenes(args, trained) if args.data is None else folder(args, trained)
    if args.cache:
        data = cache_features(trained.model, data, args.cache / f"evaluate_{args.split or 'test'}")
    evaluation = evaluate(trained, data, beam=args.beam)
    print()
    print(format_evaluation(evaluation, about))
    if args.out:
        with whole_file(args.out) as temporary:
            temporary.write_text(json.dumps(evaluation.to_json(), indent=2) + "\n")
        print(f"written: {args.out}")
    return 0


def run_ranker(args: argparse.Namespace) -> int:
    """Of a ranker: which pictures and sentences find each other, and whether nouns find objects."""
    trained = load_ranker(args.model, args.device)
    data, about = scenes(args, trained) if args.data is None else folder(args, trained)
    if args.cache:
        data = cache_features(trained.model, data, args.cache / f"evaluate_{args.split or 'test'}")
    found, pointing = measure(trained, data, say), None
    if args.data is None:
        told = [captions[0] for captions in data.captions]
        truth = [data[i].objects for i in range(len(data))]
        pointing = grounding(trained, regions_of(trained, data.images), told, truth)
    print()
    print(format_ranked(found, about, pointing))
    if args.out:
        figures = found.to_json() | ({"pointing": pointing.accuracy} if pointing else {})
        with whole_file(args.out) as temporary:
            temporary.write_text(json.dumps(figures, indent=2) + "\n")
        print(f"written: {args.out}")
    return 0


def scenes(args: argparse.Namespace, trained: Trained) -> tuple[Scenes, str]:
    level = args.level or trained.info.get("level", "simple")
    data = Scenes(args.split or "test", n=args.pictures, level=level)
    return data, repr(data)


def folder(args: argparse.Namespace, trained: Trained) -> tuple[CaptionedImages, str]:
    """The split of the folder, and what it is called."""
    size, split = trained.model.config.image_size, args.split or "test"
    try:
        data = open_split(args, split, size)
    except NoSuchSplit:
        if args.split:
            raise
        split = "val"
        data = open_split(args, split, size)
    return part(data, slice(args.pictures)), f"{args.data.resolve().name}, {split}"
