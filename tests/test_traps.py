"""Faults that well-known captioning code has had, each held against ours.

The docstring of a test names the code it was seen in, with the issue where there is one.
"""

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from exports import export_coco, export_flickr8k, export_folder, export_karpathy, save, spoken
from PIL import Image

torch = pytest.importorskip("torch")

from cs_caption.batches import batches_in_order, encode_examples, training_batches  # noqa: E402
from cs_caption.checkpoint import Trained, load_captioner, save_captioner  # noqa: E402
from cs_caption.data import (  # noqa: E402
    CaptionedImages,
    Vocabulary,
    check_captions,
    open_captions,
)
from cs_caption.data.pictures import read_picture  # noqa: E402
from cs_caption.decoding import beam_search, greedy, sample  # noqa: E402
from cs_caption.evaluation import decode, evaluate, reference_costs  # noqa: E402
from cs_caption.losses import caption_loss  # noqa: E402
from cs_caption.models import Captioner, CaptionerConfig  # noqa: E402
from cs_caption.training import TrainConfig, held_out_loss, train  # noqa: E402

COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 80, 220)}
START, END = Vocabulary.START, Vocabulary.END
SMALL = {
    "image_size": 16,
    "channels": (4, 4, 6),
    "word_dim": 6,
    "hidden": 16,
    "attention_dim": 5,
    "dropout": 0.0,
}


def coloured(n=12) -> CaptionedImages:
    """Plain pictures, each with one to seven captions that name its colour."""
    names = [list(COLOURS)[i % 3] for i in range(n)]
    images = np.stack([np.full((16, 16, 3), COLOURS[name], np.uint8) for name in names])
    said = ("all {}", "it is {} here", "{}", "{} and {}", "a {} one", "so {}", "quite {}")
    captions = [[s.format(name, name) for s in said[: 1 + i % 7]] for i, name in enumerate(names)]
    return CaptionedImages(images, captions)


DATA = coloured()
WORDS = Vocabulary.build(DATA.captions)


def new(vocabulary=WORDS, **shape) -> Captioner:
    torch.manual_seed(0)
    return Captioner(CaptionerConfig(len(vocabulary), **{**SMALL, **shape}))


def learn(model, data=DATA, vocabulary=WORDS, **settings):
    usual = {"steps": 60, "batch": 12, "lr": 0.03, "warmup": 5, "device": "cpu"}
    config = TrainConfig(**{**usual, **settings})
    train(model, vocabulary, data, config, report=None)
    return model


@pytest.fixture(scope="module")
def learnt():
    return Trained(learn(new()), WORDS)


def fixed(*probabilities):
    """A step that gives the same probabilities whatever was said."""
    log_probs = torch.tensor(probabilities).log()
    return lambda tokens, state: (log_probs.expand(len(tokens), -1).clone(), state)


def by_last_word(table):
    """A step whose probabilities are those of pairs of words; all others are impossible."""
    log_probs = torch.zeros(7, 7)
    for (last, word), probability in table.items():
        log_probs[last, word] = probability
    log_probs = log_probs.log()
    return lambda tokens, state: (log_probs[tokens], state)


def by_position(*rows):
    """A step whose log-probabilities depend on how many words were said."""
    table = torch.tensor(rows).log()

    def step(tokens, state):
        return table[state["said"].clamp_max(len(rows) - 1)], {"said": state["said"] + 1}

    return step, {"said": torch.zeros(1, dtype=torch.int64)}


# Data.


def test_words_that_are_rare_stay_as_unknown_and_are_not_dropped():
    """neuraltalk (imagernn/generic_batch_generator.py) leaves them out of input and target."""
    words = Vocabulary.build(["a cat", "a cat", "an okapi sat"], min_count=2)
    unknown = Vocabulary.UNK
    assert words.encode("a cat sat") == [START, *words.encode("a cat")[1:-1], unknown, END]
    examples = encode_examples(CaptionedImages(DATA.images[:1], [["an okapi sat"]]), words)
    assert examples.tokens.tolist() == [[START, unknown, unknown, unknown, END]]


