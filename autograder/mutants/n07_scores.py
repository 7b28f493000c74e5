"""Wrong answers to the exercises of notebook 07 that score regions with words, and pictures."""

import numpy as np
import torch
from torch.nn import functional as F

from autograder.mutants import mutant

_kept = {}


# -------------------------------------------------------------------------- region_word_scores


def _dots(v, s):
    return torch.einsum("nld,mtd->nmlt", v, s)


@mutant("region_word_scores")
def dots_without_bias(a, s, Wv, bv):
    """The matrix alone; bv is never read."""
    return _dots(a @ Wv, s)


@mutant("region_word_scores")
def dots_bias_twice(a, s, Wv, bv):
    """bv comes with a linear layer, and once more by hand."""
    return _dots(F.linear(a, Wv.T, bv) + bv, s)


@mutant("region_word_scores")
def dots_bias_subtracted(a, s, Wv, bv):
    """A minus where the plus belongs."""
    return _dots(a @ Wv - bv, s)


@mutant("region_word_scores")
def dots_bias_of_the_first(a, s, Wv, bv):
    """bv on one region of each picture, by an index that is too narrow."""
    v = a @ Wv
    first = torch.zeros_like(v)
    first[:, 0] = bv
    return _dots(v + first, s)


@mutant("region_word_scores")
def dots_bias_on_the_scores(a, s, Wv, bv):
    """The sum of bv is added to the finished scores."""
    return _dots(a @ Wv, s) + bv.sum()


@mutant("region_word_scores")
def dots_bias_along_the_regions(a, s, Wv, bv):
    """bv[:, None]: an error, unless L happens to be D."""
    return _dots(a @ Wv + bv[:, None], s)


@mutant("region_word_scores")
def dots_matrix_transposed(a, s, Wv, bv):
    """a @ Wv.T, as a Linear keeps its weights."""
    return _dots(a @ Wv.T + bv, s)


@mutant("region_word_scores")
def dots_relu_on_regions(a, s, Wv, bv):
    """The convnet's habit: a ReLU behind every layer."""
    return _dots(F.relu(a @ Wv + bv), s)


@mutant("region_word_scores")
def dots_tanh_on_regions(a, s, Wv, bv):
    """A layer of attention, with its tanh."""
    return _dots(torch.tanh(a @ Wv + bv), s)


@mutant("region_word_scores")
def dots_relu_on_words(a, s, Wv, bv):
    """The nonlinearity of the word network, a second time."""
    return _dots(a @ Wv + bv, F.relu(s))


@mutant("region_word_scores")
def dots_cut_at_0(a, s, Wv, bv):
    """max(0, v . s), as in the first form of the model."""
    return _dots(a @ Wv + bv, s).clamp(min=0)


@mutant("region_word_scores")
def dots_in_size(a, s, Wv, bv):
    """Absolute values."""
    return _dots(a @ Wv + bv, s).abs()


@mutant("region_word_scores")
def dots_as_cosines(a, s, Wv, bv):
    """Both vectors brought to length 1."""
    return _dots(F.normalize(a @ Wv + bv, dim=-1), F.normalize(s, dim=-1))


@mutant("region_word_scores")
def dots_unit_regions(a, s, Wv, bv):
    """Only the regions brought to length 1."""
    return _dots(F.normalize(a @ Wv + bv, dim=-1), s)


@mutant("region_word_scores")
def dots_unit_words(a, s, Wv, bv):
    """Only the words brought to length 1."""
    return _dots(a @ Wv + bv, F.normalize(s, dim=-1))


@mutant("region_word_scores")
def dots_scaled(a, s, Wv, bv):
    """Over the root of D, as transformers have it."""
    return _dots(a @ Wv + bv, s) / s.shape[-1] ** 0.5


@mutant("region_word_scores")
def dots_averaged(a, s, Wv, bv):
    """mean(-1) of the products in the place of sum(-1)."""
    return ((a @ Wv + bv)[:, None, :, None] * s[None, :, None]).mean(-1)


@mutant("region_word_scores")
def dots_not_summed(a, s, Wv, bv):
    """The products, with their D."""
    return (a @ Wv + bv)[:, None, :, None] * s[None, :, None]


@mutant("region_word_scores")
def dots_softmax_over_regions(a, s, Wv, bv):
    """Attention weights of each word."""
    return _dots(a @ Wv + bv, s).softmax(dim=2)


