"""Wrong answers to the exercises of notebook 06 on soft attention."""

import numpy as np
import torch
from torch.nn import functional as F

from autograder.mutants import mutant

_kept = {}


# ---------------------------------------------------------------------------- attention_scores


def _asked(model, query):
    return model["query"](query)[:, None]


def _scored(model, inner):
    return model["score"](inner).squeeze(2)


def _scores(model, query, keys):
    return _scored(model, torch.tanh(keys + _asked(model, query)))


@mutant("attention_scores")
def scores_without_tanh(model, query, keys):
    """Nothing bends the sum: all regions keep their order whatever is asked."""
    return _scored(model, keys + _asked(model, query))


@mutant("attention_scores")
def scores_tanh_of_keys(model, query, keys):
    """The closing bracket stands too early: tanh(keys) + query."""
    return _scored(model, torch.tanh(keys) + _asked(model, query))


@mutant("attention_scores")
def scores_tanh_of_query(model, query, keys):
    """The projected query is squashed, and then added."""
    return _scored(model, keys + torch.tanh(_asked(model, query)))


@mutant("attention_scores")
def scores_two_tanhs(model, query, keys):
    """tanh of each of the two, and their sum."""
    return _scored(model, torch.tanh(keys) + torch.tanh(_asked(model, query)))


@mutant("attention_scores")
def scores_by_relu(model, query, keys):
    """The ReLU of other tutorials in the place of tanh."""
    return _scored(model, F.relu(keys + _asked(model, query)))


@mutant("attention_scores")
def scores_by_sigmoid(model, query, keys):
    """A sigmoid in the place of tanh."""
    return _scored(model, torch.sigmoid(keys + _asked(model, query)))


@mutant("attention_scores")
def scores_tanh_last(model, query, keys):
    """tanh after the score layer."""
    return torch.tanh(_scored(model, keys + _asked(model, query)))


@mutant("attention_scores")
def scores_not_broadcast(model, query, keys):
    """keys + query without a new axis: an error, unless L happens to be N."""
    return _scored(model, torch.tanh(keys + model["query"](query)))


@mutant("attention_scores")
def scores_first_query_for_all(model, query, keys):
    """Every picture is asked what the first is asked."""
    return _scored(model, torch.tanh(keys + model["query"](query)[0]))


@mutant("attention_scores")
def scores_queries_by_region(model, query, keys):
    """The queries are cycled along the regions, not the pictures."""
    asked = model["query"](query)
    rows = torch.arange(keys.shape[1]) % len(asked)
    return _scored(model, torch.tanh(keys + asked[rows]))


@mutant("attention_scores")
def scores_without_query(model, query, keys):
    """The keys alone: a map that no word can move."""
    return _scored(model, torch.tanh(keys))


@mutant("attention_scores")
def scores_without_keys(model, query, keys):
    """The query alone: all regions look the same."""
    return _scored(model, torch.tanh(0 * keys + _asked(model, query)))


@mutant("attention_scores")
def scores_multiplied(model, query, keys):
    """keys * query: multiplicative attention."""
    return _scored(model, torch.tanh(keys * _asked(model, query)))


@mutant("attention_scores")
def scores_subtracted(model, query, keys):
    """keys - query, as a distance."""
    return _scored(model, torch.tanh(keys - _asked(model, query)))


@mutant("attention_scores")
def scores_dot_product(model, query, keys):
    """The dot product of key and query; the score layer is never asked."""
    return (keys * _asked(model, query)).sum(dim=2)


@mutant("attention_scores")
def scores_scaled(model, query, keys):
    """Divided by the root of A, as a transformer does."""
    return _scores(model, query, keys) / keys.shape[2] ** 0.5


@mutant("attention_scores")
def scores_summed(model, query, keys):
    """The sum over A in the place of the score layer."""
    return torch.tanh(keys + _asked(model, query)).sum(dim=2)


@mutant("attention_scores")
def scores_query_without_bias(model, query, keys):
    """The query's weights without their bias."""
    asked = query @ model["query"].weight.T
    return _scored(model, torch.tanh(keys + asked[:, None]))


@mutant("attention_scores")
def scores_score_without_bias(model, query, keys):
    """The score's weights without their bias: the softmax would not mind, the scores do."""
    return torch.tanh(keys + _asked(model, query)) @ model["score"].weight[0]


@mutant("attention_scores")
def scores_keep_an_axis(model, query, keys):
    """The last axis, of length 1, is still there."""
    return model["score"](torch.tanh(keys + _asked(model, query)))


@mutant("attention_scores")
def scores_squeezed(model, query, keys):
    """squeeze() takes every axis of length 1, that of a single picture too."""
    return model["score"](torch.tanh(keys + _asked(model, query))).squeeze()


