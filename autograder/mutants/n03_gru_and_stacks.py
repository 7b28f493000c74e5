"""Wrong answers to notebook 03's exercises on gradient flow, the GRU, stacks and the bug hunt."""

import numpy as np

from autograder.mutants import mutant

_BUFFERS = {}


def _in_a_buffer(name, value):
    """The value in an array that the next call with such a shape writes over."""
    buffer = _BUFFERS.setdefault((name, value.shape), np.empty(value.shape))
    buffer[...] = value
    return buffer


# --------------------------------------------------------------------------------- gradient_norms


def _slope(h, activation):
    return {"tanh": 1 - h**2, "relu": (h > 0) * 1.0, "linear": np.ones_like(h)}[activation]


def _whole(dh, h, Wh, activation, slopes=None, here=lambda own, arriving: own + arriving):
    """The gradient of every state; `here` puts a step's own and what arrives together."""
    slopes = _slope(h, activation) if slopes is None else slopes
    whole, arriving = np.zeros_like(h), np.zeros_like(h[:, 0])
    for t in reversed(range(h.shape[1])):
        whole[:, t] = here(dh[:, t], arriving)
        arriving = ((dh[:, t] + arriving) * slopes[:, t]) @ Wh.T
    return whole


def _length(whole):
    return np.sqrt(np.sum(whole**2, axis=-1))


@mutant("gradient_norms")
def norms_squared(dh, h, Wh, activation="tanh"):
    """The root is forgotten."""
    return _length(_whole(dh, h, Wh, activation)) ** 2


@mutant("gradient_norms")
def norms_wh_not_transposed(dh, h, Wh, activation="tanh"):
    """Wh in the place of its transpose."""
    return _length(_whole(dh, h, Wh.T, activation))


@mutant("gradient_norms")
def norms_slope_one_early(dh, h, Wh, activation="tanh"):
    """The slope at t - 1 on the way from t to t - 1."""
    slopes = np.roll(_slope(h, activation), 1, axis=1)
    return _length(_whole(dh, h, Wh, activation, slopes))


@mutant("gradient_norms")
def norms_slope_one_late(dh, h, Wh, activation="tanh"):
    """The slope at t + 1 on the way from t to t - 1."""
    slopes = np.roll(_slope(h, activation), -1, axis=1)
    return _length(_whole(dh, h, Wh, activation, slopes))


@mutant("gradient_norms")
def norms_slope_after_wh(dh, h, Wh, activation="tanh"):
    """First Wh, then the slope."""
    slopes, whole = _slope(h, activation), dh.copy()
    for t in reversed(range(h.shape[1] - 1)):
        whole[:, t] += (whole[:, t + 1] @ Wh.T) * slopes[:, t]
    return _length(whole)


@mutant("gradient_norms")
def norms_without_slope(dh, h, Wh, activation="tanh"):
    """The activation's slope is forgotten: right for linear only."""
    return _length(_whole(dh, h, Wh, "linear"))


@mutant("gradient_norms")
def norms_always_tanh(dh, h, Wh, activation="tanh"):
    """tanh's slope whatever the activation."""
    return _length(_whole(dh, h, Wh, "tanh"))


@mutant("gradient_norms")
def norms_linear_as_relu(dh, h, Wh, activation="tanh"):
    """What is not tanh is taken for ReLU."""
    return _length(_whole(dh, h, Wh, "tanh" if activation == "tanh" else "relu"))


@mutant("gradient_norms")
def norms_tanh_twice(dh, h, Wh, activation="tanh"):
    """1 - tanh(h)**2, though h is a tanh already."""
    at = np.tanh(h) if activation == "tanh" else h
    return _length(_whole(dh, h, Wh, activation, _slope(at, activation)))


@mutant("gradient_norms")
def norms_without_square(dh, h, Wh, activation="tanh"):
    """1 - h: the square is forgotten."""
    slopes = 1 - h if activation == "tanh" else _slope(h, activation)
    return _length(_whole(dh, h, Wh, activation, slopes))


@mutant("gradient_norms")
def norms_relu_not_negative(dh, h, Wh, activation="tanh"):
    """h >= 0: always true after a ReLU."""
    slopes = (h >= 0) * 1.0 if activation == "relu" else _slope(h, activation)
    return _length(_whole(dh, h, Wh, activation, slopes))


@mutant("gradient_norms")
def norms_without_own(dh, h, Wh, activation="tanh"):
    """Only what arrives: the step's own loss is not counted in its norm."""
    return _length(_whole(dh, h, Wh, activation, here=lambda own, arriving: arriving))


@mutant("gradient_norms")
def norms_of_own_only(dh, h, Wh, activation="tanh"):
    """The norms of dh: nothing flows back."""
    return _length(dh)


@mutant("gradient_norms")
def norms_of_last_loss_only(dh, h, Wh, activation="tanh"):
    """Only the last step's loss flows back: right where there is no other."""
    last = np.zeros_like(dh)
    last[:, -1] = dh[:, -1]
    return _length(_whole(last, h, Wh, activation))


@mutant("gradient_norms")
def norms_own_or_arriving(dh, h, Wh, activation="tanh"):
    """A step's own gradient takes the place of what arrives."""
    whole, arriving = np.zeros_like(h), np.zeros_like(h[:, 0])
    for t in reversed(range(h.shape[1])):
        whole[:, t] = dh[:, t] if dh[:, t].any() else arriving
        arriving = (whole[:, t] * _slope(h, activation)[:, t]) @ Wh.T
    return _length(whole)


@mutant("gradient_norms")
def norms_of_da(dh, h, Wh, activation="tanh"):
    """The gradient of what goes into the activation."""
    return _length(_whole(dh, h, Wh, activation) * _slope(h, activation))


@mutant("gradient_norms")
def norms_one_step_on(dh, h, Wh, activation="tanh"):
    """Taken after it has gone one step further back."""
    return _length((_whole(dh, h, Wh, activation) * _slope(h, activation)) @ Wh.T)


@mutant("gradient_norms")
def norms_reversed(dh, h, Wh, activation="tanh"):
    """Collected from the last step to the first, and left so."""
    return _length(_whole(dh, h, Wh, activation))[:, ::-1]


@mutant("gradient_norms")
def norms_over_the_batch(dh, h, Wh, activation="tanh"):
    """One number for each step."""
    return np.sqrt(np.sum(_whole(dh, h, Wh, activation) ** 2, axis=(0, 2)))


