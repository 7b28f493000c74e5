"""Encoders that were made for photographs: torchvision's, with their last layers taken off."""

import torch
from torch import Tensor, nn

from cs_caption._torchvision import torchvision
from cs_caption.models.config import ENCODERS, FEATURES, WIDTHS

BACKBONES = tuple(WIDTHS)

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, of pixels from 0 to 1


class Backbone(nn.Module):
    """A torchvision network: uint8 pictures (N, H, W, 3) -> features (N, L, C).

    "grid" gives a vector a cell, cells in reading order: VGG-16's last convolution after its ReLU,
    a cell every 16 pixels; a ResNet's layer4, a cell every 32. "pooled" gives one vector a picture
    (L = 1): VGG-16's second FC-4096 layer after its ReLU, the mean of a ResNet's cells. The layers
    after these are taken off. Weights have torchvision's names; they are random, as torchvision
    draws them, until `load_encoder_weights`. `.width` is C, `.cells` L. Pictures stay bytes until
    here: their mean and standard deviation are made what ImageNet's are.

    Raises: ValueError for a name, features or image_size (of H and W) that there is not;
    ImportError where torchvision is missing.
    Source: VGG-16 without FC-1000 and softmax: Karpathy and Fei-Fei 2015, section 3.1.1; a
    convolution's grid instead of a fully connected layer: Xu et al. 2015, section 3.1.1.
    """

    def __init__(self, name: str, features: str = "grid", image_size: int = 224):
        super().__init__()
        _check(name, features, image_size)
        self.name, pooled = name, features == "pooled"
        for key, layer in _layers(name, pooled).items():
            self.add_module(key, layer)
        _draw_weights(self)
        self.register_buffer("mean", 255 * torch.tensor(_MEAN), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(_STD), persistent=False)
        side = image_size // (16 if name == "vgg16" else 32)
        self.cells = 1 if pooled else side * side
        self.width = WIDTHS[name][FEATURES.index(features)]

    def forward(self, images: Tensor) -> Tensor:
        x = ((images.float() - self.mean) / self.std).permute(0, 3, 1, 2)  # (N, 3, H, W)
        for layer in self.children():
            x = layer(x)
        return x.flatten(2).transpose(1, 2) if x.ndim == 4 else x[:, None]


def imagenet_weights(name: str):
    """torchvision's entry of a backbone's ImageNet weights: its .url, its get_state_dict()."""
    return torchvision().models.get_model_weights(name).IMAGENET1K_V1


def _check(name: str, features: str, image_size: int) -> None:
    if name not in BACKBONES:
        raise ValueError(f"the backbone is {name!r}: expected {', '.join(BACKBONES)}")
    if features not in FEATURES:
        raise ValueError(f"features is {features!r}: expected {' or '.join(FEATURES)}")
    if image_size < 1 or image_size % ENCODERS[name]:
        raise ValueError(f"image_size is {image_size}: {name} takes multiples of {ENCODERS[name]}")


def _layers(name: str, pooled: bool) -> dict[str, nn.Module]:
    """The layers that are kept, under torchvision's names, in order, and yet without weights."""
    with torch.device("meta"):  # VGG-16's classifier is 0.5 GB, and a grid has no use for it
        whole = torchvision().models.get_model(name, weights=None)
    layers = dict(whole.named_children())
    if name != "vgg16":
        del layers["fc"]
        return layers if pooled else {k: v for k, v in layers.items() if k != "avgpool"}
    if not pooled:
        return {"features": layers["features"][:-1]}  # before the last pooling
    connected = layers.pop("classifier")[:5]
    return {**layers, "flatten": nn.Flatten(), "classifier": connected}


def _draw_weights(module: nn.Module) -> None:
    """Memory and first weights for layers that have none yet: He's, as torchvision's models."""
    module.to_empty(device="cpu")
    for layer in module.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.01)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
