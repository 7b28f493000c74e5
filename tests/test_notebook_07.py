"""Notebook 07: ranking and grounding do what the text says, and what it states is true."""

import codecs
import itertools
import math
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from autograder.measure import measurements_of  # noqa: E402
from cs_caption import measured, metrics, studies  # noqa: E402
from cs_caption.budget import full_budget  # noqa: E402
from cs_caption.data import Scenes  # noqa: E402
from cs_caption.metrics.oracle import fits, truth_scores  # noqa: E402
from cs_caption.models import alignment  # noqa: E402
from cs_caption.ready_made import ready_made  # noqa: E402
from notebooks import text_of  # noqa: E402

NAME = "07_ranking"
TEXT = text_of(NAME)
STUDIES = ("ranking", "smoothing", "smoothing_rich")
WAYS = ("sentence to image", "image to sentence")

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


# ------------------------------------------------------------- the numbers worked by hand: Part A


def test_two_regions_and_three_words_score_as_worked_by_hand(space):
    a, s = full([[2], [-1]]), full([[0.5, 1], [1, 0], [0, 1]])
    scores = space["region_word_scores"](a, s, full([1, -1]), full(0, 1))
    assert scores[0, 0].tolist() == [[0, 2, -1], [1.5, -1, 2]]


CHOICE = [[2, -1], [0.5, -0.5], [-1, -2]]


@pytest.mark.parametrize(("there", "total", "regions"), [
    ([True, True, True], 1.5, [0, 1]),
    ([False, True, True], 0, [1, 1]),
])  # fmt: skip
def test_each_word_chooses_a_region_as_worked_by_hand(space, there, total, regions):
    S, best = space["image_sentence_score"](
        full(CHOICE)[:, None], torch.ones(1, 2, dtype=torch.bool), torch.tensor([there])
    )
    assert S.item() == total
    assert best.flatten().tolist() == regions


def test_the_wrong_sums_of_the_example_are_what_the_text_says(text):
    table = np.array(CHOICE)
    first_form, within = np.maximum(table, 0).sum(), np.maximum(table.max(axis=0), 0).sum()
    one_region, mean = table.sum(axis=1).max(), table.max(axis=0).mean()
    assert (first_form, within, one_region, mean) == (2.5, 2, 1, 0.75)
    listed = text.split("what else might come out")[1]
    assert [float(n) for n in re.findall(r" - ([\d.]+) is the ", listed)][:4] == [2.5, 2, 1, 0.75]


def test_the_lecture_s_words_have_the_lecture_s_sums(space):
    scores, real = space["lecture_batch"]()
    S, _ = space["image_sentence_score"](scores, real, torch.ones(1, 1, dtype=torch.bool))
    assert S[0].tolist() == pytest.approx([3.97, 2.65, 9.10, 3.50], abs=1e-5)
    for sentence, there in zip(space["LECTURE"], real, strict=True):
        assert len(sentence.split()) == there.sum()


def test_the_loss_of_three_pairs_is_as_worked_by_hand(space):
    S = space["BY_HAND"].double()
    assert space["ranking_loss"](S, 1.0).item() == pytest.approx(1.5)
    assert space["ranking_loss"](S, 1.0, hardest=True).item() == pytest.approx(4 / 3)


@pytest.mark.parametrize("hardest", [False, True])
def test_the_pushes_add_up_to_nothing_and_leave_alone_what_is_far_enough_apart(space, hardest):
    pushed = space["pushes"](space["BY_HAND"], hardest=hardest)
    assert pushed.sum().item() == pytest.approx(0, abs=1e-6)
    assert pushed[2, 2] == 0
    assert int((pushed == 0).sum()) == (5 if hardest else 4), "the third pair and some rivals"


def test_a_model_that_scores_all_pairs_alike_is_charged_126(space, text):
    loss = space["ranking_loss"](torch.zeros(64, 64), 1.0)
    assert loss.item() == 126
    assert "each charged a margin of 1: 126" in text
    assert f"64 right pairs, and {64 * 63:,} wrong ones" in text


