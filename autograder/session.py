"""The grader's end of a kernel in a sandbox: run cells, and let a check call what they defined.

    with Kernel("bubblewrap", Limits(), absent=plan.absent) as kernel:
        kernel.run(source, seconds=60)                                    -> CellRun
        with kernel.serving({"one_hot": "one_hot"}, call_seconds=10, check_seconds=60) as link:
            run_check("one_hot", Subject("one_hot", link), salt=salt)

Nothing that the kernel says is believed: an answer is bounded in bytes and in time, must echo the
number of its order, and what it shows is rebuilt from plain data, form by form.
"""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
from nbformat import NotebookNode

from autograder import sandbox as sandboxes
from autograder.sandbox import Limits
from autograder.shown import outputs_of
from cs_caption.checks import wire
from cs_caption.checks.remote import PipeLink
from cs_caption.checks.subject import Link, Wrong

MOST_SHOWN = 4 * 2**20  # bytes of an answer to a cell
MOST_SHOWN_IN_ALL = 24 * 2**20  # of the answers to all cells of a kernel
GRACE = 2.0  # seconds that an interrupted cell has to end
_LOOK = 0.25  # seconds between two looks at a kernel that is silent


_LITTLE = 2**10  # bytes of an answer that is shown in any case
_TOO_MUCH = [
    {
        "output_type": "stream",
        "name": "stderr",
        "text": f"[not kept: all cells together show more than {MOST_SHOWN_IN_ALL >> 20} MB]\n",
    }
]


class KernelError(RuntimeError):
    """No kernel could be started; the words say why."""


@dataclass(frozen=True)
class CellRun:
    """How a cell ended: "ok", "error", "timeout", "dead" or "flood"; `words` say why, if not ok."""

    outputs: list[NotebookNode]
    ended: str
    words: str
    seconds: float


class _Ended(Exception):
    """The kernel is of no use any more: how it ended, and why."""

    def __init__(self, ended: str, words: str) -> None:
        super().__init__(words)
        self.ended, self.words = ended, words


