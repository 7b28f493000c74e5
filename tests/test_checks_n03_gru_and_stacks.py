from itertools import pairwise

import numpy as np
import pytest
from judging import judged, run

from autograder.mutants import mutants
from autograder.mutants.n03_gru_and_stacks import _FAULTS, _listing
from autograder.zoo import solution_functions
from cs_caption.checks import exercises

NAMES = [
    "gradient_norms", "gru_step_forward", "gru_step_backward", "stacked_lstm_forward", "fix_lstm",
]  # fmt: skip
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


def passed(report):
    return {case.title for case in report.cases if case.passed}


def recorded(name):
    """All arguments with which the solution is called in the public check."""
    seen, solution = [], solution_functions(name)

    def recording(*args):
        seen.append(args)
        return solution[name](*args)

    run(name, {**solution, name: recording})
    return seen


# ------------------------------------------------------------------------------- right answers


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def norms_by_recursion(dh, h, Wh, activation="tanh"):
    slope = {"tanh": lambda h: 1 - h * h, "relu": np.sign, "linear": np.ones_like}[activation]

    def whole(t):
        if t == h.shape[1]:
            return np.zeros_like(h[:, 0])
        later = whole(t + 1)
        here = dh[:, t] + (
            np.einsum("nk,hk->nh", later * slope(h[:, t + 1]), Wh) if t + 1 < h.shape[1] else 0
        )
        norms.insert(0, np.linalg.norm(here, axis=1))
        return here

    norms = []
    whole(0)
    return np.array(norms).T


def gru_by_products(x, prev_h, Wx, Wh, b):
    H = len(Wh)
    r, z = (
        sigmoid(x @ Wx[:, at] + prev_h @ Wh[:, at] + b[at]) for at in (slice(0, H), slice(H, 2 * H))
    )
    both = np.hstack([x, r * prev_h]) @ np.vstack([Wx, Wh])[:, 2 * H :]
    g = np.tanh(both + b[2 * H :])
    return [g + z * (prev_h - g), {"x": x, "h": prev_h, "W": (Wx, Wh), "r": r, "z": z, "g": g}]


def gru_back_by_products(dnext_h, cache):
    x, h, (Wx, Wh), r, z, g = (cache[name] for name in ("x", "h", "W", "r", "z", "g"))
    Wr, Wz, Wg = np.split(Wh, 3, axis=1)
    dg = dnext_h * (1 - z) * (1 - g * g)
    dz = dnext_h * (h - g) * z * (1 - z)
    reset = dg @ Wg.T
    dr = reset * h * r * (1 - r)
    dx = np.hstack([dr, dz, dg]) @ Wx.T
    dh = dnext_h * z + reset * r + dr @ Wr.T + dz @ Wz.T
    dWx = np.hstack([x.T @ d for d in (dr, dz, dg)])
    dWh = np.hstack([h.T @ dr, h.T @ dz, (h * r).T @ dg])
    return [dx, dh, dWx, dWh, np.hstack([dr, dz, dg]).sum(0)]


def stack_step_by_step(x, h0, c0, layers):
    """All layers of a step before the next step, as a stack is run where it writes."""
    h, c = list(h0), list(c0)
    hs, cs = np.zeros((2, len(h0), *x.shape[:2], h0.shape[2]))
    for t in range(x.shape[1]):
        below = x[:, t]
        for k, (Wx, Wh, b) in enumerate(layers):
            i, f, o, g = np.split(below @ Wx + h[k] @ Wh + b, 4, axis=1)
            c[k] = sigmoid(f) * c[k] + sigmoid(i) * np.tanh(g)
            below = h[k] = sigmoid(o) * np.tanh(c[k])
            hs[k, :, t], cs[k, :, t] = h[k], c[k]
    return [hs, cs]


OTHERS = {
    "gradient_norms": norms_by_recursion,
    "gru_step_forward": gru_by_products,
    "gru_step_backward": gru_back_by_products,
    "stacked_lstm_forward": stack_step_by_step,
    "fix_lstm": _listing,
}


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks(name):
    report = run(name, OTHERS, seed=5)
    assert report.passed, str(report)


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "norms_squared": "the square of the length",
    "norms_wh_not_transposed": "Wh must be transposed",
    "norms_slope_one_early": "at h_t, not at h_{t-1}",
    "norms_slope_one_late": "at h_t, not at h_{t+1}",
    "norms_slope_after_wh": "comes before Wh",
    "norms_without_slope": "derivative of the activation is missing",
    "norms_always_tanh": "tanh's, though the activation is relu",
    "norms_tanh_twice": "takes h itself, the output of tanh",
    "norms_without_square": "square in the derivative of tanh is missing",
    "norms_without_own": "the loss of the step itself is missing",
    "norms_of_own_only": "nothing arrives from the later steps",
    "norms_of_last_loss_only": "only the loss of the last step counts",
    "norms_of_da": "goes into the activation",
    "norms_one_step_on": "one step too late",
    "norms_reversed": "reversed order",
    "norms_over_the_batch": "one for each sequence and step",
    "norms_steps_first": "transposed",
    "norms_relu_not_negative": "is it h >= 0?",
    "norms_slope_of_later_after_wh": "the derivative comes before Wh",
    "norms_largest_entry": "largest entry",
    "norms_sum_of_entries": "absolute values",
    "norms_root_mean_square": "a length is no mean",
    "norms_into_dh": "changes its input dh",
    "norms_with_epsilon": "not exactly 0",
    "gru_z_swapped": "z and 1 - z are swapped",
    "gru_reset_after": "after the product, as in torch's GRUCell",
    "gru_reset_after_with_bias": "after the product and b",
    "gru_without_reset": "r is not used",
    "gru_reset_upside_down": "1 - r in the place of r",
    "gru_reset_of_the_sum": "r multiplies the whole sum",
    "gru_z_first": "where the block of r is large it is",
    "gru_g_first": "where the block of g is large it is",
    "gru_r_last": "where the block of r is large it is",
    "gru_g_is_a_sigmoid": "that is a sigmoid, and g is a tanh",
    "gru_g_is_linear": "tanh of g missing",
    "gru_r_is_a_tanh": "r leaves (0, 1)",
    "gru_z_is_a_tanh": "z is a sigmoid, not a tanh",
    "gru_g_times_z": "nothing of g arrives",
    "gru_clipped": "nothing is clipped here",
    "gru_into_a_buffer": "next_h of the first call is written over",
    "gru_kept_whole": "prev_h is kept whole",
    "gru_without_bias": "is b added?",
    "gru_two_biases": "b is added twice",
    "gru_g_without_bias": "for g makes no difference",
    "gru_overflowing": "overflow",
    "gru_in_place": "changes its input prev_h",
    "gru_without_cache": "2 results",
    "gru_back_without_slopes": "all three derivatives are missing",
    "gru_back_r_without_slope": "in the columns of r, is wrong: the derivative of the reset gate r",
    "gru_back_z_without_slope": "in the columns of z, is wrong: the derivative of the gate z",
    "gru_back_g_as_sigmoid": "g is a sigmoid's: g is a tanh",
    "gru_back_z_only_by_prev_h": "through z g is missing",
    "gru_back_z_only_by_g": "through z prev_h is missing",
    "gru_back_z_sign": "through z the sign is turned",
    "gru_back_g_gets_z": "the factor is z: it is 1 - z",
    "gru_back_g_gets_all": "the factor 1 - z is missing",
    "gru_back_without_r": "nothing comes back through r",
    "gru_back_r_without_prev_h": "through r the factor prev_h is missing",
    "gru_back_without_z_way": "by z * prev_h is missing",
    "gru_back_without_kept_way": "by r * prev_h is missing",
    "gru_back_kept_way_without_r": "the factor r is missing",
    "gru_back_without_gates_way": "dprev_h is wrong",
    "gru_back_dwh_by_prev_h": "r * prev_h belongs, not prev_h itself",
    "gru_back_blocks_swapped": "dWh is wrong: the blocks of r and z are swapped",
    "gru_back_da_in_other_order": "dx is wrong: the blocks of r and z are swapped",
    "gru_back_da_clipped": "is something clipped?",
    "gru_back_wg_not_transposed": "dprev_h is wrong: Wh of g must be transposed",
    "gru_back_r_half_a_slope": "one of its two factors is missing: r",
    "gru_back_kept_way_twice": "by r * prev_h counts twice",
    "gru_back_kept_way_whole_as_well": "with the factor r and without",
    "gru_back_of_torchs": "dprev_h is wrong: it is that of a reset after the product",
    "gru_back_into_buffers": "dx of the first call is written over",
    "gru_back_db_mean": "N times too small",
    "gru_back_other_order": "the order is",
    "gru_back_in_place": "changes its input dnext_h",
    "gru_back_first_row_only": "only the first of the N sequences counts",
    "gru_back_of_the_last_step": "two steps forward",
    "gru_back_of_a_wrong_forward": "first mend gru_step_forward",
    "stack_top_weights_repeated": "second layer's weights are used in all",
    "stack_h0_of_the_lowest": "h0 of the lowest layer is used in all",
    "stack_c0_of_the_lowest": "c0 of the lowest layer is used in all",
    "stack_starts_ignored": "h0 and c0 are ignored",
    "stack_upper_starts_ignored": "in the second layer, and right in the lowest",
    "stack_starts_swapped": "h0 and c0 are swapped",
    "stack_starts_reversed": "from the last to the first",
    "stack_c_goes_up": "c goes up to the next layer",
    "stack_a_step_behind": "the state of the step before",
    "stack_last_state_goes_up": "the last state of the layer below",
    "stack_residual": "is added to what goes up",
    "stack_upside_down": "the lowest is first",
    "stack_top_only": "that is one layer",
    "stack_last_step_only": "that is one step",
    "stack_c_first": "h comes first",
    "stack_steps_first": "two axes are swapped",
    "stack_empties_the_list": "changes its input layers",
    "stack_all_read_x": "x goes into every layer",
    "stack_from_the_top": "weights are taken from the last layer to the first",
    "stack_one_layer_for_all": "weights of the lowest layer are used in all",
    "stack_into_buffers": "h of the first call is written over",
    "stack_start_handed_up": "the end of the one below",
    "listing_sigmoid_slope": "in the columns of g, is wrong",
    "listing_new_c": "in the columns of f, is wrong",
    "listing_dc_lost": "dc0 is wrong: it is 0 everywhere",
    "listing_averaged": "T times too small",
    "listing_starts_swapped": "it is dh0",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_the_bug_hunt_names_results_gates_and_steps_but_never_the_fault():
    left = {name for name, mutant in ZOO.items() if mutant.exercise == "fix_lstm"}
    told = " ".join(
        c.message for name in left for c in judged(name).cases if "shape" not in c.message
    )
    assert not any(word in told for word in ("sigmoid", "tanh", "slope", "derivative of g", "old"))


