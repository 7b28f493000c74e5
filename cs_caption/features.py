"""What a frozen encoder makes of each picture, computed once and kept on disk.

    <folder>/features.npy    float16 (N, L, C), mapped into memory when it is used
    <folder>/manifest.json   of what encoder and which pictures; written last

Until then progress.json stands in for the manifest: a run that was cut off goes on from there.
"""

import errno
import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cs_caption.data import CaptionedImages, Scenes
from cs_caption.files import whole_file
from cs_caption.models import Captioner
from cs_caption.training import say

FORMAT = 1
FEATURES, MANIFEST, PROGRESS = "features.npy", "manifest.json", "progress.json"
SAMPLE = 256  # pictures that stand for all where they lie in files
SAVE_SECONDS = 10.0

_REMEDY = "remove the folder, or choose another"

Data = CaptionedImages | Scenes
Report = Callable[[str], Any]


@dataclass(frozen=True, eq=False)
class Featured:
    """Captioned pictures whose `images` are features that an encoder made of them.

    `train`, `evaluate` and a captioner with that encoder, frozen, take it like the pictures;
    `featured[i]` is the data's own item, with its picture and, in a scene, its truth.

    Shapes: images float16 (N, L, C), mapped from a file and read-only.
    """

    images: np.ndarray
    data: Data

    @property
    def captions(self) -> Sequence[Sequence[str]]:
        return self.data.captions

    @property
    def ids(self) -> Sequence[str]:
        return self.data.ids

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Any:
        return self.data[index]

    def __iter__(self) -> Iterator:
        return iter(self.data)


def cache_features(
    model: Captioner,
    data: Data,
    folder: str | Path,
    *,
    batch: int = 64,
    report: Report | None = say,
) -> Featured:
    """Encode every picture of `data` with the model's frozen encoder, and keep the features.

    What is in `folder` already is used; what was begun there is gone on with.

    Raises: ValueError where the encoder is not frozen, or where `folder` holds features of another
    encoder or other pictures, saying what differs; OSError as `whole_file`.
    """
    folder, report = Path(folder), report or (lambda line: None)
    facts = _facts(model, data)
    if not (folder / MANIFEST).is_file():
        _encode_all(model, data, folder, facts, batch, report)
    return _open(folder, data, facts)


