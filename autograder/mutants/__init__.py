"""The zoo: the mistakes that students really make, a module or two for each notebook.

    @mutant("rnn_step_backward", rnn_step_forward=_forward)
    def db_not_summed(dnext_h, cache):
        "The bias gradient keeps the batch axis."

Each must lose points on the public check; one marked `hidden_only` on the hidden cases.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field

MODULES = (
    "n00_start_here",
    "n01_dense",
    "n01_convolution",
    "n02_hello_rnn",
    "n02_sequences",
    "n02_training",
    "n03_lstm",
    "n03_gru_and_stacks",
    "n04_data_and_rnn",
    "n04_torch",
    "n04_speaking",
    "n05_beam",
    "n05_bleu_and_rouge",
    "n05_cider_and_meteor",
    "n06_soft",
    "n06_hard",
    "n06_looking",
    "n07_scores",
    "n07_loss",
    "n07_recall",
)


@dataclass(frozen=True)
class Mutant:
    """A wrong answer to an exercise; `needs` replace the solution's other functions."""

    exercise: str
    function: Callable
    hidden_only: bool = False
    needs: dict[str, Callable] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.__name__

    @property
    def mistake(self) -> str:
        """One line on what is wrong with it."""
        return (self.function.__doc__ or "").strip()


def mutant(exercise: str, *, hidden_only: bool = False, **needs: Callable) -> Callable:
    """Mark a function as a wrong answer to `exercise`."""

    def mark(function: Callable) -> Callable:
        function.mutant = Mutant(exercise, function, hidden_only, needs)
        return function

    return mark


def mutants() -> list[Mutant]:
    """Return the whole zoo, in the order in which it is written."""
    modules = (importlib.import_module(f"autograder.mutants.{module}") for module in MODULES)
    marked = (
        getattr(thing, "mutant", None) for module in modules for thing in vars(module).values()
    )
    return [found for found in marked if isinstance(found, Mutant)]
