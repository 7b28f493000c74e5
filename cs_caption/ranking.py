"""Pictures for a sentence, sentences for a picture, and which word found what where.

v = regions_of(ranking, images)                          # once
for match in search(ranking, v, "a red star above a blue square"):
    match.item, match.score, match.words, match.word_scores, match.regions
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cs_caption.checkpoint import Trained
from cs_caption.data.captioned import CaptionedImages
from cs_caption.data.scenes import Scenes
from cs_caption.data.tokens import tokenise
from cs_caption.data.vocabulary import Vocabulary
from cs_caption.features import Featured
from cs_caption.metrics.pointing import PointingScore, pointing_score
from cs_caption.metrics.retrieval import RetrievalScore, retrieval_score
from cs_caption.models.alignment import smooth_alignment
from cs_caption.models.ranking import scores_in_blocks, word_scores

BATCH = 64
TELL_EVERY = 500  # pictures

Data = CaptionedImages | Scenes | Featured
Report = Callable[[str], Any]


@dataclass(frozen=True, eq=False)
class Match:
    """A sentence and a picture, by their numbers among those given, and what each word found.

    rank 1 is the best; score is the sum of word_scores (T,): of each word's best region. regions
    (T,) are those, or with smoothing others, whose scores are word_scores then.
    """

    sentence: int
    item: int
    rank: int
    score: float
    words: tuple[str, ...]
    word_scores: np.ndarray
    regions: np.ndarray


@dataclass(frozen=True)
class Sentences:
    """Sentences as numbers: tokens (M, T) int64 with no <START> and <END>, and their words.

    unknown has, for each, the words that the model does not know; they count as <UNK>.
    """

    tokens: Tensor
    words: tuple[tuple[str, ...], ...]
    unknown: tuple[tuple[str, ...], ...]

    @property
    def real(self) -> Tensor:
        return self.tokens != Vocabulary.NULL


def encode_sentences(vocabulary: Vocabulary, sentences: Sequence[str]) -> Sentences:
    """Sentences as people type them -> numbers.

    Raises: TypeError for one string in the place of several; ValueError for a sentence without a
    word.
    """
    if isinstance(sentences, str):
        raise TypeError(f"sentences is a bare string, {sentences!r:.60}: put it in a list")
    words = tuple(tuple(tokenise(sentence).split()) for sentence in sentences)
    known = set(vocabulary.words)
    unknown = tuple(tuple(word for word in some if word not in known) for some in words)
    for sentence, some in zip(sentences, words, strict=True):
        if not some:
            raise ValueError(f"the sentence {sentence!r} has no word in it")
    tokens = vocabulary.encode_batch([" ".join(some) for some in words])[:, 1:-1]
    tokens[tokens == Vocabulary.END] = Vocabulary.NULL
    return Sentences(torch.from_numpy(tokens), words, unknown)


def check_known(vocabulary: Vocabulary, sentences: Sentences) -> None:
    """Raise ValueError for a sentence of which the model knows no word."""
    for words, strange in zip(sentences.words, sentences.unknown, strict=True):
        if len(strange) == len(words):
            raise ValueError(
                f"the model knows none of the words of {' '.join(words)!r}: say it with others, as "
                f"{', '.join(_usual(vocabulary))}"
            )


def _usual(vocabulary: Vocabulary, count: int = 8) -> list[str]:
    """The most frequent words of four letters or more: those that name something."""
    order = np.argsort(-np.asarray(vocabulary.counts), kind="stable")
    named = (vocabulary.words[i] for i in order if len(vocabulary.words[i]) > 3)
    return [word for word, _ in zip((w for w in named if w[0] != "<"), range(count), strict=False)]


@torch.no_grad()
def regions_of(trained: Trained, images: Any, report: Report | None = None) -> Tensor:
    """The regions' vectors v (N, L, D) of pictures, or of a frozen encoder's features."""
    trained.model.eval()
    found = []
    for start in range(0, len(images), BATCH):
        found.append(trained.model.regions(images[start : start + BATCH]))
        done = min(start + BATCH, len(images))
        if (
            report
            and len(images) > TELL_EVERY
            and (start // BATCH % 16 == 15 or done == len(images))
        ):
            report(f"looked at {done:,} of {len(images):,} pictures")
    return torch.cat(found)


@torch.no_grad()
def words_of(trained: Trained, sentences: Sentences) -> Tensor:
    """The words' vectors s (M, T, D)."""
    trained.model.eval()
    parts = sentences.tokens.to(trained.model.device).split(256)
    return torch.cat([trained.model.words(part) for part in parts])


def all_scores(trained: Trained, v: Tensor, sentences: Sentences) -> np.ndarray:
    """S_kl of every picture with every sentence, float32 (N, M), in blocks of a few megabytes."""
    return scores_in_blocks(v, words_of(trained, sentences), sentences.real.to(v.device))


