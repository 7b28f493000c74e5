import inspect

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from judging import ZOO, judged, run  # noqa: E402
from torch import nn  # noqa: E402

from autograder.zoo import solution_file, solution_functions  # noqa: E402
from cs_caption.checks import run_check, wire  # noqa: E402
from cs_caption.checks.farside import GRAD  # noqa: E402
from cs_caption.checks.n06_attention import noisy_or as detecting  # noqa: E402
from cs_caption.checks.n06_attention import pointing  # noqa: E402
from cs_caption.checks.subject import LocalLink, Subject  # noqa: E402

NAMES = ["pointing_accuracy", "noisy_or"]


class Recorder(LocalLink):
    """Functions, and the arguments of every call that came for them, as they crossed."""

    def __init__(self, functions):
        super().__init__(functions)
        self.seen, self.went_back = [], 0

    def exchange(self, request, count):
        function, calls = wire.loads(request)
        self.went_back += len(calls) * (function == GRAD)
        self.seen += [args[2:] if function == GRAD else args for args, _ in calls]
        return super().exchange(request, count)


def recorded(name):
    link = Recorder(solution_functions(name))
    assert run_check(name, Subject(name, link), salt="recorded").passed
    return link


def passed(report):
    return {case.title for case in report.cases if case.passed}


# ------------------------------------------------------------------------------- right answers


def detect_by_softplus(logits, mask=None):
    nats = nn.functional.softplus(logits)
    if mask is not None:
        nats = nats * mask[..., None]
    return -torch.expm1(-torch.einsum("nlv->nv", nats))


def detect_region_by_region(logits, mask=None):
    """p or q is p + q - pq, where nothing is subtracted from 1 that is near it."""
    p = torch.zeros_like(logits[:, 0])
    for i in range(logits.shape[1]):
        q = logits[:, i].sigmoid()
        if mask is not None:
            q = torch.where(mask[:, i, None], q, 0.0)
        p = p + q - p * q
    return p


def detect_picture_by_picture(logits, mask=None):
    found = []
    for n, regions in enumerate(logits):
        there = regions if mask is None else regions[mask[n]]
        found.append(-torch.special.expm1(nn.functional.logsigmoid(-there).sum(0)))
    return torch.stack(found)


def detect_by_impossible_logits(logits, mask=None):
    if mask is not None:
        logits = torch.where(mask.unsqueeze(-1), logits, torch.tensor(-torch.inf).to(logits))
    return 0 - nn.LogSigmoid()(-logits).sum(-2).expm1()


def detect_by_lowest_number(logits, mask=None):
    if mask is not None:
        lowest = torch.finfo(logits.dtype).min
        logits = logits.masked_fill(mask.logical_not()[:, :, None], lowest)
    return -torch.expm1(-torch.logaddexp(logits, torch.zeros_like(logits)).sum(1))


def pointing_by_loops(alpha, masks, objects):
    side, size = int(alpha.shape[1] ** 0.5 + 0.5), masks.shape[1]
    hits = []
    for weights, mask, count in zip(alpha.tolist(), masks.tolist(), objects.tolist(), strict=True):
        if count < 2:
            continue
        row, column = divmod(weights.index(max(weights)), side)
        y, x = (row + 0.5) * size / side, (column + 0.5) * size / side
        on = [(i + 0.5, j + 0.5) for i in range(size) for j in range(size) if mask[i][j]]
        hits.append(any(np.hypot(i - y, j - x) <= size / side / 2 for i, j in on))
    return sum(hits) / len(hits) if hits else None


def pointing_in_whole_numbers(alpha, masks, objects):
    """Everything times twice the side, so that nothing is rounded."""
    alpha, masks = alpha[objects > 1].numpy(), masks[objects > 1].numpy()
    if not len(alpha):
        return None
    side, size = int(np.sqrt(alpha.shape[1])), masks.shape[-1]
    rows, columns = np.unravel_index(np.argmax(alpha, axis=1), (side, side))
    at = (2 * np.arange(size) + 1) * side
    y = (at - (2 * rows[:, None] + 1) * size) ** 2
    x = (at - (2 * columns[:, None] + 1) * size) ** 2
    near = y[:, :, None] + x[:, None, :] <= size**2
    return np.mean((near & masks).any(axis=(1, 2)))


