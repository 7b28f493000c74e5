import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import sandbox
from autograder.sandbox import Limits, SandboxMissing, probe
from autograder.session import Kernel

ROOT = Path(__file__).resolve().parent.parent
LIMITS = Limits(memory=2**30, cpu_seconds=60, file=2**20, disk=4 * 2**20, processes=16)
ABSENT = ("torch", "cs_caption.metrics")


@pytest.fixture(scope="module")
def kernel(bubblewrap) -> Iterator[Kernel]:
    with Kernel("bubblewrap", LIMITS, absent=ABSENT) as kernel:
        yield kernel
        assert kernel.alive


def shown(kernel: Kernel, source: str, seconds: float = 30) -> str:
    cell = kernel.run(textwrap.dedent(source).strip(), seconds)
    assert cell.ended == "ok", (cell.words, cell.outputs)
    return cell.outputs[-1].data["text/plain"] if cell.outputs else ""


def refused(kernel: Kernel, source: str) -> str:
    cell = kernel.run(textwrap.dedent(source).strip(), 30)
    assert cell.ended == "error", (cell.words, cell.outputs)
    return cell.outputs[-1].ename


# --------------------------------------------------------------------------------- what is missing


def test_an_unknown_kind_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="bubblewrap, limits, off"):
        probe("docker")


def test_without_bubblewrap_the_words_say_what_to_install_and_what_is_weaker(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(SandboxMissing, match="apt-get install bubblewrap") as caught:
        sandbox.probe.__wrapped__("bubblewrap")
    assert "--sandbox=limits" in str(caught.value)
    assert "--sandbox=off" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("bwrap: Unknown option --size", "install a newer one"),
        ("bwrap: No permissions to create new namespace", "keeps it from making namespaces"),
        ("bwrap: setting up uid map: Permission denied", "keeps it from making namespaces"),
        ("bwrap: something else", "something else"),
    ],
)
def test_a_bubblewrap_that_fails_is_quoted_with_a_remedy(tmp_path, monkeypatch, said, words):
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: str(program))
    with pytest.raises(SandboxMissing, match=words) as caught:
        sandbox.probe.__wrapped__("bubblewrap")
    assert said in str(caught.value)
    assert "--sandbox=limits" in str(caught.value)


def test_apparmor_is_named_with_its_profile(tmp_path, monkeypatch):
    setting = tmp_path / "setting"
    setting.write_text("1\n")
    monkeypatch.setattr(sandbox, "_APPARMOR", setting)
    words = sandbox._remedy("bwrap: setting up uid map: Permission denied")
    assert "AppArmor" in words
    assert "/etc/apparmor.d/bwrap" in words


def test_the_weaker_kinds_work_without_bubblewrap(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    for kind in ("limits", "off"):
        sandbox.probe.__wrapped__(kind)


# ----------------------------------------------------------------------------------- who and where


def test_it_has_no_rights(kernel):
    cell = kernel.run("print(open('/proc/self/status').read())", 10)
    status = dict(
        line.split(":\t", 1) for line in cell.outputs[0].text.splitlines() if ":\t" in line
    )
    for which in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[which], 16) == 0
    if os.geteuid() == 0:
        assert int(status["CapBnd"], 16) == 0
        assert int(status["Uid"].split()[0]) >= 1000
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Groups"].split() in ([], ["65534"])


@pytest.mark.skipif(os.geteuid() != 0, reason="without root every sandbox has the uid 65534")
def test_no_other_sandbox_has_its_uid(kernel):
    with Kernel("bubblewrap", LIMITS) as other:
        assert shown(other, "import os; os.getuid()") != shown(kernel, "import os; os.getuid()")


