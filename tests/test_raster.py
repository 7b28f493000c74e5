"""The integer rasteriser against definitions worked out sample by sample."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_caption.data import raster
from cs_caption.data.raster import OUTLINES, blend, coverage, full_mask, marks, stencil, visible

SIDE = raster.SIZE * raster.UNIT


def _whole(one):
    """A stencil's samples on the grid of the whole picture."""
    grid = np.zeros((256, 256), dtype=bool)
    height, width = one.samples.shape
    grid[4 * one.top : 4 * one.top + height, 4 * one.left : 4 * one.left + width] = one.samples
    return grid


def _even_odd(x, y, points):
    """Whether a ray to the left of (x, y) meets an odd number of edges; exact in integers."""
    inside = False
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        if (y0 <= y) != (y1 <= y):
            side = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
            inside ^= side > 0 if y1 > y0 else side < 0
    return inside


@settings(max_examples=25, deadline=None)
@given(st.integers(0, SIDE), st.integers(0, SIDE), st.integers(1, 300))
def test_a_circle_holds_the_samples_within_its_radius(x, y, radius):
    grid = _whole(stencil("circle", x, y, radius))
    centres = 4 * np.arange(256) + 2
    reach = max(940 * radius >> 10, 1)
    expected = (centres[None, :] - x) ** 2 + (centres[:, None] - y) ** 2 <= reach**2
    assert (grid == expected).all()


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["star", "heart", "triangle", "cross", "bolt"]),
    *(st.integers(0, SIDE), st.integers(0, SIDE), st.integers(20, 200), st.integers(0, 71)),
)
def test_a_polygon_holds_the_samples_that_the_even_odd_rule_says(shape, x, y, radius, turn):
    grid = _whole(stencil(shape, x, y, radius, 5 * turn))
    sin, cos = raster.sine(5 * turn), raster.sine(5 * turn + 90)
    corners = [
        (x + ((cos * p - sin * q) * radius >> 24), y + ((sin * p + cos * q) * radius >> 24))
        for p, q in OUTLINES[shape][0][2]
    ]
    for row in range(0, 256, 5):
        for column in range(0, 256, 5):
            inside = _even_odd(4 * column + 2, 4 * row + 2, corners)
            assert grid[row, column] == inside, (row, column)


def test_the_table_of_sines_is_rounded_from_true_ones():
    for degrees in range(-720, 721, 5):
        assert abs(raster.sine(degrees) - 16384 * math.sin(math.radians(degrees))) <= 0.5 + 1e-9


def test_areas_are_those_of_geometry():
    whole = {name: int(stencil(name, 512, 512, 320).samples.sum()) / 80**2 for name in OUTLINES}
    unit = 1 / 1024
    assert whole["circle"] == pytest.approx(math.pi * (940 * unit) ** 2, rel=0.01)
    assert whole["square"] == pytest.approx((1600 * unit) ** 2, rel=0.02)
    assert whole["ring"] == pytest.approx(math.pi * (1000**2 - 560**2) * unit**2, rel=0.01)
    assert whole["oval"] == pytest.approx(math.pi * 1120 * 690 * unit**2, rel=0.01)


@pytest.mark.parametrize("shape", OUTLINES)
def test_a_quarter_turn_turns_the_picture(shape):
    straight, turned = (_whole(stencil(shape, 512, 512, 200, degrees)) for degrees in (0, 90))
    differ = (np.rot90(straight, -1) != turned).sum()
    assert differ <= 0.04 * straight.sum()  # corners are rounded to whole units on the way


@pytest.mark.parametrize("shape", OUTLINES)
def test_a_whole_pixel_further_is_the_same_shape_a_pixel_further(shape):
    here, there = stencil(shape, 500, 503, 150, 25), stencil(shape, 516, 503 - 32, 150, 25)
    assert (there.left, there.top) == (here.left + 1, here.top - 2)
    assert (there.samples == here.samples).all()


