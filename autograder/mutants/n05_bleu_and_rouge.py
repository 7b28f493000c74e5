"""Wrong answers to the exercises of notebook 05 on BLEU and ROUGE-L."""

import math
import re
from collections import Counter
from functools import reduce
from operator import and_, or_

import numpy as np

from autograder.mutants import mutant


def _grams(caption, n):
    words = caption.split()
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _allowed(several, n):
    return reduce(or_, (Counter(_grams(r, n)) for r in several))


def _precision(candidates, references, n):
    matched = guessed = 0
    for candidate, several in zip(candidates, references, strict=True):
        said = Counter(_grams(candidate, n))
        matched += (said & _allowed(several, n)).total()
        guessed += said.total()
    return matched, guessed


def _lengths(candidates, references):
    c = r = 0
    for candidate, several in zip(candidates, references, strict=True):
        n = len(candidate.split())
        c += n
        r += min((len(x.split()) for x in several), key=lambda m: (abs(m - n), m))
    return c, r


def _factor(c, r):
    return 0.0 if c == 0 else min(1.0, math.exp(1 - r / c))


def _brevity(candidates, references):
    return _factor(*_lengths(candidates, references))


# ------------------------------------------------------------------------------ clipped_precision


@mutant("clipped_precision")
def clip_forgotten(candidates, references, n):
    """Each n-gram that is in some reference counts every time."""
    matched = guessed = 0
    for candidate, several in zip(candidates, references, strict=True):
        for gram in _grams(candidate, n):
            matched += any(gram in _grams(r, n) for r in several)
            guessed += 1
    return matched, guessed


@mutant("clipped_precision")
def clip_by_the_sum_of_references(candidates, references, n):
    """Counter.update adds up what the references have."""
    matched = guessed = 0
    for candidate, several in zip(candidates, references, strict=True):
        said, allowed = Counter(_grams(candidate, n)), Counter()
        for reference in several:
            allowed.update(_grams(reference, n))
        matched += (said & allowed).total()
        guessed += said.total()
    return matched, guessed


@mutant("clipped_precision")
def clip_by_the_first_reference(candidates, references, n):
    """references[i][0] alone is looked at."""
    return _precision(candidates, [several[:1] for several in references], n)


@mutant("clipped_precision")
def clip_by_the_last_reference(candidates, references, n):
    """The counts of a reference replace those of the one before it."""
    return _precision(candidates, [several[-1:] for several in references], n)


@mutant("clipped_precision")
def clip_by_the_least(candidates, references, n):
    """An n-gram must be in all of the references: & in place of |."""
    matched = guessed = 0
    for candidate, several in zip(candidates, references, strict=True):
        said = Counter(_grams(candidate, n))
        matched += (said & reduce(and_, (Counter(_grams(r, n)) for r in several))).total()
        guessed += said.total()
    return matched, guessed


@mutant("clipped_precision")
def clip_best_reference_in_all(candidates, references, n):
    """max(...) over the references of what matched in all, not of each n-gram's count."""
    matched = sum(
        max(_precision([c], [[r]], n)[0] for r in several)
        for c, several in zip(candidates, references, strict=True)
    )
    return matched, _precision(candidates, references, n)[1]


@mutant("clipped_precision")
def clip_orders_summed(candidates, references, n):
    """for order in range(1, n + 1): lower orders are added in."""
    pairs = [_precision(candidates, references, order) for order in range(1, n + 1)]
    return sum(m for m, _ in pairs), sum(g for _, g in pairs)


@mutant("clipped_precision")
def clip_guessed_one_less(candidates, references, n):
    """guessed adds max(0, len(words) - n)."""
    matched, _ = _precision(candidates, references, n)
    return matched, sum(max(0, len(c.split()) - n) for c in candidates)


@mutant("clipped_precision")
def clip_at_one(candidates, references, n):
    """The intersection of two sets: each n-gram counts once in matched."""
    _, guessed = _precision(candidates, references, n)
    matched = sum(
        len({*_grams(c, n)} & {g for r in several for g in _grams(r, n)})
        for c, several in zip(candidates, references, strict=True)
    )
    return matched, guessed


@mutant("clipped_precision")
def clip_sets_throughout(candidates, references, n):
    """Sets in place of counters, for guessed too."""
    guessed = sum(len({*_grams(c, n)}) for c in candidates)
    return clip_at_one(candidates, references, n)[0], guessed


@mutant("clipped_precision")
def clip_guessed_different_only(candidates, references, n):
    """guessed is len(Counter): how many different n-grams there are."""
    matched, _ = _precision(candidates, references, n)
    return matched, sum(len(Counter(_grams(c, n))) for c in candidates)


def _windowed(windows):
    def count(candidates, references, n):
        matched = guessed = 0
        for candidate, several in zip(candidates, references, strict=True):
            said = Counter(windows(candidate.split(), n))
            allowed = reduce(or_, (Counter(windows(r.split(), n)) for r in several))
            matched += (said & allowed).total()
            guessed += said.total()
        return matched, guessed

    return count


@mutant("clipped_precision")
def clip_last_window_lost(candidates, references, n):
    """range(len(words) - n): one window is missing."""
    return _windowed(lambda w, n: [tuple(w[i : i + n]) for i in range(len(w) - n)])(
        candidates, references, n
    )


