"""How long the built-in scenes take to draw in one process; the bar: 10 s for 8,000 simple ones."""

import resource
import time

from benchmarks.record import record
from cs_caption.data import Scenes


def seconds(level: str, n: int = 8_000) -> float:
    """Wall seconds to draw `n` pictures of the train split with their captions."""
    started = time.perf_counter()
    scenes = Scenes("train", n=n, level=level)
    assert len(scenes.images) == len(scenes.captions) == n
    return time.perf_counter() - started


def main() -> None:
    figures: dict[str, object] = {}
    for level in ("simple", "rich"):
        figures[f"seconds for 8,000 {level} pictures with captions"] = round(seconds(level), 2)
    figures["peak memory, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print("written:", record("scenes", figures))


if __name__ == "__main__":
    main()