@pytest.mark.parametrize(("ways", "hear"), [((0, 0), False), ((1, 0), False), ((0, 1), True)])
def test_words_before_the_last_hear_of_it_from_the_right_only(space, ways, hear):
    words = ["there", "is", "a", "red", "star", "above", "a", "blue", "square"]
    sentences = [" ".join([*words[:-1], last]) for last in ("square", "circle")]
    change = space["heard"](space["reader"](*ways), sentences)
    assert change[-1] > 0
    assert bool((change[:-1] > 0).any()) == hear


# ------------------------------------------------------------- the numbers worked by hand: Part B

LISTS = [[3, 1, 2, 0], [1, 2, 4, 3], [2, 2, 0, 2]]


def test_three_sentences_rank_as_worked_by_hand_and_a_fourth_makes_the_median_two_and_a_half(space):
    scores, right = full(*LISTS), [[0], [1], [3]]
    recalls = [space["recall_at_k"](scores, right, k) for k in (1, 2, 3)]
    assert recalls == pytest.approx([1 / 3, 1 / 3, 1])
    assert space["median_rank"](scores, right) == 3
    assert space["median_rank"](full(*LISTS, [5, 4, 3, 2]), [*right, [1]]) == 2.5


def test_the_best_of_a_picture_s_own_sentences_decides_as_worked_by_hand(space):
    scores = full([7, 5, 1, 8, 6, 5, 0])
    assert space["median_rank"](scores, [[0, 1, 2]]) == 2
    assert space["recall_at_k"](scores, [[2, 0, 1]], 1) == 0


def test_what_knows_nothing_finds_nothing_and_all_where_ties_count_for_it(space):
    models, right = space["know_nothing"]()
    yours = {name: space["recall_at_k"](scores, right, 10) for name, scores in models.items()}
    for_us = {name: space["ties_for_us"](scores, right, 10) for name, scores in models.items()}
    assert yours["at random"] == pytest.approx(for_us["at random"]) == pytest.approx(0.1, abs=0.03)
    assert yours["one digit"] < 0.8 * yours["at random"]
    assert for_us["one digit"] > 1.2 * for_us["at random"]
    assert (yours["always 0"], for_us["always 0"]) == (0, 1)


def test_nan_stands_before_nothing_and_the_package_refuses_it(space):
    nothing = torch.full((3, 4), math.nan)
    assert space["recall_at_k"](nothing, [[0], [1], [3]], 1) == 1
    with pytest.raises(ValueError, match="NaN"):
        metrics.recall_at_k(nothing, [0, 1, 3], 1)


@pytest.mark.parametrize(("items", "right", "median"), [(1000, 1, 500), (5000, 5, 650)])
def test_chance_finds_a_hundredth_both_ways_with_the_text_s_medians(space, items, right, median):
    assert space["chance_recall"](items, right, 10) == pytest.approx(0.01, rel=0.01)
    half = next(k for k in itertools.count(1) if space["chance_recall"](items, right, k) >= 0.5)
    assert half == pytest.approx(median, rel=0.01)


def test_the_formula_of_chance_is_what_random_orders_find(space):
    scores = torch.rand(4000, 12, generator=torch.manual_seed(0))
    found = space["recall_at_k"](scores, [[1, 5, 6]] * 4000, 2)
    assert space["chance_recall"](12, 3, 2) == pytest.approx(found, abs=0.02)
    assert space["chance_recall"](12, 3, 99) == 1


def test_all_scores_of_regions_and_words_at_once_would_take_fifteen_gigabytes(text):
    assert round(1000 * 5000 * 64 * 12 * 4 / 1e9) == 15
    assert "**15 GB**" in text
    assert 1000 * 5000 * 4 / 1e6 == 20


WORDS = [[0.3, 0.2, 2.0], [0.5, 0.6, 0.1]]


def energy(regions, beta):
    pairs = sum(one == other for one, other in itertools.pairwise(regions))
    return sum(WORDS[r][t] for t, r in enumerate(regions)) + beta * pairs


@pytest.mark.parametrize(("regions", "at_0", "at_1"), [
    ((1, 1, 0), 3.1, 4.1), ((1, 0, 0), 2.7, 3.7), ((0, 0, 0), 2.5, 4.5), ((1, 1, 1), 1.2, 3.2),
])  # fmt: skip
def test_the_ways_of_three_words_are_worth_what_the_table_says(text, regions, at_0, at_1):
    assert energy(regions, 0) == pytest.approx(at_0)
    assert energy(regions, 1) == pytest.approx(at_1)
    row = ", ".join(str(r + 1) for r in regions)
    assert re.search(rf"\| {row} \| [\d.]+ \| \d \| \**{at_0}\** \| \**{at_1}\** \|", text)


