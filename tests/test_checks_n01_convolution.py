import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.mutants import mutants
from autograder.zoo import checked, functions_of
from cs_caption.checks import exercises, run_check
from cs_caption.checks.n01_convnets import conv_by_torch as by_torch
from cs_caption.checks.n01_convnets import conv_naive
from cs_caption.checks.n01_convnets.windows import (
    APART,
    CLOSE,
    LEAVING_MOST,
    LEAVING_SOME,
    OVERLAPPING,
    Windows,
    astray,
    one_by_one,
    whole_picture,
)
from cs_caption.checks.subject import LocalSubject

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "solutions" / "01_convnets" / "01_convnets.py"
FORWARDS = ["conv_forward_naive", "max_pool_forward", "conv_forward"]
BACKWARDS = ["conv_backward_naive", "max_pool_backward", "conv_backward"]
NAMES = [*FORWARDS, *BACKWARDS, "im2col"]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


@pytest.fixture(scope="module")
def solved():
    return {name: functions_of(SOLUTION)[name] for name in NAMES}


def run(name, functions, **options):
    return run_check(name, LocalSubject(name, functions), **options)


# ------------------------------------------------------------------------------- right answers


def padded(x, pad):
    room = np.zeros((*x.shape[:2], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad), x.dtype)
    room[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]] = x
    return room


def sides(x, HH, WW, stride, pad=0):
    return (x.shape[2] + 2 * pad - HH) // stride + 1, (x.shape[3] + 2 * pad - WW) // stride + 1


def conv_by_single_numbers(x, w, b, stride=1, pad=0):
    """Seven loops, and never a slice."""
    OH, OW = sides(x, *w.shape[2:], stride, pad)
    room = padded(x, pad).tolist()
    filters, biases = w.tolist(), b.tolist()
    out = np.empty((len(x), len(w), OH, OW))
    for n, f, i, j in np.ndindex(*out.shape):
        total = biases[f]
        for c, u, v in np.ndindex(*w.shape[1:]):
            total += room[n][c][i * stride + u][j * stride + v] * filters[f][c][u][v]
        out[n, f, i, j] = total
    return [out, {"x": x, "w": w, "steps": (stride, pad)}]


def conv_by_places(x, w, b, stride=1, pad=0):
    OH, OW = sides(x, *w.shape[2:], stride, pad)
    room, rows = padded(x, pad), w.reshape(len(w), -1).T
    out = np.zeros((len(x), len(w), OH, OW), x.dtype) + b.reshape(1, -1, 1, 1)
    for i, j in np.ndindex(OH, OW):
        top, left = i * stride, j * stride
        window = room[:, :, top : top + w.shape[2], left : left + w.shape[3]]
        out[:, :, i, j] += window.reshape(len(x), -1) @ rows
    return (out, {"x": x, "w": w, "steps": (stride, pad)})


def conv_by_offsets(x, w, b, stride=1, pad=0):
    OH, OW = sides(x, *w.shape[2:], stride, pad)
    room = padded(x, pad)
    out = np.zeros((len(x), len(w), OH, OW))
    for u, v in np.ndindex(*w.shape[2:]):
        part = room[:, :, u : u + stride * OH : stride, v : v + stride * OW : stride]
        out += np.einsum("nchw,fc->nfhw", part, w[:, :, u, v])
    return (out + b[None, :, None, None], {"x": x, "w": w, "steps": (stride, pad)})


def conv_by_views(x, w, b, stride=1, pad=0):
    view = np.lib.stride_tricks.sliding_window_view(padded(x, pad), w.shape[2:], axis=(2, 3))
    out = np.einsum("ncijuv,fcuv->nfij", view[:, :, ::stride, ::stride], w)
    return [out + b.reshape(-1, 1, 1), {"x": x, "w": w, "steps": (stride, pad)}]


def back_by_single_numbers(dout, cache):
    """Four loops, and one window at a time."""
    x, w, (stride, pad) = cache["x"], cache["w"], cache["steps"]
    room, (HH, WW) = padded(x, pad), w.shape[2:]
    dx, dw, db = np.zeros_like(room), np.zeros_like(w), np.zeros_like(w, shape=len(w))
    for n, f, i, j in np.ndindex(*dout.shape):
        g, top, left = dout[n, f, i, j], i * stride, j * stride
        db[f] += g
        dw[f] += g * room[n, :, top : top + HH, left : left + WW]
        dx[n, :, top : top + HH, left : left + WW] += g * w[f]
    H, W = x.shape[2:]
    return [dx[:, :, pad : pad + H, pad : pad + W], dw, db]


