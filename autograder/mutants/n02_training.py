"""Wrong answers to notebook 02's exercises on words, sampling and training."""

import numpy as np

from autograder.mutants import mutant

# ------------------------------------------------------------------------- word_embedding_forward


def _embedded(x, W):
    return W[x], (x, W)


@mutant("word_embedding_forward")
def words_flattened(x, W):
    """The axes of x are flattened into one."""
    return W[x.ravel()], (x, W)


@mutant("word_embedding_forward")
def words_in_columns(x, W):
    """A word's vector is taken for a column of W."""
    return np.moveaxis(W.T[:, x], 0, 1), (x, W)


@mutant("word_embedding_forward")
def words_by_take(x, W):
    """`np.take` without an axis reads W as one long row of numbers."""
    return np.take(W, x), (x, W)


@mutant("word_embedding_forward")
def words_from_one(x, W):
    """It counts words from one."""
    return W[x - 1], (x, W)


@mutant("word_embedding_forward")
def words_one_too_far(x, W):
    """It takes the row after the word's own."""
    return np.roll(W, -1, axis=0)[x], (x, W)


@mutant("word_embedding_forward")
def words_time_first(x, W):
    """Time is the first axis, not the batch."""
    return W[x.T], (x, W)


@mutant("word_embedding_forward")
def words_summed(x, W):
    """A sentence becomes the sum of its words' vectors."""
    return W[x].sum(axis=1), (x, W)


@mutant("word_embedding_forward")
def words_first_sentence_for_all(x, W):
    """All sentences get the words of the first."""
    return np.repeat(W[x[:1]], len(x), axis=0), (x, W)


@mutant("word_embedding_forward")
def words_sized_by_data(x, W):
    """One-hot vectors as long as the largest word plus one do not fit W."""
    return np.eye(x.max() + 1)[x] @ W, (x, W)


@mutant("word_embedding_forward")
def words_without_null(x, W):
    """Word 0 is taken for padding: its vector is zero."""
    return W[x] * (x != 0)[..., None], (x, W)


@mutant("word_embedding_forward")
def words_null_in_place(x, W):
    """The row of word 0 is set to zero in the caller's W."""
    W[0] = 0
    return W[x], (x, W)


@mutant("word_embedding_forward")
def words_float32(x, W):
    """It returns float32."""
    return W.astype(np.float32)[x], (x, W)


@mutant("word_embedding_forward")
def words_without_cache(x, W):
    """The cache is not returned."""
    return W[x]


@mutant("word_embedding_forward")
def words_squeezed(x, W):
    """Axes of length 1 are lost."""
    return np.squeeze(W[x]), (x, W)


@mutant("word_embedding_forward")
def words_signed_bytes(x, W):
    """Words are cast to a signed byte: wrong from 128 on."""
    return W[x.astype(np.int8)], (x, W)


@mutant("word_embedding_forward")
def words_bytes(x, W):
    """Words are cast to a byte: wrong from 256 on."""
    return W[x.astype(np.uint8)], (x, W)


@mutant("word_embedding_forward")
def words_choose_columns(x, W):
    """W[:, x]: the words choose columns."""
    return W[:, x], (x, W)


@mutant("word_embedding_forward")
def words_scaled(x, W):
    """The vectors are multiplied by the root of D, as in a transformer."""
    return W[x] * np.sqrt(W.shape[1]), (x, W)


@mutant("word_embedding_forward")
def words_reshape_their_input(x, W):
    """`x.shape = (-1,)` flattens the caller's array as well."""
    shape = x.shape
    x.shape = (-1,)
    return W[x].reshape(*shape, -1), (x, W)


@mutant("word_embedding_forward")
def words_renumbered(x, W):
    """`np.unique` numbers the words that occur anew."""
    _, numbers = np.unique(x, return_inverse=True)
    return W[numbers.reshape(x.shape)], (x, W)


# ------------------------------------------------------------------------ word_embedding_backward

_words_back = mutant("word_embedding_backward", word_embedding_forward=_embedded)


def _rows(dout, x, V):
    """The right gradient."""
    dW = np.zeros((V, dout.shape[-1]))
    np.add.at(dW, x, dout)
    return dW


@_words_back
def words_back_assigned(dout, cache):
    """`dW[x] = dout`: the last occurrence of a word wins."""
    x, W = cache
    dW = np.zeros_like(W)
    dW[x] = dout
    return dW


@_words_back
def words_back_buffered(dout, cache):
    """`dW[x] += dout` adds once for each row, however often it is named."""
    x, W = cache
    dW = np.zeros(W.shape)
    dW[x] += dout
    return dW


@_words_back
def words_back_buffered_by_sentence(dout, cache):
    """`dW[x[n]] += dout[n]`: a word that occurs twice in a sentence counts once."""
    x, W = cache
    dW = np.zeros(W.shape)
    for words, rows in zip(x, dout, strict=True):
        dW[words] += rows
    return dW


@_words_back
def words_back_buffered_by_step(dout, cache):
    """`dW[x[:, t]] += dout[:, t]`: a word that two sentences have in the same place counts once."""
    x, W = cache
    dW = np.zeros(W.shape)
    for t in range(x.shape[1]):
        dW[x[:, t]] += dout[:, t]
    return dW


@_words_back
def words_back_first_wins(dout, cache):
    """Each word is looked for once: its first occurrence is found."""
    x, W = cache
    dW, rows = np.zeros(W.shape), dout.reshape(-1, dout.shape[-1])
    words, firsts = np.unique(x.ravel(), return_index=True)
    dW[words] = rows[firsts]
    return dW


@_words_back
def words_back_sized_by_data(dout, cache):
    """dW has as many rows as the largest word plus one."""
    x, _ = cache
    return _rows(dout, x, x.max() + 1)


@_words_back
def words_back_only_what_occurs(dout, cache):
    """dW has a row for each different word of x."""
    x, W = cache
    return _rows(dout, x, len(W))[np.unique(x)]


@_words_back
def words_back_averaged(dout, cache):
    """The mean over a word's occurrences."""
    x, W = cache
    often = np.bincount(x.ravel(), minlength=len(W))
    return _rows(dout, x, len(W)) / np.maximum(often, 1)[:, None]


@_words_back
def words_back_mean_over_batch(dout, cache):
    """It is divided by N."""
    x, W = cache
    return _rows(dout, x, len(W)) / len(x)


@_words_back
def words_back_one_hot_over_time(dout, cache):
    """The one-hot product sums over the sentences and takes the first step only."""
    x, W = cache
    return np.eye(len(W))[x[:, 0]].T @ dout[:, 0]


@_words_back
def words_back_transposed(dout, cache):
    """The one-hot product the other way round: (D, V)."""
    x, W = cache
    return _rows(dout, x, len(W)).T


@_words_back
def words_back_into_w(dout, cache):
    """`dW = W` is no copy: the gradient is added to the weights."""
    x, W = cache
    np.add.at(W, x, dout)
    return W


@_words_back
def words_back_clears_w(dout, cache):
    """`dW = W; dW[:] = 0`: the gradient is right, and W is gone."""
    x, W = cache
    W[...] = 0
    np.add.at(W, x, dout)
    return W


@_words_back
def words_back_starts_from_w(dout, cache):
    """It starts from a copy of W, not from zeros."""
    x, W = cache
    return W + _rows(dout, x, len(W))


