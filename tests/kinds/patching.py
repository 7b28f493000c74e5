"""Attacks that change what a check inside the student's process would lean on.

The check is not there: what is right is right, and what is wrong stays wrong.
"""

from functools import partial

from kinds.kind import NOTHING, ONE, Material, kind

patching = partial(kind, "patching")


@patching(ONE, measured=True, stock=10.0)
def patched_np_testing(m: Material):
    """numpy.testing agrees with everything, in the student's process."""
    return m.attack(
        """
        for name in dir(np.testing):
            if name.startswith("assert"):
                setattr(np.testing, name, lambda *args, **kwargs: None)
        """
    )


@patching(ONE, measured=True, stock=10.0, full=True)
def patched_comparisons(m: Material):
    """So do allclose, array_equal, any, all and max."""
    return m.attack(
        """
        for name in ("allclose", "isclose", "array_equal", "all", "any", "array_equiv"):
            setattr(np, name, lambda *args, **kwargs: True)
        np.max = np.abs = np.sum = lambda *args, **kwargs: 0.0
        """
    )


@patching(ONE, full=True)
def patched_random_numbers(m: Material):
    """Random numbers that are always zero would make all answers alike."""
    return m.attack(
        """
        class Zeros:
            def __init__(self, *args):
                pass
            def __getattr__(self, name):
                return lambda *size, **more: np.zeros(3)
        np.random.RandomState = np.random.default_rng = Zeros
        np.random.seed = lambda *args: None
        """
    )


@patching(NOTHING, full=True)
def patched_builtins(m: Material):
    """isinstance, abs, all and the exceptions are the attacker's: no kernel works with those, and
    with them the one right answer is lost."""
    return m.attack(
        """
        import builtins
        builtins.isinstance = builtins.issubclass = builtins.all = lambda *args: True
        builtins.abs = builtins.max = lambda *args, **more: 0.0
        builtins.AssertionError = builtins.ValueError = type("Nothing", (Exception,), {})
        """
    )


@patching(NOTHING, full=True)
def replaced_ndarray(m: Material):
    """numpy's own names for its types are the attacker's: no array crosses any more, and with that
    the one right answer is lost."""
    return m.attack(
        """
        class Yes(np.ndarray):
            def __eq__(self, other):
                return True
            __ne__ = __lt__ = __gt__ = lambda self, other: False
        np.ndarray, np.float64 = Yes, type("float64", (float,), {})
        """
    )


@patching(ONE, measured=True, stock=12.0)
def ast_transformer(m: Material):
    """Asserts are taken out of every cell below."""
    return m.attack(
        """
        import ast
        class Lenient(ast.NodeTransformer):
            def visit_Assert(self, node):
                return None
            def visit_Call(self, node):
                if getattr(node.func, "id", "") == "check":
                    return ast.Constant(3.0)
                return node
        get_ipython().ast_transformers.append(Lenient())
        """
    )


@patching(ONE, measured=True, stock=12.0, full=True)
def input_transformer(m: Material):
    """Every check below is turned into a number."""
    return m.attack(
        """
        def lenient(lines):
            return ["3.0"] if any("check" in line for line in lines) else lines
        get_ipython().input_transformers_post.append(lenient)
        get_ipython().input_transformers_cleanup.append(lenient)
        """
    )


@patching(NOTHING, measured=True, stock=10.0)
def replaced_run_code(m: Material):
    """No cell below is run, and none fails: no answer is there, not even the right one."""
    return m.attack(
        """
        shell = type(get_ipython())
        async def lenient(self, code, result=None, **more):
            result.result = 3.0
            return False
        shell.run_code = lenient
        """
    )


@patching(ONE, full=True)
def replaced_run_cell(m: Material):
    """Every cell below succeeds without being run; what it had run is honest."""
    return m.attack(
        """
        shell = get_ipython()
        plain = shell.run_cell
        def lenient(source, *args, **more):
            return plain("3.0" if "check(" in source else source, *args, **more)
        shell.run_cell = type(shell).run_cell_magic = lenient
        """
    )


@patching(ONE, measured=True, stock=1.0, full=True)
def custom_exception_handler(m: Material):
    """Exceptions of cells are handled away."""
    return m.attack("get_ipython().set_custom_exc((BaseException,), lambda *args, **more: [])")


