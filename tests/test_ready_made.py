"""The captioner that comes with the package, and the command that makes it."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cs_caption import ready_made as module  # noqa: E402
from cs_caption.checkpoint import load_captioner  # noqa: E402
from cs_caption.data import Scenes  # noqa: E402
from cs_caption.evaluation import decode, evaluate  # noqa: E402
from cs_caption.ready_made import folder_of, main, ready_made  # noqa: E402


def test_it_names_objects_of_pictures_that_it_never_saw():
    found = evaluate(ready_made("rich"), Scenes("test", n=60, level="rich"), report=None)
    assert found.measures.object_f1 > 0.25
    assert found.measures.cider_d > 0.4
    blind = decode(ready_made("rich"), np.zeros((1, 64, 64, 3), np.uint8))[0][0].text
    assert blind not in {result.caption for result in found.results}


def test_its_record_tells_how_it_came_to_be_and_what_it_is_worth():
    info = ready_made("rich").info
    assert info["command"] == "python -m cs_caption.ready_made"
    assert info["level"] == "rich"
    assert info["held_out"]["pictures"] == 1000
    assert 0.3 < info["held_out"]["object_f1"] < 1
    assert len(ready_made("rich").vocabulary) == ready_made("rich").model.config.vocab_size


def test_it_is_small_and_loads_once():
    assert sum(file.stat().st_size for file in folder_of("rich").iterdir()) < 1_200_000
    assert ready_made("rich") is ready_made("rich")
    assert not ready_made("rich").model.training
    assert {weight.dtype for weight in ready_made("rich").model.parameters()} == {torch.float32}


def test_a_name_that_does_not_come_with_the_package_is_refused():
    with pytest.raises(ValueError, match=r"no captioner 'coco'.*'rich'"):
        ready_made("coco")


def test_the_command_trains_rounds_measures_and_writes(tmp_path, capsys):
    out = tmp_path / "rich_captioner"
    numbers = ["--pictures", "80", "--held-out", "10", "--steps", "2"]
    assert main([*numbers, "--runs", str(tmp_path / "run"), "--out", str(out)]) == 0
    assert "object F1" in capsys.readouterr().out
    trained = load_captioner(out, "cpu")
    assert trained.info["held_out"]["pictures"] == 10
    assert trained.info["command"].startswith("python -m cs_caption.ready_made --pictures 80")
    halves = (value.half().float() for value in trained.model.parameters())
    assert all(torch.equal(h, v) for h, v in zip(halves, trained.model.parameters(), strict=True))
    assert json.loads((out / "captioner.json").read_text())["kind"] == "model"


def test_the_package_carries_it(request):
    text = (request.config.rootpath / "pyproject.toml").read_text()
    assert '"models/pretrained/*/*"' in text
    assert module.FOLDER.name == "pretrained"
