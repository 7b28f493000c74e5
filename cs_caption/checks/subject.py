"""What a check holds instead of the student's function: something to send arguments to.

    subject = LocalSubject("rnn_step_backward", {"rnn_step_backward": ..., "rnn_step_forward": ...})
    out = subject.call((x, prev_h, Wx, Wh, b), keep=(1,), function="rnn_step_forward")
    next_h, cache = out.value              # cache is a handle: the thing itself stayed over there
    grads = subject.call((dnext_h, cache)).value

`cs_caption.checks.remote` has the subject whose functions run in another process. Both send the
same bytes and read the same bytes back: a value is what it is, never an object with a will.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cs_caption.checks import wire
from cs_caption.checks.farside import COUNT, GRAD, READ, FarSide

_STEP = float(np.finfo(np.float64).eps ** (1 / 3))

IN_PLACE = "write `a = a * 2`, not `a *= 2`, and copy before you assign to entries"


class Wrong(Exception):
    """A case is failed; the message tells the student why."""


@dataclass(frozen=True)
class Outcome:
    """What a call gave: its value, and the positions of the arguments that it changed."""

    value: Any
    mutated: tuple[int, ...] = ()


class Link(Protocol):
    """A way to the functions: sends a request of `count` calls, returns that many answers."""

    def exchange(self, request: bytes, count: int) -> list[bytes]: ...

    def close(self) -> None: ...


class Subject:
    """The function under check, and those it needs, at the other end of a link."""

    def __init__(self, function: str, link: Link) -> None:
        self.function = function
        self._link = link
        self._handles = 0

    def call(
        self, args: Sequence, *, keep: Sequence[int] = (), function: str | None = None
    ) -> Outcome:
        """Call the function (or one of its needs) once; see `calls`."""
        return self.calls([args], keep=keep, function=function)[0]

    def calls(
        self,
        many: Sequence[Sequence],
        *,
        keep: Sequence[int] = (),
        leave: Sequence[int] = (),
        function: str | None = None,
    ) -> list[Outcome]:
        """Call the function once for each tuple of arguments; all cross in one message.

        Of a result that is a tuple, the positions in `keep` stay where they are and come back as
        handles, to be passed as arguments of later calls; those in `leave` are not sent at all.
        Raises: Wrong, with words for the student, where a call fails or nobody answers.
        """
        name = function or self.function
        calls = [(tuple(args), self._kept(keep, leave)) for args in many]
        answers = self._link.exchange(wire.dumps((name, calls)), len(calls))
        return [_outcome(answer, name, name == self.function) for answer in answers]

    def read(self, handle: wire.Handle) -> Any:
        """Return what is kept under a handle, as it is now.

        Raises: Wrong as `calls`.
        """
        return self.call((handle,), function=READ).value

    def lines(self, args: Sequence, *, function: str | None = None) -> int:
        """Return how many lines of the student's code one call runs: what its loops cost.

        Raises: Wrong as `calls`.
        """
        name = function or self.function
        request = wire.dumps((COUNT, [((name, None, *args), ())]))
        (answer,) = self._link.exchange(request, 1)
        return _outcome(answer, name, name == self.function).value

    def gradients(
        self,
        many: Sequence[tuple[Sequence, Any]],
        wanted: Sequence[int],
        *,
        result: int | None = None,
        function: str | None = None,
    ) -> list[Outcome]:
        """Call the function once for each (arguments, dout), and go back through it by autograd.

        Each outcome's value is (what the function returned, gradients of sum(dout * that)): one for
        each position in `wanted`, of a float tensor its own, of a `built.module` a dict with one
        for each parameter; None where autograd does not reach. `result`: of several results, which.
        Shapes: dout as the result, a tensor: torch.tensor(1.0) for one without axes; a gradient as
        its argument. Where the result has another shape, all gradients are None.
        Raises: Wrong as `calls`.
        """
        name = function or self.function
        calls = [((name, (dout, tuple(wanted), result), *args), ()) for args, dout in many]
        answers = self._link.exchange(wire.dumps((GRAD, calls)), len(calls))
        outcomes = [_outcome(answer, name, name == self.function) for answer in answers]
        return [Outcome(o.value, tuple(i - 2 for i in o.mutated if i > 1)) for o in outcomes]

    def vjp(
        self,
        args: Sequence,
        dout: np.ndarray | Sequence[np.ndarray],
        along: Sequence[tuple[int, np.ndarray]],
        *,
        result: int | Sequence[int] | None = None,
        leave: Sequence[int] = (),
        function: str | None = None,
        seen: list[Outcome] | None = None,
    ) -> np.ndarray:
        """Return, for each (i, u), the derivative of sum(dout * f) as argument i moves along u.

        f is the function's result, or entry `result` of it; of several entries, with a dout for
        each, the sums are added. Central differences: two calls each. `seen`: what they gave goes
        into an empty list; what a filled one holds is taken instead (the same moves, another dout).
        Shapes: dout as f, u as argument i; the answer has one number for each direction.
        """
        douts, parts = (dout, result) if isinstance(result, Sequence) else ([dout], [result])
        steps = [_STEP * max(1.0, float(np.max(np.abs(args[i]), initial=0.0))) for i, _ in along]
        outcomes = [] if seen is None else seen
        if not outcomes:
            moved = [
                (*args[:i], args[i] + sign * step * u, *args[i + 1 :])
                for (i, u), step in zip(along, steps, strict=True)
                for sign in (1, -1)
            ]
            outcomes += self.calls(moved, leave=leave, function=function)
        total = 0
        for dout, part in zip(douts, parts, strict=True):
            outs = [_part(outcome.value, part, np.shape(dout)) for outcome in outcomes]
            pairs = zip(outs[::2], outs[1::2], steps, strict=True)
            total += np.array([np.sum(dout * (up - down)) / (2 * step) for up, down, step in pairs])
        return total

    def close(self) -> None:
        """End the far side, and forget what was kept there."""
        self._link.close()

    def __enter__(self) -> "Subject":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _kept(self, keep: Sequence[int], leave: Sequence[int]) -> tuple[tuple[int, int], ...]:
        numbered = []
        for position in keep:
            self._handles += 1
            numbered.append((position, self._handles))
        return (*numbered, *((position, 0) for position in leave))


class LocalLink:
    """Functions in this very process: what the notebook's `check` uses."""

    def __init__(self, functions: Mapping[str, Callable]) -> None:
        self._far = FarSide(functions, let_through=(KeyboardInterrupt,))

    def exchange(self, request: bytes, count: int) -> list[bytes]:
        """Call at once, through the same bytes as everywhere."""
        return list(self._far.answer(request))

    def close(self) -> None:
        """Nothing to end."""