@mutant("gradient_norms")
def norms_along_n(dh, h, Wh, activation="tanh"):
    """The length along the wrong axis."""
    return np.linalg.norm(_whole(dh, h, Wh, activation), axis=0)


@mutant("gradient_norms")
def norms_steps_first(dh, h, Wh, activation="tanh"):
    """(T, N): a list over the steps made an array."""
    return _length(_whole(dh, h, Wh, activation)).T


@mutant("gradient_norms")
def norms_largest_entry(dh, h, Wh, activation="tanh"):
    """The largest entry in the place of the length."""
    return np.abs(_whole(dh, h, Wh, activation)).max(axis=-1)


@mutant("gradient_norms")
def norms_sum_of_entries(dh, h, Wh, activation="tanh"):
    """The sum of the absolute values."""
    return np.abs(_whole(dh, h, Wh, activation)).sum(axis=-1)


@mutant("gradient_norms")
def norms_root_mean_square(dh, h, Wh, activation="tanh"):
    """A mean in the place of the sum."""
    return np.sqrt(np.mean(_whole(dh, h, Wh, activation) ** 2, axis=-1))


@mutant("gradient_norms")
def norms_by_lengths(dh, h, Wh, activation="tanh"):
    """Lengths are multiplied by the largest singular value: the bound, not the gradient."""
    norms = _length(dh)
    for t in reversed(range(dh.shape[1] - 1)):
        norms[:, t] += norms[:, t + 1] * np.linalg.norm(Wh, 2)
    return norms


@mutant("gradient_norms")
def norms_into_dh(dh, h, Wh, activation="tanh"):
    """`dh[:, t] += ...` changes the caller's array."""
    slopes = _slope(h, activation)
    for t in reversed(range(h.shape[1] - 1)):
        dh[:, t] += (dh[:, t + 1] * slopes[:, t + 1]) @ Wh.T
    return _length(dh)


@mutant("gradient_norms")
def norms_with_epsilon(dh, h, Wh, activation="tanh"):
    """A small number is added under the root: never exactly 0."""
    return np.sqrt(np.sum(_whole(dh, h, Wh, activation) ** 2, axis=-1) + 1e-20)


@mutant("gradient_norms")
def norms_slope_of_later_after_wh(dh, h, Wh, activation="tanh"):
    """First Wh, then the slope of the state that the gradient comes from."""
    slopes, whole = _slope(h, activation), dh.copy()
    for t in reversed(range(h.shape[1] - 1)):
        whole[:, t] += (whole[:, t + 1] @ Wh.T) * slopes[:, t + 1]
    return _length(whole)


@mutant("gradient_norms")
def norms_clipped(dh, h, Wh, activation="tanh"):
    """What arrives is clipped at 5 on the way."""
    here = lambda own, arriving: own + np.clip(arriving, -5, 5)  # noqa: E731
    return _length(_whole(dh, h, Wh, activation, here=here))


@mutant("gradient_norms")
def norms_limited(dh, h, Wh, activation="tanh"):
    """No norm is let grow beyond 10."""
    return np.minimum(_length(_whole(dh, h, Wh, activation)), 10)


@mutant("gradient_norms")
def norms_of_a_row_without_loss(dh, h, Wh, activation="tanh"):
    """Nothing arrives at the steps of a sequence at which it has no loss of its own."""
    whole, arriving = np.zeros_like(h), np.zeros_like(h[:, 0])
    for t in reversed(range(h.shape[1])):
        whole[:, t] = dh[:, t] + arriving
        arriving = (whole[:, t] * _slope(h, activation)[:, t]) @ Wh.T
        if dh[:, : t + 1].any():
            arriving *= dh[:, t].any(axis=1, keepdims=True)
    return _length(whole)


@mutant("gradient_norms")
def norms_truncated(dh, h, Wh, activation="tanh"):
    """Ten steps back, no more."""
    whole, arriving = dh.copy(), np.zeros_like(h[:, 0])
    for t in range(h.shape[1] - 1, max(-1, h.shape[1] - 11), -1):
        whole[:, t] = dh[:, t] + arriving
        arriving = (whole[:, t] * _slope(h, activation)[:, t]) @ Wh.T
    return _length(whole)


# ------------------------------------------------------------------------------- gru_step_forward


def _sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def _gru(x, prev_h, Wx, Wh, b, *, order=(0, 1, 2), reset=None, mix=None, r=None, z=None, g=np.tanh):
    """A GRU's step, right unless it is told otherwise.

    order: where the blocks of r, z and g lie; reset: (r, prev_h, Wg, x Wx + b) -> the sum of g
    mix: (z, prev_h, g) -> next_h; r, z, g: other functions that squash the sums
    """
    (xr, xz, xg), (Wr, Wz, Wg) = (
        [np.split(each, 3, axis=1)[k] for k in order] for each in (x @ Wx + b, Wh)
    )
    gate = (r or _sigmoid)(xr + prev_h @ Wr)
    z = (z or _sigmoid)(xz + prev_h @ Wz)
    reset = reset or (lambda r, h, Wg, xg: xg + (r * h) @ Wg)
    new = g(reset(gate, prev_h, Wg, xg))
    mix = mix or (lambda z, h, g: z * h + (1 - z) * g)
    return mix(z, prev_h, new), (x, prev_h, Wx, Wh, gate, z, new)


@mutant("gru_step_forward")
def gru_z_swapped(x, prev_h, Wx, Wh, b):
    """z and 1 - z the other way round, as in Cho's follow-ups."""
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: (1 - z) * h + z * g)


@mutant("gru_step_forward")
def gru_reset_after(x, prev_h, Wx, Wh, b):
    """The reset comes after the product, as in torch."""
    return _gru(x, prev_h, Wx, Wh, b, reset=lambda r, h, Wg, xg: xg + r * (h @ Wg))


@mutant("gru_step_forward")
def gru_reset_after_with_bias(x, prev_h, Wx, Wh, b):
    """The reset multiplies product and bias."""
    bg = np.split(b, 3)[2]
    return _gru(x, prev_h, Wx, Wh, b, reset=lambda r, h, Wg, xg: xg - bg + r * (h @ Wg + bg))


@mutant("gru_step_forward")
def gru_without_reset(x, prev_h, Wx, Wh, b):
    """r is made and not used."""
    return _gru(x, prev_h, Wx, Wh, b, reset=lambda r, h, Wg, xg: xg + h @ Wg)


@mutant("gru_step_forward")
def gru_reset_upside_down(x, prev_h, Wx, Wh, b):
    """1 - r in the place of r."""
    return _gru(x, prev_h, Wx, Wh, b, reset=lambda r, h, Wg, xg: xg + ((1 - r) * h) @ Wg)


