"""What tests of the checks ask of them."""

from functools import cache

from autograder.mutants import mutants
from autograder.zoo import checked
from cs_caption.checks import run_check
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import LocalSubject

ZOO = {mutant.name: mutant for mutant in mutants()}


def run(name, functions, **options):
    """The report of a check on functions by name."""
    return run_check(name, LocalSubject(name, functions), **options)


@cache
def judged(name):
    """The report of the public cases on a wrong answer of the zoo, made once.

    What is drawn where the function runs, as by a model's dropout, is the same each time.
    """
    if torch := torch_or_none():
        torch.manual_seed(0)
    return checked(ZOO[name])
