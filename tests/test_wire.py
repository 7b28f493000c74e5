import math
import struct
import subprocess
import sys
import tracemalloc
from collections import Counter, OrderedDict, defaultdict
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_caption.checks import wire
from cs_caption.checks.wire import Foreign, Handle, Recipe, WireError, dumps, loads

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
        st.builds(Recipe, st.text(), inner),
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
    if isinstance(a, Recipe):
        return a.kind == b.kind and same(a.contents, b.contents)
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


TENSORS = [torch.bool, torch.int64, torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", TENSORS, ids=str)
@pytest.mark.parametrize(
    "view",
    [
        lambda t: t,
        lambda t: t.T,
        lambda t: t[::2, 1::3],
        lambda t: t[:1].expand(4, 5),
        lambda t: t[1:1],
        lambda t: t[0, 0],
        lambda t: t[..., None],
        lambda t: t.as_strided((3, 3), (1, 1)),
    ],
)
def test_tensors_keep_their_numbers_type_shape_and_strides(dtype, view):
    tensor = view((torch.arange(20).reshape(4, 5) % 7).to(dtype))
    found = loads(dumps([tensor]))[0]
    assert type(found) is torch.Tensor
    assert found.dtype == tensor.dtype
    assert found.shape == tensor.shape
    assert torch.equal(found, tensor)
    strides = zip(found.stride(), tensor.stride(), tensor.shape, strict=True)
    assert not tensor.numel() or all(a == b for a, b, n in strides if n > 1)


def test_nothing_of_a_tensors_past_crosses():
    leaf = torch.ones(3, requires_grad=True)
    for tensor in (leaf, 2 * leaf, torch.nn.Parameter(torch.ones(3))):
        found = loads(dumps(tensor))
        assert type(found) is torch.Tensor
        assert not found.requires_grad
        assert found.grad_fn is None
    found += 1
    assert leaf.tolist() == [1, 1, 1]


def test_a_state_dict_crosses_as_a_dict_of_tensors():
    state = torch.nn.Linear(2, 3).state_dict()
    assert type(state) is OrderedDict
    found = loads(dumps(state))
    assert type(found) is dict
    assert all(torch.equal(found[name], state[name]) for name in ("weight", "bias"))


def test_dictionaries_of_the_collections_module_arrive_as_dicts():
    counts = Counter("abca")
    groups = defaultdict(list, {1: [2.5], "x": []})
    for value in (counts, groups):
        found = loads(dumps(value))
        assert type(found) is dict
        assert found == value


def test_torch_is_imported_by_the_first_tensor_that_arrives_and_not_before():
    script = """
import sys
from cs_caption.checks import farside, wire
wire.loads(wire.dumps([1.0, wire.Recipe("module", ({}, False)), object()]))
assert "torch" not in sys.modules
print(wire.loads(bytes.fromhex(sys.argv[1])).tolist(), "torch" in sys.modules)
"""
    sent = dumps(torch.tensor([1.5, 2.5])).hex()
    done = subprocess.run([sys.executable, "-c", script, sent], capture_output=True, text=True)
    assert done.stdout == "[1.5, 2.5] True\n", done.stderr


def test_a_tensor_is_refused_in_words_where_torch_is_not_installed(no_torch):
    sent = tensor_bytes((1,), (8,), bytes(8))
    with pytest.raises(WireError, match="torch is not installed"):
        loads(sent)


def test_text_of_numpy_arrives_as_str():
    found = loads(dumps([np.str_("straw hat"), *np.array(["é"])]))
    assert found == ["straw hat", "é"]
    assert {type(text) for text in found} == {str}


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


class LyingTensor(torch.Tensor):
    pass


class LyingDict(OrderedDict):
    pass


class LyingRecipe(Recipe):
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
        (torch.ones(3).half(), "Tensor of float16"),
        (torch.ones(3, dtype=torch.int32), "Tensor of int32"),
        (torch.ones(3, dtype=torch.complex64), "Tensor of complex64"),
        (torch.ones(3, device="meta"), "Tensor of float32 on meta"),
        (torch.eye(3).to_sparse(), "Tensor of float32, sparse_coo"),
        (torch.nn.Parameter(torch.ones(3).bfloat16()), "Parameter of bfloat16"),
        (torch.ones(3).as_subclass(LyingTensor), "LyingTensor"),
        (torch.nn.Linear(2, 3), "Linear"),
        (torch.float32, "dtype"),
        (LyingDict(a=1), "LyingDict"),
        (LyingRecipe("module", 1), "LyingRecipe"),
        (Recipe(LyingList(), 1), "Recipe"),
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


def tensor_bytes(shape, strides, data=b"", code=11, writable=b"w"):
    return array_bytes(shape, strides, data, code).replace(b"a", b"x", 1).replace(b"w", writable, 1)


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
        tensor_bytes((2**40,), (8,)),
        tensor_bytes((2**62, 4), (8, 8)),
        tensor_bytes((0, 2**62), (8, 8)),
        tensor_bytes((2,), (2**62,), bytes(16)),
        tensor_bytes((2,), (-8,), bytes(16)),
        tensor_bytes((2,), (12,), bytes(16)),
        tensor_bytes((2, 2), (2**40, -(2**40)), bytes(32)),
        tensor_bytes((1,), (8,), bytes(8), code=99),
        tensor_bytes((1,), (2,), bytes(4), code=10),
        tensor_bytes((1,), (16,), bytes(16), code=13),
        tensor_bytes((1,), (8,), bytes(8), writable=b"r"),
        b"r",
        b"rn",
        b"ru" + count(1) + b"n",
        b"ru" + count(2) + b"nn",
        b"r" * 10_000,
        (b"ru" + count(2) + b"s" + count(0)) * 40 + b"n",
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


def test_more_tensors_than_memory_is_good_for_are_refused_on_both_sides():
    many = wire.MOST_TENSORS + 1
    with pytest.raises(WireError, match="items"):
        dumps([torch.tensor(1.0)] * many)
    with pytest.raises(WireError, match="items"):
        loads(b"l" + count(many) + tensor_bytes((), (), bytes(8)) * many)


def test_half_characters_are_replaced_where_they_arrive():
    assert loads(dumps("a\ud800b")) == "a?b"


def test_many_arrays_that_are_small_but_spread_wide_are_refused():
    for make in (array_bytes, tensor_bytes):
        wide = make((2,), (2**27,), bytes(16))
        with pytest.raises(WireError, match="spread"):
            loads(b"l" + count(3) + wide * 3)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_plain_data_or_refused(data):
    with suppress(WireError):
        loads(data)


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_message_with_one_byte_changed_is_plain_data_or_refused(at, byte):
    tensors = [torch.ones(2, 3).T, Recipe("module", (torch.tensor([True, False]), 0.5))]
    others = [np.ones((2, 3)).T, {"a": (1, 2.5, "text")}, Handle(3), None, True]
    data = bytearray(dumps([*tensors, *others]))
    data[at % len(data)] = byte
    with suppress(WireError):
        dumps(loads(bytes(data)))


def test_a_truth_value_is_true_or_false_whatever_its_byte():
    found = loads(array_bytes((2,), (1,), b"\x02\x00", code=0))
    assert found.tobytes() == b"\x01\x00"
    found = loads(tensor_bytes((2,), (1,), b"\x02\x00", code=0))
    assert found.numpy().tobytes() == b"\x01\x00"


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
