"""Wrong answers to the exercises of notebook 01 that have no windows."""

import numpy as np

from autograder.mutants import mutant

# --------------------------------------------------------------------------------- affine_forward


def _affine(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


@mutant("affine_forward")
def affine_without_bias(x, w, b):
    """b is left out."""
    return x.reshape(len(x), -1) @ w, None


@mutant("affine_forward")
def affine_minus_bias(x, w, b):
    """b is subtracted."""
    return x.reshape(len(x), -1) @ w - b, None


@mutant("affine_forward")
def affine_vectors_only(x, w, b):
    """x is not flattened: only (N, D) works."""
    return x @ w + b, None


@mutant("affine_forward")
def affine_volumes_only(x, w, b):
    """It unpacks N, C, H, W: nothing but four axes works."""
    N, C, H, W = x.shape
    return x.reshape(N, C * H * W) @ w + b, None


@mutant("affine_forward")
def affine_by_columns(x, w, b):
    """x is flattened from the first axis to the last."""
    return x.reshape(len(x), -1, order="F") @ w + b, None


@mutant("affine_forward")
def affine_in_memory_order(x, w, b):
    """`ravel("K")` reads x as it lies in memory: wrong after a transpose."""
    return x.ravel("K").reshape(len(x), -1) @ w + b, None


@mutant("affine_forward")
def affine_channels_last(x, w, b):
    """The channels are moved to the end before x is flattened."""
    return np.moveaxis(x, 1, -1).reshape(len(x), -1) @ w + b, None


@mutant("affine_forward")
def affine_across_the_batch(x, w, b):
    """`reshape(-1, N).T`: the right shape, the numbers of all inputs mixed."""
    return x.reshape(-1, len(x)).T @ w + b, None


@mutant("affine_forward")
def affine_with_threshold(x, w, b):
    """The threshold is taken as well, as a whole layer of the lecture has it."""
    return np.maximum(_affine(x, w, b)[0], 0), None


@mutant("affine_forward")
def affine_w_reshaped(x, w, b):
    """w is laid out as (M, D) and back."""
    return x.reshape(len(x), -1) @ w.reshape(w.shape[::-1]).T + b, None


@mutant("affine_forward")
def affine_first_for_all(x, w, b):
    """All inputs give the output of the first."""
    out = _affine(x, w, b)[0]
    return np.tile(out[:1], (len(x), 1)), None


@mutant("affine_forward")
def affine_divided(x, w, b):
    """The product is divided by D."""
    return x.reshape(len(x), -1) @ w / len(w) + b, None


@mutant("affine_forward")
def affine_reshapes_its_input(x, w, b):
    """`x.shape = (N, -1)` flattens the caller's array as well."""
    x.shape = (len(x), -1)
    return x @ w + b, None


@mutant("affine_forward")
def affine_adds_into_b(x, w, b):
    """`b += ...` writes into the bias."""
    product = x.reshape(len(x), -1) @ w
    b += product.sum(axis=0)
    return product + b - product.sum(axis=0), None


@mutant("affine_forward")
def affine_float32(x, w, b):
    """It computes and returns float32."""
    return _affine(x, w, b)[0].astype(np.float32), None


@mutant("affine_forward")
def affine_without_cache(x, w, b):
    """The cache is not returned."""
    return _affine(x, w, b)[0]


@mutant("affine_forward")
def affine_squeezed(x, w, b):
    """A batch of one loses its axis."""
    return np.squeeze(_affine(x, w, b)[0]), None


# -------------------------------------------------------------------------------- affine_backward


def _affine_back(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


_affine_backward = mutant("affine_backward", affine_forward=_affine)


@_affine_backward
def affine_back_dx_flat(dout, cache):
    """dx is not given the axes of x again."""
    dx, dw, db = _affine_back(dout, cache)
    return dx.reshape(len(dx), -1), dw, db


@_affine_backward
def affine_back_dx_by_columns(dout, cache):
    """dx is put back in another order than x was flattened in."""
    dx, dw, db = _affine_back(dout, cache)
    return dx.reshape(len(dx), -1).reshape(dx.shape, order="F"), dw, db


@_affine_backward
def affine_back_dw_by_columns(dout, cache):
    """x is flattened in another order than on the way forward."""
    dx, _dw, db = _affine_back(dout, cache)
    return dx, cache[0].reshape(len(dx), -1, order="F").T @ dout, db


@_affine_backward
def affine_back_in_memory_order(dout, cache):
    """x is flattened as it lies in memory: wrong after a transpose."""
    dx, _dw, db = _affine_back(dout, cache)
    return dx, cache[0].ravel("K").reshape(len(dx), -1).T @ dout, db


@_affine_backward
def affine_back_dx_is_x(dout, cache):
    """`dx = x`, and dx is filled before x is read for dw."""
    x, w, _ = cache
    dx = x
    dx[...] = (dout @ w.T).reshape(x.shape)
    return dx, x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


@_affine_backward
def affine_back_dw_is_w(dout, cache):
    """`dw = w`, and dw is filled before w is read for dx."""
    x, w, _ = cache
    dw = w
    dw[...] = x.reshape(len(x), -1).T @ dout
    return (dout @ w.T).reshape(x.shape), dw, dout.sum(axis=0)


@_affine_backward
def affine_back_divides_dout(dout, cache):
    """`dout /= N`, and not back again."""
    dout /= len(dout)
    return _affine_back(dout, cache)


@_affine_backward
def affine_back_dw_transposed(dout, cache):
    """dw is (M, D)."""
    dx, dw, db = _affine_back(dout, cache)
    return dx, dw.T, db


@_affine_backward
def affine_back_w_reshaped(dout, cache):
    """w is reshaped to (M, D), not transposed."""
    x, w, _ = cache
    _dx, dw, db = _affine_back(dout, cache)
    return (dout @ w.reshape(w.shape[::-1])).reshape(x.shape), dw, db


@_affine_backward
def affine_back_db_keeps_an_axis(dout, cache):
    """db has the shape (1, M): a comparison that broadcasts lets it pass."""
    dx, dw, db = _affine_back(dout, cache)
    return dx, dw, db[None]


@_affine_backward
def affine_back_db_not_summed(dout, cache):
    """db keeps the batch axis."""
    dx, dw, _ = _affine_back(dout, cache)
    return dx, dw, dout.copy()


@_affine_backward
def affine_back_db_other_axis(dout, cache):
    """db is summed over M, not over N."""
    dx, dw, _ = _affine_back(dout, cache)
    return dx, dw, dout.sum(axis=1)


@_affine_backward
def affine_back_db_mean(dout, cache):
    """db is the mean over the batch, not the sum."""
    dx, dw, _ = _affine_back(dout, cache)
    return dx, dw, dout.mean(axis=0)


@_affine_backward
def affine_back_dw_averaged(dout, cache):
    """dw is divided by N, as if the loss were not a mean already."""
    dx, dw, db = _affine_back(dout, cache)
    return dx, dw / len(dx), db


@_affine_backward
def affine_back_dx_averaged(dout, cache):
    """dx is divided by N."""
    dx, dw, db = _affine_back(dout, cache)
    return dx / len(dx), dw, db


@_affine_backward
def affine_back_sign(dout, cache):
    """The sign of dw is wrong."""
    dx, dw, db = _affine_back(dout, cache)
    return dx, -dw, db


@_affine_backward
def affine_back_ignores_dout(dout, cache):
    """The gradient from above is not used."""
    return _affine_back(np.ones_like(dout), cache)


@_affine_backward
def affine_back_with_threshold(dout, cache):
    """The gradient is cut where out is negative: that is ReLU's."""
    return _affine_back(dout * (_affine(*cache)[0] > 0), cache)


@_affine_backward
def affine_back_other_order(dout, cache):
    """dw comes first."""
    dx, dw, db = _affine_back(dout, cache)
    return dw, dx, db


@_affine_backward
def affine_back_without_db(dout, cache):
    """Two gradients are returned: b gets none."""
    return _affine_back(dout, cache)[:2]


@_affine_backward
def affine_back_first_input_only(dout, cache):
    """dw and db come from the first input alone."""
    dx, _, _ = _affine_back(dout, cache)
    return dx, *_affine_back(dout[:1], (cache[0][:1], *cache[1:]))[1:]


@_affine_backward
def affine_back_squeezed(dout, cache):
    """A batch of one loses its axis."""
    dx, dw, db = _affine_back(dout, cache)
    return np.squeeze(dx), dw, db


@_affine_backward
def affine_back_writes_into_dout(dout, cache):
    """`dout /= N` and back again: the caller's gradient is not quite what it was."""
    dout /= len(dout)
    dx, dw, db = _affine_back(dout, cache)
    return dx * len(dout), dw * len(dout), db * len(dout)


def _affine_of_copies(x, w, b):
    return _affine(x, w, b)[0], (x.copy(), w.copy(), b)


@mutant("affine_backward", affine_forward=_affine_of_copies)
def affine_back_transposes_its_cache(dout, cache):
    """`x.shape = (N, -1)` flattens x in the cache: wrong when called again."""
    x, w, _ = cache
    shape = x.shape
    x.shape = (len(x), -1)
    dx = dout @ w.T
    return dx.reshape(shape), x.T @ dout, dout.sum(axis=0)


def _affine_into_a_global(x, w, b):
    global _last_affine
    out, _last_affine = _affine(x, w, b)
    return out, None


@mutant("affine_backward", affine_forward=_affine_into_a_global)
def affine_back_of_the_last_step(dout, cache):
    """It looks at a global: the last inputs that went forward, not those in the cache."""
    return _affine_back(dout, _last_affine)


@mutant("affine_backward", affine_forward=_affine_into_a_global)
def affine_back_by_the_last_shape(dout, cache):
    """dw comes from the global x row by row: with another x the shapes do not fit."""
    x, w, _ = _last_affine
    dw = x.reshape(len(x), -1).T @ dout
    return (dout @ w.T).reshape(x.shape), dw, dout.sum(axis=0)


def _affine_wrong(x, w, b):
    return x.reshape(len(x), -1) @ w - b, (x, w, b)


@mutant("affine_backward", affine_forward=_affine_wrong)
def affine_back_of_a_wrong_forward(dout, cache):
    """The gradient of a forward that is itself wrong."""
    dx, dw, db = _affine_back(dout, cache)
    return dx, dw, -db


# ----------------------------------------------------------------------------------- relu_forward


@mutant("relu_forward")
def relu_in_place(x):
    """`np.maximum(x, 0, out=x)` writes over the input."""
    return np.maximum(x, 0, out=x), x


@mutant("relu_forward")
def relu_clears_its_input(x):
    """`x[x < 0] = 0` writes over the input."""
    x[x < 0] = 0
    return x.copy(), x


@mutant("relu_forward")
def relu_leaky(x):
    """A hundredth of the negative numbers is left."""
    return np.where(x > 0, x, 0.01 * x), x


@mutant("relu_forward")
def relu_absolute(x):
    """Negative numbers lose their sign."""
    return np.abs(x), x


@mutant("relu_forward")
def relu_upside_down(x):
    """min(0, x)."""
    return np.minimum(x, 0), x


@mutant("relu_forward")
def relu_a_step(x):
    """Whether x is positive, not its value."""
    return (x > 0).astype(np.float64), x


@mutant("relu_forward")
def relu_booleans(x):
    """The comparison is returned as it is."""
    return x > 0, x


@mutant("relu_forward")
def relu_capped(x):
    """It stops at 6."""
    return np.clip(x, 0, 6), x


@mutant("relu_forward")
def relu_threshold_at_one(x):
    """Numbers up to 1 are cut."""
    return x * (x > 1), x


@mutant("relu_forward")
def relu_threshold_near_zero(x):
    """Numbers up to a millionth are cut."""
    return x * (x > 1e-6), x


@mutant("relu_forward")
def relu_softplus(x):
    """ln(1 + exp(x)), its smooth relative."""
    return np.logaddexp(0, x), x


@mutant("relu_forward")
def relu_sigmoid(x):
    """A sigmoid in its place."""
    return 1 / (1 + np.exp(-x)), x


@mutant("relu_forward")
def relu_along_an_axis(x):
    """`np.max(x, 0)`: the 0 is taken for an axis."""
    return np.max(x, 0), x


@mutant("relu_forward")
def relu_picks_the_positive(x):
    """`x[x > 0]`: the others are gone, and so are the axes."""
    return x[x > 0], x


@mutant("relu_forward")
def relu_two_axes_only(x):
    """Two loops: only (N, D) works."""
    out = np.zeros(x.shape)
    N, D = x.shape
    for n in range(N):
        for d in range(D):
            out[n, d] = max(0, x[n, d])
    return out, x


@mutant("relu_forward")
def relu_flattened(x):
    """Every input becomes a vector."""
    return np.maximum(x, 0).reshape(len(x), -1), x


@mutant("relu_forward")
def relu_float32(x):
    """It returns float32."""
    return np.maximum(x, 0).astype(np.float32), x


@mutant("relu_forward")
def relu_integers(x):
    """It fills an array of integers."""
    out = np.zeros(x.shape, int)
    out[x > 0] = x[x > 0]
    return out, x


@mutant("relu_forward")
def relu_without_cache(x):
    """The cache is not returned."""
    return np.maximum(x, 0)


@mutant("relu_forward")
def relu_squeezed(x):
    """A batch of one loses its axis."""
    return np.squeeze(np.maximum(x, 0)), x


# ---------------------------------------------------------------------------------- relu_backward


def _relu(x):
    return np.maximum(x, 0), x


_relu_backward = mutant("relu_backward", relu_forward=_relu)


@_relu_backward
def relu_back_everything(dout, cache):
    """The whole gradient passes."""
    return dout.copy()


@_relu_backward
def relu_back_ignores_dout(dout, cache):
    """The slope alone is returned."""
    return (cache > 0).astype(np.float64)


@_relu_backward
def relu_back_wrong_half(dout, cache):
    """It passes where x is negative."""
    return dout * (cache < 0)


@_relu_backward
def relu_back_of_dout(dout, cache):
    """max(0, dout): the gradient is thresholded, x is not looked at."""
    return np.maximum(dout, 0)


@_relu_backward
def relu_back_of_both(dout, cache):
    """Negative gradients are cut where x is positive, too."""
    return np.maximum(dout, 0) * (cache > 0)


@_relu_backward
def relu_back_times_out(dout, cache):
    """dout is multiplied by max(0, x), not by whether x is positive."""
    return dout * np.maximum(cache, 0)


@_relu_backward
def relu_back_times_x(dout, cache):
    """dout is multiplied by x."""
    return dout * cache


@_relu_backward
def relu_back_passes_zero(dout, cache):
    """The gradient passes where x is exactly 0."""
    return dout * (cache >= 0)


@_relu_backward
def relu_back_half_at_zero(dout, cache):
    """Half of the gradient passes where x is exactly 0, as a numeric derivative says."""
    return dout * ((cache > 0) + 0.5 * (cache == 0))


@_relu_backward
def relu_back_threshold_at_a_tenth(dout, cache):
    """The gradient passes where x is more than a tenth."""
    return dout * (cache > 0.1)


@_relu_backward
def relu_back_threshold_near_zero(dout, cache):
    """The gradient passes where x is more than a millionth."""
    return dout * (cache > 1e-6)


@_relu_backward
def relu_back_threshold_below_zero(dout, cache):
    """The gradient passes where x is a little less than 0 as well, but not at 0 itself."""
    return dout * (cache > -1e-6) * (cache != 0)


@_relu_backward
def relu_back_leaky(dout, cache):
    """A hundredth passes where x is negative."""
    return dout * np.where(cache > 0, 1, 0.01)


@_relu_backward
def relu_back_sign(dout, cache):
    """Its sign is wrong."""
    return -dout * (cache > 0)


@_relu_backward
def relu_back_averaged(dout, cache):
    """It is divided by N."""
    return dout * (cache > 0) / len(dout)


@_relu_backward
def relu_back_writes_into_dout(dout, cache):
    """`dout[x <= 0] = 0` changes the caller's gradient."""
    dout[cache <= 0] = 0
    return dout


def _relu_of_a_copy(x):
    return np.maximum(x, 0), x.copy()


@mutant("relu_backward", relu_forward=_relu_of_a_copy)
def relu_back_writes_into_its_cache(dout, cache):
    """The product is written over x in the cache: wrong when called again."""
    np.multiply(dout, cache > 0, out=cache)
    return cache.copy()


def _relu_keeps_out(x):
    out = np.maximum(x, 0)
    return out, out


@mutant("relu_backward", relu_forward=_relu_keeps_out)
def relu_back_out_not_negative(dout, cache):
    """out >= 0, which is always so."""
    return dout * (cache >= 0)


@mutant("relu_backward", relu_forward=_relu_keeps_out)
def relu_back_mask_in_the_cache(dout, cache):
    """The mask is written over out: each gradient is right, what others hold is not."""
    cache[cache > 0] = 1
    return dout * cache


@_relu_backward
def relu_back_in_a_tuple(dout, cache):
    """A tuple with the gradient in it."""
    return (dout * (cache > 0),)


@_relu_backward
def relu_back_flattened(dout, cache):
    """Every input's gradient becomes a vector."""
    return (dout * (cache > 0)).reshape(len(dout), -1)


def _relu_into_a_global(x):
    global _last_relu
    _last_relu = x
    return np.maximum(x, 0), None


@mutant("relu_backward", relu_forward=_relu_into_a_global)
def relu_back_of_the_last_step(dout, cache):
    """It looks at a global: the last x that went forward."""
    return dout * (_last_relu > 0) if _last_relu.shape == dout.shape else 0 * dout


def _relu_absolute(x):
    return np.abs(x), x


@mutant("relu_backward", relu_forward=_relu_absolute)
def relu_back_of_a_wrong_forward(dout, cache):
    """The gradient of a forward that is itself wrong."""
    return dout * np.sign(cache)


# ----------------------------------------------------------------------------------- softmax_loss


def _log_softmax(x):
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def _right(x, y):
    return np.arange(x.shape[1]) == y[:, None]


def _reduced(x, y, count):
    log_p, right = _log_softmax(x), _right(x, y)
    return float(-log_p[right].sum() / count), (np.exp(log_p) - right) / count


def _softmax_solved(x, y):
    return _reduced(x, y, len(x))


@mutant("softmax_loss")
def softmax_summed(x, y):
    """The sum over the pictures."""
    return _reduced(x, y, 1)


@mutant("softmax_loss")
def softmax_by_classes(x, y):
    """Divided by C."""
    return _reduced(x, y, x.shape[1])


@mutant("softmax_loss")
def softmax_by_all_entries(x, y):
    """Divided by N C: `.mean()` of a matrix that is zero but in one place a row."""
    return _reduced(x, y, x.size)


@mutant("softmax_loss")
def softmax_gradient_not_divided(x, y):
    """The loss is a mean, its gradient that of a sum."""
    return _softmax_solved(x, y)[0], _reduced(x, y, 1)[1]


@mutant("softmax_loss")
def softmax_gradient_divided_twice(x, y):
    """The gradient is divided by N twice."""
    loss, dx = _softmax_solved(x, y)
    return loss, dx / len(x)


@mutant("softmax_loss")
def softmax_gradient_without_one(x, y):
    """The 1 at the right class is not subtracted."""
    return _softmax_solved(x, y)[0], np.exp(_log_softmax(x)) / len(x)


@mutant("softmax_loss")
def softmax_gradient_one_too_late(x, y):
    """The 1 is subtracted after the division by N."""
    return _softmax_solved(x, y)[0], np.exp(_log_softmax(x)) / len(x) - _right(x, y)


@mutant("softmax_loss")
def softmax_gradient_sign(x, y):
    """The gradient points uphill."""
    loss, dx = _softmax_solved(x, y)
    return loss, -dx


@mutant("softmax_loss")
def softmax_gradient_in_columns(x, y):
    """`dx[:, y] -= 1` subtracts at every right class in every row."""
    chances = np.exp(_log_softmax(x))
    chances[:, y] -= 1
    return _softmax_solved(x, y)[0], chances / len(x)


@mutant("softmax_loss")
def softmax_gradient_in_columns_not_divided(x, y):
    """`dx[:, y] -= 1`, and no division by N."""
    loss, dx = softmax_gradient_in_columns(x, y)
    return loss, dx * len(x)


@mutant("softmax_loss")
def softmax_gradient_plus_one(x, y):
    """The 1 at the right class is added."""
    return _softmax_solved(x, y)[0], (np.exp(_log_softmax(x)) + _right(x, y)) / len(x)


@mutant("softmax_loss")
def softmax_gradient_one_elsewhere(x, y):
    """1 is taken off at two classes of each row."""
    dx = _softmax_solved(x, y)[1]
    dx[:, 0] -= 1 / len(x)
    return _softmax_solved(x, y)[0], dx


@mutant("softmax_loss")
def softmax_loss_in_columns(x, y):
    """`log_p[:, y].mean()`: every row's logarithms at the right classes of all rows."""
    return float(-_log_softmax(x)[:, y].mean()), _softmax_solved(x, y)[1]


@mutant("softmax_loss")
def softmax_loss_in_columns_by_rows(x, y):
    """`log_p[:, y].sum() / N`."""
    return float(-_log_softmax(x)[:, y].sum() / len(x)), _softmax_solved(x, y)[1]


@mutant("softmax_loss")
def softmax_one_before_the_logarithm(x, y):
    """`dx = p`, 1 is taken off, and then the logarithm of p is taken."""
    rows = np.arange(len(x))
    p = np.exp(_log_softmax(x))
    dx = p
    dx[rows, y] -= 1
    return float(-np.log(p[rows, y]).mean()), dx / len(x)


@mutant("softmax_loss")
def softmax_overflowing(x, y):
    """exp of the scores as they are."""
    chances = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    right = _right(x, y)
    return float(-np.log(chances[right]).mean()), (chances - right) / len(x)


@mutant("softmax_loss")
def softmax_one_maximum_for_all(x, y):
    """The largest score of the whole batch is subtracted: far smaller rows vanish."""
    x = x - x.max()
    log_p, right = x - np.log(np.exp(x).sum(1, keepdims=True)), _right(x, y)
    return float(-log_p[right].mean()), (np.exp(log_p) - right) / len(x)


@mutant("softmax_loss")
def softmax_log_with_epsilon(x, y):
    """log(p + 1e-12): no loss is larger than 27.6."""
    dx = _softmax_solved(x, y)[1]
    chances = np.exp(_log_softmax(x))[_right(x, y)]
    return float(-np.log(chances + 1e-12).mean()), dx


@mutant("softmax_loss")
def softmax_log_of_probability(x, y):
    """The largest score is subtracted, then the logarithm of a probability is taken."""
    dx = _softmax_solved(x, y)[1]
    return float(-np.log(np.exp(_log_softmax(x))[_right(x, y)]).mean()), dx


def _softmax_along(axis, x, y):
    shifted = np.exp(x - x.max(axis, keepdims=True))
    chances, right = shifted / shifted.sum(axis, keepdims=True), _right(x, y)
    return float(-np.log(chances[right]).mean()), (chances - right) / len(x)


@mutant("softmax_loss")
def softmax_over_pictures(x, y):
    """The softmax runs over the batch: `axis=0`."""
    return _softmax_along(0, x, y)


@mutant("softmax_loss")
def softmax_over_everything(x, y):
    """One softmax over all scores."""
    return _softmax_along(None, x, y)


@mutant("softmax_loss")
def softmax_base_two(x, y):
    """A logarithm to base 2."""
    loss, dx = _softmax_solved(x, y)
    return float(loss / np.log(2)), dx / np.log(2)


@mutant("softmax_loss")
def softmax_sign(x, y):
    """The mean of the logarithms, without the minus."""
    loss, dx = _softmax_solved(x, y)
    return -loss, dx


@mutant("softmax_loss")
def softmax_of_probability(x, y):
    """Minus the logarithm is forgotten."""
    return float(np.exp(_log_softmax(x))[_right(x, y)].mean()), _softmax_solved(x, y)[1]


@mutant("softmax_loss")
def softmax_log_of_the_mean(x, y):
    """The logarithm of the mean probability, not the mean of the logarithms."""
    chances = np.exp(_log_softmax(x))[_right(x, y)]
    return float(-np.log(chances.mean())), _softmax_solved(x, y)[1]


@mutant("softmax_loss")
def softmax_not_reduced(x, y):
    """One loss a picture is returned."""
    return -_log_softmax(x)[_right(x, y)], _softmax_solved(x, y)[1]


@mutant("softmax_loss")
def softmax_writes_into_scores(x, y):
    """`x -= x.max()` changes the caller's scores."""
    x -= x.max(1, keepdims=True)
    return _softmax_solved(x, y)


@mutant("softmax_loss")
def softmax_first_picture(x, y):
    """`x[0, y[0]]`: only the first picture counts."""
    return float(-_log_softmax(x)[0, y[0]]), _softmax_solved(x, y)[1]


@mutant("softmax_loss")
def softmax_hinge(x, y):
    """The margin loss of a support vector machine."""
    right = _right(x, y)
    margins = np.maximum(x - x[right][:, None] + 1, 0) * ~right
    push = (margins > 0) * 1.0
    push[right] -= push.sum(1)
    return float(margins.sum() / len(x)), push / len(x)


@mutant("softmax_loss")
def softmax_of_all_classes(x, y):
    """The logarithms of all classes are added up."""
    return float(-_log_softmax(x).sum() / len(x)), _softmax_solved(x, y)[1]


@mutant("softmax_loss")
def softmax_guarded_division(x, y):
    """N + 1e-7 in the place of N: nearly the mean."""
    return _reduced(x, y, len(x) + 1e-7)


@mutant("softmax_loss")
def softmax_last(x, y):
    """dx comes first."""
    return _softmax_solved(x, y)[::-1]


@mutant("softmax_loss")
def softmax_float32_gradient(x, y):
    """dx is float32."""
    loss, dx = _softmax_solved(x, y)
    return loss, dx.astype(np.float32)


# ----------------------------------------------------------------------------------- sgd_momentum


@mutant("sgd_momentum")
def sgd_uphill(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The gradient is added."""
    next_v = momentum * v + learning_rate * dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_minus_velocity(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The velocity is subtracted, though it has the sign already."""
    next_v = momentum * v - learning_rate * dw
    return w - next_v, next_v


@mutant("sgd_momentum")
def sgd_both_signs(w, dw, v, learning_rate=0.01, momentum=0.9):
    """v gathers the gradient and is subtracted: the same steps from v = 0, another velocity."""
    next_v = momentum * v + learning_rate * dw
    return w - next_v, next_v


@mutant("sgd_momentum")
def sgd_as_in_torch(w, dw, v, learning_rate=0.01, momentum=0.9):
    """torch's convention: v without the learning rate."""
    next_v = momentum * v + dw
    return w - learning_rate * next_v, next_v


@mutant("sgd_momentum")
def sgd_dampened(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The gradient is multiplied by 1 - momentum, as Adam's first moment has it."""
    next_v = momentum * v - (1 - momentum) * learning_rate * dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_nesterov(w, dw, v, learning_rate=0.01, momentum=0.9):
    """Nesterov's momentum: the weights look ahead."""
    next_v = momentum * v - learning_rate * dw
    return w + momentum * next_v - learning_rate * dw, next_v


@mutant("sgd_momentum")
def sgd_by_the_old_velocity(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The weights move by v, not by next_v."""
    return w + v, momentum * v - learning_rate * dw


@mutant("sgd_momentum")
def sgd_without_velocity(w, dw, v, learning_rate=0.01, momentum=0.9):
    """Plain gradient descent; the velocity is made and not used."""
    return w - learning_rate * dw, momentum * v - learning_rate * dw


@mutant("sgd_momentum")
def sgd_gradient_twice(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The gradient is subtracted a second time."""
    next_v = momentum * v - learning_rate * dw
    return w + next_v - learning_rate * dw, next_v


@mutant("sgd_momentum")
def sgd_rate_ignored(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The learning rate is left out."""
    next_v = momentum * v - dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_momentum_ignored(w, dw, v, learning_rate=0.01, momentum=0.9):
    """All of the velocity is kept."""
    next_v = v - learning_rate * dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_forgets_v(w, dw, v, learning_rate=0.01, momentum=0.9):
    """v is left out: right at the first step only."""
    next_v = -learning_rate * dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_momentum_of_both(w, dw, v, learning_rate=0.01, momentum=0.9):
    """momentum multiplies the gradient as well."""
    next_v = momentum * (v - learning_rate * dw)
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_rate_of_both(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The learning rate multiplies the velocity as well."""
    next_v = learning_rate * (momentum * v - dw)
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_swapped(w, dw, v, learning_rate=0.01, momentum=0.9):
    """v comes first."""
    next_v = momentum * v - learning_rate * dw
    return next_v, w + next_v


@mutant("sgd_momentum")
def sgd_own_rates(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The default numbers are written into the function."""
    next_v = 0.9 * v - 0.01 * dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_other_default_rate(w, dw, v, learning_rate=0.001, momentum=0.9):
    """Another default learning rate."""
    next_v = momentum * v - learning_rate * dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_other_default_momentum(w, dw, v, learning_rate=0.01, momentum=0.0):
    """Another default momentum."""
    next_v = momentum * v - learning_rate * dw
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_moves_w_in_place(w, dw, v, learning_rate=0.01, momentum=0.9):
    """`w += v` changes the caller's weights."""
    next_v = momentum * v - learning_rate * dw
    w += next_v
    return w, next_v


@mutant("sgd_momentum")
def sgd_moves_v_in_place(w, dw, v, learning_rate=0.01, momentum=0.9):
    """`v *= momentum` changes the caller's velocity."""
    v *= momentum
    v -= learning_rate * dw
    return w + v, v


@mutant("sgd_momentum")
def sgd_remembers_its_velocity(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The velocity lies in a global, and v is not looked at: no other weights may come between."""
    global _velocity
    before = _velocity if _velocity.shape == w.shape else np.zeros_like(w)
    _velocity = momentum * before - learning_rate * dw
    return w + _velocity, _velocity.copy()


_velocity = np.zeros(())


@mutant("sgd_momentum")
def sgd_float32(w, dw, v, learning_rate=0.01, momentum=0.9):
    """It computes and returns float32."""
    next_v = (momentum * v - learning_rate * dw).astype(np.float32)
    return w.astype(np.float32) + next_v, next_v


@mutant("sgd_momentum")
def sgd_two_axes_only(w, dw, v, learning_rate=0.01, momentum=0.9):
    """Rows and columns are unpacked: filters have four axes."""
    rows, columns = w.shape
    next_v = (momentum * v - learning_rate * dw).reshape(rows, columns)
    return w + next_v, next_v


@mutant("sgd_momentum")
def sgd_weights_only(w, dw, v, learning_rate=0.01, momentum=0.9):
    """The velocity is not returned."""
    return w + momentum * v - learning_rate * dw


# ------------------------------------------------------------------------------------- vgg_shapes


def _vgg(layers, shape, conv=None, pool=None, fully=None):
    """The right table, but for a part that is replaced."""
    conv = conv or (lambda C, H, W, M: ((M, H, W), (9 * C + 1) * M))
    pool = pool or (lambda C, H, W: ((C, H // 2, W // 2), 0))
    fully = fully or (lambda volume, M: ((M,), (int(np.prod(volume)) + 1) * M))
    rows = [("image", tuple(shape), int(np.prod(shape)), 0)]
    for name in layers:
        volume = rows[-1][1]
        kind, _, M = name.partition("-")
        if kind == "conv":
            out, parameters = conv(*volume, int(M))
        elif kind == "maxpool":
            out, parameters = pool(*volume)
        else:
            out, parameters = fully(volume, int(M))
        rows.append((name, out, int(np.prod(out)), parameters))
    return rows


def _table(change, layers, shape):
    """The right table with each row changed."""
    return [change(row) for row in _vgg(layers, shape)]


@mutant("vgg_shapes")
def vgg_swapped(layers, shape=(3, 224, 224)):
    """H and W are swapped by a convolution."""
    return _vgg(layers, shape, conv=lambda C, H, W, M: ((M, W, H), (9 * C + 1) * M))


@mutant("vgg_shapes")
def vgg_channels_last(layers, shape=(3, 224, 224)):
    """Volumes are written (H, W, C)."""
    return _table(lambda row: (row[0], (*row[1][1:], row[1][0]), *row[2:]), layers, shape)


@mutant("vgg_shapes")
def vgg_without_padding(layers, shape=(3, 224, 224)):
    """A convolution loses a border: pad 0."""
    return _vgg(layers, shape, conv=lambda C, H, W, M: ((M, H - 2, W - 2), (9 * C + 1) * M))


@mutant("vgg_shapes")
def vgg_pool_rounds_up(layers, shape=(3, 224, 224)):
    """What does not divide is kept."""
    return _vgg(layers, shape, pool=lambda C, H, W: ((C, -(-H // 2), -(-W // 2)), 0))


@mutant("vgg_shapes")
def vgg_pool_by_floats(layers, shape=(3, 224, 224)):
    """H / 2: numbers that are not whole."""
    return _vgg(layers, shape, pool=lambda C, H, W: ((C, H / 2, W / 2), 0))


@mutant("vgg_shapes")
def vgg_pool_square(layers, shape=(3, 224, 224)):
    """H is used for W."""
    return _vgg(layers, shape, pool=lambda C, H, W: ((C, H // 2, H // 2), 0))


@mutant("vgg_shapes")
def vgg_pool_stride_one(layers, shape=(3, 224, 224)):
    """The pool's windows overlap."""
    return _vgg(layers, shape, pool=lambda C, H, W: ((C, H - 1, W - 1), 0))


@mutant("vgg_shapes")
def vgg_pool_halves_depth(layers, shape=(3, 224, 224)):
    """A pool halves the number of slices as well."""
    return _vgg(layers, shape, pool=lambda C, H, W: ((C // 2, H // 2, W // 2), 0))


@mutant("vgg_shapes")
def vgg_pool_learns(layers, shape=(3, 224, 224)):
    """A pool is given parameters."""
    return _vgg(layers, shape, pool=lambda C, H, W: ((C, H // 2, W // 2), 4 * C))


@mutant("vgg_shapes")
def vgg_without_biases(layers, shape=(3, 224, 224)):
    """Biases are not counted."""
    return _vgg(
        layers,
        shape,
        conv=lambda C, H, W, M: ((M, H, W), 9 * C * M),
        fully=lambda volume, M: ((M,), int(np.prod(volume)) * M),
    )


@mutant("vgg_shapes")
def vgg_one_bias_a_layer(layers, shape=(3, 224, 224)):
    """One bias for all filters."""
    return _vgg(layers, shape, conv=lambda C, H, W, M: ((M, H, W), 9 * C * M + 1))


@mutant("vgg_shapes")
def vgg_biases_of_fully_missing(layers, shape=(3, 224, 224)):
    """FC layers have no biases."""
    return _vgg(layers, shape, fully=lambda volume, M: ((M,), int(np.prod(volume)) * M))


@mutant("vgg_shapes")
def vgg_channels_of_the_image(layers, shape=(3, 224, 224)):
    """Every filter has the image's depth."""
    return _vgg(layers, shape, conv=lambda C, H, W, M: ((M, H, W), (9 * shape[0] + 1) * M))


@mutant("vgg_shapes")
def vgg_always_three_channels(layers, shape=(3, 224, 224)):
    """The image is taken for one of three channels."""
    return _vgg(layers, (3, *shape[1:]))


@mutant("vgg_shapes")
def vgg_flat_filters(layers, shape=(3, 224, 224)):
    """A filter looks at one slice alone: 3x3 + 1 parameters."""
    return _vgg(layers, shape, conv=lambda C, H, W, M: ((M, H, W), 10 * M))


@mutant("vgg_shapes")
def vgg_filters_of_one_pixel(layers, shape=(3, 224, 224)):
    """The 3x3 is left out."""
    return _vgg(layers, shape, conv=lambda C, H, W, M: ((M, H, W), (C + 1) * M))


@mutant("vgg_shapes")
def vgg_weights_not_shared(layers, shape=(3, 224, 224)):
    """Each place has a filter of its own."""
    return _vgg(layers, shape, conv=lambda C, H, W, M: ((M, H, W), (9 * C + 1) * M * H * W))


@mutant("vgg_shapes")
def vgg_fully_of_slices(layers, shape=(3, 224, 224)):
    """FC reads C numbers, not C H W: the volume is not flattened."""
    return _vgg(layers, shape, fully=lambda volume, M: ((M,), (volume[0] + 1) * M))


@mutant("vgg_shapes")
def vgg_fully_keeps_axes(layers, shape=(3, 224, 224)):
    """A volume after FC-M is (M, 1, 1)."""
    return _vgg(layers, shape, fully=lambda volume, M: ((M, 1, 1), (int(np.prod(volume)) + 1) * M))


@mutant("vgg_shapes")
def vgg_fully_a_number(layers, shape=(3, 224, 224)):
    """A volume after FC-M is M, not (M,)."""
    return _table(lambda row: (row[0], *_bare(row[1]), *row[2:]), layers, shape)


def _bare(volume):
    return (volume if len(volume) == 3 else volume[0],)


@mutant("vgg_shapes")
def vgg_fully_not_a_tuple(layers, shape=(3, 224, 224)):
    """Volumes are arrays."""
    return _table(lambda row: (row[0], np.array(row[1]), *row[2:]), layers, shape)


@mutant("vgg_shapes")
def vgg_values_with_padding(layers, shape=(3, 224, 224)):
    """The zeros around a volume are counted as stored."""
    return _table(lambda row: (*row[:2], _padded(row[1]), row[3]), layers, shape)


def _padded(volume):
    return int(np.prod((volume[0], *(n + 2 for n in volume[1:]))))


@mutant("vgg_shapes")
def vgg_values_of_a_slice(layers, shape=(3, 224, 224)):
    """H W is stored: the slices are forgotten."""
    return _table(lambda row: (*row[:2], int(np.prod(row[1][-2:])), row[3]), layers, shape)


@mutant("vgg_shapes")
def vgg_values_in_bytes(layers, shape=(3, 224, 224)):
    """Four bytes a number."""
    return _table(lambda row: (*row[:2], 4 * row[2], row[3]), layers, shape)


@mutant("vgg_shapes")
def vgg_values_of_what_comes_in(layers, shape=(3, 224, 224)):
    """Each layer has the values of the layer before."""
    rows = _vgg(layers, shape)
    before = [rows[0], *rows]
    return [(*row[:2], earlier[2], row[3]) for row, earlier in zip(rows, before, strict=False)]


@mutant("vgg_shapes")
def vgg_sums_so_far(layers, shape=(3, 224, 224)):
    """Parameters are added up from row to row."""
    rows = _vgg(layers, shape)
    sums = np.cumsum([row[3] for row in rows]).tolist()
    return [(*row[:3], total) for row, total in zip(rows, sums, strict=True)]


@mutant("vgg_shapes")
def vgg_without_image(layers, shape=(3, 224, 224)):
    """The image's row is missing."""
    return _vgg(layers, shape)[1:]


@mutant("vgg_shapes")
def vgg_image_has_parameters(layers, shape=(3, 224, 224)):
    """The image's numbers are counted as parameters."""
    return [(*row[:3], row[3] or row[2] * (row[0] == "image")) for row in _vgg(layers, shape)]


@mutant("vgg_shapes")
def vgg_names_without_width(layers, shape=(3, 224, 224)):
    """Rows are named "conv", not "conv-64"."""
    return _table(lambda row: (row[0].partition("-")[0], *row[1:]), layers, shape)


@mutant("vgg_shapes")
def vgg_other_order(layers, shape=(3, 224, 224)):
    """Parameters come before values."""
    return _table(lambda row: (*row[:2], row[3], row[2]), layers, shape)


@mutant("vgg_shapes")
def vgg_as_dictionary(layers, shape=(3, 224, 224)):
    """A dictionary by name: layers of one name fall together."""
    return {row[0]: row[1:] for row in _vgg(layers, shape)}


@mutant("vgg_shapes")
def vgg_empties_the_list(layers, shape=(3, 224, 224)):
    """`layers.pop(0)` empties the caller's list."""
    rows, given = _vgg(layers, shape), list(layers)
    while layers:
        layers.pop(0)
    assert given or not rows[1:]
    return rows


@mutant("vgg_shapes")
def vgg_ignores_shape(layers, shape=(3, 224, 224)):
    """The image is always 224 x 224."""
    return _vgg(layers, (3, 224, 224))


@mutant("vgg_shapes")
def vgg_needs_a_convolution(layers, shape=(3, 224, 224)):
    """The number of slices is taken from the last convolution: without one it is unknown."""
    widths = [int(name[5:]) for name in layers if name.startswith("conv")]
    rows = _vgg(layers, shape)
    assert widths[-1] > 0
    return rows


@mutant("vgg_shapes")
def vgg_of_one_bill(layers, shape=(3, 224, 224), _rows=[]):  # noqa: B006
    """A list as a default: the rows of the last call are still in it."""
    _rows += _vgg(layers, shape)
    return list(_rows)


@mutant("vgg_shapes")
def vgg_rows_as_text(layers, shape=(3, 224, 224)):
    """Each row is a line of text."""
    return [" ".join(map(str, row)) for row in _vgg(layers, shape)]


@mutant("vgg_shapes")
def vgg_pool_costs_five_a_row(layers, shape=(3, 224, 224)):
    """A pool gets parameters of its windows."""
    return _vgg(layers, shape, pool=lambda C, H, W: ((C, H // 2, W // 2), 5 * H))


@mutant("vgg_shapes")
def vgg_fully_reads_the_last_pool(layers, shape=(3, 224, 224)):
    """Every FC reads the last volume that was not flat."""
    read = []

    def fully(volume, M):
        read.append(volume) if len(volume) == 3 else None
        return (M,), (int(np.prod(read[-1])) + 1) * M

    return _vgg(layers, shape, fully=fully)
