"""Students who mean well: what they know is what they get."""

from functools import partial

from kinds.kind import NOTHING, ONE, POINTS, Material, insert, kind, place, without

honest = partial(kind, "honest")

HALF = without("rnn_step_backward", "temporal_softmax_loss")


@honest(measured=True, stock=12.0)
def clean(m: Material):
    """Every answer is right."""
    return m.solved()


@honest(NOTHING, measured=True, stock=0.0, says="not written yet")
def untouched(m: Material):
    """Nothing was written."""
    return m.notebook()


@honest(
    without("rnn_step_backward", "temporal_softmax_loss"), measured=True, says="not written yet"
)
def half_solved(m: Material):
    """Two of four are written, and right."""
    return m.notebook("one_hot", "rnn_step_forward")


@honest(ONE, measured=True, stock=1.0, says="expected|wrong")
def wrong_answers(m: Material):
    """One answer is right; the three others return the right shapes and nothing else."""
    return m.attack()


@honest(POINTS | {"temporal_softmax_loss": 2.6}, measured=True, stock=0.0, says="overflow")
def naive_softmax(m: Material):
    """It is right but overflows, with numpy's warning: the cases with large scores are lost."""
    return m.solved(
        temporal_softmax_loss="""
        def temporal_softmax_loss(x, y, mask):
            p = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
            right = np.arange(x.shape[-1]) == y[..., None]
            real, tokens = mask[..., None], max(mask.sum(), 1)
            loss = -np.log(p[right & real]).sum() / tokens
            return float(loss), np.where(real, p - right, 0.0) / tokens
        """
    )


@honest(POINTS | {"rnn_step_backward": 1.6}, measured=True, says="dWh", full=True)
def partly_right(m: Material):
    """One of five gradients is transposed: its case and those of all five, 7 of 15 parts."""
    wrong = m.answers["rnn_step_backward"].replace("prev_h.T @ da", "da.T @ prev_h")
    return m.solved(rnn_step_backward=wrong)


@honest(
    without("rnn_step_forward", "rnn_step_backward"),
    says="SyntaxError|not defined|not Python",
    full=True,
)
def no_python(m: Material):
    """The cell of the step cannot be read, so that the step and what leans on it are lost."""
    return m.solved(rnn_step_forward="def rnn_step_forward(x, prev_h, Wx, Wh, b\n    return 1")


@honest(full=True)
def helper_in_a_cell(m: Material):
    """An answer may call a function that the student wrote in a cell of their own."""
    own = "def softly(a):\n    return np.tanh(a)"
    return m.solved(
        own, rnn_step_forward=m.answers["rnn_step_forward"].replace("np.tanh", "softly")
    )


@honest(full=True)
def demonstration_changed(m: Material):
    """A demonstration that the student changed, and that fails now, is not graded."""
    notebook = m.solved()
    for cell in notebook.cells:
        if "demo" in cell.metadata.get("tags", []):
            cell.source += "\n1 / 0"
    return notebook


@honest(full=True)
def magics(m: Material):
    """IPython's own commands, well or badly used, cost nothing."""
    notebook = m.solved("%matplotlib inline\n%timeit -n 1 -r 1 np.zeros(3)\n!ls\n%no_such_magic")
    return insert(notebook, 3, "%%time\nlen('hello')")


@honest(full=True)
def checks_of_their_own(m: Material):
    """A student may look at what check returns; the graded check is another."""
    notebook = m.solved()
    at = place(notebook, "test_one_hot")
    insert(notebook, at, "assert check('one_hot', one_hot).passed")
    return insert(notebook, at, "print(check('one_hot', one_hot))")


@honest(full=True)
def asks_for_input(m: Material):
    """Nobody is there to answer: the cell fails, and it is not graded."""
    return m.solved("name = input('What is your name? ')")