@pytest.mark.parametrize(
    ("name", "never"),
    [
        ("gru_z_is_a_tanh", "tanh is missing"),
        ("gru_g_times_z", "that is a sigmoid"),
        ("gru_g_times_z", "is b added"),
    ],
)
def test_a_gate_that_is_right_is_not_blamed_for_another(name, never):
    assert not any(never in case.message for case in judged(name).cases if not case.passed)


def test_no_title_of_the_hunt_names_a_gate_or_a_start_of_zero():
    titles = " ".join(case.title for case in exercises()["fix_lstm"].cases)
    assert not any(word in titles for word in (" f ", " g ", " o ", "c0 =", "= 0", "Wh are"))


def test_z_and_one_minus_z_swapped_costs_no_points_for_the_candidate():
    assert "g alone, and the reset gate r in it" in passed(judged("gru_z_swapped"))


def test_a_reset_after_the_product_costs_no_points_for_z():
    assert "z alone: how much of prev_h is kept" in passed(judged("gru_reset_after"))


@pytest.mark.parametrize(
    ("name", "gate"), [("gru_back_r_without_slope", "r"), ("gru_back_z_without_slope", "z")]
)
def test_a_wrong_gate_costs_its_own_columns_and_not_those_of_the_others(name, gate):
    titles = {other: f"dWx, dWh, db: the columns of {other}" for other in "rzg"}
    found = passed(judged(name))
    assert {other for other, title in titles.items() if title not in found} == {gate}


# ------------------------------------------------------------------------------- the bug hunt


def listing(*mended):
    left = tuple(fault for fault in _FAULTS if fault not in mended)
    return lambda *args: _listing(*args, left=left)


def points(function):
    return run("fix_lstm", {"fix_lstm": function}).points


def test_the_listing_as_it_is_gets_nothing():
    assert points(listing()) == 0


@pytest.mark.parametrize("fault", _FAULTS)
def test_each_fault_that_is_mended_earns_points_though_the_other_four_are_left(fault):
    assert points(listing(fault)) > 0


def test_the_faults_earn_more_and_more_in_whatever_order_they_are_mended():
    for order in (_FAULTS, _FAULTS[::-1]):
        earned = [points(listing(*order[:count])) for count in range(len(order) + 1)]
        assert all(before < after for before, after in pairwise(earned)), earned
        assert earned[-1] == exercises()["fix_lstm"].points


