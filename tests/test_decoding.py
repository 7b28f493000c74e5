import itertools
import math

import pytest

torch = pytest.importorskip("torch")

from cs_caption.decoding import Hypothesis, beam_search, greedy, sample  # noqa: E402

START, END = 1, 2


class Pictures:
    """A made-up language model: the next word depends on picture, position and last word.

    Its state is nested and holds the whole sentence so far, so that a beam whose state is not
    moved along with it is told wrong probabilities.
    """

    def __init__(self, pictures=3, vocab=6, steps=8, seed=0, end_bias=0.0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)
        shape = (pictures, steps, vocab, vocab)
        logits = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
        logits[..., END] += end_bias
        self.table = logits.log_softmax(dim=3).to(dtype)
        self.calls = []

    def start(self, pictures=None):
        which = torch.arange(len(self.table)) if pictures is None else torch.as_tensor(pictures)
        history = torch.zeros(len(which), 0, dtype=torch.int64)
        return {"which": which, "deep": [(history,), None], "name": "kept"}

    def step(self, tokens, state):
        (history,), nothing = state["deep"]
        assert nothing is None
        assert state["name"] == "kept"
        assert len(tokens) == len(state["which"]) == len(history)
        self.calls.append(len(tokens))
        history = torch.cat([history, tokens[:, None]], dim=1)
        log_probs = self.table[state["which"], history.shape[1] - 1, tokens]
        # what was said earlier matters too, so that no two histories are alike
        heavy = (history * torch.arange(1, history.shape[1] + 1)).sum(dim=1) % 5
        log_probs = log_probs.roll(0, 1) - 0.1 * heavy[:, None].to(log_probs.dtype)
        return log_probs, {"which": state["which"], "deep": [(history,), None], "name": "kept"}

    def gains(self, picture, tokens):
        """The log-probability of each of `tokens`, said one by one."""
        state, last, found = self.start([picture]), START, []
        for token in tokens:
            log_probs, state = self.step(torch.tensor([last]), state)
            found.append(log_probs[0, token].item())
            last = token
        return found

    def sentences(self, picture, max_len):
        """Every sentence there is, with its log-probability, best first."""
        vocab, found = self.table.shape[3], []
        inner = [token for token in range(vocab) if token != END]
        for length in range(1, max_len + 1):
            for words in itertools.product(inner, repeat=length - 1):
                lasts = range(vocab) if length == max_len else [END]
                found += [(*words, last) for last in lasts]
        scored = [(sum(self.gains(picture, tokens)), tokens) for tokens in found]
        return sorted(scored, key=lambda pair: -pair[0])


def assert_same(one: Hypothesis, other: Hypothesis) -> None:
    assert one.tokens == other.tokens
    assert one.finished == other.finished
    assert one.log_probs == pytest.approx(other.log_probs, abs=1e-9)
    assert one.score == pytest.approx(other.score, abs=1e-9)


def fixed(rows):
    """A step that gives the same log-probabilities (V,) whatever was said."""
    log_probs = torch.tensor(rows, dtype=torch.float64)
    return lambda tokens, state: (log_probs.expand(len(tokens), -1).clone(), state)


def test_greedy_takes_the_best_word_of_each_step_and_stops_at_end():
    model = Pictures(end_bias=1.0)
    for picture, found in enumerate(greedy(model.step, model.start(), max_len=8)):
        state, last, expected = model.start([picture]), START, []
        while last != END and len(expected) < 8:
            log_probs, state = model.step(torch.tensor([last]), state)
            last = int(log_probs.argmax())
            expected.append(last)
        assert found.tokens == tuple(expected)
        assert found.finished == (expected[-1] == END)
        assert found.log_probs == pytest.approx(model.gains(picture, expected))
        assert found.log_prob == pytest.approx(math.fsum(found.log_probs))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_len", [1, 3, 8])
