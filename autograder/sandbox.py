"""Where a student's code runs: bubblewrap, or by name something weaker.

    probe("bubblewrap")                         raises SandboxMissing with what to install
    started = start("bubblewrap", Limits(), far, fd)

"bubblewrap"  no network; own process ids, ipc and host name; the system and Python read-only, the
              project, homes and other submissions not there at all; /tmp, /dev/shm and home of a
              limited size; a uid that nothing else has; an empty environment; the limits below
"limits"      the limits below, an empty environment, a temporary folder as home. Student code can
              read what the grading user can read, and use the network
"off"         a process with a temporary folder as home
"""

import json
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

from autograder.far_package import absent_names, far_package, private_folder

KINDS = ("bubblewrap", "limits", "off")

_ROOT = Path(__file__).resolve().parent.parent
_HOME = "/home/student"
_FAR = "/course"
_OPEN_FILES = 256
_ETC = (
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "nsswitch.conf"),
    *("fonts", "localtime", "timezone", "mime.types"),
)
# The largest thread pools that NumPy and torch start are those of one core: workers share cores.
_THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
_WEAKER = (
    "Without it `--sandbox=limits` still limits memory, time and processes, but student code can "
    "read this project, the gradebook and other submissions, and use the network; `--sandbox=off` "
    "limits nothing."
)


@dataclass(frozen=True)
class Limits:
    """What one submission may use, in bytes, seconds and processes; each process has the memory.

    All processes together may have twice the memory of one.
    """

    memory: int = 3 * 2**30
    cpu_seconds: int = 600
    file: int = 64 * 2**20
    disk: int = 64 * 2**20
    processes: int = 64


class SandboxMissing(RuntimeError):
    """The sandbox that was asked for does not work here."""


@dataclass
class Started:
    """A process in a sandbox; `folder` is its temporary home where it has one on this disk."""

    process: subprocess.Popen
    kind: str
    folder: Path | None = None

    def members(self) -> list[psutil.Process]:
        """Every process in it, the first one's parents first."""
        if self.process.poll() is not None:  # its number may be another's by now
            return []
        try:
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def end(self) -> None:
        """Kill everything in it and remove its folder."""
        if self.kind != "bubblewrap":  # stopped, it goes on adopting orphans until all are ended
            self.process.send_signal(signal.SIGSTOP)
        kill(lambda: self.members()[1:])
        if self.kind == "bubblewrap":  # it reaps the others and then ends by itself
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.5)
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def kill(found: Callable[[], list[psutil.Process]]) -> bool:
    """Kill the processes that `found()` lists until it lists none; say whether that came true."""
    for _ in range(100):
        alive = [one for one in found() if is_alive(one)]
        if not alive:
            return True
        for end in (psutil.Process.suspend, psutil.Process.kill):  # the stopped start no others
            for one in alive:
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    end(one)
        psutil.wait_procs(alive, timeout=0.05)
    return False


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended and waits for its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def start(kind: str, limits: Limits, absent: tuple[str, ...], fd: int) -> Started:
    """Start a kernel in a sandbox; it speaks on the socket `fd`, its stderr says why it cannot.

    bubblewrap ends with the thread that started it: keep that thread alive.
    Raises: ValueError for an unknown kind; SandboxMissing where there is no bubblewrap; OSError.
    """
    _check_kind(kind)
    if kind == "bubblewrap":
        return _start_bubblewrap(limits, absent, fd)
    folder = Path(tempfile.mkdtemp(prefix="home-", dir=private_folder()))
    far = far_package(absent)
    rlimits = _rlimits(limits, False) if kind == "limits" else {}
    wish = {"fd": fd, "uid": None, "supervise": True, "filter": kind == "limits"}
    process = subprocess.Popen(
        [sys.executable, "-s", "-B", far / "kernel" / "enter.py", _json(wish, rlimits)],
        env=_environment(folder, str(far), front=absent_names(absent)),
        cwd=folder,
        pass_fds=[fd],
        start_new_session=True,
        **_NO_STREAMS,
    )
    return Started(process, kind, folder)


_NO_STREAMS = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.PIPE,
}


