"""Kinds of submission of a small notebook 02 as data: honest, damaged and hostile ones.

    KINDS                       all of them, in the order of their families
    KINDS[0].build(material)    -> a Submission, which `write` puts into a folder

`measured` marks the 56 kinds with which stock nbgrader 0.9.6 was measured, rebuilt for this
notebook; `stock` is what it gave them, of 12 points.
"""

from kinds import (  # noqa: F401  (each enters its kinds)
    cells,
    dying,
    endless,
    faking,
    folders,
    greedy,
    honest,
    lying,
    metadata,
    outside,
    pages,
    patching,
    pipe,
    processes,
)
from kinds.kind import (
    ASSIGNMENT,
    EXERCISES,
    GOT_OUT,
    KINDS,
    NOTHING,
    POINTS,
    STRAY,
    Kind,
    Material,
    Submission,
    write,
)

__all__ = [
    "ASSIGNMENT",
    "EXERCISES",
    "GOT_OUT",
    "KINDS",
    "NOTHING",
    "POINTS",
    "STRAY",
    "Kind",
    "Material",
    "Submission",
    "write",
]
