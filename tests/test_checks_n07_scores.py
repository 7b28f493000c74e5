import inspect
from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from judging import ZOO, judged, run  # noqa: E402
from torch import nn  # noqa: E402

from autograder.zoo import solution_file, solution_functions  # noqa: E402
from cs_caption.checks import exercises, run_check, wire  # noqa: E402
from cs_caption.checks.farside import GRAD  # noqa: E402
from cs_caption.checks.n07_ranking import regions, sentences  # noqa: E402
from cs_caption.checks.n07_ranking.shared import BANNED  # noqa: E402
from cs_caption.checks.subject import LocalLink, Subject  # noqa: E402

NAMES = ["region_word_scores", "image_sentence_score"]


class Recorder(LocalLink):
    """Functions, and the arguments of every call that came for them, as they crossed."""

    def __init__(self, functions):
        super().__init__(functions)
        self.seen, self.messages = [], 0

    def exchange(self, request, count):
        function, calls = wire.loads(request)
        self.messages += 1
        self.seen += [args[2:] if function == GRAD else args for args, _ in calls]
        return super().exchange(request, count)


@cache
def recorded(name):
    link = Recorder(solution_functions(name))
    assert run_check(name, Subject(name, link), salt="recorded").passed
    return link


def failed(report):
    return {case.title for case in report.cases if not case.passed}


# ------------------------------------------------------------------------------- right answers


def dots_in_one_einsum(a, s, Wv, bv):
    bias = torch.einsum("d,mtd->mt", bv, s)[None, :, None]
    return torch.einsum("nlc,cd,mtd->nmlt", a, Wv, s) + bias


def dots_by_matmul(a, s, Wv, bv):
    v = torch.addmm(bv, a.reshape(-1, a.shape[-1]), Wv).reshape(*a.shape[:2], -1)
    return v.unsqueeze(1) @ s.transpose(1, 2).unsqueeze(0)


def dots_by_broadcasting(a, s, Wv, bv):
    v = (a[..., None] * Wv).sum(2) + bv
    return (v[:, None, :, None, :] * s[None, :, None]).sum(dim=-1)


def dots_by_loops(a, s, Wv, bv):
    (N, L, _), (M, T, _) = a.shape, s.shape
    found = a.new_zeros(N, M, L, T)
    for n in range(N):
        for m in range(M):
            for i in range(L):
                v = a[n, i] @ Wv + bv
                for t in range(T):
                    found[n, m, i, t] = torch.dot(v, s[m, t])
    return found


def dots_of_flat_matrices(a, s, Wv, bv):
    N, L, M, T = *a.shape[:2], *s.shape[:2]
    flat = nn.functional.linear(a, Wv.T, bv).flatten(0, 1) @ s.flatten(0, 1).T
    return flat.reshape(N, L, M, T).transpose(1, 2)


def dots_by_bmm(a, s, Wv, bv):
    v = torch.matmul(a, Wv).add(bv)
    pairs = [torch.bmm(v, w.T.expand(len(v), -1, -1)) for w in s]
    return torch.stack(pairs, 1)


def dots_words_first(a, s, Wv, bv):
    """What each word looks for, in the regions' own numbers."""
    asked = s @ Wv.T
    return torch.tensordot(a, asked, dims=([2], [2])).permute(0, 2, 1, 3) + (s @ bv)[:, None]


def fit_by_amax(scores, real, seen):
    low = torch.where(seen[:, None, :, None], scores, float("-inf"))
    top = low.amax(2)
    return (top * real).sum(-1), torch.where(real, low.argmax(2), -1)


def fit_by_lowest_number(scores, real, seen):
    lowest = torch.finfo(scores.dtype).min
    top, best = scores.masked_fill(seen[:, None, :, None] == 0, lowest).max(2)
    return torch.einsum("nmt,mt->nm", top, real.to(scores.dtype)), best * real - (~real).long()


def fit_by_loops(scores, real, seen):
    N, M, L, T = scores.shape
    S, best = scores.new_zeros(N, M), torch.full((N, M, T), -1)
    for n in range(N):
        for m in range(M):
            for t in range(T):
                if real[m, t]:
                    of_seen = [i for i in range(L) if seen[n, i]]
                    best[n, m, t] = max(of_seen, key=lambda i: scores[n, m, i, t].item())
                    S[n, m] = S[n, m] + scores[n, m, best[n, m, t], t]
    return S, best