@mutant("gru_step_forward")
def gru_reset_of_the_sum(x, prev_h, Wx, Wh, b):
    """r multiplies the whole sum."""
    return _gru(x, prev_h, Wx, Wh, b, reset=lambda r, h, Wg, xg: r * (xg + h @ Wg))


@mutant("gru_step_forward")
def gru_z_first(x, prev_h, Wx, Wh, b):
    """The blocks are taken for z, r, g."""
    return _gru(x, prev_h, Wx, Wh, b, order=(1, 0, 2))


@mutant("gru_step_forward")
def gru_g_first(x, prev_h, Wx, Wh, b):
    """The blocks are taken for g, r, z."""
    return _gru(x, prev_h, Wx, Wh, b, order=(1, 2, 0))


@mutant("gru_step_forward")
def gru_r_last(x, prev_h, Wx, Wh, b):
    """The blocks are taken for g, z, r."""
    return _gru(x, prev_h, Wx, Wh, b, order=(2, 1, 0))


@mutant("gru_step_forward")
def gru_g_is_a_sigmoid(x, prev_h, Wx, Wh, b):
    """All three are sigmoids."""
    return _gru(x, prev_h, Wx, Wh, b, g=_sigmoid)


@mutant("gru_step_forward")
def gru_g_is_linear(x, prev_h, Wx, Wh, b):
    """The tanh of g is forgotten."""
    return _gru(x, prev_h, Wx, Wh, b, g=lambda a: a)


@mutant("gru_step_forward")
def gru_g_is_relu(x, prev_h, Wx, Wh, b):
    """A ReLU in the place of g's tanh."""
    return _gru(x, prev_h, Wx, Wh, b, g=lambda a: np.maximum(a, 0))


@mutant("gru_step_forward")
def gru_r_is_a_tanh(x, prev_h, Wx, Wh, b):
    """r is a tanh."""
    return _gru(x, prev_h, Wx, Wh, b, r=np.tanh)


@mutant("gru_step_forward")
def gru_z_is_a_tanh(x, prev_h, Wx, Wh, b):
    """z is a tanh."""
    return _gru(x, prev_h, Wx, Wh, b, z=np.tanh)


@mutant("gru_step_forward")
def gru_g_times_z(x, prev_h, Wx, Wh, b):
    """z * prev_h + (1 - z) * g * z."""
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: z * h + (1 - z) * g * z)


@mutant("gru_step_forward")
def gru_clipped(x, prev_h, Wx, Wh, b):
    """next_h is kept between -1 and 1."""
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: np.clip(z * h + (1 - z) * g, -1, 1))


@mutant("gru_step_forward")
def gru_waits_for_an_input(x, prev_h, Wx, Wh, b):
    """A sequence whose input is zero keeps its state."""
    next_h, cache = _gru(x, prev_h, Wx, Wh, b)
    return np.where(x.any(axis=1, keepdims=True), next_h, prev_h), cache


@mutant("gru_step_forward")
def gru_into_a_buffer(x, prev_h, Wx, Wh, b):
    """next_h lies in a buffer that the next call writes over."""
    next_h, cache = _gru(x, prev_h, Wx, Wh, b)
    return _in_a_buffer("next_h", next_h), cache


@mutant("gru_step_forward")
def gru_g_added_whole(x, prev_h, Wx, Wh, b):
    """z * prev_h + g."""
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: z * h + g)


@mutant("gru_step_forward")
def gru_kept_whole(x, prev_h, Wx, Wh, b):
    """prev_h + (1 - z) * g."""
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: h + (1 - z) * g)


@mutant("gru_step_forward")
def gru_nothing_kept(x, prev_h, Wx, Wh, b):
    """(1 - z) * g alone."""
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: (1 - z) * g)


@mutant("gru_step_forward")
def gru_tanh_of_all(x, prev_h, Wx, Wh, b):
    """A tanh around next_h."""
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: np.tanh(z * h + (1 - z) * g))


@mutant("gru_step_forward")
def gru_without_bias(x, prev_h, Wx, Wh, b):
    """b is left out."""
    return _gru(x, prev_h, Wx, Wh, 0 * b)


@mutant("gru_step_forward")
def gru_two_biases(x, prev_h, Wx, Wh, b):
    """b is added to each product, as torch's cell has two."""
    return _gru(x, prev_h, Wx, Wh, 2 * b)


@mutant("gru_step_forward")
def gru_g_without_bias(x, prev_h, Wx, Wh, b):
    """b is left out of g."""
    b = b.copy()
    np.split(b, 3)[2][...] = 0
    return _gru(x, prev_h, Wx, Wh, b)


@mutant("gru_step_forward")
def gru_units_interleaved(x, prev_h, Wx, Wh, b):
    """The columns are taken for (H, 3), not three blocks of H."""
    columns = np.arange(len(b)).reshape(-1, 3).T.ravel()
    return _gru(x, prev_h, Wx[:, columns], Wh[:, columns], b[columns])


@mutant("gru_step_forward")
def gru_reset_state_everywhere(x, prev_h, Wx, Wh, b):
    """prev_h is replaced by r * prev_h, for z * prev_h as well."""
    kept = _gru(x, prev_h, Wx, Wh, b)[1][4] * prev_h
    return _gru(x, prev_h, Wx, Wh, b, mix=lambda z, h, g: z * kept + (1 - z) * g)


@mutant("gru_step_forward")
def gru_overflowing(x, prev_h, Wx, Wh, b):
    """exp(a) / (1 + exp(a)) is NaN for large a."""
    return _gru(x, prev_h, Wx, Wh, b, r=lambda a: np.exp(a) / (1 + np.exp(a)))


@mutant("gru_step_forward")
def gru_in_place(x, prev_h, Wx, Wh, b):
    """The new state is written over prev_h."""
    prev_h[...] = _gru(x, prev_h.copy(), Wx, Wh, b)[0]
    return prev_h, None


@mutant("gru_step_forward")
def gru_without_cache(x, prev_h, Wx, Wh, b):
    """The cache is not returned."""
    return _gru(x, prev_h, Wx, Wh, b)[0]


@mutant("gru_step_forward")
def gru_squeezed(x, prev_h, Wx, Wh, b):
    """A batch of one loses its axis."""
    next_h, cache = _gru(x, prev_h, Wx, Wh, b)
    return np.squeeze(next_h), cache


# ------------------------------------------------------------------------------ gru_step_backward


