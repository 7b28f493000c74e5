"""Wrong answers to the exercises of notebook 02."""

import numpy as np

from autograder.mutants import mutant

# ---------------------------------------------------------------------------------------- one_hot


@mutant("one_hot")
def one_hot_in_columns(x, V):
    """The vocabulary is the first axis, not the last."""
    return np.moveaxis(np.eye(V)[x], -1, 0)


@mutant("one_hot")
def one_hot_sized_by_data(x, V):
    """The last axis is as long as the largest id plus one."""
    return np.eye(np.max(x, initial=0) + 1)[x]


@mutant("one_hot")
def one_hot_integers(x, V):
    """It returns integers."""
    return np.eye(V, dtype=int)[x]


@mutant("one_hot")
def one_hot_float32(x, V):
    """It returns float32."""
    return np.eye(V, dtype=np.float32)[x]


@mutant("one_hot")
def one_hot_from_one(x, V):
    """It counts ids from one."""
    return np.eye(V)[x - 1]


@mutant("one_hot")
def one_hot_flattened(x, V):
    """The axes of x are flattened into one."""
    return np.eye(V)[np.ravel(x)]


@mutant("one_hot")
def one_hot_one_axis_only(x, V):
    """It is written for a list of ids, not for a batch."""
    out = np.zeros((len(x), V))
    out[np.arange(len(x)), x] = 1
    return out


@mutant("one_hot")
def one_hot_bag(x, V):
    """A sequence becomes one vector that counts its letters."""
    return np.eye(V)[x].sum(axis=-2) if np.ndim(x) else np.eye(V)[x]


@mutant("one_hot")
def one_hot_every_row_alike(x, V):
    """`out[..., x] = 1` sets every id in every row."""
    out = np.zeros((*np.shape(x), V))
    out[..., x] = 1
    return out


@mutant("one_hot")
def one_hot_thermometer(x, V):
    """All places up to the id are set."""
    return (np.arange(V) <= np.asarray(x)[..., None]).astype(np.float64)


@mutant("one_hot")
def one_hot_writes_the_id(x, V):
    """The id itself is written at its place."""
    return np.eye(V)[x] * np.asarray(x)[..., None]


@mutant("one_hot")
def one_hot_reshapes_its_input(x, V):
    """`x.shape = (-1,)` flattens the caller's array as well."""
    shape = x.shape
    x.shape = (-1,)
    return np.eye(V)[x].reshape(*shape, V)


@mutant("one_hot")
def one_hot_signed_bytes(x, V):
    """Ids are cast to a signed byte: wrong from 128 on."""
    return np.eye(V)[x.astype(np.int8)]


@mutant("one_hot")
def one_hot_as_list(x, V):
    """It returns a nested list."""
    return np.eye(V)[x].tolist()


@mutant("one_hot")
def one_hot_arrays_only(x, V):
    """`x.shape`: a number or a list has none."""
    out = np.zeros((*x.shape, V))
    np.put_along_axis(out, x[..., None].astype(int), 1.0, axis=-1)
    return out


@mutant("one_hot")
def one_hot_booleans(x, V):
    """The comparison is returned as it is."""
    return np.asarray(x)[..., None] == np.arange(V)


# ------------------------------------------------------------------------------- rnn_step_forward


def _forward(x, prev_h, Wx, Wh, b, activation="tanh"):
    a = x @ Wx + prev_h @ Wh + b
    next_h = np.tanh(a) if activation == "tanh" else np.maximum(a, 0.0)
    return next_h, (x, prev_h, Wx, Wh, a, next_h, activation)


def _activated(a, activation):
    return (np.tanh(a) if activation == "tanh" else np.maximum(a, 0.0)), None


@mutant("rnn_step_forward")
def forward_wh_transposed(x, prev_h, Wx, Wh, b, activation="tanh"):
    """Wh is used transposed, as with column vectors."""
    return _activated(x @ Wx + prev_h @ Wh.T + b, activation)


@mutant("rnn_step_forward")
def forward_without_bias(x, prev_h, Wx, Wh, b, activation="tanh"):
    """b is left out."""
    return _activated(x @ Wx + prev_h @ Wh, activation)


@mutant("rnn_step_forward")
def forward_minus_bias(x, prev_h, Wx, Wh, b, activation="tanh"):
    """`- b`, as in the lecture's listing."""
    return _activated(x @ Wx + prev_h @ Wh - b, activation)


