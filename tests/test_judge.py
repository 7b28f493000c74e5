"""What is run where, in which order, and what a test earns: on notebooks of a few cells."""

from dataclasses import replace

import nbformat
import numpy as np
import pytest

from autograder.judge import MOST_REPLAYS, Settings, judge
from autograder.plan import Plan
from autograder.plan import Test as Checked
from cs_caption.checks import exercises, run_check
from cs_caption.checks.subject import LocalSubject

pytestmark = [
    pytest.mark.usefixtures("bubblewrap"),
    pytest.mark.xdist_group("grading"),
]
SALT = "a salt of many letters"
QUICK = Settings(cell_seconds=3, call_seconds=2, check_seconds=6)
ONE_HOT = """
import numpy as np
def one_hot(x, V):
    return np.eye(V)[x]
"""
TEST = Checked("test_one_hot", "one_hot", ("one_hot",), 1.0, bonus=False)


def plan(*tests, demos=(), own=()):
    return Plan("02_hello_rnn", (), frozenset(demos), {t.grade_id: t for t in tests}, own, ())


def code(source, grade_id=None, tags=()):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["tags"] = list(tags)
    if grade_id:
        cell.metadata["nbgrader"] = nbformat.from_dict(
            {"grade_id": grade_id, "grade": True, "solution": False, "points": 1}
        )
    return cell


def a_test(name: str = "one_hot"):
    return code(f'check("{name}", {name})', f"test_{name}")


def judged(*cells, of=None, settings=QUICK, salt=SALT, files=None):
    notebook = nbformat.v4.new_notebook(
        cells=[c if not isinstance(c, str) else code(c) for c in cells]
    )
    return judge(notebook, of or plan(TEST), settings, salt=salt, files=files)


def printed(outputs):
    return "".join(o.get("text", "") for o in outputs)


def words(outputs):
    return " ".join(o.get("evalue", "") for o in outputs)


def test_the_solution_earns_its_points_with_the_hidden_cases_too():
    found = judged(ONE_HOT, a_test())
    (verdict,) = found.verdicts
    assert (verdict.points, verdict.max_points, verdict.words) == (1.0, 1.0, "")
    assert {case["hidden"] for case in verdict.cases} == {True, False}
    (result,) = found.outputs[1]
    assert result.data["text/plain"] == "1"
    assert "one_hot: 1 of 1 points" in result.data["text/html"]
    assert (found.kernels, found.notes) == (1, ())


def test_the_notebook_owns_the_points_and_the_check_how_they_are_shared():
    of = plan(replace(TEST, points=4.0))
    assert judged(ONE_HOT, a_test(), of=of).verdicts[0].points == 4.0
    flat = ONE_HOT.replace("np.eye(V)[x]", "np.eye(V)[np.ravel(x)]")
    report = run_check("one_hot", LocalSubject("one_hot", {"one_hot": flattened}), salt=SALT)
    (verdict,) = judged(flat, a_test(), of=of).verdicts
    assert 0 < report.points < report.max_points
    assert verdict.points == round(4.0 * report.points, 2)


def flattened(x, V):
    return np.eye(V)[np.ravel(x)]


def test_what_a_test_cell_itself_says_is_never_run():
    forged = code("print('run')", "test_one_hot")
    found = judged("x = 1", forged)
    assert found.verdicts[0].points == 0
    assert not printed(found.outputs[1])
    assert "one_hot is not defined" in found.verdicts[0].cases[0]["message"]


def test_a_demo_is_left_out_and_one_that_was_changed_is_run():
    of = plan(demos=["print('demo')"])
    found = judged("print('demo')", "print('demo', 'mine')", of=of)
    assert [printed(outputs) for outputs in found.outputs] == ["", "demo mine\n"]


def test_text_has_no_outputs():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("print(1)")])
    assert judge(notebook, plan(), QUICK, salt="s").outputs == (None,)


@pytest.mark.parametrize(
    "killer",
    [
        "import os; os._exit(0)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.kill(os.getpid(), 9)",
    ],
)
def test_after_a_cell_that_kills_the_process_the_rest_is_graded(killer):
    found = judged("a = 41", ONE_HOT, killer, "print(a + 1)", a_test())
    assert printed(found.outputs[3]) == "42\n"
    assert found.verdicts[0].points == 1.0
    assert "This cell was stopped" in words(found.outputs[2])
    assert found.kernels == 2
    assert any("cell 3" in note for note in found.notes)


def test_a_new_process_runs_neither_tests_nor_demos_nor_the_killer_again():
    count = "open('/tmp/count', 'a').write('x'); print(len(open('/tmp/count').read()))"
    found = judged(
        count, "print('demo')", "import os; os._exit(1)", count, of=plan(demos=["print('demo')"])
    )
    # the new process has a new folder: there the first cell was run once more, then the last
    assert [printed(found.outputs[i]) for i in (0, 1, 3)] == ["1\n", "", "2\n"]


