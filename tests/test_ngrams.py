from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_cases import HUNDRED

from cs_caption.metrics.ngrams import GramCounts, group, in_order, places, read_words

CAPTIONS = ["a dog a dog", "", "a cat a dog", "dog"]


def counts_of(caption: str, n: int) -> Counter:
    words = caption.split()
    return Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_every_n_gram_is_counted_in_the_captions_that_have_it(n):
    grams = GramCounts(read_words(CAPTIONS))
    order = grams.order(n)
    texts = grams.texts(n, np.arange(len(order.code)))
    found = [Counter() for _ in CAPTIONS]
    for gram, caption, times in zip(order.gram, order.caption, order.count, strict=True):
        found[caption][texts[gram]] = times
    assert found == [counts_of(caption, n) for caption in CAPTIONS]
    assert all(a <= b for a, b in pairwise(zip(order.gram, order.caption, strict=True)))


def test_orders_come_out_alike_whichever_is_asked_for_first():
    forward, backward = (GramCounts(read_words(CAPTIONS)) for _ in range(2))
    for n in (1, 2, 3, 4):
        forward.order(n)
    for n in (4, 3, 2, 1):
        np.testing.assert_array_equal(forward.order(n).code, backward.order(n).code)


def test_an_n_gram_is_found_by_its_two_parts_and_no_other_is():
    grams = GramCounts(read_words(CAPTIONS))
    pairs = grams.order(2)
    np.testing.assert_array_equal(pairs.find(*pairs.parts()), np.arange(len(pairs.code)))
    number = grams.words.number
    of = {text: i for i, text in enumerate(grams.texts(1, np.arange(len(number))))}
    first, last = np.array([of["dog"], of["cat"], -1]), np.array([number["cat"], -1, number["a"]])
    np.testing.assert_array_equal(pairs.find(first, last), [-1, -1, -1])


def test_groups_gather_the_captions_of_an_item_and_keep_the_largest_count():
    grams = GramCounts(read_words(CAPTIONS))
    groups = group(grams.order(1), [2, 2])
    texts = np.array(grams.texts(1, np.arange(len(grams.order(1).code))))
    a, dog, cat = (int(np.flatnonzero(texts == word)[0]) for word in ("a", "dog", "cat"))
    at = groups.find(np.array([a, dog, dog, cat, -1]), np.array([0, 0, 1, 0, 1]))
    np.testing.assert_array_equal(groups.most[at[:3]], [2, 2, 1])
    np.testing.assert_array_equal(at[3:], [-1, -1])
    np.testing.assert_array_equal(np.diff(groups.first)[at[:3]], [1, 1, 2])


@HUNDRED
@given(st.lists(st.integers(0, 5) | st.integers(2**61, 2**61 + 2)))
def test_codes_are_put_in_order_and_equal_ones_stay_as_they_stood(codes):
    code = np.array(codes, np.int64)
    ordered, place = in_order(code)
    np.testing.assert_array_equal(place, np.argsort(code, kind="stable"))
    np.testing.assert_array_equal(ordered, np.sort(code))


def test_nothing_is_found_in_nothing():
    np.testing.assert_array_equal(places(np.zeros(0, int), np.array([0, 3])), [-1, -1])
    empty = GramCounts(read_words(["", ""])).order(3)
    assert empty.find(np.array([0]), np.array([0])) == [-1]
