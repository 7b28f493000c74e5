"""What never ends, or not soon enough."""

from functools import partial

from kinds.kind import Material, insert, kind, place, without

endless = partial(kind, "endless")

LATE = r"(?i)seconds|\d s\b|time"


@endless(without("rnn_step_backward"), measured=True, stock=8.0, says=LATE)
def loop_in_an_answer(m: Material):
    """The cell is stopped above its function; all others are right."""
    return m.solved(rnn_step_backward=m.first("rnn_step_backward", "while True:\n    pass"))


@endless(says=LATE, full=True)
def loop_between_two_checks(m: Material):
    """The cell that is stopped defines nothing that is graded."""
    notebook = m.solved()
    return insert(notebook, place(notebook, "rnn_step_forward"), "while True:\n    pass")


@endless(without("rnn_step_backward"), says=LATE)
def loop_in_the_function(m: Material):
    """The function that is checked never returns; all others are right."""
    loop = "def rnn_step_backward(dnext_h, cache):\n    while True:\n        pass"
    return m.solved(rnn_step_backward=loop)


@endless(without("temporal_softmax_loss"), measured=True, says=LATE)
def swallowed_interrupt(m: Material):
    """The loop catches its interrupt: the kernel is replaced, what was finished is run again."""
    loop = """
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
    """
    return m.solved(temporal_softmax_loss=m.first("temporal_softmax_loss", loop))


@endless(measured=True, stock=8.0, says=LATE, full=True)
def blocked_interrupt(m: Material):
    """SIGINT is blocked in a cell that is not graded: the kernel is replaced."""
    return m.solved(
        """
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
        while True:
            pass
        """
    )


@endless(says=LATE, full=True)
def ignored_interrupt(m: Material):
    """SIGINT is ignored in a cell that is not graded: the kernel is replaced."""
    return m.solved(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass"
    )


@endless(says=LATE, full=True)
def loop_that_hears_nothing(m: Material):
    """A loop inside C looks at no signal: the kernel is replaced."""
    return m.solved("import collections, itertools\ncollections.deque(itertools.count(), maxlen=0)")


@endless(says=LATE, full=True)
def sleeps(m: Material):
    """It waits for a week and a half in a cell that is not graded."""
    return m.solved("import time\ntime.sleep(1e6)")


@endless(says=LATE, full=True)
def waits_for_itself(m: Material):
    """A lock that nobody releases, in a cell that is not graded."""
    return m.solved("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()")


@endless(without("rnn_step_forward", "rnn_step_backward"), says=LATE, full=True)
def answers_slowly(m: Material):
    """Each call comes within its limit; all of them together take too long for any check."""
    slow = m.answers["rnn_step_forward"].replace(
        '"""\n    a =', '"""\n    time.sleep(1.2)\n    a ='
    )
    return m.solved("import time", rnn_step_forward=slow)


@endless(without("rnn_step_backward"), says=LATE, full=True)
def loop_with_a_handler(m: Material):
    """The function that is checked catches whatever would end it."""
    return m.solved(
        rnn_step_backward="""
        def rnn_step_backward(dnext_h, cache):
            import signal
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            while True:
                pass
        """
    )
