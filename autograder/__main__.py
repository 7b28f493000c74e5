"""The instructor's command line: python -m autograder release | grade | report | export | ..."""

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "release": ("autograder.build", "make the notebooks from their texts"),
    "grade": ("autograder.grade", "grade a class: sandboxed, in parallel, resumable"),
    "report": ("autograder.report", "one page on how a class did, and what a person must look at"),
    "export": ("autograder.export", "write grades for Canvas, Moodle, Gradescope or as plain CSV"),
    "demo": ("autograder.demo", "release, hand in and grade three made-up submissions"),
    "mutants": ("autograder.zoo", "show which wrong answers the checks reject"),
    "measure": ("autograder.measure", "record the ranges that a notebook shows"),
    "cost": ("autograder.cost", "measure what each notebook takes, in time and memory"),
}
EXIT_CODES = """\
exit codes:
  0  everything asked for was done
  1  done in part: the output says what is missing, or what a person must look at
  2  nothing was done: an argument or a file is not as needed"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Progress is for watching, also through a pipe or a log file.
    sys.stdout.reconfigure(line_buffering=True)
    asked = list(sys.argv[1:] if arguments is None else arguments)
    args = build_parser(asked).parse_args(asked)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("\nInterrupted. What was written before stays.", file=sys.stderr)
        return 130
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def build_parser(asked: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m autograder",
        description="Make the notebooks, and grade what students hand in.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module_name, purpose) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=purpose,
            description=purpose[0].upper() + purpose[1:] + ".",
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in asked:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
