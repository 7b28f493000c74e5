"""What holds for the check of every exercise, whatever it asks."""

import ast
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.mutants import mutants
from autograder.zoo import (
    SOLUTIONS,
    checked,
    plain_part,
    remembering,
    row_of,
    solution_functions,
)
from cs_caption import check
from cs_caption.checks import exercises, run_check
from cs_caption.checks.remote import RemoteSubject
from cs_caption.checks.subject import LocalSubject

ROOT = Path(__file__).resolve().parent.parent
NAMES = list(exercises())
ZOO = {mutant.name: mutant for mutant in mutants()}
# Judged by a definition that torch has no part in.
WITHOUT_TORCH = {
    "mean_colour",
    "one_hot",
    "relu_forward",
    "word_embedding_forward",
    "sample_characters",
    "clip_gradients",
    "lstm_init",
    "build_vocabulary",
    "encode_captions",
    "cider_vectors",
    "cider_d",
    "meteor_score",
    "sequence_log_prob",
    "length_normalized_score",
    "beam_search",
    "clipped_precision",
    "brevity_penalty",
    "bleu",
    "rouge_l",
}
# Of tensors through and through.
IN_TORCH = {
    "lstm_to_torch",
    "lstm_caption_forward",
    "masked_cross_entropy",
    "init_output_bias",
    "sample_caption",
    "sampled_softmax_loss",
    "attention_scores",
    "soft_attention",
    "attention_lstm_step",
    "doubly_stochastic_penalty",
    "hard_attention_sample",
    "reinforce_loss",
    "pointing_accuracy",
    "noisy_or",
    "region_word_scores",
    "image_sentence_score",
    "recall_at_k",
    "median_rank",
    "ranking_loss",
    "smooth_alignment",
}
IN_NUMPY = [name for name in NAMES if name not in IN_TORCH]
FAR = [
    "conv_sides_swapped",
    "conv_writes_into_b",
    "conv_back_of_the_last_call",
    "conv_back_db_a_row",
    "pool_from_zero",
    "pool_back_every_tie",
    "cols_float64",
    "fast_float64",
    "fast_back_of_a_wrong_forward",
    "affine_reshapes_its_input",
    "affine_back_transposes_its_cache",
    "affine_back_db_mean",
    "relu_in_place",
    "relu_back_mask_in_the_cache",
    "softmax_overflowing",
    "sgd_nesterov",
    "sgd_moves_w_in_place",
    "vgg_empties_the_list",
    "vgg_pool_by_floats",
    "forward_wh_transposed",
    "forward_state_in_place",
    "backward_slope_of_input",
    "backward_writes_into_cache",
    "backward_of_a_wrong_forward",
    "loss_mask_not_in_gradient",
    "backward_relu_mask_in_the_cache",
    "backward_clears_next_h",
    "one_hot_arrays_only",
    "loss_overflowing",
    "one_hot_one_axis_only",
    "one_hot_as_list",
    "words_null_in_place",
    "words_back_buffered",
    "words_back_clears_w",
    "words_back_of_a_wrong_forward",
    "sample_reseeds",
    "sample_state_in_place",
    "clip_as_in_the_lecture",
    "clip_in_place",
    "adagrad_eps_outside",
    "rmsprop_memory_in_place",
    "chars_lists",
    "chars_p_in_place",
    "rnn_off_by_one",
    "rnn_writes_into_h0",
    "rnn_back_dwh_overwritten",
    "rnn_back_writes_into_the_cache",
    "rnn_back_of_a_wrong_forward",
    "chunks_not_cut",
    "chunks_tail_dropped",
    "layers_rows_swapped",
    "layers_empty_the_list",
    "norms_over_the_batch",
    "norms_into_dh",
    "lstm_torch_order",
    "lstm_memory_in_place",
    "step_back_dnext_c_behind_f",
    "step_back_squashes_the_cache",
    "lstm_c0_each_step",
    "back_dc_forgotten",
    "back_empties_the_cache",
    "init_input_block",
    "init_generator_kept",
    "gru_reset_after",
    "gru_in_place",
    "gru_back_g_as_sigmoid",
    "gru_back_writes_into_cache",
    "gru_back_of_a_wrong_forward",
    "stack_c_goes_up",
    "stack_empties_the_list",
    "listing_as_it_is",
    "listing_writes_into_dh",
    "words_ties_as_they_come",
    "words_captions_split_in_place",
    "encode_end_cut_off",
    "encode_sorts_the_captions",
    "mask_without_end",
    "caption_h0_of_the_picture",
    "caption_one_array",
    "caption_back_dv_at_every_step",
    "caption_back_flag_in_a_global",
    "caption_back_of_the_last_call",
    "caption_back_of_a_wrong_forward",
    "bridge_bias_twice",
    "bridge_in_place",
    "captioner_picture_every_step",
    "captioner_detaches_states",
    "captioner_in_eval_mode",
    "entropy_mask_from_targets",
    "entropy_without_gradient",
    "bias_in_place",
    "speak_past_end",
    "speak_state_in_place",
    "sampled_scores_of_all",
    "sampled_in_place",
    "sequence_state_dropped",
    "sequence_pops",
    "normalized_alpha_ignored",
    "normalized_in_place",
    "beam_rows_not_moved",
    "beam_state_in_place",
    "clip_corpus_in_one_counter",
    "clip_splits_in_place",
    "brief_tie_as_it_stands",
    "brief_sorts_in_place",
    "bleu_k_not_counted_on",
    "bleu_empties_the_lists",
    "rouge_best_reference",
    "rouge_sorts_references",
    "vectors_fill_df",
    "vectors_orders_from_0",
    "cider_unclipped",
    "cider_pops_references",
    "meteor_paired_twice",
    "meteor_extends_synonyms",
    "scores_without_query",
    "scores_added_in_place",
    "soft_mask_after_renormalised",
    "soft_mask_in_place",
    "step_reads_turned",
    "step_memory_in_place",
    "step_in_train_mode",
    "penalty_mean_of_regions",
    "penalty_clears_in_place",
    "hard_reaches",
    "hard_sums_in_place",
    "reinforce_reward_not_detached",
    "reinforce_clears_in_place",
    "pointing_rows_and_columns",
    "pointing_normalises_in_place",
    "detect_logits_zeroed",
    "detect_masks_in_place",
    "recall_ties_for_us",
    "recall_pops",
    "medrank_lower_middle",
    "medrank_marks_in_place",
    "dots_without_bias",
    "dots_words_scaled_in_place",
    "fit_cut_at_0",
    "fit_best_in_int32",
    "fit_in_place",
    "ranking_diagonal_charged",
    "ranking_fills_the_diagonal_in_place",
    "smooth_greedy",
    "smooth_adds_in_place",
]


