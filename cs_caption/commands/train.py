"""`python -m cs_caption train`: train a captioner, or a ranker, on the scenes or on a folder."""

import argparse
from pathlib import Path

from cs_caption.commands.arguments import (
    add_cache,
    add_data,
    add_device,
    add_number,
    check_data,
    open_split,
)
from cs_caption.data.listing import LONGEST
from cs_caption.data.pictures import SIZE
from cs_caption.data.scenes import LEVELS, SPLITS
from cs_caption.models.config import CELLS, ENCODERS, FEATURES, INJECTIONS, LOOKING
from cs_caption.pipeline import (
    Material,
    folder_material,
    scenes_material,
    train_captioner,
    train_ranker,
)
from cs_caption.training import CONTRASTS, OPTIMIZERS, PRECISIONS, TrainConfig

RARE = {"simple": 1, "rich": 5, None: 5}  # least count of a word; None: a folder
PHOTO_SIZE = 224  # what torchvision's networks were trained on
SPOKEN = (  # what is about captioners alone
    *("no_attention", "cell", "inject", "vectors", "sampled"),
    *("looking", "gated", "doubly_stochastic", "reward", "entropy"),
)
RANKED = ("contrast", "margin", "joint")  # and about rankers alone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    recipe = TrainConfig()
    folder = "folder for checkpoints and the model (default: %(default)s); a run that was "
    rare = "words said less often become <UNK> (default: 1 for simple scenes, else 5)"
    out = Path("runs/train")
    parser.add_argument("--out", type=Path, default=out, help=folder + "interrupted there goes on")
    parser.add_argument("--level", choices=LEVELS, help="level of the scenes (default: simple)")
    add_data(parser)
    pictures = f"pictures to train on (default: {SPLITS['train']} scenes, or the folder's all)"
    add_number(parser, "--pictures", None, pictures)
    add_number(parser, "--min-count", None, rare)
    add_number(parser, "--steps", recipe.steps, "steps of the optimiser")
    add_number(parser, "--batch", recipe.batch, "pictures a step")
    several = f"captions of each picture a step (default: {recipe.captions}; 1 with --ranking)"
    add_number(parser, "--captions", None, several)
    add_number(parser, "--sampled", recipe.sampled, "words drawn for the softmax; 0: all of them")
    add_number(parser, "--seed", recipe.seed, "seed of weights, order and dropout")
    highest = "highest learning rate (default: %(default)s)"
    parser.add_argument("--lr", type=float, default=recipe.lr, help=highest)
    slower = "highest rate of the encoder's weights (default: as --lr)"
    parser.add_argument("--encoder-lr", type=float, metavar="LR", help=slower)
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default=recipe.optimizer)
    parser.add_argument("--precision", choices=PRECISIONS, default=recipe.precision)
    add_model_shape(parser)
    add_looking(parser)
    add_ranking(parser)
    add_device(parser)
    parser.set_defaults(usual={name: parser.get_default(name) for name in SPOKEN + RANKED})


def add_model_shape(parser: argparse.ArgumentParser) -> None:
    once = "show the picture once, as the first state; also with --inject and --features pooled"
    enters = "where the picture enters, without attention: first state, first word, beside every "
    pretrained = "'scenes' (of the convnet), 'imagenet' (of the others), or a .pth or .safetensors"
    vectors = "text file of word vectors, word2vec's or GloVe's, that the words begin with"
    size = f"pixels a side that pictures are brought to (default: {SIZE}, or {PHOTO_SIZE} for "
    parser.add_argument("--no-attention", action="store_true", help=once)
    parser.add_argument("--cell", choices=CELLS, default="lstm", help="(default: %(default)s)")
    parser.add_argument("--inject", choices=INJECTIONS, help=enters + "word, or output layer")
    parser.add_argument("--encoder", choices=tuple(ENCODERS), default="convnet")
    parser.add_argument("--weights", metavar="SOURCE", help="the encoder's: " + pretrained)
    kinds = "a grid to attend to, or one vector a picture (default: grid)"
    parser.add_argument("--features", choices=FEATURES, default="grid", help=kinds)
    parser.add_argument("--freeze", action="store_true", help="leave the encoder as it is")
    add_cache(parser)
    parser.add_argument("--vectors", type=Path, metavar="FILE", help=vectors)
    add_number(parser, "--size", None, size + "a torchvision encoder with --data)")


