"""What a captioner is worth on held-out pictures: by generation, never teacher-forced captions."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from cs_caption.data.vocabulary import Vocabulary
from cs_caption.decoding import Hypothesis, beam_search, sample
from cs_caption.metrics import (
    ObjectScore,
    PointingScore,
    bleu,
    cider_d,
    meteor,
    object_score,
    pointing_score,
    rouge_l,
    scene_objects,
)
from cs_caption.metrics.bleu import bleu_from_rows, bleu_rows
from cs_caption.metrics.objects import BINS, f1_from_rows
from cs_caption.metrics.pointing import rows_by_picture
from cs_caption.metrics.score import check_references
from cs_caption.metrics.statistics import (
    auc,
    bootstrap_interval,
    interval,
    mean_from_sums,
)

BATCH = 32  # pictures at once: five captions each of them attend to the grid together

Report = Callable[[str], Any]


@dataclass(frozen=True)
class Sentence:
    """A decoded caption: its words (<END> last where it was reached) and what each one cost."""

    text: str
    words: tuple[str, ...]
    log_probs: tuple[float, ...]
    log_prob: float

    @property
    def per_word(self) -> float:
        """Mean log-probability of a word, <END> included."""
        return self.log_prob / len(self.log_probs)


@dataclass(frozen=True, eq=False)
class PictureResult:
    """One picture's n-best, best first, and what was found about the best one.

    attention (T, L) float16 holds the weights with which each word of the best caption was said,
    None for a model without attention; bin is None where the truth is not known.
    """

    id: str
    sentences: tuple[Sentence, ...]
    nats: float
    tokens: int
    attention: np.ndarray | None = None
    bin: str | None = None

    @property
    def caption(self) -> str:
        return self.sentences[0].text


@dataclass(frozen=True)
class Measures:
    """One line of the table of figures: a model, a baseline, or people.

    references says how many captions of each picture each candidate is compared with; what was
    not measured is None. nats_per_token is the cost of the references, the rest is about
    the captions. ROUGE-L and METEOR (exact and stem) are measured of the evaluated model alone.
    """

    name: str
    references: int
    bleu: tuple[float, ...]
    cider_d: float
    nats_per_token: float | None = None
    object_f1: float | None = None
    exact_set: float | None = None
    hallucination: float | None = None
    note: str = ""
    rouge_l: float | None = None
    meteor_es: float | None = None


@dataclass(frozen=True)
class Bar:
    """A figure that has to reach a bound, and its 95% bounds where these are known."""

    name: str
    value: float | None
    least: float
    interval: tuple[float, float] | None = None

    @property
    def met(self) -> bool:
        return self.value is not None and self.value >= self.least


@dataclass(frozen=True)
class Calibration:
    """How well a caption's log-probability foretells that it names every object rightly.

    Each is the chance that a caption of bin "all" scores above one of the other bins: by its whole
    log-probability, the same among pictures with as many objects (more objects make longer,
    costlier captions), by the mean of its words, by its least probable word. None where there is
    no pair to compare.
    """

    total: float | None
    as_many_objects: float | None
    per_word: float | None
    least_word: float | None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that `evaluate` found. intervals holds 95% bootstrap bounds over pictures by name."""

    measures: Measures
    beam: int
    intervals: dict[str, tuple[float, float]]
    results: tuple[PictureResult, ...]
    objects: ObjectScore | None
    pointing: PointingScore | None
    calibration: Calibration | None
    seconds: float

    @property
    def bins(self) -> dict[str, int]:
        """How many pictures each bin of the truth holds."""
        return {name: sum(r.bin == name for r in self.results) for name in BINS}

    def to_json(self) -> dict:
        """The figures, without the pictures' own results."""
        pointing = self.pointing and {
            name: getattr(self.pointing, name)
            for name in ("accuracy", "centre", "uniform", "random_object", "counted", "skipped")
        }
        return {
            "pictures": len(self.results),
            "beam": self.beam,
            **asdict(self.measures),
            "pointing": pointing,
            "bins": self.bins if self.objects else None,
            "log_prob_auc": self.calibration and asdict(self.calibration),
            "intervals": {name: list(bounds) for name, bounds in self.intervals.items()},
            "seconds": round(self.seconds, 2),
        }


