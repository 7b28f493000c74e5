"""What a call returned must still be the same after the next one: no array serves them both."""

from typing import Any

import numpy as np

from cs_caption.checks.subject import Subject, Wrong
from cs_caption.checks.values import entries, opaque

LASTING = "two calls: what the first returned is still the same after the second"


def lasting(subject: Subject, first: tuple, second: tuple, names: str) -> list[Any]:
    """Call with `first`, then with `second`; return the first call's results, a cache left out.

    names: of all results, "next_h, cache"
    Raises: Wrong where the second call has written over them.
    """
    kept = range(len(names.split(", ")))
    found = entries(subject.call(first, keep=kept).value, names)
    held = {n: opaque(h) for n, h in zip(names.split(", "), found, strict=True) if n != "cache"}
    before = [subject.read(handle) for handle in held.values()]
    subject.call(second, keep=kept)
    for (name, handle), value in zip(held.items(), before, strict=True):
        after = subject.read(handle)
        if type(after) is not type(value) or not np.array_equal(after, value):
            raise Wrong(
                f"{name} of the first call is written over by the second: make a new array in "
                "every call (np.zeros inside the function, not outside of it)"
            )
    return before