def test_no_case_of_the_hunt_is_passed_by_the_listing_and_lost_by_a_mended_one():
    before = passed(run("fix_lstm", {"fix_lstm": listing(*_FAULTS[:3])}))
    for fault in _FAULTS[3:]:
        assert before <= passed(run("fix_lstm", {"fix_lstm": listing(*_FAULTS[:3], fault)}))


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "seven Nones": (None,) * 7,
    "five Nones": (None,) * 5,
    "two Nones": (None, None),
    "NaN": (np.nan, np.full((3, 4), np.nan)),
    "strings": (np.array(["a"]), np.array(["b"])),
    "empty arrays": (np.zeros(0), np.zeros((0, 3))),
    "a type": float,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {**solution_functions(name), name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def zeros_shaped_like(name, *args):
    if name == "gradient_norms":
        return np.zeros(args[1].shape[:2])
    if name == "gru_step_forward":
        return np.zeros_like(args[1]), args
    if name == "stacked_lstm_forward":
        shape = (*args[1].shape[:2], args[0].shape[1], args[1].shape[2])
        return np.zeros(shape), np.zeros(shape)
    if name == "fix_lstm":
        return np.zeros_like(args[-1]), *map(np.zeros_like, args[:-1])
    x, prev_h, Wx, Wh, *_ = args[1]
    return *map(np.zeros_like, (x, prev_h, Wx, Wh)), np.zeros(Wh.shape[1])


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_nothing(name):
    functions = {**solution_functions(name), name: lambda *args: zeros_shaped_like(name, *args)}
    assert run(name, functions).points == 0


# ------------------------------------------------------------------------------- the cases


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gru_step_backward"])
def test_the_inputs_are_awkward_somewhere(name):
    arrays = [a for args in recorded(name) for a in args if isinstance(a, np.ndarray)]
    assert any(not a.flags.c_contiguous for a in arrays)
    assert any(not a.flags.writeable for a in arrays)
    assert any(stride < 0 for a in arrays for stride in a.strides)


def test_the_states_of_gradient_norms_are_those_of_a_run_and_no_tanh_is_saturated():
    for _dh, h, Wh, *activation in recorded("gradient_norms"):
        N, T, H = h.shape
        assert len({N, T, H}) == 3
        assert not np.array_equal(Wh, Wh.T)
        if activation in ([], ["tanh"]):
            assert np.abs(h).max() < 0.9999
        if activation == ["relu"]:
            assert h.min() == 0 < h.max()


def test_gradient_norms_has_losses_at_every_step_at_the_last_only_and_ragged_ones():
    losses = [np.any(args[0], axis=-1) for args in recorded("gradient_norms")]
    assert any(each.all() for each in losses)
    assert any(each[:, -1].all() and not each[:, :-1].any() for each in losses)
    assert any(len(set(each.sum(axis=1))) > 1 for each in losses)
    assert {1} <= {len(each) for each in losses}
    assert {1} <= {each.shape[1] for each in losses}


def test_no_two_sizes_of_a_stack_are_equal_and_there_are_stacks_of_one_three_and_four():
    seen = recorded("stacked_lstm_forward")
    assert {len(args[1]) for args in seen} == {1, 3, 4}
    for x, h0, c0, layers in seen:
        assert len({len(x), x.shape[2], h0.shape[2]}) == 3
        assert h0.all()
        assert c0.all()
        assert not any(np.array_equal(Wh, layers[0][1]) for _, Wh, _ in layers[1:])


def test_the_bug_hunt_has_single_steps_single_sequences_and_more_steps_than_units():
    shapes = [args[-1].shape for args in recorded("fix_lstm")]  # (N, T, H)
    assert any(T == 1 < N for N, T, _ in shapes)
    assert any(N == 1 for N, _, _ in shapes)
    assert any(T > H for _, T, H in shapes)
    assert any(1 < T < H for _, T, H in shapes)


def test_no_gate_of_a_gru_is_saturated_but_where_it_is_pinned():
    plain = [args for args in recorded("gru_step_forward") if np.abs(args[4]).max() < 1]
    assert len(plain) >= 3
    for x, prev_h, Wx, Wh, b in plain:
        assert len({*x.shape, prev_h.shape[1]}) == 3
        assert np.abs(x @ Wx + prev_h @ Wh + b).max() < 8
