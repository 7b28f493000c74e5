import pytest

from cs_caption.viz.bars import _share, show_bars


def test_the_figure_is_described():
    view = show_bars(["a", "b"], {"cost": [1.0, 3.0], "gain": [0.0, 0.0]}, alt="b costs most.")
    assert 'alt="b costs most."' in view.html
    assert "<img" in view.html


def test_shares_are_rounded_but_something_is_never_called_nothing():
    assert [_share(share) for share in (0, 0.001, 0.01, 0.25)] == ["", "<1%", "1%", "25%"]


def test_a_panel_needs_a_value_for_each_name():
    with pytest.raises(ValueError, match="'cost': 1 values for 2 names"):
        show_bars(["a", "b"], {"cost": [1.0]}, alt="b costs most.")
