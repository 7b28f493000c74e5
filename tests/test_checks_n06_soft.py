import inspect
from functools import cache

import pytest

torch = pytest.importorskip("torch")

from judging import ZOO, judged, run  # noqa: E402
from torch import nn  # noqa: E402

from autograder.zoo import solution_file, solution_functions  # noqa: E402
from cs_caption.checks import built, exercises, run_check, wire  # noqa: E402
from cs_caption.checks.farside import GRAD  # noqa: E402
from cs_caption.checks.n06_attention.shared import BANNED  # noqa: E402
from cs_caption.checks.subject import LocalLink, Subject  # noqa: E402
from cs_caption.models.attention import AdditiveAttention  # noqa: E402

NAMES = ["attention_scores", "soft_attention", "attention_lstm_step"]


class Recorder(LocalLink):
    """Functions, and the arguments of every call that came for them, as they crossed."""

    def __init__(self, functions):
        super().__init__(functions)
        self.seen, self.went_back = [], 0

    def exchange(self, request, count):
        function, calls = wire.loads(request)
        self.went_back += len(calls) * (function == GRAD)
        self.seen += [args[2:] if function == GRAD else args for args, _ in calls]
        return super().exchange(request, count)


@cache
def recorded(name):
    link = Recorder(solution_functions(name))
    assert run_check(name, Subject(name, link), salt="recorded").passed
    return link


def failed(report):
    return {case.title for case in report.cases if not case.passed}


# ------------------------------------------------------------------------------- right answers


def scores_by_einsum(model, query, keys):
    score, asked = model["score"], model["query"]
    sums = keys + torch.einsum("nq,aq->na", query, asked.weight).unsqueeze(1) + asked.bias
    return torch.einsum("nla,a->nl", sums.tanh(), score.weight.squeeze(0)) + score.bias


def scores_region_by_region(model, query, keys):
    asked, found = model["query"](query), torch.zeros_like(keys[:, :, 0])
    for i in range(keys.shape[1]):
        found[:, i] = model["score"](torch.tanh(keys[:, i] + asked))[:, 0]
    return found


def scores_of_each_picture(model, query, keys):
    rows = [
        model["score"](torch.tanh(k + model["query"](q))) for q, k in zip(query, keys, strict=True)
    ]
    return torch.stack(rows)[..., 0]


def scores_of_repeated_queries(model, query, keys):
    N, L, A = keys.shape
    asked = model["query"](query).repeat_interleave(L, dim=0)
    rows = keys.reshape(N * L, A) + asked
    both = nn.Sequential(nn.Tanh(), model["score"])
    return both(rows).reshape(N, L)


def scores_by_two_sigmoids(model, query, keys):
    x = keys + model["query"](query).unsqueeze(1).expand_as(keys)
    return model["score"](2 * torch.sigmoid(2 * x) - 1).squeeze(-1)


def soft_by_bmm(scores, a, mask=None):
    if mask is not None:
        scores = torch.where(mask, scores, -torch.inf)
    alpha = nn.functional.softmax(scores, dim=-1)
    return torch.bmm(alpha.unsqueeze(1), a).squeeze(1), alpha


def soft_by_lowest_number(scores, a, mask=None):
    mask = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask
    lowest = torch.finfo(scores.dtype).min
    alpha = scores.masked_fill(~mask, lowest).softmax(1)
    return torch.einsum("nl,nlc->nc", alpha, a), alpha


def soft_by_exponentials(scores, a, mask=None):
    low = scores if mask is None else scores.masked_fill(mask == 0, float("-inf"))
    e = (low - low.max(dim=1, keepdim=True).values).exp()
    alpha = e / e.sum(dim=1, keepdim=True)
    return (alpha[..., None] * a).sum(1), alpha


def soft_by_logarithms(scores, a, mask=None):
    if mask is not None:
        scores = scores + mask.to(scores.dtype).log()
    alpha = (scores - scores.logsumexp(dim=1, keepdim=True)).exp()
    return torch.matmul(a.transpose(1, 2), alpha.unsqueeze(2)).squeeze(2), alpha


def soft_into_a_copy(scores, a, mask=None):
    scores = scores.clone()
    if mask is not None:
        scores[~mask] = -torch.inf
    alpha = scores.softmax(1)
    return torch.stack([weights @ own for weights, own in zip(alpha, a, strict=True)]), alpha


