"""Wrong answers to the exercises of notebook 01 on convolution and pooling."""

import numpy as np

from autograder.mutants import mutant


def _padded(x, pad):
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def _places(x, w, stride, pad):
    (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
    return 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride


def _slid(x_pad, w, OH, OW, down, across):
    """Out without bias: filter w at OH x OW places of x_pad."""
    out = np.zeros((len(x_pad), len(w), OH, OW))
    HH, WW = w.shape[2:]
    for i, j in np.ndindex(OH, OW):
        top, left = i * down, j * across
        out[:, :, i, j] = np.einsum(
            "ncuv,fcuv->nf", x_pad[:, :, top : top + HH, left : left + WW], w
        )
    return out


def _forward(x, w, b, stride=1, pad=0):
    out = _slid(_padded(x, pad), w, *_places(x, w, stride, pad), stride, stride)
    return out + b[:, None, None], (x, w, stride, pad)


# ----------------------------------------------------------------------------- conv_forward_naive


@mutant("conv_forward_naive")
def conv_sides_swapped(x, w, b, stride=1, pad=0):
    """OH is made from W and OW from H: passes where pictures and filters are square."""
    (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
    x_pad = _padded(x, pad)
    out = np.zeros(
        (len(x), len(w), 1 + (W + 2 * pad - WW) // stride, 1 + (H + 2 * pad - HH) // stride)
    )
    for n, f, i, j in np.ndindex(*out.shape):
        window = x_pad[n, :, j * stride : j * stride + HH, i * stride : i * stride + WW]
        out[n, f, i, j] = (window * w[f]).sum() + b[f]
    return out, None


@mutant("conv_forward_naive")
def conv_square_filters(x, w, b, stride=1, pad=0):
    """The filter's height is used for its width as well."""
    size = w.shape[2]
    OH, OW = (1 + (side + 2 * pad - size) // stride for side in x.shape[2:])
    x_pad, out = _padded(x, pad), np.zeros((len(x), len(w), OH, OW))
    for n, f, i, j in np.ndindex(*out.shape):
        window = x_pad[n, :, i * stride : i * stride + size, j * stride : j * stride + size]
        out[n, f, i, j] = (window * w[f]).sum() + b[f]
    return out, None


@mutant("conv_forward_naive")
def conv_square_count(x, w, b, stride=1, pad=0):
    """Windows are counted as if the filter were square, and cut out as they should be."""
    OH, OW = (1 + (side + 2 * pad - w.shape[2]) // stride for side in x.shape[2:])
    room = ((0, 0), (0, 0), (pad, pad + w.shape[2]), (pad, pad + w.shape[3]))
    return _slid(np.pad(x, room), w, OH, OW, stride, stride) + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_flipped(x, w, b, stride=1, pad=0):
    """The filter is flipped, as in mathematics."""
    return _forward(x, w[:, :, ::-1, ::-1], b, stride, pad)


@mutant("conv_forward_naive")
def conv_without_bias(x, w, b, stride=1, pad=0):
    """b is left out."""
    return _forward(x, w, 0 * b, stride, pad)


@mutant("conv_forward_naive")
def conv_bias_for_each_channel(x, w, b, stride=1, pad=0):
    """b is added inside the loop over channels."""
    return _forward(x, w, x.shape[1] * b, stride, pad)


@mutant("conv_forward_naive")
def conv_bias_for_each_entry(x, w, b, stride=1, pad=0):
    """(window * w + b).sum(): b is added for each number of the window."""
    return _forward(x, w, w[0].size * b, stride, pad)


@mutant("conv_forward_naive")
def conv_bias_along_the_rows(x, w, b, stride=1, pad=0):
    """`out + b` broadcasts along the wrong axis: it stops, or adds to columns."""
    out, cache = _forward(x, w, 0 * b, stride, pad)
    return out + b, cache


@mutant("conv_forward_naive")
def conv_last_channel(x, w, b, stride=1, pad=0):
    """`=` in the loop over channels: the last one is left."""
    return _forward(x[:, -1:], w[:, -1:], b, stride, pad)


@mutant("conv_forward_naive")
def conv_first_channel(x, w, b, stride=1, pad=0):
    """Only the first channel is looked at."""
    return _forward(x[:, :1], w[:, :1], b, stride, pad)


@mutant("conv_forward_naive")
def conv_first_filter(x, w, b, stride=1, pad=0):
    """w[0] in the place of w[f]."""
    return _forward(x, np.repeat(w[:1], len(w), axis=0), b, stride, pad)


@mutant("conv_forward_naive")
def conv_first_picture(x, w, b, stride=1, pad=0):
    """x[0] in the place of x[n]."""
    return _forward(np.repeat(x[:1], len(x), axis=0), w, b, stride, pad)


@mutant("conv_forward_naive")
def conv_pad_at_the_top_left(x, w, b, stride=1, pad=0):
    """All of the padding is above and at the left."""
    x_pad = np.pad(x, ((0, 0), (0, 0), (2 * pad, 0), (2 * pad, 0)))
    out = _slid(x_pad, w, *_places(x, w, stride, pad), stride, stride)
    return out + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_pad_on_one_side(x, w, b, stride=1, pad=0):
    """The padding is on one side only, and counted so."""
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, 0), (pad, 0)))
    return _forward(x_pad, w, b, stride)


@mutant("conv_forward_naive")
def conv_pad_with_edges(x, w, b, stride=1, pad=0):
    """The border repeats the edge of x."""
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="edge")
    return _forward(x_pad, w, b, stride)


@mutant("conv_forward_naive")
def conv_pads_all_axes(x, w, b, stride=1, pad=0):
    """np.pad(x, pad) also adds pictures and channels of zeros."""
    x_pad = np.pad(x, pad)
    out = _slid(x_pad, w, *_places(x, w, stride, pad), stride, stride)
    return out + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_pad_ignored(x, w, b, stride=1, pad=0):
    """pad is not used."""
    return _forward(x, w, b, stride)


@mutant("conv_forward_naive")
def conv_pad_always_one(x, w, b, stride=1, pad=0):
    """The padding is 1, whatever pad is."""
    return _forward(x, w, b, stride, 1)


@mutant("conv_forward_naive")
def conv_pad_counted_twice(x, w, b, stride=1, pad=0):
    """The sides are those of the padded x, and the padding is added to them again."""
    x_pad = _padded(x, pad)
    OH, OW = _places(x_pad, w, stride, pad)
    room = np.pad(x_pad, ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))
    return _slid(room, w, OH, OW, stride, stride) + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_pad_counted_thrice(x, w, b, stride=1, pad=0):
    """3 * pad in OH and OW: right where the stride divides, or pad is 0."""
    (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
    OH, OW = 1 + (H + 3 * pad - HH) // stride, 1 + (W + 3 * pad - WW) // stride
    room = np.pad(_padded(x, pad), ((0, 0), (0, 0), (0, pad), (0, pad)))
    return _slid(room, w, OH, OW, stride, stride) + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_rounded_up(x, w, b, stride=1, pad=0):
    """Windows that do not fit in whole are counted, and filled up with zeros."""
    (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
    OH, OW = 1 - (HH - H - 2 * pad) // stride, 1 - (WW - W - 2 * pad) // stride
    room = ((0, 0), (0, 0), (pad, pad + stride), (pad, pad + stride))
    return _slid(np.pad(x, room), w, OH, OW, stride, stride) + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_without_the_last_window(x, w, b, stride=1, pad=0):
    """The `1 +` is forgotten: the last row and column of windows are missing."""
    out, cache = _forward(x, w, b, stride, pad)
    return out[:, :, :-1, :-1], cache


@mutant("conv_forward_naive")
def conv_stride_only_counted(x, w, b, stride=1, pad=0):
    """The stride is in the number of windows, not in where they are."""
    out = _slid(_padded(x, pad), w, *_places(x, w, stride, pad), 1, 1)
    return out + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_stride_only_down(x, w, b, stride=1, pad=0):
    """The windows move by the stride downwards, by one across."""
    out = _slid(_padded(x, pad), w, *_places(x, w, stride, pad), stride, 1)
    return out + b[:, None, None], None


@mutant("conv_forward_naive")
def conv_stride_ignored(x, w, b, stride=1, pad=0):
    """The stride is 1, whatever it should be."""
    return _forward(x, w, b, 1, pad)


@mutant("conv_forward_naive")
def conv_transposed(x, w, b, stride=1, pad=0):
    """Rows and columns of the output are swapped."""
    out, cache = _forward(x, w, b, stride, pad)
    return out.swapaxes(2, 3), cache


@mutant("conv_forward_naive")
def conv_channels_last(x, w, b, stride=1, pad=0):
    """The filters are the last axis of out."""
    out, cache = _forward(x, w, b, stride, pad)
    return np.moveaxis(out, 1, -1), cache


@mutant("conv_forward_naive")
def conv_mean(x, w, b, stride=1, pad=0):
    """The mean over the window, not the sum."""
    return _forward(x, w / w[0].size, b, stride, pad)


@mutant("conv_forward_naive")
def conv_writes_into_b(x, w, b, stride=1, pad=0):
    """`b -= b` after use: it writes into an argument."""
    out, cache = _forward(x, w, b, stride, pad)
    b -= b
    return out, cache


@mutant("conv_forward_naive")
def conv_integers(x, w, b, stride=1, pad=0):
    """The output is made with dtype int, which cuts every number."""
    out, cache = _forward(x, w, b, stride, pad)
    return out.astype(int), cache


@mutant("conv_forward_naive")
def conv_float32(x, w, b, stride=1, pad=0):
    """It computes and returns float32."""
    out, cache = _forward(x, w, b, stride, pad)
    return out.astype(np.float32), cache


@mutant("conv_forward_naive")
def conv_without_cache(x, w, b, stride=1, pad=0):
    """The cache is not returned."""
    return _forward(x, w, b, stride, pad)[0]


@mutant("conv_forward_naive")
def conv_squeezed(x, w, b, stride=1, pad=0):
    """A batch of one loses its axis."""
    out, cache = _forward(x, w, b, stride, pad)
    return np.squeeze(out), cache


@mutant("conv_forward_naive")
def conv_default_pad(x, w, b, stride=1, pad=1):
    """pad is 1 where it is not given."""
    return _forward(x, w, b, stride, pad)


def _by_loops(x, x_pad, w, b, OH, OW, stride, until=None):
    """Out by loops over pictures, filters and places, for the pictures before `until`."""
    out, (HH, WW) = np.zeros((len(x), len(w), OH, OW)), w.shape[2:]
    for n, f, i, j in np.ndindex(*out[:until].shape):
        window = x_pad[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
        out[n, f, i, j] = (window * w[f]).sum() + b[f]
    return out


@mutant("conv_forward_naive")
def conv_writes_into_x_where_pad_is_0(x, w, b, stride=1, pad=0):
    """`x if pad == 0 else np.pad(...)`, and then `-=`: without padding that is the caller's x."""
    out, cache = _forward(x, w, b, stride, pad)
    x_pad = x if pad == 0 else _padded(x, pad)
    x_pad -= x_pad.mean()
    return out, cache


@mutant("conv_forward_naive")
def conv_shape_misread(x, w, b, stride=1, pad=0):
    """`N, C, W, H = x.shape`."""
    OH, OW = _places(x.swapaxes(2, 3), w, stride, pad)
    room = np.pad(x, ((0, 0), (0, 0), (pad, pad + 9), (pad, pad + 9)))
    return _by_loops(x, room, w, b, OH, OW, stride), None


@mutant("conv_forward_naive")
def conv_without_one_plus(x, w, b, stride=1, pad=0):
    """`1 +` is forgotten, in loops."""
    OH, OW = _places(x, w, stride, pad)
    return _by_loops(x, _padded(x, pad), w, b, OH - 1, OW - 1, stride), None


@mutant("conv_forward_naive")
def conv_pads_all_axes_in_loops(x, w, b, stride=1, pad=0):
    """np.pad(x, pad) in front of loops: windows and filters do not fit."""
    return _by_loops(x, np.pad(x, pad), w, b, *_places(x, w, stride, pad), stride), None


@mutant("conv_forward_naive")
def conv_returns_inside(x, w, b, stride=1, pad=0):
    """`return` is inside the loop over the pictures."""
    OH, OW = _places(x, w, stride, pad)
    return _by_loops(x, _padded(x, pad), w, b, OH, OW, stride, until=1), None


@mutant("conv_forward_naive")
def conv_returns_inside_the_second_loop(x, w, b, stride=1, pad=0):
    """`return` is inside the loop over the filters."""
    out, cache = _forward(x, w, b, stride, pad)
    out[1:], out[:1, 1:] = 0, 0
    return out, cache


# ---------------------------------------------------------------------------- conv_backward_naive


def _back(dout, x, w, stride, pad, step=None):
    """dx_pad, dw, db, as they should be, or with windows a `step` apart."""
    step = stride if step is None else step
    x_pad, (HH, WW) = _padded(x, pad), w.shape[2:]
    dx_pad, dw = np.zeros_like(x_pad), np.zeros_like(w)
    for i, j in np.ndindex(dout.shape[2:]):
        window = np.s_[:, :, i * step : i * step + HH, j * step : j * step + WW]
        dw += np.einsum("nf,ncuv->fcuv", dout[:, :, i, j], x_pad[window])
        dx_pad[window] += np.einsum("nf,fcuv->ncuv", dout[:, :, i, j], w)
    return dx_pad, dw, dout.sum(axis=(0, 2, 3))


def _cut(dx_pad, x, pad):
    H, W = x.shape[2:]
    return dx_pad[:, :, pad : pad + H, pad : pad + W]


def _right(dout, cache):
    x, _, _, pad = cache
    dx_pad, dw, db = _back(dout, *cache)
    return _cut(dx_pad, x, pad), dw, db


_backward = mutant("conv_backward_naive", conv_forward_naive=_forward)


@_backward
def conv_back_without_stride(dout, cache):
    """The windows are one row and column apart, whatever the stride: right for stride 1."""
    x, _, _, pad = cache
    dx_pad, dw, db = _back(dout, *cache, step=1)
    return _cut(dx_pad, x, pad), dw, db


@_backward
def conv_back_pad_always_one(dout, cache):
    """The padding is 1, whatever pad was: passes CS231n's cells, which all pad by 1."""
    x, w, stride, _ = cache
    dx_pad, dw, db = _back(dout, x, w, stride, 1)
    return dx_pad[:, :, 1:-1, 1:-1], dw, db


@_backward
def conv_back_pad_ignored(dout, cache):
    """x is not padded again on the way back."""
    x, w, stride, _ = cache
    return _back(dout, x, w, stride, 0)


@_backward
def conv_back_not_cut(dout, cache):
    """dx is that of the padded x: the border is left on."""
    return _back(dout, *cache)


@_backward
def conv_back_padded_by_channels(dout, cache):
    """C takes the place of pad below and at the right: right where C is no less than pad."""
    x, w, stride, pad = cache
    C = x.shape[1]
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, C), (pad, C)))
    dx_pad, dw, db = _back(dout, x_pad, w, stride, 0)
    return _cut(dx_pad, x, pad), dw, db


