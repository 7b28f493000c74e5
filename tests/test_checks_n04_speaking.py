"""The checks of init_output_bias, sample_caption and sampled_softmax_loss."""

import math
import random
import re

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from judging import judged, run
from torch.nn import functional as F

from autograder.mutants import mutants
from autograder.zoo import solution_functions
from cs_caption.checks.built import make
from cs_caption.checks.chances import NATS, NATS_GROWING, divergence, log_softmax
from cs_caption.checks.n04_captioning import sample_caption as sampling
from cs_caption.checks.n04_captioning import sampled_softmax

NAMES = ("init_output_bias", "sample_caption", "sampled_softmax_loss")
ZOO = [mutant.name for mutant in mutants() if mutant.exercise in NAMES]

# ------------------------------------------------------------------------------- right answers


def bias_one_by_one(counts):
    total = sum(counts) + len(counts)
    return torch.tensor([math.log((count + 1) / total) for count in counts])


def bias_by_log_softmax(counts):
    return torch.tensor(np.log1p(np.array(counts, dtype=float))).log_softmax(0).to(torch.float32)


def speak_by_gumbel(step, state, max_len=20, temperature=1.0, seed=0):
    """The largest of the scores, each with noise of its own, is a draw of the softmax."""
    rng, tokens = np.random.default_rng(seed), [1]
    while len(tokens) <= max_len:
        log_probs, state = step(torch.tensor(tokens[-1:]), state)
        scores = log_probs[0].double().numpy()
        noise = -np.log(-np.log(rng.random(len(scores))))
        word = int(np.argmax(scores / temperature + noise if temperature > 0 else scores))
        if word == 2:
            break
        tokens.append(word)
    return tokens[1:]


@torch.no_grad()
def speak_by_pythons_random(step, state, max_len=20, temperature=1.0, seed=0):
    rng, found = random.Random(seed), ()
    word = torch.ones(1, dtype=torch.int64)
    while len(found) < max_len:
        scores, state = step(word, state)
        best = scores[0] == scores[0].max()
        heat = best.double() if temperature == 0 else F.softmax(scores[0] / temperature, dim=-1)
        (drawn,) = rng.choices(range(len(heat)), weights=heat.tolist())
        if drawn == 2:
            break
        found, word = (*found, drawn), torch.full((1,), drawn)
    return list(found)


def sampled_row_by_row(h, W, b, targets, sampled, log_expected):
    losses = []
    for row, true in zip(h, targets, strict=True):
        words = torch.cat([true[None], sampled[sampled != true]])
        scores = F.linear(row, W[words], b[words]) - log_expected[words]
        losses.append(-scores.log_softmax(0)[0])
    return sum(losses) / len(losses)


def sampled_by_cross_entropy(h, W, b, targets, sampled, log_expected):
    words = torch.cat([targets[:, None], sampled.expand(len(h), -1)], dim=1)  # (M, 1 + S)
    scores = torch.einsum("mh,msh->ms", h, W[words]) + (b - log_expected)[words]
    hits = words == targets[:, None]
    hits[:, 0] = False
    scores = scores.masked_fill(hits, torch.finfo(scores.dtype).min)
    return F.cross_entropy(scores, torch.zeros_like(targets))


OTHERS = [
    ("init_output_bias", bias_one_by_one),
    ("init_output_bias", bias_by_log_softmax),
    ("sample_caption", speak_by_gumbel),
    ("sample_caption", speak_by_pythons_random),
    ("sampled_softmax_loss", sampled_row_by_row),
    ("sampled_softmax_loss", sampled_by_cross_entropy),
]


@pytest.mark.parametrize(("name", "function"), OTHERS)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(2):
        report = run(name, {name: function}, salt="another", seed=seed)
        assert report.passed, str(report)


# ------------------------------------------------------------------------------- wrong answers

