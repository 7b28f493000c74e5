"""What a cell shows has words for those who cannot see it, and is shown once."""

import pytest
from matplotlib.figure import Figure

from cs_caption.viz.figure import show_figure


def drawn():
    figure = Figure()
    figure.subplots().plot([1, 2])
    return figure


def test_a_figure_is_a_picture_with_alt_text_in_html_and_words_in_plain_text():
    view = show_figure(drawn(), 'the "loss" falls < 1', "a caption")
    assert 'alt="the &quot;loss&quot; falls &lt; 1"' in view._repr_html_()
    assert "data:image/png;base64," in view.html
    assert "<figcaption>a caption</figcaption>" in view.html
    assert repr(view) == "a caption"
    assert repr(show_figure(drawn(), "words")) == "words"


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="alt is empty"):
        show_figure(drawn(), " ")


def test_the_same_figure_gives_the_same_bytes():
    assert show_figure(drawn(), "words") == show_figure(drawn(), "words")


def test_a_figure_of_pyplot_is_not_shown_twice():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    figure = pyplot.figure()
    show_figure(figure, "words")
    assert not pyplot.fignum_exists(figure.number)
