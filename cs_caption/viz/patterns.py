"""How a recurrent network reads and writes: the five patterns, and its steps side by side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING

from cs_caption.viz.figure import View, show_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Light enough for black letters; which is which is said by the letters and by the height too.
INPUT, STATE, OUTPUT, LOSS, WEIGHT = "#F4C9A8", "#D9D9D9", "#A9CDE8", "#F2E394", "#CDE6C5"
INK = "#222222"
HIGHEST = 8  # steps that can still be read
BOX, STRIDE = 0.54, 2.3  # side of a box; from step to step
BUS, APART = -1.2, 0.12  # height of the line that carries W; its arrows beside those of x

Place = tuple[float, float]


@dataclass(frozen=True)
class Pattern:
    """What goes in and comes out at which of the steps, and what it is used for."""

    name: str
    steps: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    examples: tuple[str, ...]


PATTERNS = (
    Pattern("one to one", 1, (0,), (0,), ("classification", "regression")),
    Pattern("one to many", 3, (0,), (0, 1, 2), ("image to caption",)),
    Pattern(
        "many to one", 3, (0, 1, 2), (2,),
        ("sentence classification", "multiple-choice question answering"),
    ),
    Pattern(
        "many to many", 5, (0, 1, 2), (2, 3, 4),
        (
            "machine translation", "video captioning",
            "open-ended question answering", "video question answering",
        ),
    ),
    Pattern("many to many, in step", 3, (0, 1, 2), (0, 1, 2), ("frame-by-frame labelling",)),
)  # fmt: skip


def show_patterns() -> View:
    """The lecture's five patterns of input and output, each with what it is used for.

    Source: lecture 17, "Recurrent Neural Nets"; drawn after Karpathy, "The Unreasonable
    Effectiveness of Recurrent Neural Networks".
    """
    from matplotlib.figure import Figure

    widths = [max(pattern.steps, 2.9) + 0.5 for pattern in PATTERNS]
    figure = Figure(figsize=(0.56 * sum(widths), 3.14))
    axes = _canvas(figure, (0, sum(widths)), (-2.5, 3.1))
    left = 0.0
    for pattern, width in zip(PATTERNS, widths, strict=True):
        _draw_pattern(axes, pattern, left + width / 2, width)
        left += width
    told = "; ".join(f"{one.name}: {', '.join(one.examples)}" for one in PATTERNS)
    return show_figure(
        figure,
        "Five patterns of inputs x below, states h in the middle and outputs y above. "
        f"{told}. In the fourth the outputs begin when the last input has been read.",
    )


def show_unrolled(steps: int = 4) -> View:
    """The computational graph of an RNN over `steps` drawn steps, the last of them step T.

    The same W goes into every step; the losses of all steps add up to L.
    Raises: ValueError where `steps` is not from 2 to 8.
    """
    from matplotlib.figure import Figure

    if not 2 <= steps <= HIGHEST:
        raise ValueError(f"{steps} steps: between 2 and {HIGHEST} can be drawn")
    names = [str(t + 1) for t in range(steps - 1)] + ["T"]
    figure = Figure(figsize=(0.62 * (STRIDE * steps + 1.2), 4.0))
    axes = _canvas(figure, (-0.6, STRIDE * steps + 0.6), (-2.65, 3.8))
    top, state = (STRIDE * (steps + 1) / 2, 3.4), (0.0, 0.0)
    for step, name in enumerate(names):
        state = _draw_step(axes, STRIDE * step + STRIDE / 2, name, state, top)
    axes.plot((0, STRIDE * (steps - 0.5) - APART), (BUS, BUS), color=INK, linewidth=0.9, zorder=1)
    _box(axes, (0, 0), "$h_0$", STATE)
    _box(axes, (0, BUS), "$W$", WEIGHT)
    _box(axes, top, "$L$", LOSS)
    return show_figure(
        figure,
        "Computational graph of an RNN from left to right: at each step f makes the new state h "
        "of the state before it, the input x below it and the weights W, the same W with an arrow "
        f"to every step. Above each of the states h1 to h{names[-1]} stand its scores y and its "
        "loss, and all the losses add up to L.",
    )


def _draw_pattern(axes: Axes, pattern: Pattern, middle: float, width: float) -> None:
    columns = [middle + step - (pattern.steps - 1) / 2 for step in range(pattern.steps)]
    for before, after in pairwise(columns):
        _arrow(axes, (before, 1.0), (after, 1.0))
    for step in pattern.inputs:
        _arrow(axes, (columns[step], 0.0), (columns[step], 1.0))
        _box(axes, (columns[step], 0.0), "x", INPUT)
    for step in pattern.outputs:
        _arrow(axes, (columns[step], 1.0), (columns[step], 2.0))
        _box(axes, (columns[step], 2.0), "y", OUTPUT)
    for column in columns:
        _box(axes, (column, 1.0), "h", STATE)
    axes.text(middle, 2.65, pattern.name, ha="center", fontsize=9.5, weight="bold", color=INK)
    words = ",\n".join("\n".join(wrap(example, int(6.6 * width))) for example in pattern.examples)
    axes.text(middle, -0.6, words, ha="center", va="top", fontsize=8, color=INK, linespacing=1.35)


def _draw_step(axes: Axes, x: float, name: str, before: Place, top: Place) -> Place:
    """One step and its loss, with W from the left; return the place of its state."""
    step, state = (x, 0.0), (x + STRIDE / 2, 0.0)
    scores, loss = (state[0], 1.1), (state[0], 2.2)
    axes.plot(x - APART, BUS, marker="o", markersize=3.5, color=INK, zorder=2)
    _arrow(axes, (x - APART, BUS), (x - APART, 0.0))
    _arrow(axes, (x + APART, -2.2), (x + APART, 0.0))
    _arrow(axes, before, step, dashed=name == "T")
    for start, end in ((step, state), (state, scores), (scores, loss), (loss, top)):
        _arrow(axes, start, end)
    _box(axes, step, "$f$", "white")
    _box(axes, (x + APART, -2.2), f"$x_{name}$", INPUT)
    _box(axes, state, f"$h_{name}$", STATE)
    _box(axes, scores, f"$y_{name}$", OUTPUT)
    _box(axes, loss, f"$L_{name}$", LOSS)
    return state


def _canvas(figure: Figure, across: Place, up: Place) -> Axes:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=across, ylim=up)
    axes.axis("off")
    return axes


def _box(axes: Axes, place: Place, label: str, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner, side = (place[0] - BOX / 2, place[1] - BOX / 2), (BOX, BOX)
    rounded = "round,pad=0,rounding_size=0.08"
    shape = FancyBboxPatch(corner, *side, rounded, facecolor=colour, edgecolor=INK, zorder=3)
    axes.add_patch(shape)
    axes.text(*place, label, ha="center", va="center", fontsize=10, color=INK, zorder=4)


def _arrow(axes: Axes, start: Place, end: Place, dashed: bool = False) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": INK,
        "linewidth": 0.9,
        "linestyle": "--" if dashed else "-",
        "shrinkA": 0,
        "shrinkB": 12.5,  # so that the point touches the box
    }
    axes.annotate("", end, start, arrowprops=style, zorder=2)
