import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption.checks.built import make, module, plain, table_step  # noqa: E402
from cs_caption.checks.remote import RemoteSubject  # noqa: E402
from cs_caption.checks.subject import LocalSubject, Wrong  # noqa: E402
from cs_caption.checks.wire import Recipe, dumps, loads  # noqa: E402

C, H, W, V = 5, 4, 3, 7

FUNCTIONS = """
import numpy as np
import torch
from torch import nn

def kinds(model):
    return {name: type(part).__name__ for name, part in model.items()}, model.training

def state(model):
    return model.state_dict()

def project(model, x):
    return model["project"](x)

def inside(pair):
    return type(pair[0]).__name__, pair[1]["model"]["project"].weight

def to_train(model):
    model.train()

def moves(model):
    with torch.no_grad():
        model["project"].bias += 1

def freezes(model):
    model.requires_grad_(False)

def goes_back(model, x):
    model["project"](x).sum().backward()

def walk(step, state, words):
    found = []
    for word in words:
        log_probs, state = step(torch.tensor([word]), state)
        found.append(log_probs)
    return torch.stack(found), state

def step_of(step, tokens, state):
    return step(tokens, state)

def halves(step, tokens, state):
    step(tokens, state)[0].div_(2)

def draws(step, tokens, state):
    step(tokens, state)
    torch.rand(1)

def halves_arrays(step, tokens, state):
    rows, _ = step(tokens, state)
    rows /= 2

def draws_of_numpy(step, tokens, state):
    step(tokens, state)
    np.random.rand()

def draws_apart(step, tokens, state):
    step(tokens, state)
    torch.rand(1, generator=torch.Generator())

def both(a, b):
    return (a * b).sum(), a @ b.T

def detached(a, b):
    return (a.detach() * b).sum()

def by_numpy(a, b):
    return torch.tensor((a.detach().numpy() * b.detach().numpy()).sum())

def plain_number(a, b):
    return (a * b).sum().item()

def without_grad(a, b):
    with torch.no_grad():
        return (a * b).sum()

def in_place(a, b):
    a *= 2
    return (a * b).sum()

def writes_into(a, b):
    b.detach().zero_()
    return (a * b).sum()

def fails(a, b):
    raise ValueError("no")
"""


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    file = tmp_path_factory.mktemp("far") / "student.py"
    file.write_text(FUNCTIONS)
    with RemoteSubject("both", file) as subject:
        yield subject


@pytest.fixture(params=["local", "remote"])
def subject(request):
    if request.param == "remote":
        return request.getfixturevalue("far")
    names = {}
    exec(compile(FUNCTIONS, "<student>", "exec"), names)
    return LocalSubject("both", names)


def normal(*shape):
    return torch.tensor(np.random.RandomState(len(shape)).standard_normal(shape))


def parts():
    return {
        "dropout": ("Dropout", 0.25),
        "project": ("Linear", normal(C, H).T, normal(H)),
        "words": ("Embedding", normal(V, W)),
        "cell": ("LSTMCell", normal(4 * H, W), normal(4 * H, H), normal(4 * H), normal(4 * H)),
    }


@pytest.mark.parametrize("training", [False, True])
def test_a_module_is_made_of_its_parts_in_the_mode_that_was_asked_for(subject, training):
    found = subject.call((module(parts(), training=training),), function="kinds").value
    kinds = {"dropout": "Dropout", "project": "Linear", "words": "Embedding", "cell": "LSTMCell"}
    assert found == (kinds, training)


def test_its_weights_are_the_ones_that_were_sent_with_type_and_strides(subject):
    found = subject.call((module(parts()),), function="state").value
    _, weight, bias = parts()["project"]
    assert torch.equal(found["project.weight"], weight)
    assert found["project.weight"].stride() == weight.stride()
    assert found["project.weight"].dtype == torch.float64
    assert torch.equal(found["project.bias"], bias)
    assert len(found) == 7


def test_a_module_inside_a_list_or_a_dict_is_made_as_well(subject):
    pair = ["first", {"model": module(parts())}]
    kind, weight = subject.call((pair,), function="inside").value
    assert kind == "str"
    assert torch.equal(weight, parts()["project"][1])


def test_each_call_gets_a_module_of_its_own(subject):
    model = module(parts())
    subject.call((model,), function="moves")
    found = subject.calls([(model,), (model,)], function="state")
    assert all(torch.equal(each.value["project.bias"], normal(H)) for each in found)


