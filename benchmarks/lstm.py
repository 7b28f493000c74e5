"""A training step of a captioner's LSTM: whole batches in NumPy, one sentence at a time, and torch.

The batches go through the functions of notebooks 02 and 03. One sentence at a time is the way of
neuraltalk (Karpathy 2014, https://github.com/karpathy/neuraltalk, imagernn/lstm_generator.py),
written anew: a loop over sentences, in it a loop over steps, each a product of one row
(1, x, h) with one matrix; an outer product for every step of the backward pass.

Sizes are neuraltalk's on Flickr8k: 2,538 words, vectors and states of 256, 100 captions. The
picture's vector is read before <START>, and nothing is said at that step. All ways make the same
loss (the mean over the words and <END>) and the same gradients, and take a step of RMSprop.
neuraltalk calculates in float64; both dtypes are measured. Times are the processor's, on one
thread.
"""

import os

if __name__ == "__main__":  # and not where a test imports it
    # Before NumPy is imported: it reads the number of threads then.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from autograder.zoo import SOLUTIONS, functions_of
from benchmarks.record import record

V, D, H, B, ROUNDS = 2_538, 256, 256, 100, 5
RATE, DECAY, EPS = 1e-3, 0.999, 1e-8
OURS = {
    **functions_of(SOLUTIONS / "02_hello_rnn" / "02_hello_rnn.py"),
    **functions_of(SOLUTIONS / "03_lstm_gates" / "03_lstm_gates.py"),
}

SLOW = "one sentence at a time"

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Batch:
    """Captions of different lengths, padded, each with the vector of its picture.

    Shapes: pictures (N, D); words (N, T), <START> first; right (N, T), the word that comes next,
    <END> last; real (N, T). Word 0 is both <START> and <END>, and pads.
    """

    pictures: np.ndarray
    words: np.ndarray
    right: np.ndarray
    real: np.ndarray

    @property
    def tokens(self) -> int:
        """How many words and <END>s are to be said."""
        return int(self.real.sum())


def draw_batch(rng: np.random.Generator, dtype: type, n: int, v: int, d: int) -> Batch:
    """Captions of 11 words on average, four in five between 7 and 15; frequent words come often."""
    lengths = np.clip(np.rint(rng.normal(11, 3.5, n)), 3, 22).astype(int)
    T = lengths.max() + 1
    real = np.arange(T) <= lengths[:, None]
    share = 1 / np.arange(1, v)
    drawn = rng.choice(np.arange(1, v), (n, T), p=share / share.sum())
    right = np.where(np.arange(T) < lengths[:, None], drawn, 0)
    words = np.where(real, np.concatenate([np.zeros((n, 1), int), right[:, :-1]], axis=1), 0)
    return Batch(rng.standard_normal((n, d)).astype(dtype), words, right, real)


def draw_weights(rng: np.random.Generator, dtype: type, v: int, d: int, h: int) -> Arrays:
    """All weights; names and shapes are those of the notebooks."""
    Wx, Wh, b = OURS["lstm_init"](d, h)
    words, Wout = rng.uniform(-0.1, 0.1, (v, d)), rng.uniform(-0.1, 0.1, (h, v))
    p = {"words": words, "Wx": Wx, "Wh": Wh, "b": b, "Wout": Wout, "bout": np.zeros(v)}
    return {name: value.astype(dtype) for name, value in p.items()}


def batched_gradients(p: Arrays, batch: Batch) -> tuple[float, Arrays]:
    """Loss and gradients for all captions at once, by the notebooks' functions."""
    vectors, looked_up = OURS["word_embedding_forward"](batch.words, p["words"])
    x = np.concatenate([batch.pictures[:, None], vectors], axis=1)  # (N, 1 + T, D)
    start = np.zeros((len(x), p["Wh"].shape[0]), x.dtype)
    h, _, cache = OURS["lstm_forward"](x, start, start, p["Wx"], p["Wh"], p["b"])
    said = h[:, 1:][batch.real]  # (M, H): words are scored where there are words
    scores = said @ p["Wout"] + p["bout"]
    right, every = batch.right[batch.real], np.ones((1, len(said)), bool)
    loss, dscores = OURS["temporal_softmax_loss"](scores[None], right[None], every)
    dscores = dscores[0]
    dh = np.zeros_like(h)
    dh[:, 1:][batch.real] = dscores @ p["Wout"].T
    dx, _, _, dWx, dWh, db = OURS["lstm_backward"](dh, cache)
    dwords = OURS["word_embedding_backward"](dx[:, 1:], looked_up)
    grads = {"words": dwords, "Wx": dWx, "Wh": dWh, "b": db}
    return loss, grads | {"Wout": said.T @ dscores, "bout": dscores.sum(axis=0)}