@mutant("rnn_step_forward")
def forward_two_biases(x, prev_h, Wx, Wh, b, activation="tanh"):
    """b is added to each of the two products."""
    return _activated((x @ Wx + b) + (prev_h @ Wh + b), activation)


@mutant("rnn_step_forward")
def forward_without_memory(x, prev_h, Wx, Wh, b, activation="tanh"):
    """prev_h is ignored: right at the first step only."""
    return _activated(x @ Wx + b, activation)


@mutant("rnn_step_forward")
def forward_state_without_wh(x, prev_h, Wx, Wh, b, activation="tanh"):
    """prev_h is added without Wh."""
    return _activated(x @ Wx + prev_h + b, activation)


@mutant("rnn_step_forward")
def forward_without_tanh(x, prev_h, Wx, Wh, b, activation="tanh"):
    """The tanh is forgotten."""
    a = x @ Wx + prev_h @ Wh + b
    return (a if activation == "tanh" else np.maximum(a, 0.0)), None


@mutant("rnn_step_forward")
def forward_sigmoid(x, prev_h, Wx, Wh, b, activation="tanh"):
    """A sigmoid in the place of tanh."""
    a = x @ Wx + prev_h @ Wh + b
    return (1 / (1 + np.exp(-a)) if activation == "tanh" else np.maximum(a, 0.0)), None


@mutant("rnn_step_forward")
def forward_relu_ignored(x, prev_h, Wx, Wh, b, activation="tanh"):
    """tanh whatever the activation."""
    return np.tanh(x @ Wx + prev_h @ Wh + b), None


@mutant("rnn_step_forward")
def forward_relu_of_the_state_only(x, prev_h, Wx, Wh, b, activation="tanh"):
    """max(0, .) is taken of one term, not of the sum."""
    if activation == "relu":
        return x @ Wx + np.maximum(prev_h @ Wh + b, 0.0), None
    return np.tanh(x @ Wx + prev_h @ Wh + b), None


def _with_relu(relu, x, prev_h, Wx, Wh, b, activation):
    a = x @ Wx + prev_h @ Wh + b
    return (np.tanh(a) if activation == "tanh" else relu(a)), None


@mutant("rnn_step_forward")
def forward_relu_capped(x, prev_h, Wx, Wh, b, activation="tanh"):
    """ReLU stops at 6."""
    return _with_relu(lambda a: np.clip(a, 0, 6), x, prev_h, Wx, Wh, b, activation)


@mutant("rnn_step_forward")
def forward_relu_then_tanh(x, prev_h, Wx, Wh, b, activation="tanh"):
    """tanh is taken of the ReLU as well."""
    return _with_relu(lambda a: np.tanh(np.maximum(0, a)), x, prev_h, Wx, Wh, b, activation)


@mutant("rnn_step_forward")
def forward_relu_upside_down(x, prev_h, Wx, Wh, b, activation="tanh"):
    """min(0, .) in the place of max(0, .)."""
    return _with_relu(lambda a: np.minimum(0, a), x, prev_h, Wx, Wh, b, activation)


@mutant("rnn_step_forward")
def forward_relu_is_a_step(x, prev_h, Wx, Wh, b, activation="tanh"):
    """Whether the sum is positive, not its value."""
    return _with_relu(lambda a: (a > 0) * 1.0, x, prev_h, Wx, Wh, b, activation)


@mutant("rnn_step_forward")
def forward_relu_without_bias(x, prev_h, Wx, Wh, b, activation="tanh"):
    """b is left out where the activation is relu."""
    return _activated(x @ Wx + prev_h @ Wh + b * (activation == "tanh"), activation)


@mutant("rnn_step_forward")
def forward_tanh_of_each_term(x, prev_h, Wx, Wh, b, activation="tanh"):
    """tanh is taken of each term, not of the sum."""
    if activation == "tanh":
        return np.tanh(x @ Wx) + np.tanh(prev_h @ Wh) + np.tanh(b), None
    return _activated(x @ Wx + prev_h @ Wh + b, activation)


@mutant("rnn_step_forward")
def forward_overflowing_tanh(x, prev_h, Wx, Wh, b, activation="tanh"):
    """tanh from exponentials: NaN for large inputs."""
    a = x @ Wx + prev_h @ Wh + b
    tanh = (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))
    return (tanh if activation == "tanh" else np.maximum(a, 0.0)), None


