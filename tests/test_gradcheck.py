import builtins
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_caption.gradcheck import check_gradients, numerical_gradient


def draw(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape)


def affine(x, w, b):
    return x @ w + b


def affine_case():
    x, w, b, dout = draw(3, 4), draw(4, 5, seed=1), draw(5, seed=2), draw(3, 5, seed=3)
    return (x, w, b), (dout @ w.T, x.T @ dout, dout.sum(0)), dout


def cubes(x):
    return np.sum(x**3)


# ------------------------------------------------------------------------------- what agrees


def test_the_numeric_gradient_of_a_cube_is_three_times_the_square():
    x = draw(2, 3)
    np.testing.assert_allclose(numerical_gradient(cubes, x), 3 * x**2, rtol=1e-8, atol=1e-9)


def test_with_dout_the_numeric_gradient_is_that_of_the_weighted_sum():
    x, dout = draw(2, 3), draw(2, 3, seed=1)
    found = numerical_gradient(np.sin, x, dout)
    np.testing.assert_allclose(found, dout * np.cos(x), atol=1e-9)


def test_a_right_gradient_passes_with_an_error_below_the_tolerance_in_every_leaf():
    inputs, grads, dout = affine_case()
    report = check_gradients(affine, inputs, grads, dout)
    assert report.passed
    assert [row.leaf for row in report.rows] == ["[0]", "[1]", "[2]"]
    assert [row.checked for row in report.rows] == [12, 20, 5]
    assert all(row.max_error < 1e-7 and row.verdict == "agrees" for row in report.rows)


def test_any_nesting_is_followed_and_each_leaf_has_a_name():
    params = {"layers": [{"W": draw(2, 3), "b": draw(3)}, (draw(4),)], "scale": np.array(1.5)}

    def f(p):
        first = np.tanh(p["layers"][0]["W"] + p["layers"][0]["b"]).sum()
        return p["scale"] * first + (p["layers"][1][0] ** 2).sum()

    numeric = numerical_gradient(f, params)
    assert numeric["layers"][1][0] == pytest.approx(2 * params["layers"][1][0])
    report = check_gradients(f, params, numeric)
    assert [row.leaf for row in report.rows] == [
        "layers[0].W",
        "layers[0].b",
        "layers[1][0]",
        "scale",
    ]
    assert report.passed


def test_f_may_return_a_structure_where_dout_is_one():
    x = draw(3)
    dout = {"a": draw(3, seed=1), "rest": (draw(3, seed=2), 0.5)}
    found = numerical_gradient(lambda x: {"a": 2 * x, "rest": [x**2, x[0]]}, x, dout)
    expected = 2 * dout["a"] + 2 * x * dout["rest"][0] + np.array([0.5, 0, 0])
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda x, w: np.sum(x * w), (draw(3), draw(3, seed=1))),
        (lambda *both: np.sum(both[0] * both[1]), (draw(3), draw(3, seed=1))),
        (lambda both: np.sum(both[0] * both[1]), (draw(3), draw(3, seed=1))),
        (lambda both: np.sum(both[0] * both[1]), [draw(3), draw(3, seed=1)]),
        (lambda both: np.sum(both["x"] * both["w"]), {"x": draw(3), "w": draw(3, seed=1)}),
        (lambda x, w: np.sum(x * w), {"x": draw(3), "w": draw(3, seed=1)}),
    ],
)
def test_a_tuple_is_spread_over_the_arguments_where_f_takes_them(f, inputs):
    found = numerical_gradient(f, inputs)
    first, second = found.values() if isinstance(found, dict) else found
    np.testing.assert_allclose(first, draw(3, seed=1), atol=1e-9)
    np.testing.assert_allclose(second, draw(3), atol=1e-9)


def test_an_f_that_fits_the_inputs_in_no_way_is_refused():
    with pytest.raises(TypeError, match="wrap it"):
        numerical_gradient(lambda a, b, c: 0.0, (draw(2), draw(2)))


def test_torch_tensors_agree_with_autograd_and_give_tensors_back():
    torch.manual_seed(0)
    p = {n: torch.randn(3, 3, dtype=torch.float64, requires_grad=True) for n in "ab"}

    def f(p):
        return (torch.sin(p["a"]) @ p["b"]).sum()

    f(p).backward()
    report = check_gradients(f, p, {name: tensor.grad for name, tensor in p.items()})
    assert report.passed
    numeric = numerical_gradient(f, p)
    assert isinstance(numeric["a"], torch.Tensor)
    assert torch.allclose(numeric["a"], p["a"].grad, atol=1e-8)


