from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from judging import judged, run

from autograder.mutants import mutants
from autograder.zoo import checked, functions_of, solution_functions
from cs_caption.checks import exercises
from cs_caption.checks.exercise import run_exercise
from cs_caption.checks.subject import LocalSubject

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "solutions" / "03_lstm_gates" / "03_lstm_gates.py"
NAMES = ["lstm_step_forward", "lstm_step_backward", "lstm_forward", "lstm_backward", "lstm_init"]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


@pytest.fixture(scope="module")
def solved():
    return {name: functions_of(SOLUTION)[name] for name in NAMES}


def failed(report):
    return [case for case in report.cases if not case.passed]


# ------------------------------------------------------------------------------- right answers


def sigmoid_by_cases(a):
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1 / (1 + small), small / (1 + small))


def step_with_a_dict(x, prev_h, prev_c, Wx, Wh, b):
    a = np.hstack([x, prev_h]) @ np.vstack([Wx, Wh]) + b
    blocks = a.reshape(len(x), 4, -1).swapaxes(0, 1)  # (4, N, H)
    gates = np.concatenate([sigmoid_by_cases(blocks[:3]), np.tanh(blocks[3:])])
    next_c = gates[1] * prev_c + gates[0] * gates[3]
    kept = {"inputs": (x, prev_h, prev_c, Wx, Wh), "gates": gates, "next_c": next_c}
    return [gates[2] * np.tanh(next_c), next_c, kept]


def step_back_with_a_dict(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh = cache["inputs"]
    i, f, o, g = cache["gates"]
    tanh = np.tanh(cache["next_c"])
    dc = dnext_h * o / np.cosh(cache["next_c"]) ** 2 + dnext_c
    slopes = np.stack([g * (i - i * i), prev_c * (f - f * f), 0 * o, i - i * g * g])
    da = dc * slopes
    da[2] = dnext_h * tanh * (o - o * o)
    da = da.swapaxes(0, 1).reshape(len(x), -1)
    return [da @ Wx.T, da @ Wh.T, f * dc, x.T @ da, prev_h.T @ da, np.ones(len(x)) @ da]


def forward_into_arrays(x, h0, c0, Wx, Wh, b):
    N, T, _ = x.shape
    h, c = np.empty((N, T + 1, h0.shape[1])), np.empty((N, T + 1, h0.shape[1]))
    h[:, -1], c[:, -1], caches = h0, c0, {}
    for t in range(T):
        out = step_with_a_dict(x[:, t], h[:, t - 1], c[:, t - 1], Wx, Wh, b)
        h[:, t], c[:, t], caches[t] = out
    return h[:, :T], c[:, :T], (caches, x.shape, h0.copy(), c0.copy())


def backward_into_arrays(dh, cache):
    caches, shape, h0, c0 = cache
    dx, dh0, dc0 = np.zeros(shape), np.zeros(h0.shape), np.zeros(c0.shape)
    weights = [0.0, 0.0, 0.0]
    for t in range(shape[1] - 1, -1, -1):
        dx[:, t], dh0, dc0, *each = step_back_with_a_dict(dh[:, t] + dh0, dc0, caches[t])
        weights = [total + part for total, part in zip(weights, each, strict=True)]
    return [dx, dh0, dc0, *weights]


def init_in_one_draw(D, H, forget_bias=1.0, seed=0):
    rng = np.random.default_rng(seed)
    weights = (2 * rng.random((D + H, 4 * H)) - 1) / H**0.5
    return [weights[:D], weights[D:], np.repeat([0.0, float(forget_bias), 0.0, 0.0], H)]


ANOTHER = dict(
    zip(
        NAMES,
        [
            step_with_a_dict,
            step_back_with_a_dict,
            forward_into_arrays,
            backward_into_arrays,
            init_in_one_draw,
        ],
        strict=True,
    )
)


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks(name):
    report = run(name, ANOTHER, seed=1, salt="another")
    assert report.passed, report


@pytest.mark.parametrize("name", NAMES)
def test_without_torch_right_answers_in_another_style_get_full_marks(name, no_torch):
    report = run(name, ANOTHER, salt="another")
    assert report.passed, report


def test_uniform_numbers_of_any_generator_are_uniform_enough():
    for made in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):

        def init(D, H, forget_bias=1.0, seed=0, made=made):
            rng, reach = np.random.Generator(made(seed)), H**-0.5
            Wh, Wx = (rng.uniform(-reach, reach, (rows, 4 * H)) for rows in (H, D))
            return Wx, Wh, np.repeat([0.0, forget_bias, 0.0, 0.0], H)

        for seed in range(5):
            report = run("lstm_init", {"lstm_init": init}, seed=seed)
            assert report.passed, report


