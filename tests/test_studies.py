"""Studies: runs that are kept and taken up again, the record, and what is shown of it."""

import json
import math
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption import studies  # noqa: E402
from cs_caption.studies import material, record, running  # noqa: E402
from cs_caption.studies.__main__ import main  # noqa: E402
from cs_caption.studies.record import Figure, Run  # noqa: E402
from cs_caption.studies.study import Budget, Study  # noqa: E402
from cs_caption.viz.studies import show_study  # noqa: E402

TINY = Budget(steps=1, pictures=8, held_out=4)


def figures_of(setting, budget, seed):
    return {"loss": len(setting) + seed / 10, "gain": 1.0 + seed, "curve": [3.0, 2.0 - seed]}


def study(measure=figures_of, **changes):
    return replace(
        Study(
            name="bias",
            question="Which is it?",
            settings=("one", "three"),
            figures=(Figure("loss", "lower"), Figure("gain", "higher")),
            budget=TINY,
            tiny=TINY,
            measure=measure,
        ),
        **changes,
    )


@pytest.fixture(autouse=True)
def little_work(monkeypatch):
    """Also where the tests run at full budget: what the studies find is the record's business."""
    monkeypatch.setenv("CS_CAPTION_FAST", "1")


@pytest.fixture
def records(monkeypatch, tmp_path):
    """Records are written to and read from a folder of their own."""
    folder = tmp_path / "measured"
    monkeypatch.setattr(record, "FOLDER", folder)
    return folder


@pytest.fixture
def made_up(records):
    found = run(study(), records)
    record.save(found)
    return found


def run(what, folder, seeds=3, jobs=1, said=None):
    report = (lambda line: None) if said is None else said.append
    return running.run_all(what, seeds=seeds, jobs=jobs, folder=folder / "runs", report=report)


# The studies of notebook 04.


@pytest.mark.parametrize("name", studies.NAMES)
def test_a_rehearsed_run_has_a_number_for_each_figure(name):
    what = running.study_of(name)
    found = studies.one(name, what.settings[-1])
    assert list(found.figures) == [figure.name for figure in what.figures]
    assert all(math.isfinite(value) for value in found.figures.values())
    assert found.setting == what.settings[-1]


@pytest.mark.parametrize("name", studies.NAMES)
def test_settings_differ_in_what_is_found_and_in_the_name_of_their_file(name):
    what = running.study_of(name)
    first = what.figures[0].name
    found = [studies.one(name, setting).figures[first] for setting in what.settings[:3]]
    assert len(set(found)) == len(found)
    slugs = {running._slug(setting) for setting in what.settings}
    assert len(slugs) == len(what.settings) == len(set(what.settings))


@pytest.mark.parametrize("name", studies.NAMES)
def test_the_record_is_of_the_study_as_it_is_now(name):
    what, found = running.study_of(name), studies.load(name)
    assert found.settings == what.settings
    assert found.figures == what.figures
    assert (found.question, found.budget) == (what.question, str(what.budget))
    assert len(found.runs) == found.seeds * len(what.settings)
    assert found.seeds >= 3


def test_decoders_crosses_three_cells_with_four_ways_in():
    assert len(studies.settings("decoders")) == 12
    assert {"RNN, init", "LSTM, pre", "GRU, par", "LSTM, merge"} < set(studies.settings("decoders"))


def test_the_same_seed_finds_the_same_again_and_another_one_does_not():
    first, again, other = (studies.one("bias", "zero", seed) for seed in (0, 0, 1))
    assert first == again
    assert first.figures != other.figures


def test_a_run_takes_one_thread_and_gives_the_others_back():
    def counts(setting, budget, seed):
        return {"loss": torch.get_num_threads(), "gain": 0.0}

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert running.run_one(study(counts), "one", 0).figures["loss"] == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("inject", ["init", "pre", "par", "merge"])
def test_features_are_what_the_model_itself_would_see(inject):
    data = material.features("val", 6, "simple")
    model = material.seeing(material.vocabulary_of(8, "simple"), 3, inject=inject).eval()
    seen = model.encode(data.data.images).numpy()
    np.testing.assert_allclose(data.images, seen, rtol=2e-3, atol=1e-3)