@mutant("clipped_precision")
def clip_first_window_lost(candidates, references, n):
    """range(1, ...): the first window is missing."""
    return _windowed(lambda w, n: [tuple(w[i : i + n]) for i in range(1, len(w) - n + 1)])(
        candidates, references, n
    )


@mutant("clipped_precision")
def clip_short_windows_counted(candidates, references, n):
    """range(len(words)): shorter windows at the end count too."""
    return _windowed(lambda w, n: [tuple(w[i : i + n]) for i in range(len(w))])(
        candidates, references, n
    )


@mutant("clipped_precision")
def clip_windows_side_by_side(candidates, references, n):
    """range(0, len(words), n): windows do not overlap."""
    return _windowed(lambda w, n: [tuple(w[i : i + n]) for i in range(0, len(w) - n + 1, n)])(
        candidates, references, n
    )


@mutant("clipped_precision")
def clip_windows_too_wide(candidates, references, n):
    """words[i : i + n + 1]: one word too many in a window."""
    return _precision(candidates, references, n + 1)


@mutant("clipped_precision")
def clip_single_words_always(candidates, references, n):
    """n plays no part."""
    return _precision(candidates, references, 1)


@mutant("clipped_precision")
def clip_words_not_grams_guessed(candidates, references, n):
    """guessed is the number of words whatever n."""
    return _precision(candidates, references, n)[0], sum(len(c.split()) for c in candidates)


@mutant("clipped_precision")
def clip_guessed_goes_negative(candidates, references, n):
    """guessed adds len(words) - n + 1, below 0 for a short caption."""
    matched, _ = _precision(candidates, references, n)
    return matched, sum(len(c.split()) - n + 1 for c in candidates)


@mutant("clipped_precision")
def clip_guessed_of_references(candidates, references, n):
    """guessed counts the n-grams of references: that is recall."""
    matched, _ = _precision(candidates, references, n)
    return matched, sum(len(_grams(r, n)) for several in references for r in several)


@mutant("clipped_precision")
def clip_sorted_windows(candidates, references, n):
    """An n-gram is a frozenset or a sorted tuple of its words."""
    return _windowed(lambda w, n: [tuple(sorted(w[i : i + n])) for i in range(len(w) - n + 1)])(
        candidates, references, n
    )


@mutant("clipped_precision")
def clip_words_glued(candidates, references, n):
    """''.join makes an n-gram: its words run together."""
    return _windowed(lambda w, n: ["".join(w[i : i + n]) for i in range(len(w) - n + 1)])(
        candidates, references, n
    )


@mutant("clipped_precision")
def clip_text_searched(candidates, references, n):
    """reference.count(gram): letters within other words match."""
    matched = guessed = 0
    for candidate, several in zip(candidates, references, strict=True):
        said = Counter(" ".join(gram) for gram in _grams(candidate, n))
        matched += sum(min(k, max(r.count(gram) for r in several)) for gram, k in said.items())
        guessed += said.total()
    return matched, guessed


@mutant("clipped_precision")
def clip_letters(candidates, references, n):
    """A caption is never split: its letters are the words."""
    return _precision(
        [" ".join(c.replace(" ", "_")) for c in candidates],
        [[" ".join(r.replace(" ", "_")) for r in several] for several in references],
        n,
    )


@mutant("clipped_precision")
def clip_made_small(candidates, references, n):
    """Everything is lower-cased first."""
    return _precision(
        [c.lower() for c in candidates], [[r.lower() for r in s] for s in references], n
    )


@mutant("clipped_precision")
def clip_by_regular_expression(candidates, references, n):
    """re.findall(r'\\w+') finds the words: points and hyphens are lost."""

    def clean(caption):
        return " ".join(re.findall(r"\w+", caption))

    return _precision([*map(clean, candidates)], [[*map(clean, s)] for s in references], n)


@mutant("clipped_precision")
def clip_one_blank_split(candidates, references, n):
    """split(' '): an empty caption has a word of no letters."""

    def windows(caption):
        words = caption.split(" ")
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    pairs = [
        (windows(c), reduce(or_, map(windows, s)))
        for c, s in zip(candidates, references, strict=True)
    ]
    return sum((a & b).total() for a, b in pairs), sum(a.total() for a, _ in pairs)


@mutant("clipped_precision")
def clip_last_caption_only(candidates, references, n):
    """matched and guessed are assigned, not added to."""
    return _precision(candidates[-1:], references[-1:], n)


@mutant("clipped_precision")
def clip_returns_in_the_loop(candidates, references, n):
    """return stands one level too deep."""
    return _precision(candidates[:1], references[:1], n)


@mutant("clipped_precision")
def clip_references_of_everyone(candidates, references, n):
    """allowed is made once, before the loop over the captions."""
    everyone = [r for several in references for r in several]
    return _precision(candidates, [everyone] * len(candidates), n)


@mutant("clipped_precision")
def clip_corpus_in_one_counter(candidates, references, n):
    """Two counters for the whole corpus; they are intersected at the end."""
    said, allowed = Counter(), Counter()
    for candidate, several in zip(candidates, references, strict=True):
        said.update(_grams(candidate, n))
        allowed.update(_allowed(several, n))
    return (said & allowed).total(), said.total()


