"""Curves that can be told apart without colour."""

import pytest

from cs_caption.viz import curves


def test_curves_are_shown_with_their_words():
    view = curves.show_curves(
        {"a": [3, 2, 1]}, {"floor": 0.5}, xlabel="step", ylabel="loss", alt="it falls"
    )
    assert 'alt="it falls"' in view.html


def test_styles_differ_in_more_than_colour():
    assert len({line for _, line in curves.STYLES}) == len(curves.STYLES)


def test_more_curves_than_styles_are_refused():
    with pytest.raises(ValueError, match="5 curves"):
        curves.show_curves({c: [1] for c in "abcde"}, xlabel="", ylabel="", alt="words")
