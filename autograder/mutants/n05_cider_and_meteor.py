"""Wrong answers to the exercises of notebook 05 on CIDEr and METEOR."""

import math
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np

from autograder.mutants import mutant

# -------------------------------------------------------------------------------- cider_vectors


def _grams(words, n):
    return [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]


def _vectors(caption, df, pictures, *, weigh=None, tally=Counter, cut=_grams, orders=(1, 2, 3, 4)):
    """The right vectors, but for what is given."""
    words = caption.split()
    weigh = weigh or (lambda count, seen: count * math.log(pictures / seen))
    return [
        {gram: weigh(count, df.get(gram, 1)) for gram, count in tally(cut(words, n)).items()}
        for n in orders
    ]


@mutant("cider_vectors")
def vectors_log10(caption, df, pictures):
    """The logarithm has base 10."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c * math.log10(pictures / d))


@mutant("cider_vectors")
def vectors_log2(caption, df, pictures):
    """The logarithm has base 2."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c * math.log2(pictures / d))


@mutant("cider_vectors")
def vectors_log1p(caption, df, pictures):
    """log(1 + pictures / df)."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c * math.log1p(pictures / d))


@mutant("cider_vectors")
def vectors_df_raised(caption, df, pictures):
    """log(pictures / (1 + df)), against a division by 0 that get(gram, 1) has taken care of."""
    return [
        {gram: n * math.log(pictures / (1 + df.get(gram, 0))) for gram, n in Counter(kinds).items()}
        for kinds in (_grams(caption.split(), order) for order in range(1, 5))
    ]


@mutant("cider_vectors")
def vectors_smoothed(caption, df, pictures):
    """As scikit-learn smooths: log((1 + pictures) / (1 + df)) + 1."""
    return _vectors(
        caption, df, pictures, weigh=lambda c, d: c * (math.log((1 + pictures) / (1 + d)) + 1)
    )


@mutant("cider_vectors")
def vectors_tf_of_grams(caption, df, pictures):
    """Equation 1 of the paper: the count is divided by that of all n-grams."""
    found = []
    for n in range(1, 5):
        counts = Counter(_grams(caption.split(), n))
        total = counts.total()
        found.append({g: c / total * math.log(pictures / df.get(g, 1)) for g, c in counts.items()})
    return found


@mutant("cider_vectors")
def vectors_tf_of_words(caption, df, pictures):
    """The count is divided by the number of words."""
    T = len(caption.split())
    return _vectors(caption, df, pictures, weigh=lambda c, d: c / T * math.log(pictures / d))


@mutant("cider_vectors")
def vectors_by_set(caption, df, pictures):
    """The n-grams are put into a set: what comes twice counts once."""
    return _vectors(caption, df, pictures, tally=lambda kinds: Counter(set(kinds)))


@mutant("cider_vectors")
def vectors_log_of_count(caption, df, pictures):
    """1 + log(count), as search engines weigh a word."""
    return _vectors(
        caption, df, pictures, weigh=lambda c, d: (1 + math.log(c)) * math.log(pictures / d)
    )


@mutant("cider_vectors")
def vectors_text_counted(caption, df, pictures):
    """text.count(f' {gram} '): what overlaps, or shares a blank, is not found."""
    text = f" {' '.join(caption.split())} "
    found = _vectors(caption, df, pictures)
    return [
        {g: text.count(f" {g} ") * math.log(pictures / df.get(g, 1)) for g in each}
        for each in found
    ]


@mutant("cider_vectors")
def vectors_letters_searched(caption, df, pictures):
    """caption.count(gram): a word is found within others."""
    return [
        {g: caption.count(g) * math.log(pictures / df.get(g, 1)) for g in each}
        for each in _vectors(caption, df, pictures)
    ]


@mutant("cider_vectors")
def vectors_count_in_log(caption, df, pictures):
    """math.log(count * pictures / df)."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: math.log(c * pictures / d))


@mutant("cider_vectors")
def vectors_upside_down(caption, df, pictures):
    """log(df / pictures): all weights are negative."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c * math.log(d / pictures))


@mutant("cider_vectors")
def vectors_without_log(caption, df, pictures):
    """count * pictures / df, without a logarithm."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c * pictures / d)


