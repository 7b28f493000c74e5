"""Numeric gradients of nested float64 arrays, and a check that names the worst entry.

    numeric = numerical_gradient(f, x)                       # f(x) returns one number
    numeric = numerical_gradient(f, x, dout)                 # of sum(dout * f(x))
    report = check_gradients(f, {"Wx": Wx, "b": b}, {"Wx": dWx, "b": db}, dout)
    print(report)                                            # in a notebook: report

Inputs are NumPy arrays or torch tensors, alone or in dicts, lists and tuples. f is called with the
structure as its one argument; a tuple is spread as in `torch.autograd.gradcheck`, f(x, w, b), where
f takes that many.
"""

from cs_caption.gradcheck.check import GradientReport, GradientRow, check_gradients
from cs_caption.gradcheck.numeric import numerical_gradient

__all__ = ["GradientReport", "GradientRow", "check_gradients", "numerical_gradient"]
