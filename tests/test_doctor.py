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
    assert f'-> {sys.executable} -m pip install "pillow>=10.4"\n' in said
    assert "Not ready: pillow" in said


def test_a_package_out_of_bounds_is_missing(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0")
    found = findings()["numpy"]
    assert found.state == "missing"
    assert "1.0, but" in found.found


@pytest.mark.parametrize(
    ("package", "module"),
    [("numpy", "numpy"), ("matplotlib", "matplotlib.figure"), ("pillow", "PIL.Image")],
)
def test_a_package_that_is_installed_and_broken_is_missing(monkeypatch, capsys, package, module):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["doctor", "--for", "numpy"]) == 1
    said = capsys.readouterr().out
    assert f"Not ready: {package}" in said
    version = importlib.metadata.version(package)
    assert f"{version} is installed, but it cannot be imported: import of {module} halted" in said
    assert f'{sys.executable} -m pip install --force-reinstall "{package}' in said


def test_a_torch_that_is_broken_in_its_own_way_ends_nothing(monkeypatch):
    real = importlib.import_module

    def import_module(name, *args):
        if name in ("torch", "torchvision"):
            raise OSError("a page of advice\n\nno libgomp.so\n")
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: "2.13" if name == "torch" else "1"
    )
    found = findings("torch")
    assert found["torch"].state == found["device"].state == "missing"
    assert found["torch"].found.endswith("installed, but it cannot be imported: no libgomp.so")
    assert "delete the folder .venv" in found["torch"].remedy
    assert found["torchvision"].state == "note"


def test_torch_is_imported_only_where_it_is_asked_for():
    code = (
        "import sys; from cs_caption.__main__ import main; main(['doctor', '--for', 'numpy']); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_python_in_a_folder_with_a_space_is_quoted(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/my course/bin/python")
    assert doctor.pip_install("x") == '"/my course/bin/python" -m pip install x'


def test_a_clone_that_is_not_installed_is_said(monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert f"{sys.executable} -m pip install -e ." in findings()["cs-caption"].remedy


def test_the_doctor_works_where_nothing_heavy_is_installed():
    hide = "; ".join(f"sys.modules[{name!r}] = None" for name in ("torch", "numpy", "matplotlib"))
    code = f"import sys; {hide}; from cs_caption.__main__ import main; sys.exit(main(['doctor']))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "torch cannot be imported" in answer.stdout
    assert answer.stderr == ""


def test_the_numpy_notebooks_do_not_ask_for_torch():
    assert not {"torch", "device", "torchvision"} & set(findings("numpy"))


def test_a_notebook_shows_the_same_findings_as_a_table_with_what_mends_them(monkeypatch):
    assert "Ready.</caption>" in doctor.report("numpy").html
    mended = doctor.Finding("numpy", "missing", "1.0, but >=2.0 is needed", "pip install <this>")
    monkeypatch.setattr(doctor, "examine", lambda purpose: iter([mended]))
    view = doctor.report("numpy")
    assert "Not ready: numpy.</caption>" in view.html
    for cell in ("missing", "1.0, but &gt;=2.0 is needed", "pip install &lt;this&gt;"):
        assert f">{cell}</td>" in view.html
    assert "-> pip install <this>" in repr(view)


def test_a_notebook_without_numpy_is_told_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cs_caption.checks.table", None)
    assert doctor.report("numpy").html.startswith("<pre>ok")


def test_a_report_for_an_unknown_purpose_is_refused():
    with pytest.raises(ValueError, match="no purpose 'torhc': choose one of all, numpy, torch"):
        doctor.report("torhc")


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), ([], 2), (["nonsense"], 2)])
def test_usage_is_explained_with_its_exit_code(arguments, code, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == code
    captured = capsys.readouterr()
    assert "COMMAND" in captured.out + captured.err
