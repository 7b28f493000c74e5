import inspect

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from judging import ZOO, judged, run  # noqa: E402

from autograder.zoo import solution_file, solution_functions  # noqa: E402
from cs_caption.checks import check, run_check, wire  # noqa: E402
from cs_caption.checks.farside import GRAD  # noqa: E402
from cs_caption.checks.n06_attention.hard import to_scores  # noqa: E402
from cs_caption.checks.subject import LocalLink, Subject  # noqa: E402

NAMES = ["doubly_stochastic_penalty", "hard_attention_sample", "reinforce_loss"]


class Recorder(LocalLink):
    """Functions, and the arguments of every call that came for them, as they crossed."""

    def __init__(self, functions):
        super().__init__(functions)
        self.seen, self.went_back = [], []

    def exchange(self, request, count):
        function, calls = wire.loads(request)
        args = [args[2:] if function == GRAD else args for args, _ in calls]
        self.seen += args
        self.went_back += args if function == GRAD else []
        return super().exchange(request, count)


def recorded(name):
    link = Recorder(solution_functions(name))
    assert run_check(name, Subject(name, link), salt="recorded").passed
    return link


def solution(name):
    return solution_functions(name)[name]


def passed(report):
    return {case.title for case in report.cases if case.passed}


def failed(report):
    return {case.title for case in report.cases if not case.passed}


# ------------------------------------------------------------------------------- right answers


def penalty_caption_by_caption(alpha, real):
    charges = []
    for weights, words in zip(alpha, real, strict=True):
        looked = weights[words].sum(dim=0)
        charges.append(((looked - 1) ** 2).sum())
    return torch.stack(charges).mean()


def penalty_word_by_word(alpha, real):
    charge = torch.zeros((), dtype=alpha.dtype)
    for n, length in enumerate(real.sum(dim=1).tolist()):
        missing = torch.ones(alpha.shape[2], dtype=alpha.dtype)
        for t in range(length):
            missing = missing - alpha[n, t]
        charge = charge + missing.dot(missing)
    return charge / len(alpha)


def penalty_by_einsum(alpha, real):
    kept = torch.where(real[..., None], alpha, torch.zeros_like(alpha))
    missing = 1 - torch.einsum("ntl->nl", kept)
    return torch.einsum("nl,nl->n", missing, missing).mean()


def penalty_by_mse(alpha, real):
    looked = torch.where(real[:, :, None], alpha, 0).sum(1)
    squares = torch.nn.functional.mse_loss(looked, torch.ones_like(looked), reduction="sum")
    return squares / alpha.size(0)


def penalty_by_mean(alpha, real):
    looked = alpha.masked_fill(real.logical_not().unsqueeze(-1), 0).sum(dim=-2)
    return (1 - looked).pow(2).mean() * looked.shape[1]


def _last(alpha):
    return (alpha > 0).nonzero()[:, 1][(alpha > 0).sum(dim=1).cumsum(dim=0) - 1]


def hard_by_searching(alpha, a, u):
    passed = torch.searchsorted(alpha.cumsum(dim=1).contiguous(), u[:, None], right=True)
    k = torch.minimum(passed[:, 0], _last(alpha))
    z = a.gather(1, k[:, None, None].expand(-1, 1, a.shape[2]))[:, 0]
    return z, k, alpha.gather(1, k[:, None])[:, 0].log()


def hard_by_a_loop(alpha, a, u):
    k = []
    for weights, limit in zip(alpha.tolist(), u.tolist(), strict=True):
        total, region = 0.0, None
        for i, weight in enumerate(weights):
            total += weight
            if weight > 0:
                region = i
            if total > limit:
                break
        k.append(region)
    z = torch.stack([a[n, i] for n, i in enumerate(k)])
    return z, torch.tensor(k), torch.stack([alpha[n, i] for n, i in enumerate(k)]).log()


