"""The contact sheet."""

import numpy as np
import pytest
from PIL import Image

from cs_caption.data import CaptionedImages, Scenes
from cs_caption.viz.contact_sheet import CELL, MARGIN, contact_sheet, main


def test_every_picture_stands_enlarged_in_its_cell(tmp_path):
    scenes = Scenes("test", n=5, level="rich")
    contact_sheet(scenes, tmp_path / "sheet.png", n=5, columns=3)
    sheet = np.array(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[1] == 3 * (CELL + MARGIN) + MARGIN
    for column in range(3):
        left = MARGIN + column * (CELL + MARGIN)
        cell = sheet[MARGIN : MARGIN + CELL, left : left + CELL]
        assert (cell[2::4, 2::4] == scenes.images[column])[1:-1, 1:-1].all()


def test_captions_are_written_below(tmp_path):
    scenes = Scenes("test", n=2)
    contact_sheet(scenes, tmp_path / "sheet.png")
    sheet = np.array(Image.open(tmp_path / "sheet.png"))
    assert (sheet[MARGIN + CELL + 2 :] < 100).any()


def test_pictures_of_any_source_can_be_shown(tmp_path):
    images = np.random.RandomState(0).randint(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    contact_sheet(CaptionedImages(images, [["ä cat"], ["a dog"]]), tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size[0] == 2 * (CELL + MARGIN) + MARGIN


@pytest.mark.parametrize("sizes", [{"n": 0}, {"columns": 0}, {"captions": 0}])
def test_an_empty_sheet_is_refused(tmp_path, sizes):
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet(Scenes("test", n=2), tmp_path / "sheet.png", **sizes)
    assert not list(tmp_path.iterdir())


def test_the_command_line_writes_the_sheet_and_says_where(tmp_path, capsys):
    out = tmp_path / "new" / "sheet.png"
    main(["--level", "rich", "--split", "test", "--n", "3", "--columns", "2", "--out", str(out)])
    assert Image.open(out).size[0] == 2 * (CELL + MARGIN) + MARGIN
    assert str(out) in capsys.readouterr().out
