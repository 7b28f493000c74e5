"""A line for each finished unit of a batch, with the time that is left."""

import sys
import time
from collections import deque
from collections.abc import Callable

_RECENT = 50


class Progress:
    """Prints `[12/200] ann: 9 of 9 points (0.8 s)  3 min left`.

    The time left is judged from the last 50 units, and never from the first `cold` ones, which
    wait for the workers' start. Lines are plain: no terminal is asked for, and no control
    character, of a name or elsewhere, gets into a log.
    """

    def __init__(
        self,
        total: int,
        *,
        cold: int = 1,
        write: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._cold = total, cold
        self._write, self._clock = write or _print, clock
        self._done = 0
        self._times: deque[float] = deque(maxlen=_RECENT + 1)

    def finished(self, name: str, words: str, seconds: float | None = None) -> None:
        """Count a unit and print its line; `seconds` is what it took."""
        self._done += 1
        if self._done >= self._cold:
            self._times.append(self._clock())
        took = "" if seconds is None else f" ({seconds:.1f} s)"
        left = f"  {self.left()}" if self.left() else ""
        self.say(f"[{self._done}/{self._total}] {name}: {words}{took}{left}")

    def skipped(self, name: str, words: str) -> None:
        """Count a unit that took no time, and print its line."""
        self._done += 1
        self._times.clear()  # of the units from here on something can be learnt
        self.say(f"[{self._done}/{self._total}] {name}: as before, {words}")

    def say(self, line: str) -> None:
        """Print a line that counts nothing."""
        self._write(plain(line))

    def left(self) -> str:
        """The time left in words; empty where it is not known yet, or nothing is left."""
        units = self._total - self._done
        if units <= 0 or len(self._times) < 2:
            return ""
        rate = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        return f"{duration(units * rate)} left"


def plain(line: str) -> str:
    """The line without what would command a terminal, or end the line, whoever wrote it."""
    return "".join(c if c.isprintable() else "?" for c in line)


def _print(line: str) -> None:
    coded = sys.stdout.encoding or "utf-8"
    print(line.encode(coded, "backslashreplace").decode(coded), flush=True)


def duration(seconds: float) -> str:
    """A time as a person says it: 40 s, 3 min, 1 h 20 min."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
