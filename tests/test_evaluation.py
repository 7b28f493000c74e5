import json
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: no captioner to evaluate")

import cs_caption.evaluation as evaluation_module  # noqa: E402
from cs_caption.data import CaptionedImages, Scenes, Vocabulary  # noqa: E402
from cs_caption.evaluation import (  # noqa: E402
    BATCH,
    Bar,
    Measures,
    attention_of,
    decode,
    draw,
    evaluate,
    pooled_features,
    reference_costs,
)
from cs_caption.metrics import (  # noqa: E402
    bleu,
    cider_d,
    meteor,
    object_score,
    rouge_l,
    scene_objects,
)
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402

SCENES = Scenes("val", n=BATCH + 5)  # more than a batch, and a ragged one


def tiny(**shape):
    """An untrained captioner with its vocabulary."""
    torch.manual_seed(0)
    vocabulary = Vocabulary.build(SCENES.captions)
    sizes = {"channels": (4, 4, 4), "word_dim": 6, "hidden": 7, "attention_dim": 5}
    config = CaptionerConfig(vocab_size=len(vocabulary), **sizes, **shape)
    model = Captioner(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "first" in name or "combine" in name or "vocabulary" in name:
                weight *= 8  # untrained, but it says something else of another picture
    return SimpleNamespace(model=model, vocabulary=vocabulary, info={})


TINY, BLIND = tiny(), tiny(image=False)


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(TINY, SCENES, beam=3, max_len=8, report=None)


def test_nats_are_those_of_each_caption_by_itself_end_included():
    images, references = SCENES.images[:3], [["a red square"], ["a box", "xyz a"], [""]]
    found = reference_costs(TINY, images, references)
    for image, captions, row in zip(images, references, found, strict=True):
        nats = tokens = 0
        for caption in captions:
            ids = torch.tensor([TINY.vocabulary.encode(caption)])
            TINY.model.eval()
            with torch.no_grad():
                log_probs = TINY.model(image[None], ids[:, :-1]).log_softmax(-1)[0]
            nats -= sum(float(p[i]) for p, i in zip(log_probs, ids[0, 1:], strict=True))
            tokens += len(ids[0]) - 1
        assert row == pytest.approx([nats, tokens], rel=1e-5)


def test_figures_are_those_of_the_captions_that_were_decoded(evaluation):
    captions = [n_best[0].text for n_best in decode(TINY, SCENES.images, beam=3, max_len=8)]
    assert [result.caption for result in evaluation.results] == captions
    measures = evaluation.measures
    assert measures.bleu[3] == bleu(captions, SCENES.captions).corpus
    assert measures.cider_d == cider_d(captions, SCENES.captions).corpus
    assert measures.rouge_l == rouge_l(captions, SCENES.captions).corpus
    assert measures.meteor_es == meteor(captions, SCENES.captions).corpus
    assert measures.references == 5
    truth = object_score(captions, [scene_objects(scene.objects) for scene in SCENES])
    assert (measures.object_f1, measures.exact_set) == (truth.f1, truth.exact)
    assert [result.bin for result in evaluation.results] == list(truth.bins)
    costs = reference_costs(TINY, SCENES.images, SCENES.captions)
    assert measures.nats_per_token == pytest.approx(costs[:, 0].sum() / costs[:, 1].sum())
    assert sum(result.nats for result in evaluation.results) == pytest.approx(costs[:, 0].sum())


def test_without_the_stemmer_the_other_figures_are_still_there(monkeypatch):
    def meteor(*corpus):
        raise ModuleNotFoundError("needs snowballstemmer")

    monkeypatch.setattr(evaluation_module, "meteor", meteor)
    measures = evaluate(TINY, Scenes("val", n=4), beam=1, max_len=4, report=None).measures
    assert measures.meteor_es is None
    assert measures.rouge_l is not None


def test_the_best_sentence_comes_first_with_the_cost_of_each_word(evaluation):
    for result in evaluation.results:
        assert len(result.sentences) == 3
        best, second, _ = result.sentences
        assert best.log_prob >= second.log_prob
        assert best.log_prob == pytest.approx(sum(best.log_probs))
        assert len(best.words) == len(best.log_probs)
        assert best.text.split() == [word for word in best.words if word != "<END>"]
        assert best.per_word == pytest.approx(np.mean(best.log_probs))


def test_a_search_may_be_asked_for_more():
    images = SCENES.images[:3]
    free, long = (decode(TINY, images, beam=3, max_len=9, **more) for more in ({}, {"min_len": 8}))
    assert min(len(n_best[0].words) for n_best in long) >= 8
    assert [n_best[0].log_prob for n_best in free] >= [n_best[0].log_prob for n_best in long]


def test_sentences_are_drawn_for_each_picture_the_most_probable_first():
    drawn, again, other = (
        draw(TINY, SCENES.images, times=3, max_len=6, seed=seed) for seed in (5, 5, 6)
    )
    assert [len(some) for some in drawn] == [3] * len(SCENES)
    assert drawn == again
    assert drawn != other
    for some in drawn:
        found = [sentence.log_prob for sentence in some]
        assert found == sorted(found, reverse=True)
    assert drawn[0] != drawn[BATCH]  # a batch goes on with the random numbers of the one before


def test_attention_belongs_to_the_words_of_the_best_caption(evaluation):
    for i in (0, BATCH + 1):
        result = evaluation.results[i]
        ids = torch.tensor([TINY.vocabulary.encode(result.caption)])
        TINY.model.eval()
        alone = TINY.model.attention_maps(SCENES.images[i][None], ids[:, :-1])[0].numpy()
        assert result.attention.shape == (len(result.caption.split()), 64)
        np.testing.assert_allclose(result.attention, alone[: len(result.attention)], atol=1e-3)


def test_every_figure_lies_within_its_interval(evaluation):
    figures = evaluation.to_json() | {"bleu_4": evaluation.measures.bleu[3]}
    assert {"nats_per_token", "bleu_4", "cider_d", "object_f1", "exact_set"} <= set(
        evaluation.intervals
    )
    for name, (low, high) in evaluation.intervals.items():
        assert low <= figures[name] <= high, name


def test_the_record_is_json_without_nan(evaluation):
    record = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert record["pictures"] == len(SCENES)
    assert sum(record["bins"].values()) == len(SCENES)
    assert len(record["bleu"]) == 4
    assert record["beam"] == 3


def test_an_image_blind_model_has_no_attention_to_score():
    assert attention_of(BLIND, SCENES.images, [""] * len(SCENES)) is None
    evaluation = evaluate(BLIND, SCENES, beam=2, max_len=5, report=None)
    assert evaluation.pointing is None
    assert evaluation.results[0].attention is None
    assert len({result.caption for result in evaluation.results}) == 1
    json.dumps(evaluation.to_json(), allow_nan=False)


def test_pictures_of_unknown_truth_get_caption_metrics_alone():
    ragged = [captions[: 1 + i % 3] for i, captions in enumerate(SCENES.captions)]
    data = CaptionedImages(SCENES.images, ragged)
    evaluation = evaluate(TINY, data, beam=1, max_len=5, report=None)
    assert evaluation.objects is evaluation.pointing is evaluation.calibration is None
    assert evaluation.measures.object_f1 is None
    assert evaluation.measures.references == 1
    assert evaluation.to_json()["bins"] is None
    assert {result.bin for result in evaluation.results} == {None}


def test_attention_need_not_be_kept():
    few = Scenes("val", n=3)
    evaluation = evaluate(TINY, few, beam=1, max_len=4, keep_attention=False, report=None)
    assert all(result.attention is None for result in evaluation.results)
    assert evaluation.pointing is not None


def test_a_model_in_training_is_evaluated_without_dropout_and_goes_on_training():
    trained = tiny(dropout=0.5)
    trained.model.train()
    first, again = (reference_costs(trained, SCENES.images, SCENES.captions) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert trained.model.training
    with pytest.raises(TypeError):
        decode(trained, SCENES.images.astype(np.float32))
    assert trained.model.training


def test_progress_is_reported(capsys):
    evaluate(TINY, Scenes("val", n=2), beam=1, max_len=3)
    assert "captioned 2 of 2 pictures" in capsys.readouterr().out


def test_a_set_without_a_picture_or_a_caption_is_refused():
    empty = CaptionedImages(SCENES.images[:0], [])
    with pytest.raises(ValueError, match="no picture to evaluate"):
        evaluate(TINY, empty, report=None)
    bare = CaptionedImages(SCENES.images[:1], [["a"]])
    object.__setattr__(bare, "captions", [[]])
    with pytest.raises(ValueError, match=r"references\[0\] is empty"):
        evaluate(TINY, bare, report=None)


def test_pooled_features_are_one_row_a_picture_whatever_the_batch():
    features = pooled_features(TINY.model, SCENES.images)
    assert features.shape == (len(SCENES), 8)
    alone = pooled_features(TINY.model, SCENES.images[-1:])
    np.testing.assert_allclose(features[-1:], alone, rtol=1e-4, atol=1e-6)


def test_a_bar_is_met_at_its_bound_and_never_by_what_was_not_measured():
    assert Bar("f1", 0.95, 0.95).met
    assert not Bar("f1", 0.949, 0.95).met
    assert not Bar("pointing", None, 0.8).met


def test_measures_without_truth_say_so():
    assert Measures("x", 5, (0.1,), 0.2).object_f1 is None
