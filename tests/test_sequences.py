import numpy as np
import pytest

from cs_caption.checks.sequences import (
    cut_off,
    in_chunks,
    is_beyond,
    ragged,
    reorder,
    require_no_seam,
    require_nothing_beyond,
    require_rows_follow,
    rows_in,
    sequence_sizes,
)
from cs_caption.checks.subject import Wrong


@pytest.fixture
def rng():
    return np.random.RandomState(0)


def test_two_sizes_that_are_fixed_alike_are_refused(rng):
    with pytest.raises(ValueError, match="both 1"):
        sequence_sizes(rng, rows=1, steps=1)


def test_no_two_sizes_are_alike_whatever_is_fixed(rng):
    for fixed in ({}, {"rows": 1}, {"steps": 1}, {"steps": 5}, {"rows": 4, "steps": 6}):
        for _ in range(100):
            N, T, D, H = sequence_sizes(rng, **fixed)
            assert len({N, T, D, H}) == 4
            assert min(D, H) >= 3
            assert fixed.get("rows", N) == N
            assert fixed.get("steps", T) == T


def test_one_sentence_has_every_step_and_the_others_differ_in_length(rng):
    for _ in range(100):
        N, T, _, _ = sequence_sizes(rng)
        lengths = ragged(rng, N, T)
        assert lengths.shape == (N,)
        assert lengths.min() >= 1
        assert lengths.max() == T
        assert len(set(lengths)) == min(N, T)


def test_a_single_sentence_ends_early_where_it_can(rng):
    assert all(ragged(rng, 1, 4)[0] < 4 for _ in range(20))
    assert ragged(rng, 1, 1).tolist() == [1]


def test_what_comes_beyond_a_sentence_is_cut_off_to_exactly_zero():
    dh = np.full((2, 3, 4), np.pi)
    cut = cut_off(dh, np.array([1, 3]))
    assert is_beyond(np.array([1, 3]), 3).tolist() == [[False, True, True], [False] * 3]
    assert cut[0, 0].min() == cut[1].min() == np.pi
    assert not cut[0, 1:].any()
    assert dh.min() == np.pi


def test_a_gradient_beyond_the_end_must_be_exactly_zero_however_small():
    dx = np.ones((2, 3, 4))
    lengths = np.array([1, 3])
    require_nothing_beyond(cut_off(dx, lengths), lengths)
    with pytest.raises(Wrong, match="at 2 of 2 steps beyond the end"):
        require_nothing_beyond(dx, lengths)
    almost = cut_off(dx, lengths)
    almost[0, 2, 3] = 1e-300
    with pytest.raises(Wrong, match="at 1 of 2 steps"):
        require_nothing_beyond(almost, lengths)


def test_an_order_leaves_no_row_in_its_place(rng):
    for N in range(2, 9):
        order = reorder(rng, N)
        assert sorted(order) == list(range(N))
        assert np.all(order != np.arange(N))
    assert reorder(rng, 1).tolist() == [0]


def test_an_order_can_be_told_from_its_inverse(rng):
    orders = [reorder(rng, N) for N in range(3, 9)]
    assert not any(np.array_equal(order, np.argsort(order)) for order in orders)


def test_results_with_rows_must_follow_the_order_and_the_others_must_not(rng):
    order = reorder(rng, 3)
    plain = {"h": rng.standard_normal((2, 3, 4)), "dW": rng.standard_normal((3, 3))}
    moved = rows_in(order, plain, {"h": 1})
    assert np.array_equal(moved["h"], plain["h"][:, order])
    require_rows_follow(plain, moved, order, {"h": 1})
    with pytest.raises(Wrong, match=r"h, with the sequences .* does one sequence read"):
        require_rows_follow(plain, plain, order, {"h": 1})
    with pytest.raises(Wrong, match=r"dW, with the sequences .* a sum over the batch"):
        require_rows_follow(plain, moved | {"dW": plain["dW"][order]}, order, {"h": 1})


def sums(chunk, start):
    h = start[:, None] + np.cumsum(chunk, axis=1)
    return {"h": h}, h[:, -1]


def test_chunks_are_joined_and_the_state_goes_from_one_to_the_next(rng):
    x, start = rng.standard_normal((2, 7, 3)), rng.standard_normal((2, 3))
    joined = in_chunks(sums, x, start, [1, 4])
    assert joined["h"].shape == (2, 7, 3)
    require_no_seam(joined, sums(x, start)[0])


def test_a_state_that_is_not_carried_on_shows_as_a_seam(rng):
    x, start = rng.standard_normal((2, 7, 3)), rng.standard_normal((2, 3))
    forgetful = in_chunks(lambda chunk, _: sums(chunk, start), x, start, [4])
    with pytest.raises(Wrong, match="run in chunks and joined, is not the same in 18 of 42"):
        require_no_seam(forgetful, sums(x, start)[0])


def test_chunks_are_joined_along_the_axis_that_has_their_steps(rng):
    x = rng.standard_normal((2, 7, 3))
    layers = in_chunks(lambda chunk, _: ({"h": chunk[None]}, None), x, None, [2, 3], axis=2)
    assert np.array_equal(layers["h"], x[None])
