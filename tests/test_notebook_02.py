"""Notebook 02: the network learns its word, the text is true, and the listing has five faults."""

import inspect
import math
import re

import numpy as np
import pytest

from autograder.measure import measurements_of
from cs_caption import measured
from cs_caption.budget import full_budget
from notebooks import text_of

NAME = "02_hello_rnn"
TEXT = text_of(NAME)

pytestmark = pytest.mark.xdist_group(NAME)  # one process runs the text, once


@pytest.fixture(scope="module")
def space():
    """All that the text defines, run as the script that it is, with a small budget."""
    names = {"__name__": NAME}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CS_CAPTION_FAST", "1")
        exec(compile(TEXT.read_text(), TEXT, "exec"), names)
    return names


@pytest.fixture(scope="module")
def text():
    """The words, without comment marks and line ends."""
    return " ".join(re.sub(r"^# ?", "", TEXT.read_text(), flags=re.MULTILINE).split())


def found(what):
    """Lowest, median and highest of what was recorded."""
    return measured.load(NAME)["found"][what]


# ----------------------------------------------------------------------------------- hello


@pytest.mark.parametrize("seed", range(3))
def test_the_network_says_hello_and_without_memory_it_cannot(space, seed):
    network, losses = space["train"](seed)
    forgetful, losses_without = space["train"](seed, memory=False)
    assert space["speak"](network) == "hello"
    assert space["speak"](forgetful) != "hello"
    assert losses[0] == pytest.approx(np.log(4), abs=1e-3)
    assert losses_without[-1] == pytest.approx(np.log(2) / 2, abs=0.01)


def test_the_numbers_worked_by_hand_are_right(space):
    forward, backward = space["rnn_step_forward"], space["rnn_step_backward"]
    one = np.ones((1, 1))
    _, cache = forward(one, 0.4 * one, 0.6 * one, -0.5 * one, np.array([0.2]))
    found = [float(np.squeeze(grad)) for grad in backward(one, cache)]
    assert np.round(found, 2).tolist() == [0.43, -0.36, 0.71, 0.28, 0.71]
    assert np.round(space["state_h"], 2).tolist() == [[0.46, -0.76]]
    assert np.round(space["state_he"], 2).tolist() == [[0.23, 0.43]]
    assert round(25 * np.log(4), 2) == 34.66
    assert round(np.log(10_001), 2) == 9.21


def test_two_steps_back_through_time_worked_by_hand_are_right(space):
    one = np.ones((1, 1))
    h, cache = space["rnn_forward"](
        np.array([[[1.0], [0.0]]]), 0 * one, 0.5 * one, 0.8 * one, np.zeros(1)
    )
    assert np.round(h.ravel(), 2).tolist() == [0.46, 0.35]
    grads = space["rnn_backward"](np.ones((1, 2, 1)), cache)
    assert [np.round(grad.ravel(), 2).tolist() for grad in grads] == [
        [0.67, 0.44],
        [1.07],
        [1.34],
        [0.40],
        [2.21],
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_lingers_where_the_text_says(space, seed):
    _, losses = space["train"](seed, steps=40)
    slowest = int(np.argmin(-np.diff(losses)))
    assert 12 <= slowest <= 25
    assert losses[slowest] == pytest.approx(1.1, abs=0.05)


@pytest.mark.full
def test_what_the_text_says_of_a_hundred_seeds_is_so(space, text):
    leads = []
    for seed in range(100):
        _, losses = space["train"](seed, steps=40)
        assert 12 <= int(np.argmin(-np.diff(losses))) <= 25
        leads.append(space["lead_of_l"](space["train"](seed, memory=False)[0]))
    said = re.search(r"with each of (\d+) seeds \*l\* is ahead, by ([\d.]+) to ([\d.]+)", text)
    assert said.groups() == ("100", f"{min(leads):.4f}", f"{max(leads):.4f}")


@pytest.mark.parametrize("after_e", "lo")
def test_without_memory_the_letter_that_also_follows_e_is_ahead_after_l(
    space, monkeypatch, after_e
):
    answers = [space["number"][letter] for letter in f"e{after_e}lo"]
    monkeypatch.setitem(space, "y_ids", np.array([answers]))
    forgetful, _ = space["train"](seed=0, memory=False)
    assert (space["lead_of_l"](forgetful) > 0) == (after_e == "l")


# -------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize(
    ("tau", "row"),
    [
        (0.5, "0.134 | 0.537 | 0.027 | 0.0003 | 0.302"),
        (1, "0.2 | 0.4 | 0.09 | 0.01 | 0.3"),
        (2, "0.221 | 0.312 | 0.148 | 0.049 | 0.270"),
    ],
)
def test_the_table_of_temperatures_is_right(text, tau, row):
    powers = np.array([0.2, 0.4, 0.09, 0.01, 0.3]) ** (1 / tau)
    assert f"| {tau} | {row} |" in text
    for said, chance in zip(row.split(" | "), powers / powers.sum(), strict=True):
        assert said == f"{chance:.{len(said) - 2}f}"


