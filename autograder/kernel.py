"""The kernel that runs a student's cells, in the sandbox: an IPython shell and one socket.

It is told, and answers with the number of the order, in plain data (cs_caption.checks.wire):

    ("files", n, {name: bytes})   writes files into the home folder           ("written", n)
    ("run", n, source)            runs a cell                     ("ran", n, ended, outputs)
    ("serve", n, {name: name})    serves functions on the socket that follows  ("served", n)

What a cell shows is bounded here, while it is shown. A served function runs in a fork of this
process, which is all that an endless loop or a crash in a check can take with it. Nothing that is
said here is believed on the other side.
"""

import asyncio
import base64
import builtins
import io
import os
import resource
import signal
import socket
import sys
import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from cs_caption.checks import farside, wire

TEXT = 64_000  # characters of stdout, and of stderr
PICTURES = 2_000_000  # characters of base64
RICH = 512_000  # characters of everything else that is displayed
OUTPUTS = 200

_PICTURES = ("image/png", "image/jpeg")
_TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml")
_NO_INPUT = "input() waits for somebody to type, and nobody is there while a notebook is graded"


class Shown:
    """What one cell has shown so far."""

    def __init__(self) -> None:
        self._outputs: list[dict] = []
        self._room = {"stdout": TEXT, "stderr": TEXT, "pictures": PICTURES, "rich": RICH}
        self._clear_next = False

    def stream(self, name: str, text: str) -> None:
        """Add text that was printed, as long as there is room."""
        room = self._room[name]
        if room < 0 or not text:
            return
        self._room[name] -= len(text)
        if len(text) > room:
            self._room[name] = -1
            text = f"{text[:room]}\n[cut here: the first {TEXT} characters of {name} are kept]\n"
        last = self._outputs[-1] if self._outputs else {}
        if last.get("name") == name and not self._clear_next:
            last["text"].append(text)
        else:
            self._add({"output_type": "stream", "name": name, "text": [text]})

    def data(self, kind: str, bundle: dict) -> None:
        """Add what was displayed, in the forms that there is room for."""
        data = {}
        for form in (*_TEXTS, *_PICTURES):
            if form in bundle:
                value = bundle[form]
                if type(value) is bytes:
                    value = base64.b64encode(value).decode()
                self._fit(data, form, value)
        if data:
            self._add({"output_type": kind, "data": data})

    def error(self, name: str, message: str, lines: list[str]) -> None:
        """Add an exception; of a long one its end is kept, where the cause is."""
        text = "\n".join(lines)[-TEXT:]
        self._outputs.append(
            {
                "output_type": "error",
                "ename": name[:200],
                "evalue": message[:4000],
                "traceback": [text],
            }
        )

    def clear(self, wait: bool) -> None:
        """Forget what was shown, now or when the next thing is shown."""
        self._clear_next = wait
        if not wait:
            self._outputs.clear()

    def outputs(self) -> list[dict]:
        """All of it, as plain data."""
        return [
            {**one, "text": "".join(one["text"])} if one["output_type"] == "stream" else one
            for one in self._outputs
        ]

    def _fit(self, data: dict, form: str, value: Any) -> None:
        room = "pictures" if form in _PICTURES else "rich"
        if type(value) is not str:
            return
        if len(value) > self._room[room]:
            if form != "text/plain":
                return
            value = f"{value[: min(self._room[room], TEXT)]} [cut here]"
        self._room[room] = max(0, self._room[room] - len(value))
        data[form] = value

    def _add(self, output: dict) -> None:
        if self._clear_next:
            self.clear(False)
        if len(self._outputs) < OUTPUTS:
            self._outputs.append(output)


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a cell; a subprocess that is given it writes to nowhere."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, fd: int) -> None:
        self._name, self._fd = name, fd
        self.shown: Shown | None = None

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.shown is not None:  # else a thread that goes on after its cell
            self.shown.stream(self._name, str(text))
        return len(text)


class _Publisher(DisplayPublisher):
    def publish(self, data: dict, metadata: Any = None, **_: Any) -> None:
        self.shell.shown.data("display_data", data)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.shown.clear(wait)


