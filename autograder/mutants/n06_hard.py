"""Wrong answers to the exercises of notebook 06 on the penalty, hard attention and REINFORCE."""

import numpy as np
import torch

from autograder.mutants import mutant

# ---------------------------------------------------------------------- doubly_stochastic_penalty


def _looked(alpha, real):
    return alpha.masked_fill(~real[:, :, None], 0.0).sum(dim=1)


def _charge(looked):
    return ((1 - looked) ** 2).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_mean_of_regions(alpha, real):
    """A mean over the regions, as in tutorials: 64 times too weak on a grid of 8 x 8."""
    return ((1 - _looked(alpha, real)) ** 2).mean()


@mutant("doubly_stochastic_penalty")
def penalty_sum_of_captions(alpha, real):
    """It adds up the captions and takes no mean."""
    return ((1 - _looked(alpha, real)) ** 2).sum()


@mutant("doubly_stochastic_penalty")
def penalty_pads_count(alpha, real):
    """The weights in the padding are added up too."""
    return _charge(alpha.sum(dim=1))


@mutant("doubly_stochastic_penalty")
def penalty_mask_upside_down(alpha, real):
    """It keeps the padding and drops the words."""
    return _charge(_looked(alpha, ~real))


@mutant("doubly_stochastic_penalty")
def penalty_masked_by_product(alpha, real):
    """The weights times the mask: NaN stays NaN."""
    return _charge((alpha * real[:, :, None]).sum(dim=1))


