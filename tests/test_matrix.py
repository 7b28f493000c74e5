"""Matrices as coloured tables that can be read in any mode, by anyone."""

import re

import numpy as np
import pytest

from cs_caption.viz.matrix import Matrix, show_matrices

VALUES = np.array([[0.0, 1.0, -2.0], [0.001, np.nan, 0.5]])


def shown(values=VALUES, rows="ab", columns="xyz", alt="words"):
    return show_matrices(Matrix("a < b", values, rows, columns), alt=alt)


def luminance(colour):
    linear = [(part / 255) ** 2.2 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_exact_zero_differs_from_a_small_number():
    cells = re.findall(r"<td [^>]*>([^<]*)</td>", shown().html)
    assert cells == ["0", "1", "\N{MINUS SIGN}2", "0.00", "nan", "0.50"]


def test_each_number_stands_out_from_its_cell():
    html = shown(np.linspace(-1, 1, 41)[None], "a", [str(i) for i in range(41)]).html
    styles = re.findall(r"background:rgb\((\d+),(\d+),(\d+)\);color:#(\w{3})", html)
    assert len(styles) == 41
    for *background, ink in styles:
        pair = [luminance(map(int, background)), luminance([int(c * 2, 16) for c in ink])]
        assert (max(pair) + 0.05) / (min(pair) + 0.05) >= 4.5


def test_rows_and_columns_are_named_for_a_screen_reader_and_titles_are_escaped():
    html = shown().html
    assert html.count('scope="col"') == 3
    assert html.count('scope="row"') == 2
    assert "a &lt; b</caption>" in html
    assert 'aria-label="words"' in html


def test_plain_text_has_the_words_and_the_numbers():
    assert repr(shown()).splitlines()[0] == "words"
    assert repr(shown()).splitlines()[3].split() == ["a", "0", "1", "\N{MINUS SIGN}2"]


def test_in_plain_text_long_names_keep_a_blank_between_them_and_columns_in_line():
    lines = repr(
        shown(rows=["a longer name", "b"], columns=["and", "background", "z"])
    ).splitlines()
    assert lines[2].split() == ["and", "background", "z"]
    assert len({len(line) for line in lines[2:]}) == 1


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 3\), but 2 names of rows and 2 of columns"):
        shown(columns="xy")


def test_matrices_of_zeros_can_be_shown():
    assert shown(np.zeros((2, 3))).html.count(">0</td>") == 6
