"""What the checker finds, and what is left of a folder when it goes on without the broken."""

import json
import shutil

import numpy as np
import pytest
from exports import (
    SIZES,
    all_of,
    export_coco,
    export_flickr8k,
    export_folder,
    export_karpathy,
    save,
)
from PIL import Image

from cs_caption.data import check_captions, open_captions
from cs_caption.data.checker import size_notes
from cs_caption.data.listing import FAULTS


def kinds(found) -> list[str]:
    return [fault.kind for fault in found.faults]


def opened(folder, split="train", report=None, **settings):
    return open_captions(folder, split, report=report, **settings)


def edit(folder, change, split="train"):
    """Change what COCO's file of a split says."""
    path = folder / "annotations" / f"captions_{split}2017.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def rows(folder, *more, drop=None):
    """Change captions.csv: rows that are added, and those that name a picture taken out."""
    path = folder / "captions.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    kept = [line for line in lines if drop is None or drop not in line]
    path.write_text("\n".join([*kept, *more]) + "\n")


@pytest.fixture
def folder(tmp_path):
    return export_folder(tmp_path)


@pytest.fixture
def coco(tmp_path):
    return export_coco(tmp_path)


# One way of breaking a folder after the other: what it is called, and what is left of train.


def missing(folder):
    (folder / "train/3.png").unlink()


def truncated(folder):
    path = folder / "train/3.png"
    path.write_bytes(path.read_bytes()[:-200])


def no_picture(folder):
    (folder / "train/3.png").write_text("404 not found")


def empty_file(folder):
    (folder / "train/3.png").write_bytes(b"")


def a_folder_instead(folder):
    (folder / "train/3.png").unlink()
    (folder / "train/3.png").mkdir()


def too_small(folder):
    save(folder / "train/3.png", np.zeros((15, 300, 3), np.uint8))


def no_words(folder):
    rows(folder, "train/3.png,...,train", drop="train/3.png")


BROKEN = {
    "missing": (missing, "missing"),
    "truncated": (truncated, "unreadable"),
    "no picture": (no_picture, "unreadable"),
    "empty file": (empty_file, "unreadable"),
    "folder": (a_folder_instead, "missing"),
    "too small": (too_small, "small"),
    "no words": (no_words, "silent"),
}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("harm", BROKEN)
def test_a_broken_picture_is_named_refused_and_left_out_when_told_to(folder, harm, lazy):
    breaking, kind = BROKEN[harm]
    whole = opened(folder)
    breaking(folder)
    found = check_captions(folder)
    assert kind in kinds(found)
    assert "train/3.png" in str(found)
    if harm == "truncated" and lazy:  # its header is whole: only reading it shows the rest
        assert len(opened(folder, lazy=True)) == 12
        return
    with pytest.raises(
        ValueError, match=r"wrong: 1 .*train/3\.png(.|\n)*skip_broken=True"
    ) as error:
        opened(folder, lazy=lazy)
    assert FAULTS[kind] in str(error.value)
    said = []
    rest = opened(folder, lazy=lazy, skip_broken=True, report=said.append)
    assert "train/3.png" in said[0]
    assert "left out" in said[0]
    assert rest.ids == [name for name in whole.ids if name != "train/3.png"]
    # Each picture is still with its own captions.
    assert (np.asarray(rest.images) == np.delete(whole.images, 3, axis=0)).all()
    assert rest.captions == [some for i, some in enumerate(whole.captions) if i != 3]


def test_what_is_wrong_with_another_split_does_not_hinder_this_one(folder):
    missing(folder)
    assert len(opened(folder, "val")) == 4


def test_an_empty_caption_is_left_out_alone(folder):
    rows(folder, 'train/3.png," . ",train', f"train/4.png,{'very ' * 101},train")
    found = check_captions(folder)
    assert kinds(found) == ["empty", "long"]
    assert "train/3.png, caption 6" in str(found)
    assert "101 words" in str(found)
    rest = opened(folder, skip_broken=True)
    assert len(rest) == 12
    assert [len(rest[i].captions) for i in (2, 3, 4)] == [5, 5, 5]


