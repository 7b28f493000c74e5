import os
import textwrap
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from autograder.sandbox import Limits
from autograder.session import Kernel
from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.wire import Foreign

SMALL = Limits(memory=2**30, cpu_seconds=60, file=2**20, disk=4 * 2**20, processes=16)
KINDS = ["bubblewrap", "limits", "off"]
full = pytest.mark.full


def sample(cases, *few):
    """Those in `few` always, the others at full budget."""
    return [case if case in few else pytest.param(case, marks=full) for case in cases]


def kernel_of(request, kind: str, **more) -> Kernel:
    if kind == "bubblewrap":
        request.getfixturevalue("bubblewrap")
    return Kernel(kind, SMALL, **more)


@pytest.fixture(params=KINDS, scope="module")
def anywhere(request) -> Iterator[Kernel]:
    with kernel_of(request, request.param) as kernel:
        yield kernel


@pytest.fixture
def fresh(bubblewrap) -> Iterator[Kernel]:
    with Kernel("bubblewrap", SMALL) as kernel:
        yield kernel


@pytest.fixture(scope="module")
def shared(bubblewrap) -> Iterator[Kernel]:
    """For cells that leave the kernel as it was."""
    with Kernel("bubblewrap", SMALL, files={"data.txt": b"beside", "numpy.py": b"1/0"}) as kernel:
        yield kernel
        assert kernel.alive


def run(kernel: Kernel, source: str, seconds: float = 20):
    return kernel.run(textwrap.dedent(source).strip(), seconds)


def text(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def result(kernel: Kernel, source: str) -> str:
    cell = run(kernel, source)
    assert cell.ended == "ok", cell.outputs
    return cell.outputs[-1].data["text/plain"]


def called(kernel: Kernel, name: str, *args, call_seconds: float = 5, check_seconds: float = 20):
    limits = {"call_seconds": call_seconds, "check_seconds": check_seconds}
    with kernel.serving({name: name}, **limits) as link:
        return Subject(name, link).call(args).value


# ---------------------------------------------------------------------------------------- outputs


def test_a_cell_gives_what_it_prints_shows_and_returns_in_order(anywhere):
    cell = run(
        anywhere,
        """
        import sys
        from IPython.display import display
        print("one"); print("two")
        print("three", file=sys.stderr)
        display("four")
        5
        """,
    )
    assert (cell.ended, cell.words) == ("ok", "")
    kinds = [output.output_type for output in cell.outputs]
    assert kinds == ["stream", "stream", "display_data", "execute_result"]
    assert [cell.outputs[0].name, cell.outputs[1].name] == ["stdout", "stderr"]
    assert text(cell) == "one\ntwo\nthree\n"
    assert cell.outputs[2].data == {"text/plain": "'four'"}
    assert cell.outputs[3].data == {"text/plain": "5"}
    assert cell.outputs[3].execution_count >= 1


def test_names_live_from_cell_to_cell_and_an_error_ends_only_its_own(shared):
    run(shared, "x = 3")
    cell = run(shared, "x = 4\n1 / 0\nx = 5")
    assert cell.ended == "error"
    (error,) = cell.outputs
    assert (error.ename, error.evalue) == ("ZeroDivisionError", "division by zero")
    assert "1 / 0" in error.traceback[0]
    assert "\x1b" not in error.traceback[0]
    assert result(shared, "x") == "4"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def f(:", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("input('a number: ')", "RuntimeError"),
        ("%no_such_magic", "UsageError"),
        ("class Odd(Exception):\n    def __str__(self): raise self\nraise Odd", "Odd"),
        ("def f(): f()\nf()", "RecursionError"),
    ],
)
def test_what_a_cell_raises_is_an_error_of_that_cell(bubblewrap, shared, source, name):
    cell = run(shared, source)
    said = [o.get("ename") for o in cell.outputs] + [text(cell)]
    assert any(name in (one or "") for one in said)


def test_top_level_await_magics_and_figures_work(shared):
    assert result(shared, "import asyncio\nawait asyncio.sleep(0)\n7") == "7"
    assert "per loop" in text(run(shared, "%timeit -n1 -r1 1 + 1"))
    assert "here" in text(run(shared, "!echo here"))
    cell = run(shared, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    (picture,) = cell.outputs
    assert picture.output_type == "display_data"
    assert picture.data["image/png"].startswith("iVBOR")


def test_a_figure_of_the_helper_package_keeps_its_html(shared):
    cell = run(
        shared,
        """
        import numpy as np
        from cs_caption.viz.matrix import Matrix, show_matrices
        show_matrices(Matrix("identity", np.eye(2), ["a", "b"], ["c", "d"]), alt="an identity")
        """,
    )
    assert cell.ended == "ok", cell.outputs
    assert "an identity" in str(cell.outputs[-1].data)


def test_files_beside_the_notebook_are_there_and_shadow_nothing(shared):
    assert result(shared, "open('data.txt').read()") == "'beside'"
    assert result(shared, "import numpy; numpy.__file__.split('/')[-1]") == "'__init__.py'"


@pytest.mark.parametrize("name", ["../x", "a/../../b", "/a", "a//b", "..", "", "a\0b"])
def test_a_file_can_be_written_nowhere_else(bubblewrap, name):
    with pytest.raises(ValueError, match="no path of a file"):
        Kernel("bubblewrap", SMALL, files={name: b""})


def test_the_check_of_a_notebook_judges_nothing_in_there(shared):
    words = result(shared, "from cs_caption import check\ncheck('one_hot', print)")
    assert words == "one_hot: checked by the grader, outside this notebook"


@pytest.mark.parametrize(
    "source",
    [
        "print('x' * 10**8)",
        "for _ in range(10**5): print('x' * 1000)",
        "import sys\nfor _ in range(10**5): print('x', end=''); print('y', file=sys.stderr)",
        "'x' * 10**8",
        "raise ValueError('x' * 10**7)",
        "from IPython.display import *\nfor _ in range(1000): display(HTML('x' * 10**5))",
        "from IPython.display import display\nfor _ in range(5000): display(1)",
        "import os\nfor _ in range(1000): os.write(1, b'x' * 10**5), os.write(2, b'x' * 10**5)",
        "import subprocess, sys\nsubprocess.run(['head', '-c', '50000000', '/dev/zero'])",
    ],
)
def test_a_flood_of_output_is_cut_where_it_arises(shared, source):
    cell = run(shared, source)
    assert cell.ended in ("ok", "error")
    assert len(cell.outputs) <= 200
    assert sum(len(str(output)) for output in cell.outputs) < 2_000_000
    assert len(text(cell)) < 150_000


def test_a_cut_is_marked(shared):
    assert "[cut here" in text(run(shared, "print('x' * 10**6)"))


def test_a_thread_that_goes_on_printing_reaches_no_later_cell(fresh):
    run(
        fresh,
        """
        import threading, time
        def on():
            while True: print("late"); time.sleep(0.001)
        threading.Thread(target=on, daemon=True).start()
        """,
    )
    assert run(fresh, "def f(x): return x").ended == "ok"
    assert called(fresh, "f", 4) == 4
    assert fresh.alive


def test_all_cells_together_show_no_more_than_a_page_can_hold(fresh, monkeypatch):
    monkeypatch.setattr("autograder.session.MOST_SHOWN_IN_ALL", 100_000)
    run(fresh, "import sys; sys.modules['_cs_caption_kernel'].TEXT = 10**9")
    assert len(text(run(fresh, "print('x' * 60_000)"))) == 60_001
    assert "not kept" in text(run(fresh, "print('x' * 60_000)"))
    assert text(run(fresh, "print('short')")) == "short\n"


def test_html_that_takes_the_parser_for_ever_is_left_out(shared):
    attributes = "' '.join(f'a{i}=1' for i in range(60_000))"
    cell = run(shared, f"from IPython.display import HTML\nHTML('<p ' + {attributes} + '>')")
    assert "text/html" not in cell.outputs[0].data


def test_what_is_shown_is_harmless_in_a_browser(shared):
    cell = run(
        shared,
        """
        from IPython.display import HTML, Markdown, SVG, Latex, Javascript, display
        bad = "<script>alert(1)</script>"
        display(HTML(bad + "<b onclick='x()'>bold</b><img src=x onerror=alert(1)>"))
        display(HTML("<a href='javascript:x()'>a</a><div style='position:fixed'>d</div><iframe>"))
        display(Markdown(bad + "**words**"))
        display(Latex(bad))
        display(SVG(data="<svg xmlns='http://www.w3.org/2000/svg' onload='x()'></svg>"))
        display(Javascript("alert(1)"))
        display({"image/png": '"><script>alert(1)</script>', "text/plain": "p"}, raw=True)
        """,
    )
    assert cell.ended == "ok", cell.outputs
    shown = {form for output in cell.outputs for form in output.data}
    assert shown <= {"text/plain", "text/html"}
    html = " ".join(output.data.get("text/html", "") for output in cell.outputs)
    assert "<b>bold</b>" in html
    for word in ("<script", "onclick", "onerror", "javascript:", "position", "<iframe"):
        assert word not in html
    assert "**words**" in cell.outputs[2].data["text/plain"]


# ------------------------------------------------------------------------------------------- time


def test_a_loop_without_end_is_interrupted_and_the_kernel_goes_on(anywhere):
    cell = run(anywhere, "x = 1\nprint('before')\nwhile True: pass", 0.3)
    assert cell.ended == "timeout"
    assert "0.3 s" in cell.words
    assert text(cell) == "before\n"
    assert result(anywhere, "x") == "1"


SWALLOWS = """
import time
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass
"""
IGNORES = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
BLOCKS = (
    "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nwhile True: pass"
)


@pytest.mark.parametrize(
    "source", [SWALLOWS, IGNORES, BLOCKS], ids=["swallows", "ignores", "blocks"]
)
def test_a_cell_that_does_not_let_itself_be_interrupted_is_killed(fresh, source, monkeypatch):
    monkeypatch.setattr("autograder.session.GRACE", 0.3)
    run(fresh, "1")
    cell = run(fresh, source, 1)
    assert cell.ended == "timeout"
    assert not fresh.alive
    again = run(fresh, "1")
    assert (again.ended, again.words) == ("dead", cell.words)


def test_a_recursion_without_limit_ends_one_way_or_another(fresh, monkeypatch):
    monkeypatch.setattr("autograder.session.GRACE", 0.3)
    cell = run(fresh, "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", 2)
    assert cell.ended in ("error", "dead", "timeout")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "ended"),
        pytest.param("import os; os.kill(os.getpid(), 9)", "ended", marks=full),
        ("import ctypes; ctypes.string_at(0)", "segmentation fault"),
        pytest.param("import os; os.abort()", "abort", marks=full),
        ("import os; os.closerange(0, 1000)", "ended"),
        ("import os; os.fork(); os.kill(os.getpid(), 9)", "ended"),
    ],
)
@pytest.mark.parametrize("kind", ["bubblewrap", pytest.param("limits", marks=full)])
def test_a_process_that_dies_is_told_in_words(request, kind, source, words):
    with kernel_of(request, kind) as kernel:
        cell = run(kernel, source)
        assert cell.ended == "dead"
        assert words in cell.words
        assert not kernel.alive


