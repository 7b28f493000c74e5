from urllib.error import URLError

import pytest

torch = pytest.importorskip("torch")

import safetensors.torch  # noqa: E402

from cs_caption._torchvision import torchvision  # noqa: E402
from cs_caption.data import Vocabulary  # noqa: E402
from cs_caption.models.backbones import Backbone, imagenet_weights  # noqa: E402
from cs_caption.models.encoder import Encoder  # noqa: E402
from cs_caption.models.weights import SCENES, load_encoder_weights  # noqa: E402

try:
    tv = torchvision()
except ImportError:
    pytest.skip("torchvision is not installed", allow_module_level=True)


def convnet(seed=0, size=64, channels=(32, 64, 96)):
    torch.manual_seed(seed)
    return Encoder(size, channels)


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return tv.models.resnet18(weights=None).state_dict()


def same(one, other):
    here, there = one.state_dict(), other.state_dict()
    return all(torch.equal(here[key], there[key]) for key in here)


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
@pytest.mark.parametrize("make", [convnet, lambda seed: _resnet(seed)], ids=["convnet", "resnet18"])
def test_an_encoder_comes_back_from_a_file(tmp_path, ending, make):
    first, second, file = make(seed=0), make(seed=1), tmp_path / f"weights{ending}"
    write(first.state_dict(), file)
    assert not same(first, second)
    load_encoder_weights(second, file)
    assert same(first, second)


def _resnet(seed):
    torch.manual_seed(seed)
    return Backbone("resnet18")


def write(state, file):
    save = safetensors.torch.save_file if file.suffix == ".safetensors" else torch.save
    save(state, file)


@pytest.mark.parametrize("left_out", ["fc.", "num_batches_tracked", "nothing"])
def test_torchvisions_files_load_with_and_without_the_classifier(tmp_path, resnet, left_out):
    state = {key: value for key, value in resnet.items() if left_out not in key}
    torch.save(state, tmp_path / "resnet18.pth")
    encoder = Backbone("resnet18", "pooled")
    load_encoder_weights(encoder, str(tmp_path / "resnet18.pth"))
    assert all(torch.equal(value, resnet[key]) for key, value in encoder.state_dict().items())


def test_half_precision_is_read_as_float32(tmp_path):
    state = {key: value.half() for key, value in convnet().convolutions[1].state_dict().items()}
    whole = {**convnet().state_dict(), "convolutions.1.weight": state["weight"]}
    write(whole, tmp_path / "half.safetensors")
    encoder = convnet(seed=1)
    load_encoder_weights(encoder, tmp_path / "half.safetensors")
    assert encoder.convolutions[1].weight.dtype == torch.float32
    assert torch.equal(encoder.convolutions[1].weight.half(), state["weight"])


def test_the_scenes_weights_bring_the_same_places_to_every_encoder():
    one, other = (Encoder(64, (32, 64, 96)) for _ in range(2))
    before = torch.get_rng_state()
    for encoder in (one, other):
        load_encoder_weights(encoder, "scenes")
    assert torch.equal(one.places, other.places)
    assert one.places.std().item() == pytest.approx(0.1, rel=0.05)
    assert torch.equal(torch.get_rng_state(), before)
    for key, value in safetensors.torch.load_file(SCENES).items():
        assert torch.equal(one.state_dict()[key].half(), value)


def test_the_scenes_weights_fit_pictures_of_any_size():
    one, other = convnet(size=64), convnet(size=96)
    for encoder in (one, other):
        load_encoder_weights(encoder, "scenes")
    assert torch.equal(one.convolutions[1].weight, other.convolutions[1].weight)