def test_captions_without_a_picture_are_reported(coco):
    edit(coco, lambda content: content["images"].pop(2))
    found = check_captions(coco)
    assert kinds(found) == ["orphan"]
    assert "captions_train2017.json: image_id 114 (5 captions)" in str(found)
    assert any("1 pictures without a caption lie there" in note for note in found.notes)
    with pytest.raises(ValueError, match="image_id 114"):
        opened(coco)
    assert opened(coco, skip_broken=True).ids[:3] == ["100", "107", "121"]


def test_pictures_without_captions_are_reported(coco):
    def change(content):
        content["annotations"] = [a for a in content["annotations"] if a["image_id"] != 114]

    edit(coco, change)
    found = check_captions(coco)
    assert kinds(found) == ["silent"]
    assert "train2017/000000000114.jpg" in str(found)
    assert "114" not in opened(coco, skip_broken=True).ids


def test_pictures_that_no_line_names_are_worth_a_note_and_no_fault(folder):
    shutil.copy(folder / "val/0.png", folder / "val/spare.png")
    (folder / "val/readme.txt").write_text("no picture")
    found = check_captions(folder)
    assert found.ok
    assert any("1 pictures without a caption lie there: val/spare.png" in n for n in found.notes)


def test_an_id_that_is_listed_twice_is_reported_and_its_first_picture_kept(coco):
    def change(content):
        content["images"].append(content["images"][0] | {"file_name": "000000000107.jpg"})

    whole = opened(coco)
    edit(coco, change)
    found = check_captions(coco)
    assert set(kinds(found)) == {"twice"}
    assert "the same id as train2017/000000000100.jpg" in str(found)
    rest = opened(coco, skip_broken=True)
    assert rest.ids[0] == "100"
    assert (rest.images[0] == whole.images[0]).all()


def test_an_id_in_two_splits_is_a_leak_and_stays_where_it_is_held_out(coco):
    def change(content):
        content["images"][0]["id"] = 100
        for caption in content["annotations"]:
            caption["image_id"] = 100 if caption["image_id"] == 184 else caption["image_id"]

    edit(coco, change, "val")
    found = check_captions(coco)
    assert kinds(found) == ["leak"]
    assert "train2017/000000000100.jpg in train (the same id as " in str(found)
    assert "100" not in opened(coco, skip_broken=True).ids
    assert "100" in opened(coco, "val").ids


def test_one_picture_under_two_names_in_two_splits_is_a_leak(folder):
    shutil.copy(folder / "test/1.png", folder / "train/5.png")
    found = check_captions(folder)
    assert kinds(found) == ["leak"]
    assert "train/5.png in train (the same picture as test/1.png in test)" in str(found)
    with pytest.raises(ValueError, match="pictures that are in two splits"):
        opened(folder)
    rest = opened(folder, skip_broken=True)
    assert "train/5.png" not in rest.ids
    assert len(rest) == 11
    assert len(opened(folder, "test")) == 4


def test_pictures_of_equal_length_are_not_taken_for_the_same(folder):
    for split in ("train", "val"):
        path = folder / split / "0.png"
        path.write_bytes(path.read_bytes().ljust(20_000, b"\0"))
    assert check_captions(folder).ok
    # Two files that differ nowhere but in their middle, beyond what is looked at first.
    for split, byte in (("train", b"\1"), ("val", b"\2")):
        Image.fromarray(all_of("train")[0].image).save(folder / split / "0.png")
        path = folder / split / "0.png"
        path.write_bytes(path.read_bytes().ljust(9_000, b"\0") + byte + bytes(9_000))
    assert check_captions(folder).ok


def test_one_picture_twice_in_one_split_is_worth_a_note(folder):
    shutil.copy(folder / "train/1.png", folder / "train/5.png")
    found = check_captions(folder)
    assert found.ok
    assert any("1 pictures are there again under other names" in note for note in found.notes)


def test_a_picture_with_two_splits_in_one_table_is_a_leak(folder):
    rows(folder, "train/0.png,a cat,test")
    found = check_captions(folder)
    assert kinds(found) == ["leak"]
    assert len(opened(folder, skip_broken=True)) == 11


