import math
import re
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.mutants import mutants
from autograder.zoo import checked, functions_of
from cs_caption._torchvision import torchvision
from cs_caption.checks import exercises, run_check
from cs_caption.checks.n01_convnets import affine, vgg_shapes
from cs_caption.checks.subject import LocalSubject, Subject

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "solutions" / "01_convnets" / "01_convnets.py"
NAMES = ["affine_forward", "affine_backward", "relu_forward", "relu_backward"]
NAMES += ["softmax_loss", "sgd_momentum", "vgg_shapes"]
BACKWARDS = ["affine_backward", "relu_backward"]
ARRAYS = [name for name in NAMES if name != "vgg_shapes"]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


@pytest.fixture(scope="module")
def solved():
    return {name: functions_of(SOLUTION)[name] for name in NAMES}


def run(name, functions, **options):
    return run_check(name, LocalSubject(name, functions), **options)


# ------------------------------------------------------------------------------- right answers


def affine_with_loops(x, w, b):
    flat = np.array([one.flatten() for one in x])
    out = np.array([[row @ w[:, m] + b[m] for m in range(len(b))] for row in flat])
    return [out, {"flat": flat, "w": np.array(w), "shape": x.shape}]


def affine_back_with_loops(dout, cache):
    flat, w = cache["flat"], cache["w"]
    dx = [sum(dout[n, m] * w[:, m] for m in range(w.shape[1])) for n in range(len(flat))]
    dw = sum(np.outer(flat[n], dout[n]) for n in range(len(flat)))
    return [np.reshape(dx, cache["shape"]), dw, np.ones(len(dout)) @ dout]


def relu_with_a_mask(x):
    mask = x > 0
    return [np.where(mask, x, 0.0), [mask]]


def relu_back_with_a_mask(dout, cache):
    dx = np.zeros(dout.shape)
    dx[cache[0]] = dout[cache[0]]
    return dx


def softmax_with_loops(x, y):
    loss, dx, N = 0.0, np.zeros(x.shape), len(x)
    for n in range(N):
        top = x[n].max()
        log_sum = top + np.log(np.sum(np.exp(x[n] - top)))
        loss += (log_sum - x[n, y[n]]) / N
        dx[n] = np.exp(x[n] - log_sum) / N
        dx[n, y[n]] -= 1 / N
    return [np.array(loss), dx]


def sgd_on_copies(w, dw, v, learning_rate=0.01, momentum=0.9):
    w, v = np.array(w), np.array(v)
    v *= momentum
    v -= dw * learning_rate
    w += v
    return [w, v]


def vgg_in_lists(layers, shape=(3, 224, 224)):
    volume = list(shape)
    rows = [["image", volume, math.prod(volume), 0]]
    for name in layers:
        if name == "maxpool":
            volume, parameters = [volume[0], *(n >> 1 for n in volume[1:])], 0
        else:
            kind, width = name.split("-")
            inputs = volume[0] * 9 if kind == "conv" else math.prod(volume)
            parameters = int(width) * inputs + int(width)
            volume = [int(width), *(volume[1:] if kind == "conv" else [])]
        rows.append([name, volume, math.prod(volume), parameters])
    return tuple(rows)


def vgg_of(integer, layers, shape=(3, 224, 224)):
    """The table in integers of NumPy, as np.prod gives them."""
    rows = vgg_in_lists(layers, shape)
    return [
        (name, tuple(map(integer, volume)), integer(values), integer(parameters))
        for name, volume, values, parameters in rows
    ]


OTHERS = {
    "affine_forward": affine_with_loops,
    "affine_backward": affine_back_with_loops,
    "relu_forward": relu_with_a_mask,
    "relu_backward": relu_back_with_a_mask,
    "softmax_loss": softmax_with_loops,
    "sgd_momentum": sgd_on_copies,
    "vgg_shapes": vgg_in_lists,
}


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks(name):
    report = run(name, OTHERS, salt="another")
    assert report.passed, str(report)


@pytest.mark.parametrize("integer", [np.int32, np.uint32, np.int64, np.longlong])
def test_whole_numbers_of_numpy_are_whole_numbers(integer):
    found = run("vgg_shapes", {"vgg_shapes": lambda *args: vgg_of(integer, *args)}, salt="numpy")
    assert found.passed, str(found)


# ------------------------------------------------------------------------------- wrong answers