def LocalSubject(function: str, functions: Mapping[str, Callable]) -> Subject:
    """Return the subject whose functions are called directly."""
    return Subject(function, LocalLink(functions))


def _outcome(answer: bytes, name: str, checked: bool) -> Outcome:
    try:
        reply = wire.loads(answer)
    except wire.WireError as error:
        raise Wrong(f"what came back from {name} cannot be read: {error}") from None
    match reply:
        case ("value", value, tuple(mutated)) if all(type(i) is int for i in mutated):
            return Outcome(value, mutated)
        case ("error", str(kind), str(message), int(line), str(text), tuple()):
            raise Wrong(_error_words(name, checked, kind[:80], message[:300], line, text[:120]))
    raise Wrong(f"what came back from {name} is no answer to the question")


def _error_words(name: str, checked: bool, kind: str, message: str, line: int, text: str) -> str:
    if kind == "NotImplementedError":
        if message.isidentifier() and message != name:
            return f"{message}, which {name} calls, is not written yet"
        return f"{name} is not written yet" + ("" if checked else ": this check needs it")
    if kind == "NameError" and message.startswith(f"{name} is not defined"):
        return message
    place = f" (line {line}: `{text}`)" if text else f" (line {line})" if line else ""
    words = f"{name} stopped with {kind}: {message}{place}"
    return f"{words}; {IN_PLACE}" if "read-only" in message else words


def _part(value: Any, result: int | None, shape: tuple[int, ...]) -> np.ndarray:
    if result is not None:
        several = type(value) in (tuple, list) and len(value) > result
        value = value[result] if several else None
    if type(value) in (float, np.float64):
        value = np.array(value)
    if type(value) is not np.ndarray or value.shape != shape or value.dtype != np.float64:
        raise Wrong("what it returns changes its type or shape from call to call")
    return value