def pointing_in_single(alpha, masks, objects):
    kept = objects.ge(2)
    if kept.sum() == 0:
        return None
    best, (count, height, width) = alpha[kept].max(1).indices, masks[kept].shape
    side = int(alpha.size(1) ** 0.5)
    cell = height / side
    grid = torch.cartesian_prod(torch.arange(height) + 0.5, torch.arange(width) + 0.5)
    centre = torch.stack([best.div(side, rounding_mode="floor"), best % side], 1)
    far = torch.cdist((centre + 0.5) * cell, grid)
    far = far.masked_fill(~masks[kept].reshape(count, -1), torch.inf).min(1).values
    return (far <= cell / 2).float().mean().item()


OTHERS = {
    "noisy_or": [
        detect_by_softplus,
        detect_region_by_region,
        detect_picture_by_picture,
        detect_by_impossible_logits,
        detect_by_lowest_number,
    ],
    "pointing_accuracy": [pointing_by_loops, pointing_in_whole_numbers, pointing_in_single],
}


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, f, id=f.__name__) for name, many in OTHERS.items() for f in many],
)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(5):
        report = run(name, {name: function}, seed=seed, salt="another")
        assert report.passed, str(report)


def test_the_solutions_get_full_marks_in_the_sandbox(bubblewrap):
    from autograder.sandbox import Limits
    from autograder.session import Kernel

    with Kernel("bubblewrap", Limits()) as kernel:
        cells = ["import torch\nfrom torch import nn"]
        cells += [inspect.getsource(solution_functions(name)[name]) for name in NAMES]
        assert {kernel.run(cell, 60).ended for cell in cells} == {"ok"}
        for name in NAMES:
            with kernel.serving({name: name}, call_seconds=20, check_seconds=60) as link:
                report = run_check(name, Subject(name, link), salt="s")
            assert report == run(name, solution_functions(name), salt="s")


# ------------------------------------------------------------------------------- the referees


@pytest.mark.parametrize("masked", [False, True])
def test_the_referee_of_noisy_or_agrees_with_a_plain_product_and_autograd(masked):
    rng = np.random.RandomState(3)
    for _ in range(5):
        task = detecting._draw(rng, masked=masked)
        x = torch.tensor(task.logits, requires_grad=True)
        p = 1 - torch.prod(1 - x.sigmoid() * torch.tensor(task.there)[..., None], dim=1)
        dp = rng.standard_normal(p.shape)
        (p * torch.tensor(dp)).sum().backward()
        np.testing.assert_allclose(detecting.probability(task), p.detach().numpy(), atol=1e-14)
        np.testing.assert_allclose(detecting.slopes(task, dp), x.grad.numpy(), atol=1e-14)


def test_the_referee_of_noisy_or_adds_up_tiny_probabilities():
    task = detecting._Task(np.full((1, 3, 1), -60.0))
    np.testing.assert_allclose(detecting.probability(task), 3 * np.exp(-60), rtol=1e-12)


def test_the_referee_of_pointing_agrees_with_a_search_over_all_pixels():
    rng = np.random.RandomState(4)
    for side, S in ((8, 64), (3, 10), (7, 17), (1, 6), (5, 40)):
        task = pointing._draw(rng, 9, side, S, pointing._mixed(rng, 9))
        assert pointing.share(task) == pytest.approx(pointing_by_loops(*task.given), abs=1e-12)


