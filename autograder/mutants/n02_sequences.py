"""Wrong answers to the exercises of notebook 02 that run over whole sequences."""

import numpy as np

from autograder.mutants import mutant


def _step(x, prev_h, Wx, Wh, b, activation="tanh"):
    a = x @ Wx + prev_h @ Wh + b
    next_h = np.tanh(a) if activation == "tanh" else np.maximum(a, 0.0)
    return next_h, (x, prev_h, Wx, Wh, next_h, activation)


def _step_back(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h, activation = cache
    da = dnext_h * (1 - next_h**2 if activation == "tanh" else next_h > 0)
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(0)


def _run(x, h0, Wx, Wh, b, activation="tanh"):
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        h, cache = _step(x[:, t], h, Wx, Wh, b, activation)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


def _back(dh, caches, step_back=_step_back):
    dh_next, dxs, steps = np.zeros_like(dh[:, 0]), [], []
    for t in reversed(range(dh.shape[1])):
        dx, dh_next, *step = step_back(dh[:, t] + dh_next, caches[t])
        dxs.append(dx)
        steps.append(step)
    return np.stack(dxs[::-1], axis=1), dh_next, *map(sum, zip(*steps, strict=True))


# ------------------------------------------------------------------------------------ rnn_forward


@mutant("rnn_forward")
def rnn_time_first(x, h0, Wx, Wh, b, activation="tanh"):
    """The states are stacked along the first axis."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return h.transpose(1, 0, 2), cache


@mutant("rnn_forward")
def rnn_stacked_last(x, h0, Wx, Wh, b, activation="tanh"):
    """The states are stacked along the last axis."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return h.transpose(0, 2, 1), cache


@mutant("rnn_forward")
def rnn_concatenated(x, h0, Wx, Wh, b, activation="tanh"):
    """np.concatenate where np.stack belongs."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return np.concatenate(list(h.transpose(1, 0, 2)), axis=1), cache


@mutant("rnn_forward")
def rnn_last_state_only(x, h0, Wx, Wh, b, activation="tanh"):
    """It returns the last state alone."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return h[:, -1], cache


@mutant("rnn_forward")
def rnn_with_h0(x, h0, Wx, Wh, b, activation="tanh"):
    """h0 is the first of T + 1 states."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return np.concatenate([h0[:, None], h], axis=1), cache


@mutant("rnn_forward")
def rnn_without_h0(x, h0, Wx, Wh, b, activation="tanh"):
    """It starts from zeros."""
    return _run(x, np.zeros_like(h0), Wx, Wh, b, activation)


@mutant("rnn_forward")
def rnn_off_by_one(x, h0, Wx, Wh, b, activation="tanh"):
    """h[:, t] is the state before step t."""
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        states.append(h)
        h, cache = _step(x[:, t], h, Wx, Wh, b, activation)
        caches.append(cache)
    return np.stack(states, axis=1), caches


@mutant("rnn_forward")
def rnn_always_from_h0(x, h0, Wx, Wh, b, activation="tanh"):
    """Each step starts from h0: the state is not handed on."""
    steps = [_step(x[:, t], h0, Wx, Wh, b, activation) for t in range(x.shape[1])]
    return np.stack([h for h, _ in steps], axis=1), [cache for _, cache in steps]


@mutant("rnn_forward")
def rnn_always_from_zeros(x, h0, Wx, Wh, b, activation="tanh"):
    """Each step starts from zeros."""
    return rnn_always_from_h0(x, 0 * h0, Wx, Wh, b, activation)


@mutant("rnn_forward")
def rnn_first_input_only(x, h0, Wx, Wh, b, activation="tanh"):
    """Every step reads x[:, 0]."""
    return _run(x[:, [0] * x.shape[1]], h0, Wx, Wh, b, activation)


@mutant("rnn_forward")
def rnn_last_input_only(x, h0, Wx, Wh, b, activation="tanh"):
    """Every step reads x[:, -1]."""
    return _run(x[:, [-1] * x.shape[1]], h0, Wx, Wh, b, activation)


@mutant("rnn_forward")
def rnn_walks_the_other_way(x, h0, Wx, Wh, b, activation="tanh"):
    """It is run from the last step to the first."""
    h, cache = _run(x[:, ::-1], h0, Wx, Wh, b, activation)
    return h[:, ::-1], cache


@mutant("rnn_forward")
def rnn_inserted_in_front(x, h0, Wx, Wh, b, activation="tanh"):
    """states.insert(0, h): the steps are in the reverse order."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return h[:, ::-1], cache


@mutant("rnn_forward")
def rnn_one_array_for_all(x, h0, Wx, Wh, b, activation="tanh"):
    """One array is written over at each step and appended T times."""
    h, states, caches = h0.copy(), [], []
    for t in range(x.shape[1]):
        h[...], cache = _step(x[:, t], h.copy(), Wx, Wh, b, activation)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


@mutant("rnn_forward")
def rnn_rows_in_a_row(x, h0, Wx, Wh, b, activation="tanh"):
    """Each sequence starts from the end of the one before."""
    rows, caches, start = [], [], h0[:1]
    for n in range(len(x)):
        h, cache = _run(x[n : n + 1], start, Wx, Wh, b, activation)
        start = h[:, -1]
        rows.append(h)
        caches.append(cache)
    return np.concatenate(rows), caches


@mutant("rnn_forward")
def rnn_first_row_of_h0(x, h0, Wx, Wh, b, activation="tanh"):
    """All sequences start from h0[0]."""
    return _run(x, h0[[0] * len(h0)], Wx, Wh, b, activation)


@mutant("rnn_forward")
def rnn_of_the_first_row(x, h0, Wx, Wh, b, activation="tanh"):
    """The first sequence's states are given to all."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return h[[0] * len(h)], cache


@mutant("rnn_forward")
def rnn_activation_not_handed_on(x, h0, Wx, Wh, b, activation="tanh"):
    """tanh whatever the activation."""
    return _run(x, h0, Wx, Wh, b)


@mutant("rnn_forward")
def rnn_relu_after_the_first(x, h0, Wx, Wh, b, activation="tanh"):
    """The first step has the activation, the others tanh."""
    first, cache = _run(x[:, :1], h0, Wx, Wh, b, activation)
    if x.shape[1] == 1:
        return first, cache
    rest, caches = _run(x[:, 1:], first[:, -1], Wx, Wh, b)
    return np.concatenate([first, rest], axis=1), cache + caches


@mutant("rnn_forward")
def rnn_of_a_wrong_step(x, h0, Wx, Wh, b, activation="tanh"):
    """The step that it calls multiplies by Wh transposed."""
    return _run(x, h0, Wx, Wh.T, b, activation)


@mutant("rnn_forward")
def rnn_without_bias(x, h0, Wx, Wh, b, activation="tanh"):
    """The bias is not handed to the step."""
    return _run(x, h0, Wx, Wh, 0 * b, activation)


@mutant("rnn_forward")
def rnn_last_step_missing(x, h0, Wx, Wh, b, activation="tanh"):
    """The loop stops a step early: the last state stays zero."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    h[:, -1] = 0
    return h, cache


@mutant("rnn_forward")
def rnn_loop_over_rows(x, h0, Wx, Wh, b, activation="tanh"):
    """The loop runs N times, not T times."""
    h, caches, prev_h = np.zeros((*x.shape[:2], len(b))), [], h0
    for t in range(x.shape[0]):
        prev_h, cache = _step(x[:, t], prev_h, Wx, Wh, b, activation)
        h[:, t] = prev_h
        caches.append(cache)
    return h, caches


@mutant("rnn_forward")
def rnn_float32(x, h0, Wx, Wh, b, activation="tanh"):
    """The states are float32."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return h.astype(np.float32), cache


@mutant("rnn_forward")
def rnn_writes_into_h0(x, h0, Wx, Wh, b, activation="tanh"):
    """The state is kept in h0's own array."""
    states, caches = [], []
    for t in range(x.shape[1]):
        next_h, cache = _step(x[:, t], h0, Wx, Wh, b, activation)
        h0[...] = next_h
        states.append(next_h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


@mutant("rnn_forward")
def rnn_writes_into_x(x, h0, Wx, Wh, b, activation="tanh"):
    """Each input is set to zero once it is read."""
    h, cache = _run(x.copy(), h0, Wx, Wh, b, activation)
    x[...] = 0
    return h, cache


@mutant("rnn_forward")
def rnn_remembers_the_last_call(x, h0, Wx, Wh, b, activation="tanh"):
    """A default list collects the states of all calls."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    _collected.extend(h.transpose(1, 0, 2))
    try:
        return np.stack(_collected, axis=1), cache
    finally:
        del _collected[:-1]


_collected = []


@mutant("rnn_forward")
def rnn_without_cache(x, h0, Wx, Wh, b, activation="tanh"):
    """It returns h alone."""
    return _run(x, h0, Wx, Wh, b, activation)[0]


@mutant("rnn_forward")
def rnn_list_of_states(x, h0, Wx, Wh, b, activation="tanh"):
    """It returns the list, not an array."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return list(h.transpose(1, 0, 2)), cache


@mutant("rnn_forward")
def rnn_np_array_of_states(x, h0, Wx, Wh, b, activation="tanh"):
    """np.array(states) reshaped: the numbers of a row are those of other rows."""
    h, cache = _run(x, h0, Wx, Wh, b, activation)
    return h.transpose(1, 0, 2).reshape(*x.shape[:2], -1), cache


@mutant("rnn_forward")
def rnn_cache_first(x, h0, Wx, Wh, b, activation="tanh"):
    """The cache comes first."""
    return _run(x, h0, Wx, Wh, b, activation)[::-1]


@mutant("rnn_forward")
def rnn_from_step_one(x, h0, Wx, Wh, b, activation="tanh"):
    """range(1, T): the first state stays zero, and the next is made of it."""
    h, caches = np.zeros((*x.shape[:2], len(b))), []
    for t in range(1, x.shape[1]):
        h[:, t], cache = _step(x[:, t], h[:, t - 1], Wx, Wh, b, activation)
        caches.append(cache)
    return h, caches


@mutant("rnn_forward")
def rnn_from_step_one_and_h0(x, h0, Wx, Wh, b, activation="tanh"):
    """range(1, T): the first state is h0."""
    h, caches = np.zeros((*x.shape[:2], len(b))), []
    h[:, 0] = h0
    for t in range(1, x.shape[1]):
        h[:, t], cache = _step(x[:, t], h[:, t - 1], Wx, Wh, b, activation)
        caches.append(cache)
    return h, caches


def _run_frozen(x, h0, Wx, Wh, b, activation="tanh"):
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        next_h, cache = _step(x[:, t], h, Wx, Wh, b, activation)
        h = np.where(x[:, t].any(axis=1, keepdims=True), next_h, h)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


@mutant("rnn_forward")
def rnn_frozen_without_input(x, h0, Wx, Wh, b, activation="tanh"):
    """Where x is all 0 it is taken for padding: the state stays as it is."""
    return _run_frozen(x, h0, Wx, Wh, b, activation)


@mutant("rnn_forward")
def rnn_starts_again_after_ten(x, h0, Wx, Wh, b, activation="tanh"):
    """After ten steps it starts from h0 again."""
    parts = [_run(x[:, t : t + 10], h0, Wx, Wh, b, activation) for t in range(0, x.shape[1], 10)]
    return np.concatenate([h for h, _ in parts], axis=1), [c for _, cs in parts for c in cs]


# ----------------------------------------------------------------------------------- rnn_backward


def _way_back(function):
    return mutant("rnn_backward", rnn_forward=_run)(function)


@_way_back
def rnn_back_not_through_time(dh, cache):
    """dh_next is not added: no gradient passes from step to step."""
    each = [_step_back(dh[:, t], step) for t, step in enumerate(cache)]
    dxs, dhs, *weights = zip(*each, strict=True)
    return np.stack(dxs, axis=1), dhs[0], *map(sum, weights)


@_way_back
def rnn_back_last_loss_only(dh, cache):
    """dh[:, t] is not added at the other steps."""
    last = np.zeros_like(dh)
    last[:, -1] = dh[:, -1]
    return _back(last, cache)


@_way_back
def rnn_back_last_loss_at_each_step(dh, cache):
    """dh[:, -1] is added at every step."""
    return _back(dh[:, [-1] * dh.shape[1]], cache)


@_way_back
def rnn_back_first_loss_missing(dh, cache):
    """dh[:, 0] is never read."""
    dh = dh.copy()
    dh[:, 0] = 0
    return _back(dh, cache)


@_way_back
def rnn_back_dx_reversed(dh, cache):
    """dx is stacked in the order of the way back."""
    dx, *rest = _back(dh, cache)
    return dx[:, ::-1], *rest


@_way_back
def rnn_back_dh_reversed(dh, cache):
    """dh is read from its first step on while the steps go back."""
    return _back(dh[:, ::-1], cache)


@_way_back
def rnn_back_steps_forward(dh, cache):
    """The loop goes from the first step to the last."""
    dx, *rest = _back(dh[:, ::-1], cache[::-1])
    return dx[:, ::-1], *rest


@_way_back
def rnn_back_dh0_with_loss(dh, cache):
    """dh[:, 0] is added to dh0."""
    dx, dh0, *rest = _back(dh, cache)
    return dx, dh0 + dh[:, 0], *rest


@_way_back
def rnn_back_dh0_of_the_last_step(dh, cache):
    """dh0 is what the last step hands back: it is set once, before the others."""
    dx, _, *rest = _back(dh, cache)
    return dx, _step_back(dh[:, -1], cache[-1])[1], *rest


@_way_back
def rnn_back_dh0_zero(dh, cache):
    """dh0 is never set."""
    dx, dh0, *rest = _back(dh, cache)
    return dx, 0 * dh0, *rest


@_way_back
def rnn_back_weights_of_the_first_step(dh, cache):
    """`dWx = dWx_t`: the weights keep the gradient of the last step that goes back, the first."""
    steps = []

    def noted(dnext_h, step):
        steps.append(_step_back(dnext_h, step))
        return steps[-1]

    return *_back(dh, cache, noted)[:2], *steps[-1][2:]


@_way_back
def rnn_back_weights_of_the_last_step(dh, cache):
    """The weights have the gradient of the last step alone."""
    return *_back(dh, cache)[:2], *_step_back(dh[:, -1], cache[-1])[2:]


@_way_back
def rnn_back_dwh_overwritten(dh, cache):
    """dWh alone has `=` in the place of `+=`."""
    steps = []

    def noted(dnext_h, step):
        steps.append(_step_back(dnext_h, step)[3])
        return _step_back(dnext_h, step)

    dx, dh0, dWx, _, db = _back(dh, cache, noted)
    return dx, dh0, dWx, steps[-1], db


@_way_back
def rnn_back_weights_mean(dh, cache):
    """The gradients of the weights are averaged over the steps."""
    return *_back(dh, cache)[:2], *(w / dh.shape[1] for w in _back(dh, cache)[2:])


@_way_back
def rnn_back_mean_over_batch(dh, cache):
    """The gradients of the weights are divided by N."""
    return *_back(dh, cache)[:2], *(w / len(dh) for w in _back(dh, cache)[2:])


@_way_back
def rnn_back_last_loss_twice(dh, cache):
    """dh_next starts with dh of the last step."""
    dh = dh.copy()
    dh[:, -1] *= 2
    return _back(dh, cache)


@_way_back
def rnn_back_starts_with_ones(dh, cache):
    """dh_next starts with ones."""
    dh = dh.copy()
    dh[:, -1] += 1
    return _back(dh, cache)


@_way_back
def rnn_back_dh_next_collects(dh, cache):
    """`dh_next += dprev_h`: what every later step has handed back is added again."""
    dh_next, dxs, steps = np.zeros_like(dh[:, 0]), [], []
    for t in reversed(range(dh.shape[1])):
        dx, dprev_h, *step = _step_back(dh[:, t] + dh_next, cache[t])
        dh_next = dh_next + dprev_h
        dxs.append(dx)
        steps.append(step)
    return np.stack(dxs[::-1], axis=1), dh_next, *map(sum, zip(*steps, strict=True))


@_way_back
def rnn_back_first_step_missing(dh, cache):
    """The loop stops at step 1: dx[:, 0] stays zero."""
    if dh.shape[1] == 1:
        return _back(dh, cache)
    dx, *rest = _back(dh[:, 1:], cache[1:])
    return np.concatenate([0 * dx[:, :1], dx], axis=1), *rest


@_way_back
def rnn_back_one_cache(dh, cache):
    """Every step is taken back with the cache of the last."""
    return _back(dh, cache[-1:] * len(cache))


@_way_back
def rnn_back_late_states(dh, cache):
    """dWh takes the state after each step, not the one before it."""

    def late(dnext_h, step):
        x, _, Wx, Wh, next_h, activation = step
        return _step_back(dnext_h, (x, next_h, Wx, Wh, next_h, activation))

    return _back(dh, cache, late)


@_way_back
def rnn_back_wh_not_transposed(dh, cache):
    """What is handed back is multiplied by Wh, not by Wh transposed."""

    def turned(dnext_h, step):
        x, prev_h, Wx, Wh, *rest = step
        return _step_back(dnext_h, (x, prev_h, Wx, Wh.T, *rest))

    return _back(dh, cache, turned)


@_way_back
def rnn_back_dwh_transposed(dh, cache):
    """dWh is transposed."""
    dx, dh0, dWx, dWh, db = _back(dh, cache)
    return dx, dh0, dWx, dWh.T, db


@_way_back
def rnn_back_always_tanh(dh, cache):
    """ReLU is differentiated as if it were tanh."""
    return _back(dh, [(*step[:5], "tanh") for step in cache])


@_way_back
def rnn_back_slope_of_the_handed_back_alone(dh, cache):
    """The loss of the step itself does not go through the activation."""

    def around(dnext_h, step):
        return _step_back(dnext_h / (1 - step[4] ** 2), step)

    return _back(dh, cache, around)


@_way_back
def rnn_back_writes_into_dh(dh, cache):
    """`dh[:, t] += dh_next` changes the caller's gradient."""
    dh_next, dxs, steps = 0.0, [], []
    for t in reversed(range(dh.shape[1])):
        dh[:, t] += dh_next
        dx, dh_next, *step = _step_back(dh[:, t], cache[t])
        dxs.append(dx)
        steps.append(step)
    return np.stack(dxs[::-1], axis=1), dh_next, *map(sum, zip(*steps, strict=True))


@_way_back
def rnn_back_empties_the_cache(dh, cache):
    """cache.pop(): a second call finds nothing."""
    kept = list(cache)
    cache.clear()
    return _back(dh, kept)


@_way_back
def rnn_back_writes_into_the_cache(dh, cache):
    """The slope is written over each state in the cache."""
    grads = _back(dh, cache)
    for step in cache:
        step[4][...] = 1 - step[4] ** 2
    return grads


@_way_back
def rnn_back_ends_of_sentences(dh, cache):
    """Zero rows of dh are taken for padding, and a little is added so that nothing is 0."""
    return _back(dh + 1e-12 * (dh == 0), cache)


@_way_back
def rnn_back_clipped(dh, cache):
    """What is handed back is clipped to between -1/4 and 1/4 at each step."""

    def clipped(dnext_h, step):
        dx, dprev_h, *rest = _step_back(dnext_h, step)
        return dx, np.clip(dprev_h, -0.25, 0.25), *rest

    return _back(dh, cache, clipped)


@_way_back
def rnn_back_truncated(dh, cache):
    """The gradient goes back three steps and no further."""
    parts = [_back(dh[:, t : t + 3], cache[t : t + 3]) for t in range(0, dh.shape[1], 3)]
    dxs, dhs, *weights = zip(*parts, strict=True)
    return np.concatenate(dxs, axis=1), dhs[0], *map(sum, weights)


@_way_back
def rnn_back_other_order(dh, cache):
    """dh0 comes first."""
    dx, dh0, *rest = _back(dh, cache)
    return dh0, dx, *rest


@_way_back
def rnn_back_without_dh0(dh, cache):
    """Four gradients are returned: h0 gets none."""
    dx, _, *rest = _back(dh, cache)
    return dx, *rest


@_way_back
def rnn_back_dx_time_first(dh, cache):
    """dx is stacked along the first axis."""
    dx, *rest = _back(dh, cache)
    return dx.transpose(1, 0, 2), *rest


def _run_into_a_global(*args):
    global _last_run
    h, _last_run = _run(*args)
    return h, None


@mutant("rnn_backward", rnn_forward=_run_into_a_global)
def rnn_back_of_the_last_run(dh, cache):
    """It looks at a global: the last run forward, not the one in the cache."""
    return _back(dh, _last_run)


def _run_without_h0(x, h0, *others):
    return _run(x, 0 * h0, *others)


@mutant("rnn_backward", rnn_forward=_run_without_h0)
def rnn_back_of_a_wrong_forward(dh, cache):
    """The gradient of a forward that is itself wrong."""
    return _back(dh, cache)


@mutant("rnn_backward", rnn_forward=_run_frozen)
def rnn_back_of_a_frozen_forward(dh, cache):
    """The forward before it leaves the state as it is where x is all 0."""
    return _back(dh, cache)


def _masked(dh, cache, mask, dx_mask=lambda dh: 1.0):
    """The way back, what arrives at each step multiplied by `mask` of its own dh."""
    dh_next, dxs, steps = np.zeros_like(dh[:, 0]), [], []
    for t in reversed(range(dh.shape[1])):
        arriving = (dh[:, t] + dh_next) * mask(dh[:, t])
        dx, dh_next, *step = _step_back(arriving, cache[t])
        dxs.append(dx * dx_mask(dh[:, t]))
        steps.append(step)
    return np.stack(dxs[::-1], axis=1), dh_next, *map(sum, zip(*steps, strict=True))


def _real(dh):
    return dh.any(axis=1, keepdims=True)


@_way_back
def rnn_back_cut_without_own_loss(dh, cache):
    """A row of dh that is 0 is taken for padding: nothing passes."""
    return _masked(dh, cache, _real)


@_way_back
def rnn_back_cut_at_zero_entries(dh, cache):
    """Where an entry of dh is 0, what later steps hand back is dropped."""
    return _masked(dh, cache, lambda dh: dh != 0)


@_way_back
def rnn_back_no_dx_without_own_loss(dh, cache):
    """dx is 0 where the state has no loss of its own."""
    return _masked(dh, cache, lambda dh: 1.0, _real)


@_way_back
def rnn_back_skips_steps_without_loss(dh, cache):
    """`if not dh[:, t].any(): continue`: such steps are passed over, their dx is 0."""
    dh_next, dx = np.zeros_like(dh[:, 0]), np.zeros((*dh.shape[:2], len(cache[0][2])))
    steps = [[0 * w for w in _step_back(dh[:, 0], cache[0])[2:]]]
    for t in reversed(range(dh.shape[1])):
        if dh[:, t].any():
            dx[:, t], dh_next, *step = _step_back(dh[:, t] + dh_next, cache[t])
            steps.append(step)
    return dx, dh_next, *map(sum, zip(*steps, strict=True))


@_way_back
def rnn_back_cut_every_seven(dh, cache):
    """The gradient is cut after each seven steps, from the end."""
    T = dh.shape[1]
    dh_next, dxs, steps = np.zeros_like(dh[:, 0]), [], []
    for t in reversed(range(T)):
        dx, dh_next, *step = _step_back(dh[:, t] + dh_next * ((T - 1 - t) % 7 != 0), cache[t])
        dxs.append(dx)
        steps.append(step)
    return np.stack(dxs[::-1], axis=1), dh_next, *map(sum, zip(*steps, strict=True))


def _visited(dh, cache, steps, dhs=None):
    """The way back over these steps, dx at their places."""
    dh_next, found = np.zeros_like(dh[:, 0]), []
    dx = np.zeros((*dh.shape[:2], len(cache[0][2])))
    for t, k in zip(steps, dhs or steps, strict=True):
        at, dh_next, *step = _step_back(dh[:, k] + dh_next, cache[t])
        dx[:, t] = at
        found.append(step)
    return dx, dh_next, *map(sum, zip(*found, strict=True))


@_way_back
def rnn_back_loop_forward(dh, cache):
    """`for t in range(T)`: the loop runs forward in time."""
    return _visited(dh, cache, list(range(dh.shape[1])))


@_way_back
def rnn_back_last_step_missing(dh, cache):
    """range(T - 2, -1, -1): the last step is left out."""
    T = dh.shape[1]
    return _visited(dh, cache, list(range(T - 2, -1, -1)) or [0])


@_way_back
def rnn_back_caches_of_the_step_before(dh, cache):
    """cache[t - 1] in the place of cache[t]."""
    return _back(dh, [cache[t - 1] for t in range(dh.shape[1])])


@_way_back
def rnn_back_dh_of_the_step_before(dh, cache):
    """dh[:, t - 1] in the place of dh[:, t]."""
    return _back(np.roll(dh, 1, axis=1), cache)


@_way_back
def rnn_back_first_n_steps(dh, cache):
    """range(N) in the place of range(T)."""
    return _visited(dh, cache, list(range(min(dh.shape[:2])))[::-1])


@_way_back
def rnn_back_last_state_for_h0(dh, cache):
    """The state before step t is h[:, t - 1]: at t = 0 that is the last one."""
    x, _, *rest = cache[0]
    return (
        *_back(dh, cache)[:3],
        _back(dh, [(x, cache[-1][4], *rest), *cache[1:]])[3],
        *_back(dh, cache)[4:],
    )


def _run_over_one_state(x, h0, Wx, Wh, b, activation="tanh"):
    """One array is the state of all steps; the caches hold it as the state before."""
    state, states, caches = h0.copy(), [], []
    for t in range(x.shape[1]):
        next_h, cache = _step(x[:, t], state, Wx, Wh, b, activation)
        state[:] = next_h
        states.append(next_h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


@mutant("rnn_backward", rnn_forward=_run_over_one_state)
def rnn_back_of_an_overwritten_cache(dh, cache):
    """What the cache holds was written over by later steps."""
    return _back(dh, cache)


def _run_from_a_view(x, h0, Wx, Wh, b, activation="tanh"):
    """h[:, -1] holds h0 until the last step: the first cache holds a view of it."""
    h, caches = np.empty((*x.shape[:2], len(b))), []
    h[:, -1] = h0
    for t in range(x.shape[1]):
        h[:, t], cache = _step(x[:, t], h[:, t - 1], Wx, Wh, b, activation)
        caches.append(cache)
    return h, caches


@mutant("rnn_backward", rnn_forward=_run_from_a_view)
def rnn_back_of_a_view_of_the_last(dh, cache):
    """The first cache's prev_h is a view that the last step has written over."""
    return _back(dh, cache)


# ------------------------------------------------------------------------------- truncated_chunks


def _chunks(x, dh, h0, Wx, Wh, b, cuts):
    """Chunks that start at these steps."""
    parts = [slice(*ends) for ends in zip(cuts, [*cuts[1:], x.shape[1]], strict=True)]
    before, found = h0, []
    for part in parts:
        h, cache = _run(x[:, part], before, Wx, Wh, b)
        found.append((h, *_back(dh[:, part], cache)))
        before = h[:, -1]
    return found


@mutant("truncated_chunks")
def chunks_cut_without_own_loss(x, dh, h0, Wx, Wh, b, size):
    """Within a chunk nothing passes a state whose own dh is 0."""
    h, caches = _run(x, h0, Wx, Wh, b)
    parts = [slice(t, t + size) for t in _starts(x, size)]
    backs = [_masked(dh[:, part], caches[part], _real) for part in parts]
    dxs, dh0s, *weights = zip(*backs, strict=True)
    return h, np.concatenate(dxs, 1), dh0s[0], *map(sum, weights)


def _joined(found):
    hs, dxs, dh0s, *weights = zip(*found, strict=True)
    return np.concatenate(hs, 1), np.concatenate(dxs, 1), dh0s[0], *map(sum, weights)


def _starts(x, size):
    return list(range(0, x.shape[1], size))


@mutant("truncated_chunks")
def chunks_state_reset_to_h0(x, dh, h0, Wx, Wh, b, size):
    """Each chunk starts from h0."""
    found = [
        _chunks(x[:, t : t + size], dh[:, t : t + size], h0, Wx, Wh, b, [0])[0]
        for t in _starts(x, size)
    ]
    return _joined(found)


@mutant("truncated_chunks")
def chunks_state_reset_to_zeros(x, dh, h0, Wx, Wh, b, size):
    """Each chunk but the first starts from zeros."""
    found = [
        _chunks(x[:, t : t + size], dh[:, t : t + size], h0 * (t == 0), Wx, Wh, b, [0])[0]
        for t in _starts(x, size)
    ]
    return _joined(found)


@mutant("truncated_chunks")
def chunks_not_cut(x, dh, h0, Wx, Wh, b, size):
    """Whole backpropagation through time: nothing is cut."""
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, [0]))


@mutant("truncated_chunks")
def chunks_cut_at_each_step(x, dh, h0, Wx, Wh, b, size):
    """The gradient is cut at each step."""
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, 1)))


@mutant("truncated_chunks")
def chunks_number_for_length(x, dh, h0, Wx, Wh, b, size):
    """`size` is taken for the number of chunks."""
    parts = np.array_split(np.arange(x.shape[1]), size)
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, [int(part[0]) for part in parts if len(part)]))


@mutant("truncated_chunks")
def chunks_equally_long(x, dh, h0, Wx, Wh, b, size):
    """`np.array_split` into as many chunks: about equally long ones."""
    parts = np.array_split(np.arange(x.shape[1]), len(_starts(x, size)))
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, [int(part[0]) for part in parts]))


@mutant("truncated_chunks")
def chunks_tail_dropped(x, dh, h0, Wx, Wh, b, size):
    """range(T // size): the shorter last chunk is left out."""
    full = _starts(x, size)[: x.shape[1] // size] or [0]
    T = len(full) * size
    return _joined(_chunks(x[:, :T], dh[:, :T], h0, Wx, Wh, b, full))


@mutant("truncated_chunks")
def chunks_tail_stays_zero(x, dh, h0, Wx, Wh, b, size):
    """The shorter last chunk is left out; h and dx stay zero there."""
    h, dx, *rest = chunks_tail_dropped(x, dh, h0, Wx, Wh, b, size)
    missing = ((0, 0), (0, x.shape[1] - h.shape[1]), (0, 0))
    return np.pad(h, missing), np.pad(dx, missing), *rest


@mutant("truncated_chunks")
def chunks_tail_joins_the_last(x, dh, h0, Wx, Wh, b, size):
    """The shorter last chunk is made part of the one before it."""
    full = _starts(x, size)[: x.shape[1] // size] or [0]
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, full))


@mutant("truncated_chunks")
def chunks_shorter_first(x, dh, h0, Wx, Wh, b, size):
    """The shorter chunk is the first one."""
    T = x.shape[1]
    cuts = sorted({0, *range(T % size, T, size)})
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, cuts))


@mutant("truncated_chunks")
def chunks_one_step_late(x, dh, h0, Wx, Wh, b, size):
    """Chunks have size + 1 steps."""
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, size + 1)))


@mutant("truncated_chunks")
def chunks_first_one_step_longer(x, dh, h0, Wx, Wh, b, size):
    """The first chunk has one step more: every cut comes a step late."""
    cuts = [0, *(t + 1 for t in _starts(x, size)[1:] if t + 1 < x.shape[1])]
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, cuts))


@mutant("truncated_chunks")
def chunks_dh0_of_the_last(x, dh, h0, Wx, Wh, b, size):
    """dh0 is that of the last chunk."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    h, dx, _, *weights = _joined(found)
    return h, dx, found[-1][2], *weights


@mutant("truncated_chunks")
def chunks_dh0_summed(x, dh, h0, Wx, Wh, b, size):
    """dh0 is summed over the chunks like the weights."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    h, dx, _, *weights = _joined(found)
    return h, dx, sum(part[2] for part in found), *weights


