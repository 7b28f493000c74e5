"""Keep what a benchmark measured, with what it was measured on, where the README can quote it."""

import datetime
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from cs_caption.files import whole_file

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("numpy", "torch", "pycocoevalcap")


def record(name: str, figures: dict[str, object], note: str = "") -> Path:
    """Write `figures` to results/NAME.json with command, date, machine and versions; return it."""
    entry = {
        "command": f"python -m benchmarks.{name}",
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {package: version(package) for package in PACKAGES},
        "note": note,
        "figures": figures,
    }
    path = RESULTS / f"{name}.json"
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(entry, indent=2) + "\n")
    return path


def processor() -> str:
    """The processor's own name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
