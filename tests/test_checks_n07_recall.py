import inspect
import statistics

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from judging import ZOO, judged, run  # noqa: E402

from autograder.zoo import solution_file, solution_functions  # noqa: E402
from cs_caption.checks import check, run_check, wire  # noqa: E402
from cs_caption.checks.n07_ranking import queries  # noqa: E402
from cs_caption.checks.subject import LocalLink, Subject  # noqa: E402

NAMES = ["recall_at_k", "median_rank"]


class Recorder(LocalLink):
    """Functions, and the arguments of every call that came for them, as they crossed."""

    def __init__(self, functions):
        super().__init__(functions)
        self.seen = []

    def exchange(self, request, count):
        _, calls = wire.loads(request)
        self.seen += [args for args, _ in calls]
        return super().exchange(request, count)


def recorded(name):
    link = Recorder(solution_functions(name))
    assert run_check(name, Subject(name, link), salt="recorded").passed
    return link.seen


def passed(report):
    return {case.title for case in report.cases if case.passed}


def lost(name):
    return {case.title for case in judged(name).cases if not case.passed}


# ------------------------------------------------------------------------------- right answers


def recall_by_loops(scores, truth, k):
    hits = 0
    for row, right in zip(scores.tolist(), truth, strict=True):
        best = max(row[item] for item in right)
        before = [s for item, s in enumerate(row) if s >= best and item not in right]
        hits += len(before) < k
    return hits / len(scores)


def recall_by_sorting(scores, truth, k):
    """Of equal items the wrong ones come first."""
    hits = []
    for row, right in zip(scores.tolist(), truth, strict=True):
        order = sorted(range(len(row)), key=lambda item: (-row[item], item in right))
        hits.append(any(item in right for item in order[:k]))
    return sum(hits) / len(hits)


def _masked(scores, truth):
    mask = torch.zeros(scores.shape, dtype=torch.bool)
    for row, right in zip(mask, truth, strict=True):
        row[right] = True
    best = scores.masked_fill(~mask, -torch.inf).amax(dim=1, keepdim=True)
    return 1 + ((scores >= best) & ~mask).sum(dim=1)


def recall_of_all_at_once(scores, truth, k):
    return (_masked(scores, truth) <= k).double().mean().item()


def recall_in_numpy(scores, truth, k):
    scores, hits = scores.numpy(), []
    for q in range(scores.shape[0]):
        wrong = np.delete(scores[q], truth[q])
        hits.append(1 + np.sum(wrong >= np.max(scores[q, truth[q]])) <= k)
    return np.mean(hits)


def recall_by_the_kth_wrong_one(scores, truth, k):
    hits = []
    for row, right in zip(scores, truth, strict=True):
        wrong = sorted((s for i, s in enumerate(row.tolist()) if i not in set(right)), reverse=True)
        hits.append(len(wrong) < k or wrong[k - 1] < max(row[i].item() for i in right))
    return np.count_nonzero(hits) / len(truth)


def recall_by_argsort_of_both(scores, truth, k):
    """lexsort by score, and right behind wrong."""
    scores, hits = scores.numpy(), 0
    for row, right in zip(scores, truth, strict=True):
        is_right = np.isin(np.arange(len(row)), right)
        hits += bool(is_right[np.lexsort((is_right, -row))[:k]].any())
    return float(hits / len(truth))


def _listed(scores, truth):
    return [int(rank) for rank in _masked(scores, truth)]


def median_by_statistics(scores, truth):
    return statistics.median(_listed(scores, truth))


def median_by_numpy(scores, truth):
    return np.median(_listed(scores, truth))


def median_by_quantile(scores, truth):
    return torch.quantile(_masked(scores, truth).double(), 0.5).item()


def median_of_both_sides(scores, truth):
    """torch.median is the lower of two, and of the negatives the upper."""
    ranks = _masked(scores, truth)
    return (ranks.median().item() - (-ranks).median().item()) / 2


