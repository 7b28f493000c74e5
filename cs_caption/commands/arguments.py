"""Arguments that several commands take."""

import argparse
from pathlib import Path

from cs_caption.checkpoint import Trained, load_captioner
from cs_caption.data import CaptionedImages, open_captions
from cs_caption.device import KINDS
from cs_caption.ready_made import NAMES, folder_of


def add_number(
    parser: argparse.ArgumentParser, flag: str, default: int | None, purpose: str
) -> None:
    """A whole number, its default shown in --help where there is one."""
    shown = "" if default is None else " (default: %(default)s)"
    parser.add_argument(flag, type=int, metavar="N", default=default, help=purpose + shown)


def add_device(parser: argparse.ArgumentParser) -> None:
    purpose = "auto takes cuda, then mps, then cpu (default: %(default)s)"
    parser.add_argument("--device", choices=KINDS, default="auto", help=purpose)


def add_model(parser: argparse.ArgumentParser) -> None:
    purpose = (
        "folder of a trained captioner (default: %(default)s, which `make demo` writes); or "
        f"{' or '.join(NAMES)}, which comes with the package"
    )
    parser.add_argument("--model", type=Path, default=Path("runs/demo"), help=purpose)


def load_model(args: argparse.Namespace) -> Trained:
    """The captioner that --model names: a folder, or one that comes with the package."""
    ready = str(args.model) in NAMES and not args.model.exists()
    return load_captioner(folder_of(str(args.model)) if ready else args.model, args.device)


def add_data(parser: argparse.ArgumentParser) -> None:
    """A folder of captioned pictures, instead of the built-in scenes."""
    folder = "folder of captioned pictures instead of the built-in scenes: COCO, Flickr8k, "
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help=folder + "Flickr30k, Karpathy's, captions.csv"
    )
    add_kind(parser)
    skip = "go on without missing or broken pictures and captions; they are listed"
    parser.add_argument("--skip-broken", action="store_true", help=skip)


def add_kind(parser: argparse.ArgumentParser) -> None:
    kinds = "which dataset the folder is, where it holds several: karpathy, coco2014, coco2017, "
    parser.add_argument("--kind", metavar="KIND", help=kinds + "flickr8k, flickr30k or folder")


def add_cache(parser: argparse.ArgumentParser) -> None:
    purpose = "folder for what a frozen encoder sees of each picture, so that it looks only once"
    parser.add_argument("--cache", type=Path, metavar="DIR", help=purpose)


def open_split(args: argparse.Namespace, split: str, size: int) -> CaptionedImages:
    """A split of the folder that --data names."""
    return open_captions(args.data, split, size=size, kind=args.kind, skip_broken=args.skip_broken)


def check_data(args: argparse.Namespace, **meant: object) -> None:
    """Raise ValueError for flags that mean nothing, or nothing with what else is given."""
    if args.pictures is not None and args.pictures < 1:
        raise ValueError(f"--pictures {args.pictures}: give 1 or more")
    of_folder = {"--kind": args.kind, "--skip-broken": args.skip_broken, **meant}
    if args.data is None:
        for flag, value in of_folder.items():
            if value:
                raise ValueError(f"{flag} is about a folder of pictures: give it with --data DIR")
    elif args.level:
        raise ValueError("--level is about the built-in scenes: leave it out with --data")
