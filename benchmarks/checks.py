"""What a check takes with its hidden cases, on one core: a grader runs it for every submission."""

import os

# Before NumPy is imported: it reads the number of threads then.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import time

from autograder.zoo import solution_functions
from benchmarks.record import record
from cs_caption.checks import exercises, run_check
from cs_caption.checks.subject import LocalSubject

REPEATS = 3


def seconds(name: str) -> float:
    """The quickest of REPEATS checks of the solution, public and hidden cases, in CPU seconds."""
    subject, taken = LocalSubject(name, solution_functions(name)), []
    for _ in range(REPEATS):
        start = time.process_time()
        run_check(name, subject, salt="timed")
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    figures: dict[str, object] = {name: round(seconds(name), 3) for name in exercises()}
    figures["slowest"] = max(figures.values())
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print("written:", record("checks", figures, f"CPU seconds, best of {REPEATS}, one thread"))


if __name__ == "__main__":
    main()