@_words_back
def words_back_without_null(dout, cache):
    """Word 0 is taken for padding: its row is zero."""
    x, W = cache
    dW = _rows(dout, x, len(W))
    dW[0] = 0
    return dW


@_words_back
def words_back_counts(dout, cache):
    """It counts the words; dout is not used."""
    x, W = cache
    return _rows(np.ones_like(dout), x, len(W))


@_words_back
def words_back_from_one(dout, cache):
    """It counts words from one."""
    x, W = cache
    return _rows(dout, x - 1, len(W))


@_words_back
def words_back_scaled(dout, cache):
    """`dout *= 2` changes the caller's gradient, and doubles it."""
    x, W = cache
    dout *= 2
    return _rows(dout, x, len(W)) / 2


@_words_back
def words_back_float32(dout, cache):
    """It returns float32."""
    x, W = cache
    return _rows(dout, x, len(W)).astype(np.float32)


@_words_back
def words_back_noise(dout, cache):
    """np.empty in the place of np.zeros: rows of absent words hold anything."""
    x, W = cache
    return _rows(dout, x, len(W)) + 1e-9 * ~np.isin(np.arange(len(W)), x)[:, None]


def _embedded_globally(x, W):
    global _last_words
    _last_words = x
    return W[x], (x, W)


_last_words = None


@_words_back
def words_back_last_token_missing(dout, cache):
    """The last token of the batch is left out."""
    x, W = cache
    dW = np.zeros(W.shape)
    np.add.at(dW, x.ravel()[:-1], dout.reshape(x.size, -1)[:-1])
    return dW


@_words_back
def words_back_last_of_each_missing(dout, cache):
    """range(T - 1): the last word of each sentence is left out."""
    x, W = cache
    dW = np.zeros(W.shape)
    np.add.at(dW, x[:, :-1], dout[:, :-1])
    return dW


@_words_back
def words_back_largest_missing(dout, cache):
    """range(x.max()) ends before the largest word."""
    x, W = cache
    dW = np.zeros(W.shape)
    for word in range(x.max()):
        dW[word] = dout[x == word].sum(axis=0)
    return dW


def _embedded_with_gradient(x, W):
    return W[x], (x, np.zeros(W.shape))


@mutant("word_embedding_backward", word_embedding_forward=_embedded_with_gradient)
def words_back_into_the_cache(dout, cache):
    """dW is kept in the cache: a second call adds to that of the first."""
    x, dW = cache
    np.add.at(dW, x, dout)
    return dW


@_words_back
def words_back_bytes(dout, cache):
    """Words are cast to a byte."""
    x, W = cache
    dW = np.zeros(W.shape)
    np.add.at(dW, x.astype(np.uint8), dout)
    return dW


@mutant("word_embedding_backward", word_embedding_forward=_embedded_globally)
def words_back_of_the_last_batch(dout, cache):
    """The words lie in a global: those of the last call."""
    x, W = cache
    return _rows(dout, _last_words if _last_words.shape == x.shape else x * 0, len(W))


@mutant("word_embedding_backward", word_embedding_forward=words_from_one)
def words_back_of_a_wrong_forward(dout, cache):
    """Right, after a forward function that is not."""
    x, W = cache
    return _rows(dout, x - 1, len(W))


# ------------------------------------------------------------------------------ sample_characters


def _step(p, h, x):
    return np.tanh(p["Wx"][x] + h @ p["Wh"] + p["b"])


def _scores(p, h):
    return (h @ p["Wy"] + p["by"])[0]


def _softmax(scores, temperature):
    likely = np.exp((scores - scores.max()) / temperature)
    return likely / likely.sum()


def _drawn(rng, scores, temperature):
    if temperature == 0:
        return int(np.argmax(scores))
    return int(rng.choice(len(scores), p=_softmax(scores, temperature)))


def _write(p, h, first, n, temperature, seed, draw=_drawn, step=_step, scores=_scores):
    """The right answer, but for a part that is replaced."""
    rng, said = np.random.default_rng(seed), [first]
    for _ in range(n):
        h = step(p, h, said[-1])
        said.append(draw(rng, scores(p, h), temperature))
    return said[1:]


def _draw_by(chances):
    """Draw by other chances than the softmax's; temperature 0 is greedy."""

    def draw(rng, scores, temperature):
        if temperature == 0:
            return int(np.argmax(scores))
        return int(rng.choice(len(scores), p=chances(scores, temperature)))

    return draw


@mutant("sample_characters")
def sample_temperature_multiplied(p, h0, first, n, temperature=1.0, seed=0):
    """The scores are multiplied by the temperature."""
    draw = _draw_by(lambda scores, temperature: _softmax(scores, 1 / temperature))
    return _write(p, h0, first, n, temperature, seed, draw)


@mutant("sample_characters")
def sample_chances_to_the_temperature(p, h0, first, n, temperature=1.0, seed=0):
    """p**T in the place of p**(1/T)."""

    def chances(scores, temperature):
        raised = _softmax(scores, 1.0) ** temperature
        return raised / raised.sum()

    return _write(p, h0, first, n, temperature, seed, _draw_by(chances))


@mutant("sample_characters")
def sample_chances_over_temperature(p, h0, first, n, temperature=1.0, seed=0):
    """The temperature divides the probabilities, and cancels when they are normalised."""

    def chances(scores, temperature):
        divided = _softmax(scores, 1.0) / temperature
        return divided / divided.sum()

    return _write(p, h0, first, n, temperature, seed, _draw_by(chances))


@mutant("sample_characters")
def sample_temperature_ignored(p, h0, first, n, temperature=1.0, seed=0):
    """The temperature is not used, except that 0 is greedy."""
    return _write(p, h0, first, n, temperature and 1.0, seed)


@mutant("sample_characters")
def sample_divides_by_zero(p, h0, first, n, temperature=1.0, seed=0):
    """Temperature 0 divides by 0."""

    def draw(rng, scores, temperature):
        return int(rng.choice(len(scores), p=_softmax(scores, np.float64(temperature))))

    return _write(p, h0, first, n, temperature, seed, draw)


@mutant("sample_characters")
def sample_not_read_back(p, h0, first, n, temperature=1.0, seed=0):
    """`first` is read again at every step."""
    return _write(p, h0, first, n, temperature, seed, step=lambda p, h, x: _step(p, h, first))


@mutant("sample_characters")
def sample_state_not_carried(p, h0, first, n, temperature=1.0, seed=0):
    """Each step starts from h0."""
    return _write(p, h0, first, n, temperature, seed, step=lambda p, h, x: _step(p, h0, x))


@mutant("sample_characters")
def sample_h0_ignored(p, h0, first, n, temperature=1.0, seed=0):
    """The state starts from zeros."""
    return _write(p, np.zeros_like(h0), first, n, temperature, seed)


@mutant("sample_characters")
def sample_two_steps_a_symbol(p, h0, first, n, temperature=1.0, seed=0):
    """The state goes two steps for each symbol: once for the scores and once more after them."""
    twice = lambda p, h, x: _step(p, _step(p, h, x), x)  # noqa: E731
    return _write(p, h0, first, n, temperature, seed, step=twice)


