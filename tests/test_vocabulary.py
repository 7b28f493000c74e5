"""The vocabulary: counting, encoding, decoding, and files that are not one."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_caption.data import Vocabulary

CAPTIONS = [["a red circle", "a red disc"], ["a blue circle on a box"]]


@pytest.fixture
def vocabulary():
    return Vocabulary.build(CAPTIONS)


def test_words_follow_the_specials_by_count_then_by_letters(vocabulary):
    assert vocabulary.words == [
        *("<NULL>", "<START>", "<END>", "<UNK>"),
        *("a", "circle", "red", "blue", "box", "disc", "on"),
    ]
    assert vocabulary.counts.tolist() == [0, 0, 3, 0, 4, 2, 2, 1, 1, 1, 1]
    assert vocabulary.counts.dtype == np.int64
    assert len(vocabulary) == 11


def test_the_specials_have_the_numbers_of_the_design():
    assert (Vocabulary.NULL, Vocabulary.START, Vocabulary.END, Vocabulary.UNK) == (0, 1, 2, 3)


def test_a_flat_list_of_captions_gives_the_same_vocabulary_as_nested_ones(vocabulary):
    flat = [caption for some in CAPTIONS for caption in some]
    assert Vocabulary.build(flat) == vocabulary


def test_rare_words_are_left_out_and_counted_as_unknown():
    vocabulary = Vocabulary.build(CAPTIONS, min_count=2)
    assert vocabulary.words[4:] == ["a", "circle", "red"]
    assert vocabulary.counts[Vocabulary.UNK] == 4
    assert vocabulary.encode("a disc") == [1, 4, 3, 2]


def test_a_batch_is_padded_with_null_to_its_longest_caption(vocabulary):
    batch = vocabulary.encode_batch(["red", "a red circle"])
    assert batch.dtype == np.int64
    assert batch.tolist() == [[1, 6, 2, 0, 0], [1, 4, 6, 5, 2]]
    assert vocabulary.encode_batch([]).shape == (0, 0)


def test_an_empty_caption_is_start_and_end(vocabulary):
    assert vocabulary.encode("") == [1, 2]
    assert vocabulary.decode([1, 2]) == ""


def test_decoding_stops_at_the_first_end_and_skips_specials(vocabulary):
    assert vocabulary.decode([1, 4, 0, 3, 5, 2, 6, 2]) == "a circle"


def test_decoding_takes_arrays(vocabulary):
    assert vocabulary.decode(np.array([1, 4, 6, 2], dtype=np.int32)) == "a red"


@given(st.lists(st.sampled_from(["a", "red", "circle", "blue", "box", "disc", "on"])))
def test_what_is_encoded_is_decoded(words):
    vocabulary = Vocabulary.build(CAPTIONS)
    caption = " ".join(words)
    assert vocabulary.decode(vocabulary.encode(caption)) == caption


def test_special_words_in_a_text_are_no_words():
    vocabulary = Vocabulary.build(["a <START> b <UNK>"])
    assert vocabulary.words[4:] == ["a", "b"]
    assert vocabulary.encode("<START> <UNK> a") == [1, 3, 3, 4, 2]


@pytest.mark.parametrize("number", [-1, 11, 10**12])
def test_a_number_that_stands_for_no_word_is_refused(vocabulary, number):
    with pytest.raises(ValueError, match=f"no word has number {number}: they run from 0 to 10"):
        vocabulary.decode([1, number])


def test_numbers_that_are_not_whole_are_refused(vocabulary):
    with pytest.raises(TypeError):
        vocabulary.decode([1.5])


def test_what_is_not_a_caption_is_refused(vocabulary):
    with pytest.raises(TypeError, match="a caption is a string"):
        vocabulary.encode(["a", "b"])
    with pytest.raises(TypeError, match="a list of captions"):
        vocabulary.encode_batch("a b")
    with pytest.raises(TypeError, match="got one string"):
        Vocabulary.build("a b")


def test_no_caption_and_no_count_are_refused():
    with pytest.raises(ValueError, match="no caption"):
        Vocabulary.build([])
    with pytest.raises(ValueError, match="min_count is 0"):
        Vocabulary.build(["a"], min_count=0)


def test_what_is_saved_is_loaded(vocabulary, tmp_path):
    vocabulary.save(tmp_path / "words.json")
    loaded = Vocabulary.load(tmp_path / "words.json")
    assert loaded == vocabulary
    assert loaded.encode("a red box") == vocabulary.encode("a red box")


def test_words_of_any_language_are_saved(tmp_path):
    vocabulary = Vocabulary.build(["кот сидит", "ein größerer 圆"])
    vocabulary.save(tmp_path / "words.json")
    assert Vocabulary.load(tmp_path / "words.json") == vocabulary


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.json"):
        Vocabulary.load(tmp_path / "none.json")


def test_a_folder_is_no_vocabulary(tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        Vocabulary.load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": 1}', b"null"]
)
def test_a_file_that_is_no_vocabulary_is_named(tmp_path, content):
    path = tmp_path / "words.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"words\.json"):
        Vocabulary.load(path)


def test_a_file_cut_short_anywhere_is_refused(vocabulary, tmp_path):
    path = tmp_path / "words.json"
    vocabulary.save(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"words\.json"):
            Vocabulary.load(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version 2"),
        ({"words": None}, "damaged"),
        ({"words": ["<START>", "<NULL>", "<END>", "<UNK>"]}, "begins with"),
        ({"words": ["<NULL>", "<START>", "<END>", "<UNK>", "a", "a"]}, "'a' is there twice"),
        ({"words": ["<NULL>", "<START>", "<END>", "<UNK>", "a b"]}, "'a b' is no word"),
        ({"words": ["<NULL>", "<START>", "<END>", "<UNK>", 7]}, "7 is no word"),
        ({"words": ["<NULL>", "<START>", "<END>", "<UNK>", [7]]}, "is no word"),
        ({"counts": [1]}, "11 words but 1 counts"),
        ({"counts": [-1] * 11}, "-1 is no count"),
        ({"counts": ["x"] * 11}, "damaged"),
        ({"counts": [2**70] * 11}, "is no count"),
    ],
)
def test_a_damaged_record_is_refused_in_words(vocabulary, change, words):
    with pytest.raises(ValueError, match=words):
        Vocabulary.from_json({**vocabulary.to_json(), **change})


def test_the_record_survives_json(vocabulary):
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary
