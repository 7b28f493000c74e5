"""Where torch computes: the choice of device, in one place, and the machine in words."""

import os
import platform

import torch

KINDS = ("auto", "cpu", "cuda", "mps")


def pick_device(name: str | torch.device = "auto") -> torch.device:
    """The device called `name`; "auto" takes a CUDA card, else Apple's MPS, else the CPU.

    Raises: ValueError for an unknown name, or for a device that this machine does not have.
    """
    text = str(name)
    kind, _, index = text.partition(":")
    if kind not in KINDS or (index and not (kind == "cuda" and index.isdecimal())):
        raise ValueError(f"device {text!r} is not known: use one of {', '.join(KINDS)} or cuda:1")
    if kind == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if _count(kind)))
    if int(index or 0) >= _count(kind):
        raise ValueError(
            f"device {text!r} is not here ({_count(kind)} of kind {kind!r}, torch "
            f"{torch.__version__}): use 'cpu' or 'auto', or install a torch built for it"
        )
    return torch.device(text)


def machine() -> str:
    """What figures were measured on: system, cores, versions."""
    return (
        f"{platform.system()} {platform.machine()}, {torch.get_num_threads()} of "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )


def _count(kind: str) -> int:
    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    return int(torch.backends.mps.is_available()) if kind == "mps" else 1