@mutant("rnn_step_forward")
def forward_state_in_place(x, prev_h, Wx, Wh, b, activation="tanh"):
    """The new state is written over prev_h."""
    prev_h[...] = _activated(x @ Wx + prev_h @ Wh + b, activation)[0]
    return prev_h, None


@mutant("rnn_step_forward")
def forward_float32(x, prev_h, Wx, Wh, b, activation="tanh"):
    """It computes and returns float32."""
    return _activated((x @ Wx + prev_h @ Wh + b).astype(np.float32), activation)


@mutant("rnn_step_forward")
def forward_first_row_for_all(x, prev_h, Wx, Wh, b, activation="tanh"):
    """All sequences get the state of the first."""
    return _activated(x @ Wx + prev_h[:1] @ Wh + b, activation)


@mutant("rnn_step_forward")
def forward_without_cache(x, prev_h, Wx, Wh, b, activation="tanh"):
    """The cache is not returned."""
    return _activated(x @ Wx + prev_h @ Wh + b, activation)[0]


@mutant("rnn_step_forward")
def forward_squeezed(x, prev_h, Wx, Wh, b, activation="tanh"):
    """A batch of one loses its axis."""
    next_h, cache = _activated(x @ Wx + prev_h @ Wh + b, activation)
    return np.squeeze(next_h), cache


# ------------------------------------------------------------------------------ rnn_step_backward


def _gradients(da, x, prev_h, Wx, Wh):
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def _slope(cache):
    *_, next_h, activation = cache
    return 1 - next_h**2 if activation == "tanh" else (next_h > 0).astype(np.float64)


def _right(dnext_h, cache):
    x, prev_h, Wx, Wh, *_ = cache
    return list(_gradients(dnext_h * _slope(cache), x, prev_h, Wx, Wh))


_backward = mutant("rnn_step_backward", rnn_step_forward=_forward)


@_backward
def backward_without_slope(dnext_h, cache):
    """The derivative of the activation is forgotten."""
    return _gradients(dnext_h, *cache[:4])


@_backward
def backward_slope_of_input(dnext_h, cache):
    """1 - a**2 with the input of tanh in the place of its output."""
    x, prev_h, Wx, Wh, a, _next_h, activation = cache
    slope = 1 - a**2 if activation == "tanh" else a > 0
    return _gradients(dnext_h * slope, x, prev_h, Wx, Wh)


@_backward
def backward_tanh_twice(dnext_h, cache):
    """1 - tanh(next_h)**2: tanh once more of what is a tanh already."""
    x, prev_h, Wx, Wh, _a, next_h, activation = cache
    slope = 1 - np.tanh(next_h) ** 2 if activation == "tanh" else next_h > 0
    return _gradients(dnext_h * slope, x, prev_h, Wx, Wh)


@_backward
def backward_without_square(dnext_h, cache):
    """1 - next_h: the square is forgotten."""
    x, prev_h, Wx, Wh, _a, next_h, activation = cache
    slope = 1 - next_h if activation == "tanh" else next_h > 0
    return _gradients(dnext_h * slope, x, prev_h, Wx, Wh)


@_backward
def backward_ignores_dnext_h(dnext_h, cache):
    """The gradient from above is not used."""
    return _gradients(_slope(cache), *cache[:4])


@_backward
def backward_wh_not_transposed(dnext_h, cache):
    """dprev_h is multiplied by Wh, not by its transpose."""
    grads = _right(dnext_h, cache)
    grads[1] = (dnext_h * _slope(cache)) @ cache[3]
    return tuple(grads)


@_backward
def backward_dwh_from_next_h(dnext_h, cache):
    """dWh is made from the new state, not from the one before."""
    grads = _right(dnext_h, cache)
    grads[3] = cache[5].T @ (dnext_h * _slope(cache))
    return tuple(grads)


@_backward
def backward_dwh_transposed(dnext_h, cache):
    """dWh comes out transposed, which its shape does not show."""
    grads = _right(dnext_h, cache)
    grads[3] = grads[3].T
    return tuple(grads)


@_backward
def backward_db_not_summed(dnext_h, cache):
    """db keeps the batch axis."""
    return (*_right(dnext_h, cache)[:4], dnext_h * _slope(cache))


@_backward
def backward_db_keeps_an_axis(dnext_h, cache):
    """db has the shape (1, H)."""
    return (*_right(dnext_h, cache)[:4], _right(dnext_h, cache)[4][None])


