import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption import checkpoint  # noqa: E402
from cs_caption.checkpoint import (  # noqa: E402
    Damaged,
    load_captioner,
    load_weights,
    newest_checkpoint,
    read_saved,
    save_captioner,
    save_checkpoint,
)
from cs_caption.data import Vocabulary  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402

VOCABULARY = Vocabulary.build(["a red box", "a blue disc on grey"])
SMALL = {"channels": (3, 4, 5), "word_dim": 6, "hidden": 7, "attention_dim": 8}


def small(**changes) -> Captioner:
    torch.manual_seed(0)
    return Captioner(CaptionerConfig(len(VOCABULARY), **{**SMALL, **changes}))


def steps(folder, count=1, keep=9, model=None):
    model = model or small()
    for step in range(1, count + 1):
        tensors = {"rng": {"cpu": torch.arange(step)}}
        save_checkpoint(folder, step * 10, model, VOCABULARY, tensors, {"n": step}, keep=keep)
    return sorted(path.name for path in folder.iterdir())


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def flip(file):
    content = bytearray(file.read_bytes())
    content[-50] ^= 1
    file.write_bytes(content)


def edit(folder, **changes):
    file = folder / "captioner.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def same_weights(one, other) -> bool:
    here, there = one.state_dict(), other.state_dict()
    return here.keys() == there.keys() and all(torch.equal(here[k], there[k]) for k in here)


@pytest.mark.parametrize("shape", [{}, {"attention": False}, {"image": False}])
def test_a_saved_captioner_comes_back_to_the_bit(tmp_path, shape):
    model = small(**shape)
    extra = {"mean": torch.rand(3, dtype=torch.float64), "limit": torch.tensor(2.5)}
    folder = save_captioner(tmp_path / "m", model, VOCABULARY, {"steps": 3}, extra=extra)
    trained = load_captioner(folder, "cpu")
    assert same_weights(trained.model, model)
    assert trained.model.config == model.config
    assert not trained.model.training
    assert trained.vocabulary.words == VOCABULARY.words
    assert trained.info == {"steps": 3}
    assert trained.extra.keys() == extra.keys()
    assert all(torch.equal(trained.extra[name], extra[name]) for name in extra)