@_backward
def conv_back_cut_at_one_side(dout, cache):
    """The border is cut off below and at the right only."""
    x, _, _, _ = cache
    dx_pad, dw, db = _back(dout, *cache)
    return dx_pad[:, :, : x.shape[2], : x.shape[3]], dw, db


@_backward
def conv_back_minus_pad(dout, cache):
    """dx_pad[pad:-pad] is empty where pad is 0."""
    pad = cache[3]
    dx_pad, dw, db = _back(dout, *cache)
    return dx_pad[:, :, pad:-pad, pad:-pad], dw, db


@_backward
def conv_back_dx_not_added_up(dout, cache):
    """`=` for dx: where windows overlap the last one is left."""
    x, w, stride, pad = cache
    dx_pad, dw, db = _back(dout, *cache)
    for i, j in np.ndindex(dout.shape[2:]):
        top, left = i * stride, j * stride
        dx_pad[:, :, top : top + w.shape[2], left : left + w.shape[3]] = np.einsum(
            "nf,fcuv->ncuv", dout[:, :, i, j], w
        )
    return _cut(dx_pad, x, pad), dw, db


@_backward
def conv_back_dx_of_the_last_loop(dout, cache):
    """`=` for dx inside all four loops: the last filter of the last window is left."""
    x, w, stride, pad = cache
    dx_pad, dw, db = _back(dout, *cache)
    for n, f, i, j in np.ndindex(dout.shape):
        top, left = i * stride, j * stride
        dx_pad[n, :, top : top + w.shape[2], left : left + w.shape[3]] = w[f] * dout[n, f, i, j]
    return _cut(dx_pad, x, pad), dw, db


