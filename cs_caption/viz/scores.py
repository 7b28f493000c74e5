"""Systems by metrics: a table that can be read, and a row of dots for each metric."""

from collections.abc import Mapping, Sequence

from cs_caption.checks.table import html_table, text_table
from cs_caption.viz.curves import STYLES
from cs_caption.viz.figure import View, show_figure

DOT, MARKED = STYLES[0][0], STYLES[1][0]
ROW = 0.24  # inches
ARROWS = {"lower": "↓", "higher": "↑", "": ""}

Value = float | tuple[float, float, float]


def show_scores(
    rows: Mapping[str, Mapping[str, Value]],
    *,
    caption: str,
    alt: str,
    better: str | Mapping[str, str] = "higher",
    mark: Sequence[str] = (),
    digits: int = 3,
    one_scale: bool = False,
) -> View:
    """Show what each system has by each metric, a panel a metric, the systems from the top.

    rows:   system -> metric -> its value, or (value, low, high) with the bounds of an interval
    better: "higher", "lower" or "", for all metrics or by metric; those left out are "higher"
    mark:   systems that are drawn as diamonds, and have one before their name
    digits: decimals in the table
    `one_scale` draws all panels on one scale, for figures that can be compared across metrics.

    Raises: ValueError where nothing is given, the systems have different metrics, a marked one is
    not there, `better` is another word, or `alt` is empty.
    """
    metrics = _metrics(rows, mark)
    ways = _ways(metrics, better)
    names = [f"◆ {name}" if name in mark else name for name in rows]
    header = ("", *(f"{metric} {ARROWS[ways[metric]]}".rstrip() for metric in metrics))
    cells = [
        (name, *(_text(row[metric], digits) for metric in metrics))
        for name, row in zip(names, rows.values(), strict=True)
    ]
    dots = show_figure(_dots(rows, names, ways, mark, one_scale), alt)
    return View(
        html_table(caption, header, cells) + dots.html,
        "\n".join([caption, text_table(header, cells), alt]),
    )


def _metrics(rows: Mapping[str, Mapping[str, Value]], mark: Sequence[str]) -> list[str]:
    if not rows:
        raise ValueError("rows is empty: there is no system to show")
    (first, metrics), *others = rows.items()
    for name, row in others:
        if row.keys() != metrics.keys():
            raise ValueError(f"{name!r} has {list(row)}, but {first!r} has {list(metrics)}")
    if missing := [name for name in mark if name not in rows]:
        raise ValueError(f"{missing[0]!r} is to be marked, but the systems are {list(rows)}")
    return list(metrics)


def _ways(metrics: Sequence[str], better: str | Mapping[str, str]) -> dict[str, str]:
    given = dict.fromkeys(metrics, better) if isinstance(better, str) else better
    for metric, way in given.items():
        if way not in ARROWS or metric not in metrics:
            raise ValueError(
                f"better is {way!r} for {metric!r}; expected one of {list(ARROWS)} for one of "
                f"{list(metrics)}"
            )
    return {metric: given.get(metric, "higher") for metric in metrics}


def _text(value: Value, digits: int) -> str:
    if isinstance(value, tuple):
        middle, low, high = (f"{part:.{digits}f}" for part in value)
        return f"{middle} ({low} to {high})"
    return f"{value:.{digits}f}"


def _dots(
    rows, names: Sequence[str], ways: Mapping[str, str], mark: Sequence[str], one_scale: bool
):
    from matplotlib.figure import Figure

    columns = len(ways) if len(ways) <= 4 else -(-len(ways) // 2)
    lines = -(-len(ways) // columns)
    figure = Figure(figsize=(9, lines * (0.8 + ROW * len(rows))), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=one_scale, sharey=True, squeeze=False).ravel()
    for axes, (metric, way) in zip(panels, ways.items(), strict=False):
        for place, (name, row) in enumerate(rows.items()):
            _dot(axes, place, row[metric], name in mark)
        _dress(axes, metric, way)
    for axes in panels[len(ways) :]:
        axes.set_axis_off()
    panels[0].set_yticks(range(len(names)), names, fontsize=8)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    return figure


def _dot(axes, place: int, value: Value, marked: bool) -> None:
    middle, *bounds = value if isinstance(value, tuple) else (value,)
    colour = MARKED if marked else DOT
    if bounds:
        axes.plot(bounds, [place, place], color=colour, linewidth=1.4, zorder=1)
    axes.plot(middle, place, "D" if marked else "o", ms=6 if marked else 5, color=colour, mew=0)


def _dress(axes, metric: str, way: str) -> None:
    axes.set_title(metric, fontsize=9, loc="left")
    if way:
        axes.set_xlabel("→ better" if way == "higher" else "← better", fontsize=8)
    axes.tick_params(axis="both", labelsize=8)
    axes.grid(axis="y", color="#ddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