@mutant("cider_vectors")
def vectors_of_counts(caption, df, pictures):
    """Plain counts: df is not used."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c)


@mutant("cider_vectors")
def vectors_unknown_dropped(caption, df, pictures):
    """N-grams that df does not have are skipped."""
    found = _vectors(caption, df, pictures)
    return [{gram: w for gram, w in each.items() if gram in df} for each in found]


@mutant("cider_vectors")
def vectors_unknown_nothing(caption, df, pictures):
    """N-grams that df does not have get a weight of 0."""
    found = _vectors(caption, df, pictures)
    return [{gram: w * (gram in df) for gram, w in each.items()} for each in found]


@mutant("cider_vectors")
def vectors_unknown_fails(caption, df, pictures):
    """df[gram]: a KeyError for what is not in it."""
    return [
        {gram: n * math.log(pictures / df[gram]) for gram, n in Counter(kinds).items()}
        for kinds in (_grams(caption.split(), order) for order in range(1, 5))
    ]


@mutant("cider_vectors")
def vectors_fill_df(caption, df, pictures):
    """df.setdefault(gram, 1): df has new entries afterwards."""
    for n in range(1, 5):
        for gram in _grams(caption.split(), n):
            df.setdefault(gram, 1)
    return _vectors(caption, df, pictures)


@mutant("cider_vectors")
def vectors_last_gram_missing(caption, df, pictures):
    """range(T - n): the window at the end is left out."""
    return _vectors(caption, df, pictures, cut=lambda words, n: _grams(words, n)[:-1])


@mutant("cider_vectors")
def vectors_over_the_end(caption, df, pictures):
    """range(T): the last windows hold fewer than n words."""
    return _vectors(
        caption,
        df,
        pictures,
        cut=lambda words, n: [" ".join(words[i : i + n]) for i in range(len(words))],
    )


@mutant("cider_vectors")
def vectors_orders_from_0(caption, df, pictures):
    """range(4): from n = 0 to n = 3."""
    return _vectors(caption, df, pictures, orders=range(4))


@mutant("cider_vectors")
def vectors_three_orders(caption, df, pictures):
    """range(1, 4): trigrams are the longest."""
    return _vectors(caption, df, pictures, orders=range(1, 4))


@mutant("cider_vectors")
def vectors_in_one(caption, df, pictures):
    """All orders go into one dictionary."""
    found = _vectors(caption, df, pictures)
    return {gram: w for each in found for gram, w in each.items()}


@mutant("cider_vectors")
def vectors_tuples(caption, df, pictures):
    """N-grams are tuples of words, also where df is asked."""
    words = caption.split()
    return [
        {
            gram: count * math.log(pictures / df.get(gram, 1))
            for gram, count in Counter(zip(*(words[k:] for k in range(n)), strict=False)).items()
        }
        for n in range(1, 5)
    ]


@mutant("cider_vectors")
def vectors_of_letters(caption, df, pictures):
    """The caption is not split: n-grams of its letters."""
    return _vectors(
        caption,
        df,
        pictures,
        cut=lambda words, n: [caption[i : i + n] for i in range(len(caption) - n + 1)],
    )


@mutant("cider_vectors")
def vectors_made_small(caption, df, pictures):
    """caption.lower() comes first."""
    return _vectors(caption.lower(), df, pictures)


@mutant("cider_vectors")
def vectors_of_length_one(caption, df, pictures):
    """Each vector is divided by its length."""
    return [
        {gram: w / (math.hypot(*each.values()) or 1) for gram, w in each.items()}
        for each in _vectors(caption, df, pictures)
    ]


@mutant("cider_vectors")
def vectors_empty_word(caption, df, pictures):
    """split(' '): a caption without words has an empty one."""
    found = []
    for n in range(1, 5):
        counts = Counter(_grams(caption.split(" "), n))
        found.append({g: c * math.log(pictures / df.get(g, 1)) for g, c in counts.items()})
    return found


@mutant("cider_vectors")
def vectors_without_blanks(caption, df, pictures):
    """''.join: the words of an n-gram are not parted, and df never has it."""
    return _vectors(
        caption,
        df,
        pictures,
        cut=lambda words, n: ["".join(words[i : i + n]) for i in range(len(words) - n + 1)],
    )


@mutant("cider_vectors")
def vectors_of_all_of_df(caption, df, pictures):
    """There is an entry for each n-gram of df, most of them 0."""
    found = _vectors(caption, df, pictures)
    return [
        {**{g: 0.0 for g in df if len(g.split()) == n}, **each}
        for n, each in enumerate(found, start=1)
    ]


@mutant("cider_vectors")
def vectors_whole_division(caption, df, pictures):
    """pictures // df."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c * math.log(pictures // d))


@mutant("cider_vectors")
def vectors_pictures_by_len(caption, df, pictures):
    """len(df) stands in the place of pictures."""
    return _vectors(caption, df, pictures, weigh=lambda c, d: c * math.log(max(len(df), 1) / d))


_kept: dict[str, list] = {}


@mutant("cider_vectors")
def vectors_remembered(caption, df, pictures):
    """A cache by caption alone: another df is not looked at."""
    return _kept.setdefault(caption, _vectors(caption, df, pictures))


# -------------------------------------------------------------------------------------- cider_d


def _dot(g, h):
    return sum(min(g[gram], h[gram]) * h[gram] for gram in g if gram in h)


def _norm(vector):
    return math.sqrt(sum(w * w for w in vector.values()))


