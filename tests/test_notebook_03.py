"""Notebook 03: the gates do what the text says, and what it states is true."""

import math
import re

import numpy as np
import pytest

from autograder.measure import measurements_of
from cs_caption import measured
from cs_caption.budget import full_budget
from cs_caption.character_models import gzip_bits
from cs_caption.data.text import standard_library
from notebooks import text_of

NAME = "03_lstm_gates"
TEXT = text_of(NAME)

pytestmark = pytest.mark.xdist_group(NAME)  # one process runs the text, once


@pytest.fixture(scope="module")
def space():
    """All that the text defines, run as the script that it is, with a small budget.

    The last demonstration shows the record, and is left to the tests of the record.
    """
    names = {"__name__": NAME}
    source = TEXT.read_text().replace('beside("03_lstm_gates"', "(lambda *a, **k: None)(None")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CS_CAPTION_FAST", "1")
        exec(compile(source, TEXT, "exec"), names)
    return names


@pytest.fixture(scope="module")
def text():
    """The words, without comment marks and line ends."""
    return " ".join(re.sub(r"^# ?", "", TEXT.read_text(), flags=re.MULTILINE).split())


def column(*numbers):
    """Numbers as the only row of a matrix."""
    return np.array([numbers], dtype=float)


def rounded(*values):
    return [round(float(np.squeeze(value)), 2) for value in values]


# ------------------------------------------------------------------ the numbers worked by hand


def test_the_gradient_of_three_states_worked_by_hand_is_right(space):
    h, dh = np.array([[[0.0], [0.6], [0.8]]]), np.array([[[0.0], [0.0], [1.0]]])
    norms = space["gradient_norms"](dh, h, np.array([[0.5]]))
    assert norms[0] == pytest.approx([0.0576, 0.18, 1])


def test_the_powers_and_sigmoids_that_the_text_states_are_right(space, text):
    stated = {
        "0.9^{50} = 0.005": 0.9**50,
        "1.1^{50} = 117": 1.1**50,
        "0.73^{20} = 0.002": 0.73**20,
        "0.982^{20} = 0.70": space["sigmoid"](4) ** 20,
        "0.982^{99} = 0.17": space["sigmoid"](4) ** 99,
        "1.5 \\cdot \\sqrt{1/2} = 1.06": 1.5 * math.sqrt(0.5),
    }
    for words, value in stated.items():
        digits = words.split("= ")[1]
        assert f"{value:.{len(digits.partition('.')[2])}f}" == digits
        assert words in text
    assert pytest.approx(1e-6, rel=0.1) == 0.5**20
    assert rounded(*map(space["sigmoid"], (1, 2, 4))) == [0.73, 0.88, 0.98]


def test_the_lstm_step_worked_by_hand_is_right_forward_and_backward(space):
    weights = column(0, 2, 0, 1), column(2, 0, -2, 0), np.array([0.0, 0, 1, 0])
    h, c, cache = space["lstm_step_forward"](column(1), column(0.5), column(0.8), *weights)
    assert rounded(c, h) == [1.26, 0.43]
    found = space["lstm_step_backward"](column(1), column(0), cache)
    dx, dprev_h, dprev_c, _, _, db = found
    assert rounded(dx, dprev_h, dprev_c) == [0.07, -0.38, 0.12]
    assert db.round(2).tolist() == [0.02, 0.01, 0.21, 0.04]


def test_the_gru_step_worked_by_hand_is_right(space):
    weights = column(0, 1, 2), column(2, 0, 2), np.array([-1.0, 0, 0])
    h, _ = space["gru_step_forward"](column(1), column(0.5), *weights)
    assert rounded(h, np.tanh(2.5)) == [0.63, 0.99]


# ------------------------------------------------------------------------ what is to be seen