def back_by_indices(dout, cache):
    x, w, (stride, pad) = cache["x"], cache["w"], cache["steps"]
    u, v, i, j = np.indices((*w.shape[2:], *dout.shape[2:]))
    rows, columns = i * stride + u, j * stride + v
    room = padded(x, pad)
    dw = np.einsum("nfij,ncuvij->fcuv", dout, room[:, :, rows, columns])
    dx = np.zeros_like(room)
    np.add.at(dx, np.s_[:, :, rows, columns], np.einsum("nfij,fcuv->ncuvij", dout, w))
    H, W = x.shape[2:]
    return [dx[:, :, pad : pad + H, pad : pad + W], dw, np.einsum("nfij->f", dout)]


def pool_by_windows(x, HH=2, WW=2, stride=2):
    OH, OW = sides(x, HH, WW, stride)
    out, kept = np.zeros((*x.shape[:2], OH, OW), x.dtype), {}
    for n, c, i, j in np.ndindex(*out.shape):
        window = x[n, c, i * stride : i * stride + HH, j * stride : j * stride + WW]
        u, v = np.unravel_index(window.argmax(), window.shape)
        out[n, c, i, j] = window[u, v]
        kept[n, c, i, j] = (n, c, i * stride + u, j * stride + v)
    return [out, [x.shape, kept]]


def pool_back_by_windows(dout, cache):
    shape, kept = cache
    dx = np.zeros(shape, dout.dtype)
    for place, entry in kept.items():
        dx[entry] += dout[place]
    return dx


def cols_by_windows(x, HH, WW, stride=1, pad=0):
    OH, OW = sides(x, HH, WW, stride, pad)
    room = padded(x, pad)
    tops = [(i * stride, j * stride) for i in range(OH) for j in range(OW)]
    cols = [room[:, :, i : i + HH, j : j + WW].reshape(len(x), -1) for i, j in tops]
    return np.stack(cols, axis=-1)


def looked_up(x, windows):
    """What every window holds (N, C, HH, WW, OH, OW), number by number."""
    w = windows
    shape = (w.N, w.C, w.HH, w.WW, *w.places)
    found = np.zeros(shape)
    for n, c, u, v, i, j in np.ndindex(*shape):
        row, column = i * w.stride + u - w.pad, j * w.stride + v - w.pad
        if 0 <= row < w.H and 0 <= column < w.W:
            found[n, c, u, v, i, j] = x[n, c, row, column]
    return found


CONVS = [conv_by_single_numbers, conv_by_places, conv_by_offsets, conv_by_views]
BACKS = [back_by_single_numbers, back_by_indices]
OTHERS = [
    *(("conv_forward_naive", {"conv_forward_naive": conv}) for conv in CONVS),
    *(("conv_forward", {"conv_forward": conv}) for conv in [conv_by_views]),
    *(
        (f"conv_backward{kind}", {f"conv_backward{kind}": back, f"conv_forward{kind}": conv})
        for kind, backs in (("_naive", BACKS), ("", [back_by_indices]))
        for back in backs
        for conv in CONVS[1:3]
    ),
    ("max_pool_forward", {"max_pool_forward": pool_by_windows}),
    (
        "max_pool_backward",
        {"max_pool_backward": pool_back_by_windows, "max_pool_forward": pool_by_windows},
    ),
    ("im2col", {"im2col": cols_by_windows}),
]
STYLES = ["-".join(f.__name__ for f in functions.values()) for _, functions in OTHERS]


@pytest.mark.parametrize(("name", "functions"), OTHERS, ids=STYLES)
def test_right_answers_in_another_style_get_full_marks(name, functions):
    report = run(name, functions, salt="another")
    assert report.passed, str(report)


SLOW = {
    "conv_backward": back_by_indices,
    "conv_backward_naive": back_by_single_numbers,
    "conv_forward_naive": conv_by_single_numbers,
    "max_pool_forward": pool_by_windows,
    "max_pool_backward": pool_back_by_windows,
}


@pytest.mark.parametrize("name", SLOW)
def test_right_answers_by_slow_loops_get_full_marks(name, solved):
    forwards = {"conv_backward_naive": conv_by_places, "conv_backward": conv_by_places}
    needs = {need: forwards.get(name, pool_by_windows) for need in exercises()[name].needs}
    report = run(name, {**solved, **needs, name: SLOW[name]}, salt="slow")
    assert report.passed, str(report)


# ------------------------------------------------------------------------------- wrong answers


@cache
def judged(name):
    return checked(ZOO[name], "salt")