def test_no_pixel_is_ever_exactly_half_a_side_away_so_that_rounding_decides_nothing():
    """In units of 1 / (2 side): (2r + 1) S - (2p + 1) side, against S."""
    for side in range(1, 13):
        for S in range(1, 65):
            far = (2 * np.arange(side)[:, None] + 1) * S - (2 * np.arange(S) + 1) * side
            squares = np.unique(far.astype(np.int64) ** 2)
            assert not np.isin(S**2 - squares[squares <= S**2], squares).any()


# ------------------------------------------------------------------------------- wrong answers

_LOST = "no digits are left"
_SURE = "is 0 and has no logarithm"
WORDS = {
    "detect_plain_product": _LOST,
    "detect_one_minus_exp": _LOST,
    "detect_log_of_difference": _SURE,
    "detect_log1p": _SURE,
    "detect_with_epsilon": _LOST,
    "detect_by_cross_entropy": _LOST,
    "detect_clamped_probabilities": "it is cut off below",
    "detect_clamped_logits": "it is cut off below",
    "detect_softplus_by_hand": _SURE,
    "detect_mask_ignored": "the mask is ignored",
    "detect_mask_upside_down": "the mask is upside down",
    "detect_logits_zeroed": "a logit of 0 does not leave a region out",
    "detect_masked_as_sure": "a region counts as sure",
    "detect_mask_of_first_picture": "all pictures get the first row of mask",
    "detect_mask_as_length": "the mask is turned into a length",
    "detect_mask_required": "missing 1 required positional argument: 'mask'",
    "detect_none_not_handled": "'NoneType' object is not subscriptable",
    "detect_masked_a_little": "a region that is not there counts a little",
    "detect_masked_by_subtraction": "what stands where mask is False may be large",
    "detect_none_shows": "that no region shows the word",
    "detect_minus_forgotten": "its sign is wrong",
    "detect_log_none_shows": "the logarithm that no region shows the word",
    "detect_log_p": "it is the logarithm of p",
    "detect_all_show": "that all regions show the word: one is enough",
    "detect_sign_of_logits": "1 minus the product of the sigmoids",
    "detect_maximum": "the largest of the regions' probabilities",
    "detect_mean": "the mean of the regions' probabilities",
    "detect_sum_cut_at_one": "cut at 1: two regions may show the same",
    "detect_mean_of_logarithms": "the mean of the logarithms is taken",
    "detect_softmax_over_regions": "a softmax over the regions is taken",
    "detect_softmax_over_words": "a softmax over the words is taken",
    "detect_sigmoid_of_sum": "the sigmoid of the sum of the logits",
    "detect_sigmoid_of_logsumexp": "the sigmoid of logsumexp",
    "detect_sigmoid_twice": "the sigmoid is taken twice",
    "detect_over_words": "p has shape",
    "detect_over_pictures": "the regions of all pictures are taken together",
    "detect_keeps_an_axis": "an axis of length 1 too many",
    "detect_first_region_left_out": "the first region is left out",
    "detect_detached": "no gradient comes back through p",
    "detect_by_numpy": "no gradient comes back through p",
    "detect_in_single": "it must be float64",
    "detect_in_double": "it must be float32",
    "detect_fills_a_single_buffer": "of the type of logits?",
    "detect_masks_in_place": "it changes its input logits",
    "detect_by_view": "Use .reshape",
    "detect_mask_of_the_last_call": "that of the call before counts again",
    "detect_gradient_of_the_surest": "only the surest region has one",
    "pointing_all_nouns": "every noun counts",
    "pointing_more_than_two": "pictures of two objects are left out",
    "pointing_exactly_two": "only pictures of exactly two objects count",
    "pointing_divided_by_all": "the hits are divided by all nouns",
    "pointing_uncounted_are_hits": "nouns that do not count are taken for hits",
    "pointing_number_of_hits": "it is the number of hits",
    "pointing_percent": "it is a percentage",
    "pointing_misses": "the share of misses",
    "pointing_as_tensor": "expected a float, so .item() of it",
    "pointing_as_single_tensor": "expected a float, so .item() of it",
    "pointing_zero_for_nobody": "where no noun counts it returns None, not a number",
    "pointing_nan_for_nobody": "not NaN: it is 0/0",
    "pointing_masks_not_filtered": "meet the masks of others",
    "pointing_maps_not_filtered": "meet the maps of others",
    "pointing_rows_and_columns": "rows and columns are swapped",
    "pointing_from_corners": "from a cell's corner",
    "pointing_to_pixel_corners": "to a pixel's corner",
    "pointing_corner_to_corner": "the corners of cells and pixels are compared",
    "pointing_square_cell": "a disc, not the square of the cell",
    "pointing_diamond": "a disc, not a diamond",
    "pointing_whole_side": "a cell reaches a whole side",
    "pointing_half_not_squared": "half its diagonal",
    "pointing_quarter": "a quarter of its side",
    "pointing_half_a_pixel": "the share is wrong",
    "pointing_four_pixels": "a cell reaches 4 pixels",
    "pointing_middle_pixel": "only the pixel in the middle of the cell",
    "pointing_shrunken_masks": "the share is wrong",
    "pointing_pooled_masks": "any pixel of the cell's square counts",
    "pointing_all_pixels": "must be in the mask: one is enough",
    "pointing_share_of_pixels": "the share of the mask's pixels",
    "pointing_object_middle": "the distance is that to the object's middle",
    "pointing_bounding_box": "the object is taken for a rectangle",
    "pointing_weight_on_object": "the weight on the object's cells",
    "pointing_most_of_the_weight": "more than half of the weight",
    "pointing_any_of_equal": "any of its equally strong cells",
    "pointing_last_of_equal": "of equal cells the last is taken",
    "pointing_weakest": "the weakest cell is taken",
    "pointing_one_cell_for_all": "one cell is taken for all nouns",
    "pointing_eight_by_eight": "the grid is taken for 8 x 8 cells",
    "pointing_cells_of_eight_pixels": "a cell is taken for 8 pixels wide",
    "pointing_whole_pixels": "rounded down to whole pixels",
    "pointing_masks_transposed": "rows and columns are swapped, of cells or masks",
    "pointing_normalises_in_place": "it changes its input alpha",
    "pointing_by_view": "Use .reshape",
    "pointing_rounded": "it is rounded",
    "pointing_thresholded": "the share is wrong",
    "pointing_mean_over_objects": "by their picture's number of objects",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_every_wrong_answer_has_words_of_its_own():
    assert {name for name, mutant in ZOO.items() if mutant.exercise in NAMES} == set(WORDS)


ONE_SLIP = {
    "detect_plain_product": "tiny probabilities stay precise",
    "detect_fills_a_single_buffer": "float32 stays float32, and float64 float64",
    "pointing_zero_for_nobody": "no noun counts: None",
    "pointing_last_of_equal": "equally strong cells: the first",
    "pointing_as_tensor": "float32 and float64 alike, and a float comes back",
    "pointing_as_single_tensor": "float32 and float64 alike, and a float comes back",
}


@pytest.mark.parametrize("name", ONE_SLIP)
def test_one_slip_costs_its_own_case_alone(name):
    assert {c.title for c in judged(name).cases if not c.passed} == {ONE_SLIP[name]}


# What a wrong answer may be told: anything else would be a guess that leads astray.
ONLY = {
    "detect_minus_forgotten": ["its sign is wrong"],
    "detect_mask_ignored": ["the mask is ignored", "nothing shows a word"],
    "detect_sum_cut_at_one": ["cut at 1"],
    "detect_none_shows": ["that no region shows the word"],
    "pointing_quarter": ["a quarter of its side"],
    "pointing_from_corners": ["from a cell's corner"],
    "pointing_middle_pixel": ["only the pixel in the middle"],
    "pointing_cells_of_eight_pixels": ["8 pixels wide"],
}


@pytest.mark.parametrize("name", ONLY)
def test_in_no_case_is_a_wrong_answer_taken_for_another(name):
    for case in judged(name).cases:
        assert case.passed or any(words in case.message for words in ONLY[name]), case.message


@pytest.mark.parametrize(
    "name", ["pointing_diamond", "pointing_square_cell", "pointing_half_a_pixel"]
)
def test_a_cell_of_another_reach_loses_points_whatever_is_drawn(name):
    for seed in range(8):
        assert not run(
            "pointing_accuracy", {"pointing_accuracy": ZOO[name].function}, seed=seed
        ).passed


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "a Linear": nn.Linear(2, 3),
    "an array": np.ones(3),
    "True": True,
    "NaN": float("nan"),
    "a tensor of NaN": torch.full((1, 4), torch.nan, dtype=torch.float64),
    "whole numbers": torch.tensor([[1, 2], [3, 4]]),
    "no numbers": torch.zeros(0, 3),
    "half": torch.ones(2, 3).half(),
    "on no device": torch.ones(2, device="meta"),
    "sparse": torch.eye(3).to_sparse(),
    "complex": 1j,
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {name: lambda *args: JUNK[junk]})
    nobody = {"no noun counts: None"} if junk == "None" else set()
    assert passed(report) == nobody & {case.title for case in report.cases}
    assert not any("could not judge" in case.message for case in report.cases)