def fit_by_gather(scores, real, seen):
    with torch.no_grad():
        best = scores.masked_fill(~seen.reshape(len(seen), 1, -1, 1), -torch.inf).argmax(dim=2)
    top = scores.gather(2, best.unsqueeze(2)).squeeze(2)
    return top.where(real, 0).sum(2), best.where(real.expand_as(best), -1)


def fit_by_topk(scores, real, seen):
    low = scores + seen[:, None, :, None].to(scores.dtype).log()
    top, best = low.transpose(2, 3).topk(1)
    S = torch.where(real, top[..., 0], torch.zeros((), dtype=scores.dtype)).sum(2)
    return [S, best[..., 0].masked_fill(~real, -1)]


def fit_by_sorting(scores, real, seen):
    low = scores.clone()
    low[~seen[:, None, :, None].expand_as(scores)] = -torch.inf
    ordered, order = low.sort(dim=2)
    top, best = ordered[:, :, -1], order[:, :, -1]
    return (top * real[None]).sum(2), best.where(real, torch.tensor(-1))


def fit_sentence_by_sentence(scores, real, seen):
    """Padding is cut off, and so are the regions that are not seen."""
    S, best = [], torch.full((*scores.shape[:2], scores.shape[3]), -1)
    for n, at in enumerate(seen):
        places = at.nonzero()[:, 0]
        for m, words in enumerate(real):
            top, which = scores[n, m][at][:, words].max(dim=0)
            best[n, m, words] = places[which]
            S.append(top.sum())
    return torch.stack(S).reshape(scores.shape[:2]), best


def fit_by_an_even_split(scores, real, seen):
    """amax shares its gradient among equal scores; of equal regions the last is taken."""
    low = scores.masked_fill(~seen[:, None, :, None], -torch.inf)
    L = scores.shape[2]
    best = L - 1 - low.flip(2).argmax(2)
    return low.amax(2).masked_fill(~real, 0).sum(2), best.masked_fill(~real, -1)


OTHERS = {
    "region_word_scores": [
        dots_in_one_einsum,
        dots_by_matmul,
        dots_by_broadcasting,
        dots_by_loops,
        dots_of_flat_matrices,
        dots_by_bmm,
        dots_words_first,
    ],
    "image_sentence_score": [
        fit_by_amax,
        fit_by_lowest_number,
        fit_by_loops,
        fit_by_gather,
        fit_by_topk,
        fit_by_sorting,
        fit_sentence_by_sentence,
        fit_by_an_even_split,
    ],
}


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, f, id=f.__name__) for name, many in OTHERS.items() for f in many],
)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(2):
        report = run(name, {name: function}, seed=seed, salt="style")
        assert report.passed, str(report)


def test_the_solutions_get_full_marks_in_the_sandbox_without_the_packages_own(bubblewrap):
    from autograder.sandbox import Limits
    from autograder.session import Kernel

    with Kernel("bubblewrap", Limits()) as kernel:
        cells = ["import torch"]
        cells += [inspect.getsource(solution_functions(name)[name]) for name in NAMES]
        assert {kernel.run(cell, 60).ended for cell in cells} == {"ok"}
        for name in NAMES:
            with kernel.serving({name: name}, call_seconds=20, check_seconds=60) as link:
                report = run_check(name, Subject(name, link), salt="s")
            assert report == run(name, solution_functions(name), salt="s")


# ------------------------------------------------------------------------------- the referees


def test_the_lectures_words_add_up_to_the_sums_that_it_prints():
    assert [round(sum(words), 2) for words in sentences.LECTURE] == [3.97, 2.65, 9.10, 3.50]


def test_the_referee_of_regions_is_the_dot_product_of_the_definition():
    rng = np.random.RandomState(1)
    task = regions._draw(rng)
    right = regions._right(task)
    for n, m, i, t in np.ndindex(*task.shape):
        v = task.a[n, i] @ task.Wv + task.bv
        assert right[n, m, i, t] == pytest.approx(v @ task.s[m, t], abs=1e-12)


