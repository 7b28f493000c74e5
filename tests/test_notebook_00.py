"""Notebook 00: what the text states is true, and it runs for a beginner who has done nothing."""

import codecs
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest

from autograder.measure import measurements_of
from cs_caption import check, measured
from cs_caption.data import Scenes
from cs_caption.gradcheck import check_gradients, numerical_gradient
from cs_caption.submission import examine
from notebooks import SOLUTIONS, executed, html_of, printed_by, text_of, words_of

NAME = "00_start_here"
TEXT = text_of(NAME)
RELEASE = SOLUTIONS.parent / "notebooks" / NAME / f"{NAME}.ipynb"


@pytest.fixture(scope="module")
def space():
    """All that the text defines, run as the script that it is."""
    names = {"__name__": NAME}
    exec(compile(TEXT.read_text(), TEXT, "exec"), names)
    return names


# ------------------------------------------------------------------ the numbers in the text


def test_the_query_and_its_rot13_are_the_lectures():
    assert "images of me scuba diving next to turtle" in words_of(NAME)
    shown = printed_by(NAME, "codecs.encode")
    assert shown.strip() == "vzntrf bs zr fphon qvivat arkg gb ghegyr"
    assert codecs.decode(shown.strip(), "rot13") == "images of me scuba diving next to turtle"


def test_the_numbers_of_the_picture_show_two_points_of_its_star():
    picture = Scenes("test", level="rich")[7]
    assert picture.image.size == 12_288
    ((star,),) = [[o for o in picture.objects if o.shape == "star"]]
    patch, mask = picture.image[20:28, 22:34, 0], star.mask[20:28, 22:34]
    assert np.all(patch[mask] > 184)
    rows = ["".join(" *"[above] for above in row.astype(int)).strip() for row in patch > 184]
    assert any(re.fullmatch(r"\*+ +\*+", row) for row in rows[:5])  # two points
    assert re.fullmatch(r"\*+", rows[-1])  # that are one further down
    assert picture.image[60, 5].argmax() == 1


def test_five_people_describe_the_first_picture_in_five_ways():
    captions = Scenes("test", n=4).captions[0]
    assert len(set(captions)) == 5
    assert printed_by(NAME, "simple.captions[0]:").splitlines() == captions


def test_the_average_worked_by_hand_is_right(space):
    purple = np.array([[[[255, 0, 0], [0, 0, 255]]]], np.uint8)
    assert space["mean_colour"](purple).tolist() == [[127.5, 0, 127.5]]


def test_the_two_pictures_in_the_text_are_the_first_case_of_the_check(space):
    seen = []

    def recording(images):
        seen.append(images)
        return images.mean(axis=(1, 2))

    report = check("mean_colour", recording)
    assert report.cases[0].title == "the two pictures worked by hand"
    means = space["mean_colour"](seen[0])
    assert seen[0].shape == (2, 5, 4, 3)
    lit = seen[0][seen[0].any(axis=-1)].tolist()
    assert lit == [[200, 100, 40], [20, 100, 20], [40, 0, 200], [15, 0, 50]]
    for numbers in [*lit, *(means * 20).round().astype(int).tolist(), *means.tolist()]:
        assert f"({', '.join(f'{number:g}' for number in numbers)})" in words_of(NAME)


def test_the_failed_check_fails_as_the_text_says(space):
    report = check("mean_colour", space["average_in_bytes"])
    failed = [case.message for case in report.cases if not case.passed]
    assert (len(report.cases) - len(failed), len(failed)) == (2, 4)
    assert len(set(failed)) == 1
    assert "the sum ran over in uint8" in failed[0]
    assert report.cases[-1].title.startswith("inputs unchanged")
    assert report.cases[1].title == "a batch of pictures"


def test_the_squares_show_what_the_text_says(space):
    brown, _, dark, _ = space["means"].round()
    pixels = Scenes("test", level="rich")[7].image.reshape(-1, 3).astype(int)
    assert brown[0] > brown[1] > brown[2]
    assert np.abs(pixels - brown).max(axis=1).min() > 20
    assert dark.max() < 40


def test_the_gradient_worked_by_hand_is_right_in_each_way(space):
    y, cache = space["layer_forward"](3.0, 0.5, -1.0)
    assert (y, cache[2]) == (0.25, 0.5)
    assert space["layer_backward"](1.0, cache) == (0.5, 3, 1)
    numeric = numerical_gradient(
        space["layer_output"], (np.array(3.0), np.array(0.5), -np.ones(()))
    )
    assert np.abs(np.subtract(numeric, (0.5, 3, 1))).max() < 1e-9
    assert printed_by(NAME, "above - below") == "y above: 0.2809, y below: 0.2209, slope: 3.0000\n"
    pytest.importorskip("torch")
    assert space["layer_autograd"](3.0, 0.5, -1.0) == [0.5, 3, 1]