def hard_by_distribution(alpha, a, u):
    _, k, _ = solution("hard_attention_sample")(alpha, a, u)
    picked = torch.nn.functional.one_hot(k, alpha.shape[1]).to(a.dtype)
    log_prob = torch.distributions.Categorical(probs=alpha).log_prob(k)
    return torch.einsum("nl,nlc->nc", picked, a), k, log_prob


def hard_by_bounded_logarithms(alpha, a, u):
    """Of every region, but of none a logarithm of 0; the draw in NumPy."""
    sums = alpha.detach().numpy().cumsum(axis=1)
    passed = sums > u.numpy()[:, None]
    k = torch.tensor(np.where(passed.any(1), passed.argmax(1), _last(alpha).numpy()))
    rows = range(len(k))
    return a[rows, k], k, alpha.clamp_min(1e-12).log()[rows, k]


def hard_of_shares(alpha, a, u):
    """By what each region has of the whole sum."""
    sums = alpha.cumsum(dim=1)
    last = _last(alpha)
    k = ((sums / sums[:, -1:]) <= u[:, None]).sum(dim=1).clamp(max=last)
    weight = (alpha * (torch.arange(alpha.shape[1]) == k[:, None])).sum(dim=1)
    z = torch.bmm((torch.arange(alpha.shape[1]) == k[:, None]).to(a)[:, None], a)[:, 0]
    return z, k, torch.log(weight + 1e-12)


def reinforce_caption_by_caption(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    losses, rewards = [], []
    for n, words in enumerate(real):
        cost, looked = nats[n][words].sum(), log_probs[n][words].sum()
        weights = alpha[n][words]
        entropy = -(weights * weights.clamp_min(1e-12).log()).sum()
        with torch.no_grad():
            reward = -cost.item()
        losses.append(cost - (reward - baseline) * looked - entropy_weight * entropy)
        rewards.append(reward)
    mean = sum(rewards) / len(rewards)
    return sum(losses) / len(losses), decay * baseline + (1 - decay) * mean


def reinforce_by_distribution(
    nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01
):
    """Entropies by torch, and padding that is first replaced by something harmless."""
    even = torch.full_like(alpha, 1 / alpha.shape[2])
    alpha = torch.where(real[..., None], alpha, even)
    entropy = torch.distributions.Categorical(probs=alpha).entropy()
    costs = torch.where(real, nats, 0.0)
    reward = -costs.sum(dim=-1).detach()
    parts = torch.where(real, entropy_weight * entropy, 0.0).sum(dim=-1)
    looks = torch.where(real, log_probs, 0.0) * (reward - baseline)[:, None]
    loss = torch.mean(costs.sum(dim=-1) - looks.sum(dim=-1) - parts)
    return loss, float(baseline + (1 - decay) * (reward.mean() - baseline))


def reinforce_of_flat_words(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """Only real words are ever looked at; their sums come back by index_add."""
    owners = real.nonzero()[:, 0]
    words = alpha[real]
    entropy = torch.special.entr(words.clamp_min(torch.finfo(words.dtype).tiny)).sum(dim=1)

    def by_caption(each):
        return each.new_zeros(len(real)).index_add(0, owners, each)

    cost, looked = by_caption(nats[real]), by_caption(log_probs[real])
    advantage = -cost.clone().detach() - baseline
    loss = cost - advantage * looked - entropy_weight * by_caption(entropy)
    return loss.sum() / len(real), baseline + (1 - decay) * advantage.mean().item()


OTHERS = {
    "doubly_stochastic_penalty": [
        penalty_caption_by_caption,
        penalty_word_by_word,
        penalty_by_einsum,
        penalty_by_mse,
        penalty_by_mean,
    ],
    "hard_attention_sample": [
        hard_by_searching,
        hard_by_a_loop,
        hard_by_distribution,
        hard_by_bounded_logarithms,
        hard_of_shares,
    ],
    "reinforce_loss": [
        reinforce_caption_by_caption,
        reinforce_by_distribution,
        reinforce_of_flat_words,
    ],
}


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, f, id=f.__name__) for name, many in OTHERS.items() for f in many],
)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(5):
        report = run(name, {name: function}, seed=seed, salt=f"class of {seed}")
        assert report.passed, str(report)


