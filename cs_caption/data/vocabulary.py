"""The words a model knows, and the numbers that stand for them."""

import json
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cs_caption.files import whole_file

FORMAT = "cs_caption.vocabulary"
VERSION = 1
SPECIALS = ("<NULL>", "<START>", "<END>", "<UNK>")


class Vocabulary:
    """Words in order of how often they were seen, after the four special ones.

    `words` is a list of V strings; `counts` an int64 array (V,) aligned with it: <END> was seen
    once a caption, <UNK> counts the words that were left out, <NULL> and <START> are never
    predicted and count 0.

    Raises: TypeError or ValueError where words or counts are no vocabulary.
    """

    NULL, START, END, UNK = range(4)

    def __init__(self, words: Sequence[str], counts: Sequence[int]):
        self.words = list(words)
        _check_words(self.words)
        self.counts = _checked_counts(counts, len(self.words))
        self._index = {word: index for index, word in enumerate(self.words) if index >= self.UNK}

    @classmethod
    def build(cls, captions: Iterable, min_count: int = 1) -> "Vocabulary":
        """Count the words of captions: strings, or lists of strings as `Scenes.captions` has them.

        Words seen fewer than `min_count` times are left out. Equal counts are sorted by letters.
        """
        if min_count < 1:
            raise ValueError(
                f"min_count is {min_count}: a word is seen at least once, give 1 or more"
            )
        seen, ends = Counter(), 0
        for caption in each_caption(captions):
            seen.update(word for word in caption.split() if word not in SPECIALS)
            ends += 1
        if not ends:
            raise ValueError("there is no caption to build a vocabulary from")
        kept = sorted((w for w in seen if seen[w] >= min_count), key=lambda w: (-seen[w], w))
        counts = [seen[word] for word in kept]
        return cls([*SPECIALS, *kept], [0, 0, ends, seen.total() - sum(counts), *counts])

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"Vocabulary of {len(self)} words: {' '.join(self.words[:12])} ..."

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.words == other.words and np.array_equal(self.counts, other.counts)

    __hash__ = None

    def encode(self, caption: str) -> list[int]:
        """<START>, the words' numbers (<UNK> for a word that is not known), <END>."""
        if not isinstance(caption, str):
            raise TypeError(f"a caption is a string of words, got {type(caption).__name__}")
        inner = [self._index.get(word, self.UNK) for word in caption.split()]
        return [self.START, *inner, self.END]

    def encode_batch(self, captions: Sequence[str]) -> np.ndarray:
        """Encode several captions, padded with <NULL>.

        Shapes: N strings -> int64 (N, T), T the longest with its <START> and <END>.
        """
        if isinstance(captions, str):
            raise TypeError("give a list of captions; for one caption there is encode(caption)")
        rows = [self.encode(caption) for caption in captions]
        batch = np.full((len(rows), max(map(len, rows), default=0)), self.NULL, dtype=np.int64)
        for line, row in zip(batch, rows, strict=True):
            line[: len(row)] = row
        return batch

    def decode(self, ids: Iterable[int]) -> str:
        """The words up to <END>, without the special ones. Takes a list, an array or a tensor.

        Raises: ValueError for a number that stands for no word.
        """
        numbers = ids.tolist() if hasattr(ids, "tolist") else ids
        found = []
        for number in map(operator.index, numbers):
            if not 0 <= number < len(self):
                raise ValueError(f"no word has number {number}: they run from 0 to {len(self) - 1}")
            if number == self.END:
                break
            if number > self.UNK:
                found.append(self.words[number])
        return " ".join(found)

    def to_json(self) -> dict:
        """A dictionary that `json` can write and `from_json` can read."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "words": self.words,
            "counts": self.counts.tolist(),
        }

    @classmethod
    def from_json(cls, record: dict) -> "Vocabulary":
        """The vocabulary that `to_json` wrote down.

        Raises: ValueError where the record is no vocabulary, damaged, or of a newer version.
        """
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise ValueError(f"this is not a vocabulary: its format should be {FORMAT!r}")
        version = record.get("version")
        if version != VERSION:
            raise ValueError(
                f"this vocabulary has version {version!r}, this package reads {VERSION}"
            )
        words, counts = record.get("words"), record.get("counts")
        if not isinstance(words, list) or not isinstance(counts, list):
            raise ValueError("this vocabulary is damaged: it needs the lists 'words' and 'counts'")
        try:
            return cls(words, counts)
        except TypeError as error:
            raise ValueError(f"this vocabulary is damaged: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write a JSON file, whole or not at all."""
        with whole_file(path) as file:
            file.write_text(json.dumps(self.to_json(), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Vocabulary":
        """Read what `save` wrote.

        Raises: FileNotFoundError where there is no file; ValueError, naming the file, where it
        is no vocabulary or damaged.
        """
        text = _read(Path(path))
        try:
            return cls.from_json(json.loads(text))
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{path} is no JSON file, or it is damaged: {error}") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _read(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: Vocabulary.save writes one")
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not the file of a vocabulary")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text, so it is no vocabulary: {error}") from error


def each_caption(captions: Iterable) -> Iterator[str]:
    """The captions in a list of strings, or in lists of lists of them.

    Raises: TypeError for one string, whose letters would be taken for captions.
    """
    if isinstance(captions, str):
        raise TypeError("captions should be a list of strings, got one string")
    for entry in captions:
        if isinstance(entry, str):
            yield entry
        else:
            yield from each_caption(entry)


def _check_words(words: list) -> None:
    if tuple(words[:4]) != SPECIALS:
        raise ValueError(f"a vocabulary begins with {', '.join(SPECIALS)}, not with {words[:4]}")
    for word in words:
        if not isinstance(word, str) or word.split() != [word]:
            raise ValueError(f"{word!r} is no word: a word is text without blanks")
    twice = [word for word, times in Counter(words).items() if times > 1]
    if twice:
        raise ValueError(f"a word may stand in a vocabulary once, but {twice[0]!r} is there twice")


def _checked_counts(counts: Sequence[int], size: int) -> np.ndarray:
    numbers = [operator.index(count) for count in counts]
    if len(numbers) != size:
        raise ValueError(f"there are {size} words but {len(numbers)} counts")
    for number in numbers:
        if not 0 <= number < 1 << 63:
            raise ValueError(f"{number} is no count: a count is 0 or more, and below 2**63")
    return np.array(numbers, dtype=np.int64)