def run(name, functions=None, **options):
    return run_check(name, LocalSubject(name, functions or solution_functions(name)), **options)


def seeds_pass(name, seeds):
    for seed in seeds:
        report = run(name, seed=seed, salt=f"class of {seed}")
        assert report.passed, (seed, str(report))


# ------------------------------------------------------------------------------- the solution


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_full_marks(name):
    report = check(name, *solution_functions(name).values())
    assert report.passed, str(report)
    assert report.points == exercises()[name].points


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_full_marks_over_three_seeds_hidden_cases_included(name):
    seeds_pass(name, range(3))


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_full_marks_over_fifty_seeds(name):
    seeds_pass(name, range(50))


@pytest.mark.parametrize("name", IN_NUMPY)
def test_without_torch_the_solution_gets_full_marks_and_the_report_says_who_decided(name, no_torch):
    seeds_pass(name, range(3))
    assert name in WITHOUT_TORCH or "torch is not installed" in run(name).referee


@pytest.mark.full
@pytest.mark.parametrize("name", IN_NUMPY)
def test_without_torch_the_solution_gets_full_marks_over_fifty_seeds(name, no_torch):
    seeds_pass(name, range(50))


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_in_another_process_gets_the_same_report(name, tmp_path):
    (text,) = (p for p in SOLUTIONS.glob("*/*.py") if f"def {name}(" in p.read_text("utf-8"))
    file = tmp_path / "solution.py"
    file.write_text(ast.unparse(plain_part(text)))
    with RemoteSubject(name, file) as subject:
        assert run_check(name, subject, salt="s") == run(name, salt="s")


@pytest.mark.parametrize("name", NAMES)
def test_what_the_cases_are_worth_adds_up_to_the_points(name):
    for salt in (None, "salt"):
        report = run(name, salt=salt)
        alone = [
            replace(report, cases=tuple(replace(c, passed=c is case) for c in report.cases)).points
            for case in report.cases
        ]
        assert min(alone) >= 0.01
        assert sum(alone) == pytest.approx(report.max_points)


# ------------------------------------------------------------------------------- wrong answers


@pytest.mark.parametrize("name", NAMES)
def test_the_untouched_stub_gets_nothing(name):
    def stub(*args):
        raise NotImplementedError

    report = run(name, dict.fromkeys([name, *exercises()[name].needs], stub), salt="x")
    assert report.points == 0
    assert not any(case.passed for case in report.cases)
    assert all("is not written yet" in case.message for case in report.cases)


@pytest.mark.parametrize("name", ZOO)
def test_a_wrong_answer_loses_points_where_it_must_and_is_not_told_the_answer(name):
    report = checked(ZOO[name], "salt")
    row = row_of(ZOO[name], report)
    assert row.killed
    assert 0 <= row.hidden <= row.max_points
    assert row.public == row.max_points or not row.hidden_only
    for case in report.cases:
        assert "could not judge" not in case.message
        # a stray decimal could be an expected value; shapes and counts are whole numbers
        ours = "" if " stopped with " in case.message else case.message
        assert not re.search(r"\d\.\d\d", ours), case.message


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_knows_the_public_cases_by_heart_loses_points_on_the_hidden_ones(name):
    by_heart = remembering(name)
    row = row_of(by_heart, checked(by_heart, "salt"))
    assert row.public == row.max_points
    assert row.killed


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[] if n in FAR else [pytest.mark.full])
        for n in ZOO
        if ZOO[n].exercise in IN_NUMPY
    ],
)
def test_without_torch_every_mutant_still_loses_points(name, no_torch):
    report = checked(ZOO[name])
    assert report.points < report.max_points
    assert not any("could not judge" in case.message for case in report.cases)


@pytest.mark.parametrize("name", sorted(IN_TORCH & set(NAMES)))
def test_without_torch_an_exercise_in_torch_says_what_is_missing(name, no_torch):
    report = run(name, dict.fromkeys([name, *exercises()[name].needs], print))
    assert report.points == 0
    assert all("torch is not installed" in case.message for case in report.cases)


@pytest.mark.parametrize("name", FAR)
def test_a_mutant_in_another_process_gets_the_same_report(name, monkeypatch):
    monkeypatch.chdir(ROOT)  # where the far side finds the zoo
    mutant = ZOO[name]
    names = {mutant.exercise: name}
    names |= {need: function.__name__ for need, function in mutant.needs.items()}
    file = sys.modules[mutant.function.__module__].__file__
    with RemoteSubject(mutant.exercise, file, names) as subject:
        far = run_check(mutant.exercise, subject, salt="s")
    assert far == checked(mutant, "s")
