"""A number beside its recorded range, and the record that the range comes from."""

import json

import pytest

from autograder import measure
from autograder.__main__ import main
from cs_caption import measured

RECORD = {
    "command": "python -m autograder measure x",
    "date": "2026-01-02",
    "machine": "a machine",
    "seeds": 3,
    "seconds": [0.1, 0.2, 12.3],
    "found": {"loss": [1.0, 1.5, 2.0]},
}


@pytest.fixture(autouse=True)
def record(monkeypatch):
    monkeypatch.setattr(measured, "load", lambda name: RECORD)


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


def test_the_command_writes_the_record(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(measure, "RECORDS", tmp_path)
    assert main(["measure", "02_hello_rnn", "--seeds", "2"]) == 0
    written = json.loads((tmp_path / "02_hello_rnn.json").read_text())
    assert written["seeds"] == 2
    assert written["command"] == "python -m autograder measure 02_hello_rnn --seeds 2"
    assert main(["measure", "02_hello_rnn", "--seeds", "0"]) == 2
    assert main(["measure", "99_none"]) == 2
    assert "99_none" in capsys.readouterr().err
