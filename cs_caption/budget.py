"""How much work a demonstration does: all of it, or in the project's quick tests a little.

CS_CAPTION_FAST, set to anything but nothing or 0, asks for little.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

VARIABLE = "CS_CAPTION_FAST"
T = TypeVar("T")


def budget(full: T, fast: T) -> T:
    """Return `full`, or `fast` where CS_CAPTION_FAST asks for it: `steps = budget(500, 20)`."""
    return full if os.environ.get(VARIABLE, "") in ("", "0") else fast


@contextmanager
def full_budget() -> Iterator[None]:
    """Hold back CS_CAPTION_FAST in the block, from kernels started there as well."""
    asked = os.environ.pop(VARIABLE, None)
    try:
        yield
    finally:
        if asked is not None:
            os.environ[VARIABLE] = asked
