"""What student code finds under the name cs_caption while it is graded: the package, no oracles.

    folder = far_package(absent)     a folder to put first on sys.path there, made once

It holds the helper package without the checks of the exercises (of cs_caption.checks only what
serves functions is left), a `check` that judges nothing, the kernel's two files, and in `absent/` a
module that cannot be imported for each module that no exercise may lean on.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode, compile

import cs_caption

_OURS = Path(__file__).resolve().parent
_PACKAGE = Path(cs_caption.__file__).parent
_SUFFIXES = (".py", ".json", ".safetensors")
_KEPT_CHECKS = ("wire.py", "farside.py", "built.py", "report.py", "table.py")
_KERNEL = ("enter.py", "kernel.py")
# What is built on top of a module, and would give it away or fail in odd words without it.
_WITH = {"torch": ("torchvision", "torchaudio", "torchgen", "functorch")}

_CHECK = '''"""The checks are elsewhere while a notebook is graded: here, `check` judges nothing."""

__all__ = ["check"]


class _Elsewhere:
    """What `check` returns here: words, and no points."""

    points = max_points = 0.0
    passed = False
    cases = ()

    def __init__(self, name):
        self.exercise = str(name)

    def __repr__(self):
        return f"{self.exercise[:80]}: checked by the grader, outside this notebook"


def check(name, function, *needs, seed=None):
    """Say that the grader checks this exercise."""
    return _Elsewhere(name)
'''
_ABSENT = (
    'raise ModuleNotFoundError("{0} is absent where this notebook is graded: '
    'write it without", name="{0}")\n'
)


def far_package(absent: Sequence[str] = ()) -> Path:
    """Return the folder, made anew where its contents are not what they should be.

    Raises: OSError where it cannot be written.
    """
    files = _files(tuple(sorted(set(absent))))
    folder = private_folder() / f"far-{_digest(files)}"
    if not _is_there(folder, files):
        _write(folder, files)
    return folder


def absent_names(absent: Sequence[str]) -> tuple[str, ...]:
    """The top-level modules that cannot be imported: those in `absent`, and what rests on them."""
    top = [name for name in absent if "." not in name]
    return tuple(dict.fromkeys(n for name in top for n in (name, *_WITH.get(name, ()))))


def private_folder() -> Path:
    """A folder in the temporary one that nobody else can write to.

    Raises: OSError where somebody else made it.
    """
    user = os.getuid() if hasattr(os, "getuid") else "all"
    folder = Path(tempfile.gettempdir()) / f"cs_caption-grading-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != user or about.st_mode & 0o077:
        raise OSError(f"{folder} belongs to somebody else or others can write to it: remove it")
    return folder


@lru_cache
def _files(absent: tuple[str, ...]) -> dict[str, bytes]:
    """The contents of every file, by its path in the folder, compiled ones included."""
    files = _sources(absent)
    with tempfile.TemporaryDirectory(dir=private_folder()) as scratch:
        source = Path(scratch) / "source.py"
        for name in [name for name in files if name.endswith(".py")]:
            source.write_bytes(files[name])
            compiled = Path(scratch) / "compiled.pyc"
            compile(source, compiled, name, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
            files[cache_from_source(name)] = compiled.read_bytes()
    return files


def _sources(absent: tuple[str, ...]) -> dict[str, bytes]:
    files = {}
    for path in sorted(_PACKAGE.rglob("*")):
        inside = path.relative_to(_PACKAGE)
        if path.is_file() and path.suffix in _SUFFIXES and _is_kept(inside, absent):
            files[f"package/cs_caption/{inside.as_posix()}"] = path.read_bytes()
    files["package/cs_caption/checks/__init__.py"] = _CHECK.encode()
    for name in _KERNEL:
        files[f"kernel/{name}"] = (_OURS / name).read_bytes()
    for name in absent_names(absent):
        files[f"absent/{name}/__init__.py"] = _ABSENT.format(name).encode()
    return files


def _is_kept(inside: Path, absent: Sequence[str]) -> bool:
    if inside.parts[0] == "checks":
        return inside.name in _KEPT_CHECKS and len(inside.parts) == 2
    module = ".".join(("cs_caption", *inside.with_suffix("").parts))
    return not any(module == name or module.startswith(f"{name}.") for name in absent)


def _digest(files: dict[str, bytes]) -> str:
    found = hashlib.sha256()
    for name, content in files.items():
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()[:16]


def _is_there(folder: Path, files: dict[str, bytes]) -> bool:
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return found.keys() == files.keys() and all(
        path.read_bytes() == files[name] for name, path in found.items()
    )


def _write(folder: Path, files: dict[str, bytes]) -> None:
    made = Path(tempfile.mkdtemp(prefix=".far-", dir=folder.parent))
    for name, content in files.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    if folder.exists():  # damaged: a part cleared away, or written to where nothing confines
        folder.rename(Path(tempfile.mkdtemp(prefix=".damaged-", dir=folder.parent)) / "far")
    try:
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not _is_there(folder, files):  # else another process was quicker
            raise