def test_a_beam_of_one_is_greedy(seed, max_len):
    model = Pictures(seed=seed, end_bias=seed - 2.0)
    beams = beam_search(model.step, model.start(), beam=1, max_len=max_len)
    for (alone,), found in zip(
        beams, greedy(model.step, model.start(), max_len=max_len), strict=True
    ):
        assert_same(alone, found)


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_every_sentence_of_a_tiny_vocabulary_in_order(seed):
    model = Pictures(pictures=2, vocab=4, steps=3, seed=seed)
    for picture, n_best in enumerate(beam_search(model.step, model.start(), beam=64, max_len=3)):
        expected = model.sentences(picture, 3)
        assert len(n_best) == len(expected)  # 64 places, 40 sentences
        for found, (log_prob, tokens) in zip(n_best, expected, strict=True):
            assert found.tokens == tokens
            assert found.log_prob == found.score == pytest.approx(log_prob)
            assert found.finished == (tokens[-1] == END)


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
def test_a_batch_gives_what_its_pictures_give_one_by_one(length_penalty):
    model = Pictures(pictures=5, vocab=9, end_bias=0.5)
    settings = {"beam": 4, "max_len": 8, "length_penalty": length_penalty}
    together = beam_search(model.step, model.start(), **settings)
    for picture, n_best in enumerate(together):
        (alone,) = beam_search(model.step, model.start([picture]), **settings)
        assert len(alone) == len(n_best) == 4
        for one, other in zip(alone, n_best, strict=True):
            assert_same(one, other)


def test_the_log_probabilities_of_every_hypothesis_are_those_of_its_own_words():
    model = Pictures(pictures=3, vocab=8, end_bias=0.5)
    for picture, n_best in enumerate(beam_search(model.step, model.start(), beam=5, max_len=7)):
        for found in n_best:
            assert found.log_probs == pytest.approx(model.gains(picture, found.tokens))
            assert found.log_prob == pytest.approx(math.fsum(found.log_probs))
        assert len({found.tokens for found in n_best}) == len(n_best)


def test_the_n_best_come_best_first():
    model = Pictures(pictures=4, vocab=8)
    for n_best in beam_search(model.step, model.start(), beam=6, max_len=6, length_penalty=1.0):
        scores = [found.score for found in n_best]
        assert scores == sorted(scores, reverse=True)


def test_a_hypothesis_that_has_ended_is_frozen():
    """After END this step promises certainty for every word: who goes on past END wins unfairly."""

    def step(tokens, state):
        log_probs = torch.full((len(tokens), 5), math.log(0.2), dtype=torch.float64)
        log_probs[:, END] = math.log(0.3)
        log_probs[tokens == END] = 0.0
        return log_probs, state

    (n_best,) = beam_search(step, torch.zeros(1, 1), beam=4, max_len=5)
    for found in n_best:
        assert END not in found.tokens[:-1]
        assert found.finished == (found.tokens[-1] == END)
    assert n_best[0].tokens == (END,)
    assert n_best[0].log_prob == pytest.approx(math.log(0.3))


def test_a_finished_hypothesis_keeps_its_place_until_better_ones_push_it_out():
    """END costs 0.7 nats at first; ways on that cost less each push it down and, here, out."""
    first, later = math.log(0.5), math.log(0.9)

    def step(tokens, state):
        log_probs = torch.full((len(tokens), 6), -torch.inf, dtype=torch.float64)
        at_start = tokens == START
        log_probs[at_start, 2:6] = torch.tensor(
            [first, math.log(0.2), math.log(0.15), math.log(0.15)], dtype=torch.float64
        )
        log_probs[~at_start, END] = later
        log_probs[~at_start, 3] = math.log(0.1)
        return log_probs, state

    (n_best,) = beam_search(step, torch.zeros(1, 1), beam=2, max_len=4)
    assert [found.tokens for found in n_best] == [(END,), (3, END)]
    (by_mean,) = beam_search(step, torch.zeros(1, 1), beam=4, max_len=2, length_penalty=1.0)
    assert by_mean[0].tokens == (END,)
    assert by_mean[1].tokens == (3, END)
    assert by_mean[1].score == pytest.approx((math.log(0.2) + later) / 2)


def test_without_any_end_all_hypotheses_come_back_unfinished():
    log_probs = torch.tensor([0.1, 0.1, 0.0, 0.5, 0.3], dtype=torch.float64).log()
    step = fixed(log_probs.tolist())
    (n_best,) = beam_search(step, torch.zeros(1, 1), beam=3, max_len=4)
    assert len(n_best) == 3
    assert all(not found.finished and len(found.tokens) == 4 for found in n_best)
    assert n_best[0].tokens == (3, 3, 3, 3)
    (alone,) = greedy(step, torch.zeros(1, 1), max_len=4)
    assert alone.tokens == (3, 3, 3, 3)
    assert not alone.finished


def test_a_beam_wider_than_the_vocabulary_returns_each_sentence_once():
    model = Pictures(pictures=2, vocab=4)
    (first, _) = beam_search(model.step, model.start(), beam=11, max_len=1)
    assert sorted(found.tokens for found in first) == [(0,), (1,), (2,), (3,)]
    (first, _) = beam_search(model.step, model.start(), beam=11, max_len=2)
    assert len({found.tokens for found in first}) == len(first) == 11