def test_the_referee_of_sentences_agrees_with_a_search_word_by_word():
    rng = np.random.RandomState(2)
    for change in (sentences._fill_padding, sentences._raise_unseen, sentences._equal):
        task = change(rng, sentences._draw(rng, padded=True, masked=True))
        S, best = fit_by_loops(*task.of("float64"))
        np.testing.assert_allclose(sentences.sums_of(task), S, atol=1e-12)
        np.testing.assert_array_equal(sentences.best_of(task), best)


def test_scores_that_are_drawn_are_not_equal_in_float32_either():
    rng = np.random.RandomState(3)
    for change in (lambda rng, task: task, sentences._lower, sentences._raise_unseen):
        task = change(rng, sentences._draw(rng, masked=True))
        ordered = np.sort(np.float32(np.where(task.regions, task.scores, np.nan)), axis=2)
        assert np.nanmin(np.diff(ordered, axis=2)) > 0


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "dots_without_bias": "bv has no part in them",
    "dots_bias_twice": "bv is added twice",
    "dots_bias_subtracted": "bv is taken away",
    "dots_bias_of_the_first": "only the first region of a picture gets bv",
    "dots_bias_on_the_scores": "the sum of bv is added to the scores",
    "dots_bias_along_the_regions": "sizes are matched from the last axis on",
    "dots_matrix_transposed": "Wv is (C, D): a @ Wv makes D of them",
    "dots_relu_on_regions": "there is a ReLU on the regions",
    "dots_tanh_on_regions": "there is a tanh on the regions",
    "dots_relu_on_words": "there is a ReLU on the words",
    "dots_cut_at_0": "scores below 0 are made 0",
    "dots_in_size": "they are made positive",
    "dots_as_cosines": "these are cosines",
    "dots_unit_regions": "the regions are made 1 long",
    "dots_unit_words": "the words are made 1 long",
    "dots_scaled": "divided by the root of D",
    "dots_averaged": "the mean of the products",
    "dots_not_summed": "products are still to be added up",
    "dots_softmax_over_regions": "a softmax over the regions",
    "dots_softmax_over_words": "a softmax over the words",
    "dots_squashed": "squashed by a sigmoid",
    "dots_exponentials": "e to the power of the scores",
    "dots_distances": "squared distances below 0",
    "dots_same_number_only": "every picture meets every sentence",
    "dots_sentences_first": "its axes are (M, N, L, T)",
    "dots_words_before_regions": "its axes are (N, M, T, L)",
    "dots_as_they_come": "its axes are (N, L, M, T)",
    "dots_reshaped_wrongly": "its axes are mixed",
    "dots_words_reshaped": "the numbers of all sentences' words are mixed",
    "dots_flat": "keep the axes apart",
    "dots_squeezed": "keep the axes apart",
    "dots_best_already": "the regions are gone",
    "dots_summed_already": "regions and words are gone",
    "dots_first_picture_for_all": "those of the first picture",
    "dots_first_sentence_for_all": "the words of the first sentence",
    "dots_mean_region": "every region is the mean of its picture's",
    "dots_centred_regions": "the mean of a picture's regions is taken away",
    "dots_sign_turned": "their sign is wrong",
    "dots_without_gradient": "no gradient comes back through the scores",
    "dots_words_detached": "no gradient reaches s through the scores",
    "dots_regions_detached": "no gradient reaches a through the scores",
    "dots_bias_as_numbers": "no gradient reaches bv through the scores",
    "dots_by_numpy": "is something in NumPy",
    "dots_into_a_single_buffer": "is every tensor that you make of the type of the others?",
    "dots_in_single_and_back": "the digits are those of float32",
    "dots_in_double": "it must be float32",
    "dots_words_scaled_in_place": "it changes its input s",
    "dots_by_view": "Use .reshape",
    "fit_padding_counts": "the padding counts as well",
    "fit_padding_upside_down": "real is upside down",
    "fit_length_of_the_first": "each has its own row of real",
    "fit_padding_taken_away_again": "the digits of the other words are lost",
    "fit_padding_of_zeros_chosen": "at padding it is 0, which is a region",
    "fit_padding_best_0": "at padding it is 0, which is a region",
    "fit_padding_infinite": "is a score of -infinity added up",
    "fit_words_counted": "real is taken for a length",
    "fit_stops_at_the_first_gap": "where real is False for the first time",
    "fit_unseen_in_all_pictures": "the pictures' seen are mixed",
    "fit_in_single_and_back": "the digits are those of float32",
    "fit_indices_of_max_in_place": "max still needs its indices",
    "fit_unseen_chosen": "no word may choose a region that is not seen",
    "fit_unseen_upside_down": "seen is upside down",
    "fit_unseen_as_zero": "0 is above scores below 0",
    "fit_unseen_lowered": "No number that is taken away is large enough",
    "fit_unseen_by_a_number": "No number is far enough below all scores",
    "fit_unseen_by_a_small_number": "a region that is not seen counts as -1",
    "fit_unseen_after_the_choice": "seen comes after the choice",
    "fit_regions_of_the_first": "each has its own row of seen",
    "fit_best_among_the_seen": "its numbers count the regions that are seen",
    "fit_cut_at_0": "words whose best region scores below 0 count 0",
    "fit_best_in_size": "the largest score in size",
    "fit_lowest_region": "the lowest region of each word counts",
    "fit_all_regions": "the scores of all regions are added up",
    "fit_mean_region": "the regions are averaged",
    "fit_soft_maximum": "as in logsumexp",
    "fit_attended": "by a softmax",
    "fit_mean_of_words": "it is the mean of the words",
    "fit_divided_by_steps": "it is divided by T",
    "fit_one_region_a_sentence": "one region is chosen for the whole sentence",
    "fit_best_word_of_regions": "the best word of each region is taken",
    "fit_best_word_alone": "only the best word counts",
    "fit_words_left_apart": "the words are still there",
    "fit_maximum_over_words": "it has a word for each region",
    "fit_sentences_first": "it is transposed",
    "fit_last_word_left_out": "the last place is left out",
    "fit_counted_from_1": "regions are counted from 1",
    "fit_without_words_left_out": "a sentence without words has nothing to add up, which is 0",
    "fit_results_turned": "best comes first and S second",
    "fit_S_alone": "expected the 2 results (S, best)",
    "fit_best_as_floats": "the numbers of regions are int64",
    "fit_best_in_int32": "best is int32: the numbers of regions are int64",
    "fit_squeezed": "keep the axes apart",
    "fit_without_gradient": "no gradient comes back through S",
    "fit_gradient_to_all": "a gradient comes to scores that no word chose",
    "fit_gradient_averaged": "the gradient of scores through S is wrong",
    "fit_index_in_place": "has been modified by an inplace operation",
    "fit_in_place": "it changes its input scores",
    "fit_into_a_single_buffer": "is every tensor that you make of the type of the others?",
    "fit_in_double": "it must be float32",
    "fit_by_view": "Use .reshape",
    "fit_masks_not_broadcast": "sizes are matched from the last axis on",
    "fit_seen_of_the_last_call": "does it depend on a place?",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_every_wrong_answer_has_words_of_its_own_or_is_a_matter_of_its_case():
    left = {name for name, mutant in ZOO.items() if mutant.exercise in NAMES} - set(WORDS)
    assert left == {"dots_regions_of_the_last_call", "fit_at_least_a_word", "fit_ties_halved"}