TORCH = "(torch autograd says otherwise)"
FIRST_ONLY = "only the first picture is done: is `return` inside the loop?"
MISREAD = "H and W of x are swapped (x.shape is N, C, H, W)"
BOTH = "(numeric differentiation and torch autograd both say otherwise)"
UP, AS_IS = "all of them up (+=)", "it slides over x as it is"
SWAPPED = "your H and W are swapped: the output is "
MIXED = "(a reshape does not move axes"
TOP_LEFT = "at the top and at the left"
WINDOWS_STOP = "stopped with ValueError: operands could not be broadcast"
CONV_WORDS = {
    "conv_sides_swapped": SWAPPED,
    "conv_square_filters": WINDOWS_STOP,
    "conv_square_count": "taken for a square of HH x HH",
    "conv_flipped": "the filter is flipped",
    "conv_without_bias": "out is wrong: b is not added",
    "conv_bias_for_each_channel": "b is added once for each channel",
    "conv_bias_for_each_entry": "b is added once for each number of the window",
    "conv_bias_along_the_rows": WINDOWS_STOP,
    "conv_last_channel": "only the last channel counts: add all of them up (+=)",
    "conv_first_channel": "only the first channel counts",
    "conv_first_filter": "the first filter is used for all",
    "conv_first_picture": "the first picture is used for all",
    "conv_pad_at_the_top_left": TOP_LEFT,
    "conv_pad_on_one_side": "the pad counts once, but it lies on both sides",
    "conv_pad_with_edges": "the border repeats the edge: pad with zeros",
    "conv_pads_all_axes": WINDOWS_STOP,
    "conv_pad_ignored": "the pad is ignored",
    "conv_pad_always_one": "the pad is 1, whatever it should be",
    "conv_pad_counted_twice": "the pad counts too often",
    "conv_pad_counted_thrice": "the pad counts three times",
    "conv_rounded_up": "a window must fit in whole, so round down",
    "conv_without_the_last_window": "the 1 + is missing: the output is ",
    "conv_without_one_plus": "the 1 + is missing, or the pad is ignored, or the pad counts once",
    "conv_writes_into_x_where_pad_is_0": "changes its input x",
    "conv_shape_misread": MISREAD,
    "conv_pads_all_axes_in_loops": "does the pad go on N and C too?",
    "conv_returns_inside": f"out is wrong: {FIRST_ONLY}",
    "conv_returns_inside_the_second_loop": "only the first slice of the first picture is done",
    "conv_back_returns_inside": "only the first picture counts: is `return` inside the loop?",
    "conv_stride_only_counted": "the stride is ignored: the windows start at every row and column",
    "conv_stride_only_down": "the stride is used only down",
    "conv_stride_ignored": "the stride is ignored: the output is ",
    "conv_transposed": SWAPPED,
    "conv_channels_last": "two axes are swapped",
    "conv_mean": "it is the mean over the window",
    "conv_writes_into_b": "changes its input b",
    "conv_integers": "int64: it must be float64",
    "conv_float32": "float32: it must be float64",
    "conv_without_cache": "2 results (out, cache)",
    "conv_squeezed": "keep the axes apart",
    "conv_default_pad": "the pad is 1, whatever it should be",
    "conv_back_without_stride": f"every row and column {BOTH}",
    "conv_back_pad_always_one": f"x is padded, although pad is 0: is it written as 1? {BOTH}",
    "conv_back_pad_ignored": "stopped with ValueError: non-broadcastable",
    "conv_back_not_cut": "without the padding",
    "conv_back_padded_by_channels": "could not be broadcast together",
    "conv_back_cut_at_one_side": "cut off at the bottom and the right only",
    "conv_back_minus_pad": "`0:-0` is empty: write pad : pad + H",
    "conv_back_dx_not_added_up": f"only the last of them counts: add all of them up (+=) {BOTH}",
    "conv_back_dx_of_the_last_loop": "only the last of them counts",
    "conv_back_dw_not_added_up": "only the last window of the last picture counts",
    "conv_back_dw_of_the_last_picture": f"only the last picture counts: add {UP} {BOTH}",
    "conv_back_dw_averaged": f"dw is wrong: it is N times too small {BOTH}",
    "conv_back_weights_flipped": f"dx is wrong: the filter is flipped: {AS_IS} {BOTH}",
    "conv_back_dw_flipped": "dw is wrong: the filter is flipped",
    "conv_back_last_filter": "dx is wrong: only the last filter counts",
    "conv_back_db_a_row": "keepdims",
    "conv_back_db_keeps_axes": "keepdims",
    "conv_back_db_over_pictures_only": "summed over the pictures and their places",
    "conv_back_db_over_other_axes": "summed over the pictures and their places",
    "conv_back_db_of_the_last_picture": "db is wrong: only the last picture counts",
    "conv_back_db_mean": "db is wrong: it is N OH OW times too small",
    "conv_back_ignores_dout": "dout is ignored",
    "conv_back_other_order": "the order is dx, dw, db",
    "conv_back_sides_swapped": "two axes are swapped",
    "conv_back_square_filters": "non-broadcastable",
    "conv_back_writes_into_dout": "changes its input dout",
    "conv_back_writes_into_the_cache": "does the first call change something in it?",
    "conv_back_of_the_last_call": "two steps forward",
    "conv_back_of_a_wrong_forward": "first mend conv_forward_naive: out is wrong: the filter is",
}
POOL_WORDS = {
    "pool_average": "it is the average of the window",
    "pool_smallest": "it is the smallest number",
    "pool_from_zero": "does the largest so far start at 0",
    "pool_padded": "a window must fit in whole, so round down: the output is ",
    "pool_absolute": "signs are dropped",
    "pool_over_channels": "each channel is on its own",
    "pool_window_turned": "the window's height and width are swapped",
    "pool_window_square": "taken for a square of HH x HH",
    "pool_stride_is_the_window": "the stride is taken to be the window's size",
    "pool_window_is_the_stride": "the window is as large as the stride",
    "pool_stride_always_two": "the stride is 2, whatever it should be",
    "pool_stride_only_counted": "windows start at every row and column",
    "pool_sides_swapped": SWAPPED,
    "pool_without_the_last_window": "the 1 + is missing",
    "pool_from_minus_1000": "out is -1000 everywhere",
    "pool_from_minus_a_billion": "does the largest so far start there? Start at minus infinity",
    "pool_float64": "x is float32 and out is a float64 array",
    "pool_shape_misread": MISREAD,
    "pool_returns_inside": f"out is wrong: {FIRST_ONLY}",
    "pool_returns_inside_from_minus_infinity": f"NaN or infinite: {FIRST_ONLY}",
    "pool_back_smallest": "it goes to the smallest entry of the window",
    "pool_back_returns_inside": FIRST_ONLY,
    "pool_back_lacks_the_stride": "dx lacks the stride",
    "pool_back_place_by_height": "row k // WW, column k % WW",
    "pool_back_nearly_equal": "where the numbers of x differ by 1e-8 only: dx is wrong",
    "pool_back_float64": "x and dout are float32 and dx is a float64 array",
    "pool_of_the_slice": "the largest of the whole slice",
    "pool_first_picture": "the first picture is used for all",
    "pool_writes_into_x": "changes its input x",
    "pool_places": "int64: it must be float64",
    "pool_without_cache": "2 results (out, cache)",
    "pool_float32": "float32: it must be float64",
    "pool_back_not_added_up": f"get the gradient of one: add it up (+=) {BOTH}",
    "pool_back_windows_written_over": "each window writes over what others have given",
    "pool_back_every_tie": f"gets all of the gradient: only the first should {TORCH}",
    "pool_back_ties_share": f"share the gradient: the first should get all of it {TORCH}",
    "pool_back_last_tie": "of several equal entries the last gets the gradient",
    "pool_back_first_by_columns": "go row by row",
    "pool_back_largest_of_the_slice": "the largest entry of the slice, not to that of the window",
    "pool_back_average": "as if out were their average",
    "pool_back_to_all": "all entries of a window get the gradient",
    "pool_back_ones": "dout is ignored",
    "pool_back_value": "multiplied by the number that was kept",
    "pool_back_side_by_side": "the stride is taken to be the window's size",
    "pool_back_without_stride": "windows start at every row and column",
    "pool_back_window_turned": "the window's height and width are swapped",
    "pool_back_window_square": "taken for a square of HH x HH",
    "pool_back_first_channel": "the largest entries of the first channel are used for all",
    "pool_back_of_the_shape_of_dout": "= (N, C, H, W)",
    "pool_back_in_a_tuple": "a tuple of 1",
    "pool_back_writes_into_dout": "changes its input dout",
    "pool_back_writes_into_the_cache": "does the first call change something in it?",
    "pool_back_of_the_last_call": "two steps forward",
    "pool_back_of_a_wrong_forward": "first mend max_pool_forward: out is wrong: it is the average",
}
FAST_WORDS = {
    "cols_channels_last": "here they run over HH, WW, C",
    "cols_windows_by_columns": "here they run over C, WW, HH",
    "cols_down_first": "here they run down",
    "cols_batch_folded": "each has columns of its own",
    "cols_as_rows": "the windows are rows here",
    "cols_only_reshaped": "the axes are C, OH, OW, HH, WW when it is reshaped",
    "cols_without_pad": "the pad is ignored",
    "cols_pad_at_the_top_left": "a number that lies too far up in x",
    "cols_pad_with_edges": "where the padding belongs: it is all zeros",
    "cols_without_stride": "the stride is ignored",
    "cols_first_windows": "a number that lies too far up in x",
    "cols_window_turned": "the window's height and width are swapped",
    "cols_flipped": "each window is flipped",
    "cols_float64": "x is float32 and cols is a float64 array",
    "cols_writes_into_x_where_pad_is_0": "changes its input x",
    "cols_float32": "float32: it must be float64",
    "cols_six_axes": "reshape it to three axes",
    "cols_first_picture": "all pictures are the first",
    "cols_rolls_x": "changes its input x",
    "fast_float64": "float32 takes half the memory",
    "fast_sides_swapped": SWAPPED,
    "fast_order_of_entries": "are laid out in different orders",
    "fast_batch_scrambled": f"pictures and slices are mixed up {MIXED}",
    "fast_bias_on_columns": "all filters have the bias of the first",
    "fast_without_bias": "out is wrong: b is not added",
    "fast_without_stride": "the stride is ignored",
    "fast_without_pad": "the pad is ignored",
    "fast_by_fourier": "the filter is flipped",
    "fast_circular": "where the padding belongs: it is all zeros",
    "fast_squares_only": "stopped with ValueError: cannot reshape",
    "fast_writes_into_x": "changes its input x",
    "fast_writes_into_x_where_pad_is_0": "changes its input x",
    "fast_without_cache": "2 results (out, cache)",
    "fast_by_loops": "a loop over pixels is left",
    "fast_back_by_loops": "a loop over pixels is left",
    "fast_back_not_added_up": "only the last of them counts: add all of them up (+=)",
    "fast_back_fancy_add": "use np.add.at, or a loop",
    "fast_back_without_stride": f"every row and column {BOTH}",
    "fast_back_pad_always_one": "x is padded, although pad is 0",
    "fast_back_not_cut": "without the padding",
    "fast_back_minus_pad": "`0:-0` is empty: write pad : pad + H",
    "fast_back_float64": "x, w, b and dout are float32 and dx is a float64 array",
    "fast_back_cut_at_one_side": "cut off at the bottom and the right only",
    "fast_back_dw_flat": "keep the axes apart",
    "fast_back_dw_for_each_picture": "summed on the way back",
    "fast_back_dw_of_the_first_picture": "only the first picture counts",
    "fast_back_dw_averaged": "N times too small",
    "fast_back_flipped": "dx is wrong: the filter is flipped",
    "fast_back_db_a_row": "keepdims",
    "fast_back_db_of_places": "summed over the pictures and their places",
    "fast_back_other_order": "the order is dx, dw, db",
    "fast_back_writes_into_dout": "changes its input dout",
    "fast_back_of_the_last_call": "two steps forward",
    "fast_back_of_a_wrong_forward": "first mend conv_forward: out is wrong: the filter is",
}
WORDS = CONV_WORDS | POOL_WORDS | FAST_WORDS