def test_a_forbidden_word_is_never_said_and_a_dead_end_is_dropped():
    def step(tokens, state):
        log_probs = torch.full((len(tokens), 5), -torch.inf, dtype=torch.float64)
        log_probs[tokens == START, 3:] = math.log(0.5)
        log_probs[tokens == 3, END] = 0.0  # after 4 there is no way on
        return log_probs, state

    (n_best,) = beam_search(step, torch.zeros(1, 1), beam=4, max_len=3)
    assert [found.tokens for found in n_best] == [(3, END)]
    assert n_best[0].log_prob == pytest.approx(math.log(0.5))


@pytest.mark.parametrize("decode", ["greedy", "sample", "beam"])
def test_where_no_word_at_all_is_possible_the_row_is_named(decode):
    def step(tokens, state):
        log_probs = torch.zeros(len(tokens), 4)
        log_probs[state >= 1] = -torch.inf
        return log_probs, state

    pictures = torch.arange(2)
    run = {
        "greedy": lambda: greedy(step, pictures, max_len=2),
        "sample": lambda: sample(step, pictures, max_len=2, seed=0),
        "beam": lambda: beam_search(step, pictures, beam=2, max_len=2),
    }[decode]
    with pytest.raises(ValueError, match="no next token is possible in row 1"):
        run()


def test_the_length_penalty_ranks_by_the_mean_of_a_word():
    def step(tokens, state):  # "2" at once: log .4; "3 2": log .6 + log .5, better a word
        log_probs = torch.full((len(tokens), 4), -torch.inf, dtype=torch.float64)
        log_probs[tokens == START, 2:] = torch.tensor([0.4, 0.6], dtype=torch.float64).log()
        log_probs[tokens == 3, END] = math.log(0.5)
        return log_probs, state

    for penalty, best in ((0.0, (END,)), (1.0, (3, END))):
        (n_best,) = beam_search(step, torch.zeros(1, 1), beam=2, max_len=3, length_penalty=penalty)
        assert n_best[0].tokens == best
    assert n_best[0].score == pytest.approx(n_best[0].log_prob / 2)


def test_the_search_ends_when_every_hypothesis_has_ended():
    model = Pictures(pictures=3, vocab=5, steps=8, end_bias=30.0)
    greedy(model.step, model.start(), max_len=8)
    assert model.calls == [3]
    model.calls.clear()
    beam_search(model.step, model.start(), beam=2, max_len=8)
    assert model.calls == [6, 6]


def test_rows_of_one_picture_stand_together():
    seen = []

    def step(tokens, state):
        seen.append(state.clone())
        return torch.zeros(len(tokens), 5).log_softmax(1), state

    beam_search(step, torch.tensor([7, 8]), beam=3, max_len=2)
    assert [rows.tolist() for rows in seen] == [[7, 7, 7, 8, 8, 8]] * 2


def test_other_start_and_end_tokens_are_taken():
    firsts = []

    def step(tokens, state):
        firsts.append(tokens.tolist())
        return torch.tensor([[0.2, 0.7, 0.1]]).log().repeat(len(tokens), 1), state

    (found,) = greedy(step, torch.zeros(1, 1), max_len=5, start=9, end=1)
    assert firsts[0] == [9]
    assert found.tokens == (1,)
    assert found.finished
    ((best, *_),) = beam_search(step, torch.zeros(1, 1), beam=2, max_len=5, start=9, end=1)
    assert best.tokens == (1,)


def test_a_state_without_tensors_stands_for_one_row_and_no_rows_give_nothing():
    step = fixed([math.log(0.2), math.log(0.2), math.log(0.6)])
    assert len(greedy(step, None, max_len=2)) == 1
    assert len(beam_search(step, (), beam=2, max_len=2)) == 1
    empty = torch.zeros(0, 3)
    assert greedy(step, empty, max_len=2) == beam_search(step, empty, beam=2, max_len=2) == []


def test_half_precision_log_probabilities_are_summed_in_float32():
    model = Pictures(pictures=1, vocab=6, end_bias=-30.0, dtype=torch.bfloat16)
    ((best, *_),) = beam_search(model.step, model.start(), beam=2, max_len=8)
    assert best.log_probs == pytest.approx(model.gains(0, best.tokens))


def test_the_same_seed_draws_the_same_and_another_seed_another():
    model = Pictures(pictures=20, vocab=9)
    once, again, other = (
        sample(model.step, model.start(), max_len=8, seed=seed) for seed in (5, 5, 6)
    )
    assert once == again
    assert once != other
    generator = torch.Generator().manual_seed(5)
    assert sample(model.step, model.start(), max_len=8, generator=generator) == once


