"""Plain data as bytes, and back: what crosses between a check and the function it checks.

None, bool, int, float, str (NumPy's too, which arrives as str), bytes, list, tuple, dict, NumPy
arrays and scalars of the common number types (with strides and the read-only flag), torch's tensors
of bool, int64, float32 and float64 on the CPU (with strides, without their past: no gradient and no
requires_grad crosses), handles and recipes. Everything else crosses as `Foreign`, by the name of
its type alone: no object of one side ever acts on the other. Never a pickle.

    dumps(value) -> bytes             loads(data) -> value
    write_frame(write, payload)       read_frame(read) -> payload

A value is a tag (one byte) and its contents; counts and sizes are 8-byte little-endian. The bytes
may come from somebody who means harm: every count is compared with the bytes that are there, and
every sum with a limit, before anything of that size is made. torch is imported when the first
tensor arrives, never before.
"""

import struct
import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_BYTES = 64 * 2**20
MOST_ITEMS = 200_000
MOST_TENSORS = 10_000  # one takes ten times the memory of a plain item
MOST_KEYS = 2_000  # of keys that all collide, 20,000 would take seconds
MOST_DEPTH = 24
MOST_DIGITS = 512  # bytes of a whole number

_MAGIC = b"cscw"
_DTYPES = (
    *(np.dtype(code) for code in "?bBhHiIqQ"),
    *(np.dtype(code) for code in ("f2", "f4", "f8", "c8", "c16")),
)
_CODE = {dtype.str: i for i, dtype in enumerate(_DTYPES)}
# Two types share a size: on some systems np.int64 is the type of "l", on others of "q".
_SCALARS = {kind for dtype in _DTYPES for kind in (dtype.type, np.dtype(dtype.str).type)}
_TENSOR_DTYPES = {np.dtype(kind) for kind in (np.bool_, np.int64, np.float32, np.float64)}
_DICTS = (dict, OrderedDict, Counter, defaultdict)  # all arrive as a dict
_KEY_TYPES = (type(None), bool, int, float, str, bytes)


class WireError(ValueError):
    """What arrived is no value of this format, or too large."""


@dataclass(frozen=True)
class Handle:
    """A value that stays where the function runs; only its number crosses."""

    number: int


@dataclass(frozen=True)
class Recipe:
    """What a thing is made from where the function runs (see `built`): plain data, and no more.

    Whoever reads it makes nothing: only the far side does, and only from what a check has sent.
    """

    kind: str
    contents: Any


@dataclass(frozen=True)
class Foreign:
    """A value that does not cross, by the name of its type."""

    kind: str


def dumps(value: Any) -> bytes:
    """Return the bytes of a value; what is not plain data becomes `Foreign`.

    Raises: WireError where the whole is larger than the limits.
    """
    writer = _Writer()
    writer.value(value, 0)
    return b"".join(writer.parts)


def loads(data: bytes) -> Any:
    """Return the value of these bytes, made only of plain data, tensors, `Handle`, `Recipe` and
    `Foreign`.

    Raises: WireError for anything else, before memory is spent on it.
    """
    reader = _Reader(data)
    try:
        value = reader.value(0)
    except WireError:
        raise
    except (struct.error, ValueError, OverflowError, TypeError, MemoryError) as error:
        raise WireError(f"damaged data: {error}") from None
    if reader.at != len(data):
        raise WireError(f"{len(data) - reader.at} bytes too many")
    return value


def write_frame(write: Callable[[bytes], Any], payload: bytes) -> None:
    """Send one message: a magic word, its length, its bytes."""
    write(_MAGIC + struct.pack("<Q", len(payload)))
    write(payload)