def test_the_solutions_get_full_marks_in_the_sandbox(bubblewrap):
    from autograder.sandbox import Limits
    from autograder.session import Kernel

    with Kernel("bubblewrap", Limits()) as kernel:
        cells = ["import torch"]
        cells += [inspect.getsource(solution(name)) for name in NAMES]
        assert {kernel.run(cell, 60).ended for cell in cells} == {"ok"}
        for name in NAMES:
            with kernel.serving({name: name}, call_seconds=20, check_seconds=60) as link:
                report = run_check(name, Subject(name, link), salt="s")
            assert report == run(name, solution_functions(name), salt="s")


def captions(seed):
    """What reinforce_loss is given, alpha through a softmax of scores that are returned too."""
    rng = np.random.RandomState(seed)
    N, T, L = 4, 5, 6
    scores = torch.tensor(rng.standard_normal((N, T, L)), requires_grad=True)
    nats = torch.tensor(rng.rand(N, T), requires_grad=True)
    real = torch.arange(T) < torch.tensor(rng.randint(1, T + 1, (N, 1)))
    k = torch.tensor(rng.randint(0, L, (N, T, 1)))
    alpha = scores.softmax(dim=2)
    return scores, nats, alpha.gather(2, k)[..., 0].log(), alpha, real


def test_the_solutions_agree_with_the_package_in_value_and_in_gradient():
    losses = pytest.importorskip("cs_caption.losses")
    attention = pytest.importorskip("cs_caption.models.attention")
    for seed in range(5):
        scores, nats, log_probs, alpha, real = captions(seed)
        ours = solution("doubly_stochastic_penalty")(alpha, real)
        theirs = losses.doubly_stochastic(alpha, real)
        assert torch.allclose(ours, theirs)
        ours, following = solution("reinforce_loss")(
            nats, log_probs, alpha, real, -2.5, decay=0.0, entropy_weight=0.3
        )
        looked, reward = losses.reinforce(nats, log_probs, real, -2.5)
        words = nats.masked_fill(~real, 0.0).sum() / len(nats)
        unsure = attention.entropy_of(alpha).masked_fill(~real, 0.0).sum() / len(nats)
        theirs = words + looked - 0.3 * unsure
        assert torch.allclose(ours, theirs)
        assert following == pytest.approx(float(reward))
        leaves = [scores, nats]
        slopes = (torch.autograd.grad(loss, leaves, retain_graph=True) for loss in (ours, theirs))
        assert all(torch.allclose(*pair) for pair in zip(*slopes, strict=True))


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "penalty_mean_of_regions": "a mean over the regions, and so L times too small",
    "penalty_sum_of_captions": "the sum of the captions' penalties: take their mean",
    "penalty_pads_count": "the padding counts as well",
    "penalty_mask_upside_down": "the mask is upside down",
    "penalty_masked_by_product": "0 times infinity is NaN",
    "penalty_masked_last": "each word is charged for by itself",
    "penalty_wrong_axis": "added up over the regions, where that over the words",
    "penalty_without_square": "the square is missing",
    "penalty_of_sizes": "a sum of sizes, not of squares",
    "penalty_as_norm": "a root is taken",
    "penalty_square_outside": "added up first, and squared last",
    "penalty_of_average_weights": "are averaged: they are added up",
    "penalty_of_mean_over_t": "are averaged: they are added up (and the padding counts)",
    "penalty_by_words": "is divided by its number of words",
    "penalty_only_what_is_missed": "looked at too little are charged for",
    "penalty_wishes_a_share": "not as often as words and regions allow",
    "penalty_captions_together": "the captions are averaged before the square",
    "penalty_halved": "it is half of it",
    "penalty_sign": "its sign is wrong",
    "penalty_of_the_looks": "where its distance from 1 is asked for",
    "penalty_each_caption": "expected one without axes",
    "penalty_item": "no gradient goes through a plain number",
    "penalty_detached": "no gradient comes back through the penalty",
    "penalty_clears_in_place": "it changes its input alpha",
    "penalty_in_single": "it must be float64",
    "penalty_fills_a_single_buffer": "of the type of alpha?",
    "penalty_last_word_left_out": "the last place is left out",
    "penalty_hides_nan": "nan_to_num and nansum hide",
    "penalty_nansum": "nan_to_num and nansum hide",
    "penalty_nan_repaired_late": "NaN is replaced too late",
    "penalty_squares_weights": "the weights are squared before they are added up",
    "penalty_of_what_is_looked_at": "only regions that are looked at are charged for",
    "penalty_clamped": "those looked at too much cost as well",
    "hard_takes_the_strongest": "the region with the largest alpha",
    "hard_draws_by_itself": "u alone decides",
    "hard_gumbel": "u alone decides",
    "hard_reaches": "it is to be greater",
    "hard_searches_on_the_left": "it is to be greater",
    "hard_runs_over_the_end": "it is the last region whose alpha is above 0",
    "hard_clamped_to_the_end": "the last region is taken, though its alpha is 0",
    "hard_starts_again_at_the_end": "region 0 is taken",
    "hard_from_the_other_end": "added up from the last region on",
    "hard_one_number_for_all": "every picture is drawn with the first u",
    "hard_sums_over_pictures": "the running sum goes over the pictures",
    "hard_without_a_sum": "alpha itself is compared with u",
    "hard_sorted_first": "the regions are sorted by alpha",
    "hard_evenly": "alpha has no part",
    "hard_one_too_late": "one region too late",
    "hard_one_too_early": "one region too early",
    "hard_returns_the_blend": "as of soft attention",
    "hard_weighs_the_vector": "scaled by its alpha",
    "hard_straight_through": "only log_prob reaches alpha",
    "hard_every_pair": "a[:, k] takes every k of each picture",
    "hard_first_picture_only": "a region of the first one",
    "hard_vectors_detached": "is it detached?",
    "hard_probability": "it is the probability, not its logarithm",
    "hard_costs": "its sign is wrong",
    "hard_in_bits": "logarithm to base 2",
    "hard_log_prob_detached": "no gradient comes back through it to alpha",
    "hard_no_grad": "under torch.no_grad()",
    "hard_logarithm_of_all": "the logarithm of that alone",
    "hard_log_softmax_again": "which is one already",
    "hard_with_epsilon": "something is added to alpha before",
    "hard_with_small_epsilon": "something is added to alpha before",
    "hard_with_tiny_epsilon": "something is added to alpha before",
    "hard_log_of_a_thousandth_or_more": "something larger takes its place",
    "hard_leaves_out_the_small": "regions whose alpha is small are never drawn",
    "hard_ends_as_the_first_picture": "the last region of the first picture is taken",
    "hard_ends_as_the_whole_batch": "one region is taken for all pictures",
    "hard_ends_all_together": "all get their last region",
    "hard_ends_by_counting": "the regions whose alpha is above 0 are counted",
    "hard_ends_at_the_strongest": "greater than u, the region with the largest alpha is taken",
    "hard_logarithms_of_every_pair": "[:, k] takes every k",
    "hard_column_beside_row": "of shape (N, 1) stands beside something of shape (N,)",
    "hard_log_of_the_largest": "that of the largest alpha",
    "hard_k_as_column": "an axis of length 1 too many",
    "hard_k_in_int32": "k is int32",
    "hard_k_as_float": "k is float64",
    "hard_k_as_list": "wrap it in torch.tensor",
    "hard_results_turned": "the results are in another order",
    "hard_in_single": "z is float32",
    "hard_fills_single_buffers": "is every tensor that you make",
    "hard_sums_in_place": "it is the logarithm of the running sum",
    "hard_by_view": "Use .reshape",
    "reinforce_reward_not_detached": "it flows through R",
    "reinforce_sign": "the sign of (R - baseline) * sum log_probs is wrong",
    "reinforce_cost_as_reward": "R is minus the sum of nats",
    "reinforce_without_baseline": "the baseline has no part",
    "reinforce_baseline_added": "the baseline is added to R",
    "reinforce_new_baseline": "it is the one that is given",
    "reinforce_batch_mean": "the mean reward of this batch is subtracted",
    "reinforce_one_reward_for_all": "the mean reward of all captions",
    "reinforce_reward_by_word": "a word has no reward of its own",
    "reinforce_baseline_by_word": "the baseline counts once a word",
    "reinforce_onward": "only the words from the look on",
    "reinforce_mean_reward": "not their mean",
    "reinforce_means_of_words": "nats, log_probs and entropies are averaged",
    "reinforce_sum_of_captions": "the sum of the captions' losses",
    "reinforce_per_word": "divided by the number of words",
    "reinforce_words_forgotten": "the nats are missing",
    "reinforce_words_detached": "no gradient comes back to nats",
    "reinforce_looks_detached": "no gradient comes back to log_probs",
    "reinforce_probabilities": "turned into probabilities",
    "reinforce_entropy_sign": "looks that are unsure lower the loss",
    "reinforce_without_entropy": "the entropy is missing",
    "reinforce_usual_entropy_weight": "entropy_weight has no part",
    "reinforce_entropy_of_the_drawn": "not made of log_probs",
    "reinforce_entropy_estimated": "-log_probs stand for the entropy",
    "reinforce_entropy_naive": "where alpha is 0 its logarithm is infinite",
    "reinforce_entropy_chosen_by_where": "also through torch.where",
    "reinforce_entropy_xlogy": "entries that are NaN or infinite: where alpha is 0",
    "reinforce_entropy_with_epsilon": "in the entropy small alpha lose their part",
    "reinforce_entropy_with_small_epsilon": "in the entropy small alpha lose their part",
    "reinforce_entropy_without_the_small": "in the entropy small alpha lose their part",
    "reinforce_entropy_of_the_batch": "the entropies of all captions are added up",
    "reinforce_entropy_by_entr": "torch.special.entr",
    "reinforce_entropy_masked_by_product": "0 times NaN is NaN",
    "reinforce_entropy_mean": "a sum over the regions, not a mean",
    "reinforce_entropy_in_bits": "logarithm to base 2",
    "reinforce_entropy_detached": "no gradient comes back to alpha",
    "reinforce_pads_count": "the padding counts as well",
    "reinforce_padded_looks_count": "the padding of log_probs counts",
    "reinforce_padded_entropy_counts": "the padding of alpha counts",
    "reinforce_mask_upside_down": "the mask is upside down",
    "reinforce_decay_swapped": "decay belongs to the old baseline",
    "reinforce_baseline_stands_still": "it is the old one",
    "reinforce_baseline_of_costs": "here its sign is wrong",
    "reinforce_baseline_of_sums": "are added up: take their mean",
    "reinforce_baseline_of_advantages": "the mean of R - baseline is taken",
    "reinforce_baseline_grows": "is not multiplied by decay",
    "reinforce_usual_decay": "decay is taken for 0.9",
    "reinforce_baseline_of_all_places": "the next baseline is wrong: the padding",
    "reinforce_baseline_is_a_tensor": "from .item()",
    "reinforce_baseline_by_caption": "expected a float",
    "reinforce_results_turned": "the loss comes first",
    "reinforce_item": "no gradient goes through a plain number",
    "reinforce_in_single": "of the type of nats?",
    "reinforce_clears_in_place": "it changes its input nats and log_probs",
    "reinforce_other_defaults": "not where they are left out",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_every_wrong_answer_has_words_of_its_own_or_is_a_matter_of_state():
    left = {name for name, mutant in ZOO.items() if mutant.exercise in NAMES} - set(WORDS)
    assert left <= {"reinforce_baseline_in_a_global"}