def median_by_sorting(scores, truth):
    ranks, n = sorted(_listed(scores, truth)), len(truth)
    return float(ranks[n // 2]) if n % 2 else (ranks[n // 2 - 1] + ranks[n // 2]) / 2


def median_by_places(scores, truth):
    ranks = []
    for row, right in zip(scores.tolist(), truth, strict=True):
        order = sorted(range(len(row)), key=lambda item: (-row[item], item in right))
        ranks.append(1 + min(order.index(item) for item in right))
    return np.median(ranks).item()


OTHERS = {
    "recall_at_k": [
        recall_by_loops,
        recall_by_sorting,
        recall_of_all_at_once,
        recall_in_numpy,
        recall_by_the_kth_wrong_one,
        recall_by_argsort_of_both,
    ],
    "median_rank": [
        median_by_statistics,
        median_by_numpy,
        median_by_quantile,
        median_of_both_sides,
        median_by_sorting,
        median_by_places,
    ],
}


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, f, id=f.__name__) for name, many in OTHERS.items() for f in many],
)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(2):
        report = run(name, {name: function}, seed=seed, salt="another")
        assert report.passed, str(report)


def test_the_solutions_get_full_marks_in_the_sandbox(bubblewrap):
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


# ------------------------------------------------------------------------------- wrong answers

