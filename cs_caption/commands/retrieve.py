"""`python -m cs_caption retrieve SENTENCE...`: find pictures, and tell which word found what."""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from cs_caption.checkpoint import Trained, load_ranker
from cs_caption.commands.album import album_of_files, album_of_scenes
from cs_caption.commands.arguments import add_device, add_number
from cs_caption.commands.caption import check_page, has_seen, pictures_in
from cs_caption.commands.retrieved import Found, examples, find, tellings
from cs_caption.commands.retrieved_text import found_json, found_lines, telling_json, telling_lines
from cs_caption.data import Scenes
from cs_caption.data.scenes import LEVELS, SPLITS
from cs_caption.data.tokens import tokenise
from cs_caption.ranking import Sentences, check_known, encode_sentences
from cs_caption.ready_ranker import NAMES, folder_of
from cs_caption.viz.retrieval_page import Telling, write_retrieval

TOP, SCENES, EXAMPLES = 5, 1000, 8
TOLD = 4  # scenes whose top sentences are shown beside the examples
MOST = 15_000  # pictures: each with its regions and its truth 65 kB, so 1.3 GB at most
PAGE = Path("retrieval.html")
MOST_SHOWN = 1000  # pictures on a page: some 20 kB each


def add_arguments(parser: argparse.ArgumentParser) -> None:
    sentence = (
        "what to look for, in quotes; without any, examples: sentences that people wrote of the "
        "scenes themselves, and a page that marks the right pictures"
    )
    parser.add_argument("sentences", nargs="*", metavar="SENTENCE", help=sentence)
    add_number(parser, "--top", None, f"pictures shown for a sentence (default: {TOP})")
    page = f"write a page that shows what was found (default, for examples: {PAGE})"
    parser.add_argument("--page", type=Path, metavar="FILE.html", help=page)
    count = f"how many, where no sentence is given (default: {EXAMPLES})"
    add_number(parser, "--examples", None, count)
    add_searched(parser)
    model = f"folder of a ranking model; or {' or '.join(NAMES)}, which comes with the package"
    parser.add_argument(
        "--model", type=Path, default=Path(NAMES[0]), help=model + " (default: %(default)s)"
    )
    smooth = "what two neighbouring words gain by choosing the same region (default: 0)"
    parser.add_argument("--smooth", type=float, default=0.0, metavar="BETA", help=smooth)
    parser.add_argument("--json", action="store_true", help="one JSON object a line a sentence")
    add_device(parser)


def add_searched(parser: argparse.ArgumentParser) -> None:
    """Which pictures are searched."""
    files = "search picture files, or folders of them, not scenes; it comes after the sentences"
    parser.add_argument("--pictures", nargs="+", type=Path, metavar="PATH", help=files)
    add_number(parser, "--scenes", None, f"scenes that are searched (default: {SCENES:,})")
    parser.add_argument("--split", choices=tuple(SPLITS), help="of the scenes (default: val)")
    level = "of the scenes (default: the one that the model was trained on)"
    parser.add_argument("--level", choices=LEVELS, help=level)


def run(args: argparse.Namespace) -> int:
    sys.stdout.reconfigure(errors="replace")  # a terminal without ≈ and ✗ still has the words
    check(args)
    paths = pictures_in(args.pictures) if args.pictures else []
    check_numbers(args, len(paths))
    ranking = load(args)
    if not args.sentences:
        return show_examples(args, ranking)
    sentences = encode_sentences(ranking.vocabulary, args.sentences)
    check_known(ranking.vocabulary, sentences)
    say_unknown(sentences)
    album = (
        album_of_files(ranking, paths) if paths else album_of_scenes(ranking, scenes(args, ranking))
    )
    found = find(ranking, album, sentences, top=min(args.top, len(album)), beta=args.smooth)
    show(args, found, [], len(album))
    write_page(args, found, [], about(args, ranking, len(album), found))
    if paths and len(album) < len(paths):
        unread = len(paths) - len(album)
        print(f"{unread} of {len(paths)} pictures could not be read", file=sys.stderr)
        return 1
    return 0


def show_examples(args: argparse.Namespace, ranking: Trained) -> int:
    """The lecture's demo: sentences of the scenes themselves, and the other way round."""
    args.page = args.page or PAGE
    album = album_of_scenes(ranking, scenes(args, ranking))
    sentences, own = examples(ranking, album, args.examples)
    found = find(ranking, album, sentences, top=args.top, beta=args.smooth, own=own)
    told = tellings(ranking, album, own[:TOLD], top=args.top)
    show(args, found, told, len(album))
    write_page(args, found, told, about(args, ranking, len(album), found))
    return 0


