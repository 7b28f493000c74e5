"""The explorer of a beam search: what was kept, what was cut, and that it needs no script."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cs_caption.viz.beam_tree import show_beam_tree

WORDS = ["<NULL>", "<START>", "<END>", "<UNK>", "a", "hat", "red", "straw"]
NEXT = {
    "<START>": {"a": 0.5, "straw": 0.4, "<END>": 0.1},
    "a": {"hat": 0.4, "red": 0.35, "straw": 0.25},
    "red": {"hat": 1.0},
    "straw": {"hat": 0.9, "<END>": 0.1},
    "hat": {"<END>": 1.0},
}


def hats(tokens, state):
    """The words that may follow a word; the state counts what was read."""
    probs = np.zeros((len(tokens), len(WORDS)))
    for row, token in zip(probs, tokens, strict=True):
        for word, chance in NEXT.get(WORDS[token], {"<END>": 1.0}).items():
            row[WORDS.index(word)] = chance
    with np.errstate(divide="ignore"):
        return np.log(probs), state + 1


def never_ends(tokens, state):
    """Word 4 always, and nothing else."""
    log_probs = np.full((len(tokens), len(WORDS)), -np.inf)
    log_probs[:, 4] = 0.0
    return log_probs, state


def plain_search(step, state, beam, max_len, start, end, alpha):
    """A search of its own, so that the explorer can be tried where torch is missing."""
    found = [((), 0.0, state, False)]
    for _ in range(max_len):
        ways = [one for one in found if one[3]]
        for tokens, log_prob, before, ended in found:
            if ended:
                continue
            log_probs, after = step(np.array([tokens[-1] if tokens else start]), before)
            ways += [
                ((*tokens, word), log_prob + gain, after, word == end)
                for word, gain in enumerate(log_probs[0])
                if gain > -np.inf
            ]
        found = sorted(ways, key=lambda way: -way[1] / len(way[0]) ** alpha)[:beam]
    return [(list(tokens), log_prob) for tokens, log_prob, _, _ in found]


def shown(step=hats, beam=2, max_len=5, search=plain_search, **options):
    return show_beam_tree(
        step, np.zeros((1, 1)), WORDS, beam=beam, max_len=max_len, search=search, **options
    )


class Structure(HTMLParser):
    """The elements of a page, refusing what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.seen.append((name, dict(attributes)))
        self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def all(self, name: str) -> list[dict]:
        return [attributes for found, attributes in self.seen if found == name]


def test_the_tree_of_a_search_done_by_hand_is_as_it_was_done():
    assert shown().text.splitlines() == [
        "Beam search of width 2, at most 5 words: 6 beginnings were kept, in 3 steps. "
        "Best: straw hat <END>, log-probability −1.02.",
        "* <START>",
        "    cut: <END> −2.30 (10%)",
        "  - a −0.69 (50%), 1 of 2",
        "      cut: red −1.74 (35%), straw −2.08 (25%)",
        "    - hat −1.61 (40%), 2 of 2",
        "      - <END> −1.61 (100%), 2 of 2: a sentence, place 2 in the end",
        "  * straw −0.92 (40%), 2 of 2",
        "      cut: <END> −3.22 (10%)",
        "    * hat −1.02 (90%), 1 of 2",
        "      * <END> −1.02 (100%), 1 of 2: a sentence, place 1 in the end",
    ]


def test_a_beginning_of_which_nothing_was_kept_says_so():
    narrow = {"<START>": {"a": 0.51, "straw": 0.49}, "straw": {"hat": 0.5, "red": 0.5}}
    narrow["a"] = dict.fromkeys(("hat", "red", "straw", "a", "<END>"), 0.2)

    def step(tokens, state):
        log_probs = np.full((len(tokens), len(WORDS)), -np.inf)
        for row, token in zip(log_probs, tokens, strict=True):
            for word, chance in narrow[WORDS[token]].items():
                row[WORDS.index(word)] = np.log(chance)
        return log_probs, state

    lines = shown(step, max_len=2).text.splitlines()
    (lost,) = (line for line in lines if line.startswith("  - a"))
    assert lost == "  - a −0.67 (51%), 1 of 2: all its ways on were cut"


def test_a_sentence_that_is_overtaken_by_later_ones_says_so():
    lines = shown(beam=3, max_len=2).text.splitlines()
    assert "  - <END> −2.30 (10%), 3 of 3: a sentence, overtaken later" in lines


def test_what_has_not_ended_is_said_to_go_on_no_further():
    text = shown(never_ends, beam=3, max_len=4).text
    assert text.count(": not ended: no more words allowed") == 1
    assert "Best: a a a a, log-probability 0." in text