# What a wrong answer may be told: anything else would be a guess that leads astray.
ONLY = {
    "dots_without_bias": ["bv has no part"],
    "dots_relu_on_regions": ["a ReLU on the regions"],
    "dots_cut_at_0": ["made 0"],
    "dots_as_cosines": ["cosines"],
    "dots_first_picture_for_all": ["those of the first picture"],
    "fit_padding_counts": ["the padding counts"],
    "dots_in_single_and_back": ["digits"],
    "fit_words_counted": ["taken for a length"],
    "fit_stops_at_the_first_gap": ["for the first time"],
    "fit_unseen_in_all_pictures": ["seen are mixed", "huge"],
    "fit_in_single_and_back": ["digits"],
    "fit_cut_at_0": ["below 0 count 0"],
    "fit_unseen_chosen": ["not seen"],
    "fit_unseen_as_zero": ["0 is above scores below 0"],
    "fit_mean_of_words": ["the mean of the words", "0 words"],
    "fit_one_region_a_sentence": ["one region"],
    "fit_best_word_of_regions": ["the best word of each region", "the largest of nothing"],
}


@pytest.mark.parametrize("name", ONLY)
def test_in_no_case_is_a_wrong_answer_taken_for_another(name):
    for case in judged(name).cases:
        assert case.passed or any(words in case.message for words in ONLY[name]), case.message


TYPES = "float32 stays float32, and float64 float64"
BOTH_TYPES = "float32 stays float32, float64 float64, and best is int64"
ONE_SLIP = {
    "dots_into_a_single_buffer": {TYPES},
    "dots_words_detached": {"autograd reaches a, s, Wv and bv"},
    "dots_squeezed": {
        "two regions and four words, in whole numbers",
        "one picture, sentence, region or word; one number in a region or a word",
    },
    "fit_padding_taken_away_again": {"scores far from 0"},
    "fit_unseen_by_a_number": {"scores far from 0"},
    "fit_unseen_lowered": {"scores far from 0"},
    "fit_without_words_left_out": {"a sentence without words: 0, and -1 everywhere"},
    "fit_at_least_a_word": {
        "a sentence without words: 0, and -1 everywhere",
        "S: padding and hidden words count nothing, whatever stands there",
        "best: -1 for padding and hidden words, whatever stands there",
    },
    "fit_ties_halved": {"equal scores: any of the best regions"},
    "fit_gradient_to_all": {"autograd through S: to the chosen scores alone"},
    "fit_best_as_floats": {BOTH_TYPES},
    "fit_into_a_single_buffer": {BOTH_TYPES},
}


@pytest.mark.parametrize("name", ONE_SLIP)
def test_one_slip_costs_its_own_cases_alone(name):
    assert failed(judged(name)) == ONE_SLIP[name]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("fit_mean_of_words", {"best: the region of each word", "best: a region that is seen"}),
        ("fit_counted_from_1", {"S: the sum over the words of the best region's score"}),
        ("fit_padding_counts", {"best: -1 for padding and hidden words, whatever stands there"}),
        (
            "fit_padding_best_0",
            {"S: padding and hidden words count nothing, whatever stands there"},
        ),
    ],
)
def test_each_result_that_is_right_keeps_its_case(name, kept):
    assert not kept & failed(judged(name))


@pytest.mark.parametrize("name", ["dots_without_gradient", "fit_without_gradient"])
def test_what_is_right_but_does_not_learn_does_not_keep_all_points(name):
    report = judged(name)
    assert 0.5 * report.max_points < report.points < 0.85 * report.max_points


@pytest.mark.parametrize(
    "name", ["fit_unseen_as_zero", "fit_one_region_a_sentence", "fit_ties_halved", "fit_cut_at_0"]
)
def test_a_wrong_choice_loses_points_whatever_is_drawn(name):
    for seed in range(8):
        function = ZOO[name].function
        assert not run("image_sentence_score", {"image_sentence_score": function}, seed=seed).passed


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "a Linear": nn.Linear(2, 3),
    "NaN": torch.tensor(torch.nan),
    "whole numbers": torch.tensor([[1, 2], [3, 4]]),
    "no numbers": torch.zeros(0, 3),
    "half": torch.ones(2, 3).half(),
    "on no device": torch.ones(2, device="meta"),
    "complex": torch.ones(2, dtype=torch.complex64),
    "two of None": (None, None),
    "two texts": ("S", "best"),
    "two arrays": (np.ones((2, 3)), np.ones((2, 3, 4), int)),
    "two tensors without axes": (torch.tensor(1.0), torch.tensor(1)),
    "two of halves": (torch.ones(2, 3).half(), torch.ones(2, 3, 4).int()),
    "two on no device": (torch.ones(2, device="meta"), torch.ones(2, device="meta")),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def constant(name, value, *args):
    if name == "region_word_scores":
        (N, L, _), (M, T, _) = args[0].shape, args[1].shape
        return args[0].new_full((N, M, L, T), value)
    S = args[0].new_full(args[0].shape[:2], value)
    return S, torch.full_like(args[0][:, :, 0], value).long()


