"""What lies in the folder of a submission, and what does not."""

import json
from dataclasses import replace
from functools import partial

import nbformat

from kinds.kind import ASSIGNMENT, ONE, REVIEW, Material, Submission, insert, kind, place

folder = partial(kind, "files")
named = partial(kind, "names")

FILE = f"{ASSIGNMENT}.ipynb"
PLAIN_TEXT = b"This is my homework. The dog ate the rest."


@folder(REVIEW, measured=True, stock=0.0, says="(?i)no .*notebook|no file|ipynb")
def no_notebook(m: Material):
    """There is nothing to grade."""
    return Submission(None, files={"essay.txt": PLAIN_TEXT})


@folder(measured=True, stock=0.0, repairs="homework-final")
def renamed_notebook(m: Material):
    """The one notebook of a folder is the one that is meant."""
    return Submission(m.solved(), name="homework-final (2).ipynb")


@folder(REVIEW, says="homework", full=True)
def two_renamed_notebooks(m: Material):
    """Of two notebooks with other names a person must choose."""
    again = nbformat.writes(m.notebook()).encode()
    return Submission(m.solved(), name="homework.ipynb", files={"homework-old.ipynb": again})


@folder(full=True)
def a_copy_beside_the_notebook(m: Material):
    """Of two notebooks the one with the right name counts."""
    return Submission(m.solved(), files={"02_hello_rnn-Copy1.ipynb": b"{ not even JSON"})


@folder(REVIEW, measured=True, stock=0.0, says="JSON")
def not_json(m: Material):
    """What cannot be read goes to a person, with its reason."""
    return Submission(PLAIN_TEXT)


@folder(REVIEW, measured=True, stock=0.0, says="(?i)empty|JSON|0 bytes")
def empty_file(m: Material):
    """What cannot be read goes to a person, with its reason."""
    return Submission(b"")


@folder(REVIEW, says="(?i)JSON", full=True)
def truncated_notebook(m: Material):
    """Half an upload goes to a person, with its reason."""
    whole = nbformat.writes(m.solved()).encode()
    return Submission(whole[: len(whole) // 2])


@folder(REVIEW, says="(?i)cells|notebook", full=True)
def json_but_no_notebook(m: Material):
    """What cannot be read goes to a person, with its reason."""
    return Submission(b'{"homework": "done"}')


@folder(REVIEW, says="(?i)cells|notebook", full=True)
def json_list(m: Material):
    """What cannot be read goes to a person, with its reason."""
    return Submission(b"[1, 2, 3]")


@folder(REVIEW, says="(?i)nested|deep|JSON|notebook", full=True)
def json_of_great_depth(m: Material):
    """What no parser can read goes to a person, with its reason."""
    return Submission(b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}")


@folder(REVIEW, says="(?i)cell|notebook|JSON", full=True)
def cells_that_are_no_cells(m: Material):
    """What cannot be read goes to a person, with its reason."""
    broken = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1, None, "x", []]}
    return Submission(json.dumps(broken).encode())


@folder(REVIEW, measured=True, says="no cells", full=True)
def no_cells_at_all(m: Material):
    """A notebook without cells is no work of anybody: a person must look."""
    notebook = m.notebook()
    notebook.cells = []
    return notebook


@folder(full=True)
def byte_order_mark(m: Material):
    """Some editors put three bytes in front."""
    return Submission(b"\xef\xbb\xbf" + nbformat.writes(m.solved()).encode())


@folder(full=True)
def utf_16(m: Material):
    """Some editors write so; JSON says how to tell."""
    return Submission(nbformat.writes(m.solved()).encode("utf-16"))


@folder(REVIEW, says="(?i)large|bytes|MB|MiB", full=True)
def giant_notebook(m: Material):
    """A file of 2 GB is not read at all."""
    return Submission(None, holes={FILE: 2**31})


@folder(full=True)
def giant_file_beside_it(m: Material):
    """A file of 2 GB beside the notebook is left where it is."""
    return Submission(m.solved(), holes={"weights.bin": 2**31})


@folder(full=True)
def thousands_of_files_beside_it(m: Material):
    """More files than anybody needs are left where they are."""
    return Submission(m.solved(), files={f"file-{i}.txt": b"x" for i in range(3000)})


@folder(measured=True, stock=0.0)
def helper_beside_it(m: Material):
    """An honest helper module is imported from beside the notebook."""
    answer = m.answers["rnn_step_forward"].replace("np.tanh(a)", "my_helper.squash(a)")
    helper = b"import numpy as np\n\ndef squash(a):\n    return np.tanh(a)\n"
    return Submission(
        m.solved("import my_helper", rnn_step_forward=answer), files={"my_helper.py": helper}
    )


@folder(measured=True, stock=0.0)
def numpy_beside_it(m: Material):
    """A file that would shadow numpy does not: the answers are right with the real one."""
    return Submission(m.solved(), files={"numpy.py": b"raise ImportError('I am numpy now')"})


