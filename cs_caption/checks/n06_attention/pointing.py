"""The check of pointing_accuracy: nouns whose strongest cells lie near an object's edge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n05_beam_and_metrics.captions import where
from cs_caption.checks.n06_attention.shared import BANNED
from cs_caption.checks.sequences import reorder
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.tensors import (
    TOLERANCE_32,
    UNTOUCHED,
    floats,
    gaps,
    is_tensor,
    truths,
    unchanged,
    whole,
)
from cs_caption.checks.values import close, describe, fitting, number
from cs_caption.metrics.pointing import cells_on

Random = np.random.RandomState
Array = np.ndarray

_NONE = -1.0  # what stands for None among the numbers
_NAME = "the share"
_NAMES = "alpha, masks, objects"
_NOBODY = "where no noun counts it returns None"


@dataclass(frozen=True)
class _Task:
    """Weights (M, L), an object's pixels (M, S, S) for each noun, and numbers of objects (M,)."""

    alpha: Array
    masks: Array
    objects: Array

    @property
    def given(self) -> tuple:
        return self.of("float64")

    def of(self, dtype: str) -> tuple:
        """The arguments, as tensors."""
        return floats(self.alpha, dtype), truths(self.masks), whole(self.objects)

    @property
    def side(self) -> int:
        return round(self.alpha.shape[1] ** 0.5)


Tasks = list[_Task]


# ------------------------------------------------------------------------------- what is right


def share(task: _Task) -> float:
    """The share of hits, by the package's own rule for cells that lie on a mask."""
    counted = task.objects >= 2
    on = cells_on(task.masks[counted], task.alpha.shape[1]) > 0
    return float(on[np.arange(len(on)), task.alpha[counted].argmax(1)].mean())


# -------------------------------------------------------------------------- what it looks like


