"""Wrong answers to the exercises of notebook 06 that point at objects and detect words."""

import numpy as np
import torch
from torch.nn import functional as F

from autograder.mutants import mutant

_kept = {}


# ----------------------------------------------------------------------------------- noisy_or


def _masked(missed, mask):
    """The logarithms of what is missed, 0 where there is no region."""
    return missed if mask is None else missed.masked_fill(~mask[:, :, None], 0.0)


def _joined(missed):
    return -torch.expm1(missed.sum(dim=1))


def _absent(shown, mask):
    """Probabilities, 0 where there is no region."""
    return shown if mask is None else shown * mask[:, :, None]


def _everywhere(logits):
    return torch.ones(logits.shape[:2], dtype=torch.bool)


@mutant("noisy_or")
def detect_plain_product(logits, mask=None):
    """1 minus a product: what is tiny is lost."""
    return 1 - torch.prod(1 - _absent(logits.sigmoid(), mask), dim=1)


@mutant("noisy_or")
def detect_one_minus_exp(logits, mask=None):
    """Logarithms until the last step, which is 1 - exp."""
    return 1 - _masked(F.logsigmoid(-logits), mask).sum(dim=1).exp()


@mutant("noisy_or")
def detect_log_of_difference(logits, mask=None):
    """log(1 - sigmoid), which is the logarithm of 0 for a sure region."""
    return _joined(_masked((1 - logits.sigmoid()).log(), mask))


@mutant("noisy_or")
def detect_log1p(logits, mask=None):
    """log1p(-sigmoid): precise where p is tiny, infinite where a region is sure."""
    return _joined(torch.log1p(-_absent(logits.sigmoid(), mask)))


@mutant("noisy_or")
def detect_by_cross_entropy(logits, mask=None):
    """The binary cross-entropy of "not there", which subtracts a logit from itself."""
    nothing = torch.zeros_like(logits)
    nats = F.binary_cross_entropy_with_logits(logits, nothing, reduction="none")
    return _joined(_masked(-nats, mask))


@mutant("noisy_or")
def detect_with_epsilon(logits, mask=None):
    """A little is added in the logarithm."""
    return _joined(_masked((1 - logits.sigmoid() + 1e-9).log(), mask))


@mutant("noisy_or")
def detect_clamped_probabilities(logits, mask=None):
    """The probabilities are kept away from 0 and 1."""
    shown = logits.sigmoid().clamp(1e-7, 1 - 1e-7)
    return _joined(_masked(torch.log1p(-shown), mask))


@mutant("noisy_or")
def detect_clamped_logits(logits, mask=None):
    """The logits are cut at 15."""
    return _joined(_masked(F.logsigmoid(-logits.clamp(-15, 15)), mask))


@mutant("noisy_or")
def detect_softplus_by_hand(logits, mask=None):
    """log(1 + e^x), which overflows."""
    return _joined(_masked(-torch.log1p(logits.exp()), mask))


@mutant("noisy_or")
def detect_mask_ignored(logits, mask=None):
    """Regions that are not there count."""
    return _joined(F.logsigmoid(-logits))


@mutant("noisy_or")
def detect_mask_upside_down(logits, mask=None):
    """False is taken for there."""
    return _joined(_masked(F.logsigmoid(-logits), None if mask is None else ~mask))


@mutant("noisy_or")
def detect_logits_zeroed(logits, mask=None):
    """A logit of 0 where there is no region: half a chance."""
    mask = _everywhere(logits) if mask is None else mask
    return _joined(F.logsigmoid(-logits * mask[:, :, None]))


@mutant("noisy_or")
def detect_masked_as_sure(logits, mask=None):
    """The product is filled with 0, not with 1."""
    missed = torch.sigmoid(-logits)
    if mask is not None:
        missed = missed.masked_fill(~mask[:, :, None], 0.0)
    return 1 - missed.prod(dim=1)