NOT_LEARNT = {
    "penalty_detached": 0.75,
    "reinforce_reward_not_detached": 0.75,
    "reinforce_looks_detached": 0.75,
    "reinforce_words_detached": 0.75,
    "hard_log_prob_detached": 0.8,
    "hard_logarithm_of_all": 0.8,
    "hard_no_grad": 0.75,
}


@pytest.mark.parametrize("name", NOT_LEARNT)
def test_what_is_right_in_value_but_does_not_learn_costs_a_fifth_or_more_and_not_all(name):
    report = judged(name)
    assert 0 < report.points < NOT_LEARNT[name] * report.max_points


ONE_SLIP = {
    "hard_reaches": {"u is a running sum", "u is 0"},
    "hard_runs_over_the_end": {"rounding leaves"},
    "hard_starts_again_at_the_end": {"rounding leaves"},
    "hard_straight_through": {"z reaches a"},
    "hard_fills_single_buffers": {"float32 stays"},
    "hard_k_in_int32": {"float32 stays"},
    "hard_k_as_column": {"float32 stays"},
    "hard_with_tiny_epsilon": {"small alpha"},
    "hard_log_of_a_thousandth_or_more": {"small alpha"},
    "hard_leaves_out_the_small": {"small alpha"},
    "hard_ends_as_the_first_picture": {"rounding leaves"},
    "hard_ends_as_the_whole_batch": {"rounding leaves"},
    "hard_ends_all_together": {"rounding leaves"},
    "hard_ends_by_counting": {"rounding leaves"},
    "hard_ends_at_the_strongest": {"rounding leaves"},
    "reinforce_entropy_with_small_epsilon": {"over 64 regions"},
    "hard_in_single": {"float32 stays"},
    "penalty_in_single": {"float32 stays"},
    "penalty_fills_a_single_buffer": {"float32 stays"},
    "penalty_masked_by_product": {"infinity and NaN"},
    "penalty_nan_repaired_late": {"infinity and NaN", "NaN at a real word"},
    "penalty_hides_nan": {"NaN at a real word"},
    "penalty_nansum": {"NaN at a real word"},
    "penalty_of_what_is_looked_at": {"each region looked at once"},
    "reinforce_in_single": {"float32 stays"},
    "reinforce_reward_not_detached": {"plain number"},
    "reinforce_entropy_xlogy": {"exactly 0"},
    "reinforce_entropy_masked_by_product": {"large numbers in the padding"},
    "reinforce_other_defaults": {"left out"},
}


