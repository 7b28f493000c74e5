"""`python -m cs_caption check SUBMISSION.ipynb`: will it be graded as you think?"""

import argparse
from pathlib import Path

from cs_caption.submission.summary import as_text, examine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "the notebook that you are about to send; it is read as last saved, and nothing is run"
    parser.add_argument("submission", type=Path, metavar="SUBMISSION.ipynb", help=what)


def run(args: argparse.Namespace) -> int:
    submission = examine(args.submission)
    print(as_text(submission))
    return 1 if submission.to_mend else 0