def test_two_thousand_draws_come_as_near_to_the_table_as_the_text_says(space):
    scores = np.array([0.2, 0.4, 0.09, 0.01, 0.3])
    for share, tau in zip(space["shares"][1:4], (0.5, 1, 2), strict=True):
        powers = scores ** (1 / tau)
        assert np.abs(share - powers / powers.sum()).max() < 0.03
    assert space["shares"][0].tolist() == [0, 1, 0, 0, 0]


@pytest.mark.parametrize("seed", range(3))
def test_the_trained_network_writes_hello_until_it_is_too_hot(space, seed):
    network, _ = space["train"](seed)
    right = {
        tau: sum(space["write"](network, tau, s) == "hello" for s in range(50))
        for tau in (0, 1, 2, 4)
    }
    assert right[0] == 50
    assert right[1] > 40 > right[2] > right[4] < 25


@pytest.mark.parametrize("seed", range(3))
def test_after_a_wrong_letter_the_next_one_is_wrong_more_often(space, seed):
    network, _ = space["train"](seed)
    said = [space["write"](network, 4, s) for s in range(500)]
    right, wrong = (
        np.mean([word[2] == "l" for word in said if (word[1] == "e") is after_e])
        for after_e in (True, False)
    )
    assert right - wrong > 0.05


# ------------------------------------------------------------------------- cut and clipped


@pytest.mark.parametrize(
    ("size", "dx", "dh0"),
    [(4, [1.875, 1.75, 1.5, 1], 0.9375), (2, [1.5, 1, 1.5, 1], 0.75)],
)
def test_the_chunks_worked_by_hand_are_right(space, size, dx, dh0):
    one, zeros = np.ones((1, 1)), np.zeros((1, 4, 1))
    chunks = space["truncated_chunks"]
    _, found, dh, *_ = chunks(zeros, zeros + 1, 0 * one, one, 0.5 * one, np.zeros(1), size)
    assert (found.ravel().tolist(), dh.item()) == (dx, dh0)


def test_losses_reach_the_steps_that_the_text_says(space):
    whole, cut = space["pulls"][6] != 0, space["pulls"][3] != 0
    assert np.array_equal(whole, np.tri(6, dtype=bool))
    assert np.array_equal(whole & ~cut, np.kron([[0, 0], [1, 0]], np.ones((3, 3))).astype(bool))


def test_cutting_changes_each_gradient_and_no_state(space):
    whole, parts = space["whole"], {}
    for size in (12, 6, 3, 1):
        first, *others = space["some"]
        found = space["truncated_chunks"](first, space["dh"], *others, size)
        pairs = zip(found, whole, strict=True)
        parts[size] = [np.abs(one - other).max() for one, other in pairs]
    assert max(parts[12]) < 1e-12
    for size in (6, 3, 1):
        assert parts[size][0] < 1e-12
        assert min(parts[size][1:]) > 0.005