@mutant("truncated_chunks")
def chunks_dh0_not_cut(x, dh, h0, Wx, Wh, b, size):
    """dh0 is that of whole backpropagation through time."""
    h, dx, _, *weights = _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, size)))
    return h, dx, chunks_not_cut(x, dh, h0, Wx, Wh, b, size)[2], *weights


@mutant("truncated_chunks")
def chunks_weights_of_the_last(x, dh, h0, Wx, Wh, b, size):
    """`dWx = ...` keeps the last chunk's gradient."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    return *_joined(found)[:3], *found[-1][3:]


@mutant("truncated_chunks")
def chunks_weights_of_the_first(x, dh, h0, Wx, Wh, b, size):
    """The weights have the first chunk's gradient."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    return *_joined(found)[:3], *found[0][3:]


@mutant("truncated_chunks")
def chunks_weights_mean(x, dh, h0, Wx, Wh, b, size):
    """The weights' gradients are averaged over the chunks."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    h, dx, dh0, *weights = _joined(found)
    return h, dx, dh0, *(w / len(found) for w in weights)


@mutant("truncated_chunks")
def chunks_db_of_the_last(x, dh, h0, Wx, Wh, b, size):
    """db alone has `=` in the place of `+=`."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    return *_joined(found)[:5], found[-1][5]


