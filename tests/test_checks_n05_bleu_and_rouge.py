import math
from collections import defaultdict
from functools import lru_cache

import numpy as np
import pytest
from judging import judged, run

from autograder.mutants import mutants
from cs_caption import metrics
from cs_caption.checks.n05_beam_and_metrics.bleu import BLEU
from cs_caption.checks.n05_beam_and_metrics.brevity import BREVITY_PENALTY, QUIZNOS
from cs_caption.checks.n05_beam_and_metrics.captions import (
    draw_corpus,
    draw_item,
    reordered,
    require,
    telling,
)
from cs_caption.checks.n05_beam_and_metrics.precision import CLIPPED_PRECISION
from cs_caption.checks.n05_beam_and_metrics.rouge import ROUGE_L, longest_common, rouge
from cs_caption.checks.subject import Wrong

NAMES = ["clipped_precision", "brevity_penalty", "bleu", "rouge_l"]
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise in NAMES}


# ------------------------------------------------------------------------------- right answers


def precision_by_loops(candidates, references, n):
    matched = guessed = 0
    for i in range(len(candidates)):
        said = times(candidates[i], n)
        theirs = [times(reference, n) for reference in references[i]]
        for gram in said:
            matched += min(said[gram], max(one[gram] for one in theirs))
            guessed += said[gram]
    return [np.int64(matched), guessed]


def times(caption, n):
    found, words = defaultdict(int), caption.split()
    for start in range(len(words)):
        if start + n <= len(words):
            found[" ".join(words[start : start + n])] += 1
    return found


def penalty_by_numpy(candidates, references):
    c = np.array([len(candidate.split()) for candidate in candidates])
    r = []
    for length, several in zip(c, references, strict=True):
        lengths = np.sort([len(reference.split()) for reference in several])
        r.append(lengths[np.argmin(np.abs(lengths - length))])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.exp(np.minimum(0, 1 - np.sum(r) / c.sum())) if c.any() else 0


def bleu_by_logarithms(candidates, references, max_n=4, smooth=False):
    total, power = 0.0, 1.0
    for n in range(1, max_n + 1):
        matched, guessed = precision_by_loops(candidates, references, n)
        if smooth and guessed and not matched:
            power, matched = power / 2, power / 2
        if not matched:
            return 0
        total += np.log2(matched) - np.log2(guessed)
    return penalty_by_numpy(candidates, references) * 2 ** (total / max_n)


def rouge_by_recursion(candidate, references, beta=1.2):
    said = tuple(candidate.split())

    @lru_cache(None)
    def common(i, j, words):
        if i == len(said) or j == len(words):
            return 0
        if said[i] == words[j]:
            return 1 + common(i + 1, j + 1, words)
        return max(common(i + 1, j, words), common(i, j + 1, words))

    split = [tuple(reference.split()) for reference in references]
    found = [(common(0, 0, words), len(words)) for words in split]
    if not any(L for L, _ in found):
        return 0
    P = max(L for L, _ in found) / len(said)
    R = max(L / length for L, length in found if length)
    return np.float64((1 + beta * beta) / (1 / P + beta * beta / R))


def rouge_without_a_table(candidate, references, beta=1.2):
    """All ways are tried, again and again."""

    def common(a, b):
        if not a or not b:
            return 0
        if a[0] == b[0]:
            return 1 + common(a[1:], b[1:])
        return max(common(a[1:], b), common(a, b[1:]))

    said, split = candidate.split(), [reference.split() for reference in references]
    found = [(common(said, words), len(words)) for words in split]
    P = max(L for L, _ in found) / max(1, len(said))
    R = max(L / max(1, length) for L, length in found)
    return (1 + beta**2) * P * R / (R + beta**2 * P) if P else 0.0


OTHERS = {
    "clipped_precision": precision_by_loops,
    "brevity_penalty": penalty_by_numpy,
    "bleu": bleu_by_logarithms,
    "rouge_l": rouge_by_recursion,
}


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks(name):
    for salt in ("another", "and another"):
        report = run(name, OTHERS, salt=salt)
        assert report.passed, report


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_another_style_get_full_marks_without_torch(name, no_torch):
    report = run(name, OTHERS, salt="another")
    assert report.passed, report