@pytest.mark.parametrize("shape", OUTLINES)
def test_no_outline_reaches_farther_than_layouts_reckon_with(shape):
    for degrees in range(0, 360, 5):
        rows, columns = _whole(stencil(shape, 512, 512, 320, degrees)).nonzero()
        far = (4 * rows + 2 - 512) ** 2 + (4 * columns + 2 - 512) ** 2
        assert math.sqrt(far.max()) <= 320 * raster.REACH / 1024 + 1


@pytest.mark.parametrize("shape", OUTLINES)
def test_what_lies_outside_the_picture_is_cut_off(shape):
    for x, y in ((0, 0), (1023, 300), (400, 1024), (-60, 512), (512, 1100)):
        one = stencil(shape, x, y, 180)
        rows, columns = one.window
        assert 0 <= rows.start < rows.stop <= 64
        assert 0 <= columns.start < columns.stop <= 64
        assert one.samples.shape == (4 * one.cover.shape[0], 4 * one.cover.shape[1])


def test_coverage_counts_the_samples_of_each_pixel():
    samples = np.random.RandomState(0).randint(0, 2, (12, 20)).astype(bool)
    expected = samples.reshape(3, 4, 5, 4).sum(axis=(1, 3))
    assert (coverage(samples) == expected).all()
    assert coverage(np.ones((4, 4), bool)) == 16


def test_blending_rounds_to_the_nearest_sixteenth():
    canvas = np.full((64, 64, 3), 100, np.uint8)
    cover = np.array([[0, 8, 16, 5]], np.uint8)
    blend(canvas, (slice(0, 1), slice(0, 4)), [(cover, (200, 0, 255))])
    assert canvas[0, :4].tolist() == [
        [100, 100, 100],
        [150, 50, 178],
        [200, 0, 255],
        [131, 69, 148],
    ]
    assert (canvas[1:] == 100).all()


def test_two_layers_share_a_pixel_with_what_lies_below():
    canvas = np.full((64, 64, 3), 255, np.uint8)
    four = np.full((1, 1), 4, np.uint8)
    blend(canvas, (slice(0, 1), slice(0, 1)), [(four, (0, 0, 0)), (2 * four, (128, 0, 64))])
    assert canvas[0, 0].tolist() == [128, 64, 96]


def test_later_shapes_hide_earlier_ones():
    back, front = stencil("square", 400, 400, 150), stencil("circle", 500, 480, 120)
    masks = visible([back, front])
    assert (masks[1] == full_mask(front)).all()
    assert (masks[0] == full_mask(back) & ~full_mask(front)).all()
    assert (full_mask(back) & full_mask(front)).any()


@pytest.mark.parametrize(("kind", "share"), [("stripes", 0.4), ("checks", 0.5), ("dots", 0.33)])
@pytest.mark.parametrize("slant", ["horizontal", "vertical", "diagonal"])
def test_a_pattern_covers_its_share_and_stays_inside(kind, share, slant):
    whole = raster.whole_picture()
    assert marks(kind, slant, whole, 7, 11, 48).mean() == pytest.approx(share, abs=0.04)
    one = stencil("heart", 500, 500, 200)
    assert not (marks(kind, slant, one, 500, 500, 40) & ~one.samples).any()


def test_stripes_run_as_they_are_called():
    whole = raster.whole_picture()
    level, upright = (marks("stripes", s, whole, 0, 0, 64) for s in ("horizontal", "vertical"))
    assert (level == level[:, :1]).all()
    assert (upright == level.T).all()


def test_a_mask_grows_by_pixels_and_never_around_the_edge():
    mask = np.zeros((64, 64), bool)
    mask[0, 10] = True
    grown = raster.grown(mask, 2)
    assert sorted(map(tuple, np.argwhere(grown).tolist())) == [
        *((0, 8), (0, 9), (0, 10), (0, 11), (0, 12), (1, 10), (2, 10)),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("blob", 1, 1, 9), "no outline is called 'blob'"),
        (("star", 1, 1, 0), "radius 0 is below"),
        (("star", 1, 1, 9, 7), "angle 7 is not a multiple"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(arguments, words):
    with pytest.raises(ValueError, match=words):
        stencil(*arguments)