def evaluate(
    trained: Any,
    data: Any,
    *,
    beam: int = 5,
    max_len: int = 30,
    keep_attention: bool = True,
    report: Report | None = print,
) -> Evaluation:
    """Caption the pictures of `data` and score what comes out.

    trained has .model (a Captioner) and .vocabulary; data is a Scenes or a CaptionedImages. One
    caption a picture, the best of the beam; nats/token is teacher-forced, over all references.
    Objects and pointing need the truth: with anything but Scenes they are None.
    keep_attention=False saves 128 bytes a word on large sets, once pointing is scored.

    Raises: ValueError where data is empty or a picture has no caption.
    """
    began = time.monotonic()
    references = _references(data)
    report = report or (lambda line: None)
    report(f"scoring the {sum(map(len, references)):,} references of {len(data):,} pictures")
    costs = reference_costs(trained, data.images, references)
    found = decode(trained, data.images, beam=beam, max_len=max_len, report=report)
    captions = [sentences[0].text for sentences in found]
    maps = attention_of(trained, data.images, captions)
    objects, pointing = _against_truth(data, captions, maps)
    results = tuple(
        PictureResult(
            id=data.ids[i],
            sentences=sentences,
            nats=float(costs[i, 0]),
            tokens=int(costs[i, 1]),
            attention=maps[i].astype(np.float16) if maps and keep_attention else None,
            bin=objects and objects.bins[i],
        )
        for i, sentences in enumerate(found)
    )
    return Evaluation(
        measures=replace(
            measure("model", captions, references, objects=objects, costs=costs),
            rouge_l=rouge_l(captions, references).corpus,
            meteor_es=_meteor_es(captions, references),
        ),
        beam=beam,
        intervals=_intervals(captions, references, costs, objects, pointing),
        results=results,
        objects=objects,
        pointing=pointing,
        calibration=_calibration([n_best[0] for n_best in found], objects) if objects else None,
        seconds=time.monotonic() - began,
    )


def measure(
    name: str,
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    objects: ObjectScore | None = None,
    costs: np.ndarray | None = None,
    note: str = "",
) -> Measures:
    """The figures of captions (N) from any source; costs (N, 2) holds nats and tokens."""
    nats = None if costs is None else float(costs[:, 0].sum() / costs[:, 1].sum())
    return Measures(
        name=name,
        references=min(map(len, references)),
        bleu=tuple(order.corpus for order in bleu(candidates, references).by_order),
        cider_d=cider_d(candidates, references).corpus,
        nats_per_token=nats,
        object_f1=objects and objects.f1,
        exact_set=objects and objects.exact,
        hallucination=objects and objects.hallucination,
        note=note,
    )


def truth_of(data: Any) -> list[tuple] | None:
    """The objects of each picture where they are known (Scenes), else None."""
    return [scene.objects for scene in data] if hasattr(data[0], "objects") else None


def reference_costs(
    trained: Any, images: np.ndarray, references: Sequence[Sequence[str]]
) -> np.ndarray:
    """Nats and tokens of each picture's references together, teacher-forced: (N, 2).

    A token is a word or <END>; <START> and the padding cost nothing.
    """
    with _asking(trained.model) as model:
        batches = [
            _costs(model, trained.vocabulary, images[rows], references[rows])
            for rows in _batches(len(images))
        ]
    return np.concatenate(batches)


def decode(
    trained: Any,
    images: np.ndarray,
    *,
    beam: int = 5,
    max_len: int = 30,
    report: Report | None = None,
    **search: Any,
) -> list[tuple[Sentence, ...]]:
    """The n-best sentences of each picture (N, H, W, 3), best first.

    `search` are more settings of `decoding.beam_search`, the same ones for every picture.
    """
    found: list[tuple[Sentence, ...]] = []
    with _asking(trained.model) as model:
        for rows in _batches(len(images)):
            step, state = model.speaker(images[rows])
            n_best = beam_search(
                step,
                state,
                beam=beam,
                max_len=max_len,
                start=Vocabulary.START,
                end=Vocabulary.END,
                **search,
            )
            found += [tuple(_sentence(h, trained.vocabulary) for h in beams) for beams in n_best]
            if report and (len(found) % (8 * BATCH) == 0 or len(found) == len(images)):
                report(f"captioned {len(found):,} of {len(images):,} pictures")
    return found


def draw(
    trained: Any,
    images: np.ndarray,
    *,
    times: int = 1,
    max_len: int = 30,
    seed: int = 0,
    **how: Any,
) -> list[tuple[Sentence, ...]]:
    """Sentences drawn for each picture (N, H, W, 3), `times` of them, the most probable first.

    `how` are more settings of `decoding.sample`. What is drawn for a picture depends on the seed
    and on the pictures before it.
    """
    found: list[tuple[Sentence, ...]] = []
    generator = torch.Generator().manual_seed(seed)
    with _asking(trained.model) as model:
        for rows in _batches(len(images)):
            some = np.repeat(images[rows], times, axis=0)
            step, state = model.speaker(some)
            drawn = sample(
                step,
                state,
                max_len=max_len,
                start=Vocabulary.START,
                end=Vocabulary.END,
                generator=generator,
                **how,
            )
            for first in range(0, len(drawn), times):
                best = sorted(drawn[first : first + times], key=lambda h: -h.log_prob)
                found.append(tuple(_sentence(h, trained.vocabulary) for h in best))
    return found


def attention_of(
    trained: Any, images: np.ndarray, captions: Sequence[str]
) -> list[np.ndarray] | None:
    """The weights (T, L) with which each word of captions[i] is said; None without attention."""
    if not trained.model.config.attends:
        return None
    found: list[np.ndarray] = []
    with _asking(trained.model) as model:
        for rows in _batches(len(images)):
            tokens = trained.vocabulary.encode_batch(captions[rows])
            tokens = torch.as_tensor(tokens[:, :-1], device=model.device)
            maps = model.attention_maps(images[rows], tokens).float().cpu().numpy()
            lengths = (len(caption.split()) for caption in captions[rows])
            found += [one[:length] for one, length in zip(maps, lengths, strict=True)]
    return found


def pooled_features(model: Any, images: np.ndarray) -> np.ndarray:
    """Mean and maximum over the grid of what the encoder sees: (N, H, W, 3) -> (N, 2 C)."""
    with _asking(model):
        grids = (model.encode(images[rows]) for rows in _batches(len(images)))
        pooled = [torch.cat([grid.mean(1), grid.amax(1)], 1).float().cpu() for grid in grids]
    return torch.cat(pooled).numpy()


# One batch, one sentence.


@contextmanager
def _asking(model: Any) -> Iterator[Any]:
    """The model in evaluation mode, without gradients; afterwards as it was."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield model
    finally:
        model.train(training)


def _batches(n: int) -> Iterator[slice]:
    return (slice(first, min(first + BATCH, n)) for first in range(0, n, BATCH))


def _costs(
    model: Any, vocabulary: Any, images: np.ndarray, references: Sequence[Sequence[str]]
) -> np.ndarray:
    tokens = vocabulary.encode_batch([caption for captions in references for caption in captions])
    tokens = torch.as_tensor(tokens, device=model.device)
    of = np.repeat(np.arange(len(references)), [len(captions) for captions in references])
    logits = model(images, tokens[:, :-1], of=torch.as_tensor(of, device=model.device))
    target = tokens[:, 1:]
    nats = cross_entropy(logits.mT.float(), target, ignore_index=Vocabulary.NULL, reduction="none")
    columns = (nats.double().sum(1).cpu().numpy(), (target != Vocabulary.NULL).sum(1).cpu().numpy())
    return np.stack([np.bincount(of, column) for column in columns], axis=1)


def _sentence(hypothesis: Hypothesis, vocabulary: Any) -> Sentence:
    words = tuple(vocabulary.words[token] for token in hypothesis.tokens)
    text = vocabulary.decode(hypothesis.tokens)
    return Sentence(text, words, hypothesis.log_probs, hypothesis.log_prob)


def _meteor_es(captions: list[str], references: list[list[str]]) -> float | None:
    """None where the stemmer is missing: no reason to lose all the other figures."""
    try:
        return meteor(captions, references).corpus
    except ModuleNotFoundError:
        return None


def _references(data: Any) -> list[list[str]]:
    if not len(data):
        raise ValueError("there is no picture to evaluate on: data is empty")
    return check_references(data.captions)


# What is known only of the built-in scenes.


def _against_truth(
    data: Any, captions: list[str], maps: list[np.ndarray] | None
) -> tuple[ObjectScore | None, PointingScore | None]:
    truth = truth_of(data)
    if truth is None:
        return None, None
    objects = object_score(captions, [scene_objects(here) for here in truth])
    return objects, maps and pointing_score(captions, maps, truth)


def _calibration(best: Sequence[Sentence], objects: ObjectScore) -> Calibration:
    right = np.array([name == "all" for name in objects.bins])
    total = [sentence.log_prob for sentence in best]
    return Calibration(
        total=auc(total, right),
        as_many_objects=auc(total, right, among=objects.rows[:, 2]),
        per_word=auc([sentence.per_word for sentence in best], right),
        least_word=auc([min(sentence.log_probs) for sentence in best], right),
    )


def _intervals(
    captions: list[str],
    references: list[list[str]],
    costs: np.ndarray,
    objects: ObjectScore | None,
    pointing: PointingScore | None,
) -> dict[str, tuple[float, float]]:
    """Bounds by the name of the figure; CIDEr-D's keep the document frequencies as they are."""
    found = {
        "nats_per_token": bootstrap_interval(costs, mean_from_sums),
        "bleu_4": bootstrap_interval(
            bleu_rows(captions, references), lambda sums: bleu_from_rows(sums)[:, -1]
        ),
        "cider_d": interval(cider_d(captions, references).per_item),
    }
    if objects:
        exact = np.array([name == "all" for name in objects.bins])
        found["object_f1"] = bootstrap_interval(objects.rows, f1_from_rows)
        found["exact_set"] = interval(exact)
    if pointing and pointing.counted:
        rows = rows_by_picture(pointing, len(captions))
        found["pointing"] = bootstrap_interval(rows, mean_from_sums)
    return found
