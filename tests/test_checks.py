import logging
import math
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

import cs_caption
from cs_caption import check
from cs_caption.checks import CaseReport, CheckReport, exercises, run_check
from cs_caption.checks.exercise import Case, Exercise, random_numbers, run_exercise
from cs_caption.checks.subject import LocalSubject, Wrong

ROOT = Path(__file__).resolve().parent.parent


def one_hot(x, V):
    return np.eye(V)[x]


def report(passed=(True, False), max_points=3):
    cases = tuple(
        CaseReport(f"case <{i}>", i + 1, ok, "" if ok else "your <b> & H\nare swapped")
        for i, ok in enumerate(passed)
    )
    return CheckReport("exercise", max_points, cases, "nobody", ("a note",))


# ------------------------------------------------------------------------------- the report


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=12),
    st.integers(1, 20),
)
def test_the_plain_result_is_one_finite_number_between_nothing_and_the_points(cases, most):
    found = CheckReport(
        "e", most, tuple(CaseReport("c", weight, ok) for ok, weight in cases), "nobody"
    )
    number = float(repr(found))
    assert math.isfinite(number)
    assert 0 <= number <= most
    assert number == pytest.approx(found.points)
    assert (number == most) == found.passed
    share = sum(w for ok, w in cases if ok) / sum(w for _, w in cases)
    assert abs(found.points - most * share) <= 0.01 * len(cases)
    worths = [re.search(r"(passed|failed) +(\d+\.\d\d)", line) for line in str(found).splitlines()]
    shown = [(match[1], float(match[2])) for match in worths if match]
    assert len(shown) == len(cases)
    assert sum(worth for _, worth in shown) == pytest.approx(most)
    passed = sum(worth for result, worth in shown if result == "passed")
    assert passed == pytest.approx(found.points)


def test_what_cases_are_worth_adds_up_although_a_third_is_no_hundredth():
    cases = tuple(CaseReport(f"case {i}", 1, i < 2) for i in range(3))
    lines = str(CheckReport("e", 1, cases, "nobody")).splitlines()
    assert lines[0] == "e: 0.67 of 1 points"
    assert [line.split()[3] for line in lines[3:6]] == ["0.33", "0.34", "0.33"]


def test_half_of_the_weight_is_half_of_the_points():
    assert repr(report([True, True, False])) == "1.5"
    assert repr(report([True, True, True])) == "3"
    assert repr(report([False, False, False])) == "0"


def test_the_frontend_gets_the_number_as_plain_text_and_the_table_as_html():
    data, _ = DisplayFormatter().format(report())
    assert data["text/plain"] == "1"
    assert data["text/html"].startswith("<table")


def test_in_a_plain_terminal_ipython_shows_the_number():
    formatter = DisplayFormatter()
    formatter.active_types = ["text/plain"]
    data, _ = formatter.format(report())
    assert data["text/plain"] == "1"


def test_the_html_table_can_be_read_aloud_and_holds_no_markup_of_the_student():
    html = report()._repr_mimebundle_()["text/html"]
    assert html.count("<caption") == 1
    assert html.count('scope="col"') == 4
    assert html.count('scope="row"') == 2
    assert "<b>" not in html
    assert "passed" in html
    assert "failed" in html


def test_printed_it_is_a_table_of_text_that_says_who_decided():
    lines = str(report()).splitlines()
    assert lines[0] == "exercise: 1 of 3 points"
    assert lines[1].split()[:2] == ["case", "result"]
    assert lines[3].split() == ["case", "<0>", "passed", "1.00"]
    assert lines[4].split("2.00")[1].strip() == "your <b> & H"
    assert lines[5].strip() == "are swapped"
    assert lines[-2:] == ["Judged by: nobody.", "a note"]


# ------------------------------------------------------------------------------- check


def test_a_right_answer_gets_all_its_points():
    found = check("one_hot", one_hot)
    assert found.passed
    assert found.points == found.max_points == 1
    assert all(case.passed and case.message == "" for case in found.cases)


def test_an_unknown_exercise_is_answered_with_the_nearest_names():
    with pytest.raises(ValueError, match="did you mean one_hot"):
        check("one_hto", one_hot)
    with pytest.raises(ValueError, match="rnn_step_forward"):
        check("rnn_stepforward", one_hot)
    with pytest.raises(ValueError, match="temporal_softmax_loss"):
        check("zzz", one_hot)
    with pytest.raises(TypeError, match="in quotes"):
        check(one_hot, one_hot)