def soft_of_what_is_seen(scores, a, mask=None):
    """Picture by picture, the masked regions left out of everything."""
    zs, alphas = [], []
    for n in range(len(a)):
        seen = torch.arange(a.shape[1]) if mask is None else mask[n].nonzero()[:, 0]
        share = scores[n, seen].softmax(0)
        zs.append((share[:, None] * a[n, seen]).sum(0))
        alphas.append(torch.zeros_like(scores[n]).index_put((seen,), share))
    return torch.stack(zs), torch.stack(alphas)


def step_from_scratch(model, word, prev_h, prev_c, a, keys, mask=None):
    asked = model["query"](torch.hstack((prev_h, word)))
    scores = model["score"](torch.tanh(keys + asked.unsqueeze(1))).squeeze(-1)
    z, alpha = soft_by_exponentials(scores, a, mask)
    z = z * model["gate"](prev_h).sigmoid()
    h, c = model["cell"](torch.hstack((word, z)), (prev_h, prev_c))
    return [h, c, z, alpha]


def step_with_scaled_regions(model, word, prev_h, prev_c, a, keys, mask=None):
    """The gate scales the regions, and the cell's equations are written out."""
    beta = 1 / (1 + torch.exp(-model["gate"](prev_h)))
    asked = torch.cat((prev_h, word), -1)
    z, alpha = soft_by_bmm(scores_by_einsum(model, asked, keys), beta[:, :, None] * a, mask)
    cell = model["cell"]
    sums = torch.cat((word, z), 1) @ cell.weight_ih.T + cell.bias_ih
    i, f, g, o = (sums + prev_h @ cell.weight_hh.T + cell.bias_hh).chunk(4, dim=1)
    next_c = f.sigmoid() * prev_c + i.sigmoid() * g.tanh()
    return o.sigmoid() * next_c.tanh(), next_c, z, alpha


OTHERS = {
    "attention_scores": [
        scores_by_einsum,
        scores_region_by_region,
        scores_of_each_picture,
        scores_of_repeated_queries,
        scores_by_two_sigmoids,
    ],
    "soft_attention": [
        soft_by_bmm,
        soft_by_lowest_number,
        soft_by_exponentials,
        soft_by_logarithms,
        soft_into_a_copy,
        soft_of_what_is_seen,
    ],
    "attention_lstm_step": [step_from_scratch, step_with_scaled_regions],
}


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, f, id=f.__name__) for name, many in OTHERS.items() for f in many],
)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(2):
        report = run(name, {name: function}, seed=seed, salt="style")
        assert report.passed, str(report)


def test_the_solutions_get_full_marks_in_the_sandbox_without_the_packages_own(bubblewrap):
    from autograder.sandbox import Limits
    from autograder.session import Kernel

    with Kernel("bubblewrap", Limits()) as kernel:
        cells = ["import torch\nfrom torch import nn"]
        cells += [inspect.getsource(solution_functions(name)[name]) for name in NAMES]
        assert {kernel.run(cell, 60).ended for cell in cells} == {"ok"}
        for name in NAMES:
            with kernel.serving({name: name}, call_seconds=20, check_seconds=60) as link:
                report = run_check(name, Subject(name, link), salt="s")
            assert report == run(name, solution_functions(name), salt="s")


