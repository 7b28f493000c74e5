"""A batch on a Dask cluster: a bench of warm processes in each Dask worker.

Whoever reaches a Dask scheduler can run anything on its workers, and units cross the network as
they are, with what they hold: use a cluster whose network is yours, or tls://.
"""

import hashlib
import importlib.util
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from autograder.workers import Bench, Job, told

CONNECT_SECONDS = 30


@contextmanager
def cluster(address: str, job: Job, seconds: float | None, report: Callable) -> Iterator:
    """The same benches, one in each Dask worker; Dask's own threads only wait for them.

    A unit that kills its process, hangs or leaks does it to a process of ours, not to the Dask
    worker; a Dask worker that is lost has its units given to others by the scheduler, up to the
    scheduler's `allowed-failures` times.
    """
    client = _connected(address)
    batch, digest = uuid.uuid4().hex, sources_digest()
    try:
        _same_sources(client, digest)

        def submit(unit: bytes):
            key = f"grade-{uuid.uuid4().hex}"
            return client.submit(_on_cluster, batch, digest, job, seconds, unit, key=key)

        def room() -> int:
            try:
                threads = sum(client.nthreads().values())
            except OSError as error:
                raise RuntimeError(
                    f"the Dask scheduler at {address} is gone ({error}). What has finished is "
                    "kept; run the same command again for the rest"
                ) from error
            if not threads:
                report(f"no worker is connected to {address}: waiting for one")
            return 2 * max(1, threads)

        yield submit, room
    finally:
        with suppress(Exception):  # the cluster may be gone
            client.run(_end_bench, batch, on_error="ignore")
        client.close(timeout=5)


def sources_digest() -> str:
    """The sha256 of the sources of autograder and cs_caption that are imported here."""
    digest = hashlib.sha256()
    for package in ("autograder", "cs_caption"):
        root = Path(importlib.util.find_spec(package).submodule_search_locations[0])
        for path in sorted(root.rglob("*.py")):
            text = path.read_bytes()
            digest.update(f"{package}/{path.relative_to(root).as_posix()} {len(text)}\n".encode())
            digest.update(text)
    return digest.hexdigest()


_benches: dict[str, Bench] = {}


def _on_cluster(batch: str, digest: str, job: Job, seconds: float | None, unit: bytes) -> Any:
    """Run a unit in the bench that this Dask worker keeps for the batch."""
    here = sources_digest()
    if here != digest:  # a worker that joined after the others were asked
        from distributed import get_worker

        raise RuntimeError(_differs(get_worker().address, here, digest))
    if batch not in _benches:
        for other in list(_benches.values()):  # perhaps of a command that was killed
            other.rest()
    return _benches.setdefault(batch, Bench(job, seconds)).run(unit)


def _end_bench(batch: str) -> None:
    # An ended bench stays in the dict: a late unit of the batch shall find it, not make another.
    _benches.setdefault(batch, Bench(Job("", ""), None)).end()


def _connected(address: str):
    try:
        from distributed import Client
    except ImportError as error:
        raise ImportError(
            "grading on a Dask cluster needs distributed: pip install 'cs-caption[dask]'"
        ) from error
    for name in ("distributed", "distributed.client"):  # we say in words what went wrong
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(
            f"no Dask scheduler answers at {address}: start one by `dask scheduler`, and workers "
            f"by `dask worker {address}` ({error})"
        ) from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except Exception as error:
        client.close(timeout=5)
        raise OSError(
            f"no worker is connected to {address}: start some by `dask worker {address}`"
        ) from error
    return client


def _same_sources(client, digest: str) -> None:
    found = client.run(sources_digest, on_error="return")
    words = [_differs(address, there, digest) for address, there in sorted(found.items())]
    if any(words):
        raise RuntimeError("; ".join(filter(None, words)))


def _differs(address: str, there: str | BaseException, ours: str) -> str:
    if there == ours:
        return ""
    what = (
        f"has no autograder and cs_caption that can be imported ({told(there)})"
        if isinstance(there, BaseException)
        else f"has other sources of autograder and cs_caption ({there[:12]}) than this machine "
        f"({ours[:12]})"
    )
    return f"the Dask worker {address} {what}: install the same there and start it again"