WORDS = {
    "bias_of_zero": "the logarithm of 0? Count each word once more",
    "bias_raised_above_only": "but not to those in their sum",
    "bias_raised_below_once": "added to the sum once",
    "bias_only_zeros_raised": "only counts of 0 are raised",
    "bias_with_epsilon": "the 1 is not added",
    "bias_not_divided": "divide by their sum",
    "bias_share_itself": "the logarithm is missing",
    "bias_sign": "its sign is wrong",
    "bias_base_two": "to base 2",
    "bias_by_largest": "divided by the largest count",
    "bias_by_size": "divided by the number of words",
    "bias_zero": "0 everywhere",
    "bias_even": "all words are equally likely",
    "bias_float64": "must be float32",
    "bias_as_array": "expected a torch tensor",
    "bias_as_row": "an axis of length 1 too many",
    "bias_in_place": "changes its input counts",
    "bias_sorted": "the most frequent first: keep the order",
    "bias_centred": "its mean is subtracted",
    "bias_int32": "Has the sum of the counts room",
    "bias_of_softmax": "as by a softmax: divide the counts",
    "bias_log1p_of_shares": "1 is added to the frequencies",
    "bias_floored": "`//` has no fractions",
    "speak_temperature_multiplied": "the temperature multiplies log_probs",
    "speak_temperature_ignored": "the temperature is ignored",
    "speak_probabilities_divided": "the temperature is ignored",
    "speak_softmax_of_probabilities": "are other numbers than log_probs / temperature given",
    "speak_without_softmax": "of a very negative one it is 0",
    "speak_divides_by_zero": "at temperature 0 nothing is divided",
    "speak_always_greedy": "the most probable word comes every time",
    "speak_almost_greedy": "nothing is left to chance",
    "speak_greedy_below_a_third": "the most probable word comes every time",
    "speak_evenly": "all words are equally probable",
    "speak_lowest": "the least probable word wins",
    "speak_impossible_words": "words that are impossible",
    "speak_end_in_the_list": "it ends the caption, and is none of its words",
    "speak_start_in_the_list": "it is read first, but the model never says it",
    "speak_past_end": "it goes on after <END>",
    "speak_starts_with_null": "is <NULL>, not <START>",
    "speak_starts_with_end": "is <END>, not <START>",
    "speak_reads_start_twice": "<START> is read twice",
    "speak_not_read_back": "each word must be read back in",
    "speak_state_not_carried": "the state is not carried on",
    "speak_best_read_back": "but the most probable one is read back in",
    "speak_one_short": "max_len counts words, <START> is none",
    "speak_one_long": "2 words where max_len is 1",
    "speak_without_limit": "3 words where max_len is 1",
    "speak_reseeds": "is the generator made anew for each?",
    "speak_seed_ignored": "is `seed` used?",
    "speak_without_a_seed": "and draw with it",
    "speak_one_generator": "inside the function",
    "speak_tensors": "int(word)",
    "speak_a_number_read": "a row a caption",
    "speak_state_in_place": "changes its input state",
    "speak_end_without_chance": "as often as <END> is probable",
    "speak_other_default_temperature": "in the stub's first line",
    "speak_of_five": "Draw from all words, not from the best",
    "speak_of_ten": "Draw from all words, not from the best",
    "speak_of_95_percent": "Draw from all words, not from the best",
    "speak_of_99_percent": "Draw from all words, not from the best",
    "speak_end_untempered": "<END> is drawn as any other word, by the same softmax",
    "speak_a_little_warmer": "Is something added to it",
    "speak_hardly_warmer": "Is something added to it",
    "speak_tempers_the_first_word": "at least after the first word",
    "speak_seed_and_place": "a place further on: is the generator made anew",
    "speak_seeds_torch": "it seeds torch's own random numbers",
    "speak_zero_is_no_seed": "0 is a seed too",
    "speak_stops_at_null": "it stops at <NULL>",
    "speak_leaves_null_out": "<NULL> is left out",
    "speak_divides_in_place": "it changes its input the log_probs that step returned",
    "speak_an_array": "expected a list",
    "speak_a_tensor": "expected a list",
    "sampled_hits_twice": "counts once, not twice",
    "sampled_hits_of_any_row": "the true one of another row counts in this row",
    "sampled_hits_at_zero": "e to the power 0 is 1",
    "sampled_true_missing": "the true word is missing",
    "sampled_true_only_if_drawn": "unless it is drawn",
    "sampled_uncorrected": "log_expected is not subtracted",
    "sampled_correction_added": "log_expected is added",
    "sampled_correction_of_drawn_only": "from the drawn words only",
    "sampled_correction_of_true_only": "from the true word only",
    "sampled_correction_not_log": "already a logarithm",
    "sampled_sum": "a sum over the rows",
    "sampled_by_row": "so reduce it",
    "sampled_divided_by_drawn": "the number of drawn words too",
    "sampled_sign": "its sign is wrong",
    "sampled_share": "not minus its logarithm",
    "sampled_without_b": "b is not added",
    "sampled_whole_softmax": "over the whole vocabulary",
    "sampled_scores_of_all": "Was the whole vocabulary scored?",
    "sampled_by_sigmoid": "by a sigmoid",
    "sampled_overflowing": "large scores overflow",
    "sampled_log_of_softmax": "do not take the logarithm of a probability",
    "sampled_a_number": "no gradient goes through a plain number",
    "sampled_without_grad": "no gradient comes back to h",
    "sampled_drawn_detached": "nothing comes through the scores of the drawn words",
    "sampled_weights_as_data": "no gradient comes back to W",
    "sampled_float64": "it must be float32",
    "sampled_in_place": "changes its input b",
    "sampled_squeezed": "stopped with RuntimeError",
    "sampled_true_of_row_by_drawn": "a row has one true word",
    "sampled_without_b_of_drawn": "b is not added to the scores of the drawn words",
    "sampled_first_of_log_expected": "those of the drawn words are wanted",
    "sampled_all_words_once": "a row has one true word",
    "sampled_by_log1p": "nor e to the power of a score",
    "sampled_fills_a_single_buffer": "of the type of h?",
}


