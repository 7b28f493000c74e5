from pathlib import Path

import numpy as np
import pytest
from judging import judged, run

from autograder.mutants import mutants
from autograder.zoo import checked, functions_of, solution_functions
from cs_caption.checks.n02_hello_rnn.rnn_forward import draw_run

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "solutions" / "02_hello_rnn" / "02_hello_rnn.py"
NAMES = ["rnn_forward", "rnn_backward", "truncated_chunks", "multilayer_rnn_forward"]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


@pytest.fixture(scope="module")
def solved():
    return {name: functions_of(SOLUTION)[name] for name in NAMES}


# ------------------------------------------------------------------------------- right answers


def forward_in_one_array(x, h0, Wx, Wh, b, activation="tanh"):
    f = {"tanh": np.tanh, "relu": lambda a: a * (a > 0)}[activation]
    h = np.empty((x.shape[0], x.shape[1] + 1, h0.shape[1]))
    h[:, 0] = h0
    for t in range(x.shape[1]):
        h[:, t + 1] = f(np.hstack([x[:, t], h[:, t]]) @ np.vstack([Wx, Wh]) + b)
    return [h[:, 1:], {"x": x.copy(), "h": h.copy(), "W": (Wx, Wh), "kind": activation}]


def backward_in_one_array(dh, cache):
    x, h, (Wx, Wh) = cache["x"], cache["h"], cache["W"]
    slope = 1 - h[:, 1:] ** 2 if cache["kind"] == "tanh" else h[:, 1:] > 0
    da, arriving = np.empty(dh.shape), 0
    for t in range(dh.shape[1] - 1, -1, -1):
        da[:, t] = (dh[:, t] + arriving) * slope[:, t]
        arriving = da[:, t] @ Wh.T
    steps = ((0, 1), (0, 1))
    dWx, dWh = np.tensordot(x, da, steps), np.tensordot(h[:, :-1], da, steps)
    return [da @ Wx.T, arriving, dWx, dWh, da.sum((0, 1))]


def chunks_by_recursion(x, dh, h0, Wx, Wh, b, size):
    h, cache = forward_in_one_array(x[:, :size], h0, Wx, Wh, b)
    dx, dh0, *weights = backward_in_one_array(dh[:, :size], cache)
    if x.shape[1] <= size:
        return [h, dx, dh0, *weights]
    rest = chunks_by_recursion(x[:, size:], dh[:, size:], h[:, -1], Wx, Wh, b, size)
    both = np.concatenate([h, rest[0]], 1), np.concatenate([dx, rest[1]], 1)
    return [*both, dh0, *(one + other for one, other in zip(weights, rest[3:], strict=True))]


def layers_step_by_step(x, h0, W, b):
    (N, T, _), (L, _, H) = x.shape, h0.shape
    h, now = np.empty((L, N, T, H)), list(h0)
    for t in range(T):
        below = x[:, t]
        for k in range(L):
            below = now[k] = np.tanh(np.concatenate([below, now[k]], 1) @ W[k] + b[k])
            h[k, :, t] = below
    return h


OTHERS = {
    "rnn_forward": forward_in_one_array,
    "rnn_backward": backward_in_one_array,
    "truncated_chunks": chunks_by_recursion,
    "multilayer_rnn_forward": layers_step_by_step,
}


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks(name):
    report = run(name, OTHERS, salt="another")
    assert report.passed, report


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks_without_torch(name, no_torch):
    report = run(name, OTHERS, salt="another")
    assert report.passed, report


def test_with_relu_no_sum_is_near_the_kink():
    for seed in range(300):
        x, h0, Wx, Wh, b = draw_run(np.random.RandomState(seed), "relu")
        h = forward_in_one_array(x, h0, Wx, Wh, b, "relu")[0]
        before = np.concatenate([h0[:, None], h[:, :-1]], axis=1)
        assert np.min(np.abs(x @ Wx + before @ Wh + b)) >= 1 / 128
        assert 0 < np.mean(h > 0) < 1


