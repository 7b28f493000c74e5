"""What the runs of studies share: scenes, words, what a frozen encoder sees of them, a judge."""

import math
import time
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch

from cs_caption.checkpoint import Trained
from cs_caption.data import Scenes, Vocabulary
from cs_caption.data.raster import SIZE
from cs_caption.evaluation import evaluate
from cs_caption.features import Featured
from cs_caption.models import Captioner, CaptionerConfig
from cs_caption.models.encoder import Encoder
from cs_caption.models.weights import load_encoder_weights
from cs_caption.objectives import Model
from cs_caption.pipeline import new_captioner
from cs_caption.ready_made import MIN_COUNT, ready_made
from cs_caption.studies.record import Figure
from cs_caption.studies.study import Budget
from cs_caption.training import TrainConfig, held_out_loss, train

PERPLEXITY = Figure("perplexity", "lower")
SENTENCES = (
    Figure("object F1", "higher"),
    Figure("exact set", "higher"),
    Figure("BLEU-4", "higher", drawn=False),
    Figure("CIDEr-D", "higher", drawn=False),
)
SHUFFLED = Figure("nats that shuffling costs", "higher")
SECONDS = Figure("seconds of training", "lower", drawn=False)

BATCH = 256


@lru_cache(maxsize=4)
def scenes(split: str, n: int, level: str) -> Scenes:
    return Scenes(split, n, level)


@lru_cache(maxsize=4)
def vocabulary_of(n: int, level: str, min_count: int = 1) -> Vocabulary:
    """The words of the first `n` training pictures' captions."""
    return Vocabulary.build(scenes("train", n, level).captions, min_count)


@lru_cache(maxsize=1)
def convnet() -> Encoder:
    """The pretrained convnet."""
    with torch.random.fork_rng(devices=[]):
        encoder = Encoder(SIZE, CaptionerConfig.channels)
    load_encoder_weights(encoder, "scenes")
    return encoder.eval()


def eyes(level: str) -> Encoder:
    """A convnet that knows the scenes of a level: of rich ones the ready-made captioner's."""
    return ready_made("rich").model.encoder if level == "rich" else convnet()


@lru_cache(maxsize=2)
def seen(split: str, n: int, level: str) -> Featured:
    """What `eyes` make of scenes."""
    return seen_by(eyes(level), scenes(split, n, level))


def usual_words(budget: Budget) -> Vocabulary:
    """The words of the training pictures, of rich ones without the rare."""
    rare = MIN_COUNT if budget.level == "rich" else 1
    return vocabulary_of(budget.pictures, budget.level, rare)


def seeing(vocabulary: Vocabulary, seed: int, frozen: bool = True, **shape) -> Captioner:
    """A captioner without attention whose convnet is the pretrained one."""
    return new_captioner(vocabulary, seed, "scenes", attention=False, frozen=frozen, **shape)


@lru_cache(maxsize=4)
def features(split: str, n: int, level: str) -> Featured:
    """What `convnet` makes of scenes."""
    return seen_by(convnet(), scenes(split, n, level))


def seen_by(encoder: Encoder, data: Scenes) -> Featured:
    """What an encoder makes of scenes."""
    images = torch.from_numpy(data.images)
    with torch.inference_mode():
        grids = [encoder(batch).half() for batch in images.split(BATCH)]
    return Featured(torch.cat(grids).numpy(), data)


def learning_from(budget: Budget) -> Featured:
    return features("train", budget.pictures, budget.level)


def held_out(budget: Budget) -> Featured:
    return features("val", budget.held_out, budget.level)


def train_on(
    data: Featured | Scenes,
    model: Model,
    vocabulary: Vocabulary,
    budget: Budget,
    seed: int,
    **how,
) -> tuple[list[dict], float]:
    """Train within the budget; `how` are more fields of TrainConfig. History, and CPU seconds."""
    config = TrainConfig(
        **{
            "steps": budget.steps,
            "batch": budget.batch,
            "captions": budget.captions,
            "lr": budget.lr,
            "warmup": budget.warmup,
            "seed": seed,
            "device": "cpu",
            **how,
        }
    )
    start = time.process_time()
    history = train(model, vocabulary, data, config, report=None)
    return history, time.process_time() - start


def perplexity_on(model: Captioner, vocabulary: Vocabulary, data: Featured | Scenes) -> float:
    return math.exp(held_out_loss(model, vocabulary, data))


def judged(
    model: Captioner, vocabulary: Vocabulary, data: Featured | Scenes
) -> Mapping[str, float]:
    """Perplexity of the references, and what greedy captions are worth."""
    found = evaluate(Trained(model, vocabulary), data, beam=1, report=None).measures
    return {
        "perplexity": math.exp(found.nats_per_token),
        "object F1": found.object_f1,
        "exact set": found.exact_set,
        "BLEU-4": found.bleu[-1],
        "CIDEr-D": found.cider_d,
    }


def shuffled(data: Featured) -> Featured:
    """Each caption with the picture of the one before it."""
    return Featured(np.roll(data.images, 1, axis=0), data.data)
