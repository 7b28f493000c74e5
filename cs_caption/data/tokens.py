"""Captions as people typed them, as words joined by single blanks."""

import unicodedata


class _Table(dict):
    """For `str.translate`: each punctuation mark and symbol to nothing, whatever its script."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = "" if unicodedata.category(character)[0] in "PSC" else character
        if character.isspace():
            self[code] = " "
        return self[code]


_TABLE = _Table()


def tokenise(caption: str) -> str:
    """Lower case, without punctuation, single blanks: "A man's T-shirt." -> "a mans tshirt".

    Marks are dropped, not made blanks, so that a hyphen or an apostrophe joins its two sides.
    The same is done here with the marks and symbols of every script.

    Source: prepro.py of neuraltalk2 (Karpathy 2015): `lower().translate(None, punctuation)`.
    """
    return " ".join(caption.lower().translate(_TABLE).split())
