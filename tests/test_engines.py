"""Batches: every unit has one outcome, whatever its worker does; nothing stays running."""

import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from autograder import cluster as engine_cluster
from autograder.cluster import sources_digest
from autograder.engines import Failure, run_all
from autograder.progress import Progress, duration
from autograder.workers import FORKED_WARM, Bench, Died, Job

pytestmark = pytest.mark.xdist_group("engines")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Unit:
    name: str
    does: str = ""
    folder: str = ""


def work(unit):
    """What a unit's `does` asks for; each call leaves a line in the folder."""
    if unit.folder:
        with open(Path(unit.folder) / unit.name, "a") as calls:
            calls.write(f"{os.getpid()}\n")
    match unit.does.split():
        case ["dies"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["exits"]:
            os._exit(7)
        case ["crashes"]:
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGSEGV)
        case ["dies", "once"] if len((Path(unit.folder) / unit.name).read_text().split()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["dies", "then", "wants", "to", "be", "alone"]:
            alone_or_dies(unit)
        case ["hangs"]:
            time.sleep(600)
        case ["family"]:
            start_family(unit)
        case ["waits"]:
            wait_until((Path(unit.folder) / "go").exists)
        case ["raises"]:
            raise ValueError("no such cell")
        case ["leaves"]:
            raise SystemExit(3)
        case ["odd"]:
            return {"odd": lambda: 0}
    return {"name": unit.name, "pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}


def alone_or_dies(unit):
    if len((Path(unit.folder) / unit.name).read_text().split()) == 1:
        os._exit(1)
    mark = Path(unit.folder) / "somebody is here"
    mark.touch(exist_ok=False)
    time.sleep(0.1)
    mark.unlink()


def start_family(unit):
    """A child, and a grandchild in a session of its own, as a sandbox may be; then hang."""
    inner = "import subprocess as s; s.Popen(['sleep', '600'], start_new_session=True).wait()"
    child = subprocess.Popen([sys.executable, "-c", inner])
    wait_until(lambda: psutil.Process(child.pid).children())
    pids = [os.getpid(), child.pid, psutil.Process(child.pid).children()[0].pid]
    partial = Path(unit.folder) / "partial"
    partial.write_text(" ".join(map(str, pids)))
    partial.rename(Path(unit.folder) / "family")
    time.sleep(600)


def wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.01)


def runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_end(pids):
    wait_until(lambda: not any(map(runs, pids)))


def names(outcomes):
    return sorted(unit.name for unit, _ in outcomes)


@pytest.fixture
def leaves_nothing(tmp_path, monkeypatch):
    """After the test none of its processes runs, and no scratch folder is left."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = set(psutil.Process().children(recursive=True))
    yield
    all_end(c.pid for c in set(psutil.Process().children(recursive=True)) - before)
    assert not list(scratch.iterdir())


@pytest.mark.usefixtures("leaves_nothing")
def test_five_hundred_units_all_come_back_once_from_warm_workers_of_their_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    units = [Unit(f"{i:03}") for i in range(500)]
    outcomes = list(run_all(units, work, workers=3))
    assert names(outcomes) == names((unit, None) for unit in units)
    assert all(result["name"] == unit.name for unit, result in outcomes)
    assert {result["threads"] for _, result in outcomes} == {"1"}
    pids = {result["pid"] for _, result in outcomes}
    assert 1 <= len(pids) <= 3
    assert os.getpid() not in pids


def test_one_worker_is_a_process_of_its_own_too(tmp_path):
    (_, result), (_, again) = run_all([Unit("a"), Unit("b")], work)
    assert result["pid"] == again["pid"] != os.getpid()


def test_results_come_as_units_finish_not_as_they_were_given(tmp_path):
    outcomes = run_all([Unit("slow", "waits", str(tmp_path)), Unit("quick")], work, workers=2)
    assert next(outcomes)[0].name == "quick"
    (tmp_path / "go").touch()
    assert names(outcomes) == ["slow"]


@pytest.mark.parametrize("workers", [1, 3])
def test_units_are_taken_only_as_there_is_room(workers):
    taken = []

    def units():
        for i in range(50):
            taken.append(i)
            yield Unit(str(i))

    for count, _ in enumerate(run_all(units(), work, workers=workers)):
        assert len(taken) - count <= 2 * workers
    assert len(taken) == 50


@pytest.mark.usefixtures("leaves_nothing")
def test_a_unit_that_kills_its_worker_is_tried_alone_then_told_and_harms_no_other(tmp_path):
    deadly = {"p": "dies", "q": "exits", "r": "crashes", "s": "dies once"}
    units = [Unit(name, does, str(tmp_path)) for name, does in deadly.items()]
    units[2:2] = [Unit(f"ann{i}", folder=str(tmp_path)) for i in range(12)]
    told = []
    outcomes = list(run_all(units, work, workers=2, report=told.append, name=lambda u: u.name))
    assert names(outcomes) == sorted(unit.name for unit in units)
    found = {unit.name: outcome for unit, outcome in outcomes}
    assert "SIGKILL" in found["p"].words
    assert "twice" in found["p"].words
    assert "exit status 7" in found["q"].words
    assert "SIGSEGV" in found["r"].words
    assert found["s"]["name"] == "s"
    assert {line.partition(":")[0] for line in told} == set(deadly)
    calls = {unit.name: len((tmp_path / unit.name).read_text().split()) for unit in units}
    assert calls == {unit.name: 2 if unit.name in deadly else 1 for unit in units}
    assert {unit.name for unit, _ in outcomes[-4:]} == set(deadly)


@pytest.mark.usefixtures("leaves_nothing")
def test_a_unit_that_hangs_is_stopped_with_its_family_and_none_waits_behind_it(tmp_path):
    units = [Unit("hung", "family", str(tmp_path)), *(Unit(str(i)) for i in range(6))]
    outcomes = list(run_all(units, work, workers=1, seconds=3))
    assert names(outcomes) == sorted(unit.name for unit in units)
    found = {unit.name: outcome for unit, outcome in outcomes}
    assert found["hung"] == Failure("it took more than 3 s and was stopped")
    assert not any(isinstance(found[str(i)], Failure) for i in range(6))
    all_end(family(tmp_path))


def test_suspects_are_tried_again_one_at_a_time(tmp_path):
    units = [Unit(f"s{i}", "dies then wants to be alone", str(tmp_path)) for i in range(4)]
    found = {unit.name: outcome for unit, outcome in run_all(units, work, workers=3)}
    assert all(found[name]["name"] == name for name in ("s0", "s1", "s2", "s3"))


def family(folder):
    wait_until((folder / "family").exists)
    return [int(pid) for pid in (folder / "family").read_text().split()]


def test_a_worker_that_does_not_even_listen_holds_nobody_up():
    bench = Bench(Job(__name__, "work"), seconds=2)
    try:
        pid = bench.run(pickle.dumps(Unit("a")))["pid"]
        os.kill(pid, signal.SIGSTOP)
        unit = Unit("b" * 4_000_000)  # more than what a pipe holds for it
        assert bench.run(pickle.dumps(unit)) == Failure("it took more than 2 s and was stopped")
        assert bench.run(pickle.dumps(Unit("c")))["name"] == "c"
        assert not runs(pid)
    finally:
        bench.end()


def test_what_work_raises_is_a_failure_in_words_and_the_worker_goes_on():
    units = [Unit("a", "raises"), Unit("b", "leaves"), Unit("c", "odd"), Unit("d")]
    found = {unit.name: outcome for unit, outcome in run_all(units, work)}
    assert found["a"].words == "ValueError: no such cell"
    assert "in work" in found["a"].trace
    assert found["b"].words == "SystemExit: 3"
    assert isinstance(found["c"], Failure)
    assert found["d"]["name"] == "d"


def test_a_lost_stem_is_replaced():
    bench = Bench(Job(__name__, "work"), None)
    try:
        first = bench.run(pickle.dumps(Unit("a")))["pid"]
        bench._stem._process.kill()
        bench._stem._process.wait()
        assert bench.run(pickle.dumps(Unit("b")))["pid"] == first
        os.kill(first, signal.SIGKILL)
        assert isinstance(bench.run(pickle.dumps(Unit("c"))), Died)
        assert bench.run(pickle.dumps(Unit("d")))["name"] == "d"
    finally:
        bench.end()


@pytest.mark.skipif(not FORKED_WARM, reason="here workers are not forked from a warm stem")
@pytest.mark.parametrize(
    "modules",
    [
        ("cs_caption.checks",),
        pytest.param(("torch", "autograder.preprocessors"), marks=pytest.mark.full),
    ],
)
def test_the_stem_has_one_thread_with_all_imported_so_that_it_may_fork(modules):
    if "torch" in modules:
        pytest.importorskip("torch")
    job = Job(__name__, "gradient" if "torch" in modules else "product", modules)
    bench = Bench(job, None)
    try:
        assert bench.run(pickle.dumps(2.0)) == {"gradient": 24.0}
        assert psutil.Process(bench._stem._process.pid).num_threads() == 1
    finally:
        bench.end()


def product(x):
    import numpy as np

    return {"gradient": (np.full((200, 300), x) @ np.ones((300, 4)))[0, 0] / 25}


def gradient(x):
    import torch

    tensor = torch.full((2, 3), x, requires_grad=True)
    (tensor**2).sum().backward()
    return {"gradient": tensor.grad.sum().item()}


@pytest.mark.usefixtures("leaves_nothing")
def test_a_bench_at_rest_has_no_process_and_works_again():
    bench = Bench(Job(__name__, "work"), None)
    first = bench.run(pickle.dumps(Unit("a")))["pid"]
    bench.rest()
    assert not runs(first)
    assert not bench._idle
    assert bench._stem is None
    assert bench.run(pickle.dumps(Unit("b")))["name"] == "b"
    bench.end()
    with pytest.raises(RuntimeError, match="the batch is over"):
        bench.run(pickle.dumps(Unit("c")))


def test_work_that_no_worker_can_import_is_refused_in_words():
    with pytest.raises(ValueError, match=r"cannot be imported by a worker.*top of a module"):
        run_all([], lambda unit: unit)
    with pytest.raises(ValueError, match="workers=0"):
        run_all([], work, workers=0)
    with pytest.raises(RuntimeError, match="No module named 'no_such_module'"):
        list(run_all([Unit("a")], work, modules=["no_such_module"]))


@pytest.mark.usefixtures("leaves_nothing")
def test_a_batch_that_is_closed_early_ends_its_workers_and_their_children(tmp_path):
    units = [Unit("quick"), Unit("long", "family", str(tmp_path)), Unit("never")]
    outcomes = run_all(units, work, workers=2)
    assert isinstance(next(outcomes)[1], dict)
    pids = family(tmp_path)
    outcomes.close()
    all_end(pids)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_when_the_command_is_ended_so_are_workers_and_their_children(tmp_path, sign):
    program = (
        "import signal\n"  # who runs the tests in the background lets them ignore Ctrl-C
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from test_engines import *\n"
        f"list(run_all([Unit('a', 'family', {str(tmp_path)!r}), Unit('b', 'hangs')], work,"
        " workers=2))"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    places = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "TMPDIR": str(scratch)}
    command = subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | places, stderr=subprocess.PIPE, text=True
    )
    try:
        pids = family(tmp_path)
        descend = psutil.Process(command.pid).children(recursive=True)
        assert set(pids) < {process.pid for process in descend}
        command.send_signal(sign)
        _, said = command.communicate(timeout=60)
        assert ("KeyboardInterrupt" in said) == (sign == signal.SIGINT)
        assert said.count("Traceback") <= 1
        all_end(process.pid for process in descend)
        wait_until(lambda: not list(scratch.iterdir()))
    finally:
        command.kill()


@contextmanager
def cluster(workers):
    """A scheduler and nannied workers with a thread each, in processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as local:
        yield local


@pytest.fixture(scope="module")
def local_cluster():
    with cluster(2) as local:
        yield local


def test_dask_finds_what_local_workers_find(local_cluster, tmp_path):
    deadly = {"p": "dies", "q": "raises", "s": "dies once"}
    units = [Unit(name, does) for name, does in deadly.items() if name != "s"]
    units += [Unit(f"ann{i}") for i in range(20)]
    found = []
    for name, engine in {"here": {"workers": 2}, "dask": {"dask": address(local_cluster)}}.items():
        (tmp_path / name).mkdir()
        batch = [*units, Unit("s", "dies once", str(tmp_path / name))]
        outcomes = list(run_all(batch, work, **engine))
        assert names(outcomes) == names((unit, None) for unit in batch)
        found.append({unit.name: without_pid(outcome) for unit, outcome in outcomes})
    assert found[0] == found[1]


def without_pid(outcome):
    return outcome | {"pid": 0} if isinstance(outcome, dict) else outcome.words


def address(local_cluster):
    return local_cluster.scheduler_address


def test_dask_has_bounded_units_in_flight_stops_hung_ones_and_leaves_nothing(
    local_cluster, tmp_path
):
    taken = []

    def units():
        yield Unit("hung", "family", str(tmp_path))
        for i in range(20):
            taken.append(i)
            yield Unit(str(i))

    found = {}
    for unit, outcome in run_all(units(), work, dask=address(local_cluster), seconds=3):
        found[unit.name] = outcome
        assert len(taken) + 1 - len(found) <= 4
    assert found.pop("hung") == Failure("it took more than 3 s and was stopped")
    assert sorted(result["name"] for result in found.values()) == sorted(map(str, range(20)))
    all_end([*family(tmp_path), *(result["pid"] for result in found.values())])


def test_a_lost_dask_worker_loses_nothing_and_nothing_comes_twice(tmp_path):
    units = [Unit(str(i), "waits", str(tmp_path)) for i in range(6)]
    with cluster(2) as local:
        outcomes = run_all(units, work, dask=address(local))

        def lose_one():
            wait_until(lambda: len(list(tmp_path.iterdir())) >= 2)
            wait_until(lambda: all(path.stat().st_size for path in tmp_path.iterdir()))
            in_work = int(next(tmp_path.iterdir()).read_text())
            psutil.Process(in_work).parent().parent().kill()  # worker, stem, Dask's own worker
            (tmp_path / "go").touch()

        beside = threading.Thread(target=lose_one)
        beside.start()
        found = list(outcomes)
        beside.join()
    assert names(found) == sorted(unit.name for unit in units)
    assert all(result["name"] == unit.name for unit, result in found)
    calls = sum(len((tmp_path / unit.name).read_text().split()) for unit in units)
    assert calls > len(units)


@pytest.mark.parametrize("there", ["has other sources", "has no autograder"])
def test_a_dask_worker_with_other_sources_than_ours_is_refused_by_name(there, tmp_path):
    if there == "has other sources":
        for package in ("autograder", "cs_caption"):
            shutil.copytree(ROOT / package, tmp_path / package)
        with open(tmp_path / "cs_caption" / "files.py", "a") as source:
            source.write("\n")
    with cluster(0) as local, dask_worker(address(local), tmp_path) as place:
        outcomes = run_all([Unit("a")], work, dask=address(local))
        with pytest.raises(RuntimeError, match=rf"the Dask worker {place} {there}"):
            next(outcomes)


@contextmanager
def dask_worker(scheduler, folder):
    """A worker that joined from another shell, with only `folder` on its path; its address."""
    options = ["--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--nthreads", "1"]
    places = {"PYTHONPATH": str(folder)}
    worker = subprocess.Popen(
        [sys.executable, "-P", "-m", "dask", "worker", scheduler, *options],
        cwd=folder,
        env=os.environ | places,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = next(line for line in worker.stderr if "Start worker at:" in line)
        yield said.split()[-1]
    finally:
        worker.kill()
        worker.communicate()


def test_a_dask_worker_that_joins_late_with_other_sources_is_refused(monkeypatch):
    pytest.importorskip("distributed")
    here = SimpleNamespace(address="tcp://late:1")
    monkeypatch.setattr("distributed.get_worker", lambda: here)
    with pytest.raises(RuntimeError, match="tcp://late:1 has other sources"):
        engine_cluster._on_cluster("batch", "0" * 64, Job(__name__, "work"), None, b"")


def test_no_scheduler_no_worker_and_no_distributed_are_told_with_a_remedy(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(engine_cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(OSError, match="start one by `dask scheduler`"):
        list(run_all([Unit("a")], work, dask="tcp://127.0.0.1:9"))
    with cluster(0) as local, pytest.raises(OSError, match="no worker is connected"):
        list(run_all([Unit("a")], work, dask=address(local)))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"cs-caption\[dask\]"):
        list(run_all([Unit("a")], work, dask="tcp://127.0.0.1:9"))


def test_sources_are_told_apart_by_any_change_of_either_package(tmp_path, monkeypatch):
    def found(package):
        return SimpleNamespace(submodule_search_locations=[str(tmp_path / package)])

    for package in ("autograder", "cs_caption"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    monkeypatch.setattr("importlib.util.find_spec", found)
    digests = [sources_digest()]
    (tmp_path / "cs_caption" / "a.py").write_text("1")
    digests.append(sources_digest())
    (tmp_path / "cs_caption" / "a.py").rename(tmp_path / "autograder" / "a.py")
    digests.append(sources_digest())
    (tmp_path / "autograder" / "a.py").write_text("2")
    digests.append(sources_digest())
    assert len(set(digests)) == 4
    (tmp_path / "autograder" / "a.py").write_text("1")
    assert sources_digest() == digests[2]


class Clock:
    def __init__(self, *times):
        self.times = list(times)

    def __call__(self):
        return self.times.pop(0)


def test_progress_judges_the_time_left_from_warm_units_alone():
    lines = []
    progress = Progress(200, cold=2, write=lines.append, clock=Clock(100, 101, 103))
    for name in ("ann", "bo", "cy"):
        progress.finished(name, "9 of 9 points", 0.81)
    progress.finished("di", "not graded")
    assert lines == [
        "[1/200] ann: 9 of 9 points (0.8 s)",
        "[2/200] bo: 9 of 9 points (0.8 s)",
        "[3/200] cy: 9 of 9 points (0.8 s)  3 min left",
        "[4/200] di: not graded  5 min left",
    ]


def test_progress_learns_nothing_from_what_was_done_before():
    lines = []
    progress = Progress(4, write=lines.append, clock=Clock(100, 160))
    progress.skipped("ann", "9 of 9 points")
    progress.finished("bo", "1 of 9 points")
    progress.finished("cy", "1 of 9 points")
    assert lines == [
        "[1/4] ann: as before, 9 of 9 points",
        "[2/4] bo: 1 of 9 points",
        "[3/4] cy: 1 of 9 points  1 min left",
    ]


def test_the_last_line_of_progress_has_no_time_left():
    lines = []
    progress = Progress(2, write=lines.append, clock=Clock(0, 1))
    progress.finished("a", "x")
    progress.finished("b", "y")
    assert lines[-1] == "[2/2] b: y"


def test_progress_puts_no_control_character_and_nothing_unencodable_into_a_log(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Progress(1).finished("a\x1b[2J\r\nZoë\udcff", "x\ty")
    assert raw.getvalue() == b"[1/1] a?[2J??Zo\\xeb?: x?y\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "1 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "1 h 0 min"), (4800, "1 h 20 min")],
)
def test_a_duration_is_said_as_people_say_it(seconds, words):
    assert duration(seconds) == words