def test_shuffled_pictures_are_all_there_and_none_in_its_place():
    data = material.features("val", 6, "simple")
    wrong = material.shuffled(data)
    assert wrong.captions == data.captions
    pairs = zip(wrong.images, data.images, strict=True)
    assert not any(np.array_equal(one, other) for one, other in pairs)
    assert sorted(wrong.images.sum((1, 2))) == sorted(data.images.sum((1, 2)))


def test_what_is_held_out_is_of_another_split_than_what_is_learnt_from():
    budget = replace(TINY, pictures=4)
    assert set(material.learning_from(budget).ids).isdisjoint(material.held_out(budget).ids)


def test_an_unknown_study_or_setting_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'bais'.*decoders, transfer, bias"):
        studies.one("bais", "zero")
    with pytest.raises(ValueError, match=r"'none'.*log frequency; zero"):
        studies.one("bias", "none")


def test_reading_and_showing_a_record_needs_no_torch(made_up, records):
    code = (
        "import sys; from pathlib import Path; from cs_caption.studies import record\n"
        f"record.FOLDER = Path({str(records)!r})\n"
        "from cs_caption.viz.studies import show_study; show_study('bias')\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Runs are kept, and taken up again.


def test_a_run_that_was_kept_is_not_run_again(tmp_path):
    seen, said = [], []

    def counted(setting, budget, seed):
        seen.append((setting, seed))
        return figures_of(setting, budget, seed)

    first = run(study(counted), tmp_path, seeds=2)
    assert seen == [("one", 0), ("three", 0), ("one", 1), ("three", 1)]
    more = run(study(counted), tmp_path, seeds=3, said=said)
    assert seen[4:] == [("one", 2), ("three", 2)]
    assert said[0].startswith("bias: 2 runs to do, 4 done before")
    assert [r for r in more.runs if r.seed < 2] == list(first.runs)


def test_a_study_that_was_cut_off_goes_on(tmp_path):
    seen = []

    def cut_off(setting, budget, seed):
        seen.append((setting, seed))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return figures_of(setting, budget, seed)

    with pytest.raises(KeyboardInterrupt):
        run(study(cut_off), tmp_path, seeds=2)
    found = run(study(cut_off), tmp_path, seeds=2)
    assert seen == [("one", 0), ("three", 0), ("one", 1), ("one", 1), ("three", 1)]
    assert found.runs == run(study(), tmp_path / "at once", seeds=2).runs


@pytest.mark.parametrize("change", ["budget", "versions", "damage"])
def test_a_run_that_other_sizes_or_versions_made_is_run_anew(tmp_path, monkeypatch, change):
    run(study(), tmp_path)
    said, what = [], study()
    if change == "budget":
        what = study(budget=replace(TINY, steps=2))
    elif change == "versions":
        monkeypatch.setattr(running, "_versions", lambda: ("another torch",))
    else:
        (tmp_path / "runs" / "one_seed0.json").write_text("{")
    run(what, tmp_path, said=said)
    assert "1 runs to do" in said[0] if change == "damage" else "6 runs to do" in said[0]


def test_a_run_that_other_code_made_is_run_anew(tmp_path, monkeypatch):
    package = tmp_path / "cs_caption"
    package.mkdir()
    (package / "training.py").write_text("RATE = 1\n")
    monkeypatch.setattr(running.cs_caption, "__file__", str(package / "__init__.py"))
    before = running.fingerprint(study())
    assert running.fingerprint(study()) == before
    (package / "training.py").write_text("RATE = 2\n")
    assert running.fingerprint(study()) != before


def test_a_run_that_fails_is_named_and_nothing_is_recorded(records, monkeypatch, tmp_path, capsys):
    def fails(setting, budget, seed):
        raise ValueError("the loss is nan")

    monkeypatch.setattr(running, "study_of", lambda name: study(fails))
    assert main(["bias", "--jobs", "1", "--out", str(tmp_path)]) == 2
    assert "one, seed 0: the loss is nan" in capsys.readouterr().err
    assert not records.exists()


def test_the_command_writes_a_record_that_says_how_it_was_made(records, monkeypatch, tmp_path):
    monkeypatch.setattr(running, "study_of", lambda name: study())
    assert main(["bias", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path)]) == 0
    found = studies.load("bias")
    assert found.command == "python -m cs_caption.studies bias --seeds 2 --jobs 1"
    assert found.of("three", "loss") == [5.0, 5.1]
    assert found.runs[0] == Run("one", 0, {"loss": 3.0, "gain": 1.0}, {"curve": [3.0, 2.0]})
    assert f"torch {torch.__version__}" in found.machine


