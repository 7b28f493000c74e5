"""The figure of systems by metrics, for those who see it and those who do not."""

import re

import pytest

from cs_caption.viz.scores import show_scores

ROWS = {
    "one <b>": {"BLEU-4": 0.25, "errors": 0.5},
    "Human": {"BLEU-4": (0.217, 0.2, 0.23), "errors": 0.01},
}
WORDS = {"caption": "Two systems", "alt": "Human is left of the other in both panels."}


def test_the_table_has_every_value_and_marks_in_words_and_not_by_colour_alone():
    view = show_scores(ROWS, better={"errors": "lower"}, mark=("Human",), **WORDS)
    for text in (view.text, view.html):
        for part in ("◆ Human", "0.250", "0.217 (0.200 to 0.230)", "BLEU-4 ↑", "errors ↓"):
            assert part in text
    assert "<caption" in view.html
    assert 'scope="row"' in view.html


def test_the_picture_is_described_and_names_are_text():
    html = show_scores(ROWS, **WORDS).html
    assert re.search(r'<img alt="Human is left of the other in both panels\."', html)
    assert "one &lt;b&gt;" in html
    assert "<script" not in html


@pytest.mark.parametrize("metrics", [1, 4, 5, 7])
def test_any_number_of_metrics_is_drawn(metrics):
    row = {f"m{k}": k / 10 for k in range(metrics)}
    view = show_scores({"a": row, "b": row}, digits=2, **WORDS)
    assert "data:image/png" in view.html
    assert f"m{metrics - 1} ↑" in view.text


@pytest.mark.parametrize(
    ("rows", "given", "told"),
    [
        ({}, {}, "no system"),
        ({"a": {"x": 1.0}, "b": {"y": 1.0}}, {}, r"'b' has \['y'\]"),
        (ROWS, {"mark": ("nobody",)}, "'nobody' is to be marked"),
        (ROWS, {"better": "best"}, "better is 'best'"),
        (ROWS, {"better": {"speed": "lower"}}, "for 'speed'"),
        (ROWS, {"alt": " "}, "alt is empty"),
    ],
)
def test_what_cannot_be_shown_is_refused(rows, given, told):
    with pytest.raises(ValueError, match=told):
        show_scores(rows, **(WORDS | given))