def test_four_commands_to_a_memory_do_what_they_are_called(space):
    assert space["memory"].ravel() == pytest.approx([0, 0.5, 1, 1.5], abs=1e-3)
    assert space["dmemory"].ravel() == pytest.approx([0, 1, 0, 1], abs=1e-3)
    assert space["dold"].ravel() == pytest.approx([1, 1, 0, 0.28], abs=0.01)


def test_the_lstm_made_by_hand_counts_and_starts_again(space):
    step = space["lstm_forward"]
    letters, switches = space["letters"], space["gates_by_letter"]
    x = np.eye(3)[["a.r".index(letter) for letter in letters]][None]
    rows = np.array([switches[letter] for letter in "a.r"], float)
    _, c, _ = step(x, np.zeros((1, 1)), np.zeros((1, 1)), rows, np.zeros((1, 4)), np.zeros(4))
    assert c[0, :, 0].round().tolist() == [1, 1, 1, 2, 3, 3, 0, 0, 1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_no_gradient_of_any_network_passes_the_bound(space, seed):
    for sigma in (0.9, 1.5):
        for Wh in space["matrices"](sigma, seed).values():
            assert np.linalg.norm(Wh, 2) == pytest.approx(sigma)
            for f in space["activations"]:
                norms = space["arriving"](Wh, f, seed)
                assert (norms <= 1.0001 * sigma ** np.arange(101)).all()


@pytest.mark.parametrize("seed", range(3))
def test_below_one_only_two_linear_networks_stay_near_the_bound(space, seed):
    for kind, Wh in space["matrices"](0.9, seed).items():
        for f in space["activations"]:
            shares = space["arriving"](Wh, f, seed) / 0.9 ** np.arange(101)
            if (kind, f) == ("orthogonal", "linear"):
                np.testing.assert_allclose(shares, 1)
            elif (kind, f) == ("non-normal", "linear"):
                assert 0.25 < shares[10] < 0.4
                assert shares[50] < 1e-6
            else:
                assert shares[10] < 0.15, (kind, f)


@pytest.mark.parametrize("seed", range(3))
def test_above_one_only_the_linear_orthogonal_network_explodes_for_certain(space, seed):
    W, at = space["matrices"](1.5, seed), space["arriving"]
    assert at(W["orthogonal"], "linear", seed)[50] == pytest.approx(1.5**50)
    for kind, f in (
        ("orthogonal", "tanh"), ("Gaussian", "linear"), ("Gaussian", "tanh"), ("Gaussian", "relu"),
        ("non-normal", "tanh"),
    ):  # fmt: skip
        assert at(W[kind], f, seed)[50] < 1e-2, (kind, f)
        assert at(W[kind], f, seed).max() < 1.01
    assert 0.03 < at(W["orthogonal"], "relu", seed)[50] < 100


@pytest.mark.parametrize("seed", range(3))
def test_the_chain_grows_a_thousandfold_and_vanishes_in_the_end(space, seed):
    Wh = space["matrices"](1.5, seed)["non-normal"]
    assert np.abs(np.linalg.eigvals(Wh)).max() == pytest.approx(0.5, abs=0.01)
    for f, least in (("linear", 700), ("relu", 400)):
        norms = space["arriving"](Wh, f, seed)
        assert least < norms.max() < 3000
        assert 20 < norms.argmax() < 40
        assert norms[100] < 1e-7


@pytest.mark.parametrize(
    ("kind", "f", "sigma"),
    [
        ("orthogonal", "linear", 1), ("orthogonal", "relu", 1.5), ("orthogonal", "tanh", 2),
        ("Gaussian", "linear", 2), ("Gaussian", "relu", 2.85), ("Gaussian", "tanh", 3.9),
    ],
)  # fmt: skip
def test_the_gradient_begins_to_grow_where_the_text_says(space, kind, f, sigma):
    for seed in range(2):
        assert space["growth"](kind, sigma - 0.35, f, seed) < 1
        assert space["growth"](kind, sigma + 0.35, f, seed) > 1


@pytest.mark.parametrize("seed", range(3))
def test_the_spectral_radius_of_a_gaussian_is_about_half_of_sigma(space, seed):
    Wh = space["matrices"](1.5, seed)["Gaussian"]
    assert 0.5 < np.abs(np.linalg.eigvals(Wh)).max() / 1.5 < 0.62


@pytest.mark.parametrize("seed", range(3))
def test_the_forget_bias_decides_what_arrives_at_the_memory(space, seed):
    factors = {}
    for bias in (0, 1, 2, 4):
        lengths = space["arriving_at_memory"](bias, seed)
        assert len(lengths) == 100
        factors[bias] = (lengths[-1] / lengths[9]) ** (1 / 90)
    assert [round(factors[bias], 1) for bias in (0, 1)] == [0.6, 0.8]
    assert factors[2] == pytest.approx(0.95, abs=0.02)
    assert all(factors[bias] > space["sigmoid"](bias) for bias in factors)


@pytest.mark.parametrize("seed", range(10))
def test_with_open_gates_the_gradient_sinks_a_little_and_then_rises(space, seed):
    lengths = space["arriving_at_memory"](4, seed)
    assert 0.15 < lengths[0] < 0.25
    assert 0.12 < lengths.min() < 0.17
    assert 0 < lengths.argmin() < 50
    assert 0.5 < lengths[-1] < 0.9
    assert lengths[0] * space["sigmoid"](4) ** 99 < 0.04


def gradient_cell():
    """The cell that compares lstm_backward with the numeric gradient; its report is `report`."""
    cells = re.split(r"^# %%.*$", TEXT.read_text(), flags=re.MULTILINE)
    (cell,) = (cell for cell in cells if "check_gradients(lambda p: lstm_forward" in cell)
    return cell.replace("check_gradients(lambda", "report = check_gradients(lambda")


def without_loss(dh):
    return (dh == 0).all(axis=-1, keepdims=True)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda dh, dnext: np.where(without_loss(dh), 0, dnext),
        lambda dh, dnext: np.clip(dnext, -5, 5),
        lambda dh, dnext: np.zeros_like(dnext),
    ],
    ids=["stops at a step without a loss", "clipped", "nothing handed on"],
)
@pytest.mark.parametrize("part", [0, 1], ids=["dh", "dc"])
def test_the_numeric_gradient_sees_what_a_mistake_could_hide_behind(space, mistake, part):
    forward, back = space["lstm_forward"], space["lstm_step_backward"]

    def lstm_backward(dh, cache):
        handed, dxs, steps = [np.zeros_like(dh[:, 0])] * 2, [], []
        for t in reversed(range(dh.shape[1])):
            handed[part] = mistake(dh[:, t], handed[part])
            dx, *handed, dWx, dWh, db = back(dh[:, t] + handed[0], handed[1], cache[t])
            dxs.append(dx)
            steps.append((dWx, dWh, db))
        sums = (sum(each) for each in zip(*steps, strict=True))
        return np.stack(dxs[::-1], axis=1), *handed, *sums

    names = {name: space[name] for name in ("np", "check_gradients", "lstm_backward")}
    names["lstm_forward"] = forward
    exec(gradient_cell(), names)
    assert names["report"].passed
    wrong = names | {"lstm_backward": lstm_backward}
    exec(gradient_cell(), wrong)
    assert not wrong["report"].passed