@mutant("region_word_scores")
def dots_softmax_over_words(a, s, Wv, bv):
    """Each region shares itself out among the words."""
    return _dots(a @ Wv + bv, s).softmax(dim=3)


@mutant("region_word_scores")
def dots_squashed(a, s, Wv, bv):
    """A sigmoid makes probabilities of them."""
    return torch.sigmoid(_dots(a @ Wv + bv, s))


@mutant("region_word_scores")
def dots_exponentials(a, s, Wv, bv):
    """exp, for a softmax that somebody else is to finish."""
    return _dots(a @ Wv + bv, s).exp()


@mutant("region_word_scores")
def dots_distances(a, s, Wv, bv):
    """How near, not how alike: minus the squared distance."""
    gap = (a @ Wv + bv)[:, None, :, None] - s[None, :, None]
    return -gap.square().sum(-1)


@mutant("region_word_scores")
def dots_same_number_only(a, s, Wv, bv):
    """bmm of picture n with sentence n."""
    return torch.bmm(a @ Wv + bv, s.transpose(1, 2))


@mutant("region_word_scores")
def dots_sentences_first(a, s, Wv, bv):
    """(M, N, L, T)."""
    return _dots(a @ Wv + bv, s).transpose(0, 1)


@mutant("region_word_scores")
def dots_words_before_regions(a, s, Wv, bv):
    """(N, M, T, L)."""
    return torch.einsum("nld,mtd->nmtl", a @ Wv + bv, s)


@mutant("region_word_scores")
def dots_as_they_come(a, s, Wv, bv):
    """tensordot's own order: (N, L, M, T)."""
    return torch.tensordot(a @ Wv + bv, s, dims=([2], [2]))


@mutant("region_word_scores")
def dots_reshaped_wrongly(a, s, Wv, bv):
    """tensordot's own order, made to fit by reshape."""
    N, L, M, T = *a.shape[:2], *s.shape[:2]
    return torch.tensordot(a @ Wv + bv, s, dims=([2], [2])).reshape(N, M, L, T)


@mutant("region_word_scores")
def dots_words_reshaped(a, s, Wv, bv):
    """reshape(D, M * T) where a transpose is meant."""
    M, T, D = s.shape
    flat = (a @ Wv + bv) @ s.reshape(D, M * T)
    return flat.reshape(*a.shape[:2], M, T).permute(0, 2, 1, 3)


@mutant("region_word_scores")
def dots_flat(a, s, Wv, bv):
    """One large matrix, (N * L, M * T)."""
    return (a @ Wv + bv).flatten(0, 1) @ s.flatten(0, 1).T


@mutant("region_word_scores")
def dots_squeezed(a, s, Wv, bv):
    """squeeze() at the end takes every axis of length 1."""
    return _dots(a @ Wv + bv, s).squeeze()


@mutant("region_word_scores")
def dots_best_already(a, s, Wv, bv):
    """The maximum over the regions, a step too early."""
    return _dots(a @ Wv + bv, s).amax(dim=2)


@mutant("region_word_scores")
def dots_summed_already(a, s, Wv, bv):
    """The whole score of picture and sentence."""
    return _dots(a @ Wv + bv, s).amax(dim=2).sum(dim=2)


@mutant("region_word_scores")
def dots_first_picture_for_all(a, s, Wv, bv):
    """a[0], out of a loop that was taken away."""
    return _dots((a[:1] @ Wv + bv).expand(len(a), -1, -1), s)


@mutant("region_word_scores")
def dots_first_sentence_for_all(a, s, Wv, bv):
    """s[0] for every sentence."""
    return _dots(a @ Wv + bv, s[:1].expand_as(s))


@mutant("region_word_scores")
def dots_mean_region(a, s, Wv, bv):
    """The picture as one vector, for each region."""
    v = (a @ Wv + bv).mean(dim=1, keepdim=True).expand(-1, a.shape[1], -1)
    return _dots(v, s)


@mutant("region_word_scores")
def dots_centred_regions(a, s, Wv, bv):
    """What all regions of a picture share is taken away."""
    v = a @ Wv + bv
    return _dots(v - v.mean(dim=1, keepdim=True), s)