@mutant("clipped_precision")
def clip_captions_run_together(candidates, references, n):
    """guessed is counted on ' '.join(candidates)."""
    matched, _ = _precision(candidates, references, n)
    return matched, len(_grams(" ".join(candidates), n))


@mutant("clipped_precision")
def clip_a_ratio(candidates, references, n):
    """It returns the precision itself."""
    matched, guessed = _precision(candidates, references, n)
    return matched / max(guessed, 1)


@mutant("clipped_precision")
def clip_mean_of_ratios(candidates, references, n):
    """Each caption's precision, and how many captions there are."""
    pairs = [_precision([c], [s], n) for c, s in zip(candidates, references, strict=True)]
    return sum(m / max(g, 1) for m, g in pairs), len(pairs)


@mutant("clipped_precision")
def clip_guessed_first(candidates, references, n):
    """The pair is the other way round."""
    return _precision(candidates, references, n)[::-1]


@mutant("clipped_precision")
def clip_splits_in_place(candidates, references, n):
    """The captions in the list are replaced by their words."""
    result = _precision(candidates, references, n)
    for i, candidate in enumerate(candidates):
        candidates[i] = candidate.split()
    return result


@mutant("clipped_precision")
def clip_pops_references(candidates, references, n):
    """The references are taken off their lists."""
    result = _precision(candidates, references, n)
    for several in references:
        while len(several) > 1:
            several.pop()
    return result


@mutant("clipped_precision")
def clip_counter_as_default(candidates, references, n, allowed=Counter()):  # noqa: B006
    """The counter is a default argument: what earlier calls left counts too."""
    matched = guessed = 0
    for candidate, several in zip(candidates, references, strict=True):
        said = Counter(_grams(candidate, n))
        for reference in several:
            allowed |= Counter(_grams(reference, n))
        matched += (said & allowed).total()
        guessed += said.total()
    return matched, guessed


# -------------------------------------------------------------------------------- brevity_penalty


def _choosing(candidates, references, choose):
    c = r = 0
    for candidate, several in zip(candidates, references, strict=True):
        length = len(candidate.split())
        c += length
        r += choose(length, [len(x.split()) for x in several])
    return _factor(c, r)


@mutant("brevity_penalty")
def brief_shortest(candidates, references):
    """r is min(lengths)."""
    return _choosing(candidates, references, lambda c, several: min(several))


@mutant("brevity_penalty")
def brief_longest(candidates, references):
    """r is max(lengths)."""
    return _choosing(candidates, references, lambda c, several: max(several))


@mutant("brevity_penalty")
def brief_mean_length(candidates, references):
    """r is sum(lengths) / len(lengths)."""
    return _choosing(candidates, references, lambda c, several: sum(several) / len(several))


@mutant("brevity_penalty")
def brief_first_length(candidates, references):
    """r is lengths[0]."""
    return _choosing(candidates, references, lambda c, several: several[0])


@mutant("brevity_penalty")
def brief_all_lengths(candidates, references):
    """r is sum(lengths)."""
    return _choosing(candidates, references, lambda c, several: sum(several))


@mutant("brevity_penalty")
def brief_tie_longer(candidates, references):
    """A tie goes to the longer: key (distance, -length)."""
    return _choosing(
        candidates, references, lambda c, several: min(several, key=lambda m: (abs(m - c), -m))
    )


@mutant("brevity_penalty")
def brief_tie_as_it_stands(candidates, references):
    """min with the distance alone as its key: a tie goes to whichever comes first."""
    return _choosing(
        candidates, references, lambda c, several: min(several, key=lambda m: abs(m - c))
    )


@mutant("brevity_penalty")
def brief_tie_last(candidates, references):
    """A loop with <=: a tie goes to whichever comes last."""
    return _choosing(
        candidates, references, lambda c, several: min(several[::-1], key=lambda m: abs(m - c))
    )


@mutant("brevity_penalty")
def brief_tie_fewer_letters(candidates, references):
    """sorted(several, key=len): a tie goes to the one with fewer letters."""
    return _brief_by(
        candidates, references, lambda r, n: (abs(len(r.split()) - len(n.split())), len(r))
    )


@mutant("brevity_penalty")
def brief_closest_in_letters(candidates, references):
    """abs(len(reference) - len(candidate)) chooses, and words are summed."""
    return _brief_by(candidates, references, lambda r, n: abs(len(r) - len(n)))


def _brief_by(candidates, references, key):
    closest = [
        min(several, key=lambda r, n=n: key(r, n))
        for n, several in zip(candidates, references, strict=True)
    ]
    return _factor(*(sum(len(x.split()) for x in side) for side in (candidates, closest)))


@mutant("brevity_penalty")
def brief_never_longer(candidates, references):
    """Only references that are no shorter than the caption are looked at."""
    return _choosing(
        candidates,
        references,
        lambda c, several: min([m for m in several if m >= c] or several, key=lambda m: abs(m - c)),
    )


@mutant("brevity_penalty")
def brief_mean_of_captions(candidates, references):
    """Each caption has a penalty of its own; their mean is returned."""
    pairs = zip(candidates, references, strict=True)
    return float(np.mean([_brevity([c], [several]) for c, several in pairs]))


@mutant("brevity_penalty")
def brief_product_of_captions(candidates, references):
    """The penalties of the captions are multiplied."""
    pairs = zip(candidates, references, strict=True)
    return math.prod(_brevity([c], [several]) for c, several in pairs)