_FOR_US = "stands behind it: it stands before it"
_SORTED = "equal items stand in the order of their numbers"
_LITTLE = "scores that differ by a little count as equal"
_EMPTY = "where every item is right, no wrong one is left"
RANKS = {
    "ties_for_us": _FOR_US,
    "ties_shared": "half stand before: all of them do",
    "as_sorted": _SORTED,
    "as_sorted_backwards": "turned round: wrong ones stand before right ones",
    "lowest_first": "sorted the wrong way round",
    "places_for_ranks": "argsort says which item is at a place",
    "before_the_last_right": "the wrong items before the last right one are counted",
    "all_right_found": "all right items are waited for",
    "right_ones_count": "right items with the same score count as wrong",
    "first_listed": "only the first number in each list of truth is taken for right",
    "first_listed_among_wrong": "only the first number in each list of truth counts",
    "last_listed": "only the last number in each list of truth is taken for right",
    "mean_of_right": "the ranks of a query's right items are averaged",
    "zeroed": "there is a 0, which may be above all scores",
    "best_of_zeros": "taken with the 0 in the other places",
    "softened": "is wrong",
    "small_number_less": "large scores stay as they are",
    "below_the_best_subtracted": "subtracted, and were not counted",
    "transposed": " stopped with ",
    "as_tensor": "expected a float, so .item() of it",
    "in_single": _LITTLE,
    "nearly_equal": _LITTLE,
    "hardest_alone": _EMPTY,
    "marks_in_place": "it changes its input scores",
    "pops": "it changes its input truth",
}
WORDS = {
    **{f"{name}_{slip}": words for name in ("recall", "medrank") for slip, words in RANKS.items()},
    "recall_by_topk": "k may be more than there are items",
    "recall_by_clamped_topk": "or in the order of the items",
    "recall_by_argsort": "in the order of the",
    "recall_of_textbooks": "the share of a query's right items that are found",
    "recall_by_kth_score": _FOR_US,
    "recall_wants_k_items": "k may be more than there are items",
    "recall_of_right_items": "the share of a query's right items that are found",
    "recall_of_all_right_items": "the share of all right items that are found",
    "recall_precision": "the share of the k items that are right",
    "recall_score_of_right": "the right items' scores are averaged",
    "recall_one_too_few": "it looks at one item too few",
    "recall_one_too_many": "it looks at one item too many",
    "recall_at_one": "only the first item is looked at",
    "recall_at_ten": "10 items are looked at",
    "recall_at_place_k": "only the item at place k is looked at",
    "recall_percent": "it is a percentage",
    "recall_hits": "it is the number of queries",
    "recall_over_items": "divided by the number of items",
    "recall_over_k": "divided by k",
    "recall_misses": "the share of queries that find nothing",
    "recall_diagonal": "truth has no part in it",
    "recall_rounded": "it is rounded",
    "recall_by_view": "Use .reshape",
    "medrank_unsigned": "the scores' signs are lost",
    "medrank_of_pairs": "every right item has a rank of its own",
    "medrank_from_zero": "the ranks count from 0",
    "medrank_mean": "it is the mean of the ranks",
    "medrank_lower_middle": "the lower of the two in the middle",
    "medrank_upper_middle": "the upper of the two in the middle",
    "medrank_rounded_down": "it is rounded down",
    "medrank_whole": "it is rounded: of an even number",
    "medrank_middle_off_by_one": "two ranks after the middle are taken",
    "medrank_even_and_odd_swapped": "two ranks are averaged where one is in the middle",
    "medrank_unsorted": "the ranks are not sorted",
    "medrank_best": "the best rank of all queries",
    "medrank_worst": "the worst rank of all queries",
    "medrank_reciprocal": "the mean of 1 / rank",
    "medrank_as_share": "divided by the number of items",
    "medrank_of_different": "equal ranks count once",
    "medrank_each": "is a list of",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_every_wrong_answer_has_words_of_its_own():
    assert {name for name, mutant in ZOO.items() if mutant.exercise in NAMES} == set(WORDS)


_TYPES = {"float32 and float64 as they are, and a float comes back"}
_TIED = {"a wrong item with the same score stands before"}
_EVERY = {"every item is right, one query, one item"}
_FAR = {"scores all below 0, near large numbers, thousands apart"}
_EVEN = {"an even number: the mean of the two in the middle"}
ONE_SLIP = {
    "recall_as_tensor": _TYPES,
    "recall_in_single": _TYPES,
    "recall_nearly_equal": _TYPES,
    "recall_small_number_less": _TIED,
    "medrank_small_number_less": _TIED,
    "recall_hardest_alone": _EVERY,
    "recall_softened": _FAR,
    "medrank_as_tensor": _TYPES,
    "medrank_in_single": _TYPES,
    "medrank_nearly_equal": _TYPES,
    "medrank_hardest_alone": _EVERY,
    "medrank_softened": _FAR,
    "medrank_lower_middle": _EVEN,
    "medrank_upper_middle": _EVEN,
    "medrank_rounded_down": _EVEN,
    "medrank_whole": _EVEN,
    "medrank_middle_off_by_one": _EVEN,
}


@pytest.mark.parametrize("name", ONE_SLIP)
def test_one_slip_costs_its_own_case_alone(name):
    assert lost(name) == ONE_SLIP[name]


@pytest.mark.parametrize("name", ["recall_ties_for_us", "medrank_ties_for_us"])
def test_ties_for_us_cost_a_good_part_and_not_all(name):
    report = judged(name)
    assert 0.5 < report.points / report.max_points < 0.75


@pytest.mark.parametrize(
    "name", ["recall_softened", "recall_by_topk", "recall_ties_shared", "medrank_whole"]
)
def test_what_few_numbers_show_loses_points_whatever_is_drawn(name):
    exercise = ZOO[name].exercise
    for seed in range(4):
        assert not run(exercise, {exercise: ZOO[name].function}, seed=seed).passed


# What a wrong answer may be told: anything else would be a guess that leads astray.
ONLY = {
    "recall_percent": ["it is a percentage"],
    "recall_misses": ["the share of queries that find nothing"],
    "recall_one_too_few": ["it looks at one item too few"],
    "medrank_from_zero": ["the ranks count from 0"],
    "medrank_lower_middle": ["the lower of the two"],
    "medrank_mean": ["it is the mean of the ranks"],
}


@pytest.mark.parametrize("name", ONLY)
def test_in_no_case_is_a_wrong_answer_taken_for_another(name):
    for case in judged(name).cases:
        assert case.passed or any(words in case.message for words in ONLY[name]), case.message


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "an array": np.ones(3),
    "True": True,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a tensor of NaN": torch.tensor(torch.nan),
    "a tensor with an axis": torch.ones(1),
    "half": torch.ones(2, 3).half(),
    "on no device": torch.ones(2, device="meta"),
    "sparse": torch.eye(3).to_sparse(),
    "complex": 1j,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {name: lambda *args: JUNK[junk]})
    assert not passed(report)
    assert not any("could not judge" in case.message for case in report.cases)