def _back(dnext_h, cache, **wrong):
    """The gradients; `wrong` replaces intermediate results, each a function of the right ones."""
    x, prev_h, Wx, Wh, r, z, g = cache
    (Wr, Wz, Wg), has = np.split(Wh, 3, axis=1), {**wrong}

    def take(name, value):
        return has[name](value) if name in has else value

    dg = take("dg", dnext_h * (1 - z))
    dag = take("dag", dg * (1 - g**2))
    dkept = take("dkept", dag @ Wg.T)
    dr = take("dr", dkept * prev_h)
    dar = take("dar", dr * r * (1 - r))
    dz = take("dz", dnext_h * (prev_h - g))
    daz = take("daz", dz * z * (1 - z))
    da = np.concatenate([dar, daz, dag], axis=1)
    ways = {
        "by_z": dnext_h * z,
        "by_kept": dkept * r,
        "by_gates": dar @ Wr.T + daz @ Wz.T,
    }
    dprev_h = sum(take(name, way) for name, way in ways.items())
    kept = take("kept", r * prev_h)
    dWh = np.concatenate([prev_h.T @ dar, prev_h.T @ daz, kept.T @ dag], axis=1)
    return da @ Wx.T, dprev_h, x.T @ da, dWh, da.sum(axis=0)


_backward = mutant("gru_step_backward", gru_step_forward=_gru)


@_backward
def gru_back_without_slopes(dnext_h, cache):
    """All three slopes are forgotten."""
    *_, r, z, g = cache
    return _back(
        dnext_h, cache, dar=lambda v: v / r / (1 - r), daz=lambda v: v / z / (1 - z),
        dag=lambda v: v / (1 - g**2),
    )  # fmt: skip


@_backward
def gru_back_r_without_slope(dnext_h, cache):
    """The slope of r is forgotten."""
    r = cache[4]
    return _back(dnext_h, cache, dar=lambda v: v / r / (1 - r))


@_backward
def gru_back_z_without_slope(dnext_h, cache):
    """The slope of z is forgotten."""
    z = cache[5]
    return _back(dnext_h, cache, daz=lambda v: v / z / (1 - z))


@_backward
def gru_back_g_as_sigmoid(dnext_h, cache):
    """g has the slope of a sigmoid."""
    g = cache[6]
    return _back(dnext_h, cache, dag=lambda v: v / (1 - g**2) * g * (1 - g))


@_backward
def gru_back_z_only_by_prev_h(dnext_h, cache):
    """dz is dnext_h * prev_h: the part of (1 - z) * g is forgotten."""
    return _back(dnext_h, cache, dz=lambda v: dnext_h * cache[1])


@_backward
def gru_back_z_only_by_g(dnext_h, cache):
    """dz is -dnext_h * g: the part of z * prev_h is forgotten."""
    return _back(dnext_h, cache, dz=lambda v: -dnext_h * cache[6])


@_backward
def gru_back_z_sign(dnext_h, cache):
    """g - prev_h in the place of prev_h - g."""
    return _back(dnext_h, cache, dz=lambda v: -v)


@_backward
def gru_back_g_gets_z(dnext_h, cache):
    """g gets z of dnext_h, not 1 - z."""
    return _back(dnext_h, cache, dg=lambda v: dnext_h * cache[5])


@_backward
def gru_back_g_gets_all(dnext_h, cache):
    """g gets all of dnext_h."""
    return _back(dnext_h, cache, dg=lambda v: dnext_h)


@_backward
def gru_back_without_r(dnext_h, cache):
    """Nothing comes back through r."""
    return _back(dnext_h, cache, dr=lambda v: 0 * v)


@_backward
def gru_back_r_without_prev_h(dnext_h, cache):
    """dr without the factor prev_h."""
    return _back(dnext_h, cache, dr=lambda v: v / cache[1])


@_backward
def gru_back_without_z_way(dnext_h, cache):
    """dprev_h without dnext_h * z."""
    return _back(dnext_h, cache, by_z=lambda v: 0 * v)


@_backward
def gru_back_without_kept_way(dnext_h, cache):
    """dprev_h without the way by r * prev_h."""
    return _back(dnext_h, cache, by_kept=lambda v: 0 * v)


@_backward
def gru_back_kept_way_without_r(dnext_h, cache):
    """dprev_h has dkept, not dkept * r."""
    return _back(dnext_h, cache, by_kept=lambda v: v / cache[4])


@_backward
def gru_back_without_gates_way(dnext_h, cache):
    """dprev_h without the ways through the gates' Wh."""
    return _back(dnext_h, cache, by_gates=lambda v: 0 * v)


@_backward
def gru_back_dwh_by_prev_h(dnext_h, cache):
    """In g's block of dWh prev_h takes the place of r * prev_h."""
    return _back(dnext_h, cache, kept=lambda v: cache[1])


@_backward
def gru_back_of_torchs(dnext_h, cache):
    """The way back of a reset after the product."""
    _x, prev_h, _, Wh, r, z, g = cache
    Wg = np.split(Wh, 3, axis=1)[2]
    dag = dnext_h * (1 - z) * (1 - g**2)
    return _back(
        dnext_h, cache, dr=lambda v: dag * (prev_h @ Wg), by_kept=lambda v: (dag * r) @ Wg.T
    )


@_backward
def gru_back_da_clipped(dnext_h, cache):
    """What goes back into the sums is clipped at 1."""
    clip = lambda v: np.clip(v, -1, 1)  # noqa: E731
    return _back(dnext_h, cache, dar=clip, daz=clip, dag=clip)


@_backward
def gru_back_dnext_h_clipped(dnext_h, cache):
    """What arrives is clipped at 5."""
    return _back(np.clip(dnext_h, -5, 5), cache)


@_backward
def gru_back_results_clipped(dnext_h, cache):
    """The gradients are clipped at 5 before they are returned."""
    return tuple(np.clip(grad, -5, 5) for grad in _back(dnext_h, cache))


@_backward
def gru_back_wg_not_transposed(dnext_h, cache):
    """Wh of g in the place of its transpose."""
    Wg = np.split(cache[3], 3, axis=1)[2]
    return _back(dnext_h, cache, dkept=lambda v: v @ np.linalg.inv(Wg.T) @ Wg)


@_backward
def gru_back_r_half_a_slope(dnext_h, cache):
    """dr * (1 - r): the factor r of the slope is forgotten."""
    return _back(dnext_h, cache, dar=lambda v: v / cache[4])