# ------------------------------------------------------------------------------- the models


def test_the_competitors_have_about_as_many_weights(space):
    sizes = {
        kind: sum(weight.size for weight in space["new_cell"](kind, 0, 0)[0])
        for kind in space["CELLS"]
    }
    assert max(sizes.values()) < 1.02 * min(sizes.values())
    assert all(round(size, -2) == 1600 for size in sizes.values())


def test_the_open_gate_lies_where_the_cell_keeps(space):
    weights, H = space["new_cell"]("GRU", 30, seed=0)
    h = np.random.default_rng(0).standard_normal((2, H))
    kept, _ = space["gru_step_forward"](np.eye(8)[:2], h, *weights)
    np.testing.assert_allclose(kept, h)


def test_the_recall_task_runs_the_same_where_the_extension_is_skipped(space, monkeypatch, capsys):
    pytest.importorskip("torch")

    def stub(*args):
        raise NotImplementedError

    def gradients():
        x, symbols = space["sequences"](np.random.default_rng(0), 3, 4)
        weights, H = space["new_cell"]("GRU", 1, seed=0)
        weights += [np.random.default_rng(0).standard_normal((H, 4)), np.zeros(4)]
        scores, cache = space["name_symbol"]("GRU", weights, x)
        _, dscores = space["surprise"](scores, symbols)
        return space["recall_gradients"]("GRU", weights, dscores, cache)

    expected = gradients()
    pair = space["gru_written_or_torch"](space["gru_step_forward"], stub)
    for name, function in zip(("gru_step", "gru_step_back"), pair, strict=True):
        assert function is not space[name]
        monkeypatch.setitem(space, name, function)
    for found, grad in zip(gradients(), expected, strict=True):
        np.testing.assert_allclose(found, grad, atol=1e-12)