def add_looking(parser: argparse.ArgumentParser) -> None:
    """How a model with attention looks, and how it is taught to."""
    recipe = TrainConfig()
    one = "a blend of all cells for each word, or one cell, drawn and taught by its reward "
    parser.add_argument("--looking", choices=LOOKING, default="soft", help=one + "(default: soft)")
    parser.add_argument("--gated", action="store_true", help="weigh what is seen, word by word")
    weights = {
        "doubly-stochastic": "of the charge for cells that a caption does not look at",
        "reward": "of the rewards of hard looks",
        "entropy": "of the entropy of hard looks",
    }
    for name, about in weights.items():
        default, told = getattr(recipe, name.replace("-", "_")), "weight " + about
        told += " (default: %(default)s)"
        parser.add_argument(f"--{name}", type=float, default=default, metavar="X", help=told)


def add_ranking(parser: argparse.ArgumentParser) -> None:
    """A model that ranks pictures and sentences, instead of one that speaks."""
    recipe = TrainConfig()
    kind = "train a model that finds pictures for sentences, for `retrieve`, not a captioner"
    charged = "which wrong pairs it is charged for (default: margin)"
    above = "how far a right pair should score above a wrong one (default: %(default)s)"
    parser.add_argument("--ranking", action="store_true", help=kind)
    parser.add_argument("--contrast", choices=CONTRASTS, default=recipe.contrast, help=charged)
    parser.add_argument("--margin", type=float, default=recipe.margin, metavar="X", help=above)
    add_number(parser, "--joint", 64, "numbers in the vector of a region or a word")


def check_kind(args: argparse.Namespace) -> None:
    """Raise ValueError for a flag that means nothing to the kind of model that is asked for."""
    names, kind = (SPOKEN, "captioners") if args.ranking else (RANKED, "rankers")
    for name in names:
        if getattr(args, name) != args.usual[name]:
            flag, other = f"--{name.replace('_', '-')}", "without" if args.ranking else "with"
            raise ValueError(
                f"{flag} is about {kind} alone: leave it out, or train {other} --ranking"
            )


def run(args: argparse.Namespace) -> int:
    check_kind(args)
    check_data(args, **{"--size": args.size})
    if args.freeze and not args.weights:
        raise ValueError("--freeze would keep random weights: say by --weights which are meant")
    if args.cache and not args.freeze:
        raise ValueError("--cache keeps what a frozen encoder sees: give --freeze with it")
    config, material = train_config(args), material_of(args)
    shared = {
        "min_count": args.min_count or RARE[material.level],
        "weights": args.weights,
        "cache": args.cache,
        "image_size": size_of(args),
        "encoder": args.encoder,
        "features": args.features,
        "frozen": args.freeze,
    }
    if args.ranking:
        train_ranker(args.out, material, config, joint=args.joint, **shared)
        print(f"Done. The model: {args.out / 'model'}")
        print(f'Try it: python -m cs_caption retrieve "a red star" --model {args.out}')
        return 0
    train_captioner(
        args.out,
        material,
        config,
        vectors=args.vectors,
        attention=not (args.no_attention or args.inject or args.features == "pooled"),
        cell=args.cell,
        inject=args.inject or "init",
        looking=args.looking,
        gated=args.gated,
        **shared,
    )
    print(f"Done. The model: {args.out / 'model'}")
    print(f"Try it: python -m cs_caption caption PICTURE --model {args.out}")
    return 0


def train_config(args: argparse.Namespace) -> TrainConfig:
    return TrainConfig(
        steps=args.steps,
        batch=args.batch,
        captions=captions_of(args),
        optimizer=args.optimizer,
        lr=args.lr,
        encoder_lr=args.encoder_lr,
        sampled=args.sampled,
        doubly_stochastic=args.doubly_stochastic,
        reward=args.reward,
        entropy=args.entropy,
        contrast=args.contrast,
        margin=args.margin,
        warmup=min(TrainConfig().warmup, args.steps // 2),
        seed=args.seed,
        max_len=LONGEST + 2 if args.data else TrainConfig().max_len,
        precision=args.precision,
        device=args.device,
    )


def captions_of(args: argparse.Namespace) -> int:
    """Captions of each picture a step: a ranker's are held against all pictures of the step."""
    usual = 1 if args.ranking else TrainConfig().captions
    return usual if args.captions is None else args.captions


def size_of(args: argparse.Namespace) -> int:
    """Pixels a side of the pictures."""
    usual = PHOTO_SIZE if args.data and args.encoder != "convnet" else SIZE
    return usual if args.size is None else args.size


def material_of(args: argparse.Namespace) -> Material:
    if args.data is None:
        pictures = SPLITS["train"] if args.pictures is None else args.pictures
        return scenes_material(args.level or "simple", pictures)
    size = size_of(args)
    name = args.data.resolve().name
    return folder_material(lambda split: open_split(args, split, size), name, args.pictures)