@pytest.mark.parametrize("function", ["to_train", "moves", "freezes"])
def test_what_a_function_does_to_a_module_is_a_change_of_that_argument(subject, function):
    assert subject.call((module(parts()),), function=function).mutated == (0,)


def test_a_gradient_that_is_left_in_a_module_is_a_change_and_using_it_is_none(subject):
    given = (module(parts()), normal(2, C))
    assert subject.call(given, function="goes_back").mutated == (0,)
    assert subject.call(given, function="project").mutated == ()


def test_making_a_module_draws_no_random_numbers():
    before = torch.random.get_rng_state()
    make(module(parts()))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_torchs_compiler_stays_where_it_is_when_a_module_is_made_and_gone_back_through():
    script = """
import sys, torch
from cs_caption.checks.built import gradients, make, module
weight = torch.ones(4, 3)
cell = ("LSTMCell", torch.ones(8, 3), torch.ones(8, 2), torch.ones(8), torch.ones(8))
linear, words = ("Linear", weight, torch.ones(4)), ("Embedding", weight)
model = make(module({"cell": cell, "project": linear, "words": words}))
gradients(lambda m, x: m["project"](x), (model, torch.ones(2, 3)), (0, 1), torch.ones(2, 4), None)
print([name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr


def test_a_recipe_is_plain_data_until_the_far_side_makes_it():
    found = loads(dumps(module(parts())))
    assert type(found) is Recipe
    assert type(found.contents[0]["project"]) is tuple


@pytest.mark.parametrize("recipe", [Recipe("os.system", ("ls",)), Recipe("__import__", ("os",))])
def test_no_recipe_makes_anything_else(subject, recipe):
    with pytest.raises(Wrong, match="there is no recipe of"):
        subject.call((recipe,), function="kinds")


def test_no_part_of_a_module_is_anything_else(subject):
    with pytest.raises(Wrong, match="KeyError"):
        subject.call((module({"project": ("Sequential",)}),), function="kinds")


def test_what_was_not_made_is_what_it_is():
    x = np.ones(3)
    assert plain(x) is x


# ------------------------------------------------------------------------------- step functions


def table(S=3):
    rng = np.random.RandomState(5)
    log_probs = torch.tensor(rng.standard_normal((S, V, V))).log_softmax(2)
    return log_probs, torch.tensor(rng.randint(0, S, (S, V)))


def test_a_step_looks_up_what_follows_a_state_and_a_word(subject):
    log_probs, following = table()
    words = [3, 0, 6, 6]
    step = table_step(log_probs, following)
    found, state = subject.call((step, torch.tensor([1]), words), function="walk").value
    at = 1
    for word, row in zip(words, found, strict=True):
        assert torch.equal(row, log_probs[at, [word]])
        at = int(following[at, word])
    assert state.tolist() == [at]


def test_a_step_takes_many_rows_at_once(subject):
    log_probs, following = table()
    tokens, state = torch.tensor([2, 5, 5]), torch.tensor([0, 2, 1])
    given = (table_step(log_probs, following), tokens, state)
    found, after = subject.call(given, function="step_of").value
    assert torch.equal(found, log_probs[state, tokens])
    assert torch.equal(after, following[state, tokens])


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_a_step_of_arrays_takes_and_gives_arrays(subject, dtype):
    log_probs, following = (t.numpy() for t in table())
    tokens, state = np.array([2, 5, 5], dtype), np.array([0, 2, 1])
    given = (table_step(log_probs, following), tokens, state)
    found, after = subject.call(given, function="step_of").value
    assert type(found) is type(after) is np.ndarray
    assert np.array_equal(found, log_probs[state, tokens])
    assert np.array_equal(after, following[state, tokens])


def test_a_state_may_have_columns_in_tensors_and_in_arrays(subject):
    rng = np.random.RandomState(6)
    log_probs = rng.standard_normal((3, 2, V, V))
    following = np.stack([rng.randint(0, n, (3, 2, V)) for n in (3, 2)], axis=-1)
    tokens, state = np.array([2, 5, 5, 1]), np.array([[0, 1], [2, 0], [1, 1], [2, 1]])
    state.flags.writeable = False
    expected = log_probs[state[:, 0], state[:, 1], tokens]
    then = following[state[:, 0], state[:, 1], tokens]
    for make_it in (np.array, torch.tensor):
        step = table_step(make_it(log_probs), make_it(following))
        given = (step, make_it(tokens), make_it(state))
        found, after = subject.call(given, function="step_of").value
        assert np.array_equal(found, expected)
        assert np.array_equal(after, then)


def test_a_step_of_arrays_needs_no_torch():
    script = """
