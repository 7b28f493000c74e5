import math
import struct
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_caption.checks import wire
from cs_caption.checks.wire import Foreign, Handle, WireError, dumps, loads

KEYS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary())
PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**300), 2**300),
        st.floats(),
        st.text(),
        st.binary(),
        st.builds(Handle, st.integers(0, 2**40)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=20,
)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return a == b


@settings(max_examples=200, deadline=None)
@given(PLAIN)
def test_plain_data_comes_back_as_what_it_was(value):
    assert same(loads(dumps(value)), value)


@pytest.mark.parametrize("code", ["?", "b", "B", "h", "i4", "i8", "u8", "f2", "f4", "f8", "c16"])
@pytest.mark.parametrize(
    "view",
    [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[::2, ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: np.broadcast_to(a[:1], a.shape),
        lambda a: a[1:1],
        lambda a: a[0, 0:1].reshape(()),
        lambda a: a[..., None],
    ],
)
def test_arrays_keep_their_numbers_type_shape_strides_and_read_only_flag(code, view):
    array = view((np.arange(20).reshape(4, 5) % 7).astype(code))
    for writeable in {array.flags.writeable, False}:
        array.flags.writeable = writeable
        found = loads(dumps(array))
        assert type(found) is np.ndarray
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert found.flags.writeable == writeable
        assert np.array_equal(found, array)
        strides = zip(found.strides, array.strides, array.shape, strict=True)
        assert array.size == 0 or all(a == b for a, b, n in strides if n > 1)


def test_scalars_of_numpy_stay_scalars_of_numpy():
    for value in (np.float64(1.5), np.float32(0.1), np.int8(-3), np.bool_(True)):
        found = loads(dumps(value))
        assert type(found) is type(value)
        assert found == value


def test_nan_and_infinities_cross():
    found = loads(dumps([math.nan, math.inf, np.array([np.nan, -np.inf])]))
    assert math.isnan(found[0])
    assert found[1] == math.inf
    assert np.isnan(found[2][0])


class Liar(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class LyingList(list):
    pass


class LyingArray(np.ndarray):
    pass


class LyingScalar(np.float64):
    pass


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "object"),
        (Liar(3.0), "Liar"),
        (LyingList([1]), "LyingList"),
        (np.ones(3).view(LyingArray), "LyingArray of float64"),
        (LyingScalar(3), "LyingScalar"),
        (np.array([object()]), "ndarray of object"),
        (np.array(["text"]), "ndarray of <U4"),
        (np.ones(2, ">f8"), "ndarray of >f8"),
        (np.ma.masked_array([1.0]), "MaskedArray of float64"),
        ((i for i in range(3)), "generator"),
        (print, "builtin_function_or_method"),
        (torch.ones(3), "Tensor"),
        ({1, 2}, "set"),
        (1j, "complex"),
        (2**5000, "int too large to send"),
        ({object(): 1}, "dict"),
        (ValueError("x"), "ValueError"),
    ],
)
def test_whatever_else_there_is_crosses_by_the_name_of_its_type_alone(value, kind):
    assert loads(dumps([value])) == [Foreign(kind)]


def test_a_list_that_holds_itself_is_refused_when_it_is_sent():
    loop = []
    loop.append(loop)
    with pytest.raises(WireError, match="deep"):
        dumps(loop)


def test_what_is_too_large_is_refused_when_it_is_sent(monkeypatch):
    monkeypatch.setattr(wire, "MOST_BYTES", 1000)
    with pytest.raises(WireError, match="bytes"):
        dumps(np.zeros(200))
    monkeypatch.setattr(wire, "MOST_ITEMS", 10)
    with pytest.raises(WireError, match="items"):
        dumps([None] * 11)


def count(n):
    return struct.pack("<Q", n)


def array_bytes(shape, strides, data=b"", code=12):
    layout = struct.pack(f"<{2 * len(shape)}q", *shape, *strides)
    return b"a" + bytes([code, len(shape)]) + b"w" + layout + count(len(data)) + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"?",
        b"nn",
        b"d123",
        b"l" + count(2**60),
        b"l" + count(3) + b"n",
        b"s" + count(2**40) + b"x",
        b"s" + count(1) + b"\xff",
        b"i" + count(600) + bytes(600),
        b"m" + count(1) + b"l" + count(0) + b"n",
        b"m" + count(1) + b"a",
        b"l" + count(1) + (b"l" + count(1)) * 40 + b"n",
        array_bytes((2**40,), (8,)),
        array_bytes((-1,), (8,)),
        array_bytes((2**62, 4), (8, 8)),
        array_bytes((0, 2**62), (8, 8)),
        array_bytes((2,), (2**62,), bytes(16)),
        array_bytes((2,), (-(2**62),), bytes(16)),
        array_bytes((2, 2), (2**40, -(2**40)), bytes(32)),
        array_bytes((1,), (8,), bytes(8), code=99),
        array_bytes((1,) * 30, (8,) * 30, bytes(8)),
        b"g\x63",
    ],
)
def test_damaged_or_hostile_bytes_are_refused_before_memory_is_spent(data):
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            loads(data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_half_characters_are_replaced_where_they_arrive():
    assert loads(dumps("a\ud800b")) == "a?b"


def test_many_arrays_that_are_small_but_spread_wide_are_refused():
    wide = array_bytes((2,), (2**27,), bytes(16))
    with pytest.raises(WireError, match="spread"):
        loads(b"l" + count(3) + wide * 3)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_plain_data_or_refused(data):
    with suppress(WireError):
        loads(data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_message_with_one_byte_changed_is_plain_data_or_refused(at, byte):
    data = bytearray(dumps([np.ones((2, 3)).T, {"a": (1, 2.5, "text")}, Handle(3), None, True]))
    data[at % len(data)] = byte
    with suppress(WireError):
        loads(bytes(data))


def test_a_truth_value_is_true_or_false_whatever_its_byte():
    found = loads(array_bytes((2,), (1,), b"\x02\x00", code=0))
    assert found.tobytes() == b"\x01\x00"


def test_frames_are_read_back_and_anything_else_is_refused():
    sent = bytearray()
    wire.write_frame(sent.extend, b"payload")

    def reader(data):
        data = bytearray(data)

        def read(n):
            part, data[:] = bytes(data[:n]), data[n:]
            return part

        return read

    assert wire.read_frame(reader(sent)) == b"payload"
    with pytest.raises(WireError, match="no message"):
        wire.read_frame(reader(b"hello, world"))
    with pytest.raises(WireError, match="at most"):
        wire.read_frame(reader(b"cscw" + count(2**40)))
