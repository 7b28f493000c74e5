import importlib.metadata
import subprocess
import sys

import pytest

from cs_caption.__main__ import main
from cs_caption.commands import doctor


def findings(purpose="numpy"):
    return {finding.name: finding for finding in doctor.examine(purpose)}


def test_each_package_is_named_with_its_version():
    assert findings()["numpy"].found == importlib.metadata.version("numpy")


def test_a_missing_package_is_said_with_the_command_that_mends_it(monkeypatch, capsys):
    real = importlib.metadata.version

    def version(name):
        if name == "pillow":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert main(["doctor", "--for", "numpy"]) == 1
    said = capsys.readouterr().out
    assert 'pip install "pillow>=10.4"' in said
    assert "Not ready: pillow" in said


def test_a_package_out_of_bounds_is_missing(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0")
    found = findings()["numpy"]
    assert found.state == "missing"
    assert "1.0, but" in found.found


def test_a_clone_that_is_not_installed_is_said(monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert "pip install -e ." in findings()["cs-caption"].remedy


def test_the_doctor_works_where_nothing_heavy_is_installed():
    hide = "; ".join(f"sys.modules[{name!r}] = None" for name in ("torch", "numpy", "matplotlib"))
    code = f"import sys; {hide}; from cs_caption.__main__ import main; sys.exit(main(['doctor']))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "torch cannot be imported" in answer.stdout
    assert answer.stderr == ""


def test_the_numpy_notebooks_do_not_ask_for_torch():
    assert not {"torch", "device", "torchvision"} & set(findings("numpy"))


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), ([], 2), (["nonsense"], 2)])
def test_usage_is_explained_with_its_exit_code(arguments, code, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == code
    captured = capsys.readouterr()
    assert "COMMAND" in captured.out + captured.err
