"""Pictures in a notebook, each with words for those who cannot see it.

No front end reads alt text from a picture's metadata; an <img alt> inside text/html works in all.
"""

import base64
import io
import sys
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class View:
    """What a cell shows: `html` where a front end can, `text` elsewhere."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def show_figure(figure: "Figure", alt: str, caption: str = "") -> View:
    """A matplotlib figure as a picture with alt text, on white, so that dark mode leaves it be.

    Raises: ValueError where `alt` is empty.
    """
    require_alt(alt)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, facecolor="white", metadata={"Software": None})
    _forget(figure)
    data = base64.b64encode(buffer.getvalue()).decode()
    picture = f'<img alt="{escape(alt)}" style="max-width:100%" src="data:image/png;base64,{data}">'
    words = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return View(f'<figure style="margin:0">{picture}{words}</figure>', caption or alt)


def require_alt(alt: str) -> None:
    """Raises: ValueError where `alt` says nothing."""
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the picture shows")


def _forget(figure: "Figure") -> None:
    # pyplot would show its open figures a second time when the cell ends.
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