@mutant("noisy_or")
def detect_mask_of_first_picture(logits, mask=None):
    """One mask for the whole batch."""
    return _joined(_masked(F.logsigmoid(-logits), None if mask is None else mask[:1]))


@mutant("noisy_or")
def detect_mask_as_length(logits, mask=None):
    """The mask is turned into a number of regions."""
    if mask is not None:
        mask = torch.arange(mask.shape[1]) < mask.sum(dim=1, keepdim=True)
    return _joined(_masked(F.logsigmoid(-logits), mask))


@mutant("noisy_or")
def detect_mask_required(logits, mask):
    """The mask has no default."""
    return _joined(_masked(F.logsigmoid(-logits), mask))


@mutant("noisy_or")
def detect_none_not_handled(logits, mask=None):
    """None is used as a tensor."""
    return _joined(F.logsigmoid(-logits).masked_fill(~mask[:, :, None], 0.0))


@mutant("noisy_or")
def detect_masked_a_little(logits, mask=None):
    """A logit of -10 stands in for minus infinity."""
    if mask is not None:
        logits = logits.masked_fill(~mask[:, :, None], -10.0)
    return _joined(F.logsigmoid(-logits))


@mutant("noisy_or")
def detect_masked_by_subtraction(logits, mask=None):
    """100 is taken away of what is not there, which may be more."""
    if mask is not None:
        logits = logits - 100 * (~mask[:, :, None])
    return _joined(F.logsigmoid(-logits))


@mutant("noisy_or")
def detect_none_shows(logits, mask=None):
    """The product itself: that no region shows it."""
    return _masked(F.logsigmoid(-logits), mask).sum(dim=1).exp()


@mutant("noisy_or")
def detect_minus_forgotten(logits, mask=None):
    """expm1 as it is, without its minus."""
    return torch.expm1(_masked(F.logsigmoid(-logits), mask).sum(dim=1))


@mutant("noisy_or")
def detect_log_none_shows(logits, mask=None):
    """The sum of logarithms is never taken back."""
    return _masked(F.logsigmoid(-logits), mask).sum(dim=1)


@mutant("noisy_or")
def detect_log_p(logits, mask=None):
    """The logarithm of the answer."""
    return _joined(_masked(F.logsigmoid(-logits), mask)).log()


@mutant("noisy_or")
def detect_all_show(logits, mask=None):
    """An AND over the regions."""
    return _masked(F.logsigmoid(logits), mask).sum(dim=1).exp()


@mutant("noisy_or")
def detect_sign_of_logits(logits, mask=None):
    """logsigmoid of the logits as they are."""
    return _joined(_masked(F.logsigmoid(logits), mask))


@mutant("noisy_or")
def detect_maximum(logits, mask=None):
    """The most certain region alone."""
    return _absent(logits.sigmoid(), mask).amax(dim=1)


@mutant("noisy_or")
def detect_mean(logits, mask=None):
    """The mean of the regions' probabilities."""
    count = logits.shape[1] if mask is None else mask.sum(dim=1, keepdim=True).clamp(min=1)
    return _absent(logits.sigmoid(), mask).sum(dim=1) / count


@mutant("noisy_or")
def detect_sum_cut_at_one(logits, mask=None):
    """Probabilities are added up."""
    return _absent(logits.sigmoid(), mask).sum(dim=1).clamp(max=1)


@mutant("noisy_or")
def detect_mean_of_logarithms(logits, mask=None):
    """A geometric mean in place of the product."""
    count = logits.shape[1] if mask is None else mask.sum(dim=1, keepdim=True).clamp(min=1)
    return -torch.expm1(_masked(F.logsigmoid(-logits), mask).sum(dim=1) / count)


@mutant("noisy_or")
def detect_softmax_over_regions(logits, mask=None):
    """Attention's softmax where a sigmoid belongs."""
    return _joined(_masked(torch.log1p(-logits.softmax(dim=1)), mask))