@pytest.mark.parametrize("name", ONE_SLIP)
def test_one_slip_costs_its_own_cases_alone(name):
    lost = failed(judged(name))
    assert len(lost) == len(ONE_SLIP[name])
    assert all(any(words in title for title in lost) for words in ONE_SLIP[name]), lost


@pytest.mark.parametrize(
    "name",
    ["sign", "in_bits", "mean", "of_the_drawn", "of_the_batch"],
)
def test_a_slip_in_the_entropy_costs_about_a_third(name):
    report = judged(f"reinforce_entropy_{name}")
    assert 0.6 < report.points / report.max_points < 0.8


@pytest.mark.parametrize(
    "name",
    ["hard_ends_as_the_first_picture", "hard_with_tiny_epsilon", "hard_leaves_out_the_small"],
)
def test_small_weights_and_the_ends_of_sums_cost_points_whatever_is_drawn(name):
    for seed in range(8):
        functions = {"hard_attention_sample": ZOO[name].function}
        assert not run("hard_attention_sample", functions, seed=seed).passed


STATEFUL = ["hard_draws_by_itself", "hard_gumbel"]


@pytest.mark.parametrize("name", STATEFUL)
def test_a_draw_of_its_own_loses_points_whatever_is_drawn(name):
    for seed in range(5):
        torch.manual_seed(seed)
        functions = {"hard_attention_sample": ZOO[name].function}
        assert not run("hard_attention_sample", functions, seed=seed).passed


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "arrays": (np.ones(3), np.ones(3), np.ones(3)),
    "NaN": torch.tensor(np.nan, dtype=torch.float64),
    "three of NaN": (torch.tensor(np.nan),) * 3,
    "two of NaN": (torch.tensor(np.nan, dtype=torch.float64), float("nan")),
    "two of nothing": (None, None),
    "three of nothing": (None, None, None),
    "two tensors": (torch.ones(2), torch.ones(2)),
    "whole numbers": (torch.tensor([1]), torch.tensor([10**6]), torch.tensor([1])),
    "half": torch.ones(2, 3).half(),
    "on no device": torch.ones(2, device="meta"),
    "sparse": torch.eye(3).to_sparse(),
    "complex": torch.ones((), dtype=torch.complex64),
    "text and text": ("a", "b"),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


