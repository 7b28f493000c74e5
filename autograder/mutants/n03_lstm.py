"""Wrong answers to the LSTM exercises of notebook 03."""

import numpy as np

from autograder.mutants import mutant

# ------------------------------------------------------------------------------ lstm_step_forward


def _sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def _sums(x, prev_h, Wx, Wh, b):
    return np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)


def _forward(x, prev_h, prev_c, Wx, Wh, b):
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    i, f, o, g = _sigmoid(i), _sigmoid(f), _sigmoid(o), np.tanh(g)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c, next_h)


def _gates(x, prev_h, Wx, Wh, b):
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    return _sigmoid(i), _sigmoid(f), _sigmoid(o), np.tanh(g)


@mutant("lstm_step_forward")
def lstm_torch_order(x, prev_h, prev_c, Wx, Wh, b):
    """The blocks are taken for i, f, g, o, as torch has them."""
    i, f, g, o = _sums(x, prev_h, Wx, Wh, b)
    next_c = _sigmoid(f) * prev_c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_f_before_i(x, prev_h, prev_c, Wx, Wh, b):
    """The blocks are taken for f, i, o, g."""
    f, i, o, g = _sums(x, prev_h, Wx, Wh, b)
    next_c = _sigmoid(f) * prev_c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_o_before_f(x, prev_h, prev_c, Wx, Wh, b):
    """The blocks are taken for i, o, f, g."""
    i, o, f, g = _sums(x, prev_h, Wx, Wh, b)
    next_c = _sigmoid(f) * prev_c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_unit_by_unit(x, prev_h, prev_c, Wx, Wh, b):
    """Every fourth column belongs to a gate, not a block of them."""
    a = x @ Wx + prev_h @ Wh + b
    i, f, o, g = (a[:, k::4] for k in range(4))
    next_c = _sigmoid(f) * prev_c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_g_sigmoid(x, prev_h, prev_c, Wx, Wh, b):
    """All four are sigmoids."""
    i, f, o, g = map(_sigmoid, _sums(x, prev_h, Wx, Wh, b))
    next_c = f * prev_c + i * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_all_tanh(x, prev_h, prev_c, Wx, Wh, b):
    """All four are tanh."""
    i, f, o, g = map(np.tanh, _sums(x, prev_h, Wx, Wh, b))
    next_c = f * prev_c + i * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_f_tanh(x, prev_h, prev_c, Wx, Wh, b):
    """The forget gate is a tanh."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    next_c = np.tanh(f) * prev_c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_i_tanh(x, prev_h, prev_c, Wx, Wh, b):
    """The input gate is a tanh."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    next_c = _sigmoid(f) * prev_c + np.tanh(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_without_squashing(x, prev_h, prev_c, Wx, Wh, b):
    """The four sums are used as they are."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    next_c = f * prev_c + i * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_h_without_tanh(x, prev_h, prev_c, Wx, Wh, b):
    """h = o * c."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = f * prev_c + i * g
    return o * next_c, next_c, None


@mutant("lstm_step_forward")
def lstm_h_tanh_of_product(x, prev_h, prev_c, Wx, Wh, b):
    """h = tanh(o * c)."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = f * prev_c + i * g
    return np.tanh(o * next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_h_without_o(x, prev_h, prev_c, Wx, Wh, b):
    """h = tanh(c)."""
    i, f, _, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = f * prev_c + i * g
    return np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_h_of_the_old_memory(x, prev_h, prev_c, Wx, Wh, b):
    """h = o * tanh(prev_c)."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    return o * np.tanh(prev_c), f * prev_c + i * g, None


@mutant("lstm_step_forward")
def lstm_f_and_i_cross(x, prev_h, prev_c, Wx, Wh, b):
    """c = i * prev_c + f * g."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = i * prev_c + f * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_f_forgets(x, prev_h, prev_c, Wx, Wh, b):
    """c = (1 - f) * prev_c + i * g: f near 1 forgets."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = (1 - f) * prev_c + i * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_coupled(x, prev_h, prev_c, Wx, Wh, b):
    """1 - f in the place of i, as a GRU has it."""
    _, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = f * prev_c + (1 - f) * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_prev_h_for_prev_c(x, prev_h, prev_c, Wx, Wh, b):
    """The forget gate multiplies prev_h."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = f * prev_h + i * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_wh_sees_the_memory(x, prev_h, prev_c, Wx, Wh, b):
    """prev_c goes through Wh, not prev_h."""
    return _forward(x, prev_c, prev_c, Wx, Wh, b)


@mutant("lstm_step_forward")
def lstm_without_f(x, prev_h, prev_c, Wx, Wh, b):
    """c = prev_c + i * g, as before forget gates were invented."""
    i, _, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = prev_c + i * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_two_biases(x, prev_h, prev_c, Wx, Wh, b):
    """b is added to each of the two products."""
    return _forward(x, prev_h, prev_c, Wx, Wh, 2 * b)


@mutant("lstm_step_forward")
def lstm_without_bias(x, prev_h, prev_c, Wx, Wh, b):
    """b is left out."""
    return _forward(x, prev_h, prev_c, Wx, Wh, 0 * b)


@mutant("lstm_step_forward")
def lstm_without_state(x, prev_h, prev_c, Wx, Wh, b):
    """prev_h is ignored."""
    return _forward(x, 0 * prev_h, prev_c, Wx, Wh, b)


@mutant("lstm_step_forward")
def lstm_peepholes(x, prev_h, prev_c, Wx, Wh, b):
    """The gates see prev_c as well."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    i, f, o, g = (_sigmoid(i + prev_c), _sigmoid(f + prev_c), _sigmoid(o + prev_c), np.tanh(g))
    next_c = f * prev_c + i * g
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_tanh_carried(x, prev_h, prev_c, Wx, Wh, b):
    """`next_c = np.tanh(...)`: the memory that goes on is squashed."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = np.tanh(f * prev_c + i * g)
    return o * next_c, next_c, None


@mutant("lstm_step_forward")
def lstm_memory_first(x, prev_h, prev_c, Wx, Wh, b):
    """next_c is returned before next_h."""
    next_h, next_c, cache = _forward(x, prev_h, prev_c, Wx, Wh, b)
    return next_c, next_h, cache


@mutant("lstm_step_forward")
def lstm_state_twice(x, prev_h, prev_c, Wx, Wh, b):
    """next_h is returned in the place of next_c as well."""
    next_h, _, cache = _forward(x, prev_h, prev_c, Wx, Wh, b)
    return next_h, next_h, cache


@mutant("lstm_step_forward")
def lstm_memory_in_place(x, prev_h, prev_c, Wx, Wh, b):
    """`prev_c *= f` changes the caller's memory."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    prev_c *= f
    prev_c += i * g
    return o * np.tanh(prev_c), prev_c, None