@mutant("truncated_chunks")
def chunks_same_dh(x, dh, h0, Wx, Wh, b, size):
    """Every chunk is given the first steps of dh."""
    again = np.concatenate([dh[:, :size]] * x.shape[1], axis=1)[:, : x.shape[1]]
    return _joined(_chunks(x, again, h0, Wx, Wh, b, _starts(x, size)))


@mutant("truncated_chunks")
def chunks_dx_reversed(x, dh, h0, Wx, Wh, b, size):
    """dx is joined in the order of the way back."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    h, _, *rest = _joined(found)
    return h, np.concatenate([part[1] for part in found[::-1]], axis=1), *rest


@mutant("truncated_chunks")
def chunks_first_state_handed_on(x, dh, h0, Wx, Wh, b, size):
    """The next chunk starts from h[:, 0], the first state of the one before."""
    before, found = h0, []
    for t in _starts(x, size):
        h, cache = _run(x[:, t : t + size], before, Wx, Wh, b)
        found.append((h, *_back(dh[:, t : t + size], cache)))
        before = h[:, 0]
    return _joined(found)


@mutant("truncated_chunks")
def chunks_loss_at_their_end_only(x, dh, h0, Wx, Wh, b, size):
    """Only the last state of each chunk has a loss."""
    ends = (np.arange(1, x.shape[1] + 1) % size == 0) | (np.arange(x.shape[1]) == x.shape[1] - 1)
    dh = dh * ends[:, None]
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, size)))


@mutant("truncated_chunks")
def chunks_one_loss_an_end(x, dh, h0, Wx, Wh, b, size):
    """dh of a chunk's first step is added to the last step of the chunk before."""
    dh = dh.copy()
    for t in _starts(x, size)[1:]:
        dh[:, t - 1] += dh[:, t]
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, size)))