@mutant("region_word_scores")
def dots_sign_turned(a, s, Wv, bv):
    """A minus too many: energies."""
    return -_dots(a @ Wv + bv, s)


@mutant("region_word_scores")
def dots_without_gradient(a, s, Wv, bv):
    """Everything under no_grad."""
    with torch.no_grad():
        return _dots(a @ Wv + bv, s)


@mutant("region_word_scores")
def dots_words_detached(a, s, Wv, bv):
    """The words are taken for constants."""
    return _dots(a @ Wv + bv, s.detach())


@mutant("region_word_scores")
def dots_regions_detached(a, s, Wv, bv):
    """a through .data, for it is a frozen convnet's."""
    return _dots(a.data @ Wv + bv, s)


@mutant("region_word_scores")
def dots_bias_as_numbers(a, s, Wv, bv):
    """torch.tensor(bv.tolist()): no way back."""
    return _dots(a @ Wv + torch.tensor(bv.tolist(), dtype=bv.dtype), s)


@mutant("region_word_scores")
def dots_by_numpy(a, s, Wv, bv):
    """There and back through NumPy."""
    a, s, Wv, bv = (each.detach().numpy() for each in (a, s, Wv, bv))
    return torch.from_numpy(np.einsum("nld,mtd->nmlt", a @ Wv + bv, s))


@mutant("region_word_scores")
def dots_into_a_single_buffer(a, s, Wv, bv):
    """A buffer of torch.zeros, which is float32."""
    v = a @ Wv + bv
    found = torch.zeros(len(a), len(s), a.shape[1], s.shape[1])
    for m, words in enumerate(s):
        found[:, m] = v @ words.T
    return found


@mutant("region_word_scores")
def dots_in_single_and_back(a, s, Wv, bv):
    """.float() on everything, and back to what came."""
    return _dots(a.float() @ Wv.float() + bv.float(), s.float()).to(a.dtype)


@mutant("region_word_scores")
def dots_in_double(a, s, Wv, bv):
    """.double() on everything, to be on the safe side."""
    return _dots(a.double() @ Wv.double() + bv.double(), s.double())


@mutant("region_word_scores")
def dots_words_scaled_in_place(a, s, Wv, bv):
    """The words are brought to length 1 where they lie, and back."""
    lengths = s.norm(dim=-1, keepdim=True)
    s /= 2 * lengths
    return _dots(a @ Wv + bv, 2 * s * lengths)


@mutant("region_word_scores")
def dots_by_view(a, s, Wv, bv):
    """view on what may not be contiguous."""
    v = (a.view(-1, a.shape[2]) @ Wv + bv).view(*a.shape[:2], -1)
    return _dots(v, s)


@mutant("region_word_scores")
def dots_regions_of_the_last_call(a, s, Wv, bv):
    """Projected regions are kept by their shape, not by what they are."""
    if _kept.get("shape") != a.shape:
        _kept.update(shape=a.shape, v=a @ Wv + bv)
    return _dots(_kept["v"], s)


# ------------------------------------------------------------------------ image_sentence_score


def _low(scores, seen):
    return scores.masked_fill(~seen[:, None, :, None], -torch.inf)


def _finish(found, best, real):
    return found.masked_fill(~real, 0).sum(dim=2), best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_padding_counts(scores, real, seen):
    """S without real; only best knows of it."""
    found, best = _low(scores, seen).max(dim=2)
    return found.sum(dim=2), best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_padding_upside_down(scores, real, seen):
    """True is taken for padding."""
    return _finish(*_low(scores, seen).max(dim=2), ~real)


@mutant("image_sentence_score")
def fit_length_of_the_first(scores, real, seen):
    """One row of real for all sentences."""
    return _finish(*_low(scores, seen).max(dim=2), real[:1])


@mutant("image_sentence_score")
def fit_padding_taken_away_again(scores, real, seen):
    """All words are added up, and the padding is subtracted."""
    found, best = _low(scores, seen).max(dim=2)
    S = found.sum(dim=2) - found.masked_fill(real, 0).sum(dim=2)
    return S, best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_padding_of_zeros_chosen(scores, real, seen):
    """Padding is 0 before the choice, so best has regions for it."""
    found, best = _low(scores.masked_fill(~real[:, None], 0), seen).max(dim=2)
    return found.sum(dim=2), best


