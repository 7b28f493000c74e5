"""Pictures to a grid of feature vectors."""

import torch
from torch import Tensor, nn

SHRINK = 8  # a picture's side over its grid's side


class Encoder(nn.Module):
    """A small convnet: uint8 pictures (N, H, W, 3) -> features (N, L, C), L = (H/8) * (W/8).

    Three 3x3 convolutions, each with batch normalisation and ReLU. The first sees 2x2 blocks of
    pixels as channels; max pooling halves the grid twice more, before the normalisation, which has
    a quarter of the work then. Cell i, in reading order, covers 8x8 pixels and sees 36x36: enough
    for an object, and little enough that who wants to tell its shape has to look at the object and
    not beside it. A learned vector for the place of each cell is added, so that words like "left"
    have something to go by. Pictures stay bytes until here. With features="pooled" the mean of the
    cells is returned, as if there were one.
    """

    def __init__(self, image_size: int, channels: tuple[int, int, int], features: str = "grid"):
        super().__init__()
        first, second, last = channels
        self.convolutions = nn.Sequential(
            nn.PixelUnshuffle(2),
            *_block(12, first, nn.MaxPool2d(2)),
            *_block(first, second, nn.MaxPool2d(2)),
            *_block(second, last, nn.Identity()),
        )
        self.places = nn.Parameter(torch.randn((image_size // SHRINK) ** 2, last) * 0.1)
        self.pooled = features == "pooled"
        self.width, self.cells = last, 1 if self.pooled else len(self.places)  # C, L

    def forward(self, images: Tensor) -> Tensor:
        grid = self.look(images) + self.places
        return grid.mean(dim=1, keepdim=True) if self.pooled else grid

    def look(self, images: Tensor) -> Tensor:
        """What each cell sees, (N, H/8 * W/8, C), before it is told its place."""
        x = images.permute(0, 3, 1, 2).float() / 127.5 - 1.0  # (N, 3, H, W), channels last
        return self.convolutions(x).flatten(2).transpose(1, 2)


def _block(inputs: int, outputs: int, pool: nn.Module) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return convolution, pool, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