@_backward
def backward_db_mean(dnext_h, cache):
    """db is the mean over the batch, not the sum."""
    return (*_right(dnext_h, cache)[:4], (dnext_h * _slope(cache)).mean(axis=0))


@_backward
def backward_weights_averaged(dnext_h, cache):
    """The weights' gradients are divided by N."""
    dx, dprev_h, dWx, dWh, db = _right(dnext_h, cache)
    return dx, dprev_h, dWx / len(dx), dWh / len(dx), db


@_backward
def backward_dnext_h_added(dnext_h, cache):
    """dnext_h is added to dprev_h, as if the state were carried past the step."""
    dx, dprev_h, *rest = _right(dnext_h, cache)
    return dx, dprev_h + dnext_h, *rest


@_backward
def backward_other_order(dnext_h, cache):
    """dprev_h comes first."""
    dx, dprev_h, *rest = _right(dnext_h, cache)
    return dprev_h, dx, *rest


@_backward
def backward_without_dprev_h(dnext_h, cache):
    """Four gradients are returned: the state gets none."""
    dx, _dprev_h, *rest = _right(dnext_h, cache)
    return dx, *rest


@_backward
def backward_always_tanh(dnext_h, cache):
    """ReLU is differentiated as if it were tanh."""
    return _gradients(dnext_h * (1 - cache[5] ** 2), *cache[:4])


@_backward
def backward_relu_passes_zero(dnext_h, cache):
    """ReLU passes the gradient where its input is exactly 0."""
    x, prev_h, Wx, Wh, a, next_h, activation = cache
    slope = 1 - next_h**2 if activation == "tanh" else a >= 0
    return _gradients(dnext_h * slope, x, prev_h, Wx, Wh)


@_backward
def backward_writes_into_dnext_h(dnext_h, cache):
    """`dnext_h *= slope` changes the caller's gradient."""
    dnext_h *= _slope(cache)
    return _gradients(dnext_h, *cache[:4])


@_backward
def backward_writes_into_cache(dnext_h, cache):
    """The slope is written over the state in the cache: wrong when called again."""
    next_h = cache[5]
    if cache[6] == "tanh":
        next_h **= 2
        return _gradients(dnext_h * (1 - next_h), *cache[:4])
    return tuple(_right(dnext_h, cache))


@_backward
def backward_relu_mask_in_the_cache(dnext_h, cache):
    """`h[h > 0] = 1` makes the slope of next_h itself, which is the caller's as well."""
    if cache[6] == "tanh":
        return tuple(_right(dnext_h, cache))
    h = cache[5]
    h[h > 0] = 1
    return _gradients(dnext_h * h, *cache[:4])


@_backward
def backward_clears_next_h(dnext_h, cache):
    """The slope is made from a; next_h, no longer needed, is set to 0."""
    x, prev_h, Wx, Wh, a, next_h, activation = cache
    slope = 1 - np.tanh(a) ** 2 if activation == "tanh" else a > 0
    next_h[...] = 0
    return _gradients(dnext_h * slope, x, prev_h, Wx, Wh)


def _forward_with_a_copy(x, prev_h, Wx, Wh, b, activation="tanh"):
    next_h, cache = _forward(x, prev_h, Wx, Wh, b, activation)
    return next_h, (*cache[:5], next_h.copy(), activation)


@mutant("rnn_step_backward", rnn_step_forward=_forward_with_a_copy)
def backward_writes_into_its_own_copy(dnext_h, cache):
    """The slope is written over a copy of the state: only a second call shows it."""
    return backward_writes_into_cache(dnext_h, cache)


@_backward
def backward_relu_not_negative(dnext_h, cache):
    """next_h >= 0 is always true."""
    x, prev_h, Wx, Wh, _a, next_h, activation = cache
    slope = 1 - next_h**2 if activation == "tanh" else next_h >= 0
    return _gradients(dnext_h * slope, x, prev_h, Wx, Wh)


@_backward
def backward_first_sequence_only(dnext_h, cache):
    """The weights get the gradient of the first sequence."""
    da = dnext_h * _slope(cache)
    dx, dprev_h, *_ = _right(dnext_h, cache)
    return dx, dprev_h, np.outer(cache[0][0], da[0]), np.outer(cache[1][0], da[0]), da[0]