def test_zeros_earn_nothing():
    assert not passed(run("noisy_or", {"noisy_or": lambda logits, mask=None: 0 * logits.sum(1)}))
    assert not passed(run("pointing_accuracy", {"pointing_accuracy": lambda *args: 0.0}))


# ------------------------------------------------------------------------------- the cases


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_nothing_is_contiguous_and_somewhere_all_is_float32(name):
    calls = [[a for a in args if isinstance(a, torch.Tensor)] for args in recorded(name).seen]
    wide = [[a for a in call if a.ndim > 1] for call in calls]
    assert any(all(not a.is_contiguous() for a in call) for call in wide)
    kinds = [{a.dtype for a in call if a.dtype.is_floating_point} for call in calls]
    assert {torch.float32} in kinds
    assert {torch.float64} in kinds


def test_logits_of_all_sizes_are_tried_with_masks_that_have_holes():
    calls = recorded("noisy_or")
    assert calls.went_back
    masks = [args[1] for args in calls.seen if len(args) > 1 and args[1] is not None]
    assert any(len({*args[0].shape}) == 3 for args in calls.seen)
    assert {1} <= {args[0].shape[1] for args in calls.seen}
    assert any(args[0].max() > 5000 for args in calls.seen)
    assert any(args[0].max() < -10 for args in calls.seen)
    assert any(not mask.any(1).all() for mask in masks)
    lengths = [torch.arange(m.shape[1]) < m.sum(1, keepdim=True) for m in masks]
    assert any(not torch.equal(m, filled) for m, filled in zip(masks, lengths, strict=True))


def test_grids_and_pictures_of_many_sizes_are_tried_with_few_objects_and_with_many():
    calls = recorded("pointing_accuracy").seen
    grids = {(round(alpha.shape[1] ** 0.5), masks.shape[1]) for alpha, masks, _ in calls}
    assert {(8, 64), (3, 10)} <= grids
    assert any(S % side for side, S in grids)
    assert any(side == 1 for side, _ in grids)
    assert all(masks.flatten(1).any(1).all() for _, masks, _ in calls)
    counted = [(objects >= 2) for *_, objects in calls]
    assert any(not each.any() for each in counted)
    assert any(each.any() and not each.all() for each in counted)


@pytest.mark.parametrize("name", NAMES)
def test_no_case_is_worth_more_than_a_third_of_the_points(name):
    report = run(name, solution_functions(name))
    total = sum(case.weight for case in report.cases)
    assert max(case.weight for case in report.cases) <= total / 3


def test_the_exercises_are_in_the_notebook_that_has_them():
    assert {solution_file(name).stem for name in NAMES} == {"06_attention"}
