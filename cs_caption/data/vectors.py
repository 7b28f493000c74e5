"""Word vectors in text files: word2vec's format, and that of GloVe."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cs_caption.files import whole_file


class WordVectors(NamedTuple):
    """The vectors of V words, and which of the words had one; the rows of the others are 0.

    Shapes: matrix float32 (V, D); found bool (V,).
    """

    matrix: np.ndarray
    found: np.ndarray


def read_vectors(path: str | Path, words: Sequence[str]) -> WordVectors:
    """Read the vectors of `words` from a text file: a line a word, the word and then its D numbers.

    word2vec's files begin with a line that says how many words there are and D; GloVe's do not.
    A word is found as it is written, capitals included; where it stands twice, the first counts.
    Only the wanted words are kept in memory.

    Raises: FileNotFoundError where there is no file; ValueError, with the line's number, where a
    line has another width than the others or no numbers, and where the file is no text or cut off.
    """
    if isinstance(words, str):
        raise TypeError("words should be a list of words, such as vocabulary.words, got one string")
    rows = {word.encode("utf-8"): row for row, word in enumerate(words)}
    found, matrix = np.zeros(len(words), dtype=bool), None
    for number, line, width in _lines(Path(path)):
        word, numbers = _parted(path, number, line, width)
        matrix = np.zeros((len(words), width), np.float32) if matrix is None else matrix
        row = rows.get(word)
        if row is not None and not found[row]:
            matrix[row] = _vector(path, number, numbers)
            found[row] = True
    if matrix is None:
        raise ValueError(f"{path} holds no vectors: each line should be a word and its numbers")
    return WordVectors(matrix, found)


def write_vectors(
    path: str | Path, words: Sequence[str], matrix: np.ndarray, header: bool = True
) -> None:
    """Write a row of `matrix` (V, D) for each of the V words, whole or not at all.

    With the header it is word2vec's format, without it that of GloVe. float32 is read back exactly.

    Raises: ValueError where words and matrix do not fit together, or a word has blanks.
    """
    _check_writable(words, matrix)
    with whole_file(path) as file, open(file, "w", encoding="utf-8", newline="\n") as lines:
        if header:
            lines.write(f"{matrix.shape[0]} {matrix.shape[1]}\n")
        for word, row in zip(words, matrix.tolist(), strict=True):
            lines.write(" ".join([word, *(f"{value:.9g}" for value in row)]) + "\n")


def _lines(path: Path) -> Iterator[tuple[int, bytes, int]]:
    """Each line with a vector: its number in the file, itself, and how many numbers it should have.

    Bytes, not text: words are compared and never shown, and some files hold broken characters.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check the name and the folder")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give one text file of word vectors")
    promised, width, seen = None, None, 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            _check_text(path, line)
            line = line.strip(b" \t\r\n")
            if number == 1 and _is_header(line):
                promised, width = map(int, line.split())
            elif line:
                width = len(line.split()) - 1 if width is None else width
                seen += 1
                yield number, line, width
    if promised is not None and seen != promised:
        raise ValueError(
            f"{path} has vectors of {seen} words, but its first line promises {promised}: it was "
            "cut off or damaged, so copy or download it again"
        )


def _is_header(line: bytes) -> bool:
    fields = line.split()
    return len(fields) == 2 and all(field.isdigit() for field in fields)


def _check_text(path: Path, line: bytes) -> None:
    if b"\0" in line:
        raise ValueError(
            f"{path} is no text: unpack it if it is compressed; word2vec's binary format becomes "
            "text by gensim's load_word2vec_format(..., binary=True).save_word2vec_format(...)"
        )


def _parted(path: str | Path, number: int, line: bytes, width: int) -> tuple[bytes, bytes]:
    """The word, and its numbers as they stand there."""
    if width and line.count(b" ") == width:  # counting is what millions of unwanted lines cost
        word, _, numbers = line.partition(b" ")
        return word, numbers
    fields = line.rsplit(None, width)  # a few of GloVe's words hold blanks: ". . ."
    wide = len(fields[0].split()) > 1 and _is_number(fields[0].split()[-1])
    if not width or len(fields) != width + 1 or wide:
        raise ValueError(
            f"{path}, line {number}: a word and {len(line.split()) - 1} numbers, expected "
            f"{width or 'at least 1'}: the file is damaged, or no file of word vectors"
        )
    return fields[0], b" ".join(fields[1:])


def _vector(path: str | Path, number: int, numbers: bytes) -> list[float]:
    fields = numbers.split()
    odd = [field for field in fields if not _is_number(field)]
    if odd:
        raise ValueError(
            f"{path}, line {number}: {odd[0][:40].decode('utf-8', 'replace')!r} is no finite "
            f"number; expected a word and {len(fields)} numbers"
        )
    return [float(field) for field in fields]


def _is_number(field: bytes) -> bool:
    try:
        return bool(np.isfinite(float(field)))
    except ValueError:
        return False


def _check_writable(words: Sequence[str], matrix: np.ndarray) -> None:
    if isinstance(words, str) or np.ndim(matrix) != 2 or len(words) != len(matrix):
        raise ValueError(
            f"{len(words)} words and a matrix of shape {np.shape(matrix)}: expected a list of V "
            "words and an array (V, D)"
        )
    if matrix.shape[1] == 0 or not np.all(np.isfinite(matrix)):
        raise ValueError("the matrix has no columns, or entries that are NaN or infinite")
    odd = [word for word in words if word.split() != [word]]
    if odd:
        raise ValueError(f"{odd[0]!r} is no word: in these files blanks part the word from numbers")