def test_drawing_leaves_the_global_random_state_alone():
    model = Pictures(pictures=4)
    before = torch.get_rng_state()
    sample(model.step, model.start(), max_len=4)
    assert torch.equal(before, torch.get_rng_state())


def frequencies(probs, rows=20_000, **settings):
    log_probs = torch.tensor(probs, dtype=torch.float64).log()
    found = sample(
        fixed(log_probs.tolist()), torch.zeros(rows, 1), max_len=1, end=0, seed=3, **settings
    )
    counts = torch.bincount(torch.tensor([h.tokens[0] for h in found]), minlength=len(probs))
    assert {h.log_probs[0] for h in found} <= {p for p in log_probs.tolist() if p > -math.inf}
    return (counts / rows).tolist()


def test_words_are_drawn_as_often_as_the_model_says():
    probs = [0.05, 0.0, 0.5, 0.15, 0.3]
    found = frequencies(probs)
    assert found == pytest.approx(probs, abs=0.015)
    assert found[1] == 0


def test_temperature_sharpens_and_flattens():
    probs = torch.tensor([0.1, 0.2, 0.7])
    for temperature in (0.5, 2.0):
        expected = (probs.log() / temperature).softmax(0).tolist()
        assert frequencies(probs.tolist(), temperature=temperature) == pytest.approx(
            expected, abs=0.015
        )
    assert frequencies(probs.tolist(), rows=100, temperature=1e-40) == [0, 0, 1]


def test_top_k_and_top_p_cut_the_tail_and_keep_the_proportions():
    probs = [0.1, 0.4, 0.2, 0.3]
    assert frequencies(probs, top_k=2) == pytest.approx([0, 4 / 7, 0, 3 / 7], abs=0.015)
    assert frequencies(probs, top_k=99) == pytest.approx(probs, abs=0.015)
    # 0.4 + 0.3 reaches 0.65: two words; 0.75 needs the third
    assert frequencies(probs, top_p=0.65) == pytest.approx([0, 4 / 7, 0, 3 / 7], abs=0.015)
    expected = [0, 4 / 9, 2 / 9, 3 / 9]
    assert frequencies(probs, top_p=0.75) == pytest.approx(expected, abs=0.015)
    assert frequencies(probs, rows=100, top_p=1e-9) == [0, 1, 0, 0]
    # of the best three 4/9 + 3/9 reaches 0.7
    both = frequencies(probs, top_k=3, top_p=0.7)
    assert both == pytest.approx([0, 4 / 7, 0, 3 / 7], abs=0.015)


def test_top_k_of_one_is_greedy_with_the_models_own_log_probabilities():
    model = Pictures(pictures=6, vocab=7)
    drawn = sample(model.step, model.start(), max_len=8, top_k=1, temperature=3.0, seed=0)
    for one, other in zip(drawn, greedy(model.step, model.start(), max_len=8), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": 0.0}, "temperature is 0.0: expected more than 0"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0: expected a whole number of 1 or more"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"max_len": 0}, "max_len is 0"),
        ({"seed": 1, "generator": torch.Generator()}, "choose one"),
    ],
)
def test_sampling_refuses_what_makes_no_sense(settings, words):
    model = Pictures()
    with pytest.raises(ValueError, match=words):
        sample(model.step, model.start(), **{"max_len": 3, **settings})
    assert model.calls == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"beam": 0}, "beam is 0: expected a whole number of 1 or more"),
        ({"beam": 2.0}, "beam is 2.0"),
        ({"beam": True}, "beam is True"),
        ({"max_len": -1}, "max_len is -1"),
        ({"length_penalty": -0.1}, "length_penalty is -0.1: expected 0 or more"),
        ({"length_penalty": math.nan}, "length_penalty is nan"),
    ],
)
def test_beam_search_refuses_what_makes_no_sense(settings, words):
    model = Pictures()
    with pytest.raises(ValueError, match=words):
        beam_search(model.step, model.start(), **{"beam": 2, "max_len": 3, **settings})
    assert model.calls == []


