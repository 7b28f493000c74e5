"""The command line, as a newcomer and as a script meet it."""

import errno
import json
from pathlib import Path

import pytest
from PIL import Image

from cs_caption.__main__ import main
from cs_caption.data import Scenes

pytest.importorskip("torch")
TINY = ["--steps", "4", "--pictures", "60", "--batch", "8"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert main(["train", "--out", str(folder), *TINY]) == 0
    return folder


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "scene.png"
    Image.fromarray(Scenes("test", n=1)[0].image).save(path)
    return path


def caption(run_folder, *words):
    return main(["caption", "--model", str(run_folder), *map(str, words)])


def test_train_says_where_the_model_is_and_what_to_do_next(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path / "new"), *TINY, "--no-attention"]) == 0
    said = capsys.readouterr()
    assert "loss" in said.out
    assert f"python -m cs_caption caption PICTURE --model {tmp_path / 'new'}" in said.out
    assert said.err == ""


def test_train_goes_on_where_it_stopped(run_folder, capsys):
    assert main(["train", "--out", str(run_folder), *TINY]) == 0
    assert "going on from" in capsys.readouterr().out


def test_train_refuses_another_recipe_in_the_same_folder(run_folder, capsys):
    assert main(["train", "--out", str(run_folder), *TINY, "--lr", "0.5"]) == 2
    assert "belongs to another run" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--steps", "0"], ["--lr", "-1"], ["--pictures", "0"]])
def test_train_refuses_what_cannot_be_before_any_work(tmp_path, capsys, wrong):
    assert main(["train", "--out", str(tmp_path / "x"), *TINY, *wrong]) == 2
    assert wrong[0].strip("-")[:4] in capsys.readouterr().err or wrong[0] == "--pictures"
    assert not (tmp_path / "x").exists()


def test_a_full_disk_is_an_error_in_words(tmp_path, capsys, monkeypatch):
    def write_bytes(self, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    assert main(["train", "--out", str(tmp_path / "x"), *TINY]) == 2
    assert "the disk is full" in capsys.readouterr().err


def test_caption_answers_a_line_a_picture(run_folder, picture, capsys):
    assert caption(run_folder, picture, picture) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert len(lines) == 2
    assert all(line.startswith(f"{picture}: ") for line in lines)


def test_caption_shows_the_n_best_with_log_probabilities(run_folder, picture, capsys):
    assert caption(run_folder, picture, "--json", "--n-best", 3, "--beam", 4) == 0
    answer = json.loads(capsys.readouterr().out)
    found = [one["log_prob"] for one in answer["n_best"]]
    assert len(found) == 3
    assert found == sorted(found, reverse=True)
    best = answer["n_best"][0]
    assert len(best["words"]) == len(best["log_probs"])
    assert sum(best["log_probs"]) == pytest.approx(best["log_prob"], abs=1e-4)


def test_caption_says_when_a_picture_is_unlike_the_training_pictures(run_folder, tmp_path, capsys):
    noise = tmp_path / "noise.png"
    Image.effect_noise((300, 200), 120).convert("RGB").save(noise)
    assert caption(run_folder, noise) == 0
    assert "unlike what the model was trained on" in capsys.readouterr().out


def test_caption_goes_on_after_a_bad_picture_and_says_so(run_folder, picture, tmp_path, capsys):
    text = tmp_path / "not.png"
    text.write_text("no picture")
    cut = tmp_path / "cut.png"
    cut.write_bytes(picture.read_bytes()[:200])
    assert caption(run_folder, tmp_path / "gone.png", text, cut, picture) == 1
    said = capsys.readouterr()
    assert f"{picture}: " in said.out
    assert "there is no file" in said.err
    assert "no picture" in said.err
    assert "truncated" in said.err
    assert "3 of 4 pictures" in said.err


def test_caption_of_nothing_readable_did_nothing(run_folder, tmp_path):
    assert caption(run_folder, tmp_path / "gone.png") == 2


def test_caption_asks_for_a_beam_wide_enough(run_folder, picture, capsys):
    assert caption(run_folder, picture, "--n-best", 6, "--beam", 5) == 2
    assert "width of the beam" in capsys.readouterr().err


def test_a_missing_model_is_said_with_the_way_to_one(tmp_path, picture, capsys):
    assert caption(tmp_path / "none", picture) == 2
    assert "train a captioner first" in capsys.readouterr().err


def test_a_checkpoint_of_another_shape_is_named(run_folder, tmp_path, picture, capsys):
    model = tmp_path / "model"
    model.mkdir()
    for file in (run_folder / "model").iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    facts = json.loads((model / "captioner.json").read_text())
    facts["config"]["hidden"] = 32
    (model / "captioner.json").write_text(json.dumps(facts))
    assert caption(model, picture) == 2
    assert "do not fit" in capsys.readouterr().err


def test_evaluate_prints_and_writes_its_figures(run_folder, tmp_path, capsys):
    out = tmp_path / "figures.json"
    words = ["--model", str(run_folder), "--pictures", "40", "--beam", "2", "--out", str(out)]
    assert main(["evaluate", *words]) == 0
    figures = json.loads(out.read_text())
    assert figures["pictures"] == 40
    assert 0 <= figures["object_f1"] <= 1
    assert "CIDEr-D" in capsys.readouterr().out
