from fractions import Fraction
from itertools import pairwise, permutations
from statistics import median

import numpy as np
import pytest

from cs_caption.metrics import median_rank, ranks, recall_at_k, retrieval_score


def first_right(order, right):
    """How many wrong items stand before the first right one, and 1."""
    return 1 + next(place for place, item in enumerate(order) if item in right)


def orders(row):
    """All ways to set out the items, higher scores first and equal ones in any order."""
    return [
        order
        for order in permutations(range(len(row)))
        if all(row[a] >= row[b] for a, b in pairwise(order))
    ]


def right_of(one):
    return {one} if isinstance(one, int) else set(one)


def brute(scores, truth, k):
    """Ranks and recall, ties against and even, by trying every order of equal items."""
    found = [
        [first_right(order, right_of(one)) for order in orders(row)]
        for row, one in zip(scores, truth, strict=True)
    ]
    worst = [max(each) for each in found]
    mean = [Fraction(sum(each), len(each)) for each in found]
    hits = [Fraction(sum(rank <= k for rank in each), len(each)) for each in found]
    recalled = sum(rank <= k for rank in worst) / len(worst)
    return worst, recalled, [*map(float, mean)], float(sum(hits) / len(hits))


def draw(seed, queries=5, items=6, levels=3):
    """Scores of few levels, so that many are equal, and one to three right items a query."""
    rng = np.random.RandomState(seed)
    scores = rng.randint(0, levels, (queries, items)).astype(float)
    truth = [
        rng.choice(items, rng.randint(1, 1 + min(3, items)), replace=False).tolist() for _ in scores
    ]
    return scores, truth


@pytest.mark.parametrize("seed", range(8))
def test_ranks_and_recall_are_those_of_every_order_of_equal_items(seed):
    scores, truth = draw(seed, items=3 + seed % 4, levels=1 + seed % 3)
    for k in range(1, scores.shape[1] + 2):
        worst, recalled, mean, expected = brute(scores, truth, k)
        assert ranks(scores, truth).tolist() == worst
        assert recall_at_k(scores, truth, k) == recalled
        assert ranks(scores, truth, ties="even").tolist() == pytest.approx(mean)
        assert recall_at_k(scores, truth, k, ties="even") == pytest.approx(expected)
    assert median_rank(scores, truth) == median(worst)
    assert median_rank(scores, truth, ties="even") == pytest.approx(median(mean))


def test_a_table_by_hand():
    scores = np.array([[0.9, 0.1, 0.5], [0.2, 0.4, 0.4], [3.0, 2.0, 1.0], [-1.0, -3.0, -2.0]])
    truth = [0, 1, [1, 2], [1]]
    assert ranks(scores, truth).tolist() == [1, 2, 2, 3]
    assert [recall_at_k(scores, truth, k) for k in (1, 2, 3, 9)] == [0.25, 0.75, 1, 1]
    assert median_rank(scores, truth) == 2
    assert median_rank(scores[:2], truth[:2]) == 1.5
    assert ranks(scores, truth, ties="even").tolist() == [1, 1.5, 2, 3]
    assert recall_at_k(scores, truth, 1, ties="even") == 1.5 / 4


def test_scores_that_are_all_alike_find_nothing_until_every_item_is_looked_at():
    scores, truth = np.zeros((3, 7)), [0, 3, 6]
    assert ranks(scores, truth).tolist() == [7, 7, 7]
    assert recall_at_k(scores, truth, 6) == 0
    assert recall_at_k(scores, truth, 7) == 1
    assert recall_at_k(scores, truth, 2, ties="even") == pytest.approx(2 / 7)
    assert ranks(scores, truth, ties="even").tolist() == [4, 4, 4]


def test_right_items_do_not_stand_before_one_another():
    scores = np.array([[5.0, 4.0, 4.0, 3.0]])
    assert ranks(scores, [[1, 2]]).tolist() == [2]
    assert ranks(scores, [[0, 1, 2, 3]]).tolist() == [1]
    assert ranks(np.ones((1, 4)), [[0, 1, 2, 3]]).tolist() == [1]
    assert recall_at_k(np.ones((1, 4)), [[0, 1, 2, 3]], 1, ties="even") == 1


def test_all_the_scores_are_read_off_one_call():
    scores, truth = draw(3, queries=20, items=15, levels=9)
    score = retrieval_score(scores, truth)
    assert (score.r1, score.r5, score.r10) == tuple(
        recall_at_k(scores, truth, k) for k in (1, 5, 10)
    )
    assert score.median == median_rank(scores, truth)
    assert score.ranks.dtype == np.int64
    assert score.ranks.tolist() == ranks(scores, truth).tolist()
    even = retrieval_score(scores, truth, ties="even")
    assert even.r5 == recall_at_k(scores, truth, 5, ties="even")
    assert even.ranks.dtype == np.float64
    assert even.r1 >= score.r1
    assert even.median <= score.median


def test_a_score_shows_itself_in_a_line():
    score = retrieval_score(np.array([[1.0, 0.0], [1.0, 0.0]]), [0, 1])
    assert repr(score) == (
        "RetrievalScore(R@1=0.5000, R@5=1.0000, R@10=1.0000, median=1.5, 2 queries)"
    )