def test_a_search_without_a_table_comes_to_an_end_and_is_right():
    for salt in ("slow", "and slow"):
        report = run("rouge_l", {"rouge_l": rouge_without_a_table}, salt=salt)
        assert report.passed, report


def test_no_search_without_a_table_has_many_ways_to_try():
    asked = []

    def listening(candidate, references, beta=1.2):
        asked.extend((len(candidate.split()), len(r.split())) for r in references)
        return rouge(candidate, references, beta)

    for seed in range(5):
        run("rouge_l", {"rouge_l": listening}, salt=str(seed))
    assert max(math.comb(c + r, c) for c, r in asked) < 400_000
    assert max(map(max, asked)) > 30


def test_the_lectures_numbers_are_what_the_answers_give():
    cats = ["the cat is on the mat", "there is a cat on the mat"]
    stops = [f"{cat} ." for cat in cats]
    assert precision_by_loops(["the " * 7], [cats], 1) == [2, 7]
    assert precision_by_loops(["the " * 6], [cats], 1) == [2, 6]
    assert precision_by_loops(["the " * 6 + "."], [stops], 1) == [3, 7]
    assert bleu_by_logarithms(*QUIZNOS, 4, True) == pytest.approx(0.106237, abs=5e-7)
    assert penalty_by_numpy(*QUIZNOS) == pytest.approx(math.exp(-0.8))


# ------------------------------------------------------------------------------- the referee


def test_the_referee_of_rouge_l_agrees_with_the_package():
    rng = np.random.RandomState(0)
    items = [draw_item(rng, int(rng.randint(1, 6))) for _ in range(200)]
    candidates, references = map(list, zip(*items, strict=True))
    ours = [rouge(candidate, several) for candidate, several in items]
    assert np.allclose(ours, metrics.rouge_l(candidates, references).per_item, rtol=0, atol=1e-9)


def test_the_longest_common_subsequence_is_that_of_all_subsequences_of_short_captions():
    rng = np.random.RandomState(1)

    def subsequences(words):
        picks = range(2 ** len(words))
        return {tuple(w for i, w in enumerate(words) if pick >> i & 1) for pick in picks}

    for _ in range(200):
        one, other = (rng.choice([*"abc"], rng.randint(0, 7)).tolist() for _ in range(2))
        both = subsequences(one) & subsequences(other)
        assert longest_common(one, other) == max(map(len, both))


def test_bleu_is_the_packages_where_no_order_lacks_a_match():
    rng = np.random.RandomState(2)
    tried = 0
    while tried < 50:
        corpus = draw_corpus(rng)
        ours = bleu_by_logarithms(*corpus)
        if ours:
            assert metrics.bleu(*corpus).corpus == pytest.approx(ours, abs=1e-8)
            tried += 1


# ------------------------------------------------------------------------------- what is drawn


def test_captions_are_drawn_with_common_runs_words_that_come_twice_and_different_lengths():
    rng = np.random.RandomState(3)
    for _ in range(50):
        candidates, references = draw_corpus(rng)
        assert sorted(map(len, references)) == [1, 2, 3, 4]
        assert len({len(c.split()) for s in references for c in s}) > 2
        assert any(len({*c.split()}) < len(c.split()) for c in candidates)
        assert precision_by_loops(candidates, references, 2)[0] > 0


def test_captions_in_another_order_keep_their_references_and_no_caption_keeps_its_place_alone():
    rng = np.random.RandomState(4)
    candidates, references = draw_corpus(rng, (3, 1, 4, 2))
    turned, theirs = reordered(rng, (candidates, references))
    assert sorted(turned) == sorted(candidates)
    for candidate, several in zip(turned, theirs, strict=True):
        assert sorted(several) == sorted(references[candidates.index(candidate)])


def test_what_is_drawn_tells_a_look_alike_from_what_is_right():
    rng = np.random.RandomState(5)

    def value(many):
        return np.array([number % 3 for (number,) in many], float)

    def draw(rng):
        return [(int(rng.randint(6)),)]

    for _ in range(20):
        many = telling(rng, draw, value, lambda many: {"0": np.zeros(1), "1": np.ones(1)})
        assert value(many) == [2.0]


