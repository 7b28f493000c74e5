"""The first thing that runs in a sandbox: give up every right and take the limits, then the kernel.

    python enter.py '{"fd": 7, "uid": 1900000000, "supervise": false, "rlimits": {...}}'

Runs before any code of a student, with the standard library alone. With a `uid` it starts as root
(bubblewrap makes no user namespace for root) and goes on as that uid, so that a limit on processes
binds: root has none. With `supervise` it stays as the parent of the kernel and adopts what is
orphaned there, so that the grader finds every process of a sandbox under one.
"""

import ctypes
import importlib.util
import json
import os
import platform
import resource
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path

_PR_CAPBSET_DROP, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 24, 22, 36, 38


def main(arguments: list[str]) -> None:
    """Confine this process, then be the kernel."""
    wish = json.loads(arguments[0])
    libc = _libc()
    if wish["supervise"]:
        _supervise(libc, wish["fd"])
    for name, value in wish["rlimits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}", None), value)
    if wish["uid"] is not None:
        _become(libc, wish["uid"])
    if wish["filter"] and libc is not None:
        _no_other_namespaces(libc)
    os.closerange(3, wish["fd"])
    os.closerange(wish["fd"] + 1, 256)
    _kernel().main(wish["fd"])


def _libc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    return libc


def _supervise(libc: ctypes.CDLL | None, fd: int) -> None:
    """Fork: the child goes on, the parent adopts orphans until the grader ends it."""
    if libc is not None:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    kernel = os.fork()
    if not kernel:
        return
    os.close(fd)
    while True:
        with suppress(InterruptedError):
            pid, status = os.wait()
            if pid == kernel:
                _end_orphans()
                os._exit(_told(os.waitstatus_to_exitcode(status)))


def _told(code: int) -> int:
    """The exit code as a shell tells it: 128 and the number of the signal."""
    return 128 - code if code < 0 else code


def _end_orphans() -> None:
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    while listed.exists() and (children := listed.read_text().split()):
        for pid in map(int, children):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _limit(which: int | None, value: int) -> None:
    if which is not None:
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        more = 5 if which == resource.RLIMIT_CPU else 0  # first SIGXCPU, which says why; then 9
        most = value + more if hard == resource.RLIM_INFINITY else min(value + more, hard)
        with suppress(ValueError, OSError):  # macOS refuses a limit on memory
            resource.setrlimit(which, (value, most))


def _become(libc: ctypes.CDLL, uid: int) -> None:
    capability = 0
    while libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    header = ctypes.create_string_buffer(struct.pack("IiI", 0x20080522, 0, 0))
    libc.capset(header, ctypes.create_string_buffer(24))  # none that could be inherited either


def _no_other_namespaces(libc: ctypes.CDLL) -> None:
    """Refuse new namespaces and memory behind file descriptors: both get round the limits.

    In a user namespace of its own a process could mount a tmpfs without a size; a memfd counts
    nowhere. Where the processor is an unknown one nothing is refused.
    """
    calls = _CALLS.get(platform.machine())
    if calls is None:
        return
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    rows = _filter(*calls)
    rules = ctypes.create_string_buffer(rows)
    program = ctypes.create_string_buffer(
        struct.pack("HP", len(rows) // 8, ctypes.addressof(rules))
    )
    libc.prctl(_PR_SET_SECCOMP, 2, ctypes.addressof(program), 0, 0)


# The architecture; unshare, setns, mount, memfd_create, memfd_secret, userfaultfd, keyctl,
# io_uring_setup, shmget; clone; clone3.
_CALLS = {
    "x86_64": (0xC000003E, (272, 308, 165, 319, 447, 323, 250, 425, 29), 56, 435),
    "aarch64": (0xC00000B7, (97, 268, 40, 279, 447, 282, 219, 425, 194), 220, 435),
}
_CLONE_NEW = 0x7E020000  # the flags of clone that ask for a namespace


def _filter(architecture: int, refused: tuple[int, ...], clone: int, clone3: int) -> bytes:
    """A seccomp program: load a word, compare, return; jumps count the instructions skipped."""
    load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
    allow, refuse, unknown = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS
    after = len(refused)
    rows = [
        (load, 0, 0, 4),
        (equal, 0, after + 6, architecture),  # another instruction set: refuse whatever it asks
        (load, 0, 0, 0),
        (any_bit, after + 4, 0, 0x40000000),  # the x32 numbers of the same calls
        *((equal, after + 3 - i, 0, number) for i, number in enumerate(refused)),
        (equal, 4, 0, clone3),
        (equal, 0, 4, clone),
        (load, 0, 0, 16),
        (any_bit, 0, 2, _CLONE_NEW),
        (answer, 0, 0, refuse),
        (answer, 0, 0, unknown),
        (answer, 0, 0, allow),
    ]
    return b"".join(struct.pack("HBBI", *row) for row in rows)


def _kernel():
    """The module beside this file, under a name that no module of a student has."""
    path = Path(__file__).with_name("kernel.py")
    spec = importlib.util.spec_from_file_location("_cs_caption_kernel", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1:])