def test_a_tensor_that_is_not_contiguous_is_really_moved():
    x = torch.randn(3, 4, dtype=torch.float64).T
    numeric = numerical_gradient(lambda t: (t**2).sum(), x)
    assert torch.allclose(numeric, 2 * x, atol=1e-8)
    expanded = torch.randn(1, 3, dtype=torch.float64).expand(4, 3)
    numeric = numerical_gradient(lambda t: (t**2).sum(), expanded)
    assert torch.allclose(numeric, 2 * expanded, atol=1e-8)


def test_a_plain_float_has_a_plain_float_as_its_gradient():
    found = numerical_gradient(lambda v: v**2, 3.0)
    assert type(found) is float
    assert found == pytest.approx(6)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4, 1e8])
def test_the_step_grows_with_the_input(size):
    x = size * draw(5)
    row = check_gradients(cubes, x, 3 * x**2).rows[0]
    assert row.verdict.startswith("agrees")
    assert row.kinks == 0
    assert not check_gradients(cubes, x, 3.01 * x**2).passed
    np.testing.assert_allclose(numerical_gradient(cubes, x), 3 * x**2, rtol=1e-6, atol=1e-9)


def test_a_large_term_that_does_not_change_leaves_no_rounding_error():
    x, dout = draw(4), np.ones(5)
    f = lambda x: np.r_[x**2, 1e9]  # noqa: E731
    np.testing.assert_allclose(numerical_gradient(f, x, dout), 2 * x, atol=1e-8)


def test_near_the_edge_of_its_domain_f_is_asked_closer_by():
    x = np.array([1e-7, 1e-9, 2.0])
    with np.errstate(all="raise"):
        found = numerical_gradient(np.log, x, np.ones(3))
    np.testing.assert_allclose(found, 1 / x, rtol=1e-5)


def test_empty_arrays_have_empty_gradients_and_agree():
    x = np.zeros((0, 3))
    assert numerical_gradient(lambda x: np.sum(x), x).shape == (0, 3)
    report = check_gradients(lambda x: np.sum(x), x, x.copy())
    assert report.passed
    assert report.rows[0].verdict == "empty"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=0, max_size=3), st.integers(0, 2**31 - 1))
def test_whatever_the_shape_the_gradient_of_a_weighted_sum_is_its_weights(shape, seed):
    rng = np.random.RandomState(seed)
    x, weights = rng.standard_normal(shape), rng.standard_normal(shape)
    found = numerical_gradient(lambda x: np.sum(x * weights), np.asarray(x))
    np.testing.assert_allclose(found, weights, atol=1e-8)


# ------------------------------------------------------------------------------- layouts in memory


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T,
        lambda a: a[::2, ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: np.broadcast_to(a[:1], a.shape),
        lambda a: np.lib.stride_tricks.as_strided(a, (4, 4), (0, 8)),
    ],
)
def test_views_give_the_gradient_of_their_own_entries(view):
    x = view(draw(4, 4))
    np.testing.assert_allclose(numerical_gradient(cubes, x), 3 * x**2, atol=1e-8)


def test_read_only_inputs_are_differentiated_and_stay_as_they_are():
    x = draw(3)
    x.flags.writeable = False
    np.testing.assert_allclose(numerical_gradient(cubes, x), 3 * x**2, atol=1e-8)


def test_the_same_array_passed_twice_counts_as_two_inputs():
    x = draw(3)
    found = numerical_gradient(lambda a, b: np.sum(a * 2 + b * 5), (x, x))
    np.testing.assert_allclose(found[0], [2, 2, 2])
    np.testing.assert_allclose(found[1], [5, 5, 5])


def test_an_f_that_reads_the_array_from_its_surroundings_is_differentiated_too():
    w = draw(3)
    np.testing.assert_allclose(numerical_gradient(lambda _: cubes(w), w), 3 * w**2, atol=1e-8)


def test_an_f_that_hands_back_its_input_is_the_identity():
    x, dout = draw(3), draw(3, seed=1)
    np.testing.assert_allclose(numerical_gradient(lambda x: x, x, dout), dout, atol=1e-9)


def test_the_inputs_are_bit_for_bit_what_they_were():
    x = draw(3, 4)[:, ::2]
    before = x.copy()
    numerical_gradient(cubes, x)
    check_gradients(cubes, x, 3 * x**2)
    assert x.tobytes() == before.tobytes()


