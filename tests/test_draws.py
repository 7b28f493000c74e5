"""Whole numbers from a frozen stream."""

from collections import Counter

import numpy as np
import pytest

from cs_caption.data.draws import BLOCK, Draw


def test_the_first_numbers_are_those_that_were_written_down():
    draw = Draw(1, 2, 3)
    assert [draw.below(1000) for _ in range(8)] == [823, 216, 345, 947, 625, 404, 271, 863]


def test_the_numbers_are_scaled_words_of_the_frozen_stream():
    state = np.random.RandomState([7, 8])
    words = state.randint(0, 1 << 32, size=BLOCK, dtype=np.uint32).tolist()[::-1]
    draw = Draw(7, 8)
    assert [draw.below(97) for _ in range(BLOCK)] == [word * 97 >> 32 for word in words]


def test_a_state_that_was_used_before_gives_the_same_numbers():
    state = np.random.RandomState(5)
    state.standard_normal(3)
    fresh, used = Draw(4, 4), Draw(4, 4, state=state)
    assert [fresh.below(10**6) for _ in range(200)] == [used.below(10**6) for _ in range(200)]


def test_another_key_gives_other_numbers():
    keys = [(a, b, c) for a in range(4) for b in range(4) for c in range(40)]
    assert len({Draw(*key).below(2**32) for key in keys}) == len(keys)


def test_bounds_are_kept_and_reached():
    draw = Draw(0)
    assert {draw.below(3) for _ in range(100)} == {0, 1, 2}
    assert {draw.between(-2, 1) for _ in range(100)} == {-2, -1, 0, 1}
    assert {draw.choice("xy") for _ in range(50)} == {"x", "y"}
    assert {draw.below(1) for _ in range(9)} == {0}


def test_chances_are_percent():
    draw = Draw(1)
    assert sum(draw.chance(30) for _ in range(4000)) == pytest.approx(1200, abs=100)
    assert not any(draw.chance(0) for _ in range(100))
    assert all(draw.chance(100) for _ in range(100))


def test_early_items_come_by_zipfs_law():
    draw = Draw(2)
    counts = Counter(draw.early("abc") for _ in range(6000))
    assert counts["a"] == pytest.approx(6000 * 6 / 11, rel=0.08)
    assert counts["b"] == pytest.approx(6000 * 3 / 11, rel=0.08)
    assert counts["c"] == pytest.approx(6000 * 2 / 11, rel=0.1)
    assert draw.early(["only"]) == "only"


def test_some_are_different_and_in_any_order():
    draw = Draw(3)
    seen = {tuple(draw.some(range(3), 2)) for _ in range(200)}
    assert seen == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}