@mutant("noisy_or")
def detect_softmax_over_words(logits, mask=None):
    """The softmax of a word predictor."""
    return _joined(_masked(torch.log1p(-logits.softmax(dim=2)), mask))


@mutant("noisy_or")
def detect_sigmoid_of_sum(logits, mask=None):
    """The logits are added, then squashed."""
    return _absent(logits, mask).sum(dim=1).sigmoid()


@mutant("noisy_or")
def detect_sigmoid_of_logsumexp(logits, mask=None):
    """A soft maximum, then squashed."""
    if mask is not None:
        logits = logits.masked_fill(~mask[:, :, None], -torch.inf)
    return logits.logsumexp(dim=1).sigmoid()


@mutant("noisy_or")
def detect_sigmoid_twice(logits, mask=None):
    """Probabilities are taken for logits."""
    return _joined(_masked(F.logsigmoid(-logits.sigmoid()), mask))


@mutant("noisy_or")
def detect_over_words(logits, mask=None):
    """The product runs over the words."""
    return -torch.expm1(_masked(F.logsigmoid(-logits), mask).sum(dim=2))


@mutant("noisy_or")
def detect_over_pictures(logits, mask=None):
    """The product runs over the regions of the whole batch."""
    total = _masked(F.logsigmoid(-logits), mask).sum(dim=(0, 1))
    return -torch.expm1(total).expand(len(logits), -1)


@mutant("noisy_or")
def detect_keeps_an_axis(logits, mask=None):
    """The axis of the regions stays."""
    return -torch.expm1(_masked(F.logsigmoid(-logits), mask).sum(dim=1, keepdim=True))


@mutant("noisy_or")
def detect_first_region_left_out(logits, mask=None):
    """As if a class token stood in front."""
    return _joined(_masked(F.logsigmoid(-logits), mask)[:, 1:])


@mutant("noisy_or")
def detect_detached(logits, mask=None):
    """The logits lose their past."""
    return _joined(_masked(F.logsigmoid(-logits.detach()), mask))


@mutant("noisy_or")
def detect_by_numpy(logits, mask=None):
    """Through NumPy, and back as a new tensor."""
    missed = -np.logaddexp(0, logits.detach().numpy())
    if mask is not None:
        missed = np.where(mask.numpy()[:, :, None], missed, 0.0)
    return torch.tensor(-np.expm1(missed.sum(axis=1)))


@mutant("noisy_or")
def detect_in_single(logits, mask=None):
    """float32, whatever comes in."""
    return _joined(_masked(F.logsigmoid(-logits.float()), mask))


@mutant("noisy_or")
def detect_in_double(logits, mask=None):
    """float64, whatever comes in."""
    return _joined(_masked(F.logsigmoid(-logits.double()), mask))


@mutant("noisy_or")
def detect_fills_a_single_buffer(logits, mask=None):
    """The results are collected in a tensor of torch's usual type."""
    found = _joined(_masked(F.logsigmoid(-logits), mask))
    p = torch.zeros(found.shape)
    for n in range(len(found)):
        p[n] = found[n]
    return p


@mutant("noisy_or")
def detect_masks_in_place(logits, mask=None):
    """The caller's logits are written over."""
    if mask is not None:
        logits.data[~mask] = -torch.inf
    return _joined(F.logsigmoid(-logits))


@mutant("noisy_or")
def detect_by_view(logits, mask=None):
    """view, which a tensor with gaps in memory refuses."""
    flat = F.logsigmoid(-logits.view(-1, logits.shape[2])).view(logits.shape)
    return _joined(_masked(flat, mask))


@mutant("noisy_or")
def detect_mask_of_the_last_call(logits, mask=None):
    """A mask is kept for the next call that has none."""
    kept = _kept.get("mask")
    if mask is None and kept is not None and kept.shape == logits.shape[:2]:
        mask = kept
    _kept["mask"] = mask
    return _joined(_masked(F.logsigmoid(-logits), mask))


