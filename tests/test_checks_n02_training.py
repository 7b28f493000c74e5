import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from judging import run

from autograder.mutants import mutants
from autograder.zoo import checked, functions_of
from cs_caption.checks.chances import NATS, divergence, log_softmax
from cs_caption.checks.n02_hello_rnn import sample_characters as sampling
from cs_caption.checks.n02_hello_rnn import training_by_torch as by_torch
from cs_caption.checks.n02_hello_rnn.fix_min_char_rnn import _mistaken_network, _sure_network
from cs_caption.checks.n02_hello_rnn.networks import Tables, centred

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "solutions" / "02_hello_rnn" / "02_hello_rnn.py"
NAMES = [
    "word_embedding_forward",
    "word_embedding_backward",
    "sample_characters",
    "clip_gradients",
    "adagrad",
    "rmsprop",
    "fix_min_char_rnn",
]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}
FAULTS = [
    "chars_reversed",
    "chars_minus_by",
    "chars_by_does_not_learn",
    "chars_first_chunk_only",
]


@pytest.fixture(scope="module")
def solved():
    return {name: functions_of(SOLUTION)[name] for name in NAMES}


# ------------------------------------------------------------------------------- right answers


def embed_by_one_hot(x, W):
    vectors = np.eye(len(W))[x]  # (N, T, V)
    return [vectors @ W, {"vectors": vectors}]


def embed_back_by_one_hot(dout, cache):
    return np.tensordot(cache["vectors"], dout, axes=((0, 1), (0, 1)))


def sample_by_thresholds(p, h0, first, n, temperature=1.0, seed=0):
    rng, h, found = np.random.default_rng(seed), h0[0].copy(), np.zeros(n, np.int32)
    symbol = first
    for i in range(n):
        h = np.tanh(h @ p["Wh"] + p["Wx"][symbol] + p["b"])
        scores = p["by"] + h @ p["Wy"]
        if temperature > 0:
            noise = -np.log(-np.log(rng.random(len(scores))))  # Gumbel's: its maximum is a draw
            scores = scores / temperature + noise
        symbol = found[i] = np.argmax(scores)
    return found


def clip_flat(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([np.ravel(grad) for grad in grads.values()]))
    if norm <= max_norm:
        return dict(grads), norm
    return {name: grad / norm * max_norm for name, grad in grads.items()}, norm


def adagrad_with_out(w, dw, memory, learning_rate=0.1, eps=1e-8):
    total = np.hypot(np.sqrt(memory), dw) ** 2
    return [w + -learning_rate / (total + eps) ** 0.5 * dw, total]