@mutant("image_sentence_score")
def fit_padding_best_0(scores, real, seen):
    """best times real: region 0."""
    found, best = _low(scores, seen).max(dim=2)
    return found.masked_fill(~real, 0).sum(dim=2), best * real


@mutant("image_sentence_score")
def fit_padding_infinite(scores, real, seen):
    """-infinity in the padding, and then a sum."""
    found, best = _low(scores, seen).max(dim=2)
    return found.masked_fill(~real, -torch.inf).sum(dim=2), best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_words_counted(scores, real, seen):
    """arange below the number of words: none is hidden before the end."""
    real = torch.arange(real.shape[1]) < real.sum(dim=1, keepdim=True)
    return _finish(*_low(scores, seen).max(dim=2), real)


@mutant("image_sentence_score")
def fit_stops_at_the_first_gap(scores, real, seen):
    """A loop over the words that breaks where real is False."""
    real = real.long().cumprod(dim=1).bool()
    return _finish(*_low(scores, seen).max(dim=2), real)


@mutant("image_sentence_score")
def fit_unseen_in_all_pictures(scores, real, seen):
    """seen.any(0), for its first axis was in the way."""
    low = scores.masked_fill(~seen.any(dim=0)[:, None], -torch.inf)
    return _finish(*low.max(dim=2), real)


@mutant("image_sentence_score")
def fit_in_single_and_back(scores, real, seen):
    """.float() inside, and .to(scores.dtype) behind it."""
    S, best = _finish(*_low(scores.float(), seen).max(dim=2), real)
    return S.to(scores.dtype), best


@mutant("image_sentence_score")
def fit_indices_of_max_in_place(scores, real, seen):
    """-1 is written into what max has returned."""
    found, best = _low(scores, seen).max(dim=2)
    best[:, ~real] = -1
    return found.masked_fill(~real, 0).sum(dim=2), best


@mutant("image_sentence_score")
def fit_unseen_chosen(scores, real, seen):
    """seen is never read."""
    return _finish(*scores.max(dim=2), real)


@mutant("image_sentence_score")
def fit_unseen_upside_down(scores, real, seen):
    """True is taken for hidden."""
    return _finish(*_low(scores, ~seen).max(dim=2), real)


@mutant("image_sentence_score")
def fit_unseen_as_zero(scores, real, seen):
    """A product with seen: 0 wins where all are negative."""
    return _finish(*(scores * seen[:, None, :, None]).max(dim=2), real)


@mutant("image_sentence_score")
def fit_unseen_lowered(scores, real, seen):
    """A thousand millions are taken away, which may be too few."""
    low = scores - 1e9 * (~seen[:, None, :, None]).to(scores.dtype)
    return _finish(*low.max(dim=2), real)


@mutant("image_sentence_score")
def fit_unseen_by_a_number(scores, real, seen):
    """-1e9 stands where nothing is seen, which may be above the others."""
    low = scores.masked_fill(~seen[:, None, :, None], -1e9)
    return _finish(*low.max(dim=2), real)


@mutant("image_sentence_score")
def fit_unseen_by_a_small_number(scores, real, seen):
    """-1 stands where nothing is seen."""
    return _finish(*scores.masked_fill(~seen[:, None, :, None], -1.0).max(dim=2), real)


@mutant("image_sentence_score")
def fit_unseen_after_the_choice(scores, real, seen):
    """Chosen first; who chose a hidden region gets 0."""
    found, best = scores.max(dim=2)
    there = torch.gather(seen[:, None].expand(-1, scores.shape[1], -1), 2, best)
    return _finish(found * there, best, real)


@mutant("image_sentence_score")
def fit_regions_of_the_first(scores, real, seen):
    """One row of seen for all pictures."""
    return _finish(*_low(scores, seen[:1]).max(dim=2), real)


@mutant("image_sentence_score")
def fit_best_among_the_seen(scores, real, seen):
    """Hidden regions are cut out, and best counts what is left."""
    parts = [own[:, at].max(dim=1) for own, at in zip(scores, seen, strict=True)]
    found, best = (torch.stack(each) for each in zip(*parts, strict=True))
    return _finish(found, best, real)


@mutant("image_sentence_score")
def fit_cut_at_0(scores, real, seen):
    """max(0, .), as in the paper's first form."""
    found, best = _low(scores, seen).max(dim=2)
    return _finish(found.clamp(min=0), best, real)


