import subprocess
import sys

import pytest

pytest.importorskip("torch")
MODELS = """
from cs_caption._torchvision import torchvision
tv = torchvision()
assert torchvision() is tv
import torch
net = tv.models.resnet18(weights=None).eval()
print(tuple(net(torch.zeros(1, 3, 64, 64)).shape))
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_models_work_on_whatever_torchvision_is_installed():
    if run("import importlib.metadata as m; m.version('torchvision')").returncode:
        pytest.skip("torchvision is not installed")
    answer = run(MODELS)
    assert answer.stdout.strip() == "(1, 1000)", answer.stderr


def test_a_missing_torchvision_is_said_with_its_remedy():
    hide = "import sys; sys.modules['torchvision'] = None\n"
    answer = run(hide + "from cs_caption._torchvision import torchvision; torchvision()")
    assert "pip install --no-deps torchvision" in answer.stderr


def test_other_import_failures_are_not_hidden(tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('something else')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    answer = run(code + "from cs_caption._torchvision import torchvision; torchvision()")
    assert "something else" in answer.stderr
