"""Curves that can be told apart without colour."""

import pytest

from cs_caption.viz import curves


def test_curves_are_shown_with_their_words():
    view = curves.show_curves(
        {"a": [3, 2, 1]}, {"floor": 0.5}, xlabel="step", ylabel="loss", alt="it falls"
    )
    assert 'alt="it falls"' in view.html


def test_the_name_of_a_level_keeps_clear_of_a_curve_that_comes_down_to_it(monkeypatch):
    monkeypatch.setattr(curves, "show_figure", lambda figure, alt: figure)
    falling = [1 / step + 0.5 for step in range(1, 100)]
    figure = curves.show_curves(
        {"a": falling}, {"floor": 0.5}, xlabel="step", ylabel="loss", alt="it falls"
    )
    figure.canvas.draw()
    (name,) = figure.axes[0].texts
    assert name.get_window_extent().y1 < figure.axes[0].transData.transform((0, min(falling)))[1]


def test_styles_differ_in_more_than_colour():
    assert len({line for _, line in curves.STYLES}) == len(curves.STYLES)


def test_more_curves_than_styles_are_refused():
    with pytest.raises(ValueError, match="5 curves"):
        curves.show_curves({c: [1] for c in "abcde"}, xlabel="", ylabel="", alt="words")
