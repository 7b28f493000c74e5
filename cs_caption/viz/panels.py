"""Curves in panels side by side: what makes them differ is the panel."""

from collections.abc import Mapping, Sequence

from cs_caption.viz.curves import STYLES
from cs_caption.viz.figure import View, show_figure

# A fifth and sixth line, black and grey, for bounds and for what others are compared with.
LINES = (*STYLES, ("#000", (0, (5, 1))), ("#777", (0, (1, 1))))

Curve = tuple[Sequence[float], Sequence[float]]


def show_panels(
    panels: Mapping[str, Mapping[str, Curve]],
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    xscale: str = "linear",
    yscale: str = "linear",
    ylim: tuple[float, float] | None = None,
    xticks: Sequence[float] | None = None,
    marker: str | None = None,
    sharey: bool = True,
) -> View:
    """Draw each panel's named curves, (x, y) each; a name has the same line in all panels.

    `xscale` and `yscale` are "linear" or "log"; `xticks` are the only ones then; `marker` is
    matplotlib's, for curves of few points. Panels have one scale unless `sharey` is False.

    Raises: ValueError where there are more names than lines, or `alt` is empty.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    if len(names) > len(LINES):
        raise ValueError(f"{len(names)} curves in one figure: {len(LINES)} can be told apart")
    lines = dict(zip(names, LINES, strict=False))
    figure = Figure(figsize=(8.5 if len(panels) > 1 else 7.5, 3.6), layout="constrained")
    drawn = figure.subplots(1, len(panels), sharex=True, sharey=sharey, squeeze=False)[0]
    for axes, (title, curves) in zip(drawn, panels.items(), strict=True):
        for name, (x, y) in curves.items():
            colour, dashes = lines[name]
            axes.plot(x, y, color=colour, linestyle=dashes, marker=marker, ms=4, label=name)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set(xscale=xscale, yscale=yscale)
        axes.spines[["top", "right"]].set_visible(False)
    if ylim:
        drawn[0].set_ylim(*ylim)
    if xticks is not None:
        drawn[0].set_xticks(xticks, [f"{tick:g}" for tick in xticks])
        drawn[0].set_xticks([], minor=True)
    drawn[0].set_ylabel(ylabel)
    figure.supxlabel(xlabel, fontsize=10)
    handles = {
        name: handle
        for axes in drawn
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles, loc="outside upper center", ncols=len(handles), fontsize=9,
        frameon=False, handlelength=2.6,
    )  # fmt: skip
    return show_figure(figure, alt)