def test_the_packages_attention_and_the_solutions_agree():
    torch.manual_seed(0)
    attention = AdditiveAttention(value_dim=5, query_dim=4, attention_dim=3).double()
    a, query = torch.randn(6, 7, 5).double(), torch.randn(6, 4).double()
    mask = torch.rand(6, 7) < 0.7
    mask[:, 2] = True
    keys = attention.keys(a)
    model = nn.ModuleDict({"query": attention.query, "score": attention.score})
    functions = solution_functions("attention_lstm_step")["attention_lstm_step"].__globals__
    scores = functions["attention_scores"](model, query, keys)
    found = functions["soft_attention"](scores, a, mask)
    for ours, package in zip(found, attention(query, keys, a, mask), strict=True):
        torch.testing.assert_close(ours, package)


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "scores_without_tanh": "there is no tanh",
    "scores_tanh_of_keys": "the tanh is on the keys alone",
    "scores_tanh_of_query": "the tanh is on the query alone",
    "scores_two_tanhs": "tanh is taken of keys and query apart",
    "scores_by_relu": "there is a ReLU where the tanh belongs",
    "scores_by_sigmoid": "there is a sigmoid where the tanh belongs",
    "scores_tanh_last": 'the tanh comes after model["score"]',
    "scores_not_broadcast": "sizes are matched from the last axis on",
    "scores_first_query_for_all": "every picture gets the query of the first",
    "scores_queries_by_region": "the queries go along the regions",
    "scores_without_query": "the query has no part in them",
    "scores_without_keys": "the keys have no part in them",
    "scores_multiplied": "keys and query are multiplied",
    "scores_subtracted": "the query is taken away from the keys",
    "scores_dot_product": "they are dot products of keys and query",
    "scores_scaled": "they are divided by the root of A",
    "scores_summed": "the tanh is summed up",
    "scores_query_without_bias": 'the bias of model["query"]',
    "scores_score_without_bias": 'the bias of model["score"]',
    "scores_keep_an_axis": "an axis of length 1 too many",
    "scores_squeezed": "keep the axes apart",
    "scores_as_weights": "they are weights already",
    "scores_tanh_by_exponentials": "torch.tanh is 1 there",
    "scores_without_gradient": "no gradient comes back through the scores",
    "scores_detach_query": "no gradient reaches query",
    "scores_detach_keys": "no gradient reaches keys",
    "scores_weights_by_data": 'no gradient reaches model["score"]',
    "scores_by_numpy": "is something detached",
    "scores_added_in_place": "it changes its input keys",
    "scores_fill_a_single_buffer": "is every tensor that you make of the type of the others?",
    "scores_by_view": "Use .reshape",
    "scores_rows_repeated_wrongly": "repeat_interleave keeps those of one together",
    "scores_in_eval_mode": "it changes the model",
    "scores_shared_by_pictures": "they are weights already, and shared by the pictures",
    "scores_of_the_mean_query": "every picture gets the mean of all queries",
    "scores_tanh_within_tanh": "a tanh of the query is added to the keys",
    "scores_tanh_of_keys_within_tanh": "the query is added to a tanh of the keys",
    "scores_listed": "torch.stack",
    "scores_make_keys": "keys come as they are",
    "soft_with_a_small_epsilon": "Is a small number added to the sum",
    "soft_mask_times_infinity": "0 times infinity is NaN; set masked scores",
    "soft_mask_after_exponentials": "infinity times 0 is NaN",
    "soft_mask_lowers_by_much": "No number that is taken away is large enough",
    "soft_mask_lowers": "No number that is taken away is large enough",
    "soft_mask_twice": "masked regions get all the weight in the softmax",
    "soft_mask_after_with_an_epsilon": "Take them out before the softmax",
    "soft_of_every_pair": "each picture's weights meet every picture's regions",
    "soft_listed": "torch.stack",
    "step_in_eval_mode": "it changes the model",
    "step_asks_from_a_blind_state": "the query is made of next_h",
    "step_gate_on_the_scores": "the gate scales the scores",
    "step_gate_of_the_batch": "the gate is averaged over the pictures",
    "step_makes_keys": "keys come as they are",
    "step_returns_the_old_memory": "prev_c is returned in its place",
    "scores_mixed": "reshape and view do not swap axes",
    "soft_over_pictures": "the softmax runs over the pictures",
    "soft_over_everything": "all regions of all pictures",
    "soft_mask_forgotten": "the mask has no part in it",
    "soft_mask_after": "the mask comes after the softmax",
    "soft_mask_after_renormalised": "Take them out before the softmax",
    "soft_mask_upside_down": "the mask is upside down",
    "soft_mask_of_zeros": "a score of 0 gets a share like any other",
    "soft_mask_times_scores": "a score of 0 gets a share like any other",
    "soft_mask_by_a_million_millions": "No number is far enough below all scores",
    "soft_mask_by_a_hundred": "it must be exactly 0",
    "soft_mask_of_the_first": "every picture has the mask of the first",
    "soft_mask_on_z_alone": "the mask has no part in it",
    "soft_mask_on_alpha_alone": "made with weights in which the mask has no part",
    "soft_mask_in_place": "it changes its input scores",
    "soft_overflowing": "softmax takes the largest score of a row away first",
    "soft_largest_of_the_batch": "softmax takes the largest score of a row away first",
    "soft_largest_is_masked": "must be one that counts",
    "soft_by_sigmoids": "they are sigmoids",
    "soft_not_normalised": "they are not divided by their sum",
    "soft_twice": "the softmax is taken twice",
    "soft_logarithms": "they are logarithms of the weights",
    "soft_made_hard": "all of it goes to the strongest region",
    "soft_scaled": "divided by the root of L",
    "soft_averaged": "averaged after they are weighed",
    "soft_unweighted": "the mean of the regions, whatever their weights",
    "soft_of_the_first_picture": "the first picture's regions",
    "soft_not_summed": "are still to be summed up",
    "soft_keeps_an_axis": "an axis of length 1 too many",
    "soft_squeezed": "keep the axes apart",
    "soft_results_swapped": "alpha comes first and z second",
    "soft_z_alone": "expected the 2 results (z, alpha)",
    "soft_weights_detached": "no gradient reaches scores through z",
    "soft_alpha_detached": "no gradient comes back through alpha",
    "soft_regions_detached": "no gradient reaches a through z",
    "soft_without_gradient": "no gradient comes back through z",
    "soft_sum_detached": "come back by a part of the way only",
    "soft_to_single": "is it rounded to float32?",
    "soft_fills_a_single_buffer": "z is float32: it must be float64",
    "soft_by_view": "Use .reshape",
    "soft_regions_mixed": "reshape and view do not swap axes",
    "step_query_turned": "here word comes first",
    "step_query_of_the_state_alone": "here word has no part in it",
    "step_query_of_the_memory": "here prev_c stands in prev_h's place",
    "step_looks_late": "the picture is looked at from next_h",
    "step_mask_not_handed_on": "Is mask handed on?",
    "step_reads_turned": "the cell reads [word, z], in this order; here z comes first",
    "step_reads_no_picture": "here z has no part in it",
    "step_gate_forgotten": "the gate has no part in it",
    "step_gate_of_next_h": "the gate is asked of next_h",
    "step_gate_of_a_first_run": "the gate is asked of the next_h of a first run",
    "step_gate_of_the_memory": "the gate is asked of prev_c",
    "step_gate_not_squashed": "the gate is not squashed",
    "step_gate_by_tanh": "the gate is squashed by a tanh",
    "step_gate_without_bias": 'the bias of model["gate"]',
    "step_gate_shut_for_open": "the gate is upside down",
    "step_gate_twice": "the gate is applied twice",
    "step_gate_on_the_word_too": "the gate scales the word as well",
    "step_z_as_it_was_seen": "z, as it is returned, is scaled as well",
    "step_cell_reads_unscaled": "the cell reads the z that is scaled (alpha and z are right)",
    "step_alpha_scaled": "alpha is scaled by the gate",
    "step_memory_forgotten": "here prev_c is 0",
    "step_state_forgotten": "here both are 0",
    "step_state_turned": "here they are swapped",
    "step_returns_turned": "next_h and next_c are swapped",
    "step_three_results": "expected the 4 results",
    "step_state_as_a_pair": "expected the 4 results",
    "step_mean_of_regions": "the regions are averaged, whatever alpha is",
    "step_keys_for_regions": "the first picture's regions",
    "step_alpha_detached": "no gradient comes back through alpha",
    "step_query_detached": "come back by a part of the way only",
    "step_gate_detached": 'no gradient reaches model["gate"] through next_h',
    "step_memory_detached": "no gradient reaches prev_c through next_h",
    "step_reads_detached": "no gradient reaches a and keys",
    "step_without_gradient": "no gradient comes back through next_h",
    "step_memory_in_place": "it changes its input prev_c",
    "step_in_train_mode": "it changes the model",
    "step_to_single": "z is float32: it must be float64",
    "step_alpha_before_z": "z and alpha are swapped",
    "step_cell_before_the_look": "the query is made of next_h",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_every_wrong_answer_has_words_of_its_own_or_is_a_matter_of_its_case():
    left = {name for name, mutant in ZOO.items() if mutant.exercise in NAMES} - set(WORDS)
    assert left == {
        "scores_clipped",
        "scores_parts_in_order",
        "scores_of_the_last_query",
        "soft_mask_required",
        "soft_summed_over_c",
        "soft_with_an_epsilon",
        "soft_mask_kept",
        "step_gate_of_z",
        "step_gate_decides",
        "step_squeezed",
        "step_keeps_its_memory",
        "step_parts_in_order",
    }


