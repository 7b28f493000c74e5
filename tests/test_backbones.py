from importlib import import_module

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption._torchvision import torchvision  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.models.backbones import Backbone  # noqa: E402
from cs_caption.models.config import WIDTHS  # noqa: E402
from cs_caption.models.encoder import Encoder  # noqa: E402

try:
    tv = torchvision()
except ImportError:
    pytest.skip("torchvision is not installed", allow_module_level=True)

# Where torchvision's own graph holds the same features.
NODES = {
    ("vgg16", "grid"): "features.29",
    ("vgg16", "pooled"): "classifier.4",
    ("resnet18", "grid"): "layer4",
    ("resnet18", "pooled"): "avgpool",
    ("resnet50", "grid"): "layer4",
    ("resnet50", "pooled"): "avgpool",
}
LARGE = [("vgg16", "pooled"), ("resnet50", "pooled")]  # the first takes 1 GB
KINDS = [pytest.param(*kind, marks=[pytest.mark.full] if kind in LARGE else []) for kind in NODES]


def pictures(n=2, height=64, width=64, seed=0):
    return torch.from_numpy(
        np.random.RandomState(seed).randint(0, 256, (n, height, width, 3)).astype(np.uint8)
    )


def as_torchvision_wants_them(images):
    to_tensor = tv.transforms.functional.to_tensor
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return torch.stack(
        [tv.transforms.functional.normalize(to_tensor(one.numpy()), mean, std) for one in images]
    )


@pytest.mark.parametrize(("name", "features"), KINDS)
@torch.no_grad()
def test_torchvision_makes_the_same_features_of_the_same_weights(name, features):
    torch.manual_seed(0)
    quick = {"init_weights": False} if name == "vgg16" else {}
    theirs = tv.models.get_model(name, weights=None, **quick).eval()
    for layer in theirs.modules():  # batch normalisation that does nothing could be forgotten
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 2.0)
    ours = Backbone(name, features, 64).eval()
    ours.load_state_dict({k: v for k, v in theirs.state_dict().items() if k in ours.state_dict()})
    extraction = import_module("torchvision.models.feature_extraction")
    graph = extraction.create_feature_extractor(theirs, {NODES[name, features]: "seen"})
    expected = graph(as_torchvision_wants_them(pictures()))["seen"]
    expected = expected.reshape(2, ours.width, -1).transpose(1, 2)
    found = ours(pictures())
    assert found.shape == (2, ours.cells, ours.width) == expected.shape
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


@pytest.mark.parametrize(("name", "cells"), [("vgg16", 6), ("resnet18", 2)])
def test_cells_come_in_reading_order(name, cells):
    """Of a picture two cells wide, the bottom right corner changes no cell of the top left."""
    side = 32 * cells
    model = Backbone(name, "grid", side).eval()
    per_row = round(model.cells**0.5)
    plain, spotted = pictures(1, side, side), pictures(1, side, side)
    spotted[0, :16, side - 16 :] = 255 - spotted[0, :16, side - 16 :]  # top right
    with torch.no_grad():
        change = (model(plain) - model(spotted)).abs().mean(dim=2).view(per_row, per_row)
    most = int(change.argmax())
    assert divmod(most, per_row)[0] < per_row / 2 <= divmod(most, per_row)[1]


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize(("name", "pixels"), [("vgg16", 16), ("resnet18", 32)])
def test_any_multiple_of_32_will_do(name, pixels, size):
    model = Backbone(name, "grid", size).eval()
    with torch.no_grad():
        assert model(pictures(1, size, size)).shape == (1, (size // pixels) ** 2, model.width)
    assert model.cells == (size // pixels) ** 2


def test_pooled_features_are_the_mean_of_a_resnets_grid():
    grid, pooled = Backbone("resnet18", "grid", 64), Backbone("resnet18", "pooled", 64)
    pooled.load_state_dict(grid.state_dict())
    with torch.no_grad():
        mean = grid.eval()(pictures()).mean(dim=1, keepdim=True)
        assert torch.allclose(pooled.eval()(pictures()), mean, atol=1e-6)
    assert pooled.cells == 1


def test_only_what_is_needed_is_kept():
    assert not any(key.startswith("classifier") for key in Backbone("vgg16").state_dict())
    assert not any(key.startswith("fc") for key in Backbone("resnet18", "pooled").state_dict())


def test_first_weights_follow_torchs_seed():
    def drawn(seed):
        torch.manual_seed(seed)
        return Backbone("resnet18").state_dict()

    one, same, other = drawn(0), drawn(0), drawn(1)
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["conv1.weight"], other["conv1.weight"])


@pytest.mark.parametrize("name", ["resnet18", pytest.param("vgg16", marks=pytest.mark.full)])
def test_first_weights_are_spread_as_torchvisions(name):
    ours = Backbone(name).state_dict()
    theirs = tv.models.get_model(name, weights=None).state_dict()
    for key in ours:
        if theirs[key].numel() > 1000:
            spread, expected = (float(one[key].std()) for one in (ours, theirs))
            assert spread == pytest.approx(expected, rel=0.1), key
        elif theirs[key].numel() > 1:
            assert torch.equal(ours[key], theirs[key]), key


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("alexnet",), "the backbone is 'alexnet': expected vgg16, resnet18, resnet50"),
        (("vgg16", "rows"), "features is 'rows': expected grid or pooled"),
        (("resnet18", "grid", 200), "image_size is 200: resnet18 takes multiples of 32"),
        (("resnet18", "grid", 0), "image_size is 0"),
    ],
)
def test_a_backbone_that_there_is_not_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Backbone(*arguments)


def test_width_and_cells_say_what_comes_out():
    for encoder in (Encoder(32, (3, 4, 5)), Encoder(32, (3, 4, 5), "pooled")):
        assert encoder(pictures(2, 32, 32)).shape == (2, encoder.cells, encoder.width)
    for name, (grid, pooled) in WIDTHS.items():
        assert Backbone(name, "grid").width == grid
        if name != "vgg16":
            assert Backbone(name, "pooled").width == pooled


def frozen_captioner(**changes):
    shape = {"encoder": "resnet18", "word_dim": 6, "hidden": 7, "attention_dim": 8}
    torch.manual_seed(0)
    return Captioner(CaptionerConfig(11, **{**shape, "frozen": True, **changes}))


@pytest.mark.parametrize("encoder", ["convnet", "resnet18"])
def test_a_frozen_encoder_does_not_drift_while_the_rest_learns(encoder):
    """Frozen weights are not enough: batch normalisation averages on in train mode."""
    tokens = torch.tensor([[1, 4, 5], [1, 6, 7]])

    def what_changes(frozen):
        model = frozen_captioner(encoder=encoder, frozen=frozen)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
        model.train()
        model(pictures(), tokens).square().mean().backward()
        optimizer.step()
        after = model.state_dict()
        return {key for key in after if not torch.equal(after[key], before[key])}

    moved, learnt = what_changes(frozen=True), what_changes(frozen=False)
    assert not any(key.startswith("encoder") for key in moved)
    assert "output.weight" in moved
    assert any(key.endswith("running_mean") for key in learnt)


def test_a_frozen_backbone_sees_each_picture_as_if_it_were_alone():
    model = frozen_captioner().train()
    together = model.encode(pictures())
    alone = model.encode(pictures()[1:])
    assert torch.allclose(together[1:], alone, atol=1e-5)
