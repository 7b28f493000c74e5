import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.checkpoint import load_captioner, newest_checkpoint  # noqa: E402
from cs_caption.data import CaptionedImages, Vocabulary  # noqa: E402
from cs_caption.losses import caption_loss  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.training import (  # noqa: E402
    TrainConfig,
    held_out_loss,
    learning_rate,
    train,
)

SMALL = {
    "image_size": 16,
    "channels": (4, 4, 6),
    "word_dim": 6,
    "hidden": 8,
    "attention_dim": 5,
    "dropout": 0.3,
}
COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 80, 220)}
FAST = TrainConfig(steps=30, batch=4, lr=0.01, warmup=5, device="cpu", report_seconds=1e9)


def coloured(n=12, seed=0) -> CaptionedImages:
    """Plain pictures, each with two or three captions that name its colour."""
    rng = np.random.RandomState(seed)
    names = [list(COLOURS)[i] for i in rng.randint(0, 3, n)]
    images = np.stack([np.tile(np.uint8(COLOURS[name]), (16, 16, 1)) for name in names])
    captions = [
        [f"all {name}", f"it is {name} here", f"{name}"][: 2 + i % 2]
        for i, name in enumerate(names)
    ]
    return CaptionedImages(images, captions)


DATA = coloured()
WORDS = Vocabulary.build(DATA.captions)


def new(**changes) -> Captioner:
    torch.manual_seed(0)
    return Captioner(CaptionerConfig(len(WORDS), **{**SMALL, **changes}))


def run(folder=None, config=FAST, model=None, data=DATA, **settings):
    """Train a new model and return (model, history, lines)."""
    model, lines = model or new(), []
    settings = {"report": lines.append, **settings}
    return model, train(model, WORDS, data, config, folder=folder, **settings), lines


class Killed(Exception):
    pass


def killed_after(step, folder, config=FAST, monkeypatch=None, model=None):
    """Train until `step` is done, then die without a chance to save."""
    with monkeypatch.context() as patch:
        original = torch.nn.utils.clip_grad_norm_
        steps = []

        def dying(*args):
            steps.append(None)
            if len(steps) > step:
                raise Killed
            return original(*args)

        patch.setattr(torch.nn.utils, "clip_grad_norm_", dying)
        with pytest.raises(Killed):
            run(folder, config, model)