class Kernel:
    """A process in a sandbox that has the names that a student's cells define.

    `absent` modules cannot be imported there; `files` lie in its folder. Bubblewrap ends it when
    the thread that made it ends.
    Raises: KernelError where none starts; ValueError and SandboxMissing as `sandbox.start`.
    """

    def __init__(
        self,
        sandbox: str,
        limits: Limits,
        *,
        absent: Sequence[str] = (),
        files: Mapping[str, bytes] | None = None,
        start_seconds: float = 60.0,
    ) -> None:
        self.alive = True
        self._limits, self._bounded = limits, sandbox != "off"
        self._start_seconds = start_seconds
        self._number = self._cells = self._shown = 0
        self._why = ""
        self._socket, far = socket.socketpair()
        self._socket.setblocking(False)
        with far:
            try:
                self._started = sandboxes.start(sandbox, limits, tuple(absent), far.fileno())
            except BaseException:
                self._socket.close()
                raise
        try:
            self._process = self._greeted()
            self._written(files or {})
        except BaseException:
            self.close()
            raise

    def run(self, source: str, seconds: float) -> CellRun:
        """Run a cell for so many seconds at most; then it is interrupted, and 2 s later killed."""
        if not self.alive:
            return CellRun([], "dead", self._why, 0.0)
        start = time.monotonic()
        try:
            number = self._order("run", source)
            ended, words, outputs = self._ran(number, seconds)
        except _Ended as end:
            self._give_up(end.words)
            ended, words, outputs = end.ended, end.words, []
        return CellRun(outputs, ended, words, time.monotonic() - start)

    @contextmanager
    def serving(
        self, functions: Mapping[str, str], *, call_seconds: float, check_seconds: float
    ) -> Iterator[Link]:
        """Serve functions to a check, under other names; the check cannot harm the kernel.

        What cells left running is ended first: where it takes up all processes or all memory, no
        check could be served. A link to a kernel that is dead, or does not answer, fails every
        call with words.
        """
        near, far = socket.socketpair()
        if self.alive:
            sandboxes.kill(self._left_running)
        link = PipeLink(
            near.fileno(),
            near.fileno(),
            seconds=call_seconds,
            total=check_seconds,
            watch=self._trouble,
            end=near.close,
        )
        try:
            number = self._order("serve", dict(functions))
            socket.send_fds(self._socket, [b"\0"], [far.fileno()])
        except (_Ended, OSError) as end:
            number = None
            self._give_up(self._why or str(end))
        finally:
            far.close()
        try:
            with suppress(Wrong):
                link.wait_until_ready(min(self._start_seconds, check_seconds))
            yield link
        finally:
            link.close()
            if number is not None:
                self._served(number)

    def close(self) -> None:
        """Kill everything in the sandbox, and remove its folder."""
        self._give_up("this kernel was closed")
        self._started.end()
        self._socket.close()

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------- orders

    def _greeted(self) -> psutil.Process:
        """The process of the kernel, found before any code of a student runs."""
        try:
            greeting = self._answer("ready", 0, self._start_seconds)
        except (_Ended, TimeoutError) as end:
            said = _said(self._started.process.stderr.fileno())
            raise KernelError(f"no kernel starts: {said or end}") from None
        members = self._started.members()
        if not members or greeting != ():
            raise KernelError("no kernel starts: the process ended at once")
        self._started.process.stderr.close()
        self._started.process.stderr = None
        self._own = frozenset(members)
        return members[-1]

    def _written(self, files: Mapping[str, bytes]) -> None:
        for name in files:
            if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
                raise ValueError(f"{name!r} is no path of a file beside a notebook")
        try:
            if files:
                number = self._order("files", dict(files))
                self._answer("written", number, self._start_seconds)
        except (_Ended, TimeoutError) as end:
            raise KernelError(f"the submission's files could not be written: {end}") from None

    def _ran(self, number: int, seconds: float) -> tuple[str, str, list[NotebookNode]]:
        words = ""
        try:
            answer = self._answer("ran", number, seconds)
        except TimeoutError:
            words = f"this cell did not end within {seconds:g} s and was stopped"
            answer = self._after_interrupt(number, words)
        match answer:
            case (str(ended), list(outputs)) if ended in ("ok", "error"):
                self._cells += 1
                found = outputs_of(outputs if self._has_room() else _TOO_MUCH, self._cells)
            case _:
                raise _Ended("flood", "what came back from the cell is no answer")
        if words:
            return "timeout", words, found
        return ended, "this cell stopped with an error" if ended == "error" else "", found

    def _has_room(self) -> bool:
        """Whether what the last cell showed may still come on top of all before it."""
        self._shown += self._last
        if self._shown <= MOST_SHOWN_IN_ALL:
            return True
        self._shown -= self._last
        return self._last < _LITTLE

    def _after_interrupt(self, number: int, words: str) -> tuple:
        with suppress(psutil.NoSuchProcess):
            self._process.send_signal(signal.SIGINT)
        try:
            return self._answer("ran", number, GRACE)
        except TimeoutError:
            raise _Ended("timeout", f"{words}; it did not react to that") from None

    def _left_running(self) -> list[psutil.Process]:
        return [one for one in self._started.members() if one not in self._own]

    def _served(self, number: int) -> None:
        """End what the check left running, and hear that the kernel goes on."""
        rid = sandboxes.kill(self._left_running)
        try:
            if self.alive and (not rid or self._answer("served", number, self._start_seconds)):
                raise _Ended("dead", "what a check started could not be ended")
        except (_Ended, TimeoutError) as end:
            self._give_up(str(end) or "the kernel does not go on after a check")

    # ----------------------------------------------------------------------------------- the pipe

    def _order(self, *order: object) -> int:
        if not self.alive:
            raise _Ended("dead", self._why)
        if _is_ready(self._socket, select.POLLIN, 0):
            self._look()
            raise _Ended("flood", "the kernel spoke without being asked")
        self._number += 1
        kind, content = order
        deadline = time.monotonic() + self._start_seconds
        try:
            payload = wire.dumps((kind, self._number, content))
            wire.write_frame(lambda data: self._write(data, deadline), payload)
        except (OSError, wire.WireError) as error:
            raise _Ended("dead", f"the kernel takes no orders: {error}") from None
        return self._number

    def _answer(self, kind: str, number: int, seconds: float) -> tuple:
        """What follows kind and number in the next answer.

        Raises: TimeoutError; _Ended where it is another answer, or none, or the kernel died.
        """
        deadline = time.monotonic() + seconds
        try:
            frame = wire.read_frame(lambda size: self._read(size, deadline), MOST_SHOWN)
            answer, self._last = wire.loads(frame), len(frame)
        except wire.WireError as error:
            raise _Ended("flood", f"what came back from the kernel is no answer: {error}") from None
        if type(answer) is not tuple or answer[:2] != (kind, number):
            raise _Ended("flood", "what came back from the kernel answers something else")
        return answer[2:]

    def _read(self, size: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < size:
            self._wait(select.POLLIN, deadline)
            try:
                part = self._socket.recv(min(size - len(found), 2**20))
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if not part:
                raise _Ended("dead", self._cause())
            found += part
        return bytes(found)

    def _write(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            self._wait(select.POLLOUT, deadline)
            with suppress(BlockingIOError):
                left = left[self._socket.send(left[: 2**16]) :]

    def _wait(self, event: int, deadline: float) -> None:
        while (left := deadline - time.monotonic()) > 0:
            if _is_ready(self._socket, event, min(left, _LOOK)):
                return
            self._look()
        raise TimeoutError

    def _look(self) -> None:
        if words := self._trouble():
            raise _Ended("dead", words)

    def _trouble(self) -> str:
        """Why the kernel cannot go on, or ""."""
        if not self.alive:
            return self._why
        if hasattr(self, "_process") and not sandboxes.is_alive(self._process):
            return self._cause()
        if self._bounded and (words := _too_much(self._started.members(), self._limits)):
            self._give_up(words)
            return words
        return ""

    def _cause(self) -> str:
        """In words, how the process ended."""
        with suppress(subprocess.TimeoutExpired):
            self._started.process.wait(0.5)
        code = self._started.process.returncode or 0  # 128 and the number of the signal
        return _CAUSES.get(code - 128, "the process that runs the cells ended")

    def _give_up(self, words: str) -> None:
        if self.alive:
            self.alive, self._why = False, words
            self._started.end()


_CAUSES = {
    signal.SIGSEGV: "the process that runs the cells crashed (segmentation fault)",
    signal.SIGABRT: "the process that runs the cells crashed (abort)",
    signal.SIGXCPU: "the process that runs the cells used up its processor time",
    signal.SIGBUS: "the process that runs the cells crashed (bus error)",
}


def _is_ready(end: socket.socket, event: int, seconds: float) -> bool:
    waiting = select.poll()
    waiting.register(end, event)
    return bool(waiting.poll(1000 * seconds))


def _too_much(processes: list[psutil.Process], limits: Limits) -> str:
    """Which limit all processes together have passed, in words, or ""."""
    if len(processes) > 2 * limits.processes:
        return f"it started more than {2 * limits.processes} processes"
    most = 2 * limits.memory
    if _sum(processes, lambda one: one.memory_info().rss) <= most:
        return ""
    # What forks share was counted once for each; to count it once takes longer.
    if _sum(processes, lambda one: one.memory_full_info().pss) <= most:
        return ""
    return f"its processes took more than {most / 2**30:.3g} GB of memory together"


def _sum(processes: list[psutil.Process], size: Callable[[psutil.Process], int]) -> int:
    total = 0
    for one in processes:
        with suppress(psutil.Error, OSError):
            total += size(one)
    return total


def _said(fd: int) -> str:
    """The last line that the process wrote before it ended."""
    os.set_blocking(fd, False)
    with suppress(OSError):
        lines = os.read(fd, 65536).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:500] if lines else ""
    return ""
