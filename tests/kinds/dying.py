"""What ends its own process, and what then is left to grade."""

from functools import partial

from kinds.kind import POINTS, Material, insert, kind, place, without

dying = partial(kind, "dying")

DEAD = r"(?i)ended|died|dead|killed|crash|stopped"


def _in_an_answer(m: Material, source: str):
    return m.solved(rnn_step_backward=m.first("rnn_step_backward", source))


@dying(
    without("rnn_step_backward"), measured=True, stock=8.0, says="SystemExit|sys.exit", full=True
)
def sys_exit(m: Material):
    """The cell is left above its function; the kernel lives on."""
    return _in_an_answer(m, "import sys\nsys.exit(3)")


@dying(without("rnn_step_backward"), measured=True, says=DEAD)
def os_exit(m: Material):
    """The kernel is replaced; the killer is not run again, so its function is missing."""
    return _in_an_answer(m, "import os\nos._exit(0)")


@dying(without("rnn_step_backward"), measured=True, says=DEAD, full=True)
def segfault(m: Material):
    """The kernel is replaced; the killer is not run again."""
    return _in_an_answer(m, "import ctypes\nctypes.string_at(0)")


@dying(without("rnn_step_backward"), measured=True, full=True)
def recursion_without_end(m: Material):
    """The stack overflows, in C: the kernel dies or the cell fails, above its function."""
    return _in_an_answer(
        m,
        """
        import sys
        sys.setrecursionlimit(10**9)
        def deeper(x):
            return sorted([x], key=deeper)
        deeper(0)
        """,
    )


@dying(says=DEAD, full=True)
def abort(m: Material):
    """It ends in a cell that is not graded: all the rest is run again."""
    return m.solved("import os\nos.abort()")


@dying(says=DEAD, full=True)
def kills_itself(m: Material):
    """SIGKILL to itself in a cell that is not graded: all the rest is run again."""
    return m.solved("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")


@dying(full=True)
def kills_everything(m: Material):
    """It kills its parent and all that it can: that is no more than its own sandbox."""
    return m.solved(
        """
        import os, signal
        for pid in (os.getppid(), 1, -1, 0):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        """
    )


@dying(full=True)
def becomes_another_program(m: Material):
    """The kernel's process runs /bin/true instead: replaced, and the rest run again."""
    return m.solved("import os\nos.execv('/bin/true', ['true'])")


@dying(full=True)
def closes_every_descriptor(m: Material):
    """It closes what it is spoken to through: the kernel is replaced."""
    return m.solved("import os\nos.closerange(0, 65536)")


@dying(without("rnn_step_forward", "rnn_step_backward"), says=DEAD)
def os_exit_in_the_function(m: Material):
    """The check's own copy of the kernel ends; the step and what leans on it are lost."""
    return m.solved(
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            import os
            os._exit(0)
        """
    )


@dying(without("rnn_step_backward"), says=DEAD, full=True)
def segfault_in_the_function(m: Material):
    """The check's own copy of the kernel ends; nothing else is lost."""
    return m.solved(
        rnn_step_backward="""
        def rnn_step_backward(dnext_h, cache):
            import ctypes
            return ctypes.string_at(0)
        """
    )


@dying(without("rnn_step_backward"), says="recursion|RecursionError", full=True)
def recursion_in_the_function(m: Material):
    """It calls itself for ever, and Python stops it."""
    return m.solved(
        rnn_step_backward="def rnn_step_backward(d, cache):\n    return rnn_step_backward(d, cache)"
    )


@dying(POINTS | {"temporal_softmax_loss": 0.0}, says=DEAD, full=True)
def dies_again_and_again(m: Material):
    """Three times a new kernel goes on; it dies a fourth time above the last answer."""
    notebook = m.solved()
    for grade_id in ("one_hot", "rnn_step_forward", "rnn_step_backward", "temporal_softmax_loss"):
        insert(notebook, place(notebook, grade_id), "import os\nos._exit(1)")
    return notebook


@dying(without("rnn_step_backward"), full=True)
def dies_when_it_is_forgotten(m: Material):
    """The exit waits in a destructor, and in atexit: whatever it ends, it earns nothing."""
    return m.solved(
        """
        import atexit, os
        atexit.register(os._exit, 0)
        class Mine:
            def __del__(self):
                os._exit(0)
        """,
        rnn_step_backward="def rnn_step_backward(dnext_h, cache):\n    return Mine()",
    )
