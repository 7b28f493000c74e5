"""The command line, as a newcomer and as a script meet it."""

import errno
import json
import re
from pathlib import Path

import pytest
from exports import EXPORTS, export_folder
from PIL import Image

from cs_caption.__main__ import main
from cs_caption.checkpoint import load_captioner, newest_checkpoint
from cs_caption.data import Scenes

pytest.importorskip("torch")
TINY = ["--steps", "4", "--pictures", "60", "--batch", "8"]
FEW = ["--steps", "3", "--batch", "4", "--min-count", "1", "--device", "cpu"]


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


def said_by(run_folder, picture, capsys, *flags):
    """The n-best of a picture, as JSON has them."""
    capsys.readouterr()
    assert caption(run_folder, picture, "--json", *flags) == 0
    return json.loads(capsys.readouterr().out)["n_best"]


def test_caption_searches_as_it_is_asked_to(run_folder, picture, capsys):
    plain = said_by(run_folder, picture, capsys)[0]
    word = next(w for w in ("star", "circle", "square") if w not in plain["caption"].split())
    required = said_by(run_folder, picture, capsys, "--require", word)[0]
    assert word in required["words"]
    longer = said_by(run_folder, picture, capsys, "--min-len", 25, "--max-len", 28)[0]
    assert 25 <= len(longer["words"]) <= 28
    groups = ("--groups", 4, "--diversity", 9, "--beam", 4, "--n-best", 4)
    first = {one["words"][0] for one in said_by(run_folder, picture, capsys, *groups)}
    assert len(first) == 4


def test_caption_draws_the_same_with_the_same_seed(run_folder, picture, capsys):
    flags = ("--sample", "--n-best", 3, "--temperature", 1.5, "--top-p", 0.9, "--top-k", 20)
    first, again = (said_by(run_folder, picture, capsys, *flags, "--seed", 1) for _ in range(2))
    other = said_by(run_folder, picture, capsys, *flags, "--seed", 2)
    assert first == again
    assert first != other
    assert [one["log_prob"] for one in first] == sorted(
        (one["log_prob"] for one in first), reverse=True
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--require", "zebra"), "zebra: the captioner does not know"),
        (("--require", "<UNK>"), "does not know"),
        (("--sample", "--min-len", 3), "leave out"),
        (("--sample", "--temperature", 0), "temperature"),
        (("--length-penalty", -1), "length_penalty"),
    ],
)
def test_caption_refuses_settings_that_make_no_sense(run_folder, picture, capsys, flags, words):
    assert caption(run_folder, picture, *flags) == 2
    assert words in capsys.readouterr().err


def test_the_captioner_that_comes_with_the_package_is_named_by_one_word(picture, capsys):
    assert caption("rich", picture) == 0
    assert f"{picture}: " in capsys.readouterr().out


def test_caption_says_when_a_picture_is_unlike_the_training_pictures(run_folder, tmp_path, capsys):
    noise = tmp_path / "noise.png"
    Image.effect_noise((300, 200), 120).convert("RGB").save(noise)
    assert caption(run_folder, noise) == 0
    assert "unlike what the model was trained on" in capsys.readouterr().out


