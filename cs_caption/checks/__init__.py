"""The check of each exercise: the student's self-test, and the test that grades.

    check("rnn_step_forward", rnn_step_forward)
    check("rnn_step_backward", rnn_step_backward, rnn_step_forward)

As the last line of a notebook cell this shows a table of cases; `print(check(...))` shows it as
text anywhere. The grader runs the same cases, and hidden ones, with `run_check` on a subject of its
own.
"""

import difflib
import importlib
import types
from collections.abc import Callable
from contextlib import suppress

from cs_caption.checks.exercise import Exercise, run_exercise
from cs_caption.checks.report import CaseReport, CheckReport
from cs_caption.checks.subject import LocalSubject, Subject

__all__ = ["CaseReport", "CheckReport", "check", "exercises", "run_check"]

MODULES = (
    "n00_start_here",
    "n01_convnets",
    "n02_hello_rnn",
    "n03_lstm_gates",
    "n04_captioning",
    "n05_beam_and_metrics",
    "n06_attention",
    "n07_ranking",
)


def check(name: str, function: Callable, *needs: Callable, seed: int | None = None) -> CheckReport:
    """Try `function` on the cases of exercise `name` and say what is probably wrong.

    `needs` are the other functions of yours that the check calls. The numbers are always the same
    ones; another `seed` draws others. Nothing that the function prints, warns or raises gets out
    (only Ctrl-C does); there is no limit of time here: stop an endless loop yourself.
    Raises: ValueError for an unknown exercise; TypeError for needs that are missing or too many.
    """
    exercise = _exercise(name)
    functions = _functions(exercise, function, needs)
    subject = LocalSubject(name, functions)
    return run_exercise(exercise, subject, seed=seed, notes=_notes(exercise, functions))


def run_check(
    name: str, subject: Subject, *, salt: str | None = None, seed: int | None = None
) -> CheckReport:
    """Check a subject; with a `salt`, hidden cases with numbers drawn from it are added.

    Raises: ValueError for an unknown exercise.
    """
    return run_exercise(_exercise(name), subject, salt=salt, seed=seed)


def exercises() -> dict[str, Exercise]:
    """Return every exercise by its name, in the order of the notebooks."""
    modules = (importlib.import_module(f"cs_caption.checks.{module}") for module in MODULES)
    return {exercise.name: exercise for module in modules for exercise in module.EXERCISES}


def _exercise(name: str) -> Exercise:
    known = exercises()
    if not isinstance(name, str):
        raise TypeError(
            f"the first argument is the name of an exercise, in quotes, not {type(name).__name__}; "
            f"there are {', '.join(known)}"
        )
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
    raise ValueError(f"there is no exercise {name!r}; did you mean {' or '.join(near)}?")


def _functions(exercise: Exercise, function: Callable, needs: tuple) -> dict[str, Callable]:
    names = (exercise.name, *exercise.needs)
    line = f'check("{exercise.name}", {", ".join(names)})'
    if len(needs) != len(exercise.needs):
        wanted = (
            f"{len(exercise.needs)} more: {', '.join(exercise.needs)}" if exercise.needs else "none"
        )
        raise TypeError(
            f"{exercise.name} was given {len(needs)} other functions; it needs {wanted}. "
            f"Write {line}"
        )
    functions = dict(zip(names, (function, *needs), strict=True))
    for wanted, given in functions.items():
        if not callable(given):
            raise TypeError(
                f"{wanted} must be the function itself, not {type(given).__name__}. Write {line}"
            )
        own = getattr(given, "__name__", wanted)
        if own != wanted and own in exercises():
            raise ValueError(f"{own} was given where {wanted} is expected. Write {line}")
    return functions


def _notes(exercise: Exercise, functions: dict[str, Callable]) -> tuple[str, ...]:
    return tuple(
        f"{name} uses {module}, which is absent where it is graded: write it without."
        for name, function in functions.items()
        for module in exercise.banned
        if _uses(function, module)
    )


def _uses(function: Callable, module: str) -> bool:
    """Say whether the function's code names the module or a thing of it."""
    if not isinstance(function, types.FunctionType):
        return False
    code = function.__code__
    space = dict(function.__globals__)
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a name that has no value yet
            space[name] = cell.cell_contents
    names = _code_names(code).union(code.co_freevars)
    package, _, own = module.rpartition(".")
    by_attribute = own in names and any(_is(space.get(name), name, package) for name in names)
    return by_attribute or any(_is_of(space.get(name), name, module) for name in names)


def _code_names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*(_code_names(c) for c in inner))


def _is(value: object, name: str, module: str) -> bool:
    return name == module or (isinstance(value, types.ModuleType) and value.__name__ == module)


def _is_of(value: object, name: str, module: str) -> bool:
    """Say whether it is the module, a part of it, or something that was made there."""
    is_module = isinstance(value, types.ModuleType)
    home = value.__name__ if is_module else getattr(value, "__module__", None)
    homes = (home, "" if is_module else name)
    return any(isinstance(h, str) and f"{h}.".startswith(f"{module}.") for h in homes)
