"""Captioners and rankers on disk: whole folders of safetensors and JSON, never a pickle.

    <run>/model/                    a finished captioner (`save_captioner`)
    <run>/checkpoints/step_000700/  one moment of a training run (`save_checkpoint`)
        captioner.json              format, model shape, vocabulary, facts, a sha256 of each file
                                    (a ranker's too; `of` says which of the two it is)
        model.safetensors           weights; beside it optimizer, rng or extra tensors

A folder appears whole or not at all; one that was damaged afterwards is told by its checksums.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from cs_caption.data.vocabulary import Vocabulary
from cs_caption.device import pick_device
from cs_caption.files import whole_folder
from cs_caption.models import Captioner, CaptionerConfig
from cs_caption.models.ranking import Ranker, RankerConfig

FORMAT = 1
FACTS = "captioner.json"
KINDS = {"captioner": (Captioner, CaptionerConfig), "ranker": (Ranker, RankerConfig)}
USES = {"captioner": "caption, evaluate", "ranker": "retrieve"}  # commands of each

Model = Captioner | Ranker

Tensors = Mapping[str, Tensor]


class Damaged(ValueError):
    """A saved folder whose files are missing, cut short or altered."""


@dataclass
class Trained:
    """A captioner or a ranker ready for use: what `load_captioner` and `load_ranker` return."""

    model: Model
    vocabulary: Vocabulary
    info: dict = field(default_factory=dict)
    extra: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """The content of a saved folder: its JSON and its groups of tensors, {"model": {...}, ...}."""

    path: Path
    facts: dict
    tensors: dict[str, dict[str, Tensor]]


def save_captioner(
    folder: str | Path,
    model: Model,
    vocabulary: Vocabulary,
    info: dict | None = None,
    *,
    extra: Tensors | None = None,
    replace: bool = False,
) -> Path:
    """Write a captioner, or a ranker, to `folder`, with `info`, any JSON, and `extra`, any tensors.

    Raises: FileExistsError where `folder` is there already and `replace` is False; OSError as
    `whole_folder`; ValueError where it is there and holds something else than a captioner.
    """
    folder = Path(folder)
    groups = {"model": model.state_dict()} | ({"extra": extra} if extra else {})
    facts = {**_model_facts(model, vocabulary), "kind": "model", "info": info or {}}
    if not (replace and folder.exists()):
        return _write(folder, facts, groups)
    if not (folder / FACTS).is_file():
        raise ValueError(f"{folder} holds no captioner: it is not replaced; choose another name")
    fresh, old = (folder.with_name(f".{folder.name}.{word}") for word in ("new", "old"))
    _remove(fresh, old)
    _write(fresh, facts, groups)
    folder.rename(old)
    fresh.rename(folder)
    _remove(old)
    return folder


def load_captioner(path: str | Path, device: str | torch.device = "auto") -> Trained:
    """Read a captioner from a model folder, from a run's folder (its model/, else its newest whole
    checkpoint) or from one checkpoint; the model is in eval mode on `device`.

    Raises: FileNotFoundError where nothing is there; ValueError, saying which and what to do, where
    it is no captioner, is damaged, does not fit together, or was written by a newer version.
    """
    return _load(Path(path), device, "captioner")


def load_ranker(path: str | Path, device: str | torch.device = "auto") -> Trained:
    """As `load_captioner`, a ranking model: `save_captioner` and `train` write it alike."""
    return _load(Path(path), device, "ranker")


def kind_of(path: str | Path) -> str:
    """What a folder holds that `load_captioner` or `load_ranker` reads: "captioner" or "ranker".

    Raises: as these two.
    """
    return _find(Path(path), "model").facts.get("of", "captioner")


def save_checkpoint(
    folder: str | Path,
    step: int,
    model: Model,
    vocabulary: Vocabulary,
    tensors: Mapping[str, Tensors],
    progress: dict,
    *,
    keep: int,
) -> Path:
    """Write `folder`/step_000700 with the model, more groups of `tensors` and `progress` (JSON);
    then remove all but the newest `keep` checkpoints. What was damaged under that name is replaced.
    """
    path = Path(folder) / f"step_{step:06d}"
    _remove(path)
    facts = {**_model_facts(model, vocabulary), "kind": "checkpoint", "step": step, **progress}
    _write(path, facts, {"model": model.state_dict(), **tensors})
    _remove(*_checkpoints(path.parent)[keep:], *path.parent.glob(".step_*"))
    return path


def newest_checkpoint(folder: str | Path) -> tuple[Saved | None, list[str]]:
    """The newest whole checkpoint in `folder`, None without one, and why newer ones were passed
    over.

    Raises: ValueError for a checkpoint that was written by a newer version of cs_caption.
    """
    passed_over = []
    for path in _checkpoints(Path(folder)):
        try:
            return read_saved(path), passed_over
        except Damaged as error:
            passed_over.append(str(error))
    return None, passed_over


def read_saved(folder: str | Path) -> Saved:
    """Read and verify a saved folder.

    Raises: Damaged where a file is missing, cut short or altered; ValueError where it was written
    by a newer version of cs_caption.
    """
    folder = Path(folder)
    facts = _read_facts(folder)
    if facts["format"] > FORMAT:
        raise ValueError(
            f"{folder} has format {facts['format']}, newer than this cs_caption reads ({FORMAT}): "
            "update cs_caption (git pull) or use the version that wrote it"
        )
    files = facts["files"]
    return Saved(folder, facts, {name: _read(folder, name, files[name]) for name in files})


def load_weights(model: Model, saved: Saved) -> None:
    """Put saved weights into `model`, every one and no other.

    Raises: ValueError, naming the first tensor that differs in name or shape.
    """
    here, there = model.state_dict(), saved.tensors.get("model", {})
    for name in sorted(here.keys() | there.keys()):
        shapes = [
            tuple(tensors[name].shape) if name in tensors else None for tensors in (there, here)
        ]
        if shapes[0] != shapes[1]:
            was, needed = ("absent" if shape is None else shape for shape in shapes)
            raise ValueError(
                f"the weights in {saved.path} do not fit this model: {name} is {was} there and "
                f"{needed} here; load them into a model of the shape in {FACTS}"
            )
    model.load_state_dict(there)


def _load(path: Path, device: str | torch.device, kind: str) -> Trained:
    where = pick_device(device)
    saved = _find(path, kind)
    model_class, config_class = KINDS[kind]
    found = saved.facts.get("of", "captioner")
    if found != kind:
        raise ValueError(
            f"{path} holds a {found}, not a {kind}: use it with python -m cs_caption {USES[found]}"
        )
    try:
        config = config_class(**saved.facts["config"])
        vocabulary = Vocabulary.from_json(saved.facts["vocabulary"])
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"{saved.path / FACTS} does not describe a {kind}: {error!r}") from error
    if len(vocabulary) != config.vocab_size:
        raise Damaged(
            f"{saved.path} holds {len(vocabulary)} words for a model of {config.vocab_size}"
        )
    model = model_class(config)
    load_weights(model, saved)
    info = saved.facts.get("info", {})
    extra = {name: tensor.to(where) for name, tensor in saved.tensors.get("extra", {}).items()}
    return Trained(model.to(where).eval(), vocabulary, info, extra)


def _model_facts(model: Model, vocabulary: Vocabulary) -> dict:
    return {
        "format": FORMAT,
        "of": "ranker" if isinstance(model, Ranker) else "captioner",
        "config": model.config.to_json(),
        "vocabulary": vocabulary.to_json(),
    }


def _write(folder: Path, facts: dict, groups: Mapping[str, Tensors]) -> Path:
    with whole_folder(folder) as temporary:
        sums = {}
        for name, tensors in groups.items():
            tidy = {key: t.detach().cpu().contiguous().clone() for key, t in tensors.items()}
            content = safetensors.torch.save(tidy)
            sums[name] = hashlib.sha256(content).hexdigest()
            (temporary / f"{name}.safetensors").write_bytes(content)
        text = json.dumps({**facts, "files": sums}, indent=1)
        (temporary / FACTS).write_text(text + "\n", encoding="utf-8")
    return folder


def _read_facts(folder: Path) -> dict:
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if isinstance(facts["format"], int) and isinstance(facts["files"], dict):
            return facts
    except (FileNotFoundError, NotADirectoryError):
        raise Damaged(f"{folder} holds no {FACTS}: it is not a saved captioner") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise Damaged(f"{folder / FACTS} is damaged: restore the folder or use another one")


def _read(folder: Path, name: str, checksum: str) -> dict[str, Tensor]:
    file = folder / f"{name}.safetensors"
    try:
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() == checksum:
            return safetensors.torch.load(content)
        problem = "is damaged (its checksum differs)"
    except FileNotFoundError:
        problem = "is missing"
    except SafetensorError as error:
        problem = f"is damaged ({error})"
    raise Damaged(f"{file} {problem}: restore the folder, or use another one")


def _find(path: Path, kind: str) -> Saved:
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: train a {kind} first, or mend the path")
    if path.is_file():
        raise ValueError(f"{path} is a file: name the folder that a {kind} was saved to")
    for folder in (path, path / "model"):
        if (folder / FACTS).is_file():
            return read_saved(folder)
    for folder in (path / "checkpoints", path):
        saved, passed_over = newest_checkpoint(folder)
        if saved is not None:
            return saved
        if passed_over:
            raise Damaged("no checkpoint there is whole: " + "; ".join(passed_over))
    raise ValueError(
        f"{path} holds no {kind}: expected {FACTS}, model/ or checkpoints/ in it; train one with "
        f"python -m cs_caption train{' --ranking' if kind == 'ranker' else ''}"
    )


def _checkpoints(folder: Path) -> list[Path]:
    """Checkpoint folders, newest first, whole or not."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if re.fullmatch(r"step_\d{6,}", path.name)]
    return sorted(found, key=lambda path: int(path.name[5:]), reverse=True)


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
