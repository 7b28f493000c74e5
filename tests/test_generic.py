from dataclasses import replace

import numpy as np
import pytest

from autograder import generic, wide, zoo
from autograder.__main__ import main
from autograder.generic import Generic, Verdict, generic_mutants, judge_all, judged, probes
from cs_caption.checks import exercises, n01_convnets, wire
from cs_caption.checks.farside import GRAD
from cs_caption.checks.subject import LocalSubject

TEXT = '''\
def one_hot(x, V):
    """Not this one: 1 + 2."""
    H, W = x.shape[1:] @ V
    top = np.zeros((H, 3), x.dtype) - x.T
    for i in range(V):
        top[i : H + 1] += np.tanh(x.sum(axis=1, keepdims=True))
    top = -top if V > 0 else np.maximum(top, 0.5)
    return float(top), x.reshape(V, H)
'''
CHANGES = [
    ("axis", "axis=0"),
    ("axis", "axis=-1"),
    ("axis", ""),
    ("side", "W, H = x.shape[1:] @ V"),
    ("side", "W"),
    ("sign", "np.zeros((H, 3), x.dtype) + x.T"),
    ("sign", "top[i:H + 1] -= np.tanh(x.sum(axis=1, keepdims=True))"),
    ("sign", "top"),
    ("sign", "return (-float(top), x.reshape(V, H))"),
    ("product", "x.shape[1:] * V"),
    ("off by one", "2"),
    ("off by one", "i:H + 1 + 1"),
    ("off by one", ":H + 1"),
    ("off by one", "range(V - 1)"),
    ("transposed", "x"),
    ("transposed", "x.shape[1:].T @ V"),
    ("order", "V @ x.shape[1:]"),
    ("order", "return (x.reshape(V, H), float(top))"),
    ("order", "np.maximum(top, 0.5) if V > 0 else -top"),
    ("order", "x.reshape(V, H, order='F')"),
    ("in place", "np.maximum(top, 0.5, out=top)"),
    ("dropped term", "x.T"),
    ("dropped call", "top"),
    ("dropped call", "x"),
    ("dropped statement", "pass"),
    ("dropped statement", "top[i:H + 1] = np.tanh(x.sum(axis=1, keepdims=True))"),
    ("comparison", "V >= 0"),
    ("function", "x.mean"),
    ("function", "np.minimum"),
    ("function", "1 / (1 + np.exp(-x.sum(axis=1, keepdims=True)))"),
    ("constant", "2"),
    ("dtype", "np.float32"),
    ("dtype", "return (float(top).astype(np.float32), x.reshape(V, H))"),
    ("name", "V"),
]


def changed(exercise, old, new):
    """The solution of an exercise with one piece of its text replaced, and a comment of ours."""
    mutant = generic_mutants(exercise)[0]
    (text,) = {m.text for m in generic_mutants(exercise) if (m.before, m.after) == (old, new)}
    return replace(mutant, text=text)


def written(text, exercise="one_hot"):
    return Generic(exercise, "by hand", 1, "before", "after", text)


@pytest.fixture
def weak_check(monkeypatch):
    """A check of sgd_momentum that always has a momentum of 0."""
    known = exercises()["sgd_momentum"]
    (case,) = (case for case in known.cases if case.title.startswith("momentum 0"))
    weak = (replace(known, cases=(case,)),)
    others = tuple(e for e in n01_convnets.EXERCISES if e is not known)
    monkeypatch.setattr(n01_convnets, "EXERCISES", others + weak)


# --------------------------------------------------------------------------------- the changes


@pytest.fixture
def made(monkeypatch, tmp_path):
    folder = tmp_path / "02_small"
    folder.mkdir()
    (folder / "02_small.py").write_text(TEXT)
    monkeypatch.setattr(zoo, "SOLUTIONS", tmp_path)
    return generic_mutants("one_hot")


@pytest.mark.parametrize(("operator", "after"), CHANGES)
def test_each_operator_makes_its_changes(made, operator, after):
    assert any((m.operator, m.after) == (operator, after) for m in made)


def test_every_operator_has_an_example_above_and_a_loop_may_end_early(made):
    tried = {operator for operator, _ in CHANGES}
    assert {m.operator for m in made} == tried | {"early return"}
    assert set(generic.OPERATORS) <= tried


def test_a_change_has_its_line_and_the_docstring_none(made):
    lines = dict(enumerate(TEXT.splitlines(), 1))
    assert min(m.line for m in made) == 3
    for m in made:
        if m.operator == "comparison":
            assert m.before in lines[m.line]
    assert "one_hot, line 7, comparison: `V > 0` -> `V >= 0`" in map(str, made)
    assert any(str(m).endswith("axis: `keepdims=True` -> nothing") for m in made)


@pytest.mark.parametrize("name", exercises())
def test_no_two_changes_are_alike_and_the_order_is_always_the_same(name):
    first = generic_mutants(name)
    assert first == generic_mutants(name)
    texts = {mutant.text for mutant in first}
    assert len(texts) == len(first) >= 10
    for text in texts:
        compile(text, name, "exec")


# ------------------------------------------------------------------------------ the comparison


@pytest.mark.parametrize("name", [n for n, e in exercises().items() if not e.needs])
def test_the_solution_answers_whatever_is_drawn(name):
    rng = np.random.RandomState(3)
    subject = LocalSubject(name, zoo.solution_functions(name))
    drawn = [wide.draw(name, rng) for _ in range(200)]
    for args in drawn:
        subject.call(args)
    assert len({str(args) for args in drawn}) > 100


def test_an_exercise_that_nothing_is_drawn_for_is_named_with_the_remedy():
    with pytest.raises(ValueError, match=r"no_such: add what draws them to _DRAWS of autograder/w"):
        wide.draw("no_such", np.random.RandomState(0))


