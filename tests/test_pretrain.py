import hashlib
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import safetensors.torch  # noqa: E402

from cs_caption.data import Scenes  # noqa: E402
from cs_caption.models import pretrain  # noqa: E402
from cs_caption.models.encoder import Encoder  # noqa: E402
from cs_caption.models.pretrain import Labelled, classifier_loss, exact_share, label  # noqa: E402
from cs_caption.models.weights import SCENES, load_encoder_weights  # noqa: E402


def tiny(seed=0, steps=3, report=None):
    return pretrain.pretrain(seen(), steps=steps, batch=8, seed=seed, report=report)


def seen(n=24):
    return label(Scenes("large", n=n))[0]


def test_each_picture_is_labelled_with_the_kinds_it_shows():
    scenes = Scenes("large", n=20)
    pictures, kinds = label(scenes)
    for i, scene in enumerate(scenes):
        assert np.array_equal(pictures.images[i].numpy(), scene.image)
        shown = {kind for kind, there in zip(kinds, pictures.shows[i], strict=True) if there}
        assert shown == {(thing.colour, thing.shape) for thing in scene.objects}


def test_a_kind_that_was_not_learnt_is_refused():
    with pytest.raises(ValueError, match="which the classifier has not learnt"):
        label(Scenes("compositional", n=5), label(Scenes("large", n=50))[1])


def test_a_kind_is_scored_where_its_best_cell_is():
    """Logits are the highest over the cells: an object in one corner is enough."""
    model = tiny()
    cells = model.score(model.encoder.look(seen().images[:2]))
    assert torch.equal(model(seen().images[:2]), cells.max(dim=1).values)


def test_the_loss_is_the_binary_cross_entropy_of_every_kind():
    logits, shows = torch.tensor([[2.0, -1.0], [0.0, 3.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    p = torch.sigmoid(logits)
    expected = -(p[0, 0].log() + (1 - p[0, 1]).log() + (1 - p[1, 0]).log() + p[1, 1].log()) / 2
    assert classifier_loss(logits, shows).item() == pytest.approx(expected.item())


def test_exact_means_that_no_kind_is_wrong():
    shows = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    told = torch.tensor([[2.0, -1.0], [2.0, 1.0], [-2.0, -1.0], [-2.0, -1.0]])
    assert exact_share(lambda images: told, Labelled(torch.zeros(4), shows)) == 0.5


def test_pretraining_lowers_the_loss():
    pictures = seen()
    begun, done = tiny(steps=1), tiny(steps=40)
    with torch.no_grad():
        first, last = (
            classifier_loss(model.train()(pictures.images), pictures.shows).item()
            for model in (begun, done)
        )
    assert last < 0.6 * first


def test_the_seed_alone_decides_and_torchs_own_numbers_go_on():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = tiny(0).state_dict(), tiny(0).state_dict(), tiny(1).state_dict()
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["score.weight"], other["score.weight"])


def test_the_places_are_not_trained():
    torch.manual_seed(0)
    assert torch.equal(tiny(steps=5).encoder.places, Encoder(64, (32, 64, 96)).places)


def test_a_batch_larger_than_the_pictures_is_refused():
    with pytest.raises(ValueError, match="a batch of 64 from 24 pictures"):
        pretrain.pretrain(seen(), steps=1, batch=64)


def test_the_command_writes_the_weights_and_how_they_came_to_be(tmp_path, capsys):
    out = tmp_path / "convnet.safetensors"
    arguments = ["--pictures", "400", "--held-out", "20", "--steps", "4", "--seed", "3"]
    assert pretrain.main([*arguments, "--out", str(out)]) == 0
    record = json.loads((tmp_path / "convnet.json").read_text())
    assert record["command"].startswith("python -m cs_caption.models.pretrain --pictures 400")
    assert (record["seed"], record["steps"], record["pictures"]) == (3, 4, 400)
    assert record["held_out"]["pictures"] == 20
    assert record["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert "step 4 of 4" in capsys.readouterr().out
    load_encoder_weights(Encoder(64, (32, 64, 96)), out)


def test_what_lies_in_the_package_is_what_its_record_tells_of():
    record = json.loads(SCENES.with_suffix(".json").read_text())
    assert record["sha256"] == hashlib.sha256(SCENES.read_bytes()).hexdigest()
    assert record["command"] == "python -m cs_caption.models.pretrain"
    assert record["held_out"]["exact"]["float16"] == record["held_out"]["exact"]["float32"]
    assert SCENES.stat().st_size < 400_000
    for name, value in safetensors.torch.load_file(SCENES).items():
        assert name.startswith("convolutions.")
        assert value.dtype == torch.float16


def test_the_package_carries_the_weights(request):
    text = (request.config.rootpath / "pyproject.toml").read_text()
    assert '"models/pretrained/*"' in text


def test_the_pretrained_convnet_tells_the_kinds_of_pictures_it_never_saw():
    """A straight line through its features, fitted to 300 pictures, tells most of 200 others;
    through those of an untrained one it tells few."""

    kinds = label(Scenes("large", n=1000))[1]
    pictures = label(Scenes("train", n=300), kinds)[0]
    others = label(Scenes("val", n=200), kinds)[0]

    @torch.no_grad()
    def told(encoder):
        here, there = (
            torch.nn.functional.pad(encoder.eval().look(p.images).amax(dim=1), (0, 1), value=1)
            for p in (pictures, others)
        )
        line = torch.linalg.solve(here.T @ here + torch.eye(97), here.T @ pictures.shows)
        found = (there @ line).argmax(dim=1)
        return float(others.shows[torch.arange(200), found].mean())

    torch.manual_seed(0)
    scratch, pretrained = Encoder(64, (32, 64, 96)), Encoder(64, (32, 64, 96))
    load_encoder_weights(pretrained, "scenes")
    assert told(scratch) < 0.5 < 0.9 < told(pretrained)
