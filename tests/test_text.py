"""The text that a character model reads."""

import sys
import sysconfig

import numpy as np
import pytest

from cs_caption.data.text import REPLACEMENT, SHORTEST, standard_library, text_file

SENTENCE = "def hello(name):\n\treturn name  # läuft\n"


@pytest.fixture
def written(tmp_path):
    """Write characters or bytes to a file and return its path."""

    def write(content):
        path = tmp_path / "my.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def test_the_standard_library_has_as_many_characters_as_asked_for_and_a_tenth_is_held_out():
    text = standard_library(30_000)
    assert (len(text), len(text.train), len(text.held_out)) == (30_000, 27_000, 3_000)


def test_a_million_characters_are_there_without_asking():
    text = standard_library()
    assert len(text) == 1_000_000
    assert 90 <= len(text.alphabet) <= 110


def test_the_standard_library_is_the_source_itself_line_by_line():
    text = standard_library(30_000)
    folder = sysconfig.get_path("stdlib")
    for part, module in ((text.train, "argparse"), (text.held_out, "textwrap")):
        with open(f"{folder}/{module}.py", encoding="utf-8") as file:
            source = file.read(len(part))
        assert len(source) == len(part)
        unlike = [(a, b) for a, b in zip(text.decode(part), source, strict=True) if a != b]
        assert all(shown == REPLACEMENT for shown, _ in unlike)
        assert len(unlike) < 100


def test_no_module_is_imported_to_be_read(monkeypatch):
    for name in ("imaplib", "poplib", "pickletools"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    standard_library()
    assert not {"imaplib", "poplib", "pickletools"} & set(sys.modules)


def test_held_out_modules_are_not_among_those_trained_on():
    from cs_caption.data.text import _HELD_OUT, _TRAINED_ON

    assert not set(_HELD_OUT) & set(_TRAINED_ON)
    assert len(set(_TRAINED_ON)) == len(_TRAINED_ON)
    assert set(_HELD_OUT + _TRAINED_ON) <= sys.stdlib_module_names


def test_a_module_that_this_python_lacks_is_passed_over(monkeypatch):
    whole = standard_library(SHORTEST)
    monkeypatch.setattr("cs_caption.data.text._TRAINED_ON", ("no_such_module", "argparse"))
    np.testing.assert_array_equal(standard_library(SHORTEST).train, whole.train)


def test_a_python_without_its_source_is_told_to_give_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"text_file\('my\.txt'\)"):
        standard_library()


@pytest.mark.parametrize(
    ("characters", "told"), [(100, "10,000 or more"), (1_000_000_000, "ask for fewer")]
)
def test_a_length_that_cannot_be_had_is_refused_with_what_can(characters, told):
    with pytest.raises(ValueError, match=told):
        standard_library(characters)


def test_every_character_has_the_number_of_its_place_in_the_alphabet(written):
    text = text_file(written(SENTENCE * 400))
    assert text.alphabet == "".join(sorted(set(SENTENCE))) + REPLACEMENT
    assert text.alphabet[int(text.encode("ä")[0])] == "ä"
    assert text.train.dtype == np.int32
    assert text.decode(np.concatenate([text.train, text.held_out])) == SENTENCE * 400


def test_the_last_tenth_of_a_file_is_held_out(written):
    text = text_file(written("a" * 9_000 + "b" * 1_000 + "a"), min_count=0)
    assert text.decode(text.train) == "a" * 9_000 + "b"
    assert text.decode(text.held_out) == "b" * 999 + "a"


def test_what_is_rare_in_training_becomes_the_replacement_in_both_parts(written):
    text = text_file(written("x" * 4 + "y" * 5 + "a" * 17_991 + "x" * 1_000 + "y" * 1_000))
    assert text.alphabet == "ay" + REPLACEMENT
    assert text.decode(text.train[:10]) == REPLACEMENT * 4 + "y" * 5 + "a"
    assert text.decode(text.held_out) == REPLACEMENT * 1_000 + "y" * 1_000


def test_an_unknown_character_is_encoded_as_the_replacement():
    text = standard_library(30_000)
    assert text.decode(text.encode("if \U0001f600:")) == f"if {REPLACEMENT}:"


def test_a_replacement_character_in_the_text_is_no_second_symbol(written):
    text = text_file(written((REPLACEMENT + "ab") * 4_000))
    assert text.alphabet == "ab" + REPLACEMENT


def test_windows_line_ends_and_a_byte_order_mark_are_no_characters(written):
    text = text_file(written(b"\xef\xbb\xbf" + b"ab\r\n" * 4_000))
    assert text.alphabet == "\nab" + REPLACEMENT
    assert len(text) == 12_000


def test_the_beginning_of_a_file_can_be_asked_for(written):
    assert len(text_file(written(SENTENCE * 400), 12_345)) == 12_345


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00" * 9_000, "no text in UTF-8"),
        (b"a\0" * 9_000, "null characters"),
        ("too short", "has 9 characters"),
        ("", "has 0 characters"),
    ],
)
def test_a_file_that_is_no_text_or_too_short_is_refused_by_name(written, content, told):
    with pytest.raises(ValueError, match=rf"my\.txt.*{told}"):
        text_file(written(content))


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*gone\.txt"):
        text_file(tmp_path / "gone.txt")
    with pytest.raises(ValueError, match="is a folder"):
        text_file(tmp_path)


def test_too_few_characters_of_a_long_file_are_refused(written):
    with pytest.raises(ValueError, match="ask for 10,000 or more"):
        text_file(written(SENTENCE * 400), -1)


def test_numbers_that_stand_for_no_character_are_refused():
    text = standard_library(30_000)
    for wrong in ([0, len(text.alphabet)], [-1]):
        with pytest.raises(ValueError, match="numbers from 0 to"):
            text.decode(wrong)
    with pytest.raises(ValueError, match="one axis"):
        text.decode(text.train[:4].reshape(2, 2))


def test_nothing_is_decoded_to_nothing():
    text = standard_library(30_000)
    assert text.decode([]) == "" == text.decode(text.encode(""))


def test_a_text_says_what_it_is_and_not_all_it_holds():
    assert repr(standard_library(30_000)).startswith('Text "Python\'s standard library": 27,000')
