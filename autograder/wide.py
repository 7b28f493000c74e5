"""Valid arguments of every exercise, drawn by its docstring alone and more widely than its check.

A check that never draws some kind of input is blind to the mistakes that show there, and so is a
comparison on what checks draw. These are drawn by nobody who has read the check. An exercise with
needs is a way back: it has the arguments of its forward function.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cs_caption.checks.built import module, table_step
from cs_caption.checks.tensors import floats, truths, whole

Random = np.random.RandomState


def draw(exercise: str, rng: Random) -> tuple:
    """Return arguments of an exercise that takes no cache.

    Raises: ValueError where none are known: a new exercise needs a line in `_DRAWS`.
    """
    if exercise not in _DRAWS:
        raise ValueError(
            f"nothing is known of the arguments of {exercise}: add what draws them to _DRAWS of "
            "autograder/wide.py, from its docstring and not from its check"
        )
    return _DRAWS[exercise](rng)


def _pictures(rng: Random) -> tuple:
    N, H, W = _some(rng, 3)
    return (rng.randint(0, 256, (N, H, W, 3)).astype(np.uint8),)


def _affine(rng: Random) -> tuple:
    shape = _some(rng, rng.randint(2, 5))
    M, D = rng.randint(1, 6), int(np.prod(shape[1:]))
    return _normal(rng, shape), _normal(rng, (D, M)), _normal(rng, (M,))


def _any_shape(rng: Random) -> tuple:
    return (_normal(rng, _some(rng, rng.randint(1, 5))),)


def _scores(rng: Random) -> tuple:
    N, C = _some(rng, 2)
    return _spread(rng, (N, C)), rng.randint(0, C, N)


def _windows(rng: Random, *, pad: int = 0) -> tuple[tuple[int, ...], int, int, int, int]:
    """The shape of x, HH, WW, stride and pad: at least one window fits."""
    N, C, HH, WW = _some(rng, 4, 4)
    H, W = (max(1, size - 2 * pad) + int(rng.randint(0, 7)) for size in (HH, WW))
    return (N, C, H, W), HH, WW, int(rng.randint(1, 5)), pad


def _steps(rng: Random) -> tuple[tuple[int, ...], int, int, tuple[int, ...]]:
    """The shape of x, HH, WW, and of stride and pad those that are given."""
    if rng.rand() < 0.2:
        shape, HH, WW, stride, _ = _windows(rng)
        return shape, HH, WW, (stride,)[: rng.randint(0, 2)]
    shape, HH, WW, *steps = _windows(rng, pad=int(rng.randint(0, 4)))
    return shape, HH, WW, tuple(steps)


def _convolution(rng: Random) -> tuple:
    shape, HH, WW, steps = _steps(rng)
    F = int(rng.randint(1, 5))
    arrays = (_normal(rng, s) for s in (shape, (F, shape[1], HH, WW), (F,)))
    return (*arrays, *steps)


def _columns(rng: Random) -> tuple:
    shape, HH, WW, steps = _steps(rng)
    return (_normal(rng, shape), HH, WW, *steps)


def _pool(rng: Random) -> tuple:
    shape, HH, WW, stride, _ = _windows(rng)
    x = _normal(rng, shape)
    return (x if rng.rand() < 0.5 else np.round(x), HH, WW, stride)  # rounded: with ties


def _momentum(rng: Random) -> tuple:
    shape = _some(rng, rng.randint(1, 4))
    return (*(_normal(rng, shape) for _ in range(3)), *_given(rng, rng.rand(), rng.rand()))


def _stack(rng: Random) -> tuple:
    C, H, W = (int(n) for n in rng.randint(1, 40, 3))
    layers = []
    while min(H, W) > 1 and rng.rand() < 0.8:
        pool = rng.rand() < 0.4
        H, W = (H // 2, W // 2) if pool else (H, W)
        layers.append("maxpool" if pool else f"conv-{rng.randint(1, 600)}")
    layers += [f"FC-{rng.randint(1, 5000)}" for _ in range(rng.randint(0, 4))]
    return layers, (C, *(int(n) for n in (rng.randint(40, 60, 2))))


def _symbols(rng: Random) -> tuple:
    V = int(rng.randint(1, 9))
    return rng.randint(0, V, _some(rng, rng.randint(1, 4))), V


def _step(rng: Random) -> tuple:
    N, D, H = _some(rng, 3)
    shapes = ((N, D), (N, H), (D, H), (H, H), (H,))
    arrays = (_normal(rng, shape) for shape in shapes)
    return (*arrays, *_given(rng, str(rng.choice(["tanh", "relu"]))))


def _sequences(rng: Random) -> tuple:
    N, T, D, H = _some(rng, 4)
    arrays = (_normal(rng, shape) for shape in ((N, T, D), (N, H), (D, H), (H, H), (H,)))
    return (*arrays, *_given(rng, str(rng.choice(["tanh", "relu"]))))


def _chunks(rng: Random) -> tuple:
    x, h0, *weights = _sequences(rng)[:5]
    dh = _normal(rng, (*x.shape[:2], h0.shape[1]))
    return (x, dh, h0, *weights, int(rng.randint(1, x.shape[1] + 3)))


def _layers(rng: Random) -> tuple:
    N, T, D, H = _some(rng, 4)
    L = int(rng.randint(1, 4))
    W = [_normal(rng, (below + H, H)) for below in [D] + [H] * (L - 1)]
    return _normal(rng, (N, T, D)), _normal(rng, (L, N, H)), W, _normal(rng, (L, H))


def _tokens(rng: Random) -> tuple:
    N, T, V = _some(rng, 3)
    return _spread(rng, (N, T, V)), rng.randint(0, V, (N, T)), rng.rand(N, T) < rng.rand()


def _gated_step(rng: Random) -> tuple:
    N, D, H = _some(rng, 3)
    return _normal(rng, (N, D)), *_gates(rng, N, D, H)


def _gated_sequences(rng: Random) -> tuple:
    N, T, D, H = _some(rng, 4)
    return _normal(rng, (N, T, D)), *_gates(rng, N, D, H)


def _gates(rng: Random, N: int, D: int, H: int) -> tuple:
    """State, memory and weights of an LSTM, from gates near a half to gates open or shut."""
    scale = 10.0 ** rng.uniform(-1, 1)
    shapes = ((N, H), (N, H), (D, 4 * H), (H, 4 * H), (4 * H,))
    h, c, *weights = (_normal(rng, shape) for shape in shapes)
    return h, c, *(scale * w for w in weights)


def _flow(rng: Random) -> tuple:
    N, T, H = _some(rng, 3)
    activation = str(rng.choice(["tanh", "relu", "linear"]))
    bend = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "linear": np.array}[activation]
    dh = _normal(rng, (N, T, H)) * (rng.rand(N, T, 1) < rng.rand())  # some steps have no loss
    Wh = _normal(rng, (H, H)) * 10.0 ** rng.uniform(-1, 1)
    return dh, bend(2 * _normal(rng, (N, T, H))), Wh, *_given(rng, activation)


def _reset_step(rng: Random) -> tuple:
    N, D, H = _some(rng, 3)
    scale = 10.0 ** rng.uniform(-1, 1)
    weights = (scale * _normal(rng, shape) for shape in ((D, 3 * H), (H, 3 * H), (3 * H,)))
    return _normal(rng, (N, D)), _normal(rng, (N, H)), *weights


def _gated_layers(rng: Random) -> tuple:
    N, T, D, H, L = _some(rng, 5)
    starts, layers = [], []
    for below in [D] + [H] * (L - 1):
        *start, Wx, Wh, b = _gates(rng, N, below, H)
        starts.append(start)
        layers.append((Wx, Wh, b))
    h0, c0 = map(np.stack, zip(*starts, strict=True))
    return _normal(rng, (N, T, D)), h0, c0, layers


def _gated_there_and_back(rng: Random) -> tuple:
    x, h0, *rest = _gated_sequences(rng)
    return x, h0, *rest, _normal(rng, (*x.shape[:2], h0.shape[1]))


def _widths(rng: Random) -> tuple:
    return (*_some(rng, 2, 9), *_given(rng, float(rng.standard_normal()), int(rng.randint(1000))))


def _words(rng: Random) -> tuple:
    N, T, V, D = _some(rng, 4)
    return rng.randint(0, V, (N, T)), _normal(rng, (V, D))


def _character_model(rng: Random) -> dict[str, np.ndarray]:
    V, H = _some(rng, 2)
    shapes = {"Wx": (V, H), "Wh": (H, H), "b": (H,), "Wy": (H, V), "by": (V,)}
    return {name: _normal(rng, shape) for name, shape in shapes.items()}


def _writing(rng: Random) -> tuple:
    p = _character_model(rng)
    h0, first = _normal(rng, (1, len(p["b"]))), int(rng.randint(len(p["by"])))
    temperature = float(rng.choice([0.0, rng.uniform(0.01, 5)]))
    return (p, h0, first, int(rng.randint(0, 9)), *_given(rng, temperature, int(rng.randint(99))))


def _text_of(rng: Random) -> list[str]:
    """Captions of one word and more, of words that come often and of words that come once."""
    letters = [*"ABCabc.-'é2"]
    known = ["".join(rng.choice(letters, rng.randint(1, 5))) for _ in range(rng.randint(1, 40))]
    sizes = rng.randint(1, 25, rng.randint(1, 9))
    captions = [" ".join(known[int(len(known) * rng.rand() ** 3)] for _ in range(n)) for n in sizes]
    return rng.permutation(captions + captions[: rng.randint(3)]).tolist()  # some come twice


def _vocabulary(rng: Random) -> tuple:
    return (_text_of(rng), *_given(rng, int(rng.randint(1, 6))))


def _captions(rng: Random) -> tuple:
    captions = _text_of(rng)
    found = sorted({word for caption in captions for word in caption.split()})
    words = ["<NULL>", "<START>", "<END>", "<UNK>", *(w for w in found if rng.rand() < 0.8)]
    return captions, words, *_given(rng, int(rng.randint(1, 30)))


def _seen_sequences(rng: Random) -> tuple:
    N, T, D, C, H = _some(rng, 5)
    shapes = ((N, T, D), (N, C), (D, H), (H, H), (C, H), (H,))
    arrays = (_normal(rng, shape) for shape in shapes)
    return (*arrays, *_given(rng, bool(rng.rand() < 0.5)))


def _gradients(rng: Random) -> tuple:
    grads = {f"W{k}": _any_shape(rng)[0] for k in range(rng.randint(1, 5))}
    return grads, float(10.0 ** rng.uniform(-2, 2))


def _adaptive(rng: Random, decay: bool) -> tuple:
    shape = _some(rng, rng.randint(1, 4))
    w, dw, memory = (_normal(rng, shape) * 10.0 ** rng.uniform(-5, 1) for _ in range(3))
    rates = (rng.rand(), *([rng.rand()] if decay else []), 10.0 ** rng.uniform(-9, 0))
    return w, dw, memory**2, *_given(rng, *rates)


def _text(rng: Random) -> tuple:
    p, steps, seq_length = _character_model(rng), int(rng.randint(0, 6)), int(rng.randint(1, 5))
    short = rng.rand() < 0.8
    n = (seq_length if short else 25) + int(rng.randint(1, 12))
    ids = rng.randint(0, len(p["by"]), n)
    return (ids, p, steps, *((seq_length, *_given(rng, rng.rand())) if short else ()))


def _gates_of_03(rng: Random) -> tuple:
    dtype = rng.choice([np.float32, np.float64])
    D, H = _some(rng, 2)
    return tuple(_normal(rng, s).astype(dtype) for s in ((D, 4 * H), (H, 4 * H), (4 * H,)))


def _captioner(rng: Random) -> tuple:
    N, T, V, C, W, H = _some(rng, 6)
    dtype, scale = str(rng.choice(["float32", "float64"])), 10.0 ** rng.uniform(-1, 1)

    def drawn(*shape: int) -> Any:
        return floats(scale * _normal(rng, shape), dtype)

    # in train mode only what is certain: to drop nothing, or everything
    training, p = rng.rand() < 0.4, float(rng.choice([0, 1]))
    model = {
        "dropout": ("Dropout", p if training else rng.rand()),
        "project": ("Linear", drawn(H, C), drawn(H)),
        "words": ("Embedding", drawn(V, W)),
        "cell": ("LSTMCell", drawn(4 * H, W), drawn(4 * H, H), drawn(4 * H), drawn(4 * H)),
        "output": ("Linear", drawn(V, H), drawn(V)),
    }
    return module(model, training=training), drawn(N, C), whole(rng.randint(0, V, (N, T)))


def _masked_scores(rng: Random) -> tuple:
    logits, targets, mask = _tokens(rng)
    mask.flat[rng.randint(mask.size)] = True  # of no word at all there is no mean
    dtype = str(rng.choice(["float32", "float64"]))
    return floats(logits, dtype), whole(targets), truths(mask)


def _counts(rng: Random) -> tuple:
    V = int(rng.randint(1, 30))
    return ([int(n) for n in rng.randint(0, int(10 ** rng.uniform(0.5, 8)), V)],)


def _speaking(rng: Random) -> tuple:
    states, V = int(rng.randint(1, 4)), int(rng.randint(4, 9))
    scores = _normal(rng, (states, V, V)) * 10.0 ** rng.uniform(-1, 1)
    scores[rng.rand(*scores.shape) < 0.2] = -np.inf
    scores[..., 2] = rng.standard_normal()  # <END> is possible, <NULL> and <START> never are
    scores[..., :2] = -np.inf
    log_probs = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    following = whole(rng.randint(0, states, (states, V)))
    step = table_step(floats(log_probs, str(rng.choice(["float32", "float64"]))), following)
    temperature = float(rng.choice([0.0, rng.uniform(0.01, 5)]))
    options = _given(rng, int(rng.randint(0, 9)), temperature, int(rng.randint(99)))
    return step, whole(rng.randint(0, states, 1)), *options


def _array_table(rng: Random, start: int, end: int) -> tuple:
    """A step of arrays and a state of one row; `start` is never said, `end` always possible."""
    V, columns = int(rng.randint(3, 9)), _some(rng, rng.randint(1, 3), 3)
    V = max(V, start + 1, end + 1)
    scores = _normal(rng, (*columns, V, V)) * 10.0 ** rng.uniform(-1, 1)
    scores[rng.rand(*scores.shape) < 0.2] = -np.inf
    scores[..., start] = -np.inf
    scores[..., end] = _normal(rng, scores.shape[:-1]) + rng.uniform(-3, 3)
    log_probs = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    following = np.stack([rng.randint(0, S, (*columns, V)) for S in columns], axis=-1)
    state = np.array([[rng.randint(S) for S in columns]])
    if len(columns) == 1:
        following, state = following[..., 0], state[:, 0]
    return table_step(log_probs, following), state, V


def _sentence(rng: Random) -> tuple:
    start = int(rng.choice([1, 1, 0, 4]))
    step, state, V = _array_table(rng, start, 2)
    words = [w for w in range(V) if w not in (start, 2)]
    tokens = [int(w) for w in rng.choice(words, rng.randint(0, 9))] if words else []
    tokens += [2] * int(rng.randint(2))
    return step, state, tokens, *(() if start == 1 else (start,))


def _lengths(rng: Random) -> tuple:
    N, T = _some(rng, 2, 6)
    shapes = [((), ()), ((N,), (N,)), ((N,), ()), ((), (T,)), ((N, T), (T,)), ((N, 1), (T,))]
    of_log_prob, of_length = shapes[rng.randint(len(shapes))]
    log_prob = -rng.exponential(10, of_log_prob)
    log_prob = np.where(rng.rand(*of_log_prob) < 0.1, -np.inf, log_prob)
    length = rng.randint(1, 25, of_length)
    alpha = float(rng.choice([0.0, 1.0, rng.uniform(0, 3)]))
    return (
        log_prob if of_log_prob else float(log_prob),
        length if of_length else int(length),
        *_given(rng, alpha),
    )


def _search(rng: Random) -> tuple:
    start, end = (int(w) for w in ((1, 2) if rng.rand() < 0.7 else rng.permutation(5)[:2]))
    step, state, _ = _array_table(rng, start, end)
    beam, max_len = int(rng.randint(1, 12)), int(rng.randint(1, 9))
    alpha = float(rng.choice([0.0, 0.0, 1.0, rng.uniform(0, 2)]))
    more = (start, end, alpha)
    return step, state, beam, max_len, *(() if more == (1, 2, 0.0) else more)


def _drawn_words(rng: Random) -> tuple:
    M, H, V = _some(rng, 3)
    sampled = rng.permutation(V)[: rng.randint(1, V + 1)]
    dtype, scale = str(rng.choice(["float32", "float64"])), 10.0 ** rng.uniform(-1, 2)
    h, W, b = (floats(scale * _normal(rng, shape), dtype) for shape in ((M, H), (V, H), (V,)))
    log_expected = floats(np.log(rng.uniform(1e-4, 1, V)), dtype)
    return h, W, b, whole(rng.randint(0, V, M)), whole(sampled), log_expected


def _captions_and_references(rng: Random) -> tuple[list[str], list[list[str]]]:
    """Captions of no word and more, of few words in all, some with parts of their references."""
    known = [*dict.fromkeys(word for caption in _text_of(rng) for word in caption.split())]
    known = known[: rng.randint(1, 12)]

    def caption() -> str:
        return " ".join(rng.choice(known, rng.randint(0, 12)).tolist())

    references = [[caption() for _ in range(rng.randint(1, 6))] for _ in range(rng.randint(1, 6))]
    candidates = [
        _near(rng, several[0]) if rng.rand() < 0.6 else caption() for several in references
    ]
    return candidates, references


def _near(rng: Random, caption: str) -> str:
    """A part of a caption, said once or twice."""
    words = caption.split()
    return " ".join(words[rng.randint(3) : rng.randint(1, 14)] * rng.randint(1, 3))


def _scored(rng: Random) -> tuple:
    options = _given(rng, int(rng.randint(1, 7)), bool(rng.rand() < 0.6))
    return *_captions_and_references(rng), *options


def _one_scored(rng: Random) -> tuple:
    (candidate, *_), (references, *_) = _captions_and_references(rng)
    beta = rng.choice([1.0, 2.0, rng.uniform(0.01, 10)])
    return candidate, references, *_given(rng, float(beta))


def _consensus(rng: Random) -> tuple:
    """A caption, its references, df of some of their n-grams, pictures, and sigma or not."""
    (candidate, *_), (references, *_) = _captions_and_references(rng)
    pictures, df = int(10 ** rng.uniform(0, 5)), {}
    for caption in (candidate, *references):
        words = caption.split()
        for n in range(1, 5):
            for i in range(len(words) - n + 1):
                if rng.rand() < 0.7:
                    df[" ".join(words[i : i + n])] = int(rng.randint(1, pictures + 1))
    return candidate, references, df, pictures, *_given(rng, float(10 ** rng.uniform(-0.5, 1.5)))


def _weighed(rng: Random) -> tuple:
    candidate, _, df, pictures, *_ = _consensus(rng)
    return candidate, df, pictures


def _paired(rng: Random) -> tuple:
    """Two captions, stems of some of their words, and lists of words that may share some."""
    (candidate, *_), ((reference, *_), *_) = _captions_and_references(rng)
    known = sorted({*candidate.split(), *reference.split(), "a", "go", "went"})
    stems = {word: str(rng.choice(known)) for word in known if rng.rand() < 0.4}
    lists = [rng.choice(known, rng.randint(1, 5)).tolist() for _ in range(rng.randint(0, 5))]
    return candidate, reference, stems, lists


def _looks(rng: Random) -> tuple:
    """Maps over a square grid, of which cells may be equal, and what is seen of the objects."""
    M, side, S = (int(n) for n in rng.randint(1, (9, 9, 33)))
    alpha = rng.rand(M, side * side) ** rng.uniform(0, 8)
    alpha = np.round(alpha, 1) + 0.01 if rng.rand() < 0.3 else alpha
    masks = rng.rand(M, S, S) < rng.rand() ** 3
    masks[np.arange(M), *rng.randint(0, S, (2, M))] = True
    dtype = str(rng.choice(["float32", "float64"]))
    alpha = floats(alpha / alpha.sum(1, keepdims=True), dtype)
    return alpha, truths(masks), whole(rng.randint(1, rng.randint(2, 6), M))


def _regions(rng: Random) -> tuple:
    """Logits from all but equal to far apart, of regions that may not be there."""
    N, L, V = _some(rng, 3)
    dtype = str(rng.choice(["float32", "float64"]))
    logits = _normal(rng, (N, L, V)) * 10.0 ** rng.uniform(-2, 3) + rng.uniform(-5, 5)
    mask = rng.rand(N, L) < rng.rand() ** 0.3
    return floats(logits, dtype), *_given(rng, None if rng.rand() < 0.2 else truths(mask))


def _asking(rng: Random) -> tuple:
    """A model of additive attention, with other parts or without, what it asks and of what."""
    N, L, Q, A = _some(rng, 4)
    drawn = _tensors(rng)
    parts = {"query": _linear(drawn, Q, A), "score": _linear(drawn, A, 1)}
    return module(_among_others(rng, parts, drawn)), drawn(N, Q), drawn(N, L, A)


def _scored_regions(rng: Random) -> tuple:
    """Scores from all but equal to far apart, and a mask or none."""
    N, L, C = _some(rng, 3)
    dtype = str(rng.choice(["float32", "float64"]))
    scores, a = (floats(x, dtype) for x in (_spread(rng, (N, L)), _normal(rng, (N, L, C))))
    return scores, a, *_given(rng, _seen(rng, N, L))


def _looking_step(rng: Random) -> tuple:
    N, L, C, H, W, A = _some(rng, 6)
    drawn = _tensors(rng)
    parts = {
        "query": _linear(drawn, H + W, A),
        "score": _linear(drawn, A, 1),
        "gate": _linear(drawn, H, 1),
        "cell": ("LSTMCell", drawn(4 * H, W + C), drawn(4 * H, H), drawn(4 * H), drawn(4 * H)),
    }
    shapes = ((N, W), (N, H), (N, H), (N, L, C), (N, L, A))
    inputs = (drawn(*shape) for shape in shapes)
    return module(_among_others(rng, parts, drawn)), *inputs, *_given(rng, _seen(rng, N, L))


def _tensors(rng: Random) -> Callable[..., Any]:
    """What draws tensors of one type and one scale."""
    dtype, scale = str(rng.choice(["float32", "float64"])), 10.0 ** rng.uniform(-1, 1)
    return lambda *shape: floats(scale * _normal(rng, shape), dtype)


def _linear(drawn: Callable[..., Any], into: int, out: int) -> tuple:
    return "Linear", drawn(out, into), drawn(out)


def _among_others(rng: Random, parts: dict, drawn: Callable[..., Any]) -> dict:
    """The parts in any order, perhaps among others."""
    more = {f"part{k}": _linear(drawn, *_some(rng, 2)) for k in range(rng.randint(3))}
    several = {**parts, **more}
    return {name: several[name] for name in rng.permutation([*several]).tolist()}


def _seen(rng: Random, N: int, L: int) -> Any:
    """A mask (N, L) with a region or more in each row, or None."""
    mask = rng.rand(N, L) < rng.rand()
    mask[np.arange(N), rng.randint(0, L, N)] = True
    return None if rng.rand() < 0.3 else truths(mask)


def _looked_at(rng: Random, shape: tuple[int, ...]) -> np.ndarray:
    """Weights (.., L) that add up to 1, from even ones to one that has all; some are exactly 0."""
    some = rng.rand(*shape) < rng.rand()
    some[..., rng.randint(shape[-1])] = True
    weights = np.exp(_normal(rng, shape) * 10.0 ** rng.uniform(-1, 1)) * some
    return weights / weights.sum(-1, keepdims=True)


def _real_words(rng: Random, N: int, T: int) -> np.ndarray:
    return np.arange(T) < rng.randint(1, T + 1, (N, 1))


def _weights_of_words(rng: Random) -> tuple:
    N, T, L = _some(rng, 3)
    real, dtype = _real_words(rng, N, T), str(rng.choice(["float32", "float64"]))
    padding = rng.choice([0.0, 1.0, 1e6, np.inf, np.nan]) * _normal(rng, (N, T, L))
    alpha = np.where(real[..., None], _looked_at(rng, (N, T, L)), padding)
    return floats(alpha, dtype), truths(real)


def _look(rng: Random) -> tuple:
    N, L, C = _some(rng, 3)
    dtype, alpha = str(rng.choice(["float32", "float64"])), _looked_at(rng, (N, L))
    sums = np.concatenate([np.zeros((N, 1)), alpha.cumsum(1)], axis=1)
    at_edge = sums[np.arange(N), rng.randint(0, L, N)]
    u = np.where(rng.rand(N) < 0.3, at_edge, rng.rand(N))
    below = np.nextafter(np.array(1, dtype), np.array(0, dtype))
    return (
        floats(alpha, dtype),
        floats(_normal(rng, (N, L, C)), dtype),
        floats(np.minimum(np.where(rng.rand(N) < 0.1, below, u), below), dtype),
    )


def _rewarded(rng: Random) -> tuple:
    N, T, L = _some(rng, 3)
    real, dtype = _real_words(rng, N, T), str(rng.choice(["float32", "float64"]))
    alpha = _looked_at(rng, (N, T, L))
    k = np.argmax((alpha > 0) * rng.rand(N, T, L), axis=-1)[..., None]
    parts = rng.exponential(2, (N, T)), np.log(np.take_along_axis(alpha, k, -1)[..., 0]), alpha
    size = rng.choice([0.0, 1.0, 1e3])
    parts = (
        np.where(real if p.ndim == 2 else real[..., None], p, size * _normal(rng, p.shape))
        for p in parts
    )
    baseline, decay, weight = rng.uniform(-30, 0), rng.rand(), 10.0 ** rng.uniform(-3, 0)
    tensors = (floats(part, dtype) for part in parts)
    return *tensors, truths(real), float(baseline), *_given(rng, float(decay), float(weight))


def _regions_and_words(rng: Random) -> tuple:
    N, M, L, T, C, D = _some(rng, 6)
    drawn = _tensors(rng)
    return drawn(N, L, C), drawn(M, T, D), drawn(C, D), drawn(D)


def _pairs_of_sentences(rng: Random) -> tuple:
    """Scores from all but equal to far apart, some of them equal; some sentences have no word."""
    N, M, L, T = _some(rng, 4)
    scores = _spread(rng, (N, M, L, T)) if rng.rand() < 0.5 else _normal(rng, (N, M, L, T))
    scores = np.round(scores) if rng.rand() < 0.3 else scores
    seen = rng.rand(N, L) < rng.rand()
    seen[np.arange(N), rng.randint(0, L, N)] = True
    real = np.arange(T) < rng.randint(0, T + 1, (M, 1))
    dtype = str(rng.choice(["float32", "float64"]))
    return floats(scores, dtype), truths(real), truths(seen)


def _queries(rng: Random) -> tuple:
    """Scores from all but equal to far apart, in some draws mostly equal, and what is right."""
    Q, items = _some(rng, 2, 12)
    scores = _spread(rng, (Q, items)) if rng.rand() < 0.5 else _normal(rng, (Q, items))
    scores = np.round(scores) if rng.rand() < 0.4 else scores
    most = int(rng.randint(1, items + 1))
    truth = [rng.permutation(items)[: rng.randint(1, most + 1)].tolist() for _ in range(Q)]
    return floats(scores, str(rng.choice(["float32", "float64"]))), truth


def _pairs(rng: Random) -> tuple:
    """Scores of pictures and sentences, of which the right ones may be ahead, and a margin."""
    N, dtype = int(rng.randint(1, 9)), str(rng.choice(["float32", "float64"]))
    S = _normal(rng, (N, N)) * 10.0 ** rng.uniform(-2, 3) + rng.uniform(-100, 100)
    S += rng.choice([0.0, 1.0, 3.0]) * S.std() * np.eye(N)
    margin = rng.choice([0, 1, 3]) if rng.rand() < 0.3 else S.std() * rng.exponential()
    margin = int(margin) if margin == int(margin) else float(margin)
    return floats(S, dtype), margin, *_given(rng, bool(rng.rand() < 0.6))


def _sentence_in_regions(rng: Random) -> tuple:
    """Scores of regions and words from all but equal to far apart, and no bonus to a huge one."""
    L, T = _some(rng, 2, 9)
    dtype, scores = str(rng.choice(["float32", "float64"])), _spread(rng, (L, T))
    beta = rng.choice([0.0, 0.1, 0.5, 1.0, 2.0, 30.0]) * max(scores.std(), 1e-3)
    return floats(scores, dtype), float(beta)


def _some(rng: Random, count: int, most: int = 5) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.randint(1, most + 1, count))


def _normal(rng: Random, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def _spread(rng: Random, shape: tuple[int, ...]) -> np.ndarray:
    """Scores from all but equal to far apart."""
    return _normal(rng, shape) * 10.0 ** rng.uniform(-2, 3) + rng.uniform(-1000, 1000)


def _given(rng: Random, *values: object) -> tuple:
    """The first few of the arguments that have a default; most often all."""
    return values[: rng.randint(0, len(values) + 1)] if rng.rand() < 0.2 else values


_DRAWS = {
    "mean_colour": _pictures,
    "affine_forward": _affine,
    "relu_forward": _any_shape,
    "softmax_loss": _scores,
    "conv_forward_naive": _convolution,
    "max_pool_forward": _pool,
    "im2col": _columns,
    "conv_forward": _convolution,
    "sgd_momentum": _momentum,
    "vgg_shapes": _stack,
    "one_hot": _symbols,
    "rnn_step_forward": _step,
    "temporal_softmax_loss": _tokens,
    "rnn_forward": _sequences,
    "word_embedding_forward": _words,
    "sample_characters": _writing,
    "truncated_chunks": _chunks,
    "clip_gradients": _gradients,
    "adagrad": lambda rng: _adaptive(rng, decay=False),
    "rmsprop": lambda rng: _adaptive(rng, decay=True),
    "fix_min_char_rnn": _text,
    "multilayer_rnn_forward": _layers,
    "lstm_step_forward": _gated_step,
    "lstm_forward": _gated_sequences,
    "lstm_init": _widths,
    "gradient_norms": _flow,
    "gru_step_forward": _reset_step,
    "stacked_lstm_forward": _gated_layers,
    "fix_lstm": _gated_there_and_back,
    "build_vocabulary": _vocabulary,
    "encode_captions": _captions,
    "caption_rnn_forward": _seen_sequences,
    "lstm_to_torch": _gates_of_03,
    "lstm_caption_forward": _captioner,
    "masked_cross_entropy": _masked_scores,
    "init_output_bias": _counts,
    "sample_caption": _speaking,
    "sampled_softmax_loss": _drawn_words,
    "sequence_log_prob": _sentence,
    "length_normalized_score": _lengths,
    "beam_search": _search,
    "clipped_precision": lambda rng: (*_captions_and_references(rng), int(rng.randint(1, 7))),
    "brevity_penalty": _captions_and_references,
    "bleu": _scored,
    "rouge_l": _one_scored,
    "cider_vectors": _weighed,
    "cider_d": _consensus,
    "meteor_score": _paired,
    "attention_scores": _asking,
    "soft_attention": _scored_regions,
    "attention_lstm_step": _looking_step,
    "doubly_stochastic_penalty": _weights_of_words,
    "hard_attention_sample": _look,
    "reinforce_loss": _rewarded,
    "pointing_accuracy": _looks,
    "noisy_or": _regions,
    "ranking_loss": _pairs,
    "smooth_alignment": _sentence_in_regions,
    "region_word_scores": _regions_and_words,
    "image_sentence_score": _pairs_of_sentences,
    "recall_at_k": lambda rng: (*_queries(rng), int(rng.randint(1, 15))),
    "median_rank": _queries,
}