def _similar(g, h, dot=_dot):
    norms = _norm(g) * _norm(h)
    return dot(g, h) / norms if norms > 0 else 0.0


def _penalty(c, r, sigma):
    return math.exp(-((c - r) ** 2) / (2 * sigma**2))


def _scores(candidate, references, df, pictures, sigma, *, similar=_similar, penalty=_penalty):
    """A list of four for each reference."""
    rows, vectors = [], _vectors(candidate, df, pictures)
    for reference in references:
        factor = penalty(len(candidate.split()), len(reference.split()), sigma)
        others = _vectors(reference, df, pictures)
        rows.append([factor * similar(g, h) for g, h in zip(vectors, others, strict=True)])
    return rows


def _cider(*args, **options):
    return 10 * float(np.mean(_scores(*args, **options)))


@mutant("cider_d")
def cider_unclipped(candidate, references, df, pictures, sigma=6.0):
    """The cosine of plain CIDEr: nothing is clipped."""

    def dot(g, h):
        return sum(g[gram] * h[gram] for gram in g if gram in h)

    return _cider(
        candidate, references, df, pictures, sigma, similar=lambda g, h: _similar(g, h, dot)
    )


@mutant("cider_d")
def cider_min_squared(candidate, references, df, pictures, sigma=6.0):
    """min(g, h) * min(g, h)."""

    def dot(g, h):
        return sum(min(g[gram], h[gram]) ** 2 for gram in g if gram in h)

    return _cider(
        candidate, references, df, pictures, sigma, similar=lambda g, h: _similar(g, h, dot)
    )


@mutant("cider_d")
def cider_min_times_g(candidate, references, df, pictures, sigma=6.0):
    """min(g, h) * g."""

    def dot(g, h):
        return sum(min(g[gram], h[gram]) * g[gram] for gram in g if gram in h)

    return _cider(
        candidate, references, df, pictures, sigma, similar=lambda g, h: _similar(g, h, dot)
    )


@mutant("cider_d")
def cider_not_divided(candidate, references, df, pictures, sigma=6.0):
    """The lengths of the vectors are not divided by."""
    return _cider(candidate, references, df, pictures, sigma, similar=_dot)


@mutant("cider_d")
def cider_norms_squared(candidate, references, df, pictures, sigma=6.0):
    """The root in the lengths of the vectors is missing."""

    def similar(g, h):
        norms = _norm(g) ** 2 * _norm(h) ** 2
        return _dot(g, h) / norms if norms > 0 else 0.0

    return _cider(candidate, references, df, pictures, sigma, similar=similar)


@mutant("cider_d")
def cider_root_of_h_missing(candidate, references, df, pictures, sigma=6.0):
    """Only one of the two lengths has its root."""

    def similar(g, h):
        norms = _norm(g) * _norm(h) ** 2
        return _dot(g, h) / norms if norms > 0 else 0.0

    return _cider(candidate, references, df, pictures, sigma, similar=similar)


def _until_nothing(candidate, references, df, pictures, sigma, whole):
    total = 0.0
    for reference in references:
        row = []
        factor = _penalty(len(candidate.split()), len(reference.split()), sigma)
        both = (_vectors(text, df, pictures) for text in (candidate, reference))
        for g, h in zip(*both, strict=True):
            if not (_norm(g) and _norm(h)):
                row *= not whole
                break
            row.append(factor * _similar(g, h))
        total += sum(row)
    return 10 * total / (4 * len(references))


@mutant("cider_d")
def cider_breaks_at_nothing(candidate, references, df, pictures, sigma=6.0):
    """`break` where an order is to be passed over: higher orders are lost."""
    return _until_nothing(candidate, references, df, pictures, sigma, False)


@mutant("cider_d")
def cider_zero_for_all_orders(candidate, references, df, pictures, sigma=6.0):
    """A length of 0 in one order makes the whole reference 0."""
    return _until_nothing(candidate, references, df, pictures, sigma, True)


def _consensus(references, df, pictures):
    found = []
    for n in range(4):
        total = Counter()
        for reference in references:
            for gram, w in _vectors(reference, df, pictures)[n].items():
                total[gram] += w / len(references)
        found.append(total)
    return found


@mutant("cider_d")
def cider_of_the_mean_vector(candidate, references, df, pictures, sigma=6.0):
    """The vectors of the references are averaged before the cosine."""
    both = _vectors(candidate, df, pictures), _consensus(references, df, pictures)
    cosines = [_similar(g, h) for g, h in zip(*both, strict=True)]
    factors = [_penalty(len(candidate.split()), len(r.split()), sigma) for r in references]
    return 10 * float(np.mean(cosines) * np.mean(factors))