@_backward
def conv_back_dw_not_added_up(dout, cache):
    """`=` for dw: the last window of the last picture is left."""
    x, w, stride, pad = cache
    dx, dw, db = _right(dout, cache)
    x_pad = _padded(x, pad)
    for n, f, i, j in np.ndindex(dout.shape):
        top, left = i * stride, j * stride
        window = x_pad[n, :, top : top + w.shape[2], left : left + w.shape[3]]
        dw[f] = window * dout[n, f, i, j]
    return dx, dw, db


@_backward
def conv_back_dw_of_the_last_picture(dout, cache):
    """dw starts anew for each picture: that of the last is left."""
    x, w, stride, pad = cache
    dx, _, db = _right(dout, cache)
    return dx, _back(dout[-1:], x[-1:], w, stride, pad)[1], db


@_backward
def conv_back_dw_averaged(dout, cache):
    """dw is divided by N."""
    dx, dw, db = _right(dout, cache)
    return dx, dw / len(dx), db


@_backward
def conv_back_weights_flipped(dout, cache):
    """dx is made with the filter flipped."""
    x, w, stride, pad = cache
    dx_pad, _, _ = _back(dout, x, w[:, :, ::-1, ::-1], stride, pad)
    return _cut(dx_pad, x, pad), *_right(dout, cache)[1:]


@_backward
def conv_back_dw_flipped(dout, cache):
    """dw comes out flipped, which its shape does not show."""
    dx, dw, db = _right(dout, cache)
    return dx, dw[:, :, ::-1, ::-1], db


@_backward
def conv_back_last_filter(dout, cache):
    """dx is written over for each filter: that of the last is left."""
    x, w, stride, pad = cache
    dx_pad, _, _ = _back(dout[:, -1:], x, w[-1:], stride, pad)
    return _cut(dx_pad, x, pad), *_right(dout, cache)[1:]


@_backward
def conv_back_db_a_row(dout, cache):
    """db has the shape (1, F)."""
    dx, dw, db = _right(dout, cache)
    return dx, dw, db[None]


@_backward
def conv_back_db_keeps_axes(dout, cache):
    """db has the shape (1, F, 1, 1)."""
    dx, dw, _ = _right(dout, cache)
    return dx, dw, dout.sum(axis=(0, 2, 3), keepdims=True)


@_backward
def conv_back_db_over_pictures_only(dout, cache):
    """db is summed over the pictures, not over the places."""
    dx, dw, _ = _right(dout, cache)
    return dx, dw, dout.sum(axis=0)


@_backward
def conv_back_db_over_other_axes(dout, cache):
    """db is summed over the filters too, and one axis of places is left."""
    dx, dw, _ = _right(dout, cache)
    return dx, dw, dout.sum(axis=(0, 1, 2))


@_backward
def conv_back_db_of_the_last_picture(dout, cache):
    """db starts anew for each picture."""
    dx, dw, _ = _right(dout, cache)
    return dx, dw, dout[-1].sum(axis=(1, 2))


@_backward
def conv_back_db_mean(dout, cache):
    """db is the mean over pictures and places."""
    dx, dw, _ = _right(dout, cache)
    return dx, dw, dout.mean(axis=(0, 2, 3))


@_backward
def conv_back_ignores_dout(dout, cache):
    """The slopes are there, dout is not."""
    return _right(np.ones_like(dout), cache)


