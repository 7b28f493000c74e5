"""How far REINFORCE's estimates stray from the gradient that they are estimates of.

A captioner with hard attention looks at 3 x 3 cells and says four words: there are 9 ** 4 ways to
look, so few that all of them can be gone through. Sums over them give the exact gradient.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cs_caption.data import CaptionedImages, Vocabulary
from cs_caption.data.records import Scene
from cs_caption.features import Featured
from cs_caption.losses import reinforce, word_nats
from cs_caption.models import Captioner, CaptionerConfig
from cs_caption.models.attention import blend, log_prob_of, one_hot
from cs_caption.models.captioner import Reading, State
from cs_caption.models.encoder import SHRINK
from cs_caption.studies import material
from cs_caption.studies.record import Figure
from cs_caption.studies.study import Budget, Found, Study
from cs_caption.training import TrainConfig

SIDE, WORDS = 3, 4
TWO = 2  # objects, each named by its colour and its shape
ESTIMATES = 2  # for each step of the training


@dataclass(frozen=True)
class Way:
    """How a gradient is estimated from one draw of looks for each caption.

    With `baseline` the moving mean of the rewards before is subtracted from each. A look is paid
    for the whole caption, or with `onward` for the words from its own on. Captions are read softly,
    with no draw, with probability `softly`.
    """

    baseline: bool = False
    onward: bool = False
    softly: float = 0.0


WAYS = {
    "no baseline": Way(),
    "baseline": Way(baseline=True),
    "no baseline, onward": Way(onward=True),
    "baseline, onward": Way(baseline=True, onward=True),
    "baseline, half softly": Way(baseline=True, softly=0.5),
}


class Captions(NamedTuple):
    """M captions of equal length: grids (M, L, C), words said before (M, T) and next (M, T)."""

    grids: Tensor
    said: Tensor
    targets: Tensor


class Told(Captioner):
    """A captioner that can be told where to look. Its captions all have the same length."""

    told: Iterator[Tensor] | None = None

    def read_along(self, paths: Tensor, captions: Captions, of: Tensor) -> Reading:
        """Read caption `of[r]` while looking at the cells of `paths` (R, T), which were "drawn"."""
        self.told = iter(paths.unbind(dim=1))
        try:
            return self.read(captions.grids, captions.said[of], of)
        finally:
            self.told = None

    def _look(self, alpha: Tensor, state: State) -> tuple[Tensor, Tensor]:
        if self.told is None:
            return super()._look(alpha, state)
        cells = next(self.told)
        return blend(one_hot(cells, alpha), state["grid"]), log_prob_of(alpha, cells)[:, None]


def exact_gradient(model: Told, captions: Captions) -> Tensor:
    """The gradient of what a caption costs on average over all looks, by going through them all.

    The mean over captions, with respect to the parameters that learn, one after the other (P,).
    """
    M, T = captions.said.shape
    paths = torch.tensor(list(product(range(captions.grids.shape[1]), repeat=T)))
    total = 0.0
    for caption in range(M):  # one at a time, for memory's sake
        of = torch.full((len(paths),), caption)
        reading = model.read_along(paths, captions, of)
        nats = word_nats(model.output(reading.hidden), captions.targets[of])
        probability = reading.log_probs.sum(dim=1).exp()
        total = total + _gradient(model, (probability * nats.sum(dim=1)).sum() / M)
    return total


def estimates(model: Told, captions: Captions, way: Way, count: int, seed: int) -> Tensor:
    """`count` estimates (count, P) of `exact_gradient`, each from one draw for each caption.

    Ways that read no caption softly get the same draws from one seed. The moving baseline begins
    with a draw that is not counted, so that it always knows only the draws before.
    """
    model = deepcopy(model).train()
    model.config = replace(model.config, semi_sampling=way.softly)
    kept, expected, found = TrainConfig.baseline, None, []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(count + 1):
            known = way.baseline and expected is not None
            loss, reward = _loss_of_draw(model, captions, way, expected if known else 0.0)
            found.append(_gradient(model, loss))
            if reward is not None:
                expected = reward if expected is None else kept * expected + (1 - kept) * reward
    return torch.stack(found[1:])


@dataclass(frozen=True)
class Strayed:
    """How far estimates are from the exact gradient.

    variance: an estimate's mean squared distance from it, over its squared length; errors: the
    distance of all estimates' mean from it, in standard errors of that mean, about 1 where they are
    right on average; cosine: the mean cosine of the angle between an estimate and it.
    """

    variance: float
    errors: float
    cosine: float


def strayed(found: Tensor, exact: Tensor) -> Strayed:
    """Shapes: estimates (E, P), two or more; exact (P,)."""
    standard_error = (found.var(dim=0).sum() / len(found)).sqrt()
    return Strayed(
        variance=float((found - exact).square().sum(dim=1).mean() / exact.square().sum()),
        errors=float((found.mean(dim=0) - exact).norm() / standard_error),
        cosine=float(F.cosine_similarity(found, exact[None], dim=1).mean()),
    )


def _loss_of_draw(
    model: Told, captions: Captions, way: Way, baseline: float | Tensor
) -> tuple[Tensor, Tensor | None]:
    """A loss whose gradient is the estimate; the mean reward, None where nothing was drawn."""
    reading = model.read(captions.grids, captions.said)
    nats = word_nats(model.output(reading.hidden), captions.targets)
    cost, drawn = nats.sum(dim=1).mean(), ~reading.softly
    if not drawn.any():
        return cost, None
    part = nats[drawn], reading.log_probs[drawn], torch.ones_like(nats[drawn], dtype=torch.bool)
    looked, reward = reinforce(*part, baseline, onward=way.onward)
    return cost + drawn.sum() / len(drawn) * looked, reward


def _gradient(model: Told, loss: Tensor) -> Tensor:
    learning = [weights for weights in model.parameters() if weights.requires_grad]
    found = torch.autograd.grad(loss, learning, materialize_grads=True)
    return torch.cat([gradient.flatten() for gradient in found])


# What is asked of whom.


def _measure(setting: str, budget: Budget, seed: int) -> Found:
    captions = _held_out(budget)

    def strayed_at(steps: int) -> Strayed:
        model, exact = _learner(replace(budget, steps=steps), seed)
        found = estimates(model, captions, WAYS[setting], ESTIMATES * budget.steps, seed)
        return strayed(found, exact)

    before, after = strayed_at(0), strayed_at(budget.steps)
    return {
        "variance": after.variance,
        "variance before training": before.variance,
        "cosine": after.cosine,
        "errors of the mean": after.errors,
    }


@lru_cache(maxsize=2)
def _learner(budget: Budget, seed: int) -> tuple[Told, Tensor]:
    """A captioner after the budget's steps, of which only where it looks still learns.

    And the exact gradient of the held-out captions. It is the same for all settings.
    """
    data = _short("train", budget.pictures, budget.level)
    vocabulary = Vocabulary.build(data.captions, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Told(_shape(vocabulary))
        model.init_output_bias(vocabulary.counts)
        if budget.steps:
            material.train_on(data, model, vocabulary, budget, seed)
    model.requires_grad_(False).attention.requires_grad_(True)
    return model, exact_gradient(model, _held_out(budget))


def _shape(vocabulary: Vocabulary) -> CaptionerConfig:
    return CaptionerConfig(
        len(vocabulary),
        image_size=SIDE * SHRINK,
        frozen=True,
        looking="hard",
        word_dim=16,
        hidden=32,
        attention_dim=16,
        dropout=0.0,
    )


@lru_cache(maxsize=2)
def _held_out(budget: Budget) -> Captions:
    data = _short("val", budget.held_out, budget.level)
    words = Vocabulary.build(_short("train", budget.pictures, budget.level).captions, 1)
    tokens = torch.from_numpy(words.encode_batch([some[0] for some in data.captions])).long()
    grids = torch.from_numpy(data.images).float()
    return Captions(grids, tokens[:, :WORDS], tokens[:, 1 : WORDS + 1])


@lru_cache(maxsize=2)
def _short(split: str, n: int, level: str) -> Featured:
    """Of `n` scenes those with two objects, as few cells and short captions."""
    seen, scenes = material.features(split, n, level), list(material.scenes(split, n, level))
    two = [index for index, scene in enumerate(scenes) if len(scene.objects) == TWO]
    captions = [[_named(scenes[index])] for index in two]
    return Featured(_few_cells(seen.images[two]), CaptionedImages(seen.data.images[two], captions))


def _named(scene: Scene) -> str:
    """From left to right, as "red square blue circle": each word is of one object alone."""
    objects = sorted(scene.objects, key=lambda one: one.box[0])
    return " ".join(word for one in objects for word in one.kind)


def _few_cells(images: np.ndarray) -> np.ndarray:
    """Features (N, L, C) of a square grid -> (N, SIDE * SIDE, C), means over some of its cells."""
    side = round(images.shape[1] ** 0.5)
    rows = torch.from_numpy(images).float().unflatten(1, (side, side))  # (N, side, side, C)
    pooled = F.adaptive_avg_pool2d(rows.permute(0, 3, 1, 2), SIDE)
    return pooled.flatten(2).transpose(1, 2).half().numpy()


STUDY = Study(
    name="reinforce",
    question=(
        "How far does an estimate of REINFORCE, one draw of looks for each of the held-out "
        "pictures with two objects, stray from the exact gradient of the attention's weights? "
        f"{SIDE} x {SIDE} cells and {WORDS} words: all {SIDE ** (2 * WORDS):,} ways to look are "
        "gone through. Variance: its mean squared distance from it, over its squared length. "
        "Errors of the mean: how far the mean of all estimates is from it, in standard errors. "
        "Onward: a look is paid only for the words from its own on"
    ),
    settings=tuple(WAYS),
    figures=(
        Figure("variance", "lower", log=True),
        Figure("variance before training", "lower", log=True),
        Figure("cosine", "higher"),
        Figure("errors of the mean"),
    ),
    budget=Budget(steps=300, pictures=1000, held_out=24, batch=32, captions=1),
    tiny=Budget(steps=3, pictures=48, held_out=4, batch=16, captions=1),
    measure=_measure,
)