@mutant("cider_d")
def cider_of_one_vector(candidate, references, df, pictures, sigma=6.0):
    """The four orders are put into one vector, and there is one cosine."""

    def whole(caption):
        return {g: w for each in _vectors(caption, df, pictures) for g, w in each.items()}

    cosines = [
        _similar(whole(candidate), whole(r))
        * _penalty(len(candidate.split()), len(r.split()), sigma)
        for r in references
    ]
    return 10 * float(np.mean(cosines))


@mutant("cider_d")
def cider_gaussian_of_words_alone(candidate, references, df, pictures, sigma=6.0):
    """The Gaussian is multiplied to n = 1 and to no other order."""
    rows = _scores(candidate, references, df, pictures, sigma)
    plain = _scores(candidate, references, df, pictures, sigma, penalty=lambda c, r, s: 1.0)
    return 10 * float(np.mean([[a[0], *b[1:]] for a, b in zip(rows, plain, strict=True)]))


@mutant("cider_d")
def cider_empty_word(candidate, references, df, pictures, sigma=6.0):
    """split(' ') for the lengths and the n-grams: an empty caption has an empty word."""
    references = [reference or "<>" for reference in references]
    return _cider(candidate or "<>", references, df, pictures, sigma)


@mutant("cider_d")
def cider_norms_of_shared(candidate, references, df, pictures, sigma=6.0):
    """The lengths are taken over shared n-grams only."""

    def similar(g, h):
        shared = g.keys() & h.keys()
        norms = _norm({k: g[k] for k in shared}) * _norm({k: h[k] for k in shared})
        return _dot(g, h) / norms if norms > 0 else 0.0

    return _cider(candidate, references, df, pictures, sigma, similar=similar)


@mutant("cider_d")
def cider_sums_of_weights(candidate, references, df, pictures, sigma=6.0):
    """Divided by the sums of the weights, not by Euclidean lengths."""

    def similar(g, h):
        norms = sum(g.values()) * sum(h.values())
        return _dot(g, h) / norms if norms > 0 else 0.0

    return _cider(candidate, references, df, pictures, sigma, similar=similar)


@mutant("cider_d")
def cider_zero_over_zero(candidate, references, df, pictures, sigma=6.0):
    """NumPy divides by a length of 0: NaN."""

    def similar(g, h):
        return np.float64(_dot(g, h)) / (_norm(g) * _norm(h))

    return _cider(candidate, references, df, pictures, sigma, similar=similar)


@mutant("cider_d")
def cider_division_by_zero(candidate, references, df, pictures, sigma=6.0):
    """Python divides by a length of 0: ZeroDivisionError."""
    return _cider(
        candidate,
        references,
        df,
        pictures,
        sigma,
        similar=lambda g, h: _dot(g, h) / (_norm(g) * _norm(h)),
    )


@mutant("cider_d")
def cider_unpenalised(candidate, references, df, pictures, sigma=6.0):
    """The Gaussian of the lengths is forgotten."""
    return _cider(candidate, references, df, pictures, sigma, penalty=lambda c, r, s: 1.0)


@mutant("cider_d")
def cider_penalty_of_letters(candidate, references, df, pictures, sigma=6.0):
    """len(candidate) - len(reference): letters."""
    rows = _scores(candidate, references, df, pictures, sigma, penalty=lambda c, r, s: 1.0)
    factors = [_penalty(len(candidate), len(reference), sigma) for reference in references]
    return 10 * float(np.mean(np.array(rows) * np.array(factors)[:, None]))


@mutant("cider_d")
def cider_sigma_unsquared(candidate, references, df, pictures, sigma=6.0):
    """2 * sigma under the square of the difference."""
    return _cider(
        candidate,
        references,
        df,
        pictures,
        sigma,
        penalty=lambda c, r, s: math.exp(-((c - r) ** 2) / (2 * s)),
    )


@mutant("cider_d")
def cider_difference_unsquared(candidate, references, df, pictures, sigma=6.0):
    """abs(c - r) over 2 sigma squared."""
    return _cider(
        candidate,
        references,
        df,
        pictures,
        sigma,
        penalty=lambda c, r, s: math.exp(-abs(c - r) / (2 * s**2)),
    )


@mutant("cider_d")
def cider_exponent_by_precedence(candidate, references, df, pictures, sigma=6.0):
    """-d**2 / 2 * sigma**2: multiplied where it should be divided."""
    return _cider(
        candidate,
        references,
        df,
        pictures,
        sigma,
        penalty=lambda c, r, s: math.exp(-((c - r) ** 2) / 2 * s**2),
    )


@mutant("cider_d")
def cider_short_only(candidate, references, df, pictures, sigma=6.0):
    """A candidate that is too long is not penalised, as BLEU has it."""
    return _cider(
        candidate,
        references,
        df,
        pictures,
        sigma,
        penalty=lambda c, r, s: _penalty(min(c, r), r, s),
    )


@mutant("cider_d")
def cider_sigma_fixed(candidate, references, df, pictures, sigma=6.0):
    """6 is written where sigma belongs."""
    return _cider(candidate, references, df, pictures, 6.0)