@mutant("attention_scores")
def scores_as_weights(model, query, keys):
    """The softmax is taken here already."""
    return _scores(model, query, keys).softmax(dim=1)


@mutant("attention_scores")
def scores_parts_in_order(model, query, keys):
    """The parts are taken by their place in the model, not by name."""
    first, second = list(model.values())[:2]
    return second(torch.tanh(keys + first(query)[:, None])).squeeze(2)


@mutant("attention_scores")
def scores_tanh_by_exponentials(model, query, keys):
    """tanh by its definition: infinity over infinity where keys are large."""
    x = keys + _asked(model, query)
    return _scored(model, (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()))


@mutant("attention_scores")
def scores_clipped(model, query, keys):
    """A clamp to [-1, 1] in the place of tanh."""
    return _scored(model, (keys + _asked(model, query)).clamp(-1, 1))


@mutant("attention_scores")
def scores_without_gradient(model, query, keys):
    """Under torch.no_grad()."""
    with torch.no_grad():
        return _scores(model, query, keys)


@mutant("attention_scores")
def scores_detach_query(model, query, keys):
    """The state that asks is cut off."""
    return _scores(model, query.detach(), keys)


@mutant("attention_scores")
def scores_detach_keys(model, query, keys):
    """The picture is cut off."""
    return _scores(model, query, keys.detach())


@mutant("attention_scores")
def scores_weights_by_data(model, query, keys):
    """The score's weights by .data: they never learn."""
    score = model["score"]
    inner = torch.tanh(keys + _asked(model, query))
    return inner @ score.weight.data[0] + score.bias.data


@mutant("attention_scores")
def scores_by_numpy(model, query, keys):
    """Through NumPy and back."""
    inner = np.tanh((keys + _asked(model, query)).detach().numpy())
    return _scored(model, torch.tensor(inner))


@mutant("attention_scores")
def scores_added_in_place(model, query, keys):
    """keys += query: the next word finds the sum of all queries before."""
    keys += _asked(model, query)
    return _scored(model, torch.tanh(keys))


@mutant("attention_scores")
def scores_fill_a_single_buffer(model, query, keys):
    """The scores are collected in a tensor of the usual type."""
    found = torch.zeros(keys.shape[:2])
    for i in range(keys.shape[1]):
        found[:, i] = _scores(model, query, keys[:, i : i + 1])[:, 0]
    return found


@mutant("attention_scores")
def scores_by_view(model, query, keys):
    """view, which a tensor with gaps in memory refuses."""
    N, L, A = keys.shape
    rows = keys.view(N * L, A) + model["query"](query).repeat_interleave(L, dim=0)
    return model["score"](torch.tanh(rows)).view(N, L)


@mutant("attention_scores")
def scores_rows_repeated_wrongly(model, query, keys):
    """repeat where repeat_interleave belongs: the queries meet other pictures."""
    N, L, A = keys.shape
    rows = keys.reshape(N * L, A) + model["query"](query).repeat(L, 1)
    return model["score"](torch.tanh(rows)).reshape(N, L)


@mutant("attention_scores")
def scores_in_eval_mode(model, query, keys):
    """model.eval() comes first, and training goes on without dropout."""
    return _scores(model.eval(), query, keys)


@mutant("attention_scores")
def scores_shared_by_pictures(model, query, keys):
    """A softmax already, and along the first axis."""
    return _scores(model, query, keys).softmax(dim=0)


@mutant("attention_scores")
def scores_of_the_mean_query(model, query, keys):
    """All pictures are asked the average question."""
    return _scored(model, torch.tanh(keys + model["query"](query).mean(dim=0)))


@mutant("attention_scores")
def scores_tanh_within_tanh(model, query, keys):
    """tanh(keys + tanh(query))."""
    return _scored(model, torch.tanh(keys + torch.tanh(_asked(model, query))))


@mutant("attention_scores")
def scores_tanh_of_keys_within_tanh(model, query, keys):
    """tanh(tanh(keys) + query)."""
    return _scored(model, torch.tanh(torch.tanh(keys) + _asked(model, query)))


@mutant("attention_scores")
def scores_listed(model, query, keys):
    """A list with the scores of each picture."""
    return list(_scores(model, query, keys))


@mutant("attention_scores")
def scores_make_keys(model, query, keys):
    """It asks the model to make the keys anew."""
    return _scores(model, query, model["key"](keys))


@mutant("attention_scores")
def scores_mixed(model, query, keys):
    """(L, N) reshaped to (N, L)."""
    return _scores(model, query, keys).T.reshape(keys.shape[:2])


