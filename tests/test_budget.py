"""The quick tests do little, everything else does all."""

import os
import subprocess
import sys

import pytest

from cs_caption.budget import budget, full_budget


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 500), ("", 500), ("0", 500), ("1", 20), ("yes", 20)]
)
def test_little_is_done_only_where_it_is_asked_for(monkeypatch, asked, given):
    monkeypatch.delenv("CS_CAPTION_FAST", raising=False)
    if asked is not None:
        monkeypatch.setenv("CS_CAPTION_FAST", asked)
    assert budget(500, 20) == given


def test_a_block_at_full_budget_holds_for_what_it_starts_and_no_longer(monkeypatch):
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    code = "from cs_caption.budget import budget; print(budget('all', 'little'))"
    with full_budget():
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert budget(500, 20) == 500
    assert answer.stdout == "all\n"
    assert budget(500, 20) == 20


def test_a_block_that_fails_gives_the_budget_back(monkeypatch):
    monkeypatch.setenv("CS_CAPTION_FAST", "1")
    with pytest.raises(ZeroDivisionError), full_budget():
        1 / 0  # noqa: B018
    assert os.environ["CS_CAPTION_FAST"] == "1"


def test_a_block_at_full_budget_asks_for_nothing_where_nothing_was_asked(monkeypatch):
    monkeypatch.delenv("CS_CAPTION_FAST", raising=False)
    with full_budget():
        pass
    assert "CS_CAPTION_FAST" not in os.environ


def test_the_suite_does_little_unless_it_is_asked_for_all(pytestconfig):
    assert budget("all", "little") == ("all" if pytestconfig.getoption("--full") else "little")
