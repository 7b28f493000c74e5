"""The tree that a beam search grows and prunes: an explorer without JavaScript.

It stands on <details>, which open by mouse and keyboard even where a front end takes styles away.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs_caption.viz.figure import View
from cs_caption.viz.html import escaped, table, tag
from cs_caption.viz.matrix import number

Step = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
Found = list[tuple[list[int], float]]  # (tokens, log_prob), the best first

_BRANCH = "margin-left:.6em;border-left:1px solid #888;padding-left:.6em"
_BEST = "margin-left:.6em;border-left:3px solid #0072B2;padding-left:.6em"
_SUMMARY = "cursor:pointer;padding:.1em 0"
_SMALL = "font-size:85%;margin-left:1em"
STAR = "\N{BLACK STAR}"


@dataclass(frozen=True)
class _Node:
    """A beginning that was kept: its last word, what it cost, and what became of it."""

    word: str
    log_prob: float  # of the whole beginning
    chance: float  # of its last word
    place: int  # among as many as `of` that were kept at that step; 0 before the first word
    of: int
    best: bool
    fate: str  # empty where it goes on
    children: tuple["_Node", ...]
    cut: tuple[tuple[str, float, float], ...]  # word, log_prob with it, chance


def show_beam_tree(
    step: Step,
    state: np.ndarray,
    words: Sequence[str],
    *,
    beam: int,
    max_len: int,
    search: Callable[..., Found] | None = None,
    start: int = 1,
    end: int = 2,
    alpha: float = 0.0,
    cut: int = 3,
) -> View:
    """Show every beginning that a beam search kept, and of each the best words that were cut.

    step:   tokens (R,), state (R, ...) -> log_probs (R, V), state (R, ...), NumPy arrays
    state:  (1, ...), before `start` is read
    words:  the V words by their numbers
    search: search(step, state, beam, max_len, start=, end=, alpha=) -> pairs (tokens, log_prob),
            the best first; None takes the package's own. What is kept after t words is what it
            finds with a max_len of t
    cut:    how many of the cut words are named at most, for each beginning

    Raises: ValueError where `words` are not those of the step, or the search finds nothing or
    something that does not go on from what it kept a word earlier.
    """
    limits = {"start": start, "end": end, "alpha": alpha}
    levels = _levels(search or _package_search, step, state, beam, max_len, limits)
    grower = _Grower(step, words, levels, end, cut)
    root = grower.root(np.asarray(state), start)
    first = _first_line(levels, words, beam, max_len, alpha)
    best = [_sentence(tokens, words) for tokens, _ in levels[-1]]
    scores = [log_prob for _, log_prob in levels[-1]]
    return View(
        _html(first, best, scores, root),
        "\n".join([first, *_text(root, 0)]),
    )


# What was searched.


def _levels(
    search: Callable[..., Found], step: Step, state: Any, beam: int, max_len: int, limits: dict
) -> list[Found]:
    """What is kept after 1, 2, ... words, as long as any of it goes on."""
    levels: list[Found] = []
    for length in range(1, max_len + 1):
        found = search(step, state, beam, length, **limits)
        _require_grown(found, levels[-1] if levels else [([], 0.0)], length, limits["end"])
        levels.append([(list(map(int, tokens)), float(log_prob)) for tokens, log_prob in found])
        if all(tokens[-1] == limits["end"] for tokens, _ in found):
            break
    if not levels:
        raise ValueError(f"max_len is {max_len}: expected a whole number of 1 or more")
    return levels


def _require_grown(found: Found, before: Found, length: int, end: int) -> None:
    if not found:
        raise ValueError(f"the search finds nothing of {length} words: there is no tree to show")
    earlier = {tuple(tokens) for tokens, _ in before}
    for tokens, _ in found:
        grown, stayed = tuple(tokens[:-1]), tuple(tokens)
        goes_on = len(tokens) == length and grown in earlier and grown[-1:] != (end,)
        if not goes_on and not (stayed in earlier and stayed[-1:] == (end,)):
            raise ValueError(
                f"the search keeps {list(tokens)} after {length} words, which does not go on from "
                f"anything that it keeps after {length - 1}: a beginning that it had dropped is "
                "back, or a sentence that has ended goes on"
            )


def _package_search(
    step: Step, state: np.ndarray, beam: int, max_len: int, *, start: int, end: int, alpha: float
) -> Found:
    """`cs_caption.decoding.beam_search` for a step on arrays."""
    import torch

    from cs_caption.decoding import beam_search

    def on_tensors(tokens, state):
        log_probs, state = step(tokens.numpy(), state.numpy())
        return torch.tensor(log_probs), torch.tensor(state)

    (found,) = beam_search(
        on_tensors, torch.tensor(np.asarray(state)), beam=beam, max_len=max_len, start=start,
        end=end, length_penalty=alpha,
    )  # fmt: skip
    return [(list(one.tokens), one.log_prob) for one in found]


class _Grower:
    """Makes nodes of what was kept, and asks the step once for each beginning that goes on."""

    def __init__(
        self, step: Step, words: Sequence[str], levels: list[Found], end: int, cut: int
    ) -> None:
        self.step, self.words, self.levels, self.end, self.cut = step, words, levels, end, cut
        self.best = tuple(levels[-1][0][0])

    def root(self, state: np.ndarray, start: int) -> _Node:
        children, cut = self._look((), 0.0, state, start)
        return _Node(self.words[start], 0.0, 1.0, 0, 0, True, "", children, cut)

    def _look(
        self, tokens: tuple[int, ...], log_prob: float, state: np.ndarray, last: int
    ) -> tuple[tuple[_Node, ...], tuple[tuple[str, float, float], ...]]:
        """The kept ways on, the best first, and the best of the words that were cut."""
        log_probs, state = self.step(np.array([last]), state)
        gains = np.asarray(log_probs)[0]
        if len(gains) != len(self.words):
            raise ValueError(
                f"{len(self.words)} words, but the step has log-probabilities of {len(gains)}"
            )
        level = self.levels[len(tokens)]
        kept = {
            way[-1]: (way, total, place)
            for place, (way, total) in enumerate(level, start=1)
            if len(way) == len(tokens) + 1 and tuple(way[:-1]) == tokens
        }
        nodes = (self._node(tuple(w), t, p, gains, state) for w, t, p in kept.values())
        return tuple(nodes), tuple(self._cut(gains, log_prob, kept))

    def _node(
        self, tokens: tuple[int, ...], log_prob: float, place: int, gains: np.ndarray, state: Any
    ) -> _Node:
        depth, word = len(tokens), tokens[-1]
        goes_on = word != self.end and depth < len(self.levels)
        children, cut = self._look(tokens, log_prob, state, word) if goes_on else ((), ())
        return _Node(
            word=self.words[word],
            log_prob=log_prob,
            chance=float(np.exp(gains[word])),
            place=place,
            of=len(self.levels[depth - 1]),
            best=tokens == self.best[:depth],
            fate="" if children else self._fate(tokens),
            children=children,
            cut=cut,
        )

    def _cut(
        self, gains: np.ndarray, log_prob: float, kept: dict
    ) -> Iterator[tuple[str, float, float]]:
        order = np.argsort(-gains, kind="stable").tolist()
        possible = [word for word in order if word not in kept and gains[word] > -np.inf]
        for word in possible[: self.cut]:
            yield self.words[word], log_prob + float(gains[word]), float(np.exp(gains[word]))

    def _fate(self, tokens: tuple[int, ...]) -> str:
        final = [tuple(found) for found, _ in self.levels[-1]]
        if tokens[-1] == self.end:
            if tokens in final:
                return f"a sentence, place {final.index(tokens) + 1} in the end"
            return "a sentence, overtaken later"
        return "not ended: no more words allowed" if tokens in final else "all its ways on were cut"


# What is said and drawn.


def _first_line(
    levels: list[Found], words: Sequence[str], beam: int, max_len: int, alpha: float
) -> str:
    tokens, log_prob = levels[-1][0]
    kept = len({tuple(tokens) for level in levels for tokens, _ in level})
    ranked = f" Ranked by log-probability over length to the power of {alpha:g}." if alpha else ""
    return (
        f"Beam search of width {beam}, at most {max_len} words: {kept} beginnings were kept, in "
        f"{len(levels)} steps.{ranked} Best: {_sentence(tokens, words)}, log-probability "
        f"{number(log_prob)}."
    )


def _sentence(tokens: Sequence[int], words: Sequence[str]) -> str:
    return " ".join(words[token] for token in tokens)


def _html(first: str, best: Sequence[str], scores: Sequence[float], root: _Node) -> str:
    rows = (
        (str(place), number(score), escaped(sentence))
        for place, (sentence, score) in enumerate(zip(best, scores, strict=True), start=1)
    )
    head = ("place", "log-probability", "sentence")
    legend = (
        f"{STAR} leads to the best sentence. Behind each word: the log-probability of the "
        "beginning up to it, the probability of the word, and the place among those kept at that "
        "step. Open a word to see what came after it, and which words were cut."
    )
    return tag(
        "div",
        tag("p", escaped(first)),
        tag("p", legend, style="font-size:85%"),
        tag(
            "div", _branch(root), tabindex=0, role="region",
            aria_label="The tree of kept beginnings", style="overflow-x:auto;padding:.2em 0",
        ),
        table("What is left in the end", head, rows),
        role="group",
        aria_label=first,
        style="max-width:100%;margin:.5em 0",
    )  # fmt: skip


def _branch(node: _Node) -> str:
    """A beginning, open where it leads to the best sentence, with all that comes after it."""
    style = _BEST if node.best else _BRANCH
    inner = _cut_line(node) + "".join(map(_branch, node.children))
    if not inner:
        return tag("div", _label(node), style=style)
    summary = tag("summary", _label(node), style=_SUMMARY)
    return tag("details", summary, inner, open=node.best, style=style)


def _label(node: _Node) -> str:
    word = tag("b", f"{STAR} {escaped(node.word)}") if node.best else escaped(node.word)
    return f"{word} {escaped(_figures(node))}".rstrip()


def _figures(node: _Node) -> str:
    if not node.place:
        return ""
    said = f"{number(node.log_prob)} ({_percent(node.chance)}), {node.place} of {node.of}"
    return f"{said}: {node.fate}" if node.fate else said


def _cut_line(node: _Node) -> str:
    if not node.cut:
        return ""
    return tag("div", f"cut: {escaped(_cut_words(node))}", style=_SMALL)


def _cut_words(node: _Node) -> str:
    return ", ".join(
        f"{word} {number(total)} ({_percent(chance)})" for word, total, chance in node.cut
    )


def _percent(chance: float) -> str:
    return f"{chance:.0%}" if chance >= 0.01 else "<1%"


def _text(node: _Node, depth: int) -> Iterator[str]:
    mark = "*" if node.best else "-"
    yield f"{'  ' * depth}{mark} {node.word} {_figures(node)}".rstrip()
    if node.cut:
        yield f"{'  ' * depth}    cut: {_cut_words(node)}"
    for child in node.children:
        yield from _text(child, depth + 1)
