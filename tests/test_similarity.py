"""Answers that are alike: copies in disguise are found, honest ones are left in peace."""

import random
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.similarity import COMMON, Compared, answers_of, class_answers, similarity

ROOT = Path(__file__).resolve().parent.parent
CONVNETS = "01_convnets/01_convnets.ipynb"
SOFTMAX = """
def softmax_loss(x, y):
    N = x.shape[0]
    p = np.exp(x - np.max(x, axis=1, keepdims=True))
    p /= np.sum(p, axis=1, keepdims=True)
    loss = -np.sum(np.log(p[np.arange(N), y])) / N
    dx = p.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx
"""
CONVOLUTION = """
def conv_forward_naive(x, w, b, stride=1, pad=0):
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    window = xp[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    cache = (x, w, b, stride, pad)
    return out, cache
"""
POOL = """
def max_pool_backward(dout, cache):
    shape, where, HH, WW, stride = cache
    dx = np.zeros(shape)
    N, C, OH, OW = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    r, s = divmod(where[n, c, i, j], WW)
                    dx[n, c, i * stride + r, j * stride + s] += dout[n, c, i, j]
    return dx
"""
OTHERS = {
    "softmax_loss": SOFTMAX,
    "conv_forward_naive": CONVOLUTION,
    "max_pool_backward": POOL,
}


@pytest.fixture(scope="module")
def stubs():
    return answers_of(nbformat.read(ROOT / "notebooks" / CONVNETS, as_version=4))


@pytest.fixture(scope="module")
def solution():
    found = answers_of(nbformat.read(ROOT / "solutions" / CONVNETS, as_version=4))
    return {name: re.sub(r"^ *### .*\n", "", code, flags=re.M) for name, code in found.items()}


def disguised(code):
    """Every name and comment another, blanks moved, what hides a copy at first sight."""
    keep = {"def", "return", "for", "in", "np", "True", "enumerate", "float", "len", "if", "else"}
    head, quotes, body = code.partition('"""')
    rest = body.partition('"""')[2]
    rest = re.sub(r"#.*", "# my own idea", rest)
    rest = re.sub(
        r"(?<![.\w\"'])[A-Za-z_]\w*(?!\w)",
        lambda m: m[0] if m[0] in keep else f"my_{m[0].lower()}_{len(m[0])}",
        rest,
    )
    return f"{head}{quotes}Mine.{quotes}{rest.replace(' = ', '=')}"


def reordered(code):
    """Two neighbouring statements of the body change places."""
    lines = code.rstrip().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("    F, _, HH, WW"))
    lines[place - 1], lines[place] = lines[place], lines[place - 1]
    return "\n".join(lines)


@pytest.mark.parametrize("name", OTHERS)
def test_a_disguised_copy_is_found_and_another_solution_is_not(name, solution, stubs):
    found = similarity(
        {
            "copied": {name: solution[name]},
            "copies": {name: disguised(solution[name])},
            "honest": {name: OTHERS[name]},
        },
        stubs,
    )
    (pair,) = found.pairs
    assert pair.students == ("copied", "copies")
    assert pair.alike[name] > 0.95
    assert found.exercises == (Compared(name, 3, 3),)


def test_a_copy_with_statements_in_another_order_is_found(solution, stubs):
    name = "conv_forward_naive"
    changed = disguised(reordered(solution[name]))
    assert changed != disguised(solution[name])
    (pair,) = similarity({"a": {name: solution[name]}, "b": {name: changed}}, stubs).pairs
    assert 0.8 <= pair.alike[name] <= 1


def test_a_copy_padded_with_lines_of_no_use_is_found(solution, stubs):
    name = "conv_forward_naive"
    padding = "".join(
        f"    t{i} = np.zeros({i}) * (x.mean() ** {i}) - {i * 7}\n" for i in range(40)
    )
    padded = solution[name].replace("    out = np.zeros", f"{padding}    out = np.zeros")
    (pair,) = similarity({"a": {name: solution[name]}, "b": {name: padded}}, stubs).pairs
    assert pair.alike[name] > 0.9