def test_its_environment_is_ours_alone(kernel, monkeypatch):
    names = set(eval(shown(kernel, "import os; sorted(os.environ)")))
    ours = set(sandbox._environment("/", "/"))
    # what IPython and a shell set for themselves
    assert names - ours <= {"PWD", "LC_CTYPE", "PAGER", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE"}
    assert os.environ["PATH"] not in shown(kernel, "os.environ['PATH']")


def test_nothing_of_ours_can_be_read_from_other_processes(bubblewrap, monkeypatch):
    monkeypatch.setenv("CS_CAPTION_SALT", "very-secret-salt")
    with Kernel("bubblewrap", LIMITS) as kernel:
        found = shown(
            kernel,
            """
            import glob
            seen = []
            for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
                try:
                    seen.append(open(path, "rb").read())
                except OSError:
                    pass
            (len(seen) > 1, any(b"secret-salt" in one for one in seen))
            """,
        )
        assert found == "(True, False)"
        assert int(shown(kernel, "len(glob.glob('/proc/[0-9]*'))")) < 6


def test_nothing_of_the_project_homes_or_other_submissions_is_there(kernel, tmp_path):
    (tmp_path / "gradebook.db").write_text("grades")
    wanted = [ROOT / "solutions", ROOT / "autograder", ROOT / "cs_caption", ROOT / "tests"]
    wanted += [ROOT / ".git", tmp_path, Path(sandbox.__file__), Path("/etc/shadow"), Path("/var")]
    wanted += [Path.home() / ".ssh", Path.home() / ".cache"]
    found = shown(kernel, f"import os\n[p for p in {list(map(str, wanted))} if os.path.exists(p)]")
    assert found == "[]"
    walk = """
    hits = []
    for top, folders, files in os.walk("/"):
        if top.startswith(("/proc", "/usr")):
            folders.clear()
        hits += [f"{top}/{n}" for n in files if n.endswith(".db") or n.startswith("n01_convnets")]
        hits += [f"{top}/{n}" for n in folders if n in ("solutions", "n01_convnets", "autograder")]
    hits
    """
    assert [hit for hit in eval(shown(kernel, walk)) if "site-packages" not in hit] == []


def test_the_oracles_cannot_be_imported_or_read_by_any_path(kernel):
    for name in ("cs_caption.checks.n01_convnets", "cs_caption.metrics", "autograder", "solutions"):
        assert refused(kernel, f"import {name}") == "ModuleNotFoundError"
    real = [str(ROOT), str(ROOT / "cs_caption")]
    code = f"""
    import sys, importlib
    sys.path[:0] = {real}
    importlib.invalidate_caches()
    import cs_caption
    (cs_caption.__file__, [p for p in sys.path if os.path.exists(p + "/n01_convnets")])
    """
    assert shown(kernel, code) == "('/course/package/cs_caption/__init__.py', [])"


def test_a_module_that_no_exercise_may_lean_on_is_nowhere(kernel):
    for name in ("torch", "torchvision", "torch.nn.functional", "functorch"):
        assert refused(kernel, f"import {name}") == "ModuleNotFoundError"
    found = """
    import glob
    [p for top in ("/usr", sys.prefix, sys.base_prefix)
     for p in glob.glob(f"{top}/lib/python3*/*-packages/torch/**/*", recursive=True)
     if not p.endswith(("__init__.py", "__pycache__", ".pyc"))]
    """
    assert shown(kernel, "import sys\n" + textwrap.dedent(found).strip()) == "[]"


def test_torch_is_there_where_it_may_be_used(bubblewrap):
    with Kernel("bubblewrap", Limits()) as kernel:
        source = """
        import torch
        x = torch.ones(3, requires_grad=True)
        (x * x).sum().backward()
        def f(n):
            y = torch.ones(n, requires_grad=True)
            (y * y).sum().backward()
            return y.grad.numpy()
        """
        assert shown(kernel, source) == ""
        from cs_caption.checks.subject import Subject

        with kernel.serving({"f": "f"}, call_seconds=20, check_seconds=40) as link:
            assert Subject("f", link).call((2,)).value.tolist() == [2, 2]


# ------------------------------------------------------------------------------- what is shut off


@pytest.mark.parametrize(
    "source",
    [
        "import socket; socket.create_connection(('1.1.1.1', 53), timeout=3)",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import urllib.request; urllib.request.urlopen('http://example.org', timeout=3)",
    ],
)
def test_there_is_no_network(kernel, source):
    assert refused(kernel, source) in ("OSError", "gaierror", "URLError")


def test_no_socket_of_the_host_can_be_reached(kernel):
    import socket

    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        name = f"\0cs_caption-test-{os.getpid()}"
        abstract.bind(name)
        abstract.listen()
        port = tcp.getsockname()[1]
        tries = f"import socket; socket.create_connection(('127.0.0.1', {port}), 3)"
        assert refused(kernel, tries) in ("OSError", "ConnectionRefusedError")
        ours = f"s = socket.socket(socket.AF_UNIX); s.connect({name!r})"
        assert refused(kernel, "import socket\n" + ours) == "ConnectionRefusedError"


@pytest.mark.parametrize("folder", ["/", "/etc", "/usr", "/dev", "/course", "/home", sys.prefix])
def test_the_system_cannot_be_written_to(kernel, folder):
    assert refused(kernel, f"open({folder + '/mine'!r}, 'w')") in ("OSError", "PermissionError")


@pytest.mark.parametrize("folder", ["/dev/shm", "/tmp", "/home/student"])
def test_what_can_be_written_to_has_a_size(kernel, folder):
    fill = f"""
    import os, pathlib
    def fill():
        written = 0
        try:
            for i in range(1000):
                with open(f"{folder}/fill{{i}}", "wb") as file:
                    written += file.write(bytes(2**19))
        except OSError as error:
            return written, error.strerror
        finally:
            for path in pathlib.Path("{folder}").glob("fill*"):
                path.unlink()
    fill()
    """
    written, why = eval(shown(kernel, fill))
    assert 2**20 <= written <= LIMITS.disk
    assert why == "No space left on device"


def test_a_file_has_a_size(kernel):
    assert refused(kernel, "open('big', 'wb').write(bytes(2 * 2**20))") == "OSError"
    kernel.run("import os; os.unlink('big')", 5)


@pytest.mark.parametrize(
    "source",
    [
        "libc.unshare(0x10000000)",
        "libc.syscall(272 if os.uname().machine == 'x86_64' else 97, 0x10000000)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.syscall(319 if os.uname().machine == 'x86_64' else 279, b'hog', 0)",
        "libc.setresuid(0, 0, 0)",
    ],
)
def test_what_gets_round_the_limits_is_refused(kernel, source):
    code = f"import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n{source}"
    assert shown(kernel, code) == "-1"


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the first process has their uid")
def test_the_first_process_of_the_sandbox_cannot_be_ended_from_inside(kernel):
    assert refused(kernel, "import os\nos.kill(1, 9)") == "PermissionError"


# ----------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("kind", ["bubblewrap", "limits"])
def test_a_memory_hog_gets_a_memory_error_and_the_kernel_goes_on(request, kind):
    if kind == "bubblewrap":
        request.getfixturevalue("bubblewrap")
    with Kernel(kind, LIMITS) as kernel:
        assert refused(kernel, "x = bytes(2**31)") == "MemoryError"
        assert refused(kernel, "x = []\nwhile True: x.append(bytes(2**24))") == "MemoryError"
        assert shown(kernel, "x = None\n1 + 1") == "2"


def test_processes_that_take_too_much_together_are_ended(bubblewrap):
    small = Limits(memory=2**28, processes=16)
    with Kernel("bubblewrap", small) as kernel:
        source = """
        import os, time
        for _ in range(12):
            if os.fork() == 0:
                x = bytearray(os.urandom(1)) * (100 * 2**20)
                time.sleep(60)
                os._exit(0)
        time.sleep(60)
        """
        cell = kernel.run(textwrap.dedent(source), 30)
        assert cell.ended == "dead"
        assert "memory together" in cell.words


def test_after_a_fork_bomb_the_next_cell_still_runs(bubblewrap):
    with Kernel("bubblewrap", LIMITS) as kernel:
        bomb = """
        import os, time
        children = 0
        try:
            while True:
                if os.fork() == 0:
                    time.sleep(30)
                    os._exit(0)
                children += 1
        except OSError as error:
            print(error.strerror)
        children
        """
        assert 1 <= int(shown(kernel, bomb)) < LIMITS.processes
        assert shown(kernel, "1 + 1") == "2"


def test_a_loop_is_ended_by_its_processor_time(bubblewrap):
    with Kernel("bubblewrap", Limits(cpu_seconds=1)) as kernel:
        cell = kernel.run("while True: pass", 30)
        assert cell.ended == "dead"
        assert "processor time" in cell.words


def test_a_kernel_that_cannot_start_says_why(bubblewrap):
    from autograder.session import KernelError

    with pytest.raises(KernelError, match="no kernel starts"):
        Kernel("bubblewrap", Limits(memory=2**20))


# --------------------------------------------------------------------------------- without root

AS_NOBODY = """
set -e
mount -t tmpfs -o mode=755 tmpfs {hold}
mkdir {hold}/base {hold}/tmp {hold}/home
chmod 1777 {hold}/tmp {hold}/home
mount --bind {base} {hold}/base
mount -t tmpfs -o mode=755 tmpfs {top}
mkdir -p {base}
mount --bind {hold}/base {base}
cd {root}
export HOME={hold}/home TMPDIR={hold}/tmp PYTHONPATH=.
exec setpriv --reuid 65534 --regid 65534 --clear-groups {python} -c "$1"
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv") or not sys.base_prefix.startswith("/root/"),
    reason="needs root, to become somebody else who cannot look into /root",
)
def test_an_ordinary_user_gets_the_same_sandbox(bubblewrap, tmp_path):
    hold = Path("/mnt")
    code = """
from autograder.sandbox import Limits, probe
from autograder.session import Kernel
probe("bubblewrap")
with Kernel("bubblewrap", Limits(processes=16), absent=("torch",)) as kernel:
    def said(source): return str(kernel.run(source, 20).outputs)
    assert "65534" in said("import os; os.getuid()")
    for path in ("/x", "/dev/x", "/etc/x"):
        assert "Read-only" in said(f"open({path!r}, 'w')"), path
    assert "ModuleNotFoundError" in said("import torch")
    status = said("print(open('/proc/self/status').read())")
    assert "CapEff:\\\\t0000000000000000" in status, status
    forks = "import time\\nfor _ in range(100):\\n    os.fork() or (time.sleep(9), os._exit(0))"
    assert "BlockingIOError" in said(forks)
    assert "2" in said("1 + 1")
print("well")
"""
    script = AS_NOBODY.format(
        hold=hold, base=sys.base_prefix, top="/root", root=ROOT, python=sys.executable
    )
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "bash", code], capture_output=True, text=True
    )
    if "ermission denied" in done.stderr and "mount" in done.stderr:
        pytest.skip("this container lets root make no mounts")
    assert done.stdout.strip() == "well", done.stderr
