"""The checks of sequence_log_prob, length_normalized_score and beam_search."""

import heapq
import math

import numpy as np
import pytest
from judging import judged, run

from autograder.mutants import mutants
from autograder.zoo import solution_functions
from cs_caption.checks.built import make
from cs_caption.checks.n05_beam_and_metrics import beam as beams
from cs_caption.checks.n05_beam_and_metrics.searches import (
    Rules,
    alike,
    everything,
    log_prob_of,
    search,
)
from cs_caption.checks.n05_beam_and_metrics.tables import draw_table

NAMES = ("sequence_log_prob", "length_normalized_score", "beam_search")
ZOO = [mutant.name for mutant in mutants() if mutant.exercise in NAMES]

# ------------------------------------------------------------------------------- right answers


def sequence_one_step_too_many(step, state, tokens, start=1):
    """The last word is read as well, though nothing is looked up after it."""
    total = 0.0
    rows, state = step(np.array([start]), state)
    for token in tokens:
        total += rows[0][token]
        rows, state = step(np.array([token]), state)
    return float(total)


def sequence_by_recursion(step, state, tokens, start=1):
    if not tokens:
        return 0.0
    (row,), after = step(np.full(1, start, dtype=np.int32), state)
    return row[tokens[0]] + sequence_by_recursion(step, after, tokens[1:], tokens[0])


def normalized_by_numpy(log_prob, length, alpha=1.0):
    return np.divide(log_prob, np.power(np.asarray(length, dtype=float), alpha))


def normalized_by_logarithms(log_prob, length, alpha=1.0):
    return log_prob * np.exp(-alpha * np.log(length))


