from collections import Counter

import numpy as np
import pytest
from judging import judged, run

from autograder.mutants import mutants
from autograder.zoo import checked, solution_functions
from cs_caption.checks import exercises
from cs_caption.checks.n04_captioning.encode import draw_ragged
from cs_caption.checks.n04_captioning.rnn import draw_inputs
from cs_caption.checks.n04_captioning.vocabulary import draw_captions
from cs_caption.data.vocabulary import SPECIALS, Vocabulary

NAMES = ["build_vocabulary", "encode_captions", "caption_rnn_forward", "caption_rnn_backward"]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


# ------------------------------------------------------------------------------- right answers


def vocabulary_by_two_sorts(captions, min_count=1):
    seen = {}
    for caption in captions:
        for word in caption.split(" "):
            seen[word] = seen.get(word, 0) + 1
    words = sorted(word for word in seen if seen[word] >= min_count)
    words.sort(key=seen.get, reverse=True)
    rest = sum(n for word, n in seen.items() if word not in words)
    counts = [0, 0, len(captions), rest, *(np.int64(seen[word]) for word in words)]
    return ["<NULL>", "<START>", "<END>", "<UNK>", *words], counts


def vocabulary_of_the_package(captions, min_count=1):
    found = Vocabulary.build(captions, min_count)
    return found.words, found.counts


def vocabulary_by_numpy(captions, min_count=1):
    words, counts = np.unique(np.array(" ".join(captions).split()), return_counts=True)
    order = np.lexsort((words, -counts))
    words, counts = words[order], counts[order]
    kept = counts >= min_count
    first = (0, 0, len(captions), int(counts[~kept].sum()))
    return (*SPECIALS, *words[kept]), (*first, *counts[kept])


