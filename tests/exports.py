"""Scenes written as each real dataset is given away: same folders, same names, same fields."""

import csv
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from PIL import Image

from cs_caption.data import Scenes
from cs_caption.data.records import Scene

SIZES = {"train": 12, "val": 4, "test": 4}
COCO = ("train", "val")  # the captions of its test pictures were never given away


@cache
def scenes(split: str) -> Scenes:
    return Scenes(split, n=SIZES[split])


@cache
def all_of(split: str) -> list[Scene]:
    return list(scenes(split))


def as_typed(caption: str) -> str:
    """The caption as a person would type it: a capital, a full stop, a stray blank."""
    return f"{caption[0].upper()}{caption[1:]}. "


def spoken(split: str) -> list[list[str]]:
    return scenes(split).captions


def export_coco(folder: Path, year: str = "2017") -> Path:
    (folder / "annotations").mkdir(parents=True)
    number, caption = 100, 1
    for split in COCO:
        images, annotations = [], []
        for scene in all_of(split):
            name = f"{number:012d}.jpg"
            if year == "2014":
                name = f"COCO_{split}{year}_{name}"
            save(folder / f"{split}{year}" / name, scene.image)
            images.append({"id": number, "file_name": name, "height": 64, "width": 64})
            for text in scene.captions:
                about = {"image_id": number, "id": caption, "caption": as_typed(text)}
                annotations.append(about)
                caption += 1
            number += 7
        content = {"info": {}, "licenses": [], "images": images, "annotations": annotations}
        # COCO's annotations of a picture do not stand together.
        content["annotations"] = annotations[::2] + annotations[1::2]
        path = folder / "annotations" / f"captions_{split}{year}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
    return folder


def export_flickr8k(folder: Path) -> Path:
    lists = {
        "train": "Flickr_8k.trainImages.txt",
        "val": "Flickr_8k.devImages.txt",
        "test": "Flickr_8k.testImages.txt",
    }
    lines = []
    for split, name in lists.items():
        names = _jpegs(folder / "Flicker8k_Dataset", split, "{}_abcdef.jpg")
        (folder / name).write_text("\n".join(names) + "\n")
        lines += _token_lines(names, split)
    (folder / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def export_flickr30k(folder: Path, lists: bool = True) -> Path:
    lines = []
    for split in SIZES:
        names = _jpegs(folder / "flickr30k-images", split, "{}.jpg")
        lines += _token_lines(names, split)
        if lists:  # as Flickr30k Entities has them: numbers without an ending
            (folder / f"{split}.txt").write_text("".join(f"{n[:-4]}\n" for n in names))
    (folder / "results_20130124.token").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def export_karpathy(folder: Path) -> Path:
    images, number, sentence = [], 0, 0
    for split in SIZES:
        for i, scene in enumerate(all_of(split)):
            # The first five are of train2014, all others of val2014, as most of restval is.
            part, name = ("train", "train") if split == "train" and i < 5 else ("restval", "val")
            file = f"COCO_{name}2014_{number:012d}.jpg"
            save(folder / f"{name}2014" / file, scene.image)
            sentences = [
                {"tokens": text.split(), "raw": as_typed(text), "imgid": number, "sentid": k}
                for k, text in enumerate(scene.captions, sentence)
            ]
            sentence += len(sentences)
            images.append(
                {
                    "filepath": f"{name}2014",
                    "sentids": [one["sentid"] for one in sentences],
                    "filename": file,
                    "imgid": number,
                    "split": part if split == "train" else split,
                    "sentences": sentences,
                    "cocoid": number,
                }
            )
            number += 1
    text = json.dumps({"images": images, "dataset": "coco"})
    (folder / "dataset_coco.json").write_text(text)
    return folder


def export_folder(folder: Path, split: bool = True) -> Path:
    rows = [("file", "caption", "split") if split else ("file", "caption")]
    for name in SIZES:
        for i, scene in enumerate(all_of(name)):
            file = f"{name}/{i}.png"
            save(folder / file, scene.image)
            rows += [(file, as_typed(text), name)[: len(rows[0])] for text in scene.captions]
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, dialect="excel").writerows(rows)  # CRLF, as a spreadsheet writes it
    return folder


EXPORTS: dict[str, Callable[[Path], Path]] = {
    "coco2017": export_coco,
    "coco2014": lambda folder: export_coco(folder, "2014"),
    "flickr8k": export_flickr8k,
    "flickr30k": export_flickr30k,
    "karpathy": export_karpathy,
    "folder": export_folder,
}


def splits_of(kind: str) -> tuple[str, ...]:
    return COCO if kind.startswith("coco") else tuple(SIZES)


def save(path: Path, image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))
    return path


def _jpegs(folder: Path, split: str, name: str) -> list[str]:
    first = 1000 * (1 + list(SIZES).index(split))
    names = [name.format(first + i) for i in range(SIZES[split])]
    for file, scene in zip(names, all_of(split), strict=True):
        save(folder / file, scene.image)
    return names


def _token_lines(names: list[str], split: str) -> list[str]:
    return [
        f"{name}#{k}\t{as_typed(text)}"
        for name, captions in zip(names, spoken(split), strict=True)
        for k, text in enumerate(captions)
    ]
