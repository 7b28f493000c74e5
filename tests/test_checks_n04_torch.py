import inspect
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from judging import ZOO, judged, run  # noqa: E402
from torch import nn  # noqa: E402

from autograder.zoo import solution_file, solution_functions  # noqa: E402
from cs_caption.checks import run_check, wire  # noqa: E402
from cs_caption.checks.farside import GRAD  # noqa: E402
from cs_caption.checks.subject import LocalLink, Subject  # noqa: E402

NAMES = ["lstm_to_torch", "lstm_caption_forward", "masked_cross_entropy"]


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


def recorded(name):
    link = Recorder(solution_functions(name))
    assert run_check(name, Subject(name, link), salt="recorded").passed
    return link


def passed(report):
    return {case.title for case in report.cases if case.passed}


# ------------------------------------------------------------------------------- right answers


def bridge_by_fancy_index(Wx, Wh, b):
    H = len(Wh)
    rows = np.r_[0 : 2 * H, 3 * H : 4 * H, 2 * H : 3 * H]
    half = torch.tensor(b[rows]) / 2
    cell = nn.LSTMCell(len(Wx), H, dtype=half.dtype)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor(Wx[:, rows]).t())
        cell.weight_hh.copy_(torch.tensor(Wh[:, rows]).t())
        cell.bias_ih.copy_(half)
        cell.bias_hh.copy_(half)
    return cell.state_dict()


def bridge_of_parameters(Wx, Wh, b):
    """Views that share memory, and Parameters: load_state_dict takes them."""

    def swapped(each):
        i, f, o, g = torch.tensor(each.copy()).T.chunk(4)
        return nn.Parameter(torch.cat([i, f, g, o]))

    bias = swapped(b[None])[:, 0].detach()
    zero = torch.zeros_like(bias)
    return {
        "bias_hh": bias,
        "bias_ih": zero,
        "weight_hh": swapped(Wh),
        "weight_ih": swapped(Wx),
    }


def captioner_by_whole_sequence(model, features, tokens):
    c = model["project"](model["dropout"](features))
    cell = model["cell"]
    lstm = nn.LSTM(cell.input_size, cell.hidden_size, batch_first=True)
    weights = {f"{name}_l0": weight for name, weight in cell.named_parameters()}
    state = (torch.zeros_like(c)[None], c[None])
    states, _ = torch.func.functional_call(lstm, weights, (model["words"](tokens), state))
    return model["output"](states)


def captioner_word_by_word(model, features, tokens):
    c = model["project"](model["dropout"](features))
    h = torch.zeros_like(c)
    logits = []
    for t in range(tokens.shape[1]):
        h, c = model["cell"](model["words"](tokens[:, t]), (h, c))
        logits.append(model["output"](h)[:, None])
    return torch.cat(logits, dim=1)


def entropy_by_ignoring(logits, targets, mask):
    rows = torch.where(mask, targets, -100).reshape(-1)
    return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), rows)


def entropy_by_hand(logits, targets, mask):
    rows, right = logits[mask], targets[mask]
    best = rows.max(dim=1, keepdim=True).values
    sums = (rows - best).exp().sum(dim=1).log() + best[:, 0]
    return (sums - rows[torch.arange(len(rows)), right]).sum() / mask.sum()


OTHERS = {
    "lstm_to_torch": [bridge_by_fancy_index, bridge_of_parameters],
    "lstm_caption_forward": [captioner_by_whole_sequence, captioner_word_by_word],
    "masked_cross_entropy": [entropy_by_ignoring, entropy_by_hand],
}


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, f, id=f.__name__) for name, many in OTHERS.items() for f in many],
)
def test_right_answers_in_another_style_get_full_marks(name, function):
    for seed in range(3):
        report = run(name, {name: function}, seed=seed)
        assert report.passed, str(report)