def test_too_many_deaths_end_the_grading_of_that_notebook_and_say_so():
    deaths = ["import os; os._exit(1)"] * (MOST_REPLAYS + 2)
    found = judged(ONE_HOT, a_test(), *deaths, a_test(), "print(1)")
    assert found.kernels == MOST_REPLAYS + 1
    assert [verdict.points for verdict in found.verdicts] == [1.0, 0.0]
    assert "was not judged" in found.verdicts[1].words
    assert "was not run" in words(found.outputs[-1])


def test_a_loop_in_a_cell_is_interrupted_and_what_it_defined_stays():
    found = judged("a = 1\nwhile True: pass", "print(a)", ONE_HOT, a_test())
    assert "KeyboardInterrupt" in str(found.outputs[0])
    assert "This cell was stopped" in words(found.outputs[0])
    assert printed(found.outputs[1]) == "1\n"
    assert (found.verdicts[0].points, found.kernels) == (1.0, 1)


def test_a_loop_that_swallows_the_interrupt_costs_its_own_cell():
    loop = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    found = judged(ONE_HOT, loop, a_test())
    assert found.verdicts[0].points == 1.0
    assert "This cell was stopped" in words(found.outputs[1])


@pytest.mark.parametrize(
    "body", ["while True: pass", "import os; os._exit(0)", "import ctypes; ctypes.string_at(0)"]
)
def test_a_function_that_hangs_or_dies_fails_its_check_and_leaves_the_kernel_as_it_was(body):
    found = judged("def bad(x, V):\n    " + body, ONE_HOT, a_test("bad"), a_test(), of=BAD)
    assert [verdict.points for verdict in found.verdicts] == [0.0, 1.0]
    assert found.kernels == 1
    assert found.verdicts[0].cases[0]["message"]


BAD = plan(replace(TEST, grade_id="test_bad", functions=("bad",)), TEST)


def test_what_is_printed_during_a_check_is_dropped_and_no_hidden_input_is_told():
    noisy = """
import numpy as np
import os
seen = []
def one_hot(x, V):
    print("LEAK", x); seen.append(repr(x))
    try:
        os.write(os.open("/tmp/leak", os.O_CREAT | os.O_WRONLY), repr(x).encode())
    except OSError:
        pass
    raise ValueError("LEAK" + repr(x))
"""
    found = judged(noisy, a_test(), "print(len(seen), os.path.getsize('/tmp/leak'))")
    assert printed(found.outputs[2]) == "0 0\n"
    (result,) = found.outputs[1]
    hidden = [case for case in found.verdicts[0].cases if case["hidden"]]
    assert hidden
    assert all("LEAK" not in case["message"] for case in hidden)
    assert "LEAK" not in result.data["text/html"].split("(hidden numbers)", 1)[1]


def test_one_that_knows_the_public_cases_alone_is_told_how_to_find_others():
    by_heart = """
import numpy as np
def one_hot(x, V):
    good = np.eye(V)[x]
    return good if KNOWN(x, V) else good[..., ::-1]
"""
    exercise = exercises()["one_hot"]
    drawn = [case for case in exercise.cases if case.drawn]
    assert drawn
    counting = by_heart.replace("KNOWN(x, V)", "COUNT.append(1) or len(COUNT) < 5") + "COUNT = []"
    (verdict,) = judged(counting, a_test()).verdicts
    assert verdict.points < 1.0
    messages = [case["message"] for case in verdict.cases if case["hidden"] and not case["passed"]]
    assert messages
    assert all("seed=1" in m or "other numbers too" in m for m in messages)


def test_when_the_time_for_the_notebook_is_over_the_rest_is_told_so():
    short = replace(QUICK, notebook_seconds=2)
    found = judged(ONE_HOT, "import time; time.sleep(2.2)", a_test(), "print(1)", settings=short)
    assert found.verdicts[0].points == 0
    assert "time for a whole notebook" in found.verdicts[0].words
    assert "was not run" in words(found.outputs[3])


def test_an_own_test_runs_in_the_students_process_only_where_that_is_allowed():
    own = code("one_hot(0, 2)[0]", "test_own")
    refused = judged(ONE_HOT, own, of=plan(own=("test_own",)))
    assert "own_tests = True" in words(refused.outputs[1])
    allowed = judged(
        ONE_HOT, own, of=plan(own=("test_own",)), settings=replace(QUICK, own_tests=True)
    )
    assert "1" in allowed.outputs[1][0].data["text/plain"]


def test_files_beside_the_notebook_are_there_and_shadow_nothing():
    files = {"helper.py": b"a = 7", "data/b.txt": b"8", "numpy.py": b"raise ImportError('shadow')"}
    found = judged("import numpy as np, helper; print(helper.a, np.ones(1)[0])", files=files)
    assert printed(found.outputs[0]) == "7 1.0\n"
    assert printed(judged("print(open('data/b.txt').read())", files=files).outputs[0]) == "8\n"