class _Result(DisplayHook):
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: Any = None) -> None:
        self.shell.shown.data("execute_result", format_dict)

    def finish_displayhook(self) -> None:
        pass


class Shell(InteractiveShell):
    """IPython without terminal, history or colours, which shows into `shown`."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Result)
    shown = Shown()

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        try:
            message = str(evalue)
        except Exception:
            message = "(its message cannot be read)"
        self.shown.error(str(etype.__name__), message, [str(line) for line in stb])

    def ask_exit(self) -> None:
        raise SystemExit("there is nothing to leave")

    def enable_gui(self, gui: Any = None) -> None:
        """There is no screen."""


def shell() -> Shell:
    """Return the shell; it knows no history, no configuration and no folder of its own."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.ignore_cwd = True
    config.InteractiveShell.autoindent = False
    return Shell.instance(config=config)


class Kernel:
    """The loop: take an order, do it, answer."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._fd = link.fileno()
        self._pid = os.getpid()
        self._shell = shell()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._streams = (_Stream("stdout", 1), _Stream("stderr", 2))

    def loop(self) -> None:
        """Go on until the socket closes."""
        self._say(("ready", 0))
        while True:
            match wire.loads(wire.read_frame(self._read)):
                case ("files", number, files):
                    for name, content in files.items():
                        path = Path(name)
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(content)
                    self._say(("written", number))
                case ("run", number, source):
                    ended, outputs = self._run(source)
                    self._say(("ran", number, ended, outputs))
                case ("serve", number, names):
                    self._serve(names)
                    self._say(("served", number))

    def _run(self, source: str) -> tuple[str, list[dict]]:
        shown = self._shell.shown = Shown()
        before = sys.stdout, sys.stderr
        for stream in self._streams:
            stream.shown = shown
        sys.stdout, sys.stderr = self._streams
        builtins.input = _no_input
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
            signal.signal(signal.SIGINT, signal.default_int_handler)
            result = self._shell.run_cell(source, store_history=True)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ended = "ok" if result.success else "error"
        except BaseException as error:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            shown.error(type(error).__name__, str(error)[:1000], [traceback.format_exc(limit=-3)])
            ended = "error"
        if os.getpid() != self._pid:  # a fork that the cell made and did not end
            os._exit(0)
        sys.settrace(None)
        sys.setprofile(None)
        for stream in self._streams:
            stream.shown = None
        sys.stdout, sys.stderr = before
        return ended, shown.outputs()

    def _serve(self, names: dict[str, str]) -> None:
        (fd,) = socket.recv_fds(self._link, 1, 1)[1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other threads of the student's are not in the fork
            child = os.fork()
        if child == 0:
            try:
                self._link.close()
                # A file would outlive this fork: a later cell could print the hidden inputs.
                resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
                sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
                space = self._shell.user_ns
                functions = {
                    name: space.get(own, partial(_undefined, own)) for name, own in names.items()
                }
                farside.serve(fd, fd, functions)
            finally:
                os._exit(0)
        os.close(fd)
        os.waitpid(child, 0)

    def _say(self, answer: tuple) -> None:
        wire.write_frame(self._link.sendall, wire.dumps(answer))

    def _read(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            part = os.read(self._fd, min(size - len(found), 2**20))
            if not part:
                raise EOFError
            found += part
        return bytes(found)


def _no_input(*_: Any) -> str:
    raise RuntimeError(_NO_INPUT)


def _undefined(name: str, *_: Any) -> None:
    raise NameError(f"{name} is not defined: is its cell written, and did it run without an error?")


def main(fd: int) -> None:
    """Be the kernel behind this socket; what is written to descriptors 1 and 2 is dropped."""
    # An installed project in editable mode puts its own folder before what is here.
    sys.meta_path[:] = [f for f in sys.meta_path if "__editable__" not in str(_home(f))]
    sys.path.append(os.getcwd())
    asyncio.set_event_loop(asyncio.new_event_loop())
    kernel = Kernel(socket.socket(fileno=fd))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    try:
        kernel.loop()
    finally:
        os._exit(1)


def _home(finder: Any) -> str:
    return getattr(finder, "__module__", None) or type(finder).__module__
