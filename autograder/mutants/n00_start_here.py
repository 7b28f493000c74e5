"""Wrong answers to the rehearsal exercise of notebook 00."""

import numpy as np

from autograder.mutants import mutant

_wrong = mutant("mean_colour")


@_wrong
def mean_over_rows_of_all(images):
    """The axes counted without the pictures' own: 0 and 1."""
    return images.mean(axis=(0, 1))


@_wrong
def mean_over_pictures(images):
    """The mean over the batch."""
    return images.mean(axis=0)


@_wrong
def mean_of_everything(images):
    """One number for all pictures."""
    return images.mean()


@_wrong
def mean_of_all_pictures(images):
    """One colour for all pictures."""
    return images.mean(axis=(0, 1, 2))


@_wrong
def mean_grey(images):
    """One grey number a picture."""
    return images.mean(axis=(1, 2, 3))


@_wrong
def mean_grey_three_times(images):
    """One grey number a picture, in each of the three places."""
    return np.repeat(images.mean(axis=(1, 2, 3))[:, None], 3, axis=1)


@_wrong
def mean_over_colours(images):
    """The colours are mixed, pixel by pixel."""
    return images.mean(axis=-1)


@_wrong
def mean_over_rows_only(images):
    """The columns are kept."""
    return images.mean(axis=1)


@_wrong
def mean_over_columns_only(images):
    """The rows are kept."""
    return images.mean(axis=2)


@_wrong
def mean_over_columns_and_colours(images):
    """Axes 2 and 3, as for colours first."""
    return images.mean(axis=(2, 3))


@_wrong
def mean_over_pictures_and_columns(images):
    """Axes 0 and 2."""
    return images.mean(axis=(0, 2))


@_wrong
def mean_over_pictures_and_colours(images):
    """Axes 0 and 3."""
    return images.mean(axis=(0, 3))


@_wrong
def mean_keepdims(images):
    """Axes of length 1 stay."""
    return images.mean(axis=(1, 2), keepdims=True)


@_wrong
def mean_transposed(images):
    """Colours down, pictures across."""
    return images.mean(axis=(1, 2)).T


@_wrong
def mean_over_255(images):
    """Scaled to run from 0 to 1."""
    return (images / 255).mean(axis=(1, 2))


@_wrong
def mean_as_bytes(images):
    """Turned back into uint8."""
    return images.mean(axis=(1, 2)).astype(np.uint8)


@_wrong
def mean_rounded(images):
    """Rounded to whole numbers."""
    return images.mean(axis=(1, 2)).round()


@_wrong
def mean_rounded_down(images):
    """Divided by // in the place of /."""
    _, H, W, _ = images.shape
    return images.sum(axis=(1, 2)) // (H * W) * 1.0


@_wrong
def mean_divided_without_fraction(images):
    """Divided by //, which leaves whole numbers."""
    return images.sum(axis=(1, 2)) // (images.shape[1] * images.shape[2])


@_wrong
def mean_overflowing(images):
    """Added up in uint8, where 255 + 1 is 0."""
    N, H, W, _ = images.shape
    total = np.zeros((N, 3), np.uint8)
    for row in range(H):
        for column in range(W):
            total += images[:, row, column]
    return total / (H * W)


@_wrong
def mean_overflowing_later(images):
    """Added up in 16 bits: right for small pictures."""
    _, H, W, _ = images.shape
    return images.sum(axis=(1, 2), dtype=np.uint16) / (H * W)


@_wrong
def mean_float32(images):
    """Calculated and returned in float32."""
    return images.astype(np.float32).mean(axis=(1, 2))


@_wrong
def mean_float32_inside(images):
    """Calculated in float32, returned in float64."""
    return images.astype(np.float32).mean(axis=(1, 2)).astype(np.float64)


@_wrong
def mean_summed(images):
    """Not divided."""
    return images.sum(axis=(1, 2)).astype(np.float64)


@_wrong
def mean_divided_by_rows(images):
    """Divided by H and not by W."""
    return images.sum(axis=(1, 2)) / images.shape[1]


@_wrong
def mean_summed_as_whole_numbers(images):
    """Not divided, and of NumPy's type for sums of bytes."""
    return images.sum(axis=(1, 2))


@_wrong
def mean_divided_by_columns(images):
    """Divided by W and not by H."""
    return images.sum(axis=(1, 2)) / images.shape[2]


@_wrong
def mean_divided_by_pictures(images):
    """Divided by N, as len(images) is."""
    return images.sum(axis=(1, 2)) / len(images)


@_wrong
def mean_divided_by_size(images):
    """Divided by the count of all numbers in the batch."""
    return images.sum(axis=(1, 2)) / images.size


@_wrong
def mean_median(images):
    """The median."""
    return np.median(images, axis=(1, 2))


@_wrong
def mean_of_the_first(images):
    """Only the first picture is looked at."""
    return images[0].mean(axis=(0, 1))[None]


@_wrong
def mean_of_the_first_for_all(images):
    """Every picture gets the mean of the first."""
    return np.tile(images[0].mean(axis=(0, 1)), (len(images), 1))


@_wrong
def mean_of_the_middle(images):
    """The pixel in the middle."""
    _, H, W, _ = images.shape
    return images[:, H // 2, W // 2].astype(np.float64)


@_wrong
def mean_blue_first(images):
    """Blue, green, red."""
    return images.mean(axis=(1, 2))[:, ::-1]


@_wrong
def mean_as_lists(images):
    """A list of lists, not an array."""
    return images.mean(axis=(1, 2)).tolist()


@_wrong
def mean_squeezed(images):
    """A batch of one loses its axis."""
    return images.mean(axis=(1, 2)).squeeze()


@_wrong
def mean_of_64_by_64(images):
    """The size of the built-in scenes is taken for granted."""
    return images.sum(axis=(1, 2)) / (64 * 64)


@_wrong
def mean_sorting_its_input(images):
    """The caller's pictures are changed."""
    means = images.mean(axis=(1, 2))
    images.sort(axis=1)
    return means


@_wrong
def mean_printed(images):
    """Printed, not returned."""
    print(images.mean(axis=(1, 2)))