@pytest.mark.parametrize(
    ("log_probs", "words"),
    [
        (torch.tensor([[0.0, math.nan, 0.0]]), "NaN in row 0"),
        (torch.zeros(3), r"log_probs of \(3,\): expected a tensor \(1, V\)"),
        (torch.zeros(2, 3), r"log_probs of \(2, 3\): expected a tensor \(1, V\)"),
        ([0.0], "log_probs of <class 'list'>"),
        (torch.zeros(1, 2), "end is 2, outside the step's vocabulary of 2"),
    ],
)
def test_a_step_that_returns_something_else_is_told_so(log_probs, words):
    with pytest.raises(ValueError, match=words):
        greedy(lambda tokens, state: (log_probs, state), torch.zeros(1, 1), max_len=2)
    with pytest.raises(ValueError, match=words):
        beam_search(lambda tokens, state: (log_probs, state), None, beam=1, max_len=2)


def test_states_whose_rows_differ_are_refused():
    with pytest.raises(ValueError, match=r"differ in their first axis: \[2, 3\]"):
        greedy(fixed([0.0]), {"h": torch.zeros(2, 1), "c": torch.zeros(3, 1)}, max_len=1)
    with pytest.raises(ValueError, match="has no axis"):
        beam_search(fixed([0.0]), [torch.tensor(1.0)], beam=1, max_len=1)


def test_a_row_that_has_ended_is_fed_end_while_the_others_go_on():
    fed = []

    def step(tokens, state):
        fed.append(tokens.tolist())
        log_probs = torch.full((len(tokens), 5), -9.0)
        log_probs[:, 3] = -1.0
        log_probs[state[:, 0] == len(fed), END] = -0.5
        return log_probs, state

    found = greedy(step, torch.tensor([[1], [3]]), max_len=6)
    assert [h.tokens for h in found] == [(END,), (3, 3, END)]
    assert fed == [[START, START], [END, 3], [END, 3]]


def test_what_is_said_after_the_end_of_one_row_has_no_part_in_it():
    def step(tokens, state):
        log_probs = torch.full((len(tokens), 5), -9.0)
        log_probs[:, 3] = -1.0
        log_probs[(state[:, 0] == 0) & (tokens == START), END] = 0.0
        return log_probs, state

    first, second = greedy(step, torch.tensor([[0], [1]]), max_len=4)
    assert first == Hypothesis((END,), (0.0,), 0.0, 0.0, True)
    assert second.tokens == (3, 3, 3, 3)


# A least length, groups, required words.


def whole(sentences, keep):
    """Those of (log_prob, tokens) that are kept, as the search orders them."""
    return [(log_prob, tokens) for log_prob, tokens in sentences if keep(tokens)]


def assert_are(n_best, expected):
    assert [found.tokens for found in n_best] == [tokens for _, tokens in expected]
    assert [found.log_prob for found in n_best] == pytest.approx([p for p, _ in expected])


@pytest.mark.parametrize("min_len", [0, 1, 2, 3])
def test_with_a_least_length_a_wide_beam_finds_all_sentences_that_are_long_enough(min_len):
    model = Pictures(pictures=2, vocab=4, steps=3, end_bias=1.0)
    settings = {"beam": 64, "max_len": 3, "min_len": min_len}
    for picture, n_best in enumerate(beam_search(model.step, model.start(), **settings)):
        assert_are(n_best, whole(model.sentences(picture, 3), lambda some: len(some) >= min_len))


def test_nothing_ends_before_the_least_length_however_probable_the_end():
    model = Pictures(pictures=3, vocab=6, end_bias=20.0)
    for beam in (1, 3):
        for n_best in beam_search(model.step, model.start(), beam=beam, max_len=8, min_len=4):
            assert {len(found.tokens) for found in n_best} == {4}
            assert len(n_best) == beam
            assert all(found.finished for found in n_best)


def test_where_only_the_end_is_possible_a_least_length_is_an_error_that_says_so():
    step = fixed([-math.inf, -math.inf, 0.0])
    with pytest.raises(ValueError, match=r"row 0: .* before min_len"):
        beam_search(step, torch.zeros(1, 1), beam=2, max_len=3, min_len=2)


@pytest.mark.parametrize("settings", [{"groups": 1, "diversity": 9.0}, {"required": []}])
@pytest.mark.parametrize("length_penalty", [0.0, 0.7])
def test_one_group_and_nothing_required_is_the_plain_search(settings, length_penalty):
    model = Pictures(pictures=4, vocab=9, end_bias=0.5)
    common = {"beam": 4, "max_len": 8, "length_penalty": length_penalty}
    plain = beam_search(model.step, model.start(), **common)
    assert beam_search(model.step, model.start(), **common, **settings) == plain


