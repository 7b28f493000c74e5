"""The side where the student's functions run: takes requests, calls, answers. It judges nothing.

A request is the bytes of `(function, calls)` with calls a list of `(args, keep)`, keep a tuple of
`(position, number)`: that result stays here under that number (0: it stays and is forgotten). Each
call is answered by the bytes of `("value", value, mutated)` or
`("error", kind, message, line, text, mutated)`; mutated lists the arguments that the call changed.
Three functions are always there. READ returns its argument, and so shows what is kept as it is now.
COUNT takes the name of a function, None and its arguments, and returns how many lines of the
student's code were run: what a loop costs, and no clock that a busy machine could upset. GRAD takes
the name of a function, `(dout, wanted, result)` and its arguments, and returns what the function
returns and the gradients that autograd brings back through it: see `built.gradients`.

Arguments are plain data and torch's tensors; a recipe among them (`built.module(...)`,
`built.table_step(...)`) is replaced by what is made from it.
"""

import linecache
import logging
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

from cs_caption.checks import built, wire

# No function of a student can have these names.
READ = "what is kept"
COUNT = "how many lines"
GRAD = "the gradients"
READY = wire.dumps("ready")


class FarSide:
    """The functions by name, and the results that were kept here.

    Exceptions of a function are answers, all but those in `let_through`.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable],
        let_through: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._functions = functions
        self._let_through = let_through
        self._kept: dict[int, Any] = {}

    def answer(self, request: bytes) -> Iterator[bytes]:
        """Yield the answer to each call of a request, as it comes."""
        function, calls = wire.loads(request)
        with quiet():
            for args, keep in calls:
                yield self._called(function, args, keep)

    def _called(self, name: str, args: tuple, keep: tuple) -> bytes:
        own = {READ: _itself, COUNT: self._lines, GRAD: self._gradients}
        function = own.get(name) or self._functions.get(name)
        about = self._functions.get(args[0]) if name in (COUNT, GRAD) else function
        before, given = [], list(args)
        try:
            given = [self._resolved(arg) for arg in args]
            before = [_seen(*pair) for pair in zip(args, given, strict=True)]
            reply = ("value", self._value(function, name, given, keep))
        except self._let_through:
            raise
        except BaseException as error:
            reply = ("error", *_told(error, about))
        try:
            pairs = zip(args, given, before, strict=False)
            mutated = tuple(i for i, (*pair, was) in enumerate(pairs) if _seen(*pair) != was)
            return wire.dumps((*reply, mutated))
        except wire.WireError as error:
            reply = ("error", "ValueError", f"too large to look at: {error}", 0, "")
            return wire.dumps((*reply, ()))

    def _value(self, function: Callable | None, name: str, given: list, keep: tuple) -> Any:
        if function is None:
            raise NameError(f"{name} is not defined")
        value = function(*given)
        if type(value) not in (tuple, list) or any(at >= len(value) for at, _ in keep):
            return value
        items = list(value)
        for at, number in keep:
            if number:
                self._kept[number] = items[at]
            items[at] = wire.Handle(number)
        return type(value)(items)

    def _gradients(self, name: str, how: tuple, *args: Any) -> tuple[Any, list]:
        dout, wanted, result = how
        return built.gradients(self._named(name), args, wanted, dout, result)

    def _lines(self, name: str, how: None, *args: Any) -> int:
        """How many lines of the function's own namespace are run when it is called."""
        function = self._named(name)
        space, lines = getattr(function, "__globals__", None), 0

        def trace(frame: types.FrameType, event: str, arg: Any) -> Any:
            nonlocal lines
            lines += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(lambda frame, event, arg: trace if frame.f_globals is space else None)
        try:
            function(*args)
        finally:
            sys.settrace(before)
        return lines

    def _named(self, name: str) -> Callable:
        if self._functions.get(name) is None:
            raise NameError(f"{name} is not defined")
        return self._functions[name]

    def _resolved(self, arg: Any) -> Any:
        if type(arg) is wire.Handle:
            return self._kept[arg.number]
        if type(arg) is wire.Recipe:
            return built.make(arg)
        if not _holds_another(arg):
            return arg  # itself, so that a change to it is seen
        if type(arg) in (list, tuple):
            return type(arg)(self._resolved(item) for item in arg)
        if type(arg) is dict:
            return {key: self._resolved(item) for key, item in arg.items()}
        return arg


def serve(read_fd: int, write_fd: int, functions: Mapping[str, Callable]) -> None:
    """Answer requests until the other end closes; nothing that is called can stop it politely."""
    far = FarSide(functions)

    def read(size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            part = os.read(read_fd, min(size - len(found), 2**20))
            if not part:
                raise EOFError
            found += part
        return bytes(found)

    def write(data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(write_fd, left) :]

    wire.write_frame(write, READY)
    while True:
        try:
            request = wire.read_frame(read)
        except EOFError:
            return
        for answer in far.answer(request):
            wire.write_frame(write, answer)


def _itself(value: Any) -> Any:
    return value


def _seen(arg: Any, given: Any) -> bytes:
    """What an argument is now: of one that was made from a recipe, what became of it."""
    return wire.dumps(built.plain(given) if type(arg) is wire.Recipe else arg)


def _holds_another(arg: Any) -> bool:
    """Whether something in it stands for something else."""
    if type(arg) in (list, tuple):
        return any(map(_holds_another, arg))
    if type(arg) is dict:
        return any(map(_holds_another, arg.values()))
    return type(arg) in (wire.Handle, wire.Recipe)


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what is printed, warned and logged: nbgrader gives no points for anything on stderr."""
    level = logging.root.manager.disable
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)


def _told(error: BaseException, function: Callable | None) -> tuple[str, str, int, str]:
    """The exception's type, its message and the line of the student's code, cut to a few words."""
    try:
        message = str(error).strip()
    except Exception:
        message = "(its message cannot be read)"
    if isinstance(error, NotImplementedError) and not message:
        message = _stub(error.__traceback__, function)
    line, text = _place(error.__traceback__, function)
    return str(type(error).__name__)[:80], message[:300], line, text[:120]


def _stub(trace: types.TracebackType | None, function: Callable | None) -> str:
    """The name of the stub that raised, where it is another that the function calls."""
    code = None
    while trace is not None:
        code, trace = trace.tb_frame.f_code, trace.tb_next
    own = getattr(function, "__code__", None)
    return "" if code is None or code is own else code.co_name


def _place(trace: types.TracebackType | None, function: Callable | None) -> tuple[int, str]:
    """The innermost line in the file (or cell) where the function is written."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    found = (0, "")
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            found = (trace.tb_lineno, linecache.getline(file, trace.tb_lineno).strip())
        trace = trace.tb_next
    return found
