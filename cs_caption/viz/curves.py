"""Curves over the steps of a training run, with levels worth knowing drawn across."""

from collections.abc import Mapping, Sequence

from cs_caption.viz.figure import View, show_figure

# Distinct to every kind of eye by colour, and without colour by the dashes.
STYLES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))


def show_curves(
    curves: Mapping[str, Sequence[float]],
    levels: Mapping[str, float] | None = None,
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    legend: str = "center right",
) -> View:
    """Draw at most four named curves from 0 upwards, and named levels across them.

    A level's name stands below its line, where a curve that comes down to it does not run. `legend`
    is the place of the curves' names, in matplotlib's words.

    Raises: ValueError where there are more curves than styles, or `alt` is empty.
    """
    from matplotlib.figure import Figure

    if len(curves) > len(STYLES):
        raise ValueError(f"{len(curves)} curves in one figure: {len(STYLES)} can be told apart")
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    axes = figure.subplots()
    for (name, values), (colour, line) in zip(curves.items(), STYLES, strict=False):
        axes.plot(values, color=colour, linestyle=line, label=name)
    for name, height in (levels or {}).items():
        axes.axhline(height, color="#777", linewidth=0.8, linestyle=(0, (1, 3)), zorder=0)
        axes.annotate(
            name, (1, height), xycoords=("axes fraction", "data"), xytext=(-4, -3),
            textcoords="offset points", ha="right", va="top", fontsize=9, color="#333",
        )  # fmt: skip
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc=legend, frameon=False)
    return show_figure(figure, alt)
