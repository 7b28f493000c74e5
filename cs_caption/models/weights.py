"""Weights for encoders: torchvision's own, the course's small convnet, or a local file."""

import pickle
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from cs_caption.models.backbones import Backbone, imagenet_weights
from cs_caption.models.encoder import Encoder

SCENES = Path(__file__).parent / "pretrained" / "scene_convnet.safetensors"
SUFFIXES = (".pth", ".pt", ".safetensors")

_HEADS = ("fc.", "classifier.")  # of torchvision's models: what an encoder may do without
_DAMAGED = (pickle.UnpicklingError, RuntimeError, EOFError)  # what torch.load raises
_COUNTER = "num_batches_tracked"  # older files lack it, and no result depends on it


def load_encoder_weights(encoder: Encoder | Backbone, source: str | Path) -> None:
    """Put pretrained weights into `encoder`, in place, before a captioner is trained with it.

    "imagenet" are torchvision's for a backbone, from its cache or downloaded; "scenes" those of
    the small convnet that lie in the package (`python -m cs_caption.models.pretrain` makes them);
    anything else is the path of a state dict, .pth, .pt or .safetensors, with the names of
    torchvision's models or of `Encoder`. The classifier's may be in it or not; so may the
    convnet's `places`, which stay as they are where a file brings none ("scenes" always brings the
    same ones).

    Raises: ValueError where the weights are for another encoder, naming the first that differs, or
    where the file is no state dict; FileNotFoundError; OSError where ImageNet's cannot be fetched.
    """
    if source == "imagenet":
        _load(encoder, _from_imagenet(encoder), "torchvision's ImageNet weights")
    elif source == "scenes":
        if not isinstance(encoder, Encoder):
            raise ValueError(
                f"the weights 'scenes' are for the small convnet, not for {encoder.name}: use "
                "'imagenet' or a file"
            )
        # Its places were never learnt: everybody's are alike, so that features are comparable.
        places = torch.randn(encoder.places.shape, generator=torch.Generator().manual_seed(0)) * 0.1
        _load(encoder, {"places": places} | _read(SCENES), f"the weights 'scenes' ({SCENES.name})")
    else:
        _load(encoder, _read(Path(source)), str(source))


def _from_imagenet(encoder: Encoder | Backbone) -> dict[str, Tensor]:
    if isinstance(encoder, Encoder):
        raise ValueError("ImageNet has no weights for the small convnet: use 'scenes' or a file")
    weights = imagenet_weights(encoder.name)
    try:
        return weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except (OSError, *_DAMAGED) as error:  # no network, no permission, half a file in the cache
        name, cache = weights.url.rsplit("/", 1)[1], Path(torch.hub.get_dir()) / "checkpoints"
        raise OSError(
            f"torchvision's weights for {encoder.name} could not be had ({_first_line(error)}): "
            f"download {weights.url} elsewhere, then give the path of {name} instead of 'imagenet' "
            f"or put it into {cache}"
        ) from error


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix not in SUFFIXES:
        raise ValueError(
            f"the weights {str(path)!r} are neither 'imagenet', 'scenes' nor a file that ends in "
            f"{', '.join(SUFFIXES)}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}: mend the path to the weights")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, *_DAMAGED) as error:
        raise ValueError(
            f"{path} is damaged, or no state dict of tensors alone ({_first_line(error)}): save "
            "one with torch.save(model.state_dict(), path)"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(
            f"{path} holds one {type(found).__name__}: expected a state dict, as torch.save("
            "model.state_dict(), path) writes it"
        )
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _load(encoder: Encoder | Backbone, found: dict[str, Tensor], where: str) -> None:
    needed = encoder.state_dict()
    for name in (*needed, *found):
        there, here = _shape(found.get(name)), _shape(needed.get(name))
        if there != here and not _may_differ(name, there, here):
            raise ValueError(
                f"{where} do not fit this encoder: {name} is {there} there and {here} here; choose "
                "the encoder that the weights were made for, or other weights"
            )
    encoder.load_state_dict({name: found[name] for name in found if name in needed}, strict=False)


def _may_differ(name: str, there: str, here: str) -> bool:
    if there == "absent":
        return name.endswith(_COUNTER) or name == "places"
    return here == "absent" and name.startswith(_HEADS)


def _shape(value: object) -> str:
    if value is None:
        return "absent"
    return str(tuple(value.shape)) if isinstance(value, Tensor) else f"a {type(value).__name__}"