@lru_cache
def probe(kind: str) -> None:
    """Start a process in the sandbox, to see whether that works here.

    Raises: ValueError for an unknown kind; SandboxMissing with what is missing and what to do.
    """
    _check_kind(kind)
    if os.name != "posix":
        raise SandboxMissing("grading runs students' code in a sandbox: use Linux, macOS or WSL")
    if kind != "bubblewrap":
        return
    with tempfile.TemporaryFile() as said:
        command, fds = _bubblewrap(Limits(), far_package(()), (), _uid())
        python = [*command, sys.executable, "-I", "-c", "import numpy; print('works')"]
        try:
            done = subprocess.run(
                python, env={}, pass_fds=fds, stdout=subprocess.PIPE, stderr=said, timeout=60
            )
        except subprocess.TimeoutExpired:
            raise SandboxMissing(f"bubblewrap started nothing within 60 s. {_WEAKER}") from None
        finally:
            _close(fds)
        said.seek(0)
        words = said.read(2000).decode("utf-8", "replace").strip()
    if done.returncode or b"works" not in done.stdout:
        raise SandboxMissing(f"bubblewrap does not work here: {words}. {_remedy(words)}{_WEAKER}")


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"there is no sandbox {kind!r}: choose one of {', '.join(KINDS)}")


_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_PROFILE = """  sudo tee /etc/apparmor.d/bwrap <<'END'
  abi <abi/4.0>,
  include <tunables/global>
  profile bwrap /usr/bin/bwrap flags=(unconfined) {
    userns,
  }
  END
  sudo apparmor_parser -r /etc/apparmor.d/bwrap"""


def _remedy(words: str) -> str:
    if "nknown option" in words:
        return "It is older than 0.6: install a newer one. "
    if _APPARMOR.exists() and _APPARMOR.read_text().strip() == "1":
        return (
            "AppArmor keeps ordinary users from making namespaces (Ubuntu 23.10 and later). Give "
            f"bubblewrap a profile:\n{_PROFILE}\n"
        )
    if "namespace" in words or "ermitted" in words or "ermission" in words:
        return (
            "This system or its container keeps it from making namespaces: in Docker start the "
            "container with --privileged or --security-opt seccomp=unconfined --security-opt "
            "apparmor=unconfined; elsewhere ask for user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1). "
        )
    return ""


def _start_bubblewrap(limits: Limits, absent: tuple[str, ...], fd: int) -> Started:
    far, uid = far_package(absent), _uid()
    command, fds = _bubblewrap(limits, far, absent, uid)
    wish = {"fd": fd, "uid": uid if os.geteuid() == 0 else None, "supervise": False, "filter": True}
    own = os.geteuid() == 0 or _counts_by_namespace()
    arguments = ["-s", "-B", f"{_FAR}/kernel/enter.py", _json(wish, _rlimits(limits, own))]
    try:
        process = subprocess.Popen(
            [*command, sys.executable, *arguments],
            env={},  # of bubblewrap itself: /proc/1/environ shows it to everybody inside
            cwd="/",
            pass_fds=[fd, *fds],
            **_NO_STREAMS,
        )
    finally:
        _close(fds)
    return Started(process, "bubblewrap")


def _json(wish: dict, rlimits: dict[str, int]) -> str:
    return json.dumps({**wish, "rlimits": rlimits})


def _environment(home: str | Path, far: str, front: tuple[str, ...] = ()) -> dict[str, str]:
    folders = [f"{far}/absent"] * bool(front) + [f"{far}/package", *_elsewhere()]
    return {
        "HOME": str(home),
        "TMPDIR": "/tmp" if str(home) == _HOME else str(home),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(folders),
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **_THREADS,
    }


def _rlimits(limits: Limits, own_uid: bool) -> dict[str, int]:
    return {
        "AS": limits.memory,
        "CPU": limits.cpu_seconds,
        "FSIZE": limits.file,
        "NOFILE": _OPEN_FILES,
        "NPROC": limits.processes + (0 if own_uid else _others()),
        "CORE": 0,
    }


def _others() -> int:
    """The threads that this user has anyway: where the uid is shared, the limit counts them."""
    count, user = 0, os.getuid()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            count += process.num_threads() if process.uids().real == user else 0
    return count


def _counts_by_namespace() -> bool:
    """Whether the limit on processes counts within a user namespace: Linux 5.14 and later."""
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    return version is not None and tuple(map(int, version.groups())) >= (5, 14)


