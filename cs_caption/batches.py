"""Captioned pictures as batches of numbers, in an order that depends on seed and step alone."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cs_caption.data.captioned import CaptionedImages
from cs_caption.data.scenes import Scenes
from cs_caption.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Examples:
    """Pictures as bytes, and all their captions as numbers.

    Shapes: images uint8 (N, H, W, 3); tokens int32 (number of captions, T), padded with <NULL>;
    first and count (N,): picture i has the captions first[i] to first[i] + count[i] - 1.
    """

    images: np.ndarray
    tokens: np.ndarray
    first: np.ndarray
    count: np.ndarray

    def __len__(self) -> int:
        return len(self.count)

    def fingerprint(self) -> str:
        """A hash of all captions and of about a thousand of the pictures."""
        some = self.images[:: max(1, len(self) // 1000)]
        digest = hashlib.sha256(np.ascontiguousarray(some))
        digest.update(np.ascontiguousarray(self.tokens))
        return digest.hexdigest()


class Batch(NamedTuple):
    """B pictures, M of their captions, and the place (M,) in the batch of each one's picture."""

    images: np.ndarray  # uint8 (B, H, W, 3)
    tokens: np.ndarray  # int32 (M, T)
    of: np.ndarray  # int64 (M,)


def encode_examples(
    data: CaptionedImages | Scenes, vocabulary: Vocabulary, max_len: int = 60
) -> Examples:
    """Encode every caption of `data`.

    Raises: ValueError where there is no picture, one has no caption, or a caption has more than
    `max_len` tokens, <START> and <END> included.
    """
    if len(data) == 0:
        raise ValueError("there are no pictures: data is empty")
    count = np.array([len(captions) for captions in data.captions])
    if not count.all():
        raise ValueError(f"picture {data.ids[int(count.argmin())]!r} has no caption")
    captions = [caption for some in data.captions for caption in some]
    tokens = vocabulary.encode_batch(captions).astype(np.int32)
    if tokens.shape[1] > max_len:
        longest = captions[int(_lengths(tokens).argmax())]
        raise ValueError(
            f"a caption has {tokens.shape[1]} tokens with <START> and <END>, more than max_len="
            f"{max_len}: shorten it or raise max_len; it begins {longest[:60]!r}"
        )
    return Examples(data.images, tokens, count.cumsum() - count, count)


def training_batches(
    examples: Examples, *, batch: int, captions: int, seed: int, step: int = 0
) -> Iterator[Batch]:
    """Without end, from `step` on: `batch` pictures, each with up to `captions` different captions.

    Pictures come in a random order an epoch, one epoch after the other. What a step holds depends
    on the arguments alone, not on the steps before it.
    """
    orders: dict[int, np.ndarray] = {}
    while True:
        places = np.arange(step * batch, (step + 1) * batch)
        epochs = np.unique(places // len(examples)).tolist()
        orders = {e: orders[e] if e in orders else _order(seed, e, len(examples)) for e in epochs}
        chosen = np.array(
            [orders[place // len(examples)][place % len(examples)] for place in places]
        )
        rows, of = _choose_captions(examples, chosen, captions, (seed, 1, step))
        yield Batch(examples.images[chosen], _trim(examples.tokens[rows]), of)
        step += 1


def batches_in_order(examples: Examples, batch: int) -> Iterator[Batch]:
    """Every picture once, with all its captions."""
    for start in range(0, len(examples), batch):
        chosen = slice(start, start + batch)
        count, first = examples.count[chosen], examples.first[start]
        tokens = examples.tokens[first : first + count.sum()]
        of = np.arange(len(count)).repeat(count)
        yield Batch(examples.images[chosen], _trim(tokens), of)


def _order(seed: int, epoch: int, pictures: int) -> np.ndarray:
    return np.random.default_rng((seed, 0, epoch)).permutation(pictures)


def _choose_captions(
    examples: Examples, chosen: np.ndarray, captions: int, seed: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `tokens`, and the place in the batch of the picture that each describes."""
    count = examples.count[chosen][:, None]
    keys = np.random.default_rng(seed).random((len(chosen), count.max()))
    keys[np.arange(keys.shape[1]) >= count] = 2.0  # a picture's missing captions are sorted last
    which = keys.argsort(axis=1)[:, :captions]
    rows = examples.first[chosen][:, None] + which
    of = np.arange(len(chosen))[:, None].repeat(which.shape[1], axis=1)
    return rows[which < count], of[which < count]


def _trim(tokens: np.ndarray) -> np.ndarray:
    return tokens[:, : _lengths(tokens).max()]


def _lengths(tokens: np.ndarray) -> np.ndarray:
    return (tokens != Vocabulary.NULL).sum(axis=1)