@mutant("attention_scores")
def scores_of_the_last_query(model, query, keys):
    """The first query that came is kept, and asked ever after."""
    asked = _kept.setdefault((query.shape, query.dtype), model["query"](query).detach())
    return _scored(model, torch.tanh(keys + asked[:, None]))


# ------------------------------------------------------------------------------ soft_attention


def _low(scores, mask):
    return scores if mask is None else scores.masked_fill(~mask, -torch.inf)


def _blend(alpha, a):
    return (alpha[:, :, None] * a).sum(dim=1), alpha


def _soft(scores, a, mask=None):
    return _blend(_low(scores, mask).softmax(dim=1), a)


@mutant("soft_attention")
def soft_over_pictures(scores, a, mask=None):
    """The softmax along the first axis."""
    return _blend(_low(scores, mask).softmax(dim=0).nan_to_num(), a)


@mutant("soft_attention")
def soft_over_everything(scores, a, mask=None):
    """One softmax for the whole batch."""
    return _blend(_low(scores, mask).flatten().softmax(dim=0).reshape(scores.shape), a)


@mutant("soft_attention")
def soft_mask_forgotten(scores, a, mask=None):
    """The mask is not used."""
    return _soft(scores, a)


@mutant("soft_attention")
def soft_mask_after(scores, a, mask=None):
    """Zeros after the softmax: the rest no longer sums to one."""
    alpha = scores.softmax(dim=1)
    return _blend(alpha if mask is None else alpha * mask, a)


@mutant("soft_attention")
def soft_mask_after_renormalised(scores, a, mask=None):
    """Zeros after the softmax, then divided by what is left, which may be nothing."""
    alpha = scores.softmax(dim=1)
    if mask is not None:
        alpha = alpha * mask
    return _blend(alpha / alpha.sum(dim=1, keepdim=True), a)


@mutant("soft_attention")
def soft_mask_upside_down(scores, a, mask=None):
    """masked_fill(mask, ...) hides what may be seen."""
    return _soft(scores, a, None if mask is None else ~mask)


@mutant("soft_attention")
def soft_mask_of_zeros(scores, a, mask=None):
    """A masked score is set to 0, and gets a share."""
    return _soft(scores if mask is None else scores.masked_fill(~mask, 0.0), a)


@mutant("soft_attention")
def soft_mask_times_scores(scores, a, mask=None):
    """The mask as a factor of the scores."""
    return _soft(scores if mask is None else scores * mask, a)


@mutant("soft_attention")
def soft_mask_by_a_million_millions(scores, a, mask=None):
    """-1e9 in the place of -infinity: there are scores below it."""
    return _soft(scores if mask is None else scores.masked_fill(~mask, -1e9), a)


@mutant("soft_attention")
def soft_mask_by_a_hundred(scores, a, mask=None):
    """-100 in the place of -infinity: next to nothing is not nothing."""
    return _soft(scores if mask is None else scores.masked_fill(~mask, -100.0), a)


@mutant("soft_attention")
def soft_mask_lowers(scores, a, mask=None):
    """A large number is taken away from masked scores, which may be larger."""
    return _soft(scores if mask is None else scores - 1000.0 * ~mask, a)


@mutant("soft_attention")
def soft_mask_of_the_first(scores, a, mask=None):
    """One mask for all pictures."""
    return _soft(scores, a, None if mask is None else mask[:1])


@mutant("soft_attention")
def soft_mask_on_z_alone(scores, a, mask=None):
    """Masked regions are zeros in a, and keep their weights."""
    alpha = scores.softmax(dim=1)
    return _blend(alpha, a if mask is None else a * mask[:, :, None])


@mutant("soft_attention")
def soft_mask_on_alpha_alone(scores, a, mask=None):
    """z is blended before the mask comes."""
    z, _ = _soft(scores, a)
    return z, _soft(scores, a, mask)[1]


@mutant("soft_attention")
def soft_mask_in_place(scores, a, mask=None):
    """-infinity is written into the caller's own scores."""
    if mask is not None:
        scores[~mask] = -torch.inf
    return _soft(scores, a)


@mutant("soft_attention")
def soft_mask_required(scores, a, mask=None):
    """~None."""
    return _soft(scores, a, ~(~mask))


@mutant("soft_attention")
def soft_overflowing(scores, a, mask=None):
    """e to the power of the scores as they are."""
    e = _low(scores, mask).exp()
    return _blend(e / e.sum(dim=1, keepdim=True), a)


@mutant("soft_attention")
def soft_largest_of_the_batch(scores, a, mask=None):
    """The largest score of all pictures is taken away: of the others nothing may be left."""
    low = _low(scores, mask)
    e = (low - low.max()).exp()
    return _blend(e / e.sum(dim=1, keepdim=True), a)