def test_an_unknown_word_costs_something_and_is_never_said(learnt):
    """neuraltalk's perplexity leaves unknown words out; neuraltalk2 says "UNK" in captions."""
    model, said = learnt.model, ["all red", "all zebra"]
    (known, unknown) = (reference_costs(learnt, DATA.images[:1], [[text]])[0] for text in said)
    assert known[1] == unknown[1] == 3  # tokens, <END> included
    assert unknown[0] > known[0]
    with torch.no_grad():
        model = new()
        model.output.bias[Vocabulary.UNK] = 99.0
    for sentences in decode(Trained(model, WORDS), DATA.images[:3], beam=3, max_len=5):
        assert all("<UNK>" not in sentence.words for sentence in sentences)


def test_the_special_words_are_four_different_ones():
    """neuraltalk, neuraltalk2 and ImageCaptioning.pytorch: END is START, or is the padding's 0."""
    assert len({Vocabulary.NULL, START, END, Vocabulary.UNK}) == 4
    batch = WORDS.encode_batch(["all red", "red"])
    assert (batch == END).sum(axis=1).tolist() == [1, 1]
    assert (batch == START).sum(axis=1).tolist() == [1, 1]


def test_end_is_trained_although_padding_is_not(learnt):
    """neuraltalk2 (PAD = END = 0): a mask that hides the padding hides the first END as well."""
    logits, targets = torch.zeros(1, 3, 7), torch.tensor([[5, END, Vocabulary.NULL]])
    logits[0, 1, END] = 4.0
    assert caption_loss(logits, targets) < caption_loss(torch.zeros(1, 3, 7), targets)
    assert decode(learnt, DATA.images[:1], beam=1)[0][0].words[-1] == "<END>"


def test_a_caption_is_not_cut_short_in_silence():
    """neuraltalk2 (prepro.py) cuts captions at 16 words, and so teaches where no END is."""
    long = " ".join(["red"] * 40)
    data = CaptionedImages(DATA.images[:1], [[long]])
    assert encode_examples(data, WORDS).tokens.shape == (1, 42)
    assert encode_examples(data, WORDS).tokens[0, -1] == END
    with pytest.raises(ValueError, match="more than max_len=20"):
        encode_examples(data, WORDS, max_len=20)


def test_pictures_stay_with_their_captions_in_every_batch():
    """Shuffled pictures beside unshuffled captions: seen in many; each is consistent in itself."""
    images = (
        np.zeros((12, 16, 16, 3), np.uint8) + np.arange(12, dtype=np.uint8)[:, None, None, None]
    )
    names = [f"w{i}" for i in range(12)]
    data = CaptionedImages(images, [[f"{name} one", f"{name} two"] for name in names])
    words = Vocabulary.build(data.captions)
    examples = encode_examples(data, words)
    some = training_batches(examples, batch=5, captions=2, seed=3)
    for batch in [next(some) for _ in range(10)] + [*batches_in_order(examples, 5)]:
        for row, of in zip(batch.tokens, batch.of, strict=True):
            assert words.decode(row).split()[0] == names[batch.images[of].max()]


def test_a_list_in_another_order_than_the_files_keeps_each_caption_with_its_picture(tmp_path):
    """Captions by place instead of by id: seen where annotations and pictures are sorted apart."""
    export_coco(tmp_path)
    before = open_captions(tmp_path, report=None)
    path = tmp_path / "annotations" / "captions_train2017.json"
    content = json.loads(path.read_text())
    content["images"].reverse()
    content["annotations"].sort(key=lambda one: one["caption"])
    path.write_text(json.dumps(content))
    after = open_captions(tmp_path, report=None)
    assert after.ids == before.ids[::-1]
    assert (after.images == before.images[::-1]).all()
    assert [sorted(c) for c in after.captions] == [sorted(c) for c in before.captions[::-1]]