@mutant("sample_characters")
def sample_without_by(p, h0, first, n, temperature=1.0, seed=0):
    """by is left out."""
    return _write(p, h0, first, n, temperature, seed, scores=lambda p, h: (h @ p["Wy"])[0])


@mutant("sample_characters")
def sample_minus_by(p, h0, first, n, temperature=1.0, seed=0):
    """`- by`, as in the lecture's listing."""
    minus = lambda p, h: (h @ p["Wy"] - p["by"])[0]  # noqa: E731
    return _write(p, h0, first, n, temperature, seed, scores=minus)


@mutant("sample_characters")
def sample_without_b(p, h0, first, n, temperature=1.0, seed=0):
    """b is left out."""
    step = lambda p, h, x: np.tanh(p["Wx"][x] + h @ p["Wh"])  # noqa: E731
    return _write(p, h0, first, n, temperature, seed, step=step)


@mutant("sample_characters")
def sample_wh_transposed(p, h0, first, n, temperature=1.0, seed=0):
    """Wh is used transposed."""
    step = lambda p, h, x: np.tanh(p["Wx"][x] + h @ p["Wh"].T + p["b"])  # noqa: E731
    return _write(p, h0, first, n, temperature, seed, step=step)


@mutant("sample_characters")
def sample_without_tanh(p, h0, first, n, temperature=1.0, seed=0):
    """The tanh is forgotten."""
    step = lambda p, h, x: p["Wx"][x] + h @ p["Wh"] + p["b"]  # noqa: E731
    return _write(p, h0, first, n, temperature, seed, step=step)


@mutant("sample_characters")
def sample_always_greedy(p, h0, first, n, temperature=1.0, seed=0):
    """The highest score wins whatever the temperature."""
    return _write(p, h0, first, n, 0, seed)


@mutant("sample_characters")
def sample_never_greedy(p, h0, first, n, temperature=1.0, seed=0):
    """At temperature 0 it draws at temperature 1."""
    return _write(p, h0, first, n, temperature or 1.0, seed)


@mutant("sample_characters")
def sample_lowest(p, h0, first, n, temperature=1.0, seed=0):
    """argmin at temperature 0."""

    def draw(rng, scores, temperature):
        return _drawn(rng, scores, temperature) if temperature else int(np.argmin(scores))

    return _write(p, h0, first, n, temperature, seed, draw)


@mutant("sample_characters")
def sample_evenly(p, h0, first, n, temperature=1.0, seed=0):
    """`rng.choice` without p: all symbols are equally likely."""
    draw = _draw_by(lambda scores, temperature: np.full(len(scores), 1 / len(scores)))
    return _write(p, h0, first, n, temperature, seed, draw)


@mutant("sample_characters")
def sample_with_first(p, h0, first, n, temperature=1.0, seed=0):
    """`first` is in the list: n + 1 symbols."""
    return [first, *_write(p, h0, first, n, temperature, seed)]


@mutant("sample_characters")
def sample_first_of_n(p, h0, first, n, temperature=1.0, seed=0):
    """`first` is in the list, in the place of the last symbol."""
    return [first, *_write(p, h0, first, n, temperature, seed)][:n]


@mutant("sample_characters")
def sample_one_short(p, h0, first, n, temperature=1.0, seed=0):
    """n - 1 symbols."""
    return _write(p, h0, first, max(n - 1, 0), temperature, seed)


@mutant("sample_characters")
def sample_reseeds(p, h0, first, n, temperature=1.0, seed=0):
    """A generator is made at each step: all draws are alike."""

    def draw(rng, scores, temperature):
        return _drawn(np.random.default_rng(seed), scores, temperature)

    return _write(p, h0, first, n, temperature, seed, draw)


@mutant("sample_characters")
def sample_seeds_numpy(p, h0, first, n, temperature=1.0, seed=0):
    """`np.random.seed` changes the state that all of NumPy shares."""
    np.random.seed(seed)
    draw = lambda rng, scores, temperature: _drawn(np.random, scores, temperature)  # noqa: E731
    return _write(p, h0, first, n, temperature, 0, draw)


@mutant("sample_characters")
def sample_seed_ignored(p, h0, first, n, temperature=1.0, seed=0):
    """The generator always has the same seed."""
    return _write(p, h0, first, n, temperature, 0)


@mutant("sample_characters")
def sample_without_a_seed(p, h0, first, n, temperature=1.0, seed=0):
    """The generator has no seed: other symbols at each call."""
    return _write(p, h0, first, n, temperature, None)


@mutant("sample_characters")
def sample_one_generator(p, h0, first, n, temperature=1.0, seed=0, _made={}):  # noqa: B006
    """The generator is made once and kept: a second call goes on where the first ended."""
    rng = _made.setdefault(seed, np.random.default_rng(seed))
    draw = lambda _, scores, temperature: _drawn(rng, scores, temperature)  # noqa: E731
    return _write(p, h0, first, n, temperature, 0, draw)


@mutant("sample_characters")
def sample_overflowing(p, h0, first, n, temperature=1.0, seed=0):
    """Scores are not shifted before the exponential."""

    def chances(scores, temperature):
        likely = np.exp(scores / temperature)
        return likely / likely.sum()

    return _write(p, h0, first, n, temperature, seed, _draw_by(chances))


@mutant("sample_characters")
def sample_shifts_after_dividing_wrongly(p, h0, first, n, temperature=1.0, seed=0):
    """The largest score is subtracted after the temperature has divided the others only."""

    def chances(scores, temperature):
        likely = np.exp(scores / temperature - scores.max())
        return likely / likely.sum()

    return _write(p, h0, first, n, temperature, seed, _draw_by(chances))


@mutant("sample_characters")
def sample_state_in_place(p, h0, first, n, temperature=1.0, seed=0):
    """The state is written over h0."""

    def step(p, h, x):
        h[...] = _step(p, h, x)
        return h

    return _write(p, h0, first, n, temperature, seed, step=step)


@mutant("sample_characters")
def sample_scales_weights(p, h0, first, n, temperature=1.0, seed=0):
    """`p["by"] /= temperature` changes the caller's weights."""
    if temperature:
        p["by"] /= temperature
        p["Wy"] /= temperature
    return _write(p, h0, first, n, temperature and 1.0, seed)


@mutant("sample_characters")
def sample_other_default_temperature(p, h0, first, n, temperature=0.5, seed=0):
    """Another default temperature."""
    return _write(p, h0, first, n, temperature, seed)


@mutant("sample_characters")
def sample_other_default_seed(p, h0, first, n, temperature=1.0, seed=1):
    """Another default seed."""
    return _write(p, h0, first, n, temperature, seed)


@mutant("sample_characters")
def sample_best_read_back(p, h0, first, n, temperature=1.0, seed=0):
    """A symbol is drawn, but the likeliest one is read back in."""
    rng, h, x, said = np.random.default_rng(seed), h0, first, []
    for _ in range(n):
        h = _step(p, h, x)
        x = int(np.argmax(_scores(p, h)))
        said.append(_drawn(rng, _scores(p, h), temperature))
    return said


@mutant("sample_characters")
def sample_state_carried_when_greedy_only(p, h0, first, n, temperature=1.0, seed=0):
    """Where it draws, each step starts from h0."""
    step = lambda p, h, x: _step(p, h0 if temperature else h, x)  # noqa: E731
    return _write(p, h0, first, n, temperature, seed, step=step)


