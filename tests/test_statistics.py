import numpy as np
import pytest

from cs_caption.metrics.statistics import (
    auc,
    bootstrap_interval,
    bootstrap_values,
    correlation,
    interval,
    quantiles,
)


def test_auc_is_the_share_of_pairs_in_the_right_order_ties_half():
    random = np.random.RandomState(0)
    for _ in range(20):
        scores, positive = random.randint(0, 5, 30), random.rand(30) < 0.4
        pairs = np.sign(scores[positive][:, None] - scores[~positive])
        assert auc(scores, positive) == pytest.approx((pairs + 1).mean() / 2)


def test_auc_of_one_class_is_nothing():
    assert auc([1.0, 2.0], [True, True]) is None
    assert auc([1.0, 2.0], [False, False]) is None


@pytest.mark.parametrize("measure", [auc, correlation])
def test_unlike_lengths_and_nan_are_refused(measure):
    with pytest.raises(ValueError, match="shapes"):
        measure([1.0, 2.0], [True])
    with pytest.raises(ValueError, match="NaN"):
        measure([1.0, np.nan], [True, False])


def test_correlation_is_pearsons_and_with_ranks_spearmans():
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert correlation(x, 2 * x + 1) == pytest.approx(1)
    assert correlation(x, np.exp(5 * x)) < 0.9
    assert correlation(x, np.exp(5 * x), ranks=True) == pytest.approx(1)
    assert correlation(x, -x) == pytest.approx(-1)
    assert correlation(x, np.ones(4)) is None


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    values = np.random.RandomState(1).normal(3, 2, 400)
    rows = np.stack([values, np.ones(400)], axis=1)
    low, high = bootstrap_interval(rows, lambda sums: sums[:, 0] / sums[:, 1])
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)


def test_the_interval_is_the_same_each_time_and_narrower_at_a_lower_level():
    rows = np.random.RandomState(1).rand(50, 2) + 1

    def ratio(sums):
        return sums[:, 0] / sums[:, 1]

    assert bootstrap_interval(rows, ratio) == bootstrap_interval(rows, ratio)
    wide, narrow = (bootstrap_interval(rows, ratio, level=level) for level in (0.95, 0.5))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_draws_that_leave_nothing_to_divide_by_are_left_out():
    rows = np.array([[1.0, 1.0], [0.0, 0.0]])
    assert bootstrap_interval(rows, lambda sums: sums[:, 0] / sums[:, 1]) == (1.0, 1.0)


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="N at least 1"):
        bootstrap_interval(np.zeros((0, 2)), lambda sums: sums[:, 0])


def test_auc_among_equals_compares_only_those():
    scores, positive, among = [1, 2, 11, 12], [True, False, True, False], [1, 1, 2, 2]
    assert auc(scores, positive) == pytest.approx(1 / 4)
    assert auc(scores, positive, among) == 0
    assert auc([1, 2, 3], [True, True, False], [1, 1, 2]) is None


def test_with_the_same_seed_the_same_pictures_are_drawn():
    rows = np.random.RandomState(2).rand(30, 2)
    a, b = (bootstrap_values(one, lambda sums: sums[:, 0], 50) for one in (rows, rows + 5))
    np.testing.assert_allclose(b - a, 5 * 30)
    assert len(set(a)) > 40
    other = bootstrap_values(rows, lambda sums: sums[:, 0], 50, seed=1)
    assert not np.allclose(a, other)


def test_the_interval_of_scores_is_that_of_their_mean():
    values = np.random.RandomState(3).normal(1, 2, 200)
    rows = np.stack([values, np.ones(200)], axis=1)
    expected = bootstrap_interval(rows, lambda sums: sums[:, 0] / sums[:, 1], 0.9, 500, 7)
    assert interval(values, 0.9, 500, 7) == expected


@pytest.mark.parametrize("wrong", [{"level": 0}, {"level": 95}, {"draws": 0}])
def test_a_level_or_draws_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))} is .*expected"):
        interval(np.ones(3), **wrong)


@pytest.mark.parametrize("values", [np.ones((3, 2)), np.zeros(0), 1.0])
def test_an_interval_of_what_are_no_scores_is_refused(values):
    with pytest.raises(ValueError, match="shape"):
        interval(values)


def test_quantiles_leave_out_what_has_no_value():
    assert quantiles(np.array([np.nan, *range(101)]), 0.9) == pytest.approx((5, 95))
