"""A submission's notebook with its graded cells put back; on top of it, what was found."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from html import escape

import nbformat
from nbformat import NotebookNode

from autograder.plan import Plan
from cs_caption.checks.table import html_table
from cs_caption.submission.repair import repaired

NOTE = "grader-note"
MOST = 20  # lines, and places in a line
LONGEST = 240
HEADING = "**Mended before grading.** Your answers were not touched."


def mended(notebook: NotebookNode, plan: Plan) -> tuple[NotebookNode, list[dict]]:
    """The notebook with each graded cell once and as released; what was repaired, as plain data."""
    given = [cell for cell in notebook.cells if cell.get("id") != NOTE]
    cells, repairs = repaired(given, plan.cells)
    told = [asdict(repair) for repair in repairs]
    notebook = nbformat.from_dict({**notebook, "cells": cells})
    tell(notebook, told)
    return notebook, told


def tell(notebook: NotebookNode, repairs: list[dict], record: Mapping | None = None) -> None:
    """Write on top what was repaired, and from a record what was earned, in place of an older top.

    So that a student need not look for the lost points through the whole notebook.
    """
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != NOTE]
    parts = [_earned(record)] if record and record["verdicts"] else []
    parts += [_stopped(record["notes"])] if record and record["notes"] else []
    parts += [f"{HEADING}\n\n{_listed(in_lines(repairs))}"] if repairs else []
    if parts:
        cell = nbformat.v4.new_markdown_cell("\n\n".join(parts))
        cell.id, cell.metadata = NOTE, nbformat.from_dict({"repairs": repairs})
        notebook.cells.insert(0, cell)


def repairs_told(notebook: NotebookNode) -> list[dict]:
    """The repairs that stand on top of a mended notebook."""
    notes = [cell for cell in notebook.cells if cell.get("id") == NOTE]
    return [dict(one) for one in notes[0].metadata["repairs"]] if notes else []


def in_lines(repairs: Iterable[Mapping]) -> list[str]:
    """A line for each kind of repair, with all the places where it was made."""
    places: dict[str, list[str]] = {}
    for one in repairs:
        places.setdefault(one["what"], []).append(one["where"])
    lines = [f"{_some(where)}: {what}" for what, where in places.items()]
    more = [f"and {len(lines) - MOST} kinds of repair more"] if len(lines) > MOST else []
    return [*lines[:MOST], *more]


def _some(where: list[str]) -> str:
    more = f" and {len(where) - MOST} more" if len(where) > MOST else ""
    return ", ".join(where[:MOST]) + more


def _earned(record: Mapping) -> str:
    verdicts = record["verdicts"]
    points, most = (sum(one[key] for one in verdicts) for key in ("points", "max_points"))
    rows = [
        [one["exercise"], f"{one['points']:g} of {one['max_points']:g}", _first_loss(one)]
        for one in verdicts
    ]
    caption = f"By the checks: {points:g} of {most:g} points"
    return html_table(caption, ("exercise", "points", "look at this first"), rows)


def _first_loss(verdict: Mapping) -> str:
    failed = (case for case in verdict["cases"] if not case["passed"])
    first = next((f"{case['title']}: {case['message']}" for case in failed), verdict["words"])
    return first if len(first) <= LONGEST else f"{first[:LONGEST]} ..."


def _stopped(notes: list[str]) -> str:
    return f"**While it ran**\n\n{_listed(notes[:MOST])}"


def _listed(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