@_backward
def conv_back_other_order(dout, cache):
    """dw comes first."""
    dx, dw, db = _right(dout, cache)
    return dw, dx, db


@_backward
def conv_back_sides_swapped(dout, cache):
    """dx is turned: its H and W are swapped."""
    dx, dw, db = _right(dout, cache)
    return dx.swapaxes(2, 3), dw, db


@_backward
def conv_back_square_filters(dout, cache):
    """HH is used for WW."""
    x, w, stride, pad = cache
    x_pad, size = _padded(x, pad), w.shape[2]
    dx_pad, dw = np.zeros_like(x_pad), np.zeros_like(w)
    for n, f, i, j in np.ndindex(dout.shape):
        window = np.s_[n, :, i * stride : i * stride + size, j * stride : j * stride + size]
        dw[f] += x_pad[window] * dout[n, f, i, j]
        dx_pad[window] += w[f] * dout[n, f, i, j]
    return _cut(dx_pad, x, pad), dw, dout.sum(axis=(0, 2, 3))


@_backward
def conv_back_writes_into_dout(dout, cache):
    """dout is scaled in place."""
    dout *= 1.5
    return _right(dout / 1.5, cache)


@_backward
def conv_back_returns_inside(dout, cache):
    """`return` is inside the loop over the pictures."""
    first = np.zeros_like(dout)
    first[0] = dout[0]
    return _right(first, cache)


def _forward_with_copies(x, w, b, stride=1, pad=0):
    return _forward(x, w, b, stride, pad)[0], (x.copy(), w.copy(), stride, pad)


@mutant("conv_backward_naive", conv_forward_naive=_forward_with_copies)
def conv_back_writes_into_the_cache(dout, cache):
    """dw is added up in the cache's own w: right once only."""
    dx, dw, db = _right(dout, cache)
    cache[1][...] += dw
    return dx, dw, db


def _forward_into_a_global(x, w, b, stride=1, pad=0):
    global _last
    out, _last = _forward(x, w, b, stride, pad)
    return out, None


@mutant("conv_backward_naive", conv_forward_naive=_forward_into_a_global)
def conv_back_of_the_last_call(dout, cache):
    """It looks at a global: the last convolution, not the one in the cache."""
    return _right(dout, _last)


def _forward_flipped(x, w, b, stride=1, pad=0):
    return _forward(x, w[:, :, ::-1, ::-1], b, stride, pad)


@mutant("conv_backward_naive", conv_forward_naive=_forward_flipped)
def conv_back_of_a_wrong_forward(dout, cache):
    """The gradient of a forward that flips the filter."""
    dx, dw, db = _right(dout, cache)
    return dx, dw[:, :, ::-1, ::-1], db


# ------------------------------------------------------------------------------- max_pool_forward


def _pooled(x, HH, WW, down, across, OH, OW, largest=np.max):
    out = np.zeros((*x.shape[:2], OH, OW), x.dtype)
    for i, j in np.ndindex(OH, OW):
        window = x[:, :, i * down : i * down + HH, j * across : j * across + WW]
        out[:, :, i, j] = largest(window, axis=(2, 3))
    return out


def _fit(x, HH, WW, stride):
    return 1 + (x.shape[2] - HH) // stride, 1 + (x.shape[3] - WW) // stride


def _pool(x, HH=2, WW=2, stride=2, largest=np.max):
    out = _pooled(x, HH, WW, stride, stride, *_fit(x, HH, WW, stride), largest)
    return out, (x, HH, WW, stride)


@mutant("max_pool_forward")
def pool_average(x, HH=2, WW=2, stride=2):
    """The average of the window."""
    return _pool(x, HH, WW, stride, np.mean)


@mutant("max_pool_forward")
def pool_smallest(x, HH=2, WW=2, stride=2):
    """The smallest number of the window."""
    return _pool(x, HH, WW, stride, np.min)


@mutant("max_pool_forward")
def pool_from_zero(x, HH=2, WW=2, stride=2):
    """The largest so far starts at 0: negative windows become 0."""
    out, cache = _pool(x, HH, WW, stride)
    return np.maximum(out, 0), cache


