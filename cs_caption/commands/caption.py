"""`python -m cs_caption caption PICTURE...`: say what is in each picture."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from cs_caption.checkpoint import Trained
from cs_caption.commands.arguments import add_device, add_model, add_number, load_model
from cs_caption.data.listing import is_picture_name
from cs_caption.data.pictures import read_picture
from cs_caption.data.vocabulary import SPECIALS
from cs_caption.evaluation import Sentence, attention_of, decode, draw
from cs_caption.models.novelty import Novelty
from cs_caption.viz.explain_page import Explained, write_explanations

BATCH = 64
DOUBT = "and it knows no other words than those: do not trust the caption"
MOST_EXPLAINED = 100  # some 60 kB each where pictures are small, a megabyte for photographs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    files = "picture files, of any kind and size: PNG, JPEG, GIF, WebP, ...; or folders of them"
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help=files)
    add_model(parser)
    add_number(parser, "--beam", 5, "sentences kept at each step; 1 is greedy")
    add_number(parser, "--n-best", 1, "sentences shown a picture, with log-probabilities")
    add_number(parser, "--max-len", 30, "words of a sentence at most")
    add_search(parser)
    add_draws(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line a picture")
    page = "write a page that shows where the model looked as it said each word of its sentence"
    parser.add_argument("--explain", type=Path, metavar="FILE.html", help=page)
    add_device(parser)


def add_search(parser: argparse.ArgumentParser) -> None:
    """What beam search can be asked for beside its width."""
    add_number(parser, "--min-len", 0, "words of a sentence at least")
    penalty = "0 ranks sentences by log-probability, 1 by its mean a word (default: 0)"
    parser.add_argument("--length-penalty", type=float, default=0.0, metavar="X", help=penalty)
    add_number(parser, "--groups", 1, "groups of the beam that keep away from each other's words")
    apart = "log-probability that a word costs which another group says (default: 0.5)"
    parser.add_argument("--diversity", type=float, default=0.5, metavar="X", help=apart)
    word = "a word that has to be said; may be given several times"
    parser.add_argument("--require", action="append", default=[], metavar="WORD", help=word)


def add_draws(parser: argparse.ArgumentParser) -> None:
    """Drawing sentences at random instead."""
    sample = "draw --n-best sentences instead of searching for the most probable"
    parser.add_argument("--sample", action="store_true", help=sample)
    heat = "flattens (above 1) or sharpens what is drawn from (default: 1)"
    parser.add_argument("--temperature", type=float, default=1.0, metavar="X", help=heat)
    add_number(parser, "--top-k", None, "draw from the N most probable words alone")
    nucleus = "draw from the fewest words that hold this much probability"
    parser.add_argument("--top-p", type=float, metavar="X", help=nucleus)
    add_number(parser, "--seed", 0, "of the draws")


def run(args: argparse.Namespace) -> int:
    if args.n_best < 1 or (args.n_best > args.beam and not args.sample):
        raise ValueError(f"--n-best {args.n_best}: give 1 to {args.beam}, the width of the beam")
    if args.sample and (args.require or args.groups > 1 or args.min_len or args.length_penalty):
        raise ValueError(
            "--sample draws and does not search: leave out --require, --groups, --min-len and "
            "--length-penalty"
        )
    trained = load_model(args)
    required = word_numbers(trained, args.require)
    paths = pictures_in(args.pictures)
    if args.explain:
        check_explain(args.explain, trained, len(paths))
    read, failed = read_all(paths, trained.model.config.image_size)
    explained = []
    for start in range(0, len(read), BATCH):
        explained += caption_batch(trained, read[start : start + BATCH], args, required)
    if explained:
        write_page(args, trained, explained)
    if failed and read:
        print(f"{failed} of {len(paths)} pictures could not be read", file=sys.stderr)
    return 0 if not failed else (1 if read else 2)


def check_explain(path: Path, trained: Trained, pictures: int) -> None:
    """Raise ValueError where no page can be written, before any work."""
    if not trained.model.looks:
        raise ValueError(
            "--explain shows where a model looks, and this one has no attention: give another "
            "--model (rich has it), or train one without --no-attention, --inject, "
            "--features pooled"
        )
    if pictures > MOST_EXPLAINED:
        raise ValueError(
            f"--explain writes one page, of {MOST_EXPLAINED} pictures at most: {pictures:,} are "
            "too many"
        )
    check_page("--explain", path)


def check_page(flag: str, path: Path) -> None:
    """Raise ValueError for what cannot be the name of a page; `flag` is what asked for it."""
    if path.is_dir():
        raise ValueError(f"{flag} {path} is a folder: give the name of a file, as page.html")
    if not path.parent.is_dir():
        raise ValueError(f"{flag} {path}: there is no folder {path.parent}; make it first")
    if is_picture_name(path.name):
        raise ValueError(
            f"{flag} {path} is named like a picture: first comes the page to write, as "
            "page.html, then the pictures"
        )


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


def word_numbers(trained: Trained, words: list[str]) -> list[int]:
    """The numbers of words that have to be said.

    Raises: ValueError for a word that the captioner does not know.
    """
    known = {word: number for number, word in enumerate(trained.vocabulary.words)}
    for word in words:
        if word not in known or word in SPECIALS:
            raise ValueError(f"--require {word}: the captioner does not know this word")
    return [known[word] for word in words]


def caption_batch(
    trained: Trained,
    batch: list[tuple[Path, np.ndarray]],
    args: argparse.Namespace,
    required: list[int],
) -> list[Explained]:
    """Say what is in some pictures; with --explain, return what its page shows of them."""
    images = np.stack([image for _, image in batch])
    unlike = is_unlike(trained, images)
    spoken = [s[: args.n_best] for s in speak(trained, images, args, required)]
    for (path, _), sentences, odd in zip(batch, spoken, unlike, strict=True):
        show = print_json if args.json else print_plain
        show(path, sentences, bool(odd), has_seen(trained))
    return explain(trained, batch, images, spoken, unlike) if args.explain else []


def explain(
    trained: Trained,
    batch: list[tuple[Path, np.ndarray]],
    images: np.ndarray,
    spoken: list[tuple[Sentence, ...]],
    unlike: np.ndarray,
) -> list[Explained]:
    """The pictures with their sentences and where the model looked for the first of each."""
    maps = attention_of(trained, images, [sentences[0].text for sentences in spoken])
    odd = f"This picture is unlike what the model was trained on ({has_seen(trained)}), {DOUBT}."
    return [
        Explained(str(path), image, sentences, weights, odd if strange else "")
        for (path, image), sentences, weights, strange in zip(
            batch, spoken, maps, unlike, strict=True
        )
    ]


def write_page(args: argparse.Namespace, trained: Trained, explained: list[Explained]) -> None:
    """Write the page and say where it is; among lines of JSON, on stderr."""
    how = "drawn at random" if args.sample else f"found by a beam of {args.beam}"
    about = (
        f"Sentences {how}, by the captioner {args.model}, which learnt from {has_seen(trained)}."
    )
    write_explanations(args.explain, explained, about)
    where = sys.stderr if args.json else sys.stdout
    print(f"The page to look at: {args.explain}", file=where)


def speak(
    trained: Trained, images: np.ndarray, args: argparse.Namespace, required: list[int]
) -> list[tuple[Sentence, ...]]:
    """Sentences of each picture, searched for or drawn."""
    if args.sample:
        how = {"temperature": args.temperature, "top_k": args.top_k, "top_p": args.top_p}
        times = {"times": args.n_best, "max_len": args.max_len, "seed": args.seed}
        return draw(trained, images, **times, **how)
    return decode(
        trained,
        images,
        beam=args.beam,
        max_len=args.max_len,
        length_penalty=args.length_penalty,
        min_len=args.min_len,
        groups=args.groups,
        diversity=args.diversity,
        required=required or None,
    )


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
        print(f"        {DOUBT}")
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
