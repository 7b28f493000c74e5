"""What a student wrote, as HTML of a page: text with mathematics and pictures, and source code.

nbconvert lets any HTML in a text through, scripts as well, and somebody may be logged in where the
page is opened. It also takes minutes for some texts of a few thousand characters, and shows a
picture as often as the text asks for it: what is too much is shown as the text that it is. Colours
for code take as long, in a language that the notebook names: here they are Python's.
"""

import re
from collections.abc import MutableMapping
from html import escape
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath

from autograder.shown import harmless_html

LONGEST = 20_000  # characters of a text without its pictures; the worst of them take 1 to 4 s
MOST_WORK = 10**9  # of a page, the sum of the squares of characters; our own have a tenth of it
MOST_PICTURES = 40 * 10**6  # characters of a page

_PICTURE = re.compile(r"data:image/(png|jpeg);base64,([A-Za-z0-9+/=]+)")
_NUMBER = re.compile(r"data:image/(png|jpeg);base64,([0-9]{1,6})(?![A-Za-z0-9+/=])")
_ATTACHED = re.compile(r"attachment:([^\s()\"'<>]+)")


@pass_context
def markdown_to_html(context: Context, source: str) -> str:
    """The text of the cell of a page as HTML; a filter of nbconvert's, for its `markdown2html`."""
    spent = context.get("resources", {})
    attached = (context.get("cell") or {}).get("attachments") or {}
    pictures: list[str] = []

    def numbered(found: re.Match) -> str:
        pictures.append(found[2])
        return f"data:image/{found[1]};base64,{len(pictures) - 1}"

    text = _PICTURE.sub(numbered, source)
    bundles = {
        name: {"image/png": ""}
        | {kind: _PICTURE.sub(numbered, f"data:{kind};base64,{data}").partition(",")[2]}
        for name, bundle in attached.items()
        for kind, data in bundle.items()
        if kind in ("image/png", "image/jpeg")
    }
    if _is_long(spent, text):
        return _as_it_is(text)
    return _put_back(_rendered(text, bundles) or _as_it_is(text), pictures, spent)


@pass_context
def code_to_html(context: Context, source: str, *_: Any, **__: Any) -> str:
    """The source of a cell in colours; a filter of nbconvert's, for its `highlight_code`."""
    if _is_long(context.get("resources", {}), source):
        return f'<div class="highlight">{_as_it_is(source)}</div>'
    return Highlight2HTML(pygments_lexer="ipython3")(source)


def _is_long(spent: MutableMapping, text: str) -> bool:
    return len(text) > LONGEST or not _is_room(spent, "texts_work", len(text) ** 2, MOST_WORK)


def _rendered(text: str, attached: dict) -> str:
    """The text as harmless HTML, or "" where it cannot be."""
    lost = {name: {"image/png": ""} for name in _ATTACHED.findall(text)}
    renderer = IPythonRenderer(escape=False, attachments=lost | attached, exclude_anchor_links=True)
    renderer.block_code = _code  # else in a language that the text names, mermaid among them
    try:
        return harmless_html(MarkdownWithMath(renderer=renderer).render(text))
    except (InvalidNotebook, RecursionError):
        return ""


def _put_back(html: str, pictures: list[str], spent: MutableMapping) -> str:
    def picture(found: re.Match) -> str:
        number = int(found[2])
        data = pictures[number] if number < len(pictures) else ""
        if not _is_room(spent, "texts_pictures", len(data), MOST_PICTURES):
            return ""
        return f"data:image/{found[1]};base64,{data}"

    return _NUMBER.sub(picture, html)


def _is_room(spent: MutableMapping, what: str, more: int, most: int) -> bool:
    """Whether the page has room for so much more; counts it if so."""
    if spent.get(what, 0) + more > most:
        return False
    spent[what] = spent.get(what, 0) + more
    return True


def _code(code: str, info: str | None = None) -> str:
    return f"<pre><code>{escape(code)}</code></pre>\n"


def _as_it_is(text: str) -> str:
    return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'