@pytest.mark.parametrize("region", [-1, 10**6])
def test_a_region_that_does_not_exist_fails_in_words(region):
    def beyond(alpha, a, u):
        k = torch.full(u.shape, region)
        return a[:, 0], k, alpha[:, 0].log()

    report = run("hard_attention_sample", {"hard_attention_sample": beyond})
    assert report.points == 0
    assert {"k is not a region"} == {case.message[:17] for case in report.cases}


def zeros_shaped_like(name, args):
    if name == "hard_attention_sample":
        _, a, u = args
        return 0 * a[:, 0], 0 * u.long(), 0 * u
    zero = 0 * args[0].sum()
    return (zero, 0.0) if name == "reinforce_loss" else zero


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_nothing(name):
    report = run(name, {name: lambda *args: zeros_shaped_like(name, args)}, salt="zeros")
    assert not passed(report)


# ------------------------------------------------------------------------------- the cases


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_nothing_is_contiguous_and_somewhere_all_is_float32(name):
    calls = [[a for a in args if isinstance(a, torch.Tensor)] for args in recorded(name).seen]
    assert any(not any(a.is_contiguous() for a in call if a.ndim > 1) for call in calls)
    kinds = [{a.dtype for a in call} - {torch.bool} for call in calls]
    assert {torch.float32} in kinds
    assert {torch.float64} in kinds