def test_every_mutant_has_its_words():
    assert set(WORDS) == set(ZOO)


@pytest.mark.parametrize("name", NAMES)
def test_each_exercise_has_at_least_eight_mutants(name):
    assert sum(mutant.exercise == name for mutant in ZOO.values()) >= 8


@pytest.mark.parametrize("name", WORDS)
def test_a_mutant_loses_points_in_public_and_is_told_what_is_probably_wrong(name):
    failed = [case for case in judged(name).cases if not case.passed]
    public = [case for case in failed if "hidden" not in case.title]
    assert public
    assert any(WORDS[name] in case.message for case in public), [c.message for c in failed]


FALSE_WORDS = {
    "conv_pad_at_the_top_left": "stride",
    "conv_flipped": "border",
    "conv_without_bias": "filter",
    "conv_back_db_a_row": "broadcast on the way forward",
    "conv_back_dx_not_added_up": "np.add.at",
    "pool_padded": "pad is",
    "pool_average": "stride",
    "pool_back_every_tie": "the last",
    "pool_back_last_tie": "all of the gradient",
    "cols_float64": "wrong",
    "fast_back_fancy_add": "(+=)",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in case.message for case in judged(name).cases)


ONLY = {
    "conv_rounded_up": "the stride does not divide: what is left over is dropped",
    "conv_pad_counted_thrice": "the stride does not divide: what is left over is dropped",
    "conv_back_padded_by_channels": "all three, windows apart; pad 2, one depth slice (C = 1)",
    "conv_writes_into_b": "inputs unchanged, also when write-protected",
    "conv_writes_into_x_where_pad_is_0": "inputs unchanged, also when write-protected",
    "fast_writes_into_x_where_pad_is_0": "inputs unchanged, also when write-protected",
    "cols_writes_into_x_where_pad_is_0": "inputs unchanged, also when write-protected",
    "pool_from_minus_a_billion": "negative numbers only",
    "pool_float64": "float32 stays float32",
    "pool_back_float64": "float32 stays float32",
    "fast_back_float64": "all three, float32 stays float32",
    "pool_back_nearly_equal": "equal entries: the first, row by row, gets the gradient",
    "pool_back_every_tie": "equal entries: the first, row by row, gets the gradient",
    "pool_back_last_tie": "equal entries: the first, row by row, gets the gradient",
    "cols_float64": "float32 stays float32",
    "fast_float64": "float32 stays float32",
}


