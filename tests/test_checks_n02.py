from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.mutants import mutants
from autograder.zoo import checked, functions_of
from cs_caption.checks import exercises, run_check
from cs_caption.checks.remote import RemoteSubject
from cs_caption.checks.subject import LocalSubject

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "solutions" / "02_hello_rnn" / "02_hello_rnn.py"
NAMES = ["one_hot", "rnn_step_forward", "rnn_step_backward", "temporal_softmax_loss"]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


@pytest.fixture(scope="module")
def solved():
    return {name: functions_of(SOLUTION)[name] for name in NAMES}


def run(name, functions, **options):
    return run_check(name, LocalSubject(name, functions), **options)


def with_needs(name, functions):
    return [functions[need] for need in (name, *exercises()[name].needs)]


# ------------------------------------------------------------------------------- right answers


def one_hot_by_rows(x, V):
    out = np.zeros((np.size(x), V))
    out[np.arange(np.size(x)), np.ravel(x)] = 1.0
    return out.reshape(*np.shape(x), V)


def forward_with_a_dict(x, prev_h, Wx, Wh, b, activation="tanh"):
    both, weights = np.hstack([x, prev_h]), np.vstack([Wx, Wh])
    a = both @ weights + b
    out = {"tanh": np.tanh, "relu": lambda a: a * (a > 0)}[activation](a)
    return [out, {"both": both, "weights": weights, "out": out, "D": len(Wx), "kind": activation}]


def backward_with_a_dict(dnext_h, cache):
    slope = 1 - cache["out"] * cache["out"] if cache["kind"] == "tanh" else cache["out"] > 0
    da, D = dnext_h * slope, cache["D"]
    dboth, dweights = da @ cache["weights"].T, cache["both"].T @ da
    return [dboth[:, :D], dboth[:, D:], dweights[:D], dweights[D:], np.sum(da, 0)]


def loss_with_loops(x, y, mask):
    loss, dx, count = 0.0, np.zeros(x.shape), int(np.sum(mask))
    for n, t in zip(*np.nonzero(mask), strict=True):
        top = x[n, t].max()
        log_sum = top + np.log(np.sum(np.exp(x[n, t] - top)))
        loss += (log_sum - x[n, t, y[n, t]]) / count
        dx[n, t] = np.exp(x[n, t] - log_sum) / count
        dx[n, t, y[n, t]] -= 1 / count
    return [np.array(loss), dx]


def test_right_answers_in_another_style_get_full_marks(solved):
    others = {
        "one_hot": one_hot_by_rows,
        "rnn_step_forward": forward_with_a_dict,
        "rnn_step_backward": backward_with_a_dict,
        "temporal_softmax_loss": loss_with_loops,
    }
    for name in NAMES:
        report = run(name, others, salt="another")
        assert report.passed, report


# ------------------------------------------------------------------------------- wrong answers


@cache
def judged(name):
    return checked(ZOO[name], "salt")