def said(found, others, likely=()):
    with pytest.raises(Wrong) as caught:
        require(np.array(found), np.array([1.0, 2.0]), lambda: others, "the score", likely)
    return str(caught.value)


def test_a_mistake_is_named_where_it_gives_all_numbers_and_no_more_than_one_other_does():
    others = {"a": np.array([3.0, 2.0]), "b": np.array([3.0, 2.0]), "c": np.array([3.0, 5.0])}
    assert said([3.0, 2.0], others) == "the score is wrong: a; or: b"
    assert said([3.0, 2.0], others | {"d": np.array([3.0, 2.0])}) == (
        "the score is wrong in 1 of 2 calls"
    )
    assert said([3.0, 2.0], others, ["b"]) == "the score is wrong: b"
    assert said([3.0, 4.0], others) == "the score is wrong in 2 of 2 calls: too high each time"
    assert said([3.0, 1.0], others) == "the score is wrong in 2 of 2 calls"


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "clip_forgotten": "(not clipped)",
    "clip_by_the_sum_of_references": "what the references have is added up",
    "clip_by_the_first_reference": "matched is wrong: only the first reference is looked at",
    "clip_by_the_last_reference": "matched is wrong: only the last reference is looked at",
    "clip_by_the_least": "the reference that has the n-gram least often decides",
    "clip_best_reference_in_all": "look for the largest count of each n-gram by itself",
    "clip_orders_summed": "matched is wrong: the n-grams of all orders up to n are summed",
    "clip_guessed_one_less": "guessed is wrong: T words have T - n + 1 n-grams",
    "clip_at_one": "an n-gram counts at most once",
    "clip_guessed_different_only": "that the caption has several times counts once (a set?)",
    "clip_last_window_lost": "matched is wrong: the last n-gram of each caption is missing",
    "clip_first_window_lost": "matched is wrong: the first n-gram of each caption is missing",
    "clip_short_windows_counted": "fewer than n words, counts too",
    "clip_windows_side_by_side": "the next one begins one word later, not n",
    "clip_windows_too_wide": "matched is wrong: it is that of n + 1",
    "clip_single_words_always": "n is ignored",
    "clip_words_not_grams_guessed": "guessed is wrong: it is the number of words",
    "clip_guessed_goes_negative": "T - n + 1 is negative there",
    "clip_guessed_of_references": "the number of n-grams in the references",
    "clip_sorted_windows": "the order of the words within an n-gram counts too",
    "clip_words_glued": "joined without a blank",
    "clip_text_searched": "found within other words too",
    "clip_letters": "split each caption at its blanks",
    "clip_made_small": "capitals are made small",
    "clip_by_regular_expression": "points and hyphens are taken away",
    "clip_one_blank_split": "makes one word of an empty caption",
    "clip_last_caption_only": "only the last caption counts: `+=`, not `=`",
    "clip_returns_in_the_loop": "is the `return` within the loop?",
    "clip_references_of_everyone": "each caption has its own",
    "clip_corpus_in_one_counter": "clip those of each caption by themselves",
    "clip_captions_run_together": "the beginning of the next make n-grams too",
    "clip_a_ratio": "expected the 2 results (matched, guessed)",
    "clip_mean_of_ratios": "matched is a float: expected a whole number",
    "clip_guessed_first": "the results are in another order",
    "clip_splits_in_place": "changes its input candidates",
    "clip_pops_references": "changes its input references",
    "clip_counter_as_default": "in 3 of 3 calls: too high each time",
    "brief_shortest": "r is the shortest reference",
    "brief_longest": "r is the longest reference",
    "brief_mean_length": "r is the mean of the references",
    "brief_first_length": "r is the first reference",
    "brief_all_lengths": "r is the sum of the references of a caption",
    "brief_tie_longer": "equally close the longer one is taken",
    "brief_tie_as_it_stands": "the one that stands first is taken",
    "brief_tie_last": "the one that stands last is taken",
    "brief_tie_fewer_letters": "the one of fewer letters is taken",
    "brief_closest_in_letters": "closest in letters: it is the closest in words",
    "brief_mean_of_captions": "the mean of the penalties of single captions",
    "brief_product_of_captions": "the product of the penalties of single captions",
    "brief_swapped": "c and r are swapped in the power",
    "brief_condition_swapped": "it is 1 although c is less than r",
    "brief_without_exp": "it is c / r, not a power of e",
    "brief_one_forgotten": "the 1 in the power is missing",
    "brief_not_capped": "where c is more than r it is above 1",
    "brief_difference": "the difference of r and c is not divided by c",
    "brief_letters": "c and r count words",
    "brief_divides_by_zero": "ZeroDivisionError",
    "brief_one_for_nothing": "it is 1 where there is no word at all",
    "brief_empty_as_a_word": "makes one word of an empty caption",
    "brief_empty_skipped": "captions without a word are left out",
    "brief_last_caption": "only the last caption counts",
    "brief_returns_in_the_loop": "only the first caption counts",
    "brief_closest_to_all": "the closest to c so far",
    "brief_no_credit": "does not make up for another: it does",
    "brief_sorts_in_place": "changes its input references",
    "bleu_arithmetic": "the arithmetic one: it is the geometric one",
    "bleu_quarter_weights": "(weights of 1/4?)",
    "bleu_no_root": "of max_n factors take the root",
    "bleu_last_order_alone": "the precision of the last order alone",
    "bleu_stops_below_max_n": "range(1, max_n) ends before max_n",
    "bleu_four_orders_always": "max_n is ignored",
    "bleu_without_brevity": "the brevity penalty is missing",
    "bleu_brevity_under_the_root": "the root is taken of the brevity penalty too",
    "bleu_mean_of_sentences": "the mean of the scores of single captions",
    "bleu_macro_precision": "the precisions of single captions are averaged",
    "bleu_macro_brevity": "the brevity penalties of single captions are averaged",
    "bleu_first_caption": "only the first caption counts",
    "bleu_plain_precision": "the precisions are not clipped",
    "bleu_logarithm_of_zero": "math domain error",
    "bleu_missing_orders_skipped": "an order without n-grams is left out",
    "bleu_zeros_skipped": "without smooth an order without a match is left out",
    "bleu_epsilon": "counts as a tiny number",
    "bleu_never_quite_zero": "return 0.0 there",
    "bleu_always_smooth": "without smooth too, an order without a match is smoothed",
    "bleu_never_smooth": "smooth is ignored",
    "bleu_k_not_counted_on": "the k-th of them k times",
    "bleu_k_is_n": "the power of 2 is the order n",
    "bleu_k_from_zero": "k begins at 0",
    "bleu_two_times_k": "2 to the power of k",
    "bleu_guessed_left_out": "it is not divided by guessed",
    "bleu_plus_one_everywhere": "1 is added to the counts: it changes only orders",
    "bleu_plus_one_from_two": "1 is added to the counts from n = 2 on",
    "bleu_default_three": "4 is the default",
    "bleu_smooth_by_default": "False is the default",
    "bleu_percent": "it is in percent",
    "bleu_a_list": "the score is a list of 4: expected a float",
    "bleu_empties_the_lists": "changes its input candidates",
    "rouge_best_reference": "of the one reference with the best score",
    "rouge_mean_of_references": "the mean of the scores of single references",
    "rouge_first_reference": "only the first reference is looked at",
    "rouge_last_reference": "only the last reference is looked at",
    "rouge_of_the_longest_match": "each is the largest on its own",
    "rouge_references_joined": "the references are joined to one text",
    "rouge_swapped": "P and R are swapped",
    "rouge_beta_not_squared": "beta is to be squared",
    "rouge_beta_squared_above_only": "beta is squared in the upper line alone",
    "rouge_f1": "beta is ignored",
    "rouge_beta_fixed": "beta is 1.2 whatever is given",
    "rouge_beta_default_one": "1.2 is the default",
    "rouge_factor_forgotten": "1 + beta^2 in the upper line is missing",
    "rouge_recall_alone": "it is R alone",
    "rouge_precision_alone": "it is P alone",
    "rouge_substring": "the longest run without one",
    "rouge_bag_of_words": "here L is how many words are common",
    "rouge_set_of_words": "how many different words are common (a set?)",
    "rouge_greedy": "takes the first place that is left",
    "rouge_two_pointers": "it waits for one word of the candidate",
    "rouge_same_place": "only words at the same place are compared",
    "rouge_word_used_twice": "a word of the reference is used twice",
    "rouge_only_from_above": "those of the reference are not: both have gaps",
    "rouge_diagonal_always": "one of both is left out: only one of either",
    "rouge_wraps_around": "begin with a row and a column of zeros",
    "rouge_table_too_small": "the last word of both is left out",
    "rouge_letters": "letters are compared",
    "rouge_made_small": "capitals are made small",
    "rouge_without_points": "points at the ends of words are cut off",
    "rouge_nothing_common": "ZeroDivisionError",
    "rouge_empty_split": "makes one word of an empty caption",
    "rouge_sorts_references": "changes its input references",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


