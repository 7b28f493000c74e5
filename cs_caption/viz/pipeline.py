"""The picture at the head of a notebook: where in the captioner it works."""

from html import escape

from cs_caption.viz.figure import View

STAGES = {
    "picture": "64 x 64 x 3 bytes",
    "convnet": "a grid of features",
    "recurrent network": "one symbol at a time",
    "decoder": "scores to symbols",
    "sentence": "a red circle ...",
}
# Boxes of text, not SVG: JupyterLab strips SVG from a notebook that the reader has not yet run.
BOX = "padding:.5em .8em;border-radius:6px;text-align:center;min-width:7em"
ROW = "display:flex;flex-wrap:wrap;align-items:flex-start;gap:.4em;margin:.5em 0"


def show_pipeline(here: str) -> View:
    """The stages from picture to sentence, with the one this notebook builds marked in words.

    Raises: ValueError where `here` is no stage.
    """
    if here not in STAGES:
        raise ValueError(f"no stage {here!r}: choose one of {', '.join(STAGES)}")
    alt = f"From {' to '.join(STAGES)}; this notebook builds the {here}."
    arrow = '<div style="padding:1em 0" aria-hidden="true">&rarr;</div>'
    boxes = arrow.join(_box(name, name == here) for name in STAGES)
    html = f'<div role="group" aria-label="{escape(alt)}" style="{ROW}">{boxes}</div>'
    return View(html, alt)


def _box(name: str, here: bool) -> str:
    border = "3px solid #0072B2" if here else "1px solid #888"
    title = f"<b>{escape(name)}</b>" if here else escape(name)
    mark = "<div><b>&#9650; you are here</b></div>" if here else ""
    words = f'{title}<br><span style="font-size:85%">{escape(STAGES[name])}</span>'
    box = f'<div style="{BOX};border:{border}">{words}</div>'
    return f'<div style="text-align:center">{box}{mark}</div>'
