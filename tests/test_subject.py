import os
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from cs_caption.checks import remote, wire
from cs_caption.checks.remote import PipeLink, RemoteSubject
from cs_caption.checks.subject import LocalSubject, Subject, Wrong
from cs_caption.checks.wire import Foreign, Handle

FUNCTIONS = """
import os, sys, time, warnings, logging
import numpy as np

def add(x, y):
    return x + y

def layered(x):
    return [x, (x, {"k": x.T})], "cache"

def forward(x, w):
    return np.tanh(x @ w), [x, w]

def backward(dout, cache):
    x, w = cache
    da = dout * (1 - np.tanh(x @ w) ** 2)
    return da @ w.T, x.T @ da

def describe(x):
    return x.strides, x.flags.writeable, type(x).__name__

def in_place(a, b, c):
    b += 1
    c["k"].append(2)
    return a

def reused(x, buffer=np.zeros(1)):
    buffer[0] = x
    return buffer

def fails(x):
    helper(x)

def helper(x):
    raise KeyError("no such word")

def not_written(x):
    raise NotImplementedError

def leans_on_a_stub(x):
    return not_written(x)

def unspeakable(x):
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError
    raise Odd

def leaves(x):
    sys.exit(3)

def nothing(x):
    pass

def strange(x):
    return object(), print, np.array([None]), (i for i in x)

def endless_list(x):
    found = []
    found.append(found)
    return found

def noisy(x):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    sys.__stdout__.write("to the real one")
    sys.__stdout__.flush()
    warnings.warn("careful")
    logging.warning("look out")
    np.log(np.zeros(1) - 1)
    return x

def very_noisy(x):
    os.write(1, b"straight to the descriptor")
    os.write(2, b"straight to the other one")
    sys.stdout.buffer.write(b"bytes")
    return x

def dies(x):
    os._exit(0)

def hangs(x):
    while True:
        pass

def sleeps(x):
    time.sleep(x)
    return x

def by_loop(x):
    total = 0.0
    for value in x.flat:
        total += value
    return total

def by_comprehension(x):
    return sum([value for value in x.flat])

def by_helper(x):
    return np.vectorize(once)(x).sum()

def once(value):
    return value

def at_once(x):
    return x.sum()
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("far") / "student.py"
    path.write_text(FUNCTIONS)
    return path


@pytest.fixture(scope="module")
def functions(file):
    names = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    return names


@pytest.fixture(scope="module")
def far(file):
    subject = RemoteSubject("add", file)
    yield subject
    subject.close()


@pytest.fixture(params=["local", "remote"])
def subject(request, functions):
    if request.param == "local":
        return LocalSubject("add", functions)
    return request.getfixturevalue("far")


def test_a_call_gives_what_the_function_returns(subject):
    out = subject.call((np.arange(3.0), 1)).value
    assert type(out) is np.ndarray
    assert out.tolist() == [1, 2, 3]


def test_nested_results_cross(subject):
    x = np.arange(6.0).reshape(2, 3)
    (first, (second, inner)), cache = subject.call((x,), function="layered").value
    assert np.array_equal(first, x)
    assert np.array_equal(second, x)
    assert np.array_equal(inner["k"], x.T)
    assert cache == "cache"


def test_many_calls_cross_in_one_message_and_come_back_in_order(subject):
    outcomes = subject.calls([(i, 10) for i in range(50)])
    assert [outcome.value for outcome in outcomes] == [10 + i for i in range(50)]


def test_what_is_kept_stays_there_and_can_be_passed_on(subject):
    x, w, dout = np.ones((2, 3)), np.full((3, 4), 0.1), np.ones((2, 4))
    out, cache = subject.call((x, w), keep=(1,), function="forward").value
    assert type(cache) is Handle
    other = subject.call((2 * x, w), keep=(1,), function="forward").value[1]
    dx, dw = subject.call((dout, cache), function="backward").value
    expected = dout * (1 - np.tanh(x @ w) ** 2)
    np.testing.assert_allclose(dx, expected @ w.T)
    np.testing.assert_allclose(dw, x.T @ expected)
    assert out.shape == (2, 4)
    assert other != cache


def test_what_is_kept_can_be_read_as_it_is_now(subject):
    x, w = np.ones((2, 3)), np.ones((3, 4))
    out, cache = subject.call((x, w), keep=(0, 1), function="forward").value
    before = subject.read(out)
    np.testing.assert_allclose(before, np.tanh(3 * np.ones((2, 4))))
    subject.call((0, out, {"k": []}), function="in_place")
    np.testing.assert_allclose(subject.read(out), before + 1)
    assert np.array_equal(subject.read(cache)[1], w)


def test_a_handle_inside_a_list_is_what_it_stands_for(subject):
    x, w = np.ones((2, 3)), np.ones((3, 4))
    cache = subject.call((x, w), keep=(1,), function="forward").value[1]
    assert len(subject.call(([cache], [cache])).value) == 2
    assert np.array_equal(subject.call(([cache], [])).value[0][1], w)


def test_what_is_left_does_not_cross(subject):
    _, cache = subject.calls([(np.ones((2, 3)), np.ones((3, 4)))], leave=(1,), function="forward")[
        0
    ].value
    assert cache == Handle(0)


def test_arrays_arrive_with_their_strides_and_flags(subject):
    x = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    x.flags.writeable = False
    strides, writeable, kind = subject.call((x,), function="describe").value
    assert strides == x.strides
    assert writeable is False
    assert kind == "ndarray"


def test_arguments_that_were_changed_are_reported_and_ours_are_not_touched(subject):
    a, b, c = np.ones(2), np.ones(2), {"k": [1]}
    outcome = subject.call((a, b, c), function="in_place")
    assert outcome.mutated == (1, 2)
    assert b.tolist() == [1, 1]
    assert c == {"k": [1]}
    assert subject.call((a, b)).mutated == ()


def test_each_result_is_taken_as_it_was_when_its_call_ended(subject):
    outcomes = subject.calls([(1.0,), (2.0,)], function="reused")
    assert [outcome.value[0] for outcome in outcomes] == [1.0, 2.0]


def test_an_exception_is_told_with_its_type_message_and_line(subject):
    with pytest.raises(Wrong) as caught:
        subject.call((1,), function="fails")
    line = FUNCTIONS.splitlines().index('    raise KeyError("no such word")') + 1
    assert str(caught.value) == (
        "fails stopped with KeyError: 'no such word' "
        f'(line {line}: `raise KeyError("no such word")`)'
    )


def test_a_stub_is_told_to_be_not_written_yet(subject):
    with pytest.raises(Wrong, match=r"^not_written is not written yet: this check needs it$"):
        subject.call((1,), function="not_written")


def test_a_stub_that_a_function_calls_is_told_by_its_name(subject):
    words = r"^not_written, which leans_on_a_stub calls, is not written yet$"
    with pytest.raises(Wrong, match=words):
        subject.call((1,), function="leans_on_a_stub")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("unspeakable", "cannot be read"),
        ("leaves", "SystemExit"),
        ("missing", "missing is not defined"),
        ("endless_list", "too large to look at"),
    ],
)
def test_whatever_a_function_raises_is_words_in_the_end(subject, function, words):
    with pytest.raises(Wrong, match=words):
        subject.call((1,), function=function)
    assert subject.call((1, 1)).value == 2


def test_results_are_typed_by_what_they_are(subject):
    assert subject.call((1,), function="nothing").value is None
    found = subject.call(((1, 2),), function="strange").value
    assert [type(item) for item in found] == [Foreign] * 4
    assert [item.kind for item in found] == [
        "object",
        "builtin_function_or_method",
        "ndarray of object",
        "generator",
    ]


def test_what_is_printed_warned_or_logged_gets_nowhere(subject, capfd, recwarn):
    quiet = "noisy" if not isinstance(subject._link, PipeLink) else "very_noisy"
    if quiet == "noisy":
        sys.__stdout__.flush()
    for name in {"noisy", quiet}:
        assert subject.call((5,), function=name).value == 5
    out, err = capfd.readouterr()
    assert out.replace("to the real one", "") == ""
    assert err == ""
    assert not recwarn.list


def test_derivatives_along_directions_agree_with_the_gradient(subject):
    rng = np.random.RandomState(0)
    x, w, dout = rng.randn(2, 3), rng.randn(3, 4), rng.randn(2, 4)
    u, v = rng.randn(2, 3), rng.randn(3, 4)
    found = subject.vjp((x, w), dout, [(0, u), (1, v)], result=0, leave=(1,), function="forward")
    da = dout * (1 - np.tanh(x @ w) ** 2)
    np.testing.assert_allclose(found, [np.sum((da @ w.T) * u), np.sum((x.T @ da) * v)], rtol=1e-8)


def test_a_derivative_of_something_that_is_no_array_is_refused_in_words(subject):
    with pytest.raises(Wrong, match="from call to call"):
        subject.vjp((np.ones(2),), np.ones(2), [(0, np.ones(2))], function="nothing")


@pytest.mark.parametrize("name", ["by_loop", "by_comprehension", "by_helper"])
def test_a_loop_is_found_by_the_lines_that_it_runs(subject, name):
    few, many = (subject.lines((np.ones(n),), function=name) for n in (10, 500))
    assert few < 60
    assert many >= 500


def test_a_call_without_a_loop_runs_as_many_lines_whatever_the_size(subject):
    assert [subject.lines((np.ones(n),), function="at_once") for n in (10, 500)] == [1, 1]


def test_counting_lines_leaves_a_debugger_in_its_place(subject):
    before = sys.gettrace()
    subject.lines((np.ones(3),), function="by_loop")
    assert sys.gettrace() is before


def test_a_function_that_fails_while_its_lines_are_counted_is_told_in_words(subject):
    with pytest.raises(Wrong, match="fails stopped with KeyError"):
        subject.lines((1,), function="fails")


def test_ctrl_c_gets_through_in_the_notebook():
    def interrupted():
        raise KeyboardInterrupt

    stdout = sys.stdout
    with pytest.raises(KeyboardInterrupt):
        LocalSubject("f", {"f": interrupted}).call(())
    assert sys.stdout is stdout


# ------------------------------------------------------------------------------- the far side ends


def test_a_process_that_ends_is_told_in_words_from_then_on(file):
    subject = RemoteSubject("dies", file)
    for _ in range(2):
        with pytest.raises(Wrong, match="ended in the middle of the call"):
            subject.call((1,))
    subject.close()


def test_a_loop_without_end_is_stopped_by_the_limit_of_time(file):
    subject = RemoteSubject("hangs", file, seconds=0.3)
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(Wrong, match=r"no answer within 0\.3 s"):
            subject.call((1,))
    assert time.monotonic() - start < 2


def test_an_answer_that_comes_drop_by_drop_has_the_same_limit_of_time():
    (read, drops), (_requests, write) = os.pipe(), os.pipe()
    frame = b"cscw" + (1000).to_bytes(8, "little") + bytes(1000)
    stop = threading.Event()

    def drip():
        for byte in frame:
            if stop.wait(0.02):
                return
            os.write(drops, bytes([byte]))

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(Wrong, match=r"no answer within 0\.3 s"):
            Subject("f", PipeLink(read, write, seconds=0.3)).call((1,))
    finally:
        stop.set()
        thread.join()


def test_the_limit_of_time_is_for_each_call_not_for_all(file):
    subject = RemoteSubject("sleeps", file, seconds=1.0)
    assert [o.value for o in subject.calls([(0.3,)] * 5)] == [0.3] * 5
    subject.close()


def test_closing_ends_the_process_and_says_so_afterwards(file):
    subject = RemoteSubject("add", file)
    subject.close()
    with pytest.raises(Wrong, match="closed"):
        subject.call((1, 2))
    subject.close()


def test_a_file_that_does_not_load_defines_nothing(tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("def early(x):\n    return x\n\n1 / 0\n\ndef late(x):\n    return x\n")
    subject = RemoteSubject("early", broken)
    assert subject.call((3,)).value == 3
    with pytest.raises(Wrong, match="late is not defined"):
        subject.call((3,), function="late")
    subject.close()


def test_functions_can_be_served_under_other_names(file):
    subject = RemoteSubject("plus", file, {"plus": "add"})
    assert subject.call((1, 2)).value == 3
    subject.close()


def test_a_far_side_that_cannot_start_is_told_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(remote.sys, "executable", "/bin/false")
    with pytest.raises(Wrong, match="did not start"):
        RemoteSubject("add", tmp_path / "none.py")


HOSTILE = """
import os, struct, sys
from cs_caption.checks import wire

