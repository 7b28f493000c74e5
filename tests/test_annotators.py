"""What the annotators say is true, varied, and can be read back."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from cs_caption.data import Scenes, lexicon, wording
from cs_caption.data.annotators import CAPTIONS, POOL


@pytest.fixture(scope="module")
def simple():
    return list(Scenes("train", n=500))


@pytest.fixture(scope="module")
def rich():
    """Rich scenes without slips of the pen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wording, "SLIPS", 0)
        return list(Scenes("train", n=800, level="rich"))


def read_back(caption):
    """Objects that a caption names: [(number, colour or None, shape)], by the grammar."""
    words, found, number, colour, at = caption.split(), [], None, None, 0
    while at < len(words):
        name = next(
            (
                " ".join(words[at : at + length])
                for length in (3, 2, 1)
                if " ".join(words[at : at + length]) in lexicon.COLOURS
            ),
            None,
        )
        word = words[at]
        if name:
            colour = lexicon.COLOURS[name]
            at += len(name.split()) - 1
        elif word in lexicon.NUMBERS:
            number, colour = lexicon.NUMBERS[word], None
        elif word in lexicon.BREAKS:
            number = colour = None
        elif word in lexicon.SHAPES or word in lexicon.PLURALS:
            shape = lexicon.SHAPES.get(word) or lexicon.PLURALS[word]
            found.append((number or 1, colour, shape))
            number = colour = None
        at += 1
    return found


def test_every_simple_caption_names_exactly_what_is_there(simple):
    for scene in simple:
        truth = Counter(one.kind for one in scene.objects)
        for caption in scene.captions:
            said = Counter()
            for number, colour, shape in read_back(caption):
                said[colour, shape] += number
            assert said == truth, caption


def test_two_of_a_kind_are_two_or_one_and_another(simple):
    alike = [
        scene for scene in simple if scene.relations and len({o.kind for o in scene.objects}) < 2
    ]
    assert len(alike) > 30
    for scene in alike:
        for caption in scene.captions:
            assert ("two" in caption.split()) != ("another" in caption.split()), caption


def test_simple_sizes_and_backgrounds_are_true(simple):
    sizes = {word: size for size, words in lexicon.SIMPLE_SIZE_WORDS.items() for word in words}
    for scene in simple:
        there = Counter(one.size for one in scene.objects)
        for caption in scene.captions:
            words = caption.split()
            said = {sizes[word] for word in words if word in sizes}
            assert said <= set(there)
            if "background" in words:
                ground = words[words.index("background") - 1]
                assert lexicon.COLOURS[ground] == scene.background.colour


def test_simple_relations_are_true(simple):
    links = {
        words: name
        for name, some in lexicon.SIMPLE_RELATION_WORDS.items()
        for words in some
        if name != "near"
    }
    checked = Counter()
    for scene in simple:
        by_kind = {one.kind: index for index, one in enumerate(scene.objects)}
        facts = {(r.subject, r.name, r.object) for r in scene.relations}
        for caption in scene.captions:
            said = [(colour, shape) for _, colour, shape in read_back(caption)]
            for words, name in links.items():
                if f" {words} " in caption and len(by_kind) == len(said) == 2:
                    assert (by_kind[said[0]], name, by_kind[said[1]]) in facts, caption
                    checked[name] += 1
    assert len(checked) == 4


def test_simple_sides_are_true(simple):
    checked = 0
    for scene in simple:
        by_kind = {one.kind: index for index, one in enumerate(scene.objects)}
        facts = {(r.subject, r.name, r.object) for r in scene.relations}
        for caption in scene.captions:
            if "on the left and" in caption and len(by_kind) == 2:
                left, right = [by_kind[c, s] for _, c, s in read_back(caption)]
                assert (left, "left of", right) in facts
                checked += 1
    assert checked > 10


def test_simple_captions_use_about_sixty_words():
    captions = Scenes("train", n=2000).captions
    words = {word for some in captions for caption in some for word in caption.split()}
    assert 50 <= len(words) <= 70