def test_caption_explains_itself_on_a_page(run_folder, picture, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert caption(run_folder, "--n-best", 2, "--explain", page, picture, picture) == 0
    said = capsys.readouterr().out
    assert f"The page to look at: {page}" in said
    html = page.read_text(encoding="utf-8")
    words = said.splitlines()[0].removeprefix(f"{picture}: ").split()
    first, second = html.split("<section")[1:]
    for card in (first, second):
        assert re.findall(r"<summary[^>]*>(.*?)</summary>", card) == words
        assert card.count("<tr>") == 3  # a head and two sentences
        assert str(picture) in card
    assert "Sentences found by a beam of 5" in html
    assert "which learnt from 60 simple scenes" in html


def test_caption_explains_drawn_sentences_and_keeps_lines_of_json_clean(
    run_folder, picture, tmp_path, capsys
):
    page = tmp_path / "page.html"
    flags = ("--json", "--sample", "--n-best", 3, "--explain", page)
    assert caption(run_folder, picture, *flags) == 0
    said = capsys.readouterr()
    (best, *_) = json.loads(said.out)["n_best"]  # the whole of stdout is one object
    assert f"The page to look at: {page}" in said.err
    html = page.read_text(encoding="utf-8")
    assert re.findall(r"<summary[^>]*>(.*?)</summary>", html) == best["caption"].split()
    assert "drawn at random" in html


def test_a_page_holds_the_pictures_of_every_batch_in_order(
    run_folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("cs_caption.commands.caption.BATCH", 2)
    folder, page = tmp_path / "pictures", tmp_path / "page.html"
    folder.mkdir()
    for k, scene in enumerate(Scenes("test", n=5)):
        Image.fromarray(scene.image).save(folder / f"{k}.png")
    assert caption(run_folder, folder, "--explain", page) == 0
    cards = page.read_text(encoding="utf-8").split("<section")[1:]
    lines = capsys.readouterr().out.splitlines()
    assert len(cards) == 5
    for k, (card, line) in enumerate(zip(cards, lines[:5], strict=True)):
        name, said = line.split(": ")
        assert name == str(folder / f"{k}.png")
        assert name in card
        assert re.findall(r"<summary[^>]*>(.*?)</summary>", card) == said.split()


def test_a_page_says_that_a_picture_is_unlike_the_training_pictures(run_folder, tmp_path):
    noise = tmp_path / "noise.png"
    Image.effect_noise((300, 200), 120).convert("RGB").save(noise)
    page = tmp_path / "page.html"
    assert caption(run_folder, noise, "--explain", page) == 0
    assert "This picture is unlike what the model was trained on (60" in page.read_text("utf-8")


def test_a_page_shows_the_pictures_that_could_be_read_or_is_not_written(
    run_folder, picture, tmp_path, capsys
):
    page = tmp_path / "page.html"
    assert caption(run_folder, tmp_path / "gone.png", "--explain", page) == 2
    assert not page.exists()
    assert caption(run_folder, tmp_path / "gone.png", picture, "--explain", page) == 1
    assert page.read_text("utf-8").count("<section") == 1
    assert "1 of 2 pictures" in capsys.readouterr().err


def test_a_page_is_refused_before_any_work_where_it_cannot_be(
    run_folder, picture, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("cs_caption.commands.caption.MOST_EXPLAINED", 1)
    photo = tmp_path / "mine.jpg"
    photo.write_bytes(picture.read_bytes())
    for flags, words in [
        (("--explain", photo, picture), "first comes the page to write"),
        (("--explain", tmp_path, picture), "is a folder"),
        (("--explain", tmp_path / "none" / "a.html", picture), f"no folder {tmp_path / 'none'}"),
        (("--explain", photo / "a.html", picture), "there is no folder"),
        (("--explain", tmp_path / "a.html", picture, picture), "2 are too many"),
    ]:
        assert caption(run_folder, *flags) == 2
        said = capsys.readouterr()
        assert words in said.err
        assert said.out == ""
    assert photo.read_bytes() == picture.read_bytes()
    assert not (tmp_path / "a.html").exists()
    assert not (tmp_path / "none").exists()


def test_a_model_without_attention_has_nothing_to_explain(picture, tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path / "run"), *TINY, "--no-attention"]) == 0
    capsys.readouterr()
    page = tmp_path / "page.html"
    assert caption(tmp_path / "run", "--explain", page, picture) == 2
    said = capsys.readouterr()
    assert "this one has no attention" in said.err
    assert "rich has it" in said.err
    assert said.out == ""
    assert not page.exists()


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


# A folder of captioned pictures.


def train(data, out, *more):
    return main(["train", "--data", str(data), "--out", str(out), *FEW, *map(str, more)])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return export_folder(tmp_path / "photos")


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_kind_of_folder_is_checked_trained_on_evaluated_and_captioned(kind, tmp_path, capsys):
    (tmp_path / kind).mkdir()
    data, out = EXPORTS[kind](tmp_path / kind), tmp_path / "run"
    assert main(["data", str(data)]) == 0
    said = capsys.readouterr().out
    assert f"{data}: {kind}" in said
    assert "12 pictures        60 captions" in said
    assert f"train --data {data}" in said
    assert train(data, out) == 0
    assert "12 pictures, 60 captions" in capsys.readouterr().out
    assert load_captioner(out).info["data"] == f"12 pictures of {kind}"
    words = ["--data", str(data), "--model", str(out), "--beam", "2", "--device", "cpu"]
    assert main(["evaluate", *words]) == 0
    split = "val" if kind.startswith("coco") else "test"  # COCO's test captions are secret
    assert f"4 pictures of {kind}, {split}, beam 2" in capsys.readouterr().out
    shown = next(path.parent for path in sorted(data.rglob("*.[jp][pn]g")))
    assert caption(out, shown, "--beam", 2) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line[0] != " "]
    assert [line.split(": ")[0] for line in lines] == [str(p) for p in sorted(shown.iterdir())]


def test_what_is_wrong_with_a_folder_is_listed_and_skipped_only_when_told_to(
    folder, tmp_path, capsys
):
    (folder / "train/2.png").write_text("404")
    assert main(["data", str(folder)]) == 1
    assert "wrong: 1 pictures that cannot be read: train/2.png" in capsys.readouterr().out
    assert train(folder, tmp_path / "run") == 2
    said = capsys.readouterr().err
    assert "train/2.png" in said
    assert "--skip-broken" in said
    assert not (tmp_path / "run").exists()
    assert train(folder, tmp_path / "run", "--skip-broken") == 0
    said = capsys.readouterr().out
    assert "left out" in said
    assert "11 pictures, 55 captions" in said


def test_a_quick_look_at_a_folder_reads_headers_alone(folder, capsys):
    path = folder / "train/2.png"
    path.write_bytes(path.read_bytes()[:-100])
    assert main(["data", str(folder), "--quick"]) == 0
    assert "no picture was read to its end" in capsys.readouterr().out
    assert main(["data", str(folder)]) == 1