@mutant("noisy_or")
def detect_gradient_of_the_surest(logits, mask=None):
    """The right number, whose gradient goes to one region alone."""
    missed = _masked(F.logsigmoid(-logits), mask)
    surest = missed == missed.amin(dim=1, keepdim=True)
    return _joined(torch.where(surest, missed, missed.detach()))


# --------------------------------------------------------------------------- pointing_accuracy


def _strongest(alpha):
    return alpha.argmax(dim=1)


def _distances(cells, side, S, *, cell=0.5, pixel=0.5, swap=False, width=None):
    """How far pixels are below and beside the cells' places, in pixels, and a cell's width."""
    width = S / side if width is None else width
    rows, columns = cells // side, cells % side
    if swap:
        rows, columns = columns, rows
    at = torch.arange(S, dtype=torch.float64) + pixel
    down = (at - (rows[:, None] + cell) * width)[:, :, None]
    across = (at - (columns[:, None] + cell) * width)[:, None, :]
    return down, across, width


def _pointed(
    alpha,
    masks,
    objects,
    *,
    pick=_strongest,
    near=lambda down, across, width: down**2 + across**2 <= (width / 2) ** 2,
    hits=lambda close, masks: (close & masks).flatten(1).any(dim=1),
    share=lambda hit, counted: hit[counted].double().mean().item(),
    counts=lambda objects: objects >= 2,
    side=None,
    **places,
):
    counted = counts(objects)
    if not counted.any():
        return None
    side = side or round(alpha.shape[1] ** 0.5)
    close = near(*_distances(pick(alpha), side, masks.shape[1], **places))
    return share(hits(close, masks), counted)


@mutant("pointing_accuracy")
def pointing_all_nouns(alpha, masks, objects):
    """Pictures of one object count too."""
    return _pointed(alpha, masks, objects, counts=lambda objects: objects > 0)


@mutant("pointing_accuracy")
def pointing_more_than_two(alpha, masks, objects):
    """Pictures of two objects are left out."""
    return _pointed(alpha, masks, objects, counts=lambda objects: objects > 2)


@mutant("pointing_accuracy")
def pointing_exactly_two(alpha, masks, objects):
    """Only pictures of two objects."""
    return _pointed(alpha, masks, objects, counts=lambda objects: objects == 2)


@mutant("pointing_accuracy")
def pointing_divided_by_all(alpha, masks, objects):
    """The hits that count, over all nouns."""
    return _pointed(
        alpha, masks, objects, share=lambda hit, counted: (hit & counted).double().mean().item()
    )


@mutant("pointing_accuracy")
def pointing_uncounted_are_hits(alpha, masks, objects):
    """Nouns that do not count are hits."""
    return _pointed(
        alpha, masks, objects, share=lambda hit, counted: (hit | ~counted).double().mean().item()
    )


@mutant("pointing_accuracy")
def pointing_number_of_hits(alpha, masks, objects):
    """A sum, not a share."""
    return _pointed(
        alpha, masks, objects, share=lambda hit, counted: hit[counted].double().sum().item()
    )


@mutant("pointing_accuracy")
def pointing_percent(alpha, masks, objects):
    """Hundred times too much."""
    return _pointed(
        alpha, masks, objects, share=lambda hit, counted: 100 * hit[counted].double().mean().item()
    )


@mutant("pointing_accuracy")
def pointing_misses(alpha, masks, objects):
    """The share that is not on the object."""
    return _pointed(
        alpha, masks, objects, share=lambda hit, counted: (~hit[counted]).double().mean().item()
    )


@mutant("pointing_accuracy")
def pointing_as_tensor(alpha, masks, objects):
    """A tensor without axes."""
    return _pointed(alpha, masks, objects, share=lambda hit, counted: hit[counted].double().mean())


