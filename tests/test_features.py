import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption import features  # noqa: E402
from cs_caption.checkpoint import Trained  # noqa: E402
from cs_caption.data import CaptionedImages, Scenes, Vocabulary  # noqa: E402
from cs_caption.evaluation import evaluate  # noqa: E402
from cs_caption.features import Featured, cache_features, open_features  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.training import TrainConfig, train  # noqa: E402

SCENES = Scenes("train", n=10)
VOCABULARY = Vocabulary.build([caption for five in SCENES.captions for caption in five])
SMALL = {"channels": (3, 4, 5), "word_dim": 6, "hidden": 7, "attention_dim": 8, "frozen": True}


def model(seed=0, **changes):
    torch.manual_seed(seed)
    return Captioner(CaptionerConfig(len(VOCABULARY), **{**SMALL, **changes}))


def quiet(*arguments, **options):
    return cache_features(*arguments, report=None, **options)


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def cut_off(captioner, after):
    """Make the captioner's encoder fail once it has seen so many batches."""
    calls = []

    def fail(module, args):
        calls.append(len(args[0]))
        if len(calls) > after:
            raise KeyboardInterrupt

    return calls, captioner.encoder.register_forward_pre_hook(fail)


def test_kept_features_are_what_the_encoder_makes(tmp_path):
    captioner = model()
    kept = quiet(captioner, SCENES, tmp_path / "train", batch=4)
    made = captioner.eval().encode(SCENES.images)
    assert kept.images.dtype == np.float16
    assert kept.images.shape == (10, 64, 5)
    assert torch.allclose(torch.tensor(kept.images).float(), made, rtol=1e-3, atol=1e-6)
    assert listing(tmp_path / "train") == ["features.npy", "manifest.json"]


def test_features_are_mapped_and_cannot_be_written(tmp_path):
    kept = quiet(model(), SCENES, tmp_path)
    assert isinstance(kept.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        kept.images[0] = 0


def test_items_are_those_of_the_data(tmp_path):
    kept = quiet(model(), SCENES, tmp_path)
    assert len(kept) == 10
    assert (kept.ids, kept.captions) == (SCENES.ids, SCENES.captions)
    assert kept[3].objects[0].kind == SCENES[3].objects[0].kind
    assert [one.id for one in kept] == SCENES.ids


@pytest.mark.parametrize("shape", [{}, {"attention": False}, {"features": "pooled"}])
def test_training_on_features_is_training_on_pictures(tmp_path, shape):
    """To float16's precision: the encoder is frozen, so what it makes never changes. Features in
    another order would be told: a model that minds them does not come to the same losses."""
    config = TrainConfig(steps=4, batch=4, log_every=1, warmup=2, device="cpu")

    def loud():
        learner = model(**shape)
        with torch.no_grad():
            for parameter in learner.parameters():
                parameter.mul_(3)
        return learner

    def losses(data):
        return [row["loss"] for row in train(loud(), VOCABULARY, data, config, report=None)]

    kept = quiet(loud(), SCENES, tmp_path)
    on_pictures = losses(SCENES)
    assert losses(kept) == pytest.approx(on_pictures, rel=1e-4)
    assert losses(Featured(kept.images[::-1], SCENES)) != pytest.approx(on_pictures, rel=1e-3)


def test_evaluation_on_features_is_evaluation_on_pictures(tmp_path):
    captioner = model()
    trained = Trained(captioner.eval(), VOCABULARY)
    found = [
        evaluate(trained, data, beam=2, max_len=8, report=None)
        for data in (SCENES, quiet(captioner, SCENES, tmp_path))
    ]
    nats = [one.measures.nats_per_token for one in found]
    assert nats[0] == pytest.approx(nats[1], rel=1e-4)
    assert found[0].measures.object_f1 == found[1].measures.object_f1
    assert found[1].objects is not None


def test_a_finished_cache_is_not_made_again(tmp_path):
    captioner = model()
    first = quiet(captioner, SCENES, tmp_path)
    calls, _ = cut_off(captioner, after=0)
    again = quiet(captioner, SCENES, tmp_path)
    assert calls == []
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.images, open_features(tmp_path, captioner, SCENES).images)