@_backward
def gru_back_kept_way_twice(dnext_h, cache):
    """The way by r * prev_h is added twice."""
    return _back(dnext_h, cache, by_kept=lambda v: 2 * v)


@_backward
def gru_back_kept_way_whole_as_well(dnext_h, cache):
    """dkept is added to dprev_h, and then dkept * r."""
    return _back(dnext_h, cache, by_kept=lambda v: v + v / cache[4])


@_backward
def gru_back_da_in_other_order(dnext_h, cache):
    """da is put together as z, r, g before all else: dx and the way through the gates go wrong."""
    x, prev_h, Wx, Wh, r, z, g = cache
    dag, found = dnext_h * (1 - z) * (1 - g**2), _back(dnext_h, cache)
    (Wr, Wz, Wg) = np.split(Wh, 3, axis=1)
    dar = (dag @ Wg.T) * prev_h * r * (1 - r)
    daz = dnext_h * (prev_h - g) * z * (1 - z)
    da = np.concatenate([daz, dar, dag], axis=1)
    dprev_h = dnext_h * z + (dag @ Wg.T) * r + daz @ Wr.T + dar @ Wz.T
    dWh = np.concatenate([prev_h.T @ daz, prev_h.T @ dar, np.split(found[3], 3, axis=1)[2]], axis=1)
    return da @ Wx.T, dprev_h, x.T @ da, dWh, da.sum(axis=0)


@_backward
def gru_back_into_buffers(dnext_h, cache):
    """The gradients lie in buffers that the next call writes over."""
    names = ("dx", "dprev_h", "dWx", "dWh", "db")
    grads = zip(names, _back(dnext_h, cache), strict=True)
    return tuple(_in_a_buffer(name, grad) for name, grad in grads)


def _gru_into_one_cache(x, prev_h, Wx, Wh, b):
    next_h, cache = _gru(x, prev_h, Wx, Wh, b)
    kept = (_in_a_buffer(f"kept {k}", part) for k, part in enumerate(cache[4:]))
    return next_h, (*cache[:4], *kept)


@mutant("gru_step_backward", gru_step_forward=_gru_into_one_cache)
def gru_back_of_gates_in_buffers(dnext_h, cache):
    """The forward keeps its gates in buffers that the next call writes over."""
    return _back(dnext_h, cache)


@_backward
def gru_back_blocks_swapped(dnext_h, cache):
    """The blocks are put together as z, r, g."""
    dx, dprev_h, *weights = _back(dnext_h, cache)
    swapped = [np.concatenate([np.split(w, 3, -1)[k] for k in (1, 0, 2)], -1) for w in weights]
    return dx, dprev_h, *swapped


@_backward
def gru_back_db_mean(dnext_h, cache):
    """db is a mean over the batch."""
    *rest, db = _back(dnext_h, cache)
    return *rest, db / len(dnext_h)


@_backward
def gru_back_db_not_summed(dnext_h, cache):
    """db keeps the batch axis."""
    *rest, db = _back(dnext_h, cache)
    return *rest, np.repeat(db[None], len(dnext_h), axis=0)


@_backward
def gru_back_other_order(dnext_h, cache):
    """dprev_h comes first."""
    dx, dprev_h, *rest = _back(dnext_h, cache)
    return dprev_h, dx, *rest


@_backward
def gru_back_in_place(dnext_h, cache):
    """`dnext_h *= 1 - z` changes the caller's gradient."""
    found = _back(dnext_h, cache)
    dnext_h *= 1 - cache[5]
    return found


@_backward
def gru_back_writes_into_cache(dnext_h, cache):
    """The slope is written over r in the cache: wrong when called again."""
    found = _back(dnext_h, cache)
    cache[4][...] = cache[4] * (1 - cache[4])
    return found


@_backward
def gru_back_first_row_only(dnext_h, cache):
    """The weights' gradients are those of the first sequence."""
    dx, dprev_h, *_ = _back(dnext_h, cache)
    only = np.zeros_like(dnext_h)
    only[0] = dnext_h[0]
    return dx, dprev_h, *_back(only, cache)[2:]


_LAST_STEP = {}


def _gru_into_a_global(x, prev_h, Wx, Wh, b):
    next_h, cache = _gru(x, prev_h, Wx, Wh, b)
    _LAST_STEP["cache"] = cache
    return next_h, None


@mutant("gru_step_backward", gru_step_forward=_gru_into_a_global)
def gru_back_of_the_last_step(dnext_h, cache):
    """A global holds what the last step left there."""
    return _back(dnext_h, _LAST_STEP["cache"])


def _gru_reset_after(x, prev_h, Wx, Wh, b):
    return _gru(x, prev_h, Wx, Wh, b, reset=lambda r, h, Wg, xg: xg + r * (h @ Wg))


@mutant("gru_step_backward", gru_step_forward=_gru_reset_after)
def gru_back_of_a_wrong_forward(dnext_h, cache):
    """It is right, and its forward resets after the product."""
    return _back(dnext_h, cache)


# --------------------------------------------------------------------------- stacked_lstm_forward