@pytest.mark.parametrize(
    "name", ["scores_without_gradient", "soft_without_gradient", "step_without_gradient"]
)
def test_what_is_right_but_does_not_learn_keeps_three_quarters_of_its_points_at_most(name):
    report = judged(name)
    assert 0.5 * report.max_points < report.points <= 0.75 * report.max_points


TYPES = "float32 stays float32, and float64 float64"
ONE_SLIP = {
    "scores_parts_in_order": {"a model that has other parts as well"},
    "scores_tanh_by_exponentials": {"keys far from 0"},
    "scores_fill_a_single_buffer": {TYPES},
    "scores_detach_keys": {"autograd reaches query, keys and every parameter"},
    "soft_mask_by_a_million_millions": {
        "a constant added to all scores changes nothing, be it large"
    },
    "soft_overflowing": {"a constant added to all scores changes nothing, be it large"},
    "soft_mask_after_renormalised": {"what stands where the mask is False counts for nothing"},
    "soft_mask_by_a_hundred": {
        "masked regions get exactly zero weight, and the others all of it",
        "what stands where the mask is False counts for nothing",
        "a constant added to all scores changes nothing, be it large",
    },
    "soft_fills_a_single_buffer": {TYPES},
    "soft_with_a_small_epsilon": {"the weights of a picture sum to one, and none is below 0"},
    "soft_mask_lowers_by_much": {"what stands where the mask is False counts for nothing"},
    "soft_mask_after_exponentials": {"what stands where the mask is False counts for nothing"},
    "soft_squeezed": {"one picture (N = 1), one region (L = 1), one number a region (C = 1)"},
    "step_mask_not_handed_on": {
        "masked regions get exactly zero weight, and count for nothing",
        "autograd through z and alpha, masked",
        "inputs unchanged, also when not contiguous in memory, and the model as it was",
    },
    "step_parts_in_order": {"a model that has other parts as well"},
    "step_to_single": {TYPES},
    "step_alpha_detached": {"autograd through z and alpha, masked"},
}


