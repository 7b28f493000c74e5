"""Many picture files that look like one array, each read when it is asked for."""

import operator
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from cs_caption.data.pictures import SIZE, read_picture

MOST_THREADS = 8


class PictureFiles:
    """N picture files as an array uint8 (N, size, size, 3) that takes no memory.

    An index, a slice, a list or array of indices or of booleans reads those pictures, as NumPy
    would pick them, by `read_picture` in several threads. `np.asarray` reads them all.

    Raises: what `read_picture` raises, at the time of reading; IndexError as NumPy.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, paths: Iterable[str | Path], size: int = SIZE):
        self.paths = [Path(path) for path in paths]
        self.size = size

    def __repr__(self) -> str:
        return f"PictureFiles({len(self):,} files, size={self.size})"

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self), self.size, self.size, 3)

    @property
    def nbytes(self) -> int:
        """What they take in memory once they are read."""
        return int(np.prod(self.shape))

    def __getitem__(self, chosen: Any) -> np.ndarray:
        places = np.arange(len(self))[chosen]
        if np.ndim(places) == 0:
            return read_picture(self.paths[operator.index(places)], self.size)
        images = np.empty((places.size, self.size, self.size, 3), np.uint8)
        read = (self.paths[place] for place in places.ravel().tolist())
        for image, picture in zip(images, in_threads(self._read, list(read)), strict=True):
            image[...] = picture
        return images.reshape(*places.shape, *images.shape[1:])

    def those(self, rows: slice) -> "PictureFiles":
        """Some of the files, not read yet."""
        return PictureFiles(self.paths[rows], self.size)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("the pictures lie in files: an array of them is always a copy")
        return self[:].astype(dtype or np.uint8, copy=False)

    def _read(self, path: Path) -> np.ndarray:
        return read_picture(path, self.size)


def in_threads(work: Callable, things: Sequence) -> Iterator:
    """Like `map`, by several threads at once: decoding a picture leaves the interpreter free."""
    threads = min(MOST_THREADS, _cores(), len(things))
    if threads < 2:
        yield from map(work, things)
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(work, things)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
