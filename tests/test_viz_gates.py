"""The explorer of gates: structure, words, colours, size."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from cs_caption.viz.gates import show_gates
from cs_caption.viz.matrix import NEGATIVE, POSITIVE

VOID = {"img", "wbr", "br"}


class Structure(HTMLParser):
    """The elements of a page, refusing what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.seen.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def all(self, name: str) -> list[dict]:
        return [attributes for found, attributes in self.seen if found == name]


def values(T: int, H: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    gates = {f"{name} gate": rng.uniform(size=(T, H)) for name in ("input", "forget", "output")}
    return gates | {"candidate": rng.uniform(-1, 1, (T, H)), "memory": 3 * rng.normal(size=(T, H))}


def shown(symbols="hello", H=4, **options):
    return show_gates(symbols, values(len(symbols), H), alt="Gates over hello.", **options)


def picture(html: str, place: int = 0) -> np.ndarray:
    data = re.findall(r'src="data:image/png;base64,([^"]+)"', html)[place]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def letters(html: str, row: int) -> list[tuple[str, str]]:
    """The symbols of a row of letters with their background."""
    rows = re.findall(r'<div style="[^"]*" role="img"[^>]*>(.*?)</div>', html)
    return re.findall(r"background-color:#(\w{6})[^>]*>(.*?)</span>", rows[row])


def test_each_gate_and_each_unit_shown_has_a_panel_of_its_own():
    page = Structure(shown(H=9).html)
    assert len(page.all("details")) == 5 + 6 == len(page.all("summary"))
    assert len(page.all("img")) == 5


def test_one_gate_and_one_unit_are_open_from_the_start():
    panels = Structure(shown().html).all("details")
    assert [place for place, panel in enumerate(panels) if "open" in panel] == [0, 5]
    assert len({panel["name"] for panel in panels[:5]}) == 1
    assert panels[0]["name"] != panels[5]["name"]


def test_two_explorers_on_a_page_do_not_close_each_others_panels():
    pages = shown(units=[0]).html, shown(units=[1]).html
    names = [{panel["name"] for panel in Structure(page).all("details")} for page in pages]
    assert not names[0] & names[1]


def test_the_same_values_make_the_same_page():
    assert shown().html == shown().html


def test_there_is_no_script_no_style_sheet_and_no_id_to_clash():
    html = shown().html
    page = Structure(html)
    assert not page.all("script") + page.all("style")
    assert not any(key == "id" or key.startswith("on") for _, each in page.seen for key in each)


def test_every_heat_map_has_words_of_its_own():
    words = [image["alt"] for image in Structure(shown().html).all("img")]
    assert len(set(words)) == 5
    assert all(name in alt for name, alt in zip(values(5, 4), words, strict=True))
    assert all("units 0 to 3 down, 5 symbols across" in alt for alt in words)


def test_a_heat_map_says_where_the_gate_is_highest_and_lowest():
    gate = np.array([[0.2], [0.9], [0.1]])
    view = show_gates("abc", {"f": gate}, alt="One unit.")
    assert "Highest at symbol 2, b; lowest at symbol 3, c." in view.html


def test_columns_of_a_heat_map_are_symbols_and_rows_are_units():
    gate = np.zeros((3, 2))
    gate[1, 0] = 1.0
    pixels = picture(show_gates("abc", {"f": gate}, alt="One cell.").html)
    wide, tall = pixels.shape[1] // 3, pixels.shape[0] // 2
    assert (pixels[:tall, wide : 2 * wide] == POSITIVE).all()
    pixels = pixels.copy()
    pixels[:tall, wide : 2 * wide] = 255
    assert (pixels == 255).all()


def test_the_symbols_stand_above_their_columns():
    html = show_gates(["a", "circle"], {"f": np.zeros((2, 3))}, alt="Words.").html
    page = Structure(html)
    widths = [int(w) for w in re.findall(r"text-overflow:ellipsis;width:(\d+)px", html)]
    assert len(widths) == 2
    assert int(page.all("img")[0]["width"]) == sum(widths) == picture(html).shape[1]
    assert int(page.all("img")[0]["height"]) == picture(html).shape[0]


def test_gates_run_from_white_to_blue_and_states_from_orange_to_blue():
    both = {"f": np.array([[0.0], [1.0], [0.5]]), "h": np.array([[-1.0], [1.0], [0.0]])}
    html = show_gates("abc", both, alt="Ends of the scales.").html
    blue, orange = bytes(POSITIVE).hex(), bytes(NEGATIVE).hex()
    assert [colour for colour, _ in letters(html, 0)][:2] == ["ffffff", blue]
    assert [colour for colour, _ in letters(html, 1)] == [orange, blue, "ffffff"]


def test_a_memory_beyond_1_has_its_largest_value_as_the_deepest_colour():
    html = show_gates("ab", {"c": np.array([[-4.0], [2.0]])}, alt="A memory.").html
    (low, _), (half, _) = letters(html, 0)
    assert low == bytes(NEGATIVE).hex()
    assert half == bytes(round(255 + (part - 255) / 2) for part in POSITIVE).hex()


def test_the_letters_of_a_unit_spell_the_sentence_with_its_blanks_visible():
    html = shown("a b\n\tc", units=[2]).html
    assert "".join(symbol for _, symbol in letters(html, 0)) == "a␣b↵⇥c"


def test_words_are_kept_apart_and_markup_in_them_is_escaped():
    view = show_gates(["<END>", "a"], {"f": np.eye(2)}, alt="Two words.")
    assert Structure(view.html)
    assert [symbol for _, symbol in letters(view.html, 0)] == ["&lt;END&gt;", "a"]
    assert "</span> <span" in view.html


def test_the_units_that_change_most_are_shown_first():
    gate = np.full((4, 8), 0.5)
    gate[::2, 3], gate[::2, 6] = 1.0, 0.9
    assert re.findall(r"<b>unit (\d)</b>", show_gates("abcd", {"f": gate}, alt="a").html)[:2] == [
        "3",
        "6",
    ]


def test_a_change_counts_by_the_scale_of_its_array():
    # Half of a gate's scale is more than a twentieth of a memory's, though the number is smaller.
    gate, memory = np.full((2, 3), 0.5), np.zeros((2, 3))
    gate[:, 0], memory[:, 1], memory[:, 2] = (0.25, 0.75), (-1, 1), 10
    html = show_gates("ab", {"f": gate, "c": memory}, alt="a").html
    assert re.findall(r"<b>unit (\d)</b>", html)[0] == "0"


def test_units_asked_for_are_shown_in_that_order_and_once():
    assert re.findall(r"<b>unit (\d)</b>", shown(units=[3, 0, 3]).html) == ["3", "0"]


def test_every_letter_has_its_value_and_every_row_its_words():
    html = show_gates("ab", {"f": np.array([[0.25], [0.75]])}, alt="a").html
    assert re.findall(r'title="([^"]+)"', html) == ["0.25", "0.75"]
    rows = [d["aria-label"] for d in Structure(html).all("div") if d.get("role") == "img"]
    assert rows == ["f: from 0.25 to 0.75. Highest at symbol 2, b; lowest at symbol 1, a."]


def test_sixty_symbols_and_128_units_of_six_arrays_stay_below_300_kb():
    six = values(60, 128) | {"state": np.random.default_rng(1).uniform(-1, 1, (60, 128))}
    html = show_gates("x" * 60, six, alt="Large.").html
    assert len(html.encode()) < 300_000


def test_no_letter_is_black_on_a_deep_or_white_on_a_pale_colour():
    ramp = np.linspace(-1, 1, 129)[:, None]
    html = show_gates("x" * 129, {"h": ramp}, alt="All colours.").html
    found = re.findall(r'background-color:#(\w{6})(;color:#fff)?">x', html)
    assert len(found) == 129
    for colour, white in found:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
        contrast = 1.05 / (luminance + 0.05) if white else (luminance + 0.05) / 0.05
        assert contrast > 4


def test_the_plain_text_says_what_each_gate_does():
    text = repr(show_gates("ab", {"f": np.array([[0.95], [0.05]])}, alt="A gate."))
    assert text == "A gate.\n- f: mean 0.50; 50% above 0.9 and 50% below 0.1"


@pytest.mark.parametrize(
    ("symbols", "arrays", "told"),
    [
        ("ab", {"f": np.zeros((3, 2))}, r"'f' \(3, 2\): expected \(T, H\), with T = 2"),
        ("ab", {"f": np.zeros((2, 2)), "c": np.zeros((2, 3))}, r"'c' \(2, 3\)"),
        ("ab", {"f": np.zeros(2)}, "expected"),
        ("ab", {"f": np.zeros((2, 0))}, "expected"),
        ("ab", {}, "nothing to show"),
        ("", {"f": np.zeros((0, 2))}, "nothing to show"),
        ("ab", {"f": np.array([[0.0], [np.nan]])}, "'f' has values that are not finite"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(symbols, arrays, told):
    with pytest.raises(ValueError, match=told):
        show_gates(symbols, arrays, alt="Something.")


def test_a_unit_that_is_not_there_and_an_empty_alt_are_refused():
    with pytest.raises(ValueError, match="no unit 4: they run from 0 to 3"):
        shown(units=[4])
    with pytest.raises(ValueError, match="alt is empty"):
        show_gates("ab", {"f": np.zeros((2, 1))}, alt=" ")


def test_what_a_grader_lets_through_of_html_still_opens_and_is_coloured():
    pytest.importorskip("bleach")
    from autograder.shown import harmless_html

    html = shown(H=9).html
    kept = harmless_html(html)
    for piece in ("<details", "<summary", "<img", "data:image/png", "background-color"):
        assert kept.count(piece) == html.count(piece) > 0