@pytest.mark.parametrize("name", NAMES)
def test_no_two_sizes_are_equal_but_where_one_of_them_is_1(name):
    largest = [max(args, key=lambda a: getattr(a, "ndim", 0)).shape for args in recorded(name).seen]
    assert all(len({*shape}) == 3 or 1 in shape for shape in map(tuple, largest))
    assert {shape.index(1) for shape in map(tuple, largest) if shape.count(1) == 1} == {0, 1, 2}
    assert any(shape.count(1) == 3 for shape in map(tuple, largest))


def test_random_numbers_fall_on_edges_at_0_and_beyond_the_whole_sum():
    met = set()
    for alpha, _, u in recorded("hard_attention_sample").seen:
        sums = alpha.cumsum(dim=1)
        before = torch.cat([torch.zeros_like(sums[:, :1]), sums[:, :-1]], dim=1)
        met |= {"an edge"} if bool(((sums == u[:, None]) & (before < sums)).any()) else set()
        zero_next = (before == u[:, None]) & (alpha == 0) & (before > 0)
        met |= {"an edge before a weight of 0"} if bool(zero_next.any()) else set()
        met |= {"0 before a weight of 0"} if bool(((u == 0) & (alpha[:, 0] == 0)).any()) else set()
        beyond = sums[:, -1] <= u
        ends_in_0 = alpha[:, -1] == 0
        met |= {f"beyond, {alpha.dtype}, {end}" for end in ends_in_0[beyond].tolist()}
        assert bool((alpha >= 0).all())
        assert torch.allclose(sums[:, -1], torch.ones_like(u), rtol=0, atol=1e-6)
        assert bool(((u >= 0) & (u < 1)).all())
    assert met == {
        "an edge",
        "an edge before a weight of 0",
        "0 before a weight of 0",
        *(f"beyond, torch.float{bits}, {end}" for bits in (32, 64) for end in (True, False)),
    }


