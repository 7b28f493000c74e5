"""Files that are written whole or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well.

    A reader sees the old file or the new one, never a part; a failed block leaves no trace.

    Raises: OSError, naming `path` and the remedy, where it cannot be written (no such folder,
    no permission, disk full).
    """
    path = Path(path)
    with _explain(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with _explain(path):
            yield temporary
            _sync(temporary)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` when the block ends well.

    Raises: FileExistsError where `path` is there already: a folder cannot be replaced in one
    step, so each whole folder has a new name; OSError as `whole_file`.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{path} is there already: choose another name or remove it")
    with _explain(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        with _explain(path):
            yield temporary
            for file in temporary.iterdir():
                _sync(file)
            temporary.chmod(0o777 & ~_umask())
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(_existing(path)).free / 2**20
            raise OSError(
                error.errno,
                f"the disk is full ({free:.0f} MiB free): {path} was not written and what was "
                "there before is untouched; free some space or choose another folder",
            ) from error
        raise


def _existing(path: Path) -> Path:
    return next(p for p in (path, *path.absolute().parents) if p.exists())


def _sync(file: Path) -> None:
    with open(file, "rb") as handle:
        os.fsync(handle.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