@mutant("cider_d")
def cider_sigma_of_one(candidate, references, df, pictures, sigma=1.0):
    """1.0 where no sigma is given."""
    return _cider(candidate, references, df, pictures, sigma)


@mutant("cider_d")
def cider_best_reference(candidate, references, df, pictures, sigma=6.0):
    """The maximum over the references."""
    return 10 * float(np.mean(_scores(candidate, references, df, pictures, sigma), axis=1).max())


@mutant("cider_d")
def cider_sum_of_references(candidate, references, df, pictures, sigma=6.0):
    """The references are summed up and not divided by their number."""
    return 10 * float(np.mean(_scores(candidate, references, df, pictures, sigma), axis=1).sum())


@mutant("cider_d")
def cider_first_reference(candidate, references, df, pictures, sigma=6.0):
    """return stands inside the loop over the references."""
    return _cider(candidate, references[:1], df, pictures, sigma)


@mutant("cider_d")
def cider_sum_of_orders(candidate, references, df, pictures, sigma=6.0):
    """The four orders are summed up."""
    return 4 * _cider(candidate, references, df, pictures, sigma)


@mutant("cider_d")
def cider_from_0_to_1(candidate, references, df, pictures, sigma=6.0):
    """The factor 10 is forgotten."""
    return _cider(candidate, references, df, pictures, sigma) / 10


@mutant("cider_d")
def cider_orders_that_exist(candidate, references, df, pictures, sigma=6.0):
    """Orders without an n-gram are left out of the mean."""
    rows = _scores(candidate, references, df, pictures, sigma)
    orders = max(1, min(4, len(candidate.split())))
    return 10 * float(np.mean([row[:orders] for row in rows]))


@mutant("cider_d")
def cider_unweighed(candidate, references, df, pictures, sigma=6.0):
    """Counts stand where the weights belong."""
    return _cider(candidate, references, {}, math.e, sigma)


@mutant("cider_d")
def cider_references_joined(candidate, references, df, pictures, sigma=6.0):
    """' '.join(references): one long reference."""
    return _cider(candidate, [" ".join(references)], df, pictures, sigma)


@mutant("cider_d")
def cider_clipped_late(candidate, references, df, pictures, sigma=6.0):
    """The vectors are divided by their lengths before the smaller weight is taken."""

    def similar(g, h):
        g, h = ({k: w / (_norm(each) or 1) for k, w in each.items()} for each in (g, h))
        return _dot(g, h)

    return _cider(candidate, references, df, pictures, sigma, similar=similar)


@mutant("cider_d")
def cider_of_the_set(candidate, references, df, pictures, sigma=6.0):
    """set(references): one that comes twice counts once."""
    return _cider(candidate, sorted(set(references)), df, pictures, sigma)


@mutant("cider_d")
def cider_mean_length(candidate, references, df, pictures, sigma=6.0):
    """One penalty, by the references' mean length."""
    mean = np.mean([len(reference.split()) for reference in references])
    return _cider(
        candidate,
        references,
        df,
        pictures,
        sigma,
        penalty=lambda c, r, s: _penalty(c, mean, s),
    )


@mutant("cider_d")
def cider_own_vectors_wrong(candidate, references, df, pictures, sigma=6.0):
    """It rests on vectors in which what df does not have is left out."""
    known = {gram: pictures / count for gram, count in df.items()}
    rows = []
    for reference in references:
        factor = _penalty(len(candidate.split()), len(reference.split()), sigma)
        for n in range(1, 5):
            g, h = (
                {k: c * math.log(known[k]) for k, c in Counter(said).items() if k in known}
                for said in (_grams(text.split(), n) for text in (candidate, reference))
            )
            rows.append(factor * _similar(g, h))
    return 10 * float(np.mean(rows))


@mutant("cider_d")
def cider_pops_references(candidate, references, df, pictures, sigma=6.0):
    """references.pop() in a while loop: the list is empty afterwards."""
    rows = []
    while references:
        rows += _scores(candidate, [references.pop()], df, pictures, sigma)
    return 10 * float(np.mean(rows))


@mutant("cider_d")
def cider_counts_in_df(candidate, references, df, pictures, sigma=6.0):
    """The references are counted into df once more."""
    for reference in references:
        for n in range(1, 5):
            for gram in set(_grams(reference.split(), n)):
                df[gram] = df.get(gram, 0) + 1
    return _cider(candidate, references, df, pictures + 1, sigma)


# --------------------------------------------------------------------------------- meteor_score


def _fits(stems, synonyms):
    return (
        lambda a, b: a == b,
        lambda a, b: stems.get(a, a) == stems.get(b, b),
        lambda a, b: any(a in group and b in group for group in synonyms),
    )


