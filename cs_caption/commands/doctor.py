"""`python -m cs_caption doctor`: is this machine ready, and what mends it if not."""

import argparse
import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from cs_caption.viz.figure import View

PURPOSES = ("all", "numpy", "torch", "grader")
MARKS = {"ok": "ok     ", "missing": "MISSING", "note": "note   "}
# What is imported of a package: enough for its compiled parts to load.
IMPORTED = {
    "numpy": "numpy",
    "matplotlib": "matplotlib.figure",
    "pillow": "PIL.Image",
    "snowballstemmer": "snowballstemmer",
    "torch": "torch",
    "safetensors": "safetensors",
}
LEAST_PYTHON = (3, 11)
MEMORY_NEEDED = 1.5  # GiB: design, decision 9


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report; `remedy` is the command or step that mends it."""

    name: str
    state: str
    found: str
    remedy: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--for",
        dest="purpose",
        choices=PURPOSES,
        default="all",
        help="what the machine must be ready for: the NumPy notebooks (00-03), the torch ones "
        "(04-08), grading, or all of it (default)",
    )


def run(args: argparse.Namespace) -> int:
    findings = list(examine(args.purpose))
    print(_text(findings))
    return 1 if _missing(findings) else 0


def report(purpose: str = "all") -> View:
    """What the command says, as a table in a notebook.

    `purpose` is "numpy" (notebooks 00-03), "torch" (04-08), "grader" or "all".
    Raises: ValueError for another purpose.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"no purpose {purpose!r}: choose one of {', '.join(PURPOSES)}")
    findings = list(examine(purpose))
    text = _text(findings)
    try:
        from cs_caption.checks.table import html_table
    except Exception:  # the table's package needs NumPy, which may be missing, or broken in any way
        return View(f"<pre>{escape(text)}</pre>", text)
    header = ("what", "state", "found", "what mends it")
    rows = [(one.name, one.state, one.found, one.remedy) for one in findings]
    return View(html_table(_verdict(findings), header, rows), text)


def _text(findings: list[Finding]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.state]}  {finding.name:<12} {finding.found}")
        if finding.remedy:
            lines.append(f"{'':9}{'':<12} -> {finding.remedy}")
    arrows = " Each arrow above is what to do." if _missing(findings) else ""
    return "\n".join([*lines, "", _verdict(findings) + arrows])


def _verdict(findings: list[Finding]) -> str:
    missing = _missing(findings)
    return f"Not ready: {', '.join(missing)}." if missing else "Ready."


def _missing(findings: list[Finding]) -> list[str]:
    return [finding.name for finding in findings if finding.state == "missing"]


def examine(purpose: str = "all") -> Iterator[Finding]:
    """Yield what the doctor finds, the machine first, then the packages."""
    yield python_finding()
    yield memory_finding()
    yield disk_finding()
    for extra in ("", "torch", "grader"):
        if purpose == "all" or extra in ("", purpose):
            yield from package_findings(extra)
    if purpose in ("all", "torch"):
        yield device_finding()
        yield torchvision_finding()
    if purpose in ("all", "grader"):
        yield alembic_finding()


def python_finding() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] >= LEAST_PYTHON:
        return Finding("Python", "ok", found)
    return Finding("Python", "missing", found, "install Python 3.11 or newer, then: make setup")


def memory_finding() -> Finding:
    total = total_memory()
    if total is None:
        return Finding("memory", "note", "unknown on this system; 1.5 GiB are needed")
    found = f"{total:.1f} GiB, {os.cpu_count()} cores"
    if total >= MEMORY_NEEDED:
        return Finding("memory", "ok", found)
    return Finding("memory", "note", found, "close other programs: notebooks need up to 1.5 GiB")


def total_memory() -> float | None:
    """Memory in GiB that this process may use: the machine's, or its container's where less."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return total / 2**30


def disk_finding() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    found = f"{free:.1f} GiB free in {Path.cwd()}"
    if free >= 1:
        return Finding("disk", "ok", found)
    return Finding(
        "disk", "note", found, "free some space: checkpoints and pages take about 100 MB"
    )


def package_findings(extra: str) -> Iterator[Finding]:
    """One finding a package of the extra ("" for the package's own needs), against its bounds."""
    try:
        from packaging.requirements import Requirement

        needs = importlib.metadata.requires("cs-caption") or []
    except ImportError:  # PackageNotFoundError is one
        if not extra:
            found = "not installed: its needs cannot be read"
            yield Finding("cs-caption", "missing", found, f"make setup, or {pip_install('-e .')}")
        return
    for text in needs:
        requirement = Requirement(text)
        belongs = f'extra == "{extra}"' if extra else None
        if (str(requirement.marker) if requirement.marker else None) == belongs:
            yield package_finding(requirement.name, requirement.specifier)


def package_finding(name: str, bounds) -> Finding:
    remedy = pip_install(f'"{name}{bounds}"')
    if name == "torch":
        remedy = "make setup   (takes the CPU build where it can; make TORCH=cuda for a GPU)"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "missing", "not installed", remedy)
    if not bounds.contains(version, prereleases=True):
        return Finding(name, "missing", f"{version}, but {bounds} is needed", remedy)
    if name in IMPORTED and (error := import_error(IMPORTED[name])):
        found = f"{version} is installed, but it cannot be imported: {error}"
        remedy = pip_install(f'--force-reinstall "{name}{bounds}"')
        if name == "torch":  # pip might take a CUDA build, and make setup think that all is done
            remedy = "delete the folder .venv, then: make setup   (elsewhere, install torch again)"
        return Finding(name, "missing", found, remedy)
    return Finding(name, "ok", version)


def pip_install(what: str) -> str:
    """The command for a terminal, with the whole path: no other Python gets the package."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install {what}"


def import_error(module: str) -> str:
    """Why a module cannot be imported, in one line; '' where it can."""
    try:
        importlib.import_module(module)
    except Exception as error:  # what a broken package raises is anybody's guess
        # NumPy's is a page of advice, with the cause at its end.
        return (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return ""


def device_finding() -> Finding:
    if error := import_error("torch"):
        return Finding("device", "missing", f"torch cannot be imported: {error}", "make setup")
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        return Finding("device", "ok", f"cuda: {torch.cuda.get_device_name()}")
    if torch.backends.mps.is_available():
        return Finding("device", "ok", "mps: Apple GPU")
    return Finding("device", "ok", f"cpu, {torch.get_num_threads()} threads (only 08 wants a GPU)")


def torchvision_finding() -> Finding:
    from cs_caption._torchvision import torchvision

    try:
        return Finding("torchvision", "ok", torchvision().__version__)
    except (ImportError, OSError, RuntimeError) as error:
        return Finding(
            "torchvision", "note", "not usable; only pretrained encoders need it", str(error)
        )


def alembic_finding() -> Finding:
    if shutil.which("alembic"):
        return Finding("alembic", "ok", "on PATH (nbgrader's gradebook calls it)")
    beside = Path(sys.executable).with_name("alembic")
    if beside.exists():
        return Finding("alembic", "ok", f"{beside} (python -m autograder puts it on PATH itself)")
    return Finding("alembic", "missing", "not found; nbgrader's gradebook calls it", "make setup")
