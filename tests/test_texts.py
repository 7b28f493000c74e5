"""What a student wrote, on a page: nothing in it runs, and nothing in it takes for ever."""

import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.course import Course
from autograder.texts import LONGEST, MOST_PICTURES, MOST_WORK

PNG = "iVBORw0KGgo" + "A" * 1000


@pytest.fixture(scope="module")
def exporter():
    config = Course().config()
    config.HTMLExporter.template_name = "basic"
    return HTMLExporter(config=config)


def page(exporter, *cells):
    html, _ = exporter.from_notebook_node(new_notebook(cells=list(cells)))
    return html


def shown(exporter, text, **attachments):
    cell = new_markdown_cell(text)
    if attachments:
        cell.attachments = {
            f"{name}.png": {kind: data} for name, (kind, data) in attachments.items()
        }
    return page(exporter, cell)


@pytest.mark.parametrize(
    "text",
    [
        "<script>evil()</script>",
        "a <img src=x onerror=evil()> b",
        "<svg onload=evil()></svg>",
        "<style>body { background: url(evil) }</style>",
        "[evil](javascript:evil())",
        "<iframe src=//evil></iframe>",
        "<form action=//evil><input name=password></form>",
        "![evil](https://evil.example/who-looks.png)",
        '<p class="evil" id="evil" style="position:fixed">x</p>',
        "```mermaid\n<img src=x onerror=evil()>\n```",
        "$<img src=x onerror=evil()>$",
        "data&#58;image/png;base64,99999 <b onclick=evil()>x</b>",
    ],
)
def test_nothing_in_a_text_runs_or_is_fetched(exporter, text):
    html = shown(exporter, text)
    for sign in (
        "<script>evil",
        "<svg",
        "<style>body",
        "javascript:",
        "<iframe",
        "<form",
        "<input",
    ):
        assert sign not in html
    for sign in ('class="evil"', 'id="evil"', "//evil", "position", "<img src=x", "<b onclick"):
        assert sign not in html.split("</style>")[-1].replace("&lt;", "")


def test_what_markdown_says_is_shown(exporter):
    html = shown(exporter, "# Head\n\n**bold** $a < b_i$\n\n| x | y |\n|---|--:|\n| 1 | 2 |")
    for sign in ("<h1>Head</h1>", "<strong>bold</strong>", "$a &lt; b_i$", "<td>1</td>"):
        assert sign in html


def test_pasted_pictures_are_shown_and_lost_ones_cost_nothing(exporter):
    text = f"![p](attachment:p.png) ![gone](attachment:gone.png) ![q](data:image/png;base64,{PNG}B)"
    html = shown(exporter, text, p=("image/png", PNG))
    assert f'src="data:image/png;base64,{PNG}"' in html
    assert f'src="data:image/png;base64,{PNG}B"' in html
    assert 'alt="gone"' in html


def test_an_attached_drawing_of_another_kind_is_not_shown(exporter):
    html = shown(exporter, "![p](attachment:p.png)", p=("image/svg+xml", "PHN2Zz4="))
    assert "svg" not in html.split("</style>")[-1]


def test_a_picture_that_is_asked_for_again_and_again_fills_no_page(exporter):
    picture = PNG + "A" * (MOST_PICTURES // 10)
    html = shown(exporter, "![p](attachment:p.png)" * 100, p=("image/png", picture))
    assert len(picture) < len(html) < 1.1 * MOST_PICTURES


@pytest.mark.parametrize("text", ["\\begin{a}" * 40_000, "a" + " " * 300_000 + "b"])
def test_a_long_text_is_shown_as_it_is(exporter, text):
    assert "<pre" in shown(exporter, text)
    assert text[:100] in shown(exporter, text)


def test_many_texts_are_rendered_up_to_a_sum_of_work(exporter):
    count = MOST_WORK // LONGEST**2 + 5
    html = page(
        exporter, *(new_markdown_cell("**b** " + "x" * (LONGEST - 6)) for _ in range(count))
    )
    assert html.count("<strong>b</strong>") == count - 5
    assert html.count("**b**") == 5


def test_code_has_colours_up_to_a_length_whatever_language_the_notebook_names(exporter):
    notebook = new_notebook(cells=[new_code_cell("def f(): pass"), new_code_cell("a." * LONGEST)])
    notebook.metadata["language_info"] = {"name": "brainfuck"}
    html, _ = exporter.from_notebook_node(notebook)
    assert '<span class="k">def</span>' in html
    assert "a.a.a.a." in html
