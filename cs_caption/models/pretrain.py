"""Pretrain the small convnet: `python -m cs_caption.models.pretrain`.

It learns to tell which kinds of objects, (colour, shape), a picture shows, from pictures and their
truth alone: no caption is read, and no picture of the splits that captioners are trained, chosen
and judged on. What is kept are the convolutions; the classifier is thrown away. The vectors of the
`places` are no part of it: nothing here depends on where an object is.
"""

import argparse
import datetime
import hashlib
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cs_caption.data import Scenes
from cs_caption.device import machine
from cs_caption.files import whole_file
from cs_caption.models.encoder import Encoder
from cs_caption.models.weights import SCENES

IMAGE_SIZE, CHANNELS = 64, (32, 64, 96)  # the convolutions take pictures of any size
LR, WARMUP, WEIGHT_DECAY = 4e-3, 0.1, 0.01
RARE = -3.0  # first logit of each kind: one in twenty, about as often as it is shown

Kind = tuple[str, str]  # (colour, shape)
Report = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Pictures uint8 (N, H, W, 3) and what each one shows: float32 (N, K), 1 where it is there."""

    images: Tensor
    shows: Tensor


class Classifier(nn.Module):
    """Logits (N, K) of the kinds in a picture: scores of each cell, the highest over the cells."""

    def __init__(self, encoder: Encoder, kinds: int):
        super().__init__()
        self.encoder, self.score = encoder, nn.Linear(encoder.width, kinds)
        nn.init.constant_(self.score.bias, RARE)

    def forward(self, images: Tensor) -> Tensor:
        return self.score(self.encoder.look(images)).amax(dim=1)


def label(scenes: Scenes, kinds: Sequence[Kind] | None = None) -> tuple[Labelled, list[Kind]]:
    """Draw the pictures of `scenes` and say which of `kinds` (all that are there) each shows.

    Raises: ValueError where a picture shows a kind that is not among `kinds`.
    """
    images, there = [], []
    for scene in scenes:
        images.append(scene.image)
        there.append({thing.kind for thing in scene.objects})
    found = sorted(set().union(*there))
    kinds = found if kinds is None else list(kinds)
    if new := set(found) - set(kinds):
        raise ValueError(f"{scenes} shows {sorted(new)[0]}, which the classifier has not learnt")
    shows = torch.tensor([[float(kind in some) for kind in kinds] for some in there])
    return Labelled(torch.from_numpy(np.stack(images)), shows), kinds


def pretrain(
    seen: Labelled, *, steps: int, batch: int, seed: int = 0, report: Report | None = None
) -> Classifier:
    """Train the small convnet as a classifier; its first weights and its batches follow `seed`.

    Torch's own random state is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier(Encoder(IMAGE_SIZE, CHANNELS), seen.shows.shape[1]).train()
        weights = [*model.encoder.convolutions.parameters(), *model.score.parameters()]
        optimizer = torch.optim.AdamW(weights, LR, weight_decay=WEIGHT_DECAY)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, steps, pct_start=WARMUP)
        for step, rows in zip(range(1, steps + 1), _batches(len(seen.images), batch), strict=False):
            loss = classifier_loss(model(seen.images[rows]), seen.shows[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            rate.step()
            if report and (step % max(1, steps // 20) == 0 or step == steps):
                report(f"step {step:,} of {steps:,}: loss {loss.item():.4f} nats a picture")
    return model.eval()


def classifier_loss(logits: Tensor, shows: Tensor) -> Tensor:
    """Mean over the pictures of the binary cross-entropies of all kinds (N, K), summed."""
    return F.binary_cross_entropy_with_logits(logits, shows, reduction="sum") / len(shows)


@torch.no_grad()
def exact_share(model: Classifier, pictures: Labelled) -> float:
    """The share of pictures of which every kind is told rightly, there or not."""
    told = [model(images) > 0 for images in pictures.images.split(100)]
    return float((torch.cat(told) == (pictures.shows > 0)).all(dim=1).float().mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Pretrain, measure and write weights and record, each whole or not at all."""
    given = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(given)
    began = time.process_time()
    _say(f"drawing {args.pictures:,} pictures to learn from and {args.held_out:,} held out")
    seen, kinds = label(Scenes("large", n=args.pictures))
    held_out, _ = label(Scenes("val", n=args.held_out), kinds)
    model = pretrain(seen, steps=args.steps, batch=args.batch, seed=args.seed, report=_say)
    exact = {"float32": exact_share(model, held_out)}
    model.encoder.convolutions.half().float()
    exact["float16"] = exact_share(model, held_out)
    record = {
        "command": shlex.join(["python", "-m", "cs_caption.models.pretrain", *given]),
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "seed": args.seed,
        "data": "Scenes('large'), level simple: pictures and their objects, no captions",
        "pictures": args.pictures,
        "steps": args.steps,
        "batch": args.batch,
        "kinds": len(kinds),
        "held_out": {"data": "Scenes('val')", "pictures": args.held_out, "exact": exact},
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    _write(model.encoder, record, args.out)
    _say(f"all kinds right in {exact['float16']:.1%} of the held-out pictures; wrote {args.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cs_caption.models.pretrain", description=__doc__.splitlines()[0]
    )
    numbers = {"pictures": 30_000, "held-out": 1000, "steps": 1500, "batch": 64, "seed": 0}
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=SCENES, help="(default: in the package)")
    return parser


def _write(encoder: Encoder, record: dict, out: Path) -> None:
    """The convolutions as float16 to `out`, and beside it, as .json, how they came to be."""
    state = encoder.convolutions.state_dict(prefix="convolutions.")
    tensors = {name: value.half() for name, value in state.items() if value.is_floating_point()}
    content = safetensors.torch.save(tensors)
    record = record | {"sha256": hashlib.sha256(content).hexdigest()}
    with whole_file(out) as temporary:
        temporary.write_bytes(content)
    with whole_file(out.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _batches(pictures: int, batch: int) -> Iterator[Tensor]:
    """Without end: rows of a batch, every picture once an epoch, what is left over dropped."""
    if batch > pictures:
        raise ValueError(f"a batch of {batch} from {pictures} pictures: draw more, or take fewer")
    while True:
        order = torch.randperm(pictures)
        yield from order[: pictures // batch * batch].split(batch)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