def open_features(folder: str | Path, model: Captioner, data: Data) -> Featured:
    """The features of `data` that `cache_features` kept in `folder`.

    Pictures in memory are compared whole, of pictures in files ids and a sample.

    Raises: FileNotFoundError where there are none, or not yet all; ValueError as `cache_features`.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        begun = (folder / PROGRESS).is_file()
        state = "is not finished" if begun else "holds no features"
        raise FileNotFoundError(
            f"{folder} {state} (no {MANIFEST}): cache_features(model, data, folder) makes them"
        )
    return _open(folder, data, _facts(model, data))


def _open(folder: Path, data: Data, facts: dict) -> Featured:
    _compare(folder, _read_json(folder / MANIFEST), facts)
    return Featured(_mapped(folder, facts, "r"), data)


def _encode_all(
    model: Captioner, data: Data, folder: Path, facts: dict, batch: int, report: Report
) -> None:
    done, features = _begin(folder, facts)
    report(f"encoding {len(data) - done:,} of {len(data):,} pictures once, for {folder}")
    training, saved = model.training, time.monotonic()
    model.eval()
    try:
        while done < len(data):
            made = _encode(model, data.images[done : done + batch])
            features[done : done + len(made)] = made
            done += len(made)
            if time.monotonic() - saved >= SAVE_SECONDS:
                _keep(folder, features, facts | {"done": done}, PROGRESS)
                report(f"encoded {done:,} of {len(data):,} pictures")
                saved = time.monotonic()
    finally:
        model.train(training)
        _keep(folder, features, facts | {"done": done}, PROGRESS)
    _keep(folder, features, facts, MANIFEST)
    (folder / PROGRESS).unlink()


@torch.no_grad()
def _encode(model: Captioner, images: np.ndarray) -> np.ndarray:
    made = model.encode(images).half()
    if not torch.isfinite(made).all():
        raise ValueError(
            "the encoder makes features that are no number, or above 65,504, float16's largest: "
            "look at its weights"
        )
    return made.cpu().numpy()


def _begin(folder: Path, facts: dict) -> tuple[int, np.memmap]:
    """How many pictures are done, and the features, those of the others still to be written."""
    if (folder / PROGRESS).is_file():
        progress = _read_json(folder / PROGRESS)
        _compare(folder, progress, facts)
        if progress["done"]:
            return progress["done"], _mapped(folder, facts, "r+")
    elif (folder / FEATURES).exists():
        raise ValueError(f"{folder / FEATURES} is there, but no {MANIFEST} says of what: {_REMEDY}")
    _check_room(folder, facts["shape"])
    _write_json(folder / PROGRESS, facts | {"done": 0})
    file, shape = folder / FEATURES, tuple(facts["shape"])
    return 0, np.lib.format.open_memmap(file, "w+", np.float16, shape)


def _check_room(folder: Path, shape: list[int]) -> None:
    """Mapped files are not told of a full disk in time: they die of it."""
    folder.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(folder).free, math.prod(shape) * 2
    if needed > free:
        raise OSError(
            errno.ENOSPC,
            f"the features of {shape[0]:,} pictures take {needed / 2**20:,.0f} MiB, and {folder} "
            f"has {free / 2**20:,.0f} free: choose another folder, fewer pictures, or "
            'features="pooled"',
        )


def _keep(folder: Path, features: np.memmap, facts: dict, name: str) -> None:
    """The features first, then the file that says that they are there."""
    features.flush()
    _write_json(folder / name, facts)


def _write_json(path: Path, facts: dict) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _mapped(folder: Path, facts: dict, mode: str) -> np.memmap:
    file, shape = folder / FEATURES, tuple(facts["shape"])
    try:
        features = np.lib.format.open_memmap(file, mode)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} is missing or damaged ({error}): {_REMEDY}") from error
    if features.shape != shape or features.dtype != np.float16:
        raise ValueError(
            f"{file} holds {features.dtype} {features.shape}: expected float16 {shape}; {_REMEDY}"
        )
    return features


def _read_json(path: Path) -> dict:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}): {_REMEDY}") from error


# What the features are of.


def _facts(model: Captioner, data: Data) -> dict:
    config = model.config
    if not (config.image and config.frozen):
        raise ValueError(
            "features can be kept of a frozen encoder alone: another learns, and would make others "
            "soon; build the model with frozen=True"
        )
    return {
        "format": FORMAT,
        "encoder": config.encoder,
        "features": config.features,
        "image_size": config.image_size,
        "weights": _weights_sum(model.encoder),
        "pictures": _pictures_sum(data),
        "shape": [len(data), model.encoder.cells, model.encoder.width],
        "versions": {name: version(name) for name in ("torch", "numpy")},
    }


def _compare(folder: Path, found: dict, facts: dict) -> None:
    """Refuse what other facts were written for; other versions make the same features."""
    for name, words in {
        "format": "another format",
        "encoder": "another encoder",
        "features": "other features",
        "image_size": "pictures of another size",
        "weights": "an encoder with other weights",
        "pictures": "other pictures",
        "shape": "another shape",
    }.items():
        if found.get(name) != facts[name]:
            raise ValueError(
                f"{folder} holds features of {words}: {name} is {_short(found.get(name))} there "
                f"and {_short(facts[name])} here; {_REMEDY}"
            )


def _short(value: Any) -> str:
    return f"{value[:12]}..." if isinstance(value, str) and len(value) > 24 else repr(value)


def _weights_sum(encoder: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in encoder.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy())
    return digest.hexdigest()


def _pictures_sum(data: Data) -> str:
    digest = hashlib.sha256(json.dumps(list(data.ids)).encode())
    step = 1 if isinstance(data.images, np.ndarray) else max(1, len(data) // SAMPLE)
    digest.update(np.ascontiguousarray(data.images[::step]))
    return digest.hexdigest()
