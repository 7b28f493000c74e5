"""Warm processes that run one unit of work after the other, and end with the batch.

Workers are forked from one process, the stem, that has done nothing but import what the work needs.
A batch never forks itself: it has threads. Each worker has a session of its own and holds the
reading end of a pipe whose other end only the batch has. Where that closes, because the batch is
done, was interrupted or was killed by SIGKILL, the worker kills its children and itself.
(PR_SET_PDEATHSIG would do this on Linux alone; the pipe does it on macOS too.)
"""

import importlib
import json
import os
import pickle
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import psutil

# Measured on two busy cores: PyTorch and our checks are imported in 3 s and take 150 MB of each
# process that imports them; a worker forked from a stem that has them is there in 0.05 s and has
# 12 MB of its own. macOS's own libraries do not bear a fork: there each worker imports by itself.
FORKED_WARM = sys.platform != "darwin"
START_SECONDS = 120
# One thread each: the cores are for the workers, and a process with threads must not be forked.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_BOOT = """import json, sys
path, job, control, scratch = json.loads(sys.argv[1])
sys.path[:] = path
from autograder import workers
workers.stem(workers.Job(*job), control, scratch)"""
_MESSAGE = struct.Struct("!ci")


@dataclass(frozen=True)
class Failure:
    """Why a unit has no result; `trace` is for a log, where `work` raised."""

    words: str
    trace: str = ""


@dataclass(frozen=True)
class Job:
    """What a worker imports, and the function that it calls with each unit."""

    module: str
    function: str
    modules: tuple[str, ...] = ()

    def loaded(self) -> Callable[[Any], Any]:
        """Import all of it."""
        for name in self.modules:
            importlib.import_module(name)
        return getattr(importlib.import_module(self.module), self.function)


@dataclass(frozen=True)
class Died:
    how: str


class Bench:
    """Warm workers: one for each thread that runs a unit at the same time."""

    def __init__(self, job: Job, seconds: float | None) -> None:
        self.job, self.seconds = job, seconds
        self._lock = threading.Lock()
        self._stem: _Stem | None = None
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._scratch = ""
        self._ended = False

    def run(self, unit: bytes) -> Any:
        """Run a pickled unit; its result, a Failure, or how its worker died.

        Raises: RuntimeError where no worker can be started.
        """
        worker = self._taken()
        try:
            return worker.run(unit, self.seconds)
        finally:
            self._given_back(worker)

    def end(self) -> None:
        """Kill all workers and what they started."""
        with self._lock:
            self._ended = True
            self._dismiss(list(self._workers))

    def rest(self) -> None:
        """Kill the workers that have nothing to do; with the next unit others are started."""
        with self._lock:
            self._dismiss(list(self._idle))

    def _dismiss(self, workers: list["_Worker"]) -> None:
        for worker in workers:
            worker.kill()
            self._workers.remove(worker)
        self._idle = []
        if self._stem and not self._workers:
            self._stem.close()
            self._stem = None
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = ""

    def _taken(self) -> "_Worker":
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._ended:
                raise RuntimeError("the batch is over")
            if self._stem is None or not self._stem.alive():
                self._scratch = self._scratch or tempfile.mkdtemp(prefix="autograder-")
                self._stem = _Stem(self.job, self._scratch)
            worker = _Worker(self._stem)
            self._workers.append(worker)
            return worker

    def _given_back(self, worker: "_Worker") -> None:
        with self._lock:
            if worker.alive:
                self._idle.append(worker)
            elif worker in self._workers:
                self._workers.remove(worker)


class _Stem:
    """The process from which workers are forked; it forks one, or reaps one, when asked to."""

    def __init__(self, job: Job, scratch: str) -> None:
        self._lock = threading.Lock()
        self._control, far = socket.socketpair()
        self._control.settimeout(START_SECONDS)
        path = [folder or os.getcwd() for folder in sys.path]
        told = json.dumps([path, [job.module, job.function, job.modules], far.fileno(), scratch])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, told],
            stdin=subprocess.DEVNULL,
            stdout=2,  # what a worker prints is no part of what the command prints
            pass_fds=[far.fileno()],
            env=os.environ | dict.fromkeys(_THREADS, "1") | {"TMPDIR": scratch},
            start_new_session=True,
        )
        far.close()

    def fork(self, *descriptors: int) -> int:
        """Start a worker that is handed `descriptors`; its process id."""
        return self._asked(b"F", 0, descriptors)

    def reaped(self, pid: int) -> int:
        """Wait for the end of a worker that was killed or is dead; its status as of os.waitpid."""
        return self._asked(b"W", pid, ())

    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End it, once its workers are dead."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _asked(self, what: bytes, pid: int, descriptors: Sequence[int]) -> int:
        with self._lock:
            try:
                socket.send_fds(self._control, [_MESSAGE.pack(what, pid)], descriptors)
                answer = self._control.recv(_MESSAGE.size)
            except TimeoutError:
                self._process.kill()  # its answer may come later, and be taken for another's
                raise
        if not answer:
            raise ConnectionError("the process that starts workers is gone")
        return _MESSAGE.unpack(answer)[1]


class _Worker:
    """A forked process that runs one unit after the other."""

    def __init__(self, stem: _Stem) -> None:
        self.alive = True
        self._stem = stem
        self._ready = False
        self._lock = threading.Lock()
        self._link, far = Pipe()
        lifeline, self._lifeline = os.pipe()
        try:
            self._pid = stem.fork(far.fileno(), lifeline)
        except OSError as error:
            raise RuntimeError(f"no worker process can be started: {error}") from error
        finally:
            far.close()
            os.close(lifeline)

    def run(self, unit: bytes, seconds: float | None) -> Any:
        """Run a pickled unit; its result, a Failure, or how this worker died.

        Raises: RuntimeError where it cannot import what it needs.
        """
        if not self._ready:
            if self._asked(None, START_SECONDS) is not None:
                return Died("its worker process did not start")
            self._ready = True
        return self._asked(unit, seconds)

    def kill(self) -> str:
        """End it and all that it started; how it ended (which may be before this)."""
        with self._lock:
            if not self.alive:
                return ""
            self.alive = False
            _kill_family(self._pid)
            os.close(self._lifeline)
            try:
                return _ending(self._stem.reaped(self._pid))
            except OSError:
                return "its process died"

    def _asked(self, message: bytes | None, seconds: float | None) -> Any:
        """Send, and wait for the answer; past `seconds` the worker is killed, wherever that is."""
        late = threading.Event()
        watch = threading.Timer(seconds or 0, lambda: (late.set(), self.kill()))
        watch.daemon = True
        if seconds is not None:
            watch.start()
        try:
            if message is not None:
                self._link.send_bytes(message)
            answer = self._link.recv()
        except (EOFError, OSError):
            how = self.kill()
            answer = Died(how)
        finally:
            watch.cancel()
            if seconds is not None:
                watch.join()
        if late.is_set():
            return Failure(f"it took more than {seconds:g} s and was stopped")
        if isinstance(answer, _Refused):
            self.kill()
            raise RuntimeError(answer.words)
        return answer


@dataclass(frozen=True)
class _Refused:
    words: str


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"its process ended itself with exit status {code}"
    memory = " (the system does so where memory runs out)" if code == -signal.SIGKILL else ""
    return f"its process was ended by {signal.Signals(-code).name}{memory}"


def _kill_family(leader: int) -> None:
    """Kill a worker, all that descends from it, and what is left of its process group.

    What a dead worker left behind in a session of its own is not found: a sandbox ends with the
    process that started it by itself.
    """
    with suppress(psutil.Error):
        worker = psutil.Process(leader)
        if leader != os.getpid():
            worker.suspend()  # or it starts others while its children are counted
        for child in worker.children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    for kill in (os.killpg, os.kill):  # a worker just forked has no group yet
        with suppress(ProcessLookupError, PermissionError):
            kill(leader, signal.SIGKILL)


def stem(job: Job, control: int, scratch: str) -> None:
    """The stem's life: import, then fork and reap as asked, until the batch is gone."""
    os.set_inheritable(control, False)
    batch = socket.socket(fileno=control)
    if FORKED_WARM:
        with suppress(Exception):  # a worker says it, in words
            job.loaded()
    while True:
        message, descriptors, *_ = socket.recv_fds(batch, _MESSAGE.size, 2)
        if not message:
            return
        what, pid = _MESSAGE.unpack(message)
        if what == b"F":
            answer = _forked(job, scratch, batch, descriptors)
        else:
            answer = os.waitpid(pid, 0)[1]
        batch.sendall(_MESSAGE.pack(what, answer))


