"""What a study is made of."""

from collections.abc import Callable
from dataclasses import dataclass

from cs_caption.studies.record import Figure

Found = dict[str, float | list[float]]


@dataclass(frozen=True)
class Budget:
    """What every setting of a study gets, so that nothing but the setting differs.

    `pictures` of `level` are learnt from, `held_out` of the split "val" measured on. A step takes
    `batch` pictures with `captions` of each one's sentences.
    """

    steps: int
    pictures: int
    held_out: int
    level: str = "simple"
    batch: int = 64
    captions: int = 2
    lr: float = 4e-3
    warmup: int = 30

    def __str__(self) -> str:
        captions = "1 caption" if self.captions == 1 else f"{self.captions} captions"
        return (
            f"{self.steps:,} steps of {self.batch} pictures with {captions} each; "
            f"{self.pictures:,} {self.level} scenes to learn from, {self.held_out:,} held out"
        )


@dataclass(frozen=True)
class Study:
    """A question, what is compared to answer it, and how one run is measured.

    `measure(setting, budget, seed)` returns a number for each of `figures`, and lists for curves.
    `budget` is for the record, `tiny` for a rehearsal.
    """

    name: str
    question: str
    settings: tuple[str, ...]
    figures: tuple[Figure, ...]
    budget: Budget
    tiny: Budget
    measure: Callable[[str, Budget, int], Found]
