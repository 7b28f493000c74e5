"""One run, or all runs of a study: side by side, each kept as soon as it is done."""

import hashlib
import importlib
import json
import multiprocessing
import os
import platform
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

import cs_caption
from cs_caption.budget import budget, full_budget
from cs_caption.files import whole_file
from cs_caption.studies import NAMES
from cs_caption.studies.record import Record, Run, in_order
from cs_caption.studies.study import Study

# What figures depend on: a result that other code, data or weights made is not taken up.
STANDS_ON = (
    "*.py",
    "data/**/*.py",
    "decoding/**/*.py",
    "metrics/**/*.py",
    "models/**/*.*",
    "studies/**/*.py",
)
GENERATED = (".pyc",)

Report = Callable[[str], object]


@dataclass(frozen=True)
class Timed:
    """A run, and the processor's seconds that it took."""

    run: Run
    seconds: float


def study_of(name: str) -> Study:
    """Raises: ValueError where there is no such study."""
    if name not in NAMES:
        raise ValueError(f"no study is called {name!r}: choose one of {', '.join(NAMES)}")
    return importlib.import_module(f"cs_caption.studies.{name}").STUDY


def run_one(study: Study, setting: str, seed: int) -> Run:
    """Train and measure one setting with one seed, on one thread: more would add in another order.

    Raises: ValueError for a setting that the study does not have, and where training fails.
    """
    if setting not in study.settings:
        known = "; ".join(study.settings)
        raise ValueError(f"{study.name} has no setting {setting!r}: choose one of {known}")
    with _one_thread():
        found = study.measure(setting, budget(study.budget, study.tiny), seed)
    curves = {name: value for name, value in found.items() if isinstance(value, list)}
    return Run(setting, seed, {n: float(found[n]) for n in found if n not in curves}, curves)


def run_all(
    study: Study, *, seeds: int, jobs: int, folder: Path, tiny: bool = False, report: Report
) -> Record:
    """Run every setting with seeds 0 to `seeds` - 1, `jobs` at once, and return the record.

    Each run is kept in `folder` when it is done; those that this very code did there before are
    not run again.

    Raises: ValueError, naming the run, where one fails; RuntimeError where a process was killed.
    """
    study = _sized(study, tiny)
    print_of = fingerprint(study)
    places = {
        (setting, seed): folder / f"{_slug(setting)}_seed{seed}.json"
        for seed in range(seeds)  # seeds outermost: what a seed's settings share is made once
        for setting in study.settings
    }
    done = {key: _kept(place, print_of) for key, place in places.items()}
    done = {key: timed for key, timed in done.items() if timed is not None}
    missing = [key for key in places if key not in done]
    report(f"{study.name}: {len(missing)} runs to do, {len(done)} done before; {study.budget}")
    meter = _Meter(len(done), len(places), jobs)
    for key, timed in _runs(study, missing, jobs, tiny):
        done[key] = timed
        _keep(places[key], print_of, timed)
        report(meter.line(timed))
    return _record(study, seeds, jobs, list(done.values()))


def fingerprint(study: Study) -> str:
    """A hash of all that a run's figures depend on, but for setting and seed."""
    root = Path(cs_caption.__file__).parent
    files = {file for pattern in STANDS_ON for file in root.glob(pattern) if file.is_file()}
    digest = hashlib.sha256(repr((study.budget, _versions())).encode())
    for file in sorted(files):
        if file.suffix not in GENERATED:
            digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _sized(study: Study, tiny: bool) -> Study:
    return replace(study, budget=study.tiny) if tiny else study


# Runs side by side.


def _runs(
    study: Study, keys: Sequence[tuple[str, int]], jobs: int, tiny: bool
) -> Iterator[tuple[tuple[str, int], Timed]]:
    """Each run as it ends."""
    if jobs == 1 or len(keys) < 2:
        for key in keys:
            yield key, _named_errors(key, _timed, study, key)
        return
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the processes that are started below
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_process
    ) as pool:
        futures = {pool.submit(_by_name, study.name, key, tiny): key for key in keys}
        try:
            for future in as_completed(futures):
                yield futures[future], _named_errors(futures[future], future.result)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - others:
                child.kill()  # what is half done is not kept: nothing to wait for
            raise


def _by_name(name: str, key: tuple[str, int], tiny: bool) -> Timed:
    return _timed(_sized(study_of(name), tiny), key)


def _timed(study: Study, key: tuple[str, int]) -> Timed:
    start = time.process_time()
    with full_budget():
        return Timed(run_one(study, *key), round(time.process_time() - start, 2))


def _named_errors(key: tuple[str, int], call: Callable, *arguments) -> Timed:
    try:
        return call(*arguments)
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a process was killed, perhaps for want of memory: what was done is kept; start the "
            "same command again, with --jobs 1 if memory is short"
        ) from error
    except ValueError as error:
        raise ValueError(f"{key[0]}, seed {key[1]}: {error}") from error


def _begin_process() -> None:
    """Leave Ctrl-C to the command, and nothing running where that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# What is kept of each, and of all.


def _keep(place: Path, print_of: str, timed: Timed) -> None:
    with whole_file(place) as file:
        file.write_text(json.dumps({"of": print_of, **asdict(timed)}), encoding="utf-8")


def _kept(place: Path, print_of: str) -> Timed | None:
    """The run that is kept there; None without one, or where other code made it."""
    try:
        facts = json.loads(place.read_text(encoding="utf-8"))
        return Timed(Run(**facts["run"]), facts["seconds"]) if facts["of"] == print_of else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _record(study: Study, seeds: int, jobs: int, done: list[Timed]) -> Record:
    return Record(
        name=study.name,
        question=study.question,
        budget=str(study.budget),
        command=f"python -m cs_caption.studies {study.name} --seeds {seeds} --jobs {jobs}",
        date=time.strftime("%Y-%m-%d"),
        machine=_machine(jobs),
        seconds=round(sum(timed.seconds for timed in done), 1),
        seeds=seeds,
        figures=study.figures,
        runs=in_order([timed.run for timed in done], study.settings),
    )


def _machine(jobs: int) -> str:
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{jobs} at once on a thread each, {', '.join(_versions())}"
    )


def _versions() -> tuple[str, ...]:
    python = f"Python {platform.python_version()}"
    return python, f"NumPy {np.__version__}", f"torch {torch.__version__}"


def _slug(setting: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", setting.lower()).strip("_")


class _Meter:
    """How far a study is, and how long it will take."""

    def __init__(self, done: int, runs: int, jobs: int):
        self.done, self.runs, self.jobs = done, runs, jobs
        self.first, self.start = done, time.perf_counter()

    def line(self, timed: Timed) -> str:
        self.done += 1
        each = (time.perf_counter() - self.start) / (self.done - self.first)
        figures = ", ".join(f"{name} {value:.3g}" for name, value in timed.run.figures.items())
        return (
            f"{self.done} of {self.runs}: {timed.run.setting}, seed {timed.run.seed}: {figures} "
            f"({timed.seconds:.0f} s; about {each * (self.runs - self.done) / 60:.0f} min left)"
        )