@cache
def judged(name):
    return checked(ZOO[name], "salt")


BOTH = "(numeric differentiation and torch autograd both say otherwise)"
PAIRS = "[:, y] is every right class in all rows, [np.arange(N), y] one in each"
WORDS = {
    "affine_without_bias": "b is not added",
    "affine_minus_bias": "b is subtracted",
    "affine_by_columns": "walked through from the first to the last",
    "affine_in_memory_order": "with an x that comes from a transpose",
    "affine_channels_last": "do not move its axes",
    "affine_across_the_batch": "reshaped across the N inputs",
    "affine_with_threshold": "a threshold at zero is taken",
    "affine_w_reshaped": "w is reshaped: use it as it is",
    "affine_first_for_all": "all N inputs are taken for the first",
    "affine_divided": "divided by D",
    "affine_reshapes_its_input": "changes its input x",
    "affine_adds_into_b": "changes its input b",
    "affine_float32": "float32",
    "affine_without_cache": "2 results",
    "affine_squeezed": "keep the axes apart",
    "affine_back_dx_flat": "the shape of x",
    "affine_back_dx_by_columns": "in another order than x.reshape(N, -1) took them",
    "affine_back_dw_by_columns": "dw is wrong: x is not flattened in the order",
    "affine_back_in_memory_order": "with an x that comes from a transpose",
    "affine_back_dx_is_x": "`dx = x` is the same array",
    "affine_back_dw_is_w": "`dw = w` is the same array",
    "affine_back_divides_dout": "dout is changed on the way",
    "affine_back_dw_transposed": "it is transposed",
    "affine_back_w_reshaped": f"w is reshaped to (M, D): transpose it {BOTH}",
    "affine_back_db_keeps_an_axis": "keepdims",
    "affine_back_db_not_summed": "summed on the way back",
    "affine_back_db_other_axis": "= (M,)",
    "affine_back_db_mean": f"db is wrong: it is N times too small {BOTH}",
    "affine_back_dw_averaged": f"dw is wrong: it is N times too small {BOTH}",
    "affine_back_dx_averaged": f"dx is wrong: it is N times too small {BOTH}",
    "affine_back_sign": "its sign is wrong",
    "affine_back_ignores_dout": "dout is ignored",
    "affine_back_with_threshold": "affine_forward has no threshold",
    "affine_back_other_order": "the order is dx, dw, db",
    "affine_back_without_db": "3 results",
    "affine_back_first_input_only": "only the first of the N inputs counts",
    "affine_back_writes_into_dout": "changes its input dout",
    "affine_back_transposes_its_cache": "does the first call change something in it?",
    "affine_back_of_the_last_step": "take everything from this call's cache",
    "affine_back_by_the_last_shape": "take everything from this call's cache",
    "affine_back_of_a_wrong_forward": "first mend affine_forward",
    "relu_in_place": "changes its input x",
    "relu_clears_its_input": "changes its input x",
    "relu_leaky": "are negative: max(0, x) has none",
    "relu_absolute": "negative numbers lose their sign",
    "relu_upside_down": "the wrong half is kept",
    "relu_a_step": "only 0 and 1 come out",
    "relu_booleans": "bool: it must be float64",
    "relu_capped": "no upper limit",
    "relu_threshold_at_one": "the threshold is at 1",
    "relu_threshold_near_zero": "with numbers near 1e-9: it is 0 everywhere",
    "relu_softplus": "are positive in out",
    "relu_sigmoid": "are positive in out",
    "relu_float32": "float32",
    "relu_integers": "int64: it must be float64",
    "relu_without_cache": "2 results",
    "relu_flattened": "the shape of x",
    "relu_back_everything": "it passes only where x is positive",
    "relu_back_ignores_dout": "dout is ignored",
    "relu_back_wrong_half": "the other way round",
    "relu_back_of_dout": "dout goes through max(0, .) itself",
    "relu_back_of_both": "a negative gradient passes as well",
    "relu_back_times_out": "multiplied by out",
    "relu_back_times_x": "multiplied by x",
    "relu_back_passes_zero": "x is exactly 0: compare with > 0",
    "relu_back_half_at_zero": "x is exactly 0: compare with > 0",
    "relu_back_threshold_at_a_tenth": "wrong where x is close to 0",
    "relu_back_threshold_near_zero": "wrong where x is close to 0",
    "relu_back_threshold_below_zero": "wrong where x is close to 0",
    "relu_back_leaky": BOTH,
    "relu_back_sign": "its sign is wrong",
    "relu_back_averaged": "N times too small",
    "relu_back_writes_into_dout": "changes its input dout",
    "relu_back_writes_into_its_cache": "does the first call change something in it?",
    "relu_back_out_not_negative": "out is never negative",
    "relu_back_mask_in_the_cache": "changes what lies in the cache (out)",
    "relu_back_in_a_tuple": "a tuple of 1",
    "relu_back_of_the_last_step": "take everything from this call's cache",
    "relu_back_of_a_wrong_forward": "first mend relu_forward",
    "softmax_summed": "it is the sum over the N pictures: divide by N",
    "softmax_by_classes": "the loss is wrong: it is divided by C: divide by N",
    "softmax_by_all_entries": "it is divided by N C: divide by N",
    "softmax_gradient_not_divided": f"dx is wrong: it is not divided by N {BOTH}",
    "softmax_gradient_divided_twice": "divided by N twice",
    "softmax_gradient_without_one": "the softmax alone: is 1 taken off at the right class?",
    "softmax_gradient_one_too_late": "1 is taken off after the division by N",
    "softmax_gradient_in_columns": f"1 is taken off in all rows: {PAIRS}",
    "softmax_gradient_in_columns_not_divided": f"1 is taken off in all rows: {PAIRS} (nor",
    "softmax_gradient_plus_one": "1 is added: is 1 taken off at the right class?",
    "softmax_gradient_one_elsewhere": "rows do not (is 1 taken off at the right class?)",
    "softmax_loss_in_columns": f"too many logarithms count: {PAIRS}",
    "softmax_loss_in_columns_by_rows": f"their sum is divided by N: {PAIRS}",
    "softmax_one_before_the_logarithm": "was 1 taken off p before the logarithm",
    "softmax_gradient_sign": "dx is wrong: its sign is wrong",
    "softmax_overflowing": "subtract each row's largest",
    "softmax_one_maximum_for_all": "subtract each row's largest",
    "softmax_log_with_epsilon": "logarithm of a probability",
    "softmax_log_of_probability": "logarithm of a probability",
    "softmax_over_pictures": "the softmax runs over the N pictures",
    "softmax_over_everything": "the softmax runs over all scores at once",
    "softmax_base_two": "base 2",
    "softmax_sign": "the loss is wrong: its sign is wrong",
    "softmax_of_probability": "it is a mean of probabilities",
    "softmax_log_of_the_mean": "the logarithm is taken of the mean probability",
    "softmax_not_reduced": "reduce it",
    "softmax_writes_into_scores": "changes its input x",
    "softmax_first_picture": "only the first picture counts",
    "softmax_hinge": "hinge loss",
    "softmax_of_all_classes": "pick that of the right one",
    "softmax_guarded_division": "a little off (by 1e-07",
    "softmax_last": "the loss comes first, then dx",
    "softmax_float32_gradient": "dx is float32",
    "sgd_uphill": "the gradient is added",
    "sgd_minus_velocity": "next_v is subtracted",
    "sgd_both_signs": "the gradient is added",
    "sgd_as_in_torch": "as in torch",
    "sgd_dampened": "as in Adam",
    "sgd_nesterov": "Nesterov",
    "sgd_by_the_old_velocity": "it moves by the old v",
    "sgd_without_velocity": "the velocity is not used",
    "sgd_gradient_twice": "subtracted a second time",
    "sgd_rate_ignored": "learning_rate is ignored",
    "sgd_momentum_ignored": "momentum is ignored",
    "sgd_forgets_v": "v is ignored",
    "sgd_momentum_of_both": "momentum multiplies the gradient as well",
    "sgd_rate_of_both": "learning_rate multiplies v as well",
    "sgd_swapped": "the order is next_w, next_v",
    "sgd_own_rates": "the defaults are used, not what is given",
    "sgd_other_default_rate": "without learning_rate",
    "sgd_other_default_momentum": "without momentum",
    "sgd_moves_w_in_place": "changes its input w",
    "sgd_moves_v_in_place": "changes its input v",
    "sgd_remembers_its_velocity": "steps in a row",
    "sgd_float32": "float32",
    "sgd_weights_only": "2 results",
    "vgg_swapped": "H and W are swapped",
    "vgg_channels_last": "the channels come first",
    "vgg_without_padding": "pad 1 makes up",
    "vgg_pool_rounds_up": "dropped, not rounded up",
    "vgg_pool_by_floats": "is / where // is meant?",
    "vgg_pool_square": "W from W",
    "vgg_pool_stride_one": "its stride is 2",
    "vgg_pool_halves_depth": "a pool keeps all slices",
    "vgg_pool_learns": "a pool has no parameters",
    "vgg_pool_costs_five_a_row": "a pool has no parameters",
    "vgg_fully_reads_the_last_pool": "the layer right before it",
    "vgg_without_biases": "the biases are missing: one a filter",
    "vgg_one_bias_a_layer": "each filter has one bias of its own",
    "vgg_biases_of_fully_missing": "the biases are missing: one a neuron",
    "vgg_channels_of_the_image": "those of the layer before, not of the image",
    "vgg_always_three_channels": "use shape",
    "vgg_flat_filters": "a filter reaches through all slices",
    "vgg_filters_of_one_pixel": "nine weights a slice",
    "vgg_weights_not_shared": "the same filter is used at all places",
    "vgg_fully_of_slices": "all numbers of the flattened volume",
    "vgg_fully_keeps_axes": "the volume is flat: (M,)",
    "vgg_fully_a_number": "the volume is flat: (M,)",
    "vgg_fully_not_a_tuple": "expected a tuple",
    "vgg_values_with_padding": "the zeros of the padding are not kept",
    "vgg_values_of_a_slice": "all three axes count",
    "vgg_values_in_bytes": "count values, not bytes",
    "vgg_values_of_what_comes_in": "count what comes out",
    "vgg_sums_so_far": "not the sum up to there",
    "vgg_without_image": "the image's is missing",
    "vgg_image_has_parameters": "an image has no parameters",
    "vgg_names_without_width": "its name is 'conv'",
    "vgg_other_order": "parameters are not among them",
    "vgg_as_dictionary": "expected a list of rows",
    "vgg_empties_the_list": "changes its input layers",
    "vgg_ignores_shape": "use shape",
    "vgg_of_one_bill": "rows come back, not one for the image",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


FALSE_WORDS = {
    "affine_back_db_mean": "written over",
    "affine_back_writes_into_dout": "is wrong",
    "relu_back_averaged": "this call's cache",
    "softmax_one_before_the_logarithm": "large scores overflow",
    "softmax_overflowing": "the same array",
    "softmax_log_of_probability": "the same array",
    "softmax_loss_in_columns": "dx is wrong",
    "affine_by_columns": "b is",
    "affine_first_for_all": "b is",
    "relu_softplus": "the wrong half",
    "softmax_summed": "logarithm of a probability",
    "softmax_by_classes": "logarithm of a probability",
    "softmax_sign": "logarithm of a probability",
    "softmax_base_two": "logarithm of a probability",
    "softmax_gradient_not_divided": "the loss is wrong",
    "sgd_nesterov": "next_v is wrong",
    "sgd_by_the_old_velocity": "next_v is wrong",
    "sgd_both_signs": "next_v is 0",
    "vgg_swapped": "parameters",
    "vgg_without_biases": "output volume",
    "vgg_values_in_bytes": "parameters",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in case.message for case in judged(name).cases)


@pytest.mark.parametrize("name", [name for name in ZOO if name.startswith("vgg_")])
def test_the_words_on_a_table_hold_no_number_of_it(name):
    for case in judged(name).cases:
        ours = "" if " stopped with " in case.message else case.message
        plain = re.sub(r"row \d+ \([^)]*\)|\d+ rows|shape \(\d+,\)|int64", "", ours)
        assert not re.search(r"\d\d", plain), case.message


def test_without_torch_a_wrong_gradient_is_laid_to_numeric_differentiation_alone(no_torch):
    words = [case.message for case in checked(ZOO["affine_back_db_mean"]).cases]
    expected = "db is wrong: it is N times too small (numeric differentiation says otherwise)"
    assert expected in words


@pytest.mark.parametrize("name", BACKWARDS)
def test_a_right_backward_after_a_wrong_forward_gets_nothing_and_is_told_why(name, solved):
    forward = exercises()[name].needs[0]
    wrong = {"affine_forward": "affine_without_bias", "relu_forward": "relu_leaky"}[forward]
    report = run(name, {**solved, forward: ZOO[wrong].function})
    assert report.points == 0
    assert all(case.message.startswith(f"first mend {forward}") for case in report.cases)


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("affine_vectors_only", ["a batch of volumes", "a batch of one", "inputs unchanged"]),
        ("affine_volumes_only", ["each term", "a batch of vectors", "a batch of volumes",
                                 "a batch of one", "inputs unchanged"]),
        ("affine_squeezed", ["a batch of one"]),
        ("relu_two_axes_only", ["a row of five", "volumes", "a batch of one", "inputs unchanged"]),
        ("relu_capped", ["numbers near 1e4"]),
        ("relu_threshold_near_zero", ["numbers near 1e4"]),
        ("affine_in_memory_order", ["inputs unchanged"]),
        ("relu_back_threshold_at_a_tenth", ["numbers that are exactly 0, or close"]),
        ("relu_back_passes_zero", ["numbers that are exactly 0"]),
        ("relu_back_of_the_last_step", ["two steps forward"]),
        ("sgd_two_axes_only", ["steps in a row", "one axis, three and four"]),
        ("sgd_other_default_rate", ["the default learning_rate"]),
        ("softmax_writes_into_scores", ["inputs unchanged"]),
        ("vgg_needs_a_convolution", ["no convolution"]),
    ],
)  # fmt: skip
def test_a_mistake_costs_the_cases_that_ask_about_it_and_no_others(name, titles):
    failed = [case.title for case in checked(ZOO[name]).cases if not case.passed]
    assert len(failed) == len(titles), failed
    assert all(title.startswith(words) for title, words in zip(failed, titles, strict=True))


