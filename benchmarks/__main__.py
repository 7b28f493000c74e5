"""python -m benchmarks [NAME ...]: run the benchmarks and print each result as it comes."""

import subprocess
import sys
from pathlib import Path

NAMES = (
    "scenes",
    "annotators",
    "metrics",
    "convolution",
    "lstm",
    "softmax",
    "ranking",
    "decoding",
    "checks",
    "grading",
)


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(NAMES)
    if unknown:
        print(
            f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}",
            file=sys.stderr,
        )
        return 2
    root = Path(__file__).resolve().parent.parent
    for name in wanted or NAMES:
        print(f"== benchmarks.{name}", flush=True)
        # A process each: one benchmark's caches and threads must not help another.
        code = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=root).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