def diverse_slowly(model, picture, beam, max_len, groups, diversity, length_penalty):
    """Diverse beam search with lists, written after algorithm 1 of Vijayakumar et al."""
    width = beam // groups
    kept = [[((), 0.0, 0.0)] for _ in range(groups)]  # tokens, log-probability, paid
    for _ in range(max_len):
        said = []
        for group in range(groups):
            ways = [way for way in kept[group] if way[0][-1:] == (END,)]
            for tokens, _, paid in kept[group]:
                for word in range(model.table.shape[3]) if tokens[-1:] != (END,) else ():
                    longer = (*tokens, word)
                    dearer = paid + diversity * said.count(word)
                    ways.append((longer, math.fsum(model.gains(picture, longer)), dearer))
            ways.sort(key=lambda way: -(way[1] - way[2]) / len(way[0]) ** length_penalty)
            before = {tokens for tokens, _, _ in kept[group]}
            kept[group] = ways[:width]
            said += [tokens[-1] for tokens, _, _ in kept[group] if tokens not in before]
    found = {}
    for ways in kept:
        for tokens, total, _ in ways:
            found.setdefault(tokens, total)
    score = {tokens: total / len(tokens) ** length_penalty for tokens, total in found.items()}
    return sorted(((found[tokens], tokens) for tokens in found), key=lambda one: -score[one[1]])


@pytest.mark.parametrize("groups", [2, 3, 6])
@pytest.mark.parametrize(("diversity", "length_penalty"), [(0.5, 0.0), (2.0, 1.0)])
def test_groups_are_those_of_the_paper(groups, diversity, length_penalty):
    model = Pictures(pictures=2, vocab=5, end_bias=0.5, seed=groups)
    settings = {"groups": groups, "diversity": diversity, "length_penalty": length_penalty}
    together = beam_search(model.step, model.start(), beam=6, max_len=4, **settings)
    for picture, n_best in enumerate(together):
        assert_are(n_best, diverse_slowly(model, picture, 6, 4, **settings))
        assert [found.score for found in n_best] == pytest.approx(
            [found.log_prob / len(found.tokens) ** length_penalty for found in n_best]
        )


def test_the_first_group_searches_as_if_it_were_alone():
    model = Pictures(pictures=4, vocab=9, end_bias=0.5)
    parted = beam_search(model.step, model.start(), beam=6, groups=3, max_len=7)
    alone = beam_search(model.step, model.start(), beam=2, max_len=7)
    for n_best, expected in zip(parted, alone, strict=True):
        assert [found for found in n_best if found.group == 0] == expected


def test_groups_that_nothing_keeps_apart_find_the_same_and_it_comes_once():
    model = Pictures(pictures=3, vocab=9, end_bias=0.5)
    same = beam_search(model.step, model.start(), beam=6, groups=3, diversity=0.0, max_len=7)
    assert same == beam_search(model.step, model.start(), beam=2, max_len=7)


def test_groups_that_pay_much_begin_with_different_words():
    model = Pictures(pictures=5, vocab=9, end_bias=-9.0)
    settings = {"beam": 4, "groups": 4, "diversity": 50.0, "max_len": 3}
    for n_best in beam_search(model.step, model.start(), **settings):
        assert {found.group for found in n_best} == {0, 1, 2, 3}
        for place in range(3):
            assert len({found.tokens[place] for found in n_best}) == 4


def test_a_frozen_hypothesis_of_an_earlier_group_says_nothing_any_more():
    """Group 0 ends at once. END is the best word at every step: the second group pays for it
    once, while it is said, and not for the rest of the search."""
    step = fixed([math.log(p) for p in (1e-9, 1e-9, 0.6, 0.4)])
    settings = {"beam": 2, "groups": 2, "diversity": 1.0, "max_len": 4}
    (n_best,) = beam_search(step, torch.zeros(1, 1), **settings)
    assert [found.tokens for found in n_best] == [(END,), (3, END)]


def holds(tokens, entries):
    return all(any(word in tokens for word in entry) for entry in entries)


REQUIRED = [[3], [0, 3], [(0, 3)], [(0, 1), 3], [(0, 3), (1, 3)], [0, 1, 3]]


def as_tuples(entries):
    return [entry if isinstance(entry, tuple) else (entry,) for entry in entries]


@pytest.mark.parametrize("entries", REQUIRED, ids=str)
@pytest.mark.parametrize("min_len", [0, 4])
def test_with_required_words_a_wide_beam_finds_all_sentences_that_hold_them(entries, min_len):
    model = Pictures(pictures=2, vocab=4, steps=4, end_bias=0.5)
    settings = {"beam": 125, "max_len": 4, "required": entries, "min_len": min_len}
    for picture, n_best in enumerate(beam_search(model.step, model.start(), **settings)):
        expected = whole(
            model.sentences(picture, 4),
            lambda some: holds(some, as_tuples(entries)) and len(some) >= min_len,
        )
        assert_are(n_best, expected[:125])


