"""Attempts at what lies outside the sandbox: the network, files, other processes, secrets.

Each prints GOT_OUT where it gets through; the answers are right, and what is outside stays there.
"""

import textwrap
from functools import partial

from kinds.kind import ASSIGNMENT, NOTHING, Material, insert, kind, without

network, reading = (partial(kind, family) for family in ("network", "reading"))

ALARM = 'ALARM = "secret" + "-got-out"\n'


def _tries(m: Material, source: str):
    return m.solved(ALARM + textwrap.dedent(source))


@network(measured=True, stock=12.0)
def connects(m: Material):
    """Nobody can be reached, by name, by number or by an abstract socket."""
    return _tries(
        m,
        f"""
        import socket
        for address in (("127.0.0.1", {m.listener}), ("10.0.0.1", 80), ("::1", {m.listener})):
            try:
                socket.create_connection(address, timeout=0.2)
                print(ALARM)
            except OSError as error:
                print(error)
        try:
            socket.socket(socket.AF_UNIX).connect("\\0caption-kinds-{m.listener}")
            print(ALARM)
        except OSError as error:
            print(error)
        """,
    )


@network(measured=True, stock=12.0, full=True)
def looks_up_a_name(m: Material):
    """No name is found."""
    return _tries(
        m,
        """
        import socket
        try:
            print(ALARM, socket.getaddrinfo("example.com", 80))
        except OSError as error:
            print(error)
        """,
    )


@network(measured=True, stock=12.0, full=True)
def listens(m: Material):
    """A listener in the sandbox hears nobody outside, and ends with it."""
    return _tries(
        m,
        f"""
        import socket
        listener = socket.create_server(("127.0.0.1", 0))
        try:
            socket.create_server(("127.0.0.1", {m.listener}))
        except OSError as error:
            print(error)
        """,
    )


@reading(NOTHING, measured=True, stock=12.0)
def runs_the_source_notebook(m: Material):
    """The solution is not there: whoever has no answers of their own earns nothing."""
    return m.notebook(
        top=ALARM
        + f"""
import glob, json
places = {[str(m.root), "../../..", "/work", "/home", "/course"]!r}
for place in places:
    for path in glob.glob(place + "/solutions/{ASSIGNMENT}/*") + glob.glob(place + "/source/*/*"):
        print(ALARM, path)
        for cell in json.load(open(path))["cells"]:
            exec("".join(cell["source"]))
"""
    )


@reading(measured=True, stock=12.0, full=True)
def prints_its_own_notebook(m: Material):
    """No notebook lies where student code runs."""
    return _tries(
        m,
        """
        import glob
        for path in glob.glob("**/*.ipynb", recursive=True) + glob.glob("../**/*.ipynb"):
            print(ALARM, open(path).read())
        """,
    )


@reading(measured=True, stock=17.0)
def raises_its_own_grade(m: Material):
    """The gradebook is not there."""
    return _tries(m, _GRADEBOOK.format(course=m.course, update="manual_score = 9"))


@reading(measured=True, stock=17.0, full=True)
def lowers_the_grades_of_others(m: Material):
    """The gradebook is not there."""
    return _tries(m, _GRADEBOOK.format(course=m.course, update="auto_score = 0"))


_GRADEBOOK = """
import glob, sqlite3
for path in glob.glob("../../../gradebook.db") + glob.glob("{course}/gradebook.db"):
    print(ALARM, path)
    sqlite3.connect(path).execute("update grade set {update}").connection.commit()
"""


@reading(measured=True, stock=17.0, full=True)
def overwrites_other_submissions(m: Material):
    """No other submission is there, to read or to write."""
    return _tries(
        m,
        f"""
        import glob
        for place in ("..", "../..", "../../..", "{m.course}/submitted"):
            for path in glob.glob(place + "/*/*/*.ipynb"):
                print(ALARM, path)
                open(path, "w").write("nothing")
        """,
    )


@reading(full=True)
def looks_for_the_salt(m: Material):
    """The salt is neither in a file nor in the environment."""
    return _tries(
        m,
        f"""
        import glob, os
        for place in (".", "..", "../../..", "{m.course}", "{m.root}", "/root", "/home"):
            for name in ("/.grading_salt*", "/*/.grading_salt"):
                for path in glob.glob(place + name):
                    print(ALARM, path)
        print([ALARM for name in os.environ if "CAPTION_KINDS" in name])
        """,
    )