def sentence_gradients(p: Arrays, batch: Batch) -> tuple[float, Arrays]:
    """Loss and gradients one sentence after the other, one step after the other."""
    W = np.vstack([p["b"], p["Wx"], p["Wh"]])  # as neuraltalk keeps it: for rows of (1, x, h)
    total, sums = 0.0, {name: np.zeros_like(p[name]) for name in ("words", "Wout", "bout")}
    sums["W"] = np.zeros_like(W)
    for picture, words, right, real in zip(
        batch.pictures, batch.words, batch.right, batch.real, strict=True
    ):
        ids, targets = words[real], right[real]
        X = np.vstack([picture, *(p["words"][word] for word in ids)])
        Y, cache = sentence_forward(X, W, p["Wout"], p["bout"])
        P = np.exp(Y - Y.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        rows = range(len(targets))
        total -= float(np.log(P[rows, targets]).sum())
        P[rows, targets] -= 1
        dX, local = sentence_backward(P / batch.tokens, cache)
        for name, grad in local.items():
            sums[name] += grad
        for word, dx in zip(ids, dX[1:], strict=True):
            sums["words"][word] += dx
    dW, d = sums.pop("W"), p["words"].shape[1]
    return total / batch.tokens, sums | {"b": dW[0], "Wx": dW[1 : 1 + d], "Wh": dW[1 + d :]}


def sentence_forward(X: np.ndarray, W: np.ndarray, Wout: np.ndarray, bout: np.ndarray) -> tuple:
    """Scores (T, V) after each of the rows of X (1 + T, D) but the first, which is a picture."""
    n, d, h = len(X), X.shape[1], len(Wout)
    rows, gates = np.zeros((n, len(W)), X.dtype), np.zeros((n, 4 * h), X.dtype)
    C, states = np.zeros((n, h), X.dtype), np.zeros((n, h), X.dtype)
    for t in range(n):
        rows[t, 0], rows[t, 1 : 1 + d] = 1, X[t]
        if t:
            rows[t, 1 + d :] = states[t - 1]
        a = rows[t].dot(W)
        gates[t, : 3 * h], gates[t, 3 * h :] = 1 / (1 + np.exp(-a[: 3 * h])), np.tanh(a[3 * h :])
        i, f, o, g = gates[t].reshape(4, h)
        C[t] = i * g + (f * C[t - 1] if t else 0)
        states[t] = o * np.tanh(C[t])
    return states[1:].dot(Wout) + bout, (rows, gates, C, states, W, Wout)


def sentence_backward(dY: np.ndarray, cache: tuple) -> tuple[np.ndarray, Arrays]:
    """The gradient of X, and those of the weights for this sentence alone."""
    rows, gates, C, states, W, Wout = cache
    (n, h), d = states.shape, rows.shape[1] - 1 - states.shape[1]
    local = {"W": np.zeros_like(W), "Wout": states[1:].T.dot(dY), "bout": dY.sum(axis=0)}
    dstates, dC, dX = np.zeros_like(states), np.zeros_like(C), np.zeros((n, d), W.dtype)
    dstates[1:] = dY.dot(Wout.T)
    for t in reversed(range(n)):
        i, f, o, g = gates[t].reshape(4, h)
        tanh_c = np.tanh(C[t])
        dC[t] += (1 - tanh_c**2) * o * dstates[t]
        df = np.zeros_like(f)
        if t:
            df, dC[t - 1] = dC[t] * C[t - 1], dC[t] * f
        out = dC[t] * g, df, tanh_c * dstates[t], dC[t] * i
        slopes = i * (1 - i), f * (1 - f), o * (1 - o), 1 - g**2
        da = np.concatenate([each * slope for each, slope in zip(out, slopes, strict=True)])
        local["W"] += np.outer(rows[t], da)
        drow = da.dot(W.T)
        dX[t] = drow[1 : 1 + d]
        if t:
            dstates[t - 1] += drow[1 + d :]
    return dX, local


class TorchCaptioner:
    """The same step by torch's own LSTM, cross entropy and RMSprop; it keeps weights of its own."""

    def __init__(self, p: Arrays) -> None:
        v, d = p["words"].shape
        h, dtype = len(p["Wh"]), torch.from_numpy(p["Wx"]).dtype
        self.lstm = torch.nn.LSTM(d, h, batch_first=True, dtype=dtype)
        self.words = torch.nn.Parameter(torch.tensor(p["words"]))
        self.out = torch.nn.Linear(h, v, dtype=dtype)
        with torch.no_grad():
            for name, key in (("weight_ih_l0", "Wx"), ("weight_hh_l0", "Wh"), ("bias_ih_l0", "b")):
                getattr(self.lstm, name).copy_(torch.tensor(in_torchs_order(p[key]).T))
            self.lstm.bias_hh_l0.zero_()
            self.out.weight.copy_(torch.tensor(p["Wout"].T))
            self.out.bias.copy_(torch.tensor(p["bout"]))
        self.lstm.bias_hh_l0.requires_grad_(False)  # the notebooks have one bias, torch has two
        weights = [self.words, *self.lstm.parameters(), *self.out.parameters()]
        self.solver = torch.optim.RMSprop(
            [weight for weight in weights if weight.requires_grad], lr=RATE, alpha=DECAY, eps=EPS
        )

    def gradients(self, batch: Batch) -> float:
        """The loss; the gradients are left where torch keeps them."""
        self.solver.zero_grad()
        words, right, real = map(torch.from_numpy, (batch.words, batch.right, batch.real))
        vectors = torch.nn.functional.embedding(words, self.words)
        x = torch.cat([torch.from_numpy(batch.pictures)[:, None], vectors], dim=1)
        said = self.lstm(x)[0][:, 1:][real]
        loss = torch.nn.functional.cross_entropy(self.out(said), right[real])
        loss.backward()
        return loss.item()

    def step(self, batch: Batch) -> float:
        """A whole training step; the loss before it."""
        loss = self.gradients(batch)
        self.solver.step()
        return loss


def in_torchs_order(value: np.ndarray) -> np.ndarray:
    """Blocks of columns i, f, o, g as torch has them: i, f, g, o."""
    i, f, o, g = np.split(value, 4, axis=-1)
    return np.concatenate([i, f, g, o], axis=-1)


def numpy_step(
    gradients: Callable[[Arrays, Batch], tuple[float, Arrays]], p: Arrays, memory: Arrays, b: Batch
) -> float:
    """A whole training step in place of `p` and `memory`; the loss before it."""
    loss, grads = gradients(p, b)
    for name, grad in grads.items():
        p[name], memory[name] = OURS["rmsprop"](p[name], grad, memory[name], RATE, DECAY, EPS)
    return loss


def ways(batches: dict[type, list[Batch]], v: int = V, d: int = D, h: int = H) -> dict:
    """Each way of a training step, by name, and the batches that it takes."""
    found = {}
    for dtype, drawn in batches.items():
        p = draw_weights(np.random.default_rng(0), dtype, v, d, h)
        for name, gradients in ((SLOW, sentence_gradients), ("batched", batched_gradients)):
            memory = {key: np.zeros_like(value) for key, value in p.items()}
            step = partial(numpy_step, gradients, dict(p), memory)
            found[f"{name}, {dtype.__name__}"] = step, drawn
        found[f"torch, {dtype.__name__}"] = TorchCaptioner(p).step, drawn
    return found


def tokens_a_second(timed: dict) -> dict[str, list[float]]:
    """Tokens a second of each way, round by round, the ways in turn so that a busy moment meets
    all of them; the first round warms up and does not count."""
    found = {name: [] for name in timed}
    for place in range(ROUNDS + 1):
        for name, (step, batches) in timed.items():
            batch = batches[place % len(batches)]
            start = time.process_time()
            step(batch)
            found[name].append(batch.tokens / (time.process_time() - start))
    return {name: speeds[1:] for name, speeds in found.items()}


def draw_batches(n: int = B, v: int = V, d: int = D, times: int = 3) -> dict[type, list[Batch]]:
    """The same batches in each dtype."""
    return {
        dtype: [draw_batch(np.random.default_rng(seed), dtype, n, v, d) for seed in range(times)]
        for dtype in (np.float64, np.float32)
    }


def compared(speeds: dict[str, list[float]]) -> dict[str, object]:
    """How many times as fast as one sentence at a time each way is, round by round."""
    found: dict[str, object] = {}
    for name, fast in speeds.items():
        for other in ("float64", "float32"):
            slow = f"{SLOW}, {other}"
            # neuraltalk's own float64 beside every way, float32 beside its like alone
            if not name.startswith(SLOW) and (other == "float64" or name.endswith(other)):
                ratios = [one / two for one, two in zip(fast, speeds[slow], strict=True)]
                found[f"{name} / {slow}"] = round(statistics.median(ratios), 1)
                ends = [round(min(ratios), 1), round(max(ratios), 1)]
                found[f"{name} / {slow}, least and most"] = ends
    return found


def main() -> None:
    torch.set_num_threads(1)
    batches = draw_batches()
    speeds = tokens_a_second(ways(batches))
    lengths = np.concatenate([batch.real.sum(axis=1) - 1 for batch in batches[np.float32]])
    figures: dict[str, object] = {"words a caption, mean": round(float(lengths.mean()), 1)}
    for name, found in speeds.items():
        figures[f"{name}: tokens/s"] = round(statistics.median(found))
        figures[f"{name}: tokens/s, least and most"] = [round(min(found)), round(max(found))]
    figures |= compared(speeds)
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    note = f"medians of {ROUNDS} training steps on {B} captions, processor time, one thread"
    print("written:", record("lstm", figures, note))


if __name__ == "__main__":
    main()
