"""Word vectors learnt from captions alone: skip-gram with negative sampling."""

import time
from collections.abc import Callable, Iterable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cs_caption.data.vocabulary import Vocabulary, each_caption

CAPTIONS = 128  # a step
RATE = 0.01
SMOOTHED = 0.75  # negatives are drawn by how often a word was seen, raised to this
SILENT = 10.0  # seconds between two lines of the report


def skip_gram(
    captions: Iterable,
    vocabulary: Vocabulary,
    *,
    dim: int = 64,
    window: int = 4,
    negatives: int = 5,
    epochs: int = 5,
    seed: int = 0,
    report: Callable[[str], object] | None = print,
) -> np.ndarray:
    """Vectors with which a word tells the words around it from words drawn at random.

    captions: strings, or lists of strings as `Scenes.captions` has them. Each word is to tell its
    neighbours, at most `window` places away and the near ones more often, from `negatives` words
    that are drawn for the caption. Words that do not occur, the four special ones among them, have
    rows of 0. torch's own random state is left as it was.

    Shapes: float32 (V, dim).
    Raises: ValueError for a setting below 1, or where no caption has two words next to each other.
    Source: Mikolov et al. 2013, "Distributed representations of words and phrases and their
    compositionality", equation 4 and section 2.2; windows that are shortened at random are those
    of the authors' word2vec.c. Adam takes the place of its plain gradient steps.
    """
    for name, value in (("dim", dim), ("window", window), ("negatives", negatives)):
        _check_whole(name, value)
    _check_whole("epochs", epochs)
    rows = _numbered(captions, vocabulary)
    counts = torch.bincount(rows.flatten(), minlength=len(vocabulary)).double()
    counts[: vocabulary.UNK + 1] = 0
    generator = torch.Generator().manual_seed(seed)
    inner, outer = _beginning(len(vocabulary), dim, generator)
    solver, said = torch.optim.Adam([inner, outer], lr=RATE), _Progress(epochs * len(rows), report)
    for _ in range(epochs):
        for part in rows[torch.randperm(len(rows), generator=generator)].split(CAPTIONS):
            drawn = _negatives(counts, (len(part), negatives), generator)
            loss = _loss(inner, outer, part, *_pairs(part, window, generator), drawn)
            solver.zero_grad(set_to_none=True)
            loss.backward()
            solver.step()
            said.tell(len(part), loss)
    return (inner.detach() * (counts > 0)[:, None]).numpy()


def _check_whole(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} is {value!r}: expected a whole number of 1 or more")


def _numbered(captions: Iterable, vocabulary: Vocabulary) -> Tensor:
    """The words of each caption, the special ones made <NULL>: (captions, T)."""
    rows = vocabulary.encode_batch(list(each_caption(captions)))
    rows = np.where(rows > vocabulary.UNK, rows, vocabulary.NULL)
    words = rows != vocabulary.NULL
    rows = rows[(words[:, 1:] & words[:, :-1]).any(axis=1)]  # of the others there is no pair
    if not len(rows):
        raise ValueError(
            "no caption has two known words next to each other: give captions with words of this "
            "vocabulary"
        )
    return torch.from_numpy(rows)


def _beginning(words: int, dim: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The vectors of words as centres, small, and as neighbours, zero: as word2vec.c has them."""
    inner = (torch.rand(words, dim, generator=generator) - 0.5) / dim
    return inner.requires_grad_(), torch.zeros(words, dim, requires_grad=True)


def _pairs(rows: Tensor, window: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each place with the words in its window, which is drawn anew for each: from 1 up.

    Shapes: rows (n, T); places, counted through all rows, and words: (P,) each.
    """
    words = rows != Vocabulary.NULL
    reach = torch.randint(1, window + 1, rows.shape, generator=generator) * words
    places = torch.arange(rows.numel()).view(rows.shape)
    centres, contexts = [], []
    for apart in range(1, min(window, rows.shape[1] - 1) + 1):
        left, right = slice(None, -apart), slice(apart, None)
        for at, other in ((left, right), (right, left)):
            near = (reach[:, at] >= apart) & words[:, other]
            centres.append(places[:, at][near])
            contexts.append(rows[:, other][near])
    return torch.cat(centres), torch.cat(contexts)


def _negatives(counts: Tensor, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    drawn = torch.multinomial(counts**SMOOTHED, shape[0] * shape[1], True, generator=generator)
    return drawn.view(shape)


def _loss(
    inner: Tensor, outer: Tensor, rows: Tensor, centres: Tensor, contexts: Tensor, drawn: Tensor
) -> Tensor:
    """Nats a pair. A caption's words share what is drawn (n, K): it counts for each neighbour."""
    vectors = F.embedding(rows, inner)  # (n, T, dim)
    true = (vectors.flatten(0, 1)[centres] * F.embedding(contexts, outer)).sum(dim=1)
    false = vectors @ F.embedding(drawn, outer).mT  # (n, T, K)
    neighbours = torch.bincount(centres, minlength=rows.numel()).float()
    wrong = neighbours @ F.softplus(false).sum(dim=2).flatten()
    return (F.softplus(-true).sum() + wrong) / len(centres)


class _Progress:
    """How far the training is, said every so often."""

    def __init__(self, captions: int, report: Callable[[str], object] | None):
        self.captions, self.report = captions, report or (lambda line: None)
        self.done, self.losses = 0, []
        self.start = self.told = time.perf_counter()

    def tell(self, captions: int, loss: Tensor) -> None:
        """Count captions that are done."""
        self.done += captions
        self.losses.append(loss.item())
        now = time.perf_counter()
        if now - self.told > SILENT or self.done == self.captions:
            mean, seconds = sum(self.losses) / len(self.losses), now - self.start
            self.report(
                f"word vectors: {self.done:,} of {self.captions:,} captions, loss {mean:.3f} nats "
                f"a pair, {seconds:.0f} s"
            )
            self.told, self.losses = now, []