def test_rich_captions_name_only_what_is_there(rich):
    named = 0
    for scene in rich:
        kinds = Counter(one.kind for one in scene.objects)
        shapes = Counter(one.shape for one in scene.objects)
        for caption in scene.captions:
            by_kind, by_shape = Counter(), Counter()
            for number, colour, shape in read_back(caption):
                by_shape[shape] += number
                by_kind[colour, shape] += number if colour else 0
            assert by_shape <= shapes, caption
            assert +by_kind <= kinds, caption
            named += by_shape.total()
    assert named > 3000


def test_rich_relations_are_true(rich):
    links = {
        f" {words} ": name
        for name in ("left of", "right of", "above", "below", "behind")
        for words in lexicon.RELATION_WORDS[name]
    }
    checked = Counter()
    for scene in rich:
        by_kind = {one.kind: index for index, one in enumerate(scene.objects)}
        facts = {(r.subject, r.name, r.object) for r in scene.relations}
        if len(by_kind) < len(scene.objects):
            continue
        for caption in scene.captions:
            said = [(colour, shape) for _, colour, shape in read_back(caption)]
            held = [name for words, name in links.items() if words in caption]
            unclear = {"with", "ground", "other", *lexicon.GROUND_NOUNS} & set(caption.split())
            if len(said) == 2 and len(held) == 1 and not unclear and set(said) <= set(by_kind):
                assert (by_kind[said[0]], held[0], by_kind[said[1]]) in facts, caption
                checked[held[0]] += 1
    assert len(checked) >= 4


def test_rich_relations_told_the_other_way_round_are_true(rich):
    links = {
        words: name
        for name in ("left of", "right of", "above", "below", "behind", "in front of", "on")
        for words in lexicon.RELATION_WORDS[name]
    }
    checked = Counter()
    for scene in rich:
        facts = {(r.subject, r.name, r.object) for r in scene.relations}
        by_kind = {one.kind: index for index, one in enumerate(scene.objects)}
        for caption in scene.captions:
            said = [(colour, shape) for _, colour, shape in read_back(caption)]
            before, found, _ = f"{caption} ".partition(" it ")
            held = [name for words, name in links.items() if before.endswith(f" {words}")]
            known = set(said) <= set(by_kind) and len(by_kind) == len(scene.objects)
            if found and held and known and len(said) == 2:
                told = {(by_kind[said[1]], name, by_kind[said[0]]) for name in held}
                assert told & facts, caption
                checked.update(held)
    assert len(checked) >= 6


def test_rich_places_are_true(rich):
    checked = 0
    for scene in rich:
        by_kind = {one.kind: one.box for one in scene.objects}
        for caption in scene.captions:
            said = [(colour, shape) for _, colour, shape in read_back(caption)]
            if len(said) == 1 and said[0] in by_kind and len(by_kind) == len(scene.objects):
                x0, _, x1, _ = by_kind[said[0]]
                for word, centre, low in (("left", x0 + x1, 1), ("right", x0 + x1, 0)):
                    if f"top {word} corner" in caption or f"bottom {word} corner" in caption:
                        assert (centre < 64) == bool(low), caption
                        checked += 1
    assert checked > 20


def test_an_opening_agrees_with_what_follows(rich):
    for scene in rich:
        for caption in scene.captions:
            if "there is " in caption or "here is " in caption:
                after = caption.split("here is ")[1].split()
                assert after[0] in ("a", "an", "one", *lexicon.COLOURS) or after[0] not in (
                    *lexicon.NUMBERS,
                    *("some", "several"),
                ), caption
                assert after[:2] not in (["a", "few"], ["a", "pair"], ["a", "couple"]), caption


def test_captions_are_lower_case_words_joined_by_single_blanks(simple, rich):
    for scene in (*simple[:100], *rich[:100]):
        for caption in scene.captions:
            assert caption == " ".join(caption.lower().split())
            assert all(word.isalpha() for word in caption.split()), caption
            assert " a a" not in f" {caption}", caption


