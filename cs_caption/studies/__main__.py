"""The command: python -m cs_caption.studies NAME [--seeds 3] [--jobs 2]."""

import os

if __name__ == "__main__":
    # Before torch is imported, which reads it then; a run takes one thread.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cs_caption.studies import NAMES
from cs_caption.studies.record import Record, path_of, save

DESCRIPTION = """\
Run a study whole, or go on where it was cut off: each run is kept as soon as it is done. The record
goes into the package, where the notebooks show it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the studies asked for and return 0, 2 where one failed, 130 after Ctrl-C."""
    sys.stdout.reconfigure(line_buffering=True)
    args = _arguments(arguments)
    try:
        for name in NAMES if args.name == ["all"] else args.name:
            _run(name, args)
    except KeyboardInterrupt:
        print(
            f"\nInterrupted. Runs that were done are kept in {args.out}: the same command goes on.",
            file=sys.stderr,
        )
        return 130
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cs_caption.studies", description=DESCRIPTION)
    known = (*NAMES, "all")
    parser.add_argument("name", nargs="+", choices=known, help=", ".join(known), metavar="NAME")
    parser.add_argument("--seeds", type=_count, default=3, help="seeds 0 to N - 1 (default 3)")
    parser.add_argument("--jobs", type=_count, default=2, help="runs at once (default 2)")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/studies"), help="where runs are kept (%(default)s)"
    )
    parser.add_argument(
        "--rehearse", action="store_true", help="a few steps each, and nothing is recorded"
    )
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of 1 or more")
    return int(text)


def _run(name: str, args: argparse.Namespace) -> None:
    from cs_caption.studies.running import run_all, study_of

    folder = args.out / (f"{name}_rehearsal" if args.rehearse else name)
    record = run_all(
        study_of(name),
        seeds=args.seeds,
        jobs=args.jobs,
        folder=folder,
        tiny=args.rehearse,
        report=print,
    )
    if args.rehearse:
        print(f"{name}: rehearsed, {len(record.runs)} runs; {path_of(name)} is as it was")
    else:
        print(f"{name}: {_minutes(record)} of the processor; written to {save(record)}")


def _minutes(record: Record) -> str:
    return f"{record.seconds / 60:.1f} min"


if __name__ == "__main__":
    sys.exit(main())
