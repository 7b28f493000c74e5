"""What a notebook costs, measured on small made-up ones, and where the figures go."""

import json
import os
from pathlib import Path

import pytest

from autograder import cost, measure
from autograder.__main__ import main
from autograder.build import assignments, source_notebook

ROOT = Path(__file__).resolve().parent.parent
README = "before\n\n<!-- notebooks:begin -->\nold\n<!-- notebooks:end -->\n\nafter\n"
TEXT = """\
# %% [markdown]
# # Title

# %%
import time

block = bytearray(b"1") * 200_000_000

# %%
del block
time.sleep(0.3)
"""
ENTRY = {"seconds": 93.0, "megabytes": 612, "date": "2026-01-02", "machine": "a machine"}


@pytest.fixture
def course(tmp_path):
    """A course of one notebook, which takes 200 MB and 0.3 s."""
    put(tmp_path, "01_small", TEXT)
    (tmp_path / "README.md").write_text(README)
    return tmp_path


@pytest.fixture(scope="module")
def empty():
    """What a kernel costs that does nothing."""
    return cost_of("pass")


def put(root, name, text):
    folder = root / "solutions" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(text)


def measured(course, *names):
    record = course / "cost.json"
    code = cost.measure_all(list(names), course, record)
    return code, json.loads(record.read_text()) if record.exists() else {}


def cost_of(*lines):
    return cost.cost_of(source_notebook("# %%\n" + "\n".join(lines) + "\n"))


def test_time_and_memory_are_those_of_the_notebook(course, empty, capsys):
    code, found = measured(course, "01_small")
    entry = found["01_small"]
    assert code == 0
    assert 190 < entry["megabytes"] - empty.megabytes < 240
    assert 0.3 < entry["seconds"] < 60
    said = capsys.readouterr().out
    assert "01_small: running" in said
    assert f"{entry['megabytes']}" in said
    assert "within the limits" in said


def test_the_figures_carry_date_machine_and_command(course):
    _, found = measured(course, "01_small")
    assert found["01_small"]["command"] == "python -m autograder cost 01_small"
    assert "NumPy" in found["01_small"]["machine"]
    assert found["01_small"]["date"].startswith("20")


def test_memory_of_a_child_counts_with_the_kernel_s_own(empty):
    child = "block = bytearray(b'1') * 150_000_000; import time; time.sleep(0.5)"
    found = cost_of("import subprocess, sys", f"subprocess.run([sys.executable, '-c', {child!r}])")
    assert found.megabytes - empty.megabytes > 150


def test_a_peak_between_two_samples_is_seen(empty, monkeypatch):
    if not Path("/proc/self/status").exists():
        pytest.skip("this system keeps no high-water mark that can be read")
    monkeypatch.setattr(cost, "SECONDS_A_SAMPLE", 3600)
    found = cost_of("block = bytearray(b'1') * 200_000_000; del block")
    assert found.megabytes - empty.megabytes > 190


@pytest.mark.parametrize(
    ("limit", "words"),
    [("LIMIT_SECONDS", "over 0.2 s; the slowest is cell"), ("LIMIT_MEGABYTES", "over 0.2 MB")],
)
def test_over_a_limit_is_one_and_names_the_cell(course, monkeypatch, capsys, limit, words):
    monkeypatch.setattr(cost, limit, 0.2)
    code, found = measured(course, "01_small")
    assert code == 1
    assert found["01_small"]["seconds"] > 0.2
    table = " ".join(capsys.readouterr().out.split())
    assert words in table
    if limit == "LIMIT_MEGABYTES":
        assert "the peak came in cell 2 (import time)" in table


def test_a_cell_that_fails_is_named_and_stops_no_other_notebook(course, capsys):
    put(course, "00_bad", "# %%\nx = 1\n\n# %%\n1 / 0\n")
    code, found = measured(course, "00_bad", "01_small")
    assert code == 1
    assert list(found) == ["01_small"]
    assert (
        "FAILED in cell 2 (1 / 0): ZeroDivisionError: division by zero" in capsys.readouterr().out
    )