def test_a_fork_that_comes_back_twice_speaks_once(fresh):
    cell = run(fresh, "import os\npid = os.fork()\nprint('forked')")
    assert cell.ended == "ok"
    assert result(fresh, "1 + 1") == "2"
    assert result(fresh, "1 + 2") == "3"


# ---------------------------------------------------------------------------------------- serving


def test_a_check_calls_what_the_cells_define(anywhere):
    run(anywhere, "import numpy as np\ndef double(x):\n    print('noise')\n    return 2 * x")
    found = called(anywhere, "double", np.arange(3.0))
    assert found.tolist() == [0, 2, 4]
    assert run(anywhere, "1").outputs[0].output_type == "execute_result"


def test_a_function_can_be_served_under_the_name_of_the_check(shared):
    run(shared, "def mine(x): return x + 1")
    with shared.serving({"theirs": "mine"}, call_seconds=5, check_seconds=20) as link:
        assert Subject("theirs", link).call((1,)).value == 2


def test_a_name_that_is_not_defined_is_told_in_words(shared):
    with pytest.raises(Wrong, match="unheard_of is not defined: is its cell written"):
        called(shared, "unheard_of", 1)


def test_a_check_leaves_nothing_behind_in_the_kernel(shared):
    run(shared, "kept = []\ndef keep(x):\n    kept.append(x)\n    return len(kept)")
    assert called(shared, "keep", 1) == 1
    assert called(shared, "keep", 1) == 1
    assert result(shared, "kept") == "[]"