def test_an_interrupt_leaves_the_inputs_as_they_were():
    x, calls = draw(3), []
    before = x.copy()

    def f(x):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return cubes(x)

    with pytest.raises(KeyboardInterrupt):
        numerical_gradient(f, x)
    assert np.array_equal(x, before)


# ------------------------------------------------------------------------------- what differs


def test_the_worst_entry_is_named_with_both_values():
    x = draw(3, 4)
    wrong = 3 * x**2
    wrong[1, 2] += 0.5
    row = check_gradients(cubes, x, wrong).rows[0]
    assert not row.passed
    assert row.worst == (1, 2)
    assert row.analytic == wrong[1, 2]
    assert row.numeric == pytest.approx(3 * x[1, 2] ** 2)
    assert row.verdict.startswith("1 of 12 differ")


@pytest.mark.parametrize(
    ("factor", "words"),
    [(0, "0 everywhere"), (-1, "-1 times"), (3, "3 times"), (0.25, "0.25 times")],
)
def test_one_factor_everywhere_is_said_so(factor, words):
    x = draw(3, 4)
    row = check_gradients(cubes, x, factor * 3 * x**2).rows[0]
    assert words in row.verdict


def test_a_small_entry_beside_large_ones_is_still_compared_on_its_own_scale():
    x, ones = np.array([1e3, 1e-2]), np.ones(2)
    right = 3 * x**2
    assert check_gradients(lambda x: x**3, x, right, ones).passed
    assert not check_gradients(lambda x: x**3, x, right * [1, 1.0001], ones).passed


def test_an_entry_too_small_to_be_seen_beside_f_is_said_to_be_so():
    x = np.array([1e3, 1e-2])
    row = check_gradients(cubes, x, 3 * x**2).rows[0]
    assert row.verdict == "agrees; 1 too small beside f to be seen in float64"


def test_only_the_leaves_that_differ_fail():
    inputs, (dx, dw, db), dout = affine_case()
    report = check_gradients(affine, inputs, (dx, dw, db / 3), dout)
    assert [row.passed for row in report.rows] == [True, True, False]
    assert "differs in [2]" in str(report)


def test_large_leaves_are_sampled_and_still_caught_where_the_sample_does_not_look():
    x = draw(80, 90)
    right = 3 * x**2
    report = check_gradients(cubes, x, right)
    assert report.passed
    assert report.rows[0].checked == 100
    assert "7100 entries not looked at" in report.rows[0].verdict
    wrong = right.copy()
    wrong[np.abs(right) < np.median(right)] += 0.05
    assert not check_gradients(cubes, x, wrong, max_entries=2).passed
    wrong = right.copy()
    small = np.unravel_index(np.argmin(np.abs(right)), right.shape)
    wrong[small] += 5
    row = check_gradients(cubes, x, wrong, max_entries=4).rows[0]
    assert not row.passed


def test_in_a_word_table_the_few_rows_with_a_gradient_are_looked_at():
    table, ids = draw(2000, 3), np.array([7, 7, 1500])
    gradient = np.zeros_like(table)
    gradient[ids] = 1.0  # `=` where `np.add.at` is needed: row 7 was used twice
    report = check_gradients(lambda w: np.sum(w[ids]), table, gradient)
    assert not report.passed
    assert report.rows[0].worst[0] == 7


def test_the_same_seed_looks_at_the_same_entries():
    x = draw(40, 40)
    first, second, other = (
        check_gradients(cubes, x, 3 * x**2, seed=seed).rows for seed in (0, 0, 1)
    )
    assert first == second
    assert first != other


# ------------------------------------------------------------------------------- kinks


def relu(x):
    return np.sum(np.maximum(x, 0))


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_at_a_kink_either_slope_is_right_and_is_said_so(slope):
    x = np.array([0.0, 1.0, -1.0])
    report = check_gradients(relu, x, np.array([slope, 1.0, 0.0]))
    assert report.passed
    if slope != 0.5:
        assert report.rows[0].kinks == 1
        assert "1 at a kink" in report.rows[0].verdict


@pytest.mark.parametrize("slope", [-0.5, 1.5, 2.0])
def test_at_a_kink_a_slope_of_neither_side_is_wrong(slope):
    assert not check_gradients(relu, np.array([0.0]), np.array([slope])).passed


@pytest.mark.parametrize("beside", [1e-7, 1e-6, 2e-6, 3e-6, 5e-6])
@pytest.mark.parametrize("side", [-1, 1])
def test_beside_a_kink_the_right_slope_is_not_called_wrong_and_the_other_one_is(beside, side):
    x = np.array([side * beside])
    right, other = np.array([float(side > 0)]), np.array([float(side < 0)])
    report = check_gradients(relu, x, right)
    assert report.passed
    assert report.rows[0].kinks == 1
    assert not check_gradients(relu, x, other).passed