@pytest.mark.parametrize("after", [0, 2])
def test_a_cache_that_was_cut_off_is_gone_on_with(tmp_path, after):
    captioner = model()
    whole = np.array(quiet(captioner, SCENES, tmp_path / "whole", batch=3).images)
    calls, hook = cut_off(captioner, after)
    with pytest.raises(KeyboardInterrupt):
        quiet(captioner, SCENES, tmp_path / "cut", batch=3)
    assert listing(tmp_path / "cut") == ["features.npy", "progress.json"]
    with pytest.raises(FileNotFoundError, match="is not finished"):
        open_features(tmp_path / "cut", captioner, SCENES)
    hook.remove()
    calls, _ = cut_off(captioner, after=99)
    kept = quiet(captioner, SCENES, tmp_path / "cut", batch=3)
    assert sum(calls) == 10 - 3 * after
    assert np.array_equal(kept.images, whole)
    assert listing(tmp_path / "cut") == ["features.npy", "manifest.json"]


def test_a_killed_run_goes_on_from_what_it_kept(tmp_path, monkeypatch):
    """Nothing runs after a kill: only what was kept on the way is there."""
    monkeypatch.setattr(features, "SAVE_SECONDS", 0.0)
    captioner, kept = model(), {}
    write = features._write_json

    def remember(path, facts):
        write(path, facts)
        kept.setdefault(facts.get("done"), path.read_text())

    monkeypatch.setattr(features, "_write_json", remember)
    whole = np.array(quiet(captioner, SCENES, tmp_path, batch=3).images)
    assert list(kept) == [0, 3, 6, 9, 10, None]
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "progress.json").write_text(kept[6])
    mapped = np.lib.format.open_memmap(tmp_path / "features.npy", "r+")
    mapped[6:] = np.nan
    mapped.flush()
    assert np.array_equal(quiet(captioner, SCENES, tmp_path, batch=3).images, whole)


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("changes", "data", "message"),
    [
        ({"seed": 1}, SCENES, r"an encoder with other weights: weights is \w{12}\.\.\. there"),
        ({"features": "pooled"}, SCENES, "other features: features is 'grid' there and 'pooled'"),
        ({"channels": (3, 4, 6)}, SCENES, "an encoder with other weights"),
        ({}, Scenes("val", n=10), "other pictures: pictures is"),
        ({}, Scenes("train", n=9), "other pictures"),
    ],
)
def test_a_cache_of_something_else_is_refused(tmp_path, finished, changes, data, message):
    captioner = model()
    if finished:
        quiet(captioner, SCENES, tmp_path)
    else:
        cut_off(captioner, after=1)
        with pytest.raises(KeyboardInterrupt):
            quiet(captioner, SCENES, tmp_path, batch=3)
    with pytest.raises(ValueError, match=message) as refused:
        quiet(model(**changes), data, tmp_path)
    assert "remove the folder, or choose another" in str(refused.value)


def test_one_changed_pixel_or_another_order_is_other_pictures(tmp_path):
    images, ids, captions = SCENES.images.copy(), list(SCENES.ids), SCENES.captions
    quiet(model(), CaptionedImages(images, captions, ids), tmp_path)
    other = images.copy()
    other[7, 3, 5, 1] ^= 1
    for changed in (
        CaptionedImages(other, captions, ids),
        CaptionedImages(images, captions, ids[::-1]),
        CaptionedImages(images[::-1], captions, ids),
    ):
        with pytest.raises(ValueError, match="other pictures"):
            open_features(tmp_path, model(), changed)


def test_other_captions_of_the_same_pictures_are_welcome(tmp_path):
    quiet(model(), SCENES, tmp_path)
    other = CaptionedImages(SCENES.images, [["a red box"]] * 10, SCENES.ids)
    assert open_features(tmp_path, model(), other).captions == [["a red box"]] * 10