HANGS = """
import os, time, ctypes, signal, sys, subprocess

def f(kind):
    if kind == "hangs":
        while True: pass
    if kind == "exits":
        os._exit(0)
    if kind == "crashes":
        ctypes.string_at(0)
    if kind == "hogs":
        return bytes(4 * 2**30)
    if kind == "bombs":
        while True: os.fork()
    if kind == "hides":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        os.wait()
        while True: pass
    return kind
"""


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("hangs", "no answer within"),
        pytest.param("exits", "ended in the middle", marks=full),
        ("crashes", "ended in the middle"),
        ("hogs", "MemoryError"),
        ("bombs", "no answer within|BlockingIOError|came back"),
        ("hides", "no answer within"),
    ],
)
def test_a_check_that_goes_wrong_takes_nothing_but_its_fork_with_it(fresh, kind, words):
    run(fresh, HANGS)
    before = fresh._started.members()
    with pytest.raises(Wrong, match=words):
        called(fresh, "f", kind, call_seconds=0.5)
    assert fresh._started.members() == before
    assert fresh.alive
    assert called(fresh, "f", "well") == "well"
    assert result(fresh, "1 + 1") == "2"


def test_a_check_has_a_limit_of_time_in_all(fresh):
    run(fresh, "import time\ndef f(x): time.sleep(0.2)")
    with fresh.serving({"f": "f"}, call_seconds=5, check_seconds=1) as link:
        subject = Subject("f", link)
        with pytest.raises(Wrong, match="more than 1 s in all"):
            for _ in range(20):
                subject.call((1,))
    assert result(fresh, "1 + 1") == "2"


def test_a_check_on_a_dead_kernel_fails_in_words(fresh):
    run(fresh, "import os; os._exit(1)")
    with pytest.raises(Wrong):
        called(fresh, "f", 1)


def test_a_fork_that_kills_the_kernel_fails_its_check_in_words(fresh):
    run(fresh, "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n    while True: pass")
    with pytest.raises(Wrong):
        called(fresh, "f", 1, call_seconds=1)
    assert run(fresh, "1").ended == "dead"
    assert not fresh.alive


def test_replaced_functions_of_the_far_side_only_answer_for_themselves(fresh):
    run(
        fresh,
        """
        import sys
        from cs_caption.checks import farside, wire
        farside.FarSide.answer = lambda self, request: iter([wire.dumps(("passed", 10))])
        def f(x): return x
        """,
    )
    with pytest.raises(Wrong, match="no answer to the question"):
        called(fresh, "f", 1)


def test_a_trace_function_sees_no_more_than_its_own_cell(fresh):
    cell = run(fresh, "import sys\nseen = []\nsys.settrace(lambda *a: seen.append(a[1]))\n1")
    assert cell.ended == "ok"
    run(fresh, "def f(x): return sys.gettrace() is None")
    assert called(fresh, "f", 1) is True


def test_objects_with_a_will_of_their_own_cross_by_the_name_of_their_type(shared):
    run(shared, "class Liar(float):\n    __eq__ = lambda *_: True\ndef f(x): return Liar(1)")
    assert called(shared, "f", 1) == Foreign("Liar")


# --------------------------------------------------------------------------------- forged answers

FORGE = """
import os, socket, stat, struct, threading, time
from cs_caption.checks import wire

def sockets():
    for name in os.listdir("/proc/self/fd"):
        try:
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield int(name)
        except OSError:
            pass

def send(data):
    for fd in sockets():
        try:
            os.write(fd, data)
        except OSError:
            pass

def frame(payload):
    return b"cscw" + struct.pack("<Q", len(payload)) + payload

def deep(depth):
    return (b"l" + struct.pack("<Q", 1)) * depth + b"n"

WIDE = b"a" + bytes([12, 2]) + b"w" + struct.pack("<4qQ", 2**40, 2**20, 8, 8, 8) + bytes(8)
"""
FORGERIES = {
    "garbage": "send(b'complete nonsense, and quite a lot of it')",
    "huge header": "send(b'cscw' + struct.pack('<Q', 2**50))",
    "too large": "send(b'cscw' + struct.pack('<Q', 5 * 2**20) + bytes(5 * 2**20))",
    "wrong number": "send(frame(wire.dumps(('ran', 999, 'ok', []))))",
    "wrong kind": "send(frame(wire.dumps(('served', 2))))",
    "a claim": "send(frame(wire.dumps({'passed': True, 'points': 10})))",
    "bad outputs": "send(frame(wire.dumps(('ran', 2, 'ok', 'all of them'))))",
    "bad ending": "send(frame(wire.dumps(('ran', 2, 'full marks', []))))",
    "deep": "send(frame(deep(10_000)))",
    "giant shape": "send(frame(WIDE))",
    "pickle": "import pickle; send(frame(pickle.dumps(print)))",
}