@pytest.mark.parametrize("name", ONE_SLIP)
def test_one_slip_costs_its_own_cases_alone(name):
    assert failed(judged(name)) <= ONE_SLIP[name]
    assert failed(judged(name))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("step_reads_turned", {"alpha", "z"}),
        ("step_gate_forgotten", {"alpha"}),
        ("step_alpha_scaled", {"z", "next_h and next_c"}),
        ("step_z_as_it_was_seen", {"alpha", "next_h and next_c"}),
        ("soft_unweighted", {"alpha"}),
    ],
)
def test_each_result_that_is_right_keeps_its_case(name, kept):
    right = {case.title.split(":")[0] for case in judged(name).cases if case.passed}
    assert kept <= right


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_step_whose_own_parts_are_not_written_says_which(name):
    functions = dict(solution_functions("attention_lstm_step")["attention_lstm_step"].__globals__)

    def stub(*args):
        raise NotImplementedError

    stub.__code__ = stub.__code__.replace(co_name=name)
    functions[name] = stub
    source = inspect.getsource(functions["attention_lstm_step"])
    exec(source, functions)
    report = run("attention_lstm_step", {"attention_lstm_step": functions["attention_lstm_step"]})
    assert report.points == 0
    words = f"{name}, which attention_lstm_step calls, is not written yet"
    assert all(words in case.message for case in report.cases)


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an object": object(),
    "a Linear": nn.Linear(2, 3),
    "NaN": torch.tensor(torch.nan),
    "whole numbers": torch.tensor([[1, 2], [3, 4]]),
    "no numbers": torch.zeros(0, 3),
    "half": torch.ones(2, 3).half(),
    "on no device": torch.ones(2, device="meta"),
    "complex": torch.ones(2, dtype=torch.complex64),
    "two of None": (None, None),
    "four texts": ("next_h", "next_c", "z", "alpha"),
    "two tensors without axes": (torch.tensor(1.0), torch.tensor(1.0)),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def zeros_shaped_like(name, *args):
    if name == "attention_scores":
        return 0 * args[2].sum(2)
    if name == "soft_attention":
        return 0 * args[1].sum(1), 0 * args[0]
    _, _, prev_h, prev_c, a, *_ = args
    return 0 * prev_h, 0 * prev_c, 0 * a.sum(1), 0 * a.sum(2)


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_nothing(name):
    assert run(name, {name: lambda *args: zeros_shaped_like(name, *args)}).points == 0


