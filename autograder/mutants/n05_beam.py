"""Wrong answers to the exercises of notebook 05, part A: what students write for beam search."""

import math

import numpy as np

from autograder.mutants import mutant

# ------------------------------------------------------------------------------- sequence_log_prob


def _gains(step, state, tokens, start=1, *, carried=True, read=None):
    """The rows of log-probabilities that are looked in, and the places in them."""
    found = []
    for last, token in zip([start, *tokens] if read is None else read, tokens, strict=False):
        rows, after = step(np.array([last]), state)
        state = after if carried else state
        found.append(float(rows[0, token]))
    return found


@mutant("sequence_log_prob")
def sequence_product(step, state, tokens, start=1):
    """The probability itself, e to the power of the sum."""
    return math.exp(sum(_gains(step, state, tokens, start)))


@mutant("sequence_log_prob")
def sequence_log_of_product(step, state, tokens, start=1):
    """Probabilities are multiplied first, and the logarithm is taken of that."""
    with np.errstate(divide="ignore"):
        return float(np.log(np.prod(np.exp(_gains(step, state, tokens, start)))))


@mutant("sequence_log_prob")
def sequence_sum_of_probabilities(step, state, tokens, start=1):
    """The probabilities are added up."""
    return float(sum(map(math.exp, _gains(step, state, tokens, start))))


@mutant("sequence_log_prob")
def sequence_log_of_sum(step, state, tokens, start=1):
    """The logarithm of the probabilities' sum."""
    total = sum(map(math.exp, _gains(step, state, tokens, start)))
    return math.log(total) if total else 0.0


@mutant("sequence_log_prob")
def sequence_mean(step, state, tokens, start=1):
    """Divided by the number of its words."""
    return sum(_gains(step, state, tokens, start)) / max(1, len(tokens))


@mutant("sequence_log_prob")
def sequence_nan_without_words(step, state, tokens, start=1):
    """np.mean times the length: of nothing that is NaN."""
    gains = np.array(_gains(step, state, tokens, start))
    return float(np.mean(gains) * len(gains)) if len(gains) else math.nan


@mutant("sequence_log_prob")
def sequence_sign(step, state, tokens, start=1):
    """The cost, minus the sum."""
    return -float(sum(_gains(step, state, tokens, start)))


@mutant("sequence_log_prob")
def sequence_base_two(step, state, tokens, start=1):
    """As many bits as it takes, not nats."""
    return sum(_gains(step, state, tokens, start)) / math.log(2)


@mutant("sequence_log_prob")
def sequence_without_end(step, state, tokens, start=1):
    """The last word is taken off where it is 2."""
    return float(sum(_gains(step, state, [token for token in tokens if token != 2], start)))


@mutant("sequence_log_prob")
def sequence_end_added(step, state, tokens, start=1):
    """Every sentence is ended, whether it has ended or not."""
    whole = list(tokens) if tokens[-1:] == [2] else [*tokens, 2]
    return float(sum(_gains(step, state, whole, start)))


@mutant("sequence_log_prob")
def sequence_end_twice(step, state, tokens, start=1):
    """One more step at the end adds the last word again."""
    gains = _gains(step, state, tokens, start)
    return float(sum(gains) + sum(gains[-1:]))


@mutant("sequence_log_prob")
def sequence_first_left_out(step, state, tokens, start=1):
    """Pairs of neighbours, tokens[:-1] and tokens[1:]: what comes first has no part in it."""
    _, state = step(np.array([start]), state)
    return float(sum(_gains(step, state, tokens[1:], tokens[0]))) if tokens else 0.0


@mutant("sequence_log_prob")
def sequence_start_twice(step, state, tokens, start=1):
    """It is read once to warm up, and once more."""
    _, state = step(np.array([start]), state)
    return float(sum(_gains(step, state, tokens, start)))


@mutant("sequence_log_prob")
def sequence_start_is_one(step, state, tokens, start=1):
    """Number 1 is written where the argument belongs."""
    return float(sum(_gains(step, state, tokens, 1)))