def rmsprop_by_difference(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    total = memory + (1 - decay) * (np.square(dw) - memory)
    return [w + -learning_rate / (total + eps) ** 0.5 * dw, total]


def chars_with_lists(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Lists with room for each step, one-hot vectors in columns, as the lecture has them."""
    p = {name: np.array(weight) for name, weight in p.items()}
    memory, losses, at = {name: np.zeros(w.shape) for name, w in p.items()}, np.zeros(steps), 0
    h = np.zeros((len(p["b"]), 1))
    for n in range(steps):
        if at + seq_length + 1 > len(ids):
            at, h = 0, np.zeros_like(h)
        hs, back = [h], dict.fromkeys(p, 0)
        xs, errors = [], []
        for x, y in zip(ids[at:][:seq_length], ids[at + 1 :][:seq_length], strict=True):
            xs.append(np.eye(len(p["by"]))[:, [x]])
            hs.append(np.tanh(p["Wx"].T @ xs[-1] + p["Wh"].T @ hs[-1] + p["b"][:, None]))
            scores = p["Wy"].T @ hs[-1] + p["by"][:, None]
            log_p = scores - np.logaddexp.reduce(scores)
            losses[n] -= log_p[y, 0]
            errors.append(np.exp(log_p) - np.eye(len(log_p))[:, [y]])
        later = 0
        for t in range(seq_length - 1, -1, -1):
            da = (p["Wy"] @ errors[t] + later) * (1 - hs[t + 1] ** 2)
            parts = (xs[t] @ da.T, hs[t] @ da.T, da[:, 0], hs[t + 1] @ errors[t].T, errors[t][:, 0])
            for name, part in zip(("Wx", "Wh", "b", "Wy", "by"), parts, strict=True):
                back[name] = back[name] + part
            later = p["Wh"] @ da
        for name, grad in back.items():
            grad = np.maximum(np.minimum(grad, 5), -5)
            memory[name] += grad * grad
            p[name] -= learning_rate * grad / np.sqrt(memory[name] + 1e-8)
        h, at = hs[-1], at + seq_length
    return [p, losses]


OTHERS = {
    "word_embedding_forward": embed_by_one_hot,
    "word_embedding_backward": embed_back_by_one_hot,
    "sample_characters": sample_by_thresholds,
    "clip_gradients": clip_flat,
    "adagrad": adagrad_with_out,
    "rmsprop": rmsprop_by_difference,
    "fix_min_char_rnn": chars_with_lists,
}


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks(name):
    report = run(name, OTHERS, salt="another")
    assert report.passed, str(report)


# ------------------------------------------------------------------------------- wrong answers


@cache
def judged(name):
    return checked(ZOO[name], "salt")


WORDS = {
    "words_flattened": "flattened?",
    "words_from_one": "words count from 0",
    "words_one_too_far": "the row after the word's own",
    "words_time_first": "two axes are swapped",
    "words_first_sentence_for_all": "all sentences get the words of the first",
    "words_without_null": "a word like any other",
    "words_null_in_place": "changes its input W",
    "words_scaled": "its numbers are those of no row of W",
    "words_choose_columns": "the words choose rows of W",
    "words_back_last_token_missing": "the last token is left out",
    "words_back_last_of_each_missing": "the last word of each sentence is left out",
    "words_back_largest_missing": "the largest word that occurs gets no gradient",
    "words_back_into_the_cache": "it is twice what it should be",
    "words_back_assigned": "only its last occurrence counts",
    "words_back_buffered": "`dW[x] += dout` write each row once",
    "words_back_buffered_by_sentence": "twice in one sentence",
    "words_back_buffered_by_step": "at the same place of two sentences",
    "words_back_first_wins": "only its first occurrence counts",
    "words_back_sized_by_data": "V is the number of rows of W, whatever words occur",
    "words_back_averaged": "averaged over a word's occurrences",
    "words_back_mean_over_batch": "N times too small",
    "words_back_transposed": "it is transposed",
    "words_back_into_w": "W was written over",
    "words_back_starts_from_w": "a gradient starts from zeros",
    "words_back_without_null": "word 0 gets no gradient",
    "words_back_counts": "dout is ignored",
    "words_back_from_one": "one place too high",
    "words_back_scaled": "changes its input dout",
    "words_back_noise": "it must be exactly 0",
    "words_back_of_the_last_batch": "two steps forward",
    "words_back_of_a_wrong_forward": "first mend word_embedding_forward",
    "sample_temperature_multiplied": "the temperature multiplies the scores",
    "sample_chances_to_the_temperature": "the temperature multiplies the scores",
    "sample_chances_over_temperature": "the temperature is ignored",
    "sample_temperature_ignored": "the temperature is ignored",
    "sample_divides_by_zero": "at temperature 0 nothing is divided",
    "sample_best_read_back": "not read back in: read is the one with the highest score",
    "sample_state_carried_when_greedy_only": "the state is not carried on",
    "sample_greedy_below_a_third": "the symbol with the highest score comes every time",
    "sample_with_relu": "max(0, .) stands where tanh belongs",
    "sample_without_tanh": "the tanh is missing",
    "sample_without_b": "is b missing in the step",
    "sample_scores_before_it_reads": "the state before it reads",
    "sample_never_reads_first": "`first` is never read",
    "sample_not_read_back": "each symbol must be read back in",
    "sample_state_not_carried": "the state is not carried on",
    "sample_h0_ignored": "h0 is ignored",
    "sample_two_steps_a_symbol": "two steps for each symbol",
    "sample_without_by": "by is not added",
    "sample_minus_by": "by is subtracted",
    "sample_always_greedy": "the symbol with the highest score comes every time",
    "sample_never_greedy": "nothing is left to chance",
    "sample_lowest": "the lowest score wins",
    "sample_evenly": "all symbols are equally likely",
    "sample_with_first": "is `first` among them?",
    "sample_first_of_n": "`first` is in the list",
    "sample_one_short": "one is missing",
    "sample_reseeds": "is the generator made anew for each?",
    "sample_seeds_numpy": "a seed of np.random.default_rng may be as large as this",
    "sample_seed_ignored": "is `seed` used?",
    "sample_without_a_seed": "the same seed gives other symbols",
    "sample_one_generator": "the same seed gives other symbols",
    "sample_overflowing": "subtract the largest one first",
    "sample_state_in_place": "changes its input h0",
    "sample_scales_weights": "changes its input p",
    "sample_other_default_temperature": "in the stub's first line",
    "clip_as_in_the_lecture": "has the norm max_norm / norm, not max_norm",
    "clip_as_in_the_lecture_by_array": "the square root is missing",
    "clip_root_in_the_norm_only": "the square root is missing",
    "clip_compares_the_square": "the square root is missing",
    "clip_each_array": "each array is clipped by its own norm",
    "clip_each_entry": "each entry is cut off at max_norm",
    "clip_always": "scaled up to max_norm",
    "clip_never": "nothing is scaled",
    "clip_to_one": "max_norm left out",
    "clip_inverted": "the wrong way round",
    "clip_to_zero": "it is 0",
    "clip_in_place": "changes its input grads",
    "clip_norm_after": "the norm after, not the one before",
    "clip_sum_of_norms": "the norms of the arrays are added",
    "clip_largest_norm": "the largest of the arrays' norms",
    "clip_last_norm": "the norm of the last array alone",
    "clip_mean_square": "it is the mean, not the sum",
    "clip_sum_of_sizes": "the sizes of the entries are added",
    "clip_spectral": "largest singular value",
    "clip_nan_at_zero": "do not divide",
    "clip_with_epsilon": "was something small added",
    "clip_with_less_epsilon": "was something small added",
    "clip_where_one_array_is_long": "that of each array alone is not",
    "clip_where_an_entry_is_large": "nor the largest entry",
    "clip_drops_small": "clipped lacks",
    "clip_other_order": "clipped comes first",
    "adagrad_clips": "dw is clipped to 1",
    "adagrad_clips_the_step": "dw is clipped to 1",
    "rmsprop_clips": "dw is clipped to 1",
    "rmsprop_clips_the_step": "dw is clipped to 1",
    "adagrad_old_memory": "by the root of the old memory",
    "adagrad_eps_outside": "outside the root",
    "adagrad_without_eps": "eps keeps the divisor from being 0",
    "adagrad_remembers_eps": "eps is in it",
    "adagrad_forgets": "memory is ignored",
    "adagrad_without_square": "not their squares",
    "adagrad_without_root": "the root is missing",
    "adagrad_uphill": "uphill",
    "adagrad_multiplies": "divide",
    "adagrad_fades": "as RMSprop's",
    "adagrad_plain": "plain gradient descent",
    "adagrad_rate_ignored": "the default learning_rate is used",
    "adagrad_eps_ignored": "the default eps is used",
    "adagrad_memory_in_place": "changes its input memory",
    "adagrad_other_default_eps": "called without eps",
    "adagrad_other_order": "the order is next_w, next_memory",
    "adagrad_step_only": "add it to w",
    "rmsprop_decay_swapped": "decay and 1 - decay are swapped",
    "rmsprop_is_adagrad": "that is Adagrad's",
    "rmsprop_adds_all": "the new square is not multiplied",
    "rmsprop_keeps_all": "memory is not multiplied by decay",
    "rmsprop_squares_the_share": "1 - decay is squared",
    "rmsprop_own_decay": "the default decay is used",
    "rmsprop_other_default_decay": "called without decay",
    "rmsprop_share_of_the_step": "learning_rate is multiplied by 1 - decay",
    "rmsprop_corrects_its_bias": "as Adam corrects it",
    "rmsprop_memory_in_place": "changes its input memory",
    "chars_reversed": "in which order are they made?",
    "chars_reversed_with_room": "in which order are they made?",
    "chars_minus_by": "by is subtracted from the scores",
    "chars_without_by": "by is not added to the scores",
    "chars_by_does_not_learn": "by does not learn",
    "chars_lists": "an empty list has no place",
    "chars_first_chunk_only": "each step reads the first chunk again",
    "chars_state_reset": "not carried from chunk to chunk",
    "chars_state_kept_at_the_start": "zero again where the text starts again",
    "chars_last_chunk_dropped": "too early",
    "chars_dh_next_forgotten": "what comes back from the later steps is missing",
    "chars_wh_not_transposed": "Wh must be transposed",
    "chars_without_slope": "the derivative of tanh is missing",
    "chars_not_clipped": "the gradients are not clipped",
    "chars_clipped_by_norm": "clipped by their norm",
    "chars_remembers_unclipped": "remembered as it was",
    "chars_memory_lost": "the memory adds up",
    "chars_memory_of_ones": "the memory starts from 0",
    "chars_plain_descent": "plain gradient descent",
    "chars_uphill": "uphill",
    "chars_rate_ignored": "is learning_rate used?",
    "chars_eps_outside": "outside the root",
    "chars_overflowing": "is the highest one subtracted",
    "chars_mean_loss": "the mean over the chunk",
    "chars_mean_gradient": "seq_length times too small",
    "chars_p_in_place": "changes its input p",
    "chars_targets_are_inputs": "the targets are the inputs",
    "chars_stride_of_one": "one character further on, not seq_length",
    "chars_by_turned_in_the_gradient": "turn the sign in the scores, not in the gradient",
    "chars_last_state_before_the_first": "what is hs[-1] there?",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


FALSE_WORDS = {
    "sample_with_relu": "wrong: by is not added: ",
    "sample_scores_before_it_reads": "`first` is in the list",
    "sample_never_reads_first": "`first` is in the list",
    "clip_each_entry": "the square root is missing: ",
    "clip_with_epsilon": "scaled up to max_norm",
    "clip_with_less_epsilon": "scaled up to max_norm",
    "clip_one_long_list": "do not divide",
    "chars_targets_are_inputs": "is too long where its gradient is tiny",
    "chars_state_kept_at_the_start": "the second step of",
    "chars_by_turned_in_the_gradient": "uphill",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert not any(FALSE_WORDS[name] in message for message in words), words


def test_a_hint_is_for_the_errors_that_it_explains(solved):
    def stops(*args):
        raise ValueError("matmul: mismatch in its core dimension")

    for name in ("sample_characters", "clip_gradients"):
        report = run(name, {**solved, name: stops})
        assert not any(re.search("divide|overflow|as large", c.message) for c in report.cases)


@pytest.mark.parametrize("name", ["clip_with_epsilon", "clip_with_less_epsilon"])
def test_what_is_added_to_the_norm_costs_one_case(name):
    assert len([case for case in checked(ZOO[name]).cases if not case.passed]) == 1


@pytest.mark.parametrize(
    ("name", "most"), [("sample_best_read_back", 0.8), ("chars_stride_of_one", 0.86)]
)
def test_a_grave_mistake_costs_more_than_one_small_case(name, most):
    report = judged(name)
    assert report.points <= most * report.max_points


@pytest.mark.parametrize("name", FAULTS)
def test_four_of_five_faults_mended_give_about_four_fifths(name):
    report = judged(name)
    assert 0.69 <= report.points / report.max_points <= 0.86, str(report)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_is_left_fails_its_own_case_and_the_chunks_that_meet_it(name):
    own = {
        "chars_reversed": "the loss of a chunk, by = 0",
        "chars_minus_by": "a chunk of one character, by other than 0",
        "chars_by_does_not_learn": "by after a step",
        "chars_first_chunk_only": "one chunk after the other, of one character each",
    }
    failed = {case.title for case in checked(ZOO[name]).cases if not case.passed}
    longer = {
        "the gradients of Wx, Wh, b, Wy through a chunk",
        "one chunk after the other, of three characters each",
    }
    met = longer if name in ("chars_reversed", "chars_first_chunk_only") else set()
    assert failed - met == {own[name], "all together"}


@pytest.mark.parametrize("name", ["chars_lists", "chars_all_five"])
def test_a_listing_that_does_not_run_earns_nothing(name):
    assert judged(name).points == 0


def test_words_that_do_not_repeat_are_right_where_only_repeats_are_lost():
    passed = {case.title for case in checked(ZOO["words_back_assigned"]).cases if case.passed}
    assert passed == {"words that all differ", "words that do not occur: exactly zero"}


def test_a_temperature_that_multiplies_is_right_at_0_and_1():
    report = checked(ZOO["sample_temperature_multiplied"])
    assert [case.title for case in report.cases if not case.passed] == [
        "temperatures 1/2 and 2",
        "a temperature of 1/10, of scores close together",
        "scores near 10,000; temperatures of 1/1000 and a million",
    ]


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "two Nones": (None, None),
    "two empty dictionaries": ({}, {}),
    "a dictionary of junk": ({"Wx": None, "b": "b"}, np.nan),
    "nested": ([[[]]], {"loss": 1}),
    "NaN": (np.nan, np.full((3, 4), np.nan)),
    "strings": (np.array(["a"]), np.array(["b"])),
    "complex": (1j, np.ones((2, 2), complex)),
    "too many": tuple(range(50)),
    "empty arrays": (np.zeros(0), np.zeros((0, 3))),
    "an array of booleans": np.ones(18, bool),
    "negative": [-1] * 18,
    "a type": float,
    "infinite": (np.inf, np.array(np.inf)),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk, solved):
    report = run(name, {**solved, name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def laziest(name, *args):
    """Zeros of the right shapes, or what was given."""
    if name == "word_embedding_forward":
        x, W = args
        return np.zeros((*x.shape, W.shape[1])), None
    if name == "word_embedding_backward":
        return np.zeros(args[1][1])
    if name == "sample_characters":
        return [0] * args[3]
    if name == "clip_gradients":
        return {key: grad.copy() for key, grad in args[0].items()}, 1.0
    if name == "fix_min_char_rnn":
        return {key: weight.copy() for key, weight in args[1].items()}, [0.0] * args[2]
    return args[0].copy(), args[2].copy()


@pytest.mark.parametrize("name", NAMES)
def test_the_laziest_answer_earns_next_to_nothing(name, solved):
    report = run(name, {**solved, name: lambda *args: laziest(name, *args)})
    assert report.points <= 0.35 * report.max_points, str(report)


WORDS_BACK_FALSE = {
    "words_back_last_token_missing": "only its first occurrence counts (numeric",
    "words_back_largest_missing": "word 0 gets no gradient: it is a word like any other (numeric",
    "words_back_into_the_cache": "T times",
}


@pytest.mark.parametrize("name", WORDS_BACK_FALSE)
def test_no_case_blames_what_is_not_wrong_with_dW(name):
    assert not any(WORDS_BACK_FALSE[name] in case.message for case in judged(name).cases)


# ------------------------------------------------------------------------------- the cases


def recorded(name, solved, seed=None):
    """All arguments with which the solution is called in a check."""
    seen = []

    def recording(*args):
        seen.append(args)
        return solved[name](*args)

    run(name, {**solved, name: recording}, seed=seed)
    return seen


def test_words_repeat_and_the_largest_do_not_occur(solved):
    calls = recorded("word_embedding_forward", solved)
    assert all(x.max() < len(W) - 1 for x, W in calls)
    assert any(len(np.unique(x)) == x.size > 1 for x, _ in calls)
    in_a_row = [x for x, _ in calls if any(len(set(row)) < len(row) for row in x.tolist())]
    across = [x for x, _ in calls if len(x) > 1 and set(x[0].tolist()) & set(x[-1].tolist())]
    assert in_a_row
    assert across
    assert any(len(x) == 1 for x, _ in calls)
    assert any(x.shape[1] == 1 for x, _ in calls)
    assert any(W.shape[1] == 1 for _, W in calls)
    assert any(not x.flags.writeable and not W.flags.writeable for x, W in calls)


def test_no_two_sizes_of_a_look_up_are_equal(solved):
    for x, W in recorded("word_embedding_forward", solved):
        sizes = [n for n in (*x.shape, *W.shape) if n > 1]
        assert len(sizes) == len(set(sizes))


@pytest.mark.parametrize("seed", range(5))
def test_gradients_lie_on_both_sides_of_max_norm_and_on_it(seed, solved):
    norms = [
        (np.sqrt(sum(np.sum(grad**2) for grad in grads.values())), max_norm)
        for grads, max_norm in recorded("clip_gradients", solved, seed)
    ]
    assert any(norm == max_norm for norm, max_norm in norms)
    assert any(0 < norm < max_norm for norm, max_norm in norms)
    assert any(max_norm < norm and norm**2 < max_norm for norm, max_norm in norms)
    assert any(norm < max_norm < norm**2 for norm, max_norm in norms)


@pytest.mark.parametrize("seed", range(5))
def test_some_gradients_are_clipped_together_though_none_is_long_alone(seed, solved):
    for grads, max_norm in recorded("clip_gradients", solved, seed):
        norms = [np.linalg.norm(grad) for grad in grads.values()]
        if max(norms) < max_norm < 0.99 * np.linalg.norm(norms):
            return
    raise AssertionError("no such gradients")


@pytest.mark.parametrize("name", ["adagrad", "rmsprop"])
def test_gradients_are_below_1_and_far_above(name, solved):
    sizes = np.concatenate([np.abs(dw).ravel() for _, dw, *_ in recorded(name, solved)])
    assert np.mean(sizes < 1) > 0.2
    assert np.mean(sizes > 20) > 0.2


def test_eps_is_seen_where_it_stands(solved):
    for w, dw, memory, *rates in recorded("adagrad", solved):
        eps = rates[-1] if len(rates) == 2 else 1e-8
        under = memory + dw**2
        if eps and dw.all() and eps > 1e-3:
            assert np.max(np.abs(1 / np.sqrt(under + eps) - 1 / (np.sqrt(under) + eps))) > 1e-4
        assert w.shape == dw.shape == memory.shape


@pytest.mark.parametrize("seed", range(20))
def test_a_network_from_tables_scores_as_the_tables_say(seed):
    rng = np.random.RandomState(seed)
    V = int(rng.randint(2, 7))
    now, before = (centred(rng.standard_normal((V, V))) for _ in range(2))
    tables = Tables(now, before, rng.standard_normal(V))
    p, (first, x, y) = tables.p, rng.randint(0, V, 3)
    for start, previous in ((tables.state(first, y), first), (np.zeros((1, 2 * V)), None)):
        h = np.tanh(p["Wx"][x] + start @ p["Wh"] + p["b"])
        assert np.allclose(h @ p["Wy"] + p["by"], tables.scores(x, previous), atol=1e-12)
        h = np.tanh(p["Wx"][y] + h @ p["Wh"] + p["b"])
        assert np.array_equal(h, tables.state(y, x))


@pytest.mark.parametrize("seed", range(3))
def test_the_referee_trains_as_the_solution_does(seed, solved):
    rng = np.random.RandomState(seed)
    shapes = {"Wx": (4, 6), "Wh": (6, 6), "b": (6,), "Wy": (6, 4), "by": (4,)}
    p = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    ids = rng.randint(0, 4, 17)
    right, right_losses = by_torch.train(ids, p, [0, 5, 10, 0, 5], 5, 0.2)
    found, losses = solved["fix_min_char_rnn"](ids, p, 5, 5, 0.2)
    assert np.allclose(losses, right_losses, atol=1e-10)
    assert all(np.allclose(found[name], right[name], atol=1e-10) for name in p)


@pytest.mark.parametrize("seed", range(20))
def test_gradients_that_are_read_off_a_step_are_neither_lost_nor_saturated(seed):
    p, ids = _sure_network(np.random.RandomState(seed))
    _, grads, _ = by_torch.chunk(p, ids[:6], ids[1:7], np.zeros(len(p["b"])))
    for name, grad in grads.items():
        assert np.abs(grad).max() < 1e-2, name
        assert np.count_nonzero(np.abs(grad) > 1e-7) >= 3, name


@pytest.mark.parametrize("seed", range(20))
def test_of_the_second_step_some_gradients_are_beyond_5_and_some_are_not(seed, solved):
    p, ids = _mistaken_network(np.random.RandomState(seed))
    after, _ = solved["fix_min_char_rnn"](ids, p, 1, 1, 0.5)
    nothing = np.zeros(len(p["b"]))
    first, second = (by_torch.chunk(q, ids[:1], ids[1:], nothing)[1] for q in (p, after))
    beyond = np.abs(first["b"]) > 5
    assert 2 <= beyond.sum() < len(beyond)
    assert np.abs(first["Wy"]).max() <= 1 + 1e-9
    assert np.max(np.abs(first["b"] - second["b"])) > 0.1


def test_chance_stays_far_from_the_limits():
    rng, worst = np.random.RandomState(0), 0.0
    for _ in range(400):
        log_chances = log_softmax(sampling._ladder(rng, 4) / rng.choice([0.5, 1, 2]))
        counts = np.bincount(rng.choice(4, 1000, p=np.exp(log_chances)), minlength=4)
        nats = [divergence(n, 1000, c) for n, c in zip(counts, log_chances, strict=True)]
        worst = max(worst, *nats)
    assert 2 < worst < 15 < NATS


@pytest.mark.parametrize("by", [1 / 2, 2.0, np.log(2)])
@pytest.mark.parametrize("seed", range(3))
def test_a_temperature_that_is_another_is_seen(by, seed, solved):
    def other(p, h0, first, n, temperature=1.0, seed=0):
        return solved["sample_characters"](p, h0, first, n, temperature / by, seed)

    report = run("sample_characters", {"sample_characters": other}, seed=seed)
    passed = {case.title for case in report.cases if case.passed}
    both = {"temperature 1: how often each symbol comes", "temperatures 1/2 and 2"}
    assert not both <= passed