@mutant("max_pool_forward")
def pool_padded(x, HH=2, WW=2, stride=2):
    """x is padded at the end where the stride does not divide, and rounded up."""
    OH, OW = -((HH - x.shape[2]) // stride) + 1, -((WW - x.shape[3]) // stride) + 1
    room = np.pad(x, ((0, 0), (0, 0), (0, stride), (0, stride)))
    return _pooled(room, HH, WW, stride, stride, OH, OW), None


@mutant("max_pool_forward")
def pool_absolute(x, HH=2, WW=2, stride=2):
    """Signs are dropped before the largest is taken."""
    return _pool(np.abs(x), HH, WW, stride)


@mutant("max_pool_forward")
def pool_over_channels(x, HH=2, WW=2, stride=2):
    """The largest over all channels, for each of them."""
    out, cache = _pool(x, HH, WW, stride)
    return np.broadcast_to(out.max(axis=1, keepdims=True), out.shape).copy(), cache


@mutant("max_pool_forward")
def pool_window_turned(x, HH=2, WW=2, stride=2):
    """The window's height and width are swapped."""
    return _pool(x, WW, HH, stride)


@mutant("max_pool_forward")
def pool_window_square(x, HH=2, WW=2, stride=2):
    """The windows are counted right, and are squares of HH x HH."""
    return _pooled(x, HH, HH, stride, stride, *_fit(x, HH, WW, stride)), None


@mutant("max_pool_forward")
def pool_stride_is_the_window(x, HH=2, WW=2, stride=2):
    """The windows lie side by side, whatever the stride."""
    OH, OW = x.shape[2] // HH, x.shape[3] // WW
    return _pooled(x, HH, WW, HH, WW, OH, OW), None


@mutant("max_pool_forward")
def pool_window_is_the_stride(x, HH=2, WW=2, stride=2):
    """The windows are as large as the stride: right where they lie side by side."""
    return _pooled(x, stride, stride, stride, stride, *_fit(x, HH, WW, stride)), None


@mutant("max_pool_forward")
def pool_stride_always_two(x, HH=2, WW=2, stride=2):
    """The stride is 2, whatever it should be."""
    return _pool(x, HH, WW, 2)


@mutant("max_pool_forward")
def pool_stride_only_counted(x, HH=2, WW=2, stride=2):
    """The stride is in the number of windows, not in where they are."""
    return _pooled(x, HH, WW, 1, 1, *_fit(x, HH, WW, stride)), None


@mutant("max_pool_forward")
def pool_sides_swapped(x, HH=2, WW=2, stride=2):
    """OH and OW are swapped."""
    out, cache = _pool(x, HH, WW, stride)
    return out.swapaxes(2, 3), cache


@mutant("max_pool_forward")
def pool_without_the_last_window(x, HH=2, WW=2, stride=2):
    """The `1 +` is forgotten."""
    out, cache = _pool(x, HH, WW, stride)
    return out[:, :, :-1, :-1], cache


@mutant("max_pool_forward")
def pool_of_the_slice(x, HH=2, WW=2, stride=2):
    """Each number is the largest of the whole slice."""
    out, cache = _pool(x, HH, WW, stride)
    return np.broadcast_to(x.max(axis=(2, 3), keepdims=True), out.shape).copy(), cache


@mutant("max_pool_forward")
def pool_first_picture(x, HH=2, WW=2, stride=2):
    """x[0] in the place of x[n]."""
    return _pool(np.repeat(x[:1], len(x), axis=0), HH, WW, stride)


@mutant("max_pool_forward")
def pool_writes_into_x(x, HH=2, WW=2, stride=2):
    """It writes into x."""
    out, cache = _pool(x, HH, WW, stride)
    x[:, :, 0, 0] = -np.inf
    return out, cache


@mutant("max_pool_forward")
def pool_places(x, HH=2, WW=2, stride=2):
    """argmax in the place of max: where it is, not what it is."""
    OH, OW = _fit(x, HH, WW, stride)
    out = np.zeros((*x.shape[:2], OH, OW), int)
    for n, c, i, j in np.ndindex(*out.shape):
        out[n, c, i, j] = np.argmax(
            x[n, c, i * stride : i * stride + HH, j * stride : j * stride + WW]
        )
    return out, None


@mutant("max_pool_forward")
def pool_without_cache(x, HH=2, WW=2, stride=2):
    """The cache is not returned."""
    return _pool(x, HH, WW, stride)[0]


@mutant("max_pool_forward")
def pool_float32(x, HH=2, WW=2, stride=2):
    """It returns float32."""
    out, cache = _pool(x, HH, WW, stride)
    return out.astype(np.float32), cache


@mutant("max_pool_forward")
def pool_from_minus_1000(x, HH=2, WW=2, stride=2):
    """The largest so far starts at -1000."""
    out, cache = _pool(x, HH, WW, stride)
    return np.maximum(out, -1000), cache


@mutant("max_pool_forward")
def pool_from_minus_a_billion(x, HH=2, WW=2, stride=2):
    """The largest so far starts at -1e9."""
    out, cache = _pool(x, HH, WW, stride)
    return np.maximum(out, -1e9), cache


@mutant("max_pool_forward")
def pool_float64(x, HH=2, WW=2, stride=2):
    """np.zeros without a dtype: float64, whatever x is."""
    out, cache = _pool(x, HH, WW, stride)
    return out.astype(np.float64), cache


@mutant("max_pool_forward")
def pool_shape_misread(x, HH=2, WW=2, stride=2):
    """`N, C, W, H = x.shape`."""
    OH, OW = _fit(x.swapaxes(2, 3), HH, WW, stride)
    room = np.pad(x, ((0, 0), (0, 0), (0, 9), (0, 9)))
    return _pooled(room, HH, WW, stride, stride, OH, OW), None


@mutant("max_pool_forward")
def pool_returns_inside(x, HH=2, WW=2, stride=2):
    """`return` is inside the loop over the pictures."""
    out, cache = _pool(x, HH, WW, stride)
    out[1:] = 0
    return out, cache


@mutant("max_pool_forward")
def pool_returns_inside_from_minus_infinity(x, HH=2, WW=2, stride=2):
    """`return` is inside the loop over the pictures; out is made by np.full(..., -np.inf)."""
    out, cache = _pool(x, HH, WW, stride)
    out[1:] = -np.inf
    return out, cache


# ------------------------------------------------------------------------------ max_pool_backward


def _each_window(dout, HH, WW, stride):
    for n, c, i, j in np.ndindex(dout.shape):
        top, left = i * stride, j * stride
        yield np.s_[n, c, top : top + HH, left : left + WW], dout[n, c, i, j]


def _first(window):
    kept = np.zeros(window.shape, window.dtype)
    kept[np.unravel_index(np.argmax(window), window.shape)] = 1.0
    return kept


def _pool_back(dout, cache, kept=_first):
    """dx, with `kept` the share that each entry of a window has of its gradient."""
    x, HH, WW, stride = cache
    dx = np.zeros_like(x)
    for window, g in _each_window(dout, HH, WW, stride):
        dx[window] += g * kept(x[window])
    return dx


_pool_backward = mutant("max_pool_backward", max_pool_forward=_pool)


@_pool_backward
def pool_back_not_added_up(dout, cache):
    """`=`: an entry that several windows keep gets the gradient of the last; right side by side."""
    x, HH, WW, stride = cache
    dx = np.zeros_like(x)
    for window, g in _each_window(dout, HH, WW, stride):
        part = dx[window]
        part[_first(x[window]) > 0] = g
    return dx


@_pool_backward
def pool_back_windows_written_over(dout, cache):
    """`=` for the whole window: zeros wipe out what other windows gave."""
    x, HH, WW, stride = cache
    dx = np.zeros_like(x)
    for window, g in _each_window(dout, HH, WW, stride):
        dx[window] = g * _first(x[window])
    return dx


@_pool_backward
def pool_back_every_tie(dout, cache):
    """`window == window.max()`: each of several equal entries gets all of the gradient."""
    return _pool_back(dout, cache, lambda window: window == window.max())


@_pool_backward
def pool_back_ties_share(dout, cache):
    """Several equal entries share the gradient."""

    def kept(window):
        largest = window == window.max()
        return largest / largest.sum()

    return _pool_back(dout, cache, kept)


@_pool_backward
def pool_back_last_tie(dout, cache):
    """`>=` in the search: the last of several equal entries gets the gradient."""
    return _pool_back(dout, cache, lambda window: _first(window[::-1, ::-1])[::-1, ::-1])


@_pool_backward
def pool_back_first_by_columns(dout, cache):
    """The window is searched column by column."""
    return _pool_back(dout, cache, lambda window: _first(window.T).T)


@_pool_backward
def pool_back_largest_of_the_slice(dout, cache):
    """The gradient goes to the largest entry of the whole slice."""
    x = cache[0]
    dx = np.zeros_like(x)
    for n, c in np.ndindex(x.shape[:2]):
        dx[n, c] = _first(x[n, c]) * dout[n, c].sum()
    return dx


@_pool_backward
def pool_back_average(dout, cache):
    """All entries of a window share the gradient."""
    return _pool_back(dout, cache, lambda window: np.full(window.shape, 1 / window.size))


@_pool_backward
def pool_back_to_all(dout, cache):
    """All entries of a window get the gradient."""
    return _pool_back(dout, cache, lambda window: np.ones(window.shape))


@_pool_backward
def pool_back_ones(dout, cache):
    """The kept entries get 1: dout is ignored."""
    return _pool_back(np.ones_like(dout), cache)


@_pool_backward
def pool_back_value(dout, cache):
    """The gradient is multiplied by the number that was kept."""
    return _pool_back(dout, cache, lambda window: _first(window) * window)


@_pool_backward
def pool_back_side_by_side(dout, cache):
    """The windows are taken to lie side by side, whatever the stride."""
    x, HH, WW, _ = cache
    dx = np.zeros((*x.shape[:2], x.shape[2] * 9, x.shape[3] * 9), x.dtype)
    room = np.full(dx.shape, -np.inf)
    room[:, :, : x.shape[2], : x.shape[3]] = x
    for n, c, i, j in np.ndindex(dout.shape):
        window = np.s_[n, c, i * HH : (i + 1) * HH, j * WW : (j + 1) * WW]
        dx[window] += dout[n, c, i, j] * _first(room[window])
    return dx[:, :, : x.shape[2], : x.shape[3]]


@_pool_backward
def pool_back_without_stride(dout, cache):
    """The windows start at every row and column."""
    return _pool_back(dout, (*cache[:3], 1))


@_pool_backward
def pool_back_window_turned(dout, cache):
    """The window's height and width are swapped."""
    x, HH, WW, stride = cache
    return _pool_back(dout, (x, WW, HH, stride))


@_pool_backward
def pool_back_window_square(dout, cache):
    """The window is taken for a square of HH x HH."""
    x, HH, _, stride = cache
    return _pool_back(dout, (x, HH, HH, stride))


@_pool_backward
def pool_back_first_channel(dout, cache):
    """Where the largest is, is looked up in the first channel only."""
    x, *sizes = cache
    return _pool_back(dout, (np.repeat(x[:, :1], x.shape[1], axis=1), *sizes))


@_pool_backward
def pool_back_of_the_shape_of_dout(dout, cache):
    """dx is dout itself: what was dropped is not put back."""
    return dout.copy()


@_pool_backward
def pool_back_in_a_tuple(dout, cache):
    """dx comes in a tuple of one."""
    return (_pool_back(dout, cache),)


@_pool_backward
def pool_back_writes_into_dout(dout, cache):
    """dout is used up."""
    dx = _pool_back(dout, cache)
    dout[...] = 0
    return dx


@_pool_backward
def pool_back_smallest(dout, cache):
    """argmin in the place of argmax."""
    return _pool_back(dout, cache, lambda window: _first(-window))


@_pool_backward
def pool_back_returns_inside(dout, cache):
    """`return` is inside the loop over the pictures."""
    first = np.zeros_like(dout)
    first[0] = dout[0]
    return _pool_back(first, cache)


@_pool_backward
def pool_back_lacks_the_stride(dout, cache):
    """dx[..., i + u, j + v]: the window is found with the stride, its place in dx without."""
    x, HH, WW, stride = cache
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * stride : i * stride + HH, j * stride : j * stride + WW]
        u, v = np.divmod(window.argmax(), WW)
        dx[n, c, i + u, j + v] += dout[n, c, i, j]
    return dx


