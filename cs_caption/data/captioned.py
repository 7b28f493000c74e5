"""Pictures with their captions, wherever they come from."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cs_caption.data.photos import PictureFiles


class Captioned(NamedTuple):
    """One picture, uint8 (H, W, 3), its captions and its name."""

    image: np.ndarray
    captions: tuple[str, ...]
    id: str


@dataclass(frozen=True, eq=False)
class CaptionedImages:
    """N pictures of one size with their captions; training and evaluation take it like `Scenes`.

    Captions are tokenised: lower case words joined by single blanks. `ids` default to "0", "1", ...

    Shapes: images uint8 (N, H, W, 3), in memory or in files; captions: N lists of one or more
    strings; ids: N strings.
    Raises: TypeError or ValueError where these do not fit together.
    """

    images: np.ndarray | PictureFiles
    captions: Sequence[Sequence[str]]
    ids: Sequence[str] | None = None

    def __post_init__(self):
        _check_images(self.images)
        if self.ids is None:
            object.__setattr__(self, "ids", [str(index) for index in range(len(self.images))])
        for name in ("captions", "ids"):
            if len(getattr(self, name)) != len(self.images):
                raise ValueError(
                    f"there are {len(self.images)} images but {len(getattr(self, name))} {name}"
                )
        _check_captions(self.captions)
        _check_ids(self.ids)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Captioned:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"picture {position} of {len(self)}: ask for 0 to {len(self) - 1}")
        return Captioned(self.images[position], tuple(self.captions[position]), self.ids[position])


def _check_images(images: np.ndarray | PictureFiles) -> None:
    if not isinstance(images, np.ndarray | PictureFiles) or images.dtype != np.uint8:
        kind = getattr(images, "dtype", type(images).__name__)
        raise TypeError(f"images should be a NumPy array of uint8 (0 to 255), got {kind}")
    if images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"images should have shape (N, H, W, 3), got {images.shape}")


def _check_captions(captions: Sequence[Sequence[str]]) -> None:
    for index, some in enumerate(captions):
        if isinstance(some, str):
            raise TypeError(f"captions[{index}] is one string: put a picture's captions in a list")
        if not some:
            raise ValueError(f"captions[{index}] is empty: each picture needs at least one")
        for caption in some:
            if not isinstance(caption, str):
                raise TypeError(f"captions[{index}] holds {caption!r}, which is no string")


def _check_ids(ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if not isinstance(name, str):
            raise TypeError(f"ids should be strings, got {name!r}")
        if name in seen:
            raise ValueError(f"the id {name!r} is given to two pictures")
        seen.add(name)