def test_restval_is_part_of_train(tmp_path):
    """facebookresearch/mmf, issue 220: 82,783 pictures trained on instead of 113,287."""
    export_karpathy(tmp_path)
    assert check_captions(tmp_path).splits["train"] == (12, 60)


@pytest.mark.parametrize("mark", ["\u2028", "\r", "\x85"])
def test_a_line_separator_in_a_caption_shifts_no_other(tmp_path, mark):
    """coco-caption's tokenizer: U+2028 in a caption moves all later ones by one, in silence."""
    export_flickr8k(tmp_path)
    path = tmp_path / "Flickr8k.token.txt"
    text = path.read_text()
    path.write_bytes(text.replace(" ", mark, 1).encode())
    assert open_captions(tmp_path, report=None).captions == [tuple(c) for c in spoken("train")]


def test_a_missing_picture_is_reported_and_does_not_crash(tmp_path):
    """torchvision's Flickr8k: `glob(...)[0]` of an empty list."""
    export_flickr8k(tmp_path)
    next((tmp_path / "Flicker8k_Dataset").iterdir()).unlink()
    assert [fault.kind for fault in check_captions(tmp_path).faults] == ["missing"]


def test_pictures_may_have_any_number_of_captions(learnt):
    """neuraltalk's evaluation takes exactly five; some pictures of COCO have six or seven."""
    assert {len(some) for some in DATA.captions} == {1, 2, 3, 4, 5, 6, 7}
    examples = encode_examples(DATA, WORDS)
    batch = next(training_batches(examples, batch=12, captions=5, seed=0))
    assert sorted(np.bincount(batch.of)) == sorted(min(len(some), 5) for some in DATA.captions)
    assert evaluate(learnt, DATA, beam=1, report=None).measures.references == 1  # the fewest


def test_a_large_photo_keeps_its_brightness_when_it_is_made_small(tmp_path):
    """a-PyTorch-Tutorial, issues 101 and 110: a resize by floats, one caption for all."""
    ramp = np.linspace(0, 255, 600).astype(np.uint8)
    photo = np.broadcast_to(ramp[:, None, None], (600, 600, 3))
    small = read_picture(save(tmp_path / "a.png", photo), 64)
    assert small.dtype == np.uint8
    assert np.abs(small[:, 0, 0] - np.linspace(0, 255, 64)).max() < 3


def test_pictures_that_are_floats_are_refused():
    """The same issues: 0 to 1 where 0 to 255 is meant makes every picture black."""
    with pytest.raises(TypeError, match="uint8"):
        new().encode(DATA.images / 255.0)
    with pytest.raises(TypeError, match="uint8"):
        CaptionedImages((DATA.images / 255.0).astype(np.float32), DATA.captions)


def test_grey_and_transparent_pictures_are_no_hindrance(tmp_path):
    """a-PyTorch-Tutorial (create_input_files): grey ones need a case of their own."""
    folder = export_folder(tmp_path)
    Image.new("L", (70, 90), 100).save(folder / "train/0.png")
    Image.new("RGBA", (70, 90), (9, 9, 9, 0)).save(folder / "train/1.png")
    images = open_captions(folder, report=None).images
    assert (images[0] == 100).all()
    assert (images[1] == 255).all()


def test_one_picture_in_two_splits_is_found(tmp_path):
    """COCO 2014 and 2017 mixed: most of val2014 is in train2017."""
    folder = export_folder(tmp_path)
    shutil.copy(folder / "train/0.png", folder / "val/0.png")
    assert [fault.kind for fault in check_captions(folder).faults] == ["leak"]


# Training.


def test_padding_has_no_part_in_the_loss():
    """catr: cross-entropy without ignore_index, so that padding is in the loss."""
    short, padded = ["red"], ["red", "it is red here and red here"]
    images = np.repeat(DATA.images[:1], 2, axis=0)
    model = new().eval()
    alone = held_out_loss(model, WORDS, CaptionedImages(images[:1], [short]))
    both = held_out_loss(model, WORDS, CaptionedImages(images, [[c] for c in padded]))
    rest = held_out_loss(model, WORDS, CaptionedImages(images[:1], [padded[1:]]))
    assert both == pytest.approx((2 * alone + 8 * rest) / 10, abs=1e-5)


