"""Document frequencies: in how many pictures of a corpus an n-gram occurs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cs_caption.files import whole_file
from cs_caption.metrics.ngrams import GramCounts, group, read_words
from cs_caption.metrics.score import check_references

MAX_N = 4  # CIDEr looks at n-grams of 1 to 4 words
_KIND = "cs_caption document frequencies"


@dataclass(frozen=True, eq=False, repr=False)
class DocumentFrequency:
    """In how many pictures of a corpus an n-gram occurs in some reference.

    counts maps an n-gram, its words joined with blanks, to that number. With one of these a single
    picture can be scored, and figures of different sets can be compared.
    """

    pictures: int
    counts: dict[str, int]

    @classmethod
    def of(cls, references: Sequence[Sequence[str]]) -> "DocumentFrequency":
        """Count the n-grams (orders 1 to 4) of references, N lists of tokenised captions."""
        references = check_references(references)
        if not references:
            raise ValueError("references is empty: there is no corpus to count")
        grams = GramCounts(read_words([one for captions in references for one in captions]))
        sizes = [len(captions) for captions in references]
        counts = {}
        for n in range(1, MAX_N + 1):
            pictures = np.bincount(group(grams.order(n), sizes).gram)
            texts = grams.texts(n, np.arange(len(pictures)))
            counts.update(zip(texts, pictures.tolist(), strict=True))
        return cls(len(references), counts)

    def weights(self, grams: Sequence[str]) -> np.ndarray:
        """log(pictures / count) of n-grams (K,), an unknown one counted as 1: (K,)."""
        counts = [self.counts.get(gram, 1) for gram in grams]
        return np.log(self.pictures) - np.log(np.maximum(counts, 1))

    def save(self, path: str | Path) -> None:
        """Write to a JSON file, whole or not at all."""
        record = {"kind": _KIND, "pictures": self.pictures, "counts": self.counts}
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "DocumentFrequency":
        """Read what `save` wrote. Raises: OSError; ValueError where it is something else."""
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
            if record["kind"] != _KIND:
                raise KeyError(record["kind"])
            pictures, counts = record["pictures"], record["counts"]
            if type(pictures) is not int or pictures < 1:
                raise ValueError(f"pictures is {pictures!r}")
            if not all(type(c) is int and 1 <= c <= pictures for c in counts.values()):
                raise ValueError(f"a count is no whole number from 1 to {pictures}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} holds no document frequencies ({error}): make it with "
                "DocumentFrequency.of(references).save(path)"
            ) from error
        return cls(pictures, counts)

    def __repr__(self) -> str:
        return f"DocumentFrequency({len(self.counts)} n-grams of {self.pictures} pictures)"
