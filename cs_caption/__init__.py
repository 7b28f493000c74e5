"""Image captioning from scratch: the helper package of the course."""

__all__ = ["__version__", "check"]
__version__ = "0.1.0"


def __getattr__(name: str):
    # Late, so that `python -m cs_caption doctor` can say that NumPy is missing.
    if name == "check":
        from cs_caption.checks import check

        return check
    raise AttributeError(f"module 'cs_caption' has no attribute {name!r}")
