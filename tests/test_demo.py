"""The demo in a rehearsal: few steps, few pictures, all its parts."""

import json
import os
import re
import subprocess
import sys

import pytest

from cs_caption.__main__ import main

pytest.importorskip("torch")
resource = pytest.importorskip("resource", reason="peak memory is read the POSIX way")
REHEARSAL = ["--steps", "12", "--pictures", "96", "--held-out", "24", "--device", "cpu"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, main(["demo", "--out", str(folder), *REHEARSAL])


def test_a_rehearsal_misses_the_bars_and_says_so(demo):
    folder, code = demo
    results = json.loads((folder / "results.json").read_text())
    assert code == 1
    assert not results["bars"][0]["met"]


def test_every_baseline_is_beside_the_model(demo):
    results = json.loads((demo[0] / "results.json").read_text())
    assert [line["name"].split(",")[0] for line in results["lines"]] == [
        "model",
        "model",
        "annotator",
        "nearest neighbour",
        "shuffled pictures",
        "image-blind model",
    ]
    assert {"centre", "uniform", "random_object"} <= set(results["evaluation"]["pointing"])


def test_the_page_opens_without_network_or_script(demo):
    page = (demo[0] / "index.html").read_text()
    assert "<script" not in page
    assert not re.search(r'(src|href)="https?:', page)


def test_a_demo_that_was_done_goes_on_from_its_end(demo, capsys):
    folder, _ = demo
    assert main(["demo", "--out", str(folder), *REHEARSAL]) == 1
    assert capsys.readouterr().out.count("going on from") == 2


def test_pictures_that_cannot_be_shuffled_are_refused_before_any_work(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "x"), "--held-out", "1"]) == 2
    assert "--held-out 1" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.full
def test_the_demo_meets_its_bars_within_its_memory(tmp_path):
    command = [sys.executable, "-m", "cs_caption", "demo", "--out", str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "2"})
    assert done.returncode == 0
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # GiB on Linux
    assert peak < 1.5
