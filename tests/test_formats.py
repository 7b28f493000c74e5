"""Real formats, in folders that the tests write: the same pictures and words come back."""

import csv
import json

import numpy as np
import pytest
from exports import (
    EXPORTS,
    SIZES,
    as_typed,
    export_coco,
    export_flickr8k,
    export_flickr30k,
    export_folder,
    export_karpathy,
    save,
    scenes,
    splits_of,
    spoken,
)

from cs_caption.data import CaptionedImages, Scenes, check_captions, open_captions
from cs_caption.data.listing import split_by_name
from cs_caption.data.tokens import tokenise


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {kind: export(tmp_path_factory.mktemp(kind)) for kind, export in EXPORTS.items()}


def opened(folder, split="train", **settings) -> CaptionedImages:
    return open_captions(folder, split, report=None, **settings)


def torchvision():
    """torchvision, the tests' oracle; where it is missing they are skipped."""
    pytest.importorskip("torch")
    from cs_caption._torchvision import torchvision

    try:
        return torchvision()
    except ImportError as error:
        pytest.skip(str(error))


def edit_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


# Every kind.


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_split_of_every_kind_brings_back_its_pictures_and_words(folders, kind):
    for split in splits_of(kind):
        data, truth = opened(folders[kind], split), scenes(split)
        assert len(data) == len(truth)
        assert data.images.shape == (len(truth), 64, 64, 3)
        assert [sorted(some) for some in data.captions] == [sorted(some) for some in truth.captions]
        # JPEG changes pixels a little; another picture differs by far more.
        apart = np.abs(data.images.astype(int) - truth.images).mean(axis=(1, 2, 3))
        assert apart.max() < 4
        assert np.abs(data.images.astype(int) - truth.images[::-1]).mean() > 10


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_kind_is_recognised_and_nothing_is_wrong_with_it(folders, kind):
    found = check_captions(folders[kind])
    assert found.kind == kind
    assert found.ok
    assert found.splits == {s: (SIZES[s], 5 * SIZES[s]) for s in splits_of(kind)}


@pytest.mark.parametrize("kind", EXPORTS)
def test_pictures_read_when_asked_for_are_the_same_as_those_read_at_once(folders, kind):
    lazy, held = opened(folders[kind], lazy=True), opened(folders[kind], lazy=False)
    assert isinstance(held.images, np.ndarray)
    assert not isinstance(lazy.images, np.ndarray)
    assert (np.asarray(lazy.images) == held.images).all()
    assert (lazy[3].image == held[3].image).all()
    assert lazy.ids == held.ids


def test_pictures_come_in_the_size_that_is_asked_for(folders):
    assert opened(folders["coco2017"], size=32).images.shape == (12, 32, 32, 3)


def test_more_than_half_a_gibibyte_is_read_as_it_is_needed(folders, monkeypatch):
    monkeypatch.setattr("cs_caption.data.opening.IN_MEMORY", 11 * 64 * 64 * 3)
    assert not isinstance(opened(folders["folder"]).images, np.ndarray)
    assert isinstance(opened(folders["folder"], "val").images, np.ndarray)


def test_a_folder_of_another_kind_is_refused_with_what_is_expected(tmp_path):
    with pytest.raises(
        ValueError, match=r"no captions that can be read: expected one of(.|\n)*csv"
    ):
        opened(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        opened(tmp_path / "none")
    (tmp_path / "captions.csv").write_text("file,caption\n")
    with pytest.raises(NotADirectoryError, match="is a file: give the folder"):
        opened(tmp_path / "captions.csv")


def test_a_split_that_is_not_there_is_refused_with_those_that_are(folders):
    with pytest.raises(ValueError, match="no split 'test'; there: train, val"):
        opened(folders["coco2017"], "test")
    with pytest.raises(ValueError, match="no split is called 'dev'"):
        opened(folders["coco2017"], "dev")


def test_a_kind_can_be_asked_for_and_one_that_is_not_there_is_refused(folders):
    assert len(opened(folders["coco2014"], kind="coco")) == 12
    with pytest.raises(ValueError, match="no captions of kind 'flickr8k'; there: coco2014"):
        opened(folders["coco2014"], kind="flickr8k")


def test_coco_of_two_years_is_no_guess(tmp_path):
    export_coco(tmp_path / "both")
    export_coco(tmp_path / "more", "2014")
    for path in (tmp_path / "more" / "annotations").iterdir():
        path.rename(tmp_path / "both" / "annotations" / path.name)
    with pytest.raises(ValueError, match=r"coco2014 and coco2017: say which, by kind=.* or --kind"):
        opened(tmp_path / "both")
    assert len(opened(tmp_path / "both", kind="coco2017")) == 12


def test_karpathys_splits_go_before_the_lists_that_they_divide(tmp_path):
    export_coco(tmp_path, "2014")
    export_karpathy(tmp_path)
    found = check_captions(tmp_path)
    assert found.kind == "karpathy"
    assert "there is coco2014 too: ask for it by its kind" in found.notes


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("coco2017", "annotations/captions_train2017.json"),
        ("karpathy", "dataset_coco.json"),
    ],
)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1, 2", "no JSON file, or was not copied whole"),
        ('{"images": 3, "annotations": []}', "no list 'images'"),
        ("[]", "no list 'images'"),
        ('{"images": ["a"], "annotations": []}', "no list 'images' of objects"),
    ],
)
def test_a_json_file_of_another_format_is_named(tmp_path, kind, name, content, words):
    folder = EXPORTS[kind](tmp_path)
    (folder / name).write_text(content)
    with pytest.raises(ValueError, match=words) as error:
        opened(folder)
    assert name.split("/")[-1] in str(error.value)


