"""A number beside its recorded range, and the record that the range comes from."""

import json

import pytest

from autograder import measure
from autograder.__main__ import main
from cs_caption import measured
from cs_caption.budget import budget

RECORD = {
    "command": "python -m autograder measure x",
    "date": "2026-01-02",
    "machine": "a machine",
    "seeds": 3,
    "seconds": [0.1, 0.2, 12.3],
    "found": {"loss": [1.0, 1.5, 2.0]},
}
COST = {"seconds": 92.6, "megabytes": 612, "date": "2026-02-03", "machine": "another machine"}


@pytest.fixture(autouse=True)
def record(monkeypatch):
    monkeypatch.setattr(measured, "load", lambda name: RECORD)
    monkeypatch.setattr(measured, "cost", lambda name: None)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(1.0, "inside"), (2.0 + 1e-9, "inside"), (2.1, "OUTSIDE"), (0.9, "OUTSIDE")],
)
def test_a_number_is_inside_or_outside_its_range(value, verdict):
    view = measured.beside("x", lambda seed: {"loss": value}, seed=0)
    row = next(line for line in repr(view).splitlines() if line.startswith("loss"))
    assert row.split()[-1] == verdict
    assert verdict in view.html


def test_it_says_on_what_the_range_was_measured_and_how_long_it_took():
    text = repr(measured.beside("x", lambda seed: {"loss": 1.0}, seed=7))
    for words in ("seed 7", "3 seeds", "a machine", "2026-01-02", "measure x", "12 s", "under 1 s"):
        assert words in text


def test_seconds_that_an_earlier_run_took_stand_in_the_place_of_its_own():
    text = repr(measured.beside("x", lambda seed: {"loss": 1.0}, seed=7, seconds=61.3))
    assert next(line for line in text.splitlines() if line.startswith("time")).split()[1] == "61"
    assert (
        repr(measured.beside("x", lambda seed: {"loss": 1.0}, 0, seconds=0.0)).count("under") == 3
    )


def test_it_says_what_the_whole_notebook_took(monkeypatch):
    monkeypatch.setattr(measured, "cost", {"x": COST}.get)
    view = measured.beside("x", lambda seed: {"loss": 1.0}, seed=0)
    said = (
        "The whole notebook, solved, ran in 93 s and took 0.6 GB at its peak "
        "(limits: 4 min, 1.5 GB), on another machine, 2026-02-03."
    )
    assert repr(view).splitlines()[-1] == said
    assert f"<p>{said}</p>" in view.html


def test_of_a_notebook_that_was_never_measured_whole_it_says_nothing(monkeypatch):
    monkeypatch.setattr(measured, "cost", {"y": COST}.get)
    assert "whole notebook" not in repr(measured.beside("x", lambda seed: {"loss": 1.0}, seed=0))


def test_no_record_of_costs_is_no_error(monkeypatch, tmp_path):
    monkeypatch.undo()
    assert measured.cost("99_none") is None
    monkeypatch.setattr(measured, "files", lambda name: tmp_path)
    assert measured.cost("02_hello_rnn") is None


def test_a_record_of_other_measurements_is_refused():
    with pytest.raises(ValueError, match="other measurements"):
        measured.beside("x", lambda seed: {"gain": 1.0}, seed=0)


def test_a_missing_record_names_the_command_that_makes_it(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(FileNotFoundError, match="python -m autograder measure 99_none"):
        measured.load("99_none")


def test_a_record_holds_lowest_median_and_highest():
    record = measure.recorded(lambda seed: {"seed squared": seed**2}, 5)
    assert record["found"] == {"seed squared": [0.0, 4.0, 16.0]}
    assert record["seeds"] == 5
    assert len(record["seconds"]) == 3


def test_a_range_is_measured_at_full_budget(monkeypatch, tmp_path):
    found = []
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    monkeypatch.setattr(measure, "RECORDS", tmp_path)
    monkeypatch.setattr(
        measure,
        "measurements_of",
        lambda text: lambda seed: found.append(budget("all", "little")) or {"x": 1.0},
    )
    assert main(["measure", "02_hello_rnn", "--seeds", "2"]) == 0
    assert found == ["all", "all"]


def test_the_command_writes_the_record(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(measure, "RECORDS", tmp_path)
    assert main(["measure", "00_start_here", "--seeds", "2"]) == 0
    written = json.loads((tmp_path / "00_start_here.json").read_text())
    assert written["seeds"] == 2
    assert written["command"] == "python -m autograder measure 00_start_here --seeds 2"
    assert main(["measure", "00_start_here", "--seeds", "0"]) == 2
    assert main(["measure", "99_none"]) == 2
    assert "99_none" in capsys.readouterr().err