def test_the_four_ways_that_are_not_in_the_table_are_worse_than_the_best_at_any_strength():
    listed = {(1, 1, 0), (1, 0, 0), (0, 0, 0), (1, 1, 1)}
    for beta in (0, 0.3, 0.6, 1, 5):
        ways = {way: energy(way, beta) for way in itertools.product((0, 1), repeat=3)}
        best = max(ways.values())
        assert all(ways[way] < best for way in ways.keys() - listed)


@pytest.mark.parametrize(("beta", "regions"), [(0, [1, 1, 0]), (0.59, [1, 1, 0]), (0.61, [0] * 3)])
def test_three_words_go_together_above_a_strength_of_six_tenths(space, beta, regions):
    assert space["smooth_alignment"](full(*WORDS), beta).tolist() == regions


def test_the_best_sums_worked_by_hand_are_those_of_the_recursion(text):
    first = np.array(WORDS)[:, 0]
    second = np.array(WORDS)[:, 1] + [max(first[0] + 1, first[1]), max(first[0], first[1] + 1)]
    third = np.array(WORDS)[:, 2] + [max(second[0] + 1, second[1]), max(second[0], second[1] + 1)]
    assert second == pytest.approx([1.5, 2.1])
    assert third == pytest.approx([4.5, 3.2])
    assert f"{64**12:.1e}" == "4.7e+21"
    assert r"$64^{12} = 4.7 \cdot 10^{21}$" in text


# ------------------------------------------------------------- the functions as they are used


def test_recall_and_median_are_the_package_s_with_many_ties_and_several_right_items(space):
    luck = np.random.default_rng(0)
    scores = torch.from_numpy(luck.integers(0, 6, (40, 17)).astype(np.float32))
    truth = [luck.permutation(17)[: 1 + q % 4].tolist() for q in range(40)]
    for k in (1, 3, 20):
        ours = metrics.recall_at_k(scores.numpy(), truth, k)
        assert space["recall_at_k"](scores, truth, k) == pytest.approx(ours)
    assert space["median_rank"](scores, truth) == metrics.median_rank(scores.numpy(), truth)


def test_both_ways_ask_for_each_sentence_s_picture_and_for_one_of_each_picture_s_five(space):
    scores = torch.zeros(3, 15)
    for n in range(3):
        scores[n, 5 * n + 2] = 1.0  # the third sentence of each picture alone is found
    found = space["both_ways"](scores)
    assert found["sentence to image"]["R@1"] == pytest.approx(1 / 5)
    assert found["image to sentence"]["R@1"] == 1


def test_in_blocks_the_textbook_functions_score_as_the_package_s_production_form(space):
    model = space["ranker"]("rich", 0).model
    mine = space["in_my_blocks"](model, "rich", pictures=24, sentences=120, block=7)
    assert torch.allclose(mine, space["all_scores"]("rich", 0), atol=1e-4)


def test_the_bag_of_words_has_one_region_and_no_order(space):
    data, model = space["wholes"]("rich", "val"), space["bag"]("rich", 0).model
    assert data.a.shape[1] == 1
    sentences = ["a red star above a blue square", "a blue square above a red star"]
    S, _ = space["pair_scores"](model, data.a, *space["encoded"]("rich", sentences))
    assert torch.allclose(S[:, 0], S[:, 1], atol=1e-4)


def test_a_search_has_all_pictures_the_best_first_by_the_sum_of_the_best_regions(space):
    sentence = space["QUERIES"]["in our world"]
    order, scores = space["search"]("rich", 0, sentence)
    assert sorted(order) == list(range(len(space["shown"]("rich", "val"))))
    assert scores == sorted(scores, reverse=True)
    for place in (0, 7):
        each = space["words_at"]("rich", 0, sentence, order[place]).amax(dim=0)
        assert each.sum().item() == pytest.approx(scores[place], abs=1e-4)