@mutant("sequence_log_prob")
def sequence_start_is_null(step, state, tokens, start=1):
    """It begins by reading number 0."""
    return float(sum(_gains(step, state, tokens, 0)))


@mutant("sequence_log_prob")
def sequence_start_never_read(step, state, tokens, start=1):
    """What is read first is the first token."""
    return float(sum(_gains(step, state, tokens, read=[*tokens[:1], *tokens])))


@mutant("sequence_log_prob")
def sequence_read_then_looked_up(step, state, tokens, start=1):
    """Each token is read, and looked up in the row that comes of it."""
    return float(sum(_gains(step, state, tokens, read=tokens)))


@mutant("sequence_log_prob")
def sequence_not_read_on(step, state, tokens, start=1):
    """At each step the first thing is read again."""
    return float(sum(_gains(step, state, tokens, read=[start] * len(tokens))))


@mutant("sequence_log_prob")
def sequence_state_dropped(step, state, tokens, start=1):
    """What step returns beside the row is thrown away."""
    return float(sum(_gains(step, state, tokens, start, carried=False)))


@mutant("sequence_log_prob")
def sequence_of_the_best(step, state, tokens, start=1):
    """The largest of each row is added, whichever token it belongs to."""
    total, last = 0.0, start
    for token in tokens:
        rows, state = step(np.array([last]), state)
        total, last = total + float(rows.max()), token
    return total


@mutant("sequence_log_prob")
def sequence_padding_left_out(step, state, tokens, start=1):
    """Number 0 is taken for padding."""
    total, last = 0.0, start
    for token in tokens:
        rows, state = step(np.array([last]), state)
        total, last = total + float(rows[0, token]) * (token != 0), token
    return float(np.nan_to_num(total, neginf=-np.inf))


@mutant("sequence_log_prob")
def sequence_floored(step, state, tokens, start=1):
    """The impossible is made very improbable, with a small number in the logarithm."""
    return float(sum(math.log(math.exp(g) + 1e-12) for g in _gains(step, state, tokens, start)))


@mutant("sequence_log_prob")
def sequence_a_row(step, state, tokens, start=1):
    """It keeps the axis of the rows."""
    return np.array([sum(_gains(step, state, tokens, start))])


@mutant("sequence_log_prob")
def sequence_pops(step, state, tokens, start=1):
    """The list of the caller is emptied on the way."""
    total, last = 0.0, start
    while tokens:
        rows, state = step(np.array([last]), state)
        last = tokens.pop(0)
        total += float(rows[0, last])
    return total


@mutant("sequence_log_prob")
def sequence_state_in_place(step, state, tokens, start=1):
    """What step returns is written into the array that was given."""
    total, last = 0.0, start
    for token in tokens:
        rows, state[...] = step(np.array([last]), state)
        total, last = total + float(rows[0, token]), token
    return total


@mutant("sequence_log_prob")
def sequence_a_number_read(step, state, tokens, start=1):
    """A plain number is read, not an array of one."""
    total, last = 0.0, start
    for token in tokens:
        rows, state = step(last, state)
        total, last = total + float(rows[0, token]), token
    return total


@mutant("sequence_log_prob")
def sequence_stops_at_two(step, state, tokens, start=1):
    """Whatever comes after a 2 is not looked at."""
    upto = tokens.index(2) + 1 if 2 in tokens else len(tokens)
    return float(sum(_gains(step, state, tokens[:upto], start)))


_REMEMBERED = {}


@mutant("sequence_log_prob")
def sequence_remembers(step, state, tokens, start=1):
    """A memory keyed by the tokens alone, for every model the same."""
    key = tuple(tokens)
    if key not in _REMEMBERED:
        _REMEMBERED[key] = float(sum(_gains(step, state, tokens, start)))
    return _REMEMBERED[key]