def _lstm(x, h, c, Wx, Wh, b):
    hs, cs = [], []
    for t in range(x.shape[1]):
        i, f, o, g = np.split(x[:, t] @ Wx + h @ Wh + b, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        hs.append(h)
        cs.append(c)
    return np.stack(hs, axis=1), np.stack(cs, axis=1)


def _stack(x, h0, c0, layers, up=lambda x, h, c, h0: h):
    """up: what a layer hands to the one above."""
    hs, cs = [], []
    for start, memory, weights in zip(h0, c0, layers, strict=True):
        h, c = _lstm(x, start, memory, *weights)
        x = up(x, h, c, start)
        hs.append(h)
        cs.append(c)
    return np.stack(hs), np.stack(cs)


@mutant("stacked_lstm_forward")
def stack_all_read_x(x, h0, c0, layers):
    """Every layer reads x."""
    return _stack(x, h0, c0, layers, up=lambda x, h, c, start: x)


@mutant("stacked_lstm_forward")
def stack_one_layer_for_all(x, h0, c0, layers):
    """layers[0] in the place of layers[l]."""
    return _stack(x, h0, c0, [layers[0]] * len(layers))


@mutant("stacked_lstm_forward")
def stack_top_weights_repeated(x, h0, c0, layers):
    """The weights of the second layer serve all above it."""
    return _stack(x, h0, c0, layers[:2] + layers[1:2] * (len(layers) - 2))


@mutant("stacked_lstm_forward")
def stack_h0_of_the_lowest(x, h0, c0, layers):
    """h0[0] for all layers."""
    return _stack(x, [h0[0]] * len(h0), c0, layers)


@mutant("stacked_lstm_forward")
def stack_c0_of_the_lowest(x, h0, c0, layers):
    """c0[0] for all layers."""
    return _stack(x, h0, [c0[0]] * len(c0), layers)


@mutant("stacked_lstm_forward")
def stack_starts_ignored(x, h0, c0, layers):
    """Every layer starts from zeros."""
    return _stack(x, 0 * h0, 0 * c0, layers)


@mutant("stacked_lstm_forward")
def stack_upper_starts_ignored(x, h0, c0, layers):
    """Only the lowest layer starts from its own state."""
    only = np.arange(len(h0))[:, None, None] == 0
    return _stack(x, h0 * only, c0 * only, layers)


@mutant("stacked_lstm_forward")
def stack_starts_swapped(x, h0, c0, layers):
    """h0 and c0 are swapped."""
    return _stack(x, c0, h0, layers)


@mutant("stacked_lstm_forward")
def stack_starts_reversed(x, h0, c0, layers):
    """The top layer's start goes to the lowest."""
    return _stack(x, h0[::-1], c0[::-1], layers)


@mutant("stacked_lstm_forward")
def stack_c_goes_up(x, h0, c0, layers):
    """The memory is handed up in the place of the state."""
    return _stack(x, h0, c0, layers, up=lambda x, h, c, start: c)


@mutant("stacked_lstm_forward")
def stack_a_step_behind(x, h0, c0, layers):
    """A layer reads the state that the one below had a step before."""
    return _stack(
        x, h0, c0, layers,
        up=lambda x, h, c, start: np.concatenate([start[:, None], h[:, :-1]], axis=1),
    )  # fmt: skip


@mutant("stacked_lstm_forward")
def stack_last_state_goes_up(x, h0, c0, layers):
    """A layer reads the last state of the one below at every step."""
    return _stack(
        x, h0, c0, layers, up=lambda x, h, c, start: np.repeat(h[:, -1:], h.shape[1], axis=1)
    )


@mutant("stacked_lstm_forward")
def stack_residual(x, h0, c0, layers):
    """What goes into a layer is added to what goes up."""
    return _stack(x, h0, c0, layers, up=lambda x, h, c, start: x + h if x.shape == h.shape else h)


@mutant("stacked_lstm_forward")
def stack_upside_down(x, h0, c0, layers):
    """The top layer comes first in the results."""
    h, c = _stack(x, h0, c0, layers)
    return h[::-1], c[::-1]


@mutant("stacked_lstm_forward")
def stack_top_only(x, h0, c0, layers):
    """Only the top layer's states are returned."""
    h, c = _stack(x, h0, c0, layers)
    return h[-1], c[-1]


@mutant("stacked_lstm_forward")
def stack_last_step_only(x, h0, c0, layers):
    """The states after the last step, as torch's h_n and c_n."""
    h, c = _stack(x, h0, c0, layers)
    return h[:, :, -1], c[:, :, -1]


@mutant("stacked_lstm_forward")
def stack_memory_of_the_top_for_all(x, h0, c0, layers):
    """c is that of the top layer in all places."""
    h, c = _stack(x, h0, c0, layers)
    return h, np.repeat(c[-1:], len(c), axis=0)


@mutant("stacked_lstm_forward")
def stack_c_first(x, h0, c0, layers):
    """c comes before h."""
    return _stack(x, h0, c0, layers)[::-1]


@mutant("stacked_lstm_forward")
def stack_steps_first(x, h0, c0, layers):
    """(L, T, N, H)."""
    return tuple(np.swapaxes(each, 1, 2) for each in _stack(x, h0, c0, layers))


@mutant("stacked_lstm_forward")
def stack_layers_beside_steps(x, h0, c0, layers):
    """(N, T, L, H)."""
    return tuple(np.moveaxis(each, 0, 2) for each in _stack(x, h0, c0, layers))


@mutant("stacked_lstm_forward")
def stack_as_lists(x, h0, c0, layers):
    """Lists of arrays are returned."""
    return tuple(map(list, _stack(x, h0, c0, layers)))


@mutant("stacked_lstm_forward")
def stack_starts_overwritten(x, h0, c0, layers):
    """The last states are written over h0 and c0."""
    h, c = _stack(x, h0, c0, layers)
    h0[...], c0[...] = h[:, :, -1], c[:, :, -1]
    return h, c


@mutant("stacked_lstm_forward")
def stack_empties_the_list(x, h0, c0, layers):
    """`layers.pop(0)` takes the caller's weights away."""
    return _stack(x, h0, c0, [layers.pop(0) for _ in range(len(layers))])


@mutant("stacked_lstm_forward")
def stack_start_handed_up(x, h0, c0, layers):
    """A layer starts from the end of the one below."""
    hs, cs, start, memory = [], [], h0[0], c0[0]
    for weights in layers:
        x, c = _lstm(x, start, memory, *weights)
        start, memory = x[:, -1], c[:, -1]
        hs.append(x)
        cs.append(c)
    return np.stack(hs), np.stack(cs)


@mutant("stacked_lstm_forward")
def stack_from_the_top(x, h0, c0, layers):
    """The layers are run from the last to the first."""
    return _stack(x, h0, c0, layers[::-1])


@mutant("stacked_lstm_forward")
def stack_three_layers_at_most(x, h0, c0, layers):
    """Of more than three layers only three are run."""
    h, c = _stack(x, h0, c0, layers)
    h[3:], c[3:] = 0, 0
    return h, c


@mutant("stacked_lstm_forward")
def stack_ten_steps_only(x, h0, c0, layers):
    """What comes after ten steps is left at zero."""
    h, c = _stack(x, h0, c0, layers)
    h[:, :, 10:], c[:, :, 10:] = 0, 0
    return h, c


@mutant("stacked_lstm_forward")
def stack_memory_clipped(x, h0, c0, layers):
    """The memories that are returned are kept between -3 and 3."""
    h, c = _stack(x, h0, c0, layers)
    return h, np.clip(c, -3, 3)


@mutant("stacked_lstm_forward")
def stack_waits_for_an_input(x, h0, c0, layers):
    """A step without an input leaves all states as they are."""
    h, c = list(h0), list(c0)
    hs, cs = np.zeros((2, len(h0), *x.shape[:2], h0.shape[2]))
    for t in range(x.shape[1]):
        given, below = x[:, t].any(axis=1, keepdims=True), x[:, t : t + 1]
        for k, weights in enumerate(layers):
            below, memory = _lstm(below, h[k], c[k], *weights)
            h[k] = np.where(given, below[:, 0], h[k])
            c[k] = np.where(given, memory[:, 0], c[k])
            hs[k, :, t], cs[k, :, t] = h[k], c[k]
    return hs, cs


@mutant("stacked_lstm_forward")
def stack_into_buffers(x, h0, c0, layers):
    """The states lie in buffers that the next call writes over."""
    h, c = _stack(x, h0, c0, layers)
    return _in_a_buffer("h", h), _in_a_buffer("c", c)


# --------------------------------------------------------------------------------------- fix_lstm


def _listing(x, h0, c0, Wx, Wh, b, dh, left=(), summed=True, back=None, **wrong):
    """The bug hunt's listing with the faults `left` still in it.

    back: how many steps it goes back; wrong: (t, value) -> another value of da, c, dh_next, dc_next
    """

    def take(name, t, value):
        return wrong[name](t, value) if name in wrong else value

    N, T, H = dh.shape
    h, c = np.zeros((N, T + 1, H)), np.zeros((N, T + 1, H))
    gates = np.zeros((N, T, 4, H))
    h[:, 0], c[:, 0] = h0, 0 if "c0 lost" in left else c0
    for t in range(T):
        a = (x[:, t] @ Wx + h[:, t] @ Wh + b).reshape(N, 4, H)
        gates[:, t, :3], gates[:, t, 3] = _sigmoid(a[:, :3]), np.tanh(a[:, 3])
        i, f, o, g = gates[:, t].swapaxes(0, 1)
        c[:, t + 1] = take("c", t, f * c[:, t] + i * g)
        h[:, t + 1] = o * (c[:, t + 1] if "no tanh" in left else np.tanh(c[:, t + 1]))
    slopes = gates * (1 - gates)
    if "sigmoid's slope" not in left:
        slopes[:, :, 3] = 1 - gates[:, :, 3] ** 2
    dx, dWx, dWh, db = (np.zeros_like(each) for each in (x, Wx, Wh, b))
    dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T)[::-1][:back]:
        i, f, o, g = gates[:, t].swapaxes(0, 1)
        tanh_c, dh_here = np.tanh(c[:, t + 1]), dh[:, t] + dh_next
        dc = dh_here * o * (1 - tanh_c**2) + ("dc lost" not in left) * dc_next
        old = c[:, t + 1] if "new c" in left else c[:, t]
        dgates = np.stack([dc * g, dc * old, dh_here * tanh_c, dc * i], axis=1)
        da = take("da", t, (dgates * slopes[:, t]).reshape(N, 4 * H))
        dx[:, t] = da @ Wx.T
        for total, here in ((dWx, x[:, t].T @ da), (dWh, h[:, t].T @ da), (db, da.sum(axis=0))):
            total[...] = summed * total + here
        dh_next, dc_next = take("dh_next", t, da @ Wh.T), take("dc_next", t, dc * f)
    return h[:, 1:], dx, dh_next, dc_next, dWx, dWh, db


