"""What is true of the built-in scenes, as arrays, and which of a sentence's claims fail there."""

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache, reduce
from itertools import permutations

import numpy as np

from cs_caption.data import colours
from cs_caption.data.records import Scene, SceneObject
from cs_caption.data.rich_captions import relation_names
from cs_caption.data.wording import in_order
from cs_caption.metrics.claims import Claims, Link, Thing

LOW, HIGH = 46, 82  # twice a centre's coordinate: up to here the first third, from here the last
MOST_SLOTS = 6  # objects of one sentence that are told apart
FAR_OFF = 10.0  # a name of a shade that does not fit at all
ACROSS = {(0, 1): ((2, 1), "left of"), (1, 0): ((1, 2), "above")}


class Truth:
    """What is true of N scenes, of which none has more than K objects (`width`).

    Shapes: answers of `object` are (N, K), of `ground` and `scene` (N,), of `relation` (N, K, K).
    Each is found once and kept.
    """

    def __init__(self, scenes: Sequence[Scene]):
        self.scenes = list(scenes)  # `Scenes` makes them anew each time
        self.width = max((len(scene.objects) for scene in self.scenes), default=0)
        self._names = [relation_names(scene.objects, scene.relations) for scene in self.scenes]
        self._kept: dict[Hashable, np.ndarray] = {}

    def object(self, name: str, value: object) -> np.ndarray:
        """Which objects have this attribute; "column" and "row" are those of `ninth`."""
        return self._objects(("is", name, value), lambda one: _attribute(one, name) == value, False)

    def ground(self, name: str, value: str) -> np.ndarray:
        """Which backgrounds have this attribute."""
        return self.scene(
            ("ground", name, value), lambda scene: getattr(scene.background, name) == value
        )

    def shade(self, name: str) -> np.ndarray:
        """How far each object is from being called by that name of a shade."""
        return self._objects(("shade", name), lambda one: unlike(name, one.rgb), FAR_OFF)

    def ground_shade(self, name: str) -> np.ndarray:
        """How far each background is from being called so."""
        return self.scene(("ground shade", name), lambda scene: unlike(name, scene.background.rgb))

    def relation(self, name: str) -> np.ndarray:
        """Which object (second axis) is in this relation to which other one (third axis)."""
        if ("relation", name) not in self._kept:
            table = np.zeros((len(self.scenes), self.width, self.width), dtype=bool)
            for row, scene, names in zip(table, self.scenes, self._names, strict=True):
                for pair, some in names.items():
                    row[pair] = name in some or (name == "near" and _simple(scene, *pair))
            self._kept["relation", name] = table
        return self._kept["relation", name]

    def told(self, order: str, alike: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each object's position and number in a list of the scene's objects, and its length.

        `order` is that of `in_order`; those that share the attribute `alike` stand together.
        """
        key = "told", order, alike
        if key not in self._kept:
            position = np.full((len(self.scenes), self.width), -1)
            number, length = np.zeros_like(position), np.zeros(len(self.scenes), dtype=int)
            for row, scene in enumerate(self.scenes):
                groups = grouped(scene.objects, order, alike)
                length[row] = len(groups)
                for place, group in enumerate(groups):
                    position[row, group], number[row, group] = place, len(group)
            self._kept[key] = position, number, length
        return self._kept[key]

    def scene(self, key: Hashable, ask: Callable[[Scene], object]) -> np.ndarray:
        """One answer for each scene."""
        if key not in self._kept:
            self._kept[key] = np.array([ask(scene) for scene in self.scenes])
        return self._kept[key]

    def _objects(self, key: Hashable, ask: Callable, absent: object) -> np.ndarray:
        if key not in self._kept:
            table = np.full((len(self.scenes), self.width), absent)
            for row, scene in zip(table, self.scenes, strict=True):
                row[: len(scene.objects)] = [ask(one) for one in scene.objects]
            self._kept[key] = table
        return self._kept[key]


def ninth(box: tuple[int, int, int, int]) -> tuple[int, int]:
    """(column, row) of the ninth of the picture in which a box has its centre."""
    x0, y0, x1, y1 = box
    return tuple(0 if twice < LOW else 2 if twice > HIGH else 1 for twice in (x0 + x1, y0 + y1))


@lru_cache(maxsize=65_536)
def unlike(name: str, rgb: colours.Rgb) -> float:
    """How unlikely a colour is to be called by that name of a shade, in nats, up to FAR_OFF."""
    fitting = colours.naming(rgb)[1]
    if name in fitting:
        weights = 1 / np.arange(1, len(fitting) + 1)
        return float(-np.log(weights[fitting.index(name)] / weights.sum()))
    return min(4 + colours.distance(rgb, _values()[name]) / colours.CLOSE, FAR_OFF)


def grouped(objects: Sequence[SceneObject], order: str, alike: str) -> list[list[int]]:
    """Objects in that order, those that share an attribute together; each alone if it is ""."""
    groups: dict[Hashable, list[int]] = {}
    for index in in_order(order, objects):
        groups.setdefault(getattr(objects[index], alike) if alike else index, []).append(index)
    return list(groups.values())


def _attribute(one: SceneObject, name: str) -> object:
    if name in ("column", "row"):
        return ninth(one.box)[name == "row"]
    return name == "there" or getattr(one, name)


def _simple(scene: Scene, one: int, other: int) -> bool:
    """On the simple level people say "next to" of any two."""
    return one != other and scene.id.startswith("simple-")


@lru_cache(maxsize=1)
def _values() -> dict[str, colours.Rgb]:
    return dict(shade for basic in colours.SHADES for shade in colours.shades(basic))


class Reading:
    """A sentence laid over scenes: P ways to take the things that it names for objects.

    slots (S,): the thing of each object named, so that "two stars and a heart" are [0, 0, 1];
    ways (P, S): for each way the object of each slot, all different, K and above where a scene has
    too few. `rows` are the scenes looked at, all N by default.
    """

    def __init__(self, said: Claims, truth: Truth, rows: np.ndarray | slice = slice(None)):
        self.said, self.truth, self.rows = said, truth, rows
        counts = [thing.count for thing in said.things]
        few = np.minimum(counts, MOST_SLOTS).astype(int)
        self.slots = np.repeat(np.arange(len(counts)), few)[:MOST_SLOTS]
        self.left_out = sum(counts) - len(self.slots)
        self.ways = _ways(len(self.slots), truth.width)
        self.spare = max(len(self.slots) - truth.width, 0)

    def among(self, rows: np.ndarray) -> "Reading":
        """The same for some of the scenes."""
        return Reading(self.said, self.truth, rows)

    def places(self, thing: int) -> np.ndarray:
        """The slots of a thing; none where so many are named that it was left out."""
        return np.flatnonzero(self.slots == thing)

    def of(self, table: np.ndarray, slot: int, absent: object = 0) -> np.ndarray:
        """What a table (N, K) of the truth says of that slot's object: (n, P)."""
        table = np.pad(table[self.rows], ((0, 0), (0, self.spare)), constant_values=absent)
        return table[:, self.ways[:, slot]]

    def every(self, table: np.ndarray, thing: int) -> np.ndarray:
        """Whether a table (N, K) is true of all objects of a thing: bool (n, P)."""
        true = np.ones((1, 1), dtype=bool)
        return reduce(np.logical_and, (self.of(table, slot) for slot in self.places(thing)), true)

    def holds(self, name: str, link: Link) -> np.ndarray:
        """Whether a relation holds from all of a link's subjects to all of its objects: (n, P)."""
        table = self.truth.relation(name)[self.rows]
        table = np.pad(table, ((0, 0), (0, self.spare), (0, self.spare)))
        held = np.ones((len(table), len(self.ways)), dtype=bool)
        for one in self.places(link.subject):
            for other in self.places(link.object):
                if link.subject != link.object or one < other:
                    held &= table[:, self.ways[:, one], self.ways[:, other]]
        return held

    def broken(self) -> np.ndarray:
        """How many claims fail: int (n, P)."""
        wrong = self._of_the_whole()[self.rows, None] + np.zeros((1, len(self.ways)), dtype=int)
        sides = _sides(self.said.things)
        beside = {which for link in sides for which in (link.subject, link.object)}
        for which, thing in enumerate(self.said.things):
            claimed = _claimed(thing, which not in beside)
            failed = len(claimed) - sum(self.truth.object(*one).astype(int) for one in claimed)
            failed += _mixed(thing, self.truth)
            for slot in self.places(which):
                wrong += self.of(failed, slot, len(claimed))
        for link in (*self.said.links, *sides):
            wrong += ~np.logical_or.reduce([self.holds(name, link) for name in link.names])
        return wrong

    def _of_the_whole(self) -> np.ndarray:
        """How many claims fail of the background and of how many there are: int (N,)."""
        truth, said = self.truth, self.said
        wrong = np.full(len(truth.scenes), self.left_out)
        if said.ground:
            for name in _named(said.ground, ("colour", "pattern", "second", "slant")):
                wrong += ~truth.ground(name, getattr(said.ground, name))
        if said.total:
            count = truth.scene("count", lambda scene: len(scene.objects))
            wrong += (count < said.total.least) | (count > said.total.most)
        if said.total and said.total.varied:
            wrong += ~truth.scene("varied", _varied)
        return wrong


@lru_cache(maxsize=64)
def _ways(slots: int, width: int) -> np.ndarray:
    ways = list(permutations(range(max(width, slots)), slots))
    return np.array(ways, dtype=np.int64).reshape(len(ways), slots)


def _named(said: object, names: Sequence[str]) -> list[str]:
    """Those attributes that are said; a slant is one of stripes."""
    striped = said.pattern == "stripes"
    return [name for name in names if getattr(said, name) and (striped or name != "slant")]


def _claimed(thing: Thing, placed: bool) -> list[tuple[str, object]]:
    """The attributes that its objects have to have."""
    looks = () if thing.mixed else ("colour", "second")
    names = _named(thing, ("shape", "size", "pattern", "slant", "pointing", *looks))
    claimed = [("there", True), *((name, getattr(thing, name)) for name in names)]
    if placed and thing.place:
        for name, part in zip(("column", "row"), thing.place, strict=True):
            if part != 1 or thing.place == (1, 1):  # "on the left", at whatever height
                claimed.append((name, part))
    return claimed


def _mixed(thing: Thing, truth: Truth) -> np.ndarray | int:
    """ "Red and white": either may be the marks' colour."""
    if not thing.mixed:
        return 0
    one = truth.object("colour", thing.colour) & truth.object("second", thing.second)
    other = truth.object("colour", thing.second) & truth.object("second", thing.colour)
    return (~(one | other)).astype(int)


def _sides(things: Sequence[Thing]) -> list[Link]:
    """One "on the left" and one "on the right" are so as seen from each other."""
    where = {thing.place: which for which, thing in enumerate(things) if thing.place}
    return [
        Link(where[here], (name,), where[there])
        for here, (there, name) in ACROSS.items()
        if here in where and there in where
    ]


def _varied(scene: Scene) -> bool:
    return len({one.colour for one in scene.objects}) == len(scene.objects)
