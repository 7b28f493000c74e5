import numpy as np
import pytest

from cs_caption.checks.gradients import require_gradient
from cs_caption.checks.subject import Wrong
from cs_caption.checks.values import factors

TRUTH = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
TURNED = {"it is turned": TRUTH[::-1]}


def slopes_of(gradient):
    return lambda along: np.array([np.sum(gradient * direction) for direction in along])


def words_for(gradient, truth=TRUTH, numeric=TRUTH, lookalikes=dict):
    slopes = None if numeric is None else slopes_of(numeric)
    with pytest.raises(Wrong) as caught:
        require_gradient("dx", gradient, truth, slopes, lambda t: factors(t, {"N": 5}), lookalikes)
    return str(caught.value)


@pytest.mark.parametrize("truth", [TRUTH, None])
@pytest.mark.parametrize("numeric", [TRUTH, None])
def test_a_right_gradient_passes_whoever_is_asked(truth, numeric):
    slopes = None if numeric is None else slopes_of(numeric)
    require_gradient("dx", TRUTH, truth, slopes, lambda t: factors(t, {}))


def test_the_words_say_which_referee_disagrees():
    both = "(numeric differentiation and torch autograd both say otherwise)"
    assert words_for(-TRUTH).endswith(both)
    alone = words_for(-TRUTH, truth=None)
    assert alone == "dx is wrong: its sign is wrong (numeric differentiation says otherwise)"
    assert words_for(-TRUTH, numeric=None).endswith("wrong (torch autograd says otherwise)")


def test_referees_that_differ_are_named_apart():
    words = words_for(TRUTH, numeric=2 * TRUTH)
    assert words == (
        "dx is wrong: it is half of it (numeric differentiation says otherwise, torch autograd "
        "does not)"
    )
    words = words_for(TRUTH, truth=2 * TRUTH)
    assert "(torch autograd says otherwise, numeric differentiation does not)" in words


@pytest.mark.parametrize("truth", [TRUTH, None])
def test_a_wrong_factor_is_named_with_torch_and_without(truth):
    assert "it is N times too large" in words_for(5 * TRUTH, truth=truth)
    assert "it is 0 everywhere" in words_for(0 * TRUTH, truth=truth)


def test_a_likely_mistake_is_named_before_a_factor():
    assert "it is turned" in words_for(TRUTH[::-1], lookalikes=lambda: TURNED)
    both = {"it looks up": -TRUTH}
    assert words_for(-TRUTH, lookalikes=lambda: both).startswith("dx is wrong: it looks up (")


def test_without_a_name_for_it_the_entries_are_counted():
    off = TRUTH.copy()
    off[1, 2] += 0.5
    assert "dx is wrong in 1 of 6 entries, the first at (1, 2) (" in words_for(off)


def test_one_wrong_entry_is_seen_by_numeric_differentiation_alone():
    off = TRUTH.copy()
    off[0, 1] *= 1.001
    assert words_for(off, truth=None) == "dx is wrong (numeric differentiation says otherwise)"
