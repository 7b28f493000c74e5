"""From captioned pictures to a saved captioner or ranker, for commands and studies alike."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import Module

from cs_caption.checkpoint import Trained, load_captioner, load_ranker, save_captioner
from cs_caption.data import CaptionedImages, Scenes, Vocabulary
from cs_caption.data.opening import NoSuchSplit
from cs_caption.data.photos import PictureFiles
from cs_caption.data.vectors import read_vectors
from cs_caption.features import cache_features
from cs_caption.models import Captioner, CaptionerConfig, Ranker, RankerConfig
from cs_caption.models.novelty import Novelty
from cs_caption.models.weights import load_encoder_weights
from cs_caption.objectives import Model
from cs_caption.training import Data, TrainConfig, train

HELD_OUT = 500  # val pictures: enough to watch the loss and to set the novelty threshold
NOVELTY = 8000  # training pictures that novelty is learnt from, at most

Report = Callable[[str], Any]


@dataclass(frozen=True)
class Material:
    """Pictures to learn from and pictures to watch the loss on, and what both are in words.

    `level` is that of the built-in scenes, None for pictures from a folder.
    """

    train: Data
    held_out: Data
    about: str
    level: str | None = None


def scenes_material(level: str, pictures: int) -> Material:
    """The built-in scenes."""
    about = f"{pictures:,} {level} scenes"
    held_out = Scenes("val", n=HELD_OUT, level=level)
    return Material(Scenes("train", n=pictures, level=level), held_out, about, level)


def folder_material(
    open_split: Callable[[str], CaptionedImages], name: str, pictures: int | None = None
) -> Material:
    """A folder's train and val split; without val, the last tenth of train is held out.

    Raises: as `open_split`.
    """
    data = open_split("train")
    if pictures is not None:
        data = part(data, slice(pictures))
    try:
        held_out = part(open_split("val"), slice(HELD_OUT))
    except NoSuchSplit:
        cut = len(data) - min(HELD_OUT, max(1, len(data) // 10))
        held_out, data = part(data, slice(cut, None)), part(data, slice(cut))
    return Material(data, held_out, f"{len(data):,} pictures of {name}")


def train_captioner(
    out: Path,
    material: Material,
    config: TrainConfig,
    *,
    min_count: int = 1,
    weights: str | None = None,
    cache: Path | None = None,
    vectors: Path | None = None,
    report: Report = print,
    **shape,
) -> Trained:
    """Train, fit the novelty detector, save to `out`/model and return what a reader would load.

    `shape` are fields of CaptionerConfig. `weights` go into the encoder before training, `vectors`
    (a file of word vectors) into the words. With `cache`, a folder, a frozen encoder sees each
    picture once, and its features are kept there.

    Raises: ValueError for a cache of an encoder that learns, and as `train`, `read_vectors`,
    `load_encoder_weights` and `cache_features`.
    """
    _check_cache(cache, shape)
    report(f"gathering {material.about}")
    vocabulary = Vocabulary.build(material.train.captions, min_count=min_count)
    known = read_vectors(vectors, vocabulary.words) if vectors else None
    if known:
        shape = shape | {"word_dim": known.matrix.shape[1]}
    model = new_captioner(vocabulary, config.seed, weights, **shape)
    if known:
        model.init_words(*known)
        report(f"{vectors.name} has vectors of {known.found.sum():,} of {len(vocabulary):,} words")
    seen = _seen(model, material, cache, report)
    history = train(model, vocabulary, seen[0], config, folder=out, val=seen[1], report=report)
    info = _info(material, model, weights, history)
    extra = _novelty(model, material).tensors() if model.config.image else {}
    save_captioner(out / "model", model, vocabulary, info, extra=extra, replace=True)
    return load_captioner(out / "model", config.device)


def train_ranker(
    out: Path,
    material: Material,
    config: TrainConfig,
    *,
    min_count: int = 1,
    weights: str | Path | Module | None = None,
    cache: Path | None = None,
    report: Report = print,
    **shape,
) -> Trained:
    """As `train_captioner`, a ranking model: `shape` are fields of RankerConfig.

    `weights` may also be an encoder to begin with, as that of a captioner.
    """
    _check_cache(cache, shape)
    report(f"gathering {material.about}")
    vocabulary = Vocabulary.build(material.train.captions, min_count=min_count)
    model = new_ranker(vocabulary, config.seed, weights, **shape)
    seen = _seen(model, material, cache, report)
    history = train(model, vocabulary, seen[0], config, folder=out, val=seen[1], report=report)
    info = _info(material, model, weights, history)
    save_captioner(out / "model", model, vocabulary, info, replace=True)
    return load_ranker(out / "model", config.device)


def new_ranker(
    vocabulary: Vocabulary, seed: int, weights: str | Path | Module | None = None, **shape
) -> Ranker:
    """An untrained ranker whose first weights depend on `seed` alone.

    `shape` are fields of RankerConfig; `weights` ("scenes", "imagenet", a file, or an encoder) go
    into its encoder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Ranker(RankerConfig(len(vocabulary), **shape))
    if isinstance(weights, Module):
        model.encoder.load_state_dict(weights.state_dict())
    elif weights is not None:
        load_encoder_weights(model.encoder, weights)
    return model


