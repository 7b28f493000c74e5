"""Which relations hold between the objects of a picture."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from cs_caption.data.raster import grown
from cs_caption.data.records import Relation

SIDEWAYS = ("left of", "right of")
UPRIGHT = ("above", "below")
CONTACT = ("touching", "on", "behind", "in front of")
APART = 8  # pixels between two centres before one is called left of, or above, the other


def directions(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[str, ...]:
    """Say where box `a` lies as seen from box `b`.

    A direction counts when the centres differ by `APART` pixels along it, and by at least half
    of what they differ along the other: both hold on the diagonal.
    """
    across, down = b[0] + b[2] - a[0] - a[2], b[1] + b[3] - a[1] - a[3]  # twice the differences
    found = []
    if abs(across) >= 2 * APART and 2 * abs(across) >= abs(down):
        found.append(SIDEWAYS[across < 0])
    if abs(down) >= 2 * APART and 2 * abs(down) >= abs(across):
        found.append(UPRIGHT[down < 0])
    return tuple(found)


def relations(
    boxes: Sequence[tuple[int, int, int, int]],
    masks: Sequence[np.ndarray],
    overlaps: frozenset[tuple[int, int]] = frozenset(),
) -> tuple[Relation, ...]:
    """All relations that hold, for each ordered pair of objects.

    Shapes: masks bool (64, 64), visible pixels. `overlaps` holds (back, front) pairs of which the
    front one hides a part of the back one: they are behind and in front, never only touching.
    """
    found = []
    for a, b in permutations(range(len(boxes)), 2):
        names = list(directions(boxes[a], boxes[b]))
        if (a, b) in overlaps:
            names.append("behind")
        elif (b, a) in overlaps:
            names.append("in front of")
        elif _touch(boxes[a], boxes[b], masks[a], masks[b]):
            names += ["touching"] + ["on"] * _rests(boxes[a], boxes[b])
        found += [Relation(a, name, b) for name in names]
    return tuple(found)


def _touch(a, b, mask_a: np.ndarray, mask_b: np.ndarray) -> bool:
    """No more than one pixel lies between the two."""
    if a[0] > b[2] + 1 or b[0] > a[2] + 1 or a[1] > b[3] + 1 or b[1] > a[3] + 1:
        return False
    return bool((grown(mask_a, 2) & mask_b).any())


def _rests(a, b) -> bool:
    """`a` ends where `b` begins, and most of its width lies over `b`."""
    over = min(a[2], b[2]) - max(a[0], b[0])
    return abs(a[3] - b[1]) <= 2 and 2 * over >= a[2] - a[0]