def test_with_tanh_few_states_are_saturated_and_each_start_and_input_shows_in_the_end():
    for seed in range(100):
        x, h0, *weights = draw_run(np.random.RandomState(seed))
        h = forward_in_one_array(x, h0, *weights)[0]
        assert np.mean(np.abs(h) > 0.95) < 0.2
        other = forward_in_one_array(x, -h0, *weights)[0]
        assert np.max(np.abs(h - other)[:, -1]) > 1e-6


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "rnn_time_first": "stack the states along axis 1",
    "rnn_stacked_last": "stack the states along axis 1",
    "rnn_concatenated": "they are joined",
    "rnn_last_state_only": "not of one alone",
    "rnn_with_h0": "h0 is not among them",
    "rnn_without_h0": "h0 is ignored",
    "rnn_off_by_one": "it starts with h0",
    "rnn_always_from_h0": "each step starts from h0",
    "rnn_always_from_zeros": "each step starts from zeros",
    "rnn_first_input_only": "every step reads the first input",
    "rnn_last_input_only": "every step reads the last input",
    "rnn_walks_the_other_way": "it is run from the last step to the first",
    "rnn_inserted_in_front": "stacked in the reverse order",
    "rnn_one_array_for_all": "all steps have the last state",
    "rnn_rows_in_a_row": "each sequence starts from the end of the one before",
    "rnn_first_row_of_h0": "all sequences start from the first row of h0",
    "rnn_of_the_first_row": "all sequences have the states of the first",
    "rnn_activation_not_handed_on": "is the activation handed on?",
    "rnn_of_a_wrong_step": "already the first step is wrong (what does rnn_step_forward give?)",
    "rnn_without_bias": "the term b is wrong: b is not added",
    "rnn_last_step_missing": "the last step is left out",
    "rnn_float32": "float32",
    "rnn_writes_into_h0": "changes its input h0",
    "rnn_writes_into_x": "changes its input x",
    "rnn_without_cache": "the 2 results (h, cache)",
    "rnn_list_of_states": "np.stack(states, axis=1) makes it of a list of T states",
    "rnn_np_array_of_states": "reshape does not swap axes",
    "rnn_cache_first": "the order of the results is h, cache",
    "rnn_from_step_one": "the first step is left out",
    "rnn_from_step_one_and_h0": "the first step is left out (there are T steps, from 0 on): "
    "h[:, 0] is h0",
    "rnn_frozen_without_input": "a step without an input changes it too",
    "rnn_starts_again_after_ten": "h is wrong in",
    "rnn_back_not_through_time": "no gradient passes from step to step",
    "rnn_back_last_loss_only": "only the last step has a loss",
    "rnn_back_last_loss_at_each_step": "dh of the last step is added at every step",
    "rnn_back_first_loss_missing": "dh of the first step is left out",
    "rnn_back_dx_reversed": "its steps are in the reverse order",
    "rnn_back_dh_reversed": "dh is read in the reverse order",
    "rnn_back_dh0_with_loss": "dh[:, 0] is added",
    "rnn_back_dh0_of_the_last_step": "it is what the last step hands back",
    "rnn_back_dh0_zero": "0 everywhere",
    "rnn_back_weights_of_the_first_step": "`=` where `+=` belongs?",
    "rnn_back_weights_of_the_last_step": "only the last step counts",
    "rnn_back_dwh_overwritten": "dWh is wrong: only the first step counts",
    "rnn_back_weights_mean": "T times too small",
    "rnn_back_mean_over_batch": "N times too small",
    "rnn_back_last_loss_twice": "counts twice",
    "rnn_back_starts_with_ones": "starts with ones",
    "rnn_back_first_step_missing": "the first step is left out",
    "rnn_back_late_states": "taken where the one before it belongs",
    "rnn_back_wh_not_transposed": "with T = 1 dh0 is wrong: already a single step is wrong (what "
    'does check("rnn_step_backward", ...) say?): Wh must be transposed',
    "rnn_back_of_a_frozen_forward": "first mend rnn_forward: h is wrong: the state stays as it is",
    "rnn_back_cut_without_own_loss": "right with a loss at every step, but with a loss at the "
    "last step only: dx is wrong",
    "rnn_back_cut_at_zero_entries": "but with a loss at the last step only: dx is wrong",
    "rnn_back_no_dx_without_own_loss": "but with a loss at the last step only: dx is wrong",
    "rnn_back_skips_steps_without_loss": "but with a loss at the last step only: dx is wrong",
    "rnn_back_cut_every_seven": "dx is wrong in",
    "rnn_back_loop_forward": "the loop runs forward in time",
    "rnn_back_last_step_missing": "the last step is left out",
    "rnn_back_caches_of_the_step_before": "the caches are those of the step before",
    "rnn_back_dh_of_the_step_before": "dh is that of the step before",
    "rnn_back_first_n_steps": "only the first N steps are taken",
    "rnn_back_last_state_for_h0": "the last state in the place of h0",
    "rnn_back_of_an_overwritten_cache": "each step has the last state in the place of the one "
    "before it: what rnn_forward has put into the cache",
    "rnn_back_of_a_view_of_the_last": "may have been written over by later steps",
    "rnn_back_dwh_transposed": "it is transposed",
    "rnn_back_writes_into_dh": "changes its input dh",
    "rnn_back_empties_the_cache": "does the first call change something in it?",
    "rnn_back_ends_of_sentences": "not exactly 0",
    "rnn_back_other_order": "the order is dx, dh0",
    "rnn_back_of_the_last_run": "a global holds",
    "rnn_back_of_a_wrong_forward": "first mend rnn_forward",
    "chunks_state_reset_to_h0": "each chunk starts from h0",
    "chunks_state_reset_to_zeros": "each chunk but the first starts from zeros",
    "chunks_not_cut": "the gradient is not cut",
    "chunks_cut_at_each_step": "cut at every step",
    "chunks_number_for_length": "taken for the number of chunks",
    "chunks_equally_long": "np.array_split",
    "chunks_tail_dropped": "the last chunk is left out",
    "chunks_tail_stays_zero": "0 in the last chunk",
    "chunks_tail_joins_the_last": "joined to the one before it",
    "chunks_shorter_first": "the shorter chunk comes first",
    "chunks_one_step_late": "size + 1 steps",
    "chunks_first_one_step_longer": "a step late",
    "chunks_dh0_of_the_last": "what the last chunk hands back",
    "chunks_dh0_summed": "it is a sum over the chunks",
    "chunks_dh0_not_cut": "dh0 is wrong: the gradient is not cut",
    "chunks_weights_of_the_last": "only the last chunk counts",
    "chunks_weights_of_the_first": "only the first chunk counts",
    "chunks_weights_mean": "the mean over the chunks",
    "chunks_db_of_the_last": "db is wrong: only the last chunk counts",
    "chunks_same_dh": "each chunk has dh of the first",
    "chunks_dx_reversed": "joined in the reverse order",
    "chunks_loss_at_their_end_only": "only the last state of each chunk has a loss",
    "chunks_write_into_dh": "changes its input dh",
    "chunks_last_h_only": "join the states of all chunks",
    "layers_rows_swapped": "the rows of W are the other way round",
    "layers_split_in_halves": "as many as that is wide",
    "layers_rows_swapped_above": "in the upper layers the rows",
    "layers_all_read_x": "every layer reads x",
    "layers_first_h0_for_all": "the first layer's h0",
    "layers_without_h0": "h0 is ignored",
    "layers_h0_of_the_lowest_only": "only the first layer starts from its h0",
    "layers_first_bias_for_all": "the first layer's b",
    "layers_without_bias": "b is not added",
    "layers_second_w_for_all_above": "the upper layers all have the same W",
    "layers_upside_down": "stacked in the reverse order",
    "layers_top_only": "the states of one layer",
    "layers_last_states_only": "the states of one step",
    "layers_second_axis": "two axes are swapped",
    "layers_late": "reads the step before of the layer below",
    "layers_top_without_tanh": "is the tanh missing",
    "layers_with_relu": "max(0, .) where tanh belongs",
    "layers_two_at_most": "h[2] is wrong",
    "layers_with_caches": "without a cache",
    "layers_write_into_h0": "changes its input h0",
    "layers_empty_the_list": "changes its input W",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