def test_a_rehearsal_records_nothing_and_leaves_kept_runs_alone(records, monkeypatch, tmp_path):
    monkeypatch.setattr(running, "study_of", lambda name: study())
    assert main(["bias", "--rehearse", "--jobs", "1", "--out", str(tmp_path)]) == 0
    assert not records.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["bias_rehearsal"]


def test_the_command_runs_at_full_budget_wherever_little_is_asked_for(tmp_path):
    def steps(setting, budget, seed):
        return {"loss": budget.steps, "gain": 0.0}

    found = run(study(steps, budget=replace(TINY, steps=7)), tmp_path, seeds=1)
    assert found.of("one", "loss") == [7.0]


def test_two_processes_find_what_one_finds(tmp_path):
    what = replace(running.study_of("bias"), budget=running.study_of("bias").tiny)
    apart = running.run_all(
        *(what,), seeds=1, jobs=2, folder=tmp_path, tiny=True, report=lambda line: None
    )
    assert apart.runs == tuple(running.run_one(what, setting, 0) for setting in what.settings)


@pytest.mark.full
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["kill", "Ctrl-C"])
def test_a_study_that_is_stopped_leaves_no_process_and_goes_on(tmp_path, end):
    psutil = pytest.importorskip("psutil")
    command = [sys.executable, "-m", "cs_caption.studies", "bias", "--rehearse", "--out", tmp_path]
    with subprocess.Popen(
        [*command, "--seeds", "900"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as whole:
        while not whole.stdout.readline().startswith("2 of"):
            assert whole.poll() is None
        left = psutil.Process(whole.pid).children(recursive=True)
        if end == signal.SIGINT:
            os.killpg(whole.pid, end)  # as a terminal does: to the command and its processes
        else:
            whole.kill()
        said = whole.communicate(timeout=60)[1]
    assert left
    assert not psutil.wait_procs(left, timeout=20)[1]
    assert whole.returncode == (130 if end == signal.SIGINT else -end)
    assert ("the same command goes on" in said) == (end == signal.SIGINT)
    again = subprocess.run([*command, "--seeds", "1"], capture_output=True, text=True, check=True)
    assert int(re.search(r"(\d) done before", again.stdout)[1]) > 0


@pytest.mark.parametrize("wrong", [["nothing"], ["bias", "--seeds", "0"], ["bias", "--jobs", "x"]])
def test_a_command_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(SystemExit, match="2"):
        main(wrong)


# The record.


def test_a_record_is_read_as_it_was_written(made_up):
    assert studies.load("bias") == made_up


def test_a_missing_record_names_the_command_that_makes_it(records):
    with pytest.raises(FileNotFoundError, match=r"python -m cs_caption\.studies vectors makes it"):
        studies.load("vectors")


def test_a_record_that_is_newer_or_damaged_is_refused(made_up, records):
    path = records / "study_bias.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"format": 99}))
    with pytest.raises(ValueError, match="newer version"):
        studies.load("bias")
    del facts["machine"]
    path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=r"study_bias\.json is no record"):
        studies.load("bias")


def test_of_what_a_record_does_not_hold_it_says_what_it_holds(made_up):
    with pytest.raises(ValueError, match="'two': one, three"):
        made_up.of("two", "loss")
    with pytest.raises(ValueError, match="'loos': loss, gain"):
        made_up.of("one", "loos")


# What is shown.


def test_the_table_has_the_median_and_the_range_and_how_it_was_measured(made_up):
    view = show_study("bias")
    line = next(line for line in repr(view).splitlines() if line.startswith("three"))
    assert line.split("  ", 1)[1].strip().startswith("5.1 (5 to 5.2)")
    for words in ("Which is it?", "3 seeds", made_up.command, made_up.machine, "loss ↓"):
        assert words in repr(view)
        assert words in view.html


def test_every_picture_is_described_and_nothing_is_a_script(made_up):
    page = show_study("bias").html
    assert page.count("<img") == page.count('<img alt="') == 2
    assert "loss runs from 3.1 (one) to 5.1 (three)" in page
    assert "one goes from 3.00 to 1.00" in page
    assert "<script" not in page


def test_every_seed_has_its_dot(made_up):
    from cs_caption.viz.studies import _dots

    panel = _dots(made_up, ()).axes[0]
    dots = [x for line in panel.lines if line.get_marker() == "o" for x in line.get_xdata()]
    assert dots == [3.0, 3.1, 3.2, 5.0, 5.1, 5.2]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["one", "three"]


def test_a_figure_of_many_magnitudes_has_a_logarithmic_axis(records):
    from cs_caption.viz.studies import _dots

    figures = (Figure("loss", "lower", log=True), Figure("gain", "higher"))
    panels = _dots(run(study(figures=figures), records), ()).axes
    assert [panel.get_xscale() for panel in panels] == ["log", "linear"]


@pytest.mark.parametrize(("factor", "shown"), [(2, "20"), (1000, "10,000")])
def test_a_logarithmic_axis_has_numbers_that_do_not_touch(records, factor, shown):
    from cs_caption.viz.studies import _dots

    def spread(setting, budget, seed):
        return {"loss": 12.0 * factor ** (setting == "three"), "gain": 1.0}

    figures = (Figure("loss", "lower", log=True), Figure("gain", "higher"))
    sheet = _dots(run(study(spread, figures=figures), records), ())
    sheet.draw_without_rendering()
    axis = sheet.axes[0].xaxis
    low, high = axis.get_view_interval()
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    labels = [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    labels = sorted((one.get_window_extent().extents.tolist(), one.get_text()) for one in labels)
    drawn = [(extents, text) for extents, text in labels if text]
    assert shown in [text for _, text in drawn]
    assert all(one[2] < other[0] for (one, _), (other, _) in pairwise(drawn))


def test_a_run_of_ones_own_stands_beside_the_recorded_ones(made_up):
    from cs_caption.viz.studies import _dots

    own = Run("three", 7, {"loss": 4.25, "gain": 2.0}, {"curve": [9.0, 8.0]})
    assert "yours: three, seed 7" in repr(show_study("bias", own))
    diamonds = [line for line in _dots(made_up, (own,)).axes[0].lines if line.get_marker() == "D"]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in diamonds] == [(4.25, 1)]


@pytest.mark.parametrize("other", [Run("two", 0, {"loss": 1, "gain": 1}), Run("one", 0, {"x": 1})])
def test_a_run_of_another_study_is_refused(made_up, other):
    with pytest.raises(ValueError, match="is not of the study 'bias'"):
        show_study("bias", other)


def test_a_study_without_curves_is_shown_without(records):
    curveless = study(lambda setting, budget, seed: {"loss": 1.0 + seed, "gain": 0.0})
    record.save(run(curveless, records))
    assert show_study("bias").html.count("<img") == 1