def pipe():
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("pipe:") and int(name) > 2:
            yield int(name)

def send(data):
    for fd in pipe():
        try:
            os.write(fd, data)
        except OSError:
            pass

def frame(payload):
    return b"cscw" + struct.pack("<Q", len(payload)) + payload

def f(kind):
    if kind == "noise":
        send(b"complete nonsense, and quite a lot of it")
    if kind == "huge":
        send(b"cscw" + struct.pack("<Q", 2**50))
    if kind == "half":
        send(b"cscw" + struct.pack("<Q", 500) + b"half of it")
        os._exit(0)
    if kind == "pickle":
        import pickle
        send(frame(pickle.dumps(print)))
    if kind == "claim":
        send(frame(wire.dumps({"passed": True, "points": 3})))
    if kind == "error":
        send(frame(wire.dumps(("error", 3, None, "x", [], ()))))
    if kind == "mutated":
        send(frame(wire.dumps(("value", 1.0, ("all",)))))
    return 1.0
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to find the pipe")
@pytest.mark.parametrize("kind", ["noise", "huge", "half", "pickle", "claim", "error", "mutated"])
def test_a_far_side_that_answers_for_itself_fails_in_words(tmp_path, kind):
    file = tmp_path / "hostile.py"
    file.write_text(HOSTILE)
    subject = RemoteSubject("f", file, seconds=5)
    with pytest.raises(Wrong, match=r"came back|ended in the middle"):
        subject.call((kind,))
    subject.close()


