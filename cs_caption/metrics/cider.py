"""CIDEr-D, as pycocoevalcap 1.2 computes what it prints as "CIDEr"."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cs_caption.files import whole_file
from cs_caption.metrics.ngrams import GramCounts, Joined, count_grams, join, read_words
from cs_caption.metrics.score import Score, check_captions, check_references

_MAX_N, _SIGMA = 4, 6.0


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
        words = read_words([caption for captions in references for caption in captions])
        item = np.repeat(np.arange(len(references)), [len(captions) for captions in references])
        counts = {}
        for grams in count_grams(words, item, _MAX_N):
            counts.update(zip(grams.texts(words), grams.items_with().tolist(), strict=True))
        return cls(len(references), counts)

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


_KIND = "cs_caption document frequencies"


def cider_d(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    df: DocumentFrequency | None = None,
) -> Score:
    """CIDEr-D of candidates (N) against references (N lists), already tokenised; from 0 to 10.

    Papers print it times 100 or times 10: 0.88 in a paper is 0.88 here, which is 88 elsewhere. The
    corpus figure is the mean of per_item (N,). An n-gram's weight is its count times
    log(N / pictures whose references have it), with N and the pictures taken from the references
    given, or from `df`. One picture by itself therefore scores 0: give it a `df`. Where all
    references are empty the reference code fails; here every score is 0.

    Raises: TypeError or ValueError, naming the item, as `score.check_captions`; TypeError where df
    is no DocumentFrequency.
    Source: Vedantam et al. 2015, section 5.1 and equations 1-3 with the clipping and length
    penalty of CIDEr-D (there in appendix); pycocoevalcap 1.2.
    """
    if df is not None and not isinstance(df, DocumentFrequency):
        raise TypeError(
            f"df is {df!r:.60}; expected None or a DocumentFrequency: make one with "
            "DocumentFrequency.of(references)"
        )
    candidates, references = check_captions(candidates, references)
    joined = join(candidates, references)
    similarity = sum(_similarity(grams, joined, df) for grams in joined.grams(_MAX_N)) / _MAX_N
    similarity *= _length_penalty(joined)
    total = np.bincount(joined.item, similarity)
    per_item = 10 * total / (np.bincount(joined.item) - 1)
    return Score(float(per_item.mean()), per_item)


def _similarity(grams: GramCounts, joined: Joined, df: DocumentFrequency | None) -> np.ndarray:
    """Clipped cosine of each caption with the candidate of its item, 0 for candidates: (S,)."""
    captions = len(joined.item)
    idf = _idf(grams, joined, df)[grams.gram][grams.group]
    weight = grams.count * idf
    candidate_weight = joined.candidate_count(grams)[grams.group] * idf
    dot = np.bincount(grams.caption, np.minimum(candidate_weight, weight) * weight, captions)
    norm = np.sqrt(np.bincount(grams.caption, weight * weight, captions))
    norms = norm * norm[joined.candidate][joined.item]
    usable = ~joined.is_candidate & (norms > 0)
    return np.divide(dot, norms, out=np.zeros(captions), where=usable)


def _idf(grams: GramCounts, joined: Joined, df: DocumentFrequency | None) -> np.ndarray:
    if df is not None:
        pictures = [df.counts.get(text, 0) for text in grams.texts(joined.words)]
        return np.log(df.pictures) - np.log(np.maximum(pictures, 1))
    references = ~joined.is_candidate[grams.caption]
    in_references = np.bincount(grams.group, references, len(grams.first)) > 0
    pictures = np.bincount(grams.gram, in_references, len(grams.where))
    return np.log(len(joined.candidate)) - np.log(np.maximum(pictures, 1))


def _length_penalty(joined: Joined) -> np.ndarray:
    # The reference code counts bigrams, one less than words on both sides: the same difference,
    # but for empty captions, which score 0 anyway.
    lengths = joined.words.lengths
    difference = lengths - lengths[joined.candidate][joined.item]
    return np.exp(-(difference**2) / (2 * _SIGMA**2))