@honest(full=True)
def answers_that_are_no_plain_functions(m: Material):
    """What can be called is an answer: a lambda, a partial, a method, a callable object."""
    return m.solved(
        one_hot="one_hot = lambda x, V: np.eye(V)[np.asarray(x, dtype=int)]",
        rnn_step_forward=m.answers["rnn_step_forward"]
        + "\nimport functools\nrnn_step_forward = functools.partial(rnn_step_forward)",
        rnn_step_backward=m.answers["rnn_step_backward"]
        + """
class Step:
    def __init__(self, function):
        self.function = function
    def __call__(self, *args):
        return self.function(*args)
rnn_step_backward = Step(rnn_step_backward)""",
    )


@honest(full=True)
def views_with_odd_strides(m: Material):
    """A right answer that is a view, turned round twice, is right."""
    turned = "\nplain = one_hot\none_hot = lambda x, V: plain(x, V)[..., ::-1].copy()[..., ::-1]"
    return m.solved(one_hot=m.answers["one_hot"] + turned)


@honest(repairs="moved below|so that it counts", full=True)
def answers_below_their_checks(m: Material):
    """All was written in one cell at the end: the stubs and the checks are told apart from it."""
    notebook = m.notebook()
    return insert(notebook, len(notebook.cells), "\n\n".join(m.answers.values()))


@honest(POINTS | {"rnn_step_backward": 2.6}, says="in flight|between|cache", full=True)
def cache_in_a_global(m: Material):
    """The cache lies in a global: right until two steps are in flight at once."""
    return m.solved(
        rnn_step_forward=m.answers["rnn_step_forward"]
        + "\nplain = rnn_step_forward\nkept = []"
        + "\ndef rnn_step_forward(*args):"
        + "\n    next_h, cache = plain(*args)\n    kept[:] = [cache]\n    return next_h, None",
        rnn_step_backward=m.answers["rnn_step_backward"]
        + "\nback = rnn_step_backward"
        + "\ndef rnn_step_backward(dnext_h, cache):\n    return back(dnext_h, kept[0])",
    )


@honest(measured=True, stock=0.0)
def warning_in_an_answer(m: Material):
    """A warning on stderr says nothing about the answer."""
    warns = "\n    import warnings; warnings.warn('careful', stacklevel=1)"
    spoken = {
        name: m.answers[name].replace('"""\n    ', f'"""{warns}\n    ') for name in ("one_hot",)
    }
    return m.solved(**spoken)


@honest(full=True)
def talks_while_it_works(m: Material):
    """What a function prints, logs or writes to its descriptors is no part of its answer."""
    talk = """
import logging, os, sys
def aloud(function):
    def loud(*args):
        print("working on it", args[0])
        print("on stderr", file=sys.stderr)
        logging.error("in the log")
        os.write(1, b"straight to stdout"); os.write(2, b"straight to stderr")
        return function(*args)
    return loud
"""
    return m.solved(talk, one_hot=m.answers["one_hot"] + "\none_hot = aloud(one_hot)")


@honest(full=True)
def threads_and_children_that_end(m: Material):
    """A pool of threads, a pool of processes and a command, all ended: ordinary work."""
    return m.solved(
        """
        import concurrent.futures, subprocess, sys
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            print(list(pool.map(abs, [-1, -2])))
        print(subprocess.run([sys.executable, "-c", "print(3)"], capture_output=True).stdout)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            print(list(pool.map(abs, [-1, -2])))
        """
    )


@honest(without("rnn_step_backward"), says="torch")
def leans_on_torch(m: Material):
    """torch is absent where this is graded: the gradient is to be written, not asked for."""
    return m.solved(
        rnn_step_backward="""
        def rnn_step_backward(dnext_h, cache):
            import torch
            x, prev_h, Wx, Wh, next_h, activation = cache
            tensors = [torch.tensor(a, requires_grad=True) for a in (x, prev_h, Wx, Wh)]
            b = torch.zeros(Wh.shape[0], dtype=torch.float64, requires_grad=True)
            x, prev_h, Wx, Wh = tensors
            out = getattr(torch, activation)(x @ Wx + prev_h @ Wh + b)
            out.backward(torch.tensor(dnext_h))
            return tuple(t.grad.numpy() for t in (*tensors, b))
        """
    )