@mutant("image_sentence_score")
def fit_best_in_size(scores, real, seen):
    """The region of the largest absolute score."""
    best = scores.abs().masked_fill(~seen[:, None, :, None], -1).argmax(dim=2)
    return _finish(scores.gather(2, best[:, :, None])[:, :, 0], best, real)


@mutant("image_sentence_score")
def fit_lowest_region(scores, real, seen):
    """min for max."""
    high = scores.masked_fill(~seen[:, None, :, None], torch.inf)
    return _finish(*high.min(dim=2), real)


@mutant("image_sentence_score")
def fit_all_regions(scores, real, seen):
    """The scores of all regions, added up."""
    best = _low(scores, seen).argmax(dim=2)
    return _finish((scores * seen[:, None, :, None]).sum(dim=2), best, real)


@mutant("image_sentence_score")
def fit_mean_region(scores, real, seen):
    """The mean of the regions that are there."""
    there = seen[:, None, :, None]
    best = _low(scores, seen).argmax(dim=2)
    return _finish((scores * there).sum(dim=2) / there.sum(dim=2), best, real)


@mutant("image_sentence_score")
def fit_soft_maximum(scores, real, seen):
    """logsumexp over the regions."""
    low = _low(scores, seen)
    return _finish(low.logsumexp(dim=2), low.argmax(dim=2), real)


@mutant("image_sentence_score")
def fit_attended(scores, real, seen):
    """A softmax blends the regions, as in the notebook before."""
    low = _low(scores, seen)
    return _finish((low.softmax(dim=2) * scores).sum(dim=2), low.argmax(dim=2), real)


@mutant("image_sentence_score")
def fit_mean_of_words(scores, real, seen):
    """Divided by the number of words; 0/0 where there is none."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return S / real.sum(dim=1), best


@mutant("image_sentence_score")
def fit_divided_by_steps(scores, real, seen):
    """mean(dim=2), padding and all in the count."""
    found, best = _low(scores, seen).max(dim=2)
    return found.masked_fill(~real, 0).mean(dim=2), best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_one_region_a_sentence(scores, real, seen):
    """First the sum over the words, then the best region."""
    total = scores.masked_fill(~real[:, None], 0).sum(dim=3)
    S, best = total.masked_fill(~seen[:, None], -torch.inf).max(dim=2)
    return S, best[:, :, None].expand(-1, -1, real.shape[1]).masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_best_word_of_regions(scores, real, seen):
    """The other direction: each region's best word, added up."""
    words = scores.masked_fill(~real[:, None], -torch.inf).amax(dim=3)
    best = _low(scores, seen).argmax(dim=2).masked_fill(~real, -1)
    return words.masked_fill(~seen[:, None], 0).sum(dim=2), best


@mutant("image_sentence_score")
def fit_best_word_alone(scores, real, seen):
    """max in the place of the sum."""
    found, best = _low(scores, seen).max(dim=2)
    return found.masked_fill(~real, -torch.inf).amax(dim=2), best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_words_left_apart(scores, real, seen):
    """S is never added up."""
    found, best = _low(scores, seen).max(dim=2)
    return found.masked_fill(~real, 0), best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_maximum_over_words(scores, real, seen):
    """dim=3: the best word of every region."""
    found, best = _low(scores, seen).max(dim=3)
    return found.sum(dim=2), best


@mutant("image_sentence_score")
def fit_sentences_first(scores, real, seen):
    """S is (M, N)."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return S.T, best


@mutant("image_sentence_score")
def fit_last_word_left_out(scores, real, seen):
    """A slice that ends too early, of S alone."""
    found, best = _low(scores, seen).max(dim=2)
    found = found.masked_fill(~real, 0)
    return found[:, :, :-1].sum(dim=2), best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_counted_from_1(scores, real, seen):
    """The first region is 1."""
    found, best = _low(scores, seen).max(dim=2)
    return _finish(found, best + 1, real)


@mutant("image_sentence_score")
def fit_without_words_left_out(scores, real, seen):
    """A sentence without words gets -infinity: it should never win."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return S.masked_fill(~real.any(dim=1), -torch.inf), best


@mutant("image_sentence_score")
def fit_at_least_a_word(scores, real, seen):
    """Every sentence has a first word, it is thought."""
    real = real.clone()
    real[:, 0] = True
    return _finish(*_low(scores, seen).max(dim=2), real)


