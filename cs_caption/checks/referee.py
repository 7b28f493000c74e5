"""torch in float64, asked where it is installed."""

from types import ModuleType


def torch_or_none() -> ModuleType | None:
    """Return torch, or None where it is not installed or does not load."""
    try:
        import torch
    except (ImportError, OSError):
        return None
    return torch


def referee() -> str:
    """Say who decides, for the report."""
    torch = torch_or_none()
    if torch is None:
        return (
            "worked examples, relations that must hold, and numeric derivatives (torch is not "
            "installed; with it, autograd in float64 is asked as well)"
        )
    return f"torch {torch.__version__} in float64, and numeric derivatives"