# What can be said before any work.


def check(args: argparse.Namespace) -> None:
    """Raise ValueError for what cannot be, or means nothing with what else is given."""
    for sentence in args.sentences:
        if not tokenise(sentence):
            raise ValueError(f"{sentence!r} has no word in it: give a sentence to look for")
    if not 0 <= args.smooth < math.inf:
        raise ValueError(f"--smooth {args.smooth}: give 0 or more")
    if args.examples is not None and args.sentences:
        raise ValueError("--examples is for a call without a sentence: leave one of them out")
    if args.pictures:
        check_files(args)
    if args.page or not args.sentences:
        check_page("--page", args.page or PAGE)


def check_files(args: argparse.Namespace) -> None:
    """The same, where files are searched."""
    if not args.sentences:
        raise ValueError(
            "--pictures without a sentence: what should be looked for? First come the sentences, "
            "in quotes, then --pictures"
        )
    for flag in ("scenes", "split", "level"):
        if getattr(args, flag) is not None:
            raise ValueError(f"--{flag} is about the built-in scenes: leave it out with --pictures")


def check_numbers(args: argparse.Namespace, files: int) -> None:
    """Raise ValueError for numbers that cannot be; give those left out their defaults."""
    searched = files or (SCENES if args.scenes is None else args.scenes)
    if not 1 <= searched <= MOST:
        raise ValueError(f"{searched:,} pictures to search: give 1 to {MOST:,} at a time")
    for flag, default in (("top", TOP), ("examples", EXAMPLES)):
        given = getattr(args, flag)
        if given is None:
            setattr(args, flag, min(default, searched))
        elif not 1 <= given <= searched:
            raise ValueError(
                f"--{flag} {given}: give 1 to {searched:,}, as many pictures as are searched"
            )
    shown = args.top * (len(args.sentences) or args.examples)
    if shown > MOST_SHOWN and (args.page or not args.sentences):
        raise ValueError(f"a page shows {MOST_SHOWN:,} pictures at most, and these are {shown:,}")


# The model, and what it searches.


def load(args: argparse.Namespace) -> Trained:
    """The ranking model that --model names: a folder, or one that comes with the package."""
    ready = str(args.model) in NAMES and not args.model.exists()
    return load_ranker(folder_of(str(args.model)) if ready else args.model, args.device)


def say_unknown(sentences: Sentences) -> None:
    """Name the words that the model does not know."""
    for words in sentences.unknown:
        named = list(map(repr, dict.fromkeys(words)))
        if named:
            counts = "it counts" if len(named) == 1 else "they count"
            told = f"the model does not know {', '.join(named)}: {counts} as <UNK>"
            print(f"note: {told}", file=sys.stderr)


def scenes(args: argparse.Namespace, ranking: Trained) -> Scenes:
    level = args.level or ranking.info.get("level", "rich")
    return Scenes(args.split or "val", n=args.scenes or SCENES, level=level)


# What is shown.


def show(
    args: argparse.Namespace, found: Sequence[Found], told: Sequence[Telling], searched: int
) -> None:
    """Print what was found, for people or for programs."""
    if args.json:
        for record in [found_json(one, searched) for one in found] + list(map(telling_json, told)):
            print(json.dumps(record))
        return
    for one in found:
        print(*found_lines(one, searched), "", sep="\n")
    for one in told:
        print(*telling_lines(one), "", sep="\n")


def write_page(
    args: argparse.Namespace, found: Sequence[Found], told: Sequence[Telling], line: str
) -> None:
    """Write the page, where one is wanted, and say where it is; among lines of JSON, on stderr."""
    if args.page:
        write_retrieval(args.page, [one.query for one in found], told, line)
        print(f"The page to look at: {args.page}", file=sys.stderr if args.json else sys.stdout)


def about(args: argparse.Namespace, ranking: Trained, searched: int, found: Sequence[Found]) -> str:
    """What was searched, by what, and what could not be found, in a line."""
    pictures = "of your own" if args.pictures else f"drawn as {scenes(args, ranking)}"
    smooth = f"; neighbouring words gain {args.smooth:g} by sharing a region" if args.smooth else ""
    nowhere = [f"“{one.query.sentence}”" for one in found if one.fitting == 0]
    none = f" None of them fits {', '.join(nowhere)}." if nowhere else ""
    return (
        f"{searched:,} pictures {pictures}, ranked by the model {args.model}, which learnt from "
        f"{has_seen(ranking)}{smooth}.{none}"
    )