@mutant("image_sentence_score")
def fit_results_turned(scores, real, seen):
    """best, S."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return best, S


@mutant("image_sentence_score")
def fit_S_alone(scores, real, seen):
    """No word of the regions."""
    return _finish(*_low(scores, seen).max(dim=2), real)[0]


@mutant("image_sentence_score")
def fit_best_as_floats(scores, real, seen):
    """The numbers of regions, of the type of the scores."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return S, best.to(scores.dtype)


@mutant("image_sentence_score")
def fit_best_in_int32(scores, real, seen):
    """To save memory."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return S, best.int()


@mutant("image_sentence_score")
def fit_squeezed(scores, real, seen):
    """squeeze() at the end takes every axis of length 1."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return S.squeeze(), best.squeeze()


@mutant("image_sentence_score")
def fit_ties_halved(scores, real, seen):
    """best is where the maximum was found, averaged if it was found twice."""
    low = _low(scores, seen)
    found = low.amax(dim=2)
    at = (low == found[:, :, None]).double()
    regions = torch.arange(low.shape[2], dtype=torch.float64)[:, None]
    best = ((at * regions).sum(dim=2) / at.sum(dim=2)).round().long()
    return _finish(found, best, real)


@mutant("image_sentence_score")
def fit_without_gradient(scores, real, seen):
    """Detached before it is returned."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    return S.detach(), best


@mutant("image_sentence_score")
def fit_gradient_to_all(scores, real, seen):
    """The value of the best region, with the gradient of a softmax."""
    low = _low(scores, seen)
    found, best = low.max(dim=2)
    soft = low.logsumexp(dim=2)
    return _finish(soft + (found - soft).detach(), best, real)


@mutant("image_sentence_score")
def fit_gradient_averaged(scores, real, seen):
    """The value of the sum, with the gradient of the mean."""
    S, best = _finish(*_low(scores, seen).max(dim=2), real)
    mean = S / real.sum(dim=1).clamp(min=1)
    return mean + (S - mean).detach(), best


@mutant("image_sentence_score")
def fit_index_in_place(scores, real, seen):
    """-1 is written into the numbers that gather is to need on the way back."""
    best = _low(scores, seen).argmax(dim=2)
    found = scores.gather(2, best[:, :, None])[:, :, 0]
    best[~real.expand_as(best)] = -1
    return found.masked_fill(~real, 0).sum(dim=2), best


@mutant("image_sentence_score")
def fit_in_place(scores, real, seen):
    """masked_fill_ on the scores themselves."""
    return _finish(*scores.masked_fill_(~seen[:, None, :, None], -torch.inf).max(dim=2), real)


@mutant("image_sentence_score")
def fit_into_a_single_buffer(scores, real, seen):
    """Sums go into torch.zeros, which is float32."""
    found, best = _low(scores, seen).max(dim=2)
    S = torch.zeros(best.shape[:2])
    for t in range(best.shape[2]):
        S = S + found[:, :, t].float() * real[:, t]
    return S, best.masked_fill(~real, -1)


@mutant("image_sentence_score")
def fit_in_double(scores, real, seen):
    """.double() before anything else."""
    return _finish(*_low(scores.double(), seen).max(dim=2), real)


@mutant("image_sentence_score")
def fit_by_view(scores, real, seen):
    """view on what may not be contiguous."""
    N, M, L, T = scores.shape
    hidden = ~seen.repeat_interleave(M, dim=0)[:, :, None]
    low = scores.view(N * M, L, T).masked_fill(hidden, -torch.inf)
    return _finish(*low.reshape(N, M, L, T).max(dim=2), real)


@mutant("image_sentence_score")
def fit_masks_not_broadcast(scores, real, seen):
    """seen as it is, against the last two axes."""
    return _finish(*scores.masked_fill(~seen, -torch.inf).max(dim=2), real)


@mutant("image_sentence_score")
def fit_seen_of_the_last_call(scores, real, seen):
    """The mask is kept by its shape, not by what it says."""
    if _kept.get("seen_shape") != seen.shape:
        _kept.update(seen_shape=seen.shape, seen=seen.clone())
    return _finish(*_low(scores, _kept["seen"]).max(dim=2), real)
