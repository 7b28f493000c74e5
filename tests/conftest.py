import os
import sys

import pytest

# Two test processes on two cores: more threads than that only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also the tests at full budget")


def pytest_configure(config):
    # Runs in each xdist worker as well, with the options of the main process.
    if config.getoption("--full"):
        os.environ.pop("CS_CAPTION_FAST", None)
    else:
        os.environ.setdefault("CS_CAPTION_FAST", "1")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--full"):
        return
    skip = pytest.mark.skip(reason="full budget: make test-all")
    for item in items:
        if "full" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def bubblewrap():
    """The full sandbox: without it the test is skipped, or fails where it must be there."""
    from autograder.sandbox import SandboxMissing, probe

    try:
        probe("bubblewrap")
    except SandboxMissing as missing:
        if os.environ.get("CS_CAPTION_NEEDS_SANDBOX"):
            raise
        pytest.skip(str(missing))


@pytest.fixture
def no_torch(monkeypatch):
    """torch cannot be imported, as where it is not installed."""
    monkeypatch.setitem(sys.modules, "torch", None)