@mutant("doubly_stochastic_penalty")
def penalty_masked_last(alpha, real):
    """The mask is applied to the sum over the regions of each place."""
    by_place = ((1 - alpha) ** 2).sum(dim=2)
    return by_place.masked_fill(~real, 0.0).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_wrong_axis(alpha, real):
    """It adds up over the regions, where each word has 1 anyway."""
    over_regions = alpha.sum(dim=2)
    return ((1 - over_regions) ** 2).masked_fill(~real, 0.0).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_without_square(alpha, real):
    """What is missing, not squared: too much here makes up for too little there."""
    return (1 - _looked(alpha, real)).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_of_sizes(alpha, real):
    """Sizes in the place of squares."""
    return (1 - _looked(alpha, real)).abs().sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_as_norm(alpha, real):
    """The length of what is missing: torch.norm without its square."""
    return (1 - _looked(alpha, real)).norm(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_square_outside(alpha, real):
    """First added up over the regions, then squared."""
    return ((1 - _looked(alpha, real)).sum(dim=1) ** 2).mean()


@mutant("doubly_stochastic_penalty")
def penalty_of_average_weights(alpha, real):
    """The words' weights are averaged."""
    return _charge(_looked(alpha, real) / real.sum(dim=1, keepdim=True))


@mutant("doubly_stochastic_penalty")
def penalty_of_mean_over_t(alpha, real):
    """alpha.mean(dim=1), the padding in it."""
    return _charge(alpha.mean(dim=1))


@mutant("doubly_stochastic_penalty")
def penalty_by_words(alpha, real):
    """Each caption's charge is divided by how many words it has."""
    charge = ((1 - _looked(alpha, real)) ** 2).sum(dim=1)
    return (charge / real.sum(dim=1)).mean()


@mutant("doubly_stochastic_penalty")
def penalty_only_what_is_missed(alpha, real):
    """Nothing to pay for looking twice."""
    return ((1 - _looked(alpha, real)).relu() ** 2).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_wishes_a_share(alpha, real):
    """The wish is T / L, as some codes have it, so that it can be fulfilled."""
    wish = real.sum(dim=1, keepdim=True) / alpha.shape[2]
    return ((wish - _looked(alpha, real)) ** 2).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_captions_together(alpha, real):
    """The captions of the batch are averaged before the square."""
    return ((1 - _looked(alpha, real).mean(dim=0)) ** 2).sum()


@mutant("doubly_stochastic_penalty")
def penalty_halved(alpha, real):
    """One half of it, for the sake of the derivative."""
    return _charge(_looked(alpha, real)) / 2


@mutant("doubly_stochastic_penalty")
def penalty_sign(alpha, real):
    """It pays for what should cost."""
    return -_charge(_looked(alpha, real))


@mutant("doubly_stochastic_penalty")
def penalty_of_the_looks(alpha, real):
    """The square of the sum itself; 1 is forgotten."""
    return (_looked(alpha, real) ** 2).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_each_caption(alpha, real):
    """It leaves a number for each of the captions."""
    return ((1 - _looked(alpha, real)) ** 2).sum(dim=1)


@mutant("doubly_stochastic_penalty")
def penalty_item(alpha, real):
    """A plain Python number comes back."""
    return _charge(_looked(alpha, real)).item()


@mutant("doubly_stochastic_penalty")
def penalty_detached(alpha, real):
    """Nothing can be learnt from it: alpha is detached."""
    return _charge(_looked(alpha.detach(), real))


@mutant("doubly_stochastic_penalty")
def penalty_clears_in_place(alpha, real):
    """The padding of the caller's own alpha is set to 0."""
    with torch.no_grad():
        alpha[~real] = 0.0
    return _charge(alpha.sum(dim=1))


@mutant("doubly_stochastic_penalty")
def penalty_in_single(alpha, real):
    """It computes in float32 and stays there."""
    return _charge(_looked(alpha.float(), real))


@mutant("doubly_stochastic_penalty")
def penalty_fills_a_single_buffer(alpha, real):
    """The sums are collected in a tensor of the default type."""
    looked = torch.zeros(len(alpha), alpha.shape[2])
    for n, words in enumerate(real.sum(dim=1).tolist()):
        looked[n] = alpha[n, :words].sum(dim=0)
    return _charge(looked)


@mutant("doubly_stochastic_penalty")
def penalty_last_word_left_out(alpha, real):
    """The last place of each caption is cut off, as targets are elsewhere."""
    return _charge(_looked(alpha[:, :-1], real[:, :-1]))


@mutant("doubly_stochastic_penalty")
def penalty_clamped(alpha, real):
    """A region's sum is clamped to 1 at most."""
    return _charge(_looked(alpha, real).clamp(max=1.0))


@mutant("doubly_stochastic_penalty")
def penalty_hides_nan(alpha, real):
    """nan_to_num of everything: what went wrong in a real word is hidden."""
    return _charge(torch.nan_to_num(alpha * real[..., None]).sum(dim=1))


@mutant("doubly_stochastic_penalty")
def penalty_nansum(alpha, real):
    """nansum in the place of a mask that holds."""
    return _charge(torch.nansum(alpha.masked_fill(~real[:, :, None], 0.0), dim=1))


@mutant("doubly_stochastic_penalty")
def penalty_nan_repaired_late(alpha, real):
    """The mask is a factor, and NaN is made 0 in the sums."""
    return _charge(torch.nan_to_num((alpha * real[:, :, None]).sum(dim=1)))


@mutant("doubly_stochastic_penalty")
def penalty_squares_weights(alpha, real):
    """The squares of the weights are added up, and 1 minus that."""
    return (1 - _looked(alpha**2, real)).sum(dim=1).mean()


@mutant("doubly_stochastic_penalty")
def penalty_of_what_is_looked_at(alpha, real):
    """Regions that nobody looks at cost nothing."""
    looked = _looked(alpha, real)
    return (((1 - looked) ** 2) * (looked > 0)).sum(dim=1).mean()


# -------------------------------------------------------------------------- hard_attention_sample


def _last(alpha):
    places = torch.arange(alpha.shape[1]).expand_as(alpha)
    return places.masked_fill(alpha <= 0, 0).amax(dim=1)


def _region(alpha, u):
    return torch.minimum((alpha.cumsum(dim=1) <= u[:, None]).sum(dim=1), _last(alpha))


def _looks(alpha, a, k, log_prob=None):
    rows = torch.arange(len(k))
    return a[rows, k], k, alpha[rows, k].log() if log_prob is None else log_prob


@mutant("hard_attention_sample")
def hard_takes_the_strongest(alpha, a, u):
    """argmax: no draw at all."""
    return _looks(alpha, a, alpha.argmax(dim=1))


@mutant("hard_attention_sample")
def hard_draws_by_itself(alpha, a, u):
    """torch.multinomial draws, and u has no part."""
    return _looks(alpha, a, torch.multinomial(alpha, 1)[:, 0])


@mutant("hard_attention_sample")
def hard_gumbel(alpha, a, u):
    """Gumbel noise of its own, and the largest of the sums."""
    noise = -torch.empty_like(alpha).exponential_().log()
    return _looks(alpha, a, (alpha.log() + noise).argmax(dim=1))


@mutant("hard_attention_sample")
def hard_reaches(alpha, a, u):
    """>= where the sum is to be greater: a region of weight 0 comes where u is 0."""
    k = (alpha.cumsum(dim=1) < u[:, None]).sum(dim=1)
    return _looks(alpha, a, torch.minimum(k, _last(alpha)))


@mutant("hard_attention_sample")
def hard_searches_on_the_left(alpha, a, u):
    """torch.searchsorted with its default side."""
    k = torch.searchsorted(alpha.cumsum(dim=1), u[:, None])[:, 0]
    return _looks(alpha, a, torch.minimum(k, _last(alpha)))


@mutant("hard_attention_sample")
def hard_runs_over_the_end(alpha, a, u):
    """The number of sums that u has passed, which rounding can make L."""
    return _looks(alpha, a, (alpha.cumsum(dim=1) <= u[:, None]).sum(dim=1))


@mutant("hard_attention_sample")
def hard_clamped_to_the_end(alpha, a, u):
    """Clamped to the last region, even if its weight is 0."""
    k = (alpha.cumsum(dim=1) <= u[:, None]).sum(dim=1)
    return _looks(alpha, a, k.clamp(max=alpha.shape[1] - 1))


@mutant("hard_attention_sample")
def hard_starts_again_at_the_end(alpha, a, u):
    """argmax of the comparison: where nothing is greater that is the first region."""
    passed = alpha.cumsum(dim=1) > u[:, None]
    return _looks(alpha, a, passed.int().argmax(dim=1))


@mutant("hard_attention_sample")
def hard_from_the_other_end(alpha, a, u):
    """The weights are added up from the last one."""
    k = alpha.shape[1] - 1 - _region(alpha.flip(1), u)
    return _looks(alpha, a, k)


@mutant("hard_attention_sample")
def hard_one_number_for_all(alpha, a, u):
    """The first random number serves every picture."""
    return _looks(alpha, a, _region(alpha, u[:1].expand(len(u))))


@mutant("hard_attention_sample")
def hard_sums_over_pictures(alpha, a, u):
    """cumsum along the batch."""
    k = (alpha.cumsum(dim=0) <= u[:, None]).sum(dim=1)
    return _looks(alpha, a, torch.minimum(k, _last(alpha)))


@mutant("hard_attention_sample")
def hard_without_a_sum(alpha, a, u):
    """alpha itself is held against u."""
    k = (alpha > u[:, None]).int().argmax(dim=1)
    return _looks(alpha, a, k)


@mutant("hard_attention_sample")
def hard_sorted_first(alpha, a, u):
    """The largest weights come first, as in nucleus sampling."""
    ordered, places = alpha.sort(dim=1, descending=True)
    k = places.gather(1, _region(ordered, u)[:, None])[:, 0]
    return _looks(alpha, a, k)


@mutant("hard_attention_sample")
def hard_evenly(alpha, a, u):
    """u times L, rounded down: every region is drawn as often."""
    return _looks(alpha, a, (u * alpha.shape[1]).long())


@mutant("hard_attention_sample")
def hard_one_too_late(alpha, a, u):
    """One is added to the region, as if they were counted from 1."""
    k = (_region(alpha, u) + 1).clamp(max=alpha.shape[1] - 1)
    return _looks(alpha, a, k)


@mutant("hard_attention_sample")
def hard_one_too_early(alpha, a, u):
    """The region before the one at which u is passed."""
    return _looks(alpha, a, (_region(alpha, u) - 1).clamp(min=0))


@mutant("hard_attention_sample")
def hard_returns_the_blend(alpha, a, u):
    """The vector is soft attention's, the region is drawn all the same."""
    _, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return (alpha[:, :, None] * a).sum(dim=1), k, log_prob


@mutant("hard_attention_sample")
def hard_weighs_the_vector(alpha, a, u):
    """The vector is multiplied by its weight."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return alpha.gather(1, k[:, None]) * z, k, log_prob


@mutant("hard_attention_sample")
def hard_straight_through(alpha, a, u):
    """A gradient is smuggled past the draw, straight through."""
    _, k, log_prob = _looks(alpha, a, _region(alpha, u))
    picked = torch.nn.functional.one_hot(k, alpha.shape[1]).to(alpha)
    picked = picked + alpha - alpha.detach()
    return (picked[:, :, None] * a).sum(dim=1), k, log_prob


@mutant("hard_attention_sample")
def hard_every_pair(alpha, a, u):
    """a[:, k]: every picture with every region."""
    k = _region(alpha, u)
    return a[:, k], k, alpha[:, k].log()


@mutant("hard_attention_sample")
def hard_first_picture_only(alpha, a, u):
    """a[0, k]: all vectors are taken from the first picture."""
    _, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return a[0, k], k, log_prob


@mutant("hard_attention_sample")
def hard_vectors_detached(alpha, a, u):
    """All of it under no_grad but the logarithm."""
    k = _region(alpha, u)
    return _looks(alpha, a.detach(), k)


@mutant("hard_attention_sample")
def hard_probability(alpha, a, u):
    """The probability comes back without its logarithm."""
    k = _region(alpha, u)
    return _looks(alpha, a, k, alpha[torch.arange(len(k)), k])


@mutant("hard_attention_sample")
def hard_costs(alpha, a, u):
    """Minus the logarithm, as of a loss."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, k, -log_prob


@mutant("hard_attention_sample")
def hard_in_bits(alpha, a, u):
    """The logarithm is that to base 2, in bits."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, k, log_prob / float(np.log(2))


@mutant("hard_attention_sample")
def hard_log_prob_detached(alpha, a, u):
    """log_prob comes back as numbers without a past."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, k, log_prob.detach()


@mutant("hard_attention_sample")
def hard_no_grad(alpha, a, u):
    """Everything under torch.no_grad()."""
    with torch.no_grad():
        return _looks(alpha, a, _region(alpha, u))


@mutant("hard_attention_sample")
def hard_logarithm_of_all(alpha, a, u):
    """The logarithm of every weight, then the one that was drawn: 0 / 0 on the way back."""
    k = _region(alpha, u)
    return _looks(alpha, a, k, alpha.log().gather(1, k[:, None])[:, 0])


@mutant("hard_attention_sample")
def hard_log_softmax_again(alpha, a, u):
    """log_softmax of what a softmax has made."""
    k = _region(alpha, u)
    return _looks(alpha, a, k, alpha.log_softmax(dim=1).gather(1, k[:, None])[:, 0])


@mutant("hard_attention_sample")
def hard_with_epsilon(alpha, a, u):
    """1e-3 is added inside the logarithm."""
    k = _region(alpha, u)
    return _looks(alpha, a, k, (alpha[torch.arange(len(k)), k] + 1e-3).log())


@mutant("hard_attention_sample")
def hard_with_small_epsilon(alpha, a, u):
    """A millionth is added inside the logarithm."""
    k = _region(alpha, u)
    return _looks(alpha, a, k, (alpha[torch.arange(len(k)), k] + 1e-6).log())


@mutant("hard_attention_sample")
def hard_with_tiny_epsilon(alpha, a, u):
    """1e-8 is added inside the logarithm: of 1e-7 that is a tenth."""
    k = _region(alpha, u)
    return _looks(alpha, a, k, (alpha[torch.arange(len(k)), k] + 1e-8).log())


@mutant("hard_attention_sample")
def hard_log_of_a_thousandth_or_more(alpha, a, u):
    """The weight is kept above a thousandth before its logarithm is taken."""
    k = _region(alpha, u)
    return _looks(alpha, a, k, alpha[torch.arange(len(k)), k].clamp_min(1e-3).log())


@mutant("hard_attention_sample")
def hard_leaves_out_the_small(alpha, a, u):
    """Weights below 1e-4 are taken for nothing in the draw."""
    return _looks(alpha, a, _region(torch.where(alpha < 1e-4, 0.0, alpha), u))


def _or_else(alpha, a, u, other):
    """The right region, but where no sum is greater than u."""
    passed = alpha.cumsum(dim=1) > u[:, None]
    return _looks(alpha, a, torch.where(passed.any(dim=1), passed.int().argmax(dim=1), other))


@mutant("hard_attention_sample")
def hard_ends_as_the_first_picture(alpha, a, u):
    """At the end of the sums everybody gets the last region of picture 0."""
    return _or_else(alpha, a, u, int(alpha[0].nonzero().max()))


@mutant("hard_attention_sample")
def hard_ends_as_the_whole_batch(alpha, a, u):
    """At the end of the sums everybody gets the last region at which any picture looks."""
    return _or_else(alpha, a, u, int((alpha > 0).any(dim=0).nonzero().max()))


@mutant("hard_attention_sample")
def hard_ends_all_together(alpha, a, u):
    """As soon as one sum comes to its end, all pictures get their last region."""
    last = _last(alpha)
    k = _region(alpha, u)
    return _looks(alpha, a, last if bool((alpha.sum(dim=1) <= u).any()) else k)


@mutant("hard_attention_sample")
def hard_ends_by_counting(alpha, a, u):
    """At the end of the sums: how many weights are above 0, less one."""
    return _or_else(alpha, a, u, (alpha > 0).sum(dim=1) - 1)


@mutant("hard_attention_sample")
def hard_ends_at_the_strongest(alpha, a, u):
    """At the end of the sums the strongest region stands in."""
    return _or_else(alpha, a, u, alpha.argmax(dim=1))


@mutant("hard_attention_sample")
def hard_logarithms_of_every_pair(alpha, a, u):
    """The vectors are picked row by row, the logarithms for all rows at once."""
    z, k, _ = _looks(alpha, a, _region(alpha, u))
    return z, k, alpha[:, k].log()


@mutant("hard_attention_sample")
def hard_column_beside_row(alpha, a, u):
    """A column of sums passed meets a row of last regions, and a table comes of it."""
    passed = (alpha.cumsum(dim=1) <= u[:, None]).sum(dim=1, keepdim=True)
    z, _, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, torch.minimum(passed, _last(alpha)), log_prob


@mutant("hard_attention_sample")
def hard_log_of_the_largest(alpha, a, u):
    """log_prob is that of the strongest region."""
    return _looks(alpha, a, _region(alpha, u), alpha.amax(dim=1).log())


@mutant("hard_attention_sample")
def hard_k_as_column(alpha, a, u):
    """k keeps an axis from gather."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, k[:, None], log_prob


@mutant("hard_attention_sample")
def hard_k_in_int32(alpha, a, u):
    """searchsorted with out_int32."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, k.int(), log_prob


@mutant("hard_attention_sample")
def hard_k_as_float(alpha, a, u):
    """The region's number is a float."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, k.to(alpha), log_prob


@mutant("hard_attention_sample")
def hard_k_as_list(alpha, a, u):
    """A list of the regions."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return z, k.tolist(), log_prob


@mutant("hard_attention_sample")
def hard_results_turned(alpha, a, u):
    """k comes first, then z."""
    z, k, log_prob = _looks(alpha, a, _region(alpha, u))
    return k, z, log_prob


@mutant("hard_attention_sample")
def hard_in_single(alpha, a, u):
    """float32 throughout."""
    alpha = alpha.float()
    return _looks(alpha, a.float(), _region(alpha, u.float()))


@mutant("hard_attention_sample")
def hard_fills_single_buffers(alpha, a, u):
    """Vectors and logarithms are put into tensors of the default type, one by one."""
    z, log_prob = torch.zeros(len(u), a.shape[2]), torch.zeros(len(u))
    k = _region(alpha, u)
    for n, region in enumerate(k.tolist()):
        z[n], log_prob[n] = a[n, region], alpha[n, region].log()
    return z, k, log_prob


@mutant("hard_attention_sample")
def hard_sums_in_place(alpha, a, u):
    """The running sum is written over alpha, and the logarithm is that of the sum."""
    k = _region(alpha, u)
    with torch.no_grad():
        alpha.cumsum_(dim=1)
    return _looks(alpha, a, k)


@mutant("hard_attention_sample")
def hard_by_view(alpha, a, u):
    """view flattens the regions, which fails where there are gaps in memory."""
    k = _region(alpha, u)
    at = torch.arange(len(k)) * alpha.shape[1] + k
    return a.view(-1, a.shape[2])[at], k, alpha.view(-1)[at].log()


# --------------------------------------------------------------------------------- reinforce_loss


def _parts(nats, log_probs, alpha, real):
    certain = alpha.masked_fill((alpha == 0) | ~real[:, :, None], 1.0)
    entropy = -(alpha * certain.log()).sum(dim=2)
    return [part.masked_fill(~real, 0.0).sum(dim=1) for part in (nats, log_probs, entropy)]


def _moved(baseline, decay, reward):
    return decay * baseline + (1 - decay) * reward.mean().item()


def _loss(nats, log_probs, alpha, real, baseline, decay, entropy_weight, advantage):
    """The right answer, but for how much log_probs weigh: advantage(rewards, baseline)."""
    cost, looked, unsure = _parts(nats, log_probs, alpha, real)
    reward = -cost.detach()
    loss = cost - advantage(reward, baseline) * looked - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, reward)


