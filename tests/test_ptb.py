import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_java import java_tokens

from cs_caption.data import Scenes
from cs_caption.metrics import ptb_tokenise

CASES = json.loads((Path(__file__).parent / "data" / "ptb_cases.json").read_text(encoding="utf-8"))[
    "cases"
]
ENDS = ["\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"]

# Where we know that we differ, and why we leave it.
OTHERWISE = {
    "a telephone number is one word there": (
        "call (555) 123-4567",
        "call -lrb- 555 -rrb- 123-4567",
        "call -lrb-555-rrb- 123-4567",
    ),
    "quotation marks heaped upon each other leave marks there": (
        "a “smart” ‘”",
        "a smart",
        "a smart `''",
    ),
    "a young apostrophe before a letter is taken for a contraction there": (
        "the ’man",
        "the man",
        "the 'm an",
    ),
    "vowel signs of other scripts part words here": ("ไทย हि", "ไทย ह ि", "ไทย हि"),
}


@pytest.mark.parametrize("raw", [raw for raw, _ in CASES])
def test_a_caption_comes_out_as_the_java_tokenizer_gives_it(raw):
    assert ptb_tokenise(raw) == dict(CASES)[raw]


@pytest.mark.parametrize("end", ENDS, ids=[f"U+{ord(end[-1]):04X}-{len(end)}" for end in ENDS])
def test_the_end_of_a_line_inside_a_caption_is_a_blank(end):
    assert ptb_tokenise(f"a dog{end}runs.{end}") == "a dog runs"


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_text_gives_one_line_of_words_parted_by_single_blanks(text):
    words = ptb_tokenise(text)
    assert words == " ".join(words.split())


def test_captions_of_the_scenes_in_lower_case_are_read_as_they_stand():
    for scene in Scenes("test", 40, level="rich"):
        for caption in scene.captions:
            assert ptb_tokenise(f"{caption.capitalize()}.") == caption


def test_what_is_no_string_is_refused():
    with pytest.raises(TypeError, match=r"\['a', 'dog'\] \(list\)"):
        ptb_tokenise(["a", "dog"])


@pytest.mark.parametrize("why", OTHERWISE)
def test_where_we_differ_from_the_java_tokenizer_we_know_it(why):
    raw, ours, theirs = OTHERWISE[why]
    assert ptb_tokenise(raw) == ours != theirs


def test_the_java_tokenizer_of_this_machine_agrees_and_differs_where_we_say(tmp_path):
    raw = [raw for raw, _ in CASES] + [
        f"{caption.capitalize()}."
        for scene in Scenes("val", 60, level="rich")
        for caption in scene.captions
    ]
    # "no." at the end of a line is read by what the next line begins with: a word between them.
    found = java_tokens([f"{caption} x" for caption in raw], tmp_path)
    assert [ptb_tokenise(f"{caption} x") for caption in raw] == found
    theirs = java_tokens([raw for raw, _, _ in OTHERWISE.values()], tmp_path)
    assert theirs == [theirs for _, _, theirs in OTHERWISE.values()]
