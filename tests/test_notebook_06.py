"""Notebook 06: attention does what the text says, and what it states is true."""

import math
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from autograder.measure import measurements_of  # noqa: E402
from cs_caption import measured, studies  # noqa: E402
from cs_caption.budget import full_budget  # noqa: E402
from cs_caption.data import Scenes  # noqa: E402
from cs_caption.metrics.pointing import pointing_score  # noqa: E402
from notebooks import text_of  # noqa: E402

NAME = "06_attention"
TEXT = text_of(NAME)
STUDIES = ("attention", "attention_rich", "reinforce")

pytestmark = pytest.mark.xdist_group(NAME)  # one process runs the text, once


@pytest.fixture(scope="module")
def space():
    """All that the text defines, run as the script that it is, with a small budget.

    What shows records is left to the tests of the records.
    """
    names = {"__name__": NAME}
    source = TEXT.read_text()
    for shows in (f'beside("{NAME}"', "show_study("):
        assert shows in source
        source = source.replace(shows, "(lambda *a, **k: None)(" + shows.partition("(")[2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CS_CAPTION_FAST", "1")
        exec(compile(source, TEXT, "exec"), names)
    return names


@pytest.fixture(scope="module")
def text():
    """The words, without comment marks and line ends."""
    return " ".join(re.sub(r"^# ?", "", TEXT.read_text(), flags=re.MULTILINE).split())


def full(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def said_of(space, captions, maps):
    return space["Said"](captions, maps, [None] * len(captions))


# ------------------------------------------------------------- the numbers worked by hand: Part A


def one_region_more(space):
    """The example's model: everything of size 1, the query 1, the score 4 tanh."""
    nn = torch.nn
    model = nn.ModuleDict({"query": nn.Linear(1, 1), "score": nn.Linear(1, 1)}).double()
    with torch.no_grad():
        for part, weight in (("query", 1.0), ("score", 4.0)):
            model[part].weight.fill_(weight)
            model[part].bias.zero_()
    return space["attention_scores"](model, full([1]), full([[-1], [0], [2]]))


def test_the_scores_of_three_regions_are_as_worked_by_hand(space):
    assert one_region_more(space)[0].tolist() == pytest.approx([0, 3.05, 3.98], abs=0.01)


def test_the_blend_of_three_regions_is_as_worked_by_hand_with_and_without_the_third(space):
    scores, a = one_region_more(space).detach(), full([[0, 0], [1, 0], [0, 1]])
    assert scores.exp()[0].tolist() == pytest.approx([1, 21.0, 53.5], abs=0.05)
    assert scores.exp().sum().item() == pytest.approx(75.6, abs=0.05)
    z, alpha = space["soft_attention"](scores, a)
    assert alpha[0].tolist() == pytest.approx([0.01, 0.28, 0.71], abs=0.005)
    assert z[0].tolist() == pytest.approx([0.28, 0.71], abs=0.005)
    z, alpha = space["soft_attention"](scores, a, torch.tensor([[True, True, False]]))
    assert alpha[0].tolist() == pytest.approx([0.05, 0.95, 0], abs=0.005)
    assert alpha[0, 2] == 0
    assert z[0].tolist() == pytest.approx([0.95, 0], abs=0.005)


def test_keys_made_anew_cost_thirty_times_what_a_word_needs(text):
    keys, lstm = 196 * 2048 * 512, 4 * 512 * (512 + 2048 + 512)
    query, rest = 512 * 512, 196 * (512 + 2048)
    for number in (keys, lstm, query, rest):
        assert f"{number:,}" in text
    assert (keys + lstm + query + rest) / (lstm + query + rest) == pytest.approx(30, abs=1)


def test_the_step_of_one_region_is_as_worked_by_hand(space):
    nn = torch.nn
    model = nn.ModuleDict({
        "query": nn.Linear(2, 1), "score": nn.Linear(1, 1), "gate": nn.Linear(1, 1),
        "cell": nn.LSTMCell(2, 1),
    }).double()  # fmt: skip
    with torch.no_grad():
        for number in model["gate"].parameters():
            number.zero_()
    state = full([0.5])
    _, _, z, alpha = space["attention_lstm_step"](
        model, full([1]), state, state, full([[2]]), full([[0]])
    )
    assert [z.item(), alpha.item()] == [1, 1]


def test_the_lists_of_the_detectors_have_66_words_of_at_least_a_half(text):
    lists = "men" + text.split("1. men")[1].split("Look at the second")[0]
    listed = re.findall(r"[a-z]+ (\.\d\d)", lists)
    assert len(listed) == 66
    assert min(map(float, listed)) >= 0.5


def test_the_penalty_of_two_words_and_three_regions_is_as_worked_by_hand(space):
    alpha = full([[0.7, 0.2, 0.1], [0.6, 0.4, 0]])
    real = torch.ones(1, 2, dtype=torch.bool)
    assert space["doubly_stochastic_penalty"](alpha, real).item() == pytest.approx(1.06)


def test_to_look_everywhere_costs_least_and_always_the_same_cell_most(space):
    charged = []
    for alpha in space["ways_of_looking"]().values():
        real = torch.ones(alpha.shape[:2], dtype=torch.bool)
        charged.append(space["doubly_stochastic_penalty"](alpha, real).item())
    assert charged == pytest.approx([144, 54, 45.5625])


@pytest.mark.parametrize("pixel", [(32, 32), (0, 0)])
def test_a_cell_sees_36_by_36_pixels(space, text, pixel):
    """A pixel changes the cells that see it: those with a centre at most 18 pixels away."""
    assert "each cell sees 36 x 36 pixels" in text
    near = np.array(
        [[abs(8 * cell + 4 - place - 0.5) <= 18 for cell in range(8)] for place in pixel]
    )
    assert np.array_equal(space["touched"](*pixel), np.outer(*near))


# ------------------------------------------------------------- the numbers worked by hand: Part B


@pytest.mark.parametrize(("u", "drawn"), [(0.65, 1), (0.5, 1), (0.0, 0), (0.8, 2)])
def test_the_draws_worked_by_hand_are_right(space, u, drawn):
    _, k, log_prob = space["hard_attention_sample"](
        full([0.5, 0.3, 0.2]), torch.eye(3)[None], full(u)
    )
    assert k.tolist() == [drawn]
    assert log_prob.exp().tolist() == pytest.approx([(0.5, 0.3, 0.2)[drawn]])


EXACT = [0.45, -0.03, -0.42]
ROWS = {
    0.0: [[-0.5, 0.3, 0.2], [1, -1.4, 0.4], [2, 1.2, -3.2]],
    -1.9: [[0.45, -0.27, -0.18], [0.05, -0.07, 0.02], [1.05, 0.63, -1.68]],
}


def test_the_exact_gradient_worked_by_hand_is_that_of_the_mean_reward():
    scores = full(0.5, 0.3, 0.2).log().requires_grad_()
    mean = scores.softmax(dim=0) @ full(-1, -2, -4)
    assert mean.item() == pytest.approx(-1.9)
    assert torch.autograd.grad(mean, scores)[0].tolist() == pytest.approx(EXACT)


@pytest.mark.parametrize("baseline", ROWS)
def test_the_estimates_of_three_cells_are_those_of_the_tables(space, text, baseline):
    rows, mean = space["three_cells"](baseline)
    assert rows.numpy() == pytest.approx(np.array(ROWS[baseline]), abs=1e-5)
    assert mean.tolist() == pytest.approx(EXACT, abs=1e-5)
    table = text.split("What should I have expected?")[0 if baseline == 0 else 1]
    for row in ROWS[baseline]:
        assert f"({', '.join(f'{number:.2f}' for number in row)}) |" in table


def test_the_variances_are_those_of_the_text_and_a_baseline_far_too_low_is_worse_than_none(space):
    none, near, far = (
        space["variance"](*space["three_cells"](baseline)) for baseline in (0.0, -1.9, -10.0)
    )
    assert [round(none, 2), round(near, 2)] == [3.88, 0.64]
    assert none / near == pytest.approx(6, abs=0.1)
    assert far > none
    lengths = {b: torch.tensor([0.5, 0.3, 0.2]) @ torch.tensor(rows).square().sum(1)
               for b, rows in ROWS.items()}  # fmt: skip
    assert [round(float(length), 2) for length in lengths.values()] == [4.26, 1.02]
    assert round(sum(number**2 for number in EXACT), 2) == 0.38


def test_the_mean_of_the_logarithms_lies_below_the_logarithm_of_the_mean(text):
    chances, rewards = np.array([0.5, 0.3, 0.2]), np.array([-1, -2, -4])
    assert round(float(np.log(chances @ np.exp(rewards))), 2) == -1.48
    assert "-1.48" in text


def test_the_moving_baseline_worked_by_hand_is_right(space):
    ones = torch.ones(1, 1)
    _, after = space["reinforce_loss"](10 * ones, 0 * ones, ones[:, :, None], ones.bool(), -20.0)
    assert after == pytest.approx(-19)


def test_the_loss_of_a_caption_worked_by_hand_is_right_and_the_words_get_a_gradient_of_one(
    space, text
):
    loss, after, to_nats, to_looks = space["worked_caption"]()
    assert [round(loss, 3), round(after, 3)] == [5.067, -3.9]
    assert to_nats == pytest.approx([1, 1])
    assert to_looks == pytest.approx([-1, -1])
    assert r"3 - 1 \cdot (-2.079) - 0.013 = 5.067" in text


def test_without_detach_looks_learn_the_same_and_words_are_taught_to_be_dearer(space, monkeypatch):
    def attached(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
        loss = nats.sum() - (-nats.sum() - baseline) * log_probs.sum()
        return loss, baseline

    *_, right = space["worked_caption"]()
    monkeypatch.setitem(space, "reinforce_loss", attached)
    _, _, to_nats, to_looks = space["worked_caption"]()
    assert to_looks == pytest.approx(right)
    assert to_nats == pytest.approx([1 + math.log(0.5 * 0.25)] * 2)
    assert round(to_nats[0], 3) == -1.079


@pytest.mark.parametrize(("pixel", "hit"), [((22, 30), 1.0), ((23, 31), 0.0)])
def test_a_pixel_in_the_corner_of_the_strongest_cell_is_no_hit(space, pixel, hit):
    alpha, mask = torch.zeros(1, 64), torch.zeros(1, 64, 64, dtype=torch.bool)
    alpha[0, 19] = 1
    mask[0][pixel] = True
    assert pixel[0] // 8 * 8 + pixel[1] // 8 == 19
    assert space["pointing_accuracy"](alpha, mask, torch.tensor([2])) == hit


def test_three_regions_say_a_word_as_worked_by_hand_and_rare_ones_are_not_lost(space, text):
    chances = torch.tensor([0.5, 0.5, 0.2])
    assert space["noisy_or"](chances.logit()[None, :, None]).item() == pytest.approx(0.8)
    rare = torch.full((1, 64, 1), math.log(1e-9))
    assert space["noisy_or"](rare).item() == pytest.approx(6.4e-8, rel=1e-3)
    assert 1 - (1 - rare.sigmoid()).prod(dim=1).item() == 0
    assert r"6.4 \cdot 10^{-8}" in text


def test_a_small_grid_can_be_looked_at_in_as_many_ways_as_the_text_says(text):
    assert (3 * 3) ** 4 == 6561
    assert "$9^4 = 6{,}561$" in text


# ------------------------------------------------------------------- hard looks, as they are used


@pytest.fixture(scope="module")
def a_step(space):
    """A model and one word's inputs, 4 captions over 64 regions."""
    torch.manual_seed(0)
    model, a = space["new_model"](0), torch.randn(4, 64, 96)
    h, c = (torch.randn(4, 128) for _ in range(2))
    return model, model["words"](torch.tensor([1, 4, 5, 6])), h, c, a, model["key"](a)


def test_read_softly_a_hard_step_is_the_soft_step(space, a_step):
    soft = space["attention_lstm_step"](*a_step)
    all_softly = space["drawing"](torch.ones(4, dtype=torch.bool))
    *hard, log_prob = space["looking"](all_softly)(*a_step)
    for one, other in zip(soft, hard, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    assert not log_prob.any()


def test_a_hard_step_sees_one_region_and_tells_how_probable_it_was(space, a_step):
    model, _, h, _, a, _ = a_step
    none_softly = space["drawing"](torch.zeros(4, dtype=torch.bool))
    _, _, z, alpha, log_prob = space["looking"](none_softly)(*a_step)
    seen = torch.sigmoid(model["gate"](h))[:, None] * a  # (M, L, C)
    k = (seen - z[:, None]).abs().amax(dim=2).argmin(dim=1)
    rows = torch.arange(4)
    assert torch.allclose(seen[rows, k], z, atol=1e-6)
    assert torch.allclose(alpha[rows, k].log(), log_prob)


def test_the_strongest_region_is_seen_once_nothing_is_drawn(space, a_step):
    model, _, h, _, a, _ = a_step
    _, _, z, alpha, log_prob = space["looking"](space["strongest"])(*a_step)
    seen = torch.sigmoid(model["gate"](h)) * a[torch.arange(4), alpha.argmax(dim=1)]
    assert torch.allclose(seen, z, atol=1e-6)
    assert not log_prob.any()


def test_the_loss_that_teaches_looks_reaches_them_even_if_nothing_is_read_softly(space):
    model, data = space["new_model"](0), space["captioned"]("train")
    torch.manual_seed(0)
    loss_of = space["TeachLooks"](softly=0.0)
    loss_of(model, data.features[:4].float(), data.tokens[:4, 0], data.mask[:4, 0]).backward()
    for part in ("key", "query", "score"):
        assert model[part].weight.grad.abs().max() > 0


def test_the_first_baseline_is_the_first_batch_s_mean_reward_and_then_it_moves(space, monkeypatch):
    seen = []

    def spy(nats, log_probs, alpha, real, baseline):
        seen.append((baseline, -(nats * real).sum().item() / len(nats)))
        return nats.sum(), baseline + 1

    monkeypatch.setitem(space, "reinforce_loss", spy)
    model, data, loss_of = space["new_model"](0), space["captioned"]("train"), space["TeachLooks"]()
    for _ in range(2):
        loss_of(model, data.features[:4].float(), data.tokens[:4, 0], data.mask[:4, 0])
    (first, reward), (second, _) = seen
    assert first == pytest.approx(reward, rel=1e-5)
    assert second == first + 1


# ----------------------------------------------------------- looks and words, held against truth


@pytest.fixture(scope="module")
def spoken_by_people(space):
    """People's captions of the held-out scenes, looked at anywhere."""
    captions = [scene.captions[0] for scene in space["shown"]("val")]
    luck = np.random.default_rng(0)
    maps = [luck.random((len(caption.split()) + 1, 64)).astype(np.float32) for caption in captions]
    return said_of(space, captions, maps)


def test_the_nouns_of_captions_score_as_the_package_s_pointing_does(space, spoken_by_people):
    said = spoken_by_people
    truth = [scene.objects for scene in space["shown"]("val")]
    theirs = pointing_score(said.captions, said.maps, truth)
    nouns = space["nouns_of"](said)
    assert int((nouns.objects >= 2).sum()) == theirs.counted > 5
    assert len(nouns.objects) > theirs.counted, "some pictures have one object"
    assert space["pointing_accuracy"](*nouns) == pytest.approx(theirs.accuracy)


def test_without_a_noun_the_tensors_have_their_axes_and_types_all_the_same(space):
    pictures = len(space["shown"]("val"))
    said = said_of(space, ["there is"] * pictures, [np.ones((3, 64), np.float32)] * pictures)
    alpha, masks, objects = space["nouns_of"](said)
    assert [alpha.shape, masks.shape, objects.shape] == [(0, 64), (0, 64, 64), (0,)]
    assert [alpha.dtype, masks.dtype, objects.dtype] == [torch.float32, torch.bool, torch.int64]
    assert space["pointing_accuracy"](alpha, masks, objects) is None


def test_of_two_alike_or_of_what_is_named_twice_no_noun_counts(space):
    scenes = space["shown"]("val")
    named = [" ".join([scene.objects[0].colour, scene.objects[0].shape]) for scene in scenes]
    said = said_of(space, [f"a {one} and a {one}" for one in named],
                   [np.ones((7, 64), np.float32)] * len(scenes))  # fmt: skip
    assert len(space["nouns_of"](said).objects) == 0


def test_the_two_pictures_of_the_lists_are_as_the_text_has_them(space):
    rows, _ = space["two_objects"](2)
    first, second = (space["shown"]("val")[row].objects for row in rows)
    assert len({one.colour for one in first}) == len({one.shape for one in first}) == 2
    assert {one.colour for one in second} == {"green"}


def test_one_person_says_left_and_the_next_says_right():
    captions = [" ".join(scene.captions).split() for scene in Scenes("val", n=200)]
    either = [words for words in captions if {"left", "right"} & set(words)]
    both = [words for words in either if {"left", "right"} <= set(words)]
    assert len(both) > len(either) / 2 > 20


def test_the_words_there_are_those_of_the_five_captions(space):
    there, words = space["words_there"]("val"), space["vocabulary"]().words
    for row, scene in zip(there[:5], space["shown"]("val"), strict=False):
        listed = {words[v] for v in row.nonzero()[:, 0].tolist()}
        assert listed == {w for caption in scene.captions for w in caption.split()} & set(words)


def test_a_list_has_the_words_of_at_least_a_half_the_likeliest_first(space):
    p, words = torch.zeros(len(space["vocabulary"]().words)), space["vocabulary"]().words
    p[[5, 7, 9]] = torch.tensor([0.5, 0.97, 0.49])
    assert space["listed"](p) == f"[{words[7]} (0.97)] [{words[5]} (0.50)]"


def test_without_a_noisy_or_of_the_student_s_the_package_s_serves(space, monkeypatch):
    def unwritten(logits, mask=None):
        raise NotImplementedError

    logits, mine = torch.randn(2, 3, 4), space["noisy_or"]
    monkeypatch.setitem(space, "noisy_or", unwritten)
    assert torch.allclose(space["any_region"](logits), mine(logits))


def test_with_all_cells_a_noun_costs_what_it_costs_without_a_mask(space):
    rows, captions = space["two_objects"](3)
    assert all(len(space["shown"]("val")[row].objects) == 2 for row in rows)
    step, model = space["attention_lstm_step"], space["captioner"](0).model
    everything = torch.ones(len(rows), 64, dtype=torch.bool)
    costs = [
        space["looks_for"](model, rows, captions, how)[1]
        for how in (step, lambda *states: step(*states, mask=everything))
    ]
    assert torch.allclose(*costs, atol=1e-5)


# ------------------------------------------------------------------------------- the records


@pytest.fixture(scope="module")
def found():
    return measured.load(NAME)["found"]


def test_the_record_is_quick_enough():
    assert measured.load(NAME)["seconds"][1] < 150  # the median: other load is not ours


def test_soft_and_hard_attention_look_at_what_they_name(found):
    assert found["pointing, soft"][0] > 0.95
    assert found["pointing, hard"][0] > 0.95
    assert found["pointing, a random object"][0] > 0.4
    assert found["pointing, a random object"][2] < 0.6
    for chance in ("the centre", "any cell"):
        assert found[f"pointing, {chance}"][2] < 1 / 4


def test_without_the_named_object_a_fifth_of_the_noun_is_left_and_without_the_other_all(found):
    everything, named, other = (
        found[f"noun, {cells}"] for cells in ("all cells", "without the named", "without the other")
    )
    assert named[1] / everything[1] == pytest.approx(1 / 5, abs=0.05)
    assert named[2] < 0.3 * everything[0]
    assert other[0] > 0.9 * everything[0]


def test_on_rich_scenes_the_wrong_words_come_with_looks_at_what_was_left_out(found):
    wrong = found["rich, wrong words"]
    assert 0.4 < wrong[0] <= wrong[2] < 0.65
    places = [found[f"rich, right place of {which} words"] for which in ("right", "wrong")]
    assert min(places[0][0], places[1][0]) > 0.8
    assert 0 < places[0][1] - places[1][1] < 0.12


def test_who_names_a_thing_twice_has_mostly_looked_at_it_twice(found):
    assert found["named twice and looked at twice"][0] > 0.62


def test_hard_attention_gets_less_far_in_the_same_time(found):
    assert found["object F1, hard"][2] < found["object F1, soft"][0]


def test_the_detectors_find_shapes_and_colours_and_their_places(found):
    for trait in ("shapes", "colours"):
        assert found[f"average precision, {trait}"][0] > 0.9
        assert found[f"share of the pictures, {trait}"][2] < 0.5
    assert found["pointing of detectors"][0] > 0.9


def test_shapes_are_looked_for_in_few_cells_and_little_words_all_over_the_picture(found):
    cells = {kind: found[f"cells looked at, {kind}"] for kind in
             ("shapes", "colours", "sides", "little words")}  # fmt: skip
    assert cells["shapes"][1] < cells["colours"][1]
    assert cells["colours"][2] < min(cells["sides"][0], cells["little words"][0])
    assert min(cells["sides"][0], cells["little words"][0]) > 32


def test_a_query_that_is_deaf_to_the_word_does_not_find_what_others_name(found):
    assert found["pointing, given words"][0] > 0.9
    assert found["pointing, given words, deaf query"][2] < 0.8


def test_a_captioner_that_looks_again_names_more_than_one_glance_did(found):
    assert found["object F1, soft"][1] > measured.load("04_captioning")["found"]["object F1"][1]


def of_each_seed(name, figure):
    record = studies.load(name)
    return {setting: record.of(setting, figure) for setting in record.settings}


@pytest.mark.parametrize("name", STUDIES)
def test_each_study_is_recorded_and_shown(name):
    record = studies.load(name)
    assert record.seeds >= 3
    assert f'show_study("{name}"' in TEXT.read_text()
    rerun = re.search(rf'studies\.one\("{name}", "([^"]+)", seed=0\)', TEXT.read_text())
    assert rerun is None or rerun[1] in record.settings


def test_four_estimates_are_right_on_average_and_the_half_soft_one_is_not():
    errors = of_each_seed("reinforce", "errors of the mean")
    *right, soft = errors.values()
    assert max(map(max, right)) < 1.5
    assert min(soft) > 3


def test_baseline_and_payment_onward_quieten_the_estimates_as_the_text_says():
    quiet = {name: np.median(v) for name, v in of_each_seed("reinforce", "variance").items()}
    none = quiet["no baseline"]
    assert quiet["baseline"] / none == pytest.approx(1 / 3, abs=0.05)
    assert quiet["no baseline, onward"] / none == pytest.approx(1 / 2, abs=0.07)
    assert quiet["baseline, onward"] / none == pytest.approx(1 / 5, abs=0.05)
    assert quiet["baseline, half softly"] == pytest.approx(quiet["baseline, onward"], rel=0.15)
    before = of_each_seed("reinforce", "variance before training")
    assert min(before["no baseline"]) > 100 * max(before["baseline"])
    cosines = [v for name, values in of_each_seed("reinforce", "cosine").items() for v in values
               if name != "baseline, half softly"]  # fmt: skip
    assert 0.1 < min(cosines) <= max(cosines) < 0.4


def test_soft_attention_is_ahead_by_the_truth_and_none_by_the_usual_words():
    wrong = {name: 1 - np.median(v) for name, v in of_each_seed("attention", "object F1").items()}
    assert wrong["soft"] < 0.5 * wrong["none"]
    for metric in ("BLEU-4", "CIDEr-D"):
        worth = of_each_seed("attention", metric)
        assert min(worth["none"]) > max(worth["soft"])
        assert np.median(worth["none"]) / np.median(worth["soft"]) < 1.1
    perplexity = of_each_seed("attention", "perplexity")
    assert np.median(perplexity["none"]) == pytest.approx(np.median(perplexity["soft"]), abs=0.02)


@pytest.mark.parametrize("setting", ["soft, gated", "soft, penalty, mean", "soft, penalty, sum"])
def test_by_objects_gate_and_penalty_cannot_be_told_from_plain_soft_attention(setting):
    for figure in ("object F1", "given words"):
        values = of_each_seed("attention", figure)
        assert min(values[setting]) < max(values["soft"])
        assert max(values[setting]) > min(values["soft"])


@pytest.mark.parametrize(("setting", "figure"), [
    ("soft, gated", "BLEU-4"),
    ("soft, penalty, mean", "CIDEr-D"),
    ("soft, penalty, sum", "CIDEr-D"),
    ("soft, penalty, sum", "pointing"),
])  # fmt: skip
def test_by_other_figures_gate_and_penalty_lose_a_little_in_every_run(setting, figure):
    values = of_each_seed("attention", figure)
    assert max(values[setting]) < min(values["soft"])
    assert np.median(values[setting]) > 0.95 * np.median(values["soft"])


def test_as_a_sum_the_penalty_costs_a_little_more_than_as_a_mean():
    worth = of_each_seed("attention", "CIDEr-D")
    assert max(worth["soft, penalty, sum"]) < min(worth["soft, penalty, mean"])


def test_hard_attention_is_on_what_it_names_and_names_less_and_all_drawn_it_is_lost():
    pointing = of_each_seed("attention", "pointing")
    assert min(pointing["hard"]) == 1
    f1 = of_each_seed("attention", "object F1")
    assert max(f1["hard"]) < min(f1["none"])
    given = of_each_seed("attention", "given words")
    assert np.median(given["hard"]) == pytest.approx(np.median(given["soft"]), abs=0.01)
    chance = of_each_seed("attention", "random object")
    assert np.median(given["hard, all drawn"]) <= max(chance["hard, all drawn"]) + 0.02


def test_on_rich_scenes_attention_names_three_times_as_much_by_all_measures():
    f1 = of_each_seed("attention_rich", "object F1")
    assert np.median(f1["soft"]) / np.median(f1["none"]) == pytest.approx(3, abs=0.3)
    for figure in ("object F1", "exact set", "BLEU-4", "CIDEr-D"):
        none, soft, hard = of_each_seed("attention_rich", figure).values()
        assert np.median(none) < np.median(hard)
        assert max(*none, *hard) < min(soft)
    perplexity = of_each_seed("attention_rich", "perplexity")
    assert np.median(perplexity["hard"]) >= np.median(perplexity["none"])


def test_on_rich_scenes_hard_looks_are_right_for_its_own_nouns_and_less_so_for_others():
    own, given = (of_each_seed("attention_rich", f) for f in ("pointing", "given words"))
    assert min(own["soft"]) > 0.8
    assert min(own["hard"]) > max(own["soft"])
    assert max(given["hard"]) < min(given["soft"])
    chance = of_each_seed("attention_rich", "random object")["soft"]
    assert np.median(chance) == pytest.approx(0.4, abs=0.02)


def test_measuring_runs_no_test_and_no_demonstration(monkeypatch):
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    measure = measurements_of(TEXT)
    assert "pointed" not in measure.__globals__  # the demonstrations draw
    assert all(math.isfinite(value) for value in measure(1).values())


@pytest.fixture(scope="module")
def anew():
    """The text's names and its numbers for seed 1, at full budget."""
    with full_budget():
        measure = measurements_of(TEXT)
        return measure.__globals__, measure(1)


@pytest.mark.full
def test_trained_anew_both_captioners_look_at_what_they_name_and_fewer_hard_nouns_count(anew):
    space, found = anew
    soft, hard = (space["nouns_of"](space[said](1)) for said in ("spoken", "hard_spoken"))
    assert found["pointing, soft"] > 0.95
    assert found["pointing, hard"] > 0.95
    assert (hard.objects >= 2).sum() < 0.9 * (soft.objects >= 2).sum()
    assert found["noun, without the named"] < 0.3 * found["noun, all cells"]
    for said, few in (("spoken", 5), ("hard_spoken", 20)):
        cases = space["right_and_wrong"](space["shown"]("val"), space[said](1))
        assert cases.wrong_word_right_place + cases.wrong_word_wrong_place < few


@pytest.mark.full
def test_trained_anew_both_maps_are_sharp_at_nouns_and_hard_ones_widest_at_little_words(anew):
    space, _ = anew
    (row,), (caption,) = space["two_objects"](1)
    models = {
        "soft": (space["captioner"](1).model, space["attention_lstm_step"]),
        "hard": (space["hard_captioner"](1).model, space["looking"](space["strongest"])),
    }
    cells = {}
    for name, (model, step) in models.items():
        alpha, _ = space["looks_for"](model, [row], [caption], step)
        cells[name] = torch.special.entr(alpha[0]).sum(dim=1).exp().tolist()
    words = caption.split()
    nouns, little = ([t for t, word in enumerate(words) if word in space["KINDS"][kind].split()]
                     for kind in ("shapes", "little words"))  # fmt: skip
    assert len(nouns) == 2
    assert max(cells[name][t] for name in cells for t in nouns) < 12
    soft, hard = (np.mean([cells[name][t] for t in little]) for name in ("soft", "hard"))
    assert 20 < soft < hard - 10


# ------------------------------------------------------------------------------- the plan


def test_the_plan_states_the_sums_of_its_parts_and_fits_in_three_hours_each(text):
    part_a, part_b = text.split("**Part A:")[1].split("**Part B:")
    for part, core, bonus in ((part_a, 12, 0), (part_b, 8, 3)):
        rows = re.findall(
            r"\| `\w+` \| ([^|]*) \| (\d+) \| (\d+) \|", part.split("Each exercise")[0]
        )
        assert sum(int(row[1]) for row in rows if "bonus" not in row[0]) == core
        assert sum(int(row[1]) for row in rows if "bonus" in row[0]) == bonus
        assert sum(int(row[2]) for row in rows) < 180
        assert f"({core} points" in part


def test_each_exercise_states_the_points_that_its_check_has(text):
    checks = dict(re.findall(r'"grade_id": "test_(\w+)", "points": (\d+)', TEXT.read_text()))
    head = text.split("Each exercise")[0]
    table = dict(re.findall(r"\| `(\w+)` \| [^|]* \| (\d+) \| \d+ \|", head))
    stated = r"xercise\*\* \((\d+) points?, about \d+ minutes\)\. Write `(\w+)`"
    said = {name: points for points, name in re.findall(stated, text)}
    assert checks == table == said
    assert len(checks) == 8


def test_the_modules_that_the_exercises_may_not_lean_on_are_imported_late():
    source, banned = TEXT.read_text(), "models|metrics|losses|evaluation|training|ready_made"
    for cell in re.split(r"^# %%", source, flags=re.MULTILINE)[1:]:
        if 'tags=["demo"' not in cell.partition("\n")[0]:
            assert not re.search(rf"^(from|import) cs_caption\.({banned})", cell, re.MULTILINE)


def test_the_answer_to_the_question_keeps_to_sixty_words():
    answer = TEXT.read_text().split('"what_a_map_proves"')[1]
    answer = answer.split("### BEGIN SOLUTION")[1].split("*Rubric")[0]
    assert 30 < len(answer.replace("#", " ").split()) <= 60