def _align(said, words, stages):
    """Places in the reference by places in the candidate."""
    partner = {}
    for fits in stages:
        for i, a in enumerate(said):
            for j, b in enumerate(words):
                if i not in partner and j not in partner.values() and fits(a, b):
                    partner[i] = j
    return partner


def _chunks(partner):
    return sum(partner.get(i - 1, -2) != j - 1 for i, j in partner.items())


def _combined(m, chunks, c, r):
    if m == 0:
        return 0.0
    P, R = m / c, m / r
    return 10 * P * R / (R + 9 * P) * (1 - 0.5 * (chunks / m) ** 3)


def _meteor(candidate, reference, stages, *, chunks=_chunks, combined=_combined, align=_align):
    said, words = candidate.split(), reference.split()
    partner = align(said, words, stages)
    return combined(len(partner), chunks(partner), len(said), len(words))


@mutant("meteor_score")
def meteor_exact_only(candidate, reference, stems, synonyms):
    """Equal words alone are paired."""
    return _meteor(candidate, reference, _fits(stems, synonyms)[:1])


@mutant("meteor_score")
def meteor_without_synonyms(candidate, reference, stems, synonyms):
    """The third stage is not written."""
    return _meteor(candidate, reference, _fits(stems, synonyms)[:2])


@mutant("meteor_score")
def meteor_stems_first(candidate, reference, stems, synonyms):
    """All words are stemmed before anything is compared."""
    return _meteor(candidate, reference, _fits(stems, synonyms)[1:])


@mutant("meteor_score")
def meteor_stems_or_synonyms(candidate, reference, stems, synonyms):
    """Two stages: equal words; then stems and synonyms in one."""
    exact, second, third = _fits(stems, synonyms)
    return _meteor(candidate, reference, (exact, lambda a, b: second(a, b) or third(a, b)))


@mutant("meteor_score")
def meteor_equal_or_synonyms(candidate, reference, stems, synonyms):
    """Two stages: equal words and synonyms in one; then stems."""
    exact, second, third = _fits(stems, synonyms)
    return _meteor(candidate, reference, (lambda a, b: exact(a, b) or third(a, b), second))


@mutant("meteor_score")
def meteor_words_become_stems(candidate, reference, stems, synonyms):
    """Both captions are rewritten in stems, which are then looked up among the synonyms."""
    both = (" ".join(stems.get(w, w) for w in text.split()) for text in (candidate, reference))
    return _meteor(*both, _fits({}, synonyms))


@mutant("meteor_score")
def meteor_stem_of_candidate(candidate, reference, stems, synonyms):
    """The reference is not stemmed."""
    exact, _, third = _fits(stems, synonyms)
    return _meteor(candidate, reference, (exact, lambda a, b: stems.get(a, a) == b, third))


@mutant("meteor_score")
def meteor_stems_known_only(candidate, reference, stems, synonyms):
    """stems.get(a) == stems.get(b): two words without an entry are None both, and equal."""
    exact, _, third = _fits(stems, synonyms)
    return _meteor(candidate, reference, (exact, lambda a, b: stems.get(a) == stems.get(b), third))


@mutant("meteor_score")
def meteor_stem_by_key(candidate, reference, stems, synonyms):
    """stems[word]: a KeyError for a word that is its own stem."""
    exact, _, third = _fits(stems, synonyms)
    return _meteor(candidate, reference, (exact, lambda a, b: stems[a] == stems[b], third))


@mutant("meteor_score")
def meteor_all_stages_at_once(candidate, reference, stems, synonyms):
    """A word takes the first of the reference that fits by any of the three."""
    stages = _fits(stems, synonyms)
    return _meteor(candidate, reference, (lambda a, b: any(fits(a, b) for fits in stages),))


@mutant("meteor_score")
def meteor_word_by_word(candidate, reference, stems, synonyms):
    """The loop over the words stands outside the loop over the stages."""
    stages = _fits(stems, synonyms)

    def align(said, words, _):
        partner = {}
        for i, a in enumerate(said):
            for fits in stages:
                for j, b in enumerate(words):
                    if i not in partner and j not in partner.values() and fits(a, b):
                        partner[i] = j
        return partner

    return _meteor(candidate, reference, stages, align=align)


@mutant("meteor_score")
def meteor_paired_twice(candidate, reference, stems, synonyms):
    """A word of the reference may be taken again."""

    def align(said, words, stages):
        partner = {}
        for fits in stages:
            for i, a in enumerate(said):
                for j, b in enumerate(words):
                    if i not in partner and fits(a, b):
                        partner[i] = j
        return partner

    return _meteor(candidate, reference, _fits(stems, synonyms), align=align)


@mutant("meteor_score")
def meteor_last_free(candidate, reference, stems, synonyms):
    """A word takes the last that is free."""

    def align(said, words, stages):
        found = _align(said, words[::-1], stages)
        return {i: len(words) - 1 - j for i, j in found.items()}

    return _meteor(candidate, reference, _fits(stems, synonyms), align=align)