@_backward
def backward_first_sequence_for_all(dnext_h, cache):
    """dx and dprev_h of the first sequence are given to all."""
    dx, dprev_h, *rest = _right(dnext_h, cache)
    return np.tile(dx[:1], (len(dx), 1)), np.tile(dprev_h[:1], (len(dx), 1)), *rest


def _forward_into_a_global(x, prev_h, Wx, Wh, b, activation="tanh"):
    global _last
    next_h, _last = _forward(x, prev_h, Wx, Wh, b, activation)
    return next_h, None


@mutant("rnn_step_backward", rnn_step_forward=_forward_into_a_global)
def backward_of_the_last_step(dnext_h, cache):
    """It looks at a global: the last step that went forward, not the one in the cache."""
    return tuple(_right(dnext_h, _last))


def _forward_transposed(x, prev_h, Wx, Wh, b, activation="tanh"):
    return _forward(x, prev_h, Wx, Wh.T, b, activation)


@mutant("rnn_step_backward", rnn_step_forward=_forward_transposed)
def backward_of_a_wrong_forward(dnext_h, cache):
    """The gradient of a forward step that is itself wrong."""
    grads = _right(dnext_h, cache)
    grads[3] = grads[3].T
    return tuple(grads)


# -------------------------------------------------------------------------- temporal_softmax_loss


def _log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def _pieces(x, y):
    log_p = _log_softmax(x)
    right = np.arange(x.shape[-1]) == y[..., None]
    return -np.where(right, log_p, 0).sum(-1), np.exp(log_p) - right


def _reduced(x, y, mask, count):
    losses, dx = _pieces(x, y)
    return (losses * mask).sum() / count, dx * mask[..., None] / count


def _solved(x, y, mask):
    return _reduced(x, y, mask, max(mask.sum(), 1))


@mutant("temporal_softmax_loss")
def loss_summed(x, y, mask):
    """The sum over the tokens, as in min-char-rnn."""
    return _reduced(x, y, mask, 1)


@mutant("temporal_softmax_loss")
def loss_by_sentences(x, y, mask):
    """Divided by N, as in CS231n."""
    return _reduced(x, y, mask, len(x))


@mutant("temporal_softmax_loss")
def loss_by_positions(x, y, mask):
    """Divided by N T: masked positions are in the number."""
    return _reduced(x, y, mask, mask.size)


@mutant("temporal_softmax_loss")
def loss_without_mask(x, y, mask):
    """The mask is ignored, in the loss and in the gradient."""
    return _reduced(x, y, np.ones_like(mask), mask.size)


@mutant("temporal_softmax_loss")
def loss_mask_not_in_gradient(x, y, mask):
    """The mask is in the loss, not in the gradient."""
    loss, _ = _solved(x, y, mask)
    return loss, _pieces(x, y)[1] / max(mask.sum(), 1)


@mutant("temporal_softmax_loss")
def loss_mask_only_in_gradient(x, y, mask):
    """The mask is in the gradient, not in the loss."""
    return _pieces(x, y)[0].mean(), _solved(x, y, mask)[1]


@mutant("temporal_softmax_loss")
def loss_mask_from_ids(x, y, mask):
    """It masks id 0 and does not look at the mask."""
    return _solved(x, y, y != 0)


@mutant("temporal_softmax_loss")
def loss_mask_as_lengths(x, y, mask):
    """The mask is taken for a length: a hole in it is not seen."""
    return _solved(x, y, np.arange(mask.shape[1]) < mask.sum(1, keepdims=True))


@mutant("temporal_softmax_loss")
def loss_mask_upside_down(x, y, mask):
    """The real tokens are left out."""
    return _solved(x, y, ~mask)


@mutant("temporal_softmax_loss")
def loss_mean_of_means(x, y, mask):
    """A mean for each sentence, then the mean of these."""
    weights = mask / np.maximum(mask.sum(1, keepdims=True), 1) / max(mask.any(1).sum(), 1)
    losses, dx = _pieces(x, y)
    return (losses * weights).sum(), dx * weights[..., None]


@mutant("temporal_softmax_loss")
def loss_gradient_not_divided(x, y, mask):
    """The loss is a mean, its gradient that of a sum."""
    return _solved(x, y, mask)[0], _reduced(x, y, mask, 1)[1]


@mutant("temporal_softmax_loss")
def loss_gradient_without_one(x, y, mask):
    """The 1 at the right id is not subtracted."""
    log_p = _log_softmax(x)
    return _solved(x, y, mask)[0], np.exp(log_p) * mask[..., None] / max(mask.sum(), 1)


