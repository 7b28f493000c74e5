"""What was found, in lines for people and in JSON for programs."""

from collections.abc import Iterator
from math import isqrt

from cs_caption.commands.retrieved import Found
from cs_caption.viz.grounding import place_of
from cs_caption.viz.retrieval_page import MARKS, MISSED, Hit, Mark, Telling


def found_lines(found: Found, searched: int) -> Iterator[str]:
    """The pictures of a sentence, how many there are to find, each word's region in the first."""
    query = found.query
    yield f'"{query.sentence}"'
    for hit in query.hits:
        yield _hit_line(hit, MARKS[hit.mark])
    if query.missed:
        yield _hit_line(query.missed, MISSED)
    yield f"  {_fitting(found.fitting, searched)}"
    first = query.hits[0]
    yield f"  What each word found in {first.name}:"
    for word, score, region in zip(first.words, first.word_scores, first.regions, strict=True):
        yield f"  {_score(score)}  {word:<14} {_where(int(region), first.cells)}"


def telling_lines(telling: Telling) -> Iterator[str]:
    """The sentences of a picture."""
    yield telling.name
    for rank, (text, score, name) in enumerate(telling.sentences, start=1):
        yield _sentence_line(rank, score, text, MARKS[name])
    if telling.missed:
        text, score, rank = telling.missed
        yield _sentence_line(rank, score, text, MISSED)


def found_json(found: Found, searched: int) -> dict:
    """The same of a sentence, and each word's region in every picture."""
    query = found.query
    return {
        "sentence": query.sentence,
        "unknown": list(found.unknown),
        "searched": searched,
        "fitting": found.fitting,
        "pictures": [_hit_json(hit) for hit in query.hits],
        "missed": _hit_json(query.missed) if query.missed else None,
    }


def telling_json(telling: Telling) -> dict:
    """The same of a picture."""
    names = ("sentence", "score", "rank")
    return {
        "picture": telling.name,
        "sentences": [
            {"sentence": text, "rank": rank, "score": score, "mark": mark or None}
            for rank, (text, score, mark) in enumerate(telling.sentences, start=1)
        ],
        "missed": dict(zip(names, telling.missed, strict=True)) if telling.missed else None,
    }


def _fitting(count: int | None, searched: int) -> str:
    if count is None:
        return "whether they fit the words is not known"
    return f"of the {searched:,} pictures {count:,} fit the words"


def _hit_line(hit: Hit, mark: Mark) -> str:
    told = f": {mark.of_picture}" if mark.of_picture else ""
    return f"{_place(hit.rank, hit.score, mark)} {hit.name}{told}"


def _sentence_line(rank: int, score: float, text: str, mark: Mark) -> str:
    told = f"{mark.of_sentence}: " if mark.of_sentence else ""
    return f"{_place(rank, score, mark)} {told}{text}"


def _place(rank: int, score: float, mark: Mark) -> str:
    return f"  {rank:>5,}. {_score(score)}  {mark.sign:1}"


def _score(value: float) -> str:
    return f"{value:7.2f}"


def _where(region: int, cells: int) -> str:
    """A cell of the grid by its row and column, and in words."""
    if cells == 1:
        return place_of(region, cells)
    row, column = _cell(region, cells)
    return f"row {row}, column {column} ({place_of(region, cells)})"


def _cell(region: int, cells: int) -> tuple[int, int]:
    """A cell's row and column, counted from 1."""
    row, column = divmod(region, isqrt(cells))
    return row + 1, column + 1


def _hit_json(hit: Hit) -> dict:
    words = zip(hit.words, hit.word_scores.tolist(), hit.regions.tolist(), strict=True)
    return {
        "picture": hit.name,
        "rank": hit.rank,
        "score": hit.score,
        "mark": hit.mark or None,
        "words": [_word_json(word, score, region, hit.cells) for word, score, region in words],
    }


def _word_json(word: str, score: float, region: int, cells: int) -> dict:
    row, column = _cell(region, cells)
    where = {"row": row, "column": column, "place": place_of(region, cells)}
    return {"word": word, "score": score, **where}
