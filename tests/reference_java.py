"""The Java programs of pycocoevalcap, for tests that compare with them; skipped without Java."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

# What pycocoevalcap drops after its tokenizer, before which it has put all in lower case.
_PUNCTUATION = "'' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - -- ... ;"
_DROPPED = set(_PUNCTUATION.split())
_WEIGHTS = {"exact": "1.0", "stem": "0.6", "synonym": "0.8"}


def java_tokens(captions: list[str], folder: Path) -> list[str]:
    """Captions (N), none of which may hold the end of a line, as PTBTokenizer gives them."""
    jar = _jar("tokenizer/stanford-corenlp-3.4.1.jar")
    text = folder / "captions.txt"
    text.write_text("\n".join(captions), encoding="utf-8")
    command = ["java", "-Dfile.encoding=UTF-8", "-cp", jar, "edu.stanford.nlp.process.PTBTokenizer"]
    said = subprocess.run(
        [*command, "-preserveLines", "-lowerCase", str(text)], capture_output=True, check=True
    )
    lines = said.stdout.decode("utf-8").split("\n")[: len(captions)]
    kept = ([word for word in line.split() if word not in _DROPPED] for line in lines)
    return [" ".join(words) for words in kept]


def jar_meteor(
    candidates: list[str], references: list[list[str]], stages: tuple[str, ...]
) -> tuple[float, list[float]]:
    """Corpus and per-item METEOR of meteor-1.5.jar."""
    jar = _jar("meteor/meteor-1.5.jar")
    options = ["-", "-", "-stdio", "-l", "en", "-norm", "-m", " ".join(stages)]
    weights = " ".join(_WEIGHTS[stage] for stage in stages)
    command = ["java", "-Xmx1G", "-Dfile.encoding=UTF-8", "-jar", jar, *options, "-w", weights]
    asked = "".join(
        f"SCORE ||| {' ||| '.join(several)} ||| {candidate}\n"
        for candidate, several in zip(candidates, references, strict=True)
    )
    counted = _said(command, asked).split("\n")[: len(candidates)]
    *per_item, corpus = _said(command, f"EVAL ||| {' ||| '.join(counted)}\n").split()
    return float(corpus), [float(value) for value in per_item]


def _said(command: list[str], asked: str) -> str:
    return subprocess.run(
        command, input=asked.encode("utf-8"), capture_output=True, check=True
    ).stdout.decode("utf-8")


def _jar(path: str) -> str:
    found = find_spec("pycocoevalcap")
    if not found or not shutil.which("java"):
        pytest.skip("pycocoevalcap or Java is not installed: nothing to compare with")
    return str(Path(found.submodule_search_locations[0]) / path)