@mutant("pointing_accuracy")
def pointing_as_single_tensor(alpha, masks, objects):
    """float().mean(), and no .item()."""
    return _pointed(alpha, masks, objects, share=lambda hit, counted: hit[counted].float().mean())


@mutant("pointing_accuracy")
def pointing_zero_for_nobody(alpha, masks, objects):
    """0 where no noun counts."""
    return _pointed(alpha, masks, objects) or 0.0


@mutant("pointing_accuracy")
def pointing_nan_for_nobody(alpha, masks, objects):
    """The mean of nothing."""
    found = _pointed(alpha, masks, objects)
    return float("nan") if found is None else found


@mutant("pointing_accuracy")
def pointing_masks_not_filtered(alpha, masks, objects):
    """The maps are left out, the masks are not."""
    counted = objects >= 2
    kept = alpha[counted]
    return _pointed(kept, masks[: len(kept)], objects[counted])


@mutant("pointing_accuracy")
def pointing_maps_not_filtered(alpha, masks, objects):
    """The masks are left out, the maps are not."""
    counted = objects >= 2
    kept = masks[counted]
    return _pointed(alpha[: len(kept)], kept, objects[counted])


@mutant("pointing_accuracy")
def pointing_rows_and_columns(alpha, masks, objects):
    """The row is cell % side."""
    return _pointed(alpha, masks, objects, swap=True)


@mutant("pointing_accuracy")
def pointing_from_corners(alpha, masks, objects):
    """The cell's upper left corner for its centre."""
    return _pointed(alpha, masks, objects, cell=0.0)


@mutant("pointing_accuracy")
def pointing_to_pixel_corners(alpha, masks, objects):
    """A pixel's corner for its centre."""
    return _pointed(alpha, masks, objects, pixel=0.0)


@mutant("pointing_accuracy")
def pointing_corner_to_corner(alpha, masks, objects):
    """Corners of cells to corners of pixels."""
    return _pointed(alpha, masks, objects, cell=0.0, pixel=0.0)


@mutant("pointing_accuracy")
def pointing_square_cell(alpha, masks, objects):
    """Any pixel of the cell itself."""

    def near(down, across, width):
        return torch.maximum(down.abs(), across.abs()) <= width / 2

    return _pointed(alpha, masks, objects, near=near)


@mutant("pointing_accuracy")
def pointing_diamond(alpha, masks, objects):
    """Distances along rows and columns are added."""

    def near(down, across, width):
        return down.abs() + across.abs() <= width / 2

    return _pointed(alpha, masks, objects, near=near)


@mutant("pointing_accuracy")
def pointing_whole_side(alpha, masks, objects):
    """The radius is a cell's side."""

    def near(down, across, width):
        return down**2 + across**2 <= width**2

    return _pointed(alpha, masks, objects, near=near)


@mutant("pointing_accuracy")
def pointing_half_not_squared(alpha, masks, objects):
    """A squared distance in cells against 0.5."""

    def near(down, across, width):
        return (down**2 + across**2) / width**2 <= 0.5

    return _pointed(alpha, masks, objects, near=near)


@mutant("pointing_accuracy")
def pointing_quarter(alpha, masks, objects):
    """A distance in cells against 0.25, the square."""

    def near(down, across, width):
        return torch.hypot(down, across) / width <= 0.25

    return _pointed(alpha, masks, objects, near=near)


@mutant("pointing_accuracy")
def pointing_half_a_pixel(alpha, masks, objects):
    """The distance in pixels against 0.5."""

    def near(down, across, width):
        return torch.hypot(down, across) <= 0.75

    return _pointed(alpha, masks, objects, near=near)


@mutant("pointing_accuracy")
def pointing_four_pixels(alpha, masks, objects):
    """Half of a cell as it is in the notebook."""

    def near(down, across, width):
        return torch.hypot(down, across) <= 4

    return _pointed(alpha, masks, objects, near=near)


