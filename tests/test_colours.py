"""The table of colour names, and what it calls a colour."""

import re

import pytest

from cs_caption.data import colours, lexicon


def test_every_shade_has_three_bytes_and_a_name_in_lower_case():
    for basic in colours.SHADES:
        for name, rgb in colours.shades(basic):
            assert re.fullmatch("[a-z]+( [a-z]+){0,2}", name)
            assert len(rgb) == 3
            assert all(0 <= value <= 255 for value in rgb)


def test_no_name_stands_for_two_colours():
    names = [name for basic in colours.SHADES for name, _ in colours.shades(basic)]
    assert len(names) == len(set(names)) == 372


def test_a_basic_colour_leads_its_shades_and_is_called_by_its_own_name():
    for basic in colours.SHADES:
        name, rgb = colours.shades(basic)[0]
        assert name == basic
        assert colours.naming(rgb)[0] == basic


def test_every_shade_is_called_by_its_own_name():
    for basic in colours.SHADES:
        for name, rgb in colours.shades(basic):
            found, names = colours.naming(rgb)
            assert found == basic
            assert name in names


def test_the_values_are_those_of_the_survey():
    survey = pytest.importorskip("matplotlib.colors").XKCD_COLORS
    for basic in colours.SHADES:
        for name, rgb in colours.shades(basic):
            assert survey[f"xkcd:{name}"] == "#{:02x}{:02x}{:02x}".format(*rgb)


def test_no_rude_name_is_kept():
    rude = "poo|puke|shit|snot|vomit|barf|booger|bile|piss|diarrhea|ugly|nasty|sick|blood red|gross"
    for name in lexicon.COLOURS:
        assert not re.search(rf"\b({rude.replace('blood red|', '')})", name)


@pytest.mark.parametrize(
    ("rgb", "basic"),
    [
        *(((255, 255, 255), "white"), ((0, 0, 0), "black"), ((128, 128, 128), "grey")),
        *(((230, 10, 10), "red"), ((20, 160, 30), "green"), ((10, 60, 230), "blue")),
        *(((250, 240, 30), "yellow"), ((120, 30, 150), "purple"), ((255, 130, 190), "pink")),
        *(((250, 120, 10), "orange"), ((100, 60, 10), "brown"), ((0, 150, 140), "teal")),
    ],
)
def test_plain_colours_get_plain_names(rgb, basic):
    assert colours.naming(rgb)[0] == basic


def test_the_simple_colours_are_called_by_their_names():
    for table in (lexicon.SIMPLE_COLOURS, lexicon.SIMPLE_BACKGROUNDS):
        for name, rgb in table.items():
            assert colours.naming(rgb)[0] == name


def test_distance_is_symmetric_and_weighs_green_most():
    assert colours.distance((0, 0, 0), (255, 255, 255)) == 9 * 255**2
    assert colours.distance((1, 2, 3), (4, 6, 8)) == colours.distance((4, 6, 8), (1, 2, 3)) == 141