def read_frame(read: Callable[[int], bytes], most: int = MOST_BYTES) -> bytes:
    """Receive one message; `read(n)` must return n bytes or raise EOFError.

    Raises: WireError where this is no message, or a larger one than `most` bytes.
    """
    head = read(12)
    if head[:4] != _MAGIC:
        raise WireError(f"no message: it starts with {head[:4]!r}")
    size = struct.unpack("<Q", head[4:])[0]
    if size > most:
        raise WireError(f"a message of {size} bytes: at most {most}")
    return read(size)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._bytes = 0
        self._items = 0

    def value(self, value: Any, depth: int) -> None:
        self._items += 1
        kind = type(value)  # exactly: a subclass may lie about itself
        if depth > MOST_DEPTH or self._items > MOST_ITEMS:
            raise WireError(f"more than {MOST_ITEMS} items, or nested more than {MOST_DEPTH} deep")
        if value is None or kind is bool:
            self._put({None: b"n", True: b"t", False: b"f"}[value])
        elif kind is int and value.bit_length() < 8 * MOST_DIGITS:
            size = value.bit_length() // 8 + 1
            self._sized(b"i", value.to_bytes(size, "little", signed=True))
        elif kind is float:
            self._put(b"d" + struct.pack("<d", value))
        elif kind in (str, np.str_):
            self._sized(b"s", value.encode("utf-8", "surrogatepass"))
        elif kind is bytes:
            self._sized(b"b", value)
        elif kind is Handle:
            self._put(b"h" + struct.pack("<Q", value.number))
        elif kind is Recipe and type(value.kind) is str:
            self._put(b"r")
            self.value((value.kind, value.contents), depth)
        elif kind in (list, tuple):
            self._put((b"l" if kind is list else b"u") + struct.pack("<Q", len(value)))
            for item in value:
                self.value(item, depth + 1)
        elif kind in _DICTS and len(value) <= MOST_KEYS and all(map(_is_key, value)):
            self._put(b"m" + struct.pack("<Q", len(value)))
            for key, item in value.items():
                self.value(key, depth + 1)
                self.value(item, depth + 1)
        elif kind is np.ndarray and value.dtype.str in _CODE and value.ndim <= MOST_DEPTH:
            self._array(b"a", value)
        elif (array := _numbers(value)) is not None:
            self._items += MOST_ITEMS // MOST_TENSORS
            self._array(b"x", array)
        elif kind in _SCALARS:
            self._put(b"g" + bytes([_CODE[value.dtype.str]]) + value.tobytes())
        else:
            self._foreign(value)

    def _array(self, tag: bytes, array: np.ndarray) -> None:
        plain = array.size == 0 or array.flags.c_contiguous
        strides = np.empty(array.shape, array.dtype).strides if plain else array.strides
        writable = b"w" if array.flags.writeable else b"r"
        self._put(tag + bytes([_CODE[array.dtype.str], array.ndim]) + writable)
        self._put(struct.pack(f"<{2 * array.ndim}q", *array.shape, *strides))
        self._sized(b"", array.tobytes())

    def _foreign(self, value: Any) -> None:
        name = value.kind if type(value) is Foreign else foreign_name(value)
        self._sized(b"o", name[:200].encode("utf-8", "replace"))

    def _sized(self, tag: bytes, contents: bytes) -> None:
        self._put(tag + struct.pack("<Q", len(contents)))
        self._put(contents)

    def _put(self, part: bytes) -> None:
        self._bytes += len(part)
        if self._bytes > MOST_BYTES:
            raise WireError(f"more than {MOST_BYTES} bytes in one message")
        self.parts.append(part)


def foreign_name(value: Any) -> str:
    """Name the type of a value that does not cross, in words for a message."""
    kind = type(value)
    if isinstance(value, np.ndarray):
        return f"{kind.__name__} of {value.dtype}"
    if kind in _tensor_kinds():
        return _tensor_name(value)
    if kind is int:
        return "int too large to send"
    return str(kind.__name__)


def _tensor_kinds() -> tuple[type, ...]:
    """The types whose values are tensors, if torch has been imported."""
    torch = sys.modules.get("torch")
    kinds = getattr(torch, "Tensor", None), getattr(getattr(torch, "nn", None), "Parameter", None)
    return tuple(kind for kind in kinds if isinstance(kind, type))


def _numbers(value: Any) -> np.ndarray | None:
    """The numbers of a tensor that crosses, strides and all; None for everything else."""
    if type(value) not in _tensor_kinds():
        return None
    try:
        array = value.detach().resolve_neg().numpy()
    except (RuntimeError, TypeError):  # elsewhere than on the CPU, sparse, of bfloat16 ...
        return None
    return array if array.dtype in _TENSOR_DTYPES and array.ndim <= MOST_DEPTH else None


def _tensor_name(tensor: Any) -> str:
    name, dtype = type(tensor).__name__, str(tensor.dtype).removeprefix("torch.")
    layout = str(tensor.layout).removeprefix("torch.")
    if tensor.device.type != "cpu":
        return f"{name} of {dtype} on {tensor.device}"
    return f"{name} of {dtype}" + ("" if layout == "strided" else f", {layout}")