_FAULTS = ("c0 lost", "no tanh", "sigmoid's slope", "dc lost", "new c")


@mutant("fix_lstm")
def listing_as_it_is(x, h0, c0, Wx, Wh, b, dh):
    """The faulty listing, unchanged."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, left=_FAULTS)


@mutant("fix_lstm")
def listing_c0_lost(x, h0, c0, Wx, Wh, b, dh):
    """One fault is left: the memory starts at zero."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, left=("c0 lost",))


@mutant("fix_lstm")
def listing_without_tanh(x, h0, c0, Wx, Wh, b, dh):
    """One fault is left: h = o * c, as neuraltalk has it."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, left=("no tanh",))


@mutant("fix_lstm")
def listing_sigmoid_slope(x, h0, c0, Wx, Wh, b, dh):
    """One fault is left: g has the slope of a sigmoid."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, left=("sigmoid's slope",))


@mutant("fix_lstm")
def listing_dc_lost(x, h0, c0, Wx, Wh, b, dh):
    """One fault is left: dc is not carried from step to step."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, left=("dc lost",))


@mutant("fix_lstm")
def listing_new_c(x, h0, c0, Wx, Wh, b, dh):
    """One fault is left: the forget gate's gradient takes the new memory."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, left=("new c",))


@mutant("fix_lstm")
def listing_tanh_mended_backwards(x, h0, c0, Wx, Wh, b, dh):
    """Forward and backward agree, on h = o * c."""
    h, dx, _, _, _, _, _ = _listing(x, h0, c0, Wx, Wh, b, dh, left=("no tanh",))
    N, T, H = dh.shape
    _, c = _lstm_linear(x, h0, c0, Wx, Wh, b)
    states = np.concatenate([h0[:, None], h], axis=1)
    memories = np.concatenate([c0[:, None], c], axis=1)
    dWx, dWh, db = (np.zeros_like(each) for each in (Wx, Wh, b))
    dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        i, f, o, g = np.split(x[:, t] @ Wx + states[:, t] @ Wh + b, 4, axis=1)
        i, f, o, g = _sigmoid(i), _sigmoid(f), _sigmoid(o), np.tanh(g)
        dh_here = dh[:, t] + dh_next
        dc = dc_next + dh_here * o
        das = (
            dc * g * i * (1 - i), dc * memories[:, t] * f * (1 - f),
            dh_here * memories[:, t + 1] * o * (1 - o), dc * i * (1 - g**2),
        )  # fmt: skip
        da = np.concatenate(das, axis=1)
        dx[:, t] = da @ Wx.T
        dWx, dWh, db = dWx + x[:, t].T @ da, dWh + states[:, t].T @ da, db + da.sum(axis=0)
        dh_next, dc_next = da @ Wh.T, dc * f
    return h, dx, dh_next, dc_next, dWx, dWh, db