FALSE_WORDS = {
    "clip_guessed_different_only": "matched is wrong",
    "clip_guessed_of_references": "matched is wrong",
    "clip_last_window_lost": "reference",
    "clip_orders_summed": "in 3 of",
    "clip_words_glued": "n is ignored",
    "clip_made_small": "reference",
    "clip_by_regular_expression": "n-gram of each caption is missing",
    "brief_condition_swapped": "captions without a word",
    "brief_longest": "captions without a word",
    "brief_tie_as_it_stands": "the first reference",
    "brief_swapped": "closest",
    "bleu_default_three": "max_n is ignored",
    "bleu_stops_below_max_n": "not clipped",
    "bleu_k_not_counted_on": "smooth is ignored",
    "bleu_plain_precision": "halved",
    "bleu_mean_of_sentences": "penalty is missing",
    "rouge_bag_of_words": "reference with",
    "rouge_two_pointers": "only the first reference",
    "rouge_swapped": "only the",
    "rouge_table_too_small": "gaps",
}


@pytest.mark.parametrize("name", FALSE_WORDS)
def test_no_case_blames_what_is_not_wrong(name):
    assert not any(FALSE_WORDS[name] in case.message for case in judged(name).cases)


def test_where_one_reference_decides_in_all_none_is_said_to_be_overlooked_for_certain():
    told = [case.message for case in judged("clip_best_reference_in_all").cases]
    assert not any("only the" in words and "; or: " not in words for words in told), told


