"""The captioner: a convnet that looks, a recurrent network that speaks."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cs_caption.models.attention import (
    AdditiveAttention,
    blend,
    log_prob_of,
    one_hot,
    sample_cells,
)
from cs_caption.models.config import CaptionerConfig
from cs_caption.models.seeing import Images, build_encoder, see

NULL = 0
UNSAYABLE = [NULL, 1, 3]  # <NULL>, <START>, <UNK>: never part of a sentence
CELLS = {"lstm": nn.LSTMCell, "rnn": nn.RNNCell, "gru": nn.GRUCell}

State = dict[str, Tensor]
Step = Callable[[Tensor, State], tuple[Tensor, State]]


class Reading(NamedTuple):
    """What comes of reading captions word by word: a row a caption, padding is zeros.

    Shapes: hidden (M, T, H), what the output layer multiplies; alpha (M, T, L), where each next
    word was looked for, L = 0 without attention; log_probs (M, T), of the looks that were drawn, 0
    where none was; softly (M,), which captions a hard model in train mode read softly, else None.
    """

    hidden: Tensor
    alpha: Tensor
    log_probs: Tensor
    softly: Tensor | None


class Captioner(nn.Module):
    """Pictures and the words so far -> the next word.

        a        = encode(images)                      once a picture    (N, L, C)
        h, c     = first state, from a glance v at a   once a picture    (N, H)
        z, alpha = attend(query [h, word t], over a)   where to look     (R, C), (R, L)
        h, c     = LSTM([word t, z], h, c)             word by word      (R, H)
        logits   = Wv tanh(Wc [h, z] + b)              all words at once (M, T, V)

    Hard attention puts one cell in the place of the blend z: in train mode one that is drawn from
    alpha, else the strongest. A gated model scales z by sigmoid(w h + b), from the state before.

    Without attention v, the mean over the cells of a layer of ReLUs, is batch-normalised, as what
    pictures share is far larger in it than what they differ in, and enters in one of four ways:

        init     h, c = tanh(W v + b) before <START> is read
        pre      h, c = LSTM(W v + b) from zeros: a word before <START>
        par      h, c = LSTM([word t, v], h, c): beside every word
        merge    logits = Wv tanh(Wc [h, v] + b): the LSTM is a language model's

    The query is the last state *and the word just said*. In Show, Attend and Tell it is the last
    state alone, which has not read that word yet: what it looks at after "a red" was decided
    before "red" was known. Here alpha at t answers "where is what word t + 1 names", so that the
    maps say where the model pointed as it spoke.

    Sentences are processed word by word, the longest first, so that no work is done on padding;
    the output layer sees all words of the batch at once.

    Source: Xu et al. 2015, sections 3.1.2 (h, z, first state), 4.1 (hard attention) and 4.2 (soft
    attention, the gate); that the
    query should know the current word: Lu et al. 2017 (Knowing When to Look), section 2.2; the four
    ways: Tanti et al. 2018 (arXiv:1703.09137), section 3.
    """

    def __init__(self, config: CaptionerConfig):
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocab_size, config.word_dim)
        beside = config.width if self.looks else 0
        if config.image and config.inject == "par":
            beside = config.hidden
        self.cell = CELLS[config.cell](config.word_dim + beside, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, config.vocab_size)
        if config.image:
            self.encoder = build_encoder(config)
            self.glance = nn.Linear(config.width, config.hidden)
            self._enter()
        self.train()

    def _enter(self) -> None:
        """The layers by which the picture enters, after the glance."""
        config, hidden, width = self.config, self.config.hidden, self.config.width
        if config.inject == "init":
            self.first_state = nn.Linear(hidden, hidden * (2 if config.cell == "lstm" else 1))
        elif config.inject == "pre":
            self.as_word = nn.Linear(hidden, config.word_dim)
        elif config.inject == "merge":
            self.combine = nn.Linear(2 * hidden, hidden)
        if not self.looks:
            self.glance_norm = nn.BatchNorm1d(hidden)
            self._open_gates()
        else:
            query_dim = hidden + config.word_dim
            self.attention = AdditiveAttention(width, query_dim, config.attention_dim)
            self.combine = nn.Linear(hidden + width, hidden)
            if config.gated:
                self.gate = nn.Linear(hidden, 1)

    @torch.no_grad()
    def _open_gates(self) -> None:
        """Let the cell begin by keeping what it holds, of a picture shown once as well.

        Source: Jozefowicz et al. 2015, section 2.2 (the LSTM's forget gate).
        """
        if self.config.cell != "rnn":  # the gate that keeps is the second of torch's LSTM and GRU
            self.cell.bias_hh.view(-1, self.config.hidden)[1] = 1.0

    def train(self, mode: bool = True) -> "Captioner":
        """As nn.Module's, but that a frozen encoder stays in eval mode.

        In train mode its batch normalisation would go on averaging, and what is "frozen" would
        drift with every picture that it sees.
        """
        super().train(mode)
        if self.config.image and self.config.frozen:
            self.encoder.eval()
        return self

    @property
    def looks(self) -> bool:
        return self.config.attends

    @property
    def device(self) -> torch.device:
        return self.output.weight.device

    def encode(self, images: Images) -> Tensor:
        """uint8 pictures (N, H, W, 3) -> grid features (N, L, C), cells in reading order.

        A frozen encoder's features may be given instead of the pictures, as floats (N, L, C): they
        come back as float32.

        Raises: TypeError for other than uint8, ValueError for another shape, a blind model, or
        features where the encoder is still learning.
        """
        if not self.config.image:
            raise ValueError("this model is image-blind (image=False): it has no encoder")
        return see(self.encoder, images, self.config, self.device)

    def start(self, images: Images) -> State:
        """The state before <START> is read, a row a picture: all that is computed once a picture.

        A blind model only counts the pictures.
        """
        nothing = self.output.weight.new_zeros(len(images), self.config.hidden)
        empty = {"h": nothing, "c": nothing} if self.config.cell == "lstm" else {"h": nothing}
        if not self.config.image:
            return empty
        grid = self.encode(images)
        v = self._glance(grid)
        if self.config.inject == "pre":
            return self._advance(self.as_word(v), empty)
        if self.config.inject in ("par", "merge"):
            return empty | {"v": v}
        first = self.first_state(v).tanh().chunk(len(empty), dim=1)
        state = dict(zip(empty, first, strict=True))
        return state | {"grid": grid, "keys": self.attention.keys(grid)} if self.looks else state

    @torch.no_grad()
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One word further, for `cs_caption.decoding`: tokens (R,) -> log-probabilities (R, V).

        <NULL>, <START> and <UNK> get -inf; the others keep the probability that the model gave
        them, so a sentence's log-probability is the model's own.
        """
        spoken, _, _, state = self._tell(self.dropout(self.words(tokens)), state)
        logits = self.output(self._before_output(spoken))
        log_probs = logits.float().log_softmax(dim=1)
        log_probs[:, UNSAYABLE] = -torch.inf
        return log_probs, state

    def speaker(self, images: Images) -> tuple[Step, State]:
        """A `step` that knows what it looks at, and its first state: `step` and `start` in one.

        The cells of the pictures, which no word changes, are left out of the state, so that a
        search with K hypotheses a picture does not carry K copies of them from word to word. Rows
        of one picture must stand together, as many for each: so the searches have them.
        """
        state = self.start(images)
        fixed = {key: state.pop(key) for key in ("grid", "keys") if key in state}

        def step(tokens: Tensor, state: State) -> tuple[Tensor, State]:
            log_probs, after = self.step(tokens, state | fixed)
            return log_probs, {key: after[key] for key in state}

        return step, state

    def forward(self, images: Images | None, tokens_in: Tensor, of: Tensor | None = None) -> Tensor:
        """Logits (M, T, V) of the word after each of tokens_in (M, T).

        Sentence m describes picture of[m]; without `of`, picture m: several sentences may share
        one picture's encoding. A blind model takes None for images. After a sentence's last word
        (<NULL> to the end) nothing is computed: logits are those of a state of zeros.
        """
        return self.output(self.hidden(images, tokens_in, of))

    def hidden(self, images: Images | None, tokens_in: Tensor, of: Tensor | None = None) -> Tensor:
        """What the output layer multiplies (M, T, H): `forward` is `output` of this."""
        return self.read(images, tokens_in, of).hidden

    @torch.no_grad()
    def attention_maps(self, images: Images, tokens: Tensor, of: Tensor | None = None) -> Tensor:
        """Attention weights (M, T, L): [:, t] was used to emit the token after tokens[:, t].

        They sum to 1, and are all 0 in the padding. With hard attention they are the probabilities
        of the cells.

        Raises: ValueError where the model has no attention.
        """
        if not self.looks:
            raise ValueError("this model has no attention: there is nothing to map")
        return self.read(images, tokens, of).alpha

    @torch.no_grad()
    def init_output_bias(self, counts: np.ndarray) -> None:
        """Set the output bias to the log frequency of each word (V,), as if seen once more.

        The untrained model then already guesses by frequency. Source: neuraltalk, Karpathy 2014.
        """
        if len(counts) != self.config.vocab_size:
            raise ValueError(f"{len(counts)} counts for {self.config.vocab_size} words")
        frequency = torch.as_tensor(np.asarray(counts, dtype=np.float64) + 1.0)
        self.output.bias.copy_((frequency / frequency.sum()).log())

    @torch.no_grad()
    def init_words(self, matrix: np.ndarray, found: np.ndarray) -> None:
        """Take over word vectors learnt elsewhere: row i of matrix (V, W) where found[i].

        They are brought to the size of the model's own first ones: the same mean square.

        Raises: ValueError where matrix or found is not of the model's words.
        """
        shape, found = tuple(self.words.weight.shape), np.asarray(found, dtype=bool)
        if np.shape(matrix) != shape or found.shape != shape[:1]:
            raise ValueError(
                f"word vectors {np.shape(matrix)} with found {found.shape}: this model has "
                f"{shape[0]} words of word_dim {shape[1]}"
            )
        vectors = torch.as_tensor(np.asarray(matrix, dtype=np.float32)[found])
        if len(vectors):
            size = self.words.weight.square().mean().sqrt().cpu()
            vectors = vectors * (size / vectors.square().mean().sqrt().clamp_min(1e-12))
            self.words.weight[torch.as_tensor(found)] = vectors.to(self.device)

    def read(self, images: Images | None, tokens: Tensor, of: Tensor | None = None) -> Reading:
        """Read tokens (M, T), as `forward` takes them: what comes of it before the output layer.

        Rows are sorted by length; those that have ended are dropped, an eighth of all at a time,
        as each cut has its price in the backward pass.
        """
        real = (tokens != NULL).flip(1).cumsum(1).flip(1) > 0  # padding is at the end only
        order = real.sum(dim=1).argsort(descending=True, stable=True)
        words = self.dropout(self.words(tokens[order]))
        softly = self._softly(len(tokens))
        state = self._start_of(images, tokens, of, order)
        if softly is not None:
            state["softly"] = softly[order]
        steps = []
        for word, speaking in zip(words.unbind(dim=1), real.sum(dim=0).tolist(), strict=True):
            if len(state["h"]) - speaking > len(tokens) // 8:
                state = {key: leaf[:speaking] for key, leaf in state.items()}
            *found, state = self._tell(word[: len(state["h"])], state)
            steps.append([_padded(part, len(tokens)) for part in found])
        back = order.argsort()
        spoken, alpha, drawn = (
            torch.stack(part, dim=1)[back] * real[:, :, None] for part in zip(*steps, strict=True)
        )
        return Reading(self._before_output(spoken), alpha, drawn.squeeze(2), softly)

    def _softly(self, captions: int) -> Tensor | None:
        """Which captions a hard model reads softly in train mode (M,); None for others."""
        if not (self.training and self.looks and self.config.looking == "hard"):
            return None
        return torch.rand(captions, device=self.device) < self.config.semi_sampling

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

    def _glance(self, grid: Tensor) -> Tensor:
        """One vector a picture: (N, L, C) -> (N, H)."""
        v = self.glance(grid).relu().mean(dim=1)
        if self.looks:
            return v
        norm = self.glance_norm
        several = norm.training and len(v) > 1  # one picture alone has no spread
        mean, spread = norm.running_mean, norm.running_var
        return nn.functional.batch_norm(v, mean, spread, norm.weight, norm.bias, several)

    def _tell(self, word: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor, State]:
        """One word (R, W) in: what the output layer sees, weights (R, L or 0), log-probabilities
        of the looks that were drawn (R, 1), the next state."""
        if self.looks:
            query = torch.cat([state["h"], word], dim=1)
            alpha = self.attention.weights(query, state["keys"])
            seen, drawn = self._look(alpha, state)
            state = self._advance(torch.cat([word, seen], dim=1), state)
            return torch.cat([state["h"], seen], dim=1), alpha, drawn, state
        inject = self.config.inject if self.config.image else "init"
        if inject == "par":
            word = torch.cat([word, state["v"]], dim=1)
        state = self._advance(word, state)
        spoken = state["h"]
        if inject == "merge":
            spoken = torch.cat([spoken, state["v"]], dim=1)
        return spoken, spoken[:, :0], torch.zeros_like(spoken[:, :1]), state

    def _look(self, alpha: Tensor, state: State) -> tuple[Tensor, Tensor]:
        """What is seen (R, C) with weights alpha (R, L), and log-probabilities of draws (R, 1)."""
        drawn = torch.zeros_like(alpha[:, :1])
        used = alpha
        if "softly" in state:
            softly, cells = state["softly"][:, None], sample_cells(alpha)
            used = torch.where(softly, alpha, one_hot(cells, alpha))
            drawn = log_prob_of(alpha, cells)[:, None].masked_fill(softly, 0.0)
        elif self.config.looking == "hard":
            used = one_hot(alpha.argmax(dim=1), alpha)
        seen = blend(used, state["grid"])
        if self.config.gated:
            seen = self.gate(state["h"]).sigmoid() * seen
        return seen, drawn

    def _advance(self, x: Tensor, state: State) -> State:
        """The state after the recurrent network has read x (R, D)."""
        if self.config.cell == "lstm":
            h, c = self.cell(x, (state["h"], state["c"]))
            return state | {"h": h, "c": c}
        return state | {"h": self.cell(x, state["h"])}

    def _before_output(self, spoken: Tensor) -> Tensor:
        combines = hasattr(self, "combine")
        return self.dropout(self.combine(spoken).tanh() if combines else spoken)


def _padded(rows: Tensor, count: int) -> Tensor:
    return nn.functional.pad(rows, (0, 0, 0, count - len(rows)))