def test_a_kernel_that_dies_is_a_failure_in_words():
    with pytest.raises(RuntimeError, match=r"cell 1 \(import os; os._exit\(1\)\): the kernel died"):
        cost_of("import os; os._exit(1)")


def test_a_cell_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(cost, "SECONDS_A_CELL", 1)
    with pytest.raises(RuntimeError, match="not done after 1 s"):
        cost_of("while True: pass")


def test_it_runs_at_full_budget_in_an_empty_folder_without_a_gpu(monkeypatch):
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    cost_of(
        "import os",
        "assert 'CS_CAPTION_FAST' not in os.environ",
        "assert os.listdir() == []",
        "assert os.environ['CUDA_VISIBLE_DEVICES'] == '-1'",
    )
    assert os.environ["CS_CAPTION_FAST"] == "1"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")
def test_it_uses_no_more_cores_than_the_limit_is_for(monkeypatch):
    before = os.sched_getaffinity(0)
    monkeypatch.setattr(cost, "CORES", 1)
    cost_of(
        "import os",
        "assert len(os.sched_getaffinity(0)) == 1",
        "assert os.environ['OMP_NUM_THREADS'] == '1'",
    )
    assert os.sched_getaffinity(0) == before


def test_the_readme_changes_between_its_marks_and_nowhere_else(course):
    _, found = measured(course, "01_small")
    text = (course / "README.md").read_text()
    assert text == cost.with_figures(README, found)
    before, rest = text.split("<!-- notebooks:begin -->\n")
    block, after = rest.split("\n<!-- notebooks:end -->")
    assert (before, after) == ("before\n\n", "\n\nafter\n")
    assert block == cost.readme_table(found)


def test_the_table_gives_minutes_gigabytes_and_their_source():
    table = cost.readme_table({"01_a": ENTRY, "02_b": ENTRY | {"seconds": 2.0}})
    assert "| 01_a | 1.6 | 0.6 GB |" in table
    assert "| 02_b | under 0.1 | 0.6 GB |" in table
    assert "on a machine, 2026-01-02. The limits: 4 minutes and 1.5 GB." in table


def test_figures_of_notebooks_not_run_stay_and_of_those_gone_do_not(course):
    put(course, "02_other", TEXT)
    (course / "cost.json").write_text(json.dumps({"02_other": ENTRY, "03_gone": ENTRY}))
    _, found = measured(course, "01_small")
    assert list(found) == ["01_small", "02_other"]
    assert found["02_other"] == ENTRY


@pytest.mark.parametrize(
    "readme",
    [
        "",
        "<!-- notebooks:begin -->",
        "<!-- notebooks:end --> <!-- notebooks:begin -->",
        "<!-- notebooks:begin --> <!-- notebooks:begin --> <!-- notebooks:end -->",
    ],
)
def test_a_missing_mark_is_an_error_before_any_work(course, readme):
    (course / "README.md").write_text(readme)
    with pytest.raises(ValueError, match="notebooks:begin"):
        measured(course, "01_small")
    assert not (course / "cost.json").exists()


def test_the_command_refuses_an_unknown_notebook(capsys):
    assert main(["cost", "99_none"]) == 2
    assert "no notebook 99_none" in capsys.readouterr().err


def test_the_readme_quotes_the_figures_that_are_kept():
    readme = (ROOT / "README.md").read_text()
    record = json.loads((measure.RECORDS / "cost.json").read_text())
    assert cost.with_figures(readme, record) == readme


@pytest.mark.parametrize("name", assignments())
def test_every_notebook_was_measured_and_is_within_the_limits(name):
    record = json.loads((measure.RECORDS / "cost.json").read_text())
    assert name in record, f"run: python -m autograder cost {name}"
    found = record[name]
    assert found["seconds"] <= cost.LIMIT_SECONDS
    assert found["megabytes"] <= cost.LIMIT_MEGABYTES