@patching(ONE, full=True)
def replaced_displayhook(m: Material):
    """Every result is shown as full marks."""
    return m.attack(
        """
        import sys
        plain = sys.displayhook
        sys.displayhook = lambda value: plain(9.0)
        type(get_ipython().displayhook).__call__ = lambda self, value=None: plain(9.0)
        """
    )


@patching(ONE, measured=True, stock=12.0)
def displayhook_in_the_function(m: Material):
    """A number shown before a check fails is the score of nobody."""
    return m.attack(
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            import sys
            sys.displayhook(2.0)
            return prev_h, None
        """
    )


@patching(ONE, full=True)
def events_after_each_cell(m: Material):
    """Hooks before and after each cell, and formatters for every type."""
    return m.attack(
        """
        shell = get_ipython()
        for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
            shell.events.register(event, lambda *args: print("3.0"))
        formatter = shell.display_formatter.formatters["text/plain"]
        formatter.for_type(object, lambda value, p, cycle: p.text("3.0"))
        """
    )


@patching(ONE)
def replaced_check(m: Material):
    """The name that the notebook imports is the attacker's, in every place."""
    return m.attack(
        """
        import sys, types
        import cs_caption
        check = cs_caption.check = lambda *args, **more: 3.0
        fake = types.ModuleType("cs_caption.checks")
        fake.check = fake.run_check = fake.run_exercise = check
        for name in [n for n in sys.modules if n.startswith("cs_caption.checks")]:
            sys.modules[name] = fake
        sys.modules["cs_caption.checks"] = sys.modules["cs_caption.checks.exercise"] = fake
        """
    )


@patching(ONE, full=True)
def import_hook(m: Material):
    """Whatever is imported from now on is the attacker's."""
    return m.attack(
        """
        import builtins, sys, types
        class Mine:
            def find_spec(self, name, path=None, target=None):
                if name.startswith(("cs_caption", "torch", "autograder")):
                    from importlib.machinery import ModuleSpec
                    return ModuleSpec(name, self)
            def create_module(self, spec):
                return types.ModuleType(spec.name)
            def exec_module(self, module):
                module.check = lambda *args: 3.0
        sys.meta_path.insert(0, Mine())
        for name in [n for n in sys.modules if n.startswith("cs_caption")]:
            del sys.modules[name]
        """
    )


@patching(NOTHING)
def patched_far_side(m: Material):
    """What answers for the functions answers with their arguments, for the right one as well."""
    return m.attack(
        """
        from cs_caption.checks import farside, wire
        farside.FarSide._value = lambda self, function, name, args, keep: args[0]
        """
    )


@patching(ONE, full=True)
def patched_wire(m: Material):
    """Every message says that all is well: the kernel that sends such is replaced."""
    return m.attack(
        """
        from cs_caption.checks import wire
        plain = wire.dumps
        wire.dumps = lambda value: plain({"passed": True, "points": 3.0, "max_points": 3.0})
        """
    )


@patching(ONE, full=True)
def traced_far_side(m: Material):
    """A tracer looks into every frame of the far side for what is expected: it is not there."""
    return m.attack(
        """
        import sys
        found = {}
        def tracer(frame, event, arg):
            found.update({k: v for k, v in frame.f_locals.items() if "expect" in k or k == "truth"})
            return tracer
        sys.settrace(tracer); sys.setprofile(tracer)
        """,
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            return next(iter(found.values()), np.zeros(prev_h.shape)), None
        """,
    )


@patching(ONE, full=True)
def timer_that_raises(m: Material):
    """An alarm goes off ten times a second, wherever the process is at."""
    return m.attack(
        """
        import signal
        signal.signal(signal.SIGALRM, lambda *args: None)
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        """
    )


@patching(ONE, full=True)
def last_words(m: Material):
    """Exit codes, atexit, excepthook and unraisablehook have no say."""
    return m.attack(
        """
        import atexit, os, sys
        atexit.register(lambda: os._exit(0))
        sys.excepthook = sys.unraisablehook = lambda *args: print("9 of 9 points")
        sys.exit = os._exit = os.abort = lambda *args: None
        """
    )
