"""What a character costs by counting alone."""

import gzip
from math import log2

import numpy as np
import pytest

from cs_caption.character_models import bigram_bits, gzip_bits, unigram_bits
from cs_caption.data.text import Text, standard_library


def small(train: str, held_out: str, alphabet: str = "ab?") -> Text:
    """A text by hand."""
    parts = (np.array([alphabet.index(c) for c in part], np.int32) for part in (train, held_out))
    return Text("by hand", alphabet, *parts)


def test_a_unigram_costs_minus_log2_of_its_share_with_one_added_to_each_count():
    # Counts 3, 1, 0 become 4, 2, 1 of 7.
    bits = unigram_bits(small("aaba", "ab?"))
    assert bits == pytest.approx((log2(7 / 4) + log2(7 / 2) + log2(7)) / 3)


def test_a_bigram_costs_minus_log2_of_its_share_among_those_with_the_same_first():
    # After a: a once, b once, ? never, so 2, 2, 1 of 5. After b: a once, so 2, 1, 1 of 4.
    bits = bigram_bits(small("aaba", "abb?"))
    assert bits == pytest.approx((log2(5 / 2) + log2(4) + log2(4)) / 3)


def test_what_was_never_seen_costs_as_much_as_all_else_that_was_never_seen():
    assert bigram_bits(small("aaaa", "??")) == pytest.approx(log2(3))


def test_gzip_is_measured_on_the_held_out_characters_alone():
    held_out = "abba" * 500
    packed = len(gzip.compress(held_out.encode(), 9, mtime=0))
    assert gzip_bits(small("ab", held_out)) == 8 * packed / 2000
    assert gzip_bits(small("abba" * 500, held_out)) == 8 * packed / 2000


def test_gzip_counts_characters_and_not_bytes():
    # Each ä is two bytes of UTF-8 but one character.
    packed = len(gzip.compress(("äb" * 500).encode("utf-8"), 9, mtime=0))
    assert gzip_bits(small("ä", "äb" * 500, "äb?")) == 8 * packed / 1000


def test_source_code_costs_less_the_more_a_model_knows_of_it():
    text = standard_library(200_000)
    assert gzip_bits(text) < bigram_bits(text) < unigram_bits(text) < log2(len(text.alphabet))