def test_what_was_found_is_marked_own_fits_wrong_or_missed(space):
    scenes = space["shown"]("rich", "val")
    for own, sentence in space["examples"]("rich", 6):
        query = space["found_for"]("rich", 0, sentence, own)
        names = [hit.name for hit in query.hits]
        assert [hit.rank for hit in query.hits] == [1, 2, 3, 4, 5]
        assert (query.missed is None) == (scenes[own].id in names)
        if query.missed:
            assert query.missed.name == scenes[own].id
            assert query.missed.rank > 5
        for hit in query.hits:
            scene = next(one for one in scenes if one.id == hit.name)
            expected = {True: "fits", False: "wrong", None: ""}[fits(sentence, scene)]
            assert hit.mark == ("own" if scene is scenes[own] else expected)


def test_a_picture_s_best_sentences_are_the_best_of_all_and_its_own_are_marked(space):
    scores, scenes = space["all_scores"]("rich", 0), space["shown"]("rich", "val")
    for number, _ in space["examples"]("rich", 4):
        telling = space["told_of"]("rich", 0, number)
        told = [score for _, score, _ in telling.sentences]
        assert told == pytest.approx(scores[number].topk(5).values.tolist())
        own = [sentence for sentence, _, mark in telling.sentences if mark == "own"]
        assert set(own) <= set(scenes[number].captions)
        assert (telling.missed is None) == bool(own)


def test_the_queries_of_notebook_00_are_answered_and_their_strange_words_are_told(space):
    first = text_of("00_start_here").read_text()
    queries = space["QUERIES"]
    lecture = queries["the lecture's"]
    assert f'"{lecture}"' in first
    assert codecs.encode(lecture, "rot13") == queries["in ROT13"]
    known = ready_made("rich").vocabulary.words
    strange = {name: set(query.split()) - set(known) for name, query in queries.items()}
    assert not strange["in our world"] | strange["another"]
    assert strange["the lecture's"] >= {"images", "me", "scuba", "diving", "turtle"}
    assert strange["in ROT13"] == set(queries["in ROT13"].split())


def test_of_a_thousand_held_out_pictures_one_fits_the_first_query_and_none_the_second(space):
    scenes = list(Scenes("val", n=1000, level="rich"))
    one, none = (space["QUERIES"][name] for name in ("in our world", "another"))
    assert sum(fits(one, scene) is True for scene in scenes) == 1
    assert sum(fits(none, scene) is True for scene in scenes) == 0


def test_of_the_four_sentences_about_two_objects_one_is_true(space):
    told = 0
    for scene in Scenes("val", n=150, level="rich"):
        sentences = space["three_falsehoods"](scene)
        if sentences is None:
            continue
        told += 1
        verdicts = {kind: fits(sentence, scene) for kind, sentence in sentences.items()}
        assert verdicts == {kind: kind == "true" for kind in sentences}
        words = {kind: sorted(sentence.split()) for kind, sentence in sentences.items()}
        assert words["true"] == words["colours exchanged"] == words["places exchanged"]
    assert told > 40


def test_to_a_bag_of_words_exchanged_words_are_the_same(space):
    won = space["contrasts"](0)["bag of words"]
    assert won["colours exchanged"] == won["places exchanged"] == 0


def test_without_a_smooth_alignment_of_the_student_s_the_package_s_serves(space, monkeypatch):
    def unwritten(scores, beta):
        raise NotImplementedError

    scores = torch.rand(9, 6, generator=torch.manual_seed(1))
    monkeypatch.setitem(space, "smooth_alignment", unwritten)
    packaged = alignment.smooth_alignment(scores.numpy(), 0.4)
    assert space["chained"](scores, 0.4).tolist() == packaged.tolist()


def test_with_a_strength_all_words_come_to_share_a_region_and_without_none_has_to(space):
    number = space["a_long_example"]()
    found = space["alignments"]("rich", 0, number, (0.0, 1e6))
    words = space["shown"]("rich", "val")[number].captions[0].split()
    assert len(set(found[1e6][1].tolist())) == 1
    best = space["words_at"]("rich", 0, " ".join(words), number).amax(dim=0)
    assert found[0.0][0] == pytest.approx(best.numpy(), abs=1e-6)


def test_a_sentence_is_true_of_as_many_pictures_as_the_oracle_says_one_by_one(space):
    scenes = space["shown"]("rich", "val")
    for sentence, many in itertools.islice(space["fitting"]().items(), 6):
        each = [fits(sentence, scene) for scene in scenes]
        if None not in each:
            assert sum(each) == many


