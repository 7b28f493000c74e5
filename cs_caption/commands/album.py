"""The pictures that `python -m cs_caption retrieve` searches: held-out scenes, or files."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cs_caption.checkpoint import Trained
from cs_caption.commands.caption import read_all
from cs_caption.data import Scenes
from cs_caption.data.records import Scene
from cs_caption.ranking import regions_of

BLOCK = 250  # pictures opened at once
PATIENCE = 500  # more pictures than so many take seconds: then say how far it is


class Seen(NamedTuple):
    """A picture uint8 (H, W, 3), its name, and its truth where that is known."""

    name: str
    image: np.ndarray
    scene: Scene | None = None


@dataclass(frozen=True, eq=False)
class Album:
    """N pictures, and the vectors of their regions, which are `window` cells wide.

    Shapes: regions (N, L, D).
    """

    pictures: list[Seen]
    regions: Tensor
    window: int

    def __len__(self) -> int:
        return len(self.pictures)


def album_of_scenes(ranking: Trained, scenes: Scenes) -> Album:
    """Draw the scenes and look at them."""
    drawn = (Seen(scene.id, scene.image, scene) for scene in scenes)
    return _look(ranking, iter(lambda: list(islice(drawn, BLOCK)), []), len(scenes))


def album_of_files(ranking: Trained, paths: Sequence[Path]) -> Album:
    """Read the pictures and look at them; those that cannot be read are said on stderr.

    Raises: ValueError where none can be read.
    """
    album = _look(ranking, _read(paths, ranking.model.config.image_size), len(paths))
    if not len(album):
        raise ValueError("no picture could be read, so there is nothing to search")
    return album


def _read(paths: Sequence[Path], size: int) -> Iterator[list[Seen]]:
    for start in range(0, len(paths), BLOCK):
        read, _ = read_all(list(paths[start : start + BLOCK]), size)
        yield [Seen(str(path), image) for path, image in read]


def _look(ranking: Trained, blocks: Iterator[list[Seen]], total: int) -> Album:
    pictures, regions = [], []
    for number, block in enumerate(blocks, start=1):
        if block:
            regions.append(regions_of(ranking, np.stack([seen.image for seen in block])))
            pictures += block
        if total > PATIENCE:
            done = min(number * BLOCK, total)
            print(f"looked at {done:,} of {total:,} pictures", file=sys.stderr)
    window = ranking.model.config.window
    return Album(pictures, torch.cat(regions) if regions else torch.empty(0), window)
