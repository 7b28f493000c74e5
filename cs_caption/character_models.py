"""What a character costs by counting alone, in bits: the models that a network has to beat."""

import gzip

import numpy as np

from cs_caption.data.text import Text


def unigram_bits(text: Text) -> float:
    """Bits a held-out character by how often each one is in the part to train on.

    Every count is one more than was seen, so that none is zero.
    """
    counts = 1 + np.bincount(text.train, minlength=len(text.alphabet))
    return float(-np.log2(counts / counts.sum())[text.held_out].mean())


def bigram_bits(text: Text) -> float:
    """Bits a held-out character by how often each one follows the character before it.

    Every count is one more than was seen. The first held-out character has none before it and is
    left out.
    """
    V = len(text.alphabet)
    pairs = V * text.train[:-1].astype(np.int64) + text.train[1:]
    counts = 1 + np.bincount(pairs, minlength=V * V).reshape(V, V)
    bits = -np.log2(counts / counts.sum(axis=1, keepdims=True))
    return float(bits[text.held_out[:-1], text.held_out[1:]].mean())


def gzip_bits(text: Text) -> float:
    """Bits a held-out character by gzip at level 9.

    gzip sees nothing of the part to train on: it reads the held-out characters, in UTF-8, from
    the first to the last, and refers back at most 32 KB. Builds of zlib differ by a little.
    """
    packed = gzip.compress(text.decode(text.held_out).encode("utf-8"), compresslevel=9, mtime=0)
    return 8 * len(packed) / len(text.held_out)