@pytest.mark.parametrize("name", ONLY)
def test_a_mistake_that_shows_in_one_place_costs_that_case_alone(name):
    (failed,) = (case.title for case in checked(ZOO[name]).cases if not case.passed)
    assert failed.startswith(ONLY[name])


def test_a_wrong_bias_gradient_leaves_the_points_of_dx_and_dw():
    passed = [case.title[:9] for case in checked(ZOO["conv_back_db_a_row"]).cases if case.passed]
    assert passed == ["dx and dw", "dx, no tw", "dw, no tw"]


@pytest.mark.parametrize("name", BACKWARDS)
def test_a_right_backward_after_a_wrong_forward_gets_nothing_and_is_told_why(name, solved):
    (forward,) = exercises()[name].needs

    def without_cache(*args):
        return solved[forward](*args)[0]

    report = run(name, {**solved, forward: without_cache})
    assert report.points == 0
    assert all(case.message.startswith(f"first mend {forward}: ") for case in report.cases)


@pytest.mark.parametrize("fast", ["", "_naive"])
def test_where_forward_is_wrong_for_one_stride_only_those_cases_of_backward_are_lost(fast, solved):
    forward, backward = f"conv_forward{fast}", f"conv_backward{fast}"

    def right_for_small_strides(x, w, b, stride=1, pad=0):
        out, cache = solved[forward](x, w, b, stride, pad)
        return out + (stride > 2), cache

    report = run(backward, {**solved, forward: right_for_small_strides})
    failed = {case.title: case.message for case in report.cases if not case.passed}
    assert len(failed) == 2
    assert all(words.startswith(f"first mend {forward}: ") for words in failed.values())


