"""Which picture belongs to which sentence: regions and words as vectors in one space.

    v = ranker.regions(images)                 (N, L, D)
    s = ranker.words(tokens)                   (M, T, D)
    S = pair_scores(v, s, tokens != 0)         (N, M): the sum over the words of the best region's

Source: Karpathy and Fei-Fei 2015, Deep Visual-Semantic Alignments for Generating Image Descriptions
(arXiv:1412.2306), section 3.1.
"""

from dataclasses import asdict, dataclass
from math import isqrt

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cs_caption.data.vocabulary import Vocabulary
from cs_caption.models.config import ENCODERS, FEATURES, SPECIALS, WIDTHS, check_whole
from cs_caption.models.seeing import Images, build_encoder, see

CONTEXTS = ("both", "none")
SIZES = ("image_size", "word_dim", "hidden", "joint", "window")


@dataclass(frozen=True)
class RankerConfig:
    """The shape of a Ranker.

    A region is a cell of the encoder's grid, or with a `window` the square of so many cells around
    it, as far as the picture goes, whose features are their mean. `joint` is D, the length of the
    vectors of regions and words. With `context` "both" a word's vector depends on the words before
    and after it, by a recurrent network in each direction of width `hidden`; with "none" on the
    word alone, so that a sentence is a bag of words. In training a word is left out of the sum with
    probability `word_dropout`. The encoder's fields are those of CaptionerConfig; with
    features="pooled" a picture is one region.

    Raises: ValueError, naming the field, for a value that no model can have.
    """

    vocab_size: int
    image_size: int = 64
    channels: tuple[int, int, int] = (32, 64, 96)
    word_dim: int = 64
    hidden: int = 64
    joint: int = 64
    window: int = 1
    context: str = "both"
    word_dropout: float = 0.25
    encoder: str = "convnet"
    features: str = "grid"
    frozen: bool = False

    def __post_init__(self):
        object.__setattr__(self, "channels", tuple(self.channels))
        for name, known in {
            "context": CONTEXTS,
            "encoder": tuple(ENCODERS),
            "features": FEATURES,
        }.items():
            if getattr(self, name) not in known:
                wrong = getattr(self, name)
                raise ValueError(f"{name} is {wrong!r}: expected one of {', '.join(known)}")
        for name in SIZES:
            check_whole(name, getattr(self, name), 1)
        check_whole("vocab_size", self.vocab_size, SPECIALS + 1)
        if self.window % 2 == 0:
            raise ValueError(f"window is {self.window}: expected an odd number, as 1, 3 or 5")
        if not 0.0 <= self.word_dropout < 1.0:
            raise ValueError(
                f"word_dropout is {self.word_dropout}: expected at least 0 and less than 1"
            )
        if self.image_size % ENCODERS[self.encoder]:
            multiple = ENCODERS[self.encoder]
            raise ValueError(f"image_size is {self.image_size}: expected a multiple of {multiple}")

    @property
    def image(self) -> bool:
        """Whether it sees pictures, as each ranker does."""
        return True

    @property
    def width(self) -> int:
        """C, the numbers in each cell of the features."""
        if self.encoder == "convnet":
            return self.channels[-1]
        return WIDTHS[self.encoder][FEATURES.index(self.features)]

    def to_json(self) -> dict:
        return asdict(self) | {"channels": list(self.channels)}