def test_the_solutions_get_full_marks_in_the_sandbox(bubblewrap):
    from autograder.sandbox import Limits
    from autograder.session import Kernel

    with Kernel("bubblewrap", Limits()) as kernel:
        cells = ["import numpy as np\nimport torch"]
        cells += [inspect.getsource(solution_functions(name)[name]) for name in NAMES]
        assert {kernel.run(cell, 60).ended for cell in cells} == {"ok"}
        for name in NAMES:
            with kernel.serving({name: name}, call_seconds=20, check_seconds=60) as link:
                report = run_check(name, Subject(name, link), salt="s")
            assert report == run(name, solution_functions(name), salt="s")


# ------------------------------------------------------------------------------- wrong answers


WORDS = {
    "bridge_order_kept": "in the order i, f, o, g, as in Wx",
    "bridge_g_before_f": "in the order i, g, f, o",
    "bridge_bias_twice": "the bias counts twice",
    "bridge_rounded": "it is rounded to float32 on the way",
    "bridge_views_swapped": "its gates are i, f, g, g, and o is lost",
    "bridge_cut_at_d": "it is cut at multiples of D",
    "bridge_bias_order_kept": "the gates of the bias are in the order i, f, o, g",
    "bridge_bias_forgotten": "where does b go?",
    "bridge_recurrent_order_kept": "weight_hh is wrong: its gates",
    "bridge_not_transposed": "it is transposed",
    "bridge_reshaped": "reshaped, not transposed",
    "bridge_units_side_by_side": "the four numbers of a unit stand side by side",
    "bridge_always_single": "weight_ih is float32: it must be float64",
    "bridge_always_double": "weight_ih is float64: it must be float32",
    "bridge_second_bias_single": "bias_hh is float32",
    "bridge_of_arrays": "expected a torch tensor",
    "bridge_matrices_swapped": "are Wx and Wh swapped?",
    "bridge_without_second_bias": "the dict lacks bias_hh",
    "bridge_names_of_layers": "the dict lacks weight_ih",
    "bridge_cell_itself": "of type LSTMCell: expected a dict of four tensors",
    "bridge_list_of_four": "a list of 4: expected a dict",
    "bridge_bias_as_row": "an axis of length 1 too many",
    "captioner_picture_in_h": "the picture is the first state h",
    "captioner_picture_in_both": "the first state h as well",
    "captioner_blind": "the picture has no part",
    "captioner_with_tanh": "a tanh on the picture's way",
    "captioner_scores_the_memory": "the memories c are scored",
    "captioner_a_step_behind": "one step behind",
    "captioner_last_step_only": "that is one step",
    "captioner_steps_first": "two axes are swapped",
    "captioner_mixed": "reshape and view do not swap axes",
    "captioner_picture_every_step": "put into the memory at every step",
    "captioner_h_not_carried": "h is not carried",
    "captioner_state_to_itself": "h and c are swapped",
    "captioner_swaps_h_and_c": "h and c are swapped: nn.LSTMCell takes and returns (h, c)",
    "captioner_drops_unscaled": "what is kept is not scaled",
    "captioner_drops_divided_by_p": "what is kept is divided by p",
    "captioner_drops_times_kept": "what is kept is multiplied by 1 - p",
    "captioner_drops_twice": "the features are dropped twice",
    "captioner_one_mask_for_all": "the same features are dropped of every picture",
    "captioner_drops_whole_pictures": "each is dropped by itself",
    "captioner_drops_another_share": "not a share of p is dropped",
    "captioner_seeds": "is something seeded in the function",
    "captioner_stops_where_all_ended": "where all captions have ended it goes on",
    "captioner_reads_its_own_words": "the most probable word is read, not the next of tokens",
    "captioner_holds_on_null": "the state stays what it was where <NULL> is read",
    "captioner_picture_added_every_step": "at every step, the first included",
    "captioner_project_without_bias": "the bias of project",
    "captioner_a_word_late": "the word before its own, <START> twice",
    "captioner_warms_up": "<START> is among them (a vector of 0)",
    "captioner_fills_a_single_buffer": "the result is float32: it must be float64",
    "captioner_without_dropout": "it does nothing: is it used?",
    "captioner_drops_after_projecting": "drop first, then project",
    "captioner_drops_words_too": "to the words as well",
    "captioner_drops_states_too": "to the states as well",
    "captioner_always_drops": "is something dropped there",
    "captioner_in_eval_mode": "it changes the model",
    "captioner_without_gradients": "no gradient comes back through them",
    "captioner_detaches_states": "no gradient reaches features",
    "captioner_words_by_data": 'no gradient reaches model["words"]',
    "captioner_by_numpy": "is something detached",
    "captioner_log_probabilities": "they are logarithms of probabilities",
    "captioner_drops_the_last_word": "a step is missing",
    "captioner_in_single": "of the type of the others?",
    "captioner_to_single": "the result is float32: it must be float64",
    "captioner_one_state_for_all": "the memory of the first picture",
    "captioner_normalises_in_place": "changes its input features",
    "captioner_null_words_are_zero": "as if its vector were 0",
    "captioner_goes_on_from_the_last_call": "kept from call to call",
    "captioner_by_the_output_weights": "the bias of the output layer",
    "entropy_pads_count": "masked positions count as well",
    "entropy_sum": "it is the sum over the real tokens",
    "entropy_pads_in_the_number": "masked positions included",
    "entropy_by_captions": "divided by N",
    "entropy_mean_of_means": "short sentences weigh too much",
    "entropy_mask_upside_down": "the mask is upside down",
    "entropy_mask_from_targets": "the mask is made from the tokens",
    "entropy_mask_as_lengths": "it may have holes",
    "entropy_masked_by_product": "0 times infinity is NaN",
    "entropy_logits_masked_by_product": "what is masked still costs something",
    "entropy_log_of_softmax": "do not take the logarithm of a probability",
    "entropy_with_epsilon": "do not take the logarithm of a probability",
    "entropy_by_exponentials": "large scores overflow",
    "entropy_softmax_over_steps": "the softmax runs over the time steps",
    "entropy_softmax_over_captions": "the softmax runs over the sentences",
    "entropy_steps_mixed": "captions and steps are mixed",
    "entropy_axes_swapped": "words and steps are mixed",
    "entropy_softmax_twice": "the softmax is taken twice",
    "entropy_in_bits": "logarithm to base 2",
    "entropy_sign": "its sign is wrong",
    "entropy_perplexity": "it is a perplexity",
    "entropy_item": "no gradient goes through a plain number",
    "entropy_without_gradient": "no gradient comes back through the loss",
    "entropy_new_tensor": "a new tensor made of numbers",
    "entropy_largest_in_sum_only": "is the sum over the vocabulary detached?",
    "entropy_keeps_an_axis": "without axes",
    "entropy_in_single": "it must be float64",
    "entropy_in_double": "it must be float32",
    "entropy_overwrites_targets": "it changes its input targets",
    "entropy_by_view": "Use .reshape",
    "entropy_a_step_late": "the target of the next step",
    "entropy_fills_a_single_buffer": "of the type of logits?",
    "entropy_first_word_left_out": "the first word of each caption is left out",
    "entropy_shifts_again": "targets is shifted already",
    "entropy_means_of_captions": "0/0? A caption, or a step, may have no real word",
    "entropy_means_of_steps": "late words weigh too much",
    "entropy_smoothed": "leave label_smoothing away",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words


def test_a_loss_that_is_right_but_does_not_learn_keeps_less_than_three_quarters_of_its_points():
    for name in ("entropy_without_gradient", "entropy_new_tensor"):
        report = judged(name)
        assert 0 < report.points < 0.75 * report.max_points


@pytest.mark.parametrize(
    "name", ["captioner_without_dropout", "captioner_detaches_states", "captioner_in_eval_mode"]
)
def test_one_slip_in_a_captioner_costs_its_own_cases_alone(name):
    assert {"whole captions", "one caption (N = 1)"} <= passed(judged(name))


def lstm_first_state_of_the_usual_type(model, features, tokens):
    c = model["project"](model["dropout"](features))
    h, states = torch.zeros(c.shape), []
    for x in model["words"](tokens).unbind(dim=1):
        h, c = model["cell"](x, (h, c))
        states.append(h)
    return model["output"](torch.stack(states, dim=1))


SINGLE = {
    "lstm_first_state_of_the_usual_type": (
        "lstm_caption_forward",
        lstm_first_state_of_the_usual_type,
    ),
    "captioner_fills_a_single_buffer": ("lstm_caption_forward", None),
    "entropy_fills_a_single_buffer": ("masked_cross_entropy", None),
}


@pytest.mark.parametrize("wrong", SINGLE)
def test_a_buffer_of_the_usual_type_costs_the_case_of_the_types_alone(wrong):
    name, function = SINGLE[wrong]
    report = run(name, {name: function or ZOO[wrong].function}, salt="single")
    failed = {case.title for case in report.cases if not case.passed}
    title = "float32 stays float32, and float64 float64"
    assert failed == {title, f"{title} (hidden numbers)"}


DROPS = [name for name in WORDS if re.search("drops_(un|div|tim|twi|who|ano)|one_mask|seeds", name)]


@pytest.mark.parametrize("name", DROPS)
def test_a_wrong_dropout_loses_points_whatever_is_drawn(name):
    assert len(DROPS) == 8
    for seed in range(5):
        assert not run(
            "lstm_caption_forward", {"lstm_caption_forward": ZOO[name].function}, seed=seed
        ).passed


# ------------------------------------------------------------------------------- strange answers


JUNK = {
    "None": None,
    "a number": 3,
    "text": "done",
    "an empty list": [],
    "an empty dict": {},
    "an object": object(),
    "a Linear": nn.Linear(2, 3),
    "arrays": {"weight_ih": np.ones(3)},
    "NaN": torch.tensor(np.nan, dtype=torch.float64),
    "whole numbers": torch.tensor([[[1, 2], [3, 4]]]),
    "no numbers": torch.zeros(0, 3),
    "half": torch.ones(2, 3).half(),
    "on no device": torch.ones(2, device="meta"),
    "sparse": torch.eye(3).to_sparse(),
    "complex": torch.ones(2, dtype=torch.complex64),
    "a dict of None": dict.fromkeys(("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
    "numbered": {1: torch.ones(2)},
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", NAMES)
def test_junk_fails_in_words(name, junk):
    report = run(name, {name: lambda *args: JUNK[junk]})
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def zeros_shaped_like(name, *args):
    if name == "lstm_to_torch":
        Wx, Wh, b = map(torch.tensor, args)
        return {"weight_ih": 0 * Wx.T, "weight_hh": 0 * Wh.T, "bias_ih": 0 * b, "bias_hh": 0 * b}
    if name == "lstm_caption_forward":
        model, _, tokens = args
        return 0 * model["output"].bias.expand(*tokens.shape, -1)
    return 0 * args[0].sum()


@pytest.mark.parametrize("name", NAMES)
def test_zeros_of_the_right_shapes_earn_nothing_but_for_the_shapes(name):
    report = run(name, {name: lambda *args: zeros_shaped_like(name, *args)})
    shapes = {"four tensors, by the names and with the shapes that nn.LSTMCell has"}
    assert passed(report) <= shapes


# ------------------------------------------------------------------------------- the cases


def tensors_of(args):
    if isinstance(args, wire.Recipe):
        return tensors_of(args.contents)
    if isinstance(args, dict):
        return tensors_of(list(args.values()))
    if isinstance(args, (tuple, list)):
        return [tensor for each in args for tensor in tensors_of(each)]
    return [args] if isinstance(args, (np.ndarray, torch.Tensor)) else []


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_nothing_is_contiguous_and_somewhere_all_is_float32(name):
    calls = [tensors_of(args) for args in recorded(name).seen]

    def gapped(a):
        flat = a.flags.c_contiguous if isinstance(a, np.ndarray) else a.is_contiguous()
        return not flat

    assert any(all(map(gapped, call)) for call in calls)
    kinds = [{str(a.dtype).removeprefix("torch.") for a in call} for call in calls]
    assert {"float32", "int64", "bool"} >= next(k for k in kinds if "float32" in k)


def test_arrays_to_be_bridged_are_write_protected_somewhere_and_square_nowhere_by_chance():
    calls = recorded("lstm_to_torch").seen
    assert any(not any(a.flags.writeable for a in args) for args in calls)
    shapes = [args[0].shape for args in calls]
    square = [D for D, width in shapes if width == D]
    assert {4} < {*square}
    assert len(square) < len(shapes) / 3
    assert {1} <= {D for D, _ in shapes}
    assert {4} <= {width for _, width in shapes}


def test_no_two_sizes_of_a_captioner_are_equal_and_no_gate_is_saturated():
    for recipe, features, tokens in recorded("lstm_caption_forward").seen:
        parts, _ = recipe.contents
        H, C = parts["project"][1].shape
        V, W = parts["words"][1].shape
        N, T = tokens.shape
        assert features.shape == (N, C)
        assert len({N, T, H, C, V, W}) == 6
        assert all(
            float(w.abs().max()) <= 1 for kind, *ws in parts.values() for w in tensors_of(ws)
        )
        assert float(features.abs().max()) <= 1


def test_a_captioner_is_tried_in_both_modes_with_one_step_and_with_one_caption():
    calls = recorded("lstm_caption_forward")
    assert calls.went_back
    assert {args[0].contents[1] for args in calls.seen} == {True, False}
    assert {1} <= {args[2].shape[1] for args in calls.seen}
    assert {1} <= {args[2].shape[0] for args in calls.seen}


def test_masks_have_holes_and_word_0_is_real_somewhere():
    calls = recorded("masked_cross_entropy")
    assert calls.went_back
    for logits, _, mask in calls.seen:
        assert len({*logits.shape}) == 3 or 1 in logits.shape
        assert mask.any()
    wide = [(targets, mask) for _, targets, mask in calls.seen if min(mask.shape) > 1]
    assert all(bool(((targets == 0) & mask).any()) for targets, mask in wide[:1])
    lengths = [torch.arange(m.shape[1]) < m.sum(1, keepdim=True) for _, m in wide]
    assert any(not torch.equal(m, filled) for (_, m), filled in zip(wide, lengths, strict=True))
    assert any(bool(torch.isneginf(logits).any()) for logits, *_ in calls.seen)
    assert any(bool(torch.isnan(logits).any()) for logits, *_ in calls.seen)


@pytest.mark.parametrize("name", NAMES)
def test_no_case_is_worth_more_than_a_third_of_the_points(name):
    report = run(name, solution_functions(name))
    total = sum(case.weight for case in report.cases)
    assert max(case.weight for case in report.cases) <= total / 3


def test_every_wrong_answer_has_words_of_its_own_or_is_a_matter_of_state():
    left = {name for name, mutant in ZOO.items() if mutant.exercise in NAMES} - set(WORDS)
    assert left <= {
        "bridge_split_along_rows",
        "bridge_in_place",
        "bridge_of_the_first_call",
        "captioner_detaches_the_picture",
        "entropy_each_word",
        "entropy_clamped",
    }


def test_the_exercises_are_in_the_notebook_that_has_them():
    assert {solution_file(name).stem for name in NAMES} == {"04_captioning"}
