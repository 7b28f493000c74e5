"""The command line: python -m cs_caption demo | train | caption | evaluate | data | ..."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import cs_caption

COMMANDS = {
    "demo": "train the captioner on the built-in scenes, measure it, write a page to look at",
    "train": "train a captioner, or a model that ranks pictures and sentences",
    "caption": "say what is in a picture, or in many",
    "retrieve": "find pictures for a sentence, and show which word belongs to which part",
    "evaluate": "measure a trained model on held-out pictures",
    "data": "tell what is in a folder of captioned pictures, and what is wrong with it",
    "check": "tell whether a notebook will be graded as you think, before you send it",
    "doctor": "tell whether this machine is ready, and what mends it if not",
}
EXIT_CODES = """\
exit codes:
  0  everything asked for was done
  1  done in part, a bar was missed, or there is something to mend: the output says what
  2  nothing was done: an argument, a file or the machine is not as needed
  130  interrupted by Ctrl-C; what was saved before stays"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Before torch is imported: its threads wait for each other by spinning, which makes a step ten
    # times slower where another process wants the same cores; this ends the spinning early.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # Progress is for watching, also through a pipe or a log file.
    sys.stdout.reconfigure(line_buffering=True)
    asked = list(sys.argv[1:] if arguments is None else arguments)
    args = build_parser(asked).parse_args(asked)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("\nInterrupted. What was saved before stays.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: nothing left to say it to.
        sys.stderr.close()
        return 1
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {describe(error)}", file=sys.stderr)
        return 2


def build_parser(asked: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cs_caption",
        description="Image captioning from scratch. Start with: python -m cs_caption demo",
        epilog=EXIT_CODES + "\n\nEach command explains itself: python -m cs_caption COMMAND --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=cs_caption.__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=purpose,
            description=purpose[0].upper() + purpose[1:] + ".",
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # Only the module of the command asked for is imported: `doctor` works without torch.
        if name in asked:
            module = importlib.import_module(f"cs_caption.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def describe(error: Exception) -> str:
    """The error in one line: its own words, with the file's name where Python keeps it apart."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"the package {error.name!r} is not installed; "
            "`python -m cs_caption doctor` says what mends it"
        )
    if isinstance(error, OSError) and error.strerror:
        return error.strerror + (f": {error.filename}" if error.filename else "")
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