def test_the_fast_functions_are_called_by_their_own_names(solved):
    for name, words in (("conv_forward", "conv_forward "), ("conv_backward", "conv_backward ")):

        def stops(*args):
            raise ValueError("on purpose")

        messages = [case.message for case in run(name, {**solved, name: stops}).cases]
        assert all(f"{words}stopped with ValueError: on purpose" in text for text in messages)


def test_without_torch_a_flipped_filter_and_a_lost_bias_are_named(no_torch):
    for name, words in (
        ("conv_pad_at_the_top_left", "too far up in x"),
        ("conv_without_bias", "b is not added"),
        ("conv_stride_only_down", "too far to the left in x"),
        ("conv_first_picture", "is of another picture"),
    ):
        assert any(words in case.message for case in checked(ZOO[name]).cases)


NO_TORCH = {
    "conv_pad_with_edges": "where the padding belongs",
    "conv_rounded_up": "round down",
    "conv_writes_into_x_where_pad_is_0": "changes its input x",
    "pool_average": "that its window does not hold",
    "pool_smallest": "the window has a larger number",
    "pool_from_minus_a_billion": "Start at minus infinity",
    "pool_stride_only_counted": "output row",
    "pool_back_every_tie": "dx is wrong in",
    "pool_back_ties_share": "dx is wrong in",
    "pool_back_nearly_equal": "where the numbers of x differ by 1e-8 only: dx is wrong in",
    "cols_channels_last": "here they run over HH, WW, C",
    "cols_first_windows": "too far up in x",
    "fast_circular": "where the padding belongs",
}


@pytest.mark.parametrize("name", NO_TORCH)
def test_without_torch_single_windows_tell_what_is_wrong(name, no_torch):
    failed = [case.message for case in checked(ZOO[name], "salt").cases if not case.passed]
    assert any(NO_TORCH[name] in message for message in failed), failed
    assert not any("torch" in message for message in failed)


TIES = ["pool_back_every_tie", "pool_back_ties_share", "pool_back_last_tie"]


@pytest.mark.parametrize("name", [*TIES, "pool_back_first_by_columns", "pool_back_nearly_equal"])
def test_of_ties_numeric_differentiation_is_not_cited(name):
    failed = [case.message for case in judged(name).cases if not case.passed]
    assert not any("numeric" in message for message in failed), failed