def test_a_folder_that_holds_no_data_did_nothing(tmp_path, capsys):
    assert main(["data", str(tmp_path)]) == 2
    assert "captions.csv with the columns" in capsys.readouterr().err


def test_without_a_val_split_some_training_pictures_are_held_out(folder, tmp_path, capsys):
    path = folder / "captions.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    path.write_text("\n".join(line for line in lines if not line.endswith("val")))
    assert train(folder, tmp_path / "run") == 0
    said = capsys.readouterr().out
    assert "11 pictures, 55 captions" in said
    assert "on held-out pictures" in said


def test_a_frozen_pretrained_encoder_looks_at_each_picture_once(folder, tmp_path, capsys):
    out, kept = tmp_path / "run", tmp_path / "kept"
    words = ["--weights", "scenes", "--freeze", "--cache", kept, "--cell", "gru"]
    assert train(folder, out, *words, "--inject", "merge", "--sampled", 10) == 0
    assert "encoding 12 of 12 pictures" in capsys.readouterr().out
    trained = load_captioner(out)
    config = trained.model.config
    assert (config.cell, config.inject, config.attention, config.frozen) == (
        *("gru", "merge"),
        *(False, True),
    )
    assert trained.info["encoder"].endswith("drawn scenes, frozen")
    assert train(folder, tmp_path / "again", *words, "--features", "pooled") == 2
    assert "other features" in capsys.readouterr().err
    words = ["--data", str(folder), "--model", str(out), "--cache", str(kept), "--beam", "1"]
    assert main(["evaluate", *words]) == 0
    noise = tmp_path / "noise.png"
    Image.effect_noise((300, 200), 120).convert("RGB").save(noise)
    capsys.readouterr()
    assert caption(out, noise) == 0
    assert "(12 pictures of photos; its encoder learnt beforehand" in capsys.readouterr().out


def test_a_model_learns_to_look_as_it_is_told(folder, tmp_path, capsys):
    words = ["--looking", "hard", "--gated", "--doubly-stochastic", 0.5, "--reward", 0.2]
    assert train(folder, tmp_path / "run", *words, "--entropy", 0.01) == 0
    trained = load_captioner(tmp_path / "run")
    assert (trained.model.config.looking, trained.model.config.gated) == ("hard", True)
    taught = newest_checkpoint(tmp_path / "run" / "checkpoints")[0].facts["info"]["train"]
    assert (taught["doubly_stochastic"], taught["reward"], taught["entropy"]) == (0.5, 0.2, 0.01)
    assert train(folder, tmp_path / "none", "--no-attention", *words) == 2
    assert "looking is 'hard' in a model without attention" in capsys.readouterr().err


def test_words_begin_with_the_vectors_of_a_file(folder, tmp_path, capsys):
    (tmp_path / "vectors.txt").write_text("a 1 2 3 4 5\nred 5 4 3 2 1\nzebra 0 0 0 0 1\n")
    assert train(folder, tmp_path / "run", "--vectors", tmp_path / "vectors.txt") == 0
    assert "vectors.txt has vectors of 2 of " in capsys.readouterr().out
    trained = load_captioner(tmp_path / "run")
    assert trained.model.config.word_dim == 5
    red = trained.model.words.weight[trained.vocabulary.words.index("red")].detach()
    same_way = red @ red.new_tensor([5, 4, 3, 2, 1]) / (red.norm() * 55**0.5)
    assert same_way > 0.99  # brought to the model's own size, and three steps later


def test_pictures_come_in_the_size_that_is_asked_for(folder, tmp_path):
    assert train(folder, tmp_path / "run", "--size", 32, "--no-attention") == 0
    assert load_captioner(tmp_path / "run").model.config.image_size == 32


def test_a_torchvision_encoder_reads_a_folder(folder, tmp_path):
    words = [
        "--encoder",
        "resnet18",
        "--size",
        "32",
        "--features",
        "pooled",
        "--encoder-lr",
        "1e-4",
    ]
    assert train(folder, tmp_path / "run", *words) == 0
    config = load_captioner(tmp_path / "run").model.config
    assert (config.encoder, config.attention) == ("resnet18", False)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--size", "32"], "--size is about a folder of pictures"),
        (["--kind", "coco"], "--kind is about a folder of pictures"),
        (["--skip-broken"], "--skip-broken is about a folder of pictures"),
        (["--data", ".", "--level", "rich"], "--level is about the built-in scenes"),
        (["--freeze"], "random weights"),
        (["--weights", "scenes", "--cache", "x"], "give --freeze with it"),
        (["--data", ".", "--pictures", "-1"], "--pictures -1: give 1 or more"),
        (["--data", "nowhere/at/all"], "there is no folder nowhere/at/all"),
    ],
)
def test_flags_that_do_not_go_together_are_refused_before_any_work(tmp_path, capsys, flags, words):
    assert main(["train", "--out", str(tmp_path / "x"), *flags]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_folder_without_pictures_has_nothing_to_caption(run_folder, tmp_path, capsys):
    assert caption(run_folder, tmp_path) == 2
    assert "has no picture in it" in capsys.readouterr().err