def _centre(cell: Array, side: int, S: int) -> Array:
    """Row and column of the cells' centres (2, M), in cells."""
    return np.array([cell // side, cell % side]) + 0.5


def _pixels(side: int, S: int) -> Array:
    return (np.arange(S) + 0.5) * side / S


def _disc(down: Array, across: Array, cell_width: float) -> Array:
    return down**2 + across**2 <= 0.25


def _any(near: Array, masks: Array) -> Array:
    return (near & masks).any((1, 2))


def _mean(hit: Array, objects: Array) -> float:
    return float(hit[objects >= 2].mean())


def _looked(
    task: _Task,
    *,
    pick: Callable = lambda alpha: alpha.argmax(1),
    centre: Callable = _centre,
    pixels: Callable = _pixels,
    near: Callable = _disc,
    judge: Callable = _any,
    mean: Callable = _mean,
    masks: Callable = lambda task: task.masks,
) -> float:
    """The definition, step by step, with one of them done in another way."""
    side, S = task.side, task.masks.shape[1]
    places, at = centre(pick(task.alpha), side, S), pixels(side, S)
    down, across = at - places[:, :, None]
    close_by = near(down[:, :, None], across[:, None, :], S / side)
    return float(mean(judge(close_by, masks(task)), task.objects))


def _by(**steps: Callable) -> Callable[[_Task], float]:
    return partial(_looked, **steps)


def _last_of_equal(alpha: Array) -> Array:
    return alpha.shape[1] - 1 - alpha[:, ::-1].argmax(1)


def _at_the_centre(task: _Task) -> float:
    """The mask at the pixel in which the cell's centre lies."""
    side, S = task.side, task.masks.shape[1]
    row, column = (_centre(task.alpha.argmax(1), side, S) * S / side).astype(int)
    return _mean(task.masks[np.arange(len(row)), row, column], task.objects)


def _to_the_middle(task: _Task) -> float:
    """The distance to the mean of the object's pixels."""
    side, S = task.side, task.masks.shape[1]
    middles = np.array([np.argwhere(mask).mean(0) + 0.5 for mask in task.masks]) * side / S
    far = np.hypot(*(_centre(task.alpha.argmax(1), side, S) - middles.T))
    return _mean(far <= 0.5, task.objects)


def _boxed(task: _Task) -> Array:
    """Each mask's upright rectangle, filled."""
    filled = np.zeros_like(task.masks)
    for mask, full in zip(task.masks, filled, strict=True):
        rows, columns = np.nonzero(mask)
        full[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    return filled


def _of_the_counted(task: _Task) -> float:
    """The maps of the nouns that count beside the masks of the first ones."""
    counted = task.objects >= 2
    alike = _Task(task.alpha[counted], task.masks[: counted.sum()], task.objects[counted])
    return _looked(alike)


def _of_first_maps(task: _Task) -> float:
    counted = task.objects >= 2
    alike = _Task(task.alpha[: counted.sum()], task.masks[counted], task.objects[counted])
    return _looked(alike)


def _on_cells(task: _Task) -> Array:
    return cells_on(task.masks, task.alpha.shape[1]) > 0


def _of_weights(judge: Callable[[Array, Array], Array]) -> Callable[[_Task], float]:
    """Weights on the object's cells, not the strongest cell."""
    return lambda task: _mean(judge(task.alpha, _on_cells(task)), task.objects)


Others = Mapping[str, Callable[[_Task], float]]

_REACH: Others = {
    "a cell reaches half its side to all directions alike: a disc, not the square of the cell": _by(
        near=lambda down, across, width: np.maximum(abs(down), abs(across)) <= 0.5
    ),
    "any pixel of the cell's square counts: it is a disc around the cell's centre": _by(
        near=lambda down, across, width: (
            np.maximum(abs(down), abs(across)) < 0.5 + 0.5 / width - 1e-9
        )
    ),
    "a cell reaches half its side along a straight line: a disc, not a diamond": _by(
        near=lambda down, across, width: abs(down) + abs(across) <= 0.5
    ),
    "a cell reaches a whole side, not half of it": _by(
        near=lambda down, across, width: down**2 + across**2 <= 1
    ),
    "a cell reaches half its diagonal: half its side is meant (its square, for squares)": _by(
        near=lambda down, across, width: down**2 + across**2 <= 0.5
    ),
    "a cell reaches a quarter of its side: the distance is compared with half": _by(
        near=lambda down, across, width: down**2 + across**2 <= 0.0625
    ),
    "a cell reaches 4 pixels: half a cell's side is meant, however many pixels it has": _by(
        near=lambda down, across, width: (down**2 + across**2) * width**2 <= 16
    ),
    "a cell reaches half a pixel: half a cell's side is meant": _by(
        near=lambda down, across, width: (down**2 + across**2) * width**2 <= 0.25
    ),
    "only the pixel in the middle of the cell is looked at: some pixel near its centre is enough": (
        _at_the_centre
    ),
    "all pixels near the cell's centre must be in the mask: one is enough": _by(
        judge=lambda near, masks: ~(near & ~masks).any((1, 2))
    ),
    "more than half of the pixels near the cell's centre must be in the mask: one is enough": _by(
        judge=lambda near, masks: (near & masks).sum((1, 2)) > near.sum((1, 2)) / 2
    ),
    "the distance is that to the object's middle: some pixel of it is enough": _to_the_middle,
    "the object is taken for a rectangle: its mask says which pixels it has": _by(masks=_boxed),
    "it is the share of the mask's pixels that are near: one is enough for a hit": _by(
        judge=lambda near, masks: (near & masks).sum((1, 2)) / masks.sum((1, 2))
    ),
}
_PLACES: Others = {
    "rows and columns are swapped, of cells or masks: a cell in row r is r * side + column": _by(
        centre=lambda cell, side, S: _centre(cell, side, S)[::-1]
    ),
    "the distance is that from a cell's corner: its centre is half a cell further": _by(
        centre=lambda cell, side, S: _centre(cell, side, S) - 0.5
    ),
    "the distance is that to a pixel's corner: its centre is half a pixel further": _by(
        pixels=lambda side, S: _pixels(side, S) - 0.5 * side / S
    ),
    "the corners of cells and pixels are compared: their centres are half of each further": _by(
        centre=lambda cell, side, S: _centre(cell, side, S) - 0.5,
        pixels=lambda side, S: _pixels(side, S) - 0.5 * side / S,
    ),
    "the distance is that from a cell's end": _by(
        centre=lambda cell, side, S: _centre(cell, side, S) + 0.5
    ),
    "the pixels of the cell's centre are counted from the wrong end": _by(
        centre=lambda cell, side, S: side - _centre(cell, side, S)
    ),
}
_SIZES: Others = {
    "a cell's centre is rounded to a whole pixel": _by(
        centre=lambda cell, side, S: np.floor(_centre(cell, side, S) * S / side + 0.5) * side / S
    ),
    "the grid is taken for 8 x 8 cells: its side is the root of L": _by(
        centre=lambda cell, side, S: _centre(cell, 8, S), pixels=lambda side, S: _pixels(8, S)
    ),
    "the picture is taken for 64 x 64 pixels: S says how many": _by(
        pixels=lambda side, S: (np.arange(S) + 0.5) * side / 64
    ),
    "a cell is taken for 8 pixels wide: it is S / side": _by(
        pixels=lambda side, S: (np.arange(S) + 0.5) / 8
    ),
    "a cell's width is rounded down to whole pixels (// for /?)": _by(
        pixels=lambda side, S: (np.arange(S) + 0.5) / max(1, S // side)
    ),
}
_PICKS: Others = {
    "of equal cells the last is taken: the first is": _by(pick=_last_of_equal),
    "the weakest cell is taken": _by(pick=lambda alpha: alpha.argmin(1)),
    "one cell is taken for all nouns: each has its own strongest": _by(
        pick=lambda alpha: np.full(len(alpha), alpha.argmax() % alpha.shape[1])
    ),
    "the second strongest cell is taken": _by(pick=lambda alpha: alpha.argsort(1)[:, -2:][:, 0]),
    "a noun is a hit where any of its equally strong cells lies on the object: the first decides": (
        _of_weights(lambda alpha, on: (on & (alpha == alpha.max(1, keepdims=True))).any(1))
    ),
    "it is the weight on the object's cells: only the strongest cell decides": _of_weights(
        lambda alpha, on: (alpha * on).sum(1)
    ),
    "a noun is a hit where more than half of the weight lies on the object: the strongest cell "
    "decides": _of_weights(lambda alpha, on: (alpha * on).sum(1) > alpha.sum(1) / 2),
    "a noun is a hit where any of the object's cells is looked at: the strongest cell decides": (
        _of_weights(lambda alpha, on: ((alpha > 0) & on).any(1))
    ),
}
_COUNTS: Others = {
    "every noun counts: only those in pictures of two objects or more do": _by(
        mean=lambda hit, objects: hit.mean()
    ),
    "pictures of two objects are left out: two are enough": _by(
        mean=lambda hit, objects: hit[objects > 2].mean() if (objects > 2).any() else _NONE
    ),
    "only pictures of exactly two objects count: more do too": _by(
        mean=lambda hit, objects: hit[objects == 2].mean() if (objects == 2).any() else _NONE
    ),
    "only pictures of one object count: those of two or more do": _by(
        mean=lambda hit, objects: hit[objects < 2].mean() if (objects < 2).any() else _NONE
    ),
    "the hits are divided by all nouns: divide by those that count": _by(
        mean=lambda hit, objects: hit[objects >= 2].sum() / len(hit)
    ),
    "hits of all nouns are divided by the nouns that count": _by(
        mean=lambda hit, objects: hit.sum() / (objects >= 2).sum()
    ),
    "nouns that do not count are taken for hits": _by(
        mean=lambda hit, objects: (hit | (objects < 2)).mean()
    ),
    "nouns count by their picture's number of objects: each counts once": _by(
        mean=lambda hit, objects: (hit * objects)[objects >= 2].sum() / objects[objects >= 2].sum()
    ),
    "each noun is divided by its picture's number of objects: it counts 1": _by(
        mean=lambda hit, objects: (hit / objects)[objects >= 2].mean()
    ),
    "the maps of the nouns that count meet the masks of others: leave the same ones out of both": (
        _of_the_counted
    ),
    "the masks of the nouns that count meet the maps of others: leave the same ones out of both": (
        _of_first_maps
    ),
    "it is the number of hits: divide by the nouns that count": _by(
        mean=lambda hit, objects: hit[objects >= 2].sum()
    ),
    "it is a percentage: a share is at most 1": _by(
        mean=lambda hit, objects: 100 * _mean(hit, objects)
    ),
    "it is the share of misses": _by(mean=lambda hit, objects: 1 - _mean(hit, objects)),
    "it is rounded: return it as it is": _by(
        mean=lambda hit, objects: round(_mean(hit, objects), 2)
    ),
}
_ALL: Others = {**_COUNTS, **_REACH, **_PLACES, **_SIZES, **_PICKS}


def _values(tasks: Tasks, of: Callable[[_Task], float]) -> Array:
    return np.array([of(task) for task in tasks], dtype=np.float64)


# ------------------------------------------------------------------------------- what is asked


def _telling(rng: Random, draw: Callable[[Random], Tasks], others: Others) -> Tasks:
    """Draw tasks until no look-alike has all that is right."""
    while True:
        tasks = draw(rng)
        right = _values(tasks, share)
        if not any(close(_values(tasks, of), right) for of in others.values()):
            return tasks


def _drawn(draw: Callable[[Random], Tasks], telltale: Others) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        _judge(subject, _telling(rng, draw, telltale))

    return run


def _by_hand(subject: Subject, rng: Random) -> None:
    """A grid of 2 x 2 cells over 8 x 8 pixels, centres at 2 and 6, and one pixel as an object."""
    alpha = np.array([[0.1, 0.6, 0.2, 0.1]])  # the strongest is above on the right
    tasks = [
        _Task(alpha, _one_pixel(8, *at), np.array([2]))
        for at in ((2, 5), (1, 5), (0, 6), (0, 4), (0, 7), (2, 3), (5, 2), (4, 6))
    ]
    _judge(subject, tasks)


def _one_pixel(S: int, row: int, column: int) -> Array:
    mask = np.zeros((1, S, S), bool)
    mask[0, row, column] = True
    return mask


def _singly(rng: Random) -> Tasks:
    """One noun a call: a hit or a miss, far from any edge."""
    tasks = []
    for _ in range(6):
        side = int(rng.randint(3, 7))
        tasks.append(_draw(rng, 1, side, 4 * side, edge=False))
    return tasks


def _edges(rng: Random) -> Tasks:
    """The strongest cells are those that just lie on the object, or just do not."""
    grids = zip((7, 9, 8, 7), _sides(rng), (8, 7, 8, 10), strict=True)
    return [_draw(rng, M, side, width * side) for M, side, width in grids]


def _sides(rng: Random) -> list[int]:
    return [int(side) for side in rng.permutation([3, 4, 5, 6])]


def _few_objects(rng: Random) -> Tasks:
    """Pictures of one object, of two and of more, in every order."""
    tasks = []
    for M, side in zip((5, 7, 6, 8), _sides(rng), strict=True):
        objects = rng.permutation([1, 2, 3, *rng.randint(1, 6, M - 3)])
        tasks.append(_draw(rng, M, side, 3 * side, objects, edge=False))
    return tasks


def _ties(rng: Random) -> Tasks:
    """Two cells and more that are equally strong, and maps that are the same everywhere."""
    tasks = []
    for M, side in zip((6, 5, 7), (4, 3, 5), strict=True):
        task = _draw(rng, M, side, 4 * side, edge=False)
        best = task.alpha.max(1, keepdims=True)
        equal = rng.rand(*task.alpha.shape) < 0.2
        alpha = np.where(equal, best, task.alpha)
        alpha[0] = 1 / side**2
        tasks.append(_Task(alpha / alpha.sum(1, keepdims=True), task.masks, task.objects))
    return tasks


def _other_sizes(rng: Random) -> Tasks:
    """Cells that are no whole number of pixels wide, cells of one pixel, one cell alone."""
    grids = [(3, 10), (4, 9), (7, 17), (9, 24), (6, 6), (5, 23)]
    tasks = [_draw(rng, 5, side, S) for side, S in grids]
    return [*tasks, _draw(rng, 4, 1, int(rng.randint(5, 9)))]


def _in_the_notebook(rng: Random) -> Tasks:
    """8 x 8 cells over 64 x 64 pixels, and all that can go wrong together."""
    return [_draw(rng, M, 8, 64, _mixed(rng, M)) for M in (9, 11)]


def _nobody(subject: Subject, rng: Random) -> None:
    """No picture has two objects: with hits, and with misses."""
    hits = [_draw(rng, M, 4, 12, np.ones(M, int), edge=False) for M in (3, 1)]
    far = [_Task(one.alpha, ~one.masks, one.objects) for one in hits]
    for outcome in subject.calls([task.given for task in (*hits, *far)]):
        _require_none(outcome.value)


def _require_none(value: Any) -> None:
    if value is None:
        return
    found = describe(value)
    if isinstance(value, (int, float, np.generic)):
        found = "NaN: it is 0/0" if value != value else "a number"
    raise Wrong(f"{_NOBODY}, not {found}")


def _reordered(subject: Subject, rng: Random) -> None:
    """Nouns in another order; weights that are squared, which leaves the strongest as it is."""
    task = _draw(rng, 7, 5, 15, _mixed(rng, 7))
    order = reorder(rng, 7)
    turned = _Task(task.alpha[order], task.masks[order], task.objects[order])
    sharper = task.alpha**2 / (task.alpha**2).sum(1, keepdims=True)
    squared = _Task(sharper, task.masks, task.objects)
    plain, *others = _found(subject, [task, turned, squared])
    _require(subject, np.array([plain]), [task])
    named = ("with the nouns in another order", "where the weights are sharper")
    for when, found in zip(named, others, strict=True):
        if not close(found, plain, TOLERANCE_32):
            raise Wrong(f"{_NAME} is not the same {when}: the strongest cells are")


def _types(subject: Subject, rng: Random) -> None:
    tasks = [_draw(rng, M, 5, 15, _mixed(rng, M)) for M in (6, 7)]
    for dtype in ("float32", "float64"):
        outcomes = subject.calls([task.of(dtype) for task in tasks])
        found = np.array([_number(outcome.value, exact=True) for outcome in outcomes])
        _require(subject, found, tasks)


def _left_alone(subject: Subject, rng: Random) -> None:
    task, other = (_draw(rng, M, 4, 12, _mixed(rng, M)) for M in (5, 6))
    tasks = [task, other, task]
    many = [task.given, tuple(map(gaps, other.given)), task.given]
    outcomes = subject.calls(many)
    for outcome in outcomes:
        unchanged(outcome.mutated, _NAMES)
    _require(subject, np.array([_number(outcome.value) for outcome in outcomes]), tasks)


# ------------------------------------------------------------------------------- what is drawn


def _draw(
    rng: Random, M: int, side: int, S: int, objects: Array | None = None, *, edge: bool = True
) -> _Task:
    """Draw nouns; `edge`: most strongest cells have an edge of the object near them.

    objects: how many are in each picture; None: two or three.
    """
    counts = rng.randint(2, 4, M) if objects is None else np.array(objects)
    masks = np.stack([_shape(rng, S) for _ in range(M)])
    alpha = rng.uniform(0, 1, (M, side * side)) ** 2
    for row, mask in zip(alpha, masks, strict=True):
        at, best = _aim(rng, _distances(mask, side), edge), row.argmax()
        row[[at, best]] = row[[best, at]]
    return _Task(alpha / alpha.sum(1, keepdims=True), masks, counts)


def _mixed(rng: Random, M: int) -> Array:
    """Numbers of objects of M pictures: one of them counts, and one does not."""
    return rng.permutation([1, 2, *rng.randint(1, 4, M - 2)])


def _shape(rng: Random, S: int) -> Array:
    """A disc, a rectangle, a ring or a corner, of which at least a pixel can be seen."""
    y, x = np.mgrid[:S, :S] + 0.5
    middle, size = rng.uniform(0.1 * S, 0.9 * S, 2), rng.uniform(0.12, 0.35) * S
    down, across = abs(y - middle[0]), abs(x - middle[1])
    round_, long = np.hypot(down, across) < size, (down < size / 2) & (across < size)
    kinds = [round_, long, round_ & (np.hypot(down, across) > size / 2), long & (x < y)]
    mask = kinds[rng.randint(len(kinds))]
    if not mask.any():
        mask[tuple(middle.astype(int))] = True
    return mask


def _distances(mask: Array, side: int) -> Array:
    """How far each cell's centre (L,) is from the mask, in cells."""
    S = len(mask)
    pixels = (np.argwhere(mask) + 0.5) * side / S
    centres = np.argwhere(np.ones((side, side))) + 0.5
    return np.sqrt(((centres[:, None] - pixels) ** 2).sum(2).min(1))


def _aim(rng: Random, far: Array, edge: bool) -> int:
    """A cell near an edge of the object, or well on it, or well away."""
    chosen = (far > 0.3) & (far < 0.8) if edge and rng.rand() < 0.8 else far < 0.3
    if not edge and rng.rand() < 0.5:
        chosen = far > 1.2
    return int(rng.choice(np.flatnonzero(chosen if chosen.any() else far >= 0)))


# ------------------------------------------------------------------------------- what comes back


def _judge(subject: Subject, tasks: Tasks) -> None:
    _require(subject, _found(subject, tasks), tasks)


def _found(subject: Subject, tasks: Tasks) -> Array:
    outcomes = subject.calls([task.given for task in tasks])
    return np.array([_number(outcome.value) for outcome in outcomes])


def _number(value: Any, *, exact: bool = False) -> float:
    """Return the share; unless `exact`, it may be of another type of floats, or a tensor."""
    if value is None:
        raise Wrong(
            "it returns None, though there are nouns that count: those in pictures of two objects "
            "or more (or is the `return` line missing?)"
        )
    if is_tensor(value):
        if exact or value.ndim or not value.is_floating_point():
            raise Wrong(f"{_NAME} is {describe(value)}: expected a float, so .item() of it")
        value = value.item()
    if type(value) is np.float32 and not exact:
        value = float(value)
    return number(value, _NAME, ": 0/0? Where no noun counts it is None; here there are some")


def _require(subject: Subject, found: Array, tasks: Tasks) -> None:
    """Fail where a share is wrong, with the words of what fits here and elsewhere."""
    right = _values(tasks, share)
    if close(found, right, TOLERANCE_32):
        return
    fit = fitting(found, {words: _values(tasks, of) for words, of in _ALL.items()}, TOLERANCE_32)
    fit = _also_elsewhere(subject, fit) if fit else []
    raise Wrong(f"{_NAME} is wrong{': ' + fit[0] if fit else where(found, right)}")


@cache
def _elsewhere() -> Tasks:
    """One noun or two a call, near edges, on many grids; equal cells, pictures of few objects."""
    rng = np.random.RandomState(6)
    grids = [(4, 16), (3, 10), (5, 20), (4, 13), (6, 24), (7, 17), (5, 40), (3, 21)]
    tasks = [_draw(rng, 1, side, S) for side, S in 2 * grids]
    tasks += [_draw(rng, 3, side, S, _mixed(rng, 3), edge=False) for side, S in grids]
    return tasks + _ties(rng)


def _also_elsewhere(subject: Subject, words: list[str]) -> list[str]:
    """Those of the likely mistakes that agree on other numbers too."""
    many = _elsewhere()
    try:
        outcomes = subject.calls([task.given for task in many])
        values = (outcome.value for outcome in outcomes)
        found = np.array([_NONE if value is None else _number(value) for value in values])
    except Wrong:
        return []
    return fitting(found, {each: _values(many, _ALL[each]) for each in words}, TOLERANCE_32)


POINTING_ACCURACY = Exercise(
    "pointing_accuracy",
    points=2,
    referee=lambda: "cs_caption.metrics.pointing.cells_on",
    banned=BANNED,
    cases=(
        Case("one pixel, and four cells: by hand", 1, _by_hand, drawn=False),
        Case("one noun: a hit or a miss", 2, _drawn(_singly, {})),
        Case("half a cell's side around its centre", 3, _drawn(_edges, _REACH | _PLACES)),
        Case("only pictures of two objects or more count", 2, _drawn(_few_objects, _COUNTS)),
        Case("no noun counts: None", 1, _nobody),
        Case("equally strong cells: the first", 1, _drawn(_ties, _PICKS)),
        Case("other grids: one cell, cells of 3 1/3 pixels", 2, _drawn(_other_sizes, _SIZES)),
        Case("8 x 8 cells over 64 x 64 pixels", 1, _drawn(_in_the_notebook, _COUNTS)),
        Case("nouns in another order; other weights, the same strongest cells", 1, _reordered),
        Case("float32 and float64 alike, and a float comes back", 1, _types),
        Case(UNTOUCHED, 1, _left_alone),
    ),
)