@mutant("truncated_chunks")
def chunks_never_longer_than_t(x, dh, h0, Wx, Wh, b, size):
    """A chunk longer than the sequence is refused."""
    if size > x.shape[1]:
        raise ValueError("size > T")
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, size)))


@mutant("truncated_chunks")
def chunks_write_into_dh(x, dh, h0, Wx, Wh, b, size):
    """dh is used up on the way."""
    found = _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, size)))
    dh[...] = 0
    return found


@mutant("truncated_chunks")
def chunks_write_into_h0(x, dh, h0, Wx, Wh, b, size):
    """The state is carried in h0's own array."""
    found = _joined(_chunks(x, dh, h0.copy(), Wx, Wh, b, _starts(x, size)))
    h0[...] = found[0][:, -1]
    return found


@mutant("truncated_chunks")
def chunks_lists(x, dh, h0, Wx, Wh, b, size):
    """h and dx are lists of chunks."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    return [part[0] for part in found], [part[1] for part in found], *_joined(found)[2:]


@mutant("truncated_chunks")
def chunks_last_h_only(x, dh, h0, Wx, Wh, b, size):
    """h has the last chunk's states only."""
    found = _chunks(x, dh, h0, Wx, Wh, b, _starts(x, size))
    return found[-1][0], *_joined(found)[1:]