@mutant("sequence_log_prob")
def sequence_reads_the_best(step, state, tokens, start=1):
    """The argmax is read back, as when it speaks for itself."""
    total, last = 0.0, start
    for token in tokens:
        rows, state = step(np.array([last]), state)
        total, last = total + float(rows[0, token]), int(rows[0].argmax())
    return total


@mutant("sequence_log_prob")
def sequence_clipped(step, state, tokens, start=1):
    """Nothing costs more than 20, but for what cannot be."""
    gains = _gains(step, state, tokens, start)
    return float(sum(max(g, -20.0) if g > -math.inf else g for g in gains))


# ------------------------------------------------------------------------- length_normalized_score


@mutant("length_normalized_score")
def normalized_multiplied(log_prob, length, alpha=1.0):
    """Times the length to that power."""
    return log_prob * length**alpha


@mutant("length_normalized_score")
def normalized_alpha_ignored(log_prob, length, alpha=1.0):
    """Always what is there for one word on average."""
    return log_prob / length


@mutant("length_normalized_score")
def normalized_alpha_times_length(log_prob, length, alpha=1.0):
    """The exponent became a factor."""
    return log_prob / (alpha * length + (alpha == 0))


@mutant("length_normalized_score")
def normalized_turned_round(log_prob, length, alpha=1.0):
    """The base and the exponent are exchanged."""
    return log_prob / alpha**length


@mutant("length_normalized_score")
def normalized_one_more(log_prob, length, alpha=1.0):
    """One is added, for what is read first."""
    return log_prob / (length + 1.0) ** alpha


@mutant("length_normalized_score")
def normalized_one_less(log_prob, length, alpha=1.0):
    """One is taken off, for what ends it."""
    return log_prob / np.maximum(np.subtract(length, 1.0), 1) ** alpha


@mutant("length_normalized_score")
def normalized_whole_quotient(log_prob, length, alpha=1.0):
    """All of the quotient is raised to the power."""
    return -((-log_prob / length) ** alpha)


@mutant("length_normalized_score")
def normalized_root_of_the_quotient(log_prob, length, alpha=1.0):
    """The parentheses stand around the division."""
    return (log_prob / length) ** alpha


@mutant("length_normalized_score")
def normalized_each_by_each(log_prob, length, alpha=1.0):
    """np.divide.outer: a table of all by all."""
    return np.divide.outer(log_prob, np.power(length, float(alpha)))[()]


@mutant("length_normalized_score")
def normalized_exponent_cut_down(log_prob, length, alpha=1.0):
    """int() of the exponent."""
    return log_prob / length ** int(alpha)


@mutant("length_normalized_score")
def normalized_exponent_at_most_one(log_prob, length, alpha=1.0):
    """The exponent is clipped."""
    return log_prob / length ** min(alpha, 1.0)


@mutant("length_normalized_score")
def normalized_as_in_translation(log_prob, length, alpha=1.0):
    """The penalty of Wu et al. 2016, with its 5 and 6."""
    return log_prob / ((5 + length) / 6) ** alpha


@mutant("length_normalized_score")
def normalized_bonus(log_prob, length, alpha=1.0):
    """A reward for each word is added."""
    return log_prob + alpha * length


@mutant("length_normalized_score")
def normalized_as_probability(log_prob, length, alpha=1.0):
    """The geometric mean of the probabilities."""
    return np.exp(log_prob / length**alpha)


@mutant("length_normalized_score")
def normalized_by_logarithm(log_prob, length, alpha=1.0):
    """Divided by a logarithm that grows slowly."""
    return log_prob / np.log(length + 1.0) ** alpha


@mutant("length_normalized_score")
def normalized_by_longest(log_prob, length, alpha=1.0):
    """All by the largest of the lengths."""
    return log_prob / np.max(length) ** alpha


@mutant("length_normalized_score")
def normalized_by_count(log_prob, length, alpha=1.0):
    """By how many there are, len() of the array."""
    return log_prob / (len(length) if np.ndim(length) else length) ** alpha


