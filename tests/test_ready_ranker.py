"""The ranking model that comes with the package, and the command that makes it."""

import pytest

torch = pytest.importorskip("torch")

from cs_caption.checkpoint import load_ranker  # noqa: E402
from cs_caption.data import Scenes  # noqa: E402
from cs_caption.ranking import grounding, measure, regions_of  # noqa: E402
from cs_caption.ready_ranker import folder_of, main, ready_ranker  # noqa: E402


def test_it_finds_pictures_and_regions_that_it_never_saw():
    scenes = Scenes("test", n=100, level="rich")
    found = measure(ready_ranker(), scenes)
    assert found.to_image.r10 > 0.8  # chance: 0.1
    assert found.to_sentence.r10 > 0.8  # chance: about 0.09
    told = [captions[0] for captions in scenes.captions]
    pointing = grounding(
        ready_ranker(), regions_of(ready_ranker(), scenes.images), told, [s.objects for s in scenes]
    )
    assert pointing.accuracy > 0.7 > 0.5 > pointing.random_object


def test_its_record_tells_how_it_came_to_be_and_what_it_is_worth():
    info = ready_ranker("rich").info
    assert info["command"] == "python -m cs_caption.ready_ranker"
    assert info["level"] == "rich"
    assert info["held_out"]["pictures"] == 1000
    assert 0.5 < info["held_out"]["to_image"]["r10"] < 1
    assert len(ready_ranker().vocabulary) == ready_ranker().model.config.vocab_size


def test_it_is_small_and_loads_once():
    assert sum(file.stat().st_size for file in folder_of("rich").iterdir()) < 1_200_000
    assert ready_ranker("rich") is ready_ranker("rich")
    assert not ready_ranker().model.training
    assert {weight.dtype for weight in ready_ranker().model.parameters()} == {torch.float32}


def test_a_name_that_does_not_come_with_the_package_is_refused():
    with pytest.raises(ValueError, match=r"no ranking model 'coco'.*'rich'"):
        ready_ranker("coco")


def test_the_command_trains_rounds_measures_and_writes(tmp_path, capsys):
    out = tmp_path / "rich_ranker"
    numbers = ["--pictures", "70", "--held-out", "10", "--steps", "2"]
    assert main([*numbers, "--runs", str(tmp_path / "run"), "--out", str(out)]) == 0
    assert "R@10" in capsys.readouterr().out
    trained = load_ranker(out, "cpu")
    assert trained.info["held_out"]["pictures"] == 10
    assert trained.info["command"].startswith("python -m cs_caption.ready_ranker --pictures 70")
    halves = (value.half().float() for value in trained.model.parameters())
    assert all(torch.equal(h, v) for h, v in zip(halves, trained.model.parameters(), strict=True))