def test_answers_that_are_alike_by_nature_are_not_compared(solution, stubs):
    short = ("relu_forward", "relu_backward", "affine_forward", "sgd_momentum")
    same = {name: solution[name] for name in short}
    found = similarity({"a": same, "b": same, "c": same}, stubs)
    assert found.pairs == ()
    assert found.left_out == short
    assert found.exercises[0] == Compared("relu_forward", 3, 0)


def test_the_text_of_the_release_is_nobodys_own(stubs, solution):
    found = similarity({"a": stubs, "b": stubs}, stubs)
    assert found.pairs == ()
    assert found.left_out == tuple(stubs)
    given = {"max_pool_backward": solution["max_pool_backward"]}  # as if a frame were handed out
    mine, yours = (f"{given['max_pool_backward']}\n    {own}" for own in ("x = 1", "y += dx"))
    answers = {"a": {"max_pool_backward": mine}, "b": {"max_pool_backward": yours}}
    assert len(similarity(answers, stubs).pairs) == 1
    assert similarity(answers, given).left_out == ("max_pool_backward",)


def test_what_many_share_is_the_natural_way(solution):
    name = "conv_forward_naive"
    few = {f"s{i}": {name: solution[name]} for i in range(3)}
    assert len(similarity(few).pairs) == 3
    many = {f"s{i}": {name: solution[name]} for i in range(COMMON + 1)}
    assert similarity(many).pairs == ()
    assert similarity(many).left_out == (name,)


def scribbled(code, draw):
    """An answer with a few odd lines of its own."""
    lines = code.splitlines()
    for _ in range(3):
        made = f"    t{draw.randrange(9)} = np.{draw.choice(['sum', 'mean', 'roll'])}(x, "
        lines.insert(draw.randrange(1, len(lines)), made + f"{draw.randrange(999)})")
    return "\n".join(lines)


def test_in_a_class_a_copy_shows_by_its_many_small_oddities(solution, stubs):
    """Where nearly all solve it in the natural way, no exercise alone tells a copy."""
    draw = random.Random(1)
    students = {
        f"s{i:02}": {
            name: scribbled(OTHERS.get(name, code) if draw.random() < 0.5 else code, draw)
            for name, code in solution.items()
            if name in OTHERS or "max_pool" in name or "affine" in name
        }
        for i in range(40)
    }
    copy = {name: re.sub(r"\bt(\d)\b", r"tmp_\1", code) for name, code in students["s07"].items()}
    (pair,) = similarity({**students, "zz": copy}, stubs).pairs
    assert pair.students == ("s07", "zz")
    assert pair.overall > 0.95


def test_what_is_no_python_or_very_long_is_compared_all_the_same(solution):
    name = "conv_forward_naive"
    broken = solution[name].replace("return", "retrun (((") + "\n%%bash 'unclosed"
    found = similarity({"a": {name: solution[name]}, "b": {name: broken}, "c": {name: ""}})
    assert [pair.students for pair in found.pairs] == [("a", "b")]
    assert similarity({"a": {name: "x = 1\n" * 10**6}}).pairs == ()


def test_nobody_and_nothing_are_alike():
    assert similarity({}).pairs == ()
    assert similarity({"a": {}, "b": {}}).exercises == ()


def test_the_answers_are_the_solution_cells_of_the_class(tmp_path):
    label = {"nbgrader": {"grade_id": "f", "solution": True}}
    notebook = new_notebook(cells=[new_code_cell("x", metadata=label), new_code_cell("own")])
    for student in ("ann", "bob"):
        (tmp_path / student / "hw").mkdir(parents=True)
    nbformat.write(notebook, tmp_path / "ann/hw/hw.ipynb")
    (tmp_path / "bob/hw/hw.ipynb").write_text("{ no notebook")
    assert class_answers(tmp_path, "hw") == {"ann": {"f": "x"}}


def test_without_copydetect_it_is_an_error_that_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "copydetect", None)
    with pytest.raises(ImportError, match="copydetect"):
        similarity({"a": {"f": "x"}})