def test_weights_for_another_encoder_are_refused_by_the_first_name_that_differs(tmp_path, resnet):
    torch.save(resnet, tmp_path / "resnet18.pth")
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "vgg16.pth")
    for encoder, source, name in (
        (convnet(channels=(32, 64, 97)), "scenes", r"convolutions.9.weight is \(96, .*\(97, 64"),
        (Backbone("resnet50"), "resnet18.pth", r"layer1.0.conv1.weight is \(64, 64, 3, 3\) there"),
        (Backbone("resnet18"), "vgg16.pth", "conv1.weight is absent there"),
        (convnet(), "resnet18.pth", "convolutions.1.weight is absent there"),
        (Backbone("vgg16"), "vgg16.pth", r"features.0.bias is absent there and \(64,\) here"),
    ):
        with pytest.raises(ValueError, match=name):
            load_encoder_weights(encoder, source if source == "scenes" else tmp_path / source)


def test_a_refused_file_changes_nothing(tmp_path):
    state = convnet(seed=1).state_dict()
    state["convolutions.99.weight"] = torch.zeros(2)
    write(state, tmp_path / "more.pth")
    encoder = convnet()
    with pytest.raises(ValueError, match=r"convolutions\.99.weight is .* there and absent here"):
        load_encoder_weights(encoder, tmp_path / "more.pth")
    assert same(encoder, convnet())


def test_a_whole_checkpoint_is_told_from_a_state_dict(tmp_path):
    torch.save({"state_dict": convnet().state_dict(), "epoch": 3}, tmp_path / "run.pth")
    with pytest.raises(ValueError, match=r"convolutions.1.weight is absent there"):
        load_encoder_weights(convnet(), tmp_path / "run.pth")
    torch.save({**convnet().state_dict(), "epoch": 3}, tmp_path / "run.pth")
    with pytest.raises(ValueError, match="epoch is a int there and absent here"):
        load_encoder_weights(convnet(), tmp_path / "run.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="holds one list: expected a state dict"):
        load_encoder_weights(convnet(), tmp_path / "list.pth")


def test_pickled_objects_are_never_run(tmp_path):
    """torch.load of a whole module can run any code; weights_only refuses it."""
    torch.save(Vocabulary.build(["a red box"]), tmp_path / "object.pth")
    with pytest.raises(ValueError, match="no state dict of tensors alone"):
        load_encoder_weights(convnet(), tmp_path / "object.pth")


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_cut_file_is_called_damaged(tmp_path, ending):
    file = tmp_path / f"cut{ending}"
    write(convnet().state_dict(), file)
    for kept in (file.read_bytes()[:-100], b""):
        file.write_bytes(kept)
        with pytest.raises(ValueError, match="is damaged"):
            load_encoder_weights(convnet(), file)


def test_a_source_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'imagenett' are neither 'imagenet', 'scenes' nor a file"):
        load_encoder_weights(convnet(), "imagenett")
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.pth: mend the path"):
        load_encoder_weights(convnet(), tmp_path / "none.pth")
    with pytest.raises(ValueError, match="for the small convnet, not for resnet18"):
        load_encoder_weights(Backbone("resnet18"), "scenes")
    with pytest.raises(ValueError, match="no weights for the small convnet: use 'scenes'"):
        load_encoder_weights(convnet(), "imagenet")


def test_imagenet_weights_are_taken_from_torchvisions_cache(tmp_path, monkeypatch, resnet):
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    cache = tmp_path / "checkpoints"
    cache.mkdir()
    torch.save(resnet, cache / imagenet_weights("resnet18").url.rsplit("/", 1)[1])
    encoder = Backbone("resnet18")
    load_encoder_weights(encoder, "imagenet")
    assert all(torch.equal(value, resnet[key]) for key, value in encoder.state_dict().items())


def test_without_network_the_way_by_a_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    with pytest.raises(OSError, match="download https://") as refused:
        load_encoder_weights(Backbone("resnet18"), "imagenet")
    for told in ("no route to host", "resnet18-f37072fd.pth", str(tmp_path / "checkpoints")):
        assert told in str(refused.value)


def no_network(*arguments, **options):
    raise URLError("no route to host")