def told(name):
    return [case.message for case in judged(name).cases if not case.passed]


def test_every_mutant_has_its_words():
    assert list(WORDS) == ZOO


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    assert any(WORDS[name] in message for message in told(name)), told(name)


FALSE_WORDS = {
    "bias_of_zero": "negative number",
    "bias_int32": "the logarithm of 0",
    "bias_floored": "Count each word once more",
    "speak_temperature_ignored": "the temperature multiplies",
    "speak_past_end": "stops too early",
    "speak_divides_by_zero": "let softmax do it",
    "sampled_hits_twice": "log_expected",
    "sampled_uncorrected": "counts once",
    "sampled_log_of_softmax": "large scores overflow",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in message for message in told(name)), told(name)


@pytest.mark.parametrize(
    "name", ["speak_an_array", "speak_a_tensor", "sampled_fills_a_single_buffer"]
)
def test_what_is_right_but_for_its_type_costs_one_case(name):
    assert sum(not case.passed for case in judged(name).cases) == 1


def test_a_hint_is_for_the_errors_that_it_explains():
    def stops(*args):
        raise ValueError("a dimension is wrong")

    report = run("sample_caption", {"sample_caption": stops})
    assert not any(re.search("divided|overflow", case.message) for case in report.cases)


# ------------------------------------------------------------------------------- the cases


def test_chance_stays_far_from_the_limits():
    rng, worst = np.random.RandomState(0), 0.0
    n = sampling._DRAWS
    for _ in range(400):
        log_chances = log_softmax(sampling._ladder(rng, 4) / rng.choice([0.5, 1, 2]))
        counts = np.bincount(rng.choice(4, n, p=np.exp(log_chances)), minlength=4)
        found = (divergence(k, n, c) for k, c in zip(counts, log_chances, strict=True))
        worst = max(worst, *found)
    assert 2 < worst < 15 < NATS < NATS_GROWING


def test_the_known_caption_is_what_the_step_says_itself():
    for seed in range(20):
        rng = np.random.RandomState(seed)
        model, state = sampling._known_caption(rng, 1 + seed % 4)
        walk = sampling._walk(model, state, 15)
        solved = solution_functions("sample_caption")["sample_caption"]
        assert 4 <= len(walk) <= 9
        assert solved(make(model.step()), sampling._state(state), 15, 0) == walk


def test_a_caption_with_start_null_or_impossible_words_is_never_what_a_table_says():
    rng = np.random.RandomState(0)
    for ends in (True, False):
        model = sampling._drawn(rng, rng.standard_normal((2, 7, 7)), ends=ends)
        chances = np.exp(model.log_probs)
        np.testing.assert_allclose(chances.sum(axis=-1), 1)
        assert not chances[..., [0, 1]].any()
        assert (chances[..., 2] > 0).all() == ends


@pytest.mark.parametrize("hits", [True, False])
def test_tasks_have_drawn_words_that_differ_and_hits_only_where_they_should(hits):
    for seed in range(50):
        task = sampled_softmax._draw(np.random.RandomState(seed), hits=hits)
        assert len(set(task.sampled.tolist())) == len(task.sampled)
        found = set(task.targets.tolist()) & set(task.sampled.tolist())
        assert len(found) == (2 if hits else 0)
        assert len(set(task.targets.tolist())) < len(task.targets)
        assert set(task.sampled.tolist()) - set(task.targets.tolist())
        lengths = {len(task.targets), len(task.sampled), len(task.b), task.h.shape[1]}
        assert len(lengths) == 4


def test_with_every_word_drawn_the_definition_is_the_softmax_over_the_vocabulary():
    task = sampled_softmax._draw(np.random.RandomState(3))
    V = len(task.b)
    h, W, b, targets, *_ = task.of("float64")
    everything = sampled_softmax.replace(task, sampled=np.arange(V), log_expected=np.zeros(V))
    whole = float(F.cross_entropy(h @ W.T + b, targets))
    assert sampled_softmax._mean(everything) == pytest.approx(whole, rel=1e-12)


def test_no_likely_mistake_looks_like_another_or_like_the_right_loss():
    for seed in range(20):
        task = sampled_softmax._draw(np.random.RandomState(seed), hits=True)
        right, others = sampled_softmax._expected(task)
        values = np.array([right, *(value for value in others.values() if np.isfinite(value))])
        gaps = np.abs(values[:, None] - values)[~np.eye(len(values), dtype=bool)]
        assert gaps.min() > 1e-6