@pytest.mark.parametrize("kind", sample(FORGERIES, "garbage", "wrong number", "deep"))
def test_a_forged_answer_to_a_cell_ends_the_kernel_in_words(fresh, kind):
    run(fresh, FORGE)
    cell = run(fresh, FORGERIES[kind] + "\ntime.sleep(60)", 5)
    assert cell.ended == "flood"
    assert "what came back from" in cell.words
    assert not fresh.alive


def test_a_forged_answer_with_the_right_number_shows_what_it_shows_and_is_found_out(fresh):
    run(fresh, FORGE)
    fake = """[{"output_type": "stream", "name": "stdout", "text": "10/10", "x": 1},
               {"output_type": "nothing"}, 3, {"output_type": "display_data", "data": {"a": 1}}]"""
    cell = run(fresh, f"send(frame(wire.dumps(('ran', 2, 'ok', {fake}))))")
    assert [dict(o) for o in cell.outputs] == [
        {"output_type": "stream", "name": "stdout", "text": "10/10"}
    ]
    assert run(fresh, "1").ended == "flood"


def test_an_answer_that_comes_drop_by_drop_has_the_same_limit_of_time(fresh, monkeypatch):
    monkeypatch.setattr("autograder.session.GRACE", 0.3)
    run(fresh, FORGE)
    drip = """
    send(b"cscw" + struct.pack("<Q", 1000))
    while True:
        try:
            send(b"x"); time.sleep(0.05)
        except KeyboardInterrupt: pass
    """
    assert run(fresh, drip, 0.5).ended == "timeout"
    assert not fresh.alive


def test_a_kernel_that_speaks_between_cells_is_ended(fresh):
    run(fresh, FORGE)
    run(fresh, "threading.Timer(0.1, send, [b'hello']).start()")
    deadline = time.monotonic() + 10
    while fresh.alive and time.monotonic() < deadline:
        last = run(fresh, "time.sleep(0.05)")
    assert last.ended == "flood"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param("send(b'nonsense ' * 5)", "no message", marks=full),
        pytest.param("send(b'cscw' + struct.pack('<Q', 2**50))", "at most", marks=full),
        pytest.param("send(frame(deep(10_000)))", "deep", marks=full),
        ("send(frame(WIDE))", "cannot be read"),
        ("send(frame(wire.dumps({'points': 10})))", "no answer to the question"),
    ],
)
def test_a_forged_answer_to_a_check_fails_that_check_in_words(fresh, answer, words):
    run(fresh, FORGE)
    run(fresh, f"def f(x):\n    {answer}\n    time.sleep(20)")
    with pytest.raises(Wrong, match=words):
        called(fresh, "f", 1)


# ------------------------------------------------------------------------------------- at the end


HIDES = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3, 100):
            try: os.close(fd)
            except OSError: pass
        time.sleep(1000)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize("kind", KINDS)
def test_closing_leaves_no_process_and_no_folder(request, kind):
    kernel = kernel_of(request, kind)
    run(kernel, HIDES)
    members = kernel._started.members()
    folder = kernel._started.folder
    assert len(members) >= 4 - (kind != "bubblewrap")
    kernel.close()
    psutil.wait_procs(members, timeout=5)
    assert not [one for one in members if one.is_running() and one.status() != "zombie"]
    assert folder is None or not folder.exists()
    kernel.close()


@pytest.mark.parametrize("kind", ["bubblewrap", "limits"])
def test_an_orphan_does_not_outlive_a_kernel_that_dies(request, kind):
    with kernel_of(request, kind) as kernel:
        run(kernel, HIDES)
        members = kernel._started.members()
        assert run(kernel, "os._exit(0)").ended == "dead"
        psutil.wait_procs(members, timeout=5)
        assert not [one for one in members if one.is_running() and one.status() != "zombie"]


def test_no_descriptor_of_ours_stays_open(bubblewrap):
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    with Kernel("bubblewrap", SMALL):
        pass
    before = count()
    for _ in range(2):
        with Kernel("bubblewrap", SMALL) as kernel:
            run(kernel, "def f(x): return x")
            assert called(kernel, "f", 1) == 1
    assert count() == before