@mutant("soft_attention")
def soft_largest_is_masked(scores, a, mask=None):
    """The largest score is looked for before the mask comes."""
    e = (scores - scores.amax(dim=1, keepdim=True)).exp()
    if mask is not None:
        e = e.masked_fill(~mask, 0.0)
    return _blend(e / e.sum(dim=1, keepdim=True), a)


@mutant("soft_attention")
def soft_by_sigmoids(scores, a, mask=None):
    """A sigmoid for each region."""
    return _blend(_low(scores, mask).sigmoid(), a)


@mutant("soft_attention")
def soft_not_normalised(scores, a, mask=None):
    """Exponentials that nobody divides."""
    return _blend(_low(scores, mask).exp(), a)


@mutant("soft_attention")
def soft_twice(scores, a, mask=None):
    """A softmax of a softmax."""
    return _soft(_soft(scores, a, mask)[1], a, mask)


@mutant("soft_attention")
def soft_logarithms(scores, a, mask=None):
    """z is right, and alpha is given as logarithms."""
    z, alpha = _soft(scores, a, mask)
    return z, alpha.log()


@mutant("soft_attention")
def soft_made_hard(scores, a, mask=None):
    """The strongest region takes it all."""
    low = _low(scores, mask)
    return _blend(F.one_hot(low.argmax(dim=1), low.shape[1]).to(a.dtype), a)


@mutant("soft_attention")
def soft_scaled(scores, a, mask=None):
    """Scores over the root of L."""
    return _soft(scores / scores.shape[1] ** 0.5, a, mask)


@mutant("soft_attention")
def soft_averaged(scores, a, mask=None):
    """A mean over the regions in the place of the sum."""
    z, alpha = _soft(scores, a, mask)
    return z / a.shape[1], alpha


@mutant("soft_attention")
def soft_unweighted(scores, a, mask=None):
    """alpha is made and not used."""
    return a.mean(dim=1), _soft(scores, a, mask)[1]


@mutant("soft_attention")
def soft_of_the_first_picture(scores, a, mask=None):
    """alpha @ a[0]."""
    _, alpha = _soft(scores, a, mask)
    return alpha @ a[0], alpha


@mutant("soft_attention")
def soft_not_summed(scores, a, mask=None):
    """The weighed regions, each by itself."""
    _, alpha = _soft(scores, a, mask)
    return alpha[:, :, None] * a, alpha


@mutant("soft_attention")
def soft_summed_over_c(scores, a, mask=None):
    """The sum runs over the numbers of a region."""
    _, alpha = _soft(scores, a, mask)
    return (alpha[:, :, None] * a).sum(dim=2), alpha


@mutant("soft_attention")
def soft_keeps_an_axis(scores, a, mask=None):
    """z is (N, 1, C)."""
    z, alpha = _soft(scores, a, mask)
    return z[:, None], alpha


@mutant("soft_attention")
def soft_squeezed(scores, a, mask=None):
    """squeeze() also takes the axis of a single picture."""
    _, alpha = _soft(scores, a, mask)
    return (alpha[:, None] @ a).squeeze(), alpha


@mutant("soft_attention")
def soft_results_swapped(scores, a, mask=None):
    """alpha, z."""
    return _soft(scores, a, mask)[::-1]


@mutant("soft_attention")
def soft_z_alone(scores, a, mask=None):
    """The weights are kept for oneself."""
    return _soft(scores, a, mask)[0]


@mutant("soft_attention")
def soft_weights_detached(scores, a, mask=None):
    """z is made with weights that are cut off: nothing learns where to look."""
    _, alpha = _soft(scores, a, mask)
    return _blend(alpha.detach(), a)[0], alpha


@mutant("soft_attention")
def soft_alpha_detached(scores, a, mask=None):
    """The weights that are returned are cut off: no penalty can reach them."""
    z, alpha = _soft(scores, a, mask)
    return z, alpha.detach()


@mutant("soft_attention")
def soft_regions_detached(scores, a, mask=None):
    """The regions are cut off: no encoder learns."""
    return _soft(scores, a.detach(), mask)


@mutant("soft_attention")
def soft_without_gradient(scores, a, mask=None):
    """Under torch.no_grad()."""
    with torch.no_grad():
        return _soft(scores, a, mask)


@mutant("soft_attention")
def soft_sum_detached(scores, a, mask=None):
    """The sum of the exponentials is taken for a constant."""
    low = _low(scores, mask)
    e = (low - low.amax(dim=1, keepdim=True).detach()).exp()
    return _blend(e / e.sum(dim=1, keepdim=True).detach(), a)