@mutant("meteor_score")
def meteor_from_the_right(candidate, reference, stems, synonyms):
    """The candidate is read from its end."""

    def align(said, words, stages):
        found = _align(said[::-1], words, stages)
        return {len(said) - 1 - i: j for i, j in found.items()}

    return _meteor(candidate, reference, _fits(stems, synonyms), align=align)


@mutant("meteor_score")
def meteor_by_index(candidate, reference, stems, synonyms):
    """words.index(b): only the first place of a word is ever looked at."""

    def align(said, words, stages):
        partner = {}
        for fits in stages:
            for i, a in enumerate(said):
                for b in words:
                    j = words.index(b)
                    if i not in partner and j not in partner.values() and fits(a, b):
                        partner[i] = j
        return partner

    return _meteor(candidate, reference, _fits(stems, synonyms), align=align)


@mutant("meteor_score")
def meteor_of_sets(candidate, reference, stems, synonyms):
    """m counts different words that both have, and their families."""
    said, words = candidate.split(), reference.split()
    partner = _align(said, words, _fits(stems, synonyms))
    m = len({said[i] for i in partner})
    return _combined(m, min(m, _chunks(partner)), len(said), len(words))


@mutant("meteor_score")
def meteor_synonyms_joined(candidate, reference, stems, synonyms):
    """Lists of synonyms that share a word become one."""
    same = {}
    for group in synonyms:
        whole = set(group).union(*(same.get(word, ()) for word in group))
        same.update(dict.fromkeys(whole, whole))
    stages = (*_fits(stems, synonyms)[:2], lambda a, b: b in same.get(a, ()))
    return _meteor(candidate, reference, stages)


@mutant("meteor_score")
def meteor_synonyms_by_number(candidate, reference, stems, synonyms):
    """A dictionary from a word to the number of its list: of two lists the later one is kept."""
    number = {word: k for k, group in enumerate(synonyms) for word in group}
    stages = (*_fits(stems, synonyms)[:2], lambda a, b: number.get(a, -1) == number.get(b, -2))
    return _meteor(candidate, reference, stages)


@mutant("meteor_score")
def meteor_synonyms_anywhere(candidate, reference, stems, synonyms):
    """Two words that stand in any of the lists are synonyms."""
    known = {word for group in synonyms for word in group}
    stages = (*_fits(stems, synonyms)[:2], lambda a, b: a in known and b in known)
    return _meteor(candidate, reference, stages)


@mutant("meteor_score")
def meteor_synonyms_stemmed(candidate, reference, stems, synonyms):
    """The third stage looks at the stems."""
    exact, second, third = _fits(stems, synonyms)

    def fits(a, b):
        return third(a, b) or third(stems.get(a, a), stems.get(b, b))

    return _meteor(candidate, reference, (exact, second, fits))


@mutant("meteor_score")
def meteor_stages_restarted(candidate, reference, stems, synonyms):
    """Each stage pairs all words anew, and the pairs are added up."""
    said, words = candidate.split(), reference.split()
    found = [_align(said, words, (fits,)) for fits in _fits(stems, synonyms)]
    m, chunks = sum(map(len, found)), sum(map(_chunks, found))
    return _combined(m, chunks, len(said), len(words))


@mutant("meteor_score")
def meteor_p_and_r_swapped(candidate, reference, stems, synonyms):
    """m over the reference's length is called P."""
    return _meteor(
        candidate,
        reference,
        _fits(stems, synonyms),
        combined=lambda m, chunks, c, r: _combined(m, chunks, r, c),
    )


@mutant("meteor_score")
def meteor_harmonic(candidate, reference, stems, synonyms):
    """F1: P and R count alike."""

    def combined(m, chunks, c, r):
        return 2 * m / (c + r) * (1 - 0.5 * (chunks / m) ** 3) if m else 0.0

    return _meteor(candidate, reference, _fits(stems, synonyms), combined=combined)


@mutant("meteor_score")
def meteor_without_penalty(candidate, reference, stems, synonyms):
    """F alone: chunks are not counted."""
    return _meteor(candidate, reference, _fits(stems, synonyms), chunks=lambda partner: 0)


@mutant("meteor_score")
def meteor_penalty_whole(candidate, reference, stems, synonyms):
    """1 - (chunks / m)^3, the half forgotten."""

    def combined(m, chunks, c, r):
        return _combined(m, chunks * 2 ** (1 / 3), c, r)

    return _meteor(candidate, reference, _fits(stems, synonyms), combined=combined)


@mutant("meteor_score")
def meteor_penalty_linear(candidate, reference, stems, synonyms):
    """The power of 3 is forgotten."""

    def combined(m, chunks, c, r):
        return _combined(m, (chunks / m) ** (1 / 3) * m, c, r) if m else 0.0

    return _meteor(candidate, reference, _fits(stems, synonyms), combined=combined)