@_pool_backward
def pool_back_place_by_height(dout, cache):
    """k // HH, k % HH: right for square windows; else a wrong entry, or none at all."""
    x, HH, WW, stride = cache
    dx = np.zeros_like(x)
    for (n, c, rows, columns), g in _each_window(dout, HH, WW, stride):
        u, v = np.divmod(x[n, c, rows, columns].argmax(), HH)
        dx[n, c, rows, columns][u, v] += g
    return dx


@_pool_backward
def pool_back_nearly_equal(dout, cache):
    """argmax(window - 1e-6 * place): meant for ties, it also decides between nearly equal ones."""

    def kept(window):
        return _first(window - 1e-6 * np.arange(window.size).reshape(window.shape))

    return _pool_back(dout, cache, kept)


@_pool_backward
def pool_back_float64(dout, cache):
    """np.zeros without a dtype: float64, whatever dout is."""
    return _pool_back(dout, cache).astype(np.float64)


def _pool_of_a_copy(x, HH=2, WW=2, stride=2):
    return _pool(x, HH, WW, stride)[0], (x.copy(), HH, WW, stride)


@mutant("max_pool_backward", max_pool_forward=_pool_of_a_copy)
def pool_back_writes_into_the_cache(dout, cache):
    """dx is made in the place of the x in the cache: right once only."""
    dx = _pool_back(dout, cache)
    cache[0][...] = dx
    return dx


def _pool_into_a_global(x, HH=2, WW=2, stride=2):
    global _last_pool
    out, _last_pool = _pool(x, HH, WW, stride)
    return out, None


@mutant("max_pool_backward", max_pool_forward=_pool_into_a_global)
def pool_back_of_the_last_call(dout, cache):
    """It looks at a global: the last pooling, not the one in the cache."""
    return _pool_back(dout, _last_pool)


def _pool_of_averages(x, HH=2, WW=2, stride=2):
    return _pool(x, HH, WW, stride, np.mean)


@mutant("max_pool_backward", max_pool_forward=_pool_of_averages)
def pool_back_of_a_wrong_forward(dout, cache):
    """The right gradient of an average, which forward takes."""
    return pool_back_average(dout, cache)


# ----------------------------------------------------------------------------------------- im2col


def _shown(x, HH, WW, stride, pad):
    """The windows (N, C, HH, WW, OH, OW)."""
    x_pad = _padded(x, pad)
    view = np.lib.stride_tricks.sliding_window_view(x_pad, (HH, WW), axis=(2, 3))
    return view[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)


def _cols(shown):
    return shown.reshape(len(shown), np.prod(shown.shape[1:4]), -1)


@mutant("im2col")
def cols_channels_last(x, HH, WW, stride=1, pad=0):
    """Entries run over HH, WW, C."""
    shown = _shown(x, HH, WW, stride, pad)
    return _cols(shown.transpose(0, 2, 3, 1, 4, 5))


@mutant("im2col")
def cols_windows_by_columns(x, HH, WW, stride=1, pad=0):
    """Entries run over C, WW, HH."""
    return _cols(_shown(x, HH, WW, stride, pad).swapaxes(2, 3))


@mutant("im2col")
def cols_down_first(x, HH, WW, stride=1, pad=0):
    """The windows are counted down first: column j * OH + i."""
    return _cols(_shown(x, HH, WW, stride, pad).swapaxes(4, 5))


@mutant("im2col")
def cols_batch_folded(x, HH, WW, stride=1, pad=0):
    """The pictures of the batch lie side by side, as in CS231n."""
    cols = _cols(_shown(x, HH, WW, stride, pad))
    return cols.transpose(1, 2, 0).reshape(cols.shape[1], -1)


