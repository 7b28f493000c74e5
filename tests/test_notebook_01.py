"""Notebook 01: the solution is right, and what the text states is true."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from autograder.measure import measurements_of
from cs_caption import measured
from cs_caption.budget import full_budget
from cs_caption.data.crops import COLOURS, SHAPES
from notebooks import executed

NAME = "01_convnets"
TEXT = Path(__file__).resolve().parent.parent / "solutions" / NAME / f"{NAME}.py"

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


def array(*numbers):
    return np.array(numbers, dtype=float)


# ------------------------------------------------------------------ the numbers worked by hand


def test_the_fully_connected_layer_worked_by_hand_is_right(space):
    out, cache = space["affine_forward"](array([1, 2], [3, -1]), array([2], [1]), array(0.5))
    assert out.ravel().tolist() == [4.5, 5.5]
    dx, dw, db = space["affine_backward"](array([1], [10]), cache)
    assert (db.tolist(), dw.ravel().tolist()) == ([11], [31, -8])
    assert dx.tolist() == [[2, 1], [20, 10]]
    assert space["said"].tolist() == [[5, -3], [-3, 5]]


def test_the_threshold_worked_by_hand_is_right(space):
    out, cache = space["relu_forward"](array(-2, 0, 3))
    assert out.tolist() == [0, 0, 3]
    assert space["relu_backward"](array(5, 6, 7), cache).tolist() == [0, 0, 7]


def test_the_lectures_probabilities_have_the_loss_and_the_gradient_that_the_text_states(space):
    scores = np.log([[0.2, 0.4, 0.09, 0.01, 0.3]])
    loss, gradient = space["softmax_loss"](scores, np.array([1]))
    assert round(loss, 3) == 0.916
    assert gradient[0] == pytest.approx([0.2, -0.6, 0.09, 0.01, 0.3])
    bagel, _ = space["softmax_loss"](scores, np.array([3]))
    assert round(bagel, 3) == 4.605
    assert round((loss + bagel) / 2, 3) == 2.761
    logarithms = {3: 1.099, 6: 1.792, 8: 2.079, 1000: 6.908}
    assert {n: round(math.log(n), 3) for n in logarithms} == logarithms


@pytest.mark.parametrize(
    ("H", "HH", "stride", "pad", "OH"),
    [(224, 3, 1, 1, 224), (32, 5, 1, 0, 28), (14, 5, 1, 0, 10), (7, 3, 2, 1, 4), (8, 3, 2, 0, 3)],
)
def test_the_table_of_output_sizes_is_right(space, text, H, HH, stride, pad, OH):
    x, w = np.zeros((1, 1, H, 3)), np.zeros((1, 1, HH, 3))
    out, _ = space["conv_forward_naive"](x, w, np.zeros(1), stride, pad)
    assert out.shape[2] == OH
    assert f"| {H} | {HH} | {stride} | {pad} | {OH} |" in text


def test_the_convolution_worked_by_hand_is_right(space):
    x = array([1, 2, 0], [0, 1, 3], [2, 0, 1])[None, None]
    w = array([1, 2], [3, -1])[None, None]
    assert space["conv_forward_naive"](x, w, np.ones(1))[0][0, 0].tolist() == [[5, 3], [9, 7]]
    assert (np.count_nonzero(space["matrix"] == 0, axis=0) == 5).all()
    assert set(space["matrix"].ravel()) == {0, 1, 2, 3, -1}
    assert np.array_equal(space["dx_affine"], space["dx_conv"])


def test_the_row_convolved_by_hand_is_right_forward_and_backward(space):
    x, w = array(2, 1, 0, 3)[None, None, None], array(3, 2)[None, None, None]
    out, cache = space["conv_forward_naive"](x, w, np.zeros(1))
    assert out.ravel().tolist() == [8, 3, 6]
    gradients = space["conv_backward_naive"](array(1, 10, 100)[None, None, None], cache)
    found = [gradient.ravel().tolist() for gradient in gradients]
    assert found == [[3, 32, 320, 200], [12, 301], [111]]


def test_pixels_are_read_as_often_as_the_text_states(space):
    times = space["times_read"]
    assert np.count_nonzero(times(1, 2) == 0) == 16
    assert (times(3, 1)[2, 2], times(3, 1)[0, 0], times(3, 2)[2, 2]) == (9, 1, 4)


def test_the_lectures_grid_is_pooled_as_the_text_states(space):
    grid, back = space["grid"], space["pool_gradient"]
    assert space["max_pool_forward"](grid)[0].ravel().tolist() == [6, 8, 3, 4]
    assert space["max_pool_forward"](grid, stride=1)[0].ravel().tolist() == [6, 7, 8] * 2 + [
        3,
        3,
        4,
    ]
    tens = space["tens"]
    assert back(grid, tens).tolist() == [[0] * 4, [0, 10, 0, 20], [30, 0, 0, 0], [0, 0, 0, 40]]
    equal = back(np.ones_like(grid), tens)
    assert equal.tolist() == [[10, 0, 20, 0], [0] * 4, [30, 0, 40, 0], [0] * 4]
    overlapping = back(grid, np.ones((3, 3)), 1)
    assert overlapping.tolist() == [[0] * 4, [0, 2, 2, 2], [1, 0, 0, 0], [0, 0, 1, 1]]


def test_sizes_and_counts_that_the_text_states_are_right(space, text):
    D, M = 3 * 224 * 224, 64 * 224 * 224
    stated = {
        "150,528": D,
        "25{,}088": 7 * 7 * 512,
        "61,706": space["total"],
        "48,120": 400 * 120 + 120,
        "2,572": 156 + 2416,
        "3{,}211{,}264": M,
        "1{,}792": 64 * (9 * 3 + 1),
    }
    for words, number in stated.items():
        assert int(re.sub(r"[{},]", "", words)) == number
        assert words in text
    assert D * M + M == 483_388_358_656
    assert 1.9e12 < 4 * (D * M + M) < 2e12
    assert round(64 * 224 * 224 * 8 / 1e6) == 26
    assert round(64 * 224 * 224 * 9 * 8 / 1e6) == 231
    lenet = [(1, 32), (6, 28), (6, 14), (16, 10), (16, 5)]
    assert all(f"| {maps} of {side}x{side} | {maps * side**2:,} |" in text for maps, side in lenet)


def test_the_columns_worked_by_hand_are_right(space):
    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    columns = space["im2col"](x, 2, 2)[0].T
    assert columns.tolist() == [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]
    padded = space["im2col"](x, 2, 2, stride=2, pad=1)[0]
    assert padded[:, 0].tolist() == [0, 0, 0, 1]
    assert sorted(padded[padded > 0]) == list(range(1, 10))  # nothing is written twice


def test_two_steps_with_momentum_worked_by_hand_are_right(space):
    w, v = np.ones(1), np.zeros(1)
    found = []
    for _ in range(2):
        w, v = space["sgd_momentum"](w, 2 * np.ones(1), v, 0.1, 0.9)
        found += [v.item(), w.item()]
    assert found == pytest.approx([-0.2, 0.8, -0.38, 0.42])


def test_momentum_ends_nearer_though_it_swings_first(space):
    plain, rolling = space["walk"](momentum=0.0), space["walk"](momentum=0.9)
    assert plain[1] == pytest.approx(0.98)
    assert plain[-1] == pytest.approx(0.13, abs=0.01)
    assert max(rolling[1:10]) > plain[1]
    assert max(rolling[-10:]) < plain[-1] / 4


# ------------------------------------------------------------------------------------ VGG


def test_what_the_text_says_of_vgg_is_so(space, text):
    rows = space["vgg_shapes"](space["vgg"](2, 2, 3, 3, 3))
    values, parameters = (np.array([row[i] for row in rows]) for i in (2, 3))
    assert f"{values[1:3].sum() / values.sum():.0%}" == "42%"
    assert f"{parameters[1:3].sum() / parameters.sum():.2%}" == "0.03%"
    largest = int(parameters.argmax())
    assert rows[largest][0] == "FC-4096"
    assert f"{parameters[largest] / parameters.sum():.0%}" == "74%"
    assert f"{values[largest] / values.sum():.2%}" == "0.03%"
    assert all(share in text for share in ("42%", "74%", "0.03%"))
    assert round(values.sum() / 1e6, 1) == 15.2


def test_the_slides_column_is_vgg_13(space):
    rows = space["vgg_shapes"](space["vgg"](2, 2, 2, 2, 2))
    assert sum(row[3] for row in rows) == 133_047_848


# ------------------------------------------------------------------------- the tiny network


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_at_step_0_is_the_logarithm_of_the_number_of_classes(space, seed):
    losses, _ = space["step"](space["new_network"](seed), space["crops"]("train"), np.arange(64))
    assert losses["shape"] == pytest.approx(math.log(len(SHAPES)), abs=0.01)
    assert losses["colour"] == pytest.approx(math.log(len(COLOURS)), abs=0.01)


def test_large_first_weights_of_a_head_give_the_loss_of_the_question(space):
    network = space["new_network"](0)
    network["w_shape"] *= 5000
    losses, _ = space["step"](network, space["crops"]("train"), np.arange(64))
    assert losses["shape"] > 5


def test_volumes_keep_their_size_from_layer_to_layer(space):
    crops = space["as_input"](space["crops"]("train").images[:32])
    _, volumes, _ = space["forward"](space["new_network"](0), crops)
    spread = [float(np.sqrt((volume**2).mean())) for volume in volumes]
    assert 0.3 < min(spread) <= max(spread) < 6


@pytest.mark.parametrize(("k", "size", "stride"), [(0, 3, 1), (2, 8, 2), (4, 18, 4)])
def test_a_number_of_a_layer_sees_as_many_pixels_as_the_text_states(space, k, size, stride):
    _, network = np.random.default_rng(0), space["new_network"](0)
    image = np.random.default_rng(1).integers(256, size=(32, 32, 3), dtype=np.uint8)
    i = j = 32 // stride // 2
    top = stride * i + (stride - size) // 2
    seen = np.zeros((32, 32), bool)
    for y, x in np.ndindex(32, 32):
        other = image.copy()
        other[y, x] = 255 - other[y, x]
        pair = space["as_input"](np.stack([image, other]))
        answers = space["forward"](network, pair)[1][k][:, :, i, j]
        seen[y, x] = np.any(answers[0] != answers[1])
    rows, columns = seen.any(axis=1).nonzero()[0], seen.any(axis=0).nonzero()[0]
    assert (rows[0], rows[-1]) == (top, top + size - 1)
    assert (columns[0], columns[-1]) == (top, top + size - 1)


def test_the_network_does_not_change_its_float32_to_float64(space):
    network = space["new_network"](0)
    _, grads = space["step"](network, space["crops"]("train"), np.arange(8))
    assert {grad.dtype for grad in grads.values()} == {np.dtype(np.float32)}


def test_the_new_pairs_are_pairs_that_training_never_shows(space):
    train, new = space["crops"]("train"), space["unseen_pairs"]()
    seen = set(zip(train.shapes, train.colours, strict=True))
    assert len(new)
    assert seen.isdisjoint(zip(new.shapes, new.colours, strict=True))


def test_the_rest_of_the_notebook_runs_where_the_extensions_are_skipped(space, capsys):
    pytest.importorskip("torch")

    def stub(*args):
        raise NotImplementedError

    pair = space["written_or_torch"](stub, stub)
    mine = space["conv"], space["conv_back"]
    crops, network = space["crops"]("train"), space["new_network"](0)
    expected = space["step"](network, crops, np.arange(8))
    space["conv"], space["conv_back"] = pair
    try:
        losses, grads = space["step"](network, crops, np.arange(8))
    finally:
        space["conv"], space["conv_back"] = mine
    assert losses == pytest.approx(expected[0], rel=1e-4)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, expected[1][name], atol=1e-4)


def test_the_record_meets_the_bars():
    found = measured.load(NAME)["found"]
    assert found["held-out crops: shape named right"][0] >= 0.95
    assert found["held-out crops: colour named right"][0] >= 0.95
    assert measured.load(NAME)["seconds"][2] < 90


def test_the_losses_at_step_0_are_recorded_in_a_narrow_range_around_the_logarithm():
    found = measured.load(NAME)["found"]
    for what, classes in (("shape", 6), ("colour", 8)):
        name = f"loss of {what} at step 0 (ln {classes} = {math.log(classes):.3f})"
        lowest, _, highest = found[name]
        assert lowest <= highest
        assert max(abs(lowest - math.log(classes)), abs(highest - math.log(classes))) < 0.01


def test_the_text_states_the_recorded_fall_on_pairs_never_seen(text):
    record = measured.load(NAME)
    new, old = (
        record["found"][f"{kind}: shape named right"]
        for kind in ("pairs never seen", "held-out crops")
    )
    assert record["seeds"] == 10
    assert f"with ten seeds we found between {new[0]:.0%} and {new[2]:.0%} of the new" in text
    assert f"the old ones were right in {old[0]:.0%} to {old[2]:.0%}" in text


@pytest.mark.full
def test_trained_anew_the_network_names_shape_and_colour_of_held_out_crops():
    with full_budget():
        found = measurements_of(TEXT)(1)
    assert found["held-out crops: shape named right"] >= 0.95
    assert found["held-out crops: colour named right"] >= 0.95
    assert found["pairs never seen: colour named right"] >= 0.9


# ------------------------------------------------------------------------------- the plan


def test_the_core_is_twenty_points_and_the_bonus_is_apart():
    points = {True: 0, False: 0}
    for cell in executed(NAME):
        about = cell.metadata.get("nbgrader", {})
        if about.get("grade") and not about["solution"]:
            points["ext" in cell.metadata.get("tags", [])] += about["points"]
    assert points == {False: 20, True: 6}


def test_the_plan_states_the_sums_of_its_parts_and_fits_in_three_hours_each(text):
    part_a, part_b = text.split("**Part A:")[1].split("**Part B:")
    for part, core, bonus, minutes in ((part_a, 17, 0, 180), (part_b, 3, 6, 180)):
        rows = re.findall(
            r"\| `\w+` \| ([^|]*) \| (\d+) \| (\d+) \|", part.split("Each exercise")[0]
        )
        assert sum(int(row[1]) for row in rows if "bonus" not in row[0]) == core
        assert sum(int(row[1]) for row in rows if "bonus" in row[0]) == bonus
        assert sum(int(row[2]) for row in rows) < minutes
        assert f"({core} points" in part