@mutant("lstm_step_forward")
def lstm_overflowing(x, prev_h, prev_c, Wx, Wh, b):
    """exp(a) / (1 + exp(a)): NaN for large sums."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    i, f, o = (np.exp(a) / (1 + np.exp(a)) for a in (i, f, o))
    next_c = f * prev_c + i * np.tanh(g)
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_hard_sigmoid(x, prev_h, prev_c, Wx, Wh, b):
    """The gates are straight lines, cut at 0 and 1."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    i, f, o = (np.clip(0.2 * a + 0.5, 0, 1) for a in (i, f, o))
    next_c = f * prev_c + i * np.tanh(g)
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_first_row_for_all(x, prev_h, prev_c, Wx, Wh, b):
    """All sequences keep the memory of the first."""
    return _forward(x, prev_h, prev_c[:1], Wx, Wh, b)


@mutant("lstm_step_forward")
def lstm_without_cache(x, prev_h, prev_c, Wx, Wh, b):
    """The cache is not returned."""
    return _forward(x, prev_h, prev_c, Wx, Wh, b)[:2]


@mutant("lstm_step_forward")
def lstm_squeezed(x, prev_h, prev_c, Wx, Wh, b):
    """A batch of one loses its axis."""
    next_h, next_c, cache = _forward(x, prev_h, prev_c, Wx, Wh, b)
    return np.squeeze(next_h), np.squeeze(next_c), cache


@mutant("lstm_step_forward")
def lstm_float32(x, prev_h, prev_c, Wx, Wh, b):
    """It returns float32."""
    next_h, next_c, cache = _forward(x, prev_h, prev_c, Wx, Wh, b)
    return next_h.astype(np.float32), next_c.astype(np.float32), cache


_MEMORY = {}


@mutant("lstm_step_forward")
def lstm_remembers_by_itself(x, prev_h, prev_c, Wx, Wh, b):
    """The memory of the last call is used, if its shape fits."""
    before = _MEMORY.get("c")
    c = before if before is not None and before.shape == prev_c.shape else prev_c
    next_h, next_c, cache = _forward(x, prev_h, c, Wx, Wh, b)
    _MEMORY["c"] = next_c
    return next_h, next_c, cache


@mutant("lstm_step_forward")
def lstm_g_relu(x, prev_h, prev_c, Wx, Wh, b):
    """g is a ReLU."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    next_c = _sigmoid(f) * prev_c + _sigmoid(i) * np.maximum(g, 0)
    return _sigmoid(o) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_g_both(x, prev_h, prev_c, Wx, Wh, b):
    """The sigmoid is taken of all four, then tanh of g."""
    i, f, o, g = map(_sigmoid, _sums(x, prev_h, Wx, Wh, b))
    next_c = f * prev_c + i * np.tanh(g)
    return o * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_output_peephole(x, prev_h, prev_c, Wx, Wh, b):
    """The gates i and f see prev_c, o sees next_c."""
    i, f, o, g = _sums(x, prev_h, Wx, Wh, b)
    next_c = _sigmoid(f + prev_c) * prev_c + _sigmoid(i + prev_c) * np.tanh(g)
    return _sigmoid(o + next_c) * np.tanh(next_c), next_c, None


@mutant("lstm_step_forward")
def lstm_memory_clipped(x, prev_h, prev_c, Wx, Wh, b):
    """The memory is kept between -3 and 3."""
    i, f, o, g = _gates(x, prev_h, Wx, Wh, b)
    next_c = np.clip(f * prev_c + i * g, -3, 3)
    return o * np.tanh(next_c), next_c, None


_STEP_BUFFERS = {}


def _buffer(buffers, name, value):
    """Write the value into the one array of its shape, and return that."""
    kept = buffers.setdefault((name, value.shape), np.zeros_like(value))
    kept[...] = value
    return kept


@mutant("lstm_step_forward")
def lstm_step_into_buffers(x, prev_h, prev_c, Wx, Wh, b):
    """The next call writes over the results of this one."""
    next_h, next_c, cache = _forward(x, prev_h, prev_c, Wx, Wh, b)
    return _buffer(_STEP_BUFFERS, "h", next_h), _buffer(_STEP_BUFFERS, "c", next_c), cache


# ----------------------------------------------------------------------------- lstm_step_backward


_back = mutant("lstm_step_backward", lstm_step_forward=_forward)


def _through(das, cache):
    """The six gradients, from those of the four sums."""
    x, prev_h, _, Wx, Wh, _, f, *_ = cache
    *sums, dc = das
    da = np.concatenate(sums, axis=1)
    return [da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)]


def _sum_gradients(dnext_h, dnext_c, cache):
    """The gradients of the four sums, and of next_c."""
    *_, o, _, next_c, _ = cache
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    return _four(dc, dnext_h, cache), dc


def _four(dc, dnext_h, cache):
    _, _, prev_c, _, _, i, f, o, g, next_c, _ = cache
    return [
        dc * g * i * (1 - i),
        dc * prev_c * f * (1 - f),
        dnext_h * np.tanh(next_c) * o * (1 - o),
        dc * i * (1 - g**2),
    ]


def _right(dnext_h, dnext_c, cache):
    das, dc = _sum_gradients(dnext_h, dnext_c, cache)
    return _through([*das, dc], cache)


def _with_dc(dc, dnext_h, cache):
    return tuple(_through([*_four(dc, dnext_h, cache), dc], cache))


@_back
def step_back_dnext_c_forgotten(dnext_h, dnext_c, cache):
    """Only dnext_h is taken back: the memory's gradient ends at each step."""
    return tuple(_right(dnext_h, 0 * dnext_c, cache))


@_back
def step_back_dnext_h_forgotten_in_dc(dnext_h, dnext_c, cache):
    """dc = dnext_c: dnext_h does not go through tanh(c)."""
    return _with_dc(dnext_c, dnext_h, cache)


@_back
def step_back_dnext_c_behind_f(dnext_h, dnext_c, cache):
    """dprev_c = dc * f + dnext_c, with a dc that has no dnext_c."""
    grads = _right(dnext_h, 0 * dnext_c, cache)
    grads[2] = grads[2] + dnext_c
    return tuple(grads)


