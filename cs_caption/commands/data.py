"""`python -m cs_caption data DIR`: what is in a folder of captioned pictures, and what is wrong."""

import argparse
from pathlib import Path

from cs_caption.commands.arguments import add_kind
from cs_caption.data import check_captions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    folder = "COCO, Flickr8k, Flickr30k, Karpathy's splits, or pictures with a captions.csv"
    parser.add_argument("folder", type=Path, metavar="DIR", help=folder)
    add_kind(parser)
    quick = "read only the headers of the pictures: quick, and blind to what is cut off"
    parser.add_argument("--quick", action="store_true", help=quick)


def run(args: argparse.Namespace) -> int:
    found = check_captions(args.folder, kind=args.kind, whole=not args.quick, report=print)
    print(found)
    if found.ok:
        print(f"Next: python -m cs_caption train --data {args.folder}")
        return 0
    print("mend this, or train without what is broken: --skip-broken")
    return 1