def test_wrong_needs_are_answered_with_the_line_to_write():
    line = r'Write check\("rnn_step_backward", rnn_step_backward, rnn_step_forward\)'
    with pytest.raises(TypeError, match="1 more: rnn_step_forward") as caught:
        check("rnn_step_backward", one_hot)
    caught.match(line)
    with pytest.raises(TypeError, match="it needs none"):
        check("one_hot", one_hot, one_hot)
    with pytest.raises(TypeError, match="the function itself, not ndarray") as caught:
        check("rnn_step_backward", max, np.ones(3))
    caught.match(line)


def test_functions_in_the_wrong_place_are_named():
    with pytest.raises(ValueError, match="one_hot was given where rnn_step_forward is expected"):
        check("rnn_step_forward", one_hot)


def test_a_stub_gets_nothing_and_a_friendly_word():
    def stub(x, V):
        raise NotImplementedError

    found = check("one_hot", stub)
    assert found.points == 0
    assert {case.message for case in found.cases} == {"one_hot is not written yet"}


def test_a_function_without_return_is_asked_for_it():
    found = check("one_hot", lambda x, V: None)
    assert found.points == 0
    assert all("`return` line missing" in case.message for case in found.cases)


def test_an_exception_is_told_with_its_line_and_gets_no_further():
    def one_hot(x, V):
        raise LookupError("nowhere")

    message = check("one_hot", one_hot).cases[0].message
    assert message.startswith("one_hot stopped with LookupError: nowhere (line ")
    assert '`raise LookupError("nowhere")`' in message


def test_nothing_that_the_function_prints_warns_or_logs_gets_out(capfd, recwarn):
    def one_hot(x, V):
        print("looking at", x)
        print("on stderr", file=sys.stderr)
        warnings.warn("careful", stacklevel=1)
        logging.getLogger("student").error("an error")
        np.zeros(1) / 0
        return np.eye(V)[x]

    assert check("one_hot", one_hot).passed
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    assert logging.root.manager.disable == 0
    assert np.geterr()["divide"] == "warn"


def test_the_checks_themselves_write_nothing(capfd, recwarn):
    def forward(x, prev_h, Wx, Wh, b, activation="tanh"):
        return np.tanh(x @ Wx + prev_h @ Wh + b) / 0, None

    check("rnn_step_forward", forward)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_ctrl_c_ends_the_check():
    def one_hot(x, V):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("one_hot", one_hot)


def test_leaving_the_interpreter_does_not():
    assert check("one_hot", lambda x, V: sys.exit()).points == 0


def test_the_public_numbers_are_always_the_same_and_a_seed_draws_others():
    def seen(**options):
        found = []

        def one_hot(x, V):
            found.append((x.tolist(), V))
            return np.eye(V)[x]

        check("one_hot", one_hot, **options)
        return found

    assert seen() == seen()
    assert seen(seed=1) == seen(seed=1)
    assert seen(seed=1) != seen()
    assert seen(seed=1) != seen(seed=2)


def test_a_module_that_is_absent_where_it_is_graded_is_noted():
    import torch

    def one_hot(x, V):
        return torch.eye(V, dtype=torch.float64).numpy()[x]

    found = check("one_hot", one_hot)
    assert found.passed
    assert found.notes == (
        "one_hot uses torch, which is absent where it is graded: write it without.",
    )
    assert "uses torch" in str(found)
    assert check("one_hot", globals()["one_hot"]).notes == ()


def test_a_banned_module_is_found_in_inner_functions_and_imported_names():
    from torch import eye, float64

    def one_hot(x, V):
        def table():
            return eye(V, dtype=float64)

        return table().numpy()[x]

    def imports(x, V):
        import torch

        return torch.eye(V, dtype=torch.float64).numpy()[x]

    assert check("one_hot", imports).notes
    names = {"np": np, "eye": eye, "float64": float64}
    source = "def one_hot(x, V):\n    return (lambda: eye(V, dtype=float64))().numpy()[x]\n"
    exec(source, names)
    assert check("one_hot", names["one_hot"]).notes
    assert check("one_hot", one_hot).passed


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("from cs_caption.decoding import beam_search as theirs", "theirs"),
        ("from cs_caption import decoding", "decoding.beam_search"),
        ("from cs_caption import decoding as theirs", "theirs.beam_search"),
        ("import cs_caption.decoding", "cs_caption.decoding.beam_search"),
        ("import cs_caption as package", "package.decoding.beam_search"),
        ("", "__import__('cs_caption').decoding; from cs_caption import decoding"),
        ("", "0; import cs_caption.decoding as theirs"),
        ("", "0; from cs_caption.decoding import beam_search"),
    ],
)
def test_a_module_of_the_package_that_is_absent_where_it_is_graded_is_noted(before, line):
    pytest.importorskip("torch")
    names = {}
    exec(f"{before}\ndef sequence_log_prob(step, state, tokens, start=1):\n    {line}", names)
    (note,) = check("sequence_log_prob", names["sequence_log_prob"]).notes
    assert note.startswith("sequence_log_prob uses cs_caption.decoding, which is absent")


