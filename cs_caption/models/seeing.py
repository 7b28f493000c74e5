"""What every model with eyes shares: its encoder, and pictures or features that go into it."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from cs_caption.models.encoder import Encoder

Images = Tensor | np.ndarray


class Sees(Protocol):
    """The fields of a model's shape that its encoder depends on."""

    image_size: int
    channels: tuple[int, int, int]
    encoder: str
    features: str
    frozen: bool


def build_encoder(config: Sees) -> nn.Module:
    """The encoder that `config` asks for; a frozen one gets no gradient."""
    if config.encoder == "convnet":
        encoder = Encoder(config.image_size, config.channels, config.features)
        return encoder.requires_grad_(not config.frozen)
    # torchvision takes seconds to import, and only these need it.
    from cs_caption.models.backbones import Backbone

    encoder = Backbone(config.encoder, config.features, config.image_size)
    return encoder.requires_grad_(not config.frozen)


def see(encoder: nn.Module, images: Images, config: Sees, device: torch.device) -> Tensor:
    """uint8 pictures (N, H, W, 3) -> features (N, L, C), cells in reading order.

    A frozen encoder's features may be given instead of the pictures, as floats (N, L, C): they
    come back as float32.

    Raises: TypeError for other than uint8, ValueError for another shape, or for features where the
    encoder is still learning.
    """
    if _are_features(images):
        return _given(encoder, images, config, device)
    pictures = _pictures(images, config.image_size, device)
    with torch.set_grad_enabled(torch.is_grad_enabled() and not config.frozen):
        return encoder(pictures)


def _are_features(images: Images) -> bool:
    floats = (torch.float16, torch.bfloat16, torch.float32, np.float16, np.float32)
    return images.ndim == 3 and images.dtype in floats


def _given(encoder: nn.Module, features: Images, config: Sees, device: torch.device) -> Tensor:
    """Features that the encoder made before."""
    if not config.frozen:
        raise ValueError(
            "features were given instead of pictures, but this encoder is still learning: "
            "build the model with frozen=True, or give it the pictures"
        )
    if tuple(features.shape[1:]) != (encoder.cells, encoder.width):
        raise ValueError(
            f"features of {tuple(features.shape)}: this encoder makes (N, {encoder.cells}, "
            f"{encoder.width})"
        )
    given = torch.as_tensor(np.array(features) if isinstance(features, np.ndarray) else features)
    return given.to(device, torch.float32)


def _pictures(images: Images, size: int, device: torch.device) -> Tensor:
    if images.dtype not in (torch.uint8, np.uint8):
        raise TypeError(f"pictures of {images.dtype}: expected uint8, 0 to 255")
    if images.ndim != 4 or tuple(images.shape[1:]) != (size, size, 3):
        raise ValueError(f"pictures of {tuple(images.shape)}: expected (N, {size}, {size}, 3)")
    if isinstance(images, np.ndarray) and not images.flags.writeable:
        images = images.copy()  # torch warns of read-only arrays
    return torch.as_tensor(images).to(device)