def grid_slowly(model, picture, beam, max_len, entries, length_penalty):
    """Grid beam search with lists: as many beams as there are numbers of entries met."""

    def met(tokens):
        return sum(any(word in tokens for word in entry) for entry in entries)

    def rank(way):
        return -way[0] / max(1, len(way[1])) ** length_penalty

    kept = [(0.0, ())]
    for _ in range(max_len):
        ways = [way for way in kept if way[1][-1:] == (END,)]
        for _, tokens in (way for way in kept if way[1][-1:] != (END,)):
            for word in range(model.table.shape[3]):
                if word != END or met(tokens) == len(entries):
                    longer = (*tokens, word)
                    ways.append((math.fsum(model.gains(picture, longer)), longer))
        banks = ([way for way in ways if met(way[1]) == n] for n in range(len(entries) + 1))
        kept = [way for bank in banks for way in sorted(bank, key=rank)[:beam]]
    return sorted(whole(kept, lambda some: met(some) == len(entries)), key=rank)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("entries", [[3], [(3, 4, 5)], [(3, 4), 5]], ids=str)
def test_required_words_are_searched_for_on_the_papers_grid(seed, length_penalty, entries):
    model = Pictures(pictures=2, vocab=6, end_bias=1.0, seed=seed)
    for beam in (1, 2):
        settings = {"beam": beam, "max_len": 5, "length_penalty": length_penalty}
        n_bests = beam_search(model.step, model.start(), required=entries, **settings)
        for picture, n_best in enumerate(n_bests):
            expected = grid_slowly(model, picture, entries=as_tuples(entries), **settings)
            assert_are(n_best, expected)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_sentence_with_the_required_word_that_ends_early_does_not_stop_a_better_one(
    length_penalty,
):
    """3 costs 4 nats at first, then 20, and nothing as the fourth word; 4 costs 1 each time."""

    def step(tokens, state):
        log_probs = torch.full((len(tokens), 5), -torch.inf, dtype=torch.float64)
        log_probs[:, END], log_probs[:, 4] = -0.5, -1.0
        log_probs[:, 3] = torch.tensor([-4.0, -20.0, -20.0, 0.0, -20.0])[state]
        return log_probs, state + 1

    settings = {"beam": 1, "max_len": 5, "length_penalty": length_penalty}
    ((found,),) = beam_search(step, torch.zeros(1, dtype=torch.int64), required=[3], **settings)
    assert found.tokens == (4, 4, 4, 3, END)


def test_asked_for_words_that_are_the_likeliest_leave_the_others_a_place():
    """To say 6 before one of them is dear at first and pays in the end."""

    def step(tokens, state):
        log_probs = torch.full((len(tokens), 7), -9.0, dtype=torch.float64)
        place = int(state[0])
        if place == 0:
            log_probs[:, 3:6], log_probs[:, 6] = -1.0, -2.0
        log_probs[tokens == 6, 3] = -0.1
        if place == 2:
            log_probs[:, END] = -0.1
        return log_probs, state + 1

    start = torch.zeros(1, dtype=torch.int64)
    ((found,),) = beam_search(step, start, beam=1, max_len=3, required=[(3, 4, 5)])
    assert found.tokens == (6, 3, END)


@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_required_words_stand_in_every_hypothesis_of_a_narrow_beam(beam, length_penalty):
    entries = [(3,), (5, 7), (8,)]
    model = Pictures(pictures=6, vocab=9, end_bias=1.0)
    settings = {"beam": beam, "max_len": 8, "length_penalty": length_penalty}
    for picture, n_best in enumerate(
        beam_search(model.step, model.start(), required=[3, (5, 7), 8], **settings)
    ):
        assert 1 <= len(n_best) <= beam
        for found in n_best:
            assert holds(found.tokens, entries)
            assert found.log_probs == pytest.approx(model.gains(picture, found.tokens))
            assert found.score == pytest.approx(
                found.log_prob / len(found.tokens) ** length_penalty
            )


def test_a_required_word_is_said_though_a_thousand_others_are_likelier():
    log_probs = torch.zeros(1000, dtype=torch.float64)
    log_probs[7], log_probs[END] = -30.0, 2.0
    step = fixed(log_probs.log_softmax(0).tolist())
    ((found,),) = beam_search(step, torch.zeros(1, 1), beam=1, max_len=5, required=[7])
    assert found.tokens == (7, END)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("length_penalty", [0.0, 0.7])