import sys
import numpy as np
from cs_caption.checks.built import make, plain, table_step
for watched in ("rows", "random"):
    step = make(table_step(np.zeros((1, 4, 4)), np.zeros((1, 4), int), watched=watched))
    step(np.array([1]), np.array([0]))
    plain(step)
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("tokens", "state", "words"),
    [
        ([1], np.array([0]), "tokens of type list: expected a NumPy array"),
        (np.int64(1), np.array([0]), "tokens of type .*: expected a NumPy array"),
        (np.array(1), np.array([0]), r"tokens of shape \(\)"),
        (np.array([1.0]), np.array([0]), "type float64: expected int64 with one axis"),
        (np.array([1]), np.array([[0]]), r"the state of shape \(1, 1\)"),
        (np.array([1, 1]), np.array([0]), "2 tokens and 1 states"),
        (np.array([V]), np.array([0]), f"word {V}: there are {V} words"),
        (np.array([2]), np.array([0]), "word 2, after which nothing can come"),
    ],
)
def test_a_step_of_arrays_says_what_it_was_given_wrongly(subject, tokens, state, words):
    log_probs, following = (t.numpy() for t in table())
    following[0, 2] = -1
    with pytest.raises(Wrong, match=words):
        subject.call((table_step(log_probs, following), tokens, state), function="step_of")


def test_a_step_whose_state_has_columns_says_how_many(subject):
    log_probs, following = np.zeros((3, 2, V, V)), np.zeros((3, 2, V, 2), int)
    following[1, 1, 4] = [0, -1]
    for tokens, state, words in (
        ([1], [0], r"the state of shape \(1,\) .*two axes \(2 columns\)"),
        ([1], [[0, 0, 0]], r"the state of shape \(1, 3\)"),
        ([2, 4], [[0, 0], [1, 1]], "word 4, after which nothing can come"),
    ):
        given = (table_step(log_probs, following), np.array(tokens), np.array(state))
        with pytest.raises(Wrong, match=words):
            subject.call(given, function="step_of")


@pytest.mark.parametrize(
    ("tokens", "state", "words"),
    [
        ([1], torch.tensor([0]), "tokens of type list: expected a tensor"),
        (torch.tensor(1), torch.tensor([0]), r"tokens of shape \(\)"),
        (torch.tensor([[1]]), torch.tensor([0]), r"tokens of shape \(1, 1\)"),
        (torch.tensor([1.0]), torch.tensor([0]), "type float32"),
        (torch.tensor([1]), None, "the state of type NoneType"),
        (torch.tensor([1, 1]), torch.tensor([0]), "2 tokens and 1 states"),
        (torch.tensor([V]), torch.tensor([0]), f"word {V}: there are {V} words"),
        (torch.tensor([-1]), torch.tensor([0]), "word -1"),
        (torch.tensor([2]), torch.tensor([0]), "word 2, after which nothing can come"),
    ],
)
def test_a_step_says_what_it_was_given_wrongly(subject, tokens, state, words):
    log_probs, following = table()
    following[0, 2] = -1
    with pytest.raises(Wrong, match=words):
        subject.call((table_step(log_probs, following), tokens, state), function="step_of")


# ------------------------------------------------------------------------------- gradients

ONE = torch.tensor(1.0, dtype=torch.float64)


def test_gradients_come_back_through_autograd_for_each_argument_that_is_wanted(subject):
    a, b, dout = normal(2, 3), 2 * normal(2, 3), normal(2, 2)
    ((value, (da, db)),) = (
        o.value for o in subject.gradients([((a, b), dout)], (0, 1), result=1, function="both")
    )
    assert torch.equal(value[1], a @ b.T)
    torch.testing.assert_close(da, dout @ b)
    torch.testing.assert_close(db, dout.T @ a)
    assert not value[1].requires_grad


