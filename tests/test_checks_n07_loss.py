import functools
import inspect
import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from judging import ZOO, judged, run  # noqa: E402

from autograder.zoo import solution_functions  # noqa: E402
from cs_caption.checks import run_check, wire  # noqa: E402
from cs_caption.checks.farside import COUNT, GRAD  # noqa: E402
from cs_caption.checks.n07_ranking import alignment, loss  # noqa: E402
from cs_caption.checks.n07_ranking.alignment_mistakes import (  # noqa: E402
    MISTAKES,
    best_way,
    sum_of,
)
from cs_caption.checks.subject import LocalLink, Subject  # noqa: E402

NAMES = ["ranking_loss", "smooth_alignment"]


class Recorder(LocalLink):
    """Functions, and the arguments of every call that came for them, as they crossed."""

    def __init__(self, functions):
        super().__init__(functions)
        self.seen, self.went_back, self.counted = [], [], []

    def exchange(self, request, count):
        function, calls = wire.loads(request)
        args = [args[2:] if function in (GRAD, COUNT) else args for args, _ in calls]
        self.seen += args
        self.went_back += args if function == GRAD else []
        self.counted += args if function == COUNT else []
        return super().exchange(request, count)


@functools.cache
def recorded(name):
    link = Recorder(solution_functions(name))
    assert run_check(name, Subject(name, link), salt="recorded").passed
    return link


def solution(name):
    return solution_functions(name)[name]


def failed(report):
    return {case.title for case in report.cases if not case.passed}


# ------------------------------------------------------------------------------- right answers


def ranking_pair_by_pair(S, margin, hardest=False):
    N, total = len(S), 0 * S.sum()
    for k in range(N):
        others = [pair for pair in range(N) if pair != k]
        of_picture = [torch.clamp(S[k, other] - S[k, k] + margin, min=0) for other in others]
        of_sentence = [torch.clamp(S[other, k] - S[k, k] + margin, min=0) for other in others]
        for charges in (of_picture, of_sentence):
            if hardest and charges:
                total = total + max(charges)
            elif charges:
                total = total + sum(charges)
    return total / N


def ranking_without_the_diagonal(S, margin, hardest=False):
    """The wrong pairs alone, N - 1 a row."""
    N = S.shape[0]
    off = ~torch.eye(N, dtype=torch.bool)
    rows, columns = S[off].view(N, N - 1), S.T[off].view(N, N - 1)
    total = S.new_zeros(())
    for wrong in (rows, columns):
        charges = torch.relu(wrong - S.diag()[:, None] + margin)
        if hardest and N > 1:
            total = total + charges.max(dim=1).values.sum()
        elif not hardest:
            total = total + charges.sum()
    return total / N


def ranking_by_multi_margin_loss(S, margin, hardest=False):
    if hardest:
        return ranking_with_infinity(S, margin, hardest)
    y = torch.arange(len(S))
    both = (torch.nn.functional.multi_margin_loss(s, y, margin=margin, reduction="sum")
            for s in (S, S.t()))  # fmt: skip
    return sum(both)


def ranking_with_infinity(S, margin, hardest=False):
    wrong = S.clone().fill_diagonal_(-torch.inf)
    right = torch.diagonal(S)
    p = torch.nn.functional.relu(margin + wrong - right.unsqueeze(1))
    s = torch.nn.functional.relu(margin + wrong - right.unsqueeze(0))
    if hardest:
        return torch.mean(p.max(1)[0] + s.max(0)[0])
    return p.sum(1).add(s.sum(0)).mean()


def ranking_with_the_margin_taken_back(S, margin, hardest=False):
    """The diagonal's charges are the margin, and are subtracted where they stand."""
    N = S.size(0)
    own = margin * torch.eye(N, dtype=S.dtype)
    p = torch.maximum(S - S.diag().view(-1, 1) + margin, torch.zeros_like(S)) - own
    s = torch.maximum(S - S.diag().view(1, -1) + margin, torch.zeros_like(S)) - own
    if not hardest:
        return torch.einsum("kl->", p + s) / N
    return (p.topk(1, dim=1).values.sum() + s.sort(dim=0).values[-1].sum()) / N


