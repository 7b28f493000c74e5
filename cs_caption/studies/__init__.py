"""Studies: one question asked of several settings, each trained with several seeds.

    python -m cs_caption.studies decoders --seeds 3 --jobs 2

runs a study whole, or goes on where it was cut off, and keeps what was found in the package, where
`load` reads it and `cs_caption.viz.studies.show_study` draws it. `one` runs one setting for one
seed again: on the same machine and versions it finds the recorded figures to the last bit.
"""

from cs_caption.studies.record import Figure, Record, Run, load

__all__ = ["NAMES", "Figure", "Record", "Run", "load", "one", "settings"]

NAMES = (
    "decoders",
    "transfer",
    "bias",
    "vectors",
    "softmax",
    "paradox",
    "agreement",
    "attention",
    "attention_rich",
    "reinforce",
    "ranking",
    "smoothing",
    "smoothing_rich",
)


def one(name: str, setting: str, seed: int = 0) -> Run:
    """Train and measure one setting of a study with one seed, on one thread.

    Where CS_CAPTION_FAST asks for little work, the study's tiny budget is taken.
    Raises: ValueError for a study or setting that does not exist.
    """
    # torch takes seconds to import, and who only reads records needs none.
    from cs_caption.studies.running import run_one, study_of

    return run_one(study_of(name), setting, seed)


def settings(name: str) -> tuple[str, ...]:
    """What a study compares, in the words that `one` takes."""
    from cs_caption.studies.running import study_of

    return study_of(name).settings