def test_a_far_side_that_does_not_read_is_given_up_by_the_limit_of_time():
    (read, _keep_open), (_never_read, write) = os.pipe(), os.pipe()
    subject = Subject("f", PipeLink(read, write, seconds=0.2))
    with pytest.raises(Wrong, match="no answer within"):
        subject.call((np.zeros(10**6),))


def test_large_arrays_cross(far):
    x = np.random.RandomState(0).standard_normal(10**6)
    assert np.array_equal(far.call((x, 1.0)).value, x + 1.0)


def test_nothing_of_the_checks_is_loaded_where_the_functions_run(tmp_path):
    file = tmp_path / "look.py"
    file.write_text(
        textwrap.dedent(
            """
            import sys
            def f():
                return sorted(n for n in sys.modules if n.startswith(("cs_caption.", "torch")))
            """
        )
    )
    subject = RemoteSubject("f", file)
    loaded = subject.call(()).value
    subject.close()
    assert not [n for n in loaded if n.startswith(("cs_caption.checks.n", "torch"))]


def test_the_wire_is_the_same_in_the_notebook(functions):
    class Liar(float):
        def __eq__(self, other):
            return True

        __hash__ = float.__hash__

    subject = LocalSubject("f", {"f": lambda: Liar(2)})
    assert subject.call(()).value == Foreign("Liar")
    assert wire.loads(wire.dumps(subject.call(()).value)) == Foreign("Liar")