@reading()
def looks_into_other_processes(m: Material):
    """No process of the grader is there to be looked into."""
    return _tries(
        m,
        """
        import glob, os
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                if b"CAPTION_KINDS" in open(path, "rb").read():
                    print(ALARM, path)
            except OSError:
                pass
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            if b"pytest" in open(path, "rb").read():
                print(ALARM, path)
        """,
    )


@reading(full=True)
def traces_its_parent(m: Material):
    """The judge's memory cannot be read or written, nor its descriptors taken."""
    return _tries(
        m,
        """
        import ctypes, glob, os
        libc = ctypes.CDLL(None, use_errno=True)
        for pid in [int(p[6:]) for p in glob.glob("/proc/[0-9]*")]:
            try:
                if pid != os.getpid() and b"judge" in open(f"/proc/{pid}/mem", "rb").read(10):
                    print(ALARM)
            except (OSError, ValueError):
                pass
        if libc.ptrace(16, os.getppid(), 0, 0) == 0 and b"pytest" in open(
            f"/proc/{os.getppid()}/cmdline", "rb"
        ).read():
            print(ALARM)
        """,
    )


@reading(full=True)
def writes_to_the_system(m: Material):
    """The packages and the system are read-only: nobody graded later runs what it leaves."""
    return _tries(
        m,
        f"""
        import numpy, os, site, cs_caption
        targets = [os.path.dirname(numpy.__file__), os.path.dirname(cs_caption.__file__),
                   *site.getsitepackages(), "/usr/bin", "/etc", "{m.root}", "{m.root}/solutions"]
        for target in targets:
            try:
                with open(os.path.join(target, "kinds-were-here.pth"), "w") as file:
                    file.write("import os")
                if "{m.root}" in target or "packages" in target:
                    print(ALARM, target)
            except OSError as error:
                print(error)
        """,
    )


@reading(full=True)
def leaves_something_for_the_next(m: Material):
    """What is left in temporary folders is gone with the sandbox; the next kind looks for it."""
    return _tries(m, _LEFT)


@reading(full=True)
def looks_for_what_was_left(m: Material):
    """Nothing of another student's is there (graded again, of its own either)."""
    return _tries(m, _LEFT)


_LEFT = """
import os, tempfile
folders = (".", tempfile.gettempdir(), "/dev/shm", os.path.expanduser("~"), "/var/tmp")
paths = [os.path.join(folder, "kinds-left-this") for folder in folders]
print([ALARM + path for path in paths if os.path.exists(path)])
for path in paths:
    try:
        open(path, "w").write("look here")
    except OSError as error:
        print(error)
"""


@reading()
def prints_what_the_checks_gave_it(m: Material):
    """What a check hands over is no secret for long (a salt's numbers, no answers): what is kept in
    the kernel's memory is gone with the check, and the answers stand."""
    keep = """
    kept = []
    def keeping(function):
        def keeps(*args):
            kept.append(repr(args))
            return function(*args)
        return keeps
    """
    own = m.answers["rnn_step_forward"] + "\nrnn_step_forward = keeping(rnn_step_forward)"
    notebook = m.solved(keep, rnn_step_forward=own)
    return insert(notebook, len(notebook.cells), ALARM + "print(kept, ALARM if kept else '')")


@reading(without("rnn_step_forward", "rnn_step_backward"), says="File too large", full=True)
def prints_what_a_check_wrote_to_a_file(m: Material):
    """A function that is checked may write no file, or a later cell could print what the hidden
    cases handed over: it fails, and what leans on it."""
    keep = """
    def keeping(function):
        def keeps(*args):
            with open("kept.txt", "a") as file:
                file.write(repr([getattr(a, "tolist", lambda: a)() for a in args]))
            return function(*args)
        return keeps
    """
    own = m.answers["rnn_step_forward"] + "\nrnn_step_forward = keeping(rnn_step_forward)"
    notebook = m.solved(keep, rnn_step_forward=own)
    return insert(notebook, len(notebook.cells), "print(open('kept.txt').read())")


@reading(NOTHING, full=True)
def asks_the_oracles(m: Material):
    """Neither the checks' oracles nor torch is where student code runs."""
    return m.notebook(
        top=ALARM
        + """
import importlib
for name in ("torch", "cs_caption.checks.n02_hello_rnn.by_torch", "autograder",
             "autograder.mutants", "cs_caption.checks.n02_hello_rnn"):
    try:
        importlib.import_module(name)
        print(ALARM, name)
    except ImportError as error:
        print(error)
"""
    )