def search(
    trained: Trained, v: Tensor, sentences: Sequence[str], *, top: int = 5, beta: float = 0.0
) -> list[list[Match]]:
    """The `top` pictures for each sentence, the best first; of equal ones the earlier.

    With `beta` above 0 neighbouring words like to share a region (`smooth_alignment`); the order of
    the pictures stays that of the plain scores.

    Raises: as `encode_sentences` and `check_known`; ValueError for a `top` that is no number of
    pictures.
    """
    encoded = encode_sentences(trained.vocabulary, sentences)
    check_known(trained.vocabulary, encoded)
    return search_encoded(trained, v, encoded, top, beta)


def search_encoded(
    trained: Trained, v: Tensor, sentences: Sentences, top: int = 5, beta: float = 0.0
) -> list[list[Match]]:
    """`search` for sentences that are numbers already, unknown words and all."""
    if not 1 <= top <= len(v):
        raise ValueError(f"top is {top}: expected 1 to {len(v)}, the number of pictures")
    s = words_of(trained, sentences)
    scores = scores_in_blocks(v, s, sentences.real.to(v.device))
    found = []
    for m in range(len(s)):
        order = np.argsort(-scores[:, m], kind="stable")[:top]
        ranked = enumerate(order.tolist(), start=1)
        found.append([match(v, s, sentences, m, n, rank, scores, beta) for rank, n in ranked])
    return found


def match(
    v: Tensor,
    s: Tensor,
    sentences: Sentences,
    m: int,
    n: int,
    rank: int,
    scores: np.ndarray,
    beta: float = 0.0,
) -> Match:
    """What the words of sentence m found in picture n."""
    words = sentences.words[m]
    each = word_scores(v[n], s[m, : len(words)])  # (L, T)
    regions = smooth_alignment(each, beta)
    chosen = each[regions, np.arange(len(words))]
    return Match(m, n, rank, float(scores[n, m]), words, chosen, regions)


def tell(scores: np.ndarray, *, top: int = 5) -> np.ndarray:
    """The numbers of each picture's `top` sentences, the best first: (N, M) -> int64 (N, top)."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :top]


@dataclass(frozen=True)
class Ranked:
    """How well pictures are found for sentences, and sentences for pictures."""

    to_image: RetrievalScore
    to_sentence: RetrievalScore

    @property
    def pictures(self) -> int:
        return len(self.to_sentence.ranks)

    @property
    def sentences(self) -> int:
        return len(self.to_image.ranks)

    def to_json(self) -> dict:
        """R@1, R@5, R@10 and the median rank, both ways."""
        return {
            way: {name: getattr(score, name) for name in ("r1", "r5", "r10", "median")}
            for way, score in (("to_image", self.to_image), ("to_sentence", self.to_sentence))
        }


def ranked(scores: np.ndarray, of: Sequence[int], ties: str = "against") -> Ranked:
    """Judge scores (N, M); sentence m describes picture of[m], and no other.

    A picture has several sentences, of which the best is enough.
    """
    own: list[list[int]] = [[] for _ in range(len(scores))]
    for sentence, picture in enumerate(of):
        own[picture].append(sentence)
    return Ranked(
        retrieval_score(scores.T, list(of), ties=ties), retrieval_score(scores, own, ties=ties)
    )


def measure(trained: Trained, data: Data, report: Report | None = None) -> Ranked:
    """Rank all pictures of `data` for each of its sentences, and all sentences for each picture."""
    captions = [caption for some in data.captions for caption in some]
    of = [picture for picture, some in enumerate(data.captions) for _ in some]
    v = regions_of(trained, data.images, report)
    sentences = encode_sentences(trained.vocabulary, captions)
    return ranked(all_scores(trained, v, sentences), of)


def grounding(
    trained: Trained, v: Tensor, captions: Sequence[str], objects: Sequence, beta: float = 0.0
) -> PointingScore:
    """Do the nouns of captions choose regions on what they name? By the strict rule of 06.

    captions[i] describes picture i, whose regions are v[i] and whose objects are objects[i].
    """
    eye = np.eye(v.shape[1], dtype=np.float32)
    maps = [eye[regions] for regions in alignments(trained, v, captions, beta)]
    return pointing_score(captions, maps, objects)


def alignments(
    trained: Trained, v: Tensor, captions: Sequence[str], beta: float = 0.0
) -> list[np.ndarray]:
    """The region (T,) of each word of captions, of which captions[i] describes picture i."""
    sentences = encode_sentences(trained.vocabulary, captions)
    s = words_of(trained, sentences)
    return [
        smooth_alignment(word_scores(v[m], s[m, : len(words)]), beta)
        for m, words in enumerate(sentences.words)
    ]
