import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import far_package as module
from autograder.far_package import absent_names, far_package, private_folder


def python(folder: Path, code: str, *front: str) -> str:
    path = os.pathsep.join([*(f"{folder}/{one}" for one in front), f"{folder}/package"])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        cwd="/",
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_it_holds_the_helper_package_and_no_oracle():
    folder = far_package()
    package = folder / "package" / "cs_caption"
    sources = {p.relative_to(package).as_posix() for p in package.rglob("*.py")}
    assert {"gradcheck/__init__.py", "data/scenes.py", "measured/__init__.py"} <= sources
    checks = {name for name in sources if name.startswith("checks/")}
    kept = {"__init__", "wire", "farside", "built", "report", "table"}
    assert checks == {f"checks/{name}.py" for name in kept}
    compiled = {p.name.split(".")[0] for p in (package / "checks").rglob("*.pyc")}
    assert compiled == kept


def test_every_name_that_notebooks_import_is_there():
    code = (
        "from cs_caption import check, submission; from cs_caption.budget import budget;"
        "from cs_caption.commands import doctor; from cs_caption.data import Scenes;"
        "from cs_caption.data.crops import Crops; from cs_caption.gradcheck import check_gradients;"
        "from cs_caption.measured import beside; from cs_caption.stand_in import written_or_torch;"
        "from cs_caption.viz.bars import show_bars; import cs_caption.checks.farside;"
        "print(check('one_hot', len))"
    )
    words = python(far_package(), code)
    assert words == "one_hot: checked by the grader, outside this notebook"


def test_what_an_exercise_may_not_lean_on_is_left_out():
    folder = far_package(["cs_caption.metrics", "cs_caption.decoding", "torch"])
    package = folder / "package" / "cs_caption"
    assert not (package / "metrics" / "__init__.py").exists()
    assert not (package / "decoding" / "__init__.py").exists()
    assert not [p for p in package.rglob("*.pyc") if "decoding" in p.name or "metrics" in str(p)]
    assert (package / "data" / "scenes.py").exists()
    words = python(folder, "import torch", "absent")
    assert (
        words
        == "ModuleNotFoundError: torch is absent where this notebook is graded: write it without"
    )


def test_what_rests_on_an_absent_module_is_absent_as_well():
    assert absent_names(["torch", "cs_caption.metrics"])[0] == "torch"
    assert {"torchvision", "functorch"} <= set(absent_names(["torch"]))
    assert absent_names(["scipy"]) == ("scipy",)


def test_it_is_made_once_for_the_same_contents():
    assert far_package(["torch"]) == far_package(("torch", "torch"))
    assert far_package(["torch"]) != far_package([])


@pytest.mark.parametrize("harm", ["changed", "added", "removed"])
def test_a_folder_that_was_written_to_is_made_anew(harm, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "private_folder", lambda: tmp_path)
    folder = far_package()
    victim = folder / "package" / "cs_caption" / "budget.py"
    text = victim.read_text()
    if harm == "changed":
        victim.write_text("print('mine')")
    if harm == "added":
        (victim.parent / "extra.py").write_text("")
    if harm == "removed":
        victim.unlink()
    assert far_package() == folder
    assert victim.read_text() == text
    assert not (victim.parent / "extra.py").exists()


def test_everybody_can_read_it_and_only_we_can_write_it():
    for path in (far_package(), *far_package().rglob("*")):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o755 if path.is_dir() else 0o644)


def test_a_folder_that_others_can_write_to_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    private_folder().chmod(0o777)
    with pytest.raises(OSError, match="others can write"):
        private_folder()