class Ranker(nn.Module):
    """Pictures and sentences -> vectors of regions and of words, whose dot products are scores.

        v_i = Wv a_i + b                    a cell of the encoder's grid, or the mean of some
        f_t = relu(Wf w_t + Uf f_{t-1})     a word, and what comes before it; b_t: and after it
        s_t = Wd (f_t + b_t) + d

    The loss judges the sum alone: nothing keeps *square* from leaving its work to *red*, and from
    choosing any region. So in training some words are left out of the sum, and each has to find
    something by itself.

    Sentences have no <START> and no <END>; <NULL> is padding, and its vectors are 0.
    """

    def __init__(self, config: RankerConfig):
        super().__init__()
        self.config = config
        self.encoder = build_encoder(config)
        self.region = nn.Linear(config.width, config.joint)
        self.embedding = nn.Embedding(config.vocab_size, config.word_dim)
        nn.init.normal_(self.embedding.weight, std=0.1)  # 1, torch's own, is far above a cell's
        heard = config.word_dim
        if config.context == "both":
            heard = config.hidden
            self.around = nn.RNN(config.word_dim, heard, nonlinearity="relu", bidirectional=True)
        self.word = nn.Linear(heard, config.joint)
        self.train()

    def train(self, mode: bool = True) -> "Ranker":
        """As nn.Module's, but that a frozen encoder stays in eval mode."""
        super().train(mode)
        if self.config.frozen:
            self.encoder.eval()
        return self

    @property
    def device(self) -> torch.device:
        return self.word.weight.device

    def encode(self, images: Images) -> Tensor:
        """Pictures, or features of a frozen encoder, as `cs_caption.models.seeing.see` does."""
        return see(self.encoder, images, self.config, self.device)

    def regions(self, images: Images) -> Tensor:
        """uint8 pictures (N, H, W, 3), or a frozen encoder's features (N, L, C) -> v (N, L, D)."""
        return self.region(windows(self.encode(images), self.config.window))

    def words(self, tokens: Tensor) -> Tensor:
        """Sentences (M, T), <NULL> after the last word -> s (M, T, D), 0 in the padding."""
        real, x = tokens != Vocabulary.NULL, self.embedding(tokens)
        if self.config.context == "both":
            x = self._around(x, real)
        return self.word(x) * real[:, :, None]

    def counted(self, tokens: Tensor) -> Tensor:
        """Which words of sentences (M, T) are summed: all, but in training not those dropped."""
        real = tokens != Vocabulary.NULL
        if not (self.training and self.config.word_dropout):
            return real
        kept = torch.rand(real.shape, device=real.device) >= self.config.word_dropout
        return real & (kept | ~(real & kept).any(dim=1, keepdim=True))  # one word at least

    def _around(self, x: Tensor, real: Tensor) -> Tensor:
        """Each word with those around it: (M, T, W) -> (M, T, H)."""
        lengths = real.sum(dim=1).clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        both, _ = nn.utils.rnn.pad_packed_sequence(
            self.around(packed)[0], batch_first=True, total_length=x.shape[1]
        )
        return both[:, :, : self.config.hidden] + both[:, :, self.config.hidden :]


def windows(grid: Tensor, width: int) -> Tensor:
    """The mean over the `width` x `width` cells around each cell, those beyond the edge left out.

    Shapes: grid (N, L, C), cells of a square grid in reading order; so is what is returned.
    Raises: ValueError where L is no square number and `width` is above 1.
    """
    n, cells, channels = grid.shape
    side = isqrt(cells)
    if width == 1:
        return grid
    if side * side != cells:
        raise ValueError(f"{cells} cells are no square: windows of {width} need a square grid")
    square = grid.transpose(1, 2).reshape(n, channels, side, side)
    around = F.avg_pool2d(square, width, 1, width // 2, count_include_pad=False)
    return around.flatten(2).transpose(1, 2)


def pair_scores(v: Tensor, s: Tensor, real: Tensor) -> Tensor:
    """S_kl of every picture with every sentence: the sum over the words of the best region's score.

    Which region is best is found without a gradient, and only its score is computed anew with one:
    nothing of size N x M x L x T is kept for the way back.

    Shapes: v (N, L, D), s (M, T, D), real (M, T) bool, False in the padding. Returns: (N, M).
    """
    (n, cells, dim), (m, t, _) = v.shape, s.shape
    words = s.reshape(m * t, dim)
    with torch.no_grad():
        best = (words @ v.transpose(1, 2)).argmax(dim=2)  # (N, M * T)
        rows = best + torch.arange(n, device=v.device)[:, None] * cells
    chosen = F.embedding(rows, v.reshape(n * cells, dim))  # (N, M * T, D)
    return ((chosen * words).sum(dim=2).view(n, m, t) * real).sum(dim=2)


@torch.no_grad()
def scores_in_blocks(v: Tensor, s: Tensor, real: Tensor, *, megabytes: int = 4) -> np.ndarray:
    """`pair_scores` of many pictures and sentences, without a gradient, float32 (N, M).

    A block's scores of regions and words take about `megabytes`. Sentences of about the same length
    are taken together, so that little is computed for padding.
    """
    (n, cells, _), lengths = v.shape, real.sum(dim=1)
    order = lengths.argsort().tolist()
    at_once = max(1, megabytes * 2**20 // 4 // cells)  # pairs of a picture and a word
    found = np.zeros((n, len(s)), np.float32)
    for first in range(0, len(order), 64):
        rows = order[first : first + 64]
        longest = max(1, int(lengths[rows].max()))
        some, there = s[rows, :longest].flatten(0, 1), real[rows, :longest]
        pictures = max(1, at_once // len(some))
        for start in range(0, n, pictures):
            part = v[start : start + pictures].flatten(0, 1)
            best = (some @ part.T).view(len(some), -1, cells).amax(dim=2)  # (M * T, N)
            summed = (best.view(*there.shape, -1) * there[:, :, None]).sum(dim=1)
            found[start : start + pictures, rows] = summed.T.float().cpu().numpy()
    return found


@torch.no_grad()
def word_scores(v: Tensor, s: Tensor) -> np.ndarray:
    """Each region's score with each word: v (L, D), s (T, D) -> float32 (L, T)."""
    return (v @ s.T).float().cpu().numpy()