FALSE_WORDS = {
    "rnn_from_step_one": "b is not added",
    "rnn_from_step_one_and_h0": "b is not added",
    "rnn_without_h0": "does a call start from",
    "rnn_np_array_of_states": "does a call start from",
    "rnn_back_last_loss_twice": "nothing comes after",
    "rnn_back_starts_with_ones": "nothing comes after",
    "rnn_back_loop_forward": "single step",
    "rnn_back_dh_of_the_step_before": "dh is read in the reverse order",
    "rnn_back_of_an_overwritten_cache": "single step is wrong",
    "rnn_off_by_one": "already the first step",
    "rnn_last_step_missing": "b is not added",
    "rnn_activation_not_handed_on": "already the first step",
    "rnn_back_dwh_transposed": "dx is wrong",
    "rnn_back_of_the_last_run": "does one sequence read",
    "chunks_not_cut": "h is wrong",
    "chunks_tail_joins_the_last": "h is wrong",
    "layers_without_h0": "does a call start from the state",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in case.message for case in judged(name).cases)


def test_without_torch_the_first_wrong_step_is_named(no_torch):
    report = checked(ZOO["rnn_always_from_h0"])
    words = [case.message for case in report.cases]
    assert any("h[:, 1] is not what one step makes of x[:, 1] and h[:, 0]" in w for w in words)


