"""Relations between boxes and masks, on arrangements drawn by hand."""

import numpy as np
import pytest

from cs_caption.data.relations import directions, relations


def _scene(*boxes):
    masks = []
    for x0, y0, x1, y1 in boxes:
        mask = np.zeros((64, 64), bool)
        mask[y0:y1, x0:x1] = True
        masks.append(mask)
    return boxes, masks


def _facts(*boxes, overlaps=frozenset()):
    return {(r.subject, r.name, r.object) for r in relations(*_scene(*boxes), overlaps)}


@pytest.mark.parametrize(
    ("box", "names"),
    [
        ((4, 30, 8, 34), ("left of",)),
        ((50, 30, 54, 34), ("right of",)),
        ((30, 2, 34, 6), ("above",)),
        ((30, 50, 34, 54), ("below",)),
        ((10, 10, 14, 14), ("left of", "above")),
        ((50, 12, 54, 16), ("right of", "above")),
        ((22, 2, 26, 6), ("above",)),
        ((33, 33, 37, 37), ()),
    ],
)
def test_directions_as_seen_from_the_middle(box, names):
    assert directions(box, (30, 30, 34, 34)) == names


def test_a_thing_beside_another_is_left_of_it_and_the_other_right():
    assert _facts((5, 20, 15, 30), (40, 20, 50, 30)) == {(0, "left of", 1), (1, "right of", 0)}


def test_what_stands_on_another_touches_it():
    facts = _facts((20, 10, 30, 20), (15, 20, 35, 40))
    assert {(0, "on", 1), (0, "touching", 1), (1, "touching", 0), (0, "above", 1)} <= facts
    assert (1, "on", 0) not in facts


def test_what_hangs_over_the_edge_does_not_stand_on_it():
    facts = _facts((31, 10, 45, 20), (15, 20, 35, 40))
    assert (0, "touching", 1) in facts
    assert (0, "on", 1) not in facts


@pytest.mark.parametrize(("gap", "touches"), [(0, True), (1, True), (2, False)])
def test_one_pixel_between_still_counts_as_touching(gap, touches):
    facts = _facts((10, 20, 20, 30), (20 + gap, 20, 40, 30))
    assert ((0, "touching", 1) in facts) == touches


def test_boxes_may_meet_where_masks_do_not():
    boxes, masks = _scene((10, 10, 30, 30), (28, 28, 50, 50))
    masks[0][20:, 20:] = masks[1][:40, :40] = False
    assert all(r.name != "touching" for r in relations(boxes, masks))


def test_what_is_hidden_is_behind_and_does_not_count_as_touching():
    facts = _facts((10, 10, 20, 20), (20, 10, 40, 20), overlaps=frozenset({(0, 1)}))
    assert {(0, "behind", 1), (1, "in front of", 0)} <= facts
    assert all(name != "touching" for _, name, _ in facts)


def test_one_object_has_no_relations():
    assert relations(*_scene((1, 1, 9, 9))) == ()
