"""Make `.venv` ready for the course: `python3 bootstrap.py`, which every make target calls.

Standard library only. Finds a Python 3.11+, makes the environment, installs the pinned torch
(its CPU build where that can be had) and the package with its extras. A finished set-up leaves
a stamp, so that a second call returns at once; one that was interrupted goes on where it stopped.

Environment: PYTHON  the interpreter to build with       (default: python3.11 if there, else newer)
             TORCH   auto | cpu | cuda | an index's URL   (default: auto)
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / ".cs_caption-ready"
TORCH, TORCHVISION = "2.13.0", "0.28.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_SECONDS = 3
CANDIDATES = ("python3.11", "python3.12", "python3.13", "python3", "python")


def main() -> int:
    started = time.monotonic()
    choice = os.environ.get("TORCH", "auto") or "auto"
    if STAMP.exists() and STAMP.read_text() == fingerprint(choice):
        return 0
    try:
        make_venv(find_python())
        install_torch(choice)
        say("Installing the package with its tools (notebooks, grading, tests) ...")
        pip("install", "-e", ".[torch,grader,similarity,dev]", f"torch=={TORCH}")
    except SetupError as error:
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        return 1
    STAMP.write_text(fingerprint(choice))
    say(f"Ready in {time.monotonic() - started:.0f} s: {VENV}")
    return 0


class SetupError(Exception):
    """Something that the user can mend; the message says how."""


def say(text: str) -> None:
    print(f"[setup] {text}", flush=True)


def fingerprint(choice: str) -> str:
    digest = hashlib.sha256(choice.encode())
    for name in ("bootstrap.py", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def find_python() -> str:
    wanted = os.environ.get("PYTHON")
    tried = [wanted] if wanted else [*CANDIDATES, sys.executable]
    for name in tried:
        version = python_version(name)
        if version and version >= (3, 11):
            return name
    raise SetupError(
        f"no Python 3.11 or newer among {', '.join(tried)}. Install one, or name it: "
        "make PYTHON=/path/to/python3.11"
    )


def python_version(name: str) -> "tuple[int, ...] | None":
    if not shutil.which(name):
        return None
    code = "import sys; print(*sys.version_info[:2])"
    answer = subprocess.run([name, "-c", code], capture_output=True, text=True)
    return tuple(map(int, answer.stdout.split())) if answer.returncode == 0 else None


def make_venv(python: str) -> None:
    if venv_works():
        return
    say(f"Making .venv with {shutil.which(python)} ...")
    made = subprocess.run(
        [python, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True
    )
    if made.returncode != 0 or not venv_works():
        raise SetupError(
            f"{python} could not make a virtual environment:\n{made.stdout}{made.stderr}"
            "On Debian or Ubuntu: sudo apt-get install python3-venv"
        )


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def venv_works() -> bool:
    if not venv_python().exists():
        return False
    version = python_version(str(venv_python()))
    pip_there = subprocess.run([str(venv_python()), "-m", "pip", "--version"], capture_output=True)
    return bool(version and version >= (3, 11)) and pip_there.returncode == 0


def install_torch(choice: str) -> None:
    index = torch_index(choice)
    if installed("torch").split("+")[0] != TORCH:
        if index is None:
            warn_of_cuda(choice)
        say(f"Installing torch {TORCH} from {index or 'the usual package index'} ...")
        pip("install", f"torch=={TORCH}", *extra_index(index))
    if installed("torchvision").split("+")[0] != TORCHVISION:
        say(f"Installing torchvision {TORCHVISION} (without dependencies) ...")
        try:
            pip("install", "--no-deps", f"torchvision=={TORCHVISION}", *extra_index(index))
        except SetupError:
            say("torchvision could not be installed: only pretrained encoders need it. Going on.")


def torch_index(choice: str) -> "str | None":
    """The extra index to ask for torch, or None for the usual one alone."""
    if "://" in choice:
        return choice
    if choice not in ("auto", "cpu", "cuda"):
        raise SetupError(f"TORCH={choice!r}: expected auto, cpu, cuda or the URL of an index")
    if choice == "cuda":
        return None
    say(f"Asking torch's CPU index (for {PROBE_SECONDS} seconds at most) ...")
    if answers(f"{CPU_INDEX}/torch/"):
        return CPU_INDEX
    say("It does not answer.")
    return None


def answers(url: str) -> bool:
    """Whether `url` answers 200 within PROBE_SECONDS, however slow the name server is."""
    good = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as page:
                good.append(page.status == 200)
        except OSError:
            good.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return bool(good and good[0])


def warn_of_cuda(choice: str) -> None:
    """Say that gigabytes are about to come, before they do; refuse where TORCH=cpu."""
    if not torch_is_cuda():
        return
    if choice == "cpu":
        raise SetupError(
            f"TORCH=cpu, but only a CUDA build of torch {TORCH} can be had here. Use Python 3.11 "
            "where a CPU wheel is at hand, name an index (TORCH=URL), or accept it (TORCH=cuda)."
        )
    say(f"Note: torch {TORCH} comes as a CUDA build here, a download of several GB.")
    say("To choose: make TORCH=cpu (never CUDA), TORCH=cuda (no more questions) or TORCH=URL.")
    if choice == "auto" and sys.stdout.isatty():
        say("Going on in 10 seconds; Ctrl-C to stop.")
        time.sleep(10)


def torch_is_cuda() -> bool:
    """Whether what pip would choose needs NVIDIA's packages here: from metadata alone."""
    command = ["install", "--dry-run", "--ignore-installed", "--no-deps", "-q", "--report", "-"]
    answer = subprocess.run(
        pip_command(*command, f"torch=={TORCH}"), capture_output=True, text=True
    )
    if answer.returncode != 0:
        raise SetupError(f"torch {TORCH} cannot be had from the package index:\n{answer.stderr}")
    found = json.loads(answer.stdout)["install"][0]
    if "+cpu" in found["metadata"]["version"]:
        return False
    needs = " ".join(found["metadata"].get("requires_dist", [])).lower()
    linux = sys.platform.startswith("linux")
    return linux and ("nvidia" in needs or "cuda" in needs)


def installed(package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    answer = subprocess.run([str(venv_python()), "-c", code], capture_output=True, text=True)
    return answer.stdout.strip()


def extra_index(index: "str | None") -> "list[str]":
    return ["--extra-index-url", index] if index else []


def pip_command(*words: str) -> "list[str]":
    return [
        str(venv_python()),
        "-m",
        "pip",
        *words,
        "--retries",
        "2",
        "--disable-pip-version-check",
    ]


def pip(*words: str) -> None:
    quiet = [] if sys.stdout.isatty() else ["-q"]
    command = pip_command(*words, *quiet)
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise SetupError(
            f"`pip {' '.join(words)}` failed; its own words are above. Is the package index "
            "reachable, is there room on the disk? The same make command goes on from here."
        )


if __name__ == "__main__":
    sys.exit(main())
