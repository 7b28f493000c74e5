"""The files that carry the course to its readers agree with each other."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}


def conda_packages():
    lines = (ROOT / "environment.yml").read_text().splitlines()
    found = [re.match(r"  - ([a-z-]+)(.*)", line) for line in lines]
    return {match[1]: match[2] for match in found if match and match[1] != "conda-forge"}


def pip_packages():
    extras = PROJECT["optional-dependencies"]
    wanted = PROJECT["dependencies"] + extras["torch"] + extras["grader"]
    return {m[1]: m[2] for m in (re.match(r"([a-z-]+)(.*)", line) for line in wanted)}


def test_conda_and_pip_ask_for_the_same_bounds():
    conda = conda_packages()
    for name, bounds in pip_packages().items():
        theirs = conda[CONDA_NAMES.get(name, name)]
        assert theirs.lstrip("=") == bounds.lstrip("="), name


def test_repo2docker_can_read_the_python_version():
    assert re.fullmatch(r"=3\.\d+", conda_packages()["python"])


def test_binder_reads_the_root_environment():
    assert os.readlink(ROOT / "binder" / "environment.yml") == "../environment.yml"


@pytest.mark.parametrize("script", ["binder/postBuild", "binder/start", ".ci/run"])
def test_scripts_can_be_executed_and_stop_on_errors(script):
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text() or script == "binder/start"


@pytest.mark.parametrize(
    "module", ["", ".data", ".checks", ".gradcheck", ".metrics", ".viz", "._torchvision"]
)
def test_the_helper_package_imports_without_torch(module):
    code = f"import sys; sys.modules['torch'] = None; import cs_caption{module}"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def test_the_package_never_imports_the_autograder_or_the_solutions():
    for path in (ROOT / "cs_caption").rglob("*.py"):
        assert not re.search(
            r"^\s*(from|import) (autograder|solutions|tests|benchmarks)\b",
            path.read_text(),
            re.MULTILINE,
        ), path


def test_readme_names_only_files_that_are_there():
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target
