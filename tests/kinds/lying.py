"""Answers that lie about themselves, or about what they know."""

import pickle
from functools import partial

from kinds.kind import EXERCISES, NOTHING, ONE, POINTS, Material, kind

lying = partial(kind, "lying")

# 1 of 10 parts of the step, and 7 of 15 of the step back: dWx, and all five at once.
SPOILT = POINTS | {"rnn_step_forward": 1.8, "rnn_step_backward": 1.6}
STEP = "def rnn_step_forward(x, prev_h, Wx, Wh, b, activation='tanh'):\n    return {value}, None"


def _steps(m: Material, top: str, value: str):
    """One right answer, and a step that returns `value`."""
    return m.attack(top, rnn_step_forward=STEP.format(value=value))


@lying(ONE, measured=True, stock=3.0, says="Agreeable")
def equal_to_everything(m: Material):
    """An object that is equal to everything crosses as the name of its type."""
    return _steps(
        m,
        """
        class Agreeable:
            shape, dtype, ndim = (3, 4), np.dtype(float), 2
            def __eq__(self, other):
                return True
            __ne__ = __lt__ = __gt__ = lambda self, other: False
            __array__ = __len__ = __float__ = __iter__ = lambda self, *args: 0
        """,
        "Agreeable()",
    )


@lying(ONE, says="Yes")
def subclass_of_ndarray(m: Material):
    """An array with a will of its own is no array."""
    return _steps(
        m,
        """
        class Yes(np.ndarray):
            def __eq__(self, other):
                return np.ones(self.shape, bool).view(np.ndarray)
            def __array_ufunc__(self, ufunc, method, *args, **more):
                return np.zeros(self.shape)
            def __array_function__(self, function, types, args, kwargs):
                return True
        """,
        "np.zeros(prev_h.shape).view(Yes)",
    )


@lying(ONE, full=True)
def made_an_array_on_demand(m: Material):
    """__array__ is asked by nobody."""
    top = """
    class Later:
        def __array__(self, *args, **more):
            return np.zeros((3, 4))
        @property
        def __class__(self):
            return np.ndarray
    """
    return _steps(m, top, "Later()")


@lying(ONE, full=True)
def tuple_of_another_length(m: Material):
    """A tuple that lies about its length and its type is no tuple."""
    top = """
    class Pair(tuple):
        def __len__(self):
            return 2
        def __iter__(self):
            return iter((np.zeros((3, 4)), None))
    """
    step = "def rnn_step_forward(*args):\n    return Pair((1, 2, 3))"
    return m.attack(top, rnn_step_forward=step)


@lying(ONE, full=True)
def loss_that_is_nearly_a_float(m: Material):
    """A float with a comparison of its own is no float."""
    return m.attack(
        """
        class Close(float):
            def __eq__(self, other):
                return True
            __sub__ = __rsub__ = lambda self, other: 0.0
            __abs__ = lambda self: 0.0
        """,
        temporal_softmax_loss="""
        def temporal_softmax_loss(x, y, mask):
            return Close(1.0), np.zeros(x.shape) + 7
        """,
    )


def _strange(name: str, value: str, says: str = "") -> None:
    def build(m: Material):
        """No value of this kind is near to anything."""
        return _steps(m, "", value)

    build.__name__ = name
    lying(ONE, says=says, full=True)(build)


_strange("not_a_number", "np.full(prev_h.shape, np.nan)", "NaN or infinite")
_strange("infinite", "np.full(prev_h.shape, np.inf)", "NaN or infinite")
_strange("array_of_objects", "np.full(prev_h.shape, None)", "object")
_strange("array_of_records", "np.zeros(prev_h.shape, [('a', 'f8')])")
_strange("array_of_text", "np.full(prev_h.shape, '0.5')", "ndarray of <U")
_strange("array_of_dates", "np.zeros(prev_h.shape, 'M8[s]')")
_strange("masked_array", "np.ma.masked_all(prev_h.shape)", "MaskedArray")
_strange("matrix", "np.asmatrix(np.zeros(prev_h.shape))", "matrix")
_strange("generator", "(row for row in prev_h)", "generator")
_strange("iterator", "iter(prev_h)", "iterator")
_strange("lazy_zip", "zip(prev_h, prev_h)", "zip")
_strange("file", "open('/dev/null')", "TextIOWrapper")
_strange("type_itself", "np.ndarray", "of type type")
_strange("complex_numbers", "np.zeros(prev_h.shape, complex)", "complex128")
_strange("huge_whole_number", "1 << 10**7", "too large")
_strange("broadcast_array", "np.broadcast_to(0.5, (10**5, 10**5))", "large|shape")
_strange("negative_strides", "np.zeros(prev_h.shape)[::-1, ::-1] + 7")


@lying(ONE, says="nested|deep|large", full=True)
def deeply_nested_answer(m: Material):
    """A list in a list, a thousand deep, is refused before it is followed."""
    top = "deep = []\nfor _ in range(1000):\n    deep = [deep]"
    return _steps(m, top, "deep")


@lying(ONE, full=True)
def answer_that_holds_itself(m: Material):
    """A list that holds itself is refused before it is followed."""
    return _steps(m, "deep = []\ndeep.append(deep)", "deep")


@lying(ONE, says="items|large", full=True)
def answer_of_a_million_items(m: Material):
    """More items than may cross: refused in words."""
    return _steps(m, "", "list(range(10**6 + 10**5))")


@lying(ONE, full=True)
def forged_handle(m: Material):
    """A handle that the student made stands for nothing."""
    return _steps(m, "from cs_caption.checks.wire import Handle", "Handle(1)")