def test_a_name_in_two_of_flickrs_lists_is_a_leak_and_one_without_caption_is_silent(tmp_path):
    folder = export_flickr8k(tmp_path)
    with (folder / "Flickr_8k.trainImages.txt").open("a") as file:
        file.write("2000_abcdef.jpg\n9999_abcdef.jpg\n")
    found = check_captions(folder)
    assert sorted(kinds(found)) == ["leak", "missing", "silent"]
    assert len(opened(folder, skip_broken=True)) == 12


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train/0.png,a,b,train", "4 cells where the first line has 3"),
        ("train/0.png,a cat,trian", "the split is 'trian'"),
        (",a cat,train", "no file is named"),
    ],
)
def test_a_row_that_cannot_be_understood_is_reported_with_its_line(folder, line, words):
    rows(folder, line)
    found = check_captions(folder)
    assert kinds(found) == ["line"]
    assert f"captions.csv, line 102 ({words}" in str(found)
    assert len(opened(folder, skip_broken=True)) == 12


def test_records_of_json_that_lack_something_are_reported(tmp_path):
    coco = export_coco(tmp_path / "coco")
    edit(coco, lambda content: content["images"].append({"id": 7}))
    edit(coco, lambda content: content["annotations"].append({"image_id": 100, "caption": None}))
    assert kinds(check_captions(coco)) == ["line", "line"]
    karpathy = export_karpathy((tmp_path / "karpathy").absolute())
    path = karpathy / "dataset_coco.json"
    content = json.loads(path.read_text())
    content["images"][0]["split"] = "trian"
    content["images"][1]["sentences"] = []
    content["images"][2]["sentences"][0] = {"sentid": 3}
    path.write_text(json.dumps(content))
    assert sorted(kinds(check_captions(karpathy))) == ["empty", "line", "silent"]


def test_a_folder_of_which_nothing_is_whole_is_refused_even_when_told_to_skip(folder):
    for i in range(SIZES["test"]):
        (folder / f"test/{i}.png").unlink()
    with pytest.raises(ValueError, match="no unbroken picture"):
        opened(folder, "test", skip_broken=True)


def test_a_report_shows_three_of_many(folder):
    for i in range(6):
        (folder / f"train/{i}.png").unlink()
    assert "wrong: 6 pictures that are named but are not there: " in str(check_captions(folder))
    assert "train/2.png and 3 more" in str(check_captions(folder))


def test_a_quick_check_reads_headers_alone_and_says_so(folder):
    truncated(folder)
    found = check_captions(folder, whole=False)
    assert found.ok
    assert "no picture was read to its end" in str(found)
    assert "every picture was read" not in str(found)


def test_progress_is_said_of_many_pictures(folder, monkeypatch):
    monkeypatch.setattr("cs_caption.data.checker.CHUNK", 8)
    said = []
    check_captions(folder, report=said.append)
    assert said == [f"looked at {n} of 20 pictures" for n in (8, 16, 20)]


@pytest.mark.parametrize(
    ("source", "splits", "words"),
    [
        ("dataset_coco", {"train": 82_783, "val": 5000, "test": 5000}, "restval is missing"),
        ("dataset_coco", {"train": 113_287, "val": 5000, "test": 5000}, None),
        ("coco2014", {"train": 82_783, "val": 40_504}, None),
        ("coco2014", {"train": 113_287, "val": 5000}, "82,783 train, 40,504 val"),
        ("flickr8k", {"train": 6000, "val": 1000, "test": 1000}, None),
        ("flickr8k", {"train": 7000, "val": 1000}, "this has 7,000 train, 1,000 val"),
        ("folder", {"train": 82_783}, None),
    ],
)
def test_the_sizes_of_the_splits_are_held_against_the_known_ones(source, splits, words):
    """113,287 and 82,783 pictures of COCO are often confused: facebookresearch/mmf, issue 220."""
    notes = size_notes(source, splits)
    assert words in notes[0] if words else notes == []