def test_many_are_asked_for_at_once_and_those_not_wanted_are_left_out(subject):
    a, b = normal(2, 3), 2 * normal(2, 3)
    many = [((a, b), ONE), ((3 * a, b), ONE), ((a, b), 5 * ONE)]
    found = [o.value[1] for o in subject.gradients(many, (1,), result=0)]
    for (grad,), factor in zip(found, (1, 3, 5), strict=True):
        torch.testing.assert_close(grad, factor * a)


def test_of_a_module_there_is_a_gradient_for_each_parameter(subject):
    x, dout = normal(2, C), normal(2, H)
    ((_, (grads, dx)),) = (
        o.value
        for o in subject.gradients([((module(parts()), x), dout)], (0, 1), function="project")
    )
    torch.testing.assert_close(grads["project.bias"], dout.sum(0))
    torch.testing.assert_close(grads["project.weight"], dout.T @ x)
    torch.testing.assert_close(dx, dout @ parts()["project"][1])
    assert grads["words.weight"] is None
    assert len(grads) == 7


@pytest.mark.parametrize(
    ("function", "none"),
    [
        ("detached", (True, False)),
        ("by_numpy", (True, True)),
        ("plain_number", (True, True)),
        ("without_grad", (True, True)),
    ],
)
def test_where_autograd_does_not_reach_there_is_no_gradient(subject, function, none):
    given = (normal(2, 3), normal(2, 3))
    (outcome,) = subject.gradients([(given, ONE)], (0, 1), function=function)
    assert tuple(grad is None for grad in outcome.value[1]) == none


def test_of_a_result_of_another_shape_there_is_no_gradient(subject):
    given = (normal(2, 3), normal(2, 3))
    (outcome,) = subject.gradients([(given, normal(3))], (0,), result=1)
    assert outcome.value[1] == [None]
    assert outcome.value[0][1].shape == (2, 2)


def test_gradients_are_found_where_the_notebook_has_turned_autograd_off(subject):
    with torch.no_grad():
        (outcome,) = subject.gradients([((normal(2, 3), normal(2, 3)), ONE)], (0,), result=0)
    torch.testing.assert_close(outcome.value[1][0], normal(2, 3))


def test_an_error_on_the_way_is_told_with_the_students_own_line(subject):
    given = (normal(2, 3), normal(2, 3))
    with pytest.raises(Wrong, match=r"fails stopped with ValueError: no \(line \d+"):
        subject.gradients([(given, ONE)], (0,), function="fails")
    with pytest.raises(Wrong, match=r"in_place stopped with RuntimeError: a leaf Variable"):
        subject.gradients([(given, ONE)], (0,), function="in_place")
    with pytest.raises(Wrong, match=r"^missing is not defined$"):
        subject.gradients([(given, ONE)], (0,), function="missing")


def test_a_change_is_reported_by_the_position_of_the_argument(subject):
    given = (normal(2, 3), normal(2, 3))
    (outcome,) = subject.gradients([(given, ONE)], (0,), function="writes_into")
    assert outcome.mutated == (1,)


@pytest.mark.parametrize(
    ("function", "watched", "changed"),
    [
        ("halves", "rows", (0,)),
        ("draws", "rows", ()),
        ("halves", "random", ()),
        ("draws", "random", (0,)),
        ("draws_apart", "random", ()),
    ],
)
def test_a_step_says_what_became_of_its_rows_or_of_torchs_random_numbers(
    subject, function, watched, changed
):
    log_probs, following = table()
    step = table_step(log_probs, following, watched=watched)
    given = (step, torch.tensor([1, 2]), torch.tensor([0, 1]))
    before = torch.get_rng_state()
    assert subject.call(given, function=function).mutated == changed
    torch.set_rng_state(before)


@pytest.mark.parametrize(
    ("function", "watched", "changed"),
    [
        ("halves_arrays", "rows", (0,)),
        ("draws_of_numpy", "rows", ()),
        ("halves_arrays", "random", ()),
        ("draws_of_numpy", "random", (0,)),
        ("step_of", "random", ()),
    ],
)
def test_a_step_of_arrays_says_what_became_of_its_rows_or_of_numpys_random_numbers(
    subject, function, watched, changed
):
    log_probs, following = (t.numpy() for t in table())
    step = table_step(log_probs, following, watched=watched)
    given = (step, np.array([1, 2]), np.array([0, 1]))
    before = np.random.get_state()
    assert subject.call(given, function=function).mutated == changed
    np.random.set_state(before)