def test_each_picture_may_require_words_of_its_own_and_a_batch_is_as_one_by_one(
    groups, length_penalty
):
    model = Pictures(pictures=4, vocab=9, end_bias=1.0)
    required = [[3], [], [(4, 6), 0, 8], [5, 6]]
    settings = {"beam": 4, "max_len": 8, "groups": groups, "length_penalty": length_penalty}
    together = beam_search(model.step, model.start(), required=required, **settings)
    for picture, n_best in enumerate(together):
        start = model.start([picture])
        (alone,) = beam_search(model.step, start, required=[required[picture]], **settings)
        assert len(alone) == len(n_best) > 0
        for one, other in zip(alone, n_best, strict=True):
            assert_same(one, other)
    plain = beam_search(model.step, model.start([1]), **settings)
    assert [found.tokens for found in together[1]] == [found.tokens for found in plain[0]]


def test_the_search_for_required_words_stops_when_nothing_better_can_come():
    model = Pictures(pictures=2, vocab=6, steps=20, end_bias=6.0)
    settings = {"beam": 2, "max_len": 20, "required": [3]}
    n_best = beam_search(model.step, model.start(), **settings)
    assert len(model.calls) < 20
    assert set(model.calls) == {2 * 2 * 2}
    for picture, found in enumerate(n_best):
        expected = whole(model.sentences(picture, 4), lambda some: END in some and 3 in some)
        assert found[0].tokens == expected[0][1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"min_len": 4}, "min_len is 4 and max_len 3"),
        ({"min_len": -1}, "min_len is -1"),
        ({"min_len": 1.0}, "min_len is 1.0"),
        ({"groups": 0}, "groups is 0: expected a whole number of 1 or more"),
        ({"groups": 3}, "a beam of 4 cannot be parted into 3 groups"),
        ({"groups": 2, "diversity": -1.0}, "diversity is -1.0: expected 0 or more"),
        ({"diversity": math.nan}, "diversity is nan"),
        ({"required": [END]}, "required has 2: expected ids of words, and not `end`"),
        ({"required": [-1]}, "required has -1"),
        ({"required": [()]}, "required has an empty tuple"),
        ({"required": [3, 5, 3]}, "required has 3 twice"),
        ({"required": [(3, 5), (5, 3)]}, "required has 3 or 5 twice"),
        ({"required": [0, 3, 4, 5]}, "max_len is 3, too small for the 4 required words"),
        ({"required": [[3], [4]]}, "required has 2 lists for 3 pictures"),
    ],
)
def test_wishes_that_make_no_sense_are_refused_before_the_search(settings, words):
    model = Pictures()
    with pytest.raises(ValueError, match=words):
        beam_search(model.step, model.start(), **{"beam": 4, "max_len": 3, **settings})
    assert model.calls == []


@pytest.mark.parametrize("required", ["red", 3, ["red"], [3, [4]], [2.5], [[(3, "red")], [], []]])
def test_what_is_no_list_of_words_is_refused(required):
    model = Pictures()
    with pytest.raises(TypeError, match="required"):
        beam_search(model.step, model.start(), beam=2, max_len=3, required=required)


def test_a_required_word_outside_the_vocabulary_or_never_said_is_an_error_in_words():
    model = Pictures(pictures=2, vocab=6)
    with pytest.raises(ValueError, match="required has word 6, outside the step's vocabulary of 6"):
        beam_search(model.step, model.start(), beam=2, max_len=3, required=[6])
    step = fixed([-math.inf, math.log(0.4), math.log(0.3), math.log(0.3)])
    with pytest.raises(ValueError, match=r"picture 1 holds all of 3, 0: .* -inf"):
        beam_search(step, torch.zeros(2, 1), beam=2, max_len=4, required=[[3], [3, 0]])
    (n_best,) = beam_search(step, torch.zeros(1, 1), beam=2, max_len=4, required=[(0, 3)])
    assert all(3 in found.tokens for found in n_best)


def test_log_probabilities_may_be_a_view_of_another_tensor():
    columns = torch.tensor([0.1, 0.1, 0.4, 0.4], dtype=torch.float64).log()[:, None]

    def step(tokens, state):
        return columns.repeat(1, len(tokens)).T, state

    settings = {"beam": 4, "max_len": 3, "groups": 2, "min_len": 2, "required": [3]}
    (n_best,) = beam_search(step, torch.zeros(1, 1), **settings)
    assert all(3 in found.tokens for found in n_best)
