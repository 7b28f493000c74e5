"""Bars side by side: what each layer of a network costs."""

from collections.abc import Mapping, Sequence

from cs_caption.viz.curves import STYLES
from cs_caption.viz.figure import View, show_figure


def show_bars(
    names: Sequence[str], panels: Mapping[str, Sequence[float]], *, alt: str, unit: str = "millions"
) -> View:
    """Draw one panel of horizontal bars for each entry of `panels`, a bar for each name.

    The figure at a bar's end is its share of the panel's sum.
    Raises: ValueError where a panel has not one value for each name, or `alt` is empty.
    """
    from matplotlib.figure import Figure

    for title, values in panels.items():
        if len(values) != len(names):
            raise ValueError(f"{title!r}: {len(values)} values for {len(names)} names")
    figure = Figure(figsize=(8.5, 0.6 + 0.22 * len(names)), layout="constrained")
    drawn = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, values), (colour, _) in zip(drawn, panels.items(), STYLES, strict=False):
        bars = axes.barh(range(len(names)), values, color=colour)
        total = sum(values) or 1
        axes.bar_label(bars, [_share(value / total) for value in values], padding=3, fontsize=8)
        axes.set_title(f"{title} ({unit})", fontsize=10, loc="left")
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    drawn[0].invert_yaxis()
    return show_figure(figure, alt)


def _share(share: float) -> str:
    if share == 0:
        return ""
    return f"{share:.0%}" if share >= 0.01 else "<1%"
