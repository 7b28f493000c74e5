import sys

import numpy as np
import pytest

from autograder.zoo import SOLUTIONS, functions_of
from cs_caption.stand_in import (
    gru_written_or_torch,
    torch_conv_backward,
    torch_conv_forward,
    torch_gru_step_backward,
    torch_gru_step_forward,
    written_or_torch,
)

SOLVED = functions_of(SOLUTIONS / "01_convnets" / "01_convnets.py")
GATES = functions_of(SOLUTIONS / "03_lstm_gates" / "03_lstm_gates.py")
GRU = GATES["gru_step_forward"], GATES["gru_step_backward"]


def stub(*args):
    raise NotImplementedError


def test_functions_that_are_written_are_used(capsys):
    mine = SOLVED["conv_forward"], SOLVED["conv_backward"]
    assert written_or_torch(*mine) == mine
    assert "yours" in capsys.readouterr().out


@pytest.mark.parametrize("missing", [0, 1])
def test_torch_stands_in_for_both_where_one_is_a_stub_and_it_is_said(missing, capsys):
    mine = [SOLVED["conv_forward"], SOLVED["conv_backward"]]
    mine[missing] = stub
    assert written_or_torch(*mine) == (torch_conv_forward, torch_conv_backward)
    assert "torch's" in capsys.readouterr().out


def test_choosing_does_not_import_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert written_or_torch(stub, stub)[0] is torch_conv_forward


def test_a_mistake_in_a_written_function_is_not_covered_up():
    def wrong(x, w, b, stride, pad):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        written_or_torch(wrong, SOLVED["conv_backward"])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("stride", "pad"), [(1, 1), (2, 0), (3, 2)])
def test_the_stand_in_gives_what_the_solution_gives(dtype, stride, pad):
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, w, b = (
        rng.standard_normal(shape).astype(dtype) for shape in ((2, 3, 9, 8), (4, 3, 3, 2), (4,))
    )
    mine, cache = SOLVED["conv_forward"](x, w, b, stride, pad)
    out, kept = torch_conv_forward(x, w, b, stride, pad)
    dout = rng.standard_normal(out.shape).astype(dtype)
    grads = SOLVED["conv_backward"](dout, cache), torch_conv_backward(dout, kept)
    room = 1e-4 if dtype is np.float32 else 1e-10
    for one, other in ((mine, out), *zip(*grads, strict=True)):
        assert other.dtype == dtype
        np.testing.assert_allclose(one, other, atol=room)


def test_the_stand_in_takes_a_float32_picture_and_float64_weights():
    pytest.importorskip("torch")
    x, w, b = np.ones((1, 1, 4, 4), np.float32), np.ones((1, 1, 3, 3)), np.zeros(1)
    out, cache = torch_conv_forward(x, w, b)
    assert out.dtype == np.float64
    assert torch_conv_backward(out, cache)[1].dtype == np.float64


def gru_inputs(dtype=np.float64, rows=3):
    rng = np.random.default_rng(0)
    shapes = (rows, 4), (rows, 5), (4, 15), (5, 15), (15,)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def test_a_gru_that_is_written_is_used(capsys):
    assert gru_written_or_torch(*GRU) == GRU
    assert capsys.readouterr().out == "gru_step_forward and gru_step_backward: yours\n"


@pytest.mark.parametrize("missing", [0, 1])
def test_torch_stands_in_for_both_steps_of_a_gru_where_one_is_a_stub(missing, capsys):
    pair = gru_written_or_torch(*(stub if i == missing else GRU[i] for i in range(2)))
    assert pair == (torch_gru_step_forward, torch_gru_step_backward)
    name = ("gru_step_forward", "gru_step_backward")[missing]
    assert capsys.readouterr().out == (
        f"gru_step_forward and gru_step_backward: torch's for both, since {name} is not written "
        "yet\n"
    )


def test_where_neither_step_of_a_gru_is_written_both_are_named(capsys):
    gru_written_or_torch(stub, stub)
    assert capsys.readouterr().out.endswith(
        "since gru_step_forward and gru_step_backward are not written yet\n"
    )


def test_choosing_a_gru_does_not_import_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert gru_written_or_torch(*GRU) == GRU
    assert gru_written_or_torch(stub, stub)[0] is torch_gru_step_forward


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gru_that_stands_in_gives_what_the_solution_gives(dtype, rows):
    pytest.importorskip("torch")
    inputs = gru_inputs(dtype, rows)
    (mine, cache), (next_h, kept) = GRU[0](*inputs), torch_gru_step_forward(*inputs)
    dnext_h = np.random.default_rng(1).standard_normal(mine.shape).astype(dtype)
    grads = GRU[1](dnext_h, cache), torch_gru_step_backward(dnext_h, kept)
    for one, other in ((mine, next_h), *zip(*grads, strict=True)):
        assert other.dtype == dtype
        np.testing.assert_allclose(one, other, atol=1e-5 if dtype is np.float32 else 1e-12)


def test_the_gru_that_stands_in_goes_back_through_several_steps_and_twice():
    pytest.importorskip("torch")
    x, h, *weights = gru_inputs()
    first, cache = torch_gru_step_forward(x, h, *weights)
    second, later = torch_gru_step_forward(x[:, ::-1], first, *weights)
    once = torch_gru_step_backward(torch_gru_step_backward(second, later)[1], cache)
    again = torch_gru_step_backward(torch_gru_step_backward(second, later)[1], cache)
    _, mine = GRU[0](x, h, *weights)
    _, mine_later = GRU[0](x[:, ::-1], first, *weights)
    expected = GRU[1](GRU[1](second, mine_later)[1], mine)
    for one, other, wanted in zip(once, again, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, wanted, atol=1e-12)


def test_a_float32_gradient_comes_back_through_a_float64_gru():
    pytest.importorskip("torch")
    next_h, cache = torch_gru_step_forward(*gru_inputs())
    assert torch_gru_step_backward(next_h.astype(np.float32), cache)[0].dtype == np.float64