@mutant("reinforce_loss")
def reinforce_reward_not_detached(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The gradient goes through R as well."""
    cost, looked, unsure = _parts(nats, log_probs, alpha, real)
    loss = cost - (-cost - baseline) * looked - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, -cost)


@mutant("reinforce_loss")
def reinforce_sign(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """The looks that did well are made rarer."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: baseline - reward)


@mutant("reinforce_loss")
def reinforce_cost_as_reward(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """R = sum nats, without its minus."""
    cost, looked, unsure = _parts(nats, log_probs, alpha, real)
    reward = cost.detach()
    loss = cost - (reward - baseline) * looked - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, reward)


@mutant("reinforce_loss")
def reinforce_without_baseline(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The baseline moves on, but has no part in the loss."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward)


@mutant("reinforce_loss")
def reinforce_baseline_added(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """R + baseline, as if the baseline were a cost."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward + baseline)


@mutant("reinforce_loss")
def reinforce_new_baseline(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """The baseline moves first, and the loss is made with the new one."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - _moved(baseline, decay, reward))


@mutant("reinforce_loss")
def reinforce_batch_mean(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """The mean reward of this batch is the baseline: of one caption nothing is left."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - reward.mean())


@mutant("reinforce_loss")
def reinforce_one_reward_for_all(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """All captions get the mean reward."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward.mean() - baseline)


@mutant("reinforce_loss")
def reinforce_reward_by_word(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """Each look is paid by its own word alone."""
    cost, _, unsure = _parts(nats, log_probs, alpha, real)
    own = ((-nats.detach() - baseline) * log_probs).masked_fill(~real, 0.0).sum(dim=1)
    loss = cost - own - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, -cost)


@mutant("reinforce_loss")
def reinforce_baseline_by_word(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The baseline is taken away once a word."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    words = real.sum(dim=1)
    return _loss(*args, lambda reward, baseline: reward - baseline * words)


@mutant("reinforce_loss")
def reinforce_onward(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """A look is paid by the words from its own on: less noise, but not what is asked for."""
    cost, _, unsure = _parts(nats, log_probs, alpha, real)
    worth = -nats.detach().masked_fill(~real, 0.0).flip(1).cumsum(1).flip(1)
    looked = ((worth - baseline) * log_probs).masked_fill(~real, 0.0).sum(dim=1)
    return (cost - looked - entropy_weight * unsure).mean(), _moved(baseline, decay, -cost)


@mutant("reinforce_loss")
def reinforce_mean_reward(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """R is the mean over a caption's words, in the loss and in the baseline."""
    cost, looked, unsure = _parts(nats, log_probs, alpha, real)
    reward = -(cost / real.sum(dim=1)).detach()
    loss = cost - (reward - baseline) * looked - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, reward)


@mutant("reinforce_loss")
def reinforce_means_of_words(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """Means over the words in the place of all sums."""
    parts = _parts(nats, log_probs, alpha, real)
    cost, looked, unsure = (part / real.sum(dim=1) for part in parts)
    reward = -cost.detach()
    loss = cost - (reward - baseline) * looked - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, reward)


@mutant("reinforce_loss")
def reinforce_sum_of_captions(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The captions' losses are added up."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    loss, following = _loss(*args, lambda reward, baseline: reward - baseline)
    return loss * len(nats), following


@mutant("reinforce_loss")
def reinforce_per_word(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """The whole is divided by the number of words, as a cross entropy is."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    loss, following = _loss(*args, lambda reward, baseline: reward - baseline)
    return loss * len(nats) / real.sum(), following


@mutant("reinforce_loss")
def reinforce_words_forgotten(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """Only where to look is taught, not what to say."""
    cost, looked, unsure = _parts(nats, log_probs, alpha, real)
    loss = (cost.detach() + baseline) * looked - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, -cost)


@mutant("reinforce_loss")
def reinforce_words_detached(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """nats are detached before anything is done with them."""
    args = nats.detach(), log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_looks_detached(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The whole of the reward's term is detached, log_probs with it."""
    args = nats, log_probs.detach(), alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_probabilities(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """exp(log_probs): the derivative of a probability is not the trick's."""
    args = nats, log_probs.exp(), alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_entropy_sign(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """Entropy is a cost: looks become sure of themselves too early."""
    args = nats, log_probs, alpha, real, baseline, decay, -entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_without_entropy(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """entropy_weight is not used."""
    args = nats, log_probs, alpha, real, baseline, decay, 0.0
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_usual_entropy_weight(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The entropy weighs 0.01, whatever is asked for."""
    args = nats, log_probs, alpha, real, baseline, decay, 0.01
    return _loss(*args, lambda reward, baseline: reward - baseline)


def _other_entropy(entropy):
    """The right answer with another entropy (N, T)."""

    def answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight):
        cost, looked, _ = _parts(nats, log_probs, alpha, real)
        unsure = entropy(log_probs, alpha, real).masked_fill(~real, 0.0).sum(dim=1)
        reward = -cost.detach()
        loss = cost - (reward - baseline) * looked - entropy_weight * unsure
        return loss.mean(), _moved(baseline, decay, reward)

    return answer


@mutant("reinforce_loss")
def reinforce_entropy_of_the_drawn(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """p log p of the region that was drawn, not of all."""
    answer = _other_entropy(lambda log_probs, alpha, real: -log_probs.exp() * log_probs)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_estimated(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """-log_probs, whose mean is the entropy, stands for it."""
    answer = _other_entropy(lambda log_probs, alpha, real: -log_probs)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_naive(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """alpha * log alpha: NaN where alpha is 0."""
    answer = _other_entropy(lambda log_probs, alpha, real: -(alpha * alpha.log()).sum(dim=2))
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_chosen_by_where(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """torch.where around the logarithm: right in value, NaN on the way back."""

    def entropy(log_probs, alpha, real):
        return -torch.where(alpha > 0, alpha * alpha.log(), 0.0).sum(dim=2)

    answer = _other_entropy(entropy)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_xlogy(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """torch.xlogy knows that 0 log 0 is 0; its gradient does not."""
    answer = _other_entropy(lambda log_probs, alpha, real: -alpha.xlogy(alpha).sum(dim=2))
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_with_epsilon(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """alpha + 1e-3 goes into the entropy's logarithm."""

    def entropy(log_probs, alpha, real):
        some = alpha.masked_fill(~real[:, :, None], 1.0)
        return -(some * (some + 1e-3).log()).sum(dim=2)

    answer = _other_entropy(entropy)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_with_small_epsilon(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """alpha + 1e-6: one cell does not show it, 64 do."""

    def entropy(log_probs, alpha, real):
        some = alpha.masked_fill(~real[:, :, None], 1.0)
        return -(some * (some + 1e-6).log()).sum(dim=2)

    answer = _other_entropy(entropy)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_without_the_small(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """Weights of a hundredth or less have no part in the entropy."""

    def entropy(log_probs, alpha, real):
        certain = alpha.masked_fill((alpha <= 1e-2) | ~real[:, :, None], 1.0)
        return -(alpha * certain.log()).sum(dim=2)

    answer = _other_entropy(entropy)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_of_the_batch(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """One sum of entropies over all words of all captions."""
    cost, looked, unsure = _parts(nats, log_probs, alpha, real)
    reward = -cost.detach()
    loss = cost - (reward - baseline) * looked - entropy_weight * unsure.sum()
    return loss.mean(), _moved(baseline, decay, reward)


@mutant("reinforce_loss")
def reinforce_entropy_by_entr(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """torch.special.entr: the right value, and infinite slopes at 0."""
    answer = _other_entropy(lambda log_probs, alpha, real: torch.special.entr(alpha).sum(dim=2))
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_masked_by_product(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The mask times the entropy: in the padding it may be NaN."""

    def entropy(log_probs, alpha, real):
        certain = alpha.masked_fill(alpha == 0, 1.0)
        return -((alpha * certain.log()).sum(dim=2) * real).sum(dim=1, keepdim=True) * _first(real)

    answer = _other_entropy(entropy)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


def _first(real):
    """1 at the first place of each caption, 0 at the others."""
    return (torch.arange(real.shape[1]) == 0).expand_as(real)


@mutant("reinforce_loss")
def reinforce_entropy_mean(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """The entropy's sum over the regions is a mean."""

    def entropy(log_probs, alpha, real):
        certain = alpha.masked_fill((alpha == 0) | ~real[:, :, None], 1.0)
        return -(alpha * certain.log()).mean(dim=2)

    answer = _other_entropy(entropy)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_entropy_in_bits(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The entropy is counted in bits."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight / float(np.log(2))
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_entropy_detached(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The entropy is in the loss, but alpha is detached."""
    args = nats, log_probs, alpha.detach(), real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_pads_count(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """real is not used."""
    args = nats, log_probs, alpha.clamp(min=0), real | True, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_padded_looks_count(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """nats and entropies are masked, log_probs are not."""
    cost, _, unsure = _parts(nats, log_probs, alpha, real)
    reward = -cost.detach()
    loss = cost - (reward - baseline) * log_probs.sum(dim=1) - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, reward)


@mutant("reinforce_loss")
def reinforce_padded_entropy_counts(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The entropy of the padding is rewarded too."""
    cost, looked, _ = _parts(nats, log_probs, alpha, real)
    unsure = _parts(nats, log_probs, alpha.clamp(min=0), real | True)[2]
    reward = -cost.detach()
    loss = cost - (reward - baseline) * looked - entropy_weight * unsure
    return loss.mean(), _moved(baseline, decay, reward)


@mutant("reinforce_loss")
def reinforce_mask_upside_down(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """Only the padding is left."""
    args = nats, log_probs, alpha, ~real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


def _next_baseline(following):
    """The right loss with another baseline to go on with."""

    def answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight):
        args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
        loss, _ = _loss(*args, lambda reward, baseline: reward - baseline)
        return loss, following(baseline, decay, -nats.detach().masked_fill(~real, 0.0).sum(dim=1))

    return answer


@mutant("reinforce_loss")
def reinforce_decay_swapped(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """decay of the new, 1 - decay of the old: the baseline jumps."""
    answer = _next_baseline(lambda b, d, reward: (1 - d) * b + d * reward.mean().item())
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_baseline_stands_still(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The old baseline is handed back."""
    answer = _next_baseline(lambda b, d, reward: b)
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_baseline_of_costs(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The baseline moves towards the mean cost, which has the other sign."""
    answer = _next_baseline(lambda b, d, reward: d * b - (1 - d) * reward.mean().item())
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_baseline_of_sums(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The baseline moves towards the sum of all rewards."""
    answer = _next_baseline(lambda b, d, reward: d * b + (1 - d) * reward.sum().item())
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_baseline_of_advantages(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The mean of R - baseline moves it."""
    answer = _next_baseline(lambda b, d, reward: d * b + (1 - d) * (reward - b).mean().item())
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_baseline_grows(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The new reward comes on top of the whole old baseline."""
    answer = _next_baseline(lambda b, d, reward: b + (1 - d) * reward.mean().item())
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_usual_decay(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """The decay is 0.9, whatever is asked for."""
    answer = _next_baseline(lambda b, d, reward: _moved(b, 0.9, reward))
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_baseline_of_all_places(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The padding is in the mean reward that moves the baseline."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    loss, _ = _loss(*args, lambda reward, baseline: reward - baseline)
    return loss, _moved(baseline, decay, -nats.sum(dim=1))


@mutant("reinforce_loss")
def reinforce_baseline_is_a_tensor(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """.item() is missing, and batch hangs on batch."""
    answer = _next_baseline(lambda b, d, reward: d * b + (1 - d) * reward.mean())
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_baseline_by_caption(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """A baseline for each caption comes back, with no mean."""
    answer = _next_baseline(lambda b, d, reward: (d * b + (1 - d) * reward).tolist())
    return answer(nats, log_probs, alpha, real, baseline, decay, entropy_weight)


@mutant("reinforce_loss")
def reinforce_results_turned(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The baseline comes before the loss."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)[::-1]


@mutant("reinforce_loss")
def reinforce_item(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """Both results are plain numbers."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    loss, following = _loss(*args, lambda reward, baseline: reward - baseline)
    return loss.item(), following


@mutant("reinforce_loss")
def reinforce_in_single(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """Whatever is given, it goes on in float32."""
    args = nats.float(), log_probs.float(), alpha.float(), real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_clears_in_place(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """The padding of the caller's nats and log_probs is overwritten."""
    with torch.no_grad():
        nats[~real] = 0.0
        log_probs[~real] = 0.0
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)


@mutant("reinforce_loss")
def reinforce_baseline_in_a_global(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """From the second call on the baseline is its own, not the one that is given."""
    mine = getattr(reinforce_baseline_in_a_global, "baseline", baseline)
    args = nats, log_probs, alpha, real, mine, decay, entropy_weight
    loss, following = _loss(*args, lambda reward, baseline: reward - baseline)
    reinforce_baseline_in_a_global.baseline = following
    return loss, following


@mutant("reinforce_loss")
def reinforce_other_defaults(
    nats, log_probs, alpha, real, baseline, decay=0.99, entropy_weight=0.003
):
    """The defaults are changed."""
    args = nats, log_probs, alpha, real, baseline, decay, entropy_weight
    return _loss(*args, lambda reward, baseline: reward - baseline)
