"""Is a picture unlike those that a model was trained on?"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from cs_caption.models.captioner import Captioner

BATCH = 256
SHRINKAGE = 0.05  # at least; more where there are few pictures for the number of features
LEAST_SHARE = 0.1
TINY = 1e-9
FLAT = 1e-5  # far below the roughness of any picture that shows something
NAMES = ("mean", "whitening", "threshold")


class Novelty:
    """Mahalanobis distance of a picture from the training pictures, with a threshold.

    Measured is what the encoder sees, the mean and the strongest of each feature over the grid,
    and the spread of the pixels themselves; the threshold is a high quantile of the distances of
    held-out pictures, so that about `1 - quantile` of ordinary ones are called unlike.

    Source: Lee et al. 2018, A Simple Unified Framework for Detecting Out-of-Distribution Samples.
    """

    def __init__(self, model: Captioner, tensors: Mapping[str, Tensor]):
        self.model = model
        self.mean, self.whitening, self.threshold = (tensors[name].cpu() for name in NAMES)

    @classmethod
    def fit(
        cls,
        model: Captioner,
        images: np.ndarray,
        held_out: np.ndarray,
        quantile: float = 0.995,
    ) -> "Novelty":
        """Learn the distances from pictures (N, H, W, 3) and the threshold from held-out ones.

        Raises: ValueError where there are too few pictures, or `quantile` is not in (0, 1).
        """
        if len(images) < 2 or len(held_out) < 1:
            raise ValueError(f"{len(images)} and {len(held_out)} pictures: give 2 and 1 or more")
        if not 0 < quantile < 1:
            raise ValueError(f"quantile is {quantile}: expected a number between 0 and 1")
        seen = _features(model, images)
        mean, scale = seen.mean(dim=0), seen.std(dim=0)
        # A feature that few training pictures ever moved must not outweigh all the others.
        scale = scale.clamp_min(float(LEAST_SHARE * scale.median()) + TINY)
        # Brought to one scale before shrinking, or the large ones would drown the rest.
        correlation = torch.cov(((seen - mean) / scale).T)
        little = max(SHRINKAGE, len(mean) / (len(mean) + len(seen)))
        shrunk = (1 - little) * correlation + little * torch.eye(len(mean)).double()
        values, vectors = torch.linalg.eigh(shrunk)
        whitening = vectors / values.sqrt() / scale[:, None]
        fitted = cls(model, dict(zip(NAMES, (mean, whitening, torch.zeros(())), strict=True)))
        fitted.threshold = torch.as_tensor(np.quantile(fitted.score(held_out), quantile))
        return fitted

    @classmethod
    def from_tensors(cls, model: Captioner, tensors: Mapping[str, Tensor]) -> "Novelty | None":
        """What `tensors` wrote, read again; None where it is not there."""
        return cls(model, tensors) if all(name in tensors for name in NAMES) else None

    def tensors(self) -> dict[str, Tensor]:
        """All that has to be kept, by name."""
        return {name: getattr(self, name) for name in NAMES}

    def score(self, images: np.ndarray) -> np.ndarray:
        """The distance of each picture (N, H, W, 3), in standard deviations: (N,)."""
        apart = (_features(self.model, images) - self.mean) @ self.whitening
        return apart.norm(dim=1).numpy()

    def is_unlike(self, images: np.ndarray) -> np.ndarray:
        """Whether each picture (N, H, W, 3) is farther than the threshold: (N,) bool."""
        return self.score(images) > float(self.threshold)


@torch.no_grad()
def _features(model: Captioner, images: np.ndarray) -> Tensor:
    training = model.training
    model.eval()
    parts = [_batch(model, images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
    model.train(training)
    return torch.cat(parts)


def _batch(model: Captioner, images: np.ndarray) -> Tensor:
    """(N, 2C + 2) float64: mean and strongest feature over the grid, roughness both ways."""
    grid = model.encode(images).double().cpu()
    pixels = images.astype(np.float32) / 255
    steps = [np.abs(np.diff(pixels, axis=axis)).mean(axis=(1, 2, 3)) for axis in (1, 2)]
    rough = torch.from_numpy(np.log(np.stack(steps, axis=1) + FLAT)).double()
    return torch.cat([grid.mean(dim=1), grid.amax(dim=1), rough], dim=1)
