"""From scenes to a saved captioner: what `train` and `demo` share."""

from collections.abc import Callable
from pathlib import Path

import torch

from cs_caption.checkpoint import Trained, load_captioner, save_captioner
from cs_caption.data import Scenes, Vocabulary
from cs_caption.models import Captioner, CaptionerConfig
from cs_caption.models.novelty import Novelty
from cs_caption.training import TrainConfig, train

DEFAULT_MIN_COUNT = {"simple": 1, "rich": 5}
HELD_OUT = 500  # val pictures: enough to watch the loss and to set the novelty threshold


def train_on_scenes(
    out: Path,
    scenes: Scenes,
    config: TrainConfig,
    *,
    min_count: int = 1,
    attention: bool = True,
    report: Callable[[str], None] = print,
) -> Trained:
    """Train, fit the novelty detector, save to `out`/model and return what a reader would load.

    Raises: as `train`.
    """
    level = scenes.level
    report(f"drawing the {level} scenes")
    vocabulary = Vocabulary.build(
        [caption for five in scenes.captions for caption in five], min_count=min_count
    )
    model = new_captioner(vocabulary, config.seed, attention=attention)
    held_out = Scenes("val", n=HELD_OUT, level=level)
    history = train(model, vocabulary, scenes, config, folder=out, val=held_out, report=report)
    novelty = Novelty.fit(model, scenes.images, held_out.images)
    info = {
        "data": f"{len(scenes):,} {level} scenes",
        "level": level,
        "steps": config.steps,
        "history": history,
    }
    save_captioner(out / "model", model, vocabulary, info, extra=novelty.tensors(), replace=True)
    return load_captioner(out / "model", config.device)


def new_captioner(vocabulary: Vocabulary, seed: int, **shape) -> Captioner:
    """An untrained captioner whose first weights depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Captioner(CaptionerConfig(len(vocabulary), **shape))