@mutant("truncated_chunks")
def chunks_without_h(x, dh, h0, Wx, Wh, b, size):
    """It returns the gradients alone."""
    return _joined(_chunks(x, dh, h0, Wx, Wh, b, _starts(x, size)))[1:]


# ------------------------------------------------------------------------- multilayer_rnn_forward


def _layers(x, h0, W, b):
    below, layers = x, []
    for start, weight, bias in zip(h0, W, b, strict=True):
        below, _ = _run(below, start, *np.split(weight, [below.shape[-1]]), bias)
        layers.append(below)
    return np.stack(layers)


@mutant("multilayer_rnn_forward")
def layers_rows_swapped(x, h0, W, b):
    """The rows of the own state are taken to be above."""
    H = b.shape[1]
    return _layers(x, h0, [np.concatenate([w[H:], w[:H]]) for w in W], b)


@mutant("multilayer_rnn_forward")
def layers_rows_swapped_above(x, h0, W, b):
    """The rows are swapped in all layers but the lowest."""
    H = b.shape[1]
    return _layers(x, h0, [W[0], *(np.concatenate([w[H:], w[:H]]) for w in W[1:])], b)


@mutant("multilayer_rnn_forward")
def layers_split_in_halves(x, h0, W, b):
    """Every W is split after H rows, the lowest too."""
    H, below, layers = b.shape[1], x, []
    for start, weight, bias in zip(h0, W, b, strict=True):
        below, _ = _run(below, start, weight[:H], weight[H:], bias)
        layers.append(below)
    return np.stack(layers)


@mutant("multilayer_rnn_forward")
def layers_all_read_x(x, h0, W, b):
    """Every layer reads x: where x is wider than the states, the last D rows that fit."""
    D = x.shape[-1]
    wide = [
        w if len(w) == D + w.shape[1] else np.concatenate([W[0][:D], w[-w.shape[1] :]]) for w in W
    ]
    alone = [_layers(x, h0[k : k + 1], wide[k : k + 1], b[k : k + 1])[0] for k in range(len(W))]
    return np.stack(alone)


@mutant("multilayer_rnn_forward")
def layers_first_h0_for_all(x, h0, W, b):
    """h0[0] is every layer's start."""
    return _layers(x, h0[[0] * len(h0)], W, b)


@mutant("multilayer_rnn_forward")
def layers_without_h0(x, h0, W, b):
    """All layers start from zeros."""
    return _layers(x, 0 * h0, W, b)


