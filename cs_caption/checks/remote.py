"""The subject whose functions run in another process, and the little server at that end.

    python -m cs_caption.checks.remote FILE.py [NAME=FUNCTION ...]

serves the functions of FILE.py over its standard input and output; NAME=FUNCTION serves a function
under another name. POSIX only (it waits on pipes); what it runs is not confined: that is the
business of whoever starts it.
"""

import math
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cs_caption.checks import wire
from cs_caption.checks.farside import READY, serve
from cs_caption.checks.subject import Subject, Wrong

_LOOK = 0.25  # seconds between two looks at a far side that is silent


class PipeLink:
    """Two file descriptors with a far side behind them, and limits of time.

    `seconds` are for each call, `total` for all of them from now on. `watch` is asked while an
    answer is waited for; words from it, instead of "", end the far side.
    """

    def __init__(
        self,
        read_fd: int,
        write_fd: int,
        *,
        seconds: float = 10.0,
        total: float = math.inf,
        watch: Callable[[], str] = str,
        end: Callable[[], Any] = lambda: None,
    ) -> None:
        self._read_fd, self._write_fd = read_fd, write_fd
        self._seconds, self._total = seconds, total
        self._until = time.monotonic() + total
        self._watch = watch
        self._end = end
        self._gone = ""
        self._room = wire.MOST_BYTES
        os.set_blocking(write_fd, False)

    def exchange(self, request: bytes, count: int) -> list[bytes]:
        """Send a request and wait for its answers, `seconds` for each at most.

        Raises: Wrong where the far side has gone, is silent or sends no answer; it is then ended,
        and every later exchange fails with the same words.
        """
        if self._gone:
            raise Wrong(self._gone)
        try:
            deadline, self._room = self._deadline(), wire.MOST_BYTES  # for all answers together
            wire.write_frame(lambda data: self._write(data, deadline), request)
            return [self._answer() for _ in range(count)]
        except TimeoutError:
            self._give_up(self._late())
        except Wrong as wrong:
            self._give_up(str(wrong))
        except (EOFError, OSError):
            self._give_up("the process that runs your functions ended in the middle of the call")
        except wire.WireError as error:
            self._give_up(f"what came back is not an answer: {error}")
        raise Wrong(self._gone)

    def wait_until_ready(self, seconds: float) -> None:
        """Wait for the far side's first message. Raises: Wrong as `exchange`."""
        usual, self._seconds = self._seconds, seconds
        try:
            if self._answer() != READY:
                self._give_up("what came back is not a greeting")
        except (EOFError, OSError, TimeoutError, wire.WireError, Wrong):
            self._give_up("the process that runs your functions did not start")
        finally:
            self._seconds = usual
        if self._gone:
            raise Wrong(self._gone)

    def close(self) -> None:
        """End the far side."""
        self._give_up("the check is over: this far side was closed")

    def _give_up(self, words: str) -> None:
        if not self._gone:
            self._gone = words
            self._end()

    def _deadline(self) -> float:
        return min(time.monotonic() + self._seconds, self._until)

    def _late(self) -> str:
        if time.monotonic() < self._until:
            return f"no answer within {self._seconds:g} s: does a loop never end?"
        return f"this check took more than {self._total:g} s in all: does a loop run too often?"

    def _answer(self) -> bytes:
        deadline = self._deadline()
        answer = wire.read_frame(lambda size: self._read(size, deadline), self._room)
        self._room -= len(answer)
        return answer

    def _read(self, size: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < size:
            _wait(self._read_fd, select.POLLIN, deadline, self._watch)
            part = os.read(self._read_fd, min(size - len(found), 2**20))
            if not part:
                raise EOFError
            found += part
        return bytes(found)

    def _write(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            _wait(self._write_fd, select.POLLOUT, deadline, self._watch)
            left = left[os.write(self._write_fd, left[: 2**16]) :]


def RemoteSubject(
    function: str,
    file: str | Path,
    names: Mapping[str, str] | None = None,
    *,
    seconds: float = 10.0,
    start_seconds: float = 60.0,
) -> Subject:
    """Return the subject whose functions are those of a Python file, run in a process of its own.

    `names` maps the name a check uses to the function's name in the file. Close the subject to end
    the process.
    """
    pairs = [f"{name}={other}" for name, other in (names or {}).items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "cs_caption.checks.remote", str(file), *pairs],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )
    link = PipeLink(
        process.stdout.fileno(),
        process.stdin.fileno(),
        seconds=seconds,
        end=lambda: _end(process),
    )
    link.wait_until_ready(start_seconds)
    return Subject(function, link)


def main(arguments: list[str]) -> int:
    """Load FILE.py, keep the pipe to ourselves, serve."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    read_fd, write_fd = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):  # what is printed must not reach the pipe, however it is printed
        os.dup2(nowhere, fd)
    functions = _load(Path(arguments[0]))
    for name, _, other in (pair.partition("=") for pair in arguments[1:]):
        functions[name] = functions.get(other)
    serve(read_fd, write_fd, functions)
    return 0


def _load(file: Path) -> dict[str, Any]:
    """The names that the file defines, up to where it fails."""
    names: dict[str, Any] = {"__name__": "submission", "__file__": str(file)}
    try:
        exec(compile(file.read_text("utf-8"), str(file), "exec"), names)
    except BaseException as error:
        print(f"{file}: {type(error).__name__}: {error}", file=sys.stderr)
    return names


def _wait(fd: int, event: int, deadline: float, watch: Callable[[], str]) -> None:
    waiting = select.poll()
    waiting.register(fd, event)
    while (left := deadline - time.monotonic()) > 0:
        if waiting.poll(1000 * min(left, _LOOK)):
            return
        if words := watch():
            raise Wrong(words)
    raise TimeoutError


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        pipe.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