def test_what_is_in_the_logits_of_padding_does_not_matter():
    """catr again, the gradient: a padded place must get none."""
    logits = torch.randn(2, 3, 9, requires_grad=True)
    caption_loss(logits, torch.tensor([[4, 5, END], [END, 0, 0]])).backward()
    assert (logits.grad[1, 1:] == 0).all()
    assert (logits.grad[0].abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("encoder", ["convnet", "resnet18"])
def test_a_frozen_encoder_does_not_drift_while_the_rest_learns(encoder):
    """a-PyTorch-Tutorial-to-Image-Captioning and yunjey/pytorch-tutorial: `encoder.train()` lets
    the statistics of batch normalisation of a frozen ResNet follow the captions' pictures."""
    data = CaptionedImages(DATA.images.repeat(2, axis=1).repeat(2, axis=2), DATA.captions)
    model = new(encoder=encoder, image_size=32, frozen=True, attention=False)
    before = {name: value.clone() for name, value in model.encoder.state_dict().items()}
    seen = model.encode(data.images)
    first = model.words.weight.detach().clone()
    learn(model, data, steps=3)
    assert not torch.equal(model.words.weight, first)
    assert all(torch.equal(v, before[name]) for name, v in model.encoder.state_dict().items())
    assert torch.equal(model.train().encode(data.images), seen)


def test_wrong_pictures_cost_more_than_right_ones(learnt):
    """The same caption for every picture: a-PyTorch-Tutorial, issues 101 and 110; yunjey, 100."""
    wrong = CaptionedImages(np.roll(DATA.images, 1, axis=0), DATA.captions)
    assert held_out_loss(learnt.model, WORDS, wrong) > 0.3 + held_out_loss(
        learnt.model, WORDS, DATA
    )
    said = decode(learnt, DATA.images[:3], beam=2)
    assert len({sentences[0].text for sentences in said}) == 3


def test_the_loss_of_a_set_does_not_depend_on_the_batch():
    """A mean of means, or the last batch's loss called the epoch's: EECS 498's notebooks."""
    model = new().eval()
    whole = held_out_loss(model, WORDS, DATA, batch=100)
    assert held_out_loss(model, WORDS, DATA, batch=5) == pytest.approx(whole, abs=1e-5)


def test_dropout_is_off_when_a_model_is_judged():
    """Validation in train mode: two measurements of one model differ."""
    model = new(dropout=0.5).train()
    assert held_out_loss(model, WORDS, DATA) == held_out_loss(model, WORDS, DATA)
    assert model.training


def test_a_saved_model_is_read_without_running_code(tmp_path, learnt):
    """a-PyTorch-Tutorial pickles whole modules, which torch 2.6 with weights_only=True refuses."""
    folder = save_captioner(tmp_path / "model", learnt.model, WORDS)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["captioner.json", "model.safetensors"]
    assert all(b"\x80\x04" not in path.read_bytes()[:64] for path in folder.iterdir())
    again = load_captioner(folder, "cpu")
    assert decode(again, DATA.images[:2], beam=2) == decode(learnt, DATA.images[:2], beam=2)


# Sampling and judging.


def test_a_beam_that_has_ended_is_frozen():
    """neuraltalk2: a finished beam keeps its slot and is extended past its END."""
    # Ending at once is good, and what could follow END is better than what follows a word.
    step, state = by_position([0.0, 0.0, 0.6, 0.0, 0.4], [0.0, 0.0, 0.1, 0.0, 0.9])
    best = beam_search(step, state, beam=2, max_len=4)[0]
    assert best[0].tokens == (END,)
    assert best[0].log_prob == pytest.approx(np.log(0.6))
    for one in best:
        assert END not in one.tokens[:-1]


def test_a_beam_that_has_ended_does_not_narrow_the_search():
    """a-PyTorch-Tutorial: k shrinks for good with each beam that ends, here to a greedy search."""
    table = {(START, END): 0.2, (START, 4): 0.8, (4, 5): 0.55, (4, 6): 0.45, (6, END): 1.0}
    table |= {(5, word): 0.25 for word in (END, 4, 5, 6)}
    found = beam_search(by_last_word(table), torch.zeros(1, 1), beam=2, max_len=3)[0]
    assert found[0].tokens == (4, 6, END)
    assert found[0].log_prob == pytest.approx(np.log(0.8 * 0.45))


def test_a_sentence_that_does_not_end_is_no_error():
    """a-PyTorch-Tutorial, issues 18, 64, 142, 157, 191, 196: `max() arg is an empty sequence`."""
    never = fixed(0.0, 0.0, 0.0, 0.0, 0.6, 0.4)
    state = torch.zeros(1, 1)
    found = [
        greedy(never, state, max_len=3)[0],
        sample(never, state, max_len=3, seed=0)[0],
        *beam_search(never, state, beam=4, max_len=3)[0],
    ]
    assert all(not one.finished and len(one.tokens) == 3 for one in found)


def test_a_beam_follows_its_own_history():
    """a-PyTorch-Tutorial, issues 138, 175, 188: `index / vocab_size` is no longer a whole number;
    a beam that takes another's state says what that one should."""
    table = {(START, 4): 0.6, (START, 5): 0.4, (4, 4): 0.6, (4, END): 0.4, (5, END): 1.0}
    found = beam_search(by_last_word(table), torch.zeros(1, 1), beam=2, max_len=2)[0]
    assert [one.tokens for one in found] == [(5, END), (4, 4)]
    for one in found:
        said = (START, *one.tokens)
        gains = [np.log(table[pair]) for pair in pairwise(said)]
        assert one.log_probs == pytest.approx(gains)


@pytest.mark.parametrize("beam", [1, 3])
def test_a_batch_says_what_its_pictures_say_alone(learnt, beam):
    """The per-image loops of all of them are the truth for a batched search."""
    together = decode(learnt, DATA.images[:4], beam=beam)
    for i, sentences in enumerate(together):
        alone = decode(learnt, DATA.images[i : i + 1], beam=beam)[0]
        assert [one.text for one in alone] == [one.text for one in sentences]
        assert alone[0].log_prob == pytest.approx(sentences[0].log_prob, abs=1e-4)
    if beam == 1:
        model = learnt.model
        said = greedy(model.step, model.start(DATA.images[:4]), max_len=30)
        assert [WORDS.decode(one.tokens) for one in said] == [some[0].text for some in together]


def test_sampling_leaves_the_random_numbers_of_others_alone():
    """Seeding the global generator in order to sample: the next training step is then no other."""
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    sample(fixed(0.0, 0.0, 0.2, 0.0, 0.8), torch.zeros(5, 1), max_len=4, seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_captions_are_judged_as_generated_not_teacher_forced(learnt):
    """a-PyTorch-Tutorial, issues 6 and 206: its validation BLEU is fed the true words."""
    other = CaptionedImages(DATA.images, [["it is here"]] * len(DATA))
    one, two = (evaluate(learnt, data, beam=1, report=None) for data in (DATA, other))
    assert [r.caption for r in one.results] == [r.caption for r in two.results]
    assert one.measures.bleu != two.measures.bleu


def test_each_picture_is_captioned_once(learnt, monkeypatch):
    """a-PyTorch-Tutorial (eval.py) walks over captions: every picture is scored five times."""
    shown = []
    start = learnt.model.start
    monkeypatch.setattr(
        learnt.model, "start", lambda images: shown.append(len(images)) or start(images)
    )
    found = decode(learnt, DATA.images, beam=1)
    assert sum(shown) == len(found) == len(DATA)
    assert len(evaluate(learnt, DATA, beam=1, report=None).results) == len(DATA)