def test_what_only_has_the_name_of_such_a_module_or_another_of_the_package_is_not_noted():
    from cs_caption import check, losses
    from cs_caption.data import vocabulary

    def sequence_log_prob(step, state, tokens, start=1):
        metrics = decoding = check
        return metrics, decoding, losses, vocabulary.decoding

    assert check("sequence_log_prob", sequence_log_prob).notes == ()


# ------------------------------------------------------------------------------- run_check


def test_with_a_salt_hidden_cases_with_other_numbers_are_added():
    seen = []

    def recorded(x, V):
        seen.append((x.tolist(), V))
        return np.eye(V)[x]

    subject = LocalSubject("one_hot", {"one_hot": recorded})
    public = run_check("one_hot", subject)
    in_public, seen[:] = list(seen), []
    hidden = run_check("one_hot", subject, salt="pepper")
    in_hidden, seen[:] = list(seen), []
    again = run_check("one_hot", subject, salt="pepper")
    other_salt = list(seen)
    assert in_hidden[: len(in_public)] == in_public
    assert [c for c in hidden.cases if c.title.endswith("(hidden numbers)")]
    assert hidden.cases[: len(public.cases)] == public.cases
    assert hidden == again
    assert in_hidden == other_salt
    seen.clear()
    run_check("one_hot", subject, salt="vinegar")
    assert seen[: len(in_public)] == in_public
    assert seen != in_hidden


def test_hidden_numbers_follow_from_the_salt_alone_on_every_machine():
    assert random_numbers("salt pepper", "one_hot", "a case").randint(0, 10**6, 3).tolist() == [
        42714,
        499665,
        125159,
    ]


def test_a_salt_cannot_be_mistaken_for_a_seed_or_for_the_public_numbers():
    draws = {
        source: random_numbers(source, "e", "c").randint(10**9)
        for source in ("public", "salt public", "seed 1", "salt 1")
    }
    assert len(set(draws.values())) == len(draws)


def exercise(*cases):
    return Exercise("e", 2, cases, lambda: "nobody")


def test_a_check_that_stumbles_fails_its_case_and_not_the_cell():
    def stumbles(subject, rng):
        raise ZeroDivisionError("our own mistake")

    def told(subject, rng):
        raise Wrong("because")

    found = run_exercise(
        exercise(
            Case("a", 1, stumbles), Case("b", 1, told), Case("c", 2, lambda subject, rng: None)
        ),
        LocalSubject("e", {}),
    )
    assert [case.passed for case in found.cases] == [False, False, True]
    assert "could not judge" in found.cases[0].message
    assert found.cases[1].message == "because"
    assert found.points == 1


def test_what_a_case_itself_prints_or_warns_gets_nowhere_either(capfd, recwarn):
    def talks(subject, rng):
        print("a print")
        print("an error", file=sys.stderr)
        warnings.warn("a warning", stacklevel=1)
        np.zeros(1) / 0

    assert run_exercise(exercise(Case("a", 1, talks)), LocalSubject("e", {})).passed
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_cases_that_are_not_drawn_have_no_hidden_ones():
    found = run_exercise(
        exercise(Case("a", 1, lambda s, r: None, drawn=False), Case("b", 1, lambda s, r: None)),
        LocalSubject("e", {}),
        salt="x",
    )
    assert [case.title for case in found.cases] == ["a", "b", "b (hidden numbers)"]


def test_exercises_come_in_the_order_of_the_notebooks():
    in_notebooks = [
        name.removeprefix("test_")
        for file in sorted((ROOT / "solutions").glob("*/*.py"))
        for name in re.findall(r'"grade_id": "(test_\w+)"', file.read_text())
    ]
    assert list(exercises()) == in_notebooks


def test_every_exercise_has_points_cases_and_known_needs():
    known = exercises()
    for one in known.values():
        assert one.points > 0
        assert len({case.title for case in one.cases}) == len(one.cases) >= 4
        assert all(case.weight > 0 for case in one.cases)
        assert set(one.needs) <= set(known)


# ------------------------------------------------------------------------------- the package


def test_the_package_offers_check_and_its_version():
    assert cs_caption.check is check
    assert cs_caption.__version__


def test_importing_the_package_imports_neither_torch_nor_matplotlib():
    program = (
        "import sys, cs_caption, cs_caption.checks; cs_caption.checks.exercises()\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
