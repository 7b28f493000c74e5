"""The captioner: a convnet that looks, an LSTM that speaks, attention in between."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cs_caption.models.attention import AdditiveAttention
from cs_caption.models.encoder import SHRINK, Encoder

SPECIALS = 4  # <NULL>, <START>, <END>, <UNK> come first in every vocabulary
NULL = 0
UNSAYABLE = [NULL, 1, 3]  # <NULL>, <START>, <UNK>: never part of a sentence

State = dict[str, Tensor]
Images = Tensor | np.ndarray


@dataclass(frozen=True)
class CaptionerConfig:
    """The shape of a Captioner.

    `attention=False` shows the picture once, as the LSTM's first state; `image=False` is a
    language model that never sees it.

    Raises: ValueError, naming the field, for a value that no model can have.
    """

    vocab_size: int
    image_size: int = 64
    channels: tuple[int, int, int] = (32, 64, 96)
    word_dim: int = 64
    hidden: int = 128
    attention_dim: int = 32
    attention: bool = True
    image: bool = True
    dropout: float = 0.1

    def __post_init__(self):
        object.__setattr__(self, "channels", tuple(self.channels))
        if len(self.channels) != 3:
            raise ValueError(f"channels is {self.channels}: expected three numbers")
        for name in ("image_size", "word_dim", "hidden", "attention_dim"):
            _check_whole(name, getattr(self, name), 1)
        for number in self.channels:
            _check_whole("channels", number, 1)
        _check_whole("vocab_size", self.vocab_size, SPECIALS + 1)
        if self.image_size % SHRINK:
            raise ValueError(f"image_size is {self.image_size}: expected a multiple of {SHRINK}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout}: expected at least 0 and less than 1")

    def to_json(self) -> dict:
        return asdict(self) | {"channels": list(self.channels)}


class Captioner(nn.Module):
    """Pictures and the words so far -> the next word.

        a        = encode(images)                      once a picture    (N, L, C)
        h, c     = first state, from the mean of a     once a picture    (N, H)
        z, alpha = attend(query [h, word t], over a)   where to look     (R, C), (R, L)
        h, c     = LSTM([word t, z], h, c)             word by word      (R, H)
        logits   = Wv tanh(Wc [h, z] + b)              all words at once (M, T, V)

    The query is the last state *and the word just said*. In Show, Attend and Tell it is the last
    state alone, which has not read that word yet: what it looks at after "a red" was decided
    before "red" was known. Here alpha at t answers "where is what word t + 1 names", so that the
    maps say where the model pointed as it spoke.

    Sentences are processed word by word, the longest first, so that no work is done on padding;
    the output layer sees all words of the batch at once.

    Source: Xu et al. 2015, sections 3.1.2 (h, z, first state) and 4.2 (soft attention); that the
    query should know the current word: Lu et al. 2017 (Knowing When to Look), section 2.2.
    """

    def __init__(self, config: CaptionerConfig):
        super().__init__()
        self.config = config
        looks, seen = config.image and config.attention, config.channels[-1]
        self.words = nn.Embedding(config.vocab_size, config.word_dim)
        self.cell = nn.LSTMCell(config.word_dim + (seen if looks else 0), config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, config.vocab_size)
        if config.image:
            self.encoder = Encoder(config.image_size, config.channels)
            self.glance = nn.Linear(seen, config.hidden)
            self.first_state = nn.Linear(config.hidden, 2 * config.hidden)
        if looks:
            query_dim = config.hidden + config.word_dim
            self.attention = AdditiveAttention(seen, query_dim, config.attention_dim)
            self.combine = nn.Linear(config.hidden + seen, config.hidden)

    @property
    def looks(self) -> bool:
        """Whether there is attention: a picture, and more than one glance at it."""
        return self.config.image and self.config.attention

    @property
    def device(self) -> torch.device:
        return self.output.weight.device

    def encode(self, images: Images) -> Tensor:
        """uint8 pictures (N, H, W, 3) -> grid features (N, L, C), cells in reading order.

        Raises: TypeError for other than uint8, ValueError for another shape or a blind model.
        """
        if not self.config.image:
            raise ValueError("this model is image-blind (image=False): it has no encoder")
        return self.encoder(self._pictures(images))

    def start(self, images: Images) -> State:
        """The state before <START> is read, a row a picture: all that is computed once a picture.

        A blind model only counts the pictures.
        """
        if not self.config.image:
            nothing = self.output.weight.new_zeros(len(images), self.config.hidden)
            return {"h": nothing, "c": nothing}
        grid = self.encode(images)
        glance = self.glance(grid).relu().mean(dim=1)
        h, c = self.first_state(glance).tanh().chunk(2, dim=1)
        state = {"h": h, "c": c}
        return state | {"grid": grid, "keys": self.attention.keys(grid)} if self.looks else state

    @torch.no_grad()
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One word further, for `cs_caption.decoding`: tokens (R,) -> log-probabilities (R, V).

        <NULL>, <START> and <UNK> get -inf; the others keep the probability that the model gave
        them, so a sentence's log-probability is the model's own.
        """
        spoken, _, state = self._tell(self.dropout(self.words(tokens)), state)
        log_probs = self._logits(spoken).float().log_softmax(dim=1)
        log_probs[:, UNSAYABLE] = -torch.inf
        return log_probs, state

    def forward(self, images: Images | None, tokens_in: Tensor, of: Tensor | None = None) -> Tensor:
        """Logits (M, T, V) of the word after each of tokens_in (M, T).

        Sentence m describes picture of[m]; without `of`, picture m: several sentences may share
        one picture's encoding. A blind model takes None for images. After a sentence's last word
        (<NULL> to the end) nothing is computed: logits are those of a state of zeros.
        """
        return self._logits(self._read(images, tokens_in, of)[0])

    @torch.no_grad()
    def attention_maps(self, images: Images, tokens: Tensor, of: Tensor | None = None) -> Tensor:
        """Attention weights (M, T, L): [:, t] was used to emit the token after tokens[:, t].

        They sum to 1, and are all 0 in the padding.

        Raises: ValueError where the model has no attention.
        """
        if not self.looks:
            raise ValueError("this model has no attention: there is nothing to map")
        return self._read(images, tokens, of)[1]

    @torch.no_grad()
    def init_output_bias(self, counts: np.ndarray) -> None:
        """Set the output bias to the log frequency of each word (V,), as if seen once more.

        The untrained model then already guesses by frequency. Source: neuraltalk, Karpathy 2014.
        """
        if len(counts) != self.config.vocab_size:
            raise ValueError(f"{len(counts)} counts for {self.config.vocab_size} words")
        frequency = torch.as_tensor(np.asarray(counts, dtype=np.float64) + 1.0)
        self.output.bias.copy_((frequency / frequency.sum()).log())

    def _read(
        self, images: Images | None, tokens: Tensor, of: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """What the output layer sees after each of tokens (M, T), and the weights (M, T, L or 0).

        Rows are sorted by length; those that have ended are dropped, an eighth of all at a time,
        as each cut has its price in the backward pass.
        """
        real = (tokens != NULL).flip(1).cumsum(1).flip(1) > 0  # padding is at the end only
        order = real.sum(dim=1).argsort(descending=True, stable=True)
        words = self.dropout(self.words(tokens[order]))
        state = self._start_of(images, tokens, of, order)
        spoken, weights = [], []
        for word, speaking in zip(words.unbind(dim=1), real.sum(dim=0).tolist(), strict=True):
            if len(state["h"]) - speaking > len(tokens) // 8:
                state = {key: leaf[:speaking] for key, leaf in state.items()}
            out, alpha, state = self._tell(word[: len(state["h"])], state)
            spoken.append(_padded(out, len(tokens)))
            weights.append(_padded(alpha, len(tokens)))
        back, real = order.argsort(), real[:, :, None]
        return torch.stack(spoken, dim=1)[back] * real, torch.stack(weights, dim=1)[back] * real

    def _start_of(
        self, images: Images | None, tokens: Tensor, of: Tensor | None, order: Tensor
    ) -> State:
        """The first state of each sentence, sentences in the given order."""
        if not self.config.image:
            return self.start(tokens)
        if of is None and len(images) != len(tokens):
            raise ValueError(
                f"{len(tokens)} sentences for {len(images)} pictures: say in `of` which picture "
                "each describes"
            )
        rows = order if of is None else of[order]
        return {key: leaf.index_select(0, rows) for key, leaf in self.start(images).items()}

    def _tell(self, word: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """One word (R, W) in: what the output layer sees, weights (R, L or 0), the next state."""
        hidden = (state["h"], state["c"])
        if not self.looks:
            h, c = self.cell(word, hidden)
            return h, h[:, :0], {"h": h, "c": c}
        query = torch.cat([state["h"], word], dim=1)
        seen, alpha = self.attention(query, state["keys"], state["grid"])
        h, c = self.cell(torch.cat([word, seen], dim=1), hidden)
        return torch.cat([h, seen], dim=1), alpha, state | {"h": h, "c": c}

    def _logits(self, spoken: Tensor) -> Tensor:
        hidden = self.combine(spoken).tanh() if self.looks else spoken
        return self.output(self.dropout(hidden))

    def _pictures(self, images: Images) -> Tensor:
        size = self.config.image_size
        if images.dtype not in (torch.uint8, np.uint8):
            raise TypeError(f"pictures of {images.dtype}: expected uint8, 0 to 255")
        if images.ndim != 4 or tuple(images.shape[1:]) != (size, size, 3):
            raise ValueError(f"pictures of {tuple(images.shape)}: expected (N, {size}, {size}, 3)")
        if isinstance(images, np.ndarray) and not images.flags.writeable:
            images = images.copy()  # torch warns of read-only arrays
        return torch.as_tensor(images).to(self.device)


def _padded(rows: Tensor, count: int) -> Tensor:
    return nn.functional.pad(rows, (0, 0, 0, count - len(rows)))


def _check_whole(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}: expected a whole number of {least} or more")