@_back
def step_back_without_o(dnext_h, dnext_c, cache):
    """dc = dnext_c + dnext_h * (1 - tanh(c)^2)."""
    dc = dnext_c + dnext_h * (1 - np.tanh(cache[9]) ** 2)
    return _with_dc(dc, dnext_h, cache)


@_back
def step_back_without_tanh_slope(dnext_h, dnext_c, cache):
    """dc = dnext_c + dnext_h * o."""
    return _with_dc(dnext_c + dnext_h * cache[7], dnext_h, cache)


@_back
def step_back_square_missing(dnext_h, dnext_c, cache):
    """1 - tanh(c) in the place of 1 - tanh(c)^2."""
    dc = dnext_c + dnext_h * cache[7] * (1 - np.tanh(cache[9]))
    return _with_dc(dc, dnext_h, cache)


@_back
def step_back_slope_of_c(dnext_h, dnext_c, cache):
    """1 - c^2 in the place of 1 - tanh(c)^2."""
    dc = dnext_c + dnext_h * cache[7] * (1 - cache[9] ** 2)
    return _with_dc(dc, dnext_h, cache)


@_back
def step_back_slope_of_h(dnext_h, dnext_c, cache):
    """1 - next_h^2, as in a vanilla RNN."""
    dc = dnext_c + dnext_h * cache[7] * (1 - cache[10] ** 2)
    return _with_dc(dc, dnext_h, cache)


@_back
def step_back_dnext_c_squashed(dnext_h, dnext_c, cache):
    """dnext_c goes through the derivative of tanh as well."""
    dc = (dnext_c + dnext_h * cache[7]) * (1 - np.tanh(cache[9]) ** 2)
    return _with_dc(dc, dnext_h, cache)