def test_the_best_sentence_is_marked_in_words_and_by_a_star_and_open_from_the_start():
    html = shown().html
    assert re.findall(r"★ ([^<]+)</b>", html) == ["&lt;START&gt;", "straw", "hat", "&lt;END&gt;"]
    assert [panel.get("open", "closed") for panel in Structure(html).all("details")] == [
        None, "closed", "closed", None, None,
    ]  # fmt: skip


def test_the_page_has_a_summary_of_its_own_and_a_table_of_what_is_left():
    html = shown().html
    page = Structure(html)
    (label,) = (each["aria-label"] for each in page.all("div") if each.get("role") == "group")
    assert label == shown().text.splitlines()[0]
    assert re.findall(r"<tr><th scope=\"row\">(\d)</th><td>(.*?)</td><td>(.*?)</td>", html) == [
        ("1", "−1.02", "straw hat &lt;END&gt;"),
        ("2", "−1.61", "a hat &lt;END&gt;"),
    ]


def test_every_beginning_that_was_kept_has_a_place_of_its_own_in_the_tree():
    html = shown(beam=3).html
    assert html.count(" of 3") == len(re.findall(r"^ +[-*] ", shown(beam=3).text, re.MULTILINE))
    assert "the tree of kept beginnings" in html.lower()


def test_no_more_words_that_were_cut_are_named_than_asked_for():
    assert "cut: red −1.74 (35%)\n" in shown(cut=1).text
    assert "cut:" not in shown(cut=0).html + shown(cut=0).text


def test_an_impossible_word_is_not_among_those_that_were_cut():
    assert "<NULL>" not in shown(cut=99).text


def test_alpha_is_handed_to_the_search_and_said():
    text = shown(alpha=1.0, beam=3).text
    assert "over length to the power of 1. Best: straw hat <END>" in text
    assert "place 2 in the end" in text
    assert "- red" in text
    assert "- red" not in shown(alpha=0.0, beam=2).text


def test_the_packages_own_search_grows_the_same_tree():
    pytest.importorskip("torch")
    for beam in (1, 2, 3, 9):
        assert shown(beam=beam, search=None).text == shown(beam=beam).text


def test_the_state_is_left_as_it_was():
    state = np.zeros((1, 1))
    state.setflags(write=False)
    show_beam_tree(hats, state, WORDS, beam=2, max_len=5, search=plain_search)
    assert state == 0


def test_there_is_no_script_no_style_sheet_and_no_id_to_clash():
    page = Structure(shown().html)
    assert not page.all("script") + page.all("style")
    assert not any(key == "id" or key.startswith("on") for _, each in page.seen for key in each)


def test_markup_in_words_is_escaped():
    words = [*WORDS[:7], "<b>&"]
    html = show_beam_tree(
        hats, np.zeros((1, 1)), words, beam=2, max_len=5, search=plain_search
    ).html
    assert Structure(html)
    assert "&lt;b&gt;&amp;" in html


def test_words_that_are_not_those_of_the_step_are_refused():
    with pytest.raises(ValueError, match="7 words, but the step has log-probabilities of 8"):
        show_beam_tree(hats, np.zeros((1, 1)), WORDS[:7], beam=2, max_len=5, search=plain_search)


def test_a_search_that_goes_on_after_the_end_is_refused():
    def melting(step, state, beam, max_len, **limits):
        return [([4, 2, 5][:max_len], -1.0), ([7, 7, 7][:max_len], -2.0)]

    with pytest.raises(ValueError, match=r"keeps \[4, 2, 5\] after 3 words"):
        shown(search=melting)


def test_a_search_that_brings_back_what_it_dropped_is_refused():
    def forgetful(step, state, beam, max_len, **limits):
        return [([4, 5][:max_len] if max_len < 2 else [7, 5], -1.0)]

    with pytest.raises(ValueError, match=r"keeps \[7, 5\] after 2 words"):
        shown(search=forgetful)


def test_a_search_that_finds_nothing_and_a_max_len_of_nothing_are_refused():
    with pytest.raises(ValueError, match="finds nothing"):
        shown(search=lambda *given, **limits: [])
    with pytest.raises(ValueError, match="max_len is 0"):
        shown(max_len=0)


def test_what_a_grader_lets_through_of_html_still_opens():
    pytest.importorskip("bleach")
    from autograder.shown import harmless_html

    html = shown().html
    kept = harmless_html(html)
    for piece in ("<details", "<summary", "<table", "border-left", "★"):
        assert kept.count(piece) == html.count(piece) > 0
