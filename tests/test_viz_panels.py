import pytest

from cs_caption.viz.panels import LINES, show_panels

CURVE = ([1, 10, 100], [1.0, 0.1, 0.01])


def drawn(monkeypatch, panels, **settings):
    """The figure as it is handed over to be shown."""
    figures = []
    monkeypatch.setattr(
        "cs_caption.viz.panels.show_figure", lambda figure, alt: figures.append(figure)
    )
    show_panels(panels, xlabel="steps", ylabel="norm", alt="It falls.", **settings)
    return figures[0]


def test_the_figure_is_described():
    view = show_panels({"a": {"tanh": CURVE}}, xlabel="steps", ylabel="norm", alt="It falls.")
    assert 'alt="It falls."' in view.html
    assert "<img" in view.html
    assert view.text == "It falls."


def test_a_name_has_the_same_line_in_all_panels(monkeypatch):
    figure = drawn(monkeypatch, {"a": {"tanh": CURVE, "ReLU": CURVE}, "b": {"ReLU": CURVE}})
    first, second = ({line.get_label(): line for line in axes.lines} for axes in figure.axes)
    assert first["ReLU"].get_color() == second["ReLU"].get_color() != first["tanh"].get_color()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["tanh", "ReLU"]


def test_both_scales_and_the_limits_are_those_asked_for(monkeypatch):
    figure = drawn(monkeypatch, {"a": {"tanh": CURVE}}, xscale="log", yscale="log", ylim=(1e-3, 10))
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylim()) == ("log", "log", (1e-3, 10))


def test_only_the_ticks_asked_for_are_drawn(monkeypatch):
    figure = drawn(monkeypatch, {"a": {"tanh": CURVE}}, xscale="log", xticks=(5, 40))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "40"]
    assert len(axes.get_xticks(minor=True)) == 0


def test_more_curves_than_can_be_told_apart_are_refused():
    many = {f"curve {k}": CURVE for k in range(len(LINES) + 1)}
    with pytest.raises(ValueError, match="7 curves in one figure: 6 can be told apart"):
        show_panels({"a": many}, xlabel="x", ylabel="y", alt="Too many.")


def test_an_empty_description_is_refused():
    with pytest.raises(ValueError, match="alt is empty"):
        show_panels({"a": {"tanh": CURVE}}, xlabel="x", ylabel="y", alt=" ")


def test_panels_have_one_scale_unless_told_otherwise(monkeypatch):
    panels = {"a": {"tanh": CURVE}, "b": {"tanh": (CURVE[0], [9.0, 9.0, 10.0])}}
    first, second = drawn(monkeypatch, panels).axes
    assert first.get_ylim() == second.get_ylim()
    first, second = drawn(monkeypatch, panels, sharey=False).axes
    assert first.get_ylim()[1] < 9 < second.get_ylim()[1]
