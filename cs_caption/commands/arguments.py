"""Arguments that several commands take."""

import argparse
from pathlib import Path

from cs_caption.device import KINDS


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
    purpose = "folder of a trained captioner (default: %(default)s, which `make demo` writes)"
    parser.add_argument("--model", type=Path, default=Path("runs/demo"), help=purpose)