def ranking_by_triangles(S, margin, hardest=False):
    """The upper and the lower triangle; where S is turned the sentences are in its rows."""

    def charged(scores):
        charges = (scores - scores.diagonal()[:, None] + margin).clamp_min(0)
        charges = charges.triu(1) + charges.tril(-1)
        return charges.amax(-1) if hardest else charges.sum(-1)

    return (charged(S) + charged(S.mT)).mean()


def smooth_over_all_steps(scores, beta):
    """L * L * T, in torch."""
    L, T = scores.shape
    bonus = beta * torch.eye(L, dtype=scores.dtype)
    total, back = scores[:, 0], torch.zeros(T, L, dtype=torch.long)
    for t in range(1, T):
        best, back[t] = (total.unsqueeze(1) + bonus).max(0)
        total = best + scores[:, t]
    path = torch.empty(T, dtype=torch.long)
    path[-1] = total.argmax()
    for t in range(T - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def smooth_in_python(scores, beta):
    """Lists, and beta charged where the region changes, which ranks the ways alike."""
    columns = scores.T.tolist()
    ways = [(score, [region]) for region, score in enumerate(columns[0])]
    for column in columns[1:]:
        best = max(ways)
        ways = [
            max((stay[0], stay[1]), (best[0] - beta, best[1]))
            for stay in ways
        ]  # fmt: skip
        ways = [
            (total + column[region], [*way, region]) for region, (total, way) in enumerate(ways)
        ]
    return torch.tensor(max(ways)[1])


def smooth_by_recursion(scores, beta):
    L, T = scores.shape
    numbers = scores.tolist()

    @functools.cache
    def best(t, region):
        if t == 0:
            return numbers[region][0], None
        sums = [best(t - 1, other)[0] + beta * (other == region) for other in range(L)]
        at = max(range(L), key=sums.__getitem__)
        return sums[at] + numbers[region][t], at

    region = max(range(L), key=lambda each: best(T - 1, each)[0])
    regions = [region]
    for t in range(T - 1, 0, -1):
        region = best(t, region)[1]
        regions.insert(0, region)
    return torch.LongTensor(regions)


def smooth_in_numpy(scores, beta):
    numbers = scores.numpy()
    L, T = numbers.shape
    total, back = numbers[:, 0].copy(), np.zeros((T, L), int)
    for t in range(1, T):
        moves = total[:, None] + beta * np.eye(L)
        back[t], total = moves.argmax(0), moves.max(0) + numbers[:, t]
    regions = [total.argmax()]
    for t in range(T - 1, 0, -1):
        regions.append(back[t][regions[-1]])
    return torch.from_numpy(np.array(regions[::-1]))


def smooth_from_the_end(scores, beta):
    """The sums of what is still to come; then forward."""
    L, T = scores.shape
    coming = [scores[:, -1]]
    for t in range(T - 2, -1, -1):
        coming.append(scores[:, t] + torch.maximum(coming[-1] + beta, coming[-1].max()))
    coming.reverse()
    regions = [coming[0].argmax()]
    for t in range(1, T):
        regions.append((coming[t] + beta * (torch.arange(L) == regions[-1])).argmax())
    return torch.stack(regions)


def smooth_by_runs(scores, beta):
    """The best end of a sentence is a run of words in one region, and the best before it."""
    L, T = scores.shape
    sums = torch.cat([torch.zeros(L, 1, dtype=scores.dtype), scores.cumsum(dim=1)], dim=1)
    best = [(0.0, [])]
    for end in range(1, T + 1):
        runs = []
        for start in range(end):
            total, region = (sums[:, end] - sums[:, start]).max(dim=0)
            joined = best[start][0] + float(total) + beta * (end - start - 1)
            runs.append((joined, best[start][1] + [int(region)] * (end - start)))
        best.append(max(runs))
    return torch.tensor(best[-1][1])


OTHERS = {
    "ranking_loss": [
        ranking_pair_by_pair,
        ranking_without_the_diagonal,
        ranking_by_multi_margin_loss,
        ranking_with_infinity,
        ranking_with_the_margin_taken_back,
        ranking_by_triangles,
    ],
    "smooth_alignment": [
        smooth_over_all_steps,
        smooth_in_python,
        smooth_by_recursion,
        smooth_in_numpy,
        smooth_from_the_end,
        smooth_by_runs,
    ],
}


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, f, id=f.__name__) for name, many in OTHERS.items() for f in many],
)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(3):
        report = run(name, {name: function}, seed=seed, salt=f"class of {seed}")
        assert report.passed, str(report)