def test_most_of_hard_attention_does_not_hang_on_how_a_sum_is_rounded():
    """Where u is near an edge, it is exactly on it, and the sums are exact."""
    for alpha, _, u in recorded("hard_attention_sample").seen:
        sums = alpha.cumsum(dim=1)
        near = (sums - u[:, None]).abs() <= 1e-6 * u[:, None]
        exact = (alpha[near.any(dim=1)][:, :-1] * 64 % 1 == 0) | (
            alpha[near.any(dim=1)][:, :-1] == 0
        )
        beyond = (sums[:, -1] <= u)[near.any(dim=1)]
        assert bool((exact.all(dim=1) | beyond).all())


def test_captions_are_padded_at_their_ends_with_numbers_that_would_show():
    for name in ("doubly_stochastic_penalty", "reinforce_loss"):
        calls = recorded(name)
        masks = [(args[1] if name == NAMES[0] else args[3]) for args in calls.seen]
        assert all(bool(mask[:, 0].all()) for mask in masks)
        assert all(bool((mask[:, :-1] | ~mask[:, 1:]).all()) for mask in masks)
        assert any(len(set(mask.sum(dim=1).tolist())) > 2 for mask in masks)
        assert any(bool(mask.all()) for mask in masks)
    padded = [args for args in calls.seen if not bool(args[3].all())]
    assert any(bool((args[2][~args[3]] < 0).any()) for args in padded)
    assert any(bool((args[0][~args[3]].abs() > 1e5).any()) for args in padded)


def test_weights_of_exactly_0_are_gone_back_through():
    for name, at in (("hard_attention_sample", 0), ("reinforce_loss", 2)):
        assert any(bool((args[at] == 0).any()) for args in recorded(name).went_back)


def test_what_a_gradient_of_weights_does_to_their_scores_is_what_softmax_makes_of_it():
    rng = np.random.RandomState(3)
    scores = torch.tensor(rng.standard_normal((3, 4, 5)), requires_grad=True)
    alpha, gradient = scores.softmax(dim=2), rng.standard_normal((3, 4, 5))
    (truth,) = torch.autograd.grad((alpha * torch.tensor(gradient)).sum(), scores)
    assert np.allclose(to_scores(alpha.detach().numpy(), gradient), truth.numpy())
    constant = gradient + rng.standard_normal((3, 4, 1))
    assert np.allclose(to_scores(alpha.detach().numpy(), constant), truth.numpy())


@pytest.mark.parametrize("name", NAMES)
def test_no_case_is_worth_more_than_a_third_of_the_points(name):
    report = run(name, solution_functions(name))
    total = sum(case.weight for case in report.cases)
    assert max(case.weight for case in report.cases) <= total / 3


def test_the_packages_own_losses_are_named_as_absent_where_they_are_used():
    losses = pytest.importorskip("cs_caption.losses")

    def doubly_stochastic_penalty(alpha, real):
        return losses.doubly_stochastic(alpha, real)

    report = check("doubly_stochastic_penalty", doubly_stochastic_penalty)
    assert any("cs_caption.losses" in note for note in report.notes)


def test_the_exercises_are_in_the_notebook_that_has_them():
    assert {solution_file(name).stem for name in NAMES} == {"06_attention"}
