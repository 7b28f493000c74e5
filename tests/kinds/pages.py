"""Texts and messages that mean harm to the page, or to whoever opens it."""

from functools import partial

from nbformat.v4 import new_markdown_cell, new_raw_cell

from kinds.kind import ONE, REVIEW, Material, Submission, kind

on_a_page = partial(kind, "pages")


def _with_text(m: Material, text: str):
    notebook = m.solved()
    notebook.cells.insert(1, new_markdown_cell(text))
    return notebook


@on_a_page()
def scripts_in_a_text(m: Material):
    """Markdown lets HTML through, and somebody may be logged in: nothing of it runs."""
    notebook = _with_text(m, "<script>alert(1)</script> <img src=x onerror=alert(1)>")
    notebook.cells.insert(1, new_raw_cell("<script>alert(1)</script>"))
    return notebook


@on_a_page()
def picture_that_was_lost(m: Material):
    """Some editors drop a pasted picture: nbconvert would refuse the whole page."""
    return _with_text(m, "My sketch: ![sketch](attachment:sketch.png)")


@on_a_page(full=True)
def text_that_takes_for_ever(m: Material):
    """Markdown whose parsing takes minutes is shown as it is, and nobody waits."""
    notebook = _with_text(m, "\\begin{a}" * 60_000)
    notebook.cells += [new_markdown_cell("\\begin{a}" * 2_000) for _ in range(100)]
    return notebook


@on_a_page(full=True)
def picture_shown_a_thousand_times(m: Material):
    """A picture of the text's own, as often as it likes: no page grows without end."""
    notebook = _with_text(m, "![p](attachment:p.png)" * 1000)
    notebook.cells[1].attachments = {"p.png": {"image/png": "iVBORw0KGgo" + "A" * 1000}}
    return notebook


@on_a_page(ONE, says="half a character: .\n?", full=True)
def half_a_character_in_a_message(m: Material):
    """No file can hold half a character: the rest of the message is told."""
    return m.attack(
        rnn_step_forward="""
        def rnn_step_forward(*args):
            raise ValueError("half a character: \\ud800")
        """
    )


@on_a_page(full=True)
def handed_in_at_the_beginning_of_time(m: Material):
    """A timestamp.txt of the year 1 east of Greenwich is before all dates: it is no moment."""
    return Submission(m.solved(), files={"timestamp.txt": b"0001-01-01 00:00:00 +1400"})


@on_a_page(full=True)
def timestamp_without_end(m: Material):
    """Of a timestamp.txt of 2 GB the first line is looked at."""
    return Submission(m.solved(), holes={"timestamp.txt": 2**31})


@on_a_page(REVIEW, student="half\udcff", says="rename it")
def student_whose_name_is_no_utf8(m: Material):
    """No gradebook can hold such a name, and nobody else is left out for it."""
    return Submission(m.solved())


@on_a_page(REVIEW, says="values", full=True)
def ten_million_empty_lists(m: Material):
    """30 MB of JSON that would take a gigabyte of memory: counted before they are made."""
    return Submission(b'{"cells": [' + b"[]," * 10_000_000 + b"[]]}")


@on_a_page(REVIEW, says="code is longer", full=True)
def megabytes_of_code(m: Material):
    """Colours for so much code would take minutes."""
    return m.solved(top="#" + "a." * 1_000_000)
