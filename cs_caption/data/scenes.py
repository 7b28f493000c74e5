"""Captioned pictures whose truth is known, made from a seed in seconds, with no network."""

import operator
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from cs_caption.data.annotators import caption_scene
from cs_caption.data.draws import Draw
from cs_caption.data.layout import Layout, simple_layout
from cs_caption.data.raster import SIZE, blend, coverage, full_mask, visible, whole_picture
from cs_caption.data.records import Background, Relation, Scene, SceneObject
from cs_caption.data.relations import relations
from cs_caption.data.rich_layout import hidden_by, rich_layout

__all__ = ["Background", "Relation", "Scene", "SceneObject", "Scenes"]

SPLITS = {"train": 8000, "val": 1000, "test": 1000, "compositional": 1000, "large": 100_000}
LEVELS = ("simple", "rich")


class Scenes:
    """Pictures of coloured shapes, each with five captions from a pool of twelve annotators.

    `Scenes("train")` holds 8,000 pictures, "val", "test" and "compositional" 1,000 each, "large"
    100,000; `n` asks for another number, and picture i is the same whatever `n`. Splits share no
    seed. Pairs of shape and colour are held out: each picture of "compositional" shows at least
    one, no other split shows any. Level "simple" has one or two objects on plain ground, "rich"
    one to four with patterns, continuous colours, contact and occlusion.

    `scenes[i]` makes that one `Scene` with its truth. `images`, `captions` and `ids` make all
    pictures once and keep them: 12 KiB a picture. The bits are the same on every machine.

    Shapes: images uint8 (n, 64, 64, 3); captions: n lists of 5 strings; ids: n strings.
    Raises: ValueError for an unknown split or level, n below 1 or a negative seed.
    """

    def __init__(self, split: str, n: int | None = None, level: str = "simple", seed: int = 0):
        if split not in SPLITS:
            raise ValueError(f"no split is called {split!r}: choose one of {', '.join(SPLITS)}")
        if level not in LEVELS:
            raise ValueError(f"no level is called {level!r}: choose one of {', '.join(LEVELS)}")
        self.split, self.level = split, level
        self.n = SPLITS[split] if n is None else _whole("n", n, least=1)
        self.seed = _whole("seed", seed, least=0)

    def __repr__(self) -> str:
        return f"Scenes({self.split!r}, n={self.n}, level={self.level!r}, seed={self.seed})"

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Scene:
        position = operator.index(index)
        if not -self.n <= position < self.n:
            raise IndexError(f"picture {position} of {self.n}: ask for 0 to {self.n - 1}")
        return self._scene(position % self.n, np.random.RandomState(0))

    def __iter__(self) -> Iterator[Scene]:
        state = np.random.RandomState(0)
        return (self._scene(index, state) for index in range(self.n))

    @property
    def images(self) -> np.ndarray:
        return self._all[0]

    @property
    def captions(self) -> list[list[str]]:
        return self._all[1]

    @cached_property
    def ids(self) -> list[str]:
        return [self._id(index) for index in range(self.n)]

    @cached_property
    def _all(self) -> tuple[np.ndarray, list[list[str]]]:
        images = np.empty((self.n, SIZE, SIZE, 3), dtype=np.uint8)
        captions = []
        for index, scene in enumerate(self):
            images[index] = scene.image
            captions.append(list(scene.captions))
        return images, captions

    def _id(self, index: int) -> str:
        return f"{self.level}-{self.split}-{self.seed}-{index:06d}"

    def _scene(self, index: int, state: np.random.RandomState) -> Scene:
        key = (LEVELS.index(self.level), list(SPLITS).index(self.split), self.seed, index)
        arrange = simple_layout if self.level == "simple" else rich_layout
        layout = arrange(Draw(*key, 0, state=state), self.split == "compositional")
        objects, overlaps = _seen(layout)
        facts = relations([o.box for o in objects], [o.mask for o in objects], overlaps)
        people, captions = caption_scene(
            self.level, objects, facts, layout.background, Draw(*key, 1, state=state)
        )
        return Scene(
            self._id(index), _paint(layout), captions, objects, facts, layout.background, people
        )


def _whole(name: str, value: int, least: int) -> int:
    number = operator.index(value)
    if not least <= number < 1 << 32:
        raise ValueError(f"{name} is {number}: give a whole number from {least} to {2**32 - 1}")
    return number


def _seen(layout: Layout) -> tuple[tuple[SceneObject, ...], frozenset[tuple[int, int]]]:
    """The objects with what can be seen of them, and which (back, front) pairs overlap."""
    stencils = [sketch.stencil for sketch in layout.sketches]
    objects = tuple(
        SceneObject(
            *(s.shape, s.colour, s.size, _box(mask), mask, s.fine, s.rgb),
            *(s.pattern, s.slant, s.second, s.pointing),
        )
        for s, mask in zip(layout.sketches, visible(stencils), strict=True)
    )
    return objects, hidden_by([full_mask(one) for one in stencils])


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    columns, rows = mask.any(axis=0).nonzero()[0], mask.any(axis=1).nonzero()[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _paint(layout: Layout) -> np.ndarray:
    canvas = np.empty((SIZE, SIZE, 3), dtype=np.uint8)
    canvas[:] = layout.background.rgb
    behind = layout.background
    if behind.pattern == "shaded":
        canvas[:] = _shaded(behind.rgb, behind.second_rgb)
    elif layout.marks is not None:
        blend(canvas, whole_picture().window, [(coverage(layout.marks), behind.second_rgb)])
    for sketch in layout.sketches:
        cover = sketch.stencil.cover
        layers = [(cover, sketch.rgb)]
        if sketch.marks is not None:
            marked = coverage(sketch.marks)
            layers = [(cover - marked, sketch.rgb), (marked, sketch.second_rgb)]
        blend(canvas, sketch.stencil.window, layers)
    return canvas


def _shaded(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> np.ndarray:
    """Rows that run from one colour to another, int64 (64, 1, 3)."""
    row = np.arange(SIZE, dtype=np.int64)[:, None, None]
    last = SIZE - 1
    return (np.array(top) * (last - row) + np.array(bottom) * row + last // 2) // last
