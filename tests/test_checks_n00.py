"""The check of notebook 00: every right answer passes, every wrong one is told why."""

import re
import sys
from functools import cache

import numpy as np
import pytest

from autograder.mutants import mutants
from autograder.zoo import checked, functions_of
from cs_caption import check
from cs_caption.checks import run_check
from cs_caption.checks.remote import RemoteSubject
from cs_caption.checks.subject import LocalSubject
from notebooks import text_of

NAME = "mean_colour"
TEXT = text_of("00_start_here")
ZOO = {mutant.name: mutant for mutant in mutants() if mutant.exercise == NAME}


def run(function, **options):
    return run_check(NAME, LocalSubject(NAME, {NAME: function}), **options)


# ------------------------------------------------------------------------------- right answers


def with_loops(images):
    out = np.zeros((len(images), 3))
    for n, picture in enumerate(images):
        for c in range(3):
            out[n, c] = picture[..., c].astype(float).sum() / picture[..., c].size
    return out


RIGHT = {
    "the solution": functions_of(TEXT)[NAME],
    "loops": with_loops,
    "pixels in a row": lambda images: images.reshape(len(images), -1, 3).mean(axis=1),
    "a mean of means": lambda images: images.mean(axis=1).mean(axis=1),
    "einsum": lambda i: np.einsum("nhwc->nc", i.astype(float)) / (i.shape[1] * i.shape[2]),
    "sums": lambda images: images.sum(axis=(1, 2)) / np.prod(images.shape[1:3]),
}


@pytest.mark.parametrize("way", RIGHT)
@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_a_right_answer_gets_full_marks_hidden_cases_included(way, seed):
    report = run(RIGHT[way], seed=seed, salt=f"class of {seed}")
    assert report.passed, report
    assert report.points == 2


@pytest.mark.full
@pytest.mark.parametrize("way", RIGHT)
def test_a_right_answer_gets_full_marks_over_fifty_seeds(way):
    assert all(run(RIGHT[way], seed=seed, salt=f"class of {seed}").passed for seed in range(50))


def test_torch_is_not_needed_and_not_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert check(NAME, RIGHT["the solution"]).passed


def test_the_solution_in_another_process_gets_the_same_report(tmp_path):
    file = tmp_path / "solution.py"
    file.write_text("def mean_colour(images):\n    return images.mean(axis=(1, 2))\n")
    with RemoteSubject(NAME, file) as subject:
        assert run_check(NAME, subject, salt="s") == run(RIGHT["the solution"], salt="s")


# ------------------------------------------------------------------------------- wrong answers


def test_the_untouched_stub_gets_nothing():
    def stub(images):
        raise NotImplementedError

    report = run(stub, salt="x")
    assert report.points == 0
    assert all(case.message == f"{NAME} is not written yet" for case in report.cases)


@cache
def judged(name):
    return checked(ZOO[name], "salt")


WORDS = {
    "mean_over_rows_of_all": "axes 0 and 1: rows and columns are axes 1 and 2",
    "mean_over_pictures": "over the pictures: axis 0 stays",
    "mean_of_everything": "one number came out",
    "mean_of_all_pictures": "the pictures' own axis is gone",
    "mean_grey": "one grey number came out for each picture",
    "mean_grey_three_times": "the three colours are mixed into one grey",
    "mean_over_colours": "over the colours: go over rows and columns",
    "mean_over_rows_only": "the columns (axis 2) go as well",
    "mean_over_columns_only": "the rows (axis 1) go as well",
    "mean_over_columns_and_colours": "axes 2 and 3",
    "mean_over_pictures_and_columns": "axes 0 and 2: rows and columns are axes 1 and 2",
    "mean_over_pictures_and_colours": "axes 0 and 3 are gone, pictures and colours",
    "mean_keepdims": "from keepdims=True?",
    "mean_transposed": "it is transposed",
    "mean_over_255": "divided by 255",
    "mean_as_bytes": "uint8 and must be float64; it is rounded down",
    "mean_rounded": "it is rounded: keep the fraction",
    "mean_rounded_down": "rounded down",
    "mean_divided_without_fraction": "uint64 and must be float64; it is rounded down",
    "mean_overflowing": "ran over in uint8",
    "mean_overflowing_later": "ran over in 16 bits",
    "mean_float32": "float32: it must be float64",
    "mean_float32_inside": "a few digits are lost",
    "mean_summed": "it is a sum",
    "mean_summed_as_whole_numbers": "uint64 and must be float64; it is a sum",
    "mean_divided_by_rows": "divided by H only",
    "mean_divided_by_columns": "divided by W only",
    "mean_divided_by_pictures": "divided by the number of pictures, not",
    "mean_divided_by_size": "divided by images.size",
    "mean_median": "the median",
    "mean_of_the_first": "only one picture has a mean",
    "mean_of_the_first_for_all": "each picture gets the mean of the first",
    "mean_of_the_middle": "the pixel in the middle",
    "mean_blue_first": "red and blue have changed places",
    "mean_as_lists": "a list of 2: expected a NumPy array: wrap it in np.array(...)",
    "mean_squeezed": "the pictures' own axis is gone",
    "mean_of_64_by_64": "take H and W from images.shape",
    "mean_sorting_its_input": "changes its input images",
    "mean_printed": "is the `return` line missing?",
}