@mutant("sample_characters")
def sample_greedy_below_a_third(p, h0, first, n, temperature=1.0, seed=0):
    """A low temperature is taken for 0."""
    return _write(p, h0, first, n, temperature if temperature > 0.3 else 0, seed)


@mutant("sample_characters")
def sample_with_relu(p, h0, first, n, temperature=1.0, seed=0):
    """max(0, .) where tanh belongs."""
    step = lambda p, h, x: np.maximum(p["Wx"][x] + h @ p["Wh"] + p["b"], 0)  # noqa: E731
    return _write(p, h0, first, n, temperature, seed, step=step)


@mutant("sample_characters")
def sample_scores_before_it_reads(p, h0, first, n, temperature=1.0, seed=0):
    """The scores come of the state before the symbol is read."""
    rng, h, said = np.random.default_rng(seed), h0, [first]
    for _ in range(n):
        symbol = _drawn(rng, _scores(p, h), temperature)
        h = _step(p, h, said[-1])
        said.append(symbol)
    return said[1:]


@mutant("sample_characters")
def sample_never_reads_first(p, h0, first, n, temperature=1.0, seed=0):
    """The first symbol comes of h0, and `first` is never read."""
    rng, h, said = np.random.default_rng(seed), h0, []
    for _ in range(n):
        said.append(_drawn(rng, _scores(p, h), temperature))
        h = _step(p, h, said[-1])
    return said


@mutant("sample_characters")
def sample_arrays(p, h0, first, n, temperature=1.0, seed=0):
    """Each symbol is an array of one number."""
    return [np.array([symbol]) for symbol in _write(p, h0, first, n, temperature, seed)]


@mutant("sample_characters")
def sample_text(p, h0, first, n, temperature=1.0, seed=0):
    """The symbols are joined to text."""
    return "".join(map(str, _write(p, h0, first, n, temperature, seed)))


# --------------------------------------------------------------------------------- clip_gradients


def _together(grads):
    return float(np.sqrt(sum(np.sum(grad**2) for grad in grads.values())))


def _scaled(grads, factor):
    return {name: factor * grad for name, grad in grads.items()}


def _clip(grads, max_norm):
    norm = _together(grads)
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_as_in_the_lecture(grads, max_norm):
    """The lecture's snippet: the square root is forgotten, so that max_norm / norm is left."""
    norm = float(sum(np.sum(grad * grad) for grad in grads.values()))
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_as_in_the_lecture_by_array(grads, max_norm):
    """The lecture's snippet, for each array alone."""
    clipped = {}
    for name, grad in grads.items():
        norm = np.sum(grad * grad)
        clipped[name] = grad * (max_norm / norm) if norm > max_norm else grad.copy()
    return clipped, float(sum(np.sum(grad * grad) for grad in grads.values()))