def test_the_solutions_get_full_marks_in_the_sandbox(bubblewrap):
    from autograder.sandbox import Limits
    from autograder.session import Kernel

    with Kernel("bubblewrap", Limits()) as kernel:
        cells = ["import torch"]
        cells += [inspect.getsource(solution(name)) for name in NAMES]
        assert {kernel.run(cell, 60).ended for cell in cells} == {"ok"}
        for name in NAMES:
            with kernel.serving({name: name}, call_seconds=20, check_seconds=60) as link:
                report = run_check(name, Subject(name, link), salt="s")
            assert report == run(name, solution_functions(name), salt="s")


def all_ways(scores, beta):
    """The greatest sum of all ways, one by one."""
    L, T = scores.shape
    return max(sum_of(np.array(way), scores, beta) for way in itertools.product(range(L), repeat=T))


def test_regions_are_judged_by_the_greatest_sum_of_all_ways():
    rng = np.random.RandomState(0)
    for L, T in itertools.product(range(1, 5), range(1, 6)):
        beta = float(rng.choice([0.0, 0.5, 1.5, 20.0]))
        scores = np.round(rng.standard_normal((L, T)), int(rng.randint(1, 4)))
        assert sum_of(best_way(scores, beta), scores, beta) == pytest.approx(all_ways(scores, beta))