def test_each_mutant_has_words_of_its_own():
    assert WORDS.keys() == ZOO.keys()


@pytest.mark.parametrize("name", WORDS)
def test_a_failed_case_says_what_is_probably_wrong(name):
    words = [case.message for case in judged(name).cases if not case.passed]
    assert any(WORDS[name] in message for message in words), words
    if name != "mean_median":  # most pixels of the pictures worked by hand are black
        assert WORDS[name] in words[0]  # the text has the first one read


def test_whole_numbers_that_are_right_are_told_their_type_alone():
    report = run(lambda images: images[:, 0, 0])  # right where a picture is one pixel
    said = {case.title: case.message for case in report.cases}
    assert said["pictures of one pixel (H = W = 1)"] == "the result is uint8: it must be float64"


def test_only_a_list_is_to_be_wrapped():
    assert not any("wrap" in case.message for case in run(lambda images: (1, 2)).cases)


@pytest.mark.parametrize("name", ZOO)
def test_a_wrong_answer_loses_points_whatever_the_numbers(name):
    assert all(run(ZOO[name].function, seed=seed).points < 2 for seed in range(10))


@pytest.mark.parametrize("name", ZOO)
def test_no_mutant_is_beyond_judgement_and_none_is_told_the_answer(name):
    for case in judged(name).cases:
        assert "could not judge" not in case.message
        assert not re.search(r"\d\.\d", case.message), case.message


@pytest.mark.parametrize("name", ["mean_over_rows_only", "mean_of_the_first"])
def test_where_two_mistakes_look_alike_neither_is_blamed(name):
    said = {case.title: case.message for case in judged(name).cases}
    assert said["pictures of one pixel (H = W = 1)"].endswith("expected (4, 3) = (N, 3)")
    assert WORDS[name] in said["a batch of pictures"]


@pytest.mark.parametrize(
    "junk",
    [None, 3, "done", [], object(), (None, None), np.full((2, 3), np.nan), np.array(["a"]), 1j],
    ids=lambda junk: type(junk).__name__,
)
def test_junk_fails_in_words(junk):
    report = run(lambda images: junk)
    assert report.points == 0
    assert not any("could not judge" in case.message for case in report.cases)


def test_zeros_of_the_right_shape_earn_nothing():
    assert run(lambda images: np.zeros((len(images), 3))).points == 0


# ------------------------------------------------------------------------------- the cases


@pytest.fixture(scope="module")
def given():
    """All the pictures that the public check asks about."""
    seen = []

    def recording(images):
        seen.append(images)
        return images.mean(axis=(1, 2))

    run(recording)
    return seen


def test_no_two_sizes_of_a_batch_are_equal_and_none_is_the_number_of_colours(given):
    batches = [images for images in given if min(images.shape[:3]) > 1]
    assert len(batches) >= 3
    assert all(len(set(images.shape)) == 4 for images in batches)


def test_the_pictures_are_awkward_somewhere(given):
    assert all(images.dtype == np.uint8 for images in given)
    assert any(not images.flags.writeable for images in given)
    assert any(stride < 0 for images in given for stride in images.strides)
    assert any(images[0, ..., 0].sum(dtype=int) > 65535 for images in given)


def test_each_picture_of_a_batch_has_a_colour_of_its_own(given):
    for images in given:
        means = images.mean(axis=(1, 2)).round(6)
        assert len(np.unique(means, axis=0)) == len(images)