def test_a_sequence_of_the_recall_task_is_a_symbol_and_noise_of_other_letters(space):
    x, symbols = space["sequences"](np.random.default_rng(0), 50, 7)
    numbers = x.argmax(axis=2)
    assert (numbers[:, 0] == symbols).all()
    assert set(symbols) == {0, 1, 2, 3}
    assert set(numbers[:, 1:].ravel()) == {4, 5, 6, 7}


def test_the_longest_length_recalled_is_the_last_before_the_break(space, monkeypatch):
    monkeypatch.setitem(space, "LENGTHS", (5, 10, 20, 40))
    for shares, longest in (((1, 0.95, 0.5, 1), 10), ((0.3, 1, 1, 1), 0), ((1, 1, 1, 1), 40)):
        answers = dict(zip((5, 10, 20, 40), shares, strict=True))
        monkeypatch.setitem(space, "recalled", lambda kind, bias, T, seed, a=answers: a[T])
        assert space["longest_recalled"]("RNN", 0) == longest


@pytest.mark.parametrize("seed", range(3))
def test_the_stack_says_hello_and_stops(space, seed):
    weights, losses = space["learn_hello"](seed)
    assert losses[0] == pytest.approx(math.log(6), abs=0.1)
    assert space["say"](weights) == "<START>hello<END>"


def test_the_gradient_of_the_stack_is_right(space):
    from cs_caption.gradcheck import check_gradients

    rng = np.random.default_rng(0)
    weights = space["new_model"](0, V=5, H=3, layers=2)
    ids, y = rng.integers(5, size=(2, 4)), rng.integers(5, size=(2, 4))
    state = rng.standard_normal((2, 2, 3)), rng.standard_normal((2, 2, 3))
    _, grads, after = space["loss_and_gradients"](weights, ids, y, state)
    report = check_gradients(
        lambda w: space["loss_and_gradients"](w, ids, y, state)[0], weights, grads
    )
    assert report.passed, str(report)
    scores, other = space["read"](weights, ids, state)
    assert scores.shape == (2, 4, 5)
    np.testing.assert_allclose(after, other)


def test_the_models_have_about_as_many_weights_as_the_rnn_of_02_and_stay_float32(space):
    V, H = 98, 128
    rnn = (V + H + 1) * H + (H + 1) * V
    for H, layers in space["MODELS"].values():
        weights = space["new_model"](0, V, H, layers, np.float32)
        assert sum(weight.size for weight in weights) == pytest.approx(rnn, rel=0.02)
    small = space["new_model"](0, 5, 4, 2, np.float32)
    ids = np.zeros((2, 3), int)
    _, grads, state = space["loss_and_gradients"](small, ids, ids, space["at_rest"](small, 2))
    assert {part.dtype for part in (*grads, *state)} == {np.dtype(np.float32)}
    space["downhill"](small, grads, [np.zeros_like(w) for w in small], 0.1)
    assert {weight.dtype for weight in small} == {np.dtype(np.float32)}


