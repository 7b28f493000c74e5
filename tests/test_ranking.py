"""Finding pictures for sentences, training what finds them, and keeping it."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.__main__ import main  # noqa: E402
from cs_caption.checkpoint import (  # noqa: E402
    Trained,
    kind_of,
    load_captioner,
    load_ranker,
    save_captioner,
)
from cs_caption.data import Scenes, Vocabulary  # noqa: E402
from cs_caption.features import cache_features  # noqa: E402
from cs_caption.models import Ranker, RankerConfig  # noqa: E402
from cs_caption.ranking import (  # noqa: E402
    all_scores,
    encode_sentences,
    grounding,
    measure,
    ranked,
    regions_of,
    search,
    tell,
)
from cs_caption.training import TrainConfig, held_out_loss, train  # noqa: E402

SMALL = {
    "channels": (4, 6, 8),
    "word_dim": 8,
    "hidden": 12,
    "joint": 10,
}
DATA = Scenes("train", n=24)
WORDS = Vocabulary.build(DATA.captions)
FAST = TrainConfig(
    steps=6, batch=8, captions=1, lr=0.01, warmup=2, device="cpu", report_seconds=1e9
)


def new(**changes) -> Ranker:
    torch.manual_seed(0)
    return Ranker(RankerConfig(len(WORDS), **{**SMALL, **changes}))


@pytest.fixture(scope="module")
def trained():
    """A ranker that knows 24 pictures by heart, more or less."""
    model = new(channels=(8, 16, 24), joint=16, hidden=24)
    config = replace(FAST, steps=100, batch=24, captions=2, contrast="softmax")
    train(model, WORDS, DATA, config, report=None)
    return Trained(model, WORDS)


def test_what_was_learnt_by_heart_is_found_again(trained):
    found = measure(trained, DATA)
    assert found.pictures == 24
    assert found.sentences == 120
    assert found.to_image.r1 > 0.4
    assert found.to_sentence.r1 > 0.4
    untrained = measure(Trained(new(), WORDS), DATA)
    assert found.to_image.r5 > untrained.to_image.r5 + 0.4
    assert found.to_image.median < untrained.to_image.median


def test_a_match_is_the_sum_of_its_words(trained):
    v = regions_of(trained, DATA.images)
    sentences = [some[0] for some in DATA.captions[:5]]
    for matches, sentence in zip(search(trained, v, sentences, top=3), sentences, strict=True):
        assert [one.rank for one in matches] == [1, 2, 3]
        assert matches[0].score >= matches[1].score >= matches[2].score
        for one in matches:
            assert one.words == tuple(sentence.split())
            assert one.word_scores.sum() == pytest.approx(one.score, rel=1e-4, abs=1e-4)
            assert one.regions.shape == one.word_scores.shape


def test_smoothing_moves_regions_and_leaves_the_order(trained):
    v, sentence = regions_of(trained, DATA.images), [DATA.captions[3][0]]
    plain, smooth = (search(trained, v, sentence, top=4, beta=beta)[0] for beta in (0.0, 1e6))
    assert [one.item for one in plain] == [one.item for one in smooth]
    assert [one.score for one in plain] == [one.score for one in smooth]
    assert all(len(set(one.regions.tolist())) == 1 for one in smooth)
    assert any(len(set(one.regions.tolist())) > 1 for one in plain)


def test_equal_pictures_come_in_their_order(trained):
    v = regions_of(trained, np.repeat(DATA.images[:2], 3, axis=0))
    found = search(trained, v, [DATA.captions[1][0]], top=6)[0]
    ahead = [one.item for one in found]
    assert sorted(ahead[:3]) == ahead[:3]
    assert sorted(ahead[3:]) == ahead[3:]


def test_sentences_are_read_as_people_type_them():
    found = encode_sentences(WORDS, ["A  red, SQUARE!", "a zebra"])
    assert found.words == (("a", "red", "square"), ("a", "zebra"))
    assert found.unknown == ((), ("zebra",))
    assert found.tokens.shape == (2, 3)
    assert found.tokens[0].tolist() == [WORDS.encode(word)[1] for word in ("a", "red", "square")]
    assert found.tokens[1].tolist() == [WORDS.encode("a")[1], Vocabulary.UNK, Vocabulary.NULL]
    assert found.real.tolist() == [[True] * 3, [True, True, False]]


@pytest.mark.parametrize(
    ("sentences", "error", "words"),
    [
        ("a red square", TypeError, "bare string"),
        ([" ... "], ValueError, "has no word in it"),
        (["a red square", "zebra stripes"], ValueError, "knows none of the words of 'zebra"),
    ],
)
def test_a_search_for_nothing_is_refused(trained, sentences, error, words):
    v = regions_of(trained, DATA.images[:6])
    with pytest.raises(error, match=words):
        search(trained, v, sentences)


@pytest.mark.parametrize("top", [0, 7])
def test_more_pictures_than_there_are_cannot_be_found(trained, top):
    v = regions_of(trained, DATA.images[:6])
    with pytest.raises(ValueError, match=f"top is {top}: expected 1 to 6"):
        search(trained, v, ["a red square"], top=top)


def test_a_picture_s_best_sentence_is_enough_and_ties_count_against():
    scores = np.array([[0.1, 0.9, 0.5], [0.3, 0.9, 0.9]])
    found = ranked(scores, [0, 0, 1])
    assert found.to_sentence.ranks.tolist() == [1, 2]
    assert found.to_image.ranks.tolist() == [2, 2, 1]
    assert tell(scores, top=2).tolist() == [[1, 2], [1, 2]]


def test_nouns_are_held_against_the_objects_that_they_name(trained):
    v = regions_of(trained, DATA.images)
    told, truth = [some[0] for some in DATA.captions], [scene.objects for scene in DATA]
    found = grounding(trained, v, told, truth)
    assert found.counted > 5
    assert found.accuracy == sum(one.hit for one in found.records) / found.counted
    together = grounding(trained, v, told, truth, beta=1e6)
    cells = {item: {one.cell for one in together.records if one.item == item} for item in range(24)}
    assert all(len(some) <= 1 for some in cells.values())


# ---- training and keeping


@pytest.mark.parametrize("contrast", ["margin", "hardest", "softmax"])
def test_the_one_loop_trains_rankers_too(contrast):
    model = new()
    config = replace(FAST, steps=60, batch=12, contrast=contrast, log_every=10)
    history = train(model, WORDS, DATA, config, report=None)
    assert history[-1]["step"] == 60
    assert history[-1]["loss"] < 0.98 * history[0]["loss"]


def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(tmp_path):
    whole = new()
    train(whole, WORDS, DATA, FAST, folder=tmp_path / "whole", val=DATA, report=None)

    class Enough(Exception):
        pass

    def stop(line):
        if "step 3" in line:
            raise Enough

    config = replace(FAST, save_every=2, report_seconds=0.0)
    with pytest.raises(Enough):
        train(new(), WORDS, DATA, config, folder=tmp_path / "part", report=stop)
    again = new()
    train(again, WORDS, DATA, config, folder=tmp_path / "part", report=None)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_held_out_loss_is_the_mean_charge_a_sentence():
    model = new().eval()
    loss = held_out_loss(model, WORDS, DATA, batch=24)
    captions = [caption for some in DATA.captions for caption in some]
    of = np.arange(24).repeat(5)
    S = all_scores(
        Trained(model, WORDS),
        regions_of(Trained(model, WORDS), DATA.images),
        encode_sentences(WORDS, captions),
    )
    total = 0.0
    for m, own in enumerate(of):
        others, wrong = of != own, np.arange(24) != own
        total += np.maximum(S[own, others] - S[own, m] + 1, 0).sum()
        total += np.maximum(S[wrong, m] - S[own, m] + 1, 0).sum()
    assert loss == pytest.approx(total / 120, rel=1e-4)


def test_features_of_a_frozen_encoder_serve_as_well_as_the_pictures(tmp_path):
    model = new(frozen=True)
    seen = cache_features(model, DATA, tmp_path, report=None)
    assert seen.images.dtype == np.float16
    for data in (DATA, seen):
        torch.manual_seed(0)
        train(model, WORDS, data, FAST, report=None)
    trained = Trained(model, WORDS)
    close = regions_of(trained, DATA.images), regions_of(trained, seen.images)
    assert torch.allclose(*close, atol=2e-2)


def test_a_ranker_is_saved_whole_and_is_no_captioner(tmp_path, trained):
    folder = save_captioner(tmp_path / "ranker", trained.model, WORDS, {"data": "24 scenes"})
    assert kind_of(folder) == "ranker"
    again = load_ranker(folder, "cpu")
    assert again.info == {"data": "24 scenes"}
    assert not again.model.training
    assert torch.equal(regions_of(again, DATA.images[:3]), regions_of(trained, DATA.images[:3]))
    with pytest.raises(ValueError, match=r"holds a ranker, not a captioner: .* retrieve"):
        load_captioner(folder)


def test_a_captioner_is_no_ranker():
    from cs_caption.ready_made import folder_of

    with pytest.raises(ValueError, match=r"holds a captioner, not a ranker: .* caption"):
        load_ranker(folder_of("rich"))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"sampled": 9}, "sampled is 9, but a ranker says no words"),
        ({"doubly_stochastic": 1.0}, "doubly_stochastic is 1.0"),
        ({"contrast": "triplet"}, "contrast is 'triplet'"),
        ({"margin": 0.0}, "margin is 0.0"),
    ],
)
def test_what_has_no_meaning_for_a_ranker_is_refused(setting, words):
    with pytest.raises(ValueError, match=words):
        train(new(), WORDS, DATA, replace(FAST, **setting), report=None)


def test_the_commands_train_a_ranker_and_measure_it(tmp_path, capsys):
    out, small = str(tmp_path / "run"), ["--pictures", "20", "--steps", "2", "--batch", "4"]
    assert main(["train", "--ranking", "--out", out, *small]) == 0
    assert "retrieve" in capsys.readouterr().out
    figures = tmp_path / "figures.json"
    told = ["evaluate", "--model", out, "--pictures", "12", "--out", str(figures)]
    assert main(told) == 0
    said = capsys.readouterr().out
    assert "sentence -> picture" in said
    assert "nouns whose region lies on" in said
    assert '"to_image"' in figures.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ranking", "--gated"], "--gated is about captioners alone"),
        (["--ranking", "--vectors", "x.txt"], "--vectors is about captioners alone"),
        (["--margin", "2"], "--margin is about rankers alone: leave it out, or train with"),
    ],
)
def test_flags_of_the_other_kind_of_model_are_refused(arguments, words, capsys):
    assert main(["train", *arguments]) == 2
    assert words in capsys.readouterr().err