@mutant("pointing_accuracy")
def pointing_middle_pixel(alpha, masks, objects):
    """The mask at the cell's centre alone."""
    side, S = round(alpha.shape[1] ** 0.5), masks.shape[1]
    counted = objects >= 2
    if not counted.any():
        return None
    cells = alpha.argmax(dim=1)
    row, column = (((part + 0.5) * S / side).long() for part in (cells // side, cells % side))
    return masks[torch.arange(len(cells)), row, column][counted].double().mean().item()


@mutant("pointing_accuracy")
def pointing_shrunken_masks(alpha, masks, objects):
    """Masks are scaled down to the grid, and a cell is on where half of it is."""
    counted = objects >= 2
    if not counted.any():
        return None
    side = round(alpha.shape[1] ** 0.5)
    small = F.adaptive_avg_pool2d(masks[:, None].double(), side).flatten(1)
    on = small.gather(1, alpha.argmax(dim=1)[:, None])[:, 0] >= 0.5
    return on[counted].double().mean().item()


@mutant("pointing_accuracy")
def pointing_pooled_masks(alpha, masks, objects):
    """Masks are scaled down to the grid, and a cell is on where any pixel of it is."""
    counted = objects >= 2
    if not counted.any():
        return None
    side = round(alpha.shape[1] ** 0.5)
    small = F.adaptive_max_pool2d(masks[:, None].double(), side).flatten(1)
    on = small.gather(1, alpha.argmax(dim=1)[:, None])[:, 0] > 0
    return on[counted].double().mean().item()


@mutant("pointing_accuracy")
def pointing_all_pixels(alpha, masks, objects):
    """The whole disc must be on the object."""
    return _pointed(
        alpha, masks, objects, hits=lambda close, masks: ~(close & ~masks).flatten(1).any(dim=1)
    )


@mutant("pointing_accuracy")
def pointing_share_of_pixels(alpha, masks, objects):
    """Not a hit or a miss, but a share of the object's pixels."""
    return _pointed(
        alpha,
        masks,
        objects,
        hits=lambda close, masks: (close & masks).flatten(1).sum(1) / masks.flatten(1).sum(1),
    )


@mutant("pointing_accuracy")
def pointing_object_middle(alpha, masks, objects):
    """The distance to the middle of the object."""
    counted = objects >= 2
    if not counted.any():
        return None
    side, S = round(alpha.shape[1] ** 0.5), masks.shape[1]
    cells = alpha.argmax(dim=1)
    centres = torch.stack([cells // side, cells % side], dim=1) + 0.5
    middles = torch.stack([mask.nonzero().double().mean(dim=0) + 0.5 for mask in masks])
    hit = (centres - middles * side / S).norm(dim=1) <= 0.5
    return hit[counted].double().mean().item()


@mutant("pointing_accuracy")
def pointing_bounding_box(alpha, masks, objects):
    """The object's upright rectangle."""
    rows, columns = masks.any(dim=2), masks.any(dim=1)

    def filled(on):
        return (on.long().cumsum(1) > 0) & (on.long().flip(1).cumsum(1).flip(1) > 0)

    return _pointed(alpha, filled(rows)[:, :, None] & filled(columns)[:, None, :], objects)


@mutant("pointing_accuracy")
def pointing_weight_on_object(alpha, masks, objects):
    """The weight in place of hits."""
    return _by_cells(alpha, masks, objects, lambda alpha, on: (alpha * on).sum(dim=1))


@mutant("pointing_accuracy")
def pointing_most_of_the_weight(alpha, masks, objects):
    """A hit is more than half of the weight."""
    return _by_cells(alpha, masks, objects, lambda alpha, on: (alpha * on).sum(dim=1) > 0.5)


@mutant("pointing_accuracy")
def pointing_any_of_equal(alpha, masks, objects):
    """All cells that share the largest weight."""
    return _by_cells(
        alpha,
        masks,
        objects,
        lambda alpha, on: (on & (alpha == alpha.amax(dim=1, keepdim=True))).any(dim=1),
    )


def _by_cells(alpha, masks, objects, judge):
    """Judged by which cells lie on the object."""
    counted = objects >= 2
    if not counted.any():
        return None
    M, L = alpha.shape
    side = round(L**0.5)
    on = []
    for cell in range(L):
        down, across, width = _distances(torch.full((M,), cell), side, masks.shape[1])
        near = down**2 + across**2 <= (width / 2) ** 2
        on.append((near & masks).flatten(1).any(dim=1))
    return judge(alpha, torch.stack(on, dim=1))[counted].double().mean().item()


@mutant("pointing_accuracy")
def pointing_last_of_equal(alpha, masks, objects):
    """Of equal cells the last."""
    return _pointed(
        alpha,
        masks,
        objects,
        pick=lambda alpha: alpha.shape[1] - 1 - alpha.flip(1).argmax(dim=1),
    )


@mutant("pointing_accuracy")
def pointing_weakest(alpha, masks, objects):
    """The smallest of the weights."""
    return _pointed(alpha, masks, objects, pick=lambda alpha: alpha.argmin(dim=1))


@mutant("pointing_accuracy")
def pointing_one_cell_for_all(alpha, masks, objects):
    """argmax without dim: one cell for all nouns."""
    return _pointed(
        alpha,
        masks,
        objects,
        pick=lambda alpha: (alpha.argmax() % alpha.shape[1]).expand(len(alpha)),
    )


@mutant("pointing_accuracy")
def pointing_eight_by_eight(alpha, masks, objects):
    """The grid of the notebook, whatever comes in."""
    return _pointed(alpha, masks, objects, side=8)


@mutant("pointing_accuracy")
def pointing_cells_of_eight_pixels(alpha, masks, objects):
    """The cells' width of the notebook, whatever comes in."""
    return _pointed(alpha, masks, objects, width=8)


@mutant("pointing_accuracy")
def pointing_whole_pixels(alpha, masks, objects):
    """// for / in a cell's width."""
    side = round(alpha.shape[1] ** 0.5)
    return _pointed(alpha, masks, objects, width=masks.shape[1] // side)


@mutant("pointing_accuracy")
def pointing_masks_transposed(alpha, masks, objects):
    """x for y in the masks."""
    return _pointed(alpha, masks.transpose(1, 2), objects)


@mutant("pointing_accuracy")
def pointing_normalises_in_place(alpha, masks, objects):
    """The caller's weights are divided by their largest."""
    alpha /= alpha.amax(dim=1, keepdim=True)
    return _pointed(alpha, masks, objects)


@mutant("pointing_accuracy")
def pointing_by_view(alpha, masks, objects):
    """view, which a tensor with gaps in memory refuses."""
    return _pointed(alpha, masks.view(len(masks), -1).view(masks.shape), objects)


@mutant("pointing_accuracy")
def pointing_rounded(alpha, masks, objects):
    """Only two decimals of the share."""
    found = _pointed(alpha, masks, objects)
    return None if found is None else round(found, 2)


@mutant("pointing_accuracy")
def pointing_thresholded(alpha, masks, objects):
    """A noun whose strongest cell has less than a tenth of the weight is a miss."""
    sure = alpha.amax(dim=1) >= 0.1
    return _pointed(alpha, masks & sure[:, None, None], objects)


@mutant("pointing_accuracy")
def pointing_mean_over_objects(alpha, masks, objects):
    """Nouns of crowded pictures weigh more."""
    counted = objects >= 2
    if not counted.any():
        return None
    return _pointed(
        alpha,
        masks,
        objects,
        share=lambda hit, kept: ((hit * objects)[kept].sum() / objects[kept].sum()).item(),
    )
