from collections import Counter

import pytest

from autograder import zoo
from autograder.__main__ import main
from autograder.mutants import Mutant, mutants
from cs_caption.checks import exercises


@pytest.fixture(scope="module")
def rows():
    """Of two exercises; tests/test_every_check.py asks the whole zoo."""
    return zoo.kill_rows(["one_hot", "clip_gradients"])


def test_the_rows_are_of_the_zoo_and_of_one_answer_that_knows_the_public_cases_by_heart(rows):
    names = [m.name for m in mutants() if m.exercise in ("one_hot", "clip_gradients")]
    assert [row.name for row in rows] == [*names, "one_hot_by_heart", "clip_gradients_by_heart"]
    assert all(row.killed for row in rows)


def test_every_exercise_has_at_least_eight_wrong_answers():
    counts = Counter(mutant.exercise for mutant in mutants())
    assert set(counts) == set(exercises())
    assert min(counts.values()) >= 8


def test_every_wrong_answer_has_a_name_of_its_own_and_one_line_on_its_mistake():
    zoo_ = mutants()
    assert len({mutant.name for mutant in zoo_}) == len(zoo_)
    for mutant in zoo_:
        assert mutant.mistake.endswith(".")
        assert "\n" not in mutant.mistake


def test_the_table_has_a_line_for_each_and_the_kill_rate(rows):
    text = zoo.format_kill_rows(rows)
    assert all(row.name in text for row in rows)
    assert text.splitlines()[-1] == f"all: {len(rows)} of {len(rows)} wrong answers rejected (100%)"


def test_the_command_prints_the_table_of_the_exercises_asked_for(capsys):
    assert main(["mutants", "one_hot"]) == 0
    out = capsys.readouterr().out
    assert "one_hot_thermometer" in out
    assert "change the output" in out
    assert "loss_summed" not in out


def test_the_command_asks_the_zoo_alone_where_told_to(capsys):
    assert main(["mutants", "--zoo", "one_hot"]) == 0
    out = capsys.readouterr().out
    assert "one_hot_thermometer" in out
    assert "change the output" not in out


def test_a_right_answer_in_the_zoo_is_found_out(monkeypatch, capsys):
    solution = zoo.solution_functions("one_hot")["one_hot"]
    monkeypatch.setattr(zoo, "mutants", lambda: [Mutant("one_hot", solution)])
    assert main(["mutants", "--zoo", "one_hot"]) == 1
    out = capsys.readouterr().out
    assert "NO" in out
    assert "1 of 2 wrong answers rejected (50%)" in out


def test_an_unknown_exercise_is_refused(capsys):
    assert main(["mutants", "no_such"]) == 2
    assert "no_such" in capsys.readouterr().err


def test_only_the_functions_of_a_notebook_are_run(tmp_path):
    file = tmp_path / "notebook.py"
    file.write_text(
        "import nothing_that_exists\n\nraise SystemExit\n\ndef f():\n    return np.ones(2)\n"
    )
    assert zoo.functions_of(file)["f"]().tolist() == [1, 1]


def test_the_functions_of_a_notebook_see_its_constants_and_nothing_that_takes_long(tmp_path):
    file = tmp_path / "notebook.py"
    file.write_text(
        "from collections import Counter\nONE, TWO = range(1, 3)\nSLOW = train()\n"
        "SLOW[0] = 1\n\ndef f(x):\n    return ONE + Counter(x).total()\n"
    )
    assert zoo.functions_of(file)["f"]("ab") == 3


def test_a_missing_solution_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "SOLUTIONS", tmp_path)
    with pytest.raises(FileNotFoundError, match="defines one_hot"):
        zoo.solution_functions("one_hot")
