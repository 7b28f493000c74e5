"""A study as a table and as dots, one for each seed, with your own run beside the recorded ones."""

from html import escape
from statistics import median

import numpy as np

from cs_caption.checks.table import html_table, text_table
from cs_caption.studies.record import Figure, Record, Run, load
from cs_caption.viz.curves import STYLES
from cs_caption.viz.figure import View, show_figure

DOT, YOURS = STYLES[0][0], STYLES[1][0]
PANELS = 4  # side by side: more cannot be read
ROW = 0.26  # inches
ARROWS = {"lower": "↓", "higher": "↑", "": ""}
LEGEND = "↓ lower is better, ↑ higher is better."


def show_study(name: str, *yours: Run) -> View:
    """Show what a study found: median and range of each figure, and every seed's dot.

    `yours` are runs that `cs_caption.studies.one` made just now: they get lines of their own in
    the table and a diamond among the dots.
    Raises: FileNotFoundError where there is no record; ValueError for a run of another study.
    """
    record = load(name)
    for run in yours:
        if run.setting not in record.settings or run.figures.keys() != _names(record):
            raise ValueError(f"the run of {run.setting!r} is not of the study {name!r}")
    header = ("setting", *(_head(figure) for figure in record.figures))
    rows = [_row(record, setting) for setting in record.settings]
    rows += [_own_row(record, run) for run in yours]
    caption = f"{record.question}: median (lowest to highest) of {record.seeds} seeds"
    below = [LEGEND, _budget_line(record), _source_line(record)]
    if yours:
        below.insert(0, "A diamond is yours, a bar the median.")
    dots = show_figure(_dots(record, yours), _alt(record))
    parts = [html_table(caption, header, rows), dots.html]
    if record.runs[0].curves:
        parts.append(show_figure(_curves(record, yours), _curves_alt(record)).html)
    html = "".join(parts) + "".join(f"<p>{escape(line)}</p>" for line in below)
    return View(html, "\n".join([caption, text_table(header, rows), *below]))


# The table.


def _names(record: Record) -> set[str]:
    return {figure.name for figure in record.figures}


def _head(figure: Figure) -> str:
    return f"{figure.name} {ARROWS[figure.better]}".rstrip()


def _row(record: Record, setting: str) -> tuple[str, ...]:
    found = [record.of(setting, figure.name) for figure in record.figures]
    return setting, *(
        f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})" for values in found
    )


def _own_row(record: Record, run: Run) -> tuple[str, ...]:
    figures = (run.figures[figure.name] for figure in record.figures)
    return f"yours: {run.setting}, seed {run.seed}", *(f"{value:.3g}" for value in figures)


def _budget_line(record: Record) -> str:
    return f"Each run: {record.budget}."


def _source_line(record: Record) -> str:
    return (
        f"Recorded on {record.machine}, {record.date}, in {record.seconds / 60:.0f} minutes of "
        f"the processor, by `{record.command}`."
    )


# The figures.


def _drawn(record: Record) -> list[Figure]:
    return [figure for figure in record.figures if figure.drawn][:PANELS]


def _dots(record: Record, yours: tuple[Run, ...]):
    """A panel for each figure, a line for each setting: dots, and a bar at their median."""
    from matplotlib.figure import Figure as Sheet

    settings, figures = record.settings, _drawn(record)
    sheet = Sheet(figsize=(9, 0.9 + ROW * len(settings)), layout="constrained")
    panels = sheet.subplots(1, len(figures), sharey=True, squeeze=False)[0]
    for axes, figure in zip(panels, figures, strict=True):
        for line, setting in enumerate(settings):
            values = record.of(setting, figure.name)
            axes.plot(values, [line] * len(values), "o", ms=4.5, color=DOT, alpha=0.65, mew=0)
            axes.plot(median(values), line, "|", ms=11, mew=1.6, color="#222")
        for run in yours:
            place = run.figures[figure.name], settings.index(run.setting)
            axes.plot(*place, "D", ms=6.5, mfc="none", mec=YOURS, mew=1.5)
        _dress(axes, figure)
    panels[0].set_yticks(range(len(settings)), settings, fontsize=8)
    panels[0].set_ylim(len(settings) - 0.5, -0.5)
    return sheet


def _dress(axes, figure: Figure) -> None:
    axes.set_title(figure.name, fontsize=9, loc="left")
    if figure.better:
        axes.set_xlabel("→ better" if figure.better == "higher" else "← better", fontsize=8)
    if figure.log:
        _spread(axes)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="y", color="#ddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)


def _spread(axes) -> None:
    """A logarithmic axis, with as many numbers on it as there is room for."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _alt(record: Record) -> str:
    """Which setting is ahead in each figure, and that the table has the rest."""
    said = [
        f"{figure.name} runs from {_extreme(record, figure, min)} to "
        f"{_extreme(record, figure, max)}"
        for figure in _drawn(record)
    ]
    return (
        f"Dots, one for each of {record.seeds} seeds, for {len(record.settings)} settings, as in "
        f"the table. By medians, {'; '.join(said)}."
    )


def _extreme(record: Record, figure: Figure, choose) -> str:
    medians = {s: median(record.of(s, figure.name)) for s in record.settings}
    setting = choose(medians, key=medians.get)
    return f"{medians[setting]:.3g} ({setting})"


def _curves(record: Record, yours: tuple[Run, ...]):
    """Every seed's curve thin, the median over the seeds thick."""
    from matplotlib.figure import Figure as Sheet

    (name,) = record.runs[0].curves
    sheet = Sheet(figsize=(7.5, 3.2), layout="constrained")
    axes = sheet.subplots()
    for setting, (colour, dashes) in zip(record.settings, STYLES, strict=False):
        curves = [run.curves[name] for run in record.runs if run.setting == setting]
        steps = range(1, len(curves[0]) + 1)
        for curve in curves:
            axes.plot(steps, curve, color=colour, linewidth=0.6, alpha=0.5)
        middle = np.median(curves, axis=0)
        axes.plot(steps, middle, color=colour, linestyle=dashes, linewidth=2, label=setting)
    for run in yours:
        steps = range(1, len(run.curves[name]) + 1)
        label = f"yours: {run.setting}"
        axes.plot(steps, run.curves[name], color="#000", linewidth=0.9, label=label)
    axes.set(xlabel="training step", ylabel=f"{name}, nats a token")
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    return sheet


def _curves_alt(record: Record) -> str:
    (name,) = record.runs[0].curves
    said = []
    for setting in record.settings:
        middle = np.median([r.curves[name] for r in record.runs if r.setting == setting], axis=0)
        said.append(f"{setting} goes from {middle[0]:.2f} to {middle[-1]:.2f}")
    return f"Curves of the {name} at each training step, by medians: {'; '.join(said)}."