@pytest.mark.parametrize("before", [3, 5, 50, 500])
def test_the_lectures_snippet_leaves_the_threshold_divided_by_the_norm(space, before):
    grad = before * np.array([0.6, 0.8])
    assert np.linalg.norm(space["snippet"](grad, 5)) == pytest.approx(5 / before)
    clipped, norm = space["clip_gradients"]({"w": grad}, 5)
    assert norm == pytest.approx(before)
    assert np.linalg.norm(clipped["w"]) == pytest.approx(min(before, 5))


def test_what_is_clipped_by_hand_is_right(space):
    grads = {"a": np.array([3.0, 4.0]), "b": np.array([12.0])}
    clipped, norm = space["clip_gradients"](grads, 6.5)
    assert (norm, clipped["a"].tolist(), clipped["b"].tolist()) == (13, [1.5, 2], [6])
    lengths = {
        name: np.linalg.norm(np.concatenate([*way.values()])) for name, way in space["ways"].items()
    }
    assert (lengths["by norm"], lengths["entry by entry"]) == (
        pytest.approx(5),
        pytest.approx(8.66, abs=0.01),
    )
    assert space["ways"]["by norm"]["b"] / space["ways"]["by norm"]["w"][0] == pytest.approx(4)
    alone = space["ways"]["array by array"]
    assert alone["b"] / alone["w"][0] == pytest.approx(5 / 3)
    assert round(2**25 / 1e6, 1) == 33.6


def test_the_steps_worked_by_hand_are_right(space):
    w = memory = np.zeros(1)
    walked = [0.0]
    for _ in range(3):
        w, memory = space["adagrad"](w, np.array([2.0]), memory, 0.1)
        walked.append(-w.item())
    assert memory.item() == 12
    assert np.round(np.diff(walked), 3).tolist() == [0.1, 0.071, 0.058]
    w = memory = np.zeros(1)
    for length, held in ((0.0089, 0.2), (0.0064, 0.39)):
        before = w
        w, memory = space["rmsprop"](w, np.array([2.0]), memory)
        assert (round((before - w).item(), 4), memory.item()) == (length, pytest.approx(held))


@pytest.mark.parametrize("seed", range(3))
def test_adagrad_does_not_linger_and_cares_little_for_the_scale_of_the_loss(space, seed):
    below, by = space["first_below"], space["hello_by"]
    plain, adagrad = space["plain"], space["adagrad"]
    assert below(1.0, by(adagrad, seed)) < 10 < 25 < below(1.0, by(plain, seed))
    assert abs(below(0.5, by(adagrad, seed)) - below(0.5, by(adagrad, seed, scale=4))) <= 3
    assert below(0.5, by(plain, seed)) > 3 * below(0.5, by(plain, seed, scale=4))
    assert by(plain, seed)[-1] < by(adagrad, seed)[-1]


# ------------------------------------------------------------------------------ the bug hunt

MENDED = (
    ("hs, chances, loss = [], [], 0.0", "hs, chances, loss = {}, {}, 0.0"),
    ('- p["by"]', '+ p["by"]'),
    (
        "hs[-1] = h_prev\n        for t in reversed(range(",
        "hs[-1] = h_prev\n        for t in (range(",
    ),
    ('"Wy"):', '"Wy", "by"):'),
    ("            inputs =", "        inputs ="),
    ("            targets =", "        targets ="),
)
FAULTS = (MENDED[:1], MENDED[1:2], MENDED[2:3], MENDED[3:4], MENDED[4:])


def listing(space, *mends):
    """The faulty listing after some of the mends."""
    cell = re.search(
        r"^def faulty_min_char_rnn.*?return p, losses\n", TEXT.read_text(), re.DOTALL | re.MULTILINE
    )
    source = cell.group()
    for fault, right in (pair for mend in mends for pair in mend):
        assert source.count(fault) == 1
        source = source.replace(fault, right)
    names = {"np": np}
    exec(source, names)
    return names["faulty_min_char_rnn"]