@mutant("temporal_softmax_loss")
def loss_gradient_sign(x, y, mask):
    """The gradient points uphill."""
    loss, dx = _solved(x, y, mask)
    return loss, -dx


@mutant("temporal_softmax_loss")
def loss_overflowing(x, y, mask):
    """exp of the scores as they are: NaN for scores near 1000."""
    chances = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    right = np.arange(x.shape[-1]) == y[..., None]
    count = max(mask.sum(), 1)
    loss = -(np.log(chances[right]).reshape(y.shape) * mask).sum() / count
    return loss, (chances - right) * mask[..., None] / count


@mutant("temporal_softmax_loss")
def loss_one_maximum_for_all(x, y, mask):
    """The largest score of the whole batch is subtracted: far smaller rows vanish."""
    x = x - x.max()
    log_p = x - np.log(np.exp(x).sum(-1, keepdims=True))
    right = np.arange(x.shape[-1]) == y[..., None]
    count = max(mask.sum(), 1)
    loss = -(log_p[right].reshape(y.shape) * mask).sum() / count
    return loss, (np.exp(log_p) - right) * mask[..., None] / count


@mutant("temporal_softmax_loss")
def loss_log_with_epsilon(x, y, mask):
    """log(p + 1e-12): no loss is larger than 27.6."""
    chances = np.exp(_log_softmax(x))
    picked = np.take_along_axis(chances, y[..., None], -1)[..., 0]
    loss = -(np.log(picked + 1e-12) * mask).sum() / max(mask.sum(), 1)
    return loss, _solved(x, y, mask)[1]


@mutant("temporal_softmax_loss")
def loss_divides_by_no_token(x, y, mask):
    """0 / 0 where no token is real."""
    return _reduced(x, y, mask, mask.sum())


@mutant("temporal_softmax_loss")
def loss_base_two(x, y, mask):
    """A logarithm to base 2."""
    loss, dx = _solved(x, y, mask)
    return loss / np.log(2), dx / np.log(2)


@mutant("temporal_softmax_loss")
def loss_over_time(x, y, mask):
    """The softmax runs over the time steps."""
    dx = _solved(x, y, mask)[1]
    shifted = np.exp(x - x.max(1, keepdims=True))
    chances = shifted / shifted.sum(1, keepdims=True)
    picked = np.take_along_axis(chances, y[..., None], -1)[..., 0]
    return -(np.log(picked) * mask).sum() / max(mask.sum(), 1), dx


@mutant("temporal_softmax_loss")
def loss_writes_into_scores(x, y, mask):
    """`x -= x.max()` changes the caller's scores."""
    x -= x.max(-1, keepdims=True)
    return _solved(x, y, mask)


@mutant("temporal_softmax_loss")
def loss_not_reduced(x, y, mask):
    """One loss a token is returned."""
    losses, dx = _pieces(x, y)
    return losses * mask, dx * mask[..., None] / max(mask.sum(), 1)


@mutant("temporal_softmax_loss")
def loss_sign(x, y, mask):
    """The mean of the logarithms, without the minus."""
    loss, dx = _solved(x, y, mask)
    return -loss, dx


def _softmax_along(axis, x, y, mask):
    shifted = np.exp(x - x.max(axis, keepdims=True))
    chances = shifted / shifted.sum(axis, keepdims=True)
    right = np.arange(x.shape[-1]) == y[..., None]
    count = max(mask.sum(), 1)
    loss = -np.log(chances[right & mask[..., None]]).sum() / count
    return loss, (chances - right) * mask[..., None] / count


@mutant("temporal_softmax_loss")
def loss_and_gradient_over_time(x, y, mask):
    """The softmax runs over the time steps, in the gradient as well."""
    return _softmax_along(1, x, y, mask)


@mutant("temporal_softmax_loss")
def loss_and_gradient_over_all(x, y, mask):
    """One softmax over all scores of the batch."""
    return _softmax_along(None, x, y, mask)


@mutant("temporal_softmax_loss")
def loss_guarded_division(x, y, mask):
    """M + 1e-9 in the place of M: nearly the mean."""
    return _reduced(x, y, mask, mask.sum() + 1e-9)


@mutant("temporal_softmax_loss")
def loss_last(x, y, mask):
    """dx comes first."""
    return _solved(x, y, mask)[::-1]