@mutant("multilayer_rnn_forward")
def layers_h0_of_the_lowest_only(x, h0, W, b):
    """The upper layers start from zeros."""
    return _layers(x, np.concatenate([h0[:1], 0 * h0[1:]]), W, b)


@mutant("multilayer_rnn_forward")
def layers_start_where_the_one_below_ends(x, h0, W, b):
    """A layer starts from the last state of the one below."""
    below, start, layers = x, h0[0], []
    for weight, bias in zip(W, b, strict=True):
        below, _ = _run(below, start, *np.split(weight, [below.shape[-1]]), bias)
        start = below[:, -1]
        layers.append(below)
    return np.stack(layers)


@mutant("multilayer_rnn_forward")
def layers_first_bias_for_all(x, h0, W, b):
    """b[0] is every layer's bias."""
    return _layers(x, h0, W, b[[0] * len(b)])


@mutant("multilayer_rnn_forward")
def layers_without_bias(x, h0, W, b):
    """b is left out."""
    return _layers(x, h0, W, 0 * b)


@mutant("multilayer_rnn_forward")
def layers_second_w_for_all_above(x, h0, W, b):
    """W[1] is used in every upper layer."""
    return _layers(x, h0, [W[0], *[W[1]] * (len(W) - 1)] if len(W) > 1 else W, b)


@mutant("multilayer_rnn_forward")
def layers_upside_down(x, h0, W, b):
    """The top layer is first."""
    return _layers(x, h0, W, b)[::-1]


@mutant("multilayer_rnn_forward")
def layers_top_only(x, h0, W, b):
    """It returns the states of the top layer."""
    return _layers(x, h0, W, b)[-1]


@mutant("multilayer_rnn_forward")
def layers_last_states_only(x, h0, W, b):
    """It returns the last state of each layer."""
    return _layers(x, h0, W, b)[:, :, -1]


@mutant("multilayer_rnn_forward")
def layers_second_axis(x, h0, W, b):
    """The layers are stacked along axis 1: (N, L, T, H)."""
    return _layers(x, h0, W, b).swapaxes(0, 1)


@mutant("multilayer_rnn_forward")
def layers_time_first(x, h0, W, b):
    """The steps come before the batch: (L, T, N, H)."""
    return _layers(x, h0, W, b).swapaxes(1, 2)


@mutant("multilayer_rnn_forward")
def layers_joined(x, h0, W, b):
    """The layers are joined along the last axis."""
    return np.concatenate(list(_layers(x, h0, W, b)), axis=-1)


@mutant("multilayer_rnn_forward")
def layers_late(x, h0, W, b):
    """A layer reads what the one below had made a step before."""
    below, layers = x, []
    for start, weight, bias in zip(h0, W, b, strict=True):
        h, _ = _run(below, start, *np.split(weight, [below.shape[-1]]), bias)
        below = np.concatenate([start[:, None], h[:, :-1]], axis=1)
        layers.append(h)
    return np.stack(layers)


@mutant("multilayer_rnn_forward")
def layers_read_the_last_state_below(x, h0, W, b):
    """A layer reads the last state of the one below, at every step."""
    below, layers = x, []
    for start, weight, bias in zip(h0, W, b, strict=True):
        h, _ = _run(below, start, *np.split(weight, [below.shape[-1]]), bias)
        below = h[:, [-1] * h.shape[1]]
        layers.append(h)
    return np.stack(layers)


@mutant("multilayer_rnn_forward")
def layers_top_without_tanh(x, h0, W, b):
    """The top layer has no tanh."""
    h, prev_h = _layers(x, h0, W, b), h0[-1]
    below = x if len(W) == 1 else h[-2].copy()
    for t in range(x.shape[1]):
        prev_h = np.concatenate([below[:, t], prev_h], axis=1) @ W[-1] + b[-1]
        h[-1, :, t] = prev_h
    return h


@mutant("multilayer_rnn_forward")
def layers_with_relu(x, h0, W, b):
    """ReLU in the place of tanh."""
    below, layers = x, []
    for start, weight, bias in zip(h0, W, b, strict=True):
        below, _ = _run(below, start, *np.split(weight, [below.shape[-1]]), bias, "relu")
        layers.append(below)
    return np.stack(layers)


@mutant("multilayer_rnn_forward")
def layers_skip(x, h0, W, b):
    """What a layer reads is added to what it makes."""
    h = _layers(x, h0, W, b)
    for k in range(1, len(W)):
        h[k] += h[k - 1]
    return h


@mutant("multilayer_rnn_forward")
def layers_two_at_most(x, h0, W, b):
    """The third layer reads the first."""
    h = _layers(x, h0, W, b)
    for k in range(2, len(W)):
        h[k] = _layers(h[0], h0[k : k + 1], W[k : k + 1], b[k : k + 1])[0]
    return h


@mutant("multilayer_rnn_forward")
def layers_list(x, h0, W, b):
    """It returns a list of arrays."""
    return list(_layers(x, h0, W, b))


@mutant("multilayer_rnn_forward")
def layers_with_caches(x, h0, W, b):
    """It returns h and caches."""
    return _layers(x, h0, W, b), []


@mutant("multilayer_rnn_forward")
def layers_write_into_h0(x, h0, W, b):
    """The last states are written into h0."""
    h = _layers(x, h0, W, b)
    h0[...] = h[:, :, -1]
    return h


@mutant("multilayer_rnn_forward")
def layers_empty_the_list(x, h0, W, b):
    """W.pop(0) takes the caller's weights away."""
    h = _layers(x, h0, list(W), b)
    while W:
        W.pop(0)
    return h
