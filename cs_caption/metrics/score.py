"""A score of captions, and the check that captions and references are what a metric expects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """What a caption metric returns.

    corpus is the figure for all captions together, which need not be the mean of per_item (N,).
    by_order holds a Score for each order 1..max_n where the metric has orders, else nothing; name
    says what was computed where the function's name does not.
    """

    corpus: float
    per_item: np.ndarray
    by_order: tuple["Score", ...] = ()
    name: str = "Score"

    def __repr__(self) -> str:
        return f"{self.name}(corpus={self.corpus:.4f}, {len(self.per_item)} items)"


def check_references(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """The references as a list (N) of non-empty lists of strings.

    Raises: TypeError where a string stands in the place of a list, or something else in the
    place of a string; ValueError, naming the item, where an item has no reference.
    """
    _refuse_text(references, "references", "a list of lists of captions")
    references = list(references)
    for i, captions in enumerate(references):
        _refuse_text(captions, f"references[{i}]", "a list of captions")
    references = [list(captions) for captions in references]
    for i, captions in enumerate(references):
        if not captions:
            raise ValueError(
                f"references[{i}] is empty: item {i} needs at least one reference; leave the "
                "item out of both lists if it has none"
            )
        for j, caption in enumerate(captions):
            if not isinstance(caption, str):
                raise TypeError(_not_text(f"references[{i}][{j}]", caption))
    return references


def check_candidates(candidates: Sequence[str]) -> list[str]:
    """Candidates as a plain list (N).

    Raises: TypeError where it is a string, or one of them is none; ValueError where it is empty.
    """
    _refuse_text(candidates, "candidates", "a list of captions")
    candidates = list(candidates)
    for i, caption in enumerate(candidates):
        if not isinstance(caption, str):
            raise TypeError(_not_text(f"candidates[{i}]", caption))
    if not candidates:
        raise ValueError("candidates is empty: there is no caption to score")
    return candidates


def check_captions(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """Candidates (N) and their references (N) as plain lists.

    Raises: TypeError and ValueError as `check_candidates` and `check_references`; ValueError where
    the lengths differ.
    """
    candidates = check_candidates(candidates)
    references = check_references(references)
    if len(candidates) != len(references):
        raise ValueError(
            f"{len(candidates)} candidates but references for {len(references)} items: "
            "candidates[i] is scored against references[i], so the two need equal lengths"
        )
    return candidates, references


def _refuse_text(value: object, name: str, expected: str) -> None:
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        shown = f"a bare string, {value!r:.60}" if isinstance(value, str) else f"{value!r:.60}"
        raise TypeError(f"{name} is {shown}; expected {expected}: put it in a list")


def _not_text(name: str, value: object) -> str:
    remedy = "join its words with blanks" if isinstance(value, list | tuple) else "decode it first"
    return f"{name} is {value!r:.60} ({type(value).__name__}); expected a string: {remedy}"