def trained_by(train, space):
    """Weights and losses after four chunks, from weights that are not zero anywhere."""
    rng = np.random.default_rng(0)
    p = {
        name: 0.3 * rng.standard_normal(w.shape)
        for name, w in space["new_network"](0, 6, 5).items()
    }
    after, losses = train(rng.integers(5, size=40), p, 4, seq_length=9)
    return np.concatenate([after[name].ravel() for name in p] + [losses])


def test_mending_the_five_faults_gives_the_results_of_the_solution(space):
    expected = trained_by(space["fix_min_char_rnn"], space)
    np.testing.assert_allclose(trained_by(listing(space, *FAULTS), space), expected, rtol=1e-12)


@pytest.mark.parametrize("left", range(5))
def test_each_of_the_five_faults_alone_is_wrong(space, left):
    mends = FAULTS[:left] + FAULTS[left + 1 :]
    expected = trained_by(space["fix_min_char_rnn"], space)
    try:
        found = trained_by(listing(space, *mends), space)
    except (IndexError, KeyError):
        return
    assert not np.allclose(found, expected, rtol=1e-3)


def printed_by_the_hunt(space, capsys, train):
    capsys.readouterr()
    space["hunt"](train)
    return capsys.readouterr().out


def test_the_listing_as_it_stands_stops(space):
    with pytest.raises(IndexError):
        space["hunt"](space["faulty_min_char_rnn"])


def test_the_hunt_finds_nothing_in_the_solution(space, capsys):
    out = printed_by_the_hunt(space, capsys, space["fix_min_char_rnn"])
    assert len(re.findall(r"100% +0% +0%\n", out)) == 5
    hello, hat = re.search(r"chunks: ([\d.]+).*hat: ([\d.]+)", out, re.DOTALL).groups()
    assert float(hello) < 0.1
    assert 25 * math.log(5) < float(hat) < 42
    assert "40.24; 25 ln 5 is 40.24" in out
    assert "17.33; 25 ln 2 is 17.33" in out


@pytest.mark.parametrize(
    ("left", "sign"),
    [(1, r"by +0% +100% +0%"), (3, r"by +0% +0% +100%"), (4, r"hat: ([0-2]\d|\d)\.")],
)
def test_the_hunt_shows_each_silent_fault(space, capsys, left, sign):
    mends = FAULTS[:left] + FAULTS[left + 1 :]
    assert re.search(sign, printed_by_the_hunt(space, capsys, listing(space, *mends)))


RESET = ("h_prev, start = hs[seq_length - 1],", "h_prev, start = 0 * h_prev,")
TURNED = ('grads["by"] += dscores', 'grads["by"] -= dscores')
ROOM = (
    "hs, chances, loss = [], [], 0.0",
    "hs, chances, loss = np.zeros((seq_length + 1, len(h_prev))), {}, 0.0",
)


@pytest.mark.parametrize(
    ("mends", "sign"),
    [
        ((*FAULTS, (RESET,)), r"chunks: (0\.[6-9]|[1-9])"),
        ((FAULTS[0], *FAULTS[2:], (TURNED,)), r"half: 72\.9.*by +100% +0% +0%"),
        ((FAULTS[1], *FAULTS[3:], (ROOM,)), r"Wh +the loss does not hang on it"),
    ],
    ids=["state reset", "by mended in the gradient", "room for a reversed loop"],
)
def test_the_hunt_shows_mends_that_are_none(space, capsys, mends, sign):
    out = printed_by_the_hunt(space, capsys, listing(space, *mends))
    assert re.search(sign, out, re.DOTALL)
    assert "nan" not in out


# ---------------------------------------------------------------------------- real text


def test_the_table_of_streams_is_the_sentence(space, text):
    sentence = "the cat sat on the mat and the dog sat on the cat"
    ids = np.array([ord(c) for c in sentence])
    reads, follows = space["streams"](ids, 3)
    for n, row in enumerate(reads):
        parts = ["".join(map(chr, row[t : t + 4])) for t in range(0, 16, 4)]
        cells = " | ".join(f"`{part}`" for part in parts)
        assert f"| {n} | {cells} |" in TEXT.read_text()
    assert np.array_equal(reads.ravel()[1:], follows.ravel()[:-1])