def assert_same_bits(one: Captioner, other: Captioner) -> None:
    for (name, here), there in zip(
        one.state_dict().items(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(here, there), name


LEARN = replace(FAST, steps=80, batch=12, lr=0.03)


def learner(**changes) -> Captioner:
    return new(hidden=16, dropout=0.0, **changes)


def without_clock(history):
    clocks = ("seconds", "pictures_per_s")
    return [{k: v for k, v in row.items() if k not in clocks} for row in history]


# What is learnt.


def test_end_is_trained():
    model, _, _ = run(config=LEARN, model=learner())
    tokens = torch.tensor([WORDS.encode("red")[:2]])
    image = np.tile(np.uint8(COLOURS["red"]), (1, 16, 16, 1))
    assert (
        model(image, tokens)[0, 1].softmax(0)[Vocabulary.END] > 0.9
    )  # the one caption that begins so


@pytest.mark.parametrize("kind", [{}, {"attention": False}])
def test_training_learns_to_see_and_wrong_pictures_cost(kind):
    model, history, _ = run(config=LEARN, model=learner(**kind))
    assert history[-1]["loss"] < 0.6
    right = held_out_loss(model, WORDS, DATA)
    order = np.roll(np.arange(len(DATA)), 1)
    wrong = held_out_loss(model, WORDS, CaptionedImages(DATA.images[order], DATA.captions))
    assert wrong > right + 0.3


def test_a_blind_model_learns_the_words_and_does_not_mind_wrong_pictures():
    model, _, _ = run(config=LEARN, model=learner(image=False))
    order = np.arange(len(DATA))[::-1].copy()
    right = held_out_loss(model, WORDS, DATA)
    wrong = held_out_loss(model, WORDS, CaptionedImages(DATA.images[order], DATA.captions))
    assert right == pytest.approx(wrong)
    assert right < 1.2


def test_the_held_out_loss_is_that_of_every_caption_once_whatever_the_batch():
    model = new().eval()
    rows, total, count = WORDS.encode_batch([c for some in DATA.captions for c in some]), 0.0, 0
    of = np.repeat(np.arange(len(DATA)), [len(some) for some in DATA.captions])
    for row, i in zip(torch.from_numpy(rows), of, strict=True):
        real = row[row != 0]
        logits = model(DATA.images[i : i + 1], real[None, :-1])[0].log_softmax(1)
        total -= logits.gather(1, real[1:, None]).sum().item()
        count += len(real) - 1
    for batch in (1, 5, 100):
        assert held_out_loss(model, WORDS, DATA, batch=batch) == pytest.approx(
            total / count, abs=1e-5
        )


# The loop.


def test_the_rate_climbs_to_its_height_and_falls_on_a_cosine():
    config = TrainConfig(steps=110, warmup=10, lr=0.2, final_lr=0.1)
    rates = [learning_rate(step, config) for step in range(111)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[9] == rates[10] == 0.2
    assert rates[60] == pytest.approx(0.02 + 0.18 / 2)
    assert rates[110] == pytest.approx(0.02)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert learning_rate(0, replace(config, warmup=0)) == 0.2


def test_history_has_its_rows_and_the_caller_hears_of_pace_and_time_left():
    config = replace(FAST, log_every=10, val_every=15, report_seconds=0.0)
    _, history, lines = run(config=config, val=coloured(5, seed=1))
    assert [row["step"] for row in history] == [10, 15, 20, 30]
    assert [row["step"] for row in history if "val_loss" in row] == [15, 30]
    assert history[-1]["loss"] < history[0]["loss"]
    assert all(row["pictures_per_s"] > 0 for row in history)
    assert lines[0] == f"training on cpu, {torch.get_num_threads()} threads: 12 pictures, " + (
        f"30 captions, {len(WORDS)} words, {sum(p.numel() for p in new().parameters()):,} weights"
    )
    said = [line for line in lines if "pictures/s" in line]
    assert len(said) == 30
    assert said[6].startswith("step 7 of 30: loss ")
    assert said[6].endswith(" s left")


def test_lines_come_every_so_many_seconds_not_every_step():
    _, _, lines = run()
    assert len([line for line in lines if "pictures/s" in line]) == 1


def test_nothing_is_written_to_stderr_and_by_default_lines_go_to_stdout(capfd):
    train(new(), WORDS, DATA, replace(FAST, steps=3))
    captured = capfd.readouterr()
    assert captured.err == ""
    assert "trained 3 steps" in captured.out
    train(new(), WORDS, DATA, replace(FAST, steps=3), report=None)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop"])
def test_a_run_killed_and_resumed_ends_with_the_same_bits(tmp_path, monkeypatch, optimizer):
    config = replace(FAST, save_every=17, log_every=7, optimizer=optimizer)
    straight, history, _ = run(tmp_path / "straight", config)
    killed_after(20, tmp_path / "cut", config, monkeypatch)
    resumed, again, lines = run(tmp_path / "cut", config)
    assert any("going on from" in line and "after step 17" in line for line in lines)
    assert_same_bits(straight, resumed)
    assert without_clock(history) == without_clock(again)
    assert_same_bits(straight, load_captioner(tmp_path / "cut", "cpu").model)


def test_hard_attention_goes_on_with_the_same_draws_and_the_same_baseline(tmp_path, monkeypatch):
    config = replace(FAST, save_every=17, doubly_stochastic=0.5)
    straight, history, _ = run(config=config, model=new(looking="hard"))
    killed_after(20, tmp_path, config, monkeypatch, new(looking="hard"))
    saved, _ = newest_checkpoint(tmp_path / "checkpoints")
    assert saved.facts["progress"]["expected"] < 0
    resumed, again, _ = run(tmp_path, config, model=new(looking="hard"))
    assert_same_bits(straight, resumed)
    assert without_clock(history) == without_clock(again)


@pytest.mark.parametrize(
    "change", [{"reward": 0.0}, {"entropy": 1.0}, {"baseline": 0.0}, {"doubly_stochastic": 1.0}]
)
def test_each_part_of_hard_attentions_loss_changes_what_is_learnt(change):
    one, other = (
        run(config=replace(FAST, **some), model=new(looking="hard"))[0] for some in ({}, change)
    )
    assert not torch.equal(one.attention.score.weight, other.attention.score.weight)


def test_the_loss_in_the_history_is_that_of_the_words_alone():
    charged = replace(FAST, steps=1, doubly_stochastic=100.0)
    plain, heavy = (run(config=c)[1][0]["loss"] for c in (replace(FAST, steps=1), charged))
    assert plain == heavy


def test_what_has_no_meaning_for_a_models_attention_is_refused():
    with pytest.raises(ValueError, match=r"doubly_stochastic is 1\.0, but this model has no att"):
        run(config=replace(FAST, doubly_stochastic=1.0), model=new(attention=False))
    with pytest.raises(ValueError, match="sampled is 5: the rewards of hard attention need"):
        run(config=replace(FAST, sampled=5), model=new(looking="hard"))


def test_dropout_and_the_order_of_pictures_matter_to_that_test():
    straight, _, _ = run()
    for config, model in ((replace(FAST, seed=1), new()), (FAST, new(dropout=0.0))):
        other, _, _ = run(config=config, model=model)
        assert not torch.equal(straight.output.weight, other.output.weight)


def test_a_torn_checkpoint_is_passed_over_and_the_one_before_it_taken(tmp_path, monkeypatch):
    config = replace(FAST, save_every=8)
    straight, _, _ = run(config=config)
    killed_after(18, tmp_path, config, monkeypatch)
    torn = tmp_path / "checkpoints" / "step_000016" / "optimizer.safetensors"
    torn.write_bytes(torn.read_bytes()[:40])
    resumed, _, lines = run(tmp_path, config)
    assert any(line.startswith("passed over:") and str(torn) in line for line in lines)
    assert any("after step 8" in line for line in lines)
    assert_same_bits(straight, resumed)


def test_a_run_that_is_done_is_not_done_again(tmp_path):
    first, history, _ = run(tmp_path)
    again, rows, lines = run(tmp_path)
    assert_same_bits(first, again)
    assert rows == history
    assert not any("pictures/s" in line for line in lines)


def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(tmp_path):
    straight, _, _ = run()
    lines = []

    def press(line):
        lines.append(line)
        if line.startswith("step 11 "):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    config = replace(FAST, report_seconds=0.0)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, config, report=press)
    assert signal.getsignal(signal.SIGINT) is before
    assert lines[-1].startswith("stopped after step 12: saved in ")
    assert lines[-1].endswith("start the same run again to go on from there")
    resumed, _, _ = run(tmp_path)
    assert_same_bits(straight, resumed)


def test_ctrl_c_without_a_folder_says_that_nothing_was_saved():
    lines = []

    def press(line):
        lines.append(line)
        if line.startswith("training on"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(report=press)
    assert lines[-1] == "stopped after step 1: nothing was saved, as train was given no folder"


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_weights(
    tmp_path, monkeypatch
):
    original, calls = caption_loss, []

    def poisoned(logits, targets):
        calls.append(None)
        return original(logits, targets) * (float("nan") if len(calls) == 13 else 1.0)

    monkeypatch.setattr("cs_caption.objectives.caption_loss", poisoned)
    model = new()
    words = r"step 13: the loss is nan .*lower lr \(0.01\).*last good weights are in .*step_000010"
    with pytest.raises(ValueError, match=words):
        run(tmp_path, replace(FAST, save_every=5), model)
    assert all(p.isfinite().all() for p in model.parameters())
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step_000005", "step_000010"]


def test_a_gradient_that_is_not_finite_stops_the_run_too():
    model = new()
    model.output.weight.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(ValueError, match=r"step 1: .*nothing was saved"):
        run(model=model)


def test_the_callers_random_numbers_go_on_as_if_nothing_had_been_trained():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    model = new()
    torch.manual_seed(7)
    run(model=model)
    assert torch.equal(torch.rand(3), expected)


def test_bfloat16_trains_too():
    _, history, _ = run(config=replace(FAST, precision="bfloat16", steps=20, log_every=10))
    assert history[1]["loss"] < history[0]["loss"]


# Settings of the run.


def test_the_bias_begins_at_the_log_frequency_or_at_nothing():
    share = np.log((WORDS.counts + 1) / (WORDS.counts + 1).sum())
    tiny = replace(FAST, steps=1, lr=1e-9, warmup=0)
    assert run(config=tiny)[0].output.bias.tolist() == pytest.approx(share.tolist(), abs=1e-6)
    zero = run(config=replace(tiny, output_bias="zero"))[0].output.bias
    assert zero.abs().max() < 1e-6


def test_with_every_word_drawn_a_sampled_run_is_the_full_one():
    few = replace(FAST, steps=5)
    full, _, _ = run(config=few)
    everything, _, _ = run(config=replace(few, sampled=len(WORDS)))
    for one, other in zip(full.parameters(), everything.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_a_sampled_run_learns_and_its_held_out_loss_is_the_full_one():
    config = replace(FAST, steps=80, val_every=80)
    few, full = (run(config=replace(config, sampled=n), val=DATA)[1][-1] for n in (8, 0))
    assert few["val_loss"] < 1.6  # guessing by frequency costs 1.99
    assert few["loss"] < few["val_loss"] - 0.05  # of a few words only
    assert full["loss"] > full["val_loss"]  # with dropout


def test_a_frozen_encoder_is_the_same_after_training_and_features_train_as_pictures_do():
    model = new(frozen=True)
    before = {name: value.clone() for name, value in model.encoder.state_dict().items()}
    features = model.eval().encode(DATA.images).numpy()
    run(model=model)
    for name, value in model.encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    other = new(frozen=True)
    run(model=other, data=WithFeatures(features))
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-4)


class WithFeatures:
    """DATA with features in the place of its pictures."""

    def __init__(self, features):
        self.images, self.captions, self.ids = features, DATA.captions, DATA.ids

    def __len__(self):
        return len(self.images)


def test_an_encoder_may_have_a_rate_of_its_own():
    model, untouched = new(), new()
    run(config=replace(FAST, encoder_lr=1e-12, weight_decay=0.0), model=model)
    for name, weight in model.named_parameters():
        same = torch.allclose(weight, untouched.get_parameter(name), atol=1e-7)
        assert same == name.startswith("encoder."), name
    with pytest.raises(ValueError, match=r"encoder_lr is 0\.001, but this model has no encoder"):
        run(config=replace(FAST, encoder_lr=1e-3), model=new(frozen=True))


# What is refused, before any work.


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lr": 0.02}, "training differs: lr is 0.01 there and 0.02 here"),
        ({"steps": 40}, "training differs: steps is 30 there and 40 here"),
        ({"seed": 1}, "training differs: seed is 0 there and 1 here"),
    ],
)
def test_another_recipe_does_not_go_on_with_a_run(tmp_path, change, words):
    run(tmp_path)
    with pytest.raises(ValueError, match=words):
        run(tmp_path, replace(FAST, **change))


def test_another_model_vocabulary_or_data_does_not_go_on_with_a_run(tmp_path):
    run(tmp_path)
    with pytest.raises(ValueError, match="model differs: hidden is 8 there and 9 here"):
        run(tmp_path, model=new(hidden=9))
    with pytest.raises(ValueError, match="data differs: fingerprint is"):
        run(tmp_path, data=coloured(seed=5))
    words = Vocabulary(WORDS.words, WORDS.counts + 1)
    with pytest.raises(ValueError, match="vocabulary differs: counts is"):
        train(new(), words, DATA, FAST, folder=tmp_path, report=None)


def test_how_often_to_save_and_report_may_change_on_the_way(tmp_path, monkeypatch):
    straight, _, _ = run()
    killed_after(20, tmp_path, replace(FAST, save_every=10), monkeypatch)
    resumed, _, _ = run(tmp_path, replace(FAST, save_every=7, keep=1, log_every=3))
    assert_same_bits(straight, resumed)


def test_without_resume_a_folder_with_a_run_is_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(ValueError, match="holds the checkpoints of a run"):
        run(tmp_path, resume=False)


def test_data_that_cannot_be_trained_on_is_refused_by_name():
    def refused(words, data=DATA, model=None, config=FAST):
        with pytest.raises(ValueError, match=words):
            run(data=data, model=model, config=config)

    empty = CaptionedImages(np.zeros((0, 16, 16, 3), np.uint8), [])
    refused("there are no pictures", data=empty)
    refused("pictures of .*the model expects", model=new(image_size=24))
    words = ["red " * 59 + "red"]
    refused(
        "a caption has 62 tokens .*more than max_len=60.*'red red",
        data=CaptionedImages(DATA.images[:1], [words]),
    )
    torch.manual_seed(0)
    other = Captioner(CaptionerConfig(len(WORDS) + 1, **SMALL))
    refused("the vocabulary has 11 words, the model 12", model=other)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("batch", 2.5),
        ("captions", -1),
        ("keep", 0),
        ("warmup", -1),
        ("seed", -1),
        ("lr", 0.0),
        ("lr", float("nan")),
        ("clip", float("inf")),
        ("final_lr", 1.1),
        ("weight_decay", -0.1),
        ("report_seconds", -1.0),
        ("max_len", 2),
        ("optimizer", "sgd"),
        ("precision", "float16"),
        ("doubly_stochastic", -1.0),
        ("reward", float("inf")),
        ("entropy", -0.1),
        ("baseline", 1.0),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value!r}: expected"):
        TrainConfig(**{field: value})


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="device 'tpu' is not known"):
        run(config=replace(FAST, device="tpu"))


@pytest.mark.full
def test_a_process_killed_outright_goes_on_to_the_same_bits(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.test_training import *\n"
        "run(sys.argv[2], replace(FAST, steps=3000, save_every=20), report=print)\n"
    )
    root = os.path.dirname(os.path.dirname(__file__))
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code, root, str(tmp_path)])
        try:
            process.wait(6)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    resumed, _, _ = run(tmp_path, replace(FAST, steps=3000, save_every=20))
    straight, _, _ = run(config=replace(FAST, steps=3000, save_every=20))
    assert_same_bits(straight, resumed)