def _forked(job: Job, scratch: str, batch: socket.socket, descriptors: Sequence[int]) -> int:
    pid = os.fork()
    if pid:
        for descriptor in descriptors:
            os.close(descriptor)
        return pid
    try:
        batch.close()
        _serve(job, scratch, *descriptors)
    finally:
        os._exit(1)


def _serve(job: Job, scratch: str, link: int, lifeline: int) -> None:
    """A worker's life: run what comes over `link` until `lifeline` closes."""
    os.setsid()
    for descriptor in (link, lifeline):
        os.set_inheritable(descriptor, False)  # a child that held one would hide a death
    threading.Thread(target=_end_with_batch, args=(lifeline, scratch), daemon=True).start()
    batch, home = Connection(link), os.getcwd()
    try:
        work = job.loaded()
    except Exception as error:
        words = f"a worker cannot import {job.module}.{job.function}: {told(error)}"
        return batch.send(_Refused(words))
    batch.send(None)
    while True:
        unit = batch.recv_bytes()
        os.chdir(home)
        batch.send_bytes(_worked(work, unit))


def _end_with_batch(lifeline: int, scratch: str) -> None:
    os.read(lifeline, 1)
    shutil.rmtree(scratch, ignore_errors=True)
    _kill_family(os.getpid())


def _worked(work: Callable, unit: bytes) -> bytes:
    try:
        return pickle.dumps(work(pickle.loads(unit)))
    except BaseException as error:
        return pickle.dumps(Failure(told(error), traceback.format_exc()))


def told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