def test_the_sentences_part_of_the_model_does_not_matter(tmp_path):
    captioner = model()
    quiet(captioner, SCENES, tmp_path)
    with torch.no_grad():
        captioner.output.bias.add_(1.0)
    assert len(open_features(tmp_path, captioner, SCENES)) == 10


def test_an_encoder_that_learns_is_refused(tmp_path):
    for captioner in (model(frozen=False), model(image=False)):
        with pytest.raises(ValueError, match="of a frozen encoder alone"):
            quiet(captioner, SCENES, tmp_path)
    assert listing(tmp_path) == []


def test_features_that_float16_cannot_hold_are_refused(tmp_path):
    captioner = model()
    with torch.no_grad():
        captioner.encoder.places[2, 1] = 1e6
    with pytest.raises(ValueError, match="above 65,504"):
        quiet(captioner, SCENES, tmp_path)
    assert "manifest.json" not in listing(tmp_path)


def test_the_model_is_left_in_the_mode_it_was_in(tmp_path):
    captioner = model().train()
    quiet(captioner, SCENES, tmp_path)
    assert captioner.training
    assert not captioner.encoder.training


def test_damage_is_told(tmp_path):
    captioner = model()
    quiet(captioner, SCENES, tmp_path)
    file, manifest = tmp_path / "features.npy", tmp_path / "manifest.json"
    content, facts = file.read_bytes(), manifest.read_text()
    file.write_bytes(content[:-100])
    with pytest.raises(ValueError, match="missing or damaged"):
        open_features(tmp_path, captioner, SCENES)
    np.save(file, np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"holds float32 \(2, 3\): expected float16 \(10, 64, 5\)"):
        open_features(tmp_path, captioner, SCENES)
    file.unlink()
    with pytest.raises(ValueError, match="missing or damaged"):
        open_features(tmp_path, captioner, SCENES)
    manifest.write_text(facts[:50])
    with pytest.raises(ValueError, match=r"manifest\.json is damaged"):
        open_features(tmp_path, captioner, SCENES)
    manifest.write_text(json.dumps(json.loads(facts) | {"format": 2}))
    with pytest.raises(ValueError, match="another format: format is 2 there and 1 here"):
        open_features(tmp_path, captioner, SCENES)


def test_a_file_of_unknown_origin_is_not_overwritten(tmp_path):
    (tmp_path / "features.npy").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"no manifest\.json says of what"):
        quiet(model(), SCENES, tmp_path)
    assert (tmp_path / "features.npy").read_bytes() == b"mine"


def test_where_nothing_was_kept_the_way_to_keep_it_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cache_features\(model, data, folder\) makes"):
        open_features(tmp_path / "none", model(), SCENES)


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    usage = features.shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(features.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="the features of 10 pictures take"):
        quiet(model(), SCENES, tmp_path)
    assert listing(tmp_path) == []


def test_the_manifest_says_what_the_features_are_of(tmp_path):
    quiet(model(), SCENES, tmp_path)
    facts = json.loads((tmp_path / "manifest.json").read_text())
    assert facts["encoder"] == "convnet"
    assert (facts["features"], facts["image_size"], facts["format"]) == ("grid", 64, 1)
    assert facts["shape"] == [10, 64, 5]
    assert facts["versions"]["torch"]
    assert "done" not in facts


def test_pictures_in_files_are_not_all_read_to_know_them(tmp_path):
    """A sample stands for them, so that opening a cache of a hundred thousand photographs is not
    as slow as making it."""

    class Files:
        """As `PictureFiles`: no array, read when asked for."""

        dtype, ndim, shape, read = np.dtype(np.uint8), 4, (2000, 64, 64, 3), 0

        def __len__(self):
            return 2000

        def __getitem__(self, chosen):
            places = np.arange(2000)[chosen]
            self.read += places.size
            return np.zeros((places.size, 64, 64, 3), np.uint8) + places[:, None, None, None] % 256

    class Data:
        images, ids = Files(), [str(i) for i in range(2000)]

        def __len__(self):
            return 2000

    features._pictures_sum(Data())
    assert 0 < Data.images.read <= 300
