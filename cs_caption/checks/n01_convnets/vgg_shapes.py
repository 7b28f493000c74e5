"""The check of vgg_shapes: layers are counted as arrays that take no memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.checks.exercise import Case, Exercise, Run
from cs_caption.checks.n01_convnets import dense_by_torch as by_torch
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import describe, unchanged

Random = np.random.RandomState
Volume = tuple[int, ...]
Likely = dict[str, list]  # words, and what a mistake makes of an entry

_VGG16 = (
    "conv-64 conv-64 maxpool conv-128 conv-128 maxpool conv-256 conv-256 conv-256 maxpool "
    "conv-512 conv-512 conv-512 maxpool conv-512 conv-512 conv-512 maxpool FC-4096 FC-4096 FC-1000"
)
_COLUMNS = _VOLUME, _VALUES, _PARAMETERS = ("output volume", "values stored", "parameters")
_ROW = "name, output volume, values stored, parameters"
_FLAT = "after FC-M the volume is flat: (M,)"
_NO_PARAMETERS = "a pool has no parameters: it takes the largest, and learns nothing"


@dataclass(frozen=True)
class Row:
    """A layer, the volume that comes in, and the row that belongs to it."""

    name: str
    before: Volume
    volume: Volume
    values: int
    parameters: int

    @property
    def kind(self) -> str:
        """ "image", "conv", "maxpool" or "FC"."""
        return self.name.partition("-")[0]


def table(layers: list[str], shape: Volume) -> list[Row]:
    """Follow a volume through the layers: each is made as an array of no memory, and measured.

    Parameters are those of torch's own layers where torch is installed.
    """
    rows = [Row("image", shape, shape, _zeros(shape).size, 0)]
    for name in layers:
        before = rows[-1].volume
        kind, _, width = name.partition("-")
        if kind == "maxpool":
            volume, parameters = (before[0], *_windows(before, 2, 2)), 0
        else:
            volume = _neurons(kind, before, int(width))
            parameters = _parameters(kind, before, int(width))
        rows.append(Row(name, before, volume, _zeros(volume).size, parameters))
    return rows


def _zeros(shape: Volume) -> np.ndarray:
    return np.broadcast_to(np.int8(0), shape)


def _windows(shape: Volume, size: int, step: int) -> Volume:
    """How many windows of size x size fit into a volume: rows and columns of them."""
    windows = np.lib.stride_tricks.sliding_window_view(_zeros(shape), (size, size), axis=(1, 2))
    return windows[:, ::step, ::step].shape[1:3]


def _neurons(kind: str, before: Volume, M: int) -> Volume:
    if kind == "FC":
        return (M,)
    C, H, W = before
    return (M, *_windows((C, H + 2, W + 2), 3, 1))


def _parameters(kind: str, before: Volume, M: int) -> int:
    inputs = before[0] if kind == "conv" else _zeros(before).size
    if torch_or_none() is not None:
        return by_torch.parameters("Conv2d" if kind == "conv" else "Linear", inputs, M)
    window = (3, 3) if kind == "conv" else ()
    return _zeros((M, inputs, *window)).size + _zeros((M,)).size


def _whole(subject: Subject, rng: Random) -> None:
    layers = _VGG16.split()
    _require(subject.call((layers,)).value, table(layers, (3, 224, 224)), _COLUMNS)


def _column(column: str) -> Run:
    def run(subject: Subject, rng: Random) -> None:
        for _ in range(2):
            layers, shape = _draw(rng)
            found = subject.call((layers, shape)).value
            _require(found, table(layers, shape), (column,))

    return run


def _without_conv(subject: Subject, rng: Random) -> None:
    *_, shape = _draw(rng)
    a, b = (int(n) for n in rng.permutation(np.arange(50, 90))[:2])
    for layers in ([f"FC-{a}"], ["maxpool", "maxpool", f"FC-{a}", f"FC-{b}"], ["maxpool"], []):
        found = subject.call((list(layers), shape)).value
        _require(found, table(layers, shape), _COLUMNS)


def _other_stacks(subject: Subject, rng: Random) -> None:
    """Convolutions after pools of odd sizes, down to 1 x 2; nothing fully connected at the end."""
    widths = [int(n) for n in rng.permutation(np.arange(3, 40))[:4]]
    a, b, c, d = (f"conv-{n}" for n in widths)
    shape = (int(rng.choice([1, 2])), int(rng.randint(8, 16)), int(rng.randint(16, 24)))
    layers = ["maxpool", a, "maxpool", b, c, "maxpool", d]
    _require(subject.call((list(layers), shape)).value, table(layers, shape), _COLUMNS)


def _left_alone(subject: Subject, rng: Random) -> None:
    layers, shape = _draw(rng)
    for _ in range(2):
        outcome = subject.call((list(layers), shape))
        unchanged(outcome, "layers, shape")
        _require(outcome.value, table(layers, shape), _COLUMNS)


def _draw(rng: Random) -> tuple[list[str], Volume]:
    """Draw a stack and an image: no volume has two equal axes, some do not divide by 2."""
    while True:
        widths = [int(n) for n in rng.permutation(np.arange(41, 99))[:5]]
        a, b, c = (f"conv-{n}" for n in widths[:3])
        fully = [f"FC-{n}" for n in widths[3:]]
        shape = (int(rng.choice([1, 2, 4, 5])), *(int(n) for n in rng.randint(17, 40, 2)))
        layers = [a, b, "maxpool", c, "maxpool", *fully]
        volumes = [row.before for row in table(layers, shape) if row.kind == "maxpool"]
        odd = [axis % 2 for volume in volumes for axis in volume[1:]]
        if sum(odd) in (2, 3) and all(len(set(volume)) == 3 for volume in [shape, *volumes]):
            return layers, shape


def _require(found: Any, rows: list[Row], columns: tuple[str, ...]) -> None:
    """Fail at the first row that is wrong in one of the columns."""
    found = _require_rows(found, rows)
    for i, (given, row) in enumerate(zip(found, rows, strict=True)):
        where = f"row {i} ({row.name})"
        if type(given) not in (tuple, list) or len(given) != 4:
            raise Wrong(f"{where} is {describe(given)}: expected ({_ROW})")
        name, *values = given
        if type(name) is not str or name != row.name:
            what = repr(name[:40]) if type(name) is str else describe(name)
            raise Wrong(f"{where}: its name is {what}")
        for column, value in zip(_COLUMNS, values, strict=True):
            if column in columns:
                _require_entry(f"{where}, {column}", column, value, i, rows)


def _require_rows(found: Any, rows: list[Row]) -> list:
    if type(found) not in (list, tuple):
        raise Wrong(f"the result is {describe(found)}: expected a list of rows")
    if len(found) == len(rows):
        return list(found)
    words = f"{len(found)} rows come back, not one for the image and one for each of the layers"
    first = found[0][0] if found and type(found[0]) in (list, tuple) and found[0] else None
    if len(found) == len(rows) - 1 and (not found or first != "image"):
        words += ": the image's is missing"
    raise Wrong(words)


def _require_entry(where: str, column: str, value: Any, i: int, rows: list[Row]) -> None:
    row = rows[i]
    if column == _VOLUME:
        given, right, likely = _volume(where, value, row), row.volume, _volumes(row)
    elif column == _VALUES:
        given, right, likely = _number(where, value), row.values, _values(i, rows)
    else:
        given, right, likely = _number(where, value), row.parameters, _counts(i, rows)
    if given != right:
        named = [words for words, others in likely.items() if given in others]
        pool = _NO_PARAMETERS if column == _PARAMETERS and row.kind == "maxpool" else "wrong"
        raise Wrong(f"{where}: {named[0] if named else pool}")


def _number(where: str, value: Any) -> int:
    """A whole number, Python's or NumPy's (np.prod gives NumPy's)."""
    if type(value) is int or isinstance(value, np.integer):
        return int(value)
    slash = " (is / where // is meant?)" if isinstance(value, float) else ""
    raise Wrong(f"{where}: {describe(value)}{slash}, expected a whole number")


def _volume(where: str, value: Any, row: Row) -> Volume:
    if type(value) not in (tuple, list):
        hint = f"; {_FLAT}" if row.kind == "FC" else ""
        raise Wrong(f"{where}: {describe(value)}, expected a tuple{hint}")
    return tuple(_number(f"{where}, one of its entries", entry) for entry in value)


def _volumes(row: Row) -> Likely:
    """What likely mistakes make of the output volume."""
    if row.kind == "FC":
        return _volumes_of_fully(row)
    (M, H, W), (C, h, w) = row.volume, row.before
    found: Likely = {
        "H and W are swapped": [(M, W, H)],
        "the channels come first: (C, H, W)": [(H, W, M), (W, H, M)],
    }
    if row.kind == "image":
        return found | {"the image is taken for another: use shape": [(3, h, w), (3, 224, 224)]}
    if row.kind == "conv":
        return found | {
            "pad 1 makes up for what a 3x3 window loses at the border: H and W stay": [
                (M, h - 2, w - 2)
            ],
            "the zeros of the padding are not in the output": [(M, h + 2, w + 2)],
            "as many slices come out as the layer has filters": [(C, h, w)],
            "each filter adds up over all slices that come in: one slice a filter": [(C * M, h, w)],
            "only the pools halve H and W": [(M, h // 2, w // 2)],
        }
    return found | {
        "what does not divide by 2 is dropped, not rounded up": [(C, -(-h // 2), -(-w // 2))],
        "a pool halves H and W": [(C, h, w)],
        "H is halved from H, and W from W": [
            *((C, h // 2, w), (C, h, w // 2)),
            *((C, h // 2, h // 2), (C, w // 2, w // 2)),
        ],
        "a pool keeps all slices: it works in each on its own": [
            *((C // 2, h // 2, w // 2), (1, h // 2, w // 2), (h // 2, w // 2)),
        ],
        "the windows of a pool do not overlap: its stride is 2": [(C, h - 1, w - 1)],
    }


def _volumes_of_fully(row: Row) -> Likely:
    (M,) = row.volume
    return {
        _FLAT: [(1, 1, M), (M, 1, 1), (1, M), (M, 1), (M, *row.before[1:])],
        "it is that of the layer before": [row.before],
        "the flattened volume is what it reads; each of the M neurons gives one number": [
            (int(np.prod(row.before)),)
        ],
    }


def _values(i: int, rows: list[Row]) -> Likely:
    """What likely mistakes make of the number of stored values."""
    row = rows[i]
    found: Likely = {
        "each row has its own values, not the sum up to there": [
            sum(earlier.values for earlier in rows[: i + 1])
        ],
        "count values, not bytes": [4 * row.values, 8 * row.values],
        "a volume counts once, whether or not its gradient is kept too": [2 * row.values],
        "parameters are not among them: count the entries of the output volume": [
            *(row.parameters, row.values + row.parameters)
        ],
        "it is that of the volume that comes in: count what comes out": [int(np.prod(row.before))],
        "it is the sum of the axes: multiply them": [sum(row.volume)],
    }
    if len(row.volume) == 3:
        M, H, W = row.volume
        found["the zeros of the padding are not kept"] = [M * (H + 2) * (W + 2)]
        found["all three axes count: C H W"] = [H * W, M * H, M * W, M]
    return found


def _counts(i: int, rows: list[Row]) -> Likely:
    """What likely mistakes make of the number of parameters."""
    row = rows[i]
    if row.kind == "image":
        return {"an image has no parameters": [row.values]}
    found: Likely = {}
    if row.kind == "conv":
        found = _counts_of_conv(row.before[0], row.volume, rows[0].volume[0])
    elif row.kind == "FC":
        found = _counts_of_fully(row.before, row.volume[0], rows[0].values)
        M, earlier = row.volume[0], [one.values for one in rows[:i]]
        found["it reads what the layer right before it gives, no earlier volume"] = [
            *((D + 1) * M for D in earlier),
            *(D * M for D in earlier),
        ]
    return found | {
        "each row has its own parameters, not the sum up to there": [
            sum(earlier.parameters for earlier in rows[: i + 1])
        ],
        "each row has its parameters once": [2 * row.parameters],
        "it is the number of values stored": [row.values],
    }


def _counts_of_conv(C: int, volume: Volume, first: int) -> Likely:
    """first: the number of slices of the image."""
    M, H, W = volume
    return {
        "the biases are missing: one a filter": [9 * C * M],
        "each filter has one bias of its own": [9 * C * M + 1, 9 * C * M + C, 10 * C * M],
        "the slices that come in are those of the layer before, not of the image": [
            *((9 * first + 1) * M, 9 * first * M)
        ],
        "a filter reaches through all slices that come in, not one": [10 * M, 9 * M],
        "a filter reaches through the slices that come in, not those that come out": [
            *((9 * M + 1) * M, 9 * M * M)
        ],
        "the filters are 3x3: nine weights a slice": [
            *((C + 1) * M, C * M, (3 * C + 1) * M, (25 * C + 1) * M)
        ],
        "it is one filter's: there are as many as the name says": [9 * C + 1, 9 * C],
        "the same filter is used at all places: count it once": [
            *((9 * C + 1) * M * H * W, 9 * C * M * H * W, (9 * C + H * W) * M)
        ],
        "a convolution has parameters": [0],
    }


def _counts_of_fully(before: Volume, M: int, image: int) -> Likely:
    """image: how many numbers the image has."""
    D = int(np.prod(before))
    slices, places = before[0], int(np.prod(before[1:]))
    return {
        "the biases are missing: one a neuron": [D * M],
        "each neuron has one bias of its own": [D * M + 1, D * M + D],
        "it reads all numbers of the flattened volume: C H W": [
            *((slices + 1) * M, slices * M, (places + 1) * M, places * M)
        ],
        "it reads the volume of the layer before, not the image": [(image + 1) * M, image * M],
        "it has no 3x3 windows: each neuron reads each number once": [
            *((9 * slices + 1) * M, (9 * D + 1) * M)
        ],
        "a fully connected layer has parameters": [0],
    }


def _referee() -> str:
    torch = torch_or_none()
    words = "the sizes of arrays that are made as the layers make them"
    if torch is None:
        return f"{words} (torch is not installed; with it, its own layers' parameters are counted)"
    return f"{words}, and the parameters of torch {torch.__version__}'s own layers"


VGG_SHAPES = Exercise(
    "vgg_shapes",
    points=2,
    referee=_referee,
    banned=("torch", "torchvision"),
    cases=(
        Case("VGG-16, row by row", 2, _whole, drawn=False),
        *(Case(f"other stacks, H and W uneven: {column}", 3, _column(column))
          for column in _COLUMNS),
        Case("no convolution: pools and FC alone, and no layer at all", 1, _without_conv),
        Case("convolutions after pools of odd sizes, one slice or two", 1, _other_stacks),
        Case("layers and shape unchanged; the same again when called again", 1, _left_alone),
    ),
)  # fmt: skip

EXERCISES = (VGG_SHAPES,)
