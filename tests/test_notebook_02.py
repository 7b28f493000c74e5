"""Notebook 02: the network learns its word, and what the text states is true."""

import re

import numpy as np
import pytest

from autograder.measure import measurements_of
from cs_caption import measured
from notebooks import text_of, words_of

NAME = "02_hello_rnn"
TEXT = text_of(NAME)


@pytest.fixture(scope="module")
def space():
    """All that the text defines, run as the script that it is."""
    names = {"__name__": NAME}
    exec(compile(TEXT.read_text(), TEXT, "exec"), names)
    return names


@pytest.mark.parametrize("seed", range(3))
def test_the_network_says_hello_and_without_memory_it_cannot(space, seed):
    network, losses = space["train"](seed)
    forgetful, losses_without = space["train"](seed, memory=False)
    assert space["speak"](network) == "hello"
    assert space["speak"](forgetful) != "hello"
    assert losses[0] == pytest.approx(np.log(4), abs=1e-3)
    assert losses_without[-1] == pytest.approx(np.log(2) / 2, abs=0.01)


def test_the_numbers_worked_by_hand_are_right(space):
    forward, backward = space["rnn_step_forward"], space["rnn_step_backward"]
    one = np.ones((1, 1))
    _, cache = forward(one, 0.4 * one, 0.6 * one, -0.5 * one, np.array([0.2]))
    found = [float(np.squeeze(grad)) for grad in backward(one, cache)]
    assert np.round(found, 2).tolist() == [0.43, -0.36, 0.71, 0.28, 0.71]
    assert np.round(space["state_h"], 2).tolist() == [[0.46, -0.76]]
    assert np.round(space["state_he"], 2).tolist() == [[0.23, 0.43]]
    assert round(25 * np.log(4), 2) == 34.66
    assert round(np.log(10_001), 2) == 9.21


def test_the_record_is_of_these_measurements_and_holds_them(space):
    text = repr(measured.beside(NAME, space["measurements"], seed=0))
    assert text.count(" inside") == len(measured.load(NAME)["found"])
    assert "OUTSIDE" not in text


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_lingers_where_the_text_says(space, seed):
    _, losses = space["train"](seed, steps=40)
    slowest = int(np.argmin(-np.diff(losses)))
    assert 12 <= slowest <= 25
    assert losses[slowest] == pytest.approx(1.1, abs=0.05)


def test_the_lead_of_l_that_the_text_states_is_the_recorded_one():
    said = re.search(
        r"with each of (\d+) seeds \*l\* is ahead, by ([\d.]+) to ([\d.]+)", words_of(NAME)
    )
    record = measured.load(NAME)
    lowest, _, highest = record["found"]["probability of l minus that of o after l, without memory"]
    assert said.groups() == (str(record["seeds"]), f"{lowest:.4f}", f"{highest:.4f}")


@pytest.mark.parametrize("after_e", "lo")
def test_without_memory_the_letter_that_also_follows_e_is_ahead_after_l(
    space, monkeypatch, after_e
):
    answers = [space["number"][letter] for letter in f"e{after_e}lo"]
    monkeypatch.setitem(space, "y_ids", np.array([answers]))
    forgetful, _ = space["train"](seed=0, memory=False)
    assert (space["lead_of_l"](forgetful) > 0) == (after_e == "l")


def test_measuring_runs_no_test_and_no_demonstration():
    measure = measurements_of(TEXT)
    assert "network" not in measure.__globals__  # the demonstrations train one
    assert measure(1)["letters spoken right, of 4"] == 4