def test_chunks_are_read_in_turn_and_begin_again_at_the_end(space):
    pieces = space["chunks"](np.arange(21), N=2, T=4)
    read = [
        (x.tolist(), y[0, 0], first) for (x, y, first), _ in zip(pieces, range(3), strict=False)
    ]
    assert read == [
        ([[0, 1, 2, 3], [10, 11, 12, 13]], 1, True),
        ([[4, 5, 6, 7], [14, 15, 16, 17]], 5, False),
        ([[0, 1, 2, 3], [10, 11, 12, 13]], 1, True),
    ]


def test_held_out_bits_of_a_network_that_knows_nothing_are_those_of_equal_chances(space):
    V = len(space["library"]().alphabet)
    nothing = {name: 0 * w for name, w in space["new_network"](0, 8, V).items()}
    assert space["held_out_bits"](nothing) == pytest.approx(math.log2(V))


def test_a_short_training_brings_the_loss_down_from_equal_chances(space):
    model = space["character_model"](0)
    start = math.log(len(space["library"]().alphabet))
    assert model["losses"][0] == pytest.approx(start, abs=0.01)
    assert model["losses"][-1] < start - 0.5
    assert set(model["weights"]) == set(space["STAGES"])


def test_the_state_is_carried_from_chunk_to_chunk_and_not_the_gradient(space):
    rng = np.random.default_rng(0)
    p = {
        name: 0.3 * rng.standard_normal(w.shape)
        for name, w in space["new_network"](0, 6, 5).items()
    }
    ids = rng.integers(5, size=(2, 9))
    first = space["chunk_loss"](p, ids[:, :4], ids[:, 1:5], np.zeros((2, 6)))
    second = space["chunk_loss"](p, ids[:, 4:8], ids[:, 5:9], first[2])
    whole = space["chunk_loss"](p, ids[:, :8], ids[:, 1:], np.zeros((2, 6)))
    assert (first[0] + second[0]) / 2 == pytest.approx(whole[0])
    assert np.allclose((first[1]["Wy"] + second[1]["Wy"]) / 2, whole[1]["Wy"])
    assert not np.allclose((first[1]["Wh"] + second[1]["Wh"]) / 2, whole[1]["Wh"])


def test_the_loop_of_the_lecture_is_found_and_no_loop_in_its_sampled_line(space):
    find = space["find_loop"]
    assert find("the startup is a lot of " * 4 + "the s") == (0, 24)
    assert find("the startup is a meeting to think to investors") is None
    assert find("once more" + "ab" * 20) == (9, 2)
    assert find("a long beginning that is not repeated at all, then xyxyxyxy") is None


def test_even_a_network_of_a_few_steps_loops_when_it_is_greedy_and_not_when_it_samples(space):
    p = space["character_model"](0)["weights"][space["STEPS"]]
    assert all(space["loops"](p, 0))
    assert not any(space["loops"](p, 1))