def _is_key(key: Any) -> bool:
    return type(key) in _KEY_TYPES or (type(key) is tuple and all(map(_is_key, key)))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self._items = 0
        self._made = 0

    def value(self, depth: int) -> Any:
        self._items += 1
        if depth > MOST_DEPTH or self._items > MOST_ITEMS:
            raise WireError(f"more than {MOST_ITEMS} items, or nested more than {MOST_DEPTH} deep")
        tag = self._take(1)
        read = _READ.get(tag)
        if read is None:
            raise WireError(f"an unknown tag {tag!r}")
        return read(self, depth)

    def integer(self, _: int) -> int:
        size = self._count()
        if size > MOST_DIGITS:
            raise WireError(f"a whole number of {size} bytes")
        return int.from_bytes(self._take(size), "little", signed=True)

    def number(self, _: int) -> float:
        return struct.unpack("<d", self._take(8))[0]

    def string(self, _: int) -> str:
        text = self._take(self._count()).decode("utf-8", "surrogatepass")
        # No half characters: what a student says goes into files, which cannot hold them.
        return text.encode("utf-8", "replace").decode("utf-8")

    def raw(self, _: int) -> bytes:
        return self._take(self._count())

    def handle(self, _: int) -> Handle:
        return Handle(struct.unpack("<Q", self._take(8))[0])

    def recipe(self, depth: int) -> Recipe:
        match self.value(depth + 1):
            case (str(kind), contents):
                return Recipe(kind, contents)
        raise WireError("a recipe without a name")

    def foreign(self, _: int) -> Foreign:
        return Foreign(self.string(0)[:200])

    def sequence(self, depth: int) -> list:
        return [self.value(depth + 1) for _ in range(self._count())]

    def mapping(self, depth: int) -> dict:
        count = self._count()
        if count > MOST_KEYS:
            raise WireError(f"a dict of {count} keys: at most {MOST_KEYS}")
        found = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if not _is_key(key):
                raise WireError(f"a dict key of type {type(key).__name__}")
            found[key] = self.value(depth + 1)
        return found

    def scalar(self, _: int) -> np.generic:
        dtype = self._dtype()
        return np.frombuffer(self._take(dtype.itemsize), dtype)[0]

    def array(self, _: int) -> np.ndarray:
        dtype, ndim, writable = self._dtype(), self._take(1)[0], self._take(1) == b"w"
        if ndim > MOST_DEPTH:
            raise WireError(f"an array of {ndim} axes")
        layout = struct.unpack(f"<{2 * ndim}q", self._take(16 * ndim))
        shape, strides = layout[:ndim], layout[ndim:]
        data = self._take(self._count())
        size = _product(shape)
        if size * dtype.itemsize != len(data):
            raise WireError(f"{len(data)} bytes for an array of shape {shape} and type {dtype}")
        array = self._laid_out(np.frombuffer(data, dtype), shape, strides)
        array.flags.writeable = writable
        return array

    def tensor(self, depth: int) -> Any:
        self._items += MOST_ITEMS // MOST_TENSORS
        array = self.array(depth)
        if array.dtype not in _TENSOR_DTYPES or not array.flags.writeable:
            raise WireError(f"no tensor: {array.dtype}, or read-only")
        try:
            from torch import from_numpy
        except (ImportError, OSError):
            raise WireError("a tensor, and torch is not installed here") from None
        try:
            return from_numpy(array)
        except (RuntimeError, ValueError, TypeError) as error:
            raise WireError(
                f"no tensor of shape {array.shape} and strides {array.strides}: {error}"
            ) from None

    def _laid_out(self, flat: np.ndarray, shape: tuple, strides: tuple) -> np.ndarray:
        """The values in memory laid out as they were where they came from."""
        if flat.size == 0:
            return np.zeros(shape, flat.dtype)
        reach = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True)]
        before = -sum(step for step in reach if step < 0)
        span = before + sum(step for step in reach if step > 0) + flat.itemsize
        self._made += span
        if self._made > MOST_BYTES:
            raise WireError(f"arrays spread over {self._made} bytes")
        try:
            array = np.ndarray(shape, flat.dtype, np.zeros(span, np.uint8), before, strides)
        except ValueError as error:
            raise WireError(f"an array of shape {shape} and strides {strides}: {error}") from None
        array[...] = flat.reshape(shape)
        if flat.dtype == bool:  # a byte that is neither 0 nor 1 is no truth value
            array[...] = flat.view(np.uint8).reshape(shape) != 0
        return array

    def _dtype(self) -> np.dtype:
        code = self._take(1)[0]
        if code >= len(_DTYPES):
            raise WireError(f"an unknown number type {code}")
        return _DTYPES[code]

    def _count(self) -> int:
        return struct.unpack("<Q", self._take(8))[0]

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self.at:
            raise WireError(f"{size} bytes expected, {len(self._data) - self.at} left")
        self.at += size
        return self._data[self.at - size : self.at]


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        if n < 0:
            raise WireError(f"a negative axis in the shape {shape}")
        size *= n
    return size


_READ: dict[bytes, Callable[[_Reader, int], Any]] = {
    b"n": lambda *_: None,
    b"t": lambda *_: True,
    b"f": lambda *_: False,
    b"i": _Reader.integer,
    b"d": _Reader.number,
    b"s": _Reader.string,
    b"b": _Reader.raw,
    b"h": _Reader.handle,
    b"o": _Reader.foreign,
    b"l": _Reader.sequence,
    b"u": lambda reader, depth: tuple(reader.sequence(depth)),
    b"m": _Reader.mapping,
    b"g": _Reader.scalar,
    b"a": _Reader.array,
    b"x": _Reader.tensor,
    b"r": _Reader.recipe,
}