def test_a_step_downhill_is_clipped_to_a_length_of_one(space):
    weights, squares = [np.zeros(2), np.zeros(1)], [np.zeros(2), np.zeros(1)]
    space["downhill"](weights, [np.array([3.0, 0.0]), np.array([4.0])], squares, rate=1.0)
    assert np.sqrt(sum(square.sum() for square in squares)) == pytest.approx(1)


def test_a_network_that_knows_nothing_needs_the_logarithm_of_the_alphabet(space):
    V = len(space["library"]().alphabet)
    weights = [0 * weight for weight in space["new_model"](0, V, 4, 1)]
    assert space["held_out_bits"](weights) == pytest.approx(math.log2(V))


# ------------------------------------------------------------------------------ the bug hunt


def test_the_faulty_listing_runs_and_each_instrument_finds_something(space, capsys):
    report = space["hunt"](space["faulty_lstm"], T=1, memory=0)
    assert "h is off" in capsys.readouterr().out
    assert not report.passed
    assert str(space["hunt"](space["faulty_lstm"], T=1, memory=1)) == str(report)


@pytest.mark.parametrize(("T", "memory"), [(1, 0), (1, 1), (3, 1)])
def test_the_mended_listing_passes_the_hunt(space, capsys, T, memory):
    assert space["hunt"](space["fix_lstm"], T, memory).passed
    assert "h is right" in capsys.readouterr().out


# ---------------------------------------------------------------------- looking into the gates


def test_the_gates_shown_make_the_memories_shown(space):
    weights = space["new_model"](0, V=6, H=4, layers=1)
    shown = space["gates_over"](weights, np.array([0, 1, 2, 3, 3, 4]))
    f, i, o, g, c = shown.values()
    before = np.concatenate([np.zeros((1, 4)), c[:-1]])
    np.testing.assert_allclose(c, f * before + i * g)
    h, _, _ = space["lstm_forward"](
        np.eye(6)[[[0, 1, 2, 3, 3, 4]]], np.zeros((1, 4)), np.zeros((1, 4)), *weights[:3]
    )
    np.testing.assert_allclose(h[0], o * np.tanh(c))


def test_the_facts_of_a_line_are_as_defined(space):
    found = space["facts"]("  a'b' # c\nd")
    assert found["place in the line"].tolist() == [*range(1, 12), 1]
    assert found["indent"].tolist() == [1] + [2] * 10 + [0]
    assert found["after a #"].tolist() == [0] * 7 + [1] * 4 + [0]
    assert found["in quotes"].tolist() == [0, 0, 0, 1, 1] + [0] * 7


def test_the_closest_unit_is_found_with_its_sign(space):
    fact = np.array([0.0, 1, 2, 3, 5, 8])
    memories = np.stack([[1.0, -1, 1, -1, 1, -1], -2 * fact + 7, np.zeros(6)], axis=1)
    unit, together = space["closest"](memories, fact)
    assert (unit, round(together, 6)) == (1, -1)


# ------------------------------------------------------------------------------- the record


@pytest.fixture(scope="module")
def record():
    return measured.load(NAME)


def test_the_record_is_quick_enough_and_meets_the_bars(record):
    found = record["found"]
    assert record["seconds"][1] < 120  # the median: what else the machine did is not ours
    assert found["LSTM of 03, bits a character on held-out text"][2] < 2.6
    assert found["the same with two layers"][2] < 2.7