def test_a_steep_curve_is_no_kink_and_no_excuse():
    x = np.array([0.3, 0.5])
    f = lambda x: np.sum(np.exp(30 * x))  # noqa: E731
    right = 30 * np.exp(30 * x)
    assert check_gradients(f, x, right).rows[0].verdict == "agrees"
    assert not check_gradients(f, x, right * 1.0001).passed


# ------------------------------------------------------------------------------- refused


@pytest.mark.parametrize("dtype", [int, np.int8, np.uint8, bool])
def test_whole_numbers_and_truth_values_are_refused(dtype):
    with pytest.raises(TypeError, match="whole numbers"):
        numerical_gradient(cubes, np.ones(3, dtype))


@pytest.mark.parametrize("x", [np.ones(3, np.float32), np.ones(3, np.float16), torch.ones(3)])
def test_float32_is_refused_and_why_is_said(x):
    with pytest.raises(TypeError, match=r"float64 for the check"):
        numerical_gradient(lambda x: x.sum(), x)
    with pytest.raises(TypeError, match=r"inputs w is"):
        check_gradients(lambda p: p["w"].sum(), {"w": x}, {"w": np.ones(3)})


@pytest.mark.parametrize("x", [None, "text", 3, np.ones(2, complex), np.array(["a"]), object()])
def test_other_things_than_float64_are_refused(x):
    with pytest.raises(TypeError, match="inputs is"):
        numerical_gradient(lambda x: 0.0, x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinities_are_refused_with_their_place(bad):
    x = draw(2, 3)
    x[1, 2] = bad
    with pytest.raises(ValueError, match=r"inputs holds -?(nan|inf) at index \(1, 2\)"):
        numerical_gradient(cubes, x)
    with pytest.raises(ValueError, match=r"grads holds .* at index \(1, 2\)"):
        check_gradients(cubes, draw(2, 3), x)
    with pytest.raises(ValueError, match="result of f holds"):
        numerical_gradient(lambda _: float(bad), draw(2))
    with pytest.raises(ValueError, match="dout holds"):
        numerical_gradient(lambda _: x, draw(2), x)


def test_an_f_that_is_finite_at_one_point_alone_is_refused():
    f = lambda x: np.where(x == 1.0, 0.0, np.inf).sum()  # noqa: E731
    with pytest.raises(ValueError, match="not within"):
        numerical_gradient(f, np.ones(1))


@pytest.mark.parametrize(
    ("shape", "words"),
    [((1, 5), "keepdims"), ((3, 5), "summed in the backward"), ((6,), "expected")],
)
def test_a_gradient_of_another_shape_is_refused_by_name(shape, words):
    inputs, (dx, dw, _), dout = affine_case()
    named = dict(zip(("x", "w", "b"), inputs, strict=True))
    grads = {"x": dx, "w": dw, "b": np.ones(shape)}
    with pytest.raises(ValueError, match=words) as caught:
        check_gradients(affine, named, grads, dout)
    assert "grads b has shape" in str(caught.value)
    assert "(5,)" in str(caught.value)


def test_a_transposed_gradient_is_refused_by_its_shape():
    with pytest.raises(ValueError, match="transposed"):
        check_gradients(cubes, draw(2, 3), draw(3, 2))


def test_missing_and_extra_entries_are_named():
    inputs = {"w": draw(2), "b": draw(2)}
    with pytest.raises(ValueError, match=r"missing \['b'\], extra \['c'\]"):
        check_gradients(lambda p: 0.0, inputs, {"w": draw(2), "c": draw(2)})
    with pytest.raises(ValueError, match="has 1 entries, expected 2"):
        check_gradients(lambda p: 0.0, [draw(2), draw(2)], [draw(2)])
    with pytest.raises(ValueError, match="expected a dict"):
        check_gradients(lambda p: 0.0, inputs, [draw(2), draw(2)])
    with pytest.raises(ValueError, match="one array is expected"):
        check_gradients(cubes, draw(2), {"x": draw(2)})


def test_dicts_are_compared_by_key_and_not_by_order():
    inputs, grads = (
        {"a": draw(3), "b": draw(3, seed=1)},
        {"b": np.full(3, 5.0), "a": np.full(3, 2.0)},
    )
    dout = {"s": np.ones(3), "t": np.zeros(3)}
    assert check_gradients(lambda p: np.sum(2 * p["a"] + 5 * p["b"]), inputs, grads).passed
    found = numerical_gradient(lambda p: {"t": p["b"], "s": p["a"]}, inputs, dout)
    np.testing.assert_allclose(found["a"], 1)
    np.testing.assert_allclose(found["b"], 0, atol=1e-9)


def test_gradients_of_another_dtype_are_refused():
    with pytest.raises(TypeError, match="grads is"):
        check_gradients(cubes, draw(2), np.ones(2, np.float32))


def test_nothing_to_differentiate_is_refused():
    with pytest.raises(ValueError, match="nothing to differentiate"):
        check_gradients(lambda p: 0.0, {}, {})


@pytest.mark.parametrize("read_only", [False, True])
def test_an_f_that_changes_its_input_is_refused_and_the_input_put_back(read_only):
    x = draw(3)
    x.flags.writeable = not read_only
    before = x.copy()

    def f(x):
        x *= 1.5
        return cubes(x)

    with pytest.raises(ValueError, match="changed its input"):
        numerical_gradient(f, x)
    assert np.array_equal(x, before)


def test_an_f_that_changes_another_input_later_on_is_refused_too():
    w, b, calls = draw(3), draw(3, seed=1), []
    before = b.copy()

    def f(p):
        calls.append(1)
        if len(calls) == 5:
            p["b"][1] = 7
        return np.sum(p["w"] * p["b"])

    with pytest.raises(ValueError, match="changed its input b"):
        numerical_gradient(f, {"w": w, "b": b})
    assert np.array_equal(b, before)


def test_an_f_with_chance_in_it_is_refused():
    rng = np.random.RandomState(0)
    with pytest.raises(ValueError, match="not deterministic"):
        numerical_gradient(lambda x: np.sum(x * rng.rand(3)), draw(3))


@pytest.mark.parametrize(
    ("result", "error", "words"),
    [
        (None, TypeError, "return"),
        ("loss", TypeError, "str"),
        (np.float32(1), TypeError, "float32"),
        (3, TypeError, "int"),
        (np.ones((2, 3)), ValueError, "give dout"),
        ((1.0, "cache"), ValueError, "tuple of 2"),
        ([], ValueError, "list of 0"),
    ],
)
def test_an_f_that_returns_something_else_than_one_number_is_refused(result, error, words):
    with pytest.raises(error, match=words):
        numerical_gradient(lambda x: result, draw(2))


def test_an_f_whose_result_does_not_fit_dout_is_refused():
    with pytest.raises(ValueError, match="dout must have the shape"):
        numerical_gradient(lambda x: x, draw(3), draw(4))
    with pytest.raises(ValueError, match="one array is expected"):
        numerical_gradient(lambda x: (x, "cache"), draw(3), draw(3))
    with pytest.raises(TypeError, match="is its `return` line missing"):
        numerical_gradient(lambda x: None, draw(3), draw(3))
    with pytest.raises(TypeError, match="dout is"):
        numerical_gradient(lambda x: x, draw(3), np.ones(3, np.float32))


# ------------------------------------------------------------------------------- the report


def test_the_table_has_a_row_for_each_leaf_and_says_what_is_in_its_columns():
    inputs, grads, dout = affine_case()
    report = check_gradients(affine, inputs, grads, dout)
    lines = str(report).splitlines()
    assert "agrees" in lines[0]
    assert lines[1].split()[:2] == ["array", "shape"]
    assert [line.split()[0] for line in lines[3:]] == ["[0]", "[1]", "[2]"]
    assert repr(report) == str(report)


def test_in_a_notebook_the_table_can_be_read_aloud():
    x = draw(2)
    html = check_gradients(lambda p: cubes(p["<w>"]), {"<w>": x}, {"<w>": x})._repr_html_()
    assert html.count("<caption") == 1
    assert html.count('<th scope="col"') == 8
    assert html.count('<th scope="row"') == 1
    assert "&lt;w&gt;" in html
    assert "<w>" not in html


def test_it_works_where_torch_is_not_installed():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from cs_caption.gradcheck import check_gradients\n"
        "x = np.ones(3)\n"
        "assert check_gradients(lambda x: (x**2).sum(), x, 2 * x).passed\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_it_does_not_import_torch():
    program = "import sys, cs_caption.gradcheck; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_function_without_a_signature_can_be_differentiated():
    assert numerical_gradient(builtins.sum, [np.array(1.0), np.array(2.0)]) == [
        pytest.approx(1),
        pytest.approx(1),
    ]