@pytest.mark.parametrize("answer", [0.0, 0.5, 1.0])
def test_one_number_for_everything_earns_next_to_nothing(answer):
    report = run("recall_at_k", {"recall_at_k": lambda *args: answer}, salt="constant")
    assert len(passed(report)) <= 2
    assert report.points < 0.6
    ranked = run("median_rank", {"median_rank": lambda *args: 3 * answer}, salt="constant")
    assert not passed(ranked)


# ------------------------------------------------------------------------------- the cases


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_nothing_is_contiguous_and_both_types_are_tried(name):
    many = [args[0] for args in recorded(name)]
    assert any(not scores.is_contiguous() for scores in many)
    assert {scores.dtype for scores in many} == {torch.float32, torch.float64}
    assert all(bool(scores.isfinite().all()) for scores in many)


@pytest.mark.parametrize("name", NAMES)
def test_queries_and_items_are_never_as_many_but_where_there_is_one(name):
    shapes = {tuple(args[0].shape) for args in recorded(name)}
    assert all(items != Q or Q == 1 for Q, items in shapes)
    assert {1 in shape for shape in shapes} == {True, False}
    assert (1, 1) in shapes
    assert any(items < Q for Q, items in shapes)
    assert any(items > Q for Q, items in shapes)


@pytest.mark.parametrize("name", NAMES)
def test_every_query_has_something_right_in_no_order_and_each_item_once(name):
    lists = [right for args in recorded(name) for right in args[1]]
    assert {1, 2, 3, 4, 5} <= {len(right) for right in lists}
    assert all(len(set(right)) == len(right) for right in lists)
    assert any(right != sorted(right) for right in lists)


@pytest.mark.parametrize("name", NAMES)
def test_ties_of_every_kind_are_tried(name):
    kinds = set()
    for scores, truth, *_ in recorded(name):
        for row, right in zip(scores, truth, strict=True):
            best, mask = row[right].max(), torch.ones(len(row), dtype=torch.bool)
            mask[right] = False
            equal = torch.where(mask & (row == best))[0]
            first = min(item for item in right if row[item] == best)
            kinds |= {"wrong ahead" if item < first else "wrong behind" for item in equal.tolist()}
            kinds |= {"right ones"} if int((row[right] == best).sum()) > 1 else set()
        kinds |= (
            {f"all at {float(scores[0, 0])}"} if len(scores.unique()) == 1 < len(row) else set()
        )
    assert {"wrong ahead", "wrong behind", "right ones", "all at 0.0", "all at -0.5"} <= kinds


def test_k_is_on_both_sides_of_every_place_and_of_the_number_of_items():
    where = [(args[2], args[0].shape[1]) for args in recorded("recall_at_k")]
    assert {k for k, _ in where} >= {1, 2, 3, 4, 5, 6, 7, 8, 9}
    assert {min(1, max(-1, k - items)) for k, items in where} == {-1, 0, 1}


def test_odd_and_even_numbers_of_queries_are_in_the_middle():
    counts = [len(args[1]) for args in recorded("median_rank")]
    assert {1, 2, 3, 4, 5, 6, 7, 8, 9, 11} <= set(counts)


def test_draws_that_would_hide_a_mistake_are_not_taken():
    figure = queries.Figure("it", lambda t: (), lambda t: t.k, {"alike": lambda t: t.k % 3}, False)

    def draw(rng):
        return [queries.Task(np.zeros((1, 1)), [[0]], int(rng.randint(6)))]

    for seed in range(9):
        (task,) = queries.draw_telling(np.random.RandomState(seed), draw, figure, ["alike"])
        assert task.k >= 3


@pytest.mark.parametrize("name", NAMES)
def test_no_case_is_worth_more_than_a_third_of_the_points(name):
    report = run(name, solution_functions(name))
    total = sum(case.weight for case in report.cases)
    assert max(case.weight for case in report.cases) <= total / 3


def test_the_packages_own_metrics_are_named_as_absent_where_they_are_used():
    from cs_caption import metrics

    def recall_at_k(scores, truth, k):
        return metrics.recall_at_k(scores, truth, k)

    report = check("recall_at_k", recall_at_k)
    assert report.passed
    assert any("cs_caption.metrics" in note for note in report.notes)


def test_the_exercises_are_in_the_notebook_that_has_them():
    assert {solution_file(name).stem for name in NAMES} == {"07_ranking"}