@mutant("meteor_score")
def meteor_chunks_over_length(candidate, reference, stems, synonyms):
    """chunks is divided by the number of words of the candidate."""

    def combined(m, chunks, c, r):
        return _combined(m, chunks * m / c, c, r) if m else 0.0

    return _meteor(candidate, reference, _fits(stems, synonyms), combined=combined)


@mutant("meteor_score")
def meteor_chunks_of_candidate(candidate, reference, stems, synonyms):
    """A chunk is a run of paired words in the candidate, wherever their partners stand."""

    def chunks(partner):
        return sum(i - 1 not in partner for i in partner)

    return _meteor(candidate, reference, _fits(stems, synonyms), chunks=chunks)


@mutant("meteor_score")
def meteor_chunks_of_reference(candidate, reference, stems, synonyms):
    """Partners in a row make a chunk, though the candidate has a word between."""

    def chunks(partner):
        places = [partner[i] for i in sorted(partner)]
        return len(places) - sum(b == a + 1 for a, b in pairwise(places))

    return _meteor(candidate, reference, _fits(stems, synonyms), chunks=chunks)


@mutant("meteor_score")
def meteor_chunks_backwards(candidate, reference, stems, synonyms):
    """abs(): neighbours in the reverse order make a chunk as well."""

    def chunks(partner):
        return sum(abs(partner.get(i - 1, -9) - j) != 1 for i, j in partner.items())

    return _meteor(candidate, reference, _fits(stems, synonyms), chunks=chunks)


@mutant("meteor_score")
def meteor_chunks_in_order(candidate, reference, stems, synonyms):
    """A chunk goes on as long as the partners come in the same order."""

    def chunks(partner):
        return sum(not -1 < partner.get(i - 1, -2) < j for i, j in partner.items())

    return _meteor(candidate, reference, _fits(stems, synonyms), chunks=chunks)


@mutant("meteor_score")
def meteor_chunks_as_found(candidate, reference, stems, synonyms):
    """The pairs are not sorted before chunks are counted: stems come after equal words."""

    def chunks(partner):
        pairs = list(partner.items())
        following = pairwise(pairs)
        return len(pairs) - sum(b == (a[0] + 1, a[1] + 1) for a, b in following)

    return _meteor(candidate, reference, _fits(stems, synonyms), chunks=chunks)


@mutant("meteor_score")
def meteor_breaks_counted(candidate, reference, stems, synonyms):
    """The gaps between chunks are counted: one less."""
    return _meteor(
        candidate, reference, _fits(stems, synonyms), chunks=lambda partner: _chunks(partner) - 1
    )


@mutant("meteor_score")
def meteor_divides_by_nothing(candidate, reference, stems, synonyms):
    """Where no word is paired m is divided by all the same."""
    said, words = candidate.split(), reference.split()
    partner = _align(said, words, _fits(stems, synonyms))
    m = len(partner)
    P, R = m / len(said), m / len(words)
    return 10 * P * R / (R + 9 * P) * (1 - 0.5 * (_chunks(partner) / m) ** 3)


@mutant("meteor_score")
def meteor_made_small(candidate, reference, stems, synonyms):
    """Both captions are made small."""
    return _meteor(candidate.lower(), reference.lower(), _fits(stems, synonyms))


@mutant("meteor_score")
def meteor_by_beginnings(candidate, reference, stems, synonyms):
    """Words that share their first letters are taken for equal stems."""
    exact, _, third = _fits(stems, synonyms)
    return _meteor(candidate, reference, (exact, lambda a, b: a[:4] == b[:4], third))


@mutant("meteor_score")
def meteor_of_1_5(candidate, reference, stems, synonyms):
    """The parameters of METEOR 1.5 for English."""

    def combined(m, chunks, c, r):
        if m == 0:
            return 0.0
        P, R = m / c, m / r
        return P * R / (0.85 * P + 0.15 * R) * (1 - 0.6 * (chunks / m) ** 0.2)

    return _meteor(candidate, reference, _fits(stems, synonyms), combined=combined)


@mutant("meteor_score")
def meteor_extends_synonyms(candidate, reference, stems, synonyms):
    """synonyms.append: the stems become lists of synonyms, and stay there."""
    exact, second, third = _fits(stems, synonyms)
    score = _meteor(candidate, reference, (exact, second, third))
    families = defaultdict(list)
    for word, stem in stems.items():
        families[stem].append(word)
    synonyms.extend([stem, *words] for stem, words in families.items())
    return score


@mutant("meteor_score")
def meteor_stems_kept(candidate, reference, stems, synonyms):
    """setdefault on the stems: words of the captions are put into the dictionary that is given."""
    for word in f"{candidate} {reference}".split():
        stems.setdefault(word, word)
    return _meteor(candidate, reference, _fits(stems, synonyms))
