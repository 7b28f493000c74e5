"""Word vectors in text files."""

import numpy as np
import pytest

from cs_caption.data import Vocabulary
from cs_caption.data.vectors import read_vectors, write_vectors

WORDS = ["a", "red", "hat", "straw"]
GLOVE = "red 0.5 -1 2e-3\nthe 1 1 1\nhat 4 5 6\n"
WORD2VEC = "3 3\n" + GLOVE


@pytest.fixture
def written(tmp_path):
    """Write characters or bytes to a file and return its path."""

    def write(content):
        path = tmp_path / "vectors.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


@pytest.mark.parametrize("content", [GLOVE, WORD2VEC], ids=["GloVe", "word2vec"])
def test_words_get_their_vectors_and_the_others_rows_of_zero(written, content):
    matrix, found = read_vectors(written(content), WORDS)
    np.testing.assert_array_equal(
        matrix, np.float32([[0, 0, 0], [0.5, -1, 2e-3], [4, 5, 6], [0, 0, 0]])
    )
    assert matrix.dtype == np.float32
    assert found.tolist() == [False, True, True, False]


def test_the_blank_at_the_end_of_word2vecs_lines_and_windows_line_ends_are_no_columns(written):
    content = WORD2VEC.replace("\n", " \r\n")
    np.testing.assert_array_equal(
        read_vectors(written(content), WORDS).matrix,
        read_vectors(written(WORD2VEC), WORDS).matrix,
    )


def test_the_first_line_of_a_file_without_header_is_a_vector_like_any_other(written):
    assert read_vectors(written(GLOVE), ["red"]).found.tolist() == [True]
    assert read_vectors(written("7 1 2\n8 3 4\n"), ["7"]).matrix.tolist() == [[1, 2]]


def test_a_word_that_stands_twice_has_its_first_vector(written):
    vectors = read_vectors(written("red 1 2\nred 3 4\n"), WORDS)
    assert vectors.matrix[1].tolist() == [1, 2]


def test_words_with_blanks_as_glove_has_them_are_passed_over(written):
    vectors = read_vectors(written("red 1 2\n. . . 3 4\nat name@domain.com 5 6\nhat 7 8\n"), WORDS)
    assert vectors.found.tolist() == [False, True, True, False]
    assert vectors.matrix[2].tolist() == [7, 8]


def test_columns_may_be_parted_by_tabs(written):
    assert read_vectors(written("red\t1\t2\nhat\t3\t4\n"), WORDS).matrix[2].tolist() == [3, 4]


def test_a_words_own_letters_may_be_any_and_broken_ones_harm_nobody(written):
    content = "café 1 2\nno\u00a0break 3 4\nhat 5 6\n".encode() + b"\xff\xfe 7 8\n"
    vectors = read_vectors(written(content), ["café", "no\u00a0break", "hat"])
    assert vectors.found.all()
    assert vectors.matrix[1].tolist() == [3, 4]


def test_a_word_is_found_as_it_is_written_capitals_included(written):
    assert read_vectors(written("Red 1 2\n"), ["red", "Red"]).found.tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GLOVE + "straw 1 2\n", r"line 4: a word and 2 numbers, expected 3"),
        (WORD2VEC + "straw 1 2 3 4\n", r"line 5: a word and 4 numbers, expected 3"),
        ("red 1 2\nthe\n", r"line 2: a word and 0 numbers, expected 2"),
        ("red\n", r"line 1: a word and 0 numbers, expected at least 1"),
        ("red 1 2\nhat 1 two\n", r"line 2: 'two' is no finite number"),
        ("red 1 2\nhat 1 nan\n", r"line 2: 'nan' is no finite number"),
        ("4 3\n" + GLOVE, r"of 3 words, but its first line promises 4: it was cut off"),
        ("", r"holds no vectors"),
        (b"3 2\nred \0\x01\x02", r"is no text: .*binary=True"),
    ],
)
def test_a_damaged_file_is_refused_with_the_line_and_what_was_expected(written, content, words):
    with pytest.raises(ValueError, match=words):
        read_vectors(written(content), WORDS)


def test_no_file_a_folder_and_one_string_for_all_words_are_refused(tmp_path, written):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_vectors(tmp_path / "none.txt", WORDS)
    with pytest.raises(ValueError, match="is a folder"):
        read_vectors(tmp_path, WORDS)
    with pytest.raises(TypeError, match=r"vocabulary\.words"):
        read_vectors(written(GLOVE), "red")


@pytest.mark.parametrize("header", [True, False])
def test_what_is_written_is_read_back_to_the_bit(tmp_path, header):
    vocabulary = Vocabulary.build(["a red hat", "a straw hat"])
    matrix = np.random.RandomState(0).standard_normal((len(vocabulary), 5)).astype(np.float32)
    matrix[0] = [1e-38, -3e38, 1 / 3, 0, 16777217]
    path = tmp_path / "new" / "vectors.txt"
    write_vectors(path, vocabulary.words, matrix, header=header)
    assert path.read_text("utf-8").startswith(f"{len(vocabulary)} 5\n") == header
    vectors = read_vectors(path, vocabulary.words)
    np.testing.assert_array_equal(vectors.matrix, matrix)
    assert vectors.found.all()


@pytest.mark.parametrize(
    ("words", "matrix", "message"),
    [
        (["a", "b"], np.ones((3, 2)), r"2 words and a matrix of shape \(3, 2\)"),
        (["a b"], np.ones((1, 2)), "'a b' is no word"),
        (["a"], np.full((1, 2), np.inf), "NaN or infinite"),
        (["a"], np.ones((1, 0)), "no columns"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, words, matrix, message):
    with pytest.raises(ValueError, match=message):
        write_vectors(tmp_path / "vectors.txt", words, matrix)
    assert not list(tmp_path.iterdir())