def test_the_sum_counts_a_bonus_for_each_pair_of_neighbours():
    scores = np.arange(12.0).reshape(3, 4)
    assert sum_of(np.array([1, 1, 1, 0]), scores, 0.5) == 4 + 5 + 6 + 3 + 2 * 0.5
    assert sum_of(np.array([1, 0, 1, 0]), scores, 0.5) == 4 + 1 + 6 + 3


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "ranking_diagonal_charged": "the right pairs are charged as well: each adds the margin",
    "ranking_diagonal_charged_in_the_sum": "the right pairs are charged as well: each adds",
    "ranking_diagonal_zeroed_in_s": "0 stands in the place of their scores",
    "ranking_margin_on_the_diagonal_taken_back": "the right pairs are charged as well",
    "ranking_diagonal_by_value": "told by what they score, and wrong ones that score the same",
    "ranking_hardest_all_that_tie": "of charges that are equally large several count",
    "ranking_hardest_at_the_best_score": "with the right pair among the others",
    "ranking_in_single_and_back": "the digits are those of float32",
    "ranking_alone_in_single": "the loss of one pair is float32: it must be float64",
    "ranking_plain_zero": "begin with S.new_zeros(())",
    "ranking_of_pictures_only": "only the pictures are charged: sentences are as well",
    "ranking_of_sentences_only": "only the sentences are charged: pictures are as well",
    "ranking_rows_twice": "the pictures' charges are counted twice",
    "ranking_columns_twice": "the sentences' charges are counted twice",
    "ranking_diagonal_of_the_turned": "are not on the main diagonal of S that is taken",
    "ranking_best_of_row_as_right": "the largest score of a picture is taken for its right one",
    "ranking_first_sentence_right": "the first score is taken for the right one",
    "ranking_margin_subtracted": "the margin is on the wrong side",
    "ranking_right_minus_wrong": "wrong and right are exchanged",
    "ranking_margin_forgotten": "the loss is wrong: the margin has no part",
    "ranking_margin_always_1": "the margin is taken for 1, whatever is given",
    "ranking_margin_whole": "the margin is made a whole number",
    "ranking_margin_behind_the_hinge": "the margin is added behind max(0, .)",
    "ranking_only_pairs_in_the_wrong_order": "it is added always",
    "ranking_no_hinge": "max(0, .) is missing",
    "ranking_hinge_of_the_total": "each is cut off by itself",
    "ranking_squared_hinge": "the charges are squared",
    "ranking_softplus": "(softplus), where max(0, .) is asked for",
    "ranking_counts_pairs": "the charged pairs are counted",
    "ranking_cut_off_at_1": "charges above 1 are cut off",
    "ranking_not_divided": "it is not divided by N",
    "ranking_sum_not_divided": "it is not divided by N",
    "ranking_mean_of_all_places": "a mean over all places of S",
    "ranking_mean_of_wrong_pairs": "a mean over the wrong pairs",
    "ranking_mean_of_the_charged": "a mean over the charges that are above 0",
    "ranking_halved": "it is divided by 2 N",
    "ranking_sign": "its sign is wrong",
    "ranking_hardest_ignored": "`hardest` has no part",
    "ranking_always_hardest": "only the hardest count, also where `hardest` is False",
    "ranking_hardest_along_the_other_axis": "are looked for along the other axis",
    "ranking_hardest_along_rows": "both largest are looked for along a row",
    "ranking_hardest_of_both_directions": "the larger of a pair's two counts",
    "ranking_hardest_of_the_batch": "one largest of the whole batch counts",
    "ranking_hardest_of_the_sums": "added up before the largest is looked for",
    "ranking_hardest_not_divided": "the largest are added up, and not divided by N",
    "ranking_hardest_as_mean": "a mean of each picture's and sentence's charges",
    "ranking_hardest_of_pictures_alone": "of pictures the largest count, of sentences all",
    "ranking_hardest_two": "the two largest of each count",
    "ranking_alone_is_minus_infinity": "one pair alone has no wrong one",
    "ranking_alone_divides_by_0": "one pair alone has no wrong one",
    "ranking_masked_by_infinity_times_0": "0 times infinity",
    "ranking_right_detached": "the right pairs' scores are detached",
    "ranking_wrong_detached": "the wrong pairs' scores are detached",
    "ranking_sentences_detached": "the sentences' charges are detached",
    "ranking_hardest_teaches_all": "its gradient is not: `hardest` has no part",
    "ranking_numpy": "is something in NumPy, detached",
    "ranking_item": "no gradient goes through a plain number",
    "ranking_each_pair": "expected one without axes",
    "ranking_with_an_axis": "expected one without axes",
    "ranking_in_single": "of the type of S?",
    "ranking_single_for_one_direction": "of the type of S?",
    "ranking_fills_the_diagonal_in_place": "it changes its input S",
    "smooth_beta_forgotten": "beta has no part",
    "smooth_moves_for_free": "beta has no part",
    "smooth_one_for_all": "one region is chosen for all words",
    "smooth_greedy": "from left to right",
    "smooth_greedy_from_the_end": "from right to left",
    "smooth_best_beginning_alone": "from left to right",
    "smooth_takes_over_from_the_left": "from left to right",
    "smooth_word_by_word": "several words may have to move together",
    "smooth_neighbours_once": "drawn to its neighbours' best regions",
    "smooth_without_a_way_back": "follow back where each sum came from",
    "smooth_back_without_beta": "came from, beta included",
    "smooth_back_from_the_last_always": "for the last word's region every time",
    "smooth_of_the_best_two": "one that is nobody's best may suit all words",
    "smooth_of_the_best_three": "one that is nobody's best may suit all words",
    "smooth_by_marginals": "where several ways reach the same sum they are mixed",
    "smooth_back_from_the_last_score": "begins with the last word's best score",
    "smooth_along_the_wrong_axis": "along the wrong axis",
    "smooth_back_reversed": "the regions are in reverse order",
    "smooth_back_late": "on the way back it is a word late",
    "smooth_back_early": "on the way back it is a word early",
    "smooth_bonus_twice": "beta is counted twice",
    "smooth_bonus_halved": "half of beta is counted",
    "smooth_beta_is_1": "beta is taken for 1",
    "smooth_beta_squared": "beta is squared",
    "smooth_penalty": "or subtracted where they share one",
    "smooth_numbers_next_to_each_other": "differ by 1: they should be the same",
    "smooth_numbers_near_each_other": "differ by 1 as well: they should be the same",
    "smooth_charges_for_distance": "the difference of the regions' numbers is charged for",
    "smooth_any_two_words": "it tries all ways to choose",
    "smooth_all_ways": "it tries all ways to choose",
    "smooth_smallest": "the smallest sum is looked for",
    "smooth_softmax_of_regions": "turned into probabilities of regions first",
    "smooth_softmax_of_words": "turned into probabilities of words first",
    "smooth_nothing_below_0": "scores below 0 are made 0",
    "smooth_starts_at_0": "the first word's scores have no part",
    "smooth_last_word_left_out": "the last word's scores have no part",
    "smooth_turned": "there is one region for each word",
    "smooth_squeezed": "expected (1,)",
    "smooth_as_list": "wrap it in torch.tensor",
    "smooth_as_floats": ".long() makes whole numbers one",
    "smooth_in_int32": ".long() makes whole numbers one",
    "smooth_with_its_sum": "a tuple of 2: expected an int64 tensor",
    "smooth_counts_from_1": "not the number of a region",
    "smooth_adds_in_place": "it changes its input scores",
}
# What these do is nobody's usual slip, or the traceback says it.
WITHOUT_WORDS = {
    "ranking_diagonal_minus_thousand",
    "ranking_filled_with_minus_hundred",
    "ranking_leaky",
    "ranking_cosines",
    "ranking_cross_entropy",
    "ranking_hardest_by_default",
    "ranking_hardest_before_the_hinge",
    "ranking_alone_fails",
    "smooth_back_forward",
    "smooth_stays_whenever_it_may",
    "smooth_best_begins_at_0",
    "smooth_whole_numbers",
    "smooth_whole_beta",
    "smooth_needs_two_words",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_every_wrong_answer_has_words_of_its_own_or_is_known_to_have_none():
    ours = {name for name, mutant in ZOO.items() if mutant.exercise in NAMES}
    assert ours - set(WORDS) == WITHOUT_WORDS


ONE_SLIP = {
    "ranking_diagonal_minus_thousand": {"scores far below 0"},
    "ranking_hardest_ignored": {"hardest: the largest", "only the hardest"},
    "ranking_hardest_along_rows": {"hardest: the largest", "only the hardest"},
    "ranking_right_detached": {"autograd: the gradient of S"},
    "ranking_numpy": {"autograd: the gradient of S"},
    "ranking_hardest_teaches_all": {"only the hardest"},
    "ranking_alone_fails": {"one pair (N = 1)"},
    "ranking_alone_divides_by_0": {"one pair (N = 1)"},
    "ranking_diagonal_by_value": {"equal scores", "hardest: the largest"},
    "ranking_hardest_all_that_tie": {"hardest: the largest"},
    "ranking_in_single": {"float32 stays"},
    "ranking_in_single_and_back": {"float32 stays"},
    "ranking_alone_in_single": {"float32 stays"},
    "ranking_plain_zero": {"nothing to charge", "one pair (N = 1)"},
    "ranking_single_for_one_direction": {"float32 stays"},
    "ranking_fills_the_diagonal_in_place": {"inputs unchanged"},
    "smooth_all_ways": {"64 regions"},
    "smooth_best_begins_at_0": {"scores below 0"},
    "smooth_needs_two_words": {"one word (T = 1)"},
    "smooth_squeezed": {"one word (T = 1)"},
    "smooth_of_the_best_three": {"later words decide"},
    "smooth_by_marginals": {"the same sum"},
    "smooth_as_list": {"int64 comes back"},
    "smooth_as_floats": {"int64 comes back"},
    "smooth_adds_in_place": {"inputs unchanged"},
}


@pytest.mark.parametrize("name", ONE_SLIP)
def test_one_slip_costs_its_own_cases_alone(name):
    lost = failed(judged(name))
    assert all(any(words in title for words in ONE_SLIP[name]) for title in lost), lost
    assert all(any(words in title for title in lost) for words in ONE_SLIP[name]), lost


@pytest.mark.parametrize("name", ["ranking_right_detached", "ranking_numpy"])
def test_a_loss_that_does_not_teach_what_it_should_costs_a_fifth_or_more_and_not_all(name):
    report = judged(name)
    assert 0 < report.points < 0.8 * report.max_points


def test_charging_the_right_pairs_keeps_points_for_the_gradient_that_is_right():
    report = judged("ranking_diagonal_charged_in_the_sum")
    assert {"autograd: the gradient of S"} < {case.title for case in report.cases if case.passed}


@pytest.mark.parametrize(
    "name",
    [
        "ranking_diagonal_by_value",
        "ranking_hardest_all_that_tie",
        "ranking_hardest_at_the_best_score",
        "ranking_in_single_and_back",
        "ranking_hardest_along_rows",
        "ranking_hardest_before_the_hinge",
        "ranking_alone_is_minus_infinity",
        "ranking_margin_whole",
        "smooth_word_by_word",
        "smooth_back_from_the_last_always",
        "smooth_beta_squared",
        "smooth_nothing_below_0",
        "smooth_best_begins_at_0",
        "smooth_of_the_best_two",
        "smooth_of_the_best_three",
        "smooth_by_marginals",
    ],
)
def test_mistakes_that_show_now_and_then_cost_points_whatever_is_drawn(name):
    for seed in range(8):
        mutant = ZOO[name]
        assert not run(mutant.exercise, {mutant.exercise: mutant.function}, seed=seed).passed


@pytest.mark.parametrize("words", MISTAKES)
def test_each_mistake_that_can_be_named_loses_points(words):
    def mistaken(scores, beta):
        return torch.tensor(np.array(MISTAKES[words](scores.double().numpy(), beta)))

    report = run("smooth_alignment", {"smooth_alignment": mistaken})
    assert not report.passed
    assert any(words.strip() in case.message for case in report.cases)


@pytest.mark.parametrize("words", loss.MISTAKES | loss.UNSEEN)
def test_each_loss_that_can_be_named_loses_points(words):
    mistaken = (loss.MISTAKES | loss.UNSEEN)[words]

    def of_all(S, margin, hardest=False):
        return mistaken(S, margin, hardest)

    report = run("ranking_loss", {"ranking_loss": of_all})
    assert not report.passed
    assert any(words.strip() in case.message for case in report.cases)


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "a list of text": ["a", "b"],
    "a list of lists": [[0], [1]],
    "an object": object(),
    "an array": np.ones(3),
    "an array of whole numbers": np.full((2, 2), 1),
    "NaN": torch.tensor(np.nan, dtype=torch.float64),
    "a row of NaN": torch.full((3,), np.nan),
    "a row of infinity": torch.full((3,), np.inf),
    "whole numbers": torch.tensor([10**6] * 3),
    "below 0": torch.full((3,), -1),
    "truths": torch.ones(3, dtype=torch.bool),
    "half": torch.ones(3).half(),
    "on no device": torch.ones(3, device="meta"),
    "sparse": torch.ones(3).to_sparse(),
    "complex": torch.ones((), dtype=torch.complex64),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


@pytest.mark.parametrize("fill", [np.nan, np.inf, -1.0, 0.5, 1e9])
def test_floats_that_are_no_regions_fail_in_words(fill):
    def odd(scores, beta):
        return torch.full((scores.shape[1],), fill)

    report = run("smooth_alignment", {"smooth_alignment": odd})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def test_zeros_of_the_right_shapes_earn_nothing():
    def no_loss(S, margin, hardest=False):
        return 0 * S.sum()

    def first_region(scores, beta):
        return torch.zeros(scores.shape[1], dtype=torch.long)

    for name, function in zip(NAMES, (no_loss, first_region), strict=True):
        assert run(name, {name: function}, salt="zeros").points == 0


# ------------------------------------------------------------------------------- the cases


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_nothing_is_contiguous_and_somewhere_all_is_float32(name):
    calls = [args[0] for args in recorded(name).seen]
    assert any(not a.is_contiguous() for a in calls)
    assert {a.dtype for a in calls} == {torch.float32, torch.float64}


def test_batches_have_one_pair_two_and_more_and_hardest_is_given_and_left_out():
    calls = recorded("ranking_loss").seen
    assert {1, 2, 3, 4, 5} <= {len(args[0]) for args in calls}
    assert {args[2:] for args in calls} == {(), (True,), (False,)}
    assert {(True,), (False,)} == {args[2:] for args in calls if len(args[0]) == 1}
    margins = {args[1] for args in calls}
    assert {0.0, 1, 2} <= margins
    assert any(type(margin) is int for margin in margins)
    assert any(margin % 1 for margin in margins)


def test_no_charge_that_is_gone_back_through_is_where_the_hinge_bends():
    for S, margin, hardest in recorded("ranking_loss").went_back:
        S = S.detach()
        right, off = S.diagonal(), ~torch.eye(len(S), dtype=torch.bool)
        for charges, axis in ((S - right[:, None] + margin, 1), (S - right + margin, 0)):
            assert float(charges[off].abs().min()) > 1e-3
            most = charges.masked_fill(~off, -9).topk(2, dim=axis).values
            assert float((most.select(axis, 0) - most.select(axis, 1)).min()) > 1e-4
            counts = ((charges > 0) & off).sum(axis)
            assert int(counts.min()) == 0
            assert int(counts.max()) > 1
        assert type(hardest) is bool


def test_the_two_directions_are_asked_for_one_at_a_time():
    rng = np.random.RandomState(5)
    for _ in range(20):
        task = loss._one_sided(rng)
        right, off = np.diag(task.S), ~np.eye(len(task.S), dtype=bool)
        assert (((task.S - right[:, None] + task.margin) > 0) & off).any()
        assert not (((task.S - right + task.margin) > 0) & off).any()


def test_sizes_differ_and_one_word_one_region_and_many_are_among_them():
    shapes = [tuple(args[0].shape) for args in recorded("smooth_alignment").seen]
    assert {(4, 1), (1, 5), (1, 1), (64, 16)} <= set(shapes)
    assert all(L != T or L == 1 for L, T in shapes)
    betas = {args[1] for args in recorded("smooth_alignment").seen}
    assert 0.0 in betas
    assert max(beta for beta in betas if beta < 1e6) > 60


def test_all_ways_are_looked_for_where_there_are_few_and_before_there_are_many():
    counted, seen = recorded("smooth_alignment").counted, recorded("smooth_alignment").seen
    assert all(L**T < 10_000 for L, T in (args[0].shape for args in counted))
    many = next(i for i, args in enumerate(seen) if args[0].shape[1] > 8)
    assert any(args is each for args in seen[:many] for each in counted)


def test_what_is_best_in_between_is_not_what_is_best_at_either_end():
    rng = np.random.RandomState(2)
    for _ in range(50):
        task = alignment._draw(rng)
        assert all(task.misses(best_way(task.scores, beta)) for beta in (0.0, 1e6))


def test_words_taken_one_after_another_miss_the_best_where_later_words_decide():
    rng = np.random.RandomState(3)
    greedy, one_by_one = (
        next(way for words, way in MISTAKES.items() if start in words)
        for start in ("from left to right", "moves by itself")
    )
    backward = next(way for words, way in MISTAKES.items() if "from right to left" in words)
    for _ in range(20):
        task = alignment._looked_ahead(rng)
        assert task.misses(greedy(task.scores, task.beta))
        task = alignment._Task(task.scores[:, ::-1], task.beta)
        assert task.misses(backward(task.scores, task.beta))
        task = alignment._held_together(rng)
        assert task.misses(one_by_one(task.scores, task.beta))