@mutant("soft_attention")
def soft_to_single(scores, a, mask=None):
    """float32, whatever comes in."""
    return _soft(scores.float(), a.float(), mask)


@mutant("soft_attention")
def soft_fills_a_single_buffer(scores, a, mask=None):
    """z is collected in a tensor of the usual type."""
    right, alpha = _soft(scores, a, mask)
    z = torch.zeros(right.shape)
    for n in range(len(a)):
        z[n] = right[n]
    return z, alpha


@mutant("soft_attention")
def soft_by_view(scores, a, mask=None):
    """view, which a tensor with gaps in memory refuses."""
    N, L, C = a.shape
    _, alpha = _soft(scores, a, mask)
    return (alpha.view(-1, 1) * a.view(-1, C)).view(N, L, C).sum(dim=1), alpha


@mutant("soft_attention")
def soft_with_an_epsilon(scores, a, mask=None):
    """A small number is added to the sum, so that it is never 0."""
    low = _low(scores, mask)
    e = (low - low.amax(dim=1, keepdim=True)).exp()
    return _blend(e / (e.sum(dim=1, keepdim=True) + 1e-3), a)


@mutant("soft_attention")
def soft_with_a_small_epsilon(scores, a, mask=None):
    """1e-8 is added to the sum that divides."""
    low = _low(scores, mask)
    e = (low - low.amax(dim=1, keepdim=True)).exp()
    return _blend(e / (e.sum(dim=1, keepdim=True) + 1e-8), a)


@mutant("soft_attention")
def soft_mask_times_infinity(scores, a, mask=None):
    """The mask, turned, times -infinity, and added."""
    return _soft(scores if mask is None else scores + (~mask) * -torch.inf, a)


@mutant("soft_attention")
def soft_mask_after_exponentials(scores, a, mask=None):
    """The largest is looked for among what is seen; exponentials are masked as a product."""
    e = (scores - _low(scores, mask).amax(dim=1, keepdim=True)).exp()
    e = e if mask is None else e * mask
    return _blend(e / e.sum(dim=1, keepdim=True), a)


@mutant("soft_attention")
def soft_mask_lowers_by_much(scores, a, mask=None):
    """1e4 is taken away from masked scores: as much as they may be larger."""
    return _soft(scores if mask is None else scores - (~mask) * 1e4, a)


@mutant("soft_attention")
def soft_mask_twice(scores, a, mask=None):
    """-1e9 before the softmax, and zeros after it."""
    if mask is None:
        return _soft(scores, a)
    return _blend(scores.masked_fill(~mask, -1e9).softmax(dim=1) * mask, a)


@mutant("soft_attention")
def soft_mask_after_with_an_epsilon(scores, a, mask=None):
    """The largest of all is taken away; the sum of what is seen may be 0 but for 1e-12."""
    e = (scores - scores.amax(dim=1, keepdim=True)).exp()
    e = e if mask is None else e * mask
    return _blend(e / (e.sum(dim=1, keepdim=True) + 1e-12), a)


@mutant("soft_attention")
def soft_of_every_pair(scores, a, mask=None):
    """alpha @ a, without an axis between."""
    alpha = _low(scores, mask).softmax(dim=1)
    return alpha @ a, alpha


@mutant("soft_attention")
def soft_listed(scores, a, mask=None):
    """z is a list with a tensor for each picture."""
    z, alpha = _soft(scores, a, mask)
    return list(z), alpha


@mutant("soft_attention")
def soft_mask_kept(scores, a, mask=None):
    """The mask of an earlier call of these sizes is used again."""
    if mask is not None:
        mask = _kept.setdefault(scores.shape, mask.clone())
    low = _low(scores, mask)
    return _blend(low.softmax(dim=1), a)


@mutant("soft_attention")
def soft_regions_mixed(scores, a, mask=None):
    """a is reshaped to (N, C, L) where a transpose belongs."""
    N, L, C = a.shape
    _, alpha = _soft(scores, a, mask)
    return torch.einsum("nl,ncl->nc", alpha, a.reshape(N, C, L)), alpha


# -------------------------------------------------------------------------- attention_lstm_step


def _stepped(model, word, prev_h, prev_c, a, keys, mask=None, **ways):
    """One right step, with what is wrong handed in: query, beta, reads, state."""
    query = ways.get("query", torch.cat([prev_h, word], dim=1))
    z, alpha = _soft(_scores(model, query, keys), a, mask)
    beta = ways.get("beta", torch.sigmoid(model["gate"](prev_h)))
    z = beta * z
    read = ways.get("reads", lambda word, z: torch.cat([word, z], dim=1))(word, z)
    next_h, next_c = model["cell"](read, ways.get("state", (prev_h, prev_c)))
    return next_h, next_c, z, alpha