def failed(name):
    return [case.title for case in judged(name).cases if not case.passed]


def test_a_wrong_guessed_costs_no_case_that_asks_for_matched_alone():
    assert not any(title.startswith("matched") for title in failed("clip_words_not_grams_guessed"))


def test_where_only_captions_of_too_few_words_are_wrong_one_case_is_lost():
    assert failed("clip_guessed_goes_negative") == ["captions of fewer than n words, and of none"]
    assert failed("brief_one_for_nothing") == ["captions without a word"]
    assert failed("rouge_of_no_words") == ["no common word, no word at all"]


def test_where_only_ties_are_wrong_only_they_are_lost():
    assert failed("brief_tie_longer") == ["two references equally close: the shorter one"]


def test_where_only_smoothing_is_wrong_all_that_is_not_smoothed_counts():
    assert failed("bleu_k_not_counted_on") == [
        "the lecture's Quiznos worker, smoothed and not",
        "smooth: several orders without a match",
    ]


def test_where_only_several_references_are_wrong_one_reference_counts():
    assert not any("one reference" in title for title in failed("rouge_best_reference"))


# ------------------------------------------------------------------------------- whatever else


@pytest.mark.parametrize("exercise", [CLIPPED_PRECISION, BREVITY_PENALTY, BLEU, ROUGE_L])
def test_what_would_give_the_answer_away_is_banned(exercise):
    assert exercise.banned == ("cs_caption.metrics", "cs_caption.decoding")


JUNK = {
    "None": None,
    "a negative number": -3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "two Nones": (None, None),
    "two floats": (0.5, 2.0),
    "two arrays": (np.zeros(3), np.zeros(3)),
    "three numbers": (1, 2, 3),
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a complex number": 1j,
    "True": True,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", JUNK)
def test_whatever_comes_back_the_check_has_words_for_it(name, what):
    report = run(name, {name: lambda *args: JUNK[what]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)