def test_single_precision_draws_are_no_repeated_numbers():
    def init(D, H, forget_bias=1.0, seed=0):
        rng = np.random.default_rng(seed)
        Wx, Wh = (rng.random((rows, 4 * H), np.float32) for rows in (D, H))
        b = np.repeat([0.0, forget_bias, 0.0, 0.0], H)
        return (2.0 * Wx - 1) / H**0.5, (2.0 * Wh - 1) / H**0.5, b

    def in_double(*args):
        return tuple(each.astype(np.float64) for each in init(*args))

    assert run("lstm_init", {"lstm_init": in_double}).passed


# ------------------------------------------------------------------------------- wrong answers


def told(name):
    """What a wrong answer is told, a case at a time."""
    exercise, functions = exercises()[ZOO[name].exercise], solution_functions(ZOO[name].exercise)
    functions = {**functions, **ZOO[name].needs, exercise.name: ZOO[name].function}
    subject = LocalSubject(exercise.name, functions)
    for case in exercise.cases:
        (found,) = run_exercise(replace(exercise, cases=(case,)), subject).cases
        yield found.message


WORDS = {
    "lstm_torch_order": "taken for i, f, g, o (as torch has them)",
    "lstm_f_before_i": "are the blocks taken for f, i, o, g?",
    "lstm_o_before_f": "taken for i, o, f, g",
    "lstm_unit_by_unit": "side by side",
    "lstm_g_sigmoid": "g is a sigmoid",
    "lstm_all_tanh": "i, f and o are tanh",
    "lstm_f_tanh": "the forget gate f is a tanh",
    "lstm_i_tanh": "the input gate i is a tanh",
    "lstm_without_squashing": "neither sigmoid nor tanh",
    "lstm_h_without_tanh": "next_h is wrong: tanh is missing",
    "lstm_h_tanh_of_product": "of the product with o",
    "lstm_h_without_o": "next_h is wrong: o leaves no trace",
    "lstm_h_of_the_old_memory": "prev_c is used where next_c belongs",
    "lstm_f_and_i_cross": "i and f are swapped",
    "lstm_f_forgets": "1 - f multiplies prev_c",
    "lstm_coupled": "1 - f is used in the place of i",
    "lstm_prev_h_for_prev_c": "prev_h is used where prev_c belongs",
    "lstm_wh_sees_the_memory": "prev_c is multiplied by Wh",
    "lstm_without_f": "f leaves no trace",
    "lstm_two_biases": "b is added twice",
    "lstm_without_bias": "b is not added",
    "lstm_without_state": "prev_h is ignored",
    "lstm_peepholes": "peepholes",
    "lstm_tanh_carried": "the tanh is returned",
    "lstm_memory_first": "another order: it is next_h, next_c, cache",
    "lstm_state_twice": "next_c is wrong: it is next_h",
    "lstm_memory_in_place": "changes its input prev_c",
    "lstm_overflowing": "must not overflow",
    "lstm_first_row_for_all": "the memory of the first sequence is used for all",
    "lstm_without_cache": "expected the 3 results",
    "lstm_float32": "float32",
    "step_back_dnext_c_forgotten": "what the later steps say of the memory is lost",
    "step_back_dnext_h_forgotten_in_dc": "dnext_h does not reach next_c",
    "step_back_dnext_c_behind_f": "dprev_c is wrong: dnext_c is added behind the forget gate",
    "step_back_without_o": "o is missing where dnext_h goes on",
    "step_back_without_tanh_slope": "the derivative of tanh(next_c) is missing",
    "step_back_square_missing": "the square in the derivative of tanh(next_c)",
    "step_back_slope_of_c": "takes tanh(next_c), not next_c",
    "step_back_slope_of_h": "takes tanh(next_c), not next_h",
    "step_back_dnext_c_squashed": "dnext_c goes through the derivative of tanh",
    "step_back_do_of_c": "the gradient of o takes next_c",
    "step_back_do_of_dc": "do is multiplied by dc",
    "step_back_df_of_next_c": "the gradient of the forget gate takes next_c",
    "step_back_i_and_g_swapped": "the gradients of i and g are swapped",
    "step_back_without_slopes": "the derivatives of sigmoid and tanh are missing",
    "step_back_f_without_slope": "the derivative of the forget gate f is missing",
    "step_back_o_without_slope": "the derivative of the output gate o is missing",
    "step_back_i_with_tanh_slope": "the derivative of the input gate i is a tanh's",
    "step_back_g_with_sigmoid_slope": "the derivative of g is a sigmoid's",
    "step_back_g_square_missing": "the square in the derivative of g",
    "step_back_dprev_c_by_i": "multiplied by i, not by f",
    "step_back_dprev_c_without_f": "dprev_c is wrong: the forget gate is missing",
    "step_back_dprev_c_of_dnext_c": "dprev_c is wrong: dnext_h does not reach",
    "step_back_dprev_c_unchanged": "it is dnext_c, unchanged",
    "step_back_dwh_from_next_h": "dWh is wrong: next_h is used where prev_h belongs",
    "step_back_dwh_from_prev_c": "dWh is wrong: prev_c is used where prev_h belongs",
    "step_back_db_not_summed": "summed on the way back",
    "step_back_db_mean": "N times too small",
    "step_back_torch_order": "put together as i, f, g, o (as torch has them)",
    "step_back_f_first": "put together as f, i, o, g",
    "step_back_dwx_transposed": "transposed",
    "step_back_other_order": "it is dprev_c: the order is dx, dprev_h, dprev_c",
    "step_back_forget_block_doubled": "dWx is wrong: the block of the forget gate f is wrong",
    "step_back_writes_into_dnext_c": "changes its input dnext_c",
    "step_back_writes_into_dnext_h": "changes its input dnext_h",
    "step_back_squashes_the_cache": "changes what lies in the cache (next_c)",
    "step_back_first_sequence_only": "only the first of the N sequences counts",
    "step_back_of_a_wrong_forward": "first mend lstm_step_forward",
    "lstm_c0_each_step": "c is not carried: each step starts from c0",
    "lstm_h0_each_step": "h is not carried: each step starts from h0",
    "lstm_h_and_c_cross": "h and c are swapped from step to step",
    "lstm_h_for_c": "h is carried in the place of c",
    "lstm_c0_zeros": "c0 is ignored",
    "lstm_h0_zeros": "h0 is ignored",
    "lstm_h0_and_c0_swapped": "h0 and c0 are swapped",
    "lstm_memories_first": "another order: it is h, c, cache",
    "lstm_states_twice": "c is wrong: it is the other of the two",
    "lstm_time_first": "stack the steps along axis 1",
    "lstm_last_step_only": "those after each step are wanted",
    "lstm_starts_with_h0": "h0 is not among them",
    "lstm_one_step_late": "the values before each step",
    "lstm_backwards": "it walks from the last step to the first",
    "lstm_first_input_only": "each step takes the first input",
    "lstm_same_array_each_step": "stored each time",
    "lstm_of_wrong_steps": "already the first step is wrong",
    "lstm_writes_into_h0": "changes its input h0",
    "lstm_last_step_missing": "its last step is 0",
    "back_dc_forgotten": "no gradient goes from a memory to the one before it",
    "back_dh_forgotten": "no gradient goes from a state to the one before it",
    "back_nothing_carried": "no gradient goes from a step to the one before it",
    "back_dh_and_dc_cross": "the gradients of h and c are swapped",
    "back_dc_starts_at_one": "does not start at 0 behind the last step",
    "back_dc_starts_from_dh": "starts from the last dh",
    "back_weights_of_the_first_step": "dWh is wrong: only the first step counts",
    "back_weights_of_the_last_step": "db is wrong: only the last step counts",
    "back_weights_averaged": "T times too small",
    "back_dx_reversed": "in reversed order",
    "back_first_to_last": "walked from the first to the last",
    "back_last_dh_only": "only the last step's dh counts",
    "back_dc0_zero": "dc0 is wrong: it is 0 everywhere",
    "back_dc0_one_step_late": "the gradient after the first step",
    "back_dh0_with_dh": "the first step's dh is in it",
    "back_dh0_and_dc0_swapped": "it is dc0: the order is dx, dh0, dc0",
    "back_without_dc0": "expected the 6 results",
    "back_dx_time_first": "two axes are swapped",
    "back_writes_into_dh": "changes its input dh",
    "back_empties_the_cache": "does the first call change something in it?",
    "back_nearly_nothing_beyond": "beyond the end of their sentences",
    "back_with_torch_order": "put together as i, f, g, o (as torch has them)",
    "back_of_a_wrong_forward": "first mend lstm_forward",
    "init_input_block": "in the block of the input gate i",
    "init_output_block": "in the block of the output gate o",
    "init_last_block": "in the block of g",
    "init_all_of_b": "all of b is forget_bias",
    "init_no_forget_bias": "b is 0 everywhere",
    "init_always_one": "whatever forget_bias is",
    "init_one_unit": "one entry of b",
    "init_every_fourth": "every fourth entry",
    "init_random_bias": "not exactly 0 outside",
    "init_normal": "it looks normal",
    "init_normal_within": "small and large numbers must be equally frequent",
    "init_by_inputs": "Wx has entries beyond 1/sqrt(H): it looks like 1/sqrt(D)",
    "init_without_root": "1/H: the root is missing",
    "init_by_four": "1/sqrt(4H)",
    "init_unscaled": "the factor is missing",
    "init_positive": "no negative entries",
    "init_zeros": "0 everywhere",
    "init_ones": "the same number",
    "init_rows_alike": "all rows are alike",
    "init_gates_alike": "the four gates have the same weights",
    "init_same_numbers": "Wx and Wh share their numbers",
    "init_seed_ignored": "is the seed used?",
    "init_without_seed": "other weights the second time",
    "init_transposed": "it is transposed",
    "init_default_zero": "called without forget_bias",
    "lstm_g_relu": "g is a ReLU",
    "lstm_g_both": "g is the tanh of a sigmoid",
    "lstm_output_peephole": "peepholes",
    "lstm_memory_clipped": "right but for the largest entries, which are cut off",
    "lstm_step_into_buffers": "the next call writes over the next_h",
    "step_back_clipped": "is something clipped on the way?",
    "step_back_weights_clipped": "dWx is wrong: it is right but for the largest entries",
    "lstm_ten_steps": "right in the first 10 of",
    "lstm_skips_empty_steps": "it is wrong where x is 0",
    "lstm_carries_a_clipped_memory": "it is carried as it is",
    "lstm_into_buffers": "the next call writes over the h",
    "back_dh_stops_without_a_loss": "with a loss at the last step only",
    "back_dc_stops_without_a_loss": "with a loss at the last step only",
    "back_skips_steps_without_a_loss": "with a loss at the last step only",
    "back_dh_clipped": "is something clipped on the way?",
    "back_dc_clipped": "is something clipped on the way?",
    "back_weights_clipped": "dWx is wrong: it is right but for the largest entries",
    "back_weights_of_length_five": "too small by the same factor: take the clip away",
    "back_of_few_steps": "right in the last 4 of",
    "back_of_views": "lstm_forward writes over what is in its cache",
    "init_next_seed": "one after the other, from one generator",
    "init_global_generator": "a seed above 2**32",
    "init_whole_numbers": "b is int64",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    assert any(WORDS[name] in message for message in told(name)), list(told(name))


_LARGE_SUMS = "sums near 1000 and -1000, large memories"
ONLY = {
    "lstm_h_without_tanh": {"both, a batch of one (N = 1)", "a batch: the state, next_h"},
    "lstm_overflowing": {_LARGE_SUMS},
    "step_back_dprev_c_by_i": {"dprev_c"},
    "step_back_dwh_from_next_h": {"dWh"},
    "back_dx_reversed": {"dx"},
    "back_dc0_zero": {"dc0"},
    "init_seed_ignored": {"the same seed gives the same weights, another seed others"},
}


@pytest.mark.parametrize("name", ONLY)
def test_one_mistake_costs_its_own_case_and_those_that_ask_for_all(name):
    titles = {case.title for case in failed(checked(ZOO[name]))}
    assert titles >= ONLY[name]
    several = ("all six", "inputs", "dx, dh0 and dc0")
    rest = {title for title in titles - ONLY[name] if not title.startswith(several)}
    assert rest <= {_LARGE_SUMS}


CLIPPED = [
    "step_back_clipped",
    "back_dh_clipped",
    "back_dc_clipped",
    "back_weights_clipped",
    "back_weights_of_length_five",
]


@pytest.mark.parametrize("name", CLIPPED)
def test_a_clip_that_small_gradients_never_reach_costs_the_case_of_large_ones(name):
    (case,) = failed(checked(ZOO[name]))
    assert "gradients of thousands arrive" in case.title


def test_whole_numbers_in_b_cost_the_cases_of_b_alone():
    titles = [case.title for case in failed(judged("init_whole_numbers"))]
    assert not any(title.startswith(("Wx", "Wh", "rows", "the same seed")) for title in titles)


def test_a_forget_bias_in_another_block_is_not_taken_for_another_default():
    messages = [case.message for case in failed(judged("init_input_block"))]
    assert not any("called without" in message for message in messages)


@pytest.mark.parametrize("name", ["lstm_g_relu", "lstm_g_both"])
def test_another_g_is_not_blamed_on_the_input_gate(name):
    assert not any("the input gate" in case.message for case in failed(judged(name)))


@pytest.mark.parametrize("name", ["lstm_g_relu", "lstm_g_both"])
def test_without_torch_g_is_named_where_g_is_wrong(name, no_torch):
    assert any("g, read off" in case.message for case in failed(checked(ZOO[name])))
    assert not any("the input gate" in case.message for case in failed(checked(ZOO[name])))


def test_without_torch_gates_that_see_the_memory_are_told_so(no_torch):
    messages = [case.message for case in failed(checked(ZOO["lstm_output_peephole"]))]
    assert any("a gate sees x and prev_h" in message for message in messages)


def test_truncated_memory_keeps_the_points_where_only_dnext_h_arrives():
    passed = {
        case.title for case in checked(ZOO["step_back_dnext_c_forgotten"]).cases if case.passed
    }
    assert passed == {"all six, where only dnext_h arrives (dnext_c is 0)"}


def test_where_a_single_gate_is_wrong_its_block_is_named_and_no_other():
    for case in failed(judged("step_back_forget_block_doubled")):
        assert "the forget gate f is wrong, the others are right" in case.message
    assert {"db", "dWx", "dWh"} <= {
        case.title for case in failed(judged("step_back_forget_block_doubled"))
    }


@pytest.mark.parametrize("gate", range(4))
def test_each_gate_is_named_where_only_its_block_is_wrong(gate, solved):
    names = ("the input gate i", "the forget gate f", "the output gate o", "g")

    def wrong(*args):
        *grads, db = solved["lstm_step_backward"](*args)
        H = len(db) // 4
        db[gate * H : (gate + 1) * H] += 1
        return *grads, db

    report = run("lstm_step_backward", {**solved, "lstm_step_backward": wrong})
    (db,) = (case for case in report.cases if case.title == "db")
    assert f"the block of {names[gate]} is wrong, the others are right" in db.message


@pytest.mark.parametrize("back", ["lstm_step_backward", "lstm_backward"])
def test_a_right_way_back_after_a_wrong_way_forward_gets_nothing_and_is_told_why(back, solved):
    forward = {"lstm_step_backward": "lstm_prev_h_for_prev_c", "lstm_backward": "lstm_c0_each_step"}
    (need,) = exercises()[back].needs
    report = run(back, {**solved, need: ZOO[forward[back]].function})
    cases = [case for case in report.cases if "T = 1" not in case.title]  # one step alone is right
    assert not any(case.passed for case in cases)
    assert all(case.message.startswith(f"first mend {need}") for case in cases)


JUNK = {
    "nothing": None,
    "a number": 7,
    "a text": "next_h",
    "lists": ([1.0], [2.0], [3.0]),
    "three Nones": (None, None, None),
    "six numbers": (1.0,) * 6,
    "NaN": (np.full((3, 4), np.nan),) * 3,
    "complex": (np.ones((2, 2), complex),) * 6,
    "a dictionary": {"h": 1},
    "empty arrays": (np.zeros(0),) * 3,
    "masked": (np.ma.masked_all(3),) * 6,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk, solved):
    report = run(name, {**solved, name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def zeros_for(name, *args):
    """Zeros of the right shapes: the laziest answer."""
    if name == "lstm_step_forward":
        return np.zeros_like(args[1]), np.zeros_like(args[2]), args
    if name == "lstm_forward":
        h = np.zeros((*args[0].shape[:2], args[1].shape[1]))
        return h, h.copy(), args
    if name == "lstm_init":
        D, H = args[:2]
        return np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
    inputs = args[-1][0]
    return *map(np.zeros_like, inputs[:5]), np.zeros(4 * inputs[1].shape[1])


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_next_to_nothing(name, solved):
    functions = {**solved, name: lambda *args: zeros_for(name, *args)}
    for need in exercises()[name].needs:

        def with_inputs(*args, need=need):
            *outs, cache = solved[need](*args)
            return *outs, (args, cache)

        functions[need] = with_inputs
    report = run(name, functions)
    assert report.points <= 0.2 * report.max_points, report


# ------------------------------------------------------------------------------- the cases


def recorded(name, solved):
    """All arguments with which the solution is called in the public check of `name`."""
    seen = []

    def recording(*args):
        seen.append(args)
        return solved[name](*args)

    run(name, {**solved, name: recording})
    return seen


@pytest.mark.parametrize("name", ["lstm_step_forward", "lstm_forward"])
def test_the_inputs_are_awkward_somewhere(name, solved):
    arrays = [a for args in recorded(name, solved) for a in args]
    assert any(not a.flags.c_contiguous for a in arrays)
    assert any(not a.flags.writeable for a in arrays)
    assert any(stride < 0 for a in arrays for stride in a.strides)


def test_no_two_sizes_of_a_step_are_equal_and_no_gate_is_shut_or_wide_open(solved):
    steps = [a for a in recorded("lstm_step_forward", solved) if np.abs(a[5]).max() < 2]
    assert len(steps) >= 4
    assert any(len(args[0]) == 1 for args in steps)
    for x, prev_h, prev_c, Wx, Wh, b in steps:
        (N, D), H = x.shape, prev_h.shape[1]
        assert len({N, D, H}) == 3
        assert np.all(prev_h)
        assert np.all(prev_c)
        sums = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
        assert np.abs(np.concatenate(sums)).max() < 5
        assert all(np.abs(sums[j] - sums[k]).max() > 0.1 for j in range(4) for k in range(j))


def test_no_two_sizes_of_a_sequence_are_equal_and_both_starts_count(solved):
    runs = [args for args in recorded("lstm_forward", solved) if len(args[0]) > 1]
    assert {args[0].shape[1] for args in runs} >= {1}
    for x, h0, c0, *_ in runs:
        assert len({*x.shape, h0.shape[1]}) == 4
        assert np.all(h0)
        assert np.all(c0)
    assert any(len(args[0]) == 1 for args in recorded("lstm_forward", solved))


def test_the_gradients_that_arrive_are_ragged_somewhere(solved):
    arriving = [dh for dh, _ in recorded("lstm_backward", solved)]
    lengths = [np.any(dh, axis=2).sum(axis=1) for dh in arriving if dh.shape[1] > 1]
    assert any(len(set(each)) > 2 for each in lengths)


def test_numeric_derivatives_alone_reject_a_wrong_gradient_of_either_result(solved, no_torch):
    for name in ("step_back_dnext_c_forgotten", "step_back_dnext_h_forgotten_in_dc"):
        report = checked(ZOO[name])
        assert "numeric differentiation says otherwise" in failed(report)[0].message


def test_a_derivative_of_several_results_is_the_sum_over_them():
    def both(x):
        return x**2, 3 * x, "cache"

    subject = LocalSubject("both", {"both": both})
    x, along = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    douts = (np.array([1.0, 5.0]), np.array([2.0, 7.0]))
    found = subject.vjp((x,), douts, [(0, along)], result=(0, 1), leave=(2,))
    alone = subject.vjp((x,), douts[1], [(0, along)], result=1, leave=(2,))
    assert found == pytest.approx([2 * 1 + 2 * 3])
    assert alone == pytest.approx([2 * 3])


def test_both_cells_of_torch_agree_on_the_order_of_the_gates():
    import torch

    from cs_caption.checks.n03_lstm_gates import by_torch

    rng = np.random.RandomState(3)
    N, D, H = 2, 3, 5
    shapes = ((N, D), (N, H), (N, H), (D, 4 * H), (H, 4 * H), (4 * H,))
    x, h, c, Wx, Wh, b = (rng.standard_normal(shape) for shape in shapes)
    i, f, o, g = np.split(x @ Wx + h @ Wh + b, 4, axis=1)
    next_c = torch.tensor(f).sigmoid() * torch.tensor(c)
    next_c += torch.tensor(i).sigmoid() * torch.tensor(g).tanh()
    next_h = torch.tensor(o).sigmoid() * next_c.tanh()
    found = by_torch.results(by_torch.right_cell, (x, h, c, Wx, Wh, b))
    assert np.allclose(found[0], next_h)
    assert np.allclose(found[1], next_c)


def test_checking_touches_no_random_stream_of_the_notebook(solved):
    import torch

    np.random.seed(5)
    torch.manual_seed(5)
    expected = np.random.get_state()[1].copy(), torch.get_rng_state().clone()
    for name in NAMES:
        run(name, solved)
        run(name, {**solved, name: next(m for m in ZOO.values() if m.exercise == name).function})
    assert np.array_equal(np.random.get_state()[1], expected[0])
    assert torch.equal(torch.get_rng_state(), expected[1])