@mutant("clip_gradients")
def clip_root_in_the_norm_only(grads, max_norm):
    """The norm that is returned is right, the factor has no square root."""
    norm = _together(grads)
    return _scaled(grads, max_norm / norm**2 if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_compares_the_square(grads, max_norm):
    """The factor is right; the sum of squares is compared with max_norm."""
    norm = _together(grads)
    return _scaled(grads, max_norm / norm if norm**2 > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_each_array(grads, max_norm):
    """Each array is clipped by its own norm."""
    norms = {name: np.linalg.norm(grad) for name, grad in grads.items()}
    clipped = {n: grad * min(1, max_norm / max(norms[n], 1e-9)) for n, grad in grads.items()}
    return clipped, _together(grads)


@mutant("clip_gradients")
def clip_each_entry(grads, max_norm):
    """Entries are cut off at +-max_norm."""
    return {name: np.clip(g, -max_norm, max_norm) for name, g in grads.items()}, _together(grads)


@mutant("clip_gradients")
def clip_always(grads, max_norm):
    """Small gradients are scaled up to max_norm."""
    norm = _together(grads)
    return _scaled(grads, max_norm / norm if norm else 1.0), norm


@mutant("clip_gradients")
def clip_never(grads, max_norm):
    """Gradients are copied, nothing else."""
    return _scaled(grads, 1.0), _together(grads)


@mutant("clip_gradients")
def clip_to_one(grads, max_norm):
    """It scales to the norm 1, not to max_norm."""
    norm = _together(grads)
    return _scaled(grads, 1 / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_inverted(grads, max_norm):
    """norm / max_norm in the place of max_norm / norm."""
    norm = _together(grads)
    return _scaled(grads, norm / max_norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_to_zero(grads, max_norm):
    """Gradients above max_norm are thrown away."""
    norm = _together(grads)
    return _scaled(grads, 0.0 if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_in_place(grads, max_norm):
    """`grad *= factor` changes the caller's gradients."""
    norm = _together(grads)
    if norm > max_norm:
        for grad in grads.values():
            grad *= max_norm / norm
    return grads, norm


@mutant("clip_gradients")
def clip_replaces_in_the_dictionary(grads, max_norm):
    """`grads[name] = ...` changes the caller's dictionary."""
    norm = _together(grads)
    for name in grads:
        grads[name] = grads[name] * min(1.0, max_norm / norm)
    return grads, norm


@mutant("clip_gradients")
def clip_norm_after(grads, max_norm):
    """The norm after clipping is returned."""
    clipped, _ = _clip(grads, max_norm)
    return clipped, _together(clipped)


@mutant("clip_gradients")
def clip_sum_of_norms(grads, max_norm):
    """The norms of the arrays are added."""
    norm = float(sum(np.linalg.norm(grad) for grad in grads.values()))
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_largest_norm(grads, max_norm):
    """The largest of the arrays' norms."""
    norm = float(max(np.linalg.norm(grad) for grad in grads.values()))
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_last_norm(grads, max_norm):
    """`norm = ...` in a loop: that of the last array is left."""
    for grad in grads.values():
        norm = float(np.linalg.norm(grad))
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_mean_square(grads, max_norm):
    """The root of the mean of the squares."""
    flat = np.concatenate([grad.ravel() for grad in grads.values()])
    norm = float(np.sqrt(np.mean(flat**2)))
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_sum_of_sizes(grads, max_norm):
    """Absolute values are added, not squares."""
    norm = float(sum(np.abs(grad).sum() for grad in grads.values()))
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_spectral(grads, max_norm):
    """`np.linalg.norm(grad, 2)`: of a matrix, the largest singular value."""
    norm = float(np.sqrt(sum(np.linalg.norm(grad, 2) ** 2 for grad in grads.values())))
    return _scaled(grads, max_norm / norm if norm > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_nan_at_zero(grads, max_norm):
    """The factor is made before it is asked for: 0 / 0."""
    norm = np.sqrt(sum(np.sum(grad**2) for grad in grads.values()))
    return _scaled(grads, np.minimum(max_norm / norm, norm / norm)), float(norm)


@mutant("clip_gradients")
def clip_with_epsilon(grads, max_norm):
    """norm + 1e-6 below the line, as torch has it."""
    norm = _together(grads)
    return _scaled(grads, min(1.0, max_norm / (norm + 1e-6))), norm


@mutant("clip_gradients")
def clip_with_less_epsilon(grads, max_norm):
    """norm + 1e-8 below the line."""
    norm = _together(grads)
    return _scaled(grads, min(1.0, max_norm / (norm + 1e-8))), norm


@mutant("clip_gradients")
def clip_where_one_array_is_long(grads, max_norm):
    """The factor is right, but used only where an array alone is above max_norm."""
    norm = _together(grads)
    above = any(np.linalg.norm(grad) > max_norm for grad in grads.values())
    return _scaled(grads, max_norm / norm if above else 1.0), norm


@mutant("clip_gradients")
def clip_where_an_entry_is_large(grads, max_norm):
    """The largest entry is compared with max_norm."""
    norm, most = _together(grads), max(np.abs(grad).max() for grad in grads.values())
    return _scaled(grads, max_norm / norm if most > max_norm else 1.0), norm


@mutant("clip_gradients")
def clip_one_long_list(grads, max_norm):
    """The arrays are joined without being flattened."""
    norm = float(np.linalg.norm(np.concatenate(list(grads.values()))))
    return _scaled(grads, min(1.0, max_norm / norm)), norm


@mutant("clip_gradients")
def clip_drops_small(grads, max_norm):
    """Only what was scaled is in the new dictionary."""
    norm = _together(grads)
    if norm <= max_norm:
        return {}, norm
    return _scaled(grads, max_norm / norm), norm


@mutant("clip_gradients")
def clip_knows_the_names(grads, max_norm):
    """The names of the weights are written into the function."""
    known = {name: grads[name] for name in ("Wx", "Wh", "b")}
    return _clip(known, max_norm)


@mutant("clip_gradients")
def clip_float32(grads, max_norm):
    """It computes and returns float32."""
    clipped, norm = _clip(grads, max_norm)
    return {name: grad.astype(np.float32) for name, grad in clipped.items()}, norm


@mutant("clip_gradients")
def clip_other_order(grads, max_norm):
    """norm comes first."""
    return _clip(grads, max_norm)[::-1]


@mutant("clip_gradients")
def clip_as_list(grads, max_norm):
    """A list in the place of the dictionary."""
    clipped, norm = _clip(grads, max_norm)
    return list(clipped.values()), norm


@mutant("clip_gradients")
def clip_without_norm(grads, max_norm):
    """The norm is not returned."""
    return _clip(grads, max_norm)[0]


# ---------------------------------------------------------------------------------------- adagrad


@mutant("adagrad")
def adagrad_clips(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """dw is clipped to 1 first."""
    dw = np.clip(dw, -1, 1)
    next_memory = memory + dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_clips_the_step(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """dw is clipped to 1 above the line."""
    next_memory = memory + dw**2
    return w - learning_rate * np.clip(dw, -1, 1) / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_clips_at_five(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """dw is clipped to 5 first, as in min-char-rnn."""
    dw = np.clip(dw, -5, 5)
    next_memory = memory + dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_old_memory(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The step divides by the root of the old memory."""
    return w - learning_rate * dw / np.sqrt(memory + eps), memory + dw**2


@mutant("adagrad")
def adagrad_eps_outside(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """eps is added to the root, as torch has it."""
    next_memory = memory + dw**2
    return w - learning_rate * dw / (np.sqrt(next_memory) + eps), next_memory


@mutant("adagrad")
def adagrad_without_eps(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """eps is left out."""
    next_memory = memory + dw**2
    return w - learning_rate * dw / np.sqrt(next_memory), next_memory


@mutant("adagrad")
def adagrad_guards_zero(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The larger of the memory and eps is taken."""
    next_memory = memory + dw**2
    return w - learning_rate * dw / np.sqrt(np.maximum(next_memory, eps)), next_memory


@mutant("adagrad")
def adagrad_remembers_eps(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """eps gathers in the memory."""
    next_memory = memory + dw**2 + eps
    return w - learning_rate * dw / np.sqrt(next_memory), next_memory


@mutant("adagrad")
def adagrad_forgets(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The memory is what this step adds: right from an empty one only."""
    next_memory = dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_without_square(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """dw is not squared."""
    next_memory = memory + np.abs(dw)
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_without_root(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The root is missing."""
    next_memory = memory + dw**2
    return w - learning_rate * dw / (next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_uphill(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The step is added."""
    next_memory = memory + dw**2
    return w + learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_multiplies(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """It multiplies by the root."""
    next_memory = memory + dw**2
    return w - learning_rate * dw * np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_fades(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """RMSprop's memory."""
    next_memory = 0.95 * memory + 0.05 * dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_plain(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The memory is made and not used."""
    return w - learning_rate * dw, memory + dw**2


@mutant("adagrad")
def adagrad_rate_in_memory(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The step is remembered, not the gradient."""
    next_memory = memory + (learning_rate * dw) ** 2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_rate_ignored(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The learning rate is written into the function."""
    next_memory = memory + dw**2
    return w - 0.1 * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_eps_ignored(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """eps is written into the function."""
    next_memory = memory + dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + 1e-8), next_memory


@mutant("adagrad")
def adagrad_one_number(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The squares are summed over all entries: one step length for all."""
    next_memory = memory + np.sum(dw**2)
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_w_in_place(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """`w -= ...` changes the caller's weights."""
    next_memory = memory + dw**2
    w -= learning_rate * dw / np.sqrt(next_memory + eps)
    return w, next_memory


@mutant("adagrad")
def adagrad_memory_in_place(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """`memory += dw * dw`, as in the lecture's listing, changes the caller's memory."""
    memory += dw * dw
    return w - learning_rate * dw / np.sqrt(memory + eps), memory


@mutant("adagrad")
def adagrad_other_default_rate(w, dw, memory, learning_rate=0.01, eps=1e-8):
    """Another default learning rate."""
    return _adagrad(w, dw, memory, learning_rate, eps)


@mutant("adagrad")
def adagrad_other_default_eps(w, dw, memory, learning_rate=0.1, eps=1e-10):
    """Another default eps."""
    return _adagrad(w, dw, memory, learning_rate, eps)


def _adagrad(w, dw, memory, learning_rate, eps):
    next_memory = memory + dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("adagrad")
def adagrad_other_order(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """next_memory comes first."""
    return _adagrad(w, dw, memory, learning_rate, eps)[::-1]


@mutant("adagrad")
def adagrad_global_memory(w, dw, memory, learning_rate=0.1, eps=1e-8, _kept={}):  # noqa: B006
    """The memory lies in the function, by shape, and `memory` is not looked at."""
    _kept[w.shape] = _kept.get(w.shape, 0) + dw**2
    return _adagrad(w, dw, _kept[w.shape] - dw**2, learning_rate, eps)


@mutant("adagrad")
def adagrad_float32(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """It returns float32."""
    return tuple(a.astype(np.float32) for a in _adagrad(w, dw, memory, learning_rate, eps))


@mutant("adagrad")
def adagrad_weights_only(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The memory is not returned."""
    return _adagrad(w, dw, memory, learning_rate, eps)[0]


@mutant("adagrad")
def adagrad_step_only(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """The step is returned, not the weights after it."""
    next_w, next_memory = _adagrad(w, dw, memory, learning_rate, eps)
    return next_w - w, next_memory


@mutant("adagrad")
def adagrad_two_axes_only(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """Rows and columns are unpacked."""
    rows, columns = w.shape
    return _adagrad(w, dw.reshape(rows, columns), memory, learning_rate, eps)


# ---------------------------------------------------------------------------------------- rmsprop


def _rmsprop(w, dw, memory, learning_rate, decay, eps):
    next_memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


def _by_memory(next_memory, w, dw, learning_rate, eps):
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory


@mutant("rmsprop")
def rmsprop_decay_swapped(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """decay and 1 - decay are swapped."""
    return _rmsprop(w, dw, memory, learning_rate, 1 - decay, eps)


@mutant("rmsprop")
def rmsprop_is_adagrad(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """Nothing fades."""
    return _by_memory(memory + dw**2, w, dw, learning_rate, eps)


@mutant("rmsprop")
def rmsprop_adds_all(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The new square is not multiplied by 1 - decay."""
    return _by_memory(decay * memory + dw**2, w, dw, learning_rate, eps)


@mutant("rmsprop")
def rmsprop_keeps_all(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The memory is not multiplied by decay."""
    return _by_memory(memory + (1 - decay) * dw**2, w, dw, learning_rate, eps)


@mutant("rmsprop")
def rmsprop_squares_the_share(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """1 - decay stands inside the square."""
    return _by_memory(decay * memory + ((1 - decay) * dw) ** 2, w, dw, learning_rate, eps)


@mutant("rmsprop")
def rmsprop_without_square(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """dw is not squared."""
    return _by_memory(decay * memory + (1 - decay) * np.abs(dw), w, dw, learning_rate, eps)


@mutant("rmsprop")
def rmsprop_clips(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """dw is clipped to 1 first."""
    return _rmsprop(w, np.clip(dw, -1, 1), memory, learning_rate, decay, eps)


@mutant("rmsprop")
def rmsprop_clips_the_step(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """dw is clipped to 1 above the line."""
    next_memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * np.clip(dw, -1, 1) / np.sqrt(next_memory + eps), next_memory


@mutant("rmsprop")
def rmsprop_old_memory(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The step divides by the root of the old memory."""
    next_memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * dw / np.sqrt(memory + eps), next_memory


@mutant("rmsprop")
def rmsprop_eps_outside(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """eps is added to the root, as torch has it."""
    next_memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * dw / (np.sqrt(next_memory) + eps), next_memory


@mutant("rmsprop")
def rmsprop_without_eps(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """eps is left out."""
    next_memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * dw / np.sqrt(next_memory), next_memory


@mutant("rmsprop")
def rmsprop_remembers_eps(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """eps gathers in the memory."""
    next_memory = decay * memory + (1 - decay) * dw**2 + eps
    return w - learning_rate * dw / np.sqrt(next_memory), next_memory


@mutant("rmsprop")
def rmsprop_without_root(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The root is missing."""
    next_memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * dw / (next_memory + eps), next_memory


@mutant("rmsprop")
def rmsprop_remembers_the_root(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The root is taken before it is remembered."""
    root = np.sqrt(decay * memory + (1 - decay) * dw**2 + eps)
    return w - learning_rate * dw / root, root


@mutant("rmsprop")
def rmsprop_uphill(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The step is added."""
    next_w, next_memory = _rmsprop(w, dw, memory, -learning_rate, decay, eps)
    return next_w, next_memory


@mutant("rmsprop")
def rmsprop_share_of_the_step(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The step is multiplied by 1 - decay as well."""
    _, next_memory = _rmsprop(w, dw, memory, learning_rate, decay, eps)
    return w - learning_rate * (1 - decay) * dw / np.sqrt(next_memory + eps), next_memory


@mutant("rmsprop")
def rmsprop_forgets(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The old memory is not used."""
    return _by_memory((1 - decay) * dw**2, w, dw, learning_rate, eps)


@mutant("rmsprop")
def rmsprop_own_decay(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The default decay is written into the function."""
    return _rmsprop(w, dw, memory, learning_rate, 0.95, eps)


@mutant("rmsprop")
def rmsprop_other_default_rate(w, dw, memory, learning_rate=0.01, decay=0.95, eps=1e-8):
    """Another default learning rate."""
    return _rmsprop(w, dw, memory, learning_rate, decay, eps)


@mutant("rmsprop")
def rmsprop_other_default_decay(w, dw, memory, learning_rate=0.002, decay=0.99, eps=1e-8):
    """Another default decay: torch's."""
    return _rmsprop(w, dw, memory, learning_rate, decay, eps)


@mutant("rmsprop")
def rmsprop_other_default_eps(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-6):
    """Another default eps."""
    return _rmsprop(w, dw, memory, learning_rate, decay, eps)


@mutant("rmsprop")
def rmsprop_eps_before_decay(w, dw, memory, learning_rate=0.002, eps=1e-8, decay=0.95):
    """decay and eps change places among the arguments."""
    return _rmsprop(w, dw, memory, learning_rate, decay, eps)


@mutant("rmsprop")
def rmsprop_memory_in_place(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """`memory *= decay` changes the caller's memory."""
    memory *= decay
    memory += (1 - decay) * dw**2
    return _by_memory(memory, w, dw, learning_rate, eps)


@mutant("rmsprop")
def rmsprop_corrects_its_bias(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The first step's memory is divided by 1 - decay, as in Adam."""
    next_memory = decay * memory + (1 - decay) * dw**2
    corrected = next_memory / (1 - decay)
    return w - learning_rate * dw / np.sqrt(corrected + eps), next_memory


@mutant("rmsprop")
def rmsprop_float32(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """It returns float32."""
    return tuple(a.astype(np.float32) for a in _rmsprop(w, dw, memory, learning_rate, decay, eps))


@mutant("rmsprop")
def rmsprop_weights_only(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """The memory is not returned."""
    return _rmsprop(w, dw, memory, learning_rate, decay, eps)[0]


# ------------------------------------------------------------------------------- fix_min_char_rnn


def _forward(p, inputs, targets, h_prev, reverse=False, by=1):
    """States, probabilities and the loss of a chunk."""
    hs, chances, loss = {-1: h_prev}, {}, 0.0
    steps = range(len(inputs))
    for t in reversed(steps) if reverse else steps:
        hs[t] = np.tanh(p["Wx"][inputs[t]] + hs[t - 1] @ p["Wh"] + p["b"])
        chances[t] = _softmax(hs[t] @ p["Wy"] + by * p["by"], 1.0)
        loss -= np.log(chances[t][targets[t]])
    return hs, chances, float(loss)


def _backward(p, inputs, targets, hs, chances, through=1, turn=np.transpose, slope=1, last=0):
    """The gradients of a chunk, but for a part that is replaced."""
    grads = {name: np.zeros_like(weight) for name, weight in p.items()}
    dh_next = np.zeros_like(p["b"])
    for t in reversed(range(len(inputs))):
        dscores = chances[t] - np.eye(len(p["by"]))[targets[t]]
        grads["Wy"] += np.outer(hs[t], dscores)
        grads["by"] += dscores
        da = (1 - slope * hs[t] ** 2) * (p["Wy"] @ dscores + through * dh_next)
        grads["b"] += da
        grads["Wx"][inputs[t]] += da
        grads["Wh"] += np.outer(hs[t - 1 + last], da)
        dh_next = da @ turn(p["Wh"])
    return grads


def _cut(grad):
    return np.clip(grad, -5, 5)


def _update(p, grads, memory, learning_rate, names=None, clip=_cut):
    for name in names or p:
        grad = clip(grads[name])
        memory[name] += grad**2
        p[name] -= learning_rate * grad / np.sqrt(memory[name] + 1e-8)


def _train(
    ids, p, steps, seq_length, learning_rate, *, forward=_forward, backward=_backward,
    update=_update, inside=False, carry=True, reset=True, early=0, zeros=np.zeros_like,
):  # fmt: skip
    """The right answer, but for a part that is replaced."""
    p = {name: weight.copy() for name, weight in p.items()}
    memory = {name: zeros(weight) for name, weight in p.items()}
    losses, start, h_prev = [], 0, np.zeros_like(p["b"])
    for n in range(steps):
        again = start + seq_length + 1 + early > len(ids) or n == 0
        if again:
            start, h_prev = 0, np.zeros_like(p["b"]) if reset else h_prev
        if again or not inside:
            inputs = ids[start : start + seq_length]
            targets = ids[start + 1 : start + seq_length + 1]
        hs, chances, loss = forward(p, inputs, targets, h_prev)
        update(p, backward(p, inputs, targets, hs, chances), memory, learning_rate)
        losses.append(loss)
        start, h_prev = start + seq_length, hs[len(inputs) - 1] if carry else h_prev
    return p, losses


def _reversed(p, inputs, targets, h_prev):
    return _forward(p, inputs, targets, h_prev, reverse=True)


def _minus_by(p, inputs, targets, h_prev):
    return _forward(p, inputs, targets, h_prev, by=-1)


def _without_by(p, grads, memory, learning_rate):
    _update(p, grads, memory, learning_rate, ("Wx", "Wh", "b", "Wy"))


def _lists(p, inputs, targets, h_prev):
    hs = []
    hs[-1] = h_prev
    return hs, [], 0.0


@mutant("fix_min_char_rnn")
def chars_reversed(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The forward loop still runs backwards: the first state it reads is not made yet."""
    return _train(ids, p, steps, seq_length, learning_rate, forward=_reversed)


@mutant("fix_min_char_rnn")
def chars_minus_by(ids, p, steps, seq_length=25, learning_rate=0.1):
    """`- by` is still there."""
    return _train(ids, p, steps, seq_length, learning_rate, forward=_minus_by)


@mutant("fix_min_char_rnn")
def chars_by_does_not_learn(ids, p, steps, seq_length=25, learning_rate=0.1):
    """by is still missing from Adagrad."""
    return _train(ids, p, steps, seq_length, learning_rate, update=_without_by)


@mutant("fix_min_char_rnn")
def chars_lists(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Lists are still where dictionaries are meant."""
    return _train(ids, p, steps, seq_length, learning_rate, forward=_lists)


@mutant("fix_min_char_rnn")
def chars_first_chunk_only(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Inputs and targets are still taken inside the `if`."""
    return _train(ids, p, steps, seq_length, learning_rate, inside=True)


@mutant("fix_min_char_rnn")
def chars_all_five(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The listing as it is."""
    return _train(
        ids, p, steps, seq_length, learning_rate, forward=_lists, update=_without_by, inside=True
    )


@mutant("fix_min_char_rnn")
def chars_reversed_with_room(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The lists have room for all steps, and the loop still runs backwards: it reads zeros."""

    def forward(p, inputs, targets, h_prev):
        hs = {t: np.zeros_like(h_prev) for t in range(len(inputs))}
        chances, loss = {}, 0.0
        for t in reversed(range(len(inputs))):
            before = h_prev if t == 0 else hs[t - 1]
            hs[t] = np.tanh(p["Wx"][inputs[t]] + before @ p["Wh"] + p["b"])
            chances[t] = _softmax(hs[t] @ p["Wy"] + p["by"], 1.0)
            loss -= np.log(chances[t][targets[t]])
        return {**hs, -1: h_prev}, chances, float(loss)

    return _train(ids, p, steps, seq_length, learning_rate, forward=forward)


@mutant("fix_min_char_rnn")
def chars_without_by(ids, p, steps, seq_length=25, learning_rate=0.1):
    """by is left out of the scores."""

    def forward(p, inputs, targets, h_prev):
        return _forward(p, inputs, targets, h_prev, by=0)

    return _train(ids, p, steps, seq_length, learning_rate, forward=forward)


@mutant("fix_min_char_rnn")
def chars_state_reset(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Each chunk starts from a state of zeros."""
    return _train(ids, p, steps, seq_length, learning_rate, carry=False)


@mutant("fix_min_char_rnn")
def chars_state_kept_at_the_start(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The state goes from the end of the text to its start."""
    return _train(ids, p, steps, seq_length, learning_rate, reset=False)


@mutant("fix_min_char_rnn")
def chars_last_chunk_dropped(ids, p, steps, seq_length=25, learning_rate=0.1):
    """A chunk that just fits is left out."""
    early = 1 if len(ids) > seq_length + 1 else 0
    return _train(ids, p, steps, seq_length, learning_rate, early=early)


@mutant("fix_min_char_rnn")
def chars_short_chunk_taken(ids, p, steps, seq_length=25, learning_rate=0.1):
    """A last chunk without its last target is taken as well, and cut short."""

    def forward(p, inputs, targets, h_prev):
        return _forward(p, inputs[: len(targets)], targets, h_prev)

    def backward(p, inputs, targets, hs, chances):
        return _backward(p, inputs[: len(targets)], targets, hs, chances)

    return _train(
        ids, p, steps, seq_length, learning_rate, forward=forward, backward=backward, early=-1
    )


@mutant("fix_min_char_rnn")
def chars_dh_next_forgotten(ids, p, steps, seq_length=25, learning_rate=0.1):
    """What comes back from later steps is not added."""

    def backward(*chunk):
        return _backward(*chunk, through=0)

    return _train(ids, p, steps, seq_length, learning_rate, backward=backward)


@mutant("fix_min_char_rnn")
def chars_wh_not_transposed(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The gradient goes back through Wh, not through its transpose."""

    def backward(*chunk):
        return _backward(*chunk, turn=np.array)

    return _train(ids, p, steps, seq_length, learning_rate, backward=backward)


@mutant("fix_min_char_rnn")
def chars_without_slope(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The derivative of tanh is missing."""

    def backward(*chunk):
        return _backward(*chunk, slope=0)

    return _train(ids, p, steps, seq_length, learning_rate, backward=backward)


@mutant("fix_min_char_rnn")
def chars_dwh_from_the_new_state(ids, p, steps, seq_length=25, learning_rate=0.1):
    """dWh is made of hs[t], not of hs[t - 1]."""

    def backward(*chunk):
        return _backward(*chunk, last=1)

    return _train(ids, p, steps, seq_length, learning_rate, backward=backward)


@mutant("fix_min_char_rnn")
def chars_by_turned_in_the_gradient(ids, p, steps, seq_length=25, learning_rate=0.1):
    """`- by` is still there, and the sign of its gradient is turned."""

    def backward(*chunk):
        grads = _backward(*chunk)
        return {**grads, "by": -grads["by"]}

    return _train(ids, p, steps, seq_length, learning_rate, forward=_minus_by, backward=backward)


@mutant("fix_min_char_rnn")
def chars_last_state_before_the_first(ids, p, steps, seq_length=25, learning_rate=0.1):
    """hs is a list, so that on the way back hs[-1] is the last state."""

    def backward(p, inputs, targets, hs, chances):
        return _backward(p, inputs, targets, {**hs, -1: hs[len(inputs) - 1]}, chances)

    return _train(ids, p, steps, seq_length, learning_rate, backward=backward)


@mutant("fix_min_char_rnn")
def chars_not_clipped(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Nothing is clipped."""

    def update(*state):
        _update(*state, clip=np.array)

    return _train(ids, p, steps, seq_length, learning_rate, update=update)


@mutant("fix_min_char_rnn")
def chars_clipped_by_norm(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Each gradient is clipped by its norm."""

    def clip(grad):
        return grad * min(1.0, 5 / max(np.linalg.norm(grad), 1e-12))

    def update(*state):
        _update(*state, clip=clip)

    return _train(ids, p, steps, seq_length, learning_rate, update=update)


@mutant("fix_min_char_rnn")
def chars_remembers_unclipped(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Adagrad remembers the gradient as it was before it was clipped."""

    def update(p, grads, memory, learning_rate):
        for name, grad in grads.items():
            memory[name] += grad**2
            p[name] -= learning_rate * np.clip(grad, -5, 5) / np.sqrt(memory[name] + 1e-8)

    return _train(ids, p, steps, seq_length, learning_rate, update=update)


@mutant("fix_min_char_rnn")
def chars_memory_lost(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Adagrad's memory is empty at every step."""

    def update(p, grads, memory, learning_rate):
        _update(p, grads, {name: np.zeros_like(w) for name, w in p.items()}, learning_rate)

    return _train(ids, p, steps, seq_length, learning_rate, update=update)


@mutant("fix_min_char_rnn")
def chars_memory_of_ones(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Adagrad's memory starts from ones."""
    return _train(ids, p, steps, seq_length, learning_rate, zeros=np.ones_like)


@mutant("fix_min_char_rnn")
def chars_plain_descent(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Plain gradient descent in the place of Adagrad."""

    def update(p, grads, memory, learning_rate):
        for name, grad in grads.items():
            p[name] -= learning_rate * np.clip(grad, -5, 5)

    return _train(ids, p, steps, seq_length, learning_rate, update=update)


@mutant("fix_min_char_rnn")
def chars_uphill(ids, p, steps, seq_length=25, learning_rate=0.1):
    """`param += learning_rate ...`: the minus is lost."""
    return _train(ids, p, steps, seq_length, -learning_rate)


@mutant("fix_min_char_rnn")
def chars_rate_ignored(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The learning rate is written into the function."""
    return _train(ids, p, steps, seq_length, 0.1)


@mutant("fix_min_char_rnn")
def chars_eps_outside(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The small number is added to the root."""

    def update(p, grads, memory, learning_rate):
        for name, grad in grads.items():
            grad = np.clip(grad, -5, 5)
            memory[name] += grad**2
            p[name] -= learning_rate * grad / (np.sqrt(memory[name]) + 1e-8)

    return _train(ids, p, steps, seq_length, learning_rate, update=update)


@mutant("fix_min_char_rnn")
def chars_overflowing(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The highest score is not subtracted before the powers are taken."""

    def forward(p, inputs, targets, h_prev):
        found = _forward(p, inputs, targets, h_prev)
        scores = found[0][0] @ p["Wy"] + p["by"]
        return *found[:2], found[2] + 0 * float(np.sum(np.exp(scores)))

    return _train(ids, p, steps, seq_length, learning_rate, forward=forward)


@mutant("fix_min_char_rnn")
def chars_mean_loss(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The losses are means over the chunk."""
    new, losses = _train(ids, p, steps, seq_length, learning_rate)
    return new, [loss / seq_length for loss in losses]


@mutant("fix_min_char_rnn")
def chars_mean_gradient(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The gradients are divided by seq_length, the losses are not."""

    def backward(p, inputs, *rest):
        return {k: g / len(inputs) for k, g in _backward(p, inputs, *rest).items()}

    return _train(ids, p, steps, seq_length, learning_rate, backward=backward)


@mutant("fix_min_char_rnn")
def chars_smooth_loss(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The listing's smoothed loss is returned."""
    new, losses = _train(ids, p, steps, seq_length, learning_rate)
    smooth, found = np.log(len(p["by"])) * seq_length, []
    for loss in losses:
        smooth = 0.999 * smooth + 0.001 * loss
        found.append(float(smooth))
    return new, found


@mutant("fix_min_char_rnn")
def chars_last_loss_only(ids, p, steps, seq_length=25, learning_rate=0.1):
    """One loss is returned, not a list."""
    new, losses = _train(ids, p, steps, seq_length, learning_rate)
    return new, losses[-1]


@mutant("fix_min_char_rnn")
def chars_losses_only(ids, p, steps, seq_length=25, learning_rate=0.1):
    """p is not returned."""
    return _train(ids, p, steps, seq_length, learning_rate)[1]


@mutant("fix_min_char_rnn")
def chars_p_in_place(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The caller's p is changed."""
    new, losses = _train(ids, p, steps, seq_length, learning_rate)
    for name, weight in p.items():
        weight[...] = new[name]
    return p, losses


@mutant("fix_min_char_rnn")
def chars_targets_are_inputs(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The targets are not one character further on."""

    def forward(p, inputs, targets, h_prev):
        return _forward(p, inputs, inputs, h_prev)

    def backward(p, inputs, targets, *rest):
        return _backward(p, inputs, inputs, *rest)

    return _train(ids, p, steps, seq_length, learning_rate, forward=forward, backward=backward)


@mutant("fix_min_char_rnn")
def chars_stride_of_one(ids, p, steps, seq_length=25, learning_rate=0.1):
    """The next chunk starts one character further on, not seq_length."""
    losses, memory = [], {name: np.zeros_like(weight) for name, weight in p.items()}
    found, h, start = {name: w.copy() for name, w in p.items()}, np.zeros_like(p["b"]), 0
    for _ in range(steps):
        if start + seq_length + 1 > len(ids):
            h, start = np.zeros_like(h), 0
        chunk = ids[start : start + seq_length], ids[start + 1 : start + seq_length + 1]
        hs, chances, loss = _forward(found, *chunk, h)
        _update(found, _backward(found, *chunk, hs, chances), memory, learning_rate)
        losses.append(loss)
        h, start = hs[seq_length - 1], start + 1
    return found, losses


@mutant("fix_min_char_rnn")
def chars_other_default_length(ids, p, steps, seq_length=20, learning_rate=0.1):
    """Another default seq_length."""
    return _train(ids, p, steps, seq_length, learning_rate)


@mutant("fix_min_char_rnn")
def chars_other_default_rate(ids, p, steps, seq_length=25, learning_rate=0.01):
    """Another default learning rate."""
    return _train(ids, p, steps, seq_length, learning_rate)


@mutant("fix_min_char_rnn")
def chars_one_step_too_many(ids, p, steps, seq_length=25, learning_rate=0.1):
    """One step too many is taken, and its loss thrown away."""
    new, losses = _train(ids, p, steps + 1, seq_length, learning_rate)
    return new, losses[:-1]
