"""What a cell showed, from plain data of unknown intent to outputs of a notebook.

The feedback and the instructor's formgrader show outputs in a browser in which somebody may be
logged in: HTML is kept as far as bleach knows it to be harmless; Markdown and SVG, which may hold
any HTML, are shown as the text that they are, or not at all.
"""
# ruff: noqa: SIM905  (long lists of words read better as sentences)

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

_MOST_HTML = 600_000
_MOST_TAGS = 20_000
_MOST_WORK = 10**8  # the parser compares each attribute of a tag with all the others
_MOST_OUTPUTS = 200
_SPACES = re.compile(r"[\s/\"']")
_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_TAGS = frozenset(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strong sub summary "
    "sup table tbody td tfoot th thead tr u ul var".split()
)
# No class and no id: the page around the output gives them a meaning. No position: what is placed
# over the page could be taken for a part of it.
_ATTRIBUTES = frozenset(
    "alt aria-hidden aria-label colspan height lang open role rowspan scope span style title "
    "width".split()
)
_STYLES = frozenset(
    "align-items background-color border border-bottom border-collapse border-left border-radius "
    "border-right border-spacing border-top color display flex-wrap font-family font-size "
    "font-style font-weight gap height line-height margin margin-bottom margin-left margin-right "
    "margin-top max-width min-width overflow-wrap padding padding-bottom padding-left "
    "padding-right padding-top text-align text-decoration vertical-align white-space width".split()
)


def outputs_of(found: list, number: int) -> list[NotebookNode]:
    """Return the outputs that are valid; `number` is that of the cell in its kernel."""
    few = found[:_MOST_OUTPUTS]
    return [output for one in few if (output := _output(one, number)) is not None]


def _output(found: Any, number: int) -> NotebookNode | None:
    match found:
        case {"output_type": "stream", "name": ("stdout" | "stderr") as name, "text": str(text)}:
            return new_output("stream", name=name, text=clean(text))
        case {
            "output_type": "error",
            "ename": str(name),
            "evalue": str(value),
            "traceback": list(lines),
        }:
            lines = [clean(line) for line in lines if type(line) is str]
            return new_output("error", ename=clean(name), evalue=clean(value), traceback=lines)
        case {"output_type": "display_data", "data": dict(data)} if safe := _data(data):
            return new_output("display_data", data=safe)
        case {"output_type": "execute_result", "data": dict(data)} if safe := _data(data):
            return new_output("execute_result", data=safe, execution_count=number)
    return None


def _data(data: dict) -> dict[str, str]:
    texts = {form: clean(text) for form, text in data.items() if type(text) is str}
    if "text/markdown" in texts:
        texts["text/plain"] = texts["text/markdown"]
    safe = {form: keep(texts[form]) for form, keep in _KEEP.items() if form in texts}
    return {form: text for form, text in safe.items() if text}


def clean(text: str) -> str:
    """The text without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _picture(form: str) -> Callable[[str], str]:
    def keep(text: str) -> str:
        try:
            data = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            return ""
        return base64.b64encode(data).decode() if data.startswith(_MAGIC[form]) else ""

    return keep


def harmless_html(text: str) -> str:
    """What is left of HTML without all that could do something; "" where it is too much."""
    if len(text) > _MOST_HTML or text.count("<") > _MOST_TAGS:
        return ""
    if sum(len(_SPACES.findall(tag)) ** 2 for tag in text.split("<")) > _MOST_WORK:
        return ""
    try:
        return _cleaner().clean(text)
    except (RecursionError, ValueError, AssertionError):  # the parser's, on what is no HTML
        return ""


@lru_cache
def _cleaner() -> Any:
    import bleach
    from bleach.css_sanitizer import CSSSanitizer

    return bleach.Cleaner(
        tags=_TAGS,
        attributes=_is_harmless,
        protocols={"http", "https", "data"},
        strip=True,
        css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES),
    )


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if name == "src":
        return tag == "img" and value.startswith(("data:image/png;base64,", "data:image/jpeg;"))
    if name == "href":
        return tag == "a" and value.startswith(("https://", "http://", "#"))
    return name in _ATTRIBUTES


_KEEP: Mapping[str, Callable[[str], str]] = {
    "text/plain": str,
    "text/html": harmless_html,
    "text/latex": lambda text: "" if "<" in text else text,
    "image/png": _picture("image/png"),
    "image/jpeg": _picture("image/jpeg"),
}