def _uid() -> int:
    """A uid that no user and no other sandbox has, of those that this system or container maps."""
    rows = Path("/proc/self/uid_map").read_text().splitlines()
    mapped = max(int(inside) + int(count) for inside, _, count in map(str.split, rows))
    if mapped > 2**31:
        return 0x70000000 + secrets.randbelow(2**28)
    return mapped // 2 + secrets.randbelow(max(1, mapped // 4))


# ------------------------------------------------------------------------ bubblewrap's command line


def _bubblewrap(
    limits: Limits, far: Path, absent: tuple[str, ...], uid: int
) -> tuple[list[str], list[int]]:
    """The command up to the program, and the descriptors that it reads; close them afterwards.

    Raises: SandboxMissing where there is no bubblewrap.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxMissing(
            "bubblewrap is not installed (its program is `bwrap`). Install it: `sudo apt-get "
            "install bubblewrap`, `sudo dnf install bubblewrap` or `sudo pacman -S bubblewrap`; "
            f"there is none for macOS or Windows. {_WEAKER}"
        )
    user, who = (uid, _AS_ROOT) if os.geteuid() == 0 else (65534, _AS_USER)
    fds = [_memory_file(line) for line in (_PASSWD.format(user), _GROUP.format(user))]
    size = str(limits.disk)
    # /tmp comes first: a project that lies there is mounted into it.
    tmp = ["--size", size, "--perms", "1777", "--tmpfs", "/tmp"]
    command = [program, *_ALONE, *who, *tmp, *_system(far, absent)]
    for fd, name in zip(fds, ("passwd", "group"), strict=True):
        command += ["--perms", "0644", "--ro-bind-data", str(fd), f"/etc/{name}"]
    for folder in ("/dev/shm", _HOME):
        command += ["--size", size, "--perms", "1777", "--tmpfs", folder]
    for path in _font_lists():
        cache = f"{_HOME}/.cache"
        command += ["--perms", "1777", "--dir", cache, "--perms", "1777", "--dir"]
        command += [f"{cache}/matplotlib", "--ro-bind", str(path)]
        command += [f"{cache}/matplotlib/{path.name}"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", _HOME]
    for name, value in _environment(_HOME, _FAR).items():
        command += ["--setenv", name, value]
    return [*command, "--"], fds


_ALONE = (
    *(f"--unshare-{what}" for what in ("pid", "net", "ipc", "uts", "cgroup-try")),
    *("--die-with-parent", "--new-session", "--hostname", "grading"),
)
# Root is dropped by enter.py, after the limits; it needs these rights to drop it wholly.
_AS_ROOT = (
    *("--cap-drop", "ALL"),
    *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"),
)
_AS_USER = ("--unshare-user", "--uid", "65534", "--gid", "65534")
_PASSWD = "root:x:0:0::/:/bin/false\nstudent:x:{0}:{0}::" + _HOME + ":/bin/sh\n"
_GROUP = "root:x:0:\nstudent:x:{0}:\n"


def _memory_file(text: str) -> int:
    fd = os.memfd_create("sandbox")
    os.write(fd, text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)


def _system(far: Path, absent: tuple[str, ...]) -> Iterator[str]:
    """The folders that are there: the system and Python, read-only, and the far package."""
    roots = _roots()
    made: set[Path] = set()
    for root in roots:
        yield from _parents(root, roots, made)
        yield from ("--ro-bind", str(root), str(root))
        yield from _masks(root, roots)
    yield from _links(roots, made)
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.exists():
            yield from ("--ro-bind", str(path), str(path))
    yield from ("--perms", "0755", "--dir", "/etc")
    for name in _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--ro-bind", str(far), _FAR, "--proc", "/proc", "--dev", "/dev")
    yield from ("--perms", "0755", "--dir", "/home")
    yield from _replaced(far, absent)


@lru_cache
def _roots() -> tuple[Path, ...]:
    """The system and the folders of Python, each once, those above before those inside."""
    python = (sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix)
    found = sorted({Path(p).absolute() for p in ("/usr", *python, *_elsewhere())})
    if any(path in (Path("/"), Path.home()) for path in found):
        raise SandboxMissing(
            f"Python is installed in {sys.prefix}, so that nothing can be kept from students' "
            f"code: use a virtual or conda environment in a folder of its own. {_WEAKER}"
        )
    return tuple(p for p in found if not any(o in p.parents and _shows(o, p) for o in found))


def _shows(folder: Path, inside: Path) -> bool:
    """Whether what is `inside` can be seen where `folder` is; in a masked project it cannot."""
    return not (folder in _ROOT.parents and (inside == _ROOT or _ROOT in inside.parents))


def _elsewhere() -> tuple[str, ...]:
    """Folders of installed packages on sys.path that lie outside Python's own."""
    own = (sys.prefix, sys.base_prefix, "/usr")
    packages = ("site-packages", "dist-packages")
    return tuple(
        path
        for path in sys.path
        if Path(path).name in packages
        and Path(path).is_dir()
        and not any(Path(path).is_relative_to(folder) for folder in own)
    )


