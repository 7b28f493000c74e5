import sys

import numpy as np
import pytest

from autograder.zoo import SOLUTIONS, functions_of
from cs_caption.stand_in import torch_conv_backward, torch_conv_forward, written_or_torch

SOLVED = functions_of(SOLUTIONS / "01_convnets" / "01_convnets.py")


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