def beam_in_arrays(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Always `beam` rows; those that have ended are stepped too, and may only end again."""
    state = np.repeat(state, beam, axis=0)
    totals = np.full(beam, -np.inf)
    totals[0] = 0.0
    said, lengths = np.full((beam, max_len), end), np.zeros(beam, dtype=int)
    ended, last = np.zeros(beam, dtype=bool), np.full(beam, start)
    for t in range(max_len):
        rows, state = step(last, state)
        rows[ended] = -np.inf
        rows[ended, end] = 0.0
        V = rows.shape[1]
        sums = totals[:, None] + rows
        scores = sums / (lengths + ~ended)[:, None] ** alpha
        order = np.argsort(-scores, axis=None)[:beam]
        parents, last = np.divmod(order, V)
        totals, said, state = sums.flat[order], said[parents], state[parents]
        said[:, t] = last
        lengths = (lengths + ~ended)[parents]
        ended = ended[parents] | (last == end)
    return [
        (row[:n].tolist(), float(total))
        for row, n, total in zip(said, lengths, totals, strict=True)
        if np.isfinite(total)
    ]


def beam_by_heap(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """One row at a time, all of the vocabulary, the largest of a heap."""
    found = [(0.0, (), state)]
    for _ in range(max_len):
        ways = []
        for total, tokens, now in found:
            if tokens[-1:] == (end,):
                ways.append((total, tokens, now))
                continue
            (row,), after = step(np.array([tokens[-1] if tokens else start]), now)
            ways += [(total + gain, (*tokens, word), after) for word, gain in enumerate(row)]
        ways = [way for way in ways if math.isfinite(way[0])]
        found = heapq.nlargest(beam, ways, key=lambda way: way[0] / len(way[1]) ** alpha)
    return [([int(w) for w in tokens], float(total)) for total, tokens, _ in found]


def beam_of_the_package(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    torch = pytest.importorskip("torch")
    from cs_caption.decoding import beam_search

    def step_of_tensors(tokens, now):
        return tuple(torch.tensor(part) for part in step(tokens.numpy(), now.numpy()))

    (found,) = beam_search(
        step_of_tensors,
        torch.tensor(state.copy()),
        beam=beam,
        max_len=max_len,
        start=start,
        end=end,
        length_penalty=alpha,
    )
    return [(list(each.tokens), each.log_prob) for each in found]


def beam_of_rows_with_columns(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """state[row, :] of each, and np.vstack of them."""
    found = [([], 0.0, state[0, :])]
    for _ in range(max_len):
        live = [way for way in found if way[0][-1:] != [end]]
        if not live:
            break
        last = np.array([tokens[-1] if tokens else start for tokens, _, _ in live])
        rows, after = step(last, np.vstack([now for _, _, now in live]))
        ways = [way for way in found if way[0][-1:] == [end]]
        for at, (tokens, total, _) in enumerate(live):
            for word in np.flatnonzero(np.isfinite(rows[at, :])).tolist():
                ways.append(([*tokens, word], total + float(rows[at, word]), after[at, :]))
        ways.sort(key=lambda way: way[1] / len(way[0]) ** alpha, reverse=True)
        found = ways[:beam]
    return [(tokens, total) for tokens, total, _ in found]


OTHERS = [
    ("beam_search", beam_of_rows_with_columns),
    ("sequence_log_prob", sequence_one_step_too_many),
    ("sequence_log_prob", sequence_by_recursion),
    ("length_normalized_score", normalized_by_numpy),
    ("length_normalized_score", normalized_by_logarithms),
    ("beam_search", beam_in_arrays),
    ("beam_search", beam_by_heap),
    ("beam_search", beam_of_the_package),
]


@pytest.mark.parametrize(("name", "function"), OTHERS)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(4):
        report = run(name, {name: function}, salt="another", seed=seed)
        assert report.passed, str(report)


# ------------------------------------------------------------------------------- wrong answers

_AS_PROBABILITY = "the probabilities are multiplied: it is their product"

WORDS = {
    "sequence_product": _AS_PROBABILITY,
    "sequence_log_of_product": "too small for a float",
    "sequence_sum_of_probabilities": "probabilities are added: add their logarithms",
    "sequence_log_of_sum": "or of a sum of probabilities",
    "sequence_mean": "divided by the number of words",
    "sequence_nan_without_words": "it returns NaN",
    "sequence_sign": "its sign is wrong",
    "sequence_base_two": "to base 2",
    "sequence_without_end": "<END> is left out of the sum",
    "sequence_end_added": "<END> is added to a sentence that has not ended",
    "sequence_end_twice": "the last word counts twice",
    "sequence_first_left_out": "the first word is left out of the sum",
    "sequence_start_twice": "`start` is read twice",
    "sequence_start_is_one": "word 1 is read first, not `start`",
    "sequence_start_is_null": "word 0 is read first, not `start`",
    "sequence_start_never_read": "the first word is read in the place of `start`",
    "sequence_read_then_looked_up": "looked up after it was read, not before",
    "sequence_not_read_on": "each word must be read to make the next",
    "sequence_state_dropped": "the state is not carried on",
    "sequence_of_the_best": "the most probable word of each step is added up",
    "sequence_padding_left_out": "word 0 is left out of the sum: here it is a word",
    "sequence_floored": "and so is the sentence",
    "sequence_a_row": "log_probs[0, token]",
    "sequence_pops": "changes its input tokens",
    "sequence_state_in_place": "read-only",
    "sequence_a_number_read": "of type int: expected a NumPy array",
    "sequence_stops_at_two": "it stops at word 2",
    "sequence_remembers": "nothing may be remembered from call to call",
    "sequence_reads_the_best": "what is read is the most probable word",
    "sequence_clipped": "more probable than they are",
    "normalized_multiplied": "the penalty divides",
    "normalized_alpha_ignored": "alpha is not used",
    "normalized_alpha_times_length": "alpha multiplies length",
    "normalized_turned_round": "length is the power of alpha: turn them round",
    "normalized_one_more": "add nothing to it",
    "normalized_one_less": "take nothing from length",
    "normalized_whole_quotient": "the whole quotient is raised",
    "normalized_root_of_the_quotient": "only whole powers are real",
    "normalized_each_by_each": "divided by each length, not by its own",
    "normalized_exponent_cut_down": "alpha is cut to a whole number",
    "normalized_exponent_at_most_one": "alpha is cut at 1",
    "normalized_as_in_translation": "((5 + length) / 6)",
    "normalized_bonus": "something is added for each word",
    "normalized_as_probability": "it is made a probability at the end",
    "normalized_by_logarithm": "divided by a logarithm of length",
    "normalized_by_longest": "the longest of the lengths",
    "normalized_by_count": "divided by the number of sentences",
    "normalized_floored": "divide by /, not by //",
    "normalized_one_sentence": "stopped with TypeError",
    "normalized_pairwise": "stopped with ValueError",
    "normalized_as_list": "expected a float64 array",
    "normalized_in_place": "read-only",
    "normalized_exponent_below_zero": "Integers to negative integer powers",
    "normalized_without_infinity": "-inf stays -inf",
    "normalized_other_default": "in the stub's first line",
    "beam_of_one": "`beam` is not used",
    "beam_best_only": "it returns the best sentence only",
    "beam_a_bare_pair": "expected a list",
    "beam_worst_first": "the worst comes first",
    "beam_one_way_each": "after the first step only the best word goes on",
    "beam_best_parent_only": "only the best beginning is extended",
    "beam_sum_of_probabilities": "it adds probabilities: add their logarithms",
    "beam_product_of_probabilities": "log_prob is a probability",
    "beam_as_costs": "the sign of log_prob is wrong",
    "beam_state_dropped": "the state is not carried on",
    "beam_not_read_on": "must be read to make the next",
    "beam_not_frozen": "it is not extended any more (cut off afterwards",
    "beam_not_frozen_nor_cut": "it is not extended any more",
    "beam_pays_for_end_again": "nothing is added for it at later steps",
    "beam_ended_are_lost": "sentences that have ended are lost",
    "beam_ended_put_apart": "lose them where enough others are better",
    "beam_apart_until_enough": "fewer than max_len words",
    "beam_shrinks": "lose them where enough others are better",
    "beam_best_has_ended": "it stops when the best has ended",
    "beam_one_has_ended": "it stops when the first has ended",
    "beam_ended_only": "only sentences that have ended are returned",
    "beam_end_forced": "more than max_len",
    "beam_end_taken_off": "<END> is missing",
    "beam_start_in_front": "<START> is in the lists",
    "beam_end_is_free": "<END> is left out of log_prob",
    "beam_one_short": "a word less than max_len",
    "beam_one_long": "a word more than max_len",
    "beam_start_is_one": "word 1 is read first, not `start`",
    "beam_end_is_two": "sentences end with word 2, not with `end`",
    "beam_without_alpha": "alpha is not used",
    "beam_alpha_at_last": "they decide at every step what is kept",
    "beam_sorted_by_sum": "the list is sorted by log_prob",
    "beam_length_of_the_step": "with the number of the step",
    "beam_length_without_end": "it counts in the length",
    "beam_length_with_start": "it does not count in the length",
    "beam_penalty_multiplied": "multiplied by a power of the length",
    "beam_divides_what_it_carries": "divide only to compare",
    "beam_returns_scores": "the score is returned in the place of log_prob",
    "beam_impossible_words": "log_prob is -inf",
    "beam_half_as_many_ways": "too few words go on from each",
    "beam_rows_not_moved": "state[rows]",
    "beam_all_alike": "at the first step there is one beginning",
    "beam_not_wider_than_the_vocabulary": "out of bounds",
    "beam_state_in_place": "read-only",
    "beam_float_tokens": "expected whole numbers",
    "beam_tuples": "expected a list",
    "beam_number_first": "in the pairs log_prob comes first",
    "beam_states_too": "expected pairs (tokens, log_prob)",
    "beam_cut_when_it_returns": "it cuts at the end only",
    "beam_shared_lists": "[*tokens, word] makes a new one",
    "beam_rows_of_nothing": "np.array([]) is of floats",
    "beam_stacks_nothing": "there is no row to take or to step",
    "beam_specials_left_out": "words 0 and 3 are never said",
    "beam_improbable_words": "words that are very improbable are left out",
    "beam_five_ways": "too few words go on from each",
    "beam_as_in_translation": "(5 + length) / 6, as in translation",
}


def told(name):
    return [case.message for case in judged(name).cases if not case.passed]


def test_every_mutant_has_its_words():
    assert list(WORDS) == ZOO


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    assert any(WORDS[name] in message for message in told(name)), told(name)


FALSE_WORDS = {
    "sequence_log_of_product": "product, not its logarithm",
    "sequence_start_is_one": "word 0",
    "normalized_in_place": "the score is wrong",
    "sequence_remembers": "not carried on",
    "normalized_exponent_cut_down": "nothing is divided",
    "normalized_exponent_at_most_one": "alpha is not used",
    "normalized_each_by_each": "on the way back",
    "beam_cut_when_it_returns": "one more than",
    "beam_one_way_each": "one more than",
    "beam_as_in_translation": "alpha is not used",
    "beam_specials_left_out": "empty list",
    "beam_shared_lists": "after <END>",
    "beam_without_alpha": "<END> is one of the words",
    "beam_not_frozen": "state",
    "beam_state_dropped": "state[rows]",
    "beam_rows_not_moved": "not carried on",
    "beam_best_has_ended": "put aside",
    "beam_shrinks": "it stops",
    "beam_end_is_two": "`start`",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in message for message in told(name)), told(name)


@pytest.mark.parametrize(
    "name",
    [
        "sequence_log_of_product",
        "sequence_nan_without_words",
        "sequence_pops",
        "sequence_state_in_place",
        "normalized_other_default",
        "beam_tuples",
        "beam_state_in_place",
        "beam_start_is_one",
    ],
)
def test_what_is_right_but_for_one_thing_costs_one_case(name):
    assert sum(not case.passed for case in judged(name).cases) == 1


@pytest.mark.parametrize(
    "name", ["beam_not_frozen", "beam_best_has_ended", "beam_shrinks", "beam_without_alpha"]
)
def test_a_search_that_is_wrong_where_sentences_end_gets_something_for_the_rest(name):
    passed = {case.title for case in judged(name).cases if case.passed}
    assert {"beams of 2, 3 and 4 (nothing ends)", "nothing ever ends"} <= passed


# ------------------------------------------------------------------------------- the tables


DRAWS = [
    beams._greedy,
    beams._one_step,
    beams._several,
    beams._with_states,
    beams._frozen,
    beams._until_all,
    beams._endless,
    beams._normalised,
    beams._overtaken,
    beams._elsewhere,
]


@pytest.mark.parametrize("draw", DRAWS)
def test_the_search_of_the_check_is_that_of_the_package(draw):
    for seed in range(10):
        for task in beams._drawn(np.random.RandomState(seed), draw, ()):
            step, state, *rest = task.args()
            theirs = beam_of_the_package(make(step), state, *rest)
            assert alike([(tuple(said), total) for said, total in theirs], search(task))


@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_with_room_for_every_sentence_the_search_finds_what_a_walk_through_all_finds(alpha):
    for seed in range(10):
        task = beams._task(np.random.RandomState(seed), 40, 4, (3, 2), ends=0.5, V=4, alpha=alpha)
        found = everything(task)
        assert len(found) == sum(2**n for n in range(4)) + 2**4  # 3 words, of which one ends
        assert alike(sorted(search(task)), sorted(found))
        scores = [total / len(tokens) ** alpha for tokens, total in search(task)]
        assert scores == sorted(scores, reverse=True)
        assert math.fsum(math.exp(total) for _, total in found) == pytest.approx(1)
        assert all(log_prob_of(task, tokens) == pytest.approx(total) for tokens, total in found)


def test_a_narrow_beam_misses_what_a_walk_through_all_finds():
    tasks = [beams._task(np.random.RandomState(seed), 1, 4, (3, 2), V=4) for seed in range(30)]
    missed = sum(search(task)[0] != everything(task)[0] for task in tasks)
    assert 0 < missed < 30


@pytest.mark.parametrize("draw", DRAWS)
def test_in_a_table_start_is_never_said_and_chances_add_up_to_one(draw):
    for task in draw(np.random.RandomState(1)):
        chances = np.exp(task.table.log_probs)
        np.testing.assert_allclose(chances.sum(axis=-1), 1)
        assert not chances[..., task.start].any()


def test_a_sentence_that_has_ended_is_tempted_to_go_on():
    for task in beams._frozen(np.random.RandomState(1)):
        after = np.exp(task.table.log_probs[..., task.end, :])
        assert after.max(axis=-1).min() > 0.9


def test_a_draw_shows_the_mistakes_that_its_case_is_for():
    aimed = (beams._PLACE, beams._LOST)
    for seed in range(5):
        tasks = beams._drawn(np.random.RandomState(seed), beams._frozen, aimed)
        for rules in (Rules(ended="apart"), Rules(ended="lost")):
            assert any(not alike(search(task, rules), search(task)) for task in tasks)


def test_where_scores_are_too_near_to_each_other_another_table_is_drawn():
    tie = beams._task(np.random.RandomState(0), 2, 1)
    tie.table.log_probs[:] = -np.log(6)
    other = beams._task(np.random.RandomState(0), 2, 1)
    draws = iter([[tie], [other]])
    assert beams._drawn(None, lambda rng: next(draws), ()) == [other]


def test_a_state_with_columns_goes_through_a_step_as_through_a_table():
    rng = np.random.RandomState(4)
    table, state = draw_table(rng, 5, (3, 2)), (2, 1)
    rows, after = make(table.step())(np.array([3]), table.row(state))
    row, then = table.read(state, 3)
    assert np.array_equal(rows[0], row)
    assert tuple(after[0].tolist()) == then


def test_the_solution_leaves_a_vocabulary_with_one_possible_word_alone():
    found = solution_functions("beam_search")["beam_search"]

    def step(tokens, state):
        return np.where(np.arange(4) == 3, 0.0, -np.inf)[None].repeat(len(tokens), 0), state

    assert found(step, np.zeros((1, 2)), 3, 2) == [([3, 3], 0.0)]