def new_captioner(
    vocabulary: Vocabulary, seed: int, weights: str | Path | None = None, **shape
) -> Captioner:
    """An untrained captioner whose first weights depend on `seed` alone.

    `shape` are fields of CaptionerConfig; `weights` ("scenes", "imagenet" or a file) go into its
    encoder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Captioner(CaptionerConfig(len(vocabulary), **shape))
    if weights is not None:
        load_encoder_weights(model.encoder, weights)
    return model


def _check_cache(cache: Path | None, shape: dict) -> None:
    if cache and not shape.get("frozen"):
        raise ValueError("features can be cached of a frozen encoder alone: give frozen=True")


def _info(material: Material, model: Model, weights: Any, history: list[dict]) -> dict:
    info = {
        "data": material.about,
        "encoder": _schooling(model.config, weights),
        "steps": history[-1]["step"],
        "history": history,
    }
    return info | ({"level": material.level} if material.level else {})


def _seen(
    model: Model, material: Material, cache: Path | None, report: Report
) -> tuple[Data, Data]:
    """What the model learns from: pictures, or with a cache what its encoder sees in them."""
    if cache is None:
        return material.train, material.held_out
    parts = {"train": material.train, "held_out": material.held_out}
    return tuple(cache_features(model, data, cache / n, report=report) for n, data in parts.items())


def _novelty(model: Captioner, material: Material) -> Novelty:
    images = material.train.images
    some = slice(None, None, max(1, len(images) // NOVELTY))
    return Novelty.fit(model, _pick(images, some), material.held_out.images)


def _schooling(config: CaptionerConfig | RankerConfig, weights: str | Path | Module | None) -> str:
    """Where the encoder learnt to see, in words."""
    if not config.image:
        return "none: it never sees a picture"
    known = {
        None: "random" if config.frozen else "learnt to see from these pictures alone",
        "scenes": "learnt beforehand to name what is in the course's drawn scenes",
        "imagenet": "learnt beforehand to name what is in ImageNet's photographs",
    }
    words = "learnt beforehand, in a captioner"
    if not isinstance(weights, Module):
        words = known.get(weights) or f"learnt beforehand, from {Path(weights).name}"
    return words + (", frozen" if config.frozen else "")


def part(data: CaptionedImages, rows: slice) -> CaptionedImages:
    """Some of the pictures with their captions; what lies in files stays there."""
    return CaptionedImages(_pick(data.images, rows), data.captions[rows], data.ids[rows])


def _pick(images: Any, rows: slice) -> Any:
    return images.those(rows) if isinstance(images, PictureFiles) else images[rows]