def test_an_stands_before_vowels_only(simple, rich):
    for scene in (*simple, *rich):
        for caption in scene.captions:
            words = caption.split()
            for word, after in pairwise(words):
                if word in ("a", "an"):
                    assert (word == "an") == (after[0] in "aeiou"), caption


@pytest.mark.parametrize("level", ["simple", "rich"])
def test_five_different_annotators_of_twelve_see_each_picture(simple, rich, level):
    scenes = simple if level == "simple" else rich
    seen = Counter()
    for scene in scenes:
        assert (
            len(scene.captions) == len(scene.annotators) == len(set(scene.annotators)) == CAPTIONS
        )
        seen.update(scene.annotators)
    assert set(seen) == set(range(len(POOL))) == set(range(12))
    assert max(seen.values()) < 1.35 * min(seen.values())


def test_annotators_have_habits(simple):
    openings = {person: Counter() for person in range(12)}
    for scene in simple:
        for person, caption in zip(scene.annotators, scene.captions, strict=True):
            openings[person][caption.split()[0]] += 1
    assert len({counts.most_common(1)[0][0] for counts in openings.values()}) >= 4


def test_one_word_in_a_hundred_has_a_typo_on_the_rich_level():
    clean, slipped = Counter(), Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wording, "SLIPS", 0)
        for some in Scenes("train", n=600, level="rich").captions:
            clean.update(word for caption in some for word in caption.split())
    for some in Scenes("train", n=600, level="rich").captions:
        slipped.update(word for caption in some for word in caption.split())
    share = (slipped - clean).total() / slipped.total()
    assert 0.006 < share < 0.014


def test_a_typo_is_never_another_word_of_the_lexicon():
    from cs_caption.data.draws import Draw

    draw = Draw(5)
    for word in (*lexicon.SHAPES, *lexicon.PLURALS, "red", "tan", "left", "on", "two"):
        for _ in range(20):
            slipped = wording._slip(word, draw)
            assert slipped == word or slipped not in {
                *(*lexicon.SHAPES, *lexicon.PLURALS, *lexicon.COLOURS),
                *(*lexicon.NUMBERS, *lexicon.BREAKS),
            }
            assert abs(len(slipped) - len(word)) <= 1


def test_people_agree_less_on_rich_pictures_than_on_simple_ones(simple, rich):
    def overlap(scenes):
        shared = []
        for scene in scenes[:200]:
            one, *others = (set(caption.split()) for caption in scene.captions)
            shared += [len(one & other) / len(one | other) for other in others]
        return np.mean(shared)

    assert overlap(rich) < 0.75 * overlap(simple)


def test_plural_words_and_their_shapes_fit():
    for shape, nouns in lexicon.NOUNS.items():
        for noun in nouns:
            heads = [w for w in noun.split() if w in lexicon.SHAPES]
            assert [lexicon.SHAPES[head] for head in heads] == [shape]
            many = [w for w in lexicon.plural(noun).split() if w in lexicon.PLURALS]
            assert [lexicon.PLURALS[head] for head in many] in ([shape], [])


def test_no_word_stands_for_two_kinds_of_thing():
    tables = [lexicon.SHAPES, lexicon.PLURALS, lexicon.NUMBERS, lexicon.BREAKS, lexicon.COLOURS]
    for index, table in enumerate(tables):
        for other in tables[index + 1 :]:
            assert not set(table) & set(other)


def test_every_simple_word_is_in_the_lexicon_that_reads_captions_back():
    for shape, pairs in lexicon.SIMPLE_NOUNS.items():
        for one, many in pairs:
            assert lexicon.SHAPES[one] == lexicon.PLURALS[many] == shape
    for name in (*lexicon.SIMPLE_COLOURS, *lexicon.SIMPLE_BACKGROUNDS):
        for word in lexicon.SIMPLE_COLOUR_WORDS.get(name, (name,)):
            assert lexicon.COLOURS[word] == name