@mutant("im2col")
def cols_as_rows(x, HH, WW, stride=1, pad=0):
    """The windows are rows."""
    return _cols(_shown(x, HH, WW, stride, pad)).swapaxes(1, 2)


@mutant("im2col")
def cols_only_reshaped(x, HH, WW, stride=1, pad=0):
    """The axes are reshaped without being moved first."""
    shown = _shown(x, HH, WW, stride, pad).transpose(0, 1, 4, 5, 2, 3)
    return shown.reshape(len(x), x.shape[1] * HH * WW, -1)


@mutant("im2col")
def cols_without_pad(x, HH, WW, stride=1, pad=0):
    """pad is not used."""
    return _cols(_shown(x, HH, WW, stride, 0))


@mutant("im2col")
def cols_pad_at_the_top_left(x, HH, WW, stride=1, pad=0):
    """All of the padding is above and at the left."""
    x_pad = np.pad(x, ((0, 0), (0, 0), (2 * pad, 0), (2 * pad, 0)))
    return _cols(_shown(x_pad, HH, WW, stride, 0))


@mutant("im2col")
def cols_pad_with_edges(x, HH, WW, stride=1, pad=0):
    """The border repeats the edge of x."""
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="edge")
    return _cols(_shown(x_pad, HH, WW, stride, 0))


@mutant("im2col")
def cols_without_stride(x, HH, WW, stride=1, pad=0):
    """The stride is ignored: every window is there."""
    return _cols(_shown(x, HH, WW, 1, pad))


@mutant("im2col")
def cols_first_windows(x, HH, WW, stride=1, pad=0):
    """The stride is in the number of windows, not in where they are."""
    OH, OW = _shown(x, HH, WW, stride, pad).shape[4:]
    return _cols(_shown(x, HH, WW, 1, pad)[..., :OH, :OW])


@mutant("im2col")
def cols_window_turned(x, HH, WW, stride=1, pad=0):
    """The window's height and width are swapped."""
    return _cols(_shown(x, WW, HH, stride, pad))


@mutant("im2col")
def cols_flipped(x, HH, WW, stride=1, pad=0):
    """Each window is flipped."""
    return _cols(_shown(x, HH, WW, stride, pad)[:, :, ::-1, ::-1])


@mutant("im2col")
def cols_float64(x, HH, WW, stride=1, pad=0):
    """It is float64, whatever x is (np.zeros without a dtype)."""
    return _cols(_shown(x, HH, WW, stride, pad)).astype(np.float64)


@mutant("im2col")
def cols_float32(x, HH, WW, stride=1, pad=0):
    """It is float32, whatever x is."""
    return _cols(_shown(x, HH, WW, stride, pad)).astype(np.float32)


@mutant("im2col")
def cols_six_axes(x, HH, WW, stride=1, pad=0):
    """The windows are not reshaped."""
    return _shown(x, HH, WW, stride, pad)


@mutant("im2col")
def cols_first_picture(x, HH, WW, stride=1, pad=0):
    """x[0] in the place of x[n]."""
    return _cols(_shown(np.repeat(x[:1], len(x), axis=0), HH, WW, stride, pad))


@mutant("im2col")
def cols_rolls_x(x, HH, WW, stride=1, pad=0):
    """It shifts x in its own memory."""
    cols = _cols(_shown(x, HH, WW, stride, pad)).copy()
    x[...] = np.roll(x, 1, axis=3)
    return cols


@mutant("im2col")
def cols_writes_into_x_where_pad_is_0(x, HH, WW, stride=1, pad=0):
    """`x if pad == 0 else np.pad(...)`, and then `*=`: without padding that is the caller's x."""
    cols = _cols(_shown(x, HH, WW, stride, pad)).copy()
    x_pad = x if pad == 0 else _padded(x, pad)
    x_pad *= 2
    return cols


# ------------------------------------------------------------------------------------ conv_forward


def _fast(x, w, b, stride=1, pad=0):
    shown = _shown(x, *w.shape[2:], stride, pad)
    out = w.reshape(len(w), -1) @ _cols(shown) + b[:, None]
    return out.reshape(len(x), len(w), *shown.shape[4:]), (x, w, stride, pad)


@mutant("conv_forward")
def fast_float64(x, w, b, stride=1, pad=0):
    """out is made by np.zeros: float64, whatever x is."""
    out, cache = _fast(x, w, b, stride, pad)
    return out.astype(np.float64), cache


@mutant("conv_forward")
def fast_sides_swapped(x, w, b, stride=1, pad=0):
    """The product is reshaped to OW x OH."""
    out, cache = _fast(x, w, b, stride, pad)
    return out.reshape(*out.shape[:2], *out.shape[:1:-1]), cache


@mutant("conv_forward")
def fast_order_of_entries(x, w, b, stride=1, pad=0):
    """The columns run over HH, WW, C and the rows of w over C, HH, WW."""
    shown = _shown(x, *w.shape[2:], stride, pad)
    out = w.reshape(len(w), -1) @ _cols(shown.transpose(0, 2, 3, 1, 4, 5)) + b[:, None]
    return out.reshape(len(x), len(w), *shown.shape[4:]), None


@mutant("conv_forward")
def fast_batch_scrambled(x, w, b, stride=1, pad=0):
    """The folded batch is unfolded in the wrong order."""
    shown = _shown(x, *w.shape[2:], stride, pad)
    cols = _cols(shown).transpose(1, 0, 2).reshape(w[0].size, -1)
    out = w.reshape(len(w), -1) @ cols + b[:, None]
    return out.reshape(len(x), len(w), *shown.shape[4:]), None


@mutant("conv_forward")
def fast_bias_on_columns(x, w, b, stride=1, pad=0):
    """The filters' biases are added with b[0] for all."""
    return _fast(x, w, np.full_like(b, b[0]), stride, pad)


@mutant("conv_forward")
def fast_without_bias(x, w, b, stride=1, pad=0):
    """b is left out."""
    return _fast(x, w, 0 * b, stride, pad)


@mutant("conv_forward")
def fast_without_stride(x, w, b, stride=1, pad=0):
    """The stride is ignored."""
    return _fast(x, w, b, 1, pad)


@mutant("conv_forward")
def fast_without_pad(x, w, b, stride=1, pad=0):
    """pad is not used."""
    return _fast(x, w, b, stride)


@mutant("conv_forward")
def fast_by_fourier(x, w, b, stride=1, pad=0):
    """A true convolution, as a Fourier transform or scipy's convolve makes it: w is flipped."""
    return _fast(x, w[:, :, ::-1, ::-1], b, stride, pad)


@mutant("conv_forward")
def fast_circular(x, w, b, stride=1, pad=0):
    """x is rolled, not padded: what leaves at one side comes in at the other."""
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="wrap")
    return _fast(x_pad, w, b, stride)