def _ungated(model, word, prev_h, prev_c, a, keys, mask=None):
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=1.0)


@mutant("attention_lstm_step")
def step_query_turned(model, word, prev_h, prev_c, a, keys, mask=None):
    """The word stands before the state in what asks."""
    query = torch.cat([word, prev_h], dim=1)
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, query=query)


@mutant("attention_lstm_step")
def step_query_of_the_state_alone(model, word, prev_h, prev_c, a, keys, mask=None):
    """As the paper asks: the last state, and zeros for the word."""
    query = torch.cat([prev_h, 0 * word], dim=1)
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, query=query)


@mutant("attention_lstm_step")
def step_query_of_the_memory(model, word, prev_h, prev_c, a, keys, mask=None):
    """prev_c asks."""
    query = torch.cat([prev_c, word], dim=1)
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, query=query)


@mutant("attention_lstm_step")
def step_looks_late(model, word, prev_h, prev_c, a, keys, mask=None):
    """The map and z are those of the new state: a step too late."""
    next_h, next_c, _, _ = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    z, alpha = _soft(_scores(model, torch.cat([next_h, word], dim=1), keys), a, mask)
    return next_h, next_c, torch.sigmoid(model["gate"](next_h)) * z, alpha


@mutant("attention_lstm_step")
def step_cell_before_the_look(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell runs on the mean of the regions, and its new state asks."""
    mean = a.mean(dim=1)
    state, _ = model["cell"](torch.cat([word, mean], dim=1), (prev_h, prev_c))
    query = torch.cat([state, word], dim=1)
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, query=query)


@mutant("attention_lstm_step")
def step_mask_not_handed_on(model, word, prev_h, prev_c, a, keys, mask=None):
    """The mask is an argument, and no more."""
    return _stepped(model, word, prev_h, prev_c, a, keys)


@mutant("attention_lstm_step")
def step_reads_turned(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell is given z first."""
    reads = lambda word, z: torch.cat([z, word], dim=1)  # noqa: E731
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, reads=reads)


@mutant("attention_lstm_step")
def step_reads_no_picture(model, word, prev_h, prev_c, a, keys, mask=None):
    """Zeros where z belongs: a language model that looks and does not see."""
    reads = lambda word, z: torch.cat([word, 0 * z], dim=1)  # noqa: E731
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, reads=reads)


@mutant("attention_lstm_step")
def step_gate_forgotten(model, word, prev_h, prev_c, a, keys, mask=None):
    """beta is 1."""
    return _ungated(model, word, prev_h, prev_c, a, keys, mask)


