"""`python -m cs_caption caption PICTURE...`: say what is in each picture."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from cs_caption.checkpoint import Trained, load_captioner
from cs_caption.commands.arguments import add_device, add_model, add_number
from cs_caption.data.listing import is_picture_name
from cs_caption.data.pictures import read_picture
from cs_caption.evaluation import Sentence, decode
from cs_caption.models.novelty import Novelty

BATCH = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    files = "picture files, of any kind and size: PNG, JPEG, GIF, WebP, ...; or folders of them"
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help=files)
    add_model(parser)
    add_number(parser, "--beam", 5, "sentences kept at each step; 1 is greedy")
    add_number(parser, "--n-best", 1, "sentences shown a picture, with log-probabilities")
    parser.add_argument("--json", action="store_true", help="one JSON object a line a picture")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    if not 1 <= args.n_best <= args.beam:
        raise ValueError(f"--n-best {args.n_best}: give 1 to {args.beam}, the width of the beam")
    trained = load_captioner(args.model, args.device)
    paths = pictures_in(args.pictures)
    read, failed = read_all(paths, trained.model.config.image_size)
    for start in range(0, len(read), BATCH):
        caption_batch(trained, read[start : start + BATCH], args)
    if failed and read:
        print(f"{failed} of {len(paths)} pictures could not be read", file=sys.stderr)
    return 0 if not failed else (1 if read else 2)


def pictures_in(paths: list[Path]) -> list[Path]:
    """The paths, with the picture files in each folder in its place, by name.

    Raises: ValueError for a folder without any.
    """
    found = []
    for path in paths:
        inside = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        some = [p for p in inside if is_picture_name(p.name)] if path.is_dir() else inside
        if not some:
            raise ValueError(f"{path} has no picture in it, going by the files' names")
        found += some
    return found


def read_all(paths: list[Path], size: int) -> tuple[list[tuple[Path, np.ndarray]], int]:
    """The pictures that can be read, and how many cannot; why is said on stderr."""
    read = []
    for path in paths:
        try:
            read.append((path, read_picture(path, size)))
        except (OSError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
    return read, len(paths) - len(read)


def caption_batch(
    trained: Trained, batch: list[tuple[Path, np.ndarray]], args: argparse.Namespace
) -> None:
    images = np.stack([image for _, image in batch])
    unlike = is_unlike(trained, images)
    spoken = decode(trained, images, beam=args.beam)
    for (path, _), sentences, odd in zip(batch, spoken, unlike, strict=True):
        show = print_json if args.json else print_plain
        show(path, sentences[: args.n_best], bool(odd), has_seen(trained))


def is_unlike(trained: Trained, images: np.ndarray) -> np.ndarray:
    """Whether each picture is unlike those the model was trained on; False where it cannot tell."""
    novelty = Novelty.from_tensors(trained.model, trained.extra)
    return np.zeros(len(images), bool) if novelty is None else novelty.is_unlike(images)


def has_seen(trained: Trained) -> str:
    """What the model learnt from, and its encoder before it, in words."""
    data, encoder = (trained.info.get(name, "") for name in ("data", "encoder"))
    before = f"; its encoder {encoder}" if "beforehand" in encoder else ""
    return (data or "its pictures") + before


def print_plain(path: Path, sentences: tuple[Sentence, ...], unlike: bool, seen: str) -> None:
    print(f"{path}: {sentences[0].text}")
    if unlike:
        print(f"  note: this picture is unlike what the model was trained on ({seen}),")
        print("        and it knows no other words than those: do not trust the caption")
    if len(sentences) > 1:
        for sentence in sentences:
            print(f"  {sentence.log_prob:8.3f}  {sentence.text}")


def print_json(path: Path, sentences: tuple[Sentence, ...], unlike: bool, seen: str) -> None:
    best = [
        {
            "caption": sentence.text,
            "log_prob": sentence.log_prob,
            "words": list(sentence.words),
            "log_probs": list(sentence.log_probs),
        }
        for sentence in sentences
    ]
    print(json.dumps({"picture": str(path), "unlike_training": unlike, "n_best": best}))