@mutant("conv_forward")
def fast_squares_only(x, w, b, stride=1, pad=0):
    """One side of out is worked out and used for both."""
    out, cache = _fast(x, w, b, stride, pad)
    return out.reshape(*out.shape[:2], out.shape[2], out.shape[2]), cache


@mutant("conv_forward")
def fast_writes_into_x(x, w, b, stride=1, pad=0):
    """`x -= x.mean()`: it writes into an argument."""
    out, cache = _fast(x, w, b, stride, pad)
    x -= x.mean()
    return out, cache


@mutant("conv_forward")
def fast_without_cache(x, w, b, stride=1, pad=0):
    """The cache is not returned."""
    return _fast(x, w, b, stride, pad)[0]


@mutant("conv_forward")
def fast_writes_into_x_where_pad_is_0(x, w, b, stride=1, pad=0):
    """`x if pad == 0 else np.pad(...)`, and then `*=`: without padding that is the caller's x."""
    out, cache = _fast(x, w, b, stride, pad)
    x_pad = x if pad == 0 else _padded(x, pad)
    x_pad *= 2
    return out, cache


@mutant("conv_forward")
def fast_by_loops(x, w, b, stride=1, pad=0):
    """Right, by the loops of conv_forward_naive."""
    out, cache = _forward(x, w, b, stride, pad)
    return out.astype(x.dtype), cache


# ----------------------------------------------------------------------------------- conv_backward

_fast_backward = mutant("conv_backward", conv_forward=_forward)


def _fast_right(dout, cache):
    """The right gradients, without a loop over pixels."""
    x, w, stride, pad = cache
    (HH, WW), (OH, OW), x_pad = w.shape[2:], dout.shape[2:], _padded(x, pad)
    dx_pad, dw = np.zeros_like(x_pad), np.zeros_like(w)
    for u, v in np.ndindex(HH, WW):
        part = np.s_[:, :, u : u + stride * OH : stride, v : v + stride * OW : stride]
        dw[:, :, u, v] = np.einsum("nfij,ncij->fc", dout, x_pad[part])
        dx_pad[part] += np.einsum("nfij,fc->ncij", dout, w[:, :, u, v])
    return _cut(dx_pad, x, pad), dw, dout.sum(axis=(0, 2, 3))


@_fast_backward
def fast_back_not_added_up(dout, cache):
    """`=` in col2im: where windows overlap only the last of them counts."""
    return conv_back_dx_not_added_up(dout, cache)


@_fast_backward
def fast_back_by_loops(dout, cache):
    """Right, by the loops of conv_backward_naive."""
    return tuple(grad.astype(dout.dtype) for grad in _right(dout, cache))


@_fast_backward
def fast_back_fancy_add(dout, cache):
    """`dx[rows, columns] += ...` with repeated indices counts each entry once; np.add.at adds."""
    x, w, stride, pad = cache
    _, dw, db = _right(dout, cache)
    HH, WW = w.shape[2:]
    u, v, i, j = np.indices((HH, WW, *dout.shape[2:]))
    dx_pad = np.zeros_like(_padded(x, pad))
    dx_pad[:, :, i * stride + u, j * stride + v] += np.einsum("nfij,fcuv->ncuvij", dout, w)
    return _cut(dx_pad, x, pad), dw, db


@_fast_backward
def fast_back_without_stride(dout, cache):
    """The windows are one row and column apart, whatever the stride."""
    return conv_back_without_stride(dout, cache)


@_fast_backward
def fast_back_pad_always_one(dout, cache):
    """The padding is 1, whatever pad was."""
    return conv_back_pad_always_one(dout, cache)


@_fast_backward
def fast_back_not_cut(dout, cache):
    """dx is that of the padded x: the border is left on."""
    return conv_back_not_cut(dout, cache)


@_fast_backward
def fast_back_minus_pad(dout, cache):
    """dx_pad[pad:-pad] is empty where pad is 0."""
    return conv_back_minus_pad(dout, cache)


@_fast_backward
def fast_back_cut_at_one_side(dout, cache):
    """The border is cut off below and at the right only."""
    return conv_back_cut_at_one_side(dout, cache)


@_fast_backward
def fast_back_dw_flat(dout, cache):
    """dw is left as a matrix (F, C HH WW)."""
    dx, dw, db = _right(dout, cache)
    return dx, dw.reshape(len(dw), -1), db


@_fast_backward
def fast_back_dw_for_each_picture(dout, cache):
    """dw keeps the axis of the pictures: the matrix products are not added up."""
    x, w, stride, pad = cache
    dx, _, db = _right(dout, cache)
    rows = zip(dout, x, strict=True)
    return dx, np.stack([_back(d[None], p[None], w, stride, pad)[1] for d, p in rows]), db


@_fast_backward
def fast_back_dw_of_the_first_picture(dout, cache):
    """dw is made from the columns of the first picture."""
    x, w, stride, pad = cache
    dx, _, db = _right(dout, cache)
    return dx, _back(dout[:1], x[:1], w, stride, pad)[1], db


@_fast_backward
def fast_back_dw_averaged(dout, cache):
    """dw is the mean over the pictures."""
    return conv_back_dw_averaged(dout, cache)


@_fast_backward
def fast_back_flipped(dout, cache):
    """dx is made with the filter flipped: that is right for a convolution of dout, not here."""
    return conv_back_weights_flipped(dout, cache)


@_fast_backward
def fast_back_db_a_row(dout, cache):
    """db has the shape (1, F)."""
    return conv_back_db_a_row(dout, cache)


@_fast_backward
def fast_back_db_of_places(dout, cache):
    """db is summed over the places, not over the pictures."""
    dx, dw, _ = _right(dout, cache)
    return dx, dw, dout.sum(axis=(2, 3))


@_fast_backward
def fast_back_other_order(dout, cache):
    """dw comes first."""
    return conv_back_other_order(dout, cache)


@_fast_backward
def fast_back_writes_into_dout(dout, cache):
    """dout is scaled in place."""
    return conv_back_writes_into_dout(dout, cache)


@_fast_backward
def fast_back_float64(dout, cache):
    """np.zeros without a dtype: float64, whatever x is."""
    return tuple(grad.astype(np.float64) for grad in _fast_right(dout, cache))


@mutant("conv_backward", conv_forward=_forward_into_a_global)
def fast_back_of_the_last_call(dout, cache):
    """The columns are kept in a global: those of the last convolution."""
    return _right(dout, _last)


@mutant("conv_backward", conv_forward=_forward_flipped)
def fast_back_of_a_wrong_forward(dout, cache):
    """The gradient of a forward that flips the filter."""
    return conv_back_of_a_wrong_forward(dout, cache)