@lying(ONE, says="Recipe", full=True)
def forged_recipe(m: Material):
    """A recipe that the student made is never followed where it is judged."""
    value = "Recipe('module', ({'a': ('Linear', prev_h, prev_h)}, False))"
    return _steps(m, "from cs_caption.checks.wire import Recipe", value)


@lying(ONE, says="float64 tensor", full=True)
def forged_tensor(m: Material):
    """Where torch is absent a class of that name can send a tensor: it is no array."""
    top = """
    import sys, types
    class Tensor:
        def __init__(self, array):
            self.array = array
        def detach(self):
            return self
        def resolve_neg(self):
            return self
        def numpy(self):
            return self.array
    sys.modules["torch"] = types.SimpleNamespace(Tensor=Tensor)
    """
    return _steps(m, top, "Tensor(np.zeros(prev_h.shape))")


@lying(ONE, full=True)
def forged_foreign_name(m: Material):
    """A type may be called what it likes: its name is escaped and cut."""
    name = "'<script>alert(1)</script>' + 'x' * 10**6"
    return _steps(m, f"Odd = type({name}, (), {{}})", "Odd()")


@lying(ONE, full=True)
def pickled_answer(m: Material):
    """Nothing that arrives is run: an object with __reduce__ is the name of its type."""
    top = f"""
    class Bomb:
        def __reduce__(self):
            import os
            return os.system, ("touch {m.root}/solutions/kinds-were-here",)
    """
    return _steps(m, top, "Bomb()")


@lying(ONE | {"rnn_step_forward": 1.0}, says="wrong with others|other numbers")
def public_cases_by_heart(m: Material):
    """What the notebook's own check asks is known by heart; the hidden half is not."""
    known = _public_answers("rnn_step_forward")
    return m.attack(
        f"import pickle\nfrom cs_caption.checks.wire import dumps\nknown = pickle.loads({known!r})",
        rnn_step_forward="""
        def rnn_step_forward(*args):
            return known[dumps(args)], None
        """,
    )


def _public_answers(exercise: str) -> bytes:
    """What the solution answers to each call of the public check."""
    from autograder.zoo import solution_functions
    from cs_caption.checks import run_check, wire
    from cs_caption.checks.subject import LocalSubject

    functions, known = solution_functions(exercise), {}

    def noted(*args):
        known[wire.dumps(args)] = value = functions[exercise](*args)[0]
        return value, None

    run_check(exercise, LocalSubject(exercise, {**functions, exercise: noted}))
    return pickle.dumps(known)


@lying(ONE | {"rnn_step_forward": 1.0}, full=True)
def counts_its_calls(m: Material):
    """Right as often as the notebook's own check calls it, wrong from then on: the hidden half is
    lost."""
    from autograder.zoo import solution_functions
    from cs_caption.checks import run_check
    from cs_caption.checks.subject import LocalSubject

    functions, calls = solution_functions("rnn_step_forward"), []

    def noted(*args):
        calls.append(args)
        return functions["rnn_step_forward"](*args)

    run_check("rnn_step_forward", LocalSubject("rnn_step_forward", {"rnn_step_forward": noted}))
    counted = f"""
plain, calls = rnn_step_forward, []
def rnn_step_forward(*args):
    calls.append(1)
    if len(calls) > {len(calls)}:
        return np.zeros(args[1].shape), None
    return plain(*args)
"""
    return m.attack(rnn_step_forward=m.answers["rnn_step_forward"] + counted)


@lying(POINTS | {"one_hot": 0.18}, says="shape|wrong|other", full=True)
def returns_its_first_answer_for_ever(m: Material):
    """It works once, for 3 of 17 parts; what it then returns is stale, and other sizes show it."""
    first = "\nplain, kept = one_hot, []\ndef one_hot(x, V):\n    kept.append(plain(x, V))\n"
    return m.solved(one_hot=m.answers["one_hot"] + first + "    return kept[0]")


@lying(SPOILT, says="changes its input x", full=True)
def changes_its_arguments(m: Material):
    """It adds to x in place: the case that forbids it is lost, and the gradients of what x went
    into, when the step back reads it from its cache."""
    answer = m.answers["rnn_step_forward"].replace("    a = x @", "    a = 0 + x @")
    spoilt = answer.replace("    return next_h", "    x += 1.0\n    return next_h")
    return m.solved(rnn_step_forward=spoilt)


@lying(ONE, full=True)
def looks_up_the_stack(m: Material):
    """No frame above the function, and no object of the collector, holds what is expected."""
    return m.attack(
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            import gc, sys
            frame, found = sys._getframe(), []
            while frame is not None:
                found += [v for v in frame.f_locals.values() if type(v) is np.ndarray]
                frame = frame.f_back
            found += [o for o in gc.get_objects() if type(o) is np.ndarray]
            theirs = [a for a in found if a.shape == prev_h.shape and a is not prev_h]
            return (theirs or [np.zeros(prev_h.shape)])[0], None
        """
    )


@lying(ONE, full=True)
def asks_a_subprocess(m: Material):
    """No other interpreter knows more: torch is not there either."""
    return m.attack(
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            import subprocess, sys
            code = "import torch, sys; sys.stdout.write(torch.__version__)"
            version = subprocess.check_output([sys.executable, "-c", code])
            return np.tanh(x @ Wx + prev_h @ Wh + b), None
        """
    )


@lying(NOTHING, full=True)
def every_function_a_stub_that_boasts(m: Material):
    """What an exception says is words: escaped, cut, and worth nothing."""
    boast = """
def {name}(*args):
    raise type("Passed<script>alert(1)</script>", (Exception,), {{}})("9 of 9 points\\n" * 100)
"""
    return m.notebook(**{name: boast.format(name=name) for name in EXERCISES})