def test_the_lengths_recalled_are_recorded_as_the_text_states_them(record, text):
    assert record["seeds"] == 5
    for name, lowest, highest, words in (
        ("RNN", 5, 20, "With five seeds the vanilla RNN recalled over 5 to 20 letters"),
        ("GRU, bias 0", 10, 10, "the GRU with bias 0 over 10 and"),
        ("LSTM, bias 1", 10, 20, "the LSTM with bias 1 over 10 to 20"),
        ("LSTM, bias 4", 40, 80, "the LSTM over 40 to 80 letters"),
        ("GRU, bias 4", 160, 160, "the GRU over 160, the longest that we tried"),
    ):
        found = record["found"][f"{name}: longest T recalled"]
        assert [found[0], found[2]] == [lowest, highest], name
        assert words in text


def test_the_gradients_and_the_medians_are_recorded_as_the_text_states_them(record, text):
    found = record["found"]
    relu = found["gradient, factor a step: orthogonal, sigma 1.5, relu"]
    assert 0.05 < relu[0] ** 50 < relu[2] ** 50 < 60
    rising = found["log10 of dL/dc, 100 steps back, forget bias 4"]
    assert 0.5 < 10 ** rising[0] < 10 ** rising[2] < 0.9
    one, two = (
        found[name][1]
        for name in ("LSTM of 03, bits a character on held-out text", "the same with two layers")
    )
    assert f"{two:.2f} bits in the median, against {one:.2f}" in text


def test_the_lstm_is_recorded_half_way_from_the_rnn_of_02_to_gzip(record):
    try:
        rnn = measured.load("02_hello_rnn")["found"]["text: bits a held-out character"]
    except KeyError:
        pytest.skip("02 is not measured anew yet")
    lstm = record["found"]["LSTM of 03, bits a character on held-out text"]
    with full_budget():
        gzip = gzip_bits(standard_library())
    assert gzip < lstm[0] < lstm[2] < rnn[0]
    assert (rnn[1] - lstm[1]) / (rnn[1] - gzip) == pytest.approx(0.5, abs=0.1)


def test_measuring_runs_no_test_and_no_demonstration(monkeypatch):
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    measure = measurements_of(TEXT)
    assert "climbs" not in measure.__globals__  # the demonstrations train
    found = measure(1)
    assert all(math.isfinite(value) for value in found.values())
    assert found["gradient, factor a step: orthogonal, sigma 1.5, linear"] == pytest.approx(1.5)


@pytest.mark.full
def test_trained_anew_the_lstm_beats_the_bigram_by_far_and_open_gates_remember_longest():
    with full_budget():
        measure = measurements_of(TEXT)
        found = measure(1)
    assert found["LSTM of 03, bits a character on held-out text"] < 2.6
    assert found["GRU, bias 4: longest T recalled"] >= 80
    assert found["RNN: longest T recalled"] <= 40


# ------------------------------------------------------------------------------- the plan


def test_the_plan_states_the_sums_of_its_parts_and_fits_in_three_hours_each(text):
    part_a, part_b = text.split("**Part A:")[1].split("**Part B:")
    for part, core, bonus in ((part_a, 14, 0), (part_b, 6, 3)):
        rows = re.findall(
            r"\| `\w+` \| ([^|]*) \| (\d+) \| (\d+) \|", part.split("Each exercise")[0]
        )
        assert sum(int(row[1]) for row in rows if "bonus" not in row[0]) == core
        assert sum(int(row[1]) for row in rows if "bonus" in row[0]) == bonus
        assert sum(int(row[2]) for row in rows) < 180
        assert f"({core} points" in part


def test_each_exercise_states_the_points_that_its_check_has(text):
    checks = dict(re.findall(r'"grade_id": "test_(\w+)", "points": (\d+)', TEXT.read_text()))
    table = dict(re.findall(r"\| `(\w+)` \| [^|]* \| (\d+) \| \d+ \|", text))
    assert checks == table
    assert len(checks) == 10