@mutant("brevity_penalty")
def brief_swapped(candidates, references):
    """exp(1 - c / r)."""
    c, r = _lengths(candidates, references)
    return 0.0 if c == 0 else 1.0 if c >= r else math.exp(1 - c / r)


@mutant("brevity_penalty")
def brief_condition_swapped(candidates, references):
    """It is 1 where c is at most r."""
    c, r = _lengths(candidates, references)
    return 0.0 if c == 0 else 1.0 if c <= r else math.exp(1 - r / c)


@mutant("brevity_penalty")
def brief_without_exp(candidates, references):
    """min(1, c / r)."""
    c, r = _lengths(candidates, references)
    return min(1.0, c / r)


@mutant("brevity_penalty")
def brief_one_forgotten(candidates, references):
    """exp(-r / c)."""
    c, r = _lengths(candidates, references)
    return 0.0 if c == 0 else 1.0 if c >= r else math.exp(-r / c)


@mutant("brevity_penalty")
def brief_not_capped(candidates, references):
    """exp(1 - r / c) of long captions too: above 1."""
    c, r = _lengths(candidates, references)
    return math.exp(1 - r / c) if c else 0.0


@mutant("brevity_penalty")
def brief_difference(candidates, references):
    """exp(c - r)."""
    c, r = _lengths(candidates, references)
    return 0.0 if c == 0 else min(1.0, math.exp(c - r))


@mutant("brevity_penalty")
def brief_letters(candidates, references):
    """len(caption) counts letters."""

    def spelt(caption):
        return " ".join("x" * len(caption))

    return _brevity([*map(spelt, candidates)], [[*map(spelt, s)] for s in references])


@mutant("brevity_penalty")
def brief_divides_by_zero(candidates, references):
    """No word at all: c is never asked whether it is 0."""
    c, r = _lengths(candidates, references)
    return 1.0 if c >= r else math.exp(1 - r / c)


@mutant("brevity_penalty")
def brief_one_for_nothing(candidates, references):
    """No word at all gives 1."""
    c, r = _lengths(candidates, references)
    return _factor(c, r) if c else 1.0


@mutant("brevity_penalty")
def brief_empty_as_a_word(candidates, references):
    """split(' ') of an empty caption counts one."""
    return _brevity([c or "x" for c in candidates], [[r or "x" for r in s] for s in references])


@mutant("brevity_penalty")
def brief_empty_skipped(candidates, references):
    """if not candidate: continue."""
    kept = [pair for pair in zip(candidates, references, strict=True) if pair[0]]
    return _brevity([c for c, _ in kept], [s for _, s in kept])


@mutant("brevity_penalty")
def brief_last_caption(candidates, references):
    """c and r are assigned where they should grow."""
    return _brevity(candidates[-1:], references[-1:])


@mutant("brevity_penalty")
def brief_returns_in_the_loop(candidates, references):
    """return is indented once more: the first caption decides."""
    return _brevity(candidates[:1], references[:1])


@mutant("brevity_penalty")
def brief_closest_to_all(candidates, references):
    """The distance is to c so far, not to the caption's own length."""
    c = r = 0
    for candidate, several in zip(candidates, references, strict=True):
        c += len(candidate.split())
        r += min((len(x.split()) for x in several), key=lambda m: (abs(m - c), m))
    return _factor(c, r)


@mutant("brevity_penalty")
def brief_no_credit(candidates, references):
    """max(0, r - c) of each caption is summed: a long one makes up for nothing."""
    c = missing = 0
    for candidate, several in zip(candidates, references, strict=True):
        one, other = _lengths([candidate], [several])
        c += one
        missing += max(0, other - one)
    return math.exp(-missing / c) if c else 0.0


@mutant("brevity_penalty")
def brief_sorts_in_place(candidates, references):
    """references[i].sort(key=...): the student's own lists are turned."""
    for candidate, several in zip(candidates, references, strict=True):
        several.sort(key=lambda r: abs(len(r.split()) - len(candidate.split())))
    return _brevity(candidates, references)