@pytest.mark.parametrize("column", ["output volume", "values stored", "parameters"])
def test_one_wrong_column_of_the_table_costs_its_own_case_and_those_of_whole_tables(column):
    wrong = {
        "output volume": "vgg_channels_last",
        "values stored": "vgg_values_in_bytes",
        "parameters": "vgg_without_biases",
    }
    passed = {case.title for case in checked(ZOO[wrong[column]]).cases if case.passed}
    titles = {f"other stacks, H and W uneven: {other}" for other in wrong}
    assert passed == titles - {f"other stacks, H and W uneven: {column}"}


def test_gradients_that_are_right_keep_their_points_beside_one_that_is_wrong():
    passed = {
        case.title for case in checked(ZOO["affine_back_db_keeps_an_axis"]).cases if case.passed
    }
    assert passed == {"dx, x (N, D)", "dw, x (N, D)"}


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "three Nones": (None,) * 3,
    "two Nones": (None, None),
    "nested": ([[[]]], {"loss": 1}),
    "NaN": (np.nan, np.full((3, 4), np.nan)),
    "strings": (np.array(["a"]), np.array(["b"])),
    "complex": (1j, np.ones((2, 2), complex)),
    "too many": tuple(range(50)),
    "empty arrays": (np.zeros(0), np.zeros((0, 3))),
    "an array": np.ones((2, 3)),
    "a type": float,
    "rows of Nones": [(None,) * 4] * 22,
    "empty rows": [()] * 22,
    "a row short": [[]] * 21,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk, solved):
    report = run(name, {**solved, name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def zeros_for(name, *args):
    """Zeros of the right shapes: the laziest answer."""
    if name == "affine_forward":
        return np.zeros((len(args[0]), args[1].shape[1])), None
    if name == "affine_backward":
        x, w = args[1][:2]
        return np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    if name == "softmax_loss":
        return 0.0, np.zeros(args[0].shape)
    if name == "vgg_shapes":
        return [("image", (0, 0, 0), 0, 0), *((layer, (0, 0, 0), 0, 0) for layer in args[0])]
    zeros = np.zeros(args[0].shape)
    return zeros if name == "relu_backward" else (zeros, np.zeros(args[0].shape))


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_next_to_nothing(name, solved):
    report = run(name, {**solved, name: lambda *args: zeros_for(name, *args)})
    assert report.points <= 0.2 * report.max_points, str(report)


# ------------------------------------------------------------------------------- the cases


def recorded(name, solved):
    """All arguments with which the solution is called in the public checks that call it."""
    seen = []

    def recording(*args):
        seen.append(args)
        return solved[name](*args)

    for exercise in NAMES:
        if name in (exercise, *exercises()[exercise].needs):
            run(exercise, {**solved, name: recording})
    return seen


@pytest.mark.parametrize("name", ARRAYS)
def test_the_inputs_are_awkward_somewhere(name, solved):
    arrays = [a for args in recorded(name, solved) for a in args if isinstance(a, np.ndarray)]
    assert any(not a.flags.c_contiguous for a in arrays)
    assert any(not a.flags.writeable for a in arrays)
    assert any(stride < 0 for a in arrays for stride in a.strides)


def test_no_two_sizes_of_an_affine_layer_are_equal(solved):
    calls = recorded("affine_forward", solved)
    random = [args for args in calls if np.all(args[0])]
    assert {x.ndim for x, _, _ in random} == {2, 3, 4}
    assert any(len(x) == 1 for x, _, _ in random)
    for x, w, b in random:
        sizes = [*x.shape, len(b), *([len(w)] if x.ndim > 2 else [])]
        assert len(set(sizes)) == len(sizes), sizes


def test_the_flattened_width_is_no_other_size_whatever_is_drawn():
    for seed in range(300):
        x, w, b = affine._draw(np.random.RandomState(seed), 3)
        assert len(w) == x[0].size
        assert len(w) not in (len(x), len(b))


def test_relu_is_asked_of_any_number_of_axes_and_at_its_kink_in_two_cases(solved):
    inputs = [args[0] for args in recorded("relu_forward", solved)]
    assert {x.ndim for x in inputs} == {1, 2, 3, 4}
    for x in inputs:
        assert np.any(x > 0)
        assert np.any(x < 0) or x.size < 3
    with_zero = [x for x in inputs if not np.all(x)]
    assert any(np.any(np.signbit(x[x == 0])) for x in with_zero)
    small = [x[np.abs(x) < 1e-8] for x in with_zero]
    assert all(np.any(x > 0) and np.any(x < 0) for x in small if x.any())


def test_a_numeric_derivative_of_relu_is_never_taken_close_to_its_kink(solved, monkeypatch):
    seen = []
    vjp = Subject.vjp

    def recording(self, args, *rest, **options):
        seen.append(np.abs(args[0]).min())
        return vjp(self, args, *rest, **options)

    monkeypatch.setattr(Subject, "vjp", recording)
    run("relu_backward", solved, salt="kink")
    assert seen
    assert min(seen) > 1e-3


@pytest.mark.parametrize("threshold", [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, -1e-6, -0.1])
def test_a_threshold_that_is_not_at_zero_costs_points(threshold, solved):
    def passing(dout, cache):
        return dout * (cache > threshold) * (cache != 0)

    def kept(x):
        return np.maximum(x, 0), x

    assert run("relu_backward", {"relu_forward": kept, "relu_backward": passing}).points < 1
    assert run("relu_forward", {"relu_forward": lambda x: (x * (x > threshold), x)}).points < 1


@pytest.mark.parametrize(
    ("name", "title", "words"),
    [
        ("affine_back_dx_is_x", "dw, x (N, D)", "x was written over after it went into"),
        ("affine_back_dw_is_w", "dx, x (N, D)", "w was written over after it went into"),
        ("affine_back_divides_dout", "db, x (N, D)", "dout is changed on the way"),
    ],
)
def test_an_array_that_was_written_over_is_named_where_the_gradient_is_wrong(name, title, words):
    report = checked(ZOO[name])
    assert [words in case.message for case in report.cases if case.title == title] == [True]


def test_a_wrong_loss_that_is_no_number_is_laid_to_the_same_array_in_all_cases():
    messages = [case.message for case in judged("softmax_one_before_the_logarithm").cases]
    assert all("`dx = p` both are the same array" in message for message in messages)


def test_scores_have_other_sizes_than_their_batch_and_labels_are_of_two_integer_types(solved):
    calls = recorded("softmax_loss", solved)
    assert {y.dtype for _, y in calls} == {np.dtype("int64"), np.dtype("int32")}
    shapes = {x.shape for x, _ in calls}
    assert any(N == 1 < C for N, C in shapes)
    assert any(C == 1 < N for N, C in shapes)
    assert all(N != C for N, C in shapes if min(N, C) > 3)


def test_every_volume_of_a_drawn_stack_is_told_apart_by_its_axes(solved):
    stacks = [(args[0], args[1]) for args in recorded("vgg_shapes", solved) if len(args) == 2]
    long = [stack for stack in stacks if any(name.startswith("conv") for name in stack[0])]
    assert len(long) >= 6
    odd = []
    for layers, shape in long:
        pooled = [row.before for row in vgg_shapes.table(layers, shape) if row.kind == "maxpool"]
        odd += [axis % 2 for volume in pooled for axis in volume[1:]]
        assert shape[0] != 3
        assert shape[1] != shape[2]
    assert 0.2 < np.mean(odd) < 0.8


# ------------------------------------------------------------------------------- torchvision

VGG13 = "conv-64 conv-64 maxpool conv-128 conv-128 maxpool conv-256 conv-256 maxpool conv-512 "
VGG13 += "conv-512 maxpool conv-512 conv-512 maxpool FC-4096 FC-4096 FC-1000"
VGG16 = VGG13.replace("conv-256 maxpool", "conv-256 conv-256 maxpool")
VGG16 = VGG16.replace("conv-512 maxpool", "conv-512 conv-512 maxpool")


def torchvision_rows(depth):
    """Name, output volume, values and parameters of each layer, seen from hooks."""
    torch = pytest.importorskip("torch")
    try:
        build = getattr(torchvision().models, f"vgg{depth}")
    except ImportError as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    nn, rows = torch.nn, []
    with torch.device("meta"):
        net, image = build(weights=None), torch.empty(1, 3, 224, 224)

    def note(module, _, out):
        width = getattr(module, "out_channels", getattr(module, "out_features", None))
        kind = {nn.Conv2d: "conv", nn.MaxPool2d: "maxpool", nn.Linear: "FC"}[type(module)]
        parameters = sum(parameter.numel() for parameter in module.parameters())
        name = f"{kind}-{width}" if width else kind
        rows.append((name, tuple(out.shape[1:]), out.numel(), parameters))

    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            module.register_forward_hook(note)
    net(image)
    return rows


@pytest.mark.parametrize(
    ("depth", "layers", "parameters"), [(13, VGG13, 133_047_848), (16, VGG16, 138_357_544)]
)
def test_the_solutions_table_is_that_of_torchvision_row_by_row(depth, layers, parameters, solved):
    table = solved["vgg_shapes"](layers.split())
    assert table[0] == ("image", (3, 224, 224), 150_528, 0)
    assert table[1:] == torchvision_rows(depth)
    assert sum(row[3] for row in table) == parameters


def test_vgg_16_stores_about_fifteen_million_values_for_a_picture(solved):
    values = sum(row[2] for row in solved["vgg_shapes"](VGG16.split()))
    assert round(values / 1e6, 1) == 15.2


def test_the_checks_own_table_is_what_torch_makes_of_uneven_stacks():
    torch = pytest.importorskip("torch")
    layers = ["conv-7", "maxpool", "conv-5", "maxpool", "conv-9", "FC-11", "FC-4"]
    shape = (2, 21, 30)
    with torch.device("meta"):
        x, rows = torch.empty(1, *shape), [(shape, 2 * 21 * 30, 0)]
        for name in layers:
            kind, _, width = name.partition("-")
            if kind == "conv":
                layer = torch.nn.Conv2d(x.shape[1], int(width), 3, padding=1)
            elif kind == "maxpool":
                layer = torch.nn.MaxPool2d(2)
            else:
                x = x.flatten(1)
                layer = torch.nn.Linear(x.shape[1], int(width))
            x = layer(x)
            parameters = sum(parameter.numel() for parameter in layer.parameters())
            rows.append((tuple(x.shape[1:]), x.numel(), parameters))
    table = vgg_shapes.table(layers, shape)
    assert [(row.volume, row.values, row.parameters) for row in table] == rows


def test_without_torch_the_checks_own_table_is_the_same(monkeypatch):
    with_torch = vgg_shapes.table(VGG16.split(), (3, 224, 224))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert vgg_shapes.table(VGG16.split(), (3, 224, 224)) == with_torch


def test_a_wrong_formula_is_not_blamed_on_the_defaults():
    found = checked(ZOO["sgd_uphill"])
    (case,) = [case for case in found.cases if case.title.startswith("the default")]
    assert "stub's first line" not in case.message
    assert "the gradient is added" in case.message