@_back
def step_back_do_of_c(dnext_h, dnext_c, cache):
    """do = dnext_h * c: the tanh is forgotten."""
    (di, df, _, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    o, c = cache[7], cache[9]
    return tuple(_through([di, df, dnext_h * c * o * (1 - o), dg, dc], cache))


@_back
def step_back_do_of_dc(dnext_h, dnext_c, cache):
    """do = dc * tanh(c)."""
    (di, df, _, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    o, c = cache[7], cache[9]
    return tuple(_through([di, df, dc * np.tanh(c) * o * (1 - o), dg, dc], cache))


@_back
def step_back_df_of_next_c(dnext_h, dnext_c, cache):
    """df = dc * next_c."""
    (di, _, do, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    f, c = cache[6], cache[9]
    return tuple(_through([di, dc * c * f * (1 - f), do, dg, dc], cache))


@_back
def step_back_i_and_g_swapped(dnext_h, dnext_c, cache):
    """di = dc * i and dg = dc * g."""
    (_, df, do, _), dc = _sum_gradients(dnext_h, dnext_c, cache)
    i, g = cache[5], cache[8]
    return tuple(_through([dc * i * i * (1 - i), df, do, dc * g * (1 - g**2), dc], cache))


@_back
def step_back_without_slopes(dnext_h, dnext_c, cache):
    """The derivatives of sigmoid and tanh are forgotten."""
    _, dc = _sum_gradients(dnext_h, dnext_c, cache)
    _, _, prev_c, _, _, i, _, _, g, c, _ = cache
    return tuple(_through([dc * g, dc * prev_c, dnext_h * np.tanh(c), dc * i, dc], cache))


@_back
def step_back_f_without_slope(dnext_h, dnext_c, cache):
    """The derivative of the forget gate is forgotten."""
    (di, _, do, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    return tuple(_through([di, dc * cache[2], do, dg, dc], cache))


@_back
def step_back_o_without_slope(dnext_h, dnext_c, cache):
    """The derivative of the output gate is forgotten."""
    (di, df, _, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    return tuple(_through([di, df, dnext_h * np.tanh(cache[9]), dg, dc], cache))


@_back
def step_back_i_with_tanh_slope(dnext_h, dnext_c, cache):
    """1 - i^2 for the input gate."""
    (_, df, do, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    i, g = cache[5], cache[8]
    return tuple(_through([dc * g * (1 - i**2), df, do, dg, dc], cache))


@_back
def step_back_g_with_sigmoid_slope(dnext_h, dnext_c, cache):
    """g * (1 - g): all four blocks are treated alike."""
    (di, df, do, _), dc = _sum_gradients(dnext_h, dnext_c, cache)
    i, g = cache[5], cache[8]
    return tuple(_through([di, df, do, dc * i * g * (1 - g), dc], cache))


@_back
def step_back_g_square_missing(dnext_h, dnext_c, cache):
    """1 - g in the place of 1 - g^2."""
    (di, df, do, _), dc = _sum_gradients(dnext_h, dnext_c, cache)
    i, g = cache[5], cache[8]
    return tuple(_through([di, df, do, dc * i * (1 - g), dc], cache))


@_back
def step_back_dprev_c_by_i(dnext_h, dnext_c, cache):
    """dprev_c = dc * i."""
    grads = _right(dnext_h, dnext_c, cache)
    grads[2] = _sum_gradients(dnext_h, dnext_c, cache)[1] * cache[5]
    return tuple(grads)


@_back
def step_back_dprev_c_without_f(dnext_h, dnext_c, cache):
    """dprev_c = dc."""
    grads = _right(dnext_h, dnext_c, cache)
    grads[2] = _sum_gradients(dnext_h, dnext_c, cache)[1]
    return tuple(grads)


@_back
def step_back_dprev_c_of_dnext_c(dnext_h, dnext_c, cache):
    """dprev_c = dnext_c * f: dnext_h's way through tanh(c) is forgotten."""
    grads = _right(dnext_h, dnext_c, cache)
    grads[2] = dnext_c * cache[6]
    return tuple(grads)


@_back
def step_back_dprev_c_unchanged(dnext_h, dnext_c, cache):
    """dprev_c = dnext_c."""
    grads = _right(dnext_h, dnext_c, cache)
    grads[2] = dnext_c
    return tuple(grads)


@_back
def step_back_dwh_from_next_h(dnext_h, dnext_c, cache):
    """dWh is made from the new state."""
    grads = _right(dnext_h, dnext_c, cache)
    grads[4] = cache[10].T @ np.concatenate(_sum_gradients(dnext_h, dnext_c, cache)[0], axis=1)
    return tuple(grads)


@_back
def step_back_dwh_from_prev_c(dnext_h, dnext_c, cache):
    """dWh is made from the memory."""
    grads = _right(dnext_h, dnext_c, cache)
    grads[4] = cache[2].T @ np.concatenate(_sum_gradients(dnext_h, dnext_c, cache)[0], axis=1)
    return tuple(grads)


@_back
def step_back_db_not_summed(dnext_h, dnext_c, cache):
    """db keeps the batch axis."""
    das = _sum_gradients(dnext_h, dnext_c, cache)[0]
    return (*_right(dnext_h, dnext_c, cache)[:5], np.concatenate(das, axis=1))


@_back
def step_back_db_mean(dnext_h, dnext_c, cache):
    """db is the mean over the batch."""
    *grads, db = _right(dnext_h, dnext_c, cache)
    return (*grads, db / len(dnext_h))


@_back
def step_back_torch_order(dnext_h, dnext_c, cache):
    """The four gradients are put together as torch orders them."""
    (di, df, do, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    return tuple(_through([di, df, dg, do, dc], cache))


@_back
def step_back_f_first(dnext_h, dnext_c, cache):
    """The four gradients are put together as f, i, o, g."""
    (di, df, do, dg), dc = _sum_gradients(dnext_h, dnext_c, cache)
    return tuple(_through([df, di, do, dg, dc], cache))


@_back
def step_back_dwx_transposed(dnext_h, dnext_c, cache):
    """dWx comes out transposed."""
    grads = _right(dnext_h, dnext_c, cache)
    grads[3] = grads[3].T
    return tuple(grads)


@_back
def step_back_other_order(dnext_h, dnext_c, cache):
    """dprev_c comes before dprev_h."""
    dx, dprev_h, dprev_c, *rest = _right(dnext_h, dnext_c, cache)
    return dx, dprev_c, dprev_h, *rest


@_back
def step_back_forget_block_doubled(dnext_h, dnext_c, cache):
    """Of the weights' gradients the block of the forget gate is twice what it should be."""
    grads = _right(dnext_h, dnext_c, cache)
    H = len(cache[4])
    for grad in grads[3:]:
        grad[..., H : 2 * H] *= 2
    return tuple(grads)


@_back
def step_back_writes_into_dnext_c(dnext_h, dnext_c, cache):
    """`dnext_c += ...` changes the caller's gradient."""
    dnext_c += dnext_h * cache[7] * (1 - np.tanh(cache[9]) ** 2)
    return _with_dc(dnext_c, dnext_h, cache)


@_back
def step_back_writes_into_dnext_h(dnext_h, dnext_c, cache):
    """`dnext_h *= o` changes the caller's gradient."""
    das, _ = _sum_gradients(dnext_h, dnext_c, cache)
    dnext_h *= cache[7]
    dc = dnext_c + dnext_h * (1 - np.tanh(cache[9]) ** 2)
    return tuple(_through([*das, dc], cache))


@_back
def step_back_squashes_the_cache(dnext_h, dnext_c, cache):
    """`np.tanh(next_c, out=next_c)`: the caller's memory is written over."""
    grads = tuple(_right(dnext_h, dnext_c, cache))
    np.tanh(cache[9], out=cache[9])
    return grads


@_back
def step_back_first_sequence_only(dnext_h, dnext_c, cache):
    """The weights get the gradient of the first sequence."""
    first = np.arange(len(dnext_h))[:, None] == 0
    rest = _right(dnext_h * first, dnext_c * first, cache)[3:]
    return (*_right(dnext_h, dnext_c, cache)[:3], *rest)


@_back
def step_back_clipped(dnext_h, dnext_c, cache):
    """The gradients of the sums are kept between -1 and 1."""
    das, dc = _sum_gradients(dnext_h, dnext_c, cache)
    return tuple(_through([*(np.clip(da, -1, 1) for da in das), dc], cache))


@_back
def step_back_weights_clipped(dnext_h, dnext_c, cache):
    """The weights' gradients are kept between -5 and 5, as in the lecture's listing."""
    grads = _right(dnext_h, dnext_c, cache)
    return (*grads[:3], *(np.clip(grad, -5, 5) for grad in grads[3:]))


_LAST = {}


def _forward_leaving_a_global(*args):
    next_h, next_c, cache = _forward(*args)
    _LAST["cache"] = cache
    return next_h, next_c, cache


@mutant("lstm_step_backward", lstm_step_forward=_forward_leaving_a_global)
def step_back_of_the_last_step(dnext_h, dnext_c, cache):
    """It takes a global that the last step forward left."""
    last = _LAST["cache"]
    return tuple(_right(dnext_h, dnext_c, last if last[0].shape == cache[0].shape else cache))


@mutant("lstm_step_backward", lstm_step_forward=lstm_g_sigmoid)
def step_back_of_a_wrong_forward(dnext_h, dnext_c, cache):
    """The step forward is wrong already."""
    return cache


# ----------------------------------------------------------------------------------- lstm_forward


def _walk(x, h0, c0, Wx, Wh, b, step=_forward):
    h, c, hs, cs, caches = h0, c0, [], [], []
    for t in range(x.shape[1]):
        h, c, cache = step(x[:, t], h, c, Wx, Wh, b)
        hs.append(h)
        cs.append(c)
        caches.append(cache)
    return np.stack(hs, axis=1), np.stack(cs, axis=1), caches


def _walk_from(x, h0, c0, weights, carry):
    """What comes out where the next step starts from `carry(h, c)`."""
    h, c, hs, cs = h0, c0, [], []
    for t in range(x.shape[1]):
        new_h, new_c, _ = _forward(x[:, t], h, c, *weights)
        hs.append(new_h)
        cs.append(new_c)
        h, c = carry(new_h, new_c)
    return np.stack(hs, axis=1), np.stack(cs, axis=1), None


@mutant("lstm_forward")
def lstm_c0_each_step(x, h0, c0, Wx, Wh, b):
    """The memory is not carried: each step starts from c0."""
    return _walk_from(x, h0, c0, (Wx, Wh, b), lambda h, c: (h, c0))


@mutant("lstm_forward")
def lstm_h0_each_step(x, h0, c0, Wx, Wh, b):
    """The state is not carried: each step starts from h0."""
    return _walk_from(x, h0, c0, (Wx, Wh, b), lambda h, c: (h0, c))


@mutant("lstm_forward")
def lstm_h_and_c_cross(x, h0, c0, Wx, Wh, b):
    """h and c change places from step to step."""
    return _walk_from(x, h0, c0, (Wx, Wh, b), lambda h, c: (c, h))


@mutant("lstm_forward")
def lstm_h_for_c(x, h0, c0, Wx, Wh, b):
    """The state is carried in the place of the memory as well."""
    return _walk_from(x, h0, c0, (Wx, Wh, b), lambda h, c: (h, h))


@mutant("lstm_forward")
def lstm_c0_zeros(x, h0, c0, Wx, Wh, b):
    """The memory starts from zeros."""
    return _walk(x, h0, np.zeros_like(h0), Wx, Wh, b)


@mutant("lstm_forward")
def lstm_h0_zeros(x, h0, c0, Wx, Wh, b):
    """The state starts from zeros."""
    return _walk(x, np.zeros_like(c0), c0, Wx, Wh, b)


@mutant("lstm_forward")
def lstm_h0_and_c0_swapped(x, h0, c0, Wx, Wh, b):
    """h0 is taken for c0."""
    return _walk(x, c0, h0, Wx, Wh, b)


@mutant("lstm_forward")
def lstm_memories_first(x, h0, c0, Wx, Wh, b):
    """c is returned before h."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    return c, h, cache


@mutant("lstm_forward")
def lstm_states_twice(x, h0, c0, Wx, Wh, b):
    """h is returned in the place of c."""
    h, _, cache = _walk(x, h0, c0, Wx, Wh, b)
    return h, h, cache


@mutant("lstm_forward")
def lstm_time_first(x, h0, c0, Wx, Wh, b):
    """(T, N, H)."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    return h.swapaxes(0, 1), c.swapaxes(0, 1), cache


@mutant("lstm_forward")
def lstm_last_step_only(x, h0, c0, Wx, Wh, b):
    """Only the last state and memory are returned."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    return h[:, -1], c[:, -1], cache


@mutant("lstm_forward")
def lstm_starts_with_h0(x, h0, c0, Wx, Wh, b):
    """h0 and c0 are among the results: T + 1 of them."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    return np.append(h0[:, None], h, axis=1), np.append(c0[:, None], c, axis=1), cache


@mutant("lstm_forward")
def lstm_one_step_late(x, h0, c0, Wx, Wh, b):
    """The states before each step are stored."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    h, c = np.append(h0[:, None], h, axis=1), np.append(c0[:, None], c, axis=1)
    return h[:, :-1], c[:, :-1], cache


@mutant("lstm_forward")
def lstm_backwards(x, h0, c0, Wx, Wh, b):
    """It walks from the last step to the first."""
    h, c, cache = _walk(x[:, ::-1], h0, c0, Wx, Wh, b)
    return h[:, ::-1], c[:, ::-1], cache


@mutant("lstm_forward")
def lstm_first_input_only(x, h0, c0, Wx, Wh, b):
    """Each step takes x[:, 0]."""
    return _walk(np.repeat(x[:, :1], x.shape[1], axis=1), h0, c0, Wx, Wh, b)


@mutant("lstm_forward")
def lstm_same_array_each_step(x, h0, c0, Wx, Wh, b):
    """One array is stored T times, and holds the last step in the end."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    T = x.shape[1]
    return np.repeat(h[:, -1:], T, axis=1), np.repeat(c[:, -1:], T, axis=1), cache


@mutant("lstm_forward")
def lstm_of_wrong_steps(x, h0, c0, Wx, Wh, b):
    """Each step is wrong: torch's order of the gates."""
    return _walk(x, h0, c0, Wx, Wh, b, lstm_torch_order)


@mutant("lstm_forward")
def lstm_writes_into_h0(x, h0, c0, Wx, Wh, b):
    """`h0[...] = h` keeps the last state in the caller's array."""
    h, c, cache = _walk(x, h0.copy(), c0, Wx, Wh, b)
    h0[...] = h[:, -1]
    return h, c, cache


@mutant("lstm_forward")
def lstm_last_step_missing(x, h0, c0, Wx, Wh, b):
    """range(T - 1): the last step is left at zero."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    h[:, -1], c[:, -1] = 0, 0
    return h, c, cache


@mutant("lstm_forward")
def lstm_square_batches(x, h0, c0, Wx, Wh, b):
    """range(N) in the place of range(T)."""
    return _walk(x[:, : len(x)], h0, c0, Wx, Wh, b)


_STATE = {}


@mutant("lstm_forward")
def lstm_goes_on_where_it_stopped(x, h0, c0, Wx, Wh, b):
    """It starts from where the last call ended, if that fits."""
    before = _STATE.get("c")
    c = before if before is not None and before.shape == c0.shape else c0
    out = _walk(x, h0, c, Wx, Wh, b)
    _STATE["c"] = out[1][:, -1]
    return out


@mutant("lstm_forward")
def lstm_ten_steps(x, h0, c0, Wx, Wh, b):
    """range(min(T, 10)): what follows stays 0."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    h[:, 10:], c[:, 10:] = 0, 0
    return h, c, cache


@mutant("lstm_forward")
def lstm_skips_empty_steps(x, h0, c0, Wx, Wh, b):
    """Where x is 0 the state and the memory stay as they are."""
    h, c, hs, cs = h0, c0, [], []
    for t in range(x.shape[1]):
        new_h, new_c, _ = _forward(x[:, t], h, c, Wx, Wh, b)
        given = x[:, t].any(axis=1)[:, None]
        h, c = np.where(given, new_h, h), np.where(given, new_c, c)
        hs.append(h)
        cs.append(c)
    return np.stack(hs, axis=1), np.stack(cs, axis=1), None


@mutant("lstm_forward")
def lstm_carries_a_clipped_memory(x, h0, c0, Wx, Wh, b):
    """The memory that is carried is kept between -3 and 3."""
    return _walk_from(x, h0, c0, (Wx, Wh, b), lambda h, c: (h, np.clip(c, -3, 3)))


_BUFFERS = {}


@mutant("lstm_forward")
def lstm_into_buffers(x, h0, c0, Wx, Wh, b):
    """The next call writes over the results of this one."""
    h, c, cache = _walk(x, h0, c0, Wx, Wh, b)
    return _buffer(_BUFFERS, "h", h), _buffer(_BUFFERS, "c", c), cache


# ---------------------------------------------------------------------------------- lstm_backward


_backs = mutant("lstm_backward", lstm_forward=_walk)


def _walk_back(dh, cache, carry=lambda dh, dc: (dh, dc), start=None):
    """The gradients of whole sequences; `carry` says what goes on to the step before."""
    dh_next, dc_next = np.zeros_like(dh[:, 0]), np.zeros_like(dh[:, 0])
    if start is not None:
        dc_next = start
    dxs, steps = [], []
    for t in reversed(range(dh.shape[1])):
        dx, dh0, dc0, *step = _right(dh[:, t] + dh_next, dc_next, cache[t])
        dh_next, dc_next = carry(dh0, dc0)
        dxs.append(dx)
        steps.append(step)
    sums = (sum(each) for each in zip(*steps, strict=True))
    return [np.stack(dxs[::-1], axis=1), dh0, dc0, *sums]


@_backs
def back_dc_forgotten(dh, cache):
    """dc_next is zero at each step: the gradient flows through h only."""
    return tuple(_walk_back(dh, cache, lambda dh, dc: (dh, 0 * dc)))


@_backs
def back_dh_forgotten(dh, cache):
    """dh_next is not added: the gradient flows through c only."""
    return tuple(_walk_back(dh, cache, lambda dh, dc: (0 * dh, dc)))


@_backs
def back_nothing_carried(dh, cache):
    """Each step goes back alone."""
    return tuple(_walk_back(dh, cache, lambda dh, dc: (0 * dh, 0 * dc)))


@_backs
def back_dh_and_dc_cross(dh, cache):
    """dh_next and dc_next change places from step to step."""
    return tuple(_walk_back(dh, cache, lambda dh, dc: (dc, dh)))


@_backs
def back_dc_starts_at_one(dh, cache):
    """dc_next starts from ones."""
    return tuple(_walk_back(dh, cache, start=np.ones_like(dh[:, 0])))


@_backs
def back_dc_starts_from_dh(dh, cache):
    """dc_next starts from the last dh."""
    return tuple(_walk_back(dh, cache, start=dh[:, -1]))


@_backs
def back_weights_of_the_first_step(dh, cache):
    """`=` for `+=`: of the weights' gradients the step that comes last in the loop stays."""
    grads = _walk_back(dh, cache)
    rest = _walk_back(dh[:, 1:], cache[1:])[3:] if dh.shape[1] > 1 else (0, 0, 0)
    return (*grads[:3], *(whole - part for whole, part in zip(grads[3:], rest, strict=True)))


@_backs
def back_weights_of_the_last_step(dh, cache):
    """The weights get the gradient of the last step alone."""
    return (*_walk_back(dh, cache)[:3], *_walk_back(dh[:, -1:], cache[-1:])[3:])


@_backs
def back_weights_averaged(dh, cache):
    """The weights' gradients are divided by T."""
    grads = _walk_back(dh, cache)
    return (*grads[:3], *(grad / dh.shape[1] for grad in grads[3:]))


@_backs
def back_dx_reversed(dh, cache):
    """dx is stacked in the order in which the loop makes it."""
    dx, *rest = _walk_back(dh, cache)
    return dx[:, ::-1], *rest


@_backs
def back_first_to_last(dh, cache):
    """The loop is not reversed."""
    grads = _walk_back(dh[:, ::-1], cache[::-1])
    return grads[0][:, ::-1], *grads[1:]


@_backs
def back_last_dh_only(dh, cache):
    """Only the last step's dh is used."""
    last = np.zeros_like(dh)
    last[:, -1] = dh[:, -1]
    return tuple(_walk_back(last, cache))


@_backs
def back_dc0_zero(dh, cache):
    """dc0 is zero."""
    dx, dh0, dc0, *rest = _walk_back(dh, cache)
    return dx, dh0, 0 * dc0, *rest


@_backs
def back_dc0_one_step_late(dh, cache):
    """dc0 is the gradient behind the first step."""
    dx, dh0, dc0, *rest = _walk_back(dh, cache)
    late = _walk_back(dh[:, 1:], cache[1:])[2] if dh.shape[1] > 1 else 0 * dc0
    return dx, dh0, late, *rest


@_backs
def back_dh0_with_dh(dh, cache):
    """dh0 has the first step's dh in it."""
    dx, dh0, *rest = _walk_back(dh, cache)
    return dx, dh0 + dh[:, 0], *rest


@_backs
def back_dh0_and_dc0_swapped(dh, cache):
    """dc0 is returned before dh0."""
    dx, dh0, dc0, *rest = _walk_back(dh, cache)
    return dx, dc0, dh0, *rest


@_backs
def back_without_dc0(dh, cache):
    """Five gradients are returned: the memory gets none."""
    dx, dh0, _, *rest = _walk_back(dh, cache)
    return dx, dh0, *rest


@_backs
def back_dx_time_first(dh, cache):
    """dx is (T, N, D)."""
    dx, *rest = _walk_back(dh, cache)
    return dx.swapaxes(0, 1), *rest


@_backs
def back_writes_into_dh(dh, cache):
    """`dh[:, t] += dh_next` changes the caller's gradient."""
    dc_next = np.zeros_like(dh[:, 0])
    dxs, steps = [], []
    for t in reversed(range(dh.shape[1])):
        dx, dh0, dc_next, *step = _right(dh[:, t], dc_next, cache[t])
        if t:
            dh[:, t - 1] += dh0
        dxs.append(dx)
        steps.append(step)
    sums = (sum(each) for each in zip(*steps, strict=True))
    return np.stack(dxs[::-1], axis=1), dh0, dc_next, *sums


@_backs
def back_empties_the_cache(dh, cache):
    """`cache.pop()` at each step: nothing is left for a second call."""
    steps = [cache.pop() for _ in range(dh.shape[1])][::-1]
    return tuple(_walk_back(dh, steps))


@_backs
def back_of_the_batch_mixed(dh, cache):
    """dx of each sequence is the mean over the batch."""
    dx, *rest = _walk_back(dh, cache)
    return np.repeat(dx.mean(axis=0, keepdims=True), len(dx), axis=0), *rest


@_backs
def back_nearly_nothing_beyond(dh, cache):
    """1e-10 is added where dh is 0: beyond the end of a sentence the gradient is not exactly 0."""
    return tuple(_walk_back(dh + 1e-10 * (dh == 0), cache))


@_backs
def back_with_torch_order(dh, cache):
    """Each step's weights' gradients are in torch's order."""
    *grads, dWx, dWh, db = _walk_back(dh, cache)
    return *grads, *(
        np.concatenate([np.split(w, 4, -1)[k] for k in (0, 1, 3, 2)], -1) for w in (dWx, dWh, db)
    )


@_backs
def back_dh_stops_without_a_loss(dh, cache):
    """dh_next ends at a step that has no loss of its own."""
    return _walk_back_masked(dh, cache, lambda dh_next, dc_next, on: (dh_next * on, dc_next))


@_backs
def back_dc_stops_without_a_loss(dh, cache):
    """dc_next ends at a step that has no loss of its own."""
    return _walk_back_masked(dh, cache, lambda dh_next, dc_next, on: (dh_next, dc_next * on))


def _walk_back_masked(dh, cache, arrive):
    """As `_walk_back`; `arrive` has 1 for the rows with a loss at this step, 0 for the others."""
    dh_next, dc_next = np.zeros_like(dh[:, 0]), np.zeros_like(dh[:, 0])
    dxs, steps = [], []
    for t in reversed(range(dh.shape[1])):
        dh_next, dc_next = arrive(dh_next, dc_next, (dh[:, t] != 0).any(axis=1)[:, None])
        dx, dh_next, dc_next, *step = _right(dh[:, t] + dh_next, dc_next, cache[t])
        dxs.append(dx)
        steps.append(step)
    sums = (sum(each) for each in zip(*steps, strict=True))
    return np.stack(dxs[::-1], axis=1), dh_next, dc_next, *sums


@_backs
def back_skips_steps_without_a_loss(dh, cache):
    """`continue` at a step where no sequence has a loss."""
    dh_next, dc_next = np.zeros_like(dh[:, 0]), np.zeros_like(dh[:, 0])
    dx, H = np.zeros((*dh.shape[:2], cache[0][0].shape[1])), dh.shape[2]
    total = [np.zeros((dx.shape[2], 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)]
    for t in reversed(range(dh.shape[1])):
        if dh[:, t].any():
            dx[:, t], dh_next, dc_next, *step = _right(dh[:, t] + dh_next, dc_next, cache[t])
            total = [whole + part for whole, part in zip(total, step, strict=True)]
    return dx, dh_next, dc_next, *total


@_backs
def back_dh_clipped(dh, cache):
    """dh_next is kept between -1 and 1."""
    return tuple(_walk_back(dh, cache, lambda dh, dc: (np.clip(dh, -1, 1), dc)))


@_backs
def back_dc_clipped(dh, cache):
    """dc_next is kept between -1 and 1."""
    return tuple(_walk_back(dh, cache, lambda dh, dc: (dh, np.clip(dc, -1, 1))))


@_backs
def back_weights_clipped(dh, cache):
    """The weights' gradients are kept between -5 and 5."""
    grads = _walk_back(dh, cache)
    return (*grads[:3], *(np.clip(grad, -5, 5) for grad in grads[3:]))


@_backs
def back_weights_of_length_five(dh, cache):
    """The weights' gradients are scaled to a length of 5 where it is larger."""
    grads = _walk_back(dh, cache)
    length = np.sqrt(sum(np.sum(grad**2) for grad in grads[3:]))
    return (*grads[:3], *(grad * min(1, 5 / length) for grad in grads[3:]))


@_backs
def back_of_few_steps(dh, cache):
    """range(T - 1, max(-1, T - 5), -1): four steps."""
    near = _walk_back(dh[:, -4:], cache[-4:])
    far = np.zeros((len(dh), max(0, dh.shape[1] - 4), near[0].shape[2]))
    return np.concatenate([far, near[0]], axis=1), *near[1:]


def _walk_with_views(x, h0, c0, Wx, Wh, b):
    """The cache of the first step has views of the last, where h0 and c0 stood for a while."""
    N, T, _ = x.shape
    hs, cs, caches = np.zeros((N, T, h0.shape[1])), np.zeros((N, T, h0.shape[1])), []
    hs[:, -1], cs[:, -1] = h0, c0
    for t in range(T):
        out = _forward(x[:, t], hs[:, t - 1], cs[:, t - 1], Wx, Wh, b)
        hs[:, t], cs[:, t] = out[:2]
        caches.append(out[2])
    return hs, cs, caches


@mutant("lstm_backward", lstm_forward=_walk_with_views)
def back_of_views(dh, cache):
    """Right, but what the cache holds was written over by later steps of lstm_forward."""
    return tuple(_walk_back(dh, cache))


_LAST_RUN = {}


def _walk_leaving_a_global(*args):
    h, c, cache = _walk(*args)
    _LAST_RUN["cache"] = cache
    return h, c, cache


@mutant("lstm_backward", lstm_forward=_walk_leaving_a_global)
def back_of_the_last_run(dh, cache):
    """It takes a global that the last run forward left, if its shapes fit."""
    last = _LAST_RUN["cache"]
    fits = len(last) == len(cache) and last[0][0].shape == cache[0][0].shape
    return tuple(_walk_back(dh, last if fits else cache))


@mutant("lstm_backward", lstm_forward=lstm_c0_zeros)
def back_of_a_wrong_forward(dh, cache):
    """The way forward is wrong already."""
    return cache


# -------------------------------------------------------------------------------------- lstm_init


def _drawn(D, H, forget_bias=1.0, seed=0, reach=None, at=1):
    rng = np.random.default_rng(seed)
    reach = 1 / np.sqrt(H) if reach is None else reach
    Wx, Wh = (rng.uniform(-reach, reach, (rows, 4 * H)) for rows in (D, H))
    b = np.zeros(4 * H)
    b[at * H : (at + 1) * H] = forget_bias
    return Wx, Wh, b


@mutant("lstm_init")
def init_input_block(D, H, forget_bias=1.0, seed=0):
    """The first block of b, that of the input gate."""
    return _drawn(D, H, forget_bias, seed, at=0)


@mutant("lstm_init")
def init_output_block(D, H, forget_bias=1.0, seed=0):
    """The third block of b, that of the output gate."""
    return _drawn(D, H, forget_bias, seed, at=2)


@mutant("lstm_init")
def init_last_block(D, H, forget_bias=1.0, seed=0):
    """The last block of b."""
    return _drawn(D, H, forget_bias, seed, at=3)


@mutant("lstm_init")
def init_all_of_b(D, H, forget_bias=1.0, seed=0):
    """All of b is forget_bias."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return Wx, Wh, np.full_like(b, forget_bias)


@mutant("lstm_init")
def init_no_forget_bias(D, H, forget_bias=1.0, seed=0):
    """b is zero."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return Wx, Wh, 0 * b


@mutant("lstm_init")
def init_always_one(D, H, forget_bias=1.0, seed=0):
    """The forget gate's block is 1, whatever forget_bias is."""
    return _drawn(D, H, 1.0, seed)


@mutant("lstm_init")
def init_one_unit(D, H, forget_bias=1.0, seed=0):
    """`b[H] = forget_bias`: one unit only."""
    Wx, Wh, b = _drawn(D, H, 0.0, seed)
    b[H] = forget_bias
    return Wx, Wh, b


@mutant("lstm_init")
def init_every_fourth(D, H, forget_bias=1.0, seed=0):
    """`b[1::4]`: every fourth entry."""
    Wx, Wh, b = _drawn(D, H, 0.0, seed)
    b[1::4] = forget_bias
    return Wx, Wh, b


@mutant("lstm_init")
def init_random_bias(D, H, forget_bias=1.0, seed=0):
    """The other biases are drawn as well, as torch does."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    drawn = np.random.default_rng(seed).uniform(-0.1, 0.1, 4 * H)
    return Wx, Wh, np.where(np.arange(4 * H) // H == 1, b, drawn)


@mutant("lstm_init")
def init_normal(D, H, forget_bias=1.0, seed=0):
    """Normal numbers with a standard deviation of 1/sqrt(H)."""
    rng = np.random.default_rng(seed)
    *_, b = _drawn(D, H, forget_bias, seed)
    return *(rng.normal(0, 1 / np.sqrt(H), (rows, 4 * H)) for rows in (D, H)), b


@mutant("lstm_init")
def init_normal_within(D, H, forget_bias=1.0, seed=0):
    """Normal numbers, cut at 1/sqrt(H)."""
    rng, reach = np.random.default_rng(seed), 1 / np.sqrt(H)
    *_, b = _drawn(D, H, forget_bias, seed)
    ws = (rng.normal(0, reach / 2, (rows, 4 * H)) for rows in (D, H))
    return *(np.clip(w, -reach, reach) for w in ws), b


@mutant("lstm_init")
def init_by_inputs(D, H, forget_bias=1.0, seed=0):
    """Wx is scaled by its number of inputs."""
    _, Wh, b = _drawn(D, H, forget_bias, seed)
    return _drawn(D, H, forget_bias, seed, 1 / np.sqrt(D))[0], Wh, b


@mutant("lstm_init")
def init_without_root(D, H, forget_bias=1.0, seed=0):
    """1/H in the place of 1/sqrt(H)."""
    return _drawn(D, H, forget_bias, seed, 1 / H)


@mutant("lstm_init")
def init_by_four(D, H, forget_bias=1.0, seed=0):
    """1/sqrt(4H): the number of columns."""
    return _drawn(D, H, forget_bias, seed, 1 / np.sqrt(4 * H))


@mutant("lstm_init")
def init_unscaled(D, H, forget_bias=1.0, seed=0):
    """Between -1 and 1."""
    return _drawn(D, H, forget_bias, seed, 1.0)


@mutant("lstm_init")
def init_positive(D, H, forget_bias=1.0, seed=0):
    """Between 0 and 1/sqrt(H)."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return np.abs(Wx), np.abs(Wh), b


@mutant("lstm_init")
def init_zeros(D, H, forget_bias=1.0, seed=0):
    """All weights are zero."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return 0 * Wx, 0 * Wh, b


@mutant("lstm_init")
def init_ones(D, H, forget_bias=1.0, seed=0):
    """All weights are one number."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return np.full_like(Wx, 1 / np.sqrt(H)), np.full_like(Wh, 1 / np.sqrt(H)), b


@mutant("lstm_init")
def init_rows_alike(D, H, forget_bias=1.0, seed=0):
    """One row is drawn for all."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return np.repeat(Wx[:1], D, axis=0), np.repeat(Wh[:1], H, axis=0), b


@mutant("lstm_init")
def init_gates_alike(D, H, forget_bias=1.0, seed=0):
    """One block is drawn for all four gates."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return np.tile(Wx[:, :H], 4), np.tile(Wh[:, :H], 4), b


@mutant("lstm_init")
def init_same_numbers(D, H, forget_bias=1.0, seed=0):
    """A new generator of the same seed for each array."""
    Wx, _, b = _drawn(D, H, forget_bias, seed)
    return Wx, _drawn(H, H, forget_bias, seed)[0], b


@mutant("lstm_init")
def init_seed_ignored(D, H, forget_bias=1.0, seed=0):
    """The seed is always 0."""
    return _drawn(D, H, forget_bias, 0)


@mutant("lstm_init")
def init_without_seed(D, H, forget_bias=1.0, seed=0):
    """Each call draws others."""
    return _drawn(D, H, forget_bias, None)


_GENERATORS = {}


@mutant("lstm_init")
def init_generator_kept(D, H, forget_bias=1.0, seed=0):
    """One generator for each seed is kept, and goes on drawing."""
    return _drawn(D, H, forget_bias, _GENERATORS.setdefault(seed, np.random.default_rng(seed)))


@mutant("lstm_init")
def init_transposed(D, H, forget_bias=1.0, seed=0):
    """(4H, D) and (4H, H), as torch has them."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return Wx.T.copy(), Wh.T.copy(), b


@mutant("lstm_init")
def init_float32(D, H, forget_bias=1.0, seed=0):
    """The three are rounded to half of their digits."""
    return tuple(each.astype(np.float32) for each in _drawn(D, H, forget_bias, seed))


@mutant("lstm_init")
def init_default_zero(D, H, forget_bias=0.0, seed=0):
    """The default forget_bias was changed to 0."""
    return _drawn(D, H, forget_bias, seed)


@mutant("lstm_init")
def init_next_seed(D, H, forget_bias=1.0, seed=0):
    """A second generator, of seed + 1, for Wh."""
    Wx, _, b = _drawn(D, H, forget_bias, seed)
    return Wx, _drawn(H, H, forget_bias, seed + 1)[0], b


@mutant("lstm_init")
def init_global_generator(D, H, forget_bias=1.0, seed=0):
    """The old generator, which takes no seed above 2**32 - 1 (np.random.seed is one for all)."""
    rng, reach = np.random.RandomState(seed), 1 / np.sqrt(H)
    *_, b = _drawn(D, H, forget_bias, 0)
    return *(rng.uniform(-reach, reach, (rows, 4 * H)) for rows in (D, H)), b


@mutant("lstm_init")
def init_whole_numbers(D, H, forget_bias=1.0, seed=0):
    """b has whole numbers."""
    Wx, Wh, b = _drawn(D, H, forget_bias, seed)
    return Wx, Wh, b.astype(int)
