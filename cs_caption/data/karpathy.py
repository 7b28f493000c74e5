"""Karpathy's splits: dataset_coco.json, dataset_flickr8k.json, dataset_flickr30k.json."""

from pathlib import Path

from cs_caption.data.listing import SPLITS, Entry, Fault, Listing, Shelf, read_json
from cs_caption.data.tokens import tokenise

NAMES = ("dataset_coco.json", "dataset_flickr8k.json", "dataset_flickr30k.json", "dataset.json")
TRAINED_ON = {"restval": "train"}  # what the 5,000 + 5,000 held out leave of COCO's val2014
_FLICKR = (
    *("Flicker8k_Dataset", "Flickr8k_Dataset", "Flickr8k_Dataset/Flicker8k_Dataset"),
    *("flickr30k-images", "flickr30k_images", "flickr30k_images/flickr30k_images"),
)
PLACES = (*_FLICKR, "images", "Images", "imgs", ".")


def files(folder: Path) -> list[Path]:
    """The files of this format that are there."""
    return [folder / name for name in NAMES if (folder / name).is_file()]


def read_karpathy(folder: Path) -> Listing:
    """The pictures with Karpathy's own tokens; "restval" is trained on, as everybody does.

    A picture's id is COCO's number where it has one, else its file's name. Pictures of COCO may
    lie in train2014/ and val2014/ as the file says, or under their names of 2017.

    Raises: ValueError where there are several such files, or one is not of this format.
    """
    found = files(folder)
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise ValueError(f"{folder} has {names}: give each dataset a folder of its own")
    content = read_json(found[0], "images")
    listing, shelf = Listing("karpathy", folder, found[0].stem), Shelf(folder)
    rest = 0
    for record in content["images"]:
        if (entry := _entry(listing, shelf, record)) is not None:
            listing.entries.append(entry)
            rest += record["split"] in TRAINED_ON
    listing.idle = shelf.idle()
    if rest:
        whole = listing.splits["train"]
        listing.notes.append(f"train is {whole - rest:,} train pictures and {rest:,} restval")
    return listing


def _entry(listing: Listing, shelf: Shelf, record: dict) -> Entry | None:
    name, split, sentences = (record.get(key) for key in ("filename", "split", "sentences"))
    split = TRAINED_ON.get(split, split)
    if not isinstance(name, str) or not isinstance(sentences, list) or split not in SPLITS:
        why = f"it needs filename, sentences, and a split of {', '.join((*SPLITS, *TRAINED_ON))}"
        listing.faults.append(Fault("line", "", f"{record!r:.60}", why))
        return None
    number = record.get("cocoid")
    candidates = [f"{record['filepath']}/{name}"] if record.get("filepath") else []
    candidates += [f"images/{one}" for one in candidates] + [f"{place}/{name}" for place in PLACES]
    if isinstance(number, int):
        candidates += [f"{place}2017/{number:012d}.jpg" for place in ("train", "val")]
    captions = tuple(_tokens(sentence) for sentence in sentences)
    id_ = name if number is None else str(number)
    return Entry(id_, candidates[0], shelf.find(*candidates), split, captions)


def _tokens(sentence: object) -> str:
    """A sentence's tokens, else its raw text; nothing where it has neither."""
    if not isinstance(sentence, dict):
        return ""
    tokens, raw = sentence.get("tokens"), sentence.get("raw")
    if isinstance(tokens, list) and all(isinstance(token, str) for token in tokens):
        return " ".join(" ".join(tokens).split())
    return tokenise(raw) if isinstance(raw, str) else ""