def test_without_torch_a_gradient_that_is_not_cut_is_not_the_sum_of_its_chunks(no_torch):
    report = checked(ZOO["chunks_not_cut"])
    assert any("of which each chunk alone" in case.message for case in report.cases)


def test_a_step_that_is_not_written_yet_is_named(solved):
    def rnn_step_forward(*args):
        raise NotImplementedError

    def rnn_forward(x, h0, Wx, Wh, b, activation="tanh"):
        return rnn_step_forward(x[:, 0], h0, Wx, Wh, b, activation)

    report = run("rnn_forward", {"rnn_forward": rnn_forward})
    words = "rnn_step_forward, which rnn_forward calls, is not written yet"
    assert all(words in case.message for case in report.cases)


def test_a_right_backward_after_a_wrong_forward_gets_nothing_and_is_told_why(solved):
    wrong = {**solved, "rnn_forward": ZOO["rnn_off_by_one"].function}
    report = run("rnn_backward", wrong)
    assert report.points == 0
    assert all(case.message.startswith("first mend rnn_forward") for case in report.cases)


def test_where_only_relu_is_wrong_forward_only_relu_is_lost_backward(solved):
    def forward(x, h0, Wx, Wh, b, activation="tanh"):
        return solved["rnn_forward"](x, h0, Wx, Wh, b)

    report = run("rnn_backward", {**solved, "rnn_forward": forward})
    failed = [case for case in report.cases if not case.passed]
    assert [case.title for case in failed] == ['all five, activation="relu"']
    assert failed[0].message.startswith("first mend rnn_forward")


def test_one_wrong_gradient_costs_its_own_case_and_those_that_ask_for_all():
    report = checked(ZOO["rnn_back_dwh_transposed"])
    assert [case.title for case in report.cases if case.passed] == ["dx", "dh0", "dWx", "db"]


def test_states_that_are_right_count_although_the_gradient_is_not_cut():
    passed = [case.title for case in checked(ZOO["chunks_not_cut"]).cases if case.passed]
    assert passed == [
        "h: the state is carried on",
        "all six, nothing to cut (size T and more)",
    ]


def test_one_layer_counts_although_the_others_are_wrong():
    passed = [case.title for case in checked(ZOO["layers_late"]).cases if case.passed]
    assert passed == ["one layer (L = 1): an RNN"]


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "five Nones": (None,) * 5,
    "six numbers": tuple(range(6)),
    "two Nones": (None, None),
    "nested": ([[[]]], {"loss": 1}),
    "NaN": (np.full((3, 4, 5), np.nan), None),
    "strings": (np.array(["a"]), np.array(["b"])),
    "complex": (np.ones((2, 2, 2), complex), 1j),
    "empty arrays": (np.zeros(0), np.zeros((0, 3))),
    "an array without axes": np.array(np.inf),
    "arrays without axes": (np.array(1.0),) * 6,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk, solved):
    report = run(name, {**solved, name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_get_nothing(name):
    solution = solution_functions(name)

    def zeros(*args):
        value = solution[name](*args)
        parts = value if isinstance(value, tuple) else (value,)
        parts = tuple(0 * part if isinstance(part, np.ndarray) else part for part in parts)
        return parts if isinstance(value, tuple) else parts[0]

    assert run(name, {**solution, name: zeros}).points == 0