@mutant("brevity_penalty")
def brief_whole_numbers(candidates, references):
    """r // c."""
    c, r = _lengths(candidates, references)
    return 0.0 if c == 0 else 1.0 if c >= r else math.exp(1 - r // c)


# ------------------------------------------------------------------------------------------- bleu


def _joined(candidates, references, max_n, smooth, halve=lambda k, n, guessed: 2**k * guessed):
    """The precisions, None where an order has no n-gram, 0.0 where it has no match."""
    found, k = [], 0
    for n in range(1, max_n + 1):
        matched, guessed = _precision(candidates, references, n)
        k += matched == 0
        if guessed == 0:
            return None
        found.append(1 / halve(k, n, guessed) if smooth and not matched else matched / guessed)
    return found


def _bleu(candidates, references, max_n=4, smooth=False, **how):
    found = _joined(candidates, references, max_n, smooth, **how)
    return _brevity(candidates, references) * math.prod(found) ** (1 / max_n) if found else 0.0


@mutant("bleu")
def bleu_arithmetic(candidates, references, max_n=4, smooth=False):
    """The arithmetic mean of the precisions; 0 where one is."""
    found = _joined(candidates, references, max_n, smooth)
    if not found or 0 in found:
        return 0.0
    return _brevity(candidates, references) * sum(found) / max_n


@mutant("bleu")
def bleu_quarter_weights(candidates, references, max_n=4, smooth=False):
    """The logarithms have the weight 0.25 for any max_n."""
    found = _joined(candidates, references, max_n, smooth)
    return _brevity(candidates, references) * math.prod(found) ** 0.25 if found else 0.0


@mutant("bleu")
def bleu_no_root(candidates, references, max_n=4, smooth=False):
    """The logarithms are summed and not divided."""
    found = _joined(candidates, references, max_n, smooth)
    return _brevity(candidates, references) * math.prod(found) if found else 0.0


@mutant("bleu")
def bleu_last_order_alone(candidates, references, max_n=4, smooth=False):
    """The precision of n = max_n and no other."""
    found = _joined(candidates, references, max_n, smooth)
    return _brevity(candidates, references) * found[-1] if found else 0.0


@mutant("bleu")
def bleu_stops_below_max_n(candidates, references, max_n=4, smooth=False):
    """range(1, max_n): the highest order is never asked."""
    if max_n == 1:
        return _brevity(candidates, references)
    found = _joined(candidates, references, max_n - 1, smooth)
    return _brevity(candidates, references) * math.prod(found) ** (1 / max_n) if found else 0.0


@mutant("bleu")
def bleu_four_orders_always(candidates, references, max_n=4, smooth=False):
    """range(1, 5) whatever max_n."""
    return _bleu(candidates, references, 4, smooth)


@mutant("bleu")
def bleu_without_brevity(candidates, references, max_n=4, smooth=False):
    """brevity_penalty is not called."""
    found = _joined(candidates, references, max_n, smooth)
    return math.prod(found) ** (1 / max_n) if found else 0.0


@mutant("bleu")
def bleu_brevity_under_the_root(candidates, references, max_n=4, smooth=False):
    """The penalty is multiplied in before the root is taken."""
    found = _joined(candidates, references, max_n, smooth)
    if not found:
        return 0.0
    return (_brevity(candidates, references) * math.prod(found)) ** (1 / max_n)


@mutant("bleu")
def bleu_brevity_added(candidates, references, max_n=4, smooth=False):
    """The penalty is added to the mean of logarithms as it is."""
    found = _joined(candidates, references, max_n, smooth)
    if not found or 0 in found:
        return 0.0
    return math.exp(_brevity(candidates, references) + math.log(math.prod(found)) / max_n)


@mutant("bleu")
def bleu_mean_of_sentences(candidates, references, max_n=4, smooth=False):
    """Each caption has a BLEU of its own; their mean is returned."""
    pairs = zip(candidates, references, strict=True)
    return float(np.mean([_bleu([c], [s], max_n, smooth) for c, s in pairs]))


@mutant("bleu")
def bleu_macro_precision(candidates, references, max_n=4, smooth=False):
    """The precision of an order is the mean of those of the captions."""
    pairs = [([c], [s]) for c, s in zip(candidates, references, strict=True)]
    each = [_joined(*pair, max_n, smooth) for pair in pairs]
    if None in each:
        return 0.0
    return _brevity(candidates, references) * float(np.prod(np.mean(each, 0)) ** (1 / max_n))


@mutant("bleu")
def bleu_macro_brevity(candidates, references, max_n=4, smooth=False):
    """The mean of the captions' penalties is multiplied in."""
    found = _joined(candidates, references, max_n, smooth)
    pairs = zip(candidates, references, strict=True)
    factor = float(np.mean([_brevity([c], [s]) for c, s in pairs]))
    return factor * math.prod(found) ** (1 / max_n) if found else 0.0


@mutant("bleu")
def bleu_first_caption(candidates, references, max_n=4, smooth=False):
    """candidates[0] and references[0] are scored."""
    return _bleu(candidates[:1], references[:1], max_n, smooth)


@mutant("bleu")
def bleu_plain_precision(candidates, references, max_n=4, smooth=False):
    """Precisions without clipping."""
    product, k = 1.0, 0
    for n in range(1, max_n + 1):
        matched, guessed = clip_forgotten(candidates, references, n)
        if not guessed:
            return 0.0
        k += matched == 0
        product *= matched / guessed if matched else smooth / (2**k * guessed)
    return _brevity(candidates, references) * product ** (1 / max_n)


@mutant("bleu")
def bleu_logarithm_of_zero(candidates, references, max_n=4, smooth=False):
    """math.log(0) where there is no match and smooth is off."""
    found = _joined(candidates, references, max_n, smooth)
    if found is None:
        return 0.0
    return _brevity(candidates, references) * math.exp(sum(map(math.log, found)) / max_n)


@mutant("bleu")
def bleu_divides_by_no_grams(candidates, references, max_n=4, smooth=False):
    """matched / guessed with guessed 0: a short caption stops it."""
    product, k = 1.0, 0
    for n in range(1, max_n + 1):
        matched, guessed = _precision(candidates, references, n)
        k += matched == 0
        product *= 1 / (2**k * guessed) if smooth and not matched else matched / guessed
    return _brevity(candidates, references) * product ** (1 / max_n)


@mutant("bleu")
def bleu_missing_orders_skipped(candidates, references, max_n=4, smooth=False):
    """An order without n-grams is passed over by continue."""
    longest = max(len(c.split()) for c in candidates)
    if longest == 0:
        return 0.0
    return _bleu(candidates, references, min(max_n, longest), smooth)


@mutant("bleu")
def bleu_zeros_skipped(candidates, references, max_n=4, smooth=False):
    """Orders without a match are passed over, in the mean too."""
    found = [p for p in _joined(candidates, references, max_n, smooth) or [] if p]
    return _brevity(candidates, references) * math.prod(found) ** (1 / max(1, len(found)))


@mutant("bleu")
def bleu_epsilon(candidates, references, max_n=4, smooth=False):
    """1e-9 is added to every precision in place of a question."""
    found = _joined(candidates, references, max_n, smooth)
    if found is None:
        return 0.0
    return _brevity(candidates, references) * math.prod(p + 1e-9 for p in found) ** (1 / max_n)


@mutant("bleu")
def bleu_never_quite_zero(candidates, references, max_n=4, smooth=False):
    """max(precision, 1e-300) before the logarithm, for an order without n-grams as well."""
    product, k = 0.0, 0
    for n in range(1, max_n + 1):
        matched, guessed = _precision(candidates, references, n)
        k += matched == 0
        precision = matched / guessed if guessed else 0.0
        if smooth and guessed and not matched:
            precision = 1 / (2**k * guessed)
        product += math.log(max(precision, 1e-300))
    return _brevity(candidates, references) * math.exp(product / max_n)


@mutant("bleu")
def bleu_always_smooth(candidates, references, max_n=4, smooth=False):
    """It smooths whether asked to or not."""
    return _bleu(candidates, references, max_n, True)


@mutant("bleu")
def bleu_never_smooth(candidates, references, max_n=4, smooth=False):
    """The argument smooth is not used."""
    return _bleu(candidates, references, max_n, False)


@mutant("bleu")
def bleu_k_not_counted_on(candidates, references, max_n=4, smooth=False):
    """1 / (2 * guessed) for every order without a match."""
    return _bleu(candidates, references, max_n, smooth, halve=lambda k, n, guessed: 2 * guessed)


@mutant("bleu")
def bleu_k_is_n(candidates, references, max_n=4, smooth=False):
    """1 / (2**n * guessed)."""
    return _bleu(candidates, references, max_n, smooth, halve=lambda k, n, guessed: 2**n * guessed)


@mutant("bleu")
def bleu_k_from_zero(candidates, references, max_n=4, smooth=False):
    """k is raised after it is used: the first is 1 / guessed."""
    return _bleu(
        candidates, references, max_n, smooth, halve=lambda k, n, guessed: 2 ** (k - 1) * guessed
    )


@mutant("bleu")
def bleu_two_times_k(candidates, references, max_n=4, smooth=False):
    """1 / (2 * k * guessed)."""
    return _bleu(candidates, references, max_n, smooth, halve=lambda k, n, guessed: 2 * k * guessed)


@mutant("bleu")
def bleu_guessed_left_out(candidates, references, max_n=4, smooth=False):
    """1 / 2**k."""
    return _bleu(candidates, references, max_n, smooth, halve=lambda k, n, guessed: 2**k)


@mutant("bleu")
def bleu_guessed_in_the_wrong_place(candidates, references, max_n=4, smooth=False):
    """1 / 2**k * guessed: precedence."""
    return _bleu(candidates, references, max_n, smooth, halve=lambda k, n, guessed: 2**k / guessed)


def _one_more(candidates, references, max_n, smooth, first):
    product = 1.0
    for n in range(1, max_n + 1):
        matched, guessed = _precision(candidates, references, n)
        if guessed == 0 or (matched == 0 and not smooth):
            return 0.0
        more = smooth and n >= first
        product *= (matched + more) / (guessed + more)
    return _brevity(candidates, references) * product ** (1 / max_n)


@mutant("bleu")
def bleu_plus_one_everywhere(candidates, references, max_n=4, smooth=False):
    """With smooth, (matched + 1) / (guessed + 1)."""
    return _one_more(candidates, references, max_n, smooth, 1)


@mutant("bleu")
def bleu_plus_one_from_two(candidates, references, max_n=4, smooth=False):
    """With smooth, (matched + 1) / (guessed + 1) of n = 2 and above, as Lin and Och do."""
    return _one_more(candidates, references, max_n, smooth, 2)


@mutant("bleu")
def bleu_default_three(candidates, references, max_n=3, smooth=False):
    """max_n is 3 where none is given."""
    return _bleu(candidates, references, max_n, smooth)


@mutant("bleu")
def bleu_smooth_by_default(candidates, references, max_n=4, smooth=True):
    """smooth is True where it is not given."""
    return _bleu(candidates, references, max_n, smooth)


@mutant("bleu")
def bleu_percent(candidates, references, max_n=4, smooth=False):
    """From 0 to 100."""
    return 100 * _bleu(candidates, references, max_n, smooth)


@mutant("bleu")
def bleu_a_list(candidates, references, max_n=4, smooth=False):
    """It returns BLEU-1 to BLEU-n."""
    return [_bleu(candidates, references, n, smooth) for n in range(1, max_n + 1)]


@mutant("bleu")
def bleu_empties_the_lists(candidates, references, max_n=4, smooth=False):
    """candidates.pop() until none is left."""
    score = _bleu(candidates, references, max_n, smooth)
    candidates.clear()
    return score


# ---------------------------------------------------------------------------------------- rouge_l


def _table(said, words):
    table = [[0] * (len(words) + 1) for _ in range(len(said) + 1)]
    for i, one in enumerate(said, 1):
        for j, other in enumerate(words, 1):
            longer = table[i - 1][j - 1] + 1
            table[i][j] = longer if one == other else max(table[i - 1][j], table[i][j - 1])
    return table


def _longest(said, words):
    return _table(said, words)[-1][-1]


def _f(P, R, beta):
    return (1 + beta**2) * P * R / (R + beta**2 * P) if P and R else 0.0


def _pairs(candidate, references, longest=_longest):
    said = candidate.split()
    pairs = []
    for words in (reference.split() for reference in references):
        L = longest(said, words)
        pairs.append((L / max(1, len(said)), L / max(1, len(words))))
    return pairs


def _rouge(candidate, references, beta=1.2, longest=_longest):
    P, R = map(max, zip(*_pairs(candidate, references, longest), strict=True))
    return _f(P, R, beta)


@mutant("rouge_l")
def rouge_best_reference(candidate, references, beta=1.2):
    """The largest F over the references: P and R are of the same one."""
    return max(_f(P, R, beta) for P, R in _pairs(candidate, references))


@mutant("rouge_l")
def rouge_mean_of_references(candidate, references, beta=1.2):
    """The mean of F over the references."""
    return float(np.mean([_f(P, R, beta) for P, R in _pairs(candidate, references)]))


@mutant("rouge_l")
def rouge_first_reference(candidate, references, beta=1.2):
    """references[0] alone."""
    return _rouge(candidate, references[:1], beta)


@mutant("rouge_l")
def rouge_last_reference(candidate, references, beta=1.2):
    """P and R are overwritten in the loop."""
    return _rouge(candidate, references[-1:], beta)


@mutant("rouge_l")
def rouge_of_the_longest_match(candidate, references, beta=1.2):
    """The reference with the largest L gives both P and R."""
    said = candidate.split()
    best = max(references, key=lambda r: _longest(said, r.split()))
    return _rouge(candidate, [best], beta)


@mutant("rouge_l")
def rouge_references_joined(candidate, references, beta=1.2):
    """' '.join(references) is one long reference."""
    return _rouge(candidate, [" ".join(references)], beta)


@mutant("rouge_l")
def rouge_swapped(candidate, references, beta=1.2):
    """P is over the reference, R over the candidate."""
    P, R = map(max, zip(*_pairs(candidate, references), strict=True))
    return _f(R, P, beta)


@mutant("rouge_l")
def rouge_beta_not_squared(candidate, references, beta=1.2):
    """1 + beta, and beta in the denominator."""
    return _rouge(candidate, references, beta**0.5)


@mutant("rouge_l")
def rouge_beta_squared_above_only(candidate, references, beta=1.2):
    """beta**2 above the line, beta below it."""
    P, R = map(max, zip(*_pairs(candidate, references), strict=True))
    return (1 + beta**2) * P * R / (R + beta * P) if P else 0.0


@mutant("rouge_l")
def rouge_f1(candidate, references, beta=1.2):
    """2PR / (P + R)."""
    return _rouge(candidate, references, 1.0)


@mutant("rouge_l")
def rouge_beta_fixed(candidate, references, beta=1.2):
    """1.44 is written out: beta is not used."""
    return _rouge(candidate, references)


@mutant("rouge_l")
def rouge_beta_default_one(candidate, references, beta=1.0):
    """beta is 1 where none is given."""
    return _rouge(candidate, references, beta)


@mutant("rouge_l")
def rouge_factor_forgotten(candidate, references, beta=1.2):
    """PR / (R + beta^2 P)."""
    return _rouge(candidate, references, beta) / (1 + beta**2)


@mutant("rouge_l")
def rouge_recall_alone(candidate, references, beta=1.2):
    """The largest R."""
    return max(R for _, R in _pairs(candidate, references))


@mutant("rouge_l")
def rouge_precision_alone(candidate, references, beta=1.2):
    """The largest P."""
    return max(P for P, _ in _pairs(candidate, references))


@mutant("rouge_l")
def rouge_substring(candidate, references, beta=1.2):
    """The table goes back to 0 where two words differ: a run without gaps."""

    def longest(said, words):
        best, before = 0, [0] * (len(words) + 1)
        for one in said:
            now = [0] + [before[j] + 1 if one == w else 0 for j, w in enumerate(words)]
            best, before = max(best, *now), now
        return best

    return _rouge(candidate, references, beta, longest)


@mutant("rouge_l")
def rouge_bag_of_words(candidate, references, beta=1.2):
    """(Counter(a) & Counter(b)).total() for L."""
    return _rouge(candidate, references, beta, lambda a, b: (Counter(a) & Counter(b)).total())


@mutant("rouge_l")
def rouge_set_of_words(candidate, references, beta=1.2):
    """len(set(a) & set(b)) for L."""
    return _rouge(candidate, references, beta, lambda a, b: len({*a} & {*b}))


@mutant("rouge_l")
def rouge_greedy(candidate, references, beta=1.2):
    """A pointer walks through the reference and takes the first that fits."""

    def longest(said, words):
        at = found = 0
        for word in said:
            if word in words[at:]:
                at, found = words.index(word, at) + 1, found + 1
        return found

    return _rouge(candidate, references, beta, longest)


@mutant("rouge_l")
def rouge_two_pointers(candidate, references, beta=1.2):
    """Both pointers step on when the words agree, else that of the reference does."""

    def longest(said, words):
        i = 0
        for word in words:
            if i < len(said) and said[i] == word:
                i += 1
        return i

    return _rouge(candidate, references, beta, longest)


@mutant("rouge_l")
def rouge_same_place(candidate, references, beta=1.2):
    """sum(a == b for a, b in zip(...))."""
    return _rouge(
        candidate, references, beta, lambda a, b: sum(x == y for x, y in zip(a, b, strict=False))
    )


@mutant("rouge_l")
def rouge_word_used_twice(candidate, references, beta=1.2):
    """table[i, j - 1] + 1 where the words agree."""

    def longest(said, words):
        table = np.zeros((len(said) + 1, len(words) + 1), int)
        for i, one in enumerate(said, 1):
            for j, other in enumerate(words, 1):
                table[i, j] = (
                    table[i, j - 1] + 1 if one == other else max(table[i - 1, j], table[i, j - 1])
                )
        return int(table[-1, -1])

    return _rouge(candidate, references, beta, longest)


@mutant("rouge_l")
def rouge_only_from_above(candidate, references, beta=1.2):
    """Where words differ the entry is that of the row above, never that to the left."""

    def longest(said, words):
        table = np.zeros((len(said) + 1, len(words) + 1), int)
        for i, one in enumerate(said, 1):
            for j, other in enumerate(words, 1):
                table[i, j] = table[i - 1, j - 1] + 1 if one == other else table[i - 1, j]
        return int(table[-1, -1])

    return _rouge(candidate, references, beta, longest)


@mutant("rouge_l")
def rouge_diagonal_always(candidate, references, beta=1.2):
    """else table[i - 1][j - 1]: where words differ both step on."""

    def longest(said, words):
        table = np.zeros((len(said) + 1, len(words) + 1), int)
        for i, one in enumerate(said, 1):
            for j, other in enumerate(words, 1):
                table[i, j] = table[i - 1, j - 1] + (one == other)
        return int(table[-1, -1])

    return _rouge(candidate, references, beta, longest)


@mutant("rouge_l")
def rouge_wraps_around(candidate, references, beta=1.2):
    """The table has no border of zeros: table[-1] is its last row."""

    def longest(said, words):
        table = [[0] * len(words) for _ in said]
        for i, one in enumerate(said):
            for j, other in enumerate(words):
                longer = table[i - 1][j - 1] + 1
                table[i][j] = longer if one == other else max(table[i - 1][j], table[i][j - 1])
        return table[-1][-1] if said and words else 0

    return _rouge(candidate, references, beta, longest)


@mutant("rouge_l")
def rouge_table_too_small(candidate, references, beta=1.2):
    """The loops end one word early."""
    return _rouge(candidate, references, beta, lambda a, b: _longest(a[:-1], b[:-1]))


@mutant("rouge_l")
def rouge_letters(candidate, references, beta=1.2):
    """The captions are compared letter by letter."""
    P, R = 0.0, 0.0
    for reference in references:
        L = _longest(candidate, reference)
        P, R = max(P, L / max(1, len(candidate))), max(R, L / max(1, len(reference)))
    return _f(P, R, beta)


@mutant("rouge_l")
def rouge_made_small(candidate, references, beta=1.2):
    """candidate.lower() against reference.lower()."""
    return _rouge(candidate.lower(), [r.lower() for r in references], beta)


@mutant("rouge_l")
def rouge_without_points(candidate, references, beta=1.2):
    """Points are stripped off the words."""

    def clean(caption):
        return " ".join(word.strip(".,") for word in caption.split())

    return _rouge(clean(candidate), [clean(r) for r in references], beta)


@mutant("rouge_l")
def rouge_nothing_common(candidate, references, beta=1.2):
    """P and R are both 0 below the line: 0 / 0."""
    P, R = map(max, zip(*_pairs(candidate, references), strict=True))
    return (1 + beta**2) * P * R / (R + beta**2 * P)


@mutant("rouge_l")
def rouge_of_no_words(candidate, references, beta=1.2):
    """L / len(said) is taken before anyone asks for words."""
    said = candidate.split()
    P = max(_longest(said, r.split()) / len(said) for r in references)
    R = max(_longest(said, r.split()) / len(r.split()) for r in references)
    return _f(P, R, beta)


@mutant("rouge_l")
def rouge_empty_split(candidate, references, beta=1.2):
    """split(' '): two captions without words have one in common."""
    return _rouge(candidate or "<>", [r or "<>" for r in references], beta)


@mutant("rouge_l")
def rouge_sorts_references(candidate, references, beta=1.2):
    """references.sort(key=len) changes the list that was given."""
    references.sort(key=len)
    return _rouge(candidate, references, beta)


@mutant("rouge_l")
def rouge_best_kept(candidate, references, beta=1.2, best=[0.0, 0.0]):  # noqa: B006
    """The largest P and R are kept in a default argument from call to call."""
    for P, R in _pairs(candidate, references):
        best[0], best[1] = max(best[0], P), max(best[1], R)
    return _f(*best, beta)
