"""Articles, order and slips of the pen."""

import pytest

from cs_caption.data import wording
from cs_caption.data.draws import Draw
from cs_caption.data.wording import tidy, with_slips


def test_blanks_are_single_and_articles_fit():
    assert tidy("  a  orange   oval and a red egg a ") == "an orange oval and a red egg a"
    assert tidy("") == ""


def test_a_slip_changes_one_letter_or_swaps_two(monkeypatch):
    monkeypatch.setattr(wording, "SLIPS", 10_000)
    draw = Draw(1)
    seen = {with_slips("lightning", draw) for _ in range(300)}
    assert {"ilghtning", "lghtning", "llightning", "kightning", "lihgtning"} <= seen
    assert all(8 <= len(word) <= 10 for word in seen)


def test_short_words_and_most_long_ones_are_left_alone(monkeypatch):
    draw = Draw(2)
    caption = "there is a red star on it"
    assert sum(with_slips(caption, draw) != caption for _ in range(500)) < 60
    monkeypatch.setattr(wording, "SLIPS", 10_000)
    assert with_slips("a is on it of to", draw) == "a is on it of to"


@pytest.mark.parametrize("letter", "qpamzlg")
def test_a_neighbour_lies_beside_the_letter_on_the_keyboard(letter):
    draw = Draw(3)
    row = next(keys for keys in wording.KEYS if letter in keys)
    near = {abs(row.index(wording._neighbour(letter, draw)) - row.index(letter)) for _ in range(20)}
    assert near == {1}