def test_what_is_equal_but_for_rounding_is_no_wrong_answer():
    mutant = written(
        "def mean_colour(images):\n    return images.sum((1, 2)) / images[0, ..., 0].size",
        "mean_colour",
    )
    assert judged(mutant, probes("mean_colour")).result == "equal"


@pytest.mark.parametrize(
    ("factor", "result"), [("(1 + 1e-13)", "equal"), ("(1 + 1e-6)", "killed"), ("-1", "killed")]
)
def test_tensors_are_compared_as_arrays_are(factor, result):
    text = f"""
def masked_cross_entropy(logits, targets, mask):
    nats = -logits.log_softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]
    return nats[mask].mean() * {factor}
"""
    mutant = written(text, "masked_cross_entropy")
    assert judged(mutant, probes("masked_cross_entropy")).result == result


def test_a_tensor_function_is_tried_with_gaps_in_memory_and_with_gradients():
    requests = [r for probe in probes("masked_cross_entropy") for r in probe.requests]
    calls = [(wire.loads(r)[0], args) for r in requests for args, _ in wire.loads(r)[1]]
    assert any(function == GRAD for function, _ in calls)
    given = [args[-3:] for _, args in calls]
    assert any(not any(t.is_contiguous() for t in args) for args in given)
    assert any(all(t.is_contiguous() for t in args) for args in given)


@pytest.mark.parametrize(
    "text",
    [
        "def relu_forward(x):\n    return np.maximum(x, 0) * (1 + 1e-8), x",
        "def relu_forward(x):\n    return np.maximum(x, 0).astype(np.float32), x",
        "def relu_forward(x):\n    return np.maximum(x, 0)[None], x",
        "def relu_forward(x):\n    return np.maximum(x, 0, out=x), x",
        "def relu_forward(x):\n    return np.maximum(x, 0), x, None",
        "def relu_forward(x):\n    raise ValueError",
        "def relu_forward(x):\n    return (np.maximum(x, 0) if x.flags.writeable else x), x",
    ],
    ids=["number", "dtype", "shape", "argument", "results", "error", "read-only"],
)
def test_a_change_of_any_kind_is_seen(text):
    assert judged(written(text, "relu_forward"), probes("relu_forward")).result != "equal"


def test_a_wrong_cache_is_judged_by_the_way_back():
    mutant = changed("affine_forward", "(x, w)", "(w, x)")
    verdict = judged(mutant, probes("affine_forward"))
    assert (verdict.exercise, verdict.result) == ("affine_backward", "killed")


# ------------------------------------------------------------------------------- the verdicts


@pytest.mark.parametrize("name", ["one_hot", "relu_forward"])
def test_of_a_small_exercise_every_change_that_shows_is_rejected(name):
    verdicts = judge_all(name)
    assert [str(v.mutant) for v in verdicts if v.result == "survived"] == []
    assert generic.rate(verdicts) == 1
    assert sum(v.result == "equal" for v in verdicts) <= 1


def test_what_a_weak_check_never_draws_is_seen_all_the_same_and_the_command_fails(
    weak_check, capsys
):
    assert main(["mutants", "--generic", "--survivors", "sgd_momentum"]) == 1
    survivors = capsys.readouterr().out.partition("full marks:")[2].partition("the output is")[0]
    assert "constant: `0.9` -> `0.5`" in survivors
    assert "product: `momentum * v` -> `momentum / v`" in survivors


def test_what_never_ends_or_ends_the_process_is_rejected(monkeypatch):
    monkeypatch.setattr(generic, "SECONDS", 1)
    endless = "def one_hot(x, V):\n    while True:\n        pass"
    gone = "def one_hot(x, V):\n    import os\n    os._exit(0)"
    monkeypatch.setattr(generic, "generic_mutants", lambda name: [written(endless), written(gone)])
    assert [v.result for v in judge_all("one_hot")] == ["killed", "killed"]


def test_a_failure_of_the_judging_is_no_verdict(monkeypatch):
    monkeypatch.setattr(generic, "generic_mutants", lambda name: [written("def one_hot(")])
    with pytest.raises(RuntimeError, match="`before` -> `after` could not be judged: SyntaxError"):
        judge_all("one_hot")


def test_the_table_counts_what_changes_the_output_alone():
    mutant = written("")
    results = ["killed", "killed", "killed", "survived", "equal"]
    verdicts = [Verdict(mutant, "one_hot", result) for result in results]
    verdicts.append(Verdict(mutant, "relu_forward", "equal"))
    rows = [line.split() for line in generic.format_verdicts(verdicts).splitlines()[-3:]]
    assert rows == [
        ["one_hot", "5", "1", "4", "3", "1", "75.0%"],
        ["relu_forward", "1", "1", "0", "0", "0", "100.0%"],
        ["all", "6", "2", "4", "3", "1", "75.0%"],
    ]


def test_the_command_prints_the_table_and_asks_no_zoo(capsys):
    assert main(["mutants", "--generic", "--survivors", "one_hot"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[2].split()[0] == "one_hot"
    assert "full marks:\n  none" in out
    assert "one_hot_thermometer" not in out


@pytest.mark.full
def test_of_all_changes_that_show_nineteen_of_twenty_are_rejected_in_each_exercise():
    verdicts = [v for found in generic.survey(exercises(), 2) for v in found]
    judges = {verdict.exercise for verdict in verdicts}
    assert judges == set(exercises())
    for name in judges:
        mine = [verdict for verdict in verdicts if verdict.exercise == name]
        assert generic.rate(mine) >= generic.BAR, generic.format_left(mine)
