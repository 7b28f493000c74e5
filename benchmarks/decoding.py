"""Beam search for many pictures at once, beside the ways that popular tutorials write it.

Two captioners with random weights: one that sees the picture once, as one vector, and one that
attends to a grid of 14 x 14 cells. Sizes are those of a well-known tutorial on MS COCO: 9,490
words, word vectors and states of 512, an attention layer of 512, cells of 2,048 numbers
(https://github.com/sgrvinod/a-PyTorch-Tutorial-to-Image-Captioning). <END> is made so unlikely
that every sentence has 20 words, and five hypotheses are kept.

Without attention the other way is a Python list of hypotheses a picture, each one row for the
model, its whole vocabulary sorted (as neuraltalk has it, imagernn/lstm_generator.py). With
attention it is that tutorial's: a picture at a time, its five hypotheses as rows, and the
picture's cells projected for each of them, anew at every word (caption.py and models.py there).
The maths and the weights are the same, and so are the sentences: that is asserted. Features are
given; from them on everything is timed, by the wall clock, the ways in turn.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.record import record
from cs_caption.decoding import beam_search
from cs_caption.models.captioner import UNSAYABLE, Captioner
from cs_caption.models.config import CaptionerConfig

START, END = 1, 2
V, E, H, A, C = 9_490, 512, 512, 512, 2_048
SIDE = {"LSTM": 8, "attention": 112}  # of pictures of one cell, and of 14 x 14
BEAM, WORDS, REPEATS, THREADS = 5, 20, 3, 2
PICTURES = {"LSTM": 128, "attention": 32}
FEWER = {"LSTM": 16, "attention": 8}  # as many as the other way is timed on

Found = list[tuple[list[int], float]]  # a picture's best sentence, and its log-probability


@dataclass(frozen=True)
class Sizes:
    """How large a captioner is; features are (N, cells, channels)."""

    vocab: int = V
    word_dim: int = E
    hidden: int = H
    attention_dim: int = A
    channels: int = C
    side: int = SIDE["attention"]


def random_captioner(kind: str, sizes: Sizes, seed: int = 0) -> Captioner:
    """A captioner that knows nothing but is not undecided either, and hardly ever ends."""
    torch.manual_seed(seed)
    model = Captioner(
        CaptionerConfig(
            vocab_size=sizes.vocab,
            word_dim=sizes.word_dim,
            hidden=sizes.hidden,
            attention_dim=sizes.attention_dim,
            channels=(8, 8, sizes.channels),
            image_size=sizes.side,
            attention=kind == "attention",
            frozen=True,
        )
    ).eval()
    with torch.no_grad():
        model.output.weight *= 8  # or all words were nearly as likely, and rounding decided
        model.output.bias[END] = -100.0
    return model


def draw_features(model: Captioner, pictures: int, seed: int = 1) -> Tensor:
    """What an encoder might see, as of the last layer of ReLUs."""
    generator = torch.Generator().manual_seed(seed)
    shape = (pictures, model.encoder.cells, model.encoder.width)
    return torch.randn(shape, generator=generator).relu()


def batched(model: Captioner, features: Tensor) -> Found:
    """All pictures at once."""
    step, state = model.speaker(features)
    n_best = beam_search(step, state, beam=BEAM, max_len=WORDS, start=START, end=END)
    return [(list(best.tokens), best.log_prob) for best, *_ in n_best]


@torch.no_grad()
def lists(model: Captioner, features: Tensor) -> Found:
    """A list of hypotheses a picture, each going on by itself, all words sorted."""
    found = []
    for picture in features:
        beams = [([], 0.0, model.start(picture[None]))]
        for _ in range(WORDS):
            ways = []
            for tokens, total, state in beams:
                last = torch.tensor([tokens[-1] if tokens else START])
                log_probs, state = model.step(last, state)
                gains, words = log_probs[0].sort(descending=True)
                for gain, word in zip(gains[:BEAM].tolist(), words[:BEAM].tolist(), strict=True):
                    ways.append(([*tokens, word], total + gain, state))
            beams = sorted(ways, key=lambda way: -way[1])[:BEAM]
        found.append(beams[0][:2])
    return found


@torch.no_grad()
def picture_by_picture(model: Captioner, features: Tensor) -> Found:
    """A picture at a time, its hypotheses as rows, its cells projected at each of their words."""
    found = []
    for picture in features:
        state = model.start(picture[None])  # projects the cells too: a hundredth of the work
        h, c = state["h"], state["c"]
        tokens, totals = torch.full((1, 1), START), torch.zeros(1, 1)
        for _ in range(WORDS):
            grid = picture.expand(len(tokens), *picture.shape)
            log_probs, h, c = attended_step(model, grid, tokens[:, -1], h, c)
            totals, chosen = (totals + log_probs).flatten().topk(BEAM)
            parents, words = chosen // log_probs.shape[1], chosen % log_probs.shape[1]
            tokens = torch.cat([tokens[parents], words[:, None]], dim=1)
            totals, h, c = totals[:, None], h[parents], c[parents]
        found.append((tokens[0, 1:].tolist(), totals[0].item()))
    return found


def attended_step(
    model: Captioner, grid: Tensor, last: Tensor, h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One word further, with nothing kept but h and c."""
    attention, word = model.attention, model.words(last)
    query = attention.query(torch.cat([h, word], dim=1))
    scores = attention.score((attention.keys(grid) + query[:, None]).tanh())
    seen = (grid * scores.softmax(dim=1)).sum(dim=1)
    h, c = model.cell(torch.cat([word, seen], dim=1), (h, c))
    log_probs = model.output(model.combine(torch.cat([h, seen], dim=1)).tanh()).log_softmax(dim=1)
    log_probs[:, UNSAYABLE] = -torch.inf
    return log_probs, h, c