def test_the_right_way_back_agrees_and_the_wrong_one_is_named(space):
    x, w, b, dy = np.random.default_rng(5).standard_normal((4, 6))
    inputs = tuple(value.copy() for value in (x, w, b))
    cache = space["layer_forward"](*inputs)[1]
    right = check_gradients(space["layer_output"], inputs, space["layer_backward"](dy, cache), dy)
    wrong = check_gradients(
        space["layer_output"], inputs, space["backward_without_2"](dy, cache), dy
    )
    assert right.passed
    assert all("0.5 times the numeric one everywhere" in row.verdict for row in wrong.rows)
    assert "0.5 times the numeric one everywhere" in words_of(NAME)


def test_shapes_tell_the_products_apart_until_a_matrix_is_square(space):
    rng = np.random.default_rng(0)
    x, w, dout = (rng.standard_normal(shape) for shape in ((4, 3), (3, 2), (4, 2)))
    fit = space["products_that_fit"](x, w, dout)
    assert sorted(fit) == ["dw could be x.T @ dout", "dx could be dout @ w.T"]
    assert check_gradients(lambda x, w: x @ w, (x, w), (dout @ w.T, x.T @ dout), dout).passed
    assert len(space["products_that_fit"](*[np.ones((3, 3))] * 3)) == 36


def test_a_repeated_index_is_lost_by_plus_and_kept_by_add_at():
    lost, kept, numeric = printed_by(NAME, "np.add.at(by_add_at").splitlines()
    assert lost.endswith("[1. 0. 1. 0.]")
    assert kept.split("  ")[-1].strip() == numeric.split("  ")[-1].strip() == "[1. 0. 2. 0.]"


def test_the_record_is_of_these_measurements_and_holds_them(space):
    text = repr(measured.beside(NAME, space["measurements"], seed=0))
    assert text.count(" inside") == len(measured.load(NAME)["found"])
    assert "OUTSIDE" not in text


def test_measuring_runs_no_test_and_no_demonstration():
    measure = measurements_of(TEXT)
    assert "sentence" not in measure.__globals__
    assert measure(1)["by hand and numeric: largest difference"] < 1e-8


# ------------------------------------------------------------------ for a beginner


def run_cells(cells, before=""):
    """Run code cells, one after the other, in a Python of their own; errors do not stop it."""
    source = f"""
import sys
{before}
space = {{"__name__": "__main__"}}
for number, cell in enumerate({[cell.source for cell in cells]!r}):
    try:
        exec(cell, space)
    except Exception as error:
        print("STOPPED", number, type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return re.findall(r"STOPPED (\d+) (\w+)", done.stdout), done.stdout


def code_of(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def test_in_the_release_only_the_cells_that_use_the_stub_stop():
    cells = code_of(nbformat.read(RELEASE, as_version=4).cells)
    stopped, _ = run_cells(cells)
    assert {kind for _, kind in stopped} == {"NotImplementedError"}
    used = [i for i, cell in enumerate(cells) if re.search(r"means = mean_|^beside", cell.source)]
    assert [int(number) for number, _ in stopped] == used


def test_without_torch_the_notebook_says_so_and_goes_on():
    stopped, said = run_cells(code_of(executed(NAME)), before="sys.modules['torch'] = None")
    assert stopped == []
    assert "torch is not installed: two ways in the place of three" in said


def test_no_cell_that_is_graded_needs_one_that_only_demonstrates():
    kept = [cell for cell in code_of(executed(NAME)) if "demo" not in cell.metadata.get("tags", [])]
    assert run_cells(kept)[0] == []


def test_the_doctor_shows_a_table_and_the_failed_check_stands_before_the_exercise():
    html = html_of(NAME)
    assert "Ready.</caption>" in html
    assert html.index("mean_colour: 0.6 of 2 points") < html.index("mean_colour: 2 of 2 points")


def test_the_notebook_to_hand_in_is_named_as_its_file():
    assert f'submission.report("{NAME}.ipynb")' in words_of(NAME)
    path = f"notebooks/{NAME}/{NAME}.ipynb"
    assert f".venv/bin/python -m cs_caption check {path}" in words_of(NAME)
    assert (SOLUTIONS.parent / path).exists()
    assert "(../01_convnets/01_convnets.ipynb)" in words_of(NAME)


def test_the_cell_that_the_text_counts_is_the_exercise():
    cells = nbformat.read(RELEASE, as_version=4).cells
    place = 1 + [cell.id for cell in cells].index("mean_colour")
    assert f"*Cell {place}* is the {place}st from the top" in words_of(NAME)
    assert f"*Cell {place}/{len(cells)}*" in words_of(NAME)
    found = {one.where for one in examine(RELEASE).to_mend}
    assert found == {f"mean_colour (cell {place})"}
