"""What takes all there is: memory, disk, and the reader's patience."""

from functools import partial

from kinds.kind import Material, insert, kind, place, without

memory, disk, output = (partial(kind, family) for family in ("memory", "disk", "output"))


@memory(without("rnn_step_backward"), measured=True, stock=0.0, says="MemoryError")
def takes_all_memory(m: Material):
    """MemoryError in the cell, above its function; all others are right."""
    hog = "blocks = []\nwhile True:\n    blocks.append(np.empty(2**27))"
    return m.solved(rnn_step_backward=m.first("rnn_step_backward", hog))


@memory(without("rnn_step_backward"), says="(?i)memory|ended|large", full=True)
def takes_all_memory_in_the_function(m: Material):
    """The check's own copy of the kernel fails; nothing else is lost."""
    return m.solved(
        rnn_step_backward="""
        def rnn_step_backward(dnext_h, cache):
            return [np.empty(2**27) for _ in range(10**6)]
        """
    )


@memory(full=True)
def fills_its_memory(m: Material):
    """Every page is written to, in a cell that is not graded."""
    return m.solved("kept = []\nwhile True:\n    kept.append(np.ones(2**24))")


@memory(without("one_hot"), says="large|bytes|too", full=True)
def answers_with_100_megabytes(m: Material):
    """More than may cross: refused in words, and nothing else is lost."""
    return m.solved(one_hot="def one_hot(x, V):\n    return np.zeros((10**7 + 10**6,))")


@disk(measured=True, says="OSError|No space", full=True)
def fills_the_disk(m: Material):
    """It writes until it may not, in a cell that is not graded; 1 GB at most, were it let."""
    return m.solved(
        """
        import itertools, os, tempfile
        for folder in (".", tempfile.gettempdir(), "/dev/shm", "/var/tmp"):
            for i in range(25):
                with open(os.path.join(folder, f"full-{i}"), "wb") as file:
                    file.write(bytes(10**7))
        """
    )


@disk(says="OSError|too large")
def one_endless_file(m: Material):
    """A file longer than a file may be, in a cell that is not graded."""
    return m.solved("with open('long', 'wb') as file:\n    file.seek(2**40)\n    file.write(b'x')")


@disk(full=True)
def a_million_files(m: Material):
    """As many files as it can make in its time, in a cell that is not graded."""
    return m.solved("for i in range(10**6):\n    open(f'file-{i}', 'w').close()")


@output(measured=True, full=True)
def prints_100_megabytes_in_lines(m: Material):
    """What is printed is cut; every answer stands."""
    return m.solved("for i in range(10**6):\n    print('x' * 100)")


@output(measured=True)
def prints_100_megabytes_in_one_line(m: Material):
    """What is printed is cut; every answer stands."""
    return m.solved("print('x' * 10**8)")


@output(full=True)
def prints_for_ever(m: Material):
    """Cut or stopped, whichever comes first; every answer stands."""
    return m.solved("while True:\n    print('all work and no play')")


@output(full=True)
def shows_for_ever(m: Material):
    """A flood of displays is cut; every answer stands."""
    return m.solved(
        """
        from IPython.display import HTML, display
        for i in range(20_000):
            display(HTML("<b>" + "x" * 5000 + "</b>"))
        """
    )


@output(full=True)
def floods_stderr(m: Material):
    """stderr has no say, however much of it there is."""
    return m.solved(
        "import sys\nfor i in range(10**6):\n    print('warning' * 10, file=sys.stderr)"
    )


@output(without("one_hot"), full=True)
def fails_with_100_megabytes(m: Material):
    """The message of an exception is cut, in a cell and in a check."""
    return m.solved(
        "raise ValueError('x' * 10**8)",
        one_hot="def one_hot(x, V):\n    raise ValueError('x' * 10**8)",
    )


@output(without("one_hot"), full=True)
def prints_for_ever_in_the_function(m: Material):
    """What is printed during a check is dropped, and the loop stopped."""
    return m.solved(one_hot="def one_hot(x, V):\n    while True:\n        print('x' * 10**6)")


@output()
def prints_what_is_no_text(m: Material):
    """Bytes, half characters and control codes are shown somehow; every answer stands."""
    return m.solved(
        r"""
        import os, sys
        os.write(1, bytes(range(256)) * 100)
        os.write(2, bytes(range(256)) * 100)
        print("\ud800 \x00 \x1b[31m \r \u202e \uffff")
        """
    )


@output(full=True)
def shows_what_cannot_be_shown(m: Material):
    """Displays of what no notebook may hold cost their cell at most."""
    notebook = m.solved(
        """
        from IPython.display import display
        display({"image/png": object(), "text/plain": float("nan"), 3: 4}, raw=True)
        """
    )
    again = 'display({"text/plain": {"a": [b"x"]}, "\\ud800": "y"}, raw=True)'
    return insert(notebook, place(notebook, "one_hot"), again)


@output(full=True)
def shows_an_object_that_hangs_itself(m: Material):
    """A repr that raises, and a result that holds itself: their cells alone are concerned."""
    return m.solved(
        """
        class Odd:
            def __repr__(self):
                raise SystemExit
            _repr_html_ = _repr_mimebundle_ = _ipython_display_ = __repr__
        Odd()
        """
    )