def test_a_loaded_captioner_says_the_same(tmp_path):
    model = small().eval()
    trained = load_captioner(save_captioner(tmp_path / "m", model, VOCABULARY), "cpu")
    images = np.random.RandomState(0).randint(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    tokens = torch.tensor([[1, 5, 6], [1, 7, 0]])
    assert torch.equal(model(images, tokens), trained.model(images, tokens))
    assert trained.extra == {}
    assert trained.info == {}


def test_nothing_on_disk_is_a_pickle(tmp_path):
    save_captioner(tmp_path / "m", small(), VOCABULARY, extra={"x": torch.zeros(1)})
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert names == {"captioner.json", "model.safetensors", "extra.safetensors"}


def test_a_folder_that_is_there_is_replaced_only_when_asked(tmp_path):
    folder = save_captioner(tmp_path / "m", small(), VOCABULARY, {"run": 1})
    with pytest.raises(FileExistsError, match="is there already"):
        save_captioner(folder, small(), VOCABULARY, {"run": 2})
    assert load_captioner(folder, "cpu").info == {"run": 1}
    save_captioner(folder, small(), VOCABULARY, {"run": 2}, replace=True)
    assert load_captioner(folder, "cpu").info == {"run": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_what_is_no_captioner_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("1")
    with pytest.raises(ValueError, match="holds no captioner: it is not replaced"):
        save_captioner(tmp_path / "thesis", small(), VOCABULARY, replace=True)
    assert (tmp_path / "thesis" / "chapter").read_text() == "1"


def test_a_failed_save_leaves_the_old_captioner(tmp_path, monkeypatch):
    folder = save_captioner(tmp_path / "m", small(), VOCABULARY, {"run": 1})

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="the disk is full"):
        save_captioner(folder, small(), VOCABULARY, {"run": 2}, replace=True)
    assert load_captioner(folder, "cpu").info == {"run": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_run_folder_gives_its_model_else_its_newest_checkpoint(tmp_path):
    steps(tmp_path / "checkpoints", 3)
    assert same_weights(load_captioner(tmp_path, "cpu").model, small())
    assert load_captioner(tmp_path / "checkpoints", "cpu").model.config == small().config
    assert load_captioner(tmp_path / "checkpoints" / "step_000010", "cpu")
    save_captioner(tmp_path / "model", small(hidden=9), VOCABULARY)
    assert load_captioner(tmp_path, "cpu").model.config.hidden == 9


def test_the_newest_whole_checkpoint_is_found_and_the_torn_ones_are_named(tmp_path):
    steps(tmp_path, 4)
    cut(tmp_path / "step_000040" / "model.safetensors")
    (tmp_path / "step_000030" / "captioner.json").unlink()
    (tmp_path / "step_000050").mkdir()
    (tmp_path / "step_x").mkdir()
    saved, passed_over = newest_checkpoint(tmp_path)
    assert saved.path.name == "step_000020"
    assert saved.facts["n"] == 2
    assert torch.equal(saved.tensors["rng"]["cpu"], torch.arange(2))
    names = ("step_000050", "step_000040", "step_000030")
    assert all(name in why for name, why in zip(names, passed_over, strict=True))


def test_an_empty_or_absent_folder_has_no_checkpoint(tmp_path):
    assert newest_checkpoint(tmp_path) == newest_checkpoint(tmp_path / "none") == (None, [])


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    (tmp_path / ".step_000007.x1").mkdir()  # left by a process that was killed
    (tmp_path / "notes").mkdir()
    assert steps(tmp_path, 5, keep=2) == ["notes", "step_000040", "step_000050"]


def test_a_torn_checkpoint_is_written_anew(tmp_path):
    steps(tmp_path)
    cut(tmp_path / "step_000010" / "rng.safetensors")
    steps(tmp_path)
    assert newest_checkpoint(tmp_path)[0].facts["step"] == 10


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda f: cut(f / "model.safetensors"), "model.safetensors is damaged"),
        (lambda f: flip(f / "model.safetensors"), "model.safetensors is damaged"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "model.safetensors is damaged"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda f: cut(f / "captioner.json"), "captioner.json is damaged"),
        (lambda f: (f / "captioner.json").write_text("[]"), "captioner.json is damaged"),
        (lambda f: (f / "captioner.json").write_bytes(b"\xff\xfe"), "captioner.json is damaged"),
        (lambda f: edit(f, config={"vocab_size": "x"}), "does not describe a captioner"),
        (lambda f: edit(f, config={"vocab_size": 40, "wings": 2}), "does not describe a captioner"),
        (lambda f: edit(f, vocabulary={"words": []}), "does not describe a captioner"),
        (lambda f: edit(f, files={}), "do not fit this model"),
    ],
)
def test_a_damaged_model_is_refused_with_the_file_named(tmp_path, harm, words):
    folder = save_captioner(tmp_path / "m", small(), VOCABULARY)
    harm(folder)
    with pytest.raises(ValueError, match=words):
        load_captioner(folder, "cpu")
    with pytest.raises(ValueError, match=words):
        load_captioner(shutil.move(folder, tmp_path / "model").parent, "cpu")


def test_a_newer_format_is_refused_and_not_passed_over(tmp_path):
    steps(tmp_path, 2)
    edit(tmp_path / "step_000020", format=checkpoint.FORMAT + 1)
    with pytest.raises(ValueError, match="has format 2, newer than this cs_caption reads") as why:
        newest_checkpoint(tmp_path)
    assert not isinstance(why.value, Damaged)
    with pytest.raises(ValueError, match="update cs_caption"):
        load_captioner(tmp_path, "cpu")


def test_weights_of_another_shape_are_refused_with_both_shapes(tmp_path):
    saved = read_saved(save_captioner(tmp_path / "m", small(), VOCABULARY))
    with pytest.raises(ValueError, match=r"query.weight is \(8, 13\) there and \(8, 15\) here"):
        load_weights(small(hidden=9), saved)
    with pytest.raises(ValueError, match=r"attention.keys.bias is .* there and absent here"):
        load_weights(small(attention=False), saved)


def test_a_vocabulary_that_does_not_fit_the_model_is_refused(tmp_path):
    folder = save_captioner(tmp_path / "m", small(), VOCABULARY)
    edit(folder, vocabulary=Vocabulary.build(["one two"]).to_json())
    with pytest.raises(ValueError, match="holds 6 words for a model of 11"):
        load_captioner(folder, "cpu")


def test_a_path_that_holds_nothing_says_what_was_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match="none is not there: train a captioner first"):
        load_captioner(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no captioner: expected"):
        load_captioner(tmp_path)
    (tmp_path / "cat.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"cat.png is a file: name the folder"):
        load_captioner(tmp_path / "cat.png")


def test_a_run_whose_every_checkpoint_is_torn_says_so(tmp_path):
    steps(tmp_path / "checkpoints", 2)
    for folder in (tmp_path / "checkpoints").iterdir():
        cut(folder / "model.safetensors")
    with pytest.raises(Damaged, match="no checkpoint there is whole"):
        load_captioner(tmp_path, "cpu")