@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_number_everywhere_earns_nothing(name, value):
    assert run(name, {name: lambda *args: constant(name, value, *args)}).points == 0


@pytest.mark.parametrize("best", ["NaN", "a half", "far away"])
def test_regions_that_are_none_are_wrong_in_words(best):
    right = solution_functions("image_sentence_score")["image_sentence_score"]
    wrong = {"NaN": torch.nan, "a half": 0.5, "far away": 1e30}[best]

    def answered(scores, real, seen):
        S, best = right(scores, real, seen)
        return S, torch.full(best.shape, wrong, dtype=torch.float64)

    report = run("image_sentence_score", {"image_sentence_score": answered})
    assert 0 < report.points < report.max_points
    assert not any("could not judge" in case.message for case in report.cases)


# ------------------------------------------------------------------------------- the cases


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_nothing_is_contiguous_and_both_types_come(name):
    calls = [list(args) for args in recorded(name).seen]
    wide = [[t for t in call if t.ndim > 1] for call in calls]
    assert any(all(not t.is_contiguous() for t in call) for call in wide)
    kinds = {t.dtype for call in calls for t in call}
    assert kinds - {torch.bool} == {torch.float32, torch.float64}


def lengths_of(name, args):
    if name == "region_word_scores":
        return [*args[0].shape, *args[1].shape]
    return [*args[0].shape]


@pytest.mark.parametrize("name", NAMES)
def test_no_two_sizes_are_equal_but_those_that_are_1(name):
    for args in recorded(name).seen:
        found = [n for n in lengths_of(name, args) if n != 1]
        assert len({*found}) == len(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_is_1_somewhere_and_all_are_at_once(name):
    shapes = [lengths_of(name, args) for args in recorded(name).seen]
    assert {shape.index(1) for shape in shapes if shape.count(1) == 1} == {*range(len(shapes[0]))}
    assert [1] * len(shapes[0]) in shapes


@pytest.mark.parametrize("name", NAMES)
def test_a_check_sends_few_messages(name):
    assert recorded(name).messages <= 2.5 * len(run(name, solution_functions(name), salt="s").cases)


def test_padding_and_regions_that_are_not_seen_outweigh_the_others_somewhere():
    calls = recorded("image_sentence_score").seen
    assert all(bool(seen.any(1).all()) for *_, seen in calls)
    assert any(not seen.any(0).all() for *_, seen in calls)
    holes = [
        r[(r.cummax(1).values & r.flip(1).cummax(1).values.flip(1) & ~r).any(1)]
        for _, r, _ in calls
    ]
    assert sum(map(len, holes)) >= 2
    assert any((~r[:, 0] & r[:, -1]).any() for _, r, _ in calls)
    padding = [(s, r[None, :, None].expand_as(s)) for s, r, _ in calls if not r.all()]
    assert any(float(s[~r].max()) > 20 + float(s[r].max()) for s, r in padding)
    hidden = [(s, h[:, None, :, None].expand_as(s)) for s, _, h in calls if not h.all()]
    assert any(float(s[~h].max()) > 5 + float(s[h].max()) for s, h in hidden)
    negative = [(s[-1], h[-1]) for s, h in hidden]
    assert any(s[h].max() < s[~h].min() <= s[~h].max() < 0 for s, h in negative)
    assert any(not real.any(1).all() for _, real, _ in calls)
    assert any(float(s.max()) < -1e9 for s, *_ in calls)


@pytest.mark.parametrize("name", NAMES)
def test_no_case_is_worth_more_than_a_third_of_the_points(name):
    report = run(name, solution_functions(name))
    total = sum(case.weight for case in report.cases)
    assert max(case.weight for case in report.cases) <= total / 3


def test_the_exercises_are_in_the_notebook_that_has_them_and_ban_the_same_modules():
    assert {solution_file(name).stem for name in NAMES} == {"07_ranking"}
    assert {exercises()[name].banned for name in NAMES} == {BANNED}