def _parents(path: Path, roots: tuple[Path, ...], made: set[Path]) -> Iterator[str]:
    """The folders above `path`, such that any user may pass."""
    for parent in reversed(path.parents[:-1]):
        if parent not in made and not any(r == parent or r in parent.parents for r in roots):
            made.add(parent)
            yield from ("--perms", "0755", "--dir", str(parent))


def _masks(root: Path, roots: tuple[Path, ...]) -> Iterator[str]:
    """Empty folders over what must not be seen in `root`: this project, other environments."""
    others = [root / name for name in ("envs", "pkgs") if (root / "conda-meta").is_dir()]
    for path in (_ROOT, *others):
        if root in path.parents and path.is_dir():
            yield from ("--perms", "0755", "--tmpfs", str(path))
            inner = [r for r in roots if path in r.parents]
            made: set[Path] = set()
            for one in inner:
                for parent in reversed(one.parents):
                    if path in parent.parents and parent not in made:
                        made.add(parent)
                        yield from ("--perms", "0755", "--dir", str(parent))
                yield from ("--perms", "0755", "--dir", str(one))
            yield from ("--remount-ro", str(path))


def _links(roots: tuple[Path, ...], made: set[Path]) -> Iterator[str]:
    """The links between sys.executable and the program, where they lie elsewhere."""
    path = Path(sys.executable).absolute()
    while path.is_symlink():
        if not any(root in path.parents for root in roots):
            yield from _parents(path, roots, made)
            yield from ("--symlink", os.readlink(path), str(path))
        path = Path(os.path.normpath(path.parent / os.readlink(path)))


def _replaced(far: Path, absent: tuple[str, ...]) -> Iterator[str]:
    """The far package over an installed cs_caption, and nothing over every absent module."""
    for folder in _package_folders():
        if (folder / "cs_caption").is_dir():
            yield from ("--ro-bind", f"{far}/package/cs_caption", f"{folder}/cs_caption")
        if (folder / "autograder").is_dir():
            yield from ("--perms", "0755", "--tmpfs", f"{folder}/autograder")
            yield from ("--remount-ro", f"{folder}/autograder")
        for name in absent_names(absent):
            mask = f"{far}/absent/{name}"
            if (folder / name).is_dir():
                yield from ("--ro-bind", mask, f"{folder}/{name}")
            for file in (*folder.glob(f"{name}.py"), *folder.glob(f"{name}.*.so")):
                yield from ("--ro-bind", f"{mask}/__init__.py", str(file))


@lru_cache
def _package_folders() -> tuple[Path, ...]:
    """Every folder of installed packages that can be seen in the sandbox."""
    found = {Path(path) for path in sys.path if Path(path).is_dir()}
    for root in _roots():
        for pattern in (
            "lib*/python3*",
            "lib*/python3*/*-packages",
            "local/lib*/python3*/*-packages",
        ):
            found.update(root.glob(pattern))
    seen = _roots()
    return tuple(sorted(p for p in found if any(r == p or r in p.parents for r in seen)))


@lru_cache
def _font_lists() -> tuple[Path, ...]:
    """matplotlib's list of fonts, which takes it seconds to make where there is none."""
    code = "import matplotlib.font_manager; print(matplotlib.get_cachedir())"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return tuple(Path(done.stdout.strip()).glob("fontlist-*.json")) if done.stdout.strip() else ()
