import socket
import subprocess
import time

import pytest

import bootstrap


@pytest.fixture
def silent_server():
    """A server that accepts and never answers, as an index behind a closed network does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_an_index_that_never_answers_costs_three_seconds(silent_server):
    started = time.monotonic()
    assert not bootstrap.answers(silent_server)
    assert time.monotonic() - started < bootstrap.PROBE_SECONDS + 1


def test_an_index_that_refuses_is_no_index():
    assert not bootstrap.answers("http://127.0.0.1:9/")


def test_a_misspelt_choice_of_torch_is_refused():
    with pytest.raises(bootstrap.SetupError, match="expected auto, cpu, cuda or the URL"):
        bootstrap.torch_index("cpuu")


def test_an_index_given_by_url_is_taken_without_asking():
    assert bootstrap.torch_index("https://example.org/whl") == "https://example.org/whl"


def test_cuda_is_announced_before_it_is_downloaded(monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "torch_is_cuda", lambda: True)
    bootstrap.warn_of_cuda("cuda")
    assert "several GB" in capsys.readouterr().out


def test_a_cpu_build_asked_for_is_never_replaced_by_cuda(monkeypatch):
    monkeypatch.setattr(bootstrap, "torch_is_cuda", lambda: True)
    with pytest.raises(bootstrap.SetupError, match="only a CUDA build"):
        bootstrap.warn_of_cuda("cpu")


@pytest.mark.parametrize(
    ("metadata", "cuda"),
    [
        ({"version": "2.13.0+cpu", "requires_dist": ["sympy"]}, False),
        ({"version": "2.13.0", "requires_dist": ["sympy"]}, False),
        ({"version": "2.13.0", "requires_dist": ["nvidia-cudnn-cu13; x", "sympy"]}, True),
    ],
)
def test_a_cuda_build_is_known_by_its_metadata(monkeypatch, metadata, cuda):
    report = bootstrap.json.dumps({"install": [{"metadata": metadata}]})
    answer = subprocess.CompletedProcess([], 0, stdout=report, stderr="")
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *a, **k: answer)
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    assert bootstrap.torch_is_cuda() is cuda


def test_a_python_that_is_too_old_or_missing_is_named(monkeypatch):
    monkeypatch.setenv("PYTHON", "no-such-python")
    with pytest.raises(bootstrap.SetupError, match=r"no-such-python.*make PYTHON="):
        bootstrap.find_python()


def test_the_stamp_changes_with_the_choice():
    assert bootstrap.fingerprint("auto") != bootstrap.fingerprint("cpu")
