"""A batch of independent units of work, by processes of this machine or by a Dask cluster.

    for unit, outcome in run_all(units, work, workers=4, seconds=900):
        ...                          # in the order in which they finish; a dict, or a Failure

Both run a unit in the same kind of process, a warm one of `autograder.workers`. A unit that kills
its process, hangs or fills the memory does it to that process and to no other unit.
"""

import itertools
import pickle
import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from autograder.cluster import cluster
from autograder.workers import Bench, Died, Failure, Job

__all__ = ["Failure", "run_all"]

T = TypeVar("T")
R = TypeVar("R")

LOOK_SECONDS = 30


def run_all(
    units: Iterable[T],
    work: Callable[[T], R],
    *,
    workers: int = 1,
    dask: str = "",
    seconds: float | None = None,
    modules: Sequence[str] = (),
    report: Callable[[str], None] = lambda line: None,
    name: Callable[[T], str] = str,
) -> Iterator[tuple[T, R | Failure]]:
    """Yield each unit with what `work` returns for it, as they finish; close it to end early.

    Units are taken from their iterable as there is room: two for each worker, with `dask` two for
    each thread of the cluster, whatever `workers` says. `modules` are imported before the first
    unit comes. A unit whose worker dies is tried once more, alone, after all others; one that takes
    more than `seconds` is stopped. `report` gets words about deaths, `name` says whose.
    Raises: ValueError for work that cannot be imported; RuntimeError where a worker cannot import
    it, has other sources than ours, or the cluster is lost; OSError where none answers at `dask`;
    ImportError where distributed is not installed.
    """
    if workers < 1:
        raise ValueError(f"workers={workers}: give 1 or more")
    job = _job(work, modules)
    engine = cluster(dask, job, seconds, report) if dask else _local(workers, job, seconds)
    return _run_all(units, engine, report, name)


def _job(work: Callable, modules: Sequence[str]) -> Job:
    job = Job(work.__module__, work.__qualname__, tuple(modules))
    if job.module == "__main__" or "." in job.function:
        raise ValueError(
            f"{job.module}.{job.function} cannot be imported by a worker: give a function that is "
            "defined at the top of a module other than the one that is run"
        )
    return job


def _run_all(units: Iterable, engine, report: Callable, name: Callable) -> Iterator:
    with engine as (submit, room):
        suspects = []
        for unit, outcome in _outcomes(units, submit, room):
            if isinstance(outcome, Died):
                report(f"{name(unit)}: {outcome.how}; it is tried again, alone, after the others")
                suspects.append(unit)
            else:
                yield unit, outcome
        for unit, outcome in _outcomes(suspects, submit, lambda: 1):
            if isinstance(outcome, Died):
                outcome = Failure(f"{outcome.how}, twice, the second time alone")
            yield unit, outcome


def _outcomes(units: Iterable, submit: Callable, room: Callable[[], int]) -> Iterator:
    """Keep `room()` units in flight; what came of each, as they come back."""
    units, flying, done = iter(units), {}, queue.SimpleQueue()
    numbers = itertools.count()
    while True:
        for unit in itertools.islice(units, max(0, room() - len(flying))):
            number = next(numbers)
            flying[number] = unit
            future = submit(pickle.dumps(unit))
            future.add_done_callback(lambda future, number=number: done.put((number, future)))
        if not flying:
            return
        try:
            number, future = done.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            continue  # there may be room for more: a cluster grows and shrinks
        yield flying.pop(number), _outcome(future)


def _outcome(future) -> Any:
    try:
        return future.result()
    except CancelledError as error:
        raise RuntimeError(
            f"the Dask cluster dropped a unit ({error}): is its scheduler still there? What has "
            "finished is kept; run the same command again for the rest"
        ) from error
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # of distributed, which may not be installed
            return Died("the Dask workers that it ran on were lost")
        raise


@contextmanager
def _local(workers: int, job: Job, seconds: float | None) -> Iterator:
    bench = Bench(job, seconds)
    threads = ThreadPoolExecutor(workers, thread_name_prefix="grade")
    try:
        yield (lambda unit: threads.submit(bench.run, unit)), (lambda: 2 * workers)
    finally:
        bench.end()
        threads.shutdown(cancel_futures=True)