# ------------------------------------------------------------------------------- the oracle


@pytest.fixture(scope="module")
def oracle():
    """The truth's scores for a sentence of each fourth of 1,000 rich scenes, by kind of oracle."""
    scenes = list(Scenes("val", n=1000, level="rich"))
    told = [scene.captions[0] for scene in scenes[::4]]
    return {habits: truth_scores(told, scenes, habits=habits) for habits in (False, True)}


def test_even_the_oracle_stays_below_the_recall_that_the_friend_reports(oracle):
    own = list(range(0, 1000, 4))
    claims, habits = (metrics.recall_at_k(oracle[kind], own, 1) for kind in (False, True))
    assert claims < habits - 0.05
    assert habits < 0.97


# ------------------------------------------------------------------------------- the records


@pytest.fixture(scope="module")
def found():
    return measured.load(NAME)["found"]


def test_the_record_is_quick_enough():
    assert measured.load(NAME)["seconds"][1] < 200  # the median: other load is not ours


def test_words_with_regions_are_far_ahead_of_a_bag_of_words_and_that_of_chance(found):
    for way in WAYS:
        bag, yours = (found[f"{name}, {way}, R@10"] for name in ("bag of words", "yours"))
        assert bag[0] > 5 * 0.01
        assert yours[0] > 1.5 * bag[2]


def of_each_seed(name, figure):
    record = studies.load(name)
    return {setting: record.of(setting, figure) for setting in record.settings}


@pytest.mark.parametrize("name", STUDIES)
def test_each_study_is_recorded_and_shown(name):
    record = studies.load(name)
    assert record.seeds >= 3
    assert f'show_study("{name}"' in TEXT.read_text()


def test_regions_and_context_are_worth_much_and_nobody_passes_the_oracle():
    for way in ("picture", "sentence"):
        found = {name: np.median(v) for name, v in of_each_seed("ranking", f"{way}, R@10").items()}
        whole, regions, context = (found[name] for name in (
            "whole picture, bag of words", "regions, bag of words", "regions, words in context"
        ))  # fmt: skip
        assert regions > 1.5 * whole
        assert context > 1.2 * regions
        assert found["the same, softmax"] > context > 2 * found["the same, hardest pairs"]
        assert max(value for name, value in found.items() if name != "oracle") < found["oracle"]


def test_measuring_runs_no_test_and_no_demonstration(monkeypatch):
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    measure = measurements_of(TEXT)
    assert "everybody" not in measure.__globals__  # the demonstrations draw
    assert all(math.isfinite(value) for value in measure(1).values())


@pytest.fixture(scope="module")
def anew():
    """The text's names and its numbers for seed 1, at full budget."""
    with full_budget():
        measure = measurements_of(TEXT)
        return measure.__globals__, measure(1)


@pytest.mark.full
def test_trained_anew_the_ranker_finds_and_points(anew):
    _, found = anew
    for way in WAYS:
        assert found[f"yours, {way}, R@10"] > 1.5 * found[f"bag of words, {way}, R@10"]
    assert found["pointing, a quarter hidden"] > 0.8


# ------------------------------------------------------------------------------- the plan


def test_the_plan_states_the_sums_of_its_parts_and_fits_in_three_hours_each(text):
    part_a, part_b = text.split("**Part A:")[1].split("**Part B:")
    for part, core, bonus in ((part_a, 13, 0), (part_b, 7, 4)):
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
    assert len(checks) == 6


def test_the_modules_that_the_exercises_may_not_lean_on_are_imported_late():
    banned = "models|metrics|losses|ranking|evaluation|training|pipeline|ready_made|ready_ranker"
    for cell in re.split(r"^# %%", TEXT.read_text(), flags=re.MULTILINE)[1:]:
        if 'tags=["demo"' not in cell.partition("\n")[0]:
            assert not re.search(rf"^(from|import) cs_caption\.({banned})\b", cell, re.MULTILINE)


def test_the_answer_to_the_question_keeps_to_sixty_words():
    answer = TEXT.read_text().split('"a_recall_too_good"')[1]
    answer = answer.split("### BEGIN SOLUTION")[1].split("*Rubric")[0]
    assert 30 < len(answer.replace("#", " ").split()) <= 60