def test_a_list_that_is_not_utf_8_is_named(tmp_path):
    export_flickr8k(tmp_path)
    path = tmp_path / "Flickr8k.token.txt"
    path.write_bytes(path.read_bytes() + "x.jpg#0\tcafé\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"Flickr8k\.token\.txt is no text in UTF-8"):
        opened(tmp_path)


# COCO.


@pytest.mark.parametrize("year", ["2014", "2017"])
def test_coco_is_read_as_pycocotools_reads_it(folders, year, capsys):
    COCO = pytest.importorskip("pycocotools.coco").COCO
    folder = folders[f"coco{year}"]
    api = COCO(str(folder / "annotations" / f"captions_train{year}.json"))
    data = opened(folder)
    assert data.ids == [str(number) for number in api.getImgIds()]
    for number, captions in zip(api.getImgIds(), data.captions, strict=True):
        raw = [one["caption"] for one in api.loadAnns(api.getAnnIds(imgIds=number))]
        assert [tokenise(caption) for caption in raw] == list(captions)


def test_coco_is_read_as_torchvision_reads_it(folders, capsys):
    pytest.importorskip("pycocotools")
    folder = folders["coco2017"]
    theirs = torchvision().datasets.CocoCaptions(
        str(folder / "val2017"), str(folder / "annotations" / "captions_val2017.json")
    )
    ours = opened(folder, "val")
    assert len(ours) == len(theirs)
    for mine, (picture, captions) in zip(ours, theirs, strict=True):
        assert (mine.image == np.asarray(picture)).all()
        assert list(mine.captions) == [tokenise(caption) for caption in captions]


def test_coco_pictures_may_lie_under_images_or_in_one_folder(tmp_path):
    folder = export_coco(tmp_path)
    (folder / "images").mkdir()
    for split in ("train", "val"):
        (folder / f"{split}2017").rename(folder / "images" / f"{split}2017")
    assert len(opened(folder)) == 12
    for split in ("train", "val"):
        for file in (folder / "images" / f"{split}2017").iterdir():
            file.rename(folder / "images" / file.name)
    assert len(opened(folder)) == 12


def test_coco_annotations_may_lie_in_the_folder_itself_and_name_no_year(tmp_path):
    folder = export_coco(tmp_path, "")
    for path in (folder / "annotations").iterdir():
        path.rename(folder / path.name)
    assert check_captions(folder).kind == "coco"
    assert len(opened(folder)) == 12


# Karpathy's splits.


def test_restval_is_trained_on(folders):
    found = check_captions(folders["karpathy"])
    assert found.splits["train"] == (12, 60)
    assert "train is 5 train pictures and 7 restval" in found.notes


def test_karpathys_own_tokens_are_taken_and_raw_text_where_there_are_none(tmp_path):
    def change(content):
        content["images"][0]["sentences"] = [
            {"tokens": ["a", "t-shirt", "on    "], "raw": "never read"},
            {"raw": "A man's T-shirt."},
        ]

    folder = export_karpathy(tmp_path)
    edit_json(folder / "dataset_coco.json", change)
    assert opened(folder)[0].captions == ("a t-shirt on", "a mans tshirt")


def test_karpathys_split_finds_the_pictures_under_their_names_of_2017(tmp_path):
    folder = export_karpathy(tmp_path)
    for file in [*folder.glob("*2014/*.jpg")]:
        (folder / "train2017").mkdir(exist_ok=True)
        file.rename(folder / "train2017" / file.name[-16:])
    assert len(opened(folder)) == 12


def test_karpathys_flickr_files_name_pictures_without_a_folder(tmp_path):
    folder = export_flickr8k(tmp_path)
    names = [file.name for file in sorted((folder / "Flicker8k_Dataset").iterdir())]
    said = [some for split in SIZES for some in spoken(split)]
    images = [
        {
            "filename": name,
            "split": "test" if i < 3 else "train",
            "sentences": [{"tokens": caption.split()} for caption in captions],
        }
        for i, (name, captions) in enumerate(zip(names, said, strict=True))
    ]
    (folder / "dataset_flickr8k.json").write_text(json.dumps({"images": images}))
    data = opened(folder, "test")
    assert data.ids == names[:3]
    assert list(data[1].captions) == said[1]


def test_two_of_karpathys_files_are_no_guess(tmp_path):
    export_karpathy(tmp_path)
    (tmp_path / "dataset_flickr8k.json").write_text('{"images": []}')
    with pytest.raises(ValueError, match=r"dataset_coco.json and dataset_flickr8k.json: give each"):
        opened(tmp_path)


# Flickr.


def test_captions_of_flickr_are_read_as_torchvision_reads_them(folders):
    folder = folders["flickr30k"]
    theirs = torchvision().datasets.Flickr30k(
        str(folder / "flickr30k-images"), str(folder / "results_20130124.token")
    )
    known = {one.id: one for split in SIZES for one in opened(folder, split)}
    assert sorted(known) == theirs.ids
    for name, (picture, captions) in zip(theirs.ids, theirs, strict=True):
        assert (known[name].image == np.asarray(picture)).all()
        assert list(known[name].captions) == [tokenise(caption) for caption in captions]


def test_flickr8k_may_lie_as_in_its_two_archives(tmp_path):
    folder = export_flickr8k(tmp_path)
    (folder / "Flickr8k_text").mkdir()
    for path in folder.glob("*.txt"):
        path.rename(folder / "Flickr8k_text" / path.name)
    (folder / "Flickr8k_Dataset").mkdir()
    (folder / "Flicker8k_Dataset").rename(folder / "Flickr8k_Dataset" / "Flicker8k_Dataset")
    assert len(opened(folder, "test")) == 4


def test_captions_of_pictures_in_no_split_do_no_harm(tmp_path):
    folder = export_flickr8k(tmp_path)
    with (folder / "Flickr8k.token.txt").open("a") as file:  # as the real one has it
        file.write("2258277193_586949ec62.jpg.1#0\tPeople waiting in a crowd .\n")
    found = check_captions(folder)
    assert found.ok
    assert "1 captioned pictures are in no split, and so in no use" in found.notes


def test_flickr30k_without_lists_gets_a_split_that_is_said_and_stays(tmp_path):
    folder = export_flickr30k(tmp_path, lists=False)
    found = check_captions(folder)
    assert found.splits == {"train": (16, 80), "val": (2, 10), "test": (2, 10)}
    assert any("SHA-256" in note for note in found.notes)
    ids = [name for split in SIZES for name in opened(folder, split).ids]
    assert len(set(ids)) == 20
    said = []
    open_captions(folder, report=said.append)
    assert "SHA-256" in said[0]
    assert opened(folder, "test").ids == opened(folder, "test").ids


def test_the_split_by_name_does_not_depend_on_order_and_holds_out_a_thousand_at_most():
    names = [f"{i}.jpg" for i in range(31_783)]
    splits = split_by_name(names)
    assert splits == split_by_name(reversed(names))
    assert [list(splits.values()).count(s) for s in SIZES] == [29_783, 1000, 1000]
    # The same on every machine: no hash that Python salts.
    assert split_by_name("abcd") == {"d": "test", "c": "val", "a": "train", "b": "train"}
    assert split_by_name("ab") == {"a": "train", "b": "train"}


@pytest.mark.parametrize("mark", ["\u2028", "\x0b", "\x85", "\r"])
def test_a_line_separator_in_a_caption_shifts_no_other_caption(tmp_path, mark):
    folder = export_flickr8k(tmp_path)
    path = folder / "Flickr8k.token.txt"
    lines = path.read_text().split("\n")
    lines[0] = lines[0].replace(" ", mark, 1)
    path.write_bytes("\n".join(lines).encode())
    assert opened(folder).captions == [tuple(some) for some in spoken("train")]


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    folder = export_flickr8k(tmp_path)
    for path in folder.glob("*.txt"):
        text = path.read_text().replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert opened(folder).captions == [tuple(some) for some in spoken("train")]


# A plain folder.


def write_csv(folder, text, *names):
    for i, name in enumerate(names):
        save(folder / name, Scenes("train", n=i + 1)[i].image)
    (folder / "captions.csv").write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.mark.parametrize(
    "text",
    [
        'file,caption\na.png,"A cat, asleep."\nb.png,A dog\nc.png,X\n',
        "file;caption\na.png;A cat, asleep.\nb.png;A dog\nc.png;X\n",
        "file\tcaption\r\na.png\tA cat, asleep.\r\nb.png\tA dog\r\nc.png\tX",
        "\ufeffFile, Caption \na.png,A cat, asleep.\n\nb.png,A dog\n,\nc.png,X\n",
        'caption,image\n"A cat,\nasleep.",a.png\nA dog,./b.png\nX,c.png\n',
    ],
)
def test_a_table_may_come_from_any_spreadsheet(tmp_path, text):
    folder = write_csv(tmp_path, text, "a.png", "b.png", "c.png")
    found = {one.id: one.captions for split in SIZES for one in opened(folder, split)}
    assert found == {"a.png": ("a cat asleep",), "b.png": ("a dog",), "c.png": ("x",)}


def test_several_rows_are_several_captions_of_one_picture(tmp_path):
    text = "file,caption,split\na.png,one,train\nb.png,two,Dev\na.png,three,train\n"
    folder = write_csv(tmp_path, text, "a.png", "b.png")
    assert opened(folder).captions == [("one", "three")]
    assert opened(folder, "val").ids == ["b.png"]


def test_names_with_backslashes_and_letters_of_all_scripts_are_found(tmp_path):
    text = "file,caption\nfotos\\år ett.png,Ein Mädchen läuft\n"
    folder = write_csv(tmp_path, text, "fotos/år ett.png")
    assert opened(folder).captions == [("ein mädchen läuft",)]


def test_kaggles_flickr8k_is_a_plain_folder(tmp_path):
    for i in range(4):
        save(tmp_path / "Images" / f"{i}.jpg", Scenes("train", n=4)[i].image)
    rows = "".join(f"{i}.jpg,A man , in a hat .\n" for i in range(4))
    (tmp_path / "captions.txt").write_text("image,caption\n" + rows)
    assert opened(tmp_path).captions == [("a man in a hat",)] * 2


@pytest.mark.parametrize("header", ["", "a.png,A cat\n", "file,text\n"])
def test_a_table_without_its_columns_is_refused(tmp_path, header):
    with pytest.raises(ValueError, match="its first line should be file,caption"):
        opened(write_csv(tmp_path, header, "a.png"))


def test_a_quote_that_never_ends_is_refused_with_its_line(tmp_path):
    folder = write_csv(tmp_path, 'file,caption\na.png,fine\na.png,"never ends\n', "a.png")
    with pytest.raises(ValueError, match=r"captions\.csv, line 3: .*mend the quotes there"):
        opened(folder)


def test_a_written_table_reads_back(tmp_path):
    folder = export_folder(tmp_path, split=False)
    with (folder / "captions.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = [*csv.DictReader(file)]
    captions = {}
    for row in rows:
        captions.setdefault(row["file"], []).append(tokenise(row["caption"]))
    found = {one.id: list(one.captions) for split in SIZES for one in opened(folder, split)}
    assert found == captions


# Words.


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A man riding a wave on top of a surfboard.", "a man riding a wave on top of a surfboard"),
        ("A man's T-shirt.", "a mans tshirt"),
        ("  two\tdogs \n\u2028run  ", "two dogs run"),
        ("Two dogs play together in the snow .", "two dogs play together in the snow"),
        ("“Stop!” — he’s 3 1/2…", "stop hes 3 12"),
        ("CAFÉ, ¿qué? 猫。", "café qué 猫"),
        ("a \x00cat\u200b 😀", "a cat"),
        ("...", ""),
    ],
)
def test_captions_are_lower_case_words_without_punctuation(caption, words):
    assert tokenise(caption) == words
    assert tokenise(words) == words


def test_what_a_person_types_of_a_scene_comes_back_as_it_was():
    for caption in (c for split in SIZES for some in spoken(split) for c in some):
        assert tokenise(as_typed(caption)) == caption