@mutant("length_normalized_score")
def normalized_floored(log_prob, length, alpha=1.0):
    """Rounded down, by the division with two strokes."""
    return log_prob // length**alpha


@mutant("length_normalized_score")
def normalized_one_sentence(log_prob, length, alpha=1.0):
    """It cannot take arrays: math.pow."""
    return log_prob / math.pow(length, alpha)


@mutant("length_normalized_score")
def normalized_pairwise(log_prob, length, alpha=1.0):
    """zip goes through pairs of equal places."""
    if not np.ndim(log_prob):
        return log_prob / length**alpha
    lengths = np.broadcast_to(length, np.shape(log_prob)[:1])
    return np.array([p / n**alpha for p, n in zip(log_prob, lengths, strict=False)])


@mutant("length_normalized_score")
def normalized_as_list(log_prob, length, alpha=1.0):
    """It makes a list of what should stay an array."""
    return np.asarray(log_prob / length**alpha).tolist()


@mutant("length_normalized_score")
def normalized_in_place(log_prob, length, alpha=1.0):
    """The division goes into what was given."""
    log_prob /= length**alpha
    return log_prob


@mutant("length_normalized_score")
def normalized_exponent_below_zero(log_prob, length, alpha=1.0):
    """A negative exponent: NumPy refuses that of whole numbers."""
    return log_prob * length ** (-alpha)


@mutant("length_normalized_score")
def normalized_without_infinity(log_prob, length, alpha=1.0):
    """Infinity is made a large number."""
    return np.nan_to_num(log_prob) / length**alpha


@mutant("length_normalized_score")
def normalized_other_default(log_prob, length, alpha=0.7):
    """The default is not the one of the stub."""
    return log_prob / length**alpha


# ------------------------------------------------------------------------------------- beam_search


def _score(log_prob, length, alpha):
    return log_prob / max(length, 1) ** alpha


def _search(
    step,
    state,
    beam,
    max_len,
    start=1,
    end=2,
    alpha=0.0,
    *,
    ways=None,
    extends=lambda found: found,
    onwards=lambda item, end: [item],
    rank=lambda log_prob, tokens, alpha, t: _score(log_prob, len(tokens), alpha),
    over=lambda found, end: all(tokens[-1] == end for tokens, _, _ in found),
    add=lambda total, gain, tokens, alpha: total + gain,
    carried=True,
    reads=True,
    possible=True,
):
    """One row of step for each beginning, each with a state of its own."""
    found = [([], 0.0, state)]
    for t in range(max_len):
        candidates = []
        for tokens, total, now in extends(found):
            if tokens[-1:] == [end]:
                candidates += onwards((tokens, total, now), end)
                continue
            rows, after = step(np.array([tokens[-1] if tokens and reads else start]), now)
            for word in np.argsort(-rows[0])[: ways or beam].tolist():
                if rows[0, word] > -np.inf or not possible:
                    total_of_it = add(total, float(rows[0, word]), [*tokens, word], alpha)
                    candidates.append(([*tokens, word], total_of_it, after if carried else now))
        candidates.sort(key=lambda item, t=t: -rank(item[1], item[0], alpha, t + 1))
        found = candidates[:beam]
        if over(found, end):
            break
    return [(tokens, total) for tokens, total, _ in found]


