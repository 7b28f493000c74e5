"""What a study found, as plain values that are kept as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cs_caption import measured
from cs_caption.files import whole_file

FORMAT = 1
FOLDER = Path(measured.__file__).parent


@dataclass(frozen=True)
class Figure:
    """Something that is measured of each run; `better` is "lower", "higher" or, of neither, ""."""

    name: str
    better: str = ""
    drawn: bool = True  # in the dot plot as well as in the table
    log: bool = False  # drawn on a logarithmic axis: all values are above 0


@dataclass(frozen=True)
class Run:
    """One setting trained with one seed: a number for each figure, and curves where there are."""

    setting: str
    seed: int
    figures: dict[str, float]
    curves: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A whole study: what was asked, how, on what, and what each run found."""

    name: str
    question: str
    budget: str
    command: str
    date: str
    machine: str
    seconds: float  # of the processor, all runs together
    seeds: int
    figures: tuple[Figure, ...]
    runs: tuple[Run, ...]

    @property
    def settings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(run.setting for run in self.runs))

    def of(self, setting: str, figure: str) -> list[float]:
        """One figure of one setting, a value a seed.

        Raises: ValueError where the study has no such setting or figure.
        """
        found = [run.figures for run in self.runs if run.setting == setting]
        if not found:
            raise ValueError(f"{self.name} has no setting {setting!r}: {', '.join(self.settings)}")
        if figure not in found[0]:
            raise ValueError(f"{self.name} has no figure {figure!r}: {', '.join(found[0])}")
        return [figures[figure] for figures in found]


def load(name: str) -> Record:
    """The record of a study.

    Raises: FileNotFoundError, naming the command that makes it; ValueError where it was written by
    a newer version, or is damaged.
    """
    path = path_of(name)
    if not path.is_file():
        raise FileNotFoundError(f"no record {path}: python -m cs_caption.studies {name} makes it")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts.pop("format") > FORMAT:
            raise ValueError("it is of a newer version: update cs_caption (git pull)")
        figures = tuple(Figure(**figure) for figure in facts.pop("figures"))
        runs = tuple(Run(**run) for run in facts.pop("runs"))
        return Record(**facts, figures=figures, runs=runs)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no record of a study: {error}") from error


def save(record: Record) -> Path:
    """Write a record, whole or not at all."""
    path = path_of(record.name)
    with whole_file(path) as file:
        text = json.dumps({"format": FORMAT, **asdict(record)}, indent=1)
        file.write_text(text + "\n", encoding="utf-8")
    return path


def path_of(name: str) -> Path:
    return FOLDER / f"study_{name}.json"


def in_order(runs: Sequence[Run], settings: Sequence[str]) -> tuple[Run, ...]:
    """Runs by setting, each one's seeds in a row."""
    return tuple(sorted(runs, key=lambda run: (settings.index(run.setting), run.seed)))