# ------------------------------------------------------------------------------- the cases


def tensors_of(args):
    if isinstance(args, wire.Recipe):
        return tensors_of(args.contents)
    if isinstance(args, dict):
        return tensors_of(list(args.values()))
    if isinstance(args, (tuple, list)):
        return [tensor for each in args for tensor in tensors_of(each)]
    return [args] if isinstance(args, torch.Tensor) else []


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_nothing_is_contiguous_and_both_types_come(name):
    calls = [tensors_of(args) for args in recorded(name).seen]

    def gapped(t):
        return t.numel() == 1 or not t.is_contiguous()

    assert any(all(map(gapped, call)) for call in calls)
    kinds = {t.dtype for call in calls for t in call}
    assert kinds - {torch.bool} == {torch.float32, torch.float64}


def the_regions(name, args):
    """a (N, L, C), or keys (N, L, A), and the mask or None."""
    at = {"attention_scores": 2, "soft_attention": 1, "attention_lstm_step": 4}[name]
    mask = {"soft_attention": 2, "attention_lstm_step": 6}.get(name, len(args))
    return args[at], args[mask] if len(args) > mask else None


@pytest.mark.parametrize("name", NAMES)
def test_no_two_sizes_are_equal_but_those_that_are_1(name):
    for args in recorded(name).seen[name == "soft_attention" and 4 :]:
        found = [n for n in the_regions(name, args)[0].shape if n != 1]
        assert len({*found}) == len(found)


@pytest.mark.parametrize("name", NAMES)
def test_one_picture_and_one_region_are_tried_and_autograd_goes_back(name):
    calls = recorded(name)
    shapes = [tuple(the_regions(name, args)[0].shape) for args in calls.seen]
    assert {shape.index(1) for shape in shapes if shape.count(1) == 1} == {0, 1, 2}
    assert (1, 1, 1) in shapes
    assert calls.went_back


@pytest.mark.parametrize("name", NAMES[1:])
def test_masks_are_ragged_leave_a_region_in_each_row_and_are_left_away_or_none(name):
    masks = [the_regions(name, args)[1] for args in recorded(name).seen]
    given = [mask for mask in masks if mask is not None]
    assert any(mask is None for mask in masks)
    assert all(bool(mask.any(dim=1).all()) for mask in given)
    assert sum(not mask.all() for mask in given) > 5
    wide = [mask for mask in given if min(mask.shape) > 2 and not mask.all()]
    assert any(len({*mask.sum(1).tolist()}) > 1 for mask in wide)
    explicit = [args[-1] is None for args in recorded(name).seen]
    assert True in explicit


def test_scores_are_far_from_0_where_they_are_masked_and_where_all_are_shifted():
    seen = recorded("soft_attention").seen
    masked = [args for args in seen if len(args) > 2 and args[2] is not None]
    assert any(float(s[~m].max()) > float(s[m].max()) + 1000 for s, _, m in masked if not m.all())
    assert any(float(args[0].max()) < -1e9 for args in seen)
    assert any(float(args[0].min()) > 1e9 for args in seen)


@pytest.mark.parametrize("name", ["attention_scores", "attention_lstm_step"])
def test_models_have_other_parts_somewhere_and_their_order_changes(name):
    parts = [tuple(args[0].contents[0]) for args in recorded(name).seen]
    fewest = min(map(len, parts))
    assert any(len(names) > fewest for names in parts)
    assert any(names[0] != "query" for names in parts)
    assert all(len(built.make(args[0])) == len(args[0].contents[0]) for args in recorded(name).seen)


@pytest.mark.parametrize("name", NAMES)
def test_no_case_is_worth_more_than_a_third_of_the_points(name):
    report = run(name, solution_functions(name))
    total = sum(case.weight for case in report.cases)
    assert max(case.weight for case in report.cases) <= total / 3


def test_the_exercises_are_in_the_notebook_that_has_them_and_ban_the_same_modules():
    assert {solution_file(name).stem for name in NAMES} == {"06_attention"}
    assert {exercises()[name].banned for name in NAMES} == {BANNED}