@mutant("beam_search")
def beam_of_one(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Greedy: the width has no part in it."""
    return _search(step, state, 1, max_len, start, end, alpha)


@mutant("beam_search")
def beam_best_only(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Of what was found it returns the first, in a list."""
    return _search(step, state, beam, max_len, start, end, alpha)[:1]


@mutant("beam_search")
def beam_a_bare_pair(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Of what was found it returns the first, without a list around it."""
    return _search(step, state, beam, max_len, start, end, alpha)[0]


@mutant("beam_search")
def beam_worst_first(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The order of the list is upside down."""
    return _search(step, state, beam, max_len, start, end, alpha)[::-1]


@mutant("beam_search")
def beam_one_way_each(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The first step gives several; after it, each goes on by its argmax."""
    found = []
    rows, after = step(np.array([start]), state)
    for word in np.argsort(-rows[0])[:beam].tolist():
        if rows[0, word] == -np.inf:
            continue
        tokens, total, now = [word], float(rows[0, word]), after
        while tokens[-1] != end and len(tokens) < max_len:
            more, now = step(np.array(tokens[-1:]), now)
            tokens.append(int(more[0].argmax()))
            total += float(more[0].max())
        found.append((tokens, total))
    return sorted(found, key=lambda pair: -_score(pair[1], len(pair[0]), alpha))


@mutant("beam_search")
def beam_best_parent_only(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Only what stands first is extended."""
    return _search(step, state, beam, max_len, start, end, alpha, extends=lambda found: found[:1])


@mutant("beam_search")
def beam_sum_of_probabilities(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Probabilities are added along the way."""

    def add(total, gain, tokens, alpha):
        return total + math.exp(gain)

    return _search(step, state, beam, max_len, start, end, alpha, add=add)


@mutant("beam_search")
def beam_product_of_probabilities(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """It searches well, and returns e to the power of what is asked for."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(tokens, math.exp(log_prob)) for tokens, log_prob in found]


@mutant("beam_search")
def beam_as_costs(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Minus log-probabilities, as in a shortest path."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(tokens, -log_prob) for tokens, log_prob in found]


@mutant("beam_search")
def beam_state_dropped(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Each step begins in the state that was given."""
    return _search(step, state, beam, max_len, start, end, alpha, carried=False)


@mutant("beam_search")
def beam_not_read_on(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The start token is read at every step."""
    return _search(step, state, beam, max_len, start, end, alpha, reads=False)


@mutant("beam_search")
def beam_not_frozen(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """neuraltalk2: what has said the last word goes on, and is cut when all is over."""
    found = _search(step, state, beam, max_len, start, -1, alpha, over=lambda found, end: False)
    cut = [tokens.index(end) + 1 if end in tokens else len(tokens) for tokens, _ in found]
    return [(tokens[:n], total) for (tokens, total), n in zip(found, cut, strict=True)]


@mutant("beam_search")
def beam_not_frozen_nor_cut(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The last word is a word as any other."""
    return _search(step, state, beam, max_len, start, -1, alpha, over=lambda found, end: False)


@mutant("beam_search")
def beam_pays_for_end_again(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """What has ended reads its last word, and what that costs is added each time."""

    def onwards(item, end):
        tokens, total, now = item
        rows, after = step(np.array([end]), now)
        return [(tokens, total + float(rows[0, end]), after)]

    return _search(step, state, beam, max_len, start, end, alpha, onwards=onwards)


@mutant("beam_search")
def beam_ended_are_lost(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """What has ended is not taken into the next step."""
    return _search(
        step,
        state,
        beam,
        max_len,
        start,
        end,
        alpha,
        onwards=lambda item, end: [],
        over=lambda found, end: False,
    )


def _with_a_list(step, state, beam, max_len, start, end, alpha, *, shrinks=False, enough=False):
    """What has ended goes to a list of its own."""
    found, done = [([], 0.0, state)], []
    for _ in range(max_len):
        candidates = []
        for tokens, total, now in found:
            rows, after = step(np.array([tokens[-1] if tokens else start]), now)
            candidates += [
                ([*tokens, word], total + float(rows[0, word]), after)
                for word in np.flatnonzero(rows[0] > -np.inf).tolist()
            ]
        candidates.sort(key=lambda item: -_score(item[1], len(item[0]), alpha))
        found = []
        for item in candidates[: beam - len(done) if shrinks else beam]:
            (done if item[0][-1] == end else found).append(item)
        if not found or (enough and len(done) >= beam):
            break
    pairs = [(tokens, total) for tokens, total, _ in done + found]
    return sorted(pairs, key=lambda pair: -_score(pair[1], len(pair[0]), alpha))[:beam]


@mutant("beam_search")
def beam_ended_put_apart(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """As transformers has it: finished ones elsewhere, as many live ones as before."""
    return _with_a_list(step, state, beam, max_len, start, end, alpha)


@mutant("beam_search")
def beam_apart_until_enough(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Finished ones elsewhere, and it is over when there are enough."""
    return _with_a_list(step, state, beam, max_len, start, end, alpha, enough=True)


@mutant("beam_search")
def beam_shrinks(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """As a much copied tutorial has it: with each finished one the width is one less."""
    return _with_a_list(step, state, beam, max_len, start, end, alpha, shrinks=True)


@mutant("beam_search")
def beam_best_has_ended(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """It is over when what stands first has ended."""
    return _search(
        step, state, beam, max_len, start, end, alpha, over=lambda f, end: f[0][0][-1] == end
    )


@mutant("beam_search")
def beam_one_has_ended(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """It is over when anything has ended."""
    return _search(
        step,
        state,
        beam,
        max_len,
        start,
        end,
        alpha,
        over=lambda found, end: any(tokens[-1] == end for tokens, _, _ in found),
    )


@mutant("beam_search")
def beam_ended_only(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """What has not ended is left out of the answer."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(tokens, total) for tokens, total in found if tokens[-1] == end]


@mutant("beam_search")
def beam_end_forced(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """What has not ended gets a last word, as if it had."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(tokens if tokens[-1] == end else [*tokens, end], total) for tokens, total in found]


@mutant("beam_search")
def beam_end_taken_off(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The last word is taken off, as for showing."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [([word for word in tokens if word != end], total) for tokens, total in found]


@mutant("beam_search")
def beam_start_in_front(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Each list begins with what was read first."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [([start, *tokens], total) for tokens, total in found]


@mutant("beam_search")
def beam_end_is_free(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The last word adds nothing."""

    def add(total, gain, tokens, alpha):
        return total + gain * (tokens[-1] != end)

    return _search(step, state, beam, max_len, start, end, alpha, add=add)


@mutant("beam_search")
def beam_one_short(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """What is read first counts among the words."""
    return _search(step, state, beam, max(1, max_len - 1), start, end, alpha)


@mutant("beam_search")
def beam_one_long(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """There is a step too many."""
    return _search(step, state, beam, max_len + 1, start, end, alpha)


@mutant("beam_search")
def beam_start_is_one(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Number 1 is read first, whatever was asked for."""
    return _search(step, state, beam, max_len, 1, end, alpha)


@mutant("beam_search")
def beam_end_is_two(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Number 2 ends a sentence, whatever was asked for."""
    return _search(step, state, beam, max_len, start, 2, alpha)


@mutant("beam_search")
def beam_without_alpha(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The length has no part in it."""
    return _search(step, state, beam, max_len, start, end, 0.0)


@mutant("beam_search")
def beam_alpha_at_last(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """It searches by sums, and only then brings the lengths in."""
    found = _search(step, state, beam, max_len, start, end, 0.0)
    return sorted(found, key=lambda pair: -_score(pair[1], len(pair[0]), alpha))


@mutant("beam_search")
def beam_sorted_by_sum(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """It searches by scores, and sorts by sums."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return sorted(found, key=lambda pair: -pair[1])


@mutant("beam_search")
def beam_length_of_the_step(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Everything is divided by the number of steps so far, what has ended as well."""

    def rank(log_prob, tokens, alpha, t):
        return _score(log_prob, t, alpha)

    return _search(step, state, beam, max_len, start, end, alpha, rank=rank)


@mutant("beam_search")
def beam_length_without_end(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The last word is not counted."""

    def rank(log_prob, tokens, alpha, t):
        return _score(log_prob, len(tokens) - (tokens[-1] == end), alpha)

    return _search(step, state, beam, max_len, start, end, alpha, rank=rank)


@mutant("beam_search")
def beam_length_with_start(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """What is read first is counted."""

    def rank(log_prob, tokens, alpha, t):
        return _score(log_prob, len(tokens) + 1, alpha)

    return _search(step, state, beam, max_len, start, end, alpha, rank=rank)


@mutant("beam_search")
def beam_penalty_multiplied(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Long ones are punished twice."""

    def rank(log_prob, tokens, alpha, t):
        return log_prob * len(tokens) ** alpha

    return _search(step, state, beam, max_len, start, end, alpha, rank=rank)


@mutant("beam_search")
def beam_divides_what_it_carries(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The score of one step is what the next one adds to."""

    def add(total, gain, tokens, alpha):
        return _score(total + gain, len(tokens), alpha)

    def rank(log_prob, tokens, alpha, t):
        return log_prob

    return _search(step, state, beam, max_len, start, end, alpha, add=add, rank=rank)


@mutant("beam_search")
def beam_returns_scores(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Beside each sentence stands what it was ranked by."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(tokens, _score(total, len(tokens), alpha)) for tokens, total in found]


@mutant("beam_search")
def beam_impossible_words(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Minus infinity is a number as any other, and fills the list."""
    return _search(step, state, beam, max_len, start, end, alpha, possible=False)


@mutant("beam_search")
def beam_half_as_many_ways(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """From each only half as many words are looked at as are kept."""
    return _search(step, state, beam, max_len, start, end, alpha, ways=(beam + 1) // 2)


def _batched(step, state, beam, max_len, start, end, alpha, *, moved=True, alike=False):
    """All in arrays: K rows, of which those that have ended may only end again, at no cost."""
    K = beam
    state = state[np.zeros(K, dtype=int)]
    totals = np.zeros(K) if alike else np.where(np.arange(K) == 0, 0.0, -np.inf)
    tokens, lengths = np.zeros((K, 0), dtype=int), np.zeros(K, dtype=int)
    ended, last = np.zeros(K, dtype=bool), np.full(K, start)
    for _ in range(max_len):
        rows, state = step(last, state)
        V = rows.shape[1]
        rows = np.where(ended[:, None], np.where(np.arange(V) == end, 0.0, -np.inf), rows)
        longer = lengths + ~ended
        sums = totals[:, None] + rows
        order = np.argsort(-(sums / longer[:, None] ** alpha).ravel(), kind="stable")[:K]
        parents, last = order // V, order % V
        totals, lengths = sums.ravel()[order], longer[parents]
        ended = ended[parents] | (last == end)
        tokens = np.concatenate([tokens[parents], last[:, None]], axis=1)
        state = state[parents] if moved else state
        if ended[totals > -np.inf].all():
            break
    pairs = zip(tokens.tolist(), lengths.tolist(), totals.tolist(), strict=True)
    return [(said[:n], total) for said, n, total in pairs if total > -np.inf]


@mutant("beam_search")
def beam_rows_not_moved(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Beginnings change places, their states do not."""
    return _batched(step, state, beam, max_len, start, end, alpha, moved=False)


@mutant("beam_search")
def beam_all_alike(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """At the outset all rows count, and all are the same."""
    return _batched(step, state, beam, max_len, start, end, alpha, alike=True)


@mutant("beam_search")
def beam_not_wider_than_the_vocabulary(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """argpartition wants fewer than there are."""

    def first(rows):
        return np.argpartition(-rows, beam)[:beam]

    def strict_step(tokens, now):
        rows, after = step(tokens, now)
        first(rows[0])
        return rows, after

    return _search(strict_step, state, beam, max_len, start, end, alpha)


@mutant("beam_search")
def beam_state_in_place(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The first step is written into the array of the caller."""

    def stepped(tokens, now):
        rows, after = step(tokens, now)
        if now is state:
            state[...] = after
        return rows, after

    return _search(stepped, state, beam, max_len, start, end, alpha)


@mutant("beam_search")
def beam_float_tokens(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """np.append makes floats of the words."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(np.array(tokens, dtype=float).tolist(), total) for tokens, total in found]


@mutant("beam_search")
def beam_tuples(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Words come in tuples."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(tuple(tokens), total) for tokens, total in found]


@mutant("beam_search")
def beam_number_first(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The pairs are the other way round."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(total, tokens) for tokens, total in found]


@mutant("beam_search")
def beam_states_too(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Three things stand where two are asked for."""
    found = _search(step, state, beam, max_len, start, end, alpha)
    return [(tokens, total, state) for tokens, total in found]


def _listed(step, state, beam, max_len, start, end, alpha, *, make=None, rows_of=list, keep=None):
    """As the lists of the stub's hint: one step for all that have not ended."""
    make = make or (lambda tokens, word: [*tokens, word])
    found = [([], 0.0)]
    for _ in range(max_len):
        live = [pair for pair in found if pair[0][-1:] != [end]]
        if not live:
            break
        rows, state = step(np.array([said[-1] if said else start for said, _ in live]), state)
        ways = [(*pair, None) for pair in found if pair[0][-1:] == [end]]
        for at, (said, total) in enumerate(live):
            for word in np.flatnonzero(rows[at] > -np.inf).tolist():
                ways.append((make(said, word), total + float(rows[at, word]), at))
        ways.sort(key=lambda way: -_score(way[1], len(way[0]), alpha))
        ways = ways[: keep or beam]
        found = [(said, total) for said, total, _ in ways]
        state = state[rows_of([at for said, _, at in ways if said[-1] != end])]
    return found[:beam]


@mutant("beam_search")
def beam_cut_when_it_returns(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """All ways on are kept at each step: there are more and more."""
    return _listed(step, state, beam, max_len, start, end, alpha, keep=10**9)


@mutant("beam_search")
def beam_shared_lists(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """All that come from one beginning are the same list, made longer and longer."""

    def make(tokens, word):
        tokens += [word]
        return tokens

    return _listed(step, state, beam, max_len, start, end, alpha, make=make)


@mutant("beam_search")
def beam_rows_of_nothing(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """An index of no rows is an array of floats."""
    return _listed(step, state, beam, max_len, start, end, alpha, rows_of=np.array)


@mutant("beam_search")
def beam_stacks_nothing(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """np.stack of the states of those that have not ended, of which there may be none."""
    return _listed(
        step,
        state,
        beam,
        max_len,
        start,
        end,
        alpha,
        rows_of=lambda rows: np.stack([np.array(row) for row in rows]),
    )


def _with_rows(step, change):
    """The step, its rows of log-probabilities changed."""

    def changed(tokens, state):
        rows, after = step(tokens, state)
        return change(rows.copy()), after

    return changed


@mutant("beam_search")
def beam_specials_left_out(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Numbers 0 and 3 are never said, as if they could not be words."""

    def change(rows):
        rows[:, [word for word in (0, 3) if word != end and word < rows.shape[1]]] = -np.inf
        return rows

    return _search(_with_rows(step, change), state, beam, max_len, start, end, alpha)


@mutant("beam_search")
def beam_improbable_words(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """What is below -20 is taken for what cannot be."""

    def change(rows):
        return np.where(rows > -20, rows, -np.inf)

    return _search(_with_rows(step, change), state, beam, max_len, start, end, alpha)


@mutant("beam_search")
def beam_five_ways(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Never more than five from one, however wide it is."""
    return _search(step, state, beam, max_len, start, end, alpha, ways=min(beam, 5))


@mutant("beam_search")
def beam_as_in_translation(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """The penalty of Wu et al. 2016, in its own formula."""

    def rank(log_prob, tokens, alpha, t):
        return log_prob / ((5 + len(tokens)) / 6) ** alpha

    return _search(step, state, beam, max_len, start, end, alpha, rank=rank)