def test_without_a_record_of_notebook_03_nothing_is_said_of_its_lstm(space, monkeypatch):
    def missing(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(measured, "load", missing)
    assert space["lstm_of_03"]() is None
    monkeypatch.setattr(measured, "load", lambda name: {"found": {}})
    assert space["lstm_of_03"]() is None
    record = {"found": {"LSTM of 03, bits a character on held-out text": [2.1, 2.2, 2.3]}}
    monkeypatch.setattr(measured, "load", lambda name: record)
    assert space["lstm_of_03"]() == 2.2


def test_the_pulse_climbs_as_worked_by_hand(space):
    pulse = np.zeros((1, 4, 1))
    pulse[0, 0] = 1e-6
    weights = [np.array([[1.0], [0.5]])] * 3
    h = space["multilayer_rnn_forward"](pulse, np.zeros((3, 1, 1)), weights, np.zeros((3, 1)))
    rows = np.round(1e6 * h[:, 0, :, 0], 3).tolist()
    assert rows == [[1, 0.5, 0.25, 0.125], [1, 1, 0.75, 0.5], [1, 1.5, 1.5, 1.25]]


# -------------------------------------------------------------------------------- the record


def test_the_record_is_of_these_measurements(space):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CS_CAPTION_FAST", "1")
        assert list(space["measurements"](0)) == list(measured.load(NAME)["found"])


def test_hello_is_learned_with_every_seed_of_the_record():
    assert found("letters spoken right, of 4") == [4, 4, 4]
    assert found("letters spoken right without memory")[2] < 4


def test_the_model_of_text_lies_between_the_bigram_and_gzip_as_the_text_says(space):
    lowest, _, highest = found("text: bits a held-out character")
    assert 2.3 < lowest <= highest < 3.3
    assert max(map(abs, found("text: loss at step 0, less ln V"))) < 0.01


def test_greedy_texts_loop_and_sampled_ones_do_not_in_the_record():
    assert found("text: greedy beginnings that end in a loop, of 5")[0] >= 4
    assert found("text: sampled ones that do") == [0, 0, 0]
    assert found("text: characters in the longest greedy loop")[2] > 5  # a phrase with some seeds


def test_the_shares_of_clipped_steps_are_as_the_text_describes_them():
    mean, total = (
        found(f"clipped: 25 characters, {what}")
        for what in ("norm of the mean above 5", "an entry of the sum beyond 5")
    )
    assert mean[2] < 0.05 < 0.1 < total[0]
    assert found("clipped: 1,024 characters, norm of the mean above 5")[2] < 0.005
    assert found("clipped: 1,024 characters, norm of the mean above 1")[2] < 0.15


def test_measuring_a_seed_takes_no_longer_than_the_notebook_may():
    assert measured.load(NAME)["seconds"][2] < 90


@pytest.mark.full
def test_measured_anew_with_another_seed_the_text_holds():
    with full_budget():
        again = measurements_of(TEXT)(100)
    assert again["letters spoken right, of 4"] == 4
    assert 2.3 < again["text: bits a held-out character"] < 3.3
    assert again["text: sampled ones that do"] == 0


def test_defining_all_that_is_measured_trains_nothing():
    names = measurements_of(TEXT).__globals__
    assert "network" not in names  # the demonstrations train one
    cached = [f for f in names.values() if hasattr(f, "cache_info")]
    assert len(cached) > 1
    assert all(f.cache_info().currsize == 0 for f in cached)


# --------------------------------------------------------------------------------- the plan


def test_the_plan_states_the_points_and_fits_in_three_hours_each(text):
    part_a, part_b = text.split("**Part A:")[1].split("**Part B:")
    for part, core, bonus in ((part_a, 14, 0), (part_b, 6, 3)):
        rows = re.findall(r"\| `(\w+)` \| ([^|]*) \| (\d+) \| (\d+) \|", part.split("Each ex")[0])
        worth = {True: 0, False: 0}
        for name, words, points, _ in rows:
            worth["bonus" in words] += int(points)
            assert f'"grade_id": "test_{name}", "points": {points}' in text
        assert worth == {True: bonus, False: core}
        assert f"({core} points" in part
        assert sum(int(minutes) for *_, minutes in rows) < 180


def test_every_exercise_states_the_minutes_and_points_of_the_plan(text):
    plan = dict(re.findall(r"\| `(\w+)` \| [^|]* \| \d+ \| (\d+) \|", text))
    for name, minutes in plan.items():
        before = text.split(f'"grade_id": "{name}", "solution"')[0]
        stated = re.findall(r"xercise\*\* \([^)]*about (\d+) minutes\)", before)[-1]
        assert (name, stated) == (name, minutes)


def test_the_stub_of_the_hunt_has_the_signature_of_the_listing(space):
    shown, asked = (
        inspect.signature(space[name]) for name in ("faulty_min_char_rnn", "fix_min_char_rnn")
    )
    assert shown == asked