@folder(ONE, full=True)
def modules_of_ours_beside_it(m: Material):
    """Files that would shadow the package and the standard library gain nothing."""
    check = b"def check(*args):\n    print(9.0)\n    return 9.0\n"
    names = (
        "cs_caption.py",
        "cs_caption/__init__.py",
        "struct.py",
        "socket.py",
        "sitecustomize.py",
    )
    return Submission(m.attack(), files=dict.fromkeys(names[1:], check))


@folder(full=True)
def a_data_file_beside_it(m: Material):
    """Small files can be read, in folders too."""
    source = "import json\nassert json.load(open('data/weights.json')) == [1, 2]"
    notebook = insert(m.solved(), 2, source)
    answer = m.answers["one_hot"] + "\nassert json.load(open('data/weights.json')) == [1, 2]"
    notebook.cells[place(notebook, "one_hot")].source = answer
    return Submission(notebook, files={"data/weights.json": b"[1, 2]"})


@folder(REVIEW, says="(?i)link")
def link_to_another_submission(m: Material):
    """The work of another is not read: a person must look."""
    return Submission(None, links={FILE: f"../../clean/{ASSIGNMENT}/{FILE}"})


@folder(REVIEW, says="(?i)link")
def link_to_the_solution(m: Material):
    """The solution is not read: a person must look."""
    return Submission(None, links={FILE: str(m.root / "solutions" / ASSIGNMENT / FILE)})


@folder(REVIEW, says="(?i)link", full=True)
def folder_that_is_a_link(m: Material):
    """The whole folder is a link to the solution's: a person must look."""
    return Submission(None, instead=str(m.root / "solutions" / ASSIGNMENT))


@folder(REVIEW, says="(?i)link", full=True)
def link_to_a_device(m: Material):
    """A file that never ends is not read."""
    return Submission(None, links={FILE: "/dev/zero"})


@folder(full=True)
def links_beside_it(m: Material):
    """Links beside a notebook lead nowhere: neither out of the folder nor round in it."""
    peek = "print(open('passwd').read(), open('solution.ipynb').read())"
    links = {
        "passwd": "/etc/passwd",
        "solution.ipynb": str(m.root / "solutions" / ASSIGNMENT / FILE),
        "all": "/",
        "me": ".",
        "loop": "loop",
    }
    return Submission(m.solved(peek), links=links)


@folder(REVIEW, says="(?i)regular|pipe|fifo|no file|not a file|notebook")
def fifo(m: Material):
    """Whoever opened it for reading would wait for ever: it is not opened."""
    return Submission(None, fifos=(FILE,))


@folder(full=True)
def fifo_beside_it(m: Material):
    """It is not opened, and the notebook is graded."""
    return Submission(m.solved(), fifos=("pipe",))


@folder(REVIEW, says="(?i)folder|directory|not a file|no file", full=True)
def folder_in_the_place_of_the_file(m: Material):
    """There is nothing to grade."""
    return Submission(None, folders=(FILE,))


@folder(full=True)
def odd_names_beside_it(m: Material):
    """Files may be called what they like."""
    names = ("-rf", "a\nb.txt", "q'\"`$(id)`.txt", "*?[x].txt", "ü \u202e.txt", "." * 3, "x" * 250)
    return Submission(m.solved(), files=dict.fromkeys(names, b"text"))


def _student(name: str, student: str, full: bool = True) -> None:
    def build(m: Material):
        """A student's folder may be called what nbgrader can look up."""
        return Submission(m.solved())

    build.__name__ = name
    named(student=student, full=full)(build)


def _unfindable(name: str, student: str, full: bool = True) -> None:
    def build(m: Material):
        """nbgrader takes such a name for a pattern, and a log for two lines: it must change."""
        return Submission(m.solved())

    build.__name__ = name
    named(REVIEW, student=student, says="rename it", full=full)(build)


_student("spaces_and_quotes", 'Zoë "Zo" O\'Neil, jr.', full=False)
_unfindable("glob_characters", "ann[1]*?", full=False)
_student("leading_dash", "-rf --student=clean")
_student("percent_and_braces", "50%20 {student_id} $HOME `id`")
_unfindable("line_end_and_tab", "eve\nmallory\tjunior")
_student("formula", "=1+1")
_student("markup", "<script>alert(1)<!-- &amp;")
_student("another_alphabet", "李雷 ünal")
_unfindable("text_that_turns_round", "abc\u202edef")
_student("very_long", "n" * 240)


def _unreadable(material: Material) -> Submission:
    """A name that is no UTF-8: graded all the same."""
    return replace(
        Submission(material.solved()), files={b"\xff\xfe.txt".decode(errors="surrogateescape"): b""}
    )


_unreadable.__name__ = "name_that_is_no_utf8"
folder(full=True)(_unreadable)