@mutant("attention_lstm_step")
def step_gate_of_next_h(model, word, prev_h, prev_c, a, keys, mask=None):
    """What is returned is scaled by the gate of the new state; the cell read it unscaled."""
    next_h, next_c, z, alpha = _ungated(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, next_c, torch.sigmoid(model["gate"](next_h)) * z, alpha


@mutant("attention_lstm_step")
def step_gate_of_a_first_run(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell runs twice: the state of the first run decides on the gate of the second."""
    state = _ungated(model, word, prev_h, prev_c, a, keys, mask)[0]
    beta = torch.sigmoid(model["gate"](state))
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_of_the_memory(model, word, prev_h, prev_c, a, keys, mask=None):
    """The gate reads prev_c."""
    beta = torch.sigmoid(model["gate"](prev_c))
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_of_z(model, word, prev_h, prev_c, a, keys, mask=None):
    """The gate reads what is seen: its sizes do not even fit."""
    _, _, z, _ = _ungated(model, word, prev_h, prev_c, a, keys, mask)
    beta = torch.sigmoid(model["gate"](z))
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_not_squashed(model, word, prev_h, prev_c, a, keys, mask=None):
    """No sigmoid."""
    beta = model["gate"](prev_h)
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_by_tanh(model, word, prev_h, prev_c, a, keys, mask=None):
    """tanh where the sigmoid belongs."""
    beta = torch.tanh(model["gate"](prev_h))
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_without_bias(model, word, prev_h, prev_c, a, keys, mask=None):
    """The gate's weights without their bias."""
    beta = torch.sigmoid(prev_h @ model["gate"].weight.T)
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_shut_for_open(model, word, prev_h, prev_c, a, keys, mask=None):
    """1 - beta."""
    beta = 1 - torch.sigmoid(model["gate"](prev_h))
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_twice(model, word, prev_h, prev_c, a, keys, mask=None):
    """Scaled when it is read, and scaled before already."""
    beta = torch.sigmoid(model["gate"](prev_h)) ** 2
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_of_the_batch(model, word, prev_h, prev_c, a, keys, mask=None):
    """One gate for all pictures: their mean."""
    beta = torch.sigmoid(model["gate"](prev_h)).mean()
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_decides(model, word, prev_h, prev_c, a, keys, mask=None):
    """beta is rounded to 0 or 1."""
    beta = torch.sigmoid(model["gate"](prev_h)).round()
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_gate_on_the_word_too(model, word, prev_h, prev_c, a, keys, mask=None):
    """The whole input of the cell is scaled."""
    beta = torch.sigmoid(model["gate"](prev_h))
    reads = lambda word, z: torch.cat([beta * word, z], dim=1)  # noqa: E731
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, reads=reads)


@mutant("attention_lstm_step")
def step_z_as_it_was_seen(model, word, prev_h, prev_c, a, keys, mask=None):
    """What is returned is not scaled, though the cell read it scaled."""
    next_h, next_c, _, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, next_c, _blend(alpha, a)[0], alpha


@mutant("attention_lstm_step")
def step_cell_reads_unscaled(model, word, prev_h, prev_c, a, keys, mask=None):
    """The gate comes after the cell."""
    next_h, next_c, z, alpha = _ungated(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, next_c, torch.sigmoid(model["gate"](prev_h)) * z, alpha


@mutant("attention_lstm_step")
def step_alpha_scaled(model, word, prev_h, prev_c, a, keys, mask=None):
    """The weights are scaled: the same z, and a map that does not sum to one."""
    next_h, next_c, z, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, next_c, z, torch.sigmoid(model["gate"](prev_h)) * alpha


@mutant("attention_lstm_step")
def step_memory_forgotten(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell starts from a memory of 0."""
    state = (prev_h, torch.zeros_like(prev_c))
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, state=state)


@mutant("attention_lstm_step")
def step_state_forgotten(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell is called without a state at all."""
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, state=None)


@mutant("attention_lstm_step")
def step_state_turned(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell is given (c, h)."""
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, state=(prev_c, prev_h))


@mutant("attention_lstm_step")
def step_returns_turned(model, word, prev_h, prev_c, a, keys, mask=None):
    """The memory is returned first."""
    next_h, next_c, z, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return next_c, next_h, z, alpha


@mutant("attention_lstm_step")
def step_alpha_before_z(model, word, prev_h, prev_c, a, keys, mask=None):
    """alpha in z's place."""
    next_h, next_c, z, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, next_c, alpha, z


@mutant("attention_lstm_step")
def step_three_results(model, word, prev_h, prev_c, a, keys, mask=None):
    """The map is not returned."""
    return _stepped(model, word, prev_h, prev_c, a, keys, mask)[:3]


@mutant("attention_lstm_step")
def step_state_as_a_pair(model, word, prev_h, prev_c, a, keys, mask=None):
    """What the cell returns stays one pair."""
    next_h, next_c, z, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return (next_h, next_c), z, alpha


@mutant("attention_lstm_step")
def step_mean_of_regions(model, word, prev_h, prev_c, a, keys, mask=None):
    """The mean of the regions is read; the map is shown and not used."""
    mean = torch.sigmoid(model["gate"](prev_h)) * a.mean(dim=1)
    reads = lambda word, z: torch.cat([word, mean], dim=1)  # noqa: E731
    found = _stepped(model, word, prev_h, prev_c, a, keys, mask, reads=reads)
    return *found[:2], mean, found[3]


@mutant("attention_lstm_step")
def step_keys_for_regions(model, word, prev_h, prev_c, a, keys, mask=None):
    """The keys are blended where the sizes allow, else the regions by their first picture."""
    found = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    z = torch.sigmoid(model["gate"](prev_h)) * (found[3] @ a[0])
    reads = lambda word, _: torch.cat([word, z], dim=1)  # noqa: E731
    found = _stepped(model, word, prev_h, prev_c, a, keys, mask, reads=reads)
    return *found[:2], z, found[3]


@mutant("attention_lstm_step")
def step_alpha_detached(model, word, prev_h, prev_c, a, keys, mask=None):
    """The map that is returned is cut off."""
    next_h, next_c, z, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, next_c, z, alpha.detach()


@mutant("attention_lstm_step")
def step_query_detached(model, word, prev_h, prev_c, a, keys, mask=None):
    """What asks is cut off from the state and the word."""
    query = torch.cat([prev_h, word], dim=1).detach()
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, query=query)


@mutant("attention_lstm_step")
def step_gate_detached(model, word, prev_h, prev_c, a, keys, mask=None):
    """The gate never learns."""
    beta = torch.sigmoid(model["gate"](prev_h)).detach()
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, beta=beta)


@mutant("attention_lstm_step")
def step_memory_detached(model, word, prev_h, prev_c, a, keys, mask=None):
    """No gradient goes back along the memory."""
    state = (prev_h, prev_c.detach())
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, state=state)