@pytest.mark.parametrize("queries", [1, 7, 90])
def test_blocks_of_queries_make_no_difference(queries, monkeypatch):
    scores, truth = draw(queries, queries=queries, items=11, levels=6)
    whole = ranks(scores, truth), ranks(scores, truth, ties="even")
    monkeypatch.setattr("cs_caption.metrics.retrieval._ENTRIES", 25)
    assert ranks(scores, truth).tolist() == whole[0].tolist()
    assert ranks(scores, truth, ties="even").tolist() == whole[1].tolist()


@pytest.mark.parametrize(
    "kind",
    ["float32", "float16", "int64", "uint8"],
)
def test_scores_may_be_numbers_of_any_type(kind):
    scores, truth = draw(5)
    assert ranks(scores.astype(kind), truth).tolist() == ranks(scores, truth).tolist()


def test_a_tensor_does_as_well_and_so_does_a_transposed_view():
    torch = pytest.importorskip("torch")
    scores, truth = draw(6)
    right = ranks(scores, truth).tolist()
    assert ranks(torch.tensor(scores, requires_grad=True), truth).tolist() == right
    assert ranks(np.ascontiguousarray(scores.T).T, truth).tolist() == right
    first = [one[0] for one in truth]
    alone = ranks(scores, first).tolist()
    assert ranks(scores, torch.tensor(first)).tolist() == alone
    assert ranks(scores, [torch.tensor(one) for one in first]).tolist() == alone


def test_what_is_right_may_come_in_any_collection_and_twice():
    scores, _ = draw(7)
    plain = ranks(scores, [[1, 2]] * 5).tolist()
    for one in ((2, 1), {1, 2}, frozenset((1, 2)), np.array([2, 1]), range(1, 3), [1, 2, 2, 1]):
        assert ranks(scores, [one] * 5).tolist() == plain
    assert ranks(scores, np.array([[1, 2]] * 5)).tolist() == plain
    assert ranks(scores, np.full(5, 2)).tolist() == ranks(scores, [[2]] * 5).tolist()


def test_infinite_scores_are_scores():
    scores = np.array([[-np.inf, 0.0, np.inf], [-np.inf, -np.inf, 1.0]])
    assert ranks(scores, [2, 0]).tolist() == [1, 3]


def test_neither_scores_nor_truth_are_changed():
    scores, truth = draw(8)
    before = scores.copy(), [list(one) for one in truth]
    scores.setflags(write=False)
    retrieval_score(scores, truth)
    assert np.array_equal(scores, before[0])
    assert truth == before[1]


OK = np.arange(6.0).reshape(2, 3)
NAN = np.array([[0.0, 1.0, 2.0], [0.0, np.nan, 1.0]])
BAD = {
    "NaN": ((NAN, [0, 0]), ValueError, r"scores\[1, 1\] is NaN"),
    "no right item": ((OK, [[0], []]), ValueError, r"truth\[1\] is empty"),
    "item too high": ((OK, [0, 3]), ValueError, r"truth\[1\] has item 3; expected 0 to 2"),
    "item below 0": ((OK, [[0, -1], [1]]), ValueError, r"truth\[0\] has item -1"),
    "too few": ((OK, [0]), ValueError, "1 entries and scores have 2 rows"),
    "transposed": ((OK.T, [0, 1]), ValueError, "are the scores transposed"),
    "one axis": ((OK[0], [0]), ValueError, r"shape \(3,\)"),
    "no item": ((np.zeros((2, 0)), [0, 0]), ValueError, r"shape \(2, 0\)"),
    "no query": ((np.zeros((0, 3)), []), ValueError, r"shape \(0, 3\)"),
    "text": ((np.array([["a"]]), [0]), TypeError, "are of type"),
    "a mask": ((OK > 1, [0, 0]), TypeError, "are of type bool"),
    "half an item": ((OK, [0.5, 1]), TypeError, r"truth\[0\] is 0.5"),
    "a mask of what is right": ((OK, OK > 1), TypeError, r"truth\[0\]"),
    "True": ((OK, [True, 1]), TypeError, r"truth\[0\] is True"),
    "lists in lists": ((OK, [[[0, 1]], [1]]), TypeError, r"truth\[0\]"),
    "a number": ((OK, 1), TypeError, "truth is 1"),
    "a mapping": ((OK, {0: 1, 1: 2}), TypeError, "expected a list"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("function", [ranks, median_rank, retrieval_score])
def test_what_makes_no_sense_is_refused_in_words(function, case):
    args, error, words = BAD[case]
    with pytest.raises(error, match=words):
        function(*args)


def test_nan_is_found_in_every_block(monkeypatch):
    monkeypatch.setattr("cs_caption.metrics.retrieval._ENTRIES", 3)
    with pytest.raises(ValueError, match=r"scores\[1, 1\] is NaN"):
        ranks(NAN, [0, 0])


@pytest.mark.parametrize(
    ("k", "error"), [(0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError)]
)
def test_k_is_a_whole_number_from_1(k, error):
    with pytest.raises(error, match="k is"):
        recall_at_k(OK, [0, 1], k)
    assert recall_at_k(OK, [0, 1], np.int64(3)) == 1


def test_ties_count_against_or_evenly_and_in_no_other_way():
    with pytest.raises(ValueError, match='expected "against" or "even"'):
        ranks(OK, [0, 1], ties="for")