SLOW: dict[str, Callable[[Captioner, Tensor], Found]] = {
    "LSTM": lists,
    "attention": picture_by_picture,
}


def assert_same(some: Found, others: Found) -> None:
    """Both found the same sentences, as far as rounding can tell."""
    for (tokens, total), (other, other_total) in zip(some, others, strict=True):
        assert abs(total - other_total) < 1e-3, (total, other_total)
        assert tokens == other, (tokens, other)


def seconds(function: Callable[..., Found], *arguments: object) -> tuple[float, Found]:
    started = time.perf_counter()
    found = function(*arguments)
    return time.perf_counter() - started, found


def compared(kind: str, sizes: Sizes, pictures: int, fewer: int) -> dict[str, object]:
    """Pictures a second of both ways, the best of REPEATS rounds each, and their ratio."""
    model = random_captioner(kind, sizes)
    features = draw_features(model, pictures)
    batched(model, features[:2])
    fast, slow = [], []
    for _ in range(REPEATS):
        took, found = seconds(batched, model, features)
        fast.append(pictures / took)
        took, others = seconds(SLOW[kind], model, features[:fewer])
        slow.append(fewer / took)
        assert_same(found[:fewer], others)
    other = SLOW[kind].__name__.replace("_", " ")
    return {
        f"{kind}, {pictures} pictures at once: pictures/s": round(max(fast), 1),
        f"{kind}, {other}: pictures/s": round(max(slow), 2),
        f"{kind}, ratio": round(max(fast) / max(slow), 1),
    }


def main() -> None:
    torch.set_num_threads(THREADS)
    figures: dict[str, object] = {}
    for kind, pictures in PICTURES.items():
        figures |= compared(kind, Sizes(side=SIDE[kind]), pictures, FEWER[kind])
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    note = f"beam {BEAM}, {WORDS} words, best of {REPEATS}, wall clock, {THREADS} threads"
    print("written:", record("decoding", figures, note))


if __name__ == "__main__":
    main()