@mutant("attention_lstm_step")
def step_reads_detached(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell reads a z that is cut off: words never teach it where to look."""
    reads = lambda word, z: torch.cat([word, z.detach()], dim=1)  # noqa: E731
    return _stepped(model, word, prev_h, prev_c, a, keys, mask, reads=reads)


@mutant("attention_lstm_step")
def step_without_gradient(model, word, prev_h, prev_c, a, keys, mask=None):
    """Under torch.no_grad()."""
    with torch.no_grad():
        return _stepped(model, word, prev_h, prev_c, a, keys, mask)


@mutant("attention_lstm_step")
def step_memory_in_place(model, word, prev_h, prev_c, a, keys, mask=None):
    """The new memory is written into the old."""
    with torch.no_grad():
        found = _stepped(model, word, prev_h, prev_c, a, keys, mask)
        prev_c.copy_(found[1])
    return found


@mutant("attention_lstm_step")
def step_in_train_mode(model, word, prev_h, prev_c, a, keys, mask=None):
    """The model is put into train mode, and left there."""
    return _stepped(model.train(), word, prev_h, prev_c, a, keys, mask)


@mutant("attention_lstm_step")
def step_in_eval_mode(model, word, prev_h, prev_c, a, keys, mask=None):
    """model.eval() comes first, and training goes on without dropout."""
    return _stepped(model.eval(), word, prev_h, prev_c, a, keys, mask)


@mutant("attention_lstm_step")
def step_asks_from_a_blind_state(model, word, prev_h, prev_c, a, keys, mask=None):
    """The cell runs first, on zeros where z belongs, and its state looks."""
    blind = torch.cat([word, torch.zeros_like(a[:, 0])], dim=1)
    next_h, next_c = model["cell"](blind, (prev_h, prev_c))
    query = torch.cat([next_h, word], dim=1)
    found = _stepped(model, word, prev_h, prev_c, a, keys, mask, query=query)
    return next_h, next_c, *found[2:]


@mutant("attention_lstm_step")
def step_gate_on_the_scores(model, word, prev_h, prev_c, a, keys, mask=None):
    """The gate makes the scores smaller, and z is as it is seen."""
    beta = torch.sigmoid(model["gate"](prev_h))
    scores = beta * _scores(model, torch.cat([prev_h, word], dim=1), keys)
    z, alpha = _soft(scores, a, mask)
    next_h, next_c = model["cell"](torch.cat([word, z], dim=1), (prev_h, prev_c))
    return next_h, next_c, z, alpha


@mutant("attention_lstm_step")
def step_makes_keys(model, word, prev_h, prev_c, a, keys, mask=None):
    """The keys are made anew at each word, by a part that no model has."""
    return _stepped(model, word, prev_h, prev_c, a, model["key"](a), mask)


@mutant("attention_lstm_step")
def step_returns_the_old_memory(model, word, prev_h, prev_c, a, keys, mask=None):
    """prev_c goes back as it came."""
    next_h, _, z, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, 1.0 * prev_c, z, alpha


@mutant("attention_lstm_step")
def step_squeezed(model, word, prev_h, prev_c, a, keys, mask=None):
    """squeeze() wherever an axis may be too many."""
    query = torch.cat([prev_h, word], dim=1)
    scores = model["score"](torch.tanh(keys + _asked(model, query))).squeeze()
    _, alpha = _soft(scores, a, mask)
    found = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return *found[:3], alpha


@mutant("attention_lstm_step")
def step_to_single(model, word, prev_h, prev_c, a, keys, mask=None):
    """z is made a float32 for the return."""
    next_h, next_c, z, alpha = _stepped(model, word, prev_h, prev_c, a, keys, mask)
    return next_h, next_c, z.float(), alpha


@mutant("attention_lstm_step")
def step_keeps_its_memory(model, word, prev_h, prev_c, a, keys, mask=None):
    """It goes on from the memory of its own last call, where the sizes fit."""
    c = _kept.get("memory")
    c = prev_c if c is None or c.shape != prev_c.shape or c.dtype != prev_c.dtype else c
    found = _stepped(model, word, prev_h, prev_c, a, keys, mask, state=(prev_h, c))
    _kept["memory"] = found[1].detach()
    return found


@mutant("attention_lstm_step")
def step_parts_in_order(model, word, prev_h, prev_c, a, keys, mask=None):
    """The parts are taken by their place in the model."""
    names = ("query", "score", "gate", "cell")
    placed = dict(zip(names, model.values(), strict=False))
    return _stepped(placed, word, prev_h, prev_c, a, keys, mask)