WORDS = {
    "one_hot_in_columns": "transposed",
    "one_hot_sized_by_data": "largest number plus one",
    "one_hot_flattened": "was x flattened?",
    "one_hot_booleans": "bool: it must be float64",
    "one_hot_arrays_only": "np.asarray(x) first",
    "one_hot_integers": "int64",
    "one_hot_float32": "float32",
    "one_hot_from_one": "wrong place",
    "one_hot_reshapes_its_input": "changes its input x",
    "forward_wh_transposed": "Wh transposed",
    "forward_without_bias": "b is not added",
    "forward_minus_bias": "b is subtracted",
    "forward_two_biases": "added twice",
    "forward_without_memory": "prev_h is ignored",
    "forward_state_without_wh": "without Wh",
    "forward_without_tanh": "tanh missing",
    "forward_sigmoid": "sigmoid",
    "forward_relu_ignored": 'activation="relu" changes nothing',
    "forward_relu_capped": "large values are capped",
    "forward_relu_then_tanh": "is tanh taken as well?",
    "forward_relu_upside_down": "the wrong half is kept",
    "forward_relu_is_a_step": "only 0 and 1 come out",
    "forward_relu_without_bias": "is b added?",
    "forward_overflowing_tanh": "overflow",
    "forward_state_in_place": "changes its input prev_h",
    "forward_without_cache": "2 results",
    "backward_without_slope": "derivative of the activation is missing",
    "backward_slope_of_input": "takes tanh's output, not its input",
    "backward_tanh_twice": "a second time",
    "backward_without_square": "square",
    "backward_ignores_dnext_h": "dnext_h is ignored",
    "backward_wh_not_transposed": "Wh must be transposed",
    "backward_dwh_from_next_h": "next_h is used where prev_h belongs",
    "backward_dwh_transposed": "dWh is wrong: it is transposed",
    "backward_db_not_summed": "summed on the way back",
    "backward_db_keeps_an_axis": "keepdims",
    "backward_db_mean": "N times too small",
    "backward_dnext_h_added": "only through Wh",
    "backward_other_order": "the order is",
    "backward_always_tanh": "though the activation is relu",
    "backward_relu_passes_zero": "exactly 0",
    "backward_writes_into_dnext_h": "changes its input dnext_h",
    "backward_writes_into_cache": "changes what lies in the cache (next_h)",
    "backward_relu_mask_in_the_cache": "changes what lies in the cache (next_h)",
    "backward_clears_next_h": "changes what lies in the cache (next_h)",
    "backward_writes_into_its_own_copy": "does the first call change something in it?",
    "backward_relu_not_negative": "so next_h >= 0 is always true",
    "backward_first_sequence_only": "dWx is wrong: only the first of the N sequences counts",
    "backward_first_sequence_for_all": "all N sequences get the gradient of the first",
    "backward_of_the_last_step": "two steps forward",
    "backward_of_a_wrong_forward": "first mend rnn_step_forward",
    "loss_summed": "sum over the real tokens",
    "loss_by_sentences": "divided by N (as CS231n",
    "loss_by_positions": "divided by N T",
    "loss_without_mask": "masked positions count as well",
    "loss_mask_not_in_gradient": "have a gradient",
    "loss_mask_as_lengths": "holes",
    "loss_mean_of_means": "short sentences",
    "loss_gradient_not_divided": "dx is wrong: it is not divided",
    "loss_gradient_without_one": "sums to 0",
    "loss_gradient_sign": "sign",
    "loss_overflowing": "largest score",
    "loss_one_maximum_for_all": "each token's largest",
    "loss_log_with_epsilon": "logarithm of a probability",
    "loss_divides_by_no_token": "divide by 0",
    "loss_base_two": "base 2",
    "loss_writes_into_scores": "changes its input x",
    "loss_not_reduced": "reduce it",
    "loss_sign": "the loss is wrong: its sign is wrong",
    "loss_over_time": "the loss is wrong: the softmax runs over the time steps",
    "loss_and_gradient_over_time": "dx is wrong: the softmax runs over the time steps",
    "loss_and_gradient_over_all": "dx is wrong: the softmax runs over all scores at once",
    "loss_guarded_division": "a little off (by 1e-09",
    "loss_last": "the loss comes first, then dx",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


FALSE_WORDS = {
    "one_hot_flattened": "keepdims",
    "one_hot_integers": "comes in",
    "forward_relu_then_tanh": "changes nothing",
    "forward_relu_upside_down": "changes nothing",
    "forward_relu_is_a_step": "changes nothing",
    "loss_summed": "logarithm of a probability",
    "loss_by_sentences": "logarithm of a probability",
    "loss_sign": "logarithm of a probability",
    "loss_base_two": "logarithm of a probability",
    "loss_last": "reduce it",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in case.message for case in judged(name).cases)


@pytest.mark.parametrize(
    "name", ["loss_summed", "loss_by_sentences", "loss_by_positions", "loss_sign", "loss_base_two"]
)
def test_a_wrong_factor_is_no_matter_of_far_scores_nor_of_a_batch_without_tokens(name):
    titles = {"no real token at all", "one score 1e4 above the others"}
    passed = {case.title for case in judged(name).cases if case.passed}
    assert titles <= passed


@pytest.mark.parametrize("name", ["backward_relu_mask_in_the_cache", "backward_clears_next_h"])
def test_writing_over_next_h_loses_points_although_each_gradient_is_right(name):
    failed = [case for case in judged(name).cases if not case.passed]
    assert failed
    assert all("lies in the cache" in case.message for case in failed)


def test_a_right_backward_after_a_wrong_forward_gets_nothing_and_is_told_why(solved):
    wrong = {**solved, "rnn_step_forward": ZOO["forward_without_bias"].function}
    report = run("rnn_step_backward", wrong)
    assert report.points == 0
    assert all(case.message.startswith("first mend rnn_step_forward") for case in report.cases)


def test_where_only_relu_is_wrong_forward_only_relu_is_lost_backward(solved):
    def forward(x, prev_h, Wx, Wh, b, activation="tanh"):
        return solved["rnn_step_forward"](x, prev_h, Wx, Wh, b)

    report = run("rnn_step_backward", {**solved, "rnn_step_forward": forward})
    failed = [case for case in report.cases if not case.passed]
    assert [case.title for case in failed] == ['all five, activation="relu"']
    assert failed[0].message.startswith("first mend rnn_step_forward")


def test_one_wrong_gradient_costs_its_own_case_and_those_that_ask_for_all(solved):
    report = checked(ZOO["backward_dwh_transposed"])
    assert [case.title for case in report.cases if case.passed] == ["dx", "dprev_h", "dWx", "db"]


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "five Nones": (None,) * 5,
    "two Nones": (None, None),
    "nested": ([[[]]], {"loss": 1}),
    "NaN": (np.nan, np.full((3, 4), np.nan)),
    "strings": (np.array(["a"]), np.array(["b"])),
    "complex": (1j, np.ones((2, 2), complex)),
    "too many": tuple(range(50)),
    "empty arrays": (np.zeros(0), np.zeros((0, 3))),
    "a type": float,
    "infinite": (np.inf, np.array(np.inf)),
    "masked": (np.ma.masked_all(3), 0.0),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk, solved):
    report = run(name, {**solved, name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def shaped_like(name, *args):
    """Zeros of the right shapes: the laziest answer."""
    if name == "one_hot":
        return np.zeros((*np.shape(args[0]), args[1]))
    if name == "rnn_step_forward":
        return np.zeros_like(args[1]), args[:5]
    if name == "rnn_step_backward":
        x, prev_h, Wx, Wh, *_ = args[1]
        return *map(np.zeros_like, (x, prev_h, Wx, Wh)), np.zeros(len(Wh))
    return 0.0, np.zeros_like(args[0])


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_next_to_nothing(name, solved):
    report = run(name, {**solved, name: lambda *args: shaped_like(name, *args)})
    assert report.points <= 0.2 * report.max_points, report


# ------------------------------------------------------------------------------- the cases


def recorded(name, solved):
    """All arguments with which the solution is called in the public check."""
    seen = []

    def recording(*args):
        seen.append(args)
        return solved[name](*args)

    run(name, {**solved, name: recording})
    return seen


@pytest.mark.parametrize("name", ["rnn_step_forward", "temporal_softmax_loss"])
def test_the_inputs_are_awkward_somewhere(name, solved):
    arrays = [a for args in recorded(name, solved) for a in args if isinstance(a, np.ndarray)]
    assert any(not a.flags.c_contiguous for a in arrays)
    assert any(not a.flags.writeable for a in arrays)
    assert any(stride < 0 for a in arrays for stride in a.strides)


def test_no_two_sizes_of_a_step_are_equal_and_nothing_is_saturated(solved):
    batches = [a for a in recorded("rnn_step_forward", solved) if np.abs(a[4]).max() < 2]
    random = [args for args in batches if np.all(args[0]) and np.all(args[1])]
    assert len(random) >= 4
    assert any(len(args[0]) == 1 for args in random)
    for x, prev_h, Wx, Wh, b, *_ in random:
        (N, D), H = x.shape, len(b)
        assert len({N, D, H}) == 3
        assert not np.array_equal(Wh, Wh.T)
        assert np.abs(solved["rnn_step_forward"](x, prev_h, Wx, Wh, b)[0]).max() < 0.9999


def test_the_masks_are_ragged_and_their_count_is_no_other_size(solved):
    masks = [args[2] for args in recorded("temporal_softmax_loss", solved) if args[2].size > 9]
    ragged = [mask for mask in masks if 1 < mask.sum() < mask.size]
    assert ragged
    for mask in ragged:
        N, T = mask.shape
        assert mask.sum() not in (N, T, N * T)
        lengths = np.arange(T) < mask.sum(1, keepdims=True)
        assert len(set(mask.sum(1))) > 1
        assert not np.array_equal(mask, lengths)
    shapes = {args[0].shape[:2] for args in recorded("temporal_softmax_loss", solved)}
    assert any(N == 1 < T for N, T in shapes)
    assert any(T == 1 < N for N, T in shapes)


def test_relu_is_never_asked_at_its_kink_but_where_that_is_the_case(solved):
    for args in recorded("rnn_step_forward", solved):
        x, prev_h, Wx, Wh, b = args[:5]
        if args[5:] == ("relu",):
            assert np.abs(x @ Wx + prev_h @ Wh + b).min() > 1 / 200


# ------------------------------------------------------------------------------- both ways


NOISY = """
import os, sys
import numpy as np

def one_hot(x, V):
    print("a line")
    os.write(1, b"straight to the descriptor")
    print("an error", file=sys.stderr)
    return np.eye(V)[x]

def dies_late(x, V, calls=[]):
    calls.append(1)
    if len(calls) > 3:
        os._exit(0)
    return np.eye(V)[x]

def hangs_on_batches(x, V):
    while np.ndim(x) == 2:
        pass
    return np.eye(V)[x]
"""


@pytest.fixture
def noisy(tmp_path):
    file = tmp_path / "noisy.py"
    file.write_text(NOISY)
    return file


def test_prints_on_the_far_side_do_not_disturb_the_check(noisy):
    with RemoteSubject("one_hot", noisy) as subject:
        assert run_check("one_hot", subject, salt="s").passed


def test_a_far_side_that_dies_keeps_what_it_had_earned(noisy):
    with RemoteSubject("one_hot", noisy, {"one_hot": "dies_late"}) as subject:
        report = run_check("one_hot", subject)
    assert [case.passed for case in report.cases] == [True, True, False, False, False]
    assert "ended in the middle" in report.cases[2].message
    assert report.points == 0.6


def test_a_far_side_that_hangs_fails_the_cases_that_remain(noisy):
    names = {"one_hot": "hangs_on_batches"}
    with RemoteSubject("one_hot", noisy, names, seconds=0.5) as subject:
        report = run_check("one_hot", subject)
    assert [case.passed for case in report.cases] == [True, False, False, False, False]
    assert "does a loop never end?" in report.cases[1].message