def _lstm_linear(x, h, c, Wx, Wh, b):
    hs, cs = [], []
    for t in range(x.shape[1]):
        i, f, o, g = np.split(x[:, t] @ Wx + h @ Wh + b, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * c
        hs.append(h)
        cs.append(c)
    return np.stack(hs, axis=1), np.stack(cs, axis=1)


@mutant("fix_lstm")
def listing_last_step_only(x, h0, c0, Wx, Wh, b, dh):
    """`=` in the place of `+=` for the weights' gradients."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, summed=False)


@mutant("fix_lstm")
def listing_c0_swapped_in(x, h0, c0, Wx, Wh, b, dh):
    """The memory starts from h0."""
    return _listing(x, h0, h0, Wx, Wh, b, dh)


@mutant("fix_lstm")
def listing_dc_without_forget(x, h0, c0, Wx, Wh, b, dh):
    """dc0 is not multiplied by the first step's f."""
    found = list(_listing(x, h0, c0, Wx, Wh, b, dh))
    f = _sigmoid(np.split(x[:, 0] @ Wx + h0 @ Wh + b, 4, axis=1)[1])
    found[3] = found[3] / f
    return tuple(found)


@mutant("fix_lstm")
def listing_with_h0(x, h0, c0, Wx, Wh, b, dh):
    """h0 is left among the states: T + 1 of them."""
    h, *rest = _listing(x, h0, c0, Wx, Wh, b, dh)
    return np.concatenate([h0[:, None], h], axis=1), *rest


@mutant("fix_lstm")
def listing_starts_swapped(x, h0, c0, Wx, Wh, b, dh):
    """dc0 is returned before dh0."""
    h, dx, dh0, dc0, *rest = _listing(x, h0, c0, Wx, Wh, b, dh)
    return h, dx, dc0, dh0, *rest


@mutant("fix_lstm")
def listing_writes_into_dh(x, h0, c0, Wx, Wh, b, dh):
    """`dh[:, t] += dh_next` changes the caller's gradient."""
    found = _listing(x, h0, c0, Wx, Wh, b, dh)
    dh[:, :-1] += 1e-3
    return found


@mutant("fix_lstm")
def listing_dx_reversed(x, h0, c0, Wx, Wh, b, dh):
    """dx is collected from the last step to the first."""
    h, dx, *rest = _listing(x, h0, c0, Wx, Wh, b, dh)
    return h, dx[:, ::-1], *rest


@mutant("fix_lstm")
def listing_averaged(x, h0, c0, Wx, Wh, b, dh):
    """The weights' gradients are divided by T."""
    *rest, dWx, dWh, db = _listing(x, h0, c0, Wx, Wh, b, dh)
    return *rest, dWx / dh.shape[1], dWh / dh.shape[1], db / dh.shape[1]


@mutant("fix_lstm")
def listing_blocks_as_torch(x, h0, c0, Wx, Wh, b, dh):
    """The blocks are i, f, g, o, as in torch."""
    swap = np.concatenate([np.split(np.arange(len(b)), 4)[k] for k in (0, 1, 3, 2)])
    *rest, dWx, dWh, db = _listing(x, h0, c0, Wx[:, swap], Wh[:, swap], b[swap], dh)
    return *rest, dWx[:, swap], dWh[:, swap], db[swap]


@mutant("fix_lstm")
def listing_da_clipped(x, h0, c0, Wx, Wh, b, dh):
    """What goes back into the sums is clipped at 1."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, da=lambda t, da: np.clip(da, -1, 1))


@mutant("fix_lstm")
def listing_dh_next_clipped(x, h0, c0, Wx, Wh, b, dh):
    """What goes back to the state before is clipped at 5."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, dh_next=lambda t, dh_next: np.clip(dh_next, -5, 5))


@mutant("fix_lstm")
def listing_dc_next_clipped(x, h0, c0, Wx, Wh, b, dh):
    """What goes back to the memory before is clipped at 5."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, dc_next=lambda t, dc_next: np.clip(dc_next, -5, 5))


@mutant("fix_lstm")
def listing_weights_clipped(x, h0, c0, Wx, Wh, b, dh):
    """The gradients of the weights are clipped at 5 before they are returned."""
    *rest, dWx, dWh, db = _listing(x, h0, c0, Wx, Wh, b, dh)
    return *rest, *(np.clip(grad, -5, 5) for grad in (dWx, dWh, db))


@mutant("fix_lstm")
def listing_of_length_five(x, h0, c0, Wx, Wh, b, dh):
    """All gradients together are scaled down to a length of 5."""
    h, *grads = _listing(x, h0, c0, Wx, Wh, b, dh)
    length = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    return h, *(grad * min(1, 5 / length) for grad in grads)


@mutant("fix_lstm")
def listing_truncated(x, h0, c0, Wx, Wh, b, dh):
    """Ten steps back, no more."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, back=10)


@mutant("fix_lstm")
def listing_dh_masked(x, h0, c0, Wx, Wh, b, dh):
    """Nothing goes back through the state from a step without a loss."""
    lossy = dh.any(axis=2, keepdims=True)
    return _listing(x, h0, c0, Wx, Wh, b, dh, dh_next=lambda t, dh_next: dh_next * lossy[:, t])


@mutant("fix_lstm")
def listing_dc_masked(x, h0, c0, Wx, Wh, b, dh):
    """Nothing goes back through the memory from a step without a loss, but from the last one."""
    lossy = dh.any(axis=2, keepdims=True)
    lossy[:, 0] = True
    return _listing(x, h0, c0, Wx, Wh, b, dh, dc_next=lambda t, dc_next: dc_next * lossy[:, t])


@mutant("fix_lstm")
def listing_skips_steps_without_loss(x, h0, c0, Wx, Wh, b, dh):
    """A step at which no sequence has a loss gets no gradient for its sums."""
    lossy = dh.any(axis=(0, 2))
    return _listing(x, h0, c0, Wx, Wh, b, dh, da=lambda t, da: da * lossy[t])


@mutant("fix_lstm")
def listing_memory_clipped(x, h0, c0, Wx, Wh, b, dh):
    """The memory is kept between -3 and 3, and no gradient is wrong for it."""
    return _listing(x, h0, c0, Wx, Wh, b, dh, c=lambda t, c: np.clip(c, -3, 3))


@mutant("fix_lstm")
def listing_memory_kept_without_input(x, h0, c0, Wx, Wh, b, dh):
    """h of a sequence is that of the step before where it has no input."""
    h, *grads = _listing(x, h0, c0, Wx, Wh, b, dh)
    before = np.concatenate([h0[:, None], h[:, :-1]], axis=1)
    return np.where(x.any(axis=2, keepdims=True), h, before), *grads


@mutant("fix_lstm")
def listing_into_buffers(x, h0, c0, Wx, Wh, b, dh):
    """The results lie in buffers that the next call writes over."""
    names = ("h", "dx", "dh0", "dc0", "dWx", "dWh", "db")
    found = zip(names, _listing(x, h0, c0, Wx, Wh, b, dh), strict=True)
    return tuple(_in_a_buffer(name, each) for name, each in found)
