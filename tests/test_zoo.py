from collections import Counter

import pytest

from autograder import zoo
from autograder.__main__ import main
from autograder.mutants import Mutant, mutants
from cs_caption.checks import exercises


@pytest.fixture(scope="module")
def rows():
    return zoo.kill_rows()


def test_every_wrong_answer_loses_points_where_it_must(rows):
    assert [row.name for row in rows if not row.killed] == []


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


def test_what_is_named_hidden_only_earns_everything_in_public(rows):
    hidden = [row for row in rows if row.hidden_only]
    assert {row.exercise for row in hidden} == set(exercises())
    for row in hidden:
        assert row.public == row.max_points
        assert row.hidden < row.max_points


def test_no_answer_earns_more_with_hidden_cases_than_full_marks(rows):
    assert all(0 <= row.hidden <= row.max_points for row in rows)


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


def test_a_missing_solution_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "SOLUTIONS", tmp_path)
    with pytest.raises(FileNotFoundError, match="defines one_hot"):
        zoo.solution_functions("one_hot")