def encoded_by_columns(captions, words, max_words=16):
    number = Counter({word: i - 3 for i, word in enumerate(words)})  # an unknown word has 0
    rows = [caption.split(" ")[:max_words] for caption in captions]
    lengths = np.array([len(row) + 2 for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    tokens = np.zeros(mask.shape, np.int64)
    tokens[mask] = [n for row in rows for n in (1, *(number[w] + 3 for w in row), 2)]
    return [tokens, mask]


def forward_in_one_product(x, v, Wx, Wh, Wih, b, every_step=True):
    N, T = x.shape[:2]
    pictures = np.zeros((N, T, v.shape[1]))
    pictures[:, : T if every_step else 1] = v[:, None]
    h = np.zeros((N, T + 1, len(b)))
    for t in range(T):
        inputs = np.hstack([x[:, t], pictures[:, t], h[:, t - 1] if t else h[:, -1]])
        h[:, t] = np.tanh(inputs @ np.vstack([Wx, Wih, Wh]) + b)
    return [h[:, :-1], {"in": (x.copy(), pictures), "h": h.copy(), "W": (Wx, Wh, Wih)}]


def backward_in_one_product(dh, cache):
    (x, pictures), h, (Wx, Wh, Wih) = cache["in"], cache["h"], cache["W"]
    das, arriving = np.zeros(dh.shape), 0.0
    for t in range(dh.shape[1] - 1, -1, -1):
        das[:, t] = (dh[:, t] + arriving) * (1 - h[:, t] ** 2)
        arriving = das[:, t] @ Wh.T
    steps = ((0, 1), (0, 1))
    dWx, dWih = (np.tensordot(each, das, steps) for each in (x, pictures))
    dWh = np.tensordot(np.roll(h, 1, axis=1)[:, :-1], das, steps)
    let_in = pictures.any(axis=(0, 2))
    return [das @ Wx.T, das[:, let_in].sum(1) @ Wih.T, dWx, dWh, dWih, das.sum((0, 1))]


OTHERS = {
    "build_vocabulary": vocabulary_by_two_sorts,
    "encode_captions": encoded_by_columns,
    "caption_rnn_forward": forward_in_one_product,
    "caption_rnn_backward": backward_in_one_product,
}


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks(name):
    report = run(name, OTHERS, salt="another")
    assert report.passed, report


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks_without_torch(name, no_torch):
    report = run(name, OTHERS, salt="another")
    assert report.passed, report


@pytest.mark.parametrize("function", [vocabulary_of_the_package, vocabulary_by_numpy])
def test_counts_as_an_array_tuples_and_words_of_numpy_get_full_marks(function):
    report = run("build_vocabulary", {"build_vocabulary": function}, salt="types")
    assert report.passed, report


# ------------------------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("min_count", [1, 2, 3])
def test_captions_are_drawn_with_words_seen_equally_often_and_words_twice_in_one(min_count):
    for seed in range(30):
        captions = draw_captions(np.random.RandomState(seed), min_count)
        seen = Counter(word for caption in captions for word in caption.split())
        once = Counter(word for caption in captions for word in set(caption.split()))
        assert max(Counter(seen.values()).values()) > 2
        assert once != seen
        assert min_count in seen.values()
        assert len(set(captions)) < len(captions)


def test_captions_to_encode_are_drawn_with_different_lengths_and_numbers_beyond_a_byte():
    for seed in range(30):
        captions, words, _ = draw_ragged(np.random.RandomState(seed))
        lengths = [len(caption.split()) for caption in captions]
        assert len(set(lengths)) == len(lengths)
        assert max(words.index(word) for caption in captions for word in caption.split()) > 255


def test_sequences_are_drawn_with_different_sizes_and_few_saturated_states():
    for seed in range(100):
        x, v, *weights = draw_inputs(np.random.RandomState(seed))
        sizes = (*x.shape, v.shape[1], len(weights[1]))
        assert len(set(sizes)) == len(sizes)
        for every_step in (True, False):
            h = forward_in_one_product(x, v, *weights, every_step)[0]
            assert np.mean(np.abs(h) > 0.95) < 0.25
            assert np.max(np.abs(h)) < 1 - 1e-9


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "words_min_count_exclusive": "words seen exactly min_count times are left out",
    "words_min_count_ignored": "min_count is ignored",
    "words_ties_as_they_come": "in the order in which they come first, not by letters",
    "words_ties_reversed": "in the reverse order of their letters",
    "words_by_letters": "that is for words seen equally often",
    "words_as_they_come": "the most frequent comes first",
    "words_rare_first": "the least frequent comes first",
    "words_by_set": "not once a caption",
    "words_special_missing": "the special ones are not there, the others are right",
    "words_special_last": "they are at the end",
    "words_special_order": "in this order",
    "words_of_letters": "they are letters",
    "words_made_small": "capitals are made small",
    "words_of_letters_only": "words with other signs than letters are left out",
    "words_with_specials_counted": "a second time",
    "words_at_most_twelve": "there are 5 (as '",
    "words_as_text": "words is of type str",
    "words_of_different_captions": "a caption that comes twice is counted once",
    "words_loop_over_a_set": "the count of a word is wrong: a caption that comes twice",
    "words_end_by_a_set": "each caption ends once, also one that comes twice",
    "words_ties_by_small_letters": "capitals come before small letters",
    "words_of_all_captions_joined": "the first of the next are joined",
    "words_without_points": "points at the ends of words are cut off",
    "words_default_two": "where none is given it is not: 1 is the default",
    "words_captions_sorted_in_place": "sorted(captions) makes one",
    "words_list_of_pairs": "expected the 2 results (words, counts)",
    "words_as_a_dict": "words is of type dict",
    "words_counts_first": "the results are in another order",
    "words_end_not_counted": "the count of <END> is wrong: it is to be predicted as well",
    "words_start_counted": "the count of <START> is wrong",
    "words_unk_not_counted": "here it is 0",
    "words_unk_once_each": "each is counted once, however often",
    "words_counts_of_words_alone": "the special ones have theirs too",
    "words_counts_sorted_apart": "counts[k] is that of words[k]",
    "words_counts_as_shares": "a list of whole numbers",
    "words_captions_split_in_place": "changes its input captions",
    "encode_without_end": "<END> is missing",
    "encode_without_start": "<START> is missing",
    "encode_end_after_padding": "behind the padding",
    "encode_end_cut_off": "the whole row is cut to max_words",
    "encode_end_of_long_ones_lost": "<END> is cut off with the words",
    "encode_markers_counted": "<START> and <END> are counted in max_words",
    "encode_not_cut": "longer captions are not cut",
    "encode_last_words_kept": "the last max_words words are kept",
    "encode_letters_cut": "longer captions are cut by letters",
    "encode_always_max_words": "T is max_words and two whatever the captions",
    "encode_t_before_the_cut": "before the cut",
    "encode_unknown_dropped": "an unknown word is left out",
    "encode_unknown_as_null": "an unknown word becomes <NULL>",
    "encode_padded_in_front": "the padding stands in front",
    "encode_padded_with_end": "the padding is <END>",
    "encode_padded_with_unk": "the padding is <UNK>",
    "encode_lists": "make one array of the rows",
    "encode_floats": "it must be int64",
    "encode_bytes": "where a word belongs",
    "encode_time_first": "the rows are transposed",
    "encode_longest_first": "the captions come in another order",
    "encode_words_from_zero": "the words count from 0",
    "mask_without_end": "<END> is False",
    "mask_without_start": "<START> is False",
    "mask_of_words": "<START> and <END> are False",
    "mask_without_unk": "<UNK> is False",
    "mask_inverted": "the other way round",
    "mask_all_true": "True everywhere",
    "mask_of_ones": "it must be bool",
    "mask_of_targets": "as tokens",
    "mask_first": "the results are in another order",
    "encode_sorts_the_captions": "changes its input captions: work on lists of your own",
    "encode_default_fifteen": "16 is the default",
    "encode_rows_by_caption": "has two rows; here it has one",
    "encode_rows_found_by_index": "captions.index(caption) finds the first",
    "encode_made_small": "capitals are made small: take each word as it stands",
    "encode_points_cut_off": "points at the ends of words are cut off",
    "encode_hyphens_split": "words are split at hyphens",
    "encode_plural_guessed": "an s at the end of",
    "encode_beginning_guessed": "an unknown word becomes a word that begins with it",
    "caption_v_ignored": "v is ignored",
    "caption_every_step_always": "at every step, though every_step is False",
    "caption_every_step_never": "at step 0 alone, though every_step is True",
    "caption_h0_of_the_picture": "tanh(v Wih) is the state before step 0",
    "caption_h0_without_tanh": "v Wih is the state before step 0",
    "caption_h0_as_well": "v Wih is the state before step 0 as well",
    "caption_step_of_its_own": "nor a step of the picture's own",
    "caption_v_after_the_tanh": "it is added after the tanh",
    "caption_relu": "max(0, .) where tanh belongs",
    "caption_bias_missing": "b is not added",
    "caption_bias_with_the_picture": "h[:, 0] and no picture: b is not added",
    "caption_wh_transposed": "multiplies by Wh transposed",
    "caption_state_not_handed_on": "hand the state on from step to step",
    "caption_first_word_always": "every step reads the first input",
    "caption_last_step_missing": "is that step left out?",
    "caption_last_state_only": "not of one alone",
    "caption_time_first": "stack the states along axis 1",
    "caption_one_picture_for_all": "all captions get the first row of v",
    "caption_picture_at_the_end": "v Wih is let in at the last step alone",
    "caption_float32": "float32",
    "caption_without_cache": "the 2 results (h, cache)",
    "caption_tanh_by_exp": "use np.tanh",
    "caption_into_x": "changes its input x",
    "caption_one_array": "written over by the second",
    "caption_rows_in_a_row": "starts from the end of the one before",
    "caption_v_clipped": "h is wrong where v is large",
    "caption_small_inputs_dropped": "h is wrong where x is small",
    "caption_sum_handed_on": "the sum is handed on before the tanh",
    "caption_back_squares_the_cache": "it changes what lies in the cache (h)",
    "caption_back_clipped": "is something clipped",
    "caption_back_clipped_late": "is something clipped",
    "caption_back_small_dropped": "are small entries made 0",
    "caption_back_adds_up": "`=`, not `+=`",
    "caption_back_hands_on_dh": "dh of a step goes back to the step before it as well",
    "caption_back_db_of_all_units": "it is one number, the sum over all units",
    "caption_back_flag_in_a_global": "a global holds",
    "caption_back_of_one_buffer": "all states in the cache are the last",
    "caption_back_dv_of_step_0": "only step 0 counts",
    "caption_back_dv_of_the_last_step": "only the last step counts: v goes into each",
    "caption_back_dv_at_every_step": "dv is wrong: every step counts",
    "caption_back_dwih_at_every_step": "dWih is wrong: every step counts",
    "caption_back_picture_before_the_loop": "with every_step=False v goes into step 0",
    "caption_back_dwih_overwritten": "by `=` where `+=` belongs",
    "caption_back_dv_mean": "T times too small",
    "caption_back_dv_of_the_batch": "it is summed over the batch",
    "caption_back_not_through_time": "no gradient passes from step to step",
    "caption_back_without_slope": "the derivative of tanh is missing",
    "caption_back_slope_without_square": "the square in the derivative of tanh is missing",
    "caption_back_tanh_twice": "tanh is applied to h a second time",
    "caption_back_wh_not_transposed": "Wh must be transposed on the way back",
    "caption_back_late_states": "taken where the one before it belongs",
    "caption_back_last_state_first": "is it h[:, t - 1] at t = 0?",
    "caption_back_dwh_transposed": "dWh is wrong: it is transposed",
    "caption_back_dwx_overwritten": "dWx is wrong: only the first step counts",
    "caption_back_db_mean": "N times too small",
    "caption_back_db_a_row_each": "summed on the way back",
    "caption_back_last_loss_only": "only the last step has a loss",
    "caption_back_dh_reversed": "dh is read in the reverse order",
    "caption_back_first_step_missing": "the first step is left out",
    "caption_back_without_picture": "dv is wrong: it is 0 everywhere",
    "caption_back_other_order": "the order is dx, dv",
    "caption_back_cut_at_zero_losses": "but with a loss at the last step only",
    "caption_back_into_dh": "changes its input dh",
    "caption_back_into_the_cache": "it changes what lies in the cache (h)",
    "caption_back_of_the_last_call": "a global holds",
    "caption_back_of_a_wrong_forward": "first mend caption_rnn_forward",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


FALSE_WORDS = {
    "words_end_not_counted": "words is wrong",
    "words_counts_sorted_apart": "is not as often",
    "mask_without_end": "tokens is wrong",
    "encode_floats": "mask is",
    "encode_padded_with_unk": "mask is",
    "encode_cut_at_sixteen": "<END> is cut off",
    "encode_default_fifteen": "counted in max_words",
    "words_default_two": "exactly min_count",
    "caption_back_squares_the_cache": "clipped",
    "caption_back_into_the_cache": "right with a loss at every step",
    "caption_state_not_handed_on": "b is not added",
    "caption_last_step_missing": "b is not added",
    "caption_every_step_never": "state before step 0",
    "caption_back_dv_of_step_0": "dWih is wrong",
    "caption_back_dwh_transposed": "dx is wrong",
    "caption_back_wh_not_transposed": "derivative",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in case.message for case in judged(name).cases)


def passed(name):
    return [case.title for case in judged(name).cases if case.passed]


def test_counts_are_judged_although_the_words_stand_in_another_order():
    assert passed("words_ties_as_they_come") == [
        "capitals, hyphens, points: each word as it stands",
        "counts of the words",
        "counts of <NULL>, <START> and <END>",
        "count of <UNK>: with a min_count of 1, of 3",
    ]


def test_a_wrong_mask_costs_no_tokens():
    assert [title for title in passed("mask_without_end") if "tokens" in title] == [
        'two captions, "a straw hat" and "hat": the tokens',
        "captions of different lengths: the tokens",
        "unknown words: the tokens",
        "words that are nearly known ones (capitals, points, hyphens, endings): the tokens",
    ]


def test_a_mask_counts_although_the_tokens_are_wrong():
    assert "captions of different lengths: the mask" in passed("encode_padded_with_unk")


def test_where_only_every_step_is_ignored_the_picture_at_every_step_counts():
    failed = [case.title for case in judged("caption_every_step_always").cases if not case.passed]
    assert "a batch of captions, the picture at every step" not in failed
    assert "a batch of captions, every_step=False" in failed


def test_one_wrong_gradient_costs_its_own_case_and_those_that_ask_for_all():
    assert passed("caption_back_dwh_transposed") == [
        *("dx", "dv", "dWx", "dWih", "db"),
        "dv and dWih, every_step=False",
        "all six, a single step (T = 1)",
    ]


def test_a_right_backward_after_a_wrong_forward_gets_nothing_and_is_told_why():
    wrong = {"caption_rnn_forward": ZOO["caption_relu"].function}
    report = run("caption_rnn_backward", solution_functions("caption_rnn_backward") | wrong)
    assert report.points == 0
    assert all(case.message.startswith("first mend caption_rnn") for case in report.cases)


def test_where_forward_is_wrong_at_step_0_alone_only_those_gradients_are_lost():
    wrong = {"caption_rnn_forward": ZOO["caption_every_step_always"].function}
    report = run("caption_rnn_backward", solution_functions("caption_rnn_backward") | wrong)
    failed = [case.title for case in report.cases if not case.passed]
    assert failed
    assert all("every_step=False" in title for title in failed)


@pytest.mark.parametrize("name", ["caption_back_adds_up", "caption_back_of_one_buffer"])
def test_after_many_steps_too_it_is_said_what_is_probably_wrong(name):
    (told,) = (case.message for case in judged(name).cases if "T = 24" in case.title)
    assert WORDS[name] in told


def test_without_torch_a_sum_that_is_handed_on_before_the_tanh_is_named(no_torch):
    told = [case.message for case in checked(ZOO["caption_sum_handed_on"]).cases]
    assert any("the sum is handed on before the tanh" in message for message in told)


def test_without_torch_the_first_wrong_step_and_its_missing_term_are_named(no_torch):
    told = [case.message for case in checked(ZOO["caption_every_step_never"]).cases]
    words = "h[:, 1] is not what step 1 makes of x[:, 1], h[:, 0] and v: v Wih is not let in"
    assert words in told


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "two Nones": (None, None),
    "two empty lists": ([], []),
    "lists of lists": ([[]], [[]]),
    "lists of Nones": ([None], [None]),
    "arrays without axes": (np.array(1.0), np.array(True)),
    "empty arrays": (np.zeros((0, 0), np.int64), np.zeros((0, 0), bool)),
    "arrays of text": (np.array([["a"]]), np.array([[True]])),
    "NaN": (np.full((3, 4), np.nan), np.full((3, 4), np.nan)),
    "six arrays": tuple(np.zeros((2, 2)) for _ in range(6)),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", JUNK)
def test_whatever_comes_back_the_check_has_words_for_it(name, what):
    functions = {need: OTHERS[need] for need in exercises()[name].needs}
    report = run(name, functions | {name: lambda *args: JUNK[what]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)