def test_the_package_pools_by_torch_only(no_torch):
    with pytest.raises(ImportError):
        by_torch.pool(np.zeros((1, 1, 4, 4)), Windows(1, 1, 4, 4, 2, 2, 2))


@pytest.mark.parametrize("with_torch", [True, False])
def test_a_single_wrong_number_of_a_corner_is_found(with_torch, monkeypatch):
    if not with_torch:
        monkeypatch.setitem(sys.modules, "torch", None)
    windows = OVERLAPPING(np.random.RandomState(2))
    x = 1.0 + np.arange(np.prod(windows.picture)).reshape(windows.picture)
    found = looked_up(x, windows)
    assert astray(found, x, windows) is None
    for at in ((0, 1, 1, 1, 0, 0), (1, 0, 0, 1, *(side - 1 for side in windows.places))):
        wrong = found.copy()
        wrong[at] += 1
        assert astray(wrong, x, windows) == at


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "three Nones": (None,) * 3,
    "two Nones": (None, None),
    "nested": ([[[]]], {"loss": 1}),
    "NaN": (np.full((2, 3, 4, 5), np.nan), np.nan),
    "strings": (np.array(["a"]), np.array(["b"])),
    "complex": (np.ones((2, 2), complex), 1j),
    "too many": tuple(range(50)),
    "empty arrays": (np.zeros(0), np.zeros((0, 3))),
    "no axes": (np.array(1.0), None),
    "six axes": np.zeros((1,) * 6),
    "zero windows": (np.zeros((1, 1, 0, 0)), None),
    "a type": float,
    "masked": (np.ma.masked_all(3), 0.0),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk, solved):
    report = run(name, {**solved, name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", [*FORWARDS, "im2col"])
def test_numbers_that_are_not_finite_fail_in_words(name, bad, solved):
    def spoiled(*args):
        found = solved[name](*args)
        return found * bad if name == "im2col" else (found[0] * bad, found[1])

    report = run(name, {**solved, name: spoiled})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def zeros_like_the_answer(name, solved):
    def lazy(*args):
        found = solved[name](*args)
        if name in FORWARDS:
            return np.zeros_like(found[0]), found[1]
        return tuple(map(np.zeros_like, found)) if name.startswith("conv") else np.zeros_like(found)

    return lazy


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_nothing(name, solved):
    assert run(name, {**solved, name: zeros_like_the_answer(name, solved)}).points == 0


# ------------------------------------------------------------------------------- the cases


def recorded(name, solved):
    """All arguments with which the solution is called in the public check."""
    seen = []

    def recording(*args):
        seen.append(args)
        return solved[name](*args)

    run(name, {**solved, name: recording})
    return seen


@pytest.mark.parametrize("name", [*FORWARDS, "im2col"])
def test_the_inputs_are_awkward_somewhere(name, solved):
    arrays = [a for args in recorded(name, solved) for a in args if isinstance(a, np.ndarray)]
    assert any(not a.flags.c_contiguous for a in arrays)
    assert any(not a.flags.writeable for a in arrays)
    assert any(stride < 0 for a in arrays for stride in a.strides)


def windows_of(name, args):
    if name == "max_pool_forward":
        return Windows(*args[0].shape, *((2, 2, 2) if len(args) == 1 else args[1:]), F=0)
    if name == "im2col":
        return Windows(*args[0].shape, *args[1:])
    return conv_naive.windows_of(*args)


@pytest.mark.parametrize("name", [*FORWARDS, "im2col"])
def test_no_two_sizes_are_equal_where_that_is_the_case_and_every_geometry_occurs(name, solved):
    tried = [windows_of(name, args) for args in recorded(name, solved)]
    different = [
        w for w in tried if len({w.N, w.C, w.H, w.W, w.HH, w.WW}) == 6 and w.F not in w.picture
    ]
    assert any(w.stride == 2 and w.left_over == (0, 0) for w in different)
    assert any(w.stride < min(w.HH, w.WW) for w in different)
    assert any(min(w.left_over) > 0 and w.stride < min(w.HH, w.WW) for w in tried)
    assert any(w.stride > max(w.HH, w.WW) > 1 for w in tried)
    assert any((w.HH, w.WW) == (1, 1) for w in tried)
    assert any((w.HH, w.WW) == (w.H, w.W) for w in tried)
    assert any(w.N == 1 and min(w.C, *w.places) > 1 for w in tried)
    if name != "max_pool_forward":
        assert {0, 1, 2} <= {w.pad for w in tried}
        assert {1, 2, 3, 5} <= {w.stride for w in tried}


@pytest.mark.parametrize(
    "wanted",
    [OVERLAPPING, CLOSE, LEAVING_SOME, LEAVING_MOST, APART, one_by_one, whole_picture],
)
def test_no_array_has_two_equal_sizes_whatever_is_drawn(wanted):
    rng = np.random.RandomState(5)
    for windows in (wanted(rng) for _ in range(30)):
        assert len(set(windows.picture)) == 4
        assert windows.HH != windows.WW or wanted is one_by_one
        assert windows.F not in (windows.N, windows.C)
        assert len(set(windows.places)) == 2 or wanted is whole_picture


def test_numbers_of_a_pool_are_never_nearer_than_a_numeric_step_but_where_ties_are_the_case(solved):
    pools = recorded("max_pool_forward", solved)
    for x in (args[0] for args in pools if len(args) > 1):
        gaps = np.diff(np.sort(x, axis=None))
        assert gaps.min() >= 1 / 8
        assert np.abs(x).max() * 1e-5 < gaps.min() / 10


def test_ties_are_met_by_windows_that_overlap_and_by_windows_apart(solved):
    tied = []

    def recording(*args):
        if args[1] != args[2] and len(np.unique(args[0])) <= 4:
            tied.append(args)
        return solved["max_pool_forward"](*args)

    run("max_pool_backward", {**solved, "max_pool_forward": recording})
    kinds = {np.sign(args[3] - min(args[1:3])) for args in tied}
    assert kinds >= {-1, 1}
    for x, HH, WW, stride in tied:
        shown = looked_up(x, Windows(*x.shape, HH, WW, stride))
        largest = shown == shown.max((2, 3), keepdims=True)
        assert np.mean(largest.sum((2, 3)) > 1) > 0.3


def test_the_definition_and_torch_agree_on_every_geometry(solved):
    rng = np.random.RandomState(11)
    every = (OVERLAPPING, CLOSE, LEAVING_SOME, LEAVING_MOST, APART, one_by_one, whole_picture)
    for wanted in every:
        x, w, b, stride, pad = conv_naive.drawing(wanted)(rng)
        windows = conv_naive.windows_of(x, w, b, stride, pad)
        expected = np.einsum("ncuvij,fcuv->nfij", looked_up(x, windows), w) + b[:, None, None]
        np.testing.assert_allclose(by_torch.conv((x, w, b), windows), expected, atol=1e-12)


def test_torch_hands_the_gradient_to_the_first_of_equal_entries():
    x = np.array([[1.0, 2.0, 2.0], [2.0, 2.0, 0.0]])[None, None]
    dout = np.array([[1.0, 10.0]])[None, None]
    dx = by_torch.pool_gradient(x, dout, Windows(1, 1, 2, 3, 2, 2, 1))
    np.testing.assert_array_equal(dx[0, 0], [[0.0, 11.0, 0.0], [0.0, 0.0, 0.0]])


def first_call(name, solved):
    """The arguments of the first call in the public check, and what the solution makes of them."""
    args = recorded(name, solved)[0]
    return args, solved[name](*args)


def test_the_worked_examples_of_forward_are_those_of_the_notebook(solved):
    (x, w, b), (out, _) = first_call("conv_forward_naive", solved)
    np.testing.assert_array_equal(x[0, 0], [[1, 2, 0], [0, 1, 3], [2, 0, 1]])
    np.testing.assert_array_equal(w[0, 0], [[1, 2], [3, -1]])
    np.testing.assert_array_equal(b, [1])
    np.testing.assert_array_equal(out[0, 0], [[5, 3], [9, 7]])
    (grid,), (out, _) = first_call("max_pool_forward", solved)
    np.testing.assert_array_equal(grid[0, 0], np.array([*"1124567832101234"], int).reshape(4, 4))
    np.testing.assert_array_equal(out[0, 0], [[6, 8], [3, 4]])
    (x, *_), cols = first_call("im2col", solved)
    np.testing.assert_array_equal(x[0, 0], np.arange(1, 10).reshape(3, 3))
    np.testing.assert_array_equal(cols[0], [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]])


def test_the_worked_examples_of_backward_are_those_of_the_notebook(solved):
    (dout, _), (dx, dw, _) = first_call("conv_backward_naive", solved)
    np.testing.assert_array_equal(dout.ravel(), [1, 10, 100])
    np.testing.assert_array_equal(dx.ravel(), [3, 32, 320, 200])
    np.testing.assert_array_equal(dw.ravel(), [12, 301])
    (dout, _), dx = first_call("max_pool_backward", solved)
    np.testing.assert_array_equal(dout.ravel(), [10, 20, 30, 40])
    np.testing.assert_array_equal(
        dx[0, 0], [[0, 0, 0, 0], [0, 10, 0, 20], [30, 0, 0, 0], [0, 0, 0, 40]]
    )
